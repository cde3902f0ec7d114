"""One contract over all service files, checked against botocore's own models."""

from __future__ import annotations

import json
import re
from collections import Counter
from datetime import datetime
from fnmatch import fnmatchcase
from functools import cache
from typing import Any

import botocore.session
import pytest
from botocore.model import ServiceModel

from tools import arn as arns
from tools import catalogue, guard
from tools.cloudtrail_fields import operation_of
from tools.guard_declared import why_no_read
from tools.iam_names import action_of
from tools.models import Actor, Call, ChangeEvent, Json, Resource, Value
from tools.parameters import from_cloudtrail, to_cli, validate
from tools.services import services
from tools.services._spec import Change, Condition, Effect, Service, Setting
from tools.setting_values import as_value, of_resource

_ROLES = {"demand", "errors", "throttles", "latency", "saturation", "backlog", "setting", "work"}


def event(record: Json) -> ChangeEvent:
    """A record as tools.cloudtrail hands it over, without its actor."""
    return ChangeEvent(
        id=record["eventID"],
        time=datetime.fromisoformat(record["eventTime"].replace("Z", "+00:00")),
        source=record["eventSource"],
        action=record["eventName"],
        operation=operation_of(record["eventName"]),
        region=record["awsRegion"],
        account=record["recipientAccountId"],
        actor=Actor(kind="unknown", name="", how="unknown"),
        request=record["requestParameters"] or {},
        response=record["responseElements"] or {},
    )


def model(client: str) -> ServiceModel:
    return botocore.session.get_session().get_service_model(client)


@cache
def _read_only() -> tuple[str, ...]:
    """Actions, with wildcards, of AWS's own policy ReadOnlyAccess as moto bundles it."""
    from moto.iam.aws_managed_policies import aws_managed_policies_data

    statements = json.loads(aws_managed_policies_data)["ReadOnlyAccess"]["Document"]["Statement"]
    return tuple(name.lower() for one in statements if one["Effect"] == "Allow" for name in one["Action"])


def granted(action: str) -> bool:
    """Whether ReadOnlyAccess allows an IAM action."""
    return any(fnmatchcase(action.lower(), pattern) for pattern in _read_only())


def resource(service: Service, type: str, arn: str) -> Resource:
    parts = arns.parse(arn)
    return Resource(
        arn=arn,
        service=service.name,
        type=type,
        name=re.split(r"[:/]", parts.resource)[-1] if parts.service != "logs" else parts.name,
        account=parts.account or "111122223333",
        region=parts.region or "eu-west-1",
        config=_SENT_WHOLE.get(arn) or _CONFIGS.get(type, {}),
    )


_CONFIGS: dict[str, Json] = {
    "state-machine": {"roleArn": "arn:aws:iam::111122223333:role/billing-machine"},
    "pipe": {"RoleArn": "arn:aws:iam::111122223333:role/orders-pipe"},
    "schedule": {
        "ScheduleExpression": "rate(1 hour)",
        "State": "ENABLED",
        "FlexibleTimeWindow": {"Mode": "OFF"},
        "Target": {
            "Arn": "arn:aws:lambda:eu-west-1:111122223333:function:billing-run",
            "RoleArn": "arn:aws:iam::111122223333:role/billing-schedule",
        },
    },
    "secret": {
        "Versions": [
            {"VersionId": "2f6c1d1e-8f0b-4b5a-9a27-6f2a4f9c1b02", "VersionStages": ["AWSCURRENT"]},
            {"VersionId": "9b1d8a34-51c7-4a0e-8c5e-0d3f7a6b2c01", "VersionStages": ["AWSPREVIOUS"]},
        ]
    },
    "service": {
        "networkConfiguration": {
            "awsvpcConfiguration": {
                "subnets": ["subnet-0a1b2c3d4e5f60001"],
                "securityGroups": ["sg-0a1b2c3d4e5f60001"],
                "assignPublicIp": "DISABLED",
            }
        },
    },
    "auto-scaling-group": {
        "LaunchTemplate": {"LaunchTemplateId": "lt-0a1b2c3d4e5f60718", "Version": "41"},
        "MixedInstancesPolicy": {
            "LaunchTemplate": {
                "LaunchTemplateSpecification": {"LaunchTemplateId": "lt-0a1b2c3d4e5f60718", "Version": "41"}
            }
        },
    },
    "nodegroup": {"launchTemplate": {"id": "lt-0a1b2c3d4e5f60718", "version": "6"}},
    "scalable-target": {
        "ServiceNamespace": "ecs",
        "ResourceId": "service/shop/web",
        "ScalableDimension": "ecs:service:DesiredCount",
    },
    "table": {
        "OnDemandThroughput": {"MaxReadRequestUnits": 500, "MaxWriteRequestUnits": 2},
        "ProvisionedThroughput": {"ReadCapacityUnits": 5, "WriteCapacityUnits": 5},
        "TimeToLive": {"AttributeName": "expires", "Enabled": True},
    },
    "delivery-stream": {
        "VersionId": "4",
        "Destinations": [{"DestinationId": "destinationId-000000000001"}],
    },
    "alarm": {
        "AlarmName": "orders-writes-throttled",
        "AlarmArn": "arn:aws:cloudwatch:eu-west-1:111122223333:alarm:orders-writes-throttled",
        "MetricName": "WriteThrottleEvents",
        "Namespace": "AWS/DynamoDB",
        "Statistic": "Sum",
        "Dimensions": [{"Name": "TableName", "Value": "orders"}],
        "Period": 60,
        "EvaluationPeriods": 5,
        "Threshold": 0.0,
        "ComparisonOperator": "GreaterThanThreshold",
        "StateValue": "OK",
    },
}
_SERVICES = list(services().values())


