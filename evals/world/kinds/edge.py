"""What requests meet before a load balancer: a hosted zone, a distribution, a web ACL. Each `calls` what follows it.

Physics. Route 53: a resolver keeps a record for its TTL, an alias of a load balancer for 60 seconds, so that clients
move over that time (developer guide, "Values specific for simple records"). CloudFront: a change reaches the edges over
some minutes; an origin whose name does not resolve is a 502 (developer guide, "HTTP 502 status code"). WAF: rules are
tried by priority, Block ends the request with 403, Count lets it on; a change is there within a minute.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from evals.world.deeds_edge import (
    change_acl,
    change_distribution,
    change_zone,
    tag_acl,
    tag_distribution,
    tag_zone,
)
from evals.world.edge_metrics import acl_sources, distribution_sources, zone_sources
from evals.world.edge_shown import (
    ALL_VIEWER,
    CACHING_DISABLED,
    distribution_config,
    etag,
    settable,
    token,
    web_acl,
)
from evals.world.flow import Flow, Load
from evals.world.kinds._kind import Kind, Wish
from evals.world.lines import LogGroup, Mark
from evals.world.seed import mix
from evals.world.stage import Stage, setting, share_of
from evals.world.voices import Voice
from evals.world.workshop import Workshop
from evals.world.world import Thing, World

ALIAS_TTL = 60
_EDGES_BEGIN, _EDGES_END = 20, 200


def moved(thing: Thing, path: str, second: float, begin: float, end: float) -> tuple[Any, Any, float]:
    """A setting that reaches its users over time: its value before, its value, the share of those that have it."""
    steps = thing.settings.steps.get(path)
    if steps is None:
        return None, None, 1.0
    now = steps.at_second(second)
    since = max((one.timestamp() for one in steps.since if one.timestamp() <= second), default=0.0)
    share = min(1.0, max(0.0, (second - since - begin) / max(1.0, end - begin)))
    return steps.at_second(since - 1), now, share


class ZoneStage(Stage):
    """Clients look up the name; those that are led elsewhere never arrive."""

    reasons = ("led elsewhere",)
    physical = ("Records.",)

    def enter(self, load: Load) -> None:
        arrived = load.alive
        path = str(self.thing.fixed.get("path") or "")
        if not load.calm and path:
            following = (
                self.flow.stages[self.index + 1].thing if self.index + 1 < len(self.flow.stages) else None
            )
            held = setting(self.thing, path, load.second - ALIAS_TTL * 60) or {}
            ttl = float(held.get("TTL", ALIAS_TTL))
            before, now, share = moved(self.thing, path, load.second + load.seconds / 2, 0, ttl)
            many = share_of(arrived, share, load.second)
            for value, count in ((now, many), (before, arrived - many)):
                if following is not None and not leads(value, following):
                    load.end(self.index, "led elsewhere", count, 1, status=0, unseen=True)
        self.close(load, arrived)


def leads(record: Any, to: Thing) -> bool:
    """Whether a record set leads to a thing by its name."""
    name = str(to.fixed.get("host") or to.fixed.get("domain") or "").lower()
    held = record or {}
    named = [str(one["Value"]) for one in held.get("ResourceRecords", [])]
    named.append(str((held.get("AliasTarget") or {}).get("DNSName", "")))
    return name in {one.lower().rstrip(".").removeprefix("dualstack.") for one in named}


class DistributionStage(Stage):
    """Requests at the edge, none of which is cached."""

    reasons = ("origin not found",)
    physical = ("Origins.",)

    def enter(self, load: Load) -> None:
        arrived = load.alive
        if not load.calm:
            following = (
                self.flow.stages[self.index + 1].thing if self.index + 1 < len(self.flow.stages) else None
            )
            right = str(following.fixed.get("host", "")) if following is not None else ""
            at = load.second + load.seconds / 2
            before, now, share = moved(self.thing, "Origins.DomainName", at, _EDGES_BEGIN, _EDGES_END)
            many = share_of(arrived, share, load.second)
            for value, count in ((now, many), (before, arrived - many)):
                if right and value != right:
                    load.end(self.index, "origin not found", count, 45, status=502, unseen=True)
        self.close(load, arrived)


class AclStage(Stage):
    """Requests that the rules look at."""

    reasons = ("blocked",)
    physical = ("Rules.",)

    def __init__(self, world: World, thing: Thing, uses: Mapping[str, Any] | None = None) -> None:
        super().__init__(world, thing, uses)
        self.lag = world.seed.integer(f"lag:{thing.arn}", 8, 45)

    def enter(self, load: Load) -> None:
        arrived = load.alive
        refused: dict[str, int] = {}
        gauges: dict[str, float] = {}
        for name, held in self.thing.fixed["rules"].items():
            share = float(held["share"])
            many = share_of(load.alive, share, load.second + len(name))
            action = setting(self.thing, f"Rules.{name}.Action", load.second - self.lag)
            if action == "Count":
                gauges[f"count {name}"] = float(many)
            elif action == "Block":
                load.end(self.index, "blocked", many, 1, status=403)
                refused[name] = many
        self.close(load, arrived)
        load.passages[self.index] = load.passages[self.index]._replace(
            gauges=gauges | {f"block {name}": float(count) for name, count in refused.items()}
        )


def _zone(shop: Workshop, wish: Wish) -> Thing:
    code = "Z" + shop.world.seed.letters(f"zone:{wish.name}", 20, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789")
    arn = f"arn:{shop.world.partition}:route53:::hostedzone/{code}"
    fixed: dict[str, Any] = {"id": code, "host": "", "path": "", "label": str(wish.options.get("host") or "")}
    fixed |= {"ttl": int(wish.options.get("ttl") or 0), "global": shop.world.global_region}
    thing = shop.add(arn, wish, fixed, region="")
    thing.name = wish.name.rstrip(".") + "."
    return shop.settle(thing, wish)


def record_path(zone: Thing, label: str, kind: str) -> str:
    """The path of a record's setting: "Records.www.example.com. A"."""
    name = zone.name if not label else f"{label}.{zone.name}"
    return f"Records.{name} {kind}"


