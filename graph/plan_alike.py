"""A request that set the same setting of several resources, each to its own value: they go back together. Pure.

Rules of a listener that were renumbered: no two may have the same number, so one alone may have no place to go back to.
"""

from __future__ import annotations

from collections.abc import Iterator

from graph.claims import setting_claim, statement
from graph.facts import Facts
from graph.models import RootCause
from graph.plan_calls import again, undo
from tools.catalogue import changed_alike, settings_in
from tools.history import Prior, prior
from tools.models import Call, ChangeEvent, Resource, Statement
from tools.services._spec import Setting
from tools.topology import stub


def event_behind(facts: Facts, cause: RootCause) -> ChangeEvent | None:
    """The cause's event, when its request set the cause's setting of other resources too."""
    event = next((one for one in facts.changes if cause.event and one.id == cause.event.id), None)
    return event if event is not None and cause.resource in changed_alike(event) else None


def all_back(facts: Facts, event: ChangeEvent) -> tuple[tuple[Call, ...], tuple[Call, ...]]:
    """Calls that put all of them back, and the way back; () when what one of them was is not known."""
    calls = undo(event, facts.changes)
    return calls, again(event, calls) if calls else ()


def others(facts: Facts, cause: RootCause, event: ChangeEvent) -> Iterator[tuple[Resource, Setting, Prior]]:
    """The other resources that the request names, with what their setting was before."""
    for arn in changed_alike(event):
        for _, setting in settings_in(event, arn):
            if arn != cause.resource and setting.path == cause.field:
                resource = facts.resource(arn) or stub(arn, event.account)
                yield resource, setting, prior(setting, resource, event, facts.changes, None)


def told(resource: Resource, setting: Setting, before: Prior) -> Statement:
    """What another one was before, and who tells it."""
    return statement(
        "{setting} of {name}: {value} ← {sources}",
        evidence=[one for source in before.sources for one in source.evidence],
        claims=[setting_claim(resource.arn, setting.path, one.value, one.time) for one in before.sources],
        setting=setting.name,
        name=resource.name,
        value=before.value,
        sources="; ".join(source.said_by for source in before.sources),
    )


def not_told(resource: Resource, setting: Setting) -> Statement:
    """That another one stays as the request left it."""
    return statement(
        "The same request set the {setting} of {name}. What it was before is not known: it stays as it is.",
        setting=setting.name,
        name=resource.name,
    )
