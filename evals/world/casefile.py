"""The form of case.yaml: what there is and what happened, never what the answer is."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from evals.world.draws import Draw
from evals.world.switches import Switches
from evals.yaml_places import load
from tools.errors import BadInput

INCIDENTS = Path(__file__).resolve().parent.parent / "incidents"


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class ResourceSpec(_Strict):
    """A resource of the system that the case is about."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)

    kind: str  # one of `evals.world.kinds`
    name: str
    settings: dict[str, Any] = Field(default_factory=dict)  # by dotted path, as AWS's own describe answers it
    tags: dict[str, Any] = Field(default_factory=dict)
    options: dict[str, Any] = Field(default_factory=dict, alias="with")  # what else this kind understands
    route: str = ""  # of an API: "POST /orders"; short for with.route
    calls: str | tuple[str, ...] | dict[str, dict[str, Any]] = ()
    """Ids of the resources that each request is handed on to, in order; a map says what it does there."""
    age_days: Any = 75
    account: str = ""  # id of another account, whose it is
    region: Any = None  # another region, where it is

    def called(self) -> dict[str, dict[str, Any]]:
        """What it calls, in order: id -> what one request does there."""
        if isinstance(self.calls, str):
            return {self.calls: {}} if self.calls else {}
        return dict(self.calls) if isinstance(self.calls, dict) else {one: {} for one in self.calls}


class PulseSpec(_Strict):
    """More traffic for a while: minutes from the case's moment."""

    start: Any
    minutes: Any
    factor: Any
    ramp_seconds: Any = 60


class HotKeySpec(_Strict):
    """One tenant's share of all requests, before and from `start` (minutes from the case's moment) on."""

    name: str
    before: float
    share: Any
    start: Any
    ramp_seconds: Any = 90


class TrafficSpec(_Strict):
    """Requests per second at the case's moment, and what each of them does."""

    per_second: Any
    enters: str = ""  # id of the resource that they meet first; by default the first one that nobody calls
    background: Any = 0  # of 10,000 requests, those that fail in the code for reasons of their own
    amplitude: float = 0.3  # of the daily rhythm
    write_units: Any = 1
    read_units: float = 0.5
    attempts: Any = 3
    duration_ms: Any = 35
    retry_ms: Any = 60
    pulses: tuple[PulseSpec, ...] = ()
    hot_key: HotKeySpec | None = None


class AlarmSpec(_Strict):
    """A CloudWatch alarm on a metric of one resource."""

    name: str
    on: str
    namespace: str
    metric: str
    dimensions: Any  # name -> value; {name}, {id} and {stage} are the watched resource's
    stat: str
    period: int = 60
    threshold: Any
    datapoints: Any = 3
    periods: Any = 5
    comparison: str = "GreaterThanThreshold"
    missing: Literal["missing", "ignore", "breaching", "notBreaching"] = "missing"
    initial: Any = "OK"
    description: str = ""
    tags: dict[str, str] = Field(default_factory=dict)
    age_days: Any = 60


WAYS = ("user-console", "user-cli", "sso-console", "sso-cli", "ci", "terraform")
"""How people of a case act."""


class PersonSpec(_Strict):
    """Somebody who acts, and in which way."""

    way: Any  # one of WAYS
    name: str
    address: str = "203.0.113.24"
    role: str = ""
    mfa: bool = True
    agent: str = ""  # at the end of the user agent
    account: str = ""  # id of another account, in which they act
    home: str = ""  # id of another account, in which they sign in and from which they take `role`


class EventSpec(_Strict):
    """Somebody did something at a moment: "-39d", "0s", "+20s", "onset+15s"."""

    id: str
    at: str
    who: str = ""  # nobody: it happened by nature, and no trail tells of it
    create: str = ""  # id of a resource or alarm
    set: str = ""  # id of a resource or alarm
    path: str = ""
    to: Any = None  # null removes
    tag: dict[str, str] = Field(default_factory=dict)  # with `set`: tags to add
    also: dict[str, Any] = Field(default_factory=dict)  # further settings that change at the same moment
    call: str = ""  # the operation, where several can do it
    denied: bool = False
    known_as: str = ""  # name of the setting in the facts: "max_write"
    delivery_minutes: Any = None


class AccountSpec(_Strict):
    """Another account of the same organization."""

    known: bool = True
    deny: tuple[str, ...] = ()
    shares_network: bool = False


class LookSpec(_Strict):
    """When the investigation begins: minutes after the case's moment or after the first refused request."""

    after: Literal["moment", "onset", "alarm"]
    minutes: Any


class CaseFile(_Strict):
    """case.yaml."""

    title: str
    like: str = ""
    draws: dict[str, Draw] = Field(default_factory=dict)
    people: dict[str, PersonSpec] = Field(default_factory=dict)
    resources: dict[str, ResourceSpec] = Field(default_factory=dict)
    traffic: TrafficSpec
    flows: dict[str, TrafficSpec] = Field(default_factory=dict)  # further paths of requests
    alarms: dict[str, AlarmSpec] = Field(default_factory=dict)
    events: tuple[EventSpec, ...] = ()
    look: LookSpec
    trigger: str = "alarm"
    region: Any = None  # where it happens; drawn by the seed when not given
    accounts: dict[str, AccountSpec] = Field(default_factory=dict)  # further ones
    shift_hours: float = 0  # moves the moment
    switches: Switches = Switches()


def find(case: str | Path) -> Path:
    """The case.yaml of a case name or folder. Raises BadInput."""
    place = Path(case)
    for candidate in (place, place / "case.yaml", INCIDENTS / str(case) / "case.yaml"):
        if candidate.is_file():
            return candidate
    known = ", ".join(sorted(one.parent.name for one in INCIDENTS.glob("*/case.yaml"))) or "none"
    raise BadInput(f'There is no case "{case}". Known cases: {known}.')


def read(case: str | Path) -> CaseFile:
    """A case, merged with the case it is like, and validated. Raises BadInput with what is wrong."""
    path = find(case)
    try:
        return CaseFile.model_validate(_merged(path, ()))
    except ValidationError as error:
        raise BadInput(f"{path} is no valid case: {error}") from error


def _merged(path: Path, seen: tuple[Path, ...]) -> dict[str, Any]:
    if path in seen:
        raise BadInput(f"{path} is like itself.")
    try:
        raw = load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise BadInput(f"{path} cannot be read: {error}") from error
    if not isinstance(raw, dict):
        raise BadInput(f"{path} is no valid case: it must be a map.")
    if not raw.get("like"):
        return raw
    sibling = path.parent.parent / str(raw["like"]) / "case.yaml"
    base = _merged(sibling if sibling.is_file() else find(str(raw["like"])), (*seen, path))
    merged = merge(base, raw)
    assert isinstance(merged, dict)
    return merged


def merge(base: Any, over: Any) -> Any:
    """`over` on top of `base`: maps are merged, draws and everything else replaced; null removes."""
    if not isinstance(base, dict) or not isinstance(over, dict) or {"choose", "between"} & set(over):
        return over
    merged = dict(base)
    for key, value in over.items():
        if value is None:
            merged.pop(key, None)
        else:
            merged[key] = merge(base[key], value) if key in base else value
    return merged
