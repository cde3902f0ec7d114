"""Records in the shapes that CloudTrail gives: who is named, what is apart, what put back what."""

from __future__ import annotations

from typing import Any

import pytest

from graph.changes import fold, how, listing
from graph.risk import by_hand
from graph.undoing.known import Known
from tools.cloudtrail_events import parse
from tools.models import ChangeEvent, Json

ACCOUNT = "111122223333"


def session(role: str, name: str, key: str = "ASIAEXAMPLEEXAMPLE01", **more: Any) -> Json:
    """A role session as CloudTrail writes it, with the role as its issuer."""
    issuer = {
        "type": "Role",
        "arn": f"arn:aws:iam::{ACCOUNT}:role/{role}",
        "accountId": ACCOUNT,
        "userName": role,
    }
    return {
        "type": "AssumedRole",
        "principalId": f"AROAEXAMPLEEXAMPLE001:{name}",
        "arn": f"arn:aws:sts::{ACCOUNT}:assumed-role/{role}/{name}",
        "accountId": ACCOUNT,
        "accessKeyId": key,
        "sessionContext": {"sessionIssuer": issuer, "attributes": {"mfaAuthenticated": "false"}},
        **more,
    }


def record(identity: Json, agent: str, address: str = "203.0.113.7", **more: Any) -> ChangeEvent:
    return parse(
        {
            "eventVersion": "1.11",
            "eventID": "e1",
            "eventTime": "2026-03-13T12:00:00Z",
            "eventSource": "s3.amazonaws.com",
            "eventName": "PutBucketPolicy",
            "eventType": "AwsApiCall",
            "awsRegion": "eu-west-1",
            "readOnly": False,
            "managementEvent": True,
            "recipientAccountId": ACCOUNT,
            "sourceIPAddress": address,
            "userAgent": agent,
            "userIdentity": identity,
            "requestParameters": {"bucketName": "shop-media", "bucketPolicy": {"Statement": []}},
            "responseElements": None,
            **more,
        }
    )


SHAPES: dict[str, tuple[ChangeEvent, str, str, str, bool]] = {
    # record, kind, name, how it was done, by hand
    "a person through Identity Center": (
        record(session("AWSReservedSSO_Operators_0a1b2c3d4e5f6071", "m.ito"), "Mozilla/5.0 (X11; Linux x86_64)"),
        "identity_center_user", "m.ito", "console", True,
    ),
    "a person on the command line": (
        record(session("AWSReservedSSO_Operators_0a1b2c3d4e5f6071", "m.ito"), "aws-cli/2.17.0 md/Botocore#1.35"),
        "identity_center_user", "m.ito", "command line", True,
    ),
    "a switched role in the console keeps the person's name": (
        record(session("shop-admin", "r.silva"), "Mozilla/5.0 (Macintosh)"),
        "role", "r.silva", "console", True,
    ),
    "a CI job by its session": (
        record(session("shop-deploy", "GitHubActions"), "Boto3/1.35 md/Botocore#1.35"),
        "ci", "shop-deploy", "pipeline (ci)", False,
    ),
    "a CI job by its identity provider": (
        record(
            session(
                "shop-deploy",
                "run-77",
                sessionContext={
                    "sessionIssuer": {
                        "type": "Role", "userName": "shop-deploy", "accountId": ACCOUNT,
                        "arn": f"arn:aws:iam::{ACCOUNT}:role/shop-deploy",
                    },
                    "webIdFederationData": {
                        "federatedProvider": f"arn:aws:iam::{ACCOUNT}:oidc-provider/token.actions.githubusercontent.com"
                    },
                },
            ),
            "aws-sdk-js/3.600",
        ),
        "ci", "shop-deploy", "pipeline (ci)", False,
    ),
    "Terraform run by a person's session": (
        record(
            session("AWSReservedSSO_Operators_0a1b2c3d4e5f6071", "m.ito"),
            "APN/1.0 HashiCorp/1.0 Terraform/1.9.5 terraform-provider-aws/5.60",
        ),
        "iac", "m.ito", "pipeline (terraform)", False,
    ),
    "CloudFormation for a caller": (
        record(
            session("shop-deploy", "r.silva@example.com", invokedBy="cloudformation.amazonaws.com"),
            "cloudformation.amazonaws.com", "cloudformation.amazonaws.com",
        ),
        "cloudformation", "r.silva@example.com", "pipeline (cloudformation)", False,
    ),
    "a program under a role": (
        record(session("order-writer-role", "order-writer"), "Boto3/1.35 md/Botocore#1.35"),
        "role", "order-writer-role", "program", False,
    ),
    "another account": (
        record({**session("audit", "run"), "accountId": "444455556666",
                "arn": "arn:aws:sts::444455556666:assumed-role/audit/run",
                "sessionContext": {"sessionIssuer": {"type": "Role", "userName": "audit", "accountId": "444455556666",
                                                     "arn": "arn:aws:iam::444455556666:role/audit"}}},
               "aws-sdk-go-v2/1.30"),
        "other_account", "audit", "program", False,
    ),
}  # fmt: skip


