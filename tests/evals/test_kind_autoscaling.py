"""Auto Scaling groups: what follows from their limits, and that metrics, activities, calls and answers agree."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from evals.world import World, load_case
from evals.world.answers import load
from evals.world.asking import HANDLERS, Ask, Refusal, Session
from evals.world.fleet import roster_of
from evals.world.wire import answer
from tools.errors import BadInput
from tools.models import Json

BASE: Json = yaml.safe_load("""
title: an application on the instances of a group
people:
  operator: {way: user-console, name: "{person_1}"}
resources:
  lb: {kind: load-balancer, name: shop-lb, calls: group}
  apps: {kind: security-group, name: app, settings: {Ingress.lb: {port: 80, from: 10.0.0.0/8}}}
  group:
    kind: target-group
    name: shop
    calls: fleet
    settings: {HealthCheckPath: /, Attributes.deregistration_delay.timeout_seconds: 60}
  fleet:
    kind: auto-scaling-group
    name: shop-fleet
    with: {type: m6i.large, cpu_ms: 40, guarded_by: apps}
    settings: {MinSize: 1, MaxSize: 6, DesiredCapacity: 4}
traffic: {per_second: 60, duration_ms: 80, amplitude: 0}
alarms:
  alarm:
    name: cpu
    "on": fleet
    namespace: AWS/EC2
    metric: CPUUtilization
    dimensions: {AutoScalingGroupName: "{{name}}"}
    stat: Average
    threshold: 90
