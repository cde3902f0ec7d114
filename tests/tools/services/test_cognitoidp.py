"""User pools: what is read and related, and that a restore sends everything, for what is not sent is reset."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from graph.plan_calls import set_all
from tests.tools.fake_account import Answer, FakeAws
from tools import catalogue
from tools.directory import KnownResources
from tools.history import current, prior, requested, same
from tools.models import Actor, ChangeEvent, Json, Resource
from tools.parameters import validate
from tools.services._spec import Setting
from tools.services.cognitoidp import SERVICE, describe, dimensions, discover, owner, relations

NOON = datetime(2026, 3, 13, 12, tzinfo=UTC)
POOL = "eu-west-1_AbCdEfGh1"
ARN = f"arn:aws:cognito-idp:eu-west-1:111122223333:userpool/{POOL}"
CLIENT = f"{ARN}/client/1example23456789"
FUNCTION = "arn:aws:lambda:eu-west-1:111122223333:function"
ROLE = "arn:aws:iam::111122223333:role/shop-sms"
SES = "arn:aws:ses:eu-west-1:111122223333:identity/example.com"


def pool(**changed: Any) -> Json:
    found = {
        "Id": POOL,
        "Name": "shop",
        "Arn": ARN,
        "Policies": {"PasswordPolicy": {"MinimumLength": 12, "TemporaryPasswordValidityDays": 7}},
        "DeletionProtection": "ACTIVE",
        "LambdaConfig": {"PreSignUp": f"{FUNCTION}:check", "PostConfirmation": f"{FUNCTION}:welcome:live"},
        "AutoVerifiedAttributes": ["email"],
        "MfaConfiguration": "OFF",
        "EmailConfiguration": {"EmailSendingAccount": "DEVELOPER", "SourceArn": SES},
        "SmsConfiguration": {"SnsCallerArn": ROLE, "ExternalId": "shop", "SnsRegion": "eu-west-1"},
        "UserPoolTags": {"team": "shop"},
        "AdminCreateUserConfig": {"AllowAdminCreateUserOnly": False, "UnusedAccountValidityDays": 7},
        "UserPoolTier": "ESSENTIALS",
        "EstimatedNumberOfUsers": 4711,
        **changed,
    }
    return {key: value for key, value in found.items() if value is not None}


def answers(item: Json, **more: Answer) -> dict[tuple[str, str], Answer]:
    clients = [{"ClientId": "1example23456789", "UserPoolId": POOL, "ClientName": "web"}]
    made: dict[str, Answer] = {
        "ListUserPools": {"UserPools": [{"Id": POOL, "Name": "shop", "LambdaConfig": item["LambdaConfig"]}]},
        "DescribeUserPool": {"UserPool": item},
        "GetUserPoolMfaConfig": {
            "SoftwareTokenMfaConfiguration": {"Enabled": True},
            "MfaConfiguration": item["MfaConfiguration"],
        },
        "ListUserPoolClients": {"UserPoolClients": clients},
    }
    return {("cognito-idp", name): answer for name, answer in {**made, **more}.items()}


def read(**changed: Any) -> Resource:
    item = pool(**changed)
    found = describe(FakeAws(answers({"LambdaConfig": {}, **item})).reader(), ARN)
    assert found is not None
    return found


def setting(path: str) -> Setting:
    return next(one for one in SERVICE.settings if one.path == path)


# -- reading and relations ----------------------------------------------------------------------------


def test_a_pool_calls_its_triggers_and_sends_by_others() -> None:
    found = read()
    assert (found.type, found.name, found.tags) == ("user-pool", POOL, {"team": "shop"})
    api = Resource(
        arn="arn:aws:apigateway:eu-west-1::/apis/a1b2c3",
        service="apigatewayv2",
        type="api",
        name="shop",
        account="111122223333",
        region="eu-west-1",
        config={
            "Authorizers": [
                {"JwtConfiguration": {"Issuer": f"https://cognito-idp.eu-west-1.amazonaws.com/{POOL}"}}
            ]
        },
    )
    welcome = replace(
        api, arn=f"{FUNCTION}:welcome", service="lambda", type="function", name="welcome", config={}
    )
    told = relations(found, KnownResources([found, api, welcome]))
    assert {(one.source, one.kind, one.target) for one in told} == {
        (ARN, "invokes", f"{FUNCTION}:check"),
        (ARN, "invokes", f"{FUNCTION}:welcome"),
        (ARN, "sends by", SES),
        (ARN, "runs as", ROLE),
        (CLIENT, "member of", ARN),
        (api.arn, "signs in by", ARN),
    }


def test_a_client_is_read_by_its_line_and_never_with_its_secret() -> None:
    account = FakeAws(answers(pool()))
    found = describe(account.reader(), CLIENT)
    assert found is not None
    assert (found.type, found.name, found.config["ClientName"]) == (
        "user-pool-client",
        "1example23456789",
        "web",
    )
    assert [(one.kind, one.target) for one in relations(found, KnownResources([found]))] == [
        ("member of", ARN)
    ]
    assert "DescribeUserPoolClient" not in {operation for _, operation in account.asked}
    assert describe(account.reader(), f"{ARN}/client/other") is None
    assert describe(FakeAws({}).reader(), ARN) is None


def test_pools_are_listed_and_what_is_refused_is_a_gap() -> None:
    assert [one.arn for one in discover(FakeAws(answers(pool())).reader(), "eu-west-1")] == [ARN]
    reader = FakeAws(answers(pool()), denied=frozenset({"cognito-idp:ListUserPoolClients"})).reader()
    found = describe(reader, ARN)
    assert found is not None
    assert "Clients" not in found.config
    assert len(reader.gaps) == 1


def test_metrics_are_a_clients() -> None:
    found = describe(FakeAws(answers(pool())).reader(), CLIENT)
    assert found is not None
    assert owner(dict(dimensions(found)), "aws", "eu-west-1", "111122223333") == CLIENT
    unknown = {"UserPool": POOL, "UserPoolClient": "Invalid"}
    assert catalogue.owner_of("AWS/Cognito", unknown, "eu-west-1", "111122223333") == ARN
    assert dimensions(read()) == ()


# -- putting back -------------------------------------------------------------------------------------

EVERYTHING: Json = {
    "UserPoolId": POOL,
    "PoolName": "shop",
    "Policies": {"PasswordPolicy": {"MinimumLength": 12, "TemporaryPasswordValidityDays": 7}},
    "DeletionProtection": "ACTIVE",
    "LambdaConfig": {"PreSignUp": f"{FUNCTION}:check", "PostConfirmation": f"{FUNCTION}:welcome:live"},
    "AutoVerifiedAttributes": ["email"],
    "MfaConfiguration": "OFF",
    "EmailConfiguration": {"EmailSendingAccount": "DEVELOPER", "SourceArn": SES},
    "SmsConfiguration": {"SnsCallerArn": ROLE, "ExternalId": "shop", "SnsRegion": "eu-west-1"},
    "UserPoolTags": {"team": "shop"},
    # The other name of the same number would be refused beside TemporaryPasswordValidityDays.
    "AdminCreateUserConfig": {"AllowAdminCreateUserOnly": False},
    "UserPoolTier": "ESSENTIALS",
}
CHANGED: list[tuple[str, Json]] = [
    ("LambdaConfig.PreSignUp", {"LambdaConfig": {"PostConfirmation": f"{FUNCTION}:welcome:live"}}),
    ("DeletionProtection", {"DeletionProtection": "INACTIVE"}),
    ("AutoVerifiedAttributes", {"AutoVerifiedAttributes": ["phone_number"]}),
    (
        "Policies.PasswordPolicy.MinimumLength",
        {"Policies": {"PasswordPolicy": {"MinimumLength": 40, "TemporaryPasswordValidityDays": 7}}},
    ),
    (
        "AdminCreateUserConfig.AllowAdminCreateUserOnly",
        {"AdminCreateUserConfig": {"AllowAdminCreateUserOnly": True}},
    ),
    (
        "SmsConfiguration.SnsCallerArn",
        {
            "SmsConfiguration": {
                **EVERYTHING["SmsConfiguration"],
                "SnsCallerArn": "arn:aws:iam::111122223333:role/x-sms",
            }
        },
    ),
]


@pytest.mark.parametrize(("path", "changed"), CHANGED, ids=[path for path, _ in CHANGED])
def test_a_restore_sends_everything_for_the_rest_would_be_reset(path: str, changed: Json) -> None:
    one, before, after = setting(path), read(), read(**changed)
    assert not same(current(before, one), current(after, one), one)
    (made,) = one.restore(after, current(before, one))
    assert validate(made) == ()
    assert (made.operation, made.parameters) == ("UpdateUserPool", EVERYTHING)


def test_triggers_that_one_update_reset_go_back_in_one_call() -> None:
    after = read(LambdaConfig=None)
    first, second = setting("LambdaConfig.PreSignUp"), setting("LambdaConfig.PostConfirmation")
    calls = set_all(after, [(first, f"{FUNCTION}:check"), (second, f"{FUNCTION}:welcome:live")])
    assert [one.parameters for one in calls] == [EVERYTHING]


@given(st.lists(st.sampled_from(["PreSignUp", "PostConfirmation", "UserMigration"]), unique=True, min_size=1))
def test_any_triggers_go_back_whichever_are_gone(gone: list[str]) -> None:
    good = {name: f"{FUNCTION}:{name}" for name in ("PreSignUp", "PostConfirmation", "UserMigration")}
    after = read(LambdaConfig={name: arn for name, arn in good.items() if name not in gone})
    calls = set_all(after, [(setting(f"LambdaConfig.{name}"), good[name]) for name in gone])
    assert [one.parameters["LambdaConfig"] for one in calls] == [good]


def test_the_function_that_makes_tokens_is_told_twice_and_alike() -> None:
    both = {"LambdaVersion": "V2_0", "LambdaArn": f"{FUNCTION}:bad"}
    after = read(LambdaConfig={"PreTokenGeneration": f"{FUNCTION}:bad", "PreTokenGenerationConfig": both})
    (made,) = setting("LambdaConfig.PreTokenGeneration").restore(after, f"{FUNCTION}:good")
    assert made.parameters["LambdaConfig"] == {
        "PreTokenGeneration": f"{FUNCTION}:good",
        "PreTokenGenerationConfig": {"LambdaVersion": "V2_0", "LambdaArn": f"{FUNCTION}:good"},
    }
    (made,) = setting("LambdaConfig.PreTokenGeneration").restore(after, "")
    assert "LambdaConfig" not in made.parameters


def test_a_second_factor_goes_back_by_its_own_operation_with_its_factors() -> None:
    one = setting("MfaConfiguration")
    (made,) = one.restore(read(MfaConfiguration="ON"), "OPTIONAL")
    assert validate(made) == ()
    assert (made.operation, made.parameters) == (
        "SetUserPoolMfaConfig",
        {
            "UserPoolId": POOL,
            "SoftwareTokenMfaConfiguration": {"Enabled": True},
            "MfaConfiguration": "OPTIONAL",
        },
    )
    bare = read()
    none = replace(bare, config={**bare.config, "MfaConfig": {"MfaConfiguration": "OFF"}})
    assert one.restore(none, "ON") == ()


def test_no_call_where_an_update_would_lose_something() -> None:
    one = setting("DeletionProtection")
    # UpdateUserPool cannot keep a second factor that goes without text messages.
    assert one.restore(read(MfaConfiguration="ON", SmsConfiguration=None), "INACTIVE") == ()
    unread = replace(read(), config={"Id": POOL, "LambdaConfig": {}})
    assert all(
        other.restore(unread, "x") == () for other in SERVICE.settings if other.path.startswith("Lambda")
    )


# -- events -------------------------------------------------------------------------------------------


def happened(operation: str, minute: int, request: Json, response: Json | None = None) -> ChangeEvent:
    return ChangeEvent(
        id=f"e{minute}",
        time=NOON.replace(minute=minute),
        source="cognito-idp.amazonaws.com",
        action=operation,
        operation=operation,
        region="eu-west-1",
        account="111122223333",
        actor=Actor(kind="iam_user", name="ops-07", how="console"),
        request={"userPoolId": POOL, **request},
        response=response or {},
        evidence=(f"F{minute}",),
    )


def test_an_update_that_does_not_name_the_triggers_takes_them_away() -> None:
    one = setting("LambdaConfig.PreSignUp")
    bad = happened("UpdateUserPool", 30, {"mfaConfiguration": "OFF"})
    good = happened("UpdateUserPool", 10, {"lambdaConfig": {"preSignUp": f"{FUNCTION}:check"}})
    assert requested(bad, one) == (True, "")
    assert same("", current(read(LambdaConfig=None), one), one)
    before = prior(one, read(LambdaConfig=None), bad, (bad, good), None)
    assert (before.known, before.value) == (True, f"{FUNCTION}:check")


def test_a_trigger_with_its_version_reads_alike_in_requests_and_descriptions() -> None:
    one = setting("LambdaConfig.CustomEmailSender")
    event = happened(
        "UpdateUserPool",
        10,
        {"lambdaConfig": {"customEmailSender": {"lambdaVersion": "V1_0", "lambdaArn": f"{FUNCTION}:mail"}}},
    )
    shown = read(
        LambdaConfig={"CustomEmailSender": {"LambdaVersion": "V1_0", "LambdaArn": f"{FUNCTION}:mail"}}
    )
    assert requested(event, one) == (True, current(shown, one))
    (made,) = one.restore(read(LambdaConfig=None), requested(event, one)[1])
    assert validate(made) == ()
    assert made.parameters["LambdaConfig"] == shown.config["LambdaConfig"]


def test_a_client_goes_back_to_all_that_was_asked_for_before() -> None:
    change = next(one for one in SERVICE.changes if one.operation == "UpdateUserPoolClient")
    assert change.undo is not None
    web = {"clientId": "1example23456789"}
    flows = {"explicitAuthFlows": ["ALLOW_USER_SRP_AUTH"], "callbackURLs": ["https://shop.example.com/in"]}
    bad = happened("UpdateUserPoolClient", 30, {**web, "clientName": "web"})
    assert change.touches(bad) == (CLIENT, ARN)
    assert change.undo(bad, ()) == ()
    made_first = happened(
        "CreateUserPoolClient",
        5,
        {"clientName": "web", "generateSecret": True, **flows},
        {"userPoolClient": {**web, "clientSecret": "HIDDEN_DUE_TO_SECURITY_REASONS"}},
    )
    other = happened("UpdateUserPoolClient", 20, {"clientId": "2other", **flows})
    (made,) = change.undo(bad, (other, made_first))
    assert validate(made) == ()
    assert made.parameters == {
        "UserPoolId": POOL,
        "ClientId": "1example23456789",
        "ClientName": "web",
        "ExplicitAuthFlows": ["ALLOW_USER_SRP_AUTH"],
        "CallbackURLs": ["https://shop.example.com/in"],
    }
    hidden = happened("UpdateUserPoolClient", 20, {**web, "callbackURLs": ["HIDDEN_DUE_TO_SECURITY_REASONS"]})
    assert change.undo(bad, (hidden, made_first)) == ()
