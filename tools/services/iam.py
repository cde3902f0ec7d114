"""IAM: roles, the policies that let them work, and changes that take a permission away."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from tools import arn as arns
from tools.errors import NotThere
from tools.kit import call, optional, record, text
from tools.models import Call, ChangeEvent, Json, Relation, Resource, Value
from tools.policies import allowed, document, listed
from tools.services._spec import (
    Change,
    Condition,
    Directory,
    Effect,
    Outline,
    Read,
    Service,
    Setting,
    Signature,
    inert,
)

if TYPE_CHECKING:
    from tools.aws import Reader

_SOURCE = "iam.amazonaws.com"
_MOST_POLICIES = 20  # per role and kind; AWS allows 20 attached at most


def _arn(event: ChangeEvent, resource: str) -> str:
    return f"arn:{arns.partition_of(event.region)}:iam::{event.account}:{resource}"


def _touches_role(event: ChangeEvent) -> tuple[str, ...]:
    # The event names the role without its path; a role's name is unique in the account whatever its path.
    recorded = text(event.response, "role", "arn")
    name = text(event.request, "roleName")
    return (recorded or _arn(event, f"role/{name}"),) if name else ()


def _touches_policy(event: ChangeEvent) -> tuple[str, ...]:
    arn = text(event.request, "policyArn")
    return (arn,) if arn else ()


def _touches_user(event: ChangeEvent) -> tuple[str, ...]:
    name = text(event.request, "userName")
    return (_arn(event, f"user/{name}"),) if name else ()


# -- reading ----------------------------------------------------------------------------------------


def discover(reader: Reader, region: str) -> Iterable[Resource]:
    """All roles by name; `describe` reads one with its policies."""
    roles = reader.pages("iam", "ListRoles", "Roles", token=("Marker", "Marker"))
    for role in roles.items:
        yield _role(role, role["Arn"], roles.evidence)


def _role(role: Mapping[str, Any], arn: str, evidence: Iterable[str], **more: Any) -> Resource:
    config = {key: value.isoformat() if hasattr(value, "isoformat") else value for key, value in role.items()}
    return Resource(
        arn=arn,
        service="iam",
        type="role",
        name=role["RoleName"],
        account=arns.parse(arn).account,
        region="",
        config={**config, **more},
        tags={tag["Key"]: tag["Value"] for tag in role.get("Tags") or []},
        evidence=tuple(id for id in evidence if id),
    )


def describe(reader: Reader, arn: str) -> Resource | None:
    """A role with its own and its customer managed policies; or one managed policy as in force."""
    parts = arns.parse(arn)
    if parts.type == "policy":
        return _describe_policy(reader, arn)
    if parts.type != "role":
        return None
    name = parts.resource.rpartition("/")[2]
    try:
        answer = reader.ask("iam", "GetRole", RoleName=name)
    except NotThere:
        return None
    evidence = [answer.evidence]
    policies = [*_inline(reader, name, evidence), *_attached(reader, name, evidence)]
    return _role(answer.data["Role"], arn, evidence, Policies=policies)


def _inline(reader: Reader, role: str, evidence: list[str]) -> Iterable[Json]:
    names = optional(reader, "iam", "ListRolePolicies", "Policies of a role", RoleName=role)
    for name in (names.data.get("PolicyNames") or [])[:_MOST_POLICIES] if names else []:
        what = f"Policy {name} of role {role}"
        got = optional(reader, "iam", "GetRolePolicy", what, RoleName=role, PolicyName=name)
        if got is not None and got.data:
            evidence.append(got.evidence)
            yield {"Name": name, "Arn": "", "Document": document(got.data["PolicyDocument"])}


def _attached(reader: Reader, role: str, evidence: list[str]) -> Iterable[Json]:
    """Managed policies. Documents of AWS's own are not read: they name no specific resource."""
    listing = optional(
        reader, "iam", "ListAttachedRolePolicies", "Policies attached to a role", RoleName=role
    )
    for item in (listing.data.get("AttachedPolicies") or [])[:_MOST_POLICIES] if listing else []:
        arn = item["PolicyArn"]
        found: Json = {"Name": item["PolicyName"], "Arn": arn, "Document": {}}
        if arns.parse(arn).account != "aws":
            read = _default_version(reader, arn, evidence)
            found["Document"] = read.get("Document", {})
        yield found


