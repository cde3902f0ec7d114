"""What programs on a host write into their files, which the CloudWatch agent ships: one stream per instance.

Forms of lines: nginx's default error and access logs, Tomcat's one-line format with stack traces as one event, the
JVM's unified logging, MySQL 8.0's error log, the kernel and systemd in /var/log/messages.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from evals.world.flow import OWN, Flow
from evals.world.instance_stage import InstanceStage
from evals.world.middleware import (
    BUG,
    CERTIFICATE,
    DENIED,
    HEAP,
    NO_CREDENTIALS,
    NO_LIVE,
    SLOW,
    TOO_MANY,
    Tomcat,
)
from evals.world.seed import mix
from evals.world.stage import Stage
from evals.world.stamps import iso
from evals.world.voices import Voice

if TYPE_CHECKING:
    from evals.world.lines import LogGroup, Mark
    from evals.world.world import Thing


@dataclass
class HostVoice(Voice):
    """One file of a program on an instance."""

    flow: Flow
    stage: int

    body = ""
    streams = 1

    @property
    def instance(self) -> InstanceStage:
        found = self.flow.stages[self.stage]
        assert isinstance(found, InstanceStage)
        return found

    def stream(self, group: LogGroup, day: int, number: int) -> str:
        return str(self.instance.thing.fixed["id"])

    def quiet(self, minute: int) -> bool:
        """Whether nothing can have happened yet."""
        return self.flow.disturbed_from is None or minute < self.flow.disturbed_from

    def gauge(self, minute: int, name: str) -> float:
        seen = [one.passages[self.stage].gauges for one in self.flow.minute(minute).slices]
        return max(one.get(name, 0.0) for one in seen)

    def started(self, program: str, minute: int) -> list[int]:
        """Milliseconds into a minute at which a program begins to listen."""
        if self.quiet(minute):
            return []
        self.flow.minute(minute)
        return [round(1000 * (one - minute * 60)) for one in self.instance.starts(program, minute)]

    def up(self, minute: int) -> bool:
        return self.gauge(minute, "running") > 0


def _at(stamp: int, form: str) -> str:
    return datetime.fromtimestamp(stamp / 1000, UTC).strftime(form)


_WAYS = {
    "unreachable": "upstream timed out (110: Connection timed out) while connecting to upstream",
    "refused": "connect() failed (111: Connection refused) while connecting to upstream",
    SLOW: "upstream timed out (110: Connection timed out) while reading response header from upstream",
    NO_LIVE: "no live upstreams while connecting to upstream",
    CERTIFICATE: "upstream SSL certificate verify error: (10:certificate has expired) "
    "while SSL handshaking to upstream",
}


def _way(reason: str) -> str:
    return next((text for key, text in _WAYS.items() if reason == key or reason.endswith(f" {key}")), "")


@dataclass
class NginxErrors(HostVoice):
    """nginx's error.log."""

    beside_kinds = ("notfound",)

    def tells(self, reason: str) -> bool:
        return reason == "nginx disk full" or (
            bool(_way(reason)) and not reason.startswith(("nginx ", "mysql "))
        )

    def beside(self, group: LogGroup, minute: int) -> Iterable[tuple[int, str]]:
        """Visitors that look for what is not there."""
        if mix(group.salt, minute, 41) % 5 == 0 and self.up(minute):
            return [(mix(group.salt, minute, 43) % 59_000, "notfound")]
        return []

    def text(self, group: LogGroup, minute: int, mark: Mark) -> str:
        pid = 1100 + group.salt % 900
        number = 1_000_000 + mix(group.salt, minute, mark.number, 37) % 8_000_000
        head = f"{_at(mark.stamp, '%Y/%m/%d %H:%M:%S')} [%s] {pid}#{pid}: *{number}"
        name = str(self.instance.thing.fixed["server_name"])
        client = f"203.0.113.{mix(group.salt, minute, mark.number, 31) % 250 + 1}"
        request = self.instance.thing.fixed["request"]
        tail = f'client: {client}, server: {name}, request: "{request} HTTP/1.1"'
        if mark.request is None:
            path = ("/wp-login.php", "/.env", "/favicon.ico")[mix(group.salt, minute) % 3]
            return (
                f'{head % "error"} open() "/usr/share/nginx/html{path}" failed (2: No such file or directory), '
                f'client: {client}, server: {name}, request: "GET {path} HTTP/1.1", host: "{name}"'
            )
        if mark.kind == "nginx disk full":
            return (
                f'{head % "crit"} open() "/var/lib/nginx/tmp/client_body/{number:010d}" failed '
                f'(28: No space left on device), {tail}, host: "{name}"'
            )
        path = str(request).split(" ", 1)[1]
        upstream = f"http://backend{path}" if mark.kind == NO_LIVE else f"{self._upstream(mark.kind)}{path}"
        return f'{head % "error"} {_way(mark.kind)}, {tail}, upstream: "{upstream}", host: "{name}"'

    def _upstream(self, kind: str) -> str:
        scheme = "https" if kind == CERTIFICATE or self._following_tls() else "http"
        if len(self.instance.programs) > 1:
            return f"{scheme}://127.0.0.1:{self.instance.programs[1].port}"
        following = self._following()
        if following is None:
            return f"{scheme}://127.0.0.1:8080"
        address = following.fixed.get("address") or following.fixed.get("host") or following.name
        return f"{scheme}://{address}:{following.fixed.get('port', 443)}"

    def _following(self) -> Thing | None:
        place = self.stage + 1
        return self.flow.stages[place].thing if place < len(self.flow.stages) else None

    def _following_tls(self) -> bool:
        following = self._following()
        return following is not None and following.fixed.get("port") == 8443


