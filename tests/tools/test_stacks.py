"""The stack operation behind a change, and what a template declares, computes or leaves out."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tests.tools.fake_account import FakeAws
from tools.models import Actor, ChangeEvent, Json, Resource
from tools.stacks import declared, literal, made_by_stack, operation_behind

NOON = datetime(2026, 3, 13, 12, 0, tzinfo=UTC)
CI = Actor(
    kind="role",
    name="deploy",
    how="ci",
    arn="arn:aws:sts::111122223333:assumed-role/deploy/run-42",
    role_arn="arn:aws:iam::111122223333:role/deploy",
)
BY_STACK = Actor(
    kind="cloudformation",
    name="deploy",
    how="cloudformation",
    arn=CI.arn,
    role_arn=CI.role_arn,
    invoked_by="cloudformation.amazonaws.com",
)
OTHER = Actor(kind="iam_user", name="ops-07", how="console", arn="arn:aws:iam::111122223333:user/ops-07")


def happened(
    operation: str,
    request: Json,
    *,
    minutes: int = 0,
    who: Actor = CI,
    source: str = "cloudformation.amazonaws.com",
    error: str = "",
    region: str = "eu-west-1",
) -> ChangeEvent:
    return ChangeEvent(
        id=f"{operation}-{minutes}",
        time=NOON + timedelta(minutes=minutes),
        source=source,
        action=operation,
        operation=operation,
        region=region,
        account="111122223333",
        actor=who,
        request=request,
        response={},
        error_code=error,
    )


def child(request: Json, who: Actor = BY_STACK) -> ChangeEvent:
    return happened("UpdateFunctionConfiguration", request, who=who, source="lambda.amazonaws.com")


# -- who stands behind ------------------------------------------------------------------------------


def test_what_people_do_has_no_stack_behind_it() -> None:
    event = child({"functionName": "shop-writer-1A2B"}, OTHER)
    assert not made_by_stack(event)
    assert operation_behind(event, [happened("UpdateStack", {"stackName": "shop"}, minutes=-1)]) is None


def test_the_latest_operation_of_the_stack_that_the_name_begins_with() -> None:
    event = child({"functionName": "shop-writer-1A2B"})
    own = happened("UpdateStack", {"stackName": "shop"}, minutes=-3)
    older = happened("CreateStack", {"stackName": "shop"}, minutes=-200)
    other = happened("UpdateStack", {"stackName": "billing"}, minutes=-1)
    assert operation_behind(event, [older, own, other]) == own


@pytest.mark.parametrize(
    "tags",
    [
        {"tags": [{"key": "aws:cloudformation:stack-name", "value": "shop"}]},
        {"tags": [{"value": "shop", "key": "aws:cloudformation:stack-name"}]},
        {"tags": {"aws:cloudformation:stack-name": "shop"}},
        {"x": "arn:aws:cloudformation:eu-west-1:111122223333:stack/shop/0a1b2c3d-4e5f"},
    ],
)
def test_tags_of_the_request_name_the_stack(tags: Json) -> None:
    own = happened("UpdateStack", {"stackName": "shop"}, minutes=-9, who=OTHER)
    other = happened("UpdateStack", {"stackName": "billing"}, minutes=-1)
    assert operation_behind(child({"functionName": "writer", **tags}), [own, other]) == own


def test_a_role_given_to_the_stack_makes_its_calls() -> None:
    event = child({"functionName": "writer"})
    given_role = happened("UpdateStack", {"stackName": "shop", "roleARN": CI.role_arn}, minutes=-9, who=OTHER)
    other = happened("UpdateStack", {"stackName": "billing"}, minutes=-1, who=OTHER)
    assert operation_behind(event, [given_role, other]) == given_role


def test_time_alone_decides_only_when_there_is_one_stack() -> None:
    event = child({"functionName": "writer"})
    one = happened("UpdateStack", {"stackName": "shop"}, minutes=-9, who=OTHER)
    two = happened("UpdateStack", {"stackName": "billing"}, minutes=-1, who=OTHER)
    assert operation_behind(event, [one]) == one
    assert operation_behind(event, [one, two]) is None


@pytest.mark.parametrize(
    "wrong",
    [
        happened("UpdateStack", {"stackName": "shop"}, minutes=1),
        happened("UpdateStack", {"stackName": "shop"}, minutes=-721),
        happened("UpdateStack", {"stackName": "shop"}, minutes=-1, error="ValidationError"),
        happened("UpdateStack", {"stackName": "shop"}, minutes=-1, region="us-east-1"),
        happened("CreateChangeSet", {"stackName": "shop"}, minutes=-1),
    ],
)
def test_later_older_failed_and_distant_operations_do_not_count(wrong: ChangeEvent) -> None:
    assert operation_behind(child({"functionName": "shop-writer-1A2B"}), [wrong]) is None


# -- templates --------------------------------------------------------------------------------------

STACK = Resource(
    arn="arn:aws:cloudformation:eu-west-1:111122223333:stack/shop/0a1b2c3d-4e5f-4071-8293-a4b5c6d7e8f9",
    service="cloudformation",
    type="stack",
    name="shop",
    account="111122223333",
    region="eu-west-1",
    config={
        "Parameters": [{"ParameterKey": "Seconds", "ParameterValue": "30"}, {"ParameterKey": "Secret"}],
        "Resources": [{"LogicalResourceId": "Writer", "PhysicalResourceId": "shop-writer-1A2B"}],
    },
)
YAML = """
Parameters:
  Seconds: {Type: Number}
  Secret: {Type: String, NoEcho: true}
