"""A case.yaml or truth.yaml with the files that it is like, and the mistakes found in it."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from evals.yaml_places import Document, Where, read


@dataclass(frozen=True, slots=True, order=True)
class Mistake:
    """One mistake, as it is printed: `path:line: text`."""

    path: str
    line: int
    text: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.text}"


@dataclass
class Sheet:
    """One file and those that it takes over, nearest first; `value` is all of them merged."""

    documents: list[Document]
    value: dict[str, Any] = field(default_factory=dict)
    found: set[Mistake] = field(default_factory=set)

    @property
    def sound(self) -> bool:
        """Whether nothing is wrong so far."""
        return not self.found

    def add(self, where: Where, text: str) -> None:
        """A mistake at a place, in the file that says it: the nearest of those that go deepest."""
        best = max(self.documents, key=lambda one: one.depth(where))
        line = " ".join(text.split("\n"))
        self.found.add(Mistake(str(best.path), best.line(where), line))

    def at(self, *where: str | int) -> Any:
        """What stands at a place, or None."""
        node: Any = self.value
        for part in where:
            if not has(node, part):
                return None
            node = node[part]
        return node

    def name(self, where: Where) -> str:
        """A place as messages name it: dotted, events by their ids."""
        parts = [str(part) for part in where]
        if len(where) > 1 and where[0] == "events" and isinstance(where[1], int):
            parts[1] = str(self.map(*where[:2]).get("id", where[1]))
        return ".".join(parts) or "the file"

    def map(self, *where: str | int) -> dict[str, Any]:
        """The map at a place; empty when there is none."""
        node = self.at(*where)
        return {str(key): value for key, value in node.items()} if isinstance(node, dict) else {}

    def maps(self, *where: str | int) -> Iterator[tuple[str | int, dict[str, Any]]]:
        """(key or index, map) of the maps in a map or list."""
        node = self.at(*where)
        inner = node.items() if isinstance(node, dict) else enumerate(node if isinstance(node, list) else ())
        for key, value in inner:
            if isinstance(value, dict):
                yield key, value


def has(node: Any, part: str | int) -> bool:
    """Whether a map or list has this key or index."""
    if isinstance(node, dict):
        return part in node
    return isinstance(node, list) and isinstance(part, int) and part < len(node)


def gather(path: Path, base: Callable[[Path, str], Path | None], merge: Callable[[Any, Any], Any]) -> Sheet:
    """Read a file and those that it is like. `base`: where the file of a name is, or None; `merge`: over a base."""
    sheet = Sheet([])
    values: list[dict[str, Any]] = []
    now: Path | None = path
    while now is not None:
        document = read(now)
        sheet.documents.append(document)
        for line, text in document.problems:
            sheet.found.add(Mistake(str(now), line, text))
        if not isinstance(document.value, dict):
            if not document.problems:
                sheet.found.add(Mistake(str(now), 1, "the file must be a map: lines of `key: value`."))
            break
        values.append(document.value)
        like = document.value.get("like")
        following = base(now, str(like)) if like else None
        if like and following is None:
            line = document.line(("like",))
            text = f'like: there is no case "{like}", neither beside this one nor among those of opsleuth.'
            sheet.found.add(Mistake(str(now), line, text))
        if following is not None and following.resolve() in {one.path.resolve() for one in sheet.documents}:
            sheet.found.add(Mistake(str(now), document.line(("like",)), "like: the case is like itself."))
            break
        now = following
    for value in reversed(values):
        sheet.value = merge(sheet.value, value)
    return sheet


def near(name: object, known: Collection[str]) -> str:
    """' Did you mean "x"?' when something known is spelt nearly so."""
    found = get_close_matches(str(name), list(known), 1, 0.6)
    return f' Did you mean "{found[0]}"?' if found else ""


def listed(known: Collection[str]) -> str:
    """ " Known: a, b." """
    return f" Known: {', '.join(known) or 'none'}."


def spelt(name: object, known: Collection[str]) -> str:
    """The nearest and all that are known."""
    return near(name, known) + listed(known)
