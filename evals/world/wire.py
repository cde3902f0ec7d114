"""Answers in AWS's wire format, through moto's serializers; the only module that knows moto.

`moto.core.serialize` is not a public interface: moto is pinned, and a contract test reads one answer of every
protocol back through botocore.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from typing import Any
from xml.sax.saxutils import escape

from moto.core.model import OperationModel
from moto.core.serialize import SerializationContext, get_serializer_class
from moto.core.utils import get_service_model

from tools.models import Json
from tools.transport import WireAnswer

_SAMPLE = 40


class WrongShape(AssertionError):
    """An answer of a world does not fit AWS's own model: a defect of the world."""


@cache
def operation_model(service: str, operation: str) -> OperationModel:
    model: OperationModel = get_service_model(service).operation_model(operation)
    return model


@cache
def _serializer(service: str, protocol: str) -> Any:
    """Moto's serializer; with JSON, lists of numbers and times in one go (metrics have many thousands)."""
    base: Any = get_serializer_class(service, protocol)
    if protocol not in ("json", "rest-json"):
        return base

    def lists(self: Any, serialized: Any, value: Any, shape: Any, key: str) -> None:
        kind = shape.member.type_name
        if kind == "timestamp" and not shape.member.serialization.get("timestampFormat"):
            self._default_serialize(serialized, [_number(one.timestamp()) for one in value], shape, key)
        elif kind in ("double", "integer", "long"):
            self._default_serialize(serialized, list(value), shape, key)
        else:
            base._serialize_type_list(self, serialized, value, shape, key)

    return type(f"Quick{base.__name__}", (base,), {"_serialize_type_list": lists})


def _number(stamp: float) -> int | float:
    return int(stamp) if stamp.is_integer() else round(stamp, 3)


def answer(
    service: str, operation: str, protocol: str, result: Json, request_id: str, *, words: bool = True
) -> WireAnswer:
    """`result` (members as boto3 shows them) as the body of a good answer. Raises WrongShape; `words` as of `check`."""
    model = operation_model(service, operation)
    check(model.output_shape, result, f"{service}:{operation}", words=words)
    serializer = _serializer(service, protocol)(model, SerializationContext(request_id))
    made = serializer.serialize(result)
    body = made["body"]
    headers = {str(name): str(value) for name, value in made["headers"].items()}
    headers["x-amzn-RequestId"] = request_id
    raw = body.encode() if isinstance(body, str) else body
    return WireAnswer(status=made["status_code"], headers=headers, body=raw, protocol=protocol)


def error(protocol: str, code: str, message: str, status: int, request_id: str) -> WireAnswer:
    """An error in the form of `protocol`."""
    headers = {"x-amzn-RequestId": request_id}
    if protocol in ("json", "rest-json"):
        headers["Content-Type"] = "application/x-amz-json-1.1" if protocol == "json" else "application/json"
        if protocol == "rest-json":
            headers["x-amzn-ErrorType"] = code
        body = json.dumps({"__type": code, "message": message})
    else:
        headers["Content-Type"] = "text/xml"
        body = _xml_error(protocol, escape(code), escape(message), request_id)
    return WireAnswer(status=status, headers=headers, body=body.encode(), protocol=protocol)


def _xml_error(protocol: str, code: str, message: str, request_id: str) -> str:
    inner = f"<Code>{code}</Code><Message>{message}</Message>"
    if protocol == "ec2":
        return (
            f"<Response><Errors><Error>{inner}</Error></Errors><RequestID>{request_id}</RequestID></Response>"
        )
    if protocol == "rest-xml":
        return f"<Error>{inner}<RequestId>{request_id}</RequestId></Error>"
    return (
        f"<ErrorResponse><Error><Type>Sender</Type>{inner}</Error>"
        f"<RequestId>{request_id}</RequestId></ErrorResponse>"
    )


_SCALARS: Mapping[str, tuple[type, ...]] = {
    "string": (str,),
    "character": (str,),
    "integer": (int,),
    "long": (int,),
    "float": (int, float),
    "double": (int, float),
    "boolean": (bool,),
}


def check(shape: Any, value: Any, where: str, *, words: bool = True) -> None:
    """Compare an answer with botocore's output shape; long lists at both ends. Raises WrongShape.

    `words`: whether a word must be one that the model lists. AWS itself answers others ("available" for "Available").
    """
    if shape is None:
        if value:
            raise WrongShape(f"{where}: the operation answers nothing")
        return
    kind = shape.type_name
    if kind == "structure":
        _check_structure(shape, value, where, words)
    elif kind == "list":
        _check_list(shape, value, where, words)
    elif kind == "map":
        if not isinstance(value, dict):
            raise WrongShape(f"{where}: a map is expected, not {type(value).__name__}")
        for key, item in value.items():
            check(shape.value, item, f"{where}[{key}]", words=words)
    elif kind in _SCALARS:
        if not isinstance(value, _SCALARS[kind]) or (isinstance(value, bool) and kind != "boolean"):
            raise WrongShape(f"{where}: {kind} is expected, not {value!r}")
        allowed = shape.metadata.get("enum")
        if words and allowed and value not in allowed:
            raise WrongShape(f"{where}: {value!r} is none of {', '.join(allowed)}")


def _check_structure(shape: Any, value: Any, where: str, words: bool) -> None:
    if not isinstance(value, dict):
        raise WrongShape(f"{where}: a structure is expected, not {type(value).__name__}")
    for key, item in value.items():
        if key not in shape.members:
            raise WrongShape(f"{where}: AWS has no member {key}")
        if item is not None:
            check(shape.members[key], item, f"{where}.{key}", words=words)


def _check_list(shape: Any, value: Any, where: str, words: bool) -> None:
    if not isinstance(value, list):
        raise WrongShape(f"{where}: a list is expected, not {type(value).__name__}")
    sample = value if len(value) <= 2 * _SAMPLE else value[:_SAMPLE] + value[-_SAMPLE:]
    for item in sample:
        check(shape.member, item, f"{where}[]", words=words)
