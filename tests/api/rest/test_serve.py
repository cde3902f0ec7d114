"""`opsleuth serve` refuses what it cannot do, in a sentence."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from api.cli import main


@pytest.mark.parametrize("host", ["0.0.0.0", "192.0.2.7", "::", "example.com"])
def test_only_this_machine_is_listened_on(host: str, shelf: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["serve", "--host", host]) == 2
    assert f"not on {host}" in capsys.readouterr().err
    assert not shelf.exists()


def test_a_taken_port_is_a_sentence(shelf: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert main(["serve", "--port", str(port)]) == 3
    assert f"opsleuth serve --port {port + 1}" in capsys.readouterr().err


def test_a_folder_that_cannot_be_is_a_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("OPSLEUTH_HOME", str(tmp_path / "file" / "below"))
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    assert main(["serve", "--port", str(port)]) == 3
    assert "Set OPSLEUTH_HOME to a folder" in capsys.readouterr().err
