"""The resources known so far, findable by what configurations write: ARNs, names, queue URLs, hosts."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from urllib.parse import urlsplit

from tools import arn as arns
from tools import catalogue
from tools.models import Json, Resource

_QUEUE_PATH = re.compile(r"^/(\d{12})/([A-Za-z0-9_.-]+)/?$")
_QUEUE_HOST = re.compile(r"^(?:sqs\.([a-z0-9-]+)|([a-z0-9-]+)\.queue)\.")
_API_HOST = re.compile(r"^([a-z0-9]+)\.execute-api\.([a-z0-9-]+)\.")
_ENDPOINTS = ("DNSName", "Endpoint", "ReaderEndpoint")
_SHORTEST_NAME = 3


class KnownResources:
    """A `Directory` over a fixed set of resources. Names match exactly; nothing is guessed."""

    def __init__(self, resources: Iterable[Resource]) -> None:
        self._by_arn = {resource.arn: resource for resource in sorted(resources, key=lambda one: one.arn)}
        self._by_name: dict[str, list[Resource]] = defaultdict(list)
        self._by_host: dict[str, list[Resource]] = defaultdict(list)
        self._by_metric: dict[tuple[str, frozenset[tuple[str, str]], str], str] = {}
        for resource in self._by_arn.values():
            self._by_name[resource.name].append(resource)
            for host in _endpoints(resource.config):
                self._by_host[host].append(resource)
            self._index_metric(resource)

    def _index_metric(self, resource: Resource) -> None:
        service = catalogue.services().get(resource.service)
        if service and service.dimensions:
            dimensions = frozenset(service.dimensions(resource))
            for namespace in service.namespaces if dimensions else ():
                self._by_metric.setdefault((namespace, dimensions, resource.region), resource.arn)

    def by_arn(self, arn: str) -> Resource | None:
        return self._by_arn.get(arn)

    def named(self, name: str, *types: str) -> tuple[Resource, ...]:
        return tuple(one for one in self._by_name.get(name, ()) if not types or one.type in types)

    def of(self, *types: str) -> tuple[Resource, ...]:
        return tuple(one for one in self._by_arn.values() if not types or one.type in types)

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
        if place := _API_HOST.match(host):
            region, id = place.group(2), place.group(1)
            return tuple(one for one in self.of("api") if one.region == region and one.config.get("Id") == id)
        if known := self._by_host.get(host.partition(":")[0]):
            return tuple(known)
        return self.named(text) if len(text) >= _SHORTEST_NAME else ()

    def measured(self, namespace: str, dimensions: Mapping[str, str], region: str) -> str:
        """ARN of the resource of a metric: the known one with most of these dimensions, else by rule."""
        best = ""
        most = 0
        asked = set(dimensions.items())
        for (space, known, place), arn in self._by_metric.items():
            if space == namespace and place == region and known <= asked and len(known) > most:
                best, most = arn, len(known)
        if best:
            return best
        account = next((one.account for one in self._by_arn.values() if one.account), "")
        return catalogue.owner_of(namespace, dimensions, region, account)


def _endpoints(config: Json) -> Iterator[str]:
    """Hosts under which a resource is reached, as its configuration says: load balancers, databases, caches."""
    for key in _ENDPOINTS:
        told = config.get(key)
        host = told.get("Address") if isinstance(told, Mapping) else told
        if isinstance(host, str) and "." in host and "/" not in host:
            yield host.lower()


def _host(text: str) -> tuple[str, str]:
    """Host and path of a URL or of a bare host; ("", "") for anything else."""
    if "://" in text:
        try:
            parts = urlsplit(text)
            return parts.hostname or "", parts.path
        except ValueError:
            return "", ""
    head, slash, tail = text.partition("/")
    return (head.lower(), slash + tail) if "." in head else ("", "")
