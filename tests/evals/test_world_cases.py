"""The seven cases, for several seeds: what is true of them, their noise, and that seeds decide everything."""

from __future__ import annotations

import json
from collections import Counter
from datetime import timedelta
from functools import cache
from pathlib import Path

import pytest

from evals.world import World, load_case
from evals.world.casefile import INCIDENTS
from tools.errors import BadInput

CASES = (
    "dynamodb-max-write",
    "dynamodb-hot-partition",
    "dynamodb-decoys",
    "cloudtrail-denied",
    "alarm-threshold-lowered",
    "stale-dynamodb-alarm",
    "late-cloudtrail",
)


@cache
def world(case: str, seed: int) -> World:
    return load_case(case, seed)


@pytest.mark.parametrize("seed", range(1, 6))
@pytest.mark.parametrize("case", CASES)
def test_the_alarm_is_red_when_the_investigation_begins(case: str, seed: int) -> None:
    made = world(case, seed)
    assert made.alarms[made.trigger["alarm"]].state(made.start).value == "ALARM"
    others = [alarm for name, alarm in made.alarms.items() if name != made.trigger["alarm"]]
    assert len(others) >= 5
    assert {alarm.state(made.start).value for alarm in others} == {"OK"}


@pytest.mark.parametrize("case", CASES)
def test_facts_say_what_the_ledger_says(case: str) -> None:
    made = world(case, 2)
    facts, ledger = made.facts, made.ledger
    if "change.event_id" in facts:
        event = ledger.event(facts["change.event_id"])
        assert event is not None
        assert (event["actor"], event["time"]) == (
            facts["change.actor.name"],
            facts["change.time"].isoformat(),
        )
    if facts.get("change.field", "").startswith("OnDemandThroughput"):
        path, arn = facts["max_write.path"], facts["table.arn"]
        assert ledger.setting(arn, path, facts["change.time"]) == facts["max_write.after"]
        assert (
            ledger.setting(arn, path, facts["change.time"] - timedelta(seconds=1))
            == facts["max_write.before"]
        )
        recent = ledger.changes(arn, facts["change.time"], made.start)
        assert facts["change.event_id"] in recent
        assert len(recent) == (2 if case == "dynamodb-decoys" else 1)
    else:
        assert [
            made.trail.by_id[one].body["eventName"]
            for one in ledger.changes(facts["table.arn"], made.start - timedelta(days=2), made.start)
        ] == (["TagResource"] if case == "dynamodb-hot-partition" else [])


def test_the_decoys_are_a_denied_attempt_before_and_a_tag_after_by_other_people() -> None:
    facts = world("dynamodb-decoys", 3).facts
    assert facts["attempt.time"] < facts["change.time"] < facts["onset"] <= facts["tagged.time"]
    assert facts["attempt.error_code"] == "AccessDenied"
    assert len({facts[f"{one}.actor.name"] for one in ("attempt", "change", "tagged")}) == 3
    denied = world("dynamodb-decoys", 3).trail.by_id[facts["attempt.event_id"]].body
    assert denied["responseElements"] is None


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_at_least_95_of_100_events_are_reads_and_services_at_work(seed: int) -> None:
    made = world("dynamodb-max-write", seed)
    recent = [one for one in made.trail.records if one.time > made.start - timedelta(hours=30)]
    people = [
        one
        for one in recent
        if not one.read_only
        and one.actor.kind not in ("aws_service", "service_linked_role")
        and one.body["eventName"] != "CreateLogStream"
    ]
    assert 2900 <= len(recent) <= 3400
    assert 10 <= len(people) <= 0.05 * len(recent)
    shapes = Counter(str(one.body["userIdentity"]["type"]) for one in recent)
    assert set(shapes) >= {
        "AWSService",
        "AssumedRole",
        "IAMUser",
        "Root",
        "AWSAccount",
        "FederatedUser",
        "SAMLUser",
        "WebIdentityUser",
        "IdentityCenterUser",
    }


