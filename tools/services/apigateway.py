"""API Gateway v1: REST APIs, their stages, methods, integrations and authorizers."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

from tools import arn as arns
from tools.errors import NotThere
from tools.kit import call, optional, record, text
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
_MOST_APIS = 40  # APIs whose methods are read while discovering: one call each


def _api(event: ChangeEvent) -> str:
    id = text(event.request, "restApiId") or text(event.response, "restApiId") or text(event.response, "id")
    return f"arn:{arns.partition_of(event.region)}:apigateway:{event.region}::/restapis/{id}"


def _is_rest(event: ChangeEvent) -> bool:
    """False for an HTTP API's event (v2), which has apiId and shares operation names."""
    return bool(text(event.request, "restApiId")) or event.operation == "CreateRestApi"


def _touches(kind: str, member: str, event: ChangeEvent) -> tuple[str, ...]:
    if not _is_rest(event):
        return ()
    name = text(event.request, member) or text(event.response, "id")
    return (f"{_api(event)}/{kind}/{name}", _api(event)) if kind and name else (_api(event),)


def _touches_stage(event: ChangeEvent) -> tuple[str, ...]:
    stage = text(event.request, "stageName") or _stage_of(event)
    if not _is_rest(event):
        return ()
    return (f"{_api(event)}/stages/{stage}", _api(event)) if stage else (_api(event),)


def _stage_of(event: ChangeEvent) -> str:
    """The stage that a CreateDeployment sets live, or ""."""
    return text(event.request, "createDeploymentInput", "stageName") or text(event.request, "stageName")


def _touches_integration(event: ChangeEvent) -> tuple[str, ...]:
    if not _is_rest(event):
        return ()
    resource, method = text(event.request, "resourceId"), text(event.request, "httpMethod")
    return (f"{_api(event)}/resources/{resource}/methods/{method}/integration", _api(event))


def _touches_plan(event: ChangeEvent) -> tuple[str, ...]:
    """The stages that a usage plan is for, each with its API: the answer alone names them."""
    found: list[str] = []
    for one in event.response.get("apiStages") or []:
        api = _arn(event.region, text(one, "apiId"))
        found += [f"{api}/stages/{text(one, 'stage')}", api]
    return tuple(dict.fromkeys(found))


_AUTHORIZER = partial(_touches, "authorizers", "authorizerId")
_WHOLE = partial(_touches, "", "")


# -- reading ----------------------------------------------------------------------------------------


def discover(reader: Reader, region: str) -> Iterable[Resource]:
    """All REST APIs, each with its methods: they say what an API calls."""
    apis = reader.pages(
        "apigateway", "GetRestApis", "items", region=region, token=("position", "position"), limit=5
    )
    for number, api in enumerate(apis.items):
        config: Json = {**_plain(api), "Id": api["id"]}
        evidence = apis.evidence
        if number < _MOST_APIS:
            with reader.seeing(f"Methods of API {api.get('name')}", "what the API calls"):
                methods, more = _methods(reader, region, api["id"])
                config["Methods"] = methods
                evidence = (*evidence, *more)
                if any("${stageVariables" in method["uri"] for method in methods):
                    config["Stages"] = _stages(reader, region, api["id"])
        yield _resource(reader, _arn(region, api["id"]), "api", api.get("name", ""), config, evidence)
    if len(apis.items) > _MOST_APIS:
        reader.missing(
            "Methods of some APIs",
            f"There are {len(apis.items)} APIs; methods of the first {_MOST_APIS} were read.",
            "what the other APIs call",
            code="BudgetSpent",
        )


def _arn(region: str, id: str) -> str:
    return f"arn:{arns.partition_of(region)}:apigateway:{region}::/restapis/{id}"


