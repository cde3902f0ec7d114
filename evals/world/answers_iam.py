"""IAM roles and their policies."""

from __future__ import annotations

import json
from urllib.parse import quote

from evals.world.answers_simulate import BASIC, BASIC_STATEMENTS
from evals.world.asking import Ask, Refusal, handles
from evals.world.seed import Seed
from evals.world.world import Thing
from tools.models import Json


def _role(ask: Ask, name: str) -> Thing:
    found = next((role for role in ask.world.of("role") if role.name == name), None)
    if found is None:
        raise Refusal("NoSuchEntity", f"The role with name {name} cannot be found.", 404)
    return found


def _document(statements: list[Json]) -> str:
    return quote(json.dumps({"Version": "2012-10-17", "Statement": statements}))


def _described(ask: Ask, role: Thing) -> Json:
    trust = [
        {
            "Effect": "Allow",
            "Principal": {"Service": role.fixed.get("trusted", "lambda.amazonaws.com")},
            "Action": "sts:AssumeRole",
        }
    ]
    return {
        "Path": "/",
        "RoleName": role.name,
        "RoleId": "AROA" + Seed(ask.world.seed.number).letters(f"id:AROA:{role.name}", 16),
        "Arn": role.arn,
        "CreateDate": role.created,
        "AssumeRolePolicyDocument": _document(trust),
        "MaxSessionDuration": 3600,
    }


@handles("iam", "GetRole")
def get_role(ask: Ask) -> Json:
    role = _role(ask, str(ask.need("RoleName")))
    used = {"LastUsedDate": ask.as_of.replace(second=0, microsecond=0), "Region": ask.world.region}
    return {"Role": _described(ask, role) | {"RoleLastUsed": used}}


@handles("iam", "ListRoles")
def list_roles(ask: Ask) -> Json:
    size, token = int(ask.take("MaxItems", 100)), ask.take("Marker")
    ask.only("PathPrefix", "/")
    found = [_described(ask, role) for role in ask.world.of("role")]
    page, following = ask.page(found, size, token)
    answer: Json = {"Roles": page, "IsTruncated": following is not None}
    if following:
        answer["Marker"] = following
    return answer


@handles("iam", "ListRoleTags")
def list_role_tags(ask: Ask) -> Json:
    _role(ask, str(ask.need("RoleName")))
    return {"Tags": [], "IsTruncated": False}


@handles("iam", "ListAttachedRolePolicies")
def list_attached_role_policies(ask: Ask) -> Json:
    _role(ask, str(ask.need("RoleName")))
    ask.take("MaxItems")
    arn = f"arn:{ask.world.partition}:iam::aws:policy/{BASIC}"
    return {
        "AttachedPolicies": [{"PolicyName": BASIC.rsplit("/", maxsplit=1)[-1], "PolicyArn": arn}],
        "IsTruncated": False,
    }


@handles("iam", "ListRolePolicies")
def list_role_policies(ask: Ask) -> Json:
    role = _role(ask, str(ask.need("RoleName")))
    ask.take("MaxItems")
    return {"PolicyNames": sorted(role.settings.under("Policies", ask.as_of)), "IsTruncated": False}


@handles("iam", "GetRolePolicy")
def get_role_policy(ask: Ask) -> Json:
    role, name = _role(ask, str(ask.need("RoleName"))), str(ask.need("PolicyName"))
    held = role.settings.under("Policies", ask.as_of)
    if name not in held:
        raise Refusal("NoSuchEntity", f"The role policy with name {name} cannot be found.", 404)
    return {
        "RoleName": role.name,
        "PolicyName": name,
        "PolicyDocument": _document(held[name]),
    }


def _basic(ask: Ask) -> str:
    arn = str(ask.need("PolicyArn"))
    if not arn.endswith(BASIC):
        raise Refusal("NoSuchEntity", f"Policy {arn} does not exist or is not attachable.", 404)
    return arn


@handles("iam", "GetPolicy")
def get_policy(ask: Ask) -> Json:
    arn = _basic(ask)
    return {
        "Policy": {
            "PolicyName": BASIC.rsplit("/", maxsplit=1)[-1],
            "PolicyId": "ANPAJNCQGXC42545SKXIK",
            "Arn": arn,
            "Path": "/service-role/",
            "DefaultVersionId": "v1",
            "AttachmentCount": len(ask.world.of("role")),
            "IsAttachable": True,
        }
    }


@handles("iam", "GetPolicyVersion")
def get_policy_version(ask: Ask) -> Json:
    _basic(ask)
    if ask.need("VersionId") != "v1":
        raise Refusal("NoSuchEntity", "Policy version does not exist.", 404)
    document = _document(list(BASIC_STATEMENTS))
    return {"PolicyVersion": {"Document": document, "VersionId": "v1", "IsDefaultVersion": True}}
