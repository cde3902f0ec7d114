"""Turns a case and a seed into a world. No code from a case folder is executed: a case is data."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from evals.world import casefile, deeds, estate, facts, names, noise
from evals.world.casefile import AlarmSpec, CaseFile, EventSpec, PersonSpec
from evals.world.draws import Values
from evals.world.flow import Flow, HotKey
from evals.world.identities import Cast, Identity
from evals.world.parts import Parts
from evals.world.seed import Seed
from evals.world.traffic import Demand, Pulse
from evals.world.trail import Deed, Record, record
from evals.world.world import Thing, World
from tools.errors import BadInput

_OFFSET = re.compile(r"^(onset)?([+-]?)(\d+(?:\.\d+)?)([smhd])$")
_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
_CAP = "OnDemandThroughput.MaxWriteRequestUnits"
_RECENT = timedelta(days=14)


def load_case(case: str | Path, seed: int = 1) -> World:
    """The world of a case (a name in evals/incidents, a folder or a file) for a seed. Raises BadInput."""
    read = casefile.read(case)
    return Builder(read, casefile.find(case).parent.name, Seed(seed)).build()


@dataclass
class Builder:
    """Builds one world, step by step."""

    case: CaseFile
    name: str
    seed: Seed
    values: Values = field(init=False)
    world: World = field(init=False)
    moment: datetime = field(init=False)
    things: dict[str, Thing] = field(default_factory=dict)  # by id in the case
    people: dict[str, Identity] = field(default_factory=dict)
    happened: dict[str, Record] = field(default_factory=dict)

    def build(self) -> World:
        self.moment = names.moment(self.seed)
        words = names.words(self.seed)
        self.values = Values(self.seed, words, self.case.draws)
        cast = Cast(self.seed, words["account"], words["region"])
        self.world = World(
            case=self.name,
            seed=self.seed,
            account=words["account"],
            region=words["region"],
            start=self.moment,
            cast=cast,
            switches=self.case.switches,
        )
        self.people = {key: self._person(cast, spec) for key, spec in self.case.people.items()}
        self._resources()
        self._settings()
        flow = self._flow()
        self._system(flow)
        estate.build(self.world, self.moment)
        self._alarms()
        self._look(flow)
        self._events()
        noise.add(self.world, [thing.arn for thing in self.things.values()], list(self.people.values()))
        self.world.trail.settle()
        facts.note(self.world, self.case, self.things, self.happened, flow, self.values)
        return self.world

    def _number(self, value: Any) -> float:
        return float(self.values.resolve(value))

    def _person(self, cast: Cast, spec: PersonSpec) -> Identity:
        way, name = str(self.values.resolve(spec.way)), str(self.values.resolve(spec.name))
        address, role = str(self.values.resolve(spec.address)), str(self.values.resolve(spec.role))
        if way == "user-console":
            return cast.user_console(name, address, spec.mfa)
        if way == "user-cli":
            return cast.user_cli(name, address, "dynamodb.update-table")
        if way in ("sso-console", "sso-cli"):
            return cast.sso(role or "PowerUserAccess", name, address, way == "sso-console")
        if way == "ci":
            return cast.ci(role, name)
        if way == "terraform":
            return cast.terraform(role, name)
        raise BadInput(f'A case names an unknown way to act: "{way}".')

    def _resources(self) -> None:
        parts = Parts(self.world)
        later = []
        for key, spec in self.case.resources.items():
            name = str(self.values.resolve(spec.name))
            created = self._when(f"-{int(self._number(spec.age_days))}d")
            tags = {k: str(self.values.resolve(v)) for k, v in spec.tags.items()}
            settings = {path: self.values.resolve(value) for path, value in spec.settings.items()}
            if spec.kind == "table":
                self.things[key] = parts.table(name, created, settings, tags)
            elif spec.kind == "function":
                self.things[key] = parts.function(name, created, settings, tags)
            else:
                later.append((key, spec, name, created, tags))
        for key, spec, name, created, tags in later:
            route = str(self.values.resolve(spec.route))
            self.things[key] = parts.api(spec.kind, name, created, route, self.things[spec.calls], tags)
        for key, spec in self.case.resources.items():
            if spec.kind == "function" and spec.calls:
                parts.uses_table(self.things[key], self.things[spec.calls])

    def _when(self, text: str, onset: datetime | None = None) -> datetime:
        """A moment of the case: "-39d", "0s", "onset+15s". Long offsets get a time of day of their own."""
        match = _OFFSET.match(str(self.values.resolve(text)))
        if match is None:
            raise BadInput(f'"{text}" is no moment of a case; it looks like -39d, 0s or onset+15s.')
        after_onset, sign, amount, unit = match.groups()
        base = (onset or self.moment) if after_onset else self.moment
        offset = timedelta(seconds=float(amount) * _UNITS[unit] * (-1 if sign == "-" else 1))
        if unit == "d":
            offset += timedelta(seconds=self.seed.integer(f"when:{text}", -9000, 9000))
        return (base + offset).replace(microsecond=0)

    def _settings(self) -> None:
        """Lay down what the events set, in time order, before anything is computed from it."""
        for event in self.case.events:
            if event.denied or event.set not in self.things or event.at.startswith("onset"):
                continue
            thing, moment = self.things[event.set], self._when(event.at)
            if event.path:
                thing.settings.set(event.path, moment, self.values.resolve(event.to))
            for key, value in event.tag.items():
                thing.settings.set(f"tags.{key}", moment, str(self.values.resolve(value)))

    def _path(self) -> list[Thing]:
        return [self.things[key] for key in self.case.resources]

    def _flow(self) -> Flow:
        traffic = self.case.traffic
        anchor = self.moment.timestamp()
        pulses = tuple(
            Pulse(
                start=anchor + 60 * self._number(pulse.start),
                end=anchor + 60 * (self._number(pulse.start) + self._number(pulse.minutes)),
                factor=self._number(pulse.factor),
                ramp=self._number(pulse.ramp_seconds),
            )
            for pulse in traffic.pulses
        )
        hot = None
        if traffic.hot_key is not None:
            spec = traffic.hot_key
            hot = HotKey(
                name=str(self.values.resolve(spec.name)),
                before=spec.before,
                share=self._number(spec.share),
                start=anchor + 60 * self._number(spec.start),
                end=anchor + 30 * 86_400,
                ramp=self._number(spec.ramp_seconds),
            )
        demand = Demand(
            rate=self._number(traffic.per_second), anchor=anchor, salt=self.seed.salt("flow"), pulses=pulses
        )
        flow = Flow(
            name="case",
            demand=demand,
            units=int(self._number(traffic.write_units)),
            read_units=traffic.read_units,
            attempts=int(self._number(traffic.attempts)),
            base_ms=int(self._number(traffic.duration_ms)),
            retry_ms=int(self._number(traffic.retry_ms)),
            caps=self._caps(),
            hot_key=hot,
        )
        starts = [pulse.start for pulse in pulses] + ([hot.start] if hot else [])
        recent = (self.moment - _RECENT).timestamp()
        starts += [since for since, _ in flow.caps if since > recent]
        if starts:
            flow.disturbed_from = int(min(starts)) // 60 - 1
        self.world.flows[flow.name] = flow
        return flow

    def _caps(self) -> tuple[tuple[float, int | None], ...]:
        table = next((thing for thing in self._path() if thing.kind == "table"), None)
        if table is None or _CAP not in table.settings.steps:
            return ()
        lag = int(table.fixed["lag"])
        return tuple(
            (since.timestamp() + lag, None if value is None or value < 0 else int(value))
            for since, value in table.settings.steps[_CAP].pairs()
        )

    def _system(self, flow: Flow) -> None:
        parts = Parts(self.world)
        table = next((thing for thing in self._path() if thing.kind == "table"), None)
        tenants = tuple(f"t-{self.seed.integer(f'tenant:{i}', 100, 999)}" for i in range(12))
        for thing in self._path():
            parts.emit(thing, flow)
            if thing.kind == "function":
                thing.settings.set("Environment.MAX_ATTEMPTS", thing.created, flow.attempts)
                parts.logs(thing, flow, table, "", tenants)

    def _begin(self) -> datetime:
        """From when on alarms are evaluated: shortly before the first thing that happens."""
        starts = [self.moment - timedelta(minutes=90)]
        starts += [
            self._when(event.at)
            for event in self.case.events
            if event.path
            and not event.at.startswith("onset")
            and self._when(event.at) > self.moment - _RECENT
        ]
        flow = self.world.flows["case"]
        if flow.disturbed_from is not None:
            starts.append(datetime.fromtimestamp(flow.disturbed_from * 60, UTC))
        return min(starts) - timedelta(minutes=30)

    def _alarms(self) -> None:
        for key, spec in self.case.alarms.items():
            self.things[key] = self._alarm(spec)
        for event in self.case.events:
            thing = self.things.get(event.set)
            if thing is not None and thing.kind == "alarm" and not event.denied:
                moment = self._when(event.at)
                thing.settings.set(event.path, moment, float(self.values.resolve(event.to)))
                self.world.alarms[thing.name].updates.append((moment, "Update"))

    def _alarm(self, spec: AlarmSpec) -> Thing:
        watched = self.things[str(self.values.resolve(spec.on))]
        own = {
            "name": watched.name,
            "id": watched.fixed.get("id", ""),
            "stage": watched.fixed.get("stage", ""),
        }
        given: dict[str, str] = self.values.resolve(spec.dimensions, own)
        filled = {name: value.format_map(own) if "{" in value else value for name, value in given.items()}
        dimensions = tuple(sorted(filled.items()))
        namespace, metric = str(self.values.resolve(spec.namespace)), str(self.values.resolve(spec.metric))
        alarm = estate.make_alarm(
            self.world,
            name=str(self.values.resolve(spec.name)),
            namespace=namespace,
            metric=metric,
            dimensions=dimensions,
            stat=str(self.values.resolve(spec.stat)),
            numbers={
                "Threshold": self._number(spec.threshold),
                "EvaluationPeriods": int(self._number(spec.periods)),
                "DatapointsToAlarm": int(self._number(spec.datapoints)),
                "ComparisonOperator": spec.comparison,
                "TreatMissingData": spec.missing,
            },
            created=self._when(f"-{int(self._number(spec.age_days))}d"),
            begin=self._begin(),
            watched=watched.arn,
            period=spec.period,
            initial=str(self.values.resolve(spec.initial)),
            description=str(self.values.resolve(spec.description)),
        )
        if alarm.source is None:
            raise BadInput(f"The alarm {alarm.name} watches {namespace}/{metric}, which nothing emits.")
        thing = self.world.things[alarm.arn]
        for key, value in spec.tags.items():
            thing.settings.set(f"tags.{key}", thing.created, str(self.values.resolve(value)))
        return thing

    def _look(self, flow: Flow) -> None:
        trigger = self.things[self.case.trigger]
        self.world.trigger = {"alarm": trigger.name}
        minutes = timedelta(minutes=self._number(self.case.look.minutes))
        base = self.moment
        if self.case.look.after == "onset":
            base = self._onset(flow)
        elif self.case.look.after == "alarm":
            states = self.world.alarms[trigger.name].states(self.moment + timedelta(hours=3))
            base = next((s.time for s in states if s.value == "ALARM" and s.time >= self.moment), self.moment)
        self.world.start = (base + minutes).replace(microsecond=0)

    def _onset(self, flow: Flow) -> datetime:
        found = facts.onset(flow, self.moment + timedelta(hours=2))
        if found is None:
            raise BadInput(f"In case {self.name} nothing is ever refused, so there is no onset.")
        return found

    def _events(self) -> None:
        for event in self.case.events:
            onset = self._onset(self.world.flows["case"]) if event.at.startswith("onset") else None
            moment = self._when(event.at, onset)
            if onset and event.tag:
                for key, value in event.tag.items():
                    self.things[event.set].settings.set(
                        f"tags.{key}", moment, str(self.values.resolve(value))
                    )
            self._record(event, moment)

    def _record(self, event: EventSpec, moment: datetime) -> None:
        who = self.people[event.who]
        thing = self.things[event.set or event.create]
        deed, before, after = self._deed(event, thing, moment, who)
        spec = (
            event.delivery_minutes
            if event.delivery_minutes is not None
            else self.world.switches.delivery_minutes
        )
        minutes = self.seed.between(f"delivery:{event.id}", 3, 6) if spec is None else self._number(spec)
        made = record(
            self.seed,
            f"case:{event.id}",
            moment,
            60 * minutes,
            self.world.region,
            self.world.account,
            who,
            deed,
        )
        made = facts.about(made, thing.arn, event.path or ("tags" if event.tag else ""), before, after)
        self.happened[event.id] = made
        self.world.trail.add(made)
        if who.from_console and who.kind == "iam_user" and moment > self.moment - timedelta(days=1):
            self.world.trail.add(noise.login(self.world, who, moment - timedelta(minutes=14), event.id))

    def _deed(self, event: EventSpec, thing: Thing, moment: datetime, who: Identity) -> tuple[Deed, Any, Any]:
        if event.create:
            return deeds.create(self.world, thing, moment), None, None
        if event.tag:
            tags = {key: str(self.values.resolve(value)) for key, value in event.tag.items()}
            return deeds.tag(self.world, thing, tags), None, None
        before = thing.at(event.path, moment - timedelta(seconds=1))
        if not event.denied:
            return deeds.change(self.world, thing, event.path, moment), before, thing.at(event.path, moment)
        wanted = self.values.resolve(event.to)
        steps = thing.settings.steps[event.path]
        kept = (list(steps.since), list(steps.values))
        thing.settings.set(event.path, moment, wanted)
        deed = deeds.change(self.world, thing, event.path, moment)
        steps.since[:], steps.values[:] = kept
        return facts.refused(deed, who, thing), before, wanted
