"""Opens the world of a case and lets opsleuth investigate it, through the same door as everybody."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs

import yaml

from evals.cases import Case
from evals.truth import Truth, resolve
from graph import Context, Report, Trigger, stream
from tools.errors import BadInput
from tools.models import Json

if TYPE_CHECKING:
    from evals.world.world import World


def truth_of(case: Case, world: World) -> Truth:
    """The case's truth with the world's facts filled in."""
    return resolve(case.truth, facts_of(world), case.name)


def facts_of(world: World) -> dict[str, Any]:
    """The world's facts, and for each change of an alarm the calls that set it to the value before and after."""
    found = dict(world.facts)
    for name, arn in world.facts.items():
        event, _, kind = name.rpartition(".")
        thing = world.things.get(arn) if kind == "resource" and isinstance(arn, str) else None
        if thing is None or thing.kind != "alarm":
            continue
        when, alarm = world.facts.get(f"{event}.time"), world.alarms[thing.name]
        if when is not None:
            found[f"{event}.call_before"] = _put_alarm(alarm.request(when - timedelta(seconds=1)))
            found[f"{event}.call_after"] = _put_alarm(alarm.request(when))
    return found


def _put_alarm(request: Json) -> Json:
    """PutMetricAlarm replaces the whole alarm: all that is not empty and not a default must be sent."""
    everything = {name[0].upper() + name[1:]: value for name, value in request.items()}
    everything["Dimensions"] = [
        {"Name": pair["name"], "Value": pair["value"]} for pair in everything.get("Dimensions", [])
    ]
    default = {"ActionsEnabled": True, "TreatMissingData": "missing"}
    optional = {name: value for name, value in everything.items() if not value or default.get(name) == value}
    optional.pop("Threshold", None)
    parameters = {name: value for name, value in everything.items() if name not in optional}
    return {
        "service": "cloudwatch",
        "operation": "PutMetricAlarm",
        "parameters": parameters,
        "optional": optional,
    }


async def told(world: World, context: Context) -> list[Report]:
    """All revisions, oldest first, each as it was last told."""
    from evals import register

    register()
    trigger = Trigger(**world.trigger)
    thread = f"eval-{world.case}-{world.seed.number}"
    latest: dict[int, Report] = {}
    async for update in stream(trigger, thread, context):
        if isinstance(update, Report):
            latest[update.revision] = update
    return [latest[number] for number in sorted(latest)]


def make_recording(case: Case, seed: int) -> Path:
    """Investigate a case and keep what was read as its recording.yaml, with the trigger beside it."""
    path = case.folder / "recording.yaml"
    source = f"{case.folder}?seed={seed}"
    world = open_world(source)
    asyncio.run(told(world, Context(source=f"world:{source}", region=world.asked_in, record_to=str(path))))
    said = yaml.safe_dump(dict(world.trigger), sort_keys=True)
    (case.folder / "trigger.yaml").write_text(said, encoding="utf-8")
    return path


def begin(case: str, seed: int) -> tuple[Trigger, Context]:
    """What starts an investigation of this case's world."""
    world = open_world(f"{case}?seed={seed}")
    return Trigger(**world.trigger), Context(source=f"world:{case}?seed={seed}", region=world.asked_in)


@lru_cache(maxsize=4)
def open_world(text: str) -> World:
    """The world of "CASE?seed=N&vary=VARIANT&drop=EVENT"; CASE is the name of a case that comes with opsleuth, or a
    case folder.
    """
    from evals.world import load_case

    name, _, query = text.partition("?")
    asked = parse_qs(query, keep_blank_values=True, strict_parsing=bool(query))
    strange = sorted(set(asked) - {"seed", "vary", "drop"})
    if strange:
        raise BadInput(f'"{text}": unknown option {", ".join(strange)}. Write world:CASE?seed=1')
    number = asked.get("seed", ["1"])[-1]
    if not number.isdecimal():
        raise BadInput(f'"{text}": the seed must be a whole number, such as seed=1')
    return load_case(name, int(number), asked.get("vary", [""])[-1], asked.get("drop", []))
