"""Refusals as AWS words them: which policy, who lifts it, and the statement when only that is missing."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tools.denied import gap, is_denial, read
from tools.iam_names import action_of, takes_no_resource

ROLE = "User: arn:aws:sts::111122223333:assumed-role/opsleuth-reader/run-1 is not authorized to perform: "
USER = "User: arn:aws:iam::111122223333:user/ops/ops-07 is not authorized to perform: "
TABLE = "arn:aws:dynamodb:eu-west-1:111122223333:table/orders"
QUEUE = "arn:aws:sqs:eu-west-1:444455556666:jobs"
FUNCTION = "arn:aws:lambda:eu-west-1:111122223333:function:writer"
SCP = "arn:aws:organizations::444455556666:policy/o-exampleorgid/service_control_policy/p-examplep"

VARIANTS: list[tuple[str, str, str, str, str, str, str]] = [
    # case, service, operation, message, why, lift, resource of the statement ("" for no statement)
    (
        "identity policy lacks it",
        "dynamodb",
        "DescribeTable",
        f"{ROLE}dynamodb:DescribeTable on resource: {TABLE} because no identity-based policy allows the "
        "dynamodb:DescribeTable action",
        "No identity policy lets role opsleuth-reader call dynamodb:DescribeTable.",
        "Add dynamodb:DescribeTable to role opsleuth-reader.",
        TABLE,
    ),
    (
        "identity policy lacks an action without resources",
        "xray",
        "GetTraceSummaries",
        f"{ROLE}xray:GetTraceSummaries because no identity-based policy allows the xray:GetTraceSummaries "
        "action",
        "No identity policy lets role opsleuth-reader call xray:GetTraceSummaries.",
        "Add xray:GetTraceSummaries to role opsleuth-reader.",
        "*",
    ),
    (
        "explicit deny in an identity policy, with its ARN",
        "lambda",
        "GetPolicy",
        f"{USER}lambda:GetPolicy on resource: {FUNCTION} with an explicit deny in an identity-based policy: "
        "arn:aws:iam::111122223333:policy/no-lambda",
        "An identity policy forbids user ops-07 to call lambda:GetPolicy (explicit deny: "
        "arn:aws:iam::111122223333:policy/no-lambda).",
        "Whoever manages the policies of user ops-07 can remove that deny; adding a permission to user "
        "ops-07 does "
        "not help.",
        "",
    ),
    (
        "SCP denies, with its ARN",
        "iam",
        "ListRoles",
        f"{ROLE}iam:ListRoles on resource: arn:aws:iam::111122223333:role/ with an explicit deny in a "
        "service "
        f"control policy: {SCP}",
        "A service control policy (SCP) of the organization forbids role opsleuth-reader to call "
        "iam:ListRoles "
        f"(explicit deny: {SCP}).",
        "An administrator of the organization can change the SCP, in its management account; nothing "
        "inside this "
        "account helps.",
        "",
    ),
    (
        "SCP does not allow",
        "lambda",
        "GetPolicy",
        f"{ROLE}lambda:GetPolicy on resource: {FUNCTION} because no service control policy allows the "
        "lambda:GetPolicy action",
        "No service control policy (SCP) of the organization lets role opsleuth-reader call "
        "lambda:GetPolicy.",
        "An administrator of the organization can change the SCP, in its management account; nothing "
        "inside this "
        "account helps.",
        "",
    ),
    (
        "RCP denies",
        "kms",
        "DescribeKey",
        f"{ROLE}kms:DescribeKey on resource: arn:aws:kms:eu-west-1:444455556666:key/1 with an explicit "
        "deny in a "
        "resource control policy",
        "A resource control policy (RCP) of the organization forbids role opsleuth-reader to call "
        "kms:DescribeKey "
        "(explicit deny).",
        "An administrator of the organization of the resource can change the RCP, in its management account; "
        "nothing inside this account helps.",
        "",
    ),
    (
        "permissions boundary does not allow",
        "dynamodb",
        "DescribeTable",
        f"{ROLE}dynamodb:DescribeTable on resource: {TABLE} because no permissions boundary allows the "
        "dynamodb:DescribeTable action",
        "The permissions boundary does not let role opsleuth-reader call dynamodb:DescribeTable.",
        "The owner of the permissions boundary of role opsleuth-reader can widen it; adding a permission "
        "to role "
        "opsleuth-reader does not help.",
        "",
    ),
    (
        "permissions boundary denies, with its ARN and an encoded message",
        "ec2",
        "DescribeSubnets",
        f"You are not authorized to perform this operation. {ROLE}ec2:DescribeSubnets with an explicit "
        "deny in a "
        "permissions boundary: arn:aws:iam::111122223333:policy/edge. Encoded authorization failure "
        "message: aB3",
        "The permissions boundary forbids role opsleuth-reader to call ec2:DescribeSubnets (explicit deny: "
        "arn:aws:iam::111122223333:policy/edge).",
        "The owner of the permissions boundary of role opsleuth-reader can widen it; adding a permission "
        "to role "
        "opsleuth-reader does not help.",
        "",
    ),
    (
        "session policy does not allow",
        "lambda",
        "GetPolicy",
        f"{ROLE}lambda:GetPolicy on resource: {FUNCTION} because no session policy allows the "
        "lambda:GetPolicy action",
        "The session policy does not let role opsleuth-reader call lambda:GetPolicy.",
        "Whoever makes the session of role opsleuth-reader can sign in with a wider session policy; adding a "
        "permission to role opsleuth-reader does not help.",
        "",
    ),
    (
        "policy of the resource does not allow, action in lower case",
        "sqs",
        "GetQueueAttributes",
        f"{ROLE}sqs:getqueueattributes on resource: {QUEUE} because no resource-based policy allows the "
        "sqs:getqueueattributes action",
        "The policy of the resource itself does not let role opsleuth-reader call sqs:GetQueueAttributes.",
        f"The owner of the resource can change its policy ({QUEUE}); adding a permission to role "
        "opsleuth-reader "
        "does not help.",
        "",
    ),
    (
        "policy of the resource denies, resource in quotes",
        "s3",
        "GetBucketPolicy",
        f'{ROLE}s3:GetBucketPolicy on resource: "arn:aws:s3:::shop" with an explicit deny in a '
        "resource-based policy",
        "The policy of the resource itself forbids role opsleuth-reader to call s3:GetBucketPolicy "
        "(explicit deny).",
        "The owner of the resource can change its policy (arn:aws:s3:::shop); adding a permission to role "
        "opsleuth-reader does not help.",
        "",
    ),
    (
        "VPC endpoint policy does not allow",
        "dynamodb",
        "DescribeTable",
        f"{ROLE}dynamodb:DescribeTable on resource: {TABLE} because no VPC endpoint policy allows the "
        "dynamodb:DescribeTable action",
        "The policy of the VPC endpoint that the call goes through does not let role opsleuth-reader call "
        "dynamodb:DescribeTable.",
        "The owner of the VPC endpoint can change its policy; outside that network opsleuth does not meet "
        "it; "
        "adding a permission to role opsleuth-reader does not help.",
        "",
    ),
    (
        "VPC endpoint policy denies",
        "dynamodb",
        "DescribeTable",
        f"{ROLE}dynamodb:DescribeTable on resource: {TABLE} with an explicit deny in a VPC endpoint policy",
        "The policy of the VPC endpoint that the call goes through forbids role opsleuth-reader to call "
        "dynamodb:DescribeTable (explicit deny).",
        "The owner of the VPC endpoint can change its policy; outside that network opsleuth does not meet "
        "it; "
        "adding a permission to role opsleuth-reader does not help.",
        "",
    ),
    (
        "role trust policy does not allow",
        "sts",
        "AssumeRole",
        f"{USER}sts:AssumeRole on resource: arn:aws:iam::444455556666:role/reader because no role trust "
        "policy "
        "allows the sts:AssumeRole action",
        "The trust policy of the role to assume does not let user ops-07 call sts:AssumeRole.",
        "The owner of the role can add user ops-07 to its trust policy; adding a permission to user "
        "ops-07 does not "
        "help.",
        "",
    ),
    (
        "explicit deny of an unknown kind",
        "dynamodb",
        "DescribeTable",
        f"{USER}dynamodb:DescribeTable on resource: {TABLE} with an explicit deny",
        "A policy forbids user ops-07 to call dynamodb:DescribeTable (explicit deny); AWS does not say "
        "which policy.",
        "Ask whoever manages the policies of user ops-07 which of them denies it; adding a permission to "
        "user ops-07 "
        "does not help.",
        "",
    ),
    (
        "old text without a reason",
        "cloudtrail",
        "LookupEvents",
        f"{USER}cloudtrail:LookupEvents",
        "User ops-07 may not call cloudtrail:LookupEvents; AWS does not say which policy is the reason.",
        "Add cloudtrail:LookupEvents to user ops-07. If it is there already, an SCP or a permissions "
        "boundary is the "
        "reason: ask their owner.",
        "*",
    ),
    (
        "old text of EC2",
        "ec2",
        "DescribeSecurityGroups",
        "You are not authorized to perform this operation. Encoded authorization failure message: aB3dE",
        "This identity may not call ec2:DescribeSecurityGroups; AWS does not say which policy is the reason.",
        "Add ec2:DescribeSecurityGroups to this identity. If it is there already, an SCP or a permissions "
        "boundary "
        "is the reason: ask their owner. aws sts decode-authorization-message tells more.",
        "*",
    ),
    (
        "bare text of S3",
        "s3",
        "GetBucketLogging",
        "Access Denied",
        "This identity may not call s3:GetBucketLogging; AWS does not say which policy is the reason.",
        "Check that this identity is allowed s3:GetBucketLogging; if it is, the owner of the resource can "
        "change the "
        "policy of the resource.",
        "",
    ),
    (
        "permission set of IAM Identity Center, log group with a tail",
        "logs",
        "FilterLogEvents",
        "User: "
        "arn:aws:sts::111122223333:assumed-role/AWSReservedSSO_OnCall_0123456789abcdef/ana@example.com is "
        "not "
        "authorized to perform: logs:FilterLogEvents on resource: "
        "arn:aws:logs:eu-west-1:111122223333:log-group:/aws/lambda/writer:log-stream: because no "
        "identity-based "
        "policy allows the logs:FilterLogEvents action",
        "No identity policy lets permission set OnCall call logs:FilterLogEvents.",
        "Add logs:FilterLogEvents to permission set OnCall in IAM Identity Center.",
        "arn:aws:logs:eu-west-1:111122223333:log-group:/aws/lambda/writer:*",
    ),
    (
        "China, one action per verb",
        "apigateway",
        "GetRestApis",
        "User: arn:aws-cn:iam::111122223333:user/ops-07 is not authorized to perform: apigateway:GET on "
        "resource: "
        "arn:aws-cn:apigateway:cn-north-1::/restapis because no identity-based policy allows the "
        "apigateway:GET action",
        "No identity policy lets user ops-07 call apigateway:GET.",
        "Add apigateway:GET to user ops-07.",
        "arn:aws-cn:apigateway:cn-north-1::/restapis",
    ),
]


@pytest.mark.parametrize(
    ("service", "operation", "message", "why", "lift", "resource"),
    [pytest.param(*variant[1:], id=variant[0]) for variant in VARIANTS],
)
def test_a_refusal_is_told_in_the_right_sentences(
    service: str, operation: str, message: str, why: str, lift: str, resource: str
) -> None:
    found = gap(service, operation, {}, message)
    assert found.why == why
    assert found.lift == lift
    action = why.split(" call ")[1].split(" ", maxsplit=1)[0].rstrip(".;")
    expected: dict[str, Any] = {"Effect": "Allow", "Action": action, "Resource": resource}
    assert found.statement == (expected if resource else None)
    assert (found.code, found.what) == ("AccessDenied", f"{service}:{operation}")


def test_an_arn_in_the_call_narrows_the_statement() -> None:
    message = f"{ROLE}lambda:ListTags because no identity-based policy allows the lambda:ListTags action"
    found = gap("lambda", "ListTags", {"Resource": FUNCTION}, message)
    assert found.statement is not None
    assert found.statement["Resource"] == FUNCTION
    of_another_service = gap("lambda", "ListTags", {"Resource": QUEUE}, message)
    assert of_another_service.statement is not None
    assert of_another_service.statement["Resource"] == "*"


def test_a_resource_is_not_named_for_actions_that_take_none() -> None:
    table = "arn:aws:dynamodb:eu-west-1:111122223333:table/*"
    message = (
        f"{ROLE}dynamodb:ListTables on resource: {table} because no identity-based policy allows the "
        "dynamodb:ListTables action"
    )
    found = gap("dynamodb", "ListTables", {}, message)
    assert found.statement == {"Effect": "Allow", "Action": "dynamodb:ListTables", "Resource": "*"}


@pytest.mark.parametrize(
    ("service", "operation", "action"),
    [
        ("s3", "ListBuckets", "s3:ListAllMyBuckets"),
        ("elbv2", "DescribeRules", "elasticloadbalancing:DescribeRules"),
        ("apigatewayv2", "GetRoutes", "apigateway:GET"),
        ("resourcegroupstaggingapi", "GetResources", "tag:GetResources"),
        ("bedrock-runtime", "ConverseStream", "bedrock:InvokeModelWithResponseStream"),
        ("lambda", "GetFunctionConfiguration", "lambda:GetFunctionConfiguration"),
    ],
)
def test_iam_has_names_of_its_own(service: str, operation: str, action: str) -> None:
    assert action_of(service, operation) == action


def test_only_some_actions_take_a_resource() -> None:
    assert takes_no_resource("xray:GetServiceGraph")
    assert not takes_no_resource("dynamodb:DescribeTable")


@pytest.mark.parametrize(
    ("code", "message", "expected"),
    [
        ("AccessDeniedException", "", True),
        ("UnauthorizedOperation", "", True),
        ("403", "Forbidden", True),
        ("AuthorizationError", "", True),
        ("InvalidParameterException", f"{ROLE}logs:StartQuery", True),
        ("ThrottlingException", "Rate exceeded", False),
        ("ResourceNotFoundException", "no such table", False),
    ],
)
def test_denials_are_told_from_other_errors(code: str, message: str, expected: bool) -> None:
    assert is_denial(code, message) is expected


@given(st.text(max_size=300))
def test_any_text_is_read(message: str) -> None:
    denial = read("dynamodb", "DescribeTable", message)
    found = gap("dynamodb", "DescribeTable", {}, message)
    assert denial.action
    assert found.why.endswith(".")
    assert found.lift.endswith(".")