def _sent_whole(service: str, operation: str, member: str, version: Json) -> dict[str, Json]:
    """What the examples of an operation that sends a configuration whole have made of each resource, by ARN."""
    known = services()[service]
    made: dict[str, Json] = {}
    for change in known.changes:
        for record in records(change) if change.operation == operation else ():
            # Comments are never recorded.
            request = json.loads(json.dumps(record["requestParameters"]).replace(HIDDEN, ""))
            sent = from_cloudtrail(known.client, operation, request)
            made[change.touches(event(record))[0]] = {
                **version,
                **({member: sent[member]} if member else sent),
            }
    return made


_CHANGES = [(service, change) for service in _SERVICES for change in service.changes]
_SETTINGS = [(service, setting) for service in _SERVICES for setting in service.settings]


def ids(pairs: list[tuple[Service, Any]]) -> list[str]:
    return [f"{service.name}-{getattr(one, 'operation', '') or one.name}" for service, one in pairs]


def records(change: Change) -> tuple[Json, ...]:
    return (change.example, *change.more_examples)


HIDDEN = "HIDDEN_DUE_TO_SECURITY_REASONS"
_SENT_WHOLE = {
    **_sent_whole("cloudfront", "UpdateDistribution", "DistributionConfig", {"ETag": "E3DFGD1EXAMPLE"}),
    **_sent_whole("wafv2", "UpdateWebACL", "", {}),
    **_sent_whole("wafv2", "UpdateRuleGroup", "", {}),
    **_sent_whole("wafv2", "UpdateIPSet", "", {}),
    **_sent_whole("wafv2", "UpdateRegexPatternSet", "", {}),
    **_sent_whole(
        "cognitoidp",
        "UpdateUserPool",
        "",
        {"MfaConfig": {"SoftwareTokenMfaConfiguration": {"Enabled": True}}},
    ),
}


def example_of(service: Service, setting: Setting) -> tuple[ChangeEvent, Any]:
    """An example event that sets the setting to something, and to what."""
    for change in service.changes:
        for record in records(change) if change.operation in setting.requests else ():
            arn = change.touches(event(record))[0]
            path = of_resource(setting, arn).requests[change.operation]
            value = catalogue.find(path, record["requestParameters"] or {})
            if value is not None and catalogue.type_of(arn) == setting.type:
                return event(record), value
    raise AssertionError(f"no example sets {setting.name}")


def changed(service: Service, setting: Setting) -> Resource:
    """The resource whose setting the example event sets."""
    found, _ = example_of(service, setting)
    known = next(change for change in service.changes if change.operation == found.operation)
    return resource(service, setting.type, known.touches(found)[0])


def test_every_file_is_found() -> None:
    assert {"dynamodb", "lambda", "sqs", "apigateway", "apigatewayv2", "iam", "logs", "cloudwatch"} <= set(
        services()
    )


