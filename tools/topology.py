"""The resources around a symptom and what depends on what, from configuration alone. No template is needed.

Starts at the symptom, lists what could be a neighbour, computes relations, keeps what is connected within a
radius, and reads the kept ones whole, which may show more neighbours; until nothing new appears.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import TYPE_CHECKING

from tools import arn as arns
from tools import catalogue
from tools.directory import KnownResources
from tools.errors import Refused
from tools.models import Metric, Relation, Resource
from tools.services._spec import Service

if TYPE_CHECKING:
    import networkx as nx

    from tools.aws import Reader

_NOT_REQUESTS = ("watches",)  # relations along which neither requests nor failures travel
_BOTH = ("scales",)  # what is scaled relies on what scales it, and so do those who call it
_OWN = frozenset({"set up by", "guarded by"})
_WAYS = ("in", "routed by", "filtered by", "routes to", "served by")
"""What the traffic of a subnet goes by: told with the subnet, for whoever lies in it hangs on all of it."""
_MOST_PATHS = 20
_MOST_ROLES = 20
_MOST_TAGGED = 4
_LONGEST_PATH = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class Topology:
    """Resources and relations around an incident, sorted. `truncated`: more were there than asked for."""

    resources: tuple[Resource, ...]
    relations: tuple[Relation, ...]
    truncated: bool = False

    def by_arn(self, arn: str) -> Resource | None:
        return next((one for one in self.resources if one.arn == arn), None)


class _Survey:
    """What is known while looking around. One per call of `around`."""

    def __init__(self, reader: Reader, start: Sequence[str], radius: int, most: int) -> None:
        self.reader = reader
        self.start = tuple(dict.fromkeys(start))
        self.radius = radius
        self.most = most
        self.known: dict[str, Resource] = {}
        self.read: set[str] = set()
        self.owned: dict[str, str] = {}  # ARN with the run's account -> the same thing's with its owner's
        self.truncated = False

    def describe(self, arn: str) -> None:
        """Read one resource whole, in its own account and region; what cannot be read stays as its ARN tells it."""
        self.read.add(arn)
        service = catalogue.service_of(arn)
        self.known.setdefault(arn, stub(arn, self.reader.aws.account))
        if service is None:
            return
        shows = ", ".join(read.shows for read in service.reads if not read.operation.startswith("List"))
        what = f"{service.title}: {self.known[arn].type} {self.known[arn].name}"
        with self.reader.seeing(what, shows):
            reader = self._inside(arn, service)
            found = service.describe(reader, arn)
            if found is None:
                return
            if found.account != self.known[arn].account and found.type in service.shared:
                self.owned[arn] = found.arn  # it is another account's, shared with this one
                del self.known[arn]
                self.read.add(found.arn)
                self.known[found.arn] = found
            else:
                self.known[arn] = found

    def _inside(self, arn: str, service: Service) -> Reader:
        """Who can read a resource. Raises Refused when its account is closed to the run, and shows it to nobody."""
        parts = arns.parse(arn)
        try:
            return self.reader.at(parts.account, parts.region)
        except Refused:
            if catalogue.type_of(arn) in service.shared:
                return self.reader
            raise

    def list_neighbours(self, regions: Iterable[str]) -> None:
        kinds = {catalogue.type_of(arn) for arn in self.start}
        for region in regions:
            for service in catalogue.services().values():
                if service.listed or kinds & set(service.listed_near):
                    self._list(service, region)

    def list_hinted(self, near: Iterable[str]) -> bool:
        """List what a near resource hints at: a stack by its tags, traces by its switch. Whether it did."""
        kinds = {catalogue.type_of(arn) for arn in self.start}
        shown = [self.known[arn] for arn in near if arn in self.known]
        found = False
        for service in catalogue.services().values():
            hinted = service.listed_for
            if hinted is None or service.listed or kinds & set(service.listed_near):
                continue
            for region in sorted({one.region for one in shown if one.region and hinted(one)}):
                self._list(service, region)
                found = True
            if found:
                self._read_tagged(service, shown)
        return found

    def _read_tagged(self, service: Service, near: Iterable[Resource]) -> None:
        """Read whole what the tags of near resources name: a listing of stacks does not tell what they manage."""
        told = {value for one in near for value in one.tags.values()}
        named = [
            one for one in self.known.values() if one.service == service.name and {one.arn, one.name} & told
        ]
        for one in sorted(named, key=lambda resource: resource.arn)[:_MOST_TAGGED]:
            if one.arn not in self.read:
                self.describe(one.arn)

    def _list(self, service: Service, region: str) -> None:
        shows = service.reads[0].shows
        with self.reader.seeing(f"{service.title} in {region}", f"{shows}, and so their relations"):
            for found in service.discover(self.reader, region):
                self.known.setdefault(found.arn, found)

    def relations(self) -> tuple[Relation, ...]:
        directory = KnownResources(self.known.values())
        found: list[Relation] = []
        for resource in directory.of():
            service = catalogue.services().get(resource.service)
            if service is not None:
                found.extend(service.relations(resource, directory))
        return merge(self._to_owners(found))

    def _to_owners(self, relations: Iterable[Relation]) -> Iterable[Relation]:
        """Ids of a network stand without an account: what is shared with the run's account is its owner's."""
        shared = dict(self.owned)
        own = self.reader.aws.own_account
        for one in self.known.values():
            service = catalogue.services().get(one.service)
            if one.account not in ("", own) and service is not None and one.type in service.shared:
                shared[one.arn.replace(f":{one.account}:", f":{own}:", 1)] = one.arn
        if not shared:
            return relations
        return [
            replace(
                one,
                source=shared.get(one.source, one.source),
                target=shared.get(one.target, one.target),
            )
            for one in relations
        ]

    def read_roles(self, relations: Iterable[Relation]) -> None:
        """Read what the listed functions run as: policies may name a symptom that no variable names."""
        self._read_told(relations, "runs as", "Policies of some roles", "roles are in use; the policies")

    def read_definitions(self, relations: Iterable[Relation]) -> None:
        """Read the definitions of the listed services: their variables may name a symptom."""
        self._read_told(relations, "uses definition", "Some task definitions", "are in use; the variables")

    def _read_told(self, relations: Iterable[Relation], kind: str, what: str, words: str) -> None:
        told = sorted({one.target for one in relations if one.kind == kind} - self.read)
        for arn in told[:_MOST_ROLES]:
            self.describe(arn)
        if len(told) > _MOST_ROLES:
            self.reader.missing(
                what,
                f"{len(told)} {words} of the first {_MOST_ROLES} were read.",
                "who else may use the resource",
                code="BudgetSpent",
            )

    def distances(self, relations: Iterable[Relation]) -> dict[str, int]:
        """Steps from the start to everything within the radius, against and along relations.

        Roles, log groups and alarms are shared by unrelated resources: they are reached, not gone through. A
        subnet is not gone through to others in it either, but its routes and rules are as near as itself. So are
        the groups that configure or guard a resource.
        """
        near: dict[str, set[str]] = {}
        onward: dict[str, set[str]] = {}
        for relation in relations:
            near.setdefault(relation.source, set()).add(relation.target)
            near.setdefault(relation.target, set()).add(relation.source)
            if relation.kind in _OWN or (relation.kind in _WAYS and _is_leaf(relation.source)):
                onward.setdefault(relation.source, set()).add(relation.target)
        found = dict.fromkeys(self.start, 0)
        ring = sorted(found)
        for step in range(1, self.radius + 1):
            through = [arn for arn in ring if arn in self.start or not _is_leaf(arn)]
            reached = {other for arn in through for other in near.get(arn, ())} - set(found)
            ring = sorted(_with_ways(reached, onward) - set(found))
            found.update(dict.fromkeys(ring, step))
        return found


def _with_ways(reached: set[str], onward: dict[str, set[str]]) -> set[str]:
    found, new = set(reached), set(reached)
    while new:
        new = {other for arn in new for other in onward.get(arn, ())} - found
        found |= new
    return found


def _is_leaf(arn: str) -> bool:
    service = catalogue.service_of(arn)
    return service is not None and service.types.get(catalogue.type_of(arn)) == "other"


def stub(arn: str, account: str = "") -> Resource:
    """A resource of which only the ARN is known."""
    parts = arns.parse(arn)
    service = catalogue.service_of(arn)
    return Resource(
        arn=arn,
        service=service.name if service else parts.service,
        type=catalogue.type_of(arn) or parts.type or parts.service,
        name=parts.name.rpartition("/")[2]
        if parts.service in ("iam", "apigateway", "autoscaling")
        else parts.name,
        account=parts.account or account,
        region=parts.region,
    )


def merge(relations: Iterable[Relation]) -> tuple[Relation, ...]:
    """Each relation once, the most certain with all provenances, sorted by source, target and kind."""
    found: dict[tuple[str, str, str], Relation] = {}
    for one in relations:
        key = (one.source, one.target, one.kind)
        before = found.get(key)
        if before is None:
            found[key] = one
            continue
        strong, weak = (before, one) if before.confidence >= one.confidence else (one, before)
        said = strong.provenance
        if weak.provenance not in said:
            said = f"{said}; {weak.provenance}"
        evidence = tuple(dict.fromkeys((*strong.evidence, *weak.evidence)))
        found[key] = replace(strong, provenance=said, evidence=evidence)
    return tuple(found[key] for key in sorted(found))


def around(reader: Reader, start: Sequence[str], *, radius: int = 3, most: int = 150) -> Topology:
    """The resources within `radius` relations of the ARNs in `start`, at most `most`, and their relations.

    What AWS refuses becomes a gap of the reader. Equal accounts give equal topologies.
    """
    survey = _Survey(reader, start, radius, most)
    for arn in survey.start:
        survey.describe(arn)
    regions = [arns.parse(arn).region for arn in survey.start if arns.is_arn(arn)]
    survey.list_neighbours(dict.fromkeys([region for region in regions if region] or [reader.region]))
    relations = survey.relations()
    if not any(one.target in survey.start and one.kind not in _NOT_REQUESTS for one in relations):
        survey.read_definitions(relations)
        relations = survey.relations()
        survey.read_roles(relations)
        relations = survey.relations()
    distance = survey.distances(relations)
    while todo := _unread(survey, distance):
        for arn in todo:
            survey.describe(arn)
        relations = survey.relations()
        distance = survey.distances(relations)
    if survey.list_hinted(distance):
        relations = survey.relations()
        distance = survey.distances(relations)
        for arn in _unread(survey, distance):
            survey.describe(arn)
        relations = survey.relations()
        distance = survey.distances(relations)
    return _cut(survey, relations, distance)


def _unread(survey: _Survey, distance: dict[str, int]) -> list[str]:
    """What is near and not yet read whole, nearest first, as far as `most` allows."""
    nearest = sorted(distance, key=lambda arn: (distance[arn], arn))[: survey.most]
    return [
        arn
        for arn in nearest
        if arn not in survey.read and arns.is_arn(arn) and not _is_complete(survey, arn)
    ]


def _is_complete(survey: _Survey, arn: str) -> bool:
    service = catalogue.service_of(arn)
    if service is None or catalogue.type_of(arn) in service.complete:
        survey.known.setdefault(arn, stub(arn, survey.reader.aws.account))
        return True
    return False


def _cut(survey: _Survey, relations: tuple[Relation, ...], distance: dict[str, int]) -> Topology:
    nearest = [arn for arn in sorted(distance, key=lambda arn: (distance[arn], arn)) if arn in survey.known]
    kept = set(nearest[: survey.most])
    truncated = len(nearest) > len(kept)
    if truncated:
        survey.reader.missing(
            "Some resources around the symptom",
            f"{len(nearest)} are within {survey.radius} relations; the nearest {survey.most} are shown.",
            "resources further away",
            code="BudgetSpent",
        )
    return Topology(
        resources=tuple(survey.known[arn] for arn in sorted(kept)),
        relations=tuple(one for one in relations if one.source in kept and one.target in kept),
        truncated=truncated,
    )


def owner(reader: Reader, metric: Metric, region: str = "") -> str:
    """ARN of the resource that a metric is about, or "". Lists the service's resources when it must."""
    place = region or reader.region
    if arn := catalogue.metric_owner(metric, place, reader.aws.account):
        return arn
    dimensions = dict(metric.dimensions)
    for service in catalogue.services().values():
        if metric.namespace not in service.namespaces or not service.dimensions or not dimensions:
            continue
        with reader.seeing(f"{service.title} in {place}", "which resource the alarm's metric is about"):
            found = KnownResources(service.discover(reader, place))
            if arn := found.measured(metric.namespace, dimensions, place):
                return arn
    return ""


