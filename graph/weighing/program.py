"""Program: do those who fail say that it is their own program that fails, not what they call?"""

from __future__ import annotations

from collections.abc import Iterator

from graph.claims import log_claim, statement
from graph.facts import Facts
from graph.models import Hypothesis, TestResult
from graph.weights import WEIGHTS
from tools.models import LogPattern

_OWN = frozenset(
    {
        *("KeyError", "TypeError", "AttributeError", "NameError", "UnboundLocalError", "IndexError"),
        *("ZeroDivisionError", "RecursionError", "NotImplementedError", "ReferenceError", "RangeError"),
        *("NullPointerException", "ClassCastException", "ArithmeticException", "StackOverflowError"),
        *("IndexOutOfBoundsException", "ArrayIndexOutOfBoundsException", "NoSuchElementException"),
        *("NullReferenceException", "InvalidCastException", "IndexOutOfRangeException"),
        *("KeyNotFoundException", "NoMethodError", "FrozenError", "UnwrapError"),
    }
)
"""What a program raises over its own values, by the names that Python, JavaScript, Java, .NET and Ruby give it."""
_READS = frozenset(
    {"parameter", "secret", "configuration", "configuration-profile", "environment", "application"}
)
_RUNS = frozenset(
    {"task-definition", "launch-template", "alias", "state-machine-version", "state-machine-alias"}
)
_MOST = 0.5


def program(facts: Facts, hypothesis: Hypothesis) -> TestResult | None:
    """Speaks against what the failing resource relies on, when most of what it newly says is its program's own error.

    A refusal, a cut way or a slow answer is told by other texts. Nothing is said of the failing resource itself, of
    what it runs, or of values that it reads: these may well make its program fail.
    """
    resource = facts.resource(hypothesis.resource)
    if hypothesis.kind not in {"change", "setting"} or resource is None or resource.type in _READS | _RUNS:
        return None
    for group, pattern in _failing(facts):
        writers = facts.writers(group)
        if not writers or facts.holder(hypothesis.resource) in writers:
            continue
        if any(facts.path(writer, hypothesis.resource) for writer in writers):
            said = statement(
                "{count} log lines since the onset tell of an error of the program itself ({reason})",
                evidence=pattern.evidence,
                claims=[log_claim(pattern, facts.log_window)] if facts.log_window else [],
                count=pattern.after,
                reason=pattern.error_code,
            )
            return TestResult(test="logs", weight=WEIGHTS["logs.own_program"], statement=said)
    return None


def _failing(facts: Facts) -> Iterator[tuple[str, LogPattern]]:
    """Log groups in which errors of the program are most of what is new or louder, with the commonest of these."""
    groups: dict[str, list[LogPattern]] = {}
    for pattern in facts.patterns:
        if facts.louder(pattern):
            groups.setdefault(pattern.log_group, []).append(pattern)
    for group, louder in groups.items():
        own = [one for one in louder if one.error_code.rpartition(".")[2] in _OWN and not one.names]
        if own and sum(one.after for one in own) >= _MOST * sum(one.after for one in louder):
            yield group, max(own, key=lambda one: one.after)
