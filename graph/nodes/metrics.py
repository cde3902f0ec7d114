"""What moved: every metric worth reading of the near resources, before and since the onset."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from langgraph.runtime import Runtime

from graph.context import Context
from graph.desk import Desk, desk
from graph.facts import Facts, SettingStep
from graph.finer import finer
from graph.loads import Read, measured, windows
from graph.models import MeasuredContribution, MetricFinding
from graph.places import apart
from graph.refuting import Question
from graph.state import Measures, State, load
from tools.catalogue import services
from tools.clock import ceil, floor
from tools.metrics import cite_series, series, steps
from tools.models import Metric, Resource, Series, Window
from tools.onset import onset
from tools.services._spec import MetricSpec, Setting
from tools.shift import changed, used_up

BASELINE = timedelta(hours=1)
SOONER = timedelta(minutes=15)
"""How long before the symptom another metric may have begun to move, if it was not all the time."""
FLOWING = timedelta(minutes=10)
TAKING_EFFECT = timedelta(seconds=60)
"""A setting is in force only some time after it was asked for (a table is UPDATING meanwhile), so its metric may step
up to this long after the call."""
RUN_OUT = timedelta(minutes=30), timedelta(minutes=10)
"""How long before and after the onset a store may have run out to be what began then."""
SETTING_HOURS = 6
"""How far before the onset a setting's own metric is read for a step."""


def metrics(state: State, *, runtime: Runtime[Context]) -> Measures | dict[str, object]:
    """Read all metrics of the near resources in one batch, and the settings' own metrics over a longer time."""
    if "metrics" not in state["tasks"]:
        return {}
    with desk(state, runtime, "metrics") as work:
        facts = Facts.of(state)
        asked = load(Question, state["question"]) if state.get("question") else None
        sooner = finer(work, facts) if asked is not None and asked.finer else None
        facts = replace(facts, incident=sooner) if sooner is not None else facts
        begin = facts.onset.earliest if facts.onset else facts.as_of - BASELINE
        shown: list[Read] = []
        found = list(_findings(work, facts, begin, shown))
        stepped = list(_steps(work, facts, begin))
        if not found and facts.metrics:
            return {**work.findings()}  # refused or over budget: what an earlier look saw stays
        moved = [item for item in found if item.moved]
        work.tell(
            "observation",
            "{moved} of {all} metrics moved.",
            moved=len(moved),
            all=len(found),
            evidence=[one for item in moved for one in item.evidence],
        )
        made = Measures(
            metrics=[item.model_dump(mode="json") for item in found],
            steps=[item.model_dump(mode="json") for item in stepped],
            contributions=[item.model_dump(mode="json") for item in _contributions(facts, begin, shown)],
            **work.findings(),
        )
        return {**made, "incident": sooner.model_dump(mode="json")} if sooner is not None else made


def _wanted(facts: Facts) -> Iterator[tuple[Resource, MetricSpec, Metric]]:
    for resource in facts.resources:
        service = services().get(resource.service)
        for spec in service.metrics if service is not None else ():
            if spec.type != resource.type or spec.role == "setting" or not _has(resource, spec):
                continue
            if service is not None and service.dimensions_of(spec, resource):
                yield resource, spec, metric_of(resource, spec)


def _has(resource: Resource, spec: MetricSpec) -> bool:
    return spec.where is None or spec.where(resource)


def metric_of(resource: Resource, spec: MetricSpec) -> Metric:
    """The CloudWatch series of this resource that the spec means."""
    service = services()[resource.service]
    return Metric(
        namespace=service.namespace_of(spec),
        name=spec.name,
        dimensions=service.dimensions_of(spec, resource),
        stat=spec.stat,
        period=spec.period,
    )


def _findings(work: Desk, facts: Facts, begin: datetime, seen: list[Read]) -> Iterator[MetricFinding]:
    """Every metric that shows something; `seen` gets its series."""
    wanted = list(_wanted(facts))
    window = Window(start=floor(begin - BASELINE, 300), end=facts.as_of)
    read = _read(work, facts, [(one, metric) for one, _, metric in wanted], window)
    end = _published(read.values(), facts.as_of)
    for resource, spec, metric in wanted:
        shown = read.get((resource.arn, metric))
        if shown is not None and (shown.points or spec.missing == "zero"):
            made = _finding(work, facts, resource, spec, shown, Window(start=begin, end=end))
            seen.append(Read(resource=resource.arn, spec=spec, series=shown, evidence=made.evidence[0]))
            yield made


def _contributions(facts: Facts, begin: datetime, seen: Sequence[Read]) -> tuple[MeasuredContribution, ...]:
    ended = facts.onset.ended if facts.onset is not None else None
    end = min(_published([one.series for one in seen], facts.as_of), ended or facts.as_of)
    before, since = windows(begin, end, BASELINE)
    return measured(facts.topology, facts.incident.resource, facts.incident.role, seen, before, since)


