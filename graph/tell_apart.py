"""Where nothing is proven: the one read or question that would tell the two likeliest candidates apart. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from graph.claims import changed_claim, event_claims, setting_claim, statement, who
from graph.facts import Facts
from graph.models import Hypothesis
from graph.weighing.mechanism import FAILURE_ROLES, effects, specs
from graph.weighing.moves import event_of, move
from graph.words import say, stamp
from tools.catalogue import signatures
from tools.models import ChangeEvent, Claim, Resource, Statement
from tools.services._spec import Effect


def candidates(ranked: tuple[Hypothesis, ...]) -> tuple[Hypothesis, ...]:
    """The likeliest two that opsleuth can see and that are not ruled out."""
    return tuple(item for item in ranked if item.kind != "outside" and item.status != "ruled_out")[:2]


def candidate_claims(facts: Facts, item: Hypothesis) -> list[Claim]:
    """What the title of a hypothesis says: which resource, and the value that a setting was given."""
    event, what = event_of(facts, item), move(facts, item)
    made = [changed_claim(event, item.resource)] if event is not None else []
    moment = event.time if event is not None else facts.as_of
    if what is not None and what.after_known:
        made.append(setting_claim(item.resource, item.setting, what.after, moment))
    if not made:
        made += [test for one in item.tests for test in one.statement.claims]
    return [*made, *_known(facts, item.resource)]


def _known(facts: Facts, arn: str) -> list[Claim]:
    """That there is such a resource: a relation of it. The ARN of an API, say, does not hold its name."""
    of_it = sorted(
        (one for one in facts.relations if arn in (one.source, one.target)), key=lambda one: one.source != arn
    )
    return [Claim(kind="relation", subject=one.source, field=one.kind, value=one.target) for one in of_it[:1]]


def tell_apart(facts: Facts, ranked: tuple[Hypothesis, ...]) -> Statement | None:
    """What to read or whom to ask next; None when nothing that is visible suggests a cause, nor is anything hidden."""
    open_ones = candidates(ranked)
    if not facts.trail_visible:
        return _hidden_trail()
    for ask in (_metric, _log, _prior, _person, _condition, _traffic):
        found = next(ask(facts, open_ones), None)
        if found is not None:
            return found
    return _gap(facts)


# -- reads -------------------------------------------------------------------------------------------


def _hidden_trail() -> Statement:
    return statement(
        "To decide: CloudTrail's events, which opsleuth may not read. They tell what was changed before it began."
    )


def _metric(facts: Facts, open_ones: tuple[Hypothesis, ...]) -> Iterator[Statement]:
    """A metric that only one of two moves: first one that nobody could read, then one to be compared by the minute."""
    if len(open_ones) < 2:
        return
    telling = [
        (one, arn, name)
        for one, other in (open_ones, open_ones[::-1])
        for arn, name in _only(facts, one, other)
    ]
    unread = [item for item in telling if facts.metric(*item[1:]) is None]
    for one, arn, name in (*unread[:1], *telling[:1]):
        read = facts.metric(arn, name)
        yield statement(
            "To tell the two apart: {metric} of {name}. It moves if it was this: {title}; not by the other."
            if read is None
            else "To tell the two apart: did {metric} of {name} move in the very minute of the change? It does by this "
            "alone: {title}.",
            evidence=read.evidence if read is not None else (),
            claims=candidate_claims(facts, one),
            metric=name, name=facts.name(arn), title=one.title,
        )  # fmt: skip


def _only(facts: Facts, one: Hypothesis, other: Hypothesis) -> Iterator[tuple[str, str]]:
    """(ARN, metric) that the first moves on its own resource and that the other neither moves nor passes on."""
    own, theirs = facts.holder(one.resource), facts.holder(other.resource)
    resource = facts.resource(own)
    if resource is None or not other.resource:
        return
    taken = (
        {name for effect in effects(facts, other) for name, _ in _named(effect, resource)}
        if own == theirs
        else ()
    )
    passed_on = own in facts.upstream(theirs)
    for effect in effects(facts, one):
        for name, role in _named(effect, resource) if effect.on == "self" and not effect.may else ():
            if name not in taken and not (passed_on and role in FAILURE_ROLES):
                yield own, name


def _named(effect: Effect, resource: Resource) -> Iterable[tuple[str, str]]:
    """Metrics of the resource that an effect means, with their roles."""
    return [
        (spec.name, spec.role)
        for spec in specs(resource)
        if effect.metric in {spec.name, f"role:{spec.role}"}
    ]


def _log(facts: Facts, open_ones: tuple[Hypothesis, ...]) -> Iterator[Statement]:
    """An error text that names the setting or condition of one of them, where no log line was seen to name any."""
    points = [item.setting or item.condition for item in open_ones]
    if len(points) == 2 and points[0] == points[1]:
        return
    for item, point in zip(open_ones, points, strict=True):
        resource = facts.resource(item.resource)
        own = [one for service, one in signatures() if resource and service.name == resource.service]
        for known in own:
            if point and known.points_to == point:
                yield statement(
                    "To decide: the logs of those who call {name}. A line saying that {says} speaks for this: {title}.",
                    claims=candidate_claims(facts, item),
                    name=facts.name(item.resource), says=known.says, title=item.title,
                )  # fmt: skip


# -- questions ---------------------------------------------------------------------------------------


def _prior(facts: Facts, open_ones: tuple[Hypothesis, ...]) -> Iterator[Statement]:
    """A setting of which nobody can see what it was."""
    for item in open_ones:
        what, event = move(facts, item), event_of(facts, item)
        if what is None or what.prior.known:
            continue
        person, claims = _whom(event)
        yield statement(
            "To decide, ask {person}: what was the {setting} of {name} before?",
            evidence=event.evidence if event else (),
            claims=(*claims, *candidate_claims(facts, item)),
            person=person or _owner(facts, item),
            setting=what.setting.name,
            name=facts.name(item.resource),
        )


def _person(facts: Facts, open_ones: tuple[Hypothesis, ...]) -> Iterator[Statement]:
    """A change of which nothing more can be read: whoever made it knows what it was meant to do."""
    for item in open_ones:
        event = event_of(facts, item)
        if event is None:
            continue
        person, claims = _whom(event)
        yield statement(
            "To decide, ask {person}: what was {operation} on {name} at {time} meant to do, and may it touch this?",
            evidence=event.evidence,
            claims=(*claims, *candidate_claims(facts, item)),
            person=person, operation=event.operation, name=facts.name(item.resource), time=stamp(event.time),
        )  # fmt: skip


def _whom(event: ChangeEvent | None) -> tuple[str, tuple[Claim, ...]]:
    return (who(event), event_claims(event)) if event is not None else ("", ())


def _owner(facts: Facts, item: Hypothesis) -> str:
    resource = facts.resource(item.resource)
    tags = resource.tags if resource is not None else {}
    named = next((f"{key}={tags[key]}" for key in ("owner", "Owner", "team", "Team") if key in tags), "")
    return say("its owner (tag {tag})", tag=named) if named else say("its owner")


def _condition(facts: Facts, open_ones: tuple[Hypothesis, ...]) -> Iterator[Statement]:
    for item in open_ones:
        known = facts.condition(item.resource, item.condition) if item.condition else None
        if known is not None:
            yield statement(
                "To decide: {metrics} of {name}, by the minute. They are up while it holds: {title}.",
                claims=candidate_claims(facts, item),
                metrics=", ".join(known.metrics) or known.title,
                name=facts.name(item.resource), title=item.title,
            )  # fmt: skip


def _traffic(facts: Facts, open_ones: tuple[Hypothesis, ...]) -> Iterator[Statement]:
    for item in open_ones:
        if item.kind == "traffic":
            yield statement(
                "To decide, ask whoever sends requests to {name}: was more sent, or something else than before?",
                claims=candidate_claims(facts, item),
                name=facts.name(item.resource),
            )


def _gap(facts: Facts) -> Statement | None:
    """Nothing suggests a cause: what could not be seen comes first."""
    hidden = next((gap for gap in facts.gaps if gap.statement is not None and gap.would_show), None)
    if hidden is None:
        return None
    return statement(
        "To go on: let opsleuth read {what}. It would show {shows}.",
        what=hidden.what,
        shows=hidden.would_show,
    )
