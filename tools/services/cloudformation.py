"""CloudFormation: stacks, what they manage, how their last operation ended, and where they have drifted.

A stack's operation makes other services' changes; `tools.stacks` finds the operation behind such a change, and the
value that a template declares.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from tools import arn as arns
from tools.errors import NotThere
from tools.kit import call, here, optional, plain, record, reference, relation, text
from tools.models import Call, ChangeEvent, Json, Relation, Resource, Value
from tools.services._spec import Change, Condition, Directory, Effect, Read, Service, Setting, inert

if TYPE_CHECKING:
    from tools.aws import Reader

_SOURCE = "cloudformation.amazonaws.com"
_TYPES: Mapping[str, tuple[str, ...]] = {
    # Physical ids that are plain names, and what they name. Others are ARNs or URLs.
    "AWS::ApiGateway::RestApi": ("api",),
    "AWS::AutoScaling::AutoScalingGroup": ("auto-scaling-group",),
    "AWS::CloudWatch::Alarm": ("alarm",),
    "AWS::DynamoDB::Table": ("table",),
    "AWS::EC2::Instance": ("instance",),
    "AWS::EC2::NatGateway": ("nat-gateway",),
    "AWS::EC2::NetworkAcl": ("network-acl",),
    "AWS::EC2::RouteTable": ("route-table",),
    "AWS::EC2::SecurityGroup": ("security-group",),
    "AWS::EC2::Subnet": ("subnet",),
    "AWS::EC2::VPC": ("vpc",),
    "AWS::EC2::VPCEndpoint": ("vpc-endpoint",),
    "AWS::ECS::Cluster": ("cluster",),
    "AWS::Events::Rule": ("rule",),
    "AWS::IAM::Role": ("role",),
    "AWS::Kinesis::Stream": ("stream",),
    "AWS::Lambda::EventSourceMapping": ("event-source-mapping",),
    "AWS::Lambda::Function": ("function",),
    "AWS::Logs::LogGroup": ("log-group",),
    "AWS::RDS::DBCluster": ("db-cluster",),
    "AWS::RDS::DBInstance": ("db-instance",),
    "AWS::RDS::DBParameterGroup": ("db-parameter-group",),
    "AWS::S3::Bucket": ("bucket",),
    "AWS::SSM::Parameter": ("parameter",),
}
_BY_ID = ("AWS::ApiGateway::RestApi",)
_GONE = ("DELETE_COMPLETE", "DELETE_SKIPPED")
_ENDED_BADLY = (
    "CREATE_FAILED",
    "ROLLBACK_FAILED",
    "UPDATE_FAILED",
    "DELETE_FAILED",
    "IMPORT_ROLLBACK_FAILED",
)


# -- what an event touches --------------------------------------------------------------------------


def _touches(event: ChangeEvent) -> tuple[str, ...]:
    """The stack, by its id where the record has one: by its bare name it has no ARN of its own."""
    told = (text(event.response, "stackId"), text(event.request, "stackName"))
    if id := next((one for one in told if arns.is_arn(one)), ""):
        return (id,)
    if told[1]:
        return (here(event, "cloudformation", f"stack/{told[1]}"),)
    changes = text(event.request, "changeSetName")
    return (changes,) if arns.is_arn(changes) else ()


# -- reading ----------------------------------------------------------------------------------------


def discover(reader: Reader, region: str) -> Iterable[Resource]:
    """All stacks with status, tags and drift, without what they manage."""
    found = reader.pages("cloudformation", "DescribeStacks", "Stacks", region=region)
    for item in found.items:
        yield _stack(item, found.evidence)


def _stack(item: Mapping[str, Any], evidence: Iterable[str], **more: Any) -> Resource:
    arn = str(item["StackId"])
    parts = arns.parse(arn)
    config = plain(item)
    # Values of parameters may be passwords, for whoever wrote the template forgot NoEcho.
    config["Parameters"] = [_parameter(one) for one in config.get("Parameters") or []]
    return Resource(
        arn=arn,
        service="cloudformation",
        type="stack",
        name=str(item.get("StackName") or parts.name.partition("/")[0]),
        account=parts.account,
        region=parts.region,
        config={**config, **more},
        tags={str(tag["Key"]): str(tag.get("Value", "")) for tag in config.get("Tags") or []},
        evidence=tuple(id for id in evidence if id),
    )


def _parameter(one: Json) -> Json:
    key, value = text(one, "ParameterKey"), text(one, "ParameterValue")
    shown = value if re.fullmatch(r"-?[\d.]{1,12}|true|false", value) else reference(key, value)
    return {"ParameterKey": key, **({"ParameterValue": shown} if shown else {})}


def describe(reader: Reader, arn: str) -> Resource | None:
    """A stack with `Resources` (ListStackResources), `Events` of its last operation, newest first, and `Drifts`."""
    parts = arns.parse(arn)
    if parts.type != "stack":
        return None
    name = arn if "/" in parts.name else parts.name
    try:
        answer = reader.ask("cloudformation", "DescribeStacks", region=parts.region, StackName=name)
    except NotThere:
        return None
    item = next(iter(answer.data.get("Stacks") or []), None)
    if item is None:
        return None
    evidence = [answer.evidence]
    more: Json = {}
    with reader.seeing("Resources of a stack", "what the stack manages"):
        found = reader.pages(
            "cloudformation",
            "ListStackResources",
            "StackResourceSummaries",
            region=parts.region,
            StackName=name,
        )
        more["Resources"] = plain({"all": list(found.items)})["all"]
        evidence += found.evidence
    told = optional(
        reader,
        "cloudformation",
        "DescribeStackEvents",
        "Events of a stack",
        region=parts.region,
        StackName=name,
    )
    if told is not None:
        more["Events"] = _last_operation(plain(told.data).get("StackEvents") or [])
        evidence.append(told.evidence)
    if text(item, "DriftInformation", "StackDriftStatus") == "DRIFTED":
        drifts = optional(
            reader,
            "cloudformation",
            "DescribeStackResourceDrifts",
            "Drift of a stack",
            region=parts.region,
            StackName=name,
            StackResourceDriftStatusFilters=["MODIFIED", "DELETED"],
        )
        if drifts is not None:
            more["Drifts"] = plain(drifts.data).get("StackResourceDrifts") or []
            evidence.append(drifts.evidence)
    return _stack(item, evidence, **more)


def _last_operation(events: list[Json]) -> list[Json]:
    """Events since the stack itself last began an operation, newest first: the stack's own event begins it."""
    for number, event in enumerate(events):
        begins = event.get("PhysicalResourceId") == event.get("StackId") and str(
            event.get("ResourceStatus", "")
        ) in ("CREATE_IN_PROGRESS", "UPDATE_IN_PROGRESS", "DELETE_IN_PROGRESS", "IMPORT_IN_PROGRESS")
        if begins:
            return events[: number + 1]
    return events


