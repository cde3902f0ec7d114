"""Words matched with alarm, resource, tag and host names found in scope. No model.

The longest name wins; words such as "table" or "キュー" choose between things of one name; a red alarm on the thing
that was named is the better start than the thing itself.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from graph.moments import normal
from tools.alarms import find_alarms
from tools.aws import Reader
from tools.catalogue import metric_owner, services
from tools.models import Alarm, Resource

_KINDS = {
    "table": ("table", "テーブル", "dynamodb"),
    "function": ("function", "lambda", "関数", "ラムダ"),
    "queue": ("queue", "sqs", "キュー"),
    "api": ("api", "endpoint", "gateway", "エンドポイント"),
    "alarm": ("alarm", "アラーム"),
}
_SHORTEST = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """Something that the words may mean. `target`: alarm name or resource ARN."""

    kind: Literal["alarm", "resource"]
    name: str
    target: str


@dataclass(frozen=True, slots=True, kw_only=True)
class _Named:
    """A thing in scope with one of its names."""

    name: str
    type: str
    candidate: Candidate
    by: Literal["name", "host", "tag"] = "name"


def candidates(reader: Reader, text: str) -> Sequence[Candidate]:
    """What the words may mean, the same every time; one when they are clear, several when they are not."""
    alarms: tuple[Alarm, ...] = ()
    with reader.seeing("alarms", "which alarm the words mean"):
        alarms = find_alarms(reader)
    resources = list(_resources(reader))
    return match(text, alarms, resources)


def _resources(reader: Reader) -> Iterator[Resource]:
    for service in services().values():
        if service.listed and service.name != "cloudwatch":
            with reader.seeing(f"{service.title} in {reader.region}", "which resource the words mean"):
                yield from service.discover(reader, reader.region)


def match(text: str, alarms: Sequence[Alarm], resources: Sequence[Resource]) -> tuple[Candidate, ...]:
    """Pure: the candidates that the words name best."""
    words = normal(text)
    hits = [(one, length) for one in _names(alarms, resources) if (length := _said(one.name, words))]
    if not hits:
        return ()
    hits = [(one, length) for one, length in hits if not _inside(one, length, hits)]
    strong = [one for one, _ in hits if one.by != "tag"] or [one for one, _ in hits]
    strong = _of_kind(strong, words)
    return _red_alarm(strong, alarms, resources)


def _names(alarms: Sequence[Alarm], resources: Sequence[Resource]) -> Iterator[_Named]:
    for alarm in alarms:
        yield _Named(
            name=alarm.name,
            type="alarm",
            candidate=Candidate(kind="alarm", name=alarm.name, target=alarm.name),
        )
    for one in resources:
        meant = Candidate(kind="resource", name=f"{one.type} {one.name}", target=one.arn)
        yield _Named(name=one.name, type=one.type, candidate=meant)
        host = str(one.config.get("ApiEndpoint") or "").removeprefix("https://")
        if host:
            yield _Named(name=host, type=one.type, candidate=meant, by="host")
        for value in one.tags.values():
            yield _Named(name=value, type=one.type, candidate=meant, by="tag")


def _said(name: str, words: str) -> int:
    """How many letters of the words this name covers; 0 when they do not say it."""
    plain = normal(name)
    if len(plain) < _SHORTEST:
        return 0
    spaced = r"[-_. ]?".join(re.escape(part) for part in re.split(r"[-_. ]+", plain) if part)
    found = re.search(rf"(?<![a-z0-9_.-]){spaced}(?![a-z0-9_-])(?!\.[a-z0-9])", words)
    return len(found.group(0)) if found else 0


def _inside(one: _Named, length: int, hits: list[tuple[_Named, int]]) -> bool:
    """A longer name that was said contains this one: "orders-api" hides "orders"."""
    plain = normal(one.name)
    return any(other_length > length and plain in normal(other.name) for other, other_length in hits)


def _of_kind(hits: list[_Named], words: str) -> list[_Named]:
    if len(hits) < 2:
        return hits
    wanted = {kind for kind, said in _KINDS.items() if any(_has(word, words) for word in said)}
    return [one for one in hits if one.type in wanted] or hits


def _has(word: str, words: str) -> bool:
    return re.search(rf"(?<![a-z0-9-]){re.escape(normal(word))}(?![a-z0-9-])", words) is not None


def _red_alarm(
    hits: list[_Named], alarms: Sequence[Alarm], resources: Sequence[Resource]
) -> tuple[Candidate, ...]:
    meant = {one.candidate.target: one.candidate for one in hits}
    if len(meant) == 1 and next(iter(meant.values())).kind == "resource":
        arn = next(iter(meant))
        red = [
            alarm
            for alarm in alarms
            if alarm.state == "ALARM" and metric_owner(alarm.metric, alarm.region, alarm.account) == arn
        ]
        if len(red) == 1:
            return (Candidate(kind="alarm", name=red[0].name, target=red[0].name),)
    return tuple(meant[key] for key in sorted(meant))
