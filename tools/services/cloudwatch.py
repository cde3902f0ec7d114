"""CloudWatch alarms: what they watch, and changes that make one cry wolf or keep silent."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

from tools.arn import build, is_arn
from tools.arn import parse as parse_arn
from tools.errors import BadInput
from tools.kit import call, here, record, relation, text, whole
from tools.models import Call, ChangeEvent, Json, Relation, Resource, Value
from tools.services._spec import Change, Directory, Effect, Outline, Read, Service, Setting, inert

if TYPE_CHECKING:
    from tools.aws import Reader

_SOURCE = "monitoring.amazonaws.com"
# PutMetricAlarm replaces the whole alarm: all that DescribeAlarms shows of these is sent back. Tags stay.
_KEPT = (
    "AlarmName",
    "AlarmDescription",
    "ActionsEnabled",
    "OKActions",
    "AlarmActions",
    "InsufficientDataActions",
    "MetricName",
    "Namespace",
    "Statistic",
    "ExtendedStatistic",
    "Dimensions",
    "Period",
    "Unit",
    "EvaluationPeriods",
    "DatapointsToAlarm",
    "Threshold",
    "ComparisonOperator",
    "TreatMissingData",
    "EvaluateLowSampleCountPercentile",
    "Metrics",
    "ThresholdMetricId",
    "EvaluationWindow",
    "WarmUpConfiguration",
    "EvaluationCriteria",
    "EvaluationInterval",
    "ActionConfiguration",
)


_CHILD = re.compile(r"""\b(?:ALARM|OK|INSUFFICIENT_DATA)\s*\(\s*(?:"([^"]+)"|([^"\s)][^)]*?))\s*\)""")
_KEPT_RULE = (
    "AlarmName",
    "AlarmDescription",
    "AlarmRule",
    "ActionsEnabled",
    "OKActions",
    "AlarmActions",
    "InsufficientDataActions",
    "ActionsSuppressor",
    "ActionsSuppressorWaitPeriod",
    "ActionsSuppressorExtensionPeriod",
)


def _touches(event: ChangeEvent) -> tuple[str, ...]:
    names = event.request.get("alarmNames") or [event.request.get("alarmName")]
    return tuple(here(event, "cloudwatch", f"alarm:{name}") for name in names if name)


def _touches_tagged(event: ChangeEvent) -> tuple[str, ...]:
    arn = text(event.request, "resourceARN") or text(event.request, "resourceArn")
    return (arn,) if arn else ()


def discover(reader: Reader, region: str) -> Iterable[Resource]:
    """All alarms with their whole configuration: those of metrics, and composite ones, which stand on others."""
    for kind in ("MetricAlarm", "CompositeAlarm"):
        alarms = reader.pages("cloudwatch", "DescribeAlarms", f"{kind}s", region=region, AlarmTypes=[kind])
        for alarm in alarms.items:
            yield _alarm(alarm, region, alarms.evidence)


def _alarm(alarm: Mapping[str, Any], region: str, evidence: tuple[str, ...]) -> Resource:
    config = {
        key: value.isoformat() if hasattr(value, "isoformat") else value for key, value in alarm.items()
    }
    return Resource(
        arn=alarm["AlarmArn"],
        service="cloudwatch",
        type="alarm",
        name=alarm["AlarmName"],
        account=parse_arn(alarm["AlarmArn"]).account,
        region=region,
        config=config,
        evidence=evidence,
    )


def describe(reader: Reader, arn: str) -> Resource | None:
    """The alarm as DescribeAlarms shows it."""
    parts = parse_arn(arn)
    answer = reader.ask(
        "cloudwatch",
        "DescribeAlarms",
        region=parts.region,
        AlarmNames=[parts.name],
        AlarmTypes=["MetricAlarm", "CompositeAlarm"],
    )
    for kind in ("MetricAlarms", "CompositeAlarms"):
        for alarm in answer.data.get(kind) or []:
            return _alarm(alarm, parts.region, (answer.evidence,))
    return None


def relations(resource: Resource, directory: Directory) -> Iterable[Relation]:
    """An alarm watches the resources that its metrics are about, a composite one the alarms of its rule."""
    for child in _children(resource):
        yield Relation(
            source=resource.arn,
            target=child,
            kind="watches",
            provenance="cloudwatch:DescribeAlarms AlarmRule",
            evidence=resource.evidence,
        )
    seen: dict[str, str] = {}
    for metric in _metrics(resource.config):
        dimensions = {item["Name"]: item["Value"] for item in metric.get("Dimensions") or []}
        found = directory.measured(text(metric, "Namespace"), dimensions, resource.region)
        if found:
            seen.setdefault(found, text(metric, "MetricName"))
    for target, name in seen.items():
        yield Relation(
            source=resource.arn,
            target=target,
            kind="watches",
            provenance=f"cloudwatch:DescribeAlarms {name}",
            evidence=resource.evidence,
        )


def _children(resource: Resource) -> Iterable[str]:
    """ARNs of the alarms that a rule names: ALARM("name"), OK(name), INSUFFICIENT_DATA("ARN")."""
    for quoted, bare in dict.fromkeys(_CHILD.findall(text(resource.config, "AlarmRule"))):
        name = (quoted or bare).strip()
        yield (
            name if is_arn(name) else build("cloudwatch", resource.region, resource.account, f"alarm:{name}")
        )


def _metrics(config: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    several = [item["MetricStat"]["Metric"] for item in config.get("Metrics") or [] if "MetricStat" in item]
    return several or ([config] if config.get("MetricName") else [])


def _read(resource: Resource) -> Call:
    return call("cloudwatch", "DescribeAlarms", resource, AlarmNames=[resource.name])


def _read_rule(resource: Resource) -> Call:
    # Without the type DescribeAlarms answers alarms of metrics alone.
    kinds = ["CompositeAlarm"]
    return call("cloudwatch", "DescribeAlarms", resource, AlarmNames=[resource.name], AlarmTypes=kinds)


def _restore_rule(resource: Resource, value: Value) -> tuple[Call, ...]:
    """PutCompositeAlarm replaces the whole alarm, as PutMetricAlarm does."""
    if value is None:
        return ()
    kept = {key: resource.config[key] for key in _KEPT_RULE if resource.config.get(key) not in (None, [], "")}
    sent = {**kept, "AlarmName": resource.name, "AlarmRule": str(value)}
    return (call("cloudwatch", "PutCompositeAlarm", resource, **sent),)


def _restore(member: str, resource: Resource, value: Value) -> tuple[Call, ...]:
    if "AlarmRule" in resource.config:  # PutMetricAlarm would make another alarm of it
        return ()
    # DescribeAlarms returns empty lists for actions that are not set and omits the rest.
    kept = {key: resource.config[key] for key in _KEPT if resource.config.get(key) not in (None, [], "")}
    kept.setdefault("AlarmName", resource.name)
    kept[member] = _typed(member, value)
    if value is None:
        del kept[member]
    return (call("cloudwatch", "PutMetricAlarm", resource, **kept),)


def _typed(member: str, value: Value) -> Value:
    if member == "Threshold" and value is not None:
        return float(value)
    if member in ("Period", "EvaluationPeriods", "DatapointsToAlarm") and value is not None:
        return whole(value)
    return value


_EASIER = Effect(metric="alarm state", direction="up", after=(0, 900))
_NEVER = Effect(metric="alarm state", direction="silent", after=(0, 900))


def _setting(member: str, name: str, unit: str, requests: Mapping[str, str] | None = None) -> Setting:
    camel = member[0].lower() + member[1:]
    return Setting(
        type="alarm",
        name=name,
        path=member,
        unit=unit,
        requests=requests or {"PutMetricAlarm": camel},
        restore=partial(_restore, member),
        read=_read,
        query=f"MetricAlarms[0].{member}",
        echo="none",
        effects=(_EASIER, _NEVER),
    )


def _restore_actions(resource: Resource, value: Value) -> tuple[Call, ...]:
    operation = "EnableAlarmActions" if value else "DisableAlarmActions"
    return (call("cloudwatch", operation, resource, AlarmNames=[resource.name]),)


SETTINGS = (
    _setting("Threshold", "threshold", ""),
    _setting("ComparisonOperator", "comparison", ""),
    _setting("EvaluationPeriods", "evaluation periods", "periods"),
    _setting("DatapointsToAlarm", "datapoints to alarm", "datapoints"),
    _setting("Period", "period", "seconds"),
    _setting("Statistic", "statistic", ""),
    _setting("MetricName", "metric", ""),
    _setting("TreatMissingData", "treatment of missing data", ""),
    Setting(
        type="alarm",
        name="rule",
        path="AlarmRule",
        unit="",
        requests={"PutCompositeAlarm": "alarmRule"},
        restore=_restore_rule,
        read=_read_rule,
        query="CompositeAlarms[0].AlarmRule",
        echo="none",
        effects=(_EASIER, _NEVER),
    ),
    Setting(
        type="alarm",
        name="actions",
        path="ActionsEnabled",
        unit="",
        requests={
            "PutMetricAlarm": "actionsEnabled",
            "PutCompositeAlarm": "actionsEnabled",
            "DisableAlarmActions": "`false`",
            "EnableAlarmActions": "`true`",
        },
        restore=_restore_actions,
        read=_read,
        query="MetricAlarms[0].ActionsEnabled",
        unset=True,
        echo="none",
        only_from={"DisableAlarmActions": True, "EnableAlarmActions": False},
        effects=(Effect(metric="alarm state", direction="silent", after=(0, 60), when="lowered"),),
    ),
)


_PUTS = ("PutMetricAlarm", "PutCompositeAlarm")


def _undo_delete(event: ChangeEvent, earlier: tuple[ChangeEvent, ...]) -> tuple[Call, ...]:
    """Each deleted alarm is put back as its last PutMetricAlarm or PutCompositeAlarm made it, else left out."""
    from tools.parameters import from_cloudtrail

    calls: list[Call] = []
    for name in event.request.get("alarmNames") or []:
        for before in earlier:
            if before.operation in _PUTS and text(before.request, "alarmName") == name:
                try:
                    sent = from_cloudtrail("cloudwatch", before.operation, before.request)
                except BadInput:
                    break
                calls.append(call("cloudwatch", before.operation, event, **sent))
                break
    return tuple(calls)


_ALARM: Json = {
    "alarmName": "orders-writes-throttled",
    "metricName": "WriteThrottleEvents",
    "namespace": "AWS/DynamoDB",
    "statistic": "Sum",
    "dimensions": [{"name": "TableName", "value": "orders"}],
    "period": 60,
    "evaluationPeriods": 5,
    "datapointsToAlarm": 3,
    "threshold": 0.0,
    "comparisonOperator": "GreaterThanThreshold",
    "treatMissingData": "notBreaching",
    "actionsEnabled": True,
    "alarmActions": ["arn:aws:sns:eu-west-1:111122223333:on-call"],
}
_NAMED: Json = {"alarmNames": ["orders-writes-throttled"]}
_ARN = "arn:aws:cloudwatch:eu-west-1:111122223333:alarm:orders-writes-throttled"

CHANGES = (
    Change(
        operation="PutMetricAlarm",
        touches=_touches,
        breaks="The alarm fires although all is well, or stays silent although it is not.",
        example=record(_SOURCE, "PutMetricAlarm", _ALARM),
    ),
    Change(
        operation="PutCompositeAlarm",
        touches=_touches,
        breaks="The alarm fires although all is well, or stays silent although alarms of its rule fire.",
        example=record(
            _SOURCE,
            "PutCompositeAlarm",
            {
                "alarmName": "orders-broken",
                "alarmRule": 'ALARM("orders-writes-throttled") AND ALARM("orders-errors")',
                "actionsEnabled": True,
                "alarmActions": ["arn:aws:sns:eu-west-1:111122223333:on-call"],
            },
        ),
    ),
    Change(
        operation="DisableAlarmActions",
        touches=_touches,
        breaks="The alarm tells nobody any more.",
        example=record(_SOURCE, "DisableAlarmActions", _NAMED),
    ),
    Change(
        operation="EnableAlarmActions",
        touches=_touches,
        breaks="The alarm tells people again.",
        example=record(_SOURCE, "EnableAlarmActions", _NAMED),
    ),
    Change(
        operation="DeleteAlarms",
        touches=_touches,
        breaks="The alarm is gone and tells nobody any more.",
        example=record(_SOURCE, "DeleteAlarms", _NAMED),
        effects=(_NEVER,),
        undo=_undo_delete,
    ),
    Change(
        operation="SetAlarmState",
        touches=_touches,
        breaks="The alarm shows a state that no metric gave it, until it is evaluated again.",
        example=record(
            _SOURCE,
            "SetAlarmState",
            {"alarmName": "orders-writes-throttled", "stateValue": "ALARM", "stateReason": "drill"},
        ),
        effects=(Effect(metric="alarm state", direction="up", after=(0, 60)),),
    ),
    inert(
        "TagResource",
        _touches_tagged,
        record(_SOURCE, "TagResource", {"resourceARN": _ARN, "tags": [{"key": "team", "value": "shop"}]}),
    ),
    inert(
        "UntagResource",
        _touches_tagged,
        record(_SOURCE, "UntagResource", {"resourceARN": _ARN, "tagKeys": ["team"]}),
    ),
)

_ACTIONS = ("AlarmActions", "OKActions", "InsufficientDataActions")


def outline(resource: Resource, directory: Directory) -> Iterable[Relation]:
    """Whom an alarm tells or what it moves. Actions that are no resource's ARN (stopping an instance) are left out."""
    for member in _ACTIONS:
        for target in resource.config.get(member) or []:
            if is_arn(target) and ":automate:" not in target and ":swf:" not in target:
                yield relation(resource, target, "alerts", f"cloudwatch:DescribeAlarms {member}")


SERVICE = Service(
    name="cloudwatch",
    title="CloudWatch alarms",
    client="cloudwatch",
    event_sources=(_SOURCE,),
    reads=(
        Read(
            operation="DescribeAlarms",
            action="cloudwatch:DescribeAlarms",
            shows="alarms, their metrics, thresholds and states",
        ),
    ),
    types={"alarm": "other"},
    arns={"alarm": r"cloudwatch:alarm:.+"},
    discover=discover,
    describe=describe,
    relations=relations,
    outline=Outline(relations=outline),
    settings=SETTINGS,
    changes=CHANGES,
    complete=("alarm",),
)
