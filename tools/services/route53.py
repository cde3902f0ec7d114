"""Route 53: hosted zones with their records, health checks. Global: its events and metrics are in one region only."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

from tools import arn as arns
from tools.cloudtrail_fields import pick
from tools.errors import BadInput, NotThere
from tools.kit import optional, plain, record, relation, text, whole
from tools.models import Call, ChangeEvent, Json, Relation, Resource, Value
from tools.parameters import from_cloudtrail
from tools.services._spec import (
    Change,
    Condition,
    Directory,
    Effect,
    MetricSpec,
    Outline,
    Read,
    Service,
    Setting,
    Signature,
    inert,
)

if TYPE_CHECKING:
    from tools.aws import Reader

_SOURCE = "route53.amazonaws.com"
_MOST_ZONES = 20  # records are read one zone at a time
_PAGES = 10  # of 300 records each
_ADDRESSED = ("A", "AAAA", "CNAME")
_NEVER_MEANT = ("hosted-zone", "health-check", "certificate", "alarm", "role", "log-group", "user-pool")
_ESCAPED = re.compile(r"\\(\d{3})")
_WEBSITE = re.compile(r"s3-website[.-][a-z0-9-]+\.amazonaws\.com(\.cn)?")


# -- names --------------------------------------------------------------------------------------------


def plain_name(name: str) -> str:
    """A record's name as people write it: small letters, no dot at the end, `*` for Route 53's `\\052`."""
    shown = _ESCAPED.sub(lambda found: chr(int(found.group(1), 8)), name)
    return shown.lower().rstrip(".")


def _bare(id: str) -> str:
    """Answers write "/hostedzone/Z1", requests both that and "Z1"."""
    return id.rpartition("/")[2]


def _at(event: ChangeEvent, kind: str, id: str) -> str:
    return f"arn:{arns.partition_of(event.region)}:route53:::{kind}/{_bare(id)}"


def _touches_zone(event: ChangeEvent) -> tuple[str, ...]:
    id = text(event.request, "hostedZoneId") or text(event.request, "id")
    id = id or text(event.response, "hostedZone", "id")
    return (_at(event, "hostedzone", id),) if id else ()


def _touches_check(event: ChangeEvent) -> tuple[str, ...]:
    id = text(event.request, "healthCheckId") or text(event.response, "healthCheck", "id")
    return (_at(event, "healthcheck", id),) if id else ()


def _touches_tagged(event: ChangeEvent) -> tuple[str, ...]:
    kind, id = text(event.request, "resourceType"), text(event.request, "resourceId")
    return (_at(event, kind, id),) if kind and id else ()


# -- reading ------------------------------------------------------------------------------------------


def discover(reader: Reader, region: str) -> Iterable[Resource]:
    """All hosted zones, the first 20 with their records, and all health checks."""
    zones = reader.pages("route53", "ListHostedZones", "HostedZones", token=("Marker", "NextMarker"))
    for number, item in enumerate(zones.items):
        config, evidence = plain(item), list(zones.evidence)
        if number < _MOST_ZONES:
            _add_records(reader, _bare(text(item, "Id")), config, evidence)
        yield _resource(reader, "hostedzone", config, evidence)
    if len(zones.items) > _MOST_ZONES:
        reader.missing(
            "Records of some hosted zones",
            f"There are {len(zones.items)} zones; the records of the first {_MOST_ZONES} were read.",
            "which names lead to the resources",
            code="BudgetSpent",
        )
    checks = reader.pages("route53", "ListHealthChecks", "HealthChecks", token=("Marker", "NextMarker"))
    for item in checks.items:
        yield _resource(reader, "healthcheck", plain(item), list(checks.evidence))


def _resource(
    reader: Reader, kind: str, config: Json, evidence: Iterable[str], tags: Mapping[str, str] | None = None
) -> Resource:
    """The ARN bears neither region nor account; the region is the one that holds events and metrics."""
    home, id, told = arns.global_region(reader.region), _bare(text(config, "Id")), dict(tags or {})
    zone = kind == "hostedzone"
    return Resource(
        arn=f"arn:{arns.partition_of(reader.region)}:route53:::{kind}/{id}",
        service="route53",
        type="hosted-zone" if zone else "health-check",
        name=plain_name(text(config, "Name")) if zone else told.get("Name") or id,
        account=reader.aws.account,
        region=home,
        config=config,
        tags=told,
        evidence=tuple(id for id in evidence if id),
    )


def _add_records(reader: Reader, zone: str, config: Json, evidence: list[str]) -> None:
    """`RecordSets` of the zone; nothing, with a gap noted, when they are not visible.

    The next page begins at a name, a type and a set identifier (Route 53 API, ListResourceRecordSets).
    """
    found: list[Json] = []
    place: Json = {}
    for _ in range(_PAGES):
        words = f"Records of {plain_name(text(config, 'Name'))}"
        answer = optional(
            reader, "route53", "ListResourceRecordSets", words, HostedZoneId=zone, MaxItems="300", **place
        )
        if answer is None:
            return
        evidence.append(answer.evidence)
        found.extend(plain(answer.data).get("ResourceRecordSets") or [])
        if not answer.data.get("IsTruncated"):
            break
        told = {f"StartRecord{part}": text(answer.data, f"NextRecord{part}") for part in _PLACE}
        place = {key: value for key, value in told.items() if value}
    else:
        reader.missing(
            f"Some records of {plain_name(text(config, 'Name'))}",
            f"The first {len(found)} were read.",
            "which names lead to the resources",
            code="BudgetSpent",
        )
    config["RecordSets"] = found


_PLACE = ("Name", "Type", "Identifier")


def describe(reader: Reader, arn: str) -> Resource | None:
    """A zone: GetHostedZone's `HostedZone` with `RecordSets`, `VPCs`, `NameServers`, `QueryLogGroup` (an ARN).

    A health check: GetHealthCheck's `HealthCheck`.
    """
    kind, id = arns.parse(arn).type, arns.parse(arn).name
    return _describe_check(reader, id) if kind == "healthcheck" else _describe_zone(reader, id)


def _describe_zone(reader: Reader, id: str) -> Resource | None:
    try:
        answer = reader.ask("route53", "GetHostedZone", Id=id)
    except NotThere:
        return None
    told = plain(answer.data)
    config: Json = dict(told["HostedZone"])
    config["VPCs"] = told.get("VPCs") or []
    config["NameServers"] = (told.get("DelegationSet") or {}).get("NameServers") or []
    evidence = [answer.evidence]
    _add_records(reader, id, config, evidence)
    logged = optional(reader, "route53", "ListQueryLoggingConfigs", "Query logging", HostedZoneId=id)
    for one in (logged.data.get("QueryLoggingConfigs") or []) if logged else []:
        config["QueryLogGroup"] = text(one, "CloudWatchLogsLogGroupArn").removesuffix(":*")
        evidence.append(logged.evidence if logged else "")
    return _resource(reader, "hostedzone", config, evidence, _tags(reader, "hostedzone", id))


def _describe_check(reader: Reader, id: str) -> Resource | None:
    try:
        answer = reader.ask("route53", "GetHealthCheck", HealthCheckId=id)
    except NotThere:
        return None
    config = plain(answer.data)["HealthCheck"]
    return _resource(reader, "healthcheck", config, [answer.evidence], _tags(reader, "healthcheck", id))


def _tags(reader: Reader, kind: str, id: str) -> dict[str, str]:
    told = optional(reader, "route53", "ListTagsForResource", "Tags", ResourceType=kind, ResourceId=id)
    found = (told.data.get("ResourceTagSet") or {}).get("Tags") or [] if told else []
    return {text(one, "Key"): text(one, "Value") for one in found}


# -- relations ----------------------------------------------------------------------------------------


def relations(resource: Resource, directory: Directory) -> Iterable[Relation]:
    """Where a zone's names lead, which checks decide on them, and what a check looks at."""
    if resource.type == "health-check":
        yield from _of_check(resource, directory)
        return
    said_by = "route53:ListResourceRecordSets"
    for one in _served(resource.config.get("RecordSets") or []):
        name, kind = plain_name(text(one, "Name")), text(one, "Type")
        for field, value in _values(one):
            for target in _meant(value, name, directory):
                if target != resource.arn:
                    yield relation(resource, target, "resolves to", f"{said_by} {name} {kind} {field}")
        if check := text(one, "HealthCheckId"):
            target = f"{resource.arn.partition(':::')[0]}:::healthcheck/{check}"
            yield relation(resource, target, "checked by", f"{said_by} {name} {kind} HealthCheckId")
        if kind == "NS" and name != resource.name:
            for zone in directory.named(name, "hosted-zone"):
                yield relation(resource, zone.arn, "delegates to", f"{said_by} {name} NS", 0.9)
    if group := text(resource.config, "QueryLogGroup"):
        yield relation(resource, group, "logs to", "route53:ListQueryLoggingConfigs")


