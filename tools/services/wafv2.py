"""WAF: web ACLs, rule groups, IP sets and pattern sets. What guards CloudFront lies in the region us-east-1.

Updates send the whole thing and name by LockToken the version that they replace.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

from tools import arn as arns
from tools.errors import BadInput, NotThere
from tools.evidence import canonical
from tools.kit import call, optional, plain, record, relation, text
from tools.models import Call, ChangeEvent, Json, Relation, Resource, Value
from tools.parameters import from_cloudtrail
from tools.sealed import SEAL, masked, opened, seal, version
from tools.services._spec import (
    Change,
    Condition,
    Directory,
    Effect,
    MetricSpec,
    Read,
    Service,
    Setting,
    Signature,
    inert,
)
from tools.setting_values import HIDDEN

if TYPE_CHECKING:
    from tools.aws import Reader

_SOURCE = "wafv2.amazonaws.com"
_FETCH = "LOCK-TOKEN-FROM-GET"
_MOST = 20  # resources are read one web ACL at a time
# The word in an ARN -> resource type, what the API calls it.
_KINDS: Mapping[str, tuple[str, str]] = {
    "webacl": ("web-acl", "WebACL"),
    "rulegroup": ("rule-group", "RuleGroup"),
    "ipset": ("ip-set", "IPSet"),
    "regexpatternset": ("regex-pattern-set", "RegexPatternSet"),
}
# Members of the answer that an update sends as well.
_SENT: Mapping[str, tuple[str, ...]] = {
    "WebACL": (
        "DefaultAction",
        "Description",
        "Rules",
        "VisibilityConfig",
        "DataProtectionConfig",
        "CustomResponseBodies",
        "CaptchaConfig",
        "ChallengeConfig",
        "TokenDomains",
        "AssociationConfig",
        "OnSourceDDoSProtectionConfig",
        "ApplicationConfig",
        "MonetizationConfig",
    ),
    "RuleGroup": ("Description", "Rules", "VisibilityConfig", "CustomResponseBodies", "MonetizationConfig"),
    "IPSet": ("Description", "Addresses"),
    "RegexPatternSet": ("Description", "RegularExpressionList"),
}
_GUARDED = ("APPLICATION_LOAD_BALANCER", "API_GATEWAY", "COGNITO_USER_POOL", "APPSYNC")


# -- names --------------------------------------------------------------------------------------------


def scope_of(arn: str) -> str:
    return "CLOUDFRONT" if arns.parse(arn).resource.startswith("global/") else "REGIONAL"


def _word(arn: str) -> str:
    """webacl, rulegroup, ...: the second word of regional/webacl/name/id."""
    words = arns.parse(arn).resource.split("/")
    return words[1] if len(words) > 1 else ""


def _touches(word: str, event: ChangeEvent) -> tuple[str, ...]:
    made = text(event.response, "summary", "aRN")
    if made:
        return (made,)
    name, id = text(event.request, "name"), text(event.request, "id")
    scope = "global" if text(event.request, "scope") == "CLOUDFRONT" else "regional"
    if not name or not id:
        return ()
    return (arns.build("wafv2", event.region, event.account, f"{scope}/{word}/{name}/{id}"),)


def _touches_guarded(event: ChangeEvent) -> tuple[str, ...]:
    found = (text(event.request, "webACLArn"), text(event.request, "resourceArn"))
    return tuple(arn for arn in found if arns.is_arn(arn)) if arns.is_arn(found[0]) else ()


def _touches_named(event: ChangeEvent) -> tuple[str, ...]:
    arn = text(event.request, "resourceARN") or text(event.request, "resourceArn")
    arn = arn or text(event.request, "loggingConfiguration", "resourceArn")
    return (arn,) if arns.is_arn(arn) else ()


# -- reading ------------------------------------------------------------------------------------------


def discover(reader: Reader, region: str) -> Iterable[Resource]:
    """The region's web ACLs in short, the first 20 with what they guard."""
    scopes = ["REGIONAL"] + (["CLOUDFRONT"] if region == arns.global_region(region) else [])
    number = 0
    for scope in scopes:
        told = reader.pages(
            "wafv2",
            "ListWebACLs",
            "WebACLs",
            region=region,
            token=("NextMarker", "NextMarker"),
            Scope=scope,
            Limit=100,
        )
        for item in told.items:
            if not arns.is_arn(item["ARN"]):
                continue
            config, evidence = plain(item), list(told.evidence)
            if scope == "REGIONAL" and number < _MOST:
                _add_guarded(reader, item["ARN"], config, evidence, _GUARDED[:2])
                number += 1
            yield _resource(item["ARN"], config, evidence)
        if scope == "REGIONAL" and len(told.items) > _MOST:
            reader.missing(
                "What some web ACLs guard",
                f"There are {len(told.items)} web ACLs; what they guard was read of the first {_MOST}.",
                "whose requests they may block",
                code="BudgetSpent",
            )


