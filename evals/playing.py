"""Plays calls on an emulated account from a state before a change and a state after it, and tells what moto forgets."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from typing import Any, Literal

from evals.emulation import CallRefused, Emulation, NotEmulated
from evals.rehearsals import names
from evals.rehearsals._plain import Path, another, differences, leaves, plain, translated, with_leaf
from graph.undoing.anatomy import is_manner
from tools.models import Call, Json
from tools.parameters import allowed

_WHEN_NOT_WHAT = frozenset(
    {"ApplyImmediately", "ApplyMethod", "forceNewDeployment", "DryRun", "ClientToken", "clientToken"}
    | {"Overwrite", "LockToken", "IfMatch", "HonorCooldown", "resolveConflicts", "clientRequestToken"}
    | {"ReturnSubscriptionArn", "BlockPublicPolicy"}
)
"""Parameters that say when or how a change is made; no configuration shows them."""

Reading = dict[str, Any]
"""What an account shows, by resource or by read."""

Moment = Literal["prior", "bad"]

_heeded: dict[tuple[str, str, str], bool] = {}
"""Whether moto looks at a parameter at all, by service, operation and path: a fact about moto, found once a process."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rehearsal:
    """How the rehearsal of one plan went. `problems`: what went wrong, or why nothing can be said."""

    status: Literal["ok", "failed", "not_rehearsable"]
    problems: tuple[str, ...] = ()


def unsaid(why: str) -> Rehearsal:
    return Rehearsal(status="not_rehearsable", problems=(why,))


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """An account that can be made again and again. `lay` makes it as it was before or after the change and returns the
    emulation's ids by the account's own; `read` shows it.
    """

    open: Callable[[], AbstractContextManager[Emulation]]
    lay: Callable[[Emulation, Moment], dict[str, str]]
    read: Callable[[Emulation, Mapping[str, str]], Reading]
    words: frozenset[str] = frozenset()  # by which calls name things: never tried with another value
    unshown: frozenset[str] = (
        frozenset()
    )  # members that are not compared, so nobody can tell whether they are heeded
    expected: Callable[[Emulation, Mapping[str, str]], Iterable[str]] = lambda *_: ()
    learn: Callable[[dict[str, str], Call, Json], None] = lambda *_: (
        None
    )  # ids that an answer to the plan gives
    one_way: bool = False  # whether a plan may have no way back
    compared: Callable[[Reading, Reading], list[str]] = differences  # in what two readings differ

    def tried(self, apply: Sequence[Call], rollback: Sequence[Call]) -> Rehearsal:
        """Apply on the bad state must give the prior one, and the way back the bad one again."""
        try:
            prior, bad = self.shown("prior"), self.shown("bad")
            if prior == bad:
                return unsaid("moto shows no difference between the state before and after the change")
            problems = self.played(prior, bad, apply, rollback)
            ignored = self.ignored("bad", apply) or self.ignored("prior", rollback)
        except NotEmulated as error:
            return unsaid(str(error))
        if ignored:
            return unsaid(f"moto does not look at {ignored}")
        return Rehearsal(status="failed" if problems else "ok", problems=tuple(problems))

    def shown(self, moment: Moment, calls: Sequence[Call] = ()) -> Reading:
        """What the account shows after `calls`. Raises NotEmulated or CallRefused."""
        with self.open() as account:
            ids = self.lay(account, moment)
            for call in calls:
                account.call(with_ids(call, ids))
            return self.read(account, ids)

    def played(
        self, prior: Reading, bad: Reading, apply: Sequence[Call], rollback: Sequence[Call]
    ) -> list[str]:
        """Apply, look, go back, look."""
        with self.open() as account:
            ids = self.lay(account, "bad")
            problems = [f"before: {one}" for one in self.expected(account, ids)]
            return [*problems, *self.forth_and_back(account, ids, prior, bad, apply, rollback)]

    def forth_and_back(
        self,
        account: Emulation,
        ids: dict[str, str],
        prior: Reading,
        bad: Reading,
        apply: Sequence[Call],
        rollback: Sequence[Call],
    ) -> list[str]:
        """What goes wrong when the plan is applied to the bad state, and taken back."""
        problems = self._run(account, ids, apply, "apply")
        after = self.read(account, ids)
        problems += [f"after apply: {one}" for one in self.compared(prior, after)]
        if not rollback:
            return problems if self.one_way else [*problems, "the plan has no way back"]
        problems += self._run(account, ids, rollback, "way back")
        back = self.read(account, ids)
        return [*problems, *(f"after the way back: {one}" for one in self.compared(bad, back))]

    def _run(self, account: Emulation, ids: dict[str, str], calls: Iterable[Call], part: str) -> list[str]:
        """Problems of running `calls` in turn; after a refused one nobody would go on."""
        for call in calls:
            try:
                self.learn(ids, call, account.call(with_ids(call, ids)))
            except CallRefused as error:
                return [f"{part}: {error}"]
        return []

    def ignored(self, moment: Moment, calls: Sequence[Call]) -> str:
        """The first parameter that moto accepts and then forgets, or "". Found by sending another value."""
        known: Reading | None = None
        for number, call in enumerate(calls):
            for path, value in leaves(call.parameters):
                where = f"{call.service}:{call.operation} {plain(path)}"
                key = (call.service, call.operation, plain(path))
                if (
                    self.unshown & set(path)
                    or _not_shown(call, path)
                    or (isinstance(value, str) and names(value, self.words))
                ):
                    continue
                if key not in _heeded:
                    known = known if known is not None else self._tried(moment, calls)
                    if "refused" in known:
                        return ""  # nothing can be compared; the refusal itself is a problem
                    _heeded[key] = self._heeds(moment, calls, number, path, known)
                if not _heeded[key]:
                    return where
        return ""

    def _heeds(self, moment: Moment, calls: Sequence[Call], number: int, path: Path, known: Reading) -> bool:
        """Whether another value at `path` shows, or is refused: what is looked up or checked is looked at. Of a closed
        list only a word that is accepted tells, for moto may check what it then forgets.
        """
        call = calls[number]
        value = next(one for way, one in leaves(call.parameters) if way == path)
        for new in _others(call, path, value):
            other = replace(call, parameters=with_leaf(call.parameters, path, new))
            shown = self._tried(moment, [*calls[:number], other, *calls[number + 1 :]])
            if "refused" not in shown:
                return bool(self.compared(known, shown))
        return True

    def _tried(self, moment: Moment, calls: Sequence[Call]) -> Reading:
        try:
            return self.shown(moment, calls)
        except (CallRefused, NotEmulated) as error:
            return {"refused": str(error)}


def _others(call: Call, path: Path, value: Any) -> Iterable[Any]:
    """Other values to try: of a closed list of words another one."""
    name = next((part for part in reversed(path) if isinstance(part, str)), "")
    for key, words in allowed(call.service, call.operation):
        if key == name and value in words:
            yield from (word for word in words if word != value)
            return
    yield another(value)


def with_ids(call: Call, ids: Mapping[str, str]) -> Call:
    return replace(call, parameters=translated(call.parameters, ids))


def _not_shown(call: Call, path: Path) -> bool:
    """Whether no configuration shows a parameter: it says when, or describes what is taken away."""
    if isinstance(path[-1], str) and is_manner(path[-1]):
        return True
    return path[-1] in _WHEN_NOT_WHAT or (path[-1] == "Description" and call.operation.startswith("Revoke"))
