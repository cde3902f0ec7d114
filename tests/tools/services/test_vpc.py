"""VPC: how the network hangs together, and how each kind of rule is put back as it was."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from evals.emulation import Emulation, emulation
from tests.tools.fake_account import Answer, FakeAws
from tools import catalogue
from tools.directory import KnownResources
from tools.errors import Denied
from tools.models import Actor, Call, ChangeEvent, Json, Resource
from tools.parameters import from_cloudtrail, validate
from tools.services.vpc import SERVICE, describe, discover, gather, owner, relations
from tools.topology import around, paths, stub

AT = "eu-west-1:111122223333"
SUBNET, TABLE, ACL, VPC, NAT = "subnet-0a", "rtb-0a", "acl-0a", "vpc-0a", "nat-0a"
DB_GROUP, APP_GROUP, ENDPOINT = "sg-0db", "sg-0app", "vpce-0a"


def arn(word: str, id: str, account: str = "111122223333") -> str:
    return f"arn:aws:ec2:eu-west-1:{account}:{word}/{id}"


def happened(
    operation: str, request: Json, response: Json | None = None, *, minutes: int = 0, error: str = ""
) -> ChangeEvent:
    return ChangeEvent(
        id=f"{operation}-{minutes}",
        time=datetime(2026, 3, 13, 17, 0, tzinfo=UTC) - timedelta(minutes=minutes),
        source="ec2.amazonaws.com",
        action=operation,
        operation=operation,
        region="eu-west-1",
        account="111122223333",
        actor=Actor(kind="unknown", name="", how="unknown"),
        request=request,
        response=response or {"requestId": "r", "_return": True},
        error_code=error,
    )


def undo(event: ChangeEvent, *earlier: ChangeEvent) -> tuple[Call, ...]:
    known = catalogue.change_of(event)
    assert known is not None
    assert known.undo is not None
    calls = known.undo(event, earlier)
    assert [validate(one) for one in calls] == [()] * len(calls)
    assert {one.region for one in calls} <= {"eu-west-1"}
    return calls


# -- reading ----------------------------------------------------------------------------------------


def tables(parameters: Json) -> Json:
    assert parameters == {"Filters": [{"Name": "vpc-id", "Values": [VPC]}]} or parameters == {
        "RouteTableIds": [TABLE]
    }
    return {
        "RouteTables": [
            {
                "RouteTableId": "rtb-main",
                "VpcId": VPC,
                "Associations": [{"Main": True, "RouteTableId": "rtb-main"}],
            },
            {
                "RouteTableId": TABLE,
                "VpcId": VPC,
                "Associations": [{"Main": False, "SubnetId": SUBNET, "RouteTableId": TABLE}],
                "Routes": [
                    {"DestinationCidrBlock": "10.0.0.0/16", "GatewayId": "local", "State": "active"},
                    {"DestinationCidrBlock": "0.0.0.0/0", "NatGatewayId": NAT, "State": "active"},
                    {"DestinationPrefixListId": "pl-1", "GatewayId": ENDPOINT, "State": "active"},
                    {"DestinationCidrBlock": "192.0.2.0/24", "InstanceId": "i-0a", "State": "active"},
                ],
            },
        ]
    }


ANSWERS: Mapping[tuple[str, str], Answer] = {
    ("ec2", "DescribeSubnets"): {
        "Subnets": [
            {
                "SubnetId": SUBNET,
                "VpcId": VPC,
                "OwnerId": "111122223333",
                "Tags": [{"Key": "Name", "Value": "a"}],
            }
        ]
    },
    ("ec2", "DescribeRouteTables"): tables,
    ("ec2", "DescribeNetworkAcls"): {
        "NetworkAcls": [
            {
                "NetworkAclId": "acl-other",
                "Associations": [{"SubnetId": "subnet-other", "NetworkAclId": "acl-other"}],
            },
            {
                "NetworkAclId": ACL,
                "IsDefault": True,
                "Associations": [{"SubnetId": SUBNET, "NetworkAclId": ACL}],
            },
        ]
    },
    ("ec2", "DescribeVpcs"): {"Vpcs": [{"VpcId": VPC, "OwnerId": "111122223333"}]},
    ("ec2", "DescribeVpcAttribute"): lambda parameters: {
        "VpcId": VPC,
        parameters["Attribute"][0].upper() + parameters["Attribute"][1:]: {
            "Value": parameters["Attribute"] == "enableDnsSupport"
        },
    },
    ("ec2", "DescribeVpcEndpoints"): {
        "VpcEndpoints": [
            {
                "VpcEndpointId": ENDPOINT,
                "VpcId": VPC,
                "SubnetIds": [SUBNET],
                "Groups": [{"GroupId": DB_GROUP, "GroupName": "x"}],
            }
        ]
    },
    ("ec2", "DescribeNatGateways"): {
        "NatGateways": [
            {
                "NatGatewayId": NAT,
                "SubnetId": "subnet-public",
                "State": "available",
                "CreateTime": datetime(2025, 1, 1, tzinfo=UTC),
                "NatGatewayAddresses": [{"AllocationId": "eipalloc-0a"}],
            }
        ]
    },
    ("ec2", "DescribeSecurityGroups"): {
        "SecurityGroups": [
            {
                "GroupId": DB_GROUP,
                "GroupName": "db",
                "OwnerId": "111122223333",
                "IpPermissions": [
                    {
                        "IpProtocol": "tcp",
                        "FromPort": 5432,
                        "ToPort": 5432,
                        "UserIdGroupPairs": [
                            {"GroupId": APP_GROUP, "UserId": "111122223333"},
                            {"GroupId": DB_GROUP, "UserId": "111122223333"},
                            {"GroupId": "sg-0peer", "UserId": "444455556666"},
                        ],
                    }
                ],
                "IpPermissionsEgress": [{"IpProtocol": "-1", "UserIdGroupPairs": [{"GroupId": "sg-0log"}]}],
            }
        ]
    },
}


def read(of: str) -> tuple[Resource, set[tuple[str, str, str]]]:
    found = describe(FakeAws(ANSWERS).reader(), of)
    assert found is not None
    assert found.arn == of
    assert found.evidence
    return found, {(one.source, one.kind, one.target) for one in relations(found, KnownResources([found]))}


def test_a_subnet_goes_by_its_own_table_and_acl() -> None:
    subnet = arn("subnet", SUBNET)
    found, related = read(subnet)
    assert (found.config["RouteTableId"], found.config["NetworkAclId"]) == (TABLE, ACL)
    assert found.tags == {"Name": "a"}
    assert related == {
        (subnet, "routed by", arn("route-table", TABLE)),
        (subnet, "filtered by", arn("network-acl", ACL)),
        (subnet, "in", arn("vpc", VPC)),
    }


def test_a_subnet_without_association_goes_by_the_main_table() -> None:
    other = {**ANSWERS, ("ec2", "DescribeSubnets"): {"Subnets": [{"SubnetId": "subnet-0b", "VpcId": VPC}]}}
    found = describe(FakeAws(other).reader(), arn("subnet", "subnet-0b"))
    assert found is not None
    assert found.config["RouteTableId"] == "rtb-main"
    assert "NetworkAclId" not in found.config  # AWS always tells it: what it does not tell is not made up


def test_tables_acls_and_subnets_of_a_region_are_read_at_once() -> None:
    """As one by one, whatever is associated with what; tables of another VPC are nobody's here."""
    strange: Json = {
        "RouteTableId": "rtb-strange",
        "VpcId": "vpc-other",
        "Associations": [{"Main": True, "RouteTableId": "rtb-strange", "RouteTableAssociationId": "a"}],
    }
    rest = {"VpcId": VPC, "Associations": [{"Main": True, "RouteTableId": "rtb-rest"}]}
    every = [
        strange,
        {
            "RouteTableId": TABLE,
            "VpcId": VPC,
            "Associations": [{"SubnetId": "subnet-1", "RouteTableId": TABLE}],
        },
        {"RouteTableId": "rtb-rest", **rest},
    ]
    acls = [
        {"NetworkAclId": ACL, "VpcId": VPC, "Associations": [{"SubnetId": f"subnet-{n}"} for n in range(3)]}
    ]

    def shown(items: str, id: str, every: list[Json]) -> Any:
        def answer(sent: Json) -> Json:
            wanted = sent.get(f"{id}s")
            vpcs = [value for one in sent.get("Filters") or [] for value in one["Values"]]
            kept = [one for one in every if not wanted or one[id] in wanted]
            return {items: [one for one in kept if not vpcs or one["VpcId"] in vpcs]}

        return answer

    account = FakeAws(
        {
            ("ec2", "DescribeRouteTables"): shown("RouteTables", "RouteTableId", every),
            ("ec2", "DescribeNetworkAcls"): shown("NetworkAcls", "NetworkAclId", acls),
            ("ec2", "DescribeSubnets"): shown(
                "Subnets", "SubnetId", [{"SubnetId": f"subnet-{n}", "VpcId": VPC} for n in range(3)]
            ),
        }
    )
    todo = [one for one in discover(account.reader(), "eu-west-1") if one.type == "subnet"]
    todo += [
        stub(arn("route-table", TABLE)),
        stub(arn("network-acl", ACL)),
        stub(arn("route-table", "rtb-gone")),
    ]
    account.asked.clear()
    reader = account.reader()
    found = list(gather(reader, todo))
    assert account.asked == [("ec2", "DescribeRouteTables"), ("ec2", "DescribeNetworkAcls")]
    assert [one.arn for one in found] == [one.arn for one in todo[:-1]]
    assert [one.config.get("RouteTableId") for one in found] == ["rtb-rest", TABLE, "rtb-rest", TABLE, None]
    for one in found:
        alone = describe(account.reader(), one.arn)
        assert alone is not None
        assert one.evidence
        assert replace(one, evidence=()) == replace(alone, evidence=())


