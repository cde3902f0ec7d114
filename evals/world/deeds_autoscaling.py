"""How CloudTrail records what is done to Auto Scaling groups, and what Auto Scaling does by itself.

Requests hold only what is changed, responses are null. Instances that are launched, taken out and terminated are calls
of Auto Scaling's service-linked role, and scaling activities that say why (EC2 Auto Scaling user guide, "Verify a
scaling activity").
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING

from evals.world.fleet import Member, Move, Roster, roster_of
from evals.world.happenings import Happening
from evals.world.identities import Identity, stamp
from evals.world.stage import moment
from evals.world.trail import Deed, record
from evals.world.world import Thing, World
from tools.models import Json

if TYPE_CHECKING:
    from evals.world.kinds._kind import Act

_HOST = "autoscaling.amazonaws.com"
_GROUP = "AWS::ElasticLoadBalancingV2::TargetGroup"


def _deed(thing: Thing, name: str, request: Json) -> Deed:
    pair = (("AWS::AutoScaling::AutoScalingGroup", thing.name),)
    return Deed(source="autoscaling", name=name, request=request, listed=(), concerns=pair)


def change(world: World, act: Act) -> Deed:
    """UpdateAutoScalingGroup, or SetDesiredCapacity when a case says so."""
    request: Json = {"autoScalingGroupName": act.thing.name}
    if act.call == "SetDesiredCapacity":
        asked = request | {"desiredCapacity": act.after, "honorCooldown": False}
        return _deed(act.thing, act.call, asked)
    for path, value in {act.path: act.after, **act.others}.items():
        request[path[0].lower() + path[1:]] = value
    return _deed(act.thing, "UpdateAutoScalingGroup", request)


def create(world: World, thing: Thing, when: datetime) -> Deed:
    """CreateAutoScalingGroup."""
    template = thing.fixed["template"]
    subnets = ",".join(str(world.things[arn].fixed["id"]) for arn in thing.fixed["subnets"])
    request: Json = {
        "autoScalingGroupName": thing.name,
        "launchTemplate": {
            "launchTemplateId": template.fixed["id"],
            "version": str(template.fixed["version"]),
        },
        "minSize": thing.at("MinSize", when),
        "maxSize": thing.at("MaxSize", when),
        "desiredCapacity": thing.at("DesiredCapacity", when),
        "vPCZoneIdentifier": subnets,
        "targetGroupARNs": list(thing.fixed["groups"]),
    }
    return _deed(thing, "CreateAutoScalingGroup", request)


def tag(world: World, thing: Thing, tags: dict[str, str]) -> Deed:
    """CreateOrUpdateTags."""
    pairs = [
        {
            "resourceId": thing.name,
            "resourceType": "auto-scaling-group",
            "key": key,
            "value": value,
            "propagateAtLaunch": False,
        }
        for key, value in sorted(tags.items())
    ]
    return _deed(thing, "CreateOrUpdateTags", {"tags": pairs})


# -- what AWS does itself -------------------------------------------------------------------------


def _self(world: World) -> Identity:
    role = "AWSServiceRoleForAutoScaling"
    made = world.cast.role(
        role, "AutoScaling", _HOST, _HOST, path=f"aws-service-role/{_HOST}/", how="service",
        kind="service_linked_role",
    )  # fmt: skip
    return replace(made, user=made.user | {"invokedBy": _HOST})


def follow_ups(world: World, group: Thing, until: datetime) -> None:
    """Its calls in CloudTrail and its scaling activities up to a moment."""
    roster, end = roster_of(world, group), until.timestamp()
    for move in roster.moves:
        held = move.before
        for one in move.ended:
            if one.left <= end:
                _record(world, one, "DeregisterTargets", one.left, _registering(world, group, one))
                _told(world, group, one, move, held, end)
                held -= 1
            if one.gone <= end:
                listed = {"instancesSet": {"items": [{"instanceId": one.thing.fixed["id"]}]}}
                _record(world, one, "TerminateInstances", one.gone - 6, listed)
        for one in move.launched:
            begun = one.thing.created.timestamp()
            if begun <= end:
                _record(world, one, "RunInstances", begun, _running(world, roster, one))
                _told(world, group, one, move, held, end)
                held += 1
            if one.entered <= end:
                _record(world, one, "RegisterTargets", one.entered, _registering(world, group, one))


def _registering(world: World, group: Thing, one: Member) -> Json | None:
    if not group.fixed["groups"]:
        return None
    target = group.fixed["groups"][0]
    return {"targetGroupArn": target, "targets": [{"id": one.thing.fixed["id"]}]}


def _running(world: World, roster: Roster, one: Member) -> Json:
    template = roster.group.fixed["template"]
    subnet = world.things[one.thing.fixed["subnets"][0]].fixed["id"]
    return {
        "instancesSet": {"items": [{"minCount": 1, "maxCount": 1}]},
        "instanceType": roster.group.fixed["type"],
        "blockDeviceMapping": {},
        "subnetId": subnet,
        "launchTemplate": {
            "launchTemplateId": template.fixed["id"],
            "version": str(template.fixed["version"]),
        },
        "disableApiTermination": False,
    }


def _record(world: World, one: Member, name: str, second: float, request: Json | None) -> None:
    if request is None:
        return
    targets = name.endswith("Targets")
    pair = ((_GROUP, str(request["targetGroupArn"])),) if targets else ()
    deed = Deed(
        source="elasticloadbalancing" if targets else "ec2",
        name=name,
        request=request,
        response=None if targets else {"requestId": world.seed.uuid(f"{name}:{one.thing.arn}")},
        listed=() if targets else (("AWS::EC2::Instance", str(one.thing.fixed["id"])),),
        concerns=pair or (("AWS::EC2::Instance", one.thing.arn),),
    )
    key = f"{name}:{one.thing.arn}"
    delay = world.seed.between(f"delivery:{key}", 120, 380)
    made = record(
        world.seed, key, moment(int(second)), delay, world.region, world.account, _self(world), deed
    )
    world.trail.add(made)


def _told(world: World, group: Thing, one: Member, move: Move, held: int, end: float) -> None:
    """One scaling activity."""
    ending = one in move.ended
    begun = int(one.left if ending else one.thing.created.timestamp())
    over = one.gone + 21 if ending else one.entered
    when, code = moment(begun), one.thing.fixed["id"]
    low, high = (group.at(path, moment(move.second)) for path in ("MinSize", "MaxSize"))
    cause = (
        f"At {stamp(moment(move.second))} a user request update of AutoScalingGroup constraints to min: {low}, "
        f"max: {high}, desired: {move.after} changing the desired capacity from {move.before} to {move.after}.  "
    )
    if ending:
        cause += (
            f"At {stamp(when)} an instance was taken out of service in response to a difference between desired "
            f"and actual capacity, shrinking the capacity from {held} to {held - 1}.  "
            f"At {stamp(when)} instance {code} was selected for termination."
        )
        said, state = f"Terminating EC2 instance: {code}", "WaitingForELBConnectionDraining"
    else:
        cause += (
            f"At {stamp(when)} an instance was started in response to a difference between desired and actual "
            f"capacity, increasing the capacity from {held} to {held + 1}."
        )
        said, state = f"Launching a new EC2 instance: {code}", "InProgress"
    done = over <= end
    world.happenings.append(
        Happening(
            when,
            "autoscaling",
            group.arn,
            said,
            "Successful" if done else state,
            moment(int(over)) if done else None,
            {"Cause": cause},
        )
    )
