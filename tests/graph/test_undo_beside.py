"""Operations of another name that set the same leave a doubt; those that do not leave none."""

from __future__ import annotations

import json

import pytest

from graph.undoing.known import Known
from graph.undoing.restore import Restoration, restoration
from tests.graph.test_undo_outcomes import event
from tools.models import ChangeEvent, Json


def judged(one: ChangeEvent, *others: ChangeEvent) -> Restoration:
    return restoration(one, Known(events=(one, *others)))


def cluster(hours: float, nodes: int) -> ChangeEvent:
    return event("redshift", "ModifyCluster", hours, {"clusterIdentifier": "reports", "numberOfNodes": nodes})


@pytest.mark.parametrize(
    ("hours", "operation", "sent", "outcome"),
    [
        (5, "ResizeCluster", {"clusterIdentifier": "reports", "numberOfNodes": 8}, "partial"),
        (0.5, "ResizeCluster", {"clusterIdentifier": "reports", "numberOfNodes": 8}, "partial"),
        (20, "ResizeCluster", {"clusterIdentifier": "reports", "numberOfNodes": 8}, "exact"),
        (5, "ResizeCluster", {"clusterIdentifier": "sales", "numberOfNodes": 8}, "exact"),
        (5, "RebootCluster", {"clusterIdentifier": "reports"}, "exact"),
        (5, "EnableLogging", {"clusterIdentifier": "reports", "bucketName": "logs"}, "exact"),
    ],
)
def test_a_resize_may_have_set_the_nodes(hours: float, operation: str, sent: Json, outcome: str) -> None:
    made = judged(cluster(1, 2), cluster(9, 4), event("redshift", operation, hours, sent))
    assert made.outcome == outcome
    assert any(operation in one for one in made.unknown) == (outcome == "partial")


def test_a_schedule_set_on_its_own_may_be_the_one_before() -> None:
    def crawler(hours: float, at: str) -> ChangeEvent:
        return event("glue", "UpdateCrawler", hours, {"name": "orders", "schedule": f"cron(0 {at} * * ? *)"})

    alone = {"crawlerName": "orders", "schedule": "cron(0 2 * * ? *)"}
    made = judged(crawler(1, "3"), crawler(9, "1"), event("glue", "UpdateCrawlerSchedule", 5, alone))
    assert made.outcome == "partial"
    assert judged(crawler(1, "3"), crawler(9, "1")).outcome == "exact"


def test_actions_switched_off_in_between_are_not_switched_on_in_silence() -> None:
    def alarm(hours: float, threshold: int) -> ChangeEvent:
        sent = {"alarmName": "late", "namespace": "Shop", "metricName": "Age", "threshold": threshold}
        rest = {"comparisonOperator": "GreaterThanThreshold", "evaluationPeriods": 1, "actionsEnabled": True}
        return event("monitoring", "PutMetricAlarm", hours, {**sent, **rest})

    off = event("monitoring", "DisableAlarmActions", 5, {"alarmNames": ["late"]})
    other = event("monitoring", "DisableAlarmActions", 5, {"alarmNames": ["slow"]})
    assert judged(alarm(1, 5), alarm(9, 1), other).outcome == "exact"
    assert judged(alarm(1, 5), alarm(9, 1), off).outcome == "partial"


def test_the_trust_policy_of_a_role_is_no_policy_of_it() -> None:
    def put(hours: float, action: str) -> ChangeEvent:
        document = json.dumps({"Statement": [{"Effect": "Allow", "Action": action, "Resource": "*"}]})
        sent = {"roleName": "writer", "policyName": "buckets", "policyDocument": document}
        return event("iam", "PutRolePolicy", hours, sent)

    trust = event("iam", "UpdateAssumeRolePolicy", 5, {"roleName": "writer", "policyDocument": "{}"})
    assert judged(put(1, "s3:*"), put(9, "s3:Get*"), trust).outcome == "exact"
