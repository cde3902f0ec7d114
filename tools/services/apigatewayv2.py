"""API Gateway v2: HTTP and WebSocket APIs, their stages, routes, integrations and authorizers."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

from tools import arn as arns
from tools.errors import NotThere
from tools.kit import call, optional, record, text, whole
from tools.models import Call, ChangeEvent, Json, Relation, Resource, Value
from tools.services._spec import (
    Change,
    Directory,
    Effect,
    MetricSpec,
    Outline,
    Read,
    Service,
    Setting,
    Signature,
    inert,
)

if TYPE_CHECKING:
    from tools.aws import Reader

_SOURCE = "apigateway.amazonaws.com"
_FUNCTION = re.compile(r"(arn:[\w-]+:lambda:[\w-]+:\d{12}:function:[\w-]+)")
_MOST_APIS = 40  # APIs whose integrations are read while discovering: one call each


def _arn(region: str, path: str) -> str:
    # API Gateway ARNs carry no account.
    return f"arn:{arns.partition_of(region)}:apigateway:{region}::{path}"


def _api(event: ChangeEvent) -> str:
    return _arn(event.region, f"/apis/{text(event.request, 'apiId') or text(event.response, 'apiId')}")


def _touches(kind: str, member: str, event: ChangeEvent) -> tuple[str, ...]:
    """The stage, route, integration or authorizer, then its API. Nothing for a REST API's event (v1)."""
    if not (text(event.request, "apiId") or text(event.response, "apiId")):
        return ()
    name = text(event.request, member) or text(event.response, member)
    return (f"{_api(event)}/{kind}/{name}", _api(event)) if name else (_api(event),)


_STAGE = partial(_touches, "stages", "stageName")
_ROUTE = partial(_touches, "routes", "routeId")
_INTEGRATION = partial(_touches, "integrations", "integrationId")
_AUTHORIZER = partial(_touches, "authorizers", "authorizerId")
_WHOLE = partial(_touches, "", "")


# -- reading ---------------------------------------------------------------------------------------


def discover(reader: Reader, region: str) -> Iterable[Resource]:
    """All HTTP and WebSocket APIs, each with its integrations: they say what an API calls."""
    apis = reader.pages("apigatewayv2", "GetApis", "Items", region=region, limit=10)
    for number, api in enumerate(apis.items):
        config: Json = {**_plain(api), "Id": api["ApiId"]}
        evidence = apis.evidence
        if number < _MOST_APIS:
            with reader.seeing(f"Integrations of API {api.get('Name')}", "what the API calls"):
                found = reader.pages(
                    "apigatewayv2", "GetIntegrations", "Items", region=region, ApiId=api["ApiId"]
                )
                config["Integrations"] = list(found.items)
                evidence = (*evidence, *found.evidence)
        yield _resource(
            reader, _arn(region, f"/apis/{api['ApiId']}"), "api", api.get("Name", ""), config, evidence
        )
    if len(apis.items) > _MOST_APIS:
        reader.missing(
            "Integrations of some APIs",
            f"There are {len(apis.items)} APIs; integrations of the first {_MOST_APIS} were read.",
            "what the other APIs call",
            code="BudgetSpent",
        )


def _resource(
    reader: Reader, arn: str, type: str, name: str, config: Json, evidence: tuple[str, ...]
) -> Resource:
    return Resource(
        arn=arn,
        service="apigatewayv2",
        type=type,
        name=name,
        account=reader.aws.account,
        region=arns.parse(arn).region,
        config=config,
        tags=dict(config.get("Tags") or {}),
        evidence=tuple(id for id in evidence if id),
    )


def _plain(config: Mapping[str, Any]) -> Json:
    return {key: value.isoformat() if hasattr(value, "isoformat") else value for key, value in config.items()}


def describe(reader: Reader, arn: str) -> Resource | None:
    """An API with routes, integrations, stages and authorizers; or one of these by its own ARN."""
    parts = arns.parse(arn)
    _, _, api_id, *rest = parts.resource.split("/")
    try:
        if rest:
            return _describe_part(reader, arn, api_id, rest[0], rest[1])
        answer = reader.ask("apigatewayv2", "GetApi", region=parts.region, ApiId=api_id)
    except NotThere:
        return None
    config: Json = {**_plain(answer.data), "Id": api_id}
    evidence = [answer.evidence]
    for name in ("Integrations", "Routes", "Stages", "Authorizers"):
        got = optional(reader, "apigatewayv2", f"Get{name}", name, region=parts.region, ApiId=api_id)
        if got is not None:
            config[name] = [_plain(item) for item in got.data.get("Items") or []]
            evidence.append(got.evidence)
    return _resource(reader, arn, "api", config.get("Name", ""), config, tuple(evidence))


