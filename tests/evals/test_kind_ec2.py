"""Instances that run nginx, Tomcat and MySQL: what fails by which limit, and that metrics, logs and endings agree."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from evals.world import World, load_case
from evals.world.answers import load
from evals.world.asking import HANDLERS, Ask, NotModelled, Session
from evals.world.hosts import SIZES, Host
from evals.world.instance_stage import InstanceStage
from evals.world.lines import LogGroup
from evals.world.middleware import Queue
from evals.world.stage import share_of
from evals.world.wire import answer
from tools.errors import BadInput
from tools.models import Json

BASE: Json = yaml.safe_load("""
title: nginx, Tomcat and MySQL on machines of their own
people:
  operator: {way: user-console, name: "{person_1}"}
resources:
  webs: {kind: security-group, name: web, settings: {Ingress.all: {port: 80, from: 0.0.0.0/0}}}
  apps: {kind: security-group, name: app, settings: {Ingress.web: {port: 8080, from: webs}}}
  dbs: {kind: security-group, name: db, settings: {Ingress.app: {port: 3306, from: apps}}}
  other: {kind: security-group, name: other}
  web: {kind: instance, name: shop-web, calls: app, with: {runs: [nginx], guarded_by: webs, request: POST /orders}}
  app: {kind: instance, name: shop-app, calls: db, with: {runs: tomcat, guarded_by: apps}}
  db: {kind: instance, name: shop-db, with: {runs: [mysql], guarded_by: dbs}}
traffic: {per_second: 20, duration_ms: 100, background: 20}
alarms:
  alarm:
    name: shop-5xx
    "on": web
    namespace: CWAgent
    metric: http_5xx
    dimensions: {InstanceId: "{{id}}", metric_type: counter}
    stat: Sum
    threshold: 20
    missing: notBreaching
events: []
look: {after: moment, minutes: 20}
switches: {noise: 0}
""")


def world(tmp_path: Path, event: Json | None = None, **parts: Json) -> World:
    """A world in which one thing happens; `parts` are merged into resources."""
    resources = {key: dict(one) for key, one in BASE["resources"].items()}
    for key, more in parts.items():
        for name, value in more.items():
            old = resources[key].get(name)
            resources[key][name] = old | value if isinstance(old, dict) else value
    events = [] if event is None else [{"id": "change", "at": "0s"} | event]
    case = BASE | {"resources": resources, "events": events}
    (tmp_path / "case.yaml").write_text(yaml.safe_dump(case, sort_keys=False), encoding="utf-8")
    return load_case(tmp_path)


def ended(made: World, first: int = -25, last: int = 0) -> Counter[str]:
    """Requests by how they ended, in minutes before the look."""
    flow, now = made.flows["case"], int(made.start.timestamp()) // 60
    found: Counter[str] = Counter()
    for minute in range(now + first, now + last):
        row = flow.minute(minute)
        assert row.requests == row.alive + sum(one.many for one in row.endings)
        assert all(one.many > 0 for one in row.endings)
        found["fine"] += row.alive
        for one in row.endings:
            found[one.reason] += one.many
    return found


def group(made: World, key: str, file: str) -> LogGroup:
    """The log group of a file of an instance, however it is named."""
    short = file.rpartition(".")[0] or file
    name = made.known[key].name
    found = [one for label, one in made.log_groups.items() if name in label and short in label.split(name)[1]]
    assert len(found) == 1
    return found[0]


def lines(made: World, key: str, file: str, first: int = -25, last: int = 0) -> list[str]:
    now = int(made.start.timestamp()) // 60
    found = group(made, key, file)
    return [line.text for minute in range(now + first, now + last) for line in found.lines(minute)]


def ask(made: World, service: str, operation: str, **given: Any) -> Json:
    """An answer, checked against AWS's own model."""
    load()
    moment = made.start
    one = Ask(made, service, operation, made.region, moment, moment, Session(), dict(given))
    found = HANDLERS[service, operation](one)
    assert one.left == {}
    protocol = {"ec2": "ec2", "iam": "query", "ssm": "json"}[service]
    assert answer(service, operation, protocol, found, "id").status == 200
    return found


# -- by which limit requests fail ---------------------------------------------------------------------


def test_without_an_event_only_users_make_mistakes(tmp_path: Path) -> None:
    made = world(tmp_path)
    assert set(ended(made)) == {"fine", "own"}
    assert made.flows["case"].disturbed_from is None


