"""CloudWatch Logs: DescribeLogStreams."""

from __future__ import annotations

from datetime import datetime

from evals.world.answers_logs import kept_from, named, seen_until
from evals.world.asking import Ask, Refusal, handles
from evals.world.lines import LogGroup
from tools.models import Json

_DAY = 86_400_000


@handles("logs", "DescribeLogStreams")
def describe_log_streams(ask: Ask) -> Json:
    """Streams by name or by their last event. API reference: a prefix goes with the order by name only."""
    name = ask.take("logGroupName") or ask.take("logGroupIdentifier")
    if not name:
        raise Refusal("InvalidParameterException", "Specify a log group.")
    group = named(ask, str(name))
    prefix, order = (
        str(ask.take("logStreamNamePrefix", "")),
        ask.only("orderBy", "LogStreamName", "LastEventTime"),
    )
    if prefix and order == "LastEventTime":
        raise Refusal(
            "InvalidParameterException", "Cannot order by LastEventTime with a logStreamNamePrefix."
        )
    size, token, newest = (
        int(ask.take("limit", 50)),
        ask.take("nextToken"),
        bool(ask.take("descending", False)),
    )
    found = [one for one in _streams(ask, group) if str(one["logStreamName"]).startswith(prefix)]
    key = "lastEventTimestamp" if order == "LastEventTime" else "logStreamName"
    found.sort(key=lambda one: (one[key], one["logStreamName"]), reverse=newest)
    page, following = ask.page(found, size, token)
    return {"logStreams": page} | ({"nextToken": following} if following else {})


def _streams(ask: Ask, group: LogGroup) -> list[Json]:
    """What the group has written to since its oldest kept line, one entry per stream."""
    last = seen_until(ask, group) - 1
    first = max(kept_from(ask, group), _epoch_ms(group.created))
    spans: dict[str, tuple[int, int]] = {}
    for day in range(first // _DAY, last // _DAY + 1):
        begin, end = max(first, day * _DAY), min(last, (day + 1) * _DAY - 1)
        for number in range(group.voice.streams):
            name = group.stream(end // 60_000, number)
            spans[name] = (spans.get(name, (begin, end))[0], end)
    return [
        {
            "logStreamName": name,
            "creationTime": begin,
            "firstEventTimestamp": begin,
            "lastEventTimestamp": end,
            "lastIngestionTime": end + group.delay * 1000,
            "arn": f"{group.arn}:log-stream:{name}",
            "storedBytes": 0,  # AWS: of single streams no longer reported
        }
        for name, (begin, end) in sorted(spans.items())
    ]


def _epoch_ms(moment: datetime) -> int:
    return int(moment.timestamp() * 1000)
