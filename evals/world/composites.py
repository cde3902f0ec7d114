"""Composite alarms: a rule over the states of other alarms.

User guide, "Create a composite alarm": ALARM("name or ARN"), OK(..), INSUFFICIENT_DATA(..), TRUE, FALSE, AND, OR, NOT.
The alarm is in ALARM while its rule is true and OK while it is not.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any

from evals.world.alarm_reason import long
from evals.world.alarms import AlarmClock, State
from tools.models import Json

_TOKEN = re.compile(r"""\s*(?:(?P<text>"[^"]*"|'[^']*')|(?P<sign>[()])|(?P<word>[^\s()"']+))""")
_STATES = ("ALARM", "OK", "INSUFFICIENT_DATA")
_AFTER = timedelta(milliseconds=350)
Test = Callable[[Callable[[str], str]], bool]  # asks for the state of an alarm by name


class BadRule(ValueError):
    """The text is no alarm rule."""


@dataclass(frozen=True, slots=True)
class AlarmRule:
    """A parsed rule: the alarms that it names, and whether it holds for their states."""

    names: tuple[str, ...]
    holds: Test


def parse(text: str) -> AlarmRule:
    """Raises BadRule."""
    reader = _Reader(text)
    test = reader.either()
    if reader.tokens:
        raise BadRule(f"unexpected {reader.tokens[0]}")
    return AlarmRule(tuple(dict.fromkeys(reader.names)), test)


class _Reader:
    def __init__(self, text: str) -> None:
        self.tokens: list[str] = []
        self.names: list[str] = []
        place = 0
        while text[place:].strip():
            match = _TOKEN.match(text, place)
            if match is None:
                raise BadRule(f"unexpected {text[place:].strip()[:10]}")
            self.tokens.append(match.group().strip())
            place = match.end()

    def next(self) -> str:
        if not self.tokens:
            raise BadRule("unexpected end")
        return self.tokens.pop(0)

    def need(self, sign: str) -> None:
        if self.next() != sign:
            raise BadRule(f"{sign} is missing")

    def either(self) -> Test:
        tests = [self.both()]
        while self.tokens and self.tokens[0].upper() == "OR":
            self.next()
            tests.append(self.both())
        return lambda state: any(test(state) for test in tests)

    def both(self) -> Test:
        tests = [self.one()]
        while self.tokens and self.tokens[0].upper() == "AND":
            self.next()
            tests.append(self.one())
        return lambda state: all(test(state) for test in tests)

    def one(self) -> Test:
        word = self.next().upper()
        if word == "NOT":
            inner = self.one()
            return lambda state: not inner(state)
        if word == "(":
            whole = self.either()
            self.need(")")
            return whole
        if word in ("TRUE", "FALSE"):
            return lambda state: word == "TRUE"
        if word not in _STATES:
            raise BadRule(f"unexpected {word}")
        self.need("(")
        given = self.next()
        if given in "()":
            raise BadRule("the name of an alarm is missing")
        name = given.strip("\"'")
        if ":alarm:" in name:
            name = name.split(":alarm:", maxsplit=1)[1]
        self.need(")")
        self.names.append(name)
        return lambda state: state(name) == word


@dataclass
class Composite:
    """One composite alarm. `alarms` and `composites` are those of its world, where its rule looks names up."""

    name: str
    arn: str
    region: str
    rule: str
    created: datetime
    alarms: Mapping[str, AlarmClock]
    composites: Mapping[str, Composite]
    actions: tuple[str, ...] = ()
    description: str = ""
    _parsed: AlarmRule = field(init=False)

    def __post_init__(self) -> None:
        self._parsed = parse(self.rule)

    def names(self) -> tuple[str, ...]:
        return self._parsed.names

    def _child(self, name: str) -> AlarmClock | Composite | None:
        return self.alarms.get(name) or self.composites.get(name)

    def states(self, as_of: datetime) -> list[State]:
        """States entered up to `as_of`, oldest first."""
        held = {
            name: child.states(as_of) for name in self.names() if (child := self._child(name)) is not None
        }
        moments = {self.created} | {
            one.time for states in held.values() for one in states if self.created < one.time <= as_of
        }
        found: list[State] = []
        for moment in sorted(moments):
            at = {name: _at(states, moment) for name, states in held.items()}
            value = "ALARM" if self._parsed.holds(_asked(at)) else "OK"
            if not found or found[-1].value != value:
                time = moment + (_AFTER if found else timedelta(0))
                found.append(State(time, value, self._reason(value, at), self._data(at, time)))
        return [one for one in found if one.time <= as_of] or [
            State(self.created, "INSUFFICIENT_DATA", "Unchecked: Initial alarm creation", "")
        ]

    def state(self, as_of: datetime) -> State:
        return self.states(as_of)[-1]

    def _reason(self, value: str, at: Mapping[str, str]) -> str:
        child = next((name for name, state in at.items() if (state == "ALARM") == (value == "ALARM")), "")
        held = self._child(child)
        arn = held.arn if held is not None else self.arn
        truth = "true" if value == "ALARM" else "false"
        return f"{arn} transitioned to {at.get(child, value)} and the alarm rule evaluates to {truth}"

    def _data(self, at: Mapping[str, str], moment: datetime) -> str:
        children = [
            {"arn": child.arn, "state": {"value": state, "timestamp": long(moment)}}
            for name, state in at.items()
            if (child := self._child(name)) is not None
        ]
        return json.dumps({"triggeringAlarms": children})

    def describe(self, as_of: datetime) -> Json:
        """The alarm as DescribeAlarms shows it."""
        state = self.state(as_of)
        shown: Json = {
            "AlarmName": self.name,
            "AlarmArn": self.arn,
            "AlarmRule": self.rule,
            "AlarmConfigurationUpdatedTimestamp": self.created,
            "ActionsEnabled": True,
            "OKActions": [],
            "AlarmActions": list(self.actions),
            "InsufficientDataActions": [],
            "StateValue": state.value,
            "StateReason": state.reason,
            "StateUpdatedTimestamp": state.time,
            "StateTransitionedTimestamp": state.time,
        }
        if self.description:
            shown["AlarmDescription"] = self.description
        if state.data:
            shown["StateReasonData"] = state.data
        return shown

    def history(self, as_of: datetime) -> list[Json]:
        """Items of DescribeAlarmHistory of the last 30 days, newest first."""
        states = self.states(as_of)
        items = [
            {
                "AlarmName": self.name,
                "AlarmType": "CompositeAlarm",
                "Timestamp": new.time,
                "HistoryItemType": "StateUpdate",
                "HistorySummary": f"Alarm updated from {old.value} to {new.value}",
                "HistoryData": json.dumps(
                    {"version": "1.0", "oldState": _shown(old), "newState": _shown(new)}
                ),
            }
            for old, new in pairwise(states)
            if new.time >= as_of - timedelta(days=30)
        ]
        return items[::-1]


def _asked(at: Mapping[str, str]) -> Callable[[str], str]:
    return lambda name: at.get(name, "INSUFFICIENT_DATA")


def _at(states: list[State], moment: datetime) -> str:
    return next((one.value for one in reversed(states) if one.time <= moment), "INSUFFICIENT_DATA")


def _shown(state: State) -> Any:
    return {"stateValue": state.value, "stateReason": state.reason}