def test_of_subnets_that_no_listing_told_nothing_is_gathered() -> None:
    account = FakeAws(ANSWERS)
    assert list(gather(account.reader(), [stub(arn("subnet", SUBNET))])) == []
    assert account.asked == []


def test_where_tables_are_refused_nothing_is_gathered() -> None:
    told: Answer = {"RouteTables": [{"RouteTableId": TABLE, "VpcId": VPC}]}
    account = FakeAws({("ec2", "DescribeRouteTables"): told}, denied=frozenset({"ec2:DescribeNetworkAcls"}))
    with pytest.raises(Denied):
        list(gather(account.reader(), [stub(arn("route-table", TABLE))]))


def test_a_refused_table_is_a_gap_and_no_wrong_table() -> None:
    account = FakeAws(ANSWERS, denied=frozenset({"ec2:DescribeRouteTables"}))
    reader = account.reader()
    found = describe(reader, arn("subnet", SUBNET))
    assert found is not None
    assert "RouteTableId" not in found.config
    assert [gap.what for gap in reader.gaps] == [f"Route table of {SUBNET}"]


def test_a_table_leads_to_gateways_endpoints_and_instances() -> None:
    table = arn("route-table", TABLE)
    _, related = read(table)
    assert related == {
        (table, "routes to", arn("natgateway", NAT)),
        (table, "routes to", arn("vpc-endpoint", ENDPOINT)),
        (table, "routes to", arn("instance", "i-0a")),
    }


