"""Who may do what: roles, policies, keys, secrets, parameters."""

from __future__ import annotations

import json
from collections.abc import Sequence

from evals.estates.ground import Ground, Said, Thing
from tools.models import Json

Grant = tuple[str | Sequence[str], Sequence[Thing | str]]
"""Actions, and the things or patterns that they are allowed on."""


def _document(grants: Sequence[Grant]) -> str:
    statements = [
        {
            "Effect": "Allow",
            "Action": [actions] if isinstance(actions, str) else list(actions),
            "Resource": [one.arn if isinstance(one, Thing) else one for one in targets],
        }
        for actions, targets in grants
    ]
    return json.dumps({"Version": "2012-10-17", "Statement": statements})


def _trust(principal: Json) -> str:
    said = {"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole"}
    return json.dumps({"Version": "2012-10-17", "Statement": [said]})


def _permits(ground: Ground, holder: Thing, grants: Sequence[Grant]) -> None:
    for actions, targets in grants:
        listed = [actions] if isinstance(actions, str) else list(actions)
        passes = all(action.startswith("iam:") for action in listed)  # passing a role on is no use of it
        for one in targets:
            if isinstance(one, str) and "*" not in one:
                ours = f":{ground.account}:" in one or ":::" in one  # of ours, and not there
                ground.fact(holder, "may use", one, sure=not ours)
            else:
                named = one if isinstance(one, Thing) else _within(ground, one)
                ground.fact(holder, "may use", named, sure=not passes)


def _within(ground: Ground, pattern: str) -> Thing | None:
    """The thing whose objects, indexes or streams a pattern speaks of: `.../table/orders/index/*`."""
    found = [thing for arn, thing in ground.things.items() if pattern.startswith(f"{arn}/")]
    return max(found, key=lambda thing: len(thing.arn), default=None)


def role(
    ground: Ground,
    name: str,
    service: str,
    grants: Sequence[Grant] = (),
    policies: Sequence[Thing] = (),
    trusts: str = "",
) -> Thing:
    """A role for a service (`lambda`), or for another account (`trusts`: its number)."""
    who: Json = {"AWS": f"arn:aws:iam::{trusts}:root"} if trusts else {"Service": f"{service}.amazonaws.com"}
    made = ground.call("iam", "CreateRole", RoleName=name, AssumeRolePolicyDocument=_trust(who))["Role"]
    thing = ground.add("iam role", made["Arn"], name)
    if grants:
        ground.call(
            "iam", "PutRolePolicy", RoleName=name, PolicyName=f"{name}-own", PolicyDocument=_document(grants)
        )
        _permits(ground, thing, grants)
    for policy in policies:
        ground.call("iam", "AttachRolePolicy", RoleName=name, PolicyArn=policy.arn)
        ground.fact(thing, "is shaped by", policy)
        for fact in [one for one in ground.facts.values() if one.source == policy.arn]:
            ground.maybe(thing, fact.kind, fact.target)
    return thing


def grant(ground: Ground, holder: Thing, name: str, grants: Sequence[Grant]) -> None:
    """One more inline policy, for what was made after the role."""
    ground.call(
        "iam", "PutRolePolicy", RoleName=holder.name, PolicyName=name, PolicyDocument=_document(grants)
    )
    _permits(ground, holder, grants)


def policy(ground: Ground, name: str, grants: Sequence[Grant]) -> Thing:
    """A customer managed policy."""
    made = ground.call("iam", "CreatePolicy", PolicyName=name, PolicyDocument=_document(grants))["Policy"]
    thing = ground.add("iam policy", made["Arn"], name)
    _permits(ground, thing, grants)
    return thing


def profile(ground: Ground, holder: Thing) -> Thing:
    """An instance profile with one role, of the same name as consoles make it."""
    made = ground.call("iam", "CreateInstanceProfile", InstanceProfileName=holder.name)["InstanceProfile"]
    ground.call("iam", "AddRoleToInstanceProfile", InstanceProfileName=holder.name, RoleName=holder.name)
    thing = ground.add("instance profile", made["Arn"], holder.name)
    ground.inside(thing.arn, holder)  # who carries the profile works as the role
    ground.maybe(thing, "acts as", holder)
    return thing


def key(ground: Ground, alias: str, region: str = "", users: Sequence[Thing] = ()) -> Thing:
    """A customer managed key; `users` are roles that its key policy names."""
    statements: list[Json] = [
        {
            "Effect": "Allow",
            "Principal": {"AWS": f"arn:aws:iam::{ground.account}:root"},
            "Action": "kms:*",
            "Resource": "*",
        }
    ]
    if users:
        statements.append(
            {
                "Effect": "Allow",
                "Principal": {"AWS": [one.arn for one in users]},
                "Action": ["kms:Decrypt", "kms:GenerateDataKey"],
                "Resource": "*",
            }
        )
    document = json.dumps({"Version": "2012-10-17", "Statement": statements})
    made = ground.call("kms", "CreateKey", region, Description=alias, Policy=document)["KeyMetadata"]
    ground.call("kms", "CreateAlias", region, AliasName=f"alias/{alias}", TargetKeyId=made["KeyId"])
    thing = ground.add("kms key", made["Arn"], alias, region=region, id=made["KeyId"], alias=f"alias/{alias}")
    ground.inside(ground.arn("kms", f"alias/{alias}", region or None), thing)
    for user in users:
        ground.fact(thing, "lets in", user)
    return thing


def secret(
    ground: Ground,
    name: str,
    encrypted: Thing | None = None,
    rotated_by: Thing | None = None,
    text: str = "",
) -> Thing:
    """A secret. Its value is never read, so nothing is declared of it."""
    made = ground.call(
        "secretsmanager", "CreateSecret",
        Name=name, SecretString=text or '{"password":"none"}', KmsKeyId=encrypted and encrypted.arn,
    )  # fmt: skip
    thing = ground.add("secret", made["ARN"], name)
    ground.fact(thing, "locks with", encrypted)
    if rotated_by:
        _rotate(ground, thing, rotated_by)
        ground.fact(thing, "calls", rotated_by)
    return thing


def _rotate(ground: Ground, of: Thing, by: Thing) -> None:
    """moto would run the function, which needs docker: its answers are mended instead."""
    more: Json = {"RotationEnabled": True, "RotationLambdaARN": by.arn}
    ground.table.mend(
        "secretsmanager", "ARN", of.arn, {**more, "RotationRules": {"AutomaticallyAfterDays": 30}}
    )


def parameter(
    ground: Ground, name: str, value: Said, encrypted: Thing | None = None, secure: bool = False
) -> Thing:
    """A parameter. What a plain one's value names is a fact that may be left out: not every reader reads values."""
    ground.call(
        "ssm", "PutParameter",
        Name=name, Value=value.text, Type="SecureString" if secure or encrypted else "String",
        KeyId=encrypted and encrypted.arn,
    )  # fmt: skip
    path = name if name.startswith("/") else f"/{name}"
    thing = ground.add("parameter", ground.arn("ssm", f"parameter{path}"), name)
    ground.fact(thing, "locks with", encrypted)
    if secure and not encrypted:
        ground.maybe(thing, "locks with", ground.arn("kms", "alias/aws/ssm"))
    if not secure and not encrypted:
        ground.maybe(thing, "is told of", value.of)
    return thing
