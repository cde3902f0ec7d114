"""Reversals of operations that no service file describes, from the events themselves: opposites, and what was sent
before. Pure. A recorded value that would not survive stops a call from being made.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from graph.undoing.after import (
    GIVES,
    OPPOSITES,
    REPLACES,
    TAKES_AWAY,
    Reversal,
    built_on,
    equal,
    in_doubt,
    overtaken_by,
    same_family,
    since_undone,
    was,
)
from graph.undoing.anatomy import (
    at,
    client_of,
    is_name,
    leaves,
    named,
    opened,
    operation_of,
    overlap,
    same_subject,
    verb,
)
from graph.undoing.calls import has, left_open, missing, opposite_call
from graph.undoing.known import Known
from graph.undoing.moved import Moved
from graph.words import say, stamp
from tools.errors import BadInput
from tools.models import Call, ChangeEvent, Json
from tools.parameters import credentials, from_cloudtrail, members
from tools.walk import leaves as values_in

# What holds nothing that is lost with it. All else may hold data, or is itself gone for good.
_HOLDS = re.compile(r"(?:LogGroup|AutoScalingGroup|ReplicationGroup|Node[gG]roup|ThingGroup)$")
_PLAIN = re.compile(
    r"(?:Route|Rule|Rules|Policy|PolicyVersion|Alias|Listener|Subscription|Grant|Tags|Association|AccessKey|LoginProfile"
    r"|InstanceProfile|Method|MethodResponse|Integration|IntegrationResponse|Resource|Authorizer|Deployment|Stage"
    r"|EventSourceMapping|Filter|Schedule|ScalingPolicy|Notification|NotificationConfiguration|Attachment|Permission"
    r"|Role|User|Group|DomainName|Mapping|LaunchConfiguration|LaunchTemplate|RouteTable|InternetGateway|NetworkAcl"
    r"|Entry|KeyPair|VpcEndpoint|Vpc|Subnet|Alarms?|Dashboards?|Encryption|Lifecycle|Cors|Website|Logging|Assignment"
    r"|PublicAccessBlock|Provider|MFADevice|UsagePlan|Targets?|Boundary|SSHPublicKey|Address|TargetGroup)$"
)

_IRREVOCABLE = frozenset(
    {
        "Terminate",
        "Purge",
        "Reboot",
        "Failover",
        "Promote",
        "Send",
        "Publish",
        "Execute",
        "Invoke",
        "Cancel",
        "Release",
    }
)


def reverse(event: ChangeEvent, known: Known, fields: tuple[Moved, ...]) -> Reversal:
    """The reversal of one event by what CloudTrail alone tells."""
    word, noun = verb(event.operation)
    client = client_of(event)
    if not client:
        return _not(
            event,
            say("boto3 knows no operation {name} of {source}", name=event.operation, source=event.source),
        )
    if (undone := since_undone(event, known)) is not None:
        return undone
    if word in REPLACES and (before := _sent_before(event, known, client)) is not None:
        return before
    if word in (*REPLACES, *GIVES):
        return _give_back(event, client, fields)
    if is_tagging(event):
        return _tags(event)
    if (way := _BY_NAME.get(event.operation)) is not None:
        return _by_name_of(event, client, way)
    for back in (*_MAKERS.get(event.operation, ()), *(other + noun for other in OPPOSITES.get(word, ()))):
        if has(client, back):
            turn = _give_again if word in TAKES_AWAY else _take_away
            return turn(event, known, client, word, noun, back)
    return _not(event, "")


# Operations whose way back has another name, in order. AWS keeps what they take away for a while.
_BY_NAME: Mapping[str, tuple[str, ...]] = {
    "ScheduleKeyDeletion": (
        "CancelKeyDeletion",
        "EnableKey",
    ),  # a key whose deletion is cancelled stays disabled
    "DeleteSecret": ("RestoreSecret",),
}


# What makes again what these take away, where the name does not tell it.
_MAKERS: Mapping[str, tuple[str, ...]] = {
    "DeleteAlarms": ("PutMetricAlarm",),
    "DeletePolicy": ("PutScalingPolicy",),
    "RemoveTargets": ("PutTargets",),
    "PutTargets": ("RemoveTargets",),
    "DeleteRouteResponse": ("CreateRouteResponse",),
}
_TAGS = re.compile(
    r"(?:Tag|Untag)[A-Z]|(?:Create|Delete|Add|Remove)Tags|(?:Add|Remove)Tags\w+|CreateOrUpdateTags$"
)


def is_tagging(event: ChangeEvent) -> bool:
    """Whether the operation sets or removes tags."""
    return _TAGS.match(event.operation) is not None


def _tags(event: ChangeEvent) -> Reversal:
    """Tags that a call sets take the place of older ones, of which the event says nothing."""
    return Reversal(
        outcome="partial",
        why=say("no event tells the tags before"),
        unknown=(say("the tags that {operation} set or removed, as they were", operation=event.operation),),
    )


def _by_name_of(event: ChangeEvent, client: str, way: tuple[str, ...]) -> Reversal:
    calls = tuple(call for call in (opposite_call(event, client, name) for name in way) if call is not None)
    forced = any(key.lower().startswith("force") and value for key, value in event.request.items())
    if forced or len(calls) != len(way):
        return _not(event, "")
    return Reversal(
        outcome="exact", why=say("as long as AWS keeps it; after the waiting time it is gone"), calls=calls
    )


def _is_plain(noun: str) -> bool:
    return _PLAIN.search(noun) is not None and _HOLDS.search(noun) is None


# -- sent before -----------------------------------------------------------------------------------


def _sent_before(event: ChangeEvent, known: Known, client: str) -> Reversal | None:
    """For operations that replace a whole: the whole that was sent before, or its removal."""
    word, noun = verb(event.operation)
    before = next(
        (one for one in known.earlier(event) if same_family(one, event) and overlap(one, event)), None
    )
    if before is None:
        return None
    if before.operation == event.operation:
        if equal(before, event):
            return Reversal(outcome="nothing to undo", why=say("it was so before already"), rests_on=before)
        return _as_sent(event, client, before)
    if verb(before.operation)[0] == "Delete" and has(client, "Delete" + noun):
        return _take_away(event, known, client, word, noun, "Delete" + noun)
    return None


def _as_sent(event: ChangeEvent, client: str, source: ChangeEvent) -> Reversal:
    """The earlier call once more. A password or secret that it may have held is in no record."""
    made = _made(event, client, operation_of(source), source.request, source)
    sent = {name for call in made.calls for name in call.parameters}
    hidden = tuple(name for name in credentials(client, operation_of(source)) if name not in sent)
    if made.outcome != "exact" or not hidden:
        return made
    return replace(
        made,
        outcome="partial",
        why=say("CloudTrail keeps no credential"),
        unknown=tuple(say("{name}, if it was set", name=name) for name in hidden),
    )


def _made(event: ChangeEvent, client: str, operation: str, request: Json, source: ChangeEvent) -> Reversal:
    try:
        sent = from_cloudtrail(client, operation, request)
    except BadInput as refused:
        return Reversal(
            outcome="partial",
            why=say("what was there before cannot be sent as it was recorded"),
            unknown=(str(refused),),
            rests_on=source,
        )
    return Reversal(
        outcome="exact",
        why=say("as {operation} set it at {time}", operation=source.operation, time=stamp(source.time)),
        calls=(Call(service=client, operation=operation, parameters=sent, region=event.region),),
        rests_on=source,
    )


def _give_back(event: ChangeEvent, client: str, fields: tuple[Moved, ...]) -> Reversal:
    """Fields of an update, each as it was last given before."""
    live = [one for one in fields if one.since == "standing"]
    if fields and not live:
        return _all_over(fields)
    overtaken = next((one for one in fields if one.since == "replaced"), None)
    if overtaken is not None:
        return Reversal(
            outcome="superseded", why=say("{name} was changed again", name=overtaken.name), by=overtaken.later
        )
    unknown = tuple(one.name for one in live if not one.before_known)
    told = [one for one in live if one.before_known]
    if not told:
        return Reversal(
            outcome="partial",
            why=say("no earlier event of 90 days tells the values before"),
            unknown=unknown or (say("what {operation} replaced", operation=event.operation),),
        )
    sent = _kept_names(event)
    for one in told:
        _put(sent, one)
    found = _made(event, client, operation_of(event), sent, event)
    if found.outcome != "exact":
        return replace(found, unknown=(*unknown, *found.unknown))
    found = replace(found, calls=tuple(_at_once(call) for call in found.calls))
    if lost := [one.name for one in told if not _survives(one.before, found.calls)]:
        return Reversal(
            outcome="partial",
            why=say("what was there before cannot be sent as it was recorded"),
            unknown=(*unknown, *lost),
        )
    return replace(
        found, outcome="partial" if unknown else "exact", unknown=unknown, why=say("as earlier events set it")
    )


def _at_once(call: Call) -> Call:
    """RDS and others keep a change for the next maintenance window unless told otherwise."""
    if "ApplyImmediately" in members(call.service, call.operation)[1]:
        return replace(call, parameters={**call.parameters, "ApplyImmediately": True})
    return call


def _survives(value: Any, calls: tuple[Call, ...]) -> bool:
    """Whether every text and number of a value is in the calls."""
    sent = {str(one).lower() for call in calls for one in _flat(call.parameters)}
    whole = " ".join(sent)
    return all(str(one).lower() in sent or str(one).lower() in whole for one in _flat(_unpacked(value)))


def _flat(value: Any) -> Iterable[Any]:
    return (one for one in values_in(value) if one not in (None, ""))


def _all_over(fields: tuple[Moved, ...]) -> Reversal:
    overtaken = next((one for one in fields if one.since == "replaced"), None)
    if overtaken is not None:
        return Reversal(outcome="superseded", why=say("it was changed again"), by=overtaken.later)
    back = next((one.later for one in fields if one.since == "back" and one.later is not None), None)
    why = (
        say("it was so before already")
        if all(one.since == "same" for one in fields)
        else say("it is back already")
    )
    return Reversal(outcome="nothing to undo", why=why, by=back)


def _kept_names(event: ChangeEvent) -> Json:
    """The request's names alone, where they stand in it."""
    names, request = named(event), opened(event.request)
    kept: Json = {key: value for key, value in request.items() if key.lower() in names}
    for path in leaves(request) if not kept else ():
        if is_name(event, path) and all(isinstance(step, str) for step in path):
            place = kept
            for step in path[:-1]:
                place = place.setdefault(str(step), {})
            place[str(path[-1])] = at(request, path)
    return kept


