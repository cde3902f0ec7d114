"""What the service files know together: lookups by ARN, event and metric, and the pages made from them."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cache, partial
from types import MappingProxyType
from typing import Any

import jmespath  # type: ignore[import-untyped]

from tools.arn import is_arn, partition_of
from tools.arn import parse as parse_arn
from tools.models import ChangeEvent, Json, Metric, Resource, Value
from tools.services import services as _all_services
from tools.services._spec import Change, Condition, Effect, Service, Setting, Signature
from tools.setting_values import names_it, of_resource

__all__ = [
    "Mechanism",
    "ReadNeed",
    "change_of",
    "changed_alike",
    "conditions",
    "echoed",
    "event_names",
    "find",
    "for_event",
    "iam_policy",
    "mechanisms",
    "metric_owner",
    "owner_arn",
    "owner_of",
    "reads",
    "replaced_by",
    "requested",
    "service_of",
    "services",
    "settings_in",
    "settings_of",
    "shown",
    "signatures",
    "supported",
    "type_of",
    "without",
]

_LAMBDA_DATES: Mapping[str, str] = {
    # Lambda's event names end with the date of the API version that brought them (CloudTrail, Lambda guide).
    **dict.fromkeys(
        (
            "AddPermission",
            "RemovePermission",
            "UpdateFunctionCode",
            "UpdateFunctionConfiguration",
        ),
        "20150331v2",
    ),
    **dict.fromkeys(
        (
            "CreateAlias",
            "UpdateAlias",
            "DeleteAlias",
            "CreateEventSourceMapping",
            "UpdateEventSourceMapping",
            "DeleteEventSourceMapping",
            "CreateFunction",
            "DeleteFunction",
            "PublishVersion",
        ),
        "20150331",
    ),
    **dict.fromkeys(("PutFunctionConcurrency", "DeleteFunctionConcurrency"), "20171031"),
    **dict.fromkeys(("TagResource", "UntagResource"), "20170331v2"),
}

_FIXED: tuple[tuple[str, str, str, str], ...] = (
    # client, operation, IAM action, what it shows: reads that no service file needs but every run does
    ("sts", "GetCallerIdentity", "sts:GetCallerIdentity", "which account and role this is"),
    ("cloudtrail", "LookupEvents", "cloudtrail:LookupEvents", "who changed what, and when"),
    ("cloudwatch", "GetMetricData", "cloudwatch:GetMetricData", "every metric"),
    (
        "cloudwatch",
        "DescribeAlarmHistory",
        "cloudwatch:DescribeAlarmHistory",
        "what an alarm did, and who edited it",
    ),
    (
        "dynamodbstreams",
        "DescribeStream",
        "dynamodb:DescribeStream",
        "which view of changes a table's stream had that is switched off",
    ),
    (
        "resourcegroupstaggingapi",
        "GetResources",
        "tag:GetResources",
        "which resource words mean that name it by a tag",
    ),
    (
        "config",
        "DescribeConfigurationRecorderStatus",
        "config:DescribeConfigurationRecorderStatus",
        "whether AWS Config records, where no event tells the value before",
    ),
    (
        "config",
        "ListDiscoveredResources",
        "config:ListDiscoveredResources",
        "how AWS Config calls a resource",
    ),
    (
        "config",
        "GetResourceConfigHistory",
        "config:GetResourceConfigHistory",
        "what a setting was before a change, where AWS Config records",
    ),
    ("logs", "StartQuery", "logs:StartQuery", "counts of log patterns before rows are read"),
    ("logs", "GetQueryResults", "logs:GetQueryResults", "answers of log queries"),
    ("logs", "StopQuery", "logs:StopQuery", "ends a log query that is no longer needed"),
    ("logs", "FilterLogEvents", "logs:FilterLogEvents", "log lines where queries are not possible"),
)


@cache
def _compiled(path: str) -> Any:
    return jmespath.compile(path)


def find(path: str, data: Mapping[str, Any]) -> Any:
    """What a JMESPath finds in `data`, or None. Path "" finds None."""
    return _compiled(path).search(data) if path else None


# -- what is known ---------------------------------------------------------------------------------

_left: Mapping[str, Service] | None = None  # set within `without` only


def services() -> Mapping[str, Service]:
    """Every service by the name of its file, sorted."""
    return _all_services() if _left is None else _left


@contextmanager
def without(
    source: str, operation: str, setting: str = "", *, signatures: bool = False
) -> Iterator[tuple[str, ...]]:
    """Within the block no service file knows `operation` of the event source `source`, nor the setting of that path.

    For evals: does opsleuth find a cause that nobody told it about? What goes: the operation's `Change` with its
    undo, the `Setting` with its effects, what other settings say of the operation, and with `signatures` the error
    texts that point to either, or, without a setting, to a part that no setting stands for (policies). Yields regular
    expressions of those texts, gone or not. The whole process forgets, threads too, so nothing else may run
    meanwhile; blocks do not nest.
    """
    global _left
    if _left is not None:
        raise RuntimeError("a part of the catalogue is hidden already")
    pointed = tuple(
        one
        for service in _all_services().values()
        for one in service.signatures
        if source in service.event_sources and _points(one, service, operation, setting)
    )
    pointed += _from_afar({one.points_to for one in pointed}, source)
    gone = pointed if signatures else ()
    _left = MappingProxyType(
        {
            name: _lessened(service, operation, setting, gone)
            if source in service.event_sources
            else _silent(service, gone)
            for name, service in _all_services().items()
        }
    )
    try:
        yield tuple(text for one in pointed for text in (one.match, re.escape(one.reason)) if text)
    finally:
        _left = None


def _from_afar(keys: set[str], source: str) -> tuple[Signature, ...]:
    """Error texts of other services that point to the same part: what a stream says of the role that it uses."""
    return tuple(
        one
        for service in _all_services().values()
        for one in service.signatures
        if source not in service.event_sources and one.points_to in keys - _own(service)
    )


def _silent(service: Service, gone: tuple[Signature, ...]) -> Service:
    kept = tuple(one for one in service.signatures if one not in gone)
    return service if len(kept) == len(service.signatures) else replace(service, signatures=kept)


def _own(service: Service) -> set[str]:
    known = {one.path for one in service.settings} | {one.key for one in service.conditions}
    return known | {one.operation for one in service.changes}


def _points(signature: Signature, service: Service, operation: str, setting: str) -> bool:
    part = not setting and signature.points_to not in _own(service)
    return part or signature.points_to in {operation, setting or operation}


def _lessened(service: Service, operation: str, setting: str, gone: tuple[Signature, ...]) -> Service:
    kept = (one for one in service.settings if not setting or one.path != setting)
    return replace(
        service,
        changes=tuple(one for one in service.changes if one.operation != operation),
        settings=tuple(
            replace(one, requests={name: path for name, path in one.requests.items() if name != operation})
            for one in kept
        ),
        signatures=tuple(one for one in service.signatures if one not in gone),
    )


# -- services and resources ------------------------------------------------------------------------


_PREFIX = re.compile(r"([a-z0-9-]+):")


def _kind(arn: str) -> tuple[Service, str] | None:
    if not is_arn(arn):
        return None
    parts = parse_arn(arn)
    key = f"{parts.service}:{parts.resource}"
    for known, type, pattern in _patterns(parts.service):
        if pattern.fullmatch(key):
            return services()[known], type
    return None


@cache
def _patterns(prefix: str) -> tuple[tuple[str, str, re.Pattern[str]], ...]:
    """Service, type and pattern of every kind of ARN that may begin with this service's prefix, in order."""
    found = []
    for name, service in _all_services().items():
        for type, pattern in service.arns.items():
            begins = _PREFIX.match(pattern)
            if begins is None or begins.group(1) == prefix:
                found.append((name, type, re.compile(pattern, re.DOTALL)))
    return tuple(found)


