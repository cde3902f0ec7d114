"""EC2's repeated elements as CloudTrail records them, and the closed lists of words of an operation."""

from __future__ import annotations

import pytest

from tools.parameters import allowed, from_cloudtrail, is_list

CREDITS = "ModifyInstanceCreditSpecification"


@pytest.mark.parametrize("several", [False, True])
def test_elements_of_ec2_lose_their_place_and_nothing_else(several: bool) -> None:
    one = {"InstanceId": "i-0a1b2c3d4e5f60718", "CpuCredits": "unlimited", "tag": 1}
    other = {"InstanceId": "i-0a1b2c3d4e5f60719", "CpuCredits": "standard", "tag": 2}
    recorded = {f"{CREDITS}Request": {"InstanceCreditSpecification": [one, other] if several else one}}
    found = from_cloudtrail("ec2", CREDITS, recorded)
    assert found == {
        "InstanceCreditSpecifications": [
            {key: value for key, value in item.items() if key != "tag"}
            for item in ([one, other] if several else [one])
        ]
    }


def test_words_of_closed_lists_are_told_at_any_depth() -> None:
    words = dict(allowed("dynamodb", "UpdateTable"))
    assert words["BillingMode"] == ("PROVISIONED", "PAY_PER_REQUEST")
    assert "KEYS_ONLY" in words["StreamViewType"]
    assert "TableName" not in words


def test_shapes_that_hold_themselves_end() -> None:
    assert list(allowed("dynamodb", "PutItem"))


def test_lists_are_told() -> None:
    assert is_list("ec2", "DescribeInstances", "InstanceIds")
    assert not is_list("dynamodb", "DescribeTable", "TableName")
