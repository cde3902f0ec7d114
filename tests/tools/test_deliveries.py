"""Whom targets mean, and that what is put back is what was there, as moto plays AWS."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import boto3
import pytest
from botocore import xform_name
from hypothesis import given
from hypothesis import strategies as st
from moto import mock_aws

from tests.tools.fake_account import FakeAws
from tests.tools.happened import resource, setting_of
from tools.deliveries import meant, senders, whom
from tools.directory import KnownResources
from tools.errors import NotThere
from tools.history import current
from tools.models import Call, Gap, Json, Value
from tools.services import services

AT = "eu-west-1:123456789012"


@pytest.mark.parametrize(
    ("target", "wanted"),
    [
        (f"arn:aws:lambda:{AT}:function:f:live", f"arn:aws:lambda:{AT}:function:f"),
        (f"arn:aws:lambda:{AT}:function:f", f"arn:aws:lambda:{AT}:function:f"),
        (f"arn:aws:dynamodb:{AT}:table/t/stream/2026-01-01T00:00:00.000", f"arn:aws:dynamodb:{AT}:table/t"),
        (f"arn:aws:states:{AT}:stateMachine:m:7", f"arn:aws:states:{AT}:stateMachine:m"),
        (f"arn:aws:execute-api:{AT}:a1b2c3/prod/POST/x", "arn:aws:apigateway:eu-west-1::/apis/a1b2c3"),
        (f"arn:aws:sns:{AT}:t:5f0c2a7e", f"arn:aws:sns:{AT}:t:5f0c2a7e"),
    ],
)
def test_a_part_means_its_whole(target: str, wanted: str) -> None:
    assert whom(target) == wanted


@given(st.text(max_size=60))
def test_what_is_no_arn_means_itself_and_nobody_unknown(text: str) -> None:
    assert whom(text) == text
    assert list(meant(text, KnownResources(()))) == []


def test_an_api_is_meant_as_the_kind_that_is_known() -> None:
    rest = resource(services()["apigateway"], "api", "arn:aws:apigateway:eu-west-1::/restapis/a1b2c3", {})
    target = f"arn:aws:execute-api:{AT}:a1b2c3/prod/POST/x"
    assert list(meant(target, KnownResources([rest]))) == [rest.arn]


_JSON = st.recursive(
    st.none() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)


@given(_JSON)
def test_no_policy_breaks_the_map(policy: Any) -> None:
    one = resource(services()["sns"], "topic", f"arn:aws:sns:{AT}:t", {})
    statement = {"Effect": "Allow", "Condition": policy}
    for raw in (policy, {"Statement": policy}, {"Statement": [statement]}):
        assert list(senders(one, raw if isinstance(raw, dict | str) else json.dumps(raw), "x")) == []


# -- what is put back is what was there ---------------------------------------------------------------


def client_of(service: str, region: str = "eu-west-1") -> Any:
    return boto3.client(service, region_name=region)  # type: ignore[call-overload]


@dataclass
class Played(FakeAws):
    """Asks moto."""

    def ask(self, service: str, operation: str, region: str, parameters: Json) -> Json:
        client = client_of(service, region)
        try:
            answer: Json = getattr(client, xform_name(operation))(**parameters)
        except client.exceptions.ClientError as error:
            raise NotThere(Gap(what=operation, why=str(error), code="NotThere"), "NotFound") from error
        answer.pop("ResponseMetadata")
        return answer


def do(calls: tuple[Call, ...]) -> None:
    for one in calls:
        getattr(client_of(one.service, one.region), xform_name(one.operation))(**one.parameters)


def machine(*states: str) -> str:
    return json.dumps({"StartAt": states[0], "States": {states[0]: {"Type": "Pass", "End": True}}})


QUEUE = f"arn:aws:sqs:{AT}:orders"
ROLE = "arn:aws:iam::123456789012:role/starts"


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, str]]:
    """A topic with a subscription, a rule, a schedule and a state machine: resource type -> ARN."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "AKIAEXAMPLE")
    with mock_aws():
        client_of("sqs").create_queue(QueueName="orders")
        client_of("iam").create_role(RoleName="starts", AssumeRolePolicyDocument="{}")
        sns, events = client_of("sns"), client_of("events")
        topic = sns.create_topic(Name="t")["TopicArn"]
        subscription = sns.subscribe(
            TopicArn=topic, Protocol="sqs", Endpoint=QUEUE, Attributes={"FilterPolicy": '{"kind":["a"]}'}
        )
        rule = events.put_rule(Name="nightly", ScheduleExpression="rate(1 day)", Description="nightly run")
        client_of("scheduler").create_schedule(
            Name="s",
            ScheduleExpression="rate(1 hour)",
            FlexibleTimeWindow={"Mode": "OFF"},
            Target={"Arn": QUEUE, "RoleArn": ROLE, "RetryPolicy": {"MaximumRetryAttempts": 3}},
        )
        states = client_of("stepfunctions")
        yield {
            "topic": topic,
            "subscription": subscription["SubscriptionArn"],
            "rule": rule["RuleArn"],
            "schedule": f"arn:aws:scheduler:{AT}:schedule/default/s",
            "state-machine": states.create_state_machine(name="m", definition=machine("A"), roleArn=ROLE)[
                "stateMachineArn"
            ],
        }


@pytest.mark.parametrize(
    ("service", "type", "path", "bad"),
    [
        ("sns", "topic", "Policy", '{"Version":"2012-10-17","Statement":[]}'),
        ("sns", "subscription", "FilterPolicy", '{"kind":["b"]}'),
        ("sns", "subscription", "RawMessageDelivery", "true"),
        ("events", "rule", "State", "DISABLED"),
        ("events", "rule", "ScheduleExpression", "rate(7 days)"),
        ("scheduler", "schedule", "State", "DISABLED"),
        ("scheduler", "schedule", "EndDate", "2027-01-01T00:00:00+00:00"),
        ("scheduler", "schedule", "Target.Input", "{}"),
        ("scheduler", "schedule", "Target.RetryPolicy.MaximumRetryAttempts", 0),
        ("scheduler", "schedule", "FlexibleTimeWindow.MaximumWindowInMinutes", 60),
        ("states", "state-machine", "definition", machine("B")),
    ],
)
def test_what_is_put_back_is_what_was_there(
    made: dict[str, str], service: str, type: str, path: str, bad: Value
) -> None:
    aws = Played({}, account="123456789012")
    setting, describe = setting_of(services()[service], type, path), services()[service].describe
    first = describe(aws.reader(), made[type])
    assert first is not None
    do(setting.restore(first, bad))
    broken = describe(aws.reader(), made[type])
    assert broken is not None
    assert current(broken, setting) == bad
    do(setting.restore(broken, current(first, setting)))
    last = describe(aws.reader(), made[type])
    assert last is not None
    changed = {key for key in {*first.config, *last.config} if first.config.get(key) != last.config.get(key)}
    assert changed <= {"LastModificationDate"}
