"""A scheduled job is a cause only when it began right before the CPU rose, seldom runs, and nobody asked for more."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from graph.facts import Facts
from graph.models import Incident, MetricFinding
from graph.weighing import weigh
from graph.weighing.generate import hypotheses
from graph.weighing.season import job_of, season
from graph.weights import WEIGHTS
from tests.graph import made
from tools.jobs import Job
from tools.models import Onset, Relation

BALANCER = made.arn("elasticloadbalancing", "loadbalancer/app/shop/0a1b2c3d4e5f6071")
MACHINE = made.arn("ec2", "instance/i-0a1b2c3d4e5f60718")
RESOURCES = (
    made.resource(BALANCER, "shop", {"LoadBalancerName": "shop"}),
    made.resource(
        MACHINE, "i-0a1b2c3d4e5f60718", {"State": {"Name": "running"}, "LogGroups": ["/ec2/web/messages"]}
    ),
)


def job(minutes: float = -1, every: float = 60, runs: int = 2, rose: int | None = 2) -> Job:
    started = made.ONSET + timedelta(minutes=minutes)
    return Job(
        resource=MACHINE,
        log_group="/ec2/web/messages",
        command="/opt/reports/build.sh",
        started=started,
        earlier=tuple(started - timedelta(minutes=every * n) for n in range(runs, 0, -1)),
        rose=rose,
        evidence=("L7",),
    )


def measured(where: int, name: str, before: float, after: float) -> MetricFinding:
    item = RESOURCES[where]
    return made.measured(item, made.spec(item, name), before, after)


def facts(*found: Job, cpu: float = 98.0, asked: float = 20.0) -> Facts:
    onset = Onset(earliest=made.ONSET, latest=made.ONSET + timedelta(minutes=1), confidence=0.9, shape="step")
    told: dict[str, Any] = {"account": made.ACCOUNT, "region": made.REGION, "role": "errors", "onset": onset}
    return Facts(
        incident=Incident(resource=BALANCER, **told),
        as_of=made.AS_OF,
        resources=RESOURCES,
        relations=(Relation(source=BALANCER, target=MACHINE, kind="targets", provenance="x"),),
        metrics=(measured(1, "CPUUtilization", 50, cpu), measured(0, "RequestCount", 20, asked)),
        jobs=found,
        complete_until=made.AS_OF,
    )


def test_a_job_that_began_right_before_leads_and_its_earlier_runs_speak_for_it() -> None:
    known = facts(job())
    leader = weigh(known)[0]
    assert (leader.resource, leader.condition) == (MACHINE, "scheduled-job")
    told = {one.test: one for one in season(known, leader)}
    assert told["logs"].weight == WEIGHTS["logs.name_it"]
    assert told["season"].weight == WEIGHTS["companion.moved"]
    (claim,) = told["logs"].statement.claims
    assert (claim.field, claim.value) == ("CMD (/opt/reports/build.sh)", 1)
    assert claim.start is not None
    assert claim.start <= job().started < claim.start + timedelta(minutes=1)


def test_a_job_that_never_took_cpu_before_is_less_likely() -> None:
    known = facts(job(rose=0))
    assert [one.weight for one in season(known, weigh(known)[0])] == [
        WEIGHTS["logs.name_it"],
        WEIGHTS["companion.still"],
    ]


@pytest.mark.parametrize(
    "known",
    [
        facts(),
        facts(job(minutes=20)),  # it began after the symptom
        facts(job(minutes=-30)),  # too long before
        facts(job(every=5)),  # it always began shortly before anything
        facts(job(), cpu=51.0),  # the CPU did not rise
        facts(job(), asked=90.0),  # more was asked for
    ],
)
def test_without_that_no_job_is_among_the_causes(known: Facts) -> None:
    assert job_of(known, MACHINE) is None
    assert not any(one.condition == "scheduled-job" for one in hypotheses(known))