def _served(records: Iterable[Json]) -> Iterable[Json]:
    """Records that lead anywhere: of weighted ones those of weight 0 get nothing while another has weight."""
    listed = list(records)
    heavy = {_key(one)[:2] for one in listed if one.get("Weight")}
    return (one for one in listed if one.get("Weight") != 0 or _key(one)[:2] not in heavy)


def _values(record: Mapping[str, Any]) -> Iterable[tuple[str, str]]:
    """Hosts and addresses that a record leads to, each with the field that says so."""
    if text(record, "Type") not in _ADDRESSED:
        return
    if host := text(record, "AliasTarget", "DNSName"):
        yield "AliasTarget", plain_name(host)
    for one in record.get("ResourceRecords") or []:
        yield "ResourceRecords", plain_name(text(one, "Value"))


def _meant(host: str, name: str, directory: Directory) -> Iterable[str]:
    """ARNs of what is reached under a host or address. `name`: of the record, which a website's bucket bears."""
    for one in directory.of("distribution"):
        own = {text(one.config, "DomainName"), *_aliases(one)}
        if host in {plain_name(each) for each in own if each}:
            yield one.arn
            return
    if _WEBSITE.fullmatch(host):
        yield f"arn:{'aws-cn' if host.endswith('.cn') else 'aws'}:s3:::{name}"
        return
    for found in directory.mentioned(host):
        if found.type not in _NEVER_MEANT:
            yield found.arn


