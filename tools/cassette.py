"""The file of a recording: vcrpy's YAML cassette, version 1, with what opsleuth adds under keys of its own.

    version: 1
    opsleuth: {format: 1, start: ..., account: ..., region: ..., ...}     the run
    interactions:
    - request: {method, uri, body, headers}                               vcrpy's part
      response: {status: {code, message}, headers, body: {string}}
      opsleuth: {account, region, service, operation, parameters, protocol, recorded_at}
    unanswered: [...]          questions that a world could not answer, with their gaps
    complete: true             last line: without it the file was cut

Unmodified vcrpy replays the file in one thread, with record_mode "none", allow_playback_repeats and
match_on method, scheme, host, port, path, query, body and a matcher of X-Amz-Target: many AWS JSON calls
differ in nothing else.

Bodies are kept byte for byte, as text where they are UTF-8. Equal bodies are written once, as a YAML
anchor.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from http import HTTPStatus
from pathlib import Path
from typing import Any

import yaml

from tools.errors import BadRecording
from tools.models import Gap, Json
from tools.transport import WireAnswer

FORMAT = 1
# Signatures, times and connection details: they differ on every run and say nothing of the account.
_KEPT_REQUEST_HEADERS = {"content-type", "x-amz-target", "accept"}
_DROPPED_ANSWER_HEADERS = {
    "connection",
    "content-length",
    "date",
    "keep-alive",
    "server",
    "set-cookie",
    "transfer-encoding",
    "via",
    "x-amz-cf-id",
    "x-amz-cf-pop",
    "x-cache",
}
_AGAIN = "Record it again with: opsleuth record"


@dataclass(frozen=True, slots=True, kw_only=True)
class Interaction:
    """One question and its answer. `parameters` are JSON values; `recorded_at` is the run's clock."""

    account: str
    region: str
    service: str
    operation: str
    parameters: Json
    recorded_at: datetime
    method: str
    url: str
    request_headers: Mapping[str, str]
    request_body: bytes
    answer: WireAnswer


@dataclass(frozen=True, slots=True, kw_only=True)
class Unanswered:
    """One question without an answer, and the gap that was told instead."""

    account: str
    region: str
    service: str
    operation: str
    parameters: Json
    gap: Gap


@dataclass(frozen=True, slots=True, kw_only=True)
class Cassette:
    """A whole recording. `header` holds format, start and whatever the recorder was told of the run."""

    header: Json
    interactions: tuple[Interaction, ...]
    unanswered: tuple[Unanswered, ...] = field(default=())

    @property
    def start(self) -> datetime | None:
        text = self.header.get("start")
        return datetime.fromisoformat(str(text)) if text else None


def write(path: Path, cassette: Cassette) -> None:
    """The file, whole or not at all: written beside `path`, then put in its place."""
    bodies: dict[str | bytes, Json] = {}
    document = {
        "version": 1,
        "opsleuth": {"format": FORMAT, **cassette.header},
        "interactions": [_dump(item, bodies) for item in cassette.interactions],
    }
    if cassette.unanswered:
        document["unanswered"] = [_dump_unanswered(item) for item in cassette.unanswered]
    document["complete"] = True
    text = yaml.dump(document, Dumper=_dumper(), sort_keys=False, allow_unicode=True, width=1_000_000)
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    try:
        with os.fdopen(handle, "w", encoding="utf-8", newline="\n") as file:
            file.write(text)
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


