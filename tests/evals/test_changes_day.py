"""A day of 3,000 events of simulated accounts: twelve changes that people made, and everything else counted."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

import pytest

from evals import register
from evals.world import World, load_case
from evals.world.identities import Cast
from evals.world.seed import Seed
from evals.world.trail import Deed, Record, record
from evals.worlds import open_world
from graph import Context
from graph import session as sessions
from graph.changes import fold
from graph.risk import by_hand
from graph.undoing import door
from graph.undoing.door import Seen
from tools.cloudtrail_events import parse
from tools.cloudtrail_lookup import clamp
from tools.errors import BadInput, CannotInvestigate
from tools.models import Json, Window

DAY = timedelta(hours=24)
TOTAL = 3000


@dataclass(frozen=True)
class Made:
    """One of the further changes: who made it, what, and what must be told of it."""

    name: str
    deed: Deed
    before: str  # of its first field
    after: str


def human(world: World) -> list[Made]:
    """Eleven changes by people, of things that the case does not hang on. Each alone in what it touches."""
    function = next(one for one in world.of("function") if one.arn not in _spared(world))
    port = {"ipProtocol": "tcp", "fromPort": 22, "toPort": 22}
    rule = {"items": [{**port, "ipRanges": {"items": [{"cidrIp": "203.0.113.7/32"}]}}]}
    group = {"groupId": "sg-0c0c0c0c0c0c0c0c0", "ipPermissions": rule}
    policy = {"roleName": "reporting-role", "policyArn": "arn:aws:iam::aws:policy/ReadOnlyAccess"}
    versioning = {"bucketName": "media", "VersioningConfiguration": {"Status": "Suspended"}}
    hidden = {"name": "/sales/flag", "value": "HIDDEN_DUE_TO_SECURITY_REASONS", "type": "String"}
    dashboard = {"dashboardName": "sales", "dashboardBody": "{}"}
    tag = {"resource": function.arn, "tags": {"cost": "9"}}

    def made(name: str, source: str, action: str, request: Json, before: str, after: str) -> Made:
        return Made(name, Deed(source=source, name=action, request=request, response={}), before, after)

    days = {"logGroupName": "/app/report", "retentionInDays": 3}
    return [
        made("retention", "logs", "PutRetentionPolicy", days, "unknown", "3"),
        made("dashboard", "monitoring", "PutDashboard", dashboard, "unknown", "{}"),
        made("rule", "ec2", "AuthorizeSecurityGroupIngress", group, "unknown", "22"),
        made("attach", "iam", "AttachRolePolicy", policy, "unknown", ""),
        made("bucket", "s3", "PutBucketVersioning", versioning, "unknown", "Suspended"),
        made("topic", "sns", "CreateTopic", {"name": "sales-news"}, "none", "new"),
        made("parameter", "ssm", "PutParameter", hidden, "unknown", "not shown"),
        made(
            "key",
            "kms",
            "EnableKeyRotation",
            {"keyId": "8f0f2a7e-0000-4000-8000-0c1de2b4d21e"},
            "unknown",
            "",
        ),
        made("queue", "sqs", "CreateQueue", {"queueName": "sales-jobs"}, "none", "new"),
        made(
            "project", "codebuild", "UpdateProject", {"name": "site", "timeoutInMinutes": 20}, "unknown", "20"
        ),
        made("tag", "lambda", "TagResource20170331v2", tag, "unknown", "9"),
    ]


def _spared(world: World) -> set[str]:
    return {value for value in world.facts.values() if isinstance(value, str) and value.startswith("arn:")}


def _people(world: World) -> list[Any]:
    cast = world.cast
    assert isinstance(cast, Cast)
    return [
        cast.user_console("h.suzuki", "203.0.113.31"),
        cast.sso("PowerUserAccess", "r.silva", "203.0.113.45", console=True),
    ]


@cache
def day(case: str, seed: int) -> tuple[World, tuple[Made, ...], dict[str, str]]:
    """The case's world with exactly TOTAL events in its last day, twelve of them effective and by people."""
    world = load_case(case, seed, "noisy")
    asked = clamp(Window(start=world.start - DAY, end=world.start), world.start)
    begin, end = asked.start, asked.end
    change = str(world.facts["change.event_id"])
    kept = [
        one
        for one in world.trail.records
        if one.id == change or not begin <= one.time < end or not _effective_by_hand(one)
    ]
    made, ids, people = human(world), {}, _people(world)
    for place, item in enumerate(made):
        moment = begin + timedelta(hours=1, minutes=97 * place)
        region = world.global_region if item.deed.source == "iam" else world.region
        who = people[place % len(people)]
        extra = record(Seed(seed), f"human:{item.name}", moment, 200, region, world.account, who, item.deed)
        ids[item.name] = extra.id
        kept.append(extra)
    shown = [one for one in kept if begin <= one.time < end and one.delivered <= world.start]
    quiet = [one.id for one in shown if one.read_only]
    surplus = set(quiet[: len(shown) - TOTAL])
    late = {one.id for one in kept if begin <= one.time < end and world.start < one.delivered}
    world.trail.records = [one for one in kept if one.id not in surplus | late]
    world.trail.settle()
    return world, tuple(made), ids


