"""What carries events: queues, topics, rules, schedules, pipes, workflows."""

from __future__ import annotations

import json
from collections.abc import Sequence

from evals.estates.compute import definition
from evals.estates.ground import Ground, Thing
from tools.models import Json


def queue(
    ground: Ground, name: str, *, gives_up: Thing | None = None, encrypted: Thing | None = None,
    admits: Sequence[Thing] = (),
) -> Thing:  # fmt: skip
    attributes: dict[str, str] = {"VisibilityTimeout": "180"}
    if gives_up:
        redrive = {"deadLetterTargetArn": gives_up.arn, "maxReceiveCount": 5}
        attributes["RedrivePolicy"] = json.dumps(redrive)
    if encrypted:
        attributes["KmsMasterKeyId"] = encrypted["id"]
    arn = ground.arn("sqs", name)
    if admits:
        attributes["Policy"] = _lets(arn, "sqs:SendMessage", admits)
    url = ground.call("sqs", "CreateQueue", QueueName=name, Attributes=attributes)["QueueUrl"]
    thing = ground.add("queue", arn, name, url=url)
    ground.fact(thing, "gives up to", gives_up)
    ground.fact(thing, "locks with", encrypted)
    for one in admits:
        ground.maybe(thing, "lets in", one)
    return thing


_SENDERS = {"topic": "sns", "rule": "events", "bucket": "s3"}


def _lets(arn: str, action: str, admits: Sequence[Thing]) -> str:
    statements = [
        {
            "Effect": "Allow", "Action": action, "Resource": arn,
            "Principal": {"Service": f"{_SENDERS[one.kind]}.amazonaws.com"},
            "Condition": {"ArnEquals": {"aws:SourceArn": one.arn}},
        }
        for one in admits
    ]  # fmt: skip
    return json.dumps({"Version": "2012-10-17", "Statement": statements})


def topic(ground: Ground, name: str, encrypted: Thing | None = None, region: str = "") -> Thing:
    attributes = {"KmsMasterKeyId": encrypted["id"]} if encrypted else None
    arn = ground.call("sns", "CreateTopic", region, Name=name, Attributes=attributes)["TopicArn"]
    thing = ground.add("topic", arn, name, region=region)
    ground.fact(thing, "locks with", encrypted)
    return thing


def subscribe(
    ground: Ground, of: Thing, to: Thing | str, protocol: str, gives_up: Thing | None = None
) -> None:
    """A thing, or an address that is none, hears a topic."""
    policy = {"RedrivePolicy": json.dumps({"deadLetterTargetArn": gives_up.arn})} if gives_up else None
    arn = ground.call(
        "sns", "Subscribe", of.region,
        TopicArn=of.arn, Protocol=protocol, Endpoint=to.arn if isinstance(to, Thing) else to,
        Attributes=policy, ReturnSubscriptionArn=True,
    )["SubscriptionArn"]  # fmt: skip
    part = ground.part("subscription", arn, of)
    if isinstance(to, Thing):
        ground.fact(of, "delivers to", to)
    ground.fact(part, "gives up to", gives_up)


def bus(ground: Ground, name: str) -> Thing:
    return ground.add("event bus", ground.call("events", "CreateEventBus", Name=name)["EventBusArn"], name)


def rule(
    ground: Ground, name: str, targets: Sequence[tuple[Thing | str, Thing | None]], *, on: Thing | None = None,
    every: str = "", pattern: Json | None = None, gives_up: Thing | None = None, runs: Json | None = None,
) -> Thing:  # fmt: skip
    """A rule; each target with the role that it is reached by. `runs`: EcsParameters of targets that are clusters."""
    arn = ground.call(
        "events", "PutRule",
        Name=name, ScheduleExpression=every or None, EventPattern=pattern and json.dumps(pattern),
        EventBusName=on and on.name,
    )["RuleArn"]  # fmt: skip
    thing = ground.add("rule", arn, name)
    ground.fact(thing, "is part of", on)
    ground.maybe(thing, "is part of", None if on else ground.arn("events", "event-bus/default"))
    rows: list[Json] = []
    for place, (target, acts) in enumerate(targets):
        row: Json = {"Id": f"t{place}", "Arn": target.arn if isinstance(target, Thing) else target}
        if acts:
            row["RoleArn"] = acts.arn
            ground.fact(thing, "acts as", acts)
        if gives_up:
            row["DeadLetterConfig"] = {"Arn": gives_up.arn}
        ground.fact(thing, "delivers to", target)
        if isinstance(target, Thing) and target.kind == "ecs cluster" and runs:
            row["EcsParameters"] = runs
        rows.append(row)
    if rows:
        ground.call("events", "PutTargets", Rule=name, EventBusName=on and on.name, Targets=rows)
    ground.fact(thing, "gives up to", gives_up)
    return thing


