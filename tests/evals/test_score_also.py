"""Further true causes judged: named, with event, values and person, in order; and never one that is not."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from evals.score import score, silence
from evals.score_also import also_item
from evals.truth import Truth
from graph.models import ChangedBy, Incident, Prevention, Report, RootCause, Trigger
from tools.models import Actor, PriorSource, Statement

ACCOUNT, REGION = "111122223333", "eu-central-1"
TABLE = f"arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/carts"
WRITER = f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:cart-writer"
QUEUE = f"arn:aws:sqs:{REGION}:{ACCOUNT}:carts"
AT = datetime(2026, 5, 4, 9, 0, tzinfo=UTC)


def cause(resource: str, field: str, name: str, minutes: int, prior: int) -> RootCause:
    at = AT + timedelta(minutes=minutes)
    return RootCause(
        kind="change", resource=resource, field=field, bad_value=1, prior_known=True, prior_value=prior,
        prior_sources=(PriorSource(kind="previous_event", value=prior, time=AT - timedelta(days=9), said_by="it"),),
        event=ChangedBy(id=f"by-{name}", action="Put", operation="Put", time=at, region=REGION),
        earliest=at, latest=at, confidence=0.95, statement=Statement(text="It was cut."),
        actor=Actor(kind="iam_user", name=name, how="console", mfa=True, source_ip="203.0.113.7"),
    )  # fmt: skip


FIRST = cause(TABLE, "Max", "dana", 0, 90)
SECOND = cause(WRITER, "Reserved", "kim", 8, 50)
THIRD = cause(QUEUE, "Visibility", "lee", 9, 30)


def truth(*further: RootCause, **changed: Any) -> Truth:
    def said(one: RootCause) -> dict[str, Any]:
        assert one.event is not None
        return {
            "kind": "change", "resource": one.resource, "field": one.field, "bad": 1, "prior": one.prior_value,
            "event": one.event.id, "sources": ["previous_event"],
        }  # fmt: skip

    def person(one: RootCause) -> dict[str, Any]:
        assert one.actor is not None
        return {
            "kind": "iam_user",
            "name": one.actor.name,
            "how": "console",
            "source_ip": "203.0.113.7",
            "mfa": True,
        }

    also = [{**said(one), "actor": person(one), **changed} for one in further]
    return Truth.model_validate(
        {"verdict": "root_cause", "cause": said(FIRST), "actor": person(FIRST), "also": also}
    )


def report(*also: RootCause) -> Report:
    return Report(
        verdict="root_cause", headline="Two causes at once", as_of=AT + timedelta(minutes=20),
        trigger=Trigger(alarm="a"), incident=Incident(account=ACCOUNT, region=REGION, resource=WRITER),
        broken=Statement(text="Requests fail."), why=Statement(text="Two limits were cut."),
        root_cause=FIRST, also=also,
        prevention=(Prevention(kind="block", title="t", why="w", artefact_name="a.json", artefact={"a": 1}),),
    )  # fmt: skip


def test_the_right_further_causes_pass() -> None:
    assert also_item(report(SECOND), truth(SECOND)).ok
    assert also_item(report(SECOND, THIRD), truth(SECOND, THIRD)).ok
    alone = also_item(report(), truth())
    assert (alone.ok, alone.asked) == (True, False)


@pytest.mark.parametrize(
    ("told", "expected", "why"),
    [
        ((), (SECOND,), f"change of {WRITER} is not named as a cause too"),
        ((SECOND,), (), f"names change of {WRITER} as a cause too"),
        ((SECOND, THIRD), (SECOND,), f"names change of {QUEUE} as a cause too"),
        ((THIRD, SECOND), (SECOND, THIRD), "not told in the order in which they happened"),
        ((SECOND.model_copy(update={"prior_value": 51}),), (SECOND,), "prior value: expected 50, got 51"),
        ((SECOND.model_copy(update={"prior_known": False}),), (SECOND,), "prior value: expected 50, got None"),
        ((SECOND.model_copy(update={"bad_value": 2}),), (SECOND,), "bad value: expected 1, got 2"),
        ((SECOND.model_copy(update={"event": None}),), (SECOND,), "event: expected 'by-kim', got ''"),
        ((SECOND.model_copy(update={"actor": FIRST.actor}),), (SECOND,), "actor name: expected 'kim', got 'dana'"),
        ((SECOND.model_copy(update={"actor": None}),), (SECOND,), "nobody is named; expected kim"),
        ((SECOND.model_copy(update={"prior_sources": ()}),), (SECOND,), "no source of kind previous_event tells 50"),
    ],
)  # fmt: skip
def test_whatever_is_wrong_with_a_further_cause_is_told(
    told: tuple[RootCause, ...], expected: tuple[RootCause, ...], why: str
) -> None:
    found = also_item(report(*told), truth(*expected))
    assert not found.ok
    assert why in found.why


def test_a_further_cause_that_is_none_is_a_wrong_answer() -> None:
    assert score([report(SECOND)], truth(SECOND), lambda _: ()).stance == "right"
    assert score([report()], truth(SECOND), lambda _: ()).stance == "right", (
        "the first is right, one is missing"
    )
    assert score([report(SECOND)], truth(), lambda _: ()).stance == "wrong"


def test_before_delivery_nobody_of_either_is_named() -> None:
    early = report(SECOND).model_copy(update={"root_cause": None})
    assert any("names somebody" in problem for problem in silence(early, truth(SECOND)))
    said = report().model_copy(update={"root_cause": None, "why": Statement(text="Perhaps kim did it.")})
    assert any("tells kim" in problem for problem in silence(said, truth(SECOND)))
    quiet = report().model_copy(update={"root_cause": None})
    assert not silence(quiet, truth(SECOND))
