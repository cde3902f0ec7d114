"""Nothing outside the lists leaves the process, and each listed operation has a second source."""

from __future__ import annotations

import csv
import json
from collections import Counter
from collections.abc import Iterator
from fnmatch import fnmatchcase
from io import BytesIO
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.awsrequest import AWSRequest, AWSResponse
from botocore.compat import HTTPHeaders
from botocore.config import Config
from botocore.hooks import HierarchicalEmitter

from tools import guard
from tools.errors import WriteRefused
from tools.guard_declared import NEVER, why_no_read
from tools.iam_names import action_of

SOURCES = Path(__file__).with_name("guard_sources.tsv")
CONTENT = {
    "athena": "GetQueryResults",
    "cognito-idp": "DescribeUserPoolClient ListUsers",
    "dynamodb": "GetItem BatchGetItem Query Scan ExecuteStatement TransactGetItems",
    "dynamodbstreams": "GetRecords",
    "ec2": "GetPasswordData",
    "ecr": "GetAuthorizationToken",
    "kinesis": "GetRecords",
    "kms": "Decrypt GenerateDataKey Sign",
    "lambda": "GetFunction Invoke InvokeAsync",
    "rds-data": "ExecuteStatement",
    "s3": "GetObject SelectObjectContent ListObjectsV2 HeadObject",
    "secretsmanager": "GetSecretValue BatchGetSecretValue",
    "sqs": "ReceiveMessage",
    "ssm": "GetParametersByPath StartSession",
    "sts": "GetSessionToken GetFederationToken AssumeRoleWithWebIdentity",
}


@pytest.fixture(scope="module")
def session() -> boto3.Session:
    return boto3.Session(region_name="us-east-1", aws_access_key_id="AKIAEXAMPLE", aws_secret_access_key="x")


def _client(session: boto3.Session, service: str, **options: Any) -> Any:
    client: Any = session.client(service, region_name="us-east-1", config=Config(**options))  # type: ignore[call-overload]
    guard.install(client, role_arn=options.pop("role_arn", ""))
    return client


class Body(BytesIO):
    """A raw answer as botocore wants it."""

    def stream(self, **_: Any) -> Iterator[bytes]:
        yield self.read()


def _rows() -> list[dict[str, str]]:
    with SOURCES.open(newline="") as file:
        return list(csv.DictReader(file, delimiter="\t"))


def _stop_at_the_door(client: Any) -> list[str]:
    """Collects what would be sent and keeps it in the process."""
    sent: list[str] = []

    def stop(event_name: str, **_: Any) -> None:
        sent.append(event_name)
        raise AssertionError(f"{event_name} would have left the process")

    client.meta.events.register("before-send.*.*", stop)
    return sent


def _operations(session: boto3.Session) -> Iterator[tuple[str, Any]]:
    for service in session.get_available_services():
        yield service, session._session.get_service_model(service)


def test_every_operation_outside_the_lists_is_refused_at_both_gates(session: boto3.Session) -> None:
    """Emits botocore's own events as a call and a signing would; real clients follow below."""
    counts: Counter[str] = Counter()
    for service, model in _operations(session):
        events = HierarchicalEmitter()
        guard.watch(events, service)
        for operation in model.operation_names:
            shape = model.operation_model(operation)
            listed = guard.allowed(service, operation, shape)  # what a service file alone declares, too
            counts["listed" if listed else "refused"] += 1
            counts["written"] += guard.allowed(service, operation)
            if listed:
                continue
            hyphenated = model.service_id.hyphenize()
            with pytest.raises(WriteRefused):
                events.emit(
                    f"provide-client-params.{hyphenated}.{operation}", params={}, model=shape, context={}
                )
            for signature in ("v4", "v4-query"):
                for gate in ("choose-signer", "before-sign"):
                    with pytest.raises(WriteRefused):
                        events.emit(f"{gate}.{hyphenated}.{operation}", signature_version=signature)
                    counts["signings refused"] += 1
    print(dict(counts))
    assert counts["refused"] > 15_000
    assert counts["written"] == sum(len(names) for names in (*guard.READS.values(), *guard.STARTS.values()))


