"""Data Firehose: delivery streams, where they read, what they transform and where they deliver.

`config` is DeliveryStreamDescription of DescribeDeliveryStream. A destination's settings lie below
`Destinations[0].ExtendedS3DestinationDescription`, for each delivery to S3 has that one.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any, Literal

from tools.arn import build, is_arn
from tools.arn import parse as parse_arn
from tools.errors import BadInput, NotThere
from tools.evidence import canonical
from tools.kit import call, here, optional, plain, record, relation, text, whole
from tools.models import Call, ChangeEvent, Json, Relation, Resource, Value
from tools.parameters import from_cloudtrail
from tools.policies import document
from tools.services._spec import (
    Change,
    Condition,
    Directory,
    Effect,
    MetricSpec,
    Read,
    Service,
    Setting,
    Signature,
    inert,
)

if TYPE_CHECKING:
    from tools.aws import Reader

_SOURCE = "firehose.amazonaws.com"
_MOST_READ = 25
_S3 = "Destinations[0].ExtendedS3DestinationDescription"
_KINDS: Mapping[str, str] = {
    # member of a destination -> what its metrics begin with (CloudWatch metrics of Data Firehose)
    "ExtendedS3DestinationDescription": "DeliveryToS3",
    "RedshiftDestinationDescription": "DeliveryToRedshift",
    "ElasticsearchDestinationDescription": "DeliveryToElasticsearch",
    "AmazonopensearchserviceDestinationDescription": "DeliveryToAmazonOpenSearchService",
    "AmazonOpenSearchServerlessDestinationDescription": "DeliveryToAmazonOpenSearchServerless",
    "SplunkDestinationDescription": "DeliveryToSplunk",
    "HttpEndpointDestinationDescription": "DeliveryToHttpEndpoint",
    "SnowflakeDestinationDescription": "DeliveryToSnowflake",
    "IcebergDestinationDescription": "DeliveryToIceberg",
}


def _touches(event: ChangeEvent) -> tuple[str, ...]:
    name = text(event.request, "deliveryStreamName")
    return (here(event, "firehose", f"deliverystream/{name}"),) if name else ()


# -- reading ---------------------------------------------------------------------------------------


def discover(reader: Reader, region: str) -> Iterable[Resource]:
    """All delivery streams, the first ones whole: a list of names does not tell where they read and deliver."""
    names = _names(reader, region)
    for name in names[:_MOST_READ]:
        arn = build("firehose", region, reader.aws.account, f"deliverystream/{name}")
        with reader.seeing(f"Firehose: delivery stream {name}", "where it reads and delivers"):
            if (found := describe(reader, arn)) is not None:
                yield found
    if len(names) > _MOST_READ:
        reader.missing(
            "Some delivery streams",
            f"There are {len(names)}; the first {_MOST_READ} were read.",
            "who else reads a stream or writes to a bucket",
            code="BudgetSpent",
        )


def _names(reader: Reader, region: str) -> list[str]:
    """ListDeliveryStreams has no token: the last name is where the next page starts."""
    found: list[str] = []
    for _ in range(10):
        following = {"ExclusiveStartDeliveryStreamName": found[-1]} if found else {}
        answer = reader.ask("firehose", "ListDeliveryStreams", region=region, **following)
        new = [str(name) for name in answer.data.get("DeliveryStreamNames") or []]
        found += new
        if not new or not answer.data.get("HasMoreDeliveryStreams"):
            break
    return found


def describe(reader: Reader, arn: str) -> Resource | None:
    """The delivery stream with its source, destinations and tags."""
    parts = parse_arn(arn)
    at: dict[str, Any] = {"region": parts.region, "DeliveryStreamName": parts.name}
    try:
        answer = reader.ask("firehose", "DescribeDeliveryStream", **at)
    except NotThere:
        return None
    tags = optional(reader, "firehose", "ListTagsForDeliveryStream", "Tags", **at)
    return Resource(
        arn=arn,
        service="firehose",
        type="delivery-stream",
        name=parts.name,
        account=parts.account,
        region=parts.region,
        config=plain(answer.data["DeliveryStreamDescription"]),
        tags={one["Key"]: one.get("Value", "") for one in tags.data.get("Tags") or []} if tags else {},
        evidence=(answer.evidence,),
    )


# -- relations -------------------------------------------------------------------------------------


def relations(resource: Resource, directory: Directory) -> Iterable[Relation]:
    """What a delivery stream reads, transforms with, delivers to, runs as, encrypts with and logs to."""
    said = "firehose:DescribeDeliveryStream"
    source = text(resource.config, "Source", "KinesisStreamSourceDescription", "KinesisStreamARN") or text(
        resource.config, "Source", "MSKSourceDescription", "MSKClusterARN"
    )
    if source:
        yield Relation(
            source=source,
            target=resource.arn,
            kind="read by",
            provenance=f"{said} Source",
            evidence=resource.evidence,
        )
    seen: set[tuple[str, str]] = set()
    for kind, target, field in (*_told(resource), *_delivered(resource, directory)):
        if is_arn(target) and (kind, target) not in seen:
            seen.add((kind, target))
            yield relation(resource, target, kind, f"{said} {field}")


def _told(resource: Resource) -> Iterator[tuple[str, str, str]]:
    """Kind, target and field of what the description names by its ARN anywhere: keys, roles, functions, buckets."""
    encryption = resource.config.get("DeliveryStreamEncryptionConfiguration") or {}
    yield "uses", text(encryption, "KeyARN"), "DeliveryStreamEncryptionConfiguration.KeyARN"
    role = text(resource.config, "Source", "KinesisStreamSourceDescription", "RoleARN")
    yield "runs as", role, "Source.KinesisStreamSourceDescription.RoleARN"
    for name, destination in _destinations(resource):
        yield from _told_below(resource, destination, f"Destinations.{name}")


def _told_below(resource: Resource, place: Mapping[str, Any], path: str) -> Iterator[tuple[str, str, str]]:
    yield "runs as", text(place, "RoleARN"), f"{path}.RoleARN"
    bucket = "backs up to" if path.endswith("S3BackupDescription") else "delivers to"
    yield bucket, text(place, "BucketARN"), f"{path}.BucketARN"
    yield "delivers to", text(place, "DomainARN"), f"{path}.DomainARN"
    key = text(place, "EncryptionConfiguration", "KMSEncryptionConfig", "AWSKMSKeyARN")
    yield "uses", key, f"{path}.EncryptionConfiguration"
    yield (
        "uses",
        text(place, "SecretsManagerConfiguration", "SecretARN"),
        f"{path}.SecretsManagerConfiguration",
    )
    group = text(place, "CloudWatchLoggingOptions", "LogGroupName")
    if group and (place["CloudWatchLoggingOptions"] or {}).get("Enabled"):
        arn = build("logs", resource.region, resource.account, f"log-group:{group}")
        yield "logs to", arn, f"{path}.CloudWatchLoggingOptions"
    for function in _functions(place):
        yield "invokes", function, f"{path}.ProcessingConfiguration"
    network = place.get("VpcConfigurationDescription") or {}
    for key, kind, word in (
        ("SubnetIds", "in", "subnet"),
        ("SecurityGroupIds", "guarded by", "security-group"),
    ):
        for id in network.get(key) or []:
            yield kind, build("ec2", resource.region, resource.account, f"{word}/{id}"), f"{path}.{key}"
    for inner in ("S3DestinationDescription", "S3BackupDescription"):
        if isinstance(place.get(inner), Mapping):
            yield from _told_below(resource, place[inner], f"{path}.{inner}")


def _destinations(resource: Resource) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Each destination once: beside the extended description of S3 stands the older one, which says less."""
    for destination in resource.config.get("Destinations") or []:
        found = {name: one for name, one in destination.items() if isinstance(one, Mapping)}
        if len(found) > 1:
            found.pop("S3DestinationDescription", None)
        yield from found.items()


