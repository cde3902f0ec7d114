"""What opsleuth may see in an account: each read's permission, and what its lack costs in answers.

IAM is asked first (SimulatePrincipalPolicy); where that is not allowed, each read is tried once with a thing
that does not exist. AWS checks permission before existence, so "not found" means "allowed".
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Literal

from graph.session import close, session
from graph.words import say
from tools.arn import parse
from tools.aws import Reader
from tools.errors import (
    BudgetSpent,
    CannotInvestigate,
    Denied,
    NoCredentials,
    NotThere,
    Refused,
    WriteRefused,
)
from tools.models import Json
from tools.needs import ReadNeed, reads

if TYPE_CHECKING:
    from graph.context import Context

State = Literal["has", "missing", "unknown"]
NOTHING = "opsleuth-doctor-none"
_BATCH = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class Permission:
    """One IAM action. `why` says what AWS answered when it is missing or cannot be told."""

    action: str
    state: State
    shows: str
    why: str = ""
    liftable: bool = True  # an Allow in an identity policy would help


@dataclass(frozen=True, slots=True, kw_only=True)
class Checkup:
    """Who this is and what it may read. `means` is how that was found out."""

    account: str
    caller: str
    region: str
    means: Literal["simulated", "tried"]
    permissions: tuple[Permission, ...]

    @property
    def missing(self) -> tuple[Permission, ...]:
        return tuple(one for one in self.permissions if one.state == "missing")

    def statement(self) -> Json | None:
        """An IAM statement that grants what is missing and an Allow can grant, or None."""
        actions = [one.action for one in self.missing if one.liftable]
        return {"Effect": "Allow", "Action": actions, "Resource": "*"} if actions else None


def examine(context: Context) -> Checkup:
    """Examine the account of this context. Raises NoCredentials with what to do."""
    run = f"doctor-{uuid.uuid4().hex}"
    try:
        return checkup(Reader(aws=session(run, context).aws, letter="Q"), reads())
    finally:
        close(run)


def checkup(reader: Reader, needs: Iterable[ReadNeed]) -> Checkup:
    """Which of the reads are allowed, missing ones first."""
    needs = tuple(needs)
    account = reader.aws.identify(reader)
    caller = str(reader.ask("sts", "GetCallerIdentity").data.get("Arn", ""))
    found = _simulate(reader, caller, needs)
    means: Literal["simulated", "tried"] = "simulated"
    if found is None:
        means, found = "tried", _try_all(reader, needs)
    order = {"missing": 0, "unknown": 1, "has": 2}
    return Checkup(
        account=account,
        caller=caller,
        region=reader.region,
        means=means,
        permissions=tuple(sorted(found, key=lambda one: (order[one.state], one.action))),
    )


def _by_action(needs: Iterable[ReadNeed]) -> dict[str, str]:
    """What each action shows; one action may allow several operations."""
    shown: dict[str, list[str]] = {}
    for need in needs:
        kept = shown.setdefault(need.action, [])
        if need.shows not in kept:
            kept.append(need.shows)
    return {action: "; ".join(parts) for action, parts in shown.items()}


def _simulate(reader: Reader, caller: str, needs: tuple[ReadNeed, ...]) -> list[Permission] | None:
    """IAM's own answer, or None when it may not be asked about this caller."""
    try:
        source = _principal(reader, caller)
    except Refused:
        return None
    if not source:
        return None
    shown, made = _by_action(needs), []
    actions = sorted(shown)
    for start in range(0, len(actions), _BATCH):
        try:
            answer = reader.ask(
                "iam",
                "SimulatePrincipalPolicy",
                region=reader.aws.global_region,
                PolicySourceArn=source,
                ActionNames=actions[start : start + _BATCH],
                MaxItems=1000,
            )
        except (Refused, WriteRefused):
            return None
        made += [_simulated(result, shown) for result in answer.data.get("EvaluationResults") or []]
    answered = {one.action for one in made}
    silent = [
        Permission(action=action, state="unknown", shows=shown[action], why=say("IAM did not answer"))
        for action in actions
        if action not in answered
    ]
    return made + silent


