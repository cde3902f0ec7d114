"""AWS Health: what AWS itself reports broken, scheduled or due, and which resources that touches.

The API needs a support plan of Business or more: without one its refusal becomes a gap. Its endpoint is in the
partition's global region, whatever region an event is about.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from tools import arn as arns
from tools.kit import call, plain, text
from tools.models import Call, Json, Relation, Resource
from tools.services._spec import Condition, Directory, Read, Service

if TYPE_CHECKING:
    from tools.aws import Reader

_BACK = timedelta(days=14)
_AHEAD = timedelta(days=14)
_LASTING = timedelta(hours=6)
"""An issue that ended this long ago may still be what an incident is about."""
_A_CALL = 10  # event ARNs in one DescribeAffectedEntities (API reference)
_MOST_EVENTS = 30
_NOBODY = ("UNKNOWN", "AWS_ACCOUNT", "")
_SERVICES: Mapping[str, tuple[str, ...]] = {
    # Names of Health where they differ from the service in ARNs.
    "EBS": ("ec2",),
    "VPC": ("ec2",),
    "NATGATEWAY": ("ec2",),
    "APIGATEWAY": ("apigateway", "execute-api"),
    "CLOUDWATCH": ("cloudwatch", "logs"),
    "AUTOSCALING": ("autoscaling",),
    "STATES": ("states",),
}


# -- reading ----------------------------------------------------------------------------------------


def discover(reader: Reader, region: str) -> Iterable[Resource]:
    """Events on the region, and on none, of two weeks back and ahead, with the things that they name."""
    span = {"from": reader.as_of - _BACK, "to": reader.as_of + _AHEAD}
    found = reader.pages(
        "health",
        "DescribeEvents",
        "events",
        region=arns.global_region(region),
        token=("nextToken", "nextToken"),
        limit=3,
        filter={"regions": [region, "global"], "startTimes": [span]},
        maxResults=100,
    )
    newest = sorted(found.items, key=lambda one: (str(one.get("startTime", "")), str(one["arn"])))
    events = newest[::-1][:_MOST_EVENTS]
    if len(newest) > len(events):
        reader.missing(
            "Some events of AWS Health",
            f"{len(newest)} are there; the newest {len(events)} were looked into",
            "older problems that AWS reported",
            code="BudgetSpent",
        )
    touched, evidence = _entities(reader, region, [str(one["arn"]) for one in events])
    for one in events:
        named = touched.get(str(one["arn"]), [])
        yield _event(reader, one, named, (*found.evidence, *(evidence if named else ())))


def _entities(
    reader: Reader, region: str, events: Sequence[str]
) -> tuple[dict[str, list[Json]], tuple[str, ...]]:
    """Event ARN -> what it touches: entityValue (an id, name or ARN), statusCode."""
    found: dict[str, list[Json]] = {}
    evidence: list[str] = []
    for start in range(0, len(events), _A_CALL):
        with reader.seeing("Resources that AWS Health names", "which resources an event of AWS touches"):
            pages = reader.pages(
                "health",
                "DescribeAffectedEntities",
                "entities",
                region=arns.global_region(region),
                token=("nextToken", "nextToken"),
                limit=3,
                filter={"eventArns": list(events[start : start + _A_CALL])},
                maxResults=100,
            )
            evidence += pages.evidence
            for one in pages.items:
                kept = {key: str(one[key]) for key in ("entityValue", "statusCode") if one.get(key)}
                found.setdefault(str(one.get("eventArn", "")), []).append(kept)
    return found, tuple(evidence)


def _event(
    reader: Reader, item: Mapping[str, Any], entities: list[Json], evidence: Iterable[str], said: str = ""
) -> Resource:
    """`config`: the event, `Entities`, `Description`, and `Current`: whether it held at the time looked at."""
    arn = str(item["arn"])
    region = text(item, "region")
    config = {**plain(item), "Entities": entities, "Current": _current(item, reader.as_of)}
    return Resource(
        arn=arn,
        service="health",
        type="health-event",
        name=text(item, "eventTypeCode") or arns.parse(arn).name,
        account=reader.aws.account,
        region="" if region == "global" else region,
        config={**config, **({"Description": said} if said else {})},
        evidence=tuple(dict.fromkeys(id for id in evidence if id)),
    )


def _current(item: Mapping[str, Any], now: datetime) -> bool:
    start, end = item.get("startTime"), item.get("endTime")
    begun = isinstance(start, datetime) and start <= now
    scheduled = item.get("eventTypeCategory") == "scheduledChange"
    # What is scheduled has its end at its start, or none: it did what it does when it began.
    last = start if scheduled else end
    return begun and (not isinstance(last, datetime) or last >= now - _LASTING)


def describe(reader: Reader, arn: str) -> Resource | None:
    """One event with what AWS writes about it and all that it touches."""
    region = arns.parse(arn).region
    answer = reader.ask("health", "DescribeEventDetails", region=arns.global_region(region), eventArns=[arn])
    found = next(iter(answer.data.get("successfulSet") or []), None)
    if found is None or not found.get("event"):
        return None
    entities, evidence = _entities(reader, region, [arn])
    said = text(found, "eventDescription", "latestDescription")
    return _event(reader, found["event"], entities.get(arn, []), (answer.evidence, *evidence), said[:2000])


# -- relations --------------------------------------------------------------------------------------


def relations(resource: Resource, directory: Directory) -> Iterable[Relation]:
    """What an event touches: the things that it names; with none named, all of its service in the region."""
    named = [text(one, "entityValue") for one in resource.config.get("Entities") or []]
    named = [one for one in named if one not in _NOBODY and one != resource.account]
    for one in named:
        for target in _meant(one, resource, directory):
            yield _touches(target, resource, "health:DescribeAffectedEntities entityValue", 0.95)
    if named or text(resource.config, "eventTypeCategory") != "issue" or not resource.config.get("Current"):
        return
    word = text(resource.config, "service")
    services = _SERVICES.get(word, (word.lower(),))
    for other in directory.of():
        if arns.parse(other.arn).service in services and other.region in (resource.region, ""):
            yield _touches(other, resource, "health:DescribeEvents service and region", 0.4)


def _meant(value: str, event: Resource, directory: Directory) -> tuple[Resource, ...]:
    """An ARN, a name, or an id such as i-0a1b2c3d at the end of an ARN; in the event's own region."""
    found = directory.mentioned(value) or tuple(
        one for one in directory.of() if one.arn.endswith((f"/{value}", f":{value}"))
    )
    return tuple(one for one in found if one.region in (event.region, "") or not event.region)


