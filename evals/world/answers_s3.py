"""S3's configuration reads (API reference): what a bucket does not have is an error of its own, with status 404."""

from __future__ import annotations

import json

from evals.world.asking import Ask, Refusal, handles
from evals.world.deeds_s3 import notifications
from evals.world.keys import key_of
from evals.world.kinds.s3 import WHOLE
from evals.world.world import Thing
from tools.models import Json

_NONE = {
    "GetBucketCors": ("NoSuchCORSConfiguration", "The CORS configuration does not exist"),
    "GetBucketLifecycleConfiguration": (
        "NoSuchLifecycleConfiguration",
        "The lifecycle configuration does not exist",
    ),
    "GetBucketReplication": (
        "ReplicationConfigurationNotFoundError",
        "The replication configuration was not found",
    ),
    "GetBucketWebsite": (
        "NoSuchWebsiteConfiguration",
        "The specified bucket does not have a website configuration",
    ),
    "GetObjectLockConfiguration": (
        "ObjectLockConfigurationNotFoundError",
        "Object Lock configuration does not exist for this bucket",
    ),
}


def _all(ask: Ask) -> list[Thing]:
    return [one for one in ask.world.of("bucket") if one.created <= ask.as_of]


def _one(ask: Ask) -> Thing:
    name = str(ask.need("Bucket"))
    owner = ask.take("ExpectedBucketOwner")
    for one in _all(ask):
        if one.name == name:
            if owner not in (None, ask.world.account):
                raise Refusal("AccessDenied", "Access Denied", 403)
            return one
    raise Refusal("NoSuchBucket", "The specified bucket does not exist", 404)


@handles("s3", "ListBuckets")
def list_buckets(ask: Ask) -> Json:
    """In one answer, of all regions, unless pages are asked for."""
    size, token = ask.take("MaxBuckets"), ask.take("ContinuationToken")
    prefix, region = str(ask.take("Prefix", "")), ask.take("BucketRegion")
    found = [one for one in _all(ask) if one.name.startswith(prefix) and region in (None, one.region)]
    paged = size is not None or bool(prefix) or region is not None
    shown = [
        {"Name": one.name, "CreationDate": one.created} | ({"BucketRegion": one.region} if paged else {})
        for one in sorted(found, key=lambda one: one.name)
    ]
    page, following = ask.page(shown, int(size or 10_000), token)
    answer: Json = {"Buckets": page, "Owner": {"ID": ask.world.seed.hex("canonical user", 64)}}
    return answer | ({"ContinuationToken": following} if following else {})


@handles("s3", "HeadBucket")
def head_bucket(ask: Ask) -> Json:
    return {"BucketRegion": _one(ask).region, "AccessPointAlias": False}


@handles("s3", "GetBucketLocation")
def get_bucket_location(ask: Ask) -> Json:
    region = _one(ask).region
    return {} if region == "us-east-1" else {"LocationConstraint": region}


@handles("s3", "GetBucketPolicy")
def get_bucket_policy(ask: Ask) -> Json:
    held = _one(ask).at("Policy", ask.as_of)
    if not held:
        raise Refusal("NoSuchBucketPolicy", "The bucket policy does not exist", 404)
    return {"Policy": held}


@handles("s3", "GetBucketPolicyStatus")
def get_bucket_policy_status(ask: Ask) -> Json:
    held = _one(ask).at("Policy", ask.as_of)
    if not held:
        raise Refusal("NoSuchBucketPolicy", "The bucket policy does not exist", 404)
    public = any(
        one["Effect"] == "Allow" and one.get("Principal") == "*" for one in json.loads(held)["Statement"]
    )
    return {"PolicyStatus": {"IsPublic": public}}


@handles("s3", "GetBucketNotificationConfiguration")
def get_bucket_notification(ask: Ask) -> Json:
    found = notifications(_one(ask), ask.as_of)
    return {"LambdaFunctionConfigurations": found} if found else {}


@handles("s3", "GetBucketEncryption")
def get_bucket_encryption(ask: Ask) -> Json:
    key = key_of(ask.world, _one(ask))
    rule: Json = {"SSEAlgorithm": "AES256"}
    if key is not None:
        rule = {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": key.arn}
    rules = [{"ApplyServerSideEncryptionByDefault": rule, "BucketKeyEnabled": False}]
    return {"ServerSideEncryptionConfiguration": {"Rules": rules}}


@handles("s3", "GetBucketVersioning")
def get_bucket_versioning(ask: Ask) -> Json:
    state = _one(ask).at("Versioning", ask.as_of)
    return {"Status": state} if state else {}


@handles("s3", "GetBucketTagging")
def get_bucket_tagging(ask: Ask) -> Json:
    tags = _one(ask).tags(ask.as_of)
    if not tags:
        raise Refusal("NoSuchTagSet", "The TagSet does not exist", 404)
    return {"TagSet": [{"Key": key, "Value": value} for key, value in sorted(tags.items())]}


@handles("s3", "GetPublicAccessBlock")
def get_public_access_block(ask: Ask) -> Json:
    """As S3 sets it for new buckets."""
    _one(ask)
    names = ("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets")
    return {"PublicAccessBlockConfiguration": dict.fromkeys(names, True)}


@handles("s3", "GetBucketOwnershipControls")
def get_bucket_ownership_controls(ask: Ask) -> Json:
    _one(ask)
    return {"OwnershipControls": {"Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]}}


@handles("s3", "GetBucketLogging")
def get_bucket_logging(ask: Ask) -> Json:
    _one(ask)
    return {}


@handles("s3", "GetBucketAccelerateConfiguration")
def get_bucket_accelerate(ask: Ask) -> Json:
    _one(ask)
    return {}


@handles("s3", "GetBucketRequestPayment")
def get_bucket_request_payment(ask: Ask) -> Json:
    _one(ask)
    return {"Payer": "BucketOwner"}


@handles("s3", "GetBucketMetricsConfiguration")
def get_bucket_metrics(ask: Ask) -> Json:
    bucket, wanted = _one(ask), ask.need("Id")
    if wanted != WHOLE or not bucket.fixed["metrics"]:
        raise Refusal("NoSuchConfiguration", "The specified configuration does not exist.", 404)
    return {"MetricsConfiguration": {"Id": WHOLE}}


@handles("s3", "ListBucketMetricsConfigurations")
def list_bucket_metrics(ask: Ask) -> Json:
    bucket = _one(ask)
    ask.take("ContinuationToken")
    found = [{"Id": WHOLE}] if bucket.fixed["metrics"] else []
    return {"IsTruncated": False} | ({"MetricsConfigurationList": found} if found else {})


def _absent(ask: Ask) -> Json:
    """What no bucket of a world has."""
    _one(ask)
    raise Refusal(*_NONE[ask.operation], 404)


for _operation in _NONE:
    handles("s3", _operation)(_absent)