def _default_version(reader: Reader, arn: str, evidence: list[str]) -> Json:
    what = f"Policy {arn.rpartition('/')[2]}"
    policy = optional(reader, "iam", "GetPolicy", what, PolicyArn=arn)
    if policy is None or not policy.data:
        return {}
    evidence.append(policy.evidence)
    version = policy.data["Policy"]["DefaultVersionId"]
    got = optional(reader, "iam", "GetPolicyVersion", what, PolicyArn=arn, VersionId=version)
    if got is None or not got.data:
        return {"DefaultVersionId": version}
    evidence.append(got.evidence)
    return {"DefaultVersionId": version, "Document": document(got.data["PolicyVersion"]["Document"])}


def _describe_policy(reader: Reader, arn: str) -> Resource | None:
    evidence: list[str] = []
    config = _default_version(reader, arn, evidence)
    return _policy(arn, config, evidence) if config else None


def _policy(arn: str, config: Json, evidence: Iterable[str]) -> Resource:
    parts = arns.parse(arn)
    return Resource(
        arn=arn,
        service="iam",
        type="policy",
        name=parts.resource.rpartition("/")[2],
        account=parts.account,
        region="",
        config=config,
        evidence=tuple(evidence),
    )


def gather(reader: Reader, todo: Sequence[Resource]) -> Iterable[Resource]:
    """Roles and customer managed policies from the listing that tells them whole, some hundreds to an answer.

    It tells the policies of all, used or not, and neither description nor longest session of a role: those are
    known from listing the roles.
    """
    policies: dict[str, tuple[Json, str]] = {}  # by ARN: as `_default_version` gives it, and its evidence
    for one, said in _details(reader, "LocalManagedPolicy", "Policies"):
        policies[one["Arn"]] = (_version_in_force(one), said)
    roles = {one["RoleName"]: (one, said) for one, said in _details(reader, "Role", "RoleDetailList")}
    for known in todo:
        if known.type == "policy" and known.arn in policies:
            config, said = policies[known.arn]
            yield _policy(known.arn, config, (said,))
        elif known.type == "role" and known.name in roles:
            yield _detailed(known, *roles[known.name], policies)


_LISTS = ("RolePolicyList", "AttachedManagedPolicies", "InstanceProfileList")
"""What tells of a role more than GetRole does."""


def _details(reader: Reader, kind: str, items: str) -> Iterable[tuple[Json, str]]:
    pages = reader.pages(
        "iam",
        "GetAccountAuthorizationDetails",
        items,
        token=("Marker", "Marker"),
        Filter=[kind],
        MaxItems=1000,
    )
    return zip(pages.items, pages.origins, strict=True)


def _version_in_force(policy: Mapping[str, Any]) -> Json:
    version = policy["DefaultVersionId"]
    found: Json = next(
        (one for one in policy.get("PolicyVersionList") or [] if one["VersionId"] == version), {}
    )
    shown = {"Document": document(found["Document"])} if "Document" in found else {}
    return {"DefaultVersionId": version, **shown}


def _detailed(
    known: Resource, role: Mapping[str, Any], said: str, policies: Mapping[str, tuple[Json, str]]
) -> Resource:
    held = [
        {"Name": one["PolicyName"], "Arn": "", "Document": document(one["PolicyDocument"])}
        for one in (role.get("RolePolicyList") or [])[:_MOST_POLICIES]
    ]
    evidence = [said]
    for item in (role.get("AttachedManagedPolicies") or [])[:_MOST_POLICIES]:
        config, told = policies.get(item["PolicyArn"], ({}, ""))
        held.append(
            {"Name": item["PolicyName"], "Arn": item["PolicyArn"], "Document": config.get("Document", {})}
        )
        evidence.append(told)
    own = {key: value for key, value in role.items() if key not in _LISTS}
    listed_only = {key: value for key, value in known.config.items() if key not in own}
    return _role({**listed_only, **own}, known.arn, dict.fromkeys(evidence), Policies=held)


def relations(resource: Resource, directory: Directory) -> Iterable[Relation]:
    """What a role may read and write by name, and the customer managed policies it lives on."""
    if resource.type != "role":
        return
    for target, (verb, policy) in allowed(resource, (one.arn for one in directory.of())).items():
        if target != resource.arn:
            kind = {"writes": "may write", "reads": "may read"}.get(verb, "may use")
            yield _relation(resource, target, kind, f"iam:GetRolePolicy {policy}", 0.5)
    for policy in resource.config.get("Policies") or []:
        if policy["Arn"] and arns.parse(policy["Arn"]).account != "aws":
            yield _relation(resource, policy["Arn"], "allowed by", "iam:ListAttachedRolePolicies", 1.0)
    if boundary := text(resource.config, "PermissionsBoundary", "PermissionsBoundaryArn"):
        yield _relation(resource, boundary, "bounded by", "iam:GetRole PermissionsBoundary", 1.0)


