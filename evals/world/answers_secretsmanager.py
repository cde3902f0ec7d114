"""Secrets Manager's reads: secrets that the world's things or events name; their values are on no list."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from typing import Any

from evals.world.asking import Ask, Refusal, handles
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
    return sorted(arn for arn in found if arn.split(":")[3] == ask.region)


def _described(ask: Ask, arn: str, stages: str) -> Json:
    made: datetime = ask.world.start - _AGE
    return {
        "ARN": arn,
        "Name": _SUFFIX.sub("", arn.split(":secret:")[1]),
        "CreatedDate": made,
        "LastChangedDate": made,
        stages: {ask.world.seed.uuid(f"secret version:{arn}"): ["AWSCURRENT"]},
    }


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
    ask.only("IncludeDeprecated", True, False)
    ask.take("MaxResults")
    found = _described(ask, _one(ask), "VersionIdsToStages")
    versions: list[Any] = [
        {"VersionId": id, "VersionStages": stages, "CreatedDate": found["CreatedDate"]}
        for id, stages in found["VersionIdsToStages"].items()
    ]
    return {"ARN": found["ARN"], "Name": found["Name"], "Versions": versions}


@handles("secretsmanager", "GetResourcePolicy")
def get_resource_policy(ask: Ask) -> Json:
    """No secret here has a policy of its own."""
    found = _described(ask, _one(ask), "VersionIdsToStages")
    return {"ARN": found["ARN"], "Name": found["Name"]}
