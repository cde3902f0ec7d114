"""Words matched with alarm, resource, tag and host names found in scope. No model.

ARNs and hosts come first, then names, then tags, then the kind of symptom when the words say nothing else. A name must
be said whole: "order" is not "orders". A word such as "table" or "キュー" beside a name chooses between things of one
name, and rules out a thing of another kind. A red alarm on the thing that was named is the better start than the thing
itself. What fits no less than another is listed, never guessed.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Literal
from urllib.parse import urlsplit

from graph.moments import normal, plain
from graph.naming import Hit, Named, hits, kinds_said, nearest, roles_said, unknown
from graph.vocabulary import ORDINARY
from graph.words import say
from tools.alarms import find_alarms
from tools.arn import is_arn
from tools.aws import Reader
from tools.catalogue import services, type_of
from tools.directory import KnownResources
from tools.models import Alarm, Resource

_ARN = re.compile(r"arn:aws[a-z-]*:[!#-&*-;=?-~]+")
_URL = re.compile(
    r"(?:[a-z][a-z0-9+.-]*://)[!#-&*-;=?-~]+|[a-z0-9.-]+\.amazonaws\.com(?:\.cn)?[!#-&*-;=?-~]*", re.I
)
_MOST_LISTED = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """Something that the words may mean. `target`: alarm name or resource ARN."""

    kind: Literal["alarm", "resource"]
    name: str
    target: str

    @property
    def option(self) -> str:
        """What to type to mean just this."""
        return f'--{self.kind} "{self.target}"' if " " in self.target else f"--{self.kind} {self.target}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What the words may mean: one when they are clear, several when they are not, none with the nearest ones."""

    fits: tuple[Candidate, ...] = ()
    near: tuple[Candidate, ...] = ()


def candidates(reader: Reader, text: str) -> Found:
    """What the words may mean in the run's region, the same every time. What cannot be listed becomes a gap."""
    alarms: tuple[Alarm, ...] = ()
    with reader.seeing("alarms", "which alarm the words mean"):
        alarms = find_alarms(reader)
    resources = tuple(replace(one, tags={}) for one in _resources(reader))
    found = match(text, alarms, resources)
    if found.fits or not unknown(text):
        return found
    tags = _tags(reader)
    return match(text, alarms, [replace(one, tags=tags.get(one.arn, {})) for one in resources])


def _resources(reader: Reader) -> Iterator[Resource]:
    for service in services().values():
        if service.listed and "alarm" not in service.types:
            with reader.seeing(f"{service.title} in {reader.region}", "which resource the words mean"):
                yield from service.discover(reader, reader.region)


def _tags(reader: Reader) -> dict[str, dict[str, str]]:
    """All tags by ARN. Some listings tell tags, most do not: one tag would seem to be on one thing only."""
    tags: dict[str, dict[str, str]] = {}
    what = f"tags in {reader.region}"
    with reader.seeing(what, "which resource the words mean by a tag"):
        pages = reader.pages(
            "resourcegroupstaggingapi",
            "GetResources",
            "ResourceTagMappingList",
            token=("PaginationToken", "PaginationToken"),
            limit=20,
            ResourcesPerPage=100,
        )
        for one in pages.items:
            tags[one["ResourceARN"]] = {tag["Key"]: tag["Value"] for tag in one.get("Tags") or []}
        if not pages.complete:
            reader.missing(what, f"there are more than {len(tags)} tagged things", "others", code="TooMuch")
    return tags


def match(text: str, alarms: Sequence[Alarm], resources: Sequence[Resource]) -> Found:
    """Pure: what the words mean among these."""
    scope = _Scope(alarms=tuple(alarms), resources=tuple(resources))
    for means in (_by_arn, _by_host, _by_name, _by_tag, _by_symptom):
        if fits := means(text, scope):
            return Found(fits=fits)
    return Found(near=_near(text, scope))


