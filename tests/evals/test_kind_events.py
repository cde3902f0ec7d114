"""EventBridge rules in worlds: ticks, patterns, targets, what is sent and what is answered."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from evals.world import World, load_case
from evals.world.flow import Flow
from evals.world.schedules import fires, per_minute
from tools.aws import Account, Aws
from tools.budget import Budget, Limits
from tools.clock import VirtualClock
from tools.errors import BadInput, NotThere
from tools.evidence import MemoryStore
from tools.models import Json

CASE = """
title: A rule
people: {operator: {way: user-console, name: "{person_1}"}}
resources:
  rule: {kind: rule, name: tick, calls: job}
  job: {kind: function, name: job, settings: {Timeout: 60}}
traffic: {per_second: 0, duration_ms: 3000}
alarms:
  alarm:
    name: job-heartbeat
    "on": job
    namespace: AWS/Lambda
    metric: Invocations
    dimensions: {FunctionName: "{name}"}
    stat: Sum
    period: 300
    comparison: LessThanThreshold
    threshold: 1
    datapoints: 1
    periods: 1
    missing: breaching
look: {after: moment, minutes: 50}
switches: {noise: 0}
"""
TICKS = {"ScheduleExpression": "rate(5 minutes)"}
ORDERS = {"EventPattern": {"source": ["shop"], "detail-type": ["Placed", "Paid"]}}


def world(tmp_path: Path, path: str, to: Any, settings: Json, *, key: str = "rule", rate: float = 0) -> World:
    case = yaml.safe_load(CASE)
    case["resources"]["rule"]["settings"] = settings
    case["traffic"]["per_second"] = rate
    case["events"] = [{"id": "change", "at": "0s", "who": "operator", "set": key, "path": path, "to": to}]
    (tmp_path / "case.yaml").write_text(yaml.safe_dump(case, sort_keys=False), encoding="utf-8")
    return load_case(tmp_path, 2)


def minutes(made: World) -> tuple[Flow, range, range]:
    """The flow, the half hour before the moment and the one after it."""
    flow = made.flows["case"]
    first = int(flow.demand.anchor) // 60
    return flow, range(first - 30, first), range(first + 1, first + 31)


def total(made: World, name: str, held: dict[str, str], span: range) -> float:
    source = made.telemetry.find(
        "AWS/Events" if "RuleName" in held else "AWS/Lambda", name, tuple(held.items())
    )
    assert source is not None, name
    return sum(one.total for minute in span if (one := source.emit(minute)) is not None)


def ask(made: World, operation: str, /, **given: Any) -> Json:
    limits = Budget(Limits(calls=100))
    aws = Aws(Account(region=made.region), made.transport(), VirtualClock(made.start), limits, MemoryStore())
    return aws.ask("events", operation, made.region, given)


def test_a_disabled_schedule_starts_nothing_and_says_nothing(tmp_path: Path) -> None:
    made = world(tmp_path, "State", "DISABLED", TICKS)
    flow, before, after = minutes(made)
    rule, job = {"RuleName": "tick"}, {"FunctionName": "job"}
    assert [total(made, "Invocations", one, before) for one in (rule, job)] == [6, 6]
    assert [total(made, "Invocations", one, after) for one in (rule, job)] == [0, 0]
    source = made.telemetry.find("AWS/Events", "Invocations", (("RuleName", "tick"),))
    assert source is not None
    assert [source.emit(minute) for minute in after] == [None] * 30
    assert total(made, "FailedInvocations", rule, after) == 0
    onset = made.facts["onset"].timestamp()
    assert fires(
        "rate(5 minutes)",
        int(onset) // 60,
        int(made.things[made.facts["rule.arn"]].created.timestamp()) // 60,
    )
    assert flow.demand.seconds(int(onset) // 60)[int(onset) % 60] == 1
    assert made.alarms["job-heartbeat"].state(made.start).value == "ALARM"


def test_calls_and_answers_of_a_disabled_rule(tmp_path: Path) -> None:
    made = world(tmp_path, "State", "DISABLED", TICKS)
    record = made.trail.by_id[made.facts["change.event_id"]].body
    assert (record["eventSource"], record["eventName"]) == ("events.amazonaws.com", "DisableRule")
    assert record["requestParameters"] == {"name": "tick"}
    assert record["responseElements"] is None
    shown = ask(made, "DescribeRule", Name="tick")
    assert (shown["State"], shown["ScheduleExpression"]) == ("DISABLED", "rate(5 minutes)")
    targets = ask(made, "ListTargetsByRule", Rule="tick")["Targets"]
    assert [one["Arn"] for one in targets] == [made.facts["job.arn"]]
    assert "tick" in ask(made, "ListRuleNamesByTarget", TargetArn=made.facts["job.arn"])["RuleNames"]
    assert "tick" in {one["Name"] for one in ask(made, "ListRules")["Rules"]}
    assert ask(made, "ListRules", NamePrefix="none")["Rules"] == []
    assert ask(made, "ListArchives")["Archives"] == []
    with pytest.raises(NotThere):
        ask(made, "DescribeRule", Name="tock")


def test_a_slower_schedule_keeps_the_ticks_that_fit(tmp_path: Path) -> None:
    made = world(tmp_path, "ScheduleExpression", "rate(15 minutes)", TICKS)
    _, before, after = minutes(made)
    assert total(made, "Invocations", {"RuleName": "tick"}, before) == 6
    assert total(made, "Invocations", {"RuleName": "tick"}, after) == 2
    request = made.trail.by_id[made.facts["change.event_id"]].body["requestParameters"]
    assert request == {"name": "tick", "scheduleExpression": "rate(15 minutes)", "state": "ENABLED"}


def test_a_narrower_pattern_matches_nothing_that_a_wider_one_did(tmp_path: Path) -> None:
    made = world(tmp_path, "EventPattern", {"source": ["shop"], "detail-type": ["Shipped"]}, ORDERS, rate=2)
    _, before, after = minutes(made)
    matched = total(made, "MatchedEvents", {"RuleName": "tick"}, before)
    assert matched == total(made, "Invocations", {"FunctionName": "job"}, before) > 1000
    assert total(made, "MatchedEvents", {"RuleName": "tick"}, after) == 0
    wider = world(tmp_path, "EventPattern", {"source": ["shop", "web"]}, ORDERS, rate=2)
    assert total(wider, "MatchedEvents", {"RuleName": "tick"}, after) > 1000


def test_a_removed_target_is_not_invoked_and_a_removed_permission_fails(tmp_path: Path) -> None:
    gone = world(tmp_path, "Targets.job", None, ORDERS, rate=2)
    code = next(
        iter(
            gone.things[gone.facts["rule.arn"]].settings.under(
                "Targets", gone.things[gone.facts["rule.arn"]].created
            )
        )
    )
    gone = world(tmp_path, f"Targets.{code}", None, ORDERS, rate=2)
    _, _, after = minutes(gone)
    held = {"RuleName": "tick"}
    assert total(gone, "TriggeredRules", held, after) > 1000
    assert total(gone, "Invocations", held, after) == total(gone, "FailedInvocations", held, after) == 0
    assert gone.trail.by_id[gone.facts["change.event_id"]].body["requestParameters"] == {
        "rule": "tick",
        "ids": [code],
    }


def test_a_schedule_sets_its_own_pace(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="per_second must be 0"):
        world(tmp_path, "State", "DISABLED", TICKS, rate=1)
    with pytest.raises(BadInput, match="either ScheduleExpression or EventPattern"):
        world(tmp_path, "State", "DISABLED", {})


@given(st.integers(1, 2000), st.integers(0, 10_000))
def test_a_rate_fires_once_in_each_of_its_spans(every: int, start: int) -> None:
    text = f"rate({every} minutes)"
    assert sum(fires(text, minute, 7) for minute in range(start, start + every)) == 1
    assert per_minute(text) == pytest.approx(1 / every)


@given(st.integers(0, 59), st.integers(0, 23), st.integers(0, 10_000))
def test_a_cron_of_one_time_fires_once_a_day(minute: int, hour: int, start: int) -> None:
    text = f"cron({minute} {hour} * * ? *)"
    hits = [one for one in range(start, start + 1440) if fires(text, one, 0)]
    assert [one % 1440 for one in hits] == [60 * hour + minute]


def test_lists_steps_and_spans_of_a_cron() -> None:
    hits = [one for one in range(1440) if fires("cron(0/20 8-9 * * ? *)", one, 0)]
    assert hits == [480, 500, 520, 540, 560, 580]
    with pytest.raises(BadInput, match="no schedule"):
        fires("cron(0 8 1 * ? *)", 0, 0)
