"""What a KMS key does to those that need it.

KMS developer guide, "Key states of AWS KMS keys": with a disabled key cryptographic operations fail with
DisabledException, with one that is pending deletion with KMSInvalidStateException. SQS developer guide, "Encryption at
rest": a queue reuses a data key for KmsDataKeyReusePeriodSeconds, 300 by default, before it asks KMS again.
"""

from __future__ import annotations

from collections.abc import Iterable

from evals.world.stage import setting
from evals.world.world import Thing, World

REUSE = 300
_LAG = 3  # seconds until a change of state is known everywhere


def key_of(world: World, thing: Thing) -> Thing | None:
    """The customer's key with which a thing is encrypted."""
    return world.things.get(str(thing.fixed.get("key") or ""))


def trouble(world: World, thing: Thing, second: float) -> str:
    """The error code with which KMS refuses the key of a thing at an epoch second; "" when it works."""
    key = key_of(world, thing)
    if key is None:
        return ""
    state = setting(key, "KeyState", second - _LAG)
    return {"Enabled": "", "Disabled": "DisabledException"}.get(str(state), "KMSInvalidStateException")


def told(world: World, thing: Thing, code: str) -> str:
    """The sentence of KMS: it names the key, never an operation."""
    key = key_of(world, thing)
    arn = key.arn if key is not None else ""
    return f"{arn} is disabled." if code == "DisabledException" else f"{arn} is pending deletion."


def watched(world: World, thing: Thing) -> Iterable[Thing]:
    """The key, where there is one."""
    key = key_of(world, thing)
    return () if key is None else (key,)