def _methods(reader: Reader, region: str, id: str) -> tuple[list[Json], tuple[str, ...]]:
    pages = reader.pages(
        "apigateway",
        "GetResources",
        "items",
        region=region,
        token=("position", "position"),
        restApiId=id,
        embed=["methods"],
    )
    found: list[Json] = []
    for resource in pages.items:
        for verb, method in sorted((resource.get("resourceMethods") or {}).items()):
            calls = method.get("methodIntegration") or {}
            found.append(
                {
                    "path": resource.get("path", ""),
                    "resourceId": resource.get("id", ""),
                    "httpMethod": verb,
                    "uri": calls.get("uri", ""),
                    "type": calls.get("type", ""),
                    "authorizerId": method.get("authorizerId", ""),
                }
            )
    return found, pages.evidence


def _stages(reader: Reader, region: str, id: str) -> list[Json]:
    answer = reader.ask("apigateway", "GetStages", region=region, restApiId=id)
    return [_plain(item) for item in answer.data.get("item") or []]


def _resource(
    reader: Reader, arn: str, type: str, name: str, config: Json, evidence: Iterable[str]
) -> Resource:
    return Resource(
        arn=arn,
        service="apigateway",
        type=type,
        name=name,
        account=reader.aws.account,
        region=arns.parse(arn).region,
        config=config,
        tags=dict(config.get("tags") or {}),
        evidence=tuple(id for id in evidence if id),
    )


def _plain(config: Mapping[str, Any]) -> Json:
    return {key: value.isoformat() if hasattr(value, "isoformat") else value for key, value in config.items()}


def describe(reader: Reader, arn: str) -> Resource | None:
    """A REST API with methods, stages and authorizers; or one of its parts by its own ARN."""
    parts = arns.parse(arn)
    _, _, id, *rest = parts.resource.split("/")
    try:
        if rest:
            return _describe_part(reader, arn, id, rest)
        answer = reader.ask("apigateway", "GetRestApi", region=parts.region, restApiId=id)
    except NotThere:
        return None
    config: Json = {**_plain(answer.data), "Id": id}
    evidence = [answer.evidence]
    with reader.seeing(f"Methods of API {config.get('name')}", "what the API calls"):
        config["Methods"], more = _methods(reader, parts.region, id)
        evidence.extend(more)
    for operation, key, field in (
        ("GetStages", "item", "Stages"),
        ("GetAuthorizers", "items", "Authorizers"),
    ):
        got = optional(reader, "apigateway", operation, field, region=parts.region, restApiId=id)
        if got is not None:
            config[field] = [_plain(item) for item in got.data.get(key) or []]
            evidence.append(got.evidence)
    return _resource(reader, arn, "api", config.get("name", ""), config, evidence)


def _describe_part(reader: Reader, arn: str, id: str, rest: list[str]) -> Resource | None:
    at: dict[str, Any] = {"region": arns.parse(arn).region, "restApiId": id}
    if rest[0] == "stages":
        type, operation, more = "stage", "GetStage", {"stageName": rest[1]}
    elif rest[0] == "authorizers":
        type, operation, more = "authorizer", "GetAuthorizer", {"authorizerId": rest[1]}
    elif rest[-1] == "integration" and len(rest) == 5:
        type, operation = "integration", "GetIntegration"
        more = {"resourceId": rest[1], "httpMethod": rest[3]}
    else:
        return None
    answer = reader.ask("apigateway", operation, **at, **more)
    return _resource(reader, arn, type, rest[1], {**_plain(answer.data), "Id": id}, [answer.evidence])


# -- relations --------------------------------------------------------------------------------------


def relations(resource: Resource, directory: Directory) -> Iterable[Relation]:
    """What the API's methods and authorizers call, and where its stages write access logs."""
    if resource.type != "api":
        return
    variables = [stage.get("variables") or {} for stage in resource.config.get("Stages") or []]
    for method in resource.config.get("Methods") or []:
        for target in _targets(text(method, "uri"), variables, directory):
            yield _relation(resource, target, "invokes", "apigateway:GetResources methodIntegration.uri")
    for item in resource.config.get("Authorizers") or []:
        for target in _targets(text(item, "authorizerUri"), variables, directory):
            yield _relation(resource, target, "asks", "apigateway:GetAuthorizers authorizerUri")
    for stage in resource.config.get("Stages") or []:
        if group := text(stage, "accessLogSettings", "destinationArn").removesuffix(":*"):
            yield _relation(resource, group, "logs to", "apigateway:GetStages accessLogSettings")


