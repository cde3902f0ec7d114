from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from evals.comparing import same
from evals.score import Score, onset_error, score
from evals.truth import Truth
from graph.models import (
    ChangedBy,
    Hypothesis,
    Incident,
    Mitigation,
    Prevention,
    Report,
    RootCause,
    Step,
    Trigger,
)
from tools.models import Actor, Call, Gap, Onset, PriorSource, Statement
from tools.parameters import validate

ACCOUNT, REGION = "111122223333", "eu-west-1"
TABLE = f"arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/carts"
CHANGED = datetime(2026, 2, 3, 4, 5, 6, tzinfo=UTC)
ONSET = CHANGED + timedelta(seconds=70)
EVENT, DECOY = "0b3c1c8e-1111-4222-8333-444455556666", "7d1f0000-2222-4333-8444-555566667777"
PATH = "OnDemandThroughput.MaxWriteRequestUnits"


def limits(write: int, read: int = 400) -> dict[str, Any]:
    return {
        "TableName": "carts",
        "OnDemandThroughput": {"MaxReadRequestUnits": read, "MaxWriteRequestUnits": write},
    }


def true_update(write: int) -> dict[str, Any]:
    return {"service": "dynamodb", "operation": "UpdateTable", "parameters": limits(write)}


TRUTH: dict[str, Any] = {
    "verdict": "root_cause",
    "cause": {
        "kind": "change", "resource": TABLE, "field": PATH, "bad": 3, "prior": 90, "event": EVENT,
        "sources": ["previous_event", "metric"],
    },
    "actor": {"kind": "iam_user", "name": "dana", "how": "console", "source_ip": "203.0.113.9", "mfa": True},
    "onset": ONSET,
    "onset_within": 60,
    "gaps": [{"code": "AccessDenied", "action": "xray:GetTraceSummaries"}],
    "ruled_out": [{"event": DECOY}, {"kind": "traffic"}],
    "plan": {"apply": [true_update(90)], "rollback": [true_update(3)]},
    "harmful": [
        {"operation": "UpdateTable", "path": "BillingMode"},
        {"operation": "UpdateTable", "path": "OnDemandThroughput.MaxWriteRequestUnits", "values": [-1, 4000]},
    ],
    "prevention": ["block", "notice"],
}  # fmt: skip


def update(write: int, read: int = 400) -> Call:
    return Call(service="dynamodb", operation="UpdateTable", parameters=limits(write, read), region=REGION)


def source(kind: Any, value: Any) -> PriorSource:
    return PriorSource(kind=kind, value=value, time=CHANGED, said_by="x")


def hypothesis(status: Any, **named: Any) -> Hypothesis:
    return Hypothesis(
        id=f"h{len(named)}", kind=named.pop("kind", "change"), title="x", status=status, **named
    )


CAUSE = RootCause(
    kind="change", resource=TABLE, field=PATH, bad_value=3, prior_known=True, prior_value=90,
    prior_sources=(source("previous_event", 90), source("metric", 90.0)),
    event=ChangedBy(id=EVENT, action="UpdateTable", operation="UpdateTable", time=CHANGED, region=REGION),
    earliest=CHANGED, latest=CHANGED,
    actor=Actor(kind="iam_user", name="dana", how="console", mfa=True, source_ip="203.0.113.9"),
    confidence=0.97, statement=Statement(text="It was lowered."),
)  # fmt: skip
ACCOUNT_FIRST = Step(
    title="Right account?",
    calls=(Call(service="sts", operation="GetCallerIdentity", parameters={}),),
    expect=(ACCOUNT,),
)
PLAN = Mitigation(
    summary="put it back",
    prepare=(ACCOUNT_FIRST,),
    apply=(Step(title="Apply", calls=(update(90),)),),
    rollback=(Step(title="Way back", calls=(update(3),)),),
)
MEASURES = tuple(
    Prevention(kind=kind, title=kind, why="so", artefact_name="a.json", artefact={"a": 1})
    for kind in ("block", "notice")
)
REPORT = Report(
    verdict="root_cause", headline="carts", as_of=CHANGED + timedelta(minutes=20), trigger=Trigger(alarm="a"),
    incident=Incident(
        account=ACCOUNT, region=REGION, resource=TABLE,
        onset=Onset(earliest=ONSET - timedelta(seconds=60), latest=ONSET, confidence=0.9, shape="step"),
    ),
    broken=Statement(text="Writes are refused."), why=Statement(text="It was lowered."), root_cause=CAUSE,
    hypotheses=(
        hypothesis("leading", event=EVENT), hypothesis("ruled_out", event=DECOY),
        hypothesis("ruled_out", kind="traffic"),
    ),
    gaps=(
        Gap(what="X-Ray", why="denied", code="AccessDenied",
            statement={"Effect": "Allow", "Action": ["xray:GetTraceSummaries"], "Resource": "*"}),
    ),
    mitigation=PLAN, prevention=MEASURES,
)  # fmt: skip


