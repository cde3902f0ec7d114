"""SimulatePrincipalPolicy over the policies of a world's roles.

IAM user guide, "Policy evaluation logic" within one account, for identity policies, further policies given with the
request and a permissions boundary: an explicit deny wins, an allow is needed, everything else is an implicit deny.
Conditions are judged from `ContextEntries`; a key that is not given is reported as missing and its condition fails.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import unquote

from evals.world.asking import Ask, NotModelled, Refusal, handles
from evals.world.policies import Statement, Verdict, judge, statements
from evals.world.world import Thing
from tools.models import Json

BASIC = "service-role/AWSLambdaBasicExecutionRole"
BASIC_STATEMENTS: list[Json] = [
    {
        "Effect": "Allow",
        "Action": ["logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutLogEvents"],
        "Resource": "*",
    }
]


@dataclass(frozen=True, slots=True)
class Held:
    """One policy of a principal."""

    name: str
    kind: str  # as MatchedStatements call it
    statements: tuple[Statement, ...]


def policies_of(role: Thing, ask: Ask) -> list[Held]:
    """Inline policies (settings below "Policies") and the managed one that every function's role has."""
    inline = role.settings.under("Policies", ask.as_of)
    found = [Held(name, "role", statements(held)) for name, held in sorted(inline.items())]
    found.append(Held(BASIC.rsplit("/", maxsplit=1)[-1], "aws-managed", statements(BASIC_STATEMENTS)))
    return found


def _given(texts: Iterable[str], kind: str) -> list[Held]:
    found = []
    for number, text in enumerate(texts, 1):
        try:
            document = json.loads(unquote(text) if text.startswith("%7B") else text)
        except ValueError as error:
            raise Refusal("InvalidInput", "The policy is not in the valid JSON format.") from error
        found.append(Held(f"{kind}.{number}", "none", statements(document)))
    return found


@handles("iam", "SimulatePrincipalPolicy")
def simulate_principal_policy(ask: Ask) -> Json:
    source = str(ask.need("PolicySourceArn"))
    actions: list[str] = ask.need("ActionNames")
    resources: list[str] = ask.take("ResourceArns") or ["*"]
    more = _given(ask.take("PolicyInputList") or [], "PolicyInputList")
    boundary = _given(ask.take("PermissionsBoundaryPolicyInputList") or [], "PermissionsBoundary")
    context = _context(ask.take("ContextEntries") or [])
    size, token = int(ask.take("MaxItems", 100)), ask.take("Marker")
    held, denied = _principal(ask, source)
    results = [
        _result(
            action,
            on,
            held + more,
            boundary,
            context,
            action.lower() in denied if denied is not None else None,
        )
        for action in actions
        for on in resources
    ]
    page, following = ask.page(results, size, token)
    answer: Json = {"EvaluationResults": page, "IsTruncated": following is not None}
    if following:
        answer["Marker"] = following
    return answer


def _principal(ask: Ask, source: str) -> tuple[list[Held], set[str] | None]:
    """The policies of a role, or for the reading role what the world denies it."""
    thing = ask.world.things.get(source)
    if thing is not None:
        if thing.kind != "role":
            raise NotModelled("PolicySourceArn of another kind")
        return policies_of(thing, ask), None
    if ":role/opsleuth" not in source:
        raise Refusal("NoSuchEntity", f"The principal {source} cannot be found.", 404)
    return [], {entry.lower() for entry in ask.world.switches.deny}


def _context(entries: list[Json]) -> dict[str, list[str]]:
    return {str(one["ContextKeyName"]).lower(): [str(v) for v in one["ContextKeyValues"]] for one in entries}


def _result(
    action: str,
    on: str,
    held: list[Held],
    boundary: list[Held],
    context: dict[str, list[str]],
    reader_denied: bool | None,
) -> Json:
    verdict = judge([one.statements for one in held], action, on, context)
    decision = verdict.decision
    if reader_denied is not None and decision != "explicitDeny":
        decision = "implicitDeny" if reader_denied else "allowed"
    made: Json = {
        "EvalActionName": action,
        "EvalResourceName": on,
        "EvalDecision": decision,
        "MatchedStatements": [
            {"SourcePolicyId": held[place].name, "SourcePolicyType": held[place].kind}
            for place in verdict.matched
        ],
        "MissingContextValues": sorted(verdict.missing),
    }
    if boundary:
        made |= _bounded(made, judge([one.statements for one in boundary], action, on, context))
    return made


def _bounded(made: Json, limit: Verdict) -> Json:
    allowed = limit.decision == "allowed"
    changed: Json = {"PermissionsBoundaryDecisionDetail": {"AllowedByPermissionsBoundary": allowed}}
    if limit.decision == "explicitDeny":
        changed["EvalDecision"] = "explicitDeny"
    elif not allowed and made["EvalDecision"] == "allowed":
        changed["EvalDecision"] = "implicitDeny"
    return changed
