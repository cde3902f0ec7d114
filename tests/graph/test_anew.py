"""What was replaced for good, as a password: the plan starts anew who holds the old one."""

from __future__ import annotations

from dataclasses import replace

from graph.facts import Facts
from graph.models import ChangedBy, RootCause
from graph.plan import plan
from tests.graph import made
from tests.graph.made import WRITER, event
from tools.models import Relation, Statement

SECRET = made.arn("secretsmanager", "secret:parcels/db-AbC12d")
SERVICE = made.arn("ecs", "service/parcels/web")
ROTATED = event("secretsmanager", "RotateSecret", {"secretId": SECRET}, id="asked", minutes=-2)


def facts(*users: str) -> Facts:
    known = (made.resource(SECRET, "parcels/db"), made.resource(SERVICE, "web"))
    found = made.facts(
        (WRITER, "Errors"),
        {(WRITER, "Errors"): (0, 8)},
        changes=(ROTATED,),
        resources=(*made.shop(), *known),
    )
    uses = tuple(Relation(source=one, target=SECRET, kind="uses", provenance="x") for one in users)
    return replace(found, relations=(*found.relations, *uses))


def cause() -> RootCause:
    said = Statement(text="somebody rotated it")
    by = ChangedBy(
        id="asked", action="RotateSecret", operation="RotateSecret", time=ROTATED.time, region=made.REGION
    )
    return RootCause(kind="change", resource=SECRET, statement=said, confidence=0.9, event=by)


def test_services_that_use_a_rotated_secret_are_started_anew() -> None:
    found = plan(facts(SERVICE, WRITER), cause())
    assert found is not None
    (call,) = found.apply[0].calls
    assert (call.service, call.operation) == ("ecs", "UpdateService")
    assert call.parameters == {"cluster": "parcels", "service": "web", "forceNewDeployment": True}
    assert found.rollback == ()


def test_where_nothing_can_be_started_anew_no_call_is_proposed() -> None:
    found = plan(facts(WRITER), cause())
    assert found is not None
    assert found.apply == ()
