"""S3: buckets, whom they let in, whom they notify, and what they do with objects by themselves.

`config` of a bucket holds `Name` and, under the names that the calls which set them use, what each read says: `Policy`
(as an object), `NotificationConfiguration`, `LifecycleConfiguration`, `PublicAccessBlockConfiguration`,
`ServerSideEncryptionConfiguration`, `CORSConfiguration`, `VersioningConfiguration`, `OwnershipControls`,
`ReplicationConfiguration`, `RequestPaymentConfiguration`; and `MetricsConfigurationList`. What is not configured is
absent. Ids of rules that S3 made up are left out, and keys of notification filters are in small letters, as they are
sent: else the same rules would look different in a request and in an answer.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

from tools.arn import build, is_arn, partition_of
from tools.arn import parse as parse_arn
from tools.errors import BadInput, NotThere
from tools.evidence import canonical
from tools.kit import call, optional, plain, record, relation, text, uses_key
from tools.models import Call, ChangeEvent, Json, Relation, Resource, Value
from tools.parameters import from_cloudtrail
from tools.policies import document, listed
from tools.services._spec import (
    Change,
    Condition,
    Directory,
    Effect,
    MetricSpec,
    Outline,
    Read,
    Service,
    Setting,
    Signature,
    inert,
)

if TYPE_CHECKING:
    from tools.aws import Reader

_SOURCE = "s3.amazonaws.com"
_UUID = re.compile(r"^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$")
_OLD_REGIONS = {"": "us-east-1", "EU": "eu-west-1"}  # GetBucketLocation, API reference


def bucket_arn(name: str, region: str) -> str:
    """The ARN of a bucket, which holds neither region nor account."""
    return f"arn:{partition_of(region)}:s3:::{name}"


def _touches(event: ChangeEvent) -> tuple[str, ...]:
    name = text(event.request, "bucketName")
    return (bucket_arn(name, event.region),) if name else ()


# -- reading ---------------------------------------------------------------------------------------


def discover(reader: Reader, region: str) -> Iterable[Resource]:
    """Names of the account's buckets, of whatever region: whoever uses one may be in another."""
    buckets = reader.pages(
        "s3",
        "ListBuckets",
        "Buckets",
        region=region,
        token=("ContinuationToken", "ContinuationToken"),
        MaxBuckets=1000,
    )
    for item in buckets.items:
        place = text(item, "BucketRegion") or region
        arn = bucket_arn(item["Name"], region)
        yield _resource(arn, reader.aws.account, place, {"Name": item["Name"]}, buckets.evidence)


def _resource(
    arn: str,
    account: str,
    region: str,
    config: Json,
    evidence: Iterable[str],
    tags: Mapping[str, str] | None = None,
) -> Resource:
    return Resource(
        arn=arn,
        service="s3",
        type="bucket",
        name=parse_arn(arn).resource,
        account=account,
        region=region,
        config=config,
        tags=dict(tags or {}),
        evidence=tuple(id for id in evidence if id),
    )


_PARTS: tuple[tuple[str, str, str, str], ...] = (
    # operation, member of the answer ("": the whole), key in config, what it shows
    ("GetBucketPolicy", "Policy", "Policy", "Bucket policy"),
    ("GetBucketNotificationConfiguration", "", "NotificationConfiguration", "Notifications"),
    ("GetBucketLifecycleConfiguration", "Rules", "LifecycleConfiguration", "Lifecycle rules"),
    (
        "GetPublicAccessBlock",
        "PublicAccessBlockConfiguration",
        "PublicAccessBlockConfiguration",
        "Block of public access",
    ),
    (
        "GetBucketEncryption",
        "ServerSideEncryptionConfiguration",
        "ServerSideEncryptionConfiguration",
        "Encryption",
    ),
    ("GetBucketCors", "CORSRules", "CORSConfiguration", "CORS rules"),
    ("GetBucketVersioning", "", "VersioningConfiguration", "Versioning"),
    ("GetBucketOwnershipControls", "OwnershipControls", "OwnershipControls", "Object ownership"),
    ("GetBucketReplication", "ReplicationConfiguration", "ReplicationConfiguration", "Replication"),
    ("GetBucketRequestPayment", "", "RequestPaymentConfiguration", "Who pays for requests"),
    (
        "ListBucketMetricsConfigurations",
        "MetricsConfigurationList",
        "MetricsConfigurationList",
        "Which request metrics are on",
    ),
)


