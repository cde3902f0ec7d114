"""ECS's reads: clusters, services, task definitions, deployments, tags. Tasks are in `answers_ecs_tasks`."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from evals.world import ecs_shown
from evals.world.asking import Ask, NotModelled, Refusal, handles
from evals.world.ecs_stage import roster_of
from evals.world.roster_task import NEVER, Deployment
from evals.world.stage import moment
from evals.world.world import Thing
from tools.models import Json


def cluster_of(ask: Ask) -> Thing:
    """The cluster that a request names; "default" when it names none."""
    name = str(ask.take("cluster") or "default").rsplit("/", 1)[-1]
    found = ask.world.named("cluster", name, ask.region)
    if found is None:
        raise Refusal("ClusterNotFoundException", "Cluster not found.")
    return found


def _services(ask: Ask, cluster: Thing) -> list[Thing]:
    return [
        one
        for one in ask.world.of("ecs-service", ask.region)
        if one.fixed["cluster"] == cluster.arn and one.created <= ask.as_of
    ]


def _paged(ask: Ask, name: str, found: list[Any], default: int) -> Json:
    size, token = min(int(ask.take("maxResults") or default), default), ask.take("nextToken")
    page, following = ask.page(found, size, token)
    return {name: page} | ({"nextToken": following} if following else {})


@handles("ecs", "ListClusters")
def list_clusters(ask: Ask) -> Json:
    found = [one.arn for one in ask.world.of("cluster", ask.region) if one.created <= ask.as_of]
    return _paged(ask, "clusterArns", found, 100)


@handles("ecs", "DescribeClusters")
def describe_clusters(ask: Ask) -> Json:
    names, include = ask.take("clusters") or ["default"], list(ask.take("include") or [])
    found, failures = [], []
    for name in names:
        one = ask.world.named("cluster", str(name).rsplit("/", 1)[-1], ask.region)
        if one is None:
            arn = name if str(name).startswith("arn:") else ask.world.arn("ecs", f"cluster/{name}")
            failures.append({"arn": arn, "reason": "MISSING"})
        else:
            found.append(ecs_shown.cluster_shown(ask.world, one, ask.as_of, include))
    return {"clusters": found, "failures": failures}


@handles("ecs", "ListServices")
def list_services(ask: Ask) -> Json:
    cluster = cluster_of(ask)
    ask.only("launchType", "FARGATE")
    ask.only("schedulingStrategy", "REPLICA")
    return _paged(ask, "serviceArns", [one.arn for one in _services(ask, cluster)], 100)


@handles("ecs", "DescribeServices")
def describe_services(ask: Ask) -> Json:
    cluster, names = cluster_of(ask), list(ask.need("services"))
    include = list(ask.take("include") or [])
    if not 0 < len(names) <= 10:
        raise Refusal("InvalidParameterException", "Services must have between 1 and 10 elements.")
    held = {one.name: one for one in _services(ask, cluster)}
    found, failures = [], []
    for name in names:
        one = held.get(str(name).rsplit("/", 1)[-1])
        if one is None:
            arn = ask.world.arn("ecs", f"service/{cluster.name}/{str(name).rsplit('/', 1)[-1]}")
            failures.append({"arn": arn, "reason": "MISSING"})
            continue
        shown = ecs_shown.described(ask.world, one, ask.as_of)
        if "TAGS" in include:
            shown["tags"] = ecs_shown.pairs(one.tags(ask.as_of))
        found.append(shown)
    return {"services": found, "failures": failures}


# -- task definitions -----------------------------------------------------------------------------


def _registered(one: Thing) -> datetime:
    found: datetime = one.fixed.get("registered") or one.created
    return found


def _definitions(ask: Ask) -> list[Thing]:
    found = [one for one in ask.world.of("task-definition", ask.region) if _registered(one) <= ask.as_of]
    return sorted(found, key=lambda one: (str(one.fixed["family"]), int(one.fixed["revision"])))


@handles("ecs", "ListTaskDefinitions")
def list_task_definitions(ask: Ask) -> Json:
    family, order = ask.take("familyPrefix"), ask.take("sort", "ASC")
    if ask.take("status", "ACTIVE") != "ACTIVE":
        return _paged(ask, "taskDefinitionArns", [], 100)
    found = [one.arn for one in _definitions(ask) if family in (None, one.fixed["family"])]
    return _paged(ask, "taskDefinitionArns", found[::-1] if order == "DESC" else found, 100)


@handles("ecs", "ListTaskDefinitionFamilies")
def list_task_definition_families(ask: Ask) -> Json:
    prefix = str(ask.take("familyPrefix") or "")
    ask.only("status", "ACTIVE", "ALL")
    found = sorted({str(one.fixed["family"]) for one in _definitions(ask)})
    return _paged(ask, "families", [one for one in found if one.startswith(prefix)], 100)


@handles("ecs", "DescribeTaskDefinition")
def describe_task_definition(ask: Ask) -> Json:
    name, include = str(ask.need("taskDefinition")).rsplit("/", 1)[-1], list(ask.take("include") or [])
    held = _definitions(ask)
    found = [one for one in held if name in (one.name, one.fixed["family"])]
    if not found:
        raise Refusal("ClientException", "Unable to describe task definition.")
    answer: Json = {"taskDefinition": ecs_shown.definition_shown(ask.world, found[-1])}
    if "TAGS" in include:
        answer["tags"] = ecs_shown.pairs(found[-1].tags(ask.as_of))
    return answer


# -- deployments ----------------------------------------------------------------------------------

_STATES = {"COMPLETED": "SUCCESSFUL", "FAILED": "STOPPED", "IN_PROGRESS": "IN_PROGRESS"}


def _deployment_arn(service: Thing, one: Deployment) -> str:
    place = service.arn.replace(":service/", ":service-deployment/")
    return f"{place}/{one.id.rsplit('/', 1)[-1]}"


def _revision_arn(service: Thing, one: Deployment) -> str:
    place = service.arn.replace(":service/", ":service-revision/")
    return f"{place}/{int(one.id.rsplit('/', 1)[-1]) * 7 % 10**19:019d}"


def _status(one: Deployment, every: list[Deployment], second: float) -> tuple[str, str]:
    """Status and its reason; a deployment that was rolled back is told as one."""
    state = one.rollout(second)
    back = [each for each in every if each.cause == "rollback" and one.finished <= each.created <= second]
    if state == "FAILED" and back:
        done = back[0].rollout(second) == "COMPLETED"
        said = "Service deployment rolled back because the circuit breaker threshold was exceeded."
        return ("ROLLBACK_SUCCESSFUL" if done else "ROLLBACK_IN_PROGRESS"), said
    return _STATES[state], "" if state != "FAILED" else "Circuit breaker threshold exceeded."


def _listed(ask: Ask, service: Thing) -> list[tuple[Deployment, Json]]:
    roster, second = roster_of(ask.world, service), ask.as_of.timestamp()
    roster.advance(second)
    every = [one for one in roster.deployments if one.created <= second]
    found = []
    for one in reversed(every):
        if one.cause == "rollback":
            continue  # it belongs to the deployment that it rolls back
        status, why = _status(one, every, second)
        shown: Json = {
            "serviceDeploymentArn": _deployment_arn(service, one),
            "serviceArn": service.arn,
            "clusterArn": service.fixed["cluster"],
            "createdAt": moment(one.created),
            "startedAt": moment(one.created + 1),
            "status": status,
        }
        if one.finished <= second and one.finished < NEVER:
            shown["finishedAt"] = moment(one.finished)
        if why:
            shown["statusReason"] = why
        found.append((one, shown))
    return found


@handles("ecs", "ListServiceDeployments")
def list_service_deployments(ask: Ask) -> Json:
    name = str(ask.need("service"))
    place, _, last = name.rpartition("/")
    given = ask.take("cluster")
    cluster = str(given or place or "default").rsplit("/", 1)[-1]
    service = next(
        (
            one
            for one in ask.world.of("ecs-service", ask.region)
            if one.name == last and str(one.fixed["cluster"]).endswith(f"/{cluster}")
        ),
        None,
    )
    if service is None:
        raise Refusal("ServiceNotFoundException", "Service not found.")
    wanted, between = ask.take("status"), ask.take("createdAt") or {}
    found = []
    for one, shown in _listed(ask, service):
        kept = dict(shown) | {"targetServiceRevisionArn": _revision_arn(service, one)}
        late = "after" in between and shown["createdAt"] < between["after"]
        early = "before" in between and shown["createdAt"] > between["before"]
        if (not wanted or shown["status"] in wanted) and not late and not early:
            found.append(kept)
    return _paged(ask, "serviceDeployments", found, 100)


@handles("ecs", "DescribeServiceDeployments")
def describe_service_deployments(ask: Ask) -> Json:
    found, failures = [], []
    for arn in ask.need("serviceDeploymentArns"):
        held = next(
            (
                _deployment(ask, service, one, shown)
                for service in ask.world.of("ecs-service", ask.region)
                for one, shown in _listed(ask, service)
                if shown["serviceDeploymentArn"] == arn
            ),
            None,
        )
        if held is None:
            failures.append({"arn": arn, "reason": "MISSING"})
        else:
            found.append(held)
    return {"serviceDeployments": found, "failures": failures}


def _deployment(ask: Ask, service: Thing, one: Deployment, shown: Json) -> Json:
    roster, second = roster_of(ask.world, service), ask.as_of.timestamp()
    breaker = roster.plan.breaker(one.created)
    state = "DISABLED"
    if breaker:
        state = {"IN_PROGRESS": "MONITORING", "FAILED": "TRIGGERED"}.get(
            one.rollout(second), "MONITORING_COMPLETE"
        )
    target = {
        "arn": _revision_arn(service, one),
        "requestedTaskCount": roster.plan.desired(second),
        "runningTaskCount": sum(
            task.running(second) for task in roster.tasks if task.deployment == one.number
        ),
        "pendingTaskCount": sum(
            task.created <= second < min(task.started, task.stopping)
            for task in roster.tasks
            if task.deployment == one.number
        ),
    }
    before = [each for each in roster.deployments if each.number < one.number]
    sources = [{"arn": _revision_arn(service, before[-1])}] if before else []
    return shown | {
        "targetServiceRevision": target,
        "sourceServiceRevisions": sources,
        "deploymentConfiguration": ecs_shown.deployment_configuration(service, ask.as_of),
        "deploymentCircuitBreaker": {
            "status": state,
            "failureCount": one.counted if one.state == "FAILED" else 0,
            "threshold": roster.threshold(one.created),
        },
        "updatedAt": shown.get("finishedAt", ask.as_of),
    }


@handles("ecs", "DescribeServiceRevisions")
def describe_service_revisions(ask: Ask) -> Json:
    found, failures = [], []
    for arn in ask.need("serviceRevisionArns"):
        held = next(
            (
                (service, one)
                for service in ask.world.of("ecs-service", ask.region)
                for one, _ in _listed(ask, service)
                if _revision_arn(service, one) == arn
            ),
            None,
        )
        if held is None:
            failures.append({"arn": arn, "reason": "MISSING"})
            continue
        service, one = held
        found.append(
            {
                "serviceRevisionArn": arn,
                "serviceArn": service.arn,
                "clusterArn": service.fixed["cluster"],
                "taskDefinition": one.definition,
                "launchType": "FARGATE",
                "platformVersion": "1.4.0",
                "platformFamily": "Linux",
                "loadBalancers": ecs_shown.balanced(service),
                "networkConfiguration": ecs_shown.network(ask.world, service),
                "createdAt": moment(one.created),
            }
        )
    return {"serviceRevisions": found, "failures": failures}


@handles("ecs", "ListTagsForResource")
def list_tags_for_resource(ask: Ask) -> Json:
    found = ask.world.things.get(str(ask.need("resourceArn")))
    if found is None:
        raise Refusal("InvalidParameterException", "The specified resource was not found.")
    return {"tags": ecs_shown.pairs(found.tags(ask.as_of))}


@handles("ecs", "ListContainerInstances")
def list_container_instances(ask: Ask) -> Json:
    cluster_of(ask)
    if ask.take("filter"):
        raise NotModelled("filter")
    for name in ("status", "maxResults", "nextToken"):
        ask.take(name)
    return {"containerInstanceArns": []}


@handles("ecs", "DescribeCapacityProviders")
def describe_capacity_providers(ask: Ask) -> Json:
    names, include = ask.take("capacityProviders"), ask.take("include")
    if include not in (None, [], ["TAGS"]):
        raise NotModelled("include")
    every: dict[str, Json] = {
        name: {
            "capacityProviderArn": ask.world.arn("ecs", f"capacity-provider/{name}"),
            "name": name,
            "status": "ACTIVE",
            "tags": [],
        }
        for name in ("FARGATE", "FARGATE_SPOT")
    }
    wanted = [str(name).rsplit("/", 1)[-1] for name in names or every]
    missing = [{"arn": name, "reason": "MISSING"} for name in wanted if name not in every]
    return {"capacityProviders": [every[name] for name in wanted if name in every], "failures": missing}
