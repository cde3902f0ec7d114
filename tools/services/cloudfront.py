"""CloudFront: distributions with their origins, behaviours and names, and the policies and functions they use.

Global: its events and metrics are in one region of the partition only. UpdateDistribution sends the whole
configuration and names by IfMatch the ETag of the one it replaces.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

from tools import arn as arns
from tools.errors import BadInput, NotThere
from tools.kit import optional, plain, record, relation, text, whole
from tools.models import Call, ChangeEvent, Json, Relation, Resource, Value
from tools.parameters import from_cloudtrail
from tools.sealed import SEAL, masked, opened, placed, seal, version
from tools.services._spec import (
    Change,
    Directory,
    Effect,
    MetricSpec,
    Read,
    Service,
    Setting,
    Signature,
    inert,
)

if TYPE_CHECKING:
    from tools.aws import Reader

_SOURCE = "cloudfront.amazonaws.com"
_FETCH = "ETAG-FROM-GET-DISTRIBUTION-CONFIG"
_HIDDEN = "HIDDEN_DUE_TO_SECURITY_REASONS"
_BUCKET = re.compile(
    r"(?P<name>[a-z0-9][a-z0-9.-]+?)\.s3(?:-website)?(?:[.-](?:dualstack\.)?[a-z]{2}-[a-z-]+-\d)?\.amazonaws\.com(?P<cn>\.cn)?"
)
# The word in an ARN -> resource type.
_KINDS = {
    "distribution": "distribution",
    "function": "edge-function",
    "cache-policy": "cache-policy",
    "origin-request-policy": "origin-request-policy",
    "response-headers-policy": "response-headers-policy",
    "origin-access-control": "origin-access-control",
}
# The word in an ARN -> read, the parameter that names it, the member of the answer.
_READS: Mapping[str, tuple[str, str, str]] = {
    "function": ("DescribeFunction", "Name", "FunctionSummary"),
    "cache-policy": ("GetCachePolicy", "Id", "CachePolicy"),
    "origin-request-policy": ("GetOriginRequestPolicy", "Id", "OriginRequestPolicy"),
    "response-headers-policy": ("GetResponseHeadersPolicy", "Id", "ResponseHeadersPolicy"),
    "origin-access-control": ("GetOriginAccessControl", "Id", "OriginAccessControl"),
}


# -- names --------------------------------------------------------------------------------------------


def _arn(event: ChangeEvent, kind: str, id: str) -> str:
    return f"arn:{arns.partition_of(event.region)}:cloudfront::{event.account}:{kind}/{id}"


def _touches(kind: str, members: tuple[str, ...], event: ChangeEvent) -> tuple[str, ...]:
    id = next((found for one in members if (found := text(event.request, one))), "")
    return (_arn(event, kind, id),) if id else ()


_touches_distribution = partial(_touches, "distribution", ("id", "distributionId", "targetDistributionId"))


def _touches_new(event: ChangeEvent) -> tuple[str, ...]:
    id = text(event.response, "distribution", "id")
    return (_arn(event, "distribution", id),) if id else ()


def _touches_tagged(event: ChangeEvent) -> tuple[str, ...]:
    arn = text(event.request, "resource")
    return (arn,) if arns.is_arn(arn) else ()


# -- reading ------------------------------------------------------------------------------------------


def discover(reader: Reader, region: str) -> Iterable[Resource]:
    """All distributions, as ListDistributions tells them: their configuration at the top of `config`."""
    marker: Json = {}
    for _ in range(10):
        answer = reader.ask("cloudfront", "ListDistributions", **marker)
        listing = answer.data.get("DistributionList") or {}
        for item in listing.get("Items") or []:
            if not arns.is_arn(item["ARN"]):
                continue
            yield _resource(reader, item["ARN"], _without_secrets(plain(item)), [answer.evidence])
        if not (following := text(listing, "NextMarker")):
            return
        marker = {"Marker": following}
    reader.missing(
        "Some CloudFront distributions",
        "The first 1,000 were read.",
        "which distributions exist",
        code="BudgetSpent",
    )


def _resource(
    reader: Reader,
    arn: str,
    config: Json,
    evidence: Iterable[str],
    tags: Mapping[str, str] | None = None,
) -> Resource:
    """The ARN bears no region; the region is the one that holds events and metrics."""
    parts = arns.parse(arn)
    return Resource(
        arn=arn,
        service="cloudfront",
        type=_KINDS.get(parts.type, parts.type),
        name=parts.name,
        account=parts.account or reader.aws.account,
        region=arns.global_region(reader.region),
        config=config,
        tags=dict(tags or {}),
        evidence=tuple(id for id in evidence if id),
    )


def _without_secrets(value: Any) -> Any:
    """Headers that a distribution adds for its origin are often shared secrets: only their names are kept."""
    if isinstance(value, Mapping):
        return {
            key: _HIDDEN if key == "HeaderValue" else _without_secrets(inner) for key, inner in value.items()
        }
    return [_without_secrets(one) for one in value] if isinstance(value, list) else value


def describe(reader: Reader, arn: str) -> Resource | None:
    """A distribution: GetDistribution's `Distribution` with more keys: `ETag`, `MonitoringSubscription` and
    `VpcOrigins` (id -> ARN of what is behind it). Values of origin headers are hidden.

    A policy, an origin access control or a function: the item of its own read, with `ETag`.
    """
    parts = arns.parse(arn)
    if parts.type != "distribution":
        return _describe_part(reader, arn, parts)
    try:
        answer = reader.ask("cloudfront", "GetDistribution", Id=parts.name)
    except NotThere:
        return None
    config: Json = _without_secrets(plain(answer.data["Distribution"]))
    config["ETag"] = text(answer.data, "ETag")
    config[SEAL] = seal(_sendable(config.get("DistributionConfig") or {}))
    evidence = [answer.evidence]
    words = "Additional metrics"
    more = optional(reader, "cloudfront", "GetMonitoringSubscription", words, DistributionId=parts.name)
    if more is not None:
        evidence.append(more.evidence)
        config["MonitoringSubscription"] = plain(more.data).get("MonitoringSubscription") or {}
    config["VpcOrigins"] = _vpc_origins(reader, config, evidence)
    told = optional(reader, "cloudfront", "ListTagsForResource", "Tags", Resource=arn)
    items = (told.data.get("Tags") or {}).get("Items") or [] if told else []
    return _resource(reader, arn, config, evidence, {text(one, "Key"): text(one, "Value") for one in items})


def _vpc_origins(reader: Reader, config: Json, evidence: list[str]) -> dict[str, str]:
    found: dict[str, str] = {}
    for origin in _origins(config):
        if id := text(origin, "VpcOriginConfig", "VpcOriginId"):
            told = optional(reader, "cloudfront", "GetVpcOrigin", "What a VPC origin leads to", Id=id)
            if told is not None and told.data:
                evidence.append(told.evidence)
                found[id] = text(told.data, "VpcOrigin", "VpcOriginEndpointConfig", "Arn")
    return found


def _describe_part(reader: Reader, arn: str, parts: arns.Arn) -> Resource | None:
    if parts.type not in _READS:
        return None
    operation, key, member = _READS[parts.type]
    stage = {"Stage": "LIVE"} if parts.type == "function" else {}
    try:
        answer = reader.ask("cloudfront", operation, **{key: parts.name}, **stage)
    except NotThere:
        return None
    config = {**_without_secrets(plain(answer.data).get(member) or {}), "ETag": text(answer.data, "ETag")}
    return _resource(reader, arn, config, [answer.evidence])


def _config(config: Json) -> Json:
    """The distribution's configuration, from a listing or a description."""
    found: Json = config.get("DistributionConfig") or config
    return found


