"""Answers put from one AWS protocol into another, by botocore's own models of the service.

Releases of botocore change the protocol that a client speaks: CloudWatch went from query to JSON and CBOR, SQS
from query to JSON. An answer that was recorded in the old one is decoded with that protocol's parser and
written in the new one. Nothing is taken on trust: every value of the body must have been understood, and
what is written must read back as what was meant.
"""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from functools import cache
from typing import Any
from xml.etree import ElementTree
from xml.sax.saxutils import escape

from botocore.compat import HTTPHeaders
from botocore.exceptions import UnknownServiceError
from botocore.loaders import create_loader
from botocore.model import OperationNotFoundError, ServiceModel
from botocore.parsers import ResponseParserError, create_parser
from botocore.serialize import create_serializer

from tools.models import Json
from tools.transport import WireAnswer

KNOWN = ("json", "query", "smithy-rpc-v2-cbor")
"""Protocols in which the whole answer stands in the body, so that one can stand for another."""

_NO_VALUE = {"ResponseMetadata", "RequestId", "RequestID"}


class CannotRecode(ValueError):
    """The answer cannot be put into the other protocol without loss; says why."""


def recoded(answer: WireAnswer, service: str, operation: str, protocol: str) -> WireAnswer:
    """The same answer in `protocol`. Raises CannotRecode when any of it would be lost."""
    if answer.protocol == protocol:
        return answer
    if answer.protocol not in KNOWN or protocol not in KNOWN:
        raise CannotRecode(f"{answer.protocol} cannot be turned into {protocol}")
    shape = _shape(service, operation)
    if protocol not in _model(service).metadata.get("protocols", ()):
        raise CannotRecode(f"{service} does not speak {protocol}")
    try:
        said = decoded(answer, service, operation)
        refused = answer.status >= 300
        if refused and not said.get("Error", {}).get("Code"):
            raise CannotRecode("the error has no code")
        if not refused and _count(said, shape, answer.protocol == "query") != _held(answer):
            raise CannotRecode("botocore's model no longer knows all of it")
        made = (
            _refusal(said["Error"], answer, protocol)
            if refused
            else _answer(said, shape, operation, answer, protocol)
        )
        again = decoded(made, service, operation)
    except (ResponseParserError, ElementTree.ParseError, KeyError, TypeError, ValueError) as error:
        raise CannotRecode(str(error) or type(error).__name__) from error
    kept = ("Code", "Message")
    same = (
        [again["Error"].get(key, "") for key in kept] == [said["Error"].get(key, "") for key in kept]
        if refused
        else again == said
    )
    if not same:
        raise CannotRecode(f"it does not read the same in {protocol}")
    return made


def decoded(answer: WireAnswer, service: str, operation: str) -> Json:
    """An answer as boto3 shows it, parsed with its own protocol; times in UTC, no ResponseMetadata."""
    parser = create_parser(answer.protocol)
    headers = HTTPHeaders.from_pairs(list(answer.headers.items()))
    lowered = {key.lower(): value for key, value in headers.items()}
    response = {"status_code": answer.status, "headers": lowered, "body": answer.body}
    found: Json = _in_utc(parser.parse(response, _shape(service, operation)))
    found.pop("ResponseMetadata", None)
    return found


