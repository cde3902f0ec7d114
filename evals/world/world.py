"""A simulated AWS account: resources with the history of their settings, traffic, metrics, logs, events, alarms."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

from evals.world.flow import Flow
from evals.world.happenings import Happening
from evals.world.identities import Cast
from evals.world.lines import LogGroup
from evals.world.seed import Seed
from evals.world.steps import Settings
from evals.world.switches import Switches
from evals.world.telemetry import Telemetry
from evals.world.trail import Trail
from tools.arn import global_region, partition_of
from tools.models import Json

if TYPE_CHECKING:
    from evals.world.alarms import AlarmClock
    from evals.world.composites import Composite
    from evals.world.ledger import Ledger
    from evals.world.places import Neighbour, Place
    from evals.world.transport import WorldTransport


@dataclass
class Thing:
    """An AWS resource. `fixed` never changes; `settings` have a history; tags are settings below "tags"."""

    arn: str
    kind: str
    name: str
    region: str
    created: datetime
    fixed: Json = field(default_factory=dict)
    settings: Settings = field(default_factory=Settings)
    account: str = ""  # whose it is

    def at(self, path: str, moment: datetime) -> Any:
        return self.settings.at(path, moment)

    def tags(self, moment: datetime) -> dict[str, str]:
        return self.settings.under("tags", moment)


@dataclass
class World:
    """One account as it is for one case and seed, with what is elsewhere. Built by `evals.world.case.load_case`."""

    case: str
    seed: Seed
    account: str
    region: str
    start: datetime  # the moment at which the investigation begins
    cast: Cast
    switches: Switches
    trigger: dict[str, str] = field(default_factory=dict)
    things: dict[str, Thing] = field(default_factory=dict)
    known: dict[str, Thing] = field(default_factory=dict)  # by their ids in the case
    flows: dict[str, Flow] = field(default_factory=dict)
    log_groups: dict[str, LogGroup] = field(default_factory=dict)
    telemetry: Telemetry = field(default_factory=Telemetry)
    trail: Trail = field(default_factory=Trail)
    alarms: dict[str, AlarmClock] = field(default_factory=dict)  # by name
    composites: dict[str, Composite] = field(default_factory=dict)  # composite alarms, by name
    happenings: list[Happening] = field(default_factory=list)
    relations: set[tuple[str, str, str]] = field(default_factory=set)
    facts: dict[str, Any] = field(default_factory=dict)
    coverage_misses: Counter[str] = field(default_factory=Counter)
    neighbours: dict[str, Neighbour] = field(default_factory=dict)  # further accounts
    network_account: str = ""  # whose VPC the world's is, when it is shared by another account
    places: dict[tuple[str, str], Place] = field(default_factory=dict)  # (account, region) other than its own

    @property
    def partition(self) -> str:
        return partition_of(self.region)

    @property
    def global_region(self) -> str:
        return global_region(self.region)

    @property
    def asked_in(self) -> str:
        """The region in which an investigation begins: that of the alarm that starts it."""
        alarm = self.alarms.get(self.trigger.get("alarm", ""))
        return self.region if alarm is None else alarm.region

    def of(self, kind: str, region: str = "") -> list[Thing]:
        """Resources of one kind, by name; those of one region when given."""
        found = [t for t in self.things.values() if t.kind == kind and (not region or t.region == region)]
        return sorted(found, key=lambda thing: thing.name)

    def named(self, kind: str, name: str, region: str) -> Thing | None:
        return next(
            (t for t in self.things.values() if t.kind == kind and t.name == name and t.region == region),
            None,
        )

    def arn(self, service: str, resource: str, region: str = "") -> str:
        return f"arn:{self.partition}:{service}:{region or self.region}:{self.account}:{resource}"

    def iam_arn(self, resource: str) -> str:
        return f"arn:{self.partition}:iam::{self.account}:{resource}"

    def add(self, thing: Thing) -> Thing:
        thing.account = thing.account or self.account
        self.things[thing.arn] = thing
        return thing

    def relate(self, source: str, kind: str, target: str) -> None:
        self.relations.add((source, kind, target))

    @property
    def ledger(self) -> Ledger:
        """The truth, independent of what any request shows."""
        from evals.world.ledger import Ledger

        return Ledger(self)

    def transport(self) -> WorldTransport:
        """A door to this world for one run, with its own quotas and queries."""
        from evals.world.transport import WorldTransport

        return WorldTransport(self)