def _origins(config: Json) -> list[Json]:
    return list((_config(config).get("Origins") or {}).get("Items") or [])


def _behaviours(config: Json) -> Iterator[tuple[str, Json]]:
    """Every cache behaviour with the words for it in a provenance."""
    inner = _config(config)
    yield "DefaultCacheBehavior", inner.get("DefaultCacheBehavior") or {}
    for one in (inner.get("CacheBehaviors") or {}).get("Items") or []:
        yield f"CacheBehaviors {text(one, 'PathPattern')}", one


# -- relations ----------------------------------------------------------------------------------------


def relations(resource: Resource, directory: Directory) -> Iterable[Relation]:
    """The origins that requests go on to, and what they pass on the way."""
    if resource.type != "distribution":
        return
    said_by, inner = "cloudfront:GetDistribution", _config(resource.config)
    for origin in _origins(resource.config):
        for target in _behind(resource, origin, directory):
            yield relation(resource, target, "forwards to", f"{said_by} Origins {text(origin, 'Id')}")
        if control := text(origin, "OriginAccessControlId"):
            target = f"{resource.arn.rpartition(':')[0]}:origin-access-control/{control}"
            yield relation(resource, target, "set up by", f"{said_by} Origins {text(origin, 'Id')}")
    if arns.is_arn(guard := text(inner, "WebACLId")):
        yield relation(resource, guard, "guarded by", f"{said_by} WebACLId")
    if shown := text(inner, "ViewerCertificate", "ACMCertificateArn"):
        yield relation(resource, shown, "uses certificate", f"{said_by} ViewerCertificate")
    for place, behaviour in _behaviours(resource.config):
        yield from _of_behaviour(resource, behaviour, f"{said_by} {place}")
    bucket = _BUCKET.fullmatch(text(inner, "Logging", "Bucket"))
    if bucket:
        yield relation(resource, f"arn:aws:s3:::{bucket['name']}", "logs to", f"{said_by} Logging")


def _of_behaviour(resource: Resource, behaviour: Json, said_by: str) -> Iterator[Relation]:
    for key, field in (
        ("LambdaFunctionAssociations", "LambdaFunctionARN"),
        ("FunctionAssociations", "FunctionARN"),
    ):
        for one in (behaviour.get(key) or {}).get("Items") or []:
            if arn := text(one, field):
                # Lambda@Edge names a version.
                bare = re.sub(r"(:function:[^:]+):\d+$", r"\1", arn)
                yield relation(resource, bare, "invokes", f"{said_by}.{key}")
    for kind in ("cache-policy", "origin-request-policy", "response-headers-policy"):
        field = "".join(word.capitalize() for word in kind.split("-")) + "Id"
        if id := text(behaviour, field):
            target = f"{resource.arn.rpartition(':')[0]}:{kind}/{id}"
            yield relation(resource, target, "set up by", f"{said_by}.{field}")


def _behind(resource: Resource, origin: Json, directory: Directory) -> Iterator[str]:
    """ARNs of what answers for an origin."""
    vpc = text(origin, "VpcOriginConfig", "VpcOriginId")
    if found := (resource.config.get("VpcOrigins") or {}).get(vpc):
        yield found
        return
    host = text(origin, "DomainName").lower()
    if bucket := _BUCKET.fullmatch(host):
        yield f"arn:{'aws-cn' if bucket['cn'] else 'aws'}:s3:::{bucket['name']}"
        return
    for one in directory.mentioned(host):
        if one.type not in ("hosted-zone", "certificate", "alarm", "role") and one.arn != resource.arn:
            yield one.arn


# -- metrics ------------------------------------------------------------------------------------------


def dimensions(resource: Resource) -> tuple[tuple[str, str], ...]:
    if resource.type == "distribution":
        return (("DistributionId", resource.name), ("Region", "Global"))
    return (("FunctionName", resource.name), ("Region", "Global")) if resource.type == "edge-function" else ()


