"""Lambda functions and the mappings that feed them from queues.

Physics, from the Lambda developer guide: concurrency is arrivals per second times seconds each ("Understanding
concurrency"); reserved concurrency is also a maximum; a refused synchronous call answers 429 and writes no log line;
CPU grows with memory up to one vCPU at 1,769 MB; a run that reaches its timeout or its memory ends there. A mapping's
MaximumConcurrency (2 to 1,000) bounds the runs that one queue starts; the rest waits in the queue, and nothing is
throttled ("Configuring maximum concurrency for Amazon SQS event sources"). Changes of a
role's policies take effect within seconds (IAM user guide, "eventually consistent").
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from evals.world import readers
from evals.world.deeds_lambda import MOST, change, change_mapping, tag
from evals.world.deeds_sqs import url as queue_url
from evals.world.flow import OWN, Flow, Load, Minute
from evals.world.grants import Grants, keys_of
from evals.world.kinds._kind import Kind, Wish
from evals.world.kinds.kms import may_use
from evals.world.kinds.sqs import QueueStage
from evals.world.kinds.vpc import guards_of, no_way_out, place
from evals.world.lines import LogGroup
from evals.world.metrics import Emit, count, source, took
from evals.world.seed import mix
from evals.world.stage import Stage, share_above, share_of
from evals.world.telemetry import Sample, Source
from evals.world.voices import LambdaVoice
from evals.world.workshop import Workshop
from evals.world.world import Thing, World
from tools.errors import BadInput

_ONE_VCPU = 1769
_ACCOUNT_LIMIT = 1000


class FunctionStage(Stage):
    """Runs of a function. `background`: of 10,000 runs, those that fail for reasons of their own."""

    reasons = ("timeout", "unreachable", "killed", "denied", "not-found", "bug", OWN)
    physical = ("Timeout", "MemorySize", "ReservedConcurrentExecutions", "Environment.")

    def __init__(self, world: World, thing: Thing, uses: Mapping[str, Any] | None = None) -> None:
        super().__init__(world, thing, uses)
        self.background = int(self.uses.get("background", 0))
        self.lag = world.seed.integer(f"lag:{thing.arn}", 2, 9)
        self.iam_lag = world.seed.integer(f"iam:{thing.arn}", 6, 40)
        self._ms = 0.0
        self.grants = Grants(world, thing, self.iam_lag)

    def watched(self) -> Iterable[Thing]:
        yield self.thing
        yield self.grants.role
        for arn in self.thing.fixed.get("subnets", ())[:1]:
            yield self.world.things[self.world.things[arn].fixed["table"]]
        yield from keys_of(self.world, self.grants.needs)

    def begin(self, second: int) -> None:
        self._ms = float(self.flow.base_ms)

    def _run_ms(self, load: Load) -> float:
        """How long a run takes by its own work: slower with less CPU, or for a reason of nature."""
        first = float(self.thing.at("MemorySize", self.thing.created) or 128)
        now = float(self.at("MemorySize", load.second - self.lag) or first)
        cpu = (min(first, _ONE_VCPU) / min(now, _ONE_VCPU)) ** 0.8 if now < first else 1.0
        return load.ms * cpu * float(self.at("_slower", load.second) or 1.0)

    def limit(self, second: float) -> int:
        """Runs at the same time."""
        reserved = self.at("ReservedConcurrentExecutions", second - self.lag)
        taken = int(self.at("_account_used", second) or 0)
        return int(reserved) if reserved is not None else max(0, _ACCOUNT_LIMIT - taken)

    def capacity(self, second: int, seconds: int) -> int:
        return self.room(self.limit(second), seconds)

    def room(self, runs: int, seconds: int) -> int:
        """How many runs so many at the same time make in a slice."""
        return int(runs * 1000 * seconds / max(1.0, self._ms))

    def enter(self, load: Load) -> None:
        arrived = load.alive
        refused: dict[str, int] = {}
        if not load.calm:
            excess = arrived - self.capacity(load.second, load.seconds)
            over = load.end(self.index, "throttled", max(0, excess), 4, status=500, unseen=True)
            refused = {"throttled": over}
        load.ms = round(self._run_ms(load))
        self.close(load, arrived, refused)
        if not load.calm:
            self._needs(load)
            self._bug(load)
            passage = load.passages[self.index]
            load.passages[self.index] = passage._replace(ended=arrived - load.alive)

    def _needs(self, load: Load) -> None:
        """What the network must let out, the role must allow and the environment must name."""
        out = self.thing.fixed.get("needs") or any(one.thing.kind == "host" for one in self.flow.stages)
        if out and no_way_out(self.world, self.thing, load.second - 1) is not None:
            load.end(self.index, "unreachable", load.alive, load.ms + 60_000)
        if self.grants.denied(load.second) is not None:
            load.end(self.index, "denied", load.alive, self.flow.base_ms * 0.6 + 9)
        for name, value in self.thing.fixed.get("names", {}).items():
            if self.at(f"Environment.{name}", load.second - self.lag) != value:
                load.end(self.index, "not-found", load.alive, self.flow.base_ms * 0.5 + 6)

    def _bug(self, load: Load) -> None:
        bug = self.at("_bug", load.second - self.lag)
        if bug:
            load.end(
                self.index,
                "bug",
                share_of(load.alive, float(bug.get("share", 1.0)), load.second),
                load.ms * 0.7,
            )

    def leave(self, load: Load) -> None:
        if not load.calm:
            self._ends(load)
        if self.background and load.alive:
            expected = load.alive * self.background
            own = (expected + mix(self.flow.demand.salt, load.minute, 3, load.seconds) % 10_000) // 10_000
            load.end(self.index, OWN, own)
        seen = sum(one.many for one in load.endings if one.stage > self.index or not one.unseen) + load.alive
        if seen:
            busy = load.alive * load.ms + load.waits * self.flow.retry_ms
            busy += sum(e.many * e.ms for e in load.endings if e.stage > self.index or not e.unseen)
            self._ms = busy / seen

    def _ends(self, load: Load) -> None:
        """Runs that reach the memory or the timeout."""
        memory = self.at("MemorySize", load.second - self.lag)
        used = self.at("_used_mb", load.second)
        if used and memory and used > memory:
            load.end(self.index, "killed", load.alive, load.ms * 0.8)
        limit = 1000 * float(self.at("Timeout", load.second - self.lag) or 900)
        late = share_above(limit / load.ms) if load.ms else 0.0
        load.end(self.index, "timeout", share_of(load.alive, late, load.second), limit)
        load.endings[:] = [
            one._replace(stage=self.index, reason="timeout", ms=round(limit))
            if one.ms > limit and not one.unseen
            else one
            for one in load.endings
        ]

    def text(self, reason: str) -> str:
        if reason == "unreachable":
            return "urllib3.exceptions.ConnectTimeoutError: Connect timeout on endpoint URL"
        return str(self.at("_bug", 2**40).get("text", "Exception: unhandled")) if reason == "bug" else reason

    def denial(self, second: float) -> str:
        return self.grants.sdk_error(second, self.thing.name)


def _make(shop: Workshop, wish: Wish) -> Thing:
    world, seed, name = shop.world, shop.world.seed, wish.name
    role = shop.role(f"{name}-role", wish.created)
    fixed = {
        "runtime": seed.pick(f"runtime:{name}", ("python3.12", "python3.13")),
        "role": role.arn,
        "revision": seed.uuid(f"revision:{name}"),
        "needs": [],
        "names": {},
        "own_error": wish.options.get("own_error", ""),
        "policy": str(wish.options.get("policy") or ""),
    }
    thing = shop.add(world.arn("lambda", f"function:{name}"), wish, fixed)
    world.relate(thing.arn, "runs as", role.arn)
    groups = guards_of(shop, wish)
    if groups:
        place(shop, thing, groups)
    return shop.settle(thing, wish, {"Timeout": 30, "MemorySize": 256})


_TABLE = ("dynamodb:PutItem", "dynamodb:GetItem")


def _link(shop: Workshop, function: Thing, target: Thing) -> None:
    """Name what the function calls in its environment, and allow it."""
    from evals.world.kinds import kinds

    called = kinds()[target.kind].called if target.kind in kinds() else None
    if called is not None:
        called(shop, function, target)
        return
    if target.kind == "table":
        _knows(shop, function, "TABLE_NAME", target.name)
        shop.allow(function, function.fixed["policy"] or "table-access", list(_TABLE), target)
        function.fixed["needs"].append(("dynamodb:PutItem", target.arn))
        for kind in ("writes", "reads", "uses"):
            shop.world.relate(function.arn, kind, target.arn)
    elif target.kind == "queue":
        url = queue_url(shop.world, target)
        _knows(shop, function, "QUEUE_URL", url)
        shop.allow(function, function.fixed["policy"] or "queue-access", ["sqs:SendMessage"], target)
        function.fixed["needs"].append(("sqs:SendMessage", target.arn))
        may_use(shop, function, target, "GenerateDataKey", "Decrypt")
        for kind in ("uses", "writes"):
            shop.world.relate(function.arn, kind, target.arn)
    elif host := target.fixed.get("host"):
        function.settings.set(f"Environment.{_variable(target)}", function.created, host)
        shop.world.relate(function.arn, "uses", target.arn)


def _variable(target: Thing) -> str:
    return {"db-instance": "DB_HOST", "host": "PARTNER_HOST"}.get(target.kind, "TARGET_HOST")


def _knows(shop: Workshop, function: Thing, name: str, value: str) -> None:
    function.settings.set(f"Environment.{name}", function.created, value)
    function.fixed["names"][name] = value


def _metrics(function: Thing, flow: Flow | None) -> Iterable[Source]:
    """AWS/Lambda: Errors is 0 when invoked, nothing is emitted when nothing was asked."""
    if flow is None:
        return
    held, index = {"FunctionName": function.name}, flow.stage(function.arn)

    def runs(row: Minute) -> int:
        return row.seen(index)

    def asked(row: Minute) -> int:
        return row.passages[index].arrived

    def refused(row: Minute) -> int:
        return row.passages[index].refused.get("throttled", 0)

    def failed(row: Minute) -> int:
        return row.ended(since=index, seen_by=index)

    def made(name: str, unit: str, emit: Emit) -> Source:
        return source(function, "AWS/Lambda", name, held, unit, emit)

    yield made("Invocations", "Count", count(flow, runs, of=runs))
    yield made("Errors", "Count", count(flow, failed, of=runs))
    yield made("Throttles", "Count", count(flow, refused, of=asked))
    yield made("Duration", "Milliseconds", took(flow, index, 21))
    yield made("ConcurrentExecutions", "Count", _concurrent(flow, index))


def _concurrent(flow: Flow, index: int) -> Emit:
    def emit(minute: int) -> Sample | None:
        row = flow.minute(minute)
        seen = row.seen(index)
        if not seen:
            return None
        mean = (
            row.busy_ms(index, flow.retry_ms) / 60_000
        )  # Little's law: arrivals per second times seconds each
        top = float(max(1, round(mean * 1.6)))
        stage = flow.stages[index]
        if isinstance(stage, FunctionStage):
            top = min(top, float(max(1, stage.limit(minute * 60))))
        before = flow.stages[index - 1] if index else None
        if isinstance(before, QueueStage) and (most := before.most(minute * 60)):
            top = min(top, float(most))
        return Sample(seen, top * seen * 0.8, 1.0, top, max(1.0, mean), top, top)

    return emit


def _logs(shop: Workshop, function: Thing, flow: Flow) -> Iterator[LogGroup]:
    seed = shop.world.seed
    held = shop.log_group(function, f"/aws/lambda/{function.name}", flow)
    voice = LambdaVoice(
        function=function,
        flow=flow,
        stage=held["stage"],
        wording=seed.integer(f"wording:{function.name}", 0, 1),
        own_error=str(function.fixed.get("own_error") or "ValidationError: field quantity must be positive"),
    )
    tenants = tuple(function.fixed.get("tenants", ()))
    yield LogGroup(**held, voice=voice, tenants=tenants)


def _no_function(shop: Workshop, wish: Wish) -> Thing:
    source, function = shop.one(wish, "from", "queue", "stream", "table"), shop.one(wish, "to", "function")
    if source is None or function is None:
        raise BadInput(
            f"resources.{wish.id}.with must name a queue, a stream or a table (from) and a function (to)."
        )
    return (mapping if source.kind == "queue" else readers.mapping)(shop, source, function, wish)


def mapping(shop: Workshop, queue: Thing, function: Thing, wish: Wish | None = None) -> Thing:
    """An event source mapping: Lambda's pollers read a queue and run a function."""
    world = shop.world
    code = world.seed.uuid(f"mapping:{queue.name}:{function.name}")
    arn = world.arn("lambda", f"event-source-mapping:{code}")
    actions = ["sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"]
    shop.allow(function, "queue-reader", actions, queue)
    may_use(shop, function, queue, "Decrypt")
    world.relate(queue.arn, "triggers", function.arn)
    world.relate(queue.arn, "read by", arn)
    world.relate(arn, "feeds", function.arn)
    thing = shop.part(arn, "mapping", code, queue.created, {"source": queue.arn, "function": function.arn})
    queue.fixed["mapping"] = arn
    return shop.set(thing, Enabled=True, BatchSize=10)