def describe(reader: Reader, arn: str) -> Resource | None:
    """The bucket with its configurations and tags. Parts that the caller may not read are gaps."""
    name = parse_arn(arn).resource
    region, evidence = reader.region, []
    with reader.seeing(f"Region of the bucket {name}", "where the bucket is"):
        try:
            answer = reader.ask("s3", "GetBucketLocation", Bucket=name)
        except NotThere:
            return None
        told = text(answer.data, "LocationConstraint")
        region = _OLD_REGIONS.get(told, told)
        evidence.append(answer.evidence)
    config: Json = {"Name": name}
    for operation, member, key, what in _PARTS:
        part = optional(reader, "s3", operation, what, region=region, Bucket=name)
        if part is None:
            continue
        evidence.append(part.evidence)
        if kept := _kept(key, part.data.get(member) if member else part.data):
            config[key] = kept
    tags = optional(reader, "s3", "GetBucketTagging", "Tags", region=region, Bucket=name)
    kept_tags = {one["Key"]: one.get("Value", "") for one in (tags.data.get("TagSet") or [])} if tags else {}
    return _resource(arn, reader.aws.account, region, plain(config), evidence, kept_tags)


def _kept(key: str, found: Any) -> Any:
    """A part as `config` keeps it; nothing for what is not configured."""
    if key == "Policy":
        return document(found or "{}")
    if key in ("LifecycleConfiguration", "CORSConfiguration"):
        rules = "Rules" if key == "LifecycleConfiguration" else "CORSRules"
        return _plain_rules({rules: found}) if found else {}
    return _plain_rules(found) if isinstance(found, Mapping) else found


def _plain_rules(value: Any, name: str = "") -> Any:
    """Without ids that S3 made up, without what S3 adds by itself, and with filter keys as they are sent."""
    if isinstance(value, Mapping):
        return {
            key: _plain_rules(inner, str(key))
            for key, inner in value.items()
            if not (key in ("Id", "ID") and _made_up(inner))
            and not (key == "BucketKeyEnabled" and inner is False)
            and key != "ResponseMetadata"
        }
    if isinstance(value, list | tuple):
        if name == "FilterRules":
            return [{**one, "Name": text(one, "Name").lower()} for one in value]
        return [_plain_rules(one) for one in value]
    return value


def _made_up(id: Any) -> bool:
    """Whether an id is one that S3 gives a rule that came without: a UUID, in base64."""
    try:
        return _UUID.match(base64.b64decode(str(id), validate=True).decode()) is not None
    except (binascii.Error, UnicodeDecodeError, ValueError):
        return False


# -- relations -------------------------------------------------------------------------------------


def relations(resource: Resource, directory: Directory) -> Iterable[Relation]:
    """Whom a bucket notifies, where it is copied to, which key it needs, and who is let in by name."""
    yield from _notified(resource)
    replication = resource.config.get("ReplicationConfiguration") or {}
    said = "s3:GetBucketReplication"
    if is_arn(role := text(replication, "Role")):
        yield relation(resource, role, "runs as", f"{said} Role")
    for rule in replication.get("Rules") or []:
        target = text(rule, "Destination", "Bucket")
        if is_arn(target) and rule.get("Status") == "Enabled":
            yield relation(resource, target, "replicates to", f"{said} Destination.Bucket")
    encryption = resource.config.get("ServerSideEncryptionConfiguration") or {}
    for rule in encryption.get("Rules") or []:
        key = text(rule, "ApplyServerSideEncryptionByDefault", "KMSMasterKeyID")
        yield from uses_key(resource, key, "s3:GetBucketEncryption KMSMasterKeyID")
    for statement in listed((resource.config.get("Policy") or {}).get("Statement")):
        for caller in _let_in(statement):
            yield Relation(
                source=caller,
                target=resource.arn,
                kind="may use",
                provenance="s3:GetBucketPolicy Condition.SourceArn",
                confidence=0.6,
                evidence=resource.evidence,
            )


def _notified(resource: Resource) -> Iterator[Relation]:
    told = resource.config.get("NotificationConfiguration") or {}
    said = "s3:GetBucketNotificationConfiguration"
    for group, member in (
        ("LambdaFunctionConfigurations", "LambdaFunctionArn"),
        ("QueueConfigurations", "QueueArn"),
        ("TopicConfigurations", "TopicArn"),
    ):
        for target in dict.fromkeys(text(one, member) for one in told.get(group) or []):
            if is_arn(target):
                function = re.sub(r"(:function:[^:]+):.*$", r"\1", target)
                yield relation(resource, function, "notifies", f"{said} {member}")
    if "EventBridgeConfiguration" in told:
        bus = build("events", resource.region, resource.account, "event-bus/default")
        yield relation(resource, bus, "notifies", f"{said} EventBridgeConfiguration")


