"""Which resource's metrics changed first, on the hand-made shop."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from graph.facts import Facts
from graph.first_moved import first_moved, told
from graph.models import MetricFinding
from tests.graph.made import NOTIFIER, ONSET, STRANGER, TABLE, WRITER, at_rest, facts, function, shop
from tools.models import Onset

HARM = {"errors", "throttles", "latency"}
SHOP = (*shop(), function(STRANGER, "tax-report"))


def moved(item: MetricFinding, begin: float, end: float, **changed: Any) -> MetricFinding:
    """The metric with an onset between so many minutes after that of the symptom."""
    onset = Onset(
        earliest=ONSET + timedelta(minutes=begin),
        latest=ONSET + timedelta(minutes=end),
        confidence=0.95,
        shape="step",
    )
    return item.model_copy(
        update={"moved": True, "direction": "up", "onset": replace(onset, **changed), "evidence": ("M1",)}
    )


def shown(*moves: tuple[str, float, float], **changed: Any) -> Facts:
    """The shop, with the first metrics of resources moved; `changed` is of all of their onsets."""
    rest = at_rest(SHOP)
    made = []
    for where, begin, end in moves:
        place = next(n for n, one in enumerate(rest) if (one.resource, one.role in HARM) == (where, True))
        made.append(moved(rest.pop(place), begin, end, **changed))
    return replace(facts((NOTIFIER, "Errors"), {}, resources=SHOP), metrics=(*rest, *made))


def names(known: Facts) -> list[str]:
    return [known.name(one.finding.resource) for one in first_moved(known)]


def test_what_moved_first_is_told_before_what_followed() -> None:
    known = shown((WRITER, 3, 4), (TABLE, 0, 1))
    assert names(known) == ["parcels", "parcel-writer"]
    (said,) = told(known)
    metrics = [one.finding.metric.name for one in first_moved(known)]
    assert said.text == (
        f"{metrics[0]} of table parcels changed at 2026-04-09T10:00:00Z, before "
        f"{metrics[1]} of function parcel-writer at 2026-04-09T10:03:00Z."
    )
    assert [(one.subject, one.how, one.start, one.end) for one in said.claims] == [
        (TABLE, "onset", ONSET, ONSET + timedelta(minutes=1)),
        (WRITER, "onset", ONSET + timedelta(minutes=3), ONSET + timedelta(minutes=4)),
    ]
    assert said.evidence == ("M1",)


@pytest.mark.parametrize("after", [0.5, -0.5])
def test_intervals_that_overlap_tell_no_order(after: float) -> None:
    assert told(shown((TABLE, 0, 1), (WRITER, after, after + 2))) == ()


def test_moments_are_as_fine_as_the_period() -> None:
    """The table's ends within a minute: the writer's, of the same minute, is not after it."""
    assert told(shown((TABLE, 0, 0.5), (WRITER, 0.6, 1))) == ()
    assert len(told(shown((TABLE, 0, 0.5), (WRITER, 1, 1.5)))) == 1


def test_only_what_is_related_follows() -> None:
    assert told(shown((TABLE, 0, 1), (STRANGER, 3, 4))) == ()


@pytest.mark.parametrize("changed", [{"shape": "ramp"}, {"shape": "sawtooth"}, {"confidence": 0.7}])
def test_what_has_no_clear_moment_leads_nothing(changed: dict[str, Any]) -> None:
    assert told(shown((TABLE, 0, 1), (WRITER, 3, 4), **changed)) == ()


def test_nothing_is_told_where_nothing_moved() -> None:
    assert told(shown()) == ()
    assert told(shown((TABLE, 0, 1))) == ()
