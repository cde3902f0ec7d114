"""Which log patterns are new or louder since the onset, and what they name."""

from __future__ import annotations

from datetime import timedelta

from langgraph.runtime import Runtime

from graph.context import Context
from graph.desk import desk
from graph.facts import LOGS_BEFORE, Facts
from graph.reading import read_patterns
from graph.state import LogNotes, State, dump, dump_all
from graph.unlogged import unlogged
from graph.words import number
from tools.catalogue import services
from tools.clock import floor
from tools.logs import patterns
from tools.models import LogPattern, Window

MOST_GROUPS = 10
SETTLING = timedelta(seconds=120)
"""Lines this young may not have arrived yet; counting them would give a number that is still growing."""


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
            Window(start=begin, end=max(begin, floor(facts.as_of - SETTLING, 60))),
            onset=begin,
            baseline=Window(start=begin - LOGS_BEFORE, end=begin),
        )
        for pattern in found.patterns:
            if pattern.is_new and pattern.after:
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
            reading=reading,
            **work.findings(),
        )


def _words(pattern: LogPattern) -> str:
    return " ".join(one for one in (pattern.error_code, pattern.reason) if one) or pattern.template[:80]


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