def _resource(
    arn: str, config: Json, evidence: Iterable[str], tags: Mapping[str, str] | None = None
) -> Resource:
    parts = arns.parse(arn)
    words = parts.resource.split("/")
    return Resource(
        arn=arn,
        service="wafv2",
        type=_KINDS[words[1]][0],
        name=words[2],
        account=parts.account,
        region=parts.region,
        config=config,
        tags=dict(tags or {}),
        evidence=tuple(id for id in evidence if id),
    )


def _add_guarded(reader: Reader, arn: str, config: Json, evidence: list[str], kinds: Iterable[str]) -> None:
    """`Resources`: ARNs of what a regional web ACL guards. Distributions name their web ACL themselves."""
    found: list[str] = []
    seen = False
    for kind in kinds:
        answer = optional(
            reader,
            "wafv2",
            "ListResourcesForWebACL",
            "What a web ACL guards",
            region=arns.parse(arn).region,
            WebACLArn=arn,
            ResourceType=kind,
        )
        if answer is not None:
            evidence.append(answer.evidence)
            found.extend(answer.data.get("ResourceArns") or [])
            seen = True
    if seen:
        config["Resources"] = found


def describe(reader: Reader, arn: str) -> Resource | None:
    """The item of GetWebACL, GetRuleGroup, GetIPSet or GetRegexPatternSet with its `LockToken`.

    A web ACL also with `Resources` (ARNs of what it guards) and `LogDestinations` (ARNs). Addresses are sorted.
    """
    parts, word = arns.parse(arn), _word(arn)
    if word not in _KINDS:
        return None
    kind = _KINDS[word][1]
    name, id = parts.resource.split("/")[2:4]
    named = {"Name": name, "Scope": scope_of(arn), "Id": id}
    try:
        answer = reader.ask("wafv2", f"Get{kind}", region=parts.region, **named)
    except NotThere:
        return None
    config: Json = plain(answer.data)[kind]
    if "Addresses" in config:
        config["Addresses"] = sorted(config["Addresses"])
    config["LockToken"] = text(answer.data, "LockToken")
    evidence = [answer.evidence]
    config[SEAL] = seal(_body(kind, config))
    if kind == "WebACL":
        if named["Scope"] == "REGIONAL":
            _add_guarded(reader, arn, config, evidence, _GUARDED)
        logged = optional(
            reader, "wafv2", "GetLoggingConfiguration", "Logging", region=parts.region, ResourceArn=arn
        )
        inner = (logged.data.get("LoggingConfiguration") or {}) if logged else {}
        config["LogDestinations"] = list(inner.get("LogDestinationConfigs") or [])
        evidence.append(logged.evidence if logged else "")
    told = optional(reader, "wafv2", "ListTagsForResource", "Tags", region=parts.region, ResourceARN=arn)
    listed = (told.data.get("TagInfoForResource") or {}).get("TagList") or [] if told else []
    return _resource(arn, config, evidence, {text(one, "Key"): text(one, "Value") for one in listed})


# -- relations ----------------------------------------------------------------------------------------


def relations(resource: Resource, directory: Directory) -> Iterable[Relation]:
    """Whom a web ACL guards, and the groups and sets that its rules refer to."""
    for arn in resource.config.get("Resources") or []:
        yield Relation(
            source=_holder(arn, directory),
            target=resource.arn,
            kind="guarded by",
            provenance="wafv2:ListResourcesForWebACL",
            evidence=resource.evidence,
        )
    said_by = "wafv2:GetWebACL" if resource.type == "web-acl" else "wafv2:GetRuleGroup"
    managed = ("PreProcessFirewallManagerRuleGroups", "PostProcessFirewallManagerRuleGroups")
    seen: set[str] = set()
    for key in ("Rules", *managed):
        for rule in opened(resource.config.get(key)) or []:
            for arn in _referred(rule):
                if arn not in seen:
                    seen.add(arn)
                    yield relation(resource, arn, "uses", f"{said_by} {key} {text(rule, 'Name')}")
    for arn in resource.config.get("LogDestinations") or []:
        target = str(arn).removesuffix(":*")
        yield relation(resource, target, "logs to", "wafv2:GetLoggingConfiguration")