def _targets(uri: str, variables: list[Mapping[str, str]], directory: Directory) -> list[str]:
    """Functions and hosts in a URI, with ${stageVariables.x} filled in from each stage."""
    texts = [
        re.sub(r"\$\{stageVariables\.(\w+)\}", lambda found, known=known: known.get(found.group(1), ""), uri)  # type: ignore[misc]
        for known in (variables if "${" in uri else [{}])
    ]
    found: list[str] = []
    for filled in texts:
        if function := _FUNCTION.search(filled):
            found.append(function.group(1))
        else:
            found.extend(one.arn for one in directory.mentioned(filled))
    return list(dict.fromkeys(found))


def _relation(resource: Resource, target: str, kind: str, said_by: str) -> Relation:
    return Relation(
        source=resource.arn, target=target, kind=kind, provenance=said_by, evidence=resource.evidence
    )


def log_groups(resource: Resource) -> tuple[str, ...]:
    """Access logs of its stages, then the execution logs that API Gateway writes by rule."""
    stages = resource.config.get("Stages") or []
    access = [
        text(stage, "accessLogSettings", "destinationArn").partition(":log-group:")[2].removesuffix(":*")
        for stage in stages
    ]
    id = text(resource.config, "Id")
    execution = [
        f"API-Gateway-Execution-Logs_{id}/{text(stage, 'stageName')}"
        for stage in stages
        if any(
            settings.get("loggingLevel") in ("INFO", "ERROR")
            for settings in (stage.get("methodSettings") or {}).values()
        )
    ]
    return tuple(dict.fromkeys(group for group in (*access, *execution) if group))


# -- settings ---------------------------------------------------------------------------------------


def _patched(operation: str, path: str) -> str:
    """Where CloudTrail shows one patch operation: the body is nested in "<operation>Input"."""
    nested = f"{operation[0].lower()}{operation[1:]}Input.patchOperations"
    return f"({nested} || patchOperations || `[]`)[?path=='{path}'].value | [0]"


def _patch(path: str, value: Value) -> list[Json]:
    return [{"op": "replace", "path": path, "value": str(value)}]


def _stage_ids(resource: Resource) -> dict[str, str]:
    _, _, api, _, stage = arns.parse(resource.arn).resource.split("/", 4)
    return {"restApiId": api, "stageName": stage}


def _read_stage(resource: Resource) -> Call:
    return call("apigateway", "GetStage", resource, **_stage_ids(resource))


def _restore_stage(path: str, resource: Resource, value: Value) -> tuple[Call, ...]:
    # -1 is how API Gateway spells "no limit of the stage's own".
    sent = -1 if value is None else value
    return (
        call(
            "apigateway", "UpdateStage", resource, **_stage_ids(resource), patchOperations=_patch(path, sent)
        ),
    )


def _throttle(member: str, path: str, name: str, unit: str) -> Setting:
    return Setting(
        type="stage",
        name=name,
        path=f'methodSettings."*/*".{member}',
        unit=unit,
        requests={"UpdateStage": _patched("UpdateStage", path)},
        restore=partial(_restore_stage, path),
        read=_read_stage,
        query=f'methodSettings."*/*".{member}',
        unset=-1,
        echo="new",
        echo_path=f'methodSettings."*/*".{member}',
        # A burst is how much is held for at once: it caps no sum.
        limits="Count" if member.lower() == "throttlingratelimit" else "",
        effects=(
            Effect(metric="4XXError", direction="up", after=(0, 300), when="lowered"),
            Effect(metric="role:demand", direction="down", on="downstream", after=(0, 300), when="lowered"),
        ),
    )


def _integration_ids(resource: Resource) -> dict[str, str]:
    _, _, api, _, id, _, method, _ = arns.parse(resource.arn).resource.split("/")
    return {"restApiId": api, "resourceId": id, "httpMethod": method}


