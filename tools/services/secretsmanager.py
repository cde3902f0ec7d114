"""Secrets Manager: secrets, their versions and stages, rotation. No value of a secret is ever read."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Any

from tools import arn as arns
from tools.errors import BadInput, NotThere
from tools.evidence import canonical
from tools.kit import call, here, optional, plain, record, relation, text
from tools.models import Call, ChangeEvent, Json, Relation, Resource, Value
from tools.policies import document
from tools.services._spec import (
    Change,
    Condition,
    Directory,
    Effect,
    Read,
    Service,
    Setting,
    Signature,
    inert,
)

if TYPE_CHECKING:
    from tools.aws import Reader

_SOURCE = "secretsmanager.amazonaws.com"
_CURRENT, _PREVIOUS, _PENDING = "AWSCURRENT", "AWSPREVIOUS", "AWSPENDING"
_SUFFIX = re.compile(r"(:secret:.+)-[A-Za-z0-9]{6}$")
"""ARNs end with six random characters; configurations may leave them out, and requests may name the bare name."""
_SLACK = timedelta(minutes=1)
_DEFAULT_KEY = "alias/aws/secretsmanager"
_VERSION = f"Versions[?contains(VersionStages, '{_CURRENT}')] | [0].VersionId"


def _touches(event: ChangeEvent) -> tuple[str, ...]:
    """The secret's whole ARN where the record has it, and the ARN without its random end."""
    # CloudTrail spells the member aRN, arn or ARN, by operation.
    answered = (text(event.response, key) for key in ("aRN", "arn", "ARN"))
    named = text(event.request, "secretId") or text(event.request, "name")
    whole = next((one for one in (*answered, named) if arns.is_arn(one)), "")
    found = [whole] if whole else [here(event, "secretsmanager", f"secret:{named}")] if named else []
    return tuple(dict.fromkeys([*found, *(_SUFFIX.sub(r"\1", one) for one in found[:1] if whole)]))


# -- reading ----------------------------------------------------------------------------------------


def discover(reader: Reader, region: str) -> Iterable[Resource]:
    """All secrets with their stages and rotation, without policies."""
    secrets = reader.pages("secretsmanager", "ListSecrets", "SecretList", region=region, MaxResults=100)
    for number, item in enumerate(secrets.items):
        yield _secret(item, str(item["ARN"]), (secrets.of(number, 100),))


def _secret(item: Mapping[str, Any], arn: str, evidence: Iterable[str], **more: Any) -> Resource:
    """`config`: the item, with Versions [{VersionId, VersionStages, CreatedDate}] and ResourcePolicy where read."""
    config = plain(item)
    # ListSecrets calls SecretVersionsToStages what DescribeSecret calls VersionIdsToStages.
    stages = config.pop("SecretVersionsToStages", None) or config.get("VersionIdsToStages") or {}
    told = [{"VersionId": id, "VersionStages": stages[id]} for id in sorted(stages)]
    tags = {str(tag["Key"]): str(tag.get("Value", "")) for tag in config.get("Tags") or []}
    parts = arns.parse(arn)
    return Resource(
        arn=arn,
        service="secretsmanager",
        type="secret",
        name=str(config.get("Name") or parts.name),
        account=parts.account,
        region=parts.region,
        config={**config, "VersionIdsToStages": stages, "Versions": told, **more},
        tags=tags,
        evidence=tuple(id for id in evidence if id),
    )


def describe(reader: Reader, arn: str) -> Resource | None:
    """The secret with its versions and resource policy; what a deleted one still shows."""
    region = arns.parse(arn).region
    try:
        answer = reader.ask("secretsmanager", "DescribeSecret", region=region, SecretId=arn)
    except NotThere:
        return None
    more: Json = {}
    evidence = [answer.evidence]
    # A secret that waits for its deletion answers neither of these.
    for operation, what, keep in () if answer.data.get("DeletedDate") else _PARTS:
        part = optional(reader, "secretsmanager", operation, what, region=region, SecretId=arn)
        if part is not None:
            more.update(keep(part.data))
            evidence.append(part.evidence)
    return _secret(answer.data, arn, evidence, **more)


def _versions(data: Json) -> Json:
    return {"Versions": plain({"Versions": data["Versions"]})["Versions"]} if data.get("Versions") else {}


def _policy(data: Json) -> Json:
    raw = data.get("ResourcePolicy")
    return {"ResourcePolicy": canonical(document(raw)) if raw else None}


