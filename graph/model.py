"""The only language-model client. With model "none", the default, nothing is asked.

A model reads and words; it never adds a fact. What it says of log patterns is kept apart as unverified, and any failure
of it (error, refusal, malformed or over-long answer, spent budget) leaves the run as it is without one.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

import prompts
from graph.desk import Desk
from tools.errors import BadInput, OpsleuthError
from tools.models import Json, LogPattern
from tools.redact import redact

_MOST_PATTERNS = 20
_MOST_LINE = 400


class Note(BaseModel):
    """One sentence about one pattern."""

    model_config = ConfigDict(extra="forbid")

    pattern: str = Field(max_length=64)
    sentence: str = Field(max_length=300)


class Reading(BaseModel):
    """What a model made of patterns that no signature knows."""

    model_config = ConfigDict(extra="forbid")

    notes: list[Note] = Field(max_length=_MOST_PATTERNS)


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A parsed answer and what it cost."""

    reading: Reading
    tokens: int


def read_patterns(work: Desk, patterns: Sequence[LogPattern]) -> Json | None:
    """Ask the configured model about unknown patterns; None without a model, without patterns, or when it fails."""
    if work.context.model == "none" or not patterns:
        return None
    known = {item.key: item for item in patterns[:_MOST_PATTERNS]}
    try:
        asked = _ask(work, known)
    except (OpsleuthError, ValidationError, ValueError) as failure:
        work.tell(
            "gap", "The model gave no usable answer ({why}); the run goes on without it.", why=_short(failure)
        )
        return None
    if asked is None:
        return None
    notes = [note for note in asked.reading.notes if note.pattern in known]
    for note in notes:
        evidence = known[note.pattern].evidence
        work.tell(
            "observation",
            "The model reads: {sentence} (unverified)",
            sentence=note.sentence,
            evidence=evidence,
        )
    return {
        "tokens": asked.tokens,
        "notes": [{"sentence": n.sentence, "evidence": list(known[n.pattern].evidence)} for n in notes],
    }


def _ask(work: Desk, known: dict[str, LogPattern]) -> Asked | None:
    model = chat_model(work)
    fence = secrets.token_hex(8)  # the lines cannot know it, so they cannot close the fence
    lines = [f"{key}: {redact(item.sample)[:_MOST_LINE]}" for key, item in known.items()]
    prompt = prompts.render("logs", symptom="see the patterns", fence=fence, patterns="\n".join(lines))
    if len(prompt) // 3 > work.context.max_tokens:
        work.tell("gap", "The model's token budget does not cover this question; the run goes on without it.")
        return None
    answer = _call(model, prompt)
    parsed = answer.get("parsed")
    if not isinstance(parsed, Reading):
        raise ValueError("its answer does not fit the schema")
    usage = getattr(answer.get("raw"), "usage_metadata", None) or {}
    return Asked(reading=parsed, tokens=int(usage.get("total_tokens", 0)))


def _call(model: Any, prompt: str) -> Json:
    """One structured call, repaired once. Errors of any provider become ValueError here, at the process edge."""
    structured = model.with_structured_output(Reading, method="json_schema", include_raw=True)
    failure = "it did not answer"
    for _ in range(2):
        try:
            answer: Json = structured.invoke(prompt)
        except OpsleuthError:
            raise
        except Exception as error:  # a provider may raise anything; none of it may end the run
            failure = f"{type(error).__name__}: {error}"
            continue
        if answer.get("parsed") is not None:
            return answer
        failure = f"its answer does not fit the schema ({answer.get('parsing_error')})"
    raise ValueError(failure)


def chat_model(work: Desk) -> Any:
    """The model that the context names: `bedrock:ID` on the run's guarded client, else any LangChain provider."""
    provider, _, name = work.context.model.partition(":")
    if provider == "bedrock":
        from langchain_aws import ChatBedrockConverse

        return ChatBedrockConverse(
            model_id=name,
            client=work.aws.client("bedrock-runtime"),
            region_name=work.aws.region,
            max_tokens=2000,
        )
    from langchain.chat_models import init_chat_model

    try:
        return init_chat_model(work.context.model)
    except (ImportError, ValueError) as error:
        raise BadInput(f'"{work.context.model}" is not a usable model: {error}') from error


def _short(failure: Exception) -> str:
    return str(failure).split("\n", 1)[0][:160]
