"""A world as a `Transport`: requests in, AWS's wire format out."""

from __future__ import annotations

import threading
import zlib
from datetime import datetime

from evals.world import answers, answers_generic, permissions, places, wire
from evals.world.asking import HANDLERS, Ask, NotModelled, Refusal, Session
from evals.world.seed import Seed
from evals.world.world import World
from tools.evidence import canonical
from tools.transport import WireAnswer, WireRequest

_THROTTLED = {
    "ec2": "RequestLimitExceeded",
    "iam": "Throttling",
    "cloudwatch": "Throttling",
    "rds": "Throttling",
    "elbv2": "Throttling",
    "cloudformation": "Throttling",
    "lambda": "TooManyRequestsException",
    "apigateway": "TooManyRequestsException",
    "apigatewayv2": "TooManyRequestsException",
    "sqs": "RequestThrottled",
}


class WorldTransport:
    """Answers any read over a world's state. One per run: it holds the run's open queries and used quotas."""

    virtual = True

    def __init__(self, world: World) -> None:
        answers.load()
        self.world = world
        self._sessions: dict[str, Session] = {}  # by account
        self._seen: dict[tuple[str, str], World] = {}  # (account, region) -> what is shown there
        self._hurried: set[str] = set()
        self._lock = threading.Lock()

    @property
    def region(self) -> str:
        """Where a run looks that names no region."""
        return self.world.region

    @property
    def accounts(self) -> tuple[str, ...]:
        """The other accounts into which a run is let that names no spaces."""
        return tuple(one.account for one in self.world.neighbours.values() if one.known)

    def start(self) -> datetime | None:
        return self.world.start

    def close(self) -> None:
        self._sessions = {}

    def send(self, request: WireRequest) -> WireAnswer:
        """The answer as AWS would give it. What the world does not know is an error with code NotRecorded."""
        asked = canonical([request.region, request.service, request.operation, request.parameters])
        if request.account not in ("", self.world.account):
            asked = request.account + asked
        request_id = Seed(self.world.seed.number).uuid(f"request:{asked}")
        with self._lock:
            try:
                shown = self._shown(request)
                denial = permissions.denial(shown, request)
                if denial is not None:
                    raise denial
                self._hurry(request, asked)
                result = self._call(request, shown)
            except Refusal as refusal:
                if refusal.missed:
                    self._miss(request, refusal.message)
                return wire.error(request.protocol, refusal.code, refusal.message, refusal.status, request_id)
            except NotModelled as unknown:
                self._miss(request, str(unknown))
                said = f"This world holds no answer for {request.service}:{request.operation} ({unknown})."
                return wire.error(request.protocol, "NotRecorded", said, 400, request_id)
        return wire.answer(request.service, request.operation, request.protocol, result, request_id)

    def _shown(self, request: WireRequest) -> World:
        """The world as the account and the region of a request show it."""
        where = (request.account or self.world.account, request.region)
        if where not in self._seen:
            accounts = {self.world.account, *(one.account for one in self.world.neighbours.values())}
            if where[0] not in accounts:
                raise NotModelled(f"account {where[0]}")
            self._seen[where] = places.seen(self.world, *where)
        return self._seen[where]

    def _hurry(self, request: WireRequest, asked: str) -> None:
        """Throttle every n-th request once. By what is asked, not by order, so that threads change nothing."""
        every = self.world.switches.refuse_every
        if every and asked not in self._hurried and zlib.crc32(asked.encode()) % every == 0:
            self._hurried.add(asked)
            code = _THROTTLED.get(request.service, "ThrottlingException")
            raise Refusal(code, "Rate exceeded")

    def _miss(self, request: WireRequest, why: str) -> None:
        self.world.coverage_misses[f"{request.service}:{request.operation} {why}".strip()] += 1

    def _call(self, request: WireRequest, shown: World) -> dict[str, object]:
        handler = HANDLERS.get((request.service, request.operation))
        ask = Ask(
            world=shown,
            service=request.service,
            operation=request.operation,
            region=request.region,
            as_of=request.as_of,
            now=request.now,
            session=self._sessions.setdefault(shown.account, Session()),
            left=dict(request.parameters),
        )
        result = answers_generic.answer(ask) if handler is None else handler(ask)
        if ask.left:
            raise NotModelled(", ".join(sorted(ask.left)))
        return result
