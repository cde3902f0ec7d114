"""HTTP and REST APIs, and user pools. moto's need packages that opsleuth does not: the table answers for all."""

from __future__ import annotations

from collections.abc import Sequence

from evals.estates.ground import Ground, Thing
from tools.models import Json


def _id(ground: Ground, length: int = 10) -> str:
    return "".join(ground.draw.choice("abcdefghijklmnopqrstuvwxyz0123456789") for _ in range(length))


# -- HTTP APIs (table) -----------------------------------------------------------------------------------


def http_api(ground: Ground, name: str) -> Thing:
    id_ = _id(ground)
    arn = f"arn:aws:apigateway:{ground.region}::/apis/{id_}"
    host = f"{id_}.execute-api.{ground.region}.amazonaws.com"
    shown: Json = {
        "ApiId": id_, "Name": name, "ProtocolType": "HTTP", "ApiEndpoint": f"https://{host}",
        "RouteSelectionExpression": "$request.method $request.path",
    }  # fmt: skip
    ground.table.more(ground.region, "apigatewayv2", "GetApis", {}, "Items", shown)
    ground.table.put(ground.region, "apigatewayv2", "GetApi", {"ApiId": id_}, shown)
    for operation in ("GetIntegrations", "GetRoutes", "GetStages", "GetAuthorizers", "GetDeployments"):
        ground.table.put(ground.region, "apigatewayv2", operation, {"ApiId": id_}, {"Items": []})
    return ground.add("http api", arn, name, id=id_, host=host)


def _row(ground: Ground, of: Thing, what: str, id_member: str, id_: str, shown: Json) -> None:
    """A part of an HTTP API, in its list and by its id."""
    own = {"ApiId": of["id"]}
    ground.table.more(ground.region, "apigatewayv2", f"Get{what}s", own, "Items", shown)
    ground.table.put(ground.region, "apigatewayv2", f"Get{what}", {**own, id_member: id_}, shown)


def route(ground: Ground, of: Thing, key: str, to: Thing, *, checked: str = "") -> Thing:
    """A route to a function, or to a listener through a VPC link."""
    link = to.says.get("link") if to.kind == "listener" else None
    made, done = _id(ground, 7), _id(ground, 7)
    shown: Json = {
        "IntegrationId": made, "IntegrationType": "HTTP_PROXY" if link else "AWS_PROXY", "IntegrationUri": to.arn,
        "PayloadFormatVersion": "1.0" if link else "2.0", "IntegrationMethod": "ANY" if link else "POST",
        "ConnectionType": "VPC_LINK" if link else "INTERNET", "TimeoutInMillis": 30000,
    }  # fmt: skip
    if link:
        shown["ConnectionId"] = link
    _row(ground, of, "Integration", "IntegrationId", made, shown)
    joint = ground.part("api integration", f"{of.arn}/integrations/{made}", of, sure=False)
    ground.fact(joint, "calls", to)
    leads: Json = {
        "RouteId": done, "RouteKey": key, "Target": f"integrations/{made}",
        "AuthorizationType": "JWT" if checked else "NONE", "ApiKeyRequired": False,
    }  # fmt: skip
    if checked:
        leads["AuthorizerId"] = checked
    _row(ground, of, "Route", "RouteId", done, leads)
    thing = ground.part("api route", f"{of.arn}/routes/{done}", of, key)
    ground.maybe(thing, "calls", to, joint)
    return thing


def stage(ground: Ground, of: Thing, name: str, logs: Thing | None = None) -> Thing:
    shown: Json = {
        "StageName": name,
        "AutoDeploy": True,
        "DefaultRouteSettings": {"DetailedMetricsEnabled": False},
    }
    if logs:
        shown["AccessLogSettings"] = {"DestinationArn": logs.arn, "Format": "$context.requestId"}
    _row(ground, of, "Stage", "StageName", name, shown)
    thing = ground.part("api stage", f"{of.arn}/stages/{name}", of)
    ground.fact(thing, "writes to", logs)
    return thing


