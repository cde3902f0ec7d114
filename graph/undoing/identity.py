"""Whether two requests name the very same thing: by full names, and by what one of them leaves out. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

from graph.undoing.anatomy import clients_of_source, makes, named, verb
from tools.errors import BadInput
from tools.models import ChangeEvent
from tools.parameters import members, operations

Names = Mapping[str, str]

_ARN = re.compile(r"arn:[\w-]+:([\w-]*):[\w-]*:[\w-]*:(.+)", re.DOTALL)
_OWN_ID = r"(?:[\w-]+:[0-9a-f]{8}-[0-9a-f-]{27}:)?"  # Auto Scaling: `autoScalingGroup:<uuid>:autoScalingGroupName/x`
_SECRET_END = r"(?:-[A-Za-z0-9]{6})?"


def last_word(name: str) -> str:
    """What an ARN, an address and a name of the same thing have in common. Other things have it in common as well."""
    return _plain(name).rpartition(":")[2].rpartition("/")[2]


def same_name(one: str, other: str) -> bool:
    """Whether two names are one: equal, or the ARN or address of a thing and its own whole name."""
    first, second = _plain(one), _plain(other)
    if first == second:
        return True
    if is_long(first) == is_long(second):
        return False
    long, short = (first, second) if is_long(first) else (second, first)
    found = _ARN.fullmatch(long)
    if found is None:
        return "/" not in short and long.endswith("/" + short)
    service, resource = found.groups()
    between = r"(?:[\w-]+/)?" if service == "ecs" else ""  # service/<cluster>/<name>
    end = _SECRET_END if service == "secretsmanager" else ""
    slash = "" if short.startswith("/") else "[:/]"
    return resource == short or bool(
        re.fullmatch(rf"{_OWN_ID}[\w-]+(?:{slash}|:){between}{re.escape(short)}{end}", resource)
    )


def may_be_same_name(one: str, other: str) -> bool:
    """Whether two names may mean one thing: letter case apart, or a name at the end of a longer one."""
    if same_name(one, other) or one.casefold() == other.casefold():
        return True
    if is_long(one) == is_long(other):
        return False
    return last_word(one).casefold() == last_word(other).casefold()


def _plain(name: str) -> str:
    return name[:-2] if name.startswith("arn:") and name.endswith(":*") else name


def is_long(name: str) -> bool:
    """Whether a name is an ARN or an address."""
    return name.startswith("arn:") or "://" in name


def agree(one: ChangeEvent, first: Names, other: ChangeEvent, second: Names) -> bool:
    """Whether all names that both give are equal, one at least, and neither leaves out what sets the other apart."""
    shared = first.keys() & second.keys()
    if not shared or not all(same_name(first[key], second[key]) for key in shared):
        return False
    return not _set_apart(one, first, other, second) and not _made_apart(one, other)


def same_subject(one: ChangeEvent, other: ChangeEvent) -> bool:
    """Whether two events name the same thing for sure: see `agree`."""
    return _place(one) == _place(other) and agree(one, named(one), other, named(other))


def _place(event: ChangeEvent) -> tuple[str, str, str]:
    return event.source, event.account, event.region


def _made_apart(one: ChangeEvent, other: ChangeEvent) -> bool:
    """Whether two events made two things, each under its own id: two route tables of a network."""
    if one.operation != other.operation or one.id == other.id or not makes(one):
        return False
    first, second = own_ids(one), own_ids(other)
    return bool(first and second) and not first & second


def own_ids(event: ChangeEvent) -> frozenset[str]:
    """Ids and ARNs that the answer gives to what the event made."""
    _, noun = verb(event.operation)
    wanted = {f"{noun}{end}".lower() for end in ("id", "arn")}
    return frozenset(_texts(event.response, wanted))


def _texts(value: Any, wanted: set[str]) -> Iterator[str]:
    if isinstance(value, dict):
        for key, inner in value.items():
            if isinstance(inner, str) and key.lower() in wanted:
                yield inner
            else:
                yield from _texts(inner, wanted)
    elif isinstance(value, list):
        for inner in value:
            yield from _texts(inner, wanted)


def may_agree(one: ChangeEvent, other: ChangeEvent) -> bool:
    """Whether two events may be about the same thing: nothing by which it is told apart differs for sure. Two that
    made something made two things.
    """
    if makes(one) and makes(other):
        return False
    first, second = named(one), named(other)
    shared = first.keys() & second.keys()
    if not shared:
        return any(may_be_same_name(mine, its) for mine in first.values() for its in second.values())
    apart = {key for key in shared if not may_be_same_name(first[key], second[key])}
    if apart & (tells_apart(one.source, one.operation) | tells_apart(other.source, other.operation)):
        return False
    return len(apart) < len(shared) and not _set_apart(one, first, other, second)


def _set_apart(one: ChangeEvent, first: Names, other: ChangeEvent, second: Names) -> bool:
    return any(
        _left_out(giver, key, names[key], silent)
        for giver, names, silent, others in ((one, first, other, second), (other, second, one, first))
        for key in names.keys() - others.keys()
    )


# What AWS takes where a request leaves it out, by lower-case field. "" stands for the account's own number.
_ELSE: Mapping[str, str] = {
    "cluster": "default",
    "eventbusname": "default",
    "qualifier": "$LATEST",
    "registryid": "",
    "catalogid": "",
    "accountid": "",
}


def _left_out(giver: ChangeEvent, key: str, value: str, silent: ChangeEvent) -> bool:
    """Whether a name that only one request gives makes the two requests be about different things."""
    if key in _ELSE:
        if same_name(value, _ELSE[key] or giver.account):
            return False
    elif key not in tells_apart(giver.source, giver.operation):
        return False
    return key in _fields(silent.source, silent.operation)  # it could have said so


_SAME_NOUN = (
    "Get", "Describe", "Delete", "Remove", "Revoke", "Detach", "Disassociate", "Deregister", "Terminate",
)  # fmt: skip


_NO_NAMES = frozenset({"dryrun", "filters", "maxresults", "maxrecords", "maxitems", "nexttoken", "marker"})


@cache
def tells_apart(source: str, operation: str) -> frozenset[str]:
    """Fields of an operation, in lower case, that say which thing is meant: those by which it is also read or removed,
    else those that it cannot do without.
    """
    client = _client(source, operation)
    if not client:
        return frozenset()
    return _read_by(client, operation) or frozenset(name.lower() for name in members(client, operation)[0])


def which(event: ChangeEvent) -> tuple[dict[str, str], tuple[str, ...]]:
    """Names that say which thing is meant, as the request orders them, and the values of the others."""
    keys = tells_apart(event.source, event.operation)
    own = named(event)
    meant = {key: value for key, value in own.items() if key in keys}
    return meant, tuple(value for key, value in own.items() if key not in keys)


def _read_by(client: str, operation: str) -> frozenset[str]:
    _, noun = verb(operation)
    kin = {word + noun + end for word in _SAME_NOUN for end in ("", "s")} & set(operations(client))
    shared = frozenset().union(*(_members(client, one) for one in kin)) & _members(client, operation)
    return shared - _NO_NAMES


@cache
def _surely(source: str, operation: str) -> frozenset[str]:
    """As `tells_apart`; where nothing is read or removed by these fields, the first required one alone: others may be
    what the operation sets.
    """
    client = _client(source, operation)
    if not client:
        return frozenset()
    first = [name.lower() for name in members(client, operation)[0][:1]]
    return _read_by(client, operation) or frozenset(first)


def apart(one: ChangeEvent, other: ChangeEvent) -> bool:
    """Whether two events of one kind are about different things for sure."""
    first, second = named(one), named(other)
    keys = _surely(one.source, one.operation) & _surely(other.source, other.operation)
    differ = (not may_be_same_name(first[key], second[key]) for key in keys & first.keys() & second.keys())
    return any(differ) or _set_apart(one, first, other, second)


@cache
def _fields(source: str, operation: str) -> frozenset[str]:
    client = _client(source, operation)
    return _members(client, operation) if client else frozenset()


def _members(client: str, operation: str) -> frozenset[str]:
    required, optional = members(client, operation)
    return frozenset(name.lower() for name in (*required, *optional))


@cache
def _client(source: str, operation: str) -> str:
    for client in clients_of_source(source):
        try:
            if operation in operations(client):
                return client
        except BadInput:
            continue
    return ""
