from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evals.cases import find
from evals.score import Score
from evals.truth import Truth
from evals.variation import VARIATIONS, causes, chosen, expected, fits, judge, source
from evals.world.variants import NAMES
from evals.worlds import open_world
from graph.models import (
    ChangedBy,
    Incident,
    Mitigation,
    Prevention,
    Report,
    RootCause,
    Step,
    Trigger,
)
from tools.errors import BadInput
from tools.models import Actor, Call, Onset, Statement
from tools.parameters import validate

ACCOUNT, REGION = "111122223333", "eu-west-1"
QUEUE = f"https://sqs.{REGION}.amazonaws.com/{ACCOUNT}/parcels"
ARN = f"arn:aws:sqs:{REGION}:{ACCOUNT}:parcels"
START = datetime(2026, 4, 7, 8, 0, tzinfo=UTC)
CHANGED, DELIVERED = START - timedelta(minutes=3), START + timedelta(minutes=22)
EVENT = "5a5a1c8e-1111-4222-8333-444455556666"


def put(seconds: int) -> dict[str, Any]:
    return {"QueueUrl": QUEUE, "Attributes": {"VisibilityTimeout": str(seconds)}}


def true(seconds: int) -> dict[str, Any]:
    return {"service": "sqs", "operation": "SetQueueAttributes", "parameters": put(seconds)}


TRUTH = Truth.model_validate(
    {
        "verdict": "root_cause",
        "cause": {
            "kind": "change", "resource": ARN, "field": "VisibilityTimeout", "bad": 1, "prior": 60,
            "event": EVENT, "sources": ["metric"],
        },
        "actor": {"kind": "iam_user", "name": "k.brandt", "how": "console"},
        "plan": {"apply": [true(60)], "rollback": [true(1)]},
    }
)  # fmt: skip


def plan() -> Mitigation:
    first = Call(service="sts", operation="GetCallerIdentity", parameters={})
    calls = [
        Call(service="sqs", operation="SetQueueAttributes", parameters=put(n), region=REGION) for n in (60, 1)
    ]
    return Mitigation(
        summary="put it back",
        prepare=(Step(title="Right account?", calls=(first,), expect=(ACCOUNT,)),),
        apply=(Step(title="Apply", calls=calls[:1]),),
        rollback=(Step(title="Way back", calls=calls[1:]),),
    )


def cause(kind: Any = "change", *, person: bool = True, **other: Any) -> RootCause:
    event = ChangedBy(
        id=EVENT, action="SetQueueAttributes", operation="SetQueueAttributes", time=CHANGED, region=REGION
    )
    known = {"prior_known": True, "prior_value": 60, **other}
    return RootCause(
        kind=kind, resource=ARN, field="VisibilityTimeout", bad_value=1, confidence=0.9,
        statement=Statement(text="It was lowered."),
        event=event if person else None,
        actor=Actor(kind="iam_user", name="k.brandt", how="console") if person else None,
        **known,
    )  # fmt: skip


MEASURES = (Prevention(kind="notice", title="t", why="so", artefact_name="a.json", artefact={"a": 1}),)


def report(verdict: Any, minutes: int, told: RootCause | None = None, **other: Any) -> Report:
    return Report(
        verdict=verdict, as_of=START + timedelta(minutes=minutes), trigger=Trigger(alarm="a"),
        incident=Incident(
            account=ACCOUNT, region=REGION, resource=ARN,
            onset=Onset(earliest=CHANGED, latest=CHANGED, confidence=0.9, shape="step"),
        ),
        broken=Statement(text="Messages come twice."), why=Statement(text="So it is."), root_cause=told,
        prevention=MEASURES,
        **{"headline": "parcels", "mitigation": plan() if told else None, **other},
    )  # fmt: skip


def judged(
    name: str, *reports: Report, truth: Truth = TRUTH, delivered: datetime | None = DELIVERED
) -> Score:
    numbered = [one.model_copy(update={"revision": number}) for number, one in enumerate(reports, 1)]
    return judge(VARIATIONS[name], numbered, truth, START, {EVENT: delivered} if delivered else {}, validate)


def failed(score: Score) -> list[str]:
    return [one.name for one in score.failed]


