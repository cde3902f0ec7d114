"""KMS: keys, their state and policy, aliases and grants. What breaks shows in those who use a key.

`config` of a key is KeyMetadata of DescribeKey, with `Policy` (GetKeyPolicy "default", as an object),
`KeyRotationEnabled` and `RotationPeriodInDays` (GetKeyRotationStatus; customer-managed symmetric keys). `config` of an
alias is `AliasName`, `AliasArn`, `TargetKeyId`.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any, Literal

from tools.arn import build, is_arn
from tools.arn import parse as parse_arn
from tools.change_kit import means_policy
from tools.errors import BadInput, NotThere
from tools.evidence import canonical
from tools.kit import call, optional, plain, record, relation, text, whole
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

_SOURCE = "kms.amazonaws.com"
_USABLE = frozenset({"Enabled", "Creating", "Updating"})


def _arn_of(at: ChangeEvent | Resource, name: str) -> str:
    """The ARN of a key or alias that a request names by id, by alias or by ARN; "" for none."""
    if not name or is_arn(name):
        return name
    kind = name if name.startswith("alias/") else f"key/{name}"
    return build("kms", at.region, at.account, kind)


def _touches(event: ChangeEvent) -> tuple[str, ...]:
    """The key; the answer and the record's resources tell its ARN where the request names an alias."""
    told = (
        text(event.response, "keyId"),
        text(event.response, "keyMetadata", "arn"),
        *(name for name in event.names if ":key/" in name),
        text(event.request, "keyId"),
    )
    found = [_arn_of(event, name) for name in told if name]
    keys = [arn for arn in found if ":key/" in arn and is_arn(arn)]
    return tuple((keys or found)[:1])


def _touches_alias(event: ChangeEvent) -> tuple[str, ...]:
    alias, key = text(event.request, "aliasName"), text(event.request, "targetKeyId")
    if not alias:
        return ()
    return tuple(arn for arn in (_arn_of(event, alias), _arn_of(event, key)) if arn)


# -- reading ---------------------------------------------------------------------------------------


def discover(reader: Reader, region: str) -> Iterable[Resource]:
    """Aliases with the keys that they stand for; AWS's own are left out. `describe` reads one whole."""
    aliases = reader.pages(
        "kms", "ListAliases", "Aliases", region=region, token=("Marker", "NextMarker"), Limit=100
    )
    for item in aliases.items:
        if not text(item, "AliasName").startswith("alias/aws/") and item.get("TargetKeyId"):
            yield _resource("key-alias", item["AliasArn"], item, aliases.evidence)


def _resource(
    type: str, arn: str, config: Json, evidence: Iterable[str], tags: Mapping[str, str] | None = None
) -> Resource:
    parts = parse_arn(arn)
    return Resource(
        arn=arn,
        service="kms",
        type=type,
        name=parts.resource if type == "key-alias" else parts.name,
        account=parts.account,
        region=parts.region,
        config=plain(config),
        tags=dict(tags or {}),
        evidence=tuple(id for id in evidence if id),
    )


def describe(reader: Reader, arn: str) -> Resource | None:
    """A key with its policy, rotation and tags; or an alias with the key that it stands for."""
    parts = parse_arn(arn)
    at: dict[str, Any] = {"region": parts.region, "KeyId": arn}
    try:
        answer = reader.ask("kms", "DescribeKey", **at)
    except NotThere:
        return None
    config: Json = dict(answer.data["KeyMetadata"])
    evidence = [answer.evidence]
    if parts.type == "alias":
        told = {"AliasName": parts.resource, "AliasArn": arn, "TargetKeyId": config["KeyId"]}
        return _resource("key-alias", arn, told, evidence)
    if config.get("KeyManager") == "AWS":  # nobody can change it
        return _resource("key", arn, config, evidence)
    policy = optional(reader, "kms", "GetKeyPolicy", "Key policy", PolicyName="default", **at)
    if policy is not None:
        if told := document(policy.data.get("Policy") or "{}"):
            config["Policy"] = told
        evidence.append(policy.evidence)
    if (
        config.get("Origin") == "AWS_KMS"
        and config.get("KeySpec", "SYMMETRIC_DEFAULT") == "SYMMETRIC_DEFAULT"
    ):
        rotation = optional(reader, "kms", "GetKeyRotationStatus", "Rotation", **at)
        if rotation is not None:
            wanted = ("KeyRotationEnabled", "RotationPeriodInDays")
            config |= {key: rotation.data[key] for key in wanted if key in rotation.data}
            evidence.append(rotation.evidence)
    tags = optional(reader, "kms", "ListResourceTags", "Tags", **at)
    kept = {one["TagKey"]: one.get("TagValue", "") for one in tags.data.get("Tags") or []} if tags else {}
    return _resource("key", arn, config, evidence, kept)


