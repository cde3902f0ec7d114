"""Service Quotas: how much is used, of the account's own value or the default, and who shares it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.tools.fake_account import FakeAws
from tools import catalogue
from tools.directory import KnownResources
from tools.models import Actor, ChangeEvent, Json, Metric, Resource
from tools.parameters import validate
from tools.services.servicequotas import SERVICE, describe, discover, relations, share

AT = "arn:aws:servicequotas:eu-west-1:111122223333"
ARN = f"{AT}:lambda/L-B99A9384"
USAGE = {"Service": "Lambda", "Resource": "ConcurrentExecutions", "Type": "Resource", "Class": "None"}
NOW = datetime(2026, 3, 13, 17, 41, tzinfo=UTC)
(CONDITION,) = SERVICE.conditions


def quota(value: float, metric: str = "ResourceCount", **more: object) -> Json:
    return {
        "ServiceCode": "lambda",
        "QuotaCode": "L-B99A9384",
        "QuotaArn": ARN,
        "QuotaName": "Concurrent executions",
        "Value": value,
        "Adjustable": True,
        "UsageMetric": {
            "MetricNamespace": "AWS/Usage",
            "MetricName": metric,
            "MetricDimensions": USAGE,
            "MetricStatisticRecommendation": "Maximum",
        },
        **more,
    }


def account(used: list[float], own: bool = True, metric: str = "ResourceCount", **more: object) -> FakeAws:
    def measured(parameters: Json) -> Json:
        (query,) = parameters["MetricDataQueries"]
        assert query["MetricStat"]["Metric"]["Dimensions"] == [
            {"Name": key, "Value": USAGE[key]} for key in sorted(USAGE)
        ]
        assert parameters["EndTime"] - parameters["StartTime"] == timedelta(hours=1)
        return {"MetricDataResults": [{"Id": "used", "Values": used, "Timestamps": [NOW] * len(used)}]}

    answers: dict[tuple[str, str], object] = {
        ("service-quotas", "GetAWSDefaultServiceQuota"): {"Quota": quota(1000.0, metric, **more)},
        ("service-quotas", "ListRequestedServiceQuotaChangeHistoryByQuota"): {
            "RequestedQuotas": [
                {"Id": "r1", "DesiredValue": 3000.0, "Status": "PENDING", "Requester": '{"callerArn":"x"}'}
            ]
        },
        ("cloudwatch", "GetMetricData"): measured,
    }
    if own:
        answers["service-quotas", "GetServiceQuota"] = {"Quota": quota(2000.0, metric, **more)}
    return FakeAws(answers)  # type: ignore[arg-type]


def described(fake: FakeAws) -> Resource:
    found = describe(fake.reader(), ARN)
    assert found is not None
    return found


def test_a_quota_shows_value_default_use_and_requests() -> None:
    found = described(account([1200.0, 1990.0, 400.0]))
    assert (found.name, found.type) == ("Concurrent executions", "quota")
    shown = {key: found.config[key] for key in ("Value", "DefaultValue", "Used", "AtDefault")}
    assert shown == {"Value": 2000.0, "DefaultValue": 1000.0, "Used": 1990.0, "AtDefault": False}
    assert found.config["Requests"] == [{"Id": "r1", "DesiredValue": 3000.0, "Status": "PENDING"}]


def test_where_the_account_has_none_the_default_holds() -> None:
    found = described(account([100.0], own=False))
    assert (found.config["Value"], found.config["AtDefault"]) == (1000.0, True)
    assert "DefaultValue" not in found.config
    assert describe(FakeAws({}).reader(), ARN) is None


def test_calls_are_measured_in_the_quotas_own_period() -> None:
    found = described(
        account([60_000.0], metric="CallCount", Period={"PeriodValue": 1, "PeriodUnit": "SECOND"})
    )
    assert found.config["Used"] == pytest.approx(1000.0)


@pytest.mark.parametrize("used", [[], None])
def test_unknown_use_holds_and_excludes_nothing(used: list[float] | None) -> None:
    fake = account(used or [])
    fake.denied = frozenset({"cloudwatch:GetMetricData"} if used is None else ())
    found = described(fake)
    assert share(found) is None
    assert CONDITION.shown is not None
    assert CONDITION.excluded is not None
    assert (CONDITION.shown(found), CONDITION.excluded(found)) == (False, False)


@given(st.floats(0, 4000), st.floats(0, 4000))
def test_a_quota_is_never_reached_and_roomy_at_once(used: float, value: float) -> None:
    found = Resource(
        arn=ARN,
        service="servicequotas",
        type="quota",
        name="q",
        account="111122223333",
        region="eu-west-1",
        config={"Used": used, "Value": value},
    )
    assert CONDITION.shown is not None
    assert CONDITION.excluded is not None
    assert not (CONDITION.shown(found) and CONDITION.excluded(found))
    assert CONDITION.shown(found) == (value > 0 and used / value >= 0.95)


def test_the_condition_reads_the_quota_again() -> None:
    assert CONDITION.calls is not None
    (call,) = CONDITION.calls(described(account([1.0])))
    assert call.parameters == {"ServiceCode": "lambda", "QuotaCode": "L-B99A9384"}
    assert validate(call) == ()


def function(name: str, region: str = "eu-west-1", **config: int) -> Resource:
    return Resource(
        arn=f"arn:aws:lambda:{region}:111122223333:function:{name}",
        service="lambda",
        type="function",
        name=name,
        account="111122223333",
        region=region,
        config=dict(config),
    )


def test_functions_of_the_region_without_a_share_of_their_own_stand_under_it() -> None:
    found = described(account([1.0]))
    known = [
        function("order-writer"),
        function("reserved", ReservedConcurrentExecutions=5),
        function("far", "us-east-1"),
    ]
    told = list(relations(found, KnownResources([found, *known])))
    assert [(one.source, one.target, one.kind) for one in told] == [(known[0].arn, ARN, "limited by")]
    other = Resource(
        arn=f"{AT}:vpc/L-F678F1CE",
        service="servicequotas",
        type="quota",
        name="VPCs",
        account="111122223333",
        region="eu-west-1",
    )
    assert list(relations(other, KnownResources(known))) == []


def test_an_alarm_on_usage_is_about_the_quota() -> None:
    metric = Metric(
        namespace="AWS/Usage",
        name="ResourceCount",
        dimensions=tuple(sorted(USAGE.items())),
        stat="Maximum",
        period=300,
    )
    assert catalogue.metric_owner(metric, "eu-west-1", "111122223333") == ARN
    found = described(account([1.0]))
    assert KnownResources([found]).measured("AWS/Usage", USAGE, "eu-west-1") == ARN


def test_discovery_asks_for_the_shared_quotas_and_no_list() -> None:
    fake = account([1.0])
    found = list(discover(fake.reader(), "eu-west-1"))
    assert len(found) == 9
    assert {operation for _, operation in fake.asked} == {"GetServiceQuota"}
    assert {catalogue.type_of(one.arn) for one in found} == {"quota"}


def test_a_request_touches_its_quota_and_moves_nothing() -> None:
    event = ChangeEvent(
        id="e",
        time=NOW,
        source="servicequotas.amazonaws.com",
        action="RequestServiceQuotaIncrease",
        operation="RequestServiceQuotaIncrease",
        region="eu-west-1",
        account="111122223333",
        actor=Actor(kind="iam_user", name="ops-07", how="cli"),
        request={"serviceCode": "lambda", "quotaCode": "L-B99A9384", "desiredValue": 3000},
        response={},
    )
    change = catalogue.change_of(event)
    assert change is not None
    assert change.inert
    assert change.touches(event) == (ARN,)
