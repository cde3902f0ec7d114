"""CloudFormation behind other services' changes: which stack operation made one, and what a template declares.

An event that CloudFormation made names its caller's role and `cloudformation.amazonaws.com`; the person or pipeline
stands on the stack's own event before it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import yaml

from tools.evidence import canonical
from tools.kit import text
from tools.models import ChangeEvent, Json, Resource, Value

if TYPE_CHECKING:
    from tools.aws import Reader

__all__ = [
    "LONGEST",
    "Declared",
    "declared",
    "literal",
    "made_by_stack",
    "operation_behind",
    "run_by",
    "stack_name",
]

_SOURCE = "cloudformation.amazonaws.com"
_RUNS = (
    "CreateStack",
    "UpdateStack",
    "DeleteStack",
    "ExecuteChangeSet",
    "RollbackStack",
    "CancelUpdateStack",
    "ContinueUpdateRollback",
)
_STACK_ID = re.compile(r"arn:[\w-]+:cloudformation:[\w-]+:\d{12}:stack/([A-Za-z][\w-]*)/")
_NAME_TAG = "aws:cloudformation:stack-name"


def made_by_stack(event: ChangeEvent) -> bool:
    """Whether CloudFormation made the call for somebody."""
    return event.source != _SOURCE and (
        event.actor.how == "cloudformation" or event.actor.invoked_by == _SOURCE
    )


def operation_behind(event: ChangeEvent, events: Iterable[ChangeEvent]) -> ChangeEvent | None:
    """The stack operation that made `event`: at most 12 hours before it, in its account and region.

    The stack that the event names by tags, or that its resource is named after, counts first, then the same caller or
    the role given to the stack; of equals the latest. None when nothing but the time speaks for one of several stacks.
    """
    if not made_by_stack(event):
        return None
    near = [
        one
        for one in events
        if one.source == _SOURCE
        and one.operation in _RUNS
        and not one.error_code
        and (one.account, one.region) == (event.account, event.region)
        and timedelta(0) <= event.time - one.time <= LONGEST
    ]
    if not near:
        return None
    told = {one.id: (_speaks(event, one), one.time, one.id) for one in near}
    best = max(near, key=lambda one: told[one.id])
    alone = len({stack_name(one) for one in near}) == 1
    return best if told[best.id][0] > 0 or alone else None


def run_by(event: ChangeEvent, operation: ChangeEvent) -> ChangeEvent:
    """The event with whoever ran the stack operation as its actor; CloudFormation stays the means."""
    actor = replace(
        operation.actor,
        kind="cloudformation",
        how="cloudformation",
        invoked_by=event.actor.invoked_by or _SOURCE,
    )
    evidence = tuple(dict.fromkeys((*event.evidence, *operation.evidence)))
    return replace(event, actor=actor, evidence=evidence)


LONGEST = timedelta(hours=12)
"""No stack operation makes calls for longer."""


def stack_name(operation: ChangeEvent) -> str:
    """The stack's name."""
    for place in (text(operation.request, "stackName"), text(operation.response, "stackId")):
        if place:
            found = _STACK_ID.match(place)
            return found.group(1) if found else place
    return ""


def _speaks(event: ChangeEvent, operation: ChangeEvent) -> int:
    points = 0
    stack = stack_name(operation)
    if stack and stack in _tagged(event.request):
        points += 4
    elif stack and any(word.startswith(f"{stack}-") for word in _words(event.request)):
        points += 2  # names that CloudFormation makes begin with the stack's
    same_caller = event.actor.arn and event.actor.arn == operation.actor.arn
    given = text(operation.request, "roleARN")
    if same_caller or (given and given == event.actor.role_arn):
        points += 1
    return points


def _tagged(value: Any) -> Iterator[str]:
    """Names of stacks in a request's own tags: pairs of key and value, or a map."""
    if isinstance(value, Mapping):
        if _NAME_TAG in value:
            yield str(value[_NAME_TAG])
        if _NAME_TAG in value.values():
            yield from (one for one in value.values() if isinstance(one, str) and one != _NAME_TAG)
        for inner in value.values():
            yield from _tagged(inner)
    elif isinstance(value, list | tuple):
        for inner in value:
            yield from _tagged(inner)
    elif isinstance(value, str) and (found := _STACK_ID.match(value)):
        yield found.group(1)