def relations(resource: Resource, directory: Directory) -> Iterable[Relation]:
    """An alias stands for a key. Who uses a key is told by those who do."""
    if resource.type == "key-alias":
        key = _arn_of(resource, text(resource.config, "TargetKeyId"))
        if key:
            yield relation(resource, key, "stands for", "kms:DescribeKey KeyId")
        return
    if text(resource.config, "MultiRegionConfiguration", "MultiRegionKeyType") == "REPLICA":
        primary = text(resource.config, "MultiRegionConfiguration", "PrimaryKey", "Arn")
        if is_arn(primary) and primary != resource.arn:
            said = "kms:DescribeKey MultiRegionConfiguration.PrimaryKey"
            yield Relation(
                source=primary,
                target=resource.arn,
                kind="replicates to",
                provenance=said,
                evidence=resource.evidence,
            )


def owner(dimensions: Mapping[str, str], partition: str, region: str, account: str) -> str:
    name = dimensions.get("KeyId", "")
    return f"arn:{partition}:kms:{region}:{account}:key/{name}" if name else ""


# -- settings --------------------------------------------------------------------------------------


def _read_policy(resource: Resource) -> Call:
    return call("kms", "GetKeyPolicy", resource, KeyId=resource.name, PolicyName="default")


def _read(resource: Resource) -> Call:
    return call("kms", "DescribeKey", resource, KeyId=resource.name)


def _read_rotation(resource: Resource) -> Call:
    return call("kms", "GetKeyRotationStatus", resource, KeyId=resource.name)


def _restore_policy(resource: Resource, value: Any) -> tuple[Call, ...]:
    if not value:
        return ()  # a key is never without a policy
    sent = value if isinstance(value, str) else canonical(value)
    return (call("kms", "PutKeyPolicy", resource, KeyId=resource.name, PolicyName="default", Policy=sent),)


def _restore_target(resource: Resource, value: Value) -> tuple[Call, ...]:
    if not value:
        return ()
    return (call("kms", "UpdateAlias", resource, AliasName=resource.name, TargetKeyId=str(value)),)


def _restore_rotation(resource: Resource, value: Value) -> tuple[Call, ...]:
    if not value:
        return (call("kms", "DisableKeyRotation", resource, KeyId=resource.name),)
    more: Json = {}
    if days := resource.config.get("RotationPeriodInDays"):
        more["RotationPeriodInDays"] = whole(days)
    return (call("kms", "EnableKeyRotation", resource, KeyId=resource.name, **more),)


def _restore_state(resource: Resource, value: Value) -> tuple[Call, ...]:
    """Enabled or Disabled; to all else no single call leads back."""
    wanted = {"Enabled": "EnableKey", "Disabled": "DisableKey"}.get(str(value), "")
    return (call("kms", wanted, resource, KeyId=resource.name),) if wanted else ()


def _means_target(event: ChangeEvent, value: Value) -> Value:
    """A key's id, from the id or the ARN that the request names."""
    return str(value).rpartition("/")[2]