# -- along relations -------------------------------------------------------------------------------


def _graph(topology: Topology) -> nx.DiGraph[str]:
    import networkx

    graph: nx.DiGraph[str] = networkx.DiGraph()
    graph.add_nodes_from(one.arn for one in topology.resources)
    for one in topology.relations:
        if one.kind not in _NOT_REQUESTS:
            best = max(one.confidence, graph.get_edge_data(one.source, one.target, {}).get("confidence", 0.0))
            graph.add_edge(one.source, one.target, confidence=best)
        if one.kind in _BOTH:
            graph.add_edge(one.target, one.source, confidence=one.confidence)
    return graph


def paths(topology: Topology, source: str, target: str) -> tuple[tuple[str, ...], ...]:
    """Paths of ARNs from `source` to `target` along requests, shortest first, then surest. At most 20."""
    import networkx

    graph = _graph(topology)
    if source not in graph or target not in graph:
        return ()
    if source == target:
        return ((source,),)
    found = [tuple(path) for path in networkx.all_simple_paths(graph, source, target, cutoff=_LONGEST_PATH)]

    def order(path: tuple[str, ...]) -> tuple[int, float, tuple[str, ...]]:
        certain = math.prod(graph.edges[pair]["confidence"] for pair in pairwise(path))
        return len(path), -certain, path

    return tuple(sorted(found, key=order)[:_MOST_PATHS])


