"""Certificate Manager: certificates, who uses them, how they are validated, and what keeps them from being renewed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import TYPE_CHECKING

from tools import arn as arns
from tools.errors import NotThere
from tools.kit import call, here, optional, plain, record, relation, text
from tools.models import Call, ChangeEvent, Json, Relation, Resource, Value
from tools.services._spec import (
    Change,
    Condition,
    Directory,
    Effect,
    MetricSpec,
    Read,
    Service,
    Setting,
    inert,
)

if TYPE_CHECKING:
    from tools.aws import Reader

_SOURCE = "acm.amazonaws.com"
_KEY_TYPES = (
    # Without them ListCertificates tells of RSA keys of up to 2048 bits only (ACM API, Filters).
    "RSA_1024",
    "RSA_2048",
    "RSA_3072",
    "RSA_4096",
    "EC_prime256v1",
    "EC_secp384r1",
    "EC_secp521r1",
)
_NOT_RENEWED = ("FAILED", "PENDING_VALIDATION")


def _touches(event: ChangeEvent) -> tuple[str, ...]:
    arn = text(event.request, "certificateArn") or text(event.request, "resourceArn")
    arn = arn or text(event.response, "certificateArn")
    return (here(event, "acm", arn),) if arns.is_arn(arn) else ()


# -- reading ------------------------------------------------------------------------------------------


def discover(reader: Reader, region: str) -> Iterable[Resource]:
    """All certificates in short; `describe` tells who uses one and how it is validated."""
    found = reader.pages(
        "acm",
        "ListCertificates",
        "CertificateSummaryList",
        region=region,
        MaxItems=1000,
        Includes={"keyTypes": list(_KEY_TYPES)},
    )
    for item in found.items:
        if not arns.is_arn(item["CertificateArn"]):
            continue
        yield _certificate(item["CertificateArn"], plain(item), found.evidence, reader.as_of)


def _certificate(
    arn: str,
    config: Json,
    evidence: Iterable[str],
    as_of: datetime,
    tags: Mapping[str, str] | None = None,
) -> Resource:
    parts = arns.parse(arn)
    if (days := _days_left(config, as_of)) is not None:
        config = {**config, "DaysToExpiry": days}
    return Resource(
        arn=arn,
        service="acm",
        type="certificate",
        name=text(config, "DomainName") or parts.name,
        account=parts.account,
        region=parts.region,
        config=config,
        tags=dict(tags or {}),
        evidence=tuple(id for id in evidence if id),
    )


def _days_left(config: Json, as_of: datetime) -> int | None:
    """Whole days from what is looked at to the end of the certificate: -1 on the day after it; None before issue."""
    try:
        end = datetime.fromisoformat(text(config, "NotAfter"))
    except ValueError:
        return None
    return (end - as_of).days


def describe(reader: Reader, arn: str) -> Resource | None:
    """DescribeCertificate's `Certificate`, and `DaysToExpiry`, counted from the end of what is looked at."""
    region = arns.parse(arn).region
    try:
        answer = reader.ask("acm", "DescribeCertificate", region=region, CertificateArn=arn)
    except NotThere:
        return None
    told = optional(reader, "acm", "ListTagsForCertificate", "Tags", region=region, CertificateArn=arn)
    tags = {text(one, "Key"): text(one, "Value") for one in (told.data.get("Tags") or [] if told else [])}
    config = plain(answer.data)["Certificate"]
    return _certificate(arn, config, [answer.evidence], reader.as_of, tags)


# -- relations ----------------------------------------------------------------------------------------


def relations(resource: Resource, directory: Directory) -> Iterable[Relation]:
    """Who shows the certificate to clients, and the zone that must hold its validation record."""
    for user, said_by in _users(resource, directory):
        yield Relation(
            source=user,
            target=resource.arn,
            kind="uses certificate",
            provenance=said_by,
            evidence=resource.evidence,
        )
    if authority := text(resource.config, "CertificateAuthorityArn"):
        yield relation(resource, authority, "issued by", "acm:DescribeCertificate CertificateAuthorityArn")
    zones = {zone.name: zone.arn for zone in directory.of("hosted-zone")}
    told: dict[str, None] = {}
    for option in resource.config.get("DomainValidationOptions") or []:
        name = text(option, "ResourceRecord", "Name").lower().rstrip(".")
        fitting = [zone for zone in zones if name == zone or name.endswith(f".{zone}")]
        if name and fitting:
            told[zones[max(fitting, key=len)]] = None
    for zone in told:
        said_by = "acm:DescribeCertificate DomainValidationOptions.ResourceRecord"
        yield relation(resource, zone, "validated by", said_by, 0.95)


