"""Reads again what a report is about, for `opsleuth check`. Reads only."""

from __future__ import annotations

import statistics
import uuid
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from api.check import QUIET
from api.check_facts import Beside, Facts, Later, Setting, Symptom, Traffic
from graph.session import close, session
from graph.words import say
from tools import catalogue
from tools.aws import Reader
from tools.clock import floor
from tools.cloudtrail import Attribute, event_names, lookup, touched_by
from tools.errors import CannotInvestigate
from tools.metrics import fill_zero, series
from tools.models import Actor, ChangeEvent, Metric, Resource, Window

if TYPE_CHECKING:
    from api.shelf import Kept
    from graph.context import Context
    from graph.models import Report, RootCause

_PERIODS = 15
_SETTLING = timedelta(minutes=2)
"""CloudWatch shows a period a minute or two late; before that, silence means nothing."""


def look(kept: Kept, *, profile: str = "", role_arn: str = "") -> Facts:
    """One look at what the report is about. Raises CannotInvestigate when the account cannot be asked."""
    context = _context(kept, profile, role_arn)
    with _reader(context, kept.report) as reader:
        return gather(reader, kept.report)


def gather(reader: Reader, report: Report) -> Facts:
    """Setting, newer changes of it, symptom and alarm, as of the reader's moment."""
    causes = (report.root_cause, *report.also) if report.verdict in ("root_cause", "no_incident") else ()
    settings = [_setting(reader, cause) if cause is not None else None for cause in causes]
    alarm = _describe(reader, report.incident.alarm.arn) if report.incident.alarm else None
    symptom = _symptom(reader, report, alarm)
    todo = report.mitigation
    return Facts(
        setting=settings[0] if settings else None,
        also=tuple(one for one in settings[1:] if one is not None),
        beside=tuple(_beside(reader, report)),
        symptom=symptom,
        traffic=_traffic(reader, report),
        alarm=alarm.name if alarm else "",
        alarm_state=str(alarm.config.get("StateValue", "")) if alarm else "",
        stays_red=bool(report.incident.stays_red or (todo is not None and todo.stays_red)),
        gaps=tuple(reader.gaps),
    )


_KEEPS = ("AWS/DynamoDB",)
"""Alarms on these keep their state while data is missing (CloudWatch user guide, "treat missing data")."""


def _beside(reader: Reader, report: Report) -> Iterator[Beside]:
    """The other red alarms that watch what the report's blast radius holds."""
    place, watched = report.incident.region, _radius(report)
    own = report.incident.alarm.arn if report.incident.alarm else ""
    onset = report.incident.onset
    with reader.seeing(say("other alarms"), say("whether something near is still broken")):
        pages = reader.pages("cloudwatch", "DescribeAlarms", "MetricAlarms", region=place, StateValue="ALARM")
        for item in sorted(pages.items, key=lambda one: str(one.get("AlarmName"))):
            sizes = {one["Name"]: one["Value"] for one in item.get("Dimensions") or []}
            space = str(item.get("Namespace", ""))
            owner = catalogue.owner_of(space, sizes, place, report.incident.account)
            since = item.get("StateTransitionedTimestamp") or item.get("StateUpdatedTimestamp")
            if item.get("AlarmArn") == own or owner not in watched or not isinstance(since, datetime):
                continue
            yield Beside(
                name=str(item["AlarmName"]),
                since=since.astimezone(UTC),
                before=onset is not None and since < onset.earliest - _SETTLING,
                stays_red=space in _KEEPS or item.get("TreatMissingData") == "ignore",
            )


def _radius(report: Report) -> frozenset[str]:
    """What the fault reached, and what caused it."""
    causes = [one.resource for one in (report.root_cause, *report.also) if one is not None]
    return frozenset((report.incident.resource, *report.topology.touched, *causes))


