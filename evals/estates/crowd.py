"""A large account whose answers are made beforehand: for how a whole reading grows, not for what is right.

Functions, tables, queues, roles, alarms, log groups and mappings in systems of 25, four relations to a resource. Every
answer is ready when it is asked for, so that what is measured is the reading alone.
"""

from __future__ import annotations

import json
import random
import threading
from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Any

from evals.world import wire
from tools.evidence import canonical
from tools.models import Json
from tools.transport import WireAnswer, WireRequest

ACCOUNT, REGION = "111122223333", "eu-west-1"
_START = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
_SYSTEM = 25
_SHARES = (
    # how many of a system's 25, kind
    (8, "function"),
    (4, "table"),
    (4, "queue"),
    (3, "role"),
    (3, "alarm"),
    (3, "group"),
)
_ABSENT = {
    ("lambda", "GetPolicy"): "ResourceNotFoundException",
    ("lambda", "GetFunctionEventInvokeConfig"): "ResourceNotFoundException",
}


def _arn(service: str, rest: str) -> str:
    return f"arn:aws:{service}:{REGION}:{ACCOUNT}:{rest}"


class CrowdTransport:
    """Answers reads of one made account of about `size` resources. `asked` counts requests by operation."""

    virtual = True
    region = REGION
    begun = _START

    def __init__(self, size: int, seed: int = 1) -> None:
        self.asked: Counter[str] = Counter()
        self._answers: dict[tuple[str, str, str], bytes] = {}
        self._empty: dict[tuple[str, str], WireAnswer] = {}
        self._lock = threading.Lock()
        self._draw = random.Random(seed)
        self._names: dict[str, list[str]] = {
            kind: [
                f"{_word(system)}-{kind}-{number}"
                for system in range(size // _SYSTEM)
                for number in range(many)
            ]
            for many, kind in _SHARES
        }
        self._make()

    def start(self) -> datetime | None:
        return _START

    def close(self) -> None:
        pass

    def send(self, request: WireRequest) -> WireAnswer:
        service, operation = request.service, request.operation
        asked = {key: value for key, value in request.parameters.items() if key not in _SIZES}
        body = self._answers.get((service, operation, canonical(asked)))
        with self._lock:
            self.asked[f"{service}:{operation}"] += 1
            if body is not None:
                return _answer(request.protocol, body)
            if code := _ABSENT.get((service, operation)):
                return wire.error(request.protocol, code, "There is none.", 404, "crowd")
            held = self._empty.get((service, operation))
            if held is None:
                held = self._empty[service, operation] = _nothing(service, operation, request.protocol)
            return held

    # -- what there is ------------------------------------------------------------------------------------

    def _make(self) -> None:
        self._say("sts", "GetCallerIdentity", {}, {
            "Account": ACCOUNT, "UserId": "A:r", "Arn": f"arn:aws:sts::{ACCOUNT}:assumed-role/reader/r",
        })  # fmt: skip
        self._functions()
        self._stores()
        self._roles()
        self._watchers()

    def _near(self, kind: str, place: int, many: int, least: int = 1) -> list[str]:
        """Names of a kind in the system of the `place`-th of `many` in each system, now and then elsewhere."""
        names = self._names[kind]
        each = next(share for share, one in _SHARES if one == kind)
        own = place // many * each
        return [
            self._draw.choice(names)
            if self._draw.random() < 0.05
            else names[own + self._draw.randrange(each)]
            for _ in range(least)
        ]

    def _functions(self) -> None:
        shown: list[Json] = []
        for place, name in enumerate(self._names["function"]):
            tables, queues = self._near("table", place, 8, 3), self._near("queue", place, 8, 2)
            variables = {f"TABLE_{number}": one for number, one in enumerate(tables)}
            variables |= {
                f"QUEUE_URL_{number}": f"https://sqs.{REGION}.amazonaws.com/{ACCOUNT}/{one}"
                for number, one in enumerate(queues)
            }
            variables["PEER"] = _arn("lambda", f"function:{self._near('function', place, 8)[0]}")
            one = {
                "FunctionName": name, "FunctionArn": _arn("lambda", f"function:{name}"), "Runtime": "python3.12",
                "Role": f"arn:aws:iam::{ACCOUNT}:role/{self._near('role', place, 8)[0]}", "Timeout": 30,
                "MemorySize": 256, "Environment": {"Variables": variables}, "State": "Active",
                "LastModified": "2026-01-01T00:00:00.000+0000", "Version": "$LATEST",
            }  # fmt: skip
            shown.append(one)
            self._say("lambda", "GetFunctionConfiguration", {"FunctionName": name}, one)
        self._pages("lambda", "ListFunctions", {}, "Functions", shown, 50, "Marker", "NextMarker")
        fed = [
            {
                "UUID": f"{place:08x}-0000-0000-0000-000000000000", "BatchSize": 10, "State": "Enabled",
                "EventSourceArn": _arn("sqs", self._near("queue", place * 5, 8)[0]), "FunctionArn": one["FunctionArn"],
            }
            for place, one in enumerate(shown[::5])
        ]  # fmt: skip
        self._pages(
            "lambda", "ListEventSourceMappings", {}, "EventSourceMappings", fed, 100, "Marker", "NextMarker"
        )

    def _stores(self) -> None:
        tables, queues = self._names["table"], self._names["queue"]
        for start in range(0, len(tables), 100):
            asked: Json = {"ExclusiveStartTableName": tables[start - 1]} if start else {}
            more = {"LastEvaluatedTableName": tables[start + 99]} if start + 100 < len(tables) else {}
            self._say("dynamodb", "ListTables", asked, {"TableNames": tables[start : start + 100], **more})
        for name in tables:
            arn = _arn("dynamodb", f"table/{name}")
            shown = {
                "TableName": name, "TableArn": arn, "TableStatus": "ACTIVE", "CreationDateTime": 1.7e9,
                "KeySchema": [{"AttributeName": "pk", "KeyType": "HASH"}],
                "BillingModeSummary": {"BillingMode": "PAY_PER_REQUEST"},
            }  # fmt: skip
            self._say("dynamodb", "DescribeTable", {"TableName": name}, {"Table": shown})
        urls = [f"https://sqs.{REGION}.amazonaws.com/{ACCOUNT}/{name}" for name in queues]
        self._pages("sqs", "ListQueues", {}, "QueueUrls", urls, 1000, "NextToken", "NextToken")
        for place, (name, url) in enumerate(zip(queues, urls, strict=True)):
            attributes: Json = {"QueueArn": _arn("sqs", name), "VisibilityTimeout": "30"}
            if place % 4 == 0:
                dead = {"deadLetterTargetArn": _arn("sqs", queues[place + 1]), "maxReceiveCount": 5}
                attributes["RedrivePolicy"] = json.dumps(dead)
            asked = {"QueueUrl": url, "AttributeNames": ["All"]}
            self._say("sqs", "GetQueueAttributes", asked, {"Attributes": attributes})

    def _roles(self) -> None:
        shown, whole = [], []
        trust = '{"Version":"2012-10-17","Statement":[]}'
        for place, name in enumerate(self._names["role"]):
            role = {
                "Path": "/", "RoleName": name, "RoleId": f"AROA{place:012}", "CreateDate": _START,
                "Arn": f"arn:aws:iam::{ACCOUNT}:role/{name}", "AssumeRolePolicyDocument": trust,
            }  # fmt: skip
            shown.append(role)
            named = [_arn("dynamodb", f"table/{one}") for one in self._near("table", place, 3, 3)]
            named += [_arn("sqs", one) for one in self._near("queue", place, 3, 2)]
            document = {
                "Statement": [{"Effect": "Allow", "Action": ["dynamodb:*", "sqs:*"], "Resource": named}]
            }
            self._wire("iam", "GetRole", {"RoleName": name}, {"Role": role})
            self._wire(
                "iam", "ListRolePolicies", {"RoleName": name}, {"PolicyNames": ["own"], "IsTruncated": False}
            )
            own, own_document = {"RoleName": name, "PolicyName": "own"}, json.dumps(document)
            self._wire("iam", "GetRolePolicy", own, {**own, "PolicyDocument": own_document})
            inline = [{"PolicyName": "own", "PolicyDocument": own_document}]
            whole.append({**role, "RolePolicyList": inline, "AttachedManagedPolicies": []})
            none: Json = {"AttachedPolicies": [], "IsTruncated": False}
            self._wire("iam", "ListAttachedRolePolicies", {"RoleName": name}, none)
        self._marked("ListRoles", {}, "Roles", shown)
        self._marked("GetAccountAuthorizationDetails", {"Filter": ["Role"]}, "RoleDetailList", whole)

    def _marked(self, operation: str, asked: Json, member: str, items: Sequence[Json]) -> None:
        """A listing of IAM, a hundred to an answer."""
        for start, page in _paged(items, 100):
            last = start + 100 >= len(items)
            marker: Json = {"Marker": str(start)} if start else {}
            told = {member: page, "IsTruncated": not last, **({} if last else {"Marker": str(start + 100)})}
            self._wire("iam", operation, {**asked, **marker}, told)

    def _watchers(self) -> None:
        shown = [
            {
                "AlarmName": name, "AlarmArn": _arn("cloudwatch", f"alarm:{name}"), "Namespace": "AWS/Lambda",
                "MetricName": "Errors", "StateValue": "OK", "ComparisonOperator": "GreaterThanThreshold",
                "Dimensions": [{"Name": "FunctionName", "Value": self._near("function", place, 3)[0]}],
                "EvaluationPeriods": 1, "Period": 60, "Threshold": 1.0, "Statistic": "Sum",
            }
            for place, name in enumerate(self._names["alarm"])
        ]  # fmt: skip
        kinds = {"AlarmTypes": ["MetricAlarm"]}
        self._pages(
            "cloudwatch", "DescribeAlarms", kinds, "MetricAlarms", shown, 100, "NextToken", "NextToken"
        )
        groups = [
            {
                "logGroupName": f"/aws/lambda/{name}", "arn": _arn("logs", f"log-group:/aws/lambda/{name}:*"),
                "creationTime": 1700000000000, "storedBytes": 1,
            }
            for place in range(len(self._names["group"]))
            for name in [self._names["function"][place * 8 // 3]]
        ]  # fmt: skip
        self._pages("logs", "DescribeLogGroups", {}, "logGroups", groups, 50, "nextToken", "nextToken")

    # -- saying it ------------------------------------------------------------------------------------------

    def _pages(
        self,
        service: str,
        operation: str,
        asked: Json,
        member: str,
        items: Sequence[Any],
        most: int,
        sent: str,
        told: str,
    ) -> None:
        for start, page in _paged(items, most):
            token = {sent: str(start)} if start else {}
            more = {told: str(start + most)} if start + most < len(items) else {}
            self._say(service, operation, {**asked, **token}, {member: page, **more})

    def _say(self, service: str, operation: str, asked: Json, told: Json) -> None:
        """An answer of a service that speaks JSON."""
        if service == "sts":
            self._wire(service, operation, asked, told)
            return
        self._answers[service, operation, canonical(asked)] = json.dumps(told).encode()

    def _wire(self, service: str, operation: str, asked: Json, told: Json) -> None:
        """An answer of a service that speaks XML."""
        made = wire.answer(service, operation, "query", told, "crowd")
        self._answers[service, operation, canonical(asked)] = made.body


_SIZES = frozenset({"MaxItems", "MaxResults", "MaxRecords", "Limit", "limit", "FunctionVersion"})


def _paged(items: Sequence[Any], most: int) -> Iterator[tuple[int, list[Any]]]:
    for start in range(0, max(1, len(items)), most):
        yield start, list(items[start : start + most])


def _answer(protocol: str, body: bytes) -> WireAnswer:
    kind = "application/json" if "json" in protocol else "text/xml"
    return WireAnswer(status=200, headers={"Content-Type": kind}, body=body, protocol=protocol)


def _nothing(service: str, operation: str, protocol: str) -> WireAnswer:
    """The answer where there is none of it: its lists, and those one level below, are empty."""
    shape: Any = wire.operation_model(service, operation).output_shape
    return wire.answer(service, operation, protocol, _hollow(shape) if shape is not None else {}, "crowd")


def _hollow(shape: Any, depth: int = 0) -> Json:
    found: Json = {}
    for name, member in shape.members.items():
        if member.type_name == "list":
            found[name] = []
        elif member.type_name == "structure" and depth == 0 and "Items" in member.members:
            found[name] = {
                **_hollow(member, 1),
                "Quantity": 0,
                "IsTruncated": False,
                "MaxItems": 100,
                "Marker": "",
            }
        elif name == "IsTruncated":
            found[name] = False
    return found


def _word(system: int) -> str:
    return "".join(chr(97 + system // 26**power % 26) for power in range(3)) + "q"
