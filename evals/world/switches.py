"""What can be made harder in a world."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict, Field


class Switches(BaseModel):
    """Conditions under which the account is read."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    deny: tuple[str, ...] = ()
    """IAM actions that the reading role lacks: "cloudtrail:LookupEvents"."""

    throttle: bool = True
    """Refuse LookupEvents beyond 2 per second of virtual time, as AWS does."""

    tracing: bool = False
    """Whether X-Ray has traces."""

    recorder: bool = False
    """Whether AWS Config records the account's resources."""

    health: bool = False
    """Whether the account has a support plan that opens the AWS Health API."""

    noise: int = Field(default=3000, ge=0, le=20_000)
    """How many CloudTrail events of the last 30 hours have nothing to do with the case."""

    decoys: int = Field(default=2, ge=0, le=50)
    """How many innocent changes other people make to the case's own resources shortly before and after the moment."""

    bystanders: int = Field(default=0, ge=0, le=500)
    """How many more unrelated functions with queues and tables of their own the account has."""

    shuffle: bool = False
    """Whether lists come in another order and in small pages, where AWS promises none."""

    refuse_every: int = Field(default=0, ge=0)
    """Every n-th request is throttled once; 0: none is."""

    delivery_minutes: Any = None
    """Minutes until CloudTrail delivers (a number or a draw); by seed 3 to 6 when not given."""
