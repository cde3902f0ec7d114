"""A plan is tried out on an emulated account: its calls must lead from the bad state to the prior one, and back.

The account holds what the calls touch, as the world says it was. moto is independent of both world and service files.
What it does not do rightly is found by trying: then the answer is "not rehearsable", never "ok".
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal

import jmespath  # type: ignore[import-untyped]

from evals.emulation import CallRefused, Emulation, NotEmulated, Supplement, emulation
from evals.rehearsals import Item, Scene, identifiers, named, names, seeders
from evals.rehearsals._plain import Path, another, differences, leaves, normal, plain, translated, with_leaf
from evals.staging import NotStaged, scene
from graph.models import Report, Step
from tools.models import Call

if TYPE_CHECKING:
    from evals.world.world import World

_WHEN_NOT_WHAT = frozenset(
    {"ApplyImmediately", "ApplyMethod", "forceNewDeployment", "DryRun", "ClientToken", "clientToken"}
)
"""Parameters that say when or how a change is made; no configuration shows them."""

Reading = dict[str, Any]
"""What an account shows: by resource ARN its configuration, and by call the answer to a read that the plan names."""

_heeded: dict[tuple[str, str, str], bool] = {}
"""Whether moto looks at a parameter at all, by service, operation and path: a fact about moto, found once a process."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rehearsal:
    """How the rehearsal of one plan went. `problems`: what went wrong, or why nothing can be said."""

    status: Literal["ok", "failed", "not_rehearsable"]
    problems: tuple[str, ...] = ()


def rehearse(report: Report, world: World) -> Rehearsal:
    """Try out the plan of `report` on the resources of `world` that it touches."""
    plan = report.mitigation
    if plan is None or not _calls(plan.apply):
        return _unsaid("the plan has no call to apply")
    try:
        staged = scene(report, world, (*_calls(plan.apply), *_calls(plan.rollback)))
    except NotStaged as error:
        return _unsaid(str(error))
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
    scene = _knowing_both(scene)
    stage = _Stage(scene, tuple(looks))
    try:
        prior, bad = stage.shown(scene.prior), stage.shown(scene.bad)
        if prior == bad:
            return _unsaid("moto shows no difference between the state before and after the change")
        problems = stage.played(prior, bad, apply, rollback)
        ignored = stage.ignored(scene.bad, apply) or stage.ignored(scene.prior, rollback)
    except NotEmulated as error:
        return _unsaid(str(error))
    if ignored:
        return _unsaid(f"moto does not look at {ignored}")
    return Rehearsal(status="failed" if problems else "ok", problems=tuple(problems))


def _knowing_both(scene: Scene) -> Scene:
    """What a resource refers to before or after the change is there in both states."""
    pairs = list(zip(scene.prior, scene.bad, strict=True))
    return replace(
        scene,
        prior=tuple(replace(one, also=(other.values,)) for one, other in pairs),
        bad=tuple(replace(other, also=(one.values,)) for one, other in pairs),
    )


def _unsaid(why: str) -> Rehearsal:
    return Rehearsal(status="not_rehearsable", problems=(why,))


def _calls(steps: Iterable[Step]) -> tuple[Call, ...]:
    return tuple(call for step in steps for call in step.calls)


