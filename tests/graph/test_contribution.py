"""What a resource adds to the harm: its excess times its traffic, less what its dependencies explain."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from graph.weighing.contribution import Contribution, Gate, Load, below, contributions

CHAIN: Mapping[str, Sequence[str]] = {"edge": ("api", "site"), "api": ("table",), "site": ("api",)}
"""edge -> api -> table, edge -> site -> api."""


def steady(level: float, traffic: float, length: int = 200, seed: int = 1, noise: float = 0.05) -> Load:
    luck = random.Random(f"{seed}{level}{traffic}")
    return Load(requests=[traffic] * length, harm=[level * luck.gauss(1, noise) for _ in range(length)])


def world(slow: str, by: float, length: int = 6, seed: int = 1) -> tuple[dict[str, Load], dict[str, Load]]:
    """Seconds per request before and after `slow` takes `by` seconds longer; all that call it wait."""
    own = {"edge": 0.1, "site": 0.2, "api": 0.1, "table": 0.01}
    traffic = {"edge": 100.0, "site": 20.0, "api": 100.0, "table": 100.0}
    calls = {"edge": {"api": 0.8, "site": 0.2}, "site": {"api": 1.0}, "api": {"table": 1.0}, "table": {}}

    def seconds(name: str, more: float) -> float:
        waits = sum(share * seconds(other, more) for other, share in calls[name].items())
        return own[name] + (more if name == slow else 0.0) + waits

    normal = {name: steady(seconds(name, 0), traffic[name], seed=seed) for name in own}
    now = {name: steady(seconds(name, by), traffic[name], length, seed + 1) for name in own}
    return normal, now


def named(found: tuple[Contribution, ...]) -> list[str]:
    return [one.resource for one in found if one.stands_out]


@pytest.mark.parametrize("slow", ["edge", "site", "api", "table"])
def test_the_resource_that_became_slow_is_named_not_those_that_wait_for_it(slow: str) -> None:
    found = contributions(*world(slow, 2.0), CHAIN, "edge")
    assert found[0].resource == slow
    assert found[0].stands_out


@pytest.mark.parametrize("length", [5, 40, 150])
def test_nothing_stands_out_when_all_is_as_ever(length: int) -> None:
    assert named(contributions(*world("", 0.0, length, seed=7), CHAIN, "edge")) == []


def test_failures_are_counted_where_they_arise() -> None:
    calm, failing = [0.0] * 50, [0.2] * 5
    normal = {name: Load(requests=[100.0] * 50, harm=calm) for name in ("edge", "api", "site", "table")}
    now = {
        "edge": Load(requests=[100.0] * 5, harm=failing),
        "api": Load(requests=[100.0] * 5, harm=failing),
        "site": Load(requests=[100.0] * 5, harm=[0.0] * 5),
        "table": Load(requests=[100.0] * 5, harm=[0.0] * 5),
    }
    found = contributions(normal, now, CHAIN, "edge")
    assert [(one.resource, one.own, one.excess) for one in found if one.own > 0] == [("api", 20.0, 20.0)]


def test_a_very_slow_resource_that_hardly_anybody_asks_adds_little() -> None:
    normal, now = world("api", 1.0)
    normal["rare"] = Load(requests=[0.1] * 200, harm=[0.1] * 200)
    now["rare"] = Load(requests=[0.1] * 6, harm=[30.0] * 6)
    found = contributions(normal, now, {**CHAIN, "edge": ("api", "site", "rare")}, "edge")
    assert [one.resource for one in found[:2]] == ["api", "rare"]


def test_one_burst_in_a_long_window_does_not_stand_out() -> None:
    normal, now = world("", 0.0, 60)
    burst = [*now["table"].harm]
    burst[10] = 100.0
    now["table"] = Load(requests=now["table"].requests, harm=burst)
    found = contributions(normal, now, CHAIN, "edge")
    assert found[0].resource == "table"
    assert named(found) == []


def test_an_earlier_incident_in_normal_does_not_become_normal() -> None:
    normal, now = world("api", 1.0)
    normal["api"] = Load(requests=normal["api"].requests, harm=[5.0, 5.0, 5.0, *normal["api"].harm[3:]])
    assert contributions(normal, now, CHAIN, "edge")[0].resource == "api"


def test_what_was_never_measured_adds_and_explains_nothing() -> None:
    normal, now = world("api", 1.0)
    del normal["table"], now["table"]
    found = {one.resource: one for one in contributions(normal, now, CHAIN, "edge")}
    assert (found["table"].own, found["table"].stands_out) == (0.0, False)
    assert found["api"].stands_out
    gaps = {name: Load(requests=[None, *one.requests[1:]], harm=one.harm) for name, one in now.items()}
    assert contributions(normal, gaps, CHAIN, "edge")[0].resource == "api"


def test_only_what_the_symptom_depends_on_is_looked_at() -> None:
    assert below("site", CHAIN) == ("site", "api", "table")
    assert below("a", {"a": ("b",), "b": ("a", "b")}) == ("a", "b")
    normal, now = world("edge", 3.0)
    assert "edge" not in {one.resource for one in contributions(normal, now, CHAIN, "site")}


def test_loads_have_one_harm_for_each_period() -> None:
    with pytest.raises(ValueError, match="2 periods of requests, 1 of harm"):
        Load(requests=[1, 1], harm=[1])


@settings(max_examples=40)
@given(st.integers(0, 1000), st.sampled_from(["edge", "site", "api", "table"]), st.floats(0.5, 20))
def test_units_and_the_order_of_names_change_nothing(seed: int, slow: str, unit: float) -> None:
    normal, now = world(slow, 2.0, seed=seed)
    first = contributions(normal, now, CHAIN, "edge")

    def scaled(loads: dict[str, Load]) -> dict[str, Load]:
        names = sorted(loads, reverse=True)
        return {
            name: Load(
                requests=loads[name].requests,
                harm=[None if v is None else v * unit for v in loads[name].harm],
            )
            for name in names
        }

    other = contributions(scaled(normal), scaled(now), dict(reversed(list(CHAIN.items()))), "edge")
    assert other[0].resource == first[0].resource
    assert named(other)[:1] == named(first)[:1]


def test_a_stricter_gate_names_no_more() -> None:
    normal, now = world("table", 0.02)
    counts = [
        len(named(contributions(normal, now, CHAIN, "edge", Gate(usual=0.9, share=share))))
        for share in (0, 0.4, 1)
    ]
    assert counts == sorted(counts, reverse=True)
    assert counts[0] > counts[-1] or counts[0] == 0
