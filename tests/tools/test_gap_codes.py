"""Every code that opsleuth gives a gap is known to who writes truths; misspelt ones are not."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import tools
from tools.gap_codes import OWN, is_known

ROOT = Path(tools.__file__).parent.parent
_MISSING = re.compile(r"(?:Gap|missing|_gap)\((?:[^()]|\((?:[^()]|\([^()]*\))*\))*?code=\"(\w+)\"", re.DOTALL)


def given() -> set[str]:
    files = [file for part in ("tools", "graph", "api") for file in (ROOT / part).rglob("*.py")]
    return {code for file in files for code in _MISSING.findall(file.read_text(encoding="utf-8"))}


def test_every_code_that_is_given_is_known() -> None:
    found = given()
    assert len(found) >= 10
    assert sorted(code for code in found if not is_known(code)) == []


@pytest.mark.parametrize("code", ["AccesDenied", "accessdenied", "Denied", "", "ThrottlingException2"])
def test_what_no_gap_can_have(code: str) -> None:
    assert not is_known(code)


@pytest.mark.parametrize("code", ["ThrottlingException", "InternalError", "ServiceUnavailable", *sorted(OWN)])
def test_what_a_gap_can_have(code: str) -> None:
    assert is_known(code)
