"""Parameters, keys, buckets and secrets in worlds: physics, metrics, logs, the trail and the answers."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from functools import cache
from typing import Any

import pytest

from evals.world import World, load_case
from evals.world.deeds_secrets import version_id
from evals.world.flow import Flow, Minute
from tools.aws import Account, Aws
from tools.budget import Budget, Limits
from tools.clock import VirtualClock
from tools.errors import NotThere
from tools.evidence import MemoryStore
from tools.models import Json


@cache
def world(case: str) -> World:
    return load_case(case, 2)


def reader(made: World) -> Callable[..., Json]:
    where, limits = made.region, Budget(Limits(calls=100))
    aws = Aws(Account(region=where), made.transport(), VirtualClock(made.start), limits, MemoryStore())

    def ask(service: str, operation: str, **parameters: Any) -> Json:
        return aws.ask(service, operation, where, parameters)

    return ask


def after(made: World, minutes: int) -> tuple[Flow, Minute]:
    flow = made.flows["case"]
    return flow, flow.minute(int(made.facts["onset"].timestamp()) // 60 + minutes)


def emitted(made: World, owner: str, name: str, minute: int) -> float:
    source = next(one for one in made.telemetry.sources.values() if (one.owner, one.name) == (owner, name))
    sample = source.emit(int(made.facts["onset"].timestamp()) // 60 + minute)
    return sample.total if sample is not None else 0.0


def events(made: World, name: str) -> list[Json]:
    return [one.body for one in made.trail.records if one.body["eventName"] == name and not one.noise]


@pytest.mark.parametrize(
    "case", ["parameter-changed", "key-disabled", "bucket-policy-denies", "secret-rotated"]
)
def test_what_ends_is_what_the_logs_tell(case: str) -> None:
    made = world(case)
    flow, row = after(made, 5)
    assert row.requests == row.alive + sum(one.many for one in row.endings)
    group = next(one for one in made.log_groups.values() if one.flow is flow and "rds" not in one.name)
    told = sum(group.count(kind, int(made.facts["onset"].timestamp()) // 60 + 5) for kind in flow.reasons(0))
    assert told == sum(one.many for one in row.endings) > 0


def test_a_parameter_hides_its_value_and_its_history_shows_it() -> None:
    made, facts = world("parameter-changed"), world("parameter-changed").facts
    ask, name = reader(made), made.known["parameter"].name
    put = events(made, "PutParameter")[0]
    assert put["requestParameters"]["value"] == "HIDDEN_DUE_TO_SECURITY_REASONS"
    history = ask("ssm", "GetParameterHistory", Name=name)["Parameters"]
    assert [one["Version"] for one in history] == [1, 2, 3]
    assert [one["Value"] for one in history[1:]] == [facts["value.before"], facts["value.after"]]
    assert put["responseElements"]["version"] == 3
    assert ask("ssm", "GetParameter", Name=f"{name}:2")["Parameter"]["Value"] == facts["value.before"]
    wanted = [{"Key": "Name", "Option": "Equals", "Values": [name]}]
    assert ask("ssm", "DescribeParameters", ParameterFilters=wanted)["Parameters"][0]["Version"] == 3
    with pytest.raises(NotThere):
        ask("ssm", "GetParameterHistory", Name="/no/such")


def test_a_disabled_key_stops_the_bucket_at_once_and_the_queue_later() -> None:
    made, (_flow, row) = world("key-disabled"), after(world("key-disabled"), 2)
    assert {one.reason for one in row.endings} == {"key"}
    assert row.alive == 0
    queue = made.facts["queue.arn"]
    assert (
        emitted(made, queue, "NumberOfMessagesSent", 10)
        == 0.0
        < emitted(made, queue, "NumberOfMessagesSent", -3)
    )
    refused = [one.body for one in made.trail.records if one.body.get("errorCode") == "DisabledException"]
    assert refused
    assert all(one["resources"][0]["ARN"] == made.facts["key.arn"] for one in refused)
    ask = reader(made)
    shown = ask("kms", "DescribeKey", KeyId=made.facts["key.id"])["KeyMetadata"]
    assert (shown["KeyState"], shown["Enabled"]) == ("Disabled", False)
    held = ask("s3", "GetBucketEncryption", Bucket=made.known["bucket"].name)
    rule = held["ServerSideEncryptionConfiguration"]["Rules"][0]["ApplyServerSideEncryptionByDefault"]
    assert rule["KMSMasterKeyID"] == made.facts["key.arn"]
    url = ask("sqs", "GetQueueUrl", QueueName=made.known["queue"].name)["QueueUrl"]
    attributes = ask("sqs", "GetQueueAttributes", QueueUrl=url, AttributeNames=["All"])["Attributes"]
    assert attributes["KmsMasterKeyId"] == made.facts["key.arn"]
    assert "SqsManagedSseEnabled" not in attributes
    for operation in ("GetKeyPolicy", "ListGrants", "GetKeyRotationStatus", "ListResourceTags"):
        ask("kms", operation, KeyId=made.facts["key.id"])
    aliases = ask("kms", "ListAliases")["Aliases"]
    assert made.facts["key.id"] in {one["TargetKeyId"] for one in aliases}


def test_a_bucket_policy_that_denies_ends_reads_with_the_words_of_s3() -> None:
    made = world("bucket-policy-denies")
    flow, row = after(made, 3)
    stage = flow.stages[flow.stage(made.facts["bucket.arn"])]
    assert "with an explicit deny in a resource-based policy" in stage.text("refused")
    assert flow.minute(flow.disturbed_from - 5 if flow.disturbed_from else 0).alive > 0 == row.alive
    put = events(made, "PutBucketPolicy")[0]["requestParameters"]
    assert [one["Effect"] for one in put["bucketPolicy"]["Statement"]] == ["Deny", "Deny"]
    ask, name = reader(made), made.known["bucket"].name
    assert "resource-based" not in ask("s3", "GetBucketPolicy", Bucket=name)["Policy"]
    with pytest.raises(NotThere):
        ask("s3", "GetBucketLifecycleConfiguration", Bucket=name)
    for operation in ("GetBucketLocation", "GetBucketVersioning", "GetPublicAccessBlock", "GetBucketLogging"):
        ask("s3", operation, Bucket=name)


def test_uploads_without_a_notification_fail_nowhere_and_run_nothing() -> None:
    made = world("bucket-notification-removed")
    bucket, function = made.facts["bucket.arn"], made.facts["function.arn"]
    assert emitted(made, bucket, "PutRequests", 5) > 0 == emitted(made, bucket, "4xxErrors", 5)
    assert emitted(made, function, "Invocations", 5) == 0.0 < emitted(made, function, "Invocations", -2)
    removed, laid = events(made, "PutBucketNotification")[0], events(made, "PutBucketNotification")[-1]
    assert "CloudFunctionConfiguration" not in removed["requestParameters"]["NotificationConfiguration"]
    told = laid["requestParameters"]["NotificationConfiguration"]["CloudFunctionConfiguration"]
    assert told["CloudFunction"] == function
    name = made.known["bucket"].name
    shown = reader(made)("s3", "GetBucketNotificationConfiguration", Bucket=name)
    assert "LambdaFunctionConfigurations" not in shown


def test_tasks_keep_the_password_of_their_start_and_the_rotation_is_told() -> None:
    made = world("secret-rotated")
    assert emitted(made, made.facts["db.arn"], "DatabaseConnections", 12) <= 2
    names = [
        one["eventName"]
        for one in (r.body for r in made.trail.records)
        if one["eventSource"].startswith("secretsm")
    ]
    assert {"RotateSecret", "RotationStarted", "RotationSucceeded", "UpdateSecretVersionStage"} <= set(names)
    secret = made.known["secret"]
    shown = reader(made)("secretsmanager", "DescribeSecret", SecretId=secret.name)
    new, old = version_id(made, secret, 2), version_id(made, secret, 1)
    assert shown["VersionIdsToStages"] == {new: ["AWSCURRENT", "AWSPENDING"], old: ["AWSPREVIOUS"]}
    assert shown["LastRotatedDate"] == made.facts["change.time"]
    assert shown["RotationEnabled"]
    versions = reader(made)("secretsmanager", "ListSecretVersionIds", SecretId=secret.arn)["Versions"]
    assert {one["VersionId"] for one in versions} == {new, old}
    group = next(
        one
        for name, one in made.log_groups.items()
        if name.startswith(f"/aws/rds/instance/{made.known['db'].name}/")
    )
    line = group.some("login", int((made.facts["onset"] + timedelta(minutes=4)).timestamp()) // 60, 1)[0]
    assert "password authentication failed" in line.text or "Access denied for user" in line.text
