"""What names have in common. The last and weakest hint at what belongs together."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable

_WORDS = re.compile(r"[A-Z]+(?=[A-Z][a-z])|[A-Z]?[a-z]+|[A-Z]+|\d+")
_MOST = 0.6
_SAY_NOTHING_TOLD = (
    "prod production prd live dev develop development test tst testing stage staging stg uat qa int "
    "sandbox demo aws amazon lambda function fn table db database queue sqs sns topic api rest http "
    "bucket s3 stream ecs eks ec2 rds service svc the my new old main default app application cluster "
    "instance server host v1 v2 v3 us eu ap sa ca east west north south central northeast southeast i vol"
)
_SAY_NOTHING = frozenset(_SAY_NOTHING_TOLD.split())


def words(name: str) -> tuple[str, ...]:
    """The words of a name in small letters, without those that say nothing of a system: environment, kind, region."""
    tail = name.strip("/").rsplit(":", 1)[-1]
    found = [word.lower() for word in _WORDS.findall(tail)]
    return tuple(word for word in found if word not in _SAY_NOTHING and not word.isdigit() and len(word) > 1)


def common(names: Iterable[str]) -> tuple[str, int]:
    """The first words that most of the names share, joined by "-", and how many names do; ("", 0) when none is."""
    split = [found for found in map(words, names) if found]
    if len(split) < 2:
        return "", 0
    kept: tuple[str, ...] = ()
    sharing = 0
    while True:
        counts = Counter(found[: len(kept) + 1] for found in split if len(found) > len(kept))
        counts = Counter({head: many for head, many in counts.items() if head[: len(kept)] == kept})
        if not counts:
            break
        head, many = min(counts.items(), key=lambda item: (-item[1], item[0]))
        if many < 2 or many < _MOST * len(split):
            break
        kept, sharing = head, many
    return "-".join(kept), sharing
