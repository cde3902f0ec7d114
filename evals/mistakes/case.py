"""What a case.yaml names that is not there: kinds, options, settings, ids, people, moments."""

from __future__ import annotations

import re
from collections.abc import Collection
from pathlib import Path
from typing import Any

from evals.mistakes import bounds, shape, values
from evals.mistakes.events import check as check_events
from evals.mistakes.events import setting, value
from evals.mistakes.sheet import Sheet, gather, near, spelt
from evals.world import casefile
from evals.world.alarm_rule import COMPARISONS
from evals.world.casefile import WAYS, CaseFile
from evals.world.kinds import kinds
from evals.world.percentiles import rank
from evals.world.telemetry import STATISTICS
from evals.yaml_places import Where
from tools.errors import BadInput

_REGION = re.compile(r"^[a-z]{2,3}(-[a-z]+)+-\d$")
_ACTION = re.compile(r"^[a-z0-9-]+:[A-Za-z*]+$")
_STATES = ("OK", "ALARM", "INSUFFICIENT_DATA")


def read(path: Path) -> Sheet:
    """A case.yaml with the cases that it is like, checked without building its world."""
    sheet = gather(path, _base, casefile.merge)
    if not sheet.value:
        return sheet
    shape.told(sheet, CaseFile)
    things = (*sheet.map("resources"), *sheet.map("alarms"))
    values.check(sheet, things)
    bounds.check(sheet)
    _people(sheet)
    _resources(sheet)
    _alarms(sheet)
    _traffic(sheet)
    check_events(sheet)
    _rest(sheet)
    return sheet


def _base(path: Path, name: str) -> Path | None:
    sibling = path.parent.parent / name / "case.yaml"
    if sibling.is_file():
        return sibling
    try:
        return casefile.find(name)
    except BadInput:
        return None


def plain(value: Any) -> bool:
    """Whether a value is a text without anything to fill in."""
    return isinstance(value, str) and "$" not in value and "{" not in value


def _people(sheet: Sheet) -> None:
    for key, person in sheet.maps("people"):
        way = person.get("way")
        if plain(way) and way not in WAYS:
            sheet.add(("people", key, "way"), f'people.{key}.way: "{way}" is not known.{spelt(way, WAYS)}')
        if way in ("ci", "terraform") and not person.get("role"):
            sheet.add(("people", key), f"people.{key}: say with `role` which role {way} runs as.")


def _resources(sheet: Sheet) -> None:
    known = kinds()
    for key, resource in sheet.maps("resources"):
        where: Where = ("resources", key)
        kind = known.get(str(resource.get("kind")))
        if kind is None:
            if "kind" in resource:
                text = f'there is no kind "{resource["kind"]}".'
                sheet.add(
                    (*where, "kind"), f"resources.{key}: {text}{spelt(resource['kind'], sorted(known))}"
                )
            continue
        for name in sheet.map(*where, "with"):
            if name not in kind.options:
                text = f'a {kind.name} has no option "{name}".{spelt(name, kind.options)}'
                sheet.add((*where, "with", name), f"resources.{key}.with: {text}")
        if resource.get("route") and "route" not in kind.options:
            sheet.add(
                (*where, "route"), f"resources.{key}.route: a {kind.name} has no routes; only APIs have."
            )
        for path, given in sheet.map(*where, "settings").items():
            place = (*where, "settings", path)
            setting(sheet, place, kind.name, path)
            value(sheet, place, sheet.name(place), kind.settings.get(path, ""), given)
        called = _called(resource.get("calls"))
        if called and kind.link is None:
            sheet.add((*where, "calls"), f"resources.{key}.calls: a {kind.name} calls nothing.")
        for one, place in called:
            _id(sheet, (*where, "calls", *place), one, f"resources.{key}.calls", sheet.map("resources"))


def _called(calls: Any) -> list[tuple[str, Where]]:
    if isinstance(calls, str):
        return [(calls, ())] if calls else []
    if isinstance(calls, dict):
        return [(str(one), (str(one),)) for one in calls]
    return [(str(one), (index,)) for index, one in enumerate(calls or ())] if isinstance(calls, list) else []


