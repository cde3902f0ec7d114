"""Who caused a CloudTrail event, by its record alone. Pure; odd records give "unknown", never an error.

What acts for itself (AWS services, service-linked roles) is told first, then what acts for others
(CloudFormation, Terraform, CI), then people, then plain roles: an identity that one of these uses looks like
its owner. Shapes: CloudTrail user guide, "userIdentity element"; user agents as they are recorded in
practice.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from tools.cloudtrail_fields import pick, table, text, truth
from tools.models import Actor, ActorKind, Json, Means

_IAC = {
    "terraform": re.compile(r"terraform|opentofu", re.IGNORECASE),
    "pulumi": re.compile(r"pulumi", re.IGNORECASE),
}
_CONSOLE = re.compile(
    r"Mozilla|console\.(?:\w+\.)?amazonaws\.com|(?:^|\W)\w*Console\w*/|RDS Console|ConsoleFrontend"
    r"|signin\.amazonaws\.com|AWS Internal|aws-internal/|Amazon ?Console",
    re.IGNORECASE,
)
_CLI = re.compile(r"\baws-cli/|\bAWSPowerShell|\baws-tools-for-powershell", re.IGNORECASE)
_SERVICE = re.compile(r"^[a-z0-9.-]+\.(?:amazonaws\.com(?:\.cn)?|aws\.internal|amazon\.com)$")
_SSO_ROLE = re.compile(r"^AWSReservedSSO_(.+?)(?:_[0-9a-fA-Fx]+)?$")
_CI_PROVIDER = re.compile(
    r"token\.actions\.githubusercontent|gitlab|bitbucket|circleci|buildkite|terraform\.io|spacelift|semaphore|jenkins"
    r"|vstoken|azure.*devops|codefresh|harness",
    re.IGNORECASE,
)
_CI_SESSION = re.compile(r"^(?:GitHubActions|gitlab-|bitbucket|AWSCodeBuild-|CodeBuild)", re.IGNORECASE)
_MAIL = re.compile(r"^[^@\s]+@[^@\s]+$")
_FIRST_LAST = re.compile(r"^[a-z]+\.[a-z]+$", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Facts:
    """What the tests look at, each as text ("" when the record does not say)."""

    type: str
    arn: str
    account: str
    recipient: str
    principal: str
    user: str
    role: str
    role_arn: str
    role_account: str
    session: str
    federated_by: str
    invoked_by: str
    agent: str
    address: str
    event_type: str
    event_source: str
    from_console: bool | None
    key: str
    has_session: bool


def actor(record: Json) -> Actor:
    """The actor of one record: kind, name and means, with what else the record says about the identity."""
    identity = table(pick(record, "userIdentity"))
    context = table(pick(identity, "sessionContext"))
    facts = _facts(record, identity, context)
    how = _how(facts)
    kind, name = _who(facts, how, identity)
    source_identity = text(pick(context, "sourceIdentity"))
    if source_identity and kind == "role":
        name = source_identity  # set by the identity provider at sign-in and kept through every role since
    return Actor(
        kind=kind,
        name=name,
        how=how,
        arn=facts.arn,
        account=facts.account,
        mfa=_mfa(record, context),
        source_ip=facts.address,
        user_agent=facts.agent,
        session=facts.session,
        role=facts.role,
        role_arn=facts.role_arn if ":role/" in facts.role_arn else "",
        access_key_id=facts.key,
        source_identity=source_identity,
        invoked_by=facts.invoked_by,
    )


def _facts(record: Json, identity: Json, context: Json) -> _Facts:
    issuer = table(pick(context, "sessionIssuer"))
    arn = text(pick(identity, "arn"))
    principal = text(pick(identity, "principalId"))
    role, session = _role_and_session(arn, principal)
    issued_by_role = text(pick(issuer, "type")) in ("Role", "") and bool(text(pick(issuer, "userName")))
    federation = table(pick(context, "webIdFederationData"))
    return _Facts(
        type=text(pick(identity, "type")) or ("AssumedRole" if ":assumed-role/" in arn else ""),
        arn=arn,
        account=text(pick(identity, "accountId")) or _account(arn),
        recipient=text(pick(record, "recipientAccountId")),
        principal=principal,
        user=text(pick(identity, "userName")),
        role=(text(pick(issuer, "userName")) if issued_by_role else "") or role,
        role_arn=text(pick(issuer, "arn")),
        role_account=text(pick(issuer, "accountId")),
        session=session,
        federated_by=text(pick(federation, "federatedProvider")) or text(pick(identity, "identityProvider")),
        invoked_by=text(pick(identity, "invokedBy")),
        agent=text(pick(record, "userAgent")).strip("[]"),  # S3 writes the agent in brackets
        address=text(pick(record, "sourceIPAddress")),
        event_type=text(pick(record, "eventType")),
        event_source=text(pick(record, "eventSource")),
        from_console=truth(pick(record, "sessionCredentialFromConsole")),
        key=text(pick(identity, "accessKeyId")),
        has_session=bool(table(pick(context, "attributes"))),
    )


def _role_and_session(arn: str, principal: str) -> tuple[str, str]:
    """Role name and session name of a session ARN; the session also stands after ":" in the principal id."""
    _, found, rest = arn.partition(":assumed-role/")
    if found:
        role, _, session = rest.partition("/")
        return role, session or _after_colon(principal)
    return "", _after_colon(principal) if principal.startswith("AROA") else ""


def _after_colon(principal: str) -> str:
    return principal.split(":", 1)[1] if ":" in principal else ""


def _account(arn: str) -> str:
    parts = arn.split(":")
    return parts[4] if len(parts) > 5 else ""


def _mfa(record: Json, context: Json) -> bool | None:
    said = truth(pick(table(pick(context, "attributes")), "mfaAuthenticated"))
    signed_in = truth(pick(table(pick(record, "additionalEventData")), "MFAUsed"))
    return signed_in if signed_in is not None else said


def _service_behind(facts: _Facts) -> str:
    """The AWS service that called for somebody; "" when the caller made it directly or in the console."""
    for said in (facts.invoked_by, facts.address, facts.agent):
        if _SERVICE.match(said) and not _CONSOLE.search(said):
            return said
    return ""


def _how(facts: _Facts) -> Means:
    service = _service_behind(facts)
    if service.startswith("cloudformation."):
        return "cloudformation"
    if service or facts.type == "AWSService" or facts.event_type == "AwsServiceEvent":
        return "service"
    if _IAC["terraform"].search(facts.agent):
        return "terraform"
    if _IAC["pulumi"].search(facts.agent):
        return "pulumi"
    if facts.federated_by and _CI_PROVIDER.search(facts.federated_by):
        return "ci"
    return _by_hand(facts)


def _by_hand(facts: _Facts) -> Means:
    """Console, CLI or SDK. CloudShell hands console credentials to the CLI, so its name is asked first."""
    if _CLI.search(facts.agent):
        return "cli"
    if facts.from_console or facts.event_type in ("AwsConsoleSignIn", "AwsConsoleAction"):
        return "console"
    if _CONSOLE.search(facts.agent) or _CONSOLE.search(facts.invoked_by) or _CONSOLE.search(facts.address):
        return "console"
    if facts.agent:
        return "sdk"  # whatever it calls itself, a program signed the request
    # An IAM user's temporary key with a session and no agent is a console session; a long-lived key has none.
    temporary = facts.key.startswith("ASIA") and facts.has_session
    return "console" if facts.type == "IAMUser" and temporary else "unknown"


def _who(facts: _Facts, how: Means, identity: Json) -> tuple[ActorKind, str]:
    own = _own_account(facts, how)
    if own is not None:
        return own
    if facts.type == "Root":
        return "root", "root"
    name = _caller(facts, how)
    if how == "cloudformation":
        return "cloudformation", name or "CloudFormation"
    if how in ("terraform", "pulumi"):
        return "iac", name or how
    if how == "ci" or (facts.type == "AssumedRole" and _CI_SESSION.match(facts.session)):
        return "ci", facts.role or name
    if _SSO_ROLE.match(facts.role):
        return "identity_center_user", facts.session or facts.role
    behalf = table(pick(identity, "onBehalfOf"))
    portal = facts.type == "Unknown" and facts.event_source.startswith(("sso.", "signin.", "sso-directory."))
    if facts.type == "IdentityCenterUser" or portal or (behalf and not facts.role):
        user = facts.user or text(pick(behalf, "userId")) or facts.principal
        return "identity_center_user", user or "unknown"
    if _foreign(facts):
        return "other_account", name or facts.account or "unknown"
    return _plain(facts, name)


def _own_account(facts: _Facts, how: Means) -> tuple[ActorKind, str] | None:
    """AWS acting for itself: a service, a service event, a service-linked role."""
    service = _service_behind(facts) or facts.invoked_by
    if facts.type == "AWSService" or (facts.event_type == "AwsServiceEvent" and not facts.type):
        return "aws_service", service or facts.event_source or "AWS"
    if ":role/aws-service-role/" in facts.role_arn or facts.role.startswith("AWSServiceRoleFor"):
        return "service_linked_role", facts.role or service
    if ".application-autoscaling." in f".{service}":
        return "service_linked_role", facts.role or service
    if how == "service" and not facts.type and not facts.arn:
        return "aws_service", service or facts.event_source
    return None


def _caller(facts: _Facts, how: Means) -> str:
    """The name a reader knows: a user's name, a person's session name, else the role's name."""
    if facts.role:
        return facts.session if facts.session and _names_person(facts, how) else facts.role
    if facts.type in ("SAMLUser", "WebIdentityUser"):
        return facts.user or facts.principal.rpartition(":")[2]
    if facts.type == "FederatedUser":
        return facts.user or _after_colon(facts.principal) or facts.arn.rpartition("/")[2]
    if facts.user and not facts.user.startswith("HIDDEN_DUE"):
        return facts.user
    tail = facts.arn.rpartition("/")[2] if "/" in facts.arn else ""
    return tail or facts.session


def _names_person(facts: _Facts, how: Means) -> bool:
    """Whether the session name is a person's: programs name theirs after functions, instances or chance."""
    if _SSO_ROLE.match(facts.role) or _MAIL.match(facts.session):
        return True
    # The console's "switch role" names the session after the user who switched.
    return how == "console" or (how != "sdk" and _FIRST_LAST.match(facts.session) is not None)


def _foreign(facts: _Facts) -> bool:
    account = facts.role_account or facts.account
    if facts.type == "AWSAccount":
        return not facts.recipient or account != facts.recipient
    return bool(account and facts.recipient) and account != facts.recipient and account.isdigit()


def _plain(facts: _Facts, name: str) -> tuple[ActorKind, str]:
    if facts.type == "IAMUser":
        return "iam_user", name or facts.principal or "unknown"
    if facts.type in ("FederatedUser", "SAMLUser", "WebIdentityUser"):
        return "federated_user", name or facts.principal or "unknown"
    if facts.type in ("AssumedRole", "Role", "AWSAccount") or facts.role:
        return "role", name or facts.principal or "unknown"
    if facts.type == "" and ":user/" in facts.arn:
        return "iam_user", name or "unknown"
    return "unknown", name or facts.principal or "unknown"