def _aliases(distribution: Resource) -> list[str]:
    config: Json = distribution.config.get("DistributionConfig") or distribution.config
    return list((config.get("Aliases") or {}).get("Items") or [])


def _of_check(resource: Resource, directory: Directory) -> Iterable[Relation]:
    config: Json = resource.config.get("HealthCheckConfig") or {}
    said_by = "route53:GetHealthCheck HealthCheckConfig"
    for field in ("FullyQualifiedDomainName", "IPAddress"):
        if not (value := plain_name(text(config, field))):
            continue
        for target in _meant(value, value, directory):
            yield relation(resource, target, "checks", f"{said_by}.{field}")
        for zone in directory.of("hosted-zone"):
            if _holds(zone, value):
                yield relation(resource, zone.arn, "checks", f"{said_by}.{field}", 0.9)
    for child in config.get("ChildHealthChecks") or []:
        target = f"{resource.arn.rpartition('/')[0]}/{child}"
        yield relation(resource, target, "checks", f"{said_by}.ChildHealthChecks")
    alarm = config.get("AlarmIdentifier") or {}
    if name := text(alarm, "Name"):
        target = arns.build("cloudwatch", text(alarm, "Region"), resource.account, f"alarm:{name}")
        yield relation(resource, target, "follows", f"{said_by}.AlarmIdentifier")


def _holds(zone: Resource, name: str) -> bool:
    names = {plain_name(text(one, "Name")) for one in zone.config.get("RecordSets") or []}
    return name in names


# -- metrics ------------------------------------------------------------------------------------------


def dimensions(resource: Resource) -> tuple[tuple[str, str], ...]:
    id = arns.parse(resource.arn).name
    return (("HostedZoneId" if resource.type == "hosted-zone" else "HealthCheckId", id),)


def owner(dimensions: Mapping[str, str], partition: str, region: str, account: str) -> str:
    """The zone or the health check. Regions of checkers make no other resource."""
    for name, kind in (("HealthCheckId", "healthcheck"), ("HostedZoneId", "hostedzone")):
        if id := dimensions.get(name, ""):
            return f"arn:{partition}:route53:::{kind}/{id}"
    return ""


def _metric(
    type: str, name: str, stat: str, role: Any, bad: Any, missing: Any, unit: str, period: int = 60
) -> MetricSpec:
    return MetricSpec(
        type=type, name=name, stat=stat, role=role, bad=bad, missing=missing, unit=unit, period=period
    )


METRICS = (
    _metric("hosted-zone", "DNSQueries", "Sum", "demand", "down", "idle", "DNS queries"),
    _metric("hosted-zone", "DNSSECInternalFailure", "Sum", "errors", "up", "zero", "DNSSEC failures", 14400),
    _metric(
        "hosted-zone",
        "DNSSECKeySigningKeysNeedingAction",
        "Sum",
        "errors",
        "up",
        "zero",
        "DNSSEC keys that need action",
        14400,
    ),
    _metric(
        "health-check", "HealthCheckStatus", "Minimum", "work", "down", "unknown", "healthy (1) or not (0)"
    ),
    _metric(
        "health-check", "HealthCheckPercentageHealthy", "Average", "work", "down", "unknown", "% of checkers"
    ),
    _metric(
        "health-check", "ChildHealthCheckHealthyCount", "Average", "work", "down", "unknown", "healthy checks"
    ),
    _metric("health-check", "ConnectionTime", "Average", "latency", "up", "unknown", "ms"),
    _metric("health-check", "TimeToFirstByte", "Average", "latency", "up", "unknown", "ms"),
    _metric("health-check", "SSLHandshakeTime", "Average", "latency", "up", "unknown", "ms"),
)


