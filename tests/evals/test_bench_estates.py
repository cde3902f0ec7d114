"""A hand-grown account is drawn as its configuration implies; with half of the permissions, nothing wrong is drawn."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from evals.benchmarks.estates import PRECISION, RECALL, Measured, below, measure
from evals.estates import KINDS, Estate, estate
from evals.estates.judge import judge
from evals.estates.words import SAYS
from tools.models import Relation


@pytest.fixture(scope="module")
def grown() -> Iterator[Estate]:
    with estate(seed=7, size=0.3) as made:
        yield made


@pytest.fixture(scope="module")
def read(grown: Estate) -> Measured:
    return measure(grown)


def test_an_estate_is_large_and_of_many_services(grown: Estate) -> None:
    assert len(grown.things) >= 300
    assert len({arn.split(":")[2] for arn in grown.things}) >= 25
    assert sum(fact.sure for fact in grown.facts) >= 500
    assert {fact.kind for fact in grown.facts} <= set(KINDS) == set(SAYS)


def test_relations_are_right_and_found_by_kind(read: Measured) -> None:
    assert read.judged.pooled.precision >= PRECISION
    assert read.judged.pooled.recall >= RECALL
    assert below(read.judged) == []


def test_every_relation_says_why(read: Measured) -> None:
    relations = read.read.topology.relations
    assert len(relations) >= 500
    assert [one for one in relations if not one.provenance or not 0 < one.confidence <= 1] == []


@pytest.mark.parametrize("seed", [1, 2])
def test_with_half_of_the_permissions_nothing_wrong_is_drawn_and_all_is_told(
    grown: Estate, seed: int
) -> None:
    part = measure(grown, refuse=seed)
    assert len(part.denied) > 30
    assert part.judged.wrong == ()
    assert part.unseen == frozenset()
    assert 0 < part.judged.pooled.found < part.judged.pooled.truth


def test_the_judge_knows_wrong_ones(grown: Estate, read: Measured) -> None:
    """Turned around, or led to another thing of the same kind, most relations are wrong."""
    drawn = [one for one in read.read.topology.relations if one.kind == "runs as"]
    assert len(drawn) > 20
    roles = sorted({one.target for one in drawn})
    turned = [replace(one, source=one.target, target=one.source) for one in drawn]
    led = [replace(one, target=roles[(roles.index(one.target) + 1) % len(roles)]) for one in drawn]
    assert len(judge(grown, turned).wrong) == len(drawn)
    assert len(judge(grown, led).wrong) > 0.8 * len(drawn)
    assert judge(grown, []).pooled.recall == 0


def test_a_made_up_relation_is_wrong(grown: Estate) -> None:
    queue = next(one.arn for one in grown.things.values() if one.kind == "queue" and one.name == "prod")
    function = next(one.arn for one in grown.things.values() if one.name == "test-1")
    relation = Relation(source=function, target=queue, kind="uses", provenance="a guess")
    assert judge(grown, [relation]).wrong == (relation,)
