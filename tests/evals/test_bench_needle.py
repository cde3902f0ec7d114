"""The needle benchmark: what is planted, what lies around it, how places are counted, and what is not blamed."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from evals.benchmarks import BenchResult
from evals.benchmarks.needle import Place, ranked, run
from evals.benchmarks.needle_worlds import AFTER, BEFORE, Kind, foreign, kinds, plant, plantings
from graph.models import Hypothesis
from tools.errors import BadInput
from tools.models import Json

ACCOUNT = "444455556666"
START = datetime(2023, 5, 4, 9, 0, tzinfo=UTC)


def record(minute: int, source: str, name: str, *, read: bool = False) -> Json:
    return {
        "eventVersion": "1.08",
        "userIdentity": {
            "type": "IAMUser",
            "arn": f"arn:aws:iam::{ACCOUNT}:user/visitor",
            "accountId": ACCOUNT,
            "userName": "visitor",
        },
        "eventTime": f"{START + timedelta(minutes=minute):%Y-%m-%dT%H:%M:%SZ}",
        "eventSource": f"{source}.amazonaws.com",
        "eventName": name,
        "awsRegion": "us-east-1",
        "sourceIPAddress": "203.0.113.9",
        "userAgent": "aws-cli/2.15",
        "requestParameters": {"roleName": f"made-up-{minute}", "where": "us-east-1"},
        "responseElements": None,
        "resources": [{"type": "AWS::IAM::Role", "ARN": f"arn:aws:iam::{ACCOUNT}:role/made-up-{minute}"}],
        "eventID": f"made-up-{minute}",
        "readOnly": read,
        "eventType": "AwsApiCall",
        "recipientAccountId": ACCOUNT,
    }


EVENTS = [
    *(record(minute, "iam", "CreateRole") for minute in range(12)),
    *(record(minute, "ssm", "PutParameter") for minute in range(12, 30)),
    record(30, "ec2", "DescribeInstances", read=True),
]


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("events") / "events.jsonl"
    path.write_text("\n".join(json.dumps(one) for one in EVENTS), encoding="utf-8")
    return path


def test_there_are_two_hundred_plantings_of_twenty_kinds() -> None:
    every = plantings(10)
    assert len(every) == 200
    assert len({one.kind for one in every}) == 20
    assert len({one.seed for one in every}) == 200
    assert len({kind.service for kind in kinds()}) >= 15
    assert {one.by for one in every} >= {"user-console", "sso-cli", "ci", "terraform"}
    assert min(one.lag for one in every) == 2
    assert max(one.lag for one in every) == 40


@pytest.mark.parametrize("kind", kinds(), ids=lambda kind: kind.name)
def test_a_needle_lies_among_changes_of_its_own_resource_and_shows_one_or_two_relations_away(
    kind: Kind,
) -> None:
    planting = next(one for one in plantings(1) if one.kind == kind.name)
    found = plant(planting, EVENTS)
    needle = found.world.trail.by_id[found.event]
    assert found.fires
    assert found.others >= 5
    assert found.denied >= 1
    assert found.distance in (1, 2)
    assert needle.time == found.world.facts["change.time"] - timedelta(minutes=planting.lag)
    assert "errorCode" not in needle.body


def test_foreign_records_become_the_accounts_own_and_end_near_the_symptom() -> None:
    planting = next(one for one in plantings(1) if one.kind == "bucket-notification")
    world = plant(planting, ()).world
    begun = world.facts["change.time"]
    moved = list(foreign(world, EVENTS, begun))
    assert len(moved) == len(EVENTS)
    assert not any(ACCOUNT in one.text for one in moved)
    assert {one.region for one in moved} == {world.global_region, world.region}
    assert all(one.region == world.global_region for one in moved[:12])
    assert all(one.body["awsRegion"] == one.region for one in moved)
    assert moved[29].time - moved[0].time == timedelta(minutes=29)
    assert begun - BEFORE < moved[-1].time <= begun + timedelta(minutes=15)
    assert [one.read_only for one in moved] == [False] * 30 + [True]
    assert all(timedelta(minutes=2) <= one.delivered - one.time <= timedelta(minutes=9) for one in moved)
    assert len({one.id for one in moved}) == len(EVENTS)
    assert AFTER < BEFORE


def test_records_without_a_time_are_left_out() -> None:
    planting = next(one for one in plantings(1) if one.kind == "bucket-notification")
    world = plant(planting, ()).world
    timeless = {key: value for key, value in EVENTS[0].items() if key != "eventTime"}
    assert list(foreign(world, [timeless], world.start)) == []


def guess(event: str, probability: float) -> Hypothesis:
    return Hypothesis(
        id=f"{event}{probability}", kind="change", title="", event=event, probability=probability
    )


@pytest.mark.parametrize(
    ("probabilities", "rank", "first", "three"),
    [
        ((0.9, 0.05, 0.01), 1.0, 1.0, 1.0),
        ((0.4, 0.4, 0.1), 1.5, 0.5, 1.0),
        ((0.3, 0.4, 0.1), 2.0, 0.0, 1.0),
        ((0.1, 0.1, 0.1, 0.1, 0.1), 3.0, 0.2, 0.6),
        ((0.1, 0.2, 0.2, 0.2), 4.0, 0.0, 0.0),
    ],
)
def test_equals_share_their_places(
    probabilities: tuple[float, ...], rank: float, first: float, three: float
) -> None:
    found = [guess(f"e{number}", value) for number, value in enumerate(probabilities)]
    place = ranked(found, "e0", 100)
    assert (place.rank, place.among(1), place.among(3)) == pytest.approx((rank, first, three))


def test_what_has_no_event_takes_a_place_and_the_best_of_several_counts() -> None:
    outside = Hypothesis(id="outside", kind="outside", title="", probability=0.6)
    found = [outside, guess("needle", 0.1), guess("needle", 0.3)]
    assert ranked(found, "needle", 100) == Place(above=1, tied=1)


def test_what_is_not_listed_shares_the_end() -> None:
    place = ranked([guess("a", 0.7), guess("b", 0.3)], "needle", 12)
    assert (place.above, place.tied, place.rank, place.among(3)) == (2, 10, 7.5, 0.1)


@pytest.mark.parametrize("content", ["", "[]", json.dumps(record(0, "ec2", "DescribeInstances", read=True))])
def test_data_without_changes_is_a_clear_error(tmp_path: Path, content: str) -> None:
    path = tmp_path / "events.json"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(BadInput, match="change"):
        run(path)


def test_a_path_that_is_not_there_is_a_clear_error(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="does not exist"):
        run(tmp_path / "nothing.jsonl")


def _opsleuth(result: BenchResult) -> Json:
    ways = result.figures["ways"]
    assert isinstance(ways, dict)
    return dict(ways["opsleuth"])


def test_the_needle_is_found_and_what_is_planted_and_harmless_is_not_blamed(data: Path) -> None:
    planted = next(one for one in plantings(1) if one.kind == "bucket-notification")
    control = replace(next(one for one in plantings(1) if one.kind == "table-write-limit"), breaks=False)
    held_out = next(one for one in plantings(6) if (one.kind, one.number) == (planted.kind, 5))
    both = run(data, [planted, control], processes=1)
    again = run(data, [planted], processes=1)
    assert both.ok
    assert both.figures["by_kind"] == again.figures["by_kind"]
    assert both.figures["ways"] == again.figures["ways"]
    assert both.figures["controls"] == {"plantings": 1, "first": 0, "named": 0, "blamed": 0}
    assert both.figures["split"] == {"development": {"plantings": 1, **_opsleuth(both), "named": 1}}
    apart = run(data, [held_out], processes=1)
    assert apart.figures["split"] == {"held out": {"plantings": 1, **_opsleuth(apart), "named": 1}}
    assert "opsleuth, held out (1)" in apart.text
    assert "held out" not in both.text
    ways = both.figures["ways"]
    assert isinstance(ways, dict)
    assert ways["opsleuth"]["median_rank"] == 1
    assert ways["random"]["median_rank"] > 10
    for words in (
        str(data),
        "opsleuth",
        "by chance",
        "bucket-notification",
        "controls",
        "31 events, 30 of them",
    ):
        assert words in both.text