Resources:
  Writer:
    Type: AWS::Lambda::Function
    Properties:
      Timeout: !Ref Seconds
      MemorySize: 512
      Role: !GetAtt Role.Arn
      Handler: !Sub "${Name}.main"
      TracingConfig: {Mode: Active}
      KmsKeyArn: !Ref Secret
"""


def asked(body: object, physical: str = "shop-writer-1A2B") -> tuple[object, list[str]]:
    reader = FakeAws({("cloudformation", "GetTemplate"): {"TemplateBody": body}}).reader()
    return declared(reader, STACK, physical), [gap.code for gap in reader.gaps]


@dataclass
class Parsed(FakeAws):
    """botocore hands over a template of JSON as an object, which its own model does not foresee."""

    template: object = ""

    def ask(self, service: str, operation: str, region: str, parameters: Json) -> Json:
        return {"TemplateBody": self.template}


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("Timeout", (True, 30)),
        ("MemorySize", (True, 512)),
        ("TracingConfig.Mode", (True, "Active")),
        ("Role", (False, None)),
        ("Handler", (False, None)),
        ("KmsKeyArn", (False, None)),
        ("Runtime", (False, None)),
        ("MemorySize.x", (False, None)),
    ],
)
def test_plain_values_and_shown_parameters_count_computed_ones_do_not(
    path: str, value: tuple[bool, object]
) -> None:
    reader = FakeAws({("cloudformation", "GetTemplate"): {"TemplateBody": YAML}}).reader()
    found = declared(reader, STACK, "shop-writer-1A2B")
    assert found is not None
    assert (found.logical_id, found.type) == ("Writer", "AWS::Lambda::Function")
    assert literal(found, path) == value


def test_a_template_that_is_json_reads_alike() -> None:
    body = {"Resources": {"Writer": {"Type": "T", "Properties": {"Timeout": {"Ref": "Seconds"}}}}}
    for written in (body, json.dumps(body)):
        found = declared(Parsed({}, template=written).reader(), STACK, "shop-writer-1A2B")
        assert found is not None
        assert literal(found, "Timeout") == (True, "30")


def test_what_cannot_be_read_is_a_gap_and_what_is_not_there_is_none() -> None:
    assert asked("{{ :") == (None, ["Unreadable"])
    assert asked(YAML, "another") == (None, [])
    assert asked("Resources: {}") == (None, [])
    reader = FakeAws({}, denied=frozenset({"cloudformation:GetTemplate"})).reader()
    assert declared(reader, STACK, "shop-writer-1A2B") is None
    assert [gap.code for gap in reader.gaps] == ["AccessDenied"]


@given(st.text(min_size=1, max_size=80))
@example("Resources: 2026-99-99")
@example("Resources: [Writer]")
@example("Resources: {Writer: x}")
def test_any_text_of_a_template_is_read_or_refused(body: str) -> None:
    found, gaps = asked(body)
    assert found is None
    assert gaps in ([], ["Unreadable"])