def test_a_group_may_be_connected_to_by_the_groups_it_admits() -> None:
    group = arn("security-group", DB_GROUP)
    _, related = read(group)
    assert related == {
        (arn("security-group", APP_GROUP), "may connect to", group),
        (arn("security-group", "sg-0peer", "444455556666"), "may connect to", group),
        (group, "may connect to", arn("security-group", "sg-0log")),
    }


def test_a_vpc_tells_its_dns_and_endpoints() -> None:
    vpc = arn("vpc", VPC)
    found, related = read(vpc)
    assert (found.config["EnableDnsSupport"], found.config["EnableDnsHostnames"]) == (True, False)
    assert related == {(vpc, "served by", arn("vpc-endpoint", ENDPOINT))}


def test_endpoints_and_nat_gateways_lie_in_subnets() -> None:
    endpoint, nat = arn("vpc-endpoint", ENDPOINT), arn("natgateway", NAT)
    assert read(endpoint)[1] == {
        (endpoint, "in", arn("subnet", SUBNET)),
        (endpoint, "guarded by", arn("security-group", DB_GROUP)),
    }
    found, related = read(nat)
    assert related == {
        (nat, "in", arn("subnet", "subnet-public")),
        (nat, "uses", arn("elastic-ip", "eipalloc-0a")),
    }
    assert found.config["CreateTime"] == "2025-01-01T00:00:00+00:00"
    assert SERVICE.dimensions is not None
    assert SERVICE.dimensions(found) == (("NatGatewayId", NAT),)
    assert owner({"NatGatewayId": NAT}, "aws", "eu-west-1", "111122223333") == nat
    assert owner({"InstanceId": "i-1"}, "aws", "eu-west-1", "111122223333") == ""


