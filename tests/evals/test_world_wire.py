"""The wire contract: what a world writes, botocore reads back, in every protocol."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import botocore.parsers
import botocore.session
import pytest
from moto.core.serialize import get_serializer_class

from evals.world import wire
from tools.transport import WireAnswer

AT = datetime(2026, 3, 1, 2, 3, 4, tzinfo=UTC)
SESSION = botocore.session.Session()

ANSWERS: list[tuple[str, str, str, dict[str, Any]]] = [
    (
        "dynamodb",
        "DescribeTable",
        "json",
        {"Table": {"TableName": "a & b", "CreationDateTime": AT, "ItemCount": 3}},
    ),
    (
        "iam",
        "ListRolePolicies",
        "query",
        {"PolicyNames": ["one", "<two>"], "IsTruncated": False},
    ),
    (
        "lambda",
        "GetFunctionConfiguration",
        "rest-json",
        {"FunctionName": "f", "Timeout": 3, "Environment": {"Variables": {"A": 'x"y'}}},
    ),
    ("ec2", "DescribeKeyPairs", "ec2", {"KeyPairs": [{"KeyName": "k", "CreateTime": AT}]}),
    ("s3", "ListBuckets", "rest-xml", {"Buckets": [{"Name": "b", "CreationDate": AT}]}),
]


def read(service: str, operation: str, answer: WireAnswer) -> dict[str, Any]:
    """The answer as a client of that protocol understands it."""
    model = SESSION.get_service_model(service).operation_model(operation)
    parser = botocore.parsers.create_parser(answer.protocol)
    raw = {"status_code": answer.status, "headers": dict(answer.headers), "body": answer.body}
    assert model.output_shape is not None
    found: dict[str, Any] = parser.parse(raw, model.output_shape)
    return found


@pytest.mark.parametrize(
    ("service", "operation", "protocol", "result"), ANSWERS, ids=lambda value: str(value)[:20]
)
def test_botocore_reads_what_the_world_wrote(
    service: str, operation: str, protocol: str, result: dict[str, Any]
) -> None:
    made = wire.answer(service, operation, protocol, result, "id-1")
    found = read(service, operation, made)
    found.pop("ResponseMetadata")
    assert found == result


@pytest.mark.parametrize(("service", "operation", "protocol"), [one[:3] for one in ANSWERS])
def test_an_error_arrives_with_its_code_and_message(service: str, operation: str, protocol: str) -> None:
    made = wire.error(protocol, "NotRecorded", "nothing is known of <this>", 400, "id-2")
    error = read(service, operation, made)["Error"]
    assert (error["Code"], error["Message"]) == ("NotRecorded", "nothing is known of <this>")


@pytest.mark.parametrize(
    ("result", "problem"),
    [
        ({"Table": {"TabelName": "orders"}}, "no member TabelName"),
        ({"Table": {"TableName": 3}}, "string is expected"),
        ({"Table": {"ItemCount": "3"}}, "long is expected"),
        ({"Table": {"ItemCount": True}}, "long is expected"),
        ({"Table": {"TableStatus": "READY"}}, "none of"),
        ({"Table": {"KeySchema": {"AttributeName": "pk"}}}, "list is expected"),
        ({"Table": ["orders"]}, "structure is expected"),
    ],
)
def test_an_answer_that_aws_could_not_give_is_a_defect(result: dict[str, Any], problem: str) -> None:
    with pytest.raises(wire.WrongShape, match=problem):
        wire.answer("dynamodb", "DescribeTable", "json", result, "id-3")


def test_long_lists_are_written_as_moto_writes_them() -> None:
    result = {
        "MetricDataResults": [
            {
                "Id": "a",
                "Timestamps": [AT, AT.replace(microsecond=250_000)],
                "Values": [1.0, 2.5],
                "StatusCode": "Complete",
            }
        ]
    }
    made = wire.answer("cloudwatch", "GetMetricData", "json", result, "id-4")
    model = wire.operation_model("cloudwatch", "GetMetricData")
    slow = get_serializer_class("cloudwatch", "json")(model).serialize(result)["body"]
    plain = botocore.parsers.create_parser("json")
    shape = SESSION.get_service_model("cloudwatch").operation_model("GetMetricData").output_shape
    assert shape is not None

    def parsed(body: bytes) -> Any:
        return plain.parse({"status_code": 200, "headers": {}, "body": body}, shape)["MetricDataResults"]

    assert parsed(made.body) == parsed(slow.encode() if isinstance(slow, str) else slow)