# -- settings -----------------------------------------------------------------------------------------


def _call(operation: str, at: Resource | ChangeEvent, **parameters: Any) -> Call:
    region = arns.global_region(at.region) if at.region else ""
    return Call(service="route53", operation=operation, parameters=parameters, region=region)


def _read_check(resource: Resource) -> Call:
    return _call("GetHealthCheck", resource, HealthCheckId=arns.parse(resource.arn).name)


_LISTS = frozenset({"Regions", "ChildHealthChecks"})
_FLAGS = frozenset({"Inverted", "Disabled", "EnableSNI"})
_COUNTS = frozenset({"Port", "FailureThreshold", "HealthThreshold"})
# A member that is emptied has to be named, for what is not sent is kept (UpdateHealthCheck, ResetElements).
_RESET = frozenset({"FullyQualifiedDomainName", "Regions", "ResourcePath", "ChildHealthChecks"})


def _restore_check(member: str, resource: Resource, value: Value) -> tuple[Call, ...]:
    id = arns.parse(resource.arn).name
    if value in (None, "", "[]"):
        if member not in _RESET:
            return ()
        return (_call("UpdateHealthCheck", resource, HealthCheckId=id, ResetElements=[member]),)
    sent: Any = value
    if member in _LISTS:
        sent = _listed(value)
        if not sent:
            return ()
    elif member in _FLAGS:
        sent = str(value).lower() == "true"
    elif member in _COUNTS:
        sent = whole(value)
    return (_call("UpdateHealthCheck", resource, HealthCheckId=id, **{member: sent}),)


def _listed(value: Any) -> list[str]:
    """Words from a list, or from a list as JSON text, which is how it is told as a value."""
    try:
        found = json.loads(value) if isinstance(value, str) else value
    except ValueError:
        return []
    return [str(one) for one in found] if isinstance(found, list) else []


def _camel(member: str) -> str:
    """CloudTrail's spelling: iPAddress, enableSNI."""
    return member[0].lower() + member[1:]


# Three failed checks of 30 seconds each by default; then resolvers keep the old answer for the record's TTL.
_JUDGED_FAILED = (
    Effect(metric="HealthCheckStatus", direction="down", after=(10, 900)),
    Effect(metric="HealthCheckPercentageHealthy", direction="down", after=(10, 900)),
    Effect(metric="role:demand", direction="down", on="downstream", after=(10, 5400)),
    Effect(metric="role:demand", direction="silent", on="downstream", after=(10, 5400)),
    Effect(metric="role:work", direction="down", on="downstream", after=(10, 5400)),
    Effect(metric="role:demand", direction="up", on="downstream", after=(10, 5400)),
)
_BLIND = (
    # It goes on sending clients to what has failed.
    Effect(metric="HealthCheckStatus", direction="up", after=(0, 900)),
    Effect(metric="role:errors", direction="up", on="downstream", after=(0, 5400)),
)


def _check(
    member: str, words: str, unit: str, unset: Value, effects: tuple[Effect, ...] = _JUDGED_FAILED
) -> Setting:
    name = _camel(member)
    return Setting(
        type="health-check",
        name=words,
        path=f"HealthCheckConfig.{member}",
        unit=unit,
        requests={"UpdateHealthCheck": name, "CreateHealthCheck": f"healthCheckConfig.{name}"},
        restore=partial(_restore_check, member),
        read=_read_check,
        query=f"HealthCheck.HealthCheckConfig.{member}",
        unset=unset,
        echo="new",
        echo_path=f"healthCheck.healthCheckConfig.{name}",
        effects=effects,
    )


SETTINGS = (
    _check("ResourcePath", "checked path", "", None),
    _check("FullyQualifiedDomainName", "checked host", "", None),
    _check("IPAddress", "checked address", "", None),
    _check("Port", "checked port", "", None),
    _check("SearchString", "text that a healthy answer holds", "", None),
    _check("FailureThreshold", "failure threshold", "checks", 3),
    _check("Inverted", "inverted health check", "", False),
    _check("Disabled", "disabled health check", "", False, _BLIND),
    _check("EnableSNI", "host name in TLS handshakes", "", None),
    _check("HealthThreshold", "healthy child checks needed", "checks", None),
    _check("ChildHealthChecks", "child health checks", "", None),
    _check("Regions", "regions that check", "", None),
    _check("InsufficientDataHealthStatus", "state while its alarm has no data", "", None),
)


