"""Events by the things they name, so that asking for all changes of one thing does not read all events."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence

from graph.undoing.anatomy import makes, named
from graph.undoing.identity import agree, last_word
from tools.models import ChangeEvent

_Place = tuple[str, str, str]
_Keys = tuple[str, ...]


class Subjects:
    """Answers with the events for which `identity.same_subject` holds. Indexes are made when first asked for."""

    def __init__(self, events: Sequence[ChangeEvent]) -> None:
        """`events` in the order in which they are to be given."""
        self._events = events
        self._full = [named(event) for event in events]
        self._names = [_words(names) for names in self._full]
        self._kinds: dict[_Place, dict[_Keys, list[int]]] = defaultdict(lambda: defaultdict(list))
        for number, (event, names) in enumerate(zip(events, self._names, strict=True)):
            self._kinds[_place(event)][tuple(sorted(names))].append(number)
        self._indexes: dict[tuple[_Place, _Keys, _Keys], Mapping[_Keys, Sequence[int]]] = {}
        self._found: dict[tuple[_Place, str, str, tuple[tuple[str, str], ...]], tuple[ChangeEvent, ...]] = {}

    def same(self, event: ChangeEvent) -> tuple[ChangeEvent, ...]:
        """All events about the same thing as `event`. Their last words agree, so only those are compared in full."""
        place, full = _place(event), named(event)
        names = _words(full)
        made = event.id if makes(event) else ""  # its answer counts too
        key = (place, event.operation, made, tuple(sorted(full.items())))
        if key not in self._found:
            numbers: list[int] = []
            for keys in self._kinds.get(place, {}):
                shared = tuple(one for one in keys if one in names)
                if shared:
                    wanted = tuple(names[one] for one in shared)
                    numbers.extend(self._index(place, keys, shared).get(wanted, ()))
            self._found[key] = tuple(
                self._events[number]
                for number in sorted(numbers)
                if agree(self._events[number], self._full[number], event, full)
            )
        return self._found[key]

    def _index(self, place: _Place, keys: _Keys, shared: _Keys) -> Mapping[_Keys, Sequence[int]]:
        """Events that give `keys`, by their values for some of them."""
        key = (place, keys, shared)
        if key not in self._indexes:
            made: dict[_Keys, list[int]] = defaultdict(list)
            for number in self._kinds[place][keys]:
                made[tuple(self._names[number][one] for one in shared)].append(number)
            self._indexes[key] = made
        return self._indexes[key]


def _place(event: ChangeEvent) -> _Place:
    return event.source, event.account, event.region


def _words(names: dict[str, str]) -> dict[str, str]:
    return {key: last_word(value) for key, value in names.items()}
