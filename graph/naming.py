"""Names said in free words, English and Japanese. Pure.

A name counts when it is said whole: not inside a longer word or name, whatever its case, width and separators.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise

from graph.moments import normal, plain, without_times
from graph.vocabulary import JAPANESE, JOINING, KIND_WORDS, KINDS, ORDINARY, SYMPTOM_WORDS

_SHORTEST, _SHORTEST_JAPANESE = 3, 2
_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
_SEPARATOR = r"[-_./: ]{0,2}の?"
_WORD = re.compile(r"[a-z][a-z0-9']*(?:[-_.][a-z0-9']+)*")
_OPEN, _CLOSE = "\"'`「『([", "\"'`」』)]"
_KIND = "|".join(
    re.escape(word) + (r"s?(?![a-z0-9]|[-_.][a-z0-9])" if word.isascii() else "")
    for word in sorted(KIND_WORDS, key=len, reverse=True)
)
_KIND_AFTER = re.compile(
    rf"[{re.escape(_CLOSE)}]?\s*(?:の|という|named|called)?\s*(?:(?:http|rest|aws)\s+)?({_KIND})"
)
_KIND_BEFORE = re.compile(rf"(?<![a-z0-9_.-])({_KIND})\s*(?:named |called |[:=])?\s*[{re.escape(_OPEN)}]?$")
_MORE = re.compile(rf"\s+([a-z][a-z0-9]*)\s+(?:{_KIND})")
_NO_ASCII = re.compile(r"[々〆㐀-鿿]+|[ァ-ヺー]+|[^\W\da-z_ぁ-ゖァ-ヺー々〆㐀-鿿]+")
_RUN = re.compile(r"[^\sぁ-ゖ、。「」]+")
_NUMBER = re.compile(r"\d+(?:[.:]\d+)*%?")


@dataclass(frozen=True, slots=True, kw_only=True)
class Named:
    """A thing and one of its names. `id` tells things apart: an ARN."""

    name: str
    type: str
    id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Hit:
    """A name that was said, and where."""

    named: Named
    start: int
    end: int
    exact: int  # 3: letter by letter; 2: but for case and width; 1: but for the separators too
    kinds: frozenset[str]  # kinds of resources said right beside it
    weak: bool  # an ordinary word that only looks like the name, or a part of a longer name


def hits(names: Iterable[Named], text: str) -> tuple[Hit, ...]:
    """The names that `text` says, in its order; of names in the same place the longest and most exact ones."""
    shown, words = plain(text), normal(text)
    found = [hit for one in names for hit in _said(one, words, shown)]
    strong = [hit for hit in found if not hit.weak]
    kept = [hit for hit in found if not any(_hides(other, hit) for other in (found if hit.weak else strong))]
    return tuple(sorted(kept, key=lambda hit: (hit.start, hit.named.type, hit.named.id)))


def _hides(other: Hit, hit: Hit) -> bool:
    if other.end <= hit.start or hit.end <= other.start:
        return False
    longer = (other.end - other.start) - (hit.end - hit.start)
    same_place = (other.start, other.end) == (hit.start, hit.end)
    return longer > 0 or (same_place and other.exact > hit.exact)


def _said(one: Named, words: str, shown: str) -> Iterator[Hit]:
    name = normal(one.name)
    letters = [letter for letter in name if letter.isalnum()]
    if len(letters) < (_SHORTEST if name.isascii() else _SHORTEST_JAPANESE):
        return
    parts = _parts(one.name)
    for match in _pattern(parts, name, one.type).finditer(words):
        start, end = match.span()
        if not (_free_before(words, start) and _free_after(words, end)):
            continue
        exact = 1 if match.group() != name else 2
        if exact == 2 and len(shown) == len(words) and shown[start:end] == plain(one.name):
            # A capital that begins a sentence tells nothing.
            exact = 2 if start == 0 and name != plain(one.name) else 3
        kinds = _beside(words, start, end)
        own_kind = name in KINDS.get(one.type, ())  # "api endpoint" names no API that is called "api"
        clear = (one.type in kinds and not own_kind) or (exact > 1 and len(parts) > 1)
        clear = clear or _is_quoted(words, start, end)
        weak = (_is_ordinary(parts) and not clear) or _goes_on(words, end)
        yield Hit(named=one, start=start, end=end, exact=exact, kinds=kinds, weak=weak)


def _parts(name: str) -> tuple[str, ...]:
    return tuple(part for part in re.split(r"[\W_]+", _CAMEL.sub(" ", plain(name)).casefold()) if part)


@lru_cache(maxsize=4096)
def _pattern(parts: tuple[str, ...], name: str, type: str) -> re.Pattern[str]:
    """`name` itself, or its parts with other separators; a part such as "queue" may be said "キュー"."""
    exact = re.escape(name)
    if len(parts) < 2:
        return re.compile(exact)
    own = KINDS.get(type, ())
    said = (f"(?:{'|'.join(map(re.escape, own))})" if part in own else re.escape(part) for part in parts)
    return re.compile(f"{exact}|{_SEPARATOR.join(said)}")


def _is_ordinary(parts: Sequence[str]) -> bool:
    return all(part in ORDINARY or part.isdecimal() for part in parts)


def _is_quoted(words: str, start: int, end: int) -> bool:
    return start > 0 and words[start - 1] in _OPEN and words[end : end + 1] in _CLOSE and end < len(words)


def _goes_on(words: str, end: int) -> bool:
    """ "orders archive table" names another table than orders."""
    more = _MORE.match(words, end)
    return more is not None and more.group(1) not in ORDINARY


def _beside(words: str, start: int, end: int) -> frozenset[str]:
    found = _KIND_AFTER.match(words, end) or _KIND_BEFORE.search(words, max(0, start - 40), start)
    if found is None:
        return frozenset()
    word = found.group(1)
    return KIND_WORDS.get(word) or KIND_WORDS.get(word.removesuffix("s"), frozenset())


def _script(letter: str) -> str:
    if "ァ" <= letter <= "ヺ" or letter == "ー":
        return "katakana"
    if "ぁ" <= letter <= "ゖ":
        return "hiragana"
    if "㐀" <= letter <= "鿿" or letter in "々〆":
        return "kanji"
    return "letter" if letter.isalnum() else ""


def _free_after(words: str, end: int) -> bool:
    if end == len(words):
        return True
    last, following = _script(words[end - 1]), _script(words[end])
    if last == "letter":
        return following != "letter" and re.match(r"[-_.][a-z0-9]", words[end:]) is None
    if last in ("kanji", "katakana") and last == following:
        return any(words.startswith(word, end) for word in JOINING)
    return True


def _free_before(words: str, start: int) -> bool:
    if start == 0:
        return True
    first, before = _script(words[start]), _script(words[start - 1])
    if first == "letter":
        return before != "letter" and re.search(r"[a-z0-9][-_.]$", words[:start]) is None
    if first in ("kanji", "katakana") and first == before:
        return any(words.endswith(word, 0, start) for word in JOINING)
    return True


def roles_said(text: str) -> frozenset[str]:
    """The metric roles that the words mean: errors, throttles, latency, backlog."""
    return frozenset(role for role, words in SYMPTOM_WORDS.items() if any(_has(text, one) for one in words))


def kinds_said(text: str) -> frozenset[str]:
    """The kinds of resources that the words mention anywhere."""
    return frozenset(kind for word, kinds in KIND_WORDS.items() if _has(text, word) for kind in kinds)


def _has(text: str, word: str) -> bool:
    words = normal(text)
    if not word.isascii():
        return word in words
    return re.search(rf"(?<![a-z0-9_.-]){re.escape(word)}s?(?![a-z0-9]|[-_.][a-z0-9])", words) is not None


def unknown(text: str) -> tuple[str, ...]:
    """The words that are not ordinary ones, so that they may be names."""
    words = _NUMBER.sub(" ", without_times(text))
    found = [word for word in _WORD.findall(words) if word.replace("'", "") not in ORDINARY]
    rest = JAPANESE.sub(" ", words)
    return tuple(dict.fromkeys([*found, *_NO_ASCII.findall(rest)]))


def nearest(text: str, names: Iterable[str], most: int = 3) -> tuple[str, ...]:
    """The names that look most like a word, or two in a row, of `text`."""
    words = _WORD.findall(normal(text))
    runs = _RUN.findall(normal(text))  # of Japanese words, which stand without spaces
    tried = [*unknown(text), *runs, *(f"{a}-{b}" for a, b in pairwise(words))]
    known = {normal(name): name for name in names}
    scored: dict[str, float] = {}
    for word in tried:
        for near in difflib.get_close_matches(word, known, n=most, cutoff=0.6):
            scored[near] = max(scored.get(near, 0.0), difflib.SequenceMatcher(a=word, b=near).ratio())
    best = sorted(scored, key=lambda near: (-scored[near], near))
    return tuple(known[near] for near in best[:most])
