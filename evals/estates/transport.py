"""An estate as a `Transport`: the table first, else moto, in AWS's wire format."""

from __future__ import annotations

import json
import threading
import zlib
from collections.abc import Callable, Mapping
from datetime import UTC, datetime

from evals.emulation import answered
from evals.estates import Estate
from evals.world import wire
from tools.models import Json
from tools.transport import WireAnswer, WireRequest

_START = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
_CODES: Mapping[str, str] = {
    "ec2": "UnauthorizedOperation",
    "iam": "AccessDenied",
    "sns": "AuthorizationError",
    "s3": "AccessDenied",
    "rds": "AccessDenied",
    "cloudwatch": "AccessDenied",
}


_QUIET = frozenset(
    {
        ("application-autoscaling", "DescribeScalingActivities"),
        ("autoscaling", "DescribeInstanceRefreshes"),
        ("cloudformation", "DescribeStacks"),
        ("eks", "ListAccessEntries"),
        ("eks", "ListPodIdentityAssociations"),
        ("elasticache", "DescribeEvents"),
        ("health", "DescribeEvents"),
        ("wafv2", "ListResourcesForWebACL"),
        ("xray", "GetServiceGraph"),
    }
)
"""What moto does not answer, and nothing of is in an estate: lists are empty where the table has no row."""


class EstateTransport:
    """Answers reads of one estate; `refuses` says which operations (service, name) the reader may not call.

    What neither the table nor moto knows is an error with code NotRecorded, kept in `missed`. `asked` counts calls.
    """

    virtual = True
    begun = _START

    def __init__(self, of: Estate, refuses: Callable[[str, str], bool] = lambda service, name: False) -> None:
        self.estate = of
        self.asked: dict[str, int] = {}
        self.missed: dict[str, str] = {}
        self._refuses = refuses
        self._lock = threading.Lock()

    @property
    def region(self) -> str:
        return self.estate.region

    def start(self) -> datetime | None:
        return _START

    def close(self) -> None:
        pass

    def send(self, request: WireRequest) -> WireAnswer:
        name = f"{request.service}:{request.operation}"
        with self._lock:
            self.asked[name] = self.asked.get(name, 0) + 1
            if self._refuses(request.service, request.operation):
                return self._denied(request, name)
            quiet = (request.service, request.operation) in _QUIET
            if quiet or self.estate.table.holds(request.service, request.operation):
                return self._told(request, name, quiet)
            return self._from_moto(request, name)

    def _denied(self, request: WireRequest, name: str) -> WireAnswer:
        said = (
            f"User: arn:aws:sts::{self.estate.account}:assumed-role/reader/r is not authorized to perform: {name} "
            "because no identity-based policy allows the action"
        )
        code = _CODES.get(request.service, "AccessDeniedException")
        return wire.error(request.protocol, code, said, 403, _id(name))

    def _told(self, request: WireRequest, name: str, quiet: bool) -> WireAnswer:
        found = self.estate.table.find(request.region, request.service, request.operation, request.parameters)
        if found is not None:
            return wire.answer(request.service, request.operation, request.protocol, found, _id(name))
        if quiet or not self.estate.table.named(request.parameters):  # a list of all, and nothing is there
            shape = wire.operation_model(request.service, request.operation).output_shape
            members = shape.members if shape is not None else {}
            empty: Json = {key: [] for key, one in members.items() if one.type_name == "list"}
            return wire.answer(request.service, request.operation, request.protocol, empty, _id(name))
        return self._missing(request, name, "the table has no such row")

    def _from_moto(self, request: WireRequest, name: str) -> WireAnswer:
        try:
            status, headers, body = answered(
                request.account or self.estate.account,
                request.method,
                request.url,
                {**request.headers, "Authorization": _scope(request)},
                request.body,
            )
        except (NotImplementedError, ImportError) as error:
            return self._missing(request, name, str(error))
        if status >= 500 or b"Not yet implemented" in body[:200]:
            return self._missing(request, name, body[:200].decode(errors="replace"))
        if status == 200 and request.service in self.estate.table.mended and body:
            told = json.loads(body)
            self.estate.table.mends(request.service, told)
            body = json.dumps(told).encode()
        return WireAnswer(status=status, headers=headers, body=body, protocol=request.protocol)

    def _missing(self, request: WireRequest, name: str, why: str) -> WireAnswer:
        self.missed[name] = why
        return wire.error(
            request.protocol, "NotRecorded", f"The estate does not answer {name}.", 400, _id(name)
        )


def _scope(request: WireRequest) -> str:
    """The header by which moto tells the region: what stays in the process is not signed."""
    scope = f"{_START:%Y%m%d}/{request.region}/{request.service}/aws4_request"
    return f"AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/{scope}, SignedHeaders=host, Signature=0"


def _id(name: str) -> str:
    return f"{zlib.crc32(name.encode()):08x}-0000-0000-0000-000000000000"
