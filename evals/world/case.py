"""Turns a case and a seed into a world. No code from a case folder is executed: a case is data."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from evals.world import (
    casefile,
    chains,
    decoys,
    deeds,
    elsewhere,
    estate,
    facts,
    names,
    noise,
    reach,
    variants,
)
from evals.world.casefile import AlarmSpec, CaseFile, EventSpec, PersonSpec, ResourceSpec, TrafficSpec
from evals.world.chains import Chain
from evals.world.collect import Collected
from evals.world.draws import Values
from evals.world.flow import Flow, HotKey, first_trouble
from evals.world.identities import Cast, Identity
from evals.world.kinds import kinds
from evals.world.kinds._kind import Act, Kind, Wish
from evals.world.places import Neighbour, around, inside
from evals.world.seed import Seed
from evals.world.systems import emit, emit_network, lay
from evals.world.traffic import Demand, Pulse
from evals.world.trail import Deed, Record, place, record
from evals.world.workshop import Workshop
from evals.world.world import Thing, World
from tools.errors import BadInput

OFFSET = re.compile(r"^(onset)?([+-]?)(\d+(?:\.\d+)?)([smhd])$")
_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
_RECENT = timedelta(days=14)
SAME = "$same"
_COMMAND = re.compile(r"md/command#[\w.-]+")
_VERSION = re.compile(r"\d{8}(v\d+)?$")


def load_case(case: str | Path, seed: int = 1, variant: str = "", causes: Collection[str] = ()) -> World:
    """The world of a case (a name in evals/incidents, a folder or a file) for a seed. Raises BadInput.

    `variant`: one of `variants.NAMES`; `causes`: ids of the events that `removed` takes away.
    """
    read = casefile.read(case)
    if variant:
        read = variants.apply(read, variant, causes)
    return Builder(read, casefile.find(case).parent.name, Seed(seed)).build()


@dataclass
class Builder:
    """Builds one world, step by step."""

    case: CaseFile
    name: str
    seed: Seed
    values: Values = field(init=False)
    world: World = field(init=False)
    shop: Workshop = field(init=False)
    moment: datetime = field(init=False)
    people: dict[str, Identity] = field(default_factory=dict)
    chains: dict[str, Chain] = field(default_factory=dict)  # people of other accounts
    happened: dict[str, Record] = field(default_factory=dict)
    events: list[EventSpec] = field(default_factory=list)  # with their paths filled in
    wrong: Collected = field(default_factory=Collected)

    @property
    def things(self) -> dict[str, Thing]:
        """By id in the case."""
        return self.shop.made

    def lay_out(self) -> None:
        """Draw the values and make the resources, without traffic, alarms or events."""
        self.moment = names.moment(self.seed) + variants.shifted(self.case.shift_hours)
        words = names.words(self.seed)
        self.values = Values(self.seed, words, self.case.draws)
        if self.case.region is not None:
            words["region"] = self._text(self.case.region)
            words["elsewhere"] = names.elsewhere(self.seed, words["region"])
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
        self._neighbours()
        self.shop = Workshop(self.world, self.world.known)
        for key, spec in self.case.people.items():
            with self.wrong.each(f"people.{key}"):
                self.people[key] = self._acting(key, spec)
        self.wrong.stop()
        self.events = [self._named(event) for event in self.case.events]
        self._resources()

    def build(self) -> World:
        """The whole world. Raises BadInput; several mistakes of one step come one per line."""
        self.lay_out()
        self._settings()
        flows = self._flows()
        estate.build(self.world, self.moment)
        emit_network(self.world)
        self._alarms()
        self._look(flows["case"])
        self._events()
        self._after()
        people = {who.name for who in self.people.values()}
        decoys.add(self.world, list(self.things.values()), people, self.moment)
        noise.add(self.world, [thing.arn for thing in self.things.values()], list(self.people.values()))
        elsewhere.add(self.world)
        self.world.trail.settle()
        facts.note(self.world, self.case, self.things, self.happened, flows["case"], self.values)
        return self.world

    def _named(self, event: EventSpec) -> EventSpec:
        also = {self._text(path): value for path, value in event.also.items()}
        return event.model_copy(update={"path": self._text(event.path), "also": also})

    def _number(self, value: Any) -> float:
        return float(self.values.resolve(value))

    def _text(self, value: Any) -> str:
        return str(self.values.resolve(value))

    def _neighbours(self) -> None:
        for key, spec in self.case.accounts.items():
            account, deny = names.neighbour(self.seed, key), spec.deny
            self.world.neighbours[key] = Neighbour(name=key, account=account, known=spec.known, deny=deny)
            if spec.shares_network:
                self.world.network_account = account

    def _account(self, name: str) -> str:
        """The id of an account of the case; "" for the world's own. Raises BadInput."""
        if name and name not in self.world.neighbours:
            known = ", ".join(self.world.neighbours) or "none"
            raise BadInput(f'"{name}" is none of the accounts: {known}.')
        return self.world.neighbours[name].account if name else ""

    def _acting(self, key: str, spec: PersonSpec) -> Identity:
        """Somebody as the trail of the account shows them in which they act."""
        with inside(self.world, self._account(spec.account)):
            if not spec.home:
                who = self._person(self.world.cast, spec)
                return replace(who, agent=f"{who.agent} {self._text(spec.agent)}") if spec.agent else who
            self._account(spec.home)
            if self._text(spec.way) not in chains.WAYS:
                raise BadInput(f"people.{key}: who has a `home` acts by {' or '.join(chains.WAYS)}.")
            home = self.world.neighbours[spec.home]
            abroad = spec.model_copy(update={"role": ""})
            person = self._person(replace(self.world.cast, account=home.account), abroad)
            made = self.chains[key] = chains.chain(self.world.cast, home, person, self._text(spec.role))
            return made.acting

    def _person(self, cast: Cast, spec: PersonSpec) -> Identity:
        way, name = self._text(spec.way), self._text(spec.name)
        address, role = self._text(spec.address), self._text(spec.role)
        if way == "user-console":
            return cast.user_console(name, address, spec.mfa)
        if way == "user-cli":
            return cast.user_cli(name, address, "sts.get-caller-identity")
        if way in ("sso-console", "sso-cli"):
            return cast.sso(role or "PowerUserAccess", name, address, way == "sso-console")
        if way == "ci":
            return cast.ci(role, name)
        if way == "terraform":
            return cast.terraform(role, name)
        raise BadInput(f'A case names an unknown way to act: "{way}".')

    # -- what there is ----------------------------------------------------------------------------

    def _resources(self) -> None:
        for key, spec in self.case.resources.items():
            with self.wrong.each(f"resources.{key}"):
                kind = self._kind(spec.kind, f"resources.{key}")
                place = "" if spec.region is None else self._text(spec.region)
                with inside(self.world, self._account(spec.account), place):
                    self.things[key] = kind.make(self.shop, self._wish(key, spec))
        self.wrong.stop()
        for key, spec in self.case.resources.items():
            kind, thing = self._kind(spec.kind, key), self.things[key]
            for called in spec.called():
                with self.wrong.each(f"resources.{key}.calls"):
                    target = self.shop.find(called, f"resources.{key}.calls")
                    if kind.link is not None:
                        with around(self.world, thing):
                            kind.link(self.shop, thing, target)
        self.wrong.stop()

    @staticmethod
    def _kind(name: str, where: str) -> Kind:
        found = kinds().get(name)
        if found is None:
            raise BadInput(f'{where}: there is no kind "{name}". Known kinds: {", ".join(sorted(kinds()))}.')
        return found

    def _wish(self, key: str, spec: ResourceSpec) -> Wish:
        kind = kinds()[spec.kind]
        options = {name: self.values.resolve(value) for name, value in spec.options.items()}
        if spec.route:
            options["route"] = self._text(spec.route)
        for name in options:
            if name not in kind.options:
                known = ", ".join(kind.options) or "none"
                raise BadInput(f'resources.{key}.with: a {kind.name} has no option "{name}". Known: {known}.')
        for path in spec.settings:
            self._check_path(kind, path, f"resources.{key}.settings")
        return Wish(
            id=key,
            kind=spec.kind,
            name=self._text(spec.name),
            created=self.when(f"-{int(self._number(spec.age_days))}d"),
            settings={path: self.values.resolve(value) for path, value in spec.settings.items()},
            tags={name: self._text(value) for name, value in spec.tags.items()},
            options=options,
        )

    @staticmethod
    def _check_path(kind: Kind, path: str, where: str) -> None:
        if not any(path == one or (one.endswith(".") and path.startswith(one)) for one in kind.settings):
            known = ", ".join(kind.settings) or "none"
            raise BadInput(f'{where}: a {kind.name} has no setting "{path}". Known: {known}.')

    def when(self, text: str, onset: datetime | None = None) -> datetime:
        """A moment of the case: "-39d", "0s", "onset+15s". Long offsets get a time of day of their own."""
        match = OFFSET.match(self._text(text))
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
        for event in self.events:
            if event.denied or not event.set or event.set in self.case.alarms or event.at.startswith("onset"):
                continue
            with self.wrong.each(f"events.{event.id}"):
                thing, moment = self.shop.find(event.set, f"events.{event.id}.set"), self.when(event.at)
                for path, value in self._moved(event, thing).items():
                    self._lay(thing, path, moment, value)
                for key, value in event.tag.items():
                    thing.settings.set(f"tags.{key}", moment, self._text(value))
        self.wrong.stop()

    def _lay(self, thing: Thing, path: str, moment: datetime, value: Any) -> None:
        """Set a value on a resource, and on its replicas where a service keeps it the same on all."""
        thing.settings.set(path, moment, value)
        for arn in thing.fixed.get("replicas", ()) if path in thing.fixed.get("replicated", ()) else ():
            self.world.things[arn].settings.set(path, moment, value)

    def _moved(self, event: EventSpec, thing: Thing) -> dict[str, Any]:
        """The settings that an event moves, checked against the kind."""
        moved = {event.path: event.to, **event.also} if event.path else dict(event.also)
        kind = kinds().get(thing.kind)
        for path in moved:
            if kind is not None:
                self._check_path(kind, path, f"events.{event.id}")
        return {path: self._value(value, thing, path, event) for path, value in moved.items()}

    def _value(self, value: Any, thing: Thing, path: str, event: EventSpec) -> Any:
        """`$same` stands for what the setting is already: somebody sent it again.

        Texts may name resources of the case ("{table.arn}"); the value is as AWS keeps it.
        """
        if value == SAME:
            return thing.at(path, self.when(event.at))
        kind, found = kinds().get(thing.kind), self.values.resolve(value, self.things)
        return found if kind is None or kind.kept is None else kind.kept(self.world, thing, path, found)

    # -- traffic ----------------------------------------------------------------------------------

    def _flows(self) -> dict[str, Flow]:
        tenants = tuple(f"t-{self.seed.integer(f'tenant:{i}', 100, 999)}" for i in range(12))
        found = {}
        for name, spec in {"case": self.case.traffic, **self.case.flows}.items():
            flow = found[name] = self._flow(name, spec)
            self.world.flows[name] = flow
            lay(self.world, flow, self._path(name, spec))
            flow.settle((self.moment - _RECENT).timestamp())
            for stage in flow.stages:
                if stage.thing.kind == "function":
                    stage.thing.settings.set("Environment.MAX_ATTEMPTS", stage.thing.created, flow.attempts)
                    stage.thing.fixed.setdefault("tenants", tenants)
        passed: set[str] = set()
        for flow in found.values():
            emit(self.shop, flow, passed)
        for thing in self.things.values():
            kind = kinds().get(thing.kind)
            if thing.arn not in passed and kind is not None and kind.metrics is not None:
                with around(self.world, thing):
                    self.world.telemetry.add(*kind.metrics(thing, None))
        return found

    def _path(self, name: str, spec: TrafficSpec) -> list[tuple[Thing, dict[str, Any]]]:
        """The resources that requests pass, in order, and what one request does at each."""
        first = spec.enters or self._entry(name)
        uses: dict[str, Any] = {"units": self.values.resolve(spec.write_units), "read_units": spec.read_units}
        path: list[tuple[Thing, dict[str, Any]]] = []
        seen: set[str] = set()

        def walk(key: str, also: dict[str, Any]) -> None:
            if key in seen:
                return
            seen.add(key)
            background = {"background": int(self._number(spec.background))}
            given = {one: self.values.resolve(value) for one, value in also.items()}
            path.append((self.shop.find(key, f"traffic {name}"), {**uses, **background, **given}))
            spec_of = self.case.resources.get(key)
            for called, more in (spec_of.called() if spec_of else {}).items():
                walk(called, more)

        walk(first, {})
        return path

    def _entry(self, name: str) -> str:
        called = {one for spec in self.case.resources.values() for one in spec.called()}
        free = [
            key
            for key, spec in self.case.resources.items()
            if key not in called and self._kind(spec.kind, key).stage is not None
        ]
        if not free:
            raise BadInput(f"traffic {name}: say with `enters` which resource the requests meet first.")
        return next((key for key in free if self.case.resources[key].calls), free[0])

    def _flow(self, name: str, spec: TrafficSpec) -> Flow:
        anchor = self.moment.timestamp()
        pulses = tuple(
            Pulse(
                start=anchor + 60 * self._number(pulse.start),
                end=anchor + 60 * (self._number(pulse.start) + self._number(pulse.minutes)),
                factor=self._number(pulse.factor),
                ramp=self._number(pulse.ramp_seconds),
            )
            for pulse in spec.pulses
        )
        hot = None
        if spec.hot_key is not None:
            hot = HotKey(
                name=self._text(spec.hot_key.name),
                before=spec.hot_key.before,
                share=self._number(spec.hot_key.share),
                start=anchor + 60 * self._number(spec.hot_key.start),
                end=anchor + 30 * 86_400,
                ramp=self._number(spec.hot_key.ramp_seconds),
            )
        demand = Demand(
            rate=self._number(spec.per_second),
            anchor=anchor,
            salt=self.seed.salt("flow" if name == "case" else f"flow of case:{name}"),
            amplitude=spec.amplitude,
            pulses=pulses,
        )
        return Flow(
            name=name,
            demand=demand,
            attempts=int(self._number(spec.attempts)),
            base_ms=int(self._number(spec.duration_ms)),
            retry_ms=int(self._number(spec.retry_ms)),
            hot_key=hot,
        )

    # -- alarms and the look ----------------------------------------------------------------------

    def _begin(self) -> datetime:
        """From when on alarms are evaluated: shortly before the first thing that happens."""
        starts = [self.moment - timedelta(minutes=90)]
        starts += [
            self.when(event.at)
            for event in self.events
            if event.path and not event.at.startswith("onset") and self.when(event.at) > self.moment - _RECENT
        ]
        disturbed = self.world.flows["case"].disturbed_from
        if disturbed is not None:
            starts.append(datetime.fromtimestamp(disturbed * 60, UTC))
        return min(starts) - timedelta(minutes=30)

    def _alarms(self) -> None:
        for key, spec in self.case.alarms.items():
            with self.wrong.each(f"alarms.{key}"):
                self.things[key] = self._alarm(key, spec)
        self.wrong.stop()
        for event in self.events:
            thing = self.things.get(event.set)
            if thing is not None and thing.kind == "alarm" and not event.denied:
                moment = self.when(event.at)
                wanted = self.values.resolve(event.to)
                thing.settings.set(
                    event.path, moment, str(wanted) if event.path == "TreatMissingData" else float(wanted)
                )
                self.world.alarms[thing.name].updates.append((moment, "Update"))

    def _alarm(self, key: str, spec: AlarmSpec) -> Thing:
        watched = self.shop.find(self._text(spec.on), f"alarms.{key}.on")
        own: dict[str, Any] = {"name": watched.name, "id": watched.fixed.get("id", ""), "stage": ""}
        kind = kinds().get(watched.kind)
        if kind is not None and kind.dimensions is not None:
            own |= kind.dimensions(watched)
        given: dict[str, str] = self.values.resolve(spec.dimensions, own)
        filled = {name: value.format_map(own) if "{" in value else value for name, value in given.items()}
        namespace, metric = self._text(spec.namespace), self._text(spec.metric)
        alarm = estate.make_alarm(
            self.world,
            name=self._text(spec.name),
            namespace=namespace,
            metric=metric,
            dimensions=tuple(sorted(filled.items())),
            stat=self._text(spec.stat),
            numbers={
                "Threshold": self._number(spec.threshold),
                "EvaluationPeriods": int(self._number(spec.periods)),
                "DatapointsToAlarm": int(self._number(spec.datapoints)),
                "ComparisonOperator": spec.comparison,
                "TreatMissingData": spec.missing,
            },
            created=self.when(f"-{int(self._number(spec.age_days))}d"),
            begin=self._begin(),
            watched=watched.arn,
            period=spec.period,
            initial=self._text(spec.initial),
            description=self._text(spec.description),
        )
        if alarm.source is None:
            raise BadInput(self._no_metric(key, namespace, metric, filled, watched))
        thing = self.world.things[alarm.arn]
        for name, value in spec.tags.items():
            thing.settings.set(f"tags.{name}", thing.created, self._text(value))
        return thing

    def _no_metric(self, key: str, namespace: str, metric: str, held: dict[str, str], watched: Thing) -> str:
        emitted = sorted(
            f"{one.namespace}/{one.name} {dict(one.dimensions)}"
            for one in self.world.telemetry.sources.values()
            if one.owner == watched.arn
        )
        return (
            f"alarms.{key} watches {namespace}/{metric} {held}, which nothing emits. "
            f"{watched.name} emits: {'; '.join(emitted) or 'nothing'}."
        )

    def _look(self, flow: Flow) -> None:
        trigger = self.shop.find(self.case.trigger, "trigger", "alarm")
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
        found = first_trouble(flow, int((self.moment + timedelta(hours=2)).timestamp()))
        if found is None:
            raise BadInput(f"In case {self.name} nothing is ever refused, so there is no onset.")
        return datetime.fromtimestamp(found, UTC)

    def _after(self) -> None:
        """What the services themselves did meanwhile, and will do while a run waits."""
        until = self.world.start + noise.AFTER
        for thing in list(self.world.things.values()):
            kind = kinds().get(thing.kind)
            if kind is not None and kind.after is not None:
                kind.after(self.world, thing, until)
        reach.relate(self.world)

    # -- what happened ----------------------------------------------------------------------------

    def _events(self) -> None:
        for event in self.events:
            onset = self._onset(self.world.flows["case"]) if event.at.startswith("onset") else None
            moment = self.when(event.at, onset)
            if onset and event.set and not event.denied:
                thing = self.things[event.set]
                for key, value in event.tag.items():
                    thing.settings.set(f"tags.{key}", moment, self._text(value))
                for path, value in self._moved(event, thing).items():
                    self._lay(thing, path, moment, value)
            if event.who:
                with self.wrong.each(f"events.{event.id}"):
                    self._record(event, moment)
        self.wrong.stop()

    def _record(self, event: EventSpec, moment: datetime) -> None:
        thing = self.shop.find(event.set or event.create, f"events.{event.id}")
        with around(self.world, thing):
            if event.who in self.chains:
                chains.take(self.world, self.chains[event.who], moment, f"case:{event.id}")
            self._recorded(event, moment, thing)

    def _recorded(self, event: EventSpec, moment: datetime, thing: Thing) -> None:
        who = self.people.get(event.who)
        if who is None:
            raise BadInput(
                f'events.{event.id}.who: "{event.who}" is none of the people: {", ".join(self.people)}.'
            )
        deed, before, after = self._deed(event, thing, moment, who)
        spec = event.delivery_minutes
        spec = self.world.switches.delivery_minutes if spec is None else spec
        minutes = self.seed.between(f"delivery:{event.id}", 3, 6) if spec is None else self._number(spec)
        made = record(
            self.seed,
            f"case:{event.id}",
            moment,
            60 * minutes,
            place(deed, self.world.region, self.world.global_region),
            self.world.account,
            _commanding(who, deed),
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
            tags = {key: self._text(value) for key, value in event.tag.items()}
            return deeds.tag(self.world, thing, tags), None, None
        others = {path: self._value(value, thing, path, event) for path, value in event.also.items()}
        wanted = self._value(event.to, thing, event.path, event)
        before = thing.at(event.path, moment - timedelta(seconds=1))
        act = Act(
            thing=thing,
            path=event.path,
            before=before,
            after=wanted,
            moment=moment,
            call=event.call,
            others=others,
        )
        if not event.denied:
            act = replace(act, after=thing.at(event.path, moment))
            return deeds.change(self.world, act), before, act.after
        kept = thing.settings.copy()
        thing.settings.set(event.path, moment, wanted)
        deed = deeds.change(self.world, act)
        thing.settings.steps = kept.steps
        return facts.refused(deed, who, thing), before, wanted


def _commanding(who: Identity, deed: Deed) -> Identity:
    """The AWS CLI tells its command in the user agent."""
    verb = re.sub(r"(?<!^)(?=[A-Z])", "-", _VERSION.sub("", deed.name)).lower()
    return replace(who, agent=_COMMAND.sub(f"md/command#{deed.source}.{verb}", who.agent))
