"""VPC: security groups, network ACLs, route tables, NAT gateways and endpoints, and what their rules let through."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

from tools import arn as arns
from tools import network_rules as rules
from tools.errors import NotThere
from tools.kit import call, here, optional, plain, record, relation, text
from tools.models import Call, ChangeEvent, Json, Relation, Resource, Value
from tools.services._spec import (
    Change,
    Condition,
    Directory,
    Effect,
    MetricSpec,
    Outline,
    Read,
    Service,
    Setting,
    Signature,
    inert,
)

if TYPE_CHECKING:
    from tools.aws import Reader

_SOURCE = "ec2.amazonaws.com"

# resource type -> operation, its parameter for ids, list in the answer, id in an item, word in the ARN
_KINDS: Mapping[str, tuple[str, str, str, str, str]] = {
    "vpc": ("DescribeVpcs", "VpcIds", "Vpcs", "VpcId", "vpc"),
    "subnet": ("DescribeSubnets", "SubnetIds", "Subnets", "SubnetId", "subnet"),
    "security-group": (
        "DescribeSecurityGroups",
        "GroupIds",
        "SecurityGroups",
        "GroupId",
        "security-group",
    ),
    "network-acl": ("DescribeNetworkAcls", "NetworkAclIds", "NetworkAcls", "NetworkAclId", "network-acl"),
    "route-table": ("DescribeRouteTables", "RouteTableIds", "RouteTables", "RouteTableId", "route-table"),
    "nat-gateway": ("DescribeNatGateways", "NatGatewayIds", "NatGateways", "NatGatewayId", "natgateway"),
    "vpc-endpoint": (
        "DescribeVpcEndpoints",
        "VpcEndpointIds",
        "VpcEndpoints",
        "VpcEndpointId",
        "vpc-endpoint",
    ),
    "network-interface": (
        "DescribeNetworkInterfaces",
        "NetworkInterfaceIds",
        "NetworkInterfaces",
        "NetworkInterfaceId",
        "network-interface",
    ),
}
_WORDS = {word: type for type, (*_, word) in _KINDS.items()} | {"elastic-ip": "elastic-ip"}


def _arn(at: Resource | ChangeEvent, type: str, id: str, account: str = "") -> str:
    word = _KINDS[type][4] if type in _KINDS else type
    return arns.build("ec2", at.region, account or at.account, f"{word}/{id}")


# -- reading ----------------------------------------------------------------------------------------


def discover(reader: Reader, region: str) -> Iterable[Resource]:
    """NAT gateways, endpoints, subnets and security groups; the rest is found where these name it."""
    for type in ("nat-gateway", "vpc-endpoint", "subnet", "security-group"):
        operation, _, items, _, _ = _KINDS[type]
        with reader.seeing(f"{_KINDS[type][2]} in {region}", "how the network is laid out"):
            pages = reader.pages("ec2", operation, items, region=region, MaxResults=1000)
            for number, item in enumerate(pages.items):
                yield _resource(type, item, region, reader.aws.account, (pages.of(number, 1000),))


def _resource(
    type: str, item: Mapping[str, Any], region: str, account: str, evidence: tuple[str, ...]
) -> Resource:
    config = plain(item)
    id = str(item[_KINDS[type][3]])
    owner = text(config, "OwnerId") or account
    return Resource(
        arn=arns.build("ec2", region, owner, f"{_KINDS[type][4]}/{id}"),
        service="vpc",
        type=type,
        name=id,
        account=owner,
        region=region,
        config=config,
        tags={tag["Key"]: tag["Value"] for tag in item.get("Tags") or item.get("TagSet") or []},
        evidence=tuple(one for one in evidence if one),
    )


def describe(reader: Reader, arn: str) -> Resource | None:
    """One of them whole. A subnet also says its `RouteTableId` and `NetworkAclId`; a VPC its DNS attributes
    (`EnableDnsSupport`, `EnableDnsHostnames`) and `VpcEndpoints` (ids).
    """
    parts = arns.parse(arn)
    type = _WORDS.get(parts.type, "")
    if type not in _KINDS:
        return None
    operation, ids, items, id, _ = _KINDS[type]
    named: Json = {ids: [parts.name]}
    try:
        answer = reader.ask("ec2", operation, region=parts.region, **named)
    except NotThere:
        return None
    for item in answer.data.get(items) or []:
        if item[id] != parts.name:
            continue
        found: Json = dict(item)
        evidence = [answer.evidence]
        if type == "subnet":
            found |= _lies(reader, parts.region, item, evidence)
        if type == "vpc":
            found |= _offers(reader, parts.region, str(item["VpcId"]), evidence)
        return _resource(type, found, parts.region, parts.account, tuple(evidence))
    return None


def _lies(reader: Reader, region: str, subnet: Mapping[str, Any], evidence: list[str]) -> Json:
    """The route table and network ACL of a subnet: its own association, else the main or default one."""
    found: Json = {}
    vpc = [{"Name": "vpc-id", "Values": [str(subnet["VpcId"])]}]
    for operation, items, id, fallback, what in (
        ("DescribeRouteTables", "RouteTables", "RouteTableId", "Main", "Route table"),
        ("DescribeNetworkAcls", "NetworkAcls", "NetworkAclId", "", "Network ACL"),
    ):
        with reader.seeing(f"{what} of {subnet['SubnetId']}", "what lets its traffic through"):
            pages = reader.pages("ec2", operation, items, region=region, Filters=vpc)
            chosen = _associated(pages.items, str(subnet["SubnetId"]), fallback)
            if chosen:
                found[id] = chosen[id]
                evidence.extend(pages.evidence)
    return found


def gather(reader: Reader, todo: Sequence[Resource]) -> Iterable[Resource]:
    """Route tables, network ACLs, and listed subnets with theirs, from one listing of each per region."""
    useful = [one for one in todo if one.type != "subnet" or one.config]
    for region in sorted({one.region for one in useful}):
        held = {type: _listing(reader, region, type) for type in ("route-table", "network-acl")}
        for one in useful:
            if one.region != region:
                continue
            if one.type == "subnet":
                yield _lying(one, held)
                continue
            for item, said in held[one.type]:
                if item[_KINDS[one.type][3]] == one.name:
                    yield _resource(one.type, item, region, one.account, (said,))


def _listing(reader: Reader, region: str, type: str) -> list[tuple[Json, str]]:
    operation, _, items, _, _ = _KINDS[type]
    pages = reader.pages("ec2", operation, items, region=region, MaxResults=100)
    return list(zip(pages.items, pages.origins, strict=True))


def _lying(subnet: Resource, held: Mapping[str, Sequence[tuple[Json, str]]]) -> Resource:
    """A listed subnet with its route table and network ACL, as `_lies` finds them."""
    found, evidence = dict(subnet.config), list(subnet.evidence)
    for type, fallback in (("route-table", "Main"), ("network-acl", "")):
        id = _KINDS[type][3]
        near = [(item, said) for item, said in held[type] if item.get("VpcId") == subnet.config.get("VpcId")]
        if chosen := _associated([item for item, _ in near], subnet.name, fallback):
            found[id] = chosen[id]
            evidence.append(next(said for item, said in near if item is chosen))
    return replace(subnet, config=plain(found), evidence=tuple(dict.fromkeys(evidence)))


def _associated(candidates: Iterable[Mapping[str, Any]], subnet: str, fallback: str) -> Mapping[str, Any]:
    main: Mapping[str, Any] = {}
    for one in candidates:
        for association in one.get("Associations") or []:
            if association.get("SubnetId") == subnet:
                return one
            if fallback and association.get(fallback):
                main = one
    return main


def _offers(reader: Reader, region: str, vpc: str, evidence: list[str]) -> Json:
    """DNS attributes of a VPC, each a read of its own, and its endpoints."""
    found: Json = {}
    for attribute, key in (
        ("enableDnsSupport", "EnableDnsSupport"),
        ("enableDnsHostnames", "EnableDnsHostnames"),
    ):
        got = optional(
            reader,
            "ec2",
            "DescribeVpcAttribute",
            "DNS attribute",
            region=region,
            VpcId=vpc,
            Attribute=attribute,
        )
        if got is not None and got.data:
            found[key] = (got.data.get(key) or {}).get("Value")
            evidence.append(got.evidence)
    with reader.seeing(f"Endpoints of {vpc}", "which AWS services are reached without the internet"):
        pages = reader.pages(
            "ec2",
            "DescribeVpcEndpoints",
            "VpcEndpoints",
            region=region,
            Filters=[{"Name": "vpc-id", "Values": [vpc]}],
        )
        found["VpcEndpoints"] = sorted(str(one["VpcEndpointId"]) for one in pages.items)
        evidence.extend(pages.evidence)
    return found


# -- relations --------------------------------------------------------------------------------------


def relations(resource: Resource, directory: Directory) -> Iterable[Relation]:
    """Who may connect to whom by security groups; which tables and ACLs traffic of a subnet goes by, and where to."""
    config = resource.config
    if resource.type == "security-group":
        yield from _connects(resource)
    elif resource.type == "subnet":
        yield from _named(resource, "RouteTableId", "route-table", "routed by", "ec2:DescribeRouteTables")
        yield from _named(resource, "NetworkAclId", "network-acl", "filtered by", "ec2:DescribeNetworkAcls")
        yield from _named(resource, "VpcId", "vpc", "in", "ec2:DescribeSubnets")
    elif resource.type == "route-table":
        yield from _routes(resource)
    elif resource.type == "vpc":
        for id in config.get("VpcEndpoints") or []:
            yield relation(
                resource, _arn(resource, "vpc-endpoint", id), "served by", "ec2:DescribeVpcEndpoints"
            )
    elif resource.type == "nat-gateway":
        yield from _named(resource, "SubnetId", "subnet", "in", "ec2:DescribeNatGateways")
        for address in config.get("NatGatewayAddresses") or []:
            yield from _named(
                resource, "AllocationId", "elastic-ip", "uses", "ec2:DescribeNatGateways", address
            )
    elif resource.type == "vpc-endpoint":
        said_by = "ec2:DescribeVpcEndpoints"
        for id in config.get("SubnetIds") or []:
            yield relation(resource, _arn(resource, "subnet", id), "in", f"{said_by} SubnetIds")
        for group in config.get("Groups") or []:
            yield from _named(resource, "GroupId", "security-group", "guarded by", said_by, group)


def _named(
    resource: Resource, key: str, type: str, kind: str, said_by: str, inside: Mapping[str, Any] | None = None
) -> Iterable[Relation]:
    if id := text(inside if inside is not None else resource.config, key):
        yield relation(resource, _arn(resource, type, id), kind, f"{said_by} {key}")


def _connects(resource: Resource) -> Iterable[Relation]:
    for key, leaving in (("IpPermissions", False), ("IpPermissionsEgress", True)):
        for permission in resource.config.get(key) or []:
            for pair in permission.get("UserIdGroupPairs") or []:
                other = _arn(resource, "security-group", text(pair, "GroupId"), text(pair, "UserId"))
                if not text(pair, "GroupId") or other == resource.arn:
                    continue
                yield Relation(
                    source=resource.arn if leaving else other,
                    target=other if leaving else resource.arn,
                    kind="may connect to",
                    provenance=f"ec2:DescribeSecurityGroups {key}",
                    # Leaving is one half only: the other group has to let it in as well.
                    confidence=0.5 if leaving else 0.9,
                    evidence=resource.evidence,
                )


def _routes(resource: Resource) -> Iterable[Relation]:
    said_by = "ec2:DescribeRouteTables Routes"
    for route in resource.config.get("Routes") or []:
        if nat := text(route, "NatGatewayId"):
            yield relation(resource, _arn(resource, "nat-gateway", nat), "routes to", said_by)
        if instance := text(route, "InstanceId"):
            arn = arns.build("ec2", resource.region, resource.account, f"instance/{instance}")
            yield relation(resource, arn, "routes to", said_by)
        if (gateway := text(route, "GatewayId")).startswith("vpce-"):
            yield relation(resource, _arn(resource, "vpc-endpoint", gateway), "routes to", said_by)


def owner(dimensions: Mapping[str, str], partition: str, region: str, account: str) -> str:
    id = dimensions.get("NatGatewayId", "")
    return f"arn:{partition}:ec2:{region}:{account}:natgateway/{id}" if id else ""


# -- what an event touches --------------------------------------------------------------------------


def _touches(event: ChangeEvent, type: str, key: str) -> tuple[str, ...]:
    """The thing whose id the request or the answer holds at `key`, in either of CloudTrail's spellings."""
    for place in (rules.body(event), rules.answer(event)):
        for name in (key, key[0].lower() + key[1:]):
            ids = [str(id) for one in rules.items(place.get(name)) for id in [one] if isinstance(id, str)]
            if ids:
                return tuple(_arn(event, type, id) for id in ids)
    return ()


