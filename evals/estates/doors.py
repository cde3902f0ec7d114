"""Names, certificates, distributions, web ACLs: how the outside finds what runs."""

from __future__ import annotations

from collections.abc import Sequence

from evals.estates.ground import Ground, Thing
from tools.models import Json

EDGE = "us-east-1"


def zone(ground: Ground, name: str, private: Thing | None = None) -> Thing:
    made = ground.call(
        "route53", "CreateHostedZone",
        Name=name, CallerReference=f"{name}-{bool(private)}",
        VPC=private and {"VPCRegion": ground.region, "VPCId": private["id"]},
        HostedZoneConfig={"Comment": name, "PrivateZone": bool(private)},
    )["HostedZone"]["Id"]  # fmt: skip
    id_ = made.rsplit("/", 1)[-1]
    thing = ground.add("zone", f"arn:aws:route53:::hostedzone/{id_}", name, region=EDGE, id=id_)
    ground.fact(thing, "lies in", private)
    return thing


def record(
    ground: Ground,
    of: Thing,
    host: str,
    to: Thing | str,
    *,
    alias: bool = True,
    kind: str = "A",
    check: Thing | None = None,
) -> Thing:
    """A record: an alias of, or a CNAME for, a thing that has a host; or of an address that nobody here has."""
    target = to["host"] if isinstance(to, Thing) else to
    row: Json = {"Name": host, "Type": kind if alias or kind != "A" else "CNAME"}
    if alias:
        row["AliasTarget"] = {
            "HostedZoneId": str(to.says.get("zone", "Z2FDTNDATAQYW2")) if isinstance(to, Thing) else "Z2FDTNDATAQYW2",
            "DNSName": target, "EvaluateTargetHealth": False,
        }  # fmt: skip
    else:
        row |= {"TTL": 300, "ResourceRecords": [{"Value": target}]}
    if check:
        row |= {"HealthCheckId": check["id"]}
    batch = {"Changes": [{"Action": "CREATE", "ResourceRecordSet": row}]}
    ground.call("route53", "ChangeResourceRecordSets", HostedZoneId=of["id"], ChangeBatch=batch)
    thing = ground.part("dns record", f"{of.arn}/recordset/{host}/{row['Type']}", of, host, sure=False)
    if isinstance(to, Thing):
        ground.fact(thing, "resolves to", to)
    ground.fact(thing, "is guarded by", check)
    return thing


def health_check(ground: Ground, name: str, host: str, sees: Thing | None = None) -> Thing:
    made = ground.call(
        "route53", "CreateHealthCheck",
        CallerReference=name,
        HealthCheckConfig={"Type": "HTTPS", "FullyQualifiedDomainName": host, "Port": 443, "ResourcePath": "/ok"},
    )["HealthCheck"]["Id"]  # fmt: skip
    thing = ground.add("health check", f"arn:aws:route53:::healthcheck/{made}", name, region=EDGE, id=made)
    ground.maybe(thing, "watches", sees)
    return thing


def certificate(ground: Ground, host: str, region: str = "", by: Thing | None = None) -> Thing:
    """`by`: the zone that holds the domain."""
    arn = ground.call("acm", "RequestCertificate", region, DomainName=host, ValidationMethod="DNS")[
        "CertificateArn"
    ]
    thing = ground.add("certificate", arn, host, region=region)
    ground.maybe(thing, "is proven by", by)
    return thing