def _restore_integration(member: str, resource: Resource, value: Value) -> tuple[Call, ...]:
    if value is None:
        return ()
    patch = _patch(f"/{member}", value)
    return (
        call(
            "apigateway", "UpdateIntegration", resource, **_integration_ids(resource), patchOperations=patch
        ),
    )


def _authorizer_ids(resource: Resource) -> dict[str, str]:
    _, _, api, _, id = arns.parse(resource.arn).resource.split("/")
    return {"restApiId": api, "authorizerId": id}


def _restore_authorizer(path: str, resource: Resource, value: Value) -> tuple[Call, ...]:
    if value is None:
        return ()
    patch = _patch(path, value)
    return (
        call("apigateway", "UpdateAuthorizer", resource, **_authorizer_ids(resource), patchOperations=patch),
    )


_FAILS = (
    Effect(metric="5XXError", direction="up", after=(0, 600)),
    Effect(metric="role:demand", direction="down", on="downstream", after=(0, 600)),
)
_REFUSES = (
    Effect(metric="4XXError", direction="up", after=(0, 600)),
    Effect(metric="role:demand", direction="down", on="downstream", after=(0, 600)),
)

SETTINGS = (
    _throttle("throttlingRateLimit", "/*/*/throttling/rateLimit", "stage rate limit", "requests per second"),
    _throttle("throttlingBurstLimit", "/*/*/throttling/burstLimit", "stage burst limit", "requests"),
    *(
        Setting(
            type="integration",
            name=name,
            path=member,
            unit=unit,
            requests={
                "UpdateIntegration": _patched("UpdateIntegration", f"/{member}"),
                "PutIntegration": f"putIntegrationInput.{member} || {member}",
            },
            restore=partial(_restore_integration, member),
            read=lambda resource: call(
                "apigateway", "GetIntegration", resource, **_integration_ids(resource)
            ),
            query=member,
            echo="new",
            echo_path=member,
            # Nothing of this is live before the next deployment, which may come much later.
            effects=(effect,),
        )
        for member, name, unit, effect in (
            (
                "uri",
                "integration target",
                "",
                Effect(metric="5XXError", direction="up", after=(0, 86400)),
            ),
            (
                "timeoutInMillis",
                "integration timeout",
                "ms",
                Effect(metric="5XXError", direction="up", after=(0, 86400), when="lowered"),
            ),
        )
    ),
    *(
        Setting(
            type="authorizer",
            name=name,
            path=member,
            unit=unit,
            requests={"UpdateAuthorizer": _patched("UpdateAuthorizer", f"/{member}")},
            restore=partial(_restore_authorizer, f"/{member}"),
            read=lambda resource: call("apigateway", "GetAuthorizer", resource, **_authorizer_ids(resource)),
            query=member,
            echo="new",
            echo_path=member,
            effects=(
                Effect(metric="4XXError", direction="up", after=(0, 86400)),
                Effect(metric="5XXError", direction="up", after=(0, 86400)),
            ),
        )
        for member, name, unit in (
            ("authorizerUri", "authorizer function", ""),
            ("identitySource", "where the authorizer finds the token", ""),
            ("authorizerResultTtlInSeconds", "authorizer cache time", "seconds"),
        )
    ),
)


# -- changes ----------------------------------------------------------------------------------------


def _set_live(event: ChangeEvent) -> str:
    """The deployment that an event put behind a stage, or ""."""
    if event.operation == "CreateDeployment":
        return text(event.response, "id")
    patches = (event.request.get("updateStageInput") or event.request).get("patchOperations") or []
    found = [text(item, "value") for item in patches if text(item, "path") == "/deploymentId"]
    if event.operation == "CreateStage":
        return text(event.request, "createStageInput", "deploymentId") or text(event.request, "deploymentId")
    return found[0] if found else ""


