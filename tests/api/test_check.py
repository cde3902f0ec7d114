from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.check import QUIET, Judgement, judge
from api.check_facts import Beside, Facts, Later, Setting, Symptom, Traffic, same
from tools.models import Gap, Value

NOW = datetime(2026, 3, 13, 18, 0, tzinfo=UTC)
BACK = Setting(
    name="maximum write throughput of bookings", live=320, seen=True, bad=3, prior=320, prior_known=True
)
STILL = replace(BACK, live=3)


def series(*values: float) -> tuple[tuple[datetime, float], ...]:
    start = NOW - timedelta(minutes=len(values))
    return tuple((start + timedelta(minutes=n), value) for n, value in enumerate(values))


def symptom(*values: float) -> Symptom:
    return Symptom(name="WriteThrottleEvents", period=60, points=series(*values), normal=0.0, incident=5000.0)


def later(value: Value, minute: int = 30) -> Later:
    time = datetime(2026, 3, 13, 17, minute, tzinfo=UTC)
    return Later(id=f"e{minute}", time=time, operation="UpdateTable", by="ops-44 (cli)", value=value)


QUIET_NOW = symptom(5000, 4000, *[0] * QUIET)


def said(judgement: Judgement) -> str:
    return " ".join(judgement.lines)


def test_recovered_needs_the_setting_back_and_the_symptom_gone() -> None:
    found = judge(Facts(setting=BACK, symptom=QUIET_NOW, alarm="bookings-throttled", alarm_state="OK"))
    assert found.word == "RECOVERED"
    assert found.settled
    assert "is 320." in said(found)
    assert "normal since 2026-03-13T17:55:00Z" in said(found)
    assert "bookings-throttled is OK" in said(found)


def test_not_yet_while_the_setting_is_still_bad_though_the_symptom_rests() -> None:
    found = judge(Facts(setting=STILL, symptom=QUIET_NOW))
    assert (found.word, found.settled) == ("NOT YET", False)
    assert "is still 3. The plan sets 320." in said(found)


def test_not_yet_while_the_symptom_lasts() -> None:
    found = judge(Facts(setting=BACK, symptom=symptom(5000, 5100, 4900, 5000, 0, 120)))
    assert found.word == "NOT YET"
    assert (
        "was 120 in the minute from 2026-03-13T17:59:00Z. Normal is 0. It must be quiet for 5 minutes."
        in said(found)
    )


@pytest.mark.parametrize("quiet", range(1, QUIET))
def test_not_yet_before_enough_quiet_periods(quiet: int) -> None:
    found = judge(Facts(setting=BACK, symptom=symptom(*[0] * quiet)))
    since = f"2026-03-13T17:{60 - quiet}:00Z"
    assert said(found) == f"WriteThrottleEvents is quiet since {since}. It must be quiet for 5 minutes."


def test_not_yet_without_datapoints() -> None:
    for blind in (replace(QUIET_NOW, known=False), symptom()):
        found = judge(Facts(setting=BACK, symptom=blind))
        assert (found.word, "no datapoint" in said(found)) == ("NOT YET", True)


def test_not_yet_when_the_setting_cannot_be_read() -> None:
    gap = Gap(what="the table", why="denied")
    found = judge(Facts(setting=replace(BACK, seen=False, live=None), symptom=QUIET_NOW, gaps=(gap,)))
    assert found.word == "NOT YET"
    assert "could not be read" in said(found)
    assert "the table: denied" in said(found)


def test_quiet_without_any_traffic_is_no_recovery() -> None:
    idle = Traffic(name="Requests", before=240.0, recent=(0.0,) * QUIET)
    found = judge(Facts(setting=BACK, symptom=QUIET_NOW, traffic=idle))
    assert (found.word, found.settled) == ("NOT YET", False)
    assert "no traffic since" in said(found)
    assert "Requests is 0 in the last 5 minutes; before the incident it was 240 per minute." in said(found)
    for other in (
        replace(idle, before=0.0),
        replace(idle, recent=(0.0, 3.0)),
        replace(idle, recent=()),
        None,
    ):
        assert judge(Facts(setting=BACK, symptom=QUIET_NOW, traffic=other)).word == "RECOVERED"


