"""The words of a Logs Insights query."""

from __future__ import annotations

import re
from dataclasses import dataclass

from evals.world.asking import Refusal

FIELDS = ("@timestamp", "@message", "@logStream", "@log", "@ingestionTime", "@type", "@requestId", "@ptr")
MEASURED = ("@duration", "@billedDuration", "@memorySize", "@maxMemoryUsed")
"""Fields that Insights discovers in the REPORT lines of Lambda."""

_TOKEN = re.compile(
    r"""\s*(?:(?P<regex>/(?:[^/\\]|\\.)*/)|(?P<text>"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')"""
    r"""|(?P<op>=~|!=|<=|>=|[=<>(),|*\[\]])|(?P<word>@?[A-Za-z_][\w.]*|`[^`]+`)"""
    r"""|(?P<number>-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?(?:ms|[smhd])?))"""
)
_KNOWN = frozenset(
    """abs anomaly bucket ceil coalesce concat datefloor dateceil diff earliest filterindex floor frommillis greatest
    isblank isempty isipinsubnet isvalidip join jsonparse jsonstringify latest least log lookup ltrim median now
    pattern replace rtrim sortsfirst sortslast source sqrt stddev strcontains strlen substr tolower tomillis toupper
    trim unmask unnest""".split()  # noqa: SIM905
)
"""Commands and functions of Insights that worlds do not know."""


def malformed(why: str) -> Refusal:
    """AWS's refusal of a query; a coverage miss where AWS itself would have understood."""
    known = why.lower() in _KNOWN
    return Refusal("MalformedQueryException", f"unexpected symbol found: {why}", missed=known)


@dataclass(frozen=True, slots=True)
class Token:
    kind: str
    text: str


class Reader:
    """Tokens of a query, one at a time."""

    def __init__(self, text: str) -> None:
        self.tokens = self._scan(text)
        self.place = 0
        self.depth = 0
        self.used: set[str] = set()
        self.made: set[str] = set()  # names that the query itself has given to fields so far

    @staticmethod
    def _scan(text: str) -> list[Token]:
        found, place = [], 0
        text = "\n".join(line for line in text.splitlines() if not line.strip().startswith("#"))
        while text[place:].strip():
            match = _TOKEN.match(text, place)
            if match is None or match.lastgroup is None:
                raise malformed(text[place : place + 20])
            found.append(Token(match.lastgroup, match.group(match.lastgroup)))
            place = match.end()
        return found

    def peek(self, ahead: int = 0) -> Token:
        place = self.place + ahead
        return self.tokens[place] if place < len(self.tokens) else Token("end", "")

    def next(self) -> Token:
        token = self.peek()
        self.place += 1
        return token

    def take(self, text: str) -> bool:
        if self.peek().text.lower() == text and self.peek().kind in ("word", "op"):
            self.place += 1
            return True
        return False

    def need(self, text: str) -> None:
        if not self.take(text):
            raise malformed(self.peek().text or "end of query")

    def field(self) -> str:
        """The name of a field. A strange @field is refused: AWS may well discover it."""
        token = self.next()
        name = token.text.strip("`")
        if token.kind != "word" or self.peek().text == "(":
            raise malformed(token.text or "end of query")
        if name.startswith("@") and name not in (*FIELDS, *MEASURED) and name not in self.made:
            raise malformed(name)
        self.used.add(name)
        return name

    def name(self) -> str:
        """A new name, after AS."""
        token = self.next()
        if token.kind != "word":
            raise malformed(token.text or "end of query")
        made = token.text.strip("`")
        self.made.add(made)
        return made

    def text(self) -> str:
        """A quoted text, unquoted."""
        token = self.next()
        if token.kind != "text":
            raise malformed(token.text or "end of query")
        return unquoted(token)


def unquoted(token: Token) -> str:
    return re.sub(r"\\([\"'\\])", r"\1", token.text[1:-1])


def number_of(text: str | None) -> float | None:
    """A field as a number, or None."""
    try:
        return float(text) if text else None
    except ValueError:
        return None


def shown_number(value: float) -> str:
    """A number as Insights prints it."""
    return str(int(value)) if value == int(value) and abs(value) < 1e15 else repr(round(value, 4))
