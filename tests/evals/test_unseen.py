from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from evals.cases import find
from evals.figures import checks
from evals.results import SuiteResult, Unseen
from evals.suite import run_suite
from evals.summary import render
from evals.unseen import MASK, Masked, run_unseen
from tools import catalogue
from tools.errors import BadInput
from tools.transport import WireAnswer, WireRequest

NOW = datetime(2026, 2, 3, 4, 5, tzinfo=UTC)


class Said:
    """Answers every request with the same body."""

    virtual = True
    region = "eu-west-1"

    def __init__(self, body: Any, status: int = 200) -> None:
        self.body, self.status, self.closed = body, status, False

    def start(self) -> datetime | None:
        return NOW

    def close(self) -> None:
        self.closed = True

    def send(self, request: WireRequest) -> WireAnswer:
        text = json.dumps(self.body).encode()
        headers = {"Content-Length": str(len(text))}
        return WireAnswer(status=self.status, headers=headers, body=text, protocol=request.protocol)


def asked(service: str = "logs") -> WireRequest:
    return WireRequest(
        account="111122223333", region="eu-west-1", service=service, operation="FilterLogEvents", parameters={},
        protocol="json", as_of=NOW, now=NOW, method="POST", url="", headers={}, body=b"",
    )  # fmt: skip


LINES = {"events": [{"message": "LimitExceeded on carts", "timestamp": 5}, {"message": "all is well"}]}


def test_lines_with_a_hidden_text_are_shown_without_it() -> None:
    masked = Masked(Said(LINES), [r"\bLimitExceeded\b"])
    answer = masked.send(asked())
    assert json.loads(answer.body) == {
        "events": [{"message": MASK, "timestamp": 5}, {"message": "all is well"}]
    }
    assert answer.headers["Content-Length"] == str(len(answer.body))
    assert (masked.region, masked.start()) == ("eu-west-1", NOW)


def test_other_services_refusals_and_runs_with_nothing_to_hide_are_left_alone() -> None:
    whole = json.dumps(LINES).encode()
    assert Masked(Said(LINES), ["LimitExceeded"]).send(asked("cloudtrail")).body == whole
    assert Masked(Said(LINES, status=400), ["LimitExceeded"]).send(asked()).body == whole
    assert Masked(Said(LINES), []).send(asked()).body == whole


def test_closing_reaches_the_world() -> None:
    said = Said(LINES)
    Masked(said, []).close()
    assert said.closed


def unseen(how: str, *named: bool) -> SuiteResult:
    rows = tuple(
        Unseen(case="a", seed=seed, how=how, named=one, told="Not proven")
        for seed, one in enumerate(named, 1)
    )
    return SuiteResult(outcomes=(), unseen=rows)


@pytest.mark.parametrize(("how", "share", "ok"), [("mechanism", "50.0%", False), ("text", "50.0%", True)])
def test_the_share_named_is_printed_and_held_against_its_aim(how: str, share: str, ok: bool) -> None:
    result = unseen(how, True, False)
    assert f"cause named without what is known of the change: {share} ({how})" in render(result)
    assert "a seed 2: unseen" in render(result)
    (check,) = [one for one in checks(result) if how in one.text]
    assert check.ok is ok


def test_cases_without_a_change_are_left_out() -> None:
    (case,) = find(only=["dynamodb-hot-partition"])
    assert run_unseen(case, 1, "mechanism") is None


def test_a_change_case_is_run_without_its_entry_and_the_catalogue_comes_back() -> None:
    known = dict(catalogue.services())
    (case,) = find(only=["dynamodb-max-write"])
    found = run_unseen(case, 1, "text")
    assert found is not None
    assert (found.case, found.seed, found.how) == ("dynamodb-max-write", 1, "text")
    assert "maximum write throughput" not in found.told, "the name of the setting is in the hidden entry"
    assert dict(catalogue.services()) == known


def test_an_unknown_way_of_not_seeing_is_refused() -> None:
    with pytest.raises(BadInput, match="mechanism, text"):
        run_suite(unseen=["eyes"])
