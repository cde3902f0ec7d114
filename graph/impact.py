"""What users suffer, in numbers of the account: what is broken, since when, how much of it, and what is lost. Pure."""

from __future__ import annotations

from graph.claims import rate_claim, shown, statement, total_claim
from graph.facts import Facts
from graph.models import Impact, MetricFinding, Verdict
from graph.weighing.when import end_claims, onset_claims, span
from graph.words import number, say, stamp
from tools.models import Claim, Statement


def broken(facts: Facts, verdict: Verdict) -> Statement:
    """One sentence: what does not work, since when."""
    if verdict == "no_incident":
        return _nothing_broken(facts)
    failing = _door(facts)
    if failing is not None and failing[1].total:
        return _door_sentence(facts, *failing)
    return _symptom_sentence(facts)


def _nothing_broken(facts: Facts) -> Statement:
    alarm, metric = facts.incident.alarm, facts.incident.metric
    found = facts.metric(facts.incident.resource, metric.name) if metric else None
    claims: list[Claim] = []
    tail = ""
    if alarm is not None:
        said = " Alarm {alarm} is red." if alarm.state == "ALARM" else " Alarm {alarm} is {state}."
        tail = say(said, alarm=alarm.name, state=alarm.state)
        claims.append(
            Claim(kind="alarm", subject=alarm.arn, field="state", value=alarm.state, start=facts.as_of)
        )
    if metric is None or found is None or found.before is None or found.after is None:
        return statement(
            "Nothing is broken.{tail}", evidence=alarm.evidence if alarm else (), claims=claims, tail=tail
        )
    claims += [rate_claim(found, since=False), rate_claim(found, since=True)]
    return statement(
        "Nothing is broken: {metric} of {name} is {after} now and was {before} before.{tail}",
        evidence=[*found.evidence, *(alarm.evidence if alarm else ())],
        claims=claims,
        metric=metric.name,
        name=facts.name(facts.incident.resource),
        after=shown(found.after)[0],
        before=shown(found.before)[0],
        tail=tail,
    )


def _since(facts: Facts) -> tuple[str, tuple[Claim, ...]]:
    onset = facts.onset
    if onset is None:
        return "", ()
    if onset.ended is not None:
        words = say("from {start} to {end}", start=stamp(onset.earliest), end=stamp(onset.ended))
        return words, (*onset_claims(facts, onset), *end_claims(facts, onset))
    lasting = span((facts.as_of - onset.earliest).total_seconds())
    words = say("since {start}, still going ({lasting})", start=stamp(onset.earliest), lasting=lasting)
    return words, onset_claims(facts, onset)


def _door(facts: Facts) -> tuple[MetricFinding, MetricFinding] | None:
    """Demand and errors of the resource furthest upstream that shows errors: where users come in."""
    best: tuple[MetricFinding, MetricFinding] | None = None
    for arn in [facts.incident.resource, *facts.upstream(facts.incident.resource)]:
        demand = next((item for item in facts.role(arn, "demand") if item.total), None)
        errors = _most(facts, [item for item in facts.role(arn, "errors") if item.moved and item.total])
        if demand is not None and errors is not None:
            best = (demand, errors)
    return best


def _most(facts: Facts, failed: list[MetricFinding]) -> MetricFinding | None:
    """Of several counts of errors the alarm's own, else the largest: they count different requests."""
    metric, symptom = facts.incident.metric, facts.incident.resource
    name = metric.name if metric is not None else ""
    own = [item for item in failed if (item.resource, item.metric.name) == (symptom, name)]
    return max(own or failed, key=lambda item: item.total or 0, default=None)


def _door_sentence(facts: Facts, demand: MetricFinding, errors: MetricFinding) -> Statement:
    words, claims = _since(facts)
    share = 100.0 * (errors.total or 0) / (demand.total or 1)
    percent = shown(share)[0]
    return statement(
        "{name} fails: {percent} % of its requests end in an error {since}.",
        evidence=[*errors.evidence, *demand.evidence], claims=[total_claim(errors), total_claim(demand), *claims],
        name=facts.name(errors.resource), percent=percent, since=words,
    )  # fmt: skip