def owner(dimensions: Mapping[str, str], partition: str, region: str, account: str) -> str:
    """The distribution where one is named, else the function."""
    place = f"arn:{partition}:cloudfront::{account}"
    if id := dimensions.get("DistributionId", ""):
        return f"{place}:distribution/{id}"
    name = dimensions.get("FunctionName", "")
    return f"{place}:function/{name}" if name else ""


def _has_more(resource: Resource) -> bool:
    """Whether the metrics are switched on that cost extra."""
    told = resource.config.get("MonitoringSubscription") or {}
    return text(told, "RealtimeMetricsSubscriptionConfig", "RealtimeMetricsSubscriptionStatus") == "Enabled"


def _metric(
    name: str, stat: str, role: Any, bad: Any, unit: str, missing: Any = "idle", *, extra: bool = False
) -> MetricSpec:
    return MetricSpec(
        type="distribution",
        name=name,
        stat=stat,
        role=role,
        bad=bad,
        missing=missing,
        unit=unit,
        where=_has_more if extra else None,
    )


def _function_metric(name: str, role: Any, bad: Any, unit: str, missing: Any) -> MetricSpec:
    return MetricSpec(
        type="edge-function", name=name, stat="Sum", role=role, bad=bad, missing=missing, unit=unit
    )


METRICS = (
    _metric("Requests", "Sum", "demand", "down", "requests"),
    _metric("BytesDownloaded", "Sum", "work", "down", "bytes"),
    _metric("4xxErrorRate", "Average", "errors", "up", "% of answers with 4xx"),
    _metric("5xxErrorRate", "Average", "errors", "up", "% of answers with 5xx"),
    _metric("TotalErrorRate", "Average", "errors", "up", "% of answers with an error"),
    *(
        _metric(f"{code}ErrorRate", "Average", "errors", "up", f"% of answers with {code}", extra=True)
        for code in (401, 403, 404, 502, 503, 504)
    ),
    _metric("OriginLatency", "p99", "latency", "up", "ms", extra=True),
    _metric("CacheHitRate", "Average", "work", "down", "% served from the cache", extra=True),
    _function_metric("FunctionInvocations", "demand", "down", "invocations", "idle"),
    _function_metric("FunctionExecutionErrors", "errors", "up", "failed invocations", "zero"),
    _function_metric("FunctionValidationErrors", "errors", "up", "invalid results", "zero"),
    _function_metric("FunctionThrottles", "throttles", "up", "throttled invocations", "zero"),
)


# -- settings -----------------------------------------------------------------------------------------


def _call(operation: str, at: Resource | ChangeEvent, **parameters: Any) -> Call:
    region = arns.global_region(at.region) if at.region else ""
    return Call(service="cloudfront", operation=operation, parameters=parameters, region=region)


def _read(resource: Resource) -> Call:
    # Not GetDistributionConfig: its answer lacks the state, and both tell the ETag.
    return _call("GetDistribution", resource, Id=resource.name)


def _sendable(config: Json) -> Json:
    """The configuration as an update takes it: answers repeat the certificate in members that are out of use."""
    shown = config.get("ViewerCertificate") or {}
    if not shown:
        return config
    kept = {key: value for key, value in shown.items() if key not in ("Certificate", "CertificateSource")}
    return {**config, "ViewerCertificate": kept}


_MUST = ("CallerReference", "Origins", "DefaultCacheBehavior")


def _update(resource: Resource, config: Json) -> tuple[Call, ...]:
    """The update, under the ETag that was read; none when a part of what must be sent is hidden."""
    body = _sendable(config)
    tag = version(resource, "ETag", body, _FETCH)
    if not tag or masked(body) or any(name not in body for name in _MUST):
        return ()
    return (_call("UpdateDistribution", resource, Id=resource.name, IfMatch=tag, DistributionConfig=body),)


def _now(resource: Resource) -> Json:
    """The configuration with members opened that stand there as JSON text."""
    found: Json = resource.config.get("DistributionConfig") or {}
    return {key: opened(value) for key, value in found.items()}


def _restore(path: tuple[str, ...], kind: str, resource: Resource, value: Value) -> tuple[Call, ...]:
    """One plain member. `kind`: bool, int, text (must be there) or maybe (left out when not set)."""
    sent: Any = value
    if value is None or value == "":
        sent = {"text": "", "maybe": None}.get(kind, value)
        if kind in ("bool", "int"):
            return ()
    elif kind == "bool":
        sent = str(value).lower() == "true"
    elif kind == "int":
        sent = whole(value)
    config = placed(_now(resource), path, sent)
    return _update(resource, _settled(path, config, sent))


_LEGACY = ("ForwardedValues", "MinTTL", "DefaultTTL", "MaxTTL")


def _settled(path: tuple[str, ...], config: Json, sent: Any) -> Json:
    """With what cannot stand beside the new value taken out. {} when what must stand beside it is not known."""
    if path[-1] == "CachePolicyId":
        behaviour = config["DefaultCacheBehavior"]
        if sent is None:
            return config if "ForwardedValues" in behaviour else {}
        kept = {key: value for key, value in behaviour.items() if key not in _LEGACY}
        return {**config, "DefaultCacheBehavior": kept}
    if path[-1] == "ACMCertificateArn":
        shown = config["ViewerCertificate"]
        if sent is None:
            aliases = (config.get("Aliases") or {}).get("Quantity")
            return {} if aliases else {**config, "ViewerCertificate": {"CloudFrontDefaultCertificate": True}}
        if shown.get("SSLSupportMethod") not in ("sni-only", "static-ip"):
            return {}  # the default certificate is in use: how names are told was decided with the other one
        kept = {key: value for key, value in shown.items() if key != "IAMCertificateId"}
        return {**config, "ViewerCertificate": {**kept, "CloudFrontDefaultCertificate": False}}
    return config


