"""Actors: every shape of userIdentity, told from one record; odd records never raise."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tools.actors import actor
from tools.cloudtrail import parse

ACCOUNT = "111122223333"
CLI = "aws-cli/2.27.1 md/awscrt#0.26.1 ua/2.1 os/linux md/command#dynamodb.update-table"
BROWSER = "Mozilla/5.0 (X11; Linux x86_64) Gecko/20100101 Firefox/128.0"
TERRAFORM = "APN/1.0 HashiCorp/1.0 Terraform/1.9.5 (+https://www.terraform.io) terraform-provider-aws/5.60.0"


def record(identity: dict[str, Any] | None, **fields: Any) -> dict[str, Any]:
    return {
        "eventVersion": "1.11",
        "userIdentity": identity,
        "eventTime": "2026-03-13T17:12:31Z",
        "eventSource": "dynamodb.amazonaws.com",
        "eventName": "UpdateTable",
        "awsRegion": "eu-west-1",
        "sourceIPAddress": "203.0.113.24",
        "userAgent": CLI,
        "requestParameters": {"tableName": "orders"},
        "responseElements": None,
        "eventID": "0d9c9b3e-5f1a-4a53-8a70-111111111111",
        "readOnly": False,
        "eventType": "AwsApiCall",
        "recipientAccountId": ACCOUNT,
    } | fields


def user(name: str = "ops-07", key: str = "AKIAIOSFODNN7EXAMPLE", mfa: str | None = None) -> dict[str, Any]:
    made: dict[str, Any] = {
        "type": "IAMUser",
        "principalId": "AIDAEXAMPLE",
        "arn": f"arn:aws:iam::{ACCOUNT}:user/{name}",
        "accountId": ACCOUNT,
        "accessKeyId": key,
        "userName": name,
    }
    if mfa is not None:
        made["sessionContext"] = {
            "attributes": {"mfaAuthenticated": mfa, "creationDate": "2026-03-13T16:00:00Z"}
        }
    return made


def role(
    name: str, session: str, *, path: str = "", account: str = ACCOUNT, **context: Any
) -> dict[str, Any]:
    return {
        "type": "AssumedRole",
        "principalId": f"AROAEXAMPLE:{session}",
        "arn": f"arn:aws:sts::{account}:assumed-role/{name}/{session}",
        "accountId": account,
        "accessKeyId": "ASIAIOSFODNN7EXAMPLE",
        "sessionContext": {
            "sessionIssuer": {
                "type": "Role",
                "arn": f"arn:aws:iam::{account}:role/{path}{name}",
                "accountId": account,
                "userName": name,
            },
            "attributes": {"mfaAuthenticated": "false", "creationDate": "2026-03-13T16:00:00Z"},
        }
        | context,
    }


SERVICE = {"sourceIPAddress": "lambda.amazonaws.com", "userAgent": "lambda.amazonaws.com"}
CFN = {"sourceIPAddress": "cloudformation.amazonaws.com", "userAgent": "cloudformation.amazonaws.com"}
SCALING = "dynamodb.application-autoscaling.amazonaws.com"
GITHUB = {"federatedProvider": "arn:aws:iam::111122223333:oidc-provider/token.actions.githubusercontent.com"}
SSO = "AWSReservedSSO_PowerUser_0123456789abcdef"

SHAPES: dict[str, tuple[dict[str, Any], str, str, str]] = {
    "service": (
        record({"type": "AWSService", "invokedBy": "lambda.amazonaws.com"}, **SERVICE),
        "aws_service",
        "lambda.amazonaws.com",
        "service",
    ),
    "service event": (
        record(
            {"accountId": ACCOUNT, "invokedBy": "secretsmanager.amazonaws.com"},
            eventType="AwsServiceEvent",
            userAgent="secretsmanager.amazonaws.com",
            sourceIPAddress="secretsmanager.amazonaws.com",
        ),
        "aws_service",
        "secretsmanager.amazonaws.com",
        "service",
    ),
    "service-linked role": (
        record(
            role(
                "AWSServiceRoleForAutoScaling",
                "AutoScaling",
                path="aws-service-role/autoscaling.amazonaws.com/",
            ),
            sourceIPAddress="autoscaling.amazonaws.com",
            userAgent="autoscaling.amazonaws.com",
        ),
        "service_linked_role",
        "AWSServiceRoleForAutoScaling",
        "service",
    ),
    "application autoscaling": (
        record(
            role("AWSServiceRoleForApplicationAutoScaling_DynamoDBTable", "AutoScaling-UpdateTable"),
            sourceIPAddress=SCALING,
            userAgent=SCALING,
        ),
        "service_linked_role",
        "AWSServiceRoleForApplicationAutoScaling_DynamoDBTable",
        "service",
    ),
    "CloudFormation for a person": (
        record(role("admin", "maria@example.com") | {"invokedBy": "cloudformation.amazonaws.com"}, **CFN),
        "cloudformation",
        "maria@example.com",
        "cloudformation",
    ),
    "CloudFormation by its service role": (
        record(
            role("stack-role", "AWSCloudFormation") | {"invokedBy": "cloudformation.amazonaws.com"}, **CFN
        ),
        "cloudformation",
        "stack-role",
        "cloudformation",
    ),
    "Terraform by a user": (record(user(), userAgent=TERRAFORM), "iac", "ops-07", "terraform"),
    "OpenTofu by a role": (
        record(role("deploy", "run-4711"), userAgent="APN/1.0 OpenTofu/1.0 OpenTofu/1.8.1"),
        "iac",
        "deploy",
        "terraform",
    ),
    "Pulumi": (
        record(role("deploy", "run-4711"), userAgent="aws-sdk-go-v2/1.30 pulumi/3.120 (linux)"),
        "iac",
        "deploy",
        "pulumi",
    ),
    "CI by OIDC": (
        record(role("deploy", "build-4711", webIdFederationData=GITHUB)),
        "ci",
        "deploy",
        "ci",
    ),
    "console, flag as text": (
        record(
            user(mfa="true", key="ASIAIOSFODNN7EXAMPLE"), sessionCredentialFromConsole="true", userAgent="x"
        ),
        "iam_user",
        "ops-07",
        "console",
    ),
    "console, flag as boolean": (
        record(
            user(mfa="true", key="ASIAIOSFODNN7EXAMPLE"), sessionCredentialFromConsole=True, userAgent="x"
        ),
        "iam_user",
        "ops-07",
        "console",
    ),
    "older console": (
        record(user(mfa="false"), userAgent="AWSLambdaConsole/1.1"),
        "iam_user",
        "ops-07",
        "console",
    ),
    "older console, hidden": (
        record(user(mfa="false"), userAgent="AWS Internal", sourceIPAddress="AWS Internal"),
        "iam_user",
        "ops-07",
        "console",
    ),
    "S3 console": (
        record(user(mfa="true"), userAgent="[S3Console/0.4, aws-internal/3 aws-sdk-java/1.12.488]"),
        "iam_user",
        "ops-07",
        "console",
    ),
    "console session without an agent": (
        record(user(mfa="true", key="ASIAIOSFODNN7EXAMPLE"), userAgent=None),
        "iam_user",
        "ops-07",
        "console",
    ),
    "long-lived key without an agent": (record(user(), userAgent=None), "iam_user", "ops-07", "unknown"),
    "CloudShell": (
        record(user(mfa="true", key="ASIAIOSFODNN7EXAMPLE"), sessionCredentialFromConsole="true"),
        "iam_user",
        "ops-07",
        "cli",
    ),
    "CLI": (record(user()), "iam_user", "ops-07", "cli"),
    "SDK": (record(user(), userAgent="Boto3/1.34.0 md/Botocore#1.34.0"), "iam_user", "ops-07", "sdk"),
    "through a service": (
        record(
            user() | {"invokedBy": "secretsmanager.amazonaws.com"}, userAgent="secretsmanager.amazonaws.com"
        ),
        "iam_user",
        "ops-07",
        "service",
    ),
    "Identity Center, console": (
        record(
            role(SSO, "maria@example.com", path="aws-reserved/sso.amazonaws.com/"),
            userAgent=BROWSER,
            sessionCredentialFromConsole="true",
        ),
        "identity_center_user",
        "maria@example.com",
        "console",
    ),
    "Identity Center, CLI": (record(role(SSO, "maria")), "identity_center_user", "maria", "cli"),
    "Identity Center, portal": (
        record(
            {
                "type": "IdentityCenterUser",
                "accountId": ACCOUNT,
                "onBehalfOf": {
                    "userId": "544894e8-80c1",
                    "identityStoreArn": "arn:aws:identitystore::1:x/d-1",
                },
                "credentialId": "90e292de",
            },
            userAgent=BROWSER,
        ),
        "identity_center_user",
        "544894e8-80c1",
        "console",
    ),
    "root": (
        record(
            {"type": "Root", "arn": f"arn:aws:iam::{ACCOUNT}:root", "accountId": ACCOUNT}, userAgent=BROWSER
        ),
        "root",
        "root",
        "console",
    ),
    "other account": (
        record({"type": "AWSAccount", "principalId": "AROAX:ci-main", "accountId": "444455556666"}),
        "other_account",
        "ci-main",
        "cli",
    ),
    "role of another account": (
        record(role("auditor", "botocore-session-17", account="444455556666")),
        "other_account",
        "auditor",
        "cli",
    ),
    "federated user": (
        record({"type": "FederatedUser", "principalId": f"{ACCOUNT}:break-glass", "accountId": ACCOUNT}),
        "federated_user",
        "break-glass",
        "cli",
    ),
    "SAML user": (
        record({"type": "SAMLUser", "principalId": "qualifier:maria", "identityProvider": "corp"}),
        "federated_user",
        "maria",
        "cli",
    ),
    "web identity": (
        record(
            {"type": "WebIdentityUser", "principalId": "accounts.example.com:app:4711", "userName": "4711"}
        ),
        "federated_user",
        "4711",
        "cli",
    ),
    "CI takes its role": (
        record(
            {
                "type": "WebIdentityUser",
                "principalId": "token.actions.githubusercontent.com:sts.amazonaws.com:repo:acme/shop:main",
                "identityProvider": "token.actions.githubusercontent.com",
                "userName": "repo:acme/shop:main",
            }
        ),
        "ci",
        "repo:acme/shop:main",
        "ci",
    ),
    "function's role": (
        record(
            role("order-writer-role", "order_writer"), userAgent="Boto3/1.34.0 exec-env/AWS_Lambda_python3.12"
        ),
        "role",
        "order-writer-role",
        "sdk",
    ),
    "instance's role": (record(role("web", "i-0123456789abcdef0")), "role", "web", "cli"),
    "deploy role": (record(role("deploy-role", "release-4711")), "role", "deploy-role", "cli"),
    "person in a role by CLI": (record(role("admin", "maria.silva")), "role", "maria.silva", "cli"),
    "person in a role by console": (
        record(role("admin", "ops-07"), userAgent=BROWSER, sessionCredentialFromConsole="true"),
        "role",
        "ops-07",
        "console",
    ),
    "source identity": (
        record(role("admin", "session-1", sourceIdentity="maria@example.com")),
        "role",
        "maria@example.com",
        "cli",
    ),
    "no identity": (record(None), "unknown", "unknown", "cli"),
}


@pytest.mark.parametrize("shape", SHAPES)
def test_shape_gives_kind_name_and_means(shape: str) -> None:
    written, kind, name, how = SHAPES[shape]
    made = actor(written)
    assert (made.kind, made.name, made.how) == (kind, name, how)


def test_details_are_kept() -> None:
    made = actor(record(role("admin", "ops-07", sourceIdentity="maria"), userAgent=f"[{CLI}]"))
    assert (made.role, made.session, made.source_identity) == ("admin", "ops-07", "maria")
    assert (made.access_key_id, made.source_ip, made.mfa) == ("ASIAIOSFODNN7EXAMPLE", "203.0.113.24", False)
    assert (made.account, made.user_agent) == (ACCOUNT, CLI)


def test_second_factor_is_unknown_without_a_session_and_told_at_sign_in() -> None:
    assert actor(record(user())).mfa is None
    assert actor(record(user(mfa="true"))).mfa is True
    assert actor(record(user(), additionalEventData={"MFAUsed": "No"})).mfa is False


def test_small_letters_of_exports_are_read() -> None:
    written = {"useridentity": {"type": "IAMUser", "username": "ops-07"}, "useragent": CLI}
    assert actor(written).name == "ops-07"
    assert actor(written).how == "cli"


@pytest.mark.parametrize("odd", [None, "text", 7, [], {}, {"type": None}, {"type": ["IAMUser"], "arn": 3}])
def test_odd_identities_are_unknown(odd: Any) -> None:
    assert actor(record(odd, userAgent=odd)).kind == "unknown"


ODD = st.sampled_from(
    [None, "", "x", 0, 1.5, True, [], {}, [None], {"a": None}, "arn:", ":", "/", "[]", {"type": 1}]
)


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path, *(deeper for key, item in items for deeper in places(item, (*path, key)))]


@st.composite
def mangled(draw: st.DrawFn) -> dict[str, Any]:
    """A realistic record with up to five places deleted or replaced by something of another type."""
    made: dict[str, Any] = copy.deepcopy(draw(st.sampled_from([shape[0] for shape in SHAPES.values()])))
    for _ in range(draw(st.integers(1, 5))):
        spots = [spot for spot in places(made) if spot]
        if not spots:
            break
        *parents, last = draw(st.sampled_from(spots))
        holder: Any = made
        for key in parents:
            holder = holder[key]
        if draw(st.booleans()):
            del holder[last]
        else:
            holder[last] = copy.deepcopy(draw(ODD))
    return made


@given(mangled())
def test_mangled_records_never_raise(written: dict[str, Any]) -> None:
    event = parse(written)
    assert event.actor == actor(written)
    assert event.time.tzinfo is not None
    assert all(isinstance(text, str) for text in (event.id, event.source, event.actor.name, event.actor.arn))
    assert event.id
    assert event.actor.name
