"""The walk-through of CONTRIBUTING.md, done: a service is one file and its test, and everything else follows."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
_BLOCK = re.compile(r"^```python (\S+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
KEY = "arn:aws:kms:eu-west-1:111122223333:key/1f2e3d4c-5b6a-4789-90ab-cdef01234567"
FILES = "arn:aws:elasticfilesystem:eu-west-1:111122223333:file-system/fs-0a1b2c3d4e5f60718"


def blocks() -> dict[str, str]:
    """Path -> content: the blocks of one path in the order of the page."""
    found: dict[str, str] = {}
    for path, code in _BLOCK.findall((ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")):
        found[path] = f"{found[path]}\n\n{code}" if path in found else code
    return found


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The repository with the files of the page in it."""
    made = tmp_path_factory.mktemp("copy")
    leave = shutil.ignore_patterns("__pycache__")
    shutil.copytree(ROOT / "tools", made / "tools", ignore=leave)
    shutil.copytree(ROOT / "tests" / "tools", made / "tests" / "tools", ignore=leave)
    for name in ("api", "evals", "graph", "prompts", "pyproject.toml"):
        (made / name).symlink_to(ROOT / name)
    for name in ("conftest.py", "walked_account.py", "graph"):
        (made / "tests" / name).symlink_to(ROOT / "tests" / name)
    for path, code in blocks().items():
        assert not (made / path).exists(), f"{path} is there already"
        (made / path).write_text(code, encoding="utf-8")
    return made


def run(copy: Path, *arguments: str) -> str:
    """What a command of Python in the copy prints."""
    home = copy / "home"
    environment = {**os.environ, "PYTHONPATH": str(copy), "OPSLEUTH_HOME": str(home)}
    done = subprocess.run(
        [sys.executable, *arguments], cwd=copy, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_it_is_one_file_and_its_test() -> None:
    assert sorted(blocks()) == ["tests/tools/services/test_efs.py", "tools/services/efs.py"]


def test_its_own_test_the_contract_and_the_undoing_of_all_its_events_pass(copy: Path) -> None:
    wanted = ("tools/services/test_efs.py", "tools/services/test_contract.py", "graph/test_undo_catalogue.py")
    options = ("-q", "-p", "no:randomly", "-p", "no:cacheprovider", "-k", "efs")
    said = run(copy, "-m", "pytest", *options, *(f"tests/{name}" for name in wanted))
    passed = re.search(r"(\d+) passed", said)
    assert passed is not None
    assert int(passed[1]) >= 30
    assert "failed" not in said


def test_the_map_shows_it_with_its_relations(copy: Path) -> None:
    told = json.loads(run(copy, "tests/walked_account.py", "map", "map.yaml"))
    assert FILES in {one["id"] for one in told["nodes"]}
    links = {(one["source"], *one["kinds"], one["target"]) for one in told["links"]}
    assert (FILES, "uses", KEY) in links
    assert {kind for source, kind, _ in links if source == FILES} == {"uses", "in", "replicates to"}


def test_its_change_is_undone_exactly(copy: Path) -> None:
    told = json.loads(run(copy, "tests/walked_account.py", "undo", "undo.yaml"))
    assert told["outcome"] == "exact"
    (call,) = told["calls"]
    assert call["operation"] == "UpdateFileSystem"
    assert call["parameters"] == {
        "FileSystemId": "fs-0a1b2c3d4e5f60718",
        "ThroughputMode": "provisioned",
        "ProvisionedThroughputInMibps": 256.0,
    }


def test_the_guard_and_the_policy_follow_from_it(copy: Path) -> None:
    told = json.loads(
        run(
            copy,
            "-c",
            "import json, boto3\n"
            "from tools import catalogue, guard, needs\n"
            "from tools.guard_reads import READS\n"
            "model = boto3.Session()._session.get_service_model('efs')\n"
            "names = [one.operation for one in catalogue.services()['efs'].reads]\n"
            "actions = {a for s in needs.iam_policy()['Statement'] for a in s['Action']}\n"
            "print(json.dumps({'written': [n in READS['efs'] for n in names],\n"
            "  'open': [guard.allowed('efs', n, model.operation_model(n)) for n in names],\n"
            "  'policy': [f'elasticfilesystem:{n}' in actions for n in names],\n"
            "  'writes': guard.allowed('efs', 'UpdateFileSystem', model.operation_model('UpdateFileSystem')),\n"
            "  'table': '| EFS |' in needs.supported()}))",
        )
    )
    assert told == {
        "written": [True, True, False],  # the third is opened by the file alone
        "open": [True, True, True],
        "policy": [True, True, True],
        "writes": False,
        "table": True,
    }


def test_the_files_keep_the_house_rules(copy: Path) -> None:
    files = sorted(blocks())
    run(copy, "-m", "ruff", "check", *files)
    run(copy, "-m", "ruff", "format", "--check", *files)
