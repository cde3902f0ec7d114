"""What a world's role may do at a moment, by its identity policies, and what a caller reads when it may not."""

from __future__ import annotations

from collections.abc import Iterable

from evals.world import policies
from evals.world.stage import moment
from evals.world.world import Thing, World


def changed(role: Thing, second: float) -> float:
    """When a policy of the role last changed, in epoch seconds; 0 when none did."""
    found = [
        since.timestamp()
        for path, steps in role.settings.steps.items()
        if path.startswith("Policies.")
        for since in steps.since
    ]
    return max((one for one in found if one <= second), default=0.0)


def allows(role: Thing, action: str, resource: str, second: float) -> bool:
    """Whether the role's policies allow an action on a resource at an epoch second."""
    held = role.settings.under("Policies", moment(second))
    documents = [policies.statements(held[name]) for name in sorted(held)]
    return policies.judge(documents, action, resource, {}).decision == "allowed"


class Grants:
    """What the role behind a resource allows it. `lag`: seconds until a change of a policy takes effect."""

    def __init__(self, world: World, thing: Thing, lag: int) -> None:
        self._world, self._thing, self._lag = world, thing, lag
        self._known: dict[tuple[str, str, float], bool] = {}

    @property
    def role(self) -> Thing:
        return self._world.things[self._thing.fixed["role"]]

    @property
    def needs(self) -> Iterable[tuple[str, str]]:
        """(action, ARN) of all that the resource does by its role."""
        return tuple(self._thing.fixed.get("needs", ()))

    def allows(self, action: str, arn: str, second: float) -> bool:
        """As `allows`, remembered as long as no policy changes."""
        second -= self._lag
        key = action, arn, changed(self.role, second)
        if key not in self._known:
            self._known[key] = allows(self.role, action, arn, second)
        return self._known[key]

    def denied(self, second: float) -> tuple[str, str] | None:
        """The first need that the role no longer allows."""
        return next((need for need in self.needs if not self.allows(*need, second)), None)

    def refusal(self, second: float, session: str) -> str:
        """What AWS says of that need: "User: ... is not authorized to perform: ..."; "" when all is allowed."""
        found = self.denied(second)
        if found is None:
            return ""
        action, arn = found
        world = self._world
        user = f"arn:{world.partition}:sts::{world.account}:assumed-role/{self.role.name}/{session}"
        return (
            f"User: {user} is not authorized to perform: {action} on resource: {arn} because no identity-based policy "
            f"allows the {action} action"
        )

    def sdk_error(self, second: float, session: str) -> str:
        """The same as boto3 words it."""
        found, said = self.denied(second), self.refusal(second, session)
        verb = found[0].split(":")[1] if found else ""
        code = "AccessDeniedException"
        return f"An error occurred ({code}) when calling the {verb} operation: {said}" if found else code
