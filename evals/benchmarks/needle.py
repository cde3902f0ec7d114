"""CloudTrail needle: is the one change that broke something found among all others, of its own resource too?

Published CloudTrail events are the haystack. In each of 200 simulated accounts one change of 20 kinds breaks something
that shows one or two relations away, 2 to 40 minutes later; at least five other changes of the same resource, that harm
nobody, and refused attempts lie around it. The whole graph investigates each account through the door that everybody
uses. What is looked at is the place of the planted event among all hypotheses of the last report, "something that
opsleuth cannot see" and hypotheses without an event included; equal probabilities share their places.

Controls stand in the same places: the planted change harms nobody, and something else fails. It must not be blamed.

Of every kind, plantings 0 to 4 are for development: weights may be set on them. Plantings 5 to 9 are held out, other
worlds of the same kinds, and have a row of their own: nothing is set by what they show.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from importlib.metadata import version
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING

from evals.baselines import Guess, by_loudness, by_nearness, scene_of
from evals.benchmarks import BenchResult
from evals.benchmarks.cloudtrail import records
from evals.bootstrap import interval
from evals.side_by_side import Job, all_of
from tools.clock import LiveClock
from tools.cloudtrail import is_mutating
from tools.cloudtrail_events import unwrap
from tools.errors import BadInput, OpsleuthError

if TYPE_CHECKING:
    from evals.benchmarks.needle_worlds import Planted, Planting
    from graph.models import Hypothesis, Report

EACH = 10
"""Plantings of every kind."""
DEVELOPMENT = 5
"""So many of them, the first ones, are for development."""
CONTROLS = 1
_WAYS = ("opsleuth", "latest", "nearest", "loudest", "random")
_TITLES = {
    "opsleuth": "opsleuth",
    "latest": "latest change before the alarm",
    "nearest": "newest change nearest to the symptom",
    "loudest": "newest change where a metric jumps most",
    "random": "any change, by chance",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where the planted change stands: `above` it so many, level with it `tied`, itself included."""

    above: float
    tied: float = 1

    @property
    def rank(self) -> float:
        """The expected rank when equals are put in order by chance."""
        return self.above + (self.tied + 1) / 2

    def among(self, most: int) -> float:
        """The chance that it is among the first `most`."""
        return min(max(most - self.above, 0.0) / self.tied, 1.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """What one planting came to. `places`: by way of ranking; `before`: what opsleuth put before it, or an error."""

    planting: Planting
    places: Mapping[str, Place]
    competing: int  # successful changes by somebody in the day before the alarm
    others: int  # of these, of the same resource near the symptom
    distance: int | None
    named: bool  # the verdict names it
    verdict: str
    before: tuple[str, ...] = ()
    error: str = ""


def run(path: Path, chosen: Sequence[Planting] | None = None, processes: int | None = None) -> BenchResult:
    """Plant and investigate: `chosen`, or all kinds. Raises BadInput when `path` holds no records of changes.

    Not ok when a planting cannot be investigated at all. Takes some 3 s of CPU each; `processes` side by side.
    """
    held = [unwrap(one) for one in records(path)]
    changes = sum(is_mutating(one) for one in held)
    if not changes:
        raise BadInput(f"{path} holds no CloudTrail record of a change, among which one could be planted.")
    from evals.benchmarks.needle_worlds import plantings

    wanted = plantings(EACH, CONTROLS) if chosen is None else chosen
    jobs = [Job(partial(measure, path, planting), partial(_lost, planting)) for planting in wanted]
    rows = all_of(jobs, processes)
    planted = [row for row in rows if row.planting.breaks]
    controls = [row for row in rows if not row.planting.breaks]
    return BenchResult(
        name="needle",
        figures=_figures(planted, controls, len(held), changes),
        text=_text(path, planted, controls, len(held), changes),
        ok=not any(row.error for row in rows),
    )


def measure(path: Path, planting: Planting) -> Row:
    """Make the world of one planting, investigate it, and see where the planted change stands."""
    from evals.benchmarks.needle_worlds import plant

    planted = plant(planting, [unwrap(one) for one in records(path)])
    if not planted.fires:
        return _lost(planting, "its alarm does not fire")
    try:
        report = asyncio.run(_investigated(planted))
    except OpsleuthError as error:
        return _lost(planting, f"{type(error).__name__}: {error}")
    scene = scene_of(planted.world, report.as_of, planted.symptom)
    changes = len(scene.changes)
    named = {one.event.id for one in (report.root_cause, *report.also) if one and one.event}
    return Row(
        planting=planting,
        places={
            "opsleuth": ranked(report.hypotheses, planted.event, changes),
            "latest": _ordered(scene.changes, planted.event),
            "nearest": _ordered(by_nearness(scene), planted.event),
            "loudest": _ordered(by_loudness(scene), planted.event),
            "random": Place(above=0, tied=max(1, changes)),
        },
        competing=changes,
        others=planted.others,
        distance=planted.distance,
        named=planted.event in named,
        verdict=report.verdict,
        before=_before(report.hypotheses, planted.event),
    )


async def _investigated(planted: Planted) -> Report:
    from evals.worlds import told
    from graph.context import Context
    from graph.session import register

    register("needle", lambda _: planted.world.transport())
    name = f"needle:{planted.planting.kind}-{planted.planting.number}"
    # All events are delivered by now, so that there is nothing to wait for.
    context = Context(source=name, region=planted.world.asked_in, wait=False)
    return (await told(planted.world, context))[-1]


def ranked(found: Sequence[Hypothesis], event: str, changes: int) -> Place:
    """The place of an event among hypotheses of all kinds; one that is not listed shares the end with the other
    changes that are not."""
    own = max((_shown(one) for one in found if one.event == event), default=None)
    if own is None:
        listed = {one.event for one in found if one.event}
        return Place(above=len(found), tied=max(1, changes - len(listed)))
    others = [_shown(one) for one in found if one.event != event]
    return Place(above=sum(one > own for one in others), tied=1 + sum(one == own for one in others))


def _shown(one: Hypothesis) -> float:
    return round(one.probability, 6)


def _before(found: Sequence[Hypothesis], event: str) -> tuple[str, ...]:
    own = max((_shown(one) for one in found if one.event == event), default=-1.0)
    return tuple(
        f"{one.probability:.2f} {one.title}" for one in found if one.event != event and _shown(one) >= own
    )


def _ordered(found: Sequence[Guess], event: str) -> Place:
    place = next((number for number, one in enumerate(found) if one.event == event), len(found))
    return Place(above=place)


def _lost(planting: Planting, reason: str) -> Row:
    worst = {way: Place(above=1000) for way in _WAYS}
    return Row(
        planting=planting,
        places=worst,
        competing=0,
        others=0,
        distance=None,
        named=False,
        verdict="",
        error=reason,
    )


# -- telling -----------------------------------------------------------------------------------------


def _by_kind(rows: Sequence[Row], value: Callable[[Row], float]) -> dict[str, list[float]]:
    found: dict[str, list[float]] = {}
    for row in rows:
        found.setdefault(row.planting.kind, []).append(value(row))
    return found


def _among(way: str, most: int, row: Row) -> float:
    return row.places[way].among(most)


def _measures(rows: Sequence[Row], way: str) -> dict[str, object]:
    ranks = [row.places[way].rank for row in rows]
    found: dict[str, object] = {"median_rank": median(ranks), "mean_rank": round(sum(ranks) / len(ranks), 2)}
    for most in (1, 3):
        share = interval(_by_kind(rows, partial(_among, way, most)))
        if share is not None:
            found[f"top{most}"] = round(share.mean, 4)
            found[f"top{most}_interval"] = [round(share.low, 4), round(share.high, 4)]
    return found


def _figures(rows: Sequence[Row], controls: Sequence[Row], events: int, changes: int) -> dict[str, object]:
    kinds = list(dict.fromkeys(row.planting.kind for row in rows))
    return {
        "events": events,
        "changes": changes,
        "plantings": len(rows),
        "kinds": len(kinds),
        "errors": [f"{row.planting.kind} {row.planting.number}: {row.error}" for row in rows if row.error],
        "competing_median": median(row.competing for row in rows),
        "others_least": min(row.others for row in rows),
        "distances": sorted({row.distance for row in rows if row.distance is not None}),
        "named": round(sum(row.named for row in rows) / len(rows), 4),
        "ways": {way: _measures(rows, way) for way in _WAYS},
        "split": {name: _of_part(part) for name, part in _split(rows) if part},
        "by_kind": {kind: _of_kind([row for row in rows if row.planting.kind == kind]) for kind in kinds},
        "controls": {
            "plantings": len(controls),
            "first": sum(row.places["opsleuth"].among(1) for row in controls),
            "named": sum(row.named for row in controls),
            "blamed": sum(_blamed(row) for row in controls),
        },
    }


def _blamed(row: Row) -> bool:
    """Whether a cause is named where nobody caused anything: the planted change or another harmless one."""
    return row.verdict == "root_cause"


def _split(rows: Sequence[Row]) -> tuple[tuple[str, list[Row]], ...]:
    """The plantings on which weights may be set, and those that are held out."""
    return (
        ("development", [row for row in rows if row.planting.number < DEVELOPMENT]),
        ("held out", [row for row in rows if row.planting.number >= DEVELOPMENT]),
    )


def _of_part(rows: Sequence[Row]) -> dict[str, object]:
    return {"plantings": len(rows), **_measures(rows, "opsleuth"), "named": sum(row.named for row in rows)}


def _of_kind(rows: Sequence[Row]) -> dict[str, object]:
    places = [row.places["opsleuth"] for row in rows]
    return {
        "plantings": len(rows),
        "median_rank": median(one.rank for one in places),
        "worst_rank": max(one.rank for one in places),
        **{f"top{most}": round(sum(one.among(most) for one in places) / len(rows), 4) for most in (1, 3)},
        "named": sum(row.named for row in rows),
    }


def _text(path: Path, rows: Sequence[Row], controls: Sequence[Row], events: int, changes: int) -> str:
    figures = _figures(rows, controls, events, changes)
    lags = sorted(row.planting.lag for row in rows)
    far = [row.distance for row in rows if row.distance is not None]
    lines = [
        f"CloudTrail needle ({path}): {events} events, {changes} of them changes; opsleuth {version('opsleuth')}, "
        f"{LiveClock().now():%Y-%m-%d}, fixed seeds",
        f"{len(rows)} plantings of {figures['kinds']} kinds, {lags[0]} to {lags[-1]} minutes before the symptom, "
        f"{far.count(1)} one and {far.count(2)} two relations away ({len(rows) - far.count(1) - far.count(2)} else)",
        f"{figures['others_least']} or more other changes of the same resource; "
        f"{figures['competing_median']:g} changes compete (median)",
        "",
        f"{'place of the planted change':<42}{'median':>8}{'mean':>8}   {'first':<24}among the first three",
    ]
    lines += [_way_line(_TITLES[way], rows, way) for way in _WAYS]
    lines += [
        _way_line(f"opsleuth, {name} ({len(part)})", part, "opsleuth") for name, part in _split(rows) if part
    ]
    lines += [
        "",
        f"{'opsleuth, by kind':<26}{'n':>4}{'median':>8}{'worst':>8}{'first':>8}{'<= 3':>8}{'named':>8}",
    ]
    for kind in dict.fromkeys(row.planting.kind for row in rows):
        one = _of_kind([row for row in rows if row.planting.kind == kind])
        lines.append(
            f"{kind:<26}{one['plantings']:>4}{one['median_rank']:>8g}{one['worst_rank']:>8g}{one['top1']:>8.2f}"
            f"{one['top3']:>8.2f}{one['named']:>8}"
        )
    named = sum(row.named for row in rows)
    lines += ["", f"the verdict names it: {named} of {len(rows)}"]
    if controls:
        first = sum(row.places["opsleuth"].among(1) for row in controls)
        lines.append(
            f"controls (planted and harmless, something else fails): first in {first:g} of {len(controls)}, "
            f"named in {sum(row.named for row in controls)}; anything named in {sum(map(_blamed, controls))}"
        )
    lines += ["", *(_failure(row) for row in (*rows, *controls) if _worth_telling(row))]
    return "\n".join(lines).rstrip() + "\n"


def _way_line(title: str, rows: Sequence[Row], way: str) -> str:
    found = _measures(rows, way)
    shares = [
        f"{share.mean:.3f} ({share.low:.2f} to {share.high:.2f})" if share else "·"
        for share in (interval(_by_kind(rows, partial(_among, way, most))) for most in (1, 3))
    ]
    return f"{title:<42}{found['median_rank']:>8g}{found['mean_rank']:>8g}   {shares[0]:<24}{shares[1]}"


def _worth_telling(row: Row) -> bool:
    first = row.places["opsleuth"].among(1) == 1
    return bool(row.error) or (not first if row.planting.breaks else first or _blamed(row))


def _failure(row: Row) -> str:
    one = row.planting
    what = f"{one.kind} {one.number} ({one.alarm}, {one.lag} min{'' if one.breaks else ', control'})"
    if row.error:
        return f"{what}: {row.error}"
    return f"{what}: {row.verdict}, place {row.places['opsleuth'].rank:g}, behind {'; '.join(row.before[:3]) or 'none'}"
