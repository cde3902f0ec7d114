"""The map around a symptom, from configuration alone."""

from __future__ import annotations

import json
from itertools import pairwise

import pytest

from tests.tools.fake_account import Answer, FakeAws
from tools.models import Json, Metric, Relation, Resource
from tools.topology import Topology, around, callers, downstream, merge, owner, paths, upstream

_AT = "eu-west-1:111122223333"
TABLE = f"arn:aws:dynamodb:{_AT}:table/orders"
WRITER = f"arn:aws:lambda:{_AT}:function:order-writer"
READER = f"arn:aws:lambda:{_AT}:function:order-reader"
LONER = f"arn:aws:lambda:{_AT}:function:image-resizer"
ROLE = "arn:aws:iam::111122223333:role/service/shop-role"
API = "arn:aws:apigateway:eu-west-1::/apis/a1b2c3d4e5"
REST = "arn:aws:apigateway:eu-west-1::/restapis/r1s2t3u4v5"
QUEUE = f"arn:aws:sqs:{_AT}:orders-queue"
DEAD = f"arn:aws:sqs:{_AT}:orders-dead"
ALARM = f"arn:aws:cloudwatch:{_AT}:alarm:orders-writes-throttled"
GROUP = f"arn:aws:logs:{_AT}:log-group:/aws/lambda/order-writer"
MAPPING = f"arn:aws:lambda:{_AT}:event-source-mapping:7f1c0a52-3f6e-4a37-9c55-0b6f8f2f5a10"


def function(name: str, role: str, **variables: str) -> Json:
    return {
        "FunctionName": name,
        "FunctionArn": f"arn:aws:lambda:{_AT}:function:{name}",
        "Role": role,
        "Environment": {"Variables": variables},
    }


FUNCTIONS = [
    function("order-writer", ROLE, TABLE_NAME="orders", DB_PASSWORD="orders", STAGE="prod"),
    function("order-reader", ROLE, API="https://a1b2c3d4e5.execute-api.eu-west-1.amazonaws.com/prod"),
    function("image-resizer", "arn:aws:iam::111122223333:role/images", BUCKET="pictures"),
]
POLICY = {
    "Statement": [
        {"Effect": "Allow", "Action": ["dynamodb:PutItem"], "Resource": TABLE},
        {"Effect": "Allow", "Action": "logs:*", "Resource": "*"},
    ]
}


def by_name(parameters: Json) -> Json | None:
    return next((one for one in FUNCTIONS if one["FunctionName"] == parameters["FunctionName"]), None)


def attributes(parameters: Json) -> Json:
    if parameters["QueueUrl"].endswith("/orders-queue"):
        return {
            "Attributes": {"RedrivePolicy": json.dumps({"deadLetterTargetArn": DEAD, "maxReceiveCount": 5})}
        }
    return {"Attributes": {"VisibilityTimeout": "30"}}


