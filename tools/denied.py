"""What AWS says when it refuses, read: which policy refused, and who can change that.

Only a missing identity permission is answered with a statement to add: it is the one case that the reader's
own administrator solves by adding something. An explicit deny, and every limit set from outside
(organization, permissions boundary, session, resource, endpoint, trust), is lifted by somebody else, and
adding a permission would not help. Wording: IAM user guide, "Troubleshoot access denied error messages";
policy ARNs are appended since January 2026.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from tools.iam_names import action_of, takes_no_resource
from tools.models import Gap, Json

Layer = Literal[
    "identity",
    "resource",
    "boundary",
    "session",
    "scp",
    "rcp",
    "endpoint",
    "trust",
    "unknown",
]

_LAYERS: tuple[tuple[str, Layer], ...] = (
    ("identity-based polic", "identity"),
    ("resource-based polic", "resource"),
    ("permissions boundary", "boundary"),
    ("session polic", "session"),
    ("service control polic", "scp"),
    ("resource control polic", "rcp"),
    ("vpc endpoint polic", "endpoint"),
    ("role trust polic", "trust"),
)
_POLICY: dict[Layer, str] = {
    "identity": "identity policy",
    "resource": "policy of the resource itself",
    "boundary": "permissions boundary",
    "session": "session policy",
    "scp": "service control policy (SCP) of the organization",
    "rcp": "resource control policy (RCP) of the organization",
    "endpoint": "policy of the VPC endpoint that the call goes through",
    "trust": "trust policy of the role to assume",
    "unknown": "policy",
}
_NO_USE = "adding a permission to {who} does not help."
_LIFTS: dict[Layer, str] = {
    "identity": "Whoever manages the policies of {who} can remove that deny; " + _NO_USE,
    "resource": "The owner of the resource can change its policy{resource}; " + _NO_USE,
    "boundary": "The owner of the permissions boundary of {who} can widen it; " + _NO_USE,
    "session": "Whoever makes the session of {who} can sign in with a wider session policy; " + _NO_USE,
    "scp": "An administrator of the organization can change the SCP, in its management account; "
    "nothing inside this account helps.",
    "rcp": "An administrator of the organization of the resource can change the RCP, in its management "
    "account; nothing inside this account helps.",
    "endpoint": "The owner of the VPC endpoint can change its policy; outside that network opsleuth does "
    "not meet it; " + _NO_USE,
    "trust": "The owner of the role can add {who} to its trust policy; " + _NO_USE,
    "unknown": "Ask whoever manages the policies of {who} which of them denies it; " + _NO_USE,
}
_CODES = {
    "AccessDenied",
    "AccessDeniedException",
    "UnauthorizedOperation",
    "Client.UnauthorizedOperation",
    "AuthorizationError",  # SNS
    "AuthorizationErrorException",
    "UnauthorizedException",
    "ForbiddenException",
    "NotAuthorizedException",
    "403",  # HEAD requests have no body to hold a code
}
_USER = re.compile(r"User:?\s+(?P<user>arn:\S+|anonymous)\s+is not authorized", re.IGNORECASE)
_ACTION = re.compile(r"not authorized to perform:?\s+\"?(?P<action>[a-z0-9-]+:[A-Za-z0-9]+)", re.IGNORECASE)
_RESOURCE = re.compile(r"on (?:the )?resource:?\s+(?:\"(?P<quoted>[^\"]+)\"|(?P<bare>\S+))", re.IGNORECASE)
_REASON = re.compile(
    r"(?:because no (?P<no>[^.]*?) allows|with an explicit deny(?: in (?:an? |the )?(?P<deny>[^.:]*))?)", re.I
)
_POLICY_ARN = re.compile(r"explicit deny in [^:]*: (?P<arn>arn:\S+)", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Denial:
    """A refusal, read. `explicit`: a Deny statement refused. `layer` "unknown": the text does not say which
    policy.
    """

    action: str
    layer: Layer
    explicit: bool
    user: str = ""  # ARN of the caller
    resource: str = ""  # ARN, as AWS names it
    policy: str = ""  # ARN of the denying policy
    encoded: bool = False  # an encoded authorization message came with it


def is_denial(code: str, message: str) -> bool:
    """True when an error code or text means "no permission"."""
    return code in _CODES or "is not authorized to perform" in message


def read(service: str, operation: str, message: str) -> Denial:
    """The refusal of `service` (boto3 client name) and `operation` as AWS words it. Never raises."""
    named = _ACTION.search(message)
    derived = action_of(service, operation)
    action = named["action"] if named else derived
    if action.lower() == derived.lower():
        action = derived  # SQS names its actions in lower case
    reason = _REASON.search(message)
    words = (reason["no"] or reason["deny"] or "").lower() if reason else ""
    user, resource, policy = _USER.search(message), _RESOURCE.search(message), _POLICY_ARN.search(message)
    return Denial(
        action=action,
        layer=next((layer for phrase, layer in _LAYERS if phrase in words), "unknown"),
        explicit=reason is not None and reason["no"] is None,
        user=user["user"] if user else "",
        resource=(resource["quoted"] or resource["bare"]).rstrip(".,") if resource else "",
        policy=policy["arn"].rstrip(".,") if policy else "",
        encoded="Encoded authorization failure message" in message,
    )


def gap(service: str, operation: str, parameters: Json, message: str) -> Gap:
    """The refusal as a gap: why, who can lift it, and the exact statement when only that is missing.

    `parameters` are those of the call; an ARN among them narrows the statement when the text names no
    resource.
    """
    denial = read(service, operation, message)
    who = _who(denial.user)
    statement = _statement(denial, parameters) if _can_be_added(denial, service, message) else None
    return Gap(
        what=f"{service}:{operation}",
        why=_why(denial, who),
        lift=_lift(denial, who, statement is not None),
        statement=statement,
        code="AccessDenied",
    )


def _can_be_added(denial: Denial, service: str, message: str) -> bool:
    """A statement helps when an identity policy lacks it, or when the text names the action and no other
    reason.

    S3's bare "Access Denied" tells nothing: since 2024 S3 explains refusals inside an organization, so what
    stays bare is as often the bucket's own policy in another organization.
    """
    if denial.explicit:
        return False
    if denial.layer == "identity":
        return True
    bare_s3 = service in ("s3", "s3control") and not _ACTION.search(message)
    return denial.layer == "unknown" and not bare_s3 and not denial.action.startswith("sts:AssumeRole")


def _why(denial: Denial, who: str) -> str:
    policy = _POLICY[denial.layer]
    the_one = denial.layer in ("resource", "boundary", "session", "endpoint", "trust")
    if denial.explicit:
        article = "The" if the_one else "An" if policy[0] in "aeiou" else "A"
        unsaid = "; AWS does not say which policy" if denial.layer == "unknown" else ""
        named = f": {denial.policy}" if denial.policy else ""
        return f"{article} {policy} forbids {who} to call {denial.action} (explicit deny{named}){unsaid}."
    if denial.layer == "unknown":
        return f"{_upper(who)} may not call {denial.action}; AWS does not say which policy is the reason."
    if the_one:
        return f"The {policy} does not let {who} call {denial.action}."
    return f"No {policy} lets {who} call {denial.action}."


def _lift(denial: Denial, who: str, addable: bool) -> str:
    if addable:
        place = (
            f"permission set {who.rsplit(maxsplit=1)[-1]} in IAM Identity Center"
            if "permission set" in who
            else who
        )
        add = f"Add {denial.action} to {place}."
        if denial.layer == "identity":
            return add
        rest = " If it is there already, an SCP or a permissions boundary is the reason: ask their owner."
        decode = " aws sts decode-authorization-message tells more." if denial.encoded else ""
        return add + rest + decode
    if denial.layer == "unknown" and not denial.explicit:
        return (
            f"Check that {who} is allowed {denial.action}; if it is, the owner of the resource can "
            "change the policy of the resource."
        )
    resource = f" ({denial.resource})" if denial.resource not in ("", "*") else ""
    return _LIFTS[denial.layer].format(who=who, resource=resource)


def _who(arn: str) -> str:
    """A caller for people: "role opsleuth-reader", "user ops-07", "permission set ReadOnly"."""
    if not arn:
        return "this identity"
    if not arn.startswith("arn:"):
        return "the anonymous caller"
    kind, _, rest = arn.split(":", 5)[-1].partition("/")
    if kind == "root":
        return "the root user"
    if kind == "assumed-role":
        role = rest.split("/")[0]
        single_sign_on = re.fullmatch(r"AWSReservedSSO_(.+)_[0-9a-f]{16}", role)
        return f"permission set {single_sign_on[1]}" if single_sign_on else f"role {role}"
    return f"{kind.replace('-', ' ')} {rest.split('/')[-1]}"


def _statement(denial: Denial, parameters: Json) -> Json:
    return {"Effect": "Allow", "Action": denial.action, "Resource": _resource(denial, parameters)}


def _resource(denial: Denial, parameters: Json) -> str:
    """The narrowest resource that works: what AWS named, else an ARN in the call, else everything."""
    if takes_no_resource(denial.action):
        return "*"
    prefix = denial.action.split(":")[0]
    candidates = [denial.resource, *(str(value) for value in parameters.values() if isinstance(value, str))]
    for text in candidates:
        parts = text.split(":", 5)
        if len(parts) == 6 and parts[0] == "arn" and parts[2] == prefix and parts[5].strip(":*/"):
            return _whole_log_group(text) if prefix == "logs" else text
    return "*"


def _whole_log_group(arn: str) -> str:
    """Log actions check the group's ARN with a tail, as in `log-group:NAME:log-stream:`; `:*` covers them
    all.
    """
    head, _, _ = arn.partition(":log-stream:")
    head = head.removesuffix(":*")
    return f"{head}:*" if ":log-group:" in head and not head.endswith(":log-group:") else "*"


def _upper(text: str) -> str:
    return text[:1].upper() + text[1:]
