"""EventBridge Scheduler: schedules, what they call and when, and the groups that their metrics are counted by.

`config` of a schedule is what GetSchedule tells; its times are ISO 8601 in UTC. CloudWatch counts by group, not by
schedule.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, Any

from tools import arn as arns
from tools.change_kit import touches_tagged
from tools.deliveries import last, sent_again, target_of
from tools.errors import NotThere
from tools.kit import call, here, plain, record, relation, text, uses_key, whole
from tools.models import Call, ChangeEvent, Json, Relation, Resource, Value
from tools.services._spec import (
    Change,
    Condition,
    Directory,
    Effect,
    MetricSpec,
    Read,
    Role,
    Service,
    Setting,
    Signature,
    inert,
)

if TYPE_CHECKING:
    from tools.aws import Reader

_SOURCE = "scheduler.amazonaws.com"
_DEFAULT = "default"
_WINDOW = "FlexibleTimeWindow.MaximumWindowInMinutes"
_MOMENTS = ("StartDate", "EndDate")
_REQUIRED = ("ScheduleExpression", "Target.Arn", "Target.RoleArn", "FlexibleTimeWindow.Mode")
_TOLD_ONLY = frozenset({"Arn", "CreationDate", "LastModificationDate", "ResponseMetadata"})


def _touches(event: ChangeEvent) -> tuple[str, ...]:
    name, group = text(event.request, "name"), text(event.request, "groupName") or _DEFAULT
    told = text(event.response, "scheduleArn")
    made = here(event, "scheduler", f"schedule/{group}/{name}") if name else ""
    found = told if arns.is_arn(told) else made
    return (found, here(event, "scheduler", f"schedule-group/{_place(found)[0]}")) if found else ()


def _touches_group(event: ChangeEvent) -> tuple[str, ...]:
    name = text(event.request, "name")
    return (here(event, "scheduler", f"schedule-group/{name}"),) if name else ()


def _place(arn: str) -> tuple[str, str]:
    """Group and name of a schedule."""
    group, _, name = arns.parse(arn).name.rpartition("/")
    return group or _DEFAULT, name


# -- reading ----------------------------------------------------------------------------------------


def discover(reader: Reader, region: str) -> Iterable[Resource]:
    """All schedules with what they call: one list operation. `describe` adds when, how often and with what."""
    pages = reader.pages("scheduler", "ListSchedules", "Schedules", region=region, limit=20, MaxResults=100)
    for item in pages.items:
        yield _resource("schedule", item["Arn"], item["Name"], item, pages.evidence)


def _resource(type: str, arn: str, name: str, config: Json, evidence: Iterable[str]) -> Resource:
    parts = arns.parse(arn)
    return Resource(
        arn=arn,
        service="scheduler",
        type=type,
        name=name,
        account=parts.account,
        region=parts.region,
        config=plain({key: value for key, value in config.items() if key != "ResponseMetadata"}),
        evidence=tuple(id for id in evidence if id),
    )


def describe(reader: Reader, arn: str) -> Resource | None:
    """One schedule as GetSchedule tells it, or one group; none of another account, for both are read by name."""
    parts = arns.parse(arn)
    if parts.account != reader.aws.account:
        return None
    try:
        if parts.type == "schedule-group":
            answer = reader.ask("scheduler", "GetScheduleGroup", region=parts.region, Name=parts.name)
            return _resource("schedule-group", arn, parts.name, answer.data, [answer.evidence])
        group, name = _place(arn)
        answer = reader.ask("scheduler", "GetSchedule", region=parts.region, Name=name, GroupName=group)
    except NotThere:
        return None
    return _resource("schedule", arn, name, answer.data, [answer.evidence])


# -- relations --------------------------------------------------------------------------------------


def relations(resource: Resource, directory: Directory) -> Iterable[Relation]:
    """What a schedule calls, as whom, where failed calls go, and the group that counts it."""
    if resource.type != "schedule":
        return
    said_by = "scheduler:GetSchedule Target"
    group = arns.build(
        "scheduler", resource.region, resource.account, f"schedule-group/{_place(resource.arn)[0]}"
    )
    yield Relation(
        source=group,
        target=resource.arn,
        kind="holds",
        provenance="scheduler:GetSchedule GroupName",
        evidence=resource.evidence,
    )
    yield from uses_key(resource, text(resource.config, "KmsKeyArn"), "scheduler:GetSchedule KmsKeyArn")
    target = resource.config.get("Target") or {}
    yield from target_of(resource, target, "triggers", said_by, directory)
    for named in _named(target):
        yield relation(resource, named, "triggers", f"{said_by} Input", 0.9)


def _named(target: Mapping[str, Any]) -> Iterable[str]:
    """ARNs that the input of a universal target names: it calls any API, arn:aws:scheduler:::aws-sdk:lambda:invoke."""
    if ":aws-sdk:" not in text(target, "Arn"):
        return ()
    try:
        sent = json.loads(text(target, "Input") or "{}")
    except ValueError:
        return ()
    values = sent.values() if isinstance(sent, dict) else ()
    return sorted({one for one in values if isinstance(one, str) and arns.is_arn(one)})


def owner(dimensions: Mapping[str, str], partition: str, region: str, account: str) -> str:
    group = dimensions.get("ScheduleGroup", "")
    return f"arn:{partition}:scheduler:{region}:{account}:schedule-group/{group}" if group else ""


# -- settings ---------------------------------------------------------------------------------------


def _read(resource: Resource) -> Call:
    group, name = _place(resource.arn)
    return call("scheduler", "GetSchedule", resource, Name=name, GroupName=group)


def _with(config: Mapping[str, Any], path: list[str], value: Value) -> Json:
    """`config` with the value at the path; without the member where there is none."""
    head, *rest = path
    kept = {key: item for key, item in config.items() if key != head}
    if rest:
        inner = _with(config.get(head) or {}, rest, value)
        return {**kept, head: inner} if inner else kept
    return kept if value in (None, "") else {**kept, head: value}


def _restore(path: str, number: bool, resource: Resource, value: Value) -> tuple[Call, ...]:
    """UpdateSchedule with the whole schedule: what is left out would fall back to its default."""
    sent = whole(value) if number and value not in (None, "") else value
    config = {
        key: item for key, item in resource.config.items() if key not in _TOLD_ONLY and item is not None
    }
    config = _with(config, path.split("."), sent)
    group, name = _place(resource.arn)
    if path == _WINDOW:
        config["FlexibleTimeWindow"] = (
            {"Mode": "FLEXIBLE", "MaximumWindowInMinutes": whole(value)} if value else {"Mode": "OFF"}
        )
    if any(text(config, *part.split(".")) == "" for part in _REQUIRED):
        return ()  # it was listed and not read whole, or a value without which there is no schedule is unknown
    config |= {"Name": name, "GroupName": group}
    return (call("scheduler", "UpdateSchedule", resource, **config),)


_FORMS = ("%b %d, %Y, %I:%M:%S %p", "%b %d, %Y %I:%M:%S %p")


def _as_shown(event: ChangeEvent, value: Value) -> Value:
    """A moment as GetSchedule tells it. CloudTrail writes moments as ISO 8601, in seconds or in English."""
    return _moment(value)


def _moment(value: Value) -> Value:
    if isinstance(value, int | float) and not isinstance(value, bool):
        found: datetime | None = datetime.fromtimestamp(value, UTC)
    else:
        found = _parsed(str(value).replace("\u202f", " "))
    return value if found is None else text(plain({"at": found}), "at")


def _parsed(value: str) -> datetime | None:
    try:
        found = datetime.fromisoformat(value.replace("Z", "+00:00"))
        return found.astimezone(UTC) if found.tzinfo else None
    except ValueError:
        pass
    for form in _FORMS:
        try:
            return datetime.strptime(value, form).replace(tzinfo=UTC)
        except ValueError:
            continue
    return None


def _sent(path: str) -> str:
    return ".".join(part[0].lower() + part[1:] for part in path.split("."))


_BESIDE = ("ScheduleExpression", "State", "Target.Arn", "Target.RoleArn")


def _setting(path: str, words: str, unit: str, default: Value, *effects: Effect) -> Setting:
    # What a request leaves out is set to its default, not kept.
    literal = f"`{default}`" if isinstance(default, int) else f"'{default}'"
    return Setting(
        type="schedule",
        name=words,
        path=path,
        unit=unit,
        requests=dict.fromkeys(
            ("UpdateSchedule", "CreateSchedule"),
            _sent(path) if default is None else f"{_sent(path)} || {literal}",
        ),
        restore=partial(_restore, path, isinstance(default, int)),
        read=_read,
        query=path,
        unset=default,
        echo="none",
        effects=effects,
        beside=tuple(one for one in _BESIDE if one != path),
        means=_as_shown if path in _MOMENTS else None,
    )


_NEXT_RUN = (0, 90_000)  # it shows by the next time it should run: a day for a nightly one
_SILENT = (
    Effect(metric="role:demand", direction="silent", on="upstream", after=_NEXT_RUN),
    Effect(metric="role:demand", direction="down", on="upstream", after=_NEXT_RUN),
    Effect(metric="role:demand", direction="silent", on="downstream", after=_NEXT_RUN),
    Effect(metric="role:demand", direction="down", on="downstream", after=_NEXT_RUN),
    Effect(metric="role:work", direction="silent", on="downstream", after=_NEXT_RUN),
    Effect(metric="role:work", direction="down", on="downstream", after=_NEXT_RUN),
    Effect(metric="role:demand", direction="up", on="downstream", after=_NEXT_RUN, may=True),
)
_REFUSED = (
    Effect(metric="role:errors", direction="up", on="upstream", after=_NEXT_RUN),
    *_SILENT[2:6],
)
_OTHER_INPUT = (
    Effect(metric="role:errors", direction="up", on="downstream", after=_NEXT_RUN),
    Effect(metric="role:latency", direction="up", on="downstream", after=_NEXT_RUN),
)

SETTINGS = (
    _setting("State", "state", "", "ENABLED", *_SILENT),
    _setting("ScheduleExpression", "schedule", "", None, *_SILENT),
    _setting("ScheduleExpressionTimezone", "time zone of the schedule", "", "UTC", *_SILENT),
    _setting("EndDate", "end of the schedule", "", "", *_SILENT),
    _setting("StartDate", "begin of the schedule", "", "", *_SILENT),
    _setting("Target.Arn", "target", "", None, *_SILENT, *_REFUSED[:1]),
    _setting("Target.RoleArn", "role that calls the target", "", None, *_REFUSED),
    _setting("Target.Input", "input of the target", "", "", *_OTHER_INPUT),
    _setting("Target.DeadLetterConfig.Arn", "dead-letter queue", "", ""),
    _setting(
        "Target.RetryPolicy.MaximumRetryAttempts",
        "retries",
        "retries",
        185,
        Effect(metric="role:errors", direction="up", on="upstream", after=_NEXT_RUN, when="lowered"),
        Effect(metric="role:demand", direction="up", on="downstream", after=_NEXT_RUN, when="raised"),
    ),
    _setting(
        "Target.RetryPolicy.MaximumEventAgeInSeconds",
        "longest time of retries",
        "seconds",
        86400,
        Effect(metric="role:errors", direction="up", on="upstream", after=_NEXT_RUN, when="lowered"),
    ),
    _setting(
        _WINDOW,
        "flexible time window",
        "minutes",
        "",
        Effect(metric="role:latency", direction="up", on="downstream", after=_NEXT_RUN),
        Effect(metric="role:throttles", direction="up", on="downstream", after=_NEXT_RUN),
    ),
    _setting("KmsKeyArn", "encryption key", "", "", *_REFUSED),
)

# -- changes ----------------------------------------------------------------------------------------


def _undo_delete(event: ChangeEvent, earlier: tuple[ChangeEvent, ...]) -> tuple[Call, ...]:
    """CreateSchedule as it was last made or updated: each of both requests holds the whole schedule.

    CreateSchedule refuses a StartDate that has passed ("cannot be earlier than 5 minutes ago"); without one a schedule
    begins at once, as this one had.
    """
    before = last(
        earlier,
        ("CreateSchedule", "UpdateSchedule", "DeleteSchedule"),
        lambda one: _touches(one)[:1] == _touches(event)[:1],
    )
    if before is None or before.operation == "DeleteSchedule":
        return ()
    moments = {_sent(one): before.request.get(_sent(one)) for one in _MOMENTS}
    request = {**before.request, **{key: _moment(one) for key, one in moments.items() if one is not None}}
    begin = _parsed(text(request, "startDate"))
    passed = ("startDate",) if begin is not None and begin <= event.time else ()
    return sent_again("scheduler", "CreateSchedule", event, request, "clientToken", *passed)


_NAME: Json = {"name": "nightly-billing", "groupName": "billing"}
_SCHEDULE = "arn:aws:scheduler:eu-west-1:111122223333:schedule/billing/nightly-billing"
_GROUP = "arn:aws:scheduler:eu-west-1:111122223333:schedule-group/billing"
_REQUEST: Json = {
    **_NAME,
    "scheduleExpression": "cron(0 2 * * ? *)",
    "scheduleExpressionTimezone": "Europe/Dublin",
    "startDate": "2040-01-01T00:00:00Z",
    "endDate": "2040-12-31T00:00:00Z",
    "state": "DISABLED",
    "kmsKeyArn": "arn:aws:kms:eu-west-1:111122223333:key/5f0c2a7e-3b1d-4f7e-9a55-0c1de2b4d21e",
    "flexibleTimeWindow": {"mode": "FLEXIBLE", "maximumWindowInMinutes": 15},
    "target": {
        "arn": "arn:aws:lambda:eu-west-1:111122223333:function:billing-run",
        "roleArn": "arn:aws:iam::111122223333:role/billing-schedule",
        "input": '{"mode": "full"}',
        "retryPolicy": {"maximumEventAgeInSeconds": 3600, "maximumRetryAttempts": 4},
        "deadLetterConfig": {"arn": "arn:aws:sqs:eu-west-1:111122223333:billing-dead"},
    },
    "clientToken": "0f0e2b7d-64a1-4c63-9a53-5f6d3f0b7c11",
}

CHANGES = (
    Change(
        operation="UpdateSchedule",
        touches=_touches,
        breaks="The schedule calls nobody, somebody else, or at other times; what was left out fell back to defaults.",
        example=record(_SOURCE, "UpdateSchedule", _REQUEST, {"scheduleArn": _SCHEDULE}),
    ),
    Change(
        operation="DeleteSchedule",
        touches=_touches,
        breaks="The schedule calls nobody any more: work that it starts is not done, and nothing fails.",
        example=record(
            _SOURCE, "DeleteSchedule", {**_NAME, "clientToken": "0f0e2b7d-64a1-4c63-9a53-5f6d3f0b7c11"}
        ),
        effects=_SILENT,
        undo=_undo_delete,
        earlier=("CreateSchedule", "UpdateSchedule"),
    ),
    Change(
        operation="DeleteScheduleGroup",
        touches=_touches_group,
        breaks="All schedules of the group are deleted with it: none of them calls anybody any more.",
        example=record(_SOURCE, "DeleteScheduleGroup", {"name": "billing"}),
        effects=(
            Effect(metric="InvocationAttemptCount", direction="silent", after=_NEXT_RUN),
            *_SILENT[2:6],
        ),
    ),
    Change(
        operation="CreateSchedule",
        touches=_touches,
        breaks="Its target is called as well: work may be done twice, or at a bad time.",
        example=record(
            _SOURCE, "CreateSchedule", {**_REQUEST, "state": "ENABLED"}, {"scheduleArn": _SCHEDULE}
        ),
        effects=(
            Effect(metric="role:demand", direction="up", on="downstream", after=_NEXT_RUN),
            Effect(metric="role:throttles", direction="up", on="downstream", after=_NEXT_RUN),
        ),
    ),
    *(
        inert(operation, touches, record(_SOURCE, operation, request, response))
        for operation, touches, request, response in (
            ("CreateScheduleGroup", _touches_group, {"name": "billing"}, {"scheduleGroupArn": _GROUP}),
            (
                "TagResource",
                touches_tagged,
                {"resourceArn": _GROUP, "tags": [{"key": "team", "value": "shop"}]},
                None,
            ),
            ("UntagResource", touches_tagged, {"resourceArn": _GROUP, "tagKeys": ["team"]}, None),
        )
    ),
)


def _metric(name: str, role: Role, bad: Any, unit: str) -> MetricSpec:
    return MetricSpec(
        type="schedule-group",
        name=name,
        stat="Sum",
        role=role,
        bad=bad,
        missing="idle" if role == "demand" else "zero",
        unit=unit,
    )


SERVICE = Service(
    name="scheduler",
    title="EventBridge Scheduler",
    client="scheduler",
    event_sources=(_SOURCE,),
    reads=(
        Read(
            operation="ListSchedules",
            action="scheduler:ListSchedules",
            shows="which schedules call what, and their state",
        ),
        Read(
            operation="GetSchedule",
            action="scheduler:GetSchedule",
            shows="when a schedule runs, with what input, retries and role",
        ),
        Read(
            operation="GetScheduleGroup",
            action="scheduler:GetScheduleGroup",
            shows="which group a schedule's metrics are counted by",
        ),
    ),
    # The default group holds schedules that have nothing to do with each other: it is reached and not gone through.
    types={"schedule": "container", "schedule-group": "other"},
    arns={"schedule": r"scheduler:schedule/[^/]+/.+", "schedule-group": r"scheduler:schedule-group/.+"},
    discover=discover,
    describe=describe,
    relations=relations,
    namespace="AWS/Scheduler",
    dimensions=lambda one: (("ScheduleGroup", one.name),) if one.type == "schedule-group" else (),
    owner=owner,
    metrics=(
        _metric("InvocationAttemptCount", "demand", "down", "calls of targets"),
        _metric("TargetErrorCount", "errors", "up", "errors of targets"),
        _metric("TargetErrorThrottledCount", "throttles", "up", "calls throttled by targets"),
        _metric("InvocationThrottleCount", "throttles", "up", "throttled calls"),
        _metric("InvocationDroppedCount", "errors", "up", "calls given up"),
        _metric("InvocationsSentToDeadLetterCount", "errors", "up", "calls sent to dead-letter queues"),
        _metric(
            "InvocationsFailedToBeSentToDeadLetterCount",
            "errors",
            "up",
            "calls lost beside dead-letter queues",
        ),
    ),
    settings=SETTINGS,
    changes=CHANGES,
    conditions=(
        Condition(
            key="target-refused",
            type="schedule-group",
            title="target refuses: the schedule's role may not call it, or it is gone",
            metrics=("TargetErrorCount", "InvocationDroppedCount", "InvocationsSentToDeadLetterCount"),
            breaks="Runs are repeated until their time is up, and then given up.",
            relieve=(
                "Compare the role of the schedule, and whom it trusts, with what they were.",
                "Read a message in the dead-letter queue: its attributes name the target's error.",
                "Start what was missed once by hand, if it may be done later.",
            ),
            prevent=(
                "Give every schedule a dead-letter queue, and alarm on dropped invocations.",
                "Alarm on the absence of the work that a schedule starts.",
            ),
        ),
        Condition(
            key="account-throttled",
            type="schedule-group",
            title="throttled schedules: the account's rate of calls is used up",
            metrics=("InvocationThrottleCount",),
            breaks="Targets are called later than they should be.",
            relieve=(
                "Spread schedules that share one moment by flexible time windows, or ask for a higher rate.",
            ),
            prevent=("Alarm on throttled invocations.",),
        ),
    ),
    signatures=(
        Signature(
            match=r"The execution role you provide must allow AWS EventBridge Scheduler to assume the role",
            code="ValidationException",
            reason="",
            points_to="Target.RoleArn",
            says="the role does not trust the scheduler",
        ),
    ),
    listed=False,
    # A schedule calls through a role, so nothing at its target names it.
    listed_near=("function", "queue", "state-machine", "topic", "task-definition", "schedule-group"),
)