def _symptom_sentence(facts: Facts) -> Statement:
    words, claims = _since(facts)
    metric = facts.incident.metric
    found = facts.metric(facts.incident.resource, metric.name) if metric else None
    name = facts.name(facts.incident.resource)
    if found is not None and found.total:
        return statement(
            "{kind} {name}: {total} {unit} {since}.",
            evidence=found.evidence, claims=[total_claim(found), *claims],
            kind=facts.kind_word(facts.incident.resource).capitalize(), name=name, total=number(found.total),
            unit=found.unit, since=words,
        )  # fmt: skip
    if metric is None or facts.onset is None:
        return statement(
            "No symptom of {name} could be read in the time looked at.",
            evidence=facts.incident.alarm.evidence if facts.incident.alarm else (),
            claims=_watched(facts),
            name=name,
        )
    return statement(
        "{metric} of {name} is out of line {since}.",
        claims=claims,
        metric=metric.name,
        name=name,
        since=words,
    )


def _watched(facts: Facts) -> list[Claim]:
    """That the alarm watches the resource: the relation that says so."""
    alarm = facts.incident.alarm
    return [
        Claim(kind="relation", subject=item.source, field=item.kind, value=item.target)
        for item in facts.relations
        if alarm is not None and item.source == alarm.arn
    ]


def impact(facts: Facts, verdict: Verdict) -> Impact:
    """Numbers of failed work, and whether anything waits or is lost."""
    if verdict == "no_incident":
        return Impact()
    made = [_suffered(facts, item) for item in _worst(facts)]
    return Impact(statements=tuple(made), data_loss=_loss(facts))


def _worst(facts: Facts) -> list[MetricFinding]:
    """The symptom's own count, then one count of errors for each resource that passes the failure on."""
    symptom, metric = facts.incident.resource, facts.incident.metric
    own = facts.metric(symptom, metric.name) if metric else None
    found = [own] if own is not None and own.total and own.role in {"throttles", "errors"} else []
    for arn in facts.upstream(symptom):
        failed = [m for m in facts.role(arn, "errors") if m.moved and m.total and m.direction == "up"]
        most = _most(facts, failed)
        found.extend([most] if most is not None else [])
    return found[:6]


def _suffered(facts: Facts, item: MetricFinding) -> Statement:
    return statement(
        "{name}: {total} {unit} from {start} to {end}.",
        evidence=item.evidence,
        claims=[total_claim(item)],
        name=facts.name(item.resource),
        total=number(item.total or 0),
        unit=item.unit or item.metric.name,
        start=stamp(item.since.start),
        end=stamp(item.since.end),
    )


def door(facts: Facts) -> str:
    """Where users come in: the furthest resource upstream of the symptom that shows errors, or the symptom."""
    failing = _door(facts)
    return failing[1].resource if failing is not None else facts.incident.resource


def _loss(facts: Facts) -> Statement | None:
    failing = _door(facts)
    if failing is None:
        return None
    _, errors = failing
    path = [facts.incident.resource, *facts.upstream(facts.incident.resource)]
    queues = [
        arn for arn in path if (one := facts.resource(arn)) is not None and one.type in {"queue", "stream"}
    ]
    if queues:
        kept = [item for item in facts.relations if item.source in queues and item.target in {*path, *queues}]
        return statement(
            "Work waits in {names}; it is not lost while it is kept there.",
            evidence=[one for item in kept for one in item.evidence[:1]],
            claims=[
                Claim(kind="relation", subject=item.source, field=item.kind, value=item.target)
                for item in kept
            ],
            names=", ".join(facts.name(arn) for arn in queues),
        )
    return statement(
        "No queue on this path: {total} requests failed from {start} to {end}. Lost unless the clients retry.",
        evidence=errors.evidence, claims=[total_claim(errors)], total=number(errors.total or 0),
        start=stamp(errors.since.start), end=stamp(errors.since.end),
    )  # fmt: skip
