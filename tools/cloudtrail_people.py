"""The person behind a role: AssumeRole walked back by access key, sign-ins for address and second factor.

AssumeRole and ConsoleLogin are in the event history; AssumeRole is recorded as read-only.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from datetime import timedelta

from tools.arn import global_region
from tools.aws import Reader
from tools.cloudtrail_events import parse, unwrap, written
from tools.cloudtrail_fields import pick, table, text
from tools.cloudtrail_lookup import Attribute, Found, lookup
from tools.models import Actor, ChangeEvent, Json, Window

_HOPS = 2
_LONGEST_SESSION = timedelta(hours=12)
_USUAL_SESSION = timedelta(hours=1)
_ADDRESS = re.compile(r"^[0-9a-fA-F]*[.:][0-9a-fA-F.:]+$")
_WHAT = "who was behind the role session"


@dataclass(frozen=True, slots=True, kw_only=True)
class Resolved:
    """The actor with what the event history adds, and the evidence of each step."""

    actor: Actor
    evidence: tuple[str, ...]


def resolve_people(reader: Reader, event: ChangeEvent, window: Window | None = None) -> Resolved:
    """The event's actor, followed to a person where the history shows one; unchanged where it does not.

    At most two roles are walked back, with up to four questions each, and one sign-in is looked for. A caller of
    another account is asked for there: the account of the role is shown its number only. `window`
    bounds the search; by default the twelve hours before the event, which is the longest session.
    """
    span = window or Window(start=event.time - _LONGEST_SESSION, end=event.time + timedelta(minutes=1))
    found, evidence = event.actor, list[str]()
    key = found.access_key_id
    for _ in range(_HOPS):
        if found.kind not in ("role", "other_account") or not key.startswith("ASIA"):
            break
        step = _taker(reader, event, key, span)
        if step is None:
            break
        taker, proof = step
        evidence.append(proof)
        if taker.kind == "other_account" and (further := _abroad(reader, event, key, span, taker)):
            reader, taker, proof = further
            evidence.append(proof)
        key = taker.access_key_id
        found = _behind(found, taker)
    if found.how == "console" and (found.mfa is None or not _ADDRESS.match(found.source_ip)):
        found, proofs = _signed_in(reader, event, found, span)
        evidence += proofs
    return Resolved(actor=found, evidence=tuple(evidence))


def _behind(role: Actor, taker: Actor) -> Actor:
    """The one who took the role, as the actor: the means stay those of the change, the role stays named."""
    return replace(
        role,
        kind=taker.kind,
        name=taker.name,
        arn=taker.arn or role.arn,
        account=taker.account or role.account,
        mfa=taker.mfa if taker.mfa is not None else role.mfa,
        source_ip=role.source_ip if _ADDRESS.match(role.source_ip) else taker.source_ip,
        source_identity=role.source_identity or taker.source_identity,
    )


def _taker(reader: Reader, event: ChangeEvent, key: str, span: Window) -> tuple[Actor, str] | None:
    """Who called AssumeRole and got this key. The history lists the issued key among its resources."""
    usual = Window(start=max(span.start, event.time - _USUAL_SESSION), end=span.end)
    # A role is taken at an endpoint of some region; a change of IAM is in the global one, whichever that was.
    home = event.region or reader.region
    regions = dict.fromkeys((home, global_region(home), reader.region))
    questions: tuple[tuple[Attribute, str, Window], ...] = (
        ("ResourceName", key, span),
        ("EventName", "AssumeRole", usual),
    )
    for attribute, value, where in questions:
        for region in regions:
            found = lookup(
                reader, attribute=(attribute, value), window=where, region=region, pages=2, what=_WHAT
            )
            for index, item in enumerate(found.records):
                if _issued(unwrap(item)) == key:
                    return found.events[index].actor, _proof(reader, found, index)
    return None


def _abroad(
    reader: Reader, event: ChangeEvent, key: str, span: Window, taker: Actor
) -> tuple[Reader, Actor, str] | None:
    """The same AssumeRole as the caller's own account recorded it, and the reader of that account."""
    what = f"CloudTrail events of account {taker.account}"
    with reader.seeing(what, f"which identity of account {taker.account} took the role"):
        there = reader.at(taker.account)
        step = _taker(there, event, key, span)
        if step is not None:
            return there, *step
    return None


def _issued(record: Json) -> str:
    if not text(pick(record, "eventName")).startswith("AssumeRole"):
        return ""
    return text(pick(pick(pick(record, "responseElements"), "credentials"), "accessKeyId"))


def _proof(reader: Reader, found: Found, index: int) -> str:
    event = found.events[index]
    return reader.cite(event.evidence[0], written(event), event.time)


def _signed_in(reader: Reader, event: ChangeEvent, who: Actor, span: Window) -> tuple[Actor, list[str]]:
    """The newest successful console sign-in, or switch of role, of the actor before the event."""
    regions = dict.fromkeys((event.region or reader.region, global_region(event.region or reader.region)))
    for name in ("ConsoleLogin", "SwitchRole") if who.role else ("ConsoleLogin",):
        for region in regions:
            asked: tuple[Attribute, str] = ("EventName", name)
            found = lookup(
                reader, attribute=asked, window=span, region=region, pages=1, what="console sign-ins"
            )
            for index in reversed(range(len(found.events))):
                sign_in = found.events[index]
                if sign_in.time <= event.time and _same_person(sign_in.actor, who) and _succeeded(sign_in):
                    return _with_sign_in(who, unwrap(found.records[index])), [_proof(reader, found, index)]
    return who, []


def _same_person(one: Actor, other: Actor) -> bool:
    if one.arn and other.arn and one.arn == other.arn:
        return True
    return one.name == other.name and one.account == other.account and one.kind == other.kind


def _succeeded(event: ChangeEvent) -> bool:
    return not event.error_code and "Failure" not in (text(value) for value in event.response.values())


def _with_sign_in(who: Actor, record: Json) -> Actor:
    sign_in = parse(record).actor
    made = replace(
        who,
        mfa=who.mfa if who.mfa is not None else sign_in.mfa,
        source_ip=who.source_ip if _ADDRESS.match(who.source_ip) else sign_in.source_ip,
    )
    came_from = text(pick(table(pick(record, "additionalEventData")), "SwitchFrom"))
    if not came_from:
        return made
    return replace(
        made, kind="iam_user" if ":user/" in came_from else made.kind, name=came_from.rpartition("/")[2]
    )
