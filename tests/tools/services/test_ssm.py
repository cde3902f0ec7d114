"""Systems Manager: plain values come back exactly as they were, secret ones are never read nor sent."""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evals.emulation import emulation
from tests.tools.fake_account import FakeAws
from tools import catalogue
from tools.cloudtrail_touch import touched_by
from tools.directory import KnownResources
from tools.history import HIDDEN, current, prior
from tools.models import Actor, ChangeEvent, Json, Resource
from tools.parameters import validate
from tools.services.ssm import SERVICE, describe, discover, is_secret, relations, versions
from tools.versions import before

AT = "arn:aws:ssm:eu-west-1:111122223333"
NAME = "/shop/orders/max-batch"
ARN = f"{AT}:parameter{NAME}"
MACHINE = "arn:aws:ec2:eu-west-1:111122223333:instance/i-0a1b2c3d4e5f60001"
NOON = datetime(2026, 3, 13, 12, 0, tzinfo=UTC)
VALUE = next(one for one in SERVICE.settings if one.name == "value")


def happened(
    operation: str,
    request: Json,
    response: Json | None = None,
    *,
    minutes: int = 0,
    names: Iterable[str] = (),
) -> ChangeEvent:
    return ChangeEvent(
        id=f"{operation}-{minutes}",
        time=NOON + timedelta(minutes=minutes),
        source="ssm.amazonaws.com",
        action=operation,
        operation=operation,
        region="eu-west-1",
        account="111122223333",
        actor=Actor(kind="iam_user", name="ops-07", how="cli"),
        request=request,
        response=response or {},
        names=tuple(names),
    )


def touched(event: ChangeEvent) -> tuple[str, ...]:
    change = catalogue.change_of(event)
    assert change is not None
    return change.touches(event)


def undo(event: ChangeEvent, *earlier: ChangeEvent) -> tuple[tuple[str, Json], ...]:
    change = catalogue.change_of(event)
    assert change is not None
    assert change.undo is not None
    calls = change.undo(event, earlier)
    assert all(validate(one) == () for one in calls)
    return tuple((one.operation, one.parameters) for one in calls)


def account(kind: str = "String", value: str = "40", name: str = NAME, **more: object) -> FakeAws:
    item: Json = {"Name": name, "Type": kind, "Version": 8, "Tier": "Standard", "DataType": "text", **more}

    def listed(parameters: Json) -> Json:
        wanted = [value for one in parameters.get("ParameterFilters", []) for value in one["Values"]]
        return {"Parameters": [item] if name in wanted or not wanted else []}

    shown = {"Name": name, "Type": kind, "Value": value, "Version": 8}
    history = [
        {
            "Name": name,
            "Type": kind,
            "Value": old,
            "Version": number,
            "LastModifiedDate": NOON + timedelta(days=-days, milliseconds=400),
        }
        for number, old, days in ((6, "20", 30), (7, "25", 9), (8, value, 0))
    ]
    return FakeAws(
        {
            ("ssm", "DescribeParameters"): listed,
            ("ssm", "GetParameter"): {"Parameter": shown},
            ("ssm", "GetParameterHistory"): {"Parameters": history},
            ("ssm", "DescribeDocument"): {"Document": {"Name": "restart-workers", "DefaultVersion": "3"}},
        }
    )


def described(fake: FakeAws, arn: str = ARN) -> Resource:
    found = describe(fake.reader(), arn)
    assert found is not None
    return found


# -- reading ----------------------------------------------------------------------------------------


def test_a_plain_parameter_shows_its_value_and_its_history() -> None:
    fake = account()
    found = described(fake)
    assert (found.name, current(found, VALUE)) == (NAME, "40")
    assert [(name, shown["Parameter"]["Value"]) for name, _, shown, _ in versions(fake.reader(), found)] == [
        ("6", "20"),
        ("7", "25"),
        ("8", "40"),
    ]


@pytest.mark.parametrize(
    ("kind", "name"),
    [
        ("SecureString", NAME),
        ("String", "/shop/orders/partner-password"),
        ("String", "/shop/api_key"),
        ("String", "/shop/db/pwd"),
    ],
)
def test_nothing_that_may_be_a_secret_is_asked_for(kind: str, name: str) -> None:
    fake = account(kind, "hunter2", name)
    found = described(fake, f"{AT}:parameter{name}")
    assert list(versions(fake.reader(), found)) == []
    assert {operation for _, operation in fake.asked} == {"DescribeParameters"}
    assert "Value" not in found.config
    assert VALUE.restore(found, HIDDEN) == ()


@pytest.mark.parametrize(
    ("value", "secret"),
    [
        ("25", False),
        ("https://queue.example/v1?x=1", False),
        ("sha256:" + "0a" * 32, False),
        ("ami-0a1b2c3d4e5f60001", False),
        ('{"limit": 20, "mode": "strict"}', False),
        ("postgres://app:hunter2hunter2@db.example/orders", True),
        ("aB3dE5gH7jK9mN1pQ3sT", True),
        ("0a1b2c3d" * 5, True),
    ],
)
def test_what_looks_like_a_key_counts_as_one(value: str, secret: bool) -> None:
    assert is_secret(value) is secret