def _undo_deployment(event: ChangeEvent, earlier: tuple[ChangeEvent, ...]) -> tuple[Call, ...]:
    """The deployment that was behind the stage before; no call when no earlier event tells it."""
    stage = _touches_stage(event)[:1]
    if not _set_live(event) or not stage or "/stages/" not in stage[0]:
        return ()
    for before in earlier:
        if before.id != event.id and _touches_stage(before)[:1] == stage and (was := _set_live(before)):
            _, _, api, _, name = arns.parse(stage[0]).resource.split("/", 4)
            patch = _patch("/deploymentId", was)
            return (
                call(
                    "apigateway", "UpdateStage", event, restApiId=api, stageName=name, patchOperations=patch
                ),
            )
    return ()


_REST: Json = {"restApiId": "a1b2c3d4e5"}
_METHOD: Json = {**_REST, "resourceId": "x9y8z7", "httpMethod": "POST"}
_URI = (
    "arn:aws:apigateway:eu-west-1:lambda:path/2015-03-31/functions/"
    "arn:aws:lambda:eu-west-1:111122223333:function:order-writer/invocations"
)


def _patches(operation: str, **values: str) -> Json:
    """The nested body of an update, as CloudTrail records it."""
    paths = {"rate": "/*/*/throttling/rateLimit", "burst": "/*/*/throttling/burstLimit"}
    items = [
        {"op": "replace", "path": paths.get(name, f"/{name}"), "value": value}
        for name, value in values.items()
    ]
    return {f"{operation[0].lower()}{operation[1:]}Input": {"patchOperations": items}, "template": False}


def _change(
    operation: str,
    touches: Any,
    breaks: str,
    request: Json,
    response: Json | None,
    effects: tuple[Effect, ...],
    undo: Any = None,
) -> Change:
    example = record(_SOURCE, operation, request, response)
    return Change(
        operation=operation, touches=touches, breaks=breaks, example=example, effects=effects, undo=undo
    )


CHANGES = (
    _change(
        "UpdateStage",
        _touches_stage,
        "Requests are refused (429), or another deployment or backend answers.",
        {**_REST, "stageName": "prod", **_patches("UpdateStage", rate="1", burst="1")},
        {
            "stageName": "prod",
            "methodSettings": {"*/*": {"throttlingRateLimit": 1, "throttlingBurstLimit": 1}},
        },
        _FAILS[:1],
        _undo_deployment,
    ),
    _change(
        "CreateDeployment",
        _touches_stage,
        "Edits made earlier to methods and integrations go live.",
        {**_REST, "createDeploymentInput": {"stageName": "prod"}, "template": False},
        {"id": "d9k2m1", "createdDate": "Mar 13, 2026 5:12:31 PM"},
        (*_FAILS, *_REFUSES[:1]),
        _undo_deployment,
    ),
    _change(
        "UpdateIntegration",
        _touches_integration,
        "After the next deployment requests go elsewhere.",
        {**_METHOD, **_patches("UpdateIntegration", uri=_URI, timeoutInMillis="3000")},
        {"uri": _URI},
        (),
    ),
    _change(
        "PutIntegration",
        _touches_integration,
        "After the next deployment requests go elsewhere.",
        {
            **_METHOD,
            "putIntegrationInput": {"type": "AWS_PROXY", "httpMethod": "POST", "uri": _URI},
            "template": False,
        },
        {"uri": _URI},
        (),
    ),
    _change(
        "UpdateAuthorizer",
        _AUTHORIZER,
        "After the next deployment callers are refused.",
        {
            **_REST,
            "authorizerId": "u5v6w7",
            **_patches(
                "UpdateAuthorizer",
                authorizerUri=_URI,
                identitySource="method.request.header.Authorization",
                authorizerResultTtlInSeconds="300",
            ),
        },
        {"authorizerUri": _URI},
        (),
    ),
    _change(
        "UpdateMethod",
        _WHOLE,
        "After the next deployment callers need other credentials, a key, or are not checked any more.",
        {**_METHOD, **_patches("UpdateMethod", authorizationType="AWS_IAM")},
        {"authorizationType": "AWS_IAM", "httpMethod": "POST"},
        (Effect(metric="4XXError", direction="up", after=(0, 86400)),),
    ),
    _change(
        "UpdateRestApi",
        _WHOLE,
        "After the next deployment the API's policy, or its endpoint, may refuse callers.",
        {**_REST, **_patches("UpdateRestApi", policy='{"Version":"2012-10-17","Statement":[]}')},
        {"id": "a1b2c3d4e5", "name": "orders"},
        (Effect(metric="4XXError", direction="up", after=(0, 86400)),),
    ),
    _change(
        "UpdateUsagePlan",
        _touches_plan,
        "Callers with a key of the plan are refused (429) above its rate or quota.",
        {"usagePlanId": "p1q2r3", **_patches("UpdateUsagePlan", **{"throttle/rateLimit": "1"})},
        {
            "id": "p1q2r3",
            "apiStages": [{"apiId": "a1b2c3d4e5", "stage": "prod"}],
            "throttle": {"rateLimit": 1, "burstLimit": 200},
        },
        (*_REFUSES,),
    ),
    _change(
        "DeleteStage",
        _touches_stage,
        "Every request of the stage fails.",
        {**_REST, "stageName": "prod", "template": False},
        None,
        (
            Effect(metric="Count", direction="silent", after=(0, 300)),
            Effect(metric="role:demand", direction="silent", on="downstream", after=(0, 600)),
        ),
    ),
    _change(
        "DeleteRestApi",
        _WHOLE,
        "Every request to the API fails.",
        {**_REST, "template": False},
        None,
        (
            Effect(metric="Count", direction="silent", after=(0, 300)),
            Effect(metric="role:demand", direction="silent", on="downstream", after=(0, 600)),
        ),
    ),
    *(
        inert(operation, touches, record(_SOURCE, operation, request, response))
        for operation, touches, request, response in (
            ("CreateRestApi", _WHOLE, {"createRestApiInput": {"name": "orders-api"}}, {"id": "a1b2c3d4e5"}),
            (
                "CreateStage",
                _touches_stage,
                {**_REST, "createStageInput": {"stageName": "prod", "deploymentId": "d1"}},
                {"stageName": "prod"},
            ),
        )
    ),
)


