"""HTTP APIs and REST APIs in front of functions.

Physics: a token bucket per stage refuses with 429 (developer guide, "Throttle requests"); a function whose policy does
not allow the API gives 500 without a run; an integration may take 30 (HTTP) or 29 seconds (REST), then 504.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from evals.world.deeds_apigateway import change_stage, tag
from evals.world.flow import Flow, Load, Minute
from evals.world.kinds._kind import Kind, Wish
from evals.world.metrics import Emit, count, duration, source, took
from evals.world.seed import mix
from evals.world.stage import Stage, setting
from evals.world.telemetry import Sample, Source
from evals.world.workshop import Workshop
from evals.world.world import Thing, World

_ALPHABET = "abcdefghijklmnopqrstuvwxyz0123456789"
RATE = "DefaultRouteSettings.ThrottlingRateLimit"
BURST = "DefaultRouteSettings.ThrottlingBurstLimit"
_REST = {RATE: 'methodSettings."*/*".throttlingRateLimit', BURST: 'methodSettings."*/*".throttlingBurstLimit'}


def limit_path(api: Thing, path: str) -> str:
    """The path of a throttling setting, which REST APIs spell in another way."""
    return _REST[path] if api.kind == "rest-api" else path


class ApiStage(Stage):
    """Requests that come in by an API."""

    reasons = ("limited", "no permission", "too slow")

    def __init__(self, world: World, thing: Thing, uses: Mapping[str, Any] | None = None) -> None:
        super().__init__(world, thing, uses)
        self.longest = 29_000 if thing.kind == "rest-api" else 30_000
        self._tokens = 0.0

    @property
    def stage_thing(self) -> Thing:
        return self.world.things[self.thing.fixed["stage_arn"]]

    def watched(self) -> Iterable[Thing]:
        yield self.thing
        yield self.stage_thing

    def moments(self) -> Iterator[float]:
        yield from super().moments()
        function = self.world.things.get(self.thing.fixed.get("function", ""))
        steps = function.settings.steps.get(self._permission) if function else None
        yield from (
            (one.timestamp() for one in steps.since if function and one > function.created) if steps else ()
        )

    @property
    def _permission(self) -> str:
        return f"Policy.allow-{self.thing.name}"

    def _limits(self, second: float) -> tuple[float | None, float]:
        stage, moment = self.stage_thing, second - 3
        rate = setting(stage, limit_path(self.thing, RATE), moment)
        burst = setting(stage, limit_path(self.thing, BURST), moment)
        return (None if rate is None else float(rate)), float(burst or 5000)

    def begin(self, second: int) -> None:
        self._tokens = self._limits(second)[1]

    def tight(self, second: int, wanted: int) -> bool:
        rate = self._limits(second + 59)[0]
        return rate is not None and wanted > 42 * rate

    def enter(self, load: Load) -> None:
        arrived = load.alive
        refused: dict[str, int] = {}
        if not load.calm:
            refused["limited"] = self._throttle(load)
            function = self.world.things.get(self.thing.fixed.get("function", ""))
            if function is not None and setting(function, self._permission, load.second - 4) is None:
                load.end(self.index, "no permission", load.alive, 12, status=500, unseen=True)
        self.close(load, arrived, refused)

    def _throttle(self, load: Load) -> int:
        rate, burst = self._limits(load.second)
        if rate is None:
            return 0
        held = min(burst, self._tokens) + rate * load.seconds
        excess = load.end(self.index, "limited", max(0, load.alive - int(held)), 3, status=429, unseen=True)
        self._tokens = min(burst, held - load.alive)
        return excess

    def leave(self, load: Load) -> None:
        if load.calm:
            return
        if load.alive and load.ms > self.longest:
            load.end(self.index, "too slow", load.alive, self.longest, status=504)
        load.endings[:] = [
            one._replace(ms=self.longest, status=504) if one.ms > self.longest else one
            for one in load.endings
        ]


def _make(shop: Workshop, wish: Wish) -> Thing:
    world, seed, name = shop.world, shop.world.seed, wish.name
    code = seed.letters(f"api:{name}", 10, _ALPHABET)
    rest = wish.kind == "rest-api"
    stage = "prod" if rest else "$default"
    collection = "restapis" if rest else "apis"
    arn = f"arn:{world.partition}:apigateway:{world.region}::/{collection}/{code}"
    fixed = {
        "id": code,
        "stage": stage,
        "route": str(wish.options.get("route") or f"POST /{name}"),
        "route_id": seed.letters(f"route:{name}", 7, _ALPHABET),
        "integration": seed.letters(f"integration:{name}", 7, _ALPHABET),
        "deployment": seed.letters(f"deployment:{name}", 6, _ALPHABET),
        "root": seed.letters(f"root:{name}", 10, _ALPHABET),
        "stage_arn": f"{arn}/stages/{stage}",
        "function": "",
    }
    thing = shop.add(arn, wish, fixed)
    part = shop.part(f"{arn}/stages/{stage}", "stage", stage, wish.created, {"api": arn})
    for path, value in wish.settings.items():
        part.settings.set(limit_path(thing, path), wish.created, value)
    shop.made[f"{wish.id}_stage"] = part
    return shop.settle(thing, replace(wish, settings={}))


def _link(shop: Workshop, api: Thing, function: Thing) -> None:
    """Integrate a function, which must allow it."""
    code, route = api.fixed["id"], api.fixed["route"]
    ending = route.replace(" ", "") if api.kind == "rest-api" else "*" + route.split(" ")[1]
    statement = {
        "Sid": f"allow-{api.name}",
        "Effect": "Allow",
        "Principal": {"Service": "apigateway.amazonaws.com"},
        "Action": "lambda:InvokeFunction",
        "Resource": function.arn,
        "Condition": {"ArnLike": {"AWS:SourceArn": shop.world.arn("execute-api", f"{code}/*/{ending}")}},
    }
    function.settings.set(f"Policy.allow-{api.name}", function.created, statement)
    api.fixed["function"] = function.arn
    shop.world.relate(api.arn, "invokes", function.arn)


def _metrics(api: Thing, flow: Flow | None) -> Iterable[Source]:
    """AWS/ApiGateway. HTTP APIs name their metrics 4xx and 5xx, by ApiId; REST APIs 4XXError, by ApiName.

    Each comes twice, for the whole API and by stage (developer guide, "metrics and dimensions"); an API here has one
    stage, so both are equal.
    """
    if flow is None:
        return
    rest = api.kind == "rest-api"
    whole = {"ApiName": api.name} if rest else {"ApiId": str(api.fixed["id"])}
    for held in (whole, whole | {"Stage": str(api.fixed["stage"])}):
        yield from _by(api, flow, held)


def _by(api: Thing, flow: Flow, held: dict[str, str]) -> list[Source]:
    index, salt = flow.stage(api.arn), flow.demand.salt
    extra = 4.0 + salt % 9
    answered = salt % 40  # of 10,000 requests, those that the function itself answers with a 4xx

    def asked(row: Minute) -> int:
        return row.passages[index].arrived

    def bad(row: Minute) -> int:
        return row.alive * answered // 10_000 + sum(one.many for one in row.endings if one.status < 500)

    def broken(row: Minute) -> int:
        return sum(one.many for one in row.endings if one.status >= 500)

    def waited(minute: int) -> Sample | None:
        row = flow.minute(minute)
        return duration(flow, row, index, mix(salt, minute, 23), extra) if row.requests else None

    def made(name: str, unit: str, emit: Emit) -> Source:
        return source(api, "AWS/ApiGateway", name, held, unit, emit)

    names = ("5XXError", "4XXError") if api.kind == "rest-api" else ("5xx", "4xx")
    return [
        made("Count", "Count", count(flow, asked, of=asked)),
        made(names[0], "Count", count(flow, broken, of=asked)),
        made(names[1], "Count", count(flow, bad, of=asked)),
        made("Latency", "Milliseconds", waited),
        made("IntegrationLatency", "Milliseconds", took(flow, index + 1, 23, extra / 2)),
    ]


def _kind(name: str) -> Kind:
    return Kind(
        name=name,
        options={"route": 'method and path: "POST /orders"'},
        settings={RATE: "requests per second", BURST: "requests at once"},
        make=_make,
        link=_link,
        stage=ApiStage,
        metrics=_metrics,
        tag=tag,
        dimensions=lambda api: {"id": api.fixed["id"], "stage": api.fixed["stage"]},
    )


KINDS = (
    _kind("http-api"),
    _kind("rest-api"),
    Kind(
        name="stage",
        settings={RATE: "requests per second", BURST: "requests at once"},
        make=_make,
        change=change_stage,
    ),
)
