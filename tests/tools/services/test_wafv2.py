"""WAF: what is read and related, and that updates give back the very rules and addresses of before."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from tests.tools.fake_account import Answer, FakeAws
from tools.directory import KnownResources
from tools.history import HIDDEN, current, prior, requested, same
from tools.models import Actor, ChangeEvent, Json, Resource
from tools.parameters import validate
from tools.services._spec import Setting
from tools.services.wafv2 import SERVICE, describe, dimensions, discover, relations, scope_of
from tools.topology import around

NOON = datetime(2026, 3, 13, 12, tzinfo=UTC)
ID = "2a7d5c1e-4b0f-4c67-9d2b-8f1e3a6c5b40"
PLACE = "arn:aws:wafv2:eu-west-1:111122223333:regional"
ACL = f"{PLACE}/webacl/shop/{ID}"
EDGE = f"arn:aws:wafv2:us-east-1:111122223333:global/webacl/edge/{ID}"
SET = f"{PLACE}/ipset/partners/{ID}"
GROUP = f"{PLACE}/rulegroup/bots/{ID}"
WEB = "arn:aws:elasticloadbalancing:eu-west-1:111122223333:loadbalancer/app/web/50dc6c495c0c9188"
LOGS = "arn:aws:logs:eu-west-1:111122223333:log-group:aws-waf-logs-shop"


def seen(name: str) -> Json:
    return {"SampledRequestsEnabled": True, "CloudWatchMetricsEnabled": True, "MetricName": name}


def rule(name: str, statement: Json, action: str = "Block") -> Json:
    return {
        "Name": name,
        "Priority": 0,
        "Statement": statement,
        "Action": {action: {}},
        "VisibilityConfig": seen(name),
    }


MANAGED: Json = {
    "Name": "common",
    "Priority": 1,
    "Statement": {"ManagedRuleGroupStatement": {"VendorName": "AWS", "Name": "AWSManagedRulesCommonRuleSet"}},
    "OverrideAction": {"None": {}},
    "VisibilityConfig": seen("common"),
}
NOT_PARTNERS = rule("strangers", {"NotStatement": {"Statement": {"IPSetReferenceStatement": {"ARN": SET}}}})
COUNTED = rule(
    "strangers", {"NotStatement": {"Statement": {"IPSetReferenceStatement": {"ARN": SET}}}}, "Count"
)


def acl(*rules: Json, **changed: Any) -> Json:
    return {
        "Name": "shop",
        "Id": ID,
        "ARN": ACL,
        "DefaultAction": {"Allow": {}},
        "Rules": list(rules),
        "VisibilityConfig": seen("shop-metric"),
        "Capacity": 700,
        "LabelNamespace": "awswaf:111122223333:webacl:shop:",
        "ManagedByFirewallManager": False,
        **changed,
    }


def answers(item: Json, **more: Answer) -> dict[tuple[str, str], Answer]:
    def guarded(parameters: Json) -> Json:
        found = {"APPLICATION_LOAD_BALANCER": [WEB]}.get(parameters["ResourceType"], [])
        return {"ResourceArns": found}

    summary = {"Name": "shop", "Id": ID, "ARN": ACL, "LockToken": "b" * 8}
    made: dict[str, Answer] = {
        "ListWebACLs": {"WebACLs": [summary]},
        "GetWebACL": {"WebACL": item, "LockToken": "447e55ac-2396-4c6d-b9f9-86b67c17f8b5"},
        "GetIPSet": {
            "IPSet": {
                "Name": "partners",
                "Id": ID,
                "ARN": SET,
                "IPAddressVersion": "IPV4",
                "Addresses": ["203.0.113.128/25", "198.51.100.0/24"],
            },
            "LockToken": "447e55ac-2396-4c6d-b9f9-86b67c17f8b5",
        },
        "ListResourcesForWebACL": guarded,
        "GetLoggingConfiguration": {
            "LoggingConfiguration": {"ResourceArn": ACL, "LogDestinationConfigs": [f"{LOGS}:*"]}
        },
        "ListTagsForResource": {
            "TagInfoForResource": {"ResourceARN": ACL, "TagList": [{"Key": "team", "Value": "shop"}]}
        },
    }
    return {("wafv2", name): answer for name, answer in {**made, **more}.items()}


def read(*rules: Json, **changed: Any) -> Resource:
    found = describe(FakeAws(answers(acl(*rules, **changed))).reader(), ACL)
    assert found is not None
    return found


def setting(type: str, path: str) -> Setting:
    return next(one for one in SERVICE.settings if (one.type, one.path) == (type, path))


RULES = setting("web-acl", "Rules")


# -- reading and relations ----------------------------------------------------------------------------


def test_a_web_acl_tells_whom_it_guards_what_it_uses_and_where_it_logs() -> None:
    grouped = {**MANAGED, "Name": "bots", "Statement": {"RuleGroupReferenceStatement": {"ARN": GROUP}}}
    found = read(NOT_PARTNERS, MANAGED, grouped)
    assert (found.type, found.name, found.tags) == ("web-acl", "shop", {"team": "shop"})
    told = list(relations(found, KnownResources([found])))
    assert all(one.evidence for one in told)
    assert {(one.source, one.kind, one.target) for one in told} == {
        (WEB, "guarded by", ACL),
        (ACL, "uses", SET),
        (ACL, "uses", GROUP),
        (ACL, "logs to", LOGS),
    }
    assert SERVICE.log_groups is not None
    assert SERVICE.log_groups(found) == ("aws-waf-logs-shop",)


def test_metrics_are_named_by_the_acl_and_without_a_region_at_the_edge() -> None:
    assert dimensions(read()) == (("Region", "eu-west-1"), ("Rule", "ALL"), ("WebACL", "shop-metric"))
    edge = replace(read(), arn=EDGE, region="us-east-1")
    assert dimensions(edge) == (("Rule", "ALL"), ("WebACL", "shop-metric"))
    assert (scope_of(ACL), scope_of(EDGE)) == ("REGIONAL", "CLOUDFRONT")
    known = KnownResources([read()])
    assert known.measured("AWS/WAFV2", dict(dimensions(read())), "eu-west-1") == ACL


def test_acls_of_cloudfront_are_listed_in_its_region_only() -> None:
    def scopes(region: str) -> list[str]:
        asked: list[str] = []

        def listing(parameters: Json) -> Json:
            asked.append(parameters["Scope"])
            return {"WebACLs": []}

        list(discover(FakeAws(answers(acl(), ListWebACLs=listing), region=region).reader(), region))
        return asked

    assert scopes("eu-west-1") == ["REGIONAL"]
    assert scopes("us-east-1") == ["REGIONAL", "CLOUDFRONT"]


def test_a_load_balancer_in_trouble_shows_the_acl_that_guards_it_and_its_sets() -> None:
    balancer: Json = {"LoadBalancerArn": WEB, "LoadBalancerName": "web", "Type": "application"}
    account = FakeAws(
        {
            **answers(acl(NOT_PARTNERS)),
            ("elbv2", "DescribeLoadBalancers"): {"LoadBalancers": [balancer]},
        }
    )
    found = around(account.reader(), [WEB])
    told = {(one.source, one.kind, one.target) for one in found.relations}
    assert {(WEB, "guarded by", ACL), (ACL, "uses", SET)} <= told
    described = found.by_arn(SET)
    assert described is not None
    assert described.config["Addresses"] == ["198.51.100.0/24", "203.0.113.128/25"]


def test_what_a_web_acl_guards_is_a_gap_where_it_may_not_be_read() -> None:
    reader = FakeAws(answers(acl()), denied=frozenset({"wafv2:ListResourcesForWebACL"})).reader()
    (found,) = discover(reader, "eu-west-1")
    assert "Resources" not in found.config
    assert reader.gaps
    assert describe(FakeAws({}).reader(), ACL) is None


# -- putting back -------------------------------------------------------------------------------------


def test_rules_of_before_go_back_with_all_else_as_it_is() -> None:
    before, after = read(COUNTED, MANAGED), read(NOT_PARTNERS, MANAGED)
    # AWS answers "" for a description that is not set, and takes none that is empty.
    after = replace(after, config={**after.config, "Description": ""})
    assert not same(current(before, RULES), current(after, RULES), RULES)
    (made,) = RULES.restore(after, current(before, RULES))
    assert validate(made) == ()
    assert made.operation == "UpdateWebACL"
    assert made.parameters == {
        "Name": "shop",
        "Scope": "REGIONAL",
        "Id": ID,
        "DefaultAction": {"Allow": {}},
        "Rules": [COUNTED, MANAGED],
        "VisibilityConfig": seen("shop-metric"),
        "LockToken": "447e55ac-2396-4c6d-b9f9-86b67c17f8b5",
    }


def test_the_way_back_asks_for_a_token_of_its_own() -> None:
    after = read(NOT_PARTNERS)
    (made,) = RULES.restore(after, current(after, RULES))
    assert made.parameters["LockToken"] == "LOCK-TOKEN-FROM-GET"
    assert validate(made) == ()


def test_no_call_where_it_could_not_restore_the_very_same() -> None:
    text = {"SearchString": b"/admin", "FieldToMatch": {"UriPath": {}}, "PositionalConstraint": "STARTS_WITH"}
    match = {**text, "TextTransformations": [{"Priority": 0, "Type": "NONE"}]}
    searched = rule("admin", {"ByteMatchStatement": match})
    good = current(read(COUNTED), RULES)
    assert RULES.restore(read(searched), current(read(searched), RULES)) == ()
    assert RULES.restore(read(NOT_PARTNERS, ManagedByFirewallManager=True), good) == ()
    assert RULES.restore(read(NOT_PARTNERS), None) == ()
    unread = replace(read(NOT_PARTNERS), config={**read(NOT_PARTNERS).config, "LockToken": ""})
    assert RULES.restore(unread, good) == ()


def recorded(value: Any) -> Any:
    """As CloudTrail writes it: small first letters."""
    if isinstance(value, dict):
        return {key[0].lower() + key[1:]: recorded(inner) for key, inner in value.items()}
    return [recorded(one) for one in value] if isinstance(value, list) else value


def happened(operation: str, minute: int, request: Json) -> ChangeEvent:
    return ChangeEvent(
        id=f"e{minute}",
        time=NOON.replace(minute=minute),
        source="wafv2.amazonaws.com",
        action=operation,
        operation=operation,
        region="eu-west-1",
        account="111122223333",
        actor=Actor(kind="iam_user", name="ops-07", how="console"),
        request=request,
        response={"nextLockToken": "n"},
        evidence=(f"F{minute}",),
    )


def updated(minute: int, *rules: Json, action: str = "Allow") -> ChangeEvent:
    item = recorded(acl(*rules, DefaultAction={action: {}}))
    kept = {key: item[key] for key in ("name", "id", "defaultAction", "rules", "visibilityConfig")}
    return happened("UpdateWebACL", minute, {**kept, "scope": "REGIONAL", "lockToken": "t"})


def test_a_request_and_a_description_of_the_same_rules_say_the_same() -> None:
    event = updated(30, NOT_PARTNERS, MANAGED)
    assert requested(event, RULES) == (True, current(read(NOT_PARTNERS, MANAGED), RULES))
    default = setting("web-acl", "DefaultAction")
    assert requested(event, default) == (True, current(read(), default))


def test_the_rules_before_are_those_of_the_earlier_update() -> None:
    bad, good = updated(30, NOT_PARTNERS, MANAGED), updated(10, COUNTED, MANAGED)
    after = read(NOT_PARTNERS, MANAGED)
    before = prior(RULES, after, bad, (bad, good), None)
    assert before.known
    (made,) = RULES.restore(after, before.value)
    assert made.parameters["Rules"] == [COUNTED, MANAGED]


def test_rules_with_a_search_text_are_told_as_not_shown() -> None:
    searched = rule("admin", {"ByteMatchStatement": {"SearchString": "L2FkbWlu"}})
    assert requested(updated(30, searched), RULES) == (True, HIDDEN)


@given(
    st.lists(st.integers(0, 255), unique=True, max_size=6),
    st.lists(st.integers(0, 255), unique=True, max_size=6),
)
def test_any_set_of_addresses_goes_back(good: list[int], bad: list[int]) -> None:
    one = setting("ip-set", "Addresses")

    def held(numbers: list[int]) -> Resource:
        item: Json = {
            "Name": "partners",
            "Id": ID,
            "ARN": SET,
            "IPAddressVersion": "IPV4",
            "Addresses": [f"203.0.113.{number}/32" for number in numbers],
        }
        answer: Json = {"IPSet": item, "LockToken": "447e55ac-2396-4c6d-b9f9-86b67c17f8b5"}
        found = describe(FakeAws(answers(acl(), GetIPSet=answer)).reader(), SET)
        assert found is not None
        return found

    request = {
        "addresses": [f"203.0.113.{number}/32" for number in good],
        "name": "partners",
        "scope": "REGIONAL",
    }
    told = requested(happened("UpdateIPSet", 10, request), one)
    assert told == (True, current(held(good), one))
    (made,) = one.restore(held(bad), told[1])
    assert validate(made) == ()
    assert made.parameters["Addresses"] == sorted(f"203.0.113.{number}/32" for number in good)


def test_an_association_goes_back_to_the_acl_before_or_to_none() -> None:
    change = next(one for one in SERVICE.changes if one.operation == "AssociateWebACL")
    assert change.undo is not None
    other = f"{PLACE}/webacl/old/{ID}"
    now = happened("AssociateWebACL", 30, {"webACLArn": ACL, "resourceArn": WEB})
    assert change.touches(now) == (ACL, WEB)
    assert change.undo(now, ()) == ()
    old = happened("AssociateWebACL", 10, {"webACLArn": other, "resourceArn": WEB})
    elsewhere = happened("AssociateWebACL", 20, {"webACLArn": other, "resourceArn": WEB + "0"})
    (made,) = change.undo(now, (elsewhere, old))
    assert made.parameters == {"WebACLArn": other, "ResourceArn": WEB}
    off = happened("DisassociateWebACL", 20, {"resourceArn": WEB})
    (made,) = change.undo(now, (off, old))
    assert (made.operation, made.parameters) == ("DisassociateWebACL", {"ResourceArn": WEB})


def test_conditions_need_a_rule_of_their_kind() -> None:
    limited = rule("rate", {"RateBasedStatement": {"Limit": 100, "AggregateKeyType": "IP"}})

    def possible(*rules: Json) -> set[str]:
        found = read(*rules)
        return {one.key for one in SERVICE.conditions if one.excluded and not one.excluded(found)}

    assert possible(NOT_PARTNERS) == set()
    assert possible(MANAGED) == {"managed-rules-block"}
    assert possible(limited, MANAGED) == {"managed-rules-block", "rate-limit-blocks"}
