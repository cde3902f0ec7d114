"""Every prompt keeps what we say apart from what was found, and is filled strictly."""

from __future__ import annotations

import ast
from importlib.resources import files
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import prompts


@pytest.mark.parametrize("name", prompts.names())
def test_placeholders_stand_only_in_the_data_part(name: str) -> None:
    filled = dict.fromkeys(prompts.placeholders(name), "X")
    ours, data = prompts.render(name, **filled)
    assert ours
    assert "X" not in ours.split()
    assert "{" not in ours + data


def test_each_prompt_is_given_exactly_its_placeholders() -> None:
    given_by: dict[str, set[str]] = {}
    for path in Path(str(files("graph"))).rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and ast.unparse(node.func) == "prompts.render":
                assert isinstance(node.args[0], ast.Constant)
                given_by[str(node.args[0].value)] = {str(word.arg) for word in node.keywords}
    assert given_by == {name: set(prompts.placeholders(name)) for name in prompts.names()}


def test_a_missing_and_a_needless_value_are_errors() -> None:
    with pytest.raises(KeyError):
        prompts.render("logs", fence="x")
    with pytest.raises(TypeError, match="no placeholder cause"):
        prompts.render("logs", fence="x", patterns="y", cause="z")


@given(st.text(max_size=60))
def test_data_is_not_looked_at_for_placeholders_or_parts(found: str) -> None:
    for text in (found, f"{{fence}} {found}", f"{found}\n---\n{{patterns}}"):
        ours, data = prompts.render("logs", fence="abc", patterns=text)
        assert data == f"<<<abc\n{text}\nabc>>>"
        assert ours == prompts.render("logs", fence="", patterns="")[0]
