"""Recordings: what is written, what vcrpy makes of it, what a player answers and what it refuses to guess."""

from __future__ import annotations

import json
import socket
import threading
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import boto3
import pytest
import vcr
import yaml
from botocore.config import Config
from hypothesis import given
from hypothesis import strategies as st

from tools.aws import Account, Aws, Reader
from tools.budget import Budget, Limits
from tools.cassette import Cassette, Interaction, Unanswered, read, write
from tools.clock import VirtualClock
from tools.errors import BadRecording, NotRecorded, Throttled
from tools.evidence import MemoryStore
from tools.models import Gap
from tools.recording import Player, RecordingTransport
from tools.transport import Transport, WireAnswer, WireRequest

NOW = datetime(2026, 3, 13, 17, 41, tzinfo=UTC)
CALLER = (
    b"<GetCallerIdentityResponse><GetCallerIdentityResult><Account>111122223333</Account>"
    b"<Arn>arn:aws:iam::111122223333:user/ops-07</Arn><UserId>AIDAEXAMPLE</UserId></GetCallerIdentityResult>\n"
    b"</GetCallerIdentityResponse>"
)


@dataclass
class Scripted:
    """A Transport that answers by a function and counts what it was asked."""

    answer: Callable[[WireRequest], tuple[int, bytes]]
    asked: Counter[str] = field(default_factory=Counter)
    virtual: bool = True
    closed: int = 0
    lock: Any = field(default_factory=threading.Lock)

    def start(self) -> datetime | None:
        return NOW

    def send(self, request: WireRequest) -> WireAnswer:
        with self.lock:
            self.asked[request.operation] += 1
        status, body = self.answer(request)
        headers = {"Content-Type": "application/x-amz-json-1.0", "Date": "now", "x-amzn-RequestId": "r-1"}
        return WireAnswer(status=status, headers=headers, body=body, protocol=request.protocol)

    def close(self) -> None:
        self.closed += 1


def echo(request: WireRequest) -> tuple[int, bytes]:
    """Says what it was asked, so that a mixed-up answer is seen."""
    if request.operation == "GetCallerIdentity":
        return 200, CALLER
    if request.service == "lambda":
        return 200, json.dumps({"FunctionName": request.parameters["FunctionName"], "Timeout": 3}).encode()
    name = request.parameters.get("TableName", "")
    return 200, json.dumps({"Table": {"TableName": name, "ItemCount": len(name)}}).encode()


def aws(transport: Transport, now: datetime = NOW, account: str = "111122223333") -> Aws:
    budget = Budget(Limits(calls=10_000))
    return Aws(
        Account(region="eu-west-1"), transport, VirtualClock(now), budget, MemoryStore(), own_account=account
    )


def ask(transport: Transport, table: str = "orders", **options: Any) -> dict[str, Any]:
    return aws(transport, **options).ask("dynamodb", "DescribeTable", "eu-west-1", {"TableName": table})


def request(operation: str = "DescribeTable", protocol: str = "json", **parameters: Any) -> WireRequest:
    return WireRequest(
        account="111122223333",
        region="eu-west-1",
        service="dynamodb",
        operation=operation,
        parameters=parameters,
        protocol=protocol,
        as_of=NOW,
        now=NOW,
        method="POST",
        url="https://dynamodb.eu-west-1.amazonaws.com/",
        headers={"X-Amz-Target": f"DynamoDB_20120810.{operation}", "Authorization": "AWS4-HMAC-SHA256 x"},
        body=json.dumps(parameters, default=str).encode(),
    )


def recorded(path: Path, answers: list[tuple[int, bytes]], **parameters: Any) -> Path:
    """A recording of one question asked again and again, a second apart."""
    said = iter(answers)
    recorder = RecordingTransport(Scripted(lambda _: next(said)), path)
    for number in range(len(answers)):
        question = request(**parameters)
        recorder.send(WireRequest(**{**_fields(question), "now": NOW + timedelta(seconds=number)}))
    recorder.close()
    return path