def test_what_does_not_exist_is_none_and_what_is_not_read_is_a_stub() -> None:
    assert describe(FakeAws({}).reader(), arn("security-group", "sg-gone")) is None
    assert describe(FakeAws({}).reader(), arn("elastic-ip", "eipalloc-0a")) is None
    assert stub(arn("natgateway", NAT)).type == "nat-gateway"
    assert stub(arn("natgateway", NAT)).service == "vpc"


def test_a_listing_goes_on_where_one_kind_is_refused() -> None:
    reader = FakeAws(ANSWERS, denied=frozenset({"ec2:DescribeVpcEndpoints"})).reader()
    found = {one.type for one in discover(reader, "eu-west-1")}
    assert found == {"nat-gateway", "subnet", "security-group"}
    assert len(reader.gaps) == 1


# -- security groups --------------------------------------------------------------------------------

RULE: Json = {
    "groupId": DB_GROUP,
    "ipPermissions": {
        "items": [
            {
                "ipProtocol": "tcp",
                "fromPort": 5432,
                "toPort": 5432,
                "groups": {"items": [{"groupId": APP_GROUP}]},
                "ipRanges": {},
                "ipv6Ranges": {},
                "prefixListIds": {},
            }
        ]
    },
}
SENT: Json = {
    "IpProtocol": "tcp",
    "FromPort": 5432,
    "ToPort": 5432,
    "UserIdGroupPairs": [{"GroupId": APP_GROUP}],
}
TOLD: Json = {
    "securityGroupRuleId": "sgr-1",
    "groupId": DB_GROUP,
    "isEgress": False,
    "ipProtocol": "tcp",
    "fromPort": 5432,
    "toPort": 5432,
    "referencedGroupId": APP_GROUP,
    "description": "orders",
}
BY_ID: Json = {"groupId": DB_GROUP, "securityGroupRuleIds": {"items": ["sgr-1"]}}
AUTHORIZED: Json = {
    "securityGroupRuleSet": {
        "items": [
            {
                **{k: v for k, v in TOLD.items() if k != "referencedGroupId"},
                "referencedGroupInfo": {"groupId": APP_GROUP},
            }
        ]
    }
}


def test_a_revoked_rule_is_authorized_again_as_it_was() -> None:
    (call,) = undo(happened("RevokeSecurityGroupIngress", RULE))
    assert call.operation == "AuthorizeSecurityGroupIngress"
    assert call.parameters == {"GroupId": DB_GROUP, "IpPermissions": [SENT]}


def test_the_answer_tells_a_revoked_rule_with_its_description() -> None:
    wanted = {**SENT, "UserIdGroupPairs": [{"GroupId": APP_GROUP, "Description": "orders"}]}
    for request in (RULE, BY_ID):
        event = happened(
            "RevokeSecurityGroupIngress", request, {"revokedSecurityGroupRuleSet": {"items": [TOLD]}}
        )
        (call,) = undo(event)
        assert call.parameters["IpPermissions"] == [wanted]