# -- policies -----------------------------------------------------------------------------------------


def _record_names(request: Json) -> Mapping[str, tuple[str, ...]]:
    """Source: Route 53 developer guide, "Using IAM policy conditions for fine-grained access control"."""
    batch = pick(request, "ChangeBatch")
    sets = [pick(one, "ResourceRecordSet") for one in pick(batch, "Changes") or ()]
    names = tuple(dict.fromkeys(_normalised(text(pick(one, "Name"))) for one in sets))
    return {"route53:ChangeResourceRecordSetsNormalizedRecordNames": names} if names else {}


def _normalised(name: str) -> str:
    """Small letters, no dot at the end, what is no usual letter of a name as \\ and three octal digits."""
    return "".join(
        one
        if one.isascii() and (one.isalnum() or one in "-_.")
        else "".join(f"\\{byte:03o}" for byte in one.encode())
        for one in plain_name(name)
    )


# -- reversals ----------------------------------------------------------------------------------------

_Key = tuple[str, str, str]


def _key(record: Mapping[str, Any]) -> _Key:
    """What makes a record set one: name, type and set identifier, in either spelling."""
    name = text(record, "name") or text(record, "Name")
    kind = text(record, "type") or text(record, "Type")
    id = text(record, "setIdentifier") or text(record, "SetIdentifier")
    return plain_name(name), kind.upper(), id


def _batch(event: ChangeEvent) -> list[tuple[str, Json]]:
    """Actions and record sets of a ChangeResourceRecordSets, in their order."""
    batch = event.request.get("changeBatch")
    changes = batch.get("changes") if isinstance(batch, dict) else None
    listed = changes if isinstance(changes, list) else []
    told = [pick(one, "resourceRecordSet") for one in listed]
    if not all(isinstance(one, dict) for one in told):
        return []  # one that cannot be read is in none of what would be made of the others
    return [(text(one, "action").upper(), dict(sets)) for one, sets in zip(listed, told, strict=True)]


def _undo_records(event: ChangeEvent, earlier: tuple[ChangeEvent, ...]) -> tuple[Call, ...]:
    """One batch that takes back all of the event's; none where one record before is not known.

    A deleted record is told whole by the event. What an UPSERT replaced is told by an earlier event only.
    """
    zone = _bare(text(event.request, "hostedZoneId"))
    first: dict[_Key, tuple[str, Json]] = {}
    after: dict[_Key, Json] = {}
    for action, told in _batch(event):
        first.setdefault(_key(told), (action, told))
        after[_key(told)] = {} if action == "DELETE" else told
    gone: list[tuple[str, Json]] = []
    back: list[tuple[str, Json]] = []
    for key, (action, told) in first.items():
        before = _before(action, told, zone, earlier)
        if before is None:
            return ()
        if not before and after[key]:
            gone.append(("DELETE", after[key]))
        elif before and before != after[key]:
            back.append(("UPSERT" if after[key] else "CREATE", before))
    # A name's CNAME must be gone before another record of the name can be made.
    return _sent(event, zone, [*gone, *back]) if zone and (gone or back) else ()


def _before(action: str, told: Json, zone: str, earlier: tuple[ChangeEvent, ...]) -> Json | None:
    """The record set before a batch that begins with this on it: {} for none, None when nothing tells."""
    if action in ("CREATE", "DELETE"):
        return {} if action == "CREATE" else told
    for event in earlier:
        same_zone = _bare(text(event.request, "hostedZoneId")) == zone
        if event.operation != "ChangeResourceRecordSets" or event.error_code or not same_zone:
            continue
        for did, found in reversed(_batch(event)):
            if _key(found) == _key(told):
                return {} if did == "DELETE" else found
    return None


def _sent(event: ChangeEvent, zone: str, changes: list[tuple[str, Json]]) -> tuple[Call, ...]:
    listed = [{"action": action, "resourceRecordSet": record} for action, record in changes]
    request = {"hostedZoneId": zone, "changeBatch": {"changes": listed}}
    try:
        sent = from_cloudtrail("route53", "ChangeResourceRecordSets", request)
    except BadInput:
        return ()
    return (_call("ChangeResourceRecordSets", event, **sent),)


def _opposite(
    operation: str, members: tuple[str, ...], event: ChangeEvent, earlier: tuple[ChangeEvent, ...]
) -> tuple[Call, ...]:
    """The opposite operation with the same members."""
    kept = {name: event.request[name] for name in members if event.request.get(name) is not None}
    try:
        sent = from_cloudtrail("route53", operation, kept)
    except BadInput:
        return ()
    return (_call(operation, event, **sent),)


