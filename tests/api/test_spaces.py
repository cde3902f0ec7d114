"""spaces.toml: read, or refused with the place and what is wrong."""

from __future__ import annotations

from pathlib import Path

import pytest

from api.spaces import around, chosen, load
from graph import Context
from tools.errors import BadInput
from tools.spaces import Space

GOOD = """
[prod]
account = "111122223333"
role_arn = "arn:aws:iam::111122223333:role/team/opsleuth"
regions = ["eu-west-1", "us-east-1", "eu-west-1"]

[shared]
account = "444455556666"
profile = "shared"
regions = ["eu-west-1"]
"""


def written(folder: Path, text: str) -> Path:
    path = folder / "spaces.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_spaces_are_read_and_chosen_in_the_order_of_the_file(tmp_path: Path) -> None:
    spaces = load(written(tmp_path, GOOD))
    assert spaces["prod"].regions == ("eu-west-1", "us-east-1")
    assert spaces["shared"].profile == "shared"
    assert [one.name for one in chosen(spaces, ["shared", "prod"])] == ["prod", "shared"]
    assert [one.name for one in chosen(spaces, ["all"])] == ["prod", "shared"]
    with pytest.raises(BadInput, match='no space "nope"'):
        chosen(spaces, ["nope"])


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "holds no space"),
        ("[prod", "is not TOML"),
        ('prod = "111122223333"', "prod is no table"),
        ('[all]\naccount = "111122223333"\nregions = ["eu-west-1"]', 'can be called "all"'),
        ('[prod]\nregions = ["eu-west-1"]', "account: must be given"),
        ('[prod]\naccount = "1111"\nregions = ["eu-west-1"]', "account: String should match"),
        ('[prod]\naccount = "111122223333"\nregions = []', "regions: must not be empty"),
        ('[prod]\naccount = "111122223333"\nregions = ["Ireland"]', '"Ireland" is not an AWS region'),
        ('[prod]\naccount = "111122223333"\nregion = "eu-west-1"', "region: there is no such field"),
        (
            '[prod]\naccount = "111122223333"\nregions = ["eu-west-1"]\nrole_arn = "arn:aws:iam::444455556666:role/x"',
            "role_arn is of account 444455556666, not 111122223333",
        ),
        (
            '[prod]\naccount = "111122223333"\nregions = ["eu-west-1"]\nrole_arn = "opsleuth"',
            "is not the ARN of a role",
        ),
    ],
)
def test_what_is_wrong_is_told_with_its_place(text: str, says: str, tmp_path: Path) -> None:
    path = written(tmp_path, text)
    with pytest.raises(BadInput) as told:
        load(path)
    assert says in str(told.value)
    assert str(path) in str(told.value)


def test_no_file_says_what_to_write(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="does not exist"):
        load(tmp_path / "spaces.toml")


def test_a_run_gets_all_spaces_of_the_file_or_those_that_are_named(tmp_path: Path) -> None:
    path = written(tmp_path, GOOD)
    every = Context.model_validate({"spaces": around((), path)}).spaces
    assert [(one.name, one.account) for one in every] == [
        ("prod", "111122223333"),
        ("shared", "444455556666"),
    ]
    assert every[0].way() == Space(
        name="prod",
        account="111122223333",
        role_arn="arn:aws:iam::111122223333:role/team/opsleuth",
        regions=("eu-west-1", "us-east-1"),
    )
    assert [one["name"] for one in around(("shared",), path)] == ["shared"]
    with pytest.raises(BadInput, match='no space "nope"'):
        around(("nope",), path)


def test_without_a_file_a_run_has_no_other_accounts_unless_one_is_named(tmp_path: Path) -> None:
    assert around((), tmp_path / "spaces.toml") == []
    with pytest.raises(BadInput, match="does not exist"):
        around(("prod",), tmp_path / "spaces.toml")
