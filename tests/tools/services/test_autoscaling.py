"""EC2 Auto Scaling: what a group hangs on, what it was before, how changes go back, why launches fail."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.tools.fake_account import Answer, FakeAws
from tools import catalogue
from tools.cloudtrail import touched_by, toucher
from tools.directory import KnownResources
from tools.history import prior
from tools.models import Actor, Call, ChangeEvent, Json, Metric, Resource, Value
from tools.parameters import validate
from tools.services._spec import Condition, Setting
from tools.services.autoscaling import SERVICE, capacity_steps, describe, discover, messages, relations
from tools.topology import around, owner
from tools.versions import before

AT = "eu-west-1:111122223333"
ID = "0f0e2b7d-64a1-4c63-9a53-5f6d3f0b7c11"
WEB = f"arn:aws:autoscaling:{AT}:autoScalingGroup:{ID}:autoScalingGroupName/web"
NAMED = f"arn:aws:autoscaling:{AT}:autoScalingGroup:*:autoScalingGroupName/web"
TARGETS = f"arn:aws:elasticloadbalancing:{AT}:targetgroup/web/73e2d6bc24d8a067"
INSTANCE = f"arn:aws:ec2:{AT}:instance/i-0a"
TEMPLATE = "lt-0a1b2c3d4e5f60718"
NOON = datetime(2026, 3, 13, 12, tzinfo=UTC)


def group(**changed: Any) -> Json:
    return {
        "AutoScalingGroupARN": WEB,
        "AutoScalingGroupName": "web",
        "LaunchTemplate": {"LaunchTemplateId": TEMPLATE, "LaunchTemplateName": "web", "Version": "42"},
        "MinSize": 2,
        "MaxSize": 12,
        "DesiredCapacity": 6,
        "DefaultCooldown": 300,
        "AvailabilityZones": ["eu-west-1a", "eu-west-1b"],
        "TargetGroupARNs": [TARGETS],
        "TrafficSources": [{"Identifier": TARGETS, "Type": "elbv2"}],
        "HealthCheckType": "ELB",
        "HealthCheckGracePeriod": 300,
        "VPCZoneIdentifier": "subnet-0a, subnet-0b",
        "CreatedTime": datetime(2025, 1, 1, tzinfo=UTC),
        "Instances": [
            {
                "InstanceId": "i-0a",
                "AvailabilityZone": "eu-west-1a",
                "LifecycleState": "InService",
                "HealthStatus": "Healthy",
                "ProtectedFromScaleIn": False,
                "LaunchTemplate": {
                    "LaunchTemplateId": TEMPLATE,
                    "LaunchTemplateName": "web",
                    "Version": "42",
                },
            }
        ],
        "SuspendedProcesses": [],
        "EnabledMetrics": [{"Metric": "GroupInServiceInstances", "Granularity": "1Minute"}],
        "Tags": [{"Key": "team", "Value": "shop", "ResourceId": "web"}],
        **changed,
    }


def activity(cause: str, *, failed: str = "", number: int = 1, launch: bool = True) -> Json:
    word = "Launching a new" if launch else "Terminating"
    return {
        "ActivityId": f"00000000-0000-4000-8000-{number:012d}",
        "AutoScalingGroupName": "web",
        "Description": f"{word} EC2 instance",
        "Cause": cause,
        "StartTime": NOON,
        "StatusCode": "Failed" if failed else "Successful",
        **({"StatusMessage": failed} if failed else {}),
    }


CAUSE = (
    "At 2026-03-13T11:58:02Z a user request update of AutoScalingGroup constraints to min: 1, max: 1, desired: 1 "
    "changing the desired capacity from 6 to 1.  At 2026-03-13T11:58:09Z an instance was taken out of service in "
    "response to a difference between desired and actual capacity, shrinking the capacity from 6 to 1."
)


def answers(
    item: Json | None = None, activities: list[Json] | None = None
) -> Mapping[tuple[str, str], Answer]:
    told = [group() if item is None else item]
    queue = f"arn:aws:sqs:{AT}:lifecycle"
    return {
        ("autoscaling", "DescribeAutoScalingGroups"): {"AutoScalingGroups": told},
        ("autoscaling", "DescribePolicies"): {"ScalingPolicies": [{"PolicyName": "cpu-60"}]},
        ("autoscaling", "DescribeScheduledActions"): {"ScheduledUpdateGroupActions": []},
        ("autoscaling", "DescribeLifecycleHooks"): {
            "LifecycleHooks": [{"LifecycleHookName": "warm", "NotificationTargetARN": queue}]
        },
        ("autoscaling", "DescribeScalingActivities"): {"Activities": activities or []},
        ("autoscaling", "DescribeInstanceRefreshes"): {"InstanceRefreshes": []},
    }


def web(**changed: Any) -> Resource:
    found = describe(FakeAws(answers(group(**changed))).reader(), WEB)
    assert found is not None
    return found


def happened(
    operation: str, request: Json, *, minutes: float = 0, response: Json | None = None
) -> ChangeEvent:
    return ChangeEvent(
        id=f"{operation}-{minutes}",
        time=NOON + timedelta(minutes=minutes),
        source="autoscaling.amazonaws.com",
        action=operation,
        operation=operation,
        region="eu-west-1",
        account="111122223333",
        actor=Actor(kind="iam_user", name="ops-07", how="console"),
        request={"autoScalingGroupName": "web", **request},
        response=response or {},
    )


def setting(path: str) -> Setting:
    return next(one for one in SERVICE.settings if one.path == path)


def calls(path: str, value: Value, at: Resource) -> tuple[Call, ...]:
    made = setting(path).restore(at, value)
    assert all(validate(one) == () for one in made)
    return made


def undo(event: ChangeEvent, *earlier: ChangeEvent) -> tuple[Call, ...]:
    change = catalogue.change_of(event)
    assert change is not None
    assert change.undo is not None
    made = change.undo(event, earlier)
    assert all(validate(one) == () for one in made)
    return made


# -- reading ------------------------------------------------------------------------------------------


def test_a_group_tells_what_it_launches_and_what_sends_it_requests() -> None:
    found = web()
    assert (found.arn, found.name, found.tags) == (WEB, "web", {"team": "shop"})
    known = {(one.kind, one.source, one.target) for one in relations(found, KnownResources([found]))}
    ec2 = f"arn:aws:ec2:{AT}"
    assert known == {
        ("launches", WEB, INSTANCE),
        ("in", WEB, f"{ec2}:subnet/subnet-0a"),
        ("in", WEB, f"{ec2}:subnet/subnet-0b"),
        ("uses template", WEB, f"{ec2}:launch-template/{TEMPLATE}"),
        ("targets", TARGETS, WEB),
        ("notifies", WEB, f"arn:aws:sqs:{AT}:lifecycle"),
    }


def test_a_refused_read_is_a_gap_and_no_empty_list() -> None:
    reader = FakeAws(answers(), denied=frozenset({"autoscaling:DescribePolicies"})).reader()
    found = describe(reader, WEB)
    assert found is not None
    assert "Policies" not in found.config
    assert found.config["ScheduledActions"] == []
    assert [gap.what for gap in reader.gaps] == ["Scaling policies"]


def test_what_does_not_exist_is_none() -> None:
    none: dict[tuple[str, str], Answer] = {
        **answers(),
        ("autoscaling", "DescribeAutoScalingGroups"): {"AutoScalingGroups": []},
    }
    assert describe(FakeAws(none).reader(), WEB) is None


def test_the_template_of_mixed_instances_is_found() -> None:
    named = {"LaunchTemplateId": TEMPLATE, "LaunchTemplateName": "web", "Version": "7"}
    item = group(MixedInstancesPolicy={"LaunchTemplate": {"LaunchTemplateSpecification": named}})
    del item["LaunchTemplate"]
    (found,) = discover(FakeAws(answers(item)).reader(), "eu-west-1")
    kinds = [one.target for one in relations(found, KnownResources([])) if one.kind == "uses template"]
    assert kinds == [f"arn:aws:ec2:{AT}:launch-template/{TEMPLATE}"]


def test_the_group_behind_an_instance_is_found_from_it() -> None:
    asked = FakeAws(answers())
    found = around(asked.reader(), [INSTANCE])
    assert WEB in {one.arn for one in found.resources}
    assert (WEB, INSTANCE, "launches") in {(one.source, one.target, one.kind) for one in found.relations}


def test_no_group_is_listed_for_a_symptom_of_another_kind() -> None:
    asked = FakeAws(answers())
    around(asked.reader(), [f"arn:aws:lambda:{AT}:function:order-writer"])
    assert not [one for one in asked.asked if one[0] == "autoscaling"]


@pytest.mark.parametrize(
    ("namespace", "metric"), [("AWS/AutoScaling", "GroupMaxSize"), ("AWS/EC2", "CPUUtilization")]
)
def test_a_metric_of_a_group_leads_to_it_by_its_name(namespace: str, metric: str) -> None:
    told: dict[tuple[str, str], Answer] = {**answers(), ("ec2", "DescribeInstances"): {"Reservations": []}}
    named = Metric(
        namespace=namespace, name=metric, stat="Maximum", dimensions=(("AutoScalingGroupName", "web"),)
    )
    assert owner(FakeAws(told).reader(), named) == WEB


def test_groups_send_their_own_metrics_only_where_that_is_on() -> None:
    where = {one.name: one.where for one in SERVICE.metrics}
    collected, silent = where["GroupInServiceInstances"], where["GroupMaxSize"]
    assert collected is not None
    assert silent is not None
    assert collected(web())
    assert not silent(web())
    assert where["CPUUtilization"] is None


# -- who is touched -----------------------------------------------------------------------------------


def test_a_record_names_the_group_by_its_name_alone() -> None:
    event = happened("UpdateAutoScalingGroup", {"maxSize": 1})
    known = catalogue.for_event(event)
    assert known is not None
    assert known[1].touches(event) == (NAMED,)
    assert touched_by(event, web())
    assert [one.arn for one in toucher([web()])(event)] == [WEB]


@pytest.mark.parametrize("name", ["web-2", "we", ID, WEB.rpartition(":")[2]])
def test_another_groups_name_is_not_this_one(name: str) -> None:
    assert not touched_by(happened("UpdateAutoScalingGroup", {"autoScalingGroupName": name}), web())


def test_tags_name_the_group_too() -> None:
    tag = {"resourceId": "web", "resourceType": "auto-scaling-group", "key": "team", "value": "web"}
    event = replace(happened("CreateOrUpdateTags", {}), request={"tags": [tag]})
    assert touched_by(event, web())
    assert not touched_by(replace(event, request={"tags": [{**tag, "resourceId": "api"}]}), web())


def test_an_event_of_application_auto_scaling_is_none_of_a_groups() -> None:
    request = {"serviceNamespace": "ecs", "resourceId": "service/shop/web", "policyName": "cpu-60"}
    event = replace(happened("PutScalingPolicy", {}), request=request)
    own = next(one for one in SERVICE.changes if one.operation == "PutScalingPolicy")
    assert own.touches(event) == ()
    assert not touched_by(event, web())


# -- the value before ---------------------------------------------------------------------------------


def test_activities_tell_the_capacity_that_policies_had_set() -> None:
    assert capacity_steps([activity(CAUSE), activity(CAUSE, number=2)]) == (
        (datetime(2026, 3, 13, 11, 58, 2, tzinfo=UTC), 6, 1),
    )
    assert capacity_steps([activity("At 2026-03-13T11:58:02Z an instance was launched.")]) == ()


def test_two_steps_in_one_cause_are_two() -> None:
    twice = (
        "At 2026-03-13T10:00:00Z a monitor alarm high in state ALARM triggered policy cpu-60 changing the desired "
        "capacity from 3 to 4.  At 2026-03-13T10:00:05Z an instance was started in response to a difference. "
        "At 2026-03-13T11:00:00Z a user request explicitly set group desired capacity changing the desired "
        "capacity from 4 to 6."
    )
    assert [(before, after) for _, before, after in capacity_steps([activity(twice)])] == [(3, 4), (4, 6)]


_STEPS = st.lists(
    st.tuples(
        st.datetimes(datetime(2026, 1, 1), datetime(2026, 3, 13)), st.integers(0, 500), st.integers(0, 500)
    ),
    max_size=5,
)


@given(steps=_STEPS)
def test_every_step_of_a_cause_is_found(steps: list[tuple[datetime, int, int]]) -> None:
    told = [(moment.replace(microsecond=0, tzinfo=UTC), one, other) for moment, one, other in steps]
    cause = "  ".join(
        f"At {moment:%Y-%m-%dT%H:%M:%SZ} a monitor alarm x in state ALARM triggered policy p changing the desired "
        f"capacity from {one} to {other}."
        for moment, one, other in told
    )
    assert capacity_steps([activity(cause)]) == tuple(sorted(set(told)))


def test_the_capacity_before_is_what_the_activity_says_and_not_an_older_request() -> None:
    cut = happened(
        "UpdateAutoScalingGroup", {"minSize": 1, "maxSize": 1, "desiredCapacity": 1}, minutes=-118 / 60
    )
    older = happened("SetDesiredCapacity", {"desiredCapacity": 3}, minutes=-3000)
    reader = FakeAws(answers(activities=[activity(CAUSE)])).reader()
    told = before(reader, web(), [cut.time])
    assert [one.values["DesiredCapacity"] for one in told] == [6]
    sooner = replace(cut, time=cut.time - timedelta(seconds=1))
    assert before(reader, web(), [sooner.time])[0].values == {"DesiredCapacity": 6}
    later = replace(cut, time=cut.time + timedelta(hours=1))
    assert before(reader, web(), [later.time])[0].values == {"DesiredCapacity": 1}
    found = prior(setting("DesiredCapacity"), web(), cut, (), None, versions=told)
    assert (found.value, found.known) == (6, True)
    both = prior(setting("DesiredCapacity"), web(), cut, (older,), None, versions=told)
    assert {one.value for one in both.sources} == {6, 3}
    assert both.conflict


# -- putting back -------------------------------------------------------------------------------------


def test_sizes_go_back_alone() -> None:
    assert calls("MaxSize", 12, web())[0].parameters == {"AutoScalingGroupName": "web", "MaxSize": 12}
    assert calls("DesiredCapacity", 6, web())[0].parameters == {
        "AutoScalingGroupName": "web",
        "DesiredCapacity": 6,
    }


def test_a_template_version_goes_back_and_instances_of_the_other_are_replaced() -> None:
    first, second = calls("LaunchTemplate.Version", "41", web())
    assert first.parameters["LaunchTemplate"] == {"LaunchTemplateId": TEMPLATE, "Version": "41"}
    assert (second.operation, second.parameters) == (
        "StartInstanceRefresh",
        {"AutoScalingGroupName": "web", "Preferences": {"SkipMatching": True}},
    )
    (alone,) = calls("LaunchTemplate.Version", "42", web())
    assert alone.operation == "UpdateAutoScalingGroup"


def test_no_refresh_is_started_beside_one_that_goes_on() -> None:
    busy = web()
    going = [{"InstanceRefreshId": ID, "Status": "InProgress"}]
    busy = replace(busy, config={**busy.config, "InstanceRefreshes": going})
    assert [one.operation for one in calls("LaunchTemplate.Version", "41", busy)] == [
        "UpdateAutoScalingGroup"
    ]


def test_a_mixed_policy_goes_back_whole() -> None:
    named = {"LaunchTemplateId": TEMPLATE, "LaunchTemplateName": "web", "Version": "42"}
    policy = {
        "LaunchTemplate": {
            "LaunchTemplateSpecification": named,
            "Overrides": [{"InstanceType": "m6i.large", "LaunchTemplateSpecification": named}],
        },
        "InstancesDistribution": {"OnDemandBaseCapacity": 2, "OnDemandPercentageAboveBaseCapacity": 0},
    }
    item = group(MixedInstancesPolicy=policy, Instances=[])
    del item["LaunchTemplate"]
    found = describe(FakeAws(answers(item)).reader(), WEB)
    assert found is not None
    (made,) = calls("MixedInstancesPolicy.LaunchTemplate.LaunchTemplateSpecification.Version", "41", found)
    assert made.parameters["MixedInstancesPolicy"] == {
        "LaunchTemplate": {
            "LaunchTemplateSpecification": {"LaunchTemplateId": TEMPLATE, "Version": "41"},
            "Overrides": [
                {
                    "InstanceType": "m6i.large",
                    "LaunchTemplateSpecification": {"LaunchTemplateId": TEMPLATE, "Version": "42"},
                }
            ],
        },
        "InstancesDistribution": {"OnDemandBaseCapacity": 2, "OnDemandPercentageAboveBaseCapacity": 0},
    }
    path = "MixedInstancesPolicy.InstancesDistribution.OnDemandPercentageAboveBaseCapacity"
    (made,) = calls(path, 50, found)
    assert made.parameters["MixedInstancesPolicy"]["InstancesDistribution"] == {
        "OnDemandBaseCapacity": 2,
        "OnDemandPercentageAboveBaseCapacity": 50,
    }


def test_only_what_was_not_suspended_before_is_resumed() -> None:
    earlier = happened("SuspendProcesses", {"scalingProcesses": ["AZRebalance"]}, minutes=-900)
    event = happened("SuspendProcesses", {"scalingProcesses": ["Launch", "AZRebalance"]})
    (made,) = undo(event, earlier)
    assert (made.operation, made.parameters["ScalingProcesses"]) == ("ResumeProcesses", ["Launch"])
    resumed = happened("ResumeProcesses", {"scalingProcesses": ["AZRebalance"]}, minutes=-600)
    (made,) = undo(event, resumed, earlier)
    assert made.parameters["ScalingProcesses"] == ["Launch", "AZRebalance"]


def test_without_names_all_processes_are_meant() -> None:
    (made,) = undo(happened("SuspendProcesses", {}))
    assert len(made.parameters["ScalingProcesses"]) == 9


def tracked(value: float, minutes: float, **more: Any) -> ChangeEvent:
    specification = {"predefinedMetricType": "ASGAverageCPUUtilization"}
    configuration = {"predefinedMetricSpecification": specification, "targetValue": value}
    named = {"policyName": "cpu", "policyType": "TargetTrackingScaling"}
    request = {**named, "targetTrackingConfiguration": configuration, **more}
    return happened("PutScalingPolicy", request, minutes=minutes)


def test_a_policy_goes_back_to_the_one_before() -> None:
    (made,) = undo(tracked(95.0, 0), tracked(60.0, -900))
    assert made.parameters["TargetTrackingConfiguration"]["TargetValue"] == 60.0
    assert undo(tracked(95.0, 0)) == ()


def test_a_deleted_policy_is_put_again() -> None:
    (made,) = undo(happened("DeletePolicy", {"policyName": "cpu"}), tracked(60.0, -900))
    assert (made.operation, made.parameters["PolicyName"]) == ("PutScalingPolicy", "cpu")
    other = replace(tracked(60.0, -900), request={**tracked(60.0, 0).request, "autoScalingGroupName": "api"})
    assert undo(happened("DeletePolicy", {"policyName": "cpu"}), other) == ()


def test_a_policy_that_is_known_to_have_been_away_is_deleted() -> None:
    gone = happened("DeletePolicy", {"policyName": "cpu"}, minutes=-60)
    (made,) = undo(tracked(95.0, 0), gone, tracked(60.0, -900))
    assert (made.operation, made.parameters) == (
        "DeletePolicy",
        {"AutoScalingGroupName": "web", "PolicyName": "cpu"},
    )


def scheduled(minutes: float, **more: Any) -> ChangeEvent:
    return happened(
        "PutScheduledUpdateGroupAction", {"scheduledActionName": "night", **more}, minutes=minutes
    )


def test_what_only_the_later_request_set_goes_by_deleting_first() -> None:
    first = scheduled(-900, recurrence="0 20 * * *", desiredCapacity=4)
    (made,) = undo(scheduled(0, desiredCapacity=1), first)
    assert made.parameters == {
        "AutoScalingGroupName": "web",
        "ScheduledActionName": "night",
        "Recurrence": "0 20 * * *",
        "DesiredCapacity": 4,
    }
    removed, again = undo(scheduled(0, maxSize=1), first)
    assert removed.operation == "DeleteScheduledAction"
    assert again.parameters == made.parameters


def test_a_part_that_is_not_known_whole_is_not_put_again() -> None:
    delete = happened("DeleteScheduledAction", {"scheduledActionName": "night"})
    assert undo(delete, scheduled(-900, desiredCapacity=4)) == ()
    assert undo(delete) == ()


def test_target_groups_are_attached_again() -> None:
    (made,) = undo(happened("DetachLoadBalancerTargetGroups", {"targetGroupARNs": [TARGETS]}))
    assert (made.operation, made.parameters) == (
        "AttachLoadBalancerTargetGroups",
        {"AutoScalingGroupName": "web", "TargetGroupARNs": [TARGETS]},
    )


def test_a_refresh_is_rolled_back_only_with_its_configuration() -> None:
    wanted = {"launchTemplate": {"launchTemplateId": TEMPLATE, "version": "42"}}
    (made,) = undo(happened("StartInstanceRefresh", {"desiredConfiguration": wanted}))
    assert made.operation == "RollbackInstanceRefresh"
    assert undo(happened("StartInstanceRefresh", {})) == ()


def test_a_detached_instance_comes_back_only_where_none_took_its_place() -> None:
    request = {"instanceIds": ["i-0a"], "shouldDecrementDesiredCapacity": True}
    (made,) = undo(happened("DetachInstances", request))
    assert made.operation == "AttachInstances"
    assert undo(happened("DetachInstances", {**request, "shouldDecrementDesiredCapacity": False})) == ()


# -- what the group says ------------------------------------------------------------------------------


def condition(key: str) -> Condition:
    return next(one for one in SERVICE.conditions if one.key == key)


def complaining(*activities: Json) -> Resource:
    found = web()
    return replace(found, config={**found.config, "Activities": list(activities)})


FULL = (
    "We currently do not have sufficient m6i.large capacity in the Availability Zone you requested (eu-west-1a). "
    "Our system will be working on provisioning additional capacity. Launching EC2 instance failed."
)


@pytest.mark.parametrize(
    ("message", "key"),
    [
        (FULL, "no-capacity-for-instances"),
        (
            "You have requested more vCPU capacity than your current vCPU limit of 32 allows for the instance bucket.",
            "instance-quota-reached",
        ),
        (
            "There are not enough free addresses in subnet 'subnet-0a' to satisfy the requested number of instances.",
            "subnet-addresses-used-up",
        ),
        (
            "The image id '[ami-0a1b2c3d]' does not exist. Launching EC2 instance failed.",
            "launch-template-unusable",
        ),
        (
            "The security group 'sg-0a1b' does not exist. Launching EC2 instance failed.",
            "launch-template-unusable",
        ),
        (
            "Instance became unhealthy while waiting for instance to be in InService state. Termination Reason: "
            "Client.InvalidKMSKey.InvalidState: The KMS key provided is in an incorrect state",
            "disk-key-unusable",
        ),
    ],
)
def test_the_reason_of_a_failed_launch_is_a_condition(message: str, key: str) -> None:
    failing = complaining(activity("At 2026-03-13T11:58:02Z", failed=message))
    shown = [one.key for one in SERVICE.conditions if one.shown is not None and one.shown(failing)]
    assert shown == [key]


def test_a_launch_that_worked_since_ends_the_complaint() -> None:
    failed, worked = activity("", failed=FULL), activity("", number=2)
    assert messages(complaining(failed, worked)) == (FULL,)
    assert messages(complaining(worked, failed)) == ()
    ended = activity("", number=3, launch=False)
    assert messages(complaining(ended, failed)) == (FULL,)


def test_one_bad_machine_is_no_churn() -> None:
    cause = (
        "At 2026-03-13T11:58:02Z an instance was taken out of service in response to an ELB system health check "
        "failure."
    )
    shown = condition("instances-replaced-again-and-again").shown
    assert shown is not None
    many = [activity(cause, number=number, launch=False) for number in range(3)]
    assert shown(complaining(*many))
    assert not shown(complaining(*many[:2]))


@pytest.mark.parametrize(
    ("least", "wanted", "most", "excluded"), [(2, 12, 12, False), (2, 6, 12, True), (4, 4, 4, True)]
)
def test_a_group_is_at_its_maximum_only_when_it_was_meant_to_grow(
    least: int, wanted: int, most: int, excluded: bool
) -> None:
    known = condition("group-at-its-maximum").excluded
    assert known is not None
    assert known(web(MinSize=least, DesiredCapacity=wanted, MaxSize=most)) is excluded


def test_reasons_in_log_lines_name_the_same_conditions() -> None:
    line = "ERROR scaler: InsufficientInstanceCapacity: We currently do not have sufficient capacity"
    assert [one.points_to for one in SERVICE.signatures if re.search(one.match, line)] == [
        "no-capacity-for-instances"
    ]