def _relation(resource: Resource, target: str, kind: str, said_by: str, confidence: float) -> Relation:
    return Relation(
        source=resource.arn,
        target=target,
        kind=kind,
        provenance=said_by,
        confidence=confidence,
        evidence=resource.evidence,
    )


# -- settings ---------------------------------------------------------------------------------------

# New permissions reach all of AWS within about a minute; running code may hold old answers a little longer.
_DENIED = (
    Effect(metric="role:errors", direction="up", on="upstream", after=(0, 900)),
    Effect(metric="role:backlog", direction="up", on="upstream", after=(0, 1800)),
    Effect(metric="role:demand", direction="down", on="downstream", after=(0, 900)),
)


def _read(resource: Resource) -> Call:
    return call("iam", "GetRole", resource, RoleName=resource.name)


def _restore_boundary(resource: Resource, value: Value) -> tuple[Call, ...]:
    if value is None:
        return (call("iam", "DeleteRolePermissionsBoundary", resource, RoleName=resource.name),)
    return (
        call(
            "iam",
            "PutRolePermissionsBoundary",
            resource,
            RoleName=resource.name,
            PermissionsBoundary=str(value),
        ),
    )


def _restore_trust(resource: Resource, value: Value) -> tuple[Call, ...]:
    if value is None:
        return ()
    return (
        call("iam", "UpdateAssumeRolePolicy", resource, RoleName=resource.name, PolicyDocument=str(value)),
    )


SETTINGS = (
    Setting(
        type="role",
        name="permissions boundary",
        path="PermissionsBoundary.PermissionsBoundaryArn",
        unit="",
        requests={
            "PutRolePermissionsBoundary": "permissionsBoundary",
            "DeleteRolePermissionsBoundary": "`null`",
            "CreateRole": "permissionsBoundary",
        },
        restore=_restore_boundary,
        read=_read,
        query="Role.PermissionsBoundary.PermissionsBoundaryArn",
        echo="none",
        effects=_DENIED,
    ),
    Setting(
        type="role",
        name="trust policy",
        path="AssumeRolePolicyDocument",
        unit="",
        requests={"UpdateAssumeRolePolicy": "policyDocument", "CreateRole": "assumeRolePolicyDocument"},
        restore=_restore_trust,
        read=_read,
        query="Role.AssumeRolePolicyDocument",
        echo="none",
        effects=_DENIED,
    ),
)


# -- changes ----------------------------------------------------------------------------------------

Undo = Callable[[ChangeEvent, tuple[ChangeEvent, ...]], tuple[Call, ...]]


def _undo_attach(event: ChangeEvent, earlier: tuple[ChangeEvent, ...]) -> tuple[Call, ...]:
    """The event itself names the policy: attach what was detached, detach what was attached."""
    role, policy = text(event.request, "roleName"), text(event.request, "policyArn")
    back = "AttachRolePolicy" if event.operation == "DetachRolePolicy" else "DetachRolePolicy"
    return (call("iam", back, event, RoleName=role, PolicyArn=policy),) if role and policy else ()


def _undo_inline(event: ChangeEvent, earlier: tuple[ChangeEvent, ...]) -> tuple[Call, ...]:
    """The policy as it was last put before; no call when no earlier event tells it."""
    role, policy = text(event.request, "roleName"), text(event.request, "policyName")
    for before in earlier:
        same = text(before.request, "roleName") == role and text(before.request, "policyName") == policy
        if not same or before.id == event.id:
            continue
        if before.operation == "PutRolePolicy" and (was := text(before.request, "policyDocument")):
            return (
                call("iam", "PutRolePolicy", event, RoleName=role, PolicyName=policy, PolicyDocument=was),
            )
        if before.operation == "DeleteRolePolicy":
            return (call("iam", "DeleteRolePolicy", event, RoleName=role, PolicyName=policy),)
    return ()


def _made_default(event: ChangeEvent) -> str:
    """The version that an event made the default one, or ""."""
    if event.operation == "SetDefaultPolicyVersion":
        return text(event.request, "versionId")
    if event.operation == "CreatePolicyVersion" and event.request.get("setAsDefault") in (True, "true"):
        return text(event.response, "policyVersion", "versionId")
    return "v1" if event.operation == "CreatePolicy" else ""


def _policy_of(event: ChangeEvent) -> str:
    return text(event.request, "policyArn") or text(event.response, "policy", "arn")