def test_a_name_without_slashes_is_looked_for_with_and_without_one() -> None:
    for name in ("limit", "/limit"):
        found = described(account(name=name), f"{AT}:parameter/limit")
        assert (found.name, found.arn) == (name, f"{AT}:parameter/limit")
    assert describe(account(name="other").reader(), f"{AT}:parameter/limit") is None


def test_listed_parameters_have_the_arn_of_their_name() -> None:
    (found,) = discover(account().reader(), "eu-west-1")
    assert (found.arn, found.name) == (ARN, NAME)


def test_a_refused_value_is_a_gap_and_the_parameter_stays() -> None:
    fake = account()
    fake.denied = frozenset({"ssm:GetParameter"})
    reader = fake.reader()
    found = describe(reader, ARN)
    assert found is not None
    assert [gap.what for gap in reader.gaps] == ["Value of a parameter"]
    assert current(found, VALUE) is None


def test_a_document_shows_its_default_version() -> None:
    found = described(account(), f"{AT}:document/restart-workers")
    setting = next(one for one in SERVICE.settings if one.type == "document")
    assert current(found, setting) == "3"
    (back,) = setting.restore(found, "2")
    assert back.parameters == {"Name": "restart-workers", "DocumentVersion": "2"}
    assert setting.restore(found, "$LATEST") == ()


# -- relations --------------------------------------------------------------------------------------


def test_values_and_paths_relate_programs_to_what_they_name() -> None:
    queue = Resource(
        arn="arn:aws:sqs:eu-west-1:111122223333:orders-queue",
        service="sqs",
        type="queue",
        name="orders-queue",
        account="111122223333",
        region="eu-west-1",
    )
    program = Resource(
        arn="arn:aws:lambda:eu-west-1:111122223333:function:order-writer",
        service="lambda",
        type="function",
        name="order-writer",
        account="111122223333",
        region="eu-west-1",
        config={"Environment": {"Variables": {"CONFIG_PATH": "/shop/orders/", "OTHER": "/shop/ord"}}},
    )
    found = described(account(value=f"{queue.arn},7", KeyId="alias/aws/ssm"))
    told = list(relations(found, KnownResources([found, queue, program])))
    assert {(one.source, one.target, one.kind) for one in told} == {
        (found.arn, queue.arn, "uses"),
        (program.arn, found.arn, "uses"),
    }


# -- events -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("operation", "request_", "response", "arns"),
    [
        ("PutParameter", {"name": NAME}, {}, (ARN,)),
        ("PutParameter", {"name": ARN}, {}, (ARN,)),
        ("PutParameter", {"name": "limit"}, {}, (f"{AT}:parameter/limit",)),
        ("DeleteParameters", {"names": [NAME, "limit"]}, {}, (ARN, f"{AT}:parameter/limit")),
        (
            "StartSession",
            {"target": "i-0a1b2c3d4e5f60001"},
            {"sessionId": "ops-07-1"},
            (f"{AT}:session/ops-07-1", MACHINE),
        ),
        (
            "SendCommand",
            {"documentName": "AWS-RunShellScript", "instanceIds": ["i-0a1b2c3d4e5f60001"]},
            {},
            ("arn:aws:ssm:eu-west-1::document/AWS-RunShellScript", MACHINE),
        ),
        (
            "SendCommand",
            {
                "documentName": "restart-workers",
                "targets": [
                    {"key": "InstanceIds", "values": ["i-0a1b2c3d4e5f60001", "mi-0a1b2c3d4e5f60002"]}
                ],
            },
            {},
            (
                f"{AT}:document/restart-workers",
                MACHINE,
                f"{AT}:managed-instance/mi-0a1b2c3d4e5f60002",
            ),
        ),
        ("StartSession", {"target": "ecs:shop_0a1b_0a1b-1"}, {"sessionId": "s"}, (f"{AT}:session/s",)),
    ],
)
def test_an_event_touches_parameters_and_machines(
    operation: str, request_: Json, response: Json, arns: tuple[str, ...]
) -> None:
    assert touched(happened(operation, request_, response)) == arns


def test_a_request_names_a_parameter_with_the_slash_that_its_arn_leaves_out() -> None:
    found = described(account())
    assert touched_by(happened("PutParameter", {"name": NAME}), found)
    assert not touched_by(happened("PutParameter", {"name": f"{NAME}-2"}), found)


@given(
    st.dictionaries(
        st.sampled_from(["name", "names", "documentName", "instanceIds", "target", "targets", "sessionId"]),
        st.one_of(st.none(), st.text(max_size=20), st.lists(st.text(max_size=20), max_size=3)),
    )
)
def test_odd_requests_touch_nothing_or_arns(request_: Json) -> None:
    for change in SERVICE.changes:
        for arn in change.touches(happened(change.operation, request_)):
            assert arn.startswith("arn:")


# -- ways back --------------------------------------------------------------------------------------