def _functions(place: Mapping[str, Any]) -> Iterator[str]:
    processing = place.get("ProcessingConfiguration") or {}
    for processor in (processing.get("Processors") or []) if processing.get("Enabled") else []:
        for one in processor.get("Parameters") or []:
            if text(one, "ParameterName") == "LambdaArn":
                head, _, version = text(one, "ParameterValue").partition(":function:")
                yield f"{head}:function:{version.partition(':')[0]}"


def _delivered(resource: Resource, directory: Directory) -> Iterator[tuple[str, str, str]]:
    """Targets that are named by their host: clusters and search domains."""
    for name, place in _destinations(resource):
        for field in ("ClusterJDBCURL", "ClusterEndpoint", "CollectionEndpoint"):
            value = text(place, field)
            for found in directory.mentioned(value) if value else ():
                yield "delivers to", found.arn, f"Destinations.{name}.{field}"
        url = text(place, "EndpointConfiguration", "Url")
        for found in directory.mentioned(url) if url else ():
            yield "delivers to", found.arn, f"Destinations.{name}.EndpointConfiguration.Url"


def log_groups(resource: Resource) -> tuple[str, ...]:
    """Where a delivery stream writes its errors, when that is switched on."""
    groups = [arn for kind, arn, _ in _told(resource) if kind == "logs to"]
    return tuple(dict.fromkeys(arn.partition(":log-group:")[2] for arn in groups))


