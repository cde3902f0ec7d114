"""What runs without machines of its own: functions and containers; and how states are written down."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Sequence
from functools import cache

from evals.estates.ground import Ground, Said, Thing
from tools.models import Json


@cache
def _code() -> bytes:
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w") as archive:
        archive.writestr(zipfile.ZipInfo("app.py"), "def handler(event, context): ...\n")
    return held.getvalue()


def function(
    ground: Ground, name: str, acts: Thing, env: dict[str, Said] | None = None, *,
    subnets: Sequence[Thing] = (), groups: Sequence[Thing] = (), gives_up: Thing | None = None,
    encrypted: Thing | None = None, logs: bool = True, region: str = "",
) -> Thing:  # fmt: skip
    """A function; `logs`: its log group is there, because it has run."""
    made = ground.call(
        "lambda", "CreateFunction", region,
        FunctionName=name, Role=acts.arn, Code={"ZipFile": _code()}, Runtime="python3.12", Handler="app.handler",
        Environment={"Variables": {key: value.text for key, value in (env or {}).items()}},
        VpcConfig={"SubnetIds": [one["id"] for one in subnets], "SecurityGroupIds": [one["id"] for one in groups]}
        if subnets else None,
        DeadLetterConfig=gives_up and {"TargetArn": gives_up.arn}, KMSKeyArn=encrypted and encrypted.arn,
    )  # fmt: skip
    thing = ground.add("function", made["FunctionArn"], name, region=region)
    ground.told(thing, env or {})
    ground.fact(thing, "acts as", acts)
    ground.fact(thing, "sits in", *subnets)
    ground.fact(thing, "is guarded by", *groups)
    ground.fact(thing, "gives up to", gives_up)
    if gives_up:  # moto takes it and does not show it
        more: Json = {"DeadLetterConfig": {"TargetArn": gives_up.arn}}
        ground.table.mend("lambda", "FunctionArn", thing.arn, more)
    ground.fact(thing, "locks with", encrypted)
    if logs:
        from evals.estates.watching import log_group

        ground.fact(thing, "writes to", log_group(ground, f"/aws/lambda/{name}", region=region))
    else:  # the configuration names a group that nobody has made
        ground.maybe(thing, "writes to", ground.arn("logs", f"log-group:/aws/lambda/{name}", region or None))
    return thing


def published(ground: Ground, of: Thing, alias: str) -> Thing:
    """A version, and an alias that points to it."""
    version = ground.call("lambda", "PublishVersion", FunctionName=of.name)["Version"]
    made = ground.call("lambda", "CreateAlias", FunctionName=of.name, Name=alias, FunctionVersion=version)
    ground.inside(f"{of.arn}:{version}", of)
    return ground.part("function alias", made["AliasArn"], of, alias)


def feeds(ground: Ground, source: Thing, to: Thing, gives_up: Thing | None = None) -> Thing:
    """An event source mapping: a function takes from a queue, a stream, or a table's stream."""
    streams = source.kind != "queue"
    made = ground.call(
        "lambda", "CreateEventSourceMapping",
        FunctionName=to.name, EventSourceArn=source["stream"] if source.kind == "table" else source.arn,
        BatchSize=10, StartingPosition="LATEST" if streams else None,
        DestinationConfig=gives_up and {"OnFailure": {"Destination": gives_up.arn}},
    )  # fmt: skip
    arn = ground.arn("lambda", f"event-source-mapping:{made['UUID']}")
    thing = ground.part("event source mapping", arn, to, made["UUID"])
    ground.fact(to, "takes from", source)
    ground.fact(to, "gives up to", gives_up)
    return thing


def permit(ground: Ground, of: Thing, service: str, source: Thing | str, api: Thing | None = None) -> None:
    """The function's policy lets a service call it for one source; `api`: whose address the source is."""
    arn = source.arn if isinstance(source, Thing) else source
    ground.call(
        "lambda", "AddPermission",
        FunctionName=of.name, StatementId=f"from-{len(ground.facts)}", Action="lambda:InvokeFunction",
        Principal=f"{service}.amazonaws.com", SourceArn=arn,
    )  # fmt: skip
    ground.maybe(of, "lets in", source if isinstance(source, Thing) else api)


# -- containers ------------------------------------------------------------------------------------------


