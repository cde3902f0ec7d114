"""opsleuth map as a command: on a simulated account, kept, drawn anew, joined over accounts."""

from __future__ import annotations

import json
import os
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from api.cli import main
from api.map_shelf import Key, find, keep
from api.mapping import Mapped, joined
from tests.graph.levels.estates import SHOP, SHOP_RELATIONS, TABLE, WRITER
from tools.models import Resource

WORLD = "world:dynamodb-max-write?seed=1"
AROUND = ["map", "--alarm", "orders-writes-throttled", "--source", WORLD]


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder for all tests here, with two spaces: the maps in it are read once."""
    home = tmp_path_factory.mktemp("home")
    (home / "spaces.toml").write_text(
        '[shop]\naccount = "111122223333"\nregions = ["ap-northeast-1"]\n'
        '[lost]\naccount = "444455556666"\nregions = ["ap-northeast-1"]\n',
        encoding="utf-8",
    )
    return home


@pytest.fixture(autouse=True)
def _at_home(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPSLEUTH_HOME", str(home))


def test_the_surroundings_of_an_alarm_with_the_blast_radius(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*AROUND, "--refresh"]) == 0
    said = capsys.readouterr()
    assert "dynamodb table orders  [ALARM orders-writes-throttled]" in said.out
    assert "→ lambda function order-writer: invokes" in said.out
    assert "fails too: function order-writer (1), api orders-api (2)" in said.out
    assert "AWS calls" in said.err


def test_a_second_look_is_the_kept_map_and_says_its_age(
    capsys: pytest.CaptureFixture[str], home: Path
) -> None:
    assert main([*AROUND, "--format", "json"]) == 0
    first = capsys.readouterr().out
    assert main([*AROUND, "--format", "json"]) == 0
    said = capsys.readouterr()
    assert said.out == first
    assert "was read less than a minute ago; --refresh reads it anew" in said.err
    assert "AWS calls" not in said.err
    assert (home / "maps").stat().st_mode & 0o077 == 0


def test_a_map_that_the_budget_cut_is_not_kept(capsys: pytest.CaptureFixture[str]) -> None:
    whole = ["map", "--whole-account", "--source", WORLD, "--format", "json"]
    assert main([*whole, "--max-calls", "5"]) == 0
    cut = json.loads(capsys.readouterr().out)
    assert main(whole) == 0
    said = capsys.readouterr()
    assert "AWS calls" in said.err
    assert len(json.loads(said.out)["nodes"]) > len(cut["nodes"])


def test_reading_anew_gives_the_same_map(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*AROUND, "--format", "json"]) == 0
    first = capsys.readouterr().out
    assert main([*AROUND, "--format", "json", "--refresh"]) == 0
    assert capsys.readouterr().out == first


def test_a_resource_by_its_name_and_the_way_from_a_cause(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["map", "--around", "orders-api", "--cause", "orders", "--source", WORLD]) == 0
    told = capsys.readouterr().out
    assert "table orders fails for function order-writer: uses" in told
    assert "function order-writer fails for api orders-api: invokes" in told


def test_a_picture_in_a_file(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    out = tmp_path / "orders.svg"
    assert main([*AROUND, "--out", str(out)]) == 0
    assert out.read_text(encoding="utf-8").startswith("<svg ")
    assert capsys.readouterr().out == ""


def test_a_whole_account_as_systems_with_progress(capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["map", "--whole-account", "--space", "all", "--source", WORLD, "--format", "json"]
    assert main(arguments) == 0
    said = capsys.readouterr()
    data = json.loads(said.out)
    assert data["level"] == "system"
    orders = next(one for one in data["systems"] if one["name"] == "orders")
    assert {arn.rpartition(":")[2] for arn in orders["why"]} >= {"table/orders", "order-writer"}
    assert [one["state"] for one in data["nodes"] if one["name"] == "orders"] == ["ALARM"]
    (lost,) = [gap for gap in data["gaps"] if gap["code"] == "NoAccess"]
    assert "444455556666" in lost["what"]
    assert "listing: " in said.err
    assert "reading: " in said.err


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["map"], "Exactly one of them"),
        (["map", "--alarm", "a", "--whole-account"], "Exactly one of them"),
        (["map", "--whole-account", "--cause", "x"], "--cause needs a symptom"),
        (["map", "--alarm", "a", "--space", "prod"], "--space goes with --whole-account"),
        (["map", "--whole-account", "--space", "nope", "--source", WORLD], 'There is no space "nope"'),
        (["map", "--alarm", "a", "--level", "galaxy"], "galaxy"),
        (["map", "--alarm", "a", "--source", "moon"], '"moon" is no source'),
        (["map", "--alarm", "a", "--out", "/nowhere/at/all/map.svg"], "does not exist"),
        ([*AROUND, "--cause", "nothing-at-all"], "No resource is called nothing-at-all"),
    ],
)
def test_bad_usage_is_a_sentence(arguments: list[str], says: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(arguments) in (2, 3)
    said = capsys.readouterr()
    assert says in said.err
    assert "Traceback" not in said.err


def test_an_unknown_alarm_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["map", "--alarm", "nope", "--source", WORLD]) == 3
    assert "There is no alarm nope in ap-northeast-1" in capsys.readouterr().err


def mapped(account: str, *resources: Resource) -> Mapped:
    return Mapped(
        resources=resources,
        relations=SHOP_RELATIONS,
        gaps=(),
        focus=(),
        accounts=(account,),
        regions=("eu-west-1",),
        as_of=datetime(2026, 3, 13, tzinfo=UTC),
        calls=1,
    )


def test_of_two_accounts_the_own_one_tells_a_thing() -> None:
    from dataclasses import replace

    bare = replace(TABLE, name="?", tags={})
    both = joined([mapped("444455556666", WRITER, bare), mapped("111122223333", TABLE)])
    assert {one.arn: one.name for one in both.resources} == {TABLE.arn: "orders", WRITER.arn: "order-writer"}
    assert len(both.relations) == len(SHOP_RELATIONS)
    assert both.accounts == ("444455556666", "111122223333")
    turned = joined([mapped("111122223333", TABLE), mapped("444455556666", WRITER, bare)])
    assert turned.resources == both.resources


KEY = Key(source="live", profile="", role_arn="", region="eu-west-1", start="*", radius=0)
NOW = datetime(2026, 3, 13, 18, tzinfo=UTC)


def test_a_kept_map_is_whole_and_is_forgotten_after_a_day() -> None:
    keep(KEY, mapped("111122223333", *SHOP), NOW)
    kept = find(KEY, NOW + timedelta(hours=23))
    assert kept is not None
    assert kept.mapped == mapped("111122223333", *SHOP)
    assert find(KEY, NOW + timedelta(hours=25)) is None
    assert find(KEY, NOW - timedelta(hours=1)) is None


def test_a_spoiled_map_is_read_anew(home: Path) -> None:
    keep(KEY, mapped("111122223333", *SHOP), NOW)
    (newest, *_) = sorted((home / "maps").glob("*.json"), key=os.path.getmtime, reverse=True)
    newest.write_text("{", encoding="utf-8")
    assert find(KEY, NOW) is None


def test_no_more_than_twenty_maps_are_kept(home: Path) -> None:
    for radius in range(25):
        keep(
            Key(source="many", profile="", role_arn="", region="", start="x", radius=radius), mapped("1"), NOW
        )
        time.sleep(0.001)
    assert len(list((home / "maps").glob("*.json"))) == 20


def test_a_region_that_there_is_not_and_a_picture_in_dots_are_refused(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    assert main([*AROUND, "--region", "mars-1"]) == 2
    assert '"mars-1" is not an AWS region' in capsys.readouterr().err
    picture = tmp_path / "m.png"
    assert main([*AROUND, "--out", str(picture)]) == 2
    assert ".svg" in capsys.readouterr().err
    assert not picture.exists()
