from __future__ import annotations

import json
import random
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tools.entities import read
from tools.log_lines import LogLine, events, is_platform, lambda_report, lambda_reports
from tools.models import LogPattern
from tools.patterns import mine

NOW = datetime(2026, 3, 13, 18, tzinfo=UTC)
TABLE = "arn:aws:dynamodb:eu-west-1:111122223333:table/invoices"
SAID = "An error occurred ({}) when calling the PutItem operation (reached max retries: 9): {}"
MAXIMUM = SAID.format("ThrottlingException", "Throughput exceeds the maximum configured on table or index")
DENIED = SAID.format("AccessDeniedException", "Throughput exceeds the maximum configured on table or index")


def at(seconds: float, text: str, stream: str = "s") -> LogLine:
    return LogLine(NOW + timedelta(seconds=seconds), text, stream)


def found(texts: Sequence[str], start: float = 0) -> tuple[LogPattern, ...]:
    return mine([at(start + n, text) for n, text in enumerate(texts)], "/aws/lambda/f", NOW)


@pytest.mark.parametrize(
    ("text", "code", "operation"),
    [
        (f"botocore.exceptions.ClientError: {MAXIMUM}", "ThrottlingException", "PutItem"),
        ("Rate Exceeded. (Service: AWSLambda; Status Code: 429; Error Code: TooManyRequestsException)",
         "TooManyRequestsException", ""),
        ('level=ERROR msg="no" error="operation error DynamoDB: GetItem, https response '
         'error StatusCode: 400, RequestID: X, api error ResourceNotFoundException: gone"',
         "ResourceNotFoundException", "GetItem"),
        ('{"__type":"com.amazonaws.v1#ItemCollectionSizeLimitExceededException","message":"x"}',
         "ItemCollectionSizeLimitExceededException", ""),
        ('{"errorType":"TypeError","errorMessage":"x is undefined","trace":["x"]}', "TypeError", ""),
        ("ThrottlingException: Rate exceeded\n    at f (/var/x.js:1:2)", "ThrottlingException", ""),
        ("2026-01-01T00:00:00.000Z 0a1b2c3d-0000-4000-8000-0123456789ab Task timed out after 3.07 seconds",
         "Task timed out", ""),
        ("RequestId: 0a1b2c3d-0000-4000-8000-0123456789ab Error: Runtime exited with error: signal: killed",
         "signal: killed", ""),
        ("[ERROR] KeyError: 'TABLE_NAME'", "KeyError", ""),
        ("Caused by: java.sql.SQLTransientConnectionException: Pool-1 - not available after 30014ms.",
         "SQLTransientConnectionException", ""),
        ("Error: connect ECONNREFUSED 203.0.113.9:5432", "ECONNREFUSED", ""),
        ("RuntimeError: it broke", "RuntimeError", ""),
        ("all is well, no errors", "", ""),
    ],
)  # fmt: skip
def test_the_error_code_is_read_from_every_runtime(text: str, code: str, operation: str) -> None:
    said = read(text)
    assert said.code == code
    assert said.operations == ((operation,) if operation else ())
    assert said.code in text  # so that it can be searched for


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ('{"ThrottlingReasons":[{"reason":"TableWriteKeyRangeThroughputExceeded","resource":"x"}],"a":1}',
         "TableWriteKeyRangeThroughputExceeded"),
        ("Rate Exceeded. Reason: ReservedFunctionConcurrentInvocationLimitExceeded",
         "ReservedFunctionConcurrentInvocationLimitExceeded"),
        (f"x is not authorized to perform: dynamodb:PutItem on resource: {TABLE} because no identity-based "
         "policy allows the dynamodb:PutItem action", "no identity-based policy"),
        ("AccessDenied: not allowed with an explicit deny in a service control policy",
         "explicit deny in a service control policy"),
        ("because no permissions boundary allows the s3:GetObject action", "no permissions boundary"),
        ("the reason: it rained", ""),
    ],
)  # fmt: skip
def test_the_reason_is_a_literal_part_of_the_line(text: str, reason: str) -> None:
    assert read(text).reason == reason
    assert reason in text


def test_names_hosts_status_and_durations() -> None:
    said = read(
        f'{{"level":"error","message":"POST https://api.partner.example/v1 failed","status":503,'
        f'"table":"invoices","resource":"{TABLE}","took":"30014ms"}}'
    )
    assert said.level == "ERROR"
    assert (said.arns, said.hosts, said.names) == ((TABLE,), ("api.partner.example",), ("invoices",))
    assert (said.status, said.durations) == (503, ("30014ms",))
    assert said.message == "error POST https://api.partner.example/v1 failed"
    assert said.is_error


