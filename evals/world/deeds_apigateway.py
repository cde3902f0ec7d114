"""How CloudTrail records what is done to APIs: eventSource apigateway for both kinds."""

from __future__ import annotations

from typing import TYPE_CHECKING

from evals.world.trail import Deed
from evals.world.world import Thing, World
from tools.models import Json

if TYPE_CHECKING:
    from evals.world.kinds._kind import Act


def change_stage(world: World, act: Act) -> Deed:
    """The call that set a throttling limit of a stage."""
    stage = act.thing
    api = world.things[stage.fixed["api"]]
    limits = {path: stage.at(path, act.moment) for path in stage.settings.steps}
    if api.kind == "rest-api":
        return _rest(api, stage, act)
    settings: Json = {"detailedMetricsEnabled": False}
    for path, value in sorted(limits.items()):
        name = path.rsplit(".", 1)[1]
        if value is not None:
            settings[name[0].lower() + name[1:]] = value
    request = {"apiId": api.fixed["id"], "stageName": stage.name, "defaultRouteSettings": settings}
    shown = {
        "stageName": stage.name,
        "autoDeploy": True,
        "deploymentId": api.fixed["deployment"],
        "defaultRouteSettings": settings,
        "routeSettings": {},
        "stageVariables": {},
    }
    return Deed(source="apigateway", name="UpdateStage", request=request, response=shown)


def _rest(api: Thing, stage: Thing, act: Act) -> Deed:
    name = act.path.rsplit(".", 1)[1]
    leaf = {"throttlingRateLimit": "rateLimit", "throttlingBurstLimit": "burstLimit"}[name]
    changes = [{"op": "replace", "path": f"/*/*/throttling/{leaf}", "value": str(act.after)}]
    request: Json = {
        "restApiId": api.fixed["id"],
        "stageName": stage.name,
        "updateStageInput": {"patchOperations": changes},
        "template": False,
    }
    method = {path.rsplit(".", 1)[1]: stage.at(path, act.moment) for path in stage.settings.steps}
    shown = {
        "stageName": stage.name,
        "deploymentId": api.fixed["deployment"],
        "methodSettings": {"*/*": {key: value for key, value in method.items() if value is not None}},
    }
    return Deed(source="apigateway", name="UpdateStage", request=request, response=shown)


def tag(world: World, thing: Thing, tags: dict[str, str]) -> Deed:
    """The call that adds tags."""
    return Deed(source="apigateway", name="TagResource", request={"resourceArn": thing.arn, "tags": tags})
