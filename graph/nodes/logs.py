"""Which log patterns are new or louder since the onset, and what they name."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from langgraph.runtime import Runtime

from graph.context import Context
from graph.desk import Desk, desk
from graph.facts import LOGS_BEFORE, Facts, compare
from graph.nodes.metrics import metric_of
from graph.reading import read_patterns
from graph.refuting import Question
from graph.state import LogNotes, State, dump, dump_all, load
from graph.unlogged import unlogged
from graph.words import number
from tools.catalogue import services
from tools.clock import floor
from tools.jobs import Job, is_system_log, jobs, with_cpu
from tools.logs import patterns
from tools.models import Json, LogPattern, Window

MOST_GROUPS = 10
SHORTLY = timedelta(minutes=10)
"""A job that began longer ago hardly brought about what began now."""
SETTLING = timedelta(seconds=120)
"""Lines this young may not have arrived yet; counting them would give a number that is still growing."""


def logs(state: State, *, runtime: Runtime[Context]) -> LogNotes | dict[str, object]:
    """Mine the log groups of the near resources; a model may read what no signature knows."""
    if "logs" not in state["tasks"]:
        return {}
    with desk(state, runtime, "logs") as work:
        facts = Facts.of(state)
        begin = facts.onset.earliest if facts.onset else facts.as_of - timedelta(minutes=15)
        groups = _groups(facts, state.get("question"))
        found = patterns(
            work.reader,
            groups,
            Window(start=begin, end=max(begin, floor(facts.as_of - SETTLING, 60))),
            onset=begin,
            baseline=Window(start=begin - LOGS_BEFORE, end=begin),
        )
        verdicts = compare(found.patterns, found.after.seconds) if found.after else ()
        for pattern, verdict in zip(found.patterns, verdicts, strict=True):
            if verdict.kind == "gone" and pattern.read_after == 1.0:
                work.tell(
                    "observation",
                    "No longer in {group} since the onset: {words}, {count} lines in the hour before.",
                    group=pattern.log_group, words=_words(pattern), count=number(pattern.before),
                    evidence=pattern.evidence,
                )  # fmt: skip
            # What was missed when only a sample was read is not new for that.
            if pattern.is_new and pattern.after and (pattern.read_before == 1.0 or verdict.kind == "new"):
                work.tell(
                    "observation",
                    "New in {group}: {words}, {count} lines.",
                    group=pattern.log_group, words=_words(pattern), count=number(pattern.after),
                    evidence=pattern.evidence,
                )  # fmt: skip
        for group in found.quiet:
            work.tell("observation", "{group} logged before the onset and is silent since.", group=group)
        for _, gap in unlogged(facts):
            work.reader.missing(gap.what, gap.why, gap.would_show, gap.lift, gap.code)
        unknown = [item for item in found.patterns if item.after and facts.signature(item) is None]
        reading = read_patterns(work, unknown, state.get("reading"))
        return LogNotes(
            patterns=dump_all(found.patterns),
            log_window=dump(found.after) if found.after else None,
            log_groups=list(groups),
            jobs=dump_all(_jobs(work, facts, begin)),
            reading=reading,
            **work.findings(),
        )


def _jobs(work: Desk, facts: Facts, begin: datetime) -> Iterator[Job]:
    """What cron started before the onset on the machines that serve the requests, where their system log is shipped."""
    for arn in (facts.incident.resource, *facts.downstream(facts.incident.resource))[:MOST_GROUPS]:
        resource = facts.resource(arn)
        service = facts.service(resource) if resource is not None else None
        if resource is None or service is None or service.log_groups is None:
            continue
        known = next((one for one in facts.conditions_of(resource) if one.scheduled), None)
        groups = [one for one in service.log_groups(resource) if is_system_log(one)] if known else []
        if known is None or not groups:
            continue
        spec = next(
            one for one in service.metrics if (one.type, one.name) == (resource.type, known.metrics[0])
        )
        for job in jobs(work.reader, arn, groups, begin + timedelta(minutes=1)):
            if job.started >= begin - SHORTLY:
                yield with_cpu(work.reader, job, metric_of(resource, spec))


def _words(pattern: LogPattern) -> str:
    return " ".join(one for one in (pattern.error_code, pattern.reason) if one) or pattern.template[:80]


def _groups(facts: Facts, asked: Json | None) -> tuple[str, ...]:
    """Log groups of the symptom's neighbourhood, nearest first; before them those that a round is to decide by, beside
    those that were read before."""
    wanted = load(Question, asked).log_groups if asked else ()
    near = [facts.incident.resource, *facts.upstream(facts.incident.resource)]
    near += [arn for arn in facts.downstream(facts.incident.resource) if arn not in near]
    names: list[str] = []
    for arn in near:
        resource = facts.resource(arn)
        service = services().get(resource.service) if resource else None
        if resource is not None and service is not None and service.log_groups is not None:
            names.extend(service.log_groups(resource))
    again = [name for name in names if name in facts.log_groups]
    return tuple(dict.fromkeys((*wanted, *again, *names)))[: MOST_GROUPS + len(wanted)]