def _let_in(statement: Mapping[str, Any]) -> Iterator[str]:
    """ARNs without wildcards that an allowing statement admits by aws:SourceArn: distributions, other buckets."""
    if statement.get("Effect") != "Allow":
        return
    for test in (statement.get("Condition") or {}).values():
        for key, value in test.items() if isinstance(test, Mapping) else ():
            if key.lower() == "aws:sourcearn":
                for one in listed(value):
                    if is_arn(str(one)) and "*" not in str(one):
                        yield str(one)


def dimensions(resource: Resource) -> tuple[tuple[str, str], ...]:
    """Request metrics are counted for a filter: the one over the whole bucket, else the first."""
    configured = resource.config.get("MetricsConfigurationList") or []
    whole = [one for one in configured if not one.get("Filter")]
    filter = next((text(one, "Id") for one in (*whole, *configured)), "")
    return (
        (("BucketName", resource.name), ("FilterId", filter)) if filter else (("BucketName", resource.name),)
    )


def _measured(resource: Resource) -> bool:
    """Whether request metrics are switched on; they cost money and are off unless somebody asked for them."""
    return bool(resource.config.get("MetricsConfigurationList"))


def owner(dimensions: Mapping[str, str], partition: str, region: str, account: str) -> str:
    name = dimensions.get("BucketName", "")
    return f"arn:{partition}:s3:::{name}" if name else ""


# -- settings --------------------------------------------------------------------------------------


def _read(operation: str, resource: Resource) -> Call:
    return call("s3", operation, resource, Bucket=resource.name)


def _parsed(operation: str, member: str, value: Any) -> Any:
    """A document as the call takes it, from CloudTrail's, the answer's or the call's own spelling; None for neither."""
    said = json.loads(value) if isinstance(value, str) and value[:1] in ("{", "[") else value
    if member == "Policy":
        return said if isinstance(said, Mapping) else None
    try:
        made = from_cloudtrail("s3", operation, {"bucketName": "any-bucket", member: said})
    except BadInput:
        return None
    return made.get(member)


def _means(operation: str, member: str, event: ChangeEvent, value: Value) -> Value:
    """A recorded document as `config` keeps it."""
    made = _parsed(operation, member, value)
    return value if made is None else canonical(_plain_rules(made) if member != "Policy" else made)


def _restore(operation: str, member: str, delete: str, resource: Resource, value: Any) -> tuple[Call, ...]:
    """The whole document again, for a Put replaces it; the delete call for none, where there is one."""
    if value is None:
        return (call("s3", delete, resource, Bucket=resource.name),) if delete else ()
    made = _parsed(operation, member, value)
    if made is None:
        return ()
    sent = canonical(made) if member == "Policy" else made
    return (call("s3", operation, resource, Bucket=resource.name, **{member: sent}),)


def _restore_versioning(resource: Resource, value: Value) -> tuple[Call, ...]:
    if value not in ("Enabled", "Suspended"):
        return ()  # a bucket that was versioned once can never be without again
    status = {"Status": value}
    return (
        call("s3", "PutBucketVersioning", resource, Bucket=resource.name, VersioningConfiguration=status),
    )


_BLOCKS = ("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets")


def _restore_block(member: str, resource: Resource, value: Value) -> tuple[Call, ...]:
    # PutPublicAccessBlock replaces all four: those that stay are sent too.
    now = resource.config.get("PublicAccessBlockConfiguration") or {}
    all_four = {name: bool(now.get(name, False)) for name in _BLOCKS}
    all_four[member] = bool(value)
    return (
        call(
            "s3",
            "PutPublicAccessBlock",
            resource,
            Bucket=resource.name,
            PublicAccessBlockConfiguration=all_four,
        ),
    )


def _restore_payer(resource: Resource, value: Value) -> tuple[Call, ...]:
    return (
        call(
            "s3",
            "PutBucketRequestPayment",
            resource,
            Bucket=resource.name,
            RequestPaymentConfiguration={"Payer": str(value or "BucketOwner")},
        ),
    )


# Policies reach all of S3 within minutes; callers that are refused show it, the bucket only with request metrics.
_REFUSED = (
    Effect(metric="4xxErrors", direction="up", after=(0, 900), may=True),
    Effect(metric="PutRequests", direction="down", after=(0, 900), may=True),
    Effect(metric="role:errors", direction="up", on="upstream", after=(0, 900)),
    Effect(metric="role:backlog", direction="up", on="upstream", after=(0, 3600)),
    Effect(metric="role:work", direction="down", on="upstream", after=(0, 1800)),
    Effect(metric="role:demand", direction="down", on="downstream", after=(0, 1800)),
    Effect(metric="role:work", direction="down", on="downstream", after=(0, 1800)),
)
_NOT_TOLD = (
    *(
        Effect(metric=f"role:{role}", direction=direction, on="downstream", after=(0, 3600))
        for role in ("demand", "work")
        for direction in ("down", "silent")
    ),
    # Too much may be told as well: a function that writes where it is called from calls itself.
    *(
        Effect(metric=f"role:{role}", direction="up", on="downstream", after=(0, 3600))
        for role in ("demand", "work", "throttles", "saturation", "errors", "backlog")
    ),
)
# Rules run once a day after midnight UTC, and objects go over the following days.
_EXPIRED = (
    Effect(metric="NumberOfObjects", direction="down", after=(3600, 259200), may=True),
    Effect(metric="4xxErrors", direction="up", after=(3600, 259200), may=True),
    Effect(metric="role:errors", direction="up", on="upstream", after=(3600, 259200)),
)


