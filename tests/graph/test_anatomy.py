"""What the things inside a request are called."""

from __future__ import annotations

from typing import Any

from graph.undoing.anatomy import things_in


def record(name: str, type: str, **more: Any) -> dict[str, Any]:
    return {"action": "UPSERT", "resourceRecordSet": {"type": type, "name": name, "tTL": 60, **more}}


def test_records_of_a_zone_are_told_by_name_type_and_set() -> None:
    changes = [record("shop.example.com.", "A", setIdentifier="blue"), record("shop.example.com.", "AAAA")]
    request = {"hostedZoneId": "Z0423603EXAMPLE0001", "changeBatch": {"changes": changes}}
    assert list(things_in(request)) == [
        {"name": "shop.example.com.", "setIdentifier": "blue", "type": "A"},
        {"name": "shop.example.com.", "type": "AAAA"},
    ]


def test_the_request_itself_and_what_has_no_name_are_none() -> None:
    assert list(things_in({"name": "orders", "id": "a1b2"})) == []
    assert list(things_in({"targets": [{"weight": 1}, {"id": 7}], "tags": []})) == []


def test_an_outer_thing_comes_before_what_is_in_it() -> None:
    request = {"rule": {"targets": [{"id": "late"}], "name": "nightly"}}
    assert list(things_in(request)) == [{"name": "nightly"}, {"id": "late"}]
