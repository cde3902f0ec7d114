"""API Gateway: HTTP APIs (apigatewayv2) and REST APIs (apigateway)."""

from __future__ import annotations

from typing import Any

from evals.world.asking import Ask, Refusal, handles
from evals.world.domains import domain
from evals.world.world import Thing
from tools.models import Json


def _api(ask: Ask, kind: str, key: str) -> Thing:
    name = str(ask.need(key))
    found = next((api for api in ask.world.of(kind, ask.region) if api.fixed["id"] == name), None)
    if found is None:
        raise Refusal(
            "NotFoundException", f"Invalid API identifier specified {ask.world.account}:{name}", 404
        )
    return found


def _paged(ask: Ask, items: list[Any]) -> Json:
    size, token = int(ask.take("MaxResults", "100")), ask.take("NextToken")
    page, following = ask.page(items, size, token)
    answer: Json = {"Items": page}
    if following:
        answer["NextToken"] = following
    return answer


def _http(ask: Ask, api: Thing) -> Json:
    return {
        "ApiEndpoint": f"https://{api.fixed['id']}.execute-api.{api.region}.{domain(api.region)}",
        "ApiId": api.fixed["id"],
        "ApiKeySelectionExpression": "$request.header.x-api-key",
        "CreatedDate": api.created,
        "DisableExecuteApiEndpoint": False,
        "Name": api.name,
        "ProtocolType": "HTTP",
        "RouteSelectionExpression": "$request.method $request.path",
        "Tags": api.tags(ask.as_of),
    }


@handles("apigatewayv2", "GetApis")
def get_apis(ask: Ask) -> Json:
    return _paged(ask, [_http(ask, api) for api in ask.world.of("http-api", ask.region)])


@handles("apigatewayv2", "GetApi")
def get_api(ask: Ask) -> Json:
    return _http(ask, _api(ask, "http-api", "ApiId"))


@handles("apigatewayv2", "GetAuthorizers")
def get_authorizers(ask: Ask) -> Json:
    _api(ask, "http-api", "ApiId")
    return _paged(ask, [])


@handles("apigatewayv2", "GetIntegrations")
def get_integrations(ask: Ask) -> Json:
    api = _api(ask, "http-api", "ApiId")
    found = {
        "ConnectionType": "INTERNET",
        "IntegrationId": api.fixed["integration"],
        "IntegrationMethod": "POST",
        "IntegrationType": "AWS_PROXY",
        "IntegrationUri": api.fixed["function"],
        "PayloadFormatVersion": "2.0",
        "TimeoutInMillis": 30_000,
    }
    return _paged(ask, [found])


@handles("apigatewayv2", "GetRoutes")
def get_routes(ask: Ask) -> Json:
    api = _api(ask, "http-api", "ApiId")
    found = {
        "ApiKeyRequired": False,
        "AuthorizationType": "NONE",
        "RouteId": api.fixed["route_id"],
        "RouteKey": api.fixed["route"],
        "Target": f"integrations/{api.fixed['integration']}",
    }
    return _paged(ask, [found])


@handles("apigatewayv2", "GetStages")
def get_stages(ask: Ask) -> Json:
    return _paged(ask, [_http_stage(ask, _api(ask, "http-api", "ApiId"))])


@handles("apigatewayv2", "GetStage")
def get_stage(ask: Ask) -> Json:
    api = _api(ask, "http-api", "ApiId")
    _named(ask, api, "StageName")
    return _http_stage(ask, api)


def _named(ask: Ask, api: Thing, parameter: str) -> None:
    """Refuse a stage that the API does not have."""
    name = str(ask.take(parameter))
    if name != api.fixed["stage"]:
        raise Refusal("NotFoundException", f"Invalid stage identifier specified {name}", 404)


