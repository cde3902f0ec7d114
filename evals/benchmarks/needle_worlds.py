"""Worlds of the needle benchmark: one breaking change among harmless ones of the same resource and foreign events.

A world is made like any other (`evals.world`), of the systems in needle.yaml. Two things are added: published
CloudTrail records, moved into the world's account, region and time; and some minutes between the change and what it
does, since caches, open connections, TTLs and demand delay effects: the record of the change stands that much earlier.
"""

from __future__ import annotations

import json
import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from evals.world.case import Builder
from evals.world.casefile import CaseFile
from evals.world.identities import stamp
from evals.world.seed import Seed
from evals.world.trail import GLOBAL_SOURCES, Record
from evals.world.world import World
from tools.cloudtrail import EPOCH, is_mutating
from tools.cloudtrail_fields import moment, pick, text
from tools.models import Json

BEFORE = timedelta(minutes=110)
"""Harmless changes of the resource lie within this time before the symptom begins ..."""
AFTER = timedelta(minutes=6)
"""... and this long after it."""
_LAG = (2, 40)
_WAYS = ("user-console", "sso-console", "user-cli", "sso-cli", "ci", "terraform")
_TAGS = (
    "cost-center",
    "owner-team",
    "data-class",
    "reviewed",
    "ticket",
    "tier",
    "contact",
    "backup",
    "purpose",
)
_SYNTHETIC = 300  # records of the world's own services at work, beside the foreign ones


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """A kind of change. `spec`: its part of needle.yaml."""

    name: str
    service: str
    spec: Mapping[str, Any]

    @property
    def can_be_controlled(self) -> bool:
        """Whether something else can break the same system, so that a harmless change can be tried in its stead."""
        return "nature" in self.spec


@dataclass(frozen=True, slots=True, kw_only=True)
class Planting:
    """One change in one world. `breaks`: False for a control, whose change harms nobody while something else fails."""

    kind: str
    number: int
    lag: int  # minutes from the change to what it does
    alarm: str  # near or far
    by: str  # how its actor acts
    breaks: bool = True

    @property
    def seed(self) -> int:
        """Of the world: other names, places and values for each planting."""
        return random.Random(f"needle:{self.kind}:{self.number}:{self.breaks}").randrange(2, 10**6)


@dataclass(frozen=True, slots=True, kw_only=True)
class Planted:
    """A world with its needle. `event`: id of its record; `others`: succeeded other changes of the same resource."""

    planting: Planting
    world: World
    event: str
    resource: str
    symptom: str
    distance: int | None  # relations between the two; None when there is no way
    others: int
    denied: int
    fires: bool = field(default=True)


@cache
def kinds() -> tuple[Kind, ...]:
    """All kinds, in the order of the file."""
    read = yaml.safe_load((Path(__file__).parent / "needle.yaml").read_text(encoding="utf-8"))
    return tuple(Kind(name=name, service=spec["service"], spec=spec) for name, spec in read["kinds"].items())


def plantings(each: int, controls: int = 0) -> tuple[Planting, ...]:
    """`each` plantings of every kind, and as many controls of those that can have one. The same every time."""
    found = [_planting(kind, number) for kind in kinds() for number in range(each)]
    found += [
        replace(_planting(kind, number), breaks=False)
        for kind in kinds()
        if kind.can_be_controlled
        for number in range(controls)
    ]
    return tuple(found)


def _planting(kind: Kind, number: int) -> Planting:
    luck = random.Random(f"planting:{kind.name}:{number}")
    alarms = sorted(kind.spec["alarms"])
    return Planting(
        kind=kind.name,
        number=number,
        lag=luck.randint(*kind.spec.get("lag", _LAG)),
        alarm=alarms[number % len(alarms)],
        by=luck.choice(_WAYS),
    )