ANSWERS: dict[tuple[str, str], Answer] = {
    ("application-autoscaling", "DescribeScalableTargets"): {"ScalableTargets": []},
    ("dynamodb", "ListTables"): {"TableNames": ["orders", "pictures-index"]},
    ("dynamodb", "DescribeTable"): lambda sent: {
        "Table": {"TableName": sent["TableName"], "TableStatus": "ACTIVE"}
    },
    ("lambda", "ListFunctions"): {"Functions": FUNCTIONS},
    ("lambda", "GetFunctionConfiguration"): by_name,
    ("lambda", "ListEventSourceMappings"): {
        "EventSourceMappings": [
            {
                "UUID": "7f1c0a52-3f6e-4a37-9c55-0b6f8f2f5a10",
                "EventSourceArn": QUEUE,
                "FunctionArn": f"{WRITER}:live",
                "State": "Disabled",
            }
        ]
    },
    ("apigatewayv2", "GetApis"): {
        "Items": [
            {
                "ApiId": "a1b2c3d4e5",
                "Name": "orders-api",
                "ProtocolType": "HTTP",
                "RouteSelectionExpression": "x",
            }
        ]
    },
    ("apigatewayv2", "GetApi"): {
        "ApiId": "a1b2c3d4e5",
        "Name": "orders-api",
        "ProtocolType": "HTTP",
        "RouteSelectionExpression": "x",
    },
    ("apigatewayv2", "GetIntegrations"): {"Items": [{"IntegrationUri": WRITER}]},
    ("apigateway", "GetRestApis"): {"items": [{"id": "r1s2t3u4v5", "name": "old-orders"}]},
    ("apigateway", "GetRestApi"): {"id": "r1s2t3u4v5", "name": "old-orders"},
    ("apigateway", "GetResources"): {
        "items": [
            {
                "id": "x",
                "path": "/orders",
                "resourceMethods": {
                    "POST": {
                        "methodIntegration": {
                            "uri": "arn:aws:apigateway:eu-west-1:lambda:path/2015-03-31/functions/"
                            f"arn:aws:lambda:{_AT}:function:${{stageVariables.fn}}/invocations"
                        }
                    }
                },
            }
        ]
    },
    ("apigateway", "GetStages"): {"item": [{"stageName": "prod", "variables": {"fn": "order-writer"}}]},
    ("sqs", "ListQueues"): {"QueueUrls": ["https://sqs.eu-west-1.amazonaws.com/111122223333/orders-queue"]},
    ("sqs", "GetQueueAttributes"): attributes,
    ("cloudwatch", "DescribeAlarms"): {
        "MetricAlarms": [
            {
                "AlarmName": "orders-writes-throttled",
                "AlarmArn": ALARM,
                "Namespace": "AWS/DynamoDB",
                "MetricName": "WriteThrottleEvents",
                "Dimensions": [{"Name": "TableName", "Value": "orders"}],
            }
        ]
    },
    ("iam", "GetRole"): lambda sent: {
        "Role": {
            "Path": "/",
            "RoleName": sent["RoleName"],
            "RoleId": "AROAEXAMPLEEXAMPLE07",
            "Arn": ROLE,
            "CreateDate": "2026-01-01T00:00:00Z",
        }
    },
    ("iam", "ListRolePolicies"): {"PolicyNames": ["orders"]},
    ("iam", "GetRolePolicy"): {
        "RoleName": "shop-role",
        "PolicyName": "orders",
        "PolicyDocument": json.dumps(POLICY),
    },
}


def found(topology: Topology) -> dict[tuple[str, str], Relation]:
    return {(one.source, one.target): one for one in topology.relations if one.kind != "triggers"}


def test_a_table_that_no_template_names_is_found_by_variable_and_policy() -> None:
    map = around(FakeAws(ANSWERS).reader(), [TABLE])
    writes = found(map)[WRITER, TABLE]
    assert writes.kind == "writes"
    assert writes.confidence > 0.95
    assert "TABLE_NAME" in writes.provenance
    assert "policy orders" in writes.provenance


def test_a_caller_that_only_its_role_betrays_is_found() -> None:
    functions = [function("order-writer", ROLE, LEVEL="debug"), FUNCTIONS[2]]
    answers: dict[tuple[str, str], Answer] = {
        **ANSWERS,
        ("lambda", "ListFunctions"): {"Functions": functions},
        ("lambda", "GetFunctionConfiguration"): functions[0],
        ("iam", "GetRolePolicy"): lambda sent: {
            "RoleName": sent["RoleName"],
            "PolicyName": "orders",
            "PolicyDocument": json.dumps(POLICY if sent["RoleName"] == "shop-role" else {}),
        },
    }
    map = around(FakeAws(answers).reader(), [TABLE])
    assert found(map)[WRITER, TABLE].kind == "may write"
    assert LONER not in {one.arn for one in map.resources}


