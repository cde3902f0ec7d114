"""Resources whose ARN holds an id that no event tells are met by name; others are not."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from graph.touching import by_event, changes
from tests.graph.test_undo_outcomes import TABLE, event, limit
from tools.models import Resource

GROUP = Resource(
    arn="arn:aws:autoscaling:eu-west-1:111122223333:autoScalingGroup:1f2e3d4c-5b6a-4789-90ab-cdef01234567:"
    "autoScalingGroupName/web",
    service="autoscaling",
    type="auto-scaling-group",
    name="web",
    account="111122223333",
    region="eu-west-1",
)
NODES = Resource(
    arn="arn:aws:eks:eu-west-1:111122223333:nodegroup/shop/workers/1f2e3d4c-5b6a-4789-90ab-cdef01234567",
    service="eks",
    type="node-group",
    name="workers",
    account="111122223333",
    region="eu-west-1",
)


def test_a_group_is_met_by_its_name() -> None:
    resized = event("autoscaling", "UpdateAutoScalingGroup", 1, {"autoScalingGroupName": "web", "maxSize": 2})
    assert changes(resized, GROUP)
    assert GROUP.arn in by_event([GROUP, NODES])(resized)
    assert NODES.arn not in by_event([GROUP, NODES])(resized)


def test_a_node_group_is_met_by_its_name() -> None:
    sized = event(
        "eks",
        "UpdateNodegroupConfig",
        1,
        {"name": "shop", "nodegroupName": "workers", "scalingConfig": {"maxSize": 1}},
    )
    assert changes(sized, NODES)
    assert NODES.arn in by_event([NODES])(sized)


def test_another_of_the_same_service_is_not() -> None:
    other = event("autoscaling", "UpdateAutoScalingGroup", 1, {"autoScalingGroupName": "web-2", "maxSize": 2})
    assert not changes(other, GROUP)
    assert GROUP.arn not in by_event([GROUP])(other)


def test_an_event_of_another_service_that_names_it_does_not_change_it() -> None:
    named = event(
        "autoscaling-plans",
        "CreateScalingPlan",
        1,
        {"scalingInstructions": [{"resourceId": "autoScalingGroup/web"}]},
    )
    assert not changes(named, GROUP)


@given(st.integers(1, 5000))
def test_what_the_service_file_tells_comes_first(value: int) -> None:
    assert by_event([GROUP])(limit(1, value))[0] == TABLE