def _metric(name: str, stat: str, role: Any, bad: Any, unit: str) -> MetricSpec:
    return MetricSpec(type="api", name=name, stat=stat, role=role, bad=bad, missing="idle", unit=unit)


def outline(resource: Resource, directory: Directory) -> Iterable[Relation]:
    """An API's paths and stages; the queues that its methods send to; the APIs and certificate of a domain name."""
    said_by = "apigateway:GetResources"
    for method in resource.config.get("Methods") or []:
        if id := text(method, "resourceId"):
            yield _relation(resource, f"{resource.arn}/resources/{id}", "consists of", said_by)
        if queue := _QUEUE.search(text(method, "uri")):
            region, account, name = queue.groups()
            target = arns.build("sqs", region, account, name)
            yield _relation(resource, target, "invokes", f"{said_by} methodIntegration.uri")
    for stage in resource.config.get("Stages") or []:
        if name := text(stage, "stageName"):
            target = f"{resource.arn}/stages/{name}"
            yield _relation(resource, target, "consists of", "apigateway:GetStages stageName")
    said_by = "apigateway:GetDomainNames"
    for member in ("certificateArn", "regionalCertificateArn"):
        if arns.is_arn(certificate := text(resource.config, member)):
            yield _relation(resource, certificate, "uses certificate", f"{said_by} {member}")
    for mapping in resource.config.get("Mappings") or []:
        api = _arn(resource.region, text(mapping, "restApiId"))
        other = api.replace(":/restapis/", ":/apis/")  # both kinds of API share ids
        target = other if directory.by_arn(other) and not directory.by_arn(api) else api
        yield _relation(resource, target, "routes to", "apigateway:GetBasePathMappings restApiId")


_QUEUE = re.compile(r":apigateway:([\w-]+):sqs:path/(\d{12})/([\w.-]+)$")


