"""Plans on an emulated account: right ones pass, each planted mistake fails, what moto cannot do is said."""

from __future__ import annotations

import threading
from dataclasses import replace
from typing import Any

import pytest

from evals.emulation import CallRefused, Emulation, NotEmulated, emulation
from evals.rehearsal import Rehearsal, try_out
from evals.rehearsals import Item, Scene, seeders
from graph.models import Step
from tools.models import Call, Json

ACCOUNT, REGION = "111122223333", "ap-northeast-1"
CAP = "OnDemandThroughput.MaxWriteRequestUnits"


def arn(service: str, rest: str) -> str:
    return f"arn:aws:{service}:{REGION}:{ACCOUNT}:{rest}"


def item(kind: str, service: str, rest: str, name: str, values: Json, **fixed: Any) -> Item:
    return Item(kind=kind, name=name, arn=arn(service, rest), region=REGION, values=values, fixed=fixed)


def scene(first: Item, *others: Item, **bad: Any) -> Scene:
    """`first` as it was; `bad` holds what the change made of it, by path with `__` for dots."""
    after = {path.replace("__", "."): value for path, value in bad.items()}
    worse = replace(first, values={**first.values, **after})
    return Scene(
        account=ACCOUNT, region=REGION, target=first.arn, prior=(first, *others), bad=(worse, *others)
    )


def call(service: str, operation: str, region: str = REGION, **parameters: Any) -> Call:
    return Call(service=service, operation=operation, parameters=parameters, region=region)


ORDERS = item(
    "table",
    "dynamodb",
    "table/orders",
    "orders",
    {"OnDemandThroughput.MaxReadRequestUnits": 500, CAP: 250, "PointInTimeRecovery": True},
)
CARTS = item("table", "dynamodb", "table/carts", "carts", {CAP: 90})
LOWERED = scene(ORDERS, CARTS, OnDemandThroughput__MaxWriteRequestUnits=2)
LOOK = Step(
    title="Still so?",
    calls=(call("dynamodb", "DescribeTable", TableName="orders"),),
    query="Table.[TableStatus,OnDemandThroughput.MaxWriteRequestUnits]",
    expect=("TableStatus ACTIVE", "MaxWriteRequestUnits 2"),
)


def limits(
    write: int, read: int | None = 500, table: str = "orders", region: str = REGION, **more: Any
) -> Call:
    asked = {"MaxReadRequestUnits": read, "MaxWriteRequestUnits": write}
    given = {key: value for key, value in asked.items() if value is not None}
    return call("dynamodb", "UpdateTable", region, TableName=table, OnDemandThroughput=given, **more)


def tried(apply: Call, back: Call | None, look: Step = LOOK) -> Rehearsal:
    return try_out(LOWERED, [apply], [back] if back else [], [look])


def test_the_right_plan_passes_and_so_does_one_that_names_the_table_by_its_arn() -> None:
    assert tried(limits(250), limits(2)) == Rehearsal(status="ok")
    assert tried(limits(250, table=ORDERS.arn), limits(2, table=ORDERS.arn)) == Rehearsal(status="ok")


@pytest.mark.parametrize(
    ("apply", "back", "said"),
    [
        (limits(400), limits(2), "MaxWriteRequestUnits is 400, not 250"),
        (limits(2), limits(2), "MaxWriteRequestUnits is 2, not 250"),
        (limits(250, read=None), limits(2), "MaxReadRequestUnits is None, not 500"),
        (limits(250, read=400), limits(2), "MaxReadRequestUnits is 400, not 500"),
        (limits(250, DeletionProtectionEnabled=True), limits(2), "DeletionProtectionEnabled is True"),
        (limits(250), limits(2, read=None), "after the way back: "),
        (limits(250), limits(3), "MaxWriteRequestUnits is 3, not 2"),
        (limits(250), None, "no way back"),
        (limits(250, table="carts"), limits(2, table="carts"), "no call touches orders"),
        (limits(250, table="order"), limits(2), "names no resource of this account"),
        (limits(250, region="eu-west-1"), limits(2, region="eu-west-1"), "goes to eu-west-1"),
        (limits(250, table=CARTS.arn), limits(2), f"{CARTS.arn}.OnDemandThroughput.MaxReadRequestUnits"),
        (limits(250, table=arn("dynamodb", "table/gone/orders")), limits(2), "is refused"),
    ],
)
def test_a_plan_that_is_wrong_in_one_thing_fails(apply: Call, back: Call | None, said: str) -> None:
    found = tried(apply, back)
    assert found.status == "failed"
    assert said in "\n".join(found.problems)


