"""The rest of the account: some twenty resources that have nothing to do with the case, with traffic of their own."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from evals.world.alarms import AlarmClock
from evals.world.flow import Flow
from evals.world.parts import Parts
from evals.world.steps import Settings
from evals.world.telemetry import Dimensions
from evals.world.traffic import Demand
from evals.world.world import Thing, World


@dataclass(frozen=True, slots=True)
class Plan:
    """One unrelated system: how requests come in, the function, the table, how busy it is."""

    name: str
    entry: str  # http-api, rest-api, queue, schedule
    function: str
    table: str
    rate: tuple[float, float]
    error: str
    provisioned: bool = False
    team: str = "core"


PLANS = (
    Plan("catalog", "http-api", "catalog-search", "catalog", (12, 40), "ValueError: unknown facet"),
    Plan(
        "partners", "rest-api", "partner-import", "partners", (0.5, 3), "KeyError: 'vatId'", True, "partners"
    ),
    Plan("emails", "queue", "send-email", "", (1, 6), "MessageRejected: address is on the suppression list"),
    Plan("thumbnails", "queue", "make-thumbnail", "media", (2, 8), "OSError: cannot identify image file"),
    Plan(
        "reports", "schedule", "nightly-report", "reports", (0.02, 0.1), "TimeoutError: report source is slow"
    ),
    Plan(
        "loyalty",
        "http-api",
        "loyalty-points",
        "loyalty",
        (5, 15),
        "ValueError: points below zero",
        True,
        "crm",
    ),
    Plan(
        "invoices",
        "queue",
        "invoice-writer",
        "invoices",
        (1, 5),
        "ValueError: invoice has no lines",
        False,
        "finance",
    ),
)


def build(world: World, moment: datetime) -> None:
    """Add the unrelated systems to a world."""
    parts = Parts(world)
    for plan in PLANS:
        _system(parts, plan, moment)
    _queue(parts, "audit-events", moment, None)


def _system(parts: Parts, plan: Plan, moment: datetime) -> None:
    world, seed = parts.world, parts.world.seed
    created = moment - timedelta(
        days=seed.integer(f"age:{plan.name}", 120, 900), minutes=seed.integer(plan.name, 0, 900)
    )
    tags = {"team": plan.team, "env": seed.pick(f"env:{plan.name}", ("prod", "prod", "staging"))}
    if seed.integer(f"tagged:{plan.name}", 0, 3) == 0:
        tags = {}
    function = parts.function(
        plan.function, created, {"MemorySize": 512 if plan.entry == "queue" else 256}, tags
    )
    table = _table(parts, plan, created, tags) if plan.table else None
    flow = Flow(
        name=plan.name,
        demand=Demand(
            rate=seed.between(f"rate:{plan.name}", *plan.rate),
            anchor=moment.timestamp(),
            salt=seed.salt(f"flow:{plan.name}"),
            noise=0.08,
        ),
        units=1 if table else 0,
        read_units=0.5 if table else 0.0,
        base_ms=seed.integer(f"base:{plan.name}", 15, 220),
        background=seed.integer(f"background:{plan.name}", 4, 40),
    )
    world.flows[plan.name] = flow
    if table is not None:
        parts.uses_table(function, table)
        parts.emit(table, flow)
    parts.emit(function, flow)
    parts.logs(function, flow, table, plan.error, ())
    if plan.entry in ("http-api", "rest-api"):
        verb = "GET" if plan.name == "catalog" else "POST"
        api = parts.api(plan.entry, f"{plan.name}-api", created, f"{verb} /{plan.name}", function, tags)
        parts.emit(api, flow)
    if plan.entry == "queue":
        dead = _queue(parts, f"{plan.name}-dlq", created, None)
        queue = parts.queue(plan.name, created, dead, tags)
        parts.emit(queue, flow)
        parts.mapping(queue, function)
    _alarm(world, plan, function, created, moment)


def _queue(parts: Parts, name: str, created: datetime, dead: Thing | None) -> Thing:
    queue = parts.queue(name, created, dead, {})
    parts.emit(queue, None)
    return queue


def _table(parts: Parts, plan: Plan, created: datetime, tags: dict[str, str]) -> Thing:
    settings: dict[str, object] = {}
    if plan.provisioned:
        units = parts.world.seed.pick(f"units:{plan.name}", (60, 80, 120))
        settings = {
            "BillingMode": "PROVISIONED",
            "ProvisionedThroughput.ReadCapacityUnits": units,
            "ProvisionedThroughput.WriteCapacityUnits": units,
        }
    elif parts.world.seed.integer(f"limited:{plan.name}", 0, 1):
        settings = {
            "OnDemandThroughput.MaxReadRequestUnits": 1000,
            "OnDemandThroughput.MaxWriteRequestUnits": 800,
        }
    return parts.table(plan.table, created, settings, tags)


def _alarm(world: World, plan: Plan, function: Thing, created: datetime, moment: datetime) -> None:
    held: Dimensions = (("FunctionName", function.name),)
    make_alarm(
        world,
        name=f"{function.name}-errors",
        namespace="AWS/Lambda",
        metric="Errors",
        dimensions=held,
        stat="Sum",
        numbers={
            "Threshold": 400.0,
            "EvaluationPeriods": 5,
            "DatapointsToAlarm": 5,
            "ComparisonOperator": "GreaterThanThreshold",
            "TreatMissingData": "notBreaching",
        },
        created=created + timedelta(hours=2),
        begin=moment - timedelta(hours=2),
        watched=function.arn,
    )


def make_alarm(
    world: World,
    *,
    name: str,
    namespace: str,
    metric: str,
    dimensions: Dimensions,
    stat: str,
    numbers: dict[str, object],
    created: datetime,
    begin: datetime,
    watched: str,
    period: int = 60,
    initial: str = "OK",
    description: str = "",
) -> AlarmClock:
    """An alarm as a resource of the world and as a clock that evaluates it."""
    arn = world.arn("cloudwatch", f"alarm:{name}")
    thing = world.add(Thing(arn, "alarm", name, world.region, created, {}, Settings()))
    for key, value in numbers.items():
        thing.settings.set(key, created, value)
    alarm = AlarmClock(
        name=name,
        arn=arn,
        region=world.region,
        namespace=namespace,
        metric=metric,
        dimensions=dimensions,
        stat=stat,
        period=period,
        settings=thing.settings,
        created=created,
        initial=initial,
        initial_since=created + timedelta(minutes=6, seconds=world.seed.integer(f"alarm:{name}", 0, 59)),
        begin=begin,
        source=world.telemetry.find(namespace, metric, dimensions),
        lag=world.seed.integer(f"alarm-lag:{name}", 4, 25),
        actions=(world.arn("sns", "oncall"),),
        description=description,
    )
    alarm.updates.append((created, "Create"))
    world.alarms[name] = alarm
    world.relate(arn, "watches", watched)
    return alarm
