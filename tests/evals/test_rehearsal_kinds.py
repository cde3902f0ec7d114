"""Rehearsals of rules, tasks, databases and policies: resources whose ids are AWS's own, and lists of rules."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from evals.rehearsal import Rehearsal, try_out
from evals.rehearsals import Item, Scene
from tools.models import Call, Json

ACCOUNT, REGION = "111122223333", "eu-west-1"


def item(kind: str, service: str, rest: str, values: Json, region: str = REGION) -> Item:
    place = "" if service == "iam" else region
    name = rest.rsplit("/", 1)[-1].rsplit(":", 1)[-1]
    if service == "elasticloadbalancing":
        name = rest.split("/")[1]
    arn = f"arn:aws:{service}:{place}:{ACCOUNT}:{rest}"
    return Item(kind=kind, name=name, arn=arn, region=region, values=values)


def scene(first: Item, bad: Json) -> Scene:
    worse = replace(first, values={**first.values, **bad})
    return Scene(account=ACCOUNT, region=REGION, target=first.arn, prior=(first,), bad=(worse,))


def call(client: str, operation: str, /, **parameters: Any) -> Call:
    return Call(service=client, operation=operation, parameters=parameters, region=REGION)


GROUP = "sg-0a1b2c3d4e5f60718"
FRONT = "sg-0f0e0d0c0b0a09080"
HTTPS: Json = {
    "IpProtocol": "tcp", "FromPort": 443, "ToPort": 443,
    "IpRanges": [{"CidrIp": "10.0.0.0/8", "Description": "inside"}], "UserIdGroupPairs": [],
    "Ipv6Ranges": [], "PrefixListIds": [],
}  # fmt: skip
PAIR: Json = {
    "IpProtocol": "tcp", "FromPort": 5432, "ToPort": 5432, "IpRanges": [],
    "UserIdGroupPairs": [{"GroupId": FRONT, "UserId": ACCOUNT}],
}  # fmt: skip
GUARD = item("security-group", "ec2", f"security-group/{GROUP}", {"IpPermissions": [HTTPS, PAIR]})


def ingress(way: str, *rows: Json, group: str = GROUP) -> Call:
    kept = [{key: value for key, value in row.items() if value != []} for row in rows]
    return call("ec2", f"{way}SecurityGroupIngress", GroupId=group, IpPermissions=kept)


ACL = "acl-0123456789abcdef0"
ALLOW: Json = {
    "RuleNumber": 100,
    "Protocol": "-1",
    "RuleAction": "allow",
    "Egress": False,
    "CidrBlock": "0.0.0.0/0",
}
DENY: Json = {
    "RuleNumber": 90, "Protocol": "6", "RuleAction": "deny", "Egress": False, "CidrBlock": "10.0.2.0/24",
    "PortRange": {"From": 5432, "To": 5432},
}  # fmt: skip
LAST: Json = {**ALLOW, "RuleNumber": 32767, "RuleAction": "deny"}
WALL = item("network-acl", "ec2", f"network-acl/{ACL}", {"Entries": [ALLOW, LAST]})


def entry(**row: Any) -> Call:
    return call("ec2", "CreateNetworkAclEntry", NetworkAclId=ACL, **row)


def no_entry(number: int, egress: bool = False) -> Call:
    return call("ec2", "DeleteNetworkAclEntry", NetworkAclId=ACL, RuleNumber=number, Egress=egress)


TABLE = "rtb-0123456789abcdef0"
LOCAL: Json = {"DestinationCidrBlock": "10.0.0.0/8", "GatewayId": "local", "State": "active"}
OUT: Json = {"DestinationCidrBlock": "0.0.0.0/0", "NatGatewayId": "nat-0aa", "State": "active"}
THERE: Json = {"DestinationCidrBlock": "192.0.2.0/24", "GatewayId": "igw-0bb"}
ROUTES = item("route-table", "ec2", f"route-table/{TABLE}", {"Routes": [LOCAL, OUT, THERE]})


def route(way: str, target: Json, cidr: str = "0.0.0.0/0") -> Call:
    return call("ec2", f"{way}Route", RouteTableId=TABLE, DestinationCidrBlock=cidr, **target)


SERVICE = item(
    "ecs-service", "ecs", "service/shop/web",
    {"desiredCount": 4, "taskDefinition": f"arn:aws:ecs:{REGION}:{ACCOUNT}:task-definition/web:6"},
)  # fmt: skip


def serve(**sent: Any) -> Call:
    return call("ecs", "UpdateService", cluster="shop", service="web", **sent)


TARGETS = item(
    "target-group", "elasticloadbalancing", "targetgroup/web/0123456789abcdef",
    {"HealthCheckPath": "/healthz", "HealthCheckIntervalSeconds": 15, "Matcher.HttpCode": "200", "Port": 8080},
)  # fmt: skip


def health(path: str, **more: Any) -> Call:
    return call("elbv2", "ModifyTargetGroup", TargetGroupArn=TARGETS.arn, HealthCheckPath=path, **more)


RULE = item(
    "listener-rule",
    "elasticloadbalancing",
    "listener-rule/app/web/50dc6c495c0c9188/f2f7dc8efc522ab2/9683b2d02a6cabee",
    {"Priority": "400"},
)


def number(priority: int) -> Call:
    pairs = [{"RuleArn": RULE.arn, "Priority": priority}]
    return call("elbv2", "SetRulePriorities", RulePriorities=pairs)


DATABASE = item(
    "db-instance",
    "rds",
    "db:shop",
    {"DBInstanceClass": "db.m6g.large", "AllocatedStorage": 100, "Engine": "mysql"},
)
PARAMETERS = item("db-parameter-group", "rds", "pg:shop-mysql8", {"Parameters.max_connections": "400"})


def size(kind: str, **more: Any) -> Call:
    sent = {"ApplyImmediately": True, **more}
    return call("rds", "ModifyDBInstance", DBInstanceIdentifier="shop", DBInstanceClass=kind, **sent)


def parameter(value: str, name: str = "max_connections") -> Call:
    sent = {"ParameterName": name, "ParameterValue": value, "ApplyMethod": "immediate"}
    return call("rds", "ModifyDBParameterGroup", DBParameterGroupName="shop-mysql8", Parameters=[sent])


def document(*actions: str) -> Json:
    return {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Action": list(actions), "Resource": "*"}],
    }


OWN = f"arn:aws:iam::{ACCOUNT}:policy/parcels-write"
ROLE = item(
    "role", "iam", "role/writer-role",
    {"Policies.table-access": document("dynamodb:PutItem"), "AttachedPolicies": [OWN]},
)  # fmt: skip


def policy(*actions: str, name: str = "table-access") -> Call:
    written = json.dumps(document(*actions))
    return call("iam", "PutRolePolicy", RoleName="writer-role", PolicyName=name, PolicyDocument=written)


def attach(way: str, arn: str = OWN) -> Call:
    return call("iam", f"{way}RolePolicy", RoleName="writer-role", PolicyArn=arn)


WIDER = {**HTTPS, "IpRanges": [{"CidrIp": "10.0.0.0/9", "Description": "inside"}]}
UNNAMED = {**HTTPS, "IpRanges": [{"CidrIp": "10.0.0.0/8"}]}

PLANS = {
    "rule revoked": (
        scene(GUARD, {"IpPermissions": [PAIR]}),
        ingress("Authorize", HTTPS), ingress("Revoke", HTTPS),
        [ingress("Authorize", WIDER), ingress("Authorize", UNNAMED)],
    ),
    "rule of another group revoked": (
        scene(GUARD, {"IpPermissions": [HTTPS]}),
        ingress("Authorize", PAIR), ingress("Revoke", PAIR), [ingress("Authorize", {**PAIR, "ToPort": 5433})],
    ),
    "entry added": (
        scene(WALL, {"Entries": [ALLOW, DENY, LAST]}), no_entry(90), entry(**DENY),
        [no_entry(100), entry(**{**DENY, "RuleNumber": 80})],
    ),
    "entry removed": (
        scene(WALL, {"Entries": [LAST]}), entry(**ALLOW), no_entry(100),
        [entry(**{**ALLOW, "CidrBlock": "10.0.0.0/8"})],
    ),
    "route deleted": (
        scene(ROUTES, {"Routes": [LOCAL, THERE]}),
        route("Create", {"NatGatewayId": "nat-0aa"}), route("Delete", {}),
        [route("Create", {"GatewayId": "igw-0bb"}), route("Create", {"NatGatewayId": "nat-0aa"}, "198.51.100.0/24")],
    ),
    "route replaced": (
        scene(ROUTES, {"Routes": [LOCAL, {**OUT, "NatGatewayId": "nat-0cc"}, THERE]}),
        route("Replace", {"NatGatewayId": "nat-0aa"}), route("Replace", {"NatGatewayId": "nat-0cc"}),
        [route("Delete", {})],
    ),
    "tasks fewer": (
        scene(SERVICE, {"desiredCount": 1}), serve(desiredCount=4), serve(desiredCount=1),
        [serve(desiredCount=5), serve(desiredCount=4, taskDefinition="web:5")],
    ),
    "other definition": (
        scene(SERVICE, {"taskDefinition": "web:7"}), serve(taskDefinition="web:6"), serve(taskDefinition="web:7"),
        [serve(taskDefinition="web:5"), serve(taskDefinition="web:99")],
    ),
    "health check moved": (
        scene(TARGETS, {"HealthCheckPath": "/"}), health("/healthz"), health("/"),
        [health("/health"), health("/healthz", HealthCheckIntervalSeconds=30)],
    ),
    "rule put first": (scene(RULE, {"Priority": "5"}), number(400), number(5), [number(401)]),
    "database smaller": (
        scene(DATABASE, {"DBInstanceClass": "db.t4g.micro"}), size("db.m6g.large"), size("db.t4g.micro"),
        [size("db.m6g.xlarge"), size("db.m6g.large", ApplyImmediately=False)],
    ),
    "parameter lowered": (
        scene(PARAMETERS, {"Parameters.max_connections": "40"}), parameter("400"), parameter("40"),
        [parameter("401"), parameter("400", "max_user_connections")],
    ),
    "inline policy narrowed": (
        scene(ROLE, {"Policies.table-access": document("dynamodb:GetItem")}),
        policy("dynamodb:PutItem"), policy("dynamodb:GetItem"),
        [policy("dynamodb:*"), policy("dynamodb:PutItem", name="table-acces")],
    ),
    "inline policy deleted": (
        scene(ROLE, {"Policies.table-access": None}), policy("dynamodb:PutItem"),
        call("iam", "DeleteRolePolicy", RoleName="writer-role", PolicyName="table-access"), [policy("dynamodb:*")],
    ),
    "policy detached": (
        scene(ROLE, {"AttachedPolicies": []}), attach("Attach"), attach("Detach"),
        [attach("Attach", "arn:aws:iam::aws:policy/AdministratorAccess"), attach("Attach", OWN + "-2")],
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", PLANS)
def test_the_right_plan_passes(name: str) -> None:
    where, apply, back, _ = PLANS[name]
    assert try_out(where, [apply], [back]) == Rehearsal(status="ok")


@pytest.mark.parametrize("name", PLANS)
def test_wrong_plans_fail_in_both_directions(name: str) -> None:
    where, apply, back, wrongs = PLANS[name]
    for wrong in wrongs:
        assert try_out(where, [wrong], [back]).status == "failed", wrong
    assert try_out(where, [apply], []).status == "failed"
    assert try_out(where, [apply], [apply]).status == "failed"
    assert try_out(where, [back], [apply]).status == "failed"


def test_a_rule_is_rehearsed_where_there_is_no_zone_b() -> None:
    where, apply, back, _ = PLANS["rule put first"]
    tokyo = "ap-northeast-1"

    def moved(one: Item) -> Item:
        return replace(one, region=tokyo, arn=one.arn.replace(REGION, tokyo))

    (first,), (bad,) = where.prior, where.bad
    there = Scene(
        account=ACCOUNT, region=tokyo, target=moved(first).arn, prior=(moved(first),), bad=(moved(bad),)
    )
    pairs = [
        Call(
            service=one.service,
            operation=one.operation,
            parameters=json.loads(json.dumps(one.parameters).replace(REGION, tokyo)),
            region=tokyo,
        )
        for one in (apply, back)
    ]
    assert try_out(there, pairs[:1], pairs[1:]) == Rehearsal(status="ok")


def test_a_group_that_a_rule_names_may_be_a_resource_of_its_own() -> None:
    where, apply, back, _ = PLANS["rule of another group revoked"]
    other = item("security-group", "ec2", f"security-group/{FRONT}", {"IpPermissions": [HTTPS]})
    for order in ((0, 1), (1, 0)):
        prior, bad = [(*held, other) for held in (where.prior, where.bad)]
        both = replace(
            where, prior=tuple(prior[place] for place in order), bad=tuple(bad[place] for place in order)
        )
        assert try_out(both, [apply], [back]) == Rehearsal(status="ok")


def test_a_reset_that_moto_has_not_is_not_rehearsable() -> None:
    where = scene(
        replace(PARAMETERS, values={"Parameters.max_connections": None}), {"Parameters.max_connections": "40"}
    )
    reset = call(
        "rds", "ResetDBParameterGroup", DBParameterGroupName="shop-mysql8",
        Parameters=[{"ParameterName": "max_connections", "ApplyMethod": "immediate"}],
    )  # fmt: skip
    found = try_out(where, [reset], [parameter("40")])
    assert found == Rehearsal(status="not_rehearsable", problems=("moto has no rds:ResetDBParameterGroup",))
