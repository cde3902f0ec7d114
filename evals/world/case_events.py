"""What happens in a case: laid down before anything is computed from it, then recorded."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from evals.world import chains, deeds, facts, noise
from evals.world.case_flows import onset_of
from evals.world.casefile import EventSpec
from evals.world.draft import SAME, Draft
from evals.world.identities import Identity
from evals.world.kinds import kinds
from evals.world.kinds._kind import Act
from evals.world.places import around
from evals.world.trail import Deed, place, record
from evals.world.world import Thing
from tools.errors import BadInput

_COMMAND = re.compile(r"md/command#[\w.-]+")
_VERSION = re.compile(r"\d{8}(v\d+)?$")


def lay_settings(draft: Draft) -> None:
    """Lay down what the events set, in time order, before anything is computed from it."""
    for event in draft.events:
        if event.denied or not event.set or event.set in draft.case.alarms or event.at.startswith("onset"):
            continue
        with draft.wrong.each(f"events.{event.id}"):
            thing, moment = draft.shop.find(event.set, f"events.{event.id}.set"), draft.when(event.at)
            for path, value in _moved(draft, event, thing).items():
                _lay(draft, thing, path, moment, value)
            for key, value in event.tag.items():
                thing.settings.set(f"tags.{key}", moment, draft.text(value))
    draft.wrong.stop()


def _lay(draft: Draft, thing: Thing, path: str, moment: datetime, value: Any) -> None:
    """Set a value on a resource, and on its replicas where a service keeps it the same on all."""
    thing.settings.set(path, moment, value)
    for arn in thing.fixed.get("replicas", ()) if path in thing.fixed.get("replicated", ()) else ():
        draft.world.things[arn].settings.set(path, moment, value)


def _moved(draft: Draft, event: EventSpec, thing: Thing) -> dict[str, Any]:
    """The settings that an event moves, checked against the kind."""
    moved = {event.path: event.to, **event.also} if event.path else dict(event.also)
    kind = kinds().get(thing.kind)
    for path in moved:
        if kind is not None:
            draft.check_path(kind, path, f"events.{event.id}")
    return {path: _value(draft, value, thing, path, event) for path, value in moved.items()}


def _value(draft: Draft, value: Any, thing: Thing, path: str, event: EventSpec) -> Any:
    """`$same` stands for what the setting is already: somebody sent it again.

    Texts may name resources of the case ("{table.arn}"); the value is as AWS keeps it.
    """
    if value == SAME:
        return thing.at(path, draft.when(event.at))
    kind, found = kinds().get(thing.kind), draft.values.resolve(value, draft.things)
    return found if kind is None or kind.kept is None else kind.kept(draft.world, thing, path, found)


def happen(draft: Draft) -> None:
    """Record what somebody did; what hangs on the onset is laid down now as well."""
    for event in draft.events:
        onset = onset_of(draft, draft.world.flows["case"]) if event.at.startswith("onset") else None
        moment = draft.when(event.at, onset)
        if onset and event.set and not event.denied:
            thing = draft.things[event.set]
            for key, value in event.tag.items():
                thing.settings.set(f"tags.{key}", moment, draft.text(value))
            for path, value in _moved(draft, event, thing).items():
                _lay(draft, thing, path, moment, value)
        if event.who:
            with draft.wrong.each(f"events.{event.id}"):
                _record(draft, event, moment)
    draft.wrong.stop()


def _record(draft: Draft, event: EventSpec, moment: datetime) -> None:
    thing = draft.shop.find(event.set or event.create, f"events.{event.id}")
    with around(draft.world, thing):
        if event.who in draft.chains:
            chains.take(draft.world, draft.chains[event.who], moment, f"case:{event.id}")
        _recorded(draft, event, moment, thing)


def _recorded(draft: Draft, event: EventSpec, moment: datetime, thing: Thing) -> None:
    who = draft.people.get(event.who)
    if who is None:
        raise BadInput(
            f'events.{event.id}.who: "{event.who}" is none of the people: {", ".join(draft.people)}.'
        )
    deed, before, after = _deed(draft, event, thing, moment, who)
    spec = event.delivery_minutes
    spec = draft.world.switches.delivery_minutes if spec is None else spec
    minutes = draft.seed.between(f"delivery:{event.id}", 3, 6) if spec is None else draft.number(spec)
    made = record(
        draft.seed,
        f"case:{event.id}",
        moment,
        60 * minutes,
        place(deed, draft.world.region, draft.world.global_region),
        draft.world.account,
        _commanding(who, deed),
        deed,
    )
    made = facts.about(made, thing.arn, event.path or ("tags" if event.tag else ""), before, after)
    draft.happened[event.id] = made
    draft.world.trail.add(made)
    if who.from_console and who.kind == "iam_user" and moment > draft.moment - timedelta(days=1):
        draft.world.trail.add(noise.login(draft.world, who, moment - timedelta(minutes=14), event.id))


def _deed(
    draft: Draft, event: EventSpec, thing: Thing, moment: datetime, who: Identity
) -> tuple[Deed, Any, Any]:
    if event.create:
        return deeds.create(draft.world, thing, moment), None, None
    if event.tag:
        tags = {key: draft.text(value) for key, value in event.tag.items()}
        return deeds.tag(draft.world, thing, tags), None, None
    others = {path: _value(draft, value, thing, path, event) for path, value in event.also.items()}
    wanted = _value(draft, event.to, thing, event.path, event)
    before = thing.at(event.path, moment - timedelta(seconds=1))
    act = Act(
        thing=thing,
        path=event.path,
        before=before,
        after=wanted,
        moment=moment,
        call=event.call,
        others=others,
    )
    if not event.denied:
        act = replace(act, after=thing.at(event.path, moment))
        return deeds.change(draft.world, act), before, act.after
    kept = thing.settings.copy()
    thing.settings.set(event.path, moment, wanted)
    deed = deeds.change(draft.world, act)
    thing.settings.steps = kept.steps
    return facts.refused(deed, who, thing), before, wanted


def _commanding(who: Identity, deed: Deed) -> Identity:
    """The AWS CLI tells its command in the user agent."""
    verb = re.sub(r"(?<!^)(?=[A-Z])", "-", _VERSION.sub("", deed.name)).lower()
    return replace(who, agent=_COMMAND.sub(f"md/command#{deed.source}.{verb}", who.agent))
