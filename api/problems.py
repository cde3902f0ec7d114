"""Errors as application/problem+json (RFC 9457). `detail` is a sentence that says what to do; no trace gets out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field
from starlette.exceptions import HTTPException
from starlette.responses import Response

from api.faults import told
from api.records import KeyReused
from tools.errors import BadInput, OpsleuthError

MEDIA_TYPE = "application/problem+json"


class Fault(BaseModel):
    """One thing that is wrong with a request."""

    where: str = Field(description="Path to the field, e.g. trigger.alarm")
    what: str


class Body(BaseModel):
    """The body of every error."""

    model_config = ConfigDict(title="Problem")

    type: str = Field(description="urn:opsleuth:problem:KIND")
    title: str
    status: int
    detail: str = Field(description="A sentence that says what to do")
    instance: str = Field(description="The path that was asked for")
    errors: list[Fault] = Field(default_factory=list, description="With 422: what is wrong, field by field")


class Problem(Exception):
    """Raise it in a route; the caller gets it as a problem."""

    def __init__(
        self,
        *,
        status: int,
        kind: str,
        title: str,
        detail: str,
        errors: tuple[Fault, ...] = (),
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.kind = kind
        self.title = title
        self.detail = detail
        self.errors = errors
        self.headers = headers


class NothingMore(Exception):
    """The follower has seen everything: 204 tells an EventSource not to connect again."""


def answer(problem: Problem, path: str) -> Response:
    body = Body(
        type=f"urn:opsleuth:problem:{problem.kind}",
        title=problem.title,
        status=problem.status,
        detail=problem.detail,
        instance=path,
        errors=list(problem.errors),
    )
    shown = body.model_dump(exclude=None if problem.errors else {"errors"})
    return JSONResponse(shown, problem.status, headers=problem.headers, media_type=MEDIA_TYPE)


def invalid(detail: str, *errors: Fault) -> Problem:
    return Problem(
        status=422, kind="invalid", title="The request is not understood", detail=detail, errors=errors
    )


def unknown(id: str) -> Problem:
    detail = f"There is no investigation {id!r}. GET /investigations lists them, newest first."
    return Problem(status=404, kind="unknown", title="No such investigation", detail=detail)


def conflict(kind: str, title: str, detail: str, headers: Mapping[str, str] | None = None) -> Problem:
    return Problem(status=409, kind=kind, title=title, detail=detail, headers=headers)


def documented(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """The OpenAPI entries of these errors; 403 and 422 may come from every route."""
    told = {
        403: "Not from this machine",
        404: "No such investigation",
        409: "Not in this state",
        422: "The request is not understood",
        503: "The store cannot be used",
    }
    schema = {"$ref": "#/components/schemas/Problem"}
    return {
        status: {"description": told[status], "content": {MEDIA_TYPE: {"schema": schema}}}
        for status in sorted({403, 422, *statuses})
    }


def install(app: FastAPI) -> None:
    """Let every error of `app` leave as a problem."""
    app.add_exception_handler(Problem, _problem)
    app.add_exception_handler(NothingMore, _nothing_more)
    app.add_exception_handler(RequestValidationError, _validation)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(OpsleuthError, _opsleuth)
    app.add_exception_handler(Exception, _defect)
    described = app.openapi

    def with_problems() -> dict[str, Any]:
        document = described()
        schema = Body.model_json_schema(ref_template="#/components/schemas/{model}")
        document["components"]["schemas"] |= {**schema.pop("$defs"), "Problem": schema}
        return document

    app.openapi = with_problems  # type: ignore[method-assign]


async def _problem(request: Request, error: Exception) -> Response:
    assert isinstance(error, Problem)
    return answer(error, request.url.path)


async def _nothing_more(request: Request, error: Exception) -> Response:
    return Response(status_code=204)


async def _validation(request: Request, error: Exception) -> Response:
    """Says where and what, never what was sent: it may hold a secret."""
    assert isinstance(error, RequestValidationError)
    faults = [_fault(item) for item in error.errors()]
    said = " ".join(f"{fault.where}: {fault.what}." for fault in faults[:3])
    kind = request.headers.get("content-type", "")
    if request.method == "POST" and "json" not in kind and any(one.where == "body" for one in faults):
        said = f"{said} Send the body as JSON, with the header Content-Type: application/json."
    detail = f"{said} GET /openapi.json describes the request and has examples."
    return answer(invalid(detail, *faults), request.url.path)


def _fault(item: Mapping[str, Any]) -> Fault:
    where = [str(part) for part in item["loc"] if part != "body"]
    if item["type"] == "json_invalid":
        where = []  # the place is a count of characters
    return Fault(where=".".join(where) or "body", what=told(item))


async def _http(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    path = request.url.path
    told = {
        404: (
            "no-such-path",
            "No such path",
            f"There is nothing at {path}. GET /openapi.json lists what is.",
        ),
        405: ("method", "Wrong method", f"{path} does not know {request.method}; see the Allow header."),
    }
    fallback = ("http", "The request cannot be served", str(error.detail))
    kind, title, detail = told.get(error.status_code, fallback)
    return answer(
        Problem(status=error.status_code, kind=kind, title=title, detail=detail, headers=error.headers), path
    )


async def _opsleuth(request: Request, error: Exception) -> Response:
    if isinstance(error, KeyReused):
        problem = Problem(status=422, kind="key-reused", title="Idempotency-Key reused", detail=str(error))
    elif isinstance(error, BadInput):
        problem = invalid(str(error))
    else:
        problem = Problem(status=503, kind="unavailable", title="Not available", detail=str(error))
    return answer(problem, request.url.path)


async def _defect(request: Request, error: Exception) -> Response:
    detail = (
        f"A defect in opsleuth: {type(error).__name__}. The log of opsleuth serve says where it happened."
    )
    return answer(Problem(status=500, kind="defect", title="Defect", detail=detail), request.url.path)
