"""Gathers a snapshot: what the recorded run saw, and whole events, series and lines of what it touched.

The recorded answers are taken first. Then the account is asked for what new questions will need: all changes of the
window, each metric the run read in its basic statistics, each log group it read, all alarms. What is refused is left
out and has no span, so that a later question about it is a miss and never an empty list.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from evals.snapshot_file import Series, Snapshot, Span, matches
from tools.aws import Aws
from tools.cassette import Cassette, Interaction
from tools.clock import floor
from tools.errors import BudgetSpent, Refused
from tools.evidence import canonical
from tools.models import Json
from tools.protocols import CannotRecode, decoded

BASIC = ("SampleCount", "Sum", "Minimum", "Maximum")
_QUERIES = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Reach:
    """How much is gathered beside what the run saw. Times before the end of the last look, or the onset."""

    fine: timedelta = timedelta(hours=24)  # of 60-second points, before the end
    coarse: timedelta = timedelta(hours=72)  # of 300-second points, before the end
    changes: timedelta = timedelta(hours=24)  # before the onset
    lines: timedelta = timedelta(hours=1)  # before the onset, where a log group does not have too many
    event_pages: int = 60  # two a second: half a minute
    line_pages: int = 2  # of up to 10,000 lines or 1 MB


_NEAR = timedelta(minutes=1)


def gather(cassette: Cassette, aws: Aws, onset: datetime | None, reach: Reach) -> Snapshot:
    """The snapshot of one recorded run. `aws`: the same account, asked as of the same moment."""
    begin = min(onset or aws.as_of, aws.as_of)
    made = Snapshot(taken=aws.as_of, account=str(cassette.header.get("account", "")), region=aws.region)
    chains = list(_chains(cassette))
    seen = _recorded_events(made, chains)
    for region in dict.fromkeys((aws.region, aws.global_region)):
        _changes(made, aws, region, begin - reach.changes, reach.event_pages)
    _hide(made, chains, seen)
    for region, metrics in sorted(_metrics(cassette).items()):
        for period, back in ((60, reach.fine), (300, reach.coarse)):
            _series(made, aws, region, metrics, period, back)
    for region, group in sorted(_groups(cassette)):
        _lines(made, aws, region, group, begin, reach)
    _alarms(made, aws, aws.region, begin - reach.changes, reach.event_pages)
    made.sort()
    return made


def _ask(aws: Aws, service: str, operation: str, region: str, **parameters: Any) -> Json | None:
    """The answer, or None when AWS, the budget or a recording refuses it."""
    try:
        return aws.ask(service, operation, region, parameters)
    except (Refused, BudgetSpent):
        return None


def said(item: Interaction) -> Json:
    """A recorded answer as boto3 shows it; empty for a refusal and for what cannot be read."""
    if item.answer.status >= 300:
        return {}
    try:
        return decoded(item.answer, item.service, item.operation)
    except CannotRecode:
        return {}


def _of(cassette: Cassette, service: str, operation: str) -> list[Interaction]:
    found = [item for item in cassette.interactions if (item.service, item.operation) == (service, operation)]
    return sorted(found, key=lambda item: item.recorded_at)


# -- events ------------------------------------------------------------------------------------------


Chain = tuple[Interaction, list[Json], bool]


def _chains(cassette: Cassette) -> Iterator[Chain]:
    """Each question to the event history: its first page's interaction, all items, and whether they are all."""
    open_chains: dict[str, tuple[Interaction, list[Json]]] = {}
    for item in _of(cassette, "cloudtrail", "LookupEvents"):
        answer = said(item)
        if "Events" not in answer:
            continue
        token = item.parameters.get("NextToken")
        first, items = open_chains.pop(canonical([item.region, token]), (item, [])) if token else (item, [])
        items = [*items, *answer["Events"]]
        following = answer.get("NextToken")
        if following:
            open_chains[canonical([item.region, following])] = (first, items)
        else:
            yield first, items, True
    for first, items in open_chains.values():
        yield first, items, False


def _recorded_events(made: Snapshot, chains: Sequence[Chain]) -> dict[tuple[str, str], datetime]:
    """Take up all events that the run saw, and say when it saw each first."""
    seen: dict[tuple[str, str], datetime] = {}
    for first, items, complete in chains:
        for event in items:
            key = (first.region, event["EventId"])
            seen[key] = min(seen.get(key, first.recorded_at), first.recorded_at)
            _add(made.events.setdefault(first.region, []), event)
        start, end = _moment(first, "StartTime"), _moment(first, "EndTime")
        if complete and start and end:
            key_and_value = _attribute(first)
            made.spans.append(Span(what="events", key=(first.region, *key_and_value), start=start, end=end))
    return seen