_PARTS = (
    ("ListSecretVersionIds", "Versions", _versions),
    ("GetResourcePolicy", "Resource policy", _policy),
)


def versions(reader: Reader, resource: Resource) -> Iterable[tuple[str, datetime, Json, str]]:
    """The version that was current before the one that is now: AWS moves AWSPREVIOUS to it by itself."""
    pages = reader.pages(
        "secretsmanager",
        "ListSecretVersionIds",
        "Versions",
        region=resource.region,
        SecretId=resource.arn,
        MaxResults=100,
    )
    for number, item in enumerate(pages.items):
        if _PREVIOUS in (item.get("VersionStages") or ()) and item.get("CreatedDate"):
            shown = {"Versions": [{"VersionId": item["VersionId"], "VersionStages": [_CURRENT]}]}
            yield item["VersionId"], item["CreatedDate"], shown, pages.of(number, 100)


def relations(resource: Resource, directory: Directory) -> Iterable[Relation]:
    """The key that encrypts a secret, the function that rotates it, and its copies in other regions."""
    config = resource.config
    if key := text(config, "KmsKeyId"):
        known = [key] if arns.is_arn(key) else _key_of(resource, key)
        for target in known:
            yield relation(resource, target, "uses", "secretsmanager:DescribeSecret KmsKeyId")
    if function := text(config, "RotationLambdaARN"):
        target = re.sub(r"(:function:[^:]+):.*$", r"\1", function)
        yield relation(resource, target, "rotated by", "secretsmanager:DescribeSecret RotationLambdaARN")
    for copy in config.get("ReplicationStatus") or []:
        if region := text(copy, "Region"):
            target = resource.arn.replace(f":{resource.region}:", f":{region}:", 1)
            said_by = "secretsmanager:DescribeSecret ReplicationStatus"
            yield relation(resource, target, "replicates to", said_by)
    primary = text(config, "PrimaryRegion")
    if primary and primary != resource.region:
        source = resource.arn.replace(f":{resource.region}:", f":{primary}:", 1)
        yield Relation(
            source=source,
            target=resource.arn,
            kind="replicates to",
            provenance="secretsmanager:DescribeSecret PrimaryRegion",
            evidence=resource.evidence,
        )


def _key_of(resource: Resource, key: str) -> list[str]:
    """ARN of a key given by its bare id; an alias tells no key."""
    if re.fullmatch(r"(mrk-)?[0-9a-f-]{32,36}", key):
        return [arns.build("kms", resource.region, resource.account, f"key/{key}")]
    return []


# -- stages -----------------------------------------------------------------------------------------


def _staged(resource: Resource, stage: str) -> str:
    """Id of the version that has the stage, or ""."""
    for version in resource.config.get("Versions") or []:
        if stage in (version.get("VersionStages") or ()):
            return text(version, "VersionId")
    return ""


def _rotated(resource: Resource) -> str:
    """Id of the version that the last rotation made, or "": whatever the secret opens was changed with it.

    The current one where no version's date is known: it cannot be ruled out.
    """
    at = text(resource.config, "LastRotatedDate")
    if not at:
        return ""
    latest = datetime.fromisoformat(at) + _SLACK
    made = [
        (datetime.fromisoformat(text(version, "CreatedDate")), text(version, "VersionId"))
        for version in resource.config.get("Versions") or []
        if text(version, "CreatedDate")
    ]
    if not made:
        return _staged(resource, _CURRENT)
    return max((one for one in made if one[0] <= latest), default=(latest, ""))[1]


def _restore_version(resource: Resource, value: Value) -> tuple[Call, ...]:
    """Moves AWSCURRENT, and AWS moves AWSPREVIOUS along. No call where the stage's holder is not known.

    Nor for what a rotation made: it changed the password at the database too, and the old one no longer opens it.
    """
    held = _staged(resource, _CURRENT)
    known = {text(version, "VersionId") for version in resource.config.get("Versions") or []}
    if not isinstance(value, str) or not held or value not in known or _rotated(resource) == held:
        return ()
    before = _staged(resource, _PREVIOUS) if value == held else held  # the way back, from what was restored
    if not before:
        return ()
    return (
        call(
            "secretsmanager",
            "UpdateSecretVersionStage",
            resource,
            SecretId=resource.arn,
            VersionStage=_CURRENT,
            MoveToVersionId=value,
            RemoveFromVersionId=before,
        ),
    )


