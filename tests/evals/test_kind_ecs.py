"""ECS services in worlds: the scheduler, capacity, what fails by a revision, metrics, logs, answers, autoscaling."""

from __future__ import annotations

from collections import Counter
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from evals.world import World, load_case
from evals.world.ecs_stage import roster_of, waiting
from evals.world.flow import Flow
from evals.world.health import Health, Rules, Verdict, matches
from evals.world.roster import Roster
from evals.world.stage import share_of
from evals.world.telemetry import Sample
from evals.world.world import Thing
from tools.aws import Account, Aws
from tools.budget import Budget, Limits
from tools.clock import VirtualClock
from tools.errors import NotThere
from tools.evidence import MemoryStore
from tools.models import Json

BASE: Json = yaml.safe_load("""
title: A service behind a load balancer
people:
  operator: {way: user-console, name: "{person_1}"}
  deploy: {way: ci, name: run-7, role: deploy-role}
resources:
  lb: {kind: load-balancer, name: shop-web, calls: targets}
  targets: {kind: target-group, name: shop-web, calls: service, settings: {HealthCheckIntervalSeconds: 15}}
  cluster: {kind: cluster, name: shop, settings: {settings.containerInsights: enabled}}
  good: {kind: task-definition, name: web, settings: {cpu: 512, memory: 1024}, with: {container: app}}
  bad: {kind: task-definition, name: web, age_days: 1, with: {like: good}}
  service:
    kind: ecs-service
    name: web
    with: {cluster: cluster, definition: good}
    calls: table
    settings: {desiredCount: 4}
  table: {kind: table, name: orders}
traffic: {per_second: 60, duration_ms: 40, background: 6}
alarms:
  alarm:
    name: web-5xx
    "on": lb
    namespace: AWS/ApplicationELB
    metric: HTTPCode_ELB_5XX_Count
    dimensions: {LoadBalancer: "{{id}}"}
    stat: Sum
    threshold: 10
    missing: notBreaching
events: []
look: {after: moment, minutes: 28}
switches: {noise: 0}
""")
DEPLOY = [
    {"id": "registered", "at": "-40s", "who": "deploy", "create": "bad"},
    {"id": "change", "at": "0s", "who": "deploy", "set": "service", "path": "taskDefinition", "to": "{bad.arn}"},
]  # fmt: skip
HALF = {
    "deploymentConfiguration.minimumHealthyPercent": 50,
    "deploymentConfiguration.maximumPercent": 100,
}


def world(tmp_path: Path, seed: int = 1, **parts: Any) -> World:
    case = BASE | {"events": parts.pop("events", DEPLOY)}
    resources = {key: dict(one) for key, one in BASE["resources"].items()}
    for key, settings in parts.items():
        if key in resources:
            resources[key]["settings"] = resources[key].get("settings", {}) | settings
    case = case | {"resources": resources | parts.pop("more", {})}
    case |= {key: BASE[key] | value for key, value in parts.items() if key == "traffic"}
    if "options" in parts:
        resources["service"]["with"] = resources["service"]["with"] | parts["options"]
    (tmp_path / "case.yaml").write_text(yaml.safe_dump(case, sort_keys=False), encoding="utf-8")
    return load_case(tmp_path, seed)


def desired(to: int) -> list[Json]:
    return [
        {"id": "change", "at": "0s", "who": "operator", "set": "service", "path": "desiredCount", "to": to}
    ]


def thing(made: World, key: str) -> Thing:
    return made.things[made.facts[f"{key}.arn"]]


def flow(made: World) -> Flow:
    return made.flows["case"]


def roster(made: World) -> Roster:
    return roster_of(made, thing(made, "service"))


def moment(made: World) -> int:
    return int(flow(made).demand.anchor)