@pytest.mark.parametrize("shape", SHAPES)
def test_who_is_named_and_how(shape: str) -> None:
    event, kind, name, means, hand = SHAPES[shape]
    assert (event.actor.kind, event.actor.name, how(event), by_hand(event)) == (kind, name, means, hand)
    assert fold(event) is None


REACTIONS = {
    "a service-linked role": record(
        session("AWSServiceRoleForAutoScaling", "AutoScaling", invokedBy="autoscaling.amazonaws.com"),
        "autoscaling.amazonaws.com",
        "autoscaling.amazonaws.com",
    ),
    "a service by itself": record(
        {"type": "AWSService", "invokedBy": "rds.amazonaws.com"}, "rds.amazonaws.com", "rds.amazonaws.com"
    ),
    "a service event": record(
        {"accountId": ACCOUNT, "invokedBy": "ecs.amazonaws.com"},
        "ecs.amazonaws.com",
        "ecs.amazonaws.com",
        eventType="AwsServiceEvent",
    ),
}


@pytest.mark.parametrize("shape", REACTIONS)
def test_what_services_do_by_themselves_is_apart(shape: str) -> None:
    assert fold(REACTIONS[shape]) == "service reactions"


@pytest.mark.parametrize(
    ("code", "status"),
    [
        ("AccessDenied", "denied"),
        ("Client.UnauthorizedOperation", "denied"),
        ("AccessDeniedException", "denied"),
        ("Client.InvalidParameterValue", "failed"),
        ("NoSuchBucket", "failed"),
        ("Client.DryRunOperation", "failed"),
    ],
)
def test_what_was_not_allowed_is_apart_from_what_failed(code: str, status: str) -> None:
    event = record(
        session("AWSReservedSSO_Operators_0a1b2c3d4e5f6071", "m.ito"), "aws-cli/2.17.0", errorCode=code
    )
    (line,) = listing([event], Known(events=(event,))).lines
    assert (line.status, line.code, line.fields) == (status, code, ())


def retention(id: str, minute: int, days: int | None) -> ChangeEvent:
    name = "PutRetentionPolicy" if days is not None else "DeleteRetentionPolicy"
    request: Json = {"logGroupName": "/app/orders"} | ({"retentionInDays": days} if days is not None else {})
    return record(
        session("AWSReservedSSO_Operators_0a1b2c3d4e5f6071", "m.ito"),
        "aws-cli/2.17.0",
        eventID=id,
        eventSource="logs.amazonaws.com",
        eventName=name,
        eventTime=f"2026-03-13T12:{minute:02}:00Z",
        requestParameters=request,
    )


def test_what_put_it_back_is_named() -> None:
    events = (retention("before", 1, 30), retention("cut", 10, 1), retention("back", 20, 30))
    lines = {line.events[0]: line for line in listing(events, Known(events=events)).lines}
    assert lines["cut"].status == "undone"
    assert lines["cut"].later is not None
    assert lines["cut"].later.id == "back"


def test_what_came_over_it_is_named() -> None:
    events = (retention("before", 1, 30), retention("cut", 10, 1), retention("third", 20, 7))
    lines = {line.events[0]: line for line in listing(events, Known(events=events)).lines}
    assert lines["cut"].status == "changed again"
    assert lines["cut"].later is not None
    assert lines["cut"].later.id == "third"
    assert lines["third"].later is None
