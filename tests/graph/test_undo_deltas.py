"""Requests that add, remove or patch: the way back names the same entries, with the opposite word."""

from __future__ import annotations

import pytest

from graph.undoing.known import Known
from graph.undoing.restore import Restoration, restoration
from tests.graph.test_undo_outcomes import event
from tools.models import ChangeEvent, Json


def judged(one: ChangeEvent, *others: ChangeEvent) -> Restoration:
    return restoration(one, Known(events=(one, *others)))


def image(hours: float, word: str, *who: Json) -> ChangeEvent:
    sent = {"imageId": "ami-0a1b2c3d", "attributeType": "launchPermission"}
    return event(
        "ec2",
        "ModifyImageAttribute",
        hours,
        {**sent, "launchPermission": {word: {"items": list(who)}}},
    )


ALL: Json = {"group": "all"}
FRIEND: Json = {"userId": "444455556666"}


def removed(*who: Json) -> Json:
    return {"ImageId": "ami-0a1b2c3d", "LaunchPermission": {"Remove": list(who)}}


def test_what_was_added_is_removed_and_nothing_else() -> None:
    made = judged(image(1, "add", ALL), image(9, "add", FRIEND))
    assert made.outcome == "partial"
    assert made.unknown == ("whether group all was so before already",)
    assert [call.parameters for call in made.calls] == [removed({"Group": "all"})]
    sure = judged(image(1, "add", ALL), image(9, "remove", ALL))
    assert (sure.outcome, [call.parameters for call in sure.calls]) == (
        "exact",
        [removed({"Group": "all"})],
    )


def test_of_two_that_were_added_the_one_still_there_goes() -> None:
    before = image(9, "remove", ALL, FRIEND)
    made = judged(image(2, "add", ALL, FRIEND), before, image(1, "remove", ALL))
    assert [call.parameters for call in made.calls] == [removed({"UserId": "444455556666"})]
    back = judged(image(2, "add", ALL), before, image(1, "remove", ALL))
    assert (back.outcome, back.later is not None) == ("nothing to undo", True)
    twice = judged(image(2, "add", ALL), image(9, "add", ALL))
    assert (twice.outcome, twice.calls) == ("nothing to undo", ())


def test_values_to_add_become_values_to_remove() -> None:
    sent = {"dBSnapshotIdentifier": "nightly", "attributeName": "restore", "valuesToAdd": ["all"]}
    earlier = {**sent, "valuesToAdd": ["444455556666"]}
    made = judged(
        event("rds", "ModifyDBSnapshotAttribute", 1, sent),
        event("rds", "ModifyDBSnapshotAttribute", 9, earlier),
    )
    assert made.outcome == "partial"
    assert [call.parameters for call in made.calls] == [
        {"DBSnapshotIdentifier": "nightly", "AttributeName": "restore", "ValuesToRemove": ["all"]}
    ]


def patch(hours: float, **paths: str) -> ChangeEvent:
    listed = [{"op": "replace", "path": "/" + path, "value": value} for path, value in paths.items()]
    return event(
        "apigateway",
        "UpdateRestApi",
        hours,
        {"restApiId": "a1b2", "updateRestApiInput": {"patchOperations": listed}},
    )


def test_a_patch_goes_back_by_a_patch_of_the_same_path_only() -> None:
    other = judged(patch(1, description="x"), patch(9, name="old"))
    assert (other.outcome, other.calls) == ("partial", ())
    more = judged(patch(1, description="x"), patch(9, description="y", name="old"))
    assert (more.outcome, more.calls) == ("partial", ())
    same = judged(patch(1, description="x"), patch(5, name="new"), patch(9, description="y"))
    assert same.outcome == "exact"
    (call,) = same.calls
    assert call.parameters["patchOperations"] == [{"op": "replace", "path": "/description", "value": "y"}]


def test_a_later_patch_of_the_path_is_not_lost() -> None:
    made = judged(patch(2, description="x"), patch(9, description="y"), patch(1, description="z", name="n"))
    assert (made.outcome, made.calls) == ("superseded", ())


@pytest.mark.parametrize(("earlier", "outcome"), [("work_mem", "exact"), ("max_connections", "partial")])
def test_a_parameter_goes_back_to_what_was_said_of_this_parameter(earlier: str, outcome: str) -> None:
    def group(hours: float, name: str, value: str) -> ChangeEvent:
        listed = [{"parameterName": name, "parameterValue": value}]
        sent = {"parameterGroupName": "shop", "parameters": listed}
        return event("redshift", "ModifyClusterParameterGroup", hours, sent)

    made = judged(group(1, "work_mem", "1"), group(9, earlier, "64"))
    assert made.outcome == outcome
    assert bool(made.calls) == (outcome == "exact")


def records(hours: float, action: str, name: str, address: str, **more: str) -> ChangeEvent:
    found = {"name": name, "type": "A", "tTL": 60, "resourceRecords": [{"value": address}], **more}
    batch = {"changes": [{"action": action, "resourceRecordSet": found}]}
    sent = {"hostedZoneId": "Z0423603EXAMPLE0001", "changeBatch": batch}
    return event("route53", "ChangeResourceRecordSets", hours, sent)


@pytest.mark.parametrize(
    ("earlier", "more", "outcome"),
    [
        ("www.shop.example.", {}, "partial"),
        ("api.shop.example.", {"setIdentifier": "blue"}, "partial"),
        ("api.shop.example.", {"setIdentifier": "green"}, "exact"),
    ],
)
def test_a_record_goes_back_to_what_was_said_of_this_record(earlier: str, more: Json, outcome: str) -> None:
    made = judged(
        records(1, "UPSERT", "api.shop.example.", "203.0.113.9", setIdentifier="green"),
        records(9, "CREATE", earlier, "203.0.113.1", **more),
    )
    assert made.outcome == outcome
    assert bool(made.calls) == (outcome == "exact")
