"""KMS keys of the customer's own. What needs one says so by its option `key`; `evals.world.keys` is the physics.

Decrypt and GenerateDataKey are management events that read (CloudTrail user guide): those that KMS refuses carry an
error code and the key's ARN, and are made by the service that encrypts, for the caller.
"""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from evals.world.deeds_kms import change, document, tag
from evals.world.identities import Identity
from evals.world.keys import told, trouble
from evals.world.kinds._kind import Kind, Wish
from evals.world.trail import Deed, Record, record
from evals.world.workshop import Workshop
from evals.world.world import Thing, World

_ASKED = {"bucket": "s3", "queue": "sqs", "secret": "secretsmanager"}
_SHOWN = 14


def make(shop: Workshop, wish: Wish) -> Thing:
    """A key, and its alias when the wish names one."""
    world = shop.world
    if "Policy" in wish.settings:
        named = principals(world, wish.settings["Policy"])
        wish = replace(wish, settings={**wish.settings, "Policy": named})
    code = str(wish.options.get("id") or world.seed.uuid(f"key:{wish.name}"))
    fixed = {"id": code, "alias": f"alias/{wish.name}", "users": []}
    thing = shop.add(world.arn("kms", f"key/{code}"), wish, fixed)
    return shop.settle(thing, wish, {"KeyState": "Enabled", "Description": wish.name})


def principals(world: World, statements: Any) -> Any:
    """Statements as KMS keeps them: an account that is named by its number alone stands as the ARN of its root."""
    if not isinstance(statements, list):
        return statements
    kept = []
    for one in statements:
        who = one.get("Principal")
        if isinstance(who, dict) and str(who.get("AWS", "")).isdigit():
            one = {**one, "Principal": {"AWS": f"arn:{world.partition}:iam::{who['AWS']}:root"}}
        kept.append(one)
    return kept


def _kept(world: World, key: Thing, path: str, value: Any) -> Any:
    return principals(world, value) if path == "Policy" else value


def _called(shop: Workshop, caller: Thing, key: Thing) -> None:
    """A program that decrypts with the key itself: it has its ARN, and its role may."""
    caller.settings.set("Environment.KEY_ARN", caller.created, key.arn)
    shop.allow(caller, "key-access", ["kms:Decrypt"], key)
    caller.fixed["needs"].append(("kms:Decrypt", key.arn))
    shop.world.relate(caller.arn, "uses", key.arn)


def encrypts(shop: Workshop, wish: Wish, thing: Thing) -> None:
    """Encrypt a thing with the key that its option names."""
    key = shop.one(wish, "key", "key")
    if key is not None:
        thing.fixed["key"] = key.arn
        key.fixed["users"].append(thing.arn)
        shop.world.relate(thing.arn, "uses", key.arn)


def may_use(shop: Workshop, caller: Thing, thing: Thing, *actions: str) -> None:
    """Let a caller use the key with which a thing is encrypted."""
    key = shop.world.things.get(str(thing.fixed.get("key") or ""))
    if key is not None:
        shop.allow(caller, "key-access", [f"kms:{action}" for action in actions], key)
        caller.fixed["needs"] += [(f"kms:{action}", key.arn) for action in actions]


def _refused(world: World, key: Thing, until: datetime) -> None:
    """What services asked of the key in vain."""
    steps = key.settings.steps["KeyState"]
    since = next((at for at, state in steps.pairs() if state != "Enabled" and at > key.created), None)
    if since is None or since < until - timedelta(days=2):
        return
    for arn in key.fixed["users"]:
        thing = world.things[arn]
        asked = _ASKED.get(thing.kind)
        if asked is None:
            continue
        for number in range(_SHOWN):
            salt = f"refused:{key.fixed['id']}:{thing.name}:{number}"
            at = since + timedelta(seconds=9 + number * 97 + world.seed.integer(salt, 0, 60))
            code = trouble(world, thing, at.timestamp())
            if at >= until or not code:
                continue
            delay = world.seed.between(f"{salt}:delivery", 150, 330)
            world.trail.add(_record(world, key, thing, asked, code, at, delay, f"noise:{salt}"))


def _record(
    world: World, key: Thing, thing: Thing, asked: str, code: str, at: datetime, delay: float, salt: str
) -> Record:
    who: Identity = world.cast.service(f"{asked}.amazonaws.com")
    writes = thing.kind == "queue"
    request = (
        {"keyId": key.arn, "keySpec": "AES_256"} if writes else {"encryptionAlgorithm": "SYMMETRIC_DEFAULT"}
    )
    deed = Deed(
        source="kms",
        name="GenerateDataKey" if writes else "Decrypt",
        request={**request, "encryptionContext": {f"aws:{asked}:arn": thing.arn}},
        read_only=True,
        resources=(("AWS::KMS::Key", key.arn),),
        error=(code, told(world, thing, code)),
    )
    return record(world.seed, salt, at, delay, world.region, world.account, who, deed)


KINDS = (
    Kind(
        name="key",
        options={"id": "its id; drawn by the seed"},
        settings={
            "KeyState": "Enabled, Disabled or PendingDeletion",
            "Policy": "statements of its policy",
            "Description": "",
        },
        make=make,
        change=change,
        tag=tag,
        kept=_kept,
        shown=lambda world, key, at: {"Policy": json.loads(document(world, key, key.at("Policy", at)))},
        called=_called,
        after=_refused,
    ),
)
