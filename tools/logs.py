"""Error lines of log groups: counted by AWS, read as a bounded sample, mined into patterns.

AWS source: CloudWatch Logs Insights (StartQuery, GetQueryResults); where it is refused, FilterLogEvents,
whose counts are exact only when all pages were read. Every text is redacted before it is kept.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from tools.clock import ceil, floor
from tools.errors import Denied, NotThere, Refused, Unavailable
from tools.log_lines import LambdaReport, LogLine, lambda_reports
from tools.models import Gap, Json, LogPattern, Window
from tools.patterns import mine
from tools.redact import redact

if TYPE_CHECKING:
    from tools.aws import Reader

MOST_GROUPS = 20
_FIRST, _LAST, _BEFORE = 150, 100, 40  # lines read: since onset, newest of other kinds, before onset
_LITERALS = 8  # codes and reasons counted by AWS per group
_CITED = 25  # patterns with evidence of their own, per group
_POLLS = 20
_PAGES = 10
_BASELINE = timedelta(days=5)  # at one row a minute this keeps below Insights' 10,000 rows
_SETTLED = timedelta(minutes=2)  # younger lines may not be there yet, and a total that grows is no fact
_SHOWS = "what the application said, and how often"

_WORDS = (
    "error|exception|throttl|fatal|critical|timed out|timeout|denied|refused|fail|killed|exceed|out of memory|panic"
    r"|unable to|enotfound|no such host|invalid permissions|status(code)?\W{1,4}5\d\d"
    "|too many|not enough|no space left|cannot allocate|not allowed|maximum number of|all threads|no live upstreams"
    "|disk is full|disk full|oom-killer|oom-kill:|expired|unreachable|reset by peer|broken pipe|deadlock|rejected|abort"
    r"|http\/\d\.\d\W{1,2}5\d\d"
)
ERROR_LINE = re.compile(_WORDS, re.IGNORECASE)
"""What a line must hold to be looked at; every text that a signature knows has one of these words."""
_FILTER = f"filter @message like /(?i)({_WORDS})/"
# FilterLogEvents is case-sensitive and knows no regular expression in ?terms.
TERMS = (
    "?error ?Error ?ERROR ?exception ?Exception ?throttl ?Throttl ?FATAL ?fatal ?CRITICAL ?denied ?Denied ?refused "
    '?fail ?Fail ?killed ?exceed ?Exceed ?ENOTFOUND ?timeout ?Timeout ?"timed out" ?"Timed out" ?"out of memory" '
    '?"unable to" ?"Invalid permissions" ?"oo many" ?"not enough" ?"o space left" ?"annot allocate" ?"not allowed" '
    '?"Maximum number of" ?"All threads" ?"no live upstreams" ?"isk is full" ?"isk full" ?"oom-kill" ?expired '
    '?unreachable ?"reset by peer" ?"roken pipe" ?eadlock ?ejected ?abort ?Abort ?"Unable to" ?"ut of memory" '
    '?" 500 " ?" 502 " ?" 503 " ?" 504 "'
)


@dataclass(frozen=True, slots=True, kw_only=True)
class LogCount:
    """Lines of a log group that contain an error code or reason. `exact`: AWS counted them, or all were read."""

    group: str
    literal: str
    before: int
    after: int
    exact: bool
    evidence: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class LogFindings:
    """What the groups said in `before` and `after` (whole minutes, split at onset).

    Counts inside a pattern are of the lines read; when `sampled`, only `counts` may be quoted as totals.
    `quiet` groups logged before onset and nothing at all since: throttled functions never start, so they
    log nothing. `empty` groups logged nothing in either.
    """

    patterns: tuple[LogPattern, ...] = ()
    counts: tuple[LogCount, ...] = ()
    groups_seen: tuple[str, ...] = ()
    quiet: tuple[str, ...] = ()
    empty: tuple[str, ...] = ()
    reports: tuple[LambdaReport, ...] = ()
    lines_read: int = 0
    sampled: bool = False
    before: Window | None = None
    after: Window | None = None


@dataclass(slots=True)
class _Group:
    """What was read of one log group."""

    name: str
    before: list[LogLine] = field(default_factory=list)
    after: list[LogLine] = field(default_factory=list)
    answer: str = ""  # evidence id that the sample lines come from
    complete: bool = True
    insights: bool = True
    read_before: float = 1.0  # share of the lines that AWS has
    read_after: float = 1.0
    clean_before: bool = False  # AWS counted no error line before onset
    any_before: int | None = None  # all lines, not only errors; None: not asked
    any_after: int | None = None


def patterns(
    reader: Reader, groups: Sequence[str], window: Window, onset: datetime, baseline: Window
) -> LogFindings:
    """Patterns and counts of error lines in `window` since `onset`, and in `baseline` before it.

    A group that does not exist or may not be read is a gap and not in `groups_seen`. The newest two minutes are left
    out, unless onset lies in them: see `after` of the findings.
    """
    split = floor(onset, 60)
    start = max(split, floor(window.start, 60))
    settled = floor(reader.as_of - _SETTLED, 60)
    after = Window(
        start=start, end=min(ceil(window.end, 60), settled if settled > start else ceil(reader.as_of, 60))
    )
    end = min(ceil(baseline.end, 60), split)
    before = Window(start=max(floor(baseline.start, 60), end - _BASELINE), end=end)
    wanted = list(dict.fromkeys(groups))
    if len(wanted) > MOST_GROUPS:
        left = ", ".join(wanted[MOST_GROUPS:])
        reader.missing("log groups", f"only {MOST_GROUPS} are read; left out: {left}", _SHOWS, code="TooMuch")
    found: list[tuple[_Group, tuple[LogPattern, ...], tuple[LogCount, ...]]] = []
    insights = True
    for name in wanted[:MOST_GROUPS]:
        with reader.seeing(f"log group {name}", _SHOWS):
            group, insights = _read(reader, name, before, after, insights)
            made = mine([*group.before, *group.after], name, split)
            counts = _counts(reader, group, made, before, after)
            found.append((group, _cited(reader, group, _exactly(made, counts, group)), counts))
    return _findings(found, before, after)


def _findings(
    found: Sequence[tuple[_Group, tuple[LogPattern, ...], tuple[LogCount, ...]]],
    before: Window,
    after: Window,
) -> LogFindings:
    read = [group for group, _, _ in found]
    every = [pattern for _, made, _ in found for pattern in made]
    return LogFindings(
        patterns=tuple(sorted(every, key=lambda one: (not one.is_new, -one.after, -one.before, one.key))),
        counts=tuple(count for _, _, counts in found for count in counts),
        groups_seen=tuple(group.name for group in read),
        quiet=tuple(group.name for group in read if group.any_after == 0 and group.any_before),
        empty=tuple(group.name for group in read if group.any_after == 0 and group.any_before == 0),
        reports=lambda_reports(line for group in read for line in (*group.before, *group.after)),
        lines_read=sum(len(group.before) + len(group.after) for group in read),
        sampled=not all(group.complete for group in read),
        before=before,
        after=after,
    )


def _read(reader: Reader, name: str, before: Window, after: Window, insights: bool) -> tuple[_Group, bool]:
    """The group's lines, and whether Insights is worth another try. Raises NotThere, BudgetSpent."""
    if insights:
        try:
            return _by_insights(reader, name, before, after), True
        except NotThere:
            raise
        except Refused as refusal:
            shown = "exact counts of log lines"
            reader.gaps.append(replace(refusal.gap, what="Logs Insights", would_show=shown))
            insights = not isinstance(refusal, Denied)
    return _by_filter(reader, name, before, after), insights