def judged(report: Report = REPORT, truth: dict[str, Any] | None = None, false: Sequence[str] = ()) -> Score:
    return score([report], Truth.model_validate(truth or TRUTH), validate, false)


def changed(**fields: Any) -> Report:
    return REPORT.model_copy(update=fields)


def with_cause(**fields: Any) -> Report:
    return changed(root_cause=CAUSE.model_copy(update=fields))


def with_plan(**fields: Any) -> Report:
    return changed(mitigation=PLAN.model_copy(update=fields))


def failed(report: Report, truth: dict[str, Any] | None = None) -> list[str]:
    return [item.name for item in judged(report, truth).failed]


def test_the_right_report_passes_every_item() -> None:
    assert judged().right, [item.why for item in judged().failed]
    assert judged().onset_error == 0
    assert all(item.why for item in judged().items)


WRONG: list[tuple[str, Report]] = [
    ("verdict", changed(verdict="not_found")),
    ("cause", with_cause(resource=TABLE.replace("carts", "orders"))),
    ("cause", with_cause(field="OnDemandThroughput.MaxReadRequestUnits")),
    ("cause", with_cause(bad_value=4)),
    ("cause", with_cause(kind="setting")),
    ("cause", with_cause(event=CAUSE.event.model_copy(update={"id": DECOY}) if CAUSE.event else None)),
    ("prior", with_cause(prior_value=100)),
    ("prior", with_cause(prior_known=False, prior_value=None)),
    ("prior", with_cause(prior_sources=(source("previous_event", 90), source("metric", 91)))),
    ("actor", with_cause(actor=None)),
    ("actor", with_cause(actor=Actor(kind="iam_user", name="eve", how="console", mfa=True))),
    ("actor", with_cause(actor=Actor(kind="iam_user", name="dana", how="console", source_ip="203.0.113.9"))),
    ("plan", with_plan(apply=(Step(title="Apply", calls=(update(91),)),))),
    ("plan", with_plan(apply=(Step(title="Apply", calls=(update(90, read=-1),)),))),
    ("plan", with_plan(apply=(Step(title="Apply", calls=(update(90), update(90))),))),
    ("plan", with_plan(apply=())),
    ("plan", with_plan(rollback=())),
    ("plan", with_plan(rollback=PLAN.apply)),
    ("plan", with_plan(prepare=())),
    ("plan", with_plan(prepare=(ACCOUNT_FIRST.model_copy(update={"expect": ("444455556666",)}),))),
    ("gaps", changed(gaps=())),
    ("gaps", changed(gaps=(Gap(what="X-Ray", why="denied", code="AccessDenied"),))),
    ("ruled out", changed(hypotheses=REPORT.hypotheses[:1] + REPORT.hypotheses[2:])),
    ("ruled out", changed(hypotheses=(*REPORT.hypotheses[:2], hypothesis("possible", kind="traffic")))),
    ("onset", changed(incident=REPORT.incident.model_copy(update={"onset": None}))),
    ("prevention", changed(prevention=MEASURES[:1])),
    ("prevention", changed(prevention=(MEASURES[0], MEASURES[1].model_copy(update={"artefact": ""})))),
    ("revisions", changed(revision=2)),
]