def _words(value: Any) -> Iterator[str]:
    """Every text in a request."""
    if isinstance(value, Mapping):
        for inner in value.values():
            yield from _words(inner)
    elif isinstance(value, list | tuple):
        for inner in value:
            yield from _words(inner)
    elif isinstance(value, str):
        yield value


# -- templates --------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Declared:
    """What a stack's processed template declares for one resource, with its evidence."""

    stack: str  # ARN
    logical_id: str
    type: str  # AWS::Lambda::Function
    properties: Json
    evidence: tuple[str, ...]


def declared(reader: Reader, stack: Resource, physical_id: str) -> Declared | None:
    """The template's words on the resource with that physical id; None, perhaps with a gap, when there are none.

    `stack` is described whole. The template is the newest one: after an update it holds what the update declared.
    """
    for item in stack.config.get("Resources") or []:
        if text(item, "PhysicalResourceId") == physical_id:
            break
    else:
        return None
    logical = text(item, "LogicalResourceId")
    found: Declared | None = None
    with reader.seeing(f"Template of the stack {stack.name}", "the values that the template declares"):
        answer = reader.ask(
            "cloudformation",
            "GetTemplate",
            region=stack.region,
            StackName=stack.arn,
            TemplateStage="Processed",
        )
        template = _template(answer.data.get("TemplateBody"))
        if template is None:
            reader.missing(
                f"Template of the stack {stack.name}",
                "its text is neither JSON nor YAML",
                "the values that the template declares",
                code="Unreadable",
            )
        else:
            one = _at(_at(template, "Resources"), logical)
            if isinstance(one.get("Properties"), dict):
                found = Declared(
                    stack=stack.arn,
                    logical_id=logical,
                    type=str(one.get("Type", "")),
                    properties=_resolved(one["Properties"], stack, template),
                    evidence=(answer.evidence,),
                )
    return found


def literal(found: Declared, path: str) -> tuple[bool, Value]:
    """Whether the template declares a plain value at a dotted path of `Setting.path`, and the value.

    Most properties are called as in the API. False where the template computes the value or leaves it out.
    """
    place: Any = found.properties
    for part in path.split("."):
        place = place.get(part) if isinstance(place, Mapping) else None
    plain = isinstance(place, str | int | float | bool)
    return plain, place if plain else None


def _at(value: Json, key: str) -> Json:
    inner = value.get(key)
    return inner if isinstance(inner, dict) else {}


class _Loader(yaml.SafeLoader):
    """YAML with CloudFormation's short functions: !Ref X is {"Ref": "X"}, !GetAtt X is {"Fn::GetAtt": "X"}."""


def _function(loader: yaml.SafeLoader, suffix: str, node: yaml.Node) -> Json:
    value: Any
    if isinstance(node, yaml.ScalarNode):
        value = loader.construct_scalar(node)
    elif isinstance(node, yaml.SequenceNode):
        value = loader.construct_sequence(node, deep=True)
    else:
        assert isinstance(node, yaml.MappingNode)
        value = loader.construct_mapping(node, deep=True)
    return {suffix if suffix in ("Ref", "Condition") else f"Fn::{suffix}": value}


_Loader.add_multi_constructor("!", _function)


def _template(body: Any) -> Json | None:
    """A template as botocore gives it: an object, or the text of one."""
    if isinstance(body, Mapping):
        return json.loads(canonical(body))  # type: ignore[no-any-return]
    try:
        loaded = yaml.load(str(body), Loader=_Loader)
    except (yaml.YAMLError, ValueError):  # the latter for what looks like a date and is none
        return None
    return loaded if isinstance(loaded, dict) else None


def _resolved(value: Any, stack: Resource, template: Json) -> Any:
    """References to parameters as the values that the stack was given, where those are shown."""
    given = {
        text(one, "ParameterKey"): one["ParameterValue"]
        for one in stack.config.get("Parameters") or []
        if "ParameterValue" in one
    }
    numbers = {
        name
        for name, one in _at(template, "Parameters").items()
        if isinstance(one, Mapping) and one.get("Type") == "Number"
    }

    def inner(place: Any) -> Any:
        if isinstance(place, Mapping):
            name = place.get("Ref") if len(place) == 1 else None
            if isinstance(name, str) and name in given:
                return _number(str(given[name])) if name in numbers else given[name]
            return {key: inner(one) for key, one in place.items()}
        return [inner(one) for one in place] if isinstance(place, list) else place

    return inner(value)


def _number(written: str) -> Value:
    try:
        return int(written) if re.fullmatch(r"-?\d+", written) else float(written)
    except ValueError:
        return written
