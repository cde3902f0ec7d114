"""Refusals whose text names the layer: an organization's policy, an endpoint's, a function's own, a quota."""

from __future__ import annotations

import re

import pytest

from tools.catalogue import conditions, signatures
from tools.models import Resource

CALL = "User: arn:aws:sts::111122223333:assumed-role/orders/orders is not authorized to perform: dynamodb:PutItem on "
ITEM = "resource: arn:aws:dynamodb:eu-west-1:111122223333:table/orders "


@pytest.mark.parametrize(
    ("line", "service", "points_to"),
    [
        (f"{CALL}{ITEM}with an explicit deny in a service control policy", "iam", "organization-policy"),
        (f"{CALL}{ITEM}because no service control policy allows the action", "iam", "organization-policy"),
        (f"{CALL}{ITEM}with an explicit deny in a resource control policy", "iam", "organization-policy"),
        (f"{CALL}{ITEM}with an explicit deny in a VPC endpoint policy", "vpc", "PolicyDocument"),
        (f"{CALL}{ITEM}because no VPC endpoint policy allows the action", "vpc", "PolicyDocument"),
        (f"{CALL}{ITEM}because no identity-based policy allows the action", "iam", "Policies"),
        (
            "(0a1b2c) Execution failed due to configuration error: Invalid permissions on Lambda function",
            "apigateway",
            "RemovePermission",
        ),
        (
            "Throttling: Maximum sending rate exceeded. status code: 400",
            "servicequotas",
            "quota-reached",
        ),
    ],
)
def test_the_first_text_that_matches_names_the_layer(line: str, service: str, points_to: str) -> None:
    found = [
        (owner.name, one.points_to)
        for owner, one in signatures()
        if not one.own and re.search(one.match, line)
    ]
    assert found[:1] == [(service, points_to)]


@pytest.mark.parametrize(
    ("type", "key", "config", "holds"),
    [
        ("nat-gateway", "nat-gateway-failed", {"State": "available"}, False),
        ("nat-gateway", "nat-gateway-failed", {"State": "failed", "FailureMessage": "no address"}, True),
        ("nat-gateway", "nat-gateway-failed", {"State": "deleted"}, False),
        ("subnet", "subnet-full", {"AvailableIpAddressCount": 0}, True),
        ("subnet", "subnet-full", {"AvailableIpAddressCount": 3}, False),
        ("subnet", "subnet-full", {}, False),
    ],
)
def test_a_state_is_what_the_description_says(
    type: str, key: str, config: dict[str, object], holds: bool
) -> None:
    (known,) = [one for _, one in conditions(type) if one.key == key]
    at = Resource(
        arn=f"arn:aws:ec2:eu-west-1:111122223333:{type}/x-1",
        service="vpc",
        type=type,
        name="x-1",
        account="111122223333",
        region="eu-west-1",
        config=config,
    )
    assert known.shown is not None
    assert known.shown(at) is holds