def _undo_create_zone(event: ChangeEvent, earlier: tuple[ChangeEvent, ...]) -> tuple[Call, ...]:
    """Route 53 refuses it while the zone holds records of its own: nothing is lost by it."""
    id = _bare(text(event.response, "hostedZone", "id"))
    return (_call("DeleteHostedZone", event, Id=id),) if id else ()


_VPC = ("hostedZoneId", "vPC")


# -- changes ------------------------------------------------------------------------------------------

# Route 53 answers the new way within a minute; clients keep what they have for the record's TTL.
_LED_ELSEWHERE = (
    Effect(metric="role:demand", direction="silent", on="downstream", after=(0, 5400)),
    Effect(metric="role:demand", direction="down", on="downstream", after=(0, 5400)),
    Effect(metric="role:demand", direction="up", on="downstream", after=(0, 5400)),
    Effect(metric="role:work", direction="down", on="downstream", after=(0, 5400)),
    Effect(metric="role:errors", direction="up", on="downstream", after=(0, 5400)),
    Effect(metric="role:errors", direction="up", on="upstream", after=(0, 5400)),
    Effect(metric="HealthCheckStatus", direction="down", after=(0, 5400), may=True),
    Effect(metric="DNSQueries", direction="up", after=(0, 5400), may=True),
)
_ZONE: Json = {"hostedZoneId": "Z0423603EXAMPLE0001"}
_CHECK: Json = {"healthCheckId": "3f1c9a52-7d44-4b0e-9a61-2c8e5b7d0a11"}
_PROBE: Json = {
    "fullyQualifiedDomainName": "shop.example.com",
    "iPAddress": "203.0.113.80",
    "port": 443,
    "resourcePath": "/healthz2",
    "searchString": "ok",
    "failureThreshold": 1,
    "inverted": False,
    "disabled": True,
    "enableSNI": True,
    "healthThreshold": 2,
    "childHealthChecks": ["0b7c2f10-55aa-4f0d-8a5e-1f2e3d4c5b6a"],
    "regions": ["eu-west-1", "us-east-1", "us-west-2"],
    "insufficientDataHealthStatus": "Unhealthy",
}


def _example(operation: str, request: Json, response: Json | None = None) -> Json:
    return record(_SOURCE, operation, request, response, region="us-east-1")


_PENDING: Json = {
    "changeInfo": {
        "status": "PENDING",
        "id": "/change/C0358412EXAMPLE00001",
        "submittedAt": "Mar 13, 2026 5:12:31 PM",
    }
}


def _changed(*changes: Json) -> Json:
    batch = {"changeBatch": {"changes": list(changes)}}
    return _example("ChangeResourceRecordSets", {**_ZONE, **batch}, _PENDING)


def _record_set(value: str, **more: Any) -> Json:
    found = {"name": "shop.example.com.", "type": "A", "tTL": 300, "resourceRecords": [{"value": value}]}
    return {**found, **more}