# -- settings ---------------------------------------------------------------------------------------


def _read(resource: Resource) -> Call:
    return call("secretsmanager", "DescribeSecret", resource, SecretId=resource.arn)


def _read_versions(resource: Resource) -> Call:
    return call("secretsmanager", "ListSecretVersionIds", resource, SecretId=resource.arn)


def _read_policy(resource: Resource) -> Call:
    return call("secretsmanager", "GetResourcePolicy", resource, SecretId=resource.arn)


def _restore_rotation(resource: Resource, value: Value) -> tuple[Call, ...]:
    if value is None:
        return ()
    if not value:
        return (call("secretsmanager", "CancelRotateSecret", resource, SecretId=resource.arn),)
    # Function and schedule stay with the secret while rotation is off. Without False it would rotate at once.
    return (call("secretsmanager", "RotateSecret", resource, SecretId=resource.arn, RotateImmediately=False),)


def _restore_function(resource: Resource, value: Value) -> tuple[Call, ...]:
    if not isinstance(value, str) or not arns.is_arn(value):
        return ()
    sent: Json = {"RotationLambdaARN": value, "RotateImmediately": False}
    return (call("secretsmanager", "RotateSecret", resource, SecretId=resource.arn, **sent),)


def _restore_key(resource: Resource, value: Value) -> tuple[Call, ...]:
    key = str(value) if value else _DEFAULT_KEY
    return (call("secretsmanager", "UpdateSecret", resource, SecretId=resource.arn, KmsKeyId=key),)


def _restore_policy(resource: Resource, value: Value) -> tuple[Call, ...]:
    if not value:
        return (call("secretsmanager", "DeleteResourcePolicy", resource, SecretId=resource.arn),)
    sent: Json = {"SecretId": resource.arn, "ResourcePolicy": str(value)}
    return (call("secretsmanager", "PutResourcePolicy", resource, **sent),)


def _policy_meant(event: ChangeEvent, value: Value) -> Value:
    """AWS writes policies anew, so both sides are compared in one writing."""
    found = document(value)
    return canonical(found) if found else value


# Clients of the cache libraries ask again after an hour; pools of connections live on for longer.
_LATER = (0, 10800)
_REFUSED = (
    Effect(metric="role:errors", direction="up", on="upstream", after=_LATER),
    Effect(metric="role:latency", direction="up", on="upstream", after=_LATER, may=True),
    Effect(metric="role:backlog", direction="up", on="upstream", after=_LATER, may=True),
)

SETTINGS = (
    Setting(
        type="secret",
        name="current version",
        path=_VERSION,
        unit="",
        requests={
            # The token of a request becomes the id of the version it makes (API reference).
            "PutSecretValue": "[@][?!versionStages || contains(versionStages, 'AWSCURRENT')] "
            "| [0].clientRequestToken",
            # A token is sent whether or not a value is; with other members it tells no version.
            "UpdateSecret": "[@][?!description && !kmsKeyId] | [0].clientRequestToken",
            "UpdateSecretVersionStage": "[@][?versionStage == 'AWSCURRENT'] | [0].moveToVersionId",
            "CreateSecret": "clientRequestToken",
        },
        restore=_restore_version,
        read=_read_versions,
        query=_VERSION,
        effects=_REFUSED,
        versioned=True,
    ),
    Setting(
        type="secret",
        name="automatic rotation",
        path="RotationEnabled",
        unit="",
        requests={
            "CancelRotateSecret": "`false`",
            # Without a function or a schedule it rotates once what is rotated already.
            "RotateSecret": "[@][?rotationLambdaARN || rotationRules] | [0] && `true`",
        },
        restore=_restore_rotation,
        read=_read,
        query="RotationEnabled",
        unset=False,
        echo="none",
        effects=tuple(
            Effect(metric=one.metric, direction="up", on="upstream", after=_LATER, when="raised", may=one.may)
            for one in _REFUSED
        ),
    ),
    Setting(
        type="secret",
        name="rotation function",
        path="RotationLambdaARN",
        unit="",
        requests={"RotateSecret": "rotationLambdaARN"},
        restore=_restore_function,
        read=_read,
        query="RotationLambdaARN",
        echo="none",
        effects=_REFUSED,
    ),
    Setting(
        type="secret",
        name="encryption key",
        path="KmsKeyId",
        unit="",
        requests=dict.fromkeys(("UpdateSecret", "CreateSecret"), "kmsKeyId"),
        restore=_restore_key,
        read=_read,
        query="KmsKeyId",
        unset=_DEFAULT_KEY,
        echo="none",
        effects=_REFUSED,
    ),
    Setting(
        type="secret",
        name="resource policy",
        path="ResourcePolicy",
        unit="",
        requests={"PutResourcePolicy": "resourcePolicy", "DeleteResourcePolicy": "`null`"},
        restore=_restore_policy,
        read=_read_policy,
        query="ResourcePolicy",
        echo="none",
        effects=_REFUSED,
        means=_policy_meant,
    ),
)

