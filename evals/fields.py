"""What a report states outside its sentences, compared with the ledger: cause, person, plan, relations."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from evals.checking import Ledger, equal, event_field
from graph.models import Report, RootCause, Step
from tools.arn import parse
from tools.models import Actor, Alarm, Gap, Json, PriorSource, Statement, Value

if TYPE_CHECKING:
    from evals.world.world import World

Found = Iterator[tuple[str, str]]

_MOMENT = timedelta(seconds=1)
_ALARM_FIELDS = (
    "threshold",
    "state",
    "evaluation_periods",
    "datapoints_to_alarm",
    "comparison",
    "treat_missing",
)


def false_fields(report: Report, world: World) -> Found:
    """Place and problem of everything outside the sentences of `report` that the ledger contradicts."""
    ledger = world.ledger
    checks = (
        _place(report, world),
        _alarm(report.incident.alarm, report.as_of, ledger),
        _cause(report.root_cause, report, ledger),
        _also(report, ledger),
        _topology(report, world),
        _gaps(report.gaps, world),
        _plan(report, ledger),
        _artefacts(report),
    )
    for check in checks:
        yield from check


def _differs(where: str, told: Value, true: Value) -> Found:
    if not equal(told, true):
        yield where, f"says {told!r}, true is {true!r}"


def _place(report: Report, world: World) -> Found:
    yield from _differs("incident.account", report.incident.account, world.account)
    yield from _differs("incident.region", report.incident.region, world.asked_in)
    for shown in report.evidence:
        one = shown.evidence
        if one.account not in ("", *_open(world)):
            yield f"evidence.{one.id}", f"is of account {one.account}, which nobody may read"


def _open(world: World) -> tuple[str, ...]:
    """The accounts that a run may look into."""
    return (world.account, *(one.account for one in world.neighbours.values() if one.known))


def _alarm(alarm: Alarm | None, at: datetime, ledger: Ledger) -> Found:
    if alarm is None:
        return
    for field in _ALARM_FIELDS:
        yield from _differs(
            f"incident.alarm.{field}", getattr(alarm, field), ledger.alarm(alarm.arn, field, at)
        )
    true = set(ledger.transitions(alarm.arn))
    for one in alarm.transitions:
        if (one.time, one.new) not in true:
            yield "incident.alarm.transitions", f"{one.new} at {one.time}: the alarm did not change so"


def _cause(cause: RootCause | None, report: Report, ledger: Ledger) -> Found:
    if cause is None:
        return
    if cause.event is not None:
        yield from _event(cause, ledger)
    elif cause.actor is not None:
        yield "root_cause.actor", f"names {cause.actor.name} without an event"
    if cause.kind in ("change", "setting", "alarm_changed") and cause.field:
        yield from _values(cause, report.as_of, ledger)
    if cause.prior_known:
        yield from _sources(cause, ledger)


def _also(report: Report, ledger: Ledger) -> Found:
    for number, cause in enumerate(report.also):
        for where, problem in _cause(cause, report, ledger):
            yield where.replace("root_cause", f"also.{number}", 1), problem


def _causes(report: Report) -> tuple[RootCause, ...]:
    return tuple(one for one in (report.root_cause, *report.also) if one is not None)


def _event(cause: RootCause, ledger: Ledger) -> Found:
    assert cause.event is not None
    true = ledger.event(cause.event.id)
    if true is None:
        yield "root_cause.event", f"{cause.event.id} never happened"
        return
    if true.get("error_code"):
        yield "root_cause.event", f"{cause.event.id} was refused and changed nothing"
    for name in ("action", "time", "region"):
        told = getattr(cause.event, name)
        shown = told.isoformat() if isinstance(told, datetime) else told
        yield from _differs(f"root_cause.event.{name}", shown, event_field(true, name))
    if cause.actor is not None:
        yield from _person(cause.actor, true)


def _person(actor: Actor, true: Json) -> Found:
    told = {"actor": actor.name, "actor_kind": actor.kind, "how": actor.how, "source_ip": actor.source_ip}
    for name, value in {**told, "mfa": actor.mfa}.items():
        yield from _differs(f"root_cause.actor.{name}", value, event_field(true, name))


def _values(cause: RootCause, as_of: datetime, ledger: Ledger) -> Found:
    """The bad value holds when the change is over, and the prior one just before it."""
    after = cause.latest or (cause.event.time if cause.event else as_of)
    before = (cause.earliest or after) - _MOMENT
    look = _looker(cause, ledger)
    yield from _differs("root_cause.bad_value", cause.bad_value, look(after + _MOMENT))
    if cause.prior_known:
        yield from _differs("root_cause.prior_value", cause.prior_value, look(before))


def _looker(cause: RootCause, ledger: Ledger) -> Any:
    def look(at: datetime) -> Value:
        if cause.kind == "alarm_changed":
            return ledger.alarm(cause.resource, cause.field.lower(), at)
        return ledger.setting(cause.resource, cause.field, at)

    return look


def _sources(cause: RootCause, ledger: Ledger) -> Found:
    """Each source's value held at its time, or from just after it on when it was set then."""
    look = _looker(cause, ledger)
    for number, source in enumerate(cause.prior_sources):
        if not cause.field:
            yield from _replaced(cause, number, source, ledger)
            continue
        held = {repr(look(source.time + shift)) for shift in (-_MOMENT, timedelta(0), _MOMENT)}
        if not any(
            equal(source.value, look(source.time + shift)) for shift in (-_MOMENT, timedelta(0), _MOMENT)
        ):
            where = f"root_cause.prior_sources.{number}"
            yield (
                where,
                f"{source.kind} says {source.value!r} at {source.time}; true is {' or '.join(sorted(held))}",
            )


