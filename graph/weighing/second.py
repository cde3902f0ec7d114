"""Two true causes: is another change a cause of its own beside the leader?

Only by evidence that is its own: a metric of the changed resource that fails right with it, or an error text that
names it, and that the leader does not explain. A change that merely happened at the same time has none.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from graph.claims import event_claims, log_claim, statement, total_claim
from graph.facts import Facts
from graph.models import Hypothesis, MetricFinding, TestResult
from graph.weighing.mechanism import FAILURE_ROLES, effects, explains
from graph.weighing.moves import event_of, step_of
from graph.weighing.shown import most_shown
from graph.weighing.when import onset_claims, span
from graph.weighing.witness import about, names
from graph.weights import LIKELY, WEIGHTS
from graph.words import number, stamp
from tools.models import LogPattern, Onset
from tools.services._spec import Effect

MOST = 2
"""At most this many causes are named beside the leader."""
_SLACK = timedelta(seconds=60)
"""A metric tells the minute, and an event's time is the second of the call, not of its effect."""
_REFUTES = -2.0
_REACTING = frozenset({"aws_service", "service_linked_role"})


@dataclass(frozen=True, slots=True, kw_only=True)
class _Witness:
    """What speaks for one cause and not for the others: a metric, or the lines of a log."""

    metric: MetricFinding | None = None
    pattern: LogPattern | None = None


def beside(facts: Facts, ranked: tuple[Hypothesis, ...]) -> tuple[Hypothesis, ...]:
    """The ranking, with each further true cause leading too and weighed by its own evidence.

    Causes that are true at once are no rivals: the share of one is counted without the others. Without a second cause
    the ranking stays as it is.
    """
    leader = ranked[0] if ranked else None
    if leader is None or facts.onset is None or leader.kind in {"outside", "alarm_changed"}:
        return ranked
    found = _further(facts, facts.onset, leader, ranked[1:])
    if not found:
        return ranked
    ids = {leader.id, *(item.id for item in found)}
    rivals = math.fsum(math.exp(_score(item)) for item in ranked if item.id not in ids)
    causes = [item.model_copy(update=_shown(item, rivals)) for item in (leader, *found)]
    weak = leader.probability < LIKELY and _witness(facts, facts.onset, leader, tuple(found), ranked) is None
    if weak or any(item.probability < LIKELY for item in causes):
        return ranked
    rest = (item for item in ranked if item.id not in ids)
    return tuple(sorted((*causes, *rest), key=lambda item: -item.probability))


def leading(ranked: tuple[Hypothesis, ...]) -> tuple[Hypothesis, ...]:
    """All hypotheses of a ranking that are taken for true: one, or several causes at once."""
    return tuple(item for item in ranked if item.status == "leading")


def in_time(facts: Facts, causes: tuple[Hypothesis, ...]) -> tuple[Hypothesis, ...]:
    """Causes in the order in which they happened; what has no time keeps its place at the front."""
    timed = [(_moment(facts, item), item) for item in causes]
    after = sorted(((at, item.id, item) for at, item in timed if at is not None), key=lambda one: one[:2])
    return (*(item for at, item in timed if at is None), *(item for *_, item in after))


def _score(item: Hypothesis) -> float:
    return WEIGHTS.get(f"start.{item.kind}", WEIGHTS["start.change"]) + item.weight


def _shown(item: Hypothesis, rivals: float) -> dict[str, object]:
    share = math.exp(_score(item))
    return {"probability": round(min(most_shown(item), share / (share + rivals)), 4), "status": "leading"}


def _moment(facts: Facts, item: Hypothesis) -> datetime | None:
    event, step = event_of(facts, item), step_of(facts, item)
    return event.time if event else step.step.earliest if step else None


def _further(
    facts: Facts, onset: Onset, leader: Hypothesis, others: tuple[Hypothesis, ...]
) -> list[Hypothesis]:
    found: list[Hypothesis] = []
    for item in others:
        if len(found) == MOST:
            break
        known = (leader, *found)
        if not _may_be(facts, onset, item, known):
            continue
        seen = _witness(facts, onset, item, known, (leader, *others))
        if seen is not None:
            found.append(_with_own_time(facts, onset, item, seen))
    return found


def _may_be(facts: Facts, onset: Onset, item: Hypothesis, known: tuple[Hypothesis, ...]) -> bool:
    """A change of something else, on a way to the symptom that it can explain, not refuted, not a reaction."""
    event, moment = event_of(facts, item), _moment(facts, item)
    if item.kind not in {"change", "setting"} or moment is None or moment > (onset.ended or facts.as_of):
        return False
    if any(_same_cause(item, one) for one in known) or not item.path or not explains(facts, item):
        return False
    return event is None or event.actor.kind not in _REACTING


def _same_cause(one: Hypothesis, other: Hypothesis) -> bool:
    by_event = bool(one.event) and one.event == other.event
    return by_event or (one.resource, one.setting) == (other.resource, other.setting)


def _witness(
    facts: Facts, onset: Onset, item: Hypothesis, known: tuple[Hypothesis, ...], all_: tuple[Hypothesis, ...]
) -> _Witness | None:
    against = {test.test for test in item.tests if test.weight <= _REFUTES and not _only_late(test)}
    others = tuple(one for one in all_ if one not in known and not _same_cause(one, item))
    if not against - {"logs"}:  # refused runs write no line: what others wrote there is no word against them
        metric = next(_metrics(facts, item, known, others), None)
        if metric is not None:
            return _Witness(metric=metric)
    if against:
        return None
    pattern = next(_patterns(facts, item, known, others), None)
    return _Witness(pattern=pattern) if pattern is not None else None


def _only_late(test: TestResult) -> bool:
    """After the onset is no word against what only adds to a symptom that others began."""
    return test.test == "time" and test.weight == WEIGHTS["time.after_onset"]