def _scalar(
    path: str,
    name: str,
    unit: str,
    kind: str,
    effects: tuple[Effect, ...],
    *,
    unset: Value = None,
    more: Mapping[str, str] | None = None,
) -> Setting:
    words = tuple(path.split("."))
    recorded = _recorded(path)
    return Setting(
        type="distribution",
        name=name,
        path=f"DistributionConfig.{path}",
        unit=unit,
        requests={**_asked(recorded), **(more or {})},
        restore=partial(_restore, words, kind),
        read=_read,
        query=f"Distribution.DistributionConfig.{path}",
        unset=unset,
        echo="new",
        echo_path=f"distribution.distributionConfig.{recorded}",
        effects=effects,
    )


def _camel(word: str) -> str:
    """CloudTrail's spelling: webACLId, aCMCertificateArn, isIPV6Enabled."""
    return word[0].lower() + word[1:]


def _recorded(path: str) -> str:
    return ".".join(map(_camel, path.split(".")))


def _asked(recorded: str) -> dict[str, str]:
    inner = "distributionConfigWithTags.distributionConfig"
    return {
        "UpdateDistribution": f"distributionConfig.{recorded}",
        "CreateDistribution": f"distributionConfig.{recorded}",
        "CreateDistributionWithTags": f"{inner}.{recorded}",
    }


# A list as rows of what tells its items apart and what breaks things: the same in requests and in answers.
def _rows(name: str, path: str, recorded: str, restore: Any, effects: tuple[Effect, ...]) -> Setting:
    """`path` and `recorded` are JMESPaths in which `@` stands for the configuration."""
    asked = {
        operation: f"{place} | {recorded}"
        for operation, place in (
            ("UpdateDistribution", "distributionConfig"),
            ("CreateDistribution", "distributionConfig"),
            ("CreateDistributionWithTags", "distributionConfigWithTags.distributionConfig"),
        )
    }
    return Setting(
        type="distribution",
        name=name,
        path=f"DistributionConfig | {path}",
        unit="",
        requests=asked,
        restore=restore,
        read=_read,
        query=f"Distribution.DistributionConfig | {path}",
        effects=effects,
    )


def _restore_words(key: str, resource: Resource, value: Value) -> tuple[Call, ...]:
    """Aliases: a list of words with its length beside it."""
    words = opened(value)
    if not isinstance(words, list):
        return ()
    body: Json = {"Quantity": len(words), **({"Items": words} if words else {})}
    return _update(resource, {**_now(resource), key: body})


def _restore_geo(resource: Resource, value: Value) -> tuple[Call, ...]:
    rows = opened(value)
    if not isinstance(rows, list) or len(rows) != 2 or not isinstance(rows[1], list):
        return ()
    inner: Json = {"RestrictionType": rows[0], "Quantity": len(rows[1])}
    if rows[1]:
        inner["Items"] = rows[1]
    return _update(resource, placed(_now(resource), ("Restrictions", "GeoRestriction"), inner))


def _restore_associations(key: str, field: str, resource: Resource, value: Value) -> tuple[Call, ...]:
    rows, config = opened(value), _now(resource)
    if not isinstance(rows, list):
        return ()
    now = ((config.get("DefaultCacheBehavior") or {}).get(key) or {}).get("Items") or []
    # Whether a function is given the body is not in the row: only of one that is still there is it known.
    known = {(text(one, "EventType"), text(one, field)): one for one in now}
    items = []
    for event, arn in rows:
        one = known.get((event, arn), {"EventType": event, field: arn})
        items.append(one)
    body = {"Quantity": len(items), **({"Items": items} if items else {})}
    return _update(resource, placed(config, ("DefaultCacheBehavior", key), body))


def _restore_items(
    key: str, id: str, fields: tuple[str, ...], resource: Resource, value: Value
) -> tuple[Call, ...]:
    """Rows [id, field, ...] of origins or behaviours; none where one is gone, for the rest of it is not known."""
    rows, config = opened(value), _now(resource)
    items = (config.get(key) or {}).get("Items") or []
    now = {text(one, id): one for one in items}
    if not isinstance(rows, list) or not rows or {row[0] for row in rows} != set(now):
        return ()
    told = {row[0]: row[1:] for row in rows}
    # Behaviours are tried in their order, which the rows keep; origins have none.
    order = [row[0] for row in rows] if key == "CacheBehaviors" else list(now)
    made = []
    for name in order:
        one = now[name]
        for field, word in zip(fields, told[name], strict=True):
            if word != (text(one, *field.split("."))):
                one = placed(one, tuple(field.split(".")), word or None)
        made.append(one)
    return _update(resource, {**config, key: {"Quantity": len(made), "Items": made}})


def _restore_first(field: str, resource: Resource, value: Value) -> tuple[Call, ...]:
    """A member of the only origin."""
    config = _now(resource)
    items = (config.get("Origins") or {}).get("Items") or []
    if len(items) != 1:
        return ()
    if value is None:
        return ()
    sent: Any = whole(value) if field.endswith(("Port", "Timeout", "Attempts")) else value
    path = tuple(field.split("."))
    if len(path) > 1 and path[0] not in items[0]:
        return ()  # an origin of another kind by now
    made = placed(items[0], path, sent)
    return _update(resource, {**config, "Origins": {"Quantity": 1, "Items": [made]}})


_AFTER = (30, 1800)  # a change spreads over the edge locations within minutes


def _effects(*moves: tuple[str, Any, Any], may: bool = False, when: Any = "any") -> tuple[Effect, ...]:
    return tuple(
        Effect(metric=metric, direction=direction, on=on, after=_AFTER, may=may, when=when)
        for metric, direction, on in moves
    )


