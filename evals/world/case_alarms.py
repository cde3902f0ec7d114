"""The alarms of a case, and how its events move them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from evals.world import estate
from evals.world.casefile import AlarmSpec
from evals.world.draft import RECENT, Draft
from evals.world.kinds import kinds
from evals.world.world import Thing
from tools.errors import BadInput


def set_alarms(draft: Draft) -> None:
    """Make the alarms, and move them where an event edits one."""
    for key, spec in draft.case.alarms.items():
        with draft.wrong.each(f"alarms.{key}"):
            draft.things[key] = _alarm(draft, key, spec)
    draft.wrong.stop()
    for event in draft.events:
        thing = draft.things.get(event.set)
        if thing is not None and thing.kind == "alarm" and not event.denied:
            moment = draft.when(event.at)
            wanted = draft.values.resolve(event.to)
            thing.settings.set(
                event.path, moment, str(wanted) if event.path == "TreatMissingData" else float(wanted)
            )
            draft.world.alarms[thing.name].updates.append((moment, "Update"))


def _begin(draft: Draft) -> datetime:
    """From when on alarms are evaluated: shortly before the first thing that happens."""
    starts = [draft.moment - timedelta(minutes=90)]
    starts += [
        draft.when(event.at)
        for event in draft.events
        if event.path and not event.at.startswith("onset") and draft.when(event.at) > draft.moment - RECENT
    ]
    disturbed = draft.world.flows["case"].disturbed_from
    if disturbed is not None:
        starts.append(datetime.fromtimestamp(disturbed * 60, UTC))
    return min(starts) - timedelta(minutes=30)


def _alarm(draft: Draft, key: str, spec: AlarmSpec) -> Thing:
    watched = draft.shop.find(draft.text(spec.on), f"alarms.{key}.on")
    own: dict[str, Any] = {"name": watched.name, "id": watched.fixed.get("id", ""), "stage": ""}
    kind = kinds().get(watched.kind)
    if kind is not None and kind.dimensions is not None:
        own |= kind.dimensions(watched)
    given: dict[str, str] = draft.values.resolve(spec.dimensions, own)
    filled = {name: value.format_map(own) if "{" in value else value for name, value in given.items()}
    namespace, metric = draft.text(spec.namespace), draft.text(spec.metric)
    alarm = estate.make_alarm(
        draft.world,
        name=draft.text(spec.name),
        namespace=namespace,
        metric=metric,
        dimensions=tuple(sorted(filled.items())),
        stat=draft.text(spec.stat),
        numbers={
            "Threshold": draft.number(spec.threshold),
            "EvaluationPeriods": int(draft.number(spec.periods)),
            "DatapointsToAlarm": int(draft.number(spec.datapoints)),
            "ComparisonOperator": spec.comparison,
            "TreatMissingData": spec.missing,
        },
        created=draft.when(f"-{int(draft.number(spec.age_days))}d"),
        begin=_begin(draft),
        watched=watched.arn,
        period=spec.period,
        initial=draft.text(spec.initial),
        description=draft.text(spec.description),
    )
    if alarm.source is None:
        raise BadInput(_no_metric(draft, key, namespace, metric, filled, watched))
    thing = draft.world.things[alarm.arn]
    for name, value in spec.tags.items():
        thing.settings.set(f"tags.{name}", thing.created, draft.text(value))
    return thing


def _no_metric(
    draft: Draft, key: str, namespace: str, metric: str, held: dict[str, str], watched: Thing
) -> str:
    emitted = sorted(
        f"{one.namespace}/{one.name} {dict(one.dimensions)}"
        for one in draft.world.telemetry.sources.values()
        if one.owner == watched.arn
    )
    return (
        f"alarms.{key} watches {namespace}/{metric} {held}, which nothing emits. "
        f"{watched.name} emits: {'; '.join(emitted) or 'nothing'}."
    )
