from __future__ import annotations

import os
from pathlib import Path

import pytest

from api.files import check_writable, write_whole
from tools.errors import BadInput


def test_a_file_is_replaced_whole_and_nothing_else_is_left(tmp_path: Path) -> None:
    target = tmp_path / "report.md"
    write_whole(target, "one")
    write_whole(target, "二")
    assert target.read_text(encoding="utf-8") == "二"
    assert os.listdir(tmp_path) == ["report.md"]


def test_a_failed_write_leaves_the_old_file(tmp_path: Path) -> None:
    target = tmp_path / "report.md"
    target.write_text("old")
    with pytest.raises(UnicodeEncodeError):
        write_whole(target, "half \ud800")
    assert target.read_text() == "old"
    assert os.listdir(tmp_path) == ["report.md"]


def test_rights_and_links_of_an_existing_file_stay(tmp_path: Path) -> None:
    target, link = tmp_path / "real.md", tmp_path / "link.md"
    target.write_text("old")
    target.chmod(0o640)
    link.symlink_to(target)
    write_whole(link, "new")
    assert link.is_symlink()
    assert target.read_text() == "new"
    assert target.stat().st_mode & 0o777 == 0o640


def test_what_is_no_file_is_written_to(capfd: pytest.CaptureFixture[str]) -> None:
    write_whole(Path("/dev/null"), "text")
    assert Path("/dev/null").is_char_device()


@pytest.mark.parametrize("name", ["missing/report.md", "."])
def test_a_bad_place_is_told_before_the_run(name: str, tmp_path: Path) -> None:
    with pytest.raises(BadInput):
        check_writable(tmp_path / name)


def test_a_missing_folder_is_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="cannot be written"):
        write_whole(tmp_path / "missing" / "report.md", "text")
