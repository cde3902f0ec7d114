"""Rules for other ports, policies on other actions and parameters that no text names are not what is refused."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from graph.facts import Facts
from graph.weighing import hypotheses, weigh
from graph.weighing.concerns import concerns
from graph.weighing.mechanism import moves_nothing
from graph.weighing.witness import about
from graph.weights import WEIGHTS
from tests.graph import made
from tests.graph.made import WRITER, event
from tests.graph.test_network_causes import FUNCTION, NETWORK, PROGRAM
from tests.graph.test_undone import ENTRY, rule
from tools.models import ChangeEvent, Json, Relation

DENIED = made.pattern(
    "[ERROR] AccessDeniedException: User: arn:aws:sts::111122223333:assumed-role/parcel-writer-role/parcel-writer "
    "is not authorized to perform: dynamodb:PutItem on resource: table/parcels because no identity-based policy"
)


def network(text: str, *changes: ChangeEvent) -> Facts:
    return made.facts(
        (FUNCTION, "Errors"),
        {(FUNCTION, "Errors"): (0.0, 8.0)},
        resources=(*PROGRAM, *NETWORK),
        changes=changes,
        patterns=(made.pattern(text, group="/aws/lambda/orders"),),
    )


def told(facts: Facts, one: ChangeEvent) -> list[float]:
    (found,) = [item for item in hypotheses(facts) if item.event == one.id]
    return [result.weight for result in concerns(facts, found)]


@pytest.mark.parametrize(
    ("text", "weight"),
    [
        (
            'connection to server at "10.0.3.7", port 5432 failed: timeout expired: timed out',
            "logs.name_resource",
        ),
        ("connect() failed while connecting to upstream: http://10.0.3.7:9100/x", "logs.name_another"),
        ("upstream timed out at 12:54:32 while connecting", ""),
        ("saved 5432 rows of tenant:5432", ""),
    ],
)
def test_a_rule_is_about_the_ports_that_it_names(text: str, weight: str) -> None:
    revoked = event("ec2", "RevokeSecurityGroupIngress", rule(5432), minutes=-9)
    assert told(network(text, revoked), revoked) == ([WEIGHTS[weight]] if weight else [])


def test_a_wide_range_of_ports_may_hold_those_on_which_answers_come_back() -> None:
    wide = event(
        "ec2", "CreateNetworkAclEntry", {**ENTRY, "portRange": {"from": 32768, "to": 60999}}, minutes=-9
    )
    assert told(network("connect() timed out: http://10.0.3.7:8180/", wide), wide) == []


def policy(operation: str, name: str, minutes: float, *actions: str, effect: str = "Allow") -> ChangeEvent:
    request: Json = {"roleName": "parcel-writer-role", "policyName": name}
    if operation.startswith("Put"):
        held = {"Statement": {"Effect": effect, "Action": list(actions), "Resource": "*"}}
        request["policyDocument"] = json.dumps(held)
    return event("iam", operation, request, minutes=minutes)


def roles(*changes: ChangeEvent) -> Facts:
    return made.facts((WRITER, "Errors"), {(WRITER, "Errors"): (0, 8)}, changes=changes, patterns=(DENIED,))


@pytest.mark.parametrize(
    ("changes", "against"),
    [
        ((policy("PutRolePolicy", "p", -9000, "s3:*"), policy("DeleteRolePolicy", "p", -5)), True),
        ((policy("PutRolePolicy", "p", -9000, "dynamodb:Put*"), policy("DeleteRolePolicy", "p", -5)), False),
        ((policy("PutRolePolicy", "p", -9000, "*"), policy("PutRolePolicy", "p", -5, "s3:GetObject")), False),
        ((policy("PutRolePolicy", "p", -9000, "*"), policy("PutRolePolicy", "p", -5, "dynamodb:*")), True),
        (
            (
                policy("PutRolePolicy", "p", -9000, "s3:*"),
                policy("PutRolePolicy", "p", -5, "*", effect="Deny"),
            ),
            False,
        ),
        ((policy("DeleteRolePolicy", "p", -5),), False),  # nobody knows what it held
        ((policy("PutRolePolicy", "p", -5, "s3:*"),), False),
    ],
)
def test_a_policy_that_never_allowed_the_action_is_not_why_it_is_refused(
    changes: tuple[ChangeEvent, ...], against: bool
) -> None:
    assert told(roles(*changes), changes[-1]) == ([WEIGHTS["logs.name_another"]] if against else [])


def test_of_two_deleted_policies_the_one_that_allowed_it_is_first() -> None:
    held = policy("PutRolePolicy", "write", -9000, "dynamodb:PutItem")
    other = policy("PutRolePolicy", "report", -8000, "cloudwatch:PutMetricData")
    bad, later = policy("DeleteRolePolicy", "write", -9), policy("DeleteRolePolicy", "report", -2)
    assert weigh(roles(held, other, bad, later))[0].event == bad.id


@pytest.mark.parametrize(
    ("operation", "nothing"),
    [("TagResource", True), ("AddTagsToStream", True), ("PutBucketTagging", True), ("StageThing", False)],
)
def test_tags_of_services_that_nobody_knows_move_nothing(operation: str, nothing: bool) -> None:
    assert moves_nothing(event("unheard-of", operation, {})) is nothing


def test_a_text_that_names_nobody_speaks_of_the_only_one_that_its_writer_relies_on() -> None:
    text = "PutItem: configured provisioned throughput for the table was exceeded"
    facts = made.facts((WRITER, "Errors"), {(WRITER, "Errors"): (0, 8)}, patterns=(made.pattern(text),))
    (spoken,) = facts.patterns
    assert facts.signature(spoken) is not None
    assert not spoken.names
    assert about(facts, spoken, made.TABLE)
    elsewhere = made.pattern(text, group="/aws/lambda/somebody-else")
    assert not about(facts, elsewhere, made.TABLE)
    second = made.arn("dynamodb", "table/routes")
    here = (*facts.resources, made.resource(second, "routes", {"TableName": "routes"}))
    more = replace(
        facts,
        resources=here,
        relations=(
            *facts.relations,
            Relation(source=WRITER, target=second, kind="writes", provenance="test"),
        ),
    )
    assert not about(more, spoken, made.TABLE)
