"""KMS: what is read of a key, who stands for it, how state, policy, aliases and grants are put back."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from tests.tools.fake_account import Answer, FakeAws
from tools import catalogue
from tools.directory import KnownResources
from tools.history import current, prior, requested, same
from tools.kit import uses_key
from tools.models import Actor, ChangeEvent, Json, Resource
from tools.parameters import validate
from tools.services._spec import Change, Setting
from tools.services.kms import CHANGES, SERVICE, describe, discover, owner, relations

AS_OF = datetime(2026, 3, 13, 17, 41, tzinfo=UTC)
ID = "1f2e3d4c-5b6a-4789-90ab-cdef01234567"
KEY = f"arn:aws:kms:eu-west-1:111122223333:key/{ID}"
ALIAS = "arn:aws:kms:eu-west-1:111122223333:alias/shop/orders"
POLICY: Json = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "kms:*", "Resource": "*"}],
}
METADATA: Json = {
    "AWSAccountId": "111122223333",
    "KeyId": ID,
    "Arn": KEY,
    "CreationDate": datetime(2025, 4, 1, 8, 0, tzinfo=UTC),
    "Enabled": True,
    "KeyUsage": "ENCRYPT_DECRYPT",
    "KeyState": "Enabled",
    "Origin": "AWS_KMS",
    "KeyManager": "CUSTOMER",
    "KeySpec": "SYMMETRIC_DEFAULT",
}


def fake(**changed: object) -> FakeAws:
    answers: dict[tuple[str, str], Answer] = {
        ("kms", "DescribeKey"): {"KeyMetadata": {**METADATA, **changed}},
        ("kms", "GetKeyPolicy"): {"Policy": json.dumps(POLICY, indent=2), "PolicyName": "default"},
        ("kms", "GetKeyRotationStatus"): {"KeyRotationEnabled": True, "RotationPeriodInDays": 180},
        ("kms", "ListResourceTags"): {"Tags": [{"TagKey": "team", "TagValue": "shop"}], "Truncated": False},
    }
    return FakeAws(answers)


def key(**changed: object) -> Resource:
    found = describe(fake(**changed).reader(), KEY)
    assert found is not None
    return found


def happened(
    operation: str,
    request: Json,
    minutes: float = 0,
    response: Json | None = None,
    names: tuple[str, ...] = (),
) -> ChangeEvent:
    return ChangeEvent(
        id=f"{operation}{minutes:g}",
        time=AS_OF - timedelta(minutes=10 - minutes),
        source="kms.amazonaws.com",
        action=operation,
        operation=operation,
        region="eu-west-1",
        account="111122223333",
        actor=Actor(kind="iam_user", name="ops-07", how="console"),
        request=request,
        response=response or {},
        names=names,
        evidence=("F1",),
    )


def change(operation: str) -> Change:
    return next(one for one in CHANGES if one.operation == operation)


def setting(path: str) -> Setting:
    return next(one for one in SERVICE.settings if one.path == path)


def undone(event: ChangeEvent, *earlier: ChangeEvent) -> list[tuple[str, Json]]:
    undo = change(event.operation).undo
    assert undo is not None
    calls = undo(event, earlier)
    assert all(validate(one) == () for one in calls)
    return [(one.operation, one.parameters) for one in calls]


# -- reading ---------------------------------------------------------------------------------------


def test_a_key_is_its_metadata_with_policy_rotation_and_tags() -> None:
    found = key()
    assert (found.type, found.name, found.tags) == ("key", ID, {"team": "shop"})
    assert found.config["KeyState"] == "Enabled"
    assert found.config["Policy"] == POLICY
    assert (found.config["KeyRotationEnabled"], found.config["RotationPeriodInDays"]) == (True, 180)


def test_of_a_key_of_aws_only_the_state_is_read() -> None:
    asked = fake(KeyManager="AWS")
    assert describe(asked.reader(), KEY) is not None
    assert asked.asked == [("kms", "DescribeKey")]


@pytest.mark.parametrize("changed", [{"Origin": "EXTERNAL"}, {"KeySpec": "RSA_2048"}])
def test_rotation_is_asked_only_of_keys_that_can_rotate(changed: Json) -> None:
    asked = fake(**changed)
    found = describe(asked.reader(), KEY)
    assert ("kms", "GetKeyRotationStatus") not in asked.asked
    assert found is not None
    assert "KeyRotationEnabled" not in found.config


def test_an_alias_stands_for_its_key() -> None:
    found = describe(fake().reader(), ALIAS)
    assert found is not None
    assert (found.type, found.name, found.config["TargetKeyId"]) == ("key-alias", "alias/shop/orders", ID)
    assert [(one.kind, one.target) for one in relations(found, KnownResources([]))] == [("stands for", KEY)]
    assert describe(FakeAws({}).reader(), ALIAS) is None


def test_aliases_of_aws_and_those_without_a_key_are_left_out() -> None:
    pages: dict[str, Json] = {
        "": {"Aliases": [{"AliasName": "alias/aws/sqs", "AliasArn": f"{ALIAS}1", "TargetKeyId": ID}],
             "NextMarker": "more", "Truncated": True},
        "more": {"Aliases": [{"AliasName": "alias/shop/orders", "AliasArn": ALIAS, "TargetKeyId": ID},
                             {"AliasName": "alias/free", "AliasArn": f"{ALIAS}2"}]},
    }  # fmt: skip
    reader = FakeAws({("kms", "ListAliases"): lambda asked: pages[asked.get("Marker", "")]}).reader()
    assert [one.arn for one in discover(reader, "eu-west-1")] == [ALIAS]


def test_a_replica_is_told_by_its_primary() -> None:
    primary = KEY.replace("eu-west-1", "us-east-1")
    found = key(
        MultiRegion=True,
        MultiRegionConfiguration={
            "MultiRegionKeyType": "REPLICA",
            "PrimaryKey": {"Arn": primary, "Region": "us-east-1"},
        },
    )
    told = [(one.source, one.kind, one.target) for one in relations(found, KnownResources([]))]
    assert told == [(primary, "replicates to", KEY)]


@pytest.mark.parametrize(
    ("named", "target"),
    [
        (ID, KEY),
        (KEY, KEY),
        ("alias/shop/orders", ALIAS),
        (ALIAS, ALIAS),
        ("alias/aws/sqs", None),
        ("", None),
    ],
)
def test_whoever_is_encrypted_uses_the_key_however_it_is_named(named: str, target: str | None) -> None:
    queue = Resource(
        arn="arn:aws:sqs:eu-west-1:111122223333:orders",
        service="sqs",
        type="queue",
        name="orders",
        account="111122223333",
        region="eu-west-1",
        config={"KmsMasterKeyId": named} if named else {},
    )
    wanted = [] if target is None else [("uses", target)]
    assert [(one.kind, one.target) for one in uses_key(queue, named, "x")] == wanted
    sqs = catalogue.services()["sqs"]
    assert [(one.kind, one.target) for one in sqs.relations(queue, KnownResources([]))] == wanted


# -- events ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("request_", "response", "names"),
    [
        ({"keyId": ID}, {}, ()),
        ({"keyId": KEY}, {}, ()),
        ({"keyId": "alias/shop/orders"}, {"keyId": KEY}, ()),
        ({"keyId": "alias/shop/orders"}, {}, (KEY,)),
        ({}, {"keyMetadata": {"arn": KEY}}, ()),
    ],
)
def test_an_event_touches_the_key_however_it_is_named(
    request_: Json, response: Json, names: tuple[str, ...]
) -> None:
    event = happened("DisableKey", request_, response=response, names=names)
    assert change("DisableKey").touches(event) == (KEY,)


def test_an_alias_alone_is_what_an_event_touches_when_nothing_tells_the_key() -> None:
    event = happened("DisableKey", {"keyId": "alias/shop/orders"})
    assert change("DisableKey").touches(event) == (ALIAS,)
    moved = happened("UpdateAlias", {"aliasName": "alias/shop/orders", "targetKeyId": ID})
    assert change("UpdateAlias").touches(moved) == (ALIAS, KEY)


# -- what was before, and back ---------------------------------------------------------------------


def test_a_disabled_key_is_enabled_again_unless_it_was_disabled_before() -> None:
    event = happened("DisableKey", {"keyId": KEY}, 5)
    assert undone(event) == [("EnableKey", {"KeyId": ID})]
    assert undone(event, happened("EnableKey", {"keyId": ID})) == [("EnableKey", {"KeyId": ID})]
    assert undone(event, happened("DisableKey", {"keyId": ID})) == []
    elsewhere = happened("DisableKey", {"keyId": KEY.replace("1f2e", "9f2e")})
    assert undone(event, elsewhere) == [("EnableKey", {"KeyId": ID})]


def test_a_cancelled_deletion_leaves_the_key_disabled_so_it_is_enabled_too() -> None:
    event = happened("ScheduleKeyDeletion", {"keyId": ID, "pendingWindowInDays": 7}, 5)
    both = [("CancelKeyDeletion", {"KeyId": ID}), ("EnableKey", {"KeyId": ID})]
    assert undone(event) == both
    assert (
        undone(event, happened("EnableKey", {"keyId": ID}), happened("DisableKey", {"keyId": ID}, -5)) == both
    )
    assert undone(event, happened("DisableKey", {"keyId": ID})) == both[:1]
    assert undone(event, happened("CancelKeyDeletion", {"keyId": ID})) == both[:1]


def test_no_way_back_leads_to_a_deletion() -> None:
    known = change("ScheduleKeyDeletion")
    assert known.undo is not None
    assert known.back is not None
    back = known.back(known.undo(happened("ScheduleKeyDeletion", {"keyId": ID}), ()))
    assert [(one.operation, one.parameters) for one in back] == [("DisableKey", {"KeyId": ID})]
    assert back[0].region == "eu-west-1"


def test_a_key_policy_goes_back_to_the_earlier_one_and_never_to_none() -> None:
    policy = setting("Policy")
    narrow = {**POLICY, "Statement": []}
    made = happened("CreateKey", {"policy": json.dumps(POLICY)}, response={"keyMetadata": {"arn": KEY}})
    put = happened("PutKeyPolicy", {"keyId": ID, "policyName": "default", "policy": json.dumps(narrow)}, 5)
    told = prior(policy, key(), put, [made, put], None)
    assert told.known
    assert same(told.value, current(key(), policy), policy)  # white space makes no difference
    (call,) = policy.restore(key(), told.value)
    assert (call.operation, call.parameters["PolicyName"]) == ("PutKeyPolicy", "default")
    assert json.loads(call.parameters["Policy"]) == POLICY
    assert policy.restore(key(), None) == ()


def test_an_alias_goes_back_to_its_key_by_id() -> None:
    target = setting("TargetKeyId")
    alias = describe(fake().reader(), ALIAS)
    assert alias is not None
    event = happened("CreateAlias", {"aliasName": "alias/shop/orders", "targetKeyId": KEY})
    assert requested(event, target) == (True, ID)
    (call,) = target.restore(alias, ID)
    assert (call.operation, call.parameters) == (
        "UpdateAlias",
        {"AliasName": "alias/shop/orders", "TargetKeyId": ID},
    )


def test_a_deleted_alias_is_made_again_from_the_event_that_set_it_last() -> None:
    event = happened("DeleteAlias", {"aliasName": "alias/shop/orders"}, 5)
    old = happened("CreateAlias", {"aliasName": "alias/shop/orders", "targetKeyId": "old"}, -5)
    new = happened("UpdateAlias", {"aliasName": "alias/shop/orders", "targetKeyId": ID})
    assert undone(event, new, old) == [("CreateAlias", {"AliasName": "alias/shop/orders", "TargetKeyId": ID})]
    other = replace(new, request={"aliasName": "alias/other", "targetKeyId": ID})
    assert undone(event, other) == []


def test_a_revoked_grant_is_made_again_only_where_the_event_that_made_it_is_seen() -> None:
    event = happened("RevokeGrant", {"keyId": ID, "grantId": "g1"}, 5)
    asked: Json = {
        "keyId": KEY,
        "granteePrincipal": "arn:aws:iam::111122223333:role/orders-writer",
        "operations": ["Decrypt", "GenerateDataKey"],
        "constraints": {"encryptionContextSubset": {"table": "orders"}},
    }
    made = happened("CreateGrant", asked, response={"grantId": "g1", "keyId": KEY})
    assert undone(event, made) == [
        (
            "CreateGrant",
            {
                "KeyId": KEY,
                "GranteePrincipal": asked["granteePrincipal"],
                "Operations": ["Decrypt", "GenerateDataKey"],
                "Constraints": {"EncryptionContextSubset": {"table": "orders"}},
            },
        )
    ]
    assert undone(event, replace(made, response={"grantId": "g2"})) == []
    assert undone(event) == []


@pytest.mark.parametrize(
    ("operation", "earlier", "before"),
    [
        ("DisableKey", (), ("Enabled", ["same_event"])),
        ("DisableKey", ("CreateKey",), ("Enabled", ["same_event", "previous_event"])),
        ("DisableKey", ("CancelKeyDeletion", "EnableKey"), ("Enabled", ["same_event", "previous_event"])),
        ("DisableKey", ("EnableKey", "DisableKey"), ("Disabled", ["previous_event"])),
        ("EnableKey", (), ("Disabled", ["same_event"])),
        ("EnableKey", ("CreateKey",), ("Enabled", ["previous_event"])),
        ("EnableKey", ("CreateKey", "CancelKeyDeletion"), ("Disabled", ["same_event", "previous_event"])),
        ("CancelKeyDeletion", ("CreateKey",), ("PendingDeletion", ["same_event"])),
    ],
)
def test_the_state_before_follows_from_the_call_and_from_earlier_ones(
    operation: str, earlier: tuple[str, ...], before: tuple[str, list[str]]
) -> None:
    event = happened(operation, {"keyId": ID}, 5)
    known = [
        happened(one, {} if one == "CreateKey" else {"keyId": ID}, at, {"keyMetadata": {"arn": KEY}})
        for at, one in enumerate(earlier)
    ]
    told = prior(setting("KeyState"), key(), event, known, None)
    assert (told.value, [one.kind for one in told.sources]) == before


def test_a_state_is_put_back_by_one_call_or_none() -> None:
    state = setting("KeyState")
    for put_back, operation in (("Enabled", "EnableKey"), ("Disabled", "DisableKey")):
        assert [(one.operation, one.parameters) for one in state.restore(key(), put_back)] == [
            (operation, {"KeyId": ID})
        ]
    for value in ("PendingDeletion", "PendingImport", None):
        assert state.restore(key(), value) == ()
    external = happened("CreateKey", {"origin": "EXTERNAL"}, response={"keyMetadata": {"arn": KEY}})
    assert requested(external, state) == (True, "PendingImport")


def test_rotation_keeps_its_period() -> None:
    rotation = setting("KeyRotationEnabled")
    (on,), (off,) = rotation.restore(key(), True), rotation.restore(key(), False)
    assert (on.operation, on.parameters) == ("EnableKeyRotation", {"KeyId": ID, "RotationPeriodInDays": 180})
    assert (off.operation, off.parameters) == ("DisableKeyRotation", {"KeyId": ID})


def test_a_key_without_material_is_seen_in_its_own_description() -> None:
    (condition,) = SERVICE.conditions
    assert condition.shown is not None
    assert condition.excluded is not None
    assert condition.shown(key(KeyState="PendingImport", Origin="EXTERNAL"))
    assert not condition.shown(key())
    assert condition.excluded(key())
    assert not condition.excluded(key(Origin="EXTERNAL"))


@pytest.mark.parametrize(
    ("line", "points_to"),
    [
        (f"KMSInvalidStateException: {KEY} is pending deletion.", "ScheduleKeyDeletion"),
        (
            f"An error occurred (DisabledException) when calling the Decrypt operation: {KEY} is disabled.",
            "DisableKey",
        ),
        ("KMS.DisabledException", "DisableKey"),
        (f"{KEY} is pending import.", "key-without-material"),
        (
            "The ciphertext refers to a customer master key that does not exist, does not exist in this region, or "
            "you are not allowed to access.",
            "PutKeyPolicy",
        ),
        (f"NotFoundException: Alias {ALIAS} is not found.", "DeleteAlias"),
    ],
)
def test_error_texts_name_their_cause(line: str, points_to: str) -> None:
    assert next(one.points_to for one in SERVICE.signatures if re.search(one.match, line)) == points_to


def test_a_metric_names_its_key() -> None:
    assert owner({"KeyId": ID}, "aws", "eu-west-1", "111122223333") == KEY
    assert owner({}, "aws", "eu-west-1", "111122223333") == ""


def test_earlier_events_of_an_alias_are_found_by_its_name() -> None:
    alias = describe(fake().reader(), ALIAS)
    assert alias is not None
    made = happened("CreateAlias", {"aliasName": "alias/shop/orders", "targetKeyId": ID})
    moved = happened("UpdateAlias", {"aliasName": "alias/shop/orders", "targetKeyId": "other"}, 5)
    elsewhere = happened("UpdateAlias", {"aliasName": "alias/orders", "targetKeyId": "third"}, 3)
    told = prior(setting("TargetKeyId"), alias, moved, [made, elsewhere, moved], None)
    assert (told.known, told.value) == (True, ID)
