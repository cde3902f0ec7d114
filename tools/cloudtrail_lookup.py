"""CloudTrail's event history: LookupEvents, page by page, with evidence and with what it left out.

LookupEvents answers for one region, 90 days back, management events only, newest first, by one attribute that
must match exactly (CloudTrail API reference).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from tools.aws import Reader
from tools.clock import ceil, floor
from tools.cloudtrail_events import parse, written
from tools.models import ChangeEvent, Json, Window

Attribute = Literal[
    "AccessKeyId", "EventId", "EventName", "EventSource", "ReadOnly", "ResourceName", "Username"
]

KEPT = timedelta(days=90)
SETTLED = timedelta(minutes=15)
_PAGE = 50
_GRAIN = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """Events of one question, oldest first, each citing the page that holds it.

    `complete` is False when the page limit, a refusal or the budget cut the answer: then nothing older than
    `since` is known.
    """

    events: tuple[ChangeEvent, ...]
    complete: bool
    evidence: tuple[str, ...]
    since: datetime
    records: tuple[Json, ...] = ()  # the items as AWS gave them, beside `events`


def clamp(window: Window, as_of: datetime) -> Window:
    """The window as it is asked: whole minutes, within the 90 days that CloudTrail keeps, not after `as_of`.

    So equal questions are equal requests. Empty (start = end) when nothing of the window can be asked.
    """
    oldest = ceil(as_of - KEPT, _GRAIN)
    end = max(min(ceil(window.end, _GRAIN), floor(as_of, _GRAIN)), oldest)
    return Window(start=min(max(floor(window.start, _GRAIN), oldest), end), end=end)


def complete_until(as_of: datetime, settled: timedelta = SETTLED) -> datetime:
    """Up to when the history read at `as_of` may be called complete: an estimate, 15 minutes before.

    AWS says that CloudTrail delivers "within an average of about 5 minutes" and guarantees nothing. Events
    come out of order, so the newest one seen proves nothing about older ones. What is missing after this
    moment may still come.
    """
    return floor(as_of - settled, _GRAIN)


def lookup(
    reader: Reader,
    *,
    attribute: tuple[Attribute, str] | None,
    window: Window,
    region: str = "",
    pages: int = 10,
    what: str = "CloudTrail events",
) -> Found:
    """Events of the window that match, from up to `pages` pages of 50. Refusals and a spent budget become
    gaps.

    The end is shown to AWS one second earlier, for LookupEvents includes it. Read-only and failed events are
    kept; they say so.
    """
    asked = clamp(window, reader.as_of)
    if window.start < reader.as_of - KEPT - timedelta(minutes=1):
        _too_old(reader, what)
    if asked.start >= asked.end:
        return Found(events=(), complete=True, evidence=(), since=asked.start)
    items, evidence, complete = _pages(reader, attribute, asked, region, pages, what)
    pairs = [(parse(item, (page,)), item) for item, page in items]
    pairs.sort(key=lambda pair: (pair[0].time, pair[0].id))
    since = asked.start if complete else max((pairs[0][0].time if pairs else asked.end), asked.start)
    return Found(
        events=tuple(event for event, _ in pairs),
        complete=complete,
        evidence=tuple(evidence),
        since=since,
        records=tuple(item for _, item in pairs),
    )


def _pages(
    reader: Reader, attribute: tuple[Attribute, str] | None, asked: Window, region: str, pages: int, what: str
) -> tuple[list[tuple[Json, str]], list[str], bool]:
    """Items with the evidence of their page. What was read before a refusal is kept."""
    parameters: Json = {
        "StartTime": asked.start,
        "EndTime": asked.end - timedelta(seconds=1),
        "MaxResults": _PAGE,
    }
    if attribute is not None:
        parameters["LookupAttributes"] = [{"AttributeKey": attribute[0], "AttributeValue": attribute[1]}]
    items: list[tuple[Json, str]] = []
    evidence: list[str] = []
    complete, known = False, len(reader.gaps)
    with reader.seeing(what, "who changed what, and when"):
        for _ in range(pages):
            answer = reader.ask("cloudtrail", "LookupEvents", region=region, **parameters)
            evidence.append(answer.evidence)
            found = answer.data.get("Events") or []
            items += [(item, answer.evidence) for item in found if isinstance(item, dict)]
            following = answer.data.get("NextToken")
            if not following:
                complete = True
                break
            parameters["NextToken"] = following
    if reader.gaps[known:] and reader.gaps[-1] in reader.gaps[:known]:
        reader.gaps.pop()  # the same refusal as of another question
    return items, evidence, complete


def _too_old(reader: Reader, what: str) -> None:
    reader.missing(
        what=what,
        why="The event history of CloudTrail reaches back 90 days",
        would_show="changes made before",
        lift="Look into the trail's bucket or event data store, if the account has one.",
        code="TooOld",
    )


def cite(reader: Reader, page_evidence: str, event: ChangeEvent) -> str:
    """Evidence of its own for one event of a page, dated with the event's time: its id."""
    return reader.cite(page_evidence, written(event), event.time)
