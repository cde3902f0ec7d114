"""What cannot happen in the world of a case: built for some seeds and looked at."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any

from evals.mistakes import truth as truths
from evals.mistakes.events import check_kind
from evals.mistakes.sheet import Sheet
from evals.mistakes.values import NUMBERS, leaves
from evals.world.alarm_rule import COMPARISONS
from evals.world.alarms import AlarmClock
from evals.world.case import Builder
from evals.world.casefile import CaseFile
from evals.world.kinds import kinds
from evals.world.seed import Seed
from evals.world.world import World
from evals.worlds import facts_of
from evals.yaml_places import Where
from tools.errors import BadInput

_PLACE = re.compile(r"^(resources|alarms|events|people|traffic|flows|draws|look|trigger)((?:\.[\w-]+)*)")
_OPTION = re.compile(r"^([\w-]+)\.with\.([\w-]+) names ")
_LATER = timedelta(hours=3)


def check(case: Sheet, truth: Sheet, name: str, seeds: Sequence[int]) -> bool:
    """Build the worlds of a sound case.yaml. Stops with the first seed that shows a mistake.

    Returns whether a world could be asked for its facts.
    """
    read = CaseFile.model_validate(case.value)
    for seed in seeds:
        builder = Builder(read, name, Seed(seed))
        if not _laid_out(case, builder, seed):
            return seed != seeds[0]
        world = _built(case, builder, seed)
        if world is None:
            return seed != seeds[0]
        facts = facts_of(world)
        _alarm(case, builder, world, seed)
        _moves(case, truth, facts, seed)
        if truth.value and truths.known(truth, facts, seed):
            truths.filled(truth, facts, seed)
        if not (case.sound and truth.sound):
            break
    return True


def _laid_out(case: Sheet, builder: Builder, seed: int) -> bool:
    """Resources alone, and what events may do to them: their parts are known only now."""
    if not _tried(case, builder.lay_out, seed):
        return False
    for pattern in NUMBERS:
        for where, value in leaves(case, pattern):
            if isinstance(value, str):
                drawn = builder.values.resolve(value)
                if not _number(drawn):
                    case.add(
                        where,
                        f'{".".join(map(str, where))} is "{drawn}" with seed {seed}; it must be a number.',
                    )
    for index, event in case.maps("events"):
        where = ("events", index)
        name, target = str(event["id"]), str(event.get("set") or event.get("create"))
        thing = builder.things.get(target)
        if target not in (*case.map("resources"), *case.map("alarms")):
            if thing is None:
                known = ", ".join((*builder.things, *case.map("alarms")))
                case.add(where, f'events.{name}: there is no "{target}" in this case. Known: {known}.')
                continue
            kind = kinds().get(thing.kind)
            if kind is not None:
                check_kind(case, where, name, event, kind)
        if case.sound:
            _later(case, builder, where, event, seed)
    return case.sound


def _later(case: Sheet, builder: Builder, where: Where, event: dict[str, Any], seed: int) -> None:
    """An event on something that is made later."""
    at, target = str(event["at"]), str(event.get("set") or event.get("create"))
    if at.startswith("onset"):
        return
    try:
        moment = builder.when(at)
        if target in builder.case.alarms:
            age = builder.values.resolve(builder.case.alarms[target].age_days)
            made = builder.when(f"-{int(float(age))}d")
        else:
            made = builder.things[target].created
    except BadInput as error:
        case.add((*where, "at"), f"events.{event['id']}.at: with seed {seed} {error}")
        return
    if moment < made:
        age_days = (builder.moment - made).days
        text = (
            f"events.{event['id']}.at: {at} is before {target} is made, {age_days} days before the moment "
            f"(seed {seed}). Give {target} a greater age_days, or let it happen later."
        )
        case.add((*where, "at"), text)


def _number(value: Any) -> bool:
    try:
        float(value)
    except (TypeError, ValueError):
        return False
    return True


def _built(case: Sheet, builder: Builder, seed: int) -> World | None:
    fresh = Builder(builder.case, builder.name, builder.seed)
    return fresh.world if _tried(case, fresh.build, seed) else None


def _tried(case: Sheet, step: Any, seed: int) -> bool:
    """Run a step of building; its errors become mistakes."""
    try:
        step()
    except BadInput as error:
        _said(case, str(error).split("\n"), seed)
        return False
    except (ValueError, LookupError, TypeError, AttributeError, AssertionError) as error:
        text = f"the world cannot be built with seed {seed}: {type(error).__name__}: {error}. "
        case.add((), text + "A value in the case is of another form than its kind expects.")
        return False
    return True


def _said(case: Sheet, texts: Iterable[str], seed: int) -> None:
    for text in texts:
        where = _where(case, text)
        case.add(where, text if where else f"with seed {seed}: {text}")


def _where(case: Sheet, text: str) -> Where:
    """The place that a message begins with; events go by their ids, and a metric that is not there by `metric`."""
    if text.startswith("In case ") and "no onset" in text:
        return ("look",)
    option = _OPTION.match(text)
    if option is not None and option[1] in case.map("resources"):
        return ("resources", option[1], "with", option[2])
    match = _PLACE.match(text)
    if match is None:
        return ()
    parts: list[str | int] = [match[1], *[one for one in match[2].split(".") if one]]
    if match[1] == "events" and len(parts) > 1:
        number = next((index for index, event in case.maps("events") if event.get("id") == parts[1]), 0)
        parts[1] = number
    if "which nothing emits" in text:
        parts.append("metric")
    return tuple(parts)


def _alarm(case: Sheet, builder: Builder, world: World, seed: int) -> None:
    """The alarm that starts the investigation must be red by then."""
    alarm = world.alarms[world.trigger["alarm"]]
    states = alarm.states(world.start)
    if any(one.value == "ALARM" for one in states):
        return
    key = builder.case.trigger
    red = next((one for one in alarm.states(world.start + _LATER) if one.value == "ALARM"), None)
    if red is not None:
        minutes = (red.time - world.start).total_seconds() / 60
        text = (
            f"look: with seed {seed} the investigation begins {minutes:.0f} minutes before alarm {key} goes red. "
            "Look later, or write `after: alarm`."
        )
        case.add(("look",), text)
        return
    text = f"alarms.{key}: with seed {seed} it never goes red: {_reached(alarm, world)}"
    case.add(("alarms", key), text)


def _reached(alarm: AlarmClock, world: World) -> str:
    """How near the metric comes to the threshold."""
    held = f"{alarm.metric} ({alarm.stat})"
    if alarm.source is None:
        return f"{held} has no datapoints."
    since = (world.start - timedelta(hours=3)).timestamp()
    until = (world.start + _LATER).timestamp()
    found = [
        value
        for _, value in world.telemetry.points(alarm.source, alarm.stat, alarm.period, since, until, until)
    ]
    if not found:
        return f"{held} has no datapoints in the hours around the look; is it not emitted, or is there no traffic?"
    limit, how = alarm.threshold(world.start), str(alarm.settings.at("ComparisonOperator", world.start))
    many = sum(COMPARISONS[how](value, limit) for value in found)
    needed = alarm.settings.at("DatapointsToAlarm", world.start)
    of = alarm.settings.at("EvaluationPeriods", world.start)
    return (
        f"{held} is between {min(found):g} and {max(found):g} in the hours around the look, {many} of {len(found)} "
        f"datapoints are {how} {limit:g}, and {needed} of {of} in a row are needed. Change threshold, datapoints, "
        "traffic, or what happens."
    )


def _moves(case: Sheet, truth: Sheet, facts: dict[str, Any], seed: int) -> None:
    """What the truth calls the cause, or a setting that it may ask for, must be another value afterwards."""
    causes = {
        name.split(".")[0] for where, name in truths.references(truth) if where[:2] == ("cause", "event")
    }
    for index, event in case.maps("events"):
        name = str(event["id"])
        if not (event.get("known_as") or name in causes) or event.get("denied") or not event.get("path"):
            continue
        before, after = facts.get(f"{name}.before"), facts.get(f"{name}.after")
        if f"{name}.before" in facts and before == after and event.get("to") != "$same":
            text = f"events.{name}.to: {event['path']} is {_plain(after)} already (seed {seed}): nothing changes."
            case.add(("events", index, "to"), text)


def _plain(value: Any) -> str:
    return value.isoformat() if isinstance(value, datetime) else "not there" if value is None else str(value)
