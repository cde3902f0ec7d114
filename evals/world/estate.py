"""The rest of the account: some twenty resources that have nothing to do with the case, with traffic of their own."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from evals.world import estate_containers, estate_machines, estate_stores
from evals.world.alarms import AlarmClock
from evals.world.flow import Flow
from evals.world.kinds import kinds
from evals.world.kinds._kind import Wish
from evals.world.steps import Settings
from evals.world.systems import emit, lay
from evals.world.telemetry import Dimensions, Source
from evals.world.traffic import Demand
from evals.world.workshop import Workshop
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
    shop = Workshop(world)
    for plan in (*PLANS, *_more(world)):
        _system(shop, plan, moment)
    _make(
        shop, "topic", "oncall", moment - timedelta(days=world.seed.integer("age:oncall", 400, 900)), {}, {}
    )
    estate_containers.build(shop, moment)
    estate_machines.build(shop, moment)
    estate_stores.build(shop, moment)
    audit = _make(shop, "queue", "audit-events", moment, {}, {})
    world.telemetry.add(*_emitted(audit))


def _more(world: World) -> list[Plan]:
    """As many bystanders as the switches ask for, after the pattern of the others."""
    found = []
    for number in range(world.switches.bystanders):
        like = PLANS[number % len(PLANS)]
        name = f"{like.name}-{world.seed.hex(f'bystander:{number}', 4)}"
        table = f"{like.table}-{name[-4:]}" if like.table else ""
        found.append(replace(like, name=name, function=f"{like.function}-{name[-4:]}", table=table))
    return found


def _make(
    shop: Workshop,
    kind: str,
    name: str,
    created: datetime,
    tags: dict[str, str],
    settings: dict[str, Any],
    options: dict[str, Any] | None = None,
) -> Thing:
    wish = Wish(
        id=f"{kind} {name}",
        kind=kind,
        name=name,
        created=created,
        settings=settings,
        tags=tags,
        options=options or {},
    )
    thing = shop.made[wish.id] = kinds()[kind].make(shop, wish)
    return thing


def _emitted(thing: Thing) -> list[Source]:
    made = kinds()[thing.kind].metrics
    return list(made(thing, None)) if made else []


def _link(shop: Workshop, source: Thing, target: Thing) -> None:
    link = kinds()[source.kind].link
    assert link is not None
    link(shop, source, target)


def _system(shop: Workshop, plan: Plan, moment: datetime) -> None:
    world, seed = shop.world, shop.world.seed
    created = moment - timedelta(
        days=seed.integer(f"age:{plan.name}", 120, 900), minutes=seed.integer(plan.name, 0, 900)
    )
    tags = {"team": plan.team, "env": seed.pick(f"env:{plan.name}", ("prod", "prod", "staging"))}
    if seed.integer(f"tagged:{plan.name}", 0, 3) == 0:
        tags = {}
    memory = {"MemorySize": 512 if plan.entry == "queue" else 256}
    function = _make(shop, "function", plan.function, created, tags, memory)
    function.fixed["own_error"] = plan.error
    path: list[tuple[Thing, dict[str, Any]]] = []
    path.append((_entry(shop, plan, created, tags, function), {}))
    path.append((function, {"background": seed.integer(f"background:{plan.name}", 4, 40)}))
    if plan.table:
        table = _make(shop, "table", plan.table, created, tags, _table(shop, plan))
        _link(shop, function, table)
        path.append((table, {"units": 1, "read_units": 0.5}))
    demand = Demand(
        rate=0 if plan.entry == "schedule" else seed.between(f"rate:{plan.name}", *plan.rate),
        anchor=moment.timestamp(),
        salt=seed.salt(f"flow:{plan.name}"),
        noise=0.08,
    )
    flow = world.flows[plan.name] = Flow(
        name=plan.name, demand=demand, base_ms=seed.integer(f"base:{plan.name}", 15, 220)
    )
    lay(world, flow, path)
    emit(shop, flow)
    _alarm(world, plan, function, created, moment)


_SCHEDULES = ("rate(1 minute)", "rate(2 minutes)", "cron(0/3 * * * ? *)")


def _entry(shop: Workshop, plan: Plan, created: datetime, tags: dict[str, str], function: Thing) -> Thing:
    if plan.entry in ("http-api", "rest-api"):
        verb = "GET" if plan.name == "catalog" else "POST"
        route = {"route": f"{verb} /{plan.name}"}
        entry = _make(shop, plan.entry, f"{plan.name}-api", created, tags, {}, route)
    elif plan.entry == "queue":
        _make(shop, "queue", f"{plan.name}-dlq", created, {}, {})
        dead = {"dead_letter": f"queue {plan.name}-dlq"}
        entry = _make(shop, "queue", plan.name, created, tags, {}, dead)
    else:
        expression = shop.world.seed.pick(f"schedule:{plan.name}", _SCHEDULES)
        settings = {"ScheduleExpression": expression}
        entry = _make(shop, "rule", f"{plan.name}-run", created, tags, settings)
    _link(shop, entry, function)
    return entry


def _table(shop: Workshop, plan: Plan) -> dict[str, Any]:
    seed = shop.world.seed
    if plan.provisioned:
        units = seed.pick(f"units:{plan.name}", (60, 80, 120))
        return {
            "BillingMode": "PROVISIONED",
            "ProvisionedThroughput.ReadCapacityUnits": units,
            "ProvisionedThroughput.WriteCapacityUnits": units,
        }
    if seed.integer(f"limited:{plan.name}", 0, 1):
        return {
            "OnDemandThroughput.MaxReadRequestUnits": 1000,
            "OnDemandThroughput.MaxWriteRequestUnits": 800,
        }
    return {}


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
    source = world.telemetry.find(namespace, metric, dimensions)
    region = (
        source.region if source is not None else ""
    ) or world.region  # alarms are where their metrics are
    arn = world.arn("cloudwatch", f"alarm:{name}", region)
    thing = world.add(Thing(arn, "alarm", name, region, created, {}, Settings()))
    for key, value in numbers.items():
        thing.settings.set(key, created, value)
    alarm = AlarmClock(
        name=name,
        arn=arn,
        region=region,
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
        source=source,
        lag=world.seed.integer(f"alarm-lag:{name}", 4, 25),
        actions=(world.arn("sns", "oncall", region),),
        description=description,
    )
    alarm.updates.append((created, "Create"))
    world.alarms[name] = alarm
    for action in alarm.actions:
        world.relate(arn, "notifies", action)
    world.relate(arn, "watches", watched)
    return alarm