@dataclass(frozen=True)
class _Scope:
    """The alarms and resources that words may mean."""

    alarms: tuple[Alarm, ...]
    resources: tuple[Resource, ...]
    _kept: dict[str, Candidate] = field(default_factory=dict)

    @cached_property
    def directory(self) -> KnownResources:
        return KnownResources(self.resources)

    @cached_property
    def watched(self) -> dict[str, str]:
        """Alarm ARN -> ARN of the resource that its metric is about, or ""."""
        return {
            one.arn: self.directory.measured(one.metric.namespace, dict(one.metric.dimensions), one.region)
            for one in self.alarms
        }

    @cached_property
    def all(self) -> dict[str, Candidate]:
        """Everything by ARN. Names that two things share are told apart by the end of the ARN."""
        made = {one.arn: Candidate(kind="alarm", name=one.name, target=one.name) for one in self.alarms}
        labels = [f"{one.type} {one.name}" for one in self.resources]
        for one, label in zip(self.resources, labels, strict=True):
            tail = f" ({re.split('[/:]', one.arn)[-1]})" if labels.count(label) > 1 else ""
            made[one.arn] = Candidate(kind="resource", name=label + tail, target=one.arn)
        return made

    def on(self, arn: str) -> list[Alarm]:
        return [one for one in self.alarms if self.watched[one.arn] == arn]

    def red(self, arns: Iterable[str]) -> list[Alarm]:
        """The red alarms on any of these."""
        wanted = set(arns)
        return [one for one in self.alarms if one.state == "ALARM" and self.watched[one.arn] in wanted]


def _by_arn(text: str, scope: _Scope) -> tuple[Candidate, ...]:
    """An ARN needs no search; whether it exists is seen when it is read."""
    shown = plain(text)
    known = [arn for arn in scope.all if arn in shown]
    if known:
        longest = [arn for arn in known if not any(arn != other and arn in other for other in known)]
        return _start(scope, longest, text)
    given = dict.fromkeys(found.rstrip(".,;:)") for found in _ARN.findall(shown))
    return tuple(
        Candidate(kind="alarm" if type_of(arn) == "alarm" else "resource", name=arn, target=arn)
        for arn in given
        if is_arn(arn)
    )


def _by_host(text: str, scope: _Scope) -> tuple[Candidate, ...]:
    arns: list[str] = []
    unlisted: list[Candidate] = []
    for url in _URL.findall(plain(text)):
        found = scope.directory.mentioned(url.rstrip(".,;:)"))
        host = _hostname(url)
        arns += [one.arn for one in found] or [one.arn for one in scope.resources if host in _hosts(one)]
        unlisted += [
            Candidate(kind="resource", name=f"{one.type} {one.name}", target=one.arn)
            for one in found
            if one.arn not in scope.all
        ]
    return (*_start(scope, [arn for arn in arns if arn in scope.all], text), *dict.fromkeys(unlisted))


def _hosts(resource: Resource) -> set[str]:
    said = (value for value in resource.config.values() if isinstance(value, str) and "." in value)
    return {_hostname(value) for value in said}


def _hostname(url: str) -> str:
    try:
        return urlsplit(url if "://" in url else f"//{url}").hostname or ""
    except ValueError:  # brackets where no address is
        return ""


def _by_name(text: str, scope: _Scope) -> tuple[Candidate, ...]:
    names = [Named(name=one.name, type="alarm", id=one.arn) for one in scope.alarms]
    names += [Named(name=one.name, type=one.type, id=one.arn) for one in scope.resources]
    names += [
        Named(name=str(one.config["Id"]), type=one.type, id=one.arn)
        for one in scope.resources
        if one.config.get("Id")
    ]
    return _chosen(hits(names, _URL.sub(" ", text)), scope, text)


def _by_tag(text: str, scope: _Scope) -> tuple[Candidate, ...]:
    names = [
        Named(name=value, type=one.type, id=one.arn)
        for one in scope.resources
        for value in one.tags.values()
        if normal(value) not in ORDINARY
    ]
    return _chosen(hits(names, _URL.sub(" ", text)), scope, text)


