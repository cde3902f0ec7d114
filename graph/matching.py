"""Words matched with alarm, resource, tag and host names found in scope. No model."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from tools.aws import Reader


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """Something that the words may mean. `target`: alarm name or resource ARN."""

    kind: Literal["alarm", "resource"]
    name: str
    target: str


def candidates(reader: Reader, text: str) -> Sequence[Candidate]:
    return ()