def plant(planting: Planting, records: Sequence[Json]) -> Planted:
    """The world of a planting with `records` around its symptom. Raises BadInput where a kind is described wrongly."""
    (kind,) = [one for one in kinds() if one.name == planting.kind]
    builder = Builder(_case(kind, planting), f"needle-{kind.name}", Seed(planting.seed))
    world = builder.build()
    needle = _earlier(world, str(world.facts["change.event_id"]), timedelta(minutes=planting.lag))
    begun = builder.moment
    world.trail.add(*foreign(world, records, begun))
    world.trail.settle()
    resource = builder.things[kind.spec["change"]["set"]].arn
    symptom = builder.things[kind.spec["alarms"][planting.alarm]["on"]].arn
    others = [
        one
        for one in world.trail.records
        if one.arn == resource and one.id != needle.id and begun - BEFORE <= one.time <= begun + AFTER
    ]
    refused = sum("errorCode" in one.body for one in others)
    return Planted(
        planting=planting,
        world=world,
        event=needle.id,
        resource=resource,
        symptom=symptom,
        distance=_distance(world, resource, symptom),
        others=len(others) - refused,
        denied=refused,
        fires=_fires(world, begun),
    )


def _case(kind: Kind, planting: Planting) -> CaseFile:
    spec, luck = kind.spec, random.Random(f"case:{planting.seed}")
    change = spec["change"]
    events: list[Json] = []
    if first := spec.get("first"):
        events.append({"id": "first", "at": "-600d", **first})
    if change["good"] is not None:
        events.append(_set("prior", "-31d", "infra", change, change["good"]))
    good = (change.get("fine") or ["$same"])[-1]
    events.append(_set("change", "0s", "operator", change, change["bad"] if planting.breaks else good))
    events[-1]["known_as"] = "it"
    if not planting.breaks:
        events.append({"id": "nature", "at": "0s", **spec["nature"]})
    events += _harmless(kind, planting, luck)
    return CaseFile.model_validate(
        {
            "title": kind.name,
            "draws": spec.get("draws", {}),
            "people": _people(planting),
            "resources": spec["resources"],
            "traffic": {"background": 4, **spec["traffic"]},
            "alarms": {"alarm": spec["alarms"][planting.alarm]},
            "events": events,
            "look": {"after": "alarm", "minutes": luck.randint(15, 25)},
            "switches": {"noise": _SYNTHETIC, "decoys": luck.randint(1, 3)},
        }
    )


def _people(planting: Planting) -> Json:
    return {
        "operator": {
            "way": planting.by,
            "name": "{person_1}",
            "address": "{address_1}",
            "role": "{team}-admin",
        },
        "owner": {"way": "sso-console", "name": "{person_2}", "address": "{address_2}"},
        "colleague": {"way": "user-cli", "name": "{person_3}", "address": "{address_3}"},
        "release": {"way": "ci", "name": "build-{team}", "role": "{team}-release"},
        "infra": {"way": "terraform", "name": "apply", "role": "{team}-infra"},
    }


def _set(id: str, at: str, who: str, change: Mapping[str, Any], value: Any, *, denied: bool = False) -> Json:
    return {
        "id": id,
        "at": at,
        "who": who,
        "set": change["set"],
        "path": change["path"],
        "to": value,
        "denied": denied,
    }


def _harmless(kind: Kind, planting: Planting, luck: random.Random) -> Iterator[Json]:
    """At least five changes of the same resource that harm nobody, and one or two attempts that were refused."""
    change = kind.spec["change"]
    last = -60 * planting.lag - 90
    fine = [] if not planting.breaks else list(change.get("fine", ()))
    for number, at in enumerate(sorted(luck.sample(range(-60 * 110, last), len(fine)))):
        yield _set(f"fine_{number}", f"{at}s", _who(luck), change, fine[number])
    steps = [(path, value) for path, values in kind.spec.get("harmless", {}).items() for value in values]
    wanted = max(5, luck.randint(5, 9)) - len(fine)
    tags = list(_TAGS) if kind.spec.get("tags") else []
    luck.shuffle(tags)
    mixed: list[tuple[str, Any]] = steps[: max(wanted, 0)] if len(steps) > wanted else list(steps)
    few = min(len(tags), max(2, wanted - len(mixed)))
    mixed += [("", tag) for tag in tags[:few]]
    times = _times(luck, len(mixed))
    if kind.spec.get("whole"):  # its requests repeat what the change set: none comes before that shows
        times = sorted(at - 60 * planting.lag - 240 if last < at < 60 else at for at in times)
    for number, (at, (path, value)) in enumerate(zip(times, _stirred(mixed, luck), strict=True)):
        event = {"id": f"other_{number}", "at": f"{at:+d}s", "who": _who(luck), "set": change["set"]}
        yield {**event, "path": path, "to": value} if path else {**event, "tag": {value: f"v{number}"}}
    for number in range(luck.randint(1, 2)):
        at = luck.randrange(-60 * 90, 300)
        denied = _set(f"denied_{number}", f"{at:+d}s", "colleague", change, change["bad"], denied=True)
        yield denied


