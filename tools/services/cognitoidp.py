"""Cognito user pools: pools with their triggers, and the app clients that programs sign users in with.

Updates of pools and of clients set everything that they do not send to its default (Cognito API reference): a request
without a member is a change too, and a restore sends everything. DescribeUserPoolClient answers the client's secret
and is not read: what a client was is told by the earlier update alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

from tools import arn as arns
from tools.change_kit import touches_tagged
from tools.errors import BadInput, NotThere
from tools.evidence import canonical
from tools.kit import call, optional, plain, record, relation, text, whole
from tools.models import Call, ChangeEvent, Json, Relation, Resource, Value
from tools.parameters import from_cloudtrail
from tools.sealed import masked, opened, placed
from tools.services._spec import (
    Change,
    Condition,
    Directory,
    Effect,
    MetricSpec,
    Read,
    Service,
    Setting,
    Signature,
    inert,
)

if TYPE_CHECKING:
    from tools.aws import Reader

_SOURCE = "cognito-idp.amazonaws.com"
_CLIENT = "cognito-idp"
# Members of DescribeUserPool's answer that UpdateUserPool takes.
_SENT = (
    "Policies",
    "DeletionProtection",
    "LambdaConfig",
    "AutoVerifiedAttributes",
    "SmsVerificationMessage",
    "EmailVerificationMessage",
    "EmailVerificationSubject",
    "VerificationMessageTemplate",
    "SmsAuthenticationMessage",
    "UserAttributeUpdateSettings",
    "MfaConfiguration",
    "DeviceConfiguration",
    "EmailConfiguration",
    "SmsConfiguration",
    "UserPoolTags",
    "AdminCreateUserConfig",
    "UserPoolAddOns",
    "DcrConfiguration",
    "AccountRecoverySetting",
    "UserPoolTier",
    "KeyConfiguration",
    "IssuerConfiguration",
    "AcrConfiguration",
)
_TRIGGERS = (
    "PreSignUp",
    "CustomMessage",
    "PostConfirmation",
    "PreAuthentication",
    "PostAuthentication",
    "DefineAuthChallenge",
    "CreateAuthChallenge",
    "VerifyAuthChallengeResponse",
    "PreTokenGeneration",
    "UserMigration",
)
_VERSIONED = ("PreTokenGenerationConfig", "CustomSMSSender", "CustomEmailSender", "InboundFederation")


# -- names --------------------------------------------------------------------------------------------


def _pool(event: ChangeEvent, id: str) -> str:
    return arns.build("cognito-idp", event.region, event.account, f"userpool/{id}")


def _touches(event: ChangeEvent) -> tuple[str, ...]:
    id = text(event.request, "userPoolId") or text(event.response, "userPool", "id")
    return (_pool(event, id),) if id else ()


def _touches_client(event: ChangeEvent) -> tuple[str, ...]:
    """The client, then its pool. Clients have no ARN of their own: it is made of the pool's."""
    pool = _touches(event)
    id = text(event.request, "clientId") or text(event.response, "userPoolClient", "clientId")
    return (f"{pool[0]}/client/{id}", *pool) if pool and id else ()


# -- reading ------------------------------------------------------------------------------------------


def discover(reader: Reader, region: str) -> Iterable[Resource]:
    """All user pools by id and triggers; `describe` reads one whole."""
    pools = reader.pages(_CLIENT, "ListUserPools", "UserPools", region=region, MaxResults=60)
    for item in pools.items:
        arn = arns.build("cognito-idp", region, reader.aws.account, f"userpool/{item['Id']}")
        yield _resource(arn, plain(item), pools.evidence)


def _resource(arn: str, config: Json, evidence: Iterable[str]) -> Resource:
    parts = arns.parse(arn)
    client = "/client/" in parts.resource
    tags = config.get("UserPoolTags") or {}
    return Resource(
        arn=arn,
        service="cognitoidp",
        type="user-pool-client" if client else "user-pool",
        name=parts.resource.rpartition("/")[2],
        account=parts.account,
        region=parts.region,
        config=config,
        tags={str(key): str(value) for key, value in tags.items()},
        evidence=tuple(id for id in evidence if id),
    )


