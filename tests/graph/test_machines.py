"""Causes on machines: stores that run out, lines that tell of whom the writer called, settings that AWS moves along."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from graph.facts import Facts, SettingStep
from graph.models import Hypothesis, Incident, MetricFinding
from graph.weighing import weigh
from graph.weighing.generate import hypotheses
from graph.weighing.mechanism import together
from graph.weighing.special import condition
from graph.weighing.witness import about, companions, logs
from tests.graph import made
from tools.models import LogPattern, Metric, MetricStep, Onset, Relation, Resource, Window

BALANCER = made.arn("elasticloadbalancing", "loadbalancer/app/shop/0a1b2c3d4e5f6071")
WEB = made.arn("ec2", "instance/i-0web0000000000001")
APP = made.arn("ec2", "instance/i-0app0000000000001")
VOLUME = made.arn("ec2", "volume/vol-0a1b2c3d4e5f60718")
GROUP = made.arn(
    "autoscaling", "autoScalingGroup:0b3c1c8e-1111-4222-8333-444455556666:autoScalingGroupName/fleet"
)
ERRORS = "/ec2/web/nginx/error.log"
TIMED_OUT = (
    "2026/04/09 10:00:05 [error] 7#7: *33 upstream timed out (110: Connection timed out) while reading response header "
    'from upstream, client: 203.0.113.9, server: shop.example.com, request: "GET / HTTP/1.1", upstream: '
    '"http://10.0.1.20:8080/", host: "shop.example.com"'
)
EXPIRED = TIMED_OUT.replace(
    "upstream timed out (110: Connection timed out) while reading response header from upstream",
    "upstream SSL certificate verify error: (10:certificate has expired) while SSL handshaking to upstream",
)


def machines() -> tuple[Resource, ...]:
    running = {"State": {"Name": "running"}}
    return (
        made.resource(BALANCER, "shop", {"LoadBalancerName": "shop"}),
        made.resource(
            WEB, "i-0web0000000000001", {**running, "PrivateIpAddress": "10.0.1.10", "LogGroups": [ERRORS]}
        ),
        made.resource(
            APP, "i-0app0000000000001", {**running, "PrivateIpAddress": "10.0.1.20", "LogGroups": []}
        ),
        made.resource(VOLUME, "vol-0a1b2c3d4e5f60718", {"VolumeType": "gp2", "Size": 80, "Iops": 240}),
    )


def between(source: str, target: str, kind: str) -> Relation:
    return Relation(source=source, target=target, kind=kind, provenance="x")


def facts(*patterns: LogPattern, metrics: tuple[MetricFinding, ...] = (), **more: Any) -> Facts:
    onset = Onset(earliest=made.ONSET, latest=made.ONSET + timedelta(minutes=1), confidence=0.9, shape="step")
    incident = Incident(
        account=made.ACCOUNT, region=made.REGION, resource=BALANCER, role="errors", onset=onset
    )
    relations = (
        between(BALANCER, WEB, "targets"),
        between(WEB, APP, "may connect to"),
        between(APP, VOLUME, "uses"),
    )
    told: dict[str, Any] = {
        "incident": incident,
        "as_of": made.AS_OF,
        "resources": machines(),
        "relations": relations,
        "patterns": patterns,
        "metrics": metrics,
        "log_window": Window(start=made.ONSET, end=made.AS_OF),
        "complete_until": made.AS_OF,
    }
    return Facts(**(told | more))


def finding(where: str, name: str, before: float, after: float, **more: Any) -> MetricFinding:
    item = next(one for one in machines() if one.arn == where)
    return made.measured(item, made.spec(item, name), before, after).model_copy(update=more)


# -- lines that tell of another machine ----------------------------------------------------------------


def test_a_proxy_s_line_of_an_expired_certificate_tells_of_the_server_that_it_names() -> None:
    line = made.pattern(EXPIRED, group=ERRORS)
    assert "10.0.1.20" in line.names
    known = facts(line)
    assert about(known, line, APP)
    assert not about(known, line, WEB)
    conditions = {one.resource for one in hypotheses(known) if one.condition == "certificate-expired"}
    assert conditions == {APP}
    leader = weigh(known)[0]
    assert (leader.resource, leader.condition) == (APP, "certificate-expired")


def test_when_the_server_is_not_known_the_line_tells_of_the_proxy() -> None:
    line = made.pattern(EXPIRED.replace("10.0.1.20", "10.9.9.9"), group=ERRORS)
    assert about(facts(line), line, WEB)


@pytest.mark.parametrize(("text", "against"), [(TIMED_OUT, False), ("No space left on device", True)])
def test_that_a_caller_waits_speaks_against_no_cause(text: str, against: bool) -> None:
    line = made.pattern(text.replace("10.0.1.20", "10.9.9.9"), group=ERRORS)
    guess = Hypothesis(id="x", kind="condition", title="x", resource=WEB, condition="cpu-credits-spent")
    told = logs(facts(line), guess)
    assert (told is not None and told.weight < 0) is against


# -- stores that ran out --------------------------------------------------------------------------------


def spent(used_up: bool = True) -> tuple[MetricFinding, ...]:
    return (
        finding(VOLUME, "BurstBalance", 6.0, 0.0, used_up=used_up, moved=True, direction="down"),
        finding(VOLUME, "VolumeQueueLength", 0.2, 900.0),
    )


def test_burst_credits_that_ran_out_are_the_likeliest_cause_though_a_setting_could_do_it_too() -> None:
    known = facts(metrics=spent())
    leader = weigh(known)[0]
    assert (leader.resource, leader.condition) == (VOLUME, "burst-spent")
    assert [one.weight for one in companions(known, leader)] == [0.8]
    assert list(condition(facts(metrics=spent(used_up=False)), leader)) == []


def test_a_companion_of_a_condition_that_stays_still_says_nothing() -> None:
    known = facts(metrics=(spent()[0], finding(VOLUME, "VolumeQueueLength", 0.2, 0.2)))
    assert list(companions(known, weigh(known)[0])) == []


# -- settings that AWS moves along ----------------------------------------------------------------------


def fleet(maximum: int = 1, desired: int = 1) -> Resource:
    config = {
        "AutoScalingGroupName": "fleet",
        "MinSize": 1,
        "MaxSize": maximum,
        "DesiredCapacity": desired,
        "EnabledMetrics": [{"Metric": "GroupDesiredCapacity"}],
    }
    return made.resource(GROUP, "fleet", config)


def stepped(name: str, path: str, before: float, after: float) -> SettingStep:
    own = Metric(namespace="AWS/AutoScaling", name=name, dimensions=(), stat="Maximum", period=60)
    start = made.ONSET - timedelta(minutes=2)
    found = MetricStep(
        metric=own, before=before, after=after, earliest=start, latest=start + timedelta(minutes=2),
        evidence=("M-step",),
    )  # fmt: skip
    return SettingStep(resource=GROUP, setting=path, step=found)


def lowered(**more: Any) -> Facts:
    sent = {"autoScalingGroupName": "fleet", "maxSize": 1}
    before = made.event(
        "autoscaling", "UpdateAutoScalingGroup", {**sent, "maxSize": 8}, minutes=-9000, id="old"
    )
    change = made.event("autoscaling", "UpdateAutoScalingGroup", sent, minutes=-1, id="new")
    metric = Metric(namespace="AWS/EC2", name="CPUUtilization", dimensions=(), stat="Average", period=60)
    incident = facts().incident.model_copy(update={"metric": metric, "role": "errors"})
    told: dict[str, Any] = {
        "incident": incident,
        "changes": (change, before),
        "resources": (*machines(), fleet()),
        "relations": (between(BALANCER, GROUP, "targets"),),
        "steps": (stepped("GroupDesiredCapacity", "DesiredCapacity", 5, 1),),
    }
    return facts(**(told | more))


def leading(known: Facts) -> Hypothesis:
    return next(one for one in hypotheses(known) if one.event == "new" and one.setting == "MaxSize")


def test_a_lower_maximum_takes_the_desired_capacity_along_by_the_word_of_its_metric() -> None:
    known = lowered()
    (what,) = together(known, leading(known))
    assert (what.setting.path, what.prior.value, what.after) == ("DesiredCapacity", 5, 1)
    assert not any(one.kind == "setting" and one.setting == "DesiredCapacity" for one in hypotheses(known))


def test_what_only_an_old_request_tells_is_not_taken_along() -> None:
    old = made.event("autoscaling", "SetDesiredCapacity",
                     {"autoScalingGroupName": "fleet", "desiredCapacity": 3}, minutes=-8000, id="asked")  # fmt: skip
    known = lowered(steps=())
    known = replace(known, changes=(*known.changes, old))
    assert together(known, leading(known)) == ()


def test_what_did_not_move_is_not_taken_along() -> None:
    assert together(lowered(steps=()), leading(lowered(steps=()))) == ()