def service_of(arn: str) -> Service | None:
    """The service whose file knows this kind of ARN."""
    found = _kind(arn)
    return found[0] if found else None


def type_of(arn: str) -> str:
    """The resource type of an ARN ("table", "function", ...), or "" when no service file knows it."""
    found = _kind(arn)
    return found[1] if found else ""


_INSIDE = (
    (re.compile(r"^(arn:[\w-]+:s3:::[^/]+)/.*$"), r"\1"),
    (re.compile(r"(:table/[^/]+)/(?:index|stream|backup|export)/.*$"), r"\1"),
    (re.compile(r"(:function:[^:]+):[^:]+$"), r"\1"),
    (re.compile(r"(:stateMachine:[^:]+):[^:]+$"), r"\1"),
    (re.compile(r"(:/(?:apis|restapis)/[^/]+)/.*$"), r"\1"),
    (re.compile(r"(:log-group:[^:]+):.*$"), r"\1"),
    (re.compile(r":(?:nodegroup|addon)/([^/]+)/[^/]+/[^/]+$"), r":cluster/\1"),
    (re.compile(r":listener(?:-rule)?/((?:app|net|gwy)/[^/]+/[^/]+)/.*$"), r":loadbalancer/\1"),
)


def owner_arn(arn: str) -> str:
    """The ARN of the container that a part belongs to: an index's table, an alias's function."""
    for pattern, kept in _INSIDE:
        arn = pattern.sub(kept, arn)
    return arn