def test_a_rule_revoked_by_id_alone_is_known_only_from_its_making() -> None:
    event = happened("RevokeSecurityGroupIngress", BY_ID)
    made = happened("AuthorizeSecurityGroupIngress", RULE, AUTHORIZED, minutes=60)
    assert undo(event) == ()
    assert undo(event, replace(made, error_code="Client.UnauthorizedOperation")) == ()
    (call,) = undo(event, made)
    assert call.parameters["IpPermissions"] == [
        {**SENT, "UserIdGroupPairs": [{"GroupId": APP_GROUP, "Description": "orders"}]}
    ]
    two = happened(
        "RevokeSecurityGroupIngress", {**BY_ID, "securityGroupRuleIds": {"items": ["sgr-1", "sgr-2"]}}
    )
    assert undo(two, made) == ()  # half of it would look like all of it


def test_an_authorized_rule_is_revoked_without_its_description() -> None:
    (call,) = undo(happened("AuthorizeSecurityGroupEgress", RULE, AUTHORIZED))
    assert call.operation == "RevokeSecurityGroupEgress"
    assert call.parameters["IpPermissions"] == [SENT]


def test_a_modified_rule_goes_back_to_the_earlier_word_on_it() -> None:
    update = {
        "tag": 1,
        "SecurityGroupRuleId": "sgr-1",
        "SecurityGroupRule": {"IpProtocol": "tcp", "FromPort": 1, "ToPort": 1, "CidrIpv4": "10.0.0.0/8"},
    }
    event = happened(
        "ModifySecurityGroupRules",
        {"ModifySecurityGroupRulesRequest": {"GroupId": DB_GROUP, "SecurityGroupRule": update}},
    )
    assert undo(event) == ()
    (call,) = undo(event, happened("AuthorizeSecurityGroupIngress", RULE, AUTHORIZED, minutes=60))
    rule = {
        "IpProtocol": "tcp",
        "FromPort": 5432,
        "ToPort": 5432,
        "ReferencedGroupId": APP_GROUP,
        "Description": "orders",
    }
    assert call.parameters == {
        "GroupId": DB_GROUP,
        "SecurityGroupRules": [{"SecurityGroupRuleId": "sgr-1", "SecurityGroupRule": rule}],
    }


# -- routes, network ACLs, associations -------------------------------------------------------------

ROUTE: Json = {"routeTableId": TABLE, "destinationCidrBlock": "0.0.0.0/0"}


def test_a_deleted_route_leads_again_where_an_earlier_request_led_it() -> None:
    event = happened("DeleteRoute", ROUTE)
    first = happened("CreateRoute", {**ROUTE, "natGatewayId": "nat-old"}, minutes=90)
    then = happened("ReplaceRoute", {**ROUTE, "natGatewayId": NAT}, minutes=60)
    other = happened(
        "CreateRoute", {**ROUTE, "destinationCidrBlock": "10.9.0.0/16", "gatewayId": "vgw-1"}, minutes=30
    )
    assert undo(event) == ()
    assert undo(event, other) == ()
    (call,) = undo(event, other, then, first)
    assert call.operation == "CreateRoute"
    assert call.parameters == {
        "RouteTableId": TABLE,
        "DestinationCidrBlock": "0.0.0.0/0",
        "NatGatewayId": NAT,
    }
    gone = happened("DeleteRoute", ROUTE, minutes=45)
    assert undo(event, gone, then) == ()  # who made it after that is not seen


def test_a_replaced_route_is_replaced_back_and_a_created_one_deleted() -> None:
    event = happened("ReplaceRoute", {**ROUTE, "gatewayId": "igw-1"})
    (call,) = undo(event, happened("CreateRoute", {**ROUTE, "natGatewayId": NAT}, minutes=60))
    assert call.operation == "ReplaceRoute"
    assert call.parameters["NatGatewayId"] == NAT
    assert "GatewayId" not in call.parameters
    (call,) = undo(happened("CreateRoute", {**ROUTE, "natGatewayId": NAT}))
    assert (call.operation, call.parameters) == (
        "DeleteRoute",
        {"RouteTableId": TABLE, "DestinationCidrBlock": "0.0.0.0/0"},
    )


