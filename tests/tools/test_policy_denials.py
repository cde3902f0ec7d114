"""What a role's own denials take away from what its policies allow."""

from __future__ import annotations

from typing import Any

import pytest

from tools.models import Json, Resource
from tools.policies import allowed

_TABLES = "arn:aws:dynamodb:eu-west-1:111122223333:table/"
ORDERS, SECRET = f"{_TABLES}orders", f"{_TABLES}orders-secret"
BUCKET = "arn:aws:s3:::pictures"


def allow(action: Any, resource: Any) -> Json:
    return {"Effect": "Allow", "Action": action, "Resource": resource}


def deny(**said: Any) -> Json:
    return {"Effect": "Deny", **said}


def role(*statements: Json) -> Resource:
    return Resource(
        arn="arn:aws:iam::111122223333:role/writer",
        service="iam",
        type="role",
        name="writer",
        account="111122223333",
        region="",
        config={"Policies": [{"Name": "own", "Arn": "", "Document": {"Statement": list(statements)}}]},
    )


def verbs(*statements: Json) -> dict[str, str]:
    return {arn: verb for arn, (verb, _) in allowed(role(*statements), (ORDERS, SECRET)).items()}


@pytest.mark.parametrize(
    "said",
    [
        {"Action": "*", "Resource": SECRET},
        {"Action": "dynamodb:*", "Resource": f"{_TABLES}*-secret"},
        {"Action": ["dynamodb:get*"], "Resource": ["arn:aws:dynamodb:*:*:table/orders-secret"]},
        {"NotAction": "s3:*", "Resource": SECRET},
        {"Action": "dynamodb:*", "NotResource": ORDERS},
    ],
)
def test_what_is_denied_altogether_is_not_allowed(said: Json) -> None:
    assert verbs(allow("dynamodb:GetItem", [ORDERS, SECRET]), deny(**said)) == {ORDERS: "reads"}


@pytest.mark.parametrize(
    "said",
    [
        {"Action": "dynamodb:PutItem", "Resource": "*"},
        {"Action": "dynamodb:GetItem", "Resource": f"{_TABLES}other"},
        {
            "Action": "*",
            "Resource": "*",
            "Condition": {"BoolIfExists": {"aws:MultiFactorAuthPresent": "false"}},
        },
        {"NotAction": "dynamodb:Get*", "Resource": "*"},
        {"Action": "dynamodb:GetItem", "NotResource": f"{_TABLES}*"},
    ],
)
def test_what_may_still_be_allowed_is(said: Json) -> None:
    assert verbs(allow("dynamodb:GetItem", [ORDERS, SECRET]), deny(**said)) == {
        ORDERS: "reads",
        SECRET: "reads",
    }


def test_of_some_actions_those_that_are_left_count() -> None:
    both = allow(["dynamodb:Query", "dynamodb:PutItem"], ORDERS)
    assert verbs(both) == {ORDERS: "uses"}
    assert verbs(both, deny(Action="dynamodb:Put*", Resource="*")) == {ORDERS: "reads"}
    every = allow("dynamodb:*", ORDERS)
    assert verbs(every, deny(Action="dynamodb:DeleteTable", Resource="*")) == {ORDERS: "uses"}


def test_of_a_pattern_only_the_denied_thing_is_left_out() -> None:
    found = verbs(
        allow("dynamodb:PutItem", f"{_TABLES}orders*"), deny(Action="dynamodb:*", Resource=f"{SECRET}*")
    )
    assert found == {ORDERS: "writes"}


def test_objects_and_indexes_are_denied_as_they_are_named() -> None:
    reads = allow("s3:GetObject", f"{BUCKET}/*")
    assert verbs(reads, deny(Action="s3:*", Resource=f"{BUCKET}/*")) == {}
    assert verbs(reads, deny(Action="s3:ListBucket", Resource=BUCKET)) == {BUCKET: "reads"}
    index = allow("dynamodb:Query", f"{ORDERS}/index/*")
    assert verbs(index, deny(Action="dynamodb:Query", Resource=ORDERS)) == {ORDERS: "reads"}
