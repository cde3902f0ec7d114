"""Turns a case and a seed into a world. No code from a case folder is executed: a case is data."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from evals.world import casefile, decoys, elsewhere, estate, facts, names, noise, reach, variants
from evals.world.case_alarms import set_alarms
from evals.world.case_events import happen, lay_settings
from evals.world.case_flows import lay_flows, onset_of
from evals.world.case_people import acting
from evals.world.casefile import EventSpec, ResourceSpec
from evals.world.draft import Draft
from evals.world.draws import Values
from evals.world.flow import Flow
from evals.world.identities import Cast
from evals.world.kinds import kinds
from evals.world.kinds._kind import Wish
from evals.world.places import Neighbour, around, inside
from evals.world.seed import Seed
from evals.world.systems import emit_network
from evals.world.workshop import Workshop
from evals.world.world import World
from tools.errors import BadInput


def load_case(case: str | Path, seed: int = 1, variant: str = "", causes: Collection[str] = ()) -> World:
    """The world of a case (a name in evals/incidents, a folder or a file) for a seed. Raises BadInput.

    `variant`: one of `variants.NAMES`; `causes`: ids of the events that `removed` takes away.
    """
    read = casefile.read(case)
    if variant:
        read = variants.apply(read, variant, causes)
    return Builder(read, casefile.find(case).parent.name, Seed(seed)).build()


@dataclass
class Builder(Draft):
    """Builds one world, step by step."""

    def lay_out(self) -> None:
        """Draw the values and make the resources, without traffic, alarms or events."""
        self.moment = names.moment(self.seed) + variants.shifted(self.case.shift_hours)
        words = names.words(self.seed)
        self.values = Values(self.seed, words, self.case.draws)
        if self.case.region is not None:
            words["region"] = self.text(self.case.region)
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
                self.people[key] = acting(self, key, spec)
        self.wrong.stop()
        self.events = [self._named(event) for event in self.case.events]
        self._resources()

    def build(self) -> World:
        """The whole world. Raises BadInput; several mistakes of one step come one per line."""
        self.lay_out()
        lay_settings(self)
        flows = lay_flows(self)
        estate.build(self.world, self.moment)
        emit_network(self.world)
        set_alarms(self)
        self._look(flows["case"])
        happen(self)
        self._after()
        people = {who.name for who in self.people.values()}
        decoys.add(self.world, list(self.things.values()), people, self.moment)
        noise.add(self.world, [thing.arn for thing in self.things.values()], list(self.people.values()))
        elsewhere.add(self.world)
        self.world.trail.settle()
        facts.note(self.world, self.case, self.things, self.happened, flows["case"], self.values)
        return self.world

    def _named(self, event: EventSpec) -> EventSpec:
        also = {self.text(path): value for path, value in event.also.items()}
        return event.model_copy(update={"path": self.text(event.path), "also": also})

    def _neighbours(self) -> None:
        for key, spec in self.case.accounts.items():
            account, deny = names.neighbour(self.seed, key), spec.deny
            self.world.neighbours[key] = Neighbour(name=key, account=account, known=spec.known, deny=deny)
            if spec.shares_network:
                self.world.network_account = account

    def _resources(self) -> None:
        for key, spec in self.case.resources.items():
            with self.wrong.each(f"resources.{key}"):
                kind = self.kind(spec.kind, f"resources.{key}")
                place = "" if spec.region is None else self.text(spec.region)
                with inside(self.world, self.account(spec.account), place):
                    self.things[key] = kind.make(self.shop, self._wish(key, spec))
        self.wrong.stop()
        for key, spec in self.case.resources.items():
            kind, thing = self.kind(spec.kind, key), self.things[key]
            for called in spec.called():
                with self.wrong.each(f"resources.{key}.calls"):
                    target = self.shop.find(called, f"resources.{key}.calls")
                    if kind.link is not None:
                        with around(self.world, thing):
                            kind.link(self.shop, thing, target)
        self.wrong.stop()

    def _wish(self, key: str, spec: ResourceSpec) -> Wish:
        kind = kinds()[spec.kind]
        options = {name: self.values.resolve(value) for name, value in spec.options.items()}
        if spec.route:
            options["route"] = self.text(spec.route)
        for name in options:
            if name not in kind.options:
                known = ", ".join(kind.options) or "none"
                raise BadInput(f'resources.{key}.with: a {kind.name} has no option "{name}". Known: {known}.')
        for path in spec.settings:
            self.check_path(kind, path, f"resources.{key}.settings")
        return Wish(
            id=key,
            kind=spec.kind,
            name=self.text(spec.name),
            created=self.when(f"-{int(self.number(spec.age_days))}d"),
            settings={path: self.values.resolve(value) for path, value in spec.settings.items()},
            tags={name: self.text(value) for name, value in spec.tags.items()},
            options=options,
        )

    def _look(self, flow: Flow) -> None:
        trigger = self.shop.find(self.case.trigger, "trigger", "alarm")
        self.world.trigger = {"alarm": trigger.name}
        minutes = timedelta(minutes=self.number(self.case.look.minutes))
        base = self.moment
        if self.case.look.after == "onset":
            base = onset_of(self, flow)
        elif self.case.look.after == "alarm":
            states = self.world.alarms[trigger.name].states(self.moment + timedelta(hours=3))
            base = next((s.time for s in states if s.value == "ALARM" and s.time >= self.moment), self.moment)
        self.world.start = (base + minutes).replace(microsecond=0)

    def _after(self) -> None:
        """What the services themselves did meanwhile, and will do while a run waits."""
        until = self.world.start + noise.AFTER
        for thing in list(self.world.things.values()):
            kind = kinds().get(thing.kind)
            if kind is not None and kind.after is not None:
                kind.after(self.world, thing, until)
        reach.relate(self.world)
