"""EventBridge Scheduler: who is called, what a schedule was, and how it is put back whole."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.tools.fake_account import Answer, FakeAws
from tests.tools.happened import change_of, happened, resource, setting_of
from tools.cloudtrail import touched_by
from tools.directory import KnownResources
from tools.history import prior, requested
from tools.models import ChangeEvent, Json, Metric, Resource, Value
from tools.parameters import validate
from tools.services.scheduler import SERVICE, describe, discover, relations
from tools.topology import around, owner

AT = "eu-west-1:111122223333"
SCHEDULE = f"arn:aws:scheduler:{AT}:schedule/billing/nightly"
GROUP = f"arn:aws:scheduler:{AT}:schedule-group/billing"
FUNCTION = f"arn:aws:lambda:{AT}:function:billing-run"
ROLE = "arn:aws:iam::111122223333:role/billing-schedule"
WHOLE: Json = {
    "Arn": SCHEDULE,
    "GroupName": "billing",
    "Name": "nightly",
    "ScheduleExpression": "cron(0 2 * * ? *)",
    "ScheduleExpressionTimezone": "Europe/Dublin",
    "State": "ENABLED",
    "EndDate": datetime(2026, 12, 31, tzinfo=UTC),
    "CreationDate": datetime(2025, 4, 1, tzinfo=UTC),
    "LastModificationDate": datetime(2025, 4, 2, tzinfo=UTC),
    "FlexibleTimeWindow": {"Mode": "OFF"},
    "ActionAfterCompletion": "NONE",
    "Target": {
        "Arn": FUNCTION,
        "RoleArn": ROLE,
        "Input": '{"mode": "full"}',
        "RetryPolicy": {"MaximumEventAgeInSeconds": 3600, "MaximumRetryAttempts": 4},
        "DeadLetterConfig": {"Arn": f"arn:aws:sqs:{AT}:billing-dead"},
    },
}
SUMMARY: Json = {
    "Arn": SCHEDULE,
    "GroupName": "billing",
    "Name": "nightly",
    "State": "ENABLED",
    "Target": {"Arn": FUNCTION},
}
ANSWERS: dict[tuple[str, str], Answer] = {
    ("scheduler", "ListSchedules"): {"Schedules": [SUMMARY]},
    ("scheduler", "GetSchedule"): WHOLE,
    ("scheduler", "GetScheduleGroup"): {"Arn": GROUP, "Name": "billing", "State": "ACTIVE"},
    ("lambda", "ListFunctions"): {"Functions": []},
    ("pipes", "ListPipes"): {"Pipes": []},
    ("stepfunctions", "ListStateMachines"): {"stateMachines": []},
    ("lambda", "GetFunctionConfiguration"): {"FunctionName": "billing-run", "FunctionArn": FUNCTION},
}


def described() -> Resource:
    found = describe(FakeAws(ANSWERS).reader(), SCHEDULE)
    assert found is not None
    return found


def pairs(one: Resource) -> set[tuple[str, str, str]]:
    return {(item.source, item.kind, item.target) for item in relations(one, KnownResources([one]))}


def test_a_schedule_tells_whom_it_calls_as_whom_and_who_counts_it() -> None:
    assert pairs(described()) == {
        (GROUP, "holds", SCHEDULE),
        (SCHEDULE, "triggers", FUNCTION),
        (SCHEDULE, "runs as", ROLE),
        (SCHEDULE, "sends failures to", f"arn:aws:sqs:{AT}:billing-dead"),
    }


def test_a_listed_schedule_tells_its_target_in_one_call() -> None:
    aws = FakeAws(ANSWERS)
    (found,) = discover(aws.reader(), "eu-west-1")
    assert aws.asked == [("scheduler", "ListSchedules")]
    assert (SCHEDULE, "triggers", FUNCTION) in pairs(found)


def test_a_universal_target_is_told_by_its_input() -> None:
    target = {
        "Arn": "arn:aws:scheduler:::aws-sdk:lambda:invoke",
        "Input": f'{{"FunctionName": "{FUNCTION}", "Payload": "x"}}',
    }
    assert (SCHEDULE, "triggers", FUNCTION) in pairs(
        resource(SERVICE, "schedule", SCHEDULE, {"Target": target})
    )
    broken = {**target, "Input": "{"}
    assert pairs(resource(SERVICE, "schedule", SCHEDULE, {"Target": broken})) == {(GROUP, "holds", SCHEDULE)}


def test_a_silent_function_finds_the_schedule_that_calls_it() -> None:
    found = around(FakeAws(ANSWERS).reader(), [FUNCTION])
    assert (SCHEDULE, "triggers", FUNCTION) in {(one.source, one.kind, one.target) for one in found.relations}


def test_an_alarm_on_a_group_finds_its_schedules() -> None:
    metric = Metric(
        namespace="AWS/Scheduler",
        name="TargetErrorCount",
        dimensions=(("ScheduleGroup", "billing"),),
        stat="Sum",
    )
    arn = owner(FakeAws({}).reader(), metric, "eu-west-1")
    assert arn == GROUP
    found = around(FakeAws(ANSWERS).reader(), [arn])
    assert found.by_arn(SCHEDULE) is not None
    assert found.by_arn(FUNCTION) is not None


def test_what_does_not_exist_is_none() -> None:
    assert describe(FakeAws({}).reader(), SCHEDULE) is None
    assert describe(FakeAws({}).reader(), GROUP) is None


# -- settings -----------------------------------------------------------------------------------------


def update(minutes: float = 0, **more: Any) -> ChangeEvent:
    request = {
        "name": "nightly",
        "groupName": "billing",
        "scheduleExpression": "cron(0 2 * * ? *)",
        "flexibleTimeWindow": {"mode": "OFF"},
        "target": {"arn": FUNCTION, "roleArn": ROLE},
        **more,
    }
    return happened("scheduler", "UpdateSchedule", request, {"scheduleArn": SCHEDULE}, minutes=minutes)


@pytest.mark.parametrize(
    ("path", "earlier", "wanted"),
    [
        ("State", {"state": "ENABLED"}, "ENABLED"),
        ("State", {}, "ENABLED"),
        ("ScheduleExpression", {"scheduleExpression": "rate(5 minutes)"}, "rate(5 minutes)"),
        ("ScheduleExpressionTimezone", {}, "UTC"),
        ("Target.RetryPolicy.MaximumRetryAttempts", {}, 185),
        ("EndDate", {"endDate": "Dec 31, 2026, 12:00:00 AM"}, "2026-12-31T00:00:00+00:00"),
        ("EndDate", {"endDate": 1798675200}, "2026-12-31T00:00:00+00:00"),
        ("EndDate", {}, ""),
    ],
)
def test_the_value_before_is_told_by_the_last_update_also_where_it_left_it_out(
    path: str, earlier: Json, wanted: Value
) -> None:
    setting = setting_of(SERVICE, "schedule", path)
    change = update(state="DISABLED", endDate="2027-01-01T00:00:00Z")
    found = prior(setting, described(), change, [update(-60, **earlier), change], None)
    assert (found.known, found.value) == (True, wanted)


def test_a_moment_means_the_same_in_every_form() -> None:
    setting = setting_of(SERVICE, "schedule", "EndDate")
    shown = described().config["EndDate"]
    for told in ("2026-12-31T00:00:00Z", "2026-12-31T01:00:00+01:00", "Dec 31, 2026, 12:00:00 AM"):
        assert requested(update(endDate=told), setting) == (True, shown)


@given(st.datetimes(min_value=datetime(2000, 1, 1), max_value=datetime(2099, 1, 1)))
def test_moments_in_english_are_read_to_the_second(at: datetime) -> None:
    setting = setting_of(SERVICE, "schedule", "EndDate")
    told = at.strftime("%b %d, %Y, %I:%M:%S %p")
    wanted = at.replace(microsecond=0, tzinfo=UTC).isoformat()
    assert requested(update(endDate=told), setting) == (True, wanted)


@pytest.mark.parametrize(
    ("path", "value", "member", "sent"),
    [
        ("State", "DISABLED", "State", "DISABLED"),
        ("ScheduleExpression", "rate(1 hour)", "ScheduleExpression", "rate(1 hour)"),
        ("EndDate", "", "EndDate", None),
        (
            "FlexibleTimeWindow.MaximumWindowInMinutes",
            15,
            "FlexibleTimeWindow",
            {"Mode": "FLEXIBLE", "MaximumWindowInMinutes": 15},
        ),
        ("FlexibleTimeWindow.MaximumWindowInMinutes", "", "FlexibleTimeWindow", {"Mode": "OFF"}),
        ("Target.Arn", f"{FUNCTION}-old", "Target", {**WHOLE["Target"], "Arn": f"{FUNCTION}-old"}),
        (
            "Target.RetryPolicy.MaximumRetryAttempts",
            0,
            "Target",
            {**WHOLE["Target"], "RetryPolicy": {"MaximumEventAgeInSeconds": 3600, "MaximumRetryAttempts": 0}},
        ),
        (
            "Target.DeadLetterConfig.Arn",
            "",
            "Target",
            {key: value for key, value in WHOLE["Target"].items() if key != "DeadLetterConfig"},
        ),
    ],
)
def test_one_member_is_put_back_and_every_other_sent_along(
    path: str, value: Value, member: str, sent: Any
) -> None:
    (call,) = setting_of(SERVICE, "schedule", path).restore(described(), value)
    kept = {
        key: item
        for key, item in described().config.items()
        if key not in ("Arn", "CreationDate", "LastModificationDate", member)
    }
    assert call.operation == "UpdateSchedule"
    assert call.parameters == {**kept, **({member: sent} if sent is not None else {})}
    assert validate(call) == ()


def test_a_schedule_that_was_only_listed_is_not_overwritten() -> None:
    listed = resource(SERVICE, "schedule", SCHEDULE, SUMMARY)
    assert setting_of(SERVICE, "schedule", "State").restore(listed, "ENABLED") == ()
    assert setting_of(SERVICE, "schedule", "ScheduleExpression").restore(described(), None) == ()


# -- changes ------------------------------------------------------------------------------------------


def undo(*earlier: ChangeEvent) -> tuple[Any, ...]:
    change = change_of(SERVICE, "DeleteSchedule")
    assert change.undo is not None
    gone = happened("scheduler", "DeleteSchedule", {"name": "nightly", "groupName": "billing"})
    return change.undo(gone, earlier)


def test_a_deleted_schedule_is_made_again_as_it_was_last_updated() -> None:
    (call,) = undo(
        update(-30, state="DISABLED", endDate="Dec 31, 2026, 12:00:00 AM", clientToken="t"), update(-60)
    )
    assert call.operation == "CreateSchedule"
    assert call.parameters == {
        "Name": "nightly",
        "GroupName": "billing",
        "ScheduleExpression": "cron(0 2 * * ? *)",
        "FlexibleTimeWindow": {"Mode": "OFF"},
        "Target": {"Arn": FUNCTION, "RoleArn": ROLE},
        "State": "DISABLED",
        "EndDate": datetime(2026, 12, 31, tzinfo=UTC),
    }
    assert validate(call) == ()


def test_a_begin_that_has_passed_is_not_sent_again() -> None:
    (passed,) = undo(update(-30, startDate="2025-01-01T00:00:00Z"))
    (coming,) = undo(update(-30, startDate="2040-01-01T00:00:00Z"))
    assert "StartDate" not in passed.parameters
    assert coming.parameters["StartDate"] == datetime(2040, 1, 1, tzinfo=UTC)


def test_a_deleted_schedule_of_which_something_is_hidden_is_not_made_again() -> None:
    hidden = {"arn": FUNCTION, "roleArn": ROLE, "input": "HIDDEN_DUE_TO_SECURITY_REASONS"}
    assert undo() == ()
    assert undo(update(-30, target=hidden)) == ()
    assert undo(happened("scheduler", "UpdateSchedule", {"name": "nightly"}, minutes=-30)) == ()


@pytest.mark.parametrize(
    ("request_", "touched"),
    [
        ({"name": "nightly", "groupName": "billing"}, True),
        ({"name": "nightly"}, False),
        ({"name": "nightly", "groupName": "other"}, False),
        ({"name": "nightly-two", "groupName": "billing"}, False),
    ],
)
def test_a_schedule_is_named_together_with_its_group(request_: Json, touched: bool) -> None:
    event = happened("scheduler", "DeleteSchedule", request_)
    assert touched_by(event, resource(SERVICE, "schedule", SCHEDULE, {})) == touched
    assert (SCHEDULE in change_of(SERVICE, "DeleteSchedule").touches(event)) == touched


def test_a_schedule_of_the_default_group_is_named_without_it() -> None:
    own = resource(SERVICE, "schedule", f"arn:aws:scheduler:{AT}:schedule/default/nightly", {})
    event = happened("scheduler", "DeleteSchedule", {"name": "nightly"})
    assert touched_by(event, own)
    assert change_of(SERVICE, "DeleteSchedule").touches(event)[0] == own.arn
