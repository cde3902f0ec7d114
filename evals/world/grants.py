"""What the policies of a world's roles allow: identity policies only, by action and resource."""

from __future__ import annotations

from fnmatch import fnmatchcase

from evals.world.stage import moment
from evals.world.world import Thing
from tools.models import Json


def statements(role: Thing, second: float) -> list[Json]:
    """The statements of all inline and attached policies of a role at an epoch second."""
    held = role.settings.under("Policies", moment(second))
    return [one for name in sorted(held) for one in held[name]]


def allows(role: Thing, action: str, resource: str, second: float) -> bool:
    """Whether some statement allows and none denies."""
    found = [one for one in statements(role, second) if _fits(one, action, resource)]
    return bool(found) and not any(one["Effect"] == "Deny" for one in found)


def _fits(statement: Json, action: str, resource: str) -> bool:
    actions, resources = _listed(statement["Action"]), _listed(statement["Resource"])
    return any(fnmatchcase(action.lower(), one.lower()) for one in actions) and any(
        fnmatchcase(resource, one) for one in resources
    )


def _listed(value: object) -> list[str]:
    return [value] if isinstance(value, str) else list(value)  # type: ignore[call-overload]
