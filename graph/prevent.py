"""At least one measure for every incident, each with an artefact and tried on the events at hand. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from graph.facts import Facts
from graph.models import Prevention, RootCause
from graph.words import say
from tools.arn import parse, partition_of
from tools.catalogue import change_of, conditions
from tools.models import ChangeEvent, Json, Resource, Value
from tools.services._spec import Setting


def preventions(facts: Facts, cause: RootCause | None) -> tuple[Prevention, ...]:
    """Measures for this cause, the strongest first; never empty."""
    made: list[Prevention] = []
    if cause is not None:
        made.extend(_for_change(facts, cause))
        made.extend(_for_condition(facts, cause))
        made.extend(_for_traffic(facts, cause))
    if facts.incident.quiet_since is not None and facts.incident.alarm is not None:
        made.append(_quiet_alarm(facts))
    made.extend(_for_gaps(facts))
    if not made:
        made.append(_practice(facts))
    return tuple(made)


def _for_change(facts: Facts, cause: RootCause) -> Iterator[Prevention]:
    resource, setting = facts.resource(cause.resource), facts.setting(cause.resource, cause.field)
    if resource is None or cause.kind not in {"change", "setting", "alarm_changed"}:
        return
    event = next((item for item in facts.changes if cause.event and item.id == cause.event.id), None)
    operations = [event.operation] if event else list(setting.requests) if setting else []
    operations = [name for name in operations if not name.startswith("Create")]
    if operations:
        yield _block(facts, resource, operations, event)
        yield _tell_of_event(facts, resource, operations)
    if setting is not None and setting.metric is not None and isinstance(cause.prior_value, int | float):
        yield _watch_setting(facts, resource, setting, cause.prior_value)


def _block(facts: Facts, resource: Resource, operations: list[str], event: ChangeEvent | None) -> Prevention:
    service = facts.service(resource)
    prefix = parse(resource.arn).service
    allowed = _allowed_roles(facts, resource, operations, event)
    partition = partition_of(resource.region or facts.incident.region)
    patterns = [f"arn:{partition}:iam::{resource.account}:role/{name}" for name in (*allowed, "breakglass")]
    statement: Json = {
        "Sid": "OnlyThePipelineChangesThis",
        "Effect": "Deny",
        "Action": [f"{prefix}:{name}" for name in operations],
        "Resource": resource.arn,
        "Condition": {"ArnNotLike": {"aws:PrincipalArn": patterns}},
    }
    return Prevention(
        kind="block",
        title=say(
            "Deny {operations} on {name} except to {roles}",
            operations=", ".join(operations), name=resource.name, roles=", ".join([*allowed, "breakglass"]),
        ),
        why=say("A service control policy can limit who changes {service}, not to which value.",
                service=service.title if service else prefix),
        artefact_name="policy.json",
        artefact={"Version": "2012-10-17", "Statement": [statement]},
        back_test=_back_test(facts, resource, operations, event, allowed),
    )  # fmt: skip


def _same_kind(facts: Facts, resource: Resource, operations: list[str]) -> list[ChangeEvent]:
    found = []
    for event in facts.changes:
        known = change_of(event)
        if event.operation in operations and known is not None and resource.arn in known.touches(event):
            found.append(event)
    return found


def _allowed_roles(
    facts: Facts, resource: Resource, operations: list[str], event: ChangeEvent | None
) -> tuple[str, ...]:
    """Roles that made such changes before without harm."""
    good = [item for item in _same_kind(facts, resource, operations) if event is None or item.id != event.id]
    roles = [item.actor.role for item in good if item.actor.role]
    bad = event.actor.role if event else ""
    return tuple(dict.fromkeys(role for role in roles if role != bad))[:3]


def _back_test(
    facts: Facts,
    resource: Resource,
    operations: list[str],
    event: ChangeEvent | None,
    allowed: tuple[str, ...],
) -> str:
    found = _same_kind(facts, resource, operations)
    bad = [item for item in found if event is not None and item.id == event.id]
    good = [item for item in found if item not in bad]
    if not found:
        return ""
    blocked_good = [item for item in good if item.actor.role not in allowed]
    days = max(1, round((facts.as_of - min(item.time for item in found)).total_seconds() / 86400))
    return say(
        "would have blocked {bad} of {bads} bad and {good} of {goods} good changes in {days} days",
        bad=len(bad), bads=len(bad), good=len(blocked_good), goods=len(good), days=days,
    )  # fmt: skip


def _tell_of_event(facts: Facts, resource: Resource, operations: list[str]) -> Prevention:
    service = facts.service(resource)
    sources = list(service.event_sources) if service else []
    return Prevention(
        kind="notice",
        title=say(
            "Tell the team of every {operations} on {name}",
            operations=", ".join(operations),
            name=resource.name,
        ),
        why=say(
            "EventBridge sees the change within seconds to minutes; a person can ask before users suffer."
        ),
        artefact_name="rule.json",
        artefact={
            "Name": f"changes-of-{resource.name}"[:64],
            "EventPattern": {
                "source": [f"aws.{source.split('.')[0]}" for source in sources],
                "detail-type": ["AWS API Call via CloudTrail"],
                "detail": {"eventSource": sources, "eventName": operations},
            },
        },
        back_test=say(
            "would have fired {n} times in the events at hand", n=len(_same_kind(facts, resource, operations))
        ),
    )


def _watch_setting(facts: Facts, resource: Resource, setting: Setting, prior: Value) -> Prevention:
    service, metric = facts.service(resource), setting.metric
    assert service is not None
    assert metric is not None
    assert service.dimensions is not None
    step = next((s for s in facts.steps if s.resource == resource.arn and s.setting == setting.path), None)
    return Prevention(
        kind="notice",
        title=say(
            "Alarm when {metric} of {name} is below {value}",
            metric=metric.name,
            name=resource.name,
            value=prior,
        ),
        why=say(
            "The setting is a metric of its own: a change shows before or with its harm, whoever made it."
        ),
        artefact_name="alarm.json",
        artefact={
            "AlarmName": f"{resource.name}-{metric.name}"[:255],
            "Namespace": service.namespace,
            "MetricName": metric.name,
            "Dimensions": [{"Name": key, "Value": value} for key, value in service.dimensions(resource)],
            "Statistic": metric.stat,
            "Period": metric.period,
            "EvaluationPeriods": 1,
            "Threshold": prior,
            "ComparisonOperator": "LessThanThreshold",
            "TreatMissingData": "missing",
        },
        back_test=say("would have fired in this incident; the metric stepped once in the window read")
        if step
        else "",
    )


def _for_condition(facts: Facts, cause: RootCause) -> Iterator[Prevention]:
    known = next((one for _, one in conditions() if one.key == cause.field), None)
    resource = facts.resource(cause.resource)
    if cause.kind != "condition" or known is None or resource is None:
        return
    for sentence in known.prevent[:1]:
        yield Prevention(
            kind="design",
            title=sentence,
            why=known.breaks,
            artefact_name="note.md",
            artefact="\n".join(known.prevent),
        )
    service = facts.service(resource)
    if service is not None and service.dimensions is not None and known.metrics:
        yield _metric_alarm(resource, service.namespace, service.dimensions(resource), known.metrics[0])


def _metric_alarm(
    resource: Resource, namespace: str, dimensions: tuple[tuple[str, str], ...], metric: str
) -> Prevention:
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
        back_test=say("would have fired in this incident"),
    )


def _for_traffic(facts: Facts, cause: RootCause) -> Iterator[Prevention]:
    if cause.kind != "traffic":
        return
    yield Prevention(
        kind="design",
        title=say("Put a limit in front of {name}, or a queue behind it", name=facts.name(cause.resource)),
        why=say(
            "A burst above the limit then waits or is turned away at the door, and nothing behind it fails."
        ),
        artefact_name="note.md",
        artefact=say("Set a usage limit per caller, and alarm at 80 percent of the limit that was exceeded."),
    )


def _for_gaps(facts: Facts) -> Iterator[Prevention]:
    statements = [gap.statement for gap in facts.gaps if gap.statement]
    if statements:
        unique = list({str(item): item for item in statements}.values())
        yield Prevention(
            kind="practice",
            title=say("Let opsleuth see what it could not see this time"),
            why=say("Next time the answer is complete: each statement only allows reading."),
            artefact_name="policy.json",
            artefact={"Version": "2012-10-17", "Statement": unique},
        )


def _practice(facts: Facts) -> Prevention:
    incident = facts.incident
    return Prevention(
        kind="practice",
        title=say("Write down what was found and done"),
        why=say("The cause was not found; the next look starts from here."),
        artefact_name="note.md",
        artefact=say(
            "Resource: {resource}. Looked at until {time}.", resource=incident.resource, time=facts.as_of
        ),
    )


def _quiet_alarm(facts: Facts) -> Prevention:
    alarm = facts.incident.alarm
    assert alarm is not None
    return Prevention(
        kind="notice",
        title=say("Let alarm {name} clear by itself", name=alarm.name),
        why=say(
            "It keeps its state while data is missing. Fill the gaps with 0, and it clears when refusals end."
        ),
        artefact_name="alarm.json",
        artefact={
            "AlarmName": alarm.name,
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
