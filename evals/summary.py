"""A suite's result as text: one line per case and seed, what failed and why, and the baseline beside."""

from __future__ import annotations

from evals.suite import Outcome, SuiteResult

_SHORT = {
    "verdict": "verdict",
    "cause": "cause",
    "prior": "prior",
    "actor": "actor",
    "plan": "plan",
    "harmless": "harmless",
    "gaps": "gaps",
    "ruled out": "decoys",
    "onset": "onset",
    "prevention": "prevent",
    "revisions": "revs",
    "claims": "claims",
}


def render(result: SuiteResult) -> str:
    """The table, the reasons of what failed, and the totals. Ends with a newline."""
    width = max([len("case"), *(len(outcome.case) for outcome in result.outcomes)])
    head = [f"{'case':<{width}}", "seed", *_SHORT.values(), "latest change", "calls", "seconds"]
    lines = ["  ".join(head), *(_row(outcome, width) for outcome in result.outcomes)]
    return "\n".join([*lines, "", *_reasons(result), *_totals(result)]) + "\n"


def _row(outcome: Outcome, width: int) -> str:
    marks = {item.name: "✓" if item.ok else "✗" for item in outcome.score.items}
    cells = [f"{outcome.case:<{width}}", f"{outcome.seed:>4}"]
    cells += [f"{marks.get(name, '–'):^{len(short)}}" for name, short in _SHORT.items()]
    cells += [
        f"{'✓' if outcome.baseline_right else '✗':^13}",
        f"{outcome.calls:>5}",
        f"{outcome.seconds:>7.1f}",
    ]
    return "  ".join(cells)


def _reasons(result: SuiteResult) -> list[str]:
    lines = []
    for outcome in result.outcomes:
        where = f"{outcome.case} seed {outcome.seed}"
        if outcome.error:
            lines.append(f"{where}: no report. {outcome.error}")
            continue
        lines += [
            f"{where}: {item.name}: {item.why}" for item in outcome.score.failed if item.name != "claims"
        ]
        lines += [f"{where}: false claim: {sentence}" for sentence in outcome.false_claims]
        lines += [f"{where}: the world holds no answer for {miss}" for miss in outcome.misses]
    return [*lines, ""] if lines else []


def _totals(result: SuiteResult) -> list[str]:
    runs = len(result.outcomes)
    baseline = sum(outcome.baseline_right for outcome in result.outcomes)
    calls = sum(outcome.calls for outcome in result.outcomes)
    seconds = sum(outcome.seconds for outcome in result.outcomes)
    errors = sorted(o.score.onset_error for o in result.outcomes if o.score.onset_error is not None)
    onset = f", onset off by {errors[len(errors) // 2]:.0f} s (median)" if errors else ""
    return [
        f"opsleuth right in {result.right} of {runs}{onset}; false claims: {result.false_claims}",
        f'"latest change wins" right in {baseline} of {runs}',
        f"{calls} AWS calls, {seconds:.1f} s",
    ]
