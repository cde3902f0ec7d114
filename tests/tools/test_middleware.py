"""Error texts of programs on machines, and the log groups that an instance's agent writes to."""

from __future__ import annotations

import re

import pytest

from tests.tools.fake_account import FakeAws
from tools import agent_logs, middleware
from tools.logs import ERROR_LINE, TERMS
from tools.models import Json

# The first kind of each is a server's own line, as its manual or source prints it.
LINES = (
    ("java.lang.OutOfMemoryError: Java heap space", middleware.HEAP),
    (
        'Exception in thread "http-nio-8080-exec-7" java.lang.OutOfMemoryError: GC overhead limit exceeded',
        middleware.HEAP,
    ),
    ("java.lang.OutOfMemoryError: Metaspace", middleware.HEAP),
    (
        "java.lang.OutOfMemoryError: unable to create native thread: possibly out of memory",
        middleware.THREADS,
    ),
    ("java.lang.OutOfMemoryError: unable to create new native thread", middleware.THREADS),
    (
        "INFO: Maximum number of threads (200) created for connector with address null and port 8080",
        middleware.THREADS,
    ),
    ("SEVERE: All threads (150) are currently busy, waiting. Increase maxThreads (150)", middleware.THREADS),
    (
        "[mpm_worker:error] AH00286: server reached MaxRequestWorkers setting, consider raising it",
        middleware.THREADS,
    ),
    ("2026/03/13 17:12:31 [alert] 1046#1046: 768 worker_connections are not enough", middleware.THREADS),
    ("Out of memory: Killed process 4121 (java) total-vm:6291456kB, anon-rss:3145728kB", middleware.MEMORY),
    ("java invoked oom-killer: gfp_mask=0x100cca, order=0, oom_score_adj=0", middleware.MEMORY),
    ("InnoDB: Fatal error: cannot allocate memory for the buffer pool", middleware.MEMORY),
    ("os::commit_memory failed; error='Cannot allocate memory' (errno=12)", middleware.MEMORY),
    ('open() "/var/cache/nginx/0000000012" failed (28: No space left on device)', middleware.STORAGE),
    (
        "Disk is full writing './orders/items.MYD' (Errcode: 28). Waiting for someone to free space",
        middleware.STORAGE,
    ),
    ("OSError: [Errno 28] No space left on device: '/tmp/upload'", middleware.STORAGE),
    (
        "(error) MISCONF Redis is configured to save RDB snapshots, but it's currently unable to persist to disk.",
        middleware.STORAGE,
    ),
    ("981:M 13 Mar 2026 17:12:31.044 # Background saving error", middleware.STORAGE),
    ("ERROR 1040 (HY000): Too many connections", middleware.CONNECTIONS),
    ("2026-03-13T17:12:31.000000Z 0 [Warning] Too many connections", middleware.CONNECTIONS),
    ("FATAL:  sorry, too many clients already", middleware.CONNECTIONS),
    ("HikariPool-1 - Connection is not available, request timed out after 30014ms.", middleware.POOL),
    ("OOM command not allowed when used memory > 'maxmemory'.", middleware.CACHE),
    (
        "[error] 7#7: *33 upstream SSL certificate verify error: (10:certificate has expired) while SSL handshaking to "
        'upstream, client: 203.0.113.9, upstream: "https://10.0.1.20:8443/"',
        middleware.CERTIFICATE,
    ),
    (
        "java.security.cert.CertificateExpiredException: NotAfter: Sat Nov 07 11:52:33 UTC 2026",
        middleware.CERTIFICATE,
    ),
    (
        "x509: certificate has expired or is not yet valid: current time 2026-03-13T17:12:31Z",
        middleware.CERTIFICATE,
    ),
    (
        "EC2MetadataClient [140] Http request to retrieve credentials failed with error code 401",
        middleware.METADATA_TOKENS,
    ),
    (
        "botocore.exceptions.NoCredentialsError: Unable to locate credentials",
        "DisassociateIamInstanceProfile",
    ),
    (
        "[error] 7#7: *3 connect() failed (110: Connection timed out) while connecting to upstream",
        "RevokeSecurityGroupIngress",
    ),
    (
        "[error] 7#7: *3 upstream timed out (110: Connection timed out) while connecting to upstream",
        "RevokeSecurityGroupIngress",
    ),
    (
        "[error] 7#7: *3 connect() failed (111: Connection refused) while connecting to upstream",
        "StopInstances",
    ),
    (
        '[error] 7#7: *3 no live upstreams while connecting to upstream, request: "GET / HTTP/1.1"',
        "StopInstances",
    ),
    (
        "[error] 7#7: *3 upstream timed out (110: Connection timed out) while reading response header from upstream",
        "RebootInstances",
    ),
    (
        "[error] 7#7: *3 upstream prematurely closed connection while reading response header",
        "RebootInstances",
    ),
    (
        '203.0.113.9 - - [13/Mar/2026:17:12:31 +0000] "GET /orders HTTP/1.1" 504 167 "-" "curl/8.5"',
        "RebootInstances",
    ),
)