def test_not_yet_while_an_alarm_is_red_that_clears_by_itself() -> None:
    red = Facts(setting=BACK, symptom=QUIET_NOW, alarm="bookings-throttled", alarm_state="ALARM")
    assert judge(red).word == "NOT YET"
    kept = judge(replace(red, stays_red=True))
    assert kept.word == "RECOVERED"
    assert "will not clear by itself" in said(kept)


OTHER = Setting(name="batch size of orders", live=10, seen=True, bad=1, prior=10, prior_known=True)


def test_every_cause_must_be_put_back() -> None:
    both = Facts(setting=BACK, also=(OTHER,), symptom=QUIET_NOW)
    assert judge(both).word == "RECOVERED"
    assert "batch size of orders is 10" in said(judge(both))
    still = judge(replace(both, also=(replace(OTHER, live=1),)))
    assert still.word == "NOT YET"
    assert "batch size of orders is still 1. The plan sets 10." in said(still)
    again = judge(replace(both, also=(replace(OTHER, live=500),)))
    assert again.word == "CHANGED AGAIN"
    assert judge(Facts(also=(replace(OTHER, live=1),), symptom=QUIET_NOW)).word == "NOT YET"


def test_other_red_alarms_of_the_blast_radius_are_no_recovery() -> None:
    red = Beside(name="orders-errors", since=NOW)
    found = judge(Facts(setting=BACK, symptom=QUIET_NOW, beside=(red,)))
    assert found.word == "NOT YET"
    assert "orders-errors" in said(found)
    for kept in (replace(red, before=True), replace(red, stays_red=True)):
        found = judge(Facts(setting=BACK, symptom=QUIET_NOW, beside=(kept,)))
        assert found.word == "RECOVERED"
        assert "orders-errors" in said(found)


def test_worse_after_the_plan_says_go_back() -> None:
    found = judge(Facts(setting=BACK, symptom=symptom(*[5000] * 5, *[9000] * 5)))
    assert (found.word, found.settled) == ("WORSE", True)
    assert "Go back" in said(found)
    assert "9,000" in said(found)


def test_a_growing_symptom_before_the_plan_is_not_the_plans_fault() -> None:
    assert judge(Facts(setting=STILL, symptom=symptom(*[9000] * 10))).word == "NOT YET"


def test_worse_knows_metrics_that_hurt_when_they_fall() -> None:
    falling = Symptom(
        name="Work", period=60, points=series(*[0] * 6), bad="down", normal=100.0, incident=40.0
    )
    assert judge(Facts(setting=BACK, symptom=falling)).word == "WORSE"
    assert judge(Facts(setting=BACK, symptom=replace(falling, points=series(*[99] * 6)))).word == "RECOVERED"


def test_changed_again_to_a_third_value_and_by_whom() -> None:
    third = replace(BACK, live=40, later=(later(320, 30), later(40, 40)))
    found = judge(Facts(setting=third, symptom=QUIET_NOW))
    assert (found.word, found.settled) == ("CHANGED AGAIN", True)
    assert "is 40: neither 3, which broke it, nor 320" in said(found)
    assert "UpdateTable by ops-44 (cli) at 2026-03-13T17:40:00Z, event e40." in said(found)


def test_changed_again_to_the_bad_value() -> None:
    found = judge(Facts(setting=replace(STILL, later=(later(320, 30), later(3, 40))), symptom=QUIET_NOW))
    assert found.word == "CHANGED AGAIN"
    assert "was set to 3 again" in said(found)
    assert "e40" in said(found)


def test_changed_again_without_a_visible_event_says_so() -> None:
    found = judge(Facts(setting=replace(BACK, live=40), symptom=QUIET_NOW))
    assert found.word == "CHANGED AGAIN"
    assert "not visible" in said(found)