def _chosen(said: Sequence[Hit], scope: _Scope, text: str) -> tuple[Candidate, ...]:
    arns: list[str] = []
    kinds = kinds_said(text)
    for hit in said:
        if hit.weak:
            continue
        if "alarm" in hit.kinds and hit.named.type != "alarm":
            arns += [one.arn for one in scope.on(hit.named.id)]
        elif not hit.kinds:
            rivals = {one.named.type for one in said if (one.start, one.end) == (hit.start, hit.end)}
            if len(rivals) == 1 or not rivals & kinds or hit.named.type in kinds:
                arns.append(hit.named.id)
        elif hit.named.type in hit.kinds:
            arns.append(hit.named.id)
    return _start(scope, arns, text)


def _start(scope: _Scope, arns: Iterable[str], text: str) -> tuple[Candidate, ...]:
    """Where to start for the things that were named: a red alarm on them if there is just one."""
    named = list(dict.fromkeys(arns))
    alarms = [one.arn for one in scope.alarms if one.arn in named]
    if alarms:
        explained = {scope.watched[arn] for arn in alarms}
        named = [arn for arn in named if arn not in explained]
    else:
        red = scope.red(named)
        red = _of_role(red, roles_said(text)) or red
        named = [red[0].arn] if len(red) == 1 else named
    return tuple(scope.all[arn] for arn in sorted(named))


def _of_role(alarms: Iterable[Alarm], roles: frozenset[str]) -> list[Alarm]:
    return [one for one in alarms if roles & _roles(one)]


def _roles(alarm: Alarm) -> frozenset[str]:
    """What the alarm's metric says, by the service files, else by its name."""
    name = alarm.metric.name
    known = frozenset(
        spec.role
        for service in services().values()
        for spec in service.metrics
        if spec.name == name and service.namespace_of(spec) == alarm.metric.namespace
    )
    return known or roles_said(re.sub(r"(?<=[a-z0-9X])(?=[A-Z][a-z])", " ", name))


def _by_symptom(text: str, scope: _Scope) -> tuple[Candidate, ...]:
    """Words that say only what hurts mean the red alarms of this kind."""
    roles = roles_said(text)
    if not roles or unknown(text):
        return ()
    kinds = kinds_said(text) - {"alarm"}
    red = _of_role((one for one in scope.alarms if one.state == "ALARM"), roles)
    fits = [one.arn for one in red if not kinds or type_of(scope.watched[one.arn]) in kinds]
    return tuple(scope.all[arn] for arn in sorted(fits))


def _near(text: str, scope: _Scope) -> tuple[Candidate, ...]:
    """What was perhaps meant: things of another kind or with an ordinary name, then names that look alike."""
    names = {arn: one.name for arn, one in scope.all.items() if one.kind == "alarm"}
    names |= {one.arn: one.name for one in scope.resources}
    said = hits((Named(name=name, type=type_of(arn), id=arn) for arn, name in names.items()), text)
    arns = [hit.named.id for hit in said]
    for name in nearest(text, names.values()):
        arns += [arn for arn in sorted(names) if names[arn] == name]
    return tuple(scope.all[arn] for arn in list(dict.fromkeys(arns))[:3])


def several(found: Found) -> str:
    """The sentence for words that fit more than one thing."""
    listed = "; ".join(f"{one.option}  ({one.name})" for one in found.fits[:_MOST_LISTED])
    more = len(found.fits) - _MOST_LISTED
    return say(
        "Several fit. Repeat with one of: {listed}{more}",
        listed=listed,
        more=say("; and {count} more: say more of its name", count=more) if more > 0 else "",
    )


def unmatched(found: Found, text: str, region: str) -> str:
    """The sentence for words that fit nothing clearly."""
    near = "; ".join(f"{one.option}  ({one.name})" for one in found.near)
    return say(
        'No alarm or resource in {region} clearly matches "{text}". {near}'
        "Type the whole name of an alarm (--alarm NAME), the ARN of a resource (--resource ARN), "
        "or another region (--region REGION).",
        region=region,
        text=text,
        near=say("Nearest: {names}. ", names=near) if near else "",
    )