_PARTS: Mapping[str, tuple[str, str, str]] = {
    "stages": ("stage", "GetStage", "StageName"),
    "routes": ("route", "GetRoute", "RouteId"),
    "integrations": ("integration", "GetIntegration", "IntegrationId"),
    "authorizers": ("authorizer", "GetAuthorizer", "AuthorizerId"),
}


def _describe_part(reader: Reader, arn: str, api_id: str, kind: str, name: str) -> Resource | None:
    if kind not in _PARTS:
        return None
    type, operation, member = _PARTS[kind]
    sent: dict[str, Any] = {"region": arns.parse(arn).region, "ApiId": api_id, member: name}
    answer = reader.ask("apigatewayv2", operation, **sent)
    config = {**_plain(answer.data), "ApiId": api_id}
    return _resource(reader, arn, type, name, config, (answer.evidence,))


# -- relations -------------------------------------------------------------------------------------


def relations(resource: Resource, directory: Directory) -> Iterable[Relation]:
    """What the API's integrations and authorizers call, and where its stages write access logs."""
    if resource.type != "api":
        return
    for item in resource.config.get("Integrations") or []:
        uri = text(item, "IntegrationUri")
        for target in _targets(uri, directory):
            yield _relation(resource, target, "invokes", "apigatewayv2:GetIntegrations IntegrationUri")
    for item in resource.config.get("Authorizers") or []:
        for target in _targets(text(item, "AuthorizerUri"), directory):
            yield _relation(resource, target, "asks", "apigatewayv2:GetAuthorizers AuthorizerUri")
    for item in resource.config.get("Stages") or []:
        if group := text(item, "AccessLogSettings", "DestinationArn").removesuffix(":*"):
            yield _relation(resource, group, "logs to", "apigatewayv2:GetStages AccessLogSettings")


def _targets(uri: str, directory: Directory) -> Iterable[str]:
    if function := _FUNCTION.search(uri):
        yield function.group(1)
    elif uri:
        for found in directory.mentioned(uri):
            yield found.arn


def _relation(resource: Resource, target: str, kind: str, said_by: str) -> Relation:
    return Relation(
        source=resource.arn, target=target, kind=kind, provenance=said_by, evidence=resource.evidence
    )


def owner(dimensions: Mapping[str, str], partition: str, region: str, account: str) -> str:
    api = dimensions.get("ApiId", "")
    return f"arn:{partition}:apigateway:{region}::/apis/{api}" if api else ""


def log_groups(resource: Resource) -> tuple[str, ...]:
    groups = [
        text(stage, "AccessLogSettings", "DestinationArn").partition(":log-group:")[2].removesuffix(":*")
        for stage in resource.config.get("Stages") or []
    ]
    return tuple(dict.fromkeys(group for group in groups if group))


# -- settings --------------------------------------------------------------------------------------


def _ids(resource: Resource) -> tuple[str, str]:
    """The API's id and the id or name of its part, from the part's ARN."""
    _, _, api, _, name = arns.parse(resource.arn).resource.split("/", 4)
    return api, name


def _read(operation: str, member: str, resource: Resource) -> Call:
    api, name = _ids(resource)
    return call("apigatewayv2", operation, resource, ApiId=api, **{member: name})


def _restore(operation: str, key: str, member: str, resource: Resource, value: Value) -> tuple[Call, ...]:
    if value is None:
        return ()
    api, name = _ids(resource)
    return (call("apigatewayv2", operation, resource, ApiId=api, **{key: name, member: value}),)


def _restore_throttle(member: str, resource: Resource, value: Value) -> tuple[Call, ...]:
    # All members of DefaultRouteSettings are sent, so that the others stay. None can be unset by itself.
    if value is None:
        return ()
    api, stage = _ids(resource)
    number = whole(value) if member == "ThrottlingBurstLimit" else float(value)
    settings = {**(resource.config.get("DefaultRouteSettings") or {}), member: number}
    return (
        call(
            "apigatewayv2", "UpdateStage", resource, ApiId=api, StageName=stage, DefaultRouteSettings=settings
        ),
    )


def _restore_integer(
    operation: str, key: str, member: str, resource: Resource, value: Value
) -> tuple[Call, ...]:
    return _restore(operation, key, member, resource, None if value is None else whole(value))