def owner(dimensions: Mapping[str, str], partition: str, region: str, account: str) -> str:
    name = dimensions.get("DeliveryStreamName", "")
    return f"arn:{partition}:firehose:{region}:{account}:deliverystream/{name}" if name else ""


# -- settings --------------------------------------------------------------------------------------


def _read(resource: Resource) -> Call:
    return call("firehose", "DescribeDeliveryStream", resource, DeliveryStreamName=resource.name)


def _update(resource: Resource, **changed: Any) -> tuple[Call, ...]:
    """UpdateDestination keeps what is not sent. It wants the version that is there now."""
    version = text(resource.config, "VersionId")
    first: Json = next(iter(resource.config.get("Destinations") or []), {})
    destination = text(first, "DestinationId")
    if not version or not destination:
        return ()
    return (
        call(
            "firehose",
            "UpdateDestination",
            resource,
            DeliveryStreamName=resource.name,
            CurrentDeliveryStreamVersionId=version,
            DestinationId=destination,
            ExtendedS3DestinationUpdate=changed,
        ),
    )


def _restore_text(member: str, resource: Resource, value: Value) -> tuple[Call, ...]:
    return _update(resource, **{member: str(value)}) if value is not None else ()


def _restore_buffer(member: str, resource: Resource, value: Value) -> tuple[Call, ...]:
    if value is None:
        return ()
    # Both hints are sent: of two that belong together Firehose takes both or none.
    now = (
        (resource.config.get("Destinations") or [{}])[0].get("ExtendedS3DestinationDescription") or {}
    ).get("BufferingHints") or {}
    both = {key: int(now[key]) for key in ("SizeInMBs", "IntervalInSeconds") if key in now}
    return _update(resource, BufferingHints={**both, member: whole(value)})


def _restore_document(member: str, resource: Resource, value: Any) -> tuple[Call, ...]:
    told = _document(member, value)
    return _update(resource, **{member: told}) if told else ()


def _document(member: str, value: Any) -> Json:
    """A part of a destination as the call takes it, from CloudTrail's or the call's own spelling; {} for neither."""
    said = document(value) if isinstance(value, str) else value
    sent = {
        "deliveryStreamName": "any",
        "currentDeliveryStreamVersionId": "1",
        "destinationId": "any",
        "extendedS3DestinationUpdate": {member: said},
    }
    try:
        made = from_cloudtrail("firehose", "UpdateDestination", sent)
    except BadInput:
        return {}
    found: Json = made["ExtendedS3DestinationUpdate"].get(member) or {}
    return found


