"""Has it recovered? A verdict from what was read again; pure. `api.look` does the reading."""

from __future__ import annotations

import statistics
from dataclasses import dataclass
from datetime import timedelta
from typing import Literal

from api.check_facts import Beside, Facts, Later, Setting, Symptom, Traffic, same, shown
from graph.words import number, say, stamp

Word = Literal["RECOVERED", "NOT YET", "WORSE", "CHANGED AGAIN"]
QUIET = 5
"""Periods in a row without the symptom before it counts as gone."""
_WORSE = 1.25
"""How far beyond the incident's own level is worse, and not noise."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """One word and what stands behind it. `settled`: looking again will not change it by itself."""

    word: Word
    lines: tuple[str, ...]

    @property
    def settled(self) -> bool:
        return self.word != "NOT YET"


def judge(facts: Facts) -> Judgement:
    """The verdict of a check. Times in its lines are ISO, for `graph.words.localise`."""
    settings, symptom = _settings(facts), facts.symptom
    again = [line for setting in settings for line in _changed_again(setting)]
    if again:
        return Judgement(word="CHANGED AGAIN", lines=tuple(again))
    if symptom is not None and all(_put_back(one) for one in settings) and (worse := _worse(symptom)):
        back = say("Go back: run the way back of the report.") if settings else ""
        return Judgement(word="WORSE", lines=tuple(line for line in (worse, back) if line))
    missing = [line for setting in settings for line in _setting_missing(setting)]
    missing += [*_symptom_missing(symptom), *_alarm_missing(facts)]
    missing += _traffic_missing(symptom, facts.traffic)
    if symptom is None and facts.alarm_state != "OK":
        missing.append(
            say("No metric and no alarm tell whether the symptom is gone: look at the service itself.")
        )
    missing += [say("Could not see {what}: {why}", what=gap.what, why=gap.why) for gap in facts.gaps]
    if missing:
        return Judgement(word="NOT YET", lines=tuple(missing))
    return Judgement(word="RECOVERED", lines=tuple(_good(facts)))


def _settings(facts: Facts) -> tuple[Setting, ...]:
    """The settings of all causes, the first cause's first."""
    return (*((facts.setting,) if facts.setting is not None else ()), *facts.also)


def _put_back(setting: Setting) -> bool:
    if not setting.seen:
        return False
    if setting.prior_known:
        return same(setting.live, setting.prior, setting.unset)
    return not same(setting.live, setting.bad, setting.unset)


def _changed_again(setting: Setting) -> tuple[str, ...]:
    if not setting.seen:
        return ()
    last = setting.later[-1] if setting.later else None
    who = _who(last) if last else say("By whom is not visible: CloudTrail shows no newer change yet.")
    still_bad = same(setting.live, setting.bad, setting.unset)
    if still_bad:
        if last is None or not same(last.value, setting.bad, setting.unset):
            return ()
        return (say("{name} was set to {value} again.", name=setting.name, value=shown(setting.live)), who)
    if not setting.prior_known or same(setting.live, setting.prior, setting.unset):
        return ()
    told = say(
        "{name} is {live}: neither {bad}, which broke it, nor {prior}, which was there before.",
        name=setting.name,
        live=shown(setting.live),
        bad=shown(setting.bad),
        prior=shown(setting.prior),
    )
    return (told, who, say("Talk to them before you run the plan; investigate again if it is still broken."))


def _who(change: Later) -> str:
    return say(
        "{operation} by {by} at {time}, event {id}.",
        operation=change.operation,
        by=change.by,
        time=stamp(change.time),
        id=change.id,
    )


def _worse(symptom: Symptom) -> str:
    recent = [value for _, value in symptom.points[-QUIET:]]
    if not symptom.known or len(recent) < QUIET or symptom.incident is None or symptom.normal is None:
        return ""
    level, depth = statistics.median(recent), symptom.incident - symptom.normal
    if depth == 0 or (level - symptom.normal) / depth <= _WORSE:
        return ""
    return say(
        "{name} is at {level} per {period}; during the incident it was {incident}, normal is {normal}.",
        name=symptom.name,
        level=number(level),
        period=_span(symptom.period),
        incident=number(symptom.incident),
        normal=number(symptom.normal),
    )


