"""What was taken back before the symptom, or only takes away what had just come, is no cause; others stay."""

from __future__ import annotations

from typing import Any

import pytest

from graph.facts import Facts
from graph.weighing import hypotheses
from graph.weighing.undone import undone
from graph.weights import WEIGHTS
from tests.graph import made
from tests.graph.made import event
from tests.graph.test_network_causes import ACL, FUNCTION, GROUP, NETWORK, PROGRAM, RULE
from tools.models import ChangeEvent, Json

ENTRY: Json = {
    "networkAclId": "acl-1",
    "ruleNumber": 90,
    "egress": False,
    "ruleAction": "deny",
    "aclProtocol": "6",
    "cidrBlock": "10.0.0.0/8",
    "portRange": {"from": 22, "to": 22},
}
GONE: Json = {"networkAclId": "acl-1", "ruleNumber": 90, "egress": False}


def known(*changes: ChangeEvent) -> Facts:
    return made.facts(
        (FUNCTION, "Errors"),
        {(FUNCTION, "Errors"): (0.0, 8.0)},
        resources=(*PROGRAM, *NETWORK),
        changes=changes,
    )


def told(facts: Facts, one: ChangeEvent) -> list[float]:
    (found,) = [item for item in hypotheses(facts) if item.event == one.id]
    return [result.weight for result in undone(facts, found)]


def rule(port: int) -> Json:
    (item,) = RULE["ipPermissions"]["items"]
    return {**RULE, "ipPermissions": {"items": [{**item, "fromPort": port, "toPort": port}]}}


def test_an_entry_that_came_and_went_is_no_cause_neither_when_it_came_nor_when_it_went() -> None:
    came = event("ec2", "CreateNetworkAclEntry", ENTRY, minutes=-40)
    went = event("ec2", "DeleteNetworkAclEntry", GONE, minutes=-10)
    facts = known(came, went)
    assert told(facts, came) == [WEIGHTS["change.reverted"]]
    assert told(facts, went) == [WEIGHTS["change.reverted"]]


@pytest.mark.parametrize(
    ("came", "went"),
    [
        ({"minutes": -40}, {"minutes": 3}),  # taken away only when it had begun
        ({"minutes": -40}, {"minutes": -10, "request": {**GONE, "ruleNumber": 91}}),
        ({"minutes": -40}, {"minutes": -10, "error": "UnauthorizedOperation"}),
    ],
)
def test_what_still_stood_when_it_began_may_be_the_cause(came: dict[str, Any], went: dict[str, Any]) -> None:
    first = event("ec2", "CreateNetworkAclEntry", ENTRY, **came)
    request = went.pop("request", GONE)
    facts = known(first, event("ec2", "DeleteNetworkAclEntry", request, **went))
    assert told(facts, first) == []


def test_a_rule_may_be_taken_away_by_the_id_that_aws_gave_it() -> None:
    answer = {"securityGroupRuleSet": {"items": [{"securityGroupRuleId": "sgr-0a1", "fromPort": 5432}]}}
    came = event("ec2", "AuthorizeSecurityGroupIngress", RULE, minutes=-40, response=answer)
    ids: list[Json] = [
        {
            "groupId": "sg-db",
            "ipPermissions": {},
            "securityGroupRuleIds": {"items": [{"securityGroupRuleId": id}]},
        }
        for id in ("sgr-0a1", "sgr-0b2")
    ]
    went, older = (
        event("ec2", "RevokeSecurityGroupIngress", request, minutes=at)
        for request, at in zip(ids, (-10, -8), strict=True)
    )
    facts = known(came, went, older)
    assert told(facts, came) == told(facts, went) == [WEIGHTS["change.reverted"]]
    assert told(facts, older) == []


def test_what_was_there_for_long_may_be_missed() -> None:
    came = event("ec2", "AuthorizeSecurityGroupIngress", RULE, minutes=-600)
    went = event("ec2", "RevokeSecurityGroupIngress", RULE, minutes=-10)
    assert told(known(came, went), went) == []


def test_a_policy_that_may_have_replaced_another_is_missed_when_it_is_deleted() -> None:
    put = event(
        "iam",
        "PutRolePolicy",
        {"roleName": "parcel-writer-role", "policyName": "w", "policyDocument": "{}"},
        minutes=-40,
    )
    gone = event(
        "iam", "DeleteRolePolicy", {"roleName": "parcel-writer-role", "policyName": "w"}, minutes=-10
    )
    facts = made.facts((made.WRITER, "Errors"), {(made.WRITER, "Errors"): (0, 8)}, changes=(put, gone))
    assert told(facts, gone) == []
    assert told(facts, put) == [WEIGHTS["change.reverted"]]


def test_a_later_rule_does_not_stand_for_an_earlier_one() -> None:
    first = event("ec2", "RevokeSecurityGroupIngress", RULE, minutes=-12)
    later = event("ec2", "RevokeSecurityGroupIngress", rule(9100), minutes=-3)
    facts = known(first, later)
    assert {item.event for item in hypotheses(facts) if item.kind == "change"} == {first.id, later.id}
    assert {item.resource for item in hypotheses(facts) if item.event} == {GROUP}


def test_a_second_entry_does_not_stand_for_the_first() -> None:
    first = event("ec2", "CreateNetworkAclEntry", ENTRY, minutes=-12)
    later = event("ec2", "CreateNetworkAclEntry", {**ENTRY, "ruleNumber": 220}, minutes=-3)
    found = [item for item in hypotheses(known(first, later)) if item.resource == ACL]
    assert [item.event for item in sorted(found, key=lambda one: one.event)] == sorted((first.id, later.id))