_touches_group = partial(_touches, type="security-group", key="GroupId")
_touches_acl = partial(_touches, type="network-acl", key="NetworkAclId")
_touches_table = partial(_touches, type="route-table", key="RouteTableId")
_touches_nat = partial(_touches, type="nat-gateway", key="NatGatewayId")
_touches_endpoint = partial(_touches, type="vpc-endpoint", key="VpcEndpointId")
_touches_vpc = partial(_touches, type="vpc", key="VpcId")
_touches_interface = partial(_touches, type="network-interface", key="NetworkInterfaceId")


def _touches_rules(event: ChangeEvent) -> tuple[str, ...]:
    """The group whose rules change, then those on the far side of the rules: they are hurt, and may be all that is
    known, for once a rule is gone no configuration joins the two.
    """
    own = _touches_group(event)
    far = rules.groups_named(rules.permissions(event))
    far += [text(one, "SecurityGroupRule", "ReferencedGroupId") for one in rules.rule_updates(event)]
    others = (_arn(event, "security-group", id) for id in dict.fromkeys(far) if id)
    return (*own, *(arn for arn in others if arn not in own)) if own else ()


def _touches_created(event: ChangeEvent) -> tuple[str, ...]:
    id = text(rules.answer(event), "vpcEndpoint", "vpcEndpointId")
    return (_arn(event, "vpc-endpoint", id),) if id else _touches_vpc(event)