def _id(sheet: Sheet, where: Where, name: str, said: str, known: Collection[str]) -> None:
    """Add a mistake when an id is none of the case. Parts have ids after the resource they belong to: queue_mapping."""
    if name not in known and not any(name.startswith(f"{one}_") for one in known):
        sheet.add(where, f'{said}: there is no "{name}" in this case.{spelt(name, known)}')


def _alarms(sheet: Sheet) -> None:
    for key, alarm in sheet.maps("alarms"):
        where: Where = ("alarms", key)
        if key in sheet.map("resources"):
            sheet.add(where, f"alarms.{key}: a resource has this id too. Give the alarm another one.")
        if plain(alarm.get("on")):
            _id(sheet, (*where, "on"), alarm["on"], f"alarms.{key}.on", sheet.map("resources"))
        stat = alarm.get("stat")
        if plain(stat) and stat not in STATISTICS and rank(str(stat)) is None:
            text = f'alarms.{key}.stat: "{stat}" is no statistic.{spelt(stat, (*STATISTICS, "p99"))}'
            sheet.add((*where, "stat"), text)
        how = alarm.get("comparison")
        if how is not None and how not in COMPARISONS:
            sheet.add(
                (*where, "comparison"),
                f'alarms.{key}.comparison: "{how}" is not known.{spelt(how, COMPARISONS)}',
            )
        state = alarm.get("initial")
        if plain(state) and state not in _STATES:
            sheet.add(
                (*where, "initial"), f'alarms.{key}.initial: "{state}" is no state.{spelt(state, _STATES)}'
            )
        period = alarm.get("period")
        if isinstance(period, int) and (period < 60 or period % 60):
            sheet.add(
                (*where, "period"), f"alarms.{key}.period must be a multiple of 60 seconds, not {period}."
            )
        needed, of = alarm.get("datapoints", 3), alarm.get("periods", 5)
        if isinstance(needed, int) and isinstance(of, int) and not 1 <= needed <= of:
            sheet.add((*where, "datapoints"), f"alarms.{key}: {needed} datapoints of {of} periods cannot be.")
        if not isinstance(alarm.get("dimensions", {}), dict) and plain(alarm["dimensions"]):
            sheet.add(
                (*where, "dimensions"),
                f'alarms.{key}.dimensions must be a map: {{FunctionName: "{{name}}"}}.',
            )
    trigger = sheet.value.get("trigger", "alarm")
    if isinstance(trigger, str) and trigger not in sheet.map("alarms"):
        say = "" if "trigger" in sheet.value else " Give an alarm this id, or name one with `trigger:`."
        sheet.add(
            ("trigger",), f'trigger: there is no alarm "{trigger}".{spelt(trigger, sheet.map("alarms"))}{say}'
        )


def _traffic(sheet: Sheet) -> None:
    places: list[Where] = [("traffic",), *(("flows", name) for name in sheet.map("flows"))]
    for where in places:
        enters = sheet.at(*where, "enters")
        if not isinstance(enters, str) or not enters:
            continue
        said = f"{'.'.join(map(str, where))}.enters"
        _id(sheet, (*where, "enters"), enters, said, sheet.map("resources"))
        kind = kinds().get(str(sheet.at("resources", enters, "kind")))
        if kind is not None and kind.stage is None:
            sheet.add((*where, "enters"), f"{said}: requests do not pass a {kind.name}.")


def _rest(sheet: Sheet) -> None:
    region = sheet.value.get("region")
    if plain(region) and not _REGION.match(str(region)):
        sheet.add(("region",), f'region: "{region}" is no AWS region; write one such as eu-west-1.')
    denied = sheet.at("switches", "deny")
    for index, action in enumerate(denied if isinstance(denied, list) else ()):
        if not _ACTION.match(str(action)):
            text = f'switches.deny: "{action}" is no IAM action; write one such as cloudtrail:LookupEvents.'
            sheet.add(("switches", "deny", index), text)
    if not sheet.map("resources") and "resources" not in sheet.value:
        sheet.add((), f"a case needs `resources`.{near('resources', list(sheet.value))}")