ENTRY: Json = {
    "networkAclId": ACL,
    "ruleNumber": 90,
    "egress": False,
    "ruleAction": "deny",
    "aclProtocol": "6",
    "cidrBlock": "10.0.0.0/8",
    "portRange": {"from": 1024, "to": 65535},
    "icmpTypeCode": {},
}
ENTRY_SENT: Json = {
    "NetworkAclId": ACL,
    "RuleNumber": 90,
    "Egress": False,
    "RuleAction": "deny",
    "Protocol": "6",
    "CidrBlock": "10.0.0.0/8",
    "PortRange": {"From": 1024, "To": 65535},
}


def test_a_created_acl_entry_is_deleted_and_the_way_back_makes_it_again() -> None:
    event = happened("CreateNetworkAclEntry", ENTRY)
    (call,) = undo(event)
    assert call.operation == "DeleteNetworkAclEntry"
    assert call.parameters == {"NetworkAclId": ACL, "RuleNumber": 90, "Egress": False}
    again = from_cloudtrail("ec2", "CreateNetworkAclEntry", ENTRY)
    assert {key: value for key, value in again.items() if value} == {
        key: value for key, value in ENTRY_SENT.items() if value
    }
    assert again["Egress"] is False


@pytest.mark.parametrize("operation", ["DeleteNetworkAclEntry", "ReplaceNetworkAclEntry"])
def test_an_acl_entry_comes_back_as_an_earlier_request_made_it(operation: str) -> None:
    named = {"networkAclId": ACL, "ruleNumber": 90, "egress": False}
    event = happened(operation, named if operation.startswith("Delete") else {**ENTRY, "ruleAction": "allow"})
    made = happened("CreateNetworkAclEntry", ENTRY, minutes=60)
    leaving = happened("CreateNetworkAclEntry", {**ENTRY, "egress": True}, minutes=30)
    assert undo(event) == ()
    assert undo(event, leaving) == ()
    (call,) = undo(event, leaving, made)
    assert call.operation == operation.replace("Delete", "Create")
    assert call.parameters == ENTRY_SENT


@pytest.mark.parametrize(
    ("operation", "key", "id"),
    [
        ("ReplaceRouteTableAssociation", "routeTableId", "RouteTableId"),
        ("ReplaceNetworkAclAssociation", "networkAclId", "NetworkAclId"),
    ],
)
def test_an_association_goes_back_by_its_new_id(operation: str, key: str, id: str) -> None:
    event = happened(operation, {"associationId": "assoc-1", key: "new"}, {"newAssociationId": "assoc-2"})
    before = happened(
        operation, {"associationId": "assoc-0", key: "old"}, {"newAssociationId": "assoc-1"}, minutes=60
    )
    assert undo(event) == ()
    (call,) = undo(event, before)
    assert call.parameters == {"AssociationId": "assoc-2", id: "old"}


# -- endpoints, addresses, interfaces ---------------------------------------------------------------


def test_a_deleted_endpoint_is_made_again_as_it_was_asked_for() -> None:
    event = happened(
        "DeleteVpcEndpoints",
        {"DeleteVpcEndpointsRequest": {"VpcEndpointId": {"tag": 1, "content": ENDPOINT}}},
    )
    request: Json = {
        "VpcId": VPC,
        "ServiceName": "com.amazonaws.eu-west-1.s3",
        "VpcEndpointType": "Gateway",
        "RouteTableId": [{"tag": 1, "content": TABLE}, {"tag": 2, "content": "rtb-0b"}],
    }
    answer = {"CreateVpcEndpointResponse": {"vpcEndpoint": {"vpcEndpointId": ENDPOINT}}}
    made = happened("CreateVpcEndpoint", {"CreateVpcEndpointRequest": request}, answer, minutes=60)
    assert undo(event) == ()
    (call,) = undo(event, made)
    assert call.parameters == {
        "VpcId": VPC,
        "ServiceName": "com.amazonaws.eu-west-1.s3",
        "VpcEndpointType": "Gateway",
        "RouteTableIds": [TABLE, "rtb-0b"],
    }
    odd = happened(
        "CreateVpcEndpoint",
        {"CreateVpcEndpointRequest": {**request, "SubnetConfiguration": {}}},
        answer,
        minutes=60,
    )
    assert undo(event, odd) == ()  # what is not understood whole is not half repeated


