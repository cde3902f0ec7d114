"""Trigger -> incident: which symptom, where, since when, and is it still so."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Literal

from langgraph.runtime import Runtime
from langgraph.types import interrupt

from graph.context import Context
from graph.desk import Desk, desk
from graph.matching import Candidate, Found, candidates, several, unmatched
from graph.models import Incident, Trigger
from graph.moments import moment_in
from graph.nodes.metrics import metric_of
from graph.state import Scope, State
from graph.words import say, stamp, zone
from tools import arn as arns
from tools.alarms import Stale, in_region, stale
from tools.alarms import alarm as read_alarm
from tools.catalogue import service_of
from tools.errors import BadInput, CannotInvestigate
from tools.metrics import series
from tools.models import Alarm, Metric, Onset, Resource, Series, Window
from tools.onset import onset
from tools.services._spec import MetricSpec, Missing, Service
from tools.topology import owner

Bad = Literal["up", "down", ""]
_HURTS = ("errors", "throttles", "backlog", "saturation", "latency")
RECENT_POINTS = 120
BEFORE = timedelta(hours=3)
SYMPTOM_HOURS = 72
"""How far back the symptom's metric is read: some days, so that a daily rhythm is seen."""


def intake(state: State, *, runtime: Runtime[Context]) -> Scope:
    """Resolve the trigger to a resource and a metric, and find when the symptom began."""
    with desk(state, runtime, "intake") as work:
        account = work.aws.identify(work.reader)
        trigger = _resolve(work, Trigger.model_validate(state["trigger"]))
        _check_account(trigger, account)
        begin = _from_alarm if trigger.alarm else _from_resource
        incident = begin(work, trigger, account)
        _tell(work, incident)
        return Scope(
            incident=incident.model_dump(mode="json"), started=work.aws.as_of.isoformat(), **work.findings()
        )


def _resolve(work: Desk, trigger: Trigger) -> Trigger:
    """Words become an alarm or a resource; asks when several fit and somebody is there to answer."""
    given = [value for value in (trigger.alarm, trigger.resource, trigger.text) if value]
    if not given:
        raise BadInput(
            "Say what to investigate: an alarm (--alarm), a resource ARN (--resource) or words (--text)."
        )
    if trigger.alarm or trigger.resource:
        return trigger
    found = candidates(work.reader, trigger.text)
    if not found.fits:
        raise CannotInvestigate(unmatched(found, trigger.text, work.aws.region))
    chosen = found.fits[0] if len(found.fits) == 1 else _asked(work, found)
    if chosen.kind == "alarm":
        return Trigger(alarm=chosen.target, text=trigger.text)
    return Trigger(resource=chosen.target, text=trigger.text)


def _check_account(trigger: Trigger, account: str) -> None:
    """Raise CannotInvestigate when an ARN is of another account: by its name alone something else would be found."""
    for arn in (trigger.alarm, trigger.resource):
        other = arns.parse(arn).account if arn.startswith("arn:") else ""
        if other.isdigit() and account and other != account:
            raise CannotInvestigate(
                say(
                    "{arn} belongs to account {other}, but these credentials are for account {account}. Name a "
                    "profile or a role of {other}: --profile NAME or --role-arn ARN.",
                    arn=arn, other=other, account=account,
                )
            )  # fmt: skip


def _asked(work: Desk, found: Found) -> Candidate:
    """The one that somebody chooses, by name; raises CannotInvestigate with the choices when nobody can be asked."""
    if not work.context.interactive:
        raise CannotInvestigate(several(found))
    names = [item.name for item in found.fits]
    while True:
        answer = interrupt({"question": say("Which one do you mean?"), "choices": names})
        for item in found.fits:
            if str(answer).strip() in (item.name, item.target):
                return item


def _told_moment(work: Desk, trigger: Trigger) -> datetime | None:
    """The moment that the words name, if the symptom's metric is read that far back."""
    moment = moment_in(trigger.text, work.aws.as_of, zone(work.context.tz))
    oldest = work.aws.as_of - timedelta(hours=SYMPTOM_HOURS)
    return moment if moment is not None and moment >= oldest else None


def _from_alarm(work: Desk, trigger: Trigger, account: str) -> Incident:
    name = arns.parse(trigger.alarm).name if trigger.alarm.startswith("arn:") else trigger.alarm
    found = read_alarm(work.reader, name)
    if found is None:
        raise CannotInvestigate(_unknown_alarm(work, name))
    resource = owner(work.reader, found.metric) or found.arn
    shown = _symptom_series(work, found.metric)
    bad: Bad = "down" if found.comparison.startswith("LessThan") else "up"
    spec = _spec(found.metric, resource)
    quiet = stale(found, shown, work.aws.as_of) if shown else None
    return Incident(
        account=account,
        region=found.region,
        alarm=found,
        resource=resource,
        metric=found.metric,
        role=spec.role if spec else "",
        bad=bad,
        onset=_begin(shown, bad, spec.missing if spec else "unknown", found, _told_moment(work, trigger)),
        quiet_since=quiet.quiet_since if quiet else None,
        stays_red=_why_red(quiet),
        recent=_recent(shown),
        text=trigger.text,
    )


