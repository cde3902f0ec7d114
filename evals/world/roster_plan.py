"""What the scheduler of an ECS service reads: its settings over time, what a task of a revision meets, names."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cached_property
from ipaddress import ip_network
from typing import Any

from evals.world.admits import guards
from evals.world.grants import allows
from evals.world.kinds.vpc import blocked, no_way_out
from evals.world.roster_task import NEVER, Fate, Task
from evals.world.seed import mix
from evals.world.stage import moment, setting
from evals.world.world import Thing, World

_LAGS = (0, 3)  # seconds until changes of ACLs and of security groups take effect
CRASHED = "Essential container in task exited"
OOM = "OutOfMemoryError: Container killed due to memory usage"
_NETWORK = "networkConfiguration.awsvpcConfiguration."
_PULLS = {
    "not-found": (
        "CannotPullContainerError: pull image manifest has been retried 1 time(s): failed to resolve ref {image}: "
        "{image}: not found"
    ),
    "denied": (
        "ResourceInitializationError: unable to pull secrets or registry auth: execution resource retrieval failed: "
        "unable to retrieve ecr registry auth: service call has been retried 1 time(s): AccessDeniedException: User: "
        "{role} is not authorized to perform: ecr:GetAuthorizationToken on resource: * because no identity-based "
        "policy allows the ecr:GetAuthorizationToken action"
    ),
    "timeout": (
        "ResourceInitializationError: unable to pull secrets or registry auth: The task cannot pull registry auth "
        "from Amazon ECR: There is a connection issue between the task and Amazon ECR. Check your task network "
        "configuration. RequestError: send request failed caused by: Post "
        '"https://api.ecr.{region}.amazonaws.com/": dial tcp: i/o timeout'
    ),
}
_SECRET = (
    "ResourceInitializationError: unable to pull secrets or registry auth: execution resource retrieval failed: "
    "unable to retrieve secret from asm: service call has been retried 1 time(s): failed to fetch secret {arn} from "
    "secrets manager: AccessDeniedException: User: {role} is not authorized to perform: "
    "secretsmanager:GetSecretValue on resource: {arn} because no identity-based policy allows the "
    "secretsmanager:GetSecretValue action"
)


@dataclass(frozen=True, slots=True)
class TaskApp:
    """The program of one task, as a health check meets it."""

    plan: Plan
    task: Task

    def answers(self, path: str, port: int, second: float) -> int | str:
        plan = self.plan
        if not plan.admitted(port, second) or plan.at("_hung", second):
            return "timeout"
        if port != plan.port or not self.task.up(second):
            return "refused"
        bug = plan.trait(self.task.definition, "_bug", second) or {}
        if bug.get("at") == "check":
            return int(bug.get("status", 500))
        known = plan.service.fixed.get("health_path")
        return 200 if known in (None, path.split("?", 1)[0]) else 404


@dataclass
class Plan:
    """The settings of one service. `written` are steps that the scheduler wrote itself: (path, moment)."""

    world: World
    service: Thing
    begin: float
    written: list[tuple[str, Any]] = field(default_factory=list)
    _open: dict[tuple[int, ...], bool] = field(default_factory=dict)

    @cached_property
    def salt(self) -> int:
        return self.world.seed.salt(f"tasks:{self.service.name}")

    @property
    def port(self) -> int:
        return int(self.service.fixed["port"])

    @property
    def groups(self) -> list[Thing]:
        """The target groups that its tasks are registered with."""
        return [self.world.things[arn] for arn in self.service.fixed["groups"]]

    def at(self, path: str, second: float) -> Any:
        return setting(self.service, path, second)

    # -- settings ---------------------------------------------------------------------------------

    def definition(self, second: float) -> str:
        return str(self.at("taskDefinition", second))

    def desired(self, second: float) -> int:
        return int(self.at("desiredCount", second) or 0)

    def bounds(self, second: float) -> tuple[int, int]:
        """minimumHealthyPercent and maximumPercent."""
        low = self.at("deploymentConfiguration.minimumHealthyPercent", second)
        high = self.at("deploymentConfiguration.maximumPercent", second)
        return 100 if low is None else int(low), 200 if high is None else int(high)

    def breaker(self, second: float) -> str:
        """ "", "on" or "rollback"."""
        path = "deploymentConfiguration.deploymentCircuitBreaker."
        if not self.at(path + "enable", second):
            return ""
        return "rollback" if self.at(path + "rollback", second) else "on"

    def grace(self, second: float) -> int:
        return int(self.at("healthCheckGracePeriodSeconds", second) or 0)

    def drain(self, second: float) -> int:
        found = setting(self.groups[0], "Attributes.deregistration_delay.timeout_seconds", second)
        return int(300 if found is None else found)

    def forced(self, since: float, until: float) -> bool:
        """Whether a deployment was forced, or the network changed, after one began."""
        for path, steps in self.service.settings.steps.items():
            counts = path == "forceNewDeployment" or path.startswith(_NETWORK)
            if counts and any(since < one.timestamp() <= until for one in steps.since):
                return True
        return False

    def roll_back(self, second: float, definition: str) -> None:
        """The circuit breaker sets the revision back: no call does it, the description shows it."""
        when = moment(second)
        self.service.settings.set("taskDefinition", when, definition)
        self.written.append(("taskDefinition", when))

    # -- changes ----------------------------------------------------------------------------------

    def watched(self) -> Iterable[Thing]:
        """Resources whose settings decide over its tasks."""
        yield self.service
        for group in self.groups:
            yield group
            yield from self.balancers(group)
        yield from guards(self.world, self.service)
        for arn in self.service.fixed.get("subnets", ())[:1]:
            subnet = self.world.things[arn]
            yield from (self.world.things[subnet.fixed[one]] for one in ("acl", "table"))
        for balancer in {one.arn: one for group in self.groups for one in self.balancers(group)}.values():
            yield from guards(self.world, balancer)

    def balancers(self, group: Thing) -> list[Thing]:
        return [
            self.world.things[arn] for arn in group.fixed.get("balancers", ()) if arn in self.world.things
        ]

    def fingerprint(self) -> int:
        """How many steps the settings have that others wrote."""
        found = sum(len(steps.since) for thing in self.watched() for steps in thing.settings.steps.values())
        return found - len(self.written)

    @cached_property
    def _changes(self) -> list[float]:
        """When a setting changes, and when it takes effect."""
        own = {when for _, when in self.written}
        return sorted(
            {
                since.timestamp() + lag
                for thing in self.watched()
                for path, steps in thing.settings.steps.items()
                if not path.startswith("tags.")
                for since in steps.since
                for lag in _LAGS
                if since.timestamp() > self.begin and since not in own
            }
        )

    def next_change(self, second: float) -> float:
        index = bisect_right(self._changes, second)
        return self._changes[index] if index < len(self._changes) else NEVER

    def changes_at(self, second: float) -> bool:
        index = bisect_right(self._changes, second)
        return index > 0 and self._changes[index - 1] == second

    # -- a task -----------------------------------------------------------------------------------

    def trait(self, definition: str, path: str, second: float) -> Any:
        """A nature of the revision, else of the service."""
        found = setting(self.world.things[definition], path, second)
        return self.at(path, second) if found is None else found

    def boot(self, definition: str) -> int:
        return int(self.world.things[definition].fixed.get("boot", 9))

    def app(self, task: Task) -> TaskApp:
        return TaskApp(self, task)

    def admitted(self, port: int, second: float) -> bool:
        """Whether a load balancer reaches the tasks."""
        key = port, *(bisect_right(self._changes, second - lag) for lag in _LAGS)
        if key not in self._open:
            found = [one for group in self.groups for one in self.balancers(group)]
            self._open[key] = all(
                blocked(self.world, one, self.service, port, second) is None for one in found
            )
        return self._open[key]

    def missing(self, definition: str) -> str:
        """A variable of the environment that the program needs and the revision lacks; "" when there is none."""
        thing = self.world.things[definition]
        prefix = f"containerDefinitions.{thing.fixed['container']}."
        for name in self.service.fixed["names"]:
            held = thing.at(f"{prefix}environment.{name}", thing.created)
            if held is None and thing.at(f"{prefix}secrets.{name}", thing.created) is None:
                return str(name)
        return ""

    def fate(self, definition: str, started: float, now: float | None = None) -> Fate:
        """How a task of a revision ends that starts at a moment, or runs on from `now`."""
        if now is None and (stuck := self._stuck(definition, started)):
            return Fate(0.0, "TaskFailedToStart", stuck)
        bug = self.trait(definition, "_bug", now or started) or {}
        if now is None and (self.missing(definition) or bug.get("at") == "start"):
            return Fate(3.0 + started % 3, "EssentialContainerExited", CRASHED, "", 1)
        memory = int(self.world.things[definition].at("memory", self.world.things[definition].created) or 512)
        used = float(self.trait(definition, "_used_mb", now or started) or 0.45 * memory)
        after = NEVER
        if used > memory:
            after = 60.0 * memory / used + (self.boot(definition) if now is None else 0)
        elif leak := self.trait(definition, "_leak_mb_per_hour", now or started):
            after = 3600.0 * (memory - used) / float(leak)
        if after == NEVER:
            return Fate()
        return Fate(float(int(after)), "EssentialContainerExited", CRASHED, OOM, 137)

    def _stuck(self, definition: str, second: float) -> str:
        """Why a task of a revision does not even start; "" when it does."""
        thing = self.world.things[definition]
        prefix = f"containerDefinitions.{thing.fixed['container']}."
        role = self.world.things[thing.fixed["execution_role"]]
        session = f"arn:{self.world.partition}:sts::{self.world.account}:assumed-role/{role.name}/" + (
            self.world.seed.hex(f"session:{definition}:{int(second)}", 32)
        )
        for path, arn in thing.settings.under(prefix + "secrets", thing.created).items():
            if path and not allows(role, "secretsmanager:GetSecretValue", str(arn), second - 8):
                return _SECRET.format(arn=arn, role=session)
        pull = str(setting(thing, "_pull", second) or "")
        if not pull and not allows(role, "ecr:GetAuthorizationToken", "*", second - 8):
            pull = "denied"
        if not pull and no_way_out(self.world, self.service, second - 3) is not None:
            pull = "timeout"
        if not pull:
            return ""
        image = thing.at(prefix + "image", thing.created)
        return _PULLS[pull].format(image=image, role=session, region=self.world.region)

    # -- names ------------------------------------------------------------------------------------

    def steady_since(self, second: float) -> float:
        """When the tasks that run at an epoch second were started: after the last change of the revision."""
        steps = self.service.settings.steps["taskDefinition"]
        return max((one.timestamp() for one in steps.since if one.timestamp() <= second), default=second)

    def deployment_id(self, number: int, second: float) -> str:
        return f"ecs-svc/{mix(self.salt, number, int(second)) % 10**19:019d}"

    def task_id(self, number: int) -> str:
        return self.world.seed.hex(f"task:{self.service.name}:{number}", 32)

    def address(self, number: int) -> str:
        subnets = [self.world.things[arn] for arn in self.service.fixed["subnets"]]
        block = ip_network(str(subnets[number % len(subnets)].fixed["cidr"]))
        return str(block[4 + (self.salt + 37 * number) % (block.num_addresses - 6)])

    def zone(self, number: int) -> str:
        return f"{self.world.region}{'ac'[number % 2]}"
