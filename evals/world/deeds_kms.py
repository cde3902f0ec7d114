"""How CloudTrail records what is done to KMS keys: the key by its ARN or id in the request, and in `resources`."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from evals.world.trail import Deed, long_stamp
from evals.world.world import Thing, World
from tools.models import Json

if TYPE_CHECKING:
    from evals.world.kinds._kind import Act

WINDOW = 30
"""Days until a key is deleted, when nobody says another number."""


def _deed(thing: Thing, name: str, request: Json, response: Json | None) -> Deed:
    return Deed(
        source="kms",
        name=name,
        request=request,
        response=response,
        resources=(("AWS::KMS::Key", thing.arn),),
    )


def document(world: World, key: Thing, statements: list[Json] | None) -> str:
    """A key policy as a text. Without statements it is the one that KMS gives a new key."""
    root = {
        "Sid": "Enable IAM User Permissions",
        "Effect": "Allow",
        "Principal": {"AWS": f"arn:{world.partition}:iam::{key.account}:root"},
        "Action": "kms:*",
        "Resource": "*",
    }
    return json.dumps({"Version": "2012-10-17", "Statement": statements or [root]})


def change(world: World, act: Act) -> Deed:
    """EnableKey, DisableKey, ScheduleKeyDeletion, CancelKeyDeletion, PutKeyPolicy."""
    thing, named = act.thing, {"keyId": act.thing.fixed["id"]}
    shown: Json = {"keyId": thing.arn}
    if act.path == "Policy":
        text = document(world, thing, act.after)
        request = {**named, "policy": text, "policyName": "default", "bypassPolicyLockoutSafetyCheck": False}
        return _deed(thing, "PutKeyPolicy", request, shown)
    if act.path != "KeyState":
        raise ValueError(f"{act.path} of a key is not modelled")
    if act.after == "PendingDeletion":
        gone = act.moment + timedelta(days=WINDOW)
        shown |= {"keyState": "PendingDeletion", "deletionDate": long_stamp(gone)}
        shown["pendingWindowInDays"] = WINDOW
        return _deed(thing, "ScheduleKeyDeletion", {**named, "pendingWindowInDays": WINDOW}, shown)
    if act.before == "PendingDeletion":
        return _deed(thing, "CancelKeyDeletion", named, shown)
    return _deed(thing, "DisableKey" if act.after == "Disabled" else "EnableKey", named, shown)


def tag(world: World, thing: Thing, tags: dict[str, str]) -> Deed:
    """TagResource."""
    pairs: list[Any] = [{"tagKey": key, "tagValue": value} for key, value in sorted(tags.items())]
    return _deed(thing, "TagResource", {"keyId": thing.fixed["id"], "tags": pairs}, None)
