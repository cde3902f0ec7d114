"""Certificates of ACM that a listener presents.

ACM user guide, "Managed certificate renewal": ACM renews a certificate that is validated by DNS as long as its CNAME is
there; without it the renewal fails and the certificate ends. Clients refuse a certificate that has ended: the handshake
breaks off, the load balancer never sees a request. DaysToExpiry is published twice a day until the end.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from evals.world.deeds_edge import tag_certificate
from evals.world.edge_shown import VALID, not_after
from evals.world.flow import Flow
from evals.world.kinds._kind import Kind, Wish
from evals.world.kinds.edge import record_path
from evals.world.metrics import source
from evals.world.telemetry import Sample, Source, level
from evals.world.workshop import Workshop
from evals.world.world import Thing, World
from tools.models import Json

_HALF_DAY = 720
RENEWED = timedelta(days=45)
"""Before the end, ACM begins to renew."""


def _make(shop: Workshop, wish: Wish) -> Thing:
    """A certificate; `zone` gets the record that validates it."""
    world, seed = shop.world, shop.world.seed
    zone = shop.one(wish, "zone", "hosted-zone")
    token = str(wish.options.get("token") or seed.hex(f"token:{wish.name}", 32))
    fixed = {"token": token, "users": [], "zone": zone.arn if zone else "", "record": "", "value": ""}
    arn = world.arn("acm", f"certificate/{seed.uuid(f'certificate:{wish.name}')}")
    thing = shop.add(arn, wish, fixed)
    value = (
        f"_{seed.hex(f'validation:{wish.name}', 32)}.{seed.hex(f'acm:{wish.name}', 10)}.acm-validations.aws."
    )
    thing.fixed |= {"record": f"_{token}.{wish.name}.", "value": value}
    if zone is not None:
        label = f"_{token}.{wish.name}.".removesuffix("." + zone.name)
        path = record_path(zone, label, "CNAME")
        held = {"Name": thing.fixed["record"], "Type": "CNAME", "TTL": 300}
        zone.settings.set(path, zone.created, {**held, "ResourceRecords": [{"Value": value}]})
        world.relate(thing.arn, "validated by", zone.arn)
    return shop.settle(thing, wish)


def _metrics(certificate: Thing, flow: Flow | None) -> Iterator[Source]:
    end = not_after(certificate).timestamp()

    def left(minute: int) -> Sample | None:
        days = (end - minute * 60) / 86_400
        return level(float(int(days))) if days >= 0 else None

    held = {"CertificateArn": certificate.arn}
    yield source(certificate, "AWS/CertificateManager", "DaysToExpiry", held, "None", left, every=_HALF_DAY)


def unproven(world: World, certificate: Thing, at: datetime) -> bool:
    """Whether the record that proves the domain is gone."""
    zone = world.things.get(certificate.fixed["zone"])
    if zone is None:
        return True
    return all(
        one["Name"] != certificate.fixed["record"] for one in zone.settings.under("Records", at).values()
    )


def described(world: World, thing: Thing, at: datetime) -> Json:
    """Its state as DescribeCertificate shows it; times as ISO 8601 texts."""
    end = not_after(thing)
    over = end <= at
    shown: Json = {
        "Status": "EXPIRED" if over else "ISSUED",
        "NotBefore": iso(end - VALID),
        "NotAfter": iso(end),
        "RenewalEligibility": "INELIGIBLE" if over else "ELIGIBLE",
    }
    began = end - RENEWED
    if began <= at and unproven(world, thing, at):
        status = "FAILED" if over else "PENDING_VALIDATION"
        shown["RenewalSummary"] = {"RenewalStatus": status, "UpdatedAt": iso(end if over else began)}
    return shown


def iso(moment: datetime) -> str:
    return f"{moment:%Y-%m-%dT%H:%M:%SZ}"


KINDS = (
    Kind(
        name="certificate",
        options={
            "zone": "id of the hosted zone that holds the CNAME of its validation",
            "token": "32 hex digits of the name of that CNAME, so that events can name it",
        },
        settings={"_expired": "nature: the moment at which it ends"},
        make=_make,
        metrics=_metrics,
        tag=tag_certificate,
        shown=described,
    ),
)
