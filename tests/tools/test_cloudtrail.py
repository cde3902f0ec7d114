"""CloudTrail: records into change events, bounded look-ups over a fake event history, what touches what."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tools.aws import Account, Aws, Reader
from tools.budget import Budget, Limits
from tools.clock import VirtualClock
from tools.cloudtrail import (
    EPOCH,
    changes,
    cited,
    clamp,
    complete_until,
    event_names,
    is_mutating,
    is_noise,
    lookup,
    operation_of,
    parse,
    resolve_people,
    touched_by,
    toucher,
)
from tools.cloudtrail_fields import moment
from tools.evidence import MemoryStore
from tools.models import ChangeEvent, Resource, Window
from tools.transport import WireAnswer, WireRequest

ACCOUNT = "111122223333"
REGION = "eu-west-1"
NOW = datetime(2026, 3, 13, 18, 0, 37, tzinfo=UTC)
KEY = "ASIAIOSFODNN7EXAMPLE"


def at(minutes: float) -> datetime:
    """A moment so many minutes before `NOW`."""
    return NOW - timedelta(minutes=minutes)


def record(number: int, when: datetime, name: str = "UpdateTable", **fields: Any) -> dict[str, Any]:
    return {
        "eventVersion": "1.11",
        "userIdentity": {"type": "IAMUser", "userName": "ops-07", "accountId": ACCOUNT},
        "eventTime": f"{when:%Y-%m-%dT%H:%M:%SZ}",
        "eventSource": "dynamodb.amazonaws.com",
        "eventName": name,
        "awsRegion": REGION,
        "sourceIPAddress": "203.0.113.24",
        "userAgent": "aws-cli/2.27.1",
        "requestParameters": {"tableName": "orders"},
        "responseElements": None,
        "eventID": f"00000000-0000-4000-8000-{number:012d}",
        "readOnly": False,
        "eventType": "AwsApiCall",
        "recipientAccountId": ACCOUNT,
    } | fields


class EventHistory:
    """A transport that answers LookupEvents alone: one attribute, 50 a page, newest first, one list per
    region.
    """

    virtual = True

    def __init__(
        self, denied: Sequence[str] = (), deny_after: int = 10**9, **regions: list[dict[str, Any]]
    ) -> None:
        self.regions = {name.replace("_", "-"): records for name, records in regions.items()}
        self.asked: list[tuple[str, dict[str, Any]]] = []
        self.denied = set(denied)
        self.deny_after = deny_after

    def start(self) -> datetime:
        return NOW

    def close(self) -> None:
        pass

    def send(self, request: WireRequest) -> WireAnswer:
        body = json.loads(request.body)
        self.asked.append((request.region, body))
        if request.region in self.denied or len(self.asked) > self.deny_after:
            said = (
                f"User: arn:aws:iam::{ACCOUNT}:user/reader is not authorized to perform: "
                "cloudtrail:LookupEvents because no identity-based policy allows the "
                "cloudtrail:LookupEvents action"
            )
            return self._answer(400, {"__type": "AccessDeniedException", "message": said})
        first = int(body.get("NextToken", "0"))
        chosen = [item for item in self.regions.get(request.region, []) if self._fits(item, body)]
        chosen.sort(key=lambda item: str(item["eventTime"]), reverse=True)
        answer: dict[str, Any] = {"Events": [self._item(item) for item in chosen[first : first + 50]]}
        if first + 50 < len(chosen):
            answer["NextToken"] = str(first + 50)
        return self._answer(200, answer)

    def _fits(self, item: dict[str, Any], body: dict[str, Any]) -> bool:
        stamp = moment(item["eventTime"]).timestamp()
        if not body["StartTime"] <= stamp <= body["EndTime"]:
            return False
        for wanted in body.get("LookupAttributes", []):
            key, value = wanted["AttributeKey"], wanted["AttributeValue"]
            has = {
                "EventName": [item["eventName"]],
                "ReadOnly": [str(item.get("readOnly")).lower()],
                "ResourceName": [entry["ResourceName"] for entry in item.get("listed", [])],
            }[key]
            if value not in has:
                return False
        return True

    def _item(self, item: dict[str, Any]) -> dict[str, Any]:
        inside = {key: value for key, value in item.items() if key != "listed"}
        return {
            "EventId": item["eventID"],
            "EventName": item["eventName"],
            "EventTime": moment(item["eventTime"]).timestamp(),
            "Resources": item.get("listed", []),
            "CloudTrailEvent": json.dumps(inside),
        }

    def _answer(self, status: int, body: dict[str, Any]) -> WireAnswer:
        return WireAnswer(
            status=status,
            headers={"content-type": "application/x-amz-json-1.1"},
            body=json.dumps(body).encode(),
            protocol="json",
        )


def reader_of(history: EventHistory, region: str = REGION, calls: int = 600) -> Reader:
    aws = Aws(
        Account(region=region),
        history,
        VirtualClock(NOW),
        Budget(Limits(calls=calls)),
        MemoryStore(),
        own_account=ACCOUNT,
    )
    return Reader(aws, "F")


def resource(arn: str, name: str, service: str = "dynamodb", kind: str = "table") -> Resource:
    return Resource(arn=arn, service=service, type=kind, name=name, account=ACCOUNT, region=REGION)


TABLE = resource(f"arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/orders", "orders")
FUNCTION = resource(
    f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:order-writer", "order-writer", "lambda", "function"
)
QUEUE = resource(f"arn:aws:sqs:{REGION}:{ACCOUNT}:orders-in", "orders-in", "sqs", "queue")
ROLE = Resource(
    arn=f"arn:aws:iam::{ACCOUNT}:role/app/writer-role",
    service="iam",
    type="role",
    name="writer-role",
    account=ACCOUNT,
    region="",
)
GROUP = resource(
    f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:/aws/lambda/f", "/aws/lambda/f", "logs", "log-group"
)
ALARM = resource(
    f"arn:aws:cloudwatch:{REGION}:{ACCOUNT}:alarm:orders-late", "orders-late", "cloudwatch", "alarm"
)
REST = resource(f"arn:aws:apigateway:{REGION}::/restapis/a1b2c3", "orders-api", "apigateway", "api")
STAGE = resource(f"arn:aws:apigateway:{REGION}::/restapis/a1b2c3/stages/prod", "prod", "apigateway", "stage")


# -- names and fields -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("recorded", "operation"),
    [
        ("PutFunctionConcurrency20171031", "PutFunctionConcurrency"),
        ("UpdateFunctionCode20150331v2", "UpdateFunctionCode"),
        ("UpdateDistribution2020_05_31", "UpdateDistribution"),
        ("UpdateTable", "UpdateTable"),
        ("ListObjectsV2", "ListObjectsV2"),
        ("GetBucketV2", "GetBucketV2"),
        ("CreateThing12345678", "CreateThing12345678"),
        ("CreateThing20151331", "CreateThing20151331"),
        ("20150331", "20150331"),
        ("", ""),
    ],
)
def test_operation_is_the_event_name_without_its_api_date(recorded: str, operation: str) -> None:
    assert operation_of(recorded) == operation


def test_event_names_are_those_that_are_recorded() -> None:
    assert event_names("UpdateTable") == ("UpdateTable",)
    for operation in ("UpdateFunctionConfiguration", "PutFunctionConcurrency", "RemovePermission"):
        (name,) = event_names(operation)
        assert name != operation
        assert operation_of(name) == operation


@pytest.mark.parametrize(
    ("fields", "mutating"),
    [
        ({"readOnly": False, "eventName": "GetThing"}, True),
        ({"readOnly": "true", "eventName": "UpdateTable"}, False),
        ({"readOnly": "False", "eventName": "UpdateTable"}, True),
        ({"eventName": "DescribeTable"}, False),
        ({"eventName": "BatchGetImage"}, False),
        ({"eventName": "GetFunction20150331v2"}, False),
        ({"eventName": "AssumeRoleWithSAML"}, False),
        ({"eventName": "Decrypt"}, False),
        ({"eventName": "GenerateDataKeyWithoutPlaintext"}, False),
        ({"eventName": "GenerateKeyPair"}, True),
        ({"eventName": "SignalResource"}, True),
        ({"eventName": "Listen"}, True),
        ({"eventName": "ScanlineUpdate"}, True),
        ({"eventName": "PutRolePolicy"}, True),
        ({}, True),
    ],
)
def test_mutating_by_field_then_by_name(fields: dict[str, Any], mutating: bool) -> None:
    assert is_mutating(fields) is mutating


@given(st.datetimes(min_value=datetime(1970, 1, 2), max_value=datetime(2100, 1, 1)))
def test_times_are_read_in_every_spelling(naive: datetime) -> None:
    exact = naive.replace(tzinfo=UTC)
    cut = exact.replace(microsecond=0)
    assert moment(exact) == exact
    assert moment(f"{exact:%Y-%m-%dT%H:%M:%S}Z") == cut
    assert moment(f"{exact:%Y-%m-%d %H:%M:%S}.000000000") == cut
    assert moment(f"{exact:%Y-%m-%dT%H:%M:%S.%f}+00:00") == exact
    assert moment(f"{exact:%Y-%m-%dT%H:%M:%S}+09:00") == cut - timedelta(hours=9)


@given(st.one_of(st.text(), st.none(), st.integers(), st.lists(st.text())))
def test_what_is_no_time_is_the_epoch_or_a_time(odd: object) -> None:
    assert moment(odd).tzinfo is UTC


# -- parsing ----------------------------------------------------------------------------------------


def test_record_becomes_a_change_event() -> None:
    made = parse(
        record(
            1,
            at(47),
            "UpdateFunctionConfiguration20150331v2",
            eventSource="lambda.amazonaws.com",
            requestParameters={"functionName": "order-writer", "timeout": 3},
            responseElements={"timeout": 3},
            resources=[
                {"ARN": FUNCTION.arn, "type": "AWS::Lambda::Function"},
                {"arn": "arn:x"},
                {"ARN": None},
            ],
        ),
        ("F1",),
    )
    assert (made.action, made.operation) == (
        "UpdateFunctionConfiguration20150331v2",
        "UpdateFunctionConfiguration",
    )
    assert made.time == at(47)
    assert (made.region, made.account, made.source) == (REGION, ACCOUNT, "lambda.amazonaws.com")
    assert (made.request["timeout"], made.response) == (3, {"timeout": 3})
    assert made.names == (FUNCTION.arn, "arn:x")
    assert (made.error_code, made.read_only, made.evidence) == ("", False, ("F1",))


def test_denied_attempt_keeps_its_error() -> None:
    made = parse(record(1, at(1), errorCode="AccessDenied", errorMessage="no", requestParameters=None))
    assert (made.error_code, made.error_message, made.request) == ("AccessDenied", "no", {})


def test_envelopes_are_opened() -> None:
    bare = record(1, at(5))
    assert parse({"detail-type": "AWS API Call via CloudTrail", "id": "x", "detail": bare}) == parse(bare)
    item = {"EventId": "y", "CloudTrailEvent": json.dumps(bare), "Resources": [{"ResourceName": "orders"}]}
    assert parse(item).names == ("orders",)
    assert parse(item).id == bare["eventID"]


def test_item_with_an_unreadable_record_still_tells_what_it_says() -> None:
    made = parse(
        {
            "EventId": "y",
            "EventName": "UpdateTable",
            "EventTime": NOW,
            "Username": "ops-07",
            "ReadOnly": "false",
            "CloudTrailEvent": '{"cut off',
        }
    )
    assert (made.id, made.operation, made.time, made.actor.name) == ("y", "UpdateTable", NOW, "ops-07")
    assert not made.read_only


def test_record_without_anything_has_an_id_of_its_own_and_no_time() -> None:
    empty, other = parse({}), parse({"eventName": "X"})
    assert empty.time == EPOCH
    assert empty.id != other.id
    assert empty.id == parse({}).id


# -- look-ups ---------------------------------------------------------------------------------------

HOUR = Window(start=at(60), end=NOW)


def test_lookup_pages_to_the_end_and_cites_each_page() -> None:
    history = EventHistory(eu_west_1=[record(n, at(1 + n * 0.2)) for n in range(120)])
    found = lookup(reader := reader_of(history), attribute=("EventName", "UpdateTable"), window=HOUR)
    assert (len(found.events), found.complete, found.evidence) == (120, True, ("F1", "F2", "F3"))
    assert [event.time for event in found.events] == sorted(event.time for event in found.events)
    assert found.events[-1].evidence == ("F1",)
    assert found.events[0].evidence == ("F3",)
    assert len(found.records) == 120
    assert len(reader.evidence) == 3


def test_lookup_cut_by_its_page_limit_says_since_when_it_knows() -> None:
    history = EventHistory(eu_west_1=[record(n, at(1 + n * 0.2)) for n in range(120)])
    found = lookup(reader_of(history), attribute=("ReadOnly", "false"), window=HOUR, pages=1)
    assert (len(found.events), found.complete) == (50, False)
    assert found.since == min(event.time for event in found.events)


def test_lookup_keeps_what_it_read_before_a_refusal() -> None:
    history = EventHistory(deny_after=1, eu_west_1=[record(n, at(1 + n * 0.2)) for n in range(120)])
    found = lookup(reader := reader_of(history), attribute=("ReadOnly", "false"), window=HOUR)
    assert (len(found.events), found.complete) == (50, False)
    assert [gap.statement is not None for gap in reader.gaps] == [True]


def test_spent_budget_is_a_gap_and_not_an_empty_history() -> None:
    history = EventHistory(eu_west_1=[record(n, at(1 + n * 0.2)) for n in range(120)])
    found = lookup(reader := reader_of(history, calls=2), attribute=("ReadOnly", "false"), window=HOUR)
    assert (len(found.events), found.complete, reader.gaps[0].code) == (100, False, "BudgetSpent")


def test_same_question_within_a_minute_is_the_same_request() -> None:
    one = clamp(Window(start=at(60), end=NOW), NOW)
    assert one == clamp(Window(start=at(60) + timedelta(seconds=9), end=NOW + timedelta(hours=1)), NOW)
    assert one.start.second == one.end.second == 0
    assert one.end <= NOW


def test_last_second_of_a_window_is_in_it_and_the_next_is_not() -> None:
    end = datetime(2026, 3, 13, 17, 30, tzinfo=UTC)
    history = EventHistory(eu_west_1=[record(1, end - timedelta(seconds=1)), record(2, end)])
    found = lookup(reader_of(history), attribute=None, window=Window(start=at(60), end=end))
    assert [event.id[-1] for event in found.events] == ["1"]
    assert history.asked[0][1]["EndTime"] == end.timestamp() - 1


def test_window_older_than_90_days_is_cut_and_said() -> None:
    history = EventHistory(eu_west_1=[])
    reader = reader_of(history)
    lookup(reader, attribute=None, window=Window(start=NOW - timedelta(days=200), end=NOW))
    assert NOW.timestamp() - history.asked[0][1]["StartTime"] <= 90 * 86400
    assert [gap.code for gap in reader.gaps] == ["TooOld"]
    whole = lookup(
        reader, attribute=None, window=Window(start=NOW - timedelta(days=200), end=at(60 * 24 * 100))
    )
    assert whole.events == ()
    assert len(history.asked) == 1  # nothing of it can be asked


@given(st.integers(0, 10**7), st.integers(0, 10**7))
def test_clamped_windows_are_whole_minutes_in_reach(start: int, length: int) -> None:
    begin = NOW - timedelta(seconds=start)
    made = clamp(Window(start=begin, end=begin + timedelta(seconds=length)), NOW)
    assert NOW - timedelta(days=90) <= made.start <= made.end <= NOW
    assert made.start.timestamp() % 60 == made.end.timestamp() % 60 == 0


def test_history_is_called_complete_until_a_quarter_of_an_hour_ago() -> None:
    assert complete_until(NOW) == datetime(2026, 3, 13, 17, 45, tzinfo=UTC)


def test_cited_event_has_evidence_with_its_own_time_and_words() -> None:
    reader = reader_of(EventHistory(eu_west_1=[record(1, at(30), responseElements={"long": "x" * 5000})]))
    event = cited(reader, lookup(reader, attribute=None, window=HOUR).events[0])
    assert event.evidence == ("F2", "F1")
    own = reader.evidence[1]
    assert own.time == at(30)
    assert all(
        word in own.excerpt for word in (event.id, "UpdateTable", "ops-07", "203.0.113.24", '"orders"')
    )


# -- changes ----------------------------------------------------------------------------------------


def test_changes_gathers_window_global_region_and_history_once_each() -> None:
    listed = [{"ResourceType": "AWS::DynamoDB::Table", "ResourceName": "orders"}]
    history = EventHistory(
        eu_west_1=[
            record(1, at(47), listed=listed),
            record(2, at(46), errorCode="AccessDenied"),
            record(3, at(45), "DescribeTable", readOnly=True, listed=listed),
            record(4, at(44), "CreateLogStream", eventSource="logs.amazonaws.com", requestParameters={}),
            record(5, at(60 * 24 * 40), listed=listed),
            record(6, at(60 * 24 * 41), "UpdateTimeToLive"),
            record(
                7, at(60 * 24 * 42), "UpdateTimeToLive", requestParameters={"tableName": "orders-archive"}
            ),
            record(8, at(60 * 24 * 43), "TagResource"),
        ],
        us_east_1=[
            record(9, at(30), "DetachRolePolicy", eventSource="iam.amazonaws.com", awsRegion="us-east-1"),
        ],
    )
    reader = reader_of(history)
    found = changes(
        reader,
        resources=[TABLE],
        window=Window(start=at(120), end=NOW),
        operations=("UpdateTable", "UpdateTimeToLive"),
    )
    assert [event.id[-1] for event in found.events] == ["6", "5", "1", "9"]
    assert [event.id[-1] for event in found.denied_attempts] == ["2"]
    assert [event.id[-1] for event in found.noise] == ["4"]
    assert (found.complete, found.truncated, found.reads, reader.gaps) == (True, (), 1, [])
    assert found.complete_until == complete_until(NOW)
    assert [event.id[-1] for event in found.on(TABLE)] == ["6", "5", "1"]
    assert [region for region, _ in history.asked].count("us-east-1") == 1


def test_changes_asks_lambda_by_its_dated_names_and_a_service_file_for_what_it_touches() -> None:
    dated = record(
        1,
        at(60 * 24 * 20),
        "PutFunctionConcurrency20171031",
        eventSource="lambda.amazonaws.com",
        requestParameters={"functionName": f"{FUNCTION.arn}:live", "reservedConcurrentExecutions": 50},
    )
    mapping = record(
        2,
        at(60 * 24 * 10),
        "UpdateEventSourceMapping20150331",
        eventSource="lambda.amazonaws.com",
        requestParameters={"uUID": "5f1a", "enabled": False},
    )
    history = EventHistory(eu_west_1=[dated, mapping])

    def touches(event: ChangeEvent) -> tuple[str, ...]:
        return (FUNCTION.arn,) if event.request.get("uUID") == "5f1a" else ()

    asked = ("PutFunctionConcurrency", "UpdateEventSourceMapping")
    window = Window(start=at(120), end=NOW)
    found = changes(
        reader_of(history), resources=[FUNCTION], window=window, operations=asked, touches=touches
    )
    assert [event.id[-1] for event in found.events] == ["1", "2"]
    assert found.on(FUNCTION) == found.events[:1]
    assert found.on(FUNCTION, touches) == found.events


def test_changes_asks_for_roles_in_the_global_region_alone() -> None:
    history = EventHistory(
        us_east_1=[
            record(
                1,
                at(60 * 24 * 30),
                "PutRolePolicy",
                eventSource="iam.amazonaws.com",
                awsRegion="us-east-1",
                requestParameters={"roleName": "writer-role"},
            )
        ]
    )
    window = Window(start=at(120), end=NOW)
    found = changes(reader_of(history), resources=[ROLE], window=window, global_operations=("PutRolePolicy",))
    assert [event.operation for event in found.events] == ["PutRolePolicy"]
    home = [body["LookupAttributes"] for region, body in history.asked if region == REGION]
    assert home == [[{"AttributeKey": "ReadOnly", "AttributeValue": "false"}]]


def test_changes_in_the_global_region_asks_the_window_once() -> None:
    history = EventHistory(us_east_1=[])
    changes(reader_of(history, "us-east-1"), resources=[], window=HOUR)
    assert len(history.asked) == 1


def test_changes_cut_by_the_page_limit_says_what_was_left() -> None:
    history = EventHistory(eu_west_1=[record(n, at(1 + n * 0.2), "PutThing") for n in range(120)])
    reader = reader_of(history)
    found = changes(reader, resources=[], window=HOUR, pages=2)
    assert (len(found.events), found.complete) == (100, False)
    assert [gap.code for gap in reader.gaps] == ["Truncated"]
    assert "from 2026-03-13 17:00 UTC to" in reader.gaps[0].what
    assert len(found.truncated) == 1


def test_denied_history_is_asked_once_per_region_and_is_one_gap() -> None:
    history = EventHistory(denied=(REGION, "us-east-1"))
    reader = reader_of(history)
    found = changes(
        reader, resources=[TABLE], window=HOUR, operations=("UpdateTable",), global_operations=("A",)
    )
    assert (found.events, found.complete) == ((), False)
    assert [region for region, _ in history.asked] == [REGION, "us-east-1"]
    assert len(reader.gaps) == 1
    assert reader.gaps[0].statement is not None


# -- what touches what ------------------------------------------------------------------------------


def event_on(source: str, request: dict[str, Any], name: str = "Update", **fields: Any) -> ChangeEvent:
    return parse(
        record(1, at(1), name, eventSource=f"{source}.amazonaws.com", requestParameters=request, **fields)
    )


@pytest.mark.parametrize(
    ("source", "request_parameters", "target"),
    [
        ("dynamodb", {"tableName": "orders"}, TABLE),
        ("dynamodb", {"tableName": TABLE.arn}, TABLE),
        ("dynamodb", {"resourceArn": f"{TABLE.arn}/index/by-day"}, TABLE),
        ("application-autoscaling", {"serviceNamespace": "dynamodb", "resourceId": "table/orders"}, TABLE),
        ("autoscaling", {"serviceNamespace": "dynamodb", "resourceId": "table/orders"}, TABLE),
        ("lambda", {"functionName": "order-writer"}, FUNCTION),
        ("lambda", {"functionName": f"{FUNCTION.arn}:live"}, FUNCTION),
        ("lambda", {"functionName": f"{ACCOUNT}:function:order-writer:7"}, FUNCTION),
        ("lambda", {"functionName": "order-writer:live"}, FUNCTION),
        ("lambda", {"resource": FUNCTION.arn}, FUNCTION),
        ("sqs", {"queueUrl": f"https://sqs.{REGION}.amazonaws.com/{ACCOUNT}/orders-in"}, QUEUE),
        ("lambda", {"eventSourceArn": QUEUE.arn}, QUEUE),
        ("iam", {"roleName": "writer-role", "policyName": "p"}, ROLE),
        ("logs", {"logGroupName": "/aws/lambda/f"}, GROUP),
        ("logs", {"logGroupIdentifier": f"{GROUP.arn}:*"}, GROUP),
        ("monitoring", {"alarmName": "orders-late"}, ALARM),
        ("monitoring", {"alarmNames": ["other", "orders-late"]}, ALARM),
        ("apigateway", {"restApiId": "a1b2c3", "stageName": "prod"}, REST),
        ("apigateway", {"restApiId": "a1b2c3", "stageName": "prod"}, STAGE),
    ],
)
def test_event_touches(source: str, request_parameters: dict[str, Any], target: Resource) -> None:
    assert touched_by(event_on(source, request_parameters), target)


@pytest.mark.parametrize(
    ("source", "request_parameters", "target"),
    [
        ("dynamodb", {"tableName": "orders-archive"}, TABLE),
        ("dynamodb", {"tableName": f"{TABLE.arn}-archive"}, TABLE),
        ("dynamodb", {"tableName": TABLE.arn.replace(REGION, "eu-west-2")}, TABLE),
        ("dynamodb", {"tags": [{"key": "team", "value": "orders"}]}, TABLE),
        ("sqs", {"tableName": "orders"}, TABLE),
        ("application-autoscaling", {"serviceNamespace": "ecs", "resourceId": "table/orders"}, TABLE),
        ("lambda", {"functionName": "order-writer-2"}, FUNCTION),
        ("lambda", {"functionName": "444455556666:function:order-writer"}, FUNCTION),
        ("lambda", {"functionName": "other", "description": "order-writer"}, FUNCTION),
        ("sqs", {"queueUrl": f"https://sqs.{REGION}.amazonaws.com/444455556666/orders-in"}, QUEUE),
        ("sqs", {"queueUrl": f"https://sqs.{REGION}.amazonaws.com/{ACCOUNT}/orders-in-dlq"}, QUEUE),
        ("iam", {"roleName": "writer-role-2"}, ROLE),
        ("iam", {"userName": "writer-role"}, ROLE),
        ("logs", {"logGroupName": "/aws/lambda/f2"}, GROUP),
        ("logs", {"resourceArn": f"{GROUP.arn}/sub"}, GROUP),
        ("monitoring", {"alarmNames": ["orders-late-2"]}, ALARM),
        ("apigateway", {"restApiId": "a1b2c3", "stageName": "dev"}, STAGE),
        ("apigateway", {"restApiId": "zzzzzz", "stageName": "prod"}, STAGE),
    ],
)
def test_event_does_not_touch(source: str, request_parameters: dict[str, Any], target: Resource) -> None:
    assert not touched_by(event_on(source, request_parameters), target)


EVERY = [TABLE, FUNCTION, QUEUE, ROLE, GROUP, ALARM, REST, STAGE]
PARTS = [
    *(part for item in EVERY for part in (item.arn, item.name, item.arn.rpartition("/")[2], f"{item.arn}:1")),
    f"{TABLE.arn}/index/by-day",
    f"https://sqs.{REGION}.amazonaws.com/{ACCOUNT}/orders-in",
    f"{ACCOUNT}:function:order-writer:7",
    "orders-archive",
    "table/orders",
    "dynamodb",
    "a1b2c3",
]
FIELDS = ["tableName", "functionName", "queueUrl", "roleName", "logGroupName", "alarmNames", "restApiId"]
FIELDS += ["stageName", "resourceArn", "resourceId", "serviceNamespace", "name", "tags"]
REQUESTS = st.dictionaries(st.sampled_from(FIELDS), st.sampled_from(PARTS) | st.lists(st.sampled_from(PARTS)))
SOURCES = ["dynamodb", "lambda", "sqs", "iam", "logs", "monitoring", "apigateway", "application-autoscaling"]


@given(st.sampled_from(SOURCES), REQUESTS, REQUESTS, st.lists(st.sampled_from(PARTS), max_size=2))
def test_index_of_resources_finds_what_asking_each_finds(
    source: str, asked: dict[str, Any], answered: dict[str, Any], listed: list[str]
) -> None:
    event = event_on(source, asked, responseElements=answered, resources=[{"ARN": name} for name in listed])
    each = sorted(item.arn for item in EVERY if touched_by(event, item))
    assert [item.arn for item in toucher(EVERY)(event)] == each


def test_what_is_made_is_known_by_the_answer() -> None:
    made = event_on("apigateway", {"name": "orders-api"}, "CreateRestApi", responseElements={"id": "a1b2c3"})
    assert touched_by(made, REST)
    assert not touched_by(made, STAGE)
    mapping = event_on("lambda", {"uUID": "1"}, responseElements={"eventSourceArn": QUEUE.arn})
    assert touched_by(mapping, QUEUE)


def test_names_count_in_their_own_region_and_account_alone() -> None:
    assert not touched_by(event_on("dynamodb", {"tableName": "orders"}, awsRegion="eu-west-2"), TABLE)
    assert not touched_by(
        event_on("dynamodb", {"tableName": "orders"}, recipientAccountId="444455556666"), TABLE
    )


def test_listed_names_and_answered_arns_touch() -> None:
    assert touched_by(event_on("dynamodb", {}, resources=[{"ARN": TABLE.arn}]), TABLE)
    assert touched_by(
        event_on("lambda", {"uUID": "1"}, responseElements={"functionArn": FUNCTION.arn}), FUNCTION
    )
    assert not touched_by(event_on("sns", {}, responseElements={"endpointArn": FUNCTION.arn}), FUNCTION)


def test_sign_in_is_no_change() -> None:
    signed_in = record(1, at(1), "ConsoleLogin", eventType="AwsConsoleSignIn")
    assert is_noise(parse(signed_in))
    assert not is_noise(parse(signed_in | {"eventType": "AwsConsoleAction"}))


@pytest.mark.parametrize(
    ("name", "identity", "noise"),
    [
        ("AssumeRole", {"type": "AWSService", "invokedBy": "lambda.amazonaws.com"}, True),
        (
            "UpdateTable",
            {"type": "AssumedRole", "arn": "arn:aws:sts::1:assumed-role/AWSServiceRoleForX/y"},
            True,
        ),
        ("CreateLogStream", {"type": "AssumedRole", "arn": "arn:aws:sts::1:assumed-role/f-role/f"}, True),
        ("RotationFailed", {"type": "AWSService", "invokedBy": "secretsmanager.amazonaws.com"}, False),
        ("UpdateTable", {"type": "IAMUser", "userName": "ops-07"}, False),
        ("DeleteLogGroup", {"type": "AssumedRole", "arn": "arn:aws:sts::1:assumed-role/f-role/f"}, False),
    ],
)
def test_housekeeping_is_told_from_changes(name: str, identity: dict[str, Any], noise: bool) -> None:
    assert is_noise(parse(record(1, at(1), name, userIdentity=identity))) is noise


# -- people -----------------------------------------------------------------------------------------


def session(name: str, key: str, who: str = "session-1") -> dict[str, Any]:
    return {
        "type": "AssumedRole",
        "arn": f"arn:aws:sts::{ACCOUNT}:assumed-role/{name}/{who}",
        "accountId": ACCOUNT,
        "accessKeyId": key,
        "sessionContext": {"sessionIssuer": {"type": "Role", "userName": name, "accountId": ACCOUNT}},
    }


def assume(number: int, when: datetime, taker: dict[str, Any], key: str, **fields: Any) -> dict[str, Any]:
    return record(
        number,
        when,
        "AssumeRole",
        eventSource="sts.amazonaws.com",
        readOnly=True,
        userIdentity=taker,
        requestParameters={"roleArn": "x"},
        responseElements={"credentials": {"accessKeyId": key}},
        **fields,
    )


PERSON = {
    "type": "IAMUser",
    "arn": f"arn:aws:iam::{ACCOUNT}:user/ops-07",
    "userName": "ops-07",
    "accountId": ACCOUNT,
    "accessKeyId": "AKIAIOSFODNN7EXAMPLE",
}


def test_role_is_followed_to_the_person_by_the_issued_key() -> None:
    first, second = "ASIAFIRSTEXAMPLE0001", "ASIASECONDEXAMPLE002"
    history = EventHistory(
        eu_west_1=[
            assume(1, at(50), PERSON, first, listed=[{"ResourceName": first}]),
            assume(2, at(49), session("jump", first), second),  # not listed by key: found by its name
            assume(3, at(48), {"type": "IAMUser", "userName": "other"}, "ASIAOTHEREXAMPLE003"),
        ]
    )
    reader = reader_of(history)
    found = resolve_people(reader, parse(record(9, at(47), userIdentity=session("admin", second))))
    assert (found.actor.kind, found.actor.name) == ("iam_user", "ops-07")
    assert (found.actor.role, found.actor.session) == ("admin", "session-1")
    assert [item.time for item in reader.evidence if item.id in found.evidence] == [at(49), at(50)]


def test_role_taken_by_nobody_visible_stays_a_role() -> None:
    history = EventHistory(eu_west_1=[assume(1, at(50), PERSON, "ASIAOTHEREXAMPLE003")])
    event = parse(record(9, at(47), userIdentity=session("admin", KEY)))
    found = resolve_people(reader_of(history), event)
    assert (found.actor, found.evidence) == (event.actor, ())
    assert len(history.asked) == 4


def test_people_are_not_walked_back() -> None:
    history = EventHistory(eu_west_1=[])
    event = parse(record(9, at(47)))
    assert resolve_people(reader_of(history), event).actor == event.actor
    assert history.asked == []


def test_console_user_gets_address_and_second_factor_from_the_sign_in() -> None:
    signed = {"eventSource": "signin.amazonaws.com", "userIdentity": PERSON, "eventType": "AwsConsoleSignIn"}
    history = EventHistory(
        us_east_1=[
            record(1, at(90), "ConsoleLogin", **signed, additionalEventData={"MFAUsed": "No"})
            | {"responseElements": {"ConsoleLogin": "Success"}, "sourceIPAddress": "203.0.113.9"},
            record(2, at(80), "ConsoleLogin", **signed, additionalEventData={"MFAUsed": "Yes"})
            | {"responseElements": {"ConsoleLogin": "Success"}, "sourceIPAddress": "203.0.113.7"},
            record(3, at(70), "ConsoleLogin", **signed, responseElements={"ConsoleLogin": "Failure"}),
            record(4, at(10), "ConsoleLogin", **signed, responseElements={"ConsoleLogin": "Success"}),
        ]
    )
    hidden = record(9, at(47), userIdentity=PERSON, userAgent="AWS Internal", sourceIPAddress="AWS Internal")
    found = resolve_people(reader_of(history), parse(hidden))
    assert (found.actor.mfa, found.actor.source_ip) == (True, "203.0.113.7")
    assert len(found.evidence) == 1


def test_switched_role_is_the_user_who_switched() -> None:
    switched = session("admin", KEY, "ops-07")
    history = EventHistory(
        eu_west_1=[
            record(
                1,
                at(60),
                "SwitchRole",
                eventSource="signin.amazonaws.com",
                eventType="AwsConsoleSignIn",
                userIdentity=switched,
                additionalEventData={"SwitchFrom": f"arn:aws:iam::{ACCOUNT}:user/ops-07"},
                responseElements={"SwitchRole": "Success"},
            )
        ]
    )
    event = parse(record(9, at(47), userIdentity=switched, sessionCredentialFromConsole="true", userAgent=""))
    found = resolve_people(reader_of(history), event)
    assert (found.actor.kind, found.actor.name, found.actor.role) == ("iam_user", "ops-07", "admin")
