"""The list of changes: what is a line, what is folded, in which order; nothing is dropped."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from graph.changes import FOLDED, Listing, effective, fold, how, listing, merged
from graph.undoing.known import Known
from tests.graph.test_undo_outcomes import TABLE, event, limit, table
from tools.models import Actor, ChangeEvent, Json

PIPELINE = Actor(kind="ci", name="deployer", how="sdk", role="deployer", session="run-7")
SERVICE = Actor(kind="service_linked_role", name="AWSServiceRoleForAutoScaling", how="service")
CODE: Json = {"functionName": "writer", "publish": False}


def by(actor: Actor, one: ChangeEvent) -> ChangeEvent:
    return replace(one, actor=actor)


def read(hours: float) -> ChangeEvent:
    return replace(event("dynamodb", "DescribeTable", hours, {"tableName": "orders"}), read_only=True)


def made(*events: ChangeEvent, earlier: tuple[ChangeEvent, ...] = (), **known: Any) -> Listing:
    return listing(events, Known(events=(*earlier, *events), **known))


def test_a_limit_cut_by_hand_is_told_with_both_values_and_why_it_is_risky() -> None:
    demand = {(TABLE, "ConsumedWriteCapacityUnits"): 96.0}
    found = made(
        limit(1, 2), earlier=(limit(900, 250),), resources=table(2), demand=demand, callers={TABLE: 3}
    )
    (line,) = found.lines
    assert [(one.name, one.before, one.after) for one in line.fields] == [
        ("maximum write throughput", "250 writes per second", "2 writes per second")
    ]
    assert (line.who, line.how, line.status, line.count) == ("dana", "command line", "in force", 1)
    assert line.risk.reasons == (
        "2 is below the mean demand of 96 in the 3 h before",
        "can make requests fail",
        "3 rely on it",
        "by hand",
    )


def test_a_value_that_no_source_tells_is_unknown() -> None:
    (line,) = made(limit(1, 2), resources=table(2)).lines
    assert [one.before for one in line.fields] == ["unknown"]


@pytest.mark.parametrize(
    ("now", "later", "status"),
    [(2, None, "in force"), (250, 250, "undone"), (900, 900, "changed again")],
)
def test_whether_it_is_still_in_force(now: int, later: int | None, status: str) -> None:
    after = () if later is None else (limit(0.5, later),)
    known = Known(events=(limit(900, 250), limit(1, 2), *after), resources=table(now))
    (line,) = listing([limit(1, 2)], known).lines
    assert line.status == status


def test_what_is_folded_is_counted_by_kind() -> None:
    sign_in = event("signin", "ConsoleLogin", 2, {}, eventType="AwsConsoleSignIn")
    reaction = by(SERVICE, limit(3, 40))
    again = limit(0.5, 2)
    found = made(read(1), read(2), sign_in, reaction, limit(1, 2), again, resources=table(2))
    assert found.folded == {
        "reads": 2,
        "service reactions": 1,
        "no-ops": 1,
        "sign-ins": 1,
        "elsewhere": 0,
    }
    assert [line.events for line in found.lines] == [(limit(1, 2).id,)]
    assert found.shown + sum(found.folded.values()) == found.total == 6


def test_a_refused_attempt_is_a_line_of_its_own_and_comes_last() -> None:
    refused = [limit(hours, 1, errorCode="AccessDeniedException") for hours in (1, 2, 3)]
    tag = event(
        "dynamodb", "TagResource", 4, {"resourceArn": TABLE, "tags": [{"key": "team", "value": "shop"}]}
    )
    found = made(*refused, tag)
    assert [(line.status, line.count, line.code) for line in found.lines] == [
        ("in force", 1, ""),
        ("denied", 3, "AccessDeniedException"),
    ]
    assert found.lines[1].fields == ()


def test_a_pipelines_routine_is_one_line_and_every_event_of_it_is_in_it() -> None:
    runs = [
        by(PIPELINE, event("lambda", "UpdateFunctionCode20150331v2", hours, {**CODE, "functionName": name}))
        for hours, name in enumerate(("writer", "reader", "mailer"), 1)
    ]
    (line,) = made(*runs).lines
    assert set(line.events) == {one.id for one in runs}
    assert line.events[0] == runs[0].id
    assert (line.how, line.name, len(line.resources)) == ("pipeline (ci)", "function writer and 2 more", 3)


def test_two_people_who_change_the_same_are_two_lines() -> None:
    other = by(Actor(kind="iam_user", name="kim", how="console"), limit(0.5, 9))
    found = made(limit(1, 2), other, earlier=(limit(900, 250),), resources=table(9))
    assert [(line.who, line.status) for line in found.lines] == [
        ("kim", "in force"),
        ("dana", "changed again"),
    ]
    assert found.lines[0].fields[0].before == "2 writes per second"


def test_the_riskier_change_comes_first_whatever_the_time() -> None:
    tag = event(
        "dynamodb", "TagResource", 0.1, {"resourceArn": TABLE, "tags": [{"key": "team", "value": "shop"}]}
    )
    raised = by(PIPELINE, limit(20, 400))
    found = made(tag, raised, limit(1, 2), earlier=(limit(900, 250),), resources=table(2))
    assert [line.operation for line in found.lines] == ["UpdateTable", "UpdateTable", "TagResource"]
    assert found.lines[0].who == "dana"


def test_outside_the_usual_path_counts() -> None:
    usual = tuple(by(PIPELINE, limit(hours, 250 + int(hours))) for hours in (900, 700, 500))
    (line,) = made(limit(1, 2), earlier=usual, resources=table(2)).lines
    assert "usually a pipeline changes it" in line.risk.reasons
    (other,) = made(limit(1, 2), earlier=(limit(900, 250),), resources=table(2)).lines
    assert "usually a pipeline changes it" not in other.risk.reasons
    assert line.risk.score > other.risk.score


def test_near_counts_what_is_elsewhere() -> None:
    far = event(
        "dynamodb",
        "UpdateTable",
        2,
        {"tableName": "carts", "onDemandThroughput": {"maxWriteRequestUnits": 1}},
    )
    found = listing([far, limit(1, 2)], Known(events=(far, limit(1, 2))), frozenset({TABLE}))
    assert [line.resources for line in found.lines] == [(TABLE,)]
    assert found.folded["elsewhere"] == 1


def test_a_removed_thing_is_told_with_what_was_there() -> None:
    route = {"routeTableId": "rtb-0a1b2c3d", "destinationCidrBlock": "0.0.0.0/0"}
    laid = event("ec2", "CreateRoute", 90, {**route, "natGatewayId": "nat-0a1b2c3d"})
    (line,) = made(event("ec2", "DeleteRoute", 1, route), earlier=(laid,)).lines
    assert [(one.name, one.before, one.after) for one in line.fields] == [
        ("DeleteRoute 0.0.0.0/0", "nat-0a1b2c3d", "removed")
    ]


def test_secrets_in_requests_are_not_printed() -> None:
    secret = "aws_secret_access_key=wJalrXUtnFEMIK7MDENGbPxRfiCYEXAMPLEKEY"
    one = event("codebuild", "UpdateProject", 1, {"name": "build", "environment": {"setup": secret}})
    (line,) = made(one).lines
    assert "wJalrXUtnFEMI" not in str(line.fields)


@pytest.mark.parametrize(
    ("actor", "words"),
    [
        (Actor(kind="iam_user", name="a", how="console"), "console"),
        (Actor(kind="iam_user", name="a", how="cli"), "command line"),
        (Actor(kind="role", name="a", how="sdk"), "program"),
        (PIPELINE, "pipeline (ci)"),
        (Actor(kind="iac", name="a", how="terraform"), "pipeline (terraform)"),
        (Actor(kind="cloudformation", name="a", how="cloudformation"), "pipeline (cloudformation)"),
        (Actor(kind="unknown", name="", how="unknown"), "unknown way"),
    ],
)
def test_how_it_was_done(actor: Actor, words: str) -> None:
    assert how(by(actor, limit(1, 2))) == words


def test_a_deployment_by_a_service_is_a_change_and_no_reaction() -> None:
    deployed = Actor(kind="role", name="deploy", how="service", invoked_by="codedeploy.amazonaws.com")
    scaled = Actor(kind="role", name="scale", how="service", invoked_by="autoscaling.amazonaws.com")
    found = made(by(deployed, limit(1, 2)), by(scaled, limit(2, 3)))
    assert [(line.who, line.how) for line in found.lines] == [("deploy", "pipeline (codedeploy)")]
    assert found.folded["service reactions"] == 1


def test_people_are_looked_at_before_pipelines() -> None:
    events = [by(PIPELINE, limit(0.1, 4)), read(0.2), limit(1, 2), by(SERVICE, limit(2, 3))]
    assert [one.actor.name for one in effective(events)] == ["dana", "deployer"]


def test_accounts_are_merged_by_risk() -> None:
    first = made(limit(1, 2), earlier=(limit(900, 250),), resources=table(2))
    second = made(read(1), by(PIPELINE, limit(1, 400)))
    both = merged([second, first])
    assert [line.who for line in both.lines] == ["dana", "deployer"]
    assert (both.total, both.shown, both.folded["reads"]) == (3, 2, 1)


_KINDS = st.sampled_from(["read", "limit", "same", "denied", "service", "tag", "route", "unknown"])


def _event(place: int, kind: str) -> ChangeEvent:
    hours = 1 + place / 10
    sent: Json = {"tableName": "orders"}
    found = {
        "read": read(hours),
        "limit": limit(hours, place + 1),
        "same": limit(hours, 7),
        "denied": limit(hours, 1, errorCode="AccessDeniedException"),
        "service": by(SERVICE, limit(hours, 5)),
        "tag": event("dynamodb", "TagResource", hours, {"resourceArn": TABLE, "tags": []}),
        "route": event(
            "ec2", "DeleteRoute", hours, {"routeTableId": "rtb-1", "destinationCidrBlock": "0.0.0.0/0"}
        ),
        "unknown": event("nosuch", "FrobnicateThing", hours, sent),
    }[kind]
    return replace(found, id=f"e{place}")


@given(st.lists(_KINDS, max_size=25))
def test_folded_and_shown_are_all(kinds: list[str]) -> None:
    events = [_event(place, kind) for place, kind in enumerate(kinds)]
    found = made(*events)
    assert found.total == len(events)
    assert found.shown + sum(found.folded.values()) == found.total
    told = [one for line in found.lines for one in line.events]
    assert len(told) == len(set(told))
    assert {one.id for one in events if fold(one) is not None}.isdisjoint(told)
    assert set(found.folded) == set(FOLDED)
    scores = [line.risk.score for line in found.lines]
    assert scores == sorted(scores, reverse=True)


def test_the_day_before_does_not_change_the_order_of_its_lines() -> None:
    events = [limit(1, 2), by(PIPELINE, limit(5, 100)), read(3)]
    one, two = made(*events), made(*reversed(events))
    assert one == two
    assert one.lines[0].time == datetime(2026, 3, 13, 17, tzinfo=UTC) - timedelta(hours=1)


def test_a_like_named_thing_neither_hides_a_change_nor_tells_the_value_before() -> None:
    def mutability(hours: float, repository: str, value: str) -> ChangeEvent:
        sent = {"repositoryName": repository, "imageTagMutability": value}
        return event("ecr", "PutImageTagMutability", hours, sent)

    one, other = mutability(2, "team-a/api", "IMMUTABLE"), mutability(1, "team-b/api", "IMMUTABLE")
    found = made(one, other)
    assert found.folded["no-ops"] == 0
    assert {field.before for line in found.lines for field in line.fields} == {"unknown"}
    again = mutability(0.5, "team-b/api", "IMMUTABLE")
    assert made(one, other, again).folded["no-ops"] == 1


def test_the_default_cluster_is_not_another_one() -> None:
    def execute(hours: float, **place: str) -> ChangeEvent:
        return event("ecs", "UpdateService", hours, {"service": "web", "enableExecuteCommand": True, **place})

    assert made(execute(2), execute(1, cluster="prod")).folded["no-ops"] == 0
    assert made(execute(2), execute(1, cluster="default")).folded["no-ops"] == 1


def test_a_version_is_compared_and_shown_as_text() -> None:
    def version(hours: float, value: str) -> ChangeEvent:
        return event("redshift", "ModifyCluster", hours, {"clusterIdentifier": "c", "clusterVersion": value})

    (line,) = made(version(1, "1.10"), earlier=(version(9, "1.1"),)).lines
    assert [(field.before, field.after) for field in line.fields] == [("1.1", "1.10")]


def test_two_policies_of_the_same_last_name_are_two_lines_each_with_its_arn() -> None:
    def attach(hours: float, path: str) -> ChangeEvent:
        arn = f"arn:aws:iam::111122223333:policy/{path}/Deploy"
        return event("iam", "AttachRolePolicy", hours, {"roleName": "r", "policyArn": arn})

    lines = made(attach(2, "a"), attach(1, "b")).lines
    assert sorted(line.fields[0].after for line in lines) == [
        f"arn:aws:iam::111122223333:policy/{path}/Deploy" for path in "ab"
    ]
