"""The truth of a world, to compare claims with. It reads the world's own rows and never goes through the wire.

Values do not depend on what had been delivered, published or ingested at some moment.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from functools import cached_property
from statistics import median
from typing import Any

import jmespath  # type: ignore[import-untyped]

from evals.world import facts
from evals.world.deeds_states import revision
from evals.world.insights import Query
from evals.world.insights_run import Search
from evals.world.kinds import kinds
from evals.world.kinds.dynamodb import KEY_REASON, MAX_REASON
from evals.world.lines import LogGroup
from evals.world.telemetry import Dimensions, Source, statistic
from evals.world.trail import Record
from evals.world.world import Thing, World
from tools.evidence import canonical
from tools.models import Json, Value

_LEAD = timedelta(minutes=15)  # a backlog may have grown for so long before anything was late
_WILD = re.compile(r"<[^<>\s]*>")
_ALARM_FIELDS = {
    "threshold": "Threshold",
    "evaluationperiods": "EvaluationPeriods",
    "datapointstoalarm": "DatapointsToAlarm",
    "comparison": "ComparisonOperator",
    "comparisonoperator": "ComparisonOperator",
    "treatmissing": "TreatMissingData",
    "treatmissingdata": "TreatMissingData",
}
_SAME = {"BillingModeSummary.BillingMode": "BillingMode"}
"""Paths of AWS's answers whose setting a world keeps under a shorter name."""

_GROUPS = "VpcSecurityGroups[].VpcSecurityGroupId"  # a list, which a report tells as JSON


