"""X-Ray: edges of the service graph between resources that are known, and none where a name may mean two."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.tools.fake_account import FakeAws
from tools import catalogue
from tools.directory import KnownResources
from tools.models import Actor, ChangeEvent, Json, Resource
from tools.services.xray import SERVICE, describe, discover, relations

NOW = datetime(2026, 3, 13, 17, 41, tzinfo=UTC)
AT = "arn:aws:xray:eu-west-1:111122223333"


def node(id: int, name: str, kind: str, *calls: int, **more: object) -> Json:
    edges = [{"ReferenceId": one, "SummaryStatistics": {"TotalCount": 9}} for one in calls]
    return {"ReferenceId": id, "Name": name, "Names": [name], "Type": kind, "Edges": edges, **more}


def thing(
    service: str, type: str, name: str, resource: str, region: str = "eu-west-1", **config: object
) -> Resource:
    return Resource(
        arn=f"arn:aws:{service}:{region}:111122223333:{resource}",
        service=service,
        type=type,
        name=name,
        account="111122223333",
        region=region,
        config=dict(config),
    )


WRITER = thing("lambda", "function", "order-writer", "function:order-writer")
TABLE = thing("dynamodb", "table", "orders", "table/orders")
QUEUE = thing("sqs", "queue", "orders-queue", "orders-queue")
DATABASE = thing(
    "rds", "db-instance", "orders-db", "db:orders-db", Endpoint={"Address": "orders-db.example.internal"}
)
FAR = thing("dynamodb", "table", "orders", "table/orders", "ap-south-1")
KNOWN = (WRITER, TABLE, QUEUE, DATABASE, FAR)


def graph(*nodes: Json) -> Resource:
    def asked(parameters: Json) -> Json:
        assert parameters["EndTime"] - parameters["StartTime"] == timedelta(hours=3)
        return {"Services": list(nodes)}

    (found,) = discover(FakeAws({("xray", "GetServiceGraph"): asked}).reader(), "eu-west-1")
    return found


def calls(*nodes: Json) -> list[tuple[str, str]]:
    found = graph(*nodes)
    return [(one.source, one.target) for one in relations(found, KnownResources([found, *KNOWN]))]


def test_edges_are_calls_and_both_nodes_of_lambda_are_the_function() -> None:
    told = calls(
        node(0, "order-writer", "AWS::Lambda", 1, Root=True),
        node(1, "order-writer", "AWS::Lambda::Function", 2, 3),
        node(2, "orders", "AWS::DynamoDB::Table"),
        node(3, "https://sqs.eu-west-1.amazonaws.com/111122223333/orders-queue", "AWS::SQS::Queue"),
    )
    assert told == [(WRITER.arn, TABLE.arn), (WRITER.arn, QUEUE.arn)]


@pytest.mark.parametrize("name", ["shop@orders-db.example.internal", "orders-db.example.internal"])
def test_databases_and_hosts_are_known_by_their_address(name: str) -> None:
    told = calls(node(0, "order-writer", "AWS::Lambda::Function", 1), node(1, name, "Database::SQL"))
    assert told == [(WRITER.arn, DATABASE.arn)]


@pytest.mark.parametrize(
    "called",
    [
        node(1, "orders", "remote"),
        node(1, "orders", "AWS::DynamoDB::Table", AccountId="444455556666"),
        node(1, "orders", "AWS::Unheard::Of"),
        node(1, "orders", "client"),
        node(1, "other", "AWS::DynamoDB::Table"),
        node(7, "orders", "AWS::DynamoDB::Table"),
    ],
)
def test_what_is_not_surely_a_known_resource_is_none(called: Json) -> None:
    assert calls(node(0, "order-writer", "AWS::Lambda::Function", 1), called) == []


def test_a_graph_says_that_it_is_sampled_and_cites_its_answer() -> None:
    found = graph(
        node(0, "order-writer", "AWS::Lambda::Function", 1), node(1, "orders", "AWS::DynamoDB::Table")
    )
    (told,) = relations(found, KnownResources(KNOWN))
    assert told.kind == "calls"
    assert "sampled" in told.provenance
    assert told.evidence == found.evidence
    assert told.evidence


def test_no_traces_are_no_resource_and_a_group_is_asked_for_by_its_arn() -> None:
    asked: list[Json] = []

    def answer(parameters: Json) -> Json:
        asked.append(parameters)
        return {"Services": []}

    fake = FakeAws({("xray", "GetServiceGraph"): answer})
    assert list(discover(fake.reader(), "eu-west-1")) == []
    found = describe(fake.reader(), f"{AT}:group/slow/ABCDEF")
    assert found is not None
    assert (found.name, asked[-1]["GroupARN"]) == ("slow", f"{AT}:group/slow/ABCDEF")
    assert describe(fake.reader(), f"{AT}:sampling-rule/orders") is None
    assert describe(FakeAws({}).reader(), f"{AT}:group/slow/ABCDEF") is None


@given(
    st.lists(
        st.fixed_dictionaries(
            {"ReferenceId": st.integers(0, 3), "Name": st.text(max_size=12)},
            optional={
                "Names": st.lists(st.text(max_size=12), max_size=2),
                "Type": st.sampled_from(["AWS::Lambda", "AWS::SQS", "remote", "Database::SQL", ""]),
                "Edges": st.lists(st.fixed_dictionaries({"ReferenceId": st.integers(0, 5)}), max_size=3),
            },
        ),
        min_size=1,
        max_size=4,
    )
)
def test_any_graph_gives_relations_between_known_resources_only(nodes: list[Json]) -> None:
    known = {one.arn for one in KNOWN}
    for source, target in calls(*nodes):
        assert {source, target} <= known
        assert source != target


@pytest.mark.parametrize(
    ("operation", "request_", "response", "arn"),
    [
        ("UpdateSamplingRule", {"samplingRuleUpdate": {"ruleName": "a"}}, {}, f"{AT}:sampling-rule/a"),
        (
            "UpdateSamplingRule",
            {},
            {"samplingRuleRecord": {"samplingRule": {"ruleARN": f"{AT}:sampling-rule/b"}}},
            f"{AT}:sampling-rule/b",
        ),
        ("DeleteGroup", {"groupName": "slow"}, {}, f"{AT}:group/slow"),
    ],
)
def test_rules_and_groups_are_touched_by_arn_or_name(
    operation: str, request_: Json, response: Json, arn: str
) -> None:
    event = ChangeEvent(
        id="e",
        time=NOW,
        source="xray.amazonaws.com",
        action=operation,
        operation=operation,
        region="eu-west-1",
        account="111122223333",
        actor=Actor(kind="iam_user", name="ops-07", how="cli"),
        request=request_,
        response=response,
    )
    change = catalogue.change_of(event)
    assert change is not None
    assert change.inert
    assert change.touches(event) == (arn,)
    assert catalogue.service_of(arn) == SERVICE
