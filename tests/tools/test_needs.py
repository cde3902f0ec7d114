"""What opsleuth reads: the policy and the table of services."""

from __future__ import annotations

import ast
from itertools import pairwise
from pathlib import Path

from tools import catalogue, guard, needs


def test_the_policy_holds_each_read_once_and_no_write() -> None:
    statements = needs.iam_policy()["Statement"]
    actions = [action for one in statements for action in one["Action"]]
    assert len(actions) == len(set(actions))
    assert actions == sorted(actions)
    assert {"cloudtrail:LookupEvents", "dynamodb:DescribeTable", "sts:GetCallerIdentity"} <= set(actions)
    assert not [
        one for one in actions if one.partition(":")[2].startswith(("Put", "Update", "Delete", "Create"))
    ]
    assert len({one["Sid"] for one in statements}) == len(statements)
    assert {need.action for need in needs.reads()} == set(actions)


def _asked() -> set[tuple[str, str]]:
    """(client, operation) of every call in product code that names both as text."""
    found = set()
    root = Path(__file__).parents[2]
    for path in [*root.glob("tools/**/*.py"), *root.glob("graph/**/*.py")]:
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call):
                texts = [
                    one.value
                    for one in node.args
                    if isinstance(one, ast.Constant) and isinstance(one.value, str)
                ]
                found |= {pair for pair in pairwise(texts) if pair[1] in guard.READS.get(pair[0], ())}
    return found


def test_the_policy_covers_every_read_that_product_code_names() -> None:
    asked = _asked()
    assert ("dynamodb", "DescribeTable") in asked
    assert asked - {(need.client, need.operation) for need in needs.reads()} == set()


def test_the_table_of_services_has_a_line_for_each() -> None:
    table = needs.supported()
    assert table.count("\n") == len(catalogue.services()) + 2
    assert "maximum write throughput" in table


def test_managed_policies_hold_the_same_within_the_limit_of_size() -> None:
    made = needs.managed_policies()
    assert [one for policy in made for one in policy["Statement"]] == needs.iam_policy()["Statement"]
    assert all(needs.policy_size(one) <= needs.MOST_MANAGED for one in made)
    assert len(made) == -(-needs.policy_size(needs.iam_policy()) // needs.MOST_MANAGED)
    assert needs.policy_size(needs.iam_policy()) <= needs.MOST_OF_ROLE, "the command says that it fits a role"