def _means_document(member: str, event: ChangeEvent, value: Value) -> Value:
    told = _document(member, value)
    return canonical(told) if told else value


def _restore_encryption(resource: Resource, value: Value) -> tuple[Call, ...]:
    name = {"DeliveryStreamName": resource.name}
    if value is None:
        return (call("firehose", "StopDeliveryStreamEncryption", resource, **name),)
    key: Json = {"KeyType": "AWS_OWNED_CMK"}
    if value != "AWS_OWNED_CMK":
        key = {"KeyType": "CUSTOMER_MANAGED_CMK", "KeyARN": str(value)}
    started = {"DeliveryStreamEncryptionConfigurationInput": key}
    return (call("firehose", "StartDeliveryStreamEncryption", resource, **name, **started),)


_READY: Mapping[str, Value] = {"DeliveryStreamDescription.DeliveryStreamStatus": "ACTIVE"}
_HOURS = (0, 7200)  # a buffer of up to 15 minutes, then retries
# Failed deliveries are retried for up to a day; freshness grows meanwhile and data piles up at the source.
_STUCK = (
    Effect(metric="DeliveryToS3.DataFreshness", direction="up", after=_HOURS),
    Effect(metric="DeliveryToS3.Success", direction="down", after=_HOURS, may=True),
    Effect(metric="DeliveryToS3.Records", direction="down", after=_HOURS),
    Effect(metric="DeliveryToS3.Records", direction="silent", after=_HOURS, may=True),
    Effect(metric="role:work", direction="down", on="downstream", after=_HOURS),
    Effect(metric="role:demand", direction="down", on="downstream", after=_HOURS),
)
_MOVES: tuple[tuple[str, Literal["up", "down"]], ...] = (
    ("DataFreshness", "up"),
    ("Success", "down"),
    ("Records", "down"),
)
_TRANSFORMED = (
    Effect(metric="ExecuteProcessing.Success", direction="down", after=_HOURS, may=True),
    Effect(metric="ExecuteProcessing.Duration", direction="up", after=_HOURS, may=True),
    *_STUCK,
)
_MOVED = (  # data goes elsewhere: nothing fails here, those who read the old place see less
    Effect(metric="role:demand", direction="down", on="downstream", after=_HOURS),
    Effect(metric="role:work", direction="down", on="downstream", after=_HOURS),
)


def _setting(
    name: str, member: str, restore: Any, effects: tuple[Effect, ...], *, unit: str = "", **more: Any
) -> Setting:
    """A part of the delivery to S3. `member`: "BucketARN", or a path of two words."""
    camel = ".".join(f"{word[0].lower()}{word[1:]}" for word in member.split("."))
    return Setting(
        type="delivery-stream",
        name=name,
        path=f"{_S3}.{member}",
        unit=unit,
        requests={
            "UpdateDestination": f"extendedS3DestinationUpdate.{camel}",
            "CreateDeliveryStream": f"extendedS3DestinationConfiguration.{camel}",
        },
        restore=restore,
        read=_read,
        query=f"DeliveryStreamDescription.{_S3}.{member}",
        effects=effects,
        ready=_READY,
        **{"echo": "none", **more},
    )


_HINTS = "BufferingHints"