_WRONG_ORIGIN = (
    *_effects(
        ("5xxErrorRate", "up", "self"),
        ("4xxErrorRate", "up", "self"),
        ("OriginLatency", "up", "self"),
        may=True,
    ),
    *_effects(
        ("TotalErrorRate", "up", "self"),
        ("role:errors", "up", "upstream"),
        ("role:demand", "silent", "downstream"),
        ("role:demand", "down", "downstream"),
        ("role:demand", "up", "downstream"),
    ),
)
_LESS_CACHED = _effects(
    ("CacheHitRate", "down", "self"),
    ("OriginLatency", "up", "self"),
    ("role:demand", "up", "downstream"),
    ("role:latency", "up", "downstream"),
    ("role:saturation", "up", "downstream"),
    ("5xxErrorRate", "up", "self"),
)
_CACHED = (*_LESS_CACHED, *_effects(("4xxErrorRate", "up", "self"), may=True))
_REFUSED = _effects(
    ("4xxErrorRate", "up", "self"),
    ("403ErrorRate", "up", "self"),
    ("role:errors", "up", "upstream"),
    ("role:demand", "down", "downstream"),
)
_NOT_REACHED = _effects(
    ("Requests", "down", "self"),
    ("Requests", "silent", "self"),
    ("role:errors", "up", "upstream"),
    ("role:demand", "down", "downstream"),
    ("role:demand", "silent", "downstream"),
)
_OFF = (*_NOT_REACHED, *_effects(("4xxErrorRate", "up", "self"), may=True))
_CODE = _effects(
    ("5xxErrorRate", "up", "self"),
    ("4xxErrorRate", "up", "self"),
    ("role:errors", "up", "upstream"),
    may=True,
)
_ONLY = "Origins | [@][?!Items[1]].Items[0].{} | [0]"
_SORTED = "sort_by({} || `[]`, &{})[].[{}]"
_AT_EDGE = ("DefaultCacheBehavior.LambdaFunctionAssociations.Items", "EventType", "LambdaFunctionARN")
_IN_EDGE = ("DefaultCacheBehavior.FunctionAssociations.Items", "EventType", "FunctionARN")


def _first(field: str, name: str, unit: str, unset: Value = None) -> Setting:
    recorded = _recorded(field)
    only = f"origins | [@][?!items[1]].items[0].{recorded} | [0]"
    made = _rows(name, _ONLY.format(field), only, partial(_restore_first, field), _WRONG_ORIGIN)
    return replace(made, path=f"DistributionConfig.Origins.Items[0].{field}", unit=unit, unset=unset)


_ORIGIN = ("DomainName", "OriginPath", "OriginAccessControlId", "CustomOriginConfig.OriginProtocolPolicy")
_BEHAVIOUR = (
    "TargetOriginId",
    "ViewerProtocolPolicy",
    "CachePolicyId",
    "OriginRequestPolicyId",
    "ResponseHeadersPolicyId",
)


def _fields(names: Iterable[str], *, recorded: bool) -> str:
    """Members of a row; what is not told is the same as empty."""
    listed = [_recorded(name) if recorded else name for name in names]
    return ", ".join(f"{name} || ''" for name in listed)


SETTINGS = (
    _scalar("Enabled", "whether the distribution is enabled", "", "bool", _OFF),
    _scalar("DefaultRootObject", "default root object", "", "text", _REFUSED, unset=""),
    _scalar(
        "WebACLId",
        "web ACL",
        "",
        "text",
        _REFUSED,
        unset="",
        more={"AssociateDistributionWebACL": "webACLArn", "DisassociateDistributionWebACL": '`""`'},
    ),
    _scalar(
        "PriceClass",
        "price class",
        "",
        "text",
        _effects(("OriginLatency", "up", "self")),
        unset="PriceClass_All",
    ),
    _scalar("HttpVersion", "HTTP versions", "", "text", _NOT_REACHED),
    _scalar("IsIPV6Enabled", "whether IPv6 is on", "", "bool", _NOT_REACHED),
    _scalar(
        "ContinuousDeploymentPolicyId", "continuous deployment policy", "", "text", _WRONG_ORIGIN, unset=""
    ),
    _scalar(
        "DefaultCacheBehavior.TargetOriginId", "origin of the default behaviour", "", "text", _WRONG_ORIGIN
    ),
    _scalar("DefaultCacheBehavior.ViewerProtocolPolicy", "protocols for viewers", "", "text", _REFUSED),
    _scalar("DefaultCacheBehavior.CachePolicyId", "cache policy", "", "maybe", _CACHED),
    _scalar(
        "DefaultCacheBehavior.OriginRequestPolicyId", "origin request policy", "", "maybe", _WRONG_ORIGIN
    ),
    _scalar("DefaultCacheBehavior.ResponseHeadersPolicyId", "response headers policy", "", "maybe", ()),
    _scalar("DefaultCacheBehavior.MinTTL", "minimum TTL", "seconds", "int", _LESS_CACHED),
    _scalar("DefaultCacheBehavior.DefaultTTL", "default TTL", "seconds", "int", _LESS_CACHED),
    _scalar("DefaultCacheBehavior.MaxTTL", "maximum TTL", "seconds", "int", _LESS_CACHED),
    _scalar("DefaultCacheBehavior.Compress", "compression", "", "bool", ()),
    _scalar("ViewerCertificate.ACMCertificateArn", "certificate", "", "maybe", _NOT_REACHED),
    _scalar("ViewerCertificate.MinimumProtocolVersion", "oldest TLS version", "", "text", _NOT_REACHED),
    _scalar("ViewerCertificate.SSLSupportMethod", "way of telling the name in TLS", "", "text", _NOT_REACHED),
    _first("DomainName", "domain name of the origin", ""),
    _first("OriginPath", "path at the origin", "", ""),
    _first("OriginAccessControlId", "origin access control", "", ""),
    _first("S3OriginConfig.OriginAccessIdentity", "origin access identity", "", ""),
    _first("CustomOriginConfig.OriginProtocolPolicy", "protocol to the origin", ""),
    _first("CustomOriginConfig.HTTPPort", "HTTP port of the origin", ""),
    _first("CustomOriginConfig.HTTPSPort", "HTTPS port of the origin", ""),
    _first("CustomOriginConfig.OriginReadTimeout", "answer timeout of the origin", "seconds"),
    _first("CustomOriginConfig.OriginKeepaliveTimeout", "keep-alive timeout of the origin", "seconds"),
    _first("ConnectionTimeout", "connection timeout of the origin", "seconds", 10),
    _first("ConnectionAttempts", "connection attempts at the origin", "", 3),
    _rows(
        "origins",
        f"Origins.Items[1] && sort_by(Origins.Items, &Id)[].[Id, {_fields(_ORIGIN, recorded=False)}]",
        f"origins.items[1] && sort_by(origins.items, &id)[].[id, {_fields(_ORIGIN, recorded=True)}]",
        partial(_restore_items, "Origins", "Id", _ORIGIN),
        _WRONG_ORIGIN,
    ),
    _rows(
        "cache behaviours",
        f"(CacheBehaviors.Items || `[]`)[].[PathPattern, {_fields(_BEHAVIOUR, recorded=False)}]",
        f"(cacheBehaviors.items || `[]`)[].[pathPattern, {_fields(_BEHAVIOUR, recorded=True)}]",
        partial(_restore_items, "CacheBehaviors", "PathPattern", _BEHAVIOUR),
        (*_WRONG_ORIGIN, *_CACHED),
    ),
    _rows(
        "names (aliases)",
        "sort(Aliases.Items || `[]`)",
        "sort(aliases.items || `[]`)",
        partial(_restore_words, "Aliases"),
        (*_NOT_REACHED, *_REFUSED),
    ),
    _rows(
        "countries that are let in",
        "Restrictions.GeoRestriction.[RestrictionType, sort(Items || `[]`)]",
        "restrictions.geoRestriction.[restrictionType, sort(items || `[]`)]",
        _restore_geo,
        _REFUSED,
    ),
    *(
        _rows(
            name,
            _SORTED.format(place, kind, f"{kind}, {field}"),
            _SORTED.format(_recorded(place), _recorded(kind), f"{_recorded(kind)}, {_recorded(field)}"),
            partial(_restore_associations, place.split(".")[1], field),
            _CODE,
        )
        for name, (place, kind, field) in (
            ("Lambda@Edge functions of the default behaviour", _AT_EDGE),
            ("functions of the default behaviour", _IN_EDGE),
        )
    ),
)


