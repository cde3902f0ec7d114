"""EventBridge: which rule calls what, what a rule and its targets were, and how they are put back."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.tools.fake_account import Answer, FakeAws
from tests.tools.happened import AS_OF, change_of, happened, resource, setting_of
from tools import catalogue
from tools.arn import is_arn
from tools.cloudtrail import touched_by
from tools.directory import KnownResources
from tools.history import prior
from tools.models import Call, ChangeEvent, Json, Metric, Resource
from tools.parameters import validate
from tools.services.events import SERVICE, describe, discover, relations
from tools.topology import around, owner

AT = "eu-west-1:111122223333"
RULE = f"arn:aws:events:{AT}:rule/nightly"
ON_BUS = f"arn:aws:events:{AT}:rule/orders/order-placed"
BUS = f"arn:aws:events:{AT}:event-bus/orders"
DEFAULT = f"arn:aws:events:{AT}:event-bus/default"
FUNCTION = f"arn:aws:lambda:{AT}:function:billing-run"
QUEUE = f"arn:aws:sqs:{AT}:billing"
HOOK = f"arn:aws:events:{AT}:api-destination/partner-hook/5f0c2a7e-3b1d-4f7e-9a55-0c1de2b4d21e"
ROLE = "arn:aws:iam::111122223333:role/starts-tasks"
NIGHTLY: Json = {
    "Name": "nightly",
    "Arn": RULE,
    "ScheduleExpression": "cron(0 2 * * ? *)",
    "State": "ENABLED",
    "Description": "starts the nightly run",
    "EventBusName": "default",
}
PLACED: Json = {
    "Name": "order-placed",
    "Arn": ON_BUS,
    "EventPattern": '{"source": ["shop"]}',
    "State": "ENABLED",
    "EventBusName": "orders",
}
TARGETS: list[Json] = [
    {"Id": "run", "Arn": f"{FUNCTION}:live", "DeadLetterConfig": {"Arn": f"{QUEUE}-dead"}},
    {
        "Id": "task",
        "Arn": f"arn:aws:ecs:{AT}:cluster/batch",
        "RoleArn": ROLE,
        "EcsParameters": {
            "TaskDefinitionArn": f"arn:aws:ecs:{AT}:task-definition/report:6",
            "NetworkConfiguration": {
                "awsvpcConfiguration": {"Subnets": ["subnet-1"], "SecurityGroups": ["sg-1"]}
            },
        },
    },
    {"Id": "hook", "Arn": HOOK, "RoleArn": ROLE},
]


def on(bus: str) -> Answer:
    def rules(asked: Json) -> Json:
        return {"Rules": [PLACED] if asked.get("EventBusName") == bus else [NIGHTLY]}

    return rules


ANSWERS: dict[tuple[str, str], Answer] = {
    ("events", "ListRules"): on("orders"),
    ("events", "ListEventBuses"): {
        "EventBuses": [{"Name": "default", "Arn": DEFAULT}, {"Name": "orders", "Arn": BUS}]
    },
    ("events", "ListTargetsByRule"): lambda asked: {
        "Targets": [{"Id": "queue", "Arn": QUEUE}] if asked.get("EventBusName") == "orders" else TARGETS
    },
    ("events", "DescribeRule"): lambda asked: PLACED if asked.get("EventBusName") == "orders" else NIGHTLY,
    ("events", "DescribeEventBus"): {"Name": "orders", "Arn": BUS},
    ("events", "DescribeApiDestination"): {
        "Name": "partner-hook",
        "ApiDestinationArn": HOOK,
        "ConnectionArn": f"arn:aws:events:{AT}:connection/partner/1",
        "InvocationEndpoint": "https://u:p@partner.example/hook?key=secret",
    },
    ("lambda", "ListFunctions"): {"Functions": []},
}


def pairs(one: Resource, *known: Resource) -> set[tuple[str, str, str]]:
    return {(item.source, item.kind, item.target) for item in relations(one, KnownResources((one, *known)))}


def rule(arn: str = RULE, **config: Any) -> Resource:
    return resource(SERVICE, "rule", arn, config)


# -- reading ------------------------------------------------------------------------------------------


def test_a_rule_tells_what_it_calls_as_whom_and_where_failures_go() -> None:
    found = describe(FakeAws(ANSWERS).reader(), RULE)
    assert found is not None
    assert found.config["State"] == "ENABLED"
    assert pairs(found) == {
        (RULE, "triggers", FUNCTION),
        (RULE, "sends failures to", f"{QUEUE}-dead"),
        (RULE, "triggers", f"arn:aws:ecs:{AT}:cluster/batch"),
        (RULE, "uses definition", f"arn:aws:ecs:{AT}:task-definition/report:6"),
        (RULE, "in", f"arn:aws:ec2:{AT}:subnet/subnet-1"),
        (RULE, "guarded by", f"arn:aws:ec2:{AT}:security-group/sg-1"),
        (RULE, "runs as", ROLE),
        (RULE, "triggers", HOOK),
    }


def test_a_rule_on_a_bus_is_asked_for_with_its_bus_and_fed_by_it() -> None:
    found = describe(FakeAws(ANSWERS).reader(), ON_BUS)
    assert found is not None
    assert pairs(found) == {(BUS, "feeds", ON_BUS), (ON_BUS, "triggers", QUEUE)}


def test_targets_that_aws_does_not_show_are_a_gap_and_not_none() -> None:
    reader = FakeAws(ANSWERS, denied=frozenset({"events:ListTargetsByRule"})).reader()
    found = describe(reader, RULE)
    assert found is not None
    assert "Targets" not in found.config
    assert [gap.what for gap in reader.gaps] == ["Targets of rule nightly"]
    condition = next(one for one in SERVICE.conditions if one.key == "rule-without-target")
    assert condition.shown is not None
    assert not condition.shown(found)
    assert condition.shown(rule(State="ENABLED", Targets=[]))
    assert not condition.shown(rule(State="DISABLED", Targets=[]))


def test_what_does_not_exist_is_none() -> None:
    for arn in (RULE, BUS, HOOK, f"arn:aws:events:{AT}:archive/a", f"arn:aws:events:{AT}:replay/r"):
        assert describe(FakeAws({}).reader(), arn) is None


def test_a_bus_of_another_account_is_not_mistaken_for_an_own_one_of_the_same_name() -> None:
    aws = FakeAws(ANSWERS)
    assert describe(aws.reader(), BUS.replace("111122223333", "444455556666")) is None
    assert aws.asked == []


def test_an_api_destination_is_told_without_what_may_be_secret() -> None:
    found = describe(FakeAws(ANSWERS).reader(), HOOK)
    assert found is not None
    assert found.config["InvocationEndpoint"] == "https://partner.example/hook"
    assert pairs(found) == {(HOOK, "signs in with", f"arn:aws:events:{AT}:connection/partner/1")}


def test_discover_reads_the_rules_of_all_buses_with_their_targets() -> None:
    found = {one.arn: one for one in discover(FakeAws(ANSWERS).reader(), "eu-west-1")}
    assert set(found) == {RULE, ON_BUS, BUS}
    assert (ON_BUS, "triggers", QUEUE) in pairs(found[ON_BUS])


def test_more_rules_than_are_read_is_a_gap_and_rules_of_aws_cost_nothing() -> None:
    many = [{**NIGHTLY, "Name": f"r{number}", "Arn": f"{RULE}{number}"} for number in range(65)]
    managed = [{**NIGHTLY, "Arn": f"{RULE}-aws", "ManagedBy": "autoscaling.amazonaws.com"}]
    aws = FakeAws({**ANSWERS, ("events", "ListRules"): {"Rules": [*managed, *many]}}, denied=frozenset())
    aws = replace(aws, answers={**aws.answers, ("events", "ListEventBuses"): {"EventBuses": []}})
    reader = aws.reader()
    found = list(discover(reader, "eu-west-1"))
    assert len(found) == 65
    assert aws.asked.count(("events", "ListTargetsByRule")) == 60
    assert [gap.code for gap in reader.gaps] == ["BudgetSpent"]


@pytest.mark.parametrize(
    ("dimensions", "arn"),
    [
        ({"RuleName": "nightly"}, RULE),
        ({"RuleName": "nightly", "EventBusName": "default"}, RULE),
        ({"RuleName": "order-placed", "EventBusName": "orders"}, ON_BUS),
        ({"EventBusName": "orders"}, BUS),
        ({}, ""),
    ],
)
def test_an_alarm_on_a_metric_means_its_rule_or_bus(dimensions: dict[str, str], arn: str) -> None:
    metric = Metric(
        namespace="AWS/Events", name="Invocations", dimensions=tuple(sorted(dimensions.items())), stat="Sum"
    )
    assert owner(FakeAws({}).reader(), metric, "eu-west-1") == arn


def test_the_rules_own_dimensions_lead_back_to_it() -> None:
    assert SERVICE.dimensions is not None
    for arn in (RULE, ON_BUS):
        found = dict(SERVICE.dimensions(rule(arn)))
        assert catalogue.owner_of("AWS/Events", found, "eu-west-1", "111122223333") == arn


def test_a_silent_function_finds_the_rule_that_its_policy_names() -> None:
    policy = {"Statement": [{"Effect": "Allow", "Condition": {"ArnLike": {"AWS:SourceArn": RULE}}}]}
    answers = {
        **ANSWERS,
        ("lambda", "GetFunctionConfiguration"): {"FunctionName": "billing-run", "FunctionArn": FUNCTION},
        ("lambda", "GetPolicy"): {"Policy": json.dumps(policy)},
    }
    aws = FakeAws(answers)
    found = around(aws.reader(), [FUNCTION])
    assert (RULE, "triggers", FUNCTION) in {(one.source, one.kind, one.target) for one in found.relations}
    assert ("events", "ListRules") not in aws.asked


def test_rules_of_the_default_bus_are_no_neighbours_of_each_other() -> None:
    answers = {**ANSWERS, ("events", "DescribeRule"): {**NIGHTLY, "EventPattern": "{}"}}
    found = around(FakeAws(answers).reader(), [RULE])
    assert found.by_arn(DEFAULT) is not None
    assert found.by_arn(ON_BUS) is None


# -- settings -----------------------------------------------------------------------------------------


def put(minutes: float = 0, **request: Any) -> ChangeEvent:
    return happened("events", "PutRule", {"name": "nightly", **request}, {"ruleArn": RULE}, minutes=minutes)


def switched(operation: str, minutes: float = 0, **more: str) -> ChangeEvent:
    return happened("events", operation, {"name": "nightly", **more}, minutes=minutes)


@pytest.mark.parametrize(
    ("earlier", "wanted"),
    [
        ([switched("EnableRule", -60)], "ENABLED"),
        ([put(-60, scheduleExpression="rate(1 day)")], "ENABLED"),
        ([put(-60, scheduleExpression="rate(1 day)", state="DISABLED")], "DISABLED"),
        ([switched("DisableRule", -60), switched("EnableRule", -30)], "ENABLED"),
        ([switched("EnableRule", -60, eventBusName="orders")], None),
    ],
)
def test_the_state_before_is_told_by_whoever_set_it(earlier: list[ChangeEvent], wanted: str | None) -> None:
    change = switched("DisableRule")
    found = prior(
        setting_of(SERVICE, "rule", "State"), rule(State="DISABLED"), change, [*earlier, change], None
    )
    assert found.known == (wanted is not None)
    assert found.value == wanted


@pytest.mark.parametrize(
    ("arn", "request_", "touched"),
    [
        (RULE, {"name": "nightly"}, True),
        (RULE, {"name": "nightly", "eventBusName": "default"}, True),
        (RULE, {"name": "nightly", "eventBusName": DEFAULT}, True),
        (RULE, {"name": "nightly", "eventBusName": "orders"}, False),
        (RULE, {"name": "nightly-two"}, False),
        (ON_BUS, {"name": "order-placed", "eventBusName": "orders"}, True),
        (ON_BUS, {"name": "order-placed", "eventBusName": BUS}, True),
        (ON_BUS, {"name": "order-placed"}, False),
    ],
)
def test_a_rule_is_named_together_with_its_bus(arn: str, request_: Json, touched: bool) -> None:
    event = happened("events", "DisableRule", request_)
    assert touched_by(event, rule(arn)) == touched
    assert (arn in change_of(SERVICE, "DisableRule").touches(event)) == touched


@given(
    st.sampled_from([one.operation for one in SERVICE.changes]),
    st.dictionaries(
        st.sampled_from(
            ["name", "rule", "eventBusName", "targets", "ids", "resourceARN", "archiveName", "destination"]
        ),
        st.none()
        | st.booleans()
        | st.text(max_size=4)
        | st.lists(st.text(max_size=2))
        | st.just({"arn": "x"}),
    ),
)
def test_no_request_is_too_odd_to_be_told_whom_it_touches(operation: str, request_: Json) -> None:
    event = happened("events", operation, request_, {"ruleArn": "x", "failedEntries": ["x"]})
    change = change_of(SERVICE, operation)
    assert all(is_arn(arn) for arn in change.touches(event))
    if change.undo is not None:
        assert all(validate(call) == () for call in change.undo(event, (event,)))


def test_an_api_destination_is_named_without_its_id() -> None:
    event = happened("events", "DeleteApiDestination", {"name": "partner-hook"})
    assert touched_by(event, resource(SERVICE, "api-destination", HOOK, {}))


@pytest.mark.parametrize(
    ("value", "operation", "more"),
    [
        ("ENABLED", "EnableRule", {}),
        (None, "EnableRule", {}),
        ("DISABLED", "DisableRule", {}),
        (
            "ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS",
            "PutRule",
            {"EventPattern": "{}", "State": "ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS"},
        ),
    ],
)
def test_a_state_is_put_back(value: str | None, operation: str, more: Json) -> None:
    at = rule(ON_BUS, EventPattern="{}", State="DISABLED")
    (call,) = setting_of(SERVICE, "rule", "State").restore(at, value)
    assert call.operation == operation
    assert call.parameters == {"Name": "order-placed", "EventBusName": "orders", **more}
    assert validate(call) == ()


def test_a_pattern_is_put_back_with_all_that_put_rule_would_lose() -> None:
    pattern = setting_of(SERVICE, "rule", "EventPattern")
    (call,) = pattern.restore(rule(**NIGHTLY), '{"source": ["shop"]}')
    assert call.parameters == {
        "Name": "nightly",
        "EventPattern": '{"source": ["shop"]}',
        "ScheduleExpression": "cron(0 2 * * ? *)",
        "State": "ENABLED",
        "Description": "starts the nightly run",
    }
    assert pattern.restore(rule(State="ENABLED"), "") == ()


def test_a_pattern_that_the_last_put_left_out_was_none() -> None:
    pattern = setting_of(SERVICE, "rule", "EventPattern")
    change = put(eventPattern="{}", scheduleExpression="rate(1 day)")
    earlier = [put(-60, eventPattern='{"old": [1]}'), put(-30, scheduleExpression="rate(1 day)")]
    found = prior(pattern, rule(**NIGHTLY), change, [*earlier, change], None)
    assert (found.known, found.value) == (True, "")


def test_a_bus_is_updated_with_what_it_would_lose() -> None:
    bus = resource(
        SERVICE,
        "event-bus",
        BUS,
        {"Description": "orders", "KmsKeyIdentifier": "alias/bad", "DeadLetterConfig": {"Arn": QUEUE}},
    )
    key = setting_of(SERVICE, "event-bus", "KmsKeyIdentifier")
    (call,) = key.restore(bus, "alias/good")
    assert call.parameters == {
        "Name": "orders",
        "Description": "orders",
        "KmsKeyIdentifier": "alias/good",
        "DeadLetterConfig": {"Arn": QUEUE},
    }
    (without,) = key.restore(bus, "")
    assert "KmsKeyIdentifier" not in without.parameters
    (gone,) = setting_of(SERVICE, "event-bus", "Policy").restore(bus, "")
    assert gone.parameters == {"EventBusName": "orders", "RemoveAllPermissions": True}


# -- targets ------------------------------------------------------------------------------------------

OLD: Json = {"id": "run", "arn": FUNCTION, "retryPolicy": {"maximumRetryAttempts": 4}}
BAD: Json = {"id": "run", "arn": f"{FUNCTION}-test"}


def targets(*held: Json, minutes: float = 0, failed: tuple[str, ...] = (), bus: str = "") -> ChangeEvent:
    request = {"rule": "nightly", **({"eventBusName": bus} if bus else {}), "targets": list(held)}
    answer = {"failedEntryCount": len(failed), "failedEntries": [{"targetId": id} for id in failed]}
    return happened("events", "PutTargets", request, answer, minutes=minutes)


def removed(*ids: str, minutes: float = 0) -> ChangeEvent:
    return happened("events", "RemoveTargets", {"rule": "nightly", "ids": list(ids)}, minutes=minutes)


def undo(event: ChangeEvent, *earlier: ChangeEvent) -> list[tuple[str, Json]]:
    way = change_of(SERVICE, event.operation).undo
    assert way is not None
    newest_first = tuple(sorted(earlier, key=lambda one: one.time, reverse=True))
    calls: tuple[Call, ...] = way(event, newest_first)
    assert all(validate(call) == () for call in calls)
    return [(call.operation, call.parameters) for call in calls]


PUT_BACK = (
    "PutTargets",
    {
        "Rule": "nightly",
        "Targets": [{"Id": "run", "Arn": FUNCTION, "RetryPolicy": {"MaximumRetryAttempts": 4}}],
    },
)


def test_a_changed_target_goes_back_to_what_it_was() -> None:
    assert undo(targets(BAD), targets(OLD, minutes=-60)) == [PUT_BACK]
    assert undo(targets(BAD), targets(OLD, minutes=-60), targets({**OLD, "id": "x"}, minutes=-30)) == [
        PUT_BACK
    ]


def test_a_target_of_which_nothing_is_known_is_not_touched() -> None:
    assert undo(targets(BAD)) == []
    assert undo(targets(BAD), targets(OLD, minutes=-60, bus="orders")) == []
    assert undo(targets(BAD), targets(OLD, minutes=-60, failed=("run",))) == []
    hidden = {**OLD, "input": "HIDDEN_DUE_TO_SECURITY_REASONS"}
    assert undo(targets(BAD), targets(hidden, minutes=-60)) == []
    assert undo(targets(BAD, {**BAD, "id": "other"}), targets(OLD, minutes=-60)) == []


def test_a_target_that_was_not_there_goes_away() -> None:
    earlier = (targets(OLD, minutes=-60), removed("run", minutes=-30))
    assert undo(targets(BAD), *earlier) == [("RemoveTargets", {"Rule": "nightly", "Ids": ["run"]})]


def test_removed_targets_come_back() -> None:
    assert undo(removed("run"), targets(OLD, minutes=-60)) == [PUT_BACK]
    assert undo(removed("run")) == []
    assert undo(removed("run"), targets(OLD, minutes=-60), removed("run", minutes=-30)) == []
    assert undo(removed("run", "other"), targets(OLD, minutes=-60)) == []


@given(st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from(["one", "two", ""])), max_size=8))
def test_undo_of_targets_restores_each_or_proposes_nothing(steps: list[tuple[str, str]]) -> None:
    """Against a rule that is followed step by step: the last step is undone."""
    held: dict[str, str] = {}
    events: list[ChangeEvent] = []
    history: list[dict[str, str]] = [{}]
    told: set[str] = set()
    for number, (id, name) in enumerate([*steps, ("a", "last")]):
        minutes = number - 100
        if name:
            events.append(targets({"id": id, "arn": f"{FUNCTION}-{name}"}, minutes=minutes))
            held = {**held, id: name}
        else:
            events.append(removed(id, minutes=minutes))
            held = {key: value for key, value in held.items() if key != id}
        history.append(held)
        told |= {id} if number < len(steps) else set()
    calls = undo(events[-1], *events[:-1])
    if "a" not in told:
        assert calls == []
    elif (before := history[-2].get("a")) is not None:
        assert [(one, sent["Targets"][0]["Arn"]) for one, sent in calls] == [
            ("PutTargets", f"{FUNCTION}-{before}")
        ]
    else:
        assert calls == [("RemoveTargets", {"Rule": "nightly", "Ids": ["a"]})]


def test_a_deleted_rule_comes_back_in_its_state_with_the_targets_removed_for_it() -> None:
    made = put(-600, scheduleExpression="rate(1 day)", tags=[{"key": "team", "value": "shop"}])
    earlier = (made, targets(OLD, minutes=-590), switched("DisableRule", -60), removed("run", minutes=-1))
    deleted = switched("DeleteRule")
    calls = undo(deleted, *earlier)
    assert calls == [
        ("PutRule", {"Name": "nightly", "ScheduleExpression": "rate(1 day)", "State": "DISABLED"}),
        PUT_BACK,
    ]
    change = change_of(SERVICE, "DeleteRule")
    assert change.undo is not None
    assert change.back is not None
    undone = change.undo(deleted, tuple(sorted(earlier, key=lambda one: one.time, reverse=True)))
    assert [(one.operation, one.parameters) for one in change.back(undone)] == [
        ("RemoveTargets", {"Rule": "nightly", "Ids": ["run"]}),
        ("DeleteRule", {"Name": "nightly"}),
    ]


def test_a_deleted_rule_without_its_making_or_targets_is_not_half_restored() -> None:
    deleted, made = switched("DeleteRule"), put(-600, scheduleExpression="rate(1 day)")
    assert undo(deleted) == []
    assert undo(deleted, made, removed("run", minutes=-1)) == []
    assert undo(deleted, made, switched("DeleteRule", -300)) == []
    # Targets that went long before were not the rule's any more.
    long_ago = removed("run", minutes=-300)
    assert AS_OF - long_ago.time > timedelta(hours=5)
    assert [one for one, _ in undo(deleted, made, targets(OLD, minutes=-590), long_ago)] == ["PutRule"]


def test_statements_of_a_bus_go_back_by_their_id() -> None:
    grant: Json = {"action": "events:PutEvents", "principal": "444455556666", "statementId": "partner"}
    given_ = happened("events", "PutPermission", grant, minutes=-60)
    taken = happened("events", "RemovePermission", {"statementId": "partner"})
    assert undo(taken, given_) == [
        (
            "PutPermission",
            {"Action": "events:PutEvents", "Principal": "444455556666", "StatementId": "partner"},
        )
    ]
    other = happened("events", "RemovePermission", {"statementId": "partner", "eventBusName": "orders"})
    assert undo(other, given_) == []
    before = happened("events", "RemovePermission", {"statementId": "partner"}, minutes=-90)
    assert undo(happened("events", "PutPermission", grant), before) == [
        ("RemovePermission", {"StatementId": "partner"})
    ]


def test_a_replay_is_cancelled_and_never_started_again() -> None:
    started = happened(
        "events", "StartReplay", {"replayName": "again", "destination": {"arn": BUS}, "eventSourceArn": "x"}
    )
    assert undo(started) == [("CancelReplay", {"ReplayName": "again"})]
    change = change_of(SERVICE, "StartReplay")
    assert change.touches(started) == (BUS,)
    assert change.back is not None
    assert change.back(()) == ()
