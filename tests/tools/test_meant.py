"""What an environment variable means: a plain name needs a hint, or to be one thing's alone."""

from __future__ import annotations

import pytest

from tools.directory import KnownResources
from tools.kit import meant
from tools.models import Resource

_AT = "eu-west-1:111122223333"


def _resource(service: str, type: str, arn: str, name: str) -> Resource:
    return Resource(
        arn=arn, service=service, type=type, name=name, account="111122223333", region="eu-west-1", config={}
    )


TABLE = _resource("dynamodb", "table", f"arn:aws:dynamodb:{_AT}:table/orders", "orders")
QUEUE = _resource("sqs", "queue", f"arn:aws:sqs:{_AT}:orders", "orders")
TOPIC = _resource("sns", "topic", f"arn:aws:sns:{_AT}:prod", "prod")
CHECKOUT = _resource("lambda", "function", f"arn:aws:lambda:{_AT}:function:checkout", "checkout")
KNOWN = KnownResources([TABLE, QUEUE, TOPIC, CHECKOUT])


@pytest.mark.parametrize(
    ("key", "value", "wanted"),
    [
        ("ORDERS_TABLE", "orders", [(TABLE.arn, 0.85)]),
        ("QUEUE_NAME", "orders", [(QUEUE.arn, 0.85)]),
        ("WATCHED", "orders", []),  # two things are called so
        ("UPSTREAM", "checkout", [(CHECKOUT.arn, 0.6)]),
        ("SERVICE_NAME", "checkout", []),  # its own name
        ("checkout.service", "checkout", [(CHECKOUT.arn, 0.6)]),
        ("STAGE", "prod", []),
        ("NODE_ENV", "prod", []),
        ("spring.profiles.active", "prod", []),
        ("TOPIC", "prod", [(TOPIC.arn, 0.85)]),
        ("STAGE", TOPIC.arn, [(TOPIC.arn, 0.9)]),
        ("X", f"https://sqs.eu-west-1.amazonaws.com/111122223333/{QUEUE.name}", [(QUEUE.arn, 0.9)]),
        ("X", f"https://sqs.eu-west-1.amazonaws.com/444455556666/{QUEUE.name}", []),
    ],
)
def test_what_a_variable_means(key: str, value: str, wanted: list[tuple[str, float]]) -> None:
    assert list(meant(key, value, KNOWN)) == wanted
