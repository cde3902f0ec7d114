"""What to mind before a value is put back."""

from __future__ import annotations

from collections.abc import Iterator

from graph.claims import rate_claim, setting_claim, shown, statement
from graph.facts import Facts
from graph.models import RootCause
from graph.plan_sources import spoken
from graph.weighing.dose import per
from tools.history import current, same
from tools.models import Claim, Resource, Statement
from tools.services._spec import Setting


def to_mind(facts: Facts, cause: RootCause, resource: Resource, setting: Setting) -> tuple[Statement, ...]:
    """Changed again since, in doubt, below demand, or known of the setting."""
    made: list[Statement] = []
    now = current(resource, setting)
    later = facts.described is not None and cause.latest is not None and cause.latest > facts.described
    if cause.kind != "setting" and resource.config and not later and not same(now, cause.bad_value, setting):
        made.append(
            statement(
                "It is {now} by now, no longer {value}: somebody changed it again.",
                evidence=resource.evidence[:1],
                claims=[
                    setting_claim(resource.arn, setting.path, now, facts.as_of),
                    setting_claim(resource.arn, setting.path, cause.bad_value, cause.latest or facts.as_of),
                ],
                now=spoken(now, setting), value=spoken(cause.bad_value, setting),
            )
        )  # fmt: skip
    if cause.prior_note:
        told = _prior_claims(cause, resource, setting)
        made.append(statement("{note}", claims=told, note=cause.prior_note))
    made.extend(_too_small(facts, cause, resource, setting))
    if setting.mind:
        made.append(statement("{mind}", mind=setting.mind))
    if len({source.kind for source in cause.prior_sources}) == 1:
        made.append(statement("The prior value rests on one source only."))
    return tuple(made)


def _too_small(facts: Facts, cause: RootCause, resource: Resource, setting: Setting) -> Iterator[Statement]:
    """The value before may itself have been below demand: then putting it back does not heal."""
    asked = facts.metric(facts.holder(resource.arn), setting.limits) if setting.limits else None
    prior = cause.prior_value
    if asked is None or asked.before is None or isinstance(prior, bool) or not isinstance(prior, int | float):
        return
    if prior != setting.unset and 0 <= prior < asked.before:
        yield statement(
            "{value} is itself below the demand of {demand}{per}: putting it back is right, and not enough.",
            evidence=asked.evidence,
            claims=[rate_claim(asked, since=False), *_prior_claims(cause, resource, setting)],
            value=prior,
            demand=shown(asked.before)[0],
            per=per(asked),
        )


def _prior_claims(cause: RootCause, resource: Resource, setting: Setting) -> list[Claim]:
    return [setting_claim(resource.arn, setting.path, one.value, one.time) for one in cause.prior_sources]
