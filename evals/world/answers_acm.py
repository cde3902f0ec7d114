"""ACM's reads: certificates of the world, and those of listeners that nobody declared, issued and renewed by ACM."""

from __future__ import annotations

from datetime import datetime, timedelta

from evals.world.asking import Ask, Refusal, handles
from evals.world.edge_shown import VALID, not_after
from evals.world.kinds.acm import described
from evals.world.world import Thing
from tools.models import Json


def _held(ask: Ask) -> dict[str, Thing]:
    """ARN of a certificate -> itself, or the listener that uses it."""
    found = {
        str(one.fixed["certificate"]): one
        for one in ask.world.of("listener", ask.region)
        if one.fixed.get("certificate") and one.created <= ask.as_of
    }
    own = {one.arn: one for one in ask.world.of("certificate", ask.region) if one.created <= ask.as_of}
    return found | own


def _described(ask: Ask, arn: str, thing: Thing) -> Json:
    return _declared(ask, thing) if thing.kind == "certificate" else _undeclared(ask, arn, thing)


def _undeclared(ask: Ask, arn: str, listener: Thing) -> Json:
    """It was renewed last by ACM, so that it is never near its end here."""
    age = (ask.as_of - listener.created) % VALID
    issued = ask.as_of - min(age, VALID / 2)
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
        "NotAfter": issued + VALID,
        "KeyAlgorithm": "RSA_2048",
        "InUseBy": [str(listener.fixed["balancer"])],
        "Type": "AMAZON_ISSUED",
        "RenewalEligibility": "ELIGIBLE",
    }


def _declared(ask: Ask, thing: Thing) -> Json:
    told = described(ask.world, thing, ask.as_of)
    validation: Json = {
        "DomainName": thing.name,
        "ValidationDomain": thing.name,
        "ValidationStatus": "SUCCESS",
        "ResourceRecord": {
            "Name": thing.fixed["record"],
            "Type": "CNAME",
            "Value": thing.fixed["value"],
        },
        "ValidationMethod": "DNS",
    }
    end = not_after(thing)
    shown: Json = {
        "CertificateArn": thing.arn,
        "DomainName": thing.name,
        "SubjectAlternativeNames": [thing.name],
        "DomainValidationOptions": [validation],
        "Issuer": "Amazon",
        "CreatedAt": thing.created,
        "IssuedAt": end - VALID,
        "Status": told["Status"],
        "NotBefore": end - VALID,
        "NotAfter": end,
        "KeyAlgorithm": "RSA_2048",
        "SignatureAlgorithm": "SHA256WITHRSA",
        "InUseBy": list(thing.fixed["users"]),
        "Type": "AMAZON_ISSUED",
        "RenewalEligibility": told["RenewalEligibility"],
    }
    if renewal := told.get("RenewalSummary"):
        pending = {**validation, "ValidationStatus": "PENDING_VALIDATION"}
        updated = datetime.fromisoformat(renewal["UpdatedAt"])
        shown["RenewalSummary"] = {**renewal, "DomainValidationOptions": [pending], "UpdatedAt": updated}
    return shown


@handles("acm", "ListCertificates")
def list_certificates(ask: Ask) -> Json:
    statuses = ask.take("CertificateStatuses")
    kinds = (ask.take("Includes") or {}).get("keyTypes") or ["RSA_2048"]
    shown = []
    for arn, one in sorted(_held(ask).items()) if "RSA_2048" in kinds else []:
        found = _described(ask, arn, one)
        if statuses and found["Status"] not in statuses:
            continue
        kept = ("CertificateArn", "DomainName", "Status", "Type", "NotAfter", "RenewalEligibility")
        shown.append({key: found[key] for key in kept} | {"InUse": bool(found["InUseBy"])})
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
    _, thing = _one(ask)
    tags = thing.tags(ask.as_of) if thing.kind == "certificate" else {}
    return {"Tags": [{"Key": key, "Value": value} for key, value in sorted(tags.items())]}