def _document(
    name: str,
    key: str,
    put: str,
    delete: str,
    read: str,
    query: str,
    effects: tuple[Effect, ...],
    *,
    member: str = "",
    recorded: str = "",
    unset: Value = None,
) -> Setting:
    """A whole document that one call replaces."""
    requests = {put: recorded or key}
    if delete:
        requests[delete] = "`null`"
    if unset is None:
        requests["CreateBucket"] = "`null`"  # a new bucket has none
    return Setting(
        type="bucket",
        name=name,
        path=key,
        unit="",
        requests=requests,
        restore=partial(_restore, put, member or key, delete),
        read=partial(_read, read),
        query=query,
        unset=unset,
        echo="none",
        effects=effects,
        means=partial(_means, put, member or key),
    )


SETTINGS = (
    _document(
        "bucket policy",
        "Policy",
        "PutBucketPolicy",
        "DeleteBucketPolicy",
        "GetBucketPolicy",
        "Policy",
        _REFUSED,
        recorded="bucketPolicy",
    ),
    _document(
        "notifications",
        "NotificationConfiguration",
        "PutBucketNotificationConfiguration",
        "",
        "GetBucketNotificationConfiguration",
        "[LambdaFunctionConfigurations, QueueConfigurations, TopicConfigurations][]",
        _NOT_TOLD,
        unset="{}",
    ),
    _document(
        "lifecycle rules",
        "LifecycleConfiguration",
        "PutBucketLifecycleConfiguration",
        "DeleteBucketLifecycle",
        "GetBucketLifecycleConfiguration",
        "Rules",
        _EXPIRED,
    ),
    _document(
        "CORS rules",
        "CORSConfiguration",
        "PutBucketCors",
        "DeleteBucketCors",
        "GetBucketCors",
        "CORSRules",
        (
            Effect(metric="4xxErrors", direction="up", after=(0, 900), may=True),
            Effect(metric="AllRequests", direction="down", after=(0, 900), may=True),
            Effect(metric="role:demand", direction="down", on="downstream", after=(0, 1800)),
        ),
    ),
    Setting(
        type="bucket",
        name="encryption",
        path="ServerSideEncryptionConfiguration",
        unit="",
        requests={"PutBucketEncryption": "ServerSideEncryptionConfiguration"},
        restore=partial(
            _restore, "PutBucketEncryption", "ServerSideEncryptionConfiguration", "DeleteBucketEncryption"
        ),
        read=partial(_read, "GetBucketEncryption"),
        query="ServerSideEncryptionConfiguration.Rules",
        echo="none",
        effects=_REFUSED,
        means=partial(_means, "PutBucketEncryption", "ServerSideEncryptionConfiguration"),
    ),
    Setting(
        type="bucket",
        name="object ownership",
        path="OwnershipControls",
        unit="",
        requests={"PutBucketOwnershipControls": "OwnershipControls"},
        restore=partial(
            _restore, "PutBucketOwnershipControls", "OwnershipControls", "DeleteBucketOwnershipControls"
        ),
        read=partial(_read, "GetBucketOwnershipControls"),
        query="OwnershipControls.Rules",
        echo="none",
        effects=_REFUSED,
        means=partial(_means, "PutBucketOwnershipControls", "OwnershipControls"),
    ),
    _document(
        "replication",
        "ReplicationConfiguration",
        "PutBucketReplication",
        "DeleteBucketReplication",
        "GetBucketReplication",
        "ReplicationConfiguration.Rules",
        (
            Effect(metric="role:demand", direction="down", on="downstream", after=(0, 7200)),
            Effect(metric="role:work", direction="down", on="downstream", after=(0, 7200)),
        ),
    ),
    Setting(
        type="bucket",
        name="versioning",
        path="VersioningConfiguration.Status",
        unit="",
        requests={"PutBucketVersioning": "VersioningConfiguration.Status"},
        restore=_restore_versioning,
        read=partial(_read, "GetBucketVersioning"),
        query="Status",
        echo="none",
        effects=(Effect(metric="role:errors", direction="up", on="upstream", after=(0, 86400)),),
    ),
    *(
        Setting(
            type="bucket",
            name=words,
            path=f"PublicAccessBlockConfiguration.{member}",
            unit="",
            requests={
                # The whole is put: what a request leaves out is off from then on.
                "PutPublicAccessBlock": "PublicAccessBlockConfiguration"
                f" && (PublicAccessBlockConfiguration.{member} || `false`)",
                "DeletePublicAccessBlock": "`false`",
            },
            restore=partial(_restore_block, member),
            read=partial(_read, "GetPublicAccessBlock"),
            query=f"PublicAccessBlockConfiguration.{member}",
            unset=False,
            echo="none",
            effects=tuple(
                Effect(
                    metric=one.metric,
                    direction=one.direction,
                    on=one.on,
                    after=one.after,
                    when="raised",
                    may=one.may,
                )
                for one in _REFUSED
            ),
            beside=tuple(f"PublicAccessBlockConfiguration.{other}" for other in _BLOCKS if other != member),
        )
        for member, words in zip(
            _BLOCKS,
            (
                "block of new public ACLs",
                "disregard of public ACLs",
                "block of public policies",
                "restriction of a public bucket to its account",
            ),
            strict=True,
        )
    ),
    Setting(
        type="bucket",
        name="who pays for requests",
        path="RequestPaymentConfiguration.Payer",
        unit="",
        requests={"PutBucketRequestPayment": "RequestPaymentConfiguration.Payer"},
        restore=_restore_payer,
        read=partial(_read, "GetBucketRequestPayment"),
        query="Payer",
        unset="BucketOwner",
        echo="none",
        effects=_REFUSED,
    ),
)


