"""How risky a change is: limit against present demand, who relies on the resource, by hand in production, outside the
path that usually changes it. Pure. Weights are judgement; they order a list and prove nothing.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass

from graph.undoing.after import TAKES_AWAY
from graph.undoing.anatomy import verb
from graph.undoing.known import Known
from graph.undoing.moved import Moved
from graph.weighing.mechanism import FAILURE_ROLES, specs
from graph.weighing.moves import as_number
from graph.words import number, say
from tools.catalogue import change_of, owner_arn
from tools.models import ChangeEvent, Resource
from tools.services._spec import Effect

_PRODUCTION = ("prod", "production", "prd", "live")
_MACHINE = re.compile(r"i-[0-9a-f]{8,17}|[0-9a-f]{32}")
"""Sessions of roles that AWS gives to a machine or a task, named after it."""
_DESTROYS = frozenset({"Terminate", "Purge", "Schedule"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Risk:
    """A score to sort by, and its reasons, strongest first."""

    score: float
    reasons: tuple[str, ...]
    by_hand: bool
    inert: bool = False


def risk(event: ChangeEvent, known: Known, fields: tuple[Moved, ...], status: str) -> Risk:
    """The risk of one change. What is undone or was denied counts little: it is told for the record."""
    change, hand = change_of(event), by_hand(event)
    inert = change is not None and change.inert
    found = [*_dose(known, fields), *_effects(event, known, fields), *_reach(event, known)]
    found += _path(event, known, hand)
    score = sum(weight for weight, _ in found)
    score -= 4.0 if inert else 0.0
    score -= {"in force": 0.0, "changed again": 2.5, "undone": 4.0, "denied": 7.0, "failed": 7.0}.get(
        status, 0.0
    )
    told = sorted((item for item in found if item[1]), key=lambda item: -item[0])
    return Risk(
        score=round(score, 3),
        reasons=tuple(dict.fromkeys(words for _, words in told)),
        by_hand=hand,
        inert=inert,
    )


def by_hand(event: ChangeEvent) -> bool:
    """Whether a person made it in the console or on a command line."""
    actor = event.actor
    if actor.kind in ("iac", "ci", "cloudformation", "aws_service", "service_linked_role"):
        return False
    if _MACHINE.fullmatch(actor.session):
        return False  # the command line of a script as well as of whoever is logged in there
    return actor.how in ("console", "cli")


def _dose(known: Known, fields: tuple[Moved, ...]) -> Iterator[tuple[float, str]]:
    """A limit below what is asked for; else how far a number fell."""
    for one in fields:
        if one.since != "standing" or one.setting is None or not one.after_known:
            continue
        asked = (
            known.demand.get((owner_arn(one.resource), one.setting.limits)) if one.setting.limits else None
        )
        limit = as_number(one.after, one.setting)
        if asked is not None and limit is not None and asked > 0:
            if limit < asked:
                yield (
                    5.0,
                    say(
                        "{limit} is below the mean demand of {demand} in the 3 h before",
                        limit=one.after,
                        demand=number(asked),
                    ),
                )
                continue
            if limit > 1.5 * asked:
                yield -1.0, ""
        yield from _fall(one)


def _fall(one: Moved) -> Iterator[tuple[float, str]]:
    if not one.before_known or one.setting is None:
        return
    before, after = as_number(one.before, one.setting), as_number(one.after, one.setting)
    if before is None or after is None or isinstance(one.after, bool) or before == after:
        return
    if not _hurts(one, "lowered" if after < before else "raised"):
        return
    times = max(abs(before), 1e-9) / max(abs(after), 1e-9)
    times = max(times, 1 / times)
    if times >= 1.5:
        yield min(2.0, 0.8 * math.log10(times) + 0.5), _far(before, after, times)


def _far(before: float, after: float, times: float) -> str:
    """How far a number moved, in words; from and to nothing or no limit there is no factor."""
    if after == 0:
        return say("down to 0")
    if math.isinf(before):
        return say("limited now")
    if before == 0 or math.isinf(after):
        return ""
    return say("moved {times} times", times=number(times))


def _hurts(one: Moved, direction: str) -> bool:
    assert one.setting is not None
    return any(_bad(effect) for effect in one.setting.effects if effect.when in ("any", direction))


def _bad(effect: Effect) -> bool:
    return effect.direction in ("up", "silent") or effect.metric in ("role:work", "role:demand")


def _effects(event: ChangeEvent, known: Known, fields: tuple[Moved, ...]) -> Iterator[tuple[float, str]]:
    """What the service file says that it breaks, in the direction in which it moved."""
    change = change_of(event)
    if change is None:
        if verb(event.operation)[0] in TAKES_AWAY | _DESTROYS:
            yield 1.0, say("it takes something away")
        return
    fitting = [one for one in change.effects if _bad(one)]
    resources = {arn: known.resource(arn) for arn in known.touched(event)[:1]}
    for one in fields:
        if one.since == "standing" and one.setting is not None:
            fitting += [each for each in one.setting.effects if each.when in ("any", *_directions(one))]
    if any(_fails(effect, resource) for effect in fitting for resource in resources.values()):
        yield 2.0, say("can make requests fail")
    elif fitting:
        yield 1.0, say("can be felt")
    elif change.breaks and not fields:
        yield 1.2, ""
    if verb(event.operation)[0] in TAKES_AWAY | _DESTROYS:
        yield 1.0, say("it takes something away")


def _directions(one: Moved) -> tuple[str, ...]:
    assert one.setting is not None
    if not one.before_known or not one.after_known:
        return ("lowered", "raised", "removed")
    before, after = as_number(one.before, one.setting), as_number(one.after, one.setting)
    if one.after in (None, "") and before is None:
        return ("removed",)
    if before is None or after is None:
        return ("lowered", "raised", "removed")
    return ("lowered",) if after < before else ("raised",)


def _fails(effect: Effect, resource: Resource) -> bool:
    if effect.direction == "silent" or effect.metric.removeprefix("role:") in FAILURE_ROLES:
        return True
    role = next((spec.role for spec in specs(resource) if spec.name == effect.metric), "")
    return (effect.direction == "up" and role in FAILURE_ROLES) or (
        effect.direction == "down" and role == "work"
    )


def _reach(event: ChangeEvent, known: Known) -> Iterator[tuple[float, str]]:
    count = max((known.callers.get(owner_arn(arn), 0) for arn in known.touched(event)), default=0)
    if count:
        yield min(2.0, 0.7 * math.log2(1 + count)), say("{count} rely on it", count=count)


def _path(event: ChangeEvent, known: Known, hand: bool) -> Iterator[tuple[float, str]]:
    if not hand:
        return
    if in_production(event, known):
        yield 1.2, say("by hand in production")
    else:
        yield 0.7, say("by hand")
    arns = known.touched(event)
    history = known.on(arns[0]) if arns else known.same(event)
    before = [one for one in history if one.time < event.time]
    usual = sum(not by_hand(one) for one in before)
    if len(before) >= 2 and usual >= 2 * len(before) / 3:
        yield 1.0, say("usually a pipeline changes it")


def in_production(event: ChangeEvent, known: Known) -> bool:
    """By tags or names: nothing else tells it."""
    for arn in known.touched(event):
        resource = known.resource(arn)
        tags = {key.lower(): value.lower() for key, value in resource.tags.items()}
        if any(tags.get(key, "") in _PRODUCTION for key in ("env", "environment", "stage", "tier")):
            return True
        if any(word in _PRODUCTION for word in resource.name.lower().replace("_", "-").split("-")):
            return True
    return False