def _touches_route(event: ChangeEvent) -> tuple[str, ...]:
    """The route table, and the gateway that the route leads to where the request says it."""
    table = _touches_table(event)
    nat = text(event.request, "natGatewayId")
    return (*table, *((_arn(event, "nat-gateway", nat),) if nat and table else ()))


def _touches_address(event: ChangeEvent) -> tuple[str, ...]:
    """The address, else the association by its id, for which AWS has no ARN; then what it was or is on."""
    sent = event.request
    id = next(
        (text(sent, key) for key in ("allocationId", "associationId", "publicIp") if text(sent, key)), ""
    )
    found = [_arn(event, "elastic-ip", id)] if id else []
    if instance := text(sent, "instanceId"):
        found.append(here(event, "ec2", f"instance/{instance}"))
    return (*found, *_touches_interface(event)) if found else ()


# -- settings ---------------------------------------------------------------------------------------

# Packets that no rule lets through are dropped without a word, so callers wait until they time out. Connections
# that are open already may live on (connection tracking), so it can take a while until all are hurt.
_CUT = (
    Effect(metric="role:errors", direction="up", on="upstream", after=(0, 1800)),
    Effect(metric="role:latency", direction="up", on="upstream", after=(0, 1800)),
    Effect(metric="role:demand", direction="down", on="upstream", after=(0, 3600)),
    Effect(metric="role:demand", direction="silent", on="upstream", after=(0, 3600)),
    Effect(metric="role:work", direction="down", on="upstream", after=(0, 3600)),
    Effect(metric="role:saturation", direction="down", on="upstream", after=(0, 3600)),
    Effect(metric="role:backlog", direction="up", on="upstream", after=(0, 3600)),
)
_UNUSED = (
    Effect(metric="role:demand", direction="down", on="downstream", after=(0, 1800)),
    Effect(metric="role:demand", direction="silent", on="downstream", after=(0, 1800)),
    Effect(metric="role:work", direction="down", on="downstream", after=(0, 1800)),
)
_REFUSED = (
    Effect(metric="role:errors", direction="up", on="upstream", after=(0, 900)),
    Effect(metric="role:latency", direction="up", on="upstream", after=(0, 900)),
)


def _read_vpc(attribute: str, resource: Resource) -> Call:
    return call("ec2", "DescribeVpcAttribute", resource, VpcId=resource.name, Attribute=attribute)


def _restore_vpc(name: str, resource: Resource, value: Value) -> tuple[Call, ...]:
    if not isinstance(value, bool):
        return ()
    # One attribute a call: ModifyVpcAttribute takes no two at once.
    return (call("ec2", "ModifyVpcAttribute", resource, VpcId=resource.name, **{name: {"Value": value}}),)


def _dns(name: str, words: str) -> Setting:
    attribute = name[0].lower() + name[1:]
    return Setting(
        type="vpc",
        name=words,
        path=name,
        unit="",
        requests={"ModifyVpcAttribute": f"{attribute}.value"},
        restore=partial(_restore_vpc, name),
        read=partial(_read_vpc, attribute),
        query=f"{name}.Value",
        echo="none",
        effects=_REFUSED,
    )


def _read_endpoint(resource: Resource) -> Call:
    return call("ec2", "DescribeVpcEndpoints", resource, VpcEndpointIds=[resource.name])


def _restore_endpoint(name: str, resource: Resource, value: Value) -> tuple[Call, ...]:
    if value is None:
        return ()
    sent = value if isinstance(value, bool) else str(value)
    return (call("ec2", "ModifyVpcEndpoint", resource, VpcEndpointId=resource.name, **{name: sent}),)