FOUND = report("root_cause", 25, cause())
WAITS = report("not_yet", 10)


# -- which variants ------------------------------------------------------------------------------


def test_all_variants_or_some_in_order_each_once() -> None:
    assert [one.name for one in chosen("all")] == [*NAMES, "delayed-85-impatient"]
    assert [one.name for one in chosen(" removed, noisy,removed")] == ["removed", "noisy"]
    assert chosen("") == ()


@given(st.text(st.characters(exclude_characters=","), min_size=1).filter(lambda text: text.strip()))
def test_unknown_variants_are_refused_with_the_known(text: str) -> None:
    if text.strip() in VARIATIONS or text == "all":
        return
    with pytest.raises(BadInput, match="delayed-85-impatient"):
        chosen(text)


def test_the_events_of_all_causes_are_found_and_others_are_not() -> None:
    template = {
        "cause": {"event": "$first.event_id", "prior": "$first.before"},
        "also": [{"event": "$second-one.event_id"}, {"event": "$first.event_id"}],
        "ruled_out": [{"event": "$decoy.event_id"}],
    }
    assert causes(template) == ("first", "second-one")
    assert causes({"verdict": "recovered"}) == ()


@pytest.mark.parametrize(
    ("told", "late"),
    [
        ({"kind": "change", "event": "$a.event_id"}, True),
        ({"kind": "setting"}, False),
        ({"kind": "condition"}, False),
        ({"kind": "alarm_changed", "event": "$a.event_id"}, False),
        (None, False),
    ],
)
def test_only_a_change_that_can_be_seen_is_seen_late(told: Any, late: bool) -> None:
    fitting = {one.name for one in VARIATIONS.values() if fits(one, {"cause": told})}
    assert {name for name in VARIATIONS if not name.startswith("delayed")} <= fitting
    assert ({name for name in VARIATIONS if name.startswith("delayed")} <= fitting) == late
    assert ("delayed-3" in fitting) == late


def test_the_source_of_a_removed_cause_names_its_events() -> None:
    (case,) = find(only=["dynamodb-max-write"])
    text = source(case.folder, 3, VARIATIONS["removed"], case.truth)
    assert text == f"{case.folder}?seed=3&vary=removed&drop=change"
    world = open_world(text)
    assert "change.event_id" not in world.facts
    late = open_world(source(case.folder, 3, VARIATIONS["delayed-85-impatient"], case.truth))
    true = late.trail.by_id[late.facts["change.event_id"]]
    assert true.delivered - true.time == timedelta(minutes=85)


# -- how they are judged -------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["noisy", "shifted", "shuffled", "throttled", "partition"])
def test_other_conditions_change_no_answer(name: str) -> None:
    assert expected(VARIATIONS[name], [FOUND], TRUTH, START, {EVENT: CHANGED}) is TRUTH
    assert failed(judged(name, report("not_found", 5))) == ["verdict", "cause", "prior", "actor", "plan"]


@pytest.mark.parametrize("verdict", ["not_found", "no_incident", "recovered"])
def test_without_a_cause_nobody_is_blamed(verdict: Any) -> None:
    calm = judged("removed", report(verdict, 5), truth=Truth(verdict="not_found"))
    assert (failed(calm), calm.stance) == ([], "right")


def test_without_a_cause_a_name_a_plan_or_waiting_is_wrong() -> None:
    nothing = Truth(verdict="not_found")
    assert failed(judged("removed", FOUND, truth=nothing)) == ["verdict", "cause", "prior", "actor", "plan"]
    assert failed(judged("removed", report("not_yet", 5), truth=nothing)) == ["verdict"]
    applied = report("recovered", 5, mitigation=plan())
    assert failed(judged("removed", applied, truth=nothing)) == ["plan"]
    claimed = judge(VARIATIONS["removed"], [report("recovered", 5)], nothing, START, {}, validate, ["says 3"])
    assert failed(claimed) == ["claims"]


def test_late_events_are_waited_for_in_silence() -> None:
    score = judged("delayed-25", WAITS, FOUND)
    assert failed(score) == []
    assert {"revisions", "silence"} <= {one.name for one in score.items if one.asked}