def link(ground: Ground, name: str, subnets: Sequence[Thing], groups: Sequence[Thing]) -> Thing:
    id_ = _id(ground, 6)
    shown: Json = {
        "VpcLinkId": id_, "Name": name, "SubnetIds": [one["id"] for one in subnets],
        "SecurityGroupIds": [one["id"] for one in groups], "VpcLinkStatus": "AVAILABLE", "VpcLinkVersion": "V2",
    }  # fmt: skip
    ground.table.more(ground.region, "apigatewayv2", "GetVpcLinks", {}, "Items", shown)
    ground.table.put(ground.region, "apigatewayv2", "GetVpcLink", {"VpcLinkId": id_}, shown)
    thing = ground.add("vpc link", f"arn:aws:apigateway:{ground.region}::/vpclinks/{id_}", name, id=id_)
    ground.fact(thing, "sits in", *subnets)
    ground.fact(thing, "is guarded by", *groups)
    return thing


def jwt(ground: Ground, of: Thing, pool: Thing) -> str:
    """An authorizer that trusts a user pool; its id."""
    id_ = _id(ground, 6)
    issuer = f"https://cognito-idp.{ground.region}.amazonaws.com/{pool['id']}"
    shown: Json = {
        "AuthorizerId": id_, "AuthorizerType": "JWT", "Name": "users",
        "IdentitySource": ["$request.header.Authorization"],
        "JwtConfiguration": {"Issuer": issuer, "Audience": ["web"]},
    }  # fmt: skip
    _row(ground, of, "Authorizer", "AuthorizerId", id_, shown)
    ground.fact(of, "is guarded by", pool)
    return id_


# -- REST APIs (table) -------------------------------------------------------------------------------------


def rest_api(
    ground: Ground,
    name: str,
    routes: dict[str, Thing],
    *,
    pool: Thing | None = None,
    logs: Thing | None = None,
) -> Thing:
    """A REST API: each path one POST that calls a function, or sends to a queue."""
    id_, root = _id(ground), _id(ground)
    arn = f"arn:aws:apigateway:{ground.region}::/restapis/{id_}"
    thing = ground.add("rest api", arn, name, id=id_, host=f"{id_}.execute-api.{ground.region}.amazonaws.com")
    where, put, own = ground.region, ground.table.put, {"restApiId": id_}
    shown: Json = {"id": id_, "name": name, "endpointConfiguration": {"types": ["REGIONAL"]}}
    ground.table.more(where, "apigateway", "GetRestApis", {}, "items", shown)
    put(where, "apigateway", "GetRestApi", own, shown)
    rows: list[Json] = [{"id": root, "path": "/"}]
    for path, target in routes.items():
        row, joined = _method(ground, target, path, root)
        rows.append(row)
        place = ground.part("api resource", f"{arn}/resources/{row['id']}", thing, path)
        ground.fact(place, "calls", target)
        names = {**own, "resourceId": row["id"]}
        put(where, "apigateway", "GetResource", names, row)
        put(where, "apigateway", "GetMethod", {**names, "httpMethod": "POST"}, row["resourceMethods"]["POST"])
        put(where, "apigateway", "GetIntegration", {**names, "httpMethod": "POST"}, joined)
    put(where, "apigateway", "GetResources", own, {"items": rows})
    held = (
        {"id": _id(ground, 6), "name": "users", "type": "COGNITO_USER_POOLS", "providerARNs": [pool.arn]}
        if pool
        else None
    )
    put(where, "apigateway", "GetAuthorizers", own, {"items": [held] if held else []})
    ground.fact(thing, "is guarded by", pool)
    _rest_stage(ground, thing, logs)
    return thing


