"""The five outcomes of an undo, by hand-made events on services with and without a service file."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from graph.undoing.known import Known
from graph.undoing.restore import OUTCOMES, Restoration, restoration
from tools.cloudtrail_events import parse
from tools.models import Call, ChangeEvent, Json, Metric, MetricStep, Resource

AT = datetime(2026, 3, 13, 17, 0, tzinfo=UTC)
TABLE = "arn:aws:dynamodb:eu-west-1:111122223333:table/orders"


def event(
    source: str, operation: str, hours: float, sent: Json, answer: Json | None = None, **more: Any
) -> ChangeEvent:
    """An event `hours` before AT."""
    moment = AT - timedelta(hours=hours)
    return parse(
        {
            "eventID": f"{operation}-{hours}",
            "eventTime": moment.strftime("%Y-%m-%dT%H:%M:%SZ"),
            "eventSource": f"{source}.amazonaws.com",
            "eventName": operation,
            "awsRegion": "eu-west-1",
            "recipientAccountId": "111122223333",
            "readOnly": False,
            "userIdentity": {"type": "IAMUser", "userName": "dana", "accountId": "111122223333"},
            "userAgent": "aws-cli/2.17.0",
            "requestParameters": sent,
            "responseElements": answer or {},
            **more,
        },
        ("F1",),
    )


def judged(one: ChangeEvent, *others: ChangeEvent, **known: Any) -> Restoration:
    return restoration(one, Known(events=(one, *others), **known))


def limit(hours: float, units: int, **more: Any) -> ChangeEvent:
    sent = {"tableName": "orders", "onDemandThroughput": {"maxWriteRequestUnits": units}}
    return event("dynamodb", "UpdateTable", hours, sent, **more)


def table(units: int) -> dict[str, Resource]:
    config = {
        "TableName": "orders",
        "TableStatus": "ACTIVE",
        "BillingModeSummary": {"BillingMode": "PAY_PER_REQUEST"},
        "OnDemandThroughput": {"MaxReadRequestUnits": 500, "MaxWriteRequestUnits": units},
    }
    found = Resource(
        arn=TABLE,
        service="dynamodb",
        type="table",
        name="orders",
        account="111122223333",
        region="eu-west-1",
        config=config,
    )
    return {TABLE: found}


def both(read: int, write: int) -> Json:
    throughput = {"MaxReadRequestUnits": read, "MaxWriteRequestUnits": write}
    return {"TableName": "orders", "OnDemandThroughput": throughput}


def test_a_limit_goes_back_to_what_the_earlier_event_set_with_all_else_as_it_is() -> None:
    made = judged(limit(1, 2), limit(900, 250), resources=table(2))
    assert made.outcome == "exact"
    assert [call.parameters for call in made.calls] == [both(500, 250)]
    assert [call.parameters for call in made.back] == [both(500, 2)]
    assert [query for _, query in made.checks] == ["Table.OnDemandThroughput.MaxWriteRequestUnits"]
    assert [source.said_by for source in made.sources] == ["UpdateTable by dana, 2026-02-04T05:00:00Z"]


def test_the_settings_own_metric_tells_what_no_event_does() -> None:
    metric = Metric(
        namespace="AWS/DynamoDB", name="OnDemandMaxWriteRequestUnits", dimensions=(), stat="Maximum"
    )
    at = limit(1, 2).time
    step = MetricStep(metric=metric, before=250.0, after=2.0, earliest=at - timedelta(minutes=3), latest=at)
    far = replace(step, before=9.0, earliest=at - timedelta(hours=2), latest=at - timedelta(hours=1))
    steps = {(TABLE, "OnDemandThroughput.MaxWriteRequestUnits"): (far, step)}
    made = judged(limit(1, 2), resources=table(2), steps=steps)
    assert (made.outcome, [call.parameters for call in made.calls]) == ("exact", [both(500, 250)])
    assert [source.kind for source in made.sources] == ["metric"]
    alone = {(TABLE, "OnDemandThroughput.MaxWriteRequestUnits"): (far,)}
    assert judged(limit(1, 2), resources=table(2), steps=alone).outcome == "partial"


def test_a_value_that_no_source_tells_is_named() -> None:
    made = judged(limit(1, 2), resources=table(2))
    assert (made.outcome, made.unknown, made.calls) == ("partial", ("maximum write throughput",), ())
    assert "maximum write throughput" in made.nearest


@pytest.mark.parametrize(
    ("now", "others", "outcome", "later"),
    [
        (250, (), "nothing to undo", None),  # put back by somebody whom no event shows
        (250, (0.5,), "nothing to undo", "UpdateTable-0.5"),
        (300, (), "superseded", None),
        (900, (0.5,), "superseded", "UpdateTable-0.5"),
        (2, (), "exact", None),
    ],
)
def test_what_it_is_now_decides(now: int, others: tuple[float, ...], outcome: str, later: str | None) -> None:
    made = judged(
        limit(1, 2), limit(900, 250), *(limit(hours, now) for hours in others), resources=table(now)
    )
    assert made.outcome == outcome
    assert (made.later.id if made.later else None) == later
    assert bool(made.calls) == (outcome == "exact")


def test_setting_what_was_there_already_is_nothing() -> None:
    made = judged(limit(1, 250), limit(900, 250), resources=table(250))
    assert (made.outcome, made.why) == ("nothing to undo", "it set what was there already")


def test_a_refused_attempt_and_a_read_are_nothing() -> None:
    refused = limit(1, 2, errorCode="AccessDeniedException")
    assert judged(refused, limit(900, 250)).outcome == "nothing to undo"
    assert judged(replace(limit(1, 2), read_only=True)).outcome == "nothing to undo"


def test_a_resource_that_is_gone_has_no_settings_to_put_back() -> None:
    removal = event("dynamodb", "DeleteTable", 0.5, {"tableName": "orders"})
    made = judged(limit(1, 2), limit(900, 250), removal, gone=frozenset({TABLE}))
    assert (made.outcome, made.later) == ("superseded", removal)


def test_a_field_beside_the_settings_is_not_forgotten() -> None:
    one = event(
        "dynamodb",
        "UpdateTable",
        1,
        {
            "tableName": "orders",
            "onDemandThroughput": {"maxWriteRequestUnits": 2},
            "sSESpecification": {"enabled": False},
        },
    )
    made = judged(one, limit(900, 250), resources=table(2))
    assert made.outcome == "partial"
    assert any("sSESpecification" in name for name in made.unknown)


# -- services without a file -------------------------------------------------------------------------

PIPE = {"pipelineName": "release", "stageName": "Deploy", "transitionType": "Inbound"}


def file_system(hours: float, mode: str) -> ChangeEvent:
    return event(
        "elasticfilesystem",
        "UpdateFileSystem",
        hours,
        {"fileSystemId": "fs-0a1b2c3d", "throughputMode": mode},
    )


def test_an_update_without_a_service_file_takes_the_field_from_the_earlier_request() -> None:
    made = judged(file_system(1, "bursting"), file_system(50, "elastic"), file_system(90, "provisioned"))
    assert made.outcome == "exact"
    (call,) = made.calls
    assert (call.service, call.operation) == ("efs", "UpdateFileSystem")
    assert call.parameters == {"FileSystemId": "fs-0a1b2c3d", "ThroughputMode": "elastic"}


def test_a_later_update_without_a_service_file_is_not_lost() -> None:
    overtaken = judged(
        file_system(1, "bursting"), file_system(50, "elastic"), file_system(0.5, "provisioned")
    )
    assert (overtaken.outcome, overtaken.calls) == ("superseded", ())
    back = judged(file_system(1, "bursting"), file_system(50, "elastic"), file_system(0.5, "elastic"))
    assert back.outcome == "nothing to undo"
    assert back.later is not None


def test_another_file_systems_request_tells_nothing() -> None:
    stranger = replace(
        file_system(50, "elastic"), request={"fileSystemId": "fs-0f0f0f0f", "throughputMode": "elastic"}
    )
    assert judged(file_system(1, "bursting"), stranger).outcome == "partial"


def test_a_hidden_value_is_never_sent() -> None:
    hidden = "HIDDEN_DUE_TO_SECURITY_REASONS"
    one = event("redshift", "ModifyCluster", 1, {"clusterIdentifier": "dw", "masterUserPassword": "****"})
    before = event("redshift", "ModifyCluster", 90, {"clusterIdentifier": "dw", "masterUserPassword": hidden})
    made = judged(one, before)
    assert (made.outcome, made.calls) == ("partial", ())
    assert made.unknown == ("masterUserPassword",)


def bucket_policy(hours: float, effect: str) -> ChangeEvent:
    policy = {
        "Version": "2012-10-17",
        "Statement": [{"Effect": effect, "Action": "s3:GetObject", "Resource": "*"}],
    }
    return event(
        "s3", "PutBucketPolicy", hours, {"bucketName": "media", "bucketPolicy": policy, "Host": "media.s3"}
    )


def test_a_put_goes_back_to_the_whole_that_was_put_before() -> None:
    made = judged(bucket_policy(1, "Deny"), bucket_policy(90, "Allow"))
    assert made.outcome == "exact"
    (call,) = made.calls
    assert call.operation == "PutBucketPolicy"
    assert '"Effect": "Allow"' in call.parameters["Policy"]


def test_a_put_after_a_removal_goes_back_to_none() -> None:
    removed = event("s3", "DeleteBucketPolicy", 50, {"bucketName": "media", "Host": "media.s3"})
    made = judged(bucket_policy(1, "Deny"), removed, bucket_policy(90, "Allow"))
    assert (made.outcome, [call.operation for call in made.calls]) == ("exact", ["DeleteBucketPolicy"])


def test_what_a_removal_took_is_put_again() -> None:
    removed = event("s3", "DeleteBucketPolicy", 1, {"bucketName": "media", "Host": "media.s3"})
    made = judged(removed, bucket_policy(90, "Allow"))
    assert (made.outcome, [call.operation for call in made.calls]) == ("exact", ["PutBucketPolicy"])


def test_a_password_that_no_record_holds_makes_it_partial() -> None:
    made = event("iam", "CreateLoginProfile", 5, {"userName": "dana", "passwordResetRequired": False})
    gone = event("iam", "DeleteLoginProfile", 1, {"userName": "dana"})
    found = restoration(gone, Known(events=(made, gone)))
    assert found.outcome == "partial"
    assert found.unknown == ("Password, if it was set",)


def test_a_call_that_aws_accepts_twice_leaves_a_doubt() -> None:
    off = event("codepipeline", "DisableStageTransition", 1, {**PIPE, "reason": "release stopped"})
    on = event("codepipeline", "EnableStageTransition", 40, PIPE)
    sure = judged(off, on)
    assert (sure.outcome, [call.operation for call in sure.calls]) == ("exact", ["EnableStageTransition"])
    unsure = judged(off)
    assert unsure.outcome == "partial"
    assert [call.operation for call in unsure.calls] == ["EnableStageTransition"]
    assert unsure.unknown == ("whether it was so before DisableStageTransition already",)
    off_already = event("codepipeline", "DisableStageTransition", 20, {**PIPE, "reason": "release stopped"})
    assert judged(off, on, off_already).outcome == "nothing to undo"
    assert judged(off, replace(on, time=AT)).outcome == "nothing to undo"


@pytest.mark.parametrize(
    ("source", "operation", "sent"),
    [
        ("dynamodb", "DeleteTable", {"tableName": "orders"}),
        ("ec2", "TerminateInstances", {"instancesSet": {"items": [{"instanceId": "i-0a1b2c3d"}]}}),
        ("sqs", "PurgeQueue", {"queueUrl": "https://sqs.eu-west-1.amazonaws.com/111122223333/jobs"}),
        ("s3", "CreateBucket", {"bucketName": "media"}),
        ("secretsmanager", "DeleteSecret", {"secretId": "db", "forceDeleteWithoutRecovery": True}),
        ("nosuchservice", "UpdateThing", {"name": "x"}),
    ],
)
def test_what_is_gone_is_said_to_be_gone(source: str, operation: str, sent: Json) -> None:
    made = judged(event(source, operation, 1, sent))
    assert (made.outcome, made.calls) == ("cannot be undone", ())
    assert made.lost
    assert made.nearest


def test_what_aws_keeps_for_a_while_comes_back() -> None:
    secret = judged(
        event("secretsmanager", "DeleteSecret", 1, {"secretId": "db", "recoveryWindowInDays": 30})
    )
    assert (secret.outcome, [call.operation for call in secret.calls]) == ("exact", ["RestoreSecret"])
    key = judged(event("kms", "ScheduleKeyDeletion", 1, {"keyId": "k-1", "pendingWindowInDays": 7}))
    assert [call.operation for call in key.calls] == ["CancelKeyDeletion", "EnableKey"]


def test_what_was_made_is_not_removed_when_something_was_built_on_it() -> None:
    sent = {"CreateLaunchTemplateRequest": {"LaunchTemplateName": "web-nodes"}}
    answer = {"CreateLaunchTemplateResponse": {"launchTemplate": {"launchTemplateId": "lt-0a1b2c3d"}}}
    made = event("ec2", "CreateLaunchTemplate", 9, sent, answer)
    assert [call.operation for call in judged(made).calls] == ["DeleteLaunchTemplate"]
    chosen = {"ModifyLaunchTemplateRequest": {"LaunchTemplateName": "web-nodes", "SetDefaultVersion": 2}}
    later = event("ec2", "ModifyLaunchTemplate", 1, chosen)
    found = judged(made, later)
    assert (found.outcome, found.later) == ("superseded", later)


def test_what_comes_back_under_another_id_is_not_the_same() -> None:
    made = event(
        "ec2",
        "CreateNetworkAcl",
        90,
        {"vpcId": "vpc-0a1b2c3d"},
        {"networkAcl": {"networkAclId": "acl-0a1b2c3d"}},
    )
    gone = event("ec2", "DeleteNetworkAcl", 1, {"networkAclId": "acl-0a1b2c3d"})
    assert judged(gone, made).outcome == "cannot be undone"


def test_what_aws_did_itself_has_no_call() -> None:
    one = event("kms", "DeleteKey", 1, {}, eventType="AwsServiceEvent")
    assert judged(one).outcome == "cannot be undone"


UNITS = st.sampled_from([1, 2, 3, 250, 10**6])


@given(before=UNITS, bad=UNITS, now=UNITS, later=st.none() | UNITS)
def test_a_plan_restores_the_prior_value_or_there_is_none(
    before: int, bad: int, now: int, later: int | None
) -> None:
    others = [limit(900, before), *([limit(0.5, later)] if later is not None else [])]
    made = judged(limit(1, bad), *others, resources=table(now))
    if made.calls:
        assert made.outcome == "exact"
        assert [call.parameters for call in made.calls] == [both(500, before)]
        assert now == bad != before
    else:
        assert bad == before or now != bad


SCALARS = st.text(max_size=5) | st.integers() | st.booleans()
TREES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=5), inner, max_size=2),
    max_leaves=6,
)


@settings(max_examples=40)
@given(st.dictionaries(st.text(min_size=1, max_size=9), TREES, max_size=4))
def test_any_request_gets_one_outcome(sent: Json) -> None:
    for source, operation in (
        ("s3", "PutBucketPolicy"),
        ("dynamodb", "UpdateTable"),
        ("ec2", "AttachVolume"),
    ):
        made = judged(event(source, operation, 1, sent), event(source, operation, 9, sent))
        assert made.outcome in OUTCOMES
        assert made.outcome in ("exact", "partial") or made.calls == made.back == ()
        assert made.outcome != "exact" or made.calls
        assert all(isinstance(call, Call) for call in made.calls)


def test_the_plan_sends_no_other_value_than_the_one_that_is_told() -> None:
    group: Json = {"autoScalingGroupName": "workers"}
    first = event("autoscaling", "SetDesiredCapacity", 3, {**group, "desiredCapacity": 2})
    between = event("autoscaling", "UpdateAutoScalingGroup", 2, {**group, "desiredCapacity": 6})
    last = event("autoscaling", "SetDesiredCapacity", 1, {**group, "desiredCapacity": 20})
    made = judged(last, first, between)
    (field,) = made.fields
    assert (field.before, field.after) == (6, 20)
    assert made.outcome == "partial"
    assert all(call.parameters.get("DesiredCapacity") == 6 for call in made.calls)
    again = judged(last, first)
    assert again.outcome == "exact"
    assert [call.parameters["DesiredCapacity"] for call in again.calls] == [2]