# Services keep data keys for some minutes (S3 bucket keys, SQS and Kinesis five), a function its variables for as long
# as it stays warm: callers fail one after another.
_MOVES: tuple[tuple[str, Literal["up", "down", "silent"]], ...] = (
    ("errors", "up"),
    ("throttles", "up"),
    ("latency", "up"),
    ("backlog", "up"),
    ("work", "down"),
    ("work", "silent"),
    ("demand", "down"),
    ("demand", "silent"),
)
_LOCKED_OUT = tuple(
    Effect(metric=f"role:{role}", direction=direction, on="upstream", after=(0, 3600))
    for role, direction in _MOVES
)

SETTINGS = (
    # ScheduleKeyDeletion stays apart: no call leads back to a deletion, and its undo is two calls.
    Setting(
        type="key",
        name="key state",
        path="KeyState",
        unit="",
        requests={
            "EnableKey": '`"Enabled"`',
            "DisableKey": '`"Disabled"`',
            "CancelKeyDeletion": '`"Disabled"`',
            "CreateKey": "(origin == 'EXTERNAL' && 'PendingImport') || 'Enabled'",
        },
        restore=_restore_state,
        read=_read,
        query="KeyMetadata.KeyState",
        echo="none",
        only_from={
            "EnableKey": "Disabled",
            "DisableKey": "Enabled",
            "CancelKeyDeletion": "PendingDeletion",
        },
        effects=_LOCKED_OUT,
    ),
    Setting(
        type="key",
        name="key policy",
        path="Policy",
        unit="",
        requests=dict.fromkeys(("PutKeyPolicy", "CreateKey", "ReplicateKey"), "policy"),
        restore=_restore_policy,
        read=_read_policy,
        query="Policy",
        echo="none",
        effects=_LOCKED_OUT,
        means=means_policy,
    ),
    Setting(
        type="key-alias",
        name="key of the alias",
        path="TargetKeyId",
        unit="",
        requests=dict.fromkeys(("UpdateAlias", "CreateAlias"), "targetKeyId"),
        restore=_restore_target,
        read=lambda resource: call("kms", "DescribeKey", resource, KeyId=resource.name),
        query="KeyMetadata.KeyId",
        echo="none",
        effects=_LOCKED_OUT,
        means=_means_target,
    ),
    Setting(
        type="key",
        name="yearly rotation",
        path="KeyRotationEnabled",
        unit="",
        requests={"EnableKeyRotation": "`true`", "DisableKeyRotation": "`false`", "CreateKey": "`false`"},
        restore=_restore_rotation,
        read=_read_rotation,
        query="KeyRotationEnabled",
        unset=False,
        echo="none",
        only_from={"DisableKeyRotation": True},
    ),
)


# -- changes ---------------------------------------------------------------------------------------


def _state_before(event: ChangeEvent, earlier: tuple[ChangeEvent, ...]) -> str:
    """Enabled, Disabled or PendingDeletion, as the newest earlier event on the key says; "" when none does."""
    after = {
        "EnableKey": "Enabled",
        "CreateKey": "Enabled",
        "DisableKey": "Disabled",
        "CancelKeyDeletion": "Disabled",
        "ScheduleKeyDeletion": "PendingDeletion",
    }
    for one in earlier:
        if one.operation in after and _touches(one) == _touches(event):
            return after[one.operation]
    return ""


def _key_call(operation: str, event: ChangeEvent, **more: Any) -> Call:
    """A call on the event's key: by its id, which every operation takes."""
    arn = next(iter(_touches(event)), "")
    return call("kms", operation, event, KeyId=arn.rpartition("/")[2] if ":key/" in arn else arn, **more)


def _undo_disable(event: ChangeEvent, earlier: tuple[ChangeEvent, ...]) -> tuple[Call, ...]:
    if not _touches(event) or _state_before(event, earlier) == "Disabled":
        return ()  # it was disabled before: the event changed nothing
    return (_key_call("EnableKey", event),)


def _undo_enable(event: ChangeEvent, earlier: tuple[ChangeEvent, ...]) -> tuple[Call, ...]:
    if not _touches(event) or _state_before(event, earlier) == "Enabled":
        return ()
    return (_key_call("DisableKey", event),)