def _read(
    work: Desk,
    facts: Facts,
    wanted: Sequence[tuple[Resource, Metric]],
    window: Window,
    what: tuple[str, str] = ("metrics", "what moved with the symptom"),
) -> dict[tuple[str, Metric], Series]:
    """The series by the ARN that they are of, each read in its account and region: names repeat between these."""
    places: dict[tuple[str, str] | None, list[tuple[Resource, Metric]]] = {None: []}
    for resource, metric in wanted:
        places.setdefault(apart(facts, resource), []).append((resource, metric))
    found: dict[tuple[str, Metric], Series] = {}
    for place, there in places.items():
        told = what[0] if place is None else f"{what[0]} of account {place[0]} in {place[1]}"
        with work.reader.seeing(told, what[1]):
            reader = work.reader if place is None else work.reader.at(*place)
            read = series(reader, [metric for _, metric in there], window)
            found |= {(one.arn, metric): read[metric] for one, metric in there if metric in read}
    return found


def _published(read: Iterable[Series], as_of: datetime) -> datetime:
    """Up to when all metrics that still flow are there: services publish with different delays, and sums over
    different times would not add up."""
    ends = [
        one.points[-1][0] + timedelta(seconds=one.metric.period)
        for one in read
        if one.points and one.points[-1][0] > as_of - FLOWING and one.metric.period == 60
    ]
    return min(ends, default=as_of)


def _finding(
    work: Desk, facts: Facts, resource: Resource, spec: MetricSpec, shown: Series, looked: Window
) -> MetricFinding:
    begin = looked.start
    start = floor(begin, spec.period)
    last = max((moment for moment, _ in shown.points), default=start)
    counts = spec.stat == "Sum"
    silent = counts and spec.missing == "idle" and spec.bad == "down" and last < looked.end - FLOWING
    end = floor(looked.end, spec.period)
    if not silent:
        end = min(end, max(ceil(begin, spec.period), last + timedelta(seconds=spec.period)))
    if facts.onset and facts.onset.ended:
        end = min(end, ceil(facts.onset.ended, spec.period))
    baseline, since = Window(start=shown.window.start, end=start), Window(start=start, end=max(end, start))
    missing = "zero" if counts and spec.missing == "idle" and spec.bad == "down" else spec.missing
    shift = changed(shown, baseline, since, spec.bad, missing=missing)
    ran_out = None
    if spec.end is not None and spec.bad:
        ran_out = used_up(shown, spec.end, Window(start=begin - RUN_OUT[0], end=begin + RUN_OUT[1]))
    moved = ran_out is not None or (shift is not None and shift.moved)
    total = sum(value for moment, value in shown.points if moment in since)
    return MetricFinding(
        resource=resource.arn,
        metric=shown.metric,
        role=spec.role,
        bad=spec.bad,
        unit=spec.unit,
        moved=moved,
        direction=spec.bad if ran_out is not None else shift.direction if shift is not None and moved else "",
        used_up=ran_out is not None,
        baseline=baseline,
        since=since,
        before=_level(shown, baseline, counts, spec),
        after=_level(shown, since, counts, spec),
        total=total if counts else None,
        onset=ran_out
        or (
            onset(shown, _about(shown, begin), bad=spec.bad, missing=spec.missing)
            if moved and spec.bad
            else None
        ),
        evidence=(cite_series(work.reader, shown),),
    )


def _about(shown: Series, begin: datetime) -> Window:
    """From shortly before the symptom: what came earlier tells what is normal."""
    return Window(start=max(shown.window.start, begin - SOONER), end=shown.window.end)


def _level(shown: Series, window: Window, counts: bool, spec: MetricSpec) -> float | None:
    values = [value for moment, value in shown.points if moment in window]
    if not values and (spec.missing != "zero" or not counts):
        return None
    if counts:
        return sum(values) / window.seconds if window.seconds else None
    return sum(values) / len(values)


def _steps(work: Desk, facts: Facts, begin: datetime) -> Iterator[SettingStep]:
    wanted: list[tuple[Resource, Setting, Metric]] = []
    for resource in facts.resources:
        for setting in facts.settings_of(resource):
            if setting.metric is not None and _has(resource, setting.metric):
                wanted.append((resource, setting, metric_of(resource, setting.metric)))
    window = Window(start=floor(begin - timedelta(hours=SETTING_HOURS), 300), end=facts.as_of)
    what = ("metrics of settings", "when and from what to what a limit changed")
    read = _read(work, facts, [(one, metric) for one, _, metric in wanted], window, what)
    for resource, setting, metric in wanted:
        shown = read.get((resource.arn, metric))
        found = steps(shown) if shown is not None else ()
        if shown is None or not found:
            continue
        cited = (cite_series(work.reader, shown),)
        for one in found:
            yield SettingStep(
                resource=resource.arn,
                setting=setting.path,
                step=replace(one, earliest=one.earliest - TAKING_EFFECT, evidence=cited),
            )
