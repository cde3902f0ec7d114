"""EC2's reads of volumes: what they are, whether they are sound, how they were modified."""

from __future__ import annotations

from datetime import datetime, timedelta

from evals.world.answers_vpc import Field, chosen, own_id, paged
from evals.world.asking import Ask, Refusal, handles
from evals.world.world import Thing
from tools.models import Json

_TAKES = timedelta(minutes=25)
_PATHS = ("Size", "VolumeType", "Iops", "Throughput")


def _instance(ask: Ask, one: Thing) -> list[str]:
    return [str(ask.world.things[one.fixed["instance"]].fixed["id"])]


_FILTERS: dict[str, Field] = {
    "volume-id": own_id,
    "attachment.instance-id": _instance,
    "attachment.status": lambda ask, one: ["attached"],
    "status": lambda ask, one: ["in-use"],
    "volume-type": lambda ask, one: [str(one.at("VolumeType", ask.as_of))],
    "size": lambda ask, one: [str(one.at("Size", ask.as_of))],
    "availability-zone": lambda ask, one: [str(one.fixed["zone"])],
}


def _held(one: Thing, when: datetime) -> Json:
    found = {path: one.at(path, when) for path in _PATHS}
    return {path: value for path, value in found.items() if value is not None}


@handles("ec2", "DescribeVolumes")
def describe_volumes(ask: Ask) -> Json:
    found, token = chosen(ask, "volume", "VolumeIds", "InvalidVolume.NotFound", _FILTERS)
    shown = [
        {
            "VolumeId": one.fixed["id"],
            **_held(one, ask.as_of),
            "State": "in-use",
            "AvailabilityZone": one.fixed["zone"],
            "CreateTime": one.created,
            "Encrypted": True,
            "SnapshotId": "",
            "MultiAttachEnabled": False,
            "Attachments": [
                {
                    "VolumeId": one.fixed["id"],
                    "InstanceId": _instance(ask, one)[0],
                    "Device": "/dev/xvda",
                    "State": "attached",
                    "AttachTime": one.created,
                    "DeleteOnTermination": True,
                }
            ],
            "Tags": [{"Key": key, "Value": value} for key, value in sorted(one.tags(ask.as_of).items())],
        }
        for one in found
    ]
    return paged({"Volumes": shown}, token)


@handles("ec2", "DescribeVolumeStatus")
def describe_volume_status(ask: Ask) -> Json:
    """Volumes are sound: what makes one slow is no impairment."""
    found, token = chosen(ask, "volume", "VolumeIds", "InvalidVolume.NotFound", {"availability-zone": _zone})
    details = [
        {"Name": "io-enabled", "Status": "passed"},
        {"Name": "io-performance", "Status": "not-applicable"},
    ]
    shown = [
        {
            "VolumeId": one.fixed["id"],
            "AvailabilityZone": one.fixed["zone"],
            "VolumeStatus": {"Status": "ok", "Details": details},
            "Actions": [],
            "Events": [],
        }
        for one in found
    ]
    return paged({"VolumeStatuses": shown}, token)


def _zone(ask: Ask, one: Thing) -> list[str]:
    return [str(one.fixed["zone"])]


def _modified(one: Thing, as_of: datetime) -> list[datetime]:
    """When it was modified, oldest first."""
    steps = [one.settings.steps[path].since for path in _PATHS if path in one.settings.steps]
    return sorted({since for each in steps for since in each if one.created < since <= as_of})


@handles("ec2", "DescribeVolumesModifications")
def describe_volumes_modifications(ask: Ask) -> Json:
    """The last modification of each volume that was modified; those asked for by id without one are an error."""
    wanted = ask.left.get("VolumeIds")
    found, token = chosen(ask, "volume", "VolumeIds", "InvalidVolume.NotFound", {"volume-id": own_id})
    if wanted and any(not _modified(one, ask.as_of) for one in found):
        missing = next(str(one.fixed["id"]) for one in found if not _modified(one, ask.as_of))
        raise Refusal(
            "InvalidVolumeModification.NotFound", f"Modification for volume '{missing}' does not exist."
        )
    shown = [
        _modification(ask, one, _modified(one, ask.as_of)[-1]) for one in found if _modified(one, ask.as_of)
    ]
    return paged({"VolumesModifications": shown}, token)


def _modification(ask: Ask, one: Thing, when: datetime) -> Json:
    done = ask.as_of >= when + _TAKES
    shown: Json = {
        "VolumeId": one.fixed["id"],
        "ModificationState": "completed" if done else "optimizing",
        "StatusMessage": "",
        "Progress": 100 if done else int(100 * ((ask.as_of - when) / _TAKES)),
        "StartTime": when,
    }
    for word, at in (("Original", when - timedelta(seconds=1)), ("Target", when)):
        shown |= {f"{word}{path}": value for path, value in _held(one, at).items()}
    return shown | ({"EndTime": when + _TAKES} if done else {})
