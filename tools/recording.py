"""Transports that reach AWS, that record what was said, and that replay it.

A recording is keyed on account, region, service, operation and canonical parameters, never on wire bytes:
models of botocore change protocols between releases. Equal questions keep their answers in order. Past the
last one the answer repeats when all of them said the same (throttles and server faults left out), else the
question counts as not recorded: a replay never guesses which of several answers is meant.
"""

from __future__ import annotations

import os
import threading
from collections import defaultdict
from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

import botocore
from botocore.awsrequest import AWSRequest
from botocore.httpsession import URLLib3Session
from botocore.utils import get_environ_proxies

from tools.cassette import Cassette, Interaction, Unanswered, read, write
from tools.errors import BadRecording, NotRecorded
from tools.evidence import canonical, plain
from tools.models import Gap, Json
from tools.protocols import CannotRecode, recoded
from tools.redact import redact
from tools.scrub import kept
from tools.transport import Transport, WireAnswer, WireRequest

Scrub = Callable[[str], str]
Key = tuple[str, str, str, str, str]
_SECONDS = 60  # until the first byte of an answer
_SLOW = {"bedrock-runtime": 300}  # a model may think for minutes


class LiveTransport:
    """Sends to AWS over HTTPS. Proxies and certificate bundles come from the usual environment variables."""

    virtual = False

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._sessions: dict[int, URLLib3Session] = {}

    def start(self) -> datetime | None:
        return None

    def send(self, request: WireRequest) -> WireAnswer:
        """The answer. Network faults are botocore's own exceptions; `tools.aws` turns them into gaps."""
        prepared = AWSRequest(
            method=request.method, url=request.url, headers=dict(request.headers), data=request.body
        ).prepare()
        seconds = _SLOW.get(request.service, _SECONDS)
        response = self._open(request.url, seconds).send(prepared)
        return WireAnswer(
            status=response.status_code,
            headers={str(key): str(value) for key, value in response.headers.items()},
            body=response.content,
            protocol=request.protocol,
        )

    def close(self) -> None:
        with self._lock:
            sessions, self._sessions = list(self._sessions.values()), {}
        for session in sessions:
            session.close()

    def _open(self, url: str, seconds: int) -> URLLib3Session:
        with self._lock:
            if seconds not in self._sessions:
                # The typing stubs are narrower than the class: a path and a pair are fine.
                options: dict[str, Any] = {
                    "verify": os.environ.get("AWS_CA_BUNDLE") or os.environ.get("REQUESTS_CA_BUNDLE") or True,
                    "proxies": get_environ_proxies(url),
                    "timeout": (5, seconds),
                    "max_pool_connections": 32,
                }
                self._sessions[seconds] = URLLib3Session(**options)
            return self._sessions[seconds]


class RecordingTransport:
    """Asks `upstream` (AWS when None) and writes all answers to `path` at `close`. Safe for threads.

    `context` goes into the header of the file (start, account, region, what was asked). `scrub` takes
    secrets out of parameters and bodies before anything is compared or written; a player must be given the
    same one.
    """

    def __init__(
        self,
        upstream: Transport | None,
        path: Path,
        *,
        context: Mapping[str, Any] | None = None,
        scrub: Scrub = redact,
    ) -> None:
        self._upstream: Transport = upstream if upstream is not None else LiveTransport()
        self._path = path
        self._context = dict(context or {})
        self._scrub = scrub
        self._lock = threading.Lock()
        self._kept: list[Interaction] = []
        self._unanswered: dict[Key, Unanswered] = {}
        self._starts: list[datetime] = []
        self.virtual = self._upstream.virtual

    @property
    def region(self) -> str:
        """The region that the upstream belongs to, or ""."""
        return str(getattr(self._upstream, "region", "") or "")

    @property
    def accounts(self) -> tuple[str, ...]:
        """The other accounts for which the upstream has answers."""
        return tuple(getattr(self._upstream, "accounts", ()))

    def start(self) -> datetime | None:
        return self._upstream.start()

    def send(self, request: WireRequest) -> WireAnswer:
        """The upstream's answer. Credentials are passed on and never kept."""
        parameters = plain(request.parameters, self._scrub)
        try:
            answer = self._upstream.send(request)
        except NotRecorded as refusal:
            self._note_unanswered(request, parameters, refusal.gap)
            raise
        if request.service == "sts" and request.operation != "GetCallerIdentity":
            return answer
        with self._lock:
            self._starts.append(request.as_of)
            self._kept.append(
                Interaction(
                    account=self._scrub(request.account),
                    region=request.region,
                    service=request.service,
                    operation=request.operation,
                    parameters=parameters,
                    recorded_at=request.now,
                    method=request.method,
                    url=self._scrub(request.url),
                    request_headers=request.headers,
                    request_body=scrub_bytes(request.body, self._scrub),
                    answer=WireAnswer(
                        status=answer.status,
                        headers=answer.headers,
                        body=scrub_bytes(answer.body, self._scrub),
                        protocol=answer.protocol,
                    ),
                )
            )
        return answer

    def close(self) -> None:
        """Write the file, unless nothing was answered, and close the upstream. A second call does nothing."""
        with self._lock:
            kept, self._kept = self._kept, []
            unanswered, self._unanswered = list(self._unanswered.values()), {}
        if kept:
            write(self._path, self._cassette(kept, unanswered))
        self._upstream.close()

    def _note_unanswered(self, request: WireRequest, parameters: Json, gap: Gap) -> None:
        with self._lock:
            self._unanswered.setdefault(
                _key(request, parameters, request.account),
                Unanswered(
                    account=self._scrub(request.account),
                    region=request.region,
                    service=request.service,
                    operation=request.operation,
                    parameters=parameters,
                    gap=gap,
                ),
            )

    def _cassette(self, kept: list[Interaction], unanswered: list[Unanswered]) -> Cassette:
        start = self._upstream.start() or min(self._starts)
        known = (item.account for item in kept if item.account)
        header = {
            "start": start.isoformat(),
            "account": next(known, ""),
            "region": self.region or kept[0].region,
            "botocore": botocore.__version__,
            **self._context,
        }
        # By question, not by time: two recordings of the same run then differ in few lines.
        kept.sort(
            key=lambda item: (
                item.service,
                item.operation,
                item.region,
                canonical(item.parameters),
                item.account,
            )
        )
        unanswered.sort(
            key=lambda item: (item.service, item.operation, item.region, canonical(item.parameters))
        )
        return Cassette(header=header, interactions=tuple(kept), unanswered=tuple(unanswered))