# -- changes ---------------------------------------------------------------------------------------

_NS: Json = {"xmlns": "http://s3.amazonaws.com/doc/2006-03-01/"}
_BUCKET: Json = {"bucketName": "shop-media", "Host": "shop-media.s3.eu-west-1.amazonaws.com"}
_ARN = "arn:aws:s3:::shop-media"


def _recorded(action: str, request: Json, mark: str = "") -> Json:
    """A record as S3 writes it: the part of the URL that names the sub-resource is a parameter too."""
    marked: Json = {mark: ""} if mark else {}
    made = record(_SOURCE, action, {**_BUCKET, **request, **marked})
    made["resources"] = [{"accountId": "111122223333", "type": "AWS::S3::Bucket", "ARN": _ARN}]
    return made


def _undo_replaced(
    put: str, delete: str, event: ChangeEvent, earlier: tuple[ChangeEvent, ...]
) -> tuple[Call, ...]:
    """The request of the newest earlier event on the same bucket again; no call when there is none."""
    for one in earlier:
        if _touches(one) != _touches(event):
            continue
        if one.operation == put:
            try:
                return (call("s3", put, event, **from_cloudtrail("s3", put, one.request)),)
            except BadInput:
                return ()
        if delete and one.operation in (delete, "CreateBucket"):
            return (call("s3", delete, event, Bucket=text(event.request, "bucketName")),)
    return ()


def _change(
    operation: str,
    breaks: str,
    request: Json,
    *,
    action: str = "",
    mark: str = "",
    effects: tuple[Effect, ...] = (),
    undo: Callable[[ChangeEvent, tuple[ChangeEvent, ...]], tuple[Call, ...]] | None = None,
    earlier: tuple[str, ...] = (),
) -> Change:
    return Change(
        operation=operation,
        touches=_touches,
        breaks=breaks,
        example=_recorded(action or operation, request, mark),
        effects=effects,
        undo=undo,
        earlier=earlier,
    )


_DENY: Json = {
    "Version": "2012-10-17",
    "Statement": [
        {
            "Sid": "OnlyFromTheOffice",
            "Effect": "Deny",
            "Principal": "*",
            "Action": "s3:*",
            "Resource": [_ARN, f"{_ARN}/*"],
            "Condition": {"NotIpAddress": {"aws:SourceIp": "203.0.113.0/24"}},
        }
    ],
}
_NOTIFY: Json = {
    **_NS,
    "CloudFunctionConfiguration": {
        "Id": "thumbnails",
        "CloudFunction": "arn:aws:lambda:eu-west-1:111122223333:function:thumbnails",
        "Event": "s3:ObjectCreated:*",
        "Filter": {"S3Key": {"FilterRule": {"Name": "prefix", "Value": "uploads/"}}},
    },
}
_REPLICATION: Json = {
    **_NS,
    "Role": "arn:aws:iam::111122223333:role/shop-media-copy",
    "Rule": {
        "ID": "all",
        "Priority": 1,
        "Filter": "",
        "Status": "Enabled",
        "Destination": {"Bucket": "arn:aws:s3:::shop-media-copy"},
        "DeleteMarkerReplication": {"Status": "Disabled"},
    },
}
_WEBSITE: Json = {"WebsiteConfiguration": {**_NS, "IndexDocument": {"Suffix": "index.html"}}}

