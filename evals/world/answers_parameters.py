"""Parameter Store's reads. Plain values are shown, a SecureString only as ciphertext unless decryption is asked for.

API reference: GetParameterHistory lists versions oldest first, the newest included, with who put each.
"""

from __future__ import annotations

import base64
from typing import Any

from evals.world.asking import Ask, NotModelled, Refusal, handles
from evals.world.kinds.ssm import version
from evals.world.world import Thing
from tools.models import Json


def _held(ask: Ask) -> list[Thing]:
    return [one for one in ask.world.of("parameter", ask.region) if one.created <= ask.as_of]


def _one(ask: Ask, name: str) -> Thing:
    for one in _held(ask):
        if name in (one.name, one.arn):
            return one
    if name.startswith("/aws/") or ":parameter/aws/" in name:
        raise NotModelled("a parameter of AWS")
    raise Refusal("ParameterNotFound", "")


def _by(ask: Ask, parameter: Thing, since: Any) -> str:
    """Who put a version: the event says it, older ones are a pipeline's."""
    for made in ask.world.trail.records:
        if made.arn == parameter.arn and made.field == "Value" and made.time == since:
            return str(made.actor.user.get("arn", ""))
    return f"arn:{ask.world.partition}:sts::{ask.world.account}:assumed-role/infra-deploy/apply"


def _value(parameter: Thing, value: Any) -> str:
    if parameter.fixed["type"] != "SecureString":
        return str(value)
    return base64.b64encode(f"{parameter.arn}:{len(str(value))}".encode()).decode()


def _version(ask: Ask, parameter: Thing, number: int, *, value: bool) -> Json:
    steps = parameter.settings.steps["Value"]
    since = steps.since[number - 1]
    shown: Json = {
        "Name": parameter.name,
        "Type": parameter.fixed["type"],
        "LastModifiedDate": since,
        "LastModifiedUser": _by(ask, parameter, since),
        "Version": number,
        "Tier": "Standard",
        "Policies": [],
        "DataType": "text",
    }
    if parameter.fixed["type"] == "SecureString":
        shown["KeyId"] = parameter.fixed["key"] or "alias/aws/ssm"
    return shown | ({"Value": _value(parameter, steps.values[number - 1]), "Labels": []} if value else {})


def _plain(ask: Ask) -> None:
    if ask.take("WithDecryption"):
        raise NotModelled("WithDecryption")


@handles("ssm", "GetParameterHistory")
def get_parameter_history(ask: Ask) -> Json:
    parameter = _one(ask, str(ask.need("Name")))
    _plain(ask)
    size, token = int(ask.take("MaxResults", 50)), ask.take("NextToken")
    if size > 50:
        raise Refusal("ValidationException", "MaxResults must be at most 50")
    numbers = range(1, version(parameter, ask.as_of) + 1)
    page, following = ask.page([_version(ask, parameter, one, value=True) for one in numbers], size, token)
    return {"Parameters": page} | ({"NextToken": following} if following else {})


def _current(ask: Ask, name: str) -> Json:
    """One version by its name, or by name:version."""
    plain, _, number = name.partition(":") if not name.startswith("arn:") else (name, "", "")
    parameter = _one(ask, plain)
    newest = version(parameter, ask.as_of)
    wanted = int(number) if number.isdecimal() else newest
    if not 1 <= wanted <= newest:
        raise Refusal("ParameterVersionNotFound", "")
    steps = parameter.settings.steps["Value"]
    shown = {
        "Name": parameter.name,
        "Type": parameter.fixed["type"],
        "Value": _value(parameter, steps.values[wanted - 1]),
        "Version": wanted,
        "LastModifiedDate": steps.since[wanted - 1],
        "ARN": parameter.arn,
        "DataType": "text",
    }
    return shown | ({"Selector": f":{number}"} if number else {})


@handles("ssm", "GetParameter")
def get_parameter(ask: Ask) -> Json:
    name = str(ask.need("Name"))
    _plain(ask)
    return {"Parameter": _current(ask, name)}


@handles("ssm", "GetParameters")
def get_parameters(ask: Ask) -> Json:
    names = [str(one) for one in ask.need("Names")]
    _plain(ask)
    found, wrong = [], []
    for name in names:
        try:
            found.append(_current(ask, name))
        except Refusal:
            wrong.append(name)
    return {"Parameters": found, "InvalidParameters": wrong}


@handles("ssm", "DescribeParameters")
def describe_parameters(ask: Ask) -> Json:
    filters: list[Json] = ask.take("ParameterFilters", [])
    ask.only("Shared", False)
    size, token = int(ask.take("MaxResults", 50)), ask.take("NextToken")
    found = _held(ask)
    for one in filters:
        values, how = [str(value) for value in one.get("Values", [])], str(one.get("Option", "Equals"))
        found = [each for each in found if _fits(each, str(one["Key"]), how, values)]
    shown = [
        _version(ask, one, version(one, ask.as_of), value=False) | {"ARN": one.arn}
        for one in sorted(found, key=lambda one: one.name)
    ]
    page, following = ask.page(shown, size, token)
    return {"Parameters": page} | ({"NextToken": following} if following else {})


def _fits(parameter: Thing, key: str, how: str, values: list[str]) -> bool:
    texts = {"Name": parameter.name, "Type": str(parameter.fixed["type"])}
    if key not in texts or how not in ("Equals", "BeginsWith", "Contains"):
        raise NotModelled(f"filter {key} {how}")
    text = texts[key]
    if how == "Equals":
        return text in values
    if how == "BeginsWith":
        return any(text.startswith(value) for value in values)
    return any(value in text for value in values)


@handles("ssm", "ListTagsForResource")
def list_tags(ask: Ask) -> Json:
    if ask.need("ResourceType") != "Parameter":
        raise NotModelled("ResourceType")
    tags = _one(ask, str(ask.need("ResourceId"))).tags(ask.as_of)
    return {"TagList": [{"Key": key, "Value": value} for key, value in sorted(tags.items())]}