KINDS = (
    Kind(
        name="function",
        settings={
            "Timeout": "seconds",
            "MemorySize": "MB",
            "ReservedConcurrentExecutions": "runs at the same time",
            "Environment.": "a variable of the environment",
            "Revision": "number of the code that runs",
            "_slower": "nature: how many times longer a run takes",
            "_used_mb": "nature: memory that a run needs",
            "_account_used": "nature: concurrency that other functions of the account take",
            "_bug": "nature: {share, text}: runs that fail in the code, and what they log",
        },
        options={
            "own_error": "what the code logs when a request of a user is wrong",
            "policy": "name of the inline policy that allows what it calls",
            "guarded_by": "ids of security groups; puts it into the private subnets",
        },
        make=_make,
        link=_link,
        stage=FunctionStage,
        metrics=_metrics,
        logs=_logs,
        change=change,
        tag=tag,
    ),
    Kind(
        name="mapping",
        options={"from": "id of the queue, stream or table", "to": "id of the function"},
        settings={
            "Enabled": "true or false",
            "BatchSize": "messages",
            MOST: "of a queue: runs that it starts at the same time, 2 to 1000; null for no maximum",
        },
        make=_no_function,
        link=lambda shop, made, function: None,  # it feeds the function that it was made for
        stage=readers.stage,
        metrics=readers.metrics,
        change=change_mapping,
    ),
)
