from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from api.doctor import NOTHING, Checkup, Permission, examine
from api.render.doctor import lines
from tools.needs import reads

ROLE = "arn:aws:iam::111122223333:role/teams/audit"
ACTIONS = {need.action for need in reads()}


def role_xml() -> str:
    fields = "<RoleName>audit</RoleName><Path>/teams/</Path><RoleId>AROAEXAMPLE</RoleId>"
    inner = f"<Role>{fields}<Arn>{ROLE}</Arn><CreateDate>2025-01-01T00:00:00Z</CreateDate></Role>"
    return f"<GetRoleResponse><GetRoleResult>{inner}</GetRoleResult></GetRoleResponse>"


def simulation(actions: list[str], decisions: dict[str, str]) -> str:
    members = "".join(
        f"<member><EvalActionName>{action}</EvalActionName>"
        f"<EvalDecision>{decisions.get(action, 'allowed')}</EvalDecision></member>"
        for action in actions
    )
    inner = f"<IsTruncated>false</IsTruncated><EvaluationResults>{members}</EvaluationResults>"
    return (
        "<SimulatePrincipalPolicyResponse><SimulatePrincipalPolicyResult>"
        f"{inner}</SimulatePrincipalPolicyResult></SimulatePrincipalPolicyResponse>"
    )


def by_action(found: Checkup) -> dict[str, Permission]:
    return {one.action: one for one in found.permissions}


def test_iam_is_asked_about_the_role_behind_the_session(open_account: Callable[..., Any]) -> None:
    asked: list[dict[str, Any]] = []

    def answer(name: str, parameters: dict[str, Any]) -> Any:
        if name == "iam:GetRole":
            return role_xml()
        assert name == "iam:SimulatePrincipalPolicy"
        asked.append(parameters)
        return simulation(
            parameters["ActionNames"],
            {"cloudtrail:LookupEvents": "implicitDeny", "dynamodb:DescribeTable": "explicitDeny"},
        )

    context, account = open_account(answer)
    found = examine(context)
    assert found.means == "simulated"
    assert {parameters["PolicySourceArn"] for parameters in asked} == {ROLE}
    assert {action for parameters in asked for action in parameters["ActionNames"]} == ACTIONS
    assert [one.action for one in found.missing] == ["cloudtrail:LookupEvents", "dynamodb:DescribeTable"]
    assert by_action(found)["cloudtrail:LookupEvents"].why == "no policy allows it"
    assert "an Allow does not lift that" in by_action(found)["dynamodb:DescribeTable"].why
    assert found.statement() == {"Effect": "Allow", "Action": ["cloudtrail:LookupEvents"], "Resource": "*"}
    assert set(account.asked) == {"sts:GetCallerIdentity", "iam:GetRole", "iam:SimulatePrincipalPolicy"}


def test_where_iam_may_not_be_asked_each_read_is_tried(
    open_account: Callable[..., Any], refusal: type[Exception]
) -> None:
    sent: list[tuple[str, str]] = []

    def answer(name: str, parameters: dict[str, Any]) -> Any:
        sent.append((name, json.dumps(parameters, default=str)))
        if name.startswith("iam:"):
            raise refusal("AccessDenied", f"User: me is not authorized to perform: {name}")
        if name == "cloudtrail:LookupEvents":
            who = "arn:aws:sts::111122223333:assumed-role/audit/me"
            raise refusal(
                "AccessDeniedException",
                f"User: {who} is not authorized to perform: cloudtrail:LookupEvents because "
                "no identity-based policy allows the cloudtrail:LookupEvents action",
            )
        if name == "dynamodb:DescribeTable":
            raise refusal("ResourceNotFoundException", "Requested resource not found")
        if name == "logs:StartQuery":
            raise refusal("InvalidParameterException", "what a query")
        return {}

    context, _ = open_account(answer)
    found = examine(context)
    shown = by_action(found)
    assert found.means == "tried"
    assert set(shown) == ACTIONS
    assert shown["cloudtrail:LookupEvents"].state == "missing"
    assert shown["dynamodb:DescribeTable"].state == "has"
    assert shown["logs:StartQuery"].state == "unknown"
    named = [parameters for name, parameters in sent if name == "dynamodb:DescribeTable"]
    assert named == [json.dumps({"TableName": NOTHING})]


def test_every_read_can_be_tried_with_parameters_that_boto3_accepts(
    open_account: Callable[..., Any], refusal: type[Exception]
) -> None:
    def answer(name: str, parameters: dict[str, Any]) -> Any:
        if name == "iam:GetRole":
            raise refusal("AccessDenied", "not authorized to perform: iam:GetRole")
        raise refusal("ResourceNotFoundException", "nothing there")

    context, account = open_account(answer)
    found = examine(context)
    unsent = [one for one in found.permissions if "asked wrongly" in one.why]
    assert unsent == []
    assert {f"{need.client}:{need.operation}" for need in reads()} >= set(account.asked) - {
        "iam:GetRole",
        "sts:GetCallerIdentity",
    }


def test_the_table_puts_what_is_missing_first_with_its_cost() -> None:
    found = Checkup(
        account="111122223333",
        caller=ROLE,
        region="eu-central-1",
        means="tried",
        permissions=(
            Permission(
                action="xray:GetTraceSummaries", state="missing", shows="failing paths", why="no policy"
            ),
            Permission(action="sqs:ListQueues", state="unknown", shows="queues", why="throttled"),
            Permission(action="dynamodb:DescribeTable", state="has", shows="limits"),
        ),
    )
    shown = [line.plain.rstrip() for line in lines(found, 100)]
    rows = [line for line in shown if line.startswith((" ✗", " ?", " ✓"))]
    assert rows == [
        " ✗ xray:GetTraceSummaries  without it not seen: failing paths (no policy)",
        " ? sqs:ListQueues          cannot tell: throttled; it shows queues",
        " ✓ dynamodb:DescribeTable  limits",
    ]
    assert " 1 allowed, 1 missing, 1 not known." in shown
    statement = "\n".join(shown)[("\n".join(shown)).index("{") :]
    assert json.loads(statement) == found.statement()


@pytest.mark.parametrize("width", [60, 80, 120])
def test_the_table_fits(width: int) -> None:
    rows = tuple(
        Permission(action=need.action, state="missing", shows=need.shows, why="no policy allows it")
        for need in reads()
    )
    found = Checkup(
        account="111122223333", caller=ROLE, region="eu-central-1", means="tried", permissions=rows
    )
    before_statement = [line.plain for line in lines(found, width)]
    cut = next(place for place, line in enumerate(before_statement) if line.startswith(" {"))
    assert max(len(line.rstrip()) for line in before_statement[:cut]) <= width
