"""The CloudTrail benchmark counts what is in a folder, names what it does not understand, and never raises on
it.
"""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pytest

from evals.benchmarks.cloudtrail import run
from tools.errors import BadInput

USER = {"type": "IAMUser", "userName": "ops-07", "accountId": "111122223333"}


def record(name: str, **fields: Any) -> dict[str, Any]:
    return {
        "eventID": f"id-{name}",
        "eventName": name,
        "eventSource": "lambda.amazonaws.com",
        "eventTime": "2026-03-13T17:12:31Z",
        "eventType": "AwsApiCall",
        "userIdentity": USER,
        "userAgent": "aws-cli/2.27.1",
        "readOnly": False,
    } | fields


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    rows = [
        {"rule": "x", "event": record("UpdateFunctionCode20150331v2")},
        {"rule": "x", "event": None},
        record("GetFunction20150331v2", readOnly=True),
        record("DescribeThing", readOnly=False),
        record("PutThing", errorCode="AccessDenied", userIdentity=None),
        record("PutThing", userIdentity={"type": "Strange"}, eventTime="redacted", readOnly=None),
    ]
    with gzip.open(tmp_path / "lines.jsonl.gz", "wt") as stream:
        stream.write("\n".join(json.dumps(row) for row in rows))
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "one.json").write_text(json.dumps(record("DeleteThing")))
    (tmp_path / "deep" / "trail.json").write_text(json.dumps({"Records": [record("A"), record("B")]}))
    (tmp_path / "health.json").write_text(json.dumps({"detail-type": "AWS Health Event", "detail": {"x": 1}}))
    (tmp_path / "README.md").write_text("not data")
    return tmp_path


def test_counts(folder: Path) -> None:
    found = run(folder)
    assert found.ok
    figures = found.figures
    assert {key: figures[key] for key in ("files", "records", "parsed", "rows_without_record", "raised")} == {
        "files": 4,
        "records": 8,
        "parsed": 8,
        "rows_without_record": 2,
        "raised": [],
    }
    assert figures["actors"] == {"iam_user": 6, "unknown": 2}
    assert figures["means"] == {"cli": 8}
    assert (figures["without_identity"], figures["unknown_actors_with_identity"]) == (1, 1)
    assert (figures["failed"], figures["failed_changes"], figures["changes"]) == (1, 1, 7)
    assert (figures["dated_names"], figures["without_time"]) == (2, 1)
    assert figures["read_or_change_judged"] == 7
    assert figures["read_or_change_by_name_agrees"] == round(6 / 7, 4)


def test_text_names_what_is_wrong(folder: Path) -> None:
    text = run(folder).text
    assert "8 records in 4 files, 8 parsed, 0 raised" in text
    assert "DescribeThing (readOnly false) x1" in text
    assert "identity not understood: lambda.amazonaws.com PutThing x1" in text
    assert "6 of 7" in text


def test_one_file_will_do(folder: Path) -> None:
    assert run(folder / "deep" / "trail.json").figures["records"] == 2


@pytest.mark.parametrize("make", ["missing", "empty", "broken", "not gzip"])
def test_what_cannot_be_measured_is_said_in_a_sentence(make: str, tmp_path: Path) -> None:
    if make == "missing":
        tmp_path = tmp_path / "nowhere"
    elif make == "broken":
        (tmp_path / "a.json").write_text("{")
    elif make == "not gzip":
        (tmp_path / "a.json.gz").write_text("{}")
    with pytest.raises(BadInput) as told:
        run(tmp_path)
    assert str(tmp_path) in str(told.value)