def test_what_was_delivered_before_the_look_is_found_at_once() -> None:
    assert failed(judged("delayed-3", FOUND, delivered=START, truth=_without_sources())) == []
    waited = judged("delayed-3", WAITS, FOUND, delivered=START, truth=_without_sources())
    assert "silence" not in {one.name for one in waited.items if one.asked}


def _without_sources() -> Truth:
    assert TRUTH.cause is not None
    return TRUTH.model_copy(update={"cause": TRUTH.cause.model_copy(update={"sources": ()})})


NAMED = report("not_yet", 10, headline="parcels: ask k.brandt")
HURRIED = report("root_cause", 10, cause("setting", person=False))


@pytest.mark.parametrize(
    ("reports", "wrong"),
    [
        ((FOUND.model_copy(update={"as_of": START}),), ["silence"]),
        ((NAMED, FOUND), ["silence"]),
        ((HURRIED, FOUND), ["revisions"]),
        ((WAITS, report("not_found", 25)), ["verdict", "cause", "prior", "actor", "plan"]),
        ((WAITS, report("root_cause", 25, cause("setting", person=False))), ["cause", "actor"]),
    ],
)
def test_a_late_event_is_neither_guessed_nor_forgotten(reports: Sequence[Report], wrong: list[str]) -> None:
    found = failed(judged("delayed-25", *reports))
    assert found == [name for name in found if name in wrong or name == "revisions"]
    assert set(wrong) <= set(found)


@pytest.mark.parametrize(
    "last",
    [
        report("not_yet", 20),
        report("not_found", 20),
        report("root_cause", 20, cause("setting", person=False)),
        report(
            "root_cause",
            20,
            cause("setting", person=False, prior_known=False, prior_value=None),
            mitigation=None,
        ),
    ],
)
def test_who_gives_up_waiting_tells_no_more_than_is_seen(last: Report) -> None:
    assert failed(judged("delayed-85-impatient", WAITS, last)) == []
    assert {"cause", "actor"} <= set(failed(judged("delayed-85", WAITS, last))), "there was time to wait"


@pytest.mark.parametrize(
    ("last", "wrong"),
    [
        (report("no_incident", 20), "verdict"),
        (report("root_cause", 20, cause("setting")), "silence"),
        (report("root_cause", 20, cause("condition", person=False)), "cause"),
        (report("root_cause", 20, cause("setting", person=False, prior_value=50)), "prior"),
        (report("not_found", 20, headline="parcels: k.brandt"), "silence"),
        (report("not_found", 20, mitigation=plan()), "plan"),
    ],
)
def test_who_gives_up_waiting_invents_nothing(last: Report, wrong: str) -> None:
    assert wrong in failed(judged("delayed-85-impatient", WAITS, last))


def test_a_run_without_report_is_not_right() -> None:
    for name in ("noisy", "removed", "delayed-12"):
        assert failed(judged(name)) == ["verdict"]


def test_a_second_cause_is_asked_for_once_cloudtrail_shows_it() -> None:
    other = f"arn:aws:sqs:{REGION}:{ACCOUNT}:letters"
    second = {"kind": "change", "resource": other, "field": "VisibilityTimeout", "bad": 2, "event": "e-2"}
    call = {
        "service": "sqs",
        "operation": "SetQueueAttributes",
        "parameters": {"QueueUrl": "https://q/letters"},
    }
    truth = Truth.model_validate(
        {
            **_without_sources().model_dump(exclude_unset=True),
            "also": [second],
            "plan": {"apply": [true(60), call], "rollback": [call, true(1)]},
        }
    )
    shown = {EVENT: DELIVERED, "e-2": FOUND.as_of + timedelta(minutes=1)}
    reports = tuple(one.model_copy(update={"revision": n}) for n, one in enumerate((WAITS, FOUND), 1))
    early = judge(VARIATIONS["delayed-25"], reports, truth, START, shown, validate)
    assert failed(early) == []
    late = judge(VARIATIONS["delayed-25"], reports, truth, START, {**shown, "e-2": FOUND.as_of}, validate)
    assert {"also", "plan"} <= set(failed(late))
