"""An exact plan is proven: no mask is sent, and nothing that the record leaves out may have changed it."""

from __future__ import annotations

import json

import pytest

from graph.undoing.known import Known
from graph.undoing.proof import unreadable, unsendable
from graph.undoing.restore import Restoration, restoration
from tests.graph.test_undo_outcomes import event
from tools.masks import masked
from tools.models import Call, ChangeEvent, Json
from tools.setting_values import HIDDEN, as_value

OMITTED: Json = {"omitted": True, "originalSize": 120000, "reason": "requestParameters too large"}
MASKS = (
    "HIDDEN_DUE_TO_SECURITY_REASONS",
    "***OMITTED***",
    "<sensitiveDataRemoved>",
    "Sensitive Data Removed",
    "****",
    "(hidden)",
)


def judged(one: ChangeEvent, *others: ChangeEvent) -> Restoration:
    return restoration(one, Known(events=(one, *others)))


def policy(action: str) -> str:
    return json.dumps({"Statement": [{"Effect": "Allow", "Action": action, "Resource": "*"}]})


def put(hours: float, document: str) -> ChangeEvent:
    sent = {"roleName": "parcel-writer", "policyName": "buckets", "policyDocument": document}
    return event("iam", "PutRolePolicy", hours, sent)


def test_a_document_that_the_record_shows_comes_back() -> None:
    made = judged(put(1, policy("s3:*")), put(9, policy("s3:Get*")))
    assert made.outcome == "exact"
    assert [call.parameters["PolicyDocument"] for call in made.calls] == [policy("s3:Get*")]


@pytest.mark.parametrize("mask", MASKS)
def test_a_mask_is_never_sent(mask: str) -> None:
    for hidden in (mask, policy("s3:Get*").replace("*", mask)):
        made = judged(put(1, policy("s3:*")), put(9, hidden))
        assert (made.outcome, made.calls, made.back) == ("partial", (), ())
        assert made.unknown
    assert as_value(mask) == HIDDEN


@pytest.mark.parametrize(
    "plain", ["cron(* * * * ? *)", "s3:*", "arn:aws:s3:::media/*", "a ** b", "hidden", ""]
)
def test_stars_and_words_are_no_mask(plain: str) -> None:
    assert not masked(plain)


def test_a_number_that_is_none_is_not_sent() -> None:
    for value in (float("nan"), float("inf")):
        call = Call(service="efs", operation="UpdateFileSystem", parameters={"Throughput": {"Mib": [value]}})
        assert unsendable([call]) == ("Throughput",)
        before = event(
            "elasticfilesystem",
            "UpdateFileSystem",
            9,
            {"fileSystemId": "fs-0a1b2c3d", "provisionedThroughputInMibps": value},
        )
        one = event(
            "elasticfilesystem",
            "UpdateFileSystem",
            1,
            {"fileSystemId": "fs-0a1b2c3d", "provisionedThroughputInMibps": 8.0},
        )
        assert (judged(one, before).outcome, judged(one, before).calls) == ("partial", ())


@pytest.mark.parametrize("request_", [OMITTED, {}])
@pytest.mark.parametrize("hours", [5.0, 0.5])
def test_a_request_left_out_of_the_record_may_have_changed_it(request_: Json, hours: float) -> None:
    left_out = event("iam", "PutRolePolicy", hours, request_)
    made = judged(put(1, policy("s3:*")), put(9, policy("s3:Get*")), left_out)
    assert made.outcome == "partial"
    assert len(made.unknown) == 1
    assert "PutRolePolicy" in made.unknown[0]


def test_a_request_left_out_before_the_evidence_or_of_another_kind_does_no_harm() -> None:
    others = (event("iam", "PutRolePolicy", 20, OMITTED), event("iam", "PutUserPolicy", 5, OMITTED))
    assert judged(put(1, policy("s3:*")), put(9, policy("s3:Get*")), *others).outcome == "exact"


def test_a_request_that_may_be_empty_is_readable() -> None:
    assert unreadable(event("iam", "PutRolePolicy", 1, {}))
    assert not unreadable(event("iam", "CreateAccessKey", 1, {}))
    assert not unreadable(put(1, policy("s3:*")))


@pytest.mark.parametrize("mask", MASKS)
def test_two_masks_are_not_the_same_value(mask: str) -> None:
    def board(hours: float) -> ChangeEvent:
        return event("monitoring", "PutDashboard", hours, {"dashboardName": "orders", "dashboardBody": mask})

    made = judged(board(1), board(9))
    assert (made.outcome, made.calls) == ("partial", ())
    assert made.unknown
