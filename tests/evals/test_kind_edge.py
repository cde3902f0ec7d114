"""Hosted zones, distributions, web ACLs and certificates in worlds: where they emit, what they end, answers."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from functools import cache
from typing import Any

import pytest

from evals.world import World, load_case
from evals.world.telemetry import Source
from tools.aws import Account, Aws
from tools.budget import Budget, Limits
from tools.clock import VirtualClock
from tools.errors import NotThere
from tools.evidence import MemoryStore
from tools.models import Json


@cache
def world(case: str) -> World:
    return load_case(case, 3)


def reader(made: World, region: str = "") -> Callable[..., Json]:
    where, limits = region or made.region, Budget(Limits(calls=100))
    aws = Aws(Account(region=where), made.transport(), VirtualClock(made.start), limits, MemoryStore())

    def ask(service: str, operation: str, **parameters: Any) -> Json:
        return aws.ask(service, operation, where, parameters)

    return ask


def source(made: World, owner: str, name: str, **held: str) -> Source:
    return next(
        one
        for one in made.telemetry.sources.values()
        if (one.owner, one.name) == (owner, name) and held.items() <= dict(one.dimensions).items()
    )


def total(made: World, owner: str, name: str, minute: int, **held: str) -> float:
    sample = source(made, owner, name, **held).emit(int(made.facts["onset"].timestamp()) // 60 + minute)
    return sample.total if sample is not None else 0.0


def datapoints(made: World, one: Source, region: str) -> list[float]:
    query = {
        "Id": "a",
        "MetricStat": {
            "Metric": {
                "Namespace": one.namespace,
                "MetricName": one.name,
                "Dimensions": [{"Name": name, "Value": value} for name, value in one.dimensions],
            },
            "Period": 60,
            "Stat": "Sum",
        },
    }
    found = reader(made, region)(
        "cloudwatch",
        "GetMetricData",
        MetricDataQueries=[query],
        StartTime=made.start - timedelta(minutes=15),
        EndTime=made.start,
    )
    return list(found["MetricDataResults"][0]["Values"])


@pytest.mark.parametrize(
    ("case", "thing", "name"),
    [("distribution-origin-changed", "cdn", "Requests"), ("dns-record-moved", "zone", "DNSQueries")],
)
def test_global_services_emit_and_are_recorded_in_the_global_region_only(
    case: str, thing: str, name: str
) -> None:
    made = world(case)
    assert made.region != made.global_region
    one = source(made, made.facts[f"{thing}.arn"], name)
    assert len(datapoints(made, one, made.global_region)) >= 12
    assert datapoints(made, one, made.region) == []
    assert made.trail.by_id[made.facts["change.event_id"]].region == made.global_region


def test_a_firewall_counts_what_it_blocks_and_the_balancer_never_sees_it() -> None:
    made = world("firewall-rule-blocks")
    acl, lb = made.facts["acl.arn"], made.facts["lb.arn"]
    rule = made.facts["drawn.rule"]
    blocked, allowed = (
        total(made, acl, name, 5, Rule="ALL") for name in ("BlockedRequests", "AllowedRequests")
    )
    assert blocked == total(made, acl, "BlockedRequests", 5, Rule=rule) > 0
    assert total(made, lb, "RequestCount", 5) == allowed
    assert total(made, lb, "HTTPCode_ELB_4XX_Count", 5) == blocked
    assert (
        total(made, acl, "CountedRequests", -3, Rule=rule)
        > 0
        == total(made, acl, "BlockedRequests", -3, Rule="ALL")
    )
    minute = int(made.facts["onset"].timestamp()) // 60 + 5
    assert made.log_groups[f"aws-waf-logs-{made.known['acl'].name}"].count("blocked", minute) == blocked
    ask = reader(made)
    shown = ask("wafv2", "GetWebACLForResource", ResourceArn=lb)["WebACL"]
    assert [next(iter(one["Action"])) for one in shown["Rules"] if one["Name"] == rule] == ["Block"]
    assert ask("wafv2", "ListResourcesForWebACL", WebACLArn=acl)["ResourceArns"] == [lb]
    sent = made.trail.by_id[made.facts["change.event_id"]].body
    named = {"Name": made.known["acl"].name, "Id": made.facts["acl.id"], "Scope": "REGIONAL"}
    assert ask("wafv2", "GetWebACL", **named)["LockToken"] == sent["responseElements"]["nextLockToken"]
    assert sent["requestParameters"]["lockToken"] != sent["responseElements"]["nextLockToken"]
    with pytest.raises(NotThere):
        ask("wafv2", "GetWebACL", Name="none", Id="none", Scope="REGIONAL")


def test_clients_follow_a_record_within_its_ttl() -> None:
    made = world("dns-record-moved")
    flow, ttl = made.flows["case"], int(made.facts["drawn.ttl"])
    first = int(made.facts["change.time"].timestamp()) // 60
    assert flow.minute(first - 1).alive == flow.minute(first - 1).requests
    assert flow.minute(first + ttl // 60 + 1).alive == 0
    changed = made.trail.by_id[made.facts["change.event_id"]].body["requestParameters"]["changeBatch"][
        "changes"
    ]
    assert changed[0]["action"] == "UPSERT"
    assert changed[0]["resourceRecordSet"]["tTL"] == ttl
    ask = reader(made)
    zones = ask("route53", "ListHostedZones")["HostedZones"]
    assert f"/hostedzone/{made.facts['zone.id']}" in {one["Id"] for one in zones}
    records = ask("route53", "ListResourceRecordSets", HostedZoneId=made.facts["zone.id"])[
        "ResourceRecordSets"
    ]
    assert made.facts["record.after"] in records
    assert made.facts["record.before"] not in records
    name = made.facts["record.after"]["Name"]
    some = ask(
        "route53",
        "ListResourceRecordSets",
        HostedZoneId=made.facts["zone.id"],
        StartRecordName=name,
        StartRecordType="CNAME",
        MaxItems="1",
    )
    assert some["ResourceRecordSets"] == [made.facts["record.after"]]


def test_a_wrong_origin_is_502_at_the_edge_and_nothing_at_the_balancer() -> None:
    made = world("distribution-origin-changed")
    cdn, lb = made.facts["cdn.arn"], made.facts["lb.arn"]
    asked = total(made, cdn, "Requests", 8)
    assert total(made, cdn, "5xxErrorRate", 8) == pytest.approx(100.0 * asked)  # as many samples as requests
    assert total(made, lb, "RequestCount", 8) == 0.0 == total(made, lb, "HTTPCode_ELB_5XX_Count", 8)
    ask = reader(made, made.global_region)
    shown = ask("cloudfront", "GetDistribution", Id=made.facts["cdn.id"])
    origin = shown["Distribution"]["DistributionConfig"]["Origins"]["Items"][0]
    assert origin["DomainName"] == made.facts["origin.after"]
    sent = made.trail.by_id[made.facts["change.event_id"]].body
    assert shown["ETag"] == sent["responseElements"]["eTag"] != sent["requestParameters"]["ifMatch"]
    assert ask("cloudfront", "ListDistributions")["DistributionList"]["Quantity"] >= 1
    assert made.alarms[made.known["alarm"].name].region == made.global_region


def test_a_certificate_ends_and_handshakes_break_off() -> None:
    made = world("certificate-expired")
    lb, certificate = made.facts["lb.arn"], made.facts["certificate.arn"]
    flow, minute = made.flows["case"], int(made.facts["onset"].timestamp()) // 60 + 5
    broken = total(made, lb, "ClientTLSNegotiationErrorCount", 5)
    assert broken + total(made, lb, "RequestCount", 5) == flow.minute(minute).requests
    shown = reader(made)("acm", "DescribeCertificate", CertificateArn=certificate)["Certificate"]
    assert (shown["Status"], shown["RenewalSummary"]["RenewalStatus"]) == ("EXPIRED", "FAILED")
    assert shown["NotAfter"] == made.facts["onset"]
    assert shown["InUseBy"] == [lb]
    gone = made.trail.by_id[made.facts["removed.event_id"]].body["requestParameters"]["changeBatch"][
        "changes"
    ][0]
    record = shown["DomainValidationOptions"][0]["ResourceRecord"]
    assert (gone["action"], gone["resourceRecordSet"]["name"]) == ("DELETE", record["Name"])
    days = source(made, certificate, "DaysToExpiry")
    assert days.emit((minute - 3 * 1440) // 720 * 720).total in (2.0, 3.0)  # type: ignore[union-attr]
    assert days.emit(minute // 720 * 720 + 720) is None
