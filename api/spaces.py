"""Accounts and regions that belong together, as their owner names them: `spaces.toml` in opsleuth's folder.

[prod]
account = "111122223333"
role_arn = "arn:aws:iam::111122223333:role/opsleuth"
regions = ["eu-west-1", "us-east-1"]
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Sequence
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from api.faults import told
from tools import arn as arns
from tools.errors import BadInput

ALL = "all"
_REGION = re.compile(r"[a-z]{2,4}(-[a-z]+)+-\d{1,2}")


class Space(BaseModel):
    """One account with the regions to look at, and as whom. Without a role the profile's own identity looks."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str
    account: str = Field(pattern=r"^\d{12}$")
    role_arn: str = ""
    profile: str = ""
    regions: tuple[str, ...] = Field(min_length=1)

    @field_validator("regions")
    @classmethod
    def _known(cls, regions: tuple[str, ...]) -> tuple[str, ...]:
        for region in regions:
            if not _REGION.fullmatch(region):
                raise ValueError(f'"{region}" is not an AWS region; regions look like eu-west-1')
        return tuple(dict.fromkeys(regions))

    @model_validator(mode="after")
    def _own_role(self) -> Space:
        if not self.role_arn:
            return self
        if not arns.is_arn(self.role_arn) or arns.parse(self.role_arn).type != "role":
            raise ValueError(f'role_arn "{self.role_arn}" is not the ARN of a role')
        if arns.parse(self.role_arn).account != self.account:
            raise ValueError(
                f"role_arn is of account {arns.parse(self.role_arn).account}, not {self.account}"
            )
        return self


def load(path: Path) -> dict[str, Space]:
    """All spaces by name. Raises BadInput with the file, the space and what is wrong."""
    try:
        data = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise BadInput(
            f"There are no spaces: {path} does not exist. Write one table per account into it."
        ) from error
    except (OSError, UnicodeDecodeError) as error:
        raise BadInput(f"{path} cannot be read: {error}.") from error
    except tomllib.TOMLDecodeError as error:
        raise BadInput(f"{path} is not TOML: {error}.") from error
    if not data:
        raise BadInput(f"{path} holds no space. Write one table per account into it.")
    return {name: _space(path, name, table) for name, table in data.items()}


def _space(path: Path, name: str, table: object) -> Space:
    if not isinstance(table, dict):
        raise BadInput(f"{path}: {name} is no table. A space begins with a line [{name}].")
    if name == ALL:
        raise BadInput(f'{path}: no space can be called "{ALL}", which means all of them.')
    try:
        return Space.model_validate({**table, "name": name})
    except ValidationError as error:
        said = "; ".join(
            f"{'.'.join(map(str, one['loc'])) or 'space'}: {told(one)}" for one in error.errors()
        )
        raise BadInput(f"{path}, [{name}]: {said}.") from error


def around(names: Sequence[str], path: Path) -> list[dict[str, object]]:
    """The spaces of these names as a run's context takes them; without names all that the file holds, if there is one.

    Raises BadInput for an unknown name, or a file that cannot be read.
    """
    if not names and not path.is_file():
        return []
    fields = {"name", "account", "role_arn", "profile", "regions"}
    return [one.model_dump(include=fields) for one in chosen(load(path), names or (ALL,))]


def chosen(spaces: dict[str, Space], names: Sequence[str]) -> tuple[Space, ...]:
    """The spaces of these names in the file's order; "all" means every one. Raises BadInput for an unknown name."""
    for name in names:
        if name != ALL and name not in spaces:
            raise BadInput(f'There is no space "{name}". Known: {", ".join(spaces)}.')
    return tuple(one for name, one in spaces.items() if ALL in names or name in names)