# -- reversals ----------------------------------------------------------------------------------------


def _undo_whole(
    operation: str, member: str, made_by: str, event: ChangeEvent, earlier: tuple[ChangeEvent, ...]
) -> tuple[Call, ...]:
    """What the newest earlier event sent, under the ETag that the event itself was answered.

    CloudFront refuses it when anyone has changed the thing since. None where a part is hidden: a comment, a header.
    """
    id, tag = text(event.request, "id"), text(event.response, "eTag")
    kind = _camel(member.removesuffix("Config"))
    for one in earlier:
        own = text(one.request, "id") or text(one.response, kind, "id")
        if one.operation not in (operation, made_by) or own != id or one.error_code:
            continue
        request = {"id": id, "ifMatch": tag, _camel(member): one.request.get(_camel(member))}
        try:
            sent = from_cloudtrail("cloudfront", operation, request)
        except BadInput:
            return ()
        return (_call(operation, event, **sent),) if tag else ()
    return ()


def _no_way_back(calls: tuple[Call, ...]) -> tuple[Call, ...]:
    """The ETag to name is the one that the undo itself is answered."""
    return ()


# -- changes ------------------------------------------------------------------------------------------

_ID = "E1EXAMPLE0001"
_GUARD = "arn:aws:wafv2:us-east-1:111122223333:global/webacl/edge/2a7d5c1e-4b0f-4c67-9d2b-8f1e3a6c5b40"
_EDGE = f"arn:aws:cloudfront::111122223333:distribution/{_ID}"


def _example(operation: str, request: Json, response: Json | None = None) -> Json:
    return record(_SOURCE, operation, request, response, region="us-east-1")


def _listed(*items: Any) -> Json:
    return {"quantity": len(items), "items": list(items)}


def _origin(id: str, host: str) -> Json:
    return {
        "id": id,
        "domainName": host,
        "originPath": "",
        "customHeaders": _listed(),
        "originAccessControlId": "",
        "customOriginConfig": {
            "hTTPPort": 80,
            "hTTPSPort": 443,
            "originProtocolPolicy": "https-only",
            "originSslProtocols": _listed("TLSv1.2"),
            "originReadTimeout": 30,
            "originKeepaliveTimeout": 5,
        },
        "connectionAttempts": 3,
        "connectionTimeout": 10,
        "originShield": {"enabled": False},
    }


_WEB = _origin("web", "web-1234567890.eu-west-1.elb.amazonaws.com")
_BEHAVED: Json = {
    "targetOriginId": "web",
    "viewerProtocolPolicy": "redirect-to-https",
    "cachePolicyId": "658327ea-f89d-4fab-a63d-7e88639e58f6",
    "originRequestPolicyId": "216adef6-5c7f-47e4-b989-5492eafa07d3",
    "responseHeadersPolicyId": "67f7725c-6f97-4210-82d7-5512b31e9d03",
    "compress": True,
    "smoothStreaming": False,
    "fieldLevelEncryptionId": "",
    "trustedSigners": {"enabled": False, **_listed()},
    "trustedKeyGroups": {"enabled": False, **_listed()},
    "allowedMethods": {**_listed("GET", "HEAD"), "cachedMethods": _listed("GET", "HEAD")},
    "lambdaFunctionAssociations": _listed(
        {
            "eventType": "origin-request",
            "lambdaFunctionARN": "arn:aws:lambda:us-east-1:111122223333:function:rewrite:7",
            "includeBody": False,
        }
    ),
    "functionAssociations": _listed(
        {"eventType": "viewer-request", "functionARN": "arn:aws:cloudfront::111122223333:function/canonical"}
    ),
}


