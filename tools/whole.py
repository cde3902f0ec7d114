"""A whole account: everything that the service files list, read whole, with the relations among it.

Jobs run side by side, each with a reader of its own whose letter holds the job's number, so evidence ids and gaps are
the same in every run. What AWS refuses is a gap; the rest of the map goes on.
"""

from __future__ import annotations

import gc
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace

from tools import arn as arns
from tools import catalogue
from tools.aws import Aws
from tools.directory import KnownResources
from tools.errors import BadInput, BudgetSpent, Refused
from tools.models import Gap, Relation, Resource
from tools.reader import Reader
from tools.services._spec import Service
from tools.topology import Topology, merge, stub

Tell = Callable[[str, int, int], None]
"""What is being done, how much of it is done, how much there is in all."""

_AT_ONCE = 8
_MANY = 10  # fewer resources of one service are read one by one rather than all at once
_A_JOB = 25  # resources that one job reads whole, one after the other
_MOST_PAGES = 400
_TAGS = re.compile(r"^(List|Get|Describe)\w*Tag(s|ging)")
_NEW_THINGS = 50_000  # so many more before dead cycles are looked for
_ROUNDS = 3  # configurations name things, which name things


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """What was read of one account in some regions."""

    topology: Topology
    gaps: tuple[Gap, ...]
    calls: int


@dataclass(slots=True)
class _Found:
    """What one job found."""

    resources: list[Resource]
    reader: Reader


def whole(aws: Aws, regions: Sequence[str], *, tell: Tell | None = None, at_once: int = _AT_ONCE) -> Account:
    """All resources of the account in these regions and their relations. `aws` must know its account."""
    with _seldom_collecting():
        return _Whole(aws, tuple(dict.fromkeys(regions)), tell or _silent, at_once).read()


@contextmanager
def _seldom_collecting() -> Iterator[None]:
    """Python looks for dead cycles less often: what a reading makes it keeps, and the search is a tenth of its work."""
    usual = gc.get_threshold()
    if usual[0] == 0 or usual[0] >= _NEW_THINGS:  # off, or another reading goes on
        yield
        return
    gc.set_threshold(_NEW_THINGS, *usual[1:])
    try:
        yield
    finally:
        gc.set_threshold(*usual)


def _silent(_: str, __: int, ___: int) -> None:
    """Tells nobody."""


@contextmanager
def _looking(reader: Reader, what: str, would_show: str) -> Iterator[None]:
    """Refusals become gaps, and so does an answer with an ARN that is none: the rest of the account goes on."""
    try:
        with reader.seeing(what, would_show):
            yield
    except BadInput as error:
        reader.missing(what, f"An answer of AWS cannot be read: {error}", would_show, code="Unreadable")


