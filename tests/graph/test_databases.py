"""Incidents of a database, from its changes and states to the callers' errors: who is blamed, what is put back."""

from __future__ import annotations

from typing import Any

import pytest

from graph.cause import root_cause
from graph.facts import Facts
from graph.models import Hypothesis
from graph.plan import plan
from graph.weighing import decide, weigh
from tests.graph import made
from tests.graph.kinds import DECOYS
from tests.graph.made import ONSET, REGION, WRITER, arn, event, pattern, preventions
from tools.models import ChangeEvent, Json, Resource

DATABASE = arn("rds", "db:parcels-db")
GROUP = arn("rds", "pg:parcels-pg")
HOST = f"parcels-db.c1example2ab.{REGION}.rds.amazonaws.com"
LOG = "/aws/rds/instance/parcels-db/postgresql"
NAMED = {"dBInstanceIdentifier": "parcels-db"}


def account(parameters: dict[str, str] | None = None, **config: Any) -> tuple[Resource, ...]:
    """The shop, its writer with a PostgreSQL database that has a parameter group of its own."""
    others = tuple(one for one in made.shop() if one.arn != WRITER)
    (writer,) = (one for one in made.shop() if one.arn == WRITER)
    variables = {"DATABASE_URL": f"postgres://{HOST}/parcels", **writer.config["Environment"]["Variables"]}
    use = {"DBInstanceIdentifier": "parcels-db", "EnabledCloudwatchLogsExports": ["postgresql"]}
    return (
        *others,
        made.function(WRITER, "parcel-writer", **{**writer.config, "Environment": {"Variables": variables}}),
        made.resource(
            DATABASE,
            "parcels-db",
            {
                **use,
                "DBInstanceClass": "db.r6g.large",
                "DBInstanceStatus": "available",
                "AllocatedStorage": 100,
                "Endpoint": {"Address": HOST, "Port": 5432},
                "VpcSecurityGroups": [{"VpcSecurityGroupId": "sg-0new", "Status": "active"}],
                "DBParameterGroups": [{"DBParameterGroupName": "parcels-pg"}],
                **config,
            },
        ),
        made.resource(
            GROUP,
            "parcels-pg",
            {
                "Parameters": parameters or {},
                "ApplyTypes": {"max_connections": "static", "work_mem": "dynamic"},
                "DBInstances": [use],
            },
        ),
    )


def facts(
    *changes: ChangeEvent,
    moves: dict[str, tuple[float, float]],
    resources: tuple[Resource, ...] | None = None,
    lines: str = "",
    group: str = LOG,
    symptom: tuple[str, str] = (WRITER, "Errors"),
) -> Facts:
    shown = {(DATABASE, name): move for name, move in moves.items()}
    return made.facts(
        symptom,
        {(WRITER, "Errors"): (0, 8), **shown},
        changes=[*changes, *DECOYS],
        resources=resources or account(),
        patterns=(pattern(lines, group=group),) if lines else (),
    )


def limited(value: str, id: str = "true", minutes: float = -3.0) -> ChangeEvent:
    sent = {"parameterName": "max_connections", "parameterValue": value, "applyMethod": "immediate"}
    return event(
        "rds",
        "ModifyDBParameterGroup",
        {"dBParameterGroupName": "parcels-pg", "parameters": [sent]},
        id=id,
        minutes=minutes,
    )


FULL = "FATAL:  remaining connection slots are reserved for roles with the SUPERUSER attribute"


def leader(found: Facts) -> Hypothesis:
    ranked = weigh(found)
    decision = decide(found, ranked, may_wait=False)
    assert decision.verdict == "root_cause", [(one.title, one.probability) for one in ranked[:4]]
    assert decision.leader == ranked[0]
    return ranked[0]


@pytest.mark.parametrize("lines", ["", FULL])
def test_connections_were_limited_and_go_back_to_what_was_set_before(lines: str) -> None:
    found = facts(
        limited("250", "old", -9000),
        limited("40"),
        moves={"DatabaseConnections": (120, 40)},
        resources=account({"max_connections": "40"}),
        lines=lines,
    )
    first = leader(found)
    assert (first.event, first.setting, first.resource) == ("true", "Parameters.max_connections", GROUP)
    cause = root_cause(found, first)
    assert (cause.bad_value, cause.prior_value) == ("40", "250")
    made_plan = plan(found, cause)
    assert made_plan is not None
    sent: list[Json] = [call.parameters for step in made_plan.apply for call in step.calls]
    parameter = {"ParameterName": "max_connections", "ParameterValue": "250", "ApplyMethod": "pending-reboot"}
    assert sent == [{"DBParameterGroupName": "parcels-pg", "Parameters": [parameter]}]


