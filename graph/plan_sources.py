"""What the values of a plan rest on, as sentences with their claims."""

from __future__ import annotations

from graph.claims import event_claims, setting_claim, statement
from graph.facts import Facts
from graph.models import RootCause
from graph.weighing.moves import Move, is_unlimited
from graph.words import say
from tools.catalogue import find
from tools.models import Claim, PriorSource, Resource, Statement, Value
from tools.services._spec import Setting


def where_from(facts: Facts, cause: RootCause, resource: Resource, setting: Setting) -> Statement:
    """The value before with all sources that tell it."""
    sources = cause.prior_sources
    listed = "; ".join(_source_words(source) for source in sources)
    return statement(
        "{value} ← {sources}",
        evidence=[one for source in sources for one in source.evidence],
        claims=[claim for source in sources for claim in _source_claims(facts, resource, setting, source)],
        value=spoken(cause.prior_value, setting),
        sources=listed,
    )


def along(facts: Facts, resource: Resource, what: Move) -> Statement:
    """The same of a setting that goes back with it."""
    return statement(
        "{setting}: {value} ← {sources}",
        evidence=[one for source in what.prior.sources for one in source.evidence],
        claims=[
            claim
            for source in what.prior.sources
            for claim in _source_claims(facts, resource, what.setting, source)
        ],
        setting=what.setting.name,
        value=spoken(what.prior.value, what.setting),
        sources="; ".join(_source_words(source) for source in what.prior.sources),
    )


def _source_claims(facts: Facts, resource: Resource, setting: Setting, source: PriorSource) -> list[Claim]:
    """The value at its time, and the event that set it, if an event did."""
    event = next(
        (one for one in facts.changes if source.evidence and source.evidence[0] in one.evidence), None
    )
    told = event_claims(event) if event is not None and source.kind == "previous_event" else ()
    return [setting_claim(resource.arn, setting.path, source.value, source.time), *told]


def _source_words(source: PriorSource) -> str:
    return source.said_by


def kept_beside(facts: Facts, resource: Resource, setting: Setting, moved: set[str]) -> list[Statement]:
    """What is sent along unchanged; `moved`: queries of settings that go back too."""
    made = []
    for path in setting.beside:
        if path in moved:
            continue
        inner, value = shown_at(path, resource)
        made.append(
            statement(
                "{name} {value} unchanged ← {operation}",
                evidence=resource.evidence[:1],
                claims=[setting_claim(resource.arn, inner, value, facts.as_of)],
                name=path.rsplit(".", 1)[-1], value=value if value is not None else say("none"),
                operation=setting.read(resource).operation,
            )
        )  # fmt: skip
    return made


def shown_at(path: str, resource: Resource) -> tuple[str, Value]:
    """A path on a read's answer as the path in the resource's configuration, and the value there.

    Some reads wrap the configuration in one word (`Table`), others answer it as it is.
    """
    whole = find(path, resource.config)
    if whole is not None:
        return path, whole
    inner = path.split(".", 1)[-1]
    return inner, find(inner, resource.config)


def spoken(value: Value, setting: Setting) -> str:
    """As the read's answer shows it: JSON's true and false, none where nothing is set."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return say("none") if value is None or is_unlimited(value, setting) else str(value)
