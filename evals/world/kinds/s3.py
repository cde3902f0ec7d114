"""S3 buckets: uploads that run a function, objects that functions and services read or write.

Physics, from the S3 user guide: a notification names a function, events and perhaps a prefix; what fits none runs
nothing and fails nowhere. An explicit Deny of the bucket's policy wins over any identity policy; policies take effect
within seconds. Objects of a bucket that is encrypted with a key of the customer need that key for each read and
write (S3 asks KMS for the caller). Request metrics exist only where a metrics configuration asks for them; the size is
told once a day.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import lru_cache
from typing import Any

from evals.world import keys, policies
from evals.world.deeds_s3 import POLICY_VERSION, change, tag
from evals.world.flow import Flow, Load, Minute
from evals.world.kinds._kind import Kind, Wish
from evals.world.kinds.kms import encrypts, may_use
from evals.world.metrics import count, source
from evals.world.seed import mix
from evals.world.stage import Stage, setting
from evals.world.telemetry import Source, level
from evals.world.workshop import Workshop
from evals.world.world import Thing, World
from tools.errors import BadInput
from tools.evidence import canonical
from tools.models import Json

WHOLE = "EntireBucket"
_CALLERS = ("function", "ecs-service", "instance")
_DAY = 1440


class BucketStage(Stage):
    """Uploads that come in, or what the caller before it does with objects. `write_share`: of that, uploads."""

    reasons = ("not notified", "refused", "key")
    physical = ("Policy", "NotificationConfiguration")

    def __init__(self, world: World, thing: Thing, uses: Mapping[str, Any] | None = None) -> None:
        super().__init__(world, thing, uses)
        self.lag = world.seed.integer(f"lag:{thing.arn}", 2, 12)
        self.writes = float(self.uses.get("write_share", 0.0)) > 0.5

    @property
    def caller(self) -> Thing | None:
        """Who asks for objects; None when the requests are uploads that enter here."""
        found = [one.thing for one in self.flow.stages[: self.index] if one.thing.kind in _CALLERS]
        return found[-1] if found else None

    @property
    def verb(self) -> str:
        return "PutObject" if self.writes else "GetObject"

    def watched(self) -> Iterable[Thing]:
        yield self.thing
        yield from keys.watched(self.world, self.thing)

    def enter(self, load: Load) -> None:
        arrived = load.alive
        if not load.calm:
            if self.caller is None:
                self._notify(load)
            else:
                if self._denied(load.second - self.lag):
                    load.end(self.index, "refused", load.alive, load.ms * 0.5 + 8)
                if keys.trouble(self.world, self.thing, load.second):
                    load.end(self.index, "key", load.alive, load.ms * 0.5 + 12)
        self.close(load, arrived)

    def _notify(self, load: Load) -> None:
        """Uploads for which nothing runs."""
        following = (
            self.flow.stages[self.index + 1].thing.arn if self.index + 1 < len(self.flow.stages) else ""
        )
        if following not in self.thing.fixed["functions"]:
            return
        told = str(setting(self.thing, "NotificationConfiguration", load.second - self.lag) or "{}")
        if not any(self._fits(one, following) for one in _functions(told)):
            load.end(self.index, "not notified", load.alive, 1, status=200, unseen=True)

    def _fits(self, one: Json, function: str) -> bool:
        """Whether an upload runs a function by one of the notifications."""
        rules = ((one.get("Filter") or {}).get("Key") or {}).get("FilterRules", [])
        prefix = next((str(rule["Value"]) for rule in rules if rule["Name"].lower() == "prefix"), "")
        created = any("ObjectCreated" in event for event in one["Events"])
        return (
            created
            and one["LambdaFunctionArn"] == function
            and str(self.thing.fixed["prefix"]).startswith(prefix)
        )

    def _denied(self, second: float) -> bool:
        caller, held = self.caller, setting(self.thing, "Policy", second)
        if caller is None or not held:
            return False
        role = self.world.things[caller.fixed["role"]]
        spoken = [one for one in json.loads(held)["Statement"] if _speaks(one, role.arn)]
        on, context = (
            f"{self.thing.arn}/current",
            {"aws:securetransport": ["true"], "aws:principalarn": [role.arn]},
        )
        found = policies.judge([policies.statements(spoken)], f"s3:{self.verb}", on, context)
        return found.decision == "explicitDeny"

    def text(self, reason: str) -> str:
        if reason == "key":
            code = keys.trouble(self.world, self.thing, self.world.start.timestamp()) or "DisabledException"
            said = keys.told(self.world, self.thing, code)
            return f"An error occurred (KMS.{code}) when calling the {self.verb} operation: {said}"
        if reason == "refused" and self.caller is not None:
            role = self.world.things[self.caller.fixed["role"]]
            user = f"arn:{self.world.partition}:sts::{self.world.account}:assumed-role/{role.name}/{self.caller.name}"
            return (
                f"An error occurred (AccessDenied) when calling the {self.verb} operation: User: {user} is not "
                f'authorized to perform: s3:{self.verb} on resource: "{self.thing.arn}/{self.thing.fixed["prefix"]}" '
                "with an explicit deny in a resource-based policy"
            )
        return reason


@lru_cache(maxsize=64)
def _functions(told: str) -> tuple[Json, ...]:
    return tuple(json.loads(told).get("LambdaFunctionConfigurations", []))


def _kept(world: World, thing: Thing, path: str, value: Any) -> Any:
    """A policy as S3 keeps it, the text of a document; notifications as S3 shows them, as JSON."""
    if path == "Policy" and isinstance(value, list):
        return canonical({"Version": POLICY_VERSION, "Statement": value})
    if path == "NotificationConfiguration" and not isinstance(value, str):
        return canonical(value or {})
    return value


def _speaks(statement: Json, role: str) -> bool:
    """Whether a statement's principal holds a role."""
    named = statement.get("Principal", "*")
    if named == "*":
        return True
    found: Any = named.get("AWS", [])
    listed: Sequence[str] = [found] if isinstance(found, str) else list(found)
    account = role.split(":")[4]
    return any(one in ("*", role, account) or one.endswith(f"::{account}:root") for one in listed)


