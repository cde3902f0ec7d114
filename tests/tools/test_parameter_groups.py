"""What earlier events tell of a parameter, and which version of an engine is older."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tools.change_kit import changes_of, moved, touches_tagged
from tools.cloudtrail_events import parse
from tools.kit import record
from tools.models import ChangeEvent, Json, Value
from tools.parameter_groups import GroupEvents, is_older
from tools.services._spec import Effect

EVENTS = GroupEvents(
    create="CreateDBParameterGroup", reset="ResetDBParameterGroup", name="group", parameters="all"
)


def event(operation: str, **request: object) -> ChangeEvent:
    return parse(record("rds.amazonaws.com", operation, {"group": "Shop", **request}))


def one(name: str, value: Value = None) -> Json:
    return {"parameterName": name} if value is None else {"parameterName": name, "parameterValue": value}


SET = event("ModifyDBParameterGroup", all=[one("wait_timeout", "60"), one("max_connections", "400")])
RESET = event("ResetDBParameterGroup", all=[one("max_connections")])
RESET_ALL = event("ResetDBParameterGroup", resetAllParameters=True)
MADE = event("CreateDBParameterGroup")
HIDDEN = event("ModifyDBParameterGroup", all=[one("max_connections")])
OTHER = replace(SET, request={**SET.request, "group": "other"})
REFUSED = replace(SET, error_code="AccessDenied")


@pytest.mark.parametrize(
    ("earlier", "told"),
    [
        ([SET], (True, "400")),
        ([RESET, SET], (True, None)),
        ([RESET_ALL, SET], (True, None)),
        ([MADE], (True, None)),
        ([HIDDEN, SET], (False, None)),
        ([OTHER, REFUSED, SET], (True, "400")),
        ([OTHER, REFUSED], (False, None)),
        ([], (False, None)),
    ],
)
def test_the_newest_event_that_set_it_tells_its_value(
    earlier: list[ChangeEvent], told: tuple[bool, Value]
) -> None:
    assert EVENTS.before("max_connections", "shop", earlier) == told


@given(
    st.lists(st.integers(0, 99), min_size=1, max_size=4), st.lists(st.integers(0, 99), min_size=1, max_size=4)
)
def test_versions_are_ordered_by_their_numbers(first: list[int], second: list[int]) -> None:
    one, two = (".".join(map(str, part)) for part in (first, second))
    assert is_older(one, than=two) == (first < second)
    assert not is_older(one, than=one)


def test_changes_of_one_source_have_its_records_as_examples() -> None:
    make = changes_of("rds.amazonaws.com", touches_tagged)
    arn = "arn:aws:rds:eu-west-1:111122223333:db:orders"
    made = make(
        "StopDB", "It stops.", {"resourceArn": arn}, more=({"resourceArn": "x"},), earlier=("StartDB",)
    )
    assert made.touches(parse(made.example)) == (arn,)
    assert made.touches(parse(made.more_examples[0])) == ()
    assert (made.breaks, made.earlier, made.effects) == ("It stops.", ("StartDB",), ())


def test_effects_of_one_move_keep_all_else() -> None:
    effect = Effect(metric="role:errors", direction="up", on="upstream", after=(5, 60), may=True)
    (found,) = moved("lowered", [effect])
    assert found == replace(effect, when="lowered")