def parts(resource: Resource) -> Iterable[Resource]:
    """An API's paths under their own names."""
    for method in resource.config.get("Methods") or []:
        if id := text(method, "resourceId"):
            arn = f"{resource.arn}/resources/{id}"
            yield replace(resource, arn=arn, type="path", name=text(method, "path"), config={}, tags={})


def domains(reader: Reader, region: str) -> Iterable[Resource]:
    """Custom domain names with what they lead to, under the host that DNS names (`DNSName`)."""
    found = reader.pages(
        "apigateway", "GetDomainNames", "items", region=region, token=("position", "position"), limit=500
    )
    for item in found.items:
        name = text(item, "domainName")
        host = text(item, "regionalDomainName") or text(item, "distributionDomainName")
        config: Json = {**_plain(item), "DNSName": host}
        mapped = optional(
            reader,
            "apigateway",
            "GetBasePathMappings",
            f"What {name} leads to",
            region=region,
            domainName=name,
        )
        config["Mappings"] = [_plain(one) for one in (mapped.data.get("items") or [])] if mapped else []
        arn = f"arn:{arns.partition_of(region)}:apigateway:{region}::/domainnames/{name}"
        evidence = (*found.evidence, *((mapped.evidence,) if mapped else ()))
        yield _resource(reader, arn, "domain-name", name, config, evidence)


SERVICE = Service(
    name="apigateway",
    title="API Gateway (REST)",
    client="apigateway",
    event_sources=(_SOURCE,),
    reads=tuple(
        Read(operation=operation, action="apigateway:GET", shows=shows)
        for operation, shows in (
            ("GetRestApis", "which REST APIs exist"),
            ("GetRestApi", "an API's settings"),
            ("GetResources", "the methods of an API and what they call"),
            ("GetStages", "stages with their limits, variables and logs"),
            ("GetStage", "a stage's limits and deployment"),
            ("GetAuthorizers", "who decides on callers"),
            ("GetAuthorizer", "who decides on callers of a method"),
            ("GetIntegration", "what a method calls"),
            ("GetDomainNames", "custom domain names"),
            ("GetBasePathMappings", "which API a domain name leads to"),
        )
    ),
    types={"api": "container", "stage": "component", "integration": "component", "authorizer": "component"},
    arns={
        "api": r"apigateway:/restapis/[^/]+",
        "stage": r"apigateway:/restapis/[^/]+/stages/[^/]+",
        "integration": r"apigateway:/restapis/[^/]+/resources/[^/]+/methods/[^/]+/integration",
        "authorizer": r"apigateway:/restapis/[^/]+/authorizers/[^/]+",
    },
    discover=discover,
    describe=describe,
    relations=relations,
    outline=Outline(relations=outline, parts=parts, discover=domains),
    namespace="AWS/ApiGateway",
    dimensions=lambda resource: (("ApiName", resource.name),) if resource.type == "api" else (),
    metrics=(
        _metric("Count", "Sum", "demand", "down", "requests"),
        _metric("5XXError", "Sum", "errors", "up", "server errors"),
        _metric("4XXError", "Sum", "errors", "up", "client errors"),
        _metric("Latency", "p99", "latency", "up", "ms"),
        _metric("IntegrationLatency", "p99", "latency", "up", "ms"),
    ),
    settings=SETTINGS,
    changes=CHANGES,
    signatures=(
        Signature(
            match=r"Execution failed due to configuration error: Invalid Function ARN or invalid uri",
            code="API_CONFIGURATION_ERROR",
            reason="",
            points_to="uri",
            says="the integration of the method points nowhere",
        ),
        Signature(
            match=r"Execution failed due to configuration error: Invalid permissions on Lambda function",
            code="API_CONFIGURATION_ERROR",
            reason="Invalid permissions on Lambda function",
            points_to="RemovePermission",
            says="the function does not let the API invoke it",
        ),
        Signature(
            match=r"Execution failed due to configuration error: Malformed Lambda proxy response",
            code="API_CONFIGURATION_ERROR",
            reason="Malformed Lambda proxy response",
            points_to="UpdateFunctionCode",
            says="the function answered in a form that the API does not understand",
        ),
    ),
    log_groups=log_groups,
)