def _method(ground: Ground, target: Thing, path: str, root: str) -> tuple[Json, Json]:
    action = f"arn:aws:apigateway:{ground.region}"
    uri = (
        f"{action}:lambda:path/2015-03-31/functions/{target.arn}/invocations"
        if target.kind == "function"
        else f"{action}:sqs:path/{ground.account}/{target.name}"
    )
    joined: Json = {
        "type": "AWS_PROXY" if target.kind == "function" else "AWS", "httpMethod": "POST", "uri": uri,
        "timeoutInMillis": 29000,
    }  # fmt: skip
    method = {"httpMethod": "POST", "authorizationType": "NONE", "methodIntegration": joined}
    return {"id": _id(ground, 6), "parentId": root, "path": path, "resourceMethods": {"POST": method}}, joined


def _rest_stage(ground: Ground, of: Thing, logs: Thing | None) -> None:
    shown: Json = {"stageName": "prod", "deploymentId": _id(ground, 6)}
    arn = f"{of.arn}/stages/prod"
    thing = ground.part("api stage", arn, of, "prod")
    of.says["stage"] = arn
    if logs:
        shown["accessLogSettings"] = {"destinationArn": logs.arn, "format": "$context.requestId"}
        ground.fact(thing, "writes to", logs)
    own, where = {"restApiId": of["id"]}, ground.region
    ground.table.put(where, "apigateway", "GetStages", own, {"item": [shown]})
    ground.table.put(where, "apigateway", "GetStage", {**own, "stageName": "prod"}, shown)
    deployed = {"id": shown["deploymentId"]}
    ground.table.put(where, "apigateway", "GetDeployments", own, {"items": [deployed]})


def api_name(ground: Ground, host: str, certificate: Thing, to: Thing) -> Thing:
    """A custom domain of a REST API."""
    target = f"d-{_id(ground)}.execute-api.{ground.region}.amazonaws.com"
    arn = f"arn:aws:apigateway:{ground.region}::/domainnames/{host}"
    thing = ground.add("api domain", arn, host, host=target, zone="Z2FDTNDATAQYW2")
    shown: Json = {
        "domainName": host, "regionalDomainName": target, "regionalHostedZoneId": "Z2FDTNDATAQYW2",
        "regionalCertificateArn": certificate.arn, "endpointConfiguration": {"types": ["REGIONAL"]},
    }  # fmt: skip
    where, names = ground.region, {"domainName": host}
    ground.table.more(where, "apigateway", "GetDomainNames", {}, "items", shown)
    ground.table.put(where, "apigateway", "GetDomainName", names, shown)
    mapping = {"basePath": "(none)", "restApiId": to["id"], "stage": "prod"}
    ground.table.put(where, "apigateway", "GetBasePathMappings", names, {"items": [mapping]})
    ground.fact(thing, "shows", certificate)
    ground.fact(thing, "calls", to)
    return thing


# -- user pools (table) ------------------------------------------------------------------------------------


def pool(ground: Ground, name: str, triggers: dict[str, Thing] | None = None, mails: str = "") -> Thing:
    id_ = f"{ground.region}_{_id(ground, 9)}"
    thing = ground.add("user pool", ground.arn("cognito-idp", f"userpool/{id_}"), name, id=id_)
    shown: Json = {"Id": id_, "Name": name, "Arn": thing.arn}
    if triggers:
        shown["LambdaConfig"] = {key: value.arn for key, value in triggers.items()}
        ground.fact(thing, "calls", *triggers.values())
    names, where = {"UserPoolId": id_}, ground.region
    ground.table.more(where, "cognito-idp", "ListUserPools", {}, "UserPools", {"Id": id_, "Name": name})
    ground.table.put(where, "cognito-idp", "DescribeUserPool", names, {"UserPool": shown})
    client = {"ClientId": _id(ground, 26), "UserPoolId": id_, "ClientName": "web"}
    ground.inside(f"{thing.arn}/client/{client['ClientId']}", thing)
    ground.table.put(where, "cognito-idp", "ListUserPoolClients", names, {"UserPoolClients": [client]})
    ground.table.put(where, "cognito-idp", "GetUserPoolMfaConfig", names, {"MfaConfiguration": "OFF"})
    return thing
