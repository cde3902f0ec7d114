"""Events by the things they name, so that asking for all changes of one thing does not read all events."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from graph.undoing.anatomy import makes, named
from graph.undoing.identity import agree, is_long, last_word
from tools.models import ChangeEvent

_Place = tuple[str, str, str]
_Keys = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Index:
    """Events of one kind by their values for some names: `exact` by the values themselves, `long` those with an ARN or
    address among them by the last words, `words` all by these."""

    exact: dict[_Keys, list[int]] = field(default_factory=lambda: defaultdict(list))
    long: dict[_Keys, list[int]] = field(default_factory=lambda: defaultdict(list))
    words: dict[_Keys, list[int]] = field(default_factory=lambda: defaultdict(list))

    def add(self, number: int, values: _Keys) -> None:
        words = tuple(map(last_word, values))
        self.words[words].append(number)
        if any(map(is_long, values)):
            self.long[words].append(number)
        else:
            self.exact[values].append(number)

    def find(self, values: _Keys) -> Iterable[int]:
        """Those whose values may mean the same. Two names that are no ARN and no address are one only when equal."""
        words = tuple(map(last_word, values))
        if any(map(is_long, values)):
            return self.words.get(words, ())
        return (*self.exact.get(values, ()), *self.long.get(words, ()))


class Subjects:
    """Answers with the events for which `identity.same_subject` holds. Indexes are made when first asked for."""

    def __init__(self, events: Sequence[ChangeEvent]) -> None:
        """`events` in the order in which they are to be given."""
        self._events = events
        self._names = [named(event) for event in events]
        self._kinds: dict[_Place, dict[_Keys, list[int]]] = defaultdict(lambda: defaultdict(list))
        for number, (event, names) in enumerate(zip(events, self._names, strict=True)):
            self._kinds[_place(event)][tuple(sorted(names))].append(number)
        self._indexes: dict[tuple[_Place, _Keys, _Keys], _Index] = {}
        self._found: dict[tuple[_Place, str, str, tuple[tuple[str, str], ...]], tuple[ChangeEvent, ...]] = {}

    def same(self, event: ChangeEvent) -> tuple[ChangeEvent, ...]:
        """All events about the same thing as `event`. Only those whose names may agree are compared in full."""
        place, names = _place(event), named(event)
        made = event.id if makes(event) else ""  # its answer counts too
        key = (place, event.operation, made, tuple(sorted(names.items())))
        if key not in self._found:
            numbers: list[int] = []
            for keys in self._kinds.get(place, {}):
                shared = tuple(one for one in keys if one in names)
                if shared:
                    numbers.extend(self._index(place, keys, shared).find(tuple(names[one] for one in shared)))
            self._found[key] = tuple(
                self._events[number]
                for number in sorted(numbers)
                if agree(self._events[number], self._names[number], event, names)
            )
        return self._found[key]

    def _index(self, place: _Place, keys: _Keys, shared: _Keys) -> _Index:
        """Events that give `keys`, by their values for some of them."""
        key = (place, keys, shared)
        if key not in self._indexes:
            made = _Index()
            for number in self._kinds[place][keys]:
                made.add(number, tuple(self._names[number][one] for one in shared))
            self._indexes[key] = made
        return self._indexes[key]


def _place(event: ChangeEvent) -> _Place:
    return event.source, event.account, event.region