events: []
look: {after: moment, minutes: 20}
switches: {noise: 0, decoys: 0}
""")


def world(tmp_path: Path, event: Json | None = None, **settings: Any) -> World:
    resources = {key: dict(one) for key, one in BASE["resources"].items()}
    resources["fleet"]["settings"] = resources["fleet"]["settings"] | settings
    events = (
        [] if event is None else [{"id": "change", "at": "0s", "who": "operator", "set": "fleet"} | event]
    )
    case = BASE | {"resources": resources, "events": events}
    (tmp_path / "case.yaml").write_text(yaml.safe_dump(case, sort_keys=False), encoding="utf-8")
    return load_case(tmp_path)


def ask(made: World, operation: str, service: str = "autoscaling", **given: Any) -> Json:
    load()
    one = Ask(made, service, operation, made.region, made.start, made.start, Session(), dict(given))
    found = HANDLERS[service, operation](one)
    assert one.left == {}
    protocol = {"autoscaling": "query", "ec2": "ec2", "elbv2": "query"}[service]
    assert answer(service, operation, protocol, found, "id").status == 200
    return found


def value(made: World, namespace: str, name: str, minute: int, **held: str) -> float:
    held = held or {"AutoScalingGroupName": "shop-fleet"}
    found = made.telemetry.find(namespace, name, tuple(sorted(held.items())))
    assert found is not None
    sample = found.emit(minute)
    assert sample is not None
    return sample.total / sample.samples


def last(made: World) -> int:
    return int(made.start.timestamp()) // 60 - 3


LOWERED = {"path": "MaxSize", "to": 1}


def test_instances_share_the_load(tmp_path: Path) -> None:
    made = world(tmp_path)
    minute = last(made)
    busy = value(made, "AWS/EC2", "CPUUtilization", minute)
    assert busy == pytest.approx(100 * 60 * 0.04 / (4 * 2) + 2, rel=0.08)
    sizes = [
        value(made, "AWS/AutoScaling", f"Group{one}", minute)
        for one in ("MinSize", "MaxSize", "DesiredCapacity")
    ]
    assert sizes == [1, 6, 4]
    row = made.flows["case"].minute(minute)
    assert row.alive == row.requests
    assert len(ask(made, "DescribeAutoScalingInstances")["AutoScalingInstances"]) == 4
    members = {one.thing.fixed["id"] for one in roster_of(made, made.known["fleet"]).members}
    health = ask(made, "DescribeTargetHealth", "elbv2", TargetGroupArn=made.known["group"].arn)
    assert {one["Target"]["Id"] for one in health["TargetHealthDescriptions"]} == members


def test_a_lower_maximum_lowers_what_is_desired_and_takes_instances_out(tmp_path: Path) -> None:
    made = world(tmp_path, LOWERED)
    minute = last(made)
    assert value(made, "AWS/AutoScaling", "GroupDesiredCapacity", minute) == 1
    assert value(made, "AWS/AutoScaling", "GroupInServiceInstances", minute) == 1
    assert value(made, "AWS/AutoScaling", "GroupDesiredCapacity", minute - 30) == 4
    assert value(made, "AWS/EC2", "CPUUtilization", minute) > 90
    row = made.flows["case"].minute(minute)
    assert row.alive + sum(one.many for one in row.endings) == row.requests
    assert row.alive < 0.95 * row.requests
    (shown,) = ask(made, "DescribeAutoScalingGroups")["AutoScalingGroups"]
    assert (shown["MaxSize"], shown["DesiredCapacity"], len(shown["Instances"])) == (1, 1, 1)
    states = [
        one["Instances"][0]["State"]["Name"]
        for one in ask(made, "DescribeInstances", "ec2")["Reservations"]
        if any(tag["Value"] == "shop-fleet" for tag in one["Instances"][0]["Tags"])
    ]
    assert sorted(states) == ["running", "terminated", "terminated", "terminated"]
    health = ask(made, "DescribeTargetHealth", "elbv2", TargetGroupArn=made.known["group"].arn)
    assert len(health["TargetHealthDescriptions"]) == 1


def test_the_trail_tells_who_lowered_it_and_what_auto_scaling_did(tmp_path: Path) -> None:
    made = world(tmp_path, LOWERED)
    by_name: dict[str, list[Json]] = {}
    for one in made.trail.records:
        by_name.setdefault(str(one.body["eventName"]), []).append(one.body)
    (change,) = by_name["UpdateAutoScalingGroup"]
    assert change["requestParameters"] == {"autoScalingGroupName": "shop-fleet", "maxSize": 1}
    assert change["responseElements"] is None
    for name in ("TerminateInstances", "DeregisterTargets"):
        assert len(by_name[name]) == 3
        for body in by_name[name]:
            assert body["userIdentity"]["invokedBy"] == "autoscaling.amazonaws.com"
            assert (
                ":role/aws-service-role/autoscaling.amazonaws.com/"
                in body["userIdentity"]["sessionContext"]["sessionIssuer"]["arn"]
            )
            assert body["eventTime"] > change["eventTime"]
    activities = ask(made, "DescribeScalingActivities", AutoScalingGroupName="shop-fleet")["Activities"]
    assert len(activities) == 3
    assert all("desired capacity from 4 to 1" in one["Cause"] for one in activities)
    assert all(one["Description"].startswith("Terminating EC2 instance: i-") for one in activities)


def test_more_desired_instances_start_and_then_serve(tmp_path: Path) -> None:
    made = world(tmp_path, {"path": "DesiredCapacity", "to": 6, "call": "SetDesiredCapacity"})
    minute = last(made)
    assert value(made, "AWS/AutoScaling", "GroupInServiceInstances", minute) == 6
    assert value(made, "AWS/EC2", "CPUUtilization", minute) < 24
    moment = int(made.start.timestamp()) // 60 - 20
    assert value(made, "AWS/AutoScaling", "GroupPendingInstances", moment + 1) == 2
    names = [str(one.body["eventName"]) for one in made.trail.records]
    assert names.count("RunInstances") == names.count("RegisterTargets") == 2
    assert names.count("SetDesiredCapacity") == 1
    causes = [one["Cause"] for one in ask(made, "DescribeScalingActivities")["Activities"]]
    assert all("increasing the capacity" in one for one in causes)
    assert made.flows["case"].minute(minute).alive == made.flows["case"].minute(minute).requests


def test_a_lower_maximum_above_what_is_desired_moves_nothing(tmp_path: Path) -> None:
    made = world(tmp_path, {"path": "MaxSize", "to": 5})
    assert value(made, "AWS/AutoScaling", "GroupDesiredCapacity", last(made)) == 4
    assert ask(made, "DescribeScalingActivities", AutoScalingGroupName="shop-fleet")["Activities"] == []


def test_answers_of_a_group_agree(tmp_path: Path) -> None:
    made = world(tmp_path)
    (shown,) = ask(made, "DescribeAutoScalingGroups", AutoScalingGroupNames=["shop-fleet"])[
        "AutoScalingGroups"
    ]
    assert shown["TargetGroupARNs"] == [made.known["group"].arn]
    assert {one["AvailabilityZone"][-1] for one in shown["Instances"]} == {"a", "c"}
    (template,) = ask(made, "DescribeLaunchTemplates", "ec2")["LaunchTemplates"]
    assert template["LaunchTemplateId"] == shown["LaunchTemplate"]["LaunchTemplateId"]
    assert ask(made, "DescribeAutoScalingGroups", AutoScalingGroupNames=["none"])["AutoScalingGroups"] == []
    for operation in (
        "DescribePolicies",
        "DescribeInstanceRefreshes",
        "DescribeScheduledActions",
        "DescribeLifecycleHooks",
    ):
        found = ask(made, operation, AutoScalingGroupName="shop-fleet")
        assert list(found.values()) == [[]]
        with pytest.raises(Refusal, match="name not found"):
            ask(made, operation, AutoScalingGroupName="none")


def test_sizes_that_do_not_fit_are_refused(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="must rise in this order"):
        world(tmp_path, DesiredCapacity=9)
    with pytest.raises(BadInput, match="must be a number of instances"):
        world(tmp_path, {"path": "MaxSize", "to": -1})
