"""AWS Config's history as a source of values before a change, where the account's recorder is on.

An item is captured some minutes after a change and shows the resource as a describe does, its keys in small or large
letters by type (AWS Config developer guide, "Components of a configuration item").
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from tools.errors import NotThere
from tools.kit import text
from tools.models import Json, Resource, Version
from tools.services._spec import Setting
from tools.setting_values import as_value

if TYPE_CHECKING:
    from tools.aws import Reader

TYPES: Mapping[str, str] = {
    "alarm": "AWS::CloudWatch::Alarm",
    "auto-scaling-group": "AWS::AutoScaling::AutoScalingGroup",
    "bucket": "AWS::S3::Bucket",
    "cache-cluster": "AWS::ElastiCache::CacheCluster",
    "cluster": "AWS::ECS::Cluster",
    "db-cluster": "AWS::RDS::DBCluster",
    "db-instance": "AWS::RDS::DBInstance",
    "function": "AWS::Lambda::Function",
    "instance": "AWS::EC2::Instance",
    "load-balancer": "AWS::ElasticLoadBalancingV2::LoadBalancer",
    "log-group": "AWS::Logs::LogGroup",
    "queue": "AWS::SQS::Queue",
    "role": "AWS::IAM::Role",
    "route-table": "AWS::EC2::RouteTable",
    "rule": "AWS::Events::Rule",
    "security-group": "AWS::EC2::SecurityGroup",
    "service": "AWS::ECS::Service",
    "state-machine": "AWS::StepFunctions::StateMachine",
    "stream": "AWS::Kinesis::Stream",
    "table": "AWS::DynamoDB::Table",
    "target-group": "AWS::ElasticLoadBalancingV2::TargetGroup",
    "topic": "AWS::SNS::Topic",
    "volume": "AWS::EC2::Volume",
}
"""Types of the service files that Config records -> its own name of them."""


def recorded(
    reader: Reader, resource: Resource, settings: Sequence[Setting], moments: Iterable[datetime]
) -> tuple[Version, ...]:
    """The newest item captured before each moment, oldest first, each cited. Nothing where the recorder is off.

    What AWS refuses becomes a gap of the reader. Settings that an item does not show are left out of its values.
    """
    kind = TYPES.get(resource.type, "")
    shown = [one for one in settings if not one.hidden]
    if not kind or not shown:
        return ()
    made: dict[datetime, Version] = {}
    with reader.seeing(f"AWS Config's history of {resource.name}", "the values before the change"):
        if not _recording(reader, resource.region):
            return ()
        id = _id(reader, resource, kind)
        for moment in sorted(set(moments)) if id else ():
            one = _item(reader, resource, (kind, id), shown, moment)
            if one is not None:
                made[one.made] = one
    return tuple(made[moment] for moment in sorted(made))


def _recording(reader: Reader, region: str) -> bool:
    answer = reader.ask("config", "DescribeConfigurationRecorderStatus", region=region)
    return any(one.get("recording") for one in answer.data.get("ConfigurationRecordersStatus") or [])


def _id(reader: Reader, resource: Resource, kind: str) -> str:
    """How Config calls it: of some types the name, of others an id or URL. "" when it does not know it."""
    try:
        answer = reader.ask(
            "config",
            "ListDiscoveredResources",
            region=resource.region,
            resourceType=kind,
            resourceName=resource.name,
        )
    except NotThere:
        return ""
    found = answer.data.get("resourceIdentifiers") or []
    return text(found[0], "resourceId") if len(found) == 1 else ""


def _item(
    reader: Reader, resource: Resource, what: tuple[str, str], settings: Sequence[Setting], moment: datetime
) -> Version | None:
    try:
        answer = reader.ask(
            "config",
            "GetResourceConfigHistory",
            region=resource.region,
            resourceType=what[0],
            resourceId=what[1],
            laterTime=moment,
            chronologicalOrder="Reverse",
            limit=1,
        )
    except NotThere:
        return None
    for item in answer.data.get("configurationItems") or []:
        captured = item.get("configurationItemCaptureTime")
        config = _opened(item.get("configuration"))
        if not isinstance(captured, datetime) or captured >= moment or not config:
            continue
        values = {}
        for one in settings:
            seen, value = _at(config, one.path)
            if seen:
                values[one.path] = as_value(value)
        when = captured.astimezone(UTC)
        if not values:
            return None
        cited = reader.cite(answer.evidence, {"captured": when, **values}, when)
        return Version(
            resource=resource.arn,
            name=f"{when:%Y-%m-%dT%H:%M:%SZ}",
            made=when,
            values=values,
            evidence=(cited,),
            kind="config_history",
        )
    return None


def _opened(configuration: Any) -> Json:
    """Config gives the configuration as JSON in a text."""
    try:
        found = json.loads(configuration) if isinstance(configuration, str) else configuration
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _at(config: Json, path: str) -> tuple[bool, Any]:
    """Whether a plain dotted path is there, letters small or large, and its value."""
    place: Any = config
    for part in path.split("."):
        if not isinstance(place, Mapping):
            return False, None
        key = next((one for one in place if str(one).lower() == part.lower()), None)
        if key is None:
            return False, None
        place = place[key]
    return not isinstance(place, dict | list), place
