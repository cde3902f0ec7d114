"""What names have in common. The last and weakest hint at what belongs together."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable

from tools.models import Resource

_WORDS = re.compile(r"[A-Z]+(?=[A-Z][a-z])|[A-Z]?[a-z]+|[A-Z]+|\d+")
_ID = re.compile(r"[a-z]{1,8}-[0-9a-f]{8,17}")
_MOST = 0.6
_SAY_NOTHING_TOLD = (
    "prod production prd live dev develop development test tst testing stage staging stg uat qa int "
    "sandbox demo aws amazon lambda function fn table db database queue sqs sns topic api rest http "
    "bucket s3 stream ecs eks ec2 rds service svc the my new old main default app application cluster "
    "instance server host v1 v2 v3 us eu ap sa ca east west north south central northeast southeast i vol"
)
_SAY_NOTHING = frozenset(_SAY_NOTHING_TOLD.split())


def shown(resource: Resource) -> str:
    """The name that people know: the tag Name of what AWS calls by an id (i-0abc), else the resource's own name."""
    named = resource.tags.get("Name", "").strip()
    return named if named and _ID.fullmatch(resource.name) else resource.name


def words(name: str) -> tuple[str, ...]:
    """The words of a name in small letters and the singular, without those that say nothing of a system: environment,
    kind, region.
    """
    return tuple(word for word, _ in _told(name))


def _told(name: str) -> tuple[tuple[str, str], ...]:
    """Each word as it is compared, and as it is written."""
    tail = name.strip("/").rsplit(":", 1)[-1]
    found = [word.lower() for word in _WORDS.findall(tail)]
    kept = (word for word in found if word not in _SAY_NOTHING and not word.isdigit() and len(word) > 1)
    return tuple((word.removesuffix("s") if len(word) > 3 else word, word) for word in kept)


def common(names: Iterable[str]) -> tuple[str, int]:
    """The first words that most of the names share, joined by "-", and how many names do; ("", 0) when none is."""
    told = [found for found in map(_told, names) if found]
    split = [tuple(word for word, _ in found) for found in told]
    if len(split) < 2:
        return "", 0
    kept: tuple[str, ...] = ()
    sharing = 0
    while True:
        heads = Counter(
            found[: len(kept) + 1] for found in split if len(found) > len(kept) and found[: len(kept)] == kept
        )
        if not heads:
            break
        head, many = min(heads.items(), key=lambda item: (-item[1], item[0]))
        if many < 2 or many < _MOST * len(split):
            break
        kept, sharing = head, many
    written = [
        Counter(found[place][1] for found in told if tuple(w for w, _ in found[: len(kept)]) == kept)
        for place in range(len(kept))
    ]
    return "-".join(min(one, key=lambda word: (-one[word], word)) for one in written), sharing