def relations(resource: Resource, directory: Directory) -> Iterable[Relation]:
    """What a stack manages, as far as it is known, its nested stacks, and the role that it works with."""
    if resource.type != "stack":
        return
    said_by = "cloudformation:ListStackResources PhysicalResourceId"
    for item in resource.config.get("Resources") or []:
        if text(item, "ResourceStatus") in _GONE:
            continue
        for target in _physical(resource, item, directory):
            yield relation(resource, target, "manages", said_by)
    if role := text(resource.config, "RoleARN"):
        yield relation(resource, role, "runs as", "cloudformation:DescribeStacks RoleARN")
    if parent := text(resource.config, "ParentId"):
        yield Relation(
            source=parent,
            target=resource.arn,
            kind="manages",
            provenance="cloudformation:DescribeStacks ParentId",
            evidence=resource.evidence,
        )


def _physical(stack: Resource, item: Json, directory: Directory) -> list[str]:
    id, kind = text(item, "PhysicalResourceId"), text(item, "ResourceType")
    if arns.is_arn(id):
        known = directory.mentioned(id)
        return [known[0].arn if known else id]
    types = _TYPES.get(kind, ())
    if kind in _BY_ID:
        found: tuple[Resource, ...] = tuple(one for one in directory.of(*types) if one.config.get("Id") == id)
    else:
        found = directory.named(id, *types) if types else directory.mentioned(id) if "://" in id else ()
    # By id: instances and subnets may have names of their own.
    found = found or tuple(one for one in directory.of(*types) if types and one.arn.endswith(f"/{id}"))
    here_too = [one for one in found if one.region in ("", stack.region) and one.account == stack.account]
    return [here_too[0].arn] if len(here_too) == 1 else []


# -- settings ---------------------------------------------------------------------------------------


def _restore_protection(resource: Resource, value: Value) -> tuple[Call, ...]:
    sent: Json = {"StackName": resource.arn, "EnableTerminationProtection": bool(value)}
    return (call("cloudformation", "UpdateTerminationProtection", resource, **sent),)


def _read(resource: Resource) -> Call:
    return call("cloudformation", "DescribeStacks", resource, StackName=resource.arn)


def _read_events(resource: Resource) -> Call:
    return call("cloudformation", "DescribeStackEvents", resource, StackName=resource.arn)


SETTINGS = (
    Setting(
        type="stack",
        name="termination protection",
        path="EnableTerminationProtection",
        unit="",
        requests=dict.fromkeys(("UpdateTerminationProtection", "CreateStack"), "enableTerminationProtection"),
        restore=_restore_protection,
        read=_read,
        query="Stacks[0].EnableTerminationProtection",
        unset=False,
        echo="none",
    ),
)