_FAILS = (
    Effect(metric="5xx", direction="up", after=(0, 600)),
    Effect(metric="role:demand", direction="down", on="downstream", after=(0, 600)),
    Effect(metric="role:errors", direction="up", on="downstream", after=(0, 600)),
)
_REFUSES = (
    Effect(metric="4xx", direction="up", after=(0, 600)),
    Effect(metric="role:demand", direction="down", on="downstream", after=(0, 600)),
)


def _setting(
    type: str,
    part: str,
    key: str,
    member: str,
    name: str,
    unit: str,
    effects: tuple[Effect, ...],
    number: bool = False,
) -> Setting:
    camel = member[0].lower() + member[1:]
    noun = part.removesuffix("s").title()
    return Setting(
        type=type,
        name=name,
        path=member,
        unit=unit,
        requests=dict.fromkeys((f"Update{noun}", f"Create{noun}"), camel),
        restore=partial(_restore_integer if number else _restore, f"Update{noun}", key, member),
        read=partial(_read, f"Get{noun}", key),
        query=member,
        echo="new",
        echo_path=camel,
        effects=effects,
    )


def _throttle(member: str, name: str, unit: str) -> Setting:
    camel = f"defaultRouteSettings.{member[0].lower()}{member[1:]}"
    other = "ThrottlingRateLimit" if member == "ThrottlingBurstLimit" else "ThrottlingBurstLimit"
    return Setting(
        type="stage",
        name=name,
        path=f"DefaultRouteSettings.{member}",
        unit=unit,
        requests=dict.fromkeys(("UpdateStage", "CreateStage"), camel),
        restore=partial(_restore_throttle, member),
        read=partial(_read, "GetStage", "StageName"),
        query=f"DefaultRouteSettings.{member}",
        echo="new",
        echo_path=camel,
        # A burst is how much is held for at once: it caps no sum.
        limits="Count" if member.lower() == "throttlingratelimit" else "",
        effects=(
            Effect(metric="4xx", direction="up", after=(0, 300), when="lowered"),
            Effect(metric="role:demand", direction="down", on="downstream", after=(0, 300), when="lowered"),
        ),
        beside=(f"DefaultRouteSettings.{other}",),
    )


SETTINGS = (
    _throttle("ThrottlingRateLimit", "stage rate limit", "requests per second"),
    _throttle("ThrottlingBurstLimit", "stage burst limit", "requests"),
    _setting(
        "integration", "integrations", "IntegrationId", "IntegrationUri", "integration target", "", _FAILS
    ),
    _setting(
        "integration",
        "integrations",
        "IntegrationId",
        "TimeoutInMillis",
        "integration timeout",
        "ms",
        _FAILS,
        True,
    ),
    _setting("route", "routes", "RouteId", "Target", "integration behind the route", "", _FAILS),
    _setting("route", "routes", "RouteId", "AuthorizationType", "authorization of the route", "", _REFUSES),
    _setting("route", "routes", "RouteId", "AuthorizerId", "authorizer of the route", "", _REFUSES),
    _setting(
        "authorizer", "authorizers", "AuthorizerId", "AuthorizerUri", "authorizer function", "", _REFUSES
    ),
    _setting(
        "authorizer",
        "authorizers",
        "AuthorizerId",
        "AuthorizerResultTtlInSeconds",
        "authorizer cache time",
        "seconds",
        _REFUSES,
        True,
    ),
)


def _set_live(event: ChangeEvent) -> str:
    """The deployment that an event put behind a stage, or ""."""
    source = event.response if event.operation == "CreateDeployment" else event.request
    return text(source, "deploymentId")


def _undo_deployment(event: ChangeEvent, earlier: tuple[ChangeEvent, ...]) -> tuple[Call, ...]:
    """The deployment that was behind the stage before; no call when no earlier event tells it."""
    stage = _STAGE(event)[:1]
    if not _set_live(event) or not stage or "/stages/" not in stage[0]:
        return ()
    for before in earlier:
        if before.id != event.id and _STAGE(before)[:1] == stage and (was := _set_live(before)):
            _, _, api, _, name = arns.parse(stage[0]).resource.split("/", 4)
            return (call("apigatewayv2", "UpdateStage", event, ApiId=api, StageName=name, DeploymentId=was),)
    return ()


# -- changes ---------------------------------------------------------------------------------------

