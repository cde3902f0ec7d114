"""A plan for a resource of another account: the same calls, marked with the account, which is checked first. Pure."""

from __future__ import annotations

from dataclasses import replace

from graph.facts import Facts
from graph.models import Mitigation, Step
from graph.words import say


def there(facts: Facts, arn: str, made: Mitigation) -> Mitigation:
    """The plan with its calls in the account of the resource; unchanged when that is the run's own.

    Clearing the run's own alarm stays where it is.
    """
    resource = facts.resource(arn)
    own = facts.incident.account
    if resource is None or not resource.account.isdigit() or resource.account == own:
        return made
    account, region = resource.account, resource.region or facts.incident.region

    def moved(steps: tuple[Step, ...]) -> tuple[Step, ...]:
        return tuple(
            step.model_copy(
                update={"calls": tuple(replace(one, account=account, region=region) for one in step.calls)}
            )
            for step in steps
        )

    checked = say(
        "{name} is account {account}'s, not {own}'s: these calls need somebody who may change it there. "
        "Put your own profile of that account in place of account-{account}; else stop",
        name=resource.name, account=account, own=own,
    )  # fmt: skip
    prepare = tuple(
        step.model_copy(update={"expect": (account,), "note": checked}) for step in moved(made.prepare)
    )
    return made.model_copy(
        update={
            "prepare": prepare,
            "pre_validate": moved(made.pre_validate),
            "apply": moved(made.apply),
            "rollback": moved(made.rollback),
        }
    )
