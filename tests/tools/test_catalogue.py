"""What the service files know together."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from tools import catalogue
from tools.kit import reference
from tools.models import Actor, ChangeEvent, Json, Metric, Resource
from tools.parameters import validate

_AT = "ap-northeast-1:111122223333"


def event(
    source: str, operation: str, request: Json, response: Json | None = None, id: str = "e"
) -> ChangeEvent:
    return ChangeEvent(
        id=id,
        time=datetime(2026, 3, 13, 17, 12, 31, tzinfo=UTC),
        source=f"{source}.amazonaws.com",
        action=operation,
        operation=operation,
        region="ap-northeast-1",
        account="111122223333",
        actor=Actor(kind="iam_user", name="ops-07", how="console"),
        request=request,
        response=response or {},
    )


@pytest.mark.parametrize(
    ("arn", "service", "type"),
    [
        (f"arn:aws:dynamodb:{_AT}:table/orders", "dynamodb", "table"),
        (f"arn:aws:dynamodb:{_AT}:table/orders/index/by-date", "dynamodb", "index"),
        (f"arn:aws:lambda:{_AT}:function:f", "lambda", "function"),
        (f"arn:aws:lambda:{_AT}:function:f:live", "lambda", "alias"),
        (f"arn:aws:sqs:{_AT}:orders", "sqs", "queue"),
        ("arn:aws:apigateway:eu-west-1::/apis/a1", "apigatewayv2", "api"),
        ("arn:aws:apigateway:eu-west-1::/apis/a1/stages/$default", "apigatewayv2", "stage"),
        ("arn:aws:apigateway:eu-west-1::/restapis/a1/stages/prod", "apigateway", "stage"),
        ("arn:aws-cn:iam::111122223333:role/a/b", "iam", "role"),
        (f"arn:aws:logs:{_AT}:log-group:/aws/lambda/f:*", "logs", "log-group"),
        (f"arn:aws:cloudwatch:{_AT}:alarm:a b", "cloudwatch", "alarm"),
        ("arn:aws:s3:::shop", "s3", "bucket"),
        ("arn:aws:glue:eu-west-1:111122223333:job/nightly", "", ""),
        ("no arn", "", ""),
    ],
)
def test_an_arn_has_one_service_and_type(arn: str, service: str, type: str) -> None:
    found = catalogue.service_of(arn)
    assert (found.name if found else "") == service
    assert catalogue.type_of(arn) == type


def test_settings_in_an_event_with_their_values() -> None:
    both = {"maxReadRequestUnits": 500, "maxWriteRequestUnits": 2}
    one = event("dynamodb", "UpdateTable", {"tableName": "orders", "onDemandThroughput": both})
    found = {setting.path: catalogue.requested(setting, one) for _, setting in catalogue.settings_in(one)}
    assert found == {
        "OnDemandThroughput.MaxWriteRequestUnits": 2,
        "OnDemandThroughput.MaxReadRequestUnits": 500,
    }


@pytest.mark.parametrize(
    ("source", "operation", "request_", "wanted"),
    [
        ("lambda", "DeleteFunctionConcurrency", {"functionName": "f"}, {"ReservedConcurrentExecutions": None}),
        ("lambda", "PutFunctionConcurrency", {"functionName": "f", "reservedConcurrentExecutions": 0},
         {"ReservedConcurrentExecutions": 0}),
        ("lambda", "UpdateFunctionConfiguration", {"functionName": "f", "environment": {}},
         {"Environment.Variables": None}),
        ("monitoring", "DisableAlarmActions", {"alarmNames": ["a"]}, {"ActionsEnabled": False}),
        ("logs", "DeleteRetentionPolicy", {"logGroupName": "g"}, {"retentionInDays": None}),
        ("dynamodb", "TagResource", {"resourceArn": f"arn:aws:dynamodb:{_AT}:table/orders"}, {}),
        ("lambda", "UpdateFunctionConfiguration",
         {"functionName": "f", "vpcConfig": {"subnetIds": ["s-1", "s-2"], "securityGroupIds": ["g-1"]}},
         {"VpcConfig": "s-1,s-2 g-1"}),
        ("apigateway", "UpdateStage",
         {"restApiId": "a", "stageName": "p", "updateStageInput": {"patchOperations": [
             {"op": "replace", "path": "/*/*/throttling/rateLimit", "value": "1"}]}},
         {'methodSettings."*/*".throttlingRateLimit': "1"}),
        ("apigateway", "UpdateStage",
         {"apiId": "a", "stageName": "p", "defaultRouteSettings": {"throttlingRateLimit": 1.0}},
         {"DefaultRouteSettings.ThrottlingRateLimit": 1.0}),
    ],
)  # fmt: skip
def test_operations_set_unset_and_hide(source: str, operation: str, request_: Json, wanted: Json) -> None:
    one = event(source, operation, request_)
    found = {setting.path: catalogue.requested(setting, one) for _, setting in catalogue.settings_in(one)}
    assert found == wanted


def test_an_unknown_event_has_no_change() -> None:
    assert catalogue.for_event(event("glue", "UpdateJob", {})) is None
    assert catalogue.change_of(event("dynamodb", "UpdateTableReplicaAutoScaling", {})) is None


def test_restoring_one_limit_keeps_the_other_and_knows_none() -> None:
    table = Resource(
        arn=f"arn:aws:dynamodb:{_AT}:table/orders",
        service="dynamodb",
        type="table",
        name="orders",
        account="111122223333",
        region="ap-northeast-1",
        config={"OnDemandThroughput": {"MaxReadRequestUnits": 500, "MaxWriteRequestUnits": 2}},
    )
    write = next(one for _, one in catalogue.settings_of("table") if one.name == "maximum write throughput")
    (call,) = write.restore(table, 250)
    assert call.parameters["OnDemandThroughput"] == {"MaxReadRequestUnits": 500, "MaxWriteRequestUnits": 250}
    assert call.region == "ap-northeast-1"
    (lifted,) = write.restore(replace(table, config={}), None)
    assert lifted.parameters["OnDemandThroughput"] == {"MaxReadRequestUnits": -1, "MaxWriteRequestUnits": -1}


def test_restoring_a_threshold_keeps_the_whole_alarm() -> None:
    config: Json = {
        "AlarmName": "a",
        "AlarmArn": "arn:aws:cloudwatch:ap-northeast-1:111122223333:alarm:a",
        "AlarmDescription": "pages the shop team",
        "ActionsEnabled": True,
        "OKActions": [],
        "AlarmActions": ["arn:aws:sns:ap-northeast-1:111122223333:on-call"],
        "StateValue": "ALARM",
        "StateReason": "x",
        "MetricName": "Errors",
        "Namespace": "AWS/Lambda",
        "ExtendedStatistic": "p99",
        "Dimensions": [{"Name": "FunctionName", "Value": "f"}],
        "Period": 60,
        "EvaluationPeriods": 5,
        "DatapointsToAlarm": 3,
        "Threshold": 0.001,
        "ComparisonOperator": "GreaterThanThreshold",
        "TreatMissingData": "notBreaching",
    }
    alarm = Resource(
        arn=config["AlarmArn"],
        service="cloudwatch",
        type="alarm",
        name="a",
        account="111122223333",
        region="ap-northeast-1",
        config=config,
    )
    threshold = next(one for _, one in catalogue.settings_of("alarm") if one.path == "Threshold")
    (call,) = threshold.restore(alarm, 25)
    left_out = {"AlarmArn", "StateValue", "StateReason", "OKActions"}
    assert call.parameters == {key: value for key, value in config.items() if key not in left_out} | {
        "Threshold": 25.0
    }
    assert validate(call) == ()


def put(name: str, policy: str, text: str) -> ChangeEvent:
    return event("iam", name, {"roleName": "r", "policyName": policy, "policyDocument": text}, id=text)


def test_undo_takes_the_newest_earlier_value_of_the_very_thing() -> None:
    now = event("iam", "DeleteRolePolicy", {"roleName": "r", "policyName": "p"})
    change = catalogue.change_of(now)
    assert change is not None
    assert change.undo is not None
    earlier = (
        put("PutRolePolicy", "other", "0"),
        put("PutRolePolicy", "p", "2"),
        put("PutRolePolicy", "p", "1"),
    )
    (back,) = change.undo(now, earlier)
    assert (back.operation, back.parameters["PolicyDocument"]) == ("PutRolePolicy", "2")
    assert change.undo(now, earlier[:1]) == ()


def test_undo_of_a_policy_version_knows_both_ways_to_set_it() -> None:
    arn = "arn:aws:iam::111122223333:policy/p"

    def version(id: str, default: bool) -> ChangeEvent:
        sent = {"policyArn": arn, "policyDocument": "{}", "setAsDefault": default}
        return event("iam", "CreatePolicyVersion", sent, {"policyVersion": {"versionId": id}}, id=id)

    now = event("iam", "SetDefaultPolicyVersion", {"policyArn": arn, "versionId": "v1"})
    change = catalogue.change_of(now)
    assert change is not None
    assert change.undo is not None
    (back,) = change.undo(now, (version("v5", False), version("v4", True), version("v3", True)))
    assert back.parameters == {"PolicyArn": arn, "VersionId": "v4"}


def test_undo_of_a_removed_permission_needs_the_statement() -> None:
    now = event("lambda", "RemovePermission", {"functionName": "f", "statementId": "api"})
    change = catalogue.change_of(now)
    assert change is not None
    assert change.undo is not None
    sent = {"functionName": "f", "action": "lambda:InvokeFunction", "principal": "apigateway.amazonaws.com"}
    other = event("lambda", "AddPermission", {**sent, "statementId": "else"}, id="1")
    same = event("lambda", "AddPermission", {**sent, "statementId": "api", "sourceArn": "arn:aws:x"}, id="2")
    (back,) = change.undo(now, (other, same))
    assert back.parameters["SourceArn"] == "arn:aws:x"
    assert change.undo(now, (other,)) == ()


def test_metric_owner() -> None:
    metric = Metric(namespace="AWS/SQS", name="x", dimensions=(("QueueName", "orders"),), stat="Maximum")
    assert (
        catalogue.metric_owner(metric, "cn-north-1", "111122223333")
        == "arn:aws-cn:sqs:cn-north-1:111122223333:orders"
    )


def test_event_names_hold_lambdas_dates() -> None:
    names = catalogue.event_names()
    assert {"UpdateTable", "PutFunctionConcurrency20171031", "UpdateFunctionConfiguration20150331v2"} <= names
    assert "TagResource" not in names
    assert "TagResource20170331v2" in catalogue.event_names(inert=True)


def test_mechanisms_tell_what_lowers_what() -> None:
    found = [
        one
        for one in catalogue.mechanisms()
        if one.setting == "maximum write throughput" and one.effect.metric == "WriteThrottleEvents"
    ]
    assert [(one.effect.direction, one.effect.when) for one in found] == [("up", "lowered")]
    assert found[0].operations == ("CreateTable", "UpdateTable")


@pytest.mark.parametrize(
    ("key", "value", "wanted"),
    [
        ("TABLE_NAME", "orders", "orders"),
        (
            "QUEUE",
            "https://sqs.eu-west-1.amazonaws.com/1/q?token=x",
            "https://sqs.eu-west-1.amazonaws.com/1/q",
        ),
        ("DB", "postgres://shop:hunter2@db.example.com:5432/shop", "postgres://db.example.com/shop"),
        ("DB_PASSWORD", "orders", ""),
        ("API_KEY", "orders", ""),
        (
            "SECRET_ARN",
            "arn:aws:secretsmanager:eu-west-1:111122223333:secret:x",
            "arn:aws:secretsmanager:eu-west-1:111122223333:secret:x",
        ),
        ("THING", "wJalrXUtnFEMIK7MDENGbPxRfiCYEXAMPLEKEY", ""),
        ("HASH", "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08", ""),
        (
            "HOST",
            "orders.cluster-abc123.eu-west-1.rds.amazonaws.com",
            "orders.cluster-abc123.eu-west-1.rds.amazonaws.com",
        ),
        (
            "DB",
            "jdbc:mysql://shop:hunter2@db.example.com:3306/shop?password=x",
            "jdbc:mysql://db.example.com/shop",
        ),
        (
            "DB",
            "jdbc:sqlserver://db.example.com:1433;database=shop;password=x",
            "jdbc:sqlserver://db.example.com",
        ),
        ("DSN", "password=hunter2 host=db.example.com port=5432", "db.example.com"),
        ("CONNECTION", "Server=tcp:db.example.com,1433;User Id=shop;Password=x", "db.example.com"),
        ("PASSWORD_DSN", "password=hunter2 host=db.example.com", ""),
        ("DSN", "localhost=db.example.com password=x", ""),
        ("LIMITS", "/shop/orders/", "/shop/orders/"),
        ("SALT_PATH", "/shop/orders", ""),
        ("THING", "/wJalrXUtnFEMIK7MDENGbPxRfiCYEXAMPLEKEY", ""),
        ("WORDS", "two words", ""),
        ("JSON", '{"a": 1}', ""),
    ],
)
def test_only_references_of_the_environment_are_kept(key: str, value: str, wanted: str) -> None:
    assert reference(key, value) == wanted