def schedule(
    ground: Ground,
    name: str,
    to: Thing,
    acts: Thing,
    *,
    gives_up: Thing | None = None,
    every: str = "rate(1 hour)",
) -> Thing:
    target: Json = {"Arn": to.arn, "RoleArn": acts.arn}
    if gives_up:
        target["DeadLetterConfig"] = {"Arn": gives_up.arn}
    arn = ground.call(
        "scheduler", "CreateSchedule",
        Name=name, ScheduleExpression=every, FlexibleTimeWindow={"Mode": "OFF"}, Target=target,
    )["ScheduleArn"]  # fmt: skip
    thing = ground.add("schedule", arn, name)
    ground.maybe(thing, "is part of", ground.arn("scheduler", "schedule-group/default"))
    ground.fact(thing, "delivers to", to)
    ground.fact(thing, "acts as", acts)
    ground.fact(thing, "gives up to", gives_up)
    return thing


def pipe(
    ground: Ground, name: str, source: Thing, to: Thing, acts: Thing, through: Thing | None = None
) -> Thing:
    arn = ground.call(
        "pipes", "CreatePipe",
        Name=name, Source=source["stream"] if source.kind == "table" else source.arn, Target=to.arn,
        RoleArn=acts.arn, Enrichment=through and through.arn,
    )["Arn"]  # fmt: skip
    thing = ground.add("pipe", arn, name)
    ground.fact(thing, "takes from", source)
    ground.fact(thing, "delivers to", to)
    ground.fact(thing, "calls", through)
    ground.fact(thing, "acts as", acts)
    return thing


# -- workflows -------------------------------------------------------------------------------------------


def step(of: Thing, *more: Thing) -> Json:
    """A task state that uses a thing the way its integration asks for; `more`: what runs on it."""
    forms: dict[str, Json] = {
        "table": {"Resource": "arn:aws:states:::dynamodb:putItem", "Parameters": {"TableName": of.name}},
        "topic": {"Resource": "arn:aws:states:::sns:publish", "Parameters": {"TopicArn": of.arn}},
        "workflow": {
            "Resource": "arn:aws:states:::states:startExecution.sync:2", "Parameters": {"StateMachineArn": of.arn},
        },
        "event bus": {
            "Resource": "arn:aws:states:::events:putEvents",
            "Parameters": {"Entries": [{"EventBusName": of.name, "Detail": "{}", "DetailType": "d", "Source": "s"}]},
        },
    }  # fmt: skip
    if of.kind == "queue":
        return {
            "Type": "Task", "Resource": "arn:aws:states:::sqs:sendMessage", "Parameters": {"QueueUrl": of["url"]},
        }  # fmt: skip
    if of.kind == "ecs cluster":
        parameters = {"Cluster": of.arn, "TaskDefinition": more[0].arn, "LaunchType": "FARGATE"}
        return {"Type": "Task", "Resource": "arn:aws:states:::ecs:runTask.sync", "Parameters": parameters}
    if of.kind == "function":
        return {"Type": "Task", "Resource": of.arn}
    return {"Type": "Task", **forms[of.kind]}


def invoke(of: Thing, by: str) -> Json:
    """A function by its name or ARN, as the newer integration does."""
    return {"Type": "Task", "Resource": "arn:aws:states:::lambda:invoke", "Parameters": {"FunctionName": by}}


def workflow(
    ground: Ground,
    name: str,
    acts: Thing,
    states: dict[str, Json],
    uses: Sequence[Thing],
    logs: Thing | None = None,
) -> Thing:
    """A state machine. `uses` are the things that its states name."""
    logging = None
    if logs:
        there = [{"cloudWatchLogsLogGroup": {"logGroupArn": f"{logs.arn}:*"}}]
        logging = {"level": "ERROR", "includeExecutionData": False, "destinations": there}
    arn = ground.call(
        "stepfunctions", "CreateStateMachine",
        name=name, definition=definition(states), roleArn=acts.arn, loggingConfiguration=logging,
    )["stateMachineArn"]  # fmt: skip
    thing = ground.add("workflow", arn, name)
    ground.fact(thing, "acts as", acts)
    ground.fact(thing, "calls", *uses)
    ground.fact(thing, "writes to", logs)
    return thing