def _holder(arn: str, directory: Directory) -> str:
    """What is guarded, as other files know it: a stage by its own ARN where it is known, else by its API's."""
    known = directory.mentioned(arn)
    return known[0].arn if known else arn


def _referred(value: Any) -> Iterator[str]:
    """ARNs of groups and sets anywhere in a rule's statement."""
    if isinstance(value, Mapping):
        for key, inner in value.items():
            if key == "ARN" and isinstance(inner, str) and arns.is_arn(inner):
                yield inner
            else:
                yield from _referred(inner)
    elif isinstance(value, list):
        for one in value:
            yield from _referred(one)


# -- metrics ------------------------------------------------------------------------------------------


def dimensions(resource: Resource) -> tuple[tuple[str, str], ...]:
    """Of all rules of a web ACL together. Those of CloudFront's have no region."""
    if resource.type != "web-acl":
        return ()
    name = text(resource.config, "VisibilityConfig", "MetricName") or resource.name
    place = () if scope_of(resource.arn) == "CLOUDFRONT" else (("Region", resource.region),)
    return (*place, ("Rule", "ALL"), ("WebACL", name))


def _metric(name: str, role: Any, bad: Any, missing: Any, unit: str) -> MetricSpec:
    return MetricSpec(type="web-acl", name=name, stat="Sum", role=role, bad=bad, missing=missing, unit=unit)


# -- settings -----------------------------------------------------------------------------------------


def _kind(resource: Resource) -> str:
    return _KINDS[_word(resource.arn)][1]


def _body(kind: str, config: Json) -> Json:
    """What an update sends of the thing; members that are not set are left out."""
    found = {name: opened(config.get(name)) for name in _SENT[kind]}
    must = {"WebACL": "Rules", "RuleGroup": "Rules", "IPSet": "Addresses"}.get(kind, "RegularExpressionList")
    return {name: value for name, value in found.items() if value or (name == must and value is not None)}


def _read(resource: Resource) -> Call:
    words = arns.parse(resource.arn).resource.split("/")
    return call(
        "wafv2",
        f"Get{_kind(resource)}",
        resource,
        Name=words[2],
        Scope=scope_of(resource.arn),
        Id=words[3],
    )


def _restore(member: str, resource: Resource, value: Value) -> tuple[Call, ...]:
    """The whole thing with one member as it was, under the lock token that was read.

    None where Firewall Manager rules, and where a rule holds a search text: it is a blob, which the two versions of
    the AWS CLI read differently, and a rule with another text would block others.
    """
    kind, sent = _kind(resource), opened(value)
    if not isinstance(sent, list | dict) or (not sent and member != "Addresses" and member != "Rules"):
        return ()
    body = _body(kind, {**resource.config, member: sent})
    token = version(resource, "LockToken", body, _FETCH)
    if not token or masked(body) or _has_blob(body) or resource.config.get("ManagedByFirewallManager"):
        return ()
    named = _read(resource).parameters
    return (call("wafv2", f"Update{kind}", resource, **named, **body, LockToken=token),)


def _has_blob(value: Any) -> bool:
    if isinstance(value, Mapping):
        return "SearchString" in value or any(_has_blob(one) for one in value.values())
    return isinstance(value, list) and any(_has_blob(one) for one in value)


def _means(member: str, event: ChangeEvent, value: Value) -> Value:
    """The recorded member in the spelling of the API, as a description shows it; hidden where a text is a blob."""
    kind = event.operation.removeprefix("Update").removeprefix("Create")
    recorded = {"WebACL": "UpdateWebACL", "RuleGroup": "UpdateRuleGroup"}.get(kind, f"Update{kind}")
    small = member[0].lower() + member[1:]
    known = {name: text(event.request, name) or "x" for name in ("name", "scope")}
    request: Json = {**known, "id": "x", "lockToken": "x", small: event.request.get(small)}
    if kind in ("WebACL", "RuleGroup"):
        request |= {"visibilityConfig": event.request.get("visibilityConfig")}
    if kind == "WebACL":
        request |= {"defaultAction": event.request.get("defaultAction")}
    try:
        found = from_cloudtrail("wafv2", recorded, request)[member]
    except (BadInput, KeyError):
        return HIDDEN
    return canonical(sorted(found) if member == "Addresses" else found)


