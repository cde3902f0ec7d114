"""The resources known so far, findable by what configurations write: ARNs, names, queue URLs, hosts."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from itertools import combinations
from typing import Any
from urllib.parse import urlsplit

from tools import arn as arns
from tools import catalogue
from tools.models import Resource

_QUEUE_PATH = re.compile(r"^/(\d{12})/([A-Za-z0-9_.-]+)/?$")
_QUEUE_HOST = re.compile(r"^(?:sqs\.([a-z0-9-]+)|([a-z0-9-]+)\.queue)\.")
_API_HOST = re.compile(r"^([a-z0-9]+)\.execute-api\.([a-z0-9-]+)\.")
_HOST = re.compile(r"[a-z0-9_][a-z0-9_-]*(?:\.[a-z0-9_-]+)+")
_ADDRESS = re.compile(r"\d+(?:\.\d+){3}")
_WRAPPED = re.compile(
    r"^(?:[a-z][a-z0-9+.-]*:)+(?=[a-z][a-z0-9+.-]*://)", re.IGNORECASE
)  # jdbc:postgresql://
_SHORTEST_NAME = 3
_MOST_SUBSETS = 8  # dimensions of which all subsets are tried
# ElastiCache writes regions so in host names: euw1, apse2.
_SHORT_REGION = re.compile(r"^([a-z]{2})(ne|nw|se|sw|n|s|e|w|c)(\d)$")
_DIRECTIONS: Mapping[str, str] = {
    "n": "north",
    "s": "south",
    "e": "east",
    "w": "west",
    "c": "central",
    "ne": "northeast",
    "nw": "northwest",
    "se": "southeast",
    "sw": "southwest",
}
_OWN_HOSTS: tuple[tuple[str, ...], ...] = tuple(
    tuple(path.split("."))
    for path in (
        # Where describe answers say under which hosts and addresses a thing is reached; lists are gone through.
        "DNSName",  # load balancers
        "Endpoint",  # clusters of databases, search domains
        "Endpoint.Address",  # databases
        "ReaderEndpoint",
        "ReaderEndpoint.Address",
        "CustomEndpoints",
        "ConfigurationEndpoint.Address",  # caches
        "NodeGroups.PrimaryEndpoint.Address",
        "NodeGroups.ReaderEndpoint.Address",
        "CacheNodes.Endpoint.Address",
        "DnsEntries.DnsName",  # VPC endpoints
        "PrivateDnsName",  # instances
        "PrivateIpAddress",
        "PublicDnsName",
        "PublicIpAddress",
        "NetworkInterfaces.PrivateIpAddresses.PrivateDnsName",
        "NetworkInterfaces.PrivateIpAddresses.PrivateIpAddress",
    )
)


_OWN_HOSTS_BY_FIELD = {
    field: tuple(path for path in _OWN_HOSTS if path[0] == field)
    for field in {path[0] for path in _OWN_HOSTS}
}


class KnownResources:
    """A `Directory` over a fixed set of resources. Names match exactly; nothing is guessed."""

    def __init__(self, resources: Iterable[Resource]) -> None:
        self._by_arn = {resource.arn: resource for resource in sorted(resources, key=lambda one: one.arn)}
        self._by_name: dict[str, list[Resource]] = defaultdict(list)
        self._by_host: dict[str, list[Resource]] = defaultdict(list)
        self._by_type: dict[str, list[Resource]] = defaultdict(list)
        self._by_metric: dict[tuple[str, str], dict[frozenset[tuple[str, str]], tuple[int, str]]] = {}
        self._all = tuple(self._by_arn.values())
        for resource in self._by_arn.values():
            self._by_name[resource.name].append(resource)
            self._by_type[resource.type].append(resource)
            for host in dict.fromkeys(_own_hosts(resource)):
                self._by_host[host].append(resource)
            self._index_metric(resource)
        self._account = next((one.account for one in self._by_arn.values() if one.account), "")

    def _index_metric(self, resource: Resource) -> None:
        service = catalogue.services().get(resource.service)
        if service and service.dimensions:
            dimensions = frozenset(service.dimensions(resource))
            for namespace in service.namespaces if dimensions else ():
                here = self._by_metric.setdefault((namespace, resource.region), {})
                here.setdefault(dimensions, (len(here), resource.arn))

    def by_arn(self, arn: str) -> Resource | None:
        return self._by_arn.get(arn)

    def named(self, name: str, *types: str) -> tuple[Resource, ...]:
        return tuple(one for one in self._by_name.get(name, ()) if not types or one.type in types)

    def of(self, *types: str) -> tuple[Resource, ...]:
        if not types:
            return self._all
        found = [one for type in dict.fromkeys(types) for one in self._by_type.get(type, ())]
        return tuple(found if len(types) == 1 else sorted(found, key=lambda one: one.arn))

    def mentioned(self, text: str) -> tuple[Resource, ...]:
        text = text.strip()
        if arns.is_arn(text):
            owner = catalogue.owner_arn(text)
            return tuple(one for one in [self._by_arn.get(text) or self._by_arn.get(owner)] if one)
        host, path = _host(text)
        if (queue := _QUEUE_PATH.match(path)) and (place := _QUEUE_HOST.match(host)):
            region = place.group(1) or place.group(2)
            found = self.named(queue.group(2), "queue")
            return tuple(one for one in found if one.region == region and one.account == queue.group(1))
        if text.startswith("s3://"):
            return self.named(host, "bucket")
        if place := _API_HOST.match(host):
            return tuple(self._by_host.get(place.group(0), ()))
        if host and (known := self._at(host)):
            return known
        return self.named(text) if len(text) >= _SHORTEST_NAME else ()

    def _at(self, host: str) -> tuple[Resource, ...]:
        """Whom a host or address means. Two networks may use the same address: then it names nobody."""
        known = tuple(self._by_host.get(host, ()))
        if known or not self._account:
            return () if len(known) > 1 and _ADDRESS.fullmatch(host) else known
        arn = _arn_of(host, self._account)
        return (self._by_arn.get(arn) or _stub(arn),) if arn else ()

    def measured(self, namespace: str, dimensions: Mapping[str, str], region: str) -> str:
        """ARN of the resource of a metric: the known one with most of these dimensions, else by rule."""
        known = self._by_metric.get((namespace, region), {})
        for fits in _subsets(frozenset(dimensions.items()), known):
            if fits:
                return min(known[one] for one in fits)[1]
        return catalogue.owner_of(namespace, dimensions, region, self._account)


def _subsets(
    asked: frozenset[tuple[str, str]], known: Mapping[frozenset[tuple[str, str]], object]
) -> Iterator[list[frozenset[tuple[str, str]]]]:
    """The known ones among the subsets of `asked`, those of most dimensions first; no metric has many dimensions."""
    if len(asked) > _MOST_SUBSETS:
        fitting = [one for one in known if one <= asked]
        for size in sorted({len(one) for one in fitting}, reverse=True):
            yield [one for one in fitting if len(one) == size]
        return
    for size in range(len(asked), 0, -1):
        yield [one for one in map(frozenset, combinations(sorted(asked), size)) if one in known]


def _own_hosts(resource: Resource) -> Iterator[str]:
    """Hosts and addresses under which a resource is reached, as its configuration says, in small letters."""
    if resource.type == "api" and resource.config.get("Id"):
        yield f"{resource.config['Id']}.execute-api.{resource.region}."
    for field in resource.config:
        for path in _OWN_HOSTS_BY_FIELD.get(field, ()):
            for found in _texts(resource.config, path):
                host = found.lower().rstrip(".")
                if _HOST.fullmatch(host):
                    yield host


def _texts(value: Any, path: tuple[str, ...]) -> Iterator[str]:
    if isinstance(value, list):
        for item in value:
            yield from _texts(item, path)
    elif path and isinstance(value, Mapping):
        yield from _texts(value.get(path[0]), path[1:])
    elif not path and isinstance(value, str):
        yield value


def _arn_of(host: str, account: str) -> str:
    """ARN that a host name of AWS spells out (a database's endpoint), or "". `account`: whose it is taken to be."""
    for service in catalogue.services().values():
        for pattern, resource in service.hosts.items():
            if found := re.fullmatch(pattern, host):
                kind, _, name = resource.format(**found.groupdict()).partition(":")
                region = _SHORT_REGION.sub(_long_region, found["region"] or "")
                if kind == "s3":  # the ARN of a bucket holds neither region nor account
                    return f"arn:{arns.partition_of(region)}:s3:::{name}"
                return arns.build(kind, region, account, name)
    return ""


def _long_region(short: re.Match[str]) -> str:
    return f"{short[1]}-{_DIRECTIONS[short[2]]}-{short[3]}"


def _stub(arn: str) -> Resource:
    """A resource of which a host name told the ARN."""
    parts, service = arns.parse(arn), catalogue.service_of(arn)
    return Resource(
        arn=arn,
        service=service.name if service else parts.service,
        type=catalogue.type_of(arn),
        name=parts.name,
        account=parts.account,
        region=parts.region,
    )


def _host(text: str) -> tuple[str, str]:
    """Host in small letters without its port, and path, of a URL or of a bare host; ("", "") for anything else."""
    text = _WRAPPED.sub("", text)
    if "://" in text:
        try:
            parts = urlsplit(text)
            host, path = (parts.hostname or "").rstrip("."), parts.path
        except ValueError:
            return "", ""
    else:
        head, slash, tail = text.partition("/")
        host, path = head.partition(":")[0].lower().rstrip("."), slash + tail
        if "." not in host:
            return "", ""
    # The name for both kinds of addresses of a load balancer is its own name after this word.
    return host.removeprefix("dualstack."), path
