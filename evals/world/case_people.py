"""Who acts in a case, as its trails show them."""

from __future__ import annotations

from dataclasses import replace

from evals.world import chains
from evals.world.casefile import PersonSpec
from evals.world.draft import Draft
from evals.world.identities import Cast, Identity
from evals.world.places import inside
from tools.errors import BadInput


def acting(draft: Draft, key: str, spec: PersonSpec) -> Identity:
    """Somebody as the trail of the account shows them in which they act."""
    with inside(draft.world, draft.account(spec.account)):
        if not spec.home:
            who = _person(draft, draft.world.cast, spec)
            return replace(who, agent=f"{who.agent} {draft.text(spec.agent)}") if spec.agent else who
        draft.account(spec.home)
        if draft.text(spec.way) not in chains.WAYS:
            raise BadInput(f"people.{key}: who has a `home` acts by {' or '.join(chains.WAYS)}.")
        home = draft.world.neighbours[spec.home]
        abroad = spec.model_copy(update={"role": ""})
        person = _person(draft, replace(draft.world.cast, account=home.account), abroad)
        made = draft.chains[key] = chains.chain(draft.world.cast, home, person, draft.text(spec.role))
        return made.acting


def _person(draft: Draft, cast: Cast, spec: PersonSpec) -> Identity:
    way, name = draft.text(spec.way), draft.text(spec.name)
    address, role = draft.text(spec.address), draft.text(spec.role)
    if way == "user-console":
        return cast.user_console(name, address, spec.mfa)
    if way == "user-cli":
        return cast.user_cli(name, address, "sts.get-caller-identity")
    if way in ("sso-console", "sso-cli"):
        return cast.sso(role or "PowerUserAccess", name, address, way == "sso-console")
    if way == "ci":
        return cast.ci(role, name)
    if way == "terraform":
        return cast.terraform(role, name)
    raise BadInput(f'A case names an unknown way to act: "{way}".')
