"""Denied permissions, with the sentences of AWS (IAM user guide, "Troubleshoot access denied error messages")."""

from __future__ import annotations

from evals.world.asking import Refusal
from evals.world.world import World
from tools.models import Json
from tools.transport import WireRequest

ROLE = "opsleuth-read"
_ACTION_PREFIX = {
    "resourcegroupstaggingapi": "tag",
    "apigatewayv2": "apigateway",
    "stepfunctions": "states",
    "elbv2": "elasticloadbalancing",
}
_SHORT_CODE = frozenset(
    {"iam", "sts", "cloudformation", "cloudwatch", "sqs", "s3", "rds", "elbv2", "autoscaling"}
)


def caller(world: World) -> str:
    """The ARN of the role session that reads the account."""
    return f"arn:{world.partition}:sts::{world.account}:assumed-role/{ROLE}/opsleuth"


def action(service: str, operation: str) -> str:
    """The IAM action behind an operation."""
    if service in ("apigateway", "apigatewayv2"):
        return "apigateway:GET"
    return f"{_ACTION_PREFIX.get(service, service)}:{operation}"


def denial(world: World, request: WireRequest) -> Refusal | None:
    """The refusal when the reading role lacks the permission. GetCallerIdentity needs none."""
    asked = action(request.service, request.operation)
    if (request.service, request.operation) == ("sts", "GetCallerIdentity"):
        return None
    denied = {entry.lower() for entry in world.switches.deny}
    if asked.lower() not in denied and f"{asked.split(':')[0]}:*".lower() not in denied:
        return None
    on = _resource(world, request.service, request.parameters)
    text = (
        f"User: {caller(world)} is not authorized to perform: {asked}{f' on resource: {on}' if on else ''} "
        f"because no identity-based policy allows the {asked} action"
    )
    code = "AccessDenied" if request.service in _SHORT_CODE else "AccessDeniedException"
    return Refusal(
        "UnauthorizedOperation" if request.service == "ec2" else code,
        text,
        403 if request.protocol != "json" else 400,
    )


def _resource(world: World, service: str, parameters: Json) -> str:
    if service == "dynamodb" and "TableName" in parameters:
        name = str(parameters["TableName"])
        return name if name.startswith("arn:") else world.arn("dynamodb", f"table/{name}")
    if service == "lambda" and "FunctionName" in parameters:
        name = str(parameters["FunctionName"])
        return name if name.startswith("arn:") else world.arn("lambda", f"function:{name}")
    if service == "logs" and "logGroupName" in parameters:
        return world.arn("logs", f"log-group:{parameters['logGroupName']}:log-stream:")
    if service == "iam" and "RoleName" in parameters:
        return world.iam_arn(f"role/{parameters['RoleName']}")
    return ""
