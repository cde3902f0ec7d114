"""Calls as data, checked against botocore's own models: validate, convert from CloudTrail, print as AWS CLI.

Nothing here reaches AWS. Models are read from botocore's data files on first use.
"""

from __future__ import annotations

import json
import math
import re
import shlex
from collections.abc import Iterator, Mapping
from datetime import datetime
from functools import cache
from typing import Any

from botocore import xform_name
from botocore.exceptions import DataNotFoundError, UnknownServiceError
from botocore.loaders import Loader
from botocore.model import ListShape, MapShape, OperationModel, ServiceModel, Shape, StructureShape
from botocore.validate import ParamValidator

from tools.errors import BadInput
from tools.masks import masked
from tools.models import Call, Json
from tools.walk import leaves

# CloudTrail's spellings that no rule explains: client -> recorded name -> member of the input.
_ALIASES: Mapping[str, Mapping[str, str]] = {
    "s3": {"bucketName": "Bucket", "bucketPolicy": "Policy"},
    "ec2": {
        "instancesSet": "InstanceIds",
        "groupSet": "GroupIds",
        "ipPermissions": "IpPermissions",
        "tagSpecificationSet": "TagSpecifications",
        "aclProtocol": "Protocol",
    },
}
# Recorded members that are no parameters of the call.
_NOISE: Mapping[str, frozenset[str]] = {
    "apigateway": frozenset({"template"}),
    "s3": frozenset({"Host", "xmlns", "x-id"}),
}
# Bodies in XML, recorded as objects: an element that may repeat is a list only when there are several, an empty one
# is "", and what the URL asks for ("policy", "lifecycle") stands beside the parameters with nothing in it.
_XML = frozenset({"s3"})
# Members whose content CloudTrail drops without a word: an empty object there means "not shown".
_DROPPED = frozenset({("lambda", "environment"), ("cloudformation", "parameters")})


# -- botocore's models ------------------------------------------------------------------------------


@cache
def _loader() -> Loader:
    return Loader()


@cache
def _model(client: str) -> ServiceModel:
    try:
        return ServiceModel(_loader().load_service_model(client, "service-2"), client)
    except (DataNotFoundError, UnknownServiceError) as error:
        raise BadInput(f'"{client}" is no AWS service that boto3 knows') from error


def _operation(client: str, operation: str) -> OperationModel:
    model = _model(client)
    if operation not in model.operation_names:
        raise BadInput(f"{client} has no operation {operation}")
    return model.operation_model(operation)


@cache
def regions() -> frozenset[str]:
    """All regions that botocore knows, of every partition."""
    partitions = _loader().load_data("endpoints")["partitions"]
    return frozenset(region for partition in partitions for region in partition["regions"])


def operations(client: str) -> tuple[str, ...]:
    """The operations of a boto3 client, by name. Raises BadInput for a client that there is not."""
    return tuple(_model(client).operation_names)