def _undo_schedule(event: ChangeEvent, earlier: tuple[ChangeEvent, ...]) -> tuple[Call, ...]:
    """The deletion is cancelled, which leaves the key disabled: it is enabled again, unless it was disabled before."""
    if not _touches(event):
        return ()
    cancelled = (_key_call("CancelKeyDeletion", event),)
    if _state_before(event, earlier) == "Disabled":
        return cancelled
    return (*cancelled, _key_call("EnableKey", event))


def _not_again(undone: tuple[Call, ...]) -> tuple[Call, ...]:
    """No way back to a deletion: it destroys everything that the key encrypts. Disabling it is as safe as it gets."""
    return tuple(
        Call(service="kms", operation="DisableKey", parameters=one.parameters, region=one.region)
        for one in undone
        if one.operation == "EnableKey"
    )


def _undo_grant(event: ChangeEvent, earlier: tuple[ChangeEvent, ...]) -> tuple[Call, ...]:
    """The grant as the event that made it asked for it. It gets another id, which no caller needs."""
    wanted = text(event.request, "grantId")
    for one in earlier:
        if one.operation == "CreateGrant" and wanted and text(one.response, "grantId") == wanted:
            try:
                return (
                    call("kms", "CreateGrant", event, **from_cloudtrail("kms", "CreateGrant", one.request)),
                )
            except BadInput:
                return ()
    return ()


def _undo_delete_alias(event: ChangeEvent, earlier: tuple[ChangeEvent, ...]) -> tuple[Call, ...]:
    alias = text(event.request, "aliasName")
    for one in earlier:
        if one.operation in ("CreateAlias", "UpdateAlias") and text(one.request, "aliasName") == alias:
            key = text(one.request, "targetKeyId")
            return (
                (call("kms", "CreateAlias", event, AliasName=alias, TargetKeyId=key),)
                if alias and key
                else ()
            )
    return ()


_KEY = "arn:aws:kms:eu-west-1:111122223333:key/1f2e3d4c-5b6a-4789-90ab-cdef01234567"
_ID: Json = {"keyId": "1f2e3d4c-5b6a-4789-90ab-cdef01234567"}
_SHOWN: Json = {"keyId": _KEY}
_GRANT = "0c237476b39f8bc44e45212e08498fbe3151305030726c0590dd8d3e9f3d6a60"
_ALIAS: Json = {"aliasName": "alias/orders"}
_POLICY: Json = {
    "Version": "2012-10-17",
    "Statement": [
        {
            "Sid": "Account",
            "Effect": "Allow",
            "Principal": {"AWS": "arn:aws:iam::111122223333:root"},
            "Action": "kms:*",
            "Resource": "*",
        }
    ],
}


def _recorded(operation: str, request: Json, response: Json | None = None) -> Json:
    made = record(_SOURCE, operation, request, response)
    made["resources"] = [{"accountId": "111122223333", "type": "AWS::KMS::Key", "ARN": _KEY}]
    return made


def _change(
    operation: str,
    breaks: str,
    request: Json,
    response: Json | None = None,
    *,
    effects: tuple[Effect, ...] = _LOCKED_OUT,
    undo: Callable[[ChangeEvent, tuple[ChangeEvent, ...]], tuple[Call, ...]] | None = None,
    back: Callable[[tuple[Call, ...]], tuple[Call, ...]] | None = None,
    earlier: tuple[str, ...] = (),
    touches: Callable[[ChangeEvent], tuple[str, ...]] = _touches,
) -> Change:
    return Change(
        operation=operation,
        touches=touches,
        breaks=breaks,
        example=_recorded(operation, request, response),
        effects=effects,
        undo=undo,
        back=back,
        earlier=earlier,
    )


_STATES = ("EnableKey", "DisableKey", "CancelKeyDeletion", "ScheduleKeyDeletion", "CreateKey")

