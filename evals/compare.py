"""Two results of the suite side by side: what each case gained and lost, and whether the whole did."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from evals.bootstrap import Interval, grouped, paired
from evals.results import read_outcomes
from tools.errors import BadInput

Row = Mapping[str, Any]
Key = tuple[str, int, str]
"""Case, seed, variant."""

_WIDTH = 22


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One run in both results. `better`, `worse`: names of items that passed in one of them only."""

    case: str
    seed: int
    variant: str = ""
    better: tuple[str, ...] = ()
    worse: tuple[str, ...] = ()

    @property
    def title(self) -> str:
        return _title((self.case, self.seed, self.variant))


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """Everything that differs. `totals`: name -> second minus first, over the runs that both hold.

    Variants have totals of their own.
    """

    runs: int
    changes: tuple[Change, ...]
    only_first: tuple[str, ...]
    only_second: tuple[str, ...]
    totals: Mapping[str, Interval]

    def render(self) -> str:
        """As plain text. Ends with a newline."""
        lines = [f"{self.runs} runs in both results"]
        for where, names in (("first", self.only_first), ("second", self.only_second)):
            lines += [f"only in the {where}: {', '.join(names)}"] if names else []
        for one in self.changes:
            lines += [f"{one.title}: better: {', '.join(one.better)}"] if one.better else []
            lines += [f"{one.title}: worse: {', '.join(one.worse)}"] if one.worse else []
        lines += [] if self.changes else ["no run got better or worse"]
        lines += ["", f"{'second minus first':<{_WIDTH}}  {'change':>8}  95 % over cases"]
        for name, of in self.totals.items():
            form = _FORMS.get(name, "{:+.1%}")
            lines.append(
                f"{name:<{_WIDTH}}  {form.format(of.mean):>8}  {form.format(of.low)} to {form.format(of.high)}"
            )
        return "\n".join(lines) + "\n"


def _passed(name: str) -> Callable[[Row], float | None]:
    return lambda row: _items(row).get(name)


_TOTALS: Mapping[str, Callable[[Row], float | None]] = {
    "all right": lambda row: float(row["right"]),
    "cause": _passed("cause"),
    "cause, silence at 0": lambda row: float(row["points"]),
    "actor": _passed("actor"),
    "prior value": _passed("prior"),
    "plan exact": _passed("plan"),
    "gaps": _passed("gaps"),
    "decoys ruled out": _passed("ruled out"),
    "onset off by": lambda row: row["score"]["onset_error"],
    "Brier": lambda row: _brier(row),
    "false claims": lambda row: float(len(row["false_claims"])),
    "harmful steps": lambda row: float(row["score"]["harmful"]),
    "AWS calls": lambda row: float(row["calls"]),
}
_VARIED = ("all right", "cause", "false claims")
_FORMS = {
    "cause, silence at 0": "{:+.2f}",
    "onset off by": "{:+.1f} s",
    "Brier": "{:+.4f}",
    "false claims": "{:+.2f}",
    "false claims, variants": "{:+.2f}",
    "harmful steps": "{:+.2f}",
    "AWS calls": "{:+.1f}",
}


def compare(first: Path, second: Path) -> Comparison:
    """Two result files, or folders that `--out` wrote. Raises BadInput when one is none, or they share no run."""
    return compared(read_outcomes(first), read_outcomes(second))


def compared(first: Sequence[Row], second: Sequence[Row]) -> Comparison:
    """Outcomes as `SuiteResult.as_json` writes them. Raises BadInput when they share no run."""
    before, after = ({_key(row): row for row in rows} for rows in (first, second))
    both = [key for key in before if key in after]
    if not both:
        raise BadInput("The two results share no run: no case with the same seed is in both.")
    changes = (_change(key, before[key], after[key]) for key in both)
    pairs = [(before[key], after[key]) for key in both]
    plain = [pair for pair in pairs if not _key(pair[0])[2]]
    varied = [pair for pair in pairs if _key(pair[0])[2]]
    asked = [(name, value, plain) for name, value in _TOTALS.items()]
    asked += [(f"{name}, variants", _TOTALS[name], varied) for name in _VARIED]
    totals = {name: of for name, value, rows in asked if (of := _total(value, rows)) is not None}
    return Comparison(
        runs=len(both),
        changes=tuple(one for one in changes if one.better or one.worse),
        only_first=_names(set(before) - set(after)),
        only_second=_names(set(after) - set(before)),
        totals=totals,
    )


def _total(value: Callable[[Row], float | None], rows: Sequence[tuple[Row, Row]]) -> Interval | None:
    """The paired difference over the runs for which both sides have a value."""
    found = [(before["case"], value(before), value(after)) for before, after in rows]
    left = [(case, old) for case, old, new in found if old is not None and new is not None]
    right = [(case, new) for case, old, new in found if old is not None and new is not None]
    return paired(grouped(left), grouped(right))


def _items(row: Row) -> dict[str, float]:
    return {item["name"]: float(item["ok"]) for item in row["score"]["items"] if item["asked"]}


def _brier(row: Row) -> float | None:
    said = row["score"]["predicted"]
    return None if said is None else (said - (row["score"]["stance"] == "right")) ** 2


def _key(row: Row) -> Key:
    return row["case"], row["seed"], row.get("variant", "")


def _title(key: Key) -> str:
    case, seed, variant = key
    return f"{case} seed {seed}" + (f", {variant}" if variant else "")


def _change(key: Key, before: Row, after: Row) -> Change:
    old, new = _all_items(before), _all_items(after)
    return Change(
        case=key[0],
        seed=key[1],
        variant=key[2],
        better=tuple(name for name in dict.fromkeys([*old, *new]) if new.get(name) and not old.get(name)),
        worse=tuple(name for name in dict.fromkeys([*old, *new]) if old.get(name) and not new.get(name)),
    )


def _all_items(row: Row) -> dict[str, bool]:
    """Every item, asked or not, and the whole: one that appears or fails by itself counts too."""
    return {item["name"]: item["ok"] for item in row["score"]["items"]} | {"report": not row["error"]}


def _names(keys: set[Key]) -> tuple[str, ...]:
    return tuple(_title(key) for key in sorted(keys))