class _Whole:
    """One reading of an account."""

    def __init__(self, aws: Aws, regions: tuple[str, ...], tell: Tell, at_once: int) -> None:
        self.aws = aws
        self.regions = regions
        self.tell = tell
        self.at_once = at_once
        self.known: dict[str, Resource] = {}
        self.read_whole: set[str] = set()
        self.tags: dict[str, dict[str, str]] = {}
        self.skips: frozenset[tuple[str, str]] = frozenset()
        self.filled: set[str] = set()
        self.outlined: set[str] = set()  # parts that their wholes tell of: nothing more is read of them
        self.gaps: list[Gap] = []
        self.calls = 0
        self.jobs = 0
        self.all_tags = False

    def read(self) -> Account:
        self.list_all()
        self.add_tags()
        self.skips = self.needless()
        self.fill(self.never_described)
        relations = self.relations()
        for _ in range(_ROUNDS):
            todo = self.unread(relations)
            if not todo:
                break
            self.describe(todo)
            relations = self.relations()
        if self.fill(lambda _: True):
            relations = self.relations()
        return Account(
            topology=Topology(
                resources=tuple(self.known[arn] for arn in sorted(self.known)), relations=relations
            ),
            gaps=tuple(_distinct(self.gaps)),
            calls=self.calls,
        )

    def list_all(self) -> None:
        """Every service in every region; services of the whole partition once."""
        jobs = []
        for number, region in enumerate(self.regions):
            for service in catalogue.services().values():
                if number and service.global_region:
                    continue
                told = f"listing {service.title} in {region}"
                jobs.append((told, self._lister(service, region, service.discover)))
                if service.outline and service.outline.discover:
                    jobs.append((told, self._lister(service, region, service.outline.discover)))
        self.run(jobs)

    def _lister(
        self, service: Service, region: str, discover: Callable[[Reader, str], Iterable[Resource]]
    ) -> Callable[[Reader], list[Resource]]:
        def job(reader: Reader) -> list[Resource]:
            found: list[Resource] = []
            with _looking(
                reader, f"{service.title} in {region}", f"{service.reads[0].shows}, and so their relations"
            ):
                for one in discover(reader, region):
                    found.append(one)
            return found

        return job

    def never_described(self, resource: Resource) -> bool:
        """Whether its listing, and what `fill` adds, is all that is read of it."""
        service = catalogue.services()[resource.service]
        kinds = {*service.complete, *(service.outline.listed if service.outline else ())}
        return resource.type in kinds and resource.arn not in self.read_whole

    def fill(self, now: Callable[[Resource], bool]) -> bool:
        """Read what only outlines need of those for which it is time. False when there is nothing to read."""
        jobs = []
        for service in catalogue.services().values():
            outline = service.outline
            if outline is None or outline.fill is None:
                continue
            todo = [
                one
                for arn, one in sorted(self.known.items())
                if one.service == service.name and one.type in outline.fills and one.config
                if arn not in self.filled and now(one)
            ]
            self.filled.update(one.arn for one in todo)
            for start in range(0, len(todo), _A_JOB):
                job = self._filler(outline.fill, service.title, todo[start : start + _A_JOB])
                jobs.append((f"reading {service.title}", job))
        self.run(jobs)
        return bool(jobs)

    def _filler(
        self, fill: Callable[[Reader, Resource], Resource], title: str, todo: Sequence[Resource]
    ) -> Callable[[Reader], list[Resource]]:
        def job(reader: Reader) -> list[Resource]:
            found = []
            for one in todo:
                with _looking(reader, f"{title}: {one.type} {one.name}", "where it sends what it holds"):
                    found.append(fill(reader, one))
            return found

        return job

    def describe(self, todo: Sequence[str]) -> None:
        """Read these whole, a few per job, those of one service together."""
        self.read_whole.update(todo)
        at_once = self.gather(todo)
        todo = [arn for arn in todo if arn not in at_once]
        by_service: dict[str, list[str]] = {}
        for arn in todo:
            service = catalogue.service_of(arn)
            if service is not None:
                by_service.setdefault(service.title, []).append(arn)
        jobs = []
        for title, arns_of in sorted(by_service.items()):
            for start in range(0, len(arns_of), _A_JOB):
                jobs.append((f"reading {title}", self._describer(arns_of[start : start + _A_JOB])))
        self.run(jobs)

    def gather(self, todo: Sequence[str]) -> set[str]:
        """Read at once what services tell of many in few answers: the ARNs of what was read so."""
        jobs = []
        for service in catalogue.services().values():
            outline = service.outline
            if outline is None or outline.gather is None:
                continue
            known = [self.known[arn] for arn in todo]
            these = [one for one in known if one.service == service.name and one.type in outline.gathers]
            if len(these) >= _MANY:
                jobs.append((f"reading {service.title}", self._gatherer(outline.gather, these)))
        return {one.arn for one in self.run(jobs)}

    def _gatherer(
        self, gather: Callable[[Reader, Sequence[Resource]], Iterable[Resource]], todo: Sequence[Resource]
    ) -> Callable[[Reader], list[Resource]]:
        def job(reader: Reader) -> list[Resource]:
            try:
                return list(gather(reader, todo))
            except (
                Refused,
                BudgetSpent,
            ):  # each is asked for by itself then, and what is refused there is a gap
                return []

        return job

    def _describer(self, todo: Sequence[str]) -> Callable[[Reader], list[Resource]]:
        def job(reader: Reader) -> list[Resource]:
            found = []
            for arn in todo:
                service = catalogue.service_of(arn)
                assert service is not None
                name = f"{service.title}: {catalogue.type_of(arn)} {arns.parse(arn).name}"
                would_show, gaps = "its settings and what it works with", len(reader.gaps)
                with _looking(reader, name, would_show):
                    if (one := service.describe(reader, arn)) is not None:
                        found.append(one)
                    elif len(reader.gaps) == gaps:
                        why = "It is named by others, and AWS answers that it does not exist."
                        reader.missing(name, why, would_show, code="NotThere")
            return found

        return job

    def run(self, jobs: Sequence[tuple[str, Callable[[Reader], list[Resource]]]]) -> list[Resource]:
        """Do the jobs side by side and take what they found in their order."""
        taken: list[Resource] = []

        def one(number: int, job: Callable[[Reader], list[Resource]]) -> _Found:
            reader = Reader(aws=self.aws, letter=f"W{number}-", patience=_MOST_PAGES, skips=self.skips)
            return _Found(job(reader), reader)

        with ThreadPoolExecutor(max_workers=self.at_once) as pool:
            under_way = [
                pool.submit(one, self.jobs + number, job) for number, (_, job) in enumerate(jobs, start=1)
            ]
            for done, ((what, _), future) in enumerate(zip(jobs, under_way, strict=True), start=1):
                found = future.result()
                self.take(found)
                taken += found.resources
                self.tell(what, done, len(jobs))
        self.jobs += len(jobs)
        return taken

    def take(self, found: _Found) -> None:
        for one in found.resources:
            before = self.known.get(one.arn)
            tags = one.tags or (before.tags if before else {}) or self.tags.get(one.arn, {})
            self.known[one.arn] = replace(one, tags=tags)
        self.gaps += found.reader.gaps
        self.calls += len(found.reader.evidence)

    def add_tags(self) -> None:
        """Tags of all that has some, where the listing did not tell them."""
        jobs = [(f"reading tags in {region}", self._tagger(region)) for region in self.regions]
        before = len(self.gaps)
        self.run(jobs)
        self.all_tags = not any(gap.what.startswith("tags in ") for gap in self.gaps[before:])

    def needless(self) -> frozenset[tuple[str, str]]:
        """Reads that a map shows nothing of; those of tags, too, where all tags of the regions are known."""
        found = set()
        for service in catalogue.services().values():
            skips = set(service.outline.skips if service.outline else ())
            if self.all_tags and not service.global_region:
                skips |= {read.operation for read in service.reads if _TAGS.search(read.operation)}
            found |= {(service.client, operation) for operation in skips}
        return frozenset(found)

    def _tagger(self, region: str) -> Callable[[Reader], list[Resource]]:
        def job(reader: Reader) -> list[Resource]:
            found, strange = [], []
            with reader.seeing(f"tags in {region}", "which resources belong to one system"):
                pages = reader.pages(
                    "resourcegroupstaggingapi",
                    "GetResources",
                    "ResourceTagMappingList",
                    token=("PaginationToken", "PaginationToken"),
                    region=region,
                    ResourcesPerPage=100,
                )
                for item in pages.items:
                    arn, tags = (
                        str(item["ResourceARN"]),
                        {pair["Key"]: pair["Value"] for pair in item.get("Tags") or []},
                    )
                    known = self.known.get(arn)
                    self.tags[arn] = tags
                    if known is not None:
                        found.append(replace(known, tags={**tags, **known.tags}))
                    elif tags and arns.is_arn(arn) and catalogue.service_of(arn) is None:
                        strange.append(
                            ":".join(part for part in (arns.parse(arn).service, arns.parse(arn).type) if part)
                        )
            if strange:
                kinds = ", ".join(sorted(set(strange)))
                reader.missing(
                    f"Tagged resources in {region} ({len(strange)})",
                    f"opsleuth does not know these kinds yet: {kinds}.",
                    "what they depend on",
                    code="NotKnown",
                )
            return found

        return job

    def relations(self) -> tuple[Relation, ...]:
        """All relations; what they name and nobody listed is known by its ARN from then on."""
        self.tell("relating", len(self.known), len(self.known))
        directory = KnownResources(self.known.values())
        found: list[Relation] = []
        for resource in directory.of():
            service = catalogue.services().get(resource.service)
            if service is not None:
                found.extend(self.related(service, resource, directory))
                found.extend(self.outline(service, resource, directory))
        made = merge(found)
        for one in made:
            for arn in (one.source, one.target):
                if arn not in self.known and arns.is_arn(arn):
                    self.known[arn] = stub(arn, self.aws.account)
        return tuple(one for one in made if one.source in self.known and one.target in self.known)

    def outline(self, service: Service, resource: Resource, directory: KnownResources) -> list[Relation]:
        """What outlines add. Ends that nobody else named are known by their ARNs alone."""
        if service.outline is None:
            return []
        told = list(service.outline.relations(resource, directory))
        for part in service.outline.parts(resource):
            self.known.setdefault(part.arn, part)
            self.outlined.add(part.arn)
        for one in told:
            self.outlined.update({one.source, one.target} - set(self.known))
        return told

    def related(self, service: Service, resource: Resource, directory: KnownResources) -> list[Relation]:
        try:
            return list(service.relations(resource, directory))
        except BadInput as error:
            what = f"relations of {service.title} {resource.type} {resource.name}"
            gap = Gap(what=what, why=f"Its configuration cannot be read: {error}", code="Unreadable")
            self.gaps += [] if gap in self.gaps else [gap]
            return []

    def unread(self, relations: Iterable[Relation]) -> list[str]:
        """What is to be read whole: all that runs, stores or is part of such; of the rest, what is in use."""
        used = {arn for one in relations for arn in (one.source, one.target)}
        todo = []
        for arn in sorted(self.known):
            service = catalogue.service_of(arn)
            type = catalogue.type_of(arn)
            if service is None or arn in self.read_whole or type in service.complete:
                continue
            if service.outline and type in service.outline.listed and self.known[arn].config:
                continue
            if arn in self.outlined or self.known[arn].account not in ("", self.aws.account):
                continue  # another account's: its own reading tells it
            if service.types.get(type) != "other" or arn in used:
                todo.append(arn)
        return todo


def _distinct(gaps: Iterable[Gap]) -> list[Gap]:
    """Each gap once. Equal refusals of many resources of one kind are told together."""
    kept: dict[tuple[str, str, str], list[Gap]] = {}
    for gap in gaps:
        kept.setdefault((gap.what.partition(": ")[0], gap.why, gap.code), []).append(gap)
    return [
        same[0] if len(same) == 1 else replace(same[0], what=f"{what} ({len(same)} times)")
        for (what, _, _), same in kept.items()
    ]
