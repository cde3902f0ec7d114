"""X-Ray: service graph, trace summaries, traces; empty unless the switch `tracing` is on.

API reference: a window of at most 6 hours, traces of the last 30 days, 5 traces a call. Of filter expressions, worlds
know ok, error, fault, throttle, responsetime, duration and service("name"), joined by AND.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable
from datetime import timedelta

from evals.world import traces
from evals.world.asking import Ask, NotModelled, Refusal, handles
from evals.world.traces import Path, Trace
from tools.models import Json

_LONGEST = timedelta(hours=6)
_KEPT = timedelta(days=30)
_DELAY = 20.0  # seconds from a trace's end until it is shown
_PAGE = 100
_STATE = re.compile(r"(ok|error|fault|throttle)(?:\s*=\s*(true|false))?", re.IGNORECASE)
_TIME = re.compile(r"(responsetime|duration)\s*(>=|<=|>|<)\s*(\d+(?:\.\d+)?)", re.IGNORECASE)
_SERVICE = re.compile(r'service\("([^"]+)"\)(?:\s*\{\s*(ok|error|fault|throttle)\s*\})?', re.IGNORECASE)
_COMPARED = {">": operator.gt, "<": operator.lt, ">=": operator.ge, "<=": operator.le}


def _window(ask: Ask) -> tuple[float, float]:
    start, end = ask.need("StartTime"), ask.need("EndTime")
    if start >= end:
        raise Refusal("InvalidRequestException", "Start time must be before end time.")
    if end - start > _LONGEST:
        raise Refusal("InvalidRequestException", "Time range cannot exceed 6 hours.")
    first = max(start, ask.as_of - _KEPT).timestamp()
    return first, min(end.timestamp(), ask.as_of.timestamp() - _DELAY)


def _paths(ask: Ask) -> list[Path]:
    return traces.paths(ask.world, ask.region) if ask.world.switches.tracing else []


@handles("xray", "GetServiceGraph")
def get_service_graph(ask: Ask) -> Json:
    ask.only("GroupName", "Default")
    start, end = ask.left.get("StartTime"), ask.left.get("EndTime")
    window = _window(ask)
    services: list[Json] = []
    for path in _paths(ask):
        seen = list(traces.between(path, *window))
        if seen:
            services += _nodes(ask, path, seen, len(services))
    return {"StartTime": start, "EndTime": end, "Services": services, "ContainsOldGroupVersions": False}


def _nodes(ask: Ask, path: Path, seen: list[Trace], first: int) -> list[Json]:
    """The Lambda service, the function, and the table that it calls."""
    name = path.function.name
    own = _statistics(seen, lambda one: one.fault, None)
    held = [(name, "AWS::Lambda", own, [_edge(first + 1, seen, own)])]
    to_table: list[Json] = []
    if path.table is not None:
        refused = _statistics(seen, None, lambda one: one.throttle)
        to_table = [_edge(first + 2, seen, refused)]
    held.append((name, "AWS::Lambda::Function", own, to_table))
    if path.table is not None:
        held.append((path.table.name, "AWS::DynamoDB::Table", to_table[0]["SummaryStatistics"], []))
    return [
        {
            "ReferenceId": first + place,
            "Name": title,
            "Names": [title],
            "Root": place == 0,
            "AccountId": ask.world.account,
            "Type": kind,
            "State": "active",
            "StartTime": traces.moment(min(one.start for one in seen)),
            "EndTime": traces.moment(max(one.end for one in seen)),
            "Edges": edges,
            "SummaryStatistics": statistics,
        }
        for place, (title, kind, statistics, edges) in enumerate(held)
    ]


def _edge(to: int, seen: list[Trace], statistics: Json) -> Json:
    start, end = min(one.start for one in seen), max(one.end for one in seen)
    times = {"StartTime": traces.moment(start), "EndTime": traces.moment(end)}
    return {"ReferenceId": to, **times, "SummaryStatistics": statistics, "Aliases": []}


Test = Callable[[Trace], bool]


def _statistics(seen: list[Trace], fault: Test | None, throttle: Test | None) -> Json:
    faults = sum(map(fault, seen)) if fault else 0
    throttles = sum(map(throttle, seen)) if throttle else 0
    return {
        "OkCount": len(seen) - faults - throttles,
        "ErrorStatistics": {"ThrottleCount": throttles, "OtherCount": 0, "TotalCount": throttles},
        "FaultStatistics": {"OtherCount": faults, "TotalCount": faults},
        "TotalCount": len(seen),
        "TotalResponseTime": round(sum(one.duration for one in seen), 3),
    }


@handles("xray", "GetTraceSummaries")
def get_trace_summaries(ask: Ask) -> Json:
    window = _window(ask)
    test = _filter(str(ask.take("FilterExpression") or ""))
    ask.only("Sampling", False)
    ask.only("TimeRangeType", "TraceId")
    token = ask.take("NextToken")
    every = [one for path in _paths(ask) for one in traces.between(path, *window)]
    every.sort(key=lambda one: (-one.start, one.id))
    found = [one for one in every if test(one)]
    page, following = ask.page(found, _PAGE, token)
    answer: Json = {
        "TraceSummaries": [_summary(ask, one) for one in page],
        "ApproximateTime": ask.as_of,
        "TracesProcessedCount": len(every),
    }
    if following:
        answer["NextToken"] = following
    return answer


def _summary(ask: Ask, trace: Trace) -> Json:
    path = trace.path
    services = [(path.function.name, "AWS::Lambda"), (path.function.name, "AWS::Lambda::Function")]
    services += [(path.table.name, "AWS::DynamoDB::Table")] if path.table is not None else []
    ids = [
        {"Name": name, "Names": [name], "AccountId": ask.world.account, "Type": kind}
        for name, kind in services
    ]
    return {
        "Id": trace.id,
        "StartTime": traces.moment(trace.start),
        "Duration": round(trace.duration, 3),
        "ResponseTime": round(trace.duration, 3),
        "HasFault": trace.fault,
        "HasError": trace.throttle,
        "HasThrottle": trace.throttle,
        "IsPartial": False,
        "Http": {},
        "Annotations": {},
        "Users": [],
        "ServiceIds": ids,
        "ResourceARNs": [{"ARN": path.function.arn}]
        + ([{"ARN": path.table.arn}] if path.table is not None else []),
        "EntryPoint": ids[0],
        "Revision": 1,
    }


def _filter(text: str) -> Test:
    """The test of a filter expression. Raises NotModelled for what worlds do not know."""
    tests = [
        _one(part.strip())
        for part in re.split(r"\s+AND\s+", text.strip(), flags=re.IGNORECASE)
        if part.strip()
    ]
    return lambda trace: all(test(trace) for test in tests)


def _one(text: str) -> Test:
    if match := _STATE.fullmatch(text):
        word, wanted = match.group(1).lower(), (match.group(2) or "true").lower() == "true"
        return lambda trace: _is(trace, word) == wanted
    if match := _TIME.fullmatch(text):
        compare, limit = _COMPARED[match.group(2)], float(match.group(3))
        return lambda trace: bool(compare(trace.duration, limit))
    if match := _SERVICE.fullmatch(text):
        return _service(match.group(1), (match.group(2) or "").lower())
    raise NotModelled(f"FilterExpression {text}")


def _is(trace: Trace, word: str) -> bool:
    if word == "ok":
        return not trace.fault
    return trace.fault if word == "fault" else trace.throttle


def _service(name: str, word: str) -> Test:
    def test(trace: Trace) -> bool:
        if trace.path.function.name == name:
            return not word or (word == "fault" and trace.fault) or (word == "ok" and not trace.fault)
        table = trace.path.table
        if table is None or table.name != name:
            return False
        return not word or (
            trace.throttle if word in ("error", "throttle") else word == "ok" and not trace.throttle
        )

    return test


@handles("xray", "BatchGetTraces")
def batch_get_traces(ask: Ask) -> Json:
    names: list[str] = ask.need("TraceIds")
    if len(names) > 5:
        raise Refusal("InvalidRequestException", "TraceIds must have at most 5 members.")
    ask.take("NextToken")
    found = [traces.find(ask.world, ask.region, name) for name in names] if ask.world.switches.tracing else []
    until, oldest = ask.as_of.timestamp() - _DELAY, (ask.as_of - _KEPT).timestamp()
    return {
        "Traces": [
            {
                "Id": one.id,
                "Duration": round(one.duration, 3),
                "LimitExceeded": False,
                "Segments": traces.segments(one),
            }
            for one in found
            if one is not None and oldest <= one.start < until
        ],
        "UnprocessedTraceIds": [],
    }