@dataclass(frozen=True, slots=True)
class _Stage:
    scene: Scene
    looks: tuple[Step, ...]

    def shown(self, items: Sequence[Item], calls: Sequence[Call] = ()) -> Reading:
        """What an account made of `items` shows after `calls`. Raises NotEmulated or CallRefused."""
        with self._open() as account:
            ids = _seed(account, items)
            for call in calls:
                account.call(_with_ids(call, ids))
            return self._read(account, ids)

    def played(
        self, prior: Reading, bad: Reading, apply: Sequence[Call], rollback: Sequence[Call]
    ) -> list[str]:
        """Apply, look, go back, look."""
        with self._open() as account:
            ids = _seed(account, self.scene.bad)
            problems = [f"before: {one}" for one in self._unexpected(account, ids)]
            problems += _run(account, ids, apply, "apply")
            after = self._read(account, ids)
            problems += [f"after apply: {one}" for one in differences(prior, after)]
            if not rollback:
                return [*problems, "the plan has no way back"]
            problems += _run(account, ids, rollback, "way back")
            back = self._read(account, ids)
            return [*problems, *(f"after the way back: {one}" for one in differences(bad, back))]

    def ignored(self, items: Sequence[Item], calls: Sequence[Call]) -> str:
        """The first parameter that moto accepts and then forgets, or "". Found by sending another value."""
        words = {word for item in items for word in identifiers(item)}
        known: Reading | None = None
        for number, call in enumerate(calls):
            for path, value in leaves(call.parameters):
                where = f"{call.service}:{call.operation} {plain(path)}"
                key = (call.service, call.operation, plain(path))
                if _not_shown(call, path) or (isinstance(value, str) and names(value, words)):
                    continue
                if key not in _heeded:
                    known = known if known is not None else self._tried(items, calls)
                    if "refused" in known:
                        return ""  # nothing can be compared; the refusal itself is a problem
                    other = replace(call, parameters=with_leaf(call.parameters, path, another(value)))
                    changed = self._tried(items, [*calls[:number], other, *calls[number + 1 :]])
                    _heeded[key] = changed != known
                if not _heeded[key]:
                    return where
        return ""

    def _tried(self, items: Sequence[Item], calls: Sequence[Call]) -> Reading:
        try:
            return self.shown(items, calls)
        except (CallRefused, NotEmulated) as error:
            return {"refused": str(error)}

    def _open(self) -> Any:
        return emulation(self.scene.account, self.scene.region, _supplements(self.scene))

    def _read(self, account: Emulation, ids: Mapping[str, str]) -> Reading:
        back = {given: own for own, given in ids.items()}
        found: Reading = {}
        for item in self.scene.bad:
            shown = seeders()[item.kind].read(account, item, ids)
            found[item.arn] = translated(normal(shown), back)
        for call, value in self._answers(account, ids):
            found[f"{call.service}:{call.operation}"] = translated(normal(value), back)
        return found

    def _answers(self, account: Emulation, ids: Mapping[str, str]) -> Iterator[tuple[Call, Any]]:
        """What the plan's own reads show; a read that moto does not know is left out."""
        for step in self.looks:
            for call in step.calls:
                try:
                    answer = account.call(_with_ids(call, ids))
                except NotEmulated:
                    continue
                except CallRefused as error:
                    yield call, str(error)
                    continue
                yield call, jmespath.search(step.query, answer) if step.query else answer

    def _unexpected(self, account: Emulation, ids: Mapping[str, str]) -> Iterator[str]:
        """Where the bad state is not what the plan says must be seen before: whoever follows it would stop."""
        for step in self.looks:
            alone = _Stage(self.scene, (_first(step),))
            for _, shown in alone._answers(account, ids):
                if isinstance(shown, list) and len(shown) == len(step.expect):
                    for text, value in zip(step.expect, shown, strict=True):
                        told = text.rpartition(" ")[2]
                        if (
                            value is not None
                            and not isinstance(value, dict | list)
                            and not _said(told, value)
                        ):
                            yield f"the plan expects {text}, and {value} is shown"


def _first(step: Step) -> Step:
    """The step with its first call only: its expectations are of that answer."""
    return step.model_copy(update={"calls": step.calls[:1]})


def _said(text: str, value: Any) -> bool:
    if isinstance(value, int | float) and not isinstance(value, bool):
        with suppress(ValueError):
            return float(text) == float(value)
    shown = str(value).lower() if isinstance(value, bool) else str(value)
    return text == shown or (text == "none" and value == -1)


def _seed(account: Emulation, items: Iterable[Item]) -> dict[str, str]:
    ids: dict[str, str] = {}
    for item in items:
        try:
            ids |= seeders()[item.kind].make(account, item)
        except CallRefused as error:
            raise NotEmulated(f"{item.name} cannot be made: {error}") from error
    return ids


def _run(account: Emulation, ids: Mapping[str, str], calls: Iterable[Call], part: str) -> list[str]:
    """Problems of running `calls` in turn; after a refused one nobody would go on."""
    for call in calls:
        try:
            account.call(_with_ids(call, ids))
        except CallRefused as error:
            return [f"{part}: {error}"]
    return []


def _supplements(scene: Scene) -> Mapping[tuple[str, str], Supplement]:
    kinds = dict.fromkeys(item.kind for item in scene.bad)
    return {key: one for kind in kinds for key, one in seeders()[kind].supplements.items()}


def _not_shown(call: Call, path: Path) -> bool:
    """Whether no configuration shows a parameter: it says when, or describes what is taken away."""
    return path[-1] in _WHEN_NOT_WHAT or (path[-1] == "Description" and call.operation.startswith("Revoke"))


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


def _with_ids(call: Call, ids: Mapping[str, str]) -> Call:
    return replace(call, parameters=translated(call.parameters, ids))