def _endpoint(name: str, words: str) -> Setting:
    return Setting(
        type="vpc-endpoint",
        name=words,
        path=name,
        unit="",
        requests={
            "ModifyVpcEndpoint": f"ModifyVpcEndpointRequest.{name}",
            "CreateVpcEndpoint": f"CreateVpcEndpointRequest.{name}",
        },
        restore=partial(_restore_endpoint, name),
        read=_read_endpoint,
        query=f"VpcEndpoints[0].{name}",
        echo="none",
        effects=_REFUSED,
    )


SETTINGS = (
    _dns("EnableDnsSupport", "DNS resolution"),
    _dns("EnableDnsHostnames", "DNS host names"),
    _endpoint("PolicyDocument", "endpoint policy"),
    _endpoint("PrivateDnsEnabled", "private DNS names of the endpoint"),
)

# -- undo -------------------------------------------------------------------------------------------

_Earlier = tuple[ChangeEvent, ...]


def _undo_rules(event: ChangeEvent, earlier: _Earlier) -> tuple[Call, ...]:
    """Authorize what was revoked, revoke what was authorized: the very permissions of the event."""
    group = text(event.request, "groupId")
    found = rules.permissions(event)
    revoked = event.operation.startswith("Revoke")
    if not found and revoked:
        found = _by_id(event, group, earlier)
    if not group or not found:
        return ()
    old, new = ("Revoke", "Authorize") if revoked else ("Authorize", "Revoke")
    if revoked and rules.permissions(event):
        found, _ = rules.described(event, _before(event, earlier))
    sent = found if revoked else rules.undescribed(found)
    return (call("ec2", event.operation.replace(old, new), event, GroupId=group, IpPermissions=sent),)


def _swapped(calls: tuple[Call, ...]) -> tuple[Call, ...]:
    """The way back from an undo: a rule that is authorized again has a new id, so it is named by what it says."""
    ways = {"Authorize": "Revoke", "Revoke": "Authorize"}
    return tuple(
        replace(one, operation=one.operation.replace(way, ways[way], 1))
        for one in calls
        for way in ways
        if one.operation.startswith(way)
    )


def _by_id(event: ChangeEvent, group: str, earlier: _Earlier) -> list[Json]:
    """Rules that the event names by id only, as earlier events tell them; [] unless all are known."""
    ids = [str(id) for id in rules.items(event.request.get("securityGroupRuleIds"))]
    ids = ids or [str(id) for id in rules.items(event.request.get("securityGroupRuleId"))]
    known = [rules.rule_before(group, id, _before(event, earlier)) for id in ids]
    if not known or not all(known):
        return []
    lower = [{key[0].lower() + key[1:]: value for key, value in one.items()} for one in known]
    return [rules.rule_permission(one) for one in lower]


def _before(event: ChangeEvent, earlier: _Earlier) -> _Earlier:
    return tuple(one for one in earlier if one.id != event.id and not one.error_code)


def _undo_modified_rules(event: ChangeEvent, earlier: _Earlier) -> tuple[Call, ...]:
    group = text(rules.body(event), "GroupId")
    updates = rules.rule_updates(event)
    before = [
        {"SecurityGroupRuleId": id, "SecurityGroupRule": rule}
        for one in updates
        if (id := text(one, "SecurityGroupRuleId"))
        if (rule := rules.rule_before(group, id, _before(event, earlier)))
    ]
    if not group or not before or len(before) != len(updates):
        return ()
    return (call("ec2", "ModifySecurityGroupRules", event, GroupId=group, SecurityGroupRules=before),)


def _undo_entry(event: ChangeEvent, earlier: _Earlier) -> tuple[Call, ...]:
    """A network ACL entry: delete what was created, bring back what an earlier event had made of it."""
    sent = rules.parameters(event)
    if not sent:
        return ()
    if event.operation == "CreateNetworkAclEntry":
        named = {key: sent[key] for key in ("NetworkAclId", "RuleNumber", "Egress")}
        return (call("ec2", "DeleteNetworkAclEntry", event, **named),)
    before = next((one for one in _before(event, earlier) if _same_entry(one, event)), None)
    if before is None or before.operation == "DeleteNetworkAclEntry":
        return ()
    operation = event.operation.replace("Delete", "Create")
    was = rules.parameters(before, operation)
    return (call("ec2", operation, event, **was),) if was else ()


def _same_entry(one: ChangeEvent, other: ChangeEvent) -> bool:
    return one.operation.endswith("NetworkAclEntry") and rules.entry_key(one) == rules.entry_key(other)


def _undo_route(event: ChangeEvent, earlier: _Earlier) -> tuple[Call, ...]:
    """DeleteRoute and ReplaceRoute do not say where the route led: only an earlier event tells."""
    sent = rules.parameters(event)
    if not sent:
        return ()
    if event.operation == "CreateRoute":
        return (call("ec2", "DeleteRoute", event, **rules.destination(sent)),)
    before = next((one for one in _before(event, earlier) if _same_route(one, event)), None)
    if before is None or before.operation == "DeleteRoute":
        return ()
    operation = event.operation.replace("Delete", "Create")
    was = rules.parameters(before, operation)
    return (call("ec2", operation, event, **was),) if was else ()


def _same_route(one: ChangeEvent, other: ChangeEvent) -> bool:
    known = ("CreateRoute", "ReplaceRoute", "DeleteRoute")
    return one.operation in known and rules.route_key(one) == rules.route_key(other)


def _undo_association(event: ChangeEvent, earlier: _Earlier) -> tuple[Call, ...]:
    """Put the subnet back on the table or ACL it had: the event that made its association names it."""
    association = text(event.request, "associationId")
    new = text(event.response, "newAssociationId")
    key = "networkAclId" if "NetworkAcl" in event.operation else "routeTableId"
    for before in _before(event, earlier):
        made = text(before.response, "newAssociationId") or text(before.response, "associationId")
        if made == association and made and new and text(before.request, key):
            named = {key[0].upper() + key[1:]: text(before.request, key)}
            return (call("ec2", event.operation, event, AssociationId=new, **named),)
    return ()


