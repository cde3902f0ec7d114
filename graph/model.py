"""The only language-model client. With model "none", the default, nothing is asked.

A model reads and words; it never adds a fact. Any failure of it (error, refusal, malformed or over-long answer, spent
budget) is a `Failed`, which its node tells and goes on without.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import partial
from importlib.util import find_spec
from typing import Any, TypeVar

from pydantic import BaseModel

import prompts
from graph.desk import Desk
from graph.words import say
from tools.errors import BadInput, OpsleuthError, WriteRefused
from tools.models import Json
from tools.redact import redact

T = TypeVar("T")
B = TypeVar("B", bound=BaseModel)
NONE = "none"
_MOST_ANSWER = 2000
_EXAMPLE = "bedrock:global.anthropic.claude-sonnet-5-5"
_OWN_AWS = re.compile(r"bedrock|sagemaker")  # others would make AWS clients of their own, past the guard
_ENDED_WELL = ("end_turn", "stop_sequence", "stop", "max_tokens", "length", "malformed_model_output", "")


class Failed(OpsleuthError):
    """The model gave no answer that can be used."""


class Meter:
    """Tokens of this run's model: what is spent, and what is left."""

    def __init__(self, spent: int, most: int) -> None:
        self.spent, self._most = spent, most

    def take(self, *texts: str) -> None:
        """Raises Failed unless a question of these texts and a whole answer fit into what is left."""
        needed = sum(_estimate(text) for text in texts) + _MOST_ANSWER
        if self.spent + needed > self._most:
            raise Failed(say("its budget of {most} tokens does not cover the question", most=self._most))

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


def answer(work: Desk, schema: type[B], ours: str, data: str, meter: Meter) -> B:
    """One structured answer to what we say and the data behind it, repaired once. Raises Failed."""
    model = _at_the_edge(lambda: chat_model(work))
    structured = _at_the_edge(
        lambda: model.with_structured_output(schema, method="json_schema", include_raw=True)
    )
    messages: list[Any] = [("system", ours), ("human", data)]
    for _ in range(2):
        meter.take(*(str(getattr(one, "content", one)) for one in messages))
        given: Json = _at_the_edge(partial(structured.invoke, messages))
        raw = given.get("raw")
        meter.add(raw)
        parsed = given.get("parsed")
        if isinstance(parsed, schema):
            return parsed
        reason = _stop_reason(getattr(raw, "response_metadata", None) or {})
        if reason not in _ENDED_WELL:
            raise Failed(say("it stopped with {reason}", reason=reason))
        if not getattr(raw, "content", None):
            break  # an empty turn cannot be sent back
        messages = [*messages, raw, ("human", prompts.render("repair")[0])]
    raise Failed(say("its answer does not fit the schema, asked twice"))


def _stop_reason(metadata: Mapping[str, Any]) -> str:
    return str(
        metadata.get("stopReason") or metadata.get("finish_reason") or metadata.get("stop_reason") or ""
    )


def _at_the_edge(call: Callable[[], T]) -> T:
    """What `call` gives. A provider may raise anything, and none of it may end the run: it becomes Failed."""
    try:
        return call()
    except WriteRefused:  # a defect of ours, not the model's
        raise
    except Exception as error:
        words = str(error).strip().split("\n", 1)[0][:200]
        raise Failed(redact(f"{type(error).__name__}: {words}")) from error


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
