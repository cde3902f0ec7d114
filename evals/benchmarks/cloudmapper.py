"""An account in CloudMapper's form, read whole: `<region>/<service>-<operation>.json`, one file per answer.

Prints what was read and drawn, and the ends of relations that no answer names. What was not recorded is a refusal: a
gap, never an empty list.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from evals.benchmarks import BenchResult
from evals.world import wire
from tools.aws import Account, Aws, Reader
from tools.budget import Budget, Limits
from tools.clock import VirtualClock
from tools.errors import BadInput
from tools.evidence import MemoryStore
from tools.models import Json
from tools.transport import WireAnswer, WireRequest
from tools.whole import whole

_START = datetime(2026, 1, 15, 12, 0, tzinfo=UTC)
_REGION = re.compile(r"[a-z]{2}(-[a-z]+)+-\d")


def _regions(path: Path) -> list[str]:
    if not path.is_dir():
        raise BadInput(f"{path} is not a folder. Give an account's folder of CloudMapper.")
    return sorted(one.name for one in path.iterdir() if one.is_dir() and _REGION.fullmatch(one.name))


def _inner(path: Path) -> str:
    """The first folder further in that is an account's, to be named in an error."""
    found = (one.parent for one in sorted(path.glob("**/*")) if _REGION.fullmatch(one.name) and one.is_dir())
    first = next(found, None)
    return f": {first}" if first is not None else "."


class CloudMapperTransport:
    """Answers from one account folder. An answer for one resource is found by any value of the request."""

    virtual = True
    begun = _START

    def __init__(self, path: Path) -> None:
        self.regions = _regions(path)
        if not self.regions:
            raise BadInput(
                f"{path} holds no folder of a region. Give an account's folder of CloudMapper{_inner(path)}"
            )
        self.region = self.regions[0]
        self._path = path

    def start(self) -> datetime | None:
        return _START

    def close(self) -> None:
        pass

    def send(self, request: WireRequest) -> WireAnswer:
        found = self._find(request)
        if found is None:
            said = f"{request.service}:{request.operation} is not in this account's files."
            return wire.error(request.protocol, "NotRecorded", said, 400, "recorded")
        model = wire.operation_model(request.service, request.operation)
        told = _fitted(found, model.output_shape) if model.output_shape is not None else {}
        return wire.answer(
            request.service, request.operation, request.protocol, told, "recorded", words=False
        )

    def _find(self, request: WireRequest) -> Json | None:
        words = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "-", request.operation).lower()
        base = self._path / request.region / f"{request.service}-{words}"
        values = {value for value in request.parameters.values() if isinstance(value, str)}
        for file in sorted(base.iterdir()) if base.is_dir() else ():
            if file.is_file() and unquote(file.name) in values:
                return _loaded(file)
        whole_ = base.with_suffix(".json")
        return _loaded(whole_) if whole_.is_file() else self._role(request)

    def _role(self, request: WireRequest) -> Json | None:
        """What GetAccountAuthorizationDetails tells of roles, as the reads of single roles would."""
        file = self._path / request.region / "iam-get-account-authorization-details.json"
        if request.service != "iam" or not file.is_file():
            return None
        roles = _loaded(file).get("RoleDetailList") or []
        if request.operation == "ListRoles":
            return {"Roles": roles, "IsTruncated": False}
        one = next((role for role in roles if role["RoleName"] == request.parameters.get("RoleName")), None)
        if one is None:
            return None
        inline = {
            policy["PolicyName"]: policy["PolicyDocument"] for policy in one.get("RolePolicyList") or []
        }
        name = str(request.parameters.get("PolicyName", ""))
        answers: dict[str, Json] = {
            "GetRole": {"Role": one},
            "ListRolePolicies": {"PolicyNames": sorted(inline), "IsTruncated": False},
            "ListAttachedRolePolicies": {"AttachedPolicies": one.get("AttachedManagedPolicies") or []},
            "GetRolePolicy": {
                "RoleName": one["RoleName"], "PolicyName": name, "PolicyDocument": inline.get(name, {}),
            },
        }  # fmt: skip
        return answers.get(request.operation)


@cache
def _loaded(file: Path) -> Json:
    read: Json = json.loads(file.read_text(encoding="utf-8"))
    return read


def _fitted(value: Any, shape: Any) -> Any:
    """A recorded value as AWS's model has it: times from texts, members that it does not know left out."""
    kind = shape.type_name
    if kind == "structure" and isinstance(value, dict):
        return {
            key: _fitted(one, shape.members[key])
            for key, one in value.items()
            if key in shape.members and one is not None
        }
    if kind == "list" and isinstance(value, list):
        return [_fitted(one, shape.member) for one in value]
    if kind == "map" and isinstance(value, dict):
        return {key: _fitted(one, shape.value) for key, one in value.items()}
    if kind == "timestamp" and isinstance(value, str):
        return datetime.fromisoformat(value.replace("Z", "+00:00"))
    if kind == "string" and isinstance(value, dict):
        return json.dumps(value)
    return value


def run(path: Path) -> BenchResult:
    """Read the account whole. Not ok when a relation's end is named by no recorded answer."""
    transport = CloudMapperTransport(path)
    clock = VirtualClock(_START)
    aws = Aws(Account(region=transport.region), transport, clock, Budget(Limits(calls=10**6)), MemoryStore())
    aws.identify(Reader(aws=aws, letter="T"))
    read = whole(aws, tuple(transport.regions))
    told = "".join(file.read_text(encoding="utf-8") for file in sorted(path.rglob("*")) if file.is_file())
    made_up = [
        one
        for one in read.topology.relations
        if any(_last(end) not in told for end in (one.source, one.target)) or not one.provenance
    ]
    kinds = Counter(one.kind for one in read.topology.relations)
    rows = [
        f"{len(read.topology.resources)} resources, {len(read.topology.relations)} relations, {len(read.gaps)} gaps",
        ", ".join(f"{many} {kind}" for kind, many in kinds.most_common()),
        *(f"named by no answer: {one.source} {one.kind} {one.target} ({one.provenance})" for one in made_up),
    ]
    figures: dict[str, object] = {
        "resources": len(read.topology.resources),
        "relations": len(read.topology.relations),
        "gaps": len(read.gaps),
        "made_up": len(made_up),
    }
    return BenchResult(name="cloudmapper", figures=figures, text="\n".join(rows), ok=not made_up)


def _last(arn: str) -> str:
    return re.split(r"[:/]", arn)[-1]