def _undo_version(event: ChangeEvent, earlier: tuple[ChangeEvent, ...]) -> tuple[Call, ...]:
    """The version that an earlier event made the default one."""
    policy = text(event.request, "policyArn")
    if not policy or not _made_default(event):
        return ()
    for before in earlier:
        if before.id != event.id and _policy_of(before) == policy and (version := _made_default(before)):
            return (call("iam", "SetDefaultPolicyVersion", event, PolicyArn=policy, VersionId=version),)
    return ()


_ROLE: Json = {"roleName": "order-writer-role"}
_POLICY = "arn:aws:iam::111122223333:policy/orders-write"
_DOCUMENT = (
    '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"dynamodb:GetItem",'
    '"Resource":"arn:aws:dynamodb:eu-west-1:111122223333:table/orders"}]}'
)
_TRUST = (
    '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"lambda.amazonaws.com"},'
    '"Action":"sts:AssumeRole"}]}'
)
_LOST = "Calls that only this policy allowed are denied."


def _change(
    operation: str,
    touches: Any,
    breaks: str,
    request: Json,
    response: Json | None = None,
    undo: Undo | None = None,
) -> Change:
    return Change(
        operation=operation,
        touches=touches,
        breaks=breaks,
        example=record(_SOURCE, operation, request, response, region="us-east-1"),
        effects=_DENIED,
        undo=undo,
    )


_ATTACHED: Json = {**_ROLE, "policyArn": _POLICY}
_INLINE: Json = {**_ROLE, "policyName": "orders"}
_BOUNDARY: Json = {**_ROLE, "permissionsBoundary": "arn:aws:iam::111122223333:policy/limits"}
_WRITTEN: Json = {**_INLINE, "policyDocument": _DOCUMENT}
_VERSION: Json = {"policyArn": _POLICY, "policyDocument": _DOCUMENT, "setAsDefault": True}

CHANGES = (
    _change("DetachRolePolicy", _touches_role, _LOST, _ATTACHED, undo=_undo_attach),
    _change(
        "AttachRolePolicy", _touches_role, "A policy that denies takes effect.", _ATTACHED, undo=_undo_attach
    ),
    _change("DeleteRolePolicy", _touches_role, _LOST, _INLINE, undo=_undo_inline),
    _change(
        "PutRolePolicy",
        _touches_role,
        "Calls that the new text no longer allows are denied.",
        _WRITTEN,
        None,
        _undo_inline,
    ),
    _change(
        "CreatePolicyVersion",
        _touches_policy,
        "Calls that the new version does not allow are denied.",
        _VERSION,
        {"policyVersion": {"versionId": "v4", "isDefaultVersion": True}},
        _undo_version,
    ),
    _change(
        "SetDefaultPolicyVersion",
        _touches_policy,
        "Calls that this version does not allow are denied.",
        {"policyArn": _POLICY, "versionId": "v2"},
        None,
        _undo_version,
    ),
    _change("PutRolePermissionsBoundary", _touches_role, "Calls outside the boundary are denied.", _BOUNDARY),
    _change("DeleteRolePermissionsBoundary", _touches_role, "The role may do more than before.", _ROLE),
    _change(
        "UpdateAssumeRolePolicy",
        _touches_role,
        "Services or people can no longer take the role.",
        {**_ROLE, "policyDocument": _TRUST},
    ),
    _change("DeleteRole", _touches_role, "Nothing can run as this role any more.", _ROLE),
    _change("DeletePolicy", _touches_policy, _LOST, {"policyArn": _POLICY}),
    _change(
        "DeleteAccessKey",
        _touches_user,
        "Programs that use the key are refused.",
        {"userName": "shop-batch", "accessKeyId": "AKIAEXAMPLEEXAMPLE01"},
    ),
    _change(
        "UpdateAccessKey",
        _touches_user,
        "Programs that use a deactivated key are refused.",
        {"userName": "shop-batch", "accessKeyId": "AKIAEXAMPLEEXAMPLE01", "status": "Inactive"},
    ),
    *(
        inert(operation, touches, record(_SOURCE, operation, request, region="us-east-1"))
        for operation, touches, request in (
            ("TagRole", _touches_role, {**_ROLE, "tags": [{"key": "team", "value": "shop"}]}),
            ("UntagRole", _touches_role, {**_ROLE, "tagKeys": ["team"]}),
            ("UpdateRoleDescription", _touches_role, {**_ROLE, "description": "writes orders"}),
            (
                "CreateRole",
                _touches_role,
                {
                    **_ROLE,
                    "assumeRolePolicyDocument": _TRUST,
                    "permissionsBoundary": _BOUNDARY["permissionsBoundary"],
                },
            ),
            ("DeletePolicyVersion", _touches_policy, {"policyArn": _POLICY, "versionId": "v1"}),
        )
    ),
)


