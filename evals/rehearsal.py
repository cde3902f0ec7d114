"""A plan is tried out on an emulated account: its calls must lead from the bad state to the prior one, and back.

The account holds what the calls touch, as the world says it was. moto is independent of both world and service files.
What it does not do rightly is found by trying: then the answer is "not rehearsable", never "ok".
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import jmespath  # type: ignore[import-untyped]

from evals.emulation import CallRefused, Emulation, NotEmulated, Supplement, emulation
from evals.playing import Moment, Reading, Rehearsal, Stage, unsaid, with_ids
from evals.rehearsals import Item, Scene, identifiers, named, seeders
from evals.rehearsals._plain import normal, translated
from evals.staging import NotStaged, scene
from graph.models import Report, Step
from tools.models import Call

if TYPE_CHECKING:
    from evals.world.world import World

__all__ = ["Rehearsal", "rehearse", "try_out"]


def rehearse(report: Report, world: World) -> Rehearsal:
    """Try out the plan of `report` on the resources of `world` that it touches."""
    plan = report.mitigation
    if plan is None or not _calls(plan.apply):
        return unsaid("the plan has no call to apply")
    try:
        staged = scene(report, world, (*_calls(plan.apply), *_calls(plan.rollback)))
    except NotStaged as error:
        return unsaid(str(error))
    return try_out(staged, _calls(plan.apply), _calls(plan.rollback), plan.pre_validate)


def try_out(
    scene: Scene, apply: Sequence[Call], rollback: Sequence[Call], looks: Sequence[Step] = ()
) -> Rehearsal:
    """Apply on the bad state must give the prior one, and the way back the bad one again.

    `looks`: the plan's own reads; what they show is compared too.
    """
    astray = _astray(scene, (*apply, *rollback))
    if astray:
        return Rehearsal(status="failed", problems=tuple(astray))
    return _stage(_knowing_both(scene), tuple(looks)).tried(apply, rollback)


def _knowing_both(scene: Scene) -> Scene:
    """What a resource refers to before or after the change is there in both states."""
    pairs = list(zip(scene.prior, scene.bad, strict=True))
    return replace(
        scene,
        prior=tuple(replace(one, also=(other.values,)) for one, other in pairs),
        bad=tuple(replace(other, also=(one.values,)) for one, other in pairs),
    )


def _calls(steps: Iterable[Step]) -> tuple[Call, ...]:
    return tuple(call for step in steps for call in step.calls)


def _stage(scene: Scene, looks: tuple[Step, ...]) -> Stage:
    def lay(account: Emulation, moment: Moment) -> dict[str, str]:
        return _seed(account, scene.prior if moment == "prior" else scene.bad)

    def read(account: Emulation, ids: Mapping[str, str]) -> Reading:
        return _read(account, ids, scene, looks)

    return Stage(
        open=lambda: emulation(scene.account, scene.region, _supplements(scene)),
        lay=lay,
        read=read,
        words=frozenset(word for item in scene.bad for word in identifiers(item)),
        expected=lambda account, ids: _unexpected(account, ids, looks),
    )


def _read(account: Emulation, ids: Mapping[str, str], scene: Scene, looks: Iterable[Step]) -> Reading:
    back = {given: own for own, given in ids.items()}
    found: Reading = {}
    for item in scene.bad:
        shown = seeders()[item.kind].read(account, item, ids)
        found[item.arn] = translated(normal(shown), back)
    for call, value in _answers(account, ids, looks):
        found[f"{call.service}:{call.operation}"] = translated(normal(value), back)
    return found


def _answers(account: Emulation, ids: Mapping[str, str], looks: Iterable[Step]) -> Iterator[tuple[Call, Any]]:
    """What the plan's own reads show; a read that moto does not know is left out."""
    for step in looks:
        for call in step.calls:
            try:
                answer = account.call(with_ids(call, ids))
            except NotEmulated:
                continue
            except CallRefused as error:
                yield call, str(error)
                continue
            yield call, jmespath.search(step.query, answer) if step.query else answer


def _unexpected(account: Emulation, ids: Mapping[str, str], looks: Iterable[Step]) -> Iterator[str]:
    """Where the bad state is not what the plan says must be seen before: whoever follows it would stop."""
    for step in looks:
        for _, shown in _answers(account, ids, (_first(step),)):
            if isinstance(shown, list) and len(shown) == len(step.expect):
                for text, value in zip(step.expect, shown, strict=True):
                    told = (text.rpartition(" ")[2], text.partition(" ")[2])  # a document holds spaces itself
                    plain = value is not None and not isinstance(value, dict | list)
                    if plain and not any(_said(one, value) for one in told):
                        yield f"the plan expects {text}, and {value} is shown"


def _first(step: Step) -> Step:
    """The step with its first call only: its expectations are of that answer."""
    return step.model_copy(update={"calls": step.calls[:1]})


def _said(text: str, value: Any) -> bool:
    if isinstance(value, int | float) and not isinstance(value, bool):
        with suppress(ValueError):
            return float(text) == float(value)
    shown = str(value).lower() if isinstance(value, bool) else str(value)
    if text.startswith(("{", "[")) and shown.startswith(("{", "[")):
        with suppress(ValueError):
            return bool(json.loads(text) == json.loads(shown))  # the emulation writes documents anew
    return text == shown or (text == "none" and value == -1)


def _seed(account: Emulation, items: Iterable[Item]) -> dict[str, str]:
    ids: dict[str, str] = {}
    for item in items:
        try:
            ids |= seeders()[item.kind].make(account, item)
        except CallRefused as error:
            raise NotEmulated(f"{item.name} cannot be made: {error}") from error
    return ids


def _supplements(scene: Scene) -> Mapping[tuple[str, str], Supplement]:
    kinds = dict.fromkeys(item.kind for item in scene.bad)
    return {key: one for kind in kinds for key, one in seeders()[kind].supplements.items()}


def _astray(scene: Scene, calls: Sequence[Call]) -> list[str]:
    """Calls that go to another region, or to nothing that this account has; and a target that none of them names."""
    found = []
    regions = {item.region or scene.region for item in scene.bad} | {scene.region, ""}
    for call in calls:
        what = f"{call.service}:{call.operation}"
        if call.region not in regions:
            found.append(f"{what} goes to {call.region}, where nothing of this is")
        elif not any(named(call, item) for item in scene.bad):
            found.append(f"{what} names no resource of this account")
    target = next(item for item in scene.bad if item.arn == scene.target)
    if not any(named(call, target) for call in calls):
        found.append(f"no call touches {target.name}")
    return found
