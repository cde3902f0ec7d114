"""Certificates: what is read and related, when one counts as over, and what puts its option back."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from tests.tools.fake_account import Answer, FakeAws
from tools import catalogue
from tools.directory import KnownResources
from tools.models import Json, Resource
from tools.parameters import validate
from tools.services._spec import Condition
from tools.services.acm import SERVICE, describe, discover, relations
from tools.topology import around

AS_OF = datetime(2026, 3, 13, 17, 41, tzinfo=UTC)
ARN = "arn:aws:acm:eu-west-1:111122223333:certificate/2a7d5c1e-4b0f-4c67-9d2b-8f1e3a6c5b40"
WEB = "arn:aws:elasticloadbalancing:eu-west-1:111122223333:loadbalancer/app/web/50dc6c495c0c9188"
HTTPS = (
    "arn:aws:elasticloadbalancing:eu-west-1:111122223333:listener/app/web/50dc6c495c0c9188/f2f7dc8efc522ab2"
)
EDGE = "arn:aws:cloudfront::111122223333:distribution/E1EXAMPLE0001"


def certificate(**changed: Any) -> Json:
    name = "_a79865eb4cd1a6ab990a45779b4e0b96.shop.example.com."
    return {
        "CertificateArn": ARN,
        "DomainName": "shop.example.com",
        "Status": "ISSUED",
        "Type": "AMAZON_ISSUED",
        "NotAfter": AS_OF + timedelta(days=40, hours=3),
        "InUseBy": [WEB],
        "RenewalEligibility": "ELIGIBLE",
        "DomainValidationOptions": [
            {
                "DomainName": "shop.example.com",
                "ValidationMethod": "DNS",
                "ValidationStatus": "SUCCESS",
                "ResourceRecord": {"Name": name, "Type": "CNAME", "Value": "_x.acm-validations.aws."},
            }
        ],
        "Options": {"CertificateTransparencyLoggingPreference": "ENABLED"},
        **changed,
    }


def renewal(status: str) -> Json:
    options = [{"DomainName": "shop.example.com"}]
    return {"RenewalStatus": status, "DomainValidationOptions": options, "UpdatedAt": AS_OF}


def answers(**more: Answer) -> dict[tuple[str, str], Answer]:
    made: dict[str, Answer] = {
        "DescribeCertificate": {"Certificate": certificate()},
        "ListTagsForCertificate": {"Tags": [{"Key": "team", "Value": "shop"}, {"Key": "seen"}]},
    }
    return {("acm", name): answer for name, answer in {**made, **more}.items()}


def read(**changed: Any) -> Resource:
    account = FakeAws(answers(DescribeCertificate={"Certificate": certificate(**changed)}))
    found = describe(account.reader(), ARN)
    assert found is not None
    return found


def zone(name: str, id: str) -> Resource:
    return Resource(
        arn=f"arn:aws:route53:::hostedzone/{id}",
        service="route53",
        type="hosted-zone",
        name=name,
        account="111122223333",
        region="us-east-1",
    )


def related(one: Resource, *others: Resource) -> set[tuple[str, str, str]]:
    found = relations(one, KnownResources([one, *others]))
    return {(item.source, item.kind, item.target) for item in found}


def test_a_certificate_is_read_with_the_days_that_are_left() -> None:
    found = read()
    assert (found.type, found.name, found.config["DaysToExpiry"]) == ("certificate", "shop.example.com", 40)
    assert found.tags == {"team": "shop", "seen": ""}
    assert read(NotAfter=AS_OF - timedelta(minutes=1)).config["DaysToExpiry"] == -1
    pending = {key: value for key, value in certificate().items() if key != "NotAfter"}
    account = FakeAws(answers(DescribeCertificate={"Certificate": pending}))
    described = describe(account.reader(), ARN)
    assert described is not None
    assert "DaysToExpiry" not in described.config


def test_a_listing_asks_for_keys_of_every_kind() -> None:
    asked: list[Json] = []

    def listing(parameters: Json) -> Json:
        asked.append(parameters)
        item = {"CertificateArn": ARN, "DomainName": "shop.example.com", "Status": "ISSUED", "InUse": True}
        return {"CertificateSummaryList": [item]}

    found = list(discover(FakeAws(answers(ListCertificates=listing)).reader(), "eu-west-1"))
    assert [one.arn for one in found] == [ARN]
    assert {"RSA_4096", "EC_prime256v1"} <= set(asked[0]["Includes"]["keyTypes"])


def test_the_balancer_that_uses_it_and_the_nearest_zone_are_told() -> None:
    found = related(
        read(), zone("example.com", "Z1"), zone("shop.example.com", "Z2"), zone("op.example.com", "Z3")
    )
    assert found == {
        (WEB, "uses certificate", ARN),
        (ARN, "validated by", "arn:aws:route53:::hostedzone/Z2"),
    }


def test_listeners_and_distributions_name_a_certificate_themselves() -> None:
    def other(arn: str, service: str, type: str, config: Json) -> Resource:
        return Resource(
            arn=arn, service=service, type=type, name="x", account="111122223333", region="", config=config
        )

    listener = other(HTTPS, "elbv2", "listener", {"Certificates": [{"CertificateArn": ARN}]})
    plain = other(WEB, "elbv2", "load-balancer", {"Listeners": [{"Certificates": [{"CertificateArn": "x"}]}]})
    config = {"DistributionConfig": {"ViewerCertificate": {"ACMCertificateArn": ARN}}}
    edge = other(EDGE, "cloudfront", "distribution", config)
    found = related(read(InUseBy=[]), listener, plain, edge)
    assert {one for one in found if one[1] == "uses certificate"} == {
        (HTTPS, "uses certificate", ARN),
        (EDGE, "uses certificate", ARN),
    }


def test_a_balancer_in_trouble_shows_its_certificate() -> None:
    balancer: Json = {"LoadBalancerArn": WEB, "LoadBalancerName": "web", "Type": "application"}
    listener = {"ListenerArn": HTTPS, "LoadBalancerArn": WEB, "Certificates": [{"CertificateArn": ARN}]}
    listing: Json = {"CertificateSummaryList": [{"CertificateArn": ARN, "DomainName": "shop.example.com"}]}
    account = FakeAws(
        {
            **answers(ListCertificates=listing),
            ("elbv2", "DescribeLoadBalancers"): {"LoadBalancers": [balancer]},
            ("elbv2", "DescribeListeners"): {"Listeners": [listener]},
        }
    )
    found = around(account.reader(), [WEB])
    assert (WEB, "uses certificate", ARN) in {(one.source, one.kind, one.target) for one in found.relations}
    described = found.by_arn(ARN)
    assert described is not None
    assert described.config["DaysToExpiry"] == 40


def holding(one: Resource) -> set[str]:
    """Keys of the conditions that the certificate's own description shows and does not rule out."""

    def holds(condition: Condition) -> bool:
        assert condition.shown is not None
        assert condition.excluded is not None
        return condition.shown(one) and not condition.excluded(one)

    return {condition.key for condition in SERVICE.conditions if holds(condition)}