def web_acl(
    ground: Ground, name: str, *, edge: bool = False, blocks: str = "", logs: Thing | None = None
) -> Thing:
    """A web ACL, perhaps with an IP set (`blocks`) that its rule names."""
    where, scope = (EDGE, "CLOUDFRONT") if edge else (ground.region, "REGIONAL")
    seen = {"SampledRequestsEnabled": True, "CloudWatchMetricsEnabled": True, "MetricName": name}
    rules: list[Json] = []
    listed: Thing | None = None
    if blocks:
        made = ground.call(
            "wafv2", "CreateIPSet", where,
            Name=blocks, Scope=scope, IPAddressVersion="IPV4", Addresses=["203.0.113.0/24"],
        )["Summary"]  # fmt: skip
        listed = ground.add("ip set", made["ARN"], blocks, region=where)
        named = {"IPSetReferenceStatement": {"ARN": listed.arn}}
        rules.append(
            {
                "Name": blocks,
                "Priority": 0,
                "Statement": named,
                "Action": {"Block": {}},
                "VisibilityConfig": seen,
            }
        )
    made = ground.call(
        "wafv2", "CreateWebACL", where,
        Name=name, Scope=scope, DefaultAction={"Allow": {}}, Rules=rules, VisibilityConfig=seen,
    )["Summary"]  # fmt: skip
    thing = ground.add("web acl", made["ARN"], name, region=where)
    ground.fact(thing, "names", listed)
    if logs:
        sent = {"ResourceArn": thing.arn, "LogDestinationConfigs": [logs.arn]}
        ground.call("wafv2", "PutLoggingConfiguration", where, LoggingConfiguration=sent)
        ground.fact(thing, "writes to", logs)
    return thing


def shield(ground: Ground, acl: Thing, of: Thing) -> None:
    """A regional web ACL in front of a load balancer or a REST API's stage."""
    whom = of["stage"] if of.kind == "rest api" else of.arn
    ground.call("wafv2", "AssociateWebACL", WebACLArn=acl.arn, ResourceArn=whom)
    ground.fact(whom, "is guarded by", acl)
    kind = "API_GATEWAY" if of.kind == "rest api" else "APPLICATION_LOAD_BALANCER"
    names = {"WebACLArn": acl.arn, "ResourceType": kind}
    ground.table.more(ground.region, "wafv2", "ListResourcesForWebACL", names, "ResourceArns", whom)


def distribution(
    ground: Ground, name: str, origins: Sequence[Thing], *, host: str = "", shows: Thing | None = None,
    acl: Thing | None = None, logs: Thing | None = None,
) -> Thing:  # fmt: skip
    def origin(place: int, of: Thing) -> Json:
        row: Json = {"Id": f"o{place}", "DomainName": of["host"]}
        if of.kind == "bucket":
            return {**row, "S3OriginConfig": {"OriginAccessIdentity": ""}}
        secure = {"HTTPPort": 80, "HTTPSPort": 443, "OriginProtocolPolicy": "https-only"}
        return {**row, "CustomOriginConfig": secure}

    items = [origin(place, of) for place, of in enumerate(origins)]
    cached = {"TargetOriginId": "o0", "ViewerProtocolPolicy": "redirect-to-https", "MinTTL": 0,
              "ForwardedValues": {"QueryString": False, "Cookies": {"Forward": "none"}}}  # fmt: skip
    config: Json = {
        "CallerReference": name, "Comment": name, "Enabled": True, "DefaultCacheBehavior": cached,
        "Origins": {"Quantity": len(items), "Items": items},
        "Aliases": {"Quantity": 1, "Items": [host]} if host else {"Quantity": 0},
        "ViewerCertificate": {"ACMCertificateArn": shows.arn, "SSLSupportMethod": "sni-only"}
        if shows else {"CloudFrontDefaultCertificate": True},
        "WebACLId": acl.arn if acl else "",
    }  # fmt: skip
    if logs:
        config["Logging"] = {
            "Enabled": True,
            "IncludeCookies": False,
            "Bucket": f"{logs.name}.s3.amazonaws.com",
            "Prefix": name,
        }
    made = ground.call("cloudfront", "CreateDistribution", EDGE, DistributionConfig=config)["Distribution"]
    thing = ground.add("distribution", made["ARN"], name, region=EDGE,
                       id=made["Id"], host=made["DomainName"], zone="Z2FDTNDATAQYW2")  # fmt: skip
    ground.fact(thing, "calls", *origins)
    ground.fact(thing, "shows", shows)
    ground.fact(thing, "is guarded by", acl)
    ground.fact(thing, "writes to", logs)
    return thing
