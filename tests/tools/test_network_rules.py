"""Rules as CloudTrail recorded them, as calls take them: nothing lost, nothing made up."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tools import network_rules as rules
from tools.models import Actor, Call, ChangeEvent, Json
from tools.parameters import validate

GROUP, APP = "sg-0a1b2c3d", "sg-0f9e8d7c"


def event(operation: str, request: Json, response: Json | None = None, *, minutes: int = 0) -> ChangeEvent:
    return ChangeEvent(
        id=f"{operation}-{minutes}",
        time=datetime(2026, 3, 13, 17, 0, tzinfo=UTC) - timedelta(minutes=minutes),
        source="ec2.amazonaws.com",
        action=operation,
        operation=operation,
        region="eu-west-1",
        account="111122223333",
        actor=Actor(kind="unknown", name="", how="unknown"),
        request=request,
        response=response or {},
    )


def recorded(permission: Json) -> Json:
    """A permission as CloudTrail writes it down, empty lists as {}."""
    lists = {"UserIdGroupPairs": "groups", "IpRanges": "ipRanges", "Ipv6Ranges": "ipv6Ranges"}
    found: Json = {name: {} for name in (*lists.values(), "prefixListIds")}
    for key, value in permission.items():
        name = lists.get(key, key[0].lower() + key[1:])
        if isinstance(value, list):
            lower = [{k[0].lower() + k[1:]: v for k, v in one.items()} for one in value]
            found[name] = {"items": lower}
        else:
            found[name] = value
    return found


def listed(permission: Json, number: int) -> list[Json]:
    """The same, rule by rule, as AWS's answer to a revocation lists it."""
    base: Json = {"groupId": GROUP, "isEgress": False, "ipProtocol": permission["IpProtocol"]}
    base |= {
        key: permission[name]
        for key, name in (("fromPort", "FromPort"), ("toPort", "ToPort"))
        if name in permission
    }
    fields = (
        ("IpRanges", "CidrIp", "cidrIpv4"),
        ("Ipv6Ranges", "CidrIpv6", "cidrIpv6"),
        ("PrefixListIds", "PrefixListId", "prefixListId"),
        ("UserIdGroupPairs", "GroupId", "referencedGroupId"),
    )
    return [
        {
            **base,
            "securityGroupRuleId": f"sgr-{number}",
            key: one[inner],
            **({"description": one["Description"]} if "Description" in one else {}),
        }
        for name, inner, key in fields
        for one in permission.get(name, [])
    ]


_said: st.SearchStrategy[Json] = st.one_of(
    st.just({}), st.fixed_dictionaries({"Description": st.sampled_from(["orders", "ops; old"])})
)
_ranges = st.lists(
    st.tuples(st.integers(0, 255), st.integers(8, 32), _said).map(
        lambda one: {"CidrIp": f"10.0.{one[0]}.0/{one[1]}", **one[2]}
    ),
    max_size=3,
    unique_by=lambda one: one["CidrIp"],
)
_pairs = st.lists(
    st.tuples(st.from_regex(r"sg-[0-9a-f]{8}", fullmatch=True), _said).map(
        lambda one: {"GroupId": one[0], **one[1]}
    ),
    max_size=3,
    unique_by=lambda one: one["GroupId"],
)


@st.composite
def permissions(draw: Any) -> list[Json]:
    found = []
    keys = draw(
        st.lists(
            st.one_of(
                st.just(("-1", None, None)),
                st.tuples(st.sampled_from(["tcp", "udp"]), st.integers(0, 9), st.integers(10, 65535)),
                st.just(("icmp", -1, -1)),
            ),
            min_size=1,
            max_size=3,
            unique=True,
        )
    )
    for protocol, first, last in keys:
        one: Json = {"IpProtocol": protocol}
        if first is not None:
            one |= {"FromPort": first, "ToPort": last}
        for name, values in (
            ("IpRanges", draw(_ranges)),
            ("UserIdGroupPairs", draw(_pairs)),
            ("Ipv6Ranges", draw(st.sampled_from([[], [{"CidrIpv6": "2001:db8::/32"}]]))),
            ("PrefixListIds", draw(st.sampled_from([[], [{"PrefixListId": "pl-0a1b"}]]))),
        ):
            if values:
                one[name] = values
        if set(one) & {"IpRanges", "UserIdGroupPairs", "Ipv6Ranges", "PrefixListIds"}:
            found.append(one)
    return found


@given(permissions())
def test_permissions_survive_both_ways_of_recording_them(given: list[Json]) -> None:
    asked = event(
        "RevokeSecurityGroupIngress",
        {"groupId": GROUP, "ipPermissions": {"items": [recorded(one) for one in given]}},
    )
    told = event(
        "RevokeSecurityGroupIngress",
        {"groupId": GROUP, "securityGroupRuleIds": {"items": ["sgr-0"]}},
        {
            "_return": True,
            "revokedSecurityGroupRuleSet": {"items": [rule for one in given for rule in listed(one, 0)]},
        },
    )
    assert rules.permissions(asked) == given
    assert rules.permissions(told) == given
    for one in given:
        call = Call(
            service="ec2",
            operation="AuthorizeSecurityGroupIngress",
            parameters={"GroupId": GROUP, "IpPermissions": [one]},
        )
        assert validate(call) == ()


