"""SSM parameters that programs read: a limit that they keep to, or a name that they need.

Physics: a program keeps what it read for a while (the AWS Parameters and Secrets Lambda extension: 300 seconds by
default) and each copy of it reads anew at a time of its own, so that a new value spreads evenly over that time.
CloudTrail hides the value; the history of versions shows it (Systems Manager user guide, "Working with parameter
versions": 100 versions are kept).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from evals.world.flow import Load
from evals.world.kinds._kind import Act, Kind, Wish
from evals.world.stage import Stage, setting, share_above, share_of
from evals.world.trail import Deed
from evals.world.workshop import Workshop
from evals.world.world import Thing, World

HIDDEN = "HIDDEN_DUE_TO_SECURITY_REASONS"
_KEPT_SECONDS = 300


class ParameterStage(Stage):
    """Requests whose program acts by the value. `need`: for a limit, what a request needs on average."""

    reasons = ("over the limit", "bad value")
    physical = ("Value",)

    def __init__(self, world: World, thing: Thing, uses: Mapping[str, Any] | None = None) -> None:
        super().__init__(world, thing, uses)
        self.need = float(self.uses.get("need") or 0)

    def enter(self, load: Load) -> None:
        arrived = load.alive
        if not load.calm:
            steps = self.thing.settings.steps["Value"]
            kept = float(self.thing.fixed["kept"])
            for place, since in enumerate(steps.since):
                if place and 0 <= load.second - since.timestamp() < kept:
                    read = (load.second + load.seconds / 2 - since.timestamp()) / kept
                    many = share_of(arrived, read, load.second + 1)
                    self._ends(load, many, steps.values[place])
                    self._ends(load, arrived - many, steps.values[place - 1])
                    break
            else:
                self._ends(load, arrived, self.at("Value", load.second))
        self.close(load, arrived)

    def _ends(self, load: Load, many: int, value: Any) -> None:
        if self.need:
            share = share_above(float(value) / self.need)
            load.end(self.index, "over the limit", share_of(many, share, load.second), load.ms * 0.4 + 3)
        elif value not in self.thing.fixed["good"]:
            load.end(self.index, "bad value", many, load.ms * 0.5 + 5)

    def text(self, reason: str) -> str:
        value = setting(self.thing, "Value", self.world.start.timestamp())
        if reason == "over the limit":
            noun = self.thing.name.rsplit("/", 1)[-1]
            return str(self.thing.fixed["says"] or f"ValueError: {noun} is {value}, the request needs more")
        return str(self.thing.fixed["says"] or f"ConnectionError: Failed to resolve '{value}'").replace(
            "{value}", str(value)
        )


def _make(shop: Workshop, wish: Wish) -> Thing:
    name = wish.name if wish.name.startswith("/") else f"/{wish.name}"
    first = str(wish.settings.get("Value", "on"))
    fixed = {
        "type": str(wish.options.get("type") or "String"),
        "kept": float(wish.options.get("kept_seconds") or _KEPT_SECONDS),
        "says": str(wish.options.get("says") or ""),
        "good": [str(one) for one in wish.options.get("good") or [first]],
        "key": "",
    }
    thing = shop.add(shop.world.arn("ssm", f"parameter{name}"), wish, fixed)
    thing.name = name
    shop.settle(thing, wish, {"Value": first})
    thing.settings.steps["Value"].values[0] = first
    return thing


def _called(shop: Workshop, caller: Thing, parameter: Thing) -> None:
    variable = f"{parameter.name.rsplit('/', 1)[-1].upper().replace('-', '_')}_PARAMETER"
    world = shop.world
    if caller.kind == "function":
        caller.settings.set(f"Environment.{variable}", caller.created, parameter.name)
        caller.fixed["names"][variable] = parameter.name
    shop.allow(caller, "read-parameters", ["ssm:GetParameter", "ssm:GetParameters"], parameter)
    caller.fixed["needs"].append(("ssm:GetParameter", parameter.arn))
    for kind in ("uses", "reads"):
        world.relate(caller.arn, kind, parameter.arn)


def version(parameter: Thing, moment: Any) -> int:
    """The number of the version that is in force at a moment."""
    return sum(since <= moment for since in parameter.settings.steps["Value"].since)


def _change(world: World, act: Act) -> Deed:
    """PutParameter with Overwrite; DeleteParameter is not modelled. The record lists the ARN without a type."""
    if act.path != "Value":
        raise ValueError(f"{act.path} of a parameter is not modelled")
    thing = act.thing
    request = {
        "name": thing.name,
        "value": HIDDEN,
        "type": thing.fixed["type"],
        "overwrite": True,
        "allowedPattern": "",
    }
    return Deed(
        source="ssm",
        name="PutParameter",
        request=request,
        response={"version": version(thing, act.moment), "tier": "Standard"},
        listed=(),
        concerns=(("AWS::SSM::Parameter", thing.arn),),
        extra={"resources": [{"accountId": world.account, "ARN": thing.arn}]},
    )


def _tag(world: World, thing: Thing, tags: dict[str, str]) -> Deed:
    pairs = [{"key": key, "value": value} for key, value in sorted(tags.items())]
    request = {"resourceType": "Parameter", "resourceId": thing.name, "tags": pairs}
    return Deed(source="ssm", name="AddTagsToResource", request=request)


KINDS = (
    Kind(
        name="parameter",
        options={
            "type": "String, StringList or SecureString",
            "kept_seconds": "how long its readers keep what they read; 300 by default",
            "good": "for a name: the values with which the program works; the first one by default",
            "says": "what the program logs when the value does not do; {value} stands for it",
        },
        settings={"Value": "a text; where a caller gives `need`, a number that requests must not exceed"},
        make=_make,
        stage=ParameterStage,
        change=_change,
        tag=_tag,
        called=_called,
        kept=lambda world, thing, path, value: str(value) if path == "Value" else value,
    ),
)
