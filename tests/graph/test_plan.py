"""Plans: exactly the value before, neighbours kept, a way back, honest words where nothing is known."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from graph.cause import root_cause
from graph.facts import Facts
from graph.models import Mitigation, RootCause, Step
from graph.plan import plan
from graph.plan_calls import set_all
from graph.plan_steps import stays_red
from graph.weighing import weigh
from tests.graph import made
from tests.graph.kinds import INTEGRATION, KINDS, Kind, alarm_lowered, configured
from tests.graph.made import (
    ACCOUNT,
    ALIAS,
    API,
    QUEUE,
    REGION,
    ROLE,
    TABLE,
    WRITER,
    changed,
    event,
    pattern,
    step,
)
from tools.models import Call, Json
from tools.parameters import validate
from tools.setting_values import same

CAP = "OnDemandThroughput.MaxWriteRequestUnits"
every_kind = pytest.mark.parametrize("kind", KINDS.values(), ids=list(KINDS))
KNOWN = [name for name, kind in KINDS.items() if kind.earlier or name == "provisioned capacity lowered"]


def made_plan(facts: Facts) -> tuple[RootCause, Mitigation]:
    cause = root_cause(facts, weigh(facts)[0])
    found = plan(facts, cause)
    assert found is not None
    return cause, found


def steps(found: Mitigation) -> list[Step]:
    return [
        *found.prepare,
        *found.pre_validate,
        *found.apply,
        *found.post_validate,
        *found.rollback,
        *found.stays_red,
    ]


def calls(parts: tuple[Step, ...]) -> list[Call]:
    return [call for part in parts for call in part.calls]


def words(found: Mitigation) -> str:
    return " ".join([found.summary, *found.advice, *(item.text for item in found.mind)])


@every_kind
def test_every_call_is_valid_and_placed(kind: Kind) -> None:
    _, found = made_plan(kind.facts())
    for call in calls(tuple(steps(found))):
        assert validate(call) == ()
        assert call.region in (REGION, "us-east-1", "")


@every_kind
def test_nothing_is_applied_before_the_account_is_checked(kind: Kind) -> None:
    _, found = made_plan(kind.facts())
    if found.apply:
        (first,) = found.prepare[0].calls
        assert (first.service, first.operation) == ("sts", "GetCallerIdentity")
        assert found.prepare[0].expect == (ACCOUNT,)
    else:
        assert not found.rollback
        assert "no call" in found.summary or "no safe call" in found.summary


@every_kind
def test_every_applied_call_says_where_its_values_come_from(kind: Kind) -> None:
    _, found = made_plan(kind.facts())
    for one in found.apply:
        assert one.provenance
        assert all(item.evidence for item in one.provenance)


@every_kind
def test_there_is_a_way_back_and_a_check(kind: Kind) -> None:
    _, found = made_plan(kind.facts())
    assert bool(found.rollback) == bool(found.apply)
    assert [one.command for one in found.post_validate] == ["opsleuth check {report}"]


@every_kind
def test_a_plan_without_a_known_value_applies_nothing_that_it_made_up(kind: Kind) -> None:
    """Only the event itself may tell what to do when the value before is unknown."""
    cause, found = made_plan(kind.facts())
    if cause.field and not cause.prior_known:
        assert not found.apply


@pytest.mark.parametrize(
    ("name", "apply", "back"),
    [
        (
            "timeout lowered",
            ("UpdateFunctionConfiguration", {"FunctionName": "parcel-writer", "Timeout": 30}),
            ("UpdateFunctionConfiguration", {"FunctionName": "parcel-writer", "Timeout": 3}),
        ),
        (
            "visibility timeout lowered",
            ("SetQueueAttributes", {"Attributes": {"VisibilityTimeout": "180"}}),
            ("SetQueueAttributes", {"Attributes": {"VisibilityTimeout": "5"}}),
        ),
        (
            "provisioned capacity lowered",
            ("UpdateTable", {"ProvisionedThroughput": {"ReadCapacityUnits": 400, "WriteCapacityUnits": 200}}),
            ("UpdateTable", {"ProvisionedThroughput": {"ReadCapacityUnits": 400, "WriteCapacityUnits": 2}}),
        ),
        (
            "HTTP stage throttled, both limits",
            (
                "UpdateStage",
                {"DefaultRouteSettings": {"ThrottlingRateLimit": 500.0, "ThrottlingBurstLimit": 200}},
            ),
            (
                "UpdateStage",
                {"DefaultRouteSettings": {"ThrottlingRateLimit": 1.0, "ThrottlingBurstLimit": 1}},
            ),
        ),
        (
            "policy detached",
            ("AttachRolePolicy", {"RoleName": "parcel-writer-role", "PolicyArn": made.POLICY}),
            ("DetachRolePolicy", {"RoleName": "parcel-writer-role", "PolicyArn": made.POLICY}),
        ),
    ],
)
def test_what_is_applied_and_the_way_back(name: str, apply: tuple[str, Json], back: tuple[str, Json]) -> None:
    _, found = made_plan(KINDS[name].facts())
    for part, (operation, wanted) in ((found.apply, apply), (found.rollback, back)):
        (call,) = calls(part)
        assert call.operation == operation
        assert call.parameters.items() >= wanted.items()


@pytest.mark.parametrize("name", KNOWN)
def test_the_provenance_names_value_and_source(name: str) -> None:
    cause, found = made_plan(KINDS[name].facts())
    if not found.apply:
        return
    first = found.apply[0].provenance[0]
    assert first.text.startswith(f"{cause.prior_value} ← ")
    assert cause.prior_sources[0].said_by in first.text
    assert first.claims[0].value == cause.prior_value
    assert set(first.evidence) == {one for source in cause.prior_sources for one in source.evidence}


def test_neighbours_that_are_sent_along_are_named_and_expected() -> None:
    _, found = made_plan(KINDS["provisioned capacity lowered"].facts())
    assert [item.text for item in found.apply[0].provenance[1:]] == [
        "ReadCapacityUnits 400 unchanged ← DescribeTable"
    ]
    (before,) = found.pre_validate
    assert before.expect == ("TableStatus ACTIVE", "WriteCapacityUnits 2", "ReadCapacityUnits 400")
    assert before.query == (
        "Table.[TableStatus,ProvisionedThroughput.WriteCapacityUnits,ProvisionedThroughput.ReadCapacityUnits]"
    )


def test_both_limits_of_one_call_go_back_each_with_its_source() -> None:
    _, found = made_plan(KINDS["HTTP stage throttled, both limits"].facts())
    told = [item.text for item in found.apply[0].provenance]
    assert len(told) == 2
    assert told[0].startswith("500 ← UpdateStage by deployer")
    assert told[1].startswith("stage burst limit: 200 ← UpdateStage by deployer")


def test_an_innocent_setting_of_the_same_call_stays_as_it_is() -> None:
    kind = replace(
        KINDS["timeout lowered"],
        change=configured(timeout=3, memorySize=1024),
        earlier=(configured("old", -9000, timeout=30, memorySize=512),),
    )
    _, found = made_plan(kind.facts())
    (call,) = calls(found.apply)
    assert call.parameters == {"FunctionName": "parcel-writer", "Timeout": 30}


def test_settings_of_one_call_become_as_few_calls_as_can_be() -> None:
    kind = replace(
        KINDS["timeout lowered"],
        change=configured(timeout=3, memorySize=128),
        earlier=(configured("old", -9000, timeout=30, memorySize=512),),
        resources=changed(WRITER, Timeout=3, MemorySize=128),
    )
    _, found = made_plan(kind.facts())
    (call,) = calls(found.apply)
    assert call.parameters == {"FunctionName": "parcel-writer", "Timeout": 30, "MemorySize": 512}
    (back,) = calls(found.rollback)
    assert back.parameters == {"FunctionName": "parcel-writer", "Timeout": 3, "MemorySize": 128}


def test_hidden_values_are_never_invented() -> None:
    _, found = made_plan(KINDS["environment variable gone"].facts())
    assert not found.apply
    assert "not known" in words(found)
    assert any("Ask whoever made the change" in item for item in found.advice)


def test_a_stream_comes_back_only_with_the_view_type_it_had() -> None:
    kind = KINDS["stream switched off"]
    _, found = made_plan(kind.facts())
    assert not found.apply
    assert "no call is proposed" in found.summary
    shown = {"StreamEnabled": False, "StreamViewType": "KEYS_ONLY"}
    _, found = made_plan(replace(kind, resources=changed(TABLE, StreamSpecification=shown)).facts())
    (call,) = calls(found.apply)
    assert call.parameters["StreamSpecification"] == {"StreamEnabled": True, "StreamViewType": "KEYS_ONLY"}
    assert "StreamEnabled false" in found.pre_validate[0].expect
    _, found = made_plan(replace(kind, resources=changed(TABLE, LatestStreamViewType="OLD_IMAGE")).facts())
    (call,) = calls(found.apply)
    assert call.parameters["StreamSpecification"] == {"StreamEnabled": True, "StreamViewType": "OLD_IMAGE"}
    assert any("event source mappings still read the old one" in one.text for one in found.mind)


def test_a_limit_that_was_none_goes_back_to_none() -> None:
    before = event(
        "lambda", "DeleteFunctionConcurrency", {"functionName": "parcel-writer"}, id="old", minutes=-9000
    )
    _, found = made_plan(replace(KINDS["reserved concurrency 0"], earlier=(before,)).facts())
    (call,) = calls(found.apply)
    assert (call.operation, call.parameters) == (
        "DeleteFunctionConcurrency",
        {"FunctionName": "parcel-writer"},
    )
    assert found.summary == "Set the reserved concurrency of parcel-writer back to none."


def test_one_source_only_is_said() -> None:
    _, found = made_plan(KINDS["timeout lowered"].facts())
    assert "The prior value rests on one source only." in [item.text for item in found.mind]
    own = step(TABLE, "ProvisionedThroughput.WriteCapacityUnits", "ProvisionedWriteCapacityUnits", 200, 2)
    _, found = made_plan(KINDS["provisioned capacity lowered"].facts(steps=(own,)))
    assert found.mind == ()


def test_a_setting_that_somebody_changed_again_is_said() -> None:
    kind = replace(KINDS["timeout lowered"], resources=changed(WRITER, Timeout=10))
    _, found = made_plan(kind.facts())
    assert "It is 10 by now, no longer 3: somebody changed it again." in [item.text for item in found.mind]


def test_whom_to_call_first() -> None:
    _, found = made_plan(KINDS["timeout lowered"].facts())
    assert found.ask.startswith("ops-31, or the owner of parcel-writer (tag team=parcels)")
    _, found = made_plan(KINDS["visibility timeout lowered"].facts())
    assert found.ask == "ops-31, before you apply: there may be a reason."


def test_a_part_whose_configuration_is_not_known_gets_no_call() -> None:
    kind = KINDS["HTTP stage throttled, both limits"]
    bare = tuple(replace(item, config={}) if item.arn == made.HTTP_STAGE else item for item in kind.resources)
    _, found = made_plan(replace(kind, resources=bare).facts())
    assert not found.apply


# -- the alarm itself --------------------------------------------------------------------------------


def test_an_alarm_goes_back_to_its_threshold_and_keeps_all_else() -> None:
    facts = alarm_lowered()
    alarm = facts.incident.alarm
    assert alarm is not None
    rest = {
        "AlarmName": alarm.name,
        "AlarmDescription": "slow writer",
        "MetricName": "Duration",
        "Namespace": "AWS/Lambda",
        "ExtendedStatistic": "p99",
        "Dimensions": [{"Name": "FunctionName", "Value": "parcel-writer"}],
        "Period": 60,
        "EvaluationPeriods": 3,
        "DatapointsToAlarm": 2,
        "ComparisonOperator": "GreaterThanThreshold",
        "TreatMissingData": "missing",
        "ActionsEnabled": True,
        "AlarmActions": [made.arn("sns", "on-call")],
    }
    shown = {**rest, "Threshold": 300.0, "AlarmArn": alarm.arn, "StateValue": "ALARM", "OKActions": []}
    resources = tuple(
        replace(item, config=shown) if item.arn == alarm.arn else item for item in facts.resources
    )
    _, found = made_plan(replace(facts, resources=resources))
    (call,) = calls(found.apply)
    assert (call.operation, call.parameters) == ("PutMetricAlarm", {**rest, "Threshold": 900.0})
    (back,) = calls(found.rollback)
    assert back.parameters == {**rest, "Threshold": 300.0}


@pytest.mark.parametrize(
    ("namespace", "role", "treat", "quiet", "red"),
    [
        ("AWS/DynamoDB", "throttles", "notBreaching", False, True),
        ("AWS/Lambda", "errors", "ignore", False, True),
        ("AWS/Lambda", "errors", "missing", False, False),
        ("AWS/Lambda", "errors", "missing", True, True),
        ("AWS/Lambda", "errors", "notBreaching", True, False),
        ("AWS/SQS", "backlog", "missing", True, False),
    ],
)
def test_what_stays_red(namespace: str, role: str, treat: Any, quiet: bool, red: bool) -> None:
    facts = made.facts((WRITER, "Errors"), {(WRITER, "Errors"): (0, 8)})
    alarm = facts.incident.alarm
    assert alarm is not None
    alarm = replace(alarm, metric=replace(alarm.metric, namespace=namespace), treat_missing=treat)
    update = {"alarm": alarm, "role": role, "quiet_since": made.ONSET if quiet else None}
    found = stays_red(replace(facts, incident=facts.incident.model_copy(update=update)))
    assert bool(found) == red
    for call in calls(found):
        assert (call.operation, validate(call)) == ("SetAlarmState", ())
    green = facts.incident.model_copy(update={"alarm": replace(alarm, state="OK")})
    assert stays_red(replace(facts, incident=green)) == ()


# -- causes without a setting ------------------------------------------------------------------------


def test_a_hot_partition_has_nothing_to_put_back() -> None:
    line = pattern(
        f"ThrottlingException: TableWriteKeyRangeThroughputExceeded for {TABLE}, see the documentation"
    )
    moves = {
        (TABLE, name): (0.0, 9.0) for name in ("WriteThrottleEvents", "WriteKeyRangeThroughputThrottleEvents")
    }
    _, found = made_plan(made.facts((TABLE, "WriteThrottleEvents"), moves, patterns=(line,)))
    assert (found.apply, found.rollback) == ((), ())
    assert found.advice
    assert [call.operation for call in calls(found.prepare)] == ["GetCallerIdentity"]
    assert [call.operation for call in calls(found.pre_validate)] == ["UpdateContributorInsights"]


def test_more_traffic_has_nothing_to_put_back() -> None:
    moves = {
        (TABLE, "WriteThrottleEvents"): (0.0, 90.0),
        (TABLE, "WriteMaxOnDemandThroughputThrottleEvents"): (0.0, 90.0),
        (API, "Count"): (20.0, 400.0),
    }
    resources = tuple(item for item in made.shop() if item.arn != made.HTTP_API)
    cause, found = made_plan(made.facts((TABLE, "WriteThrottleEvents"), moves, resources=resources))
    assert cause.kind == "traffic"
    assert (found.apply, found.rollback) == ((), ())
    assert any("parcels-rest" in item for item in found.advice)


def test_no_cause_no_plan_and_recovered_only_the_alarm() -> None:
    facts = made.facts((TABLE, "WriteThrottleEvents"), {(TABLE, "WriteThrottleEvents"): (0, 9)})
    assert plan(facts, None) is None
    over = plan(facts, None, recovered=True)
    assert over is not None
    assert not over.apply
    assert [call.operation for call in calls(over.prepare)] == ["GetCallerIdentity"]
    assert [call.operation for call in calls(over.stays_red)] == ["SetAlarmState"]


# -- every setting of every service ------------------------------------------------------------------


@given(st.integers(1, 40000), st.integers(-1, 40000).filter(lambda value: value != 0))
@settings(max_examples=50)
def test_a_cap_is_set_exactly_and_its_neighbour_kept(write: int, read: int) -> None:
    shown = {"MaxReadRequestUnits": read, "MaxWriteRequestUnits": 2}
    facts = made.facts((WRITER, "Errors"), {}, resources=changed(TABLE, OnDemandThroughput=shown))
    table, setting = facts.resource(TABLE), facts.setting(TABLE, CAP)
    assert table is not None
    assert setting is not None
    (call,) = set_all(table, [(setting, write)])
    assert call.parameters["OnDemandThroughput"] == {
        "MaxReadRequestUnits": read,
        "MaxWriteRequestUnits": write,
    }


@pytest.mark.parametrize(
    ("resource", "path", "value"),
    [
        (WRITER, "Timeout", 60),
        (WRITER, "MemorySize", 1024),
        (WRITER, "Handler", "app.other"),
        (QUEUE, "DelaySeconds", "15"),
        (QUEUE, "RedrivePolicy", '{"maxReceiveCount":3}'),
        (ROLE, "PermissionsBoundary.PermissionsBoundaryArn", "arn:aws:iam::111122223333:policy/limits"),
        (made.MAPPING, "Enabled", True),
        (ALIAS, "FunctionVersion", "41"),
        (INTEGRATION, "uri", "https://parcels.example.com"),
        (made.STAGE, 'methodSettings."*/*".throttlingRateLimit', 500),
    ],
)
def test_values_of_other_services_are_set_as_they_are(resource: str, path: str, value: Any) -> None:
    parts = (
        made.resource(ALIAS, "parcel-writer:live", {"FunctionVersion": "42"}),
        made.resource(INTEGRATION, "x1", {"uri": "x"}),
        made.resource(made.STAGE, "prod", {"methodSettings": {"*/*": {"throttlingRateLimit": 1}}}),
    )
    facts = made.facts((WRITER, "Errors"), {}, resources=(*made.shop(), *parts))
    found, setting = facts.resource(resource), facts.setting(resource, path)
    assert found is not None
    assert setting is not None
    (call,) = set_all(found, [(setting, value)])
    assert validate(call) == ()
    assert any(same(value, leaf, setting) for leaf in _leaves(call.parameters))


def _leaves(value: Any) -> list[Any]:
    if isinstance(value, dict):
        return [leaf for item in value.values() for leaf in _leaves(item)]
    if isinstance(value, list):
        return [leaf for item in value for leaf in _leaves(item)]
    return [value]
