"""How CloudTrail records what is done to buckets: the subresource as an empty parameter, bodies as in S3's XML.

Names are the older ones of the API (CloudTrail user guide, S3): PutBucketNotification, PutBucketTagging.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from evals.world.domains import domain
from evals.world.trail import Deed
from evals.world.world import Thing, World
from tools.models import Json

if TYPE_CHECKING:
    from evals.world.kinds._kind import Act

POLICY_VERSION = "2012-10-17"


def host(bucket: Thing) -> str:
    return f"{bucket.name}.s3.{bucket.region}.{domain(bucket.region)}"


def _deed(world: World, bucket: Thing, name: str, request: Json) -> Deed:
    return Deed(
        source="s3",
        name=name,
        request={"bucketName": bucket.name, "Host": host(bucket), **request},
        resources=(("AWS::S3::Bucket", bucket.arn),),
        extra={
            "additionalEventData": {
                "SignatureVersion": "SigV4",
                "CipherSuite": "TLS_AES_128_GCM_SHA256",
                "bytesTransferredIn": 0 if name.startswith("Delete") else 412,
                "AuthenticationMethod": "AuthHeader",
                "bytesTransferredOut": 0,
            }
        },
    )


def change(world: World, act: Act) -> Deed:
    """PutBucketPolicy, DeleteBucketPolicy, PutBucketNotification, PutBucketVersioning."""
    bucket = act.thing
    if act.path == "Policy":
        if act.after is None:
            return _deed(world, bucket, "DeleteBucketPolicy", {"policy": ""})
        document = json.loads(act.after)
        return _deed(world, bucket, "PutBucketPolicy", {"bucketPolicy": document, "policy": ""})
    if act.path == "NotificationConfiguration":
        shown = [_notification(one) for one in notifications(bucket, act.moment)]
        body: Json = {"xmlns": "http://s3.amazonaws.com/doc/2006-03-01/"}
        if shown:
            body["CloudFunctionConfiguration"] = shown[0] if len(shown) == 1 else shown
        request = {"NotificationConfiguration": body, "notification": ""}
        return _deed(world, bucket, "PutBucketNotification", request)
    if act.path == "Versioning":
        body = {"xmlns": "http://s3.amazonaws.com/doc/2006-03-01/", "Status": act.after}
        return _deed(
            world, bucket, "PutBucketVersioning", {"VersioningConfiguration": body, "versioning": ""}
        )
    raise ValueError(f"{act.path} of a bucket is not modelled")


def notifications(bucket: Thing, moment: Any) -> list[Json]:
    """LambdaFunctionConfigurations as GetBucketNotificationConfiguration shows them."""
    held = json.loads(bucket.at("NotificationConfiguration", moment) or "{}")
    return list(held.get("LambdaFunctionConfigurations", []))


def _notification(one: Json) -> Json:
    """The same as S3's XML names it."""
    events = one["Events"]
    said: Json = {
        "Id": one["Id"],
        "CloudFunction": one["LambdaFunctionArn"],
        "Event": events[0] if len(events) == 1 else events,
    }
    if "Filter" in one:
        rules = [
            {"Name": rule["Name"], "Value": rule["Value"]} for rule in one["Filter"]["Key"]["FilterRules"]
        ]
        said["Filter"] = {"S3Key": {"FilterRule": rules[0] if len(rules) == 1 else rules}}
    return said


def tag(world: World, bucket: Thing, tags: dict[str, str]) -> Deed:
    """PutBucketTagging replaces all tags."""
    pairs = [{"Key": key, "Value": value} for key, value in sorted(tags.items())]
    body = {
        "xmlns": "http://s3.amazonaws.com/doc/2006-03-01/",
        "TagSet": {"Tag": pairs[0] if len(pairs) == 1 else pairs},
    }
    return _deed(world, bucket, "PutBucketTagging", {"Tagging": body, "tagging": ""})
