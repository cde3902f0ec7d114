"""YAML with the line of everything in it, for messages that say where.

Only `true` and `false` are truth values here, so that the key `on` and the word `yes` stay the texts that they are.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

Where = tuple[str | int, ...]
"""A place in a document: keys of maps and indexes of lists, outermost first."""


class PlainLoader(yaml.SafeLoader):
    """The safe loader without YAML 1.1's on, off, yes and no."""


_BOOL = "tag:yaml.org,2002:bool"
PlainLoader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in rules if tag != _BOOL or first in "tTfF"]
    for first, rules in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


@dataclass
class Document:
    """One YAML file. `lines`: the line of every place; `problems`: (line, text) of what is no good YAML."""

    path: Path
    value: Any = None
    lines: dict[Where, int] = field(default_factory=dict)
    columns: dict[Where, int] = field(default_factory=dict)
    problems: list[tuple[int, str]] = field(default_factory=list)

    def depth(self, where: Where) -> int:
        """How many steps of a place there are in this file."""
        return next(n for n in range(len(where), -1, -1) if where[:n] in self.lines or n == 0)

    def line(self, where: Where) -> int:
        """The line (from 1) of a place, or of the innermost thing around it that there is."""
        return self.lines.get(where[: self.depth(where)], 1)

    def column(self, where: Where) -> int:
        """The column (from 1), likewise."""
        return self.columns.get(where[: self.depth(where)], 1)


def load(text: str) -> Any:
    """The content of a YAML text. Raises yaml.YAMLError."""
    return yaml.load(text, Loader=PlainLoader)


def read(path: Path) -> Document:
    """A file with its places. What cannot be read is a problem, not an error."""
    document = Document(path)
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        document.problems.append((1, f"the file cannot be read: {error.strerror or error}."))
        return document
    except UnicodeDecodeError as error:
        document.problems.append((1, f"the file is not UTF-8: byte {error.start}. Save it as UTF-8."))
        return document
    try:
        node = yaml.compose(text, Loader=PlainLoader)
        document.value = load(text)
    except yaml.YAMLError as error:
        document.problems.append(_syntax(error))
        return document
    if node is not None:
        for where, mark in _places(node, ()):
            document.lines[where], document.columns[where] = mark.line + 1, mark.column + 1
        document.problems += _twice(node)
    return document


def _syntax(error: yaml.YAMLError) -> tuple[int, str]:
    mark = getattr(error, "problem_mark", None)
    context, problem = getattr(error, "context", None), getattr(error, "problem", None)
    said = " ".join(part for part in (problem, context) if part) or str(error)
    hint = ""
    if "\\t" in said:
        hint = " Indent with spaces, not tabs."
    elif "cannot start any token" in said or "mapping values are not allowed" in said:
        hint = ' Put a text that holds ": ", or begins with a sign such as % @ {, in quotes.'
    column = f", column {mark.column + 1}" if mark else ""
    return (mark.line + 1 if mark else 1), f"no good YAML{column}: {said}.{hint}"


def _places(node: yaml.Node, where: Where) -> Iterator[tuple[Where, yaml.Mark]]:
    """A key's mark stands for the value below it."""
    if not where:
        yield where, node.start_mark
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            inner = (*where, _key(key))
            yield inner, key.start_mark
            yield from _places(value, inner)
    elif isinstance(node, yaml.SequenceNode):
        for index, value in enumerate(node.value):
            yield (*where, index), value.start_mark
            yield from _places(value, (*where, index))


def _key(node: yaml.Node) -> str:
    return str(node.value) if isinstance(node, yaml.ScalarNode) else ""


def _twice(node: yaml.Node) -> Iterator[tuple[int, str]]:
    """Keys that stand twice in one map: YAML keeps the last one without a word."""
    if isinstance(node, yaml.MappingNode):
        seen: dict[str, int] = {}
        for key, value in node.value:
            name = _key(key)
            if name in seen:
                line = key.start_mark.line + 1
                yield line, f'"{name}" stands twice, first in line {seen[name]}. Keep one of them.'
            seen.setdefault(name, key.start_mark.line + 1)
            yield from _twice(value)
    elif isinstance(node, yaml.SequenceNode):
        for value in node.value:
            yield from _twice(value)
