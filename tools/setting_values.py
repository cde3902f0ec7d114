"""Values of settings in requests, answers and configurations, and when two mean the same. Pure."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

import jmespath  # type: ignore[import-untyped]
from jmespath.exceptions import JMESPathError  # type: ignore[import-untyped]

from tools.cloudtrail_fields import pick
from tools.evidence import canonical
from tools.masks import masked
from tools.models import ChangeEvent, Json, Resource, Value
from tools.services._spec import Setting

HIDDEN = "(not shown by CloudTrail)"
"""Stands for a value that a request held and CloudTrail left out (environment variables, secrets,
definitions).
"""

_NUMBER = re.compile(r"^-?(?:0|[1-9]\d{0,17})(?:\.\d{1,18})?$")
_LONGEST_MASK = 60
"""A longer text is a document with something hidden in it, not a mask."""
_PLAIN = re.compile(r"^\w+(?:\.\w+)*$")


ITS_ARN = "{arn}"
"""In `Setting.requests` and `echo_path`: the ARN of the resource, where one request sets several, each by its ARN."""


def names_it(setting: Setting, operation: str) -> bool:
    """Whether a request of this operation tells the setting of several resources, each under its own ARN."""
    return ITS_ARN in setting.requests.get(operation, "")


def of_resource(setting: Setting, arn: str) -> Setting:
    """The setting as requests and answers tell it of one resource: `{arn}` in its paths is this ARN."""
    if not any(ITS_ARN in path for path in (*setting.requests.values(), setting.echo_path)):
        return setting
    own = {name: path.replace(ITS_ARN, arn) for name, path in setting.requests.items()}
    return replace(setting, requests=own, echo_path=setting.echo_path.replace(ITS_ARN, arn))


def requested(event: ChangeEvent, setting: Setting) -> tuple[bool, Value]:
    """Whether the event's request sets this setting, and to what. `HIDDEN` when CloudTrail left the value
    out.
    """
    path = setting.requests.get(event.operation)
    if path is None:
        return False, None
    if path.startswith("`"):  # an operation that sets one fixed value: DeleteFunctionConcurrency unsets
        return True, as_value(search(path, {}))
    found = as_value(search(path, event.request))
    if setting.means and found not in (None, HIDDEN):
        found = setting.means(event, found)
    return found is not None, found


def current(resource: Resource, setting: Setting) -> Value:
    """The setting as the resource's configuration shows it; `setting.unset` where it shows nothing."""
    found = search(setting.path, resource.config)
    return setting.unset if found is None else as_value(found)


def same(one: Value, other: Value, setting: Setting) -> bool:
    """Whether two values mean the same: 30, 30.0 and "30" do; so do None and the setting's word for "not set". Two
    texts are compared as numbers only where the setting is one: a version 16.10 is not 16.1.
    """
    first, second = (setting.unset if value is None else value for value in (one, other))
    unset = setting.unset
    is_number = setting.metric is not None or (isinstance(unset, int | float) and not isinstance(unset, bool))
    return alike(first, second, texts=not is_number)


def alike(one: Value, other: Value, *, texts: bool = True) -> bool:
    """Whether two values are one, written as text or not. With `texts`, two texts are one only letter by letter."""
    if texts and isinstance(one, str) and isinstance(other, str):
        return one == other
    first, second = number(one), number(other)
    return type(first) is type(second) and first == second


def search(path: str, data: Json) -> Any:
    """What a JMESPath finds; a plain dotted path also across other letter case and JSON written as text."""
    try:
        found = jmespath.search(path, data)
    except JMESPathError:
        return None
    if found is not None or not _PLAIN.match(path):
        return found
    place: Any = data
    for part in path.split("."):
        place = pick(_opened(place), part)
    return place


def _opened(value: Any) -> Any:
    if isinstance(value, str) and value[:1] in ("{", "["):
        try:
            return json.loads(value)
        except ValueError:
            return value
    return value


def as_value(found: Any) -> Value:
    """Texts, numbers and booleans as they are, lists and objects as JSON text, left out ones as `HIDDEN`."""
    if isinstance(found, str) and len(found) <= _LONGEST_MASK and masked(found):
        return HIDDEN
    if found is None or isinstance(found, str | int | float | bool):
        return found
    if isinstance(found, Mapping) and not found:
        return HIDDEN  # Lambda's environment is recorded as {}
    if isinstance(found, Mapping | Iterable):
        return canonical(found)
    return str(found)


def number(value: Value) -> Value:
    """Numbers written as text as numbers, whole ones as int, "true" and "false" as booleans."""
    if isinstance(value, str):
        if _NUMBER.match(value):
            return whole(float(value)) if "." in value else int(value)
        return {"true": True, "false": False}.get(value.lower(), value)
    return whole(value) if isinstance(value, float) else value


def whole(value: float) -> Value:
    """A number without a fraction as int: 250.0 is 250."""
    return int(value) if float(value).is_integer() else value


def show(value: Value) -> str:
    """A value for people."""
    if isinstance(value, str):
        return value  # 1.10 may be a version
    return "not set" if value is None else str(number(value))