SETTINGS = (
    _setting("bucket", "BucketARN", partial(_restore_text, "BucketARN"), (*_STUCK, *_MOVED)),
    _setting("role", "RoleARN", partial(_restore_text, "RoleARN"), _STUCK),
    _setting("prefix of its objects", "Prefix", partial(_restore_text, "Prefix"), _MOVED, unset=""),
    _setting("compression", "CompressionFormat", partial(_restore_text, "CompressionFormat"), _MOVED),
    _setting(
        "seconds of buffering",
        f"{_HINTS}.IntervalInSeconds",
        partial(_restore_buffer, "IntervalInSeconds"),
        (
            Effect(metric="DeliveryToS3.DataFreshness", direction="up", after=(0, 3600), when="raised"),
            Effect(metric="role:demand", direction="up", on="downstream", after=(0, 3600), when="lowered"),
        ),
        unit="seconds",
        beside=(f"DeliveryStreamDescription.{_S3}.{_HINTS}.SizeInMBs",),
    ),
    _setting(
        "size of buffering",
        f"{_HINTS}.SizeInMBs",
        partial(_restore_buffer, "SizeInMBs"),
        (
            Effect(metric="DeliveryToS3.DataFreshness", direction="up", after=(0, 3600), when="raised"),
            Effect(metric="role:demand", direction="up", on="downstream", after=(0, 3600), when="lowered"),
        ),
        unit="MB",
        beside=(f"DeliveryStreamDescription.{_S3}.{_HINTS}.IntervalInSeconds",),
    ),
    *(
        _setting(
            words,
            member,
            partial(_restore_document, member),
            effects,
            means=partial(_means_document, member),
        )
        for words, member, effects in (
            ("transformation", "ProcessingConfiguration", _TRANSFORMED),
            ("encryption of its objects", "EncryptionConfiguration", _STUCK),
            ("conversion of the format", "DataFormatConversionConfiguration", _STUCK),
            ("error log", "CloudWatchLoggingOptions", ()),
        )
    ),
    Setting(
        type="delivery-stream",
        name="encryption key",
        path="DeliveryStreamEncryptionConfiguration.[KeyARN, KeyType][] | [0]",
        unit="",
        requests={
            "StartDeliveryStreamEncryption": "deliveryStreamEncryptionConfigurationInput.[keyARN, keyType][] | [0]",
            "StopDeliveryStreamEncryption": "`null`",
            "CreateDeliveryStream": "deliveryStreamEncryptionConfigurationInput.[keyARN, keyType][] | [0]",
        },
        restore=_restore_encryption,
        read=_read,
        query="DeliveryStreamDescription.DeliveryStreamEncryptionConfiguration.[KeyARN, KeyType][] | [0]",
        echo="none",
        effects=(
            Effect(metric="KMSKeyAccessDenied", direction="up", after=(0, 1800), may=True),
            Effect(metric="role:errors", direction="up", on="upstream", after=(0, 1800)),
            *_STUCK,
        ),
        ready=_READY,
    ),
)


# -- changes ---------------------------------------------------------------------------------------


def _kind_of(event: ChangeEvent) -> str:
    """The kind of destination that an event is about: "extendedS3", "splunk"; "" when it names none or several."""
    kinds = {
        key.removesuffix("DestinationUpdate").removesuffix("DestinationConfiguration")
        for key, value in event.request.items()
        if key.endswith(("DestinationUpdate", "DestinationConfiguration")) and isinstance(value, Mapping)
    }
    return kinds.pop() if len(kinds) == 1 else ""


def _undo_update(event: ChangeEvent, earlier: tuple[ChangeEvent, ...]) -> tuple[Call, ...]:
    """Each part that the event set, as the newest earlier event set it; no call when one of them is not known."""
    kind, version = _kind_of(event), text(event.request, "currentDeliveryStreamVersionId")
    sent = event.request.get(f"{kind}DestinationUpdate") or {}
    own = [one for one in earlier if _touches(one) == _touches(event) and _kind_of(one) == kind]
    if not kind or not sent or not version.isdigit():
        return ()
    before: Json = {}
    for member in sent:
        told = next((value for one in own if (value := _member(one, kind, member)) is not None), None)
        if told is None:
            return ()
        before[member] = told
    request = {
        "deliveryStreamName": text(event.request, "deliveryStreamName"),
        # Each update makes the next version, and a call must name the one that is there.
        "currentDeliveryStreamVersionId": str(int(version) + 1),
        "destinationId": text(event.request, "destinationId"),
        f"{kind}DestinationUpdate": before,
    }
    try:
        parameters = from_cloudtrail("firehose", "UpdateDestination", request)
    except BadInput:
        return ()
    return (call("firehose", "UpdateDestination", event, **parameters),)


