"""AWS Config: no recorder unless the switch `recorder` is on, then configuration items from the history of settings.

The recorder names the types that it records (`RECORDED`); of any other type it knows nothing, as in AWS. An item is
captured one to three minutes after a change and shows the resource as a describe shows it at that moment.
Relationships are not recorded here, and neither are a function's environment variables.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

from evals.world import answers_dynamodb, answers_lambda, answers_sqs
from evals.world.asking import Ask, NotModelled, Refusal, handles
from evals.world.seed import mix
from evals.world.world import Thing
from tools.models import Json

_NAME = "default"
_MOST = 100


class Recorded(NamedTuple):
    """How Config tells one kind of resource: its type, its id, and what a describe shows of it at `ask.as_of`."""

    kind: str
    type: str
    id: Callable[[Thing, Ask], str]
    shown: Callable[[Thing, Ask], Json]


def _name(thing: Thing, ask: Ask) -> str:
    return thing.name


def _function(thing: Thing, ask: Ask) -> Json:
    shown = answers_lambda.configuration(thing, ask.as_of)
    shown.pop("Environment", None)
    return _lower(shown)


def _queue(thing: Thing, ask: Ask) -> Json:
    names = ("QueueArn", "DelaySeconds", "MaximumMessageSize", "MessageRetentionPeriod", "VisibilityTimeout")
    whole = replace(ask, left={"QueueUrl": answers_sqs.url(ask, thing), "AttributeNames": ["All"]})
    held: dict[str, str] = answers_sqs.get_queue_attributes(whole)["Attributes"]
    shown: Json = {name: int(held[name]) if held[name].isdigit() else held[name] for name in names}
    if "RedrivePolicy" in held:
        shown["RedrivePolicy"] = json.loads(held["RedrivePolicy"])
    return shown | {"QueueName": thing.name}


def _alarm(thing: Thing, ask: Ask) -> Json:
    shown = ask.world.alarms[thing.name].describe(ask.as_of)
    return _lower({key: value for key, value in shown.items() if not key.startswith("State")})


RECORDED: list[Recorded] = [
    Recorded(
        "table",
        "AWS::DynamoDB::Table",
        _name,
        lambda thing, ask: _lower(answers_dynamodb.description(thing, ask)),
    ),
    Recorded("function", "AWS::Lambda::Function", _name, _function),
    Recorded("queue", "AWS::SQS::Queue", lambda thing, ask: answers_sqs.url(ask, thing), _queue),
    Recorded("alarm", "AWS::CloudWatch::Alarm", _name, _alarm),
]


def _lower(shown: Json) -> Json:
    return {key[:1].lower() + key[1:]: _camel(one) for key, one in shown.items()}


def _camel(value: Any) -> Any:
    """Keys with a small first letter, times as text: how Config writes what the describe call answers."""
    if isinstance(value, dict):
        return _lower(value)
    if isinstance(value, list):
        return [_camel(one) for one in value]
    return value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.000Z") if isinstance(value, datetime) else value


def _recorder(ask: Ask) -> None:
    if not ask.world.switches.recorder or ask.region != ask.world.region:
        ask.left.clear()
        raise Refusal(
            "NoAvailableConfigurationRecorderException",
            "There is no configuration recorder available to provide the role.",
        )


def _since(ask: Ask) -> datetime:
    return min((thing.created for thing in ask.world.things.values()), default=ask.as_of)


@handles("config", "DescribeConfigurationRecorders")
def describe_configuration_recorders(ask: Ask) -> Json:
    if not _on(ask):
        return {"ConfigurationRecorders": []}
    world = ask.world
    types = sorted(one.type for one in RECORDED)
    return {
        "ConfigurationRecorders": [
            {
                "arn": world.arn(
                    "config", f"configuration-recorder/{_NAME}/{world.seed.hex('recorder', 16)}"
                ),
                "name": _NAME,
                "roleARN": world.iam_arn(
                    "role/aws-service-role/config.amazonaws.com/AWSServiceRoleForConfig"
                ),
                "recordingGroup": {
                    "allSupported": False,
                    "includeGlobalResourceTypes": False,
                    "resourceTypes": types,
                    "recordingStrategy": {"useOnly": "INCLUSION_BY_RESOURCE_TYPES"},
                },
                "recordingMode": {"recordingFrequency": "CONTINUOUS"},
                "recordingScope": "PAID",
            }
        ]
    }


def _on(ask: Ask) -> bool:
    """Whether there is a recorder, and none that does not exist is asked for."""
    on = ask.world.switches.recorder and ask.region == ask.world.region
    names = ask.take("ConfigurationRecorderNames") or []
    strange = [name for name in names if not (on and name == _NAME)]
    if strange:
        said = f"Cannot find configuration recorder with the specified name '{strange[0]}'."
        raise Refusal("NoSuchConfigurationRecorderException", said)
    return on


@handles("config", "DescribeConfigurationRecorderStatus")
def describe_configuration_recorder_status(ask: Ask) -> Json:
    if not _on(ask):
        return {"ConfigurationRecordersStatus": []}
    status = {"name": _NAME, "lastStartTime": _since(ask), "recording": True, "lastStatus": "SUCCESS"}
    return {"ConfigurationRecordersStatus": [status | {"lastStatusChangeTime": _since(ask)}]}


def _things(ask: Ask, kind: str) -> list[tuple[Recorded, Thing]]:
    return [
        (one, thing)
        for one in RECORDED
        if one.type == kind
        for thing in ask.world.of(one.kind, ask.region)
        if thing.created + timedelta(minutes=3) <= ask.as_of
    ]


@handles("config", "ListDiscoveredResources")
def list_discovered_resources(ask: Ask) -> Json:
    _recorder(ask)
    kind, ids, name = str(ask.need("resourceType")), ask.take("resourceIds") or [], ask.take("resourceName")
    ask.only("includeDeletedResources", False)
    size, token = _limit(ask, _MOST), ask.take("nextToken")
    found = [
        {"resourceType": kind, "resourceId": one.id(thing, ask), "resourceName": thing.name}
        for one, thing in _things(ask, kind)
    ]
    kept = [
        one
        for one in found
        if (not ids or one["resourceId"] in ids) and (name is None or one["resourceName"] == name)
    ]
    page, following = ask.page(kept, size, token)
    answer: Json = {"resourceIdentifiers": page}
    if following:
        answer["nextToken"] = following
    return answer


def _limit(ask: Ask, default: int) -> int:
    size = int(ask.take("limit", default)) or default
    if not 1 <= size <= _MOST:
        raise Refusal("InvalidLimitException", f"The specified limit {size} is outside the allowable range.")
    return size


@handles("config", "GetDiscoveredResourceCounts")
def get_discovered_resource_counts(ask: Ask) -> Json:
    wanted: list[str] = ask.take("resourceTypes") or []
    on = ask.world.switches.recorder and ask.region == ask.world.region
    if ask.take("limit") is not None or ask.take("nextToken") is not None:
        raise NotModelled("paging")
    counts = {one.type: len(_things(ask, one.type)) for one in RECORDED} if on else {}
    shown = sorted(
        ((kind, count) for kind, count in counts.items() if count and (not wanted or kind in wanted)),
        key=lambda pair: (-pair[1], pair[0]),
    )
    return {
        "totalDiscoveredResources": sum(count for _, count in shown),
        "resourceCounts": [{"resourceType": kind, "count": count} for kind, count in shown],
    }


@handles("config", "GetResourceConfigHistory")
def get_resource_config_history(ask: Ask) -> Json:
    _recorder(ask)
    kind, name = str(ask.need("resourceType")), str(ask.need("resourceId"))
    later, earlier = ask.take("laterTime") or ask.as_of, ask.take("earlierTime")
    forward = ask.take("chronologicalOrder", "Reverse") == "Forward"
    size, token = _limit(ask, 10), ask.take("nextToken")
    if earlier is not None and earlier > later:
        raise Refusal("InvalidTimeRangeException", "The specified time range is not valid.")
    held = next(((one, thing) for one, thing in _things(ask, kind) if one.id(thing, ask) == name), None)
    if held is None:
        said = f"Resource {name} of resourceType:{kind} is unknown or has not been discovered"
        raise Refusal("ResourceNotDiscoveredException", said)
    items = [
        item
        for item in _items(ask, *held)
        if item["configurationItemCaptureTime"] <= later
        and (earlier is None or item["configurationItemCaptureTime"] >= earlier)
    ]
    page, following = ask.page(items if forward else items[::-1], size, token)
    answer: Json = {"configurationItems": page}
    if following:
        answer["nextToken"] = following
    return answer


def _items(ask: Ask, one: Recorded, thing: Thing) -> list[Json]:
    """All items captured up to now, oldest first; a change that altered nothing makes none."""
    moments = {thing.created} | {
        since for steps in thing.settings.steps.values() for since in steps.since if since > thing.created
    }
    found: list[Json] = []
    seen = ""
    for moment in sorted(moments):
        capture = moment + timedelta(seconds=60 + mix(int(moment.timestamp()), len(thing.arn)) % 120)
        if capture > ask.as_of:
            continue
        shown, tags = one.shown(thing, replace(ask, as_of=capture)), thing.tags(capture)
        compared = json.dumps([shown, tags], sort_keys=True)
        if compared == seen:
            continue
        seen = compared
        found.append(_item(ask, (one, thing), capture, (shown, tags), first=not found))
    return found


def _item(
    ask: Ask, what: tuple[Recorded, Thing], capture: datetime, held: tuple[Json, dict[str, str]], first: bool
) -> Json:
    one, thing = what
    return {
        "version": "1.3",
        "accountId": ask.world.account,
        "configurationItemCaptureTime": capture,
        "configurationItemStatus": "ResourceDiscovered" if first else "OK",
        "configurationStateId": str(int(capture.timestamp() * 1000)),
        "arn": thing.arn,
        "resourceType": one.type,
        "resourceId": one.id(thing, ask),
        "resourceName": thing.name,
        "awsRegion": thing.region,
        "availabilityZone": "Not Applicable",
        "resourceCreationTime": thing.created,
        "tags": held[1],
        "relatedEvents": [],
        "configuration": json.dumps(held[0]),
        "supplementaryConfiguration": {},
    }
