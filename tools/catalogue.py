"""What the service files know together: lookups by ARN, event and metric."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache, partial
from typing import Any

import jmespath  # type: ignore[import-untyped]

from tools.arn import is_arn, partition_of
from tools.arn import parse as parse_arn
from tools.models import ChangeEvent, Json, Metric, Resource, Value
from tools.service_files import services
from tools.services import services as _all_services
from tools.services._spec import Change, Condition, Effect, Service, Setting, Signature
from tools.setting_values import names_it, of_resource

__all__ = [
    "Mechanism",
    "change_of",
    "changed_alike",
    "conditions",
    "echoed",
    "event_names",
    "find",
    "for_event",
    "mechanisms",
    "metric_owner",
    "owner_arn",
    "owner_of",
    "replaced_by",
    "requested",
    "service_of",
    "services",
    "settings_in",
    "settings_of",
    "shown",
    "signatures",
    "type_of",
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


@cache
def _compiled(path: str) -> Any:
    return jmespath.compile(path)


def find(path: str, data: Mapping[str, Any]) -> Any:
    """What a JMESPath finds in `data`, or None. Path "" finds None."""
    return _compiled(path).search(data) if path else None


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
    if len(fits) > 1:
        return next((one for one in fits if one[1].touches(event)), fits[0])
    return fits[0] if fits else None


def change_of(event: ChangeEvent) -> Change | None:
    """The change that an event is, or None when no service file knows it."""
    found = for_event(event)
    return found[1] if found else None


def condition_keys(client: str, operation: str, parameters: Json) -> Mapping[str, tuple[str, ...]]:
    """The IAM condition keys of a request that name the part of a resource it changes; see `Change.keys`."""
    for service in services().values():
        for change in service.changes if service.client == client else ():
            if change.operation == operation and change.keys is not None:
                return change.keys(parameters)
    return {}


@cache
def known_condition_keys() -> frozenset[str]:
    """All that `condition_keys` may tell, in small letters."""
    changes = [change for service in _all_services().values() for change in service.changes]
    return frozenset(
        key.lower() for one in changes if one.keys for key in one.keys(one.example["requestParameters"])
    )


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
