"""Secrets with versions, and a rotation by a function. Whose password a secret holds, a database says (`secret`).

Physics: programs hold the value that they read, tasks of ECS from their start to their end (ECS developer guide: "you
must force a new deployment" to pick up a new version), functions as long as their environment lives. A database that
has the new password refuses new connections with the old one; those that stand go on.
"""

from __future__ import annotations

from datetime import datetime

from evals.world.deeds_secrets import SET_AFTER, change, follow_ups, tag, version_id
from evals.world.kinds._kind import Kind, Wish
from evals.world.kinds.kms import encrypts
from evals.world.workshop import Workshop
from evals.world.world import Thing, World
from tools.models import Json

__all__ = ["KINDS", "replaced"]


def replaced(secret: Thing, second: float) -> float | None:
    """The epoch second at which the database got its present password, when that was no more than two weeks ago."""
    found = [since.timestamp() + SET_AFTER for since in secret.settings.steps["Version"].since[1:]]
    recent = [one for one in found if second - 14 * 86_400 < one <= second]
    return max(recent, default=None)


def _make(shop: Workshop, wish: Wish) -> Thing:
    world, seed = shop.world, shop.world.seed
    ending = seed.letters(
        f"secret:{wish.name}", 6, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
    )
    fixed = {"rotation": "", "key": "", "days": int(wish.options.get("rotation_days") or 0)}
    thing = shop.add(world.arn("secretsmanager", f"secret:{wish.name}-{ending}"), wish, fixed)
    encrypts(shop, wish, thing)
    if fixed["days"]:
        thing.fixed["rotation"] = _rotation(shop, wish, thing).arn
    return shop.settle(thing, wish, {"Version": 1})


def _rotation(shop: Workshop, wish: Wish, secret: Thing) -> Thing:
    from evals.world.kinds import kinds

    name = f"SecretsManager-rotate-{wish.name.strip('/').replace('/', '-')}"
    asked = Wish(
        id=f"{wish.id}_rotation",
        kind="function",
        name=name,
        created=wish.created,
        settings={},
        tags={},
        options={},
    )
    function = shop.made[asked.id] = kinds()["function"].make(shop, asked)
    actions = ["secretsmanager:DescribeSecret", "secretsmanager:GetSecretValue"]
    actions += ["secretsmanager:PutSecretValue", "secretsmanager:UpdateSecretVersionStage"]
    shop.allow(function, "rotation", actions, secret)
    shop.world.relate(secret.arn, "rotated by", function.arn)
    return function


def _called(shop: Workshop, caller: Thing, secret: Thing) -> None:
    """Functions read it by name, tasks get it when they start, by their execution role."""
    world, action = shop.world, "secretsmanager:GetSecretValue"
    if caller.kind == "function":
        caller.settings.set("Environment.DB_SECRET", caller.created, secret.name)
        caller.fixed["names"]["DB_SECRET"] = secret.name
        shop.allow(caller, "read-secrets", [action], secret)
        caller.fixed["needs"].append((action, secret.arn))
    elif caller.kind == "ecs-service":
        for one in world.of("task-definition"):
            if one.fixed["family"] != caller.fixed["family"]:
                continue
            path = f"containerDefinitions.{one.fixed['container']}.secrets.DB_PASSWORD"
            if path not in one.settings.steps:
                one.settings.set(path, one.created, f"{secret.arn}:password::")
            world.relate(one.arn, "uses", secret.arn)
            role = world.things[one.fixed["execution_role"]]
            if "Policies.read-secrets" not in role.settings.steps:
                statement = {"Effect": "Allow", "Action": [action], "Resource": f"{secret.arn}*"}
                role.settings.set("Policies.read-secrets", role.created, [statement])
            for kind in ("may read", "may write", "may use"):
                world.relate(role.arn, kind, secret.arn)
    for kind in ("uses", "reads"):
        world.relate(caller.arn, kind, secret.arn)


def _after(world: World, secret: Thing, until: datetime) -> None:
    if secret.fixed["rotation"]:
        follow_ups(world, secret, until)


def _shown(world: World, secret: Thing, at: datetime) -> Json:
    """The stages of its versions, and its rotation."""
    steps = secret.settings.steps["Version"]
    ids = [version_id(world, secret, int(number)) for since, number in steps.pairs() if since <= at]
    stages = {one: ["AWSCURRENT"] if one == ids[-1] else ["AWSPREVIOUS"] for one in ids[-2:]}
    return {
        "RotationEnabled": bool(secret.fixed["rotation"]),
        "Versions": [{"VersionId": one, "VersionStages": held} for one, held in stages.items()],
    }


KINDS = (
    Kind(
        name="secret",
        options={
            "rotation_days": "it is rotated by a function every so many days",
            "key": "id of the key with which it is encrypted; AWS's own by default",
        },
        settings={"Version": "number of the version that is AWSCURRENT"},
        make=_make,
        change=change,
        tag=tag,
        called=_called,
        after=_after,
        shown=_shown,
    ),
)