def test_parts_taken_from_an_endpoint_are_given_back() -> None:
    request = {
        "VpcEndpointId": ENDPOINT,
        "RemoveSubnetId": {"tag": 1, "content": SUBNET},
        "AddSecurityGroupId": {"tag": 1, "content": APP_GROUP},
    }
    (call,) = undo(happened("ModifyVpcEndpoint", {"ModifyVpcEndpointRequest": request}))
    assert call.parameters == {
        "VpcEndpointId": ENDPOINT,
        "AddSubnetIds": [SUBNET],
        "RemoveSecurityGroupIds": [APP_GROUP],
    }


def test_an_address_is_associated_again_with_what_it_was_on() -> None:
    event = happened("DisassociateAddress", {"associationId": "eipassoc-1"})
    made = happened(
        "AssociateAddress",
        {"allocationId": "eipalloc-1", "networkInterfaceId": "eni-1", "allowReassociation": True},
        {"associationId": "eipassoc-1"},
        minutes=60,
    )
    assert undo(event) == ()
    (call,) = undo(event, made)
    assert call.parameters == {"AllocationId": "eipalloc-1", "NetworkInterfaceId": "eni-1"}


def test_an_interface_gets_the_groups_of_an_earlier_request() -> None:
    def given(group: str, minutes: int) -> ChangeEvent:
        request = {"networkInterfaceId": "eni-1", "groupSet": {"items": [{"groupId": group}]}}
        return happened("ModifyNetworkInterfaceAttribute", request, minutes=minutes)

    assert undo(given("sg-new", 0)) == ()
    (call,) = undo(given("sg-new", 0), given("sg-old", 60))
    assert call.parameters == {"NetworkInterfaceId": "eni-1", "Groups": ["sg-old"]}


@pytest.mark.parametrize(
    ("operation", "request_", "touched"),
    [
        ("DeleteNatGateway", {"DeleteNatGatewayRequest": {"NatGatewayId": NAT}}, (arn("natgateway", NAT),)),
        ("CreateRoute", {**ROUTE, "natGatewayId": NAT}, (arn("route-table", TABLE), arn("natgateway", NAT))),
        (
            "DeleteVpcEndpoints",
            {
                "DeleteVpcEndpointsRequest": {
                    "VpcEndpointId": [{"tag": 1, "content": "vpce-1"}, {"tag": 2, "content": "vpce-2"}]
                }
            },
            (arn("vpc-endpoint", "vpce-1"), arn("vpc-endpoint", "vpce-2")),
        ),
        ("RevokeSecurityGroupIngress", {"groupName": "web"}, ()),
        (
            "RevokeSecurityGroupIngress",
            RULE,
            (arn("security-group", DB_GROUP), arn("security-group", APP_GROUP)),
        ),
        (
            "AssociateAddress",
            {"allocationId": "eipalloc-1", "instanceId": "i-1"},
            (arn("elastic-ip", "eipalloc-1"), arn("instance", "i-1")),
        ),
    ],
)
def test_an_event_touches_what_it_names(operation: str, request_: Any, touched: tuple[str, ...]) -> None:
    event = happened(operation, request_)
    known = next(change for change in SERVICE.changes if change.operation == operation)
    assert known.touches(event) == touched


# -- against an emulated account --------------------------------------------------------------------


@pytest.fixture
def emulated() -> Iterator[Emulation]:
    with emulation("111122223333", "eu-west-1") as found:
        yield found


