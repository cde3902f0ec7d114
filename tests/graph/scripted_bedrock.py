"""A Transport that answers bedrock-runtime:Converse from a script, in AWS's wire format, and asks another for the rest.

It also puts lines of its own into the logs, so that there is something that no service file knows. Register it with
`graph.session.register("scripted", ...)`.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from tools.transport import Transport, WireAnswer, WireRequest

Reply = Callable[[dict[str, Any]], tuple[int, dict[str, Any]]]
"""The request's body in, status and body of the answer out."""


def says(text: str, *, stop: str = "end_turn", tokens: tuple[int, int] = (900, 60)) -> Reply:
    """An answer of one text (Bedrock API reference, Converse)."""

    def reply(_: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        content = [{"text": text}] if text else []
        usage = {"inputTokens": tokens[0], "outputTokens": tokens[1], "totalTokens": sum(tokens)}
        return 200, {
            "output": {"message": {"role": "assistant", "content": content}},
            "stopReason": stop,
            "usage": usage,
            "metrics": {"latencyMs": 400},
        }

    return reply


def notes(*found: tuple[str, str]) -> Reply:
    """A well-formed reading: (pattern key, sentence)."""
    return says(json.dumps({"notes": [{"pattern": key, "sentence": text} for key, text in found]}))


def fails(code: str, status: int, message: str = "no") -> Reply:
    return lambda _: (status, {"__type": code, "message": message})


@dataclass
class ScriptedBedrock:
    """`replies` in order; one more question than replies is a failed test, told by the last reply's absence."""

    inner: Transport
    replies: Sequence[Reply] = ()
    lines: Sequence[str] = ()
    asked: list[dict[str, Any]] = field(default_factory=list)
    services: set[str] = field(default_factory=set)
    virtual: bool = field(init=False)

    def __post_init__(self) -> None:
        self.virtual = self.inner.virtual

    @property
    def region(self) -> str:
        return str(getattr(self.inner, "region", ""))

    def start(self) -> datetime | None:
        return self.inner.start()

    def close(self) -> None:
        self.inner.close()

    def send(self, request: WireRequest) -> WireAnswer:
        self.services.add(request.service)
        if request.service == "bedrock-runtime":
            return self._converse(request)
        if request.service == "logs" and request.operation == "StartQuery" and self.lines:
            return _json(400, {"__type": "AccessDeniedException", "message": "use FilterLogEvents"}, request)
        answer = self.inner.send(request)
        if request.operation == "FilterLogEvents" and self.lines and answer.status == 200:
            return self._with_lines(request, answer)
        return answer

    def _converse(self, request: WireRequest) -> WireAnswer:
        assert request.operation == "Converse"
        assert request.protocol == "rest-json"
        self.asked.append({**json.loads(request.body), "url": request.url})
        assert len(self.asked) <= len(self.replies), (
            "the model was asked once more than the script has replies"
        )
        status, body = self.replies[len(self.asked) - 1](self.asked[-1])
        return _json(status, body, request)

    def _with_lines(self, request: WireRequest, answer: WireAnswer) -> WireAnswer:
        """The first page of a group's newest lines, with ours in front."""
        body = json.loads(answer.body)
        recent = int(request.as_of.timestamp() * 1000) - 6 * 60_000
        if "nextToken" not in request.parameters and int(request.parameters["endTime"]) > recent:
            for number, line in enumerate(self.lines):
                stamp = int(request.parameters["startTime"]) + number
                body["events"].append(
                    {
                        "eventId": f"{stamp:056}",
                        "ingestionTime": stamp + 900,
                        "logStreamName": "2026/03/13/[$LATEST]0f1e2d3c4b5a69788796a5b4c3d2e1f0",
                        "message": line,
                        "timestamp": stamp,
                    }
                )
            body["events"].sort(key=lambda event: event["timestamp"])
        return replace(answer, body=json.dumps(body).encode())


def _json(status: int, body: dict[str, Any], request: WireRequest) -> WireAnswer:
    headers = {"Content-Type": "application/json", "x-amzn-RequestId": "00000000-0000-4000-8000-000000000000"}
    if status != 200:
        headers["x-amzn-ErrorType"] = str(body["__type"])
    return WireAnswer(
        status=status, headers=headers, body=json.dumps(body).encode(), protocol=request.protocol
    )