def test_a_smaller_heap_fails_after_a_restart_and_the_log_tells_its_size(tmp_path: Path) -> None:
    event = {"who": "operator", "set": "app", "path": "config.tomcat.xmx_mb", "to": 512}
    made = world(tmp_path, event, app={"settings": {"InstanceType": "m6i.large"}})
    found = ended(made)
    host = Host(made.known["app"])
    assert 0 < found["tomcat refused"] <= 20 * 1.4 * (host.restart + 1)
    assert found["heap"] > 10 * found["tomcat refused"]
    told = lines(made, "app", "catalina.out")
    assert sum("java.lang.OutOfMemoryError: Java heap space" in one for one in told) == found["heap"]
    assert sum("Command line argument: -Xmx512m" in one for one in told) == 1
    assert (
        sum("connect() failed (111" in one for one in lines(made, "web", "error.log"))
        == found["tomcat refused"]
    )
    record = next(one for one in made.trail.records if one.body["eventName"] == "SendCommand")
    assert record.body["requestParameters"]["parameters"] == "HIDDEN_DUE_TO_SECURITY_REASONS"
    assert "512" not in str(record.body["requestParameters"]) + str(record.body["responseElements"])
    assert (record.before, record.after, record.field) == (4096, 512, "config.tomcat.xmx_mb")
    (command,) = ask(made, "ssm", "ListCommands")["Commands"]
    assert "s/-Xmx4096m/-Xmx512m/" in command["Parameters"]["commands"][0]


def test_a_leak_first_collects_then_fails(tmp_path: Path) -> None:
    made = world(tmp_path, {"set": "app", "path": "_heap_mb_per_hour", "to": 1000, "at": "-110m"})
    flow, index = made.flows["case"], made.flows["case"].stage(made.known["app"].arn)
    onset = int(made.facts["onset"].timestamp()) // 60
    shares = [flow.minute(minute).passages[index].gauges["collecting"] for minute in range(onset - 60, onset)]
    assert shares[0] < 0.05
    assert max(shares[-3:]) > 0.3
    assert shares == sorted(shares) or max(b - a for a, b in zip(shares[1:], shares, strict=False)) < 0.05
    full = [one for one in lines(made, "app", "gc.log", -3) if "Pause Full" in one]
    assert len(full) > 10
    assert ended(made, -3)["heap"] > 0


def test_too_many_connections_by_littles_law(tmp_path: Path) -> None:
    event = {"set": "db", "path": "config.mysql.max_connections", "to": 30, "who": "operator"}
    calls = {"calls": {"db": {"held_ms": 2500}}}
    made = world(tmp_path, event, app=calls)
    stage = made.flows["case"].stages[-1]
    assert isinstance(stage, InstanceStage)
    others = stage.programs[0].others  # type: ignore[attr-defined]
    found = ended(made, -10)
    fine = found["fine"] + found["own"]
    assert fine / 600 == pytest.approx((30 - others) / 2.5, rel=0.05)
    warned = [one for one in lines(made, "db", "error.log", -10) if "Too many connections" in one]
    thrown = [one for one in lines(made, "app", "catalina.out", -10) if "Too many connections" in one]
    assert len(warned) == len(thrown) == found["mysql too many"] > 0
    assert set(ended(world(tmp_path, None, app=calls))) == {"fine", "own"}


def test_leaked_connections_fill_the_server_and_age_out(tmp_path: Path) -> None:
    made = world(tmp_path, {"set": "db", "path": "_leaked_per_hour", "to": 120, "at": "-3h"})
    assert ended(made)["mysql too many"] > 0
    stage = made.flows["case"].stages[-1]
    assert isinstance(stage, InstanceStage)
    leaked = stage.programs[0].leaked  # type: ignore[attr-defined]
    since = made.start.timestamp() + 20 * 3600
    assert leaked(since) == pytest.approx(120 * 8, rel=0.01)


