"""The only language-model client. With model "none", the default, nothing is asked.

A model reads and words; it never adds a fact. What it says of log patterns is kept apart as unverified, and what names
something that the lines do not hold is left out. Any failure of it (error, refusal, malformed or over-long answer,
spent budget) leaves the run as it is without one.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from importlib.util import find_spec
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict

import prompts
from graph.desk import Desk
from graph.moments import plain
from graph.words import say
from tools.errors import BadInput, OpsleuthError, WriteRefused
from tools.models import Json, LogPattern, Statement
from tools.redact import redact

T = TypeVar("T")
NONE = "none"
_MOST_PATTERNS, _MOST_LINE, _MOST_SENTENCE, _MOST_ANSWER = 20, 400, 300, 2000
_EXAMPLE = "bedrock:global.anthropic.claude-sonnet-5-5"
_OWN_AWS = re.compile(r"bedrock|sagemaker")  # others would make AWS clients of their own, past the guard
_ENDED_WELL = ("end_turn", "stop_sequence", "stop", "max_tokens", "length", "malformed_model_output", "")
_TELLING = re.compile(r"[\w./:@-]*\d[\w./:@-]*|\w*[a-z][A-Z]\w*|[A-Z]{2,}\w*|\w+(?:[-_./:@]\w+)+")
_ORDER = re.compile(
    r"\b(?:call|run|execute|invoke|use|try) \W?[A-Z]\w*[a-z][A-Z]|\b(?:fix|solution|remedy|answer) is\b"
    r"|\b(?:[Pp]lease|[Yy]ou (?:should|must|need|can)|[Ii]gnore (?:all|any|previous|the)|[Rr]ecommend\w*)\b"
)
_NOT_PROSE = re.compile(r"://|[`<>{}|\\$]|\baws [a-z0-9-]+ [a-z-]+")


# Lengths are checked afterwards: Bedrock refuses schemas with maxLength or maxItems (structured output, user guide).


class Note(BaseModel):
    """One sentence about one pattern."""

    model_config = ConfigDict(extra="forbid")

    pattern: str
    sentence: str


class Reading(BaseModel):
    """What a model made of patterns that no signature knows."""

    model_config = ConfigDict(extra="forbid")

    notes: list[Note]


class _Failed(OpsleuthError):
    """The model gave no answer that can be used."""


class _Meter:
    """Tokens of this run's model: what is spent, and what is left."""

    def __init__(self, spent: int, most: int) -> None:
        self.spent, self._most = spent, most

    def take(self, *texts: str) -> None:
        """Raises _Failed unless a question of these texts and a whole answer fit into what is left."""
        needed = sum(_estimate(text) for text in texts) + _MOST_ANSWER
        if self.spent + needed > self._most:
            raise _Failed(say("its budget of {most} tokens does not cover the question", most=self._most))

    def add(self, answer: Any) -> None:
        self.spent += int((getattr(answer, "usage_metadata", None) or {}).get("total_tokens", 0))


def _estimate(text: str) -> int:
    """Tokens of a text, rather too many: a third of its ASCII letters, and each other letter."""
    ascii_letters = sum(letter.isascii() for letter in text)
    return ascii_letters // 3 + len(text) - ascii_letters


def check(model: str) -> None:
    """Raises BadInput with what to write when `model` cannot be one. Nothing is asked and nothing is sent."""
    if model == NONE:
        return
    provider, colon, name = model.partition(":")
    if not colon or not provider or not name or model != model.strip() or re.search(r"\s", model):
        raise BadInput(
            say(
                '"{model}" is not a model id. Write PROVIDER:MODEL, such as {example}, or none.',
                model=model,
                example=_EXAMPLE,
            )
        )
    if provider == "bedrock":
        _need("langchain_aws", "langchain-aws", provider)
        _bedrock_name(name)
        return
    if _OWN_AWS.search(model):
        raise BadInput(say("Models at AWS are written bedrock:MODEL, such as {example}.", example=_EXAMPLE))
    _other(model)


