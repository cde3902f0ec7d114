"""Changes that CloudFormation made for one stack operation, as one line. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from graph.words import say
from tools.models import ChangeEvent
from tools.stacks import made_by_stack, operation_behind, stack_name

if TYPE_CHECKING:
    from graph.change_fields import Field
    from graph.changes import Line, Status

_SOURCE = "cloudformation.amazonaws.com"


def operations(events: Iterable[ChangeEvent], more: Iterable[ChangeEvent] = ()) -> dict[str, ChangeEvent]:
    """By the id of each event that CloudFormation made: the stack operation behind it, from `events` and `more`."""
    every = {one.id: one for one in (*events, *more)}
    runs = [one for one in every.values() if one.source == _SOURCE]
    children = [one for one in every.values() if made_by_stack(one)] if runs else []
    found = {one.id: operation_behind(one, runs) for one in children}
    return {id: operation for id, operation in found.items() if operation is not None}


def by_operation(lines: Sequence[Line], behind: Mapping[str, ChangeEvent]) -> tuple[list[Line], list[Line]]:
    """One line for each stack operation with its calls, and the lines that belong to none.

    Attempts that were refused stay lines of their own.
    """
    groups: dict[str, list[Line]] = {}
    own: dict[str, Line] = {line.events[0]: line for line in lines}
    for line in lines:
        if line.events[0] in behind and line.status not in ("denied", "failed"):
            groups.setdefault(behind[line.events[0]].id, []).append(line)
    made = [_one(behind[group[0].events[0]], group, own.get(id)) for id, group in groups.items()]
    inside = {id for line in made for id in line.events}
    return made, [line for line in lines if line.events[0] not in inside]


def _one(operation: ChangeEvent, children: Sequence[Line], own: Line | None) -> Line:
    """The riskiest call leads: its id is the one to undo. The operation's own event is among the events."""
    ordered = sorted(children, key=lambda line: (-line.risk.score, -line.time.timestamp(), line.events[0]))
    worst = ordered[0]
    members = (*ordered, *((own,) if own is not None else ()))
    statuses = {line.status for line in members}
    standing: tuple[Status, ...] = ("in force", "changed again")
    return replace(
        worst,
        events=tuple(id for line in members for id in line.events),
        time=max(line.time for line in members),
        resources=tuple(dict.fromkeys(arn for line in members for arn in line.resources)),
        name=say(
            "stack {stack}, {operation} with {count} calls",
            stack=stack_name(operation), operation=operation.operation, count=sum(one.count for one in ordered),
        ),
        operation=operation.operation,
        fields=tuple(_of(line, field) for line in ordered for field in line.fields),
        who=operation.actor.name,
        how=own.how if own is not None else worst.how,
        status=next((one for one in standing if one in statuses), worst.status),
        risk=max((line.risk for line in members), key=lambda risk: risk.score),
        children=sum(one.count for one in ordered),
    )  # fmt: skip


def _of(line: Line, field: Field) -> Field:
    return replace(field, name=f"{line.name} {field.name}")
