"""A whole account read side by side: the same map every time, and gaps where AWS refuses."""

from __future__ import annotations

from typing import cast

from tests.tools.fake_account import Answer, FakeAws
from tests.tools.test_topology import (
    ALARM,
    ANSWERS,
    API,
    DEAD,
    LONER,
    QUEUE,
    READER,
    ROLE,
    TABLE,
    WRITER,
    attributes,
)
from tools.aws import Aws
from tools.budget import Budget, Limits
from tools.models import Gap, Json
from tools.whole import Account, whole

NOWHERE = "arn:aws:kafka:eu-west-1:111122223333:cluster/events/1f2e"
TAGS: dict[tuple[str, str], Answer] = {
    ("resourcegroupstaggingapi", "GetResources"): {
        "ResourceTagMappingList": [
            {"ResourceARN": WRITER, "Tags": [{"Key": "app", "Value": "shop"}]},
            {"ResourceARN": NOWHERE, "Tags": [{"Key": "app", "Value": "shop"}]},
        ]
    }
}


def read(denied: frozenset[str] = frozenset(), more: dict[tuple[str, str], Answer] | None = None) -> Account:
    return whole(cast(Aws, FakeAws({**ANSWERS, **TAGS, **(more or {})}, denied=denied)), ["eu-west-1"])


def codes(gaps: tuple[Gap, ...], code: str) -> list[str]:
    return [gap.what for gap in gaps if gap.code == code]


def test_everything_listed_is_there_with_its_relations() -> None:
    found = read().topology
    arns = {one.arn for one in found.resources}
    assert {TABLE, WRITER, READER, LONER, API, QUEUE, ALARM} <= arns
    pairs = {(one.source, one.target) for one in found.relations}
    assert {(API, WRITER), (WRITER, TABLE), (QUEUE, DEAD), (ALARM, TABLE)} <= pairs


def test_what_configurations_name_and_nobody_lists_is_known_and_read() -> None:
    found = read().topology
    role = found.by_arn(ROLE)
    assert role is not None
    assert role.config
    assert DEAD in {one.arn for one in found.resources}
    assert all(found.by_arn(one.source) and found.by_arn(one.target) for one in found.relations)


def test_what_only_a_destination_names_is_read_whole() -> None:
    failed = "arn:aws:sqs:eu-west-1:111122223333:failed-orders"
    sent = {"DestinationConfig": {"OnFailure": {"Destination": failed}}}
    found = read(more={("lambda", "GetFunctionEventInvokeConfig"): sent}).topology.by_arn(failed)
    assert found is not None
    assert found.config["VisibilityTimeout"] == 30


def test_parts_of_a_function_are_asked_for_once() -> None:
    aws = FakeAws({**ANSWERS, **TAGS})
    whole(cast(Aws, aws), ["eu-west-1"])
    assert aws.asked.count(("lambda", "GetPolicy")) == 3
    assert aws.asked.count(("lambda", "ListAliases")) == 3


def test_tags_come_from_one_listing() -> None:
    writer = read().topology.by_arn(WRITER)
    assert writer is not None
    assert writer.tags["app"] == "shop"


def test_tagged_things_of_unknown_kinds_are_a_gap() -> None:
    (gap,) = [gap for gap in read().gaps if gap.code == "NotKnown"]
    assert "kafka:cluster" in gap.why


def test_the_same_account_gives_the_same_map_however_many_read_at_once() -> None:
    alone = whole(cast(Aws, FakeAws({**ANSWERS, **TAGS})), ["eu-west-1"], at_once=1)
    assert read() == alone
    assert read() == read()


def test_a_refused_listing_is_a_gap_and_the_rest_goes_on() -> None:
    found = read(frozenset({"lambda:ListFunctions"}))
    assert "Lambda in eu-west-1" in codes(found.gaps, "AccessDenied")
    arns = {one.arn for one in found.topology.resources}
    assert LONER not in arns
    assert {TABLE, API, QUEUE} <= arns


def test_equal_refusals_of_many_are_told_together() -> None:
    found = read(frozenset({"lambda:GetPolicy"}))
    assert "Resource policy (3 times)" in codes(found.gaps, "AccessDenied")
    assert {WRITER, READER, LONER} <= {one.arn for one in found.topology.resources}


def test_a_list_that_is_longer_than_one_page_is_read_whole() -> None:
    names = [f"table-{number:04}" for number in range(1500)]

    def page(sent: dict[str, object]) -> dict[str, object]:
        start = (
            names.index(str(sent["ExclusiveStartTableName"])) + 1 if "ExclusiveStartTableName" in sent else 0
        )
        answer: dict[str, object] = {"TableNames": names[start : start + 100]}
        if start + 100 < len(names):
            answer["LastEvaluatedTableName"] = names[start + 99]
        return answer

    aws = FakeAws(
        {("dynamodb", "ListTables"): page},
        denied=frozenset({"dynamodb:DescribeTable"}),
        budget=Budget(Limits(calls=5000)),
    )
    found = whole(cast(Aws, aws), ["eu-west-1"])
    tables = [one for one in found.topology.resources if one.type == "table"]
    assert len(tables) == 1500


def test_services_of_the_whole_partition_are_listed_once() -> None:
    aws = FakeAws({**ANSWERS, **TAGS})
    whole(cast(Aws, aws), ["eu-west-1", "us-east-1"])
    assert aws.asked.count(("iam", "ListRoles")) == 1
    assert aws.asked.count(("lambda", "ListFunctions")) == 2


def test_progress_ends_at_all_of_it() -> None:
    told: list[tuple[str, int, int]] = []
    whole(
        cast(Aws, FakeAws({**ANSWERS, **TAGS})),
        ["eu-west-1"],
        tell=lambda what, done, total: told.append((what, done, total)),
    )
    listing = [one for one in told if one[0].startswith("listing")]
    assert [done for _, done, _ in listing] == list(range(1, len(listing) + 1))
    assert listing[-1][1] == listing[-1][2]


def test_an_answer_that_cannot_be_read_is_a_gap_and_the_rest_goes_on() -> None:
    strange = [{"AlarmName": "x", "AlarmArn": "arn:of:nobody", "MetricName": "y", "Namespace": "z"}]
    found = read(more={("cloudwatch", "DescribeAlarms"): {"MetricAlarms": strange}})
    assert codes(found.gaps, "Unreadable") == ["CloudWatch alarms in eu-west-1"]
    assert WRITER in {one.arn for one in found.topology.resources}


def test_what_is_named_and_does_not_exist_is_said() -> None:
    gone = "arn:aws:sqs:eu-west-1:111122223333:gone"
    sent = {"DestinationConfig": {"OnFailure": {"Destination": gone}}}

    def queue(asked: Json) -> Json | None:
        return None if asked["QueueUrl"].endswith("/gone") else attributes(asked)

    more: dict[tuple[str, str], Answer] = {
        ("lambda", "GetFunctionEventInvokeConfig"): sent,
        ("sqs", "GetQueueAttributes"): queue,
    }
    assert "SQS: queue gone" in codes(read(more=more).gaps, "NotThere")
    assert not any("queue" in what for what in codes(read().gaps, "NotThere"))
    refused = read(denied=frozenset({"sqs:GetQueueAttributes"}), more=more)
    assert not any("queue" in what for what in codes(refused.gaps, "NotThere"))