def _put(request: Json, one: Moved) -> None:
    """The value before at its place. `sources` hold it as JSON text where it is a structure."""
    *way, last = [step for step in one.path.split(".") if step]
    place = request
    if way and way[0].endswith(("Request", "Input")) and way[0] not in request:
        way = way[1:]  # the wrapper that `opened` takes off
    for step in way:
        place = place.setdefault(step, {})
    place[last] = _unpacked(one.before)


def _unpacked(value: Any) -> Any:
    import json

    if isinstance(value, str) and value[:1] in ("[", "{"):
        try:
            return json.loads(value)
        except ValueError:
            return value
    return value


# -- opposites -------------------------------------------------------------------------------------


def _take_away(event: ChangeEvent, known: Known, client: str, word: str, noun: str, back: str) -> Reversal:
    """The opposite of making something: a call that names what was made."""
    made = word in ("Create", "Run", "Import", "Upload", "Put", "Allocate")
    if made and not _is_plain(noun):
        return Reversal(
            outcome="cannot be undone",
            why=say("taking it away again would lose what came into it since"),
            lost=say("everything that was put into it since {time}", time=stamp(event.time)),
            nearest=say("If nobody uses it: keep a copy, then {operation}.", operation=back),
        )
    if was(event, known):
        return Reversal(outcome="nothing to undo", why=say("it was so before already"))
    if made and (since := built_on(event, known)) is not None:
        return overtaken_by(since)
    call = opposite_call(event, client, back)
    if call is not None and _became_default(event):
        return Reversal(
            outcome="partial",
            why=say("it became the default, which cannot be taken away before another is"),
            unknown=(say("which one was the default before"),),
        )
    if call is None:
        return Reversal(
            outcome="partial",
            why=say("the event does not name all that {operation} needs", operation=back),
            unknown=missing(event, client, back),
        )
    doubt = in_doubt(event, known)
    return Reversal(
        outcome="partial" if doubt else "exact", why=say("the opposite call"), calls=(call,), unknown=doubt
    )


