"""Puts the report together. Pure: facts and slices in, `Report` out."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Literal
from urllib.parse import quote

from graph.claims import event_claims, statement, who
from graph.facts import Facts
from graph.first_moved import told as first_moved
from graph.impact import broken, door, impact
from graph.models import (
    Hypothesis,
    Mitigation,
    Prevention,
    Report,
    RootCause,
    ShownEvidence,
    TimelineEvent,
    Topology,
    Trigger,
    Verdict,
)
from graph.reading import unverified
from graph.state import State, load
from graph.tell_apart import candidate_claims, candidates, tell_apart
from graph.unlogged import unlogged
from graph.weighing import in_time, leading
from graph.weighing.source import arises, source_of
from graph.weighing.unexplained import told as unexplained
from graph.weights import LIKELY, PROVEN
from graph.words import say, stamp
from tools.arn import partition_of
from tools.models import Claim, Evidence, Statement

_CONSOLE = {
    "aws": "console.aws.amazon.com",
    "aws-cn": "console.amazonaws.cn",
    "aws-us-gov": "console.amazonaws-us-gov.com",
}


def compose(facts: Facts, state: State, timeline: Mapping[str, Any], revision: int) -> Report:
    """The report of this look."""
    verdict: Verdict = state["verdict"]  # type: ignore[assignment]
    ranked = tuple(Hypothesis.model_validate(item) for item in state["hypotheses"])
    cause = RootCause.model_validate(state["root_cause"]) if state.get("root_cause") else None
    also = tuple(RootCause.model_validate(item) for item in state.get("also") or ())
    due = datetime.fromisoformat(state["next_look"]) if state.get("next_look") else None  # type: ignore[arg-type]
    told = _nameless(ranked) if verdict == "not_yet" else ranked
    leaders = in_time(facts, leading(ranked))
    return Report(
        revision=revision,
        verdict=verdict,
        headline=_headline(verdict, cause, also),
        grade=_grade(verdict, cause, also),
        as_of=facts.as_of,
        next_look=due,
        complete_until=facts.complete_until,
        trigger=Trigger.model_validate(state["trigger"]),
        incident=facts.incident,
        broken=broken(facts, verdict),
        why=_why(facts, verdict, cause, also, ranked, due),
        decider=tell_apart(facts, ranked) if verdict == "not_found" else None,
        impact=impact(facts, verdict),
        root_cause=cause,
        also=also,
        contributing=unexplained(facts, leaders) if verdict == "root_cause" else (),
        findings=_findings(facts, leaders if leaders == leading(told) else ()),
        hypotheses=told,
        gaps=facts.gaps,
        mitigation=Mitigation.model_validate(state["mitigation"]) if state.get("mitigation") else None,
        prevention=tuple(Prevention.model_validate(item) for item in state["prevention"]),
        topology=_topology(facts, cause, leaders),
        timeline=_story(timeline, verdict),
        evidence=tuple(
            one for one in _evidence(state) if verdict != "not_yet" or one.evidence.service != "cloudtrail"
        ),
        unverified=unverified(state.get("reading")),
    )


def _story(timeline: Mapping[str, Any], verdict: Verdict) -> tuple[TimelineEvent, ...]:
    """The timeline in order. While the verdict is provisional nobody is named, so what people did is left out."""
    events = [TimelineEvent.model_validate(timeline[key]) for key in _in_order(timeline)]
    return tuple(
        one for one in events if verdict != "not_yet" or one.node != "forensics" or one.kind == "gap"
    )


def _in_order(timeline: Mapping[str, Any]) -> list[str]:
    order = [
        "intake",
        "planner",
        "topology",
        "forensics",
        "logs",
        "metrics",
        "diagnosis",
        "mitigation",
        "prevention",
        "report",
    ]
    return sorted(timeline, key=lambda key: (key[:3], order.index(timeline[key]["node"]), key))


def _grade(
    verdict: Verdict, cause: RootCause | None, also: tuple[RootCause, ...]
) -> Literal["proven", "likely", "not_proven", ""]:
    if cause is None:
        return "not_proven" if verdict == "not_found" else ""
    sure = min(one.confidence for one in (cause, *also))
    if sure >= PROVEN:
        return "proven"
    return "likely" if sure >= LIKELY else "not_proven"


def _headline(verdict: Verdict, cause: RootCause | None, also: tuple[RootCause, ...]) -> str:
    if verdict == "root_cause" and cause is not None:
        if also:
            return say("Two causes at once") if len(also) == 1 else say("Several causes at once")
        return say("Proven") if cause.confidence >= PROVEN else say("Likely")
    words = {
        "no_incident": say("No incident"),
        "recovered": say("Recovered"),
        "not_yet": say("Not yet"),
        "not_found": say("Not proven"),
    }
    return words.get(verdict, say("Not proven"))


def _why(
    facts: Facts,
    verdict: Verdict,
    cause: RootCause | None,
    also: tuple[RootCause, ...],
    ranked: tuple[Hypothesis, ...],
    due: datetime | None,
) -> Statement:
    told = _causes(cause, also) if cause is not None else None
    if verdict == "recovered":
        return _recovered(facts, told)
    if told is not None:
        return told
    if verdict == "not_yet":
        return _provisional(facts, due)
    if verdict == "no_incident":
        return _nothing_wrong(facts)
    return _undecided(facts, ranked)


def _causes(cause: RootCause, also: tuple[RootCause, ...]) -> Statement:
    """The cause in its own words, or all of them in the order in which they happened."""
    if not also:
        return cause.statement
    every = [one.statement for one in (cause, *also)]
    listed = say(" Then: ").join(one.text for one in every)
    return Statement(
        text=say("Two causes, each by evidence of its own. First: {listed}", listed=listed)
        if len(every) == 2
        else say("Several causes, each by evidence of its own. First: {listed}", listed=listed),
        evidence=tuple(dict.fromkeys(one for item in every for one in item.evidence)),
        claims=tuple(dict.fromkeys(one for item in every for one in item.claims)),
    )


def _recovered(facts: Facts, told: Statement | None) -> Statement:
    quiet = facts.incident.quiet_since
    tail = f" {told.text}" if told else ""
    return statement(
        "The metric has been normal since {time}. {why}{tail}" if quiet else "The symptom is over.{tail}",
        evidence=told.evidence if told else (),
        claims=told.claims if told else (),
        time=stamp(quiet) if quiet else "",
        why=facts.incident.stays_red,
        tail=tail,
    )


def _provisional(facts: Facts, due: datetime | None) -> Statement:
    until, onset = facts.complete_until, facts.onset
    look = say("Next look {time}. ", time=stamp(due)) if due else say("Look again in some minutes. ")
    if until is not None and onset is not None and until >= onset.latest:
        return statement(
            "CloudTrail shows no change that explains it, but delivers some more than an hour late. {look}"
            "Nobody is named before that.",
            look=look,
        )
    return statement(
        "No change is visible yet that explains it: CloudTrail is complete only up to about {until}. {look}"
        "Nobody is named before that.",
        until=stamp(until) if until else "?",
        look=look,
    )


def _nothing_wrong(facts: Facts) -> Statement:
    alarm = facts.incident.alarm
    if alarm is None:
        return statement("Nothing is out of line.")
    return statement(
        "Alarm {alarm} is {state}, and its metric shows nothing out of line.",
        evidence=alarm.evidence,
        claims=[Claim(kind="alarm", subject=alarm.arn, field="state", value=alarm.state, start=facts.as_of)],
        alarm=alarm.name,
        state=alarm.state,
    )


def _undecided(facts: Facts, ranked: tuple[Hypothesis, ...]) -> Statement:
    open_ones = candidates(ranked)
    if not open_ones:
        return _and_where(facts, _unseen(facts))
    made = [one for item in open_ones for one in candidate_claims(facts, item)]
    said = statement(
        "No cause is proven. The likeliest so far: {titles}.",
        evidence=[one for item in open_ones for test in item.tests for one in test.statement.evidence][:8],
        claims=made,
        titles="; ".join(item.title for item in open_ones),
    )
    return _and_where(facts, said)


def _and_where(facts: Facts, said: Statement) -> Statement:
    """Where no cause is known, the place where the harm arises is what helps most."""
    first = source_of(facts)
    if first is None:
        return said
    where = arises(facts, first)
    return statement(
        "{said} {where}.",
        evidence=(*said.evidence, *where.evidence),
        claims=(*said.claims, *where.claims),
        said=said.text,
        where=where.text[0].upper() + where.text[1:],
    )


def _unseen(facts: Facts) -> Statement:
    mute = [resource for resource, _ in unlogged(facts)]
    if not mute:
        return statement("No cause is proven, and nothing that opsleuth can see suggests one.")
    return statement(
        "No cause is proven. The requests rely on {mute}, of whose programs nothing can be read: why they fail is not "
        "visible to opsleuth.",
        evidence=[one for resource in mute for one in resource.evidence],
        mute=", ".join(resource.name for resource in mute),
    )


def _nameless(ranked: tuple[Hypothesis, ...]) -> tuple[Hypothesis, ...]:
    """While the verdict is provisional no change and so no person is accused."""
    return tuple(item for item in ranked if not item.event)


def _findings(facts: Facts, leader: tuple[Hypothesis, ...]) -> tuple[Statement, ...]:
    """What speaks for the leader, which metric changed first, and what was tried and refused."""
    made = [test.statement for item in leader for test in item.tests if test.weight > 0]
    made += first_moved(facts)
    for event in facts.denied:
        made.append(
            statement(
                "{who} tried {operation} on it at {time} and was refused ({code}): it changed nothing.",
                evidence=event.evidence, claims=event_claims(event), who=who(event),
                operation=event.operation, time=stamp(event.time), code=event.error_code,
            )
        )  # fmt: skip
    return tuple(made)


def _topology(facts: Facts, cause: RootCause | None, leaders: tuple[Hypothesis, ...]) -> Topology:
    symptom = facts.incident.resource
    origin = cause.resource if cause else ""
    origins = [item.resource for item in leaders] if origin else []
    begin = origins or [symptom]
    reach = list(dict.fromkeys(arn for one in begin for arn in (one, *facts.upstream(one))))
    touched = tuple(arn for arn in reach if any(m.moved for m in facts.of_resource(arn)))
    return Topology(
        resources=facts.resources,
        relations=facts.relations,
        cause=origin,
        symptom=symptom,
        path=_chain(facts, leaders) if cause else (),
        touched=touched,
        at_risk=tuple(arn for arn in reach if arn not in touched and arn not in origins),
    )


def _chain(facts: Facts, leaders: tuple[Hypothesis, ...]) -> tuple[str, ...]:
    """From where users come in, over the symptom, to the cause; to the furthest where there are several."""
    leader = max(leaders, key=lambda item: len(item.path))
    entry = facts.path(door(facts), facts.incident.resource) or (facts.incident.resource,)
    return entry if leader.resource in entry else (*entry, *reversed(leader.path[:-1]))


def _evidence(state: State) -> tuple[ShownEvidence, ...]:
    found = (load(Evidence, item) for item in (state.get("evidence") or {}).values())
    ordered = sorted(found, key=lambda item: (item.id[0], int(item.id[1:])))
    return tuple(ShownEvidence(evidence=item, link=_link(item)) for item in ordered)


def _link(item: Evidence) -> str:
    console = _CONSOLE[partition_of(item.region)]
    host = f"https://{item.region}.{console}" if item.region else f"https://{console}"
    if item.service == "cloudtrail":
        attributes = item.parameters.get("LookupAttributes") or []
        chosen = "&".join(f"{one['AttributeKey']}={quote(str(one['AttributeValue']))}" for one in attributes)
        return f"{host}/cloudtrailv2/home?region={item.region}#/events?{chosen}"
    if item.service == "cloudwatch":
        return f"{host}/cloudwatch/home?region={item.region}"
    if item.service == "logs":
        return f"{host}/cloudwatch/home?region={item.region}#logsV2:logs-insights"
    return f"{host}/{item.service.removesuffix('v2')}/home?region={item.region}"
