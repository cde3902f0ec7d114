"""The last look before a recording is written: nothing in it may look real."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from tools.errors import CannotInvestigate
from tools.redact import redact
from tools.scrub import Scrubber
from tools.scrub_kinds import KINDS
from tools.scrub_names import words

_SECRETS = (
    ("a private key", re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY")),
    ("a JSON web token", re.compile(r"\beyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{4,}")),
    (
        "the token of a session",
        re.compile(r"(?:FwoGZXIvYXdz|FQoGZXIvYXdz|IQoJb3JpZ2lu)[A-Za-z0-9/+=_-]{20,}"),
    ),
)
_BASE64 = re.compile(r"(?<![A-Za-z0-9+/=])[A-Za-z0-9+/]{24,}={0,2}")
_MOST = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Left:
    """Something that looks real: what it is, the text itself, and where it stands."""

    told: str
    value: str
    where: str


class LooksReal(CannotInvestigate):
    """Nothing was written, because something that looks real would have been in it."""

    def __init__(self, left: Iterable[Left]) -> None:
        self.left = tuple(left)
        shown = "; ".join(f"{one.told} ({one.value}) in {one.where}" for one in self.left[:_MOST])
        more = f"; and {len(self.left) - _MOST} more" if len(self.left) > _MOST else ""
        super().__init__(
            f"Nothing was written, for this looks real: {shown}{more}. "
            "Name what must be replaced with --hide WORD, once for each, and record again."
        )


class _Seen:
    """What a scrubber issued and replaced, looked up once."""

    def __init__(self, scrubber: Scrubber) -> None:
        self.originals = scrubber.originals
        self.issued = {kind.name: scrubber.issued(kind.name) for kind in KINDS}
        self.names = words(scrubber.names())
        self.hidden = tuple(word.lower() for word in self.originals.get("hidden", {}))


def check(texts: Iterable[tuple[str, str | bytes]], scrubber: Scrubber) -> None:
    """Look through (where, text). Raises LooksReal; a body that is no text cannot be looked through."""
    found: dict[tuple[str, str], Left] = {}
    seen = _Seen(scrubber)
    for where, text in texts:
        if isinstance(text, bytes):
            found.setdefault(
                ("binary", where), Left(told="bytes that are no text", value=f"{len(text)}", where=where)
            )
            continue
        for told, value in _real(text, seen):
            found.setdefault((told, value), Left(told=told, value=value, where=where))
    if found:
        raise LooksReal(found.values())


def _real(text: str, seen: _Seen) -> Iterator[tuple[str, str]]:
    yield from _plain(text, seen)
    for run in _BASE64.findall(text):
        inner = _decoded(run)
        if inner:
            for told, value in _plain(inner, seen):
                yield f"{told} inside base64", value


def _plain(text: str, seen: _Seen) -> Iterator[tuple[str, str]]:
    for kind in KINDS:
        issued, known = seen.issued[kind.name], seen.originals.get(kind.name, {})
        for _, _, value in kind.places(text):
            if value in known or (kind.real(value) and value not in issued):
                yield kind.told, value
    for told, pattern in _SECRETS:
        for match in pattern.finditer(text):
            yield told, match[0][:60]
    if redact(text) != text:
        yield "a secret", _changed(text)
    if seen.names is not None:
        for match in seen.names.finditer(text):
            yield "a name", match[0]
    lowered = text.lower() if seen.hidden else ""
    for word in seen.hidden:
        if word in lowered:
            yield "a word to hide", word


def _changed(text: str) -> str:
    masked = redact(text)
    at = next(
        (i for i, (a, b) in enumerate(zip(text, masked, strict=False)) if a != b), min(len(text), len(masked))
    )
    return text[max(0, at - 30) : at + 10]


def _decoded(run: str) -> str:
    try:
        text = base64.b64decode(run, validate=True).decode()
    except (binascii.Error, ValueError):
        return ""
    return text if text.isprintable() and len(text) > 8 else ""