def test_the_value_before_comes_from_the_history_even_when_the_event_hides_it() -> None:
    fake = account()
    found = described(fake)
    put = happened("PutParameter", {"name": NAME, "value": "HIDDEN_DUE_TO_SECURITY_REASONS"}, names=[ARN])
    told = prior(VALUE, found, put, (), None, versions=before(fake.reader(), found, [put.time]))
    assert (told.known, told.value, told.sources[0].kind) == (True, "25", "version")


def test_a_value_is_put_back_with_all_that_the_call_would_set_anew() -> None:
    found = described(
        account(
            Description="orders a call",
            AllowedPattern="[0-9]+",
            Policies=[{"PolicyText": '{"Type":"Expiration"}', "PolicyType": "Expiration"}],
        )
    )
    (back,) = VALUE.restore(found, "25")
    assert validate(back) == ()
    assert back.parameters == {
        "Name": NAME,
        "Value": "25",
        "Overwrite": True,
        "Type": "String",
        "Description": "orders a call",
        "AllowedPattern": "[0-9]+",
        "Tier": "Standard",
        "DataType": "text",
        "Policies": '[{"Type":"Expiration"}]',
    }
    assert json.loads(back.parameters["Policies"]) == [{"Type": "Expiration"}]


@pytest.mark.parametrize("value", [None, "", HIDDEN, "HIDDEN_DUE_TO_SECURITY_REASONS"])
def test_what_is_not_shown_is_never_put(value: str | None) -> None:
    assert VALUE.restore(described(account()), value) == ()


def test_a_deleted_parameter_is_made_again_only_when_its_value_is_known() -> None:
    gone = happened("DeleteParameter", {"name": NAME})
    put = happened(
        "PutParameter",
        {"name": NAME, "value": "25", "type": "String", "overwrite": False, "allowedPattern": ""},
        minutes=-60,
    )
    assert undo(gone, put) == (("PutParameter", {"Name": NAME, "Value": "25", "Type": "String"}),)
    hidden = happened(
        "PutParameter",
        {"name": NAME, "value": "HIDDEN_DUE_TO_SECURITY_REASONS", "type": "String"},
        minutes=-5,
    )
    assert undo(gone, hidden, put) == ()
    assert undo(happened("DeleteParameters", {"names": [NAME, "limit"]}), put) == ()


def test_labels_go_back_to_the_versions_that_they_were_on() -> None:
    moved = happened("LabelParameterVersion", {"name": NAME, "parameterVersion": 8, "labels": ["live"]})
    was = happened(
        "LabelParameterVersion",
        {"name": NAME, "labels": ["live", "good"]},
        {"parameterVersion": 7},
        minutes=-60,
    )
    back = ("LabelParameterVersion", {"Name": NAME, "ParameterVersion": 7, "Labels": ["live"]})
    assert undo(moved, was) == (back,)
    assert undo(moved) == ()
    taken = happened("UnlabelParameterVersion", {"name": NAME, "parameterVersion": 7, "labels": ["live"]})
    assert undo(taken) == (back,)
    assert undo(moved, taken, was) == (), "it was on no version in between"


def test_a_service_setting_goes_back_to_what_it_was_set_to() -> None:
    name = "/ssm/parameter-store/high-throughput-enabled"
    off = happened("UpdateServiceSetting", {"settingId": name, "settingValue": "false"})
    on = happened("UpdateServiceSetting", {"settingId": name, "settingValue": "true"}, minutes=-60)
    assert undo(off, on) == (("UpdateServiceSetting", {"SettingId": name, "SettingValue": "true"}),)
    assert undo(off, happened("ResetServiceSetting", {"settingId": name}, minutes=-9), on) == (
        ("ResetServiceSetting", {"SettingId": name}),
    )
    assert undo(off) == ()


def test_a_value_goes_back_and_the_rest_stays() -> None:
    with emulation("111122223333", "eu-west-1") as at:
        client = at.client("ssm")
        kept = {"Description": "orders a call", "Type": "String", "Tier": "Standard", "DataType": "text"}
        client.put_parameter(Name=NAME, Value="25", AllowedPattern="[0-9]+", **kept)
        client.put_parameter(Name=NAME, Value="40", AllowedPattern="[0-9]+", Overwrite=True, **kept)

        def read(parameters: Json) -> Json:
            told = client.describe_parameters(ParameterFilters=parameters["ParameterFilters"])
            return {"Parameters": told["Parameters"]}

        def shown(parameters: Json) -> Json:
            return {"Parameter": client.get_parameter(**parameters)["Parameter"]}

        fake = FakeAws({("ssm", "DescribeParameters"): read, ("ssm", "GetParameter"): shown})
        found = described(fake)
        assert current(found, VALUE) == "40"
        (back,) = VALUE.restore(found, "25")
        at.call(back)
        again = described(fake)
        assert current(again, VALUE) == "25"
        changing = {"Value", "Version", "LastModifiedDate"}
        assert {key: value for key, value in again.config.items() if key not in changing} == {
            key: value for key, value in found.config.items() if key not in changing
        }
