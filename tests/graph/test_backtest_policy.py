"""IAM's evaluation of a deny, against cases worked out by hand from AWS's documentation."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from graph.backtest_policy import Ask, denies
from graph.backtest_rules import CannotTry, arn_like
from tools.models import Json

TABLE = "arn:aws:dynamodb:eu-west-1:111122223333:table/parcels"
PERSON = "arn:aws:iam::111122223333:user/ops-31"
DEPLOYER = "arn:aws:iam::111122223333:role/ci/deployer"
ASK = Ask(
    action="dynamodb:UpdateTable",
    resources=(TABLE,),
    principal=PERSON,
    account="111122223333",
    region="eu-west-1",
)


def policy(condition: Json | None = None, **other: Any) -> Json:
    statement: Json = {"Effect": "Deny", "Action": ["dynamodb:UpdateTable"], "Resource": TABLE}
    if condition is not None:
        statement["Condition"] = condition
    kept = {key: value for key, value in {**statement, **other}.items() if value is not None}
    return {"Version": "2012-10-17", "Statement": [kept]}


@pytest.mark.parametrize(
    ("other", "denied"),
    [
        ({}, True),
        ({"Effect": "Allow"}, False),
        ({"Action": "dynamodb:updatetable"}, True),
        ({"Action": "dynamodb:Update*"}, True),
        ({"Action": "dynamodb:Update?able"}, True),
        ({"Action": ["dynamodb:DeleteTable", "lambda:*"]}, False),
        ({"Action": "*"}, True),
        ({"Action": None, "NotAction": "dynamodb:Describe*"}, True),
        ({"Action": None, "NotAction": ["dynamodb:Update*"]}, False),
        ({"Resource": "*"}, True),
        ({"Resource": ["arn:aws:dynamodb:*:*:table/par*"]}, True),
        ({"Resource": "arn:aws:dynamodb:eu-west-1:111122223333:table/parcels-2"}, False),
        ({"Resource": "arn:aws:dynamodb:*"}, False),
        ({"Resource": None, "NotResource": TABLE}, False),
        ({"Resource": None, "NotResource": TABLE + "-2"}, True),
    ],
)
def test_elements(other: Json, denied: bool) -> None:
    assert denies(policy(**other), ASK) is denied


@pytest.mark.parametrize(
    ("condition", "principal", "denied"),
    [
        ({"ArnNotLike": {"aws:PrincipalArn": [DEPLOYER]}}, PERSON, True),
        ({"ArnNotLike": {"aws:PrincipalArn": [DEPLOYER]}}, DEPLOYER, False),
        ({"ArnNotLike": {"aws:PrincipalArn": ["arn:aws:iam::111122223333:role/deployer"]}}, DEPLOYER, True),
        ({"ArnNotLike": {"AWS:principalarn": "arn:aws:iam::*:role/*/deployer"}}, DEPLOYER, False),
        ({"ArnLike": {"aws:PrincipalArn": ["arn:aws:iam::*:user/*", DEPLOYER]}}, PERSON, True),
        ({"ArnEquals": {"aws:PrincipalArn": PERSON}}, DEPLOYER, False),
        ({"ArnNotEquals": {"aws:PrincipalArn": PERSON}}, DEPLOYER, True),
        ({"StringEquals": {"aws:RequestedRegion": "eu-west-1"}}, PERSON, True),
        ({"StringNotEquals": {"aws:RequestedRegion": ["eu-west-1", "us-east-1"]}}, PERSON, False),
        ({"StringLike": {"aws:RequestedRegion": "eu-*"}}, PERSON, True),
        ({"StringNotLike": {"aws:RequestedRegion": "eu-*"}}, PERSON, False),
        ({"StringEqualsIgnoreCase": {"aws:RequestedRegion": "EU-WEST-1"}}, PERSON, True),
        ({"StringEquals": {"aws:PrincipalAccount": "111122223333"}}, PERSON, True),
        ({"Bool": {"aws:MultiFactorAuthPresent": "false"}}, PERSON, False),
        ({"BoolIfExists": {"aws:MultiFactorAuthPresent": False}}, PERSON, True),
        ({"Null": {"aws:MultiFactorAuthPresent": "true"}}, PERSON, True),
        ({"ArnLike": {"aws:PrincipalArn": "*"}}, "", False),
        ({"ArnNotLike": {"aws:PrincipalArn": DEPLOYER}}, "", True),
        (
            {
                "ArnNotLike": {"aws:PrincipalArn": DEPLOYER},
                "StringEquals": {"aws:RequestedRegion": "us-east-1"},
            },
            PERSON,
            False,
        ),
    ],
)
def test_conditions(condition: Json, principal: str, denied: bool) -> None:
    assert denies(policy(condition), replace(ASK, principal=principal)) is denied


def test_mfa_is_looked_at_where_it_is_told() -> None:
    without = policy({"Bool": {"aws:MultiFactorAuthPresent": "false"}})
    assert denies(without, replace(ASK, mfa=False))
    assert not denies(without, replace(ASK, mfa=True))


@pytest.mark.parametrize(
    "wrong",
    [
        policy(Principal="*"),
        policy({"NumericLessThan": {"aws:RequestedRegion": "1"}}),
        policy({"ForAllValues:StringEquals": {"aws:RequestedRegion": "eu-west-1"}}),
        policy({"StringEquals": {"aws:ResourceTag/env": "prod"}}),
        policy({"StringEquals": {"aws:RequestedRegion": "${aws:PrincipalTag/home}"}}),
        policy(Action="lambda:*", Condition={"IpAddress": {"aws:SourceIp": "203.0.113.0/24"}}),
        policy(Resource="arn:aws:dynamodb:*:*:table/${aws:PrincipalTag/team}"),
        policy(Action=None),
        policy(NotAction="s3:*"),
        policy(Resource=None),
        policy(Effect="Maybe"),
        {"Version": "2012-10-17"},
        {"Statement": [], "Extra": 1},
    ],
)
def test_what_is_not_understood_is_not_called_harmless(wrong: Json) -> None:
    with pytest.raises(CannotTry):
        denies(wrong, ASK)


def test_a_touched_resource_that_is_not_known_cannot_be_tried_unless_the_policy_means_all() -> None:
    blind = replace(ASK, resources=None)
    assert denies(policy(Resource="*"), blind)
    assert not denies(policy(Action="s3:*"), blind)
    with pytest.raises(CannotTry):
        denies(policy(), blind)


PARTS = st.text(st.sampled_from("ab:/*?"), max_size=12)


@given(PARTS)
def test_an_arn_is_like_itself_and_a_star_stays_within_its_part(text: str) -> None:
    arn = "arn:aws:sqs:eu-west-1:111122223333:" + text.replace("*", "x").replace("?", "y")
    assert arn_like(arn, arn)
    assert arn_like("arn:*:*:*:*:*", arn)
    assert not arn_like("arn:*", arn)


RECORDS = "route53:ChangeResourceRecordSetsNormalizedRecordNames"
CHANGE = replace(
    ASK, action="route53:ChangeResourceRecordSets", keys={RECORDS: ("api.example.com", "www.example.com")}
)
ONLY_API = {"ForAnyValue:StringEquals": {RECORDS: ["api.example.com"]}}


@pytest.mark.parametrize(
    ("condition", "names", "denied"),
    [
        (ONLY_API, ("api.example.com", "www.example.com"), True),
        (ONLY_API, ("www.example.com",), False),
        (ONLY_API, (), False),
        ({"ForAnyValue:StringLike": {RECORDS: ["*.example.com"]}}, ("www.example.com",), True),
        ({"ForAnyValue:StringEqualsIfExists": {RECORDS: ["api.example.com"]}}, (), True),
        ({"StringEquals": {RECORDS: ["api.example.com"]}}, ("api.example.com",), True),
    ],
)
def test_a_key_of_the_service_guards_a_part(condition: Json, names: tuple[str, ...], denied: bool) -> None:
    rule = policy(condition, Action="route53:ChangeResourceRecordSets")
    assert denies(rule, replace(CHANGE, keys={RECORDS: names} if names else {})) is denied


@pytest.mark.parametrize(
    "condition",
    [
        {"ForAnyValue:StringNotEquals": {RECORDS: ["api.example.com"]}},
        {"ForAllValues:StringEquals": {RECORDS: ["api.example.com"]}},
        {"StringEquals": {RECORDS: ["api.example.com"]}},
        {"ForAnyValue:StringEquals": {"dynamodb:Attributes": ["id"]}},
    ],
)
def test_what_several_values_would_mean_is_not_guessed(condition: Json) -> None:
    with pytest.raises(CannotTry):
        denies(policy(condition, Action="route53:ChangeResourceRecordSets"), CHANGE)