@pytest.mark.parametrize("service", sorted(CONTENT))
def test_reads_of_customers_content_are_refused_by_real_clients(session: boto3.Session, service: str) -> None:
    client = _client(session, service, parameter_validation=False)
    sent = _stop_at_the_door(client)
    methods = {operation: method for method, operation in client.meta.method_to_api_mapping.items()}
    for operation in CONTENT[service].split():
        with pytest.raises(WriteRefused, match=f"{service}:{operation} is on no list"):
            getattr(client, methods[operation])()
        with pytest.raises(WriteRefused, match="on no list"):
            client.generate_presigned_url(methods[operation])
    assert sent == []


@pytest.mark.parametrize(
    ("service", "operation"),
    [
        ("dynamodb", "update_table"),
        ("lambda", "put_function_concurrency"),
        ("ec2", "terminate_instances"),
        ("iam", "put_role_policy"),
        ("s3", "delete_bucket"),
        ("cloudwatch", "set_alarm_state"),
        ("cloudwatch", "put_metric_alarm"),
        ("sqs", "purge_queue"),
        ("apigateway", "update_stage"),
        ("cloudformation", "detect_stack_drift"),
        ("logs", "put_subscription_filter"),
        ("athena", "start_query_execution"),
        ("bedrock-runtime", "invoke_model"),
    ],
)
def test_changes_are_refused_by_real_clients(session: boto3.Session, service: str, operation: str) -> None:
    client = _client(session, service, parameter_validation=False)
    sent = _stop_at_the_door(client)
    with pytest.raises(WriteRefused):
        getattr(client, operation)()
    with pytest.raises(WriteRefused):
        client.generate_presigned_url(operation)
    assert sent == []


def test_no_url_is_presigned_even_for_a_read(session: boto3.Session) -> None:
    with pytest.raises(WriteRefused, match="no presigned URLs"):
        _client(session, "sts").generate_presigned_url("get_caller_identity")
    s3 = _client(session, "s3")
    with pytest.raises(WriteRefused):
        s3.generate_presigned_post("shop", "key")
    with pytest.raises(WriteRefused):
        _client(session, "rds").generate_db_auth_token("db.example.com", 5432, "admin")


@pytest.mark.parametrize("service", sorted(CONTENT))
def test_no_service_file_can_open_customers_content_or_a_write(session: boto3.Session, service: str) -> None:
    model = session._session.get_service_model(service)
    for operation in CONTENT[service].split():
        assert why_no_read(service, model.operation_model(operation)) != ""


def test_what_declared_reads_are_judged_by(session: boto3.Session) -> None:
    """Every operation of AWS that is no read by its name, or whose answer is a stream or secret by the model."""
    refused: Counter[str] = Counter()
    for service, model in _operations(session):
        for operation in model.operation_names:
            shape = model.operation_model(operation)
            if why := why_no_read(service, shape):
                refused[why.split(" holds ")[0].split(" parameter ")[0]] += 1
                continue
            assert operation.startswith(("Describe", "List", "Get", "BatchGet", "BatchDescribe"))
            assert not shape.has_streaming_output
            assert not shape.has_event_stream_output
            assert (service, operation) not in NEVER
    print(dict(refused))
    assert refused["its name is not that of a read"] > 8_000
    assert refused["its answer"] > 1_000
    assert refused["its"] >= 5  # parameters


def test_what_never_is_a_read_exists(session: boto3.Session) -> None:
    for service, operation in NEVER:
        assert operation in session._session.get_service_model(service).operation_names
        assert operation not in guard.READS.get(service, ())


