"""What the `Change`s and `Setting`s of several service files have in common."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any, Literal, Protocol

from tools.arn import is_arn
from tools.evidence import canonical
from tools.kit import record, text
from tools.models import Call, ChangeEvent, Json, Resource, Value
from tools.policies import document
from tools.services._spec import Change, Effect

_Touches = Callable[[ChangeEvent], tuple[str, ...]]


class _Making(Protocol):
    def __call__(
        self,
        operation: str,
        breaks: str,
        request: Json,
        effects: tuple[Effect, ...] = ...,
        *,
        response: Json | None = ...,
        touches: _Touches | None = ...,
        more: tuple[Json, ...] = ...,
        **rest: Any,
    ) -> Change: ...


def changes_of(source: str, usually: _Touches) -> _Making:
    """Makes changes of one event source whose example is a request; `more`: further requests of the operation. They
    touch what things of the source `usually` do.
    """

    def made(
        operation: str,
        breaks: str,
        request: Json,
        effects: tuple[Effect, ...] = (),
        *,
        response: Json | None = None,
        touches: _Touches | None = None,
        more: tuple[Json, ...] = (),
        **rest: Any,
    ) -> Change:
        return Change(
            operation=operation,
            touches=touches or usually,
            breaks=breaks,
            example=record(source, operation, request, response),
            more_examples=tuple(record(source, operation, one, response) for one in more),
            effects=effects,
            **rest,
        )

    return made


def touches_tagged(event: ChangeEvent) -> tuple[str, ...]:
    """The ARN that is tagged, for services that call it `resourceArn`."""
    arn = text(event.request, "resourceArn")
    return (arn,) if is_arn(arn) else ()


def moved(
    when: Literal["lowered", "raised", "removed", "any"], effects: Iterable[Effect]
) -> tuple[Effect, ...]:
    """The same effects for one move of a setting."""
    return tuple(replace(one, when=when) for one in effects)


def restore_nothing(resource: Resource, value: Value) -> tuple[Call, ...]:
    """No call: the value is in no event, so a person must put it back."""
    return ()


def means_policy(event: ChangeEvent, value: Value) -> Value:
    """Policies are sent as text: as the object that it says, so that white space makes no difference."""
    return canonical(document(value)) if document(value) else value
