"""REST APIs: an API with a resource, a method and a deployment."""

from __future__ import annotations

from evals.rehearsals._ground import Ground, Lay


def _lay(lay: Lay) -> None:
    api = lay.do("apigateway", "CreateRestApi", name="rehearsal")["id"]
    lay.known(lay.told("restApiId"), api)
    root = lay.do("apigateway", "GetResources", restApiId=api)["items"][0]["id"]
    part = lay.do("apigateway", "CreateResource", restApiId=api, parentId=root, pathPart="orders")["id"]
    lay.known(lay.told("resourceId"), part)
    method = lay.told("httpMethod", default="GET")
    place = {"restApiId": api, "resourceId": part, "httpMethod": method}
    lay.do("apigateway", "PutMethod", **place, authorizationType="NONE")
    lay.do("apigateway", "PutIntegration", **place, type="MOCK")
    deployed = lay.do("apigateway", "CreateDeployment", restApiId=api)["id"]
    lay.known(lay.told("deploymentId"), deployed)
    if lay.event.operation == "UpdateUsagePlan":
        stage = str(lay.told("stage", default="prod"))
        lay.do("apigateway", "CreateStage", restApiId=api, stageName=stage, deploymentId=deployed)
        lay.known(lay.told("apiId"), api)
        stages, limits = [{"apiId": api, "stage": stage}], {"rateLimit": 100, "burstLimit": 200}
        plan = lay.do("apigateway", "CreateUsagePlan", name="rehearsal", apiStages=stages, throttle=limits)
        lay.known(lay.told("usagePlanId"), plan["id"])


GROUNDS = (Ground(service="apigateway", lay=_lay),)
