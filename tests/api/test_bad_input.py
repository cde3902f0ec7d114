"""Bad input: each time a sentence that says what to do, the right exit code, nothing half-written, no traceback."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest

from api.cli import main
from tools.recording import Player

ACCOUNT = "111122223333"
TABLE = f"arn:aws:dynamodb:eu-central-1:{ACCOUNT}:table/parcels"
SETTINGS = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_ENDPOINT_URL", "AWS_PROFILE", "AWS_REGION")


@dataclass
class Cloud:
    """What stands where AWS stands: `alarms` by region, and nothing else. `refuses` are error codes by operation."""

    url: str = ""
    alarms: dict[str, list[str]] = field(default_factory=dict)
    refuses: dict[str, str] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)

    def answer(self, service: str, operation: str, region: str) -> tuple[int, str]:
        self.asked.append(f"{service}:{operation}:{region}")
        if operation in self.refuses or "*" in self.refuses:
            code = self.refuses.get(operation) or self.refuses["*"]
            if service in ("sts", "iam"):
                return (
                    403,
                    f"<ErrorResponse><Error><Code>{code}</Code><Message>no</Message></Error></ErrorResponse>",
                )
            return 400, json.dumps({"__type": code, "message": "User: x is not authorized to perform this"})
        if operation == "GetCallerIdentity":
            body = f"<Account>{ACCOUNT}</Account><Arn>arn:aws:iam::{ACCOUNT}:user/jo</Arn><UserId>A</UserId>"
            whole = f"<{operation}Result>{body}</{operation}Result>"
            return 200, f"<{operation}Response>{whole}</{operation}Response>"
        if service in ("sts", "iam"):
            return 200, f"<{operation}Response><{operation}Result/></{operation}Response>"
        if operation == "DescribeTable":
            return 400, json.dumps(
                {"__type": "ResourceNotFoundException", "message": "Requested resource not found"}
            )
        if operation == "DescribeAlarms":
            return 200, json.dumps(
                {"MetricAlarms": [_alarm(name, region) for name in self.alarms.get(region, [])]}
            )
        return 200, "{}"


def _alarm(name: str, region: str) -> dict[str, object]:
    return {
        "AlarmName": name,
        "AlarmArn": f"arn:aws:cloudwatch:{region}:{ACCOUNT}:alarm:{name}",
        "MetricName": "WriteThrottleEvents",
        "Namespace": "AWS/DynamoDB",
        "Statistic": "Sum",
        "Dimensions": [{"Name": "TableName", "Value": "parcels"}],
        "Period": 60,
        "EvaluationPeriods": 1,
        "Threshold": 0.0,
        "ComparisonOperator": "GreaterThanThreshold",
        "StateValue": "OK",
    }


@pytest.fixture
def cloud(home: Path, shelf: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Cloud]:
    """An account that answers on this machine, with credentials for it."""
    here = Cloud()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()
            scope = self.headers["Authorization"].partition("Credential=")[2].split("/")
            target = self.headers.get("X-Amz-Target", "").rpartition(".")[2]
            operation = (
                target or body.partition("Action=")[2].partition("&")[0] or f"{self.command} {self.path}"
            )
            status, answer = here.answer(scope[3], operation, scope[2])
            self.send_response(status)
            self.send_header(
                "Content-Type", "text/xml" if answer.startswith("<") else "application/x-amz-json-1.0"
            )
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer.encode())

        do_GET = do_POST

        def log_message(self, *arguments: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as http:
        Thread(target=http.serve_forever, args=(0.01,), daemon=True).start()
        here.url = f"http://127.0.0.1:{http.server_port}"
        for name, value in zip(
            SETTINGS, ("AKIAEXAMPLE", "secret", here.url, "", "eu-central-1"), strict=True
        ):
            monkeypatch.setenv(name, value) if value else monkeypatch.delenv(name, raising=False)
        yield here
        http.shutdown()


@dataclass
class Said:
    """What a command line came to."""

    code: int
    out: str
    err: str


@dataclass
class Runner:
    """Runs command lines in this process."""

    capsys: pytest.CaptureFixture[str]

    def __call__(self, *arguments: str) -> Said:
        code = main(list(arguments))
        shown = self.capsys.readouterr()
        assert "Traceback" not in shown.err
        assert "a defect in opsleuth" not in shown.err
        return Said(code, shown.out, " ".join(shown.err.split()))


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Runner:
    return Runner(capsys)


# -- the account -------------------------------------------------------------------------------------


def test_an_unknown_alarm_is_looked_for_in_other_regions(cloud: Cloud, run: Runner) -> None:
    cloud.alarms = {"eu-west-1": ["parcels-throttled"]}
    said = run("investigate", "--alarm", "parcels-throttled")
    assert (said.code, said.out) == (3, "")
    assert 'There is no alarm "parcels-throttled" in eu-central-1; it is in eu-west-1.' in said.err
    assert "Repeat with --region eu-west-1" in said.err


def test_an_alarm_that_is_nowhere(cloud: Cloud, run: Runner) -> None:
    said = run("investigate", "--alarm", "parcels-throttled")
    assert (said.code, said.out) == (3, "")
    assert (
        f'no alarm "parcels-throttled" in eu-central-1, nor in any other region of account {ACCOUNT}'
        in said.err
    )
    regions = {one.rpartition(":")[2] for one in cloud.asked if "DescribeAlarms" in one}
    assert len(regions) > 15


def test_an_alarm_of_another_account(cloud: Cloud, run: Runner) -> None:
    """Its name alone could mean another alarm in this account."""
    cloud.alarms = {"eu-central-1": ["parcels-throttled"]}
    said = run(
        "investigate", "--alarm", "arn:aws:cloudwatch:eu-central-1:444455556666:alarm:parcels-throttled"
    )
    assert (said.code, said.out) == (3, "")
    assert "444455556666" in said.err
    assert ACCOUNT in said.err


def test_a_resource_of_another_account(cloud: Cloud, run: Runner) -> None:
    said = run("investigate", "--resource", TABLE.replace(ACCOUNT, "444455556666"))
    assert (said.code, said.out) == (3, "")
    assert "444455556666" in said.err


def test_a_resource_that_is_not_there(cloud: Cloud, run: Runner) -> None:
    said = run("investigate", "--resource", TABLE)
    assert (said.code, said.out) == (3, "")
    assert "parcels" in said.err


@pytest.mark.parametrize("words", ["parcels fails since 2 am", "everything is slow", "荷物が遅い"])
def test_words_in_an_empty_account(words: str, cloud: Cloud, run: Runner) -> None:
    said = run("investigate", "--text", words)
    assert (said.code, said.out) == (3, "")
    assert "eu-central-1" in said.err
    assert "--alarm" in said.err or "--resource" in said.err or "--region" in said.err


def test_a_role_that_may_read_nothing(cloud: Cloud, run: Runner) -> None:
    cloud.refuses = {"DescribeAlarms": "AccessDeniedException"}
    said = run("investigate", "--alarm", "parcels-throttled")
    assert (said.code, said.out) == (3, "")
    assert "cloudwatch:DescribeAlarms" in said.err


def test_credentials_that_aws_does_not_take(cloud: Cloud, run: Runner) -> None:
    cloud.refuses = {"*": "ExpiredToken"}
    said = run("investigate", "--alarm", "parcels-throttled")
    assert (said.code, said.out) == (3, "")
    assert "expired" in said.err.lower()


def test_a_network_that_is_down(cloud: Cloud, run: Runner, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    monkeypatch.setattr("tools.aws._ATTEMPTS", 1)
    said = run("investigate", "--alarm", "parcels-throttled")
    assert (said.code, said.out) == (3, "")
    assert "network" in said.err.lower()


# -- credentials -------------------------------------------------------------------------------------


def without_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in SETTINGS[:2]:
        monkeypatch.delenv(name)


def test_no_credentials(cloud: Cloud, run: Runner, monkeypatch: pytest.MonkeyPatch) -> None:
    without_keys(monkeypatch)
    said = run("investigate", "--alarm", "parcels-throttled")
    assert (said.code, said.out, cloud.asked) == (3, "", [])
    assert "No AWS credentials were found" in said.err
    assert "opsleuth demo" in said.err


def test_an_unknown_profile_names_the_known_ones(
    cloud: Cloud, run: Runner, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = home / "config"
    config.write_text("[profile prod-parcels]\nregion = eu-central-1\n")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(config))
    said = run("investigate", "--alarm", "x", "--profile", "prod-parcel")
    assert (said.code, said.out) == (3, "")
    assert "prod-parcel" in said.err
    assert "prod-parcels" in said.err


def test_an_expired_single_sign_on_session(
    cloud: Cloud, run: Runner, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import hashlib

    without_keys(monkeypatch)
    config = home / "config"
    config.write_text(
        "[sso-session corp]\nsso_start_url = https://corp.example.com/start\nsso_region = eu-central-1\n"
        "sso_registration_scopes = sso:account:access\n"
        f"[profile prod]\nsso_session = corp\nsso_account_id = {ACCOUNT}\nsso_role_name = Reader\n"
        "region = eu-central-1\n"
    )
    cache = home / ".aws" / "sso" / "cache"
    cache.mkdir(parents=True)
    (cache / f"{hashlib.sha1(b'corp').hexdigest()}.json").write_text(
        json.dumps(
            {
                "startUrl": "https://corp.example.com/start",
                "region": "eu-central-1",
                "accessToken": "x",
                "expiresAt": "2020-01-01T00:00:00Z",
            }
        )
    )
    monkeypatch.setenv("AWS_CONFIG_FILE", str(config))
    said = run("investigate", "--alarm", "x", "--profile", "prod")
    assert (said.code, said.out) == (3, "")
    assert "Run: aws sso login --profile prod" in said.err


def test_half_of_the_credentials(cloud: Cloud, run: Runner, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    said = run("investigate", "--alarm", "x")
    assert (said.code, said.out) == (3, "")
    assert "incomplete" in said.err


def test_settings_that_cannot_be_read(
    cloud: Cloud, run: Runner, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (home / "config").write_text("this is not a settings file\n")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(home / "config"))
    said = run("investigate", "--alarm", "x")
    assert (said.code, said.out) == (3, "")
    assert "config" in said.err


# -- the command line itself -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ([], "--alarm NAME, --resource ARN or --text"),
        (["--alarm", " "], "--alarm NAME, --resource ARN or --text"),
        (["--alarm", "a", "--text", "b"], "Only one of"),
        (["--alarm", "a", "--resource", TABLE, "--text", "b"], "Only one of"),
        (["--resource", "parcels"], "is not an ARN"),
        (["--resource", "arn:aws:dynamodb"], "is not an ARN"),
        (
            ["--resource", "arn:aws:rocket:eu-central-1:111122223333:engine/a"],
            "does not know this kind of resource",
        ),
        (["--alarm", "arn:aws:cloudwatch"], "is not an ARN"),
        (["--alarm", f"arn:aws:dynamodb:eu-central-1:{ACCOUNT}:table/parcels"], "alarm"),
        (["--alarm", "a", "--now", "2999-01-01T00:00Z"], "lies in the future"),
        (["--alarm", "a", "--now", "half past three"], "is not a time"),
        (["--alarm", "a", "--tz", "Asia/Tokio"], "Asia/Tokyo"),
        (["--alarm", "a", "--region", "eu-wst-1"], "Did you mean eu-west-1?"),
        (["--alarm", "a", "--region", "over there"], "is not an AWS region"),
        (["--alarm", "a", "--max-calls", "0"], "--max-calls"),
        (["--alarm", "a", "--format", "pdf"], "--format"),
        (["--alarm", "a", "--out", "/nowhere/at/all/report.md"], "does not exist"),
        (["--alarm", "a", "--recording", "x.yaml", "--now", "2026-01-01T00:00Z"], "has its own time"),
    ],
)
def test_what_cannot_be_meant(arguments: list[str], says: str, cloud: Cloud, run: Runner) -> None:
    said = run("investigate", *arguments)
    assert (said.code, said.out) == (2, "")
    assert says in said.err
    assert cloud.asked == []


def test_no_region_anywhere(cloud: Cloud, run: Runner, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_REGION")
    said = run("investigate", "--alarm", "a")
    assert (said.code, said.out) == (2, "")
    assert "--region" in said.err


# -- recordings and files ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\x00\xff\xfe binary",
        b"just words",
        b"{not: [yaml",
        b"- a\n- b\n",
        b"interactions: []\n",
        b"opsleuth: {}\ninteractions: nonsense\n",
        b"opsleuth:\n  version: 99\nversion: 1\ninteractions: []\n",
    ],
)
def test_a_recording_that_cannot_be_read(content: bytes, cloud: Cloud, run: Runner, tmp_path: Path) -> None:
    file = tmp_path / "recording.yaml"
    file.write_bytes(content)
    said = run("investigate", "--alarm", "a", "--recording", str(file))
    assert (said.code, said.out) == (2, "")
    assert str(file) in said.err
    assert cloud.asked == []


@pytest.mark.parametrize("name", ["", "missing.yaml"])
def test_a_recording_that_is_no_file(name: str, cloud: Cloud, run: Runner, tmp_path: Path) -> None:
    said = run("investigate", "--alarm", "a", "--recording", str(tmp_path / name))
    assert (said.code, said.out) == (2, "")
    assert "There is no recording at" in said.err
    assert cloud.asked == []


def test_a_run_that_fails_leaves_nothing_behind(
    cloud: Cloud, run: Runner, shelf: Path, tmp_path: Path
) -> None:
    place = tmp_path / "out"
    place.mkdir()
    kept = place / "old.md"
    kept.write_text("an older report")
    for out in (kept, place / "new.md"):
        said = run("investigate", "--alarm", "a", "--out", str(out), "--record-to", str(place / "r.yaml"))
        assert (said.code, said.out) == (3, "")
    left = {file.name for file in place.iterdir()} - {"old.md"}
    assert left <= {"r.yaml"}
    assert not left or Player(place / "r.yaml").start() is not None, "what was recorded is whole"
    assert kept.read_text() == "an older report"
    assert not [file for file in shelf.rglob("*") if file.is_file()]


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_that_may_not_be_written(cloud: Cloud, run: Runner, tmp_path: Path) -> None:
    place = tmp_path / "locked"
    place.mkdir(mode=0o500)
    said = run("investigate", "--alarm", "a", "--out", str(place / "report.md"))
    assert (said.code, said.out, cloud.asked) == (2, "", [])
    assert "cannot be written" in said.err


def test_an_out_that_is_a_folder_or_lies_in_a_file(cloud: Cloud, run: Runner, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    for out in (tmp_path, tmp_path / "file" / "report.md"):
        said = run("investigate", "--alarm", "a", "--out", str(out))
        assert (said.code, said.out, cloud.asked) == (2, "", [])
        assert str(tmp_path) in said.err