_URI = "arn:aws:lambda:eu-west-1:111122223333:function:order-writer"
_STAGE_REQUEST: Json = {
    "apiId": "a1b2c3d4e5",
    "stageName": "prod",
    "deploymentId": "d9k2m1",
    "defaultRouteSettings": {"throttlingRateLimit": 1, "throttlingBurstLimit": 1},
}
_PART_REQUESTS: Mapping[str, Json] = {
    "Integration": {"integrationId": "i7x2p9q", "integrationUri": _URI, "timeoutInMillis": 3000},
    "Route": {
        "routeId": "r4t8w1z",
        "target": "integrations/i7x2p9q",
        "authorizationType": "JWT",
        "authorizerId": "u5v6w7",
    },
    "Authorizer": {
        "authorizerId": "u5v6w7",
        "authorizerUri": f"arn:aws:apigateway:eu-west-1:lambda:path/2015-03-31/functions/{_URI}/invocations",
        "authorizerResultTtlInSeconds": 300,
    },
}


def _example(operation: str, request: Json) -> Json:
    return record(_SOURCE, operation, {"apiId": "a1b2c3d4e5", **request}, {**request})


def _made_example(noun: str, required: Json) -> Json:
    """Making a part: only the answer names it."""
    answer = {**required, **_PART_REQUESTS[noun]}
    id = f"{noun.lower()}Id"
    request = {key: value for key, value in answer.items() if key != id}
    return record(_SOURCE, f"Create{noun}", {"apiId": "a1b2c3d4e5", **request}, answer)


_NEW_API: Json = {"name": "orders-api", "protocolType": "HTTP"}


def _change(
    operation: str,
    touches: Any,
    breaks: str,
    request: Json,
    effects: tuple[Effect, ...] = (),
    undo: Any = None,
    answer: Json | None = None,
) -> Change:
    """`answer`: where it tells more than the request."""
    return Change(
        operation=operation,
        touches=touches,
        breaks=breaks,
        example=record(_SOURCE, operation, {"apiId": "a1b2c3d4e5", **request}, answer or {**request}),
        effects=effects,
        undo=undo,
    )


CHANGES = (
    _change(
        "UpdateStage",
        _STAGE,
        "Requests are refused (429), or another deployment answers.",
        _STAGE_REQUEST,
        undo=_undo_deployment,
    ),
    _change(
        "UpdateIntegration",
        _INTEGRATION,
        "Requests go elsewhere, or are cut off earlier.",
        _PART_REQUESTS["Integration"],
    ),
    _change(
        "UpdateRoute", _ROUTE, "Requests go elsewhere or meet another authorizer.", _PART_REQUESTS["Route"]
    ),
    _change("UpdateAuthorizer", _AUTHORIZER, "Callers are refused (401, 403).", _PART_REQUESTS["Authorizer"]),
    _change(
        "DeleteIntegration",
        _INTEGRATION,
        "Routes have no target any more.",
        {"integrationId": "i7x2p9q"},
        _FAILS,
    ),
    _change("DeleteRoute", _ROUTE, "Requests of the route get 404.", {"routeId": "r4t8w1z"}, _REFUSES),
    _change(
        "DeleteAuthorizer",
        _AUTHORIZER,
        "Routes that name it refuse callers.",
        {"authorizerId": "u5v6w7"},
        _FAILS,
    ),
    _change(
        "DeleteStage",
        _STAGE,
        "Every request of the stage fails.",
        {"stageName": "prod"},
        (
            Effect(metric="Count", direction="silent", after=(0, 300)),
            Effect(metric="role:demand", direction="silent", on="downstream", after=(0, 600)),
        ),
    ),
    _change(
        "DeleteApi",
        _WHOLE,
        "Every request to the API fails.",
        {},
        (
            Effect(metric="Count", direction="silent", after=(0, 300)),
            Effect(metric="role:demand", direction="silent", on="downstream", after=(0, 600)),
        ),
    ),
    _change(
        "CreateDeployment",
        _STAGE,
        "Edits made earlier to routes and integrations go live.",
        {"stageName": "prod"},
        (*_FAILS, *_REFUSES[:1]),
        _undo_deployment,
        {"deploymentId": "d9k2m1", "deploymentStatus": "DEPLOYED", "autoDeployed": False},
    ),
    inert("CreateStage", _STAGE, _example("CreateStage", _STAGE_REQUEST)),
    inert("CreateApi", _WHOLE, record(_SOURCE, "CreateApi", _NEW_API, {**_NEW_API, "apiId": "a1b2c3d4e5"})),
    inert("CreateIntegration", _INTEGRATION, _made_example("Integration", {"integrationType": "AWS_PROXY"})),
    inert("CreateRoute", _ROUTE, _made_example("Route", {"routeKey": "GET /orders"})),
    inert(
        "CreateAuthorizer",
        _AUTHORIZER,
        _made_example(
            "Authorizer",
            {
                "name": "shop-callers",
                "authorizerType": "REQUEST",
                "authorizerPayloadFormatVersion": "2.0",
                "identitySource": ["$request.header.Authorization"],
            },
        ),
    ),
)


