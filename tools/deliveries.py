"""What services that call others on somebody's behalf share: SNS, EventBridge, its scheduler and pipes, Step Functions.

Whom a target's ARN means, what one target hangs on, who may send by a resource's own policy, and the request that a
change replaced. Pure.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from tools import arn as arns
from tools.errors import BadInput
from tools.kit import call, relation, text
from tools.models import Call, ChangeEvent, Json, Relation, Resource
from tools.parameters import from_cloudtrail
from tools.policies import document, listed
from tools.services._spec import Directory

_PARTS = (
    # A qualifier picks a version or alias; a stream lies below its table; an alias or version below its machine.
    (re.compile(r"(:lambda:[^:]*:\d*:function:[^:]+):[^:]+$"), r"\1"),
    (re.compile(r"(:table/[^/]+)/stream/.*$"), r"\1"),
    (re.compile(r"(:stateMachine:[^:]+):[^:]+$"), r"\1"),
    # A target names the method of an API as arn:aws:execute-api:REGION:ACCOUNT:ID/STAGE/METHOD/PATH.
    (
        re.compile(r"^(arn:[\w-]+):execute-api:([\w-]+):\d*:([a-z0-9]+)(?:/.*)?$"),
        r"\1:apigateway:\2::/apis/\3",
    ),
)


def whom(arn: str) -> str:
    """The ARN of the whole that an ARN of a target or source means: the function of an alias, the table of a stream."""
    for pattern, kept in _PARTS:
        arn = pattern.sub(kept, arn)
    return arn


def meant(target: str, directory: Directory) -> Iterator[str]:
    """ARNs of what a target means: itself, or the known API or balancer behind a host."""
    found = whom(target)
    rest = re.sub(r":/apis/", ":/restapis/", found)  # both kinds of API share ids and hosts
    if rest != found:
        yield next((arn for arn in (found, rest) if directory.by_arn(arn) is not None), found)
    elif arns.is_arn(found):
        if arns.parse(found).account:
            yield found
    else:
        for resource in directory.mentioned(target):
            yield resource.arn


def target_of(
    resource: Resource, target: Mapping[str, Any], kind: str, said_by: str, directory: Directory
) -> Iterator[Relation]:
    """Relations of one target as EventBridge and its scheduler write it: called, as whom, failing into what."""
    for arn in meant(text(target, "Arn"), directory):
        if arn != resource.arn:
            yield relation(resource, arn, kind, f"{said_by} Arn")
    if role := text(target, "RoleArn"):
        yield relation(resource, role, "runs as", f"{said_by} RoleArn")
    if dead := text(target, "DeadLetterConfig", "Arn"):
        yield relation(resource, dead, "sends failures to", f"{said_by} DeadLetterConfig.Arn")
    yield from task_of(resource, target.get("EcsParameters") or {}, f"{said_by} EcsParameters")


def task_of(resource: Resource, parameters: Mapping[str, Any], said_by: str) -> Iterator[Relation]:
    """What an ECS task that is started hangs on: its definition, subnets and security groups."""
    if definition := text(parameters, "TaskDefinitionArn"):
        yield relation(resource, definition, "uses definition", f"{said_by}.TaskDefinitionArn")
    network = parameters.get("NetworkConfiguration") or {}
    # EventBridge and Pipes write awsvpcConfiguration, as ECS does.
    inner = network.get("awsvpcConfiguration") or network.get("AwsvpcConfiguration") or {}
    for key, kind, word in (("Subnets", "in", "subnet"), ("SecurityGroups", "guarded by", "security-group")):
        for id in inner.get(key) or []:
            target = arns.build("ec2", resource.region, resource.account, f"{word}/{id}")
            yield relation(resource, target, kind, f"{said_by}.NetworkConfiguration")


def senders(resource: Resource, policy: Any, said_by: str) -> Iterator[Relation]:
    """From whom a resource's own policy admits by aws:SourceArn, named whole, to the resource."""
    for statement in listed(document(policy or "{}").get("Statement")):
        if not isinstance(statement, Mapping) or statement.get("Effect") != "Allow":
            continue
        condition = statement.get("Condition")
        for test in condition.values() if isinstance(condition, Mapping) else ():
            for key, value in test.items() if isinstance(test, Mapping) else ():
                for sender in listed(value) if key.lower() == "aws:sourcearn" else ():
                    if arns.is_arn(str(sender)) and not re.search(r"[*?]", str(sender)):
                        yield Relation(
                            source=str(sender),
                            target=resource.arn,
                            kind="may send to",
                            provenance=said_by,
                            confidence=0.6,
                            evidence=resource.evidence,
                        )


def sent_again(
    client: str, operation: str, event: ChangeEvent, request: Json, *left: str
) -> tuple[Call, ...]:
    """The call of a recorded request without its members `left`; none when CloudTrail does not show it whole."""
    kept = {key: value for key, value in request.items() if key not in left}
    try:
        return (call(client, operation, event, **from_cloudtrail(client, operation, kept)),)
    except BadInput:
        return ()


def last(
    earlier: Iterable[ChangeEvent], operations: tuple[str, ...], same: Callable[[ChangeEvent], bool]
) -> ChangeEvent | None:
    """The newest of the earlier events, newest first, of these operations that is on the same thing."""
    return next((one for one in earlier if one.operation in operations and same(one)), None)
