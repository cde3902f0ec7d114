"""The curl lines of the README do what they say, against a server of their own."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from api.commands.serve import command as serve

ROOT = Path(__file__).parents[3]
README = ROOT / "README.md"
_SECTION = re.compile(r"^## [^\n]*\bREST\b[^\n]*\n(.*?)(?=^## |\Z)", re.DOTALL | re.MULTILINE)
_BLOCK = re.compile(r"^```sh\n(.*?)^```", re.DOTALL | re.MULTILINE)
_RECORDING = re.compile(r"recording:([\w./-]+)")
WANTED = [
    ("POST", "/investigations"),
    ("GET", "/investigations"),
    ("GET", "/investigations/ID"),
    ("GET", "/investigations/ID/report"),
    ("GET", "/investigations/ID/timeline"),
    ("GET", "/health"),
]


def curl_lines(readme: str) -> list[str]:
    """The curl commands of the section on REST, each to the end of what it continues or quotes, on one line."""
    section = _SECTION.search(readme)
    blocks = _BLOCK.findall(section.group(1)) if section else []
    found: list[str] = []
    open_ended = False
    for line in "".join(blocks).splitlines():
        if open_ended:
            found[-1] = found[-1].removesuffix("\\") + " " + line.strip()
        elif line.startswith("curl "):
            found.append(line)
        else:
            continue
        open_ended = found[-1].endswith("\\") or found[-1].count("'") % 2 == 1
    return found


def asked(line: str) -> tuple[str, str]:
    """Method and path of a curl line, the id left out."""
    found = re.search(r"https?://[^/\s'\"]+([^?\s'\"]*)", line)
    assert found is not None, line
    path = re.sub(r"^(/investigations)/[^/]+", r"\1/ID", found.group(1))
    return ("POST" if re.search(r" (-d|--data|--json)\b", line) else "GET", path)


@pytest.fixture
def lines() -> list[str]:
    found = curl_lines(README.read_text(encoding="utf-8")) if README.is_file() else []
    if not found:
        pytest.skip("README.md has no sh block with curl lines in a section on REST yet")
    return found


@pytest.mark.slow
def test_every_curl_line_works(lines: list[str], process: Any, recording: Path, tmp_path: Path) -> None:
    curl = shutil.which("curl")
    if curl is None:
        pytest.skip("there is no curl on this machine")
    server = process(_folder("".join(lines), recording, tmp_path))
    server.start()
    default = next(option.default for option in serve.params if option.name == "port")
    for line in lines:
        assert f"127.0.0.1:{default}/" in line
        here = line.replace(f"127.0.0.1:{default}/", f"127.0.0.1:{server.port}/")
        done = subprocess.run(["sh", "-c", here], capture_output=True, text=True, check=False, timeout=240)
        assert done.returncode == 0, done.stderr
        _check(line, done.stdout)
        if asked(line) == ("POST", "/investigations"):
            server.events("latest")  # a reader of the README waits too
    assert {asked(line) for line in lines} >= set(WANTED)


def _folder(text: str, recording: Path, tmp_path: Path) -> Path:
    """A working folder in which the recording lies where the README says."""
    for name in _RECORDING.findall(text):
        if not (ROOT / name).is_file():
            (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(recording, tmp_path / name)
            return tmp_path
    return ROOT


def _check(line: str, said: str) -> None:
    assert "urn:opsleuth:problem" not in said, said
    what = asked(line)
    if what == ("GET", "/investigations/ID/timeline"):
        assert said.count("event: done\n") == 1
        assert '"status": "done"' in said
    elif what == ("GET", "/investigations/ID/report"):
        if "format=md" in line:
            assert said.startswith("# PROVEN")
        else:
            assert json.loads(said)["verdict"] == "root_cause"
    elif what == ("GET", "/investigations"):
        assert len(json.loads(said)["items"]) == 1
    elif what == ("GET", "/health"):
        assert json.loads(said)["status"] == "ok"
    else:
        assert json.loads(said)["id"]


BLOCK = """
## Start it by REST

Words, and a block that is not ours to run: `curl nothing`.

```sh
# start
curl -s http://127.0.0.1:8080/investigations \\
  -d '{"trigger": {"alarm": "a"}}'
curl -sN http://127.0.0.1:8080/investigations/latest/timeline   # until done
```

```json
curl http://127.0.0.1:8080/no
```

## Other

```sh
curl http://127.0.0.1:8080/other
```
"""


def test_lines_are_found_in_their_section_only() -> None:
    found = curl_lines(BLOCK)
    assert [asked(line) for line in found] == [
        ("POST", "/investigations"),
        ("GET", "/investigations/ID/timeline"),
    ]
    assert curl_lines("# opsleuth\n") == []
