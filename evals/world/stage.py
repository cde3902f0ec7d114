"""A resource on the path of a flow: what arrives, what it ends, what it refuses, what time it adds.

Subclasses are the physics of one kind of resource. `enter` sees requests on their way down, `leave` on their way up,
when the time that the stages below took is known. A stage without a subclass lets everything pass.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from evals.world.flow import Load, Passage
from evals.world.seed import mix

if TYPE_CHECKING:
    from evals.world.flow import Flow
    from evals.world.world import Thing, World


class Stage:
    """One resource of a flow. `uses`: what one request does here, as the case says it ("units", "share", ...)."""

    reasons: Sequence[str] = ()  # for which it may end requests
    physical: Sequence[str] = ()  # beginnings of the paths of settings that the physics look at

    def __init__(self, world: World, thing: Thing, uses: Mapping[str, Any] | None = None) -> None:
        self.world = world
        self.thing = thing
        self.uses = dict(uses or {})
        self.index = 0
        self.flow: Flow = None  # type: ignore[assignment]  # set by `join`

    def join(self, flow: Flow) -> None:
        """Become the next stage of a flow."""
        self.flow, self.index = flow, len(flow.stages)
        flow.stages.append(self)

    def watched(self) -> Iterable[Thing]:
        """Resources whose settings the physics of this stage look at: itself, its role, what guards it."""
        yield self.thing

    def moments(self) -> Iterator[float]:
        """Epoch seconds at which a setting changes that the physics look at."""
        for thing in self.watched():
            for path, steps in thing.settings.steps.items():
                if path.startswith(("_", *self.physical)) or thing is not self.thing:
                    yield from (since.timestamp() for since in steps.since if since > thing.created)

    def begin(self, second: int) -> None:
        """Start to keep state, full and healthy, at an epoch second."""

    def tight(self, second: int, wanted: int) -> bool:
        """Whether this minute must be looked at second by second."""
        return False

    def capacity(self, second: int, seconds: int) -> int | None:
        """How many requests it can begin in a slice; None for no limit. Asked by a queue before it."""
        return None

    def enter(self, load: Load) -> None:
        load.passages.append(Passage(load.alive))

    def leave(self, load: Load) -> None:
        """Nothing on the way up."""

    def text(self, reason: str) -> str:
        """What an error of this reason says to the code that called: the text of an SDK or a driver."""
        return reason

    def details(self, reason: str) -> str:
        """What else the error carries, as JSON; "" for nothing."""
        return ""

    def denial(self, second: float) -> str:
        """What the code here reads when its role does not allow what it needs."""
        return "AccessDeniedException"

    # -- for subclasses ---------------------------------------------------------------------------

    def at(self, path: str, second: float) -> Any:
        """A setting at an epoch second."""
        return setting(self.thing, path, second)

    def note(self, load: Load, **gauges: float) -> None:
        """Write gauges into the passage of this stage, once it has entered."""
        old = load.passages[self.index]
        load.passages[self.index] = old._replace(gauges={**old.gauges, **gauges})

    def close(
        self, load: Load, arrived: int, refused: Mapping[str, int] | None = None, **gauges: float
    ) -> None:
        """Append the passage: what arrived, and that what is no longer alive ended here."""
        kept = {reason: count for reason, count in (refused or {}).items() if count}
        load.passages.append(Passage(arrived, arrived - load.alive, kept, gauges))


def share_of(alive: int, share: float, salt: int) -> int:
    """A share of the requests, the remainder by chance, so that small shares are not lost."""
    exact = alive * min(1.0, max(0.0, share))
    whole = int(exact)
    return min(alive, whole + (1 if mix(salt, alive, 91) % 10_000 < (exact - whole) * 10_000 else 0))


def setting(thing: Thing, path: str, second: float) -> Any:
    """A setting of a resource at an epoch second."""
    steps = thing.settings.steps.get(path)
    return None if steps is None else steps.at_second(second)


def moment(second: float) -> datetime:
    return datetime.fromtimestamp(second, UTC)


_QUANTILES = ((0.0, 0.62), (0.5, 0.94), (0.9, 1.38), (0.99, 2.4), (1.0, 3.3))
"""How long requests take, as parts of their mean: half below 0.94, one in a hundred above 2.4."""


def share_above(ratio: float) -> float:
    """The share of requests that take longer than `ratio` times their mean."""
    below = _QUANTILES[0]
    if ratio <= below[1]:
        return 1.0
    for above in _QUANTILES[1:]:
        if ratio <= above[1]:
            share = below[0] + (above[0] - below[0]) * (ratio - below[1]) / (above[1] - below[1])
            return 1.0 - share
        below = above
    return 0.0