def test_a_read_that_no_file_declares_stays_refused(session: boto3.Session) -> None:
    """Its name and answer would pass; nobody says that it is needed."""
    client = _client(session, "efs", parameter_validation=False)
    sent = _stop_at_the_door(client)
    shape = session._session.get_service_model("efs").operation_model("DescribeReplicationConfigurations")
    assert why_no_read("efs", shape) == ""
    with pytest.raises(WriteRefused, match="on no list"):
        client.describe_replication_configurations()
    assert sent == []


def test_signing_by_hand_is_refused(session: boto3.Session) -> None:
    client = _client(session, "dynamodb")
    request = AWSRequest(method="POST", url="https://dynamodb.us-east-1.amazonaws.com/", data=b"{}")
    with pytest.raises(WriteRefused):
        client._request_signer.sign("DeleteTable", request)


def test_a_waiter_and_a_paginator_pass_the_same_gate(session: boto3.Session) -> None:
    s3 = _client(session, "s3")
    with pytest.raises(WriteRefused):
        next(iter(s3.get_paginator("list_objects_v2").paginate(Bucket="shop")))
    with pytest.raises(WriteRefused):
        s3.get_waiter("object_exists").wait(Bucket="shop", Key="k")


def test_a_listed_read_reaches_the_door(session: boto3.Session) -> None:
    client = _client(session, "dynamodb")
    sent = _stop_at_the_door(client)
    with pytest.raises(AssertionError, match="would have left"):
        client.describe_table(TableName="orders")
    assert sent == ["before-send.dynamodb.DescribeTable"]


def test_every_listed_operation_exists_and_has_its_row() -> None:
    listed = {
        (kind, service, operation)
        for kind, operations in (("read", guard.READS), ("start", guard.STARTS))
        for service, names in operations.items()
        for operation in names
    }
    rows = [(row["list"], row["client"], row["operation"]) for row in _rows()]
    assert len(rows) == len(set(rows))
    assert set(rows) == listed
    session = boto3.Session(region_name="us-east-1")
    for _, service, operation in sorted(listed):
        assert operation in session._session.get_service_model(service).operation_names


def test_every_row_is_confirmed_by_its_source() -> None:
    """The policies are AWS's own, as moto bundles them; a row without one has a reason in words."""
    from moto.iam.aws_managed_policies import aws_managed_policies_data

    policies = json.loads(aws_managed_policies_data)
    sources: Counter[str] = Counter()
    for row in _rows():
        assert row["action"] == action_of(row["client"], row["operation"])
        if not row["policy"]:
            assert row["list"] == "start"
            assert row["note"]
            sources["written reason"] += 1
            continue
        statements = policies[row["policy"]]["Document"]["Statement"]
        granted = {
            action for item in statements if item["Effect"] == "Allow" for action in _as_list(item["Action"])
        }
        assert row["pattern"] in granted
        assert fnmatchcase(row["action"].lower(), row["pattern"].lower())
        sources[row["policy"]] += 1
        sources["also CloudTrail readOnly"] += row["cloudtrail"] == "readOnly"
    print(dict(sources))
    assert sources["written reason"] == 3
    assert sources["ReadOnlyAccess"] > 900


def _as_list(value: str | list[str]) -> list[str]:
    return [value] if isinstance(value, str) else value


