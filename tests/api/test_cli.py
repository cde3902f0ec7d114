"""The command line as a process: what it imports, says and returns."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner

from api.cli import cli, main

HEAVY = {
    "langgraph",
    "langchain",
    "langchain_core",
    "boto3",
    "botocore",
    "moto",
    "fastapi",
    "uvicorn",
    "rich",
}
ROOT = Path(__file__).parents[2]


def loaded_by(arguments: list[str]) -> tuple[int, set[str], str]:
    """Exit code, heavy modules and stderr of one command line in a process of its own."""
    program = (
        "import sys\nfrom api.cli import main\ncode = main(sys.argv[1:])\n"
        "print('LOADED', *sorted({name.split('.')[0] for name in sys.modules}), file=sys.stderr)\n"
        "sys.exit(code)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, *arguments], capture_output=True, text=True, cwd=ROOT, check=False
    )
    said, _, modules = done.stderr.rpartition("LOADED ")
    return done.returncode, HEAVY & set(modules.split()), said


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["--help"], 0),
        (["--version"], 0),
        (["schema"], 0),
        (["investigate", "--help"], 0),
        (["investigate"], 2),
        (["investigate", "--alarm", "a", "--text", "b"], 2),
        (["investigate", "--nonsense"], 2),
        (["nonsense"], 2),
    ],
)
def test_what_needs_no_aws_loads_nothing_heavy(arguments: list[str], code: int) -> None:
    returned, heavy, _ = loaded_by(arguments)
    assert (returned, heavy) == (code, set())


def test_help_lists_every_command_with_a_purpose(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--help"]) == 0
    shown = capsys.readouterr().out
    wanted = ["demo", "investigate", "check", "changes", "undo", "map", "eval", "bench", "record"]
    wanted += ["schema", "iam-policy", "doctor", "serve"]
    assert set(wanted) == set(cli.commands)
    for name in wanted:
        line = next(line for line in shown.splitlines() if line.startswith(f"  {name} "))
        assert len(line.split()) > 3


def test_schema_describes_what_json_reports_hold(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["schema"]) == 0
    schema = json.loads(capsys.readouterr().out)
    assert {"verdict", "root_cause", "mitigation", "prevention", "gaps"} <= set(schema["properties"])


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["investigate"], "--alarm NAME, --resource ARN or --text"),
        (["investigate", "--alarm", "a", "--resource", "b"], "Only one of"),
        (["investigate", "--resource", "orders"], "is not an ARN"),
        (["investigate", "--alarm", "a", "--tz", "Mars/Base"], "is not a time zone"),
        (["investigate", "--alarm", "a", "--now", "yesterday"], "is not a time"),
        (["investigate", "--alarm", "a", "--now", "2999-01-01T00:00Z"], "lies in the future"),
        (["investigate", "--alarm", "a", "--out", "/nowhere/at/all/report.txt"], "does not exist"),
        (["investigate", "--alarm", "a", "--now", "2026-01-01", "--recording", "r.yaml"], "its own time"),
        (["investigate", "--resource", "arn:aws:braket:eu-west-1:111122223333:job/x"], "does not know"),
        (["demo", "--out", "x.pdf"], "no form for the ending .pdf. Known: .md, .markdown, .json, .txt"),
        (["investigate", "--alarm", "a", "--out", "report.docx"], "no form for the ending .docx"),
        (["eval", "--seeds", "5-1"], "smaller number first"),
        (["eval", "--seeds", "one"], "is not a list of seeds"),
        (["eval", "--incidents", "/nowhere"], "is not a folder"),
        (["bench", "cloudtrail", "--data", "/nowhere"], "nothing at"),
        (["check", "zzzz"], "is not the id of a report"),
        (["check", "7f3a"], "No report 7f3a is kept"),
    ],
)
def test_bad_usage_is_a_sentence_and_exit_code_2(
    arguments: list[str], says: str, shelf: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(arguments) == 2
    said = capsys.readouterr()
    assert says in said.err
    assert said.out == ""
    assert "Traceback" not in said.err


def test_a_recording_that_is_not_there_cannot_be_investigated(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["investigate", "--alarm", "a", "--recording", "/nowhere.yaml"]) == 2
    assert "There is no recording at /nowhere.yaml" in capsys.readouterr().err


@pytest.mark.parametrize(
    "asked",
    [
        ["--alarm", "nope"],
        ["--alarm", "orders-writes-throttled", "--region", "eu-west-1"],
        ["--resource", "arn:aws:sqs:ap-northeast-1:111122223333:jobs"],
        ["--text", "lanterns are out"],
    ],
)
def test_a_recording_asked_for_another_run_names_its_own(
    asked: list[str], shelf: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    recording = ROOT / "evals" / "incidents" / "dynamodb-max-write" / "recording.yaml"
    assert main(["investigate", *asked, "--recording", str(recording)]) == 3
    said = capsys.readouterr()
    assert said.err.count("Replay it with --alarm orders-writes-throttled") == 1
    assert "DescribeAlarms" not in said.err
    assert said.out == ""


def failing(error: BaseException) -> Callable[[], None]:
    def command() -> None:
        raise error

    return command


def with_command(monkeypatch: pytest.MonkeyPatch, error: BaseException) -> None:
    import click

    made = click.Command("broken", callback=failing(error))
    monkeypatch.setitem(cli.commands, "broken", made)


def test_a_defect_is_told_without_a_traceback(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with_command(monkeypatch, KeyError("onset"))
    assert main(["broken"]) == 3
    said = capsys.readouterr().err
    assert "KeyError: 'onset'" in said
    assert "OPSLEUTH_DEBUG=1" in said
    assert "Traceback" not in said


def test_a_defect_shows_its_place_when_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    with_command(monkeypatch, KeyError("onset"))
    monkeypatch.setenv("OPSLEUTH_DEBUG", "1")
    with pytest.raises(KeyError):
        main(["broken"])


def test_ctrl_c_is_tidy(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    ended: list[int] = []
    monkeypatch.setattr(os, "_exit", ended.append)
    with_command(monkeypatch, KeyboardInterrupt())
    assert main(["broken"]) == 130
    assert ended == [130]
    assert "Stopped." in capsys.readouterr().err


def test_errors_of_the_tree_are_sentences_with_their_code(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from tools.errors import BadInput, CannotInvestigate, NoCredentials

    for error, code in (
        (BadInput("Say it so."), 2),
        (CannotInvestigate("Look there."), 3),
        (NoCredentials("Log in."), 3),
    ):
        with_command(monkeypatch, error)
        assert main(["broken"]) == code
        assert capsys.readouterr().err == f"opsleuth: {error}\n"


def test_a_closed_pipe_is_no_failure() -> None:
    command = f"{sys.executable} -m api schema | head -1"
    done = subprocess.run(command, shell=True, capture_output=True, text=True, cwd=ROOT, check=False)
    assert (done.stdout, done.stderr) == ("{\n", "")


def test_the_policy_is_written_as_managed_ones_with_the_commands_that_attach_them(tmp_path: Path) -> None:
    said = CliRunner().invoke(cli, ["iam-policy", "--out", str(tmp_path / "new folder")])
    assert said.exit_code == 0
    files = sorted((tmp_path / "new folder").iterdir())
    assert [one.name for one in files] == [f"opsleuth-{n}.json" for n in range(1, len(files) + 1)]
    assert all("Statement" in json.loads(one.read_text(encoding="utf-8")) for one in files)
    for one in files:
        assert f"create-policy --policy-name {one.stem} --policy-document 'file://{one}'" in said.output
        assert f"policy/{one.stem}" in said.output
    assert said.output.count("attach-role-policy --role-name ROLE") == len(files)