def owner_of(namespace: str, dimensions: Mapping[str, str], region: str, account: str) -> str:
    """ARN of the resource that a metric's dimensions mean by rule, or ""."""
    for service in services().values():
        if namespace in service.namespaces and service.owner:
            arn = service.owner(dimensions, partition_of(region), region, account)
            if arn:
                return arn
    return ""


def metric_owner(metric: Metric, region: str, account: str) -> str:
    """ARN of the resource that a metric is about, or "" when dimensions do not tell (REST APIs by name)."""
    return owner_of(metric.namespace, dict(metric.dimensions), region, account)


# -- events ----------------------------------------------------------------------------------------


def for_event(event: ChangeEvent) -> tuple[Service, Change] | None:
    """The service and the change that an event is, or None. Services may share a source: the one touched."""
    fits = [
        (service, change)
        for service in services().values()
        if event.source in service.event_sources
        for change in service.changes
        if change.operation == event.operation
    ]
    for service, change in fits:
        if change.touches(event):
            return service, change
    return fits[0] if fits else None


def change_of(event: ChangeEvent) -> Change | None:
    """The change that an event is, or None when no service file knows it."""
    found = for_event(event)
    return found[1] if found else None


def replaced_by(event: ChangeEvent) -> tuple[str, ...]:
    """Operations whose earlier events tell what a change replaced: those that set the same, or share its way back."""
    found = for_event(event)
    if found is None or found[1].inert:
        return ()
    service, change = found
    names = [name for _, setting in settings_in(event) for name in setting.requests]
    if change.undo is not None:
        way = _way(change.undo)
        names += change.earlier
        names += [one.operation for one in service.changes if one.undo is not None and _way(one.undo) == way]
    return tuple(dict.fromkeys(names))


def _way(undo: Callable[..., object]) -> object:
    """The function behind a way back, its arguments apart."""
    return undo.func if isinstance(undo, partial) else undo


def settings_in(event: ChangeEvent, arn: str = "") -> tuple[tuple[Service, Setting], ...]:
    """The settings that an event's request sets on `arn`, else on what it changes first; also hidden ones, and those
    that the operation unsets.
    """
    found = for_event(event)
    if found is None:
        return ()
    service, change = found
    touched = change.touches(event)
    changed = arn if arn in touched else next(iter(touched), "")
    own = (of_resource(one, changed) for one in service.settings if one.type == type_of(changed))
    return tuple((service, setting) for setting in own if _sets(setting, event))


def changed_alike(event: ChangeEvent) -> tuple[str, ...]:
    """ARNs of all resources on which one request sets the same setting, each its own value; none when it is but one."""
    found = for_event(event)
    if found is None:
        return ()
    several = {one.type for one in found[0].settings if names_it(one, event.operation)}
    arns = tuple(arn for arn in found[1].touches(event) if type_of(arn) in several)
    return arns if len(arns) > 1 else ()


def _sets(setting: Setting, event: ChangeEvent) -> bool:
    path = setting.requests.get(event.operation, "")
    return path.startswith("`") or find(path, event.request) is not None


def requested(setting: Setting, event: ChangeEvent) -> Value:
    """The value that an event's request sets; None when it unsets the setting or hides the value."""
    if setting.hidden:
        return None
    value = _value(find(setting.requests.get(event.operation, ""), event.request))
    return setting.means(event, value) if setting.means and value is not None else value


