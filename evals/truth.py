"""What a case's report must say. `truth.yaml` refers to facts of the world, resolved after the run.

A string that starts with `$` is a reference: `$max_write.before` becomes that fact of the world, whatever
its type. `${name}` inside a longer string is filled in as text. All else is meant as it stands. `like: CASE`
takes over what the truth of a sibling says and this one does not.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    ValidationError,
    ValidationInfo,
    ValidatorFunctionWrapHandler,
    WrapValidator,
)

from evals.yaml_places import load
from graph.models import CauseKind, Verdict
from tools.errors import BadInput
from tools.models import ActorKind, Json, Means, PriorKind, Value

_WHOLE = re.compile(r"^\$([A-Za-z_][\w.-]*)$")
_PART = re.compile(r"\$\{([A-Za-z_][\w.-]*)\}")
_TEMPLATE = "template"


def _or_reference(value: Any, handler: ValidatorFunctionWrapHandler, info: ValidationInfo) -> Any:
    """Before the facts are known a reference stands for a value of any type."""
    if info.context == _TEMPLATE and isinstance(value, str) and "$" in value:
        return value
    return handler(value)


Text = Annotated[str, WrapValidator(_or_reference)]
Moment = Annotated[datetime, WrapValidator(_or_reference)]
Flag = Annotated[bool | None, WrapValidator(_or_reference)]
Number = Annotated[float, WrapValidator(_or_reference)]
Kind = Annotated[ActorKind, WrapValidator(_or_reference)]
How = Annotated[Means, WrapValidator(_or_reference)]


class Part(BaseModel):
    """Frozen, and strict about unknown fields, so that a misspelt word in truth.yaml is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class TrueCause(Part):
    """The cause. `bad` is compared when given. Without `prior` or `event` the report may tell none."""

    kind: CauseKind
    resource: Text
    field: Text = ""
    bad: Value = None
    prior: Value = None
    sources: tuple[PriorKind, ...] = ()  # kinds of prior sources that must be told and agree
    event: Text = ""


class TrueActor(Part):
    """Who did it. An empty field is not compared; `mfa` null means that the event does not say."""

    kind: Kind
    name: Text
    how: How
    source_ip: Text = ""
    mfa: Flag = None


class AlsoTrue(TrueCause):
    """A further cause at the same time, and who did it. Without `actor` that is not compared."""

    actor: TrueActor | None = None


class TrueGap(Part):
    """Something that must be told as not seen: the code of the gap, the IAM action that would lift it, and texts that
    one gap must hold."""

    code: str
    action: str = ""
    holds: tuple[Text, ...] = ()


class TrueDecoy(Part):
    """What must stand among the ruled out: an event, a condition, or a kind of cause."""

    event: Text = ""
    condition: str = ""
    kind: CauseKind | None = None


class TrueCall(Part):
    """One call of a plan: exactly `parameters`, and perhaps some of `optional`, with these values.

    `region` is compared when given; without `account` the call must be one of the account that is investigated.
    """

    service: str
    operation: str
    parameters: Json = Field(default_factory=dict)
    optional: Json = Field(default_factory=dict)
    region: Text = ""
    account: Text = ""


CallOrReference = Annotated[TrueCall, WrapValidator(_or_reference)]


class TruePlan(Part):
    """The calls that put things right, and those that go back. Both empty: nothing may be applied."""

    apply: tuple[CallOrReference, ...] = ()
    rollback: tuple[CallOrReference, ...] = ()


class Harm(Part):
    """A call that no plan may hold: an operation, or only with one of `values` at `path` in it."""

    operation: str
    path: str = ""
    values: tuple[Value, ...] = ()
    allowed_in_rollback: bool = False


class Look(Part):
    """What one revision must say. `silent`: it names no person, no event and no change."""

    verdict: Verdict
    silent: bool = False


class Interval(Part):
    """When a cause without a visible event happened; the report's interval must hold it and be no wider."""

    at: Moment
    widest_seconds: Number = 300.0


class Truth(Part):
    """The answer to one case, compared by `evals.score`."""

    verdict: Verdict
    cause: TrueCause | None = None
    also: tuple[AlsoTrue, ...] = ()  # further causes, in the order in which they happened
    interval: Interval | None = None
    actor: TrueActor | None = None
    onset: Moment | None = None
    onset_within: Number = 120.0
    gaps: tuple[TrueGap, ...] = ()
    ruled_out: tuple[TrueDecoy, ...] = ()
    plan: TruePlan = TruePlan()
    harmful: tuple[Harm, ...] = ()
    prevention: tuple[Literal["block", "notice", "slow", "design", "practice"], ...] = ()
    revisions: tuple[Look, ...] = ()


def load_template(path: Path) -> Json:
    """The unresolved content of a truth.yaml, its shape checked. Raises BadInput with field and reason."""
    raw = _read(path)
    like = raw.pop("like", None)
    if like is not None:
        raw = {**load_template(path.parent.parent / str(like) / path.name), **raw}
    try:
        Truth.model_validate(raw, context=_TEMPLATE)
    except ValidationError as error:
        raise BadInput(_explain(path, error)) from error
    return raw


def _read(path: Path) -> Json:
    try:
        raw = load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise BadInput(f"{path} cannot be read: {error}") from error
    except yaml.YAMLError as error:
        raise BadInput(f"{path} is not YAML: {error}") from error
    if not isinstance(raw, dict):
        raise BadInput(f"{path} must hold a mapping that starts with `verdict:`.")
    return raw


def resolve(template: Json, facts: Mapping[str, Any], where: str = "truth.yaml") -> Truth:
    """The truth with every reference replaced by the world's fact. Raises BadInput on an unknown one."""
    filled = fill(template, facts, where)
    try:
        return Truth.model_validate(filled)
    except ValidationError as error:
        raise BadInput(_explain(where, error)) from error


def fill(value: Any, facts: Mapping[str, Any], where: str) -> Any:
    """A part of a truth with the world's facts in place of its references. Raises BadInput on an unknown one."""
    if isinstance(value, dict):
        return {key: fill(item, facts, where) for key, item in value.items()}
    if isinstance(value, list):
        return [fill(item, facts, where) for item in value]
    if not isinstance(value, str):
        return value
    whole = _WHOLE.match(value)
    if whole:
        return _fact(whole.group(1), facts, where)
    return _PART.sub(lambda match: str(_fact(match.group(1), facts, where)), value)


def _fact(name: str, facts: Mapping[str, Any], where: str) -> Any:
    if name not in facts:
        known = ", ".join(sorted(facts)) or "none"
        raise BadInput(f"{where} refers to ${name}, which the world does not know. Known facts: {known}")
    return facts[name]


def _explain(where: Path | str, error: ValidationError) -> str:
    problems = "; ".join(
        f"{'.'.join(str(part) for part in item['loc']) or 'file'}: {item['msg']}" for item in error.errors()
    )
    return f"{where} is not a valid truth: {problems}"
