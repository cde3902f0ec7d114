"""Opposite operations: what was made is taken away, what was taken away is given again. Pure."""

from __future__ import annotations

import re
from dataclasses import replace

from graph.undoing.after import (
    GIVES,
    OPPOSITES,
    REPLACES,
    Reversal,
    became_default,
    built_on,
    in_doubt,
    overtaken_by,
    was,
)
from graph.undoing.anatomy import named, overlap, verb
from graph.undoing.calls import left_open, missing, opposite_call
from graph.undoing.identity import same_subject
from graph.undoing.known import Known
from graph.undoing.sent import as_sent
from graph.words import say, stamp
from tools.models import ChangeEvent
from tools.parameters import members

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


def take_away(event: ChangeEvent, known: Known, client: str, word: str, noun: str, back: str) -> Reversal:
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
    if call is not None and became_default(event):
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


def give_again(event: ChangeEvent, known: Known, client: str, word: str, noun: str, back: str) -> Reversal:
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


# IAM deletes these only when they are empty: what they held was taken away before, by events of its own.
_WENT_WITH = {
    "User": (say("its password, access keys and MFA devices"), say("its policies and groups")),
    "Role": (say("its policies and instance profiles"),),
    "Group": (say("its members and policies"),),
}


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
    made = as_sent(event, client, given)
    held = _WENT_WITH.get(verb(event.operation)[1], ()) if verb(event.operation)[0] == "Delete" else ()
    if client == "iam" and held and made.outcome in ("exact", "partial"):
        made = replace(
            made,
            outcome="partial",
            unknown=(*made.unknown, *held),
            why=say("what it held is not in this call"),
        )
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


def no_way(event: ChangeEvent, why: str) -> Reversal:
    """No call undoes it; without `why`, because its kind of operation has no opposite."""
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


def _is_plain(noun: str) -> bool:
    return _PLAIN.search(noun) is not None and _HOLDS.search(noun) is None
