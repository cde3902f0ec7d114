"""What CloudFront, Route 53 and WAF emit.

CloudFront and Route 53 publish in the partition's global region only (their developer guides, "Monitoring"); WAF where
the web ACL is. WAF emits a count only when there is one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from evals.world.flow import Flow, Minute
from evals.world.metrics import count, duration, source
from evals.world.seed import mix
from evals.world.telemetry import Sample, Source, level
from evals.world.world import Thing


def zone_sources(zone: Thing, flow: Flow | None) -> Iterator[Source]:
    """DNSQueries: clients ask once per TTL, whatever the answer is."""
    held = {"HostedZoneId": str(zone.fixed["id"])}
    if flow is None:
        return
    index = flow.stage(zone.arn)

    def asked(row: Minute) -> float:
        return round(row.passages[index].arrived * 0.06)

    yield source(
        zone, "AWS/Route53", "DNSQueries", held, "None", count(flow, asked), region=zone.fixed["global"]
    )


def distribution_sources(distribution: Thing, flow: Flow | None) -> Iterator[Source]:
    """By DistributionId and Region=Global; rates are percentages of the requests."""
    if flow is None:
        return
    index, where = flow.stage(distribution.arn), str(distribution.fixed["global"])
    held = {"DistributionId": str(distribution.fixed["id"]), "Region": "Global"}

    def made(name: str, unit: str, emit: Callable[[int], Sample | None]) -> Source:
        return source(distribution, "AWS/CloudFront", name, held, unit, emit, region=where)

    def asked(row: Minute) -> float:
        return float(row.passages[index].arrived)

    def rate(low: int, high: int) -> Callable[[int], Sample | None]:
        def emit(minute: int) -> Sample | None:
            row = flow.minute(minute)
            total = row.passages[index].arrived
            wrong = sum(one.many for one in row.endings if one.stage >= index and low <= one.status <= high)
            return level(100.0 * wrong / total, total) if total else None

        return emit

    yield made("Requests", "None", count(flow, asked))
    yield made("BytesDownloaded", "None", count(flow, lambda row: asked(row) * 2140.0))
    yield made("BytesUploaded", "None", count(flow, lambda row: asked(row) * 310.0))
    yield made("4xxErrorRate", "Percent", rate(400, 499))
    yield made("5xxErrorRate", "Percent", rate(500, 599))
    yield made("TotalErrorRate", "Percent", rate(400, 599))
    if not distribution.fixed["more"]:
        return
    for code in (502, 503, 504):
        yield made(f"{code}ErrorRate", "Percent", rate(code, code))

    def waited(minute: int) -> Sample | None:
        return duration(flow, flow.minute(minute), index + 1, mix(flow.demand.salt, minute, 23), 9.0)

    yield made("OriginLatency", "Milliseconds", waited)


def acl_sources(acl: Thing, flow: Flow | None) -> Iterator[Source]:
    """By Region, Rule and WebACL: each rule, the default action, and ALL."""
    if flow is None:
        return
    index = flow.stage(acl.arn)

    def made(name: str, rule: str, value: Callable[[Minute], float]) -> Source:
        held = {"Region": acl.region, "Rule": rule, "WebACL": acl.name}
        return source(acl, "AWS/WAFV2", name, held, "Count", count(flow, value))

    def gauge(name: str) -> Callable[[Minute], float]:
        return lambda row: sum(one.passages[index].gauges.get(name, 0.0) for one in row.slices)

    def blocked(row: Minute) -> float:
        return float(sum(one.many for one in row.endings if one.stage == index))

    def allowed(row: Minute) -> float:
        return row.passages[index].arrived - blocked(row)

    for rule in acl.fixed["rules"]:
        yield made("BlockedRequests", rule, gauge(f"block {rule}"))
        yield made("CountedRequests", rule, gauge(f"count {rule}"))
    yield made("AllowedRequests", "Default_Action", allowed)
    for name, value in (("AllowedRequests", allowed), ("BlockedRequests", blocked)):
        yield made(name, "ALL", value)
    rules = list(acl.fixed["rules"])
    yield made("CountedRequests", "ALL", lambda row: sum(gauge(f"count {one}")(row) for one in rules))