def _times(luck: random.Random, count: int) -> list[int]:
    return sorted(luck.sample(range(-int(BEFORE.total_seconds()), int(AFTER.total_seconds())), count))


def _stirred(steps: list[tuple[str, Any]], luck: random.Random) -> list[tuple[str, Any]]:
    """In an order by chance, but the values of one path stay in theirs."""
    order = [path for path, _ in steps]
    luck.shuffle(order)
    values = {path: iter([value for one, value in steps if one == path]) for path in order}
    return [(path, next(values[path])) for path in order]


def _who(luck: random.Random) -> str:
    return luck.choice(("owner", "colleague", "release", "infra", "operator"))


def _earlier(world: World, id: str, lag: timedelta) -> Record:
    """Let the record of the change stand earlier than what the change does."""
    old = world.trail.by_id[id]
    time = old.time - lag
    made = replace(old, time=time, delivered=old.delivered - lag, body={**old.body, "eventTime": stamp(time)})
    world.trail.records.remove(old)
    world.trail.add(made)
    return made


def foreign(world: World, records: Sequence[Json], begun: datetime) -> Iterator[Record]:
    """Records of another account as if they were of this one, the last of them within minutes of the symptom.

    Account and region are replaced wherever they stand, times are moved together, and delivery takes 2 to 9 minutes.
    """
    timed = [(at, one) for one in records if (at := moment(pick(one, "eventTime"))) != EPOCH]
    if not timed:
        return
    last = max(at for at, _ in timed)
    shift = begun + timedelta(seconds=world.seed.integer("foreign:end", -300, 900)) - last
    for number, (at, body) in enumerate(timed):
        yield _foreign(world, number, at + shift, body)


def _foreign(world: World, number: int, time: datetime, body: Json) -> Record:
    source = text(pick(body, "eventSource"))
    region = world.global_region if source in GLOBAL_SOURCES else world.region
    written = json.dumps(body)
    if account := text(pick(body, "recipientAccountId")):
        written = written.replace(account, world.account)
    if was := text(pick(body, "awsRegion")):
        written = written.replace(was, region)
    moved: Json = json.loads(written)
    id = world.seed.uuid(f"foreign:{number}")
    mutating = is_mutating(body)
    moved |= {"eventTime": stamp(time), "eventID": id, "readOnly": not mutating}
    who = pick(moved, "userIdentity") or {}
    issuer = who.get("sessionContext", {}).get("sessionIssuer", {})
    listed = tuple(
        (text(pick(one, "type")), text(pick(one, "ARN")))
        for one in pick(moved, "resources") or ()
        if text(pick(one, "ARN"))
    )
    return Record(
        time=time,
        delivered=time + timedelta(seconds=world.seed.integer(f"foreign:{number}", 120, 540)),
        region=region,
        body=moved,
        username=text(who.get("userName") or issuer.get("userName")),
        key=text(who.get("accessKeyId")),
        listed=listed,
        actor=world.cast.service("events.amazonaws.com"),
        noise=True,
        resources=listed,
    )


def _distance(world: World, start: str, end: str) -> int | None:
    """Relations between two resources; a part (a stage, a rule) counts as one away from its whole."""
    near: dict[str, set[str]] = {}
    parts = ((one, whole) for one in world.things for whole in world.things if one.startswith(f"{whole}/"))
    for source, target in (*((source, target) for source, _, target in world.relations), *parts):
        near.setdefault(source, set()).add(target)
        near.setdefault(target, set()).add(source)
    seen, edge, far = {start}, {start}, 0
    while edge:
        if end in edge:
            return far
        edge = {other for one in edge for other in near.get(one, ())} - seen
        seen |= edge
        far += 1
    return None


def _fires(world: World, begun: datetime) -> bool:
    (alarm,) = [one for one in world.alarms.values() if one.name == world.trigger["alarm"]]
    states = alarm.states(begun + timedelta(hours=3))
    return any(one.value == "ALARM" and one.time >= begun for one in states)