def _became_default(event: ChangeEvent) -> bool:
    """Whether what was made became the default one of its kind, as a version of a policy can."""
    return any(
        path[-1] in ("setAsDefault", "isDefaultVersion") and str(at(place, path)).lower() == "true"
        for place in (event.request, event.response)
        for path in leaves(place)
    )


def _give_again(event: ChangeEvent, known: Known, client: str, word: str, noun: str, back: str) -> Reversal:
    """The opposite of taking away: what was given before, as it was given."""
    if word == "Delete" and not _is_plain(noun):
        return Reversal(
            outcome="cannot be undone",
            why=say("it is gone, with what it held"),
            lost=say("the thing itself and all that it held"),
            nearest=say(
                "Restore a backup or snapshot if there is one; {operation} makes an empty one.",
                operation=back,
            ),
        )
    if was(event, known):
        return Reversal(outcome="nothing to undo", why=say("it was so before already"))
    makers = {back, *(other + noun for other in OPPOSITES.get(word, ()))}
    givers = [one for one in known.earlier(event) if one.operation in makers and same_subject(one, event)]
    given = next((one for one in givers if overlap(one, event)), None)
    if given is not None:
        return _as_given(event, known, client, given)
    call = opposite_call(event, client, back)
    if word == "Delete" or call is None:
        return _untold(event, client, word, back)
    left = left_open(client, back, call)
    if left:
        return Reversal(
            outcome="partial",
            why=say("the event does not tell how it was"),
            unknown=tuple(say("{name} before, if it was set", name=name) for name in left),
            nearest=say("Look in the template or the repository; then {operation}.", operation=back),
        )
    doubt = in_doubt(event, known)
    return Reversal(
        outcome="partial" if doubt else "exact", why=say("the opposite call"), calls=(call,), unknown=doubt
    )