def _whole_config(origins: Json, **more: Any) -> Json:
    return {
        "callerReference": "9c8970c1-b26e-4131-b3cf-985880574e96",
        "comment": _HIDDEN,
        "enabled": False,
        "origins": origins,
        "originGroups": _listed(),
        "aliases": _listed("shop.example.com"),
        "defaultRootObject": "index.html",
        "defaultCacheBehavior": _BEHAVED,
        "cacheBehaviors": _listed({"pathPattern": "/static/*", **_BEHAVED}),
        "customErrorResponses": _listed(),
        "webACLId": _GUARD,
        "priceClass": "PriceClass_100",
        "httpVersion": "http2",
        "isIPV6Enabled": True,
        "continuousDeploymentPolicyId": "",
        "viewerCertificate": {
            "cloudFrontDefaultCertificate": False,
            "aCMCertificateArn": "arn:aws:acm:us-east-1:111122223333:certificate/2a7d5c1e-4b0f-4c67-9d2b-8f1e3a6c5b40",
            "sSLSupportMethod": "sni-only",
            "minimumProtocolVersion": "TLSv1.2_2021",
        },
        "restrictions": {"geoRestriction": {"restrictionType": "blacklist", **_listed("AQ")}},
        "logging": {"enabled": False, "includeCookies": False, "bucket": "", "prefix": ""},
        **more,
    }


def _updated(config: Json, id: str = _ID) -> Json:
    request = {"id": id, "ifMatch": "E2QWRUHEXAMPLE", "distributionConfig": config}
    answer = {"aRN": _EDGE.replace(_ID, id), "id": id, "status": "InProgress", "distributionConfig": config}
    return _example("UpdateDistribution", request, {"eTag": "E3DFGD1EXAMPLE", "distribution": answer})


_OLD_BEHAVIOUR: Json = {
    **{key: value for key, value in _BEHAVED.items() if not key.endswith("PolicyId")},
    "forwardedValues": {"queryString": True, "cookies": {"forward": "none"}},
    "minTTL": 0,
    "defaultTTL": 0,
    "maxTTL": 60,
}
_STORED = {
    "id": "static",
    "domainName": "example-static.s3.eu-west-1.amazonaws.com",
    "originPath": "/v2",
    "originAccessControlId": "E3OACEXAMPLE01",
    "s3OriginConfig": {"originAccessIdentity": "origin-access-identity/cloudfront/E1OAIEXAMPLE01"},
}


def _policy(operation: str, member: str, kind: str, config: Json) -> Change:
    id = "8f6c2a1e-1c9e-4d3b-a8d4-6b0e5f7a9c10"
    return Change(
        operation=operation,
        touches=partial(_touches, kind, ("id",)),
        breaks="Every distribution that uses it caches, asks its origin or answers in another way.",
        example=_example(
            operation,
            {"id": id, "ifMatch": "E2QWRUHEXAMPLE", _camel(member): config},
            {"eTag": "E3DFGD1EXAMPLE"},
        ),
        # They have no metrics of their own: their distributions, upstream, do.
        effects=_effects(
            ("role:errors", "up", "upstream"),
            ("role:latency", "up", "upstream"),
            ("role:work", "down", "upstream"),
        ),
        undo=partial(_undo_whole, operation, member, operation.replace("Update", "Create")),
        back=_no_way_back,
    )