def test_the_oldest_form_is_one_flat_rule() -> None:
    request = {
        "groupId": GROUP,
        "ipPermissions": {},
        "ipProtocol": "tcp",
        "fromPort": 22,
        "toPort": 22,
        "cidrIp": "203.0.113.0/24",
    }
    assert rules.permissions(event("RevokeSecurityGroupIngress", request)) == [
        {"IpProtocol": "tcp", "FromPort": 22, "ToPort": 22, "IpRanges": [{"CidrIp": "203.0.113.0/24"}]}
    ]


def test_all_protocols_have_no_ports_whatever_was_recorded() -> None:
    request = {
        "groupId": GROUP,
        "ipPermissions": {
            "items": [
                {
                    "ipProtocol": "-1",
                    "fromPort": 0,
                    "toPort": 0,
                    "ipRanges": {"items": [{"cidrIp": "0.0.0.0/0"}]},
                }
            ]
        },
    }
    assert rules.permissions(event("RevokeSecurityGroupEgress", request)) == [
        {"IpProtocol": "-1", "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}
    ]


@pytest.mark.parametrize(
    "request_",
    [
        {"groupId": GROUP, "securityGroupRuleIds": {"items": ["sgr-1"]}},
        {"groupId": GROUP, "ipPermissions": {}},
        {"groupId": GROUP, "ipPermissions": {"items": [{"ipProtocol": "tcp", "later": "x", "ipRanges": {}}]}},
        {
            "groupName": "web",
            "ipProtocol": "tcp",
            "fromPort": 1,
            "toPort": 2,
            "sourceSecurityGroupName": "app",
        },
    ],
)
def test_what_is_not_told_is_not_guessed(request_: Json) -> None:
    assert rules.permissions(event("RevokeSecurityGroupIngress", request_)) == []


def test_permissions_that_matched_no_rule_were_not_revoked() -> None:
    both = {
        "IpProtocol": "tcp",
        "FromPort": 80,
        "ToPort": 80,
        "IpRanges": [{"CidrIp": "10.0.0.0/8"}, {"CidrIp": "10.1.0.0/16"}],
    }
    one = {**both, "IpRanges": [{"CidrIp": "10.1.0.0/16"}]}
    found = rules.permissions(
        event(
            "RevokeSecurityGroupIngress",
            {"groupId": GROUP, "ipPermissions": {"items": [recorded(both)]}},
            {"_return": True, "unknownIpPermissionSet": {"items": [recorded(one)]}},
        )
    )
    assert found == [{**both, "IpRanges": [{"CidrIp": "10.0.0.0/8"}]}]


def test_a_peers_group_keeps_its_account() -> None:
    rule = {
        "groupId": GROUP,
        "groupOwnerId": "111122223333",
        "ipProtocol": "tcp",
        "fromPort": 443,
        "toPort": 443,
        "referencedGroupInfo": {"groupId": APP, "userId": "444455556666"},
    }
    assert rules.rule_permission(rule)["UserIdGroupPairs"] == [{"GroupId": APP, "UserId": "444455556666"}]
    own = {**rule, "referencedGroupInfo": {"groupId": APP, "userId": "111122223333"}}
    assert rules.rule_permission(own)["UserIdGroupPairs"] == [{"GroupId": APP}]


@pytest.mark.parametrize(
    ("recorded_", "found"),
    [
        ({"items": ["a", "b"]}, ["a", "b"]),
        ({"tag": 1, "content": "a"}, ["a"]),
        ([{"tag": 1, "content": "a"}, {"tag": 2, "content": "b"}], ["a", "b"]),
        ({"tag": 1, "Id": "x"}, [{"Id": "x"}]),
        ("a", ["a"]),
        ({}, []),
        (None, []),
        ("", []),
    ],
)
def test_lists_are_read_in_every_spelling(recorded_: Any, found: list[Any]) -> None:
    assert rules.items(recorded_) == found


def test_a_rule_before_is_the_newest_earlier_word_on_it() -> None:
    made = event(
        "AuthorizeSecurityGroupIngress",
        {"groupId": GROUP},
        {
            "securityGroupRuleSet": {
                "items": [
                    {
                        "securityGroupRuleId": "sgr-1",
                        "groupId": GROUP,
                        "ipProtocol": "tcp",
                        "fromPort": 5432,
                        "toPort": 5432,
                        "referencedGroupInfo": {"groupId": APP},
                    }
                ]
            }
        },
        minutes=60,
    )
    update = {
        "SecurityGroupRuleId": "sgr-1",
        "SecurityGroupRule": {
            "IpProtocol": "tcp",
            "FromPort": "5433",
            "ToPort": 5433,
            "CidrIpv4": "10.0.0.0/8",
        },
    }
    moved = event(
        "ModifySecurityGroupRules",
        {"ModifySecurityGroupRulesRequest": {"GroupId": GROUP, "SecurityGroupRule": {"tag": 1, **update}}},
        minutes=30,
    )
    first = {"IpProtocol": "tcp", "FromPort": 5432, "ToPort": 5432, "ReferencedGroupId": APP}
    assert rules.rule_before(GROUP, "sgr-1", (made,)) == first
    assert rules.rule_before(GROUP, "sgr-1", (moved, made)) == {
        "IpProtocol": "tcp",
        "FromPort": 5433,
        "ToPort": 5433,
        "CidrIpv4": "10.0.0.0/8",
    }
    assert rules.rule_before(GROUP, "sgr-2", (moved, made)) == {}
    assert rules.rule_before("sg-other", "sgr-1", (made,)) == {}
