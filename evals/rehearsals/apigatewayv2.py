"""HTTP APIs: an API with an integration, a route, an authorizer, a deployment and a stage."""

from __future__ import annotations

from evals.rehearsals._ground import Ground, Lay


def _lay(lay: Lay) -> None:
    api = lay.do("apigatewayv2", "CreateApi", Name="rehearsal", ProtocolType="HTTP")["ApiId"]
    lay.known(lay.told("apiId"), api)
    made = lay.event.operation
    if made != "CreateIntegration":
        given = lay.do("apigatewayv2", "CreateIntegration", ApiId=api, IntegrationType="HTTP_PROXY")
        lay.known(lay.told("integrationId"), given["IntegrationId"])
    if made not in ("CreateAuthorizer",):
        given = lay.do(
            "apigatewayv2", "CreateAuthorizer", ApiId=api, AuthorizerType="REQUEST", IdentitySource=["$request"],
            Name="rehearsal", AuthorizerPayloadFormatVersion="2.0",
        )  # fmt: skip
        lay.known(lay.told("authorizerId"), given["AuthorizerId"])
    if made != "CreateRoute":
        given = lay.do("apigatewayv2", "CreateRoute", ApiId=api, RouteKey="GET /rehearsal")
        lay.known(lay.told("routeId"), given["RouteId"])
    if made != "CreateDeployment":
        given = lay.perhaps("apigatewayv2", "CreateDeployment", ApiId=api) or {}
        lay.known(lay.told("deploymentId"), given.get("DeploymentId"))
    if made == "UpdateStage":
        lay.do("apigatewayv2", "CreateStage", ApiId=api, StageName=lay.told("stageName"))


GROUNDS = (Ground(service="apigatewayv2", lay=_lay),)