def _fields(question: WireRequest) -> dict[str, Any]:
    return {name: getattr(question, name) for name in WireRequest.__dataclass_fields__}


def test_a_recorded_run_is_answered_the_same_without_its_upstream(tmp_path: Path) -> None:
    path = tmp_path / "run.yaml"
    upstream = Scripted(echo)
    first = aws(RecordingTransport(upstream, path, context={"alarm": "orders-writes-throttled"}), account="")
    reader = Reader(first, "T")
    first.identify(reader)
    reader.ask("dynamodb", "DescribeTable", TableName="orders")
    reader.ask("lambda", "GetFunctionConfiguration", FunctionName="writer")
    assert not path.exists()
    first.close()
    assert upstream.closed == 1

    player = Player(path)
    assert (player.virtual, player.start(), player.region) == (True, NOW, "eu-west-1")
    assert player.header["alarm"] == "orders-writes-throttled"
    again = aws(player, account="")
    second = Reader(again, "T")
    assert again.identify(second) == "111122223333"
    second.ask("dynamodb", "DescribeTable", TableName="orders")
    second.ask("lambda", "GetFunctionConfiguration", FunctionName="writer")
    assert second.evidence == reader.evidence
    assert [item.id for item in second.evidence] == ["T1", "T2", "T3"]


def test_a_run_that_knows_its_account_from_the_start_finds_the_same_answers(tmp_path: Path) -> None:
    path = tmp_path / "run.yaml"
    first = aws(RecordingTransport(Scripted(echo), path), account="")
    first.identify(Reader(first, "T"))
    first.ask("dynamodb", "DescribeTable", "eu-west-1", {"TableName": "orders"})
    first.close()
    resumed = aws(Player(path), account="111122223333")
    assert resumed.identify(Reader(resumed, "T")) == "111122223333"
    assert (
        resumed.ask("dynamodb", "DescribeTable", "eu-west-1", {"TableName": "orders"})["Table"]["ItemCount"]
        == 6
    )


@pytest.fixture
def no_socket(monkeypatch: pytest.MonkeyPatch) -> Callable[[], list[str]]:
    """From the call on, no socket can be made, on this machine either; what tried is in the list."""
    tried: list[str] = []

    def refuse(*arguments: object, **_: object) -> None:
        tried.append(str(arguments))
        raise AssertionError("a replay made a socket")

    def guard() -> list[str]:
        monkeypatch.setattr(socket, "socket", refuse)
        monkeypatch.setattr(socket, "create_connection", refuse)
        monkeypatch.setattr(socket, "getaddrinfo", refuse)
        return tried

    return guard


def test_sixteen_threads_lose_and_mix_nothing(tmp_path: Path, no_socket: Callable[[], list[str]]) -> None:
    path = tmp_path / "run.yaml"
    upstream = Scripted(echo)
    recorder = RecordingTransport(upstream, path)
    names = [f"table-{number % 100:03d}{'x' * (number % 100)}" for number in range(400)]

    def sizes(transport: Transport) -> list[int]:
        shared = aws(transport)
        with ThreadPoolExecutor(16) as pool:
            answers = pool.map(
                lambda name: shared.ask("dynamodb", "DescribeTable", "eu-west-1", {"TableName": name}), names
            )
            found = [int(answer["Table"]["ItemCount"]) for answer in answers]
        shared.close()
        return found

    expected = [len(name) for name in names]
    assert sizes(recorder) == expected
    assert upstream.asked == {"DescribeTable": 400}
    kept = read(path).interactions
    assert len(kept) == 400
    assert Counter(item.parameters["TableName"] for item in kept) == Counter(names)
    tried = no_socket()
    assert sizes(Player(path)) == expected
    assert tried == []


