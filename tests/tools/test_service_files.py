"""Hiding one entry of the catalogue from a run."""

from __future__ import annotations

import re

import pytest

from tools import catalogue, service_files
from tools.models import Json

SOURCE, PATH = "dynamodb.amazonaws.com", "OnDemandThroughput.MaxWriteRequestUnits"


def settings() -> dict[str, list[str]]:
    """DynamoDB's settings by path, with the operations that set them."""
    return {one.path: sorted(one.requests) for one in catalogue.services()["dynamodb"].settings}


def operations() -> set[str]:
    return {one.operation for one in catalogue.services()["dynamodb"].changes}


def pointed() -> list[str]:
    return [one.match for _, one in catalogue.signatures() if one.points_to in {PATH, "UpdateTable"}]


def test_the_change_and_the_setting_are_gone_and_come_back() -> None:
    before, known = settings(), operations()
    assert PATH in before
    assert "UpdateTable" in known
    with service_files.without(SOURCE, "UpdateTable", PATH):
        assert PATH not in settings()
        assert operations() == known - {"UpdateTable"}
        assert not any("UpdateTable" in names for names in settings().values()), (
            "no other setting tells of it"
        )
        assert "UpdateTable" not in catalogue.event_names(inert=True)
        assert not any(
            "UpdateTable" in one.operations for one in catalogue.mechanisms() if one.service == "dynamodb"
        )
    assert (settings(), operations()) == (before, known)


def test_other_settings_and_services_stay() -> None:
    others = {name: service for name, service in catalogue.services().items() if name != "dynamodb"}
    kept = set(settings()) - {PATH}
    with service_files.without(SOURCE, "UpdateTable", PATH):
        assert set(settings()) == kept
        assert {name: catalogue.services()[name] for name in others} == others


def test_error_texts_go_only_when_asked_for() -> None:
    known = pointed()
    assert known
    with service_files.without(SOURCE, "UpdateTable", PATH) as texts:
        assert pointed() == known
    assert set(known) <= set(texts)
    with service_files.without(SOURCE, "UpdateTable", PATH, signatures=True) as texts:
        assert pointed() == []
        assert catalogue.signatures(), "other texts stay"
    line = "ThrottlingReasons: TableWriteMaxOnDemandThroughputExceeded"
    assert any(re.search(text, line) for text in texts)
    assert pointed() == known


def test_without_a_setting_every_setting_stays_but_forgets_the_operation() -> None:
    before = settings()
    with service_files.without(SOURCE, "UpdateTable"):
        assert set(settings()) == set(before)
        assert not any("UpdateTable" in names for names in settings().values())


def test_without_a_setting_texts_go_that_point_to_a_part_that_no_setting_stands_for() -> None:
    refused = "is not authorized to perform: dynamodb:PutItem because no identity-based policy allows it"
    with service_files.without("iam.amazonaws.com", "DeleteRolePolicy", signatures=True) as texts:
        assert any(re.search(text, refused) for text in texts)
        assert not any(one.points_to == "Policies" for _, one in catalogue.signatures())
        assert any(one.points_to == PATH for _, one in catalogue.signatures()), "another service's"
    with service_files.without(SOURCE, "TagResource", signatures=True) as texts:
        assert texts == ()


def test_all_is_back_after_an_error_and_blocks_do_not_nest() -> None:
    known: Json = dict(catalogue.services())
    with pytest.raises(ValueError, match="boom"), service_files.without(SOURCE, "UpdateTable", PATH):
        raise ValueError("boom")
    assert dict(catalogue.services()) == known
    with (
        service_files.without(SOURCE, "UpdateTable", PATH),
        pytest.raises(RuntimeError, match="hidden already"),
        service_files.without(SOURCE, "UpdateTable", PATH),
    ):
        pass
    assert dict(catalogue.services()) == known
