"""What holds for the repository as a whole: what is tracked, what enters the wheel, who owns our names."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import sysconfig
import zipfile
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PACKAGES = ["api", "evals", "graph", "prompts", "tools"]

# In pieces, or this file would find itself.
REGISTRIES = [
    "pypi" + ".org",
    "pypi" + ".python.org",
    "python" + "hosted.org",
    "registry." + "npmjs.org",
    "registry." + "yarnpkg.com",
    "proxy." + "golang.org",
    "crates" + ".io",
    "ruby" + "gems.org",
    "conda." + "anaconda.org",
    "repo1." + "maven.org",
]
MACHINE_PATHS = ["/" + folder + "/" for folder in ("work", "root", "farm")]


def git(*arguments: str) -> list[str]:
    # The checkout may belong to another user than the one who runs the tests, as in a container.
    command = ["git", "-c", f"safe.directory={ROOT}", "ls-files", "-z", *arguments]
    answer = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout
    return [name for name in answer.split("\0") if name and (ROOT / name).is_file()]


def tracked_text() -> dict[str, str]:
    texts = {}
    for name in git():
        content = (ROOT / name).read_bytes()
        if b"\0" not in content:
            texts[name] = content.decode()
    return texts


@pytest.mark.parametrize("what", [REGISTRIES, MACHINE_PATHS], ids=["registries", "machine paths"])
def test_no_tracked_file_names(what: list[str]) -> None:
    found = [(name, word) for name, text in tracked_text().items() for word in what if word in text]
    assert found == []


def test_no_lock_of_another_tool_is_tracked() -> None:
    assert [name for name in git() if Path(name).name in ("uv.lock", "poetry.lock", "Pipfile.lock")] == []


def pins(lock: str) -> set[tuple[str, str]]:
    """(name, version) of every entry of a lock; a name has two versions where two Pythons need them."""
    lines = (ROOT / "requirements" / f"{lock}.lock").read_text().splitlines()
    entries = [line.split()[0].split("==") for line in lines if line and line[0] not in " #"]
    return {(name, version) for name, version in entries}


@pytest.mark.parametrize("lock", ["dev", "studio"])
def test_no_lock_takes_another_version_than_the_run_lock(lock: str) -> None:
    run = pins("run")
    names = {name for name, _ in run}
    assert {(name, version) for name, version in pins(lock) if name in names} == run


@pytest.mark.parametrize("package", PACKAGES)
def test_no_dependency_ships_our_package_name(package: str) -> None:
    assert set(packages_distributions().get(package, [])) <= {"opsleuth"}  # empty in an editable install


def test_the_wheel_holds_the_five_packages_and_nothing_else(tmp_path: Path) -> None:
    scripts = sysconfig.get_path("scripts")
    environment = os.environ | {"PATH": os.pathsep.join([scripts, os.environ["PATH"]]), "PIP_NO_INDEX": "1"}
    command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation"]
    subprocess.run([*command, "--wheel-dir", str(tmp_path), str(ROOT)], check=True, env=environment)

    (wheel,) = tmp_path.glob("*.whl")
    files = {name for name in zipfile.ZipFile(wheel).namelist() if not name.endswith("/")}
    metadata = {name for name in files if name.split("/")[0].endswith(".dist-info")}
    expected = {
        name for name in git("--cached", "--others", "--exclude-standard") if name.split("/")[0] in PACKAGES
    }
    assert files - metadata == expected


def test_tests_reach_loopback_and_nothing_else() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        socket.create_connection(server.getsockname(), timeout=5).close()
    with pytest.raises(BaseException, match="tried to look up"):
        socket.create_connection(("example.com", 80), timeout=5)
    with pytest.raises(BaseException, match="tried to reach"), socket.socket() as client:
        client.connect(("192.0.2.1", 80))