def _context(kept: Kept, profile: str, role_arn: str) -> Context:
    stored = kept.context
    if stored.source.startswith("recording:"):
        raise CannotInvestigate(
            say(
                "Report {id} was made from a recording, so there is no account to look at again. "
                "Check a report of: opsleuth investigate --profile PROFILE",
                id=kept.short,
            )
        )
    if stored.source.startswith("world:"):
        from evals import register

        register()
    changed = {
        "profile": profile or stored.profile,
        "role_arn": role_arn or stored.role_arn,
        "region": kept.report.incident.region,
        "as_of": None,
        "record_to": "",
        "data_dir": "",
    }
    return stored.model_copy(update=changed)


@contextmanager
def _reader(context: Context, report: Report) -> Iterator[Reader]:
    run = f"check-{uuid.uuid4().hex}"
    aws = session(run, context).aws
    try:
        reader = Reader(aws=aws, letter="C")
        account = aws.identify(reader)
        if account != report.incident.account:
            raise CannotInvestigate(
                say(
                    "These credentials are for account {here}; the report is about {there}. "
                    "Name the right one with --profile.",
                    here=account,
                    there=report.incident.account,
                )
            )
        yield reader
    finally:
        close(run)


def _describe(reader: Reader, arn: str) -> Resource | None:
    service = catalogue.service_of(arn)
    if service is None:
        return None
    with reader.seeing(say("{name} as it is now", name=arn), say("its settings and state")):
        return service.describe(reader, arn)
    return None  # type: ignore[unreachable]  # `seeing` swallows refusals


def _setting(reader: Reader, cause: RootCause) -> Setting | None:
    specs = [
        spec
        for _, spec in catalogue.settings_of(catalogue.type_of(cause.resource))
        if spec.path == cause.field
    ]
    if not cause.field or not specs:
        return None
    spec, known = specs[0], len(reader.gaps)
    resource = _describe(reader, cause.resource)
    seen = resource is not None and len(reader.gaps) == known
    name = resource.name if resource else cause.resource
    return Setting(
        name=say("{setting} of {resource}", setting=cause.field_name or spec.name, resource=name),
        live=catalogue.shown(spec, resource) if resource is not None else None,
        seen=seen and not spec.hidden,
        bad=cause.bad_value,
        prior=cause.prior_value,
        prior_known=cause.prior_known,
        unset=spec.unset,
        later=_later(reader, cause, resource, tuple(spec.requests)) if resource is not None else (),
    )


def _later(
    reader: Reader, cause: RootCause, resource: Resource, operations: Iterable[str]
) -> tuple[Later, ...]:
    """Changes of this very setting after the bad one. Without CloudTrail none; the live value tells."""
    begun = cause.event.time if cause.event else cause.latest or cause.earliest
    if begun is None:
        return ()
    found = _events(reader, cause, resource, operations, Window(start=begun, end=reader.as_of))
    own = cause.event.id if cause.event else ""
    later = [
        event
        for event in sorted(found, key=lambda event: (event.time, event.id))
        if event.id != own and event.time >= begun and not event.error_code and not event.read_only
    ]
    made = []
    for event in later:
        for _, spec in catalogue.settings_in(event, cause.resource):
            if spec.path == cause.field:
                value = catalogue.requested(spec, event)
                made.append(
                    Later(
                        id=event.id,
                        time=event.time,
                        operation=event.operation,
                        by=_by(event.actor),
                        value=value,
                    )
                )
    return tuple(made)


def _events(
    reader: Reader, cause: RootCause, resource: Resource, operations: Iterable[str], window: Window
) -> list[ChangeEvent]:
    region = cause.event.region if cause.event else resource.region
    names: list[tuple[Attribute, str]] = [("ResourceName", resource.name), ("ResourceName", resource.arn)]
    for operation in operations:
        names += [("EventName", name) for name in event_names(operation)]
    found: dict[str, ChangeEvent] = {}
    known = len(reader.gaps)
    for attribute in names:
        answer = lookup(reader, attribute=attribute, window=window, region=region, pages=2)
        found |= {event.id: event for event in answer.events if touched_by(event, resource)}
        if len(reader.gaps) > known:
            del reader.gaps[known:]  # who it was is a help, not a condition of the answer
            break
    return list(found.values())