def describe(reader: Reader, arn: str) -> Resource | None:
    """A pool: DescribeUserPool's `UserPool` with `Clients` (ListUserPoolClients) and `MfaConfig`
    (GetUserPoolMfaConfig's answer). A client: its line of ListUserPoolClients.
    """
    parts = arns.parse(arn)
    pool, _, client = parts.name.partition("/client/")
    at: Json = {"region": parts.region, "UserPoolId": pool}
    if client:
        return _describe_client(reader, arn, client, at)
    try:
        answer = reader.ask(_CLIENT, "DescribeUserPool", **at)
    except NotThere:
        return None
    config: Json = plain(answer.data)["UserPool"]
    evidence = [answer.evidence]
    mfa = optional(reader, _CLIENT, "GetUserPoolMfaConfig", "How a user pool asks for a second factor", **at)
    if mfa is not None:
        evidence.append(mfa.evidence)
        config["MfaConfig"] = plain(mfa.data)
    with reader.seeing(f"Clients of user pool {pool}", "which programs sign users in"):
        clients = reader.pages(_CLIENT, "ListUserPoolClients", "UserPoolClients", MaxResults=60, **at)
        evidence.extend(clients.evidence)
        config["Clients"] = [plain(one) for one in clients.items]
    return _resource(arn, config, evidence)


def _describe_client(reader: Reader, arn: str, client: str, at: Json) -> Resource | None:
    try:
        told = reader.pages(_CLIENT, "ListUserPoolClients", "UserPoolClients", MaxResults=60, **at)
    except NotThere:
        return None
    for one in told.items:
        if text(one, "ClientId") == client:
            return _resource(arn, plain(one), told.evidence)
    return None


# -- relations ----------------------------------------------------------------------------------------


def relations(resource: Resource, directory: Directory) -> Iterable[Relation]:
    """What a pool calls and sends with, and who relies on it: clients, listeners, authorizers of APIs."""
    if resource.type == "user-pool-client":
        pool = resource.arn.partition("/client/")[0]
        yield relation(resource, pool, "member of", "cognito-idp:ListUserPoolClients")
        return
    said_by = "cognito-idp:DescribeUserPool"
    triggers: Json = resource.config.get("LambdaConfig") or {}
    for name in (*_TRIGGERS, *_VERSIONED):
        arn = text(triggers, name) or text(triggers, name, "LambdaArn")
        if arns.is_arn(arn):
            known = directory.mentioned(arn)
            target = known[0].arn if known else arn
            yield relation(resource, target, "invokes", f"{said_by} LambdaConfig.{name}")
    for path, kind in (
        (("LambdaConfig", "KMSKeyID"), "encrypts with"),
        (("SmsConfiguration", "SnsCallerArn"), "runs as"),
        (("EmailConfiguration", "SourceArn"), "sends by"),
    ):
        if arns.is_arn(arn := text(resource.config, *path)):
            yield relation(resource, arn, kind, f"{said_by} {'.'.join(path)}")
    for one in resource.config.get("Clients") or []:
        if id := text(one, "ClientId"):
            yield Relation(
                source=f"{resource.arn}/client/{id}",
                target=resource.arn,
                kind="member of",
                provenance="cognito-idp:ListUserPoolClients",
                evidence=resource.evidence,
            )
    yield from _relying(resource, directory)


def _relying(resource: Resource, directory: Directory) -> Iterator[Relation]:
    """Listeners that sign users in, and APIs whose authorizers take the pool's tokens, as they say themselves."""
    issuer = f"cognito-idp.{resource.region}.amazonaws.com/{resource.name}"
    for one in directory.of("listener", "api", "authorizer"):
        words = canonical(one.config)
        if resource.arn in words or issuer in words:
            field = "DescribeListeners" if one.type == "listener" else "GetAuthorizers"
            yield Relation(
                source=one.arn,
                target=resource.arn,
                kind="signs in by",
                provenance=f"{one.service}:{field}",
                evidence=(*one.evidence, *resource.evidence),
            )


