"""Application Auto Scaling: what scales what, whose event it is, and how policies and bounds go back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.tools.fake_account import Answer, FakeAws
from tools import catalogue
from tools.cloudtrail import touched_by, toucher
from tools.directory import KnownResources
from tools.history import prior
from tools.models import Actor, Call, ChangeEvent, Json, Resource, Value
from tools.parameters import validate
from tools.services._spec import Setting
from tools.services.applicationautoscaling import SERVICE, describe, discover, relations
from tools.topology import around, downstream, upstream

AT = "eu-west-1:111122223333"
TARGET = f"arn:aws:application-autoscaling:{AT}:scalable-target/0ec5f64a1c7b4b0d9f3e2a1b0c9d8e7f6a5b"
WRITES = f"arn:aws:application-autoscaling:{AT}:scalable-target/0ec5000000000000000000000000000000aa"
WEB = f"arn:aws:ecs:{AT}:service/shop/web"
TABLE = f"arn:aws:dynamodb:{AT}:table/orders"
NOON = datetime(2026, 3, 13, 12, tzinfo=UTC)
ROLE = "arn:aws:iam::111122223333:role/aws-service-role/ecs.application-autoscaling.amazonaws.com/x"


def target(**changed: Any) -> Json:
    return {
        "ServiceNamespace": "ecs",
        "ResourceId": "service/shop/web",
        "ScalableDimension": "ecs:service:DesiredCount",
        "MinCapacity": 2,
        "MaxCapacity": 10,
        "RoleARN": ROLE,
        "CreationTime": datetime(2025, 1, 1, tzinfo=UTC),
        "SuspendedState": {
            "DynamicScalingInSuspended": False,
            "DynamicScalingOutSuspended": False,
            "ScheduledScalingSuspended": False,
        },
        "ScalableTargetARN": TARGET,
        **changed,
    }


OF_TABLE = target(
    ServiceNamespace="dynamodb",
    ResourceId="table/orders",
    ScalableDimension="dynamodb:table:WriteCapacityUnits",
    ScalableTargetARN=WRITES,
)
ALL = (target(), OF_TABLE)


def activity(description: str = "Setting desired count to 10.", status: str = "Successful") -> Json:
    return {
        **{key: target()[key] for key in ("ServiceNamespace", "ResourceId", "ScalableDimension")},
        "ActivityId": "0f0e2b7d-64a1-4c63-9a53-5f6d3f0b7c11",
        "Description": description,
        "Cause": "monitor alarm TargetTracking-high in state ALARM triggered policy cpu-60",
        "StartTime": NOON,
        "StatusCode": status,
    }


def answers(*activities: Json) -> Mapping[tuple[str, str], Answer]:
    def targets(parameters: Json) -> Json:
        return {
            "ScalableTargets": [
                one for one in ALL if one["ServiceNamespace"] == parameters["ServiceNamespace"]
            ]
        }

    def of_web(member: str, found: list[Json]) -> Answer:
        return lambda parameters: {member: found if parameters["ResourceId"] == "service/shop/web" else []}

    client = "application-autoscaling"
    return {
        (client, "DescribeScalableTargets"): targets,
        (client, "DescribeScalingPolicies"): of_web("ScalingPolicies", []),
        (client, "DescribeScheduledActions"): of_web("ScheduledActions", []),
        (client, "DescribeScalingActivities"): of_web("ScalingActivities", list(activities)),
    }


def web(*activities: Json) -> Resource:
    found = describe(FakeAws(answers(*activities)).reader(), TARGET)
    assert found is not None
    return found


OF_WEB = {
    "serviceNamespace": "ecs",
    "resourceId": "service/shop/web",
    "scalableDimension": "ecs:service:DesiredCount",
}


def happened(
    operation: str, request: Json, *, minutes: float = 0, source: str = "autoscaling"
) -> ChangeEvent:
    return ChangeEvent(
        id=f"{operation}-{minutes}",
        time=NOON + timedelta(minutes=minutes),
        source=f"{source}.amazonaws.com",
        action=operation,
        operation=operation,
        region="eu-west-1",
        account="111122223333",
        actor=Actor(kind="iam_user", name="ops-07", how="console"),
        request={**OF_WEB, **request},
        response={},
    )


def setting(path: str) -> Setting:
    return next(one for one in SERVICE.settings if one.path == path)


def calls(path: str, value: Value) -> tuple[Call, ...]:
    made = setting(path).restore(web(), value)
    assert all(validate(one) == () for one in made)
    return made


def undo(event: ChangeEvent, *earlier: ChangeEvent) -> tuple[Call, ...]:
    change = catalogue.change_of(event)
    assert change is not None
    assert change.undo is not None
    made = change.undo(event, earlier)
    assert all(validate(one) == () for one in made)
    return made


# -- reading ------------------------------------------------------------------------------------------


def test_a_scalable_target_tells_what_it_scales() -> None:
    found = web(activity())
    assert (found.arn, found.name, found.config["MaxCapacity"]) == (TARGET, "service/shop/web", 10)
    assert [one["StatusCode"] for one in found.config["ScalingActivities"]] == ["Successful"]
    told = [(one.kind, one.source, one.target) for one in relations(found, KnownResources([]))]
    assert told == [("scales", TARGET, WEB)]


@pytest.mark.parametrize(
    ("namespace", "id", "arn"),
    [
        ("dynamodb", "table/orders", TABLE),
        ("dynamodb", "table/orders/index/by-day", f"{TABLE}/index/by-day"),
        ("lambda", "function:writer:live", f"arn:aws:lambda:{AT}:function:writer:live"),
        ("rds", "cluster:orders", f"arn:aws:rds:{AT}:cluster:orders"),
        (
            "elasticache",
            "replication-group/sessions",
            f"arn:aws:elasticache:{AT}:replicationgroup:sessions",
        ),
    ],
)
def test_each_service_spells_its_own_arn(namespace: str, id: str, arn: str) -> None:
    one = target(ServiceNamespace=namespace, ResourceId=id, ScalableDimension="x:y:z")
    asked = {("application-autoscaling", "DescribeScalableTargets"): {"ScalableTargets": [one]}}
    found = next(iter(discover(FakeAws(asked).reader(), "eu-west-1")))
    assert [other.target for other in relations(found, KnownResources([]))] == [arn]


def test_an_old_answer_without_an_arn_is_still_one_thing() -> None:
    one = target()
    del one["ScalableTargetARN"]
    asked = {("application-autoscaling", "DescribeScalableTargets"): {"ScalableTargets": [one]}}
    found = next(iter(discover(FakeAws(asked).reader(), "eu-west-1")))
    assert catalogue.type_of(found.arn) == "scalable-target"
    assert [other.target for other in relations(found, KnownResources([]))] == [WEB]
    bare = replace(found, config={})
    assert setting("MaxCapacity").restore(bare, 10)[0].parameters["ResourceId"] == "service/shop/web"


def test_the_target_of_a_service_is_found_from_it_and_its_callers_rely_on_it() -> None:
    asked = FakeAws(answers())
    found = around(asked.reader(), [TABLE])
    assert WRITES in {one.arn for one in found.resources}
    assert TARGET not in {one.arn for one in found.resources}
    assert TABLE in downstream(found, WRITES)
    assert TABLE in upstream(found, WRITES)


def test_a_refused_list_is_a_gap() -> None:
    asked = FakeAws(answers(), denied=frozenset({"application-autoscaling:DescribeScalableTargets"}))
    reader = asked.reader()
    around(reader, [WEB])
    assert [gap.code for gap in reader.gaps if "Application Auto Scaling" in gap.what] == ["AccessDenied"]


# -- whose event it is --------------------------------------------------------------------------------


@pytest.mark.parametrize("source", ["autoscaling", "application-autoscaling"])
def test_an_event_is_of_the_target_and_of_what_it_scales(source: str) -> None:
    event = happened("RegisterScalableTarget", {"maxCapacity": 2}, source=source)
    known = catalogue.for_event(event)
    assert known is not None
    assert known[0] is SERVICE
    assert known[1].touches(event)[1] == WEB
    assert touched_by(event, web())
    assert [one.arn for one in toucher([web()])(event)] == [TARGET]


@pytest.mark.parametrize(
    "other",
    [
        {"resourceId": "service/shop/web-2"},
        {"serviceNamespace": "sagemaker"},
        {"scalableDimension": "ecs:service:Other"},
    ],
)
def test_an_event_of_another_target_is_not_of_this_one(other: Json) -> None:
    assert not touched_by(happened("RegisterScalableTarget", {"maxCapacity": 2, **other}), web())


def test_an_event_of_a_group_of_instances_is_none_of_these() -> None:
    event = replace(
        happened("PutScalingPolicy", {}), request={"autoScalingGroupName": "web", "policyName": "cpu-60"}
    )
    known = catalogue.for_event(event)
    assert known is not None
    assert known[0].name == "autoscaling"
    assert not touched_by(event, web())


_WORD = st.sampled_from(["ecs", "dynamodb", "service/shop/web", "table/orders", "x", ""])


@given(namespace=_WORD, id=_WORD, dimension=_WORD)
def test_only_the_very_target_is_touched(namespace: str, id: str, dimension: str) -> None:
    request = {"serviceNamespace": namespace, "resourceId": id, "scalableDimension": dimension}
    own = Resource(
        arn=TARGET,
        service="applicationautoscaling",
        type="scalable-target",
        name="service/shop/web",
        account="111122223333",
        region="eu-west-1",
        config={"ServiceNamespace": "ecs", "ResourceId": "service/shop/web", "ScalableDimension": "x"},
    )
    same = (namespace, id, dimension) == ("ecs", "service/shop/web", "x")
    assert touched_by(happened("RegisterScalableTarget", request), own) is same


# -- putting back -------------------------------------------------------------------------------------


def test_a_bound_goes_back_alone() -> None:
    (made,) = calls("MaxCapacity", 10)
    assert made.parameters == {
        "ServiceNamespace": "ecs",
        "ResourceId": "service/shop/web",
        "ScalableDimension": "ecs:service:DesiredCount",
        "MaxCapacity": 10,
    }
    (made,) = calls("SuspendedState.DynamicScalingOutSuspended", False)
    assert made.parameters["SuspendedState"] == {"DynamicScalingOutSuspended": False}


def test_the_bound_before_is_in_an_earlier_request() -> None:
    now = happened("RegisterScalableTarget", {"minCapacity": 0, "maxCapacity": 2})
    older = happened("RegisterScalableTarget", {"minCapacity": 2, "maxCapacity": 10}, minutes=-9000)
    found = prior(setting("MaxCapacity"), web(), now, (older,), None)
    assert (found.value, [one.kind for one in found.sources]) == (10, ["previous_event"])
    of_other = happened(
        "RegisterScalableTarget", {"maxCapacity": 7, "resourceId": "service/shop/api"}, minutes=-5
    )
    assert prior(setting("MaxCapacity"), web(), now, (of_other,), None).known is False


def tracked(value: float, minutes: float = 0, **more: Any) -> ChangeEvent:
    configuration = {
        "targetValue": value,
        "predefinedMetricSpecification": {"predefinedMetricType": "ECSServiceAverageCPUUtilization"},
        **more,
    }
    request = {
        "policyName": "cpu",
        "policyType": "TargetTrackingScaling",
        "targetTrackingScalingPolicyConfiguration": configuration,
    }
    return happened("PutScalingPolicy", request, minutes=minutes)


def test_a_policy_goes_back_to_the_newest_request_before() -> None:
    (made,) = undo(tracked(95.0), tracked(60.0, -60, scaleInCooldown=300), tracked(40.0, -900))
    configuration = made.parameters["TargetTrackingScalingPolicyConfiguration"]
    assert (configuration["TargetValue"], configuration["ScaleInCooldown"]) == (60.0, 300)
    assert undo(tracked(95.0)) == ()


def test_a_deleted_policy_is_put_again() -> None:
    (made,) = undo(happened("DeleteScalingPolicy", {"policyName": "cpu"}), tracked(60.0, -60))
    assert (made.operation, made.parameters["PolicyName"]) == ("PutScalingPolicy", "cpu")
    assert undo(happened("DeleteScalingPolicy", {"policyName": "other"}), tracked(60.0, -60)) == ()


def test_a_policy_that_was_deleted_before_is_deleted_again() -> None:
    gone = happened("DeleteScalingPolicy", {"policyName": "cpu"}, minutes=-30)
    (made,) = undo(tracked(95.0), gone, tracked(60.0, -60))
    assert made.operation == "DeleteScalingPolicy"


def scheduled(minutes: float, **more: Any) -> ChangeEvent:
    return happened("PutScheduledAction", {"scheduledActionName": "night", **more}, minutes=minutes)


def test_a_scheduled_action_goes_back_whole() -> None:
    day = scheduled(-900, schedule="cron(0 6 * * ? *)", scalableTargetAction={"minCapacity": 4})
    (made,) = undo(scheduled(0, scalableTargetAction={"minCapacity": 0}), day)
    assert made.parameters["ScalableTargetAction"] == {"MinCapacity": 4}
    assert made.parameters["Schedule"] == "cron(0 6 * * ? *)"
    removed, again = undo(scheduled(0, timezone="Asia/Tokyo"), day)
    assert (removed.operation, again.parameters) == ("DeleteScheduledAction", made.parameters)


def test_what_was_deregistered_comes_back_with_its_policies() -> None:
    gone = happened("DeregisterScalableTarget", {})
    first = happened("RegisterScalableTarget", {"minCapacity": 2, "maxCapacity": 6}, minutes=-9000)
    raised = happened("RegisterScalableTarget", {"maxCapacity": 10}, minutes=-800)
    register, policy = undo(gone, raised, tracked(60.0, -8000), first)
    assert (register.operation, register.parameters["MinCapacity"]) == ("RegisterScalableTarget", 2)
    assert register.parameters["MaxCapacity"] == 10
    assert (policy.operation, policy.parameters["PolicyName"]) == ("PutScalingPolicy", "cpu")


def test_what_is_not_known_whole_is_not_registered_again() -> None:
    gone = happened("DeregisterScalableTarget", {})
    assert undo(gone) == ()
    assert undo(gone, tracked(60.0, -60)) == ()
    assert (
        undo(gone, happened("RegisterScalableTarget", {"minCapacity": 2, "maxCapacity": 6}, minutes=-90))
        == ()
    )


def test_a_reaction_of_scaling_is_no_change_of_this_file() -> None:
    event = replace(happened("UpdateService", {"service": "web"}), source="ecs.amazonaws.com")
    assert catalogue.for_event(event) is not None
    known = catalogue.for_event(event)
    assert known is not None
    assert known[0].name == "ecs"


# -- what it says -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("told", "keys"),
    [
        (activity(), ["scaling-at-its-maximum"]),
        (activity("Setting desired count to 9."), []),
        (activity("Setting desired count to 5.", "Failed"), ["scaling-failed"]),
        (activity("Setting write capacity units to 10."), ["scaling-at-its-maximum"]),
    ],
)
def test_the_newest_activity_tells_what_holds(told: Json, keys: list[str]) -> None:
    found = web(told, activity("Setting desired count to 3."))
    assert [one.key for one in SERVICE.conditions if one.shown is not None and one.shown(found)] == keys


def test_without_activities_nothing_holds() -> None:
    assert not [one for one in SERVICE.conditions if one.shown is not None and one.shown(web())]
