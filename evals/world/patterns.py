"""CloudWatch Logs filter patterns: terms, quoted phrases, ?optional and -excluded terms; no JSON, no regex.

User guide, "Filter pattern syntax for metric filters, subscription filters, filter log events".
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from evals.world.asking import NotModelled, Refusal

_TOKEN = re.compile(r'([?-]?)(?:"((?:[^"\\]|\\.)*)"|([^\s"]+))')
_WORD = re.compile(r"^[\w]+$")


@dataclass(frozen=True, slots=True)
class Pattern:
    """All of `all_of`, at least one of `any_of` (when there are some), none of `none_of`."""

    all_of: tuple[str, ...]
    any_of: tuple[str, ...]
    none_of: tuple[str, ...]

    def matches(self, text: str) -> bool:
        return (
            all(term in text for term in self.all_of)
            and (not self.any_of or any(term in text for term in self.any_of))
            and not any(term in text for term in self.none_of)
        )

    @property
    def literals(self) -> tuple[str, ...]:
        return self.all_of + self.any_of + self.none_of


def parse(text: str) -> Pattern:
    """The pattern that `text` means. Raises what AWS answers to a bad one."""
    stripped = text.strip()
    if stripped.startswith(("{", "[")) or "%" in stripped:
        raise NotModelled("JSON, column and regular-expression filter patterns")
    terms: dict[str, list[str]] = {"": [], "?": [], "-": []}
    place = 0
    for match in _TOKEN.finditer(stripped):
        if stripped[place : match.start()].strip():
            raise _invalid(text)
        place = match.end()
        sign, phrase, word = match.groups()
        if word is not None and not _WORD.match(word):
            raise _invalid(text)
        terms[sign].append(word if word is not None else phrase.replace('\\"', '"'))
    if stripped[place:].strip():
        raise _invalid(text)
    if terms["?"] and (terms[""] or terms["-"]):
        raise NotModelled("?terms beside other terms")
    return Pattern(tuple(terms[""]), tuple(terms["?"]), tuple(terms["-"]))


def _invalid(text: str) -> Refusal:
    return Refusal("InvalidParameterException", f"Invalid filter pattern: {text}")