# -- metrics ------------------------------------------------------------------------------------------


def dimensions(resource: Resource) -> tuple[tuple[str, str], ...]:
    """Of a client, with its pool's. Pools have no metrics of their own."""
    pool, _, client = arns.parse(resource.arn).name.partition("/client/")
    return (("UserPool", pool), ("UserPoolClient", client)) if client else ()


def owner(dimensions: Mapping[str, str], partition: str, region: str, account: str) -> str:
    """The client; the pool where the client is not known, or is none that there is."""
    pool, client = dimensions.get("UserPool", ""), dimensions.get("UserPoolClient", "")
    if not pool:
        return ""
    arn = f"arn:{partition}:cognito-idp:{region}:{account}:userpool/{pool}"
    return f"{arn}/client/{client}" if client and client not in ("Invalid", "NoClient") else arn


_ASKED = (
    ("SignIn", "sign-ins"),
    ("SignUp", "sign-ups"),
    ("TokenRefresh", "token refreshes"),
    ("Federation", "federated sign-ins"),
)


def _metric(name: str, role: Any, bad: Any, missing: Any, unit: str, stat: str = "Sum") -> MetricSpec:
    return MetricSpec(
        type="user-pool-client", name=name, stat=stat, role=role, bad=bad, missing=missing, unit=unit
    )


# -- settings -----------------------------------------------------------------------------------------


def _read(resource: Resource) -> Call:
    return call(_CLIENT, "DescribeUserPool", resource, UserPoolId=resource.name)


def _body(config: Json) -> Json:
    """All that UpdateUserPool takes of the pool as it is; what is empty is the default."""
    found = {name: opened(config.get(name)) for name in _SENT}
    body = {name: value for name, value in found.items() if value not in (None, "", {}, [])}
    policy, invited = (
        (body.get("Policies") or {}).get("PasswordPolicy") or {},
        body.get("AdminCreateUserConfig"),
    )
    if invited and "TemporaryPasswordValidityDays" in policy:
        # Answers tell the old name of the same number beside the new one; an update takes one of them.
        kept = {key: value for key, value in invited.items() if key != "UnusedAccountValidityDays"}
        body["AdminCreateUserConfig"] = kept
    if name := text(config, "Name"):
        body["PoolName"] = name
    return body


def _update(resource: Resource, config: Json) -> tuple[Call, ...]:
    """The whole pool; none when a part of it is hidden or was not read.

    A second factor without text messages is set by another operation: UpdateUserPool refuses to keep it, and would
    switch it off if it were left out.
    """
    body = _body(config)
    apart = body.get("MfaConfiguration", "OFF") != "OFF" and not body.get("SmsConfiguration")
    if "Policies" not in body or masked(body) or apart:
        return ()
    return (call(_CLIENT, "UpdateUserPool", resource, UserPoolId=resource.name, **body),)


def _restore(path: tuple[str, ...], kind: str, resource: Resource, value: Value) -> tuple[Call, ...]:
    """`kind`: text, bool, int or json. Empty texts and lists take the member out, which is the default."""
    sent: Any = opened(value)
    if kind == "json" and sent not in (None, "") and not isinstance(sent, list | dict):
        return ()
    if kind == "bool" and value is not None:
        sent = str(value).lower() == "true"
    elif kind == "int" and value is not None:
        sent = whole(value)
    if sent in (None, "", [], {}):
        sent = None
    config = placed(_opened(resource.config), path, sent)
    if path == ("LambdaConfig", "PreTokenGeneration"):
        config = _same_function(config, sent)
    return _update(resource, config)


def _opened(config: Json) -> Json:
    return {key: opened(value) if key in _SENT else value for key, value in config.items()}