def _touches(resource: Resource, event: Resource, said_by: str, confidence: float) -> Relation:
    return Relation(
        source=resource.arn,
        target=event.arn,
        kind="affected by",
        provenance=said_by,
        confidence=confidence,
        evidence=event.evidence,
    )


# -- states -----------------------------------------------------------------------------------------


def _holds(category: str, event: Resource) -> bool:
    return event.config.get("Current") is True and text(event.config, "eventTypeCategory") == category


def _look(event: Resource) -> tuple[Call, ...]:
    asked = call("health", "DescribeEventDetails", event, eventArns=[event.arn])
    return (replace(asked, region=arns.global_region(event.region)),)


def _excluded(category: str, event: Resource) -> bool:
    return bool(event.config) and not _holds(category, event)


CONDITIONS = (
    Condition(
        key="aws-issue",
        type="health-event",
        title="AWS reports a problem of its own",
        metrics=(),
        breaks="What AWS runs is impaired; nothing of the account caused it, and nothing in it can be put back.",
        relieve=(
            "Move work away from what is impaired: another zone by a zonal shift, another region where there is one.",
            "Change nothing else meanwhile, and follow what AWS writes in the event.",
        ),
        prevent=(
            "Run in several zones, and rehearse to leave one.",
            "Send events of AWS Health to whoever is on call.",
        ),
        calls=_look,
        shown=lambda event: _holds("issue", event),
        excluded=lambda event: _excluded("issue", event),
    ),
    Condition(
        key="aws-scheduled-change",
        type="health-event",
        title="a change that AWS had announced takes place",
        metrics=(),
        breaks="AWS stops, restarts or replaces what the event names, or updates it.",
        relieve=(
            "See what the event names: start what was stopped, or replace it on other hardware.",
            "What has not been reached yet can be moved before AWS does it.",
        ),
        prevent=("Act on announced changes before their day.",),
        calls=_look,
        shown=lambda event: _holds("scheduledChange", event),
        excluded=lambda event: _excluded("scheduledChange", event),
    ),
)

SERVICE = Service(
    name="health",
    title="AWS Health",
    client="health",
    event_sources=("health.amazonaws.com",),
    reads=(
        Read(
            operation="DescribeEvents",
            action="health:DescribeEvents",
            shows="what AWS itself reports broken or scheduled",
        ),
        Read(
            operation="DescribeAffectedEntities",
            action="health:DescribeAffectedEntities",
            shows="which resources an event of AWS touches",
        ),
        Read(
            operation="DescribeEventDetails",
            action="health:DescribeEventDetails",
            shows="what AWS writes about an event",
        ),
    ),
    types={"health-event": "other"},
    arns={"health-event": r"health:event/.+"},
    discover=discover,
    describe=describe,
    relations=relations,
    conditions=CONDITIONS,
    listed=False,
    # AWS's own troubles reach machines, disks, databases and balancers first; most accounts may not ask at all.
    listed_near=("instance", "volume", "db-instance", "db-cluster", "load-balancer", "target-group"),
)