def _replaced(cause: RootCause, number: int, source: PriorSource, ledger: Ledger) -> Found:
    """A value without a setting is one of those that the event replaced."""
    true = ledger.event_values(cause.event.id) if cause.event is not None else ()
    if not any(equal(source.value, value) or str(source.value) == str(value) for value in true):
        yield f"root_cause.prior_sources.{number}", f"{source.value!r} is nothing that the event replaced"


def _topology(report: Report, world: World) -> Found:
    known = world.ledger.relations()
    for one in report.topology.relations:
        if (one.source, one.kind, one.target) not in known:
            yield "topology.relations", f"{one.source} {one.kind} {one.target}: there is no such relation"
    places = [resource.arn for resource in report.topology.resources]
    for arn in [*places, *report.topology.path, *report.topology.touched, *report.topology.at_risk]:
        own = (world.account, *(one.account for one in world.neighbours.values()))
        if parse(arn).account not in ("", *own):
            yield "topology.resources", f"{arn} is in an account that is not there"


def _gaps(gaps: Iterable[Gap], world: World) -> Found:
    denied = {entry.lower() for entry in world.switches.deny}
    denied |= {entry.lower() for one in world.neighbours.values() for entry in one.deny}
    for gap in gaps:
        if gap.statement is None:
            continue
        listed = gap.statement.get("Action", [])
        for action in [listed] if isinstance(listed, str) else listed:
            if action.lower() not in denied and f"{action.split(':')[0]}:*".lower() not in denied:
                yield "gaps", f"{action} is said to be missing, but the role has it"


def _plan(report: Report, ledger: Ledger) -> Found:
    """Every number that a plan would write is one that the resource had before or has now."""
    plan, causes = report.mitigation, _causes(report)
    if plan is None or not causes:
        return
    known = {str(value) for cause in causes for value in (cause.bad_value, cause.prior_value)}
    known |= {text for cause in causes for text in _now(cause, report, ledger)}
    names = " or ".join(cause.resource for cause in causes)
    for part, steps in (("apply", plan.apply), ("rollback", plan.rollback)):
        for number in _numbers(steps):
            if not any(_same_number(number, text) for text in known):
                yield f"mitigation.{part}", f"writes {number!r}, which is no value of {names}"


def _now(cause: RootCause, report: Report, ledger: Ledger) -> Iterator[str]:
    if not cause.field and cause.event is not None:  # a rule or a document, put back as a whole
        yield from (str(value) for value in ledger.event_values(cause.event.id))
        yield from (str(number) for number in walk(ledger.request(cause.event.id)))
    if cause.kind == "alarm_changed":
        fields = (*_ALARM_FIELDS, "period")
        yield from (str(ledger.alarm(cause.resource, field, report.as_of)) for field in fields)
        return
    moments = (report.as_of, (cause.earliest or report.as_of) - _MOMENT)
    whole = [ledger.config(cause.resource, at) for at in moments]
    if any(whole):  # sent whole, with all that it holds besides
        yield from (str(number) for one in whole for number in walk(one or {}))
        return
    prefix = cause.field.rpartition(".")[0]
    for resource in report.topology.resources:
        if resource.arn == cause.resource:
            for path in _paths(resource.config):
                if path.startswith(prefix):
                    yield from (str(ledger.setting(cause.resource, path, at)) for at in moments)


def _paths(config: Json, prefix: str = "") -> Iterator[str]:
    for key, value in config.items():
        if isinstance(value, dict):
            yield from _paths(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}"


def walk(value: Any) -> Iterator[int | float]:
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list | tuple):
        for item in value:
            yield from walk(item)
    elif isinstance(value, int | float) and not isinstance(value, bool):
        yield value


def _numbers(steps: Iterable[Step]) -> Iterator[int | float]:
    for step in steps:
        for call in step.calls:
            yield from walk(call.parameters)


def _same_number(number: int | float, text: str) -> bool:
    try:
        return float(text) == float(number)
    except ValueError:
        return False


def _artefacts(report: Report) -> Found:
    """A threshold offered in an artefact is a value that the report claims, or none at all (0 or 1)."""
    claimed = {one.value for statement in _said(report) for one in statement.claims}
    known = {
        str(value)
        for value in (
            *claimed,
            *(v for one in _causes(report) for v in (one.bad_value, one.prior_value)),
            0,
            1,
        )
    }
    for measure in report.prevention:
        for number in _thresholds(measure.artefact):
            if not any(_same_number(number, text) for text in known):
                yield f"prevention.{measure.artefact_name}", f"threshold {number!r} stands in no claim"


def _said(report: Report) -> tuple[Statement, ...]:
    causes = (one.statement for one in _causes(report))
    return (report.broken, report.why, *report.findings, *report.impact.statements, *causes)


def _thresholds(artefact: Any) -> Iterator[int | float]:
    if isinstance(artefact, dict):
        for key, value in artefact.items():
            if key == "Threshold" and isinstance(value, int | float):
                yield value
            else:
                yield from _thresholds(value)
    elif isinstance(artefact, list):
        for item in artefact:
            yield from _thresholds(item)