def test_global_services_write_to_the_global_region_only() -> None:
    made = world("dynamodb-max-write", 1)
    places = {
        one.region
        for one in made.trail.records
        if one.body["eventSource"] in ("iam.amazonaws.com", "signin.amazonaws.com")
    }
    assert places == {"us-east-1"}
    assert made.region != "us-east-1"


def test_nobody_else_changes_the_resources_of_the_case() -> None:
    for seed in (1, 2, 3):
        made = world("dynamodb-max-write", seed)
        arns = {made.facts[f"{key}.arn"] for key in ("api", "function", "table")}
        assert not [one for one in made.trail.records if one.noise and not one.read_only and one.arn in arns]
        touched = [
            one.body["eventName"]
            for one in made.trail.records
            if one.noise and not one.read_only and made.facts["function.arn"] in json.dumps(one.body)
        ]
        assert touched == []


def test_the_same_seed_makes_the_same_world_and_another_seed_another() -> None:
    first, again, other = (load_case("dynamodb-max-write", seed) for seed in (4, 4, 5))
    assert first.facts == again.facts
    assert [one.text for one in first.trail.records] == [one.text for one in again.trail.records]
    for key in (
        "account",
        "table.name",
        "change.event_id",
        "change.time",
        "max_write.before",
        "change.source_ip",
    ):
        assert first.facts[key] != other.facts[key], key


def test_the_event_shows_what_the_console_sends_and_its_answer_proves_nothing() -> None:
    shown = set()
    for seed in range(1, 7):
        made = world("dynamodb-max-write", seed)
        facts = made.facts
        body = made.trail.by_id[facts["change.event_id"]].body
        assert body["requestParameters"]["onDemandThroughput"] == {
            "maxReadRequestUnits": facts["drawn.max_read"],
            "maxWriteRequestUnits": facts["max_write.after"],
        }
        assert body["sessionCredentialFromConsole"] == "true"
        assert body["responseElements"]["tableDescription"]["tableStatus"] == "UPDATING"
        shown.add(
            body["responseElements"]["tableDescription"]
            .get("onDemandThroughput", {})
            .get("maxWriteRequestUnits")
            in (facts["max_write.before"], facts["max_write.after"])
        )
    assert shown == {True, False}


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("title: x\ntraffic: {per_second: 1}\nlook: {after: moment, minutes: 3}\ntypo: 1\n", "typo"),
        ("title: x\nlook: {after: moment, minutes: 3}\n", "traffic"),
        ("title: x\nlike: nothing-there\n", "no case"),
        ("- 1\n", "must be a map"),
        ("title: x\ntraffic: {per_second: $gone}\nlook: {after: moment, minutes: 3}\n", "gone"),
    ],
)
def test_a_case_that_is_wrong_is_refused_with_the_reason(tmp_path: Path, text: str, problem: str) -> None:
    (tmp_path / "case.yaml").write_text(text, encoding="utf-8")
    with pytest.raises(BadInput, match=problem):
        load_case(tmp_path)


def test_an_unknown_case_names_the_known_ones() -> None:
    with pytest.raises(BadInput, match="dynamodb-max-write"):
        load_case("nothing-there")
    assert {one.parent.name for one in INCIDENTS.glob("*/case.yaml")} >= set(CASES)


def test_relations_are_those_of_the_configuration() -> None:
    made = world("dynamodb-max-write", 1)
    facts = made.facts
    relations = made.ledger.relations()
    assert (facts["api.arn"], "invokes", facts["function.arn"]) in relations
    assert (facts["function.arn"], "writes", facts["table.arn"]) in relations
    assert (facts["alarm.arn"], "watches", facts["table.arn"]) in relations
    assert (
        len(
            {
                thing.arn
                for kind in ("function", "table", "queue", "http-api", "rest-api")
                for thing in made.of(kind)
            }
        )
        >= 20
    )
