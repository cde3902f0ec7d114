"""Distributions, web ACLs and certificates as AWS's answers show them at a moment."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from evals.world.world import Thing, World
from tools.models import Json

DEPLOYS = timedelta(minutes=5)
VALID = timedelta(days=198)
CACHING_DISABLED = "4135ea2d-6df8-44a3-9df3-4b5a84be39ad"
ALL_VIEWER = "216adef6-5c7f-47e4-b989-5492eafa07d3"


def _changes(thing: Thing, moment: datetime) -> int:
    """How often its own settings were changed up to a moment."""
    return sum(
        sum(since <= moment for since in steps.since)
        for path, steps in thing.settings.steps.items()
        if not path.startswith(("_", "tags."))
    )


def etag(thing: Thing, moment: datetime, *, before: bool = False) -> str:
    """The version of a distribution's configuration."""
    number = _changes(thing, moment - timedelta(seconds=1) if before else moment)
    return f"E{(sum(map(ord, thing.arn)) * 7919 + number * 104_729) % 36**10:010X}"[:13].ljust(13, "V")


def token(world: World, thing: Thing, moment: datetime, *, before: bool = False) -> str:
    """The lock token of a web ACL."""
    number = _changes(thing, moment - timedelta(seconds=1) if before else moment)
    return world.seed.uuid(f"lock:{thing.arn}:{number}")


def modified(thing: Thing, moment: datetime) -> datetime:
    """When its own settings last changed."""
    found = [
        since
        for path, steps in thing.settings.steps.items()
        for since in steps.since
        if since <= moment and not path.startswith(("_", "tags."))
    ]
    return max(found, default=thing.created)


def _listed(items: list[Any]) -> Json:
    return {"Quantity": len(items), "Items": items} if items else {"Quantity": 0}


def distribution_config(thing: Thing, moment: datetime) -> Json:
    """DistributionConfig: one origin, nothing is cached."""
    origin = {
        "Id": thing.fixed["origin"],
        "DomainName": thing.at("Origins.DomainName", moment),
        "OriginPath": thing.at("Origins.OriginPath", moment) or "",
        "CustomHeaders": {"Quantity": 0},
        "CustomOriginConfig": {
            "HTTPPort": 80,
            "HTTPSPort": 443,
            "OriginProtocolPolicy": "https-only",
            "OriginSslProtocols": _listed(["TLSv1.2"]),
            "OriginReadTimeout": 30,
            "OriginKeepaliveTimeout": 5,
        },
        "ConnectionAttempts": 3,
        "ConnectionTimeout": 10,
        "OriginShield": {"Enabled": False},
        "OriginAccessControlId": "",
    }
    return {
        "CallerReference": thing.fixed["reference"],
        "Aliases": _listed(list(thing.fixed["aliases"])),
        "DefaultRootObject": "",
        "Origins": _listed([origin]),
        "OriginGroups": {"Quantity": 0},
        "DefaultCacheBehavior": _behavior(thing),
        "CacheBehaviors": {"Quantity": 0},
        "CustomErrorResponses": {"Quantity": 0},
        "Comment": "",
        "Logging": {"Enabled": False, "IncludeCookies": False, "Bucket": "", "Prefix": ""},
        "PriceClass": "PriceClass_All",
        "Enabled": True,
        "ViewerCertificate": {
            "CloudFrontDefaultCertificate": True,
            "SSLSupportMethod": "vip",
            "MinimumProtocolVersion": "TLSv1",
            "CertificateSource": "cloudfront",
        },
        "Restrictions": {"GeoRestriction": {"RestrictionType": "none", "Quantity": 0}},
        "WebACLId": "",
        "HttpVersion": "http2",
        "IsIPV6Enabled": True,
        "ContinuousDeploymentPolicyId": "",
        "Staging": False,
    }


def settable(config: Json) -> Json:
    """A configuration as it is sent back: without what is deprecated and only shown."""
    shown = config["ViewerCertificate"]
    kept = {key: value for key, value in shown.items() if key != "CertificateSource"}
    return {**config, "ViewerCertificate": kept}


def _behavior(thing: Thing) -> Json:
    methods = ["HEAD", "DELETE", "POST", "GET", "OPTIONS", "PUT", "PATCH"]
    return {
        "TargetOriginId": thing.fixed["origin"],
        "TrustedSigners": {"Enabled": False, "Quantity": 0},
        "TrustedKeyGroups": {"Enabled": False, "Quantity": 0},
        "ViewerProtocolPolicy": "redirect-to-https",
        "AllowedMethods": {**_listed(methods), "CachedMethods": _listed(["HEAD", "GET"])},
        "SmoothStreaming": False,
        "Compress": True,
        "LambdaFunctionAssociations": {"Quantity": 0},
        "FunctionAssociations": {"Quantity": 0},
        "FieldLevelEncryptionId": "",
        "CachePolicyId": CACHING_DISABLED,
        "OriginRequestPolicyId": ALL_VIEWER,
    }


def web_acl(world: World, thing: Thing, moment: datetime) -> Json:
    """A web ACL with its rules, by priority."""
    return {
        "Name": thing.name,
        "Id": thing.fixed["id"],
        "ARN": thing.arn,
        "DefaultAction": {"Allow": {}},
        "Description": "",
        "Rules": [_rule(thing, name, moment) for name in thing.fixed["rules"]],
        "VisibilityConfig": _visible(thing.name),
        "Capacity": 10 * len(thing.fixed["rules"]),
        "ManagedByFirewallManager": False,
        "LabelNamespace": f"awswaf:{world.account}:webacl:{thing.name}:",
    }


def _visible(name: str) -> Json:
    return {"SampledRequestsEnabled": True, "CloudWatchMetricsEnabled": True, "MetricName": name}


def _rule(thing: Thing, name: str, moment: datetime) -> Json:
    held = thing.fixed["rules"][name]
    action = str(thing.at(f"Rules.{name}.Action", moment))
    return {
        "Name": name,
        "Priority": list(thing.fixed["rules"]).index(name),
        "Statement": _statement(held),
        "Action": {action: {}},
        "VisibilityConfig": _visible(name),
    }


def _statement(held: Json) -> Json:
    """What a rule looks at: the size of the body, the country, or how many come from one address."""
    plain = [{"Priority": 0, "Type": "NONE"}]
    kind = str(held.get("on", "size"))
    if kind == "rate":
        return {"RateBasedStatement": {"Limit": 2000, "AggregateKeyType": "IP"}}
    if kind == "country":
        return {"GeoMatchStatement": {"CountryCodes": list(held.get("countries", ["US"]))}}
    return {
        "SizeConstraintStatement": {
            "FieldToMatch": {"Body": {"OversizeHandling": "CONTINUE"}},
            "ComparisonOperator": "GT",
            "Size": int(held.get("size", 8192)),
            "TextTransformations": plain,
        }
    }


def not_after(certificate: Thing) -> datetime:
    """When a certificate ends: at the moment that nature says, or as long after its making as AWS gives."""
    steps = certificate.settings.steps.get("_expired")
    return steps.since[0] if steps is not None and steps.since else certificate.created + VALID
