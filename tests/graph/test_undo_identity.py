"""A plan rests on events of the very same thing only: by whole names, and by what one of the requests leaves out."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from graph.undoing.identity import may_agree, may_be_same_name, same_name, same_subject
from graph.undoing.known import Known
from graph.undoing.restore import restoration
from tools.models import Actor, ChangeEvent, Json

NOW = datetime(2026, 3, 13, 18, tzinfo=UTC)
ACCOUNT = "111122223333"


def event(
    minute: int, source: str, operation: str, request: Json, response: Json | None = None
) -> ChangeEvent:
    return ChangeEvent(
        id=f"e{minute:03d}", time=NOW + timedelta(minutes=minute), source=f"{source}.amazonaws.com",
        action=operation, operation=operation, region="eu-west-1", account=ACCOUNT,
        actor=Actor(name="ann", kind="iam_user", how="cli"), request=request, response=response or {},
    )  # fmt: skip


@pytest.mark.parametrize(
    ("long", "short"),
    [
        (f"arn:aws:dynamodb:eu-west-1:{ACCOUNT}:table/parcels", "parcels"),
        (f"arn:aws:lambda:eu-west-1:{ACCOUNT}:function:writer", "writer"),
        (f"arn:aws:logs:eu-west-1:{ACCOUNT}:log-group:/aws/lambda/api:*", "/aws/lambda/api"),
        (f"arn:aws:ssm:eu-west-1:{ACCOUNT}:parameter/prod/db/host", "/prod/db/host"),
        (f"arn:aws:ecr:eu-west-1:{ACCOUNT}:repository/team-a/api", "team-a/api"),
        (f"arn:aws:secretsmanager:eu-west-1:{ACCOUNT}:secret:prod/db-AbCdEf", "prod/db"),
        (f"arn:aws:ecs:eu-west-1:{ACCOUNT}:service/prod/api", "api"),
        (f"arn:aws:sns:eu-west-1:{ACCOUNT}:alerts", "alerts"),
        ("arn:aws:s3:::bucket-a", "bucket-a"),
        (f"https://sqs.eu-west-1.amazonaws.com/{ACCOUNT}/jobs", "jobs"),
    ],
)
def test_an_arn_and_the_whole_name_are_one(long: str, short: str) -> None:
    assert same_name(long, short)
    assert same_name(short, long)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("/aws/lambda/api", "/aws/codebuild/api"),
        ("team-a/api", "team-b/api"),
        ("api", "team-a/api"),
        ("arn:aws:iam::aws:policy/ReadOnlyAccess", f"arn:aws:iam::{ACCOUNT}:policy/team/ReadOnlyAccess"),
        (f"arn:aws:ecr:eu-west-1:{ACCOUNT}:repository/team-a/api", "team-b/api"),
        (f"arn:aws:ecr:eu-west-1:{ACCOUNT}:repository/team-a/api", "api"),
        (f"arn:aws:dynamodb:eu-west-1:{ACCOUNT}:table/parcels/stream/2026", "2026"),
        (f"arn:aws:lambda:eu-west-1:{ACCOUNT}:function:writer:live", "live"),
        (f"arn:aws:logs:eu-west-1:{ACCOUNT}:log-group:/aws/lambda/api:*", "api"),
    ],
)
def test_the_same_last_word_is_no_proof(one: str, other: str) -> None:
    assert not same_name(one, other)
    assert not same_name(other, one)


def test_a_name_at_the_end_of_an_arn_may_be_the_same() -> None:
    assert may_be_same_name(f"arn:aws:iam::{ACCOUNT}:role/team/reader", "reader")
    assert may_be_same_name("Orders", "orders")
    assert not may_be_same_name("dev/orders", "prod/orders")


@pytest.mark.parametrize(
    ("source", "first", "second", "is_same"),
    [
        ("lambda", ("UpdateFunctionUrlConfig", {"functionName": "f", "qualifier": "dev"}),
         ("UpdateFunctionUrlConfig", {"functionName": "f"}), False),
        ("lambda", ("AddPermission", {"functionName": "f", "statementId": "s", "qualifier": "live"}),
         ("RemovePermission", {"functionName": "f", "statementId": "s"}), False),
        ("lambda", ("AddPermission", {"functionName": "f", "statementId": "s", "principal": "sns.amazonaws.com"}),
         ("RemovePermission", {"functionName": "f", "statementId": "s"}), True),
        ("ecs", ("UpdateService", {"service": "api", "cluster": "prod"}),
         ("UpdateService", {"service": "api"}), False),
        ("ecs", ("UpdateService", {"service": "api", "cluster": "default"}),
         ("UpdateService", {"service": "api"}), True),
        ("events", ("PutRule", {"name": "r", "eventBusName": "orders"}), ("DisableRule", {"name": "r"}), False),
        ("lambda", ("UpdateFunctionConfiguration", {"functionName": "f", "role": "arn:aws:iam::111122223333:role/a"}),
         ("UpdateFunctionConfiguration", {"functionName": "f"}), True),
        ("glue", ("UpdateTable", {"databaseName": "d", "catalogId": "444455556666"}),
         ("UpdateTable", {"databaseName": "d"}), False),
        ("glue", ("UpdateTable", {"databaseName": "d", "catalogId": ACCOUNT}),
         ("UpdateTable", {"databaseName": "d"}), True),
    ],
)  # fmt: skip
def test_what_one_request_leaves_out_counts_too(
    source: str, first: tuple[str, Json], second: tuple[str, Json], is_same: bool
) -> None:
    one, other = event(0, source, *first), event(1, source, *second)
    assert same_subject(one, other) is same_subject(other, one) is is_same
    known = Known(events=(one, other))
    assert (one in known.same(other)) is (other in known.same(one)) is is_same


def test_things_that_differ_in_what_tells_them_apart_cannot_be_one() -> None:
    one = event(0, "ecr", "PutImageTagMutability", {"repositoryName": "team-a/api"})
    other = event(1, "ecr", "PutImageTagMutability", {"repositoryName": "team-b/api"})
    assert not may_agree(one, other)
    small = event(0, "rds", "ModifyDBInstance", {"dBInstanceIdentifier": "d", "dBParameterGroupName": "a"})
    large = event(1, "rds", "ModifyDBInstance", {"dBInstanceIdentifier": "d", "dBParameterGroupName": "b"})
    assert may_agree(small, large)


@pytest.mark.parametrize(
    ("source", "operation", "first", "second"),
    [
        ("logs", "PutRetentionPolicy", {"logGroupName": "/aws/codebuild/api", "retentionInDays": 7},
         {"logGroupName": "/aws/lambda/api", "retentionInDays": 1}),
        ("ssm", "PutParameter", {"name": "/dev/db/host", "value": "a", "type": "String", "overwrite": True},
         {"name": "/prod/db/host", "value": "b", "type": "String", "overwrite": True}),
        ("ecr", "PutImageTagMutability", {"repositoryName": "team-a/api", "imageTagMutability": "MUTABLE"},
         {"repositoryName": "team-b/api", "imageTagMutability": "IMMUTABLE"}),
        ("lambda", "UpdateFunctionUrlConfig", {"functionName": "f", "qualifier": "dev", "authType": "NONE"},
         {"functionName": "f", "authType": "AWS_IAM"}),
    ],
)  # fmt: skip
def test_what_another_thing_was_given_is_not_put_back(
    source: str, operation: str, first: Json, second: Json
) -> None:
    one, other = event(0, source, operation, first), event(1, source, operation, second)
    made = restoration(other, Known(events=(one, other)))
    assert made.outcome == "partial"
    assert not made.calls
    assert made.unknown


def test_a_policy_of_the_same_last_name_that_was_detached_does_not_undo() -> None:
    own = f"arn:aws:iam::{ACCOUNT}:policy/team/ReadOnlyAccess"
    aws = "arn:aws:iam::aws:policy/ReadOnlyAccess"
    attached = event(0, "iam", "AttachRolePolicy", {"roleName": "r", "policyArn": aws})
    detached = event(1, "iam", "DetachRolePolicy", {"roleName": "r", "policyArn": own})
    made = restoration(attached, Known(events=(attached, detached)))
    assert made.outcome == "partial"
    (call,) = made.calls
    assert call.parameters == {"RoleName": "r", "PolicyArn": aws}


def crawler(minute: int, name: str, prefix: str) -> ChangeEvent:
    return event(minute, "glue", "UpdateCrawler", {"name": name, "tablePrefix": prefix})


def test_what_may_be_the_same_thing_leaves_a_doubt() -> None:
    first, last = crawler(0, "orders", "a_"), crawler(2, "orders", "b_")
    assert restoration(last, Known(events=(first, last))).outcome == "exact"
    for minute in (1, 3):
        perhaps = crawler(minute, "Orders", "c_")
        made = restoration(last, Known(events=(first, last, perhaps)))
        assert made.outcome == "partial"
        (named,) = made.unknown
        assert "UpdateCrawler" in named
        other = crawler(minute, "parcels", "c_")
        assert restoration(last, Known(events=(first, last, other))).outcome == "exact"


def test_what_was_given_before_the_thing_was_made_anew_is_not_what_it_was() -> None:
    first, last = crawler(0, "orders", "a_"), crawler(3, "orders", "b_")
    gone = event(1, "glue", "DeleteCrawler", {"name": "orders"})
    anew = event(2, "glue", "CreateCrawler", {"name": "orders", "role": "r", "targets": {}})
    made = restoration(last, Known(events=(first, gone, anew, last)))
    assert (made.outcome, made.calls) == ("partial", ())
    (field,) = made.fields
    assert not field.before_known


def test_two_things_made_in_the_same_place_are_two() -> None:
    def route_table(minute: int, own: str) -> ChangeEvent:
        sent = {"vpcId": "vpc-1", "tagSpecificationSet": {"items": [{"tags": [{"value": own}]}]}}
        return event(minute, "ec2", "CreateRouteTable", sent, {"routeTable": {"routeTableId": own}})

    first, second = route_table(0, "rtb-0a1"), route_table(1, "rtb-0b2")
    assert not same_subject(first, second)
    assert not may_agree(first, second)
    made = restoration(first, Known(events=(first, second)))
    assert made.outcome == "exact"
    assert [call.parameters for call in made.calls] == [{"RouteTableId": "rtb-0a1"}]


def test_a_service_file_takes_nothing_from_another_thing_either() -> None:
    def granted(function: str, **place: str) -> ChangeEvent:
        sent = {
            "functionName": function, "statementId": "api", "action": "lambda:InvokeFunction",
            "principal": "apigateway.amazonaws.com", **place,
        }  # fmt: skip
        return event(0, "lambda", "AddPermission", sent)

    removed = event(1, "lambda", "RemovePermission", {"functionName": "writer", "statementId": "api"})
    own = restoration(removed, Known(events=(granted("writer"), removed)))
    assert own.outcome == "exact"
    assert [call.parameters["FunctionName"] for call in own.calls] == ["writer"]
    for other in (granted("reader"), granted("writer", qualifier="live")):
        made = restoration(removed, Known(events=(other, removed)))
        assert made.outcome != "exact"
        assert made.calls == ()


def test_a_value_that_an_operation_must_be_given_does_not_set_it_apart() -> None:
    def version(minute: int, name: str) -> ChangeEvent:
        sent = {"policyArn": f"arn:aws:iam::{ACCOUNT}:policy/p", "versionId": name}
        return event(minute, "iam", "SetDefaultPolicyVersion", sent)

    first, second = version(0, "v1"), version(1, "v2")
    made = restoration(second, Known(events=(first, second)))
    assert [call.parameters["VersionId"] for call in made.calls] == ["v1"]
