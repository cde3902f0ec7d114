"""Roles: their inline policies, the managed policies attached to them, and whom they trust."""

from __future__ import annotations

import json
from typing import Any

from evals.emulation import Emulation
from evals.rehearsals._ground import Ground, Lay
from evals.rehearsals._spec import Ids, Item, Seeder, do, perhaps
from tools.models import Json

_NOBODY: Json = {"Version": "2012-10-17", "Statement": []}


def _document(value: Any) -> Json:
    """A policy as one document: given as text, as a document, or as its statements alone."""
    if isinstance(value, str):
        value = json.loads(value)
    if isinstance(value, list):
        return {"Version": "2012-10-17", "Statement": value}
    return dict(value)


def _inline(item: Item) -> dict[str, Json]:
    held = item.get("Policies", "policies", default=item.fixed.get("policies"))
    if isinstance(held, list):  # as GetAccountAuthorizationDetails lists them
        return {one["PolicyName"]: _document(one["PolicyDocument"]) for one in held}
    plain = held if isinstance(held, dict) else {}
    listed = {**plain, **item.below("Policies"), **item.below("policies")}
    return {name: _document(value) for name, value in listed.items() if value is not None}


_ATTACHED = ("AttachedPolicies", "AttachedManagedPolicies")


def _arns(held: Any) -> list[str]:
    return [one["PolicyArn"] if isinstance(one, dict) else str(one) for one in held]


def _make(emulation: Emulation, item: Item) -> Ids:
    trust = _document(item.get("AssumeRolePolicyDocument", default=_NOBODY))
    do(emulation, "iam", "CreateRole", item.region,
       RoleName=item.name, AssumeRolePolicyDocument=json.dumps(trust))  # fmt: skip
    for name, document in _inline(item).items():
        do(emulation, "iam", "PutRolePolicy", item.region,
           RoleName=item.name, PolicyName=name, PolicyDocument=json.dumps(document))  # fmt: skip
    known = {arn for path in _ATTACHED for held in item.every(path) for arn in _arns(held)}
    for arn in sorted(known):
        if f":{emulation.account}:" in arn:
            perhaps(emulation, "iam", "CreatePolicy", item.region,
                    PolicyName=arn.rsplit("/", 1)[-1], PolicyDocument=json.dumps(_ALLOWS))  # fmt: skip
        if arn in _arns(item.get(*_ATTACHED, default=[])):
            do(emulation, "iam", "AttachRolePolicy", item.region, RoleName=item.name, PolicyArn=arn)
    return {}


_ALLOWS: Json = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Action": "sts:GetCallerIdentity", "Resource": "*"}],
}


def _read(emulation: Emulation, item: Item, ids: Ids) -> Json:
    role = do(emulation, "iam", "GetRole", item.region, RoleName=item.name)["Role"]
    names = do(emulation, "iam", "ListRolePolicies", item.region, RoleName=item.name)["PolicyNames"]
    documents = {
        name: do(emulation, "iam", "GetRolePolicy", item.region, RoleName=item.name, PolicyName=name)
        for name in names
    }
    attached = do(emulation, "iam", "ListAttachedRolePolicies", item.region, RoleName=item.name)
    return {
        "trust": role["AssumeRolePolicyDocument"],
        "inline": {name: one["PolicyDocument"] for name, one in documents.items()},
        "attached": sorted(one["PolicyArn"] for one in attached["AttachedPolicies"]),
    }


SEEDERS = (
    Seeder(
        kind="role",
        service="iam",
        paths=(
            "Policies",
            "Policies.*",
            "policies",
            "policies.*",
            *_ATTACHED,
            "AssumeRolePolicyDocument",
        ),
        make=_make,
        read=_read,
    ),
)


def _lay(lay: Lay) -> None:
    """The role, user or policy that the event names."""
    operation = lay.event.operation
    role, user, policy = (
        lay.told("roleName"),
        lay.told("userName"),
        lay.told("policyArn", "permissionsBoundary"),
    )
    if role and operation not in ("CreateRole", "DeleteRole"):
        lay.role(f"role/{role}")
    if policy and f":{lay.event.account}:" in str(policy):
        name = str(policy).rsplit("/", 1)[-1]
        lay.do("iam", "CreatePolicy", PolicyName=name, PolicyDocument=json.dumps(_ALLOWS))
        version = str(lay.told("versionId", default="v2"))
        if operation == "CreatePolicyVersion" and version[1:].isdigit():
            for number in range(int(version[1:]) - 2):
                document = {**_ALLOWS, "Id": str(number)}
                lay.do(
                    "iam", "CreatePolicyVersion", PolicyArn=policy, PolicyDocument=json.dumps(document),
                    SetAsDefault=True,
                )  # fmt: skip
    if user:
        lay.do("iam", "CreateUser", UserName=user)
        if lay.told("accessKeyId"):
            made = lay.do("iam", "CreateAccessKey", UserName=user)["AccessKey"]
            lay.known(lay.told("accessKeyId"), made["AccessKeyId"])


GROUNDS = (Ground(service="iam", lay=_lay, untold=("ListPolicies", "GetAccountSummary")),)
