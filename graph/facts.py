"""All that a run has seen so far, typed: the only input of weighing, which stays pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cached_property

from graph.models import Incident, MeasuredContribution, MetricFinding, Model
from graph.state import State, load, load_all
from graph.undoing.known import Known
from tools import topology as topologies
from tools.catalogue import find, owner_arn, services, signatures
from tools.directory import KnownResources
from tools.jobs import Job
from tools.models import (
    ChangeEvent,
    Gap,
    LogPattern,
    MetricStep,
    Onset,
    Relation,
    Resource,
    Value,
    Version,
    Window,
)
from tools.rates import Count, Verdict, judged
from tools.services._spec import Condition, Service, Setting, Signature
from tools.setting_values import as_value, of_resource
from tools.topology import Topology

LOGS_BEFORE = timedelta(hours=1)
"""How long before the onset log lines are counted, to tell what is new or louder since."""


class SettingStep(Model):
    """A setting's own metric stepped."""

    resource: str
    setting: str  # Setting.path
    step: MetricStep


@dataclass(frozen=True)
class Facts:
    """Typed view of the state."""

    incident: Incident
    as_of: datetime
    lookback: int = 2  # hours before the onset in which causes are sought
    resources: tuple[Resource, ...] = ()  # as they were described at the first look
    described: datetime | None = None
    relations: tuple[Relation, ...] = ()
    changes: tuple[ChangeEvent, ...] = ()
    denied: tuple[ChangeEvent, ...] = ()
    others: tuple[ChangeEvent, ...] = ()  # changes of what is not near, without what only tells of them
    aside: frozenset[str] = frozenset()  # ids of changes of other things in what led to the symptom
    versions: tuple[Version, ...] = ()
    histories: frozenset[str] = frozenset()  # ARNs of which all events of 90 days were asked
    questioned: frozenset[str] = frozenset()  # what was read, or tried, to tell rivals apart
    trail_visible: bool = True
    complete_until: datetime | None = None
    metrics: tuple[MetricFinding, ...] = ()
    steps: tuple[SettingStep, ...] = ()
    contributions: tuple[MeasuredContribution, ...] = ()  # the largest first
    patterns: tuple[LogPattern, ...] = ()
    log_window: Window | None = None
    log_groups: frozenset[str] = frozenset()  # that were read
    jobs: tuple[Job, ...] = ()
    gaps: tuple[Gap, ...] = field(default_factory=tuple)

    @staticmethod
    def of(state: State) -> Facts:
        until = state.get("complete_until")
        return Facts(
            incident=Incident.model_validate(state["incident"]),
            as_of=datetime.fromisoformat(state["as_of"]),
            lookback=state.get("lookback") or 2,
            resources=_with_parts(
                load_all(Resource, state.get("resources")), load_all(Resource, state.get("parts"))
            ),
            described=datetime.fromisoformat(state["started"]) if state.get("started") else None,
            relations=(
                *load_all(Relation, state.get("relations")),
                *load_all(Relation, state.get("formerly")),
            ),
            changes=load_all(ChangeEvent, state.get("changes")),
            denied=load_all(ChangeEvent, state.get("denied")),
            others=load_all(ChangeEvent, state.get("others")),
            aside=frozenset(state.get("aside") or ()),
            versions=load_all(Version, state.get("versions")),
            histories=frozenset(state.get("histories") or ()),
            questioned=frozenset(state.get("questioned") or ()),
            trail_visible=bool(state.get("trail_visible", True)),
            complete_until=datetime.fromisoformat(until) if until else None,
            metrics=load_all(MetricFinding, state.get("metrics")),
            steps=load_all(SettingStep, state.get("steps")),
            contributions=load_all(MeasuredContribution, state.get("contributions")),
            patterns=load_all(LogPattern, state.get("patterns")),
            log_window=load(Window, state["log_window"]) if state.get("log_window") else None,
            log_groups=frozenset(state.get("log_groups") or ()),
            jobs=load_all(Job, state.get("jobs")),
            gaps=tuple(load(Gap, gap) for gaps in (state.get("gaps") or {}).values() for gap in gaps),
        )

    @cached_property
    def directory(self) -> KnownResources:
        return KnownResources(self.resources)

    @cached_property
    def topology(self) -> Topology:
        return Topology(resources=self.resources, relations=self.relations)

    @cached_property
    def known(self) -> Known:
        """The changes as those see them who judge single events."""
        return Known(events=self.changes)

    @property
    def onset(self) -> Onset | None:
        return self.incident.onset

    @property
    def began(self) -> datetime:
        """When the trouble began at the earliest: the onset, else the moment the alarm turned red, else now."""
        if self.onset is not None:
            return self.onset.earliest
        alarm = self.incident.alarm
        return alarm.state_since if alarm is not None else self.as_of

    def resource(self, arn: str) -> Resource | None:
        return self.directory.by_arn(arn)

    def name(self, arn: str) -> str:
        found = self.resource(arn)
        return found.name if found else arn.rsplit(":", 1)[-1].rsplit("/", 1)[-1]

    def read_in(self, arn: str) -> tuple[str, ...]:
        """Evidence of the resource's configuration."""
        found = self.resource(arn)
        return found.evidence if found else ()

    def kind_word(self, arn: str) -> str:
        found = self.resource(arn)
        return found.type.replace("-", " ") if found else "resource"

    def setting(self, arn: str, path: str) -> Setting | None:
        found = self.resource(arn)
        if found is None:
            return None
        return next((item for item in self.settings_of(found) if item.path == path), None)

    def service(self, resource: Resource) -> Service | None:
        return services().get(resource.service)

    def settings_of(self, resource: Resource) -> tuple[Setting, ...]:
        known = self.service(resource)
        own = (one for one in known.settings if one.type == resource.type) if known else ()
        return tuple(of_resource(one, resource.arn) for one in own)

    def conditions_of(self, resource: Resource) -> tuple[Condition, ...]:
        known = self.service(resource)
        return tuple(one for one in known.conditions if one.type == resource.type) if known else ()

    def condition(self, arn: str, key: str) -> Condition | None:
        """The condition of this key that a resource may be in: services may use the same word for their own."""
        found = self.resource(arn)
        own = self.conditions_of(found) if found is not None else ()
        return next((one for one in own if one.key == key), None)

    def signature(self, pattern: LogPattern) -> Signature | None:
        """The error text that a pattern is, when a service file knows it; one that its own writer knows comes first."""
        if pattern not in self._signatures:
            writers = self._writers.get(pattern.log_group, frozenset())
            fits = [(service.name, one) for service, one in signatures() if _is(one, pattern)]
            own = [one for name, one in fits if one.own and name in writers]
            self._signatures[pattern] = next(iter((*own, *(one for _, one in fits if not one.own))), None)
        return self._signatures[pattern]

    @cached_property
    def _signatures(self) -> dict[LogPattern, Signature | None]:
        return {}

    @cached_property
    def _writers(self) -> dict[str, frozenset[str]]:
        """Log groups with the names of the services whose resources write there."""
        return {
            group: frozenset(one.service for arn in arns if (one := self.resource(arn)) is not None)
            for group, arns in self._writing.items()
        }

    def writers(self, log_group: str) -> tuple[str, ...]:
        """ARNs of the known resources that write to a log group."""
        return self._writing.get(log_group, ())

    @cached_property
    def _writing(self) -> dict[str, tuple[str, ...]]:
        found: dict[str, tuple[str, ...]] = {}
        for resource in self.resources:
            service = self.service(resource)
            for group in service.log_groups(resource) if service and service.log_groups else ():
                found[group] = (*found.get(group, ()), resource.arn)
        return found

    @cached_property
    def _ways(self) -> dict[tuple[str, ...], tuple[str, ...]]:
        return {}

    def holder(self, arn: str) -> str:
        """The known resource that a part belongs to (a stage's API, an alias's function); else the resource itself.

        Requests go to the whole, and metrics are the whole's.
        """
        owner = owner_arn(arn)
        return owner if owner != arn and self.resource(owner) is not None else arn

    def path(self, source: str, target: str) -> tuple[str, ...]:
        """The shortest way along relations, both ends included; empty when there is none."""
        key = ("path", source, target)
        if key not in self._ways:
            begin, end = self.holder(source), self.holder(target)
            found = topologies.paths(self.topology, begin, end)
            parts = ((source,) if begin != source else ()), ((target,) if end != target else ())
            self._ways[key] = (*parts[0], *found[0], *parts[1]) if found else ()
        return self._ways[key]

    def upstream(self, arn: str) -> tuple[str, ...]:
        """Those who rely on this resource, nearest first."""
        key = ("up", arn)
        if key not in self._ways:
            whole = self.holder(arn)
            above = topologies.upstream(self.topology, whole)
            self._ways[key] = above if whole == arn else (whole, *above)
        return self._ways[key]

    def callers(self, arn: str) -> tuple[str, ...]:
        """Those that fail when this resource does, nearest first; not those behind a queue or the like."""
        key = ("fail", arn)
        if key not in self._ways:
            whole = self.holder(arn)
            above = topologies.callers(self.topology, whole)
            self._ways[key] = above if whole == arn else (whole, *above)
        return self._ways[key]

    def downstream(self, arn: str) -> tuple[str, ...]:
        """Those that this resource relies on, nearest first."""
        key = ("down", arn)
        if key not in self._ways:
            self._ways[key] = topologies.downstream(self.topology, self.holder(arn))
        return self._ways[key]

    def louder(self, pattern: LogPattern) -> bool:
        """Whether lines of this pattern are new, or came clearly and at least twice as often since the onset."""
        if not pattern.after or pattern.is_new or self.log_window is None:
            return pattern.after > pattern.before
        verdict = self.compared(pattern)
        return verdict is not None and verdict.kind == "louder"

    def compared(self, pattern: LogPattern) -> Verdict | None:
        """How often its lines came since the onset against before; None when it is not known what was read."""
        return self._compared.get(pattern)

    @cached_property
    def _compared(self) -> dict[LogPattern, Verdict]:
        if self.log_window is None:
            return {}
        return dict(zip(self.patterns, compare(self.patterns, self.log_window.seconds), strict=True))

    def of_resource(self, arn: str) -> Iterator[MetricFinding]:
        return (item for item in self.metrics if item.resource == arn)

    def metric(self, arn: str, name: str) -> MetricFinding | None:
        return next((item for item in self.of_resource(arn) if item.metric.name == name), None)

    def role(self, arn: str, role: str) -> tuple[MetricFinding, ...]:
        return tuple(item for item in self.of_resource(arn) if item.role == role)

    def twins(self, arn: str, setting: Setting) -> tuple[Resource, ...]:
        """The other known resources on which AWS keeps a setting the same: replicas, one of which was named."""
        if not setting.replicated:
            return ()
        pairs = [(one.source, one.target) for one in self.relations if one.kind == setting.replicated]
        other = {b if a == arn else a for a, b in pairs if arn in (a, b)}
        return tuple(one for one in self.resources if one.arn in other)

    def current(self, arn: str, path: str) -> Value:
        """The value of a setting in the configuration as read in this run; lists and maps as JSON text."""
        found = self.resource(arn)
        return as_value(find(path, found.config)) if found else None


def compare(patterns: Sequence[LogPattern], seconds: float) -> tuple[Verdict, ...]:
    """Each pattern's lines in the `seconds` since the onset against those in `LOGS_BEFORE` before it.

    Lines since the onset that were not read are not guessed at: so louder is sure, gone only where all were read.
    """
    return judged(
        [
            Count(
                before=one.before,
                after=one.after,
                seconds_before=LOGS_BEFORE.total_seconds() * one.read_before,
                seconds_after=max(1.0, seconds),
            )
            for one in patterns
        ]
    )


def _with_parts(resources: tuple[Resource, ...], parts: tuple[Resource, ...]) -> tuple[Resource, ...]:
    known = {item.arn for item in resources}
    return (*resources, *(item for item in parts if item.arn not in known))


def _is(signature: Signature, pattern: LogPattern) -> bool:
    """By the reason where both name one, else by the text: codes are spelt otherwise in logs than in the API."""
    if signature.group and not re.search(signature.group, pattern.log_group):
        return False
    if signature.reason and signature.reason == pattern.reason:
        return True
    return re.search(signature.match, pattern.sample) is not None
