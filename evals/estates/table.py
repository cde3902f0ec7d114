"""Answers that moto does not hold, declared beside what was made and checked against botocore's shapes.

A row answers one operation for the parameters that name something; page sizes and tokens do not matter. An operation
that has rows answers "not found" for names without one, so that nothing is ever taken for an empty list.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from evals.world import wire
from tools.models import Json

_PAGING = frozenset(
    {
        "limit",
        "position",
        "maxResults",
        "nextToken",
        "MaxResults",
        "NextToken",
        "MaxRecords",
        "Marker",
        "Limit",
    }
    | {"PageSize", "includeDetails", "embed", "pageSize", "ShowCacheNodeInfo"}
)


@dataclass(slots=True)
class Table:
    """Rows by (region, service, operation). Lists grow: `more` appends to the list member of a row.

    `lists`: operations that answer a list, all of it or those items whose field is among a parameter's values:
    member, parameter, field.
    """

    rows: dict[tuple[str, str, str], list[tuple[Json, Json]]] = field(default_factory=dict)
    mended: dict[str, list[tuple[str, str, Json]]] = field(default_factory=dict)
    lists: dict[tuple[str, str, str], tuple[str, str, str]] = field(default_factory=dict)

    def put(self, region: str, service: str, operation: str, names: Json, answer: Json) -> None:
        """Answer `operation` with `answer` where the request's parameters are `names`. Raises WrongShape."""
        wire.check(wire.operation_model(service, operation).output_shape, answer, f"{service}:{operation}")
        held = self.rows.setdefault((region, service, operation), [])
        held[:] = [row for row in held if row[0] != names]
        held.append((names, answer))

    def more(self, region: str, service: str, operation: str, names: Json, member: str, item: object) -> None:
        """Append `item` to the list `member` of the row, which is made where it is missing."""
        rows = self.rows.get((region, service, operation), [])
        before = next((answer for held, answer in rows if held == names), {})
        self.put(region, service, operation, names, {**before, member: [*before.get(member, []), item]})

    def mend(self, service: str, key: str, value: str, more: Json) -> None:
        """Add members to every JSON object in moto's answers of a service whose `key` is `value`: moto drops them."""
        self.mended.setdefault(service, []).append((key, value, more))

    def mends(self, service: str, answer: object) -> None:
        """Put the members into an answer, in place."""
        if isinstance(answer, list):
            for one in answer:
                self.mends(service, one)
        elif isinstance(answer, dict):
            for one in answer.values():
                self.mends(service, one)
            for key, value, more in self.mended[service]:
                if answer.get(key) == value:
                    answer.update(more)

    def listed(
        self, region: str, service: str, operation: str, by: tuple[str, str, str], items: list[Json]
    ) -> None:
        """Append to a list that a parameter narrows; `by`: member, parameter, field."""
        self.lists[region, service, operation] = by
        for item in items:
            self.more(region, service, operation, {}, by[0], item)

    @staticmethod
    def named(parameters: Mapping[str, object]) -> Json:
        """The parameters that name something."""
        return {key: value for key, value in parameters.items() if key not in _PAGING}

    def find(
        self, region: str, service: str, operation: str, parameters: Mapping[str, object]
    ) -> Json | None:
        """The answer for these parameters, or None."""
        named = self.named(parameters)
        place = (region, service, operation)
        if place in self.lists:
            return self._narrowed(place, named)
        return next((answer for names, answer in self.rows.get(place, []) if names == named), None)

    def _narrowed(self, place: tuple[str, str, str], named: Json) -> Json | None:
        member, parameter, key = self.lists[place]
        if set(named) - {parameter}:
            return None
        held: list[Json] = self.rows[place][0][1][member]
        asked = named.get(parameter)
        wanted = [asked] if isinstance(asked, str) else asked
        return {member: [one for one in held if not wanted or one[key] in wanted]}

    def holds(self, service: str, operation: str) -> bool:
        """Whether the table, not moto, answers this operation."""
        return any(key[1:] == (service, operation) for key in self.rows)