def ends(made: World, minute: int) -> Counter[str]:
    found: Counter[str] = Counter()
    for one in flow(made).minute(moment(made) // 60 + minute).endings:
        found[one.reason] += one.many
    return found


def emitted(made: World, key: str, name: str, minute: int) -> Sample | None:
    arn = made.facts[f"{key}.arn"]
    found = [one for one in made.telemetry.sources.values() if (one.owner, one.name) == (arn, name)]
    assert len(found) == 1, name
    return found[0].emit(moment(made) // 60 + minute)


def ask(made: World, service: str, operation: str, at: datetime | None = None, /, **given_: Any) -> Json:
    aws = Aws(
        Account(region=made.region),
        made.transport(),
        VirtualClock(at or made.start),
        Budget(Limits(calls=500)),
        MemoryStore(),
    )
    return aws.ask(service, operation, made.region, given_)


# -- parts ----------------------------------------------------------------------------------------


@given(st.lists(st.booleans(), max_size=60), st.integers(1, 5), st.integers(1, 5))
def test_health_changes_after_as_many_checks_in_a_row_as_the_group_says(
    checks: list[bool], fall: int, rise: int
) -> None:
    how = Rules("/", "traffic-port", "HTTP", 10, fall, rise, "200", True)
    held = Health(0.0, 10.0, [(0.0, "initial")])
    for passed in checks:
        held.note(Verdict(passed), how)
    for (_, before), (since, after) in zip(held.history, held.history[1:], strict=False):
        last = int(since // 10)
        row = fall if after == "unhealthy" else 1 if before == "initial" else rise
        assert all(one == (after == "healthy") for one in checks[last - row : last])
        assert before != after
    assert held.next == 10.0 + 10 * len(checks)


@pytest.mark.parametrize(
    ("code", "codes", "fits"),
    [
        (200, "200", True),
        (404, "200", False),
        (302, "200,302", True),
        (250, "200-299", True),
        (300, "200-299", False),
    ],
)
def test_matchers_name_codes_lists_and_ranges(code: int, codes: str, fits: bool) -> None:
    assert matches(code, codes) is fits


@given(st.floats(0.01, 0.96), st.integers(1, 40))
def test_waiting_grows_with_the_utilisation_and_shrinks_with_more_servers(used: float, servers: int) -> None:
    assert waiting(used, servers, 0.05) < waiting(used + 0.01, servers, 0.05)
    assert waiting(used, servers + 1, 0.05) <= waiting(used, servers, 0.05)


@given(st.integers(0, 5000), st.floats(-1, 2), st.integers(0, 10**9))
def test_a_part_is_never_more_than_all(alive: int, share: float, salt: int) -> None:
    assert 0 <= share_of(alive, share, salt) <= alive


# -- capacity -------------------------------------------------------------------------------------


def test_no_tasks_no_targets_no_cpu(tmp_path: Path) -> None:
    made = world(tmp_path, events=desired(0))
    assert made.facts["onset"].timestamp() == moment(made)
    row = flow(made).minute(moment(made) // 60 + 3)
    assert ends(made, 3) == {"no targets": row.requests}
    assert emitted(made, "service", "CPUUtilization", 3) is None
    running, wanted = (emitted(made, "service", name, 3) for name in ("RunningTaskCount", "DesiredTaskCount"))
    assert running is not None
    assert running.high == 0
    assert wanted is not None
    assert wanted.high == 0
    draining, gone = (emitted(made, "targets", "HealthyHostCount", minute) for minute in (3, 9))
    assert draining is not None
    assert draining.high == 0
    assert gone is None


def test_too_few_tasks_are_full_slow_and_turn_requests_away(tmp_path: Path) -> None:
    made = world(tmp_path, events=desired(2))
    before, after = (emitted(made, "service", "CPUUtilization", minute) for minute in (-5, 9))
    assert before is not None
    assert after is not None
    assert before.samples == 4
    assert 50 < before.p50 < 70
    assert after.samples == 2
    assert after.p50 > 97
    slow, quick = (emitted(made, "targets", "TargetResponseTime", minute) for minute in (9, -5))
    assert slow is not None
    assert quick is not None
    assert slow.p50 > 10 * quick.p50
    row, capacity = flow(made).minute(moment(made) // 60 + 9), 0.97 * 2 * 0.5 / 0.02 * 60
    assert row.requests - ends(made, 9)["overload"] == pytest.approx(
        capacity, rel=0.01
    )  # vCPUs over CPU seconds each


def test_enough_tasks_left_hurt_nobody(tmp_path: Path) -> None:
    made = world(tmp_path, events=desired(3), traffic={"per_second": 40})
    assert "onset" not in made.facts
    assert roster(made).seen(moment(made) + 600).running == 3


# -- revisions ------------------------------------------------------------------------------------


def test_code_that_fails_requests_replaces_all_tasks_and_then_fails(tmp_path: Path) -> None:
    made = world(tmp_path, bad={"_bug": {"at": "request", "share": 0.5, "text": "TypeError: no len()"}})
    assert [one.state for one in roster(made).deployments] == ["COMPLETED", "COMPLETED"]
    assert moment(made) + 20 < made.facts["onset"].timestamp() < moment(made) + 120
    row = flow(made).minute(moment(made) // 60 + 5)
    assert ends(made, 5)["bug"] == pytest.approx(row.requests / 2, abs=2)
    group = made.log_groups["/ecs/web"]
    lines = group.some("bug", moment(made) // 60 + 5, 3)
    assert len(lines) == 3
    assert all("TypeError: no len()" in line.text for line in lines)


def test_an_image_that_cannot_be_pulled_leaves_the_old_tasks_alone(tmp_path: Path) -> None:
    made = world(tmp_path, bad={"image": "registry.example.com/web:1.9.O", "_pull": "not-found"})
    assert "onset" not in made.facts
    held = roster(made)
    assert held.seen(made.start.timestamp()).healthy == 4
    failed = [one for one in held.tasks if one.stop_code == "TaskFailedToStart"]
    assert len(failed) >= 8
    assert all("registry.example.com/web:1.9.O: not found" in one.reason for one in failed)
    gaps = [later.created - sooner.created for sooner, later in zip(failed, failed[8:], strict=False)]
    assert max(gaps[-4:]) > 2 * gaps[0]  # starts are spaced out
    assert any(
        text.endswith("is unable to consistently start tasks successfully.") for _, text in held.events
    )


def test_the_circuit_breaker_rolls_back_and_the_description_shows_the_revision_before(tmp_path: Path) -> None:
    breaker = "deploymentConfiguration.deploymentCircuitBreaker."
    made = world(
        tmp_path,
        bad={"_pull": "not-found"},
        service=HALF | {breaker + "enable": True, breaker + "rollback": True, "desiredCount": 4},
    )
    assert [(one.state, one.cause) for one in roster(made).deployments] == [
        ("COMPLETED", ""),
        ("FAILED", ""),
        ("COMPLETED", "rollback"),
    ]
    assert roster(made).deployments[1].counted == 3
    shown = ask(made, "ecs", "DescribeServices", cluster="shop", services=["web"])["services"][0]
    assert shown["taskDefinition"] == made.facts["good.arn"] == shown["deployments"][0]["taskDefinition"]
    assert any("rolling back" in one["message"] for one in shown["events"])
    listed = ask(made, "ecs", "ListServiceDeployments", service=made.facts["service.arn"])
    assert [one["status"] for one in listed["serviceDeployments"]] == ["ROLLBACK_SUCCESSFUL", "SUCCESSFUL"]
    assert made.facts["ended"] > made.facts["onset"]


def test_without_the_breaker_half_of_the_tasks_stay_away(tmp_path: Path) -> None:
    made = world(tmp_path, bad={"_pull": "not-found"}, service=HALF | {"desiredCount": 4})
    assert roster(made).seen(made.start.timestamp()).running == 2
    assert ends(made, 20)["overload"] > 100


def test_a_variable_that_the_program_needs_and_the_revision_lacks_crashes_it(tmp_path: Path) -> None:
    made = world(tmp_path, bad={"environment.TABLE_NAME": None}, service=HALF | {"desiredCount": 4})
    stopped = [one for one in roster(made).tasks if one.exit_code == 1]
    assert stopped
    assert {one.reason for one in stopped} == {"Essential container in task exited"}
    minutes = range(moment(made) // 60, moment(made) // 60 + 6)
    lines = [line for minute in minutes for line in made.log_groups["/ecs/web"].some("crash", minute, 9)]
    assert lines
    assert all(line.text.endswith("KeyError: 'TABLE_NAME'") for line in lines)
    crashed = [one for one in stopped if one.ends < 60 * minutes.stop]
    assert len(lines) == len(crashed)


def test_too_little_memory_ends_tasks_again_and_again(tmp_path: Path) -> None:
    made = world(tmp_path, bad={"memory": 512, "_used_mb": 700})
    killed = [one for one in roster(made).tasks if one.exit_code == 137]
    assert len(killed) > 12
    assert {one.container for one in killed} == {"OutOfMemoryError: Container killed due to memory usage"}
    high = [emitted(made, "service", "MemoryUtilization", minute) for minute in range(2, 20)]
    assert max(one.high for one in high if one) > 95
    assert ends(made, 10)["refused"] > 100  # connections to tasks that have just died
    shown = ask(made, "ecs", "ListTasks", cluster="shop", serviceName="web", desiredStatus="STOPPED")
    told = ask(made, "ecs", "DescribeTasks", cluster="shop", tasks=shown["taskArns"][:5])["tasks"]
    assert {one["containers"][0]["exitCode"] for one in told} <= {0, 137}


def test_a_leak_kills_tasks_hours_later(tmp_path: Path) -> None:
    nature = [{"id": "leak", "at": "-3h", "set": "service", "path": "_leak_mb_per_hour", "to": 200}]
    made = world(tmp_path, events=nature)
    killed = [one for one in roster(made).tasks if one.exit_code == 137]
    expected = moment(made) - 3 * 3600 + (1024 - 0.45 * 1024) / 200 * 3600
    assert killed
    assert killed[0].ends == pytest.approx(expected, abs=5)


# -- roles, hangs ---------------------------------------------------------------------------------


def test_new_tasks_need_the_execution_role_and_old_ones_do_not(tmp_path: Path) -> None:
    events = [
        {
            "id": "change",
            "at": "-1h",
            "who": "operator",
            "set": "good_execution_role",
            "path": "Policies.start-tasks",
            "to": None,
        },
        {
            "id": "forced",
            "at": "0s",
            "who": "deploy",
            "set": "service",
            "path": "forceNewDeployment",
            "to": 1,
        },
    ]
    made = world(tmp_path, events=events)
    held = roster(made)
    assert held.seen(moment(made) - 60).healthy == 4
    assert held.seen(moment(made) + 900).healthy == 4
    failed = [one for one in held.tasks if one.stop_code == "TaskFailedToStart"]
    assert failed
    assert "ecr:GetAuthorizationToken" in failed[0].reason
    assert min(one.created for one in failed) >= moment(made)


def test_a_task_role_without_its_permission_fails_requests(tmp_path: Path) -> None:
    removed = [
        {
            "id": "change",
            "at": "0s",
            "who": "operator",
            "set": "good_role",
            "path": "Policies.table-access",
            "to": None,
        }
    ]
    made = world(tmp_path, events=removed)
    row = flow(made).minute(moment(made) // 60 + 4)
    assert ends(made, 4) == {"denied": row.requests}
    line = made.log_groups["/ecs/web"].some("denied", moment(made) // 60 + 4, 1)[0].text
    assert "not authorized to perform: dynamodb:PutItem" in line
    assert ":assumed-role/web-task/" in line


def test_a_program_that_hangs_times_out_at_the_balancer_and_is_replaced(tmp_path: Path) -> None:
    hung = [{"id": "hang", "at": "0s", "set": "service", "path": "_hung", "to": True}]
    made = world(tmp_path, events=hung)
    row = flow(made).minute(moment(made) // 60 + 1)
    assert sum(one.many for one in row.endings if one.status == 504) > 0.9 * row.requests
    reasons = {one.reason for one in roster(made).tasks if one.reason}
    assert any(one.startswith("Task failed ELB health checks in (target-group arn:") for one in reasons)


# -- what the autoscaler does ---------------------------------------------------------------------


def test_the_autoscaler_reacts_after_the_onset_and_is_recorded_as_itself(tmp_path: Path) -> None:
    pulses = [{"start": 0, "minutes": 60, "factor": 3.0}]
    made = world(
        tmp_path,
        events=[],
        traffic={"pulses": pulses},
        options={"autoscaling": {"min": 4, "max": 12, "target": 65}},
    )
    calls = [one for one in made.trail.records if one.body["eventName"] == "UpdateService"]
    assert calls
    assert all(one.time > made.facts["onset"] for one in calls)
    first = min(calls, key=lambda one: one.time)
    assert first.body["sourceIPAddress"] == "ecs.application-autoscaling.amazonaws.com"
    assert first.actor.kind == "service_linked_role"
    assert (first.before, first.field) == (4, "desiredCount")
    told = ask(
        made,
        "application-autoscaling",
        "DescribeScalingActivities",
        ServiceNamespace="ecs",
        ResourceId="service/shop/web",
    )
    seen = [one for one in calls if one.time <= made.start]
    assert len(told["ScalingActivities"]) == len(seen)
    assert told["ScalingActivities"][-1]["Description"] == f"Setting desired count to {first.after}."
    target = ask(made, "application-autoscaling", "DescribeScalableTargets", ServiceNamespace="ecs")
    assert target["ScalableTargets"][0]["ResourceId"] == "service/shop/web"
    assert ends(made, 2)["overload"] > 1000 > ends(made, 26)["overload"]


@pytest.mark.parametrize("lowered", [2, 5])
def test_a_lowered_maximum_takes_the_count_down_to_it_at_once(tmp_path: Path, lowered: int) -> None:
    """Whatever the metric says, and no further: what is above the maximum goes, nothing else."""
    change = {"id": "change", "at": "0s", "who": "operator", "set": "service_scaling", "path": "MaxCapacity"}
    made = world(
        tmp_path,
        events=[change | {"to": lowered}],
        options={"autoscaling": {"min": 1, "max": 12, "target": 65}},
    )
    roster(made)
    calls = [one for one in made.trail.records if one.body["eventName"] == "UpdateService"]
    told = ask(
        made,
        "application-autoscaling",
        "DescribeScalingActivities",
        ServiceNamespace="ecs",
        ResourceId="service/shop/web",
    )["ScalingActivities"]
    if lowered >= 4:
        assert all(int(str(one.after or 0)) <= lowered for one in calls)
        assert [one for one in told if one["Cause"].startswith("maximum")] == []
        return
    assert (calls[0].before, calls[0].after) == (4, lowered)
    assert 0 < calls[0].time.timestamp() - moment(made) < 120
    assert told[-1]["Cause"] == f"maximum capacity was set to {lowered}"
    assert all(int(str(one.after)) <= lowered for one in calls)


# -- balance and answers --------------------------------------------------------------------------


@pytest.mark.parametrize("seed", [2, 3])
@pytest.mark.parametrize("events", [desired(0), desired(2), DEPLOY], ids=["none", "few", "deploy"])
def test_requests_metrics_and_log_lines_add_up(tmp_path: Path, events: list[Json], seed: int) -> None:
    bad = {"memory": 512, "_used_mb": 700} if events is DEPLOY else {}
    made = world(tmp_path, seed, events=events, bad=bad)
    group = made.log_groups["/ecs/web"]
    for minute in range(-2, 14):
        row, number = flow(made).minute(moment(made) // 60 + minute), moment(made) // 60 + minute
        assert row.requests == row.alive + sum(one.many for one in row.endings)
        lines = Counter(line.kind for line in group.lines(number))
        assert {kind: group.count(kind, number) for kind in group.KINDS if group.count(kind, number)} == lines
        names = (
            "HTTPCode_ELB_5XX_Count",
            "HTTPCode_Target_5XX_Count",
            "HTTPCode_Target_2XX_Count",
            "HTTPCode_Target_4XX_Count",
        )
        found = [emitted(made, "lb", name, minute) for name in names]
        asked = emitted(made, "lb", "RequestCount", minute)
        assert asked is not None
        assert asked.total == row.requests
        assert sum(one.total for one in found if one) == row.requests


def test_stopped_tasks_are_told_for_an_hour(tmp_path: Path) -> None:
    made = world(tmp_path, events=desired(2))
    at = datetime.fromtimestamp(moment(made), made.start.tzinfo)
    wanted = {"cluster": "shop", "serviceName": "web", "desiredStatus": "STOPPED"}
    assert len(ask(made, "ecs", "ListTasks", at + timedelta(minutes=30), **wanted)["taskArns"]) == 2
    assert ask(made, "ecs", "ListTasks", at + timedelta(minutes=90), **wanted)["taskArns"] == []


def test_the_update_is_recorded_with_the_old_revision_still_active(tmp_path: Path) -> None:
    made = world(tmp_path)
    call = next(one for one in made.trail.records if one.body["eventName"] == "UpdateService")
    assert call.body["requestParameters"] == {
        "cluster": "shop",
        "service": "web",
        "taskDefinition": thing(made, "bad").name,
    }
    listed = call.body["responseElements"]["service"]["deployments"]
    assert [(one["status"], one["taskDefinition"]) for one in listed] == [
        ("PRIMARY", made.facts["bad.arn"]),
        ("ACTIVE", made.facts["good.arn"]),
    ]
    registered = next(one for one in made.trail.records if one.body["eventName"] == "RegisterTaskDefinition")
    assert registered.body["responseElements"]["taskDefinition"]["taskDefinitionArn"] == made.facts["bad.arn"]
    linked = [
        one for one in made.trail.records if one.body["eventName"] in ("RegisterTargets", "DeregisterTargets")
    ]
    assert {one.actor.role for one in linked} == {"AWSServiceRoleForECS"}
    assert Counter(one.body["eventName"] for one in linked) == {"RegisterTargets": 4, "DeregisterTargets": 4}


def test_relations_follow_from_the_configuration(tmp_path: Path) -> None:
    made = world(tmp_path)
    service, good, bad = made.facts["service.arn"], made.facts["good.arn"], made.facts["bad.arn"]
    for one in (
        (service, "runs in", made.facts["cluster.arn"]),
        (service, "uses definition", good),
        (service, "uses definition", bad),
        (service, "runs as", made.facts["good_role.arn"]),
        (service, "started by", made.facts["good_execution_role.arn"]),
        (service, "writes", made.facts["table.arn"]),
        (made.facts["targets.arn"], "targets", service),
        (made.facts["lb.arn"], "forwards to", made.facts["targets.arn"]),
        (made.facts["lb.arn"], "listens on", made.facts["lb_listener.arn"]),
        (made.facts["lb_listener.arn"], "forwards to", made.facts["targets.arn"]),
        (made.facts["lb_group.arn"], "may connect to", made.facts["service_group.arn"]),
    ):
        assert one in made.relations


def test_every_read_is_known(tmp_path: Path) -> None:
    made = world(tmp_path, bad={"memory": 512, "_used_mb": 700})
    service = made.facts["service.arn"]
    assert made.facts["cluster.arn"] in ask(made, "ecs", "ListClusters")["clusterArns"]
    told = ask(made, "ecs", "DescribeClusters", clusters=["shop"], include=["SETTINGS"])["clusters"][0]
    assert told["settings"] == [{"name": "containerInsights", "value": "enabled"}]
    assert ask(made, "ecs", "ListServices", cluster="shop")["serviceArns"] == [service]
    listed = ask(made, "ecs", "ListTaskDefinitions", familyPrefix="web")["taskDefinitionArns"]
    assert listed == [made.facts["good.arn"], made.facts["bad.arn"]]
    definition = ask(made, "ecs", "DescribeTaskDefinition", taskDefinition="web")["taskDefinition"]
    assert (definition["taskDefinitionArn"], definition["memory"]) == (made.facts["bad.arn"], "512")
    assert definition["containerDefinitions"][0]["environment"] == [{"name": "TABLE_NAME", "value": "orders"}]
    deployments = ask(made, "ecs", "ListServiceDeployments", service=service)["serviceDeployments"]
    arns = [one["serviceDeploymentArn"] for one in deployments]
    assert (
        len(ask(made, "ecs", "DescribeServiceDeployments", serviceDeploymentArns=arns)["serviceDeployments"])
        == 2
    )
    revisions = [one["targetServiceRevisionArn"] for one in deployments]
    shown = ask(made, "ecs", "DescribeServiceRevisions", serviceRevisionArns=revisions)["serviceRevisions"]
    assert [one["taskDefinition"] for one in shown] == [made.facts["bad.arn"], made.facts["good.arn"]]
    running = ask(made, "ecs", "ListTasks", cluster="shop")["taskArns"]
    tasks = ask(made, "ecs", "DescribeTasks", cluster="shop", tasks=running)["tasks"]
    assert {one["group"] for one in tasks} == {"service:web"}
    assert (
        ask(made, "ecs", "DescribeServices", cluster="shop", services=["nope"])["failures"][0]["reason"]
        == "MISSING"
    )
    assert not made.coverage_misses


def test_the_registry_lacks_the_image_that_cannot_be_pulled(tmp_path: Path) -> None:
    registry = "111122223333.dkr.ecr.ap-northeast-1.amazonaws.com"
    made = world(tmp_path, bad={"image": f"{registry}/web:1.9.O", "_pull": "not-found"})
    good = made.things[made.facts["good.arn"]].at("containerDefinitions.app.image", made.start)
    shown = ask(made, "ecr", "DescribeImages", repositoryName="web")["imageDetails"]
    assert [one["imageTags"] for one in shown] == [[good.rsplit(":", 1)[-1]]]
    with pytest.raises(NotThere, match=r"1\.9\.O"):
        ask(made, "ecr", "DescribeImages", repositoryName="web", imageIds=[{"imageTag": "1.9.O"}])
    repositories = ask(made, "ecr", "DescribeRepositories")["repositories"]
    assert f"{registry}/web" in {one["repositoryUri"] for one in repositories}