@pytest.mark.parametrize(
    ("group", "lines"),
    [
        (LOG, FULL),
        ("/aws/lambda/parcel-writer", f'connection to server at "{HOST}", port 5432 failed: {FULL}'),
    ],
)
def test_connections_that_ran_out_without_a_change_are_a_state_of_the_database(
    group: str, lines: str
) -> None:
    found = facts(moves={"DatabaseConnections": (120, 400)}, lines=lines, group=group)
    first = leader(found)
    assert (first.kind, first.resource, first.condition) == (
        "condition",
        DATABASE,
        "Parameters.max_connections",
    )
    told = plan(found, root_cause(found, first))
    assert told is not None
    assert told.apply == ()
    assert any("pg_stat_activity" in one for one in told.advice)
    assert any("RDS Proxy" in str(one) for one in preventions(found, root_cause(found, first)))


def test_storage_ran_full() -> None:
    found = facts(
        moves={"FreeStorageSpace": (9e9, 0)},
        lines='ERROR:  could not extend file "base/16384/2619": No space left on device',
        resources=account(DBInstanceStatus="storage-full"),
    )
    first = leader(found)
    assert (first.kind, first.resource, first.condition) == ("condition", DATABASE, "storage-full")
    said = [test.statement.text for test in first.tests]
    assert "FreeStorageSpace fell from 9,000,000,000 to 0" in said
    assert "AWS's own description of parcels-db says so" in said


def test_another_instance_took_over_and_nobody_asked_for_it() -> None:
    event_ = {"EventCategories": ["failover"], "Message": "Multi-AZ instance failover started."}
    found = facts(
        moves={"DatabaseConnections": (120, 10)},
        lines="FATAL:  terminating connection due to administrator command",
        resources=account(RecentEvents=[{**event_, "Date": ONSET.isoformat()}]),
    )
    assert (leader(found).condition, leader(found).resource) == ("failover", DATABASE)


@pytest.mark.parametrize("alarm", [(WRITER, "Errors"), (DATABASE, "DatabaseConnections")])
def test_security_groups_were_exchanged(alarm: tuple[str, str]) -> None:
    swapped = event(
        "rds",
        "ModifyDBInstance",
        {**NAMED, "vpcSecurityGroupIds": ["sg-0new"], "applyImmediately": True},
        id="true",
        response={
            "vpcSecurityGroups": [
                {"vpcSecurityGroupId": "sg-0new", "status": "adding"},
                {"vpcSecurityGroupId": "sg-0old", "status": "removing"},
            ]
        },
    )
    found = facts(
        swapped,
        moves={"DatabaseConnections": (120, 2)},
        lines=f'connection to server at "{HOST}", port 5432 failed: Connection timed out',
        group="/aws/lambda/parcel-writer",
        symptom=alarm,
    )
    first = leader(found)
    assert (first.event, first.resource) == ("true", DATABASE)
    told = plan(found, root_cause(found, first))
    assert told is not None
    (call,) = [call for step in told.apply for call in step.calls]
    assert (call.operation, call.parameters["VpcSecurityGroupIds"]) == ("ModifyDBInstance", ["sg-0old"])


def test_a_changed_password_names_its_author_and_no_call() -> None:
    changed = event(
        "rds",
        "ModifyDBInstance",
        {**NAMED, "masterUserPassword": "HIDDEN_DUE_TO_SECURITY_REASONS"},
        id="true",
        minutes=-4,
    )
    found = facts(
        changed,
        moves={"DatabaseConnections": (120, 20)},
        lines='FATAL:  password authentication failed for user "parcels"',
    )
    first = leader(found)
    assert (first.event, first.setting) == ("true", "MasterUserPassword")
    told = plan(found, root_cause(found, first))
    assert told is not None
    assert told.apply == ()


@pytest.mark.parametrize("operation", ["StopDBInstance", "DeleteDBInstance"])
def test_a_database_that_was_stopped_or_deleted(operation: str) -> None:
    found = facts(
        event("rds", operation, NAMED, id="true", minutes=-2), moves={"DatabaseConnections": (120, 0)}
    )
    first = leader(found)
    assert first.event == "true"
    told = plan(found, root_cause(found, first))
    assert told is not None
    calls = [call.operation for step in told.apply for call in step.calls]
    assert calls == (["StartDBInstance"] if operation == "StopDBInstance" else [])


@pytest.mark.parametrize(
    "request_",
    [
        {"preferredBackupWindow": "03:00-03:30"},
        {"monitoringInterval": 60},
        {"deletionProtection": False},
    ],
)
def test_a_change_that_breaks_nothing_is_not_blamed(request_: Json) -> None:
    found = facts(
        event("rds", "ModifyDBInstance", {**NAMED, **request_}, id="harmless", minutes=-1),
        moves={"DatabaseConnections": (120, 40)},
    )
    ranked = weigh(found)
    assert decide(found, ranked, may_wait=False).leader is None
    (blamed,) = [one for one in ranked if one.event == "harmless"]
    assert blamed.probability < 0.3
