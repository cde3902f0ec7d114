"""Machines in worlds: who may connect to whom, and the log streams that their agents write to."""

from __future__ import annotations

from pathlib import Path

from evals.world import World, load_case
from tools.aws import Account, Aws
from tools.budget import Budget, Limits
from tools.clock import VirtualClock
from tools.evidence import MemoryStore
from tools.models import Json

CASE = """
title: Two machines
resources:
  web_group: {kind: security-group, name: web}
  app_group: {kind: security-group, name: app, settings: {Ingress.web: {port: 8080, from: web_group}}}
  web: {kind: instance, name: web-1, with: {runs: nginx, guarded_by: web_group}, calls: app}
  app: {kind: instance, name: app-1, with: {runs: tomcat, guarded_by: app_group}}
traffic: {per_second: 20, duration_ms: 40, enters: web}
alarms:
  alarm:
    name: cpu
    "on": app
    namespace: AWS/EC2
    metric: CPUUtilization
    dimensions: {InstanceId: "{{id}}"}
    stat: Average
    period: 300
    threshold: 95
look: {after: moment, minutes: 20}
switches: {noise: 0}
"""


def world(tmp_path: Path) -> World:
    (tmp_path / "case.yaml").write_text(CASE, encoding="utf-8")
    return load_case(tmp_path, 2)


def ask(made: World, operation: str, /, **given: object) -> Json:
    limits = Budget(Limits(calls=100))
    aws = Aws(Account(region=made.region), made.transport(), VirtualClock(made.start), limits, MemoryStore())
    return aws.ask("logs", operation, made.region, given)


def test_things_are_related_by_what_their_security_groups_admit(tmp_path: Path) -> None:
    made = world(tmp_path)
    web, app = made.facts["web.arn"], made.facts["app.arn"]
    assert (web, "may connect to", app) in made.relations
    assert (app, "may connect to", web) not in made.relations
    assert any(source == web and kind == "uses" and "eni-" in to for source, kind, to in made.relations)


def test_an_agents_streams_are_found_by_the_instances_id(tmp_path: Path) -> None:
    made = world(tmp_path)
    id = str(made.facts["app.id"])
    group = next(name for name, one in made.log_groups.items() if "app-1" in name and "catalina" in name)
    (stream,) = ask(made, "DescribeLogStreams", logGroupName=group, logStreamNamePrefix=id)["logStreams"]
    assert str(stream["logStreamName"]).startswith(id)
    assert stream["creationTime"] < stream["lastEventTimestamp"] <= int(made.start.timestamp() * 1000)
    other = ask(made, "DescribeLogStreams", logGroupName=group, logStreamNamePrefix="i-0no")
    assert other["logStreams"] == []
