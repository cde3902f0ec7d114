"""Reads of Route 53, CloudFront and WAF (API references). The first two are global: every region answers the same."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from evals.world import edge_shown
from evals.world.asking import Ask, NotModelled, Refusal, handles
from evals.world.world import Thing
from tools.models import Json

_DAYS = 172_800


def _of(ask: Ask, kind: str) -> list[Thing]:
    found = [one for one in ask.world.of(kind) if one.created <= ask.as_of]
    return sorted(found, key=lambda one: one.name)


# -- Route 53 -------------------------------------------------------------------------------------


def _zone(ask: Ask, name: str = "Id") -> Thing:
    wanted = str(ask.need(name)).rsplit("/", 1)[-1]
    for one in _of(ask, "hosted-zone"):
        if one.fixed["id"] == wanted:
            return one
    raise Refusal("NoSuchHostedZone", f"No hosted zone found with ID: {wanted}", 404)


def _zone_shown(ask: Ask, zone: Thing) -> Json:
    return {
        "Id": f"/hostedzone/{zone.fixed['id']}",
        "Name": zone.name,
        "CallerReference": ask.world.seed.uuid(f"reference:{zone.arn}"),
        "Config": {"Comment": "", "PrivateZone": False},
        "ResourceRecordSetCount": len(_records(ask, zone)),
    }


def _servers(zone: Thing) -> list[str]:
    salt = sum(map(ord, zone.arn)) % 500
    return [f"ns-{salt + number * 512}.awsdns-{salt % 60:02d}.example" for number in range(4)]


def _records(ask: Ask, zone: Thing) -> list[Json]:
    """All record sets, by their labels from the last to the first, as Route 53 orders them."""
    servers = [{"Value": f"{one}."} for one in _servers(zone)]
    soa = f"{_servers(zone)[0]}. awsdns-hostmaster.amazon.com. 1 7200 900 1209600 86400"
    found: list[Json] = [
        {"Name": zone.name, "Type": "NS", "TTL": _DAYS, "ResourceRecords": servers},
        {"Name": zone.name, "Type": "SOA", "TTL": 900, "ResourceRecords": [{"Value": soa}]},
    ]
    found += zone.settings.under("Records", ask.as_of).values()
    return sorted(found, key=_place)


def _place(record: Json) -> tuple[list[str], str]:
    return list(reversed(str(record["Name"]).rstrip(".").split("."))), str(record["Type"])


@handles("route53", "ListHostedZones")
def list_hosted_zones(ask: Ask) -> Json:
    ask.only("HostedZoneType", None)
    size, token = int(ask.take("MaxItems", 100)), ask.take("Marker")
    page, following = ask.page([_zone_shown(ask, one) for one in _of(ask, "hosted-zone")], size, token)
    answer: Json = {"HostedZones": page, "IsTruncated": following is not None, "MaxItems": str(size)}
    answer["Marker"] = token or ""
    return answer | ({"NextMarker": following} if following else {})


@handles("route53", "ListHostedZonesByName")
def list_hosted_zones_by_name(ask: Ask) -> Json:
    """From a name on, in the order of the labels."""
    name, size = ask.take("DNSName"), int(ask.take("MaxItems", 100))
    if ask.take("HostedZoneId") is not None:
        raise NotModelled("HostedZoneId")
    zones = sorted(_of(ask, "hosted-zone"), key=lambda one: _place({"Name": one.name, "Type": ""}))
    if name:
        start = _place({"Name": str(name), "Type": ""})
        zones = [one for one in zones if _place({"Name": one.name, "Type": ""}) >= start]
    shown = [_zone_shown(ask, one) for one in zones[:size]]
    answer: Json = {"HostedZones": shown, "IsTruncated": len(zones) > size, "MaxItems": str(size)}
    if len(zones) > size:
        answer |= {"NextDNSName": zones[size].name, "NextHostedZoneId": zones[size].fixed["id"]}
    return answer | ({"DNSName": name} if name else {})


@handles("route53", "GetHostedZone")
def get_hosted_zone(ask: Ask) -> Json:
    zone = _zone(ask)
    return {"HostedZone": _zone_shown(ask, zone), "DelegationSet": {"NameServers": _servers(zone)}}


@handles("route53", "ListResourceRecordSets")
def list_resource_record_sets(ask: Ask) -> Json:
    zone, size = _zone(ask, "HostedZoneId"), int(ask.take("MaxItems", 300))
    name, kind = ask.take("StartRecordName"), ask.take("StartRecordType")
    if ask.take("StartRecordIdentifier") is not None:
        raise NotModelled("StartRecordIdentifier")
    found = _records(ask, zone)
    if name:
        start = _place({"Name": str(name), "Type": str(kind or "")})
        found = [one for one in found if _place(one) >= start]
    answer: Json = {
        "ResourceRecordSets": found[:size],
        "IsTruncated": len(found) > size,
        "MaxItems": str(size),
    }
    if len(found) > size:
        answer |= {"NextRecordName": found[size]["Name"], "NextRecordType": found[size]["Type"]}
    return answer


@handles("route53", "ListTagsForResource")
def list_tags_of_zone(ask: Ask) -> Json:
    if ask.need("ResourceType") != "hostedzone":
        raise NotModelled("ResourceType")
    zone = _zone(ask, "ResourceId")
    tags = [{"Key": key, "Value": value} for key, value in sorted(zone.tags(ask.as_of).items())]
    return {"ResourceTagSet": {"ResourceType": "hostedzone", "ResourceId": zone.fixed["id"], "Tags": tags}}


@handles("route53", "ListHealthChecks")
def list_health_checks(ask: Ask) -> Json:
    """No world has any."""
    size = ask.take("MaxItems", 100)
    return {"HealthChecks": [], "IsTruncated": False, "MaxItems": str(size), "Marker": ""}


@handles("route53", "ListQueryLoggingConfigs")
def list_query_logging(ask: Ask) -> Json:
    if ask.left.get("HostedZoneId"):
        _zone(ask, "HostedZoneId")
    ask.take("MaxResults")
    return {"QueryLoggingConfigs": []}


# -- CloudFront -----------------------------------------------------------------------------------


def _distribution(ask: Ask, name: str = "Id") -> Thing:
    wanted = str(ask.need(name))
    for one in _of(ask, "distribution"):
        if wanted in (one.fixed["id"], one.arn):
            return one
    raise Refusal("NoSuchDistribution", "The specified distribution does not exist.", 404)


def _status(thing: Thing, moment: datetime) -> str:
    changed = edge_shown.modified(thing, moment)
    return "Deployed" if moment >= changed + edge_shown.DEPLOYS else "InProgress"


def _summary(thing: Thing, moment: datetime) -> Json:
    config = edge_shown.distribution_config(thing, moment)
    left = ("CallerReference", "DefaultRootObject", "Logging", "ContinuousDeploymentPolicyId")
    return {
        "Id": thing.fixed["id"],
        "ARN": thing.arn,
        "ETag": edge_shown.etag(thing, moment),
        "Status": _status(thing, moment),
        "LastModifiedTime": edge_shown.modified(thing, moment),
        "DomainName": thing.fixed["domain"],
        **{key: value for key, value in config.items() if key not in left},
        "AliasICPRecordals": [],
    }


@handles("cloudfront", "ListDistributions")
def list_distributions(ask: Ask) -> Json:
    size, token = int(ask.take("MaxItems", 100)), ask.take("Marker")
    page, following = ask.page([_summary(one, ask.as_of) for one in _of(ask, "distribution")], size, token)
    shown: Json = {
        "Marker": token or "",
        "MaxItems": size,
        "IsTruncated": following is not None,
        "Quantity": len(page),
    }
    shown |= ({"Items": page} if page else {}) | ({"NextMarker": following} if following else {})
    return {"DistributionList": shown}


@handles("cloudfront", "GetDistribution")
def get_distribution(ask: Ask) -> Json:
    thing = _distribution(ask)
    shown = {
        "Id": thing.fixed["id"],
        "ARN": thing.arn,
        "Status": _status(thing, ask.as_of),
        "LastModifiedTime": edge_shown.modified(thing, ask.as_of),
        "InProgressInvalidationBatches": 0,
        "DomainName": thing.fixed["domain"],
        "ActiveTrustedSigners": {"Enabled": False, "Quantity": 0},
        "ActiveTrustedKeyGroups": {"Enabled": False, "Quantity": 0},
        "DistributionConfig": edge_shown.distribution_config(thing, ask.as_of),
    }
    return {"Distribution": shown, "ETag": edge_shown.etag(thing, ask.as_of)}


@handles("cloudfront", "GetDistributionConfig")
def get_distribution_config(ask: Ask) -> Json:
    thing = _distribution(ask)
    return {
        "DistributionConfig": edge_shown.distribution_config(thing, ask.as_of),
        "ETag": edge_shown.etag(thing, ask.as_of),
    }


@handles("cloudfront", "GetMonitoringSubscription")
def get_monitoring_subscription(ask: Ask) -> Json:
    thing = _distribution(ask, "DistributionId")
    if not thing.fixed["more"]:
        raise Refusal("NoSuchMonitoringSubscription", "The monitoring subscription does not exist.", 404)
    status = {"RealtimeMetricsSubscriptionStatus": "Enabled"}
    return {"MonitoringSubscription": {"RealtimeMetricsSubscriptionConfig": status}}


@handles("cloudfront", "ListTagsForResource")
def list_tags_of_distribution(ask: Ask) -> Json:
    tags = _distribution(ask, "Resource").tags(ask.as_of)
    return {"Tags": {"Items": [{"Key": key, "Value": value} for key, value in sorted(tags.items())]}}


@handles("cloudfront", "ListInvalidations")
def list_invalidations(ask: Ask) -> Json:
    _distribution(ask, "DistributionId")
    size = int(ask.take("MaxItems", 100))
    return {"InvalidationList": {"Marker": "", "MaxItems": size, "IsTruncated": False, "Quantity": 0}}


# -- WAF ------------------------------------------------------------------------------------------


def _acls(ask: Ask) -> list[Thing]:
    return [one for one in _of(ask, "web-acl") if one.region == ask.region]


def _acl(ask: Ask) -> Thing:
    arn, name, code = ask.take("ARN"), ask.take("Name"), ask.take("Id")
    scope = ask.take("Scope")
    for one in _acls(ask):
        by_name = (one.name, one.fixed["id"], one.fixed["scope"]) == (name, code, scope)
        if by_name or (arn is not None and arn == one.arn):
            return one
    raise _gone()


def _gone() -> Refusal:
    said = "AWS WAF couldn\u2019t perform the operation because your resource doesn\u2019t exist."
    return Refusal("WAFNonexistentItemException", said)


@handles("wafv2", "ListWebACLs")
def list_web_acls(ask: Ask) -> Json:
    scope, size, token = ask.need("Scope"), int(ask.take("Limit", 100)), ask.take("NextMarker")
    shown = [
        {
            "Name": one.name,
            "Id": one.fixed["id"],
            "Description": "",
            "LockToken": edge_shown.token(ask.world, one, ask.as_of),
            "ARN": one.arn,
        }
        for one in _acls(ask)
        if one.fixed["scope"] == scope
    ]
    page, following = ask.page(shown, size, token)
    return {"WebACLs": page} | ({"NextMarker": following} if following else {})


@handles("wafv2", "GetWebACL")
def get_web_acl(ask: Ask) -> Json:
    acl = _acl(ask)
    return {
        "WebACL": edge_shown.web_acl(ask.world, acl, ask.as_of),
        "LockToken": edge_shown.token(ask.world, acl, ask.as_of),
    }


@handles("wafv2", "GetWebACLForResource")
def get_web_acl_for_resource(ask: Ask) -> Json:
    arn = str(ask.need("ResourceArn"))
    for one in _acls(ask):
        if arn in one.fixed["guards"]:
            return {"WebACL": edge_shown.web_acl(ask.world, one, ask.as_of)}
    if arn not in ask.world.things:
        raise _gone()
    return {}


def _by_arn(ask: Ask, name: str) -> Thing:
    arn = str(ask.need(name))
    found = next((one for one in _acls(ask) if one.arn == arn), None)
    if found is None:
        raise _gone()
    return found


_TYPES = {"load-balancer": "APPLICATION_LOAD_BALANCER", "rest-api": "API_GATEWAY"}


@handles("wafv2", "ListResourcesForWebACL")
def list_resources_for_web_acl(ask: Ask) -> Json:
    acl, kind = _by_arn(ask, "WebACLArn"), str(ask.take("ResourceType", "APPLICATION_LOAD_BALANCER"))
    found = [arn for arn in acl.fixed["guards"] if _TYPES.get(ask.world.things[arn].kind) == kind]
    return {"ResourceArns": found}


@handles("wafv2", "GetLoggingConfiguration")
def get_logging_configuration(ask: Ask) -> Json:
    acl = _by_arn(ask, "ResourceArn")
    ask.only("LogType", "WAF_LOGS")
    ask.only("LogScope", "CUSTOMER")
    if not acl.fixed["log"]:
        raise _gone()
    blocked = {"ActionCondition": {"Action": "BLOCK"}}
    kept = {"Behavior": "KEEP", "Requirement": "MEETS_ANY", "Conditions": [blocked]}
    return {
        "LoggingConfiguration": {
            "ResourceArn": acl.arn,
            "LogDestinationConfigs": [ask.world.arn("logs", f"log-group:aws-waf-logs-{acl.name}")],
            "ManagedByFirewallManager": False,
            "LoggingFilter": {"Filters": [kept], "DefaultBehavior": "DROP"},
        }
    }


@handles("wafv2", "ListTagsForResource")
def list_tags_of_acl(ask: Ask) -> Json:
    acl = _by_arn(ask, "ResourceARN")
    ask.take("Limit")
    tags: list[Any] = [{"Key": key, "Value": value} for key, value in sorted(acl.tags(ask.as_of).items())]
    return {"TagInfoForResource": {"ResourceARN": acl.arn, "TagList": tags}}


def _none(ask: Ask) -> Json:
    """IP sets, rule groups and pattern sets: no world has any."""
    ask.need("Scope")
    ask.take("Limit")
    return {{"ListIPSets": "IPSets", "ListRuleGroups": "RuleGroups"}[ask.operation]: []}


for _operation in ("ListIPSets", "ListRuleGroups"):
    handles("wafv2", _operation)(_none)


_MANAGED_SINCE = datetime(2020, 7, 14, tzinfo=UTC)


@handles("cloudfront", "GetCachePolicy")
def get_cache_policy(ask: Ask) -> Json:
    """AWS's own Managed-CachingDisabled (developer guide, "Use managed cache policies")."""
    if ask.need("Id") != edge_shown.CACHING_DISABLED:
        raise NotModelled("Id")
    key = {
        "EnableAcceptEncodingGzip": False,
        "EnableAcceptEncodingBrotli": False,
        "HeadersConfig": {"HeaderBehavior": "none"},
        "CookiesConfig": {"CookieBehavior": "none"},
        "QueryStringsConfig": {"QueryStringBehavior": "none"},
    }
    config = {
        "Comment": "Policy with caching disabled",
        "Name": "Managed-CachingDisabled",
        "DefaultTTL": 0,
        "MaxTTL": 0,
        "MinTTL": 0,
        "ParametersInCacheKeyAndForwardedToOrigin": key,
    }
    shown = {
        "Id": edge_shown.CACHING_DISABLED,
        "LastModifiedTime": _MANAGED_SINCE,
        "CachePolicyConfig": config,
    }
    return {"CachePolicy": shown, "ETag": "E23ZP02F085DFQ"}


@handles("cloudfront", "GetOriginRequestPolicy")
def get_origin_request_policy(ask: Ask) -> Json:
    """AWS's own Managed-AllViewer."""
    if ask.need("Id") != edge_shown.ALL_VIEWER:
        raise NotModelled("Id")
    config = {
        "Comment": "Policy to forward all parameters in viewer requests",
        "Name": "Managed-AllViewer",
        "HeadersConfig": {"HeaderBehavior": "allViewer"},
        "CookiesConfig": {"CookieBehavior": "all"},
        "QueryStringsConfig": {"QueryStringBehavior": "all"},
    }
    shown = {
        "Id": edge_shown.ALL_VIEWER,
        "LastModifiedTime": _MANAGED_SINCE,
        "OriginRequestPolicyConfig": config,
    }
    return {"OriginRequestPolicy": shown, "ETag": "E23ZP02F085DFQ"}