HARMLESS = (
    '203.0.113.9 - - [13/Mar/2026:17:12:31 +0000] "GET /504 HTTP/1.1" 200 504 "-" "curl/8.5"',
    "HikariPool-4 - Pool stats (total=50, active=0, idle=50, waiting=0)",
    "GC(12) Pause Young (Normal) (G1 Evacuation Pause) 512M->120M(2048M) 8.123ms",
    "401 Unauthorized for user 7",
    "Connection timed out",
    "certificate will expire in 30 days",
    "order 28 written; errno 0",
)


@pytest.mark.parametrize("line", [line for line, _ in LINES])
def test_a_line_is_among_those_that_are_looked_at(line: str) -> None:
    assert ERROR_LINE.search(line)
    assert any(term.strip('"') in line for term in re.findall(r'\?("[^"]+"|\S+)', TERMS)), "FilterLogEvents"
    assert len(TERMS) < 1024


@pytest.mark.parametrize(("line", "points_to"), LINES)
def test_a_line_names_what_broke(line: str, points_to: str) -> None:
    first = next(one for one in middleware.SIGNATURES if re.search(one.match, line))
    assert first.points_to == points_to


@pytest.mark.parametrize("line", HARMLESS)
def test_a_harmless_line_names_nothing(line: str) -> None:
    assert [one.says for one in middleware.SIGNATURES if re.search(one.match, line)] == []


def test_every_state_is_named_by_a_text_and_has_its_metric() -> None:
    states = middleware.conditions("instance", memory=("mem",), storage=("disk",))
    named = {one.points_to for one in middleware.SIGNATURES}
    assert {one.key for one in states} <= named
    assert {one.key: one.metrics for one in states if one.metrics} == {
        middleware.MEMORY: ("mem",),
        middleware.STORAGE: ("disk",),
    }


# -- log groups -------------------------------------------------------------------------------------

INSTANCE = "i-0a1b2c3d4e5f60718"


def account(groups: list[str], writes: set[str]) -> FakeAws:
    def streams(parameters: Json) -> Json:
        assert parameters["logStreamNamePrefix"] == INSTANCE
        mine = parameters["logGroupName"] in writes
        return {"logStreams": [{"logStreamName": INSTANCE}] if mine else []}

    return FakeAws(
        {
            ("logs", "DescribeLogGroups"): {"logGroups": [{"logGroupName": name} for name in groups]},
            ("logs", "DescribeLogStreams"): streams,
        }
    )


def test_groups_are_found_by_stream_and_by_name_and_errors_come_first() -> None:
    groups = [
        "/aws/lambda/web-1",
        "/shop/web-1/access",
        "/shop/web-1/error",
        "/shop/web-10/error",
        "catalina.out",
        "kern",
    ]
    there = account(groups, {"catalina.out", "/shop/web-10/error", "/aws/lambda/web-1"})
    found, evidence = agent_logs.log_groups(there.reader(), "eu-west-1", INSTANCE, ["web-1"])
    assert found == ("/shop/web-1/error", "/shop/web-10/error", "catalina.out", "/shop/web-1/access")
    assert evidence
    # What services write themselves, and what the name tells already, is not asked again.
    assert there.asked.count(("logs", "DescribeLogStreams")) == 3


def test_groups_that_were_not_looked_at_are_a_gap() -> None:
    many = [f"/team/{number:03d}" for number in range(40)]
    there = account(many, {"/team/039"})
    reader = there.reader()
    assert agent_logs.log_groups(reader, "eu-west-1", INSTANCE, [])[0] == ()
    assert [gap.code for gap in reader.gaps] == ["BudgetSpent"]
    assert there.asked.count(("logs", "DescribeLogStreams")) == 24


@pytest.mark.parametrize(
    ("group", "mentioned"),
    [
        ("/shop/web-1/error", True),
        ("web-1", True),
        ("WEB-1.nginx", True),
        ("/shop/web-10/error", False),
        ("/shop/old-web-1/error", False),
        ("/shop/web-1a", False),
    ],
)
def test_a_group_is_named_after_a_machine_by_a_whole_word(group: str, mentioned: bool) -> None:
    assert agent_logs.mentions(group, ["web-1"]) is mentioned
    assert not agent_logs.mentions(group, ["", "we"])
