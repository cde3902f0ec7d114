"""The REST trigger: start an investigation, follow it, read its report. From this machine only."""

from __future__ import annotations

import secrets
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import AsyncIterator
from contextlib import aclosing
from importlib.metadata import PackageNotFoundError, version
from typing import Annotated, Any, Literal, cast

from fastapi import Body, Depends, FastAPI, Header, Query, Request, Response
from fastapi.responses import PlainTextResponse
from fastapi.routing import APIRouter
from fastapi.sse import EventSourceResponse, ServerSentEvent

from api import problems
from api.loopback import LoopbackOnly
from api.options import place
from api.problems import Fault, NothingMore, conflict, documented, invalid, unknown
from api.records import Investigation, Status
from api.schemas import START_EXAMPLES, AnswerIn, Health, InvestigationOut, Page, Start
from api.service import Service
from api.sources import resolved
from api.spaces import around
from graph import Context, Report
from graph.models import Verdict
from graph.words import zone
from tools.aws import region_of
from tools.errors import BadInput, NoCredentials
from tools.evidence import digest

NEWEST = "latest"
_SHOWN_VERSIONS = ("opsleuth", "langgraph", "fastapi", "boto3")
router = APIRouter()


def create(service: Service) -> FastAPI:
    """The app over an open service."""
    app = FastAPI(
        title="opsleuth",
        summary="Investigates incidents on AWS, reads only.",
        version=_version("opsleuth"),
        docs_url=None,  # their pages load scripts from elsewhere
        redoc_url=None,
    )
    app.state.service = service
    app.include_router(router)
    problems.install(app)
    app.add_middleware(LoopbackOnly)
    return app


def _service(request: Request) -> Service:
    return cast("Service", request.app.state.service)


Given = Annotated[Service, Depends(_service)]


async def _named(id: str, service: Given) -> Investigation:
    """The investigation of the path; `latest` is the one that was started last."""
    found = await (service.store.newest() if id == NEWEST else service.store.get(id))
    if found is None:
        raise unknown(id)
    return found


Named = Annotated[Investigation, Depends(_named)]


@router.post(
    "/investigations",
    status_code=202,
    summary="Start an investigation",
    responses={202: {"headers": {"Location": {"schema": {"type": "string"}}}}, **documented(503)},
)
async def start(
    service: Given,
    response: Response,
    body: Annotated[Start, Body(openapi_examples=cast(Any, START_EXAMPLES))],
    idempotency_key: Annotated[
        str,
        Header(max_length=255, description="The same key and body again give the same investigation"),
    ] = "",
) -> InvestigationOut:
    """Queue it and answer at once. Follow /timeline; the report comes when the timeline says so."""
    trigger, context = body.trigger.trigger(), _context(body, service)
    asked = digest(body.model_dump_json())
    found, new = await service.store.add(secrets.token_hex(8), trigger, context, idempotency_key, asked)
    if new:
        await service.runner.submit(found.id)
        found = await service.store.get(found.id) or found
    response.headers["Location"] = f"/investigations/{found.id}"
    return InvestigationOut.of(found)


def _spaces(names: tuple[str, ...], service: Service) -> list[dict[str, object]]:
    try:
        return around(names, service.folder / "spaces.toml")
    except BadInput as error:
        raise invalid(str(error), Fault(where="context.spaces", what=str(error))) from error


def _context(body: Start, service: Service) -> Context:
    given = body.context
    try:
        source = resolved(given.source, service.folder)
    except BadInput as error:
        raise invalid(str(error), Fault(where="context.source", what=str(error))) from error
    if given.as_of is not None and source == "live" and given.as_of > service.clock.now():
        told = "as_of lies in the future. Leave it out to look as of now."
        raise invalid(told, Fault(where="context.as_of", what=told))
    region = place(given.region, body.trigger.alarm, body.trigger.resource)
    if source == "live" and not region:
        _check_region(given.profile)
    fields = given.model_dump() | {"source": source, "region": region, "data_dir": str(service.folder)}
    fields["spaces"] = _spaces(given.spaces, service) if source == "live" else []
    return Context.model_validate(fields)


def _check_region(profile: str) -> None:
    """Refuse a request at once when neither it nor the server's environment says where to look."""
    try:
        region_of(profile)
    except NoCredentials as error:
        raise invalid(str(error), Fault(where="context.profile", what=str(error))) from error
    except BadInput as error:
        told = 'No region is known. Name one in the request: "context": {"region": "eu-west-1"}'
        raise invalid(told, Fault(where="context.region", what=told)) from error


@router.get("/investigations", summary="List investigations, newest first", responses=documented(503))
async def index(
    service: Given,
    limit: Annotated[int, Query(ge=1, le=100)] = 20,
    cursor: Annotated[str, Query(description="`next` of the page before")] = "",
    status: Annotated[Status | None, Query()] = None,
    verdict: Annotated[Verdict | None, Query()] = None,
) -> Page:
    found = await service.store.page(limit + 1, _number(cursor), status or "", verdict or "")
    more = _cursor(found[limit - 1].number) if len(found) > limit else None
    return Page(items=[InvestigationOut.of(item) for item in found[:limit]], next=more)


def _cursor(number: int) -> str:
    return urlsafe_b64encode(str(number).encode()).decode().rstrip("=")


