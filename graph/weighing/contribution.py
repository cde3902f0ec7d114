"""Where does the harm arise, when no change explains it? By what each resource adds beyond what it passes on. Pure.

A resource that waits for a slow dependency is as slow as that, one that calls a failing one fails as often. What it
adds itself is its excess over its own normal, times its traffic, less the excess of what it depends on. A slow resource
with hardly any traffic adds little, however slow it is.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

_TRIM = 0.05  # of both ends of normal: an earlier incident in it must not become normal
_FEWEST = 3  # periods of normal


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """What a resource served, period by period; None where nothing was measured.

    `harm` is per request: seconds a request takes, or the share of requests that fail, 0 to 1.
    """

    requests: Sequence[float | None]
    harm: Sequence[float | None]

    def __post_init__(self) -> None:
        if len(self.requests) != len(self.harm):
            raise ValueError(f"{len(self.requests)} periods of requests, {len(self.harm)} of harm")


@dataclass(frozen=True, slots=True, kw_only=True)
class Gate:
    """When a resource counts as harmful now: in `share` of the periods it adds more than `usual` of normal's periods.

    Chosen on the eight train incidents of PetShop, low traffic: any `usual` from 0.9 and `share` of 0.3 to 0.4 name the
    cause in all of them; the strictest of these is taken.
    """

    usual: float = 0.98
    share: float = 0.4


@dataclass(frozen=True, slots=True, kw_only=True)
class Contribution:
    """What a resource adds to the harm, per period, in units of harm times requests.

    `excess` is all of it, `own` what its dependencies do not explain. `share` of the periods were beyond the usual.
    """

    resource: str
    own: float
    excess: float
    share: float
    stands_out: bool


def contributions(
    normal: Mapping[str, Load],
    now: Mapping[str, Load],
    depends_on: Mapping[str, Sequence[str]],
    symptom: str,
    gate: Gate | None = None,
) -> tuple[Contribution, ...]:
    """Every resource that the symptom depends on, and itself, the largest own contribution first.

    `normal` and `now` by resource; `depends_on` by resource: whom it calls. A resource without a measured normal adds
    nothing that could be told, and explains nothing.
    """
    gate = gate or Gate()
    reached = below(symptom, depends_on)
    usual = {name: level for name in reached if (level := _usual(normal.get(name))) is not None}
    before = _Adding.of(reached, normal, usual, depends_on)
    since = _Adding.of(reached, now, usual, depends_on)
    found = []
    for name in reached:
        limit = _quantile(before.own[name], gate.usual)
        beyond = [value > max(limit, 0.0) for value in since.own[name]]
        share = sum(beyond) / len(beyond) if beyond else 0.0
        excess = {each: _mean(since.excess[each]) for each in (name, *depends_on.get(name, ()))}
        own = excess.pop(name) - sum(max(0.0, value) for value in excess.values())
        found.append(
            Contribution(
                resource=name,
                own=own,
                excess=_mean(since.excess[name]),
                share=share,
                stands_out=own > 0 and share >= gate.share,
            )
        )
    return tuple(sorted(found, key=lambda one: (-round(one.own, 9), one.resource)))


def below(symptom: str, depends_on: Mapping[str, Sequence[str]]) -> tuple[str, ...]:
    """The symptom and all that it depends on, nearest first."""
    seen = {symptom: None}
    queue = [symptom]
    for name in queue:
        for other in depends_on.get(name, ()):
            if other not in seen:
                seen[other] = None
                queue.append(other)
    return tuple(seen)


@dataclass(frozen=True, slots=True)
class _Adding:
    """By resource, by period: all that it adds, and what its dependencies leave of it."""

    excess: Mapping[str, list[float]]
    own: Mapping[str, list[float]]

    @classmethod
    def of(
        cls,
        names: Iterable[str],
        loads: Mapping[str, Load],
        usual: Mapping[str, float],
        depends_on: Mapping[str, Sequence[str]],
    ) -> _Adding:
        length = max((len(loads[name].harm) for name in names if name in loads), default=0)
        excess = {
            name: _excess(loads[name], usual[name], length)
            if name in loads and name in usual
            else [0.0] * length
            for name in names
        }
        own = {name: list(values) for name, values in excess.items()}
        for name, values in own.items():
            for other in dict.fromkeys(depends_on.get(name, ())):
                if other != name:
                    for place, value in enumerate(excess.get(other, ())):
                        values[place] -= max(0.0, value)
        return cls(excess, own)


def _excess(load: Load, usual: float, length: int) -> list[float]:
    made = [
        (harm - usual) * requests if harm is not None and requests is not None else 0.0
        for requests, harm in zip(load.requests, load.harm, strict=True)
    ]
    return made + [0.0] * (length - len(made))


def _usual(load: Load | None) -> float | None:
    """The harm of a usual request: the mean over requests, without the calmest and the worst periods."""
    if load is None:
        return None
    seen = sorted(
        (harm, requests)
        for requests, harm in zip(load.requests, load.harm, strict=True)
        if harm is not None and requests is not None
    )
    if len(seen) < _FEWEST:
        return None
    cut = int(len(seen) * _TRIM)
    seen = seen[cut : len(seen) - cut]
    total = sum(requests for _, requests in seen)
    return sum(harm * requests for harm, requests in seen) / total if total else None


def _quantile(values: Sequence[float], share: float) -> float:
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else 0.0


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values) if values else 0.0