def _why_red(quiet: Stale | None) -> str:
    if quiet is None:
        return ""
    words = {
        "ignores_missing": say("The alarm stays red because it keeps its state while data is missing."),
        "dynamodb_ignores_missing": say(
            "Alarms on DynamoDB metrics keep their state while data is missing, and no refusals means no data."
        ),
    }
    return words.get(quiet.why, say("The alarm has not been evaluated to OK yet."))


def _unknown_alarm(work: Desk, name: str) -> str:
    elsewhere = in_region(work.reader, name, [one for one in work.aws.regions() if one != work.aws.region])
    if elsewhere:
        return say(
            'There is no alarm "{name}" in {region}; it is in {there}. Repeat with --region {first}.',
            name=name, region=work.aws.region, there=", ".join(elsewhere), first=elsewhere[0],
        )  # fmt: skip
    return say(
        'There is no alarm "{name}" in {region}, nor in any other region of account {account}. '
        "Check the name and the profile.",
        name=name, region=work.aws.region, account=work.aws.account,
    )  # fmt: skip


def _symptom_series(work: Desk, metric: Metric) -> Series | None:
    window = Window(start=work.aws.as_of - timedelta(hours=SYMPTOM_HOURS), end=work.aws.as_of)
    return series(work.reader, [metric], window).get(metric)


def _spec(metric: Metric, resource: str) -> MetricSpec | None:
    """What the service file says of this metric."""
    service = service_of(resource)
    if service is None:
        return None
    fits = (
        one
        for one in service.metrics
        if one.name == metric.name and service.namespace_of(one) == metric.namespace
    )
    return next(fits, None)


def _begin(
    shown: Series | None, bad: Bad, missing: Missing, alarm: Alarm | None, near: datetime | None = None
) -> Onset | None:
    """The onset around the alarm's last turn to red or the moment `near`, the earlier one, or in the last day."""
    if shown is None:
        return None
    red = next((item.time for item in alarm.transitions if item.new == "ALARM"), None) if alarm else None
    near = min((moment for moment in (red, near) if moment is not None), default=None)
    last_day = shown.window.end - timedelta(hours=24)
    start = max(shown.window.start, near - BEFORE if near is not None else last_day)
    window = Window(start=start, end=shown.window.end)
    return onset(shown, window, bad=bad, missing=missing, hint=alarm.threshold if alarm else None)


def _recent(shown: Series | None) -> Series | None:
    return replace(shown, points=shown.points[-RECENT_POINTS:], evidence=()) if shown else None


def _from_resource(work: Desk, trigger: Trigger, account: str) -> Incident:
    """The metric of the resource that went wrong most clearly and first, of those that hurt users."""
    arn = arns.parse(trigger.resource)
    service = service_of(trigger.resource)
    if service is None:
        raise CannotInvestigate(
            say(
                "opsleuth does not know {service} yet. Name the alarm that fired (--alarm) instead.",
                service=arn.service,
            )
        )
    found = service.describe(work.reader, trigger.resource)
    if found is None:
        raise CannotInvestigate(
            say(
                "{arn} does not exist in {region}. Check the ARN and the region.",
                arn=trigger.resource,
                region=arn.region,
            )
        )
    metric, spec, began = _worst(work, found, service, _told_moment(work, trigger))
    return Incident(
        account=account,
        region=arn.region or work.aws.region,
        resource=found.arn,
        metric=metric,
        role=spec.role if spec else "",
        bad=spec.bad if spec else "up",
        onset=began,
        text=trigger.text,
    )


def _worst(
    work: Desk, resource: Resource, service: Service, near: datetime | None
) -> tuple[Metric | None, MetricSpec | None, Onset | None]:
    specs = [one for one in service.metrics if one.type == resource.type and one.bad and one.role in _HURTS]
    wanted = {metric_of(resource, one): one for one in specs}
    window = Window(start=work.aws.as_of - timedelta(hours=SYMPTOM_HOURS), end=work.aws.as_of)
    read = series(work.reader, list(wanted), window)
    begun = []
    for metric, spec in wanted.items():
        began = _begin(read.get(metric), spec.bad, spec.missing, None, near)
        if began is not None and began.shape != "none":
            begun.append((_HURTS.index(spec.role), began.earliest, metric.name, metric, spec, began))
    if not begun:
        return None, None, None
    *_, metric, spec, began = min(begun, key=lambda item: item[:3])
    return metric, spec, began


def _tell(work: Desk, incident: Incident) -> None:
    alarm = incident.alarm
    if alarm is not None:
        work.tell(
            "observation", "Alarm {name} is {state} since {since}.",
            name=alarm.name, state=alarm.state, since=stamp(alarm.state_since), time=alarm.state_since,
            evidence=alarm.evidence,
        )  # fmt: skip
    if incident.quiet_since is not None:
        work.tell("recovered", "Its metric has been normal since {since}.", since=stamp(incident.quiet_since))
    elif incident.onset is not None:
        work.tell(
            "observation", "The symptom began between {a} and {b}.",
            a=stamp(incident.onset.earliest), b=stamp(incident.onset.latest), time=incident.onset.earliest,
        )  # fmt: skip