def ecs_cluster(ground: Ground, name: str) -> Thing:
    made = ground.call("ecs", "CreateCluster", clusterName=name)["cluster"]
    return ground.add("ecs cluster", made["clusterArn"], name)


def task(
    ground: Ground, family: str, acts: Thing, pulls: Thing, env: dict[str, Said] | None = None, *,
    given: dict[str, Thing] | None = None, logs: Thing | None = None, port: int = 8080,
) -> Thing:  # fmt: skip
    """A task definition; `given`: environment names whose values are secrets or parameters."""
    container: Json = {
        "name": family, "image": f"444455556666.dkr.ecr.{ground.region}.amazonaws.com/{family}:1.4.2",
        "essential": True, "memory": 512, "portMappings": [{"containerPort": port}],
        "environment": [{"name": key, "value": value.text} for key, value in (env or {}).items()],
        "secrets": [{"name": key, "valueFrom": value.arn} for key, value in (given or {}).items()],
    }  # fmt: skip
    if logs:
        options = {
            "awslogs-group": logs.name,
            "awslogs-region": ground.region,
            "awslogs-stream-prefix": family,
        }
        container["logConfiguration"] = {"logDriver": "awslogs", "options": options}
    made = ground.call(
        "ecs", "RegisterTaskDefinition",
        family=family, networkMode="awsvpc", requiresCompatibilities=["FARGATE"], cpu="256", memory="512",
        taskRoleArn=acts.arn, executionRoleArn=pulls.arn, containerDefinitions=[container],
    )["taskDefinition"]  # fmt: skip
    thing = ground.add("task definition", made["taskDefinitionArn"], family)
    ground.told(thing, env or {})
    ground.fact(thing, "acts as", acts, pulls)
    ground.fact(thing, "is given", *(given or {}).values())
    ground.maybe(thing, "is shaped by", f"arn:aws:ecr:{ground.region}:444455556666:repository/{family}")
    ground.fact(thing, "writes to", logs)
    return thing


def service(
    ground: Ground, name: str, on: Thing, of: Thing, subnets: Sequence[Thing], groups: Sequence[Thing],
    behind: Thing | None = None,
) -> Thing:  # fmt: skip
    made = ground.call(
        "ecs", "CreateService",
        cluster=on.name, serviceName=name, taskDefinition=of.arn, desiredCount=2, launchType="FARGATE",
        networkConfiguration={
            "awsvpcConfiguration": {
                "subnets": [one["id"] for one in subnets], "securityGroups": [one["id"] for one in groups],
            }
        },
        loadBalancers=[{"targetGroupArn": behind.arn, "containerName": of.name, "containerPort": 8080}]
        if behind else None,
    )["service"]  # fmt: skip
    thing = ground.add("ecs service", made["serviceArn"], name)
    ground.fact(thing, "is shaped by", of)
    ground.fact(thing, "is part of", on)
    ground.fact(thing, "sits in", *subnets)
    ground.fact(thing, "is guarded by", *groups)
    if behind:
        ground.fact(behind, "calls", thing)
    return thing


def scaled(ground: Ground, namespace: str, of: Thing, id_: str, dimension: str) -> None:
    """Application auto scaling with a policy that tracks a target."""
    ground.call(
        "application-autoscaling", "RegisterScalableTarget",
        ServiceNamespace=namespace, ResourceId=id_, ScalableDimension=dimension, MinCapacity=2, MaxCapacity=20,
    )  # fmt: skip
    metric = "ECSServiceAverageCPUUtilization" if namespace == "ecs" else "DynamoDBWriteCapacityUtilization"
    ground.call(
        "application-autoscaling", "PutScalingPolicy",
        PolicyName=f"{of.name}-track", ServiceNamespace=namespace, ResourceId=id_, ScalableDimension=dimension,
        PolicyType="TargetTrackingScaling",
        TargetTrackingScalingPolicyConfiguration={
            "TargetValue": 60.0, "PredefinedMetricSpecification": {"PredefinedMetricType": metric},
        },
    )  # fmt: skip


def definition(states: dict[str, Json]) -> str:
    """States in their order, each leading to the next."""
    names = list(states)
    rows = {
        name: {**states[name], **({"Next": names[place + 1]} if place + 1 < len(names) else {"End": True})}
        for place, name in enumerate(names)
    }
    return json.dumps({"StartAt": names[0], "States": rows})