def test_a_plan_that_expects_to_see_another_value_fails() -> None:
    wrong = LOOK.model_copy(update={"expect": ("TableStatus ACTIVE", "MaxWriteRequestUnits 7")})
    found = tried(limits(250), limits(2), wrong)
    assert found == Rehearsal(
        status="failed", problems=("before: the plan expects MaxWriteRequestUnits 7, and 2 is shown",)
    )


def test_an_operation_that_moto_has_not_is_not_rehearsable() -> None:
    unknown = call(
        "dynamodb", "UpdateContributorInsights", TableName="orders", ContributorInsightsAction="ENABLE"
    )
    found = tried(unknown, limits(2))
    assert (found.status, found.problems) == (
        "not_rehearsable",
        ("moto has no dynamodb:UpdateContributorInsights",),
    )


def test_a_parameter_that_moto_forgets_is_found_by_trying_another_value() -> None:
    """moto takes UpdateTable's TableClass and never shows it, so nobody can say if the plan's is right."""
    found = tried(limits(250, TableClass="STANDARD"), limits(2))
    assert found == Rehearsal(
        status="not_rehearsable", problems=("moto does not look at dynamodb:UpdateTable TableClass",)
    )


def test_no_difference_between_before_and_after_is_not_ok() -> None:
    alike = replace(LOWERED, bad=LOWERED.prior)
    assert try_out(alike, [limits(250)], [limits(2)]).status == "not_rehearsable"


FUNCTION = item(
    "function", "lambda", "function:writer", "writer", {"Timeout": 15, "MemorySize": 512, "Environment.A": 1}
)
RESERVED = replace(FUNCTION, values={**FUNCTION.values, "ReservedConcurrentExecutions": None})
QUEUE = item("queue", "sqs", "events", "events", {"VisibilityTimeout": 180, "MessageRetentionPeriod": 345600})
URL = f"https://sqs.{REGION}.amazonaws.com/{ACCOUNT}/events"
ALARM = item(
    "alarm", "cloudwatch", "alarm:late", "late",
    {
        "Namespace": "AWS/SQS", "MetricName": "ApproximateAgeOfOldestMessage", "Statistic": "Maximum",
        "Dimensions": [{"Name": "QueueName", "Value": "events"}], "Period": 60, "EvaluationPeriods": 3,
        "DatapointsToAlarm": 3, "Threshold": 300.0, "ComparisonOperator": "GreaterThanThreshold",
        "TreatMissingData": "missing", "AlarmActions": [arn("sns", "on-call")], "ActionsEnabled": True,
    },
)  # fmt: skip


def put_alarm(**other: Any) -> Call:
    held = {key: value for key, value in ALARM.values.items() if key != "ActionsEnabled"}
    return call("cloudwatch", "PutMetricAlarm", AlarmName="late", **{**held, **other})


def timeout(seconds: int, **more: Any) -> Call:
    return call("lambda", "UpdateFunctionConfiguration", FunctionName="writer", Timeout=seconds, **more)


def reserve(count: int) -> Call:
    return call("lambda", "PutFunctionConcurrency", FunctionName="writer", ReservedConcurrentExecutions=count)


def visible(seconds: str, **more: str) -> Call:
    attributes = {"VisibilityTimeout": seconds, **more}
    return call("sqs", "SetQueueAttributes", QueueUrl=URL, Attributes=attributes)


FREE = call("lambda", "DeleteFunctionConcurrency", FunctionName="writer")
SHORT = scene(FUNCTION, Timeout=3)
SMALL = scene(FUNCTION, MemorySize=128)
NONE_LEFT = scene(RESERVED, ReservedConcurrentExecutions=0)
HASTY = scene(QUEUE, VisibilityTimeout=5)
STRICT = scene(ALARM, Threshold=20.0)


