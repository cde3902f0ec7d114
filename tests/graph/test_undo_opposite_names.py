"""The opposite of an operation under the name that AWS gives it: added to a group, removed from one."""

from __future__ import annotations

import pytest

from graph.undoing.after import opposites
from tests.graph.test_undo_outcomes import event, judged
from tools.models import Json

MEMBER: Json = {"userName": "u", "groupName": "g"}


@pytest.mark.parametrize(
    ("source", "operation", "sent", "back"),
    [
        ("iam", "AddUserToGroup", MEMBER, "RemoveUserFromGroup"),
        ("iam", "RemoveUserFromGroup", MEMBER, "AddUserToGroup"),
        (
            "iam",
            "AddRoleToInstanceProfile",
            {"instanceProfileName": "p", "roleName": "r"},
            "RemoveRoleFromInstanceProfile",
        ),
        (
            "elasticloadbalancing",
            "RegisterInstancesWithLoadBalancer",
            {"loadBalancerName": "l", "instances": [{"instanceId": "i-0a"}]},
            "DeregisterInstancesFromLoadBalancer",
        ),
        (
            "sso",
            "AttachManagedPolicyToPermissionSet",
            {
                "instanceArn": "arn:aws:sso:::instance/ssoins-0123456789abcdef",
                "permissionSetArn": "arn:aws:sso:::permissionSet/ssoins-0123456789abcdef/ps-0123456789abcdef",
                "managedPolicyArn": "arn:aws:iam::aws:policy/ReadOnlyAccess",
            },
            "DetachManagedPolicyFromPermissionSet",
        ),
    ],
)
def test_the_opposite_is_found_whatever_the_word_between(
    source: str, operation: str, sent: Json, back: str
) -> None:
    made = judged(event(source, operation, 2, sent))
    assert (made.outcome, [call.operation for call in made.calls]) == ("partial", [back])
    undone = judged(event(source, operation, 2, sent), event(source, back, 1, sent))
    assert undone.outcome in ("nothing to undo", "superseded")


def test_a_device_that_was_deactivated_needs_codes_that_no_record_holds() -> None:
    sent = {"userName": "u", "serialNumber": "arn:aws:iam::111122223333:mfa/u"}
    made = judged(event("iam", "DeactivateMFADevice", 1, sent))
    assert (made.outcome, made.calls) == ("partial", ())
    assert made.unknown == ("AuthenticationCode1", "AuthenticationCode2")


def test_a_deleted_user_comes_back_without_what_it_held() -> None:
    one = {"userName": "u", "path": "/ops/"}
    made = judged(event("iam", "DeleteUser", 1, {"userName": "u"}), event("iam", "CreateUser", 2, one))
    assert made.outcome == "partial"
    assert "its policies and groups" in made.unknown
    assert [call.parameters for call in made.calls] == [{"UserName": "u", "Path": "/ops/"}]


def test_an_operation_without_a_word_between_keeps_its_plain_opposite() -> None:
    assert opposites("AttachRolePolicy") == ("DetachRolePolicy",)
    assert opposites("DescribeTable") == ()