def test_vcrpy_replays_the_same_file(tmp_path: Path) -> None:
    """Unmodified vcrpy, its documented matchers and one thread; the client has no hook of ours."""
    path = tmp_path / "run.yaml"
    run = aws(RecordingTransport(Scripted(echo), path), account="")
    run.identify(Reader(run, "T"))
    ours = [
        run.ask("dynamodb", "DescribeTable", "eu-west-1", {"TableName": name})
        for name in ("orders", "customers")
    ]
    ours.append(run.ask("lambda", "GetFunctionConfiguration", "eu-west-1", {"FunctionName": "writer"}))
    run.close()

    def same_target(one: Any, other: Any) -> None:
        targets = [
            {key.lower(): value for key, value in item.headers.items()}.get("x-amz-target")
            for item in (one, other)
        ]
        texts = [value.decode() if isinstance(value, bytes) else value for value in targets]
        assert texts[0] == texts[1]

    recorder = vcr.VCR(
        record_mode="none", match_on=["method", "scheme", "host", "port", "path", "query", "target", "body"]
    )
    recorder.register_matcher("target", same_target)
    session = boto3.Session(region_name="eu-west-1", aws_access_key_id="x", aws_secret_access_key="x")
    options = Config(retries={"total_max_attempts": 1}, account_id_endpoint_mode="disabled")
    with recorder.use_cassette(str(path), allow_playback_repeats=True) as cassette:
        tables: Any = session.client("dynamodb", config=options)
        theirs = [tables.describe_table(TableName=name) for name in ("customers", "orders")]
        theirs.append(
            session.client("lambda", config=options).get_function_configuration(FunctionName="writer")
        )
        assert session.client("sts", config=options).get_caller_identity()["Account"] == "111122223333"
        assert cassette.play_count == 4
    for answer in theirs:
        answer.pop("ResponseMetadata")
    assert [theirs[1], theirs[0], theirs[2]] == ours


def test_equal_questions_keep_the_order_of_their_answers(tmp_path: Path) -> None:
    path = recorded(tmp_path / "run.yaml", [(200, b'{"n":1}'), (200, b'{"n":2}'), (200, b'{"n":3}')])
    player = Player(path)
    assert [player.send(request()).body for _ in range(3)] == [b'{"n":1}', b'{"n":2}', b'{"n":3}']
    with pytest.raises(NotRecorded) as refused:
        player.send(request())
    assert (
        refused.value.gap.why
        == "The recording holds 3 different answers to this question, all given already."
    )


def test_sixteen_threads_that_ask_the_same_get_each_answer_once(tmp_path: Path) -> None:
    """The nth asking gets the nth answer, whichever thread asks."""
    numbers = iter(range(400))
    lock = threading.Lock()

    def answer(_: WireRequest) -> tuple[int, bytes]:
        with lock:
            return 200, json.dumps({"n": next(numbers)}).encode()

    recorder = RecordingTransport(Scripted(answer), tmp_path / "run.yaml")
    with ThreadPoolExecutor(16) as pool:
        said = [one.body for one in pool.map(lambda _: recorder.send(request()), range(400))]
    recorder.close()
    player = Player(tmp_path / "run.yaml")
    with ThreadPoolExecutor(16) as pool:
        again = [one.body for one in pool.map(lambda _: player.send(request()), range(400))]
    assert sorted(again) == sorted(said)
    assert len(set(again)) == 400


def test_an_answer_that_never_changed_repeats(tmp_path: Path) -> None:
    player = Player(recorded(tmp_path / "run.yaml", [(200, b'{"n":1}')] * 2))
    assert {player.send(request()).body for _ in range(9)} == {b'{"n":1}'}


def test_a_throttle_is_replayed_once_and_never_repeats(tmp_path: Path) -> None:
    throttle = (400, b'{"__type":"ThrottlingException","message":"Rate exceeded"}')
    player = Player(recorded(tmp_path / "run.yaml", [throttle, (200, b'{"n":1}')]))
    assert [player.send(request()).status for _ in range(4)] == [400, 200, 200, 200]


