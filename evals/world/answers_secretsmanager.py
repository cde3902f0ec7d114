"""Secrets Manager's reads: the world's secrets, and those that its things or events only name. No values."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

from evals.world.asking import Ask, Refusal, handles
from evals.world.deeds_secrets import version_id
from evals.world.world import Thing
from tools.models import Json

_SUFFIX = re.compile(r"-[A-Za-z0-9]{6}$")
_ARN = re.compile(r"arn:[\w-]+:secretsmanager:[\w-]*:\d{12}:secret:[\w/+=.@-]+")
_AGE = timedelta(days=400)


def _held(ask: Ask) -> list[str]:
    """ARNs of the region's secrets, in order."""
    world = ask.world
    said = [
        str([thing.fixed, [steps.values for steps in thing.settings.steps.values()]])
        for thing in world.things.values()
    ]
    said += [str(one.body) for one in world.trail.records if "secretsmanager" in str(one.body)]
    found = {arn for text in said for arn in _ARN.findall(text)}
    found |= {one.arn for one in world.of("secret") if one.created <= ask.as_of}
    return sorted(arn for arn in found if arn.split(":")[3] == ask.region)


def _versions(ask: Ask, secret: Thing) -> list[tuple[str, Any]]:
    """(id, since) of the versions, oldest first."""
    steps = secret.settings.steps["Version"]
    pairs = [(since, number) for since, number in steps.pairs() if since <= ask.as_of]
    return [(version_id(ask.world, secret, int(number)), since) for since, number in pairs]


def _stages(ask: Ask, secret: Thing) -> dict[str, list[str]]:
    ids = [one for one, _ in _versions(ask, secret)]
    found = {ids[-1]: ["AWSCURRENT"]}
    if secret.fixed["rotation"]:
        found[ids[-1]].append("AWSPENDING")
    if len(ids) > 1:
        found[ids[-2]] = ["AWSPREVIOUS"]
    return found


def _described(ask: Ask, arn: str, stages: str) -> Json:
    secret = ask.world.things.get(arn)
    if secret is None:
        made = ask.world.start - _AGE
        return {
            "ARN": arn,
            "Name": _SUFFIX.sub("", arn.split(":secret:")[1]),
            "CreatedDate": made,
            "LastChangedDate": made,
            stages: {ask.world.seed.uuid(f"secret version:{arn}"): ["AWSCURRENT"]},
        }
    changed = _versions(ask, secret)[-1][1]
    shown: Json = {
        "ARN": arn,
        "Name": secret.name,
        "CreatedDate": secret.created,
        "LastChangedDate": changed,
        stages: _stages(ask, secret),
        "Tags": [{"Key": key, "Value": value} for key, value in sorted(secret.tags(ask.as_of).items())],
    }
    if secret.fixed["key"]:
        shown["KmsKeyId"] = secret.fixed["key"]
    if secret.fixed["rotation"]:
        days = timedelta(days=int(secret.fixed["days"]))
        shown |= {
            "RotationEnabled": True,
            "RotationLambdaARN": secret.fixed["rotation"],
            "RotationRules": {"AutomaticallyAfterDays": int(secret.fixed["days"])},
            "LastRotatedDate": changed,
            "NextRotationDate": changed + days,
        }
    return shown


@handles("secretsmanager", "ListSecrets")
def list_secrets(ask: Ask) -> Json:
    ask.only("IncludePlannedDeletion", True, False)
    size, token = int(ask.take("MaxResults", 100)), ask.take("NextToken")
    page, following = ask.page(
        [_described(ask, arn, "SecretVersionsToStages") for arn in _held(ask)], size, token
    )
    return {"SecretList": page} | ({"NextToken": following} if following else {})


def _one(ask: Ask) -> str:
    wanted = str(ask.need("SecretId"))
    for arn in _held(ask):
        if wanted in (arn, _SUFFIX.sub("", arn.split(":secret:")[1])):
            return arn
    raise Refusal("ResourceNotFoundException", "Secrets Manager can't find the specified secret.")


@handles("secretsmanager", "DescribeSecret")
def describe_secret(ask: Ask) -> Json:
    return _described(ask, _one(ask), "VersionIdsToStages")


@handles("secretsmanager", "ListSecretVersionIds")
def list_versions(ask: Ask) -> Json:
    """Versions without a stage are deprecated, and shown only when asked for."""
    deprecated = ask.only("IncludeDeprecated", True, False)
    ask.take("MaxResults")
    arn = _one(ask)
    found, secret = _described(ask, arn, "VersionIdsToStages"), ask.world.things.get(arn)
    made = dict(_versions(ask, secret)) if secret is not None else {}
    stages = found["VersionIdsToStages"]
    ids = [one for one in made if deprecated or one in stages] if made else list(stages)
    versions: list[Any] = [
        {"VersionId": one, "CreatedDate": made.get(one, found["CreatedDate"])}
        | ({"VersionStages": stages[one]} if one in stages else {})
        for one in ids
    ]
    return {"ARN": found["ARN"], "Name": found["Name"], "Versions": versions}


@handles("secretsmanager", "GetResourcePolicy")
def get_resource_policy(ask: Ask) -> Json:
    """No secret here has a policy of its own."""
    found = _described(ask, _one(ask), "VersionIdsToStages")
    return {"ARN": found["ARN"], "Name": found["Name"]}
