"""Rules, members and targets are given and taken one by one: what of several still is as an event left it."""

from __future__ import annotations

from typing import Any

import pytest

from tests.graph.test_undo_outcomes import event, judged
from tools.models import ChangeEvent, Json

GROUP = "sg-0a1b2c3d4e5f60718"


def rule(*cidrs: str, about: str = "") -> Json:
    said = {"description": about} if about else {}
    ranges = {"items": [{"cidrIp": cidr, **said} for cidr in cidrs]}
    return {"ipProtocol": "tcp", "fromPort": 443, "toPort": 443, "ipRanges": ranges, "groups": {}}


def rules(operation: str, hours: float, *permissions: Json, answer: Json | None = None) -> ChangeEvent:
    sent = {"groupId": GROUP, "ipPermissions": {"items": list(permissions)}}
    return event("ec2", f"{operation}Ingress", hours, sent, answer or {"_return": True})


def authorize(hours: float, *permissions: Json) -> ChangeEvent:
    return rules("AuthorizeSecurityGroup", hours, *permissions)


def revoke(hours: float, *permissions: Json, **more: Any) -> ChangeEvent:
    return rules("RevokeSecurityGroup", hours, *permissions, **more)


ONE, TWO = "10.0.0.0/8", "203.0.113.0/24"


@pytest.mark.parametrize(
    ("late", "outcome"),
    [
        ((authorize(1, rule(ONE)),), "superseded"),
        ((authorize(1, rule(ONE, about="vpn")),), "superseded"),
        ((authorize(1, rule("198.51.100.0/24")),), "partial"),
        ((authorize(2, rule(ONE)), revoke(1, rule(ONE))), "partial"),
    ],
)
def test_a_rule_given_again_since_is_not_given_twice(late: tuple[ChangeEvent, ...], outcome: str) -> None:
    assert judged(revoke(3, rule(ONE, TWO)), *late).outcome == outcome


@pytest.mark.parametrize(
    ("late", "outcome"),
    [
        ((revoke(1, rule(ONE)),), "superseded"),
        ((revoke(2, rule(ONE)), revoke(1, rule(TWO))), "nothing to undo"),
        ((revoke(1, rule("198.51.100.0/24")),), "exact"),
        ((revoke(2, rule(ONE)), authorize(1, rule(ONE))), "exact"),
    ],
)
def test_a_rule_taken_away_since_is_not_taken_away_twice(late: tuple[ChangeEvent, ...], outcome: str) -> None:
    assert judged(authorize(3, rule(ONE, TWO)), *late).outcome == outcome


def test_targets_are_single_too() -> None:
    def targets(operation: str, hours: float, *ids: str) -> ChangeEvent:
        arn = "arn:aws:elasticloadbalancing:eu-west-1:111122223333:targetgroup/web/50dc6c495c0c9188"
        sent = {"targetGroupArn": arn, "targets": [{"id": id} for id in ids]}
        return event("elasticloadbalancing", operation, hours, sent)

    both = targets("RegisterTargets", 3, "i-0a", "i-0b")
    assert judged(both, targets("DeregisterTargets", 1, "i-0a")).outcome == "superseded"
    gone = (targets("DeregisterTargets", 2, "i-0a"), targets("DeregisterTargets", 1, "i-0b"))
    assert judged(both, *gone).outcome == "nothing to undo"


def sent(made: ChangeEvent, *others: ChangeEvent) -> list[Any]:
    found = judged(made, *others)
    assert found.outcome == "exact", found.unknown
    (call,) = found.calls
    return [one.get("Description") for item in call.parameters["IpPermissions"] for one in item["IpRanges"]]


def test_a_rule_comes_back_with_its_description() -> None:
    given = authorize(3, rule(ONE, about="vpn"))
    renamed = rules("UpdateSecurityGroupRuleDescriptions", 2, rule(ONE, about="bank"))
    assert sent(revoke(1, rule(ONE)), given) == ["vpn"]
    assert sent(revoke(1, rule(ONE)), given, renamed) == ["bank"]
    assert sent(revoke(1, rule(ONE)), authorize(3, rule(ONE))) == [None]
    told = {
        "items": [{"ipProtocol": "tcp", "fromPort": 443, "toPort": 443, "cidrIpv4": ONE, "description": "b"}]
    }
    assert sent(revoke(1, rule(ONE), answer={"revokedSecurityGroupRuleSet": told})) == ["b"]


def test_a_description_that_nobody_tells_is_named() -> None:
    made = judged(revoke(1, rule(ONE, TWO)), authorize(3, rule(ONE, about="vpn")))
    assert (made.outcome, made.unknown) == ("partial", ("the description of a rule, if it had one",))
    assert len(made.calls) == 1


def test_what_is_gone_gets_no_rule_back() -> None:
    gone = event("ec2", "DeleteSecurityGroup", 0.5, {"groupId": GROUP})
    made = judged(revoke(1, rule(ONE)), authorize(3, rule(ONE)), gone)
    assert (made.outcome, made.later) == ("superseded", gone)


@pytest.mark.parametrize(
    ("operation", "request_", "outcome"),
    [
        ("DeleteUser", {"userName": "u"}, "superseded"),
        ("DeleteLoginProfile", {"userName": "u"}, "exact"),
        ("DeleteUser", {"userName": "other"}, "exact"),
    ],
)
def test_only_the_end_of_the_very_thing_ends_it(operation: str, request_: Json, outcome: str) -> None:
    arn = "arn:aws:iam::aws:policy/ReadOnlyAccess"
    told = {"userName": "u", "policyArn": arn}
    attached, detached = event("iam", "AttachUserPolicy", 3, told), event("iam", "DetachUserPolicy", 2, told)
    made = judged(detached, attached, event("iam", operation, 1, request_))
    assert made.outcome == outcome
