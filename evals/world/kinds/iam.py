"""IAM roles of the case and what is done to their policies. Events are in the partition's global region."""

from __future__ import annotations

import json
from typing import Any

from evals.world.kinds._kind import Act, Kind, Wish
from evals.world.trail import Deed
from evals.world.workshop import Workshop
from evals.world.world import Thing, World


def _make(shop: Workshop, wish: Wish) -> Thing:
    """The role of a function or service of the case, under an id of its own."""
    user = shop.one(wish, "of")
    if user is not None and user.fixed.get("role"):
        return shop.world.things[user.fixed["role"]]
    return shop.role(wish.name, wish.created)


def _change(world: World, act: Act) -> Deed:
    """PutRolePolicy and DeleteRolePolicy for inline policies: the document is a text in the request."""
    role, name = act.thing, act.path.removeprefix("Policies.")
    request: dict[str, Any] = {"roleName": role.name, "policyName": name}
    if act.after is None:
        return Deed(source="iam", name="DeleteRolePolicy", request=request)
    request["policyDocument"] = json.dumps({"Version": "2012-10-17", "Statement": act.after})
    return Deed(source="iam", name="PutRolePolicy", request=request)


KINDS = (
    Kind(
        name="role",
        options={"of": "id of the function or service that runs as it"},
        settings={"Policies.": "statements of an inline policy, null when it is removed"},
        make=_make,
        change=_change,
    ),
)