# -- changes ----------------------------------------------------------------------------------------


def _undo_delete(event: ChangeEvent, earlier: tuple[ChangeEvent, ...]) -> tuple[Call, ...]:
    """A deleted secret comes back whole within its recovery window; without one it is gone."""
    touched = _touches(event)
    if event.request.get("forceDeleteWithoutRecovery") or not touched:
        return ()
    return (call("secretsmanager", "RestoreSecret", event, SecretId=touched[0]),)


def _undo_replicas(event: ChangeEvent, earlier: tuple[ChangeEvent, ...]) -> tuple[Call, ...]:
    """The copies as they were made; none when it is not known which key each had."""
    gone = set(event.request.get("removeReplicaRegions") or ())
    back: dict[str, Json] = {}
    for before in earlier:
        if _touches(before)[:1] != _touches(event)[:1]:
            continue
        for one in before.request.get("addReplicaRegions") or ():
            region = text(one, "region")
            if region in gone and region not in back:
                key = text(one, "kmsKeyId")
                back[region] = {"Region": region} | ({"KmsKeyId": key} if key else {})
    if not gone or set(back) != gone:
        return ()
    added = [back[region] for region in sorted(back)]
    return (
        call(
            "secretsmanager",
            "ReplicateSecretToRegions",
            event,
            SecretId=_touches(event)[0],
            AddReplicaRegions=added,
        ),
    )


def _undo_cancel(event: ChangeEvent, earlier: tuple[ChangeEvent, ...]) -> tuple[Call, ...]:
    """Rotation as it was last set, without rotating at once."""
    from tools.parameters import from_cloudtrail

    for before in earlier:
        if before.operation == "RotateSecret" and _touches(before)[:1] == _touches(event)[:1]:
            sent = {key: value for key, value in before.request.items() if key != "clientRequestToken"}
            try:
                made = from_cloudtrail("secretsmanager", "RotateSecret", {**sent, "rotateImmediately": False})
            except BadInput:
                return ()
            return (call("secretsmanager", "RotateSecret", event, **made),)
    return ()


_ARN = "arn:aws:secretsmanager:eu-west-1:111122223333:secret:shop/orders-db-a1B2c3"
_ON: Json = {"secretId": _ARN}
_NEW, _OLD = "2f6c1d1e-8f0b-4b5a-9a27-6f2a4f9c1b02", "9b1d8a34-51c7-4a0e-8c5e-0d3f7a6b2c01"
_KEY = "arn:aws:kms:eu-west-1:111122223333:key/1f2e3d4c-5b6a-4789-90ab-cdef01234567"
_ROTATE: Json = {
    **_ON,
    "clientRequestToken": _NEW,
    "rotationLambdaARN": "arn:aws:lambda:eu-west-1:111122223333:function:rotate-orders-db",
    "rotationRules": {"automaticallyAfterDays": 30},
}
_POLICY = canonical(
    {
        "Statement": [
            {
                "Action": "secretsmanager:GetSecretValue",
                "Effect": "Deny",
                "Principal": "*",
                "Resource": "*",
            }
        ],
        "Version": "2012-10-17",
    }
)
_TAKEN: Json = {"aRN": _ARN, "name": "shop/orders-db"}


def _change(
    operation: str,
    breaks: str,
    request: Json,
    response: Json | None = None,
    *,
    effects: tuple[Effect, ...] = (),
    more: tuple[Json, ...] = (),
    undo: Any = None,
    earlier: tuple[str, ...] = (),
    follows: tuple[str, ...] = (),
    asked: Callable[[ChangeEvent, Resource], bool] | None = None,
    renews: bool = False,
) -> Change:
    made = partial(record, _SOURCE, operation, response=response)
    return Change(
        operation=operation,
        touches=_touches,
        breaks=breaks,
        example=made(request),
        more_examples=tuple(made(one) for one in more),
        effects=effects,
        undo=undo,
        earlier=earlier,
        follows=follows,
        asked=asked,
        renews=renews,
    )


