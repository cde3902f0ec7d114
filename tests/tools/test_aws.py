"""The door to AWS: retries on the run's clock, every fault a sentence, evidence in order, pages that end."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import botocore.exceptions as faults
import pytest
from botocore.utils import parse_timestamp
from hypothesis import given
from hypothesis import strategies as st

from tools.aws import Account, Aws, Reader, moment_of, region_of
from tools.budget import Budget, Limits
from tools.clock import VirtualClock
from tools.errors import (
    BadInput,
    BudgetSpent,
    CannotInvestigate,
    Denied,
    NoCredentials,
    NotRecorded,
    NotThere,
    OpsleuthError,
    Refused,
    Throttled,
    Unavailable,
    WriteRefused,
)
from tools.evidence import MemoryStore
from tools.models import Json
from tools.recording import LiveTransport, Player, RecordingTransport
from tools.transport import WireAnswer, WireRequest

NOW = datetime(2026, 3, 13, 17, 41, tzinfo=UTC)
TABLE = {"Table": {"TableName": "orders", "ItemCount": 3}}
Said = Json | tuple[int, str, str] | Exception


@dataclass
class Wire:
    """A Transport that answers by a function, in JSON or as the query protocol's XML error."""

    answer: Callable[[WireRequest], Said]
    virtual: bool = True
    asked: list[WireRequest] = field(default_factory=list)
    lock: Any = field(default_factory=threading.Lock)

    def start(self) -> datetime | None:
        return None

    def send(self, request: WireRequest) -> WireAnswer:
        with self.lock:
            self.asked.append(request)
        said = self.answer(request)
        if isinstance(said, Exception):
            raise said
        status, body = (
            (200, said) if isinstance(said, dict) else (said[0], {"__type": said[1], "message": said[2]})
        )
        raw = json.dumps(body).encode()
        if request.protocol == "query":
            raw = _xml(request.operation, said)
        return WireAnswer(status=status, headers={}, body=raw, protocol=request.protocol)

    def close(self) -> None:
        pass


def _xml(operation: str, said: Json | tuple[int, str, str]) -> bytes:
    if isinstance(said, tuple):
        error = f"<Error><Code>{said[1]}</Code><Message>{said[2]}</Message></Error>"
        return f"<ErrorResponse>{error}</ErrorResponse>".encode()
    inner = "".join(
        f"<{key}>{_xml('', value).decode() if isinstance(value, dict) else value}</{key}>"
        for key, value in said.items()
    )
    if not operation:
        return inner.encode()
    return (
        f"<{operation}Response><{operation}Result>{inner}</{operation}Result></{operation}Response>".encode()
    )


def script(*said: Said) -> Wire:
    """Answers in this order; the last one again and again."""
    left = list(said)
    return Wire(lambda _: left.pop(0) if len(left) > 1 else left[0])


def run(
    wire: Any, *, limits: Limits | None = None, account: Account | None = None, own: str = "111122223333"
) -> Aws:
    where = account or Account(region="eu-west-1")
    return Aws(where, wire, VirtualClock(NOW), Budget(limits or Limits()), MemoryStore(), own_account=own)


def describe(aws: Aws, region: str = "eu-west-1") -> Json:
    return aws.ask("dynamodb", "DescribeTable", region, {"TableName": "orders"})


