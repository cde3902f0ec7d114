"""What emulators are known to answer wrongly without saying so: hand-made rows, answers computed by hand."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

import pytest

from evals.world import World, load_case
from evals.world.flow import Flow
from evals.world.happenings import Happening
from evals.world.identities import Cast
from evals.world.lines import LogGroup, Mark
from evals.world.seed import Seed
from evals.world.switches import Switches
from evals.world.telemetry import Sample, Source, level
from evals.world.traffic import Demand
from evals.world.voices import Voice
from tools.aws import Account, Aws, Reader
from tools.budget import Budget, Limits
from tools.clock import VirtualClock
from tools.errors import NotRecorded, NotThere, Refused
from tools.evidence import MemoryStore
from tools.models import Json

AT = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
START = AT - timedelta(minutes=30)  # 11:30
FIRST = int(START.timestamp()) // 60
GROUP = "/app/orders"


class Twenty(Voice):
    """Twenty JSON lines in one minute: ten of level INFO with i = 0 to 9, ten of level ERROR with i = 10 to 19."""

    body = ""
    beside_kinds = ("good", "bad")

    def beside(self, group: LogGroup, minute: int) -> Iterable[tuple[int, str]]:
        if minute != FIRST:
            return []
        return [(number * 1000, "good" if number < 10 else "bad") for number in range(20)]

    def text(self, group: LogGroup, minute: int, mark: Mark) -> str:
        word, said = ("INFO", "fine") if mark.number < 10 else ("ERROR", "boom")
        return json.dumps(
            {"level": word, "i": mark.number, "text": f"{said} user=u{mark.number % 3} took {mark.number} ms"}
        )


def metric(namespace: str, dimensions: dict[str, str], emit: Callable[[int], Sample | None]) -> Source:
    return Source(namespace, "M", tuple(sorted(dimensions.items())), "", "Count", emit, delay=0)


def minutes(*values: float) -> Callable[[int], Sample | None]:
    """A gauge that stands at these values in the minutes from 11:30 on, and emits nothing otherwise."""
    return lambda minute: level(values[minute - FIRST]) if 0 <= minute - FIRST < len(values) else None


@cache
def tiny() -> World:
    """A world without systems: a few metrics and one log group."""
    world = World(
        case="tiny",
        seed=Seed(1),
        account="111122223333",
        region="us-east-1",
        start=AT,
        cast=Cast(Seed(1), "111122223333", "us-east-1"),
        switches=Switches(),
    )
    world.telemetry.add(
        metric("A", {"d": "1"}, minutes(1.0)),
        metric("B", {"d": "1"}, minutes(100.0)),
        metric("Line", {"d": "1"}, minutes(1, 2, 3, 4, 5, 6, 7, 8, 9, 10)),
        metric(
            "Spread",
            {"d": "1"},
            lambda minute: Sample(100, 1000, 0, 50, 10, 20, 40) if minute == FIRST else None,
        ),
        metric("Gaps", {"d": "1"}, lambda minute: level(6.0) if minute in (FIRST, FIRST + 2) else None),
        metric("Zero", {"d": "1"}, minutes(2, 0, 4)),
    )
    flow = Flow(name="none", demand=Demand(rate=0.0, anchor=AT.timestamp(), salt=1))
    world.log_groups[GROUP] = LogGroup(
        name=GROUP,
        arn=world.arn("logs", f"log-group:{GROUP}"),
        flow=flow,
        stage=0,
        salt=5,
        created=AT - timedelta(days=20),
        delay=5,
        retention=None,
        voice=Twenty(),
    )
    return world


def reader(world: World) -> Reader:
    clock, account = VirtualClock(world.start), Account(region=world.region)
    return Reader(Aws(account, world.transport(), clock, Budget(Limits(calls=9000)), MemoryStore()), "T")


def stat(
    name: str, namespace: str, how: str = "Sum", period: int = 60, dimensions: tuple[str, ...] = ("d",)
) -> Json:
    pairs = [{"Name": one, "Value": "1"} for one in dimensions]
    asked = {"Namespace": namespace, "MetricName": "M", "Dimensions": pairs}
    return {"Id": name, "MetricStat": {"Metric": asked, "Period": period, "Stat": how}}


def data(*queries: Json, start: datetime = START, end: datetime = AT, **more: Any) -> list[Json]:
    given: Json = {
        "MetricDataQueries": list(queries),
        "StartTime": start,
        "EndTime": end,
        "ScanBy": "TimestampAscending",
    }
    answer = reader(tiny()).ask("cloudwatch", "GetMetricData", **(given | more)).data
    return list(answer["MetricDataResults"])


def values(*queries: Json, **more: Any) -> list[float]:
    """The values of the only query that returns data."""
    (result,) = data(*queries, **more)
    return [float(value) for value in result["Values"]]


# -- metrics ----------------------------------------------------------------------------------------------------------


def test_namespaces_and_dimensions_stay_apart() -> None:
    assert values(stat("a", "A")) == [1.0]
    assert values(stat("a", "B")) == [100.0]
    assert values(stat("a", "A", dimensions=())) == []


@pytest.mark.parametrize(
    ("how", "expected"),
    [("p50", 10), ("p90", 20), ("p99", 40), ("p0", 0), ("p100", 50), ("p70", 15), ("p99.5", 45), ("p25", 5)],
)
def test_any_percentile_is_read_between_the_known_ones(how: str, expected: float) -> None:
    assert values(stat("a", "Spread", how)) == [pytest.approx(expected)]


def test_percentiles_of_several_minutes_are_those_of_all_values_together() -> None:
    """One value a minute, 1 to 10: the fifth of ten is the median, the ninth p90."""
    assert values(stat("a", "Line", "p50", 600)) == [5.0]
    assert values(stat("a", "Line", "p90", 600)) == [9.0]
    assert values(stat("a", "Line", "p91", 600)) == [10.0]


@pytest.mark.parametrize("how", ["tm90", "IQM", "PR(:10)", "wm95"])
def test_trimmed_statistics_are_refused_and_not_guessed(how: str) -> None:
    with pytest.raises(NotRecorded):
        values(stat("a", "Spread", how))


def test_a_statistic_that_aws_does_not_have_is_its_own_error() -> None:
    with pytest.raises(Refused, match="ValidationError"):
        values(stat("a", "Spread", "Mean"))


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("m*2", [12.0, 12.0]),
        ("FILL(m, 0)", [6.0, 0.0, 6.0, 0.0]),
        ("FILL(m, REPEAT)", [6.0, 6.0, 6.0, 6.0]),
        ("m+z", [8.0, 10.0]),
        ("SUM([m, z])", [8.0, 0.0, 10.0]),
        ("MAX(METRICS())", [6.0, 0.0, 6.0]),
        ("m/z*100", [300.0, 150.0]),
        ("z/m", [2 / 6, 4 / 6]),
        ("m/(z-4)", [-3.0]),  # dividing by zero gives no datapoint
        ("IF(z > 1, z, 0)", [2.0, 0.0, 4.0]),
        ("IF(z > 1 AND m > 1, 1)", [1.0, 1.0]),
        ("RATE(z)", [-2 / 60, 4 / 60]),
        ("z - AVG(z)", [0.0, -2.0, 2.0]),
        ("-z ^ 2 + PERIOD(z)", [56.0, 60.0, 44.0]),
    ],
)
def test_metric_math_calculates(expression: str, expected: list[float]) -> None:
    quiet = {"ReturnData": False}
    found = values(
        stat("m", "Gaps") | quiet,
        stat("z", "Zero") | quiet,
        {"Id": "e", "Expression": expression},
        end=START + timedelta(minutes=4),
    )
    assert found == pytest.approx(expected)


@pytest.mark.parametrize(
    "expression",
    [
        "SEARCH('{A,d} MetricName=M', 'Sum')",
        'SELECT SUM(M) FROM SCHEMA("A", d)',
        "ANOMALY_DETECTION_BAND(m, 2)",
    ],
)
def test_expressions_that_worlds_do_not_know_are_refused_as_aws_does_and_counted(expression: str) -> None:
    before = sum(tiny().coverage_misses.values())
    with pytest.raises(Refused, match="ValidationError: Error in expression 'e'"):
        values(stat("m", "A") | {"ReturnData": False}, {"Id": "e", "Expression": expression})
    assert sum(tiny().coverage_misses.values()) == before + 1


@pytest.mark.parametrize(
    "expression", ["1 + 1", "m +", "nothing * 2", "FOO(m)", "e", "[m, m] + [m]", "SUM(m)"]
)
def test_expressions_that_aws_refuses_are_refused_and_no_miss(expression: str) -> None:
    before = sum(tiny().coverage_misses.values())
    with pytest.raises(Refused, match="ValidationError: Error in expression 'e'"):
        values(stat("m", "A") | {"ReturnData": False}, {"Id": "e", "Expression": expression})
    assert sum(tiny().coverage_misses.values()) == before


def test_max_datapoints_cuts_pages_that_hold_every_point_once() -> None:
    found: list[float] = []
    more: Json = {}
    for size in (2, 2, 2, 2, 2):
        given: Json = {
            "MetricDataQueries": [stat("a", "Line")],
            "StartTime": START,
            "EndTime": AT,
            "MaxDatapoints": 2,
        }
        answer = (
            reader(tiny())
            .ask("cloudwatch", "GetMetricData", ScanBy="TimestampAscending", **given, **more)
            .data
        )
        assert len(answer["MetricDataResults"][0]["Values"]) == size
        found += answer["MetricDataResults"][0]["Values"]
        more = {"NextToken": answer["NextToken"]} if "NextToken" in answer else {}
    assert (found, more) == ([1, 2, 3, 4, 5, 6, 7, 8, 9, 10], {})


def test_bins_begin_at_multiples_of_the_period() -> None:
    (result,) = data(stat("a", "Line", period=300), start=START + timedelta(minutes=3))
    assert [moment.minute for moment in result["Timestamps"]] == [30, 35]
    assert result["Values"] == [15, 40]


def test_get_metric_statistics_begins_its_bins_at_the_start_and_limits_them() -> None:
    given: Json = {"Namespace": "Line", "MetricName": "M", "Dimensions": [{"Name": "d", "Value": "1"}]}
    window: Json = {"StartTime": START + timedelta(minutes=3), "EndTime": AT}
    ask = reader(tiny()).ask
    answer = ask(
        "cloudwatch",
        "GetMetricStatistics",
        Period=300,
        Statistics=["Sum", "Maximum"],
        ExtendedStatistics=["p50"],
        **given,
        **window,
    ).data
    shown = [(one["Timestamp"].minute, one["Sum"], one["Maximum"]) for one in answer["Datapoints"]]
    assert shown == [(33, 30.0, 8.0), (38, 19.0, 10.0)]
    assert answer["Datapoints"][0]["ExtendedStatistics"] == {"p50": 6.0}
    with pytest.raises(Refused, match="exceeds the limit of 1440"):
        ask(
            "cloudwatch",
            "GetMetricStatistics",
            Period=60,
            Statistics=["Sum"],
            **given,
            **(window | {"StartTime": AT - timedelta(days=2)}),
        )


def test_finer_periods_than_are_kept_give_nothing() -> None:
    world = replace(tiny(), start=AT + timedelta(days=16))
    given: Json = {"StartTime": START, "EndTime": AT}
    found = [
        reader(world)
        .ask("cloudwatch", "GetMetricData", MetricDataQueries=[stat("a", "Line", period=period)], **given)
        .data["MetricDataResults"][0]["Values"]
        for period in (60, 300, 3600)
    ]
    assert [len(one) for one in found] == [0, 2, 1]
    later = replace(tiny(), start=AT + timedelta(days=70))
    found = [
        reader(later)
        .ask("cloudwatch", "GetMetricData", MetricDataQueries=[stat("a", "Line", period=period)], **given)
        .data["MetricDataResults"][0]["Values"]
        for period in (300, 3600)
    ]
    assert [len(one) for one in found] == [0, 1]


def test_list_metrics_forgets_metrics_that_were_silent_for_two_weeks() -> None:
    names = [one["Namespace"] for one in reader(tiny()).ask("cloudwatch", "ListMetrics").data["Metrics"]]
    assert names == ["A", "B", "Gaps", "Line", "Spread", "Zero"]
    later = replace(tiny(), start=AT + timedelta(days=15))
    assert reader(later).ask("cloudwatch", "ListMetrics").data["Metrics"] == []


# -- logs -------------------------------------------------------------------------------------------------------------


def matched(pattern: str) -> list[int]:
    window: Json = {"startTime": FIRST * 60_000, "endTime": (FIRST + 1) * 60_000}
    answer = (
        reader(tiny())
        .ask("logs", "FilterLogEvents", logGroupName=GROUP, filterPattern=pattern, **window)
        .data
    )
    return [int(json.loads(event["message"])["i"]) for event in answer["events"]]


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ("", list(range(20))),
        ("boom", list(range(10, 20))),
        ("-boom", list(range(10))),
        ('"boom user"', list(range(10, 20))),
        ("?fine ?boom", list(range(20))),
        ("ERROR -u1", [11, 12, 14, 15, 17, 18]),
        ('{ $.level = "INFO" }', list(range(10))),
        ("{ $.i > 10 }", list(range(11, 20))),
        ("{ $.i >= 10 && $.i != 12 }", [10, 11, *range(13, 20)]),
        ('{ ($.i < 2 || $.i = 1.9e1) && $.text = "*user=*" }', [0, 1, 19]),
        ("{ $.nothing NOT EXISTS }", list(range(20))),
        ("{ $.nothing = 1 }", []),
        ("%took 1[0-9]%", None),
        ("%u[12]%", [n for n in range(20) if n % 3]),
        ("%^.+ERROR%", list(range(10, 20))),
    ],
)
def test_filter_patterns_choose_the_lines_they_mean(pattern: str, expected: list[int] | None) -> None:
    if expected is None:
        with pytest.raises(Refused, match="InvalidParameterException"):
            matched(pattern)
    else:
        assert matched(pattern) == expected


def rows(text: str) -> list[dict[str, str]]:
    one = reader(tiny())
    window: Json = {"startTime": FIRST * 60, "endTime": FIRST * 60 + 60}
    code = one.ask("logs", "StartQuery", logGroupNames=[GROUP], queryString=text, **window).data["queryId"]
    one.ask("logs", "GetQueryResults", queryId=code)
    found = one.ask("logs", "GetQueryResults", queryId=code).data["results"]
    return [{cell["field"]: cell["value"] for cell in row if cell["field"] != "@ptr"} for row in found]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("filter @message like /ERROR/ | stats count(*) as n", [{"n": "10"}]),
        ("filter level = 'ERROR' and i in [11, 12, 40] | sort i asc | display i", [{"i": "11"}, {"i": "12"}]),
        ("filter not (i < 18) | sort i desc | display i", [{"i": "19"}, {"i": "18"}]),
        ("stats sum(i), avg(i), min(i), max(i), pct(i, 90), count_distinct(level) as levels",
         [{"sum(i)": "190", "avg(i)": "9.5", "min(i)": "0", "max(i)": "19", "pct(i, 90)": "17", "levels": "2"}]),
        ('parse @message "user=* took * ms" as who, took | stats sum(took) as ms by who | sort who',
         [{"who": "u0", "ms": "63"}, {"who": "u1", "ms": "70"}, {"who": "u2", "ms": "57"}]),
        (r"parse @message /took (?<took>\d+) ms/ | filter took > 17 | sort took | display took",
         [{"took": "18"}, {"took": "19"}]),
        ("sort i | dedup level | display level, i", None),
        ("sort i asc | dedup level | limit 5", "dedup"),
        ("stats count(*) as n by bin(10s) as t | sort n desc, t asc | limit 1",
         [{"t": "2026-03-01 11:30:00.000", "n": "10"}]),
        ("filter ispresent(nothing) | stats count(*) as n", [{"n": "0"}]),
    ],
)  # fmt: skip
def test_log_queries_answer_what_is_asked(text: str, expected: Any) -> None:
    if expected is None:
        with pytest.raises(Refused, match="MalformedQueryException"):
            rows(text)
    elif expected == "dedup":
        assert [json.loads(row["@message"])["i"] for row in rows(text)] == [0, 10]
    else:
        assert rows(text) == expected


def test_times_of_rows_are_written_as_insights_writes_them() -> None:
    (row,) = rows("filter i = 3 | fields @timestamp")
    assert row == {"@timestamp": "2026-03-01 11:30:03.000"}


def test_what_insights_knows_and_worlds_do_not_is_malformed_and_counted() -> None:
    before = sum(tiny().coverage_misses.values())
    for text in ("pattern @message", "fields strlen(@message)", "stats median(i)"):
        with pytest.raises(Refused, match="MalformedQueryException"):
            rows(text)
    assert sum(tiny().coverage_misses.values()) == before + 3
    with pytest.raises(Refused, match="MalformedQueryException"):
        rows("filtre @message like /x/")
    assert sum(tiny().coverage_misses.values()) == before + 3


# -- what happened ----------------------------------------------------------------------------------------------------


def test_services_of_a_cluster_that_does_not_exist_are_not_an_empty_list() -> None:
    with pytest.raises(NotThere):
        reader(tiny()).ask("ecs", "DescribeServices", cluster="shop", services=["web"])


def test_scaling_activities_and_database_events_are_those_that_happened() -> None:
    group = "arn:aws:autoscaling:us-east-1:111122223333:autoScalingGroup:1:autoScalingGroupName/web"
    database = "arn:aws:rds:us-east-1:111122223333:db:orders"
    world = replace(
        tiny(),
        happenings=[
            Happening(
                AT - timedelta(minutes=9), "autoscaling", group, "Launching a new EC2 instance: i-1", "Failed"
            ),
            Happening(AT - timedelta(minutes=8), "rds", database, "Multi-AZ failover started", "failover"),
            Happening(AT - timedelta(days=15), "rds", database, "too old", "failover"),
            Happening(AT + timedelta(minutes=8), "rds", database, "not yet", "failover"),
        ],
    )
    ask = reader(world).ask
    (activity,) = ask("autoscaling", "DescribeScalingActivities", AutoScalingGroupName="web").data[
        "Activities"
    ]
    assert (activity["StatusCode"], activity["StartTime"]) == ("Failed", AT - timedelta(minutes=9))
    (event,) = ask("rds", "DescribeEvents", Duration=20160).data["Events"]
    assert (event["SourceIdentifier"], event["SourceType"]) == ("orders", "db-instance")
    assert event["EventCategories"] == ["failover"]
    assert ask("rds", "DescribeEvents", Duration=5).data["Events"] == []
    with pytest.raises(NotRecorded):
        ask("rds", "DescribeDBRecommendations")  # the events show that there is a database
    assert reader(tiny()).ask("rds", "DescribeDBRecommendations").data["DBRecommendations"] == []
    assert reader(tiny()).ask("autoscaling", "DescribeScalingActivities").data["Activities"] == []


def test_config_shows_the_value_before_and_after_once_it_records() -> None:
    plain = load_case("dynamodb-max-write", 1)
    name = plain.facts["table.name"]
    given: Json = {"resourceType": "AWS::DynamoDB::Table", "resourceId": name}
    with pytest.raises(Refused) as refused:
        reader(plain).ask("config", "GetResourceConfigHistory", **given)
    assert refused.value.code == "NoAvailableConfigurationRecorderException"
    assert reader(plain).ask("config", "DescribeConfigurationRecorders").data["ConfigurationRecorders"] == []
    world = replace(plain, switches=plain.switches.model_copy(update={"recorder": True}))
    items = reader(world).ask("config", "GetResourceConfigHistory", **given).data["configurationItems"]
    seen = [json.loads(one["configuration"])["onDemandThroughput"]["maxWriteRequestUnits"] for one in items]
    assert seen[:2] == [world.facts["max_write.after"], world.facts["max_write.before"]]
    assert items[0]["configurationItemCaptureTime"] > world.facts["change.time"]
    with pytest.raises(Refused) as refused:
        reader(world).ask("config", "GetResourceConfigHistory", **(given | {"resourceId": "none"}))
    assert refused.value.code == "ResourceNotDiscoveredException"


def test_traces_show_the_faults_that_the_metrics_count() -> None:
    plain = load_case("dynamodb-max-write", 1)
    window: Json = {
        "StartTime": plain.start - timedelta(minutes=5),
        "EndTime": plain.start - timedelta(minutes=1),
    }
    assert reader(plain).ask("xray", "GetServiceGraph", **window).data["Services"] == []
    world = replace(plain, switches=plain.switches.model_copy(update={"tracing": True}))
    services = reader(world).ask("xray", "GetServiceGraph", **window).data["Services"]
    function = next(
        one
        for one in services
        if (one["Name"], one["Type"]) == (world.facts["function.name"], "AWS::Lambda::Function")
    )
    table = next(one for one in services if one["Name"] == world.facts["table.name"])
    faults = function["SummaryStatistics"]["FaultStatistics"]["TotalCount"]
    total = function["SummaryStatistics"]["TotalCount"]
    ledger = world.ledger
    counted = [
        ledger.metric(
            world.facts["function.arn"],
            f"AWS/Lambda/{name}/Sum",
            "sum",
            window["StartTime"],
            window["EndTime"],
        )
        for name in ("Errors", "Invocations")
    ]
    assert counted[0] is not None
    assert counted[1] is not None
    assert faults / total == pytest.approx(counted[0] / counted[1], abs=0.1)
    assert table["SummaryStatistics"]["ErrorStatistics"]["ThrottleCount"] == faults
    summaries = reader(world).ask("xray", "GetTraceSummaries", FilterExpression="fault", **window).data
    assert all(one["HasFault"] for one in summaries["TraceSummaries"])
    code = summaries["TraceSummaries"][0]["Id"]
    (trace,) = reader(world).ask("xray", "BatchGetTraces", TraceIds=[code]).data["Traces"]
    documents = [json.loads(one["Document"]) for one in trace["Segments"]]
    assert {one["trace_id"] for one in documents} == {code}
    assert any(one.get("subsegments", [{}])[0].get("throttle") for one in documents)
