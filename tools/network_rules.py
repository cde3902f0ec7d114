"""Rules of security groups, network ACLs and route tables as CloudTrail recorded them, as calls take them. Pure.

What cannot be told whole comes back as None or empty: a rule put back half is worse than none.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from tools.errors import BadInput
from tools.evidence import canonical
from tools.kit import text
from tools.models import ChangeEvent, Json
from tools.parameters import from_cloudtrail

_DESTINATIONS = ("DestinationCidrBlock", "DestinationIpv6CidrBlock", "DestinationPrefixListId")
_ANY = "-1"  # all protocols; ports mean nothing then (AuthorizeSecurityGroupIngress, IpProtocol)


def items(value: Any) -> list[Any]:
    """A recorded list: EC2's {"items": [...]}, its newer {"tag": 1, "content": x}, a plain list, one value."""
    if isinstance(value, Mapping):
        if "items" in value:
            return list(value["items"] or [])
        if "tag" in value:
            return [
                value["content"] if "content" in value else {k: v for k, v in value.items() if k != "tag"}
            ]
        return [value] if value else []
    if isinstance(value, list | tuple):
        return [found for one in value for found in items(one)]
    return [] if value in (None, "") else [value]


def body(event: ChangeEvent) -> Json:
    """The request without the "<Operation>Request" that newer operations of EC2 wrap it in."""
    inner = event.request.get(f"{event.operation}Request")
    return inner if isinstance(inner, dict) else event.request


def answer(event: ChangeEvent) -> Json:
    """The response without its "<Operation>Response"."""
    inner = event.response.get(f"{event.operation}Response")
    return inner if isinstance(inner, dict) else event.response


# -- security groups --------------------------------------------------------------------------------


def permissions(event: ChangeEvent) -> list[Json]:
    """What an Authorize- or RevokeSecurityGroup- event added or took away, as `IpPermissions`; [] if not told.

    AWS's answer lists the rules one by one and outweighs the request, which may name them by id only or hold
    some that were not there. Records older than that list have only the request.
    """
    response = answer(event)
    for key in ("revokedSecurityGroupRuleSet", "securityGroupRuleSet"):
        if rules := items(response.get(key)):
            return _merged(rule_permission(rule) for rule in rules)
    asked = _asked(event.request)
    unknown = _recorded(items(response.get("unknownIpPermissionSet")))
    return [one for one in _single(asked) if one not in _single(unknown)] if unknown else asked


def _asked(request: Json) -> list[Json]:
    found = _recorded(items(request.get("ipPermissions")))
    if found or not text(request, "ipProtocol"):
        return found
    # The oldest form: one rule, flat in the request.
    range = {"cidrIp": text(request, "cidrIp")}
    flat = {key: request[key] for key in ("ipProtocol", "fromPort", "toPort") if request.get(key) is not None}
    return _recorded([{**flat, "ipRanges": {"items": [range]}}]) if range["cidrIp"] else []


def _recorded(permissions: list[Any]) -> list[Json]:
    """Recorded permissions as parameters, without empty lists; [] when one of them does not convert."""
    if not permissions:
        return []
    try:
        sent = from_cloudtrail(
            "ec2",
            "AuthorizeSecurityGroupIngress",
            {"groupId": "sg-0", "ipPermissions": {"items": permissions}},
        )
    except BadInput:
        return []
    return [_bare({key: value for key, value in one.items() if value != []}) for one in sent["IpPermissions"]]


def _bare(permission: Json) -> Json:
    if permission.get("IpProtocol") == _ANY:
        return {key: value for key, value in permission.items() if key not in ("FromPort", "ToPort")}
    return permission


def rule_permission(rule: Mapping[str, Any]) -> Json:
    """One rule of `securityGroupRuleSet` or `revokedSecurityGroupRuleSet` as an `IpPermissions` item."""
    found: Json = {"IpProtocol": text(rule, "ipProtocol")}
    for key, name in (("fromPort", "FromPort"), ("toPort", "ToPort")):
        if rule.get(key) is not None:
            found[name] = int(rule[key])
    said = {"Description": text(rule, "description")} if text(rule, "description") else {}
    group = rule.get("referencedGroupInfo") or {}
    pair = {"GroupId": text(rule, "referencedGroupId") or text(group, "groupId")}
    # An own group needs no account, and a peer's account is in the answer to Authorize only.
    if (owner := text(group, "userId")) and owner != text(rule, "groupOwnerId"):
        pair["UserId"] = owner
    if text(rule, "cidrIpv4"):
        found["IpRanges"] = [{"CidrIp": text(rule, "cidrIpv4"), **said}]
    elif text(rule, "cidrIpv6"):
        found["Ipv6Ranges"] = [{"CidrIpv6": text(rule, "cidrIpv6"), **said}]
    elif text(rule, "prefixListId"):
        found["PrefixListIds"] = [{"PrefixListId": text(rule, "prefixListId"), **said}]
    elif pair["GroupId"]:
        found["UserIdGroupPairs"] = [{**pair, **said}]
    return _bare(found)


_ENDS = ("IpRanges", "Ipv6Ranges", "PrefixListIds", "UserIdGroupPairs")


def _single(permissions: Iterable[Json]) -> list[Json]:
    """The same with one range, list or group each."""
    return [
        {**{key: value for key, value in one.items() if key not in _ENDS}, end: [item]}
        for one in permissions
        for end in _ENDS
        for item in one.get(end, ())
    ]


def _merged(permissions: Iterable[Json]) -> list[Json]:
    """One item per protocol and ports, as requests are written."""
    found: dict[tuple[Any, ...], Json] = {}
    for one in permissions:
        key = (one.get("IpProtocol"), one.get("FromPort"), one.get("ToPort"))
        into = found.setdefault(key, {name: value for name, value in one.items() if name not in _ENDS})
        for end in _ENDS:
            if end in one:
                into[end] = [*into.get(end, []), *one[end]]
    return list(found.values())