@pytest.fixture
def keys(monkeypatch: pytest.MonkeyPatch) -> None:
    """Credentials for runs that are not virtual. Nothing reaches AWS: the Transport is a script."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAIOSFODNN7EXAMPLE")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "example")


def test_an_answer_becomes_evidence_in_request_order() -> None:
    reader = Reader(run(script(TABLE)), "T", first=4)
    answer = reader.ask("dynamodb", "DescribeTable", TableName="orders")
    second = reader.ask("dynamodb", "DescribeTable", region="eu-west-3", TableName="orders")
    assert (answer.data, answer.evidence, second.evidence) == (TABLE, "T4", "T5")
    made = reader.evidence[0]
    assert (made.service, made.operation, made.parameters) == (
        "dynamodb",
        "DescribeTable",
        {"TableName": "orders"},
    )
    assert (made.region, made.account, made.time) == ("eu-west-1", "111122223333", NOW)
    assert (
        reader.aws.store.get(made.sha256) == made.excerpt == '{"Table":{"ItemCount":3,"TableName":"orders"}}'
    )
    assert reader.evidence[1].region == "eu-west-3"


def test_a_part_of_an_answer_is_evidence_of_its_own() -> None:
    reader = Reader(run(script(TABLE)), "T")
    answer = reader.ask("dynamodb", "DescribeTable", TableName="orders")
    earlier = NOW - timedelta(hours=1)
    part = reader.cite(answer.evidence, {"ItemCount": 3}, earlier)
    line = reader.cite(answer.evidence, "password=hunter2 in a line")
    assert (part, line) == ("T2", "T3")
    assert (reader.evidence[1].time, reader.evidence[1].excerpt) == (earlier, '{"ItemCount":3}')
    assert reader.evidence[2].excerpt == "password=[redacted] in a line"
    with pytest.raises(OpsleuthError, match="X9 is not evidence of reader T"):
        reader.cite("X9", "nothing")


def test_evidence_holds_no_secret_and_the_answer_does() -> None:
    variables = {"Variables": {"DB_PASSWORD": "hunter2", "TABLE": "orders"}}
    reader = Reader(run(script({"Environment": variables})), "T")
    answer = reader.ask("lambda", "GetFunctionConfiguration", FunctionName="writer")
    assert answer.data["Environment"] == variables
    assert "hunter2" not in reader.evidence[0].excerpt
    assert "hunter2" not in str(reader.aws.store.get(reader.evidence[0].sha256))


def test_what_is_not_visible_is_a_gap_and_the_run_goes_on() -> None:
    denied = (
        400,
        "AccessDeniedException",
        "User: arn:aws:iam::111122223333:user/ops-07 is not authorized to perform: "
        "dynamodb:DescribeTable because no identity-based policy allows the dynamodb:DescribeTable action",
    )
    reader = Reader(run(script(denied)), "T")
    with reader.seeing("Tables", would_show="their limits"):
        reader.ask("dynamodb", "DescribeTable", TableName="orders")
    (gap,) = reader.gaps
    assert (gap.what, gap.would_show, gap.code) == ("Tables", "their limits", "AccessDenied")
    assert gap.why == "No identity policy lets user ops-07 call dynamodb:DescribeTable."
    assert gap.statement == {"Effect": "Allow", "Action": "dynamodb:DescribeTable", "Resource": "*"}
    assert reader.evidence == []


@pytest.mark.parametrize(
    ("said", "kind", "code", "why", "calls"),
    [
        (
            (400, "ThrottlingException", "Rate exceeded"),
            Throttled,
            "Throttled",
            "AWS throttled the call 5 times.",
            5,
        ),
        ((429, "TooManyRequestsException", ""), Throttled, "Throttled", "AWS throttled the call 5 times.", 5),
        (
            (500, "InternalServerError", "oh"),
            Unavailable,
            "InternalServerError",
            "AWS answered InternalServerError: oh",
            5,
        ),
        (
            (503, "ServiceUnavailable", ""),
            Unavailable,
            "ServiceUnavailable",
            "AWS answered ServiceUnavailable: ",
            5,
        ),
        (
            (400, "ResourceNotFoundException", "no table orders"),
            NotThere,
            "NotThere",
            "AWS says that it does not exist: no table orders",
            1,
        ),
        (
            (400, "ValidationException", "Stack orders does not exist"),
            NotThere,
            "NotThere",
            "AWS says that it does not exist: Stack orders does not exist",
            1,
        ),
        (
            (400, "ValidationException", "too long"),
            Unavailable,
            "ValidationException",
            "AWS answered ValidationException: too long",
            1,
        ),
        (
            (400, "AccessDeniedException", "no"),
            Denied,
            "AccessDenied",
            "This identity may not call dynamodb:DescribeTable",
            1,
        ),
        (
            (400, "OptInRequired", ""),
            Unavailable,
            "NotEnabled",
            "This service or region is not enabled for the account.",
            1,
        ),
        (
            (400, "NotRecorded", "This world holds no answer."),
            NotRecorded,
            "NotRecorded",
            "This world holds no answer.",
            1,
        ),
        (
            faults.EndpointConnectionError(endpoint_url="https://x"),
            Unavailable,
            "Network",
            "dynamodb in eu-west-1 could not be reached",
            5,
        ),
        (
            faults.ReadTimeoutError(endpoint_url="https://x"),
            Unavailable,
            "Network",
            "dynamodb in eu-west-1 could not",
            5,
        ),
        (
            faults.SSLError(endpoint_url="https://x", error=ValueError("bad")),
            Unavailable,
            "Network",
            "The certificate of the other end was not accepted.",
            5,
        ),
    ],
)
def test_each_refusal_is_told_and_only_passing_ones_are_tried_again(
    said: Said, kind: type[Refused], code: str, why: str, calls: int
) -> None:
    wire = script(said)
    aws = run(wire)
    with pytest.raises(kind) as refused:
        describe(aws)
    assert refused.value.gap.code == code
    assert refused.value.gap.why.startswith(why)
    assert refused.value.gap.what == "dynamodb:DescribeTable"
    assert len(wire.asked) == calls
    assert aws.budget.calls == {"dynamodb:DescribeTable": calls}


def test_back_off_waits_on_the_run_s_clock_and_the_same_each_time() -> None:
    moments = []
    for _ in range(2):
        aws = run(script((400, "ThrottlingException", "Rate exceeded"), (500, "InternalFailure", ""), TABLE))
        assert describe(aws) == TABLE
        moments.append(aws.clock.now())
    assert moments[0] == moments[1]
    waited = (moments[0] - NOW).total_seconds()
    assert 0.25 + 0.5 <= waited <= 0.5 + 1.0 + 2 / 10.0


def test_an_answer_that_cannot_be_read_is_a_gap() -> None:
    class Garbled(Wire):
        def send(self, request: WireRequest) -> WireAnswer:
            return WireAnswer(status=200, headers={}, body=b"<html>proxy</html", protocol="query")

    with pytest.raises(Unavailable) as refused:
        run(Garbled(lambda _: {})).ask("iam", "ListRoles", "eu-west-1", {})
    assert refused.value.gap.code == "Network"
    assert refused.value.gap.why.startswith("AWS's answer could not be read")


@pytest.mark.parametrize(
    ("code", "says"),
    [
        ("ExpiredTokenException", "Your AWS session has expired. Sign in again"),
        ("ExpiredToken", "Your AWS session has expired. Sign in again"),
        ("UnrecognizedClientException", "AWS does not know these credentials"),
        ("InvalidClientTokenId", "AWS does not know this access key"),
        ("InvalidSignatureException", "AWS rejects the signature"),
        ("SignatureDoesNotMatch", "AWS rejects the signature"),
        ("RequestTimeTooSkewed", "the clock of this machine is off"),
    ],
)
def test_credentials_that_aws_refuses_end_the_run_with_a_sentence(code: str, says: str) -> None:
    wire = script((400, code, "x"))
    reader = Reader(run(wire), "T")
    with pytest.raises(NoCredentials, match=says), reader.seeing("the account"):
        reader.ask("dynamodb", "DescribeTable", TableName="orders")
    assert len(wire.asked) == 1


def test_a_region_that_is_switched_off_is_a_gap_once_the_account_is_known() -> None:
    aws = run(script((400, "UnrecognizedClientException", "The security token is invalid")))
    with pytest.raises(Unavailable) as refused:
        describe(aws, "af-south-1")
    assert refused.value.gap.code == "NotEnabled"
    assert "af-south-1: that region is probably not enabled" in refused.value.gap.why


@pytest.mark.parametrize(
    ("fault", "says"),
    [
        (faults.NoCredentialsError(), "No AWS credentials were found. Name a profile"),
        (
            faults.PartialCredentialsError(provider="env", cred_var="key"),
            "The AWS credentials are incomplete",
        ),
        (
            faults.UnauthorizedSSOTokenError(),
            "Your AWS session has expired. Run: aws sso login --profile prod",
        ),
        (faults.SSOTokenLoadError(profile_name="prod", error_msg="x"), "Run: aws sso login --profile prod"),
        (faults.TokenRetrievalError(provider="sso", error_msg="x"), "Run: aws sso login --profile prod"),
        (faults.LoginRefreshRequired(), "Your AWS session has expired. Run: aws login --profile prod"),
        (
            faults.CredentialRetrievalError(provider="p", error_msg="x"),
            "The AWS credentials could not be fetched",
        ),
        (faults.ConfigParseError(path="p", error="x"), "The AWS settings of this machine cannot be used"),
    ],
)
def test_missing_credentials_end_the_run_with_a_sentence(fault: Exception, says: str) -> None:
    with pytest.raises(NoCredentials) as refused:
        describe(run(script(fault), account=Account(region="eu-west-1", profile="prod")))
    assert says in str(refused.value)


def test_no_credentials_at_all(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    wire = script(TABLE)
    wire.virtual = False
    with pytest.raises(NoCredentials, match="No AWS credentials were found"):
        describe(run(wire))
    assert wire.asked == []


def test_an_sso_session_that_has_expired(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    config = tmp_path / "config"
    config.write_text(
        "[profile prod]\nsso_session = corp\nsso_account_id = 111122223333\nsso_role_name = "
        "Reader\nregion = eu-west-1\n"
        "[sso-session corp]\nsso_region = eu-west-1\nsso_start_url = https://example.awsapps.com/start\n"
    )
    monkeypatch.setenv("AWS_CONFIG_FILE", str(config))
    monkeypatch.setenv("HOME", str(tmp_path))
    wire = script(TABLE)
    wire.virtual = False
    with pytest.raises(NoCredentials, match="Run: aws sso login --profile prod"):
        describe(run(wire, account=Account(region="eu-west-1", profile="prod")))
    assert wire.asked == []


def test_an_unknown_profile_lists_those_that_exist(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    config = tmp_path / "config"
    config.write_text("[profile shop-prod]\nregion = eu-west-1\n[profile shop-test]\n")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(config))
    wire = script(TABLE)
    wire.virtual = False
    with pytest.raises(
        NoCredentials, match=r"prod.* could not be found\. Profiles on this machine: shop-prod, shop-test\."
    ):
        describe(run(wire, account=Account(region="eu-west-1", profile="prod")))
    assert region_of("shop-prod") == "eu-west-1"
    with pytest.raises(NoCredentials, match="Profiles on this machine: shop-prod, shop-test"):
        region_of("prod")
    with pytest.raises(BadInput, match="No region is set"):
        region_of("shop-test")


def test_a_profile_set_for_the_machine_does_not_reach_a_replay(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    config = tmp_path / "config"
    config.write_text("this is [no configuration")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(config))
    monkeypatch.setenv("AWS_PROFILE", "no-such-profile")
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://localhost:1")
    wire = script(TABLE)
    assert describe(run(wire)) == TABLE
    assert wire.asked[0].url == "https://dynamodb.eu-west-1.amazonaws.com/"


def test_region_comes_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_REGION", "ap-northeast-1")
    assert region_of("") == "ap-northeast-1"


@pytest.mark.parametrize(
    ("region", "says"),
    [
        ("eu-wst-1", '"eu-wst-1" is not an AWS region. Did you mean eu-west-1?'),
        ("tokyo", '"tokyo" is not an AWS region. Regions look like eu-west-1.'),
        ("", '"" is not an AWS region. Regions look like eu-west-1.'),
    ],
)
def test_an_unknown_region_is_told_before_anything_is_sent(keys: None, region: str, says: str) -> None:
    wire = script(TABLE)
    wire.virtual = False
    with pytest.raises(BadInput) as refused:
        describe(run(wire, account=Account(region=region)), region)
    assert str(refused.value) == says
    assert wire.asked == []


@pytest.mark.parametrize("region", ["", "eu west", "EU-WEST-1", "a/b", "x" * 80])
def test_what_cannot_be_part_of_a_host_name_is_no_region(region: str) -> None:
    wire = script(TABLE)
    with pytest.raises(BadInput, match="is not an AWS region"):
        run(wire, account=Account(region=region)).ask("dynamodb", "ListTables", region, {})
    assert wire.asked == []


def test_a_region_newer_than_botocore_passes(keys: None) -> None:
    wire = script(TABLE)
    wire.virtual = False
    assert describe(run(wire, account=Account(region="eu-west-9")), "eu-west-9") == TABLE


def test_a_role_is_assumed_once_and_its_keys_sign_the_calls(keys: None, tmp_path: Path) -> None:
    role = "arn:aws:iam::444455556666:role/opsleuth-reader"

    def answer(request: WireRequest) -> Said:
        if request.operation != "AssumeRole":
            return TABLE
        return {
            "Credentials": {
                "AccessKeyId": "ASIAIOSFODNN7EXAMPLE",
                "SecretAccessKey": "s3cr3t",
                "SessionToken": "t0ken",
                "Expiration": "2099-01-01T00:00:00Z",
            }
        }

    wire = Wire(answer, virtual=False)
    path = tmp_path / "run.yaml"
    aws = run(RecordingTransport(wire, path), account=Account(region="eu-west-1", role_arn=role))
    assert describe(aws) == TABLE
    assert describe(aws) == TABLE
    aws.close()
    assert [request.operation for request in wire.asked] == ["AssumeRole", "DescribeTable", "DescribeTable"]
    assert wire.asked[0].parameters == {"RoleArn": role, "RoleSessionName": "opsleuth"}
    assert "AKIAIOSFODNN7EXAMPLE" in wire.asked[0].headers["Authorization"]
    assert "ASIAIOSFODNN7EXAMPLE" in wire.asked[1].headers["Authorization"]
    assert "s3cr3t" not in path.read_text()
    assert "t0ken" not in path.read_text()


@given(
    st.one_of(
        st.integers(-62_000_000_000, 253_000_000_000),
        st.floats(0, 4e9),
        st.integers(0, 4_000_000_000).map(str),
        st.datetimes(timezones=st.timezones()).map(lambda one: one.isoformat()),
        st.datetimes().map(lambda one: f"{one.isoformat()}Z"),
        st.datetimes().map(lambda one: one.strftime("%a, %d %b %Y %H:%M:%S GMT")),
    )
)
def test_times_are_read_as_botocore_reads_them_but_in_utc(told: Any) -> None:
    try:
        known = parse_timestamp(told)
        known = known.astimezone(UTC) if known.tzinfo else known.replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        with pytest.raises((ValueError, OverflowError)):
            moment_of(told)
        return
    assert moment_of(told) == known
    assert moment_of(told).tzinfo is UTC


def test_only_what_leaves_the_process_is_signed(keys: None) -> None:
    virtual, live = script(TABLE), script(TABLE)
    live.virtual = False
    for wire in (virtual, live):
        assert describe(run(wire)) == TABLE
    assert "Authorization" in live.asked[0].headers
    assert "Authorization" not in virtual.asked[0].headers


@pytest.mark.parametrize("virtual", [True, False])
def test_no_url_is_presigned_wherever_a_run_looks(keys: None, virtual: bool) -> None:
    wire = script(TABLE)
    wire.virtual = virtual
    client = run(wire).client("dynamodb")
    with pytest.raises(WriteRefused, match="no presigned URLs"):
        client.generate_presigned_url("describe_table", Params={"TableName": "orders"})
    assert wire.asked == []


def test_a_role_that_cannot_be_assumed(keys: None) -> None:
    wire = script((403, "AccessDenied", "not authorized to perform: sts:AssumeRole"))
    wire.virtual = False
    with pytest.raises(NoCredentials, match=r"role/none cannot be assumed: .*sts:AssumeRole"):
        describe(
            run(wire, account=Account(region="eu-west-1", role_arn="arn:aws:iam::444455556666:role/none"))
        )


def test_identify_tells_the_account() -> None:
    aws = run(script({"Account": "444455556666", "Arn": "a", "UserId": "u"}), own="")
    assert aws.account == ""
    assert aws.identify(Reader(aws, "T")) == aws.account == "444455556666"


def _names(request: WireRequest) -> Said:
    page = int(request.parameters.get("ExclusiveStartTableName", "page-0")[5:])
    return {"TableNames": [f"n{page}"]} | ({"LastEvaluatedTableName": f"page-{page + 1}"} if page < 3 else {})


@pytest.mark.parametrize(
    ("limit", "items", "complete"), [(10, 4, True), (4, 4, True), (3, 3, False), (1, 1, False)]
)
def test_a_page_limit_is_told(limit: int, items: int, complete: bool) -> None:
    reader = Reader(run(Wire(_names)), "T")
    token = ("ExclusiveStartTableName", "LastEvaluatedTableName")
    pages = reader.pages("dynamodb", "ListTables", "TableNames", limit=limit, token=token)
    assert pages.items == tuple(f"n{number}" for number in range(items))
    assert pages.complete is complete
    assert pages.evidence == tuple(f"T{number + 1}" for number in range(items))
    assert pages.of(0, 1) == "T1"
    assert pages.of(99, 1) == f"T{items}"


def test_a_token_given_twice_ends_the_pages_and_they_are_not_whole() -> None:
    wire = script({"TableNames": ["a"], "LastEvaluatedTableName": "again"})
    token = ("ExclusiveStartTableName", "LastEvaluatedTableName")
    pages = Reader(run(wire), "T").pages("dynamodb", "ListTables", "TableNames", limit=50, token=token)
    assert (len(wire.asked), pages.items, pages.complete) == (2, ("a", "a"), False)


def test_a_log_stream_ends_by_giving_its_token_back() -> None:
    wire = script({"events": [], "nextForwardToken": "f/1"})
    pages = Reader(run(wire), "L").pages(
        "logs",
        "GetLogEvents",
        "events",
        token=("nextToken", "nextForwardToken"),
        logGroupName="g",
        logStreamName="s",
    )
    assert (len(wire.asked), pages.complete) == (2, True)


def test_budgets_of_calls_bytes_and_seconds_become_gaps() -> None:
    for limits, calls, says in (
        (Limits(calls=2), 2, "2 AWS calls"),
        (Limits(bytes=10), 1, "10 bytes"),
        (Limits(seconds=1.0), 12, "1 seconds of reading"),
    ):
        wire = script(TABLE)
        reader = Reader(run(wire, limits=limits), "T")
        with reader.seeing("Tables"):
            for _ in range(100):
                reader.ask("dynamodb", "DescribeTable", TableName="orders")
        assert len(wire.asked) == calls
        assert reader.gaps[0].code == "BudgetSpent"
        assert says in reader.gaps[0].why


def test_waiting_for_something_else_costs_no_reading_time() -> None:
    aws = run(script(TABLE), limits=Limits(seconds=5.05))
    describe(aws)
    aws.clock.sleep(3600)
    describe(aws)
    assert aws.budget.seconds < 1
    for _ in range(51):
        describe(aws)
    with pytest.raises(BudgetSpent, match=r"5\.05 seconds"):
        describe(aws)


def test_parameters_that_do_not_fit_are_a_defect_not_a_gap() -> None:
    reader = Reader(run(script(TABLE)), "T")
    with pytest.raises(CannotInvestigate, match="DescribeTable was asked wrongly"), reader.seeing("Tables"):
        reader.ask("dynamodb", "DescribeTable", Table="orders")
    with pytest.raises(CannotInvestigate, match="dynamodb has no operation DescribeTabel"):
        reader.ask("dynamodb", "DescribeTabel")
    with pytest.raises(WriteRefused), reader.seeing("Tables"):
        reader.ask("dynamodb", "DeleteTable", TableName="orders")


def test_a_service_that_botocore_does_not_know_is_a_gap() -> None:
    with pytest.raises(Unavailable) as refused:
        run(script({})).ask("dynamite", "Explode", "eu-west-1", {})
    assert refused.value.gap.code == "NotOffered"


def test_the_wire_request_says_what_is_asked_and_as_of_when() -> None:
    wire = script(TABLE)
    aws = run(wire)
    aws.as_of = NOW - timedelta(hours=2)
    describe(aws, "eu-west-3")
    (request,) = wire.asked
    assert (request.service, request.operation, request.protocol) == ("dynamodb", "DescribeTable", "json")
    assert (request.account, request.region) == ("111122223333", "eu-west-3")
    assert (request.as_of, request.now) == (NOW - timedelta(hours=2), NOW)
    assert request.parameters == {"TableName": "orders"}
    assert json.loads(request.body) == {"TableName": "orders"}
    assert request.url == "https://dynamodb.eu-west-3.amazonaws.com/"


def test_a_model_is_asked_through_the_same_door(tmp_path: Path) -> None:
    said = {
        "output": {"message": {"role": "assistant", "content": [{"text": "a table"}]}},
        "stopReason": "end_turn",
        "usage": {"inputTokens": 1, "outputTokens": 1, "totalTokens": 2},
        "metrics": {"latencyMs": 1},
    }
    path = tmp_path / "run.yaml"
    aws = run(RecordingTransport(script(said), path))
    question: Json = {"modelId": "m", "messages": [{"role": "user", "content": [{"text": "what is this?"}]}]}
    first = aws.client("bedrock-runtime").converse(**question)
    with pytest.raises(WriteRefused):
        aws.client("bedrock-runtime").invoke_model(modelId="m", body=b"{}")
    aws.close()
    again = run(Player(path)).client("bedrock-runtime").converse(**question)
    assert again["output"] == first["output"] == said["output"]


def test_threads_share_one_client_and_one_turn() -> None:
    wire = script(TABLE)
    aws = run(wire)
    with ThreadPoolExecutor(16) as pool:
        answers = list(pool.map(lambda _: describe(aws), range(64)))
    assert answers == [TABLE] * 64
    assert aws.client("dynamodb") is aws.client("dynamodb", "eu-west-1")
    assert aws.budget.calls == {"dynamodb:DescribeTable": 64}
    assert aws.clock.now() == NOW + timedelta(seconds=6.3)


def test_regions_are_those_of_the_partition() -> None:
    assert "eu-west-1" in run(script({})).regions()
    assert run(script({}), account=Account(region="cn-north-1")).regions() == ("cn-north-1", "cn-northwest-1")
    assert run(script({}), account=Account(region="cn-north-1")).global_region == "cn-northwest-1"


@pytest.fixture
def server() -> Iterator[tuple[str, list[str]]]:
    """A web server on this machine that answers like DynamoDB and notes the paths and headers it got."""
    from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

    seen: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            seen.append(f"{self.headers['X-Amz-Target']} {body.decode()}")
            raw = json.dumps(TABLE).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(raw)))
            self.end_headers()
            self.wfile.write(raw)

        def log_message(self, *_: Any) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as http:
        thread = threading.Thread(target=http.serve_forever, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{http.server_port}", seen
        http.shutdown()
        thread.join()


def test_the_live_transport_sends_what_botocore_prepared(
    keys: None, server: tuple[str, list[str]], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    url, seen = server
    monkeypatch.setenv("AWS_ENDPOINT_URL_DYNAMODB", url)
    live = LiveTransport()
    assert (live.virtual, live.start()) == (False, None)
    aws = run(RecordingTransport(live, tmp_path / "run.yaml"))
    assert describe(aws) == TABLE
    aws.close()
    assert seen == ['DynamoDB_20120810.DescribeTable {"TableName": "orders"}']
    assert describe(run(Player(tmp_path / "run.yaml"))) == TABLE


def test_nobody_at_the_other_end_is_a_gap(keys: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL_DYNAMODB", "http://127.0.0.1:9")
    aws = run(LiveTransport())
    with pytest.raises(Unavailable, match="dynamodb in eu-west-1 could not be reached"):
        describe(aws)
    assert aws.budget.calls == {"dynamodb:DescribeTable": 5}
    aws.close()


def test_light_modules_do_not_load_boto() -> None:
    light = ["models", "errors", "arn", "evidence", "redact", "denied", "clock", "transport", "reader"]
    imports = ", ".join(f"tools.{name}" for name in light)
    code = f"import sys, {imports}; print('botocore' in sys.modules, 'yaml' in sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=True,
        env=os.environ | {"PYTHONPATH": "."},
    )
    assert done.stdout.split() == ["False", "False"]
