"""KMS's reads: keys, aliases, policies, grants (API reference). The keys of AWS itself are not among them."""

from __future__ import annotations

from datetime import timedelta

from evals.world.asking import Ask, NotModelled, Refusal, handles
from evals.world.deeds_kms import WINDOW, document
from evals.world.permissions import caller
from evals.world.world import Thing
from tools.arn import parse
from tools.models import Json


def _held(ask: Ask) -> list[Thing]:
    found = [one for one in ask.world.of("key", ask.region) if one.created <= ask.as_of]
    return sorted(found, key=lambda one: str(one.fixed["id"]))


def _alias_arn(ask: Ask, key: Thing) -> str:
    return ask.world.arn("kms", str(key.fixed["alias"]))


def _one(ask: Ask) -> Thing:
    wanted = str(ask.need("KeyId"))
    for one in _held(ask):
        if wanted in (one.arn, one.fixed["id"], one.fixed["alias"], _alias_arn(ask, one)):
            return one
    if wanted.startswith("alias/aws/") or ":alias/aws/" in wanted:
        raise NotModelled("a key of AWS")
    if wanted.startswith("arn:") and parse(wanted).account != ask.world.account:
        said = (
            f"User: {caller(ask.world)} is not authorized to perform: kms:{ask.operation} on resource: {wanted} "
            f"because no resource-based policy allows the kms:{ask.operation} action"
        )
        raise Refusal("AccessDeniedException", said)
    named = wanted if wanted.startswith("arn:") else ask.world.arn("kms", f"key/{wanted}")
    raise Refusal("NotFoundException", f"Key '{named}' does not exist")


@handles("kms", "DescribeKey")
def describe_key(ask: Ask) -> Json:
    key = _one(ask)
    state = str(key.at("KeyState", ask.as_of))
    shown: Json = {
        "AWSAccountId": ask.world.account,
        "KeyId": key.fixed["id"],
        "Arn": key.arn,
        "CreationDate": key.created,
        "Enabled": state == "Enabled",
        "Description": key.at("Description", ask.as_of) or "",
        "KeyUsage": "ENCRYPT_DECRYPT",
        "KeyState": state,
        "Origin": "AWS_KMS",
        "KeyManager": "CUSTOMER",
        "CustomerMasterKeySpec": "SYMMETRIC_DEFAULT",
        "KeySpec": "SYMMETRIC_DEFAULT",
        "EncryptionAlgorithms": ["SYMMETRIC_DEFAULT"],
        "MultiRegion": False,
    }
    if state == "PendingDeletion":
        since = [at for at, one in key.settings.steps["KeyState"].pairs() if one == state and at <= ask.as_of]
        shown["DeletionDate"] = since[-1] + timedelta(days=WINDOW)
    return {"KeyMetadata": shown}


@handles("kms", "ListKeys")
def list_keys(ask: Ask) -> Json:
    size, token = int(ask.take("Limit", 100)), ask.take("Marker")
    shown = [{"KeyId": one.fixed["id"], "KeyArn": one.arn} for one in _held(ask)]
    page, following = ask.page(shown, size, token)
    return {"Keys": page, "Truncated": following is not None} | (
        {"NextMarker": following} if following else {}
    )


@handles("kms", "ListAliases")
def list_aliases(ask: Ask) -> Json:
    """Aliases of the customer's keys; those of AWS's own keys are there once a service made them."""
    keys = [_one(ask)] if ask.left.get("KeyId") else _held(ask)
    size, token = int(ask.take("Limit", 50)), ask.take("Marker")
    shown = [
        {
            "AliasName": one.fixed["alias"],
            "AliasArn": _alias_arn(ask, one),
            "TargetKeyId": one.fixed["id"],
            "CreationDate": one.created,
            "LastUpdatedDate": one.created,
        }
        for one in keys
    ]
    page, following = ask.page(shown, size, token)
    return {"Aliases": page, "Truncated": following is not None} | (
        {"NextMarker": following} if following else {}
    )


@handles("kms", "GetKeyPolicy")
def get_key_policy(ask: Ask) -> Json:
    key = _one(ask)
    if ask.take("PolicyName", "default") != "default":
        raise Refusal("NotFoundException", "No such policy exists")
    return {"Policy": document(ask.world, key, key.at("Policy", ask.as_of)), "PolicyName": "default"}


@handles("kms", "ListKeyPolicies")
def list_key_policies(ask: Ask) -> Json:
    _one(ask)
    ask.take("Limit")
    return {"PolicyNames": ["default"], "Truncated": False}


@handles("kms", "GetKeyRotationStatus")
def get_key_rotation_status(ask: Ask) -> Json:
    return {"KeyRotationEnabled": False, "KeyId": _one(ask).arn}


@handles("kms", "ListKeyRotations")
def list_key_rotations(ask: Ask) -> Json:
    _one(ask)
    ask.take("Limit")
    return {"Rotations": [], "Truncated": False}


@handles("kms", "ListGrants")
def list_grants(ask: Ask) -> Json:
    _one(ask)
    ask.take("Limit")
    return {"Grants": [], "Truncated": False}


@handles("kms", "ListResourceTags")
def list_resource_tags(ask: Ask) -> Json:
    tags = _one(ask).tags(ask.as_of)
    ask.take("Limit")
    return {
        "Tags": [{"TagKey": key, "TagValue": value} for key, value in sorted(tags.items())],
        "Truncated": False,
    }
