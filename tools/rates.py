"""Did something come more often, less often, for the first time or no longer? Exact tests on two counts. Pure.

Given how often something came in all, the count since a moment is binomial when its rate stayed the same; its share is
the time watched since over all time watched. Many things are compared at once, so the probabilities are corrected
(Holm): the chance of even one false answer stays below `ALPHA`. Lines that come in bursts are less independent than
that, so a rate must also have doubled or halved.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

ALPHA = 0.05
TIMES = 2.0  # what is called louder is at least so many times as frequent
FEWEST = 3  # lines in all, of what is called louder, quieter or gone

Kind = Literal["new", "louder", "gone", "quieter", "steady"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Count:
    """How often something came before and since, in how many seconds of watching.

    Reading one line of ten is as good as watching a tenth of the time: divide the seconds by ten.
    """

    before: int
    after: int
    seconds_before: float
    seconds_after: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What two counts tell. `chance`: how probable so clear a difference is, were the rate the same, corrected."""

    kind: Kind
    times: float  # rate since over rate before; infinite when there was none before, 1 when nothing is known
    chance: float


def judged(counts: Sequence[Count]) -> tuple[Verdict, ...]:
    """A verdict for each, corrected for how many there are."""
    raw = [_alone(one) for one in counts]
    found = list(raw)
    highest = 0.0
    for place, number in enumerate(sorted(range(len(raw)), key=lambda one: raw[one].chance)):
        highest = max(highest, min(1.0, raw[number].chance * (len(raw) - place)))
        kind = raw[number].kind if highest < ALPHA else "steady"
        found[number] = replace(raw[number], kind=kind, chance=highest)
    return tuple(found)


def _alone(one: Count) -> Verdict:
    total, watched = one.before + one.after, one.seconds_before + one.seconds_after
    if not total or one.seconds_before <= 0 or one.seconds_after <= 0:
        return Verdict(kind="steady", times=1.0, chance=1.0)
    share = one.seconds_after / watched
    before, after = one.before / one.seconds_before, one.after / one.seconds_after
    times = after / before if before else math.inf
    more, less = at_least(one.after, total, share), 1.0 - at_least(one.after + 1, total, share)
    kind: Kind = "steady"
    if not one.before:
        kind = "new"
    elif total >= FEWEST and times >= TIMES:
        kind = "louder"
    elif total >= FEWEST and times <= 1 / TIMES:
        kind = "quieter" if one.after else "gone"
    return Verdict(kind=kind, times=times, chance=min(1.0, 2 * min(more, max(0.0, less))))


def at_least(count: int, total: int, share: float) -> float:
    """The probability of `count` or more of `total` when each comes with probability `share`."""
    if count <= 0:
        return 1.0
    if count > total or share <= 0:
        return 0.0
    if share >= 1:
        return 1.0
    if count <= total * share:
        return min(1.0, max(0.0, 1.0 - _tail(total - count + 1, total, 1 - share)))
    return min(1.0, _tail(count, total, share))


def _tail(count: int, total: int, share: float) -> float:
    """The same for a count above what is expected: terms that only get smaller, until they add nothing."""
    log = (
        math.lgamma(total + 1) - math.lgamma(count + 1) - math.lgamma(total - count + 1)
        + count * math.log(share) + (total - count) * math.log1p(-share)
    )  # fmt: skip
    term, odds = 1.0, share / (1 - share)
    summed = 0.0
    for number in range(count, total + 1):
        summed += term
        term *= (total - number) / (number + 1) * odds
        if term < summed * 1e-17:
            break
    return math.exp(log + math.log(summed))
