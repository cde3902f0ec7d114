"""Data Firehose: what is read, what hangs together, what was before, and how it is put back."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from tests.tools.fake_account import Answer, FakeAws
from tools import catalogue
from tools.directory import KnownResources
from tools.evidence import canonical
from tools.history import current, prior, requested, same
from tools.kit import meant
from tools.models import Actor, ChangeEvent, Json, Resource
from tools.parameters import validate
from tools.services._spec import Change, Setting
from tools.services.firehose import CHANGES, SERVICE, describe, discover, log_groups, owner, relations

AS_OF = datetime(2026, 3, 13, 17, 41, tzinfo=UTC)
STREAM = "arn:aws:firehose:eu-west-1:111122223333:deliverystream/clicks-archive"
CLICKS = "arn:aws:kinesis:eu-west-1:111122223333:stream/clicks"
ROLE = "arn:aws:iam::111122223333:role/clicks-archive"
CLEAN = "arn:aws:lambda:eu-west-1:111122223333:function:clicks-clean"
KEY = "arn:aws:kms:eu-west-1:111122223333:key/1f2e3d4c-5b6a-4789-90ab-cdef01234567"
S3 = "Destinations[0].ExtendedS3DestinationDescription"
PROCESSING: Json = {
    "Enabled": True,
    "Processors": [
        {
            "Type": "Lambda",
            "Parameters": [{"ParameterName": "LambdaArn", "ParameterValue": f"{CLEAN}:$LATEST"}],
        }
    ],
}
DESTINATION: Json = {
    "RoleARN": ROLE,
    "BucketARN": "arn:aws:s3:::shop-clicks",
    "Prefix": "clicks/",
    "BufferingHints": {"SizeInMBs": 5, "IntervalInSeconds": 300},
    "CompressionFormat": "GZIP",
    "EncryptionConfiguration": {"KMSEncryptionConfig": {"AWSKMSKeyARN": KEY}},
    "CloudWatchLoggingOptions": {
        "Enabled": True,
        "LogGroupName": "/aws/kinesisfirehose/clicks-archive",
        "LogStreamName": "DestinationDelivery",
    },
    "ProcessingConfiguration": PROCESSING,
}
DESCRIPTION: Json = {
    "DeliveryStreamName": "clicks-archive",
    "DeliveryStreamARN": STREAM,
    "DeliveryStreamStatus": "ACTIVE",
    "DeliveryStreamType": "KinesisStreamAsSource",
    "VersionId": "7",
    "CreateTimestamp": datetime(2025, 4, 1, 8, 0, tzinfo=UTC),
    "Source": {"KinesisStreamSourceDescription": {"KinesisStreamARN": CLICKS, "RoleARN": ROLE}},
    "Destinations": [
        {
            "DestinationId": "destinationId-000000000001",
            "S3DestinationDescription": {
                key: DESTINATION[key]
                for key in (
                    "RoleARN",
                    "BucketARN",
                    "BufferingHints",
                    "CompressionFormat",
                    "EncryptionConfiguration",
                )
            },
            "ExtendedS3DestinationDescription": DESTINATION,
        }
    ],
    "HasMoreDestinations": False,
}


def stream(**changed: object) -> Resource:
    answers: dict[tuple[str, str], Answer] = {
        ("firehose", "DescribeDeliveryStream"): {"DeliveryStreamDescription": {**DESCRIPTION, **changed}},
        ("firehose", "ListTagsForDeliveryStream"): {
            "Tags": [{"Key": "team", "Value": "shop"}],
            "HasMoreTags": False,
        },
    }
    found = describe(FakeAws(answers).reader(), STREAM)
    assert found is not None
    return found


def happened(operation: str, request: Json, minutes: float = 0) -> ChangeEvent:
    return ChangeEvent(
        id=f"{operation}{minutes:g}",
        time=AS_OF - timedelta(minutes=10 - minutes),
        source="firehose.amazonaws.com",
        action=operation,
        operation=operation,
        region="eu-west-1",
        account="111122223333",
        actor=Actor(kind="iam_user", name="ops-07", how="console"),
        request={"deliveryStreamName": "clicks-archive", **request},
        response={},
        evidence=("F1",),
    )


def setting(path: str) -> Setting:
    return next(one for one in SERVICE.settings if one.path == path)


def change(operation: str) -> Change:
    return next(one for one in CHANGES if one.operation == operation)


def test_a_delivery_stream_is_its_description_with_tags() -> None:
    found = stream()
    assert (found.type, found.name, found.tags) == ("delivery-stream", "clicks-archive", {"team": "shop"})
    assert found.config["VersionId"] == "7"
    assert describe(FakeAws({}).reader(), STREAM) is None


def test_names_are_paged_by_the_last_one_and_each_is_read_whole() -> None:
    pages = {"": (["archive", "billing"], True), "billing": (["clicks"], False)}

    def names(parameters: Json) -> Json:
        found, more = pages[parameters.get("ExclusiveStartDeliveryStreamName", "")]
        return {"DeliveryStreamNames": found, "HasMoreDeliveryStreams": more}

    answers: dict[tuple[str, str], Answer] = {
        ("firehose", "ListDeliveryStreams"): names,
        ("firehose", "DescribeDeliveryStream"): {"DeliveryStreamDescription": DESCRIPTION},
    }
    found = list(discover(FakeAws(answers).reader(), "eu-west-1"))
    assert [one.name for one in found] == ["archive", "billing", "clicks"]
    assert all(one.config["Source"] for one in found)


def test_of_many_delivery_streams_the_first_are_read_and_the_rest_is_a_gap() -> None:
    answers: dict[tuple[str, str], Answer] = {
        ("firehose", "ListDeliveryStreams"): {
            "DeliveryStreamNames": [f"stream-{number:02}" for number in range(30)],
            "HasMoreDeliveryStreams": False,
        },
        ("firehose", "DescribeDeliveryStream"): {"DeliveryStreamDescription": DESCRIPTION},
    }
    reader = FakeAws(answers).reader()
    assert len(list(discover(reader, "eu-west-1"))) == 25
    assert [gap.code for gap in reader.gaps] == ["BudgetSpent"]


def test_it_reads_transforms_delivers_runs_as_encrypts_and_logs() -> None:
    told = {(one.source, one.kind, one.target) for one in relations(stream(), KnownResources([]))}
    group = "arn:aws:logs:eu-west-1:111122223333:log-group:/aws/kinesisfirehose/clicks-archive"
    assert told == {
        (CLICKS, "read by", STREAM),
        (STREAM, "runs as", ROLE),
        (STREAM, "delivers to", "arn:aws:s3:::shop-clicks"),
        (STREAM, "uses", KEY),
        (STREAM, "invokes", CLEAN),
        (STREAM, "logs to", group),
    }
    assert log_groups(stream()) == ("/aws/kinesisfirehose/clicks-archive",)


def test_what_is_switched_off_is_no_relation() -> None:
    off = {
        **DESTINATION,
        "ProcessingConfiguration": {**PROCESSING, "Enabled": False},
        "CloudWatchLoggingOptions": {"Enabled": False, "LogGroupName": "/aws/kinesisfirehose/clicks-archive"},
    }
    found = stream(
        Destinations=[
            {"DestinationId": "destinationId-000000000001", "ExtendedS3DestinationDescription": off}
        ]
    )
    kinds = {one.kind for one in relations(found, KnownResources([]))}
    assert kinds == {"read by", "runs as", "delivers to", "uses"}
    assert log_groups(found) == ()


def test_a_search_domain_is_told_with_the_bucket_that_backs_it_up() -> None:
    domain = "arn:aws:es:eu-west-1:111122223333:domain/clicks"
    found = stream(
        DeliveryStreamType="DirectPut",
        Source={},
        Destinations=[
            {
                "DestinationId": "destinationId-000000000001",
                "AmazonopensearchserviceDestinationDescription": {
                    "RoleARN": ROLE,
                    "DomainARN": domain,
                    "IndexName": "clicks",
                    "S3BackupMode": "FailedDocumentsOnly",
                    "S3DestinationDescription": {
                        **DESCRIPTION["Destinations"][0]["S3DestinationDescription"],
                        "EncryptionConfiguration": {"NoEncryptionConfig": "NoEncryption"},
                    },
                },
            }
        ],
    )
    told = {(one.kind, one.target) for one in relations(found, KnownResources([]))}
    assert told == {
        ("runs as", ROLE),
        ("delivers to", domain),
        ("delivers to", "arn:aws:s3:::shop-clicks"),
    }
    wanted = {one.name for one in SERVICE.metrics if one.where is None or one.where(found)}
    assert "DeliveryToAmazonOpenSearchService.Success" in wanted
    assert not {"DeliveryToS3.Success", "KinesisMillisBehindLatest", "ExecuteProcessing.Success"} & wanted


def test_a_bucket_goes_back_under_the_version_that_is_there() -> None:
    bucket = setting(f"{S3}.BucketARN")
    events = [
        happened(
            "CreateDeliveryStream", {"extendedS3DestinationConfiguration": {"bucketARN": "arn:aws:s3:::old"}}
        ),
        happened(
            "UpdateDestination", {"extendedS3DestinationUpdate": {"bucketARN": "arn:aws:s3:::wrong"}}, 5
        ),
    ]
    before = prior(bucket, stream(), events[1], events, None)
    assert before.value == "arn:aws:s3:::old"
    (call,) = bucket.restore(stream(), before.value)
    assert call.parameters == {
        "DeliveryStreamName": "clicks-archive",
        "CurrentDeliveryStreamVersionId": "7",
        "DestinationId": "destinationId-000000000001",
        "ExtendedS3DestinationUpdate": {"BucketARN": "arn:aws:s3:::old"},
    }
    assert validate(call) == ()
    assert bucket.restore(replace(stream(), config={}), "arn:aws:s3:::old") == ()


def test_one_hint_of_buffering_is_sent_with_the_other() -> None:
    (call,) = setting(f"{S3}.BufferingHints.IntervalInSeconds").restore(stream(), 60)
    assert call.parameters["ExtendedS3DestinationUpdate"] == {
        "BufferingHints": {"SizeInMBs": 5, "IntervalInSeconds": 60}
    }


def test_a_transformation_is_the_same_in_an_event_and_in_the_answer() -> None:
    transformation = setting(f"{S3}.ProcessingConfiguration")
    sent = {
        "enabled": True,
        "processors": [
            {
                "type": "Lambda",
                "parameters": [{"parameterName": "LambdaArn", "parameterValue": f"{CLEAN}:$LATEST"}],
            }
        ],
    }
    event = happened("UpdateDestination", {"extendedS3DestinationUpdate": {"processingConfiguration": sent}})
    known, value = requested(event, transformation)
    assert known
    assert same(value, current(stream(), transformation), transformation)
    (call,) = transformation.restore(stream(), value)
    assert call.parameters["ExtendedS3DestinationUpdate"] == {"ProcessingConfiguration": PROCESSING}


@pytest.mark.parametrize(
    ("value", "operation", "sent"),
    [
        (KEY, "StartDeliveryStreamEncryption", {"KeyType": "CUSTOMER_MANAGED_CMK", "KeyARN": KEY}),
        ("AWS_OWNED_CMK", "StartDeliveryStreamEncryption", {"KeyType": "AWS_OWNED_CMK"}),
        (None, "StopDeliveryStreamEncryption", None),
    ],
)
def test_encryption_goes_back_to_the_very_key(value: str | None, operation: str, sent: Json | None) -> None:
    key = next(one for one in SERVICE.settings if one.name == "encryption key")
    (call,) = key.restore(stream(), value)
    assert (call.operation, call.parameters.get("DeliveryStreamEncryptionConfigurationInput")) == (
        operation,
        sent,
    )
    shown: Json = {"Status": "ENABLED", "KeyType": "CUSTOMER_MANAGED_CMK", "KeyARN": KEY}
    assert current(stream(DeliveryStreamEncryptionConfiguration=shown), key) == KEY
    owned: Json = {"Status": "ENABLED", "KeyType": "AWS_OWNED_CMK"}
    assert current(stream(DeliveryStreamEncryptionConfiguration=owned), key) == "AWS_OWNED_CMK"


SPLUNK: Json = {"hECEndpoint": "https://splunk.example:8088", "hECEndpointType": "Raw"}


def test_another_kind_of_destination_goes_back_to_what_earlier_events_set() -> None:
    undo = change("UpdateDestination").undo
    assert undo is not None
    event = happened(
        "UpdateDestination",
        {
            "currentDeliveryStreamVersionId": "7",
            "destinationId": "destinationId-000000000001",
            "splunkDestinationUpdate": {"hECEndpoint": "https://wrong.example:8088"},
        },
        5,
    )
    made = happened("CreateDeliveryStream", {"splunkDestinationConfiguration": SPLUNK})
    (call,) = undo(event, (made,))
    assert validate(call) == ()
    assert call.parameters["CurrentDeliveryStreamVersionId"] == "8"
    assert call.parameters["SplunkDestinationUpdate"] == {"HECEndpoint": "https://splunk.example:8088"}
    assert undo(event, ()) == ()
    hidden = happened(
        "CreateDeliveryStream",
        {"splunkDestinationConfiguration": {"hECEndpoint": "HIDDEN_DUE_TO_SECURITY_REASONS"}},
    )
    assert undo(event, (hidden,)) == ()
    other = replace(made, request={**made.request, "deliveryStreamName": "other"})
    assert undo(event, (other,)) == ()


def test_texts_of_its_error_log_are_known() -> None:
    line = json.dumps({"deliveryStreamARN": STREAM, "errorCode": "S3.NoSuchBucket", "errorMessage": "..."})
    found = [one for _, one in catalogue.signatures() if one.own and re.search(one.match, line)]
    assert [one.points_to for one in found] == [f"{S3}.BucketARN"]


def test_a_metric_names_its_delivery_stream() -> None:
    named = {"DeliveryStreamName": "clicks-archive"}
    assert owner(named, "aws", "eu-west-1", "111122223333") == STREAM
    assert canonical(SERVICE.dimensions(stream()) if SERVICE.dimensions else ()) == canonical(
        (("DeliveryStreamName", "clicks-archive"),)
    )


def test_a_variable_that_names_a_delivery_stream_means_it() -> None:
    known = KnownResources([stream()])
    assert list(meant("DELIVERY_STREAM", "clicks-archive", known)) == [(STREAM, 0.85)]
    assert list(meant("QUEUE_NAME", "clicks-archive", known)) == []
