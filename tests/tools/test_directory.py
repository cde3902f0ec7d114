"""What configurations mention, resolved to known resources."""

from __future__ import annotations

import pytest

from tools.directory import KnownResources
from tools.models import Json, Resource

_AT = "eu-west-1:111122223333"


def resource(service: str, type: str, arn: str, name: str, config: Json | None = None) -> Resource:
    return Resource(
        arn=arn,
        service=service,
        type=type,
        name=name,
        account="111122223333",
        region=arn.split(":")[3],
        config=config or {},
    )


TABLE = resource("dynamodb", "table", f"arn:aws:dynamodb:{_AT}:table/orders", "orders")
QUEUE = resource("sqs", "queue", f"arn:aws:sqs:{_AT}:orders", "orders")
FUNCTION = resource("lambda", "function", f"arn:aws:lambda:{_AT}:function:order-writer", "order-writer")
API = resource(
    "apigatewayv2",
    "api",
    "arn:aws:apigateway:eu-west-1::/apis/a1b2c3d4e5",
    "orders-api",
    {"Id": "a1b2c3d4e5", "ApiId": "a1b2c3d4e5"},
)
SHORT = resource("dynamodb", "table", f"arn:aws:dynamodb:{_AT}:table/ab", "ab")
KNOWN = KnownResources([QUEUE, TABLE, FUNCTION, API, SHORT])


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        (TABLE.arn, (TABLE,)),
        (f" {TABLE.arn}/index/by-date ", (TABLE,)),
        (f"{TABLE.arn}/stream/2026-01-01T00:00:00.000", (TABLE,)),
        (f"{FUNCTION.arn}:live", (FUNCTION,)),
        ("orders", (TABLE, QUEUE)),
        ("Orders", ()),
        ("orders2", ()),
        ("ab", ()),
        ("https://sqs.eu-west-1.amazonaws.com/111122223333/orders", (QUEUE,)),
        ("https://eu-west-1.queue.amazonaws.com/111122223333/orders", (QUEUE,)),
        ("https://sqs.us-east-1.amazonaws.com/111122223333/orders", ()),
        ("https://sqs.eu-west-1.amazonaws.com/444455556666/orders", ()),
        ("https://a1b2c3d4e5.execute-api.eu-west-1.amazonaws.com/prod/x?y=z", (API,)),
        ("a1b2c3d4e5.execute-api.eu-west-1.amazonaws.com", (API,)),
        ("https://a1b2c3d4e5.execute-api.eu-west-2.amazonaws.com", ()),
        ("https://shop.example.com/orders", ()),
        ("arn:aws:dynamodb:eu-west-1:444455556666:table/orders", ()),
        ("", ()),
    ],
)
def test_mentioned(text: str, wanted: tuple[Resource, ...]) -> None:
    assert KNOWN.mentioned(text) == wanted


def test_by_type_and_name() -> None:
    assert KNOWN.named("orders", "queue") == (QUEUE,)
    assert KNOWN.of("api") == (API,)
    assert KNOWN.by_arn(TABLE.arn) == TABLE
    assert KNOWN.by_arn("nothing") is None


@pytest.mark.parametrize(
    ("namespace", "dimensions", "wanted"),
    [
        ("AWS/DynamoDB", {"TableName": "orders", "Operation": "PutItem"}, TABLE.arn),
        ("AWS/SQS", {"QueueName": "orders"}, QUEUE.arn),
        ("AWS/ApiGateway", {"ApiId": "a1b2c3d4e5", "Stage": "prod"}, API.arn),
        ("AWS/DynamoDB", {"TableName": "unseen"}, f"arn:aws:dynamodb:{_AT}:table/unseen"),
        ("AWS/DynamoDB", {"QueueName": "orders"}, ""),
        ("Shop", {"TableName": "orders"}, ""),
    ],
)
def test_measured(namespace: str, dimensions: dict[str, str], wanted: str) -> None:
    assert KNOWN.measured(namespace, dimensions, "eu-west-1") == wanted