def _http_stage(ask: Ask, api: Thing) -> Json:
    return {
        "AutoDeploy": True,
        "CreatedDate": api.created,
        "DefaultRouteSettings": {
            "DetailedMetricsEnabled": False,
            **_limits(ask, api, "DefaultRouteSettings"),
        },
        "DeploymentId": api.fixed["deployment"],
        "LastUpdatedDate": api.created,
        "RouteSettings": {},
        "StageName": api.fixed["stage"],
        "StageVariables": {},
        "Tags": api.tags(ask.as_of),
    }


def _rest(ask: Ask, api: Thing) -> Json:
    return {
        "id": api.fixed["id"],
        "name": api.name,
        "createdDate": api.created,
        "apiKeySource": "HEADER",
        "endpointConfiguration": {"types": ["REGIONAL"]},
        "tags": api.tags(ask.as_of),
        "disableExecuteApiEndpoint": False,
        "rootResourceId": api.fixed["root"],
    }


@handles("apigateway", "GetRestApi")
def get_rest_api(ask: Ask) -> Json:
    return _rest(ask, _api(ask, "rest-api", "restApiId"))


@handles("apigateway", "GetAuthorizers")
def get_rest_authorizers(ask: Ask) -> Json:
    _api(ask, "rest-api", "restApiId")
    ask.take("limit")
    return {"items": []}


@handles("apigateway", "GetRestApis")
def get_rest_apis(ask: Ask) -> Json:
    size, token = int(ask.take("limit", 25)), ask.take("position")
    found = [_rest(ask, api) for api in ask.world.of("rest-api", ask.region)]
    page, following = ask.page(found, size, token)
    return {"items": page} | ({"position": following} if following else {})


@handles("apigateway", "GetResources")
def get_resources(ask: Ask) -> Json:
    api = _api(ask, "rest-api", "restApiId")
    embed = ask.take("embed", [])
    ask.only("embed", ["methods"])
    ask.take("limit")
    ask.take("position")
    method, path = api.fixed["route"].split(" ")
    uri = (
        f"arn:{ask.world.partition}:apigateway:{api.region}:lambda:path/2015-03-31/functions/"
        f"{api.fixed['function']}/invocations"
    )
    held: Json = {}
    if "methods" in embed:
        held = {
            "httpMethod": method,
            "authorizationType": "NONE",
            "apiKeyRequired": False,
            "methodIntegration": {
                "type": "AWS_PROXY",
                "httpMethod": "POST",
                "uri": uri,
                "passthroughBehavior": "WHEN_NO_MATCH",
                "timeoutInMillis": 29_000,
            },
        }
    root = {"id": api.fixed["root"], "path": "/"}
    leaf = {
        "id": api.fixed["route_id"],
        "parentId": api.fixed["root"],
        "pathPart": path.strip("/"),
        "path": path,
        "resourceMethods": {method: held},
    }
    return {"items": [root, leaf]}


def _limits(ask: Ask, api: Thing, prefix: str) -> Json:
    """Throttling limits of the API's stage below a path."""
    return ask.world.things[api.fixed["stage_arn"]].settings.under(prefix, ask.as_of)


def _methods(ask: Ask, api: Thing) -> Json:
    limits = _limits(ask, api, 'methodSettings."*/*"')
    return {"*/*": limits} if limits else {}


@handles("apigateway", "GetStages")
def get_rest_stages(ask: Ask) -> Json:
    api = _api(ask, "rest-api", "restApiId")
    ask.take("deploymentId")
    return {"item": [_rest_stage(ask, api)]}


@handles("apigateway", "GetStage")
def get_rest_stage(ask: Ask) -> Json:
    api = _api(ask, "rest-api", "restApiId")
    _named(ask, api, "stageName")
    return _rest_stage(ask, api)


def _rest_stage(ask: Ask, api: Thing) -> Json:
    return {
        "deploymentId": api.fixed["deployment"],
        "stageName": api.fixed["stage"],
        "cacheClusterEnabled": False,
        "cacheClusterStatus": "NOT_AVAILABLE",
        "methodSettings": _methods(ask, api),
        "tracingEnabled": False,
        "createdDate": api.created,
        "lastUpdatedDate": api.created,
        "tags": api.tags(ask.as_of),
    }
