"""Causes in the network and on machines, from hand-made facts: the change or state named first, and its way back."""

from __future__ import annotations

from graph.cause import root_cause
from graph.facts import Facts
from graph.models import Hypothesis
from graph.plan import plan
from graph.weighing import weigh
from tests.graph import made
from tests.graph.made import arn, event, pattern, resource
from tools.models import Call, Json, Relation, Resource


def ec2(word: str, id: str) -> str:
    return arn("ec2", f"{word}/{id}")


DB, FUNCTION = arn("rds", "db:orders"), arn("lambda", "function:orders")
GROUP, TABLE, ACL, NAT = (
    ec2("security-group", "sg-db"),
    ec2("route-table", "rtb-1"),
    ec2("network-acl", "acl-1"),
    ec2("natgateway", "nat-1"),
)
HOST = "orders.c1example2ab.eu-central-1.rds.amazonaws.com"
NETWORK: tuple[Resource, ...] = (
    resource(
        ec2("subnet", "subnet-1"),
        "subnet-1",
        {"VpcId": "vpc-1", "RouteTableId": "rtb-1", "NetworkAclId": "acl-1"},
    ),
    resource(TABLE, "rtb-1", {"Routes": []}),
    resource(ACL, "acl-1", {"Entries": []}),
    resource(NAT, "nat-1", {"SubnetId": "subnet-public"}),
    resource(ec2("security-group", "sg-app"), "sg-app", {"IpPermissions": []}),
    resource(GROUP, "sg-db", {"IpPermissions": []}),
)
PROGRAM: tuple[Resource, ...] = (
    resource(
        DB,
        "orders",
        {
            "DBInstanceIdentifier": "orders",
            "VpcSecurityGroups": [{"VpcSecurityGroupId": "sg-db", "Status": "active"}],
            "Endpoint": {"Address": HOST, "Port": 5432},
        },
    ),
    made.function(
        FUNCTION,
        "orders",
        Environment={"Variables": {"DB_HOST": HOST}, "Hidden": []},
        VpcConfig={"SubnetIds": ["subnet-1"], "SecurityGroupIds": ["sg-app"]},
    ),
)
RULE: Json = {
    "groupId": "sg-db",
    "ipPermissions": {
        "items": [
            {
                "ipProtocol": "tcp",
                "fromPort": 5432,
                "toPort": 5432,
                "groups": {"items": [{"groupId": "sg-app"}]},
                "ipRanges": {},
            }
        ]
    },
}
DECOYS = (
    event("ec2", "AuthorizeSecurityGroupIngress", {**RULE, "groupId": "sg-app"}, minutes=-20),
    event(
        "lambda", "UpdateFunctionConfiguration", {"functionName": "orders", "memorySize": 1024}, minutes=-30
    ),
)


def first(facts: Facts) -> Hypothesis:
    return weigh(facts)[0]


def way_back(facts: Facts) -> list[Call]:
    found = plan(facts, root_cause(facts, first(facts)))
    return [call for step in found.apply for call in step.calls] if found else []


def test_a_revoked_rule_explains_what_lies_on_both_sides_of_it() -> None:
    revoked = event("ec2", "RevokeSecurityGroupIngress", RULE, minutes=-2)
    for symptom, moves in (
        ((DB, "DatabaseConnections"), {(DB, "DatabaseConnections"): (40.0, 0.0)}),
        ((FUNCTION, "Errors"), {(FUNCTION, "Errors"): (0.0, 8.0), (DB, "DatabaseConnections"): (40.0, 0.0)}),
    ):
        facts = made.facts(symptom, moves, resources=(*PROGRAM, *NETWORK), changes=(revoked, *DECOYS))
        assert (first(facts).event, first(facts).resource) == (revoked.id, GROUP)
        (call,) = way_back(facts)
        assert (call.operation, call.parameters["GroupId"]) == ("AuthorizeSecurityGroupIngress", "sg-db")


def test_a_rule_whose_own_group_is_out_of_sight_is_found_by_its_far_side() -> None:
    here = tuple(one for one in (*PROGRAM, *NETWORK) if one.arn not in (GROUP, DB))
    revoked = event("ec2", "RevokeSecurityGroupIngress", RULE, minutes=-2)
    facts = made.facts(
        (FUNCTION, "Errors"), {(FUNCTION, "Errors"): (0.0, 8.0)}, resources=here, changes=(revoked, *DECOYS)
    )
    assert first(facts).event == revoked.id
    (call,) = way_back(facts)
    assert call.parameters["GroupId"] == "sg-db"


