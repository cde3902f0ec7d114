"""ECS: what is read and related, what a service complains of, what was before, and how it is put back."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.tools.fake_account import Answer, FakeAws
from tools import catalogue
from tools.cloudtrail_touch import touched_by, toucher
from tools.directory import KnownResources
from tools.history import prior, requested
from tools.models import Actor, Call, ChangeEvent, Json, Relation, Resource, Value
from tools.parameters import validate
from tools.services._spec import Condition, Setting
from tools.services.ecs import SERVICE, describe, dimensions, discover, log_groups, messages, owner, relations
from tools.topology import around

AS_OF = datetime(2026, 3, 13, 17, 41, tzinfo=UTC)
AT = "eu-west-1:111122223333"
WEB = f"arn:aws:ecs:{AT}:service/shop/web"
CLUSTER = f"arn:aws:ecs:{AT}:cluster/shop"
GROUP = f"arn:aws:elasticloadbalancing:{AT}:targetgroup/web/73e2d6bc24d8a067"
TABLE = f"arn:aws:dynamodb:{AT}:table/orders"
SECRET = f"arn:aws:secretsmanager:{AT}:secret:shop/db-a1B2c3"


def revision(number: int) -> str:
    return f"arn:aws:ecs:{AT}:task-definition/web:{number}"


def told(**changed: Any) -> Json:
    """An item of DescribeServices."""
    return {
        "serviceArn": WEB,
        "serviceName": "web",
        "clusterArn": CLUSTER,
        "status": "ACTIVE",
        "desiredCount": 3,
        "runningCount": 3,
        "pendingCount": 0,
        "taskDefinition": revision(42),
        "loadBalancers": [{"targetGroupArn": GROUP, "containerName": "web", "containerPort": 8080}],
        "deploymentConfiguration": {
            "maximumPercent": 200,
            "minimumHealthyPercent": 100,
            "deploymentCircuitBreaker": {"enable": True, "rollback": True},
        },
        "networkConfiguration": {
            "awsvpcConfiguration": {
                "subnets": ["subnet-b", "subnet-a"],
                "securityGroups": ["sg-web"],
                "assignPublicIp": "DISABLED",
            }
        },
        "deployments": [
            {"status": "PRIMARY", "taskDefinition": revision(42), "rolloutState": "COMPLETED"},
        ],
        "events": [
            {"id": "e1", "createdAt": AS_OF, "message": "(service web) has reached a steady state."},
        ],
        "tags": [{"key": "team", "value": "shop"}],
        **changed,
    }


DEFINITION: Json = {
    "taskDefinitionArn": revision(42),
    "family": "web",
    "revision": 42,
    "cpu": "512",
    "memory": "1024",
    "taskRoleArn": "arn:aws:iam::111122223333:role/web-task",
    "executionRoleArn": "arn:aws:iam::111122223333:role/web-execution",
    "registeredAt": AS_OF,
    "containerDefinitions": [
        {
            "name": "proxy",
            "essential": False,
            "logConfiguration": {"logDriver": "awslogs", "options": {"awslogs-group": "/ecs/proxy"}},
        },
        {
            "name": "web",
            "image": "111122223333.dkr.ecr.eu-west-1.amazonaws.com/web:1.42.0",
            "essential": True,
            "command": ["serve", "--db", "postgres://shop:swordfish9@orders-db.example/shop"],
            "environment": [
                {"name": "TABLE_NAME", "value": "orders"},
                {"name": "API_KEY", "value": "hunter2hunter2"},
            ],
            "secrets": [
                {"name": "DB", "valueFrom": f"{SECRET}:password::"},
                {"name": "FLAGS", "valueFrom": "/shop/flags"},
            ],
            "logConfiguration": {"logDriver": "awslogs", "options": {"awslogs-group": "/ecs/web"}},
        },
        {"name": "router", "logConfiguration": {"logDriver": "awsfirelens"}},
    ],
}


def answers(service: Json, **more: Answer) -> dict[tuple[str, str], Answer]:
    def services(sent: Json) -> Json:
        assert len(sent["services"]) <= 10
        names = {name.rpartition("/")[2] for name in sent["services"]}
        return {"services": [service] if service["serviceName"] in names else [], "failures": []}

    return {
        ("ecs", "DescribeServices"): services,
        ("ecs", "DescribeTaskDefinition"): {"taskDefinition": DEFINITION, "tags": []},
        ("ecs", "DescribeClusters"): {
            "clusters": [
                {
                    "clusterArn": CLUSTER,
                    "clusterName": "shop",
                    "settings": [{"name": "containerInsights", "value": "enabled"}],
                }
            ]
        },
        ("ecs", "ListClusters"): {"clusterArns": [CLUSTER]},
        ("ecs", "ListServices"): {"serviceArns": [WEB]},
        **{("ecs", name): answer for name, answer in more.items()},
    }


def web(**changed: Any) -> Resource:
    found = describe(FakeAws(answers(told(**changed))).reader(), WEB)
    assert found is not None
    return found


def definition() -> Resource:
    found = describe(FakeAws(answers(told())).reader(), revision(42))
    assert found is not None
    return found


def setting(path: str) -> Setting:
    return next(one for one in SERVICE.settings if one.path == path)


def happened(
    operation: str, request: Json, *, minutes: float = 0, response: Json | None = None, who: str = "ops-07"
) -> ChangeEvent:
    return ChangeEvent(
        id=f"{operation}{minutes:g}",
        time=AS_OF - timedelta(minutes=10 - minutes),
        source="ecs.amazonaws.com",
        action=operation,
        operation=operation,
        region="eu-west-1",
        account="111122223333",
        actor=Actor(kind="iam_user", name=who, how="console"),
        request=request,
        response=response or {},
        evidence=(f"F{minutes:g}",),
    )


def kinds(found: list[Relation]) -> set[tuple[str, str]]:
    """What `web` is related by, and to what; "<-" for what points at it."""
    return {(one.kind, one.target) if one.source == WEB else (f"<-{one.kind}", one.source) for one in found}


# -- reading ------------------------------------------------------------------------------------------


def test_a_service_is_read_whole_with_its_log_groups_and_whether_tasks_are_counted() -> None:
    found = web()
    assert (found.name, found.type, found.tags) == ("web", "service", {"team": "shop"})
    assert found.config["desiredCount"] == 3
    assert found.config["LogGroups"] == ["/ecs/web", "/ecs/proxy"]
    assert found.config["ContainerInsights"] == "enabled"
    assert "StoppedTasks" not in found.config
    assert log_groups(found) == ("/ecs/web", "/ecs/proxy")


def test_stopped_tasks_are_read_only_while_the_service_is_not_steady() -> None:
    task = f"arn:aws:ecs:{AT}:task/shop/0f1e2d3c4b5a69788796a5b4c3d2e1f0"
    asked = FakeAws(
        answers(
            told(runningCount=1),
            ListTasks={"taskArns": [task]},
            DescribeTasks={
                "tasks": [
                    {
                        "taskArn": task,
                        "stopCode": "EssentialContainerExited",
                        "stoppedReason": "Essential container in task exited",
                        "stoppedAt": AS_OF,
                        "containers": [
                            {"name": "web", "exitCode": 137, "reason": "OutOfMemoryError: Container killed"}
                        ],
                    }
                ]
            },
        )
    )
    found = describe(asked.reader(), WEB)
    assert found is not None
    assert found.config["StoppedTasks"][0]["containers"][0]["exitCode"] == 137
    assert ("ecs", "DescribeTasks") in asked.asked


def test_a_service_that_is_gone_is_none_and_a_refused_part_is_a_gap() -> None:
    gone = FakeAws(answers(told()))
    assert describe(gone.reader(), f"arn:aws:ecs:{AT}:service/shop/worker") is None
    blind = FakeAws(answers(told()), denied=frozenset({"ecs:DescribeClusters"}))
    reader = blind.reader()
    found = describe(reader, WEB)
    assert found is not None
    assert found.config["ContainerInsights"] == ""
    assert [gap.code for gap in reader.gaps] == ["AccessDenied"]


def test_values_of_variables_that_may_be_secret_are_not_kept() -> None:
    container = definition().config["containerDefinitions"][1]
    assert container["environment"] == [{"name": "TABLE_NAME", "value": "orders"}, {"name": "API_KEY"}]
    assert "hunter2" not in str(definition().config)
    assert "swordfish9" not in str(definition().config)
    assert container["image"] == "111122223333.dkr.ecr.eu-west-1.amazonaws.com/web:1.42.0"


@pytest.mark.parametrize("count", [0, 1, 10, 23])
def test_listing_asks_for_ten_services_at_a_time(count: int) -> None:
    arns = [f"arn:aws:ecs:{AT}:service/shop/s{number}" for number in range(count)]

    def described(sent: Json) -> Json:
        assert 1 <= len(sent["services"]) <= 10
        return {
            "services": [told(serviceArn=arn, serviceName=arn.rpartition("/")[2]) for arn in sent["services"]]
        }

    asked = FakeAws(
        answers(told(), ListServices={"serviceArns": arns}) | {("ecs", "DescribeServices"): described}
    )
    assert [one.arn for one in discover(asked.reader(), "eu-west-1")] == arns
    assert asked.asked.count(("ecs", "DescribeServices")) == -(-count // 10)


# -- relations ----------------------------------------------------------------------------------------


def test_a_service_is_related_to_all_that_its_configuration_names() -> None:
    table = Resource(
        arn=TABLE, service="dynamodb", type="table", name="orders", account="111122223333", region="eu-west-1"
    )
    found = list(relations(web(), KnownResources([web(), definition(), table])))
    assert kinds(found) == {
        ("runs in", CLUSTER),
        ("<-targets", GROUP),
        ("guarded by", f"arn:aws:ec2:{AT}:security-group/sg-web"),
        ("in", f"arn:aws:ec2:{AT}:subnet/subnet-a"),
        ("in", f"arn:aws:ec2:{AT}:subnet/subnet-b"),
        ("uses definition", revision(42)),
        ("logs to", f"arn:aws:logs:{AT}:log-group:/ecs/web"),
        ("logs to", f"arn:aws:logs:{AT}:log-group:/ecs/proxy"),
        ("runs as", "arn:aws:iam::111122223333:role/web-task"),
        ("started by", "arn:aws:iam::111122223333:role/web-execution"),
        ("uses", TABLE),
        ("uses", SECRET),
        ("uses", f"arn:aws:ssm:{AT}:parameter/shop/flags"),
    }
    assert all(one.evidence and one.provenance.startswith("ecs:") for one in found)


def test_the_name_of_an_application_is_no_way_to_reach_a_load_balancer() -> None:
    host = "web-1234567890.eu-west-1.elb.amazonaws.com"
    balancer = Resource(
        arn=f"arn:aws:elasticloadbalancing:{AT}:loadbalancer/app/web/50dc6c495c0c9188",
        service="elbv2",
        type="load-balancer",
        name="web",
        account="111122223333",
        region="eu-west-1",
        config={"DNSName": host},
    )

    def used(value: str) -> bool:
        containers = [{"name": "web", "environment": [{"name": "APP_NAME", "value": value}]}]
        named = replace(definition(), config={"containerDefinitions": containers})
        found = kinds(list(relations(web(), KnownResources([web(), named, balancer]))))
        return ("uses", balancer.arn) in found

    assert used(f"http://{host}/orders")
    assert not used("web")


def test_without_its_definition_a_service_still_logs_somewhere() -> None:
    found = kinds(list(relations(web(), KnownResources([web()]))))
    assert ("logs to", f"arn:aws:logs:{AT}:log-group:/ecs/web") in found
    assert not [one for one in found if one[0] == "runs as"]


def test_the_service_behind_a_target_group_is_found_from_the_group() -> None:
    group: Json = {
        "TargetGroupArn": GROUP,
        "TargetGroupName": "web",
        "TargetType": "ip",
        "LoadBalancerArns": [],
    }
    asked = FakeAws(answers(told()) | {("elbv2", "DescribeTargetGroups"): {"TargetGroups": [group]}})
    found = around(asked.reader(), [GROUP])
    assert WEB in {one.arn for one in found.resources}
    assert (GROUP, WEB, "targets") in {(one.source, one.target, one.kind) for one in found.relations}


def test_no_cluster_is_listed_for_a_symptom_of_another_kind() -> None:
    asked = FakeAws(answers(told()))
    around(asked.reader(), [TABLE])
    assert not [one for one in asked.asked if one[0] == "ecs"]


# -- metrics ------------------------------------------------------------------------------------------

_NAMES = st.from_regex(r"[A-Za-z0-9][A-Za-z0-9_-]{0,40}", fullmatch=True)


@given(cluster=_NAMES, name=_NAMES)
def test_a_services_dimensions_lead_back_to_it(cluster: str, name: str) -> None:
    arn = f"arn:aws:ecs:{AT}:service/{cluster}/{name}"
    resource = Resource(
        arn=arn, service="ecs", type="service", name=name, account="111122223333", region="eu-west-1"
    )
    assert owner(dict(dimensions(resource)), "aws", "eu-west-1", "111122223333") == arn
    assert catalogue.type_of(arn) == "service"


@pytest.mark.parametrize("namespace", ["AWS/ECS", "ECS/ContainerInsights"])
def test_both_namespaces_lead_to_the_service(namespace: str) -> None:
    named = {"ClusterName": "shop", "ServiceName": "web"}
    assert catalogue.owner_of(namespace, named, "eu-west-1", "111122223333") == WEB
    assert KnownResources([web()]).measured(namespace, named, "eu-west-1") == WEB
    cluster = catalogue.owner_of(namespace, {"ClusterName": "shop"}, "eu-west-1", "111122223333")
    assert cluster == CLUSTER


def test_tasks_are_counted_only_where_container_insights_is_on() -> None:
    counted = next(one for one in SERVICE.metrics if one.name == "RunningTaskCount")
    assert counted.where is not None
    assert counted.namespace == "ECS/ContainerInsights"
    assert counted.where(web())
    assert not counted.where(replace(web(), config={**web().config, "ContainerInsights": "disabled"}))


# -- the value before ---------------------------------------------------------------------------------


@pytest.mark.parametrize("sent", ["web:42", revision(42)])
def test_a_task_definition_is_the_same_by_name_and_by_arn(sent: str) -> None:
    event = happened("UpdateService", {"cluster": "shop", "service": "web", "taskDefinition": sent})
    assert requested(event, setting("taskDefinition")) == (True, revision(42))
    assert catalogue.requested(setting("taskDefinition"), event) == revision(42)


def test_a_family_alone_is_told_by_the_answer_only() -> None:
    request = {"cluster": "shop", "service": "web", "taskDefinition": "web"}
    answer = {"service": {"serviceArn": WEB, "taskDefinition": revision(43)}}
    path = setting("taskDefinition")
    assert requested(happened("UpdateService", request, response=answer), path) == (True, revision(43))
    assert requested(happened("UpdateService", request), path) == (True, "web")


def test_the_deployment_that_was_in_force_tells_the_definition_before() -> None:
    deployments = [
        {"status": "PRIMARY", "taskDefinition": revision(42)},
        {"status": "ACTIVE", "taskDefinition": revision(41)},
    ]
    event = happened(
        "UpdateService",
        {"cluster": "shop", "service": "web", "taskDefinition": "web:42"},
        response={"service": {"serviceArn": WEB, "taskDefinition": revision(42), "deployments": deployments}},
    )
    earlier = happened(
        "CreateService",
        {"cluster": "shop", "serviceName": "web", "taskDefinition": "web:41"},
        minutes=-900,
        response={"service": {"serviceArn": WEB, "taskDefinition": revision(41)}},
    )
    found = prior(setting("taskDefinition"), web(), event, (earlier,), None)
    assert (found.value, found.agreed) == (revision(41), True)
    assert {one.kind for one in found.sources} == {"same_event", "previous_event"}


def test_a_new_deployment_of_the_same_revision_has_no_other_value_before() -> None:
    deployments = [
        {"status": "PRIMARY", "taskDefinition": revision(42)},
        {"status": "ACTIVE", "taskDefinition": revision(42)},
    ]
    event = happened(
        "UpdateService",
        {"cluster": "shop", "service": "web", "taskDefinition": "web:42", "forceNewDeployment": True},
        response={"service": {"serviceArn": WEB, "taskDefinition": revision(42), "deployments": deployments}},
    )
    assert not prior(setting("taskDefinition"), web(), event, (), None).known


def test_the_count_that_scaling_set_is_the_one_before() -> None:
    scaled = happened(
        "UpdateService", {"cluster": "shop", "service": "web", "desiredCount": 6}, minutes=-30, who="scaling"
    )
    zero = happened("UpdateService", {"cluster": CLUSTER, "service": "web", "desiredCount": 0})
    found = prior(setting("desiredCount"), web(desiredCount=0), zero, (scaled,), None)
    assert (found.value, found.agreed) == (6, False)


# -- putting back -------------------------------------------------------------------------------------


def calls(path: str, value: Value, resource: Resource | None = None) -> tuple[Call, ...]:
    made = setting(path).restore(resource or web(), value)
    assert all(validate(one) == () for one in made)
    return made


def test_counts_and_definitions_go_back_alone() -> None:
    assert calls("desiredCount", 3)[0].parameters == {"cluster": "shop", "service": "web", "desiredCount": 3}
    assert calls("taskDefinition", revision(41))[0].parameters == {
        "cluster": "shop",
        "service": "web",
        "taskDefinition": revision(41),
    }


def test_a_network_goes_back_whole() -> None:
    (made,) = calls("networkConfiguration.awsvpcConfiguration.securityGroups", '["sg-old"]')
    assert made.parameters["networkConfiguration"] == {
        "awsvpcConfiguration": {
            "subnets": ["subnet-b", "subnet-a"],
            "securityGroups": ["sg-old"],
            "assignPublicIp": "DISABLED",
        }
    }
    bare = web(networkConfiguration={})
    assert calls("networkConfiguration.awsvpcConfiguration.securityGroups", '["sg-old"]', bare) == ()


def test_the_circuit_breaker_goes_back_with_the_rest_of_its_configuration() -> None:
    now = web(
        deploymentConfiguration={
            "maximumPercent": 150,
            "minimumHealthyPercent": 50,
            "deploymentCircuitBreaker": {"enable": False, "rollback": False},
            "strategy": "ROLLING",
        }
    )
    (made,) = calls("deploymentConfiguration.deploymentCircuitBreaker.enable", True, now)
    assert made.parameters["deploymentConfiguration"] == {
        "maximumPercent": 150,
        "minimumHealthyPercent": 50,
        "deploymentCircuitBreaker": {"enable": True, "rollback": False},
    }


def deleted(**changed: Any) -> ChangeEvent:
    gone = {**told(status="DRAINING", desiredCount=0), **changed}
    return happened(
        "DeleteService", {"cluster": "shop", "service": "web", "force": True}, response={"service": gone}
    )


def undo(event: ChangeEvent, *earlier: ChangeEvent) -> tuple[Call, ...]:
    change = next(one for one in SERVICE.changes if one.operation == event.operation)
    assert change.undo is not None
    made = change.undo(event, earlier)
    assert all(validate(one) == () for one in made)
    return made


def test_a_deleted_service_comes_back_with_the_tasks_it_had_in_use() -> None:
    before = happened("UpdateService", {"cluster": "shop", "service": "web", "desiredCount": 4}, minutes=-60)
    zero = happened("UpdateService", {"cluster": "shop", "service": "web", "desiredCount": 0}, minutes=-1)
    (made,) = undo(deleted(), zero, before)
    assert made.operation == "CreateService"
    sent = made.parameters
    assert (sent["cluster"], sent["serviceName"], sent["desiredCount"]) == (CLUSTER, "web", 4)
    assert sent["taskDefinition"] == revision(42)
    assert sent["networkConfiguration"] == told()["networkConfiguration"]
    assert "status" not in sent
    assert "events" not in sent


def test_a_deleted_service_is_not_made_again_where_something_is_not_known() -> None:
    zero = happened("UpdateService", {"cluster": "shop", "service": "web", "desiredCount": 0}, minutes=-1)
    assert undo(deleted(), zero) == ()
    connected = [{"status": "PRIMARY", "serviceConnectConfiguration": {"enabled": True}}]
    before = happened("UpdateService", {"cluster": "shop", "service": "web", "desiredCount": 4}, minutes=-60)
    assert undo(deleted(deployments=connected), before) == ()


def test_cluster_settings_go_back_to_what_an_earlier_answer_showed() -> None:
    def of(operation: str, value: str, minutes: float) -> ChangeEvent:
        settings = [{"name": "containerInsights", "value": value}]
        answer = {"cluster": {"clusterArn": CLUSTER, "settings": settings}}
        return happened(
            operation, {"cluster": "shop", "settings": settings}, minutes=minutes, response=answer
        )

    (made,) = undo(of("UpdateClusterSettings", "disabled", 0), of("CreateCluster", "enhanced", -5000))
    assert made.parameters == {
        "cluster": "shop",
        "settings": [{"name": "containerInsights", "value": "enhanced"}],
    }
    assert undo(of("UpdateClusterSettings", "disabled", 0)) == ()


# -- who is touched -----------------------------------------------------------------------------------


@pytest.mark.parametrize("cluster", ["shop", CLUSTER])
@pytest.mark.parametrize("service", ["web", WEB])
def test_a_service_is_touched_by_name_and_cluster(cluster: str, service: str) -> None:
    event = happened("UpdateService", {"cluster": cluster, "service": service, "desiredCount": 0})
    change = catalogue.change_of(event)
    assert change is not None
    assert change.touches(event) == (WEB,)
    assert touched_by(event, web())
    assert [one.arn for one in toucher([web()])(event)] == [WEB]


def test_a_service_of_the_same_name_in_another_cluster_is_not_touched() -> None:
    event = happened("UpdateService", {"cluster": "test", "service": "web", "desiredCount": 0})
    assert not touched_by(event, web())


def test_a_stopped_task_touches_the_service_that_ran_it() -> None:
    task = {"taskArn": f"arn:aws:ecs:{AT}:task/shop/1", "clusterArn": CLUSTER, "group": "service:web"}
    event = happened("StopTask", {"cluster": "shop", "task": "1"}, response={"task": task})
    change = catalogue.change_of(event)
    assert change is not None
    assert change.touches(event) == (WEB, CLUSTER)
    alone = happened("StopTask", {"task": "1"}, response={"task": {**task, "group": "family:job"}})
    assert change.touches(alone) == (CLUSTER,)


# -- what ECS says ------------------------------------------------------------------------------------


def condition(key: str) -> Condition:
    return next(one for one in SERVICE.conditions if one.key == key)


PLACED = (
    "(service web) was unable to place a task. Reason: You've reached the limit on the number of vCPUs you "
    "can run concurrently."
)


def test_messages_count_since_the_service_was_last_steady() -> None:
    steady = {"id": "e2", "message": "(service web) has reached a steady state."}
    failing = {"id": "e3", "message": PLACED}
    shown = condition("no-room-for-tasks").shown
    assert shown is not None
    now = web(events=[failing, steady])
    assert messages(now) == (PLACED,)
    assert shown(now)
    over = web(events=[steady, failing])
    assert messages(over) == ()
    assert not shown(over)


def test_reasons_of_stopped_tasks_count_while_the_service_is_not_steady() -> None:
    killed = {
        "stoppedReason": "Essential container in task exited",
        "containers": [{"reason": "OutOfMemoryError: Container killed due to memory usage"}],
    }
    shown = condition("memory-exhausted").shown
    assert shown is not None
    failing = web(runningCount=2)
    assert shown(replace(failing, config={**failing.config, "StoppedTasks": [killed]}))
    healthy = web()
    assert not shown(replace(healthy, config={**healthy.config, "StoppedTasks": [killed]}))


@pytest.mark.parametrize(
    ("line", "points_to"),
    [
        ("CannotPullContainerError: pull image manifest has been retried 5 time(s)", "taskDefinition"),
        ("OutOfMemoryError: Container killed due to memory usage", "taskDefinition"),
        (PLACED, "no-room-for-tasks"),
        (
            "service (web) was unable to place a task because no container instance met its requirements. "
            "The closest matching container-instance 3e has insufficient memory available. RESOURCE:MEMORY",
            "no-room-for-tasks",
        ),
        (
            "ResourceInitializationError: unable to pull secrets or registry auth: execution resource "
            "retrieval failed: unable to retrieve secret from asm: ResourceNotFoundException: Secrets "
            "Manager can't find the specified secret.",
            "taskDefinition",
        ),
    ],
)
def test_reasons_point_at_what_they_mean(line: str, points_to: str) -> None:
    assert [one.points_to for one in SERVICE.signatures if re.search(one.match, line)] == [points_to]


@pytest.mark.parametrize(
    "line",
    [
        # A role, a policy or the network may be at fault: other files tell which.
        "ResourceInitializationError: unable to pull secrets or registry auth: AccessDeniedException: User: "
        "arn:aws:sts::111122223333:assumed-role/web-execution/0f1e is not authorized",
        "ResourceInitializationError: unable to pull secrets or registry auth: RequestCanceled: request "
        "context canceled caused by: context deadline exceeded",
        "(service web) has reached a steady state.",
        "Task failed ELB health checks in (target-group arn:aws:elasticloadbalancing)",
    ],
)
def test_what_many_causes_have_in_common_points_at_none(line: str) -> None:
    assert not [one for one in SERVICE.signatures if re.search(one.match, line)]
