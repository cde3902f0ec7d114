from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from api.render.layout import Page, clean, wrap

WORDS = st.lists(
    st.text("abc:/-.é", min_size=1, max_size=14) | st.text("障害発生中の表", min_size=1, max_size=30),
    max_size=40,
)


@given(WORDS, st.integers(20, 60))
def test_lines_fit_and_nothing_is_lost(words: list[str], width: int) -> None:
    lines = wrap(" ".join(words), width)
    assert "".join(lines).replace(" ", "") == "".join(words)
    assert max(cell_len(line) for line in lines) <= width


def test_an_arn_is_never_cut() -> None:
    arn = "arn:aws:lambda:eu-central-1:111122223333:function:" + "long" * 10
    assert arn in wrap(f"the function {arn} fails", 30)


@given(WORDS, st.integers(60, 120), st.lists(st.sampled_from(["M4", "F12", "T3"]), max_size=8))
def test_evidence_ids_stand_at_the_right_edge(words: list[str], width: int, ids: list[str]) -> None:
    lines = [line.plain for line in Page(width=width).row("WHY", " ".join(words), ids)]
    assert all(cell_len(line) <= width for line in lines)
    if ids:
        assert lines[-1].endswith("]")
        assert cell_len(lines[-1]) == width
        assert "".join(lines).replace(" ", "").endswith(f"[{''.join(ids)}]")


def test_copied_lines_are_never_wrapped() -> None:
    command = "aws dynamodb update-table " + "x" * 300
    assert [line.plain for line in Page(width=60).verbatim(command, indent=4)] == [f"    {command}"]


@given(st.text())
def test_nothing_that_a_terminal_obeys_is_left(text: str) -> None:
    left = clean(f"\x1b[2J{text}\x07\u202e")
    assert not any(ord(letter) < 32 and letter != "\n" for letter in left)
    assert not {"\x7f", "\x9b", "\u202e", "\u2066"} & set(left)


def test_japanese_and_emoji_stay() -> None:
    assert clean("受注テーブル 🚨 é") == "受注テーブル 🚨 é"
