"""A tiny account for tests: answers by operation, checked against botocore's models both ways."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache
from typing import Any, cast

from botocore.session import get_session
from botocore.validate import ParamValidator

from tools.aws import Aws, Reader
from tools.budget import Budget, Limits
from tools.errors import Denied, NotThere
from tools.evidence import MemoryStore
from tools.models import Gap, Json
from tools.spaces import Space, way_in

Answer = Json | Callable[[Json], Json | None]


@dataclass
class FakeAws:
    """Stands where `Aws` stands. An operation without an answer says that the thing does not exist."""

    answers: Mapping[tuple[str, str], Answer]
    denied: frozenset[str] = frozenset()
    region: str = "eu-west-1"
    account: str = "111122223333"
    as_of: datetime = datetime(2026, 3, 13, 17, 41, tzinfo=UTC)
    budget: Budget = field(default_factory=lambda: Budget(Limits()))
    store: MemoryStore = field(default_factory=MemoryStore)
    asked: list[tuple[str, str]] = field(default_factory=list)
    others: Mapping[str, FakeAws] = field(default_factory=dict)  # accounts that may be looked into

    @property
    def own_account(self) -> str:
        return self.account

    def at(self, account: str = "", region: str = "") -> FakeAws:
        if not account.isdigit() or account == self.account:
            return self
        way_in({one: Space(account=one) for one in self.others}, account, region)
        return self.others[account]

    def ask(self, service: str, operation: str, region: str, parameters: Json) -> Json:
        self.asked.append((service, operation))
        self.budget.take_call(f"{service}:{operation}")
        model = _model(service).operation_model(operation)
        _check(parameters, model.input_shape)
        if f"{service}:{operation}" in self.denied:
            raise Denied(
                Gap(what=f"{service}:{operation}", why="no permission", code="AccessDenied"), "AccessDenied"
            )
        answer = self.answers.get((service, operation))
        found = answer(parameters) if callable(answer) else answer
        if found is None:
            raise NotThere(
                Gap(what=f"{service}:{operation}", why="it does not exist", code="NotThere"), "NotFound"
            )
        _check(found, model.output_shape)
        return dict(found)

    def reader(self) -> Reader:
        return Reader(cast(Aws, self), "T")


@cache
def _model(service: str) -> Any:
    return get_session().get_service_model(service)


def _check(value: Json, shape: Any) -> None:
    if shape is not None:
        report = ParamValidator().validate(value, shape)
        assert not report.has_errors(), report.generate_report()
