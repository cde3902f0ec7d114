"""Which operations may leave the process: three closed lists.

READS tell configuration, state or telemetry and change nothing; to them belongs what a service file declares and
`guard_declared` finds to be a read. STARTS begin a query or a session and change nothing either; most have a rule on
their parameters. Everything else is refused. The guard sits on botocore's events, so it holds for every client it is
installed on, however the call is made: by method, paginator, waiter or presigned URL.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Mapping
from typing import Any

from tools.errors import WriteRefused
from tools.guard_declared import declared, why_no_read
from tools.guard_reads import READS
from tools.models import Json

__all__ = ["READS", "RULES", "STARTS", "allowed", "check", "install", "watch"]

STARTS: Mapping[str, frozenset[str]] = {
    "bedrock-runtime": frozenset({"Converse", "ConverseStream"}),
    "logs": frozenset({"StartQuery", "StopQuery"}),
    "sts": frozenset({"AssumeRole"}),
}


# A call of unmask, whatever blank, quote or comment stands before its bracket.
_UNMASK = re.compile(r"unmask(?:[^\w(#/]++|#[^\n\r]*+|/\*.*?\*/|/)*+\(", re.IGNORECASE | re.DOTALL)


def _no_unmask(parameters: Json) -> str:
    return "it would undo the masking of a data protection policy" if parameters.get("unmask") else ""


def _encrypted(parameters: Json) -> str:
    return "it would decrypt parameters" if parameters.get("WithDecryption") else ""


def _no_user_data(parameters: Json) -> str:
    return "user data often holds secrets" if parameters.get("Attribute") == "userData" else ""


def _no_execution_data(parameters: Json) -> str:
    safe = parameters.get("includeExecutionData") is False
    return "" if safe else "includeExecutionData must be False: inputs and outputs are customers' content"


def _metadata_only(parameters: Json) -> str:
    safe = parameters.get("includedData") == "METADATA_ONLY"
    return "" if safe else "includedData must be METADATA_ONLY: inputs and outputs are customers' content"


def _insights_query(parameters: Json) -> str:
    if parameters.get("queryLanguage", "CWLI") != "CWLI":
        return "only the Logs Insights language is known to read and nothing else"
    if _UNMASK.search(str(parameters.get("queryString", ""))):
        return "unmask() would undo the masking of a data protection policy"
    named = any(parameters.get(key) for key in ("logGroupName", "logGroupNames", "logGroupIdentifiers"))
    return (
        "" if named else "it must name its log groups: a query over all of them costs money nobody asked for"
    )


def _no_sql(parameters: Json) -> str:
    """Performance Insights shows literals in statements under db.sql, none under db.sql_tokenized."""
    for query in parameters.get("MetricQueries") or ():
        if (query.get("GroupBy") or {}).get("Group") == "db.sql":
            return "SQL statements hold customers' content; group by db.sql_tokenized"
    return ""


def _conversation(parameters: Json) -> str:
    """Bedrock fetches S3 objects and runs tools of its own when a conversation asks so: neither may be."""
    if not parameters.get("modelId"):
        return "it must name a model"
    if _holds_key(parameters.get("messages"), "s3Location") or _holds_key(
        parameters.get("system"), "s3Location"
    ):
        return "a model would read S3 objects"
    return "a model would run tools at AWS" if _holds_key(parameters.get("toolConfig"), "systemTool") else ""


def _holds_key(value: Any, key: str) -> bool:
    if isinstance(value, Mapping):
        return key in value or any(_holds_key(item, key) for item in value.values())
    return isinstance(value, list | tuple) and any(_holds_key(item, key) for item in value)


RULES: Mapping[tuple[str, str], Callable[[Json], str]] = {
    ("bedrock-runtime", "Converse"): _conversation,
    ("bedrock-runtime", "ConverseStream"): _conversation,
    ("ec2", "DescribeInstanceAttribute"): _no_user_data,
    ("logs", "FilterLogEvents"): _no_unmask,
    ("logs", "GetLogEvents"): _no_unmask,
    ("logs", "GetLogRecord"): _no_unmask,
    ("logs", "StartQuery"): _insights_query,
    ("pi", "GetResourceMetrics"): _no_sql,
    ("ssm", "GetParameter"): _encrypted,
    ("ssm", "GetParameterHistory"): _encrypted,
    ("ssm", "GetParameters"): _encrypted,
    ("stepfunctions", "DescribeExecution"): _metadata_only,
    ("stepfunctions", "GetExecutionHistory"): _no_execution_data,
}
"""What a listed operation must not ask for: parameters -> why they are refused, "" when they are fine."""


def allowed(service: str, operation: str, model: Any = None) -> bool:
    """True when the operation is a read or a start. `service` is the boto3 client name.

    Without botocore's `model` of the operation only what is written in the lists is, with it also what a service file
    declares and the model shows to be a read.
    """
    if operation in READS.get(service, ()) or operation in STARTS.get(service, ()):
        return True
    return model is not None and declared(service, operation) and not why_no_read(service, model)


def check(service: str, operation: str, parameters: Json, model: Any = None) -> None:
    """Raises WriteRefused unless the operation is allowed and its rule accepts the parameters."""
    if not allowed(service, operation, model):
        raise WriteRefused(
            f"{service}:{operation} is on no list of operations that opsleuth may call. Nothing was sent."
        )
    rule = RULES.get((service, operation))
    why = rule(parameters) if rule else ""
    if why:
        raise WriteRefused(f"{service}:{operation} is refused: {why}. Nothing was sent.")


def install(client: Any, *, role_arn: str = "") -> None:
    """Refuse everything outside the lists on this boto3 client, presigned URLs included.

    Only the client that is given `role_arn` may assume a role, and only that one. `StopQuery` may only stop
    queries that this same client started. No URL is ever presigned, not even for a read: it would be a key in
    others' hands.
    """
    watch(client.meta.events, client.meta.service_model.service_name, role_arn=role_arn)


def watch(events: Any, service: str, *, role_arn: str = "") -> None:
    """`install` on the event system of a client of `service`."""
    guard = _Guard(service, role_arn)
    # First, so that no other handler sees parameters of a call that will not be made.
    events.register_first("provide-client-params.*.*", guard.before_parameters, unique_id="opsleuth-guard")
    events.register_first("choose-signer.*.*", guard.before_signing, unique_id="opsleuth-guard-signer")
    events.register_first("before-sign.*.*", guard.before_signing, unique_id="opsleuth-guard-sign")
    if service == "logs":
        events.register("after-call.*.StartQuery", guard.note_query, unique_id="opsleuth-guard-query")


class _Guard:
    """The guard of one client."""

    def __init__(self, service: str, role_arn: str) -> None:
        self._service = service
        self._role_arn = role_arn
        self._lock = threading.Lock()
        self._started: set[str] = set()
        self._admitted: set[str] = set()  # declared reads that passed with their model, which signing has not

    def before_parameters(self, params: Json, model: Any, **_: Any) -> None:
        operation = str(model.name)
        check(self._service, operation, params, model)
        with self._lock:
            self._admitted.add(operation)
        if operation == "AssumeRole" and (not self._role_arn or params.get("RoleArn") != self._role_arn):
            raise WriteRefused(
                "sts:AssumeRole is refused: the run was not given this role. Nothing was sent."
            )
        if operation == "StopQuery" and not self._is_ours(str(params.get("queryId", ""))):
            raise WriteRefused(
                "logs:StopQuery is refused: opsleuth did not start this query. Nothing was sent."
            )

    def before_signing(self, event_name: str, signature_version: Any, **_: Any) -> None:
        operation = event_name.rsplit(".", 1)[-1]
        with self._lock:
            admitted = operation in self._admitted
        if not admitted and not allowed(self._service, operation):
            check(self._service, operation, {})
        if isinstance(signature_version, str) and signature_version.endswith(("-query", "-presign-post")):
            raise WriteRefused(f"{self._service}:{operation}: opsleuth makes no presigned URLs.")

    def _is_ours(self, query: str) -> bool:
        with self._lock:
            return query in self._started

    def note_query(self, parsed: Json, **_: Any) -> None:
        with self._lock:
            self._started.add(str(parsed.get("queryId", "")))