@dataclass
class NginxAccess(HostVoice):
    """nginx's access.log, one line per request."""

    body = "access"

    def tells(self, reason: str) -> bool:
        return not (reason.startswith("nginx ") and reason.endswith(("refused", "unreachable")))

    def text(self, group: LogGroup, minute: int, mark: Mark) -> str:
        request = mark.request
        assert request is not None
        client = f"203.0.113.{mix(group.salt, minute, mark.number, 31) % 250 + 1}"
        status, size = 200, 180 + mix(group.salt, minute, mark.number, 33) % 2400
        if request.reason:
            status, size = self._status(minute, request.reason, request.stage), 157
        when = _at(mark.stamp, "%d/%b/%Y:%H:%M:%S +0000")
        took = request.duration / 1000
        return (
            f'{client} - - [{when}] "{self.instance.thing.fixed["request"]} HTTP/1.1" {status} {size} "-" '
            f'"okhttp/4.12.0" {took:.3f} {max(0.0, took - 0.001):.3f}'
        )

    def _status(self, minute: int, reason: str, stage: int) -> int:
        endings = self.flow.minute(minute).endings
        found = (one.status for one in endings if (one.stage, one.reason) == (stage, reason))
        return 400 if reason == OWN else next(found, 500)


_FRAMES = (
    "\tat org.springframework.web.servlet.FrameworkServlet.service(FrameworkServlet.java:885)\n"
    "\tat org.apache.catalina.core.ApplicationFilterChain.doFilter(ApplicationFilterChain.java:141)\n"
    "\tat org.apache.catalina.core.StandardWrapperValve.invoke(StandardWrapperValve.java:167)\n"
    "\tat org.apache.tomcat.util.net.NioEndpoint$SocketProcessor.doRun(NioEndpoint.java:1744)\n"
    "\tat java.base/java.lang.Thread.run(Thread.java:840)"
)
_THROWN = {
    HEAP: (
        "java.lang.OutOfMemoryError: Java heap space",
        "java.base/java.util.Arrays.copyOf(Arrays.java:3537)",
    ),
    "tomcat disk full": (
        "java.io.IOException: No space left on device",
        "java.base/java.io.FileOutputStream.writeBytes(Native Method)",
    ),
    NO_CREDENTIALS: (
        "com.amazonaws.SdkClientException: Unable to load AWS credentials from any provider in the chain: "
        "[EnvironmentVariableCredentialsProvider, SystemPropertiesCredentialsProvider, "
        "InstanceProfileCredentialsProvider: Http request to retrieve credentials failed with error code 401]",
        "com.amazonaws.auth.AWSCredentialsProviderChain.getCredentials(AWSCredentialsProviderChain.java:136)",
    ),
    TOO_MANY: (
        "java.sql.SQLNonTransientConnectionException: Data source rejected establishment of connection,  "
        'message from server: "Too many connections"',
        "com.mysql.cj.jdbc.exceptions.SQLError.createSQLException(SQLError.java:110)",
    ),
    "mysql refused": (
        "com.mysql.cj.jdbc.exceptions.CommunicationsException: Communications link failure\n"
        "Caused by: java.net.ConnectException: Connection refused",
        "java.base/sun.nio.ch.Net.pollConnect(Native Method)",
    ),
    "mysql unreachable": (
        "com.mysql.cj.jdbc.exceptions.CommunicationsException: Communications link failure\n"
        "Caused by: java.net.SocketTimeoutException: Connect timed out",
        "java.base/sun.nio.ch.NioSocketImpl.timedFinishConnect(NioSocketImpl.java:546)",
    ),
    "mysql disk full": (
        "java.sql.SQLTransientConnectionException: statement cancelled due to timeout or client request",
        "com.mysql.cj.jdbc.exceptions.SQLError.createSQLException(SQLError.java:110)",
    ),
    "tomcat refused": (
        "java.net.ConnectException: Connection refused",
        "java.base/sun.nio.ch.Net.pollConnect(Native Method)",
    ),
    "tomcat unreachable": (
        "java.net.http.HttpConnectTimeoutException: HTTP connect timed out",
        "java.net.http/jdk.internal.net.http.MultiExchange.toTimeoutException(MultiExchange.java:585)",
    ),
}