@pytest.mark.parametrize(
    ("where", "apply", "back", "wrong"),
    [
        (SHORT, timeout(15), timeout(3), timeout(16)),
        (SHORT, timeout(15), timeout(3), timeout(15, MemorySize=256)),
        (
            SMALL,
            call("lambda", "UpdateFunctionConfiguration", FunctionName="writer", MemorySize=512),
            call("lambda", "UpdateFunctionConfiguration", FunctionName="writer", MemorySize=128),
            call("lambda", "UpdateFunctionConfiguration", FunctionName="writer", MemorySize=1024),
        ),
        (NONE_LEFT, FREE, reserve(0), reserve(10)),
        (HASTY, visible("180"), visible("5"), visible("180", DelaySeconds="5")),
        (STRICT, put_alarm(), put_alarm(Threshold=20.0), put_alarm(AlarmActions=[])),
        (STRICT, put_alarm(), put_alarm(Threshold=20.0), put_alarm(Threshold=200.0)),
    ],
)
def test_plans_of_other_services(where: Scene, apply: Call, back: Call, wrong: Call) -> None:
    assert try_out(where, [apply], [back]) == Rehearsal(status="ok")
    assert try_out(where, [wrong], [back]).status == "failed"
    assert try_out(where, [apply], [wrong]).status == "failed"


def test_every_path_of_a_seeder_shows_in_what_it_reads() -> None:
    """A path that is claimed and not seeded would make every plan about it look alike."""
    pairs: dict[str, list[tuple[Json, Json]]] = {
        "table": [
            ({"BillingMode": "PROVISIONED"}, {}),
            ({CAP: 5}, {CAP: 6}),
            ({"DeletionProtectionEnabled": True}, {}),
            ({"PointInTimeRecovery": True}, {}),
            ({"TimeToLive": "expires"}, {}),
        ],
        "queue": [({name: value}, {}) for name, value in (("DelaySeconds", 9), ("VisibilityTimeout", 99))],
    }
    for kind, rows in pairs.items():
        for one, other in rows:
            first = item(kind, "dynamodb", "table/x", "x", one)
            shown = []
            for values in (one, other):
                with emulation(ACCOUNT, REGION, seeders()[kind].supplements) as account:
                    made = replace(first, values=values)
                    ids = seeders()[kind].make(account, made)
                    shown.append(seeders()[kind].read(account, made, ids))
            assert shown[0] != shown[1], (kind, one)


def test_accounts_are_empty_at_first_and_one_at_a_time() -> None:
    seen: list[list[str]] = []

    def work(name: str) -> None:
        with emulation(ACCOUNT, REGION) as account:
            account.call(call("sqs", "CreateQueue", QueueName=name))
            listed = account.call(call("sqs", "ListQueues"))
            seen.append([url.rsplit("/", 1)[-1] for url in listed.get("QueueUrls", [])])

    threads = [threading.Thread(target=work, args=(f"q{number}",)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(seen) == [[f"q{number}"] for number in range(6)]


def test_no_request_leaves_even_to_a_service_that_moto_does_not_know() -> None:
    with emulation(ACCOUNT, REGION) as account:
        assert account.call(call("sts", "GetCallerIdentity"))["Account"] == ACCOUNT
        with pytest.raises(NotEmulated):
            account.call(call("health", "DescribeEvents"))
        with pytest.raises(NotEmulated):
            account.call(call("application-signals", "ListServiceLevelObjectives"))
        with pytest.raises(NotEmulated):
            account.call(call("route53", "DisableHostedZoneDNSSEC", HostedZoneId="Z1"))
        with pytest.raises(CallRefused, match="NoSuchHostedZone"):
            account.call(call("route53", "GetHostedZone", Id="Z1"))
        with pytest.raises(CallRefused):
            account.call(call("dynamodb", "DescribeTable", TableName="gone"))
        with pytest.raises(CallRefused):
            account.call(call("dynamodb", "DescribeTable", Table="gone"))
    with pytest.raises(NotEmulated):
        Emulation(ACCOUNT, REGION).call(call("sqs", "ListQueues"))
