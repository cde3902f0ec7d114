"""Functions, their reserved concurrency, and event source mappings."""

from __future__ import annotations

import io
import json
import zipfile
from functools import cache

from evals.emulation import Emulation
from evals.rehearsals._ground import Ground, Lay
from evals.rehearsals._spec import Ids, Item, Seeder, chosen, do, perhaps
from tools.models import Json

_MEMBERS = ("Timeout", "MemorySize", "Runtime", "Handler", "Description")
_TRUST = {
    "Version": "2012-10-17",
    "Statement": [
        {
            "Effect": "Allow",
            "Principal": {"Service": "lambda.amazonaws.com"},
            "Action": "sts:AssumeRole",
        }
    ],
}


@cache
def _code() -> bytes:
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w") as archive:
        archive.writestr(zipfile.ZipInfo("app.py"), "def handler(event, context): ...\n")
    return held.getvalue()


def _function(emulation: Emulation, region: str, name: str, **more: object) -> None:
    role = f"{name}-rehearsal"[-64:]
    perhaps(
        emulation, "iam", "CreateRole", region,
        RoleName=role, AssumeRolePolicyDocument=json.dumps(_TRUST),
    )  # fmt: skip
    arn = do(emulation, "iam", "GetRole", region, RoleName=role)["Role"]["Arn"]
    settings = {"Runtime": "python3.12", "Handler": "app.handler", **more}
    do(
        emulation, "lambda", "CreateFunction", region,
        FunctionName=name, Role=arn, Code={"ZipFile": _code()}, **settings,
    )  # fmt: skip


def _make(emulation: Emulation, item: Item) -> Ids:
    more: Json = {name: item.get(name) for name in _MEMBERS if item.get(name) is not None}
    variables = item.below("Environment.Variables") or item.below("Environment")
    more["Environment"] = {"Variables": {key: str(value) for key, value in variables.items()}}
    size = item.get("EphemeralStorage.Size")
    if size is not None:
        more["EphemeralStorage"] = {"Size": int(size)}
    _function(emulation, item.region, item.name, **more)
    reserved = item.get("ReservedConcurrentExecutions")
    if reserved is not None and int(reserved) >= 0:
        do(
            emulation, "lambda", "PutFunctionConcurrency", item.region,
            FunctionName=item.name, ReservedConcurrentExecutions=int(reserved),
        )  # fmt: skip
    return {}


def _read(emulation: Emulation, item: Item, ids: Ids) -> Json:
    shown = do(emulation, "lambda", "GetFunctionConfiguration", item.region, FunctionName=item.name)
    held = chosen(shown, *_MEMBERS, "Environment", "EphemeralStorage", "Role", "VpcConfig", "Layers")
    limit = do(emulation, "lambda", "GetFunctionConcurrency", item.region, FunctionName=item.name)
    return {**held, "ReservedConcurrentExecutions": limit.get("ReservedConcurrentExecutions")}


def _source(item: Item) -> str:
    return str(item.get("EventSourceArn", default=item.fixed.get("source", "")))


def _make_mapping(emulation: Emulation, item: Item) -> Ids:
    queue = _source(item)
    target = str(item.get("FunctionArn", default=item.fixed.get("function", "")))
    perhaps(emulation, "sqs", "CreateQueue", item.region, QueueName=queue.rsplit(":", 1)[-1])
    if perhaps(emulation, "lambda", "GetFunction", item.region, FunctionName=target) is None:
        _function(emulation, item.region, target.rsplit(":", 1)[-1])
    made = do(
        emulation, "lambda", "CreateEventSourceMapping", item.region,
        EventSourceArn=queue, FunctionName=target, Enabled=_enabled(item), BatchSize=item.get("BatchSize"),
        MaximumBatchingWindowInSeconds=item.get("MaximumBatchingWindowInSeconds"),
    )  # fmt: skip
    return {item.id: made["UUID"]}


def _enabled(item: Item) -> bool:
    if item.get("Enabled") is not None:
        return bool(item.get("Enabled"))
    return str(item.get("State", default="Enabled")) == "Enabled"


def _read_mapping(emulation: Emulation, item: Item, ids: Ids) -> Json:
    shown = do(emulation, "lambda", "GetEventSourceMapping", item.region, UUID=ids[item.id])
    return chosen(shown, "State", "BatchSize", "MaximumBatchingWindowInSeconds", "EventSourceArn")


SEEDERS = (
    Seeder(
        kind="function",
        service="lambda",
        paths=(*_MEMBERS, "Environment.*", "EphemeralStorage.Size", "ReservedConcurrentExecutions"),
        make=_make,
        read=_read,
    ),
    Seeder(
        kind="mapping",
        service="lambda",
        paths=("State", "Enabled", "BatchSize", "MaximumBatchingWindowInSeconds"),
        make=_make_mapping,
        read=_read_mapping,
    ),
)


def _lay(lay: Lay) -> None:
    """A function with the version that the event names, and a mapping where it is about one."""
    name = str(lay.told("functionName", "functionArn", default="rehearsal")).rsplit(":", 1)[-1]
    _function(lay.account, lay.region, name)
    lay.words["functionname"] = name
    version = str(lay.told("functionVersion", default="0"))
    for number in range(int(version) if version.isdigit() else 0):
        lay.do("lambda", "UpdateFunctionConfiguration", FunctionName=name, Description=str(number))
        lay.do("lambda", "PublishVersion", FunctionName=name)  # one only where something changed
    source = lay.told("eventSourceArn", default=f"arn:aws:sqs:{lay.region}:{lay.event.account}:rehearsal")
    if "EventSourceMapping" in lay.event.operation:
        lay.perhaps("sqs", "CreateQueue", QueueName=str(source).rsplit(":", 1)[-1])
        if lay.event.operation != "CreateEventSourceMapping":
            made = lay.do("lambda", "CreateEventSourceMapping", EventSourceArn=source, FunctionName=name)
            lay.known(lay.told("uUID", "uuid"), made["UUID"])


GROUNDS = (Ground(service="lambda", lay=_lay),)
