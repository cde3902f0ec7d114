"""Calls against botocore's models: checked, made from events, printed for the AWS CLI and parsed back."""

from __future__ import annotations

import json
import shlex
import string
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.tools import cli_stub
from tools import catalogue
from tools.errors import BadInput
from tools.models import Call, Json
from tools.parameters import from_cloudtrail, to_cli, validate

_QUEUE = "https://sqs.eu-west-1.amazonaws.com/111122223333/orders-queue"
needs_awscli = pytest.mark.skipif(not cli_stub.interpreter(), reason="awscli is not installed: make awscli")


def call(service: str, operation: str, region: str = "eu-west-1", **parameters: Any) -> Call:
    return Call(service=service, operation=operation, parameters=parameters, region=region)


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        (call("dynamodb", "UpdateTable", TableNam="orders"), "TableNam"),
        (call("dynamodb", "UpdateTable"), "TableName"),
        (call("dynamodb", "UpdateTable", TableName=7), "Invalid type"),
        (call("dynamodb", "ChangeTable", TableName="orders"), "no operation ChangeTable"),
        (call("dynamo", "UpdateTable", TableName="orders"), "no AWS service"),
        (call("sts", "GetCallerIdentity", Who="me"), "Who"),
        (call("lambda", "PutFunctionConcurrency", FunctionName="f", ReservedConcurrentExecutions=-1), "min"),
    ],
)
def test_validate_names_what_is_wrong(wrong: Call, says: str) -> None:
    problems = validate(wrong)
    assert problems
    assert says in " ".join(problems)


def test_validate_passes_a_right_call() -> None:
    limits = {"MaxReadRequestUnits": -1, "MaxWriteRequestUnits": 250}
    assert validate(call("dynamodb", "UpdateTable", TableName="orders", OnDemandThroughput=limits)) == ()


@pytest.mark.parametrize(
    ("service", "operation", "sent", "wanted"),
    [
        (
            "dynamodb",
            "UpdateTable",
            {"tableName": "orders", "onDemandThroughput": {"maxWriteRequestUnits": 250}},
            {"TableName": "orders", "OnDemandThroughput": {"MaxWriteRequestUnits": 250}},
        ),
        (
            "lambda",
            "UpdateEventSourceMapping",
            {"uUID": "7f1c0a52-3f6e-4a37-9c55-0b6f8f2f5a10", "enabled": False},
            {"UUID": "7f1c0a52-3f6e-4a37-9c55-0b6f8f2f5a10", "Enabled": False},
        ),
        (
            "ec2",
            "StopInstances",
            {"instancesSet": {"items": [{"instanceId": "i-0a1"}, {"instanceId": "i-0b2"}]}, "force": False},
            {"InstanceIds": ["i-0a1", "i-0b2"], "Force": False},
        ),
        (
            "apigateway",
            "UpdateStage",
            {
                "restApiId": "a1",
                "stageName": "prod",
                "updateStageInput": {
                    "patchOperations": [{"op": "replace", "path": "/deploymentId", "value": "d1"}]
                },
                "template": False,
            },
            {
                "restApiId": "a1",
                "stageName": "prod",
                "patchOperations": [{"op": "replace", "path": "/deploymentId", "value": "d1"}],
            },
        ),
        (
            "sqs",
            "SetQueueAttributes",
            {
                "queueUrl": _QUEUE,
                "attributes": {"DelaySeconds": "5"},
            },
            {
                "QueueUrl": _QUEUE,
                "Attributes": {"DelaySeconds": "5"},
            },
        ),
        (
            "s3",
            "PutBucketPolicy",
            {"bucketName": "shop", "bucketPolicy": {"Version": "2012-10-17", "Statement": []}},
            {"Bucket": "shop", "Policy": '{"Version": "2012-10-17", "Statement": []}'},
        ),
        ("dynamodb", "ListTables", {"limit": "7"}, {"Limit": 7}),
    ],
)
def test_a_recorded_sentbecomes_a_call(service: str, operation: str, sent: Json, wanted: Json) -> None:
    assert from_cloudtrail(service, operation, sent) == wanted


@pytest.mark.parametrize(
    ("service", "operation", "sent", "says"),
    [
        ("dynamodb", "UpdateTable", {"tableName": "orders", "colour": "red"}, "colour"),
        ("lambda", "UpdateFunctionConfiguration", {"functionName": "f", "environment": {}}, "hidden"),
        ("ssm", "PutParameter", {"name": "p", "value": "HIDDEN_DUE_TO_SECURITY_REASONS"}, "hidden"),
        ("apigatewayv2", "UpdateStage", {"apiId": "a", "stageName": "s", "stageVariables": "***"}, "hidden"),
        ("dynamodb", "UpdateTable", {"onDemandThroughput": {"maxWriteRequestUnits": 2}}, "TableName"),
        ("dynamodb", "ListTables", {"limit": "7.5"}, "whole number"),
        ("dynamodb", "ListTables", {"limit": True}, "number"),
        ("dynamodb", "UpdateTable", {"tableName": "a", "TableName": "b"}, "twice"),
    ],
)
def test_a_value_that_would_be_lost_is_refused(service: str, operation: str, sent: Json, says: str) -> None:
    with pytest.raises(BadInput, match=says):
        from_cloudtrail(service, operation, sent)


