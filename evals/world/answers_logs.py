"""CloudWatch Logs: groups, FilterLogEvents, Insights queries."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from evals.world import insights, insights_run
from evals.world.asking import Ask, Refusal, handles
from evals.world.lines import Line, LogGroup
from evals.world.patterns import parse as parse_pattern
from evals.world.seed import mix
from evals.world.sieve import Sieve
from evals.world.world import World
from tools.arn import is_arn
from tools.evidence import canonical
from tools.models import Json

_PAGE_EVENTS = 10_000
_PAGE_BYTES = 1_000_000
_OVERHEAD = 26  # bytes that CloudWatch Logs counts per event


@handles("logs", "DescribeLogGroups")
def describe_log_groups(ask: Ask) -> Json:
    prefix, part = ask.take("logGroupNamePrefix", ""), ask.take("logGroupNamePattern", "")
    ask.only("logGroupClass", "STANDARD")
    if prefix and part:
        raise Refusal(
            "InvalidParameterException", "LogGroup name prefix and pattern are mutually exclusive parameters."
        )
    size, token = int(ask.take("limit", 50)), ask.take("nextToken")
    found = [
        _described(group)
        for group in _groups(ask.world, ask.region)
        if group.name.startswith(prefix) and part.lower() in group.name.lower() and group.created <= ask.as_of
    ]
    page, following = ask.page(found, size, token)
    answer: Json = {"logGroups": page}
    if following:
        answer["nextToken"] = following
    return answer


def _groups(world: World, region: str) -> list[LogGroup]:
    return sorted(world.log_groups.values(), key=lambda group: group.name) if region == world.region else []


def _described(group: LogGroup) -> Json:
    shown: Json = {
        "logGroupName": group.name,
        "creationTime": int(group.created.timestamp() * 1000),
        "metricFilterCount": 0,
        "arn": f"{group.arn}:*",
        "storedBytes": 10_000_000 + group.salt % 900_000_000,
        "logGroupClass": "STANDARD",
        "logGroupArn": group.arn,
    }
    if group.retention:
        shown["retentionInDays"] = group.retention
    return shown


def named(ask: Ask, text: str) -> LogGroup:
    """The log group of a name or ARN. Refuses what is not there."""
    name = text.rsplit(":log-group:", maxsplit=1)[-1].removesuffix(":*") if is_arn(text) else text
    group = next((one for one in _groups(ask.world, ask.region) if one.name == name), None)
    if group is None:
        raise Refusal("ResourceNotFoundException", "The specified log group does not exist.")
    return group


def _ms(moment: datetime) -> int:
    return int(moment.timestamp() * 1000)


def seen_until(ask: Ask, group: LogGroup) -> int:
    """Lines before this epoch millisecond have been ingested."""
    return _ms(ask.as_of) - group.delay * 1000


def kept_from(ask: Ask, group: LogGroup) -> int:
    """The epoch millisecond of the oldest lines that are kept."""
    days = min(group.retention or 15, 15)
    return _ms(ask.as_of) - days * 86_400_000


@handles("logs", "FilterLogEvents")
def filter_log_events(ask: Ask) -> Json:
    name = ask.take("logGroupName") or ask.take("logGroupIdentifier")
    if not name:
        raise Refusal("InvalidParameterException", "Specify a log group.")
    group = named(ask, str(name))
    pattern = parse_pattern(str(ask.take("filterPattern", "")))
    streams, prefix = ask.take("logStreamNames"), ask.take("logStreamNamePrefix", "")
    ask.only("interleaved", True)
    ask.only("unmask", False)
    limit = min(int(ask.take("limit", _PAGE_EVENTS)), _PAGE_EVENTS)
    start = max(int(ask.take("startTime", 0)), kept_from(ask, group))
    end = min(int(ask.take("endTime", _ms(ask.as_of))) + 1, seen_until(ask, group))
    token = ask.take("nextToken")

    sieve = Sieve(
        group, lambda line: pattern.matches(line.text), pattern.literals, pattern.regexes, pattern.opaque
    )

    def wanted(stream: str) -> bool:
        return (not streams or stream in streams) and stream.startswith(prefix)

    events, following = _page(ask, sieve, start, end, wanted, limit, token)
    answer: Json = {"events": events, "searchedLogStreams": []}
    if following is not None:
        answer["nextToken"] = ask.token(following)
    return answer


def _page(
    ask: Ask, sieve: Sieve, start: int, end: int, wanted: Callable[[str], bool], limit: int, token: Any
) -> tuple[list[Json], int | None]:
    """Events of one page; the token is (minute, place in it) as one number. A place counts lines of all kinds."""
    first, skip = divmod(ask.position(token), 1_000_000) if token else (start // 60_000, 0)
    events: list[Json] = []
    size = 0
    for minute in range(first, (end + 59_999) // 60_000):
        kinds = sieve.kinds(minute)
        marks = sieve.group.marks(minute) if kinds else []
        for place in range(skip, len(marks)):
            mark = marks[place]
            if mark.kind not in kinds or not start <= mark.stamp < end:
                continue
            line = sieve.line(minute, mark)
            if line is None or not wanted(line.stream):
                continue
            size += len(line.text) + _OVERHEAD
            if len(events) >= limit or size > _PAGE_BYTES:
                return events, minute * 1_000_000 + place
            events.append(_event(sieve.group, line, minute * 1_000_000 + place))
        skip = 0
    return events, None


def _event(group: LogGroup, line: Line, place: int) -> Json:
    return {
        "logStreamName": line.stream,
        "timestamp": line.stamp,
        "message": line.text + "\n",
        "ingestionTime": line.stamp + group.delay * 1000 - line.stamp % 400,
        "eventId": f"{line.stamp * 10**15 + mix(group.salt, place) % 10**15:056d}",
    }


@handles("logs", "StartQuery")
def start_query(ask: Ask) -> Json:
    names = list(ask.take("logGroupNames", []) or ask.take("logGroupIdentifiers", []))
    single = ask.take("logGroupName")
    names += [single] if single else []
    ask.only("queryLanguage", "CWLI")
    start, end = int(ask.need("startTime")), int(ask.need("endTime"))
    text, limit = str(ask.need("queryString")), int(ask.take("limit", insights.MOST_ROWS))
    if not names or len(names) > 50:
        raise Refusal("InvalidParameterException", "Specify 1 to 50 log groups.")
    groups = [named(ask, str(name)) for name in names]
    query = insights.parse(text)
    if start > end:
        raise Refusal("InvalidParameterException", "End time should not be before start time.")
    asked = canonical([names, start, end, text, limit, ask.as_of])
    made = ask.world.seed.uuid(f"query:{asked}")  # the same in a resumed run, whose session is new
    ask.session.polls.pop(made, None)
    searches = [
        insights_run.Search(
            group,
            query,
            max(start * 1000, kept_from(ask, group)),
            min(end * 1000 + 1, seen_until(ask, group)),
            ask.world.account,
        )
        for group in groups
    ]
    ask.session.queries[made] = {"searches": searches, "query": query, "limit": limit}
    return {"queryId": made}


@handles("logs", "GetQueryResults")
def get_query_results(ask: Ask) -> Json:
    name = str(ask.need("queryId"))
    held = ask.session.queries.get(name)
    if held is None:
        raise Refusal("ResourceNotFoundException", f"Query {name} does not exist.")
    polls = ask.session.polls.get(name, 0)
    ask.session.polls[name] = polls + 1
    if polls == 0:
        return {"queryLanguage": "CWLI", "results": [], "statistics": _statistics(0, 0), "status": "Running"}
    if "rows" not in held:
        held["rows"] = insights_run.run(held["searches"], held["query"], held["limit"])
    rows = held["rows"]
    return {
        "queryLanguage": "CWLI",
        "results": rows,
        "statistics": _statistics(len(rows), len(held["searches"])),
        "status": "Complete",
    }


@handles("logs", "ListTagsForResource")
def list_tags_for_resource(ask: Ask) -> Json:
    group = named(ask, str(ask.need("resourceArn")))
    thing = ask.world.things[group.arn]
    return {"tags": thing.tags(ask.as_of)}


@handles("logs", "DescribeMetricFilters")
def describe_metric_filters(ask: Ask) -> Json:
    for name in ("logGroupName", "filterNamePrefix", "metricName", "metricNamespace", "limit"):
        ask.take(name)
    return {"metricFilters": []}


@handles("logs", "DescribeSubscriptionFilters")
def describe_subscription_filters(ask: Ask) -> Json:
    named(ask, str(ask.need("logGroupName")))
    return {"subscriptionFilters": []}


def _statistics(rows: int, groups: int) -> Json:
    return {
        "recordsMatched": float(rows),
        "recordsScanned": float(rows),
        "bytesScanned": float(rows * 200),
        "logGroupsScanned": float(groups),
    }
