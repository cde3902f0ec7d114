"""The ways in: the changes of a time over accounts and regions, and the restore plan of one event. Read only."""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from graph.changes import Listing, listing, merged
from graph.context import Context
from graph.drift import drift
from graph.session import close, session
from graph.undoing import reading
from graph.undoing.known import Known
from graph.undoing.restore import Restoration, restoration
from graph.words import say
from tools.aws import Reader
from tools.cloudtrail import cited
from tools.cloudtrail_lookup import clamp, complete_until
from tools.errors import BadInput, CannotInvestigate
from tools.models import Gap, Window


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """The changes of a time, and what could not be seen of it. Later events than `settled` may still come."""

    window: Window
    accounts: tuple[str, ...]
    regions: tuple[str, ...]
    listing: Listing
    gaps: tuple[Gap, ...]
    settled: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """An account with its regions, as whoever listed it calls it. With `account`, any other account is refused."""

    context: Context
    regions: tuple[str, ...] = ()
    account: str = ""
    name: str = ""


def changes(
    contexts: Sequence[Context | Place],
    since: datetime | timedelta,
    until: datetime | timedelta = timedelta(0),
    near: str = "",
    regions: Sequence[str] = (),
) -> Seen:
    """Every effective change of the time, riskiest first. One context per account. Both are moments or times
    back from now; `since` is a time back from `until` where that is a moment. Of several accounts one that refuses is a
    gap.

    Raises BadInput for an empty time, CannotInvestigate when no trail can be read.
    """
    places = [one if isinstance(one, Place) else Place(context=one) for one in contexts]
    found: list[Seen] = []
    closed: list[Gap] = []
    for place in places:
        try:
            with _look(place.context, place.account) as look:
                found.append(_one(look, since, until, near, place.regions or regions))
        except CannotInvestigate as error:
            if len(places) == 1:
                raise
            closed.append(_shut(place, error))
    if not found:
        raise CannotInvestigate(" ".join(f"{gap.what}: {gap.why}" for gap in closed))
    first = found[0]
    if len(found) == 1 and not closed:
        return first
    return replace(
        first,
        accounts=tuple(dict.fromkeys(one for seen in found for one in seen.accounts)),
        regions=tuple(dict.fromkeys(one for seen in found for one in seen.regions)),
        listing=merged([seen.listing for seen in found]),
        gaps=tuple(dict.fromkeys((*closed, *(gap for seen in found for gap in seen.gaps)))),
        settled=min(seen.settled for seen in found),
    )


def _shut(place: Place, error: CannotInvestigate) -> Gap:
    named = say("space {name}, account {account}", name=place.name, account=place.account)
    return Gap(
        what=named if place.name else say("profile {name}", name=place.context.profile or "default"),
        why=str(error),
        would_show=say("what was changed there"),
        code="NoAccess",
    )


def undo(context: Context, event_id: str, regions: Sequence[str] = ()) -> tuple[Restoration, tuple[Gap, ...]]:
    """The restore plan of one event of the last 90 days, and what could not be seen. Raises BadInput when no such
    event is there.
    """
    with _look(context) as look:
        event = reading.find_event(look, event_id, regions or (look.reader.region,))
        (event,) = reading.with_people(look, [event])
        event = reading.run_by_whom(look, event)
        known = reading.around_event(look, event)
        made = restoration(event, known)
        if made.outcome == "partial" and (items := reading.recorded_items(look, made)):
            known = replace(known, versions=(*known.versions, *items))
            made = restoration(event, known)
        if made.calls:
            made = replace(made, drift=_drifts(look, known, made))
        if made.event.evidence:
            made = replace(made, event=cited(look.reader, made.event))
        return made, _distinct(look.reader.gaps)


def _drifts(look: reading.Look, known: Known, made: Restoration) -> tuple[str, ...]:
    live = [
        one for one in made.fields if one.setting is not None and one.before_known and one.since == "standing"
    ]
    resources = known.resources
    found = [
        drift(look.reader, resources[one.resource], one.setting, one.before)
        for one in live
        if one.setting is not None and one.resource in resources
    ]
    return tuple(one.text for one in found if one is not None)


def _one(
    look: reading.Look,
    since: datetime | timedelta,
    until: datetime | timedelta,
    near: str,
    regions: Sequence[str],
) -> Seen:
    reader = look.reader
    window = clamp(_window(reader.as_of, since, until), reader.as_of)  # whole minutes, as it is asked
    places = tuple(regions) or (reader.region,)
    arns = reading.near(reader, near) if near else None
    events = reading.with_people(look, reading.window_events(look, window, places))
    known = reading.around_changes(look, events, window)
    return Seen(
        window=window,
        accounts=(reader.aws.account,),
        regions=tuple(dict.fromkeys((*places, reader.aws.global_region))),
        listing=listing(events, known, arns),
        gaps=_distinct((*_nobody(near, known), *reader.gaps)),
        settled=complete_until(reader.as_of),
    )


def _nobody(near: str, known: Known) -> tuple[Gap, ...]:
    """That nothing was seen of the resource that was asked for: its ARN may be mistyped."""
    if not near or near in known.resources or known.on(near):
        return ()
    return (
        Gap(
            what=near,
            why=say("neither AWS nor the events that were read know this resource"),
            would_show=say("changes near it"),
            lift=say("Check the ARN, its region and its account."),
            code="NotThere",
        ),
    )


def _window(as_of: datetime, since: datetime | timedelta, until: datetime | timedelta) -> Window:
    end = min(until if isinstance(until, datetime) else as_of - until, as_of)
    back_from = end if isinstance(until, datetime) else as_of
    start = since if isinstance(since, datetime) else back_from - since
    if start >= end:
        raise BadInput(
            f"Nothing lies between --since {start:%Y-%m-%dT%H:%M}Z and --until {end:%Y-%m-%dT%H:%M}Z."
        )
    return Window(start=start, end=end)


@contextmanager
def _look(context: Context, expected: str = "") -> Iterator[reading.Look]:
    run = f"changes-{uuid.uuid4().hex}"
    try:
        opened = session(run, context)
        opened.aws.as_of = opened.start
        reader = Reader(aws=opened.aws, letter="C")
        account = opened.aws.identify(reader)
        if expected and account != expected:
            told = say("These credentials are for account {own}, not {wanted}.", own=account, wanted=expected)
            raise CannotInvestigate(told)
        yield reading.Look(reader=reader)
    finally:
        close(run)


def _distinct(gaps: Sequence[Gap]) -> tuple[Gap, ...]:
    kept: dict[tuple[str, str, str], Gap] = {}
    for gap in gaps:
        kept.setdefault((gap.what, gap.why, gap.code), gap)
    return tuple(kept.values())
