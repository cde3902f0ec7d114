"""What a world's role may do at a moment, by its identity policies, and what a caller reads when it may not.

A KMS key's policy is asked as well: one of another account must name the caller or its account (KMS developer guide,
"Allowing users in other accounts to use a KMS key"), one of the same account leaves the decision to IAM.
"""

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


def keys_of(world: World, needs: Iterable[tuple[str, str]]) -> list[Thing]:
    """The KMS keys of other accounts among what a resource needs."""
    found = (world.things.get(arn) for action, arn in needs if action.startswith("kms:"))
    return [one for one in found if one is not None and one.kind == "key"]


def lets_in(world: World, key: Thing, role: Thing, action: str, second: float) -> bool:
    """Whether a key's policy lets a role use it at an epoch second."""
    if key.account == role.account:
        return True
    names = {"*", role.arn, f"arn:{world.partition}:iam::{role.account}:root"}
    held = [
        one
        for one in key.at("Policy", moment(second)) or []
        if names
        & set(_listed(one["Principal"] if isinstance(one["Principal"], str) else one["Principal"]["AWS"]))
    ]
    return policies.judge([policies.statements(held)], action, key.arn, {}).decision == "allowed"


def _listed(value: str | list[str]) -> list[str]:
    return [value] if isinstance(value, str) else value


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
        return self._known[key] and self._lets_in(action, arn, second)

    def _lets_in(self, action: str, arn: str, second: float) -> bool:
        return all(
            lets_in(self._world, key, self.role, action, second)
            for key in keys_of(self._world, [(action, arn)])
        )

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
        kind = "identity-based" if self._lets_in(action, arn, second - self._lag) else "resource-based"
        return (
            f"User: {user} is not authorized to perform: {action} on resource: {arn} because no {kind} policy "
            f"allows the {action} action"
        )

    def sdk_error(self, second: float, session: str) -> str:
        """The same as boto3 words it."""
        found, said = self.denied(second), self.refusal(second, session)
        verb = found[0].split(":")[1] if found else ""
        code = "AccessDeniedException"
        return f"An error occurred ({code}) when calling the {verb} operation: {said}" if found else code