@given(
    values=st.dictionaries(
        st.sampled_from(["maxReadRequestUnits", "maxWriteRequestUnits"]), st.integers(-1, 2**40), min_size=1
    ),
    stranger=st.text(string.ascii_lowercase, min_size=3, max_size=8),
    worth=st.one_of(st.integers(), st.booleans(), st.text(min_size=1)),
)
def test_every_leaf_survives_or_the_whole_is_refused(values: Json, stranger: str, worth: Any) -> None:
    request = {"tableName": "orders", "onDemandThroughput": values}
    made = from_cloudtrail("dynamodb", "UpdateTable", request)
    assert sorted(made["OnDemandThroughput"].values()) == sorted(values.values())
    with pytest.raises(BadInput):
        from_cloudtrail("dynamodb", "UpdateTable", {**request, f"x{stranger}": {"deep": [worth]}})


def test_a_command_is_complete_and_can_span_lines() -> None:
    limits = {"MaxReadRequestUnits": 500, "MaxWriteRequestUnits": -1}
    one = call("dynamodb", "UpdateTable", TableName="orders", OnDemandThroughput=limits)
    assert to_cli(one, profile="prod", query="Table.[TableStatus]", output="text") == (
        "aws dynamodb update-table --table-name orders "
        "--on-demand-throughput MaxReadRequestUnits=500,MaxWriteRequestUnits=-1 "
        "--profile prod --region eu-west-1 --query 'Table.[TableStatus]' --output text"
    )
    assert shlex.split(to_cli(one, multiline=True).replace("\\\n", "")) == shlex.split(to_cli(one))


def test_an_invalid_call_and_a_file_are_not_printed() -> None:
    with pytest.raises(BadInput, match="TableNam"):
        to_cli(call("dynamodb", "UpdateTable", TableNam="orders"))
    with pytest.raises(BadInput, match="zip-file"):
        to_cli(call("lambda", "UpdateFunctionCode", FunctionName="f", ZipFile=b"x"))


_ODD = [
    call("cloudwatch", "DisableAlarmActions", AlarmNames=["it's low", "a b", "--help", "[x]"]),
    call("cloudwatch", "DisableAlarmActions", AlarmNames=["plain", "two words", 'quo"te', "$HOME `id` \\ !"]),
    call("cloudwatch", "SetAlarmState", AlarmName="-dash", StateValue="OK", StateReason="a < b … and\nmore"),
    call("lambda", "UpdateEventSourceMapping", UUID="7f1c0a52-3f6e-4a37-9c55-0b6f8f2f5a10", Enabled=True),
    call("lambda", "UpdateEventSourceMapping", UUID="7f1c0a52-3f6e-4a37-9c55-0b6f8f2f5a10", Enabled=False),
    call("lambda", "PutFunctionConcurrency", FunctionName="f", ReservedConcurrentExecutions=0),
    call(
        "apigatewayv2",
        "UpdateIntegration",
        ApiId="a",
        IntegrationId="i",
        IntegrationUri="https://shop.example.com/x",
    ),
    call("apigatewayv2", "UpdateApi", ApiId="a", Version="7"),
    call(
        "apigateway",
        "UpdateStage",
        restApiId="a1",
        stageName="prod",
        patchOperations=[
            {"op": "replace", "path": "/*/*/throttling/rateLimit", "value": "500"},
            {"op": "replace", "path": "/variables/words", "value": "a,b=c d"},
        ],
    ),
    call(
        "sqs",
        "SetQueueAttributes",
        QueueUrl=_QUEUE,
        Attributes={"VisibilityTimeout": "180", "RedrivePolicy": json.dumps({"maxReceiveCount": 5})},
    ),
    call(
        "sqs",
        "SetQueueAttributes",
        QueueUrl=_QUEUE,
        Attributes={"RedrivePolicy": "", "DelaySeconds": "0"},
    ),
    call(
        "iam",
        "PutRolePolicy",
        RoleName="r",
        PolicyName="p",
        PolicyDocument='{"Statement": [{"Sid": "it\'s"}]}',
    ),
    call("logs", "PutRetentionPolicy", logGroupName="/aws/lambda/f", retentionInDays=30),
    call(
        "logs",
        "PutSubscriptionFilter",
        logGroupName="g",
        filterName="f",
        filterPattern="",
        destinationArn="arn:aws:x",
    ),
    call(
        "lambda", "UpdateAlias", FunctionName="f", Name="live", RoutingConfig={"AdditionalVersionWeights": {}}
    ),
    call(
        "dynamodb",
        "TagResource",
        ResourceArn="arn:aws:x",
        Tags=[{"Key": "a b", "Value": "c"}, {"Key": "d", "Value": ""}],
    ),
    call(
        "cloudwatch",
        "PutMetricAlarm",
        AlarmName="a",
        ActionsEnabled=False,
        AlarmActions=[],
        Namespace="AWS/DynamoDB",
        MetricName="WriteThrottleEvents",
        Statistic="Sum",
        Dimensions=[{"Name": "TableName", "Value": "orders"}],
        Period=60,
        EvaluationPeriods=5,
        Threshold=0.5,
        ComparisonOperator="GreaterThanThreshold",
    ),
    call("ec2", "ModifyInstanceAttribute", InstanceId="i-0a1", DisableApiTermination={"Value": False}),
    call("ec2", "DeleteNetworkAclEntry", NetworkAclId="acl-0a1", RuleNumber=90, Egress=False),
    call("ec2", "DeleteNetworkAclEntry", NetworkAclId="acl-0a1", RuleNumber=90, Egress=True),
    call(
        "config",
        "PutConfigurationRecorder",
        ConfigurationRecorder={"name": "default", "roleARN": "arn:aws:x"},
    ),
]