CHANGES = (
    _change(
        "PutBucketPolicy",
        "Callers that the new policy denies, or no longer allows, are refused.",
        {"bucketPolicy": _DENY},
        mark="policy",
    ),
    _change("DeleteBucketPolicy", "Callers that only the policy allowed are refused.", {}, mark="policy"),
    _change(
        "PutBucketNotificationConfiguration",
        "Functions, queues and topics that are no longer named get nothing; newly named ones get it all.",
        {"NotificationConfiguration": _NOTIFY},
        action="PutBucketNotification",
        mark="notification",
    ),
    _change(
        "PutBucketLifecycleConfiguration",
        "Objects that a rule covers are deleted or archived within days; without versions they are gone for good.",
        {
            "LifecycleConfiguration": {
                **_NS,
                "Rule": {
                    "ID": "tidy",
                    "Status": "Enabled",
                    "Filter": {"Prefix": ""},
                    "Expiration": {"Days": 1},
                },
            }
        },
        action="PutBucketLifecycle",
        mark="lifecycle",
    ),
    _change("DeleteBucketLifecycle", "Objects are kept for ever and paid for.", {}, mark="lifecycle"),
    _change(
        "PutPublicAccessBlock",
        "Callers whom only a public policy or ACL let in are refused.",
        {
            "PublicAccessBlockConfiguration": {
                **_NS,
                "BlockPublicAcls": True,
                "IgnorePublicAcls": True,
                "BlockPublicPolicy": True,
                "RestrictPublicBuckets": True,
            }
        },
        action="PutBucketPublicAccessBlock",
        mark="publicAccessBlock",
    ),
    _change(
        "DeletePublicAccessBlock",
        "Nothing breaks; policies and ACLs may let the public in again.",
        {},
        action="DeleteBucketPublicAccessBlock",
        mark="publicAccessBlock",
    ),
    _change(
        "PutBucketEncryption",
        "Writers that may not use the new key are refused, and later the readers of what was written with it.",
        {
            "ServerSideEncryptionConfiguration": {
                **_NS,
                "Rule": {
                    "ApplyServerSideEncryptionByDefault": {
                        "SSEAlgorithm": "aws:kms",
                        "KMSMasterKeyID": "arn:aws:kms:eu-west-1:111122223333:key/1f2e3d4c-5b6a-4789-90ab-cdef01234567",
                    },
                    "BucketKeyEnabled": True,
                },
            }
        },
        mark="encryption",
    ),
    _change(
        "DeleteBucketEncryption",
        "New objects are encrypted with S3's own key: readers that expect another may refuse them.",
        {},
        mark="encryption",
        effects=_REFUSED,
        undo=partial(_undo_replaced, "PutBucketEncryption", ""),
        earlier=("PutBucketEncryption",),
    ),
    _change(
        "PutBucketCors",
        "Browsers refuse pages of other origins what the rules do not allow.",
        {
            "CORSConfiguration": {
                **_NS,
                "CORSRule": {
                    "AllowedOrigin": "https://shop.example",
                    "AllowedMethod": ["GET", "PUT"],
                    "AllowedHeader": "*",
                    "MaxAgeSeconds": 300,
                },
            }
        },
        mark="cors",
    ),
    _change("DeleteBucketCors", "Browsers refuse pages of other origins everything.", {}, mark="cors"),
    _change(
        "PutBucketVersioning",
        "Suspended, a deleted or overwritten object is gone; enabled, deletes leave markers behind.",
        {"VersioningConfiguration": {**_NS, "Status": "Suspended"}},
        mark="versioning",
    ),
    _change(
        "PutBucketOwnershipControls",
        "With ownership enforced, writers that send an ACL are refused, and ACLs let nobody in any more.",
        {"OwnershipControls": {**_NS, "Rule": {"ObjectOwnership": "BucketOwnerEnforced"}}},
        mark="ownershipControls",
    ),
    _change(
        "DeleteBucketOwnershipControls",
        "Objects belong to whoever writes them: the bucket's owner may be refused them.",
        {},
        mark="ownershipControls",
        effects=_REFUSED,
        undo=partial(_undo_replaced, "PutBucketOwnershipControls", ""),
        earlier=("PutBucketOwnershipControls",),
    ),
    _change(
        "PutBucketReplication",
        "Objects are copied elsewhere or no longer.",
        {"ReplicationConfiguration": _REPLICATION},
        mark="replication",
    ),
    _change("DeleteBucketReplication", "Objects are no longer copied.", {}, mark="replication"),
    _change(
        "PutBucketRequestPayment",
        "Callers that do not say that they pay are refused.",
        {"RequestPaymentConfiguration": {**_NS, "Payer": "Requester"}},
        mark="requestPayment",
    ),
    _change(
        "PutBucketWebsite",
        "Pages are found under other names, or not at all.",
        _WEBSITE,
        mark="website",
        effects=_REFUSED,
        undo=partial(_undo_replaced, "PutBucketWebsite", "DeleteBucketWebsite"),
        earlier=("PutBucketWebsite", "DeleteBucketWebsite", "CreateBucket"),
    ),
    _change(
        "DeleteBucketWebsite",
        "The bucket's website answers no more.",
        {},
        mark="website",
        effects=_REFUSED,
        undo=partial(_undo_replaced, "PutBucketWebsite", ""),
        earlier=("PutBucketWebsite",),
    ),
    _change(
        "PutBucketAcl",
        "Callers that the old ACL let in are refused.",
        {"AccessControlPolicy": {**_NS, "AccessControlList": {"Grant": []}}},
        mark="acl",
        effects=_REFUSED,
    ),
    _change(
        "DeleteBucket",
        "Every request fails: the bucket does not exist any more. Another account may take its name.",
        {},
        effects=(
            *_REFUSED,
            Effect(metric="AllRequests", direction="silent", after=(0, 900), may=True),
        ),
    ),
    *(
        inert(operation, _touches, _recorded(operation, request, mark))
        for operation, request, mark in (
            (
                "CreateBucket",
                {"CreateBucketConfiguration": {**_NS, "LocationConstraint": "eu-west-1"}},
                "",
            ),
            (
                "PutBucketTagging",
                {"Tagging": {**_NS, "TagSet": {"Tag": {"Key": "team", "Value": "shop"}}}},
                "tagging",
            ),
            ("DeleteBucketTagging", {}, "tagging"),
            (
                "PutBucketLogging",
                {
                    "BucketLoggingStatus": {
                        **_NS,
                        "LoggingEnabled": {"TargetBucket": "shop-logs", "TargetPrefix": "m/"},
                    }
                },
                "logging",
            ),
        )
    ),
)