# -- changes ----------------------------------------------------------------------------------------

_FIXED_TEMPLATE = re.compile(r"[0-9a-f]{32,64}\.(json|ya?ml|template)|[?&]versionId=[^&]+", re.I)
"""URLs whose content cannot have changed since: named by its hash, as CDK and SAM do, or by its version."""


def _undo_update(event: ChangeEvent, earlier: tuple[ChangeEvent, ...]) -> tuple[Call, ...]:
    """The template that the stack had before. Only where it is told whole: CloudTrail drops parameters' values."""
    stack = _touches(event)
    before = next(
        (one for one in earlier if one.operation in _WHOLE and stack and _names(one) & _names(event)), None
    )
    if before is None or before.operation == "ExecuteChangeSet":
        return ()
    url = text(before.request, "templateURL")
    if not _FIXED_TEMPLATE.search(url) or before.request.get("parameters") or event.request.get("parameters"):
        return ()
    sent: Json = {"StackName": stack[0] if "/" in arns.parse(stack[0]).name else _name(event)}
    if capabilities := before.request.get("capabilities"):
        sent["Capabilities"] = list(capabilities)
    if role := text(before.request, "roleARN"):
        sent["RoleARN"] = role
    return (call("cloudformation", "UpdateStack", event, TemplateURL=url, **sent),)


_WHOLE = ("CreateStack", "UpdateStack", "ExecuteChangeSet")


def _name(event: ChangeEvent) -> str:
    named = text(event.request, "stackName")
    return arns.parse(named).name.partition("/")[0] if arns.is_arn(named) else named


def _names(event: ChangeEvent) -> set[str]:
    """Name and ids of an event's stack."""
    found = {text(event.response, "stackId"), text(event.request, "stackName"), _name(event)}
    return found - {""}


_ID = "arn:aws:cloudformation:eu-west-1:111122223333:stack/shop/0a1b2c3d-4e5f-4071-8293-a4b5c6d7e8f9"
_URL = "https://s3.eu-west-1.amazonaws.com/shop-templates/" + "0a1b2c3d" * 8 + ".json"
_SET = (
    "arn:aws:cloudformation:eu-west-1:111122223333:changeSet/deploy-42/1b2c3d4e-5f60-4718-9a0b-1c2d3e4f5a6b"
)
_UPDATE: Json = {"stackName": "shop", "templateURL": _URL, "capabilities": ["CAPABILITY_IAM"]}
# Its own changes are told by the events of the services that it calls: those say what was changed.
_MAY = tuple(
    Effect(metric=f"role:{role}", direction="up", on="downstream", after=(0, 7200), may=True)
    for role in ("errors", "latency", "throttles", "backlog")
)


def _change(operation: str, breaks: str, request: Json, response: Json | None = None, **more: Any) -> Change:
    return Change(
        operation=operation,
        touches=_touches,
        breaks=breaks,
        example=record(_SOURCE, operation, request, response),
        **more,
    )


CHANGES = (
    _change(
        "UpdateStack",
        "It changes, replaces or deletes what the stack manages, by the new template.",
        _UPDATE,
        {"stackId": _ID},
        effects=_MAY,
        undo=_undo_update,
        earlier=("CreateStack", "ExecuteChangeSet"),
    ),
    _change(
        "ExecuteChangeSet",
        "It changes, replaces or deletes what the stack manages, as the change set says.",
        {"changeSetName": _SET, "stackName": _ID},
        effects=_MAY,
        undo=_undo_update,
        earlier=("CreateStack", "UpdateStack"),
        back=lambda calls: (),  # a change set is gone once it was executed
    ),
    _change(
        "CreateStack",
        "It makes what the template declares, which may take the place of what was there.",
        {**_UPDATE, "enableTerminationProtection": True},
        {"stackId": _ID},
        effects=_MAY,
    ),
    _change(
        "DeleteStack",
        "It deletes what the stack manages, unless that is retained.",
        {"stackName": "shop"},
        effects=_MAY,
    ),
    _change(
        "RollbackStack",
        "It puts what the stack manages back to the last state that worked.",
        {"stackName": "shop"},
        {"stackId": _ID},
        effects=_MAY,
    ),
    _change(
        "CancelUpdateStack",
        "The update stops and is rolled back.",
        {"stackName": "shop"},
        effects=_MAY,
    ),
    _change(
        "ContinueUpdateRollback",
        "A rollback goes on; resources that it skips stay as they are.",
        {"stackName": "shop", "resourcesToSkip": ["Worker"]},
        effects=_MAY,
    ),
    _change(
        "UpdateTerminationProtection",
        "Without it the stack can be deleted by one call.",
        {"stackName": "shop", "enableTerminationProtection": False},
        {"stackId": _ID},
    ),
    *(
        inert(operation, _touches, record(_SOURCE, operation, request, response))
        for operation, request, response in (
            ("CreateChangeSet", {"stackName": "shop", "changeSetName": "deploy-42"}, {"stackId": _ID}),
            ("DeleteChangeSet", {"stackName": "shop", "changeSetName": _SET}, None),
            ("SetStackPolicy", {"stackName": "shop"}, None),
            ("DetectStackDrift", {"stackName": "shop"}, None),
        )
    ),
)