@pytest.mark.parametrize("service", _SERVICES, ids=lambda one: one.name)
def test_reads_exist_pass_the_guard_and_name_an_action(service: Service) -> None:
    operations = set(model(service.client).operation_names)
    for read in service.reads:
        assert read.operation in operations
        if not guard.allowed(service.client, read.operation):  # on the file's word: two sources must agree
            shape = model(service.client).operation_model(read.operation)
            assert why_no_read(service.client, shape) == ""
            assert guard.allowed(service.client, read.operation, shape)
            assert granted(read.action), f"AWS's ReadOnlyAccess does not grant {read.action}"
            assert read.action == action_of(service.client, read.operation)
        assert re.fullmatch(r"[a-z0-9-]+:[A-Z][A-Za-z]+", read.action)
        assert read.shows


@pytest.mark.parametrize("service", _SERVICES, ids=lambda one: one.name)
def test_types_have_an_arn_pattern_each(service: Service) -> None:
    assert set(service.types) == set(service.arns)
    kinds = {metric.type for metric in service.metrics}
    kinds |= {setting.type for setting in service.settings}
    kinds |= {condition.type for condition in service.conditions}
    assert kinds <= set(service.types)


@pytest.mark.parametrize(("service", "change"), _CHANGES, ids=ids(_CHANGES))
def test_a_change_is_a_real_writing_operation_and_touches_arns(service: Service, change: Change) -> None:
    assert change.operation in model(service.client).operation_names
    shape = model(service.client).operation_model(change.operation)
    assert not guard.allowed(service.client, change.operation, shape)
    for record in records(change):
        assert operation_of(record["eventName"]) == change.operation
        assert record["eventSource"] in service.event_sources
        assert record["readOnly"] is False
        touched = change.touches(event(record))
        assert touched
        assert all(arns.is_arn(one) for one in touched)
        assert catalogue.service_of(touched[0]) == service, f"{touched[0]} belongs to another file"
        assert catalogue.for_event(event(record)) == (service, change)


@pytest.mark.parametrize(("service", "change"), _CHANGES, ids=ids(_CHANGES))
def test_a_change_says_what_it_breaks_unless_it_is_inert(service: Service, change: Change) -> None:
    assert bool(change.breaks) != change.inert
    assert not (change.inert and change.effects)


@pytest.mark.parametrize("service", _SERVICES, ids=lambda one: one.name)
def test_an_operation_has_one_change(service: Service) -> None:
    found = Counter(change.operation for change in service.changes)
    assert [operation for operation, count in found.items() if count > 1] == []


def test_an_event_touches_resources_of_one_file_only() -> None:
    """REST and HTTP APIs share a source and names of operations."""
    for service, change in _CHANGES:
        others = [
            other.name
            for other, same in _CHANGES
            if other is not service
            and set(other.event_sources) & set(service.event_sources)
            and same.operation == change.operation
            and same.touches(event(change.example))
        ]
        assert others == [], f"{change.operation} of {service.name}"


def effects_of(service: Service) -> list[Effect]:
    found = [effect for setting in service.settings for effect in setting.effects]
    return found + [effect for change in service.changes for effect in change.effects]


@pytest.mark.parametrize("service", _SERVICES, ids=lambda one: one.name)
def test_effects_name_metrics_of_the_file_or_a_role(service: Service) -> None:
    names = {metric.name for metric in service.metrics}
    for effect in effects_of(service):
        assert 0 <= effect.after[0] < effect.after[1]
        if effect.metric.startswith("role:"):
            assert effect.metric.removeprefix("role:") in _ROLES
            # What has no metrics of its own may show in those of what it belongs to.
            told = f"name the metric: of its own a service's file knows which it is, {effect.metric} is for neighbours"
            assert effect.on != "self" or not service.metrics, told
        elif effect.metric == "alarm state":
            assert service.name == "cloudwatch"
        else:
            assert effect.metric in names
            assert effect.on == "self"