def _back_update(undone: tuple[Call, ...]) -> tuple[Call, ...]:
    """No call: what the event set would have to be sent again under a version that is not known yet."""
    return ()


def _member(event: ChangeEvent, kind: str, member: str) -> Any:
    for word in ("Update", "Configuration"):
        if isinstance(place := event.request.get(f"{kind}Destination{word}"), Mapping) and member in place:
            return place[member]
    return None


_NAMED: Json = {"deliveryStreamName": "clicks-archive"}
_DESTINATION: Json = {
    "roleARN": "arn:aws:iam::111122223333:role/clicks-archive",
    "bucketARN": "arn:aws:s3:::shop-clicks",
    "prefix": "clicks/",
    "errorOutputPrefix": "failed/",
    "bufferingHints": {"sizeInMBs": 5, "intervalInSeconds": 300},
    "compressionFormat": "GZIP",
    "encryptionConfiguration": {"noEncryptionConfig": "NoEncryption"},
    "cloudWatchLoggingOptions": {
        "enabled": True,
        "logGroupName": "/aws/kinesisfirehose/clicks-archive",
        "logStreamName": "DestinationDelivery",
    },
    "processingConfiguration": {
        "enabled": True,
        "processors": [
            {
                "type": "Lambda",
                "parameters": [
                    {
                        "parameterName": "LambdaArn",
                        "parameterValue": "arn:aws:lambda:eu-west-1:111122223333:function:clicks-clean",
                    }
                ],
            }
        ],
    },
    "s3BackupMode": "Disabled",
    "dataFormatConversionConfiguration": {"enabled": False},
}
_KEY = "arn:aws:kms:eu-west-1:111122223333:key/1f2e3d4c-5b6a-4789-90ab-cdef01234567"
_ENCRYPTED: Json = {
    "deliveryStreamEncryptionConfigurationInput": {"keyARN": _KEY, "keyType": "CUSTOMER_MANAGED_CMK"}
}


def _change(
    operation: str, breaks: str, request: Json, effects: tuple[Effect, ...] = (), more: tuple[Json, ...] = ()
) -> Change:
    return Change(
        operation=operation,
        touches=_touches,
        breaks=breaks,
        example=record(_SOURCE, operation, {**_NAMED, **request}),
        more_examples=tuple(record(_SOURCE, operation, {**_NAMED, **one}) for one in more),
        effects=effects,
    )


