"""What a run needs to know besides the incident: plain data, so that Studio and REST can send it."""

from __future__ import annotations

from datetime import datetime

from pydantic import BaseModel, ConfigDict, Field

from tools.budget import Limits
from tools.spaces import Space as Way


class Space(BaseModel):
    """Another account that the run may look into, as whom, and its regions."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    account: str = Field(pattern=r"^\d{12}$", description="Account id")
    name: str = Field("", description="What its owner calls it")
    role_arn: str = Field("", description="Role to take there")
    profile: str = Field(
        "", description="AWS profile from which the role is taken, or that is of the account"
    )
    regions: tuple[str, ...] = Field((), description="Regions to look at; none: all of them")

    def way(self) -> Way:
        return Way(**self.model_dump())


class Context(BaseModel):
    """Where to look, as whom, how far, and with which model. Every field has a default."""

    model_config = ConfigDict(extra="forbid")

    source: str = Field(
        "live",
        description="live, recording:NAME-OR-PATH, or a scheme registered elsewhere, e.g. world:CASE?seed=1",
    )
    region: str = Field("", description="AWS region; empty takes the profile's")
    profile: str = Field("", description="AWS profile; empty takes the default credentials")
    role_arn: str = Field("", description="Role to assume for reading")
    spaces: tuple[Space, ...] = Field((), description="Other accounts that may be looked into")
    as_of: datetime | None = Field(None, description="Look as of this moment (aware); empty: now")
    model: str = Field(
        "none", description="Model id, e.g. bedrock:global.anthropic.claude-sonnet-5-5; none: no model"
    )
    tz: str = Field("UTC", description="Zone in which words and printed times are meant")
    max_calls: int = Field(Limits().calls, ge=1, description="Most AWS calls")
    max_seconds: float = Field(
        Limits().seconds, gt=0, description="Most seconds of reading, waits for CloudTrail left out"
    )
    max_bytes: int = Field(Limits().bytes, ge=1, description="Most bytes of AWS answers")
    max_tokens: int = Field(200_000, ge=0, description="Most model tokens")
    wait: bool = Field(
        True, description="Wait for CloudTrail and look again while the verdict is provisional"
    )
    max_wait_minutes: int = Field(95, ge=0, description="Longest wait in all")
    interactive: bool = Field(False, description="Ask when several resources fit the words")
    record_to: str = Field("", description="Write a recording of all answers to this file")
    data_dir: str = Field("", description="Where evidence is kept; empty: in memory")