def _setting(
    type: str, member: str, name: str, operations: tuple[str, ...], effects: tuple[Effect, ...]
) -> Setting:
    kind = next(api for known, api in _KINDS.values() if known == type)
    return Setting(
        type=type,
        name=name,
        path=member,
        unit="",
        requests=dict.fromkeys(operations, member[0].lower() + member[1:]),
        restore=partial(_restore, member),
        read=_read,
        query=f"{kind}.{member}",
        unset=None,
        echo="none",
        effects=effects,
        means=partial(_means, member),
    )


# Whoever is guarded is the caller of the web ACL; a change holds everywhere within a minute or two.
_BLOCKS = (
    Effect(metric="BlockedRequests", direction="up", after=(0, 600)),
    Effect(metric="AllowedRequests", direction="down", after=(0, 600), may=True),
    Effect(metric="ChallengeRequests", direction="up", after=(0, 600), may=True),
    Effect(metric="CaptchaRequests", direction="up", after=(0, 600), may=True),
    Effect(metric="role:errors", direction="up", on="upstream", after=(0, 600)),
    Effect(metric="role:demand", direction="down", on="upstream", after=(0, 600)),
    Effect(metric="role:demand", direction="silent", on="upstream", after=(0, 600)),
    Effect(metric="role:work", direction="down", on="upstream", after=(0, 600)),
)
_LETS_IN = (
    Effect(metric="BlockedRequests", direction="down", after=(0, 600)),
    Effect(metric="BlockedRequests", direction="silent", after=(0, 600)),
    Effect(metric="AllowedRequests", direction="up", after=(0, 600), may=True),
    Effect(metric="role:demand", direction="up", on="upstream", after=(0, 900)),
    Effect(metric="role:saturation", direction="up", on="upstream", after=(0, 1800)),
)
_EITHER = (*_BLOCKS, *_LETS_IN)
# Groups and sets have no metrics of their own: their web ACLs, upstream, do.
_ELSEWHERE = (
    *(one for one in _EITHER if one.on != "self"),
    Effect(metric="role:work", direction="up", on="upstream", after=(0, 600)),
)

SETTINGS = (
    _setting("web-acl", "Rules", "rules", ("UpdateWebACL", "CreateWebACL"), _EITHER),
    _setting("web-acl", "DefaultAction", "default action", ("UpdateWebACL", "CreateWebACL"), _EITHER),
    _setting("rule-group", "Rules", "rules", ("UpdateRuleGroup", "CreateRuleGroup"), _ELSEWHERE),
    _setting("ip-set", "Addresses", "addresses", ("UpdateIPSet", "CreateIPSet"), _ELSEWHERE),
    _setting(
        "regex-pattern-set",
        "RegularExpressionList",
        "patterns",
        ("UpdateRegexPatternSet",),
        _ELSEWHERE,
    ),
)


# -- reversals ----------------------------------------------------------------------------------------


def _undo_associate(event: ChangeEvent, earlier: tuple[ChangeEvent, ...]) -> tuple[Call, ...]:
    """The web ACL before, or none, as the newest earlier event on the guarded resource tells."""
    guarded = text(event.request, "resourceArn")
    for one in earlier:
        if text(one.request, "resourceArn") != guarded or one.error_code:
            continue
        if one.operation == "DisassociateWebACL":
            return (call("wafv2", "DisassociateWebACL", event, ResourceArn=guarded),)
        before = text(one.request, "webACLArn")
        if one.operation == "AssociateWebACL" and before != text(event.request, "webACLArn"):
            return (call("wafv2", "AssociateWebACL", event, WebACLArn=before, ResourceArn=guarded),)
    return ()


# -- changes ------------------------------------------------------------------------------------------

_UUID = "2a7d5c1e-4b0f-4c67-9d2b-8f1e3a6c5b40"
_PLACE = "arn:aws:wafv2:eu-west-1:111122223333:regional"
_ACL = f"{_PLACE}/webacl/shop/{_UUID}"
_WEB = "arn:aws:elasticloadbalancing:eu-west-1:111122223333:loadbalancer/app/web/50dc6c495c0c9188"


def _seen(name: str) -> Json:
    return {
        "visibilityConfig": {
            "sampledRequestsEnabled": True,
            "cloudWatchMetricsEnabled": True,
            "metricName": name,
        }
    }


