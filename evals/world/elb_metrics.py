"""What Application Load Balancers emit (AWS/ApplicationELB), by LoadBalancer and by TargetGroup and LoadBalancer.

User guide, "CloudWatch metrics": counts only when they are not zero; hosts as long as targets are registered.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from evals.world.elb_stages import GroupStage
from evals.world.flow import Ending, Flow, Minute
from evals.world.metrics import Emit, count, duration, source, sparse
from evals.world.seed import mix
from evals.world.telemetry import Sample, Source, level
from evals.world.world import Thing

_NAMESPACE = "AWS/ApplicationELB"
_ELSEWHERE = "other targets"


def suffix(thing: Thing) -> str:
    """The part of an ARN that names a balancer or a target group in dimensions."""
    return suffix_of(thing.arn)


def suffix_of(arn: str) -> str:
    return arn.split(":", 5)[5].removeprefix("loadbalancer/") if arn else ""


def balancer_sources(balancer: Thing, flow: Flow | None) -> Iterator[Source]:
    """The metrics of a load balancer; the answers of its targets included."""
    if flow is None:
        return
    index, held = flow.stage(balancer.arn), {"LoadBalancer": suffix(balancer)}

    def made(name: str, value: Callable[[Minute], float], rare: bool = False) -> Source:
        when = sparse(flow) if rare else None
        return source(balancer, _NAMESPACE, name, held, "Count", count(flow, value), sparse=when)

    def asked(row: Minute) -> float:
        never = row.ended(since=index, reason="unreachable") + row.ended(since=index, reason="expired")
        return row.passages[index].arrived - never

    yield made("RequestCount", asked)
    yield made("HTTPCode_ELB_5XX_Count", lambda row: _own(row, index, 500, 599), rare=True)
    for code in (502, 503, 504):
        yield made(f"HTTPCode_ELB_{code}_Count", _by_code(index, code), rare=True)
    yield made("HTTPCode_ELB_4XX_Count", lambda row: _own(row, index, 400, 499), rare=True)
    fixed = "fixed response"
    yield made("HTTP_Fixed_Response_Count", lambda row: row.ended(since=index, reason=fixed), rare=True)
    broken = "ClientTLSNegotiationErrorCount"
    yield made(broken, lambda row: row.ended(since=index, reason="expired"), rare=True)
    yield made("RejectedConnectionCount", lambda row: 0.0, rare=True)
    yield made("NewConnectionCount", lambda row: round(asked(row) * 0.31))
    yield made("ActiveConnectionCount", lambda row: round(asked(row) * 0.42))
    yield made("ProcessedBytes", lambda row: asked(row) * 2_140)
    yield from _targets(balancer, flow, index, held)
    yield from _others(balancer, flow, index)


def _others(balancer: Thing, flow: Flow, index: int) -> Iterator[Source]:
    """The metrics of a target group beside the path of requests, to which its rules may lead them."""
    world = flow.stages[index].world
    passed = {stage.thing.arn for one in world.flows.values() for stage in one.stages}
    found = [
        one
        for one in world.of("target-group")
        if balancer.arn in one.fixed["balancers"] and one.arn not in passed
    ]
    if len(found) != 1:
        return  # of several, endings do not tell which one it was
    group = found[0]
    held = {"TargetGroup": suffix(group), "LoadBalancer": suffix(balancer)}
    hosts = max(1, len(group.fixed["targets"]))

    def answered(low: int, high: int) -> Callable[[Minute], float]:
        return lambda row: sum(
            one.many for one in row.endings if one.reason == _ELSEWHERE and low <= one.status <= high
        )

    def made(name: str, value: Callable[[Minute], float]) -> Source:
        return source(group, _NAMESPACE, name, held, "Count", count(flow, value), sparse=sparse(flow))

    yield made("RequestCount", lambda row: row.ended(since=index, reason=_ELSEWHERE))
    yield made("RequestCountPerTarget", lambda row: row.ended(since=index, reason=_ELSEWHERE) / hosts)
    for name, many in (("HealthyHostCount", hosts), ("UnHealthyHostCount", 0)):
        yield source(group, _NAMESPACE, name, held, "Count", _standing(float(many)))
    for digit in (2, 4, 5):
        yield made(f"HTTPCode_Target_{digit}XX_Count", answered(100 * digit, 100 * digit + 99))


def _standing(many: float) -> Emit:
    return lambda minute: level(many)


def _by_code(index: int, code: int) -> Callable[[Minute], float]:
    return lambda row: _own(row, index, code, code)


def group_sources(group: Thing, flow: Flow | None) -> Iterator[Source]:
    """The metrics of a target group behind its load balancer."""
    if flow is None:
        return
    index = flow.stage(group.arn)
    stage = flow.stages[index]
    assert isinstance(stage, GroupStage)
    balancers = [stage.world.things[arn] for arn in group.fixed.get("balancers", ())]
    if not balancers:
        return
    held = {"TargetGroup": suffix(group), "LoadBalancer": suffix(balancers[0])}

    def made(name: str, unit: str, emit: Emit) -> Source:
        return source(group, _NAMESPACE, name, held, unit, emit)

    yield made("RequestCount", "Count", count(flow, lambda row: float(row.passages[index].arrived)))
    yield made("RequestCountPerTarget", "Count", _per_target(stage, flow, index))
    yield made("HealthyHostCount", "Count", _hosts(stage, flow, healthy=True))
    yield made("UnHealthyHostCount", "Count", _hosts(stage, flow, healthy=False))
    yield from _targets(group, flow, index - 1, held)


def _mine(one: Ending, index: int) -> bool:
    """Whether the load balancer itself answered: at its own stage, on the way to a target, or for its web ACL."""
    if one.stage < index:
        return one.reason == "blocked"
    return one.stage <= index + 1 and one.reason != _ELSEWHERE


def _own(row: Minute, index: int, low: int, high: int) -> float:
    return sum(one.many for one in row.endings if _mine(one, index) and low <= one.status <= high)


def _answered(row: Minute, index: int, low: int, high: int, elsewhere: bool = True) -> float:
    """Requests that targets answered; `elsewhere`: those of other target groups too."""
    return sum(
        one.many
        for one in row.endings
        if one.stage >= index
        and not _mine(one, index)
        and low <= one.status <= high
        and (elsewhere or one.reason != _ELSEWHERE)
    )


def _targets(owner: Thing, flow: Flow, index: int, held: dict[str, str]) -> Iterator[Source]:
    salt, whole = flow.demand.salt, owner.kind == "load-balancer"
    clients = salt % 40  # of 10,000 requests, those that the program answers with a 4xx

    def bad(row: Minute) -> float:
        return row.alive * clients // 10_000 + _answered(row, index, 400, 499, whole)

    def good(row: Minute) -> float:
        return row.alive - row.alive * clients // 10_000

    def answered(minute: int) -> Sample | None:
        row = flow.minute(minute)
        made = duration(flow, row, index + 2, mix(salt, minute, 29), 2.0)
        return None if made is None else _seconds(made)

    def made(name: str, emit: Emit, unit: str = "Count", when: int | None = None) -> Source:
        return source(owner, _NAMESPACE, name, held, unit, emit, sparse=when)

    yield made("HTTPCode_Target_2XX_Count", count(flow, good))
    yield made("HTTPCode_Target_4XX_Count", count(flow, bad))
    yield made("HTTPCode_Target_5XX_Count", count(flow, lambda row: _answered(row, index, 500, 599, whole)))
    yield made("TargetResponseTime", answered, "Seconds")

    def refused(row: Minute) -> float:
        return sum(one.passages[index + 1].refused.get("connection", 0) for one in row.slices)

    yield made("TargetConnectionErrorCount", count(flow, refused), "Count", sparse(flow))


def _seconds(one: Sample) -> Sample:
    return Sample(one.samples, *(value / 1000 for value in one[1:]))


def _counts(stage: GroupStage, flow: Flow, minute: int) -> list[tuple[int, int]]:
    """(healthy, registered) at moments of a minute."""
    disturbed = flow.disturbed_from is not None and minute >= flow.disturbed_from
    service, found = stage.service, []
    # The end of the minute counts: what is out of order then is in that minute's maximum.
    for at in (2, 17, 32, 47, 59.5) if disturbed else (30,):
        second = minute * 60 + at
        if service is None:
            if disturbed:
                _, _, held, healthy, _ = stage.fixed.counts(second)
            else:
                held = healthy = max(1, len(stage.fixed.registered(second)))
            found.append((healthy, held))
        elif disturbed:
            seen = service.roster.seen(second)
            draining = any(one.deregistered <= second < one.stopped for one in service.roster.tasks)
            if seen.registered or draining:  # a group without targets says nothing
                found.append((seen.healthy, seen.healthy + seen.unhealthy))
        else:
            many = int(service.at("desiredCount", second) or 0)
            found.append((many, many))
    return found


def _hosts(stage: GroupStage, flow: Flow, *, healthy: bool) -> Emit:
    def emit(minute: int) -> Sample | None:
        found = [float(good if healthy else held - good) for good, held in _counts(stage, flow, minute)]
        if not found:
            return None
        mean = sum(found) / len(found)
        return Sample(len(found), sum(found), min(found), max(found), mean, max(found), max(found))

    return emit


def _per_target(stage: GroupStage, flow: Flow, index: int) -> Emit:
    def emit(minute: int) -> Sample | None:
        arrived = flow.minute(minute).passages[index].arrived
        found = _counts(stage, flow, minute)
        hosts = sum(good for good, _ in found) / max(1, len(found))
        if not arrived or not hosts:
            return None
        value = arrived / hosts
        return Sample(arrived, value, 0.0, 1.0, value / arrived, 1.0, 1.0)

    return emit
