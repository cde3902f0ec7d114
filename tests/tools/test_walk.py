"""Values at any depth, in order."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from tools.walk import leaves, texts

TREE: dict[str, Any] = {"a": [1, {"b": "x", "c": None}], "d": ("y", []), "e": {}, "f": False}


def test_every_value_comes_once_in_order() -> None:
    assert list(leaves(TREE)) == [1, "x", None, "y", False]
    assert list(texts(TREE)) == ["x", "y"]


def test_a_bare_value_is_itself() -> None:
    assert list(leaves("x")) == list(texts("x")) == ["x"]
    assert list(texts(3)) == []


@given(st.lists(st.integers() | st.text(max_size=3), max_size=6))
def test_folding_things_in_changes_nothing(values: list[Any]) -> None:
    assert list(leaves([{"x": values}, []])) == list(leaves(tuple({"k": one} for one in values))) == values