# -- conditions, signatures, metrics ---------------------------------------------------------------

CONDITIONS = (
    Condition(
        key="prefix-limit",
        type="bucket",
        title="prefix at its limit: requests concentrate on few prefixes of the bucket",
        metrics=("5xxErrors",),
        breaks="Requests to the busiest prefix are answered with Slow Down until S3 has divided it.",
        relieve=(
            "Slow the senders down and let them retry with growing pauses: S3 scales within minutes to half an hour.",
        ),
        prevent=(
            "Spread keys over more prefixes before planned peaks.",
            "Alarm on 5xxErrors of the bucket's request metrics.",
        ),
    ),
)

SIGNATURES = (
    Signature(
        match=r"is not authorized to perform: s3:\w+ .*with an explicit deny in a resource-based policy",
        code="AccessDenied",
        reason="",
        points_to="Policy",
        says="the bucket's own policy denies the call",
    ),
    Signature(
        match=r"is not authorized to perform: s3:\w+ .*because no resource-based policy allows",
        code="AccessDenied",
        reason="",
        points_to="Policy",
        says="the bucket's own policy does not allow the call",
    ),
    Signature(
        match=r"is not authorized to perform: s3:\w+ .*because public (?:access|policies|ACLs)\b.*block",
        code="AccessDenied",
        reason="",
        points_to="PublicAccessBlockConfiguration.RestrictPublicBuckets",
        says="the block of public access refuses the call",
    ),
    Signature(
        match=r"\bNoSuchBucket\b|The specified bucket does not exist",
        code="NoSuchBucket",
        reason="",
        points_to="DeleteBucket",
        says="the bucket does not exist",
    ),
    Signature(
        match=r"\bAccessControlListNotSupported\b|The bucket does not allow ACLs",
        code="AccessControlListNotSupported",
        reason="",
        points_to="OwnershipControls",
        says="the bucket takes no ACLs",
    ),
    Signature(
        match=r"\(SlowDown\)|Please reduce your request rate",
        code="SlowDown",
        reason="",
        points_to="prefix-limit",
        says="a prefix of the bucket got more requests than it takes",
    ),
)


