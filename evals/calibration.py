"""Is the displayed confidence worth its number? Predictions against what turned out right.

The prediction of a run is the probability that its answer about the cause is right:

- a named root cause: the confidence that the report shows for it;
- no culprit named ("recovered", "no incident", "not found", "not yet"): 1 - the probability of the likeliest culprit
  among the hypotheses. Who says "nothing found" says that none of them is it.

An answer that finds nothing where there was something counts as not right, so that silence is no way to look sure.

Answers about cases that opsleuth was built on are nearly all right, and tell little: runs without what is known of the
change, and runs of variants, are judged apart and together with them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import exp, log

from evals.bootstrap import Interval, spread

EDGES = (0.0, 0.5, 0.7, 0.8, 0.9, 0.95, 1.0)
"""Bins of the reliability table: each holds its lower edge; the last one holds both."""

SURE = 0.8

_CLIP = 0.001
"""For the log loss only: a certainty that is wrong costs 6.9, not infinitely much."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Prediction:
    """The probability that a run gave to its own answer, and whether that was right."""

    case: str
    said: float
    right: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Bin:
    """Predictions from `low` up to `high`: how many, their mean, and the share that was right."""

    low: float
    high: float
    runs: int
    said: float
    right: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Calibration:
    """Scores of all predictions. `constant_*`: what the best constant, the share right itself, would score."""

    runs: int
    share_right: float
    bins: tuple[Bin, ...]
    brier: float
    constant_brier: float
    log_loss: float
    constant_log_loss: float
    when_right: float | None  # mean prediction; None when no run was right
    when_wrong: float | None
    sure_and_wrong: float  # share of all answers that were wrong with more than `SURE`
    brier_gain: Interval  # the best constant's Brier score less that of the predictions, over draws of cases
    log_loss_gain: Interval
    slope: float | None  # by which all log-odds would have to be multiplied for the least log loss

    @property
    def gap(self) -> float | None:
        """Mean prediction when right minus when wrong; None when one of the two never happened."""
        if self.when_right is None or self.when_wrong is None:
            return None
        return self.when_right - self.when_wrong

    @property
    def beats_constant(self) -> bool | None:
        """Brier better than the best constant's; None when all runs are alike, for then the constant is perfect."""
        return None if self.constant_brier == 0 else self.brier < self.constant_brier

    @property
    def surely_beats_constant(self) -> bool | None:
        """Whether both scores are better in 95 % of the draws of cases; None as `beats_constant`."""
        if self.constant_brier == 0:
            return None
        return self.brier_gain.low > 0 and self.log_loss_gain.low > 0


def calibration(predictions: Sequence[Prediction]) -> Calibration | None:
    """Reliability table, Brier and log loss of the predictions; None without any."""
    if not predictions:
        return None
    share = _mean([float(one.right) for one in predictions])
    right = [one.said for one in predictions if one.right]
    wrong = [one.said for one in predictions if not one.right]
    return Calibration(
        runs=len(predictions),
        share_right=share,
        bins=_bins(predictions),
        brier=_mean([_squared(one.said, one.right) for one in predictions]),
        constant_brier=share * (1 - share),
        log_loss=_mean([_log_loss(one.said, one.right) for one in predictions]),
        constant_log_loss=_entropy(share),
        when_right=_mean(right) if right else None,
        when_wrong=_mean(wrong) if wrong else None,
        sure_and_wrong=_mean([float(one.said > SURE and not one.right) for one in predictions]),
        brier_gain=_gain(predictions, _squared, lambda share: share * (1 - share)),
        log_loss_gain=_gain(predictions, _log_loss, _entropy),
        slope=_slope(predictions) if right and wrong else None,
    )


def _gain(
    predictions: Sequence[Prediction],
    loss: Callable[[float, bool], float],
    of_constant: Callable[[float], float],
) -> Interval:
    """By how much the loss is below that of the best constant, which is chosen anew for every draw of cases."""

    def gain(lost: float, right: float, count: float) -> float:
        return of_constant(right / count) - lost / count

    sums: dict[str, tuple[float, float, float]] = {}
    for one in predictions:
        lost, right, count = sums.get(one.case, (0.0, 0.0, 0.0))
        sums[one.case] = (lost + loss(one.said, one.right), right + one.right, count + 1)
    return spread(sums, gain)


_SLOPES = tuple(n / 20 for n in range(1, 101))


def _slope(predictions: Sequence[Prediction]) -> float:
    """Above 1: too modest; below 1: too sure."""
    odds = [(log(said / (1 - said)), one.right) for one in predictions for said in [_clipped(one.said)]]

    def loss(slope: float) -> float:
        return sum(_log_loss(1 / (1 + exp(-slope * one)), right) for one, right in odds)

    return min(_SLOPES, key=loss)


def _squared(said: float, right: bool) -> float:
    return (said - right) ** 2


def _entropy(share: float) -> float:
    return sum(-part * log(part) for part in (share, 1 - share) if part > 0)


def _bins(predictions: Sequence[Prediction]) -> tuple[Bin, ...]:
    """The bins that hold any prediction, lowest first."""
    found = []
    for low, high in pairwise(EDGES):
        inside = [
            one for one in predictions if low <= one.said < high or (high == EDGES[-1] and one.said == high)
        ]
        if inside:
            found.append(
                Bin(
                    low=low,
                    high=high,
                    runs=len(inside),
                    said=_mean([one.said for one in inside]),
                    right=_mean([float(one.right) for one in inside]),
                )
            )
    return tuple(found)


def _log_loss(said: float, right: bool) -> float:
    clipped = _clipped(said)
    return -log(clipped if right else 1 - clipped)


def _clipped(said: float) -> float:
    return min(1 - _CLIP, max(_CLIP, said))


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)
