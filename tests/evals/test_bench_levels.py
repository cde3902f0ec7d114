"""The cost of a map grows no faster than n log n."""

from __future__ import annotations

from evals.benchmarks.levels import account, run, run_read


def test_ten_times_as_much_costs_no_more_than_n_log_n() -> None:
    result = run(100, 1000)
    assert result.ok
    small, large = result.figures["100"], result.figures["1000"]
    assert isinstance(small, dict)
    assert isinstance(large, dict)
    assert (small["relations"], large["relations"]) == (400, 4000)
    assert large["systems"] > small["systems"] > 1
    assert 5 < float(str(result.figures["steps_ratio"])) <= float(str(result.figures["n_log_n_ratio"]))


def test_the_same_account_every_time() -> None:
    assert account(60) == account(60)
    assert account(60) != account(60, seed=2)


def test_calls_of_a_whole_reading_grow_with_the_account_only() -> None:
    result = run_read(50, 200)
    assert result.ok
    small, large = result.figures["50"], result.figures["200"]
    assert isinstance(small, dict)
    assert isinstance(large, dict)
    assert large["relations"] > 3 * large["resources"]
    more = large["resources"] - small["resources"]
    assert 0 < large["calls"] - small["calls"] < 1.2 * more
