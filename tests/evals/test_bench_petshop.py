"""The PetShop benchmark reads the data's own form, scores ties by chance and normal windows as its authors do."""

from __future__ import annotations

import csv
import json
import random
from pathlib import Path

import pytest

from evals.benchmarks.petshop import expected_recall, measure, run, specificity
from evals.benchmarks.petshop_data import load
from graph.weighing.contribution import Gate
from tools.errors import BadInput

EDGES = [("site", "search"), ("site", "pay"), ("search", "table")]
NODES = ("site", "search", "pay", "table")


def columns() -> list[tuple[str, str, str]]:
    metrics = (("latency", "Average"), ("availability", "Average"), ("requests", "Sum"))
    return [(node, metric, how) for node in NODES for metric, how in metrics]


def table(path: Path, start: int, length: int, seed: int, slow: str = "", failing: str = "") -> None:
    luck = random.Random(seed)
    path.parent.mkdir(parents=True)
    with path.open("w", encoding="utf-8", newline="") as file:
        write = csv.writer(file)
        for level, name in enumerate(("microservice", "metric", "statistic")):
            write.writerow([name, *(column[level] for column in columns())])
        write.writerow(["time", *[""] * len(columns())])
        for place in range(length):
            values = []
            for node in NODES:
                hit = {slow, failing} & {node, *below(node)}
                values += [
                    luck.gauss(0.1, 0.005) + (0.4 if slow and hit else 0.0),
                    90.0 if failing and hit else 100.0,
                    "" if node == "pay" and place == 2 else 100.0,
                ]
            write.writerow([start + 300 * place, *values])


def below(node: str) -> set[str]:
    found = {b for a, b in EDGES if a == node}
    return found | {name for other in found for name in below(other)}


@pytest.fixture
def data(tmp_path: Path) -> Path:
    folder = tmp_path / "low_traffic"
    table(folder / "noissue" / "metrics.csv", 1_000_000, 120, 1)
    with (folder / "graph.csv").open("w", encoding="utf-8", newline="") as file:
        write = csv.writer(file)
        write.writerow(["", *NODES])
        write.writerows([a, *("1.0" if (a, b) in EDGES else "0.0" for b in NODES)] for a in NODES)
    for split, name, metric, cause in [
        ("train", "issue_0", "latency", "table"),
        ("test", "issue_0", "latency", "pay"),
        ("test", "issue_1", "availability", "search"),
    ]:
        place = folder / split / name
        fault = {"slow" if metric == "latency" else "failing": cause}
        table(place / "metrics.csv", 2_000_000, 5, 2, **fault)
        target = {"node": "site", "metric": metric, "agg": "Average", "timestamp": 2_000_600}
        told = {"target": target, "root_cause": {"node": cause, "metric": None}}
        (place / "target.json").write_text(json.dumps(told))
    return tmp_path


def test_every_cause_is_named_and_nothing_in_normal_windows(data: Path) -> None:
    result = run(data)
    figures = result.figures["low_traffic"]
    assert isinstance(figures, dict)
    assert figures["incidents"] == 3
    assert figures["all"]["top1"] == figures["all"]["gated_top1"] == 1.0
    assert figures["all"]["prior_top1"] == 0.0
    assert figures["specificity"] == {"latency": 1.0, "availability": 1.0}
    assert "specificity" in result.text
    assert run(data / "low_traffic").figures == result.figures


def test_the_curve_moves_with_the_gate(data: Path) -> None:
    (scenario,) = load(data)
    never, always = Gate(usual=0.98, share=1.1), Gate(usual=0.0, share=0.0)
    assert all(not row.answered for row in measure(scenario, never))
    assert all(all(kept) for kept in specificity(scenario, never).values())
    assert all(row.answered for row in measure(scenario, always))
    assert not any(specificity(scenario, always)["latency"])
    assert len(specificity(scenario, never)["latency"]) == 5


def test_ties_are_broken_by_chance() -> None:
    scores = [("a", 2.0), ("b", 1.0), ("c", 1.0000001), ("d", 1.0)]
    assert [expected_recall(scores, "c", most) for most in (1, 2, 4)] == [0.0, 1 / 3, 1.0]
    assert expected_recall(scores, "a", 1) == 1.0
    assert expected_recall(scores, "gone", 3) == 0.0


def test_what_is_no_scenario_is_told(tmp_path: Path, data: Path) -> None:
    with pytest.raises(BadInput, match="No PetShop scenario"):
        run(tmp_path / "nothing")
    (data / "low_traffic" / "noissue" / "metrics.csv").unlink()
    with pytest.raises(BadInput, match="cannot be read"):
        run(data)
    (data / "low_traffic" / "train" / "issue_0" / "target.json").write_text("{}")
    with pytest.raises(BadInput, match="does not tell its target"):
        run(data)
