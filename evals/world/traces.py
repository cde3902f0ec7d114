"""Traces of a world's requests, made from the rows of its flows.

Sampling is X-Ray's default rule: the first request of each second and every twentieth of the others. A trace begins
in the function, since HTTP APIs are not traced, and shows the table that the function calls.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

from evals.world.flow import Flow
from evals.world.invocations import Request, by_slice
from evals.world.seed import mix
from evals.world.world import Thing, World
from tools.models import Json


@dataclass(frozen=True, slots=True)
class Path:
    """A function with the flow of its requests and the table that it uses."""

    flow: Flow
    stage: int  # of the function
    function: Thing
    table: Thing | None


@dataclass(frozen=True, slots=True)
class Trace:
    """One sampled request. Seconds since the epoch."""

    id: str
    path: Path
    start: float
    duration: float
    fault: bool
    throttle: bool  # the table refused it

    @property
    def end(self) -> float:
        return self.start + self.duration


def paths(world: World, region: str) -> list[Path]:
    """One for each function that serves requests, by name."""
    found = []
    for flow in world.flows.values():
        for place, arn in enumerate(flow.arns):
            thing = world.things.get(arn)
            if thing is not None and thing.kind == "function" and thing.region == region:
                below = [world.things[one] for one in flow.arns[place + 1 :] if one in world.things]
                table = next((one for one in below if one.kind == "table"), None)
                found.append(Path(flow, place, thing, table))
    return sorted(found, key=lambda path: (path.function.name, path.flow.name))


def of_minute(path: Path, minute: int) -> list[Trace]:
    """The sampled requests of a minute, oldest first."""
    salt = mix(sum(map(ord, path.function.arn)), minute)
    second, others, made = -1, 0, []
    for part in by_slice(path.flow, path.stage, minute):
        for request in sorted(part, key=lambda one: one.stamp):
            if request.stamp // 1000 == second:
                others += 1
                if others % 20:
                    continue
            second = request.stamp // 1000
            made.append(_trace(path, request, salt))
    return made


def _trace(path: Path, request: Request, salt: int) -> Trace:
    code = f"{mix(salt, request.number):016x}{mix(salt, request.number, 7):016x}"[:24]
    below = request.stage > path.stage and bool(request.reason)
    at_table = below and path.table is not None and path.flow.arns[request.stage] == path.table.arn
    start = request.stamp / 1000
    return Trace(
        f"1-{int(start):08x}-{code}", path, start, request.duration / 1000, bool(request.reason), at_table
    )


def between(path: Path, start: float, end: float) -> Iterator[Trace]:
    """Traces that began in [start, end)."""
    for minute in range(int(start // 60), -int(-end // 60)):
        yield from (one for one in of_minute(path, minute) if start <= one.start < end)


def find(world: World, region: str, name: str) -> Trace | None:
    """A trace by its id, which begins with its time."""
    parts = name.split("-")
    if len(parts) != 3 or len(parts[1]) != 8:
        return None
    try:
        minute = int(parts[1], 16) // 60
    except ValueError:
        return None
    return next(
        (one for path in paths(world, region) for one in of_minute(path, minute) if one.id == name), None
    )


def segments(trace: Trace) -> list[Json]:
    """The segment documents: the Lambda service and the function, whose subsegment is the call of the table."""
    path, salt = trace.path, mix(sum(map(ord, trace.id)))
    name, arn = path.function.name, path.function.arn
    outer, inner = f"{salt:016x}", f"{mix(salt, 1):016x}"
    times = {"start_time": trace.start, "end_time": trace.end}
    state: Json = {"fault": True} if trace.fault else {}
    common = {"trace_id": trace.id, "name": name, "resource_arn": arn, **times, **state}
    work: Json = {**common, "id": inner, "parent_id": outer, "origin": "AWS::Lambda::Function"}
    if path.table is not None:
        work["subsegments"] = [_call(path.table, trace, f"{mix(salt, 2):016x}")]
    service = {**common, "id": outer, "origin": "AWS::Lambda"}
    service["http"] = {"response": {"status": 200}}
    return [{"Id": str(one["id"]), "Document": json.dumps(one)} for one in (service, work)]


def _call(table: Thing, trace: Trace, code: str) -> Json:
    made: Json = {
        "id": code,
        "name": "DynamoDB",
        "namespace": "aws",
        "start_time": trace.start,
        "end_time": trace.end,
        "aws": {"operation": "PutItem", "table_name": table.name, "region": table.region},
        "http": {"response": {"status": 400 if trace.throttle else 200}},
    }
    if trace.throttle:
        made |= {"error": True, "throttle": True}
    return made


def moment(second: float) -> datetime:
    return datetime.fromtimestamp(second, UTC)
