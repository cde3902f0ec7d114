"""AWS Health: which events held, what they touch, and a gap where the support plan does not allow to ask."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from tests.tools.fake_account import FakeAws
from tools import catalogue
from tools.directory import KnownResources
from tools.models import Json, Resource
from tools.parameters import validate
from tools.refusals import Refusal, error_of
from tools.services.health import SERVICE, describe, discover, relations

NOW = datetime(2026, 3, 13, 17, 41, tzinfo=UTC)
ARN = "arn:aws:health:eu-west-1::event/EC2/AWS_EC2_OPERATIONAL_ISSUE/AWS_EC2_OPERATIONAL_ISSUE_0a1b2c"
MACHINE = "i-0a1b2c3d4e5f60001"


def event(**more: object) -> Json:
    return {
        "arn": ARN,
        "service": "EC2",
        "eventTypeCode": "AWS_EC2_OPERATIONAL_ISSUE",
        "eventTypeCategory": "issue",
        "region": "eu-west-1",
        "startTime": NOW - timedelta(hours=1),
        "statusCode": "open",
        **more,
    }


def account(*entities: str, **more: object) -> FakeAws:
    item = event(**more)

    def listed(parameters: Json) -> Json:
        assert parameters["filter"]["regions"] == ["eu-west-1", "global"]
        return {"events": [item]}

    return FakeAws(
        {
            ("health", "DescribeEvents"): listed,
            ("health", "DescribeAffectedEntities"): {
                "entities": [
                    {"eventArn": ARN, "entityValue": one, "statusCode": "IMPAIRED"} for one in entities
                ]
            },
            ("health", "DescribeEventDetails"): {
                "successfulSet": [
                    {"event": item, "eventDescription": {"latestDescription": "We are investigating."}}
                ]
            },
        }
    )


def listed(*entities: str, **more: object) -> Resource:
    (found,) = discover(account(*entities, **more).reader(), "eu-west-1")
    return found


def thing(arn: str, service: str, type: str, name: str, region: str = "eu-west-1") -> Resource:
    return Resource(arn=arn, service=service, type=type, name=name, account="111122223333", region=region)


INSTANCE = thing(f"arn:aws:ec2:eu-west-1:111122223333:instance/{MACHINE}", "ec2", "instance", "web-1")
TABLE = thing("arn:aws:dynamodb:eu-west-1:111122223333:table/orders", "dynamodb", "table", "orders")
FAR = thing(f"arn:aws:ec2:us-east-1:111122223333:instance/{MACHINE}", "ec2", "instance", "web-1", "us-east-1")


def test_events_are_asked_for_in_the_global_region() -> None:
    class Placed(FakeAws):
        def ask(self, service: str, operation: str, region: str, parameters: Json) -> Json:
            assert region == "us-east-1"
            return super().ask(service, operation, region, parameters)

    held = account(MACHINE)
    (found,) = discover(Placed(held.answers).reader(), "eu-west-1")
    assert (found.type, found.region, found.account) == ("health-event", "eu-west-1", "111122223333")
    assert catalogue.type_of(found.arn) == "health-event"


@pytest.mark.parametrize(
    ("more", "holds"),
    [
        ({}, {"aws-issue"}),
        ({"statusCode": "closed", "endTime": NOW - timedelta(hours=2)}, {"aws-issue"}),
        ({"statusCode": "closed", "endTime": NOW - timedelta(hours=9)}, set()),
        (
            {"eventTypeCategory": "scheduledChange", "startTime": NOW - timedelta(hours=1)},
            {"aws-scheduled-change"},
        ),
        ({"eventTypeCategory": "scheduledChange", "startTime": NOW + timedelta(days=2)}, set()),
        ({"eventTypeCategory": "scheduledChange", "startTime": NOW - timedelta(days=2)}, set()),
        ({"eventTypeCategory": "accountNotification"}, set()),
    ],
)
def test_an_event_holds_while_it_lasts_and_shortly_after(more: Json, holds: set[str]) -> None:
    found = listed(**more)
    shown = {one.key for one in SERVICE.conditions if one.shown is not None and one.shown(found)}
    excluded = {one.key for one in SERVICE.conditions if one.excluded is not None and one.excluded(found)}
    assert shown == holds
    assert excluded == {"aws-issue", "aws-scheduled-change"} - holds


@pytest.mark.parametrize("value", [MACHINE, INSTANCE.arn])
def test_what_an_event_names_is_touched_and_nothing_else(value: str) -> None:
    found = listed(value)
    told = list(relations(found, KnownResources([found, INSTANCE, TABLE, FAR])))
    assert [(one.source, one.target, one.kind) for one in told] == [(INSTANCE.arn, ARN, "affected by")]
    assert told[0].confidence == 0.95


@pytest.mark.parametrize("entities", [(), ("UNKNOWN",), ("111122223333",)])
def test_an_issue_that_names_nothing_may_touch_its_service_in_the_region(entities: tuple[str, ...]) -> None:
    found = listed(*entities)
    told = list(relations(found, KnownResources([found, INSTANCE, TABLE, FAR])))
    assert [(one.source, one.confidence) for one in told] == [(INSTANCE.arn, 0.4)]
    over = listed(*entities, statusCode="closed", endTime=NOW - timedelta(days=2))
    assert list(relations(over, KnownResources([over, INSTANCE]))) == []


def test_a_described_event_says_what_aws_writes() -> None:
    found = describe(account(MACHINE).reader(), ARN)
    assert found is not None
    assert found.config["Description"] == "We are investigating."
    assert [one["entityValue"] for one in found.config["Entities"]] == [MACHINE]
    for condition in SERVICE.conditions:
        assert condition.calls is not None
        (call,) = condition.calls(found)
        assert (validate(call), call.region) == ((), "us-east-1")


def test_without_a_support_plan_there_is_a_gap() -> None:
    class Closed(FakeAws):
        def ask(self, service: str, operation: str, region: str, parameters: Json) -> Json:
            raise error_of(
                Refusal(
                    service=service,
                    operation=operation,
                    parameters=parameters,
                    region=region,
                    code="SubscriptionRequiredException",
                    message="",
                    status=400,
                )
            )

    reader = Closed({}).reader()
    found: list[Resource] = []
    with reader.seeing("AWS Health in eu-west-1"):
        found = list(discover(reader, "eu-west-1"))
    assert found == []
    assert [gap.code for gap in reader.gaps] == ["NotEnabled"]
    assert "Business" in reader.gaps[0].why
