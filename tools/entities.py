"""What one log line names: level, error code, reason, operation, ARNs, hosts, status, durations. Pure.

Shapes read: texts of the AWS SDKs for Python, Java, JavaScript and Go, Lambda runtimes and platform
lines, JSON logs, logfmt, and the common servers. A code or reason is always a literal part of the line,
so that it can be searched for.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

MOST_TEXT = 16_000
_MOST_NAMES = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Entities:
    """What a line says. `message` is its text without wrapping JSON; empty strings mean "not said"."""

    message: str
    level: str = ""  # upper case: ERROR, WARN, INFO, ...
    code: str = ""  # ThrottlingException, KeyError, Task timed out, ECONNREFUSED
    reason: str = ""  # TableWriteMaxOnDemandThroughputExceeded, "no identity-based policy"
    operations: tuple[str, ...] = ()  # PutItem
    arns: tuple[str, ...] = ()
    hosts: tuple[str, ...] = ()
    names: tuple[str, ...] = ()  # tables, queues, functions, ... named by a key
    status: int | None = None  # HTTP
    durations: tuple[str, ...] = ()  # as written: "3.07 seconds", "30014ms"
    exit_code: int | None = None  # of a process
    limits: tuple[str, ...] = ()  # numbers said to be a limit, as written: "150", "262144 bytes"

    @property
    def is_error(self) -> bool:
        """Whether the line tells of something that went wrong."""
        bad = self.level in ("ERROR", "FATAL", "CRITICAL", "SEVERE", "PANIC")
        said = bool(self.code or self.reason) or (self.status or 0) >= 500
        return bad or said or _WRONG.search(self.message) is not None


_ARN = re.compile(r"arn:aws[a-z-]*:[a-z0-9-]+:[a-z0-9-]*:(?:\d{12}|aws)?:[A-Za-z0-9_./:$*+=@-]+")
_CODE = r"[A-Za-z][A-Za-z0-9_.$]*"
_CODES = tuple(
    re.compile(pattern)
    for pattern in (
        # botocore: An error occurred (ThrottlingException) when calling the PutItem operation
        rf"[Aa]n error occurred \(({_CODE})\) when calling",
        r"Error Code: ([A-Za-z][\w.]*)",  # Java SDK 1
        r"api error ([A-Za-z][\w.]*)",  # Go SDK 2
        r"__type['\"]?\s*[:=]\s*['\"]?(?:[\w.]*#)?([A-Za-z][\w.]*)",  # raw JSON protocol
        r"['\"]?\b(?:errorCode|error_code|errorType|error_type|exceptionType)['\"]?\s*[:=]\s*['\"]?([A-Za-z][\w.]*)",
        r"\b(Runtime\.[A-Z]\w+)",
        r"\b((?:[\w$]+\.)*[A-Z]\w*(?:Exception|Error|Fault|Throttled))\b(?!\w|\.[a-z])",
        r"\b(Task timed out)\b",
        r"\b(signal: killed)\b",
        r"\b(E(?:CONNREFUSED|CONNRESET|TIMEDOUT|HOSTUNREACH|PIPE|AI_AGAIN)|ENOTFOUND|ENOSPC)\b",
        r"\b(x509: [a-z ]+|certificate has expired)\b",
        r"\b((?:States|Lambda)\.[A-Z]\w+)",  # Step Functions
        r"\b(upstream timed out|[Cc]onnection refused|[Cc]onnection timed out|[Tt]oo many connections)\b",
        r"\b(No space left on device|password authentication failed|Rate [Ee]xceeded|Too Many Requests)\b",
        r"\b(OOM command not allowed|Out of memory|remaining connection slots are reserved)\b",
        r"\b(Execution failed due to configuration error|Endpoint request timed out)\b",
    )
)
_VAGUE = {
    "Error",
    "Exception",
    "ClientError",
    "RuntimeError",
    "BotoCoreError",
    "RuntimeException",
    "ServiceError",
}
_REASONS = tuple(
    re.compile(pattern)
    for pattern in (
        r"['\"]?\b[Rr]eason['\"]?\s*[:=]\s*['\"]?([A-Z][a-z]+(?:[A-Z][A-Za-z]*)+)\b",
        r"\b([A-Z][a-z]+(?:[A-Z][a-z]*){2,}Exceeded)\b",
        r"\b(explicit deny in an? [a-z-]+(?: [a-z-]+)*? policy|explicit deny in a permissions boundary)\b",
        r"because (no [A-Za-z-]+(?: [a-z-]+)*? (?:policy|boundary)) allows",
        r"(Invalid permissions on Lambda function|Malformed Lambda proxy response)",
    )
)
_OPERATIONS = tuple(
    re.compile(pattern)
    for pattern in (
        r"when calling the (\w+) operation",
        r"operation error [\w ]+: (\w+)",
        r"not authorized to perform: [a-z0-9-]+:(\w+)",
        r"\b(?:operation|operationName|eventName)(?:=|['\"]\s*:\s*['\"])([A-Z][A-Za-z]+)\b",
    )
)
_HOSTS = tuple(
    re.compile(pattern)
    for pattern in (
        r"\bhttps?://([A-Za-z0-9.-]+\.[A-Za-z]{2,})",
        r"\bupstream: [\"']?\w+://(\d{1,3}(?:\.\d{1,3}){3})",  # nginx names whom it called by address
        r"\b(?:ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ETIMEDOUT) ([A-Za-z0-9.-]+\.[A-Za-z]{2,})",
        r"\b([a-z0-9-]+(?:\.[a-z0-9-]+)*\.amazonaws\.com(?:\.cn)?)\b",
        r"\bhost[\"']?\s*[:=]\s*[\"']?([A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)*\.[A-Za-z]{2,})",
    )
)
_NAMED = re.compile(
    r"[\"']?\b(?:table|tableName|table_name|queue|queueName|queueUrl|functionName|function_name|topic|topicName|"
    r"bucket|bucketName|streamName|stateMachine)[\"']?\s*[:=]\s*[\"']?([A-Za-z0-9][\w./:-]{1,254})",
    re.IGNORECASE,
)
_STATUS = re.compile(r"(?:\b[Ss]tatus ?[Cc]ode|['\"]?\bstatus(?:_code)?)['\"]?\s*[:=]\s*['\"]?([1-5]\d\d)\b")
_DURATION = re.compile(r"\b\d+(?:\.\d+)? ?(?:ms|milliseconds|seconds|minutes)\b|\b\d+(?:\.\d+)?s\b")
_EXIT = re.compile(
    r"\bexit(?:ed)?(?: with)?(?: (?:status|code))*['\"]?\s*[:=]?\s*['\"]?(\d{1,3})\b(?![.:\d])"
    r"|\b(?:exit|return)[_ ]?code['\"]?\s*[:=]?\s*['\"]?(\d{1,3})\b"
    r"|\bstatus=(\d{1,3})/",  # systemd: status=137/n/a
    re.IGNORECASE,
)
_LIMIT = re.compile(
    r"\b(?:limit|maximum|max|quota|threshold|max_[a-z_]+|max[A-Z]\w+)(?: (?:of|size|is|allowed))*"
    r"['\"]?\s*[:=(]?\s*['\"]?(\d+(?:,\d{3})*(?:\.\d+)?"
    r" ?(?:[KMGT]i?B|[kKMGT]B|bytes|MB|ms|seconds|connections|requests|%)?)(?![\w.])"
)
_WORDS = "fatal|critical|severe|panic|error|warn(?:ing)?|info|debug|trace"
# Lower case counts only where it cannot be part of a sentence: level=error, [error].
_LEVEL = re.compile(rf"(?:\blevel=|\bseverity=|\[)((?i:{_WORDS}))\b|\b({_WORDS.upper()})\b")
_WRONG = re.compile(
    r"\b(?:failed|failure|exceed(?:s|ed)|denied|refused|unable to|cannot|crash(?:ed)?)\b", re.IGNORECASE
)
_LEVEL_KEYS = ("level", "severity", "levelname", "log_level", "logLevel")
_MESSAGE_KEYS = (
    "message",
    "msg",
    "errorMessage",
    "error_message",
    "error",
    "exception",
    "err",
    "cause",
    "reason",
)


def read(text: str) -> Entities:
    """What the line says."""
    text = text[:MOST_TEXT].strip()
    data = _as_json(text)
    message = _message_of(data) if data is not None else text
    level = _level(text, data)
    return Entities(
        message=message or text,
        level=level,
        code=_code(text),
        reason=next(_all(_REASONS, text), ""),
        operations=_unique(_all(_OPERATIONS, text)),
        arns=_unique(arns(text)),
        hosts=_unique(_named_hosts(text)),
        names=_unique(_names(text)),
        status=next((int(match) for match in _STATUS.findall(text)), None),
        durations=_unique(_DURATION.findall(text)),
        exit_code=next((int("".join(match)) for match in _EXIT.findall(text)), None),
        limits=_unique(match.strip() for match in _LIMIT.findall(text)),
    )


def named(text: str) -> tuple[str, ...]:
    """ARNs, names and hosts of a line: what two lines may differ in that are alike in all but digits."""
    text = text[:MOST_TEXT].strip()
    return _unique((*arns(text), *_names(text), *_named_hosts(text)))


def arns(text: str) -> Iterator[str]:
    """The ARNs of a line, as often as they stand there."""
    return (match.rstrip(".:,*") for match in _ARN.findall(text))


def _names(text: str) -> Iterator[str]:
    return (match.rstrip(".:,") for match in _NAMED.findall(text))


def _named_hosts(text: str) -> Iterator[str]:
    """Hosts, but not those of links to documentation, which many messages of AWS end with."""
    for host in _all(_HOSTS, text):
        if not host.lower().startswith("docs."):
            yield host.lower().rstrip(".")


def _unique(found: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(one for one in found if one))[:_MOST_NAMES]


def _all(patterns: Iterable[re.Pattern[str]], text: str) -> Iterator[str]:
    for pattern in patterns:
        yield from pattern.findall(text)


def _code(text: str) -> str:
    """The most telling code: what AWS says before the exception that wraps it, exact before vague."""
    vague = ""
    for found in _all(_CODES, text):
        short = found if " " in found or found.startswith("Runtime.") else found.rsplit(".", 1)[-1]
        if short not in _VAGUE:
            return short
        vague = vague or short
    return vague


def _as_json(text: str) -> dict[str, Any] | None:
    """The JSON object that the line is, or that follows a prefix such as Lambda's time and request id."""
    start = text.find("{")
    if start < 0 or not text.endswith("}") or start > 200:
        return None
    try:
        data = json.loads(text[start:])
    except (json.JSONDecodeError, RecursionError):
        return None
    return data if isinstance(data, dict) and len(data) > 1 else None


def _message_of(data: dict[str, Any]) -> str:
    """Level and message of a JSON line; its keys and values when no key is known to hold a message."""
    said = [str(data[key]) for key in _LEVEL_KEYS if isinstance(data.get(key), str)][:1]
    for key in ("errorType", "error_type", "exceptionType"):
        said += [f"{data[key]}:"] if isinstance(data.get(key), str) else []
    told = []
    for key in _MESSAGE_KEYS:
        value = data.get(key)
        if isinstance(value, dict):
            told.append(_message_of(value))
        elif isinstance(value, str) and value:
            told.append(value)
    if told:
        return " ".join(said + list(dict.fromkeys(told)))
    return " ".join(f"{key}={json.dumps(value, sort_keys=True)}" for key, value in sorted(data.items()))


def _level(text: str, data: dict[str, Any] | None) -> str:
    for key in _LEVEL_KEYS:
        if data and isinstance(data.get(key), str):
            return _one_level(data[key])
    found = _LEVEL.search(text[:300])
    return _one_level(found.group(1) or found.group(2)) if found else ""


def _one_level(word: str) -> str:
    return "WARN" if word.upper() == "WARNING" else word.upper()