def _number(cursor: str) -> int | None:
    if not cursor:
        return None
    try:
        number = int(urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
    except ValueError:
        number = 0
    if not 0 < number < 2**63 or _cursor(number) != cursor:
        told = "This cursor is not from a page. Leave it out to begin with the newest."
        raise invalid(told, Fault(where="query.cursor", what=told))
    return number


@router.get("/investigations/{id}", summary="One investigation as it stands", responses=documented(404, 503))
async def show(found: Named) -> InvestigationOut:
    """`latest` in place of the id means the one that was started last, here and in the paths below."""
    return InvestigationOut.of(found)


@router.get(
    "/investigations/{id}/report",
    summary="The report, as JSON or Markdown",
    response_model=Report,
    responses={200: {"content": {"text/markdown": {}}}, **documented(404, 409, 503)},
)
async def report(
    service: Given,
    found: Named,
    format: Annotated[Literal["json", "md"], Query()] = "json",
    revision: Annotated[int | None, Query(ge=1, description="Default: the newest")] = None,
    tz: Annotated[str, Query(description="Zone of the times in Markdown. Default: the investigation's")] = "",
) -> Response:
    """409 while there is none yet. A provisional revision is served as soon as it exists."""
    made = await service.store.report(found.id, revision)
    if made is None:
        raise _no_report(found, revision)
    if format == "json":
        text = made.model_copy(update={"id": found.report}).model_dump_json(indent=2)
        return Response(text + "\n", media_type="application/json")
    from api.render.markdown import markdown
    from api.render.view import View

    place = tz or found.context.tz
    zone(place)
    view = View(tz=place, profile=found.context.profile, short=found.report)
    return PlainTextResponse(markdown(made, view), media_type="text/markdown")


def _no_report(found: Investigation, revision: int | None) -> problems.Problem:
    here = f"/investigations/{found.id}"
    if found.revision:
        told = (
            f"There is no revision {revision}; the newest is {found.revision}. Leave it out to get that one."
        )
        return problems.Problem(status=404, kind="unknown-revision", title="No such revision", detail=told)
    if found.status == "failed":
        why = found.error.detail if found.error else ""
        return conflict("failed", "It failed", f"There will be no report: {why}")
    if found.status == "waiting":
        told = f"It waits for an answer: GET {here} shows the question, POST {here}/answer answers it."
        return conflict("waiting", "No report yet", told)
    told = (
        f"It is {found.status} and has no report yet. Follow {here}/timeline, or ask again in a few seconds."
    )
    return conflict("no-report-yet", "No report yet", told, {"Retry-After": "5"})


async def _after(
    service: Given,
    found: Named,
    last_event_id: Annotated[str, Header(description="Go on after this event")] = "",
) -> int:
    """The sequence number to go on after. Nothing more to come: 204, so that an EventSource stops."""
    after = int(last_event_id) if last_event_id.isdecimal() and len(last_event_id) < 18 else 0
    if after and found.status in ("done", "failed") and not await service.store.entries(found.id, after, 1):
        raise NothingMore
    return after


@router.get(
    "/investigations/{id}/timeline",
    summary="The run's story as server-sent events",
    response_class=EventSourceResponse,
    responses={204: {"description": "Nothing comes after this Last-Event-ID"}, **documented(404, 503)},
)
async def timeline(
    service: Given, found: Named, after: Annotated[int, Depends(_after)]
) -> AsyncIterator[ServerSentEvent]:
    """Everything from the beginning, or after Last-Event-ID, each once and in order, then live.

    Events: `timeline` (one line of the story), `question`, `report` (a new revision is there), and last `done`.
    """
    async with aclosing(service.follow(found.id, after)) as entries:
        async for entry in entries:
            yield ServerSentEvent(raw_data=entry.data, event=entry.kind, id=str(entry.sequence))


@router.post(
    "/investigations/{id}/answer",
    status_code=202,
    summary="Answer the question that it waits for",
    responses=documented(404, 409, 503),
)
async def answer(service: Given, found: Named, body: AnswerIn) -> InvestigationOut:
    if found.status != "waiting" or found.question is None:
        raise conflict("not-waiting", "Nothing was asked", f"It is {found.status} and waits for no answer.")
    if body.answer not in found.question.choices:
        told = "Not one of the choices: " + ", ".join(found.question.choices)
        raise invalid(f"{told}.", Fault(where="answer", what=told))
    if not await service.store.answer(found.id, body.answer):
        raise conflict("not-waiting", "Nothing was asked", "Somebody answered it meanwhile.")
    await service.runner.submit(found.id)
    return InvestigationOut.of(await service.store.get(found.id) or found)


@router.post(
    "/investigations/{id}/cancel",
    status_code=202,
    summary="Stop it; it counts as failed",
    responses=documented(404, 409, 503),
)
async def cancel(service: Given, found: Named) -> InvestigationOut:
    if not await service.runner.cancel(found.id):
        raise conflict("ended", "It has ended", "It has ended already; there is nothing to cancel.")
    return InvestigationOut.of(await service.store.get(found.id) or found)


@router.get("/health", summary="Whether the process lives and its store answers", responses=documented(503))
async def health(service: Given) -> Health:
    counts = await service.store.counts()
    return Health(
        versions={name: _version(name) for name in _SHOWN_VERSIONS},
        investigations=cast("dict[Status, int]", counts),
    )


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "unknown (not installed)"
