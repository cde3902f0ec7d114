"""Kinesis: what is read, what hangs together, what was before, and how it is put back."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.tools.fake_account import Answer, FakeAws
from tools import catalogue
from tools.directory import KnownResources
from tools.evidence import canonical
from tools.history import current, prior, requested, same
from tools.models import Actor, ChangeEvent, Json, Resource
from tools.parameters import validate
from tools.services._spec import Setting
from tools.services.kinesis import SERVICE, describe, dimensions, discover, owner, relations

AS_OF = datetime(2026, 3, 13, 17, 41, tzinfo=UTC)
STREAM = "arn:aws:kinesis:eu-west-1:111122223333:stream/clicks"
CONSUMER = f"{STREAM}/consumer/billing:1773421951"
KEY = "arn:aws:kms:eu-west-1:111122223333:key/1f2e3d4c-5b6a-4789-90ab-cdef01234567"
SUMMARY: Json = {
    "StreamName": "clicks",
    "StreamARN": STREAM,
    "StreamStatus": "ACTIVE",
    "StreamModeDetails": {"StreamMode": "PROVISIONED"},
    "RetentionPeriodHours": 48,
    "StreamCreationTimestamp": datetime(2025, 4, 1, 8, 0, tzinfo=UTC),
    "EnhancedMonitoring": [{"ShardLevelMetrics": ["IncomingBytes"]}],
    "EncryptionType": "KMS",
    "KeyId": KEY,
    "OpenShardCount": 4,
    "ConsumerCount": 1,
}
BILLING: Json = {
    "ConsumerName": "billing",
    "ConsumerARN": CONSUMER,
    "ConsumerStatus": "ACTIVE",
    "ConsumerCreationTimestamp": datetime(2026, 3, 13, 17, 12, 31, tzinfo=UTC),
}
POLICY: Json = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "kinesis:PutRecord"}]}


def stream(**changed: object) -> Resource:
    answers: dict[tuple[str, str], Answer] = {
        ("kinesis", "DescribeStreamSummary"): {"StreamDescriptionSummary": {**SUMMARY, **changed}},
        ("kinesis", "GetResourcePolicy"): {"Policy": json.dumps(POLICY, indent=2)},
        ("kinesis", "ListStreamConsumers"): {"Consumers": [BILLING]},
        ("kinesis", "ListTagsForStream"): {"Tags": [{"Key": "team", "Value": "shop"}], "HasMoreTags": False},
    }
    found = describe(FakeAws(answers).reader(), STREAM)
    assert found is not None
    return found


def happened(operation: str, request: Json, response: Json | None = None, minutes: float = 0) -> ChangeEvent:
    return ChangeEvent(
        id=f"{operation}{minutes:g}",
        time=AS_OF - timedelta(minutes=10 - minutes),
        source="kinesis.amazonaws.com",
        action=operation,
        operation=operation,
        region="eu-west-1",
        account="111122223333",
        actor=Actor(kind="iam_user", name="ops-07", how="console"),
        request=request,
        response=response or {},
        evidence=("F1",),
    )


def setting(path: str) -> Setting:
    return next(one for one in SERVICE.settings if one.path == path)


def test_a_stream_is_its_summary_with_policy_consumers_and_tags() -> None:
    found = stream()
    assert (found.type, found.name, found.tags) == ("stream", "clicks", {"team": "shop"})
    assert found.config["OpenShardCount"] == 4
    assert found.config["Policy"] == POLICY
    assert [one["ConsumerName"] for one in found.config["Consumers"]] == ["billing"]
    assert found.config["AsRead"] == {"RetentionPeriodHours": 48, "KeyId": KEY}
    assert found.evidence == ("T1", "T2", "T3")


def test_consumers_are_asked_for_only_where_there_are_some() -> None:
    fake = FakeAws(
        {("kinesis", "DescribeStreamSummary"): {"StreamDescriptionSummary": {**SUMMARY, "ConsumerCount": 0}}}
    )
    found = describe(fake.reader(), STREAM)
    assert found is not None
    assert ("kinesis", "ListStreamConsumers") not in fake.asked
    assert "Consumers" not in found.config


def test_a_stream_that_is_gone_is_none_and_a_refusal_of_a_part_is_a_gap() -> None:
    assert describe(FakeAws({}).reader(), STREAM) is None
    fake = FakeAws(
        {("kinesis", "DescribeStreamSummary"): {"StreamDescriptionSummary": SUMMARY}},
        denied=frozenset({"kinesis:ListStreamConsumers", "kinesis:GetResourcePolicy"}),
    )
    reader = fake.reader()
    found = describe(reader, STREAM)
    assert found is not None
    assert [gap.what for gap in reader.gaps] == ["Resource policy", "Consumers"]
    assert "Consumers" not in found.config


def test_names_are_listed_and_a_consumer_is_read_by_its_arn() -> None:
    answers: dict[tuple[str, str], Answer] = {
        ("kinesis", "ListStreams"): {"StreamNames": ["clicks", "orders"], "HasMoreStreams": False},
        ("kinesis", "DescribeStreamConsumer"): {"ConsumerDescription": {**BILLING, "StreamARN": STREAM}},
    }
    reader = FakeAws(answers).reader()
    assert [one.name for one in discover(reader, "eu-west-1")] == ["clicks", "orders"]
    found = describe(reader, CONSUMER)
    assert found is not None
    assert (found.type, found.name) == ("stream-consumer", "billing")
    assert dimensions(found) == (("ConsumerName", "billing"), ("StreamName", "clicks"))


def test_a_stream_is_read_by_its_consumers_and_uses_its_key() -> None:
    nothing = KnownResources([])
    told = [(one.source, one.kind, one.target) for one in relations(stream(), nothing)]
    assert told == [(STREAM, "read by", CONSUMER), (STREAM, "uses", KEY)]
    consumer = Resource(
        arn=CONSUMER,
        service="kinesis",
        type="stream-consumer",
        name="billing",
        account="111122223333",
        region="eu-west-1",
    )
    assert [(one.source, one.kind, one.target) for one in relations(consumer, nothing)] == [
        (STREAM, "read by", CONSUMER)
    ]


@pytest.mark.parametrize(
    ("key", "wanted"),
    [
        ("alias/aws/kinesis", []),
        ("alias/clicks", ["arn:aws:kms:eu-west-1:111122223333:alias/clicks"]),
        (KEY.rpartition("/")[2], [KEY]),
    ],
)
def test_a_key_is_told_by_id_alias_or_arn_and_awss_own_is_left_out(key: str, wanted: list[str]) -> None:
    found = stream(KeyId=key, ConsumerCount=0)
    assert [one.target for one in relations(found, KnownResources([]))] == wanted


@pytest.mark.parametrize(
    ("request_", "response", "wanted"),
    [
        ({"streamName": "clicks"}, {}, (STREAM,)),
        ({"streamARN": STREAM}, {}, (STREAM,)),
        ({"resourceARN": CONSUMER}, {}, (CONSUMER, STREAM)),
        ({"consumerARN": CONSUMER}, {}, (CONSUMER, STREAM)),
        ({"streamARN": STREAM}, {"consumer": {"consumerARN": CONSUMER}}, (CONSUMER, STREAM)),
        ({}, {}, ()),
    ],
)
def test_an_event_touches_the_consumer_then_its_stream(
    request_: Json, response: Json, wanted: tuple[str, ...]
) -> None:
    touches = SERVICE.changes[0].touches
    assert touches(happened("UpdateShardCount", request_, response)) == wanted


def test_the_answer_to_a_change_of_the_shards_shows_how_many_there_were() -> None:
    event = happened(
        "UpdateShardCount",
        {"streamName": "clicks", "targetShardCount": 2, "scalingType": "UNIFORM_SCALING"},
        {"streamName": "clicks", "currentShardCount": 4, "targetShardCount": 2},
    )
    shards = setting("OpenShardCount")
    before = prior(shards, stream(OpenShardCount=2), event, [event], None)
    assert before.value == 4
    assert before.sources[0].kind == "same_event"
    (call,) = shards.restore(stream(OpenShardCount=2), before.value)
    assert (call.operation, call.parameters["TargetShardCount"]) == ("UpdateShardCount", 4)


@pytest.mark.parametrize(
    ("now", "value", "operation"),
    [
        (24, 168, "IncreaseStreamRetentionPeriod"),
        (168, 24, "DecreaseStreamRetentionPeriod"),
        (24, 24, "DecreaseStreamRetentionPeriod"),  # the way back from a raise
        (8760, 8760, "IncreaseStreamRetentionPeriod"),
        (48, 48, ""),  # up or down is not known
    ],
)
def test_retention_goes_back_by_the_operation_that_fits(now: int, value: int, operation: str) -> None:
    at = stream(RetentionPeriodHours=now)
    # As a plan does it: the configuration already holds the value that is to be set.
    after = replace(at, config={**at.config, "RetentionPeriodHours": value})
    assert [one.operation for one in setting("RetentionPeriodHours").restore(after, value)] == (
        [operation] if operation else []
    )


@given(now=st.integers(24, 8760), value=st.integers(24, 8760))
def test_retention_never_asks_for_the_wrong_direction(now: int, value: int) -> None:
    at = Resource(
        arn=STREAM,
        service="kinesis",
        type="stream",
        name="clicks",
        account="111122223333",
        region="eu-west-1",
        config={"RetentionPeriodHours": value, "AsRead": {"RetentionPeriodHours": now}},
    )
    for one in setting("RetentionPeriodHours").restore(at, value):
        assert validate(one) == ()
        assert one.parameters["RetentionPeriodHours"] == value
        if now != value:
            assert (one.operation == "IncreaseStreamRetentionPeriod") == (value > now)


def test_encryption_is_switched_back_with_the_key_that_was_read() -> None:
    key = setting("KeyId")
    at = stream()
    started, stopped = (
        key.restore(at, KEY),
        key.restore(replace(at, config={**at.config, "KeyId": None}), None),
    )
    assert [one.operation for one in (*started, *stopped)] == [
        "StartStreamEncryption",
        "StopStreamEncryption",
    ]
    assert {one.parameters["KeyId"] for one in (*started, *stopped)} == {KEY}
    event = happened("StartStreamEncryption", {"streamName": "clicks", "keyId": KEY.rpartition("/")[2]})
    assert requested(event, key) == (True, KEY)


def test_a_policy_is_the_same_however_its_text_is_spaced() -> None:
    policy = setting("Policy")
    event = happened("PutResourcePolicy", {"resourceARN": STREAM, "policy": json.dumps(POLICY, indent=4)})
    known, value = requested(event, policy)
    assert known
    assert same(value, current(stream(), policy), policy)
    (call,) = policy.restore(stream(), value)
    assert json.loads(call.parameters["Policy"]) == POLICY
    assert call.parameters["Policy"] == canonical(POLICY)
    (gone,) = policy.restore(stream(), None)
    assert gone.operation == "DeleteResourcePolicy"


def test_one_shard_cannot_be_hot_and_on_demand_may() -> None:
    (condition,) = SERVICE.conditions
    assert condition.excluded is not None
    assert condition.excluded(stream(OpenShardCount=1))
    assert not condition.excluded(stream(OpenShardCount=4))
    assert not condition.excluded(stream(OpenShardCount=1, StreamModeDetails={"StreamMode": "ON_DEMAND"}))


def test_a_metric_of_a_consumer_is_the_consumers_where_it_is_known() -> None:
    named = {"StreamName": "clicks", "ConsumerName": "billing"}
    assert owner(named, "aws", "eu-west-1", "111122223333") == STREAM
    known = KnownResources(
        [
            Resource(
                arn=CONSUMER,
                service="kinesis",
                type="stream-consumer",
                name="billing",
                account="111122223333",
                region="eu-west-1",
            )
        ]
    )
    assert known.measured("AWS/Kinesis", named, "eu-west-1") == CONSUMER


@pytest.mark.parametrize(
    ("line", "code"),
    [
        (
            "Rate exceeded for shard shardId-000000000000 in stream clicks under account 111122223333.",
            "ProvisionedThroughputExceededException",
        ),
        ("Stream clicks under account 111122223333 not found.", "ResourceNotFoundException"),
    ],
)
def test_error_texts_are_known(line: str, code: str) -> None:
    assert next(one.code for _, one in catalogue.signatures() if re.search(one.match, line)) == code
