"""Volumes of instances: what a type can do, when its credits run out, and that metrics and answers agree."""

from __future__ import annotations

import itertools
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from evals.world import World, load_case
from evals.world.answers import load
from evals.world.asking import HANDLERS, Ask, Refusal, Session
from evals.world.kinds.ebs import BUCKET, Disk, base, baseline, settings
from evals.world.steps import Settings
from evals.world.wire import answer
from evals.world.world import Thing
from tools.errors import BadInput
from tools.models import Json

BASE: Json = yaml.safe_load("""
title: an application that reads files from its volume
people:
  operator: {way: user-console, name: "{person_1}"}
resources:
  lb: {kind: load-balancer, name: shop-lb, calls: group}
  apps: {kind: security-group, name: app, settings: {Ingress.lb: {port: 80, from: 10.0.0.0/8}}}
  group: {kind: target-group, name: shop, calls: app, settings: {HealthCheckPath: /}}
  app:
    kind: instance
    name: shop-app
    with: {runs: [nginx, tomcat], guarded_by: apps, volume: gp2, disk_gb: 100, ios_per_request: 5}
    settings: {InstanceType: m6i.xlarge, Monitoring.State: enabled}
traffic: {per_second: 20, duration_ms: 100, amplitude: 0}
alarms:
  alarm:
    name: slow
    "on": lb
    namespace: AWS/ApplicationELB
    metric: TargetResponseTime
    dimensions: {LoadBalancer: "{{id}}"}
    stat: p90
    threshold: 2
events: []
look: {after: moment, minutes: 20}
switches: {noise: 0, decoys: 0}
""")


def world(tmp_path: Path, *events: Json, **options: Any) -> World:
    resources = {key: dict(one) for key, one in BASE["resources"].items()}
    resources["app"]["with"] = resources["app"]["with"] | options
    made = [{"id": f"e{number}"} | one for number, one in enumerate(events)]
    (tmp_path / "case.yaml").write_text(
        yaml.safe_dump(BASE | {"resources": resources, "events": made}, sort_keys=False)
    )
    return load_case(tmp_path)


def ask(made: World, operation: str, **given: Any) -> Json:
    load()
    one = Ask(made, "ec2", operation, made.region, made.start, made.start, Session(), dict(given))
    found = HANDLERS["ec2", operation](one)
    assert one.left == {}
    assert answer("ec2", operation, "ec2", found, "id").status == 200
    return found


def points(made: World, name: str, stat: str, back: int = 30) -> list[float]:
    volume = made.known["app_volume"]
    source = made.telemetry.find("AWS/EBS", name, (("VolumeId", volume.fixed["id"]),))
    assert source is not None
    now = made.start.timestamp()
    return [value for _, value in made.telemetry.points(source, stat, 60, now - 60 * back, now, now)]


def drain(ios: float, hours: float = 5.5) -> Json:
    return {"at": f"-{hours}h", "set": "app_volume", "path": "_ios_per_request", "to": ios}


def volume(kind: str, size: int, **held: Any) -> Thing:
    from datetime import UTC, datetime

    made = Thing(
        "arn:x", "volume", "vol-1", "eu-west-1", datetime(2026, 1, 1, tzinfo=UTC), {"ios": 1.0}, Settings()
    )
    for path, value in (settings(kind, size) | held).items():
        made.settings.set(path, made.created, value)
    return made


@pytest.mark.parametrize(
    ("size", "iops"), [(8, 100), (33, 100), (34, 102), (100, 300), (1000, 3000), (6000, 16_000)]
)
def test_gp2_does_three_operations_per_gib_within_its_bounds(size: int, iops: int) -> None:
    assert baseline("gp2", size, None) == iops
    assert baseline("gp3", size, None) == 3000
    assert baseline("gp3", size, 5000) == 5000


@given(
    st.integers(8, 900),
    st.lists(st.floats(0, 5000), min_size=1, max_size=40),
    st.sampled_from([1, 60]),
)
def test_the_bucket_stays_within_itself_and_loses_what_is_done_beyond_the_baseline(
    size: int, rates: list[float], seconds: int
) -> None:
    disk = Disk(volume("gp2", size))
    disk.begin()
    second = disk.volume.created.timestamp() + 60
    for rate in rates:
        before = disk.credits
        waited = disk.wait(second, seconds, rate)
        assert 0 <= disk.credits <= BUCKET
        assert disk.waiting >= 0
        assert waited >= 0
        assert disk.credits >= before - (3000 - base(disk.volume, second)) * seconds - 1e-6
        second += seconds


