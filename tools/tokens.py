"""Log text cut into tokens, with what varies from line to line named by its kind. Pure; the same for every system.

A token is a word, one delimiter, or a mask; one that follows a space begins with a space, so that the tokens of a line
put together are the line again. Masked by shape alone: times, ids, addresses, paths, URLs, dotted names, sizes,
durations, all words with a digit, values after `=`, who follows the word `user`, true, false, null.
"""

from __future__ import annotations

import re
from typing import NamedTuple

WILD = "<*>"
_DELIMITERS = "=:,;()[]{}\"'|<>"
_CLOSERS = frozenset(",;)]}>|")
_ENDS = _CLOSERS | {"(", "[", "{"}
_UNITS = (
    r"(?:ns|[uµ]s|ms|msecs?|millis(?:econds?)?|secs?|seconds?|mins?|minutes?|hrs?|hours?|days?)\b|[smhd]\b"
)
_SIZES = r"(?:(?:[KMGTP]i?|[kmgt])?[Bb](?:/s|ps)?|(?:[kK]ilo|[mM]ega|[gG]iga)?(?:bytes?|bits?)|[KMGT])\b"
_DAY = r"(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun)"
_MONTH = r"(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)[a-z]*"
_ZONE = r"(?: ?(?:Z|UTC|GMT|[+-]\d\d:?\d\d)\b)?"
_CLOCK = r"\d\d?:\d\d:\d\d(?:[.,:]\d+)?"
_HEX4 = "[0-9a-fA-F]{4}"
_SCAN = re.compile(
    "|".join(
        f"(?P<{kind}>{pattern})"
        for kind, pattern in (
            ("url", r"[A-Za-z][A-Za-z0-9+.-]*://[^\s\"'<>()\[\]{},;|]*"),
            (
                "time",
                rf"\d{{4}}[-/.]\d\d?[-/.]\d\d?(?:[T .:-]\d\d?[:.]\d\d(?:[:.]\d\d(?:[.,:]\d+)?)?)?{_ZONE}(?!\w)"
                rf"|(?:{_DAY},? )?(?:{_MONTH} +\d{{1,2}}|\d{{1,2}}[ /-]{_MONTH})(?!\w)"
                rf"(?:,?[ /:-]\d{{4}}\b)?(?:[ :]{_CLOCK}(?: [AP]M)?{_ZONE})?(?: [A-Z]{{3,4}})?(?: \d{{4}})?(?!\w)"
                rf"|{_CLOCK}(?: [AP]M)?(?![\w:])",
            ),
            ("id", rf"[0-9a-fA-F]{{8}}-{_HEX4}-{_HEX4}-{_HEX4}-[0-9a-fA-F]{{12}}(?!\w)"),
            (
                "ip",
                r"/?\d{1,3}(?:\.\d{1,3}){3}(?:/\d{1,2})?(?::\d+)?(?![\w.])"
                r"|(?=[0-9a-fA-F:]*\d)(?:[0-9a-fA-F]{1,4}:){3,7}:?[0-9a-fA-F]{0,4}(?![\w:])",
            ),
            ("path", r"[A-Za-z]:[\\/][^\s\"'<>|,;()]*"),
            ("duration", rf"<?[-+]?\d+(?:\.\d+)?(?: ?{_UNITS})(?!\w)"),
            ("size", rf"[-+]?\d+(?:\.\d+)? ?{_SIZES}(?!\w)"),
            ("n", r"[-+]?\d+(?:[.,]\d+)*%?(?![^\s=:,;()\[\]{}\"'|<>])"),
            ("delimiter", r"[=:,;()\[\]{}\"'|<>]"),
            ("word", r"(?:[^\s=:,;()\[\]{}\"'|<>]|(?<=[A-Za-z])'(?=(?:t|s|re|ve|ll|d|m)\b))+"),
        )
    )
)
_DOTTED = re.compile(r"[A-Za-z_$][\w$-]*(?:\.[\w$-]+)+[.!]?")
_LONG_ID = re.compile(r"(?=[A-Za-z]*[a-z])(?=[A-Za-z]*[A-Z])[A-Za-z]{32,}|[0-9a-f]{8,}")
_FAULT = re.compile(r"(?:Exception|Error|Fault)[.!]?$")
_SAID_NOTHING = frozenset({"true", "false", "null", "none", "nil", "nan", "n/a", "undefined", "localhost"})
_PEOPLE = frozenset({"user", "username", "ruser", "login"})
_NO_NAME = re.compile(
    "from|by|at|on|in|to|is|was|has|had|with|for|and|or|not|of|as|does|did|can|could|may|must|if|names?|ids?|failed"
    "|unknown|sessions?|password|authentication|agent|data|space|mode|input|pool|interface|logged|requested|cancelled"
    "|added|removed|created|deleted|updated|groups?|requests?|level|accounts?"
)


class Token(NamedTuple):
    """One piece of a line. `kind`: "word", "delimiter", or what is masked: "time", "n", "*"."""

    spaced: bool
    kind: str
    text: str


def tokens(text: str) -> tuple[Token, ...]:
    """The tokens of one line; line breaks count as spaces."""
    return tuple(_collapsed(_filled(_named(_scanned(text)))))


def shape(found: tuple[Token, ...]) -> tuple[str, ...]:
    """What lines of one pattern share: words and delimiters, with everything masked as `<*>`."""
    return tuple(
        (" " if one.spaced else "") + (one.text if one.kind in ("word", "delimiter") else WILD)
        for one in found
    )


