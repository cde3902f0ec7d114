"""Reads of ECS, load balancing and scaling about things that worlds have none of."""

from __future__ import annotations

from evals.world.answers_ecs import cluster_of
from evals.world.asking import Ask, NotModelled, Refusal, handles
from tools.models import Json


@handles("ecs", "DescribeTaskSets")
def describe_task_sets(ask: Ask) -> Json:
    """Services here are deployed by ECS itself, which makes no task sets."""
    cluster_of(ask)
    ask.need("service")
    ask.take("include")
    wanted = ask.take("taskSets") or []
    return {"taskSets": [], "failures": [{"arn": one, "reason": "MISSING"} for one in wanted]}


@handles("ecs", "DescribeContainerInstances")
def describe_container_instances(ask: Ask) -> Json:
    """All runs on Fargate."""
    cluster_of(ask)
    ask.take("include")
    missing = [{"arn": one, "reason": "MISSING"} for one in ask.need("containerInstances")]
    return {"containerInstances": [], "failures": missing}


@handles("ecs", "GetTaskProtection")
def get_task_protection(ask: Ask) -> Json:
    """Nothing is protected."""
    cluster_of(ask)
    if not ask.take("tasks"):
        raise NotModelled("all tasks")
    return {"protectedTasks": [], "failures": []}


@handles("ecs", "ListServicesByNamespace")
def list_services_by_namespace(ask: Ask) -> Json:
    """There are no Cloud Map namespaces."""
    name = ask.need("namespace")
    raise Refusal("NamespaceNotFoundException", f"The namespace {name} was not found.")


@handles("application-autoscaling", "ListTagsForResource")
def list_tags_for_resource(ask: Ask) -> Json:
    """Tags of a scalable target."""
    found = ask.world.things.get(str(ask.need("ResourceARN")))
    if found is None:
        raise Refusal("ResourceNotFoundException", "The specified resource doesn't exist.")
    return {"Tags": found.tags(ask.as_of)}
