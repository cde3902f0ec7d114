"""How programs write their logs: which lines there are for a request, and what they say.

A voice writes kinds of lines: `before` each request, one of kind `body` when it went well, one of the reason's kind
when it did not (unless `silent`), `after` each request, and lines besides requests.
"""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from evals.world.flow import OWN, Flow
from evals.world.seed import mix
from evals.world.stamps import iso

if TYPE_CHECKING:
    from evals.world.lines import LogGroup, Mark
    from evals.world.world import Thing


class Voice(ABC):
    """A program that logs."""

    before: tuple[str, ...] = ()
    body: str = "info"
    after: tuple[str, ...] = ()
    beside_kinds: tuple[str, ...] = ()
    silent: frozenset[str] = frozenset()  # reasons that write no line of their own
    streams = 9

    def tells(self, reason: str) -> bool:
        return reason not in self.silent

    def beside(self, group: LogGroup, minute: int) -> Iterable[tuple[int, str]]:
        """Lines of a minute that belong to no request: (milliseconds into the minute, kind)."""
        return ()

    @abstractmethod
    def text(self, group: LogGroup, minute: int, mark: Mark) -> str:
        """The line that a mark of a minute stands for."""

    def stream(self, group: LogGroup, day: int, number: int) -> str:
        return f"{group.name.strip('/').replace('/', '-')}/{mix(group.salt, day, number):016x}"


@dataclass
class LambdaVoice(Voice):
    """A function of Python: START, its own lines, END, REPORT. Refused runs write nothing."""

    function: Thing
    flow: Flow
    stage: int
    wording: int = 0  # which of two code styles the function has
    own_error: str = ""
    warnings: int = 37  # of 10,000 requests, those that log a warning

    before = ("start",)
    after = ("end", "report")
    beside_kinds = ("warn",)

    def beside(self, group: LogGroup, minute: int) -> Iterable[tuple[int, str]]:
        requests = self.flow.minute(minute).seen(self.stage)
        warned = (requests * self.warnings + mix(group.salt, minute, 11) % 10_000) // 10_000
        return [(mix(group.salt, minute, step, 17) % 59_000, "warn") for step in range(warned)]

    def stream(self, group: LogGroup, day: int, number: int) -> str:
        date = datetime.fromtimestamp(day * 86_400, UTC).strftime("%Y/%m/%d")
        which = mix(group.salt, day, number)
        return f"{date}/[$LATEST]{which:016x}{mix(which):016x}"

    def text(self, group: LogGroup, minute: int, mark: Mark) -> str:
        rid = group.request_id(minute, mark.number)
        if mark.kind == "start":
            return f"START RequestId: {rid} Version: $LATEST"
        if mark.kind == "end":
            return f"END RequestId: {rid}"
        if mark.request is None:
            slow = 180 + mix(group.salt, minute, mark.number) % 400
            return f"[WARNING]\t{iso(mark.stamp)}\t{rid}\tslow response from address lookup: {slow} ms"
        if mark.kind == "report":
            return self._report(mark, rid)
        return self._body(group, minute, mark, rid)

    def _memory(self, stamp_ms: int) -> int:
        return int(self.function.at("MemorySize", datetime.fromtimestamp(stamp_ms / 1000 - 10, UTC)) or 128)

    def _report(self, mark: Mark, rid: str) -> str:
        request = mark.request
        assert request is not None
        memory = self._memory(mark.stamp)
        used = memory if request.reason == "killed" else memory // 2 + request.number % 7
        ended = ""
        if request.reason == "killed":
            ended = "Status: error\tError Type: Runtime.ExitError"
        if request.reason == "timeout":
            ended = "Status: timeout"
        return (
            f"REPORT RequestId: {rid}\tDuration: {request.duration}.{request.number % 90 + 10} ms\t"
            f"Billed Duration: {request.duration + 1} ms\tMemory Size: {memory} MB\t"
            f"Max Memory Used: {used} MB\t{ended}"
        )

    def _body(self, group: LogGroup, minute: int, mark: Mark, rid: str) -> str:
        request = mark.request
        assert request is not None
        tenant = group.tenant(minute, request)
        who = f" tenant={tenant}" if tenant else ""
        at = iso(mark.stamp)
        if not request.reason:
            return f"[INFO]\t{at}\t{rid}\tstored id={rid[:8]}{who} ms={request.duration}"
        if request.reason == OWN:
            return f"[ERROR]\t{at}\t{rid}\t{self.own_error}{who}"
        if request.reason == "timeout":
            return f"{at} {rid} Task timed out after {request.duration / 1000:.2f} seconds"
        if request.reason == "killed":
            return f"RequestId: {rid} Error: Runtime exited with error: signal: killed\nRuntime.ExitError"
        return self._failed(group, mark, rid, at, who)

    def _failed(self, group: LogGroup, mark: Mark, rid: str, at: str, who: str) -> str:
        request = mark.request
        assert request is not None
        stage = self.flow.stages[request.stage]
        if request.reason == "denied":
            said = stage.denial(mark.stamp / 1000)
        elif request.reason == "not-found":
            said = (
                "An error occurred (ResourceNotFoundException) when calling the PutItem operation: "
                "Requested resource not found"
            )
        else:
            said = stage.text(request.reason)
        code = said.split("(", 1)[1].split(")", 1)[0] if said.startswith("An error occurred (") else ""
        reasons = stage.details(request.reason)
        verb = _calling(said)
        if self.wording == 0 or not code:
            label = f"{verb} failed" if code else "request failed"
            return f"[ERROR]\t{at}\t{rid}\t{label}{who}: {said}{' ThrottlingReasons: ' + reasons if reasons else ''}"
        return (
            f"[ERROR] {code}: {said}{' ThrottlingReasons=' + reasons if reasons else ''}{who}\n"
            'Traceback (most recent call last):\n  File "/var/task/app.py", line 48, in handler\n'
            f"    {'table.put_item(Item=item)' if verb == 'put_item' else f'client.{verb}(**request)'}"
        )