def _hide(
    made: Snapshot,
    chains: Sequence[Chain],
    seen: dict[tuple[str, str], datetime],
) -> None:
    """An event that an earlier whole answer did not hold yet had not been delivered until then."""
    for first, items, complete in chains:
        start, end = _moment(first, "StartTime"), _moment(first, "EndTime")
        if not (complete and start and end):
            continue
        there, (key, value) = {event["EventId"] for event in items}, _attribute(first)
        for event in made.events.get(first.region, []):
            known = seen.get((first.region, event["EventId"]), made.taken)
            asked_for = start <= event["EventTime"] <= end and (not key or matches(event, key, value))
            if asked_for and event["EventId"] not in there and first.recorded_at < known:
                event["Hidden"] = max(event.get("Hidden") or first.recorded_at, first.recorded_at)


def _add(events: list[Json], event: Json) -> None:
    if all(event["EventId"] != other["EventId"] for other in events):
        events.append(dict(event))


def _attribute(item: Interaction) -> tuple[str, str]:
    given = item.parameters.get("LookupAttributes") or []
    return (given[0]["AttributeKey"], given[0]["AttributeValue"]) if given else ("", "")


def _moment(item: Interaction, name: str) -> datetime | None:
    value = item.parameters.get(name)
    return datetime.fromisoformat(str(value)).astimezone(UTC) if value else None


def _changes(made: Snapshot, aws: Aws, region: str, start: datetime, pages: int) -> None:
    """All changes of the window, newest first, as far back as the pages reach."""
    begin, end = floor(start, 60), made.taken
    more: Json = {}
    reached = end
    events = made.events.setdefault(region, [])
    known = {event["EventId"] for event in events}
    for _ in range(pages):
        answer = _ask(
            aws,
            "cloudtrail",
            "LookupEvents",
            region,
            StartTime=begin,
            EndTime=end,
            MaxResults=50,
            LookupAttributes=[{"AttributeKey": "ReadOnly", "AttributeValue": "false"}],
            **more,
        )
        if answer is None:
            break
        found = [event for event in answer.get("Events") or [] if event["EventId"] not in known]
        known |= {event["EventId"] for event in found}
        events += found
        reached = min(
            [reached, *(event["EventTime"] + timedelta(seconds=1) for event in answer.get("Events") or [])]
        )
        if not answer.get("NextToken"):
            reached = begin
            break
        more = {"NextToken": answer["NextToken"]}
    if reached < end:
        made.spans.append(Span(what="events", key=(region, "ReadOnly", "false"), start=reached, end=end))


# -- metrics -----------------------------------------------------------------------------------------


def _metrics(cassette: Cassette) -> dict[str, dict[Series, set[str]]]:
    """Region -> metric -> statistics that the run asked for."""
    found: dict[str, dict[Series, set[str]]] = {}
    for item in _of(cassette, "cloudwatch", "GetMetricData"):
        for query in item.parameters.get("MetricDataQueries") or []:
            asked = query.get("MetricStat")
            if asked:
                metric = asked["Metric"]
                dimensions = tuple(sorted((d["Name"], d["Value"]) for d in metric.get("Dimensions") or []))
                series = (item.region, metric["Namespace"], metric["MetricName"], dimensions)
                found.setdefault(item.region, {}).setdefault(series, set()).add(str(asked["Stat"]))
    return found


