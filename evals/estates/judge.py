"""Drawn relations against an estate's truth. Pure.

A drawn relation is right when a fact speaks of the same two things and its kind can express the fact, in the fact's
direction. A part stands for its whole and a whole for its part: a record for its zone, a listener for its load
balancer. What follows from facts (`follows`) may be drawn, and need not be.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from evals.estates import Estate
from evals.estates.ground import Fact
from evals.estates.words import SAYS
from tools.models import Relation

_SHAPED = frozenset({"acts as", "is told of", "is given", "writes to", "is guarded by"})
"""What a task definition or launch template says, it says of all that is made from it."""


@dataclass(frozen=True, slots=True)
class Score:
    """Of one kind. `drawn` and `right` count relations, `truth` and `found` sure facts; the one side may be empty."""

    truth: int = 0
    found: int = 0
    drawn: int = 0
    right: int = 0

    @property
    def precision(self) -> float:
        return self.right / self.drawn if self.drawn else 1.0

    @property
    def recall(self) -> float:
        return self.found / self.truth if self.truth else 1.0


@dataclass(frozen=True, slots=True)
class Judgement:
    """`facts`: by the truth's kinds; `relations`: by opsleuth's kinds; `missed` and `wrong` by name."""

    pooled: Score
    facts: Mapping[str, Score]
    relations: Mapping[str, Score]
    missed: tuple[Fact, ...]
    wrong: tuple[Relation, ...]


def judge(estate: Estate, relations: Sequence[Relation]) -> Judgement:
    """Compare."""
    truth = _Truth(estate)
    found: set[Fact] = set()
    right: list[Relation] = []
    wrong: list[Relation] = []
    for relation in relations:
        fits = truth.fits(relation)
        found.update(fits)
        (right if fits or truth.within(relation) else wrong).append(relation)
    sure = [fact for fact in estate.facts if fact.sure]
    missed = tuple(fact for fact in sure if fact not in found)
    lost, bad = set(missed), {id(one) for one in wrong}
    by_kind: dict[str, list[Fact]] = defaultdict(list)
    for fact in sure:
        by_kind[fact.kind].append(fact)
    by_word: dict[str, list[Relation]] = defaultdict(list)
    for relation in relations:
        by_word[relation.kind].append(relation)
    return Judgement(
        pooled=Score(len(sure), len(sure) - len(missed), len(relations), len(right)),
        facts={
            kind: Score(truth=len(held), found=sum(fact not in lost for fact in held))
            for kind, held in sorted(by_kind.items())
        },
        relations={
            word: Score(drawn=len(held), right=sum(id(one) not in bad for one in held))
            for word, held in sorted(by_word.items())
        },
        missed=missed,
        wrong=tuple(wrong),
    )


class _Truth:
    """The facts of an estate with what follows from them, found by the things they speak of."""

    def __init__(self, estate: Estate) -> None:
        self.wholes = estate.wholes
        self.by_pair: dict[tuple[str, str], list[tuple[Fact, frozenset[Fact]]]] = defaultdict(list)
        told = {**{fact: frozenset((fact,)) for fact in estate.facts}}
        for fact, because in (*told.items(), *follows(estate.facts, estate.wholes)):
            for source in self.chain(fact.source):
                for target in self.chain(fact.target):
                    self.by_pair[source, target].append((fact, because))

    def chain(self, arn: str) -> list[str]:
        """A thing and the wholes that it is a part of, innermost first."""
        found = [arn]
        while (whole := self.wholes.get(found[-1])) and whole not in found:
            found.append(whole)
        return found

    def within(self, relation: Relation) -> bool:
        """Whether one is a part of the other: no more need be said."""
        return relation.target in self.chain(relation.source) or relation.source in self.chain(
            relation.target
        )

    def fits(self, relation: Relation) -> set[Fact]:
        """The declared facts that a relation tells, by itself or because they make it true."""
        return self._told(relation.source, relation.target, relation.kind, False) | self._told(
            relation.target, relation.source, relation.kind, True
        )

    def _told(self, source: str, target: str, word: str, turned: bool) -> set[Fact]:
        return {
            one
            for a in self.chain(source)
            for b in self.chain(target)
            for fact, because in self.by_pair.get((a, b), ())
            if (word, turned) in SAYS[fact.kind]
            and self._same(fact.source, source)
            and self._same(fact.target, target)
            for one in because
        }

    def _same(self, told: str, drawn: str) -> bool:
        """Whether the drawn thing is the fact's, its whole or its part; two parts of one whole are not the same."""
        return drawn in self.chain(told) or told in self.chain(drawn)


Following = tuple[Fact, frozenset[Fact]]
"""What follows, and the facts that make it so. Drawing it tells these, too."""


def follows(facts: Sequence[Fact], wholes: Mapping[str, str]) -> list[Following]:
    """What is true because of facts: of what is made from a template, of users of a role, of open ways, of places."""
    held: dict[str, dict[str, list[Fact]]] = defaultdict(lambda: defaultdict(list))
    for fact in facts:
        held[fact.kind][fact.source].append(fact)
    made: list[Following] = []
    roles: dict[str, list[tuple[str, frozenset[Fact]]]] = defaultdict(list)
    for fact in facts:
        if fact.kind == "acts as":
            for role in (fact.target, wholes.get(fact.target, "")):
                roles[fact.source].append((role, frozenset((fact,))))
        if fact.kind == "lies in":  # a subnet group is told by its subnets
            made += [
                (Fact(fact.source, one.target, "sits in", False), frozenset((fact, one)))
                for one in held["sits in"].get(fact.target, [])
            ]
        if fact.kind == "is shaped by":
            for kind in _SHAPED:
                made += [
                    (Fact(fact.source, one.target, kind, False), frozenset((one,)))
                    for one in held[kind].get(fact.target, [])
                ]
            for one in held["acts as"].get(fact.target, []):
                roles[fact.source].append((one.target, frozenset((one,))))
    for thing, acts in roles.items():
        for role, because in acts:
            for one in _allowed(held, role):
                made.append((Fact(thing, one.target, "may use", False), because | {one}))
    return [*made, *_ways(held)]


def _allowed(held: Mapping[str, Mapping[str, list[Fact]]], role: str) -> list[Fact]:
    policies = [one.target for one in held["is shaped by"].get(role, [])]
    return [one for holder in (role, *policies) for one in held["may use"].get(holder, [])]


def _ways(held: Mapping[str, Mapping[str, list[Fact]]]) -> Iterable[Following]:
    """Members of a group may connect to members of one that names it."""
    members: dict[str, list[str]] = defaultdict(list)
    for thing, guards in held["is guarded by"].items():
        for guard in guards:
            members[guard.target].append(thing)
    for to, named in held["names"].items():
        for fact in named:
            for guarded in members.get(to, []):
                for one in members.get(fact.target, []):
                    yield Fact(guarded, one, "names", False), frozenset((fact,))
