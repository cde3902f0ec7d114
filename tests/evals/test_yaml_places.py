from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from evals.yaml_places import load, read

TEXT = """\
on: yes
a:
  b: [1, {c: 2}]
  d.e: |
    text
"""


def test_every_place_has_its_line_and_column(tmp_path: Path) -> None:
    (tmp_path / "x.yaml").write_text(TEXT)
    document = read(tmp_path / "x.yaml")
    places = [(), ("on",), ("a",), ("a", "b"), ("a", "b", 0), ("a", "b", 1, "c"), ("a", "d.e")]
    assert [(document.line(one), document.column(one)) for one in places] == [
        (1, 1),
        (1, 1),
        (2, 1),
        (3, 3),
        (3, 7),
        (3, 11),
        (4, 3),
    ]


def test_what_is_not_there_has_the_line_of_what_is_around_it(tmp_path: Path) -> None:
    (tmp_path / "x.yaml").write_text(TEXT)
    document = read(tmp_path / "x.yaml")
    assert (document.line(("a", "b", 7, "z")), document.depth(("a", "b", 7, "z"))) == (3, 2)
    assert (document.line(("z",)), document.depth(("z",))) == (1, 0)


def test_words_that_old_yaml_takes_for_truth_values_stay_texts() -> None:
    assert load("{on: yes, n: no, t: true, f: False}") == {"on": "yes", "n": "no", "t": True, "f": False}


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        ("a: [1\nb: 2\n", 2, "no good YAML"),
        ("a: b: c\n", 1, "in quotes"),
        ("a: 1\n\tb: 2\n", 2, "tabs"),
        ("a: 1\nb: 2\na: 3\n", 3, '"a" stands twice, first in line 1'),
        ("a: {b: 1, b: 2}\n", 1, '"b" stands twice'),
    ],
)
def test_bad_yaml_is_told_with_its_line(tmp_path: Path, text: str, line: int, words: str) -> None:
    (tmp_path / "x.yaml").write_text(text)
    ((at, said),) = read(tmp_path / "x.yaml").problems
    assert at == line
    assert words in said


def test_a_file_that_is_no_text_is_a_problem(tmp_path: Path) -> None:
    (tmp_path / "x.yaml").write_bytes(b"a: \xff\xfe")
    assert "not UTF-8" in read(tmp_path / "x.yaml").problems[0][1]
    assert "cannot be read" in read(tmp_path / "none.yaml").problems[0][1]


_names = st.text("abcxyz_", min_size=1, max_size=5)
_trees = st.recursive(
    st.integers(0, 9),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_names, inner, max_size=3),
    max_leaves=12,
)


@given(st.dictionaries(_names, _trees, min_size=1, max_size=4), st.booleans())
def test_every_key_stands_where_its_place_says(
    tmp_path_factory: pytest.TempPathFactory, tree: dict[str, object], flow: bool
) -> None:
    path = tmp_path_factory.mktemp("tree") / "x.yaml"
    path.write_text(yaml.safe_dump(tree, default_flow_style=flow))
    document = read(path)
    lines = path.read_text().splitlines()
    keys = [one for one in document.lines if one and isinstance(one[-1], str)]
    assert document.value == load(path.read_text())
    for one in keys:
        rest = lines[document.line(one) - 1][document.column(one) - 1 :].lstrip("'\"")
        assert rest.startswith(str(one[-1]))