def _untold(event: ChangeEvent, client: str, word: str, back: str) -> Reversal:
    """No event tells what was there. What is named by its names comes back under them, once somebody knows the rest."""
    required, optional = members(client, back)
    kept = {name.lower() for name in (*required, *optional)}
    if word == "Delete" and not set(named(event)) <= kept:
        return Reversal(
            outcome="cannot be undone",
            why=say("no earlier event of 90 days tells what it was"),
            lost=say("what {operation} removed", operation=event.operation),
            nearest=say("Look in the template or the repository; then {operation}.", operation=back),
        )
    return Reversal(
        outcome="partial",
        why=say("no earlier event of 90 days tells what it was"),
        unknown=missing(event, client, back),
        nearest=say("Look in the template or the repository; then {operation}.", operation=back),
    )


def _as_given(event: ChangeEvent, known: Known, client: str, given: ChangeEvent) -> Reversal:
    """The earlier giving once more; what changed it in between would be lost, so it must not be there."""
    between = [
        one
        for one in known.earlier(event)
        if (given.time, given.id) < (one.time, one.id)
        and same_subject(one, event)
        and one.operation not in (given.operation, event.operation)
        and verb(one.operation)[0] in (*GIVES, *REPLACES)
    ]
    made = _as_sent(event, client, given)
    if verb(given.operation)[0] == "Create" and not _same_name(event, given):
        return Reversal(
            outcome="cannot be undone",
            why=say("it would come back under another id"),
            lost=say("its id, by which others name it"),
            nearest=say(
                "{operation} of {time} tells how it was made.",
                operation=given.operation,
                time=stamp(given.time),
            ),
            rests_on=given,
        )
    if between and made.outcome == "exact":
        names = tuple(f"{one.operation} {stamp(one.time)}" for one in between)
        return replace(
            made, outcome="partial", unknown=names, why=say("later changes of it are not in this call")
        )
    return made


def _same_name(event: ChangeEvent, given: ChangeEvent) -> bool:
    """Whether the request that made it named it: then it comes back under the same name."""
    values = set(named(given).values())
    return all(
        value in values or any(_tail(value) == _tail(one) for one in values)
        for value in named(event).values()
    )


def _tail(value: str) -> str:
    return value.rpartition(":")[2].rpartition("/")[2]


def _not(event: ChangeEvent, why: str) -> Reversal:
    word, _ = verb(event.operation)
    gone = word in _IRREVOCABLE
    return Reversal(
        outcome="cannot be undone",
        why=why
        or (
            say("what it did is done") if gone else say("AWS has no opposite of {name}", name=event.operation)
        ),
        lost=say("what {operation} did", operation=event.operation),
        nearest=say("Look at what it left behind, and ask whoever made the call."),
    )