def read(path: Path) -> Cassette:
    """The recording. Raises BadRecording with a sentence that says what is wrong and what to do."""
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError as error:
        raise BadRecording(f"There is no recording at {path}. Check the path.") from error
    except (OSError, UnicodeDecodeError) as error:
        raise BadRecording(f"{path} cannot be read: {_why(error)}. {_AGAIN}") from error
    try:
        document = yaml.load(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    except yaml.YAMLError as error:
        raise BadRecording(f"{path} is damaged or cut short{_line(error)}. {_AGAIN}") from error
    return _cassette(path, document)


def _why(error: OSError | UnicodeDecodeError) -> str:
    return (error.strerror or str(error)) if isinstance(error, OSError) else "it is no text"


def _line(error: yaml.YAMLError) -> str:
    mark = getattr(error, "problem_mark", None)
    return f" in line {mark.line + 1}" if mark is not None else ""


def _cassette(path: Path, document: object) -> Cassette:
    if not isinstance(document, dict) or not isinstance(document.get("interactions"), list):
        raise BadRecording(f"{path} is not a recording: it holds no interactions. {_AGAIN}")
    header = document.get("opsleuth")
    if not isinstance(header, dict):
        raise BadRecording(
            f"{path} is a vcrpy cassette, but not of opsleuth: it does not say which calls it holds. {_AGAIN}"
        )
    if header.get("format") != FORMAT:
        found = header.get("format")
        raise BadRecording(f"{path} has format {found}; this opsleuth reads format {FORMAT}. {_AGAIN}")
    if document.get("complete") is not True:
        raise BadRecording(f"{path} is cut short: its last line is missing. {_AGAIN}")
    try:
        cassette = Cassette(
            header={key: value for key, value in header.items() if key != "format"},
            interactions=tuple(_load(item) for item in document["interactions"]),
            unanswered=tuple(_load_unanswered(item) for item in document.get("unanswered") or ()),
        )
        _ = cassette.start
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise BadRecording(f"{path} is damaged: an entry lacks or misstates {error}. {_AGAIN}") from error
    return cassette


def _dump(item: Interaction, bodies: dict[str | bytes, Json]) -> Json:
    answer = _text_or_bytes(item.answer.body)
    kept = {key: value for key, value in item.request_headers.items() if key.lower() in _KEPT_REQUEST_HEADERS}
    shown = {
        key: [value]
        for key, value in item.answer.headers.items()
        if key.lower() not in _DROPPED_ANSWER_HEADERS
    }
    return {
        "request": {
            "method": item.method,
            "uri": item.url,
            "body": _text_or_bytes(item.request_body) if item.request_body else None,
            "headers": {key: [kept[key]] for key in sorted(kept)},
        },
        "response": {
            "status": {"code": item.answer.status, "message": _phrase(item.answer.status)},
            "headers": dict(sorted(shown.items())),
            "body": bodies.setdefault(answer, {"string": answer}),
        },
        "opsleuth": {
            "account": item.account,
            "region": item.region,
            "service": item.service,
            "operation": item.operation,
            "parameters": item.parameters,
            "protocol": item.answer.protocol,
            "recorded_at": item.recorded_at.isoformat(),
        },
    }


def _load(item: Any) -> Interaction:
    ours, request, response = item["opsleuth"], item["request"], item["response"]
    return Interaction(
        account=str(ours["account"]),
        region=str(ours["region"]),
        service=str(ours["service"]),
        operation=str(ours["operation"]),
        parameters=dict(ours["parameters"]),
        recorded_at=datetime.fromisoformat(str(ours["recorded_at"])),
        method=str(request["method"]),
        url=str(request["uri"]),
        request_headers=_first(request["headers"]),
        request_body=_bytes(request["body"]),
        answer=WireAnswer(
            status=int(response["status"]["code"]),
            headers=_first(response["headers"]),
            body=_bytes(response["body"]["string"]),
            protocol=str(ours["protocol"]),
        ),
    )


def _dump_unanswered(item: Unanswered) -> Json:
    gap = item.gap
    return {
        "account": item.account,
        "region": item.region,
        "service": item.service,
        "operation": item.operation,
        "parameters": item.parameters,
        "gap": {
            "what": gap.what,
            "why": gap.why,
            "would_show": gap.would_show,
            "lift": gap.lift,
            "code": gap.code,
        },
    }


def _load_unanswered(item: Any) -> Unanswered:
    return Unanswered(
        account=str(item["account"]),
        region=str(item["region"]),
        service=str(item["service"]),
        operation=str(item["operation"]),
        parameters=dict(item["parameters"]),
        gap=_gap(item["gap"]),
    )


def _gap(item: Mapping[str, str]) -> Gap:
    return Gap(
        what=str(item["what"]),
        why=str(item["why"]),
        would_show=str(item["would_show"]),
        lift=str(item["lift"]),
        code=str(item["code"]),
    )


def _first(headers: Mapping[str, Sequence[str] | str]) -> dict[str, str]:
    return {key: value if isinstance(value, str) else str(value[0]) for key, value in headers.items()}


def _text_or_bytes(body: bytes) -> str | bytes:
    try:
        return body.decode()
    except UnicodeDecodeError:
        return body


def _bytes(body: str | bytes | None) -> bytes:
    if body is None:
        return b""
    return body if isinstance(body, bytes) else body.encode()


def _phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return ""


def _dumper() -> Any:
    """PyYAML's quick dumper; texts of several lines (XML) are written as blocks, to make diffs readable."""
    base: Any = getattr(yaml, "CSafeDumper", yaml.SafeDumper)

    class Dumper(base):  # type: ignore[misc]
        pass

    def represent(dumper: Any, text: str) -> Any:
        block = "\n" in text and text.isprintable() is False and "\r" not in text
        return dumper.represent_scalar("tag:yaml.org,2002:str", text, style="|" if block else None)

    Dumper.add_representer(str, represent)
    return Dumper