# ---- Logs Insights


def _by_insights(reader: Reader, name: str, before: Window, after: Window) -> _Group:
    group = _Group(name)
    since, group.answer = _count(reader, name, after, _FILTER)
    earlier, _ = _count(reader, name, before, _FILTER)
    if since > _FIRST + _LAST:
        group.after, group.answer = _rows(reader, name, after, "asc", _FIRST)
        # One flood must not hide what else is logged: the newest lines that say something else.
        newest, _ = _rows(
            reader, name, after, "desc", _LAST, _without(_loudest(group.after, name, after.start))
        )
        group.after += newest
    elif since:
        group.after, group.answer = _rows(reader, name, after, "asc", _FIRST + _LAST)
    if earlier:
        group.before, answer = _rows(reader, name, before, "desc", _BEFORE)
        group.answer = group.answer if since else answer
    group.complete = since <= _FIRST + _LAST and earlier <= _BEFORE
    group.read_after = min(1.0, len(group.after) / since) if since else 1.0
    group.read_before = min(1.0, len(group.before) / earlier) if earlier else 1.0
    group.clean_before = earlier == 0
    if not since:
        group.any_after, _ = _count(reader, name, after, "")
        if group.any_after == 0:
            group.any_before, _ = _count(reader, name, before, "")
    return group


def _count(reader: Reader, name: str, span: Window, condition: str) -> tuple[int, str]:
    """Matching lines in `span`. Minutes are counted apart, since Insights takes the end of a range as included."""
    query = f"{condition} | " if condition else ""
    rows, answer = _query(
        reader, name, span, f"{query}stats count(*) as n by bin(1m) as minute | limit 10000"
    )
    counted = ((_moment(row.get("minute") or row.get("bin(1m)", "")), row.get("n", "0")) for row in rows)
    return sum(int(float(n)) for minute, n in counted if minute is not None and minute in span), answer