CHANGES = (
    Change(
        operation="UpdateDestination",
        touches=_touches,
        breaks="Records are delivered elsewhere, late, or not at all.",
        example=record(
            _SOURCE,
            "UpdateDestination",
            {
                **_NAMED,
                "currentDeliveryStreamVersionId": "1",
                "destinationId": "destinationId-000000000001",
                "extendedS3DestinationUpdate": _DESTINATION,
            },
        ),
        effects=(
            *_STUCK,
            *(
                Effect(metric=f"{prefix}.{name}", direction=direction, after=_HOURS)
                for prefix in _KINDS.values()
                if prefix != "DeliveryToS3"
                for name, direction in _MOVES
            ),
        ),
        undo=_undo_update,
        back=_back_update,
    ),
    _change(
        "StartDeliveryStreamEncryption",
        "Records are refused and not delivered while Firehose may not use the key.",
        _ENCRYPTED,
        more=({"deliveryStreamEncryptionConfigurationInput": {"keyType": "AWS_OWNED_CMK"}},),
    ),
    _change(
        "StopDeliveryStreamEncryption", "Nothing breaks; records wait without encryption of their own.", {}
    ),
    _change(
        "DeleteDeliveryStream",
        "Writers fail and nothing is delivered any more; what waited in it is gone.",
        {"allowForceDelete": False},
        effects=(
            Effect(metric="IncomingRecords", direction="silent", after=(0, 600)),
            Effect(metric="DeliveryToS3.Records", direction="silent", after=(0, 1800)),
            Effect(metric="role:errors", direction="up", on="upstream", after=(0, 600)),
            Effect(metric="role:work", direction="silent", on="downstream", after=_HOURS),
            Effect(metric="role:demand", direction="silent", on="downstream", after=_HOURS),
        ),
    ),
    inert(
        "CreateDeliveryStream",
        _touches,
        record(
            _SOURCE,
            "CreateDeliveryStream",
            {
                **_NAMED,
                "deliveryStreamType": "KinesisStreamAsSource",
                "kinesisStreamSourceConfiguration": {
                    "kinesisStreamARN": "arn:aws:kinesis:eu-west-1:111122223333:stream/clicks",
                    "roleARN": _DESTINATION["roleARN"],
                },
                "extendedS3DestinationConfiguration": _DESTINATION,
            },
            {"deliveryStreamARN": "arn:aws:firehose:eu-west-1:111122223333:deliverystream/clicks-archive"},
        ),
    ),
    inert(
        "TagDeliveryStream",
        _touches,
        record(_SOURCE, "TagDeliveryStream", {**_NAMED, "tags": [{"key": "team", "value": "shop"}]}),
    ),
    inert(
        "UntagDeliveryStream",
        _touches,
        record(_SOURCE, "UntagDeliveryStream", {**_NAMED, "tagKeys": ["team"]}),
    ),
)


# -- conditions, signatures, metrics ---------------------------------------------------------------

CONDITIONS = (
    Condition(
        key="delivery-throttled",
        type="delivery-stream",
        title="delivery stream at its limit: more records than its quota takes",
        metrics=("ThrottledRecords",),
        breaks="Writers are refused although nothing was changed.",
        relieve=(
            "Slow the writers down, or let them send again what was refused.",
            "Ask for a higher quota of records and bytes per second of this delivery stream.",
        ),
        prevent=("Alarm on ThrottledRecords above 0, and on IncomingRecords near RecordsPerSecondLimit.",),
        # Records of a data stream are pulled, not pushed: nobody is refused.
        excluded=lambda resource: text(resource.config, "DeliveryStreamType") == "KinesisStreamAsSource",
    ),
)

_TRANSFORM = f"{_S3}.ProcessingConfiguration"


def _error(code: str, points_to: str, says: str) -> Signature:
    return Signature(
        match=rf"\"errorCode\":\s*\"{code.replace('.', '[.]')}\"|\b{code.replace('.', '[.]')}\b",
        code=code,
        reason="",
        points_to=points_to,
        says=says,
        own=True,
        group="kinesisfirehose|firehose",
    )


SIGNATURES = (
    _error("S3.AccessDenied", "Policies", "the delivery stream's role may not write to the bucket"),
    _error("S3.NoSuchBucket", f"{_S3}.BucketARN", "the bucket of the delivery does not exist"),
    _error(
        "S3.KMS.AccessDeniedException", "Policies", "the delivery stream's role may not use the bucket's key"
    ),
    _error("Lambda.LambdaArnNotFound", _TRANSFORM, "the transforming function does not exist"),
    _error("Lambda.FunctionNotFound", _TRANSFORM, "the transforming function does not exist"),
    _error("Lambda.InvokeAccessDenied", "Policies", "the delivery stream's role may not invoke the function"),
)


def _delivers(prefix: str, resource: Resource) -> bool:
    return any(_KINDS.get(name) == prefix for name, _ in _destinations(resource)) or (
        # Every kind of delivery may go through, or be backed up in, a bucket.
        prefix == "DeliveryToS3" and not any(_KINDS.get(name) for name, _ in _destinations(resource))
    )