def members(client: str, operation: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Required and optional parameters of an operation, in botocore's order. Raises BadInput when there is none."""
    shape = _operation(client, operation).input_shape
    if shape is None:
        return (), ()
    required = tuple(name for name in shape.members if name in shape.required_members)
    return required, tuple(name for name in shape.members if name not in required)


def is_list(client: str, operation: str, member: str) -> bool:
    """Whether a parameter takes a list."""
    shape = _operation(client, operation).input_shape
    return shape is not None and isinstance(shape.members.get(member), ListShape)


_CREDENTIAL = re.compile(r"(?:Password|Secret\w*|PrivateKey|Token|Credentials?)$", re.IGNORECASE)


def credentials(client: str, operation: str) -> tuple[str, ...]:
    """Parameters that hold a password, a secret or a private key, by botocore's mark "sensitive". CloudTrail leaves
    them out of what it records, or masks them.
    """
    shape = _operation(client, operation).input_shape
    found = shape.members.items() if shape is not None else ()
    return tuple(
        name for name, inner in found if _CREDENTIAL.search(name) and inner.metadata.get("sensitive")
    )


def allowed(client: str, operation: str) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Every parameter at any depth, by its own name, that takes one of a closed list of words, with these words."""
    shape = _operation(client, operation).input_shape
    if shape is not None:
        yield from _closed(shape, "", ())


def _closed(shape: Shape, name: str, above: tuple[str, ...]) -> Iterator[tuple[str, tuple[str, ...]]]:
    if shape.name in above:  # shapes may hold themselves
        return
    above = (*above, shape.name)
    if isinstance(shape, StructureShape):
        for inner, member in shape.members.items():
            yield from _closed(member, inner, above)
    elif isinstance(shape, ListShape):
        yield from _closed(shape.member, name, above)
    elif isinstance(shape, MapShape):
        yield from _closed(shape.value, name, above)
    elif words := getattr(shape, "enum", ()):
        yield name, tuple(words)


def validate(call: Call) -> tuple[str, ...]:
    """What is wrong with the call, one sentence each; empty when botocore would send it."""
    try:
        shape = _operation(call.service, call.operation).input_shape
    except BadInput as error:
        return (str(error),)
    if shape is None:
        return tuple(f"Unknown parameter: {name}" for name in sorted(call.parameters))
    report = ParamValidator().validate(call.parameters, shape)
    return tuple(line for line in report.generate_report().split("\n") if line) if report.has_errors() else ()


# -- from CloudTrail --------------------------------------------------------------------------------


def from_cloudtrail(service_client: str, operation: str, request: Json) -> Json:
    """Parameters for boto3 from CloudTrail's requestParameters of the same operation.

    Raises BadInput when a recorded value has no place in the call, is hidden, or does not fit its type: a
    call that lost a value silently would be worse than none.
    """
    shape = _operation(service_client, operation).input_shape
    if shape is None:
        if request:
            raise BadInput(f"{operation} takes no parameters, but the event recorded some")
        return {}
    converted: Json = _Converter(service_client, operation).structure(
        shape, _unwrapped(operation, request), ""
    )
    problems = validate(Call(service=service_client, operation=operation, parameters=converted))
    if problems:
        raise BadInput(f"{operation} as recorded is not a complete call: {'; '.join(problems)}")
    return converted


def _unwrapped(operation: str, request: Json) -> Json:
    """API Gateway v1 nests the body in "<operation>Input"; EC2 nests it in "<Operation>Request"."""
    inner = {f"{operation}Input".lower(), f"{operation}Request".lower()}
    flat: Json = {}
    for key, value in request.items():
        if key.lower() in inner and isinstance(value, dict):
            flat.update(value)
        else:
            flat[key] = value
    return flat


class _Converter:
    """Walks an input shape beside a recorded request. Raises BadInput rather than drop a value."""

    def __init__(self, client: str, operation: str) -> None:
        self.client = client
        self.operation = operation

    def value(self, shape: Shape, value: Any, path: str) -> Any:
        if isinstance(value, str) and masked(value):
            raise self._refuse(path, "its value is hidden")
        if isinstance(shape, StructureShape):
            return self.structure(shape, value, path)
        if isinstance(shape, ListShape):
            return self.list(shape, value, path)
        if isinstance(shape, MapShape):
            return self.map(shape, value, path)
        return self.scalar(shape, value, path)

    def structure(self, shape: StructureShape, value: Any, path: str) -> Json:
        if value == "" and self.client in _XML:
            return {}
        if not isinstance(value, Mapping):
            raise self._refuse(path, "an object was expected")
        found: Json = {}
        for key, inner in value.items():
            if key in _NOISE.get(self.client, ()) or inner is None:
                continue
            if not path and inner == "" and self.client in _XML:
                continue
            here = f"{path}.{key}" if path else str(key)
            if not inner and (self.client, str(key)) in _DROPPED:
                raise self._refuse(here, "its value is hidden")
            member = self._member(shape, str(key))
            if not member:
                if any(one not in (None, "") for one in leaves(inner)):
                    raise self._refuse(here, "the call has no such parameter")
                continue
            if member in found:
                raise self._refuse(here, "it is recorded twice")
            found[member] = self.value(shape.members[member], inner, here)
        return found

    def _member(self, shape: StructureShape, key: str) -> str:
        alias = _ALIASES.get(self.client, {}).get(key, "")
        if alias in shape.members:
            return alias
        if key in shape.members:
            return key
        spelled = [
            name
            for name, member in shape.members.items()
            if key.lower() in (name.lower(), str(member.serialization.get("name", "")).lower())
        ]
        return spelled[0] if len(spelled) == 1 else ""

    def list(self, shape: ListShape, value: Any, path: str) -> list[Any]:
        if isinstance(value, Mapping) and set(value) <= {"items"}:
            value = value.get("items") or []  # EC2 records lists so
        if self.client in _XML and not isinstance(value, list):
            value = [value]
        if self.client == "ec2" and isinstance(value, Mapping) and "tag" in value:
            value = [value]  # one alone; of each, "tag" is its place in the list
        if self.client == "ec2" and isinstance(value, list):
            value = [_without_place(item) for item in value]
        if not isinstance(value, list):
            raise self._refuse(path, "a list was expected")
        plain = not isinstance(shape.member, StructureShape | ListShape | MapShape)
        if plain:
            # EC2 wraps each item of a list of ids: {"items": [{"instanceId": "i-1"}]}
            value = [
                next(iter(item.values())) if isinstance(item, Mapping) and len(item) == 1 else item
                for item in value
            ]
        return [self.value(shape.member, item, f"{path}[{number}]") for number, item in enumerate(value)]

    def map(self, shape: MapShape, value: Any, path: str) -> Json:
        if not isinstance(value, Mapping):
            raise self._refuse(path, "an object was expected")
        return {str(key): self.value(shape.value, inner, f"{path}.{key}") for key, inner in value.items()}

    def scalar(self, shape: Shape, value: Any, path: str) -> Any:
        kind = shape.type_name
        if kind == "string":
            if isinstance(value, Mapping | list):
                return json.dumps(value)  # policies are recorded as objects by some services
            return value if isinstance(value, str) else json.dumps(value)
        if kind == "boolean":
            found = {"true": True, "false": False}.get(str(value).lower())
            if found is None:
                raise self._refuse(path, "true or false was expected")
            return found
        if kind in ("integer", "long", "float", "double"):
            return self._number(kind, value, path)
        if kind == "timestamp":
            return self._time(value, path)
        raise self._refuse(path, f"a {kind} cannot be taken from an event")

    def _number(self, kind: str, value: Any, path: str) -> int | float:
        try:
            number = float(value)
        except (TypeError, ValueError, OverflowError) as error:
            raise self._refuse(path, "a number was expected") from error
        if isinstance(value, bool):
            raise self._refuse(path, "a number was expected")
        if not math.isfinite(number):
            raise self._refuse(path, "a finite number was expected")
        if kind in ("float", "double"):
            return number
        if not number.is_integer():
            raise self._refuse(path, "a whole number was expected")
        return (
            int(value) if isinstance(value, str | int) and str(value).lstrip("-").isdigit() else int(number)
        )

    def _time(self, value: Any, path: str) -> datetime:
        try:
            moment = datetime.fromisoformat(str(value).replace("Z", "+00:00"))
        except ValueError as error:
            raise self._refuse(path, "a time was expected") from error
        if moment.tzinfo is None:
            raise self._refuse(path, "the time has no zone")
        return moment

    def _refuse(self, path: str, why: str) -> BadInput:
        return BadInput(f"{self.operation} cannot be made from the event: {path or 'the request'}: {why}")


def _without_place(item: Any) -> Any:
    if not isinstance(item, Mapping) or not isinstance(item.get("tag"), int) or len(item) == 1:
        return item
    return {key: inner for key, inner in item.items() if key != "tag"}


# -- as an AWS CLI command --------------------------------------------------------------------------

# Where awscli's command differs from boto3's client name.
_COMMANDS: Mapping[str, str] = {"s3": "s3api", "codedeploy": "deploy", "config": "configservice"}
# Parameters that awscli renames because a global option has the name (its argrename customization).
_RENAMED: Mapping[tuple[str, str, str], str] = {
    ("apigateway", "CreateRestApi", "version"): "api-version",
    ("apigatewayv2", "CreateApi", "Version"): "api-version",
    ("apigatewayv2", "UpdateApi", "Version"): "api-version",
    ("eks", "CreateNodegroup", "version"): "kubernetes-version",
    ("eks", "UpdateClusterVersion", "version"): "kubernetes-version",
    ("eks", "UpdateNodegroupVersion", "version"): "kubernetes-version",
}
# What awscli calls the opposite of a switch instead of "no-..." (the same customization).
_OPPOSITES: Mapping[tuple[str, str], str] = {
    ("ec2", "egress"): "ingress",
    ("ec2", "disable-api-termination"): "enable-api-termination",
    ("ecs", "enable-execute-command"): "disable-execute-command",
}
# Parameters that awscli takes in another form only (run-instances --count): such a call is given whole as JSON.
_REPLACED = frozenset({("ec2", "MinCount"), ("ec2", "MaxCount")})
_GLOBAL_OPTIONS = frozenset(
    [
        "debug",
        "endpoint-url",
        "no-verify-ssl",
        "no-paginate",
        "output",
        "query",
        "profile",
        "region",
        "version",
        "color",
        "no-sign-request",
        "ca-bundle",
        "cli-read-timeout",
        "cli-connect-timeout",
        "cli-input-json",
        "generate-cli-skeleton",
    ]
)
_SAFE_SHORTHAND = re.compile(r"[A-Za-z0-9_./:$*@+-]+")
# awscli reads these from a file or the network instead of taking them as they are.
_FETCHED = re.compile(r"^(https?|fileb?)://")


def to_cli(
    call: Call,
    *,
    profile: str = "",
    region: str = "",
    query: str = "",
    output: str = "",
    multiline: bool = False,
) -> str:
    """The call as one complete AWS CLI command, quoted for POSIX shells.

    `region` stands in when the call names none. Raises BadInput for calls that botocore would not send, and
    for blobs, which the two versions of the CLI read differently.
    """
    problems = validate(call)
    if problems:
        raise BadInput(f"{call.service}:{call.operation} is not a valid call: {'; '.join(problems)}")
    model = _operation(call.service, call.operation)
    groups = [f"aws {_COMMANDS.get(call.service, call.service)} {xform_name(call.operation, '-')}"]
    arguments = _arguments(call, model)
    groups.extend(
        arguments if arguments is not None else [f"--cli-input-json {_quoted_json(call.parameters)}"]
    )
    for option, value in (
        ("profile", profile),
        ("region", call.region or region),
        ("query", query),
        ("output", output),
    ):
        if value:
            groups.append(_option(option, value))
    return (" \\\n    " if multiline else " ").join(groups)


def _arguments(call: Call, model: OperationModel) -> list[str] | None:
    """One argument for each parameter; None when the whole call has to be given as JSON."""
    shape = model.input_shape
    if shape is None:
        return []
    found: list[str] = []
    for name, value in call.parameters.items():
        option = _RENAMED.get((call.service, call.operation, name), xform_name(name, "-"))
        replaced = (call.service, name) in _REPLACED
        if replaced or option in _GLOBAL_OPTIONS or _needs_json(call, option, value):
            return None
        if value is False and (opposite := _OPPOSITES.get((call.service, option))):
            found.append(f"--{opposite}")
            continue
        found.append(_argument(option, shape.members[name], value))
    return found


def _needs_json(call: Call, option: str, value: Any) -> bool:
    if isinstance(value, list):
        return any(isinstance(item, str) and _needs_json(call, option, item) for item in value)
    if not isinstance(value, str):
        return False
    if call.service == "sqs" and option == "queue-url":
        return False  # awscli knows that this one is meant as it is
    return bool(_FETCHED.match(value)) or "<" in value or "…" in value or "\n" in value


def _argument(option: str, shape: Shape, value: Any) -> str:
    if shape.type_name == "boolean":
        return f"--{option}" if value else f"--no-{option}"
    if shape.type_name == "blob":
        raise BadInput(f"--{option} takes a file; it cannot be written into a command")
    if isinstance(shape, ListShape):
        return _list_argument(option, shape, value)
    if isinstance(shape, StructureShape | MapShape):
        short = _shorthand(shape, value)
        return _option(option, short) if short else f"--{option} {_quoted_json(value)}"
    return _option(option, _plain(value))


def _list_argument(option: str, shape: ListShape, values: list[Any]) -> str:
    member = shape.member
    if not values:
        return f"--{option} '[]'"
    if isinstance(member, StructureShape | MapShape):
        short = [_shorthand(member, item) for item in values]
        if all(short):
            return " ".join([f"--{option}", *(shlex.quote(item) for item in short)])
        return f"--{option} {_quoted_json(values)}"
    texts = [_plain(item) for item in values] if not isinstance(member, ListShape) else []
    if not texts or any(text[:1] in ("[", "-", "") for text in texts):
        return f"--{option} {_quoted_json(values)}"
    return " ".join([f"--{option}", *(shlex.quote(text) for text in texts)])


def _shorthand(shape: StructureShape | MapShape, value: Mapping[str, Any]) -> str:
    """name=value,name=value for flat objects of plain scalars; "" for anything that shorthand would bend."""
    parts: list[str] = []
    for key, inner in value.items():
        member = shape.members[key] if isinstance(shape, StructureShape) else shape.value
        if isinstance(member, StructureShape | ListShape | MapShape) or member.type_name == "blob":
            return ""
        text = _plain(inner)
        if not _SAFE_SHORTHAND.fullmatch(text) or not _SAFE_SHORTHAND.fullmatch(key) or _FETCHED.match(text):
            return ""
        parts.append(f"{key}={text}")
    return ",".join(parts)


def _option(name: str, text: str) -> str:
    # A value that begins with "-" would be taken for an option of its own.
    quoted = shlex.quote(text)
    return f"--{name}={quoted}" if text.startswith("-") else f"--{name} {quoted}"


def _plain(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, datetime):
        return value.isoformat()
    return str(value)


def _quoted_json(value: Any) -> str:
    text = json.dumps(value, default=_plain, ensure_ascii="…" in str(value))
    return shlex.quote(text.replace("<", "\\u003c"))
