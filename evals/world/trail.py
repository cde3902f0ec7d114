"""CloudTrail management events of a world, newest first, each visible from its delivery on."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cached_property

from evals.world.identities import Identity, stamp
from evals.world.seed import Seed
from tools.models import Json

KEEP = timedelta(days=90)
GLOBAL_SOURCES = frozenset(
    {
        "iam.amazonaws.com",
        "cloudfront.amazonaws.com",
        "route53.amazonaws.com",
        "organizations.amazonaws.com",
        "signin.amazonaws.com",
    }
)
"""Services whose events are only in the partition's global region (user guide, "global service events").

Sign-in events are global for root and for IAM users of the global endpoint; worlds use that endpoint.
"""


def long_stamp(moment: datetime) -> str:
    """A time as it stands inside response elements: "Apr 3, 2026, 2:06:13 PM"."""
    hour = moment.hour % 12 or 12
    return f"{moment:%b} {moment.day}, {moment.year}, {hour}:{moment:%M:%S %p}"


@dataclass(frozen=True)
class Record:
    """One event: the record itself, when it can be read, how LookupEvents lists it, who made it."""

    time: datetime
    delivered: datetime
    region: str
    body: Json
    username: str
    key: str
    listed: tuple[tuple[str, str], ...]  # (ResourceType, ResourceName)
    actor: Identity
    noise: bool
    arn: str = ""  # resource that it changes
    resources: tuple[tuple[str, str], ...] = ()
    field: str = ""
    before: object = None
    after: object = None

    @property
    def id(self) -> str:
        return str(self.body["eventID"])

    @property
    def read_only(self) -> bool:
        return bool(self.body["readOnly"])

    @cached_property
    def text(self) -> str:
        return json.dumps(self.body)

    @cached_property
    def types(self) -> frozenset[str]:
        return frozenset(kind for kind, _ in self.listed)

    @cached_property
    def names(self) -> frozenset[str]:
        return frozenset(name for _, name in self.listed)

    def item(self) -> Json:
        """The record as an item of LookupEvents."""
        found: Json = {
            "EventId": self.id,
            "EventName": self.body["eventName"],
            "ReadOnly": "true" if self.read_only else "false",
            "EventTime": self.time,
            "EventSource": self.body["eventSource"],
            "Resources": [{"ResourceType": kind, "ResourceName": name} for kind, name in self.listed],
            "CloudTrailEvent": self.text,
        }
        if self.key:
            found["AccessKeyId"] = self.key
        if self.username:
            found["Username"] = self.username
        return found


@dataclass(frozen=True, slots=True, kw_only=True)
class Deed:
    """What a record says besides who and when."""

    source: str  # dynamodb
    name: str
    request: Json | None = None
    response: Json | None = None
    read_only: bool = False
    resources: tuple[tuple[str, str], ...] = ()  # (type, ARN) as the record itself lists them
    listed: tuple[tuple[str, str], ...] | None = None  # as LookupEvents lists them, when different
    concerns: tuple[tuple[str, str], ...] = ()  # what it changes when the record does not list it
    error: tuple[str, str] = ("", "")
    region: str = ""  # where it is recorded, when not where the world is
    event_type: str = "AwsApiCall"
    api_version: str = ""
    extra: Json = field(default_factory=dict)


def place(deed: Deed, region: str, everywhere: str) -> str:
    """The region in whose event history a deed is: of a world in `region`, whose global region is `everywhere`."""
    return deed.region or (everywhere if f"{deed.source}.amazonaws.com" in GLOBAL_SOURCES else region)


def record(
    seed: Seed, key: str, moment: datetime, delay: float, region: str, account: str, who: Identity, deed: Deed
) -> Record:
    """A record in CloudTrail's form. `key` makes its ids."""
    moment = moment.replace(microsecond=0)
    body: Json = {
        "eventVersion": "1.11",
        "userIdentity": who.at(moment),
        "eventTime": stamp(moment),
        "eventSource": f"{deed.source}.amazonaws.com",
        "eventName": deed.name,
        "awsRegion": region,
        "sourceIPAddress": who.ip,
        "userAgent": who.agent,
    }
    if deed.error[0]:
        body |= {"errorCode": deed.error[0], "errorMessage": deed.error[1]}
    body |= {"requestParameters": deed.request, "responseElements": deed.response}
    body |= deed.extra
    body |= {
        "requestID": _request_id(seed, key, deed.source),
        "eventID": seed.uuid(f"event:{key}"),
        "readOnly": deed.read_only,
    }
    if deed.resources:
        body["resources"] = [{"accountId": account, "type": kind, "ARN": arn} for kind, arn in deed.resources]
    body["eventType"] = deed.event_type
    if deed.api_version:
        body["apiVersion"] = deed.api_version
    body |= {"managementEvent": True, "recipientAccountId": account, "eventCategory": "Management"}
    if deed.event_type == "AwsApiCall" and not who.ip.endswith(".amazonaws.com"):
        host = f"{deed.source}.{region}.amazonaws.com"
        body["tlsDetails"] = {
            "tlsVersion": "TLSv1.3",
            "cipherSuite": "TLS_AES_128_GCM_SHA256",
            "clientProvidedHostHeader": host,
        }
    if who.from_console and deed.event_type == "AwsApiCall":
        body["sessionCredentialFromConsole"] = "true"
    return Record(
        time=moment,
        delivered=moment + timedelta(seconds=delay),
        region=region,
        body=body,
        username=who.username,
        key=who.key,
        listed=deed.resources if deed.listed is None else deed.listed,
        actor=who,
        noise=key.startswith("noise"),
        resources=deed.resources or deed.concerns,
    )


def _request_id(seed: Seed, key: str, source: str) -> str:
    if source == "dynamodb":
        return (
            seed.letters(f"request:{key}", 34, "ABCDEFGHIJKLMNOPQRSTUV0123456789")
            + "VV4KQNSO5AEMVJF66Q9ASUAAJG"
        )
    return seed.uuid(f"request:{key}")


@dataclass
class Trail:
    """All events, sorted newest first."""

    records: list[Record] = field(default_factory=list)
    by_id: dict[str, Record] = field(default_factory=dict)
    _seen: tuple[object, list[Record]] = (None, [])  # the last answer of `visible` and to what

    def add(self, *records: Record) -> None:
        self.records.extend(records)
        self.by_id.update({one.id: one for one in records})

    def settle(self) -> None:
        """Sort; call once all records are in."""
        self.records.sort(key=lambda one: (one.time, one.id), reverse=True)

    def visible(self, region: str, as_of: datetime) -> list[Record]:
        """Events of a region that LookupEvents shows at `as_of`, newest first. Not to be changed."""
        seen, key = self._seen, (region, as_of, len(self.records))
        if seen[0] != key:
            oldest = as_of - KEEP
            found = [
                one
                for one in self.records
                if one.region == region and one.delivered <= as_of and one.time >= oldest
            ]
            seen = self._seen = (key, found)
        return seen[1]