def _in_utc(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _in_utc(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_in_utc(item) for item in value]
    return value.astimezone(UTC) if isinstance(value, datetime) else value


@cache
def _model(service: str) -> ServiceModel:
    return ServiceModel(create_loader().load_service_model(service, "service-2"), service)


def _shape(service: str, operation: str) -> Any:
    try:
        return _model(service).operation_model(operation).output_shape
    except (UnknownServiceError, OperationNotFoundError) as error:
        raise CannotRecode(str(error)) from error


def _count(value: Any, shape: Any, keys: bool) -> int:
    """Single values in a decoded answer; keys of maps count where the wire has elements for them."""
    if isinstance(value, dict):
        if shape is not None and shape.type_name == "map":
            return sum(_count(item, shape.value, keys) + keys for item in value.values())
        return sum(_count(item, shape.members.get(key), keys) for key, item in value.items())
    if isinstance(value, list):
        return sum(_count(item, shape.member, keys) for item in value)
    return int(value is not None and value != "")


def _held(answer: WireAnswer) -> int:
    """Single values in the body as it stands, whatever the model says."""
    if not answer.body:
        return 0
    if answer.protocol == "query":
        return sum(1 for _ in _texts(ElementTree.fromstring(answer.body)))
    if answer.protocol == "json":
        return _leaves(json.loads(answer.body))
    parser: Any = create_parser("smithy-rpc-v2-cbor")
    return _leaves(parser.parse_data_item(parser.get_peekable_stream_from_bytes(answer.body)))


def _texts(node: ElementTree.Element) -> Iterator[str]:
    if node.tag.rpartition("}")[2] in _NO_VALUE:
        return
    if not len(node) and node.text:
        yield node.text
    for child in node:
        yield from _texts(child)


def _leaves(value: Any) -> int:
    if isinstance(value, dict):
        return sum(_leaves(item) for item in value.values())
    if isinstance(value, list):
        return sum(_leaves(item) for item in value)
    return int(value is not None and value != "")


def _answer(said: Json, shape: Any, operation: str, answer: WireAnswer, protocol: str) -> WireAnswer:
    if protocol == "json":
        body = json.dumps(_plain(said, shape), ensure_ascii=False, separators=(",", ":")).encode()
    elif protocol == "query":
        inner = "".join(_elements(said, shape)) if shape is not None else ""
        wrapper = shape.serialization.get("resultWrapper", "") if shape is not None else ""
        inner = f"<{wrapper}>{inner}</{wrapper}>" if wrapper else inner
        body = f"<{operation}Response>{inner}</{operation}Response>".encode()
    else:
        serialized = bytearray()
        writer: Any = create_serializer(protocol, include_validation=False)
        writer._serialize_data_item(serialized, said, shape)
        body = bytes(serialized)
    return WireAnswer(status=answer.status, headers=_headers(answer, protocol), body=body, protocol=protocol)


def _headers(answer: WireAnswer, protocol: str) -> dict[str, str]:
    kind = {"json": "application/x-amz-json-1.1", "query": "text/xml"}.get(protocol, "application/cbor")
    kept = {
        key: value
        for key, value in answer.headers.items()
        if key.lower() not in ("content-type", "smithy-protocol")
    }
    more = {"smithy-protocol": "rpc-v2-cbor"} if protocol == "smithy-rpc-v2-cbor" else {}
    return {**kept, "Content-Type": kind, **more}


def _refusal(error: Json, answer: WireAnswer, protocol: str) -> WireAnswer:
    code, message = str(error["Code"]), str(error.get("Message", ""))
    headers = _headers(answer, protocol)
    if protocol == "query":
        inner = f"<Type>Sender</Type><Code>{escape(code)}</Code><Message>{escape(message)}</Message>"
        body = f"<ErrorResponse><Error>{inner}</Error></ErrorResponse>".encode()
        return WireAnswer(status=answer.status, headers=headers, body=body, protocol=protocol)
    # Codes of the query protocol are told in this header by services that left it.
    headers = {key: value for key, value in headers.items() if key.lower() != "x-amzn-query-error"}
    headers["x-amzn-query-error"] = f"{code};Sender"
    said = {"__type": code, "message": message}
    if protocol == "json":
        body = json.dumps(said, ensure_ascii=False).encode()
    else:
        body = b"\xbf" + b"".join(_cbor_text(text) for pair in said.items() for text in pair) + b"\xff"
    return WireAnswer(status=answer.status, headers=headers, body=body, protocol=protocol)


def _cbor_text(text: str) -> bytes:
    raw = text.encode()
    return b"\x7a" + len(raw).to_bytes(4, "big") + raw  # a text whose length is told in four bytes


def _plain(value: Any, shape: Any) -> Any:
    """A decoded value as JSON of the wire."""
    kind = shape.type_name if shape is not None else ""
    if kind == "structure":
        return {
            shape.members[key].serialization.get("name", key): _plain(item, shape.members[key])
            for key, item in value.items()
        }
    if kind == "map":
        return {key: _plain(item, shape.value) for key, item in value.items()}
    if kind == "list":
        return [_plain(item, shape.member) for item in value]
    if kind == "timestamp":
        return _stamp(value, shape.serialization.get("timestampFormat", "unixTimestamp"))
    return b64encode(value).decode() if kind == "blob" else value


def _stamp(moment: datetime, form: str) -> int | float | str:
    if form == "unixTimestamp":
        number = moment.timestamp()
        return int(number) if number.is_integer() else number
    return moment.isoformat().replace("+00:00", "Z")


def _elements(value: Json, shape: Any) -> Iterator[str]:
    """The members of a structure as elements of the query protocol."""
    for key, item in value.items():
        member = shape.members[key]
        name = member.serialization.get("name", key)
        if member.type_name == "list":
            yield _list(name, item, member)
        elif member.type_name == "map":
            yield _map(name, item, member)
        else:
            yield _element(name, item, member)


def _list(name: str, items: list[Any], shape: Any) -> str:
    if shape.serialization.get("flattened"):
        inner_name = shape.member.serialization.get("name", name)
        return "".join(_element(inner_name, item, shape.member) for item in items)
    inner_name = shape.member.serialization.get("name", "member")
    return f"<{name}>{''.join(_element(inner_name, item, shape.member) for item in items)}</{name}>"


def _map(name: str, items: Mapping[str, Any], shape: Any) -> str:
    key_name = shape.key.serialization.get("name", "key")
    value_name = shape.value.serialization.get("name", "value")
    entries = [
        _element(key_name, key, shape.key) + _element(value_name, item, shape.value)
        for key, item in items.items()
    ]
    if shape.serialization.get("flattened"):
        return "".join(f"<{name}>{entry}</{name}>" for entry in entries)
    return f"<{name}>{''.join(f'<entry>{entry}</entry>' for entry in entries)}</{name}>"


def _element(name: str, value: Any, shape: Any) -> str:
    if shape.type_name == "structure":
        return f"<{name}>{''.join(_elements(value, shape))}</{name}>"
    if shape.type_name == "list":
        return _list(name, value, shape)
    if shape.type_name == "map":
        return _map(name, value, shape)
    if shape.type_name == "timestamp":
        text = str(_stamp(value, shape.serialization.get("timestampFormat", "iso8601")))
    elif shape.type_name == "blob":
        text = b64encode(value).decode()
    elif shape.type_name == "boolean":
        text = "true" if value else "false"
    else:
        text = str(value)
    return f"<{name}>{escape(text)}</{name}>"
