"""Where data lies: tables, buckets, streams and what delivers them."""

from __future__ import annotations

import json
from collections.abc import Sequence

from evals.estates.ground import Ground, Thing
from tools.models import Json


def table(
    ground: Ground, name: str, *, indexes: Sequence[str] = (), stream: bool = False,
    encrypted: Thing | None = None, provisioned: bool = False,
) -> Thing:  # fmt: skip
    keys = ["pk", *(f"{index}_key" for index in indexes)]
    capacity = {"ReadCapacityUnits": 20, "WriteCapacityUnits": 20} if provisioned else None
    rows = [
        {
            "IndexName": index,
            "KeySchema": [{"AttributeName": f"{index}_key", "KeyType": "HASH"}],
            "Projection": {"ProjectionType": "ALL"},
            **({"ProvisionedThroughput": capacity} if capacity else {}),
        }
        for index in indexes
    ]
    made = ground.call(
        "dynamodb", "CreateTable",
        TableName=name, BillingMode="PROVISIONED" if provisioned else "PAY_PER_REQUEST",
        ProvisionedThroughput=capacity,
        AttributeDefinitions=[{"AttributeName": key, "AttributeType": "S"} for key in keys],
        KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}], GlobalSecondaryIndexes=rows or None,
        StreamSpecification={"StreamEnabled": True, "StreamViewType": "NEW_IMAGE"} if stream else None,
        SSESpecification=encrypted and {"Enabled": True, "SSEType": "KMS", "KMSMasterKeyId": encrypted.arn},
    )["TableDescription"]  # fmt: skip
    thing = ground.add("table", made["TableArn"], name, stream=made.get("LatestStreamArn", ""))
    for index in indexes:
        ground.part("index", f"{thing.arn}/index/{index}", thing)
    if stream:
        ground.part("table stream", made["LatestStreamArn"], thing)
    ground.fact(thing, "locks with", encrypted)
    return thing


def stream(ground: Ground, name: str, encrypted: Thing | None = None) -> Thing:
    ground.call("kinesis", "CreateStream", StreamName=name, ShardCount=1)
    if encrypted:
        ground.call(
            "kinesis", "StartStreamEncryption",
            StreamName=name, EncryptionType="KMS", KeyId=encrypted.arn,
        )  # fmt: skip
    thing = ground.add("stream", ground.arn("kinesis", f"stream/{name}"), name)
    ground.fact(thing, "locks with", encrypted)
    return thing


def bucket(
    ground: Ground,
    name: str,
    *,
    encrypted: Thing | None = None,
    logs_to: Thing | None = None,
    region: str = "",
) -> Thing:
    where = region or ground.region
    place = None if where == "us-east-1" else {"LocationConstraint": where}
    ground.call("s3", "CreateBucket", where, Bucket=name, CreateBucketConfiguration=place)
    thing = ground.add("bucket", f"arn:aws:s3:::{name}", name, region=where,
                       host=f"{name}.s3.{where}.amazonaws.com", url=f"s3://{name}/")  # fmt: skip
    if encrypted:
        rule = {
            "ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": encrypted.arn}
        }
        ground.call(
            "s3", "PutBucketEncryption", where,
            Bucket=name, ServerSideEncryptionConfiguration={"Rules": [rule]},
        )  # fmt: skip
        ground.fact(thing, "locks with", encrypted)
    if logs_to:
        target = {"TargetBucket": logs_to.name, "TargetPrefix": f"{name}/"}
        ground.call(
            "s3", "PutBucketLogging", where, Bucket=name, BucketLoggingStatus={"LoggingEnabled": target}
        )
        ground.fact(thing, "writes to", logs_to)
    return thing


def takes_logs(ground: Ground, of: Thing) -> None:
    """The bucket lets AWS's own log delivery write to it."""
    said = {
        "Effect": "Allow", "Principal": {"Service": "logging.s3.amazonaws.com"}, "Action": "s3:PutObject",
        "Resource": f"{of.arn}/*",
    }  # fmt: skip
    document = json.dumps({"Version": "2012-10-17", "Statement": [said]})
    ground.call("s3", "PutBucketPolicy", of.region, Bucket=of.name, Policy=document)


def notify(ground: Ground, of: Thing, *to: Thing) -> None:
    """Events of new objects go to functions, queues or topics, each under a prefix of its own."""
    members = {
        "function": ("LambdaFunctionConfigurations", "LambdaFunctionArn"),
        "queue": ("QueueConfigurations", "QueueArn"),
        "topic": ("TopicConfigurations", "TopicArn"),
    }
    sent: Json = {}
    for place, one in enumerate(to):
        member, field = members[one.kind]
        filters = {"Key": {"FilterRules": [{"Name": "prefix", "Value": f"in-{place}/"}]}}
        sent.setdefault(member, []).append(
            {field: one.arn, "Events": ["s3:ObjectCreated:*"], "Filter": filters}
        )
        ground.fact(of, "delivers to", one)
    ground.call("s3", "PutBucketNotificationConfiguration", Bucket=of.name, NotificationConfiguration=sent)


def bucket_policy(ground: Ground, of: Thing, *readers: Thing) -> None:
    """The bucket lets roles, or a distribution, read it."""
    statements: list[Json] = []
    for one in readers:
        who: Json = {"AWS": one.arn}
        said: Json = {"Effect": "Allow", "Action": "s3:GetObject", "Resource": f"{of.arn}/*"}
        if one.kind == "distribution":
            who = {"Service": "cloudfront.amazonaws.com"}
            said["Condition"] = {"StringEquals": {"AWS:SourceArn": one.arn}}
        statements.append({**said, "Principal": who})
        ground.fact(of, "lets in", one)
    document = json.dumps({"Version": "2012-10-17", "Statement": statements})
    ground.call("s3", "PutBucketPolicy", of.region, Bucket=of.name, Policy=document)


def delivery(
    ground: Ground, name: str, *, acts: Thing, into: Thing, source: Thing | None = None,
    through: Thing | None = None, errors: Thing | None = None,
) -> Thing:  # fmt: skip
    """A Firehose delivery stream into a bucket, perhaps from a stream, through a function, with an error log."""
    there: Json = {"RoleARN": acts.arn, "BucketARN": into.arn, "Prefix": f"{name}/"}
    if through:
        step = {
            "Type": "Lambda",
            "Parameters": [{"ParameterName": "LambdaArn", "ParameterValue": through.arn}],
        }
        there["ProcessingConfiguration"] = {"Enabled": True, "Processors": [step]}
    if errors:
        there["CloudWatchLoggingOptions"] = {
            "Enabled": True, "LogGroupName": errors.name, "LogStreamName": "DestinationDelivery",
        }  # fmt: skip
    ground.call(
        "firehose", "CreateDeliveryStream",
        DeliveryStreamName=name, DeliveryStreamType="KinesisStreamAsSource" if source else "DirectPut",
        KinesisStreamSourceConfiguration=source and {"KinesisStreamARN": source.arn, "RoleARN": acts.arn},
        ExtendedS3DestinationConfiguration=there,
    )  # fmt: skip
    thing = ground.add("delivery stream", ground.arn("firehose", f"deliverystream/{name}"), name)
    ground.fact(thing, "acts as", acts)
    ground.fact(thing, "delivers to", into)
    ground.fact(thing, "takes from", source)
    ground.fact(thing, "calls", through)
    ground.fact(thing, "writes to", errors)
    return thing