CHANGES = (
    Change(
        operation="UpdateDistribution",
        touches=_touches_distribution,
        breaks="Viewers get errors, old or wrong answers, or everything comes from the origin.",
        example=_updated(_whole_config(_listed(_WEB))),
        more_examples=(
            _updated(
                _whole_config(
                    _listed(_STORED, _origin("web", "old.example.com")), defaultCacheBehavior=_OLD_BEHAVIOUR
                ),
                "E1EXAMPLE0002",
            ),
            _updated(_whole_config(_listed(_STORED), defaultCacheBehavior=_OLD_BEHAVIOUR), "E1EXAMPLE0003"),
        ),
        undo=partial(_undo_whole, "UpdateDistribution", "DistributionConfig", "CreateDistribution"),
        back=_no_way_back,
    ),
    Change(
        operation="AssociateDistributionWebACL",
        touches=_touches_distribution,
        breaks="Viewers are refused by the rules of the web ACL.",
        example=_example(
            "AssociateDistributionWebACL",
            {
                "id": _ID,
                "webACLArn": _GUARD,
            },
        ),
    ),
    Change(
        operation="DisassociateDistributionWebACL",
        touches=_touches_distribution,
        breaks="Requests that were blocked arrive at the origin.",
        example=_example("DisassociateDistributionWebACL", {"id": _ID}),
        effects=_effects(("role:demand", "up", "downstream"), ("Requests", "up", "self")),
    ),
    Change(
        operation="DeleteDistribution",
        touches=_touches_distribution,
        breaks="Nothing answers under the distribution's names any more; a new one gets another host name.",
        example=_example("DeleteDistribution", {"id": _ID, "ifMatch": "E2QWRUHEXAMPLE"}),
        effects=_NOT_REACHED,
    ),
    Change(
        operation="AssociateAlias",
        touches=_touches_distribution,
        breaks="The name moves from the distribution that had it to this one.",
        example=_example("AssociateAlias", {"targetDistributionId": _ID, "alias": "shop.example.com"}),
        effects=(*_NOT_REACHED, *_effects(("Requests", "up", "self"), may=True)),
    ),
    Change(
        operation="CreateInvalidation",
        touches=_touches_distribution,
        breaks="What was invalidated has to come from the origin again, all at once.",
        example=_example(
            "CreateInvalidation",
            {
                "distributionId": _ID,
                "invalidationBatch": {"callerReference": "1773421951", "paths": _listed("/*")},
            },
        ),
        effects=_LESS_CACHED,
    ),
    Change(
        operation="PublishFunction",
        touches=partial(_touches, "function", ("name",)),
        breaks="Requests run through the function's new code; the one before is not kept by CloudFront.",
        example=_example("PublishFunction", {"name": "canonical", "ifMatch": "ETVEXAMPLE0001"}),
        effects=(
            *_effects(("FunctionExecutionErrors", "up", "self"), ("FunctionValidationErrors", "up", "self")),
            *_effects(("role:errors", "up", "upstream")),
        ),
    ),
    _policy(
        "UpdateCachePolicy",
        "CachePolicyConfig",
        "cache-policy",
        {"name": "shop", "minTTL": 0, "maxTTL": 1, "defaultTTL": 0},
    ),
    _policy(
        "UpdateOriginRequestPolicy",
        "OriginRequestPolicyConfig",
        "origin-request-policy",
        {
            "name": "shop",
            "headersConfig": {"headerBehavior": "none"},
            "cookiesConfig": {"cookieBehavior": "none"},
            "queryStringsConfig": {"queryStringBehavior": "none"},
        },
    ),
    _policy(
        "UpdateResponseHeadersPolicy",
        "ResponseHeadersPolicyConfig",
        "response-headers-policy",
        {"name": "shop"},
    ),
    _policy(
        "UpdateOriginAccessControl",
        "OriginAccessControlConfig",
        "origin-access-control",
        {
            "name": "shop",
            "signingProtocol": "sigv4",
            "signingBehavior": "never",
            "originAccessControlOriginType": "s3",
        },
    ),
    *(
        inert(operation, touches, _example(operation, request, response))
        for operation, touches, request, response in (
            (
                "CreateDistribution",
                _touches_new,
                {"distributionConfig": _whole_config(_listed(_WEB))},
                {"eTag": "E2QWRUHEXAMPLE", "distribution": {"aRN": _EDGE, "id": _ID}},
            ),
            (
                "CreateDistributionWithTags",
                _touches_new,
                {"distributionConfigWithTags": {"distributionConfig": _whole_config(_listed(_WEB))}},
                {"eTag": "E2QWRUHEXAMPLE", "distribution": {"aRN": _EDGE, "id": _ID}},
            ),
            # It changes the stage DEVELOPMENT only, until it is published.
            (
                "UpdateFunction",
                partial(_touches, "function", ("name",)),
                {
                    "name": "canonical",
                    "ifMatch": "ETVEXAMPLE0001",
                    "functionConfig": {"runtime": "cloudfront-js-2.0"},
                },
                None,
            ),
            (
                "CreateMonitoringSubscription",
                _touches_distribution,
                {
                    "distributionId": _ID,
                    "monitoringSubscription": {
                        "realtimeMetricsSubscriptionConfig": {"realtimeMetricsSubscriptionStatus": "Enabled"}
                    },
                },
                None,
            ),
            ("DeleteMonitoringSubscription", _touches_distribution, {"distributionId": _ID}, None),
            (
                "TagResource",
                _touches_tagged,
                {"resource": _EDGE, "tags": {"items": [{"key": "team", "value": "shop"}]}},
                None,
            ),
            ("UntagResource", _touches_tagged, {"resource": _EDGE, "tagKeys": {"items": ["team"]}}, None),
        )
    ),
)

SERVICE = Service(
    name="cloudfront",
    title="CloudFront",
    client="cloudfront",
    event_sources=(_SOURCE,),
    reads=(
        Read(
            operation="ListDistributions",
            action="cloudfront:ListDistributions",
            shows="which distributions exist",
        ),
        Read(
            operation="GetDistribution",
            action="cloudfront:GetDistribution",
            shows="a distribution's origins, behaviours and names",
        ),
        Read(
            operation="GetMonitoringSubscription",
            action="cloudfront:GetMonitoringSubscription",
            shows="whether a distribution has additional metrics",
        ),
        Read(operation="GetVpcOrigin", action="cloudfront:GetVpcOrigin", shows="what a VPC origin leads to"),
        *(
            Read(operation=operation, action=f"cloudfront:{operation}", shows=shows)
            for operation, shows in (
                ("DescribeFunction", "the state of a function at the edge"),
                ("GetCachePolicy", "how long answers are kept"),
                ("GetOriginRequestPolicy", "what is passed on to origins"),
                ("GetResponseHeadersPolicy", "which headers answers get"),
                ("GetOriginAccessControl", "how requests to origins are signed"),
                ("ListTagsForResource", "who owns a distribution"),
            )
        ),
    ),
    types={
        "distribution": "container",
        "edge-function": "component",
        "cache-policy": "other",
        "origin-request-policy": "other",
        "response-headers-policy": "other",
        "origin-access-control": "other",
    },
    arns={type: rf"cloudfront:{word}/[^/]+" for word, type in _KINDS.items()},
    discover=discover,
    describe=describe,
    relations=relations,
    namespace="AWS/CloudFront",
    dimensions=dimensions,
    owner=owner,
    metrics=METRICS,
    settings=SETTINGS,
    changes=CHANGES,
    signatures=(
        Signature(
            match=r"\bOriginDnsError\b|\bOriginConnectError\b|\bOriginCommError\b"
            r"|CloudFront wasn't able to (?:resolve|connect to) the origin",
            code="",
            reason="",
            points_to="DistributionConfig.Origins.Items[0].DomainName",
            says="CloudFront did not reach the origin",
        ),
        Signature(
            match=r"The request could not be satisfied.*Bad request|CNAMEAlreadyExists",
            code="",
            reason="",
            points_to="AssociateAlias",
            says="CloudFront does not serve the name",
        ),
    ),
    global_region=True,
    listed=False,
    listed_near=("load-balancer", "api", "bucket", "web-acl", "certificate", "hosted-zone", "distribution"),
)
