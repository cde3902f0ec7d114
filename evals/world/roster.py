"""The scheduler of an ECS service: which tasks there are at each moment, and what it says about them.

From the ECS developer guide: a rolling update starts up to maximumPercent and keeps minimumHealthyPercent of the
desired tasks ("Rolling update"); a task that fails its load balancer's checks is replaced, the replacement first where
maximumPercent allows it; when that is unhealthy too, one of both is stopped; starts are spaced out when tasks fail
again and again before they run ("Service throttle logic", at most 15 minutes apart); the circuit breaker fails a
deployment after half the desired count of failed tasks, 3 to 200 ("Deployment circuit breaker"). A task that stops by
the scheduler is deregistered first and drained for the target group's deregistration delay.

Nothing here depends on the load, so that the past can be asked in any order.
"""

from __future__ import annotations

from bisect import bisect_right, insort
from collections.abc import Iterator
from dataclasses import dataclass, field
from math import ceil, floor
from typing import NamedTuple

from evals.world import health
from evals.world.roster_plan import Plan
from evals.world.roster_task import NEVER, Deployment, Task
from evals.world.seed import mix

_TICK = 5
_LONGEST_HOLD = 900.0
_PULL_TRIES = 3


class Seen(NamedTuple):
    """What a load balancer finds between two moves: tasks that get requests, and how many targets are how."""

    receiving: tuple[Task, ...]
    up: tuple[Task, ...]  # of these, those whose program answers
    registered: int
    healthy: int
    unhealthy: int
    running: int
    pending: int


