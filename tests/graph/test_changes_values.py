"""What lines of changes tell as before and after: from answers, names and documents, and never another thing's."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from graph.changes import Line, listing
from graph.risk import by_hand
from graph.undoing.known import Known
from graph.undoing.restore import restoration
from tests.graph.test_undo_outcomes import event
from tools.models import Actor, ChangeEvent, Json

FIRST, SECOND = "i-0a1b2c3d4e5f60001", "i-0a1b2c3d4e5f60002"
ROUTE: Json = {"routeTableId": "rtb-0a1", "destinationCidrBlock": "0.0.0.0/0"}


def lines(*events: ChangeEvent, before: tuple[ChangeEvent, ...] = ()) -> dict[str, Line]:
    return {one.events[0]: one for one in listing(events, Known(events=(*before, *events))).lines}


def told(line: Line) -> list[tuple[str, str, str]]:
    return [(one.name, one.before, one.after) for one in line.fields]


def states(operation: str, hours: float, **states: tuple[str, str]) -> ChangeEvent:
    """An event that starts or stops instances, with what EC2 answers of each."""
    ids = {"first": FIRST, "second": SECOND}
    asked = [{"instanceId": ids[key]} for key in states]
    answer = [
        {"instanceId": ids[key], "previousState": {"name": was}, "currentState": {"name": now}}
        for key, (was, now) in states.items()
    ]
    return event(
        "ec2", operation, hours, {"instancesSet": {"items": asked}}, {"instancesSet": {"items": answer}}
    )


def test_stopped_instances_are_told_by_their_states_and_not_those_that_stood_still() -> None:
    stop = states("StopInstances", 2, first=("running", "stopping"), second=("stopped", "stopped"))
    assert told(lines(stop)[stop.id]) == [(f"StopInstances {FIRST}", "running", "stopping")]


def test_instances_that_were_stopped_already_are_no_change() -> None:
    stop = states("StopInstances", 2, first=("stopped", "stopped"))
    assert listing([stop], Known(events=(stop,))).folded["no-ops"] == 1


def test_instances_that_were_started_again_are_no_longer_stopped() -> None:
    stop = states("StopInstances", 4, first=("running", "stopping"), second=("running", "stopping"))
    one = states("StartInstances", 3, first=("stopped", "pending"))
    other = states("StartInstances", 2, second=("stopped", "pending"))
    assert lines(stop)[stop.id].status == "in force"
    assert lines(stop, one)[stop.id].status == "changed again"
    found = lines(stop, one, other)[stop.id]
    assert (found.status, found.later) == ("undone", other)
    assert restoration(stop, Known(events=(stop, one, other))).outcome == "nothing to undo"
    assert restoration(stop, Known(events=(stop,))).outcome == "exact"


def test_a_stopped_instance_that_is_gone_since_is_not_started() -> None:
    stop = states("StopInstances", 4, first=("running", "stopping"))
    gone = states("TerminateInstances", 3, first=("stopped", "terminated"))
    assert restoration(stop, Known(events=(stop, gone))).outcome == "superseded"


def test_what_was_taken_away_is_not_told_by_another_thing_of_the_same_owner() -> None:
    inline = event(
        "iam", "PutRolePolicy", 9, {"roleName": "app", "policyName": "other", "policyDocument": "{}"}
    )
    policy = "arn:aws:iam::111122223333:policy/write"
    gone = event("iam", "DetachRolePolicy", 1, {"roleName": "app", "policyArn": policy})
    assert told(lines(gone, before=(inline,))[gone.id]) == [("DetachRolePolicy write", "unknown", "removed")]


def test_a_route_that_was_taken_away_went_where_it_was_last_led() -> None:
    made = event("ec2", "CreateRoute", 90, {**ROUTE, "natGatewayId": "nat-0a1"})
    led = event("ec2", "ReplaceRoute", 50, {**ROUTE, "natGatewayId": "nat-0b2"})
    gone = event("ec2", "DeleteRoute", 1, ROUTE)
    assert told(lines(gone, before=(made, led))[gone.id])[0][1] == "nat-0b2"


@pytest.mark.parametrize(
    ("before", "was"),
    [
        ({**ROUTE, "natGatewayId": "nat-0a1"}, "nat-0a1"),
        ({**ROUTE, "gatewayId": "igw-0a1"}, "igw-0a1"),
        ({**ROUTE, "destinationCidrBlock": "10.0.0.0/8", "natGatewayId": "nat-0a1"}, "unknown"),
        ({**ROUTE, "routeTableId": "rtb-0b2", "natGatewayId": "nat-0a1"}, "unknown"),
    ],
)
def test_a_route_is_told_by_where_it_leads(before: Json, was: str) -> None:
    made = event("ec2", "CreateRoute", 90, before)
    led = event("ec2", "ReplaceRoute", 1, {**ROUTE, "natGatewayId": "nat-0b2"})
    assert told(lines(led, before=(made,))[led.id]) == [("ReplaceRoute 0.0.0.0/0", was, "nat-0b2")]


def policy(hours: float, *statements: Json) -> ChangeEvent:
    document = {"Version": "2012-10-17", "Statement": list(statements)}
    return event("s3", "PutBucketPolicy", hours, {"bucketName": "pictures", "bucketPolicy": document})


def test_of_two_documents_only_the_difference_is_told() -> None:
    read = {"Sid": "A" * 80, "Effect": "Allow", "Principal": "*", "Action": "s3:GetObject", "Resource": "*"}
    put = policy(1, {**read, "Effect": "Deny"})
    assert told(lines(put, before=(policy(90, read),))[put.id]) == [
        ("bucket policy", "Effect Allow", "Effect Deny")
    ]
    more = policy(1, read, {**read, "Sid": "B"})
    assert told(lines(more, before=(policy(90, read),))[more.id]) == [
        ("bucket policy", "nothing of it", "Sid B")
    ]


def test_a_policy_that_was_deleted_is_not_set_rather_than_without_limit() -> None:
    gone = event("s3", "DeleteBucketPolicy", 1, {"bucketName": "pictures", "policy": ""})
    assert told(lines(gone)[gone.id]) == [("bucket policy", "unknown", "not set")]


@pytest.mark.parametrize(("was", "reason"), [(4, "down to 0"), (None, "")])
def test_nothing_left_is_said_in_words(was: int | None, reason: str) -> None:
    names = {"cluster": "shop", "service": "web"}
    now = event("ecs", "UpdateService", 1, {**names, "desiredCount": 0})
    before = () if was is None else (event("ecs", "UpdateService", 90, {**names, "desiredCount": was}),)
    reasons = lines(now, before=before)[now.id].risk.reasons
    assert (reason in reasons) == bool(reason)
    assert not any("times" in one for one in reasons)


def test_a_group_is_called_by_its_name() -> None:
    one = event("autoscaling", "UpdateAutoScalingGroup", 1, {"autoScalingGroupName": "web", "minSize": 0})
    assert lines(one)[one.id].name == "auto-scaling-group web"


@pytest.mark.parametrize("code", ["", "ValidationException"])
def test_a_record_that_names_no_arn_does_not_end_the_listing(code: str) -> None:
    odd = event("elasticloadbalancing", "ModifyRule", 1, {"ruleArn": "nope"}, errorCode=code)
    assert len(lines(odd, event("iam", "DeleteUser", 2, {"userName": "kim"}))) == 2
    assert restoration(odd, Known(events=(odd,))).outcome


@pytest.mark.parametrize(
    ("session", "hand"),
    [("dana", True), ("i-0a1b2c3d4e5f60718", False), ("0123456789abcdef0123456789abcdef", False)],
)
def test_a_command_line_on_a_machine_of_its_own_is_not_called_by_hand(session: str, hand: bool) -> None:
    actor: Any = Actor(kind="role", name="builder", how="cli", role="builder", session=session)
    assert by_hand(replace(event("iam", "DeleteUser", 2, {"userName": "kim"}), actor=actor)) is hand


def test_a_thing_that_is_named_as_its_kind_is_called_is_no_value_of_the_request() -> None:
    def group(hours: float, name: str, state: str) -> ChangeEvent:
        return event("athena", "UpdateWorkGroup", hours, {"workGroup": name, "state": state})

    before = (group(90, "reports", "ENABLED"), group(50, "others", "DISABLED"))
    off = group(1, "reports", "DISABLED")
    assert told(lines(off, before=before)[off.id]) == [("state", "ENABLED", "DISABLED")]
    (line,) = lines(off).values()
    assert (line.name, told(line)) == ("reports", [("state", "unknown", "DISABLED")])
    seen = {"projectArn": "arn:aws:codebuild:eu-west-1:111122223333:project/web"}
    public = event("codebuild", "UpdateProjectVisibility", 1, {**seen, "projectVisibility": "PUBLIC_READ"})
    assert told(lines(public)[public.id]) == [("projectVisibility", "unknown", "PUBLIC_READ")]


@pytest.mark.parametrize("operation", ["StartInstances", "StopInstances"])
def test_only_what_an_event_moved_is_put_back(operation: str) -> None:
    was, now, still = ("stopped", "pending", "running")
    if operation == "StopInstances":
        was, now, still = ("running", "stopping", "stopped")
    mixed = states(operation, 2, first=(was, now), second=(still, still))
    made = restoration(mixed, Known(events=(mixed,)))
    assert (made.outcome, [call.parameters for call in made.calls]) == ("exact", [{"InstanceIds": [FIRST]}])
    assert made.event == mixed
    again = states(operation, 2, first=(still, still), second=(still, still))
    nothing = restoration(again, Known(events=(again,)))
    assert (nothing.outcome, nothing.calls) == ("nothing to undo", ())


def test_what_is_scaled_is_no_value_and_another_dimension_is_another_thing() -> None:
    def target(hours: float, kind: str, most: int) -> ChangeEvent:
        names = {"serviceNamespace": "dynamodb", "resourceId": "table/orders"}
        dimension = f"dynamodb:table:{kind}CapacityUnits"
        sent = {**names, "scalableDimension": dimension, "maxCapacity": most}
        return event("autoscaling", "RegisterScalableTarget", hours, sent)

    cut = target(1, "Write", 2)
    found = lines(cut, before=(target(90, "Write", 100), target(50, "Read", 70)))[cut.id]
    assert told(found) == [("maximum capacity of scaling", "100", "2")]