_HANDLER = "software.amazon.awssdk.core.internal.http.CombinedResponseHandler.handle(CombinedResponseHandler.java:60)"


_LATE = "late: "


@dataclass
class Catalina(HostVoice):
    """Tomcat's catalina.out, with what the application logs."""

    own_error: str = "ValidationError: field quantity must be positive"

    def __post_init__(self) -> None:
        self.beside_kinds = ("info", "argument", "started")

    def prepare(self) -> None:
        """Know for which reasons requests may fail here after a proxy has given them up."""
        told = [one for one in self.flow.reasons(self.stage) if self.tells(one) and one != OWN]
        self.beside_kinds = ("info", "argument", "started", *(f"{_LATE}{one}" for one in told))

    def tells(self, reason: str) -> bool:
        stage, own = self.instance, self._own()
        before = stage.programs[: stage.programs.index(own)]
        not_reached = {one for each in before for one in each.reasons}
        closed = {f"{one.name} {word}" for one in (*before, own) for word in ("refused", "unreachable")}
        return reason not in not_reached - set(own.reasons) and reason not in closed | {CERTIFICATE}

    def _own(self) -> Tomcat:
        return next(one for one in self.instance.programs if isinstance(one, Tomcat))

    def beside(self, group: LogGroup, minute: int) -> Iterable[tuple[int, str]]:
        found = [(one - 900, "argument") for one in self.started("tomcat", minute) if one >= 900]
        found += [(one, "started") for one in self.started("tomcat", minute)]
        if self.up(minute):
            found += [(mix(group.salt, minute, step, 45) % 59_000, "info") for step in range(2)]
        if not self.quiet(minute):
            found += self._late(group, minute)
        return found

    def _late(self, group: LogGroup, minute: int) -> list[tuple[int, str]]:
        """Failures of requests for which nobody waits any more."""
        self.flow.minute(minute)
        found: list[tuple[int, str]] = []
        for stage in self.flow.stages[: self.stage + 1]:
            if isinstance(stage, InstanceStage):
                for (place, reason), many in stage.abandoned.get(minute, {}).items():
                    if place >= self.stage and f"{_LATE}{reason}" in self.beside_kinds:
                        found += [(60_000 * step // many, f"{_LATE}{reason}") for step in range(many)]
        return found

    def text(self, group: LogGroup, minute: int, mark: Mark) -> str:
        at = _at(mark.stamp, "%d-%b-%Y %H:%M:%S") + f".{mark.stamp % 1000:03d}"
        if mark.kind == "info":
            many = 40 + mix(group.salt, minute, mark.number, 47) % 400
            return (
                f"{at} INFO [scheduling-1] com.example.shop.CacheRefresher.refresh refreshed {many} entries"
            )
        if mark.kind == "argument":
            size = round(self.instance.host.heap_mb(mark.stamp / 1000))
            return (
                f"{at} INFO [main] org.apache.catalina.startup.VersionLoggerListener.log Command line argument:"
                f" -Xmx{size}m"
            )
        if mark.kind == "started":
            took = 9000 + mix(group.salt, minute, mark.number) % 14_000
            said = f"Server startup in [{took}] milliseconds"
            return f"{at} INFO [main] org.apache.catalina.startup.Catalina.start {said}"
        return self._failed(group, minute, mark, at)

    def _failed(self, group: LogGroup, minute: int, mark: Mark, at: str) -> str:
        thread = f"http-nio-{self._own().port}-exec-{1 + mix(group.salt, minute, mark.number, 49) % 200}"
        if mark.kind == OWN:
            return f"{at} WARNING [{thread}] com.example.shop.ApiController.handle {self.own_error}"
        thrown, frame = self._thrown(mark)
        shown = thrown.splitlines()[0]
        return (
            f"{at} SEVERE [{thread}] org.apache.catalina.core.StandardWrapperValve.invoke Servlet.service() for "
            f"servlet [dispatcherServlet] in context with path [] threw exception [{shown}] with root cause\n"
            f"{thrown}\n\tat {frame}\n{_FRAMES}"
        )

    def _thrown(self, mark: Mark) -> tuple[str, str]:
        reason = mark.kind.removeprefix(_LATE)
        stage = self._where(reason, mark)
        if reason in _THROWN:
            return _THROWN[reason]
        if reason == DENIED and isinstance(stage, InstanceStage):
            return _denial(stage, mark.stamp / 1000), _HANDLER
        if reason == BUG:
            text = str(
                (stage.at("_bug", mark.stamp / 1000) or {}).get("text", "java.lang.NullPointerException")
            )
            return text, "com.example.shop.ApiController.handle(ApiController.java:88)"
        said = stage.text(reason)
        return f"java.lang.RuntimeException: {said}", "com.example.shop.Client.call(Client.java:57)"

    def _where(self, reason: str, mark: Mark) -> Stage:
        """The stage at which a request ended."""
        if mark.request is not None:
            return self.flow.stages[mark.request.stage]
        return next(one for one in self.flow.stages[self.stage :] if reason in one.reasons)


def _denial(stage: InstanceStage, second: float) -> str:
    said = stage.grants.refusal(second, str(stage.thing.fixed["id"]))
    return (
        f"software.amazon.awssdk.services.dynamodb.model.DynamoDbException: {said} "
        "(Service: DynamoDb, Status Code: 400)"
    )


@dataclass
class Collections(HostVoice):
    """The JVM's gc.log."""

    beside_kinds = ("young", "full")

    def tells(self, reason: str) -> bool:
        return False

    def _pause_ms(self, minute: int) -> float:
        return max(1.0, self.gauge(minute, "live") * 0.9)

    def beside(self, group: LogGroup, minute: int) -> Iterable[tuple[int, str]]:
        if not self.up(minute):
            return []
        share = self.gauge(minute, "collecting")
        if share < 0.02:
            return [(mix(group.salt, minute, 51) % 59_000, "young")]
        many = max(1, min(40, round(share * 60_000 / self._pause_ms(minute))))
        return [(59_000 * step // many + mix(group.salt, minute, step) % 700, "full") for step in range(many)]

    def text(self, group: LogGroup, minute: int, mark: Mark) -> str:
        heap = round(self.instance.host.heap_mb(mark.stamp / 1000))
        live = min(heap - 1, round(self.gauge(minute, "live")))
        number = minute % 1_000_000 // 3 + mark.number
        head = f"[{iso(mark.stamp)[:-1]}+0000][info][gc] GC({number})"
        if mark.kind == "young":
            before = min(heap - 8, live + round(0.6 * (heap - live)))
            took = 6 + mix(group.salt, minute, mark.number) % 2400 / 100
            return (
                f"{head} Pause Young (Normal) (G1 Evacuation Pause) {before}M->{live}M({heap}M) {took:.3f}ms"
            )
        took = self._pause_ms(minute) * (0.9 + mix(group.salt, minute, mark.number) % 200 / 1000)
        return f"{head} Pause Full (G1 Compaction Pause) {heap - 1}M->{live}M({heap}M) {took:.3f}ms"


@dataclass
class MySqlErrors(HostVoice):
    """MySQL's error log: its own troubles, not the statements of clients."""

    beside_kinds = ("aborted", "full", "ready")

    def tells(self, reason: str) -> bool:
        return reason == TOO_MANY

    def beside(self, group: LogGroup, minute: int) -> Iterable[tuple[int, str]]:
        found = [(one, "ready") for one in self.started("mysql", minute)]
        lost = 1 if mix(group.salt, minute, 53) % 17 == 0 and self.up(minute) else 0
        if not self.quiet(minute):
            lost += min(20, self.flow.minute(minute).ended(reason=SLOW) // 12)
            if self.gauge(minute, "disk") >= 100 and (
                minute % 10 == 0 or self.gauge(minute - 1, "disk") < 100
            ):
                found.append((mix(group.salt, minute) % 50_000, "full"))
        return found + [(mix(group.salt, minute, step, 55) % 59_000, "aborted") for step in range(lost)]

    def text(self, group: LogGroup, minute: int, mark: Mark) -> str:
        at = iso(mark.stamp)[:-1] + f"{mix(group.salt, mark.stamp) % 1000:03d}Z"
        number = 90_000 + mix(group.salt, minute, mark.number, 57) % 900_000
        if mark.kind == "aborted":
            return (
                f"{at} {number} [Note] [MY-010914] [Server] Aborted connection {number} to db: 'shop' user: 'app' "
                f"host: '{self._client()}' (Got an error reading communication packets)."
            )
        if mark.kind == "full":
            return (
                f"{at} {number} [ERROR] [MY-000035] [Server] Disk is full writing './binlog.000{number % 900 + 100}' "
                "(OS errno 28 - No space left on device). Waiting for someone to free space... Retry in 60 secs. "
                "Message reprinted in 600 secs."
            )
        if mark.kind == "ready":
            return (
                f"{at} 0 [System] [MY-010931] [Server] /usr/sbin/mysqld: ready for connections. Version: '8.0.36'  "
                "socket: '/var/lib/mysql/mysql.sock'  port: 3306  MySQL Community Server - GPL."
            )
        return f"{at} {number} [Warning] [MY-000000] [Server] Too many connections"

    def _client(self) -> str:
        before = self.flow.stages[self.stage - 1].thing if self.stage else None
        same = len(self.instance.programs) > 1
        return (
            str(before.fixed.get("address", "localhost")) if before is not None and not same else "localhost"
        )


@dataclass
class Messages(HostVoice):
    """/var/log/messages: the kernel, systemd and cron."""

    beside_kinds = ("session", "killed", "exited", "started", "cron")

    def tells(self, reason: str) -> bool:
        return False

    def beside(self, group: LogGroup, minute: int) -> Iterable[tuple[int, str]]:
        found = []
        if mix(group.salt, minute, 61) % 9 == 0 and self.up(minute):
            found.append((mix(group.salt, minute, 63) % 59_000, "session"))
        if self.instance.host.cron_starts(minute) and self.up(minute):
            found.append((1000, "cron"))
        if self.quiet(minute):
            return found
        self.flow.minute(minute)
        for when, _, _ in self.instance.kills:
            if minute * 60 <= when < minute * 60 + 60:
                offset = round(1000 * (when - minute * 60))
                found += [(offset, "killed"), (offset + 40, "exited")]
        for program in self.instance.programs:
            found += [(one, "started") for one in self.started(program.name, minute)]
        return found

    def text(self, group: LogGroup, minute: int, mark: Mark) -> str:
        host = "ip-" + str(self.instance.thing.fixed["address"]).replace(".", "-")
        head = f"{_at(mark.stamp, '%b %d %H:%M:%S')} {host}"
        if mark.kind == "cron":
            job = (self.instance.at("_cron_cpu", mark.stamp / 1000) or {}).get(
                "command", "/opt/scripts/export.sh"
            )
            return f"{head} CROND[{20_000 + mix(group.salt, minute) % 9000}]: (root) CMD ({job})"
        if mark.kind == "session":
            return f"{head} systemd[1]: Started Session {mix(group.salt, minute) % 9000} of user root."
        program, resident = self._killed(mark)
        if mark.kind == "killed":
            pid = 1200 + mix(group.salt, mark.stamp // 1000) % 20_000
            rss = round(resident * 1024)
            return (
                f"{head} kernel: Out of memory: Killed process {pid} ({program}) total-vm:{rss * 2 + 1_048_576}kB, "
                f"anon-rss:{rss}kB, file-rss:0kB, shmem-rss:0kB, UID:91 pgtables:{rss // 400}kB oom_score_adj:0"
            )
        unit = {"java": "tomcat.service", "mysqld": "mysqld.service"}.get(program, "nginx.service")
        if mark.kind == "exited":
            return f"{head} systemd[1]: {unit}: Main process exited, code=killed, status=9/KILL"
        return f"{head} systemd[1]: Started {self._begun(minute, mark)}."

    def _killed(self, mark: Mark) -> tuple[str, float]:
        near = [one for one in self.instance.kills if abs(one[0] - mark.stamp / 1000) < 2]
        names = {"tomcat": "java", "mysql": "mysqld"}
        return (names.get(near[0][1], near[0][1]), near[0][2]) if near else ("java", 0.0)

    def _begun(self, minute: int, mark: Mark) -> str:
        units = {"nginx": "nginx.service", "tomcat": "tomcat.service", "mysql": "mysqld.service"}
        for program in self.instance.programs:
            if mark.stamp - minute * 60_000 in self.started(program.name, minute):
                return units[program.name]
        return units[self.instance.programs[0].name]


FILES: dict[str, dict[str, type[HostVoice]]] = {
    "nginx": {"access.log": NginxAccess, "error.log": NginxErrors},
    "tomcat": {"catalina.out": Catalina, "gc.log": Collections},
    "mysql": {"error.log": MySqlErrors},
    "system": {"messages": Messages},
}
"""The files of each program."""