def _link_zone(shop: Workshop, zone: Thing, target: Thing) -> None:
    """A record that leads to what it calls: an alias, or with a TTL a CNAME."""
    host = str(target.fixed.get("host") or target.fixed.get("domain"))
    kind = "CNAME" if zone.fixed["ttl"] else "A"
    path = record_path(zone, str(zone.fixed["label"]), kind)
    name = path.removeprefix("Records.").rsplit(" ", 1)[0]
    zone.fixed |= {"path": path, "record": name}
    value: dict[str, Any] = {"Name": name, "Type": kind}
    if kind == "CNAME":
        value |= {"TTL": zone.fixed["ttl"], "ResourceRecords": [{"Value": host}]}
    else:
        code = "Z" + shop.world.seed.letters(f"alias zone:{shop.world.region}", 13)
        alias = {"HostedZoneId": code, "DNSName": f"dualstack.{host}.", "EvaluateTargetHealth": True}
        value["AliasTarget"] = alias
    if path not in zone.settings.steps:
        zone.settings.set(path, zone.created, value)
    for word in ("resolves to", "led to"):
        shop.world.relate(zone.arn, word, target.arn)


def _record(world: World, zone: Thing, path: str, value: Any) -> Any:
    """A record set in full: the path says its name and type."""
    if not path.startswith("Records.") or not isinstance(value, dict):
        return value
    name, kind = path.removeprefix("Records.").rsplit(" ", 1)
    return {"Name": name, "Type": kind, **value}


def _distribution(shop: Workshop, wish: Wish) -> Thing:
    world, seed = shop.world, shop.world.seed
    letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
    code = "E" + seed.letters(f"distribution:{wish.name}", 13, letters)
    arn = f"arn:{world.partition}:cloudfront::{world.account}:distribution/{code}"
    fixed = {
        "id": code,
        "domain": f"d{seed.letters(f'edge:{wish.name}', 13, letters).lower()}.cloudfront.net",
        "aliases": [],
        "origin": str(wish.options.get("origin") or "app"),
        "reference": seed.uuid(f"reference:{wish.name}"),
        "more": bool(wish.options.get("additional_metrics", False)),
        "global": world.global_region,
    }
    thing = shop.settle(shop.add(arn, wish, fixed, region=""), wish)
    for kind, id in (("cache-policy", CACHING_DISABLED), ("origin-request-policy", ALL_VIEWER)):
        world.relate(arn, "set up by", f"arn:{world.partition}:cloudfront::{world.account}:{kind}/{id}")
    return thing


def _link_distribution(shop: Workshop, distribution: Thing, target: Thing) -> None:
    path = "Origins.DomainName"
    if path not in distribution.settings.steps:
        distribution.settings.set(path, distribution.created, str(target.fixed["host"]))
    for word in ("forwards to", "led to"):
        shop.world.relate(distribution.arn, word, target.arn)