@dataclass
class Roster:
    """All tasks of one service. `plan` reads the settings; `begin` is an epoch second at which all is steady."""

    plan: Plan
    begin: float
    tasks: list[Task] = field(default_factory=list)
    deployments: list[Deployment] = field(default_factory=list)
    events: list[tuple[float, str]] = field(default_factory=list)
    moves: list[float] = field(default_factory=list)  # when something changes for those who ask
    now: float = 0.0
    _open: list[Task] = field(default_factory=list)  # tasks that have not stopped
    _settled: bool = True
    _steady: bool = True  # whether "has reached a steady state" was said
    _fails: int = 0
    _hold: float = 0.0
    _seen: dict[int, Seen] = field(default_factory=dict)

    def __post_init__(self) -> None:
        plan, self.now = self.plan, self.begin
        definition, since = plan.definition(self.begin), plan.steady_since(self.begin)
        first = Deployment(0, plan.deployment_id(0, since), definition, since, state="COMPLETED")
        first.finished = since + 140
        self.deployments.append(first)
        for index in range(plan.desired(self.begin)):
            task = self._made(first, since + 3 + index % 2)
            task.started = task.pulled + 4
            task.listening = task.started + plan.boot(task.definition)
            fate = plan.fate(task.definition, task.started, self.begin)
            task.fate, task.ends = fate, _later(task.started, fate.after)
            if task.ends <= self.begin:  # a leak: it has been replaced since then, at some moment
                round_trip = fate.after + 60
                task.started += round_trip * floor((self.begin - task.started) / round_trip)
                task.listening, task.ends = task.started, task.started + fate.after
                task.created = task.pulling = task.pulled = task.started - 40
            if plan.groups:
                task.health = health.sound(task.listening, self.begin + mix(plan.salt, index) % 20)
        self._settled = all(task.ends == NEVER for task in self.tasks)

    # -- asking -----------------------------------------------------------------------------------

    def advance(self, until: float) -> None:
        """Let the scheduler work up to an epoch second."""
        while self.now < until:
            following = self._next()
            if following > until:
                self.now = until
                return
            self.now = following
            self._step()

    def seen(self, second: float) -> Seen:
        """What there is at an epoch second."""
        self.advance(second)
        index = bisect_right(self.moves, second)
        found = self._seen.get(index)
        if found is None:
            found = self._seen[index] = self._look(self.moves[index - 1] if index else self.begin)
        return found

    def moves_in(self, start: float, end: float) -> bool:
        """Whether something changes in [start, end)."""
        self.advance(end)
        return bisect_right(self.moves, end - 0.5) > bisect_right(self.moves, start - 0.5)

    def _look(self, second: float) -> Seen:
        tasks = [one for one in self.tasks if one.created <= second < one.stopped or one.registered(second)]
        running = [one for one in tasks if one.running(second)]
        pending = sum(one.created <= second < one.started and one.stopping > second for one in tasks)
        if not self.plan.groups:
            up = tuple(one for one in running if one.up(second) and second < one.stopping)
            return Seen(up, up, len(up), len(up), 0, len(running), pending)
        held = [one for one in tasks if one.registered(second)]
        states = [one.health.state(second) if one.health else "" for one in held]
        healthy = [one for one, state in zip(held, states, strict=True) if state == "healthy"]
        receiving = tuple(healthy or held)  # none healthy: all get requests
        up = tuple(one for one in receiving if one.up(second))
        return Seen(receiving, up, len(held), len(healthy), states.count("unhealthy"), len(running), pending)

    def active(self, second: float) -> list[Deployment]:
        """Deployments that DescribeServices lists at an epoch second, newest first."""
        self.advance(second)
        return [one for one in reversed(self.deployments) if one.created <= second < one.retired]

    # -- the work ---------------------------------------------------------------------------------

    def _next(self) -> float:
        change = self.plan.next_change(self.now)
        if self._settled:
            return change
        tick = self.now + _TICK - self.now % _TICK
        return min([change, tick, *(one.next(self.now) for one in self._open)])

    def _step(self) -> None:
        now = self.now
        changed = self.plan.changes_at(now)
        if changed:
            self._wake()
        self._open = [one for one in self._open if one.stopped >= now]
        for task in self._open:
            self._live(task)
        if now % _TICK == 0 or changed:
            self._schedule()
            self._settled = self._is_settled()

    def _wake(self) -> None:
        """A setting changed: checks are looked at again, and whether programs still bear it."""
        interval = health.rules(self.plan.groups[0], self.now).interval if self.plan.groups else 30
        for task in self._open:
            if task.health is not None and task.health.next == NEVER:
                task.health.next = self.now + 1 + mix(self.plan.salt, task.number, 7) % interval
            if task.live and task.started < self.now < task.ends:
                fate = self.plan.fate(task.definition, task.started, self.now)
                if fate.starts and fate != task.fate:
                    task.fate, task.ends = fate, _later(self.now, fate.after)
        self._settled = False

    def _move(self, second: float) -> None:
        insort(self.moves, second)

    def _live(self, task: Task) -> None:
        now, plan = self.now, self.plan
        if task.started == NEVER and task.live and now >= task.pulled:
            task.fate = plan.fate(task.definition, now)
            if task.fate.starts:
                task.started = now
                task.listening = now + plan.boot(task.definition)
                task.ends = _later(now, task.fate.after)
                if plan.groups:
                    task.health = health.registered(now + 1, 10, 3 + mix(plan.salt, task.number, 5) % 7)
                    self._say(f"registered 1 targets in (target-group {plan.groups[0].arn})")
                self._move(now)
                self._move(now + 1)
            else:
                self._end(task, now)
        if now in (task.listening, task.ends, task.stopped):
            self._move(now)
        if task.live and task.started < now and task.ends <= now - 4:
            self._end(task, now)
        held = task.health
        if held is not None and held.next <= now < task.deregistered:
            self._check(task, held)

    def _check(self, task: Task, held: health.Health) -> None:
        plan = self.plan
        how = health.rules(plan.groups[0], held.next)
        verdict = how.verdict(plan.app(task), plan.port, held.next)
        if held.note(verdict, how):
            self._move(self.now)
            self._settled = False
            if not verdict.passed:
                self._say(
                    f"(task {task.id}) (port {plan.port}) is unhealthy in (target-group {plan.groups[0].arn}) "
                    f"due to (reason {verdict.said})"
                )

    def _end(self, task: Task, now: float) -> None:
        """Its program, or its start, has ended by itself."""
        fate = task.fate
        task.stop_code, task.reason, task.container = fate.stop_code, fate.reason, fate.container
        task.exit_code = fate.exit_code
        task.stopping, task.stopped, task.deregistered = now, now + 2, min(task.deregistered, now)
        self._move(now)
        self._settled = False
        self._count_failure(task, started=fate.starts)

    def _count_failure(self, task: Task, *, started: bool) -> None:
        held = self.deployments[task.deployment]
        held.failed += 1
        if held.rollout(self.now) == "IN_PROGRESS":
            held.counted += 1
        self._fails = 0 if started else self._fails + 1
        desired = max(1, self.plan.desired(self.now))
        rounds = self._fails // desired
        if rounds > _PULL_TRIES:
            self._hold = self.now + min(_LONGEST_HOLD, 15.0 * 2 ** (rounds - _PULL_TRIES))
            if self._fails % desired == 0:
                self._say("is unable to consistently start tasks successfully.")

    def _schedule(self) -> None:
        self._deploy()
        self._mark()
        desired, (low, high) = self.plan.desired(self.now), self.plan.bounds(self.now)
        live = [one for one in self._open if one.live]
        self._stop(live, desired, ceil(desired * low / 100))
        live = [one for one in live if one.live]
        self._start(live, desired, max(desired, floor(desired * high / 100)))
        self._finish(desired)

    def _deploy(self) -> None:
        """A new deployment when the revision or the network changed, or one was forced."""
        wanted, last = self.plan.definition(self.now), self.deployments[-1]
        forced = self.plan.forced(last.created, self.now)
        if wanted != last.definition or forced:
            self._new_deployment(wanted, "")
            return
        breaker = self.plan.breaker(self.now)
        if breaker and last.rollout(self.now) == "IN_PROGRESS" and last.counted >= self.threshold(self.now):
            last.state, last.finished = "FAILED", self.now
            self._say(f"(deployment {last.id}) deployment failed: tasks failed to start.")
            good = next((one for one in reversed(self.deployments) if one.state == "COMPLETED"), None)
            if breaker == "rollback" and good is not None and last.cause == "":
                self.plan.roll_back(self.now, good.definition)
                made = self._new_deployment(good.definition, "rollback")
                self._say(f"rolling back to (deployment {made.id}).")

    def threshold(self, second: float) -> int:
        return min(200, max(3, ceil(self.plan.desired(second) / 2)))

    def _new_deployment(self, definition: str, cause: str) -> Deployment:
        number = len(self.deployments)
        made = Deployment(number, self.plan.deployment_id(number, self.now), definition, self.now, cause)
        self.deployments.append(made)
        self._steady = False
        self._fails, self._hold = 0, 0.0
        return made

    def _mark(self) -> None:
        """Tasks that fail their checks, their grace period over."""
        grace = self.plan.grace(self.now)
        for task in self._open:
            bad = task.health is not None and task.health.now == "unhealthy"
            if task.live and bad and not task.marked and self.now >= task.started + grace:
                task.marked = True
                self._count_failure(task, started=True)
            elif task.marked and not bad:
                task.marked = False

    def _ready(self, task: Task) -> bool:
        if task.health is not None:
            return task.health.now == "healthy" and task.up(self.now)
        return task.up(self.now)

    def _stop(self, live: list[Task], desired: int, low: int) -> None:
        current = len(self.deployments) - 1
        new = [one for one in live if one.deployment == current and not one.marked]
        ready = [one for one in live if self._ready(one)]
        surplus = sorted(new, key=lambda one: (self._ready(one), -one.number))[: max(0, len(new) - desired)]
        for task in surplus:
            self._end_by_scheduler(task, "")
        spare = len([one for one in ready if one.live]) - low
        old = [one for one in live if one.live and one.deployment != current]
        left = len([one for one in new if one.live])
        for task in old:
            ok = self._ready(task)
            if len(ready) >= low and (not ok or spare > 0) and (left >= desired or low < desired):
                self._end_by_scheduler(task, "elb" if task.marked else "")
                spare -= 1 if ok else 0
        marked = [one for one in live if one.live and one.marked]
        settled = [one for one in live if one.live and (one.marked or self._ready(one))]
        many = len(settled) - desired
        for task in sorted(marked, key=lambda one: mix(self.plan.salt, one.number, 17))[: max(0, many)]:
            self._end_by_scheduler(task, "elb")
        high = max(desired, floor(desired * self.plan.bounds(self.now)[1] / 100))
        if marked and many <= 0 and len([one for one in live if one.live]) >= high:
            self._end_by_scheduler(marked[0], "elb")

    def _start(self, live: list[Task], desired: int, high: int) -> None:
        current = self.deployments[-1]
        if self.now < self._hold or (current.state == "FAILED" and current.finished <= self.now):
            return
        new = [one for one in live if one.deployment == current.number and not one.marked]
        many = min(desired - len(new), high - len(live))
        made = [self._made(current, self.now) for _ in range(max(0, many))]
        if made:
            named = " ".join(f"(task {one.id})" for one in made)
            self._say(f"has started {len(made)} tasks: {named}.")
            self._steady = False
            self._move(self.now)

    def _made(self, deployment: Deployment, created: float) -> Task:
        number, plan = len(self.tasks), self.plan
        salt = mix(plan.salt, number, 3)
        pulling = created + 12 + salt % 10
        task = Task(
            number=number,
            id=plan.task_id(number),
            address=plan.address(number),
            zone=plan.zone(number),
            definition=deployment.definition,
            deployment=deployment.number,
            created=created,
            pulling=pulling,
            pulled=pulling + 8 + salt // 16 % 12,
        )
        self.tasks.append(task)
        self._open.append(task)
        return task

    def _end_by_scheduler(self, task: Task, why: str) -> None:
        now, plan = self.now, self.plan
        held = self.deployments[task.deployment if why else -1]
        drained = plan.drain(now) if task.health is not None and task.deregistered == NEVER else 0
        task.stopping = now
        task.stopped = now + (drained + 4 if task.started <= now else 3)
        task.deregistered = min(task.deregistered, now)
        task.stop_code = "ServiceSchedulerInitiated"
        task.exit_code = 0 if task.started <= now else None
        task.reason = f"Scaling activity initiated by (deployment {held.id})"
        if why == "elb":
            task.reason = f"Task failed ELB health checks in (target-group {plan.groups[0].arn})"
        self._say(f"has stopped 1 running tasks: (task {task.id}).")
        if task.health is not None:
            self._say(f"deregistered 1 targets in (target-group {plan.groups[0].arn})")
            self._say("has begun draining connections on 1 tasks.")
        self._steady = False
        self._move(now)

    def _finish(self, desired: int) -> None:
        current = self.deployments[-1]
        live = [one for one in self._open if one.live]
        good = [one for one in live if one.deployment == current.number and self._ready(one)]
        if len(good) != desired or len(live) != desired:
            return
        if current.rollout(self.now) == "IN_PROGRESS":
            current.state, current.finished = "COMPLETED", self.now
            current.counted = 0
            self._say(f"(deployment {current.id}) deployment completed.")
            for one in self.deployments[:-1]:
                one.retired = min(one.retired, self.now)
        if not self._steady:
            self._steady = True
            self._say("has reached a steady state.")

    def _is_settled(self) -> bool:
        """Whether nothing happens any more until a setting changes."""
        if self.deployments[-1].rollout(self.now) == "IN_PROGRESS" or not self._steady:
            return False
        if any(one.ends != NEVER or not self._ready(one) for one in self._open if one.live):
            return False
        if any(self.now < one.stopped < NEVER for one in self._open):
            return False
        if not self.plan.groups:
            return True
        how = health.rules(self.plan.groups[0], self.now)
        app = self.plan.app
        live = [one for one in self._open if one.live]
        if not all(how.verdict(app(one), self.plan.port, self.now).passed for one in live):
            return False
        for one in live:  # checks go on, unseen: the next one after a change comes within the interval
            if one.health is not None:
                one.health.next = NEVER
        return True

    def _say(self, text: str) -> None:
        self.events.append((self.now, f"(service {self.plan.service.name}) {text}"))

    def stopped(self, second: float, kept: float) -> Iterator[Task]:
        """Tasks that stopped in the last `kept` seconds."""
        return (one for one in self.tasks if second - kept < one.stopped <= second)


def _later(second: float, after: float) -> float:
    return NEVER if after == NEVER else second + after
