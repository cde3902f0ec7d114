"""Secrets Manager: stages move back and forth exactly, and never what a rotation changed at the database too."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evals.emulation import emulation
from tests.tools.fake_account import FakeAws
from tools import catalogue
from tools.cloudtrail_touch import touched_by
from tools.directory import KnownResources
from tools.history import current, prior, requested
from tools.models import Actor, ChangeEvent, Json, Resource
from tools.parameters import validate
from tools.services._spec import Setting
from tools.services.secretsmanager import SERVICE, describe, discover, relations, versions
from tools.versions import before

ARN = "arn:aws:secretsmanager:eu-west-1:111122223333:secret:shop/orders-db-a1B2c3"
SHORT = ARN.removesuffix("-a1B2c3")
OLD, NEW = "9b1d8a34-51c7-4a0e-8c5e-0d3f7a6b2c01", "2f6c1d1e-8f0b-4b5a-9a27-6f2a4f9c1b02"
ROTATOR = "arn:aws:lambda:eu-west-1:111122223333:function:rotate-orders-db"
KEY = "arn:aws:kms:eu-west-1:111122223333:key/1f2e3d4c-5b6a-4789-90ab-cdef01234567"
NOON = datetime(2026, 3, 13, 12, 0, tzinfo=UTC)
VERSION = next(one for one in SERVICE.settings if one.name == "current version")


def setting(name: str) -> Setting:
    return next(one for one in SERVICE.settings if one.name == name)


def happened(operation: str, request: Json, response: Json | None = None, *, minutes: int = 0) -> ChangeEvent:
    return ChangeEvent(
        id=f"{operation}-{minutes}",
        time=NOON + timedelta(minutes=minutes),
        source="secretsmanager.amazonaws.com",
        action=operation,
        operation=operation,
        region="eu-west-1",
        account="111122223333",
        actor=Actor(kind="iam_user", name="ops-07", how="cli"),
        request=request,
        response=response or {},
    )


def shown(**more: object) -> Json:
    """A description; None leaves a member out."""
    whole: Json = {
        "ARN": ARN,
        "Name": "shop/orders-db",
        "KmsKeyId": KEY,
        "RotationEnabled": True,
        "RotationLambdaARN": f"{ROTATOR}:live",
        "VersionIdsToStages": {OLD: ["AWSPREVIOUS"], NEW: ["AWSCURRENT"]},
        "Tags": [{"Key": "team", "Value": "shop"}],
        "CreatedDate": NOON - timedelta(days=90),
        **more,
    }
    return {key: value for key, value in whole.items() if value is not None}


def listed() -> Json:
    return {
        "Versions": [
            {
                "VersionId": OLD,
                "VersionStages": ["AWSPREVIOUS"],
                "CreatedDate": NOON - timedelta(days=40),
            },
            {
                "VersionId": NEW,
                "VersionStages": ["AWSCURRENT"],
                "CreatedDate": NOON + timedelta(milliseconds=300),
            },
        ]
    }


def account(secret: Json) -> FakeAws:
    return FakeAws(
        {
            ("secretsmanager", "DescribeSecret"): secret,
            ("secretsmanager", "ListSecretVersionIds"): listed(),
            ("secretsmanager", "GetResourcePolicy"): {"ARN": ARN, "ResourcePolicy": '{ "Statement" : [] }'},
        }
    )


def described(**more: object) -> Resource:
    found = describe(account(shown(**more)).reader(), ARN)
    assert found is not None
    return found


# -- reading ----------------------------------------------------------------------------------------


def test_a_described_secret_shows_versions_policy_and_tags() -> None:
    found = described()
    assert (found.name, found.type, found.tags) == ("shop/orders-db", "secret", {"team": "shop"})
    assert current(found, VERSION) == NEW
    assert found.config["ResourcePolicy"] == '{"Statement":[]}'
    assert found.config["CreatedDate"].startswith("2025-12-13T12:00:00")


def test_a_deleted_secret_is_asked_for_nothing_more() -> None:
    fake = account(shown(DeletedDate=NOON))
    found = describe(fake.reader(), ARN)
    assert found is not None
    assert current(found, VERSION) == NEW, "the stages of the description stand in"
    assert fake.asked == [("secretsmanager", "DescribeSecret")]


def test_no_secret_is_none_and_refused_parts_are_gaps() -> None:
    assert describe(FakeAws({}).reader(), ARN) is None
    fake = account(shown())
    fake.denied = frozenset({"secretsmanager:ListSecretVersionIds"})
    reader = fake.reader()
    found = describe(reader, ARN)
    assert found is not None
    assert [gap.what for gap in reader.gaps] == ["Versions"]
    assert current(found, VERSION) == NEW


def test_listed_secrets_have_the_stages_under_the_name_of_a_description() -> None:
    item = shown()
    item["SecretVersionsToStages"] = item.pop("VersionIdsToStages")
    fake = FakeAws({("secretsmanager", "ListSecrets"): {"SecretList": [item]}})
    (found,) = discover(fake.reader(), "eu-west-1")
    assert found.config["VersionIdsToStages"] == {OLD: ["AWSPREVIOUS"], NEW: ["AWSCURRENT"]}
    assert current(found, VERSION) == NEW


def test_relations_name_key_rotation_and_copies() -> None:
    found = described(ReplicationStatus=[{"Region": "eu-central-1", "Status": "InSync"}])
    told = {(one.kind, one.target) for one in relations(found, KnownResources([found]))}
    assert told == {
        ("uses", KEY),
        ("rotated by", ROTATOR),
        ("replicates to", ARN.replace("eu-west-1", "eu-central-1")),
    }


@pytest.mark.parametrize(
    ("key", "targets"),
    [("alias/aws/secretsmanager", []), (KEY.rpartition("/")[2], [KEY])],
)
def test_a_bare_key_id_is_a_key_and_an_alias_is_none(key: str, targets: list[str]) -> None:
    found = described(KmsKeyId=key, RotationLambdaARN=None)
    assert [one.target for one in relations(found, KnownResources([]))] == targets


def test_a_copy_is_fed_by_its_primary() -> None:
    found = described(PrimaryRegion="us-east-1", KmsKeyId=None, RotationLambdaARN=None)
    (told,) = relations(found, KnownResources([]))
    assert (told.source, told.target) == (ARN.replace("eu-west-1", "us-east-1"), ARN)


# -- events -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("request_", "response", "touched"),
    [
        ({"secretId": ARN}, None, (ARN, SHORT)),
        ({"secretId": "shop/orders-db"}, {"arn": ARN}, (ARN, SHORT)),
        ({"secretId": "shop/orders-db"}, {"aRN": ARN, "name": "shop/orders-db"}, (ARN, SHORT)),
        ({"secretId": "shop/orders-db"}, None, (SHORT,)),
        ({}, None, ()),
    ],
)
def test_an_event_touches_the_secret_under_both_of_its_arns(
    request_: Json, response: Json | None, touched: tuple[str, ...]
) -> None:
    event = happened("PutSecretValue", request_, response)
    change = catalogue.change_of(event)
    assert change is not None
    assert change.touches(event) == touched


@pytest.mark.parametrize(
    ("named", "known", "touched"),
    [
        ("shop/orders-db", ARN, True),
        (ARN, ARN, True),
        (ARN, SHORT, True),
        ("shop/orders-db", SHORT, True),
        ("shop/orders", ARN, False),
        (ARN.replace("orders-db", "orders"), ARN, False),
    ],
)
def test_a_request_names_a_secret_by_name_or_by_either_arn(named: str, known: str, touched: bool) -> None:
    resource = replace(described(), arn=known)
    assert touched_by(happened("PutSecretValue", {"secretId": named}), resource) is touched


def test_only_a_value_that_becomes_current_sets_the_current_version() -> None:
    put: Json = {"secretId": ARN, "clientRequestToken": NEW}
    assert requested(happened("PutSecretValue", put), VERSION) == (True, NEW)
    pending = happened("PutSecretValue", {**put, "versionStages": ["AWSPENDING"]})
    assert requested(pending, VERSION) == (False, None)
    assert requested(happened("UpdateSecret", {**put, "description": "x"}), VERSION) == (False, None)
    stage: Json = {"secretId": ARN, "versionStage": "AWSPENDING", "moveToVersionId": NEW}
    assert requested(happened("UpdateSecretVersionStage", stage), VERSION) == (False, None)
    moved = {**stage, "versionStage": "AWSCURRENT"}
    assert requested(happened("UpdateSecretVersionStage", moved), VERSION) == (True, NEW)


def test_the_version_before_is_the_one_that_aws_keeps_as_previous() -> None:
    found = described()
    reader = account(shown()).reader()
    change = happened("PutSecretValue", {"secretId": ARN, "clientRequestToken": NEW}, {"arn": ARN})
    told = prior(VERSION, found, change, (), None, versions=before(reader, found, [change.time]))
    assert (told.known, told.value) == (True, OLD)
    assert [name for name, *_ in versions(reader, found)] == [OLD]


# -- ways back --------------------------------------------------------------------------------------


def test_the_stage_goes_back_and_forth_naming_who_holds_it() -> None:
    found = described()
    (back,) = VERSION.restore(found, OLD)
    assert back.parameters == {
        "SecretId": ARN,
        "VersionStage": "AWSCURRENT",
        "MoveToVersionId": OLD,
        "RemoveFromVersionId": NEW,
    }
    (again,) = VERSION.restore(found, NEW)
    assert (again.parameters["MoveToVersionId"], again.parameters["RemoveFromVersionId"]) == (NEW, OLD)
    assert validate(back) == validate(again) == ()


@given(st.one_of(st.none(), st.text(max_size=40), st.integers(), st.booleans()))
def test_no_stage_is_moved_to_a_version_that_is_not_there(value: str | int | bool | None) -> None:
    assert VERSION.restore(described(), value) == ()


def test_what_a_rotation_made_is_not_moved_back() -> None:
    assert VERSION.restore(described(LastRotatedDate=NOON), OLD) == ()
    earlier = described(LastRotatedDate=NOON - timedelta(days=40))
    assert len(VERSION.restore(earlier, OLD)) == 1, "the value put by hand since then may go back"


def test_without_dates_a_rotation_cannot_be_ruled_out() -> None:
    fake = account(shown(LastRotatedDate=NOON - timedelta(days=40)))
    fake.denied = frozenset({"secretsmanager:ListSecretVersionIds"})
    found = describe(fake.reader(), ARN)
    assert found is not None
    assert VERSION.restore(found, OLD) == ()


@pytest.mark.parametrize(
    ("session", "rules", "asked"),
    [
        ("rotate-orders-db", {"AutomaticallyAfterDays": 30}, True),
        ("rotate-orders-db", {"AutomaticallyAfterDays": 40}, False),  # it was due
        ("rotate-orders-db", {"ScheduleExpression": "cron(0 8 1 * ? *)"}, False),  # nobody can tell
        ("deploy", {"AutomaticallyAfterDays": 30}, False),
    ],
)
def test_a_rotation_out_of_turn_was_asked_for_by_somebody(session: str, rules: Json, asked: bool) -> None:
    """The version before is 40 days old."""
    move = {"secretId": ARN, "versionStage": "AWSCURRENT", "moveToVersionId": NEW, "removeFromVersionId": OLD}
    role = Actor(kind="role", name="rotation", how="sdk", session=session)
    for operation, request in (
        ("UpdateSecretVersionStage", move),
        ("PutSecretValue", {"secretId": ARN, "clientRequestToken": NEW}),
    ):
        step = replace(happened(operation, request, minutes=5), actor=role)
        known = catalogue.change_of(step)
        assert known is not None
        assert known.asked is not None
        assert known.asked(step, described(RotationRules=rules)) == asked
        assert not known.asked(step, described(RotationRules=rules, RotationLambdaARN=None))


def test_rotation_goes_on_and_off_without_rotating_at_once() -> None:
    (on,) = setting("automatic rotation").restore(described(), True)
    assert on.parameters == {"SecretId": ARN, "RotateImmediately": False}
    (off,) = setting("automatic rotation").restore(described(), False)
    assert off.operation == "CancelRotateSecret"


def test_the_policy_is_compared_in_one_writing() -> None:
    event = happened("PutResourcePolicy", {"secretId": ARN, "resourcePolicy": '{\n  "Statement" : [ ]\n}'})
    policy = setting("resource policy")
    assert requested(event, policy)[1] == current(described(), policy)
    assert policy.restore(described(), None)[0].operation == "DeleteResourcePolicy"


def undo(event: ChangeEvent, earlier: Iterable[ChangeEvent] = ()) -> tuple[tuple[str, Json], ...]:
    change = catalogue.change_of(event)
    assert change is not None
    assert change.undo is not None
    calls = change.undo(event, tuple(earlier))
    assert all(validate(one) == () for one in calls)
    return tuple((one.operation, one.parameters) for one in calls)


def test_a_deleted_secret_is_restored_unless_its_deletion_was_forced() -> None:
    answer: Json = {"aRN": ARN, "name": "shop/orders-db"}
    gone = happened("DeleteSecret", {"secretId": "shop/orders-db", "recoveryWindowInDays": 7}, answer)
    assert undo(gone) == (("RestoreSecret", {"SecretId": ARN}),)
    forced = happened("DeleteSecret", {"secretId": ARN, "forceDeleteWithoutRecovery": True}, answer)
    assert undo(forced) == ()


def test_copies_come_back_with_the_keys_they_had_or_not_at_all() -> None:
    removed = happened(
        "RemoveRegionsFromReplication", {"secretId": ARN, "removeReplicaRegions": ["eu-central-1"]}
    )
    made = happened(
        "ReplicateSecretToRegions",
        {"secretId": ARN, "addReplicaRegions": [{"region": "eu-central-1", "kmsKeyId": KEY}]},
        minutes=-60,
    )
    ((operation, sent),) = undo(removed, [made])
    assert operation == "ReplicateSecretToRegions"
    assert sent["AddReplicaRegions"] == [{"Region": "eu-central-1", "KmsKeyId": KEY}]
    assert undo(removed) == ()


def test_a_cancelled_rotation_is_set_as_it_was() -> None:
    rules: Json = {"scheduleExpression": "rate(10 days)"}
    was = happened(
        "RotateSecret",
        {
            "secretId": ARN,
            "clientRequestToken": NEW,
            "rotationLambdaARN": ROTATOR,
            "rotationRules": rules,
        },
        minutes=-60,
    )
    cancelled = happened("CancelRotateSecret", {"secretId": ARN})
    ((operation, sent),) = undo(cancelled, [was])
    assert operation == "RotateSecret"
    assert sent == {
        "SecretId": ARN,
        "RotationLambdaARN": ROTATOR,
        "RotationRules": {"ScheduleExpression": "rate(10 days)"},
        "RotateImmediately": False,
    }
    assert undo(cancelled) == ()


# -- states and texts -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("stages", "holds"),
    [
        ({OLD: ["AWSCURRENT"], NEW: ["AWSPENDING"]}, True),
        ({OLD: ["AWSPREVIOUS"], NEW: ["AWSCURRENT", "AWSPENDING"]}, False),
        ({OLD: ["AWSCURRENT"]}, False),
    ],
)
def test_a_rotation_is_unfinished_while_its_version_is_not_current(stages: Json, holds: bool) -> None:
    fake = account(shown(VersionIdsToStages=stages, DeletedDate=NOON))
    found = describe(fake.reader(), ARN)
    assert found is not None
    (condition,) = SERVICE.conditions
    assert condition.shown is not None
    assert condition.shown(found) is holds


@pytest.mark.parametrize(
    ("line", "points_to"),
    [
        (
            "InvalidRequestException: You can't perform this operation on the secret because it was "
            "marked for deletion.",
            "DeleteSecret",
        ),
        ("Secrets Manager can't find the specified secret.", "DeleteSecret"),
        (
            "Secrets Manager can't find the specified secret value for staging label: AWSCURRENT",
            VERSION.path,
        ),
        ("Access to KMS is not allowed", "KmsKeyId"),
        ("setSecret: Unable to log into database with previous, current, or pending secret", None),
    ],
)
def test_error_texts_name_what_is_wrong(line: str, points_to: str | None) -> None:
    found = [one.points_to for one in SERVICE.signatures if re.search(one.match, line)]
    assert found == [points_to or "rotation-unfinished"]


def test_the_stage_moves_as_the_plan_says_and_back_again() -> None:
    """The calls are made, and each time the account shows the stages that the next call rests on."""
    with emulation("111122223333", "eu-west-1") as at:
        client = at.client("secretsmanager")
        made = client.create_secret(Name="shop/orders-db", SecretString="first", ClientRequestToken=OLD)
        client.put_secret_value(SecretId=made["ARN"], SecretString="second", ClientRequestToken=NEW)

        def held() -> tuple[Resource, dict[str, list[str]]]:
            told = client.list_secret_version_ids(SecretId=made["ARN"])
            fake = FakeAws(
                {
                    ("secretsmanager", "DescribeSecret"): {
                        "ARN": made["ARN"],
                        "Name": "shop/orders-db",
                    },
                    ("secretsmanager", "ListSecretVersionIds"): {"Versions": told["Versions"]},
                    ("secretsmanager", "GetResourcePolicy"): {"ARN": made["ARN"]},
                }
            )
            found = describe(fake.reader(), made["ARN"])
            assert found is not None
            return found, {one["VersionId"]: one["VersionStages"] for one in told["Versions"]}

        found, before_it = held()
        (apply,), (back,) = VERSION.restore(found, OLD), VERSION.restore(found, NEW)
        at.call(apply)
        assert current(held()[0], VERSION) == OLD
        at.call(back)
        assert held()[1] == before_it
