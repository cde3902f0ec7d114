"""CloudTrail records of an invented account's changes, as many as wanted. Deterministic by seed."""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from tools.models import Json

_ACCOUNT, _REGION = "111122223333", "eu-west-1"
_END = datetime(2026, 3, 13, 18, tzinfo=UTC)
_CHANGES_PER_RESOURCE = 40
_TEAMS = ("orders", "invoices", "parcels", "stock", "prices", "audit")


def records(count: int, seed: int = 1) -> Iterator[Json]:
    """`count` records over two weeks, oldest first; the account's resources grow with them, as in a larger company."""
    luck = random.Random(seed)
    resources = max(10, count // _CHANGES_PER_RESOURCE)
    step = timedelta(days=14) / count
    for number in range(count):
        name = f"{luck.choice(('prod', 'dev', 'test'))}-{_TEAMS[number % len(_TEAMS)]}-{luck.randrange(resources)}"
        source, operation, request = luck.choices(_kinds(name, luck), (8, 6, 6, 5, 5, 5, 4, 4, 3, 3, 2))[0]
        person = luck.random() < 0.15
        record: Json = {
            "eventVersion": "1.09",
            "eventID": f"{number:08x}-0000-4000-8000-{luck.randrange(16**12):012x}",
            "eventTime": (_END - step * (count - number)).strftime("%Y-%m-%dT%H:%M:%SZ"),
            "eventSource": f"{source}.amazonaws.com",
            "eventName": operation,
            "awsRegion": _REGION,
            "recipientAccountId": _ACCOUNT,
            "eventType": "AwsApiCall",
            "readOnly": False,
            "sourceIPAddress": "203.0.113.7",
            "userAgent": "Mozilla/5.0" if person else "Boto3/1.34.0",
            "userIdentity": _who("ann" if person else "deployer", person),
            "requestParameters": request,
            "responseElements": None,
        }
        if luck.random() < 0.03:
            record |= {"errorCode": "AccessDenied", "errorMessage": "not authorized"}
        yield record


def _who(name: str, person: bool) -> Json:
    role = "Developer" if person else "Deployment"
    arn = f"arn:aws:sts::{_ACCOUNT}:assumed-role/{role}/{name}"
    issuer = {"type": "Role", "arn": f"arn:aws:iam::{_ACCOUNT}:role/{role}", "userName": role}
    return {
        "type": "AssumedRole",
        "arn": arn,
        "accountId": _ACCOUNT,
        "sessionContext": {"sessionIssuer": issuer},
    }


def _kinds(name: str, luck: random.Random) -> tuple[tuple[str, str, Json], ...]:
    size = 2 ** luck.randrange(4, 11)
    port = {"ipProtocol": "tcp", "fromPort": 443, "toPort": 443}
    rules = {"items": [port | {"ipRanges": {"items": [{"cidrIp": f"203.0.113.{size % 256}/32"}]}}]}
    group = {"groupId": f"sg-{name.encode().hex()[-17:]}", "ipPermissions": rules}
    policy = '{"Version":"2012-10-17","Statement":[]}'
    units = {"readCapacityUnits": size, "writeCapacityUnits": size}
    return (
        ("lambda", "UpdateFunctionConfiguration20150331v2", {"functionName": name, "memorySize": 128 + size}),
        ("lambda", "PutFunctionConcurrency20171031", {"functionName": name, "reservedConcurrentExecutions": size}),
        ("dynamodb", "UpdateTable", {"tableName": name, "provisionedThroughput": units}),
        ("ecs", "UpdateService", {"cluster": "main", "service": name, "desiredCount": size}),
        ("sqs", "SetQueueAttributes", {"queueUrl": f"https://sqs.{_REGION}.amazonaws.com/{_ACCOUNT}/{name}",
                                       "attributes": {"VisibilityTimeout": str(size)}}),
        ("ssm", "PutParameter", {"name": f"/{name}/limit", "type": "String", "overwrite": True}),
        ("ec2", "AuthorizeSecurityGroupIngress", group),
        ("ec2", "RevokeSecurityGroupIngress", group),
        ("iam", "PutRolePolicy", {"roleName": name, "policyName": "own", "policyDocument": policy}),
        ("s3", "PutBucketPolicy", {"bucketName": name, "bucketPolicy": {"Version": "2012-10-17", "Statement": []}}),
        ("ecr", "PutImage", {"repositoryName": name, "imageTag": str(size)}),
    )  # fmt: skip