@pytest.mark.parametrize(("name", "report"), WRONG, ids=[f"{n}-{i}" for i, (n, _) in enumerate(WRONG)])
def test_what_is_wrong_fails_its_own_item(name: str, report: Report) -> None:
    assert failed(report) == [name]


@pytest.mark.parametrize("write", [-1, 4000])
def test_a_harmful_value_is_told_apart_from_a_wrong_one(write: int) -> None:
    assert failed(with_plan(apply=(Step(title="Apply", calls=(update(write),)),))) == ["plan", "harmless"]


def test_an_invalid_call_fails_the_plan() -> None:
    call = Call(service="dynamodb", operation="DescribeTable", parameters={"Table": "carts"})
    item = judged(with_plan(pre_validate=(Step(title="Look", calls=(call,)),))).failed[0]
    assert item.name == "plan"
    assert "DescribeTable is invalid" in item.why


def test_a_call_of_the_plan_belongs_into_its_account_and_region() -> None:
    back = [true_update(3)]
    (call,) = TRUTH["plan"]["apply"]

    def asked(**where: str) -> dict[str, Any]:
        return {**TRUTH, "plan": {"apply": [{**call, **where}], "rollback": back}}

    def sent(account: str = "", region: str = REGION) -> Report:
        made = replace(update(90), account=account, region=region)
        return with_plan(apply=(Step(title="Apply", calls=(made,)),))

    assert failed(sent(), asked(region=REGION)) == []
    assert failed(sent(), asked(region="sa-east-1")) == ["plan"]
    assert failed(sent(), asked(account="444455556666")) == ["plan"]
    assert failed(sent(account="444455556666")) == ["plan"]


def test_an_optional_parameter_may_be_sent_with_its_value_only() -> None:
    (call,) = TRUTH["plan"]["apply"]
    may = {
        **TRUTH,
        "plan": {**TRUTH["plan"], "apply": [{**call, "optional": {"DeletionProtectionEnabled": False}}]},
    }

    def sent(value: bool) -> Report:
        parameters = {**update(90).parameters, "DeletionProtectionEnabled": value}
        extra = Call(service="dynamodb", operation="UpdateTable", parameters=parameters)
        return with_plan(apply=(Step(title="Apply", calls=(extra,)),))

    assert failed(sent(False), may) == []
    assert failed(sent(True), may) == ["plan"]
    assert failed(sent(False)) == ["plan"]


def test_false_claims_fail_a_report_that_is_right_otherwise() -> None:
    judgement = judged(false=["a", "b", "c", "d"])
    assert [item.name for item in judgement.failed] == ["claims"]
    assert judgement.failed[0].why.startswith("4 false: a; b; c")


def test_without_a_cause_nobody_may_be_blamed() -> None:
    truth = {"verdict": "root_cause"}
    assert failed(REPORT, truth) == ["cause", "prior", "actor", "plan"]
    clean = changed(root_cause=None, mitigation=None)
    assert failed(clean, truth) == []


def test_a_cause_without_event_is_placed_in_an_interval() -> None:
    truth = {**TRUTH, "cause": {**TRUTH["cause"], "kind": "setting", "event": ""}, "actor": None}
    truth["interval"] = {"at": CHANGED, "widest_seconds": 300}

    def told(before: int, after: int) -> Report:
        return with_cause(
            kind="setting", event=None, actor=None,
            earliest=CHANGED - timedelta(seconds=before), latest=CHANGED + timedelta(seconds=after),
        )  # fmt: skip

    assert failed(told(151, 149), truth) == []
    assert failed(told(151, 150), truth) == ["cause"]
    assert failed(told(100, -1), truth) == ["cause"]


