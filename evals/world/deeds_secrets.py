"""How CloudTrail records secrets and their rotation: never a value; the rotation itself is told by service events.

Secrets Manager user guide, "Rotation by Lambda function": createSecret puts a version AWSPENDING, setSecret changes the
credentials in the database, testSecret tries them, finishSecret moves AWSCURRENT. "Logging with CloudTrail":
RotationStarted and RotationSucceeded are AwsServiceEvents with the secret in additionalEventData.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from evals.world.identities import Identity
from evals.world.trail import Deed, record
from evals.world.world import Thing, World
from tools.models import Json

if TYPE_CHECKING:
    from evals.world.kinds._kind import Act

SET_AFTER = 7  # seconds from the call until the database takes the new password only
_TYPE = "AWS::SecretsManager::Secret"


def version_id(world: World, secret: Thing, number: int) -> str:
    """The id of the version with a number."""
    return world.seed.uuid(f"version:{secret.arn}:{number}")


def _deed(secret: Thing, name: str, request: Json | None, response: Json | None) -> Deed:
    return Deed(
        source="secretsmanager",
        name=name,
        request=request,
        response=response,
        listed=(),
        concerns=((_TYPE, secret.arn),),
    )


def change(world: World, act: Act) -> Deed:
    """RotateSecret when the secret has a rotation, else PutSecretValue."""
    secret, token = act.thing, version_id(world, act.thing, int(act.after))
    if act.path != "Version":
        raise ValueError(f"{act.path} of a secret is not modelled")
    request: Json = {"secretId": secret.arn, "clientRequestToken": token}
    if secret.fixed["rotation"] and act.call != "PutSecretValue":
        return _deed(secret, "RotateSecret", request | {"rotateImmediately": True}, {"arn": secret.arn})
    return _deed(secret, "PutSecretValue", request, {"arn": secret.arn})


def follow_ups(world: World, secret: Thing, until: datetime) -> None:
    """What the rotation did after each call that started it."""
    calls = [
        made
        for made in world.trail.records
        if made.arn == secret.arn
        and made.body["eventName"] == "RotateSecret"
        and not made.body.get("errorCode")
    ]
    for call in calls:
        if call.time > until:
            continue
        number, steps = str(call.id), secret.settings.steps["Version"]
        old, new = version_before(world, secret, call.time), version_id(world, secret, steps.at(call.time))
        function = world.things[secret.fixed["rotation"]]
        role = world.things[function.fixed["role"]]
        lambda_ = world.cast.function(role.name, function.name)
        service = world.cast.service("secretsmanager.amazonaws.com")
        put: Json = {"secretId": secret.arn, "clientRequestToken": new, "versionStages": ["AWSPENDING"]}
        move: Json = {"secretId": secret.arn, "versionStage": "AWSCURRENT", "moveToVersionId": new}
        move["removeFromVersionId"] = old
        answer = {"arn": secret.arn}
        _add(world, f"{number}:started", call.time, 1, service, _told(secret, "RotationStarted"))
        _add(world, f"{number}:put", call.time, 3, lambda_, _deed(secret, "PutSecretValue", put, answer))
        _add(
            world,
            f"{number}:move",
            call.time,
            11,
            lambda_,
            _deed(secret, "UpdateSecretVersionStage", move, answer),
        )
        _add(world, f"{number}:done", call.time, 12, service, _told(secret, "RotationSucceeded"))


def version_before(world: World, secret: Thing, moment: datetime) -> str:
    """The version that was current just before a moment."""
    held = secret.settings.steps["Version"].at(moment - timedelta(seconds=1))
    return version_id(world, secret, int(held or 1))


def _told(secret: Thing, name: str) -> Deed:
    return Deed(
        source="secretsmanager",
        name=name,
        event_type="AwsServiceEvent",
        listed=(),
        concerns=((_TYPE, secret.arn),),
        extra={"additionalEventData": {"SecretId": secret.arn}},
    )


def _add(world: World, key: str, moment: datetime, after: int, who: Identity, deed: Deed) -> None:
    at = moment + timedelta(seconds=after)
    delay = world.seed.between(f"delivery:{key}", 180, 360)
    world.trail.add(record(world.seed, key, at, delay, world.region, world.account, who, deed))


def tag(world: World, thing: Thing, tags: dict[str, str]) -> Deed:
    """TagResource."""
    pairs = [{"key": key, "value": value} for key, value in sorted(tags.items())]
    return _deed(thing, "TagResource", {"secretId": thing.arn, "tags": pairs}, None)