def _simulated(result: Mapping[str, Any], shown: Mapping[str, str]) -> Permission:
    action, decision = str(result["EvalActionName"]), str(result["EvalDecision"])
    organisation = result.get("OrganizationsDecisionDetail") or {}
    liftable = False
    if organisation.get("AllowedByOrganizations") is False:
        why = say("denied by a service control policy; only who manages the organisation can lift it")
    elif decision == "explicitDeny":
        why = say("denied by a policy; an Allow does not lift that")
    else:
        why, liftable = say("no policy allows it"), True
    if decision == "allowed":
        return Permission(action=action, state="has", shows=shown.get(action, ""))
    return Permission(action=action, state="missing", shows=shown.get(action, ""), why=why, liftable=liftable)


def _principal(reader: Reader, caller: str) -> str:
    """The ARN that IAM simulates for a caller: a user's own, or a session's role; "" for others."""
    arn = parse(caller)
    if arn.service == "iam" and arn.type == "user":
        return caller
    if arn.service == "sts" and arn.type == "assumed-role":
        role = arn.name.split("/")[0]
        answer = reader.ask("iam", "GetRole", region=reader.aws.global_region, RoleName=role)
        return str(answer.data["Role"]["Arn"])
    return ""


def _try_all(reader: Reader, needs: tuple[ReadNeed, ...]) -> list[Permission]:
    """Each action tried once, with the first of its operations that gives a clear answer."""
    made: dict[str, Permission] = {}
    shown = _by_action(needs)
    for need in needs:
        known = made.get(need.action)
        if known is None or known.state == "unknown":
            made[need.action] = _try(reader, need, shown[need.action])
    return list(made.values())


def _try(reader: Reader, need: ReadNeed, shows: str) -> Permission:
    try:
        reader.ask(need.client, need.operation, **_minimal(reader, need))
    except NotThere:
        return Permission(action=need.action, state="has", shows=shows)
    except Denied as denied:
        gap = denied.gap
        why = " ".join(part for part in (gap.why, "" if gap.statement else gap.lift) if part)
        return Permission(
            action=need.action, state="missing", shows=shows, why=why, liftable=gap.statement is not None
        )
    except NoCredentials:
        raise
    except (Refused, WriteRefused, BudgetSpent, CannotInvestigate) as other:
        return Permission(action=need.action, state="unknown", shows=shows, why=str(other))
    return Permission(action=need.action, state="has", shows=shows)


def _minimal(reader: Reader, need: ReadNeed) -> Json:
    """The least parameters of a read, about a thing that does not exist."""
    end = reader.as_of.replace(second=0, microsecond=0)
    if (need.client, need.operation) == ("cloudwatch", "GetMetricData"):
        metric = {"Namespace": "AWS/Lambda", "MetricName": "Errors"}
        stat = {"Metric": metric, "Period": 300, "Stat": "Sum"}
        return {
            "MetricDataQueries": [{"Id": "none", "MetricStat": stat}],
            "StartTime": end - timedelta(minutes=5),
            "EndTime": end,
        }
    if (need.client, need.operation) == ("logs", "StartQuery"):
        return {
            "logGroupName": f"/{NOTHING}",
            "queryString": "fields @timestamp | limit 1",
            "startTime": int((end - timedelta(minutes=5)).timestamp()),
            "endTime": int(end.timestamp()),
        }
    model = reader.aws.client(need.client).meta.service_model.operation_model(need.operation)
    if model.input_shape is None:
        return {}
    made: Json = _value(model.input_shape, "", reader)
    return made


def _value(shape: Any, name: str, reader: Reader) -> Any:
    """A value of a botocore input shape, only its required members filled."""
    kind = shape.type_name
    if kind == "structure":
        return {member: _value(shape.members[member], member, reader) for member in shape.required_members}
    if kind == "list":
        return [_value(shape.member, name, reader)]
    if kind == "map":
        return {}
    if kind == "boolean":
        return False
    if kind in ("integer", "long", "float", "double"):
        return int(shape.metadata.get("min", 1)) or 1
    if kind == "timestamp":
        return reader.as_of
    if kind == "blob":
        return b"none"
    if shape.enum:
        return shape.enum[0]
    return _name(name or shape.name, reader).ljust(int(shape.metadata.get("min", 0)), "0")


def _name(name: str, reader: Reader) -> str:
    place = f"{reader.region}:{reader.aws.account}"
    if name.lower().endswith("arn"):
        return f"arn:{reader.aws.partition}:dynamodb:{place}:table/{NOTHING}"
    if name.lower() == "uuid":
        return "00000000-0000-4000-8000-000000000000"
    if name.lower().endswith("url"):
        return f"https://sqs.{reader.region}.amazonaws.com/{reader.aws.account}/{NOTHING}"
    return NOTHING
