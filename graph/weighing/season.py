"""Season: what a schedule started right before the symptom, and whether it did the same at its earlier runs."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from graph.claims import statement
from graph.facts import Facts
from graph.models import Hypothesis, TestResult
from graph.weights import WEIGHTS
from tools.clock import floor
from tools.jobs import Job
from tools.models import Claim

_RARE = 0.2
"""What a schedule starts more often than this part of the time that is looked at began by chance."""


def season(facts: Facts, hypothesis: Hypothesis) -> Iterator[TestResult]:
    """Did a scheduled job begin right before what it is said to move, and does it move that each time?"""
    known = facts.condition(hypothesis.resource, hypothesis.condition)
    job = job_of(facts, hypothesis.resource) if known is not None and known.scheduled else None
    if known is None or job is None:
        return
    yield TestResult(
        test="logs",
        weight=WEIGHTS["logs.name_it"],
        statement=statement(
            "cron started {command} right before",
            evidence=job.evidence,
            claims=[_line(job)],
            command=job.command,
        ),
    )
    if job.rose is None:
        return
    always = 2 * job.rose >= len(job.earlier)
    said = statement(
        "the CPU rose at its earlier runs as well" if always else "at its earlier runs the CPU hardly rose",
        evidence=job.evidence,
    )
    weight = WEIGHTS["companion.moved" if always else "companion.still"]
    yield TestResult(test="season", weight=weight, statement=said)


def job_of(facts: Facts, arn: str) -> Job | None:
    """The job that began right before the machine's CPU rose, if that is no mere chance.

    More requests explain a higher CPU without one. Where the CPU tells no moment, that of the symptom counts.
    """
    moved = facts.metric(arn, "CPUUtilization")
    rose = (moved.onset or facts.onset) if moved is not None and moved.moved else None
    if rose is None or facts.onset is None or _asked_more(facts):
        return None
    for job in facts.jobs:
        lag = max(timedelta(), facts.onset.latest - job.started)
        if job.resource == arn and job.started <= rose.latest and lag < _RARE * job.every:
            return job
    return None


def _asked_more(facts: Facts) -> bool:
    return any(
        one.after is not None and one.before is not None and one.after > 1.4 * one.before
        for one in facts.role(facts.incident.resource, "demand")
    )


def _line(job: Job) -> Claim:
    """That cron's line of this command is there, in the minute of its newest start."""
    minute = floor(job.started, 60)
    return Claim(
        kind="log",
        subject=job.log_group,
        field=f"CMD ({job.command})",
        value=1,
        start=minute,
        end=minute + timedelta(minutes=1),
        how="count",
    )