def _by(actor: Actor) -> str:
    details: list[str] = [actor.how] if actor.how != "unknown" else []
    details += [actor.source_ip] if actor.source_ip else []
    return f"{actor.name} ({', '.join(details)})" if details else actor.name


def _symptom(reader: Reader, report: Report, alarm: Resource | None) -> Symptom | None:
    metric = report.incident.metric
    if metric is None:
        return None
    end = floor(reader.as_of - _SETTLING, metric.period)
    window = Window(start=end - timedelta(seconds=metric.period * _PERIODS), end=end)
    found = series(reader, [metric], window, report.incident.region).get(metric)
    if found is not None and _zero_means_silence(report, metric):
        found = fill_zero(replace(found, window=window))
    onset, watched = report.incident.onset, alarm is not None and _watches(alarm, metric)
    return Symptom(
        name=metric.name,
        period=metric.period,
        points=_since(found.points, window.start) if found is not None else (),
        known=found is not None,
        bad=report.incident.bad,
        normal=onset.normal if onset else None,
        incident=onset.now if onset else None,
        limit=_float(alarm.config.get("Threshold")) if alarm is not None and watched else None,
        comparison=str(alarm.config.get("ComparisonOperator", "")) if alarm is not None and watched else "",
    )


def _traffic(reader: Reader, report: Report) -> Traffic | None:
    """What the bad setting caps or, for other causes, what is asked of the incident's resource."""
    metric, onset, name = report.incident.metric, report.incident.onset, _asked(report)
    if metric is None or onset is None or not name:
        return None
    wanted = replace(metric, name=name, stat="Sum")
    step, end = timedelta(seconds=metric.period), floor(reader.as_of - _SETTLING, metric.period)
    begun = floor(onset.earliest, metric.period)
    usual = Window(start=begun - step * _PERIODS, end=begun)
    late = Window(start=end - step * QUIET, end=end)
    if late.start < usual.end:
        return None
    sums = []
    for window in (usual, late):
        found = series(reader, [wanted], window, report.incident.region).get(wanted)
        if found is None or found.metric.period != metric.period:
            return None
        points = fill_zero(replace(found, window=window)).points
        sums.append(tuple(value for moment, value in points if window.start <= moment < window.end))
    before, recent = sums
    return Traffic(name=name, before=statistics.median(before) if before else 0.0, recent=recent)


def _asked(report: Report) -> str:
    metric, cause = report.incident.metric, report.root_cause
    if metric is None:
        return ""
    for service in catalogue.services().values():
        if service.namespace != metric.namespace:
            continue
        if cause is not None and cause.field:
            for spec in service.settings:
                if (
                    spec.path == cause.field
                    and spec.type == catalogue.type_of(cause.resource)
                    and spec.limits
                ):
                    return spec.limits
        kinds = {spec.type for spec in service.metrics if spec.name == metric.name}
        for asked in service.metrics:
            if asked.role == "demand" and asked.type in kinds and asked.stat == "Sum":
                return asked.name
    return ""


def _since(points: tuple[tuple[datetime, float], ...], start: datetime) -> tuple[tuple[datetime, float], ...]:
    return tuple(point for point in points if point[0] >= start)


def _zero_means_silence(report: Report, metric: Metric) -> bool:
    for service in catalogue.services().values():
        for spec in service.metrics:
            if service.namespace == metric.namespace and spec.name == metric.name:
                return spec.missing == "zero"
    return report.incident.role in ("errors", "throttles")


def _watches(alarm: Resource, metric: Metric) -> bool:
    config = alarm.config
    stat = config.get("Statistic") or config.get("ExtendedStatistic")
    same_metric = (config.get("Namespace"), config.get("MetricName"), stat) == (
        metric.namespace,
        metric.name,
        metric.stat,
    )
    return same_metric and config.get("Period") == metric.period


def _float(value: object) -> float | None:
    return float(value) if isinstance(value, int | float) else None