def _make(shop: Workshop, wish: Wish) -> Thing:
    arn = f"arn:{shop.world.partition}:s3:::{wish.name}"
    fixed = {
        "prefix": str(wish.options.get("prefix") or "incoming/"),
        "metrics": bool(wish.options.get("request_metrics", False)),
        "functions": [],
        "key": "",
    }
    thing = shop.add(arn, wish, fixed)
    settings = {path: _kept(shop.world, thing, path, value) for path, value in wish.settings.items()}
    shop.settle(thing, replace(wish, settings=settings), {"Policy": None})
    encrypts(shop, wish, thing)
    return thing


def _link(shop: Workshop, bucket: Thing, function: Thing) -> None:
    """A notification that runs a function, which must allow it."""
    if function.kind != "function":
        raise BadInput(f"{bucket.name} calls {function.name}, a {function.kind}; it must be a function.")
    world, name = shop.world, "run"
    statement = {
        "Sid": f"allow-{bucket.name}",
        "Effect": "Allow",
        "Principal": {"Service": "s3.amazonaws.com"},
        "Action": "lambda:InvokeFunction",
        "Resource": function.arn,
        "Condition": {"ArnLike": {"AWS:SourceArn": bucket.arn}},
    }
    function.settings.set(f"Policy.allow-{bucket.name}", function.created, statement)
    bucket.fixed["functions"].append(function.arn)
    path = "NotificationConfiguration"
    if path not in bucket.settings.steps:
        rules = [{"Name": "prefix", "Value": bucket.fixed["prefix"]}]
        one = {"Id": name, "LambdaFunctionArn": function.arn, "Events": ["s3:ObjectCreated:*"]}
        held = {"LambdaFunctionConfigurations": [{**one, "Filter": {"Key": {"FilterRules": rules}}}]}
        bucket.settings.set(path, bucket.created, canonical(held))
    for kind in ("notifies", "invokes"):
        world.relate(bucket.arn, kind, function.arn)


def _called(shop: Workshop, caller: Thing, bucket: Thing) -> None:
    if caller.kind == "function":
        caller.settings.set("Environment.BUCKET", caller.created, bucket.name)
        caller.fixed["names"]["BUCKET"] = bucket.name
    actions = ["s3:GetObject", "s3:PutObject"]
    shop.allow(caller, "bucket-access", actions, bucket, f"{bucket.arn}/*")
    caller.fixed["needs"] += [("s3:GetObject", f"{bucket.arn}/current")]
    may_use(shop, caller, bucket, "Decrypt", "GenerateDataKey")
    for kind in ("uses", "reads", "writes"):
        shop.world.relate(caller.arn, kind, bucket.arn)


def _metrics(bucket: Thing, flow: Flow | None) -> Iterator[Source]:
    salt = sum(map(ord, bucket.name))

    def daily(name: str, kind: str, unit: str, value: float) -> Source:
        held = {"BucketName": bucket.name, "StorageType": kind}

        def emit(minute: int) -> Any:
            return level(value * (1 + minute / _DAY * 1e-5) + mix(salt, minute, 3) % 5)

        return source(bucket, "AWS/S3", name, held, unit, emit, every=_DAY)

    yield daily("NumberOfObjects", "AllStorageTypes", "Count", 20_000.0 + salt % 9000)
    yield daily("BucketSizeBytes", "StandardStorage", "Bytes", 4.1e9 + salt * 1e6)
    if flow is None or not bucket.fixed["metrics"]:
        return
    index, held = flow.stage(bucket.arn), {"BucketName": bucket.name, "FilterId": WHOLE}

    def asked(row: Minute) -> float:
        return row.passages[index].arrived

    def wrong(row: Minute) -> float:
        return sum(one.many for one in row.endings if one.stage == index and one.reason in ("refused", "key"))

    stage = flow.stages[index]
    kind = "PutRequests" if getattr(stage, "writes", False) or index == 0 else "GetRequests"
    for name, value in (("AllRequests", asked), (kind, asked)):
        yield source(bucket, "AWS/S3", name, held, "Count", count(flow, value, of=asked))
    for name, value in (("4xxErrors", wrong), ("5xxErrors", lambda row: 0.0)):
        yield source(bucket, "AWS/S3", name, held, "Count", count(flow, value, of=asked))


KINDS = (
    Kind(
        name="bucket",
        options={
            "prefix": "under which objects come in; incoming/ by default",
            "key": "id of the key with which it is encrypted; S3's own by default",
            "request_metrics": "whether request metrics are on",
        },
        settings={
            "Policy": "statements of its policy, null when there is none",
            "NotificationConfiguration": "as S3 shows it; {} when there is none",
            "Versioning": "Enabled or Suspended",
        },
        make=_make,
        link=_link,
        stage=BucketStage,
        metrics=_metrics,
        change=change,
        tag=tag,
        called=_called,
        kept=_kept,
    ),
)