def test_a_repair_under_way_is_not_a_new_change() -> None:
    found = judge(Facts(setting=replace(STILL, later=(later(320),)), symptom=QUIET_NOW))
    assert found.word == "NOT YET"
    assert "has not taken effect" in said(found)


def test_a_prior_value_nobody_knew_is_judged_by_the_symptom() -> None:
    unknown = replace(BACK, live=200, prior=None, prior_known=False)
    assert judge(Facts(setting=unknown, symptom=QUIET_NOW)).word == "RECOVERED"
    assert judge(Facts(setting=replace(unknown, live=3), symptom=QUIET_NOW)).word == "NOT YET"


def test_a_cause_without_a_setting_is_judged_by_symptom_and_alarm() -> None:
    assert judge(Facts(symptom=QUIET_NOW)).word == "RECOVERED"
    assert judge(Facts(symptom=symptom(5000, 5000))).word == "NOT YET"


def test_a_symptom_long_gone_is_told_as_far_as_was_looked() -> None:
    assert "normal since 2026-03-13T17:53:00Z or longer" in said(judge(Facts(symptom=symptom(*[0] * 7))))


def test_nothing_to_go_by_is_not_recovered() -> None:
    for blind in (Facts(), Facts(setting=BACK), Facts(alarm="a", alarm_state="INSUFFICIENT_DATA")):
        assert "look at the service itself" in said(judge(blind))
    assert judge(Facts(setting=BACK, alarm="a", alarm_state="OK")).word == "RECOVERED"


def test_the_alarms_own_rule_decides_where_there_is_one() -> None:
    low = replace(symptom(*[40] * 6), limit=50.0, comparison="GreaterThanThreshold")
    assert judge(Facts(symptom=low)).word == "RECOVERED"
    assert judge(Facts(symptom=replace(low, limit=10.0))).word == "NOT YET"
    assert (
        judge(Facts(symptom=replace(low, limit=40.0, comparison="GreaterThanOrEqualToThreshold"))).word
        == "NOT YET"
    )


@pytest.mark.parametrize(
    ("one", "other", "unset", "equal"),
    [
        (250, 250.0, None, True),
        ("250", 250, None, True),
        (None, -1, -1, True),
        (None, None, None, True),
        (None, 0, None, False),
        (True, 1, None, False),
        (True, "true", None, True),
        ("a", "b", None, False),
        (False, None, None, False),
    ],
)
def test_values_are_equal_however_they_are_spelt(one: Value, other: Value, unset: Value, equal: bool) -> None:
    assert same(one, other, unset) is equal
    assert same(other, one, unset) is equal


SETTINGS = st.builds(
    replace,
    st.just(BACK),
    live=st.sampled_from([3, 320, 40, None]),
    seen=st.booleans(),
    prior_known=st.booleans(),
    later=st.lists(st.builds(later, st.sampled_from([3, 320, 40]), st.integers(0, 59)), max_size=3).map(
        tuple
    ),
)
SYMPTOMS = st.lists(st.sampled_from([0, 100, 5000, 9000]), max_size=12).map(lambda values: symptom(*values))


@given(st.none() | SETTINGS, st.none() | SYMPTOMS, st.sampled_from(["", "OK", "ALARM"]), st.booleans())
def test_nothing_is_called_recovered_that_is_not(
    setting: Setting | None, metric: Symptom | None, alarm: str, red: bool
) -> None:
    found = judge(Facts(setting=setting, symptom=metric, alarm="a", alarm_state=alarm, stays_red=red))
    if found.word != "RECOVERED":
        assert found.lines
        return
    if setting is not None:
        assert setting.seen
        assert setting.live == 320 if setting.prior_known else setting.live != 3
    assert metric is not None or alarm == "OK"
    if metric is not None:
        assert [value for _, value in metric.points[-QUIET:]] == [0] * QUIET
    assert alarm != "ALARM" or red
