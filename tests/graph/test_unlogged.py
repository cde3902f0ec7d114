"""What serves the requests and logs nowhere is told as a gap, with what lifts it; what logs, or may do so, is not."""

from __future__ import annotations

import json
from typing import Any

import pytest

from graph.facts import Facts
from graph.models import Incident
from graph.unlogged import MOST, unlogged
from tests.graph import made
from tools.models import Relation, Resource

HERE = made.arn("ec2", "instance/i-0a1b2c3d4e5f60718")
ROLE = made.arn("iam", "role/web-role", region="")


def instance(where: str = HERE, **config: Any) -> Resource:
    told = {
        "State": {"Name": "running"},
        "IamInstanceProfile": {"Roles": [ROLE]},
        "LogGroups": [],
        "Unlogged": True,
    }
    return made.resource(where, where.rsplit("/", 1)[1], told | config, Name="shop-web")


def facts(*found: Resource, symptom: str = made.API) -> Facts:
    relations = [
        Relation(source=symptom, target=one.arn, kind="targets", provenance="x")
        for one in found
        if one.arn != symptom
    ]
    incident = Incident(account=made.ACCOUNT, region=made.REGION, resource=symptom)
    return Facts(incident=incident, as_of=made.AS_OF, resources=found, relations=tuple(relations))


def test_the_gap_names_the_instance_and_holds_a_whole_configuration_of_the_agent() -> None:
    ((resource, gap),) = unlogged(facts(instance()))
    assert resource.arn == HERE
    assert gap.code == "NotEnabled"
    assert "shop-web (i-0a1b2c3d4e5f60718)" in gap.what
    assert "CloudWatchAgentServerPolicy to its role web-role" in gap.lift
    path, _, text = gap.lift.partition("amazon-cloudwatch-agent.json: ")
    assert path.endswith("/opt/aws/amazon-cloudwatch-agent/etc/")
    config = json.loads(text)
    files = config["logs"]["logs_collected"]["files"]["collect_list"]
    assert {one["log_stream_name"] for one in files} == {"{instance_id}"}
    assert all(one["log_group_name"].startswith("/ec2/shop-web/") for one in files)
    assert len({one["log_group_name"] for one in files}) == len(files)
    assert config["metrics"]["metrics_collected"]["disk"]["measurement"] == ["used_percent"]


@pytest.mark.parametrize(
    "config",
    [
        {"LogGroups": ["/ec2/web"], "Unlogged": None},
        {"Unlogged": None},  # refused, or not all groups were looked through
        {"State": {"Name": "stopped"}},
    ],
)
def test_nothing_is_said_of_what_logs_or_may_log_or_stands_still(config: dict[str, Any]) -> None:
    assert unlogged(facts(instance(**config))) == ()


def test_only_what_the_symptom_relies_on_counts_and_no_more_than_a_few() -> None:
    apart = facts(instance())
    alone = Facts(incident=apart.incident, as_of=apart.as_of, resources=apart.resources)
    assert unlogged(alone) == ()
    many = [instance(made.arn("ec2", f"instance/i-{number:017d}")) for number in range(MOST + 2)]
    assert len(unlogged(facts(*many))) == MOST
    assert [one.arn for one, _ in unlogged(facts(instance(), symptom=HERE))] == [HERE]
