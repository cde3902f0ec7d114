"""Parts of a resource that carry limits of their own: a stage of an API, an index of a table. Pure."""

from __future__ import annotations

from graph.facts import Facts
from tools.catalogue import settings_of, type_of
from tools.models import Metric

CONSISTS = "consists of"
"""The kind of relation from a whole to its parts, as the service files' outlines tell it."""


def parts_of(facts: Facts, whole: str) -> tuple[str, ...]:
    """ARNs of the parts of a known resource, by its configuration."""
    resource = facts.resource(whole)
    service = facts.service(resource) if resource is not None else None
    if resource is None or service is None or service.outline is None:
        return ()
    told = service.outline.relations(resource, facts.directory)
    return tuple(
        dict.fromkeys(one.target for one in told if one.kind == CONSISTS and one.source == resource.arn)
    )


def limited_parts(facts: Facts, whole: str) -> tuple[str, ...]:
    """Those of a kind that has a setting which caps what the whole is asked for."""
    return tuple(
        arn
        for arn in parts_of(facts, whole)
        if any(setting.limits for _, setting in settings_of(type_of(arn)))
    )


def takes_it_all(facts: Facts, arn: str) -> bool:
    """Whether what the whole is asked for comes to this part: it is no part, the only one of its kind, or the one that
    the symptom's metric is about.
    """
    whole = facts.holder(arn)
    kin = [one for one in parts_of(facts, whole) if type_of(one) == type_of(arn)]
    if whole == arn or kin == [arn]:
        return True
    return facts.incident.metric is not None and _named(facts, arn, facts.incident.metric)


def _named(facts: Facts, arn: str, metric: Metric) -> bool:
    return facts.name(arn) in {value for _, value in metric.dimensions}