_WINDOW = timedelta(days=1)  # a rotation begins at any time of the day on which it is due


def _out_of_turn(event: ChangeEvent, resource: Resource) -> bool:
    """Whether a step of the rotation function came when no rotation was due: then somebody asked for it."""
    config = resource.config
    function = text(config, "RotationLambdaARN").partition(":function:")[2].partition(":")[0]
    if not function or event.actor.session != function:
        return False
    days = (config.get("RotationRules") or {}).get("AutomaticallyAfterDays")
    new = {text(event.request, "clientRequestToken"), text(event.request, "moveToVersionId")}
    before = [
        datetime.fromisoformat(text(version, "CreatedDate"))
        for version in config.get("Versions") or []
        if text(version, "CreatedDate") and text(version, "VersionId") not in new
    ]
    if not isinstance(days, int) or not before:
        return False
    return abs(event.time - max(before) - timedelta(days=days)) > _WINDOW


_MAY = tuple(
    Effect(metric=one.metric, direction="up", on="upstream", after=_LATER, may=True) for one in _REFUSED
)

CHANGES = (
    _change(
        "PutSecretValue",
        "Whoever reads the secret gets another value, which what it opens may refuse.",
        {**_ON, "clientRequestToken": _NEW},
        {"arn": _ARN},
        more=({**_ON, "clientRequestToken": _NEW, "versionStages": [_PENDING]},),
        follows=("RotateSecret",),
        asked=_out_of_turn,
    ),
    _change(
        "UpdateSecret",
        "Its value or its key is another; readers may be refused.",
        {**_ON, "clientRequestToken": _NEW},
        _TAKEN,
        effects=_MAY,
        more=({**_ON, "clientRequestToken": _OLD, "kmsKeyId": _KEY},),
    ),
    _change(
        "UpdateSecretVersionStage",
        "Readers of the stage get the value of another version.",
        {**_ON, "versionStage": _CURRENT, "moveToVersionId": _NEW, "removeFromVersionId": _OLD},
        _TAKEN,
        follows=("RotateSecret",),
        asked=_out_of_turn,
    ),
    _change(
        "RotateSecret",
        "A new value is made and set; whoever keeps the old one is refused.",
        _ROTATE,
        {**_TAKEN, "versionId": _NEW},
        effects=_REFUSED,
        renews=True,
    ),
    _change(
        "CancelRotateSecret",
        "The value is rotated no more; a rotation under way stops half done.",
        _ON,
        {**_TAKEN, "versionId": _NEW},
        effects=_MAY,
        undo=_undo_cancel,
        earlier=("RotateSecret",),
    ),
    _change(
        "DeleteSecret",
        "Nobody can read the secret from now on; a recovery window keeps it restorable.",
        {**_ON, "recoveryWindowInDays": 7},
        {**_TAKEN, "deletionDate": "Mar 20, 2026, 5:12:31 PM"},
        effects=_REFUSED,
        more=({**_ON, "forceDeleteWithoutRecovery": True},),
        undo=_undo_delete,
    ),
    _change(
        "PutResourcePolicy",
        "It may deny readers what their own policies allow.",
        {**_ON, "resourcePolicy": _POLICY, "blockPublicPolicy": True},
        _TAKEN,
    ),
    _change(
        "DeleteResourcePolicy",
        "Readers that only the policy admitted, other accounts above all, are refused.",
        _ON,
        _TAKEN,
    ),
    _change(
        "RemoveRegionsFromReplication",
        "Readers in those regions find no secret there.",
        {**_ON, "removeReplicaRegions": ["eu-central-1"]},
        {"aRN": _ARN, "replicationStatus": []},
        effects=_REFUSED,
        undo=_undo_replicas,
        earlier=("ReplicateSecretToRegions",),
    ),
    _change(
        "StopReplicationToReplica",
        "The copy stands alone: later values of the primary do not reach it.",
        _ON,
        {"aRN": _ARN},
        effects=_MAY,
    ),
    *(
        inert(operation, _touches, record(_SOURCE, operation, request, response))
        for operation, request, response in (
            (
                "CreateSecret",
                {"name": "shop/orders-db", "clientRequestToken": _OLD},
                {**_TAKEN, "versionId": _OLD},
            ),
            ("RestoreSecret", _ON, _TAKEN),
            (
                "ReplicateSecretToRegions",
                {**_ON, "addReplicaRegions": [{"region": "eu-central-1", "kmsKeyId": _KEY}]},
                {"aRN": _ARN},
            ),
            ("TagResource", {**_ON, "tags": [{"key": "team", "value": "shop"}]}, None),
            ("UntagResource", {**_ON, "tagKeys": ["team"]}, None),
        )
    ),
)