class Ledger:
    """What is true of one world. Unknown things are None, never a guess."""

    def __init__(self, world: World) -> None:
        self._world = world

    # -- metrics ----------------------------------------------------------------------------------

    def metric(
        self, arn: str, name: str, how: str, start: datetime, end: datetime, dimensions: Dimensions = ()
    ) -> float | None:
        """An aggregate over [start, end) of the datapoints of "Namespace/Name/Stat" of a resource.

        Datapoints are those of the metric's own period (60 seconds; 300 for maxima). `how` is sum, rate (per
        second), max, min, mean, median, last or count (of datapoints). None when there is no such metric.
        """
        namespace, _, rest = name.rpartition("/")[0].rpartition("/")
        stat = name.rpartition("/")[2]
        sources = [
            source
            for source in self._world.telemetry.sources.values()
            if (source.namespace, source.name) == (namespace, rest)
            and source.owner == arn
            and (not dimensions or source.dimensions == tuple(sorted(dimensions)))
        ]
        sources.sort(key=lambda one: len(one.dimensions))  # the whole API before one stage of it
        if not sources or (len(sources) > 1 and len(sources[0].dimensions) == len(sources[1].dimensions)):
            return None
        return aggregate([value for _, value in self._points(sources[0], stat, start, end)], how, start, end)

    def began(self, arn: str, name: str, dimensions: Dimensions = ()) -> datetime | None:
        """The first minute of the stretch around the first trouble, or after it, in which a metric is above or below
        all of an hour before; None: never.

        What counts dead letters, or waits, begins later than the trouble that it follows; a backlog grows before
        anything is late; what falls silent within a minute shows it in the next one. What never moved in that hour
        begins when it moves, also minutes before the trouble.
        """
        trouble = self.onset
        if trouble is None:
            return None
        first = trouble.replace(second=0, microsecond=0)
        calm = first - _LEAD
        high, low = (
            self.metric(arn, name, how, calm - timedelta(hours=1), calm, dimensions) for how in ("max", "min")
        )
        if high is None or low is None:
            return None

        def beyond(start: datetime) -> bool | None:
            value = self.metric(arn, name, "max", start, start + timedelta(minutes=1), dimensions)
            return None if value is None else value > high or value < low

        if high == low:
            first = calm
        for minute in range(180):
            start = first + timedelta(minutes=minute)
            if (odd := beyond(start)) is None:
                return None
            if odd:
                while not minute and start > calm and beyond(start - timedelta(minutes=1)):
                    start -= timedelta(minutes=1)
                return start
        return None

    @staticmethod
    def _points(source: Source, stat: str, start: datetime, end: datetime) -> list[tuple[int, float]]:
        first = -(-int(start.timestamp()) // 60)
        last = -(-int(end.timestamp()) // 60)
        found = []
        for minute in range(first, last):
            sample = source.emit(minute) if minute % source.every == 0 else None
            value = statistic([sample], stat) if sample is not None else None
            if value is not None:
                found.append((minute * 60, value))
        return found

    # -- events -----------------------------------------------------------------------------------

    def event(self, event_id: str) -> Json | None:
        """What is true of an event: who, how, from where, what it changed; a time is an ISO 8601 text."""
        made = self._world.trail.by_id.get(event_id)
        if made is None:
            return None
        known = facts.event_facts(made)
        return {name.replace(".", "_"): _plain(value) for name, value in known.items()} | {
            "actor": known["actor.name"],
            "source": made.body["eventSource"],
        }

    def event_values(self, event_id: str) -> tuple[Any, ...]:
        """All single values in what an event replaced and in what it put there."""
        made = self._world.trail.by_id.get(event_id)
        return tuple(_single(made.before, made.after)) if made is not None else ()

    def request(self, event_id: str) -> Json:
        """What an event asked for, as CloudTrail tells it."""
        made = self._world.trail.by_id.get(event_id)
        told = made.body.get("requestParameters") if made is not None else None
        return dict(told) if isinstance(told, dict) else {}

    def changes(self, arn: str, start: datetime, end: datetime) -> tuple[str, ...]:
        """Ids of events in [start, end) that changed a resource (refused attempts changed nothing), oldest first."""
        found = [
            made
            for made in self._world.trail.records
            if arn in self._touched(made) and start <= made.time < end and not made.read_only
        ]
        return tuple(one.id for one in sorted(found, key=lambda one: (one.time, one.id)) if not _failed(one))

    @staticmethod
    def _touched(made: Record) -> tuple[str, ...]:
        return (made.arn,) if made.arn else tuple(arn for _, arn in made.resources)

    # -- settings ---------------------------------------------------------------------------------

    def setting(self, arn: str, path: str, at: datetime) -> Value:
        """The value of a setting at a moment; None when it is not set or not known."""
        thing = self._world.things.get(arn)
        if thing is None:
            return None
        path = path.replace('"', "")  # a quoted part of a JMESPath
        if path == _GROUPS and "security_groups" in thing.fixed:
            ids = sorted(self._world.things[one].fixed["id"] for one in thing.fixed["security_groups"])
            return json.dumps(ids)
        value: Any = thing.at(_SAME.get(path, path.replace("Environment.Variables.", "Environment.")), at)
        plain: Value = value
        if value is not None and not isinstance(value, dict | list):
            return plain
        shown = self._shown(thing, path, at)
        return plain if shown is None else shown

    def _shown(self, thing: Thing, path: str, at: datetime) -> Value:
        """A value of the configuration as AWS shows it; lists and maps as JSON."""
        shown = self.config(thing.arn, at)
        found: Any = jmespath.search(path, shown) if shown else None
        return canonical(found) if isinstance(found, dict | list) else found

    def config(self, arn: str, at: datetime) -> Json | None:
        """The whole configuration of a resource at a moment, where its kind says how AWS shows it."""
        thing = self._world.things.get(arn)
        kind = kinds().get(thing.kind) if thing is not None else None
        if thing is None or kind is None or kind.shown is None:
            return None
        return kind.shown(self._world, thing, at)

    def settings_history(self, arn: str, path: str) -> tuple[tuple[datetime, Value], ...]:
        """(since, value) of a setting, oldest first."""
        thing = self._world.things.get(arn)
        steps = thing.settings.steps.get(path) if thing else None
        return tuple(steps.pairs()) if steps else ()

    # -- alarms -----------------------------------------------------------------------------------

    def alarm(self, arn: str, field: str, at: datetime) -> Value:
        """A field of an alarm at a moment: threshold, state, evaluation_periods, comparison, period, ..."""
        thing = self._world.things.get(arn)
        alarm = self._world.alarms.get(thing.name) if thing and thing.kind == "alarm" else None
        if alarm is None:
            return None
        plain = field.replace("_", "").lower()
        if plain in _ALARM_FIELDS:
            held = alarm.settings.at(_ALARM_FIELDS[plain], at)
            return float(held) if plain == "threshold" and held is not None else held
        own: dict[str, Any] = {
            "state": alarm.state(at).value,
            "statereason": alarm.state(at).reason,
            "period": alarm.period,
            "namespace": alarm.namespace,
            "metricname": alarm.metric,
            "stat": alarm.stat,
            "name": alarm.name,
        }
        return own.get(plain)

    def transitions(self, arn: str) -> tuple[tuple[datetime, str], ...]:
        """(when, state entered) of an alarm, oldest first, up to two hours after the investigation began."""
        thing = self._world.things.get(arn)
        if thing is None or thing.kind != "alarm":
            return ()
        states = self._world.alarms[thing.name].states(self._world.start + timedelta(hours=2))
        return tuple((state.time, state.value) for state in states)

    # -- logs -------------------------------------------------------------------------------------

    def log_lines(self, group: str, what: str, start: datetime, end: datetime) -> int | None:
        """Lines in [start, end) that hold `what`: an error code, a reason, or a template with <...> for any text."""
        found = self._world.log_groups.get(group)
        if found is None:
            return None
        return Search(found, _query(what), _ms(start), _ms(end), self._world.account).total()

    def log_group(self, name: str) -> LogGroup | None:
        return self._world.log_groups.get(name)

    # -- the whole --------------------------------------------------------------------------------

    def relations(self) -> frozenset[tuple[str, str, str]]:
        """(source ARN, kind, target ARN) of all that is true."""
        return frozenset(self._world.relations)

    def names(self) -> frozenset[str]:
        """Names, ARNs, ids and addresses that exist in the world."""
        return self._names

    @cached_property
    def _names(self) -> frozenset[str]:
        world = self._world
        found = {world.account, world.region, world.global_region, *world.log_groups, MAX_REASON, KEY_REASON}
        found |= {name for where in world.places for name in where} | {
            one.account for one in world.neighbours.values()
        }
        for thing in world.things.values():
            found |= {
                thing.arn,
                thing.name,
                str(thing.fixed.get("id", "")),
                *thing.tags(world.start).values(),
            }
        for machine in world.of("state-machine"):
            steps = machine.settings.steps.get("definition")
            found |= {revision(world, machine, since) for since in (steps.since if steps else ())}
        for made in world.trail.records:
            who = made.actor
            found |= {made.id, who.name, who.ip, who.username, who.key, who.role, str(made.body["eventName"])}
        for source in world.telemetry.sources.values():
            found |= {source.namespace, source.name}
        return frozenset(name for name in found if name)

    def demand(self, arn: str, at: datetime) -> float | None:
        """Requests per second that want to reach a resource, without noise; None when it serves no traffic."""
        flow = next((flow for flow in self._world.flows.values() if arn in flow.arns), None)
        return flow.demand.expected(at.timestamp()) if flow else None

    @property
    def onset(self) -> datetime | None:
        """The second of the first refused attempt."""
        return facts.onset(self._world.flows["case"], self._world.start + timedelta(hours=2))

    @property
    def end(self) -> datetime | None:
        """The last second with a refusal before the investigation began, when it is over."""
        return self._world.facts.get("ended")

    def resolve(self, name: str) -> Any:
        """A fact by its dotted name. Raises KeyError."""
        return self._world.facts[name]


def aggregate(values: list[float], how: str, start: datetime, end: datetime) -> float | None:
    """Values of one interval as one number; no values count as 0. None for an unknown `how`."""
    if how == "count":
        return float(len(values))
    if how == "rate":
        return sum(values) / (end - start).total_seconds()
    if how not in ("sum", "max", "min", "mean", "median", "last"):
        return None
    if not values:
        return 0.0
    if how == "mean":
        return sum(values) / len(values)
    ways: dict[str, Callable[[list[float]], float]] = {"sum": sum, "max": max, "min": min, "median": median}
    return ways[how](values) if how in ways else values[-1]


def _single(*values: Any) -> Iterator[Any]:
    for value in values:
        if isinstance(value, dict):
            yield from _single(*value.values())
        elif isinstance(value, list | tuple):
            yield from _single(*value)
        else:
            yield value


def _failed(made: Record) -> bool:
    return bool(made.body.get("errorCode"))


def _plain(value: Any) -> Any:
    return value.astimezone(UTC).isoformat() if isinstance(value, datetime) else value


def _ms(moment: datetime) -> int:
    return int(moment.timestamp() * 1000)


def _query(what: str) -> Query:
    pattern = re.compile(".*?".join(re.escape(part) for part in _WILD.split(what)), re.DOTALL)
    return Query(filters=[lambda row: pattern.search(row["@message"]) is not None], literals=[what])
