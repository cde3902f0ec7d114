"""Alarms as preventions: on a setting's metric, on that of a condition, and one that clears by itself. Pure."""

from __future__ import annotations

from graph.facts import Facts
from graph.models import Prevention
from graph.words import say
from tools.models import Resource, Value
from tools.services._spec import Setting

_KEPT = ("AlarmDescription", "AlarmActions", "OKActions", "InsufficientDataActions")
"""PutMetricAlarm replaces the whole alarm: what is not sent is gone."""


def watch_setting(facts: Facts, resource: Resource, setting: Setting, prior: float, bad: Value) -> Prevention:
    """An alarm on the setting's own metric, on the side to which it was moved."""
    service, metric = facts.service(resource), setting.metric
    assert service is not None
    assert metric is not None
    assert service.dimensions is not None
    above = isinstance(bad, int | float) and bad > prior
    return Prevention(
        kind="notice",
        title=say(
            "Alarm when {metric} of {name} is above {value}"
            if above
            else "Alarm when {metric} of {name} is below {value}",
            metric=metric.name,
            name=resource.name,
            value=prior,
        ),
        why=say("The setting is a metric of its own: it shows a change of it, whoever made it."),
        artefact_name="alarm.json",
        artefact={
            "AlarmName": f"{resource.name}-{metric.name}"[:255],
            "Namespace": service.namespace_of(metric),
            "MetricName": metric.name,
            "Dimensions": [{"Name": key, "Value": value} for key, value in service.dimensions(resource)],
            "Statistic": metric.stat,
            "Period": metric.period,
            "EvaluationPeriods": 1,
            "Threshold": prior,
            "ComparisonOperator": "GreaterThanThreshold" if above else "LessThanThreshold",
            "TreatMissingData": "missing",
        },
    )


def metric_alarm(
    resource: Resource, namespace: str, dimensions: tuple[tuple[str, str], ...], metric: str
) -> Prevention:
    """An alarm on the metric that shows a condition."""
    return Prevention(
        kind="notice",
        title=say("Alarm when {metric} of {name} is above 0", metric=metric, name=resource.name),
        why=say("It names this cause, where the present alarm only says that something is refused."),
        artefact_name="alarm.json",
        artefact={
            "AlarmName": f"{resource.name}-{metric}"[:255],
            "Namespace": namespace,
            "MetricName": metric,
            "Dimensions": [{"Name": key, "Value": value} for key, value in dimensions],
            "Statistic": "Sum",
            "Period": 60,
            "EvaluationPeriods": 3,
            "Threshold": 0,
            "ComparisonOperator": "GreaterThanThreshold",
            "TreatMissingData": "notBreaching",
        },
    )


def quiet_alarm(facts: Facts) -> Prevention:
    """The incident's alarm, with missing data filled in so that it clears by itself."""
    alarm = facts.incident.alarm
    assert alarm is not None
    own = facts.resource(alarm.arn)
    return Prevention(
        kind="notice",
        title=say("Let alarm {name} clear by itself", name=alarm.name),
        why=say(
            "It keeps its state while data is missing. Fill the gaps with 0, and it clears when refusals end."
        ),
        artefact_name="alarm.json",
        artefact={
            "AlarmName": alarm.name,
            **{key: own.config[key] for key in _KEPT if own is not None and own.config.get(key)},
            "EvaluationPeriods": alarm.evaluation_periods,
            "DatapointsToAlarm": alarm.datapoints_to_alarm,
            "Threshold": alarm.threshold,
            "ComparisonOperator": alarm.comparison,
            "TreatMissingData": "notBreaching",
            "Metrics": [
                {"Id": "filled", "Expression": "FILL(m, 0)", "ReturnData": True},
                {
                    "Id": "m",
                    "ReturnData": False,
                    "MetricStat": {
                        "Metric": {
                            "Namespace": alarm.metric.namespace,
                            "MetricName": alarm.metric.name,
                            "Dimensions": [
                                {"Name": key, "Value": value} for key, value in alarm.metric.dimensions
                            ],
                        },
                        "Period": alarm.metric.period,
                        "Stat": alarm.metric.stat,
                    },
                },
            ],
        },
    )
