"""ListMetrics: 500 a page, without metrics that were silent for two weeks (API reference)."""

from __future__ import annotations

from evals.world.asking import Ask, handles
from evals.world.telemetry import Source
from tools.models import Json


@handles("cloudwatch", "ListMetrics")
def list_metrics(ask: Ask) -> Json:
    namespace, metric = ask.take("Namespace"), ask.take("MetricName")
    wanted: list[Json] = ask.take("Dimensions", [])
    recent = ask.only("RecentlyActive", "PT3H")
    token = ask.take("NextToken")
    ask.only("IncludeLinkedAccounts", False)
    found = [
        source
        for source in ask.world.telemetry.sources.values()
        if ask.region == (source.region or ask.world.region)
        and (namespace is None or source.namespace == namespace)
        and (metric is None or source.name == metric)
        and all(_has(source, one) for one in wanted)
        and _active(ask, source, 180 if recent else 14 * 1440)
    ]
    found.sort(key=lambda source: source.key)
    page, following = ask.page(found, 500, token)
    answer: Json = {
        "Metrics": [
            {
                "Namespace": source.namespace,
                "MetricName": source.name,
                "Dimensions": [{"Name": name, "Value": value} for name, value in source.dimensions],
            }
            for source in page
        ]
    }
    if following:
        answer["NextToken"] = following
    return answer


def _has(source: Source, wanted: Json) -> bool:
    held = dict(source.dimensions)
    return wanted["Name"] in held and ("Value" not in wanted or held[wanted["Name"]] == wanted["Value"])


def _active(ask: Ask, source: Source, minutes: int) -> bool:
    """Whether the metric had data lately. Error metrics exist only once something went wrong."""
    until = ask.as_of.timestamp()
    now = int(until) // 60
    owner = ask.world.things.get(source.owner)
    if owner is not None and owner.created > ask.as_of:
        return False
    first = now - minutes if source.sparse is None else max(now - minutes, source.sparse)
    newest = range(now - now % source.every, first - 1, -source.every)
    return any(source.visible(minute, until) and source.emit(minute) is not None for minute in newest)
