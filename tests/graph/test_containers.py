"""Containers behind a load balancer: the change that broke them leads, and the plan puts back what was there."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import pytest

from graph.cause import root_cause
from graph.facts import Facts
from graph.plan import plan
from graph.weighing import decide, weigh
from graph.weights import LIKELY
from tests.graph import made
from tests.graph.made import ACCOUNT, PIPELINE, REGION, Moves, arn, event, resource
from tools.models import ChangeEvent, Json, Resource

BALANCER = arn("elasticloadbalancing", "loadbalancer/app/parcels/50dc6c495c0c9188")
LISTENER = arn("elasticloadbalancing", "listener/app/parcels/50dc6c495c0c9188/f2f7dc8efc522ab2")
GROUP = arn("elasticloadbalancing", "targetgroup/parcels/73e2d6bc24d8a067")
OTHER = arn("elasticloadbalancing", "targetgroup/parcels-next/943f017f100becff")
SERVICE = arn("ecs", "service/depot/parcels")
CLUSTER = arn("ecs", "cluster/depot")
ROLE = arn("iam", "role/parcels-task", region="")
LONG_AGO = -60.0 * 24 * 9


def revision(number: int) -> str:
    return arn("ecs", f"task-definition/parcels:{number}")


def depot(**changed: Any) -> tuple[Resource, ...]:
    """Load balancer -> listener -> target group -> ECS service; `changed` are members of the service."""
    service: Json = {
        "serviceArn": SERVICE,
        "serviceName": "parcels",
        "clusterArn": CLUSTER,
        "status": "ACTIVE",
        "desiredCount": 3,
        "runningCount": 3,
        "taskDefinition": revision(7),
        "loadBalancers": [{"targetGroupArn": GROUP, "containerName": "web", "containerPort": 8080}],
        "deployments": [{"status": "PRIMARY", "taskDefinition": revision(7), "rolloutState": "COMPLETED"}],
        "events": [],
        "ContainerInsights": "enabled",
        "LogGroups": ["/ecs/parcels"],
        **changed,
    }
    actions = [{"Type": "forward", "TargetGroupArn": GROUP}]
    return (
        resource(
            BALANCER,
            "parcels",
            {
                "Listeners": [{"ListenerArn": LISTENER}],
                "TargetGroups": [GROUP],
                "SecurityGroups": ["sg-new"],
                "State": {"Code": "active"},
                "Attributes": {"idle_timeout.timeout_seconds": "5"},
            },
        ),
        resource(LISTENER, "parcels:443", {"DefaultActions": actions, "Rules": []}),
        resource(
            GROUP,
            "parcels",
            {"LoadBalancerArns": [BALANCER], "HealthCheckPath": "/ready2", "Matcher": {"HttpCode": "200"}},
        ),
        resource(SERVICE, "parcels", service),
        resource(
            revision(7),
            "parcels:7",
            {
                "taskRoleArn": ROLE,
                "containerDefinitions": [
                    {"name": "web", "environment": [{"name": "TABLE", "value": "parcels"}]}
                ],
            },
        ),
        resource(ROLE, "parcels-task", {"RoleName": "parcels-task", "Policies": []}),
        *(one for one in made.shop() if one.type == "table"),
    )


def updated(id: str, minutes: float, before: int = 0, **sent: Any) -> ChangeEvent:
    answer: Json = {"serviceArn": SERVICE, **sent}
    if before:
        answer["deployments"] = [
            {"status": "PRIMARY", "taskDefinition": sent["taskDefinition"]},
            {"status": "ACTIVE", "taskDefinition": revision(before)},
        ]
    return event(
        "ecs",
        "UpdateService",
        {"cluster": "depot", "service": "parcels", **sent},
        id=id,
        minutes=minutes,
        response={"service": answer},
        actor=PIPELINE if id == "old" else made.PERSON,
    )


def balanced(
    operation: str, id: str, minutes: float, response: Json | None = None, **sent: Any
) -> ChangeEvent:
    actor = PIPELINE if id == "old" else made.PERSON
    return event(
        "elasticloadbalancing", operation, sent, id=id, minutes=minutes, response=response, actor=actor
    )


def listening(id: str, minutes: float, group: str) -> ChangeEvent:
    forward = {"type": "forward", "targetGroupArn": group}
    listener = {"listenerArn": LISTENER, "loadBalancerArn": BALANCER, "defaultActions": [forward]}
    return balanced(
        "ModifyListener",
        id,
        minutes,
        {"listeners": [listener]},
        listenerArn=LISTENER,
        defaultActions=[forward],
    )


@dataclass(frozen=True, kw_only=True)
class Broken:
    symptom: tuple[str, str]
    moves: Moves
    change: ChangeEvent
    earlier: ChangeEvent
    back: Json  # parameters of the call that puts it back
    resources: tuple[Resource, ...] = field(default_factory=depot)

    def facts(self, *, cause: bool = True) -> Facts:
        harmless = event(
            "ecs",
            "RegisterTaskDefinition",
            {"family": "parcels"},
            id="inert",
            minutes=-0.5,
            response={"taskDefinition": {"taskDefinitionArn": revision(8)}},
        )
        later = updated("later", 6, desiredCount=9)
        changes = [self.earlier, harmless, later, *([self.change] if cause else [])]
        return made.facts(self.symptom, self.moves, changes=changes, resources=self.resources)


_NO_HOSTS = {
    (GROUP, "HealthyHostCount"): (3.0, 0.0),
    (SERVICE, "RunningTaskCount"): (3.0, 0.0),
}
_REFUSED = {(BALANCER, "HTTPCode_ELB_5XX_Count"): (0.0, 20.0)}
_UNHEALTHY = {(GROUP, "UnHealthyHostCount"): (0.0, 3.0), (GROUP, "HealthyHostCount"): (3.0, 0.0)}

BROKEN = {
    "no tasks wanted": Broken(
        symptom=(BALANCER, "HTTPCode_ELB_5XX_Count"),
        moves={**_NO_HOSTS, **_REFUSED},
        change=updated("true", -1, desiredCount=0),
        earlier=updated("old", LONG_AGO, desiredCount=3),
        resources=depot(desiredCount=0, runningCount=0),
        back={"cluster": "depot", "service": "parcels", "desiredCount": 3},
    ),
    "a bad revision": Broken(
        symptom=(GROUP, "UnHealthyHostCount"),
        moves={**_UNHEALTHY, **_REFUSED, (SERVICE, "RunningTaskCount"): (3.0, 1.0)},
        change=updated("true", -4, 6, taskDefinition=revision(7)),
        earlier=updated("old", LONG_AGO, 5, taskDefinition=revision(6)),
        back={"cluster": "depot", "service": "parcels", "taskDefinition": revision(6)},
    ),
    "another health check": Broken(
        symptom=(GROUP, "HealthyHostCount"),
        moves={**_UNHEALTHY, **_REFUSED},
        change=balanced("ModifyTargetGroup", "true", -2, targetGroupArn=GROUP, healthCheckPath="/ready2"),
        earlier=balanced(
            "ModifyTargetGroup", "old", LONG_AGO, targetGroupArn=GROUP, healthCheckPath="/ready"
        ),
        back={"TargetGroupArn": GROUP, "HealthCheckPath": "/ready"},
    ),
    "a shorter idle timeout": Broken(
        symptom=(BALANCER, "HTTPCode_ELB_504_Count"),
        moves={**_REFUSED, (BALANCER, "HTTPCode_ELB_504_Count"): (0.0, 20.0)},
        change=balanced(
            "ModifyLoadBalancerAttributes",
            "true",
            -1,
            loadBalancerArn=BALANCER,
            attributes=[{"key": "idle_timeout.timeout_seconds", "value": "5"}],
        ),
        earlier=balanced(
            "ModifyLoadBalancerAttributes",
            "old",
            LONG_AGO,
            loadBalancerArn=BALANCER,
            attributes=[{"key": "idle_timeout.timeout_seconds", "value": "90"}],
        ),
        back={
            "LoadBalancerArn": BALANCER,
            "Attributes": [{"Key": "idle_timeout.timeout_seconds", "Value": "90"}],
        },
    ),
    "another security group": Broken(
        symptom=(GROUP, "UnHealthyHostCount"),
        moves={**_UNHEALTHY, **_REFUSED},
        change=balanced("SetSecurityGroups", "true", -1, loadBalancerArn=BALANCER, securityGroups=["sg-new"]),
        earlier=balanced(
            "SetSecurityGroups", "old", LONG_AGO, loadBalancerArn=BALANCER, securityGroups=["sg-old", "sg-2"]
        ),
        back={"LoadBalancerArn": BALANCER, "SecurityGroups": ["sg-old", "sg-2"]},
    ),
    "requests sent elsewhere": Broken(
        symptom=(BALANCER, "HTTPCode_Target_5XX_Count"),
        moves={(BALANCER, "HTTPCode_Target_5XX_Count"): (0.0, 12.0), (GROUP, "RequestCount"): (20.0, 0.0)},
        change=listening("true", -1, OTHER),
        earlier=listening("old", LONG_AGO, GROUP),
        back={
            "ListenerArn": LISTENER,
            "DefaultActions": [{"Type": "forward", "TargetGroupArn": GROUP}],
        },
    ),
}
every = pytest.mark.parametrize("broken", BROKEN.values(), ids=list(BROKEN))


@every
def test_the_change_that_broke_it_leads(broken: Broken) -> None:
    facts = broken.facts()
    ranked = weigh(facts)
    assert ranked[0].event == "true", [(one.title, one.probability) for one in ranked[:4]]
    assert ranked[0].probability >= LIKELY
    assert decide(facts, ranked, may_wait=True).verdict == "root_cause"


@every
def test_without_it_nobody_is_named(broken: Broken) -> None:
    facts = broken.facts(cause=False)
    decision = decide(facts, weigh(facts), may_wait=True)
    assert (decision.leader, decision.verdict) == (None, "not_found")


@every
def test_the_plan_puts_back_what_was_there(broken: Broken) -> None:
    facts = broken.facts()
    ranked = weigh(facts)
    made_plan = plan(facts, root_cause(facts, ranked[0]))
    assert made_plan is not None
    assert [call.parameters for step in made_plan.apply for call in step.calls] == [broken.back]
    assert made_plan.rollback


FULL = (
    "(service parcels) was unable to place a task. Reason: You've reached the limit on the number of vCPUs "
    "you can run concurrently."
)


def test_tasks_that_find_no_room_are_told_by_the_services_own_messages() -> None:
    here = depot(desiredCount=6, events=[{"message": FULL}])
    moves: Moves = {(BALANCER, "TargetResponseTime"): (0.2, 4.0)}
    facts = made.facts((BALANCER, "TargetResponseTime"), moves, resources=here)
    named = {one.condition: one for one in weigh(facts) if one.condition}
    calm = made.facts((BALANCER, "TargetResponseTime"), moves, resources=depot())
    assert set(named) == {"no-room-for-tasks"}
    assert named["no-room-for-tasks"].resource == SERVICE
    assert not [one for one in weigh(calm) if one.condition]


def test_a_leak_is_told_as_a_level_not_as_a_count() -> None:
    killed = {"containers": [{"reason": "OutOfMemoryError: Container killed due to memory usage"}]}
    here = depot(runningCount=2, StoppedTasks=[killed])
    moves: Moves = {(SERVICE, "MemoryUtilization"): (40.0, 99.0)}
    facts = made.facts((SERVICE, "MemoryUtilization"), moves, resources=here)
    (found,) = [one for one in weigh(facts) if one.condition == "memory-exhausted"]
    said = " ".join(one.statement.text for one in found.tests)
    assert "since the onset" not in said
    assert "own description" in said
    assert ACCOUNT not in said
    assert REGION not in said