def _setting_missing(setting: Setting) -> list[str]:
    if not setting.seen:
        return [say("{name} could not be read, so nobody can say that it is back.", name=setting.name)]
    if _put_back(setting):
        return []
    told = say("{name} is still {value}.", name=setting.name, value=shown(setting.live))
    if setting.later:
        last = setting.later[-1]
        told = say("{told} {who} It has not taken effect.", told=told, who=_who(last))
    elif setting.prior_known:
        told = say("{told} The plan sets {prior}.", told=told, prior=shown(setting.prior))
    return [told]


def _symptom_missing(symptom: Symptom | None) -> list[str]:
    if symptom is None:
        return []
    if not symptom.known or not symptom.points:
        return [say("{name} has no datapoint yet.", name=symptom.name)]
    recent = symptom.points[-QUIET:]
    hurting = [(moment, value) for moment, value in recent if symptom.hurts(value)]
    needed = say("It must be quiet for {span}.", span=_span(symptom.period * QUIET))
    if any(symptom.hurts(value) is None for _, value in recent):
        return [say("{name} cannot be judged: what is normal is not known.", name=symptom.name)]
    if not hurting and len(recent) < QUIET:
        return [
            say("{name} is quiet since {time}.", name=symptom.name, time=stamp(recent[0][0])) + " " + needed
        ]
    if not hurting:
        return []
    moment, value = hurting[-1]
    told = say(
        "{name} was {value} in the {span} from {time}.",
        name=symptom.name,
        value=number(value),
        span=_span(symptom.period),
        time=stamp(moment),
    )
    normal = say("Normal is {normal}.", normal=number(symptom.normal)) if symptom.normal is not None else ""
    return [" ".join(part for part in (told, normal, needed) if part)]


def _traffic_missing(symptom: Symptom | None, traffic: Traffic | None) -> list[str]:
    """Where nothing is asked nothing is refused: that proves no recovery. A symptom that falls shows it itself."""
    if symptom is None or symptom.bad == "down" or traffic is None or not traffic.gone:
        return []
    return [
        say(
            "There was no traffic since, so quiet proves nothing: {name} is 0 in the last {span}; "
            "before the incident it was {before} per {period}.",
            name=traffic.name,
            span=_span(symptom.period * len(traffic.recent)),
            before=number(traffic.before),
            period=_span(symptom.period),
        )
    ]


def _alarm_missing(facts: Facts) -> list[str]:
    found = []
    if facts.alarm_state == "ALARM" and not facts.stays_red:
        found.append(say("Alarm {name} is still in ALARM.", name=facts.alarm))
    return found + [
        say(
            "Alarm {name}, of the blast radius, is in ALARM since {time}.",
            name=one.name,
            time=stamp(one.since),
        )
        for one in facts.beside
        if not one.before and not one.stays_red
    ]


def _beside(one: Beside) -> str:
    if one.before:
        return say(
            "Alarm {name} is red since {time}, before this began.", name=one.name, time=stamp(one.since)
        )
    return say("Alarm {name} is red since {time}; such alarms keep their state while there is no new datapoint.",
               name=one.name, time=stamp(one.since))  # fmt: skip


def _good(facts: Facts) -> list[str]:
    lines = [say("{name} is {value}.", name=one.name, value=shown(one.live)) for one in _settings(facts)]
    if facts.symptom is not None:
        lines.append(_quiet(facts.symptom))
    if facts.alarm_state == "ALARM":
        lines.append(
            say("Alarm {name} is still red and will not clear by itself: see Stays red.", name=facts.alarm)
        )
    elif facts.alarm_state:
        lines.append(say("Alarm {name} is {state}.", name=facts.alarm, state=facts.alarm_state))
    return lines + [_beside(one) for one in facts.beside]


def _quiet(symptom: Symptom) -> str:
    """Since when the symptom is gone, as far as the points reach back."""
    for moment, value in reversed(symptom.points):
        if symptom.hurts(value):
            since = moment + timedelta(seconds=symptom.period)
            return say("{name} is normal since {time}.", name=symptom.name, time=stamp(since))
    return say(
        "{name} is normal since {time} or longer.", name=symptom.name, time=stamp(symptom.points[0][0])
    )


def _span(seconds: int) -> str:
    if seconds % 60:
        return say("{count} seconds", count=seconds)
    return say("minute") if seconds == 60 else say("{count} minutes", count=seconds // 60)