_RULES: list[Json] = [
    {
        "name": "countries",
        "priority": 0,
        "statement": {"geoMatchStatement": {"countryCodes": ["AQ"]}},
        "action": {"block": {}},
        **_seen("countries"),
    },
    {
        "name": "common",
        "priority": 1,
        "statement": {
            "managedRuleGroupStatement": {"vendorName": "AWS", "name": "AWSManagedRulesCommonRuleSet"}
        },
        "overrideAction": {"none": {}},
        **_seen("common"),
    },
]
_LOCK: Json = {"lockToken": "447e55ac-2396-4c6d-b9f9-86b67c17f8b5"}
_NEXT: Json = {"nextLockToken": "9d1c2f3e-5b6a-4f0d-8e7c-1a2b3c4d5e6f"}


def _named(name: str) -> Json:
    return {"name": name, "scope": "REGIONAL", "id": _UUID}


def _example(operation: str, request: Json, response: Json | None = None) -> Json:
    return record(_SOURCE, operation, request, response)


def _made(word: str, name: str) -> Json:
    return {"summary": {"name": name, "id": _UUID, "aRN": f"{_PLACE}/{word}/{name}/{_UUID}", **_LOCK}}


CHANGES = (
    Change(
        operation="UpdateWebACL",
        touches=partial(_touches, "webacl"),
        breaks="Requests of users are blocked, or such are let in that were blocked.",
        example=_example(
            "UpdateWebACL",
            {**_named("shop"), "defaultAction": {"allow": {}}, "rules": _RULES, **_seen("shop"), **_LOCK},
            _NEXT,
        ),
    ),
    Change(
        operation="UpdateRuleGroup",
        touches=partial(_touches, "rulegroup"),
        breaks="Every web ACL that uses the group blocks or lets in other requests than before.",
        example=_example(
            "UpdateRuleGroup", {**_named("bots"), "rules": _RULES[:1], **_seen("bots"), **_LOCK}, _NEXT
        ),
    ),
    Change(
        operation="UpdateIPSet",
        touches=partial(_touches, "ipset"),
        breaks="Addresses are blocked or let in by every rule that uses the set.",
        example=_example(
            "UpdateIPSet",
            {**_named("partners"), "addresses": ["203.0.113.0/24"], **_LOCK},
            _NEXT,
        ),
    ),
    Change(
        operation="UpdateRegexPatternSet",
        touches=partial(_touches, "regexpatternset"),
        breaks="Every rule that uses the set matches other requests than before.",
        example=_example(
            "UpdateRegexPatternSet",
            {**_named("agents"), "regularExpressionList": [{"regexString": "^bot"}], **_LOCK},
            _NEXT,
        ),
    ),
    Change(
        operation="AssociateWebACL",
        touches=_touches_guarded,
        breaks="Requests of users are blocked by the rules of the web ACL.",
        example=_example("AssociateWebACL", {"webACLArn": _ACL, "resourceArn": _WEB}),
        effects=_EITHER,
        undo=_undo_associate,
        earlier=("AssociateWebACL", "DisassociateWebACL"),
    ),
    *(
        # Nothing can be deleted while it is in use.
        inert(f"Delete{kind}", partial(_touches, word), _example(f"Delete{kind}", {**_named("old"), **_LOCK}))
        for word, (_, kind) in _KINDS.items()
    ),
    inert(
        "CreateWebACL",
        partial(_touches, "webacl"),
        _example(
            "CreateWebACL",
            {
                "name": "shop",
                "scope": "REGIONAL",
                "defaultAction": {"allow": {}},
                "rules": _RULES,
                **_seen("shop"),
            },
            _made("webacl", "shop"),
        ),
    ),
    inert(
        "CreateRuleGroup",
        partial(_touches, "rulegroup"),
        _example(
            "CreateRuleGroup",
            {"name": "bots", "scope": "REGIONAL", "capacity": 10, "rules": _RULES[:1], **_seen("bots")},
            _made("rulegroup", "bots"),
        ),
    ),
    inert(
        "CreateIPSet",
        partial(_touches, "ipset"),
        _example(
            "CreateIPSet",
            {
                "name": "partners",
                "scope": "REGIONAL",
                "iPAddressVersion": "IPV4",
                "addresses": ["203.0.113.0/24"],
            },
            _made("ipset", "partners"),
        ),
    ),
    *(
        inert(operation, _touches_named, _example(operation, request))
        for operation, request in (
            (
                "PutLoggingConfiguration",
                {"loggingConfiguration": {"resourceArn": _ACL, "logDestinationConfigs": []}},
            ),
            ("DeleteLoggingConfiguration", {"resourceArn": _ACL}),
            ("TagResource", {"resourceARN": _ACL, "tags": [{"key": "team", "value": "shop"}]}),
            ("UntagResource", {"resourceARN": _ACL, "tagKeys": ["team"]}),
        )
    ),
)