def _undo_endpoint(event: ChangeEvent, earlier: _Earlier) -> tuple[Call, ...]:
    """Create again what was deleted, as it was asked for first. Later changes to it have to be made again."""
    wanted = {arns.parse(arn).name for arn in _touches_endpoint(event)}
    calls = []
    for before in _before(event, earlier):
        id = text(rules.answer(before), "vpcEndpoint", "vpcEndpointId")
        if before.operation == "CreateVpcEndpoint" and id in wanted and (sent := _asked_for(before)):
            wanted.discard(id)
            calls.append(call("ec2", "CreateVpcEndpoint", event, **sent))
    return tuple(calls) if not wanted else ()


_LISTS = {"RouteTableId": "RouteTableIds", "SubnetId": "SubnetIds", "SecurityGroupId": "SecurityGroupIds"}
_WORDS_KEPT = ("VpcId", "ServiceName", "VpcEndpointType", "PolicyDocument", "IpAddressType")


def _asked_for(event: ChangeEvent) -> Json:
    """The parameters of a CreateVpcEndpoint event; {} when it has some that are not known here."""
    sent = rules.body(event)
    left = {"ClientToken", "DryRun", "TagSpecification", "tag", "xmlns", "PrivateDnsEnabled"}
    if set(sent) - left - set(_LISTS) - set(_WORDS_KEPT):
        return {}
    found: Json = {key: text(sent, key) for key in _WORDS_KEPT if text(sent, key)}
    for key, name in _LISTS.items():
        if ids := [str(id) for id in rules.items(sent.get(key))]:
            found[name] = ids
    if sent.get("PrivateDnsEnabled") is not None:
        found["PrivateDnsEnabled"] = str(sent["PrivateDnsEnabled"]).lower() == "true"
    return found


def _undo_endpoint_parts(event: ChangeEvent, earlier: _Earlier) -> tuple[Call, ...]:
    """Add the route tables, subnets and groups that were removed, and the other way round."""
    sent = rules.body(event)
    back: Json = {}
    for key, plural in _LISTS.items():
        for verb, reverse in (("Add", "Remove"), ("Remove", "Add")):
            ids = rules.items(sent.get(f"{verb}{key}") or sent.get(f"{verb}{plural}"))
            if ids:
                back[f"{reverse}{plural}"] = [str(id) for id in ids]
    id = text(sent, "VpcEndpointId")
    return (call("ec2", "ModifyVpcEndpoint", event, VpcEndpointId=id, **back),) if back and id else ()


def _undo_address(event: ChangeEvent, earlier: _Earlier) -> tuple[Call, ...]:
    """Associate the address again with what the event that made the association names."""
    association = text(event.request, "associationId")
    for before in _before(event, earlier):
        made = text(before.response, "associationId")
        if before.operation == "AssociateAddress" and made and made == association:
            sent = rules.parameters(before)
            sent.pop("AllowReassociation", None)
            return (call("ec2", "AssociateAddress", event, **sent),) if sent else ()
    return ()


_MOVED_TO = ("InstanceId", "NetworkInterfaceId", "PrivateIpAddress")


def _undo_reassociation(event: ChangeEvent, earlier: _Earlier) -> tuple[Call, ...]:
    """An address that was moved goes back to where the newest earlier event had put it; () where none did.

    Without `allowReassociation` AWS moves no address of a VPC that is in use: then it was free, and no call is here.
    """
    sent = rules.parameters(event)
    key = next((name for name in ("AllocationId", "PublicIp") if sent.get(name)), "")
    made: list[str] = []  # associations, newest first, that were ended before the event
    for before in _before(event, earlier) if key else ():
        association = text(before.response, "associationId") or text(before.request, "associationId")
        if before.operation == "DisassociateAddress":
            if rules.parameters(before).get(key) == sent[key]:
                return ()
            made.append(association)
        elif (
            before.operation == "AssociateAddress" and (was := rules.parameters(before)).get(key) == sent[key]
        ):
            place = {name: was[name] for name in _MOVED_TO if name in was}
            if not place or association in made:
                return ()
            moved = {key: sent[key], **place, "AllowReassociation": True}
            return (call("ec2", "AssociateAddress", event, **moved),)
    return ()


def _undo_interface(event: ChangeEvent, earlier: _Earlier) -> tuple[Call, ...]:
    """The groups that an earlier event gave the network interface."""
    id = text(event.request, "networkInterfaceId")
    now = _groups(event)
    for before in _before(event, earlier) if now else ():
        same = text(before.request, "networkInterfaceId") == id
        if before.operation == "ModifyNetworkInterfaceAttribute" and same and (groups := _groups(before)):
            return (call("ec2", event.operation, event, NetworkInterfaceId=id, Groups=groups),)
    return ()


def _groups(event: ChangeEvent) -> list[str]:
    return [
        text(one, "groupId") for one in rules.items(event.request.get("groupSet")) if text(one, "groupId")
    ]


# -- changes ----------------------------------------------------------------------------------------