def test_one_condition_tells_why_a_certificate_fails() -> None:
    over = AS_OF - timedelta(hours=2)
    assert holding(read()) == set()
    assert holding(read(NotAfter=over)) == {"certificate-expired"}
    assert holding(read(NotAfter=over, Status="EXPIRED", Type="IMPORTED")) == {"certificate-expired"}
    assert holding(read(NotAfter=over, RenewalSummary=renewal("PENDING_VALIDATION"))) == {
        "certificate-not-renewed"
    }
    assert holding(read(Status="VALIDATION_TIMED_OUT")) == {"certificate-not-issued"}


def test_what_nobody_uses_or_what_lasts_breaks_nothing() -> None:
    over = AS_OF - timedelta(hours=2)
    assert holding(read(NotAfter=over, InUseBy=[])) == set()
    assert holding(read(RenewalSummary=renewal("FAILED"))) == set()


@given(st.integers(-800, 800), st.integers(0, 86399))
def test_a_certificate_is_over_exactly_when_its_end_has_passed(days: int, seconds: int) -> None:
    end = AS_OF + timedelta(days=days, seconds=seconds)
    found = read(NotAfter=end)
    assert found.config["DaysToExpiry"] == days
    assert (holding(found) == {"certificate-expired"}) == (end < AS_OF)


def test_an_option_goes_back_to_what_it_was_and_to_nothing_else() -> None:
    (setting,) = SERVICE.settings
    (made,) = setting.restore(read(), "ENABLED")
    assert validate(made) == ()
    assert made.parameters == {
        "CertificateArn": ARN,
        "Options": {"CertificateTransparencyLoggingPreference": "ENABLED"},
    }
    assert setting.restore(read(), "on") == ()


def test_metrics_and_missing_certificates() -> None:
    assert catalogue.owner_of("AWS/CertificateManager", {"CertificateArn": ARN}, "eu-west-1", "1") == ARN
    assert describe(FakeAws({}).reader(), ARN) is None
