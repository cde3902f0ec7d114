"""Parses commands with the real awscli, in an environment of its own, without sending anything.

awscli brings an older botocore, so it is never imported into the tests: this file runs a second time as a
script, with the interpreter that has awscli. `make awscli` makes that environment;
AWSCLI_PYTHON names another.
"""

from __future__ import annotations

import importlib
import json
import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_DEFAULT = Path(__file__).parents[2] / ".venv-awscli" / "bin" / "python"


@dataclass(frozen=True, slots=True, kw_only=True)
class Parsed:
    """What awscli would have sent: botocore's service and operation, parameters, region, profile."""

    service: str
    operation: str
    parameters: dict[str, Any]
    region: str
    profile: str


def interpreter() -> str:
    """The Python that has awscli, or "" when there is none here."""
    named = os.environ.get("AWSCLI_PYTHON", "")
    if named:
        return named
    return str(_DEFAULT) if _DEFAULT.exists() else ""


def parse(commands: Sequence[str], profiles: Sequence[str] = ()) -> list[Parsed]:
    """Each shell command as awscli understands it. Raises AssertionError with its words when it does not."""
    arguments = [_arguments(command) for command in commands]
    environment = {
        "PATH": os.environ.get("PATH", ""),
        "HOME": os.environ.get("HOME", "/nonexistent"),
        "AWS_ACCESS_KEY_ID": "none",
        "AWS_SECRET_ACCESS_KEY": "none",
        "AWS_EC2_METADATA_DISABLED": "true",
    }
    done = subprocess.run(
        [interpreter(), __file__],
        input=json.dumps({"commands": arguments, "profiles": list(profiles)}),
        capture_output=True,
        text=True,
        env=environment,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    answers = json.loads(done.stdout)
    for command, answer in zip(commands, answers, strict=True):
        assert "error" not in answer, f"{command}\n{answer.get('error')}"
    return [Parsed(**answer) for answer in answers]


def _arguments(command: str) -> list[str]:
    """The arguments as a POSIX shell hands them to `aws`."""
    shell = 'aws() { for one in "$@"; do printf "%s\\0" "$one"; done; }\n'
    done = subprocess.run(["sh", "-c", shell + command], capture_output=True, check=True)
    return done.stdout.decode().split("\0")[:-1]


def _main() -> None:
    """Runs inside awscli's environment: stops each command when its parameters are known."""
    import io
    import tempfile
    from contextlib import redirect_stderr, redirect_stdout

    clidriver = importlib.import_module("awscli.clidriver")
    asked = json.load(sys.stdin)
    with tempfile.NamedTemporaryFile("w", suffix=".ini") as config:
        for profile in asked["profiles"]:
            config.write(f"[profile {profile}]\naws_access_key_id = none\naws_secret_access_key = none\n")
        config.flush()
        os.environ["AWS_CONFIG_FILE"] = config.name
        drivers: dict[tuple[bool, str], Any] = {}
        answers = []
        for arguments in asked["commands"]:
            # One driver keeps the profile of its last command, so those without one get their own.
            # Its switches for EC2's attributes (ec2 modify-...-attribute) stay with a driver as well.
            attribute = "".join(one for one in arguments[1:2] if one.endswith("-attribute"))
            named = ("--profile" in arguments, attribute)
            if named not in drivers:
                drivers[named] = clidriver.create_clidriver()
            errors = io.StringIO()
            with redirect_stderr(errors), redirect_stdout(io.StringIO()):
                answers.append(_stopped(drivers[named], arguments, errors))
    json.dump(answers, sys.stdout)


def _stopped(driver: Any, arguments: list[str], errors: Any) -> dict[str, Any]:
    class Stop(BaseException):
        pass

    caught: dict[str, Any] = {}

    def catch(params: Any, model: Any, **_: Any) -> None:
        caught.update(
            service=model.service_model.service_name,
            operation=model.name,
            parameters=json.loads(json.dumps(params, default=str)),
            region=driver.session.get_config_variable("region") or "",
            profile=driver.session.profile or "",
        )
        raise Stop

    driver.session.register("before-parameter-build.*.*", catch, unique_id="stop")
    try:
        driver.main(arguments)
    except Stop:
        return caught
    except SystemExit as stopped:
        return {"error": errors.getvalue() or str(stopped)}
    finally:
        driver.session.unregister("before-parameter-build.*.*", catch, unique_id="stop")
    return {"error": errors.getvalue() or "nothing was about to be sent"}


if __name__ == "__main__":
    _main()
