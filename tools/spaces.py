"""Other accounts that a run may look into: which, as whom, in which regions. Named by their owner, never guessed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from tools.arn import global_region
from tools.errors import Unavailable
from tools.models import Gap

NO_SPACE = "NoSpace"
NO_WAY_IN = "NoWayIn"


@dataclass(frozen=True, slots=True, kw_only=True)
class Space:
    """One account, the role to take or the profile to use there, and the regions to look at; none: all of them."""

    account: str
    name: str = ""
    role_arn: str = ""
    profile: str = ""
    regions: tuple[str, ...] = ()


def by_account(spaces: Iterable[Space]) -> Mapping[str, Space]:
    """Spaces by account id; several of one account are one with all their regions, as the first one's role."""
    found: dict[str, Space] = {}
    for one in spaces:
        held = found.get(one.account, one)
        regions = (*held.regions, *one.regions) if held.regions and one.regions else ()
        found[one.account] = replace(held, regions=tuple(dict.fromkeys(regions)))
    return found


def way_in(spaces: Mapping[str, Space], account: str, region: str) -> Space:
    """The space of an account, for a region of it ("": whatever the account has in all). Raises Unavailable."""
    found = spaces.get(account)
    if found is None:
        raise Unavailable(
            Gap(
                what=f"Account {account}",
                why=f"account {account} is not among the spaces",
                lift=f"Add account {account} to spaces.toml, with a role that may be taken there.",
                code=NO_SPACE,
            ),
            NO_SPACE,
        )
    if region and found.regions and region not in (*found.regions, global_region(region)):
        raise Unavailable(
            Gap(
                what=f"Account {account} in {region}",
                why=f"{region} is not among the regions of the space {found.name or account}",
                lift=f"Add {region} to the regions of [{found.name or account}] in spaces.toml.",
                code=NO_SPACE,
            ),
            NO_SPACE,
        )
    return found


def shut(account: str, why: object) -> Unavailable:
    """What is raised when a space leads nowhere: its role cannot be taken, its profile is of another account."""
    return Unavailable(
        Gap(
            what=f"Account {account}",
            why=f"The way into account {account} that spaces.toml names does not open: {why}",
            lift="Correct the space, or let its role be taken by the identity that opsleuth runs as.",
            code=NO_WAY_IN,
        ),
        NO_WAY_IN,
    )
