"""A world in the making: its case, what is drawn for it, and what stands so far."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from evals.world.casefile import CaseFile, EventSpec
from evals.world.chains import Chain
from evals.world.collect import Collected
from evals.world.draws import Values
from evals.world.identities import Identity
from evals.world.kinds import kinds
from evals.world.kinds._kind import Kind
from evals.world.seed import Seed
from evals.world.trail import Record
from evals.world.workshop import Workshop
from evals.world.world import Thing, World
from tools.errors import BadInput

OFFSET = re.compile(r"^(onset)?([+-]?)(\d+(?:\.\d+)?)([smhd])$")
_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
RECENT = timedelta(days=14)
SAME = "$same"
"""In place of a value: what the setting is already."""


@dataclass
class Draft:
    """What all steps of building share."""

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

    def number(self, value: Any) -> float:
        """A number of the case; drawn where the case names a draw."""
        return float(self.values.resolve(value))

    def text(self, value: Any) -> str:
        """A text of the case with its draws filled in."""
        return str(self.values.resolve(value))

    def account(self, name: str) -> str:
        """The id of an account of the case; "" for the world's own. Raises BadInput."""
        if name and name not in self.world.neighbours:
            known = ", ".join(self.world.neighbours) or "none"
            raise BadInput(f'"{name}" is none of the accounts: {known}.')
        return self.world.neighbours[name].account if name else ""

    @staticmethod
    def kind(name: str, where: str) -> Kind:
        """The kind of this name. Raises BadInput with those that there are."""
        found = kinds().get(name)
        if found is None:
            raise BadInput(f'{where}: there is no kind "{name}". Known kinds: {", ".join(sorted(kinds()))}.')
        return found

    @staticmethod
    def check_path(kind: Kind, path: str, where: str) -> None:
        """Raises BadInput when a kind has no such setting."""
        if not any(path == one or (one.endswith(".") and path.startswith(one)) for one in kind.settings):
            known = ", ".join(kind.settings) or "none"
            raise BadInput(f'{where}: a {kind.name} has no setting "{path}". Known: {known}.')

    def when(self, text: str, onset: datetime | None = None) -> datetime:
        """A moment of the case: "-39d", "0s", "onset+15s". Long offsets get a time of day of their own."""
        match = OFFSET.match(self.text(text))
        if match is None:
            raise BadInput(f'"{text}" is no moment of a case; it looks like -39d, 0s or onset+15s.')
        after_onset, sign, amount, unit = match.groups()
        base = (onset or self.moment) if after_onset else self.moment
        offset = timedelta(seconds=float(amount) * _UNITS[unit] * (-1 if sign == "-" else 1))
        if unit == "d":
            offset += timedelta(seconds=self.seed.integer(f"when:{text}", -9000, 9000))
        return (base + offset).replace(microsecond=0)