def read_patterns(work: Desk, patterns: Sequence[LogPattern], before: Json | None = None) -> Json | None:
    """Ask the configured model about unknown patterns that it has not read yet.

    None without a model; else tokens spent and notes so far, `before` (an earlier look's reading) included. Whatever
    the model does, nothing but this and a sentence in the timeline comes of it.
    """
    if work.context.model == NONE:
        return None
    reading: Json = {"tokens": 0, "notes": [], "read": [], **(before or {})}
    new = [item for item in patterns if item.key not in reading["read"]][:_MOST_PATTERNS]
    if not new:
        return reading
    meter = _Meter(reading["tokens"], work.context.max_tokens)
    try:
        answer = _ask(work, new, meter)
    except _Failed as failure:
        work.tell("gap", "The model gave no usable answer: {why}. The run goes on without it.", why=failure)
        return {**reading, "tokens": meter.spent}
    notes, refused = _checked(answer, new)
    work.tell(
        "observation",
        "The model read {count} unknown log patterns. Of its sentences {said} are kept as unverified; {refused} name "
        "what the lines do not hold and are left out.",
        count=len(new), said=len(notes), refused=refused,
        evidence=tuple(dict.fromkeys(one for note in notes for one in note["evidence"])),
    )  # fmt: skip
    return {
        "tokens": meter.spent,
        "notes": [*reading["notes"], *notes],
        "read": [*reading["read"], *(item.key for item in new)],
    }


def unverified(reading: Json | None) -> tuple[Statement, ...]:
    """What a report says of a reading: the model's own words, marked as such, and the lines that they are about."""
    return tuple(
        Statement(
            text=say("A model reads in the logs: {sentence}", sentence=note["sentence"]),
            evidence=tuple(note["evidence"]),
        )
        for note in (reading or {}).get("notes", ())
    )


def _checked(answer: Reading, asked: Sequence[LogPattern]) -> tuple[list[Json], int]:
    """The notes that name only what the line that they are about holds, and how many do not."""
    lines = {_key(number): item for number, item in enumerate(asked, 1)}
    notes: dict[str, Json] = {}
    refused = 0
    for note in answer.notes:
        item = lines.get(note.pattern.strip())
        sentence = " ".join("".join(c if c.isprintable() else " " for c in plain(note.sentence)).split())
        if item is None or note.pattern in notes or not sentence or not _holds(item, sentence):
            refused += 1
        else:
            notes[note.pattern] = {"sentence": sentence, "evidence": list(item.evidence)}
    return list(notes.values()), refused


def _holds(item: LogPattern, sentence: str) -> bool:
    """True when the sentence tells, orders nothing, and each number, name and ARN in it stands in the line."""
    line = f"{_shown(item)} {item.error_code} {item.reason}".casefold()
    told = (word.strip(".:/-@").casefold() for word in _TELLING.findall(sentence))
    if len(sentence) > _MOST_SENTENCE or _NOT_PROSE.search(sentence) or _ORDER.search(sentence):
        return False
    return all(_stands(word, line) for word in told)


def _stands(word: str, line: str) -> bool:
    return re.search(rf"(?<![a-z0-9]){re.escape(word)}(?![a-z0-9])", line) is not None


def _key(number: int) -> str:
    return f"P{number}"


def _shown(item: LogPattern) -> str:
    """The pattern's sample on one line, without secrets."""
    return " ".join(redact(item.sample).split())[:_MOST_LINE]


def _ask(work: Desk, patterns: Sequence[LogPattern], meter: _Meter) -> Reading:
    lines = "\n".join(f"{_key(number)}: {_shown(item)}" for number, item in enumerate(patterns, 1))
    # No line can hold a hash of all lines, so none can close the fence; and a replay asks the same again.
    fence = hashlib.sha256(lines.encode()).hexdigest()[:16]
    ours, data = prompts.render("logs", fence=fence, patterns=lines)
    model = _at_the_edge(lambda: chat_model(work))
    return _answer(model, [("system", ours), ("human", data)], meter)