def _same_function(config: Json, arn: Any) -> Json:
    """PreTokenGeneration is told twice, and both must name the same function."""
    if not text(config, "LambdaConfig", "PreTokenGenerationConfig", "LambdaArn"):
        return config
    path = ("LambdaConfig", "PreTokenGenerationConfig")
    return placed(config, (*path, "LambdaArn"), arn) if arn else placed(config, path, None)


def _restore_mfa(resource: Resource, value: Value) -> tuple[Call, ...]:
    """All factors as they are now. None where none is set up: which one was asked for is not told."""
    now = opened(resource.config.get("MfaConfig"))
    if value not in ("OFF", "ON", "OPTIONAL") or not isinstance(now, dict):
        return ()
    sent = {name: member for name, member in now.items() if member}
    totp = (now.get("SoftwareTokenMfaConfiguration") or {}).get("Enabled")
    factor = totp or now.get("SmsMfaConfiguration") or now.get("EmailMfaConfiguration")
    if masked(sent) or (value != "OFF" and not factor):
        return ()
    sent["MfaConfiguration"] = value
    return (call(_CLIENT, "SetUserPoolMfaConfig", resource, UserPoolId=resource.name, **sent),)


def _shown(event: ChangeEvent, value: Value) -> Value:
    """A recorded object in the spelling of the API."""
    found = opened(value)
    if not isinstance(found, Mapping):
        return value
    return canonical({key[0].upper() + key[1:]: inner for key, inner in found.items()})


_SIGN_IN_FAILS = (
    # Clients' own counts, and whatever lets nobody in without a token.
    Effect(metric="role:work", direction="down", on="upstream", after=(0, 1800)),
    Effect(metric="role:errors", direction="up", on="upstream", after=(0, 1800)),
    Effect(metric="role:demand", direction="down", on="upstream", after=(0, 3600)),
)
_CALLED = (
    *_SIGN_IN_FAILS,
    Effect(metric="role:demand", direction="silent", on="downstream", after=(0, 1800)),
    Effect(metric="role:demand", direction="down", on="downstream", after=(0, 1800)),
    Effect(metric="role:demand", direction="up", on="downstream", after=(0, 1800)),
    Effect(metric="role:latency", direction="up", on="upstream", after=(0, 1800)),
)
_POOL = ("UpdateUserPool", "CreateUserPool")


def _setting(
    path: str, name: str, default: str, kind: str, unset: Value, effects: tuple[Effect, ...], unit: str = ""
) -> Setting:
    """`default`: JMESPath of what a request without the member sets it to; "" for nothing told."""
    words = tuple(path.split("."))
    recorded = ".".join(word[0].lower() + word[1:] for word in words)
    return Setting(
        type="user-pool",
        name=name,
        path=path,
        unit=unit,
        requests=dict.fromkeys(_POOL, f"{recorded} || {default}" if default else recorded),
        restore=partial(_restore, words, kind),
        read=_read,
        query=f"UserPool.{path}",
        unset=unset,
        echo="none",
        effects=effects,
        means=_shown if kind == "json" else None,
    )


