"""What the first person set up and everybody leans on since: networks, keys, buckets for logs, a topic for alarms."""

from __future__ import annotations

from dataclasses import dataclass

from evals.estates import data, doors, identity, messages, network
from evals.estates.ground import Ground, Thing
from evals.estates.network import Network

_COMPANIES = ("marlow", "tinderbox", "oakfield", "harbourline", "quillon", "pennywhistle")
OTHER = "444455556666"
"""An account that is not ours; its things are named and never seen."""


@dataclass(frozen=True, slots=True)
class Common:
    company: str
    main: Network
    office: Network
    old: Network
    logs: Thing  # bucket of access logs
    alarms: Thing  # topic
    key: Thing
    shared: Thing  # a role that several teams' functions use
    zone: Thing
    inner: Thing
    certificate: Thing
    edge_certificate: Thing

    def host(self, name: str) -> str:
        return f"{name}.{self.company}.example"


def make(ground: Ground) -> Common:
    company = ground.pick(_COMPANIES)
    first = ground.draw.randint(10, 60)
    main = network.vpc(ground, f"{company}-main", first, zones=3)
    office = network.vpc(ground, "office", first + 40)
    old = network.vpc(ground, f"{company}-legacy", first + 80, nat=False)
    network.peering(ground, "main-to-office", main, office, f"10.{first + 40}.0.0/16")
    network.endpoint(ground, "main-s3", main, "s3")
    inside = network.group(ground, "vpce", main, [(443, f"10.{first}.0.0/16")])
    network.endpoint(ground, "main-secrets", main, "secretsmanager", [inside])
    network.acl(ground, "legacy-lockdown", old)
    key = identity.key(ground, f"{company}-default")
    logs = data.bucket(ground, f"{company}-access-logs-{ground.draw.randrange(10**4):04}")
    data.takes_logs(ground, logs)
    alarms = messages.topic(ground, "ops-alerts")
    messages.subscribe(ground, alarms, "oncall@example.com", "email")
    messages.subscribe(ground, alarms, "https://alerts.example.com/hook", "https")
    writes = ["logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutLogEvents"]
    shared = identity.role(ground, "lambda_basic_execution", "lambda", [(writes, ["*"]), ("s3:*", ["*"])])
    zone = doors.zone(ground, f"{company}.example.")
    inner = doors.zone(ground, f"{company}.internal.", main.vpc)
    return Common(
        company, main, office, old, logs, alarms, key, shared, zone, inner,
        doors.certificate(ground, f"*.{company}.example", by=zone),
        doors.certificate(ground, f"{company}.example", doors.EDGE, zone),
    )  # fmt: skip