def _loudest(lines: Sequence[LogLine], name: str, split: datetime) -> list[str]:
    """The reasons and codes of the patterns that fill a sample, as they stand in the lines."""
    made = mine(lines, name, split)
    words = {one.reason or one.error_code for one in made if one.after > len(lines) // 10}
    return sorted(words - {""})[:_LITERALS]


def _without(words: Sequence[str]) -> str:
    return "".join(f" | filter @message not like {_quoted(word)}" for word in words)


def _quoted(word: str) -> str:
    escaped = word.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _rows(
    reader: Reader, name: str, span: Window, order: str, limit: int, less: str = ""
) -> tuple[list[LogLine], str]:
    text = (
        f"fields @timestamp, @message, @logStream | {_FILTER}{less} | sort @timestamp {order} | limit {limit}"
    )
    rows, answer = _query(reader, name, span, text)
    lines = []
    for row in rows:
        moment = _moment(row.get("@timestamp", ""))
        if moment is not None and moment in span:
            lines.append(_line(moment, row.get("@message", ""), row.get("@logStream", "")))
    return lines, answer


def _line(moment: datetime, text: str, stream: str) -> LogLine:
    return LogLine(moment, redact(text.rstrip("\n")), stream)


def _moment(text: str) -> datetime | None:
    """Insights writes times as "2026-03-13 17:12:31.123", in UTC."""
    try:
        return datetime.strptime(text, "%Y-%m-%d %H:%M:%S.%f").replace(tzinfo=UTC)
    except ValueError:
        return None


def _query(reader: Reader, name: str, span: Window, text: str) -> tuple[list[dict[str, str]], str]:
    """Rows of a query and the evidence id of the answer. Waits on the run's clock. Raises Refused."""
    if span.end <= span.start:
        return [], ""
    started = reader.ask(
        "logs",
        "StartQuery",
        logGroupName=name,
        startTime=int(span.start.timestamp()),
        endTime=int(span.end.timestamp()),
        queryString=text,
    )
    query = str(started.data["queryId"])
    status = ""
    for poll in range(_POLLS):
        reader.aws.clock.sleep(min(5.0, 0.5 * 2**poll))
        answer = reader.ask("logs", "GetQueryResults", queryId=query)
        status = str(answer.data.get("status", ""))
        if status == "Complete":
            rows = answer.data.get("results") or []
            return [{cell["field"]: cell.get("value", "") for cell in row} for row in rows], answer.evidence
        if status not in ("Scheduled", "Running", "Unknown"):
            break
    else:
        with suppress(Refused):
            reader.ask("logs", "StopQuery", queryId=query)
    why = (
        f"the query ended as {status}"
        if status not in ("Scheduled", "Running", "Unknown")
        else "the query took too long"
    )
    raise Unavailable(
        Gap(what="logs:GetQueryResults", why=why, lift="Ask again with a shorter window."), status
    )


# ---- FilterLogEvents


def _by_filter(reader: Reader, name: str, before: Window, after: Window) -> _Group:
    """The lines from FilterLogEvents, which gives the oldest first: so of the time before, only the last hour."""
    group = _Group(name, insights=False)
    group.after, group.answer, whole = _filtered(reader, name, after, _FIRST + _LAST, TERMS)
    hour = Window(start=max(before.start, before.end - timedelta(hours=1)), end=before.end)
    group.before, answer, earlier_whole = _filtered(reader, name, hour, _BEFORE, TERMS)
    group.answer = group.answer if group.after else answer
    group.complete = whole and earlier_whole and hour == before
    group.read_after = 1.0 if whole else _covered(group.after, after)
    group.read_before = (
        (1.0 if earlier_whole else _covered(group.before, hour)) * hour.seconds / before.seconds
    )
    if not group.after and whole:
        some, _, all_seen = _filtered(reader, name, after, 1, "")
        group.any_after = len(some) if some or all_seen else None
        if group.any_after == 0:
            some, _, all_seen = _filtered(reader, name, before, 1, "")
            group.any_before = len(some) if some or all_seen else None
    return group


def _covered(lines: Sequence[LogLine], span: Window) -> float:
    """The share of a time that lines read from its start on reach over."""
    last = max((line.time for line in lines), default=span.start)
    return min(1.0, max((last - span.start).total_seconds(), 1.0) / max(span.seconds, 1.0))


def _filtered(
    reader: Reader, name: str, span: Window, most: int, terms: str
) -> tuple[list[LogLine], str, bool]:
    """Up to `most` lines, the first answer with lines, and whether that was all."""
    lines: list[LogLine] = []
    source, following = "", None
    if span.end <= span.start:
        return lines, source, True
    for _ in range(_PAGES):
        more: Json = ({"filterPattern": terms} if terms else {}) | (
            {"nextToken": following} if following else {}
        )
        answer = reader.ask(
            "logs",
            "FilterLogEvents",
            logGroupName=name,
            startTime=int(span.start.timestamp() * 1000),
            endTime=int(span.end.timestamp() * 1000) - 1,  # the end is included
            limit=min(most, 1000),
            **more,
        )
        for event in answer.data.get("events") or []:
            moment = datetime.fromtimestamp(event["timestamp"] / 1000, UTC)
            lines.append(_line(moment, event.get("message", ""), event.get("logStreamName", "")))
        source = source or (answer.evidence if lines else "")
        following = answer.data.get("nextToken")
        if not following or len(lines) >= most:
            break
    return lines, source or answer.evidence, not following


# ---- counts and evidence


def _counts(
    reader: Reader, group: _Group, made: Sequence[LogPattern], before: Window, after: Window
) -> tuple[LogCount, ...]:
    """How many lines contain each code and reason. AWS counts them when not every line was read."""
    weight: Counter[str] = Counter()
    for pattern in made:
        for literal in {pattern.error_code, pattern.reason} - {""}:
            weight[literal] += pattern.after * 1000 + pattern.before
    counts = []
    for number, literal in enumerate(sorted(weight, key=lambda one: (-weight[one], one))):
        earlier, since = _containing(group.before, literal), _containing(group.after, literal)
        filtered = ERROR_LINE.search(literal) is not None  # every line with it was asked for
        exact, answer = group.complete and filtered, group.answer
        if not exact and group.insights and number < _LITERALS:
            with reader.seeing(f"count of {literal} in {group.name}", "the exact number of such lines"):
                condition = f"filter @message like {_quoted(literal)}"
                counted, answer = _count(reader, group.name, after, condition)
                if not (group.clean_before and filtered):
                    earlier, _ = _count(reader, group.name, before, condition)
                since, exact = counted, True
        told = {
            "log_group": group.name,
            "lines_with": literal,
            "since_onset": since,
            "before_onset": earlier,
            "exact": exact,
            "from": after.start.isoformat(),
            "to": after.end.isoformat(),
            "baseline_from": before.start.isoformat(),
        }
        evidence = (reader.cite(answer, told, after.end),) if answer else ()
        counts.append(
            LogCount(
                group=group.name, literal=literal, before=earlier, after=since, exact=exact, evidence=evidence
            )
        )
    return tuple(counts)


def _containing(lines: Iterable[LogLine], literal: str) -> int:
    return sum(literal in line.text for line in lines)


def _exactly(made: Sequence[LogPattern], counts: Sequence[LogCount], group: _Group) -> tuple[LogPattern, ...]:
    """Patterns that alone have their reason, or their code, take AWS's count of it when lines were sampled."""
    if group.complete:
        return tuple(made)
    known = {count.literal: count for count in counts if count.exact}
    alone = Counter(pattern.reason or pattern.error_code for pattern in made)
    within = Counter(literal for pattern in made for literal in {pattern.error_code, pattern.reason})
    found = []
    for pattern in made:
        literal = pattern.reason or pattern.error_code
        count = known.get(literal)
        if count is not None and alone[literal] == 1 and within[literal] == 1:
            pattern = replace(pattern, before=count.before, after=count.after)
        else:
            pattern = replace(pattern, read_before=group.read_before, read_after=group.read_after)
        found.append(pattern)
    return tuple(found)


def _cited(reader: Reader, group: _Group, made: Sequence[LogPattern]) -> tuple[LogPattern, ...]:
    """The patterns with evidence of their own: template, one line, counts."""
    found = []
    for number, pattern in enumerate(made):
        if number < _CITED and group.answer:
            told = {
                "log_group": group.name,
                "line": pattern.sample[:1200],
                "error_code": pattern.error_code,
                "reason": pattern.reason,
                "lines_read_since_onset" if not group.complete else "lines_since_onset": pattern.after,
                "lines_read_before_onset" if not group.complete else "lines_before_onset": pattern.before,
                "first": pattern.first.isoformat(),
                "last": pattern.last.isoformat(),
            }
            pattern = replace(pattern, evidence=(reader.cite(group.answer, told, pattern.first),))
        found.append(pattern)
    return tuple(found)