def _users(resource: Resource, directory: Directory) -> Iterator[tuple[str, str]]:
    """ARNs of those that use the certificate, by its own word or by theirs."""
    told = dict.fromkeys(str(arn) for arn in resource.config.get("InUseBy") or [])
    for arn in told:
        if arns.is_arn(arn):
            yield arn, "acm:DescribeCertificate InUseBy"
    for one in directory.of("load-balancer", "listener", "distribution"):
        if resource.arn in _shown_by(one.config) and one.arn not in told:
            yield (
                one.arn,
                "elasticloadbalancing:DescribeListeners Certificates"
                if (one.type != "distribution")
                else "cloudfront:GetDistribution ViewerCertificate",
            )


def _shown_by(config: Json) -> set[str]:
    listeners = [config, *(config.get("Listeners") or [])]
    found = {
        text(one, "CertificateArn") for listener in listeners for one in listener.get("Certificates") or []
    }
    for inner in (config, config.get("DistributionConfig") or {}):
        found.add(text(inner, "ViewerCertificate", "ACMCertificateArn"))
    return found


# -- settings and changes -----------------------------------------------------------------------------

_LOGGED = "CertificateTransparencyLoggingPreference"


def _read(resource: Resource) -> Call:
    return call("acm", "DescribeCertificate", resource, CertificateArn=resource.arn)


def _restore_logging(resource: Resource, value: Value) -> tuple[Call, ...]:
    if value not in ("ENABLED", "DISABLED"):
        return ()
    return (
        call(
            "acm",
            "UpdateCertificateOptions",
            resource,
            CertificateArn=resource.arn,
            Options={_LOGGED: value},
        ),
    )


# Whoever shows a certificate fails with it: handshakes of clients end, and no request comes.
_REFUSED = (
    Effect(metric="role:errors", direction="up", on="upstream", after=(0, 3600)),
    Effect(metric="role:demand", direction="down", on="upstream", after=(0, 3600)),
    Effect(metric="role:demand", direction="silent", on="upstream", after=(0, 3600)),
    Effect(metric="role:work", direction="down", on="upstream", after=(0, 3600)),
)

SETTINGS = (
    Setting(
        type="certificate",
        name="certificate transparency logging",
        path=f"Options.{_LOGGED}",
        unit="",
        requests=dict.fromkeys(
            ("UpdateCertificateOptions", "RequestCertificate"),
            "options.certificateTransparencyLoggingPreference",
        ),
        restore=_restore_logging,
        read=_read,
        query=f"Certificate.Options.{_LOGGED}",
        unset="ENABLED",
        echo="none",
        # Browsers refuse public certificates that no log holds; it takes hold with the next renewal.
        effects=_REFUSED,
    ),
)

_ARN = "arn:aws:acm:eu-west-1:111122223333:certificate/2a7d5c1e-4b0f-4c67-9d2b-8f1e3a6c5b40"
_NAMED: Json = {"certificateArn": _ARN}
_OPTIONS: Json = {"options": {"certificateTransparencyLoggingPreference": "DISABLED"}}


def _example(operation: str, request: Json, response: Json | None = None) -> Json:
    return record(_SOURCE, operation, request, response)


CHANGES = (
    Change(
        operation="ImportCertificate",
        touches=_touches,
        # The key is never recorded and cannot be read back: the certificate before has to be imported again.
        breaks="Clients refuse the new certificate: another name, an incomplete chain, or already over.",
        example=_example(
            "ImportCertificate",
            {**_NAMED, "privateKey": {"limit": 1674}, "certificate": {"limit": 1289}},
            _NAMED,
        ),
        effects=_REFUSED,
    ),
    Change(
        operation="DeleteCertificate",
        touches=_touches,
        # ACM refuses it while anything that it knows of uses the certificate.
        breaks="Nothing can be set up with the certificate again; its key is gone for good.",
        example=_example("DeleteCertificate", _NAMED),
        effects=_REFUSED,
    ),
    Change(
        operation="RevokeCertificate",
        touches=_touches,
        breaks="Clients that look up revocations refuse the certificate; a revocation is for good.",
        example=_example("RevokeCertificate", {**_NAMED, "revocationReason": "KEY_COMPROMISE"}),
        effects=_REFUSED,
    ),
    Change(
        operation="UpdateCertificateOptions",
        touches=_touches,
        breaks="Browsers refuse what is issued next, for no public log holds it.",
        example=_example("UpdateCertificateOptions", {**_NAMED, **_OPTIONS}),
    ),
    *(
        inert(operation, _touches, _example(operation, request, response))
        for operation, request, response in (
            (
                "RequestCertificate",
                {"domainName": "shop.example.com", "validationMethod": "DNS", **_OPTIONS},
                _NAMED,
            ),
            ("RenewCertificate", _NAMED, None),
            (
                "ResendValidationEmail",
                {**_NAMED, "domain": "shop.example.com", "validationDomain": "example.com"},
                None,
            ),
            ("AddTagsToCertificate", {**_NAMED, "tags": [{"key": "team", "value": "shop"}]}, None),
            ("RemoveTagsFromCertificate", {**_NAMED, "tags": [{"key": "team"}]}, None),
            ("TagResource", {"resourceArn": _ARN, "tags": [{"key": "team", "value": "shop"}]}, None),
            ("UntagResource", {"resourceArn": _ARN, "tagKeys": ["team"]}, None),
            ("ExportCertificate", {**_NAMED, "passphrase": "HIDDEN_DUE_TO_SECURITY_REASONS"}, None),
        )
    ),
)


