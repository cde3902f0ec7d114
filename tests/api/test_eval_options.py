from __future__ import annotations

import click
import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.commands.eval_ import parse_seeds


@pytest.mark.parametrize(
    ("text", "seeds"),
    [("1-5", (1, 2, 3, 4, 5)), ("7", (7,)), ("1,3, 2", (1, 3, 2)), ("1-3,2-4", (1, 2, 3, 4))],
)
def test_seeds(text: str, seeds: tuple[int, ...]) -> None:
    assert parse_seeds(text) == seeds


@given(st.lists(st.tuples(st.integers(0, 50), st.integers(0, 9)), min_size=1, max_size=5))
def test_ranges_are_whole_and_each_seed_runs_once(ranges: list[tuple[int, int]]) -> None:
    text = ",".join(f"{low}-{low + more}" if more else str(low) for low, more in ranges)
    found = parse_seeds(text)
    assert set(found) == {seed for low, more in ranges for seed in range(low, low + more + 1)}
    assert len(set(found)) == len(found)


@pytest.mark.parametrize("text", ["", "a", "1-", "-1", "1,,2", "5-1", "1-99999999", "1 2", "٣"])
def test_other_texts_are_refused_not_guessed(text: str) -> None:
    with pytest.raises(click.UsageError, match="Write"):
        parse_seeds(text)