# -- metrics -----------------------------------------------------------------------------------------


def _metrics(
    facts: Facts, item: Hypothesis, known: tuple[Hypothesis, ...], others: tuple[Hypothesis, ...]
) -> Iterator[MetricFinding]:
    """Failing metrics of the changed resource that rose with the change, and that nothing else explains."""
    moment, own = _moment(facts, item), facts.holder(item.resource)
    below = any(test.test == "dose" and test.weight == WEIGHTS["dose.below_demand"] for test in item.tests)
    for effect in effects(facts, item):
        found = facts.metric(own, effect.metric) if effect.on == "self" else None
        if found is None or moment is None or effect.direction != "up" or effect.may:
            continue
        if not found.moved or found.direction != "up" or found.role not in FAILURE_ROLES:
            continue
        if found.onset is None or not _fits(moment, found.onset, effect):
            continue
        if any(sets_off(facts, one, found) for one in (*known, *_timely(facts, others, found.onset))):
            continue
        # What a refused call costs its caller may reach this metric too; a limit below demand needs no other reason.
        limit = below and found.role == "throttles"
        if limit or not any(_reaches(facts, one, found) for one in (*known, *others)):
            yield found


def _fits(moment: datetime, began: Onset, effect: Effect) -> bool:
    least, most = (timedelta(seconds=seconds) for seconds in effect.after)
    return (
        moment + least - _SLACK <= began.latest
        and began.earliest <= moment + most + _SLACK
        and (moment <= began.latest)
    )


def _timely(facts: Facts, others: tuple[Hypothesis, ...], began: Onset) -> Iterator[Hypothesis]:
    """Those of the others that happened before a metric began to fail."""
    for one in others:
        moment = _moment(facts, one)
        if moment is None or moment <= began.latest:
            yield one


def sets_off(facts: Facts, other: Hypothesis, found: MetricFinding) -> bool:
    """Whether another hypothesis on the same resource moves this very metric."""
    if facts.holder(other.resource) != found.resource or other.status == "ruled_out":
        return False
    return any(
        effect.on == "self" and effect.metric in {found.metric.name, f"role:{found.role}"}
        for effect in effects(facts, other)
    )


def _reaches(facts: Facts, other: Hypothesis, found: MetricFinding) -> bool:
    """Whether what another hypothesis breaks is passed on to this metric's resource, or that is where it breaks."""
    if other.kind == "outside" or other.status == "ruled_out" or not other.resource:
        return False
    below = facts.holder(other.resource)
    return below == found.resource or found.resource in facts.upstream(below)


# -- logs --------------------------------------------------------------------------------------------


def _patterns(
    facts: Facts, item: Hypothesis, known: tuple[Hypothesis, ...], others: tuple[Hypothesis, ...]
) -> Iterator[LogPattern]:
    """New error texts that name this cause and no other, the first of them after the change."""
    moment = _moment(facts, item)
    for pattern in facts.patterns:
        signature = facts.signature(pattern)
        if signature is None or moment is None or not pattern.is_new or pattern.first < moment - _SLACK:
            continue
        if not about(facts, pattern, item.resource) or not names(facts, item, signature):
            continue
        rivals = [one for one in others if one.status != "ruled_out"]
        if any(
            about(facts, pattern, one.resource) and names(facts, one, signature) for one in (*known, *rivals)
        ):
            continue
        # "Timed out" in a function's own words may be what a slow dependency did to it.
        reached = (
            facts.holder(item.resource) in facts.upstream(one.resource) for one in known if one.resource
        )
        if not signature.own or not any(reached):
            yield pattern


# -- told --------------------------------------------------------------------------------------------


def _with_own_time(facts: Facts, onset: Onset, item: Hypothesis, seen: _Witness) -> Hypothesis:
    """The hypothesis with what is its own told, in place of a word about an onset that others made."""
    kept = tuple(test for test in item.tests if not _only_late(test))
    made = [_own(facts, item, seen)]
    if len(kept) < len(item.tests):
        made.insert(0, _while_it_lasted(facts, onset, item))
    return item.model_copy(update={"tests": (*made, *kept)})


def _while_it_lasted(facts: Facts, onset: Onset, item: Hypothesis) -> TestResult:
    event, moment = event_of(facts, item), _moment(facts, item)
    assert moment is not None
    said = statement(
        "made at {time}, {after} after the symptom began, and added to it",
        evidence=event.evidence if event else (),
        claims=(*(event_claims(event)[1:2] if event else ()), *onset_claims(facts, onset)),
        time=stamp(moment),
        after=span((moment - onset.latest).total_seconds()),
    )
    return TestResult(test="time", weight=WEIGHTS["time.soon"], statement=said)


def _own(facts: Facts, item: Hypothesis, seen: _Witness) -> TestResult:
    name = facts.name(item.resource)
    if seen.metric is not None:
        found = seen.metric
        said = statement(
            "{metric} of {name} rose with it, which nothing else explains: {total} since the onset"
            if found.total is not None
            else "{metric} of {name} rose with it, which nothing else explains",
            evidence=found.evidence,
            claims=[total_claim(found)] if found.total is not None else [],
            metric=found.metric.name, name=name, total=number(found.total or 0.0),
        )  # fmt: skip
    else:
        assert seen.pattern is not None
        said = statement(
            "{count} log lines name it and no other cause ({reason})",
            evidence=seen.pattern.evidence,
            claims=[log_claim(seen.pattern, facts.log_window)] if facts.log_window else [],
            count=number(seen.pattern.after),
            reason=seen.pattern.reason or seen.pattern.error_code or seen.pattern.template,
        )
    return TestResult(test="own", weight=WEIGHTS["time.soon"], statement=said)