def _half_rotated(secret: Resource) -> bool:
    """A version waits as AWSPENDING beside another that is current: a rotation began and did not end."""
    pending = _staged(secret, _PENDING)
    return bool(pending) and pending != _staged(secret, _CURRENT)


CONDITIONS = (
    Condition(
        key="rotation-unfinished",
        type="secret",
        title="rotation under way or half done: a pending version stands beside the current one",
        metrics=(),
        breaks="What the secret opens may have the pending value already while readers still get the current one.",
        relieve=(
            "Read the log of the rotation function: its last step, testSecret or setSecret, tells where it stopped.",
            "When the pending value opens it, finish: run the rotation again, which goes on with that version.",
        ),
        prevent=("Alarm on errors of the rotation function.", "Rotate with two users in turn."),
        calls=lambda secret: (_read_versions(secret),),
        shown=_half_rotated,
        excluded=lambda secret: bool(secret.config.get("Versions")) and not _half_rotated(secret),
    ),
)


def _signature(match: str, code: str, reason: str, points_to: str, says: str) -> Signature:
    return Signature(match=match, code=code, reason=reason, points_to=points_to, says=says)


SIGNATURES = (
    _signature(
        r"password authentication failed for user|Access denied for user '.{1,80}\(using password: YES\)",
        "",
        "login refused",
        "RotateSecret",
        "the database refused a password that programs hold from before",
    ),
    _signature(
        r"secret because it was (marked|scheduled) for deletion|secret.{0,120}currently marked deleted",
        "InvalidRequestException",
        "secret deleted",
        "DeleteSecret",
        "the secret was deleted and waits for its recovery window to end",
    ),
    _signature(
        r"Secrets Manager can.?t find the specified secret value for (staging label|VersionId)",
        "ResourceNotFoundException",
        "stage of a secret",
        _VERSION,
        "no version of the secret has the stage that was asked for",
    ),
    _signature(
        r"Secrets Manager can.?t find the specified secret\b(?! value)",
        "ResourceNotFoundException",
        "secret",
        "DeleteSecret",
        "the secret does not exist",
    ),
    _signature(
        r"Secrets Manager can.?t decrypt the (secret|protected)|Access to KMS is not allowed",
        "DecryptionFailure",
        "key of a secret",
        "KmsKeyId",
        "the secret's key may not be used, or is switched off",
    ),
    _signature(
        r"not authorized to perform: secretsmanager:GetSecretValue.{0,200}resource-based policy",
        "AccessDeniedException",
        "policy of a secret",
        "ResourcePolicy",
        "the secret's own policy refuses the reader",
    ),
    _signature(
        r"Rotation of secret.{0,200}failed|(createSecret|setSecret|testSecret|finishSecret): (Unable|Cannot|Failed)",
        "RotationFailed",
        "rotation",
        "rotation-unfinished",
        "a step of the rotation failed",
    ),
)


def _reads(shows: Mapping[str, str]) -> tuple[Read, ...]:
    return tuple(
        Read(operation=operation, action=f"secretsmanager:{operation}", shows=what)
        for operation, what in shows.items()
    )


SERVICE = Service(
    name="secretsmanager",
    title="Secrets Manager",
    client="secretsmanager",
    event_sources=(_SOURCE,),
    reads=_reads(
        {
            "DescribeSecret": "stages, rotation and key of a secret, never its value",
            "ListSecrets": "which secrets exist",
            "ListSecretVersionIds": "which version was current before",
            "GetResourcePolicy": "whom a secret's own policy admits",
        }
    ),
    types={"secret": "component"},
    arns={"secret": r"secretsmanager:secret:.+"},
    discover=discover,
    describe=describe,
    relations=relations,
    settings=SETTINGS,
    changes=CHANGES,
    conditions=CONDITIONS,
    signatures=SIGNATURES,
    versions=versions,
    listed=False,  # found where programs and definitions name them, or roles by the beginning of a name
    listed_near=("function", "service", "task-definition"),
)
