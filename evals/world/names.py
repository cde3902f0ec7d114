"""Words that worlds are named with."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from evals.world.seed import Seed
from tools.arn import partition_of

NOUNS = (
    ("order", "orders"),
    ("booking", "bookings"),
    ("payment", "payments"),
    ("ticket", "tickets"),
    ("shipment", "shipments"),
    ("reading", "readings"),
    ("claim", "claims"),
    ("reservation", "reservations"),
    ("vote", "votes"),
    ("transfer", "transfers"),
)
PEOPLE = (
    "ops-07",
    "m.tanaka",
    "sofia.ruiz",
    "jkowalski",
    "amara",
    "l-dubois",
    "priya.n",
    "h.suzuki",
    "oncall-2",
    "tom.becker",
    "yuki",
    "d.oliveira",
)
REGIONS = (
    "ap-northeast-1",
    "eu-west-1",
    "us-east-1",
    "eu-central-1",
    "us-west-2",
    "ap-southeast-2",
    "sa-east-1",
)
_OTHER_PARTITIONS = ("cn-north-1", "cn-northwest-1", "us-gov-west-1", "us-gov-east-1")
TEAMS = ("shop", "core", "checkout", "platform", "logistics")


def words(seed: Seed) -> dict[str, str]:
    """The names that a case may use, drawn from the seed; seed 1 is the workshop's."""
    first = seed.number == 1
    order = seed.random("people")
    people = list(PEOPLE)
    if not first:
        order.shuffle(people)
    singular, plural = NOUNS[0] if first else seed.pick("noun", NOUNS)
    account = "111122223333" if first else f"{seed.integer('account', 10**11, 10**12 - 1)}"
    region = REGIONS[0] if first else seed.pick("region", REGIONS)
    last = 24 if first else seed.integer("address", 11, 58)
    return {
        "noun": singular,
        "nouns": plural,
        "account": account,
        "region": region,
        "elsewhere": elsewhere(seed, region),
        "team": TEAMS[0] if first else seed.pick("team", TEAMS),
        "person_1": people[0],
        "person_2": people[1],
        "person_3": people[2],
        "person_4": people[3],
        "person_5": people[4],
        "address_1": f"203.0.113.{last}",
        "address_2": f"203.0.113.{last + 60}",
        "address_3": f"203.0.113.{last + 120}",
    }


def elsewhere(seed: Seed, region: str) -> str:
    """Another region of the same partition."""
    others = [one for one in (*REGIONS, *_OTHER_PARTITIONS) if partition_of(one) == partition_of(region)]
    return seed.pick("elsewhere", [one for one in others if one != region])


def neighbour(seed: Seed, name: str) -> str:
    """The id of another account."""
    return f"{seed.integer(f'account of {name}', 10**11, 10**12 - 1)}"


def moment(seed: Seed) -> datetime:
    """When things happen; seed 1 is 13 March 2026, 17:12:31 UTC."""
    start = datetime(2026, 3, 13, 17, 12, 31, tzinfo=UTC)
    if seed.number == 1:
        return start
    return start + timedelta(seconds=seed.integer("moment", -30 * 86_400, 110 * 86_400))