CHANGES = (
    Change(
        operation="ChangeResourceRecordSets",
        touches=_touches_zone,
        breaks="The name leads elsewhere or nowhere, for each client when what it has cached runs out.",
        example=_changed({"action": "UPSERT", "resourceRecordSet": _record_set("203.0.113.99")}),
        more_examples=(
            _changed(
                {"action": "DELETE", "resourceRecordSet": _record_set("203.0.113.80")},
                {
                    "action": "CREATE",
                    "resourceRecordSet": {
                        "name": "shop.example.com.",
                        "type": "A",
                        "aliasTarget": {
                            "hostedZoneId": "Z32O12XQLNTSW2",
                            "dNSName": "web-1234567890.eu-west-1.elb.amazonaws.com.",
                            "evaluateTargetHealth": True,
                        },
                    },
                },
            ),
        ),
        effects=_LED_ELSEWHERE,
        undo=_undo_records,
        earlier=("ChangeResourceRecordSets",),
        keys=_record_names,
    ),
    Change(
        operation="DeleteHostedZone",
        touches=_touches_zone,
        breaks="No name of the zone is answered any more; a new zone gets other name servers.",
        example=_example("DeleteHostedZone", {"id": "Z0423603EXAMPLE0001"}, _PENDING),
        effects=_LED_ELSEWHERE,
    ),
    Change(
        operation="CreateHostedZone",
        touches=_touches_zone,
        breaks="Inside its networks a private zone hides the public zone of the same name, records and all.",
        example=_example(
            "CreateHostedZone",
            {
                "name": "shop.example.com",
                "callerReference": "2026-03-13 17:12:31",
                "vPC": {"vPCRegion": "eu-west-1", "vPCId": "vpc-0a1b2c3d4e5f60001"},
                "hostedZoneConfig": {"comment": "", "privateZone": True},
            },
            {
                "hostedZone": {"id": "/hostedzone/Z0423603EXAMPLE0001", "name": "shop.example.com."},
                **_PENDING,
            },
        ),
        effects=_LED_ELSEWHERE,
        undo=_undo_create_zone,
    ),
    Change(
        operation="AssociateVPCWithHostedZone",
        touches=_touches_zone,
        breaks="In that network the private zone hides the public zone of the same name, records and all.",
        example=_example(
            "AssociateVPCWithHostedZone",
            {**_ZONE, "vPC": {"vPCRegion": "eu-west-1", "vPCId": "vpc-0a1b2c3d4e5f60001"}},
            _PENDING,
        ),
        effects=_LED_ELSEWHERE,
        undo=partial(_opposite, "DisassociateVPCFromHostedZone", _VPC),
    ),
    Change(
        operation="DisassociateVPCFromHostedZone",
        touches=_touches_zone,
        breaks="In that network the private zone's names are not answered any more.",
        example=_example(
            "DisassociateVPCFromHostedZone",
            {**_ZONE, "vPC": {"vPCRegion": "eu-west-1", "vPCId": "vpc-0a1b2c3d4e5f60001"}},
            _PENDING,
        ),
        effects=_LED_ELSEWHERE,
        undo=partial(_opposite, "AssociateVPCWithHostedZone", _VPC),
    ),
    Change(
        operation="DisableHostedZoneDNSSEC",
        touches=_touches_zone,
        breaks="While the parent zone still announces signatures, validating resolvers answer nothing at all.",
        example=_example("DisableHostedZoneDNSSEC", _ZONE, _PENDING),
        effects=_LED_ELSEWHERE,
        undo=partial(_opposite, "EnableHostedZoneDNSSEC", ("hostedZoneId",)),
    ),
    Change(
        operation="EnableHostedZoneDNSSEC",
        touches=_touches_zone,
        breaks="If the parent zone announces another key, validating resolvers answer nothing at all.",
        example=_example("EnableHostedZoneDNSSEC", _ZONE, _PENDING),
        effects=_LED_ELSEWHERE,
        undo=partial(_opposite, "DisableHostedZoneDNSSEC", ("hostedZoneId",)),
    ),
    Change(
        operation="DeactivateKeySigningKey",
        touches=_touches_zone,
        breaks="Without the key that the parent zone announces, validating resolvers answer nothing at all.",
        example=_example("DeactivateKeySigningKey", {**_ZONE, "name": "shop-ksk"}, _PENDING),
        effects=_LED_ELSEWHERE,
        undo=partial(_opposite, "ActivateKeySigningKey", ("hostedZoneId", "name")),
    ),
    Change(
        operation="ActivateKeySigningKey",
        touches=_touches_zone,
        breaks="If the parent zone does not announce the key, validating resolvers may answer nothing.",
        example=_example("ActivateKeySigningKey", {**_ZONE, "name": "shop-ksk"}, _PENDING),
        effects=_LED_ELSEWHERE,
        undo=partial(_opposite, "DeactivateKeySigningKey", ("hostedZoneId", "name")),
    ),
    Change(
        operation="UpdateHealthCheck",
        touches=_touches_check,
        breaks="Names lead away from what is healthy, or go on leading to what has failed.",
        example=_example(
            "UpdateHealthCheck",
            {**_CHECK, **_PROBE},
            {"healthCheck": {"id": _CHECK["healthCheckId"], "healthCheckConfig": _PROBE}},
        ),
    ),
    Change(
        operation="DeleteHealthCheck",
        touches=_touches_check,
        breaks="Records that still name the check get a health that nobody can foresee.",
        example=_example("DeleteHealthCheck", _CHECK),
        effects=(
            *_JUDGED_FAILED,
            Effect(metric="HealthCheckStatus", direction="silent", after=(0, 900)),
        ),
    ),
    inert(
        "CreateHealthCheck",
        _touches_check,
        _example(
            "CreateHealthCheck",
            {"callerReference": "2026-03-13 17:12:31", "healthCheckConfig": {**_PROBE, "type": "HTTPS"}},
            {"healthCheck": {"id": _CHECK["healthCheckId"], "healthCheckConfig": _PROBE}},
        ),
    ),
    *(
        inert(operation, touches, _example(operation, request))
        for operation, touches, request in (
            (
                "ChangeTagsForResource",
                _touches_tagged,
                {
                    "resourceType": "hostedzone",
                    "resourceId": "Z0423603EXAMPLE0001",
                    "addTags": [{"key": "team", "value": "shop"}],
                },
            ),
            ("UpdateHostedZoneComment", _touches_zone, {"id": "Z0423603EXAMPLE0001", "comment": "shop"}),
            (
                "CreateQueryLoggingConfig",
                _touches_zone,
                {
                    **_ZONE,
                    "cloudWatchLogsLogGroupArn": "arn:aws:logs:us-east-1:111122223333:log-group:/aws/route53/shop",
                },
            ),
        )
    ),
)