def _series(
    made: Snapshot, aws: Aws, region: str, metrics: dict[Series, set[str]], period: int, back: timedelta
) -> None:
    start, end = floor(made.taken - back, period), made.taken
    wanted = [
        (series, stat)
        for series, stats in sorted(metrics.items())
        for stat in [*BASIC, *sorted(stats - {*BASIC, "Average"})]
    ]
    size = max(1, min(_QUERIES, 100_800 // int((end - start).total_seconds() // period + 2)))
    for at in range(0, len(wanted), size):
        batch = wanted[at : at + size]
        answer = _ask(
            aws,
            "cloudwatch",
            "GetMetricData",
            region,
            MetricDataQueries=[_query(f"m{n}", *one, period) for n, one in enumerate(batch)],
            StartTime=start,
            EndTime=end,
            ScanBy="TimestampAscending",
        )
        if answer is None or answer.get("NextToken"):
            continue
        for result in answer.get("MetricDataResults") or []:
            if result.get("StatusCode", "Complete") != "Complete":
                continue
            series, stat = batch[int(result["Id"][1:])]
            stamps = [int(moment.timestamp()) for moment in result.get("Timestamps") or []]
            values = [float(value) for value in result.get("Values") or []]
            made.points.setdefault(series, {})[stat, period] = sorted(zip(stamps, values, strict=True))
            key = (*series[:3], [list(pair) for pair in series[3]], stat, period)
            made.spans.append(Span(what="points", key=key, start=start, end=end))


def _query(name: str, series: Series, stat: str, period: int) -> Json:
    _, namespace, metric, dimensions = series
    what = {
        "Namespace": namespace,
        "MetricName": metric,
        "Dimensions": [{"Name": key, "Value": value} for key, value in dimensions],
    }
    return {"Id": name, "MetricStat": {"Metric": what, "Period": period, "Stat": stat}, "ReturnData": True}


# -- log lines ---------------------------------------------------------------------------------------


def _groups(cassette: Cassette) -> set[tuple[str, str]]:
    """(region, log group) of every question about log lines."""
    found: set[tuple[str, str]] = set()
    for operation in ("FilterLogEvents", "StartQuery", "GetLogEvents"):
        for item in _of(cassette, "logs", operation):
            names = [
                *(item.parameters.get(name) or [] for name in ("logGroupNames", "logGroupIdentifiers")),
                [item.parameters.get(name) for name in ("logGroupName", "logGroupIdentifier")],
            ]
            for name in (name for held in names for name in held if name):
                found.add((item.region, str(name).rsplit(":log-group:", maxsplit=1)[-1].removesuffix(":*")))
    return found


def _lines(made: Snapshot, aws: Aws, region: str, group: str, onset: datetime, reach: Reach) -> None:
    """All lines since an hour before the onset; where they are too many, from the onset as far as the pages reach."""
    end = int(made.taken.timestamp() * 1000)
    for back in (reach.lines, _NEAR):
        begin = int(floor(onset - back, 60).timestamp() * 1000)
        held, reached = _read_lines(aws, region, group, begin, end, reach.line_pages)
        if reached == end:
            break
    if reached > begin:
        made.lines[region, group] = [line for line in held if line["timestamp"] < reached]
        zero = datetime.fromtimestamp(0, UTC)
        span = (zero + timedelta(milliseconds=begin), zero + timedelta(milliseconds=reached))
        made.spans.append(Span(what="lines", key=(region, group), start=span[0], end=span[1]))


def _read_lines(
    aws: Aws, region: str, group: str, begin: int, end: int, pages: int
) -> tuple[list[Json], int]:
    """Lines of the first pages and up to which millisecond they are all there. AWS answers oldest first."""
    held: list[Json] = []
    more: Json = {}
    for _ in range(pages):
        answer = _ask(
            aws, "logs", "FilterLogEvents", region, logGroupName=group, startTime=begin, endTime=end, **more
        )
        if answer is None:
            break
        held += answer.get("events") or []
        if not answer.get("nextToken"):
            return held, end
        more = {"nextToken": answer["nextToken"]}
    # Lines of the last millisecond may be on a page that was not read.
    return held, max((line["timestamp"] for line in held), default=begin)


# -- alarms ------------------------------------------------------------------------------------------


def _alarms(made: Snapshot, aws: Aws, region: str, start: datetime, most: int) -> None:
    types = ["MetricAlarm", "CompositeAlarm"]
    found = _all(aws, "DescribeAlarms", region, most, AlarmTypes=types, MaxRecords=100)
    if found is not None:
        made.alarms[region] = [
            alarm
            for page in found
            for name in ("MetricAlarms", "CompositeAlarms")
            for alarm in page.get(name) or []
        ]
        made.spans.append(Span(what="alarms", key=(region,), start=made.taken, end=made.taken))
    begin, end = floor(start, 60), made.taken
    history = _all(
        aws,
        "DescribeAlarmHistory",
        region,
        most,
        AlarmTypes=types,
        StartDate=begin,
        EndDate=end,
        MaxRecords=100,
    )
    if history is not None:
        made.items[region] = [item for page in history for item in page.get("AlarmHistoryItems") or []]
        made.spans.append(Span(what="history", key=(region,), start=begin, end=end))


def _all(aws: Aws, operation: str, region: str, most: int, **parameters: Any) -> list[Json] | None:
    """All pages, or None when they are not all there."""
    pages: list[Json] = []
    more: Json = {}
    for _ in range(most):
        answer = _ask(aws, "cloudwatch", operation, region, **parameters, **more)
        if answer is None:
            return None
        pages.append(answer)
        if not answer.get("NextToken"):
            return pages
        more = {"NextToken": answer["NextToken"]}
    return None