def _acl(shop: Workshop, wish: Wish) -> Thing:
    world, seed = shop.world, shop.world.seed
    code = seed.uuid(f"web acl:{wish.name}")
    listed = wish.options.get("rules") or [{"name": "large-bodies", "on": "size", "share": 0.0}]
    given = {str(one["name"]): dict(one) for one in listed}
    fixed = {
        "id": code,
        "scope": "REGIONAL",
        "rules": given,
        "guards": [],
        "log": bool(wish.options.get("logs")),
    }
    thing = shop.add(world.arn("wafv2", f"regional/webacl/{wish.name}/{code}"), wish, fixed)
    shop.settle(thing, wish)
    for name in given:
        path = f"Rules.{name}.Action"
        if path not in thing.settings.steps:
            thing.settings.set(path, thing.created, "Count")
    return thing


def _link_acl(shop: Workshop, acl: Thing, target: Thing) -> None:
    acl.fixed["guards"].append(target.arn)
    shop.world.relate(target.arn, "guarded by", acl.arn)


class AclVoice(Voice):
    """The web ACL's own log, with a filter that keeps what is blocked."""

    body = ""
    streams = 2

    def __init__(self, acl: Thing) -> None:
        self.acl = acl

    def tells(self, reason: str) -> bool:
        return reason == "blocked"

    def stream(self, group: LogGroup, day: int, number: int) -> str:
        return f"{self.acl.region}_{self.acl.name}_{number}"

    def text(self, group: LogGroup, minute: int, mark: Mark) -> str:
        blocking = [
            name
            for name, held in self.acl.fixed["rules"].items()
            if held["share"] and setting(self.acl, f"Rules.{name}.Action", mark.stamp / 1000) == "Block"
        ]
        which = blocking[mix(group.salt, mark.number) % len(blocking)] if blocking else ""
        said = {
            "timestamp": mark.stamp,
            "formatVersion": 1,
            "webaclId": self.acl.arn,
            "terminatingRuleId": which,
            "terminatingRuleType": "REGULAR",
            "action": "BLOCK",
            "terminatingRuleMatchDetails": [],
            "httpSourceName": "ALB",
            "httpSourceId": (self.acl.fixed["guards"] or [""])[0]
            .split(":", 5)[-1]
            .replace("loadbalancer/", ""),
            "ruleGroupList": [],
            "rateBasedRuleList": [],
            "nonTerminatingMatchingRules": [],
            "httpRequest": {
                "clientIp": f"203.0.113.{mix(group.salt, minute, mark.number) % 200}",
                "country": "US",
                "uri": "/orders",
                "httpVersion": "HTTP/1.1",
                "httpMethod": "POST",
                "requestId": group.request_id(minute, mark.number),
            },
        }
        return json.dumps(said, separators=(",", ":"))


def _acl_logs(shop: Workshop, acl: Thing, flow: Flow) -> Iterator[LogGroup]:
    if acl.fixed["log"]:
        held = shop.log_group(acl, f"aws-waf-logs-{acl.name}", flow)
        yield LogGroup(**held, voice=AclVoice(acl))


KINDS = (
    Kind(
        name="hosted-zone",
        options={
            "host": "label of the name under which clients look up what the zone calls: www",
            "ttl": "seconds; makes it a CNAME, else it is an alias",
        },
        settings={
            "Records.": "NAME TYPE: a record set as ListResourceRecordSets shows it; null when it is deleted"
        },
        make=_zone,
        link=_link_zone,
        stage=ZoneStage,
        metrics=zone_sources,
        change=change_zone,
        tag=tag_zone,
        kept=_record,
        dimensions=lambda one: {"id": str(one.fixed["id"])},
    ),
    Kind(
        name="distribution",
        options={
            "origin": "the id of its origin",
            "additional_metrics": "whether its additional metrics are on",
        },
        settings={
            "Origins.DomainName": "the host of its origin",
            "Origins.OriginPath": "put before the path of requests",
        },
        make=_distribution,
        link=_link_distribution,
        stage=DistributionStage,
        metrics=distribution_sources,
        change=change_distribution,
        shown=lambda world, one, at: {
            "DistributionConfig": settable(distribution_config(one, at)),
            "ETag": etag(one, at),
        },
        tag=tag_distribution,
        dimensions=lambda one: {"id": str(one.fixed["id"])},
    ),
    Kind(
        name="web-acl",
        options={
            "rules": "list of {name, share: of the requests that it matches, on: size, country or rate}",
            "logs": "whether it writes what it blocks to CloudWatch Logs",
        },
        settings={"Rules.": "NAME.Action: Allow, Block or Count"},
        make=_acl,
        link=_link_acl,
        stage=AclStage,
        metrics=acl_sources,
        logs=_acl_logs,
        change=change_acl,
        shown=lambda world, one, at: {**web_acl(world, one, at), "LockToken": token(world, one, at)},
        tag=tag_acl,
        dimensions=lambda one: {"id": str(one.fixed["id"])},
    ),
)
