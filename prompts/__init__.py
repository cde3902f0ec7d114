"""Prompts: one `.md` file per node that asks a model. `render` fills the placeholders, strictly."""

from __future__ import annotations

import re
from importlib.resources import files

_PLACEHOLDER = re.compile(r"\{([a-z_]+)\}")


def source(name: str) -> str:
    """The text of `prompts/<name>.md`."""
    return (files(__name__) / f"{name}.md").read_text(encoding="utf-8")


def placeholders(name: str) -> frozenset[str]:
    """The placeholders that a prompt has."""
    return frozenset(_PLACEHOLDER.findall(source(name)))


def render(name: str, **values: str) -> str:
    """The prompt with every placeholder filled. Raises KeyError for a missing value, TypeError for one too many."""
    known = placeholders(name)
    if surplus := set(values) - known:
        raise TypeError(f"prompt {name} has no placeholder {', '.join(sorted(surplus))}")
    return _PLACEHOLDER.sub(lambda match: values[match.group(1)], source(name))