def _status(stack: Resource) -> str:
    return text(stack.config, "StackStatus")


CONDITIONS = (
    Condition(
        key="stack-rollback-failed",
        type="stack",
        title="a rollback of the stack failed: what it manages stands between two templates",
        metrics=(),
        breaks="Some resources have the new configuration and some the old, and no update is taken on.",
        relieve=(
            "Read in the stack's events which resource could not be put back, and why; mend that by hand.",
            "Then continue the rollback; skip a resource only when you know that it is as it should be.",
        ),
        prevent=("Give deployments a role that may also undo what it does.",),
        calls=lambda stack: (_read_events(stack),),
        shown=lambda stack: _status(stack) == "UPDATE_ROLLBACK_FAILED",
        excluded=lambda stack: _status(stack) not in ("", "UPDATE_ROLLBACK_FAILED"),
    ),
    Condition(
        key="stack-operation-failed",
        type="stack",
        title="the last operation of the stack failed",
        metrics=(),
        breaks="What the operation had done until then stays; the rest was not done.",
        relieve=(
            "Read the first failed event of the stack: it names the resource and the reason.",
            "Roll the stack back to its last state that worked, or mend the cause and deploy again.",
        ),
        prevent=("Let failed operations roll back by themselves.",),
        calls=lambda stack: (_read_events(stack),),
        shown=lambda stack: _status(stack) in _ENDED_BADLY,
        excluded=lambda stack: _status(stack) not in ("", *_ENDED_BADLY),
    ),
    Condition(
        key="stack-operation-running",
        type="stack",
        title="an operation of the stack is under way",
        metrics=(),
        breaks="What it manages is being changed or put back at this moment.",
        relieve=(
            "Look in the stack's events at what it does; an update under way can be cancelled.",
            "Change nothing by hand that the stack manages until it has ended.",
        ),
        prevent=("Deploy in steps that an alarm can stop.",),
        calls=lambda stack: (_read_events(stack),),
        shown=lambda stack: _status(stack).endswith("_IN_PROGRESS") and not _cleaning(stack),
        excluded=lambda stack: bool(_status(stack)) and not _status(stack).endswith("_IN_PROGRESS"),
    ),
    Condition(
        key="stack-drifted",
        type="stack",
        title="resources of the stack differ from its template",
        metrics=(),
        breaks="Somebody changed them outside the stack; the next deployment may undo it without a word.",
        relieve=("Compare what differs with the template, and bring one to the other on purpose.",),
        prevent=("Detect drift by a schedule.", "Let people change production through the stack only."),
        calls=lambda stack: (
            call("cloudformation", "DescribeStackResourceDrifts", stack, StackName=stack.arn),
        ),
        shown=lambda stack: text(stack.config, "DriftInformation", "StackDriftStatus") == "DRIFTED",
        excluded=lambda stack: text(stack.config, "DriftInformation", "StackDriftStatus") == "IN_SYNC",
    ),
)


def _cleaning(stack: Resource) -> bool:
    """All is changed already; old resources are being deleted."""
    return _status(stack).endswith("_CLEANUP_IN_PROGRESS") or _status(stack) == "REVIEW_IN_PROGRESS"


SERVICE = Service(
    name="cloudformation",
    title="CloudFormation",
    client="cloudformation",
    event_sources=(_SOURCE,),
    reads=tuple(
        Read(operation=operation, action=f"cloudformation:{operation}", shows=shows)
        for operation, shows in (
            ("DescribeStacks", "which stacks exist, and how their last operation ended"),
            ("ListStackResources", "what a stack manages"),
            ("DescribeStackEvents", "what an operation of a stack did, and why it failed"),
            ("DescribeStackResourceDrifts", "what differs from the template"),
            ("GetTemplate", "the values that a template declares"),
        )
    ),
    types={"stack": "other", "change-set": "other"},
    arns={
        "stack": r"cloudformation:stack/.+",
        "change-set": r"cloudformation:changeSet/.+",
    },
    discover=discover,
    describe=describe,
    relations=relations,
    settings=SETTINGS,
    changes=CHANGES,
    conditions=CONDITIONS,
    listed=False,  # nothing depends on stacks: they are listed where a resource's tags name one
    listed_for=lambda resource: any(tag.startswith("aws:cloudformation:stack-") for tag in resource.tags),
    complete=("change-set",),
)
