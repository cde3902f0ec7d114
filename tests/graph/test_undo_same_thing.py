"""Other operations that set the same thing: a version made the default, what was put into what was made, addresses."""

from __future__ import annotations

from typing import Any

import pytest

from tests.graph.test_undo_outcomes import event, judged
from tools.models import ChangeEvent, Json

POLICY = "arn:aws:iam::111122223333:policy/deploy"


def default(hours: float, version: str) -> ChangeEvent:
    return event("iam", "SetDefaultPolicyVersion", hours, {"policyArn": POLICY, "versionId": version})


def version(hours: float, name: str, *, as_default: bool, policy: str = POLICY) -> ChangeEvent:
    made = {"policyVersion": {"versionId": name, "isDefaultVersion": as_default}}
    sent = {"policyArn": policy, "policyDocument": "{}", "setAsDefault": as_default}
    return event("iam", "CreatePolicyVersion", hours, sent, made)


@pytest.mark.parametrize(
    ("later", "outcome"),
    [
        (version(1, "v3", as_default=True), "superseded"),
        (version(1, "v3", as_default=False), "exact"),
        (version(1, "v3", as_default=True, policy=POLICY + "er"), "exact"),
    ],
)
def test_a_version_made_the_default_sets_the_default_too(later: ChangeEvent, outcome: str) -> None:
    made = judged(default(2, "v2"), default(3, "v1"), later)
    assert made.outcome == outcome
    sent = [{"PolicyArn": POLICY, "VersionId": "v1"}] if outcome == "exact" else []
    assert [call.parameters for call in made.calls] == sent


@pytest.mark.parametrize(
    ("operation", "sent", "outcome"),
    [
        ("AttachUserPolicy", {"userName": "u", "policyArn": "arn:aws:iam::aws:policy/A"}, "superseded"),
        ("CreateLoginProfile", {"userName": "u"}, "superseded"),
        ("AddUserToGroup", {"userName": "u", "groupName": "g"}, "superseded"),
        ("AttachUserPolicy", {"userName": "v", "policyArn": "arn:aws:iam::aws:policy/A"}, "exact"),
    ],
)
def test_what_holds_something_since_is_not_taken_away(operation: str, sent: Json, outcome: str) -> None:
    made = event("iam", "CreateUser", 2, {"userName": "u"}, {"user": {"userName": "u"}})
    assert judged(made, event("iam", operation, 1, sent)).outcome == outcome


def address(hours: float, instance: str, made: str, **more: Any) -> ChangeEvent:
    sent = {"allocationId": "eipalloc-1", "instanceId": instance, **more}
    return event("ec2", "AssociateAddress", hours, sent, {"associationId": made})


MOVED = address(1, "i-2", "eipassoc-2", allowReassociation=True)
FREED = event("ec2", "DisassociateAddress", 2, {"associationId": "eipassoc-1"})


def test_an_address_that_was_moved_goes_back_to_where_it_was() -> None:
    made = judged(MOVED, address(3, "i-1", "eipassoc-1"))
    assert made.outcome == "exact"
    assert [(call.operation, call.parameters["InstanceId"]) for call in made.calls] == [
        ("AssociateAddress", "i-1")
    ]


def test_an_address_that_was_free_is_let_go_and_one_that_may_not_have_been_is_in_doubt() -> None:
    plain = judged(address(1, "i-2", "eipassoc-2"))
    assert (plain.outcome, [call.operation for call in plain.calls]) == ("exact", ["DisassociateAddress"])
    doubted = judged(MOVED)
    assert (doubted.outcome, doubted.unknown) == ("partial", ("where it was before AssociateAddress",))
    freed = judged(MOVED, address(3, "i-1", "eipassoc-1"), FREED)
    assert [call.operation for call in freed.calls] == ["DisassociateAddress"]