def undescribed(permissions: Iterable[Json]) -> list[Json]:
    """The permissions without descriptions: rules are revoked by what they admit."""
    return [
        {
            key: [{name: v for name, v in item.items() if name != "Description"} for item in value]
            if key in _ENDS
            else value
            for key, value in one.items()
        }
        for one in permissions
    ]


def grants(event: ChangeEvent) -> frozenset[str]:
    """Each single rule that an event on the rules of a security group is about, without its description."""
    return frozenset(canonical(one) for one in undescribed(_single(permissions(event))))


_TELL = ("AuthorizeSecurityGroup", "UpdateSecurityGroupRuleDescriptions")


def described(event: ChangeEvent, earlier: Iterable[ChangeEvent]) -> tuple[list[Json], bool]:
    """What a Revoke took away, each rule with its description, and whether all of these are known.

    AWS revokes a rule by what it admits, whatever its description: the request need not hold it. AWS's answer does,
    in newer records, and so does the newest of the `earlier` events (newest first) that gave or described the rule.
    """
    found = permissions(event)
    if items(answer(event).get("revokedSecurityGroupRuleSet")):
        return found, True
    way = event.operation.removeprefix("RevokeSecurityGroup")
    told: dict[str, Json] = {}
    for one in earlier:
        same = text(body(one), "groupId") == text(event.request, "groupId") != ""
        if same and not one.error_code and one.operation.startswith(_TELL) and one.operation.endswith(way):
            for rule in _single(permissions(one)):
                told.setdefault(canonical(undescribed([rule])[0]), rule)
    single = _single(found)
    keys = [canonical(undescribed([one])[0]) for one in single]
    known = all(key in told or undescribed([one])[0] != one for key, one in zip(keys, single, strict=True))
    if all(told.get(key, one) == one for key, one in zip(keys, single, strict=True)):
        return found, known
    return _merged(told.get(key, one) for key, one in zip(keys, single, strict=True)), known


def groups_named(permissions: Iterable[Json]) -> list[str]:
    """Ids of the groups that permissions admit or lead to."""
    return [
        str(pair["GroupId"])
        for one in permissions
        for pair in one.get("UserIdGroupPairs", ())
        if pair.get("GroupId")
    ]


def rule_before(group: str, rule: str, earlier: Iterable[ChangeEvent]) -> Json:
    """A rule by its id as an earlier event left it, as a `SecurityGroupRuleRequest`; {} when none tells."""
    for event in earlier:
        if event.error_code:
            continue
        for found in items(answer(event).get("securityGroupRuleSet")):
            if text(found, "securityGroupRuleId") == rule and text(found, "groupId") in ("", group):
                return _rule_request(found)
        for update in rule_updates(event):
            if text(update, "SecurityGroupRuleId") == rule:
                return _typed(update.get("SecurityGroupRule") or {})
    return {}


def rule_updates(event: ChangeEvent) -> list[Json]:
    """The {SecurityGroupRuleId, SecurityGroupRule} pairs of a ModifySecurityGroupRules event."""
    if event.operation != "ModifySecurityGroupRules":
        return []
    recorded = body(event).get("SecurityGroupRule") or body(event).get("SecurityGroupRules")
    return [one for one in items(recorded) if isinstance(one, dict)]


_RULE_FIELDS = (
    ("ipProtocol", "IpProtocol"),
    ("fromPort", "FromPort"),
    ("toPort", "ToPort"),
    ("cidrIpv4", "CidrIpv4"),
    ("cidrIpv6", "CidrIpv6"),
    ("prefixListId", "PrefixListId"),
    ("description", "Description"),
)


def _rule_request(rule: Mapping[str, Any]) -> Json:
    found = {name: rule[key] for key, name in _RULE_FIELDS if rule.get(key) not in (None, "")}
    if group := text(rule, "referencedGroupId") or text(rule, "referencedGroupInfo", "groupId"):
        found["ReferencedGroupId"] = group
    return _typed(found)


def _typed(rule: Mapping[str, Any]) -> Json:
    """Ports as numbers, all else as text; "" and what is not there left out."""
    return {
        key: int(value) if key in ("FromPort", "ToPort") else str(value)
        for key, value in rule.items()
        if value not in (None, "") and not isinstance(value, Mapping)
    }


# -- network ACLs and routes ------------------------------------------------------------------------


def parameters(event: ChangeEvent, operation: str = "") -> Json:
    """The event's request as parameters of `operation` (its own when not given), without empty parts; {} if it
    does not convert.
    """
    try:
        sent = from_cloudtrail("ec2", operation or event.operation, event.request)
    except BadInput:
        return {}
    return {key: value for key, value in sent.items() if value not in ({}, [], None) and key != "DryRun"}


def entry_key(event: ChangeEvent) -> tuple[str, str, bool]:
    """Which network ACL entry an event is about: ACL, rule number, direction."""
    request = event.request
    leaving = str(request.get("egress", False)).lower() == "true"
    return text(request, "networkAclId"), text(request, "ruleNumber"), leaving


def route_key(event: ChangeEvent) -> tuple[str, str]:
    """Which route an event is about: route table and destination."""
    sent = event.request
    keys = (name[0].lower() + name[1:] for name in _DESTINATIONS)
    return text(sent, "routeTableId"), next((text(sent, key) for key in keys if text(sent, key)), "")


def destination(parameters: Json) -> Json:
    """The part of a route's parameters that names it."""
    return {key: parameters[key] for key in ("RouteTableId", *_DESTINATIONS) if key in parameters}
