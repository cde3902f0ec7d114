"""What pydantic says of a file, in plain words: unknown keys, missing ones, wrong types."""

from __future__ import annotations

from collections.abc import Iterable
from types import NoneType, UnionType
from typing import Any, Union, get_args, get_origin

from pydantic import BaseModel, ValidationError

from evals.mistakes.sheet import Sheet, has, spelt
from evals.yaml_places import Where

_WANTED = {
    "string": "a text",
    "int": "a whole number",
    "float": "a number",
    "bool": "true or false",
    "dict": "a map (key: value)",
    "mapping": "a map (key: value)",
    "model": "a map (key: value)",
    "tuple": "a list [a, b]",
    "list": "a list [a, b]",
    "datetime": "a moment such as 2026-03-13T17:12:31Z, or a reference such as $onset",
}
_CALLS = "must be an id, a list of ids, or a map of ids and what one request does there: {table: {units: 2}}."


def told(sheet: Sheet, model: type[BaseModel], context: str | None = None) -> None:
    """Add what is wrong with the form of a sheet."""
    try:
        model.model_validate(sheet.value, context=context)
    except ValidationError as error:
        for item in error.errors():
            _tell(sheet, model, item)


def _tell(sheet: Sheet, model: type[BaseModel], item: Any) -> None:
    where, rest = _real(sheet, item["loc"])
    kind = str(item["type"])
    if kind == "missing":
        sheet.add(where, f'{sheet.name(where)} needs "{rest[-1]}", which is missing.')
    elif kind == "extra_forbidden":
        known = fields(_annotation(model, where[:-1]))
        sheet.add(where, f'{sheet.name(where)}: unknown key "{where[-1]}".{spelt(where[-1], known)}')
    elif where and where[-1] == "calls":
        sheet.add(where, f"{sheet.name(where)} {_CALLS}")
    elif kind == "literal_error":
        known = literals(_annotation(model, where))
        sheet.add(
            where, f"{sheet.name(where)}: {_shown(item['input'])} is not known.{spelt(item['input'], known)}"
        )
    elif kind == "value_error":
        sheet.add(where, f"{sheet.name(where)}: {item['ctx']['error']}.")
    else:
        sheet.add(where, f"{sheet.name(where)} {_wanted(kind, item)}")


def _wanted(kind: str, item: Any) -> str:
    wanted = next((text for name, text in _WANTED.items() if kind.startswith(name)), "")
    given = item["input"]
    if not wanted:
        return f"is {_shown(given)}: {item['msg'][0].lower()}{item['msg'][1:]}."
    hint = ""
    if wanted == "a text" and not isinstance(given, dict | list) and given is not None:
        hint = f' Put it in quotes: "{given}".'
    elif isinstance(given, str) and ("$" in given or "{" in given):
        hint = " No draw is read here: write the value itself."
    return f"must be {wanted}, not {_shown(given)}.{hint}"


def _shown(value: Any) -> str:
    if isinstance(value, dict):
        return "a map"
    if isinstance(value, list):
        return "a list"
    return '"' + value + '"' if isinstance(value, str) else "nothing" if value is None else str(value)


def _real(sheet: Sheet, loc: Iterable[str | int]) -> tuple[Where, Where]:
    """What of a pydantic location is in the file, and what is not: a missing key, the branch of a union."""
    inside: list[str | int] = []
    rest: list[str | int] = []
    node: Any = sheet.value
    for part in loc:
        if not rest and has(node, part):
            node = node[part]
            inside.append(part)
        else:
            rest.append(part)
    return tuple(inside), tuple(rest)


def fields(annotation: Any) -> list[str]:
    """The keys that a file may have where `annotation` is wanted; empty when it is no model."""
    made = _model(annotation)
    return [] if made is None else [one.alias or name for name, one in made.model_fields.items()]


def literals(annotation: Any) -> list[str]:
    """The words of a Literal, inside whatever."""
    if isinstance(annotation, type):
        return []
    found: list[str] = []
    for one in get_args(annotation):
        found += [one] if isinstance(one, str) else literals(one)
    return list(dict.fromkeys(found))


def _model(annotation: Any) -> type[BaseModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next((made for one in get_args(annotation) if (made := _model(one)) is not None), None)


def _annotation(annotation: Any, where: Where) -> Any:
    """The type that is wanted at a place below a type."""
    if not where:
        return annotation
    part, after = where[0], where[1:]
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        for name, one in annotation.model_fields.items():
            if part in (one.alias, name):
                return _annotation(one.annotation, after)
        return None
    origin, inner = get_origin(annotation), get_args(annotation)
    if origin is dict:
        return _annotation(inner[1], after)
    if origin in (tuple, list):
        return _annotation(inner[0], after)
    if origin in (Union, UnionType) or inner:
        options = (_annotation(one, where) for one in inner if one is not NoneType)
        return next((one for one in options if one is not None), None)
    return None