def test_a_revoked_rule_times_out_and_a_stopped_machine_too(tmp_path: Path) -> None:
    gone = world(tmp_path, {"set": "apps", "path": "Ingress.web", "to": None, "who": "operator"})
    found = ended(gone, -10)
    assert set(found) == {"fine", "tomcat unreachable"}
    assert found["fine"] == 0
    told = lines(gone, "web", "error.log", -10)
    assert sum("(110: Connection timed out) while connecting to upstream" in one for one in told) == sum(
        found.values()
    )
    assert lines(gone, "app", "catalina.out", -10)
    assert not any("SEVERE" in one for one in lines(gone, "app", "catalina"))
    stopped = world(tmp_path, {"set": "app", "path": "State.Name", "to": "stopped", "who": "operator"})
    assert set(ended(stopped, -10)) == {"fine", "tomcat unreachable"}
    assert lines(stopped, "app", "catalina.out", -10) == []
    held = (("InstanceId", stopped.known["app"].fixed["id"]),)
    source = stopped.telemetry.find("AWS/EC2", "CPUUtilization", held)
    assert source is not None
    assert source.emit(int(stopped.start.timestamp()) // 300 * 5 - 5) is None


def test_groups_of_an_instance_decide_whom_it_reaches(tmp_path: Path) -> None:
    event = {"set": "app", "path": "SecurityGroups", "to": ["other"], "who": "operator"}
    made = world(tmp_path, event)
    assert ended(made, -10)["tomcat unreachable"] > 0
    record = next(one for one in made.trail.records if one.field == "SecurityGroups")
    other = made.known["other"]
    assert record.body["requestParameters"]["groupSet"] == {"items": [{"groupId": other.fixed["id"]}]}
    (shown,) = ask(
        made,
        "ec2",
        "DescribeInstanceAttribute",
        InstanceId=made.known["app"].fixed["id"],
        Attribute="groupSet",
    )["Groups"]
    assert shown == {"GroupId": other.fixed["id"], "GroupName": "other"}
    assert (made.known["app"].arn, "guarded by", other.arn) in made.relations


def test_slow_queries_fill_the_threads_until_the_proxy_gives_up(tmp_path: Path) -> None:
    more = {"settings": {"config.mysql.max_connections": 2000}}
    made = world(tmp_path, {"set": "db", "path": "_slower_ms", "to": 30_000}, db=more)
    found = ended(made, -8)
    assert found["upstream timeout"] > found["fine"]
    told = lines(made, "web", "error.log", -8)
    assert (
        sum("while reading response header from upstream" in one for one in told) == found["upstream timeout"]
    )
    status = Counter(one.split('" ')[1].split()[0] for one in lines(made, "web", "access.log", -8))
    assert status["504"] == found["upstream timeout"]
    assert status["200"] == found["fine"]


def test_a_dead_program_is_left_alone_when_there_are_several_servers(tmp_path: Path) -> None:
    event = {"set": "app", "path": "_dead", "to": "tomcat"}
    one = ended(world(tmp_path, event), -10)
    assert set(one) == {"fine", "tomcat refused"}
    made = world(tmp_path, event, web={"settings": {"config.nginx.upstreams": 2}})
    several = ended(made, -10)
    assert 0 < several["tomcat refused"] <= 10 * 12
    assert sum(several.values()) == sum(one.values())
    told = lines(made, "web", "error.log", -10)
    assert (
        sum("no live upstreams while connecting to upstream" in text for text in told)
        == several["no live upstreams"]
    )


def test_failures_behind_a_proxy_that_gave_up_are_still_logged(tmp_path: Path) -> None:
    event = {"set": "dbs", "path": "Ingress.app", "to": None, "who": "operator"}
    made = world(tmp_path, event, app={"settings": {"config.tomcat.maxThreads": 100}})
    assert ended(made, -3)["mysql unreachable"] == 0
    told = lines(made, "app", "catalina.out", -3)
    assert sum("Caused by: java.net.SocketTimeoutException: Connect timed out" in one for one in told) > 1000


def test_the_kernel_kills_what_memory_does_not_hold(tmp_path: Path) -> None:
    made = world(
        tmp_path,
        {"set": "app", "path": "_other_mb", "to": 5200},
        app={"settings": {"InstanceType": "m6i.large"}},
    )
    assert ended(made)["tomcat refused"] > 0
    told = lines(made, "app", "messages")
    kills = [one for one in told if "Out of memory: Killed process" in one]
    assert kills
    assert all("(java)" in one for one in kills)
    assert sum("tomcat.service: Main process exited" in one for one in told) == len(kills)


def test_a_full_disk_stops_writes(tmp_path: Path) -> None:
    made = world(tmp_path, {"set": "db", "path": "_disk_mb_per_hour", "to": 60_000, "at": "-25m"})
    held = {"InstanceId": made.known["db"].fixed["id"], "path": "/", "device": "nvme0n1p1", "fstype": "xfs"}
    source = made.telemetry.find("CWAgent", "disk_used_percent", tuple(sorted(held.items())))
    now = int(made.start.timestamp()) // 60
    assert source is not None
    levels = [sample.total for one in range(now - 50, now) if (sample := source.emit(one)) is not None]
    assert len(levels) == 50
    assert levels == sorted(levels)
    assert levels[0] < 60
    assert levels[-1] == 100
    assert any("Disk is full writing" in one for one in lines(made, "db", "error.log"))
    assert ended(made, -2)["fine"] < 20 * 60


def test_enforced_tokens_take_effect_when_credentials_run_out(tmp_path: Path) -> None:
    event = {"set": "app", "path": "MetadataOptions.HttpTokens", "to": "required", "who": "operator"}
    resources = BASE["resources"] | {"table": {"kind": "table", "name": "orders"}}
    app = resources["app"] | {"calls": ["db", "table"], "with": resources["app"]["with"] | {"old_sdk": True}}
    case = BASE | {"resources": {"table": resources["table"]} | resources | {"app": app}}
    case |= {"events": [{"id": "change", "at": "0s"} | event], "look": {"after": "moment", "minutes": 40}}
    (tmp_path / "case.yaml").write_text(yaml.safe_dump(case, sort_keys=False), encoding="utf-8")
    made = load_case(tmp_path)
    changed = next(one for one in made.trail.records if one.field.startswith("MetadataOptions"))
    assert "HttpTokens" in changed.body["requestParameters"]["ModifyInstanceMetadataOptionsRequest"]
    assert made.facts["onset"] - changed.time >= timedelta(minutes=3)
    held = (("InstanceId", made.known["app"].fixed["id"]),)
    source = made.telemetry.find("AWS/EC2", "MetadataNoTokenRejected", held)
    assert source is not None
    minute = int(changed.time.timestamp()) // 300 * 5
    assert source.emit(minute - 5) is None
    assert (source.emit(minute + 10) or (0, 0))[1] > 0
    assert ended(made, -5)["no credentials"] > 0


# -- what agrees with what ----------------------------------------------------------------------------


def test_lines_are_as_many_as_counted_and_metrics_sum_the_endings(tmp_path: Path) -> None:
    made = world(tmp_path, {"set": "app", "path": "config.tomcat.xmx_mb", "to": 1024, "who": "operator"})
    now = int(made.start.timestamp()) // 60
    for found in made.log_groups.values():
        if "shop-" not in found.name:
            continue
        for minute in (now - 25, now - 20, now - 19, now - 2):
            told = found.lines(minute)
            assert Counter(line.kind for line in told) == Counter(
                {kind: many for kind in found.KINDS if (many := found.count(kind, minute))}
            )
            assert all(minute * 60_000 <= line.stamp < (minute + 1) * 60_000 for line in told)
            assert {line.stream for line in told} <= {one.fixed["id"] for one in made.of("instance")}
    held = (("InstanceId", made.known["web"].fixed["id"]),)
    failed = made.telemetry.find("CWAgent", "http_5xx", (*held, ("metric_type", "counter")))
    asked = made.telemetry.find("CWAgent", "http_requests", (*held, ("metric_type", "counter")))
    assert failed is not None
    assert asked is not None
    for minute in range(now - 25, now):
        row = made.flows["case"].minute(minute)
        bad = sum(one.many for one in row.endings if one.reason != "own")
        assert (failed.emit(minute) or (0, -1))[1] == bad
        assert (asked.emit(minute) or (0, -1))[1] == row.requests


def test_without_an_agent_there_are_no_logs_and_no_memory(tmp_path: Path) -> None:
    made = world(tmp_path, None, db={"with": {"ships_logs": False}})
    assert not any("shop-db" in one for one in made.log_groups)
    owner = made.known["db"].arn
    assert {one.namespace for one in made.telemetry.sources.values() if one.owner == owner} == {"AWS/EC2"}


def test_metrics_come_every_five_minutes_unless_detailed(tmp_path: Path) -> None:
    made = world(tmp_path, None, app={"settings": {"Monitoring.State": "enabled"}})
    steps = {}
    for key in ("web", "app"):
        source = made.telemetry.find(
            "AWS/EC2", "CPUUtilization", (("InstanceId", made.known[key].fixed["id"]),)
        )
        assert source is not None
        steps[key] = source.every
    assert steps == {"web": 5, "app": 1}


def test_what_describes_say(tmp_path: Path) -> None:
    made = world(tmp_path, {"set": "db", "path": "State.Name", "to": "stopped", "who": "operator"})
    app, db = made.known["app"], made.known["db"]
    every = ask(made, "ec2", "DescribeInstances")["Reservations"]
    ids = {one["Instances"][0]["InstanceId"] for one in every}
    assert {made.known[key].fixed["id"] for key in ("web", "app", "db")} <= ids
    only = [{"Name": "instance.group-id", "Values": [made.known["apps"].fixed["id"]]}]
    (found,) = ask(made, "ec2", "DescribeInstances", Filters=only)["Reservations"]
    shown = found["Instances"][0]
    assert (shown["InstanceId"], shown["State"]["Name"]) == (app.fixed["id"], "running")
    assert shown["SecurityGroups"] == [{"GroupId": made.known["apps"].fixed["id"], "GroupName": "app"}]
    status = ask(made, "ec2", "DescribeInstanceStatus", InstanceIds=[app.fixed["id"], db.fixed["id"]])
    assert [one["InstanceId"] for one in status["InstanceStatuses"]] == [app.fixed["id"]]
    stopped = ask(made, "ec2", "DescribeInstances", InstanceIds=[db.fixed["id"]])["Reservations"][0][
        "Instances"
    ][0]
    assert stopped["State"] == {"Code": 80, "Name": "stopped"}
    profile = ask(made, "iam", "GetInstanceProfile", InstanceProfileName="shop-app-role")["InstanceProfile"]
    assert [one["Arn"] for one in profile["Roles"]] == [app.fixed["role"]]
    lost = ask(
        made,
        "ssm",
        "DescribeInstanceInformation",
        Filters=[{"Key": "InstanceIds", "Values": [db.fixed["id"]]}],
    )
    assert lost["InstanceInformationList"][0]["PingStatus"] == "ConnectionLost"
    where = [{"Name": "attachment.instance-id", "Values": [app.fixed["id"]]}]
    assert len(ask(made, "ec2", "DescribeNetworkInterfaces", Filters=where)["NetworkInterfaces"]) == 1
    assert len(ask(made, "ec2", "DescribeVolumes", Filters=where)["Volumes"]) == 1
    with pytest.raises(NotModelled):
        ask(made, "ec2", "DescribeNetworkInterfaces")


@pytest.mark.parametrize(
    ("part", "says"),
    [
        ({"with": {"runs": ["tomcat", "nginx"]}}, "in this order"),
        ({"settings": {"InstanceType": "x9.huge"}}, "not modelled"),
        ({"settings": {"config.tomcat.xmx_mb": 512}}, "nothing on this instance reads"),
    ],
)
def test_mistakes_in_a_case_are_told(tmp_path: Path, part: Json, says: str) -> None:
    with pytest.raises(BadInput, match=says):
        world(tmp_path, None, web=part)


# -- parts --------------------------------------------------------------------------------------------


@given(arrived=st.integers(0, 5000), capacity=st.floats(0.5, 500), slices=st.integers(1, 40))
def test_a_queue_waits_as_long_as_work_is_ahead(arrived: int, capacity: float, slices: int) -> None:
    queue, most = Queue(), 120 * capacity
    waits = [queue.wait(arrived, capacity, 60, most) for _ in range(slices)]
    assert waits == sorted(waits)
    assert 0 <= waits[-1] <= 120 + 1e-9
    if arrived <= 60 * capacity:
        assert waits[-1] == 0


@given(alive=st.integers(0, 10_000), share=st.floats(-1, 2), salt=st.integers(0, 2**40))
def test_a_share_is_a_whole_number_near_its_part(alive: int, share: float, salt: int) -> None:
    found = share_of(alive, share, salt)
    assert 0 <= found <= alive
    assert abs(found - alive * min(1, max(0, share))) <= 1


def test_credits_run_out_only_in_standard_mode(tmp_path: Path) -> None:
    burst = {"settings": {"InstanceType": "t3.small", "CreditSpecification.CpuCredits": "standard"}}
    made = world(tmp_path, {"set": "app", "path": "_credits", "to": 2}, app=burst)
    host = Host(made.known["app"])
    now = made.start.timestamp()
    assert host.power(now, 5.0) == SIZES["t3.small"].vcpus
    assert host.power(now, 0.0) == pytest.approx(2 * 0.2)
    assert ended(made, -3)["upstream timeout"] > 0