CHANGES = (
    _change(
        "DisableKey",
        "Nothing that the key encrypts can be read or written: queues, tables, buckets, secrets and volumes fail.",
        _ID,
        _SHOWN,
        undo=_undo_disable,
        earlier=_STATES,
    ),
    _change(
        "ScheduleKeyDeletion",
        "The key is unusable at once; when the waiting time is over, what it encrypts is lost for good.",
        {**_ID, "pendingWindowInDays": 7},
        {
            **_SHOWN,
            "keyState": "PendingDeletion",
            "deletionDate": "Mar 20, 2026, 5:12:31 PM",
            "pendingWindowInDays": 7,
        },
        undo=_undo_schedule,
        back=_not_again,
        earlier=_STATES,
    ),
    _change(
        "CancelKeyDeletion",
        "The key stays disabled until somebody enables it.",
        _ID,
        _SHOWN,
        effects=(),
    ),
    _change("EnableKey", "Nothing breaks.", _ID, _SHOWN, effects=(), undo=_undo_enable, earlier=_STATES),
    _change(
        "PutKeyPolicy",
        "Callers and services that the new policy does not allow cannot use what the key encrypts.",
        {
            **_ID,
            "policyName": "default",
            "policy": json.dumps(_POLICY),
            "bypassPolicyLockoutSafetyCheck": False,
        },
        _SHOWN,
    ),
    _change(
        "RevokeGrant",
        "Whoever used the key by this grant is refused: a volume cannot be attached, a table not be read.",
        {**_ID, "grantId": _GRANT},
        _SHOWN,
        undo=_undo_grant,
        earlier=("CreateGrant",),
    ),
    _change(
        "RetireGrant",
        "Whoever used the key by this grant is refused.",
        {**_ID, "grantId": _GRANT},
        _SHOWN,
        undo=_undo_grant,
        earlier=("CreateGrant",),
    ),
    _change(
        "UpdateAlias",
        "Callers that name the alias use another key, which they may not be allowed to.",
        {**_ALIAS, "targetKeyId": _ID["keyId"]},
        touches=_touches_alias,
        effects=(),
    ),
    _change(
        "DeleteAlias",
        "Callers that name the alias find no key.",
        _ALIAS,
        touches=_touches_alias,
        undo=_undo_delete_alias,
        earlier=("CreateAlias", "UpdateAlias"),
    ),
    _change(
        "DeleteImportedKeyMaterial",
        "The key is unusable until the same material is imported again.",
        _ID,
        _SHOWN,
    ),
    inert(
        "CreateAlias",
        _touches_alias,
        _recorded("CreateAlias", {**_ALIAS, "targetKeyId": _ID["keyId"]}),
    ),
    *(
        inert(operation, _touches, _recorded(operation, request, response))
        for operation, request, response in (
            (
                "CreateKey",
                {"policy": json.dumps(_POLICY), "keyUsage": "ENCRYPT_DECRYPT", "origin": "AWS_KMS"},
                {"keyMetadata": {"arn": _KEY, **_ID, "enabled": True, "keyState": "Enabled"}},
            ),
            (
                "ReplicateKey",
                {**_ID, "replicaRegion": "eu-central-1", "policy": json.dumps(_POLICY)},
                {"replicaKeyMetadata": {"arn": _KEY.replace("eu-west-1", "eu-central-1")}},
            ),
            (
                "CreateGrant",
                {
                    **_ID,
                    "granteePrincipal": "arn:aws:iam::111122223333:role/orders-writer",
                    "operations": ["Decrypt", "GenerateDataKey"],
                },
                {**_SHOWN, "grantId": _GRANT},
            ),
            ("EnableKeyRotation", {**_ID, "rotationPeriodInDays": 365}, _SHOWN),
            ("DisableKeyRotation", _ID, _SHOWN),
            ("RotateKeyOnDemand", _ID, _SHOWN),
            ("UpdateKeyDescription", {**_ID, "description": "orders"}, _SHOWN),
            ("TagResource", {**_ID, "tags": [{"tagKey": "team", "tagValue": "shop"}]}, _SHOWN),
            ("UntagResource", {**_ID, "tagKeys": ["team"]}, _SHOWN),
        )
    ),
)


