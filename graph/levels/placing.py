"""Which resource runs or stores something (container), which is a part of such a thing (component), which is neither.

The service files say it. Resources that no service file knows (named by somebody's configuration) go by a table here.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Literal

from tools import arn as arns
from tools import catalogue
from tools.models import Relation, Resource

Rank = Literal["container", "component", "other"]

_PART_OF = frozenset({"part of", "belongs to", "attached to", "scales", "configures"})
"""Kinds of relations that tell a component's container also across services."""
_MOST_STEPS = 4  # a rule of a listener of a balancer, and one to spare

_OTHER_SERVICES_TOLD = (
    "access-analyzer acm aps-workspace cloudformation cloudtrail cloudwatch config events-archive health "
    "iam kms logs organizations ram resource-explorer-2 resource-groups route53resolver scheduler-group "
    "secretsmanager servicecatalog servicequotas sso ssm sts tag wafv2 waf waf-regional xray"
)
_OTHER_SERVICES = frozenset(_OTHER_SERVICES_TOLD.split())
_OTHER_TYPES_TOLD = (
    "security-group subnet vpc route-table network-acl network-interface internet-gateway nat-gateway "
    "vpc-endpoint elastic-ip transit-gateway key-pair dhcp-options placement-group snapshot image launch- "
    "template prefix-list parametergroup pg cluster-pg subgrp subnetgroup og snapshot-group capacity- "
    "provider cluster-snapshot scalingPolicy vpc-peering-connection egress-only-internet-gateway"
)
_OTHER_TYPES = frozenset(_OTHER_TYPES_TOLD.split())
_COMPONENT_TYPES_TOLD = (
    "path table-stream vpc-link alias app-client backup-plan consumer deployment event-source-mapping index "
    "integration layer "
    "listener listener-rule rule route stage stream-consumer subscription target-group targetgroup task "
    "task-definition task-set usage-plan volume scaling-policy schedule scalable-target nodegroup addon "
    "fargateprofile"
)
_COMPONENT_TYPES = frozenset(_COMPONENT_TYPES_TOLD.split())


def rank_of(resource: Resource) -> Rank:
    """The service file's word, else the table's, else container: an unknown thing that others use runs or stores."""
    service = catalogue.services().get(resource.service)
    if service is not None and resource.type in service.types:
        return service.types[resource.type]
    parts = arns.parse(resource.arn) if arns.is_arn(resource.arn) else None
    spaces = {resource.service, parts.service if parts else ""}
    kinds = {resource.type, parts.type if parts else ""}
    if spaces & _OTHER_SERVICES or kinds & _OTHER_TYPES:
        return "other"
    return "component" if kinds & _COMPONENT_TYPES else "container"


def homes(
    resources: Mapping[str, Resource], relations: Iterable[Relation], rank: Mapping[str, str]
) -> dict[str, str]:
    """ARN -> ARN of the container that it is, or is a part of.

    A component belongs to what its ARN lies in, else to a container of its own service that is related to it, callers
    first, else to one whose relation says so. One that belongs to nothing known stands for itself.
    """
    found = {arn: arn for arn in resources if rank[arn] == "container"}
    parts = [arn for arn in resources if rank[arn] == "component"]
    near: defaultdict[str, list[tuple[int, str]]] = defaultdict(list)
    for one in relations:
        for part, other, order in ((one.target, one.source, 0), (one.source, one.target, 1)):
            same = resources[part].service == resources[other].service
            if rank[part] == "component" and (same or one.kind in _PART_OF):
                near[part].append((order, other))
    for arn in parts:
        owner = catalogue.owner_arn(arn)
        if owner != arn and owner in found:
            found[arn] = owner
    todo = [arn for arn in parts if arn not in found]
    for _ in range(_MOST_STEPS):
        told = {}
        for arn in todo:
            known = sorted((order, found[other]) for order, other in near[arn] if other in found)
            if known:
                told[arn] = known[0][1]
        if not told:
            break
        found.update(told)
        todo = [arn for arn in todo if arn not in told]
    found.update({arn: arn for arn in todo})
    return found
