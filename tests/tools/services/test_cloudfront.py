"""Distributions: what is read and related, and that an update gives back the very configuration of before."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.tools.fake_account import Answer, FakeAws
from tools import catalogue
from tools.directory import KnownResources
from tools.history import current, prior, requested, same
from tools.models import Actor, ChangeEvent, Json, Resource, Value
from tools.parameters import validate
from tools.services._spec import Setting
from tools.services.cloudfront import SERVICE, describe, dimensions, discover, owner, relations
from tools.setting_values import as_value

NOON = datetime(2026, 3, 13, 12, tzinfo=UTC)
ARN = "arn:aws:cloudfront::111122223333:distribution/E1EXAMPLE0001"
WEB = "arn:aws:elasticloadbalancing:eu-west-1:111122223333:loadbalancer/app/web/50dc6c495c0c9188"
GUARD = "arn:aws:wafv2:us-east-1:111122223333:global/webacl/edge/2a7d5c1e-4b0f-4c67-9d2b-8f1e3a6c5b40"
CERTIFICATE = "arn:aws:acm:us-east-1:111122223333:certificate/2a7d5c1e-4b0f-4c67-9d2b-8f1e3a6c5b40"
REWRITE = "arn:aws:lambda:us-east-1:111122223333:function:rewrite"
POLICY = "658327ea-f89d-4fab-a63d-7e88639e58f6"


def origin(id: str, host: str, **more: Any) -> Json:
    custom = {"HTTPPort": 80, "HTTPSPort": 443, "OriginProtocolPolicy": "https-only"}
    return {"Id": id, "DomainName": host, "OriginPath": "", "CustomOriginConfig": custom, **more}


def behaviour(**changed: Any) -> Json:
    return {
        "TargetOriginId": "web",
        "ViewerProtocolPolicy": "redirect-to-https",
        "CachePolicyId": POLICY,
        "Compress": True,
        **changed,
    }


def listed(*items: Any) -> Json:
    return {"Quantity": len(items), **({"Items": list(items)} if items else {})}


LAMBDA = {"EventType": "origin-request", "LambdaFunctionARN": f"{REWRITE}:7", "IncludeBody": True}


def config(**changed: Any) -> Json:
    return {
        "CallerReference": "r",
        "Comment": "the shop",
        "Enabled": True,
        "Origins": listed(origin("web", "web-1234567890.eu-west-1.elb.amazonaws.com")),
        "Aliases": listed("shop.example.com", "www.example.com"),
        "DefaultRootObject": "index.html",
        "DefaultCacheBehavior": behaviour(LambdaFunctionAssociations=listed(LAMBDA)),
        "CacheBehaviors": listed({"PathPattern": "/static/*", **behaviour(TargetOriginId="web")}),
        "WebACLId": GUARD,
        "PriceClass": "PriceClass_100",
        "HttpVersion": "http2",
        "IsIPV6Enabled": True,
        "ViewerCertificate": {
            "ACMCertificateArn": CERTIFICATE,
            "Certificate": CERTIFICATE,
            "CertificateSource": "acm",
            "CloudFrontDefaultCertificate": False,
            "SSLSupportMethod": "sni-only",
            "MinimumProtocolVersion": "TLSv1.2_2021",
        },
        "Restrictions": {"GeoRestriction": {"RestrictionType": "none", "Quantity": 0}},
        **changed,
    }


def distribution(inner: Json) -> Json:
    return {
        "Id": "E1EXAMPLE0001",
        "ARN": ARN,
        "Status": "Deployed",
        "LastModifiedTime": NOON,
        "InProgressInvalidationBatches": 0,
        "DomainName": "d111abc.cloudfront.net",
        "DistributionConfig": inner,
    }


def answers(inner: Json, **more: Answer) -> dict[tuple[str, str], Answer]:
    made: dict[str, Answer] = {
        "GetDistribution": {"Distribution": distribution(inner), "ETag": "E2QWRUHEXAMPLE"},
        "GetMonitoringSubscription": {
            "MonitoringSubscription": {
                "RealtimeMetricsSubscriptionConfig": {"RealtimeMetricsSubscriptionStatus": "Enabled"}
            }
        },
        "GetVpcOrigin": {
            "VpcOrigin": {
                "Id": "vo_1",
                "Arn": "arn:aws:cloudfront::111122223333:vpcorigin/vo_1",
                "AccountId": "111122223333",
                "Status": "Deployed",
                "CreatedTime": NOON,
                "LastModifiedTime": NOON,
                "VpcOriginEndpointConfig": {
                    "Name": "inside",
                    "Arn": WEB,
                    "HTTPPort": 80,
                    "HTTPSPort": 443,
                    "OriginProtocolPolicy": "https-only",
                },
            }
        },
        "ListTagsForResource": {"Tags": {"Items": [{"Key": "team", "Value": "shop"}]}},
    }
    return {("cloudfront", name): answer for name, answer in {**made, **more}.items()}


def read(**changed: Any) -> Resource:
    found = describe(FakeAws(answers(config(**changed))).reader(), ARN)
    assert found is not None
    return found


BALANCER = Resource(
    arn=WEB,
    service="elbv2",
    type="load-balancer",
    name="web",
    account="111122223333",
    region="eu-west-1",
    config={"DNSName": "web-1234567890.eu-west-1.elb.amazonaws.com"},
)


def related(one: Resource) -> set[tuple[str, str]]:
    found = list(relations(one, KnownResources([one, BALANCER])))
    assert all(item.source == one.arn and item.evidence for item in found)
    assert all(item.provenance.startswith("cloudfront:GetDistribution ") for item in found)
    return {(item.kind, item.target) for item in found}


def setting(path: str) -> Setting:
    return next(
        one
        for one in SERVICE.settings
        if one.path in (path, f"DistributionConfig.{path}") or one.name == path
    )


# -- reading and relations ----------------------------------------------------------------------------


def test_a_distribution_leads_to_its_origin_and_what_requests_pass() -> None:
    found = read()
    assert (found.type, found.name, found.region, found.tags) == (
        "distribution",
        "E1EXAMPLE0001",
        "us-east-1",
        {"team": "shop"},
    )
    assert related(found) == {
        ("forwards to", WEB),
        ("guarded by", GUARD),
        ("uses certificate", CERTIFICATE),
        ("invokes", REWRITE),
        ("set up by", f"arn:aws:cloudfront::111122223333:cache-policy/{POLICY}"),
    }


@pytest.mark.parametrize(
    ("host", "bucket"),
    [
        ("static.s3.amazonaws.com", "static"),
        ("static.s3.eu-west-1.amazonaws.com", "static"),
        ("my.static.s3-website-eu-west-1.amazonaws.com", "my.static"),
        ("static.s3-website.eu-central-1.amazonaws.com", "static"),
        ("static.s3.dualstack.eu-west-1.amazonaws.com", "static"),
    ],
)
def test_a_bucket_is_known_by_its_host(host: str, bucket: str) -> None:
    stored = {"Id": "s", "DomainName": host, "S3OriginConfig": {"OriginAccessIdentity": ""}}
    assert ("forwards to", f"arn:aws:s3:::{bucket}") in related(read(Origins=listed(stored)))


def test_a_vpc_origin_leads_to_what_it_stands_for() -> None:
    inside = {"Id": "in", "DomainName": "inside.example.com", "VpcOriginConfig": {"VpcOriginId": "vo_1"}}
    assert ("forwards to", WEB) in related(read(Origins=listed(inside)))


def test_a_listing_alone_tells_relations_too() -> None:
    inner = {
        key: value for key, value in config().items() if key not in ("CallerReference", "DefaultRootObject")
    }
    empty = {"OriginGroups": listed(), "CustomErrorResponses": listed(), "Staging": False}
    item = {
        **{
            k: v
            for k, v in distribution({}).items()
            if k not in ("DistributionConfig", "InProgressInvalidationBatches")
        }
    }
    listing = {
        "Marker": "",
        "MaxItems": 100,
        "IsTruncated": False,
        "Quantity": 1,
        "Items": [{**item, **inner, **empty}],
    }
    account = FakeAws(answers(config(), ListDistributions={"DistributionList": listing}))
    (found,) = discover(account.reader(), "eu-west-1")
    assert related(found) == related(read())


def test_metrics_that_cost_extra_are_read_where_they_are_on() -> None:
    found = read()
    off = replace(found, config={**found.config, "MonitoringSubscription": {}})
    spec = next(one for one in SERVICE.metrics if one.name == "OriginLatency")
    assert spec.where is not None
    assert (spec.where(found), spec.where(off)) == (True, False)
    assert dimensions(found) == (("DistributionId", "E1EXAMPLE0001"), ("Region", "Global"))
    assert owner(dict(dimensions(found)), "aws", "us-east-1", "111122223333") == ARN
    assert catalogue.owner_of("AWS/CloudFront", {"FunctionName": "f"}, "us-east-1", "111122223333").endswith(
        "/f"
    )


def test_policies_and_functions_are_read_one_by_one() -> None:
    policy: Json = {
        "CachePolicy": {
            "Id": POLICY,
            "LastModifiedTime": NOON,
            "CachePolicyConfig": {"Name": "shop", "MinTTL": 0},
        },
        "ETag": "E3",
    }
    account = FakeAws(answers(config(), GetCachePolicy=policy))
    found = describe(account.reader(), f"arn:aws:cloudfront::111122223333:cache-policy/{POLICY}")
    assert found is not None
    assert (found.type, found.config["ETag"]) == ("cache-policy", "E3")
    assert describe(FakeAws({}).reader(), ARN) is None
    assert describe(FakeAws({}).reader(), "arn:aws:cloudfront::111122223333:function/f") is None


# -- putting back -------------------------------------------------------------------------------------

SENT = {key: value for key, value in config().items() if key != "ViewerCertificate"}


def put_back(one: Setting, before: Resource, after: Resource) -> Json:
    """The configuration that is sent to take `after` back to `before` in this setting."""
    (made,) = one.restore(after, current(before, one))
    assert validate(made) == ()
    assert (made.operation, made.region) == ("UpdateDistribution", "us-east-1")
    assert made.parameters["IfMatch"] == "E2QWRUHEXAMPLE"
    sent: Json = made.parameters["DistributionConfig"]
    shown = sent["ViewerCertificate"]
    assert set(shown) & {"Certificate", "CertificateSource"} == set()
    return sent


CHANGED: list[tuple[str, Json]] = [
    ("Enabled", {"Enabled": False}),
    ("WebACLId", {"WebACLId": ""}),
    ("DefaultRootObject", {"DefaultRootObject": "shop.html"}),
    ("Origins.Items[0].DomainName", {"Origins": listed(origin("web", "old.example.com"))}),
    (
        "Origins.Items[0].OriginPath",
        {"Origins": listed(origin("web", "web-1234567890.eu-west-1.elb.amazonaws.com", OriginPath="/v2"))},
    ),
    (
        "DefaultCacheBehavior.TargetOriginId",
        {"DefaultCacheBehavior": behaviour(LambdaFunctionAssociations=listed(LAMBDA), TargetOriginId="b")},
    ),
    (
        "DefaultCacheBehavior.CachePolicyId",
        {"DefaultCacheBehavior": behaviour(LambdaFunctionAssociations=listed(LAMBDA), CachePolicyId="none")},
    ),
    ("names (aliases)", {"Aliases": listed("www.example.com")}),
    (
        "countries that are let in",
        {"Restrictions": {"GeoRestriction": {"RestrictionType": "whitelist", **listed("FR", "DE")}}},
    ),
    (
        "cache behaviours",
        {"CacheBehaviors": listed({"PathPattern": "/static/*", **behaviour(TargetOriginId="b")})},
    ),
    (
        "Lambda@Edge functions of the default behaviour",
        {
            "DefaultCacheBehavior": behaviour(
                LambdaFunctionAssociations=listed(LAMBDA, {**LAMBDA, "EventType": "viewer-request"})
            )
        },
    ),
]


@pytest.mark.parametrize(("name", "changed"), CHANGED, ids=[name for name, _ in CHANGED])
def test_an_update_sends_the_configuration_of_before_whole(name: str, changed: Json) -> None:
    before, after = read(), read(**changed)
    one = setting(name)
    assert not same(current(before, one), current(after, one), one)
    sent = put_back(one, before, after)
    assert {key: value for key, value in sent.items() if key != "ViewerCertificate"} == SENT


def test_of_several_origins_the_one_that_moved_goes_back_by_its_id() -> None:
    good = listed(origin("web", "web.example.com"), origin("api", "api.example.com"))
    bad = listed(origin("api", "api.example.com"), origin("web", "old.example.com"))
    before, after = read(Origins=good), read(Origins=bad)
    sent = put_back(setting("origins"), before, after)
    hosts = {one["Id"]: one["DomainName"] for one in sent["Origins"]["Items"]}
    assert hosts == {"web": "web.example.com", "api": "api.example.com"}
    # One that is gone cannot be made again from its row.
    fewer = read(Origins=listed(origin("web", "old.example.com"), origin("new", "api.example.com")))
    assert setting("origins").restore(fewer, current(before, setting("origins"))) == ()


def test_a_certificate_goes_back_with_the_members_that_belong_to_it() -> None:
    other = CERTIFICATE.replace("2a7d5c1e", "0b0b0b0b")
    shown = {**config()["ViewerCertificate"], "ACMCertificateArn": other, "Certificate": other}
    one = setting("ViewerCertificate.ACMCertificateArn")
    sent = put_back(one, read(), read(ViewerCertificate=shown))
    assert sent["ViewerCertificate"] == {
        "ACMCertificateArn": CERTIFICATE,
        "CloudFrontDefaultCertificate": False,
        "SSLSupportMethod": "sni-only",
        "MinimumProtocolVersion": "TLSv1.2_2021",
    }
    default = {"CloudFrontDefaultCertificate": True, "MinimumProtocolVersion": "TLSv1"}
    assert one.restore(read(ViewerCertificate=default), CERTIFICATE) == ()


def test_a_header_for_the_origin_is_neither_kept_nor_sent() -> None:
    headers = listed({"HeaderName": "X-Origin-Verify", "HeaderValue": "correct-horse"})
    secret = origin("web", "web.example.com", CustomHeaders=headers)
    found = read(Origins=listed(secret))
    assert "correct-horse" not in json.dumps(found.config)
    assert setting("Enabled").restore(found, False) == ()


def test_the_way_back_names_no_version_that_is_over() -> None:
    """Sending what was read is a way back: the update before it has made a new ETag."""
    bad = read(DefaultRootObject="shop.html")
    one = setting("DefaultRootObject")
    (apply,), (back,) = one.restore(bad, "index.html"), one.restore(bad, "shop.html")
    assert apply.parameters["IfMatch"] == "E2QWRUHEXAMPLE"
    assert back.parameters["IfMatch"] == "ETAG-FROM-GET-DISTRIBUTION-CONFIG"
    # Members that move together are joined before they are sent.
    moved = replace(
        bad,
        config={**bad.config, "DistributionConfig": {**bad.config["DistributionConfig"], "Enabled": True}},
    )
    assert one.restore(moved, "index.html")[0].parameters["IfMatch"] == "E2QWRUHEXAMPLE"


def test_without_an_etag_nothing_is_proposed() -> None:
    found = read()
    unread = replace(found, config={key: value for key, value in found.config.items() if key != "ETag"})
    assert all(one.restore(unread, current(found, one)) == () for one in SERVICE.settings)


@given(
    st.lists(st.sampled_from(["a.example.com", "b.example.com", "c.example.com"]), unique=True),
    st.lists(st.sampled_from(["a.example.com", "b.example.com", "c.example.com"]), unique=True),
)
def test_any_list_of_names_goes_back(good: list[str], bad: list[str]) -> None:
    before, after = read(Aliases=listed(*good)), read(Aliases=listed(*bad))
    one = setting("names (aliases)")
    (made,) = one.restore(after, current(before, one))
    assert made.parameters["DistributionConfig"]["Aliases"] == listed(*sorted(good))


# -- events -------------------------------------------------------------------------------------------


def recorded(value: Any) -> Any:
    """As CloudTrail writes it: small first letters, empty lists told."""
    if isinstance(value, dict):
        made = {key[0].lower() + key[1:]: recorded(inner) for key, inner in value.items()}
        return {**made, "items": made.get("items", [])} if "quantity" in made else made
    return [recorded(one) for one in value] if isinstance(value, list) else value


def happened(inner: Json, minute: int = 30, comment: str = "") -> ChangeEvent:
    body = {**recorded(_sent(inner)), "comment": comment}
    return ChangeEvent(
        id=f"e{minute}",
        time=NOON.replace(minute=minute),
        source="cloudfront.amazonaws.com",
        action="UpdateDistribution2020_05_31",
        operation="UpdateDistribution",
        region="us-east-1",
        account="111122223333",
        actor=Actor(kind="iam_user", name="ops-07", how="console"),
        request={"id": "E1EXAMPLE0001", "ifMatch": "E0", "distributionConfig": body},
        response={"eTag": f"E{minute}"},
    )


def _sent(inner: Json) -> Json:
    shown = {k: v for k, v in inner["ViewerCertificate"].items() if not k.startswith("Certificate")}
    return {**inner, "ViewerCertificate": shown}


@pytest.mark.parametrize("one", SERVICE.settings, ids=lambda one: str(one.name))
def test_a_request_and_a_description_of_the_same_say_the_same(one: Setting) -> None:
    """Else every plan would say that somebody has changed the value again."""
    present, value = requested(happened(config()), one)
    told: Value = as_value(value)
    if present:
        assert same(told, current(read(), one), one)
    else:
        assert current(read(), one) in (None, one.unset)


def test_the_value_before_is_told_by_the_earlier_event_of_this_distribution() -> None:
    one = setting("Enabled")
    bad, good = happened(config(Enabled=False)), happened(config(), 10)
    other = replace(
        happened(config(Enabled=False), 20),
        request={"id": "E9OTHER", "distributionConfig": {"enabled": False}},
    )
    before = prior(one, read(Enabled=False), bad, (bad, good, other), None)
    assert (before.known, before.value, len(before.sources)) == (True, True, 1)


def test_an_event_is_undone_whole_from_the_one_before_under_its_own_etag() -> None:
    change = next(one for one in SERVICE.changes if one.operation == "UpdateDistribution")
    assert change.undo is not None
    bad, good = happened(config(Enabled=False)), happened(config(), 10)
    (made,) = change.undo(bad, (good,))
    assert validate(made) == ()
    assert (made.parameters["IfMatch"], made.parameters["DistributionConfig"]["Enabled"]) == ("E30", True)
    assert change.undo(bad, ()) == ()
    hidden = happened(config(), 10, comment="HIDDEN_DUE_TO_SECURITY_REASONS")
    assert change.undo(bad, (hidden,)) == ()