_TAKES_IN = frozenset({"queue", "stream", "delivery-stream", "topic", "rule", "event-bus"})
"""Types that take a request in and pass it on later: whoever sent it does not learn how that ends."""


def upstream(topology: Topology, arn: str) -> tuple[str, ...]:
    """Those whose requests reach the resource, nearest first: failures of it travel to them."""
    return _reach(topology, arn, against=True)


def callers(topology: Topology, arn: str) -> tuple[str, ...]:
    """Those that fail when the resource does, nearest first: upstream, up to what takes requests in and keeps them."""
    found = {one.arn for one in topology.resources if one.type in _TAKES_IN and one.arn != arn}
    return _reach(topology, arn, against=True, last=found)


def downstream(topology: Topology, arn: str) -> tuple[str, ...]:
    """Those that the resource's requests reach, nearest first: silence of it travels to them."""
    return _reach(topology, arn, against=False)


def waits_for(topology: Topology, measured: Collection[str]) -> dict[str, tuple[str, ...]]:
    """By each measured resource, the next measured ones that it waits for; not through what takes requests in and keeps
    them. Resources that nobody measured (a mapping, a role, a listener) are gone through."""
    graph = _graph(topology)
    keeps = {one.arn for one in topology.resources if one.type in _TAKES_IN}
    found: dict[str, tuple[str, ...]] = {}
    for arn in sorted(set(measured) & set(graph)):
        seen = {arn}
        queue = sorted(graph.successors(arn)) if arn not in keeps else []
        nearest: dict[str, None] = {}
        for other in queue:
            if other in seen:
                continue
            seen.add(other)
            if other in measured:
                nearest[other] = None
            elif other not in keeps:
                queue.extend(sorted(graph.successors(other)))
        found[arn] = tuple(nearest)
    return found


def _reach(
    topology: Topology, arn: str, *, against: bool, last: Collection[str] = frozenset()
) -> tuple[str, ...]:
    """Resources by distance; those in `last` are reached, and nothing beyond them."""
    import networkx

    graph = _graph(topology)
    if arn not in graph:
        return ()
    way = graph.reverse() if against else graph
    way.remove_edges_from([edge for one in last if one in way for edge in way.edges(one)])
    lengths = networkx.single_source_shortest_path_length(way, arn)
    return tuple(
        sorted((other for other in lengths if other != arn), key=lambda other: (lengths[other], other))
    )
