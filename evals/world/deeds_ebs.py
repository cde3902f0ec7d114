"""How CloudTrail records what is done to EBS volumes: ModifyVolume nests its request in its own name, in capitals."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from evals.world.identities import stamp
from evals.world.trail import Deed
from evals.world.world import Thing, World
from tools.models import Json

if TYPE_CHECKING:
    from evals.world.kinds._kind import Act

_XMLNS = "http://ec2.amazonaws.com/doc/2016-11-15/"
_FIELDS = ("VolumeType", "Size", "Iops", "Throughput")


def change(world: World, act: Act) -> Deed:
    """ModifyVolume: the request holds what shall be, the answer both what was and what will be."""
    volume, name = act.thing, "ModifyVolume"
    asked: Json = {"VolumeId": volume.fixed["id"]}
    for path, value in {act.path: act.after, **act.others}.items():
        if path not in _FIELDS:
            raise ValueError(f"no call changes {path} of a volume")
        asked[path] = value
    shown: Json = {"volumeId": volume.fixed["id"], "modificationState": "modifying", "progress": 0}
    before = act.moment - timedelta(seconds=1)
    for path in _FIELDS:
        for word, when in (("original", before), ("target", act.moment)):
            value = volume.at(path, when)
            if value is not None:
                shown[f"{word}{path}"] = value
    shown["startTime"] = stamp(act.moment)
    made = world.seed.uuid(f"{name}:{volume.arn}:{act.moment.isoformat()}")
    return Deed(
        source="ec2",
        name=name,
        request={f"{name}Request": asked},
        response={f"{name}Response": {"xmlns": _XMLNS, "requestId": made, "volumeModification": shown}},
        listed=_listed(volume),
    )


def tag(world: World, thing: Thing, tags: dict[str, str]) -> Deed:
    """CreateTags."""
    request = {
        "resourcesSet": {"items": [{"resourceId": thing.fixed["id"]}]},
        "tagSet": {"items": [{"key": key, "value": value} for key, value in tags.items()]},
    }
    return Deed(
        source="ec2", name="CreateTags", request=request, response={"_return": True}, listed=_listed(thing)
    )


def _listed(thing: Thing) -> tuple[tuple[str, str], ...]:
    return (("AWS::EC2::Volume", str(thing.fixed["id"])),)