def _metric(name: str, stat: str, role: Any, bad: Any, unit: str) -> MetricSpec:
    return MetricSpec(type="api", name=name, stat=stat, role=role, bad=bad, missing="idle", unit=unit)


def outline(resource: Resource, directory: Directory) -> Iterable[Relation]:
    """An API's routes and stages; the VPC link that its integrations go through."""
    if resource.type != "api":
        return
    for member, word, id, said_by in (
        ("Routes", "routes", "RouteId", "apigatewayv2:GetRoutes RouteId"),
        ("Stages", "stages", "StageName", "apigatewayv2:GetStages StageName"),
    ):
        for item in resource.config.get(member) or []:
            if found := text(item, id):
                yield _relation(resource, f"{resource.arn}/{word}/{found}", "consists of", said_by)
    for item in resource.config.get("Integrations") or []:
        if text(item, "ConnectionType") == "VPC_LINK" and (link := text(item, "ConnectionId")):
            target = f"{resource.arn.partition('::')[0]}::/vpclinks/{link}"
            yield _relation(resource, target, "uses", "apigatewayv2:GetIntegrations ConnectionId")


def parts(resource: Resource) -> Iterable[Resource]:
    """An API's routes under their keys: "POST /orders"."""
    for item in resource.config.get("Routes") or []:
        if id := text(item, "RouteId"):
            arn, name = f"{resource.arn}/routes/{id}", text(item, "RouteKey")
            yield replace(resource, arn=arn, type="route", name=name, config={}, tags={})
    for item in resource.config.get("Integrations") or []:
        if text(item, "ConnectionType") == "VPC_LINK" and (link := text(item, "ConnectionId")):
            arn = f"{resource.arn.partition('::')[0]}::/vpclinks/{link}"
            yield replace(resource, arn=arn, type="vpc-link", name=link, config={}, tags={})


SERVICE = Service(
    name="apigatewayv2",
    title="API Gateway (HTTP and WebSocket)",
    client="apigatewayv2",
    event_sources=(_SOURCE,),
    reads=tuple(
        Read(operation=operation, action="apigateway:GET", shows=shows)
        for operation, shows in (
            ("GetApis", "which HTTP APIs exist"),
            ("GetApi", "an API's settings"),
            ("GetIntegrations", "what an API calls"),
            ("GetIntegration", "what a route calls"),
            ("GetRoutes", "the routes of an API"),
            ("GetRoute", "where a route leads"),
            ("GetStages", "stages with their limits and access logs"),
            ("GetStage", "a stage's limits and deployment"),
            ("GetAuthorizers", "who decides on callers"),
            ("GetAuthorizer", "who decides on callers of a route"),
        )
    ),
    types={
        "api": "container",
        "stage": "component",
        "route": "component",
        "integration": "component",
        "authorizer": "component",
    },
    arns={
        "api": r"apigateway:/apis/[^/]+",
        "stage": r"apigateway:/apis/[^/]+/stages/[^/]+",
        "route": r"apigateway:/apis/[^/]+/routes/[^/]+",
        "integration": r"apigateway:/apis/[^/]+/integrations/[^/]+",
        "authorizer": r"apigateway:/apis/[^/]+/authorizers/[^/]+",
    },
    discover=discover,
    describe=describe,
    relations=relations,
    outline=Outline(relations=outline, parts=parts),
    namespace="AWS/ApiGateway",
    dimensions=lambda resource: (
        (("ApiId", resource.config.get("ApiId", "")),) if resource.type == "api" else ()
    ),
    owner=owner,
    metrics=(
        _metric("Count", "Sum", "demand", "down", "requests"),
        _metric("5xx", "Sum", "errors", "up", "server errors"),
        _metric("4xx", "Sum", "errors", "up", "client errors"),
        _metric("Latency", "p99", "latency", "up", "ms"),
        _metric("IntegrationLatency", "p99", "latency", "up", "ms"),
    ),
    settings=SETTINGS,
    changes=CHANGES,
    signatures=(
        Signature(
            match=r"Invalid permissions on Lambda function|integrationErrorMessage.*not have permission",
            code="API_CONFIGURATION_ERROR",
            reason="",
            points_to="IntegrationUri",
            says="the API may not invoke its function",
        ),
    ),
    log_groups=log_groups,
)
