"""What goes in and out over REST, with examples for the OpenAPI document."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, field_validator, model_validator

from api.options import known
from api.records import Investigation, Status
from graph import Trigger
from graph.models import Verdict
from graph.words import zone
from tools import arn as arns
from tools.budget import Limits
from tools.errors import BadInput

START_EXAMPLES = {
    "alarm": {
        "summary": "A CloudWatch alarm of an AWS account",
        "value": {
            "trigger": {"alarm": "orders-writes-throttled"},
            "context": {"profile": "prod-orders", "region": "ap-northeast-1", "tz": "Asia/Tokyo"},
        },
    },
    "words": {
        "summary": "What is wrong, in words",
        "value": {"trigger": {"text": "orders fails since 2 am"}, "context": {"region": "eu-west-1"}},
    },
    "resource": {
        "summary": "A resource, as of a moment",
        "value": {
            "trigger": {"resource": "arn:aws:sqs:eu-west-1:111122223333:jobs"},
            "context": {
                "role_arn": "arn:aws:iam::111122223333:role/opsleuth",
                "as_of": "2026-03-13T17:41:00Z",
            },
        },
    },
    "recording": {
        "summary": "A recording: no account, no network",
        "value": {
            "trigger": {"alarm": "orders-writes-throttled"},
            "context": {"source": "recording:evals/incidents/dynamodb-max-write/recording.yaml"},
        },
    },
}


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", str_strip_whitespace=True)


class TriggerIn(_Strict):
    """What starts an investigation: exactly one of the three."""

    alarm: str = Field("", max_length=1024, description="Name or ARN of a CloudWatch alarm")
    resource: str = Field("", max_length=2048, description="ARN of a resource that misbehaves")
    text: str = Field("", max_length=4000, description="What is wrong, in words; English or Japanese")

    @field_validator("resource")
    @classmethod
    def _is_arn(cls, value: str) -> str:
        return _checked(known, value)

    @model_validator(mode="after")
    def _exactly_one(self) -> TriggerIn:
        given = [name for name in ("alarm", "resource", "text") if getattr(self, name)]
        if len(given) != 1:
            told = f"got {' and '.join(given)}" if given else "got none"
            raise ValueError(f"Give exactly one of alarm, resource and text; {told}")
        return self

    def trigger(self) -> Trigger:
        return Trigger(alarm=self.alarm, resource=self.resource, text=self.text)


class ContextIn(_Strict):
    """Where to look, as whom, how far. Everything has a default."""

    source: str = Field(
        "live",
        max_length=4096,
        description="live; recording:PATH on the server's machine, or the name of one in its data folder; "
        "world:CASE?seed=N, a simulated account (needs the extra `evals`)",
    )
    region: str = Field("", pattern=r"^([a-z]{2,}(-[a-z]+)+-\d+)?$", description="Empty takes the profile's")
    profile: str = Field("", max_length=256, description="AWS profile; empty takes the default credentials")
    role_arn: str = Field("", max_length=2048, description="Role to assume for reading")
    spaces: tuple[str, ...] = Field(
        (),
        max_length=64,
        description="Names of spaces.toml that may be looked into as well; empty: all of them",
    )
    as_of: AwareDatetime | None = Field(None, description="Look as of this moment; empty: now")
    model: str = Field("none", max_length=256, description="Model id; none: no model, no model cost")
    tz: str = Field("UTC", max_length=64, description="Zone in which words and printed times are meant")
    max_calls: int = Field(Limits().calls, ge=1, le=100_000, description="Most AWS calls")
    max_seconds: float = Field(
        Limits().seconds, gt=0, le=86_400, description="Most seconds of reading, waits left out"
    )
    wait: bool = Field(
        True, description="Wait for CloudTrail and look again while the verdict is provisional"
    )
    interactive: bool = Field(True, description="Wait for an answer when several resources fit; false: fail")

    @field_validator("tz")
    @classmethod
    def _is_zone(cls, value: str) -> str:
        return _checked(zone, value)

    @field_validator("role_arn")
    @classmethod
    def _is_role(cls, value: str) -> str:
        if value and not (
            arns.is_arn(value) and (arns.parse(value).service, arns.parse(value).type) == ("iam", "role")
        ):
            raise ValueError("A role's ARN looks like arn:aws:iam::111122223333:role/opsleuth")
        return value


class Start(_Strict):
    """The body of POST /investigations."""

    trigger: TriggerIn
    context: ContextIn = Field(default_factory=ContextIn)


class AnswerIn(_Strict):
    """The body of POST /investigations/{id}/answer."""

    answer: str = Field(min_length=1, max_length=4096, description="One of the question's choices")


class QuestionOut(BaseModel):
    """What the investigation waits for."""

    text: str
    choices: list[str]


class ErrorOut(BaseModel):
    """Why there is no answer."""

    kind: str
    detail: str = Field(description="A sentence that says what to do")


class Links(BaseModel):
    """Where to go from here."""

    self: str
    timeline: str
    report: str


class InvestigationOut(BaseModel):
    """One investigation as it stands."""

    id: str
    status: Status = Field(description="queued, running, waiting (for an answer), done or failed")
    position: int | None = Field(description="Place in the queue, from 1; null unless queued")
    revision: int = Field(description="Newest revision of the report; 0 while there is none")
    verdict: Verdict | None = Field(description="The newest revision's; null while there is none")
    report: str = Field(
        description="The report's own id, as `opsleuth check` takes it; empty while there is none"
    )
    question: QuestionOut | None = Field(description="With status waiting: POST the answer to /answer")
    error: ErrorOut | None = Field(description="With status failed")
    trigger: Trigger
    context: ContextIn
    created: datetime
    updated: datetime
    links: Links

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "id": "8c1f0a94d27e4b63",
                    "status": "running",
                    "position": None,
                    "revision": 0,
                    "verdict": None,
                    "report": "",
                    "question": None,
                    "error": None,
                    "trigger": {"alarm": "orders-writes-throttled", "resource": "", "text": ""},
                    "context": {"source": "live", "profile": "prod-orders", "region": "ap-northeast-1"},
                    "created": "2026-03-13T17:41:02Z",
                    "updated": "2026-03-13T17:41:03Z",
                    "links": {
                        "self": "/investigations/8c1f0a94d27e4b63",
                        "timeline": "/investigations/8c1f0a94d27e4b63/timeline",
                        "report": "/investigations/8c1f0a94d27e4b63/report",
                    },
                }
            ]
        }
    )

    @staticmethod
    def of(found: Investigation) -> InvestigationOut:
        waits = found.status == "waiting" and found.question is not None
        here = f"/investigations/{found.id}"
        fields = set(ContextIn.model_fields) - {"spaces"}
        names = tuple(one.name or one.account for one in found.context.spaces)
        return InvestigationOut(
            id=found.id,
            status=found.status,
            position=found.position,
            revision=found.revision,
            verdict=found.verdict or None,
            report=found.report,
            question=QuestionOut(text=found.question.text, choices=list(found.question.choices))
            if waits and found.question
            else None,
            error=ErrorOut(kind=found.error.kind, detail=found.error.detail) if found.error else None,
            trigger=found.trigger,
            context=ContextIn.model_validate({**found.context.model_dump(include=fields), "spaces": names}),
            created=found.created,
            updated=found.updated,
            links=Links(self=here, timeline=f"{here}/timeline", report=f"{here}/report"),
        )


class Page(BaseModel):
    """Investigations, newest first."""

    items: list[InvestigationOut]
    next: str | None = Field(description="Send it as `cursor` for older ones; null at the end")


class Health(BaseModel):
    """The process lives and its store answers."""

    status: Literal["ok"] = "ok"
    store: Literal["ok"] = "ok"
    versions: dict[str, str]
    investigations: dict[Status, int] = Field(description="How many of each status")


def _checked(parse: Callable[[str], object], value: str) -> str:
    """`value` if it is empty or `parse` takes it."""
    if value:
        try:
            parse(value)
        except BadInput as error:
            raise ValueError(str(error)) from error
    return value
