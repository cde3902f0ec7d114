"""What an event needs to be there before it: laid in an empty account from what the event itself names.

A ground makes the least that AWS asks for. The event and its history are played after it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from evals.emulation import CallRefused, Emulation, NotEmulated, Supplement
from tools.models import Call, ChangeEvent, Json
from tools.walk import texts


@dataclass(slots=True)
class Lay:
    """An account in the making. `ids`: the record's own ids, ARNs and URLs -> the emulation's."""

    account: Emulation
    event: ChangeEvent
    before: tuple[ChangeEvent, ...] = ()  # what is played on the ground before the event
    ids: dict[str, str] = field(default_factory=dict)
    words: Json = field(default_factory=dict)  # what every read that takes it is asked with

    @property
    def region(self) -> str:
        return self.event.region

    def told(self, *names: str, default: Any = None) -> Any:
        """The first value of one of these names anywhere in the request, else in the answer, else in the history."""
        earlier = (part for one in self.before for part in (one.request, one.response))
        for place in (self.event.request, self.event.response, *earlier):
            for name in names:
                for key, value in walked(place):
                    if key.lower() == name.lower() and value not in (None, ""):
                        return value
        return default

    def answered(self, *names: str, default: Any = None) -> Any:
        """The same, the answer first: it shows a thing as it was before what is still to come."""
        for name in names:
            for key, value in walked(self.event.response):
                if key.lower() == name.lower() and value not in (None, ""):
                    return value
        return default

    def texts(self) -> Iterator[str]:
        """Every text that the event and its history hold."""
        for event in (self.event, *self.before):
            for place in (event.request, event.response):
                yield from texts(place)

    def do(self, service: str, operation: str, **parameters: Any) -> Json:
        """One call; its answer. Raises NotEmulated, also when it is refused."""
        sent = {key: value for key, value in parameters.items() if value is not None}
        call = Call(service=service, operation=operation, parameters=sent, region=self.region)
        try:
            return self.account.call(call)
        except CallRefused as error:
            raise NotEmulated(f"the ground cannot be laid: {error}") from error

    def perhaps(self, service: str, operation: str, **parameters: Any) -> Json | None:
        """One call, where it may be there already."""
        try:
            return self.do(service, operation, **parameters)
        except NotEmulated:
            return None

    def known(self, own: Any, given: Any) -> None:
        """What the record calls `own` is `given` here."""
        if own and given and str(own) != str(given):
            self.ids[str(own)] = str(given)

    def role(self, arn: str = "") -> str:
        """The ARN of a role, made if need be."""
        name = (arn or "role/rehearsal").rsplit("/", 1)[-1]
        self.perhaps("iam", "CreateRole", RoleName=name, AssumeRolePolicyDocument=_TRUST)
        return str(self.do("iam", "GetRole", RoleName=name)["Role"]["Arn"])


_TRUST = (
    '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":["lambda.amazonaws.com",'
    '"states.amazonaws.com","ec2.amazonaws.com","eks.amazonaws.com","firehose.amazonaws.com"]},'
    '"Action":"sts:AssumeRole"}]}'
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Ground:
    """How the account looks before events of one service file. `untold`: reads that show no setting, or cost much."""

    service: str  # name of the service file
    lay: Callable[[Lay], None]
    untold: tuple[str, ...] = ()
    given: Callable[[ChangeEvent, Json], Json] = lambda event, request: (
        request
    )  # what had been given, by its answer
    wrong: Mapping[str, str] = field(
        default_factory=dict
    )  # where moto is known to be wrong: operation[.member] -> how
    asks: Mapping[str, Json] = field(default_factory=dict)  # what a read must be asked for to show all
    supplements: Mapping[tuple[str, str], Supplement] = field(default_factory=dict)  # where moto is put right
    same: tuple[str, ...] = ()  # members in which two equal accounts may differ


def walked(value: Any) -> Iterator[tuple[str, Any]]:
    """Every member at any depth, the outer ones first."""
    if isinstance(value, Mapping):
        for key, inner in value.items():
            yield str(key), inner
        for inner in value.values():
            yield from walked(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from walked(inner)


def matched(recorded: Any, given: Any) -> dict[str, str]:
    """What an answer calls its things by the record's names: texts that stand at the same place in both."""
    found: dict[str, str] = {}
    if isinstance(recorded, Mapping) and isinstance(given, Mapping):
        here = {str(key).lower(): value for key, value in given.items()}
        for key, value in recorded.items():
            if str(key).lower() in here:
                found |= _one(str(key).lower(), value, here[str(key).lower()])
        if not found and len(recorded) == 1:
            return matched(next(iter(recorded.values())), given)  # "CreateSecurityGroupResponse"
    elif isinstance(recorded, list) and isinstance(given, list):
        for one, other in zip(recorded, given, strict=False):
            found |= matched(one, other)
    return found


def _one(key: str, recorded: Any, given: Any) -> dict[str, str]:
    if isinstance(recorded, Mapping) and isinstance(recorded.get("items"), list) and isinstance(given, list):
        recorded = recorded["items"]
    if isinstance(recorded, str) and isinstance(given, str):
        named = key.endswith(("id", "arn", "url", "token"))
        while "/" in recorded and recorded.partition("/")[0] == given.partition("/")[0]:
            recorded, given = recorded.partition("/")[2], given.partition("/")[2]  # /hostedzone/Z1
        return {recorded: given} if named and recorded != given and len(recorded) > 3 else {}
    return matched(recorded, given)
