"""Causes elsewhere: a replica's change is the table's own, and a plan goes to the account that owns the resource."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from graph.cause import root_cause
from graph.facts import Facts
from graph.models import Hypothesis
from graph.places import apart, away, placed
from graph.plan import plan
from graph.plan_places import there
from graph.weighing import weigh
from graph.weighing.witness import names
from tests.graph import made
from tests.graph.made import ACCOUNT, QUEUE, REGION, TABLE, WRITER, arn, changed, event, resource, step
from tools.models import ChangeEvent, Resource
from tools.services._spec import Signature

CAP = "OnDemandThroughput.MaxWriteRequestUnits"
FAR, OTHER = "eu-north-1", "444455556666"
REPLICA = arn("dynamodb", "table/parcels", FAR)
_CUT = {"tableName": "parcels", "onDemandThroughput": {"maxWriteRequestUnits": 5}}
_SET = {"tableName": "parcels", "onDemandThroughput": {"maxWriteRequestUnits": 250}}
_THROTTLED = {
    (TABLE, "WriteThrottleEvents"): (0.0, 30.0),
    (TABLE, "WriteMaxOnDemandThroughputThrottleEvents"): (0.0, 30.0),
    (TABLE, "ConsumedWriteCapacityUnits"): (90.0, 5.0),
    (WRITER, "Errors"): (0.0, 8.0),
}


def _global(**shown: Any) -> tuple[Resource, ...]:
    """The shop, its table one of two replicas."""
    limits = {"OnDemandThroughput": {"MaxReadRequestUnits": 500, "MaxWriteRequestUnits": 5}}
    here = changed(TABLE, **limits, Replicas=[{"RegionName": FAR}], **shown)
    far = resource(
        REPLICA, "parcels", {"TableName": "parcels", **limits, "Replicas": [{"RegionName": REGION}]}
    )
    return (*here, replace(far, region=FAR))


def _abroad(found: ChangeEvent, region: str = FAR, account: str = ACCOUNT) -> ChangeEvent:
    return replace(found, region=region, account=account)


def _facts(**more: Any) -> Facts:
    cut = _abroad(event("dynamodb", "UpdateTable", _CUT, minutes=-1, id="cut"))
    before = event("dynamodb", "UpdateTable", _SET, minutes=-9000, id="set")
    return made.facts(
        (TABLE, "WriteThrottleEvents"),
        _THROTTLED,
        **{
            "resources": _global(),
            "changes": (before, cut),
            "steps": (step(TABLE, CAP, "M", 250, 5),),
            **more,
        },
    )


def test_a_maximum_set_on_a_replica_elsewhere_is_the_cause_on_the_table_that_is_throttled() -> None:
    facts = _facts()
    cause = root_cause(facts, weigh(facts)[0])
    assert (cause.kind, cause.resource, cause.field) == ("change", TABLE, CAP)
    assert cause.event is not None
    assert (cause.event.id, cause.event.region) == ("cut", FAR)
    assert (cause.prior_value, cause.bad_value) == (250, 5)
    assert {one.kind for one in cause.prior_sources} == {"metric", "previous_event"}
    assert f"(changed in {FAR})" in cause.statement.text
    found = plan(facts, cause)
    assert found is not None
    (call,) = found.apply[0].calls
    assert (call.region, call.account) == (REGION, "")
    assert call.parameters["OnDemandThroughput"] == {"MaxReadRequestUnits": 500, "MaxWriteRequestUnits": 250}


def test_the_deny_names_the_table_here_and_the_replica_that_was_changed() -> None:
    facts = _facts()
    found = made.preventions(facts, root_cause(facts, weigh(facts)[0]))
    (block,) = [one for one in found if one.kind == "block"]
    assert isinstance(block.artefact, dict)
    assert block.artefact["Statement"][0]["Resource"] == [TABLE, REPLICA]
    assert block.back_test.startswith("would have blocked this change")


def test_the_value_before_may_have_been_set_on_the_other_replica() -> None:
    cut = _abroad(event("dynamodb", "UpdateTable", _CUT, minutes=-1, id="cut"))
    before = _abroad(event("dynamodb", "UpdateTable", _SET, minutes=-9000, id="set"))
    facts = _facts(changes=(before, cut), steps=())
    cause = root_cause(facts, weigh(facts)[0])
    assert cause.prior_value == 250
    assert [one.kind for one in cause.prior_sources] == ["previous_event"]


def test_a_table_of_the_same_name_that_is_no_replica_is_another_one() -> None:
    alone = changed(TABLE, OnDemandThroughput={"MaxReadRequestUnits": 500, "MaxWriteRequestUnits": 5})
    far = replace(resource(REPLICA, "parcels", {"TableName": "parcels"}), region=FAR)
    facts = _facts(resources=(*alone, far), steps=())
    assert not [one for one in weigh(facts) if one.resource == TABLE and one.event == "cut"]


def test_reads_of_replicas_have_maxima_of_their_own() -> None:
    request = {"tableName": "parcels", "onDemandThroughput": {"maxReadRequestUnits": 1}}
    facts = _facts(changes=(_abroad(event("dynamodb", "UpdateTable", request, id="reads")),), steps=())
    assert {one.resource for one in weigh(facts) if one.event == "reads"} == {REPLICA}


# -- where things are -------------------------------------------------------------------------------


def _queue(account: str = ACCOUNT, region: str = REGION) -> Resource:
    where = arn("sqs", "parcel-events", region, account)
    return replace(resource(QUEUE, "parcel-events"), arn=where, account=account, region=region)


@pytest.mark.parametrize(
    ("account", "region", "metrics", "history"),
    [
        (ACCOUNT, REGION, None, None),
        (ACCOUNT, FAR, (ACCOUNT, FAR), (ACCOUNT, FAR)),
        (ACCOUNT, "us-east-1", (ACCOUNT, "us-east-1"), None),  # its history is read in every run
        (OTHER, REGION, (OTHER, REGION), (OTHER, REGION)),
        (OTHER, "us-east-1", (OTHER, "us-east-1"), (OTHER, "us-east-1")),
    ],
)
def test_where_metrics_and_history_of_a_resource_are(
    account: str, region: str, metrics: tuple[str, str] | None, history: tuple[str, str] | None
) -> None:
    facts, one = _facts(), _queue(account, region)
    assert apart(facts, one) == metrics
    assert away(facts, one) == history


def test_a_role_of_another_account_has_its_history_in_the_global_region() -> None:
    role = resource(arn("iam", "role/far", "", OTHER), "far")
    assert away(_facts(), replace(role, account=OTHER)) == (OTHER, "us-east-1")
    assert away(_facts(), resource(arn("iam", "role/near", ""), "near")) is None


def test_what_lies_outside_of_aws_is_nowhere_else() -> None:
    host = Resource(
        arn="host:rates.example", service="outside", type="host", name="rates", account="", region=""
    )
    assert apart(_facts(), host) is None


def test_a_name_says_where_the_change_was_made_only_when_that_is_elsewhere() -> None:
    facts, here = _facts(), event("dynamodb", "UpdateTable", _CUT)
    assert placed(facts, TABLE, here) == "parcels"
    assert placed(facts, TABLE, None) == "parcels"
    assert placed(facts, TABLE, event("iam", "DeleteRolePolicy", {})) == "parcels"
    assert placed(facts, TABLE, _abroad(here)) == f"parcels (changed in {FAR})"
    assert placed(facts, TABLE, _abroad(here, REGION, OTHER)) == f"parcels of account {OTHER}"


# -- plans ------------------------------------------------------------------------------------------


def test_the_calls_for_another_account_s_resource_are_marked_and_its_account_is_checked_first() -> None:
    facts = _facts()
    found = plan(facts, root_cause(facts, weigh(facts)[0]))
    assert found is not None
    assert there(facts, TABLE, found) is found
    owned = replace(facts, resources=tuple(_owned(one) for one in facts.resources))
    moved = there(owned, TABLE, found)
    marked = [call for part in (moved.prepare, moved.pre_validate, moved.apply, moved.rollback) for one in part
              for call in one.calls]  # fmt: skip
    assert marked
    assert {(call.account, call.region) for call in marked} == {(OTHER, REGION)}
    assert moved.prepare[0].expect == (OTHER,)
    assert OTHER in moved.prepare[0].note
    assert ACCOUNT in moved.prepare[0].note
    assert moved.stays_red == found.stays_red
    assert [call.parameters for step_ in moved.apply for call in step_.calls] == [
        call.parameters for step_ in found.apply for call in step_.calls
    ]


def _owned(one: Resource) -> Resource:
    return replace(one, account=OTHER) if one.arn == TABLE else one


def test_an_error_text_that_names_the_operation_names_the_setting_that_this_very_call_moved() -> None:
    facts = _facts(
        changes=(event("kms", "PutKeyPolicy", {}, id="put"), event("kms", "TagResource", {}, id="tag"))
    )
    text = Signature(match="x", code="x", reason="", points_to="PutKeyPolicy", says="x")
    by_call = Hypothesis(id="1", kind="change", title="", resource=TABLE, setting="Policy", event="put")
    assert names(facts, by_call, text)
    assert not names(facts, by_call.model_copy(update={"event": "tag"}), text)
    assert not names(facts, by_call.model_copy(update={"event": ""}), text)


ZONE = "arn:aws:route53:::hostedzone/Z0123456789ABCDEFGHIJ"


def test_metrics_of_a_global_service_are_in_the_partitions_global_region() -> None:
    facts = made.facts((WRITER, "Errors"), {(WRITER, "Errors"): (0, 8)})
    zone = replace(resource(ZONE, "parcels.example.com"), region="")
    assert apart(facts, zone) == (ACCOUNT, "us-east-1")
    assert away(facts, zone) is None  # its history is read in every run
    role = next(one for one in facts.resources if one.service == "iam")
    assert away(facts, role) is None
