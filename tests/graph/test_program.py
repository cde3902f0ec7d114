"""Errors of a program itself speak against what it calls; setting once more what was set already changes nothing."""

from __future__ import annotations

from typing import Any

import pytest

from graph.facts import Facts
from graph.models import Hypothesis
from graph.weighing import hypotheses
from graph.weighing.program import program
from graph.weighing.undone import undone
from graph.weights import WEIGHTS
from tests.graph import made
from tests.graph.kinds import configured
from tests.graph.made import ROLE, TABLE, WRITER, event, pattern
from tools.models import ChangeEvent, Json, Relation

OWN = pattern("[ERROR] 2026-04-09T10:00:12Z request failed: KeyError: 'weight'")
REFUSED = pattern(
    "[ERROR] An error occurred (AccessDeniedException) when calling the PutItem operation: User: "
    "arn:aws:sts::111122223333:assumed-role/parcel-writer-role/parcel-writer is not authorized to perform: "
    "dynamodb:PutItem",
    after=900,
)
ALLOWED = '{"Statement":[{"Effect":"Allow","Action":"dynamodb:*","Resource":"*"}]}'


def put(minutes: float, id: str = "", operation: str = "PutRolePolicy", **more: str) -> ChangeEvent:
    request: Json = {"roleName": "parcel-writer-role", "policyName": "parcels"}
    if operation == "PutRolePolicy":
        request["policyDocument"] = ALLOWED
    return event("iam", operation, {**request, **more}, id=id, minutes=minutes)


def fails(*changes: Any, **more: Any) -> Facts:
    return made.facts((WRITER, "Errors"), {(WRITER, "Errors"): (0, 8)}, changes=changes, **more)


def named(facts: Facts, id: str = "true") -> Hypothesis:
    return next(item for item in hypotheses(facts) if item.event == id)


# -- the program itself ------------------------------------------------------------------------------


def test_an_error_of_the_program_speaks_against_what_it_relies_on() -> None:
    facts = fails(put(-3, "true"), patterns=(OWN,))
    assert named(facts).resource == ROLE
    found = program(facts, named(facts))
    assert found is not None
    assert found.weight == WEIGHTS["logs.own_program"] < 0
    assert "400" in found.statement.text
    assert "KeyError" in found.statement.text
    assert found.statement.claims
    assert found.statement.evidence == OWN.evidence


@pytest.mark.parametrize(
    ("change", "patterns"),
    [
        (configured(timeout=3), (OWN,)),  # the failing function's own configuration
        (put(-3, "true"), ()),
        (put(-3, "true"), (REFUSED,)),
        (put(-3, "true"), (OWN, REFUSED)),  # most of what is new is a refusal
        (put(-3, "true"), (pattern("KeyError: 'weight'", after=300, before=400),)),  # as ever
        (put(-3, "true"), (pattern("KeyError: 'weight'", group="/aws/lambda/parcel-notifier"),)),  # of others
    ],
    ids=["itself", "no texts", "refusals", "mostly refusals", "as before", "elsewhere"],
)
def test_it_says_nothing_about(change: ChangeEvent, patterns: tuple[Any, ...]) -> None:
    facts = fails(change, patterns=patterns)
    assert program(facts, named(facts)) is None


def test_values_that_a_program_reads_may_make_it_fail() -> None:
    where = made.arn("ssm", "parameter/parcels/limit")
    resources = (*made.shop(), made.resource(where, "/parcels/limit"))
    relations = (
        *made.related(made.shop()),
        *(Relation(source=WRITER, target=one, kind="reads", provenance="") for one in (where,)),
    )
    change = event("ssm", "PutParameter", {"name": "/parcels/limit"}, id="true")
    facts = fails(change, patterns=(OWN,), resources=resources, relations=relations)
    assert named(facts).resource == where
    assert program(facts, named(facts)) is None


# -- set once more -----------------------------------------------------------------------------------


def weights(facts: Facts) -> list[float]:
    return [one.weight for one in undone(facts, named(facts))]


def test_what_was_set_already_is_not_changed_by_setting_it_again() -> None:
    facts = fails(put(-40_000, "before"), put(-3, "true"))
    (found,) = undone(facts, named(facts))
    assert found.weight == WEIGHTS["dose.same_value"]
    assert found.statement.text.startswith("sets only what had been set at 2026-03-12T")
    assert {"F-true", "F-before"} <= set(found.statement.evidence)


@pytest.mark.parametrize(
    "before",
    [
        [],
        [put(-400, policyDocument="{}")],
        [put(-400, policyName="others")],
        [put(-400), put(-300, operation="DeleteRolePolicy")],
        [put(-400), put(-300, policyDocument="{}")],
    ],
    ids=["unknown", "another value", "another thing", "taken away since", "changed since"],
)
def test_it_was_something_else_before(before: list[ChangeEvent]) -> None:
    assert WEIGHTS["dose.same_value"] not in weights(fails(*before, put(-3, "true")))


def test_another_policy_between_does_not_matter() -> None:
    facts = fails(put(-400), put(-300, policyName="others"), put(-3, "true"))
    assert weights(facts) == [WEIGHTS["dose.same_value"]]


@pytest.mark.parametrize(
    ("source", "operation", "request_"),
    [
        ("lambda", "UpdateFunctionCode", {"functionName": "parcel-writer", "s3Key": "parcels.zip"}),
        (
            "lambda",
            "PutSomething",
            {"functionName": "parcel-writer", "value": "HIDDEN_DUE_TO_SECURITY_REASONS"},
        ),
        ("lambda", "PutSecretValue", {"functionName": "parcel-writer"}),
        ("lambda", "SetDefaultVersion", {"functionName": "parcel-writer", "version": "3"}),
        ("dynamodb", "RebootTable", {"tableName": "parcels"}),
    ],
)
def test_new_code_hidden_values_and_what_acts_each_time_are_no_repetition(
    source: str, operation: str, request_: Json
) -> None:
    twice = [event(source, operation, request_, id=id, minutes=m) for id, m in (("", -400), ("true", -3))]
    assert named(fails(*twice)).resource in (WRITER, TABLE)
    assert weights(fails(*twice)) == []