def test_a_resumed_run_goes_on_where_it_stopped(tmp_path: Path) -> None:
    path = recorded(tmp_path / "run.yaml", [(200, b'{"n":1}'), (200, b'{"n":2}'), (200, b'{"n":3}')])
    player = Player(path, resumed_at=NOW + timedelta(seconds=2))
    assert player.send(request()).body == b'{"n":3}'
    assert Player(path, resumed_at=NOW).send(request()).body == b'{"n":1}'


def test_an_unknown_question_is_a_gap_that_names_it(tmp_path: Path) -> None:
    path = recorded(tmp_path / "run.yaml", [(200, b"{}")], TableName="orders")
    with pytest.raises(NotRecorded) as refused:
        ask(Player(path), "customers")
    assert refused.value.gap == Gap(
        what="dynamodb:DescribeTable",
        why="The recording holds dynamodb:DescribeTable in eu-west-1, but of other questions than this one.",
        lift="A recording answers only what was asked when it was made. To ask anew: opsleuth record",
        code="NotRecorded",
    )
    with pytest.raises(NotRecorded, match="holds no answer of dynamodb:ListTables in eu-west-1"):
        Player(path).send(request("ListTables"))


def test_a_gap_of_the_upstream_is_told_again_in_its_words(tmp_path: Path) -> None:
    path = tmp_path / "run.yaml"
    told = Gap(
        what="xray:GetServiceGraph", why="This world has no traces.", lift="None needed.", code="NotRecorded"
    )

    def answer(question: WireRequest) -> tuple[int, bytes]:
        if question.operation == "ListTables":
            raise NotRecorded(told, "NotRecorded")
        return 200, b"{}"

    recorder = RecordingTransport(Scripted(answer), path)
    recorder.send(request())
    with pytest.raises(NotRecorded):
        recorder.send(request("ListTables"))
    recorder.close()
    with pytest.raises(NotRecorded) as refused:
        Player(path).send(request("ListTables"))
    assert refused.value.gap == told


def test_another_protocol_stops_the_replay(tmp_path: Path) -> None:
    player = Player(recorded(tmp_path / "run.yaml", [(200, b"{}")]))
    with pytest.raises(BadRecording, match=r"in the json protocol; the botocore installed here speaks query"):
        player.send(request(protocol="query"))


def test_the_protocol_of_the_client_reaches_the_player(tmp_path: Path) -> None:
    path = recorded(tmp_path / "run.yaml", [(200, b"{}")], TableName="orders")
    path.write_text(path.read_text().replace("protocol: json", "protocol: query"))
    with pytest.raises(BadRecording, match="record again with: opsleuth record"):
        ask(Player(path))


def test_secrets_and_signatures_are_not_written(tmp_path: Path) -> None:
    path = tmp_path / "run.yaml"
    body = b'{"Environment":{"Variables":{"DB_PASSWORD":"hunter2","TABLE":"orders"}}}'
    recorder = RecordingTransport(Scripted(lambda _: (200, body)), path)
    answer = recorder.send(request(TableName="orders", FilterExpression="password=hunter3"))
    recorder.close()
    assert b"hunter2" in answer.body
    text = path.read_text()
    for secret in ("hunter2", "hunter3", "AWS4-HMAC", "Authorization", "Date: "):
        assert secret not in text
    assert "orders" in text
    assert (
        b"[redacted]"
        in Player(path).send(request(TableName="orders", FilterExpression="password=hunter3")).body
    )


def test_sessions_of_roles_are_passed_on_and_not_written(tmp_path: Path) -> None:
    path = tmp_path / "run.yaml"
    recorder = RecordingTransport(Scripted(lambda _: (200, b"<Credentials>s3cr3t</Credentials>")), path)
    recorder.send(request())
    fields = _fields(request("AssumeRole")) | {"service": "sts"}
    assert recorder.send(WireRequest(**fields)).body == b"<Credentials>s3cr3t</Credentials>"
    recorder.close()
    assert [item.operation for item in read(path).interactions] == ["DescribeTable"]


