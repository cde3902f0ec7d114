from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

import evals
from evals.cases import find, trigger
from evals.truth import load_template, resolve
from tools.errors import BadInput

TRUTH = """
verdict: root_cause
cause:
  {kind: change, resource: $table.arn, field: L, bad: $limit.after, prior: $limit.before, event: $event}
actor: {kind: iam_user, name: $person, how: console, mfa: $mfa}
onset: $onset
"""
FACTS = {
    "table.arn": "arn:aws:dynamodb:eu-west-1:111122223333:table/carts",
    "limit.before": 90,
    "limit.after": 3,
    "event": "0b3c1c8e-1111-4222-8333-444455556666",
    "person": "dana",
    "mfa": False,
    "onset": datetime(2026, 2, 3, 4, 5, tzinfo=UTC),
}


def case(root: Path, name: str, truth: str = TRUTH) -> Path:
    folder = root / name
    folder.mkdir(parents=True)
    (folder / "case.yaml").write_text("title: x\n")
    (folder / "truth.yaml").write_text(truth)
    return folder


def test_references_take_the_type_of_the_fact(tmp_path: Path) -> None:
    truth = resolve(load_template(case(tmp_path, "a") / "truth.yaml"), FACTS)
    assert truth.cause is not None
    assert truth.actor is not None
    assert (truth.cause.prior, truth.cause.bad) == (90, 3)
    assert truth.actor.mfa is False
    assert truth.onset == FACTS["onset"]


def test_references_inside_a_text_and_in_calls_are_filled(tmp_path: Path) -> None:
    text = "verdict: root_cause\n"
    text += "plan: {apply: [{service: s, operation: O, parameters: {A: {B: [$limit.before]}}}]}\n"
    text += "cause: {kind: change, resource: 'x-${person}-${limit.after}'}\n"
    truth = resolve(load_template(case(tmp_path, "a", text) / "truth.yaml"), FACTS)
    assert truth.plan.apply[0].parameters == {"A": {"B": [90]}}
    assert truth.cause is not None
    assert truth.cause.resource == "x-dana-3"


def test_an_unknown_fact_is_named_with_those_known(tmp_path: Path) -> None:
    template = load_template(case(tmp_path, "a") / "truth.yaml")
    with pytest.raises(BadInput, match=r"\$person.*Known facts: .*limit\.after"):
        resolve(template, {key: value for key, value in FACTS.items() if key != "person"})


def test_a_fact_of_the_wrong_type_is_an_error(tmp_path: Path) -> None:
    template = load_template(case(tmp_path, "a") / "truth.yaml")
    with pytest.raises(BadInput, match="onset"):
        resolve(template, {**FACTS, "onset": "yesterday, about noon"})


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("verdict: guilty\n", "verdict"),
        ("verdict: root_cause\nculprit: me\n", "culprit"),
        ("verdict: root_cause\nactor: {kind: iam_user}\n", r"actor\.name"),
        ("- a\n- b\n", "mapping"),
        ("verdict: [\n", "not YAML"),
    ],
)
def test_a_bad_truth_is_refused_before_any_run(tmp_path: Path, text: str, said: str) -> None:
    case(tmp_path, "a", text)
    with pytest.raises(BadInput, match=said):
        find(tmp_path)


def test_cases_are_found_by_name_and_sorted(tmp_path: Path) -> None:
    for name in ("two", "one"):
        case(tmp_path, name)
    (tmp_path / "notes").mkdir()
    assert [found.name for found in find(tmp_path)] == ["one", "two"]
    assert [found.name for found in find(tmp_path, ["two"])] == ["two"]
    assert [found.name for found in find(tmp_path / "one")] == ["one"]


def test_what_is_no_case_is_told(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="holds no case"):
        find(tmp_path)
    with pytest.raises(BadInput, match="is not a folder"):
        find(tmp_path / "absent")
    case(tmp_path, "one")
    with pytest.raises(BadInput, match=r"No such case.*three.*Known: one"):
        find(tmp_path, ["three"])
    with pytest.raises(BadInput, match=r"No such case.*oen.*Did you mean one\?"):
        find(tmp_path, ["oen"])
    (tmp_path / "one" / "case.yaml").unlink()
    with pytest.raises(BadInput, match=r"has no case\.yaml"):
        find(tmp_path)


def test_a_recording_needs_a_trigger(tmp_path: Path) -> None:
    case(tmp_path, "one")
    (found,) = find(tmp_path)
    with pytest.raises(BadInput, match=r"trigger\.yaml"):
        trigger(found)
    (tmp_path / "one" / "trigger.yaml").write_text("alarm: carts-throttled\n")
    assert trigger(found) == {"alarm": "carts-throttled"}


def test_a_benchmark_without_its_data_is_told() -> None:
    with pytest.raises(BadInput, match="--data"):
        evals.bench("grouping")


def test_an_unknown_benchmark_is_told() -> None:
    with pytest.raises(BadInput, match="cloudtrail"):
        evals.bench("nothing", Path("."))