SETTINGS = (
    *(
        _setting(f"LambdaConfig.{trigger}", f"{trigger} trigger", "''", "text", "", _CALLED)
        for trigger in _TRIGGERS
    ),
    *(
        _setting(f"LambdaConfig.{trigger}", f"{trigger} trigger with version", "''", "json", "", _CALLED)
        for trigger in _VERSIONED
    ),
    Setting(
        type="user-pool",
        name="second factor",
        path="MfaConfiguration",
        unit="",
        requests=dict.fromkeys((*_POOL, "SetUserPoolMfaConfig"), "mfaConfiguration || 'OFF'"),
        restore=_restore_mfa,
        read=_read,
        query="UserPool.MfaConfiguration",
        unset="OFF",
        echo="none",
        effects=_SIGN_IN_FAILS,
    ),
    _setting(
        "AdminCreateUserConfig.AllowAdminCreateUserOnly",
        "whether only administrators create users",
        "`false`",
        "bool",
        False,
        _SIGN_IN_FAILS,
    ),
    _setting(
        "EmailConfiguration.EmailSendingAccount",
        "who sends e-mails",
        "'COGNITO_DEFAULT'",
        "text",
        "COGNITO_DEFAULT",
        _SIGN_IN_FAILS,
    ),
    _setting(
        "EmailConfiguration.SourceArn", "identity that e-mails are sent by", "''", "text", "", _SIGN_IN_FAILS
    ),
    _setting(
        "SmsConfiguration.SnsCallerArn", "role that sends text messages", "''", "text", "", _SIGN_IN_FAILS
    ),
    _setting("AutoVerifiedAttributes", "verified attributes", "`[]`", "json", "[]", _SIGN_IN_FAILS),
    _setting(
        "Policies.PasswordPolicy.MinimumLength",
        "shortest password",
        "`8`",
        "int",
        8,
        _SIGN_IN_FAILS,
        "characters",
    ),
    _setting(
        "UserPoolAddOns.AdvancedSecurityMode", "threat protection", "'OFF'", "text", "OFF", _SIGN_IN_FAILS
    ),
    _setting("DeletionProtection", "deletion protection", "'INACTIVE'", "text", "INACTIVE", ()),
)


# -- reversals ----------------------------------------------------------------------------------------

_NOT_UPDATED = ("generateSecret", "clientSecret")


def _undo_client(event: ChangeEvent, earlier: tuple[ChangeEvent, ...]) -> tuple[Call, ...]:
    """The whole of what the newest earlier update, or the creation, asked for."""
    pool, client = text(event.request, "userPoolId"), text(event.request, "clientId")
    for one in earlier:
        own = text(one.request, "clientId") or text(one.response, "userPoolClient", "clientId")
        fits = one.operation in ("UpdateUserPoolClient", "CreateUserPoolClient") and own == client
        if not fits or one.error_code or text(one.request, "userPoolId") != pool:
            continue
        kept = {key: value for key, value in one.request.items() if key not in _NOT_UPDATED}
        try:
            sent = from_cloudtrail(_CLIENT, "UpdateUserPoolClient", {**kept, "clientId": client})
        except BadInput:
            return ()
        return (call(_CLIENT, "UpdateUserPoolClient", event, **sent),)
    return ()


# -- changes ------------------------------------------------------------------------------------------

_ID = "eu-west-1_AbCdEfGh1"
_IN: Json = {"userPoolId": _ID}
_APP: Json = {**_IN, "clientId": "1example23456789"}
_ARN = f"arn:aws:cognito-idp:eu-west-1:111122223333:userpool/{_ID}"
_FUNCTION = "arn:aws:lambda:eu-west-1:111122223333:function:welcome"


def _example(operation: str, request: Json, response: Json | None = None) -> Json:
    return record(_SOURCE, operation, request, response)


_WHOLE: Json = {
    "policies": {"passwordPolicy": {"minimumLength": 12, "temporaryPasswordValidityDays": 7}},
    "lambdaConfig": {
        **{trigger[0].lower() + trigger[1:]: _FUNCTION for trigger in _TRIGGERS},
        **{
            trigger[0].lower() + trigger[1:]: {"lambdaVersion": "V1_0", "lambdaArn": _FUNCTION}
            for trigger in _VERSIONED
        },
        "kMSKeyID": "arn:aws:kms:eu-west-1:111122223333:key/1b2c3d4e-0000-4000-8000-000000000001",
    },
    "mfaConfiguration": "OPTIONAL",
    "autoVerifiedAttributes": ["email"],
    "emailConfiguration": {
        "emailSendingAccount": "DEVELOPER",
        "sourceArn": "arn:aws:ses:eu-west-1:111122223333:identity/example.com",
    },
    "smsConfiguration": {
        "snsCallerArn": "arn:aws:iam::111122223333:role/shop-sms",
        "externalId": "shop",
        "snsRegion": "eu-west-1",
    },
    "adminCreateUserConfig": {"allowAdminCreateUserOnly": True},
    "userPoolAddOns": {"advancedSecurityMode": "ENFORCED"},
    "deletionProtection": "ACTIVE",
}
_FLOWS: Json = {
    "explicitAuthFlows": ["ALLOW_REFRESH_TOKEN_AUTH", "ALLOW_USER_SRP_AUTH"],
    "callbackURLs": ["https://shop.example.com/signed-in"],
}
_ACCESS = (
    Effect(metric="SignInSuccesses", direction="down", after=(0, 1800)),
    Effect(metric="TokenRefreshSuccesses", direction="down", after=(0, 3600), may=True),
    Effect(metric="FederationSuccesses", direction="down", after=(0, 1800), may=True),
    Effect(metric="role:errors", direction="up", on="upstream", after=(0, 1800)),
    Effect(metric="role:demand", direction="down", on="upstream", after=(0, 3600)),
)

