"""What a world's role may do at a moment, by its identity policies."""

from __future__ import annotations

from evals.world import policies
from evals.world.stage import moment
from evals.world.world import Thing


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
