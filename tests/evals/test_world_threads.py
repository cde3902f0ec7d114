"""Worlds in one process do not see each other, whoever asks, and answer the same in any order."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

from evals.world import World, load_case
from tools.aws import Account, Aws, Reader
from tools.budget import Budget, Limits
from tools.clock import VirtualClock
from tools.evidence import MemoryStore, canonical
from tools.models import Json

CASES = ("dynamodb-max-write", "dynamodb-hot-partition", "stale-dynamodb-alarm", "alarm-threshold-lowered")


def reader(world: World) -> Reader:
    clock, account = VirtualClock(world.start), Account(region=world.region)
    return Reader(Aws(account, world.transport(), clock, Budget(Limits(calls=9000)), MemoryStore()), "T")


def asked(world: World) -> str:
    """A dozen answers of one world as one text."""
    one = reader(world)
    end = world.start.replace(second=0, microsecond=0)
    window: Json = {"StartTime": end - timedelta(minutes=12), "EndTime": end}
    function = world.facts["function.name"]
    metric = {
        "Namespace": "AWS/Lambda",
        "MetricName": "Errors",
        "Dimensions": [{"Name": "FunctionName", "Value": function}],
    }
    query = {"Id": "a", "MetricStat": {"Metric": metric, "Period": 60, "Stat": "Sum"}}
    half = {"Id": "b", "Expression": "FILL(a, 0) / 2"}
    answers = [
        one.ask("sts", "GetCallerIdentity"),
        one.ask("dynamodb", "DescribeTable", TableName=world.facts["table.name"]),
        one.ask("lambda", "ListFunctions"),
        one.ask("cloudwatch", "DescribeAlarms"),
        one.ask("cloudwatch", "DescribeAlarmHistory", AlarmName=world.trigger["alarm"]),
        one.ask("cloudwatch", "GetMetricData", MetricDataQueries=[query, half], **window),
        one.ask("cloudtrail", "LookupEvents", MaxResults=20),
        one.ask("resourcegroupstaggingapi", "GetResources"),
        one.ask("ec2", "DescribeInstances"),
        one.ask("rds", "DescribeDBInstances"),
        one.ask(
            "logs",
            "FilterLogEvents",
            logGroupName=f"/aws/lambda/{function}",
            startTime=int((end - timedelta(minutes=2)).timestamp() * 1000),
            filterPattern="?ERROR ?REPORT",
            limit=40,
        ),
    ]
    return canonical([answer.data for answer in answers])


def test_sixteen_threads_over_four_worlds_get_what_one_gets_alone() -> None:
    alone = [asked(load_case(name, 3)) for name in CASES]
    assert len(set(alone)) == len(CASES)
    worlds = [load_case(name, 3) for name in CASES]
    with ThreadPoolExecutor(16) as pool:
        together = list(pool.map(asked, [worlds[place % len(CASES)] for place in range(16)]))
    for place, text in enumerate(together):
        assert text == alone[place % len(CASES)]
