"""Step Functions: what machines call, and the definition before a change, which no event tells."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.tools.fake_account import Answer, FakeAws
from tests.tools.happened import AS_OF, change_of, happened, resource, setting_of
from tools import catalogue
from tools.directory import KnownResources
from tools.history import prior
from tools.kit import meant
from tools.models import Json, Metric, Resource
from tools.parameters import validate
from tools.services.states import SERVICE, describe, discover, log_groups, relations, versions
from tools.topology import around, owner
from tools.versions import before

AT = "eu-west-1:111122223333"
MACHINE = f"arn:aws:states:{AT}:stateMachine:billing"
FUNCTION = f"arn:aws:lambda:{AT}:function:billing-run"
ROLE = "arn:aws:iam::111122223333:role/billing-machine"
GROUP = f"arn:aws:logs:{AT}:log-group:/states/billing"
CREATED = datetime(2025, 4, 1, 8, 0, tzinfo=UTC)


def task(resource_: str, **parameters: Any) -> Json:
    return {"Type": "Task", "Resource": resource_, "Parameters": parameters, "End": True}


def definition(**states: Json) -> str:
    return json.dumps({"StartAt": next(iter(states), ""), "States": states})


OLD, NEW = definition(Run=task(FUNCTION)), definition(Run=task(f"{FUNCTION}-new"))
WHOLE: Json = {
    "stateMachineArn": MACHINE,
    "name": "billing",
    "status": "ACTIVE",
    "definition": NEW,
    "roleArn": ROLE,
    "type": "STANDARD",
    "creationDate": CREATED,
    "loggingConfiguration": {
        "level": "ERROR",
        "includeExecutionData": False,
        "destinations": [{"cloudWatchLogsLogGroup": {"logGroupArn": f"{GROUP}:*"}}],
    },
}
ANSWERS: dict[tuple[str, str], Answer] = {
    ("stepfunctions", "ListStateMachines"): {
        "stateMachines": [
            {"stateMachineArn": MACHINE, "name": "billing", "type": "STANDARD", "creationDate": CREATED}
        ]
    },
    ("stepfunctions", "DescribeStateMachine"): WHOLE,
    ("lambda", "ListFunctions"): {"Functions": []},
    ("lambda", "GetFunctionConfiguration"): {
        "FunctionName": "billing-run-new",
        "FunctionArn": f"{FUNCTION}-new",
    },
    ("scheduler", "ListSchedules"): {"Schedules": []},
    ("pipes", "ListPipes"): {"Pipes": []},
}


def machine(**config: Any) -> Resource:
    return resource(SERVICE, "state-machine", MACHINE, config)


def called(text: Any, *known: Resource) -> set[tuple[str, str]]:
    one = machine(definition=text)
    return {(item.kind, item.target) for item in relations(one, KnownResources((one, *known)))}


# -- reading ------------------------------------------------------------------------------------------


def test_a_machine_tells_what_it_calls_as_whom_and_where_it_logs() -> None:
    found = describe(FakeAws(ANSWERS).reader(), MACHINE)
    assert found is not None
    assert log_groups(found) == ("/states/billing",)
    pairs = {(one.kind, one.target) for one in relations(found, KnownResources([found]))}
    assert pairs == {("invokes", f"{FUNCTION}-new"), ("runs as", ROLE), ("logs to", GROUP)}
    assert describe(FakeAws({}).reader(), MACHINE) is None
    assert describe(FakeAws({}).reader(), f"{MACHINE}:live") is None


@pytest.mark.parametrize(
    ("state", "wanted"),
    [
        (task(f"{FUNCTION}:live"), {("invokes", FUNCTION)}),
        (task("arn:aws:states:::lambda:invoke", FunctionName=f"{FUNCTION}:$LATEST"), {("invokes", FUNCTION)}),
        (task("arn:aws:states:::lambda:invoke", FunctionName="billing-run"), {("invokes", FUNCTION)}),
        (task("arn:aws:states:::lambda:invoke", **{"FunctionName.$": "$.which"}), set()),
        (task("arn:aws:states:::lambda:invoke", FunctionName="{% $which %}"), set()),
        (
            task(
                "arn:aws:states:::sqs:sendMessage",
                QueueUrl="https://sqs.eu-west-1.amazonaws.com/111122223333/orders",
            ),
            {("uses", f"arn:aws:sqs:{AT}:orders")},
        ),
        (
            task("arn:aws:states:::dynamodb:putItem", TableName="orders", Item={"id": {"S": "x"}}),
            {("uses", f"arn:aws:dynamodb:{AT}:table/orders")},
        ),
        (
            task("arn:aws:states:::events:putEvents", Entries=[{"EventBusName": "orders", "Detail": "x"}]),
            {("uses", f"arn:aws:events:{AT}:event-bus/orders")},
        ),
        (
            task("arn:aws:states:::states:startExecution.sync:2", StateMachineArn=f"{MACHINE}-child:live"),
            {("invokes", f"{MACHINE}-child")},
        ),
        (
            task("arn:aws:states:::ecs:runTask.sync", Cluster="batch", TaskDefinition="report:6"),
            {
                ("uses", f"arn:aws:ecs:{AT}:cluster/batch"),
                ("uses", f"arn:aws:ecs:{AT}:task-definition/report:6"),
            },
        ),
        (task(f"arn:aws:states:{AT}:activity:pack"), {("waits for", f"arn:aws:states:{AT}:activity:pack")}),
        (
            {
                "Type": "Task",
                "Resource": "arn:aws:states:::sns:publish",
                "Arguments": {"TopicArn": f"arn:aws:sns:{AT}:t"},
            },
            {("uses", f"arn:aws:sns:{AT}:t")},
        ),
        ({"Type": "Parallel", "Branches": [{"States": {"In": task(FUNCTION)}}]}, {("invokes", FUNCTION)}),
        ({"Type": "Map", "ItemProcessor": {"States": {"In": task(FUNCTION)}}}, {("invokes", FUNCTION)}),
        ({"Type": "Map", "Iterator": {"States": {"In": task(FUNCTION)}}}, {("invokes", FUNCTION)}),
        ({"Type": "Wait", "Seconds": 60}, set()),
    ],
)
def test_a_state_tells_whom_it_calls(state: Json, wanted: set[tuple[str, str]]) -> None:
    assert called(definition(One=state)) == wanted


def test_a_task_that_asks_a_host_means_the_known_api_behind_it() -> None:
    api = Resource(
        arn="arn:aws:apigateway:eu-west-1::/apis/a1b2c3d4e5",
        service="apigatewayv2",
        type="api",
        name="orders-api",
        account="111122223333",
        region="eu-west-1",
        config={"Id": "a1b2c3d4e5"},
    )
    asks = task(
        "arn:aws:states:::apigateway:invoke", ApiEndpoint="a1b2c3d4e5.execute-api.eu-west-1.amazonaws.com"
    )
    assert called(definition(One=asks), api) == {("uses", api.arn)}
    assert called(definition(One=asks)) == set()


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["States", "Branches", "Iterator", "Resource", "Parameters", "FunctionName", "A"]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


@given(_JSON)
def test_no_definition_breaks_the_map(value: Any) -> None:
    for text in (json.dumps(value), value, "{", None):
        for kind, target in called(text):
            assert kind in ("invokes", "uses", "waits for")
            assert target.startswith("arn:")


def test_a_silent_function_finds_the_machine_that_calls_it() -> None:
    found = around(FakeAws(ANSWERS).reader(), [f"{FUNCTION}-new"])
    told = {(one.source, one.kind, one.target) for one in found.relations}
    assert (MACHINE, "invokes", f"{FUNCTION}-new") in told


def test_definitions_of_many_machines_are_read_of_some_and_said() -> None:
    many = [
        {
            "stateMachineArn": f"{MACHINE}{number}",
            "name": f"billing{number}",
            "type": "STANDARD",
            "creationDate": CREATED,
        }
        for number in range(27)
    ]
    aws = FakeAws({**ANSWERS, ("stepfunctions", "ListStateMachines"): {"stateMachines": many}})
    reader = aws.reader()
    assert len(list(discover(reader, "eu-west-1"))) == 27
    assert aws.asked.count(("stepfunctions", "DescribeStateMachine")) == 25
    assert [gap.code for gap in reader.gaps] == ["BudgetSpent"]


@pytest.mark.parametrize(
    ("dimensions", "arn"),
    [
        ({"StateMachineArn": MACHINE}, MACHINE),
        ({"StateMachineArn": f"{MACHINE}:live"}, MACHINE),
        ({"LambdaFunctionArn": f"{FUNCTION}:7"}, FUNCTION),
        ({"APIName": "StartExecution"}, ""),
    ],
)
def test_an_alarm_on_a_metric_means_its_machine(dimensions: dict[str, str], arn: str) -> None:
    metric = Metric(
        namespace="AWS/States", name="ExecutionsFailed", dimensions=tuple(dimensions.items()), stat="Sum"
    )
    assert (
        owner(
            FakeAws({("stepfunctions", "ListStateMachines"): {"stateMachines": []}}).reader(),
            metric,
            "eu-west-1",
        )
        == arn
    )


def test_parts_of_a_machine_belong_to_it() -> None:
    for arn, type in ((f"{MACHINE}:live", "state-machine-alias"), (f"{MACHINE}:7", "state-machine-version")):
        assert catalogue.type_of(arn) == type
        assert catalogue.owner_arn(arn) == MACHINE
    assert catalogue.type_of(f"arn:aws:states:{AT}:execution:billing:a:b") == "execution"


# -- the definition before ----------------------------------------------------------------------------


class Past:
    """A machine whose definition changed at some of its executions: numbered from the newest."""

    def __init__(
        self, count: int, changed: dict[int, str], published: tuple[tuple[int, str, int], ...] = ()
    ) -> None:
        self.count, self.changed, self.published = count, changed, published

    def when(self, number: int) -> datetime:
        return AS_OF - timedelta(hours=number + 1)

    def ran(self, number: int) -> tuple[datetime, str]:
        start = min((one for one in self.changed if one >= number), default=self.count)
        return self.when(start) - timedelta(minutes=1), self.changed.get(start, "first")

    def list(self, asked: Json) -> Json:
        return {
            "executions": [
                {
                    "executionArn": f"arn:aws:states:{AT}:execution:billing:{number}",
                    "stateMachineArn": MACHINE,
                    "name": str(number),
                    "status": "SUCCEEDED",
                    "startDate": self.when(number),
                }
                for number in range(self.count)
            ]
        }

    def shown(self, asked: Json) -> Json:
        when, name = self.ran(int(asked["executionArn"].rpartition(":")[2]))
        return {
            "stateMachineArn": MACHINE,
            "name": "billing",
            "definition": definition(**{name: task(FUNCTION)}),
            "roleArn": ROLE,
            "updateDate": when,
            "revisionId": name,
        }

    def versions(self, asked: Json) -> Json:
        return {
            "stateMachineVersions": [
                {"stateMachineVersionArn": f"{MACHINE}:{number}", "creationDate": self.when(at)}
                for number, _, at in self.published
            ]
        }

    def described(self, asked: Json) -> Json:
        number = int(asked["stateMachineArn"].rpartition(":")[2])
        name = next(name for one, name, _ in self.published if one == number)
        return {**WHOLE, "definition": definition(**{name: task(FUNCTION)})}

    def account(self) -> FakeAws:
        return FakeAws(
            {
                ("stepfunctions", "ListExecutions"): self.list,
                ("stepfunctions", "DescribeStateMachineForExecution"): self.shown,
                ("stepfunctions", "ListStateMachineVersions"): self.versions,
                ("stepfunctions", "DescribeStateMachine"): self.described,
            }
        )


def names(aws: FakeAws, one: Resource | None = None) -> list[str]:
    found = versions(aws.reader(), one or machine(type="STANDARD"))
    return [next(iter(json.loads(shown["definition"])["States"])) for _, _, shown, _ in found]


def test_the_definition_before_a_change_is_what_an_old_execution_ran_with() -> None:
    past = Past(1000, {7: "bad", 400: "good"})
    one, aws = machine(type="STANDARD", definition=NEW), past.account()
    reader = aws.reader()
    change = happened(
        "states",
        "UpdateStateMachine",
        {"stateMachineArn": MACHINE, "definition": "HIDDEN_DUE_TO_SECURITY_REASONS"},
    )
    change = replace(change, time=past.when(7) - timedelta(minutes=1))
    told = before(reader, one, [change.time])
    found = prior(
        setting_of(SERVICE, "state-machine", "definition"), one, change, [change], None, versions=told
    )
    assert found.known
    good = definition(good=task(FUNCTION))
    assert found.value == good
    assert aws.asked.count(("stepfunctions", "DescribeStateMachineForExecution")) <= 16
    (call,) = setting_of(SERVICE, "state-machine", "definition").restore(one, found.value)
    assert call.parameters == {"stateMachineArn": MACHINE, "definition": good}
    assert validate(call) == ()


@given(st.integers(1, 300), st.sets(st.integers(0, 299), max_size=2))
def test_every_definition_is_found_once_when_it_changed_rarely(count: int, changed: set[int]) -> None:
    past = Past(count, {number: f"n{number}" for number in changed if number < count - 1})
    wanted = {past.ran(number)[1] for number in range(count)}
    found = names(past.account())
    assert len(found) == len(set(found))
    assert set(found) <= wanted
    assert past.ran(0)[1] in found
    assert past.ran(count - 1)[1] in found
    if len(wanted) <= 2:
        assert set(found) == wanted


def test_published_versions_are_told_too_and_express_machines_have_no_executions() -> None:
    past = Past(3, {}, ((7, "seventh", 100), (6, "sixth", 200)))
    assert names(past.account()) == ["seventh", "sixth", "first"]
    aws = past.account()
    assert names(aws, machine(type="EXPRESS")) == ["seventh", "sixth"]
    assert ("stepfunctions", "ListExecutions") not in aws.asked


@pytest.mark.parametrize(("failing", "wanted"), [(True, ["first", "bad"]), (False, ["bad"])])
def test_where_all_listed_ran_since_the_change_the_last_to_succeed_is_asked(
    failing: bool, wanted: list[str]
) -> None:
    """Five whole pages of executions began after the change; only one that went well is older."""
    past = Past(6000, {5500: "bad"})

    def listed(asked: Json) -> Json:
        every = past.list(asked)["executions"]
        if "statusFilter" in asked:
            assert asked["statusFilter"] == "SUCCEEDED"
            every = every[5501:] if failing else every
        start = int(asked.get("nextToken", 0))
        end = start + asked["maxResults"]
        more = {"nextToken": str(end)} if end < len(every) else {}
        return {"executions": every[start:end], **more}

    aws = past.account()
    aws = replace(aws, answers={**aws.answers, ("stepfunctions", "ListExecutions"): listed})
    assert names(aws) == wanted
    assert aws.asked.count(("stepfunctions", "ListExecutions")) == 6


def test_executions_that_are_not_visible_are_a_gap_and_versions_stay() -> None:
    past = Past(3, {}, ((7, "seventh", 100),))
    aws = replace(past.account(), denied=frozenset({"stepfunctions:ListExecutions"}))
    reader = aws.reader()
    found = list(versions(reader, machine(type="STANDARD")))
    assert [name for name, *_ in found] == ["7"]
    assert [gap.code for gap in reader.gaps] == ["AccessDenied"]


def test_a_machine_without_executions_and_one_that_is_gone_tell_nothing() -> None:
    assert names(Past(0, {}).account()) == []
    assert (
        list(versions(FakeAws({("stepfunctions", "ListExecutions"): {"executions": []}}).reader(), machine()))
        == []
    )


# -- settings -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "value", [None, "", "(not shown by CloudTrail)", "HIDDEN_DUE_TO_SECURITY_REASONS", "{}", 3]
)
def test_a_definition_that_is_none_is_never_sent(value: Any) -> None:
    assert setting_of(SERVICE, "state-machine", "definition").restore(machine(), value) == ()


def test_logging_is_put_back_whole_and_with_the_role_that_aws_wants() -> None:
    one = machine(roleArn=ROLE, loggingConfiguration=WHOLE["loggingConfiguration"])
    (call,) = setting_of(SERVICE, "state-machine", "loggingConfiguration.level").restore(one, "ALL")
    assert call.parameters == {
        "stateMachineArn": MACHINE,
        "roleArn": ROLE,
        "loggingConfiguration": {**WHOLE["loggingConfiguration"], "level": "ALL"},
    }
    assert validate(call) == ()


def test_an_alias_goes_back_to_the_versions_it_had() -> None:
    alias = resource(SERVICE, "state-machine-alias", f"{MACHINE}:live", {})
    routes = [{"stateMachineVersionArn": f"{MACHINE}:6", "weight": 100}]

    def routed(number: int, minutes: float) -> Any:
        told = [{"stateMachineVersionArn": f"{MACHINE}:{number}", "weight": 100}]
        request = {"stateMachineAliasArn": alias.arn, "routingConfiguration": told}
        return happened("states", "UpdateStateMachineAlias", request, minutes=minutes)

    setting = setting_of(SERVICE, "state-machine-alias", "routingConfiguration")
    found = prior(setting, alias, routed(7, 0), [routed(6, -60), routed(7, 0)], None)
    (call,) = setting.restore(alias, found.value)
    assert call.parameters == {"stateMachineAliasArn": alias.arn, "routingConfiguration": routes}
    assert setting.restore(alias, None) == ()
    assert change_of(SERVICE, "UpdateStateMachineAlias").touches(routed(7, 0)) == (alias.arn, MACHINE)


@pytest.mark.parametrize(
    ("operation", "request_", "touched"),
    [
        ("UpdateStateMachine", {"stateMachineArn": MACHINE}, (MACHINE,)),
        ("StartExecution", {"stateMachineArn": f"{MACHINE}:live"}, (MACHINE,)),
        (
            "StopExecution",
            {"executionArn": f"arn:aws:states:{AT}:execution:billing:run-1"},
            (MACHINE, f"arn:aws:states:{AT}:execution:billing:run-1"),
        ),
        (
            "StopExecution",
            {"executionArn": f"arn:aws:states:{AT}:express:billing:run-1:2"},
            (MACHINE, f"arn:aws:states:{AT}:express:billing:run-1:2"),
        ),
        ("CreateStateMachine", {"name": "billing"}, (MACHINE,)),
    ],
)
def test_events_touch_the_machine(operation: str, request_: Json, touched: tuple[str, ...]) -> None:
    assert change_of(SERVICE, operation).touches(happened("states", operation, request_)) == touched


@pytest.mark.parametrize(
    ("line", "wanted"),
    [
        ('{"type":"ExecutionTimedOut","error":"States.Timeout"}', "definition"),
        (
            "The JSONPath '$.order' specified for the field 'InputPath' could not be found in the input",
            "definition",
        ),
        ("ExecutionLimitExceeded: Execution Already Limited", "executions-throttled"),
        ("The execution reached the maximum number of history events (25000).", "history-limit"),
    ],
)
def test_error_texts(line: str, wanted: str) -> None:
    assert next(one for one in SERVICE.signatures if re.search(one.match, line)).points_to == wanted


def test_a_plain_word_in_a_variable_names_no_state_machine() -> None:
    known = KnownResources([resource(SERVICE, "state-machine", MACHINE, {}, name="billing")])
    assert list(meant("APP_NAME", "billing", known)) == []
    assert list(meant("STATE_MACHINE_ARN", MACHINE, known)) == [(MACHINE, 0.9)]