@pytest.mark.parametrize(
    ("text", "exit_code", "limits"),
    [
        ("task stopped: Essential container exited with code 137", 137, ()),
        ("Process exited with status 1, restarting", 1, ()),
        ("app.service: Main process exited, code=exited, status=203/EXEC", 203, ()),
        ('{"message":"worker ended","exitCode":2}', 2, ()),
        ("Pool is full: maximum of 50 connections reached", None, ("50 connections",)),
        ("payload of 300000 bytes is over the limit of 262,144 bytes", None, ("262,144 bytes",)),
        ("max_connections=150, in use 150", None, ("150",)),
        ("exit 10.0.0.1 is the way out; no limit is known", None, ()),
    ],
)
def test_exit_codes_and_limits(text: str, exit_code: int | None, limits: tuple[str, ...]) -> None:
    said = read(text)
    assert (said.exit_code, said.limits) == (exit_code, limits)


@given(st.text(max_size=300))
def test_any_text_can_be_read(text: str) -> None:
    said = read(text)
    assert said.code in text
    assert said.reason in text


def test_lines_that_differ_in_ids_numbers_and_tenants_are_one_pattern() -> None:
    texts = [
        f"[ERROR]\t2026-03-13T18:00:{n:02d}.123Z\t0a1b2c3d-0000-4000-8000-0123456789{n:02d}\tput failed "
        f"tenant={tenant} item={n}: {MAXIMUM} reasons=[{{'resource': '{TABLE}'}}]"
        for n, tenant in enumerate(["acme", "globex", "initech", "umbrella"] * 5)
    ]
    (pattern,) = found(texts)
    assert (pattern.after, pattern.before, pattern.error_code) == (20, 0, "ThrottlingException")
    assert pattern.operations == ("PutItem",)
    assert pattern.names == (TABLE,)
    assert pattern.is_new


def test_another_code_reason_or_arn_is_another_pattern() -> None:
    other = TABLE.replace("invoices", "customers")
    texts = [
        MAXIMUM,
        DENIED,
        f"{MAXIMUM} {{'reason': 'TableWriteMaxOnDemandThroughputExceeded'}}",
        f"{MAXIMUM} {{'reason': 'TableWriteKeyRangeThroughputExceeded'}}",
        f"{MAXIMUM} on {TABLE}",
        f"{MAXIMUM} on {other}",
    ]
    patterns = found(texts * 10)
    assert len(patterns) == 6
    assert {pattern.after for pattern in patterns} == {10}


def test_runs_of_one_state_machine_are_one_pattern() -> None:
    arn = "arn:aws:states:eu-west-1:111122223333:execution:pay:0a1b2c3d-0000-4000-8000-0123456789"
    (pattern,) = found([f"failed {arn}{n:02d}" for n in range(10)])
    assert pattern.after == 10


def test_counts_split_at_onset_and_the_sample_is_from_after_it() -> None:
    patterns = found(["ValueError: 17 is bad"] * 3 + ["ValueError: 18 is bad"] * 4, start=-3)
    assert [(one.before, one.after, one.is_new) for one in patterns] == [(3, 4, False)]
    assert patterns[0].sample == "ValueError: 18 is bad"
    assert patterns[0].first == NOW - timedelta(seconds=3)
    assert patterns[0].last == NOW + timedelta(seconds=3)


def test_new_patterns_come_first() -> None:
    old = [at(-n, "KeyError: 'A'") for n in range(1, 50)] + [at(n, "KeyError: 'A'") for n in range(50)]
    patterns = mine([*old, at(9, MAXIMUM)], "g", NOW)
    assert [one.error_code for one in patterns] == ["ThrottlingException", "KeyError"]


PYTHON = [
    "Traceback (most recent call last):",
    '  File "/var/task/app.py", line 48, in handler',
    "    table.put_item(Item=item)",
    f"botocore.exceptions.ClientError: {MAXIMUM}",
]
JAVA = ["SEVERE: request failed", "java.lang.IllegalStateException: no", "\tat a.B.c(B.java:1)",
        "Caused by: java.net.ConnectException: Connection refused", "\t... 12 more"]  # fmt: skip


def test_a_stack_trace_in_several_lines_is_one_event() -> None:
    lines = [at(0, text, "a") for text in PYTHON] + [at(0, "hello", "b")] + [at(2, "bye", "a")]
    assert [event.text.count("\n") for event in events(lines)] == [3, 0, 0]
    (pattern,) = [one for one in mine(lines, "g", NOW) if one.error_code]
    assert pattern.error_code == "ThrottlingException"
    assert pattern.after == 1
    java = list(events(at(n / 100, text) for n, text in enumerate(JAVA)))
    assert [event.text.splitlines()[0] for event in java] == JAVA[:2]


def test_a_trace_inside_one_event_is_named_by_its_innermost_error() -> None:
    (pattern,) = found(["\n".join(PYTHON)])
    assert pattern.error_code == "ThrottlingException"
    assert pattern.template.endswith("configured on table or index")
    assert pattern.sample == "\n".join(PYTHON)


