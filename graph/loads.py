"""What each resource on the way of the requests adds to the harm, from the series of one run. Pure.

Harm is failed requests or time, as the symptom is; see `graph.weighing.contribution`.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from graph.models import Harm, MeasuredContribution
from graph.weighing.contribution import Load, contributions
from tools.models import Series, Window
from tools.services._spec import MetricSpec
from tools.topology import Topology, waits_for

_HARMS: Mapping[str, Harm] = {"errors": "failures", "throttles": "failures", "latency": "seconds"}
_SECONDS = {"ms": 1e-3, "microseconds": 1e-6, "s": 1.0, "seconds": 1.0}
_PERIOD = 300
"""Seconds over which requests and harm are compared: the longest period that near resources publish in."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Read:
    """A series that was read of a resource, and what it says."""

    resource: str
    spec: MetricSpec
    series: Series
    evidence: str = ""


def harm_of(role: str) -> Harm | None:
    """What kind of harm a symptom of this role is; None where it is neither failure nor delay."""
    return _HARMS.get(role)


def measured(
    topology: Topology, symptom: str, role: str, read: Iterable[Read], before: Window, since: Window
) -> tuple[MeasuredContribution, ...]:
    """What the symptom's resource and all that it waits for add, the largest first.

    `before` and `since`: normal and the incident. Empty where the symptom is neither failure nor delay.
    """
    harm = harm_of(role)
    if harm is None:
        return ()
    by_resource: dict[str, list[Read]] = {}
    for one in read:
        by_resource.setdefault(one.resource, []).append(one)
    shown = {arn: told for arn, several in by_resource.items() if (told := _shown(several, harm))}
    loads = {arn: (_load(found, harm, before), _load(found, harm, since)) for arn, found in shown.items()}
    found = contributions(
        {arn: normal for arn, (normal, _) in loads.items()},
        {arn: now for arn, (_, now) in loads.items()},
        waits_for(topology, {*shown, symptom}),
        symptom,
    )
    return tuple(
        MeasuredContribution(
            resource=one.resource,
            harm=harm,
            metric=shown[one.resource].harm[0].series.metric,
            own=one.own,
            excess=one.excess,
            stands_out=one.stands_out,
            evidence=(shown[one.resource].harm[0].evidence,),
        )
        for one in found
        if one.resource in shown
    )


@dataclass(frozen=True, slots=True)
class _Shown:
    """What tells of a resource's harm, the main metric first, and of how much was asked of it."""

    harm: Sequence[Read]
    requests: Read | None


def _shown(several: Sequence[Read], harm: Harm) -> _Shown | None:
    fitting = [one for one in several if _HARMS.get(one.spec.role) == harm and _fits(one.spec, harm)]
    asked = [one for one in several if one.spec.role == "demand" and _is_number(one.spec)]
    if harm == "seconds":
        # Time without requests cannot be weighed; of several delays the first is that of the whole.
        return _Shown(fitting[:1], asked[0]) if fitting and asked else None
    return _Shown(sorted(fitting, key=_total, reverse=True), next(iter(asked), None)) if fitting else None


def _fits(spec: MetricSpec, harm: Harm) -> bool:
    return spec.stat == "Sum" if harm == "failures" else spec.unit in _SECONDS


def _is_number(spec: MetricSpec) -> bool:
    """Whether a metric of demand counts requests, not what they carry."""
    return spec.stat == "Sum" and "bytes" not in spec.unit


def _total(one: Read) -> float:
    return math.fsum(value for _, value in one.series.points)


def _load(shown: _Shown, harm: Harm, window: Window) -> Load:
    """Requests and harm of each, period by period. Without requests each period counts as one request."""
    starts = list(_starts(window))
    if shown.requests is None:
        requests = [1.0] * len(starts)
    else:
        asked = _summed(shown.requests.series.points)
        requests = [asked.get(start, 0.0) for start in starts]
    if harm == "seconds":
        unit = _SECONDS[shown.harm[0].spec.unit]
        means = _means(shown.harm[0].series.points)
        taken = [means[start] * unit if start in means else None for start in starts]
        return Load(requests=requests, harm=taken)
    # Metrics of one resource overlap (all refused writes, those refused for one reason): the most of them counts.
    failed = [_summed(one.series.points) for one in shown.harm]
    most = [max(counts.get(start, 0.0) for counts in failed) for start in starts]
    shares = [count / asked if asked else None for count, asked in zip(most, requests, strict=True)]
    return Load(requests=requests, harm=shares)


def _starts(window: Window) -> Iterator[int]:
    first = -(-int(window.start.timestamp()) // _PERIOD) * _PERIOD
    return iter(range(first, int(window.end.timestamp()) - _PERIOD + 1, _PERIOD))


def _period(moment: datetime) -> int:
    return int(moment.timestamp()) // _PERIOD * _PERIOD


def _summed(points: Sequence[tuple[datetime, float]]) -> dict[int, float]:
    found: dict[int, float] = {}
    for moment, value in points:
        found[_period(moment)] = found.get(_period(moment), 0.0) + value
    return found


def _means(points: Sequence[tuple[datetime, float]]) -> dict[int, float]:
    held: dict[int, list[float]] = {}
    for moment, value in points:
        held.setdefault(_period(moment), []).append(value)
    return {start: math.fsum(values) / len(values) for start, values in held.items()}


def windows(begin: datetime, end: datetime, baseline: timedelta) -> tuple[Window, Window]:
    """The time before `begin` and the time since, which is at least one whole period."""
    whole = timedelta(seconds=2 * _PERIOD)
    return Window(start=begin - baseline, end=begin), Window(start=begin, end=max(end, begin + whole))