def test_a_policy_alone_gives_a_weaker_relation_and_a_secret_none() -> None:
    map = around(FakeAws(ANSWERS).reader(), [TABLE])
    may = found(map)[READER, TABLE]
    assert (may.kind, may.confidence) == ("may write", 0.6)
    writer = map.by_arn(WRITER)
    assert writer is not None
    assert "DB_PASSWORD" not in writer.config["Environment"]["Variables"]
    assert writer.config["Environment"]["Hidden"] == ["DB_PASSWORD"]


def test_all_neighbours_are_there_and_strangers_are_not() -> None:
    map = around(FakeAws(ANSWERS).reader(), [TABLE])
    arns = {one.arn for one in map.resources}
    assert {TABLE, WRITER, READER, ROLE, API, REST, QUEUE, DEAD, ALARM, GROUP, MAPPING} <= arns
    assert LONER not in arns
    assert not map.truncated
    relations = found(map)
    assert relations[API, WRITER].kind == "invokes"
    assert relations[REST, WRITER].kind == "invokes"
    assert relations[WRITER, ROLE].kind == "runs as"
    assert relations[QUEUE, DEAD].kind == "sends failures to"
    assert relations[WRITER, GROUP].kind == "logs to"
    assert relations[ALARM, TABLE].kind == "watches"
    assert relations[READER, API].kind == "uses"
    mapping = map.by_arn(MAPPING)
    assert mapping is not None
    assert mapping.config["Enabled"] is False


def test_requests_run_from_api_and_queue_to_the_table() -> None:
    map = around(FakeAws(ANSWERS).reader(), [TABLE])
    assert paths(map, API, TABLE)[0] == (API, WRITER, TABLE)
    assert paths(map, TABLE, API) == ()
    assert paths(map, "arn:aws:sqs:eu-west-1:111122223333:nowhere", TABLE) == ()
    assert upstream(map, TABLE)[:3] == tuple(sorted([READER, ROLE, WRITER]))
    assert ALARM not in upstream(map, TABLE)
    assert set(downstream(map, API)) >= {WRITER, TABLE, ROLE}


def test_failures_go_back_to_callers_and_not_beyond_what_takes_requests_in() -> None:
    types = {"door": "api", "sender": "function", "box": "queue", "worker": "function", "store": "table"}
    things = [
        Resource(arn=name, service="", type=type, name=name, account="", region="")
        for name, type in types.items()
    ]
    lines = [
        Relation(source=one, target=other, kind="uses", provenance="", evidence=())
        for one, other in pairwise(types)
    ]
    map = Topology(resources=tuple(things), relations=tuple(lines), truncated=False)
    assert upstream(map, "store") == ("worker", "box", "sender", "door")
    assert callers(map, "store") == ("worker", "box")
    assert callers(map, "worker") == ("box",)
    assert callers(map, "box") == ("sender", "door")
    assert callers(map, "nowhere") == ()


def test_a_shared_role_does_not_join_strangers() -> None:
    shared = [*FUNCTIONS[:1], function("mailer", ROLE, SENDER="noreply")]
    answers: dict[tuple[str, str], Answer] = {**ANSWERS, ("lambda", "ListFunctions"): {"Functions": shared}}
    answers["iam", "ListRolePolicies"] = {"PolicyNames": []}
    map = around(FakeAws(answers).reader(), [TABLE])
    assert ROLE in {one.arn for one in map.resources}
    assert f"arn:aws:lambda:{_AT}:function:mailer" not in {one.arn for one in map.resources}


def test_equal_accounts_give_equal_maps() -> None:
    first, second = FakeAws(ANSWERS), FakeAws(ANSWERS)
    assert around(first.reader(), [TABLE]) == around(second.reader(), [TABLE])
    assert first.asked == second.asked


