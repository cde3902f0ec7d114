"""The restore plan of one event is tried out on an emulated account: ground, history, event, plan, way back.

Nothing of the account is read by what the plan is about: all reads that moto knows and that can be asked with what
the events name are compared, so that a plan that touches something else fails too.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from evals.emulation import CallRefused, Emulation, NotEmulated, emulation
from evals.histories import Sample, giver
from evals.playing import Moment, Reading, Rehearsal, Stage, unsaid, with_ids
from evals.rehearsals import Ground, Lay, grounds, matched
from evals.rehearsals._ground import walked
from evals.rehearsals._plain import differences, leaves, normal, translated
from graph.undoing.anatomy import client_of, operation_of, verb
from graph.undoing.restore import Restoration
from tools.catalogue import change_of
from tools.errors import BadInput
from tools.models import Call, ChangeEvent, Json
from tools.parameters import from_cloudtrail, is_list, members, operations

_READS = ("Describe", "Get", "List")
_NEVER = re.compile(
    r"^(?:Describe(?:Instance(?:Types|TypeOfferings)|VpcEndpointServices|Images|Regions|AvailabilityZones|Spot\w+"
    r"|OrderableDBInstanceOptions|DBEngineVersions|ReservedDB\w+|Snapshots|Events|AccountLimits|Reserved\w+)"
    r"|GetAccountAuthorizationDetails|List(?:Foundation|Available)\w+|GetRandom\w*|GetParametersForImport"
    r"|GetServiceLastAccessed\w+|ListPolicies|GetLog\w+|ListServices|ListAWS\w+|GetAuthorizationToken)$"
)
_SO_ALREADY = ("Start", "Enable", "Activate")
"""Refused where it is so already: as good as done."""
_STAMP = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(?::[\d.]+)?|\b\d{10}(?:\.\d+)\b")
_MOMENTS = re.compile(
    r"(?:time|date|timestamp|created|modified|createdat|updatedat|since|on)$", re.IGNORECASE
)


class OneAccount(Stage):
    """A stage on which the change itself is played: before and after it, one account is read, so that its ids agree."""

    def tried(self, apply: Sequence[Call], rollback: Sequence[Call]) -> Rehearsal:
        try:
            with self.open() as account:
                ids = self.lay(account, "prior")
                prior = self.read(account, ids)
                ids |= self.lay(account, "bad")
                bad = self.read(account, ids)
                if not self.compared(prior, bad):
                    return unsaid("moto shows no difference between the state before and after the change")
                problems = self.forth_and_back(account, ids, prior, bad, apply, rollback)
            ignored = self.ignored("bad", apply) or self.ignored("prior", rollback)
        except NotEmulated as error:
            return unsaid(str(error))
        if ignored:
            return unsaid(f"moto does not look at {ignored}")
        return Rehearsal(status="failed" if problems else "ok", problems=tuple(problems))

    def shown(self, moment: Moment, calls: Sequence[Call] = ()) -> Reading:
        with self.open() as account:
            ids = self.lay(account, "prior")
            if moment == "bad":
                ids |= self.lay(account, "bad")
            for call in calls:
                account.call(with_ids(call, ids))
            return self.read(account, ids)


def rehearse_undo(sample: Sample, made: Restoration) -> Rehearsal:
    """Whether the plan of `made` leads from the state after the event to the one before it."""
    ground = grounds().get(sample.service)
    if ground is None:
        return unsaid(f"nothing of {sample.service} is laid out for a rehearsal")
    try:
        before = _calls((*_earlier(sample, ground), *sample.before))
        (event,) = _calls((sample.event,))
    except BadInput as error:
        return unsaid(str(error))
    for call in made.calls:
        if why := _wrong(ground, call):
            return unsaid(f"moto is wrong: {why}")
    reads = tuple(_reads(sample, made, ground))
    change = change_of(sample.event)
    back = () if change is not None and change.back is not None else made.back  # by design not where it was
    return _stage(sample, made, ground, before, event, reads).tried(made.calls, back)


def _wrong(ground: Ground, call: Call) -> str:
    names = {call.operation, *(f"{call.operation}.{name}" for name in call.parameters)}
    return next((why for name, why in ground.wrong.items() if name in names), "")


def _earlier(sample: Sample, ground: Ground) -> tuple[ChangeEvent, ...]:
    """What must have been done before an event that takes away, or switches on, when no history tells."""
    if sample.before:
        return ()
    found = giver(sample.service, sample.event)
    word, _ = verb(sample.event.operation)
    needed = found is not None and (
        verb(found.operation)[0]
        not in ("Delete", "Remove", "Detach", "Disassociate", "Revoke", "Unsubscribe")
        or word in ("Start", "Enable", "Activate")
    )
    if found is None or not needed:
        return ()
    return (replace(found, request=ground.given(sample.event, found.request)),)


def _calls(events: Sequence[ChangeEvent]) -> list[tuple[ChangeEvent, Call]]:
    made = []
    for event in events:
        client, operation = client_of(event), operation_of(event)
        if not client:
            raise BadInput(f"{event.operation} is no operation that botocore knows")
        sent = from_cloudtrail(client, operation, event.request)
        made.append((event, Call(service=client, operation=operation, parameters=sent, region=event.region)))
    return made


def _stage(
    sample: Sample,
    made: Restoration,
    ground: Ground,
    before: list[tuple[ChangeEvent, Call]],
    last: tuple[ChangeEvent, Call],
    reads: Sequence[tuple[str, str]],
) -> Stage:
    account, region = sample.event.account, sample.event.region
    spoken = repr([call.parameters for call in (*(call for _, call in (*before, last)), *made.calls)])
    asked: dict[str, Any] = {}

    def lay(emulated: Emulation, moment: Moment) -> dict[str, str]:
        """The account before the event; with "bad" the event is played on it."""
        if moment == "bad":
            return _play(emulated, (last,), dict(emulated.memory["ids"]))
        laid = Lay(emulated, sample.event, tuple(event for event, _ in before))
        ground.lay(laid)
        asked.update(laid.words)
        emulated.memory["ids"] = _play(emulated, before, laid.ids, given=True)
        return dict(emulated.memory["ids"])

    def read(emulated: Emulation, ids: Mapping[str, str]) -> Reading:
        words = _words([call for _, call in (*before, last)], last[0].response)
        return dict(
            _read(emulated, ids, reads, words, {key.lower(): one for key, one in asked.items()}, ground)
        )

    def learn(ids: dict[str, str], call: Call, answer: Json) -> None:
        """What the plan makes again may have another id than what the history made."""
        for event, same in (*before, last):
            if same.operation == call.operation and event.response:
                ids |= matched(event.response, answer)

    return OneAccount(
        open=lambda: emulation(account, region, ground.supplements),
        lay=lay,
        read=read,
        unshown=frozenset(ground.same),
        learn=learn,
        one_way=True,
        compared=_comparing(spoken),
        words=frozenset(str(one) for one in _words([call for _, call in (*before, last)]).values()),
    )


def _play(
    account: Emulation,
    events: Sequence[tuple[ChangeEvent, Call]],
    ids: dict[str, str],
    *,
    given: bool = False,
) -> dict[str, str]:
    """The events as calls; ids with those that their answers give. Raises NotEmulated where one is refused."""
    for event, call in events:
        try:
            answer = account.call(with_ids(call, ids))
        except CallRefused as error:
            if given and verb(event.operation)[0] in _SO_ALREADY:
                continue
            raise NotEmulated(f"the history cannot be played: {error}") from error
        ids |= {
            own: given
            for own, given in matched(event.response, answer).items()
            if translated(own, ids) != given and own.startswith("arn:") == given.startswith("arn:")
        }
    return ids


_TOKEN = re.compile(r"[A-Za-z0-9]+(?:-[A-Za-z0-9]+)*")
_RUN = re.compile(r"(?=[A-Za-z]*\d)[A-Za-z0-9]{8,}|[a-z0-9]{20}|[A-Z]{16,}")


def _comparing(spoken: str) -> Callable[[Reading, Reading], list[str]]:
    """Tells in what two readings differ. An id that only one of them holds, and that nobody said, is AWS's own one of
    what was made again.
    """

    def differing(wanted: Reading, got: Reading) -> list[str]:
        first, second = (_ids(one) for one in (wanted, got))
        made = {one for one in first ^ second if one not in spoken}
        return differences(*(normal(_masked(one, made)) for one in (wanted, got)))

    return differing


def _ids(reading: Reading) -> set[str]:
    """What looks like an id, or is called one."""
    called = {one for key, one in walked(reading) if key.endswith("Id") and isinstance(one, str)}
    return {one for one in _TOKEN.findall(repr(reading)) if _RUN.search(one)} | called


def _masked(value: Any, ids: set[str]) -> Any:
    if isinstance(value, dict):
        return {_masked(key, ids): _masked(one, ids) for key, one in value.items()}
    if isinstance(value, list):
        return [_masked(one, ids) for one in value]
    if isinstance(value, str):
        return _TOKEN.sub(lambda found: "(new id)" if found[0] in ids else found[0], value)
    return value


def _reads(sample: Sample, made: Restoration, ground: Ground) -> Iterator[tuple[str, str]]:
    """Client and operation of all reads of the services that are touched."""
    clients = dict.fromkeys((client_of(sample.event), *(call.service for call in made.calls)))
    for client in clients:
        for name in operations(client) if client else ():
            if name.startswith(_READS) and not _NEVER.match(name) and name not in ground.untold:
                yield client, name


def _words(calls: Sequence[Call], answer: Json | None = None) -> dict[str, Any]:
    """What the calls name, by lower-case member; then what an answer names: the id of what was made."""
    found: dict[str, Any] = {}
    for call in calls:
        for path, value in leaves(call.parameters):
            name = next((part for part in reversed(path) if isinstance(part, str)), "")
            if isinstance(value, str) and value:
                found.setdefault(name.lower(), value)
    for key, value in walked(answer or {}):
        if key.endswith("Id") and isinstance(value, str) and value:
            found.setdefault(key.lower(), value)
    return found


def _read(
    account: Emulation,
    ids: Mapping[str, str],
    reads: Sequence[tuple[str, str]],
    words: Mapping[str, Any],
    always: Mapping[str, Any],
    ground: Ground,
) -> Iterator[tuple[str, Any]]:
    silent = account.memory.setdefault("silent", set())
    for client, operation in reads:
        more = {**_taken(client, operation, always), **ground.asks.get(operation, {})}
        told = {**words, **always}
        call = None if (client, operation) in silent else _asked(client, operation, told, account.region)
        if call is None:
            continue
        call = replace(call, parameters={**call.parameters, **more})
        try:
            answer: Any = _answer(account, with_ids(call, ids), with_ids(_named(call, told), ids))
        except NotEmulated:
            silent.add((client, operation))
            continue
        except CallRefused as error:
            answer = str(error).rpartition(" is refused: ")[2].partition(":")[0]
        yield f"{client}:{operation}", _timeless(normal(answer), ground.same)


def _taken(client: str, operation: str, always: Mapping[str, Any]) -> dict[str, Any]:
    required, optional = members(client, operation)
    return {name: always[name.lower()] for name in (*required, *optional) if name.lower() in always}


def _answer(account: Emulation, call: Call, named: Call) -> Any:
    """The answer; where a name is needed that botocore does not ask for, with the names."""
    try:
        return account.call(call)
    except CallRefused:
        if named == call:
            raise
        return account.call(named)


def _named(call: Call, words: Mapping[str, Any]) -> Call:
    _, optional = members(call.service, call.operation)
    told = {
        name: words[name.lower()]
        for name in optional
        if name.endswith(("Name", "Arn", "ARN", "Id", "Identifier"))
        and isinstance(words.get(name.lower()), str)
        and not is_list(call.service, call.operation, name)
    }
    return replace(call, parameters={**told, **call.parameters})


def _asked(client: str, operation: str, words: Mapping[str, Any], region: str) -> Call | None:
    """The read with what the events name; None when something it needs is not named."""
    required, _ = members(client, operation)
    sent: dict[str, Any] = {}
    for name in required:
        listed = is_list(client, operation, name)
        value = words.get(name.lower())
        if value is None and listed:
            value = words.get(name.lower().removesuffix("s"))
        if value is None:
            return None
        sent[name] = [value] if listed and not isinstance(value, list) else value
    return Call(service=client, operation=operation, parameters=sent, region=region)


def _timeless(value: Any, same: Sequence[str]) -> Any:
    """Without moments, tokens that change with every write, and what the ground says may differ."""
    if isinstance(value, dict):
        return {
            key: _timeless(one, same)
            for key, one in value.items()
            if key not in same
            and not _is_moment(str(key), one)
            and not str(key).lower().endswith(("etag", "token"))
        }
    if isinstance(value, list):
        return [_timeless(one, same) for one in value]
    return _STAMP.sub("(moment)", value) if isinstance(value, str) else value


def _is_moment(key: str, value: Any) -> bool:
    return (
        isinstance(value, int | float)
        and not isinstance(value, bool)
        and value > 1e9
        and bool(_MOMENTS.search(key))
    )