_GROUP = "sg-0a1b2c3d4e5f60718"
_APP = "sg-0f9e8d7c6b5a40312"
_TABLE = "rtb-0a1b2c3d4e5f60718"
_ACL = "acl-0a1b2c3d4e5f60718"
_NAT = "nat-0a1b2c3d4e5f60718"
_ENDPOINT = "vpce-0a1b2c3d4e5f60718"
_VPC = "vpc-0a1b2c3d4e5f60718"
_DONE: Json = {"requestId": "0f0e2b7d-64a1-4c63-9a53-5f6d3f0b7c11", "_return": True}
_RULE: Json = {
    "groupId": _GROUP,
    "ipPermissions": {
        "items": [
            {
                "ipProtocol": "tcp",
                "fromPort": 5432,
                "toPort": 5432,
                "groups": {"items": [{"groupId": _APP, "description": "orders service"}]},
                "ipRanges": {},
                "ipv6Ranges": {},
                "prefixListIds": {},
            }
        ]
    },
}
_RULE_SET: Json = {
    "items": [
        {
            "securityGroupRuleId": "sgr-0a1b2c3d4e5f60718",
            "groupId": _GROUP,
            "isEgress": False,
            "ipProtocol": "tcp",
            "fromPort": 5432,
            "toPort": 5432,
            "referencedGroupId": _APP,
            "description": "orders service",
        }
    ]
}
_ROUTE: Json = {"routeTableId": _TABLE, "destinationCidrBlock": "0.0.0.0/0"}
_ENTRY: Json = {
    "networkAclId": _ACL,
    "ruleNumber": 90,
    "egress": False,
    "ruleAction": "deny",
    "aclProtocol": "6",
    "cidrBlock": "10.0.0.0/8",
    "portRange": {"from": 1024, "to": 65535},
    "icmpTypeCode": {},
}
_MODIFY_RULES: Json = {
    "ModifySecurityGroupRulesRequest": {
        "GroupId": _GROUP,
        "SecurityGroupRule": {
            "tag": 1,
            "SecurityGroupRuleId": "sgr-0a1b2c3d4e5f60718",
            "SecurityGroupRule": {
                "IpProtocol": "tcp",
                "FromPort": 5433,
                "ToPort": 5433,
                "ReferencedGroupId": _APP,
            },
        },
    }
}
_POLICY = json.dumps({"Version": "2012-10-17", "Statement": []})
_CREATE_ENDPOINT: Json = {
    "CreateVpcEndpointRequest": {
        "VpcId": _VPC,
        "ServiceName": "com.amazonaws.eu-west-1.secretsmanager",
        "VpcEndpointType": "Interface",
        "SubnetId": {"tag": 1, "content": "subnet-0a1b2c3d4e5f60718"},
        "SecurityGroupId": {"tag": 1, "content": _GROUP},
        "PolicyDocument": _POLICY,
        "PrivateDnsEnabled": True,
    }
}


def _wrapped(operation: str, **found: Any) -> Json:
    return {f"{operation}Response": {"xmlns": "http://ec2.amazonaws.com/doc/2016-11-15/", **found}}


def _change(
    operation: str,
    touches: Any,
    breaks: str,
    request: Json,
    effects: tuple[Effect, ...] = _CUT,
    *,
    undo: Any = None,
    earlier: tuple[str, ...] = (),
    response: Json | None = None,
    more: tuple[Json, ...] = (),
) -> Change:
    return Change(
        operation=operation,
        touches=touches,
        breaks=breaks,
        example=record(_SOURCE, operation, request, _DONE if response is None else response),
        more_examples=more,
        effects=effects,
        undo=undo,
        back=_swapped if undo is _undo_rules else None,
        earlier=earlier,
    )


_RULES_BY_ID: Json = {"groupId": _GROUP, "securityGroupRuleIds": {"items": ["sgr-0a1b2c3d4e5f60718"]}}

