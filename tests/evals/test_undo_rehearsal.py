"""Restore plans of single events on an emulated account: right ones pass, wrong ones fail, forgotten ones say so."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import pytest

from evals.histories import KINDS, Sample, lost, samples
from evals.rehearsals import grounds
from evals.undo_rehearsal import rehearse_undo
from graph.undoing.restore import OUTCOMES, Restoration, restoration
from tools.catalogue import services
from tools.parameters import validate


def of(service: str, operation: str, kind: str = "changed") -> tuple[Sample, Restoration]:
    sample = next(
        one
        for one in samples()
        if one.service == service and one.event.operation == operation and one.kind == kind
    )
    return sample, restoration(sample.event, sample.known)


def test_the_generated_events_are_many_and_of_most_services() -> None:
    generated = [one for one in samples() if one.kind != "alone"]
    assert len(generated) >= 200
    assert len({one.service for one in generated}) >= 25
    assert {one.kind for one in samples()} == set(KINDS)
    assert len({one.event.id + one.kind for one in samples()}) == len(samples())


def test_each_generated_event_has_one_outcome_and_no_exact_plan_loses_a_value() -> None:
    outcomes: Counter[str] = Counter()
    by_kind: Counter[tuple[str, str]] = Counter()
    for sample in samples():
        made = restoration(sample.event, sample.known)
        outcomes[made.outcome] += 1
        by_kind[sample.kind, made.outcome] += 1
        assert all(validate(call) == () for call in (*made.calls, *made.back))
        if made.outcome == "exact":
            assert lost(sample, made.calls) == (), (sample.service, sample.event.operation)
    assert set(outcomes) == set(OUTCOMES)
    assert {outcome for kind, outcome in by_kind if kind == "refused"} == {"nothing to undo"}
    assert by_kind["overtaken", "exact"] == by_kind["put back", "exact"] == 0
    assert outcomes["exact"] >= 150


def test_a_lost_value_is_told() -> None:
    sample, made = of("logs", "PutRetentionPolicy")
    wrong = replace(made.calls[0], parameters={**made.calls[0].parameters, "retentionInDays": 99})
    assert lost(sample, made.calls) == ()
    assert lost(sample, (wrong,)) == (str(sample.before[0].request["retentionInDays"]),)


def test_every_ground_is_of_a_service_file() -> None:
    assert set(grounds()) <= set(services())
    assert len(grounds()) >= 25


RIGHT = [
    ("logs", "PutRetentionPolicy", "changed"),
    ("kms", "DisableKey", "taken"),
    ("iam", "DetachRolePolicy", "alone"),
    ("vpc", "RevokeSecurityGroupIngress", "alone"),
    ("vpc", "AssociateAddress", "alone"),
    ("sns", "Unsubscribe", "taken"),
    ("s3", "DeleteBucketCors", "taken"),
]


@pytest.mark.parametrize(("service", "operation", "kind"), RIGHT, ids=[one[1] for one in RIGHT])
def test_right_plans_lead_to_the_prior_state(service: str, operation: str, kind: str) -> None:
    sample, made = of(service, operation, kind)
    assert made.outcome == "exact"
    tried = rehearse_undo(sample, made)
    assert (tried.status, tried.problems) == ("ok", ())


def test_a_wrong_value_fails() -> None:
    sample, made = of("logs", "PutRetentionPolicy")
    wrong = replace(made.calls[0], parameters={**made.calls[0].parameters, "retentionInDays": 7})
    tried = rehearse_undo(sample, replace(made, calls=(wrong,)))
    assert tried.status == "failed"
    assert "7" in tried.problems[0]


def test_a_plan_that_does_more_than_it_says_fails() -> None:
    sample, made = of("iam", "DetachRolePolicy", "alone")
    extra = replace(
        made.calls[0],
        parameters={**made.calls[0].parameters, "PolicyArn": "arn:aws:iam::aws:policy/ReadOnlyAccess"},
    )
    assert rehearse_undo(sample, replace(made, calls=(*made.calls, extra))).status == "failed"


def test_what_moto_forgets_is_never_ok() -> None:
    sample, made = of("kms", "DisableKeyRotation", "taken")
    tried = rehearse_undo(sample, made)
    assert tried.status == "not_rehearsable"
    assert "RotationPeriodInDays" in tried.problems[0]


def test_a_service_without_ground_cannot_be_rehearsed() -> None:
    sample, made = of("logs", "PutRetentionPolicy")
    tried = rehearse_undo(replace(sample, service="nowhere"), made)
    assert tried.status == "not_rehearsable"


def test_what_gets_a_new_id_has_no_way_back_and_says_so() -> None:
    _, made = of("elbv2", "DeleteRule", "taken")
    assert made.outcome == "exact"
    assert made.back == ()
    assert "new id" in made.why


def test_a_version_that_became_the_default_is_not_just_deleted() -> None:
    _, made = of("iam", "CreatePolicyVersion", "alone")
    assert made.outcome == "partial"
    assert made.calls == ()
    assert "default" in made.unknown[0]


def test_an_address_is_let_go_by_its_association() -> None:
    _, made = of("vpc", "AssociateAddress", "alone")
    (call,) = made.calls
    assert call.parameters == {"AssociationId": "eipassoc-0a1b2c3d4e5f60718"}
