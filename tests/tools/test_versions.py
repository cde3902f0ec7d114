"""Published versions as facts: the newest before each moment, cited, and nothing read where there are none."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.tools.fake_account import FakeAws
from tools.catalogue import services
from tools.models import Json, Resource
from tools.versions import before

T = datetime(2026, 3, 13, 17, 12, 31, tzinfo=UTC)
WRITER = Resource(
    arn="arn:aws:lambda:eu-west-1:111122223333:function:order-writer",
    service="lambda",
    type="function",
    name="order-writer",
    account="111122223333",
    region="eu-west-1",
)
QUEUE = Resource(
    arn="arn:aws:sqs:eu-west-1:111122223333:orders",
    service="sqs",
    type="queue",
    name="orders",
    account="111122223333",
    region="eu-west-1",
)


def version(name: str, minutes: float, **config: Any) -> Json:
    made = T + timedelta(minutes=minutes)
    return {
        "Version": name,
        "LastModified": f"{made:%Y-%m-%dT%H:%M:%S}.{made.microsecond // 1000:03d}+0000",
        "Timeout": 30,
        "MemorySize": 512,
        "Environment": {"Variables": {"DB_PASSWORD": "hunter2"}},
        **config,
    }


def account(*versions: Json, **more: Any) -> FakeAws:
    return FakeAws({("lambda", "ListVersionsByFunction"): {"Versions": list(versions)}}, **more)


def test_the_newest_before_each_moment_with_what_its_settings_were() -> None:
    aws = account(
        version("$LATEST", -1, Timeout=3),
        version("9", -900, Timeout=10),
        version("10", -600, VpcConfig={"SubnetIds": ["subnet-a"], "SecurityGroupIds": ["sg-b"]}),
        version("11", 0, Timeout=3),
    )
    reader = aws.reader()
    found = before(reader, WRITER, [T, T - timedelta(minutes=700), T - timedelta(minutes=5)])
    assert [(one.name, one.made) for one in found] == [
        ("9", T - timedelta(minutes=900)),
        ("10", T - timedelta(minutes=600)),
    ]
    assert [one.values["Timeout"] for one in found] == [10, 30]
    assert found[1].values["VpcConfig"] == "subnet-a sg-b"
    assert {one.resource for one in found} == {WRITER.arn}
    assert len(aws.asked) == 1
    cited = {item.id: item for item in reader.evidence}
    assert [cited[one.evidence[0]].time for one in found] == [one.made for one in found]
    assert all("hunter2" not in cited[one.evidence[0]].excerpt for one in found)


def test_versions_of_one_moment_go_by_number() -> None:
    found = before(account(version("10", -5), version("9", -5)).reader(), WRITER, [T])
    assert [one.name for one in found] == ["10"]


def test_none_is_older_or_none_is_published() -> None:
    assert before(account(version("$LATEST", -9), version("1", 0)).reader(), WRITER, [T]) == ()
    assert before(account().reader(), WRITER, [T]) == ()


def test_a_refusal_is_a_gap_and_other_kinds_of_things_are_not_asked() -> None:
    aws = account(version("1", -9), denied=frozenset({"lambda:ListVersionsByFunction"}))
    reader = aws.reader()
    assert before(reader, WRITER, [T]) == ()
    assert [gap.what for gap in reader.gaps] == ["earlier versions of order-writer"]
    assert before(reader, QUEUE, [T]) == ()
    assert len(aws.asked) == 1


def test_more_versions_than_can_be_listed_tell_nothing_for_the_newest_come_last() -> None:
    def page(parameters: Json) -> Json:
        number = int(parameters.get("Marker", "0"))
        return {"Versions": [version(str(number + 1), -9)], "NextMarker": str(number + 1)}

    reader = FakeAws({("lambda", "ListVersionsByFunction"): page}).reader()
    assert before(reader, WRITER, [T]) == ()
    assert [gap.code for gap in reader.gaps] == ["TooMuch"]


@given(
    made=st.lists(st.integers(-50, 50), max_size=8),
    moments=st.lists(st.integers(-60, 60), min_size=1, max_size=4),
)
def test_each_moment_gets_the_last_one_before_it(made: list[int], moments: list[int]) -> None:
    aws = account(*(version(str(number + 1), minutes) for number, minutes in enumerate(made)))
    found = before(aws.reader(), WRITER, [T + timedelta(minutes=minutes) for minutes in moments])
    wanted = {max(older) for moment in moments if (older := [one for one in made if one < moment])}
    assert [one.made for one in found] == [T + timedelta(minutes=minutes) for minutes in sorted(wanted)]


@pytest.mark.parametrize("text", ["2026-03-13T17:12:31.000+0000", "2026-03-13T17:12:31.123+0000"])
def test_the_time_of_a_version_is_utc(text: str) -> None:
    (found,) = before(
        account({**version("1", 0), "LastModified": text}).reader(), WRITER, [T + timedelta(days=1)]
    )
    assert found.made.utcoffset() == timedelta(0)
    assert found.made.replace(microsecond=0) == T


def test_only_services_that_know_versions_have_settings_that_versions_show() -> None:
    told = {name for name, one in services().items() if any(setting.versioned for setting in one.settings)}
    assert told == {name for name, one in services().items() if one.versions is not None}
    assert "lambda" in told