CHANGES = (
    _change(
        "RevokeSecurityGroupIngress",
        _touches_rules,
        "New connections that the rule let in are dropped without a word: callers time out.",
        _RULE,
        undo=_undo_rules,
        earlier=("ModifySecurityGroupRules",),
        response={**_DONE, "revokedSecurityGroupRuleSet": _RULE_SET},
        more=(
            record(_SOURCE, "RevokeSecurityGroupIngress", _RULE, _DONE),
            record(
                _SOURCE,
                "RevokeSecurityGroupIngress",
                _RULES_BY_ID,
                {**_DONE, "revokedSecurityGroupRuleSet": _RULE_SET},
            ),
        ),
    ),
    _change(
        "RevokeSecurityGroupEgress",
        _touches_rules,
        "New connections to what the rule led to are dropped: members of the group time out.",
        _RULE,
        (*_CUT, *_UNUSED),
        undo=_undo_rules,
        earlier=("ModifySecurityGroupRules",),
    ),
    _change(
        "AuthorizeSecurityGroupIngress",
        _touches_rules,
        "More may connect than before.",
        _RULE,
        (Effect(metric="role:demand", direction="up", on="upstream", after=(0, 3600)),),
        undo=_undo_rules,
        earlier=("ModifySecurityGroupRules",),
        response={**_DONE, "securityGroupRuleSet": _RULE_SET},
    ),
    _change(
        "AuthorizeSecurityGroupEgress",
        _touches_rules,
        "Members of the group may reach more than before.",
        _RULE,
        (),
        undo=_undo_rules,
        earlier=("ModifySecurityGroupRules",),
        response={**_DONE, "securityGroupRuleSet": _RULE_SET},
    ),
    _change(
        "ModifySecurityGroupRules",
        _touches_rules,
        "What the rules let through before is dropped: callers time out.",
        _MODIFY_RULES,
        undo=_undo_modified_rules,
        earlier=("AuthorizeSecurityGroupIngress", "AuthorizeSecurityGroupEgress"),
        response=_wrapped("ModifySecurityGroupRules", **{"return": True}),
    ),
    _change(
        "DeleteRoute",
        _touches_route,
        "Traffic to the destination has no way any more.",
        _ROUTE,
        (*_CUT, *_UNUSED),
        undo=_undo_route,
    ),
    _change(
        "ReplaceRoute",
        _touches_route,
        "Traffic to the destination takes another way, or none.",
        {**_ROUTE, "gatewayId": "igw-0a1b2c3d4e5f60718"},
        (*_CUT, *_UNUSED),
        undo=_undo_route,
    ),
    _change(
        "CreateRoute",
        _touches_route,
        "Traffic to the destination is drawn away from a wider route.",
        {**_ROUTE, "natGatewayId": _NAT},
        undo=_undo_route,
    ),
    _change(
        "ReplaceRouteTableAssociation",
        _touches_table,
        "The subnet goes by other routes.",
        {"associationId": "rtbassoc-0a1b2c3d4e5f60718", "routeTableId": _TABLE},
        (*_CUT, *_UNUSED),
        undo=_undo_association,
        earlier=("AssociateRouteTable",),
        response={**_DONE, "newAssociationId": "rtbassoc-0f9e8d7c6b5a40312"},
    ),
    _change(
        "ReplaceNetworkAclAssociation",
        _touches_acl,
        "The subnet is filtered by other rules.",
        {"associationId": "aclassoc-0a1b2c3d4e5f60718", "networkAclId": _ACL},
        undo=_undo_association,
        response={**_DONE, "newAssociationId": "aclassoc-0f9e8d7c6b5a40312"},
    ),
    *(
        _change(
            operation,
            _touches_acl,
            "Traffic of the whole subnet is let through or dropped by another rule, answers included: a network "
            "ACL keeps no state.",
            request,
            undo=_undo_entry,
        )
        for operation, request in (
            ("CreateNetworkAclEntry", _ENTRY),
            ("ReplaceNetworkAclEntry", _ENTRY),
            ("DeleteNetworkAclEntry", {"networkAclId": _ACL, "ruleNumber": 100, "egress": False}),
        )
    ),
    _change(
        "DeleteNatGateway",
        _touches_nat,
        "Routes through it lead nowhere; its addresses are no longer the source of what goes out.",
        {"DeleteNatGatewayRequest": {"NatGatewayId": _NAT}},
        (
            *_CUT,
            Effect(metric="BytesOutToDestination", direction="silent", after=(0, 900), may=True),
            Effect(metric="BytesOutToDestination", direction="down", after=(0, 900), may=True),
            Effect(metric="ActiveConnectionCount", direction="silent", after=(0, 900), may=True),
        ),
        response=_wrapped("DeleteNatGateway", natGatewayId=_NAT),
    ),
    _change(
        "ModifyVpcEndpoint",
        _touches_endpoint,
        "Calls to the AWS service behind the endpoint are refused, or find no way.",
        {
            "ModifyVpcEndpointRequest": {
                "VpcEndpointId": _ENDPOINT,
                "PolicyDocument": _POLICY,
                "PrivateDnsEnabled": False,
                "RemoveSubnetId": {"tag": 1, "content": "subnet-0a1b2c3d4e5f60718"},
            }
        },
        _REFUSED,
        undo=_undo_endpoint_parts,
        response=_wrapped("ModifyVpcEndpoint", **{"return": True}),
    ),
    _change(
        "DeleteVpcEndpoints",
        _touches_endpoint,
        "Calls to the AWS service behind the endpoint go by the internet, or nowhere.",
        {"DeleteVpcEndpointsRequest": {"VpcEndpointId": {"tag": 1, "content": _ENDPOINT}}},
        undo=_undo_endpoint,
        earlier=("CreateVpcEndpoint",),
        response=_wrapped("DeleteVpcEndpoints", unsuccessful=""),
    ),
    _change(
        "DisassociateAddress",
        _touches_address,
        "What had the public address is no longer reached by it and goes out by another, or not at all.",
        {"associationId": "eipassoc-0a1b2c3d4e5f60718"},
        undo=_undo_address,
        earlier=("AssociateAddress",),
    ),
    _change(
        "AssociateAddress",
        _touches_address,
        "The address leads to another place than before.",
        {"allocationId": "eipalloc-0a1b2c3d4e5f60718", "instanceId": "i-0a1b2c3d4e5f60718"},
        response={**_DONE, "associationId": "eipassoc-0a1b2c3d4e5f60718"},
        undo=_undo_reassociation,
    ),
    _change(
        "ModifyNetworkInterfaceAttribute",
        _touches_interface,
        "Other rules guard the interface, or it drops what it used to forward.",
        {
            "networkInterfaceId": "eni-0a1b2c3d4e5f60718",
            "groupSet": {"items": [{"groupId": _APP}]},
        },
        undo=_undo_interface,
    ),
    _change(
        "ModifyVpcAttribute",
        _touches_vpc,
        "Names are not resolved in the VPC.",
        {"vpcId": _VPC, "enableDnsSupport": {"value": False}},
        (),
        more=(
            record(
                _SOURCE,
                "ModifyVpcAttribute",
                {"vpcId": _VPC, "enableDnsHostnames": {"value": False}},
                _DONE,
            ),
        ),
    ),
    *(
        inert(operation, touches, record(_SOURCE, operation, request, response))
        for operation, touches, request, response in (
            (
                "CreateVpcEndpoint",
                _touches_created,
                _CREATE_ENDPOINT,
                _wrapped("CreateVpcEndpoint", vpcEndpoint={"vpcEndpointId": _ENDPOINT}),
            ),
            (
                "CreateNatGateway",
                _touches_nat,
                {"CreateNatGatewayRequest": {"SubnetId": "subnet-0a1b2c3d4e5f60718", "NatGatewayId": _NAT}},
                _wrapped("CreateNatGateway", natGatewayId=_NAT),
            ),
            (
                "AssociateRouteTable",
                _touches_table,
                {"routeTableId": _TABLE, "subnetId": "subnet-0a1b2c3d4e5f60718"},
                {**_DONE, "associationId": "rtbassoc-0a1b2c3d4e5f60718"},
            ),
            (
                "UpdateSecurityGroupRuleDescriptionsIngress",
                _touches_group,
                _RULE,
                _DONE,
            ),
        )
    ),
)


# -- metrics and conditions -------------------------------------------------------------------------


def _metric(name: str, stat: str, role: Any, bad: Any, unit: str, missing: Any = "idle") -> MetricSpec:
    return MetricSpec(
        type="nat-gateway", name=name, stat=stat, role=role, bad=bad, missing=missing, unit=unit
    )