def _transforms(resource: Resource) -> bool:
    return any(True for _, place in _destinations(resource) for _ in _functions(place))


def _pulls(resource: Resource) -> bool:
    return text(resource.config, "DeliveryStreamType") == "KinesisStreamAsSource"


def _metric(
    name: str, stat: str, role: Any, bad: Any, missing: Any, unit: str, where: Any = None
) -> MetricSpec:
    return MetricSpec(
        type="delivery-stream",
        name=name,
        stat=stat,
        role=role,
        bad=bad,
        missing=missing,
        unit=unit,
        where=where,
    )


METRICS = (
    _metric("IncomingRecords", "Sum", "demand", "down", "idle", "records"),
    _metric("IncomingBytes", "Sum", "demand", "down", "idle", "bytes"),
    _metric("ThrottledRecords", "Sum", "throttles", "up", "zero", "refused records"),
    _metric("DataReadFromKinesisStream.Records", "Sum", "demand", "down", "idle", "records read", _pulls),
    _metric("KinesisMillisBehindLatest", "Maximum", "backlog", "up", "idle", "ms behind", _pulls),
    _metric("ThrottledGetRecords", "Sum", "throttles", "up", "zero", "refused reads", _pulls),
    *(
        spec
        for prefix in _KINDS.values()
        for spec in (
            _metric(
                f"{prefix}.Success",
                "Average",
                "work",
                "down",
                "idle",
                "share of deliveries that succeeded",
                partial(_delivers, prefix),
            ),
            _metric(
                f"{prefix}.DataFreshness",
                "Maximum",
                "backlog",
                "up",
                "idle",
                "seconds of the oldest record",
                partial(_delivers, prefix),
            ),
            _metric(
                f"{prefix}.Records",
                "Sum",
                "work",
                "down",
                "idle",
                "records delivered",
                partial(_delivers, prefix),
            ),
        )
    ),
    _metric(
        "ExecuteProcessing.Success",
        "Average",
        "work",
        "down",
        "idle",
        "share of transformations that succeeded",
        _transforms,
    ),
    _metric("ExecuteProcessing.Duration", "Maximum", "latency", "up", "idle", "ms", _transforms),
    _metric("SucceedProcessing.Records", "Sum", "work", "down", "idle", "records transformed", _transforms),
    *(
        _metric(name, "Sum", "errors", "up", "zero", "times the key failed")
        for name in ("KMSKeyAccessDenied", "KMSKeyDisabled", "KMSKeyInvalidState", "KMSKeyNotFound")
    ),
)

SERVICE = Service(
    name="firehose",
    title="Data Firehose",
    client="firehose",
    event_sources=(_SOURCE,),
    reads=(
        Read(
            operation="ListDeliveryStreams",
            action="firehose:ListDeliveryStreams",
            shows="which delivery streams exist",
        ),
        Read(
            operation="DescribeDeliveryStream",
            action="firehose:DescribeDeliveryStream",
            shows="where a delivery stream reads and delivers, and how",
        ),
        Read(
            operation="ListTagsForDeliveryStream",
            action="firehose:ListTagsForDeliveryStream",
            shows="who owns a delivery stream",
        ),
    ),
    types={"delivery-stream": "container"},
    arns={"delivery-stream": r"firehose:deliverystream/[^/]+"},
    discover=discover,
    describe=describe,
    relations=relations,
    namespace="AWS/Firehose",
    dimensions=lambda resource: (("DeliveryStreamName", resource.name),),
    owner=owner,
    metrics=METRICS,
    settings=SETTINGS,
    changes=CHANGES,
    conditions=CONDITIONS,
    signatures=SIGNATURES,
    log_groups=log_groups,
    listed=False,
    listed_near=("stream", "bucket"),  # who reads or writes them is told here only
)