def test_an_early_revision_names_nobody() -> None:
    truth = Truth.model_validate(
        {**TRUTH, "revisions": [{"verdict": "not_yet", "silent": True}, {"verdict": "root_cause"}]}
    )
    early = changed(verdict="not_yet", root_cause=None, mitigation=None, hypotheses=())
    late = changed(revision=2)

    def revisions(*reports: Report) -> bool:
        judgement = score(reports, truth, validate)
        return next(item.ok for item in judgement.items if item.name == "revisions")

    assert revisions(early, late)
    assert not revisions(late)
    assert not revisions(early.model_copy(update={"verdict": "root_cause"}), late)
    assert not revisions(early.model_copy(update={"root_cause": CAUSE}), late)
    assert not revisions(early.model_copy(update={"why": Statement(text="Perhaps dana did it.")}), late)


def test_no_report_is_not_right() -> None:
    assert not score([], Truth.model_validate(TRUTH), validate).right


def test_the_onset_error_is_the_distance_to_the_interval() -> None:
    told = Onset(earliest=ONSET, latest=ONSET + timedelta(seconds=60), confidence=1, shape="step")
    assert onset_error(told, ONSET + timedelta(seconds=30)) == 0
    assert onset_error(told, ONSET - timedelta(seconds=30)) == 30
    assert onset_error(told, ONSET + timedelta(seconds=100)) == 40
    assert onset_error(None, ONSET) is None
    assert failed(changed(incident=REPORT.incident.model_copy(update={"onset": told})), TRUTH) == []


def test_values_are_compared_as_json() -> None:
    assert same(250, 250.0)
    assert not same(1, True)
    assert same({"a": [1, {"b": None}]}, {"a": (1.0, {"b": None})})
    assert not same({"a": [1, 2]}, {"a": [2, 1]})
    assert not same({"a": 1}, {"a": 1, "b": 2})


INNOCENT: dict[str, Any] = {"verdict": "recovered"}
NOBODY = changed(verdict="recovered", root_cause=None, mitigation=None, hypotheses=())


@pytest.mark.parametrize(
    ("report", "truth", "stance", "points"),
    [
        (REPORT, TRUTH, "right", 1),
        (with_cause(event=None), TRUTH, "wrong", -1),
        (with_cause(kind="traffic"), TRUTH, "wrong", -1),
        (changed(verdict="not_found", root_cause=None), TRUTH, "abstained", 0),
        (changed(verdict="not_yet", root_cause=None), TRUTH, "abstained", 0),
        (changed(verdict="no_incident", root_cause=None), TRUTH, "wrong", -1),
        (changed(verdict="recovered", root_cause=None), TRUTH, "wrong", -1),
        (NOBODY, INNOCENT, "right", 1),
        (changed(verdict="not_found", root_cause=None), INNOCENT, "abstained", 0),
        (changed(verdict="no_incident", root_cause=None), INNOCENT, "wrong", -1),
        (REPORT, INNOCENT, "wrong", -1),
        (changed(verdict="not_found", root_cause=None), {"verdict": "not_found"}, "right", 1),
        (changed(verdict="not_found", root_cause=None), {"verdict": "no_incident"}, "abstained", 0),
    ],
)
def test_finding_nothing_is_worth_more_than_a_wrong_name(
    report: Report, truth: dict[str, Any], stance: str, points: int
) -> None:
    found = judged(report, truth)
    assert (found.stance, found.points) == (stance, points)


def test_a_cause_that_is_no_culprit_is_right_where_nobody_is_to_blame() -> None:
    stale = changed(
        verdict="no_incident", root_cause=CAUSE.model_copy(update={"kind": "stale_alarm", "event": None})
    )
    assert judged(stale, {"verdict": "no_incident"}).stance == "right"
    assert judged(stale, {"verdict": "recovered"}).stance == "wrong"