def shown(found: tuple[Token, ...]) -> tuple[str, ...]:
    """As `shape`, with masks that say their kind: `<duration>`."""
    return tuple(
        (" " if one.spaced else "") + (one.text if one.kind in ("word", "delimiter") else f"<{one.kind}>")
        for one in found
    )


def values(found: tuple[Token, ...]) -> tuple[str, ...]:
    """The names of people in a line: words that are values elsewhere too."""
    return tuple(one.text for one in found if one.kind == "name")


def is_delimiter(token: str) -> bool:
    """Whether a token of a shape is a delimiter."""
    return token[-1] in _DELIMITERS and token.lstrip() in _DELIMITERS


def is_wild(token: str) -> bool:
    """Whether a token of a shape is masked."""
    return token.endswith(WILD)


def _scanned(text: str) -> list[Token]:
    found: list[Token] = []
    end = 0
    for match in _SCAN.finditer(text):
        kind, said = match.lastgroup or "word", match.group()
        if kind == "word":
            kind = _kind(said)
        if match.start() == end + 2 and found and found[-1].text.lower() in _PEOPLE:
            found.append(Token(True, "*", ""))  # two spaces around a name that is empty
        found.append(Token(match.start() > end or (end == 0 and match.start() == 0), kind, said))
        end = match.end()
    return found


def _kind(word: str) -> str:
    """What a run without spaces and delimiters is by its letters."""
    if any(letter.isdigit() for letter in word):
        return "id" if len(word) >= 12 and word.isalnum() else "*"
    if len(word) < 3:
        return "path" if word in ("/", "\\") else "word"
    if word.lower().rstrip(".!") in _SAID_NOTHING or "@" in word.strip("@") or _LONG_ID.fullmatch(word):
        return "*"
    slashes = word.count("/") + word.count("\\")
    if slashes and (word[0] in "/\\~." or slashes > 1):
        return "path"
    if _DOTTED.fullmatch(word) and not _FAULT.search(word):
        # Hosts, files and packages vary; `Cart.addItem` is where the program is.
        return "*" if word.islower() or word.strip(".").count(".") > 1 else "word"
    return "word"


def _named(found: list[Token]) -> list[Token]:
    """Who follows the word `user` is a name."""
    for place in range(1, len(found)):
        one, before = found[place], found[place - 1]
        if one.kind == "word" and before.kind == "delimiter" and before.text in "\"':" and place > 1:
            before = found[place - 2]
        if before.kind != "word" or before.text.lower() not in _PEOPLE:
            continue
        if one.kind == "word" and not _NO_NAME.fullmatch(one.text.lower()):
            found[place] = one._replace(kind="name")
    return found


def _filled(found: list[Token]) -> list[Token]:
    """Values after `=` masked as a whole, also when they are empty."""
    made: list[Token] = []
    place = 0
    while place < len(found):
        one = found[place]
        made.append(one)
        place += 1
        if one.text == "=" and len(made) > 1 and made[-2].kind != "delimiter":
            place = _value(found, place, one, made)
    return made


def _value(found: list[Token], place: int, sign: Token, made: list[Token]) -> int:
    """Append the value that begins at `place` as one mask; gives the place after it."""
    first = found[place] if place < len(found) else None
    if first is None or (first.spaced and not sign.spaced) or first.text in _CLOSERS:
        made.append(Token(False, "*", ""))
        return place
    if first.kind == "delimiter" and first.text in "\"'":
        for end in range(place + 1, min(len(found), place + 12)):
            if found[end].text == first.text:
                made.append(Token(first.spaced, "*", ""))
                return end + 1
        return place
    if first.kind == "delimiter":
        return place
    end = place + 1
    while end < len(found) and not found[end].spaced and found[end].text not in _ENDS:
        end += 1
    if found[end - 1].text == ":" and end > place + 1:
        end -= 1  # `item=2: failed`
    alone = end == place + 1
    if alone and first.kind == "word":
        first = first._replace(kind="name" if made[-2].text.lower() in _PEOPLE else "*")
    made.append(first if alone else Token(first.spaced, "*", ""))
    return end


def _collapsed(found: list[Token]) -> list[Token]:
    """Masks that touch, or that a colon or commas join, are one: addresses with ports, lists of any length."""
    made: list[Token] = []
    for one in found:
        last = made[-1] if made else None
        before = made[-2] if len(made) > 1 else None
        if last is None:
            made.append(one)
        elif one.text == "]" and not one.spaced and _is_range(made):
            made[-3:] = [Token(made[-3].spaced, "*", "")]
        elif not _masked(one):
            made.append(one)
        elif _masked(last) and not one.spaced:
            made[-1] = Token(last.spaced, "*", "")
        elif before is not None and _masked(before) and _joins(last, one):
            made[-2:] = [Token(before.spaced, "*" if before.kind != one.kind else one.kind, "")]
        else:
            made.append(one)
    return made


def _masked(one: Token) -> bool:
    return one.kind not in ("word", "delimiter")


def _joins(sign: Token, one: Token) -> bool:
    return sign.text == "," or (sign.text in ":|" and not sign.spaced and not one.spaced)


def _is_range(made: list[Token]) -> bool:
    """Whether what stands before `]` is `node-[4` or `<*>[4`, all in one piece."""
    if len(made) < 3 or made[-2].text != "[" or not _masked(made[-1]):
        return False
    glued = not made[-2].spaced and not made[-1].spaced
    return glued and (_masked(made[-3]) or made[-3].text.endswith(("-", "_")))