def _answer(model: Any, messages: list[Any], meter: _Meter) -> Reading:
    """One structured answer, repaired once. Raises _Failed."""
    structured = _at_the_edge(
        lambda: model.with_structured_output(Reading, method="json_schema", include_raw=True)
    )
    for _ in range(2):
        meter.take(*(str(getattr(one, "content", one)) for one in messages))
        answer: Json = _at_the_edge(partial(structured.invoke, messages))
        raw = answer.get("raw")
        meter.add(raw)
        parsed = answer.get("parsed")
        if isinstance(parsed, Reading):
            return parsed
        reason = _stop_reason(getattr(raw, "response_metadata", None) or {})
        if reason not in _ENDED_WELL:
            raise _Failed(say("it stopped with {reason}", reason=reason))
        if not getattr(raw, "content", None):
            break  # an empty turn cannot be sent back
        messages = [*messages, raw, ("human", prompts.render("repair")[0])]
    raise _Failed(say("its answer does not fit the schema, asked twice"))


def _stop_reason(metadata: Mapping[str, Any]) -> str:
    return str(
        metadata.get("stopReason") or metadata.get("finish_reason") or metadata.get("stop_reason") or ""
    )


def _at_the_edge(call: Callable[[], T]) -> T:
    """What `call` gives. A provider may raise anything, and none of it may end the run: it becomes _Failed."""
    try:
        return call()
    except WriteRefused:  # a defect of ours, not the model's
        raise
    except Exception as error:
        words = str(error).strip().split("\n", 1)[0][:200]
        raise _Failed(redact(f"{type(error).__name__}: {words}")) from error


def chat_model(work: Desk) -> Any:
    """The model that the context names: `bedrock:ID` on the run's guarded client, else any LangChain provider.

    Raises BadInput. Nothing is sent.
    """
    check(work.context.model)
    provider, _, name = work.context.model.partition(":")
    return _bedrock(work, name) if provider == "bedrock" else _other(work.context.model)


def _bedrock(work: Desk, name: str) -> Any:
    from langchain_aws import ChatBedrockConverse
    from langchain_aws.utils import parse_model_provider

    id, base = _bedrock_name(name)
    return ChatBedrockConverse(
        model_id=id,
        provider=parse_model_provider((base or id).rpartition("/")[2]),
        client=work.aws.client("bedrock-runtime"),
        # Left out, it would make a client of its own, with keys and endpoints from the environment.
        bedrock_client=work.aws.client("bedrock"),
        max_tokens=_MOST_ANSWER,
        **({"base_model_id": base} if base else {}),
    )


def _bedrock_name(name: str) -> tuple[str, str]:
    """Model id or ARN, and the base model behind an ARN that does not tell it (written ARN=BASE)."""
    id, _, base = name.partition("=")
    if not re.search(r"(?:^|/)(?:[a-z-]+\.)?[a-z0-9-]+\.[\w.:-]+$", base or id):
        raise BadInput(
            say(
                '"{name}" is not a Bedrock model id. Write one as in the Bedrock console, such as {example}; '
                "behind the ARN of an application inference profile, name its base model: bedrock:ARN=MODEL.",
                name=name,
                example=_EXAMPLE,
            )
        )
    return id, base


def _other(model: str) -> Any:
    """A model of another provider. Raises BadInput with what is missing: package, key, or the provider itself."""
    _need("langchain", "langchain", "models")
    from langchain.chat_models import init_chat_model

    provider, _, name = model.partition(":")
    try:
        # The provider is given apart: LangChain would else guess one, Amazon with a client of its own among them.
        return init_chat_model(
            name, model_provider=provider, max_tokens=_MOST_ANSWER, timeout=120, max_retries=1
        )
    except ImportError as error:
        package = re.search(r"pip install -U ([\w-]+)", str(error))
        wanted = package.group(1) if package else f"langchain-{provider.replace('_', '-')}"
        raise BadInput(
            say('"{model}" needs one more package. Run: pip install {wanted}', model=model, wanted=wanted)
        ) from error
    except Exception as error:  # a provider may raise anything for a missing key or an unknown name
        why = redact(str(error).strip().split("\n", 1)[0][:200])
        raise BadInput(
            say(
                '"{model}" is not a usable model: {why}. Write PROVIDER:MODEL, such as {example}, or none.',
                model=model,
                why=why.rstrip("."),
                example=_EXAMPLE,
            )
        ) from error


def _need(module: str, package: str, what: str) -> None:
    if find_spec(module) is None:
        raise BadInput(
            say("{what} needs one more package. Run: pip install {package}", what=what, package=package)
        )
