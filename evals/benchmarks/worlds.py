"""How many answers a world gives per second, by operation: through botocore, in AWS's wire format.

`python -m evals.benchmarks.worlds [CASE] [SECONDS]` prints a table. Absolute figures belong to the machine.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from datetime import timedelta
from functools import partial
from time import perf_counter
from typing import Any

from evals.benchmarks import BenchResult
from evals.world import World, load_case
from tools.aws import Account, Aws, Reader
from tools.budget import Budget, Limits
from tools.clock import VirtualClock
from tools.evidence import MemoryStore

_QUIET = 0.4


def run(case: str = "dynamodb-max-write", seconds: float = _QUIET) -> BenchResult:
    """Measure each question for about `seconds`, after it was asked once."""
    world = load_case(case, 1)
    clock, limits = VirtualClock(world.start), Limits(calls=10**9)
    reader = Reader(
        Aws(Account(region=world.region), world.transport(), clock, Budget(limits), MemoryStore()), "B"
    )
    figures = {
        name: round(_rate(partial(reader.ask, **asked), seconds), 1) for name, asked in _questions(world)
    }
    width = max(map(len, figures))
    text = "\n".join(f"{name:<{width}}  {rate:>9.1f} answers a second" for name, rate in figures.items())
    return BenchResult(name="worlds", figures=figures, text=text)


def _rate(ask: Callable[[], object], seconds: float) -> float:
    ask()
    count, start = 0, perf_counter()
    while perf_counter() - start < seconds:
        ask()
        count += 1
    return count / (perf_counter() - start)


def _questions(world: World) -> list[tuple[str, dict[str, Any]]]:
    facts, end = world.facts, world.start.replace(second=0, microsecond=0)
    function = facts["function.name"]
    metric = {
        "Namespace": "AWS/Lambda",
        "MetricName": "Errors",
        "Dimensions": [{"Name": "FunctionName", "Value": function}],
    }
    one = {"Id": "a", "MetricStat": {"Metric": metric, "Period": 60, "Stat": "Sum"}}
    hour = {"StartTime": end - timedelta(hours=1), "EndTime": end}
    day = {"StartTime": end - timedelta(days=1), "EndTime": end}
    lines = {"logGroupName": f"/aws/lambda/{function}", "limit": 50}
    since = int((end - timedelta(minutes=5)).timestamp() * 1000)
    found: list[tuple[str, str, str, dict[str, Any]]] = [
        ("who asks", "sts", "GetCallerIdentity", {}),
        ("a table", "dynamodb", "DescribeTable", {"TableName": facts["table.name"]}),
        ("all functions", "lambda", "ListFunctions", {}),
        ("all alarms", "cloudwatch", "DescribeAlarms", {}),
        ("an hour of one metric", "cloudwatch", "GetMetricData", {"MetricDataQueries": [one], **hour}),
        ("a day of one metric", "cloudwatch", "GetMetricData", {"MetricDataQueries": [one], **day}),
        (
            "a day of an expression",
            "cloudwatch",
            "GetMetricData",
            {"MetricDataQueries": [one, {"Id": "b", "Expression": "FILL(a, 0) * 2"}], **day},
        ),
        (
            "fifty lines with a word",
            "logs",
            "FilterLogEvents",
            {"filterPattern": "ERROR", "startTime": since, **lines},
        ),
        ("a list of nothing", "ec2", "DescribeInstances", {}),
        ("fifty tagged resources", "resourcegroupstaggingapi", "GetResources", {}),
    ]
    return [
        (name, {"service": service, "operation": operation, **more})
        for name, service, operation, more in found
    ]


if __name__ == "__main__":
    name = sys.argv[1] if len(sys.argv) > 1 else "dynamodb-max-write"
    print(run(name, float(sys.argv[2]) if len(sys.argv) > 2 else _QUIET).text)