def test_a_scrubber_of_ones_own_replaces_the_usual_one(tmp_path: Path) -> None:
    def mask(text: str) -> str:
        return text.replace("111122223333", "000000000000")

    path = tmp_path / "run.yaml"
    arn = "arn:aws:dynamodb:eu-west-1:111122223333:table/orders"
    recorder = RecordingTransport(Scripted(lambda _: (200, f'{{"a":"{arn}"}}'.encode())), path, scrub=mask)
    recorder.send(request(TableName=arn))
    recorder.close()
    assert read(path).interactions[0].parameters == {"TableName": mask(arn)}
    assert Player(path, scrub=mask).send(request(TableName=arn)).body == f'{{"a":"{mask(arn)}"}}'.encode()


def test_times_of_one_moment_are_one_question(tmp_path: Path) -> None:
    path = tmp_path / "run.yaml"
    recorder = RecordingTransport(Scripted(lambda _: (200, b"{}")), path)
    recorder.send(request(StartTime=NOW))
    recorder.close()
    tokyo = NOW.astimezone(timezone(timedelta(hours=9)))
    assert Player(path).send(request(StartTime=tokyo)).status == 200
    assert read(path).interactions[0].parameters == {"StartTime": "2026-03-13T17:41:00+00:00"}


def test_nothing_is_written_when_nothing_was_answered(tmp_path: Path) -> None:
    upstream = Scripted(lambda _: (200, b""))
    RecordingTransport(upstream, tmp_path / "run.yaml").close()
    assert list(tmp_path.iterdir()) == []
    assert upstream.closed == 1


def test_closing_twice_writes_once(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "run.yaml"
    recorder = RecordingTransport(Scripted(lambda _: (200, b"{}")), path)
    recorder.send(request())
    recorder.close()
    before = path.read_text()
    recorder.close()
    assert path.read_text() == before
    assert [item.name for item in path.parent.iterdir()] == ["run.yaml"]


def test_a_failing_write_leaves_no_half_file(tmp_path: Path) -> None:
    good = read(recorded(tmp_path / "good.yaml", [(200, b"{}")]))
    broken = Cassette(header={"start": object()}, interactions=good.interactions)
    with pytest.raises(yaml.representer.RepresenterError):
        write(tmp_path / "bad.yaml", broken)
    (tmp_path / "taken").mkdir()
    with pytest.raises(OSError, match="taken"):
        write(tmp_path / "taken", good)
    assert sorted(item.name for item in tmp_path.iterdir()) == ["good.yaml", "taken"]


def test_order_in_the_file_follows_the_questions_not_the_clock(tmp_path: Path) -> None:
    def file(names: list[str], path: Path) -> list[dict[str, Any]]:
        recorder = RecordingTransport(Scripted(echo), path)
        for name in names:
            recorder.send(request(TableName=name))
        recorder.close()
        return [item.parameters for item in read(path).interactions]

    assert file(["b", "a", "c"], tmp_path / "one") == file(["c", "b", "a"], tmp_path / "two")


def test_equal_bodies_are_written_once(tmp_path: Path) -> None:
    body = json.dumps({"Values": list(range(2000))}).encode()
    recorder = RecordingTransport(Scripted(lambda _: (200, body)), tmp_path / "run.yaml")
    for number in range(20):
        recorder.send(request(TableName=f"t{number}"))
    recorder.close()
    assert (tmp_path / "run.yaml").stat().st_size < 2 * len(body) + 20 * 1000
    player = Player(tmp_path / "run.yaml")
    assert {player.send(request(TableName=f"t{number}")).body for number in range(20)} == {body}


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "holds no interactions"),
        ("just words", "holds no interactions"),
        ("[1, 2]", "holds no interactions"),
        ("version: 1\ninteractions: []\n", "not of opsleuth"),
        ("version: 1\nopsleuth: {format: 99}\ninteractions: []\ncomplete: true\n", "has format 99"),
        ("version: 1\nopsleuth: {format: 1}\ninteractions: []\n", "cut short"),
        ("version: 1\nopsleuth: {format: 1}\ninteractions: [{}]\ncomplete: true\n", "damaged"),
        ("version: 1\nopsleuth: {format: 1}\ninteractions: [7]\ncomplete: true\n", "damaged"),
        ("version: 1\nopsleuth: {format: 1, start: tomorrow}\ninteractions: []\ncomplete: true\n", "damaged"),
        ("version: 1\nopsleuth: {format: 1}\ninteractions: [{request: 'oh\n", "damaged or cut short"),
        ("a: !!python/object:os.system x\n", "damaged or cut short"),
    ],
)
def test_what_is_no_recording_is_told_in_a_sentence(tmp_path: Path, text: str, says: str) -> None:
    path = tmp_path / "run.yaml"
    path.write_text(text)
    with pytest.raises(BadRecording, match=says) as refused:
        Player(path)
    assert str(path) in str(refused.value)
    assert "opsleuth record" in str(refused.value)


