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
        (
            "X",
            f"https://sqs.eu-west-1.amazonaws.com/444455556666/{QUEUE.name}",
            [("arn:aws:sqs:eu-west-1:444455556666:orders", 0.9)],
        ),
    ],
)
def test_what_a_variable_means(key: str, value: str, wanted: list[tuple[str, float]]) -> None:
    assert list(meant(key, value, KNOWN)) == wanted


@pytest.mark.parametrize(
    ("key", "value"),
    [("ENABLED", "true"), ("REGION_HINT", "eu-west-1"), ("LOG_FORMAT", "json"), ("BRANCH", "main")],
)
def test_a_value_that_any_program_has_means_no_thing_of_that_name(key: str, value: str) -> None:
    queue = Resource(
        arn=f"arn:aws:sqs:eu-west-1:111122223333:{value}",
        service="sqs",
        type="queue",
        name=value,
        account="111122223333",
        region="eu-west-1",
    )
    known = KnownResources((queue,))
    assert list(meant(key, value, known)) == []
    assert list(meant("JOBS_QUEUE", value, known)) == [(queue.arn, 0.85)]


@pytest.mark.parametrize("key", ["Q", "QUEUE_URL"])
def test_a_queue_of_another_account_is_meant_by_its_url_as_by_its_arn(key: str) -> None:
    url, arn = (
        "https://sqs.eu-west-1.amazonaws.com/444455556666/jobs",
        "arn:aws:sqs:eu-west-1:444455556666:jobs",
    )
    assert list(meant(key, url, KNOWN)) == list(meant(key, arn, KNOWN)) == [(arn, 0.9)]
