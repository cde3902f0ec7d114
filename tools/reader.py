"""One node's way to ask AWS: answers become evidence, refusals become gaps."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import TYPE_CHECKING, Any

from tools.errors import BudgetSpent, OpsleuthError, Refused
from tools.evidence import canonical, excerpt, plain
from tools.models import Evidence, Gap, Json
from tools.redact import redact

if TYPE_CHECKING:
    from tools.aws import Aws

# The end of a log stream is told by the token that was sent, given back (CloudWatch Logs API, GetLogEvents).
_ENDS_BY_REPEATING = {"GetLogEvents"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """A parsed answer without ResponseMetadata, and the id of the evidence made of it."""

    data: Json
    evidence: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Pages:
    """Items of a paged answer. `complete` is False when the page limit, or a token given twice, cut it.

    `origins`: for each item the evidence of its page.
    """

    items: tuple[Any, ...]
    evidence: tuple[str, ...]
    complete: bool
    origins: tuple[str, ...] = ()

    def of(self, index: int, page_size: int) -> str:
        """The evidence id of the page that holds item `index`, when pages are full but the last."""
        return self.evidence[min(index // page_size, len(self.evidence) - 1)]


@dataclass(slots=True)
class Reader:
    """Numbers its evidence `<letter><n>` in request order and keeps what it could not see. For one thread.

    `first` is the number of the node's next evidence, so that a second round goes on where the first ended.
    `patience`: where whole lists matter, at least so many pages are read, and a list still cut is a gap.
    """

    aws: Aws
    letter: str
    first: int = 1
    patience: int = 0
    skips: frozenset[tuple[str, str]] = frozenset()  # (service, operation) that need not be read
    as_of: datetime = field(init=False)
    evidence: list[Evidence] = field(default_factory=list)
    gaps: list[Gap] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.as_of = self.aws.as_of

    @property
    def region(self) -> str:
        return self.aws.region

    def at(self, account: str = "", region: str = "") -> Reader:
        """This reader in another account or region; evidence and gaps are kept together. Raises Refused."""
        aws = self.aws.at(account, region)
        if aws is self.aws:
            return self
        made = replace(self, aws=aws, evidence=self.evidence, gaps=self.gaps)
        made.as_of = self.as_of
        return made

    def ask(
        self, service: str, operation: str, /, *, region: str = "", account: str = "", **parameters: Any
    ) -> Answer:
        """One answer. Raises Refused; use it inside `seeing` where the run can go on without it."""
        if account not in ("", self.aws.account):
            return self.at(account, region).ask(service, operation, region=region, **parameters)
        place = region or self.aws.region
        data = self.aws.ask(service, operation, place, parameters)
        text = redact(canonical(data))
        self.aws.budget.add_bytes(len(text))
        evidence = self._note(service, operation, _shown(parameters), place, self.as_of, text)
        return Answer(data=data, evidence=evidence.id)

    def pages(
        self,
        service: str,
        operation: str,
        items: str,
        /,
        *,
        limit: int = 10,
        region: str = "",
        token: tuple[str, str] = ("NextToken", "NextToken"),
        **parameters: Any,
    ) -> Pages:
        """All items of up to `limit` pages. `token` names the token in the request and in the answer."""
        found: list[Any] = []
        evidence: list[str] = []
        origins: list[str] = []
        seen: set[str] = set()
        following: Any = None
        for _ in range(max(limit, self.patience)):
            more = {} if following is None else {token[0]: following}
            answer = self.ask(service, operation, region=region, **parameters, **more)
            evidence.append(answer.evidence)
            found.extend(answer.data.get(items) or [])
            origins.extend([answer.evidence] * (len(found) - len(origins)))
            following = answer.data.get(token[1])
            if not following:
                break
            if str(following) in seen:
                following = None if operation in _ENDS_BY_REPEATING else following
                break
            seen.add(str(following))
        if following and self.patience:
            why = f"The list is longer than the {len(found)} that were read."
            self.missing(f"Some of {service}:{operation}", why, "the others", code="TooMuch")
        return Pages(
            items=tuple(found), evidence=tuple(evidence), complete=not following, origins=tuple(origins)
        )

    def cite(self, answer: str, part: object, time: datetime | None = None) -> str:
        """Evidence of its own for one item of an earlier answer of this reader: its id."""
        base = next((item for item in self.evidence if item.id == answer), None)
        if base is None:
            raise OpsleuthError(
                f"{answer} is not evidence of reader {self.letter}, so no part of it can be cited."
            )
        text = redact(part if isinstance(part, str) else canonical(part))
        moment = time or base.time
        made = self._note(
            base.service, base.operation, base.parameters, base.region, moment, text, base.account
        )
        return made.id

    @contextmanager
    def seeing(self, what: str, would_show: str = "") -> Iterator[None]:
        """Go on without this view when AWS refuses it or the budget is spent; the gap is kept."""
        try:
            yield
        except Refused as refusal:
            gap = refusal.gap
            self.gaps.append(
                Gap(
                    what=what or gap.what,
                    why=gap.why,
                    would_show=would_show or gap.would_show,
                    lift=gap.lift,
                    statement=gap.statement,
                    code=gap.code,
                )
            )
        except BudgetSpent as spent:
            lift = "Run again with a larger budget."
            self.missing(what, str(spent), would_show, lift, "BudgetSpent")

    def missing(self, what: str, why: str, would_show: str = "", lift: str = "", code: str = "") -> None:
        """Note a gap that no refusal told."""
        self.gaps.append(Gap(what=what, why=why, would_show=would_show, lift=lift, code=code))

    def _note(
        self,
        service: str,
        operation: str,
        parameters: Json,
        region: str,
        time: datetime,
        text: str,
        account: str = "",
    ) -> Evidence:
        made = Evidence(
            id=f"{self.letter}{self.first + len(self.evidence)}",
            service=service,
            operation=operation,
            parameters=parameters,
            region=region,
            account=account or self.aws.account,
            time=time,
            sha256=self.aws.store.put(text),
            excerpt=excerpt(text),
        )
        self.evidence.append(made)
        return made


def _shown(parameters: Json) -> Json:
    return plain(parameters, redact)
