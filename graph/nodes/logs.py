"""Which log patterns are new or louder since the onset, and what they name."""

from __future__ import annotations

from datetime import timedelta

from langgraph.runtime import Runtime

from graph.context import Context
from graph.desk import desk
from graph.facts import Facts
from graph.model import read_patterns
from graph.state import LogNotes, State, dump_all
from tools.catalogue import services
from tools.logs import patterns
from tools.models import Window

BASELINE = timedelta(hours=1)
MOST_GROUPS = 10


def logs(state: State, *, runtime: Runtime[Context]) -> LogNotes | dict[str, object]:
    """Mine the log groups of the near resources; a model may read what no signature knows."""
    if "logs" not in state["tasks"]:
        return {}
    with desk(state, runtime, "logs") as work:
        facts = Facts.of(state)
        begin = facts.onset.earliest if facts.onset else facts.as_of - timedelta(minutes=15)
        groups = _groups(facts)
        found = patterns(
            work.reader,
            groups,
            Window(start=begin, end=facts.as_of),
            onset=begin,
            baseline=Window(start=begin - BASELINE, end=begin),
        )
        for pattern in found.patterns:
            if pattern.is_new and pattern.after:
                work.tell(
                    "observation",
                    "New in {group}: {code} {reason}, {count} lines.",
                    group=pattern.log_group, code=pattern.error_code or "pattern", reason=pattern.reason,
                    count=pattern.after, evidence=pattern.evidence,
                )  # fmt: skip
        unknown = [item for item in found.patterns if item.after and facts.signature(item) is None]
        reading = read_patterns(work, unknown)
        return LogNotes(patterns=dump_all(found.patterns), reading=reading, **work.findings())


def _groups(facts: Facts) -> tuple[str, ...]:
    """Log groups of the symptom's neighbourhood, nearest first."""
    near = [facts.incident.resource, *facts.upstream(facts.incident.resource)]
    near += [arn for arn in facts.downstream(facts.incident.resource) if arn not in near]
    names: list[str] = []
    for arn in near:
        resource = facts.resource(arn)
        service = services().get(resource.service) if resource else None
        if resource is not None and service is not None and service.log_groups is not None:
            names.extend(service.log_groups(resource))
    return tuple(dict.fromkeys(names))[:MOST_GROUPS]