def test_a_missing_or_unreadable_file_is_told_in_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(BadRecording, match="There is no recording at"):
        Player(tmp_path / "none.yaml")
    with pytest.raises(BadRecording, match="cannot be read: Is a directory"):
        Player(tmp_path)
    (tmp_path / "binary.yaml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(BadRecording, match="cannot be read: it is no text"):
        Player(tmp_path / "binary.yaml")


def test_a_file_cut_anywhere_is_never_taken_for_whole(tmp_path: Path) -> None:
    whole = recorded(tmp_path / "run.yaml", [(200, b'{"n":1}'), (200, b"<a>\n<b/>\n</a>")]).read_text()
    cut = tmp_path / "cut.yaml"
    lines = 0
    for end in range(len(whole) - 1):
        cut.write_text(whole[:end])
        if whole[:end].rstrip().endswith("complete: true"):
            continue
        with pytest.raises(BadRecording):
            read(cut)
        lines += 1
    assert lines > 500


_texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=80)
_bodies = st.one_of(st.binary(max_size=60), _texts.map(str.encode), st.just(b"<a>\n  <b/>\n</a>\n"))


@given(body=_bodies, question=_texts, header=_texts)
def test_any_body_comes_back_byte_for_byte(
    tmp_path_factory: pytest.TempPathFactory, body: bytes, question: str, header: str
) -> None:
    path = tmp_path_factory.mktemp("cassette") / "run.yaml"
    interaction = Interaction(
        account="111122223333",
        region="eu-west-1",
        service="s3",
        operation="GetBucketPolicy",
        parameters={"Bucket": question},
        recorded_at=NOW,
        method="GET",
        url=f"https://s3.amazonaws.com/{question}",
        request_headers={"Content-Type": header},
        request_body=question.encode(),
        answer=WireAnswer(status=299, headers={"x-amz-id": header}, body=body, protocol="rest-xml"),
    )
    unanswered = Unanswered(
        account="",
        region="r",
        service="s",
        operation="O",
        parameters={"a": [1, None]},
        gap=Gap(what="w", why=question),
    )
    cassette = Cassette(
        header={"start": NOW.isoformat(), "note": header},
        interactions=(interaction,),
        unanswered=(unanswered,),
    )
    write(path, cassette)
    assert read(path) == cassette


def test_a_refused_call_keeps_its_error_through_the_recording(tmp_path: Path) -> None:
    path = tmp_path / "run.yaml"
    throttle = b'{"__type":"ThrottlingException","message":"Rate exceeded"}'
    upstream = Scripted(lambda _: (400, throttle))
    run = aws(RecordingTransport(upstream, path))
    with pytest.raises(Throttled):
        run.ask("dynamodb", "DescribeTable", "eu-west-1", {"TableName": "orders"})
    run.close()
    assert upstream.asked == {"DescribeTable": 5}
    with pytest.raises(Throttled):
        ask(Player(path))