def _metric(name: str, stat: str, role: Any, bad: Any, missing: Any, unit: str) -> MetricSpec:
    return MetricSpec(
        type="bucket", name=name, stat=stat, role=role, bad=bad, missing=missing, unit=unit, where=_measured
    )


def _stored(name: str, kind: str, unit: str) -> MetricSpec:
    """S3 counts what is stored once a day, for each storage class, without being asked to."""
    return MetricSpec(
        type="bucket",
        name=name,
        stat="Average",
        role="work",
        bad="down",
        missing="unknown",
        unit=unit,
        period=86400,
        dimensions=lambda bucket: (("BucketName", bucket.name), ("StorageType", kind)),
    )


METRICS = (
    _stored("NumberOfObjects", "AllStorageTypes", "objects"),
    _stored("BucketSizeBytes", "StandardStorage", "bytes in the standard class"),
    _metric("AllRequests", "Sum", "demand", "down", "idle", "requests"),
    _metric("GetRequests", "Sum", "demand", "down", "idle", "reads"),
    _metric("PutRequests", "Sum", "demand", "down", "idle", "writes"),
    _metric("4xxErrors", "Sum", "errors", "up", "zero", "refused or mistaken requests"),
    _metric("5xxErrors", "Sum", "errors", "up", "zero", "requests that S3 failed"),
    _metric("FirstByteLatency", "p99", "latency", "up", "idle", "ms to the first byte"),
    _metric("TotalRequestLatency", "p99", "latency", "up", "idle", "ms"),
    _metric("BytesDownloaded", "Sum", "work", "down", "idle", "bytes read"),
    _metric("BytesUploaded", "Sum", "work", "down", "idle", "bytes written"),
)

_ACTIONS: Mapping[str, str] = {
    "GetBucketNotificationConfiguration": "s3:GetBucketNotification",
    "GetBucketLifecycleConfiguration": "s3:GetLifecycleConfiguration",
    "GetPublicAccessBlock": "s3:GetBucketPublicAccessBlock",
    "GetBucketEncryption": "s3:GetEncryptionConfiguration",
    "GetBucketCors": "s3:GetBucketCORS",
    "GetBucketReplication": "s3:GetReplicationConfiguration",
    "ListBucketMetricsConfigurations": "s3:GetMetricsConfiguration",
}


def outline(resource: Resource, directory: Directory) -> Iterable[Relation]:
    """Where access logs are put."""
    if bucket := text(resource.config, "LoggingEnabled", "TargetBucket"):
        target = f"{resource.arn.rpartition(':')[0]}:{bucket}"
        yield relation(resource, target, "logs to", "s3:GetBucketLogging TargetBucket")


def fill(reader: Reader, resource: Resource) -> Resource:
    """With where its access logs are put."""
    told = reader.ask("s3", "GetBucketLogging", region=resource.region, Bucket=resource.name)
    config = {**resource.config, "LoggingEnabled": plain(told.data.get("LoggingEnabled") or {})}
    return replace(resource, config=config, evidence=(*resource.evidence, told.evidence))


SERVICE = Service(
    name="s3",
    title="S3",
    client="s3",
    event_sources=(_SOURCE,),
    reads=(
        Read(operation="ListBuckets", action="s3:ListAllMyBuckets", shows="which buckets exist"),
        Read(operation="GetBucketLocation", action="s3:GetBucketLocation", shows="where a bucket is"),
        *(
            Read(
                operation=operation,
                action=_ACTIONS.get(operation, f"s3:{operation}"),
                shows=f"{what[0].lower() if not what.startswith('CORS') else 'C'}{what[1:]} of a bucket",
            )
            for operation, _, _, what in _PARTS
        ),
        Read(operation="GetBucketTagging", action="s3:GetBucketTagging", shows="who owns a bucket"),
        Read(operation="GetBucketLogging", action="s3:GetBucketLogging", shows="where access logs are put"),
    ),
    types={"bucket": "container"},
    arns={"bucket": r"s3:[^/:]+"},
    discover=discover,
    describe=describe,
    relations=relations,
    outline=Outline(relations=outline, fill=fill, fills=("bucket",)),
    namespace="AWS/S3",
    dimensions=dimensions,
    owner=owner,
    metrics=METRICS,
    settings=SETTINGS,
    changes=CHANGES,
    conditions=CONDITIONS,
    signatures=SIGNATURES,
    hosts={
        r"(?P<name>[a-z0-9][a-z0-9.-]+)\.s3(?:-website)?(?:[.-](?:dualstack\.)?(?P<region>[a-z]{2}(?:-[a-z]+)+-\d))?"
        r"\.amazonaws\.com(?:\.cn)?": "s3:{name}",
    },
    listed=False,  # found where policies, host names, distributions and deliveries name them
)
