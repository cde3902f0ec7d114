"""Reads that a service file declares: the guard admits those that botocore's model shows to be reads.

A service file names each operation that it reads. That alone opens nothing: the name must be that of a read, the
request must offer no way to ask for content, and the answer must hold neither content nor keys. What cannot be judged
so stays refused until it stands in `guard_reads`, with its source. The lists stay closed: both are part of the program,
and the contract test asks AWS's own ReadOnlyAccess for a second word on each.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from tools.services import services

__all__ = ["NEVER", "declared", "why_no_read"]

NEVER: frozenset[tuple[str, str]] = frozenset(
    (client, operation)
    for client, operations in {
        "apigateway": "GetApiKey GetApiKeys GetExport GetSdk GetUsagePlanKey GetUsagePlanKeys",
        "appsync": "ListApiKeys",
        "athena": "GetQueryResults",
        "cognito-idp": "DescribeUserPoolClient ListUsers ListUsersInGroup",
        "dynamodb": "GetItem BatchGetItem",
        "ec2": "GetPasswordData GetConsoleScreenshot",
        "ecr": "GetAuthorizationToken GetDownloadUrlForLayer BatchGetImage",
        "lambda": "GetFunction GetLayerVersion GetLayerVersionByArn",
        "s3": "ListObjects ListObjectsV2 ListObjectVersions ListMultipartUploads ListParts",
        "ssm": "GetParametersByPath GetConnectionStatus",
        "sts": "GetSessionToken GetFederationToken",
    }.items()
    for operation in operations.split()
)
"""Reads by their names that hand out keys, links or customers' content in plain members."""

_READ = re.compile(r"(?:Describe|List|Get|BatchGet|BatchDescribe)(?=[A-Z])")
_KEYS = re.compile(
    r"passw|secret(?!s?(?:manager|s?arn))|credential|private_?key|access_?key|api_?key|auth(?:orization)?_?token"
    r"|session_?token|refresh_?token|presigned|signed_?url|download_?url|user_?data",
    re.IGNORECASE,
)
_CONTENT = re.compile(
    r"decrypt|unmask|with_?secret|include_?(?:secret|value|data|execution|content|planned)", re.I
)
_METHODS = frozenset({"GET", "HEAD", "POST"})  # POST: all operations of the protocols that have no other


def declared(client: str, operation: str) -> bool:
    """Whether a service file says that it reads this operation of the boto3 client."""
    return any(
        service.client == client and operation in {read.operation for read in service.reads}
        for service in services().values()
    )


def why_no_read(client: str, model: Any) -> str:
    """Why an operation cannot be admitted on a service file's word, or "". `model` is botocore's OperationModel."""
    name = str(model.name)
    if (client, name) in NEVER:
        return "it hands out keys, links or customers' content"
    if not _READ.match(name):
        return "its name is not that of a read"
    if str(model.http.get("method", "POST")) not in _METHODS:
        return f"it is sent as {model.http['method']}"
    if model.has_streaming_input or model.has_streaming_output or model.has_event_stream_output:
        return "it streams content"
    for member, _ in _members(model.input_shape):
        if _CONTENT.search(member):
            return f"its parameter {member} may ask for content; it needs a rule of its own"
    for member, shape in _members(model.output_shape):
        if shape.type_name == "blob" or getattr(shape, "sensitive", False) or shape.metadata.get("sensitive"):
            return f"its answer holds {member}, which may be content"
        if _KEYS.search(member):
            return f"its answer holds {member}, which may be a key"
    return ""


def _members(shape: Any, above: tuple[str, ...] = ()) -> Iterator[tuple[str, Any]]:
    """Every member of a shape, at any depth, each recursive shape once on a way."""
    if shape is None or shape.name in above:
        return
    inner = (*above, shape.name)
    if shape.type_name == "structure":
        for name, member in shape.members.items():
            yield name, member
            yield from _members(member, inner)
    elif shape.type_name == "list":
        yield "", shape.member
        yield from _members(shape.member, inner)
    elif shape.type_name == "map":
        yield "", shape.value
        yield from _members(shape.value, inner)