@needs_awscli
def test_awscli_reads_back_the_very_parameters() -> None:
    commands = [to_cli(one, profile="prod", multiline=number % 2 == 0) for number, one in enumerate(_ODD)]
    for command in commands:
        assert "<" not in command
        assert "…" not in command
    for one, parsed in zip(_ODD, cli_stub.parse(commands, ["prod"]), strict=True):
        assert (parsed.service, parsed.operation) == (one.service, one.operation)
        assert parsed.parameters == one.parameters
        assert (parsed.region, parsed.profile) == ("eu-west-1", "prod")


@needs_awscli
def test_awscli_refuses_what_it_does_not_know() -> None:
    with pytest.raises(AssertionError, match="table-nme"):
        cli_stub.parse(["aws dynamodb describe-table --table-name a --table-nme b --region eu-west-1"])


@needs_awscli
def test_awscli_parses_every_operation_that_a_service_file_knows() -> None:
    """Names of commands and options for all reads and changes, with made-up text for what is required."""
    from botocore.session import get_session

    calls = []
    for service in catalogue.services().values():
        model = get_session().get_service_model(service.client)
        names = [read.operation for read in service.reads] + [change.operation for change in service.changes]
        for name in names:
            shape = model.operation_model(name).input_shape
            sent = _filled(shape)  # ECS has a parameter of the name "service"
            if name == "TerminateInstanceInAutoScalingGroup":  # newer models let it out, awscli asks for it
                sent["InstanceId"] = "i-0a1b2c3d4e5f60718"
            if shape is not None and any(shape.members[one].type_name == "blob" for one in sent):
                with pytest.raises(BadInput, match="takes a file"):  # a plan never holds such a command
                    to_cli(Call(service=service.client, operation=name, parameters=sent, region="eu-west-1"))
                continue
            calls.append(Call(service=service.client, operation=name, parameters=sent, region="eu-west-1"))
    valid = [one for one in calls if not validate(one)]
    assert len(valid) > 100
    parsed = cli_stub.parse([to_cli(one) for one in valid])
    assert [one.operation for one in parsed] == [one.operation for one in valid]
    for one, back in zip(valid, parsed, strict=True):
        # awscli asks some lists of EC2 for pages of 1000 where the caller says nothing of pages.
        added = {} if "MaxResults" in one.parameters else {"MaxResults": 1000}
        assert back.parameters in (one.parameters, {**one.parameters, **added})


def _filled(shape: Any) -> Json:
    """The least parameters that an input shape requires."""
    if shape is None:
        return {}
    return {name: _sample(shape.members[name]) for name in shape.required_members}


def _sample(shape: Any) -> Any:
    if shape.type_name == "structure":
        return _filled(shape)
    if shape.type_name == "list":
        return [_sample(shape.member)]
    if shape.type_name == "map":
        return {"key": _sample(shape.value)}
    if shape.type_name in ("integer", "long"):
        return max(1, int(shape.metadata.get("min", 1)))
    if shape.type_name in ("double", "float"):
        return 1.5
    if shape.type_name == "boolean":
        return False
    if shape.metadata.get("enum"):
        return shape.metadata["enum"][0]
    return "x" * max(3, int(shape.metadata.get("min", 3)))
