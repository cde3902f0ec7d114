"""Prompts: one `.md` file per node that asks a model, in two parts: what we say, a line `---`, and the data.

Only the part behind the line may hold text that was found in an account; `render` fills placeholders, strictly.
"""

from __future__ import annotations

import re
from importlib.resources import files

_PLACEHOLDER = re.compile(r"\{([a-z_]+)\}")
_LINE = "\n---\n"


def names() -> tuple[str, ...]:
    """All prompts, sorted."""
    return tuple(sorted(one.name[:-3] for one in files(__name__).iterdir() if one.name.endswith(".md")))


def source(name: str) -> str:
    """The text of `prompts/<name>.md`."""
    return (files(__name__) / f"{name}.md").read_text(encoding="utf-8")


def placeholders(name: str) -> frozenset[str]:
    """The placeholders that a prompt has."""
    return frozenset(_PLACEHOLDER.findall(source(name)))


def render(name: str, **values: str) -> tuple[str, str]:
    """What we say, and the data with every placeholder filled; "" for the data when the prompt has no such part.

    Raises KeyError for a missing value, TypeError for one too many.
    """
    if surplus := set(values) - placeholders(name):
        raise TypeError(f"prompt {name} has no placeholder {', '.join(sorted(surplus))}")
    ours, _, data = source(name).partition(_LINE)
    return ours.strip(), _PLACEHOLDER.sub(lambda match: values[match.group(1)], data).strip("\n")