@pytest.mark.parametrize("service", _SERVICES, ids=lambda one: one.name)
def test_conditions_and_limits_name_metrics_of_the_file(service: Service) -> None:
    names = {metric.name for metric in service.metrics}
    for condition in service.conditions:
        assert set(condition.metrics) <= names
        assert condition.relieve
        assert condition.prevent
        # They stand in the answer, where each number needs a claim that is compared with what is true.
        assert not re.search(r"\b\d", f"{condition.title} {condition.breaks}"), condition.key
    for setting in service.settings:
        assert setting.limits in names or (not setting.limits)
        assert setting.metric is None or setting.metric.name in names


@pytest.mark.parametrize(("service", "setting"), _SETTINGS, ids=ids(_SETTINGS))
def test_a_setting_is_read_by_the_files_own_reads(service: Service, setting: Setting) -> None:
    at = changed(service, setting)
    read = setting.read(at)
    assert read.service == service.client
    assert read.operation in {one.operation for one in service.reads}
    assert validate(read) == ()
    catalogue.find(setting.query, {})
    catalogue.find(setting.path, {})
    for path in (*setting.ready, *setting.beside, *([setting.echo_path] if setting.echo_path else [])):
        catalogue.find(path, {})


@pytest.mark.parametrize(("service", "setting"), _SETTINGS, ids=ids(_SETTINGS))
def test_a_request_path_finds_its_value_in_the_example(service: Service, setting: Setting) -> None:
    known = {change.operation for change in service.changes}
    assert set(setting.requests) <= known
    for path in setting.requests.values():
        catalogue.find(path, {})
    found, value = example_of(service, setting)
    setting = of_resource(setting, changed(service, setting).arn)
    assert (service, setting) in catalogue.settings_in(found)
    if not setting.hidden and not isinstance(value, dict | list):
        shown = setting.means(found, value) if setting.means is not None else value
        assert catalogue.requested(setting, found) == shown


@pytest.mark.parametrize(("service", "setting"), _SETTINGS, ids=ids(_SETTINGS))
def test_restore_makes_calls_that_botocore_would_send(service: Service, setting: Setting) -> None:
    found, value = example_of(service, setting)
    at = changed(service, setting)
    if setting.hidden or value == HIDDEN:
        assert setting.restore(at, "any") == ()
        return
    wanted: Value = "PAY_PER_REQUEST" if setting.name == "billing mode" else value
    if setting.means is not None:
        wanted = setting.means(found, as_value(value))
    calls = setting.restore(at, wanted)
    assert calls, f"{setting.name} cannot be put back"
    for one in calls:
        assert one.service == service.client
        assert one.region
        assert validate(one) == ()
        assert not guard.allowed(
            one.service, one.operation, model(one.service).operation_model(one.operation)
        )
        assert to_cli(one).startswith("aws ")
    for one in setting.restore(at, setting.unset):
        assert validate(one) == ()


@pytest.mark.parametrize(("service", "change"), _CHANGES, ids=ids(_CHANGES))
def test_undo_makes_valid_calls_or_none(service: Service, change: Change) -> None:
    if change.undo is None:
        return
    now = event(change.example)
    earlier = tuple(
        event({**other.example, "eventID": f"00000000-0000-4000-8000-{number:012d}"})
        for number, other in enumerate(service.changes)
    )
    assert all(validate(one) == () for one in change.undo(now, ()))
    for one in change.undo(now, earlier):
        assert one.service == service.client
        assert validate(one) == ()


@pytest.mark.parametrize("service", _SERVICES, ids=lambda one: one.name)
def test_signatures_compile_and_point_at_something_known(service: Service) -> None:
    known = {setting.path for one in _SERVICES for setting in one.settings}
    known |= {condition.key for one in _SERVICES for condition in one.conditions}
    known |= {change.operation for one in _SERVICES for change in one.changes} | {"Policies"}
    for signature in service.signatures:
        re.compile(signature.match)
        assert signature.points_to in known
        assert signature.says


@pytest.mark.parametrize(
    "condition",
    [one for service in _SERVICES for one in service.conditions if one.calls],
    ids=lambda one: one.key,
)
def test_calls_of_conditions_are_valid(condition: Condition) -> None:
    assert condition.calls is not None
    at = Resource(
        arn="arn:aws:dynamodb:eu-west-1:111122223333:table/orders",
        service="dynamodb",
        type=condition.type,
        name="orders",
        account="111122223333",
        region="eu-west-1",
    )
    calls: tuple[Call, ...] = condition.calls(at)
    assert calls
    assert all(validate(one) == () for one in calls)