# -- states -------------------------------------------------------------------------------------------


def _is_over(resource: Resource) -> bool:
    left = resource.config.get("DaysToExpiry")
    return text(resource.config, "Status") == "EXPIRED" or (isinstance(left, int) and left < 0)


def _not_renewed(resource: Resource) -> bool:
    return text(resource.config, "RenewalSummary", "RenewalStatus") in _NOT_RENEWED


def _unused(resource: Resource) -> bool:
    used = resource.config.get("InUseBy")
    return resource.config.get("InUse") is False or used == []


CONDITIONS = (
    Condition(
        key="certificate-expired",
        type="certificate",
        title="certificate expired",
        metrics=(),
        breaks="Clients refuse every connection to those that show the certificate.",
        relieve=(
            "Import a renewed certificate under the same ARN, or request a new one and set it where this one is used.",
            "Look at those who use it first: listeners and distributions name the certificate themselves.",
        ),
        prevent=(
            "Alarm on DaysToExpiry below 30.",
            "Replace imported certificates by issued ones, which are renewed without hands.",
            "Turn on AWS Config's rule acm-certificate-expiration-check.",
        ),
        shown=lambda resource: _is_over(resource) and not _not_renewed(resource),
        tells=("Status", "NotAfter"),
        excluded=lambda resource: not _is_over(resource) or _unused(resource),
    ),
    Condition(
        key="certificate-not-renewed",
        type="certificate",
        title="certificate expired because its renewal failed",
        metrics=(),
        breaks="Clients refuse every connection: the certificate ran out while its renewal waited for validation.",
        relieve=(
            "Request a new certificate, validate it, set it where this one is used: ACM gave up on renewing this one.",
            "Put the validation record (CNAME) of each name back into DNS, or the next renewal fails as well.",
            "If a CAA record forbids it, allow amazon.com there.",
        ),
        prevent=(
            "Alarm on DaysToExpiry below 30, and on ACM's events of renewals that wait, which come long before.",
            "Keep the validation records in a template, so that nobody tidies them away.",
        ),
        shown=lambda resource: _is_over(resource) and _not_renewed(resource),
        tells=("Status", "NotAfter", "RenewalSummary.RenewalStatus"),
        excluded=lambda resource: not _is_over(resource) or not _not_renewed(resource) or _unused(resource),
    ),
    Condition(
        key="certificate-not-issued",
        type="certificate",
        title="certificate was never issued",
        metrics=(),
        breaks="What is to show the certificate cannot be set up with it.",
        relieve=("Put the validation record of each name into DNS, or request the certificate again.",),
        prevent=("Make the validation record in the same template as the certificate.",),
        shown=lambda resource: (
            text(resource.config, "Status") in ("FAILED", "VALIDATION_TIMED_OUT", "REVOKED")
        ),
        excluded=lambda resource: (
            text(resource.config, "Status") not in ("FAILED", "VALIDATION_TIMED_OUT", "REVOKED", "")
        ),
    ),
)

SERVICE = Service(
    name="acm",
    title="Certificate Manager",
    client="acm",
    event_sources=(_SOURCE,),
    reads=(
        Read(operation="ListCertificates", action="acm:ListCertificates", shows="which certificates exist"),
        Read(
            operation="DescribeCertificate",
            action="acm:DescribeCertificate",
            shows="when a certificate ends, who uses it and how it is validated",
        ),
        Read(
            operation="ListTagsForCertificate",
            action="acm:ListTagsForCertificate",
            shows="who owns a certificate",
        ),
    ),
    types={"certificate": "other"},
    arns={"certificate": r"acm:certificate/[^/]+"},
    discover=discover,
    describe=describe,
    relations=relations,
    namespace="AWS/CertificateManager",
    dimensions=lambda resource: (("CertificateArn", resource.arn),),
    owner=lambda dimensions, partition, region, account: dimensions.get("CertificateArn", ""),
    metrics=(
        # Sent twice a day while the certificate lasts.
        MetricSpec(
            type="certificate",
            name="DaysToExpiry",
            stat="Minimum",
            role="saturation",
            bad="down",
            missing="unknown",
            unit="days",
            period=86400,
        ),
    ),
    settings=SETTINGS,
    changes=CHANGES,
    conditions=CONDITIONS,
    listed=False,
    listed_near=("load-balancer", "listener", "distribution", "certificate", "hosted-zone"),
)