def test_a_deleted_route_and_a_denying_entry_explain_errors_of_what_lies_in_the_subnet() -> None:
    route = {"routeTableId": "rtb-1", "destinationCidrBlock": "0.0.0.0/0"}
    made_once = event("ec2", "CreateRoute", {**route, "natGatewayId": "nat-1"}, minutes=-5000)
    entry = {
        "networkAclId": "acl-1",
        "ruleNumber": 90,
        "egress": False,
        "ruleAction": "deny",
        "aclProtocol": "6",
        "cidrBlock": "10.0.0.0/8",
        "portRange": {"from": 1024, "to": 65535},
    }
    for bad, back in (
        (event("ec2", "DeleteRoute", route, minutes=-2), "CreateRoute"),
        (event("ec2", "CreateNetworkAclEntry", entry, minutes=-2), "DeleteNetworkAclEntry"),
    ):
        facts = made.facts(
            (FUNCTION, "Errors"),
            {(FUNCTION, "Errors"): (0.0, 8.0)},
            resources=(*PROGRAM, *NETWORK),
            changes=(bad, made_once, *DECOYS),
        )
        assert first(facts).event == bad.id
        assert [call.operation for call in way_back(facts)] == [back]


# -- machines behind a load balancer ----------------------------------------------------------------

WEB, TOMCAT, MYSQL = ec2("instance", "i-web"), ec2("instance", "i-tomcat"), ec2("instance", "i-mysql")
BALANCER = arn("elasticloadbalancing", "loadbalancer/app/shop/50dc6c495c0c9188")
TARGETS = arn("elasticloadbalancing", "targetgroup/web/6d0ecf831eec9f09")
SYMPTOM = (BALANCER, "HTTPCode_Target_5XX_Count")


def machine(where: str, group: str, writes: str, *admitted_by: str) -> Resource:
    id = where.rpartition("/")[2]
    config = {
        "InstanceId": id,
        "InstanceType": "m6i.large",
        "State": {"Name": "running"},
        "SecurityGroups": [{"GroupId": group}],
        "LogGroups": [writes],
        "AdmittedBy": list(admitted_by),
        "MetadataOptions": {
            "HttpTokens": "required",
            "HttpEndpoint": "enabled",
            "HttpPutResponseHopLimit": 1,
        },
    }
    return resource(where, id, config)


MACHINES = (
    resource(BALANCER, "shop", {"LoadBalancerName": "shop"}),
    resource(TARGETS, "web", {"TargetGroupName": "web"}),
    machine(WEB, "sg-web", "/shop/nginx", "sg-app"),
    machine(TOMCAT, "sg-app", "/shop/tomcat", "sg-db"),
    machine(MYSQL, "sg-db", "/shop/mysql"),
)
RELATIONS = (
    *made.related(MACHINES),
    Relation(source=BALANCER, target=TARGETS, kind="forwards to", provenance="elbv2:DescribeTargetGroups"),
    Relation(source=TARGETS, target=WEB, kind="targets", provenance="elbv2:DescribeTargetHealth"),
)
NGINX = pattern(
    "2026/04/09 10:02:11 [error] 7#7: *3 upstream timed out (110: Connection timed out) while reading response "
    "header from upstream",
    group="/shop/nginx",
)


def test_a_full_heap_behind_a_proxy_is_named_and_not_the_proxy() -> None:
    heap = pattern("SEVERE java.lang.OutOfMemoryError: Java heap space", group="/shop/tomcat")
    facts = made.facts(
        SYMPTOM, {SYMPTOM: (0.0, 9.0)}, resources=MACHINES, relations=RELATIONS, patterns=(NGINX, heap)
    )
    assert (first(facts).condition, first(facts).resource) == ("heap-exhausted", TOMCAT)


def test_a_full_database_is_named_where_it_writes_and_not_where_its_client_does() -> None:
    line = "ERROR 1040 (HY000): Too many connections"
    patterns = (
        NGINX,
        pattern(line, group="/shop/mysql"),
        pattern(f"SQLException: {line}", group="/shop/tomcat"),
    )
    facts = made.facts(
        SYMPTOM, {SYMPTOM: (0.0, 9.0)}, resources=MACHINES, relations=RELATIONS, patterns=patterns
    )
    assert (first(facts).condition, first(facts).resource) == ("Parameters.max_connections", MYSQL)


def test_tokens_asked_for_are_put_back_when_the_value_before_is_told() -> None:
    def asked(tokens: str) -> Json:
        return {
            "ModifyInstanceMetadataOptionsRequest": {
                "InstanceId": "i-web",
                "HttpTokens": tokens,
                "HttpEndpoint": "enabled",
            }
        }

    bad = event("ec2", "ModifyInstanceMetadataOptions", asked("required"), minutes=-90)
    earlier = event("ec2", "ModifyInstanceMetadataOptions", asked("optional"), minutes=-9000)
    facts = made.facts(
        SYMPTOM,
        {SYMPTOM: (0.0, 9.0), (WEB, "MetadataNoTokenRejected"): (0.0, 3.0)},
        resources=MACHINES,
        relations=RELATIONS,
        patterns=(
            pattern("Http request to retrieve credentials failed with error code 401", group="/shop/nginx"),
        ),
        changes=(bad, earlier),
    )
    assert (first(facts).event, first(facts).setting) == (bad.id, "MetadataOptions.HttpTokens")
    (call,) = way_back(facts)
    assert call.parameters == {"InstanceId": "i-web", "HttpTokens": "optional", "HttpEndpoint": "enabled"}