def test_below_its_baseline_a_volume_never_loses_credits() -> None:
    disk = Disk(volume("gp2", 200))
    for step in range(50):
        assert disk.wait(disk.volume.created.timestamp() + 60 * step, 60, 500) == 0
    assert disk.credits == BUCKET


def test_credits_that_are_spent_make_requests_wait_and_operations_stop_at_the_baseline(
    tmp_path: Path,
) -> None:
    made = world(tmp_path, drain(32), ios_per_request=5)
    onset = made.ledger.onset
    assert onset is not None
    assert onset < made.start
    balance = points(made, "BurstBalance", "Minimum", 400)
    assert balance[0] == 100
    assert balance[-1] == 0
    assert all(after <= before for before, after in itertools.pairwise(balance))
    ops = [
        read + write
        for read, write in zip(
            points(made, "VolumeReadOps", "Sum", 5), points(made, "VolumeWriteOps", "Sum", 5), strict=True
        )
    ]
    assert all(0.94 * 60 * 300 <= one <= 1.06 * 60 * 300 for one in ops)  # 3 for each of 100 GiB
    assert min(points(made, "VolumeQueueLength", "Average", 5)) > 100
    before = made.telemetry.find(
        "AWS/EBS", "VolumeQueueLength", (("VolumeId", made.known["app_volume"].fixed["id"]),)
    )
    assert before is not None
    early = before.emit(int((onset - timedelta(minutes=30)).timestamp()) // 60)
    assert early is not None
    assert early.high < 2
    row = made.flows["case"].minute(int(made.start.timestamp()) // 60 - 3)
    assert row.ended(reason="upstream timeout") > 0.5 * row.requests


def test_moved_to_gp3_it_does_what_is_asked_and_has_no_balance(tmp_path: Path) -> None:
    moved = {"at": "0s", "who": "operator", "set": "app_volume", "path": "VolumeType", "to": "gp3",
             "also": {"Iops": 3000}}  # fmt: skip
    made = world(tmp_path, drain(32, 5.2), moved)
    row = made.flows["case"].minute(int(made.start.timestamp()) // 60 - 3)
    assert row.alive == row.requests
    minute = int(made.start.timestamp()) // 60 - 3
    found = made.telemetry.find(
        "AWS/EBS", "BurstBalance", (("VolumeId", made.known["app_volume"].fixed["id"]),)
    )
    assert found is not None
    assert found.emit(minute) is None
    (shown,) = ask(made, "DescribeVolumes", VolumeIds=[made.known["app_volume"].fixed["id"]])["Volumes"]
    assert (shown["VolumeType"], shown["Iops"], shown["Size"]) == ("gp3", 3000, 100)
    (change,) = ask(made, "DescribeVolumesModifications")["VolumesModifications"]
    assert (change["OriginalVolumeType"], change["TargetVolumeType"]) == ("gp2", "gp3")
    assert (change["OriginalIops"], change["TargetIops"]) == (300, 3000)
    record = next(one for one in made.trail.records if one.body["eventName"] == "ModifyVolume")
    asked = record.body["requestParameters"]["ModifyVolumeRequest"]
    assert asked == {"VolumeId": shown["VolumeId"], "VolumeType": "gp3", "Iops": 3000}
    told = record.body["responseElements"]["ModifyVolumeResponse"]["volumeModification"]
    assert (told["originalVolumeType"], told["targetVolumeType"], told["originalIops"]) == ("gp2", "gp3", 300)


def test_a_volume_that_was_never_modified_has_no_modification(tmp_path: Path) -> None:
    made = world(tmp_path)
    with pytest.raises(Refusal, match=r"InvalidVolumeModification\.NotFound"):
        ask(made, "DescribeVolumesModifications", VolumeIds=[made.known["app_volume"].fixed["id"]])
    assert ask(made, "DescribeVolumesModifications")["VolumesModifications"] == []
    statuses = ask(made, "DescribeVolumeStatus")["VolumeStatuses"]
    assert len(statuses) == len(ask(made, "DescribeVolumes")["Volumes"]) >= 3
    assert all(one["VolumeStatus"]["Status"] == "ok" for one in statuses)


def test_filters_are_exact(tmp_path: Path) -> None:
    made = world(tmp_path)
    found = ask(made, "DescribeVolumes", Filters=[{"Name": "volume-type", "Values": ["gp2"]}])["Volumes"]
    assert [one["VolumeId"] for one in found] == [made.known["app_volume"].fixed["id"]]
    assert found[0]["Iops"] == 300
    assert "Throughput" not in found[0]


def test_other_types_are_refused(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="Volume type io2 is not modelled"):
        world(
            tmp_path, {"at": "0s", "who": "operator", "set": "app_volume", "path": "VolumeType", "to": "io2"}
        )