def outline(resource: Resource, directory: Directory) -> Iterable[Relation]:
    """Keys that a role may use and roles that it may become, where its policies name one whole."""
    if resource.type != "role":
        return
    for policy in resource.config.get("Policies") or []:
        for statement in listed(document(policy.get("Document")).get("Statement")):
            actions = [str(one).lower() for one in listed(statement.get("Action"))]
            if statement.get("Effect") != "Allow" or not any(one.startswith(_NAMED) for one in actions):
                continue
            for target in map(str, listed(statement.get("Resource"))):
                if arns.is_arn(target) and not re.search(r"[*?]", target):
                    said_by = f"iam:GetRolePolicy {policy.get('Name', '')}"
                    yield _relation(resource, target, "may use", said_by, 0.5)


_NAMED = ("kms:", "sts:assumerole")


_ORGANIZATION = "organization-policy"

CONDITIONS = (
    Condition(
        key=_ORGANIZATION,
        type="role",
        title="a policy of the organization (SCP or RCP) denies what the role needs",
        metrics=(),
        breaks="The calls are refused whatever the role's own policies say: editing those does not help.",
        relieve=(
            "Ask whoever manages the organization: service and resource control policies are changed in the management "
            "account only, and its CloudTrail alone tells who changed which and when.",
            "Have the policy detached or its earlier version put back there.",
        ),
        prevent=(
            "Try new control policies on a test unit of the organization, and watch for AccessDenied before moving on.",
            "Tell the accounts of a change of control policies before it is made.",
        ),
    ),
)

SERVICE = Service(
    name="iam",
    title="IAM",
    client="iam",
    event_sources=(_SOURCE,),
    reads=(
        Read(operation="ListRoles", action="iam:ListRoles", shows="which roles exist"),
        Read(operation="GetRole", action="iam:GetRole", shows="who may take a role, and its boundary"),
        Read(operation="ListRolePolicies", action="iam:ListRolePolicies", shows="a role's own policies"),
        Read(operation="GetRolePolicy", action="iam:GetRolePolicy", shows="what a role may do"),
        Read(
            operation="ListAttachedRolePolicies",
            action="iam:ListAttachedRolePolicies",
            shows="managed policies of a role",
        ),
        Read(operation="GetPolicy", action="iam:GetPolicy", shows="which version of a policy is in force"),
        Read(
            operation="GetPolicyVersion", action="iam:GetPolicyVersion", shows="what a managed policy allows"
        ),
        Read(
            operation="GetAccountAuthorizationDetails",
            action="iam:GetAccountAuthorizationDetails",
            shows="what all roles may do, in few answers, for maps of whole accounts",
        ),
        Read(
            operation="GetInstanceProfile",
            action="iam:GetInstanceProfile",
            shows="whom an instance runs as",
        ),
    ),
    types={"role": "other", "policy": "other", "user": "other"},
    arns={"role": r"iam:role/.+", "policy": r"iam:policy/.+", "user": r"iam:user/.+"},
    discover=discover,
    describe=describe,
    relations=relations,
    outline=Outline(relations=outline, gather=gather, gathers=("role", "policy")),
    settings=SETTINGS,
    changes=CHANGES,
    conditions=CONDITIONS,
    signatures=(
        Signature(
            match=r"is not authorized to perform: [\w-]+:\w+.*because no identity-based policy allows",
            code="AccessDeniedException",
            reason="no identity-based policy allows",
            points_to="Policies",
            says="no policy of the role allows the call",
        ),
        Signature(
            match=r"is not authorized to perform: [\w-]+:\w+.*because no permissions boundary allows",
            code="AccessDeniedException",
            reason="no permissions boundary allows",
            points_to="PermissionsBoundary.PermissionsBoundaryArn",
            says="the role's permissions boundary does not allow the call",
        ),
        Signature(
            match=r"is not authorized to perform: .*with an explicit deny in an identity-based policy",
            code="AccessDeniedException",
            reason="explicit deny in an identity-based policy",
            points_to="Policies",
            says="a policy of the role denies the call",
        ),
        Signature(
            match=r"is not authorized to perform: .*(?:with an explicit deny in|because no) a? ?"
            r"(?:service|resource) control policy",
            code="AccessDeniedException",
            reason="service or resource control policy",
            points_to=_ORGANIZATION,
            says="a policy of the organization denies the call",
        ),
        Signature(
            match=r"The role defined for the function cannot be assumed by Lambda",
            code="InvalidParameterValueException",
            reason="",
            points_to="AssumeRolePolicyDocument",
            says="the service may not take the role",
        ),
    ),
    global_region=True,
    listed=False,
)
