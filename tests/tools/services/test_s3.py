"""S3: what is read of a bucket, whom it notifies, what earlier events say was there, and how it is put back."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.tools.fake_account import Answer, FakeAws
from tools import catalogue
from tools.cloudtrail import parse
from tools.directory import KnownResources
from tools.history import current, prior, requested, same
from tools.models import ChangeEvent, Json, Resource
from tools.parameters import validate
from tools.policies import Grant, grants, targets
from tools.services._spec import Change, Setting
from tools.services.s3 import CHANGES, SERVICE, describe, dimensions, discover, owner, relations

AS_OF = datetime(2026, 3, 13, 17, 41, tzinfo=UTC)
BUCKET = "arn:aws:s3:::shop-media"
THUMBNAILS = "arn:aws:lambda:eu-west-1:111122223333:function:thumbnails"
QUEUE = "arn:aws:sqs:eu-west-1:111122223333:uploads"
TOPIC = "arn:aws:sns:eu-west-1:111122223333:uploads"
KEY = "arn:aws:kms:eu-west-1:111122223333:key/1f2e3d4c-5b6a-4789-90ab-cdef01234567"
MADE_UP = base64.b64encode(b"0f0e2b7d-64a1-4c63-9a53-5f6d3f0b7c11").decode()
NS: Json = {"xmlns": "http://s3.amazonaws.com/doc/2006-03-01/"}
POLICY: Json = {
    "Version": "2012-10-17",
    "Statement": [
        {
            "Effect": "Allow",
            "Principal": {"Service": "cloudfront.amazonaws.com"},
            "Action": "s3:GetObject",
            "Resource": f"{BUCKET}/*",
            "Condition": {
                "StringEquals": {"AWS:SourceArn": "arn:aws:cloudfront::111122223333:distribution/E1EXAMPLE"}
            },
        }
    ],
}
NOTIFICATIONS: Json = {
    "LambdaFunctionConfigurations": [
        {
            "Id": "thumbnails",
            "LambdaFunctionArn": f"{THUMBNAILS}:live",
            "Events": ["s3:ObjectCreated:*"],
            "Filter": {"Key": {"FilterRules": [{"Name": "Prefix", "Value": "uploads/"}]}},
        }
    ],
    "QueueConfigurations": [{"Id": MADE_UP, "QueueArn": QUEUE, "Events": ["s3:ObjectRemoved:*"]}],
    "TopicConfigurations": [{"Id": "topic", "TopicArn": TOPIC, "Events": ["s3:ObjectRestore:*"]}],
    "EventBridgeConfiguration": {},
}
BLOCKS: Json = {
    "BlockPublicAcls": True,
    "IgnorePublicAcls": True,
    "BlockPublicPolicy": False,
    "RestrictPublicBuckets": False,
}
ANSWERS: Mapping[str, Json] = {
    "GetBucketLocation": {"LocationConstraint": "eu-west-1"},
    "GetBucketPolicy": {"Policy": json.dumps(POLICY, indent=2)},
    "GetBucketNotificationConfiguration": NOTIFICATIONS,
    "GetBucketLifecycleConfiguration": {
        "Rules": [
            {"ID": "tidy", "Filter": {"Prefix": "tmp/"}, "Status": "Enabled", "Expiration": {"Days": 7}}
        ]
    },
    "GetPublicAccessBlock": {"PublicAccessBlockConfiguration": BLOCKS},
    "GetBucketEncryption": {
        "ServerSideEncryptionConfiguration": {
            "Rules": [
                {
                    "ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": KEY},
                    "BucketKeyEnabled": False,
                }
            ]
        }
    },
    "GetBucketVersioning": {"Status": "Enabled"},
    "GetBucketRequestPayment": {"Payer": "BucketOwner"},
    "GetBucketReplication": {
        "ReplicationConfiguration": {
            "Role": "arn:aws:iam::111122223333:role/shop-media-copy",
            "Rules": [
                {"ID": "on", "Status": "Enabled", "Destination": {"Bucket": "arn:aws:s3:::shop-copy"}},
                {"ID": "off", "Status": "Disabled", "Destination": {"Bucket": "arn:aws:s3:::shop-old"}},
            ],
        }
    },
    "ListBucketMetricsConfigurations": {
        "MetricsConfigurationList": [
            {"Id": "uploads", "Filter": {"Prefix": "uploads/"}},
            {"Id": "EntireBucket"},
        ]
    },
    "GetBucketTagging": {"TagSet": [{"Key": "team", "Value": "shop"}]},
}


def fake(changed: Mapping[str, Json | None], denied: frozenset[str] = frozenset()) -> FakeAws:
    given = {**ANSWERS, **changed}
    answers: dict[tuple[str, str], Answer] = {
        ("s3", name): answer for name, answer in given.items() if answer is not None
    }
    return FakeAws(answers, denied=denied)


def bucket(**changed: Json | None) -> Resource:
    found = describe(fake(changed).reader(), BUCKET)
    assert found is not None
    return found


def happened(action: str, request: Json, minutes: float = 0, name: str = "shop-media") -> ChangeEvent:
    """An event as CloudTrail writes it, through the reader of records."""
    return parse(
        {
            "eventID": f"{action}-{minutes:g}",
            "eventTime": (AS_OF + timedelta(minutes=minutes - 10)).strftime("%Y-%m-%dT%H:%M:%SZ"),
            "eventSource": "s3.amazonaws.com",
            "eventName": action,
            "awsRegion": "eu-west-1",
            "recipientAccountId": "111122223333",
            "requestParameters": {"bucketName": name, "Host": f"{name}.s3.amazonaws.com", **request},
            "responseElements": None,
            "readOnly": False,
            "resources": [{"type": "AWS::S3::Bucket", "ARN": f"arn:aws:s3:::{name}"}],
        },
        ("F1",),
    )


def setting(path: str) -> Setting:
    return next(one for one in SERVICE.settings if one.path == path)


def change(operation: str) -> Change:
    return next(one for one in CHANGES if one.operation == operation)


# -- reading ---------------------------------------------------------------------------------------


def test_a_bucket_is_what_its_reads_say_under_the_names_that_set_it() -> None:
    found = bucket()
    assert (found.type, found.name, found.region, found.account) == (
        "bucket",
        "shop-media",
        "eu-west-1",
        "111122223333",
    )
    assert found.tags == {"team": "shop"}
    assert found.config["Policy"] == POLICY
    assert found.config["LifecycleConfiguration"]["Rules"][0]["Expiration"] == {"Days": 7}
    assert found.config["VersioningConfiguration"] == {"Status": "Enabled"}
    assert found.config["PublicAccessBlockConfiguration"] == BLOCKS
    assert "CORSConfiguration" not in found.config  # none is configured
    assert len(found.evidence) == len(set(found.evidence)) == 10


@pytest.mark.parametrize(
    ("told", "region"), [(None, "us-east-1"), ("EU", "eu-west-1"), ("ap-southeast-2", "ap-southeast-2")]
)
def test_a_bucket_lies_where_its_location_says(told: str | None, region: str) -> None:
    location: Json = {} if told is None else {"LocationConstraint": told}
    assert bucket(GetBucketLocation=location).region == region


def test_no_bucket_is_none_and_what_may_not_be_read_is_a_gap() -> None:
    assert describe(fake({"GetBucketLocation": None}).reader(), BUCKET) is None
    reader = fake({}, frozenset({"s3:GetBucketPolicy", "s3:GetBucketLocation"})).reader()
    found = describe(reader, BUCKET)
    assert found is not None
    assert "Policy" not in found.config
    assert [gap.what for gap in reader.gaps] == ["Region of the bucket shop-media", "Bucket policy"]
    assert found.region == "eu-west-1"  # the run's own


def test_all_buckets_are_listed_each_with_its_own_region() -> None:
    pages: dict[str, Json] = {
        "": {"Buckets": [{"Name": "shop-media", "BucketRegion": "eu-west-1"}], "ContinuationToken": "more"},
        "more": {"Buckets": [{"Name": "shop-logs", "BucketRegion": "us-east-1"}, {"Name": "old"}]},
    }
    reader = FakeAws(
        {("s3", "ListBuckets"): lambda asked: pages[asked.get("ContinuationToken", "")]}
    ).reader()
    assert [(one.arn, one.region) for one in discover(reader, "eu-west-1")] == [
        (BUCKET, "eu-west-1"),
        ("arn:aws:s3:::shop-logs", "us-east-1"),
        ("arn:aws:s3:::old", "eu-west-1"),
    ]


def test_ids_that_s3_made_up_are_left_out_and_filter_keys_are_small() -> None:
    kept = bucket().config["NotificationConfiguration"]
    assert kept["QueueConfigurations"] == [{"QueueArn": QUEUE, "Events": ["s3:ObjectRemoved:*"]}]
    (function,) = kept["LambdaFunctionConfigurations"]
    assert function["Id"] == "thumbnails"
    assert function["Filter"]["Key"]["FilterRules"] == [{"Name": "prefix", "Value": "uploads/"}]


# -- relations -------------------------------------------------------------------------------------


def test_whom_a_bucket_notifies_needs_and_lets_in() -> None:
    told = {(one.source, one.kind, one.target) for one in relations(bucket(), KnownResources([]))}
    assert told == {
        (BUCKET, "notifies", THUMBNAILS),
        (BUCKET, "notifies", QUEUE),
        (BUCKET, "notifies", TOPIC),
        (BUCKET, "notifies", "arn:aws:events:eu-west-1:111122223333:event-bus/default"),
        (BUCKET, "runs as", "arn:aws:iam::111122223333:role/shop-media-copy"),
        (BUCKET, "replicates to", "arn:aws:s3:::shop-copy"),
        (BUCKET, "uses", KEY),
        ("arn:aws:cloudfront::111122223333:distribution/E1EXAMPLE", "may use", BUCKET),
    }


def test_a_bucket_with_nothing_configured_has_no_relations() -> None:
    only: dict[str, Json | None] = {name: None for name in ANSWERS if name != "GetBucketLocation"}
    assert list(relations(bucket(**only), KnownResources([]))) == []


def test_a_bucket_is_meant_by_its_host_its_objects_and_its_name() -> None:
    known = KnownResources([bucket()])
    for said in (
        "shop-media.s3.eu-west-1.amazonaws.com",
        "https://shop-media.s3.amazonaws.com/uploads/1.jpg",
        "shop-media.s3-website-eu-west-1.amazonaws.com",
        "s3://shop-media/uploads",
        f"{BUCKET}/uploads/1.jpg",
        "shop-media",
    ):
        assert [one.arn for one in known.mentioned(said)] == [BUCKET], said
    (unseen,) = known.mentioned("shop-logs.s3.dualstack.eu-west-1.amazonaws.com")
    assert (unseen.arn, unseen.type) == ("arn:aws:s3:::shop-logs", "bucket")
    assert known.mentioned("s3://shop-logs/x") == ()


# -- metrics ---------------------------------------------------------------------------------------


def test_request_metrics_count_only_where_they_are_on_and_for_the_whole_bucket() -> None:
    assert dimensions(bucket()) == (("BucketName", "shop-media"), ("FilterId", "EntireBucket"))
    asked = [one for one in SERVICE.metrics if one.period == 60]
    assert len(asked) == 9
    assert all(one.where is not None and one.where(bucket()) for one in asked)
    off = bucket(ListBucketMetricsConfigurations={})
    assert dimensions(off) == (("BucketName", "shop-media"),)
    assert not any(one.where is None or one.where(off) for one in asked)
    assert owner({"BucketName": "shop-media", "FilterId": "x"}, "aws", "eu-west-1", "111122223333") == BUCKET
    assert owner({"FilterId": "x"}, "aws", "eu-west-1", "111122223333") == ""


def test_what_is_stored_is_counted_daily_by_storage_class_whatever_is_configured() -> None:
    off = replace(bucket(), config={"Name": "shop-media"})
    daily = {one.name: one for one in SERVICE.metrics if one.period == 86400}
    assert set(daily) == {"NumberOfObjects", "BucketSizeBytes"}
    for name, kind in (("NumberOfObjects", "AllStorageTypes"), ("BucketSizeBytes", "StandardStorage")):
        spec = daily[name]
        assert (spec.stat, spec.where) == ("Average", None)
        wanted = (("BucketName", "shop-media"), ("StorageType", kind))
        assert SERVICE.dimensions_of(spec, off) == SERVICE.dimensions_of(spec, bucket()) == wanted
    (asked,) = [one for one in SERVICE.metrics if one.name == "AllRequests"]
    assert SERVICE.dimensions_of(asked, bucket()) == dimensions(bucket())
    held = dict(SERVICE.dimensions_of(daily["NumberOfObjects"], off))
    assert catalogue.owner_of("AWS/S3", held, "eu-west-1", "111122223333") == "arn:aws:s3:::shop-media"


# -- what was before, and back ---------------------------------------------------------------------


def test_a_policy_goes_back_to_the_one_that_an_earlier_event_set() -> None:
    policy = setting("Policy")
    before = happened("PutBucketPolicy", {"bucketPolicy": POLICY, "policy": ""})
    denied = happened("PutBucketPolicy", {"bucketPolicy": {"Statement": []}, "policy": ""}, 5)
    other = happened("PutBucketPolicy", {"bucketPolicy": {"Version": "x"}, "policy": ""}, 4, name="other")
    told = prior(policy, bucket(), denied, [before, other, denied], None)
    assert told.sources[0].kind == "previous_event"
    (call,) = policy.restore(bucket(), told.value)
    assert (call.operation, call.parameters["Bucket"]) == ("PutBucketPolicy", "shop-media")
    assert json.loads(call.parameters["Policy"]) == POLICY
    assert same(told.value, current(bucket(), policy), policy)


def test_a_policy_that_was_not_there_is_deleted_again() -> None:
    policy = setting("Policy")
    made = happened("CreateBucket", {})
    put = happened("PutBucketPolicy", {"bucketPolicy": POLICY, "policy": ""}, 5)
    told = prior(policy, bucket(), put, [made, put], None)
    assert requested(made, policy) == (True, None)
    assert (told.known, told.value) == (True, None)
    assert [one.operation for one in policy.restore(bucket(), told.value)] == ["DeleteBucketPolicy"]
    assert not prior(policy, bucket(), put, [put], None).known


def recorded_notifications(function: str = f"{THUMBNAILS}:live") -> Json:
    """As CloudTrail writes the XML: single elements are objects, not lists."""
    return {
        **NS,
        "CloudFunctionConfiguration": {
            "Id": "thumbnails",
            "CloudFunction": function,
            "Event": "s3:ObjectCreated:*",
            "Filter": {"S3Key": {"FilterRule": {"Name": "Prefix", "Value": "uploads/"}}},
        },
        "QueueConfiguration": [{"Queue": QUEUE, "Event": ["s3:ObjectRemoved:*"]}],
        "TopicConfiguration": {"Id": "topic", "Topic": TOPIC, "Event": "s3:ObjectRestore:*"},
        "EventBridgeConfiguration": "",
    }


def test_notifications_of_an_event_are_those_of_the_answer() -> None:
    notifications = setting("NotificationConfiguration")
    event = happened(
        "PutBucketNotification", {"NotificationConfiguration": recorded_notifications(), "notification": ""}
    )
    assert event.operation == "PutBucketNotificationConfiguration"
    known, value = requested(event, notifications)
    assert known
    assert same(value, current(bucket(), notifications), notifications)
    (call,) = notifications.restore(bucket(), value)
    assert validate(call) == ()
    sent = call.parameters["NotificationConfiguration"]
    assert sent["LambdaFunctionConfigurations"][0]["LambdaFunctionArn"] == f"{THUMBNAILS}:live"
    assert sent["EventBridgeConfiguration"] == {}


def test_notifications_that_were_cleared_are_known_as_none() -> None:
    notifications = setting("NotificationConfiguration")
    cleared = happened("PutBucketNotification", {"NotificationConfiguration": NS, "notification": ""})
    assert requested(cleared, notifications) == (True, "{}")
    empty = bucket(GetBucketNotificationConfiguration={})
    assert current(empty, notifications) == "{}"
    (call,) = notifications.restore(empty, "{}")
    assert call.parameters["NotificationConfiguration"] == {}


def test_one_lifecycle_rule_is_recorded_as_an_object_and_sent_as_a_list() -> None:
    lifecycle = setting("LifecycleConfiguration")
    rule: Json = {
        "ID": "tidy",
        "Filter": {"Prefix": "tmp/"},
        "Status": "Enabled",
        "Expiration": {"Days": "7"},
    }
    event = happened("PutBucketLifecycle", {"LifecycleConfiguration": {**NS, "Rule": rule}, "lifecycle": ""})
    _, value = requested(event, lifecycle)
    assert same(value, current(bucket(), lifecycle), lifecycle)
    (call,) = lifecycle.restore(bucket(), value)
    assert call.operation == "PutBucketLifecycleConfiguration"
    assert call.parameters["LifecycleConfiguration"]["Rules"] == [
        {"ID": "tidy", "Filter": {"Prefix": "tmp/"}, "Status": "Enabled", "Expiration": {"Days": 7}}
    ]


def test_an_empty_filter_covers_everything_and_stays_so() -> None:
    lifecycle = setting("LifecycleConfiguration")
    rule: Json = {"ID": "all", "Filter": "", "Status": "Enabled", "Expiration": {"Days": 1}}
    _, value = requested(
        happened("PutBucketLifecycle", {"LifecycleConfiguration": {"Rule": rule}}), lifecycle
    )
    (call,) = lifecycle.restore(bucket(), value)
    assert call.parameters["LifecycleConfiguration"]["Rules"][0]["Filter"] == {}


def test_a_document_that_does_not_survive_gives_no_call() -> None:
    lifecycle = setting("LifecycleConfiguration")
    for value in ('{"Rule":{"Unheard":"of"}}', '{"Rule":"HIDDEN_DUE_TO_SECURITY_REASONS"}', "words"):
        assert lifecycle.restore(bucket(), value) == ()


@given(
    wanted=st.booleans(),
    member=st.sampled_from(sorted(BLOCKS)),
    now=st.fixed_dictionaries(dict.fromkeys(BLOCKS, st.booleans())),
)
def test_one_block_of_public_access_leaves_the_others(wanted: bool, member: str, now: Json) -> None:
    at = Resource(
        arn=BUCKET,
        service="s3",
        type="bucket",
        name="shop-media",
        account="111122223333",
        region="eu-west-1",
        config={"PublicAccessBlockConfiguration": now},
    )
    (call,) = setting(f"PublicAccessBlockConfiguration.{member}").restore(at, wanted)
    assert validate(call) == ()
    assert call.parameters["PublicAccessBlockConfiguration"] == {**now, member: wanted}


def test_the_block_of_public_access_is_recorded_under_another_name() -> None:
    event = happened(
        "PutBucketPublicAccessBlock",
        {"PublicAccessBlockConfiguration": {**NS, "RestrictPublicBuckets": True}, "publicAccessBlock": ""},
    )
    assert catalogue.for_event(event) == (SERVICE, change("PutPublicAccessBlock"))
    restriction = setting("PublicAccessBlockConfiguration.RestrictPublicBuckets")
    assert requested(event, restriction) == (True, True)
    gone = happened("DeleteBucketPublicAccessBlock", {"publicAccessBlock": ""})
    assert requested(gone, restriction) == (True, False)


def test_what_a_block_of_public_access_leaves_out_is_off() -> None:
    policies = setting("PublicAccessBlockConfiguration.BlockPublicPolicy")
    part = {"PublicAccessBlockConfiguration": {**NS, "BlockPublicAcls": True}, "publicAccessBlock": ""}
    assert requested(happened("PutBucketPublicAccessBlock", part), policies) == (True, False)
    hidden = happened("PutBucketPublicAccessBlock", {"publicAccessBlock": ""})
    assert requested(hidden, policies) == (False, None)


def test_a_bucket_never_goes_back_to_no_versions() -> None:
    versioning = setting("VersioningConfiguration.Status")
    assert versioning.restore(bucket(), None) == ()
    (call,) = versioning.restore(bucket(), "Enabled")
    assert call.parameters["VersioningConfiguration"] == {"Status": "Enabled"}


def test_a_website_goes_back_to_its_newest_earlier_request() -> None:
    undo = change("DeleteBucketWebsite").undo
    assert undo is not None
    page: Json = {"WebsiteConfiguration": {**NS, "IndexDocument": {"Suffix": "index.html"}}, "website": ""}
    put, deleted = happened("PutBucketWebsite", page), happened("DeleteBucketWebsite", {"website": ""}, 5)
    (call,) = undo(deleted, (put,))
    assert validate(call) == ()
    assert call.parameters["WebsiteConfiguration"] == {"IndexDocument": {"Suffix": "index.html"}}
    assert undo(deleted, ()) == ()
    assert undo(deleted, (happened("PutBucketWebsite", page, name="other"),)) == ()
    new = change("PutBucketWebsite").undo
    assert new is not None
    assert [one.operation for one in new(put, (happened("CreateBucket", {}, -5),))] == ["DeleteBucketWebsite"]


@pytest.mark.parametrize(
    ("line", "points_to"),
    [
        (
            "User: arn:aws:sts::111122223333:assumed-role/web/i-1 is not authorized to perform: s3:GetObject on "
            'resource: "arn:aws:s3:::shop-media/a" with an explicit deny in a resource-based policy',
            "Policy",
        ),
        ("An error occurred (NoSuchBucket) when calling the PutObject operation", "DeleteBucket"),
        ("AccessControlListNotSupported: The bucket does not allow ACLs", "OwnershipControls"),
        ("SlowDown: Please reduce your request rate.", "prefix-limit"),
    ],
)
def test_error_texts_name_their_cause(line: str, points_to: str) -> None:
    assert next(one.points_to for one in SERVICE.signatures if re.search(one.match, line)) == points_to


def test_an_event_touches_its_bucket_in_its_partition() -> None:
    event = happened("PutBucketAcl", {"acl": ""})
    assert change("PutBucketAcl").touches(event) == (BUCKET,)
    china = replace(event, region="cn-north-1")
    assert change("PutBucketAcl").touches(china) == ("arn:aws-cn:s3:::shop-media",)


def test_what_a_role_may_do_with_objects_it_may_do_with_their_bucket() -> None:
    def meant(pattern: str) -> tuple[str, ...]:
        return targets(Grant(pattern=pattern, verb="reads", policy="media"), [BUCKET, "arn:aws:s3:::other"])

    assert meant(f"{BUCKET}/*") == meant(f"{BUCKET}/uploads/*.jpg") == meant(BUCKET) == (BUCKET,)
    assert meant("arn:aws:s3:::shop-*/*") == ()  # which buckets is not told


def test_policies_on_objects_name_their_bucket_and_those_on_everything_name_none() -> None:
    def granted(*patterns: str) -> list[str]:
        statement = {"Effect": "Allow", "Action": "s3:GetObject", "Resource": list(patterns)}
        role = {"Policies": [{"Name": "media", "Document": {"Statement": [statement]}}]}
        return [one.pattern for one in grants(role)]

    assert granted(f"{BUCKET}/*", "arn:aws:s3:::*", "arn:aws:s3:::*/*") == [f"{BUCKET}/*"]
