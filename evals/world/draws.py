"""Values that a case leaves to the seed."""

from __future__ import annotations

import re
from collections.abc import Mapping
from math import prod
from typing import Any

from pydantic import BaseModel, ConfigDict, model_validator

from evals.world.seed import Seed
from tools.errors import BadInput

REFERENCE = re.compile(r"^\$([a-z_0-9]+)(?:\.([a-z_0-9]+))?$")


class Draw(BaseModel):
    """One open value: one of `choose`, or a number `between` two, `times` another draw, rounded to `step`.

    `seed_1` is the value for seed 1.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    choose: tuple[Any, ...] = ()
    between: tuple[float, float] | None = None
    times: tuple[str, ...] = ()
    step: float = 1
    at_least: float | None = None
    seed_1: Any = None

    @model_validator(mode="after")
    def _one_way(self) -> Draw:
        if bool(self.choose) == (self.between is not None):
            raise ValueError("a draw has either choose or between")
        return self


class Values:
    """The values of a case, by name, drawn when first asked for, so that draws may use each other in any order."""

    def __init__(self, seed: Seed, known: dict[str, Any], draws: Mapping[str, Draw]) -> None:
        self.seed = seed
        self._draws = draws
        self._known = dict(known)
        self._open: list[str] = []

    def __getitem__(self, name: str) -> Any:
        if name not in self._known:
            if name not in self._draws:
                raise BadInput(f'A case uses "{name}", which is neither a draw nor a known word.')
            if name in self._open:
                raise BadInput(f'The draw "{name}" depends on itself.')
            self._open.append(name)
            self._known[name] = self._value(name, self._draws[name])
            self._open.pop()
        return self._known[name]

    def all(self) -> dict[str, Any]:
        return self._known | {name: self[name] for name in self._draws}

    def _value(self, name: str, draw: Draw) -> Any:
        if self.seed.number == 1 and draw.seed_1 is not None:
            return self.resolve(draw.seed_1)
        if draw.choose:
            return self.resolve(self.seed.pick(f"draw:{name}", draw.choose))
        assert draw.between is not None
        factor = prod(float(self[other]) for other in draw.times)
        value = self.seed.between(f"draw:{name}", *draw.between) * factor
        rounded = round(round(value / draw.step) * draw.step, 6)
        if draw.at_least is not None:
            rounded = max(rounded, draw.at_least)
        return int(rounded) if float(rounded).is_integer() else rounded

    def resolve(self, value: Any, also: Mapping[str, Any] | None = None) -> Any:
        """`$name` or `$name.key` becomes the value, `{name}` in a text its text; lists and maps are resolved whole.

        `also` are further words for this text.
        """
        if isinstance(value, str):
            match = REFERENCE.match(value)
            if match is None:
                return value.format_map(_Words(self, also or {}))
            held = self[match.group(1)]
            return held[match.group(2)] if match.group(2) else held
        if isinstance(value, dict):
            return {key: self.resolve(item, also) for key, item in value.items()}
        if isinstance(value, list | tuple):
            return [self.resolve(item, also) for item in value]
        return value


class _Words(dict[str, Any]):
    """What a text may name."""

    def __init__(self, values: Values, also: Mapping[str, Any]) -> None:
        super().__init__(also)
        self._values = values

    def __missing__(self, name: str) -> Any:
        return self._values[name]