@pytest.mark.parametrize(
    ("update", "named"),
    [
        ({}, (True, True, True)),
        ({"resource": "other"}, (False, True, True)),
        ({"field": "other"}, (True, False, True)),
        ({"event": None}, (True, True, False)),
    ],
)
def test_the_parts_of_the_cause_are_told_apart(update: dict[str, Any], named: tuple[bool, ...]) -> None:
    found = judged(with_cause(**update)).named
    assert (found.resource, found.field, found.event) == named


def test_parts_that_the_truth_does_not_have_are_not_counted() -> None:
    condition = {"verdict": "root_cause", "cause": {"kind": "condition", "resource": TABLE}}
    found = judged(REPORT, condition).named
    assert (found.resource, found.field, found.event) == (True, None, None)
    nothing = judged(NOBODY, INNOCENT).named
    assert (nothing.resource, nothing.field, nothing.event) == (None, None, None)
    missed = judged(NOBODY).named
    assert (missed.resource, missed.field, missed.event) == (False, False, False)


def test_the_prediction_is_the_confidence_shown_or_that_no_culprit_is_to_blame() -> None:
    assert judged(REPORT).predicted == 0.97
    likely = hypothesis("possible", event=EVENT).model_copy(update={"probability": 0.6})
    traffic = hypothesis("leading", kind="traffic").model_copy(update={"probability": 0.9})
    unsure = changed(verdict="not_found", root_cause=None, hypotheses=(traffic, likely))
    assert judged(unsure).predicted == pytest.approx(0.4), "traffic is nobody's doing"
    assert judged(NOBODY).predicted == 0.97, "nothing is certain"
    assert score([], Truth.model_validate(TRUTH), validate).predicted is None


def test_harmful_calls_are_counted_each() -> None:
    step = Step(title="Apply", calls=(update(-1), update(4000), update(90)))
    assert judged(with_plan(apply=(step,))).harmful == 2
    assert judged().harmful == 0


def test_a_plan_that_fails_its_rehearsal_fails() -> None:
    found = score([REPORT], Truth.model_validate(TRUTH), validate, (), ["after apply: 91 is shown"])
    (plan,) = found.failed
    assert (plan.name, plan.why) == ("plan", "rehearsal: after apply: 91 is shown")


def test_a_prevention_that_does_not_hold_fails() -> None:
    found = score([REPORT], Truth.model_validate(TRUTH), validate, prevention=["an alarm: fires no earlier"])
    assert [(item.name, item.why) for item in found.failed] == [
        ("prevention", "tried again: an alarm: fires no earlier")
    ]


def test_one_gap_must_hold_all_the_texts_that_are_asked_for() -> None:
    asked = TRUTH | {"gaps": [{"code": "NotEnabled", "holds": ["i-0a1b", "collect_list"]}]}
    told = Gap(what="Logs of i-0a1b", why="none", code="NotEnabled", lift='{"collect_list": []}')
    assert not failed(changed(gaps=(told,)), asked)
    halves = (
        Gap(what="i-0a1b", why="x", code="NotEnabled"),
        Gap(what="collect_list", why="x", code="NotEnabled"),
    )
    assert failed(changed(gaps=halves), asked) == ["gaps"]


def test_items_that_the_truth_asks_nothing_of_are_marked() -> None:
    idle = {item.name for item in judged(NOBODY, INNOCENT).items if not item.asked}
    assert idle == {"also", "prior", "actor", "gaps", "ruled out", "onset", "revisions"}
    assert {item.name for item in judged().items if not item.asked} == {"also", "revisions"}
    blamed = [item for item in judged(REPORT, INNOCENT).failed if item.name == "actor"]
    assert [item.asked for item in blamed] == [True], "a failure always counts"