# -- states and error texts ---------------------------------------------------------------------------

CONDITIONS = (
    Condition(
        key="endpoint-unhealthy",
        type="health-check",
        title="the endpoint of a health check fails it",
        metrics=("HealthCheckStatus",),
        breaks="Names that the check decides on lead to another endpoint, or to one that has failed too.",
        relieve=(
            "Find out why the endpoint fails the check: GetHealthCheckLastFailureReason says what checkers saw.",
            "Do not disable the check: clients would be led to what has failed.",
        ),
        prevent=(
            "Alarm on HealthCheckStatus below 1, and keep a second endpoint that is tried regularly.",
            "Keep the TTL of records with failover at 60 seconds or below.",
        ),
        excluded=lambda resource: bool((resource.config.get("HealthCheckConfig") or {}).get("Disabled")),
    ),
    Condition(
        key="dnssec-broken",
        type="hosted-zone",
        title="DNSSEC of the zone is broken",
        metrics=("DNSSECInternalFailure",),
        breaks="Resolvers that validate signatures answer nothing for the zone's names.",
        relieve=(
            "Give Route 53 back the use of the key in KMS (its key policy), or replace the key-signing key.",
            "Else remove the DS record at the parent zone, wait for its TTL, and only then disable signing.",
        ),
        prevent=("Alarm on DNSSECInternalFailure and DNSSECKeySigningKeysNeedingAction above 0.",),
    ),
)

_NOT_FOUND = r"\bENOTFOUND\b|\bNXDOMAIN\b|no such host|Name or service not known|UnknownHostException"


def outline(resource: Resource, directory: Directory) -> Iterable[Relation]:
    """The networks that a private zone answers in."""
    for one in resource.config.get("VPCs") or []:
        if id := text(one, "VPCId"):
            target = arns.build("ec2", text(one, "VPCRegion"), resource.account, f"vpc/{id}")
            yield relation(resource, target, "in", "route53:GetHostedZone VPCs")


SERVICE = Service(
    name="route53",
    title="Route 53",
    client="route53",
    event_sources=(_SOURCE,),
    reads=(
        Read(operation="ListHostedZones", action="route53:ListHostedZones", shows="which zones exist"),
        Read(
            operation="ListResourceRecordSets",
            action="route53:ListResourceRecordSets",
            shows="where names lead",
        ),
        Read(
            operation="GetHostedZone",
            action="route53:GetHostedZone",
            shows="a zone's name servers and networks",
        ),
        Read(
            operation="ListQueryLoggingConfigs",
            action="route53:ListQueryLoggingConfigs",
            shows="where a zone's queries are logged",
        ),
        Read(operation="ListHealthChecks", action="route53:ListHealthChecks", shows="which checks exist"),
        Read(
            operation="GetHealthCheck", action="route53:GetHealthCheck", shows="what a health check looks at"
        ),
        Read(operation="ListTagsForResource", action="route53:ListTagsForResource", shows="who owns a zone"),
    ),
    # A zone holds names of unrelated things: it is reached from them, and not gone through to the others.
    types={"hosted-zone": "other", "health-check": "other"},
    arns={"hosted-zone": r"route53:hostedzone/[^/]+", "health-check": r"route53:healthcheck/[^/]+"},
    discover=discover,
    describe=describe,
    relations=relations,
    outline=Outline(relations=outline),
    namespace="AWS/Route53",
    dimensions=dimensions,
    owner=owner,
    metrics=METRICS,
    settings=SETTINGS,
    changes=CHANGES,
    conditions=CONDITIONS,
    signatures=(
        Signature(
            match=_NOT_FOUND,
            code="",
            reason="",
            points_to="ChangeResourceRecordSets",
            says="a name is not answered by DNS",
        ),
    ),
    log_groups=lambda resource: (
        (arns.parse(text(resource.config, "QueryLogGroup")).name,)
        if text(resource.config, "QueryLogGroup")
        else ()
    ),
    global_region=True,
    listed=False,
    listed_near=(
        "load-balancer",
        "distribution",
        "api",
        "instance",
        "elastic-ip",
        "certificate",
        "hosted-zone",
        "health-check",
    ),
)
