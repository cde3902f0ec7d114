"""The ground an estate is built on: an emulated account, a seed, and what its configuration implies.

A maker makes a thing by the calls that a person or a script would send, and declares beside it what the sent
configuration says of other things. Nothing here knows how opsleuth finds relations: the words are the estate's own.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, TypeVar

from evals.emulation import Emulation
from evals.estates.table import Table
from tools.models import Call, Json

T = TypeVar("T")

KINDS = MappingProxyType(
    {
        "acts as": "the source works with the permissions of the target, a role",
        "may use": "a policy of the source, a role, names the target by its ARN",
        "lets in": "the source's own policy names the target as one who may use it",
        "takes from": "the source polls the target",
        "delivers to": "the source pushes events, records or messages to the target",
        "runs on": "the source's work is done by machines of the target",
        "calls": "what reaches the source is passed on to the target, which answers",
        "gives up to": "what the source cannot handle ends in the target",
        "is told of": "a value in the source's settings names the target",
        "is given": "the source is started with the value of the target, a secret or parameter",
        "locks with": "the source's contents are encrypted with the target, a key",
        "sits in": "the source's network interfaces are in the target, a subnet",
        "lies in": "the target, a network, holds the source",
        "is guarded by": "the target decides what reaches the source: a security group, NACL, WAF, authorizer",
        "names": "a rule of the source, a security group or WAF list, names the target",
        "routes by": "the source's packets go by the target",
        "writes to": "the source's logs or metrics land in the target",
        "watches": "the source, an alarm, looks at a metric of the target",
        "alerts": "the source, an alarm or scaling group, tells or moves the target",
        "resolves to": "the source, a DNS record, is an alias or name of the target",
        "shows": "the source serves TLS with the target, a certificate",
        "is proven by": "the source, a certificate, is renewed by a record of the target, a zone",
        "is part of": "the source exists only as a part of the target",
        "is shaped by": "the source is made or set up from the target",
        "copies": "the source is kept equal to the target",
    }
)
"""The kinds of facts, each with what it says."""


@dataclass(frozen=True, slots=True)
class Thing:
    """One resource. `says` are further names by which settings speak of it: url, host, id, zone."""

    arn: str
    kind: str
    name: str
    region: str = ""
    says: Json = field(default_factory=dict, compare=False, hash=False)

    def __getitem__(self, key: str) -> str:
        return str(self.says[key])


@dataclass(frozen=True, slots=True)
class Fact:
    """`source` and `target` are ARNs. `sure` is false where a careful reader may say it or leave it out."""

    source: str
    target: str
    kind: str
    sure: bool = True


@dataclass(frozen=True, slots=True)
class Said:
    """A value of a setting, with the thing it names, if any."""

    text: str
    of: Thing | str | None = None


def by_name(thing: Thing) -> Said:
    return Said(thing.name, thing)


def by_arn(thing: Thing) -> Said:
    return Said(thing.arn, thing)


def by(thing: Thing, key: str, form: str = "{}") -> Said:
    """By another of its names: `by(database, "host", "postgres://{}:5432/shop")`."""
    return Said(form.format(thing[key]), thing)


def foreign(arn: str) -> Said:
    """By the ARN of what lies in another account or region."""
    return Said(arn, arn)


def plain(text: str) -> Said:
    """A value that names nothing."""
    return Said(text)


@dataclass(slots=True)
class Ground:
    """What a maker works with: calls, draws, and the book of things and facts."""

    emulation: Emulation
    seed: int
    size: float = 1.0  # 1.0: an estate of more than 300; smaller ones for tests
    things: dict[str, Thing] = field(default_factory=dict)
    facts: dict[tuple[str, str, str], Fact] = field(default_factory=dict)
    wholes: dict[str, str] = field(default_factory=dict)  # a part's id -> its whole's ARN
    table: Table = field(default_factory=Table)
    draw: random.Random = field(init=False)

    def __post_init__(self) -> None:
        self.draw = random.Random(f"estate:{self.seed}")

    @property
    def account(self) -> str:
        return self.emulation.account

    @property
    def region(self) -> str:
        return self.emulation.region

    def call(self, service: str, operation: str, region: str = "", **parameters: Any) -> Json:
        """One call to the emulated account, parameters that are None left out."""
        sent = {key: value for key, value in parameters.items() if value is not None}
        return self.emulation.call(
            Call(service=service, operation=operation, parameters=sent, region=region or self.region)
        )

    def arn(self, service: str, rest: str, region: str | None = None) -> str:
        return f"arn:aws:{service}:{self.region if region is None else region}:{self.account}:{rest}"

    def add(self, kind: str, arn: str, name: str, *, region: str = "", **says: str) -> Thing:
        """Enter a thing. Raises ValueError when it is there already."""
        if arn in self.things:
            raise ValueError(f"{arn} is made twice")
        made = self.things[arn] = Thing(arn, kind, name, region or self.region, says)
        return made

    def part(
        self, kind: str, arn: str, whole: Thing | str, name: str = "", *, sure: bool = True, **says: str
    ) -> Thing:
        """A thing that exists only as a part of another: whatever is said of it is said of the whole too.

        `sure` is false for what AWS gives no ARN of its own, or keeps as a detail of another part.
        """
        owner = whole.arn if isinstance(whole, Thing) else whole
        made = self.add(kind, arn, name or arn.rsplit("/", 1)[-1].rsplit(":", 1)[-1], **says)
        self.wholes[arn] = owner
        self.fact(made, "is part of", owner, sure=sure)
        return made

    def inside(self, arn: str, whole: Thing) -> None:
        """An ARN by which a version or alias of a thing is spoken of."""
        self.wholes[arn] = whole.arn

    def fact(self, source: Thing | str, kind: str, *targets: Thing | str | None, sure: bool = True) -> None:
        """Declare what the configuration just sent implies. None among the targets is nobody."""
        if kind not in KINDS:
            raise ValueError(f"no kind {kind!r}")
        start = source.arn if isinstance(source, Thing) else source
        for target in targets:
            if target is None:
                continue
            end = target.arn if isinstance(target, Thing) else target
            held = self.facts.get((start, end, kind))
            self.facts[start, end, kind] = Fact(start, end, kind, sure or (held is not None and held.sure))

    def maybe(self, source: Thing | str, kind: str, *targets: Thing | str | None) -> None:
        """A fact that may as well be left out."""
        self.fact(source, kind, *targets, sure=False)

    def told(self, source: Thing, values: dict[str, Said], kind: str = "is told of") -> dict[str, str]:
        """The values as plain text, with what they name declared."""
        for value in values.values():
            self.fact(source, kind, value.of)
        return {key: value.text for key, value in values.items()}

    def pick(self, choices: Sequence[T]) -> T:
        return self.draw.choice(choices)

    def some(self, choices: Iterable[T], least: int, most: int) -> list[T]:
        """Between `least` and `most` of the choices, in the order given."""
        listed = list(choices)
        number = min(len(listed), self.draw.randint(least, most))
        chosen = set(self.draw.sample(range(len(listed)), number))
        return [one for place, one in enumerate(listed) if place in chosen]

    def count(self, usual: int) -> int:
        """A number around `usual`, scaled by the estate's size; at least one."""
        scaled = max(1, round(usual * self.size))
        return max(1, scaled + self.draw.randint(0, max(1, scaled // 5)))