CONDITIONS = (
    Condition(
        key="port-allocation",
        type="nat-gateway",
        title="no source port left: too many connections to one destination",
        metrics=("ErrorPortAllocation",),
        breaks="New connections to the same address and port fail; a NAT gateway has only so many for each address.",
        relieve=(
            "Find who opens so many connections to one destination; keep connections open and share them.",
            "Associate more addresses with the NAT gateway, or send AWS calls through VPC endpoints.",
        ),
        prevent=("Alarm on ErrorPortAllocation above zero.",),
    ),
    Condition(
        key="nat-gateway-failed",
        type="nat-gateway",
        title="the NAT gateway failed",
        metrics=(),
        breaks="Routes that lead to it drop all packets; what lies behind it reaches nothing outside.",
        relieve=(
            "Read FailureMessage: the address, the subnet or the internet gateway that it needs is missing.",
            "Make another NAT gateway and lead the routes to it. Tell partners who admit its address: it is a new one.",
        ),
        prevent=("Alarm on BytesOutToDestination at zero; have a NAT gateway in every zone.",),
        shown=lambda gateway: text(gateway.config, "State") == "failed",
    ),
    Condition(
        key="subnet-full",
        type="subnet",
        title="no free addresses in the subnet",
        metrics=(),
        breaks="Nothing new starts there: tasks, functions, instances and load balancers get no address.",
        relieve=(
            "Stop what is not needed there, or have new things start in other subnets.",
            "Add subnets from another range to the network. A subnet cannot be made larger.",
        ),
        prevent=("Watch AvailableIpAddressCount of subnets that much is started in.",),
        shown=lambda subnet: subnet.config.get("AvailableIpAddressCount") == 0,
    ),
)

SIGNATURES = (
    Signature(
        match=r"is not authorized to perform: .*(?:with an explicit deny in a|because no) VPC endpoint policy",
        code="AccessDeniedException",
        reason="VPC endpoint policy",
        points_to="PolicyDocument",
        says="the policy of the VPC endpoint does not let the call through",
    ),
)


def outline(resource: Resource, directory: Directory) -> Iterable[Relation]:
    """In which network groups, tables and ACLs lie; the gateways and peers that a table's routes lead to."""
    reads = {
        "security-group": "DescribeSecurityGroups",
        "route-table": "DescribeRouteTables",
        "network-acl": "DescribeNetworkAcls",
        "vpc-endpoint": "DescribeVpcEndpoints",
        "nat-gateway": "DescribeNatGateways",
    }
    if resource.type not in reads:
        return
    yield from _named(resource, "VpcId", "vpc", "in", f"ec2:{reads[resource.type]}")
    own = text(resource.config, "VpcId")
    for route in resource.config.get("Routes") or [] if resource.type == "route-table" else []:
        for key, word in (
            ("GatewayId", "internet-gateway"),
            ("EgressOnlyInternetGatewayId", "egress-only-internet-gateway"),
            ("VpcPeeringConnectionId", "vpc-peering-connection"),
            ("TransitGatewayId", "transit-gateway"),
        ):
            id = text(route, key)
            if not id or (key == "GatewayId" and not id.startswith("igw-")):
                continue
            said_by = f"ec2:DescribeRouteTables Routes.{key}"
            target = arns.build("ec2", resource.region, resource.account, f"{word}/{id}")
            yield relation(resource, target, "routes to", said_by)
            if own and key != "TransitGatewayId":  # a route leads to gateways of its own network only
                yield replace(relation(resource, _arn(resource, "vpc", own), "in", said_by), source=target)


SERVICE = Service(
    name="vpc",
    title="VPC",
    client="ec2",
    event_sources=(_SOURCE,),
    reads=(
        Read(
            operation="DescribeSecurityGroups",
            action="ec2:DescribeSecurityGroups",
            shows="who may connect to whom",
        ),
        Read(
            operation="DescribeSubnets", action="ec2:DescribeSubnets", shows="where things lie in the network"
        ),
        Read(
            operation="DescribeRouteTables",
            action="ec2:DescribeRouteTables",
            shows="where traffic of a subnet goes",
        ),
        Read(
            operation="DescribeNetworkAcls",
            action="ec2:DescribeNetworkAcls",
            shows="which traffic a subnet lets through",
        ),
        Read(
            operation="DescribeNatGateways",
            action="ec2:DescribeNatGateways",
            shows="how private subnets reach the internet",
        ),
        Read(
            operation="DescribeVpcEndpoints",
            action="ec2:DescribeVpcEndpoints",
            shows="how AWS services are reached without the internet",
        ),
        Read(operation="DescribeVpcs", action="ec2:DescribeVpcs", shows="which networks exist"),
        Read(
            operation="DescribeVpcAttribute",
            action="ec2:DescribeVpcAttribute",
            shows="whether names are resolved in a network",
        ),
        Read(
            operation="DescribeNetworkInterfaces",
            action="ec2:DescribeNetworkInterfaces",
            shows="which security groups guard an interface",
        ),
    ),
    # Shared by much that has nothing to do with each other: reached by the topology, not gone through.
    types=dict.fromkeys((*_KINDS, "elastic-ip"), "other"),
    arns={type: rf"ec2:{word}/.+" for word, type in sorted(_WORDS.items())},
    discover=discover,
    describe=describe,
    relations=relations,
    outline=Outline(
        relations=outline,
        gather=gather,
        gathers=("subnet", "route-table", "network-acl"),
        listed=("nat-gateway", "vpc-endpoint", "security-group"),
    ),
    namespace="AWS/NATGateway",
    dimensions=lambda resource: (("NatGatewayId", resource.name),) if resource.type == "nat-gateway" else (),
    owner=owner,
    metrics=(
        _metric("ErrorPortAllocation", "Sum", "errors", "up", "refused connections", "zero"),
        _metric("PacketsDropCount", "Sum", "errors", "up", "dropped packets", "zero"),
        _metric("BytesOutToDestination", "Sum", "demand", "down", "bytes out"),
        _metric("BytesInFromDestination", "Sum", "work", "down", "bytes in"),
        _metric("ConnectionAttemptCount", "Sum", "demand", "", "connections tried"),
        _metric("ConnectionEstablishedCount", "Sum", "work", "down", "connections made"),
        _metric("ActiveConnectionCount", "Maximum", "saturation", "", "open connections"),
    ),
    settings=SETTINGS,
    changes=CHANGES,
    conditions=CONDITIONS,
    signatures=SIGNATURES,
    listed=False,
    complete=("network-interface", "elastic-ip"),
    shared=("vpc", "subnet", "route-table", "network-acl"),  # with the subnets that an owner shares
)