RID = "0a1b2c3d-0000-4000-8000-0123456789ab"
REPORT = (
    f"REPORT RequestId: {RID}\tDuration: 4211.20 ms\tBilled Duration: 4212 ms\tMemory Size: 128 MB\t"
    "Max Memory Used: 128 MB\tInit Duration: 300.5 ms\tStatus: error\tError Type: Runtime.OutOfMemory"
)


def test_lambda_reports_are_facts_and_no_patterns() -> None:
    report = lambda_report(at(0, REPORT))
    assert report is not None
    assert (report.request_id, report.duration_ms, report.billed_ms) == (RID, 4211.2, 4212)
    assert (report.memory_mb, report.used_mb, report.init_ms) == (128, 128, 300.5)
    assert (report.status, report.error_type, report.out_of_memory) == ("error", "Runtime.OutOfMemory", True)
    fine = lambda_report(at(0, REPORT.split("\tInit", maxsplit=1)[0]))
    assert fine is not None
    assert (fine.status, fine.init_ms, fine.out_of_memory) == ("", None, False)
    record = {
        "requestId": RID,
        "status": "timeout",
        "metrics": {
            "durationMs": 3000.1,
            "billedDurationMs": 3001,
            "memorySizeMB": 512,
            "maxMemoryUsedMB": 90,
        },
    }
    text = json.dumps({"time": "2026-03-13T18:00:00Z", "type": "platform.report", "record": record})
    told = lambda_report(at(0, text))
    assert told is not None
    assert (told.status, told.duration_ms, told.memory_mb) == ("timeout", 3000.1, 512)
    lines = [
        at(1, f"START RequestId: {RID} Version: $LATEST"),
        at(3, REPORT),
        at(2, text),
        at(3, f"END RequestId: {RID}"),
    ]
    assert all(is_platform(line.text) for line in lines)
    assert mine(lines, "g", NOW) == ()
    assert [one.time for one in lambda_reports(lines)] == [
        NOW + timedelta(seconds=2),
        NOW + timedelta(seconds=3),
    ]


def test_memory_stays_bounded_and_every_line_is_counted() -> None:
    words = [f"{a}{b}{c}" for a in "abcdefghij" for b in "klmnopqrst" for c in "uvwxyz"]
    texts = [f"{word.title()}Error: {word} at arn:aws:s3:::{word}" for word in words]
    patterns = found(texts * 2)
    assert sum(pattern.after for pattern in patterns) == 2 * len(words)


texts = st.sampled_from(
    [
        MAXIMUM,
        DENIED,
        "KeyError: 'A'",
        "KeyError: 'B'",
        "GET /x took 12ms",
        "GET /y took 9ms",
        "started",
        REPORT,
    ]
    + [f"user {name} logged in from 203.0.113.{n}" for n, name in enumerate(["ann", "bob", "cy", "dee"])]
)


@settings(max_examples=60)
@given(st.lists(st.tuples(st.integers(-30, 30), texts), max_size=60), st.randoms(use_true_random=False))
def test_order_does_not_matter_and_no_line_is_lost(
    given_lines: list[tuple[int, str]], luck: random.Random
) -> None:
    lines = [at(seconds, text) for seconds, text in given_lines]
    patterns = mine(lines, "g", NOW)
    shuffled = list(lines)
    luck.shuffle(shuffled)
    assert mine(shuffled, "g", NOW) == patterns
    own = [line for line in lines if not is_platform(line.text)]
    assert sum(one.before for one in patterns) == sum(line.time < NOW for line in own)
    assert sum(one.after for one in patterns) == sum(line.time >= NOW for line in own)
    assert len({one.key for one in patterns}) == len(patterns)


forms = st.sampled_from(
    [
        "put {a} failed: An error occurred (ThrottlingException) when calling the PutItem operation: {b}",
        "S{a}Error: bucket part-{b} is gone",
        "table=orders-{a} refused {b}",
        "job arn:aws:states:eu-west-1:11112222333{a}:execution:pay:{b} failed",
        "upstream https://db-{a}.shop.example/{b} timed out after {b}ms",
        "session 0x{b}f closed by worker-{a}",
    ]
)


@settings(max_examples=60)
@given(st.lists(st.tuples(forms, st.integers(0, 9), st.integers(0, 10**6)), min_size=1, max_size=30))
def test_a_line_known_by_all_but_its_digits_is_counted_as_if_it_were_read(
    given_lines: list[tuple[str, int, int]],
) -> None:
    lines = [at(n, form.format(a=a, b=b)) for n, (form, a, b) in enumerate(given_lines)]
    for pattern in mine(lines, "g", NOW):
        own = [line for line in lines if read(line.text).code == pattern.error_code]
        said = [read(line.text) for line in own]
        every = {name for one in said for name in (*one.arns, *one.names, *one.hosts)}
        assert set(pattern.names) <= every
        assert pattern.after <= len(own)
    found = mine(lines, "g", NOW)
    for line in lines:
        told = read(line.text)
        names = {*told.arns, *told.names, *told.hosts}
        assert any(
            one.error_code == told.code and (names <= set(one.names) or len(one.names) == 20) for one in found
        )
