"""X-Ray: who calls whom by the traces of the last hours. Sampled: what no trace shows may be called all the same."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from tools import arn as arns
from tools.errors import NotThere
from tools.kit import here, plain, record, text
from tools.models import ChangeEvent, Json, Relation, Resource
from tools.services._spec import Directory, Read, Service, inert

if TYPE_CHECKING:
    from tools.aws import Reader

_SOURCE = "xray.amazonaws.com"
_LOOK = timedelta(hours=3)  # the service graph answers for six at most (API reference)
_TYPES: Mapping[str, tuple[str, ...]] = {
    # Types of nodes that are AWS resources, and what they are called here.
    "AWS::ApiGateway::Stage": ("stage", "api"),
    "AWS::AppSync::GraphQLAPI": ("graphql-api",),
    "AWS::DynamoDB::Table": ("table",),
    "AWS::EC2::Instance": ("instance",),
    "AWS::ECS::Container": ("service",),
    "AWS::ECS::Fargate": ("service",),
    "AWS::EventBridge": ("event-bus",),
    "AWS::Events": ("event-bus",),
    "AWS::Kinesis": ("stream",),
    "AWS::Kinesis::Stream": ("stream",),
    "AWS::Lambda": ("function",),
    "AWS::Lambda::Function": ("function",),
    "AWS::S3::Bucket": ("bucket",),
    "AWS::SNS": ("topic",),
    "AWS::SNS::Topic": ("topic",),
    "AWS::SQS": ("queue",),
    "AWS::SQS::Queue": ("queue",),
    "AWS::SecretsManager": ("secret",),
    "AWS::StepFunctions::StateMachine": ("state-machine",),
}
_ELSEWHERE = ("client",)  # whoever called from outside
_DATABASE = re.compile(r"^[^@\s]+@(?P<host>[\w.-]+)$")  # orders@orders-db.abc.eu-west-1.rds.amazonaws.com


# -- reading ----------------------------------------------------------------------------------------


def discover(reader: Reader, region: str) -> Iterable[Resource]:
    """The graph of the last three hours, as one resource; nothing where no trace was taken."""
    arn = arns.build("xray", region, reader.aws.account, "group/Default")
    found = _graph(reader, arn)
    if found.config["Services"]:
        yield found


def _graph(reader: Reader, arn: str, **group: str) -> Resource:
    parts = arns.parse(arn)
    span: Json = {"StartTime": reader.as_of - _LOOK, "EndTime": reader.as_of, **group}
    pages = reader.pages("xray", "GetServiceGraph", "Services", region=parts.region, limit=5, **span)
    if not pages.complete:
        reader.missing(
            "A part of X-Ray's service graph",
            f"the first {len(pages.items)} services were read",
            "calls among further services",
            code="BudgetSpent",
        )
    return Resource(
        arn=arn,
        service="xray",
        type="trace-group",
        name=parts.name.partition("/")[0],
        account=parts.account,
        region=parts.region,
        config=plain({**span, "Services": [_node(one) for one in pages.items]}),
        evidence=pages.evidence,
    )


def _node(item: Mapping[str, Any]) -> Json:
    """A service without its histograms: who it is, and whom it calls how often."""
    kept = ("ReferenceId", "Name", "Names", "Type", "AccountId", "State", "Root")
    edges = [
        {"ReferenceId": edge.get("ReferenceId"), "SummaryStatistics": edge.get("SummaryStatistics") or {}}
        for edge in item.get("Edges") or []
    ]
    return {**{key: item[key] for key in kept if key in item}, "Edges": edges}


def describe(reader: Reader, arn: str) -> Resource | None:
    """The graph of one group of traces. None for anything else, and where there is no such group."""
    parts = arns.parse(arn)
    if parts.type != "group":
        return None
    # A name alone is the group that takes all traces; others have an id behind the name.
    group = {"GroupARN": arn} if "/" in parts.name else {}
    try:
        return _graph(reader, arn, **group)
    except NotThere:
        return None


# -- relations --------------------------------------------------------------------------------------


def relations(resource: Resource, directory: Directory) -> Iterable[Relation]:
    """Calls between resources that traces show. Both ends are other resources; the graph only tells of them."""
    nodes = {one.get("ReferenceId"): one for one in resource.config.get("Services") or []}
    found: set[tuple[str, str]] = set()
    for node in nodes.values():
        source = _known(node, resource, directory)
        for edge in node.get("Edges") or [] if source else ():
            called = nodes.get(edge.get("ReferenceId"))
            target = _known(called, resource, directory) if called else None
            # Lambda is two nodes, the service and the function: both are the function here.
            if source and target and source.arn != target.arn and (source.arn, target.arn) not in found:
                found.add((source.arn, target.arn))
                yield Relation(
                    source=source.arn,
                    target=target.arn,
                    kind="calls",
                    provenance="xray:GetServiceGraph Edges, sampled",
                    confidence=0.9,
                    evidence=resource.evidence,
                )


def _traced(resource: Resource) -> bool:
    """Whether a resource takes traces, as its own switch says: functions, stages, state machines."""
    config = resource.config
    mode = text(config.get("TracingConfig") or {}, "Mode")
    machine = (config.get("tracingConfiguration") or {}).get("enabled")
    stages = config.get("Stages") or config.get("stages") or []
    switches = [config, *(one for one in stages if isinstance(one, dict))]
    return mode == "Active" or machine is True or any(one.get("tracingEnabled") is True for one in switches)


def _known(node: Json, graph: Resource, directory: Directory) -> Resource | None:
    """The resource that a node is; None when it is none, or when it may be one of several."""
    kind = text(node, "Type")
    account = text(node, "AccountId")
    if kind in _ELSEWHERE or (account and account != graph.account):
        return None
    names = dict.fromkeys([text(node, "Name"), *(str(one) for one in node.get("Names") or ())])
    types = _TYPES.get(kind, ())
    for name in names:
        found = [one for one in _named(name, types, directory) if one.region in (graph.region, "")]
        if len(found) == 1:
            return found[0]
    return None


def _named(name: str, types: tuple[str, ...], directory: Directory) -> tuple[Resource, ...]:
    if not name:
        return ()
    if database := _DATABASE.match(name):
        return directory.mentioned(database["host"])
    if types:
        by_name = next((found for type in types if (found := directory.named(name, type))), ())
        told = directory.mentioned(name) if "://" in name or arns.is_arn(name) else ()
        api = directory.named(name.partition("/")[0], "api") if "api" in types else ()
        return by_name or tuple(one for one in told if one.type in types) or api
    # Of what is no resource by its type only a host tells who is meant, never a word.
    return directory.mentioned(name) if "." in name else ()


# -- changes ----------------------------------------------------------------------------------------


def _touches(event: ChangeEvent) -> tuple[str, ...]:
    places = (
        (event.response, "samplingRuleRecord", "samplingRule", "ruleARN"),
        (event.response, "group", "groupARN"),
        (event.request, "samplingRuleUpdate", "ruleARN"),
        (event.request, "ruleARN"),
        (event.request, "groupARN"),
    )
    if told := next((one for place, *path in places if arns.is_arn(one := text(place, *path))), ""):
        return (told,)
    for path in (("samplingRuleUpdate", "ruleName"), ("samplingRule", "ruleName"), ("ruleName",)):
        if name := text(event.request, *path):
            return (here(event, "xray", f"sampling-rule/{name}"),)
    name = text(event.request, "groupName")
    return (here(event, "xray", f"group/{name}"),) if name else ()


_RULE = {"ruleName": "orders", "fixedRate": 0.05, "reservoirSize": 1}
_NEW_RULE = {
    **_RULE,
    "priority": 100,
    "version": 1,
    "resourceARN": "*",
    "serviceName": "orders",
    "serviceType": "*",
    "host": "*",
    "hTTPMethod": "*",
    "uRLPath": "*",
}

CHANGES = tuple(
    # What is sampled changes what can be seen, and nothing else.
    inert(operation, _touches, record(_SOURCE, operation, request))
    for operation, request in (
        ("CreateSamplingRule", {"samplingRule": _NEW_RULE}),
        ("UpdateSamplingRule", {"samplingRuleUpdate": _RULE}),
        ("DeleteSamplingRule", {"ruleName": "orders"}),
        ("CreateGroup", {"groupName": "slow", "filterExpression": "responsetime > 5"}),
        ("UpdateGroup", {"groupName": "slow", "filterExpression": "responsetime > 2"}),
        ("DeleteGroup", {"groupName": "slow"}),
    )
)

SERVICE = Service(
    name="xray",
    title="X-Ray",
    client="xray",
    event_sources=(_SOURCE,),
    reads=(
        Read(
            operation="GetServiceGraph",
            action="xray:GetServiceGraph",
            shows="who calls whom, by the traces that were sampled",
        ),
    ),
    types={"trace-group": "other", "sampling-rule": "other"},
    arns={"trace-group": r"xray:group/.+", "sampling-rule": r"xray:sampling-rule/.+"},
    discover=discover,
    describe=describe,
    relations=relations,
    changes=CHANGES,
    listed=False,  # most accounts take no traces: the graph is read where something near takes them
    listed_for=_traced,
    complete=("sampling-rule",),
)
