"""Texts stay texts: a version 16.10 is not 16.1, and is shown as it was written."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tools.catalogue import settings_of
from tools.setting_values import alike, number, same, show


@pytest.mark.parametrize(
    ("one", "other"), [("16.1", "16.10"), ("1.0", "1"), ("True", "true"), ("007", "7"), ("1", "true")]
)
def test_two_texts_are_one_only_letter_by_letter(one: str, other: str) -> None:
    assert not alike(one, other)
    assert alike(one, one)


@pytest.mark.parametrize(("one", "other"), [("250.0", 250), (30.0, "30"), ("true", True), (None, None)])
def test_a_text_beside_a_number_means_the_number(one: str | float, other: str | float) -> None:
    assert alike(one, other)
    assert alike(other, one)


@given(st.text() | st.from_regex(r"-?\d{1,400}(\.\d{1,400})?", fullmatch=True))
def test_a_text_is_shown_as_it_is_and_is_itself(text: str) -> None:
    assert show(text) == text
    assert alike(text, text)
    number(text)  # of any length


def test_only_a_setting_that_is_a_number_reads_two_texts_as_numbers() -> None:
    by_name = {setting.name: setting for _, setting in settings_of("db-cluster")}
    assert not same("16.1", "16.10", by_name["engine version"])
    (limit,) = [
        one for _, one in settings_of("table") if one.path == "OnDemandThroughput.MaxWriteRequestUnits"
    ]
    assert same("250.0", "250", limit)