def network(at: Emulation) -> tuple[Any, str]:
    ec2 = at.client("ec2")
    return ec2, str(ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"])


def test_undoing_a_revocation_gives_the_very_group_back(emulated: Emulation) -> None:
    ec2, vpc = network(emulated)
    app = ec2.create_security_group(GroupName="app", Description="app", VpcId=vpc)["GroupId"]
    group = ec2.create_security_group(GroupName="db", Description="db", VpcId=vpc)["GroupId"]
    rules = [
        {
            "IpProtocol": "tcp",
            "FromPort": 5432,
            "ToPort": 5432,
            "UserIdGroupPairs": [{"GroupId": app, "Description": "orders"}],
            "IpRanges": [{"CidrIp": "10.0.4.0/24"}],
        }
    ]
    ec2.authorize_security_group_ingress(GroupId=group, IpPermissions=rules)

    def now() -> Any:
        (found,) = ec2.describe_security_groups(GroupIds=[group])["SecurityGroups"]
        return found["IpPermissions"], found["IpPermissionsEgress"]

    before = now()
    ec2.revoke_security_group_ingress(GroupId=group, IpPermissions=rules)
    assert now() != before
    recorded = {
        "ipProtocol": "tcp",
        "fromPort": 5432,
        "toPort": 5432,
        "groups": {"items": [{"groupId": app, "description": "orders"}]},
        "ipRanges": {"items": [{"cidrIp": "10.0.4.0/24"}]},
        "ipv6Ranges": {},
        "prefixListIds": {},
    }
    event = happened("RevokeSecurityGroupIngress", {"groupId": group, "ipPermissions": {"items": [recorded]}})
    for call in undo(event):
        emulated.call(call)
    assert now() == before


def test_undoing_a_deleted_route_and_a_denying_entry_gives_the_very_network_back(emulated: Emulation) -> None:
    ec2, vpc = network(emulated)
    gateway = ec2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"]
    ec2.attach_internet_gateway(InternetGatewayId=gateway, VpcId=vpc)
    mine = [{"Name": "vpc-id", "Values": [vpc]}]
    table = ec2.describe_route_tables(Filters=mine)["RouteTables"][0]["RouteTableId"]
    acl = ec2.describe_network_acls(Filters=mine)["NetworkAcls"][0]["NetworkAclId"]
    ec2.create_route(RouteTableId=table, DestinationCidrBlock="0.0.0.0/0", GatewayId=gateway)

    def now() -> Any:
        return (
            ec2.describe_route_tables(Filters=mine)["RouteTables"][0]["Routes"],
            ec2.describe_network_acls(Filters=mine)["NetworkAcls"][0]["Entries"],
        )

    before = now()
    ec2.delete_route(RouteTableId=table, DestinationCidrBlock="0.0.0.0/0")
    ec2.create_network_acl_entry(**{**ENTRY_SENT, "NetworkAclId": acl})
    assert now() != before
    route = {"routeTableId": table, "destinationCidrBlock": "0.0.0.0/0"}
    made = happened("CreateRoute", {**route, "gatewayId": gateway}, minutes=60)
    denied = happened("CreateNetworkAclEntry", {**ENTRY, "networkAclId": acl})
    for call in (*undo(happened("DeleteRoute", route), made), *undo(denied)):
        emulated.call(call)
    assert now() == before


# -- in the topology --------------------------------------------------------------------------------


def test_the_ways_of_a_subnet_are_as_near_as_the_subnet_and_its_neighbours_are_not() -> None:
    def function(name: str) -> Json:
        return {
            "FunctionName": name,
            "FunctionArn": f"arn:aws:lambda:{AT}:function:{name}",
            "Runtime": "python3.12",
            "VpcConfig": {"SubnetIds": [SUBNET], "SecurityGroupIds": [APP_GROUP], "VpcId": VPC},
        }

    listed = {"Functions": [function("orders"), function("stranger")]}
    answers = {
        **ANSWERS,
        ("lambda", "ListFunctions"): listed,
        ("lambda", "GetFunctionConfiguration"): lambda parameters: function(parameters["FunctionName"]),
    }
    start = f"arn:aws:lambda:{AT}:function:orders"
    map = around(FakeAws(answers).reader(), [start], radius=1)
    near = {one.arn for one in map.resources}
    assert {
        arn("subnet", SUBNET),
        arn("route-table", TABLE),
        arn("network-acl", ACL),
        arn("natgateway", NAT),
    } <= near
    assert arn("security-group", APP_GROUP) in near
    assert f"arn:aws:lambda:{AT}:function:stranger" not in near
    assert paths(map, start, arn("natgateway", NAT))[0] == (
        start,
        arn("subnet", SUBNET),
        arn("route-table", TABLE),
        arn("natgateway", NAT),
    )