def _effective_by_hand(one: Record) -> bool:
    """What a person changed: the day holds of these only the case's own and those that the test makes."""
    event = parse(one.body)
    return fold(event) is None and (by_hand(event) or one.arn != "")


@cache
def _seen(case: str, seed: int) -> tuple[Seen, World, tuple[Made, ...], dict[str, str]]:
    world, made, ids = day(case, seed)
    sessions.register("day", lambda _: world.transport())
    found = door.changes([Context(source="day:any", region=world.region)], DAY)
    return found, world, made, ids


@pytest.fixture
def seen(request: pytest.FixtureRequest) -> tuple[Seen, World, tuple[Made, ...], dict[str, str]]:
    return _seen(*request.param)


CASES = [("dynamodb-max-write", 1), ("private-route-deleted", 2), ("database-rule-revoked", 1)]


@pytest.mark.parametrize("seen", CASES, indirect=True, ids=lambda one: one[0])
def test_a_day_is_told_in_a_page(seen: tuple[Seen, World, tuple[Made, ...], dict[str, str]]) -> None:
    found, world, made, ids = seen
    listed = found.listing
    assert listed.total == TOTAL
    assert listed.shown + sum(listed.folded.values()) == TOTAL
    assert len(listed.lines) <= 20
    place = {one: number for number, line in enumerate(listed.lines) for one in line.events}
    harmful = world.facts["change.event_id"]
    assert place[harmful] < 3
    assert len({place[one] for one in (*ids.values(), harmful)}) == 12
    for item in made:
        first = listed.lines[place[ids[item.name]]].fields[0]
        assert first.before == item.before, item.name
        assert item.after in first.after, (item.name, first)
    assert listed.lines[place[harmful]].status == "in force"


@pytest.mark.parametrize("seen", CASES[:1], indirect=True, ids=lambda one: one[0])
def test_the_harmful_change_has_its_true_values(
    seen: tuple[Seen, World, tuple[Made, ...], dict[str, str]],
) -> None:
    found, world, _, _ = seen
    harmful = world.facts["change.event_id"]
    line = next(line for line in found.listing.lines if harmful in line.events)
    told = {one.name: (one.before, one.after) for one in line.fields}
    assert told["maximum write throughput"] == (
        f"{world.facts['change.before']} writes per second",
        f"{world.facts['change.after']} writes per second",
    )


@pytest.mark.parametrize(
    ("case", "operation", "value"),
    [
        ("dynamodb-max-write?seed=2", "UpdateTable", "change.before"),
        ("dynamodb-max-write?seed=2&drop=prior", "UpdateTable", "change.before"),  # only the metric tells
        ("private-route-deleted?seed=2", "CreateRoute", ""),
        ("database-rule-revoked?seed=2", "AuthorizeSecurityGroupIngress", ""),
        ("lambda-concurrency-cut?seed=2", "PutFunctionConcurrency", "change.before"),
        ("role-permission-removed?seed=2", "PutRolePolicy", ""),
    ],
)
def test_the_change_of_a_case_is_undone_exactly(case: str, operation: str, value: str) -> None:
    register()
    world = open_world(case)
    made, _ = door.undo(Context(source=f"world:{case}"), world.facts["change.event_id"])
    assert made.outcome == "exact"
    assert [call.operation for call in made.calls] == [operation]
    if value:
        assert str(world.facts[value]) in str(made.calls[0].parameters)
    assert made.back


def test_near_leaves_out_the_rest_and_counts_it() -> None:
    register()
    case = "dynamodb-max-write?seed=2"
    world = open_world(case)
    found = door.changes([Context(source=f"world:{case}")], DAY, near=world.facts["change.resource"])
    assert world.facts["change.event_id"] in found.listing.lines[0].events
    assert found.listing.folded["elsewhere"] > 0
    assert found.listing.shown + sum(found.listing.folded.values()) == found.listing.total


def test_a_refused_trail_is_an_error_and_no_empty_list() -> None:
    register()
    with pytest.raises(CannotInvestigate, match="cloudtrail:LookupEvents"):
        door.changes([Context(source="world:cloudtrail-denied?seed=1")], DAY)


def test_an_event_that_is_not_there() -> None:
    register()
    with pytest.raises(BadInput, match="--region"):
        door.undo(Context(source="world:dynamodb-max-write?seed=2"), "00000000-0000-4000-8000-000000000000")


def test_a_time_without_length() -> None:
    register()
    moment = datetime(2030, 1, 1, tzinfo=UTC)
    with pytest.raises(BadInput, match="--since"):
        door.changes([Context(source="world:dynamodb-max-write?seed=2")], moment)