def echoed(setting: Setting, event: ChangeEvent) -> Value:
    """The value that an event's response shows, or None. `setting.echo` says whether it is the old one."""
    return _value(find(setting.echo_path, event.response))


def shown(setting: Setting, resource: Resource) -> Value:
    """The setting's value in a described resource, or None."""
    return _value(find(setting.path, resource.config))


def _value(found: Any) -> Value:
    return found if found is None or isinstance(found, str | int | float | bool) else None


def settings_of(type: str) -> tuple[tuple[Service, Setting], ...]:
    """Every setting of a resource type."""
    return tuple(
        (service, setting)
        for service in services().values()
        for setting in service.settings
        if setting.type == type
    )


def event_names(*, inert: bool = False) -> frozenset[str]:
    """CloudTrail's names of all known changes, Lambda's dated ones too; harmless ones only when asked."""
    names: set[str] = set()
    for service in services().values():
        for change in service.changes:
            if inert or not change.inert:
                names.add(change.operation)
                names.add(str(change.example["eventName"]))
                if service.name == "lambda":
                    names.add(change.operation + _LAMBDA_DATES.get(change.operation, ""))
    return frozenset(names)


def signatures() -> tuple[tuple[Service, Signature], ...]:
    """Every error text that names its cause."""
    return tuple((service, one) for service in services().values() for one in service.signatures)


def conditions(type: str = "") -> tuple[tuple[Service, Condition], ...]:
    """States that break a resource of `type` (of any type when "") without a change."""
    return tuple(
        (service, one)
        for service in services().values()
        for one in service.conditions
        if type in ("", one.type)
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Mechanism:
    """One way in which a change moves a metric."""

    service: str
    operations: tuple[str, ...]
    setting: str  # name for people; "" when the operation itself does it
    effect: Effect


def mechanisms() -> tuple[Mechanism, ...]:
    """Every effect of every setting and change, in the order of the files."""
    found: list[Mechanism] = []
    for service in services().values():
        for setting in service.settings:
            for effect in setting.effects:
                found.append(
                    Mechanism(
                        service=service.name,
                        operations=tuple(sorted(setting.requests)),
                        setting=setting.name,
                        effect=effect,
                    )
                )
        for change in service.changes:
            for effect in change.effects:
                found.append(
                    Mechanism(service=service.name, operations=(change.operation,), setting="", effect=effect)
                )
    return tuple(found)


# -- what opsleuth reads ---------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadNeed:
    """One read: the IAM action, the boto3 client and operation, and what its answer is good for."""

    action: str
    client: str
    operation: str
    shows: str


def reads() -> tuple[ReadNeed, ...]:
    """All reads of opsleuth, sorted by action and operation, each once."""
    found = {
        (action, operation, client): ReadNeed(action=action, client=client, operation=operation, shows=shows)
        for client, operation, action, shows in (*_FIXED, *_from_files())
    }
    return tuple(found[key] for key in sorted(found))


def _from_files() -> Iterable[tuple[str, str, str, str]]:
    for service in services().values():
        for read in service.reads:
            yield service.client, read.operation, read.action, read.shows


def iam_policy() -> Json:
    """A least-privilege identity policy: one statement per IAM service prefix, sorted."""
    by_prefix: dict[str, set[str]] = {}
    for need in reads():
        by_prefix.setdefault(need.action.partition(":")[0], set()).add(need.action)
    return {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Sid": f"Opsleuth{prefix.replace('-', ' ').title().replace(' ', '')}",
                "Effect": "Allow",
                "Action": sorted(actions),
                "Resource": "*",
            }
            for prefix, actions in sorted(by_prefix.items())
        ],
    }


def supported() -> str:
    """A Markdown table of the services with what opsleuth knows of each."""
    lines = [
        "| service | resources | settings it can put back | changes it knows | metrics |",
        "|---|---|---|---|---|",
    ]
    for service in services().values():
        names = ", ".join(dict.fromkeys(setting.name for setting in service.settings)) or "–"
        changes = len([change for change in service.changes if not change.inert])
        kinds = ", ".join(service.types)
        metrics = len({metric.name for metric in service.metrics})
        lines.append(f"| {service.title} | {kinds} | {names} | {changes} | {metrics or '–'} |")
    return "\n".join(lines) + "\n"
