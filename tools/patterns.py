"""Log patterns: lines that differ only in ids, numbers and names become one template with counts. Pure.

One configuration for all systems (`tools.tokens`, `tools.templates`). Error code, reason and ARNs are never merged:
lines that differ in them are other patterns. Most lines repeat: a line is read and masked once, later ones that differ
in digits only are counted. Memory is bounded by the limits below.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime

from tools.entities import Entities, arns, named, read
from tools.evidence import canonical, digest
from tools.log_lines import LogLine, events, is_platform
from tools.models import LogPattern
from tools.templates import Shape, coarse, groups, template
from tools.tokens import WILD, shape, shown, tokens, values

_MOST_BUCKETS = 300
_MOST_SHAPES = 2_000  # of one bucket, before those that are alike are merged
_MOST_KNOWN = 20_000  # lines remembered by all but their digits
_MOST_VALUES = 2_000
_MOST_NAMES = 20
_MOST_TOKENS = 240
_MOST_TEXT = 4_000
_SAMPLE = 2_000

_HEX = "[0-9a-fA-F]"
_DIGITS = re.compile(rf"[0-9]{_HEX}*(?:-{_HEX}{{4,12}})*")
_IDS = re.compile(rf"[a-fA-F]*[0-9]{_HEX}*(?:-{_HEX}{{4,12}})*")  # slower, and finds more lines alike
_RUNS = re.compile(
    rf"\b{_HEX}{{8}}-(?:{_HEX}{{4}}-){{3}}{_HEX}{{12}}\b|\b(?=[0-9a-fA-F]*\d){_HEX}{{8,}}\b"
    r"|\b(?=[A-Za-z0-9]*\d)(?=[A-Za-z0-9]*[A-Za-z])[A-Za-z0-9]{16,}\b|(?<![A-Za-z])\d+(?:[.,]\d+)*"
)
_DIGIT = re.compile(r"\d")


def _same_arn(arn: str) -> str:
    """The ARN without run ids, versions and stream names, so that a million executions are one."""
    parts = arn.split(":", 5)
    return ":".join([*parts[:5], _RUNS.sub("<n>", parts[5])]) if len(parts) == 6 else arn


def _told(said: Entities, text: str) -> str:
    """What the template is made of: the first line of an event and the one that names its innermost error."""
    if "\n" not in said.message:
        return said.message
    lines = [line for line in said.message.splitlines() if line.strip()]
    if len(lines) < 2:
        return said.message
    ends = [line for line in lines[1:] if not line[0].isspace() and not line.startswith("Traceback")]
    return f"{lines[0]} {ends[-1]}" if ends else lines[0]


Bucket = tuple[str, str, tuple[str, ...]]


@dataclass(slots=True, eq=False)
class Seen:
    """What the lines of one shape, or of several that became one template, have in common."""

    bucket: Bucket
    shape: Shape
    display: Shape
    first: datetime
    last: datetime
    sample: str
    sample_after: bool
    before: int = 0
    after: int = 0
    names: dict[str, None] = field(default_factory=dict)
    operations: dict[str, None] = field(default_factory=dict)
    into: Seen | None = None  # what it was merged into

    @property
    def whole(self) -> Seen:
        """What it is part of now."""
        found = self
        while found.into is not None:
            found = found.into
        return found

    def learn(self, names: Iterable[str], operations: Iterable[str] = ()) -> None:
        for known, more in ((self.names, names), (self.operations, operations)):
            for name in more:
                if len(known) < _MOST_NAMES:
                    known.setdefault(name)

    def count(self, line: LogLine, since: bool) -> None:
        if since:
            self.after += 1
            if not self.sample_after:
                self.sample, self.sample_after = line.text[:_SAMPLE], True
        else:
            self.before += 1
        if line.time > self.last:
            self.last = line.time
        elif line.time < self.first:
            self.first = line.time

    def merge(self, other: Seen) -> None:
        """Take in what `other` counted."""
        later = (other.sample_after, other.first) if other.sample_after != self.sample_after else None
        if (later and other.sample_after) or (
            later is None and (other.first, other.sample) < (self.first, self.sample)
        ):
            self.sample, self.sample_after = other.sample, other.sample_after
        self.before, self.after = self.before + other.before, self.after + other.after
        self.first, self.last = min(self.first, other.first), max(self.last, other.last)
        self.learn(other.names, other.operations)
        other.into = self


@dataclass(frozen=True, slots=True)
class _Known:
    """A line that was read before: what all lines with the same key share."""

    seen: Seen
    renamed: bool  # its names hold digits, so that the next line may name others


class Miner:
    """Patterns of lines that come one by one."""

    def __init__(self, onset: datetime) -> None:
        self._onset = onset
        self._buckets: dict[Bucket, dict[Shape, Seen]] = {}
        self._coarse: set[Bucket] = set()
        self._quick: dict[str, _Known] = {}
        self._known: dict[str, _Known] = {}
        self._values: dict[str, None] = {}

    def add(self, line: LogLine) -> Seen:
        """Count a line. Gives what it was counted with; ask for its `whole` after the last line."""
        text = line.text
        quick = _DIGITS.sub("0", text[:_MOST_TEXT])
        known = self._quick.get(quick)
        if known is None:
            known = self._look_up(line, quick)
        seen = known.seen if known.seen.into is None else known.seen.whole
        if known.renamed and len(seen.names) < _MOST_NAMES:
            seen.learn(named(text))
        seen.count(line, line.time >= self._onset)
        return seen

    def _look_up(self, line: LogLine, quick: str) -> _Known:
        key = _IDS.sub("0", line.text[:_MOST_TEXT])
        own = "arn:aws" in key  # ARNs split lines, the account's digits too
        if own:
            key = " ".join((key, *sorted({_same_arn(one) for one in arns(line.text)})))
        known = self._known.get(key)
        if known is None:
            known = self._read(line)
            said = known.seen
            # Digits in what splits lines, or is searched for, make a line another one; it is read each time.
            if _DIGIT.search(" ".join((*said.bucket[:2], *said.operations))):
                return known
            _keep(self._known, key, known)
        if not own:
            _keep(self._quick, quick, known)
        return known

    def patterns(self) -> Iterator[Seen]:
        """What the lines so far come to: one for each template, in no order."""
        for bucket in list(self._buckets):
            self._merge(bucket)
            yield from self._buckets[bucket].values()

    def _read(self, line: LogLine) -> _Known:
        said = read(line.text)
        cut = tokens(_told(said, line.text)[:_MOST_TEXT])[:_MOST_TOKENS]
        for value in values(cut):
            if len(self._values) < _MOST_VALUES:
                self._values.setdefault(value)
        seen = self._place(self._bucket(said), shape(cut), shown(cut), line)
        names = (*said.arns, *said.names, *said.hosts)
        seen.learn(names, said.operations)
        return _Known(seen, renamed=_DIGIT.search(" ".join(names)) is not None)

    def _bucket(self, said: Entities) -> Bucket:
        bucket: Bucket = (said.code, said.reason, tuple(sorted({_same_arn(arn) for arn in said.arns})[:5]))
        if bucket not in self._buckets:
            if len(self._buckets) >= _MOST_BUCKETS:
                bucket = (said.code, said.reason, ())
            if len(self._buckets) >= 2 * _MOST_BUCKETS and bucket not in self._buckets:
                bucket = ("", "", ())
        return bucket

    def _place(self, bucket: Bucket, made: Shape, display: Shape, line: LogLine) -> Seen:
        known = self._buckets.setdefault(bucket, {})
        if made not in known and len(known) >= _MOST_SHAPES:
            self._merge(bucket)
            known = self._buckets[bucket]
            if len(known) > _MOST_SHAPES // 2:
                self._coarse.add(bucket)
        if bucket in self._coarse and made not in known:
            made = display = coarse(made)
            if made not in known and len(known) >= 2 * _MOST_SHAPES:
                made = display = (WILD,)  # beyond any use as a template, but counted
        if made not in known:
            known[made] = Seen(
                bucket, made, display, line.time, line.time, line.text[:_SAMPLE], line.time >= self._onset
            )
        return known[made]

    def _merge(self, bucket: Bucket) -> None:
        """Make one of the shapes that are one template."""
        known = self._buckets[bucket]
        made: dict[Shape, Seen] = {}
        for group in groups(known, self._values):
            whole, *others = (known[one] for one in group)
            if others:
                whole.shape = template(group)
                whole.display = template([whole.display, *(one.display for one in others)])
                for other in others:
                    whole.merge(other)
            if whole.shape in made:
                made[whole.shape].merge(whole)
            else:
                made[whole.shape] = whole
        self._buckets[bucket] = made


def _keep(known: dict[str, _Known], key: str, value: _Known) -> None:
    if len(known) >= _MOST_KNOWN:
        known.clear()
    known[key] = value


def mine(
    lines: Iterable[LogLine], group: str, onset: datetime, evidence: tuple[str, ...] = ()
) -> tuple[LogPattern, ...]:
    """The patterns of the lines of one log group: new ones first, then by how often since `onset`.

    `before` and `after` count lines before and since onset. Lambda's own lines (START, END, REPORT) are left
    out. The order of the lines does not matter. Texts must be redacted already.
    """
    miner = Miner(onset)
    for line in events(line for line in lines if not is_platform(line.text)):
        miner.add(line)
    made = [_pattern(seen, group, evidence) for seen in miner.patterns()]
    return tuple(sorted(made, key=lambda one: (not one.is_new, -one.after, -one.before, one.key)))


def _pattern(seen: Seen, group: str, evidence: tuple[str, ...]) -> LogPattern:
    code, reason, resources = seen.bucket
    said = "".join(seen.shape).strip()
    return LogPattern(
        key=digest(canonical([group, said, code, reason, resources]))[:16],
        log_group=group,
        template="".join(seen.display).strip(),
        sample=seen.sample,
        before=seen.before,
        after=seen.after,
        first=seen.first,
        last=seen.last,
        error_code=code,
        reason=reason,
        names=tuple(seen.names),
        operations=tuple(seen.operations),
        evidence=evidence,
    )
