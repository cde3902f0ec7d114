"""ACM's reads: the certificates of the listeners of load balancers, issued and renewed by ACM itself."""

from __future__ import annotations

from datetime import timedelta

from evals.world.asking import Ask, Refusal, handles
from evals.world.world import Thing
from tools.models import Json

_LONG = timedelta(days=198)


def _held(ask: Ask) -> dict[str, Thing]:
    """ARN of a certificate -> the listener that uses it."""
    return {
        str(one.fixed["certificate"]): one
        for one in ask.world.of("listener", ask.region)
        if one.fixed.get("certificate") and one.created <= ask.as_of
    }


def _described(ask: Ask, arn: str, listener: Thing) -> Json:
    """It was renewed last by ACM, so that it is never near its end here."""
    age = (ask.as_of - listener.created) % _LONG
    issued = ask.as_of - min(age, _LONG / 2)
    name = f"{listener.name.split(':')[0]}.example.com"
    return {
        "CertificateArn": arn,
        "DomainName": name,
        "SubjectAlternativeNames": [name],
        "Issuer": "Amazon",
        "CreatedAt": listener.created - timedelta(days=1),
        "IssuedAt": issued,
        "Status": "ISSUED",
        "NotBefore": issued,
        "NotAfter": issued + _LONG,
        "KeyAlgorithm": "RSA_2048",
        "InUseBy": [str(listener.fixed["balancer"])],
        "Type": "AMAZON_ISSUED",
        "RenewalEligibility": "ELIGIBLE",
    }


@handles("acm", "ListCertificates")
def list_certificates(ask: Ask) -> Json:
    statuses = ask.take("CertificateStatuses")
    kinds = (ask.take("Includes") or {}).get("keyTypes") or ["RSA_2048"]
    wanted = (not statuses or "ISSUED" in statuses) and "RSA_2048" in kinds
    held = _held(ask) if wanted else {}
    shown = [
        {
            "CertificateArn": arn,
            "DomainName": _described(ask, arn, one)["DomainName"],
            "Status": "ISSUED",
            "Type": "AMAZON_ISSUED",
            "InUse": True,
        }
        for arn, one in sorted(held.items())
    ]
    size, token = int(ask.take("MaxItems") or 100), ask.take("NextToken")
    page, following = ask.page(shown, size, token)
    return {"CertificateSummaryList": page} | ({"NextToken": following} if following else {})


def _one(ask: Ask) -> tuple[str, Thing]:
    arn, held = str(ask.need("CertificateArn")), _held(ask)
    if arn not in held:
        raise Refusal("ResourceNotFoundException", f"Could not find certificate {arn}.")
    return arn, held[arn]


@handles("acm", "DescribeCertificate")
def describe_certificate(ask: Ask) -> Json:
    return {"Certificate": _described(ask, *_one(ask))}


@handles("acm", "ListTagsForCertificate")
def list_tags_for_certificate(ask: Ask) -> Json:
    _one(ask)
    return {"Tags": []}
