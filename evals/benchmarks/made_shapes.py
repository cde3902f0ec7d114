"""Metric series with a known beginning: what a service does all day, and what goes wrong with it. By seed.

A beginning lies anywhere within a period, so the period around it shows some of both. What is asked is what an
investigation asks: of the symptom's metric with three days before it and perhaps an alarm's threshold, of a
neighbour's with an hour before.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Literal

from tools.models import Metric, Series, Window
from tools.onset import Bad, Missing

NOW = datetime(2026, 3, 13, 18, tzinfo=UTC)
PERIODS = (60, 300)
SOONER = timedelta(minutes=15)
_DAY = 86_400
_PARTS = 40  # a period is made of so many moments
_LARGE = 50  # counts from which a Gaussian is as good

Noise = Literal["latency", "use", "requests", "few", "errors"]
Course = Callable[[float], float]  # periods since the beginning -> by how much of `high` it is off, 0 to 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """One question and its answer: `truth` is when it began, None where nothing did."""

    shape: str
    view: str  # "symptom" or "neighbour"
    seed: int
    series: Series
    window: Window
    bad: Bad
    missing: Missing
    hint: float | None
    truth: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Kind:
    """How a metric goes. `usual`: range of its level; `times`: range of what trouble makes of it."""

    noise: Noise
    usual: tuple[float, float]
    times: tuple[float, float]
    stat: str
    bad: Bad
    missing: Missing


_LATENCY = _Kind(noise="latency", usual=(5, 400), times=(1.5, 6), stat="Average", bad="up", missing="unknown")
_USE = _Kind(noise="use", usual=(20, 45), times=(1.3, 2.1), stat="Average", bad="up", missing="unknown")
_REQUESTS = _Kind(
    noise="requests", usual=(30, 3000), times=(0.1, 0.6), stat="Sum", bad="down", missing="idle"
)
_MORE = replace(_REQUESTS, times=(1.6, 5), bad="up", missing="unknown")
_FEW = _Kind(noise="few", usual=(0.5, 8), times=(3, 12), stat="Sum", bad="up", missing="idle")
_ERRORS = _Kind(noise="errors", usual=(0, 0.05), times=(2, 200), stat="Sum", bad="up", missing="zero")
_RARE = replace(_ERRORS, times=(0.4, 1.5))


def made(seeds: Sequence[int]) -> Iterator[Asked]:
    """Every shape in both views and periods, once for each seed, and the same without trouble."""
    for seed in seeds:
        for period in PERIODS:
            for view in ("symptom", "neighbour"):
                for shape, make in SHAPES.items():
                    for trouble in (True, False):
                        luck = random.Random(f"{seed} {period} {view} {shape} {trouble}")
                        yield make(_Place(shape, view, seed, period, trouble, luck))


@dataclass(frozen=True, slots=True)
class _Place:
    shape: str
    view: str
    seed: int
    period: int
    trouble: bool
    luck: random.Random

    @property
    def before(self) -> int:
        """Periods before the window that the trouble is looked for in."""
        return 69 * 3600 // self.period if self.view == "symptom" else 0


# ---- what goes wrong


def _step(place: _Place) -> Asked:
    return _asked(place, _any(place, _LATENCY, _USE, _MORE, _REQUESTS, _ERRORS, _FEW), lambda _since: 1.0)


def _ramp(place: _Place) -> Asked:
    rise = place.luck.uniform(8, 50)
    return _asked(
        place, _any(place, _LATENCY, _USE, _MORE, _ERRORS), lambda since: min(1.0, since / rise), least=25
    )


def _spike(place: _Place) -> Asked:
    wide = place.luck.uniform(1, 4)
    kind = _any(place, _LATENCY, _MORE, _ERRORS)
    return _asked(place, replace(kind, times=(kind.times[1], 2 * kind.times[1])), lambda at: float(at < wide))


def _sawtooth(place: _Place) -> Asked:
    every = place.luck.randint(12, 20)
    high = place.luck.randint(4, 8)
    kind = _any(place, _LATENCY, _MORE, _ERRORS)
    return _asked(place, kind, lambda since: float(since % every < high), least=4 * every)


def _silence(place: _Place) -> Asked:
    fade = place.luck.choice((0.0, 0.0, place.luck.uniform(1, 5)))
    kind = replace(_REQUESTS, times=(0.0, 0.0))
    return _asked(place, kind, lambda since: min(1.0, since / fade) if fade else 1.0)


def _counter(place: _Place) -> Asked:
    """A number that only grows, until something restarts it: it is the pace that changes."""
    kind = _any(place, _MORE, _LATENCY)
    asked = _asked(place, replace(kind, times=(3, 10)), lambda _since: 1.0)
    total, points = place.luck.uniform(0, 1e6), []
    restart = place.luck.randrange(len(asked.series.points)) if place.luck.random() < 0.3 else -1
    for number, (moment, value) in enumerate(asked.series.points):
        total = value if number == restart else total + value
        points.append((moment, total))
    metric = replace(asked.series.metric, stat="Maximum")
    return replace(asked, series=replace(asked.series, metric=metric, points=tuple(points)), hint=None)


def _sparse(place: _Place) -> Asked:
    return _asked(place, _RARE, lambda _since: 1.0, least=25)


def _gaps(place: _Place) -> Asked:
    """Every tenth point is missing, and a stretch about the beginning."""
    asked = _asked(place, _any(place, _LATENCY, _USE), lambda _since: 1.0, least=20)
    wide = place.luck.randint(1, 9) * place.period
    about = (asked.truth or NOW - timedelta(seconds=20 * place.period)).timestamp()
    begin = about - place.luck.uniform(-0.2, 1.2) * wide
    kept = tuple(
        point
        for point in asked.series.points
        if not begin <= point[0].timestamp() < begin + wide and place.luck.random() > 0.1
    )
    return replace(asked, series=replace(asked.series, points=kept))


def _daily(place: _Place) -> Asked:
    return _asked(place, _any(place, _LATENCY, _MORE, _REQUESTS), lambda _since: 1.0, swing=0.6)


SHAPES: dict[str, Callable[[_Place], Asked]] = {
    "step": _step,
    "ramp": _ramp,
    "spike": _spike,
    "sawtooth": _sawtooth,
    "silence": _silence,
    "counter": _counter,
    "sparse": _sparse,
    "gaps": _gaps,
    "daily": _daily,
}


def _any(place: _Place, *kinds: _Kind) -> _Kind:
    return kinds[place.luck.randrange(len(kinds))]


# ---- series


def _asked(place: _Place, kind: _Kind, course: Course, *, least: int = 8, swing: float = -1.0) -> Asked:
    luck, period = place.luck, place.period
    since = luck.uniform(least, max(least + 40, 2 * least))  # periods that the trouble has lasted
    window = max(math.ceil(since), 4) + max(12, 3600 // period if place.view == "neighbour" else 36)
    length = place.before + window
    began = length - since
    if swing < 0:
        swing = luck.choice((0.0, 0.3)) if kind.noise in ("requests", "few") else 0.0
    usual, times = math.exp(luck.uniform(*map(_log, kind.usual))), luck.uniform(*kind.times)
    noise = _Noise(kind.noise, luck)
    phase, high = luck.random(), times if kind.noise == "errors" else usual * times
    values = []
    for number in range(length):
        day = 1 + swing * math.sin(2 * math.pi * (number * period / _DAY + phase))
        part = 0.0
        if place.trouble and number + 1 > began:
            moments = [number + (n + 0.5) / _PARTS - began for n in range(_PARTS)]
            part = math.fsum(course(one) for one in moments if one >= 0) / _PARTS
        values.append(
            noise.of(usual * day + part * (high * (1 if kind.noise == "errors" else day) - usual * day))
        )
    start = NOW - timedelta(seconds=length * period)
    hidden = kind.missing != "unknown"
    points = tuple(
        (start + timedelta(seconds=n * period), value)
        for n, value in enumerate(values)
        if value or not hidden
    )
    metric = Metric(namespace="N", name=place.shape, dimensions=(), stat=kind.stat, period=period)
    hint = (usual + high) / 2 if place.view == "symptom" and luck.random() < 0.5 else None
    begin = start + timedelta(seconds=place.before * period)
    if place.view == "neighbour":  # of which is known when the symptom began
        begin = max(begin, start + timedelta(seconds=int(began) * period) - SOONER)
    return Asked(
        shape=place.shape,
        view=place.view,
        seed=place.seed,
        series=Series(metric=metric, window=Window(start=start, end=NOW), points=points),
        window=Window(start=begin, end=NOW),
        bad=kind.bad,
        missing=kind.missing,
        hint=hint,
        truth=start + timedelta(seconds=began * period) if place.trouble else None,
    )


def _log(value: float) -> float:
    return math.log(max(value, 1e-3))


class _Noise:
    """What is measured where so much was to be expected."""

    def __init__(self, kind: Noise, luck: random.Random) -> None:
        self._kind, self._luck = kind, luck
        self._wide = luck.uniform(0.04, 0.25) if kind == "latency" else luck.uniform(0.02, 0.08)
        self._alike = luck.choice((0.0, 0.0, 0.5))
        self._last = 0.0

    def of(self, mean: float) -> float:
        luck = self._luck
        if self._kind in ("few", "errors"):
            return float(_count(luck, mean))
        fresh = luck.gauss(0, math.sqrt(1 - self._alike**2))
        self._last = self._alike * self._last + fresh
        value = mean * math.exp(self._wide * self._last)
        return float(_count(luck, value)) if self._kind == "requests" else value


def _count(luck: random.Random, mean: float) -> int:
    if mean > _LARGE:
        return max(0, round(luck.gauss(mean, math.sqrt(mean))))
    number, left, limit = 0, luck.random(), math.exp(-mean)
    while left > limit:
        left *= luck.random()
        number += 1
    return number
