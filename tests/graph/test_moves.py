"""How a setting moved: directions, what counts as no limit, and what nothing tells."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from graph.facts import Facts
from graph.models import Hypothesis
from graph.weighing.generate import hypotheses
from graph.weighing.moves import (
    as_number,
    event_of,
    is_document,
    is_unlimited,
    move,
    step_of,
    untold,
    whole,
)
from tests.graph import made
from tests.graph.kinds import KINDS, QUEUE_URL, configured
from tests.graph.made import QUEUE, ROLE, TABLE, WRITER, changed, event, step
from tools.models import ChangeEvent, Value, Version
from tools.services._spec import Setting

CAP = "OnDemandThroughput.MaxWriteRequestUnits"


def facts(*changes: ChangeEvent, **more: Any) -> Facts:
    return made.facts((WRITER, "Errors"), {(WRITER, "Errors"): (0, 8)}, changes=changes, **more)


def guess(resource: str, setting: str, event_id: str = "true") -> Hypothesis:
    return Hypothesis(id="x", kind="change", title="", resource=resource, setting=setting, event=event_id)


def capped(limit: int | None, id: str = "true", minutes: float = -1.0) -> ChangeEvent:
    throughput = {} if limit is None else {"onDemandThroughput": {"maxWriteRequestUnits": limit}}
    return event("dynamodb", "UpdateTable", {"tableName": "parcels", **throughput}, id=id, minutes=minutes)


def queue(id: str, minutes: float, **sent: str) -> ChangeEvent:
    return event(
        "sqs", "SetQueueAttributes", {"queueUrl": QUEUE_URL, "attributes": sent}, id=id, minutes=minutes
    )


@pytest.mark.parametrize(
    ("before", "after", "direction"),
    [(250, 2, "lowered"), (2, 250, "raised"), (250, 250, "same"), (-1, 2, "lowered"), (250, -1, "raised")],
)
def test_direction_of_a_limit(before: int, after: int, direction: str) -> None:
    found = move(facts(capped(before, "old", -9000), capped(after)), guess(TABLE, CAP))
    assert found is not None
    assert (found.direction, found.after, found.prior.value) == (direction, after, before)


@pytest.mark.parametrize(
    ("name", "before", "after", "direction"),
    [
        ("VisibilityTimeout", "30", "5", "lowered"),
        ("VisibilityTimeout", "30", "180", "raised"),  # 30 is SQS's default, not "no limit"
        ("DelaySeconds", "0", "900", "raised"),
        ("Policy", '{"Statement":[{"Sid":"a"}]}', '{"Statement":[]}', "changed"),
        ("Policy", '{"Statement":[{"Sid":"a"}]}', "", "removed"),
        ("KmsMasterKeyId", "alias/one", "alias/two", "changed"),
    ],
)
def test_direction_of_queue_attributes(name: str, before: str, after: str, direction: str) -> None:
    found = move(
        facts(queue("old", -9000, **{name: before}), queue("true", -1, **{name: after})), guess(QUEUE, name)
    )
    assert found is not None
    assert found.direction == direction


def test_a_boundary_taken_away_is_removed() -> None:
    request = {"roleName": "parcel-writer-role"}
    put = event(
        "iam", "PutRolePermissionsBoundary", {**request, "permissionsBoundary": "arn:aws:iam::1:policy/b"},
        minutes=-9000, id="old",
    )  # fmt: skip
    gone = event("iam", "DeleteRolePermissionsBoundary", request, id="true")
    found = move(facts(put, gone), guess(ROLE, "PermissionsBoundary.PermissionsBoundaryArn"))
    assert found is not None
    assert found.direction == "removed"


def test_without_a_former_value_the_direction_is_unknown() -> None:
    found = move(facts(capped(2)), guess(TABLE, CAP))
    assert found is not None
    assert (found.direction, found.prior.known, found.after_known, found.after) == ("unknown", False, True, 2)


def test_a_hidden_value_is_never_told() -> None:
    found = move(facts(configured(environment={})), guess(WRITER, "Environment.Variables"))
    assert found is not None
    assert (found.after_known, found.prior.known, found.direction) == (False, False, "unknown")


PARAMETER = made.arn("ssm", "parameter/parcels/most")


def put(id: str, minutes: float, value: str = "HIDDEN_DUE_TO_SECURITY_REASONS") -> ChangeEvent:
    sent = {"name": "/parcels/most", "value": value, "type": "String", "overwrite": True}
    return event("ssm", "PutParameter", sent, id=id, minutes=minutes)


def stored(*changes: ChangeEvent, value: str = "4") -> Facts:
    held = made.resource(
        PARAMETER, "/parcels/most", {"Name": "/parcels/most", "Type": "String", "Value": value}
    )
    return facts(*changes, resources=(*made.shop(), held))


def test_a_hidden_value_that_the_configuration_shows_is_the_present_one() -> None:
    found = move(stored(put("true", -1)), guess(PARAMETER, "Value"))
    assert found is not None
    assert (found.after, found.after_known) == ("4", True)


def test_a_hidden_value_that_was_replaced_since_is_not_known() -> None:
    found = move(stored(put("true", -5), put("later", -2)), guess(PARAMETER, "Value"))
    assert found is not None
    assert not found.after_known
    last = move(stored(put("true", -5), put("later", -2)), guess(PARAMETER, "Value", "later"))
    assert last is not None
    assert last.after == "4"


def test_hidden_settings_named_by_error_texts_do_not_stumble_over_maps() -> None:
    kind = KINDS["environment variable gone"]
    found = move(kind.facts(cause=False), guess(WRITER, "Environment.Variables", ""))
    assert found is not None
    assert not found.after_known


def test_without_an_event_the_metric_tells_both_values() -> None:
    own = step(TABLE, CAP, "OnDemandMaxWriteRequestUnits", 250, 2)
    found = move(facts(steps=(own,)), guess(TABLE, CAP, ""))
    assert found is not None
    assert (found.prior.value, found.after, found.direction) == (250, 2, "lowered")
    assert [source.kind for source in found.prior.sources] == ["metric"]


def test_without_event_and_metric_the_present_value_is_told() -> None:
    found = move(facts(resources=changed(WRITER, Timeout=3)), guess(WRITER, "Timeout", ""))
    assert found is not None
    assert (found.after, found.after_known, found.direction) == (3, True, "unknown")


def test_a_denied_attempt_is_no_former_value() -> None:
    refused = replace(capped(9, "no", -30), error_code="AccessDenied")
    known = facts(capped(250, "old", -9000), capped(2))
    known = replace(known, changes=tuple(sorted((*known.changes, refused), key=lambda item: item.time)))
    found = move(known, guess(TABLE, CAP))
    assert found is not None
    assert found.prior.value == 250


def test_no_setting_no_move() -> None:
    known = facts(capped(2))
    assert move(known, guess(TABLE, "")) is None
    assert move(known, guess(TABLE, "no.such.path")) is None
    assert move(known, guess("arn:aws:dynamodb:eu-central-1:111122223333:table/other", CAP)) is None


def test_event_and_step_of_a_hypothesis() -> None:
    early = step(TABLE, CAP, "OnDemandMaxWriteRequestUnits", 500, 250, minutes=-200)
    late = step(TABLE, CAP, "OnDemandMaxWriteRequestUnits", 250, 2)
    known = facts(capped(2), steps=(early, late))
    assert event_of(known, guess(TABLE, CAP)) == known.changes[0]
    assert event_of(known, guess(TABLE, CAP, "")) is None
    assert step_of(known, guess(TABLE, CAP)) == late
    assert step_of(known, guess(WRITER, "Timeout")) is None


def test_untold_settings_of_a_whole_configuration() -> None:
    sent = configured(timeout=3, memorySize=512, environment={})
    known = facts(configured("old", -9000, memorySize=512), sent)
    writer = known.resource(WRITER)
    assert writer is not None
    assert {item.path for item in untold(known, sent, writer)} == {"Timeout", "Environment.Variables"}


def setting(unset: Value) -> Setting:
    known = facts().setting(TABLE, CAP)
    assert known is not None
    return replace(known, unset=unset)


@pytest.mark.parametrize(
    ("value", "unset", "number"),
    [
        (5, -1, 5.0),
        ("5", 30, 5.0),
        (-1, -1, float("inf")),
        (None, None, float("inf")),
        (None, -1, float("inf")),
        (None, 30, 30.0),
        (30, 30, 30.0),
        (0, 0, 0.0),
        (None, False, 0.0),
        (True, False, 1.0),
        ("alias/x", None, None),
    ],
)
def test_numbers_of_values(value: Value, unset: Value, number: float | None) -> None:
    assert as_number(value, setting(unset)) == number
    assert is_unlimited(value, setting(unset)) == (number == float("inf"))


@given(st.floats(-1e9, 1e9))
def test_whole_numbers_lose_their_fraction_and_others_keep_it(value: float) -> None:
    made_whole = whole(value)
    assert made_whole == value
    assert isinstance(made_whole, int) == value.is_integer()


def test_documents_are_too_long_for_a_sentence() -> None:
    assert is_document("x" * 81)
    assert is_document('{"Statement":[]}')
    assert not is_document("x" * 80)
    assert not is_document(10**90)


# -- published versions ------------------------------------------------------------------------------


def version(minutes: float, **values: Value) -> Version:
    when = made.ONSET + timedelta(minutes=minutes)
    return Version(resource=WRITER, name="7", made=when, values=values, evidence=("F7",))


def test_a_version_tells_from_what_a_setting_was_moved() -> None:
    one = facts(configured(timeout=3), versions=(version(-4000, Timeout=30, MemorySize=512),))
    found = move(one, guess(WRITER, "Timeout", one.changes[0].id))
    assert found is not None
    assert (found.direction, found.prior.value, found.after) == ("lowered", 30, 3)
    assert [source.kind for source in found.prior.sources] == ["version"]
    assert untold(one, one.changes[0], one.resources[1]) == ()
    late = facts(configured(timeout=3), versions=(version(4, Timeout=30),))
    assert [item.path for item in untold(late, late.changes[0], late.resources[1])] == ["Timeout"]


def test_a_request_that_repeats_all_names_only_what_a_version_shows_moved() -> None:
    """The console sends timeout, memory and handler together, whichever was changed."""
    sent = configured(timeout=3, memorySize=512, handler="app.handler")
    shown = version(-4000, Timeout=30, MemorySize=512, Handler="app.handler")
    blamed = {one.setting for one in hypotheses(facts(sent, versions=(shown,))) if one.event == sent.id}
    assert blamed == {"Timeout"}
    unknown = {one.setting for one in hypotheses(facts(sent)) if one.event == sent.id}
    assert unknown == {""}