# -- states -------------------------------------------------------------------------------------------


def _holds(word: str, value: Any) -> bool:
    if isinstance(value, Mapping):
        return word in value or any(_holds(word, one) for one in value.values())
    return isinstance(value, list) and any(_holds(word, one) for one in value)


def _lacks(word: str, resource: Resource) -> bool:
    """Whether the rules are known and none of them has such a statement."""
    rules = resource.config.get("Rules")
    return rules is not None and not _holds(word, rules)


CONDITIONS = (
    Condition(
        key="managed-rules-block",
        type="web-acl",
        title="a managed rule group blocks requests without any change of the web ACL",
        metrics=("BlockedRequests",),
        breaks="Requests match a rule of AWS or a vendor: the group got a new version, or requests look different.",
        relieve=(
            "See in sampled requests or WAF logs which rule ends them (terminatingRuleId, ruleGroupList).",
            "Set that one rule of the group to count, or keep the path in question out by a scope-down statement.",
        ),
        prevent=(
            "Pin the group's version, and try new ones in count for a day first.",
            "Alarm on BlockedRequests of each rule that blocks.",
        ),
        excluded=partial(_lacks, "ManagedRuleGroupStatement"),
    ),
    Condition(
        key="rate-limit-blocks",
        type="web-acl",
        title="a rate-based rule blocks: senders exceed its limit",
        metrics=("BlockedRequests",),
        breaks="Addresses that send more than the rule allows are blocked, many users behind one address too.",
        relieve=(
            "See which addresses the rule holds (GetRateBasedStatementManagedKeys) and whether they are users.",
            "If they are: raise the limit, or group by another key than the address.",
        ),
        prevent=("Set the limit well above what the largest shared address sends, and alarm on the rule.",),
        excluded=partial(_lacks, "RateBasedStatement"),
    ),
)


def log_groups(resource: Resource) -> tuple[str, ...]:
    found = [str(arn) for arn in resource.config.get("LogDestinations") or [] if ":logs:" in str(arn)]
    return tuple(arns.parse(arn).name.removesuffix(":*") for arn in found)


SERVICE = Service(
    name="wafv2",
    title="WAF",
    client="wafv2",
    event_sources=(_SOURCE,),
    reads=tuple(
        Read(operation=operation, action=f"wafv2:{operation}", shows=shows)
        for operation, shows in (
            ("ListWebACLs", "which web ACLs exist"),
            ("GetWebACL", "a web ACL's rules"),
            ("ListResourcesForWebACL", "what a web ACL guards"),
            ("GetLoggingConfiguration", "where a web ACL logs to"),
            ("GetRuleGroup", "the rules of a group"),
            ("GetIPSet", "the addresses of a set"),
            ("GetRegexPatternSet", "the patterns of a set"),
            ("ListTagsForResource", "who owns a web ACL"),
        )
    ),
    types={"web-acl": "component", "rule-group": "other", "ip-set": "other", "regex-pattern-set": "other"},
    arns={type: rf"wafv2:(?:regional|global)/{word}/[^/]+/[^/]+" for word, (type, _) in _KINDS.items()},
    discover=discover,
    describe=describe,
    relations=relations,
    namespace="AWS/WAFV2",
    dimensions=dimensions,
    metrics=(
        _metric("BlockedRequests", "errors", "up", "zero", "blocked requests"),
        _metric("AllowedRequests", "work", "down", "idle", "allowed requests"),
        _metric("CountedRequests", "work", "", "zero", "counted requests"),
        _metric("CaptchaRequests", "errors", "up", "zero", "requests that met a puzzle"),
        _metric("ChallengeRequests", "errors", "up", "zero", "requests that were challenged"),
    ),
    settings=SETTINGS,
    changes=CHANGES,
    conditions=CONDITIONS,
    signatures=(
        Signature(
            match=r'"action"\s*:\s*"BLOCK"',
            code="",
            reason="",
            points_to="Rules",
            says="the web ACL blocked requests",
            own=True,
        ),
    ),
    log_groups=log_groups,
    listed=False,
    listed_near=("load-balancer", "api", "stage", "user-pool", "web-acl", "rule-group", "ip-set"),
)
