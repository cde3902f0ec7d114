"""What the containers of a service write through awslogs: requests, starts, crashes, failed health checks."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

from evals.world import health
from evals.world.ecs_stage import ServiceStage
from evals.world.lines import Line, LogGroup, Mark
from evals.world.roster_task import NEVER, Task
from evals.world.stamps import iso
from evals.world.voices import PlainVoice
from evals.world.world import Thing


class _Beside(NamedTuple):
    """A line that belongs to no request."""

    offset: int  # milliseconds into the minute
    kind: str
    task: Task
    text: str


@dataclass
class TaskVoice(PlainVoice):
    """The program in the containers of one service."""

    service: Thing | None = None

    beside_kinds = ("boot", "crash", "probe")

    @property
    def _stage(self) -> ServiceStage:
        stage = self.flow.stages[self.stage]
        assert isinstance(stage, ServiceStage)
        return stage

    def lines(self, minute: int) -> list[_Beside]:
        """Lines of a minute besides requests, oldest first."""
        if self.flow.disturbed_from is None or minute < self.flow.disturbed_from:
            return []
        roster, start = self._stage.roster, minute * 60
        roster.advance(start + 60)
        found: list[_Beside] = []
        for task in roster.tasks:
            if task.started < start + 60 and task.stopped > start:
                found += self._of(task, start)
        return sorted(found, key=lambda one: (one.offset, one.task.number))

    def _of(self, task: Task, start: int) -> Iterable[_Beside]:
        def inside(second: float) -> bool:
            return start <= second < start + 60

        port = self._stage.roster.plan.port
        if inside(task.started):
            yield _Beside(_ms(task.started - start), "boot", task, "INFO {name} starting")
        if task.listening < task.ends and inside(task.listening):
            yield _Beside(
                _ms(task.listening - start), "boot", task, f"INFO {{name}} listening on 0.0.0.0:{port}"
            )
        if task.fate.exit_code == 1 and task.ends != NEVER and inside(task.ends):
            yield _Beside(_ms(task.ends - start), "crash", task, self._crash(task))
        yield from self._probes(task, start)

    def _crash(self, task: Task) -> str:
        plan = self._stage.roster.plan
        missing = plan.missing(task.definition)
        if missing:
            said = f"KeyError: '{missing}'"
        else:
            bug = plan.trait(task.definition, "_bug", task.started) or {}
            said = str(bug.get("text", "RuntimeError: could not start"))
        return (
            "Traceback (most recent call last):\n"
            '  File "/app/main.py", line 21, in <module>\n    settings = load_settings()\n' + said
        )

    def _probes(self, task: Task, start: int) -> Iterable[_Beside]:
        """Checks of the load balancer that its program answers with an error."""
        plan = self._stage.roster.plan
        if not plan.groups:
            return
        how = health.rules(plan.groups[0], start)
        app = plan.app(task)
        first = int(task.started + task.number * 7) % how.interval
        for second in range(start + (first - start) % how.interval, start + 60, how.interval):
            found = app.answers(how.path, plan.port, second) if task.registered(second) else ""
            if isinstance(found, int) and not health.matches(found, how.codes):
                text = f'WARN {{name}} "GET {how.path} HTTP/1.1" {found} "ELB-HealthChecker/2.0"'
                yield _Beside(_ms(second - start), "probe", task, text)

    def beside(self, group: LogGroup, minute: int) -> Iterable[tuple[int, str]]:
        return [(one.offset, one.kind) for one in self.lines(minute)]

    def text(self, group: LogGroup, minute: int, mark: Mark) -> str:
        if mark.request is not None:
            request = mark.request
            stage = self.flow.stages[request.stage]
            if request.reason == "denied":
                rid = group.request_id(minute, mark.number)
                said = stage.denial(mark.stamp / 1000)
                return f"{iso(mark.stamp)} ERROR {self.name} request_id={rid} duration_ms={request.duration} {said}"
            return super().text(group, minute, mark)
        said = self.lines(minute)[mark.number].text.replace("{name}", self.name)
        return said if mark.kind == "crash" else f"{iso(mark.stamp)} {said}"


def _ms(seconds: float) -> int:
    return min(59_999, int(seconds * 1000) + 137)


@dataclass
class TaskGroup(LogGroup):
    """The log group of a service: one stream per task, prefix/container/task."""

    def stream(self, minute: int, number: int) -> str:
        voice = self.voice
        assert isinstance(voice, TaskVoice)
        roster = voice._stage.roster
        tasks = roster.seen(minute * 60 + 30).up or tuple(roster.tasks[:1])
        name = tasks[number % len(tasks)].id if tasks else "none"
        return f"ecs/{voice.name}/{name}"

    def line(self, minute: int, mark: Mark) -> Line:
        """Lines besides requests are in the stream of their own task."""
        made = super().line(minute, mark)
        voice = self.voice
        if mark.request is not None or not isinstance(voice, TaskVoice):
            return made
        return made._replace(stream=f"ecs/{voice.name}/{voice.lines(minute)[mark.number].task.id}")