# -- conditions, signatures, metrics ---------------------------------------------------------------


def _no_material(resource: Resource) -> bool:
    return text(resource.config, "KeyState") in ("PendingImport", "Unavailable")


CONDITIONS = (
    Condition(
        key="key-without-material",
        type="key",
        title="key without material: imported material has expired, or its key store is not connected",
        metrics=("SecondsUntilKeyMaterialExpiration",),
        breaks="Nothing that the key encrypts can be read or written until its material is back.",
        relieve=(
            "Import the same key material again, or connect the key store.",
            "Do not make another key in its place: it cannot read what this one encrypted.",
        ),
        prevent=(
            "Alarm on SecondsUntilKeyMaterialExpiration, weeks ahead; keep the material at hand.",
            "Watch the connection of custom key stores.",
        ),
        shown=_no_material,
        excluded=lambda resource: text(resource.config, "Origin") == "AWS_KMS",
    ),
)

SIGNATURES = (
    Signature(
        match=r"\bkey/[0-9a-f-]{36} is disabled|\b(?:KMS\.?)?DisabledException\b",
        code="DisabledException",
        reason="",
        points_to="DisableKey",
        says="the key is disabled",
    ),
    Signature(
        match=r"\bkey/[0-9a-f-]{36} is pending deletion",
        code="KMSInvalidStateException",
        reason="",
        points_to="ScheduleKeyDeletion",
        says="the key is to be deleted, and unusable until then",
    ),
    Signature(
        match=r"\bkey/[0-9a-f-]{36} is (?:pending import|unavailable)",
        code="KMSInvalidStateException",
        reason="",
        points_to="key-without-material",
        says="the key has no material",
    ),
    Signature(
        match=r"The ciphertext refers to a customer master key that does not exist"
        r"|is not authorized to perform: kms:\w+ .*"
        r"(?:no resource-based policy allows|explicit deny in a resource-based)",
        code="AccessDeniedException",
        reason="",
        points_to="PutKeyPolicy",
        says="the key's policy does not let the caller use it",
    ),
    Signature(
        match=r"\bAlias arn:aws[\w-]*:kms:\S+:alias/\S+ is not found",
        code="NotFoundException",
        reason="",
        points_to="DeleteAlias",
        says="the alias does not exist",
    ),
)

SERVICE = Service(
    name="kms",
    title="KMS",
    client="kms",
    event_sources=(_SOURCE,),
    reads=(
        Read(operation="ListAliases", action="kms:ListAliases", shows="which aliases stand for which keys"),
        Read(operation="DescribeKey", action="kms:DescribeKey", shows="a key's state"),
        Read(operation="GetKeyPolicy", action="kms:GetKeyPolicy", shows="whom a key's policy allows"),
        Read(
            operation="GetKeyRotationStatus",
            action="kms:GetKeyRotationStatus",
            shows="whether a key is rotated",
        ),
        Read(operation="ListResourceTags", action="kms:ListResourceTags", shows="who owns a key"),
    ),
    types={
        "key": "other",
        "key-alias": "other",
    },  # keys are shared by unrelated resources: not gone through
    arns={"key": r"kms:key/[^/]+", "key-alias": r"kms:alias/.+"},
    discover=discover,
    describe=describe,
    relations=relations,
    namespace="AWS/KMS",
    dimensions=lambda resource: (("KeyId", resource.name),) if resource.type == "key" else (),
    owner=owner,
    metrics=(
        MetricSpec(
            type="key",
            name="SecondsUntilKeyMaterialExpiration",
            stat="Minimum",
            role="saturation",
            bad="down",
            missing="unknown",
            unit="seconds until the material expires",
            where=lambda resource: text(resource.config, "Origin") == "EXTERNAL",
        ),
    ),
    settings=SETTINGS,
    changes=CHANGES,
    conditions=CONDITIONS,
    signatures=SIGNATURES,
    listed=False,  # found where those who use a key name it
    shared=("key",),  # DescribeKey answers other accounts that its policy lets in
)