def test_the_radius_and_the_most_are_kept() -> None:
    near = {one.arn for one in around(FakeAws(ANSWERS).reader(), [TABLE], radius=1).resources}
    assert near == {TABLE, WRITER, ALARM}
    reader = FakeAws(ANSWERS).reader()
    small = around(reader, [TABLE], most=3)
    assert len(small.resources) == 3
    assert small.truncated
    assert TABLE in {one.arn for one in small.resources}
    assert [gap.code for gap in reader.gaps] == ["BudgetSpent"]


@pytest.mark.parametrize(
    ("denied", "what", "lost"),
    [
        ("lambda:ListFunctions", "Lambda", (WRITER, TABLE)),
        ("apigatewayv2:GetApis", "API Gateway (HTTP", (API, WRITER)),
        ("iam:GetRole", "IAM", (READER, TABLE)),
        ("cloudwatch:DescribeAlarms", "CloudWatch alarms", (ALARM, TABLE)),
    ],
)
def test_a_refused_read_is_a_gap_and_the_rest_goes_on(denied: str, what: str, lost: tuple[str, str]) -> None:
    reader = FakeAws(ANSWERS, denied=frozenset({denied})).reader()
    map = around(reader, [TABLE])
    told = [gap for gap in reader.gaps if gap.what.startswith(what)]
    assert told
    assert all(gap.code == "AccessDenied" and gap.would_show for gap in told)
    assert lost not in found(map)
    assert TABLE in {one.arn for one in map.resources}


def test_what_is_named_but_unknown_stays_as_a_stub() -> None:
    topic = f"arn:aws:sns:{_AT}:order-events"
    functions = [function("order-writer", ROLE, TABLE_NAME="orders", TOPIC=topic)]
    answers: dict[tuple[str, str], Answer] = {
        **ANSWERS,
        ("lambda", "ListFunctions"): {"Functions": functions},
        ("lambda", "GetFunctionConfiguration"): functions[0],
    }
    map = around(FakeAws(answers).reader(), [WRITER])
    known = map.by_arn(topic)
    assert known is not None
    assert (known.service, known.name, known.config) == ("sns", "order-events", {})
    assert found(map)[WRITER, topic].kind == "uses"


def test_an_alarm_leads_to_its_resource_by_rule_or_by_name() -> None:
    def metric(namespace: str, **dimensions: str) -> Metric:
        return Metric(namespace=namespace, name="x", dimensions=tuple(sorted(dimensions.items())), stat="Sum")

    aws = FakeAws(ANSWERS)
    assert owner(aws.reader(), metric("AWS/DynamoDB", TableName="orders", Operation="PutItem")) == TABLE
    assert aws.asked == []
    assert owner(aws.reader(), metric("AWS/ApiGateway", ApiName="old-orders", Stage="prod")) == REST
    assert owner(aws.reader(), metric("AWS/ApiGateway", ApiName="nobody")) == ""
    assert owner(aws.reader(), metric("Shop", Till="7")) == ""


def test_merge_keeps_the_surest_and_all_provenances() -> None:
    weak = Relation(source="a", target="b", kind="uses", provenance="x", confidence=0.5, evidence=("T1",))
    sure = Relation(source="a", target="b", kind="uses", provenance="y", confidence=0.9, evidence=("T2",))
    (one,) = merge([weak, sure])
    assert (one.confidence, one.provenance, one.evidence) == (0.9, "y; x", ("T2", "T1"))


def test_paths_prefer_short_then_sure() -> None:
    def resource(arn: str) -> Resource:
        return Resource(arn=arn, service="x", type="x", name=arn, account="", region="")

    def relation(source: str, target: str, confidence: float) -> Relation:
        return Relation(source=source, target=target, kind="uses", provenance="", confidence=confidence)

    map = Topology(
        resources=tuple(resource(arn) for arn in "abcd"),
        relations=(
            relation("a", "b", 0.5),
            relation("b", "d", 1),
            relation("a", "c", 0.9),
            relation("c", "d", 1),
        ),
    )
    assert paths(map, "a", "d") == (("a", "c", "d"), ("a", "b", "d"))
    assert paths(map, "a", "a") == (("a",),)