CHANGES = (
    Change(
        operation="UpdateUserPool",
        touches=_touches,
        breaks="Users cannot sign in or up: a trigger is gone or another one, or a member not sent was reset.",
        example=_example("UpdateUserPool", {**_IN, **_WHOLE}),
    ),
    Change(
        operation="SetUserPoolMfaConfig",
        touches=_touches,
        breaks="Users without a second factor cannot sign in, or nobody is asked for one.",
        example=_example(
            "SetUserPoolMfaConfig",
            {**_IN, "mfaConfiguration": "ON", "softwareTokenMfaConfiguration": {"enabled": True}},
        ),
    ),
    Change(
        operation="UpdateUserPoolClient",
        touches=_touches_client,
        breaks="Sign-in by this client fails: a flow, a return address or a provider is gone or was reset.",
        example=_example("UpdateUserPoolClient", {**_APP, **_FLOWS}),
        effects=_ACCESS,
        undo=_undo_client,
        earlier=("UpdateUserPoolClient", "CreateUserPoolClient"),
    ),
    Change(
        operation="DeleteUserPoolClient",
        touches=_touches_client,
        breaks="Nobody can sign in by this client; a new one gets another id and secret.",
        example=_example("DeleteUserPoolClient", _APP),
        effects=_ACCESS,
    ),
    *(
        Change(
            operation=operation,
            touches=_touches,
            breaks=breaks,
            example=_example(operation, {**_IN, **request}),
            effects=_SIGN_IN_FAILS,
        )
        for operation, request, breaks in (
            ("DeleteUserPool", {}, "Nobody can sign in, and all users are gone for good."),
            ("DeleteUserPoolDomain", {"domain": "shop"}, "The pages for signing in do not answer any more."),
            (
                "UpdateUserPoolDomain",
                {"domain": "shop"},
                "The pages for signing in show another certificate.",
            ),
            (
                "UpdateIdentityProvider",
                {"providerName": "Corp", "providerDetails": "HIDDEN_DUE_TO_SECURITY_REASONS"},
                "Users of this provider cannot sign in.",
            ),
            ("DeleteIdentityProvider", {"providerName": "Corp"}, "Users of this provider cannot sign in."),
            ("SetRiskConfiguration", {}, "Sign-ins that look risky are blocked, or no longer are."),
        )
    ),
    inert(
        "CreateUserPool",
        _touches,
        _example("CreateUserPool", {"poolName": "shop", **_WHOLE}, {"userPool": {"id": _ID, "arn": _ARN}}),
    ),
    inert(
        "CreateUserPoolClient",
        _touches_client,
        _example(
            "CreateUserPoolClient",
            {**_IN, "clientName": "web", "generateSecret": True, **_FLOWS},
            {"userPoolClient": {**_APP, "clientSecret": "HIDDEN_DUE_TO_SECURITY_REASONS"}},
        ),
    ),
    *(
        inert(operation, touches, _example(operation, request))
        for operation, touches, request in (
            ("TagResource", touches_tagged, {"resourceArn": _ARN, "tags": {"team": "shop"}}),
            ("UntagResource", touches_tagged, {"resourceArn": _ARN, "tagKeys": ["team"]}),
            ("AdminCreateUser", _touches, {**_IN, "username": "HIDDEN_DUE_TO_SECURITY_REASONS"}),
            ("AdminAddUserToGroup", _touches, {**_IN, "groupName": "staff"}),
            ("AddCustomAttributes", _touches, {**_IN, "customAttributes": [{"name": "plan"}]}),
        )
    ),
)