@pytest.mark.parametrize(
    ("service", "operation", "parameters", "why"),
    [
        ("logs", "FilterLogEvents", {"logGroupName": "g", "unmask": True}, "masking"),
        ("logs", "StartQuery", {"logGroupName": "g", "queryString": "fields Unmask (@message)"}, "masking"),
        ("logs", "StartQuery", {"logGroupName": "g", "queryString": "fields unmask\n(@message)"}, "masking"),
        ("logs", "StartQuery", {"logGroupName": "g", "queryString": "fields unmask\t(@message)"}, "masking"),
        ("logs", "StartQuery", {"logGroupName": "g", "queryString": "fields unmask /* */(@m)"}, "masking"),
        (
            "logs",
            "StartQuery",
            {"logGroupName": "g", "queryString": "fields unmask # a (b\r\n(@m)"},
            "masking",
        ),
        (
            "logs",
            "StartQuery",
            {"logGroupName": "g", "queryString": 'filter a = "#" | fields unmask(a)'},
            "masking",
        ),
        ("logs", "StartQuery", {"queryString": "fields @message"}, "log groups"),
        (
            "logs",
            "StartQuery",
            {"logGroupName": "g", "queryLanguage": "SQL", "queryString": "select"},
            "language",
        ),
        ("ssm", "GetParameter", {"Name": "n", "WithDecryption": True}, "decrypt"),
        ("ec2", "DescribeInstanceAttribute", {"InstanceId": "i-1", "Attribute": "userData"}, "user data"),
        ("stepfunctions", "GetExecutionHistory", {"executionArn": "a"}, "customers' content"),
        ("stepfunctions", "DescribeExecution", {"executionArn": "a"}, "customers' content"),
        (
            "pi",
            "GetResourceMetrics",
            {"MetricQueries": [{"Metric": "m", "GroupBy": {"Group": "db.sql"}}]},
            "SQL",
        ),
        ("bedrock-runtime", "Converse", {}, "name a model"),
        (
            "bedrock-runtime",
            "Converse",
            {
                "modelId": "m",
                "messages": [{"content": [{"document": {"source": {"s3Location": {"uri": "s3://a/b"}}}}]}],
            },
            "S3 objects",
        ),
        (
            "bedrock-runtime",
            "Converse",
            {"modelId": "m", "toolConfig": {"tools": [{"systemTool": {"name": "x"}}]}},
            "tools",
        ),
    ],
)
def test_a_listed_operation_must_not_ask_for_content(
    service: str, operation: str, parameters: dict[str, Any], why: str
) -> None:
    with pytest.raises(WriteRefused, match=why):
        guard.check(service, operation, parameters)


def test_the_same_operations_pass_when_they_ask_for_nothing_of_it() -> None:
    guard.check("logs", "FilterLogEvents", {"logGroupName": "g"})
    guard.check("logs", "StartQuery", {"logGroupNames": ["g"], "queryString": "stats count() by bin(1m)"})
    guard.check("ssm", "GetParameter", {"Name": "n", "WithDecryption": False})
    guard.check("stepfunctions", "GetExecutionHistory", {"executionArn": "a", "includeExecutionData": False})
    guard.check("bedrock-runtime", "Converse", {"modelId": "m", "messages": [{"content": [{"text": "hi"}]}]})


def test_only_the_run_s_own_role_can_be_assumed(session: boto3.Session) -> None:
    mine = "arn:aws:iam::111122223333:role/opsleuth-reader"
    plain: Any = session.client("sts")
    guard.install(plain)
    with pytest.raises(WriteRefused, match="not given this role"):
        plain.assume_role(RoleArn=mine, RoleSessionName="opsleuth")
    given: Any = session.client("sts")
    guard.install(given, role_arn=mine)
    sent = _stop_at_the_door(given)
    with pytest.raises(WriteRefused, match="not given this role"):
        given.assume_role(RoleArn="arn:aws:iam::111122223333:role/admin", RoleSessionName="opsleuth")
    assert sent == []
    with pytest.raises(AssertionError, match="would have left"):
        given.assume_role(RoleArn=mine, RoleSessionName="opsleuth")


def test_only_own_queries_can_be_stopped(session: boto3.Session) -> None:
    client = _client(session, "logs")
    with pytest.raises(WriteRefused, match="did not start"):
        client.stop_query(queryId="0f0f")

    def answer(**_: Any) -> AWSResponse:
        return AWSResponse("https://logs", 200, HTTPHeaders(), Body(b'{"queryId": "0f0f"}'))

    client.meta.events.register("before-send.*.StartQuery", answer)
    client.start_query(logGroupName="g", startTime=1, endTime=2, queryString="fields @message")
    sent = _stop_at_the_door(client)
    with pytest.raises(AssertionError, match="would have left"):
        client.stop_query(queryId="0f0f")
    assert sent == ["before-send.cloudwatch-logs.StopQuery"]
