"""Load balancers in worlds: health checks, routing, timeouts, the network, metrics and answers."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from evals.world import World, load_case
from evals.world.ecs_stage import roster_of
from evals.world.elb_shown import full
from evals.world.flow import Flow, Minute
from evals.world.telemetry import Sample
from tools.aws import Account, Aws
from tools.budget import Budget, Limits
from tools.clock import VirtualClock
from tools.errors import NotThere
from tools.evidence import MemoryStore
from tools.models import Json

CASE = """
title: A load balancer
people: {operator: {way: user-console, name: "{person_1}"}}
resources:
  lb: {kind: load-balancer, name: shop-web, calls: targets, with: {path: /orders/7}}
  targets: {kind: target-group, name: shop-web, calls: service, settings: {HealthCheckIntervalSeconds: 20}}
  blue: {kind: target-group, name: shop-blue}
  rule: {kind: listener-rule, name: api, with: {of: lb, to: blue, paths: [/api/*]}}
  cluster: {kind: cluster, name: shop}
  good: {kind: task-definition, name: web, with: {container: app}}
  service: {kind: ecs-service, name: web, with: {cluster: cluster, definition: good, cpu_ms: 15}}
traffic: {per_second: 40, duration_ms: 40}
alarms:
  alarm:
    name: web-5xx
    "on": lb
    namespace: AWS/ApplicationELB
    metric: HTTPCode_ELB_5XX_Count
    dimensions: {LoadBalancer: "{{id}}"}
    stat: Sum
    threshold: 10
    missing: notBreaching
look: {after: moment, minutes: 20}
switches: {noise: 0}
"""


def world(tmp_path: Path, where: str, path: str, to: Any, **traffic: Any) -> World:
    case = yaml.safe_load(CASE)
    event = {"id": "change", "at": "0s", "who": "operator", "set": where, "path": path, "to": to}
    case |= {"events": [event], "traffic": case["traffic"] | traffic}
    (tmp_path / "case.yaml").write_text(yaml.safe_dump(case, sort_keys=False), encoding="utf-8")
    return load_case(tmp_path, 2)


def flow(made: World) -> Flow:
    return made.flows["case"]


def moment(made: World) -> int:
    return int(flow(made).demand.anchor)


def row(made: World, minute: int) -> Minute:
    return flow(made).minute(moment(made) // 60 + minute)


def ended(made: World, minute: int) -> dict[tuple[str, int], int]:
    found: dict[tuple[str, int], int] = {}
    for one in row(made, minute).endings:
        found[one.reason, one.status] = found.get((one.reason, one.status), 0) + one.many
    return found


def emitted(made: World, key: str, name: str, minute: int) -> Sample | None:
    arn = made.facts[f"{key}.arn"]
    found = [one for one in made.telemetry.sources.values() if (one.owner, one.name) == (arn, name)]
    assert len(found) == 1, name
    return found[0].emit(moment(made) // 60 + minute)


def total(made: World, key: str, name: str, minute: int) -> float:
    found = emitted(made, key, name, minute)
    return 0.0 if found is None else found.total


def ask(made: World, operation: str, /, **given: Any) -> Json:
    limits = Budget(Limits(calls=100))
    aws = Aws(Account(region=made.region), made.transport(), VirtualClock(made.start), limits, MemoryStore())
    return aws.ask("elbv2", operation, made.region, given)


def call(made: World) -> Json:
    return made.trail.by_id[made.facts["change.event_id"]].body


def test_another_path_makes_all_targets_unhealthy_and_requests_still_go_to_all(tmp_path: Path) -> None:
    made = world(tmp_path, "targets", "HealthCheckPath", "/healthz2")
    onset = made.facts["onset"].timestamp() - moment(made)
    assert 20 <= onset <= 40  # two failed checks, 20 seconds apart
    healthy, bad = (emitted(made, "targets", name, 2) for name in ("HealthyHostCount", "UnHealthyHostCount"))
    assert healthy is not None
    assert bad is not None
    assert (healthy.high, bad.low > 0) == (0, True)
    assert row(made, 2).alive > 0.7 * row(made, 2).requests
    told = ask(made, "DescribeTargetHealth", TargetGroupArn=made.facts["targets.arn"])
    states = {one["TargetHealth"]["State"]: one["TargetHealth"] for one in told["TargetHealthDescriptions"]}
    assert "healthy" not in states
    assert states["unhealthy"]["Reason"] == "Target.ResponseCodeMismatch"
    assert states["unhealthy"]["Description"] == "Health checks failed with these codes: [404]"
    service = made.things[made.facts["service.arn"]]
    replaced = [one for one in roster_of(made, service).tasks if "failed ELB health checks" in one.reason]
    assert len(replaced) > 5
    group = made.log_groups["/ecs/web"]
    probes = group.some("probe", moment(made) // 60 + 2, 4)
    assert probes
    assert 'GET /healthz2 HTTP/1.1" 404 "ELB-HealthChecker/2.0"' in probes[0].text
    assert call(made)["requestParameters"]["healthCheckPath"] == "/healthz2"
    assert call(made)["responseElements"]["targetGroups"][0]["healthCheckPath"] == "/healthz2"


@pytest.mark.parametrize(
    ("path", "to", "reason"),
    [
        ("Matcher.HttpCode", "204", "Target.ResponseCodeMismatch"),
        ("HealthCheckPort", "9999", "Target.Timeout"),  # no security group admits it
        ("HealthCheckProtocol", "HTTPS", "Target.FailedHealthChecks"),
    ],
)
def test_other_checks_fail_for_their_own_reason(tmp_path: Path, path: str, to: str, reason: str) -> None:
    made = world(tmp_path, "targets", path, to)
    told = ask(made, "DescribeTargetHealth", TargetGroupArn=made.facts["targets.arn"])
    reasons = {one["TargetHealth"].get("Reason") for one in told["TargetHealthDescriptions"]}
    assert reason in reasons


def test_a_listener_that_forwards_to_an_empty_group_answers_503(tmp_path: Path) -> None:
    to = [{"Type": "forward", "TargetGroupArn": "{blue.arn}"}]
    made = world(tmp_path, "lb_listener", "DefaultActions", to)
    asked = row(made, 3).requests
    assert ended(made, 3) == {("no targets", 503): asked}
    assert total(made, "lb", "HTTPCode_ELB_503_Count", 3) == asked == total(made, "lb", "RequestCount", 3)
    assert emitted(made, "targets", "RequestCount", 3) is None
    assert (made.facts["lb_listener.arn"], "forwards to", made.facts["blue.arn"]) in made.relations
    arn = made.facts["lb_listener.arn"]
    shown = ask(made, "DescribeListeners", ListenerArns=[arn])["Listeners"][0]["DefaultActions"]
    assert shown == full([{"Type": "forward", "TargetGroupArn": made.facts["blue.arn"]}])
    assert made.facts["change.before"] == full(
        [{"Type": "forward", "TargetGroupArn": made.facts["targets.arn"]}]
    )
    asked_for = call(made)["requestParameters"]["defaultActions"][0]
    assert asked_for["targetGroupArn"] == made.facts["blue.arn"]


def test_weights_share_requests_among_groups(tmp_path: Path) -> None:
    groups = [{"TargetGroupArn": "{targets.arn}", "Weight": 3}, {"TargetGroupArn": "{blue.arn}", "Weight": 1}]
    made = world(
        tmp_path,
        "lb_listener",
        "DefaultActions",
        [{"Type": "forward", "ForwardConfig": {"TargetGroups": groups}}],
    )
    assert ended(made, 4)["no targets", 503] == pytest.approx(row(made, 4).requests / 4, abs=2)


def test_a_fixed_response_ends_at_the_balancer(tmp_path: Path) -> None:
    to = [{"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": 503}}]
    made = world(tmp_path, "lb_listener", "DefaultActions", to)
    asked = row(made, 3).requests
    assert total(made, "lb", "HTTP_Fixed_Response_Count", 3) == asked
    assert total(made, "lb", "HTTPCode_ELB_5XX_Count", 3) == asked


def test_a_rule_that_comes_to_fit_takes_the_requests(tmp_path: Path) -> None:
    to = [{"Field": "path-pattern", "Values": ["/orders/*"]}]
    made = world(tmp_path, "rule", "Conditions", to)
    assert ended(made, -3) == {}
    assert ended(made, 3) == {("no targets", 503): row(made, 3).requests}
    shown = ask(made, "DescribeRules", ListenerArn=made.facts["lb_listener.arn"])["Rules"]
    assert [one["Priority"] for one in shown] == ["10", "default"]
    assert shown[0]["Conditions"][0]["Values"] == ["/orders/*"]


def test_an_idle_timeout_below_the_time_a_request_takes_answers_504(tmp_path: Path) -> None:
    path = "Attributes.idle_timeout.timeout_seconds"
    made = world(tmp_path, "lb", path, 2, duration_ms=2500)
    late = ended(made, 4)["idle timeout", 504]
    assert 0.4 * row(made, 4).requests < late < row(made, 4).requests
    assert total(made, "lb", "HTTPCode_ELB_504_Count", 4) == late
    assert made.facts["change.after"] == "2"
    assert made.facts["change.before"] == "60"
    held = {"key": "idle_timeout.timeout_seconds", "value": "2"}
    assert call(made)["requestParameters"]["attributes"] == [held]
    told = ask(made, "DescribeLoadBalancerAttributes", LoadBalancerArn=made.facts["lb.arn"])["Attributes"]
    assert {"Key": "idle_timeout.timeout_seconds", "Value": "2"} in told


def test_targets_that_do_not_admit_the_balancer_time_out(tmp_path: Path) -> None:
    made = world(tmp_path, "service_group", "Ingress.from-balancer", None)
    asked = row(made, 1).requests
    assert ended(made, 1) == {("not answered", 504): asked}
    assert total(made, "lb", "TargetConnectionErrorCount", 1) == asked
    told = ask(made, "DescribeTargetHealth", TargetGroupArn=made.facts["targets.arn"])
    reasons = {one["TargetHealth"].get("Reason") for one in told["TargetHealthDescriptions"]}
    assert "Target.Timeout" in reasons


def test_a_balancer_that_admits_nobody_sees_nothing(tmp_path: Path) -> None:
    made = world(tmp_path, "lb_group", "Ingress.clients", None)
    assert ended(made, 3) == {("unreachable", 0): row(made, 3).requests}
    assert emitted(made, "lb", "RequestCount", 3) is None
    hosts = emitted(made, "targets", "HealthyHostCount", 3)
    assert hosts is not None
    assert hosts.low == 3


def test_names_that_do_not_exist_are_refused_as_by_aws(tmp_path: Path) -> None:
    made = world(tmp_path, "lb", "Attributes.idle_timeout.timeout_seconds", 120)
    assert "onset" not in made.facts
    with pytest.raises(NotThere, match="One or more load balancers not found"):
        ask(made, "DescribeLoadBalancers", Names=["nope"])
    with pytest.raises(NotThere, match="One or more target groups not found"):
        ask(made, "DescribeTargetGroups", Names=["nope"])
    told = ask(made, "DescribeTargetHealth", TargetGroupArn=made.facts["targets.arn"])
    assert {one["TargetHealth"]["State"] for one in told["TargetHealthDescriptions"]} == {"healthy"}
    shown = ask(made, "DescribeTargetGroups", LoadBalancerArn=made.facts["lb.arn"])["TargetGroups"]
    assert {one["TargetGroupName"] for one in shown} == {"shop-web", "shop-blue"}
    assert not made.coverage_misses


def test_a_stopped_instance_is_lost_until_its_checks_have_failed(tmp_path: Path) -> None:
    case = yaml.safe_load(CASE)
    kept = {key: case["resources"][key] for key in ("lb", "targets")}
    kept["targets"] |= {"calls": "one", "with": {"targets": ["two"]}}
    hosts = {key: {"kind": "instance", "name": f"web-{key}"} for key in ("one", "two")}
    event = {
        "id": "change",
        "at": "0s",
        "who": "operator",
        "set": "two",
        "path": "State.Name",
        "to": "stopped",
    }
    case |= {"resources": {"lb": kept["lb"], **hosts, "targets": kept["targets"]}, "events": [event]}
    (tmp_path / "case.yaml").write_text(yaml.safe_dump(case, sort_keys=False), encoding="utf-8")
    made = load_case(tmp_path, 2)
    asked = row(made, 0).requests
    assert 0 < ended(made, 0)["refused", 502] <= asked / 2 + 60
    assert ended(made, 3) == {}  # the other one gets all
    healthy, bad = (emitted(made, "targets", name, 3) for name in ("HealthyHostCount", "UnHealthyHostCount"))
    assert healthy is not None
    assert bad is not None
    assert (healthy.high, bad.high) == (1, 1)
    told = ask(made, "DescribeTargetHealth", TargetGroupArn=made.facts["targets.arn"])
    states = {one["Target"]["Id"]: one["TargetHealth"]["State"] for one in told["TargetHealthDescriptions"]}
    assert states == {made.facts["one.id"]: "healthy", made.facts["two.id"]: "unhealthy"}