# -- states and error texts ---------------------------------------------------------------------------

CONDITIONS = (
    *(
        Condition(
            key=f"{name.lower()}-quota",
            type="user-pool-client",
            title=f"the account's request rate for {words} was reached",
            metrics=(f"{name}Throttles",),
            breaks=f"Part of the {words} is refused with TooManyRequestsException.",
            relieve=(
                "Slow down what asks most: loops that sign in anew instead of refreshing tokens, tests, attacks.",
                "Ask Service Quotas for a higher rate of the category in question.",
            ),
            prevent=("Keep tokens as long as they are good, and alarm on throttles above 0.",),
        )
        for name, words in _ASKED
    ),
    Condition(
        key="daily-email-limit",
        type="user-pool",
        title="the daily limit of e-mails that Cognito sends itself was reached",
        metrics=(),
        breaks="No more codes and invitations are sent until the next day.",
        relieve=("Send by SES instead (EmailConfiguration with an identity of yours).",),
        prevent=("Send by SES, whose limit is the account's own and can be raised.",),
        excluded=lambda resource: (
            text(resource.config, "EmailConfiguration", "EmailSendingAccount") == "DEVELOPER"
        ),
    ),
)

SERVICE = Service(
    name="cognitoidp",
    title="Cognito user pools",
    client=_CLIENT,
    event_sources=(_SOURCE,),
    reads=tuple(
        Read(operation=operation, action=f"cognito-idp:{operation}", shows=shows)
        for operation, shows in (
            ("ListUserPools", "which user pools exist"),
            ("DescribeUserPool", "a user pool's triggers and policies"),
            ("GetUserPoolMfaConfig", "which second factors a user pool asks for"),
            ("ListUserPoolClients", "which clients a user pool has"),
        )
    ),
    types={"user-pool": "container", "user-pool-client": "component"},
    arns={
        "user-pool": r"cognito-idp:userpool/[^/]+",
        "user-pool-client": r"cognito-idp:userpool/[^/]+/client/[^/]+",
    },
    discover=discover,
    describe=describe,
    relations=relations,
    namespace="AWS/Cognito",
    dimensions=dimensions,
    owner=owner,
    metrics=tuple(
        spec
        for name, words in _ASKED
        for spec in (
            _metric(f"{name}Successes", "work", "down", "idle", words),
            _metric(f"{name}Throttles", "throttles", "up", "zero", f"throttled {words}"),
        )
    ),
    settings=SETTINGS,
    changes=CHANGES,
    conditions=CONDITIONS,
    signatures=(
        *(
            Signature(
                match=rf"\b{trigger} (?:failed with error|invocation failed)",
                code="UserLambdaValidationException",
                reason="",
                points_to=f"LambdaConfig.{trigger}",
                says=f"the {trigger} trigger failed",
            )
            for trigger in _TRIGGERS
        ),
        Signature(
            match=r"flow not enabled for this client|\bredirect_mismatch\b|\bunauthorized_client\b",
            code="",
            reason="",
            points_to="UpdateUserPoolClient",
            says="the app client does not allow this way of signing in",
        ),
        Signature(
            match=r"User pool client \S+ does not exist",
            code="ResourceNotFoundException",
            reason="",
            points_to="DeleteUserPoolClient",
            says="the app client does not exist",
        ),
        Signature(
            match=r"Exceeded daily email limit",
            code="LimitExceededException",
            reason="",
            points_to="daily-email-limit",
            says="Cognito sends no more e-mails today",
        ),
    ),
    listed=False,
    listed_near=("api", "authorizer", "load-balancer", "listener", "user-pool", "user-pool-client"),
)
