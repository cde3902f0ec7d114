"""Values that a case leaves to the seed."""

from __future__ import annotations

import re
from math import prod
from typing import Any

from pydantic import BaseModel, ConfigDict, model_validator

from evals.world.seed import Seed

_REFERENCE = re.compile(r"^\$([a-z_0-9]+)$")


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
    """The drawn values of a case, by name. Later draws may use earlier ones."""

    def __init__(self, seed: Seed, known: dict[str, Any]) -> None:
        self.seed = seed
        self.known = dict(known)

    def draw(self, name: str, draw: Draw) -> None:
        self.known[name] = self._value(name, draw)

    def _value(self, name: str, draw: Draw) -> Any:
        if self.seed.number == 1 and draw.seed_1 is not None:
            return self.resolve(draw.seed_1)
        if draw.choose:
            return self.resolve(self.seed.pick(f"draw:{name}", draw.choose))
        assert draw.between is not None
        factor = prod(float(self.known[other]) for other in draw.times)
        value = self.seed.between(f"draw:{name}", *draw.between) * factor
        rounded = round(value / draw.step) * draw.step
        if draw.at_least is not None:
            rounded = max(rounded, draw.at_least)
        return int(rounded) if float(rounded).is_integer() else rounded

    def resolve(self, value: Any) -> Any:
        """`$name` becomes the value, `{name}` in a text its text; lists and maps are resolved whole."""
        if isinstance(value, str):
            match = _REFERENCE.match(value)
            return self.known[match.group(1)] if match else value.format_map(self.known)
        if isinstance(value, dict):
            return {key: self.resolve(item) for key, item in value.items()}
        if isinstance(value, list | tuple):
            return [self.resolve(item) for item in value]
        return value
