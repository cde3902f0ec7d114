"""Which causes are possible at all: one for each thing that an event changed, stable ids, what is left out."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from graph.facts import Facts
from graph.models import Hypothesis
from graph.weighing import hypotheses
from graph.weighing.generate import entry_point
from tests.graph import made
from tests.graph.kinds import INERT, KINDS, configured
from tests.graph.made import (
    API,
    HTTP_API,
    HTTP_STAGE,
    MAPPING,
    NOTIFIER,
    ONSET,
    POLICY,
    QUEUE,
    ROLE,
    TABLE,
    WRITER,
    event,
    step,
)
from tools.models import Actor, ChangeEvent


def facts(*changes: ChangeEvent, **more: Any) -> Facts:
    return made.facts((WRITER, "Errors"), {(WRITER, "Errors"): (0, 8)}, changes=changes, **more)


def changes_in(known: Facts) -> list[Hypothesis]:
    return [item for item in hypotheses(known) if item.kind == "change"]


def detached(policy: str, id: str, minutes: float) -> ChangeEvent:
    request = {"roleName": "parcel-writer-role", "policyArn": policy}
    return event("iam", "DetachRolePolicy", request, id=id, minutes=minutes)


def test_outside_is_always_there_and_last() -> None:
    found = hypotheses(facts())
    assert [item.kind for item in found] == ["traffic", "outside"]


def test_a_request_that_repeats_a_configuration_moves_only_what_it_moved() -> None:
    before = configured("old", -9000, timeout=30, memorySize=512, handler="app.handler")
    after = configured(timeout=3, memorySize=512, handler="app.handler", environment={})
    (found,) = changes_in(facts(before, after))
    assert (found.setting, found.title) == ("Timeout", "timeout of parcel-writer lowered to 3")


def test_a_request_of_which_nothing_is_known_is_one_hypothesis() -> None:
    (found,) = changes_in(facts(configured(timeout=3, memorySize=128)))
    assert (found.setting, found.title) == ("", "UpdateFunctionConfiguration on function parcel-writer")


@pytest.mark.parametrize(
    ("change", "title"),
    [
        (configured(runtime="python3.12"), "runtime of parcel-writer set to python3.12"),
        (configured(environment={}), "environment variables of parcel-writer changed"),
        (
            event("lambda", "UpdateEventSourceMapping", {"uUID": MAPPING.rsplit(":", 1)[1], "enabled": False}, id="x"),
            f"polling of {MAPPING.rsplit(':', 1)[1]} switched off",
        ),
        (
            event("sqs", "SetQueueAttributes",
                  {"queueUrl": KINDS["queue deleted"].change.request["queueUrl"], "attributes": {"Policy": "x" * 99}},
                  id="x"),
            "queue policy of parcel-events changed",
        ),
    ],
)  # fmt: skip
def test_titles(change: ChangeEvent, title: str) -> None:
    assert [item.title for item in changes_in(facts(change))] == [title]


def test_an_event_that_names_several_resources_is_told_of_the_one_it_changed() -> None:
    found = changes_in(KINDS["event source mapping disabled"].facts(decoys=()))
    assert [(item.resource, item.setting) for item in found] == [(MAPPING, "Enabled")]
    dropped = event(
        "lambda", "DeleteEventSourceMapping", {"uUID": "other"}, id="x",
        response={"uUID": "other", "functionArn": NOTIFIER, "eventSourceArn": QUEUE},
    )  # fmt: skip
    assert [item.resource for item in changes_in(facts(dropped))] == [NOTIFIER]


def test_an_unknown_operation_belongs_to_the_resource_nearest_to_the_symptom() -> None:
    strange = event(
        "lambda", "LinkThings", {"functionName": "parcel-writer", "functionArn": NOTIFIER}, id="x"
    )
    assert [item.resource for item in changes_in(facts(strange))] == [WRITER]


def test_a_part_is_known_by_its_own_settings() -> None:
    kind = KINDS["HTTP stage throttled, both limits"]
    found = [item for item in hypotheses(kind.facts(decoys=())) if item.kind == "change"]
    assert {item.resource for item in found} == {HTTP_STAGE}
    assert len(found) == 2
    whole = replace(kind, resources=made.shop())
    assert [item.resource for item in changes_in(whole.facts(decoys=()))] == [HTTP_API]


def test_a_later_call_before_the_onset_replaces_an_earlier_one_on_the_same_setting() -> None:
    found = changes_in(facts(configured("one", -20, timeout=5), configured("two", -5, timeout=3)))
    assert [item.event for item in found] == ["two"]


def test_calls_on_different_things_do_not_replace_each_other() -> None:
    known = facts(detached(POLICY, "one", -5), detached(f"{POLICY}-2", "two", -1))
    assert {item.event for item in changes_in(known)} == {"one", "two"}
    known = facts(detached(POLICY, "one", -5), detached(POLICY, "two", -1))
    assert {item.event for item in changes_in(known)} == {"two"}
    assert {item.resource for item in changes_in(known)} == {ROLE}


def test_a_call_after_the_onset_does_not_hide_the_one_before_it() -> None:
    found = changes_in(facts(configured("one", -5, timeout=3), configured("two", 5, timeout=30)))
    assert {item.event for item in found} == {"one", "two"}


@pytest.mark.parametrize(
    "left_out",
    [
        configured(minutes=17, timeout=3),
        configured(minutes=-121, timeout=3),
        replace(configured(timeout=3), error_code="AccessDenied"),
        replace(configured(timeout=3), read_only=True),
        replace(configured(timeout=3), actor=Actor(kind="service_linked_role", name="x", how="service")),
        replace(configured(timeout=3), account="444455556666"),
    ],
    ids=["too late", "too early", "refused", "a read", "housekeeping", "another account"],
)
def test_what_is_left_out(left_out: ChangeEvent) -> None:
    known = replace(facts(), changes=(left_out,))
    assert changes_in(known) == []


def test_a_setting_whose_metric_stepped_is_possible_without_an_event() -> None:
    own = step(TABLE, "OnDemandThroughput.MaxWriteRequestUnits", "OnDemandMaxWriteRequestUnits", 250, 2)
    found = [item for item in hypotheses(facts(steps=(own,))) if item.kind == "setting"]
    assert [item.title for item in found] == ["maximum write throughput of parcels lowered to 2"]
    low = event(
        "dynamodb", "UpdateTable", {"tableName": "parcels", "onDemandThroughput": {"maxWriteRequestUnits": 2}}
    )
    assert not [item for item in hypotheses(facts(low, steps=(own,))) if item.kind == "setting"]


def test_a_setting_that_only_error_texts_name_is_not_told_as_changed() -> None:
    found = [
        item for item in hypotheses(KINDS["timeout lowered"].facts(cause=False)) if item.kind == "setting"
    ]
    assert [item.title for item in found] == ["timeout of parcel-writer, reached or changed"]


def test_a_change_of_the_alarm_itself_is_a_kind_of_its_own() -> None:
    known = facts()
    alarm = known.incident.alarm
    assert alarm is not None
    put = event("monitoring", "PutMetricAlarm", {"alarmName": alarm.name, "threshold": 3.0}, id="x")
    own = made.resource(alarm.arn, alarm.name, {"Threshold": 3.0})
    found = hypotheses(replace(known, changes=(put,), resources=(*known.resources, own)))
    assert [item.kind for item in found if item.event == "x"] == ["alarm_changed"]


def test_conditions_come_with_a_metric_or_an_error_text_of_that_very_resource() -> None:
    line = made.pattern(
        f"ThrottlingException: TableWriteKeyRangeThroughputExceeded for {TABLE}, see the documentation"
    )
    found = [item for item in hypotheses(facts(patterns=(line,))) if item.kind == "condition"]
    assert [(item.resource, item.condition) for item in found] == [(TABLE, "hot-partition-write")]
    other = made.pattern(
        f"ThrottlingException: TableWriteKeyRangeThroughputExceeded for {TABLE}-archive, see the documentation"
    )
    assert not [item for item in hypotheses(facts(patterns=(other,))) if item.kind == "condition"]


def test_ids_are_stable_and_unique() -> None:
    first, second = (
        hypotheses(facts(configured(timeout=3), INERT)),
        hypotheses(facts(INERT, configured(timeout=3))),
    )
    assert {item.id for item in first} == {item.id for item in second}
    assert len({item.id for item in first}) == len(first)


def test_where_traffic_enters() -> None:
    assert entry_point(facts()) in {API, HTTP_API}
    table = made.facts((TABLE, "WriteThrottleEvents"), {(TABLE, "WriteThrottleEvents"): (0, 9)})
    assert entry_point(table) in {API, HTTP_API}
    quiet = replace(facts(), metrics=())
    assert entry_point(quiet) == ""


def test_when_the_trouble_began() -> None:
    known = facts()
    assert known.began == ONSET
    calm = replace(known, incident=known.incident.model_copy(update={"onset": None}))
    assert calm.began == ONSET + timedelta(minutes=3)
    bare = replace(calm, incident=calm.incident.model_copy(update={"alarm": None}))
    assert bare.began == bare.as_of


def test_a_later_tag_does_not_hide_an_earlier_one() -> None:
    later = replace(INERT, id="later", time=INERT.time + timedelta(seconds=5))
    assert {item.event for item in changes_in(facts(INERT, later))} == {"inert", "later"}


ZONE = "arn:aws:route53:::hostedzone/Z0123456789ABCDEFGHIJ"
SECRET = made.arn("secretsmanager", "secret:parcels/db-AbC12d")


def record(name: str, value: str, id: str, minutes: float) -> ChangeEvent:
    held = {"name": name, "type": "CNAME", "tTL": 60, "resourceRecords": [{"value": value}]}
    batch = {"changes": [{"action": "UPSERT", "resourceRecordSet": held}]}
    request = {"hostedZoneId": "Z0123456789ABCDEFGHIJ", "changeBatch": batch}
    return event("route53", "ChangeResourceRecordSets", request, id=id, minutes=minutes)


def test_records_of_one_zone_do_not_replace_each_other() -> None:
    zone = replace(made.resource(ZONE, "example.com"), region="")
    changes = (
        record("api.example.com.", "old.example.net", "first", -9),
        record("api.example.com.", "lost.example.net", "second", -3),
        record("docs.example.com.", "pages.example.net", "other", -1),
    )
    found = changes_in(facts(*changes, resources=(*made.shop(), zone)))
    assert {item.event for item in found} == {"second", "other"}


@pytest.mark.parametrize(("kind", "left"), [("role", {"asked"}), ("iam_user", {"asked", "step"})])
def test_the_steps_of_a_rotation_are_no_causes_of_their_own(kind: Any, left: set[str]) -> None:
    secret = made.resource(SECRET, "parcels/db")
    moved = {
        "secretId": SECRET,
        "versionStage": "AWSCURRENT",
        "moveToVersionId": "6d3dcb5f-ccf1-459d-812e-8247791e4a8e",
        "removeFromVersionId": "0b3c1c8e-1111-4222-8333-444455556666",
    }
    asked = event("secretsmanager", "RotateSecret", {"secretId": SECRET}, id="asked", minutes=-2)
    actor = replace(asked.actor, kind=kind)
    step_of_it = event(
        "secretsmanager", "UpdateSecretVersionStage", moved, id="step", minutes=-1.8, actor=actor
    )
    found = changes_in(facts(asked, step_of_it, resources=(*made.shop(), secret)))
    assert {item.event for item in found} == left
