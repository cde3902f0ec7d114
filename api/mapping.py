"""Reads what a map shows: around a symptom, or a whole account; keeps it, so that another form costs no reading."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING

from graph.levels import LEVELS, Level, blast_radius, chart, failure_path, view
from graph.levels.names import shown
from graph.session import close, session
from graph.words import say
from tools import arn as arns
from tools import catalogue
from tools.alarms import alarm as read_alarm
from tools.aws import Aws, Reader
from tools.errors import BadInput, CannotInvestigate
from tools.models import Gap, Relation, Resource
from tools.topology import around, merge, owner
from tools.whole import whole

if TYPE_CHECKING:
    from api.render.map.sheet import Sheet
    from api.spaces import Space
    from graph.context import Context

Tell = Callable[[str, int, int], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Mapped:
    """What was read. Of configurations only the state of alarms is kept: a map shows no more of them."""

    resources: tuple[Resource, ...]
    relations: tuple[Relation, ...]
    gaps: tuple[Gap, ...]
    focus: tuple[str, ...]  # the symptom first, then its alarm
    accounts: tuple[str, ...]
    regions: tuple[str, ...]
    as_of: datetime
    calls: int
    truncated: bool = False


def read_around(context: Context, *, resource: str = "", alarm: str = "", radius: int = 3) -> Mapped:
    """The surroundings of a resource (ARN or name) or of what an alarm watches. Raises CannotInvestigate."""
    with _aws(context) as aws:
        reader = Reader(aws=aws, letter="T")
        account = aws.identify(reader)
        start = _from_alarm(reader, alarm) if alarm else (_found(reader, resource, account),)
        topology = around(reader, start, radius=radius)
        return Mapped(
            resources=tuple(_slim(one) for one in topology.resources),
            relations=topology.relations,
            gaps=_distinct(reader.gaps),
            focus=start,
            accounts=(account,),
            regions=(reader.region,),
            as_of=aws.as_of,
            calls=len(reader.evidence),
            truncated=topology.truncated,
        )


def read_whole(
    context: Context, regions: tuple[str, ...] = (), tell: Tell | None = None, expected: str = ""
) -> Mapped:
    """Everything that the service files list in the account, in these regions (none: the context's).

    Raises CannotInvestigate when the account is not the expected one.
    """
    with _aws(context) as aws:
        reader = Reader(aws=aws, letter="T")
        account = aws.identify(reader)
        if expected and account != expected:
            raise CannotInvestigate(
                say(
                    "These credentials are for account {account}, not {expected}.",
                    account=account,
                    expected=expected,
                )
            )
        places = regions or (reader.region,)
        found = whole(aws, places, tell=tell)
        return Mapped(
            resources=tuple(_slim(one) for one in found.topology.resources),
            relations=found.topology.relations,
            gaps=found.gaps,
            focus=(),
            accounts=(account,),
            regions=places,
            as_of=aws.as_of,
            calls=found.calls + 1,
        )


def read_spaces(context: Context, spaces: Sequence[Space], tell: Tell | None = None) -> Mapped:
    """All these accounts as one map. One that cannot be entered is a gap; raises CannotInvestigate when none can."""
    found: list[Mapped] = []
    closed: list[Gap] = []
    for space in spaces:
        own = {
            "region": space.regions[0],
            "role_arn": space.role_arn,
            "profile": space.profile or context.profile,
        }
        try:
            found.append(read_whole(context.model_copy(update=own), space.regions, tell, space.account))
        except CannotInvestigate as error:
            what = say("space {name}, account {account}", name=space.name, account=space.account)
            closed.append(
                Gap(what=what, why=str(error), would_show=say("all of its resources"), code="NoAccess")
            )
    if not found:
        raise CannotInvestigate(" ".join(f"{gap.what}: {gap.why}" for gap in closed))
    return joined(found, closed)


def joined(maps: Sequence[Mapped], gaps: Sequence[Gap] = ()) -> Mapped:
    """Several accounts as one: a thing is what its own account says of it, not what others know of it."""
    resources: dict[str, Resource] = {}
    for one in maps:
        for thing in one.resources:
            if thing.arn not in resources or thing.account in one.accounts:
                resources[thing.arn] = thing
    return Mapped(
        resources=tuple(resources[arn] for arn in sorted(resources)),
        relations=merge(relation for one in maps for relation in one.relations),
        gaps=(*(gap for one in maps for gap in one.gaps), *gaps),
        focus=(),
        accounts=tuple(dict.fromkeys(account for one in maps for account in one.accounts)),
        regions=tuple(dict.fromkeys(region for one in maps for region in one.regions)),
        as_of=max(one.as_of for one in maps),
        calls=sum(one.calls for one in maps),
        truncated=any(one.truncated for one in maps),
    )


def sheet(mapped: Mapped, level: Level, cause: str = "") -> Sheet:
    """One level of what was read, with the blast radius of the symptom, or with a cause the way from it."""
    from api.render.map.sheet import Sheet

    atlas = chart(mapped.resources, mapped.relations)
    symptom = mapped.focus[0] if mapped.focus else ""
    begun = _known(mapped, cause) if cause else ""
    return Sheet(
        view=view(atlas, level),
        accounts=mapped.accounts,
        regions=mapped.regions,
        as_of=mapped.as_of,
        resources=len(mapped.resources),
        relations=len(mapped.relations),
        focus=mapped.focus,
        blast=blast_radius(atlas, begun or symptom) if begun or symptom else None,
        path=failure_path(atlas, begun, symptom) if begun and symptom and begun != symptom else None,
        gaps=mapped.gaps,
        names={arn: f"{one.type} {shown(one)}" for arn, one in atlas.resources.items()},
        truncated=mapped.truncated,
    )


def level_of(text: str) -> Level:
    """A level by its name. Raises BadInput."""
    found = next((level for level in LEVELS if level == text), None)
    if found is None:
        raise BadInput(f'"{text}" is no level. Known: {", ".join(LEVELS)}')
    return found


@contextmanager
def _aws(context: Context) -> Iterator[Aws]:
    from api.sources import ready

    ready(context)
    run = f"map-{uuid.uuid4().hex}"
    try:
        yield session(run, context).aws
    finally:
        close(run)


def _slim(one: Resource) -> Resource:
    state = one.config.get("StateValue") if one.type == "alarm" else None
    return replace(one, config={"StateValue": state} if state else {}, evidence=())


def _distinct(gaps: Sequence[Gap]) -> tuple[Gap, ...]:
    return tuple(gap for number, gap in enumerate(gaps) if gap not in gaps[:number])


def _from_alarm(reader: Reader, name: str) -> tuple[str, ...]:
    given = arns.parse(name).name if name.startswith("arn:") else name
    found = read_alarm(reader, given)
    if found is None:
        raise CannotInvestigate(
            say(
                "There is no alarm {name} in {region}. Name its region with --region.",
                name=given,
                region=reader.region,
            )
        )
    watched = owner(reader, found.metric)
    return tuple(dict.fromkeys(arn for arn in (watched, found.arn) if arn))


def _found(reader: Reader, text: str, account: str) -> str:
    """The ARN that was named, or that of the one resource with this name. Raises BadInput, CannotInvestigate."""
    if text.startswith("arn:"):
        parts = arns.parse(text)
        if parts.account.isdigit() and parts.account != account:
            raise CannotInvestigate(
                say(
                    "{arn} belongs to account {other}, but these credentials are for account {account}.",
                    arn=text,
                    other=parts.account,
                    account=account,
                )
            )
        return text
    fits: dict[str, Resource] = {}
    for service in catalogue.services().values():
        with reader.seeing(f"{service.title} in {reader.region}", "whether a resource has this name"):
            fits |= {
                one.arn: one
                for one in service.discover(reader, reader.region)
                if text in (one.name, shown(one))
            }
    return _only(text, fits)


def _known(mapped: Mapped, text: str) -> str:
    """The ARN of a resource of the map, named by ARN or name. Raises BadInput."""
    fits = {one.arn: one for one in mapped.resources if text in (one.arn, one.name, shown(one))}
    return _only(text, fits)


def _only(text: str, fits: dict[str, Resource]) -> str:
    # Roles and log groups often bear the name of what they serve: that is rarely what somebody means.
    main = {arn: one for arn, one in fits.items() if one.type not in ("role", "log-group", "alarm")} or fits
    if not main:
        raise CannotInvestigate(say("No resource is called {name}. Name its ARN.", name=text))
    if len(main) > 1:
        raise BadInput(
            say("Several resources are called {name}: {arns}.", name=text, arns=", ".join(sorted(main)))
        )
    return next(iter(main))
