"""How Elastic Load Balancing describes its resources, and the attributes that every one has."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from evals.world import ecs_shown
from evals.world.world import Thing, World
from tools.models import Json

ZONES = {
    "ap-northeast-1": "Z14GRHDCWA56QT",
    "ap-southeast-2": "Z1GM3OXH4ZPM65",
    "eu-central-1": "Z215JYRZR1TBD5",
    "eu-west-1": "Z32O12XQLNTSW2",
    "sa-east-1": "Z2P70J7HTTTPLU",
    "us-east-1": "Z35SXDOTRQ7X7K",
    "us-west-2": "Z1H1FL5HABSF5",
}
"""Hosted zones of load balancers by region (AWS General Reference)."""

BALANCER_ATTRIBUTES = {
    "access_logs.s3.enabled": "false",
    "deletion_protection.enabled": "true",
    "idle_timeout.timeout_seconds": "60",
    "routing.http.drop_invalid_header_fields.enabled": "false",
    "routing.http.xff_client_port.enabled": "false",
    "routing.http2.enabled": "true",
    "waf.fail_open.enabled": "false",
    "client_keep_alive.seconds": "3600",
    "load_balancing.cross_zone.enabled": "true",
}
GROUP_ATTRIBUTES = {
    "deregistration_delay.timeout_seconds": "300",
    "stickiness.enabled": "false",
    "stickiness.type": "lb_cookie",
    "stickiness.lb_cookie.duration_seconds": "86400",
    "slow_start.duration_seconds": "0",
    "load_balancing.algorithm.type": "round_robin",
    "load_balancing.cross_zone.enabled": "use_load_balancer_configuration",
}
CHECKS = {
    "HealthCheckProtocol": "HTTP",
    "HealthCheckPort": "traffic-port",
    "HealthCheckEnabled": True,
    "HealthCheckIntervalSeconds": 30,
    "HealthCheckTimeoutSeconds": 5,
    "HealthyThresholdCount": 5,
    "UnhealthyThresholdCount": 2,
    "HealthCheckPath": "/",
}


def full(actions: Sequence[Any]) -> list[Json]:
    """Actions as AWS keeps them: a single target group is a forward configuration too."""
    found = []
    for one in actions:
        action = dict(one)
        if action["Type"] == "forward":
            listed = (action.get("ForwardConfig") or {}).get("TargetGroups")
            listed = listed or [{"TargetGroupArn": action["TargetGroupArn"], "Weight": 1}]
            if len(listed) == 1:
                action["TargetGroupArn"] = listed[0]["TargetGroupArn"]
            groups = [
                {"TargetGroupArn": each["TargetGroupArn"], "Weight": int(each.get("Weight", 1))}
                for each in listed
            ]
            action["ForwardConfig"] = {
                "TargetGroups": groups,
                "TargetGroupStickinessConfig": {"Enabled": False},
            }
        elif action["Type"] == "fixed-response":
            held = {"ContentType": "text/plain", "MessageBody": ""} | dict(action["FixedResponseConfig"])
            action["FixedResponseConfig"] = held | {"StatusCode": str(held["StatusCode"])}
        found.append(action)
    return found


def condition(one: Any) -> Json:
    """A condition as AWS keeps it."""
    values = list(one.get("Values") or (one.get("PathPatternConfig") or {}).get("Values") or [])
    shown: Json = {"Field": one["Field"], "Values": values}
    if one["Field"] == "path-pattern":
        shown["PathPatternConfig"] = {"Values": values}
    return shown


def attributes(thing: Thing, when: datetime) -> list[Json]:
    """Key and value of all attributes."""
    base = BALANCER_ATTRIBUTES if thing.kind == "load-balancer" else GROUP_ATTRIBUTES
    held = base | {key: str(value) for key, value in thing.settings.under("Attributes", when).items()}
    return [{"Key": key, "Value": held[key]} for key in sorted(held)]


def balancer(world: World, thing: Thing, when: datetime) -> Json:
    subnets = ecs_shown.ids(world, thing, "subnets")
    return {
        "LoadBalancerArn": thing.arn,
        "DNSName": thing.fixed["host"],
        "CanonicalHostedZoneId": ZONES.get(world.region, "Z35SXDOTRQ7X7K"),
        "CreatedTime": thing.created,
        "LoadBalancerName": thing.name,
        "Scheme": thing.fixed["scheme"],
        "VpcId": thing.fixed["vpc"],
        "State": {"Code": "active"},
        "Type": "application",
        "AvailabilityZones": [
            {"ZoneName": f"{world.region}{'ac'[number % 2]}", "SubnetId": one, "LoadBalancerAddresses": []}
            for number, one in enumerate(subnets)
        ],
        "SecurityGroups": ecs_shown.ids(world, thing, "security_groups"),
        "IpAddressType": "ipv4",
    }


def group(world: World, thing: Thing, when: datetime) -> Json:
    """A target group; one of functions has no port, protocol or network."""
    shown: Json = {
        "TargetGroupArn": thing.arn,
        "TargetGroupName": thing.name,
        "LoadBalancerArns": list(thing.fixed["balancers"]),
        "TargetType": thing.at("TargetType", thing.created),
        "IpAddressType": "ipv4",
    }
    for path in CHECKS:
        value = thing.at(path, when)
        if value is not None:
            shown[path] = value
    shown["Matcher"] = {"HttpCode": str(thing.at("Matcher.HttpCode", when))}
    if shown["TargetType"] != "lambda":
        network = {"VpcId": thing.fixed["vpc"], "Protocol": "HTTP", "ProtocolVersion": "HTTP1"}
        shown |= network | {"Port": thing.fixed["port"]}
    else:
        for path in ("HealthCheckPort", "HealthCheckProtocol"):
            shown.pop(path, None)
    return shown


def listener(thing: Thing, when: datetime) -> Json:
    shown: Json = {
        "ListenerArn": thing.arn,
        "LoadBalancerArn": thing.fixed["balancer"],
        "Port": thing.at("Port", when),
        "Protocol": thing.at("Protocol", when),
        "DefaultActions": thing.at("DefaultActions", when) or [],
    }
    if shown["Protocol"] == "HTTPS":
        shown["Certificates"] = [{"CertificateArn": thing.fixed["certificate"]}]
        shown["SslPolicy"] = thing.at("SslPolicy", when)
    return shown


def rule(thing: Thing, when: datetime) -> Json:
    return {
        "RuleArn": thing.arn,
        "Priority": str(thing.at("Priority", when)),
        "Conditions": thing.at("Conditions", when) or [],
        "Actions": thing.at("Actions", when) or [],
        "IsDefault": False,
    }


def default_rule(thing: Thing, when: datetime) -> Json:
    """The default action of a listener as a rule."""
    return {
        "RuleArn": thing.arn.replace(":listener/", ":listener-rule/")
        + "/"
        + str(thing.fixed["default_rule"]),
        "Priority": "default",
        "Conditions": [],
        "Actions": thing.at("DefaultActions", when) or [],
        "IsDefault": True,
    }