def _calling(said: str) -> str:
    """The method of the SDK in an error's text: "calling the GetObject operation" is get_object."""
    name = (
        said.split("calling the ", 1)[-1].split(" operation", 1)[0] if "calling the " in said else "PutItem"
    )
    return re.sub(r"(?<!^)(?=[A-Z])", "_", name).lower()


@dataclass
class PlainVoice(Voice):
    """A service in a container or on a host that writes one line per request."""

    flow: Flow
    stage: int
    own_error: str = "ValidationError: field quantity must be positive"
    name: str = "app"
    streams: int = 3

    def text(self, group: LogGroup, minute: int, mark: Mark) -> str:
        request = mark.request
        assert request is not None
        at, rid = iso(mark.stamp), group.request_id(minute, mark.number)
        tenant = group.tenant(minute, request)
        who = f" tenant={tenant}" if tenant else ""
        if not request.reason:
            return f"{at} INFO {self.name} request_id={rid}{who} status=200 duration_ms={request.duration}"
        said = (
            self.own_error if request.reason == OWN else self.flow.stages[request.stage].text(request.reason)
        )
        return f"{at} ERROR {self.name} request_id={rid}{who} duration_ms={request.duration} {said}"


@dataclass
class DatabaseVoice(Voice):
    """A database server: it writes of connections that it refuses, and of checkpoints."""

    instance: Thing
    flow: Flow
    stage: int

    body = ""
    beside_kinds = ("checkpoint",)
    silent = frozenset({"connect timeout", OWN})
    streams = 1

    def tells(self, reason: str) -> bool:
        return reason in ("too many connections", "disk full", "login")

    def beside(self, group: LogGroup, minute: int) -> Iterable[tuple[int, str]]:
        return [(mix(group.salt, minute, 3) % 59_000, "checkpoint")] if minute % 5 == 0 else []

    def stream(self, group: LogGroup, day: int, number: int) -> str:
        return self.instance.name

    def text(self, group: LogGroup, minute: int, mark: Mark) -> str:
        at = f"{datetime.fromtimestamp(mark.stamp / 1000, UTC):%Y-%m-%d %H:%M:%S} UTC"
        mysql = self.instance.fixed["engine"] == "mysql"
        if mark.kind == "checkpoint":
            if mysql:
                return f"{iso(mark.stamp)} 0 [Note] [MY-011953] [InnoDB] Page cleaner took 4012ms to flush 12 pages"
            return f"{at}::@:[512]:LOG:  checkpoint complete: wrote {40 + mark.stamp % 300} buffers"
        if mark.kind == "disk full":
            return f"{at}::@:[512]:FATAL:  could not write to file: No space left on device"
        number = 9000 + mark.number % 700
        if mark.kind == "login":
            caller = f"10.0.100.{mark.number % 200}"
            if mysql:
                return (
                    f"{iso(mark.stamp)} {number} [Note] [MY-010926] [Server] "
                    f"Access denied for user 'app'@'{caller}' (using password: YES)"
                )
            return (
                f"{at}:{caller}(41234):app@main:[{number}]:FATAL:  "
                'password authentication failed for user "app"'
            )
        if mysql:
            return f"{iso(mark.stamp)} {number} [Warning] [MY-000000] [Server] Too many connections"
        return (
            f"{at}:10.0.100.{mark.number % 200}(41234):app@main:[{number}]:FATAL:  remaining connection slots are "
            "reserved for roles with the SUPERUSER attribute"
        )