class Player:
    """Answers from a recording, in virtual time. Safe for threads.

    `resumed_at`: the moment on the run's clock at which a run goes on; equal questions recorded before it
    count as asked. `scrub`: what the recorder was given. By default secrets are masked and, when the originals
    of the recording are kept on this machine, real names in questions replaced as they were in the recording.
    Raises BadRecording when the file cannot be used.
    """

    virtual = True

    def __init__(self, path: Path, resumed_at: datetime | None = None, *, scrub: Scrub | None = None) -> None:
        cassette = read(path)
        self._path = path
        self._scrub: Scrub = scrub or kept(path) or redact
        self._lock = threading.Lock()
        self.header = cassette.header
        self._start = cassette.start
        self._account = str(cassette.header.get("account", ""))
        self._answers: dict[Key, list[Interaction]] = defaultdict(list)
        self._used: dict[Key, int] = defaultdict(int)
        for item in cassette.interactions:
            key = _key(item, item.parameters, item.account or self._account)
            self._answers[key].append(item)
            if resumed_at is not None and item.recorded_at < resumed_at:
                self._used[key] += 1
        self._gaps = {
            _key(item, item.parameters, item.account or self._account): item.gap
            for item in cassette.unanswered
        }

    @property
    def region(self) -> str:
        """The region that the recorded run looked at."""
        return str(self.header.get("region", ""))

    @property
    def accounts(self) -> tuple[str, ...]:
        """The other accounts that the recorded run looked into."""
        return tuple(sorted({key[0] for key in self._answers} - {"", self._account}))

    def start(self) -> datetime | None:
        return self._start

    def send(self, request: WireRequest) -> WireAnswer:
        """The recorded answer, in the protocol of the request.

        Raises NotRecorded, or BadRecording when it was recorded in a protocol that it cannot be taken from.
        """
        account = self._scrub(request.account) if request.account else self._account
        key = _key(request, plain(request.parameters, self._scrub), account)
        with self._lock:
            answers = self._answers.get(key, [])
            turn = self._used[key]
            self._used[key] += 1
        if turn < len(answers):
            answer = answers[turn].answer
        elif answers and _alike(answers):
            answer = _lasting(answers)[-1]
        else:
            raise NotRecorded(self._gap(key, len(answers)), "NotRecorded")
        try:
            return recoded(answer, request.service, request.operation, request.protocol)
        except CannotRecode as error:
            call = f"{request.service}:{request.operation}"
            raise BadRecording(
                f"{self._path} holds {call} in the {answer.protocol} protocol; the botocore installed here "
                f"speaks {request.protocol}, and the answer cannot be taken over ({error}). Install botocore "
                f"{self.header.get('botocore', 'of that time')}, or re-record: record again with: opsleuth record"
            ) from error

    def close(self) -> None:
        pass

    def _gap(self, key: Key, answers: int) -> Gap:
        if key in self._gaps:
            return self._gaps[key]
        _, region, service, operation, _ = key
        others = sum(1 for other in self._answers if other[1:4] == key[1:4] and other != key)
        if answers:
            why = f"The recording holds {answers} different answers to this question, all given already."
        elif others:
            why = f"The recording holds {service}:{operation} in {region}, but of other questions than this one."
        else:
            why = f"The recording holds no answer of {service}:{operation} in {region}."
        return Gap(
            what=f"{service}:{operation}",
            why=why,
            lift="A recording answers only what was asked when it was made. To ask anew: opsleuth record",
            code="NotRecorded",
        )


def scrub_bytes(body: bytes, scrub: Scrub) -> bytes:
    """A body without secrets; one that is no text is kept as it is."""
    try:
        return scrub(body.decode()).encode()
    except UnicodeDecodeError:
        return body


def _key(item: WireRequest | Interaction | Unanswered, parameters: Json, account: str) -> Key:
    return account, item.region, item.service, item.operation, canonical(parameters)


def _lasting(answers: list[Interaction]) -> list[WireAnswer]:
    """Answers without throttles and server faults; all of them when there is nothing else."""
    return [item.answer for item in answers if not _passing(item.answer)] or [item.answer for item in answers]


def _alike(answers: list[Interaction]) -> bool:
    return len({(answer.status, answer.body) for answer in _lasting(answers)}) == 1


def _passing(answer: WireAnswer) -> bool:
    slow = answer.status >= 400 and any(
        word in answer.body for word in (b"Throttl", b"Rate exceeded", b"TooManyRequests")
    )
    return slow or answer.status >= 500 or answer.status == 429
