"""EventBridge rules: schedules and event patterns.

Physics, from the EventBridge user guide: a disabled rule neither matches events nor fires; a schedule gives one request
per tick; a target that does not let the service in fails at once and permanently (NO_PERMISSIONS), which counts as a
failed invocation and writes no log line; Invocations, TriggeredRules and MatchedEvents are only sent while they are
not zero.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from evals.world.deeds_events import change, create, tag
from evals.world.deliveries import admit, admits, as_text
from evals.world.flow import Flow, Load, Minute
from evals.world.kinds._kind import Kind, Wish
from evals.world.metrics import count, source
from evals.world.schedules import Ticks, fires
from evals.world.stage import Stage
from evals.world.telemetry import Source
from evals.world.workshop import Workshop
from evals.world.world import Thing, World
from tools.errors import BadInput

SERVICE = "events.amazonaws.com"


class RuleStage(Stage):
    """Ticks of a schedule, or events that a pattern matches. A schedule makes its own demand."""

    reasons = ("not fired", "no permission")
    physical = ("State", "ScheduleExpression", "EventPattern", "Targets.")

    def __init__(self, world: World, thing: Thing, uses: Mapping[str, Any] | None = None) -> None:
        super().__init__(world, thing, uses)
        self.expression = thing.at("ScheduleExpression", thing.created)
        self.phase = int(thing.created.timestamp()) // 60

    def join(self, flow: Flow) -> None:
        super().join(flow)
        if self.expression:
            if flow.demand.rate:
                raise BadInput(
                    f"traffic {flow.name}: per_second must be 0, for {self.thing.name} sets the pace."
                )
            old = flow.demand
            flow.demand = Ticks(0, old.anchor, old.salt, expression=str(self.expression), phase=self.phase)

    @property
    def target(self) -> Thing | None:
        after = self.flow.stages[self.index + 1 :]
        return after[0].thing if after else None

    def watched(self) -> Iterable[Thing]:
        yield self.thing

    def moments(self) -> Iterator[float]:
        yield from super().moments()
        target = self.target
        for path, steps in target.settings.steps.items() if target else ():
            if path.startswith("Policy"):
                yield from (since.timestamp() for since in steps.since if since > self.thing.created)

    def tight(self, second: int, wanted: int) -> bool:
        """Each second of a tick that is missed, so that its moment is known."""
        return bool(self.expression and wanted) and not self._fires(second)

    def _fires(self, second: float) -> bool:
        """Whether the rule does what it did when it was made."""
        if self.at("State", second) == "DISABLED":
            return False
        if self.expression:
            return fires(str(self.at("ScheduleExpression", second)), int(second) // 60, self.phase)
        first, now = (self.at("EventPattern", one) for one in (self.thing.created.timestamp(), second))
        return _covers(now, first)

    def _reaches(self, second: float) -> bool:
        target = self.target
        if target is None:
            return True
        held = self.thing.settings.steps.items()
        return any(
            path.startswith("Targets.") and (steps.at_second(second) or {}).get("Arn") == target.arn
            for path, steps in held
        )

    def enter(self, load: Load) -> None:
        arrived = load.alive
        refused: dict[str, int] = {}
        if not load.calm and arrived:
            if not self._fires(load.second):
                load.end(self.index, "not fired", arrived, 0, unseen=True)
            elif not self._reaches(load.second):
                load.end(self.index, "no target", arrived, 0)
            elif self.target is not None and not admits(self.target, SERVICE, self.thing.arn, load.second):
                refused["no permission"] = load.end(self.index, "no permission", arrived, 0)
        self.close(load, arrived, refused)


def _covers(now: Any, first: Any) -> bool:
    """Whether a pattern still matches all that the first one matched: each of its fields allows as much."""
    if now == first:
        return True
    new, old = json.loads(str(now)), json.loads(str(first))
    return isinstance(new, dict) and all(_allows(value, old.get(key)) for key, value in new.items())


def _allows(new: Any, old: Any) -> bool:
    if isinstance(new, dict):
        return isinstance(old, dict) and all(_allows(value, old.get(key)) for key, value in new.items())
    return isinstance(old, list) and all(one in new for one in old)


def _make(shop: Workshop, wish: Wish) -> Thing:
    bus = str(wish.options.get("bus") or "default")
    place = f"rule/{wish.name}" if bus == "default" else f"rule/{bus}/{wish.name}"
    if ("ScheduleExpression" in wish.settings) == ("EventPattern" in wish.settings):
        raise BadInput(f"resources.{wish.id}.settings: a rule has either ScheduleExpression or EventPattern.")
    thing = shop.add(shop.world.arn("events", place), wish, {"bus": bus})
    if "EventPattern" in wish.settings:  # what only follows a schedule gets nothing from its bus
        shop.world.relate(shop.world.arn("events", f"event-bus/{bus}"), "feeds", thing.arn)
    return shop.settle(thing, replace(wish, settings=_texts(wish.settings)), {"State": "ENABLED"})


def _texts(settings: Mapping[str, Any]) -> dict[str, Any]:
    return {path: _kept_value(path, value) for path, value in settings.items()}


def _kept_value(path: str, value: Any) -> Any:
    return as_text(value) if path == "EventPattern" else value


def _link(shop: Workshop, rule: Thing, target: Thing) -> None:
    """Make something the target of a rule, and let the rule in."""
    world, held = shop.world, {"Arn": target.arn}
    if target.kind == "function":
        made = {
            "Sid": f"allow-{rule.name}",
            "Effect": "Allow",
            "Principal": {"Service": SERVICE},
            "Action": "lambda:InvokeFunction",
            "Resource": target.arn,
            "Condition": {"ArnLike": {"AWS:SourceArn": rule.arn}},
        }
        target.settings.set(f"Policy.allow-{rule.name}", target.created, made)
    elif target.kind in ("queue", "topic"):
        admit(target, f"allow-{rule.name}", SERVICE, rule.arn)
        world.relate(rule.arn, "may send to", target.arn)
    elif target.kind == "state-machine":
        role = shop.role(f"{rule.name}-events", rule.created, SERVICE)
        rule.fixed["role"] = held["RoleArn"] = role.arn
        shop.allow(rule, "start", ["states:StartExecution"], target)
        world.relate(rule.arn, "runs as", role.arn)
    else:
        raise BadInput(f"a rule cannot call a {target.kind}")
    number = sum(path.startswith("Targets.") for path in rule.settings.steps)
    code = shop.world.seed.pick(f"target:{rule.name}", (f"{target.name}", "Target{}", "{}"))
    rule.settings.set(f"Targets.{code.format(number)[:64]}", rule.created, held)
    for kind in (
        "targets",
        "triggers",
        "invokes" if target.kind in ("function", "state-machine") else "sends to",
    ):
        world.relate(rule.arn, kind, target.arn)


def _metrics(rule: Thing, flow: Flow | None) -> Iterable[Source]:
    """AWS/Events by RuleName; on a bus of its own also by EventBusName. Nothing is sent while it is zero."""
    if flow is None:
        return
    index = flow.stage(rule.arn)
    held = {"RuleName": rule.name}
    if rule.fixed["bus"] != "default":
        held["EventBusName"] = rule.fixed["bus"]

    def ended(row: Minute, *reasons: str) -> int:
        return sum(one.many for one in row.endings if one.stage == index and one.reason in reasons)

    def fired(row: Minute) -> int:
        return row.passages[index].arrived - ended(row, "not fired")

    def invoked(row: Minute) -> int:
        return fired(row) - ended(row, "no target")

    def failed(row: Minute) -> int:
        return ended(row, "no permission")

    values = {"TriggeredRules": fired, "Invocations": invoked, "FailedInvocations": failed}
    if not rule.at("ScheduleExpression", rule.created):
        values["MatchedEvents"] = fired
    for name, value in values.items():
        yield source(rule, "AWS/Events", name, held, "Count", count(flow, value))


def _kept(world: World, thing: Thing, path: str, value: Any) -> Any:
    return _kept_value(path, value)


KINDS = (
    Kind(
        name="rule",
        options={"bus": "name of its event bus"},
        settings={
            "State": "ENABLED or DISABLED",
            "ScheduleExpression": "rate(n minutes) or cron(M H * * ? *); the traffic's per_second is then 0",
            "EventPattern": "the pattern, as a map",
            "Description": "text",
            "Targets.": "by target id: {Arn}; null removes it",
        },
        innocent=(("Description", "see the runbook"),),
        make=_make,
        link=_link,
        stage=RuleStage,
        metrics=_metrics,
        change=change,
        create=create,
        tag=tag,
        kept=_kept,
    ),
)
