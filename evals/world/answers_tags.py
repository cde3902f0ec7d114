"""Resource Groups Tagging: resources that have or had tags, keys and values (API reference, GetResources)."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from evals.world.asking import Ask, NotModelled, Refusal, handles
from evals.world.world import Thing
from tools.models import Json

_NOT_LISTED = frozenset({"iam"})  # IAM users and roles are not in the tagging API
_TYPES = {"sqs": "queue", "sns": "topic", "s3": "bucket"}
"""Services whose ARNs do not say the type."""


def kind_of(arn: str) -> str:
    """service:type, as ResourceTypeFilters take it: "dynamodb:table", "elasticloadbalancing:loadbalancer"."""
    parts = arn.split(":", 5)
    service, rest = parts[2], parts[5]
    if service in _TYPES:
        return f"{service}:{_TYPES[service]}"
    if service == "apigateway":
        return f"apigateway:{rest.strip('/').split('/')[0]}"
    return f"{service}:{rest.replace('/', ':').split(':')[0]}"


def _ever_tagged(thing: Thing, moment: datetime) -> bool:
    return thing.created <= moment and any(
        steps.since and steps.since[0] <= moment
        for path, steps in thing.settings.steps.items()
        if path.startswith("tags.")
    )


def _tagged(ask: Ask) -> list[Thing]:
    return [
        thing
        for thing in sorted(ask.world.things.values(), key=lambda one: one.arn)
        if thing.arn.startswith("arn:")  # what lies outside of AWS has none
        and thing.region == ask.region
        and thing.arn.split(":")[2] not in _NOT_LISTED
        and not (thing.arn.split(":")[2] == "lambda" and ":event-source-mapping:" in thing.arn)
        and _ever_tagged(thing, ask.as_of)
    ]


@handles("resourcegroupstaggingapi", "GetResources")
def get_resources(ask: Ask) -> Json:
    filters: list[Json] = ask.take("TagFilters", [])
    types: list[str] = ask.take("ResourceTypeFilters", [])
    arns: list[str] = ask.take("ResourceARNList", [])
    size, token = int(ask.take("ResourcesPerPage", 50)), ask.take("PaginationToken") or None
    if ask.take("IncludeComplianceDetails") or ask.take("ExcludeCompliantResources"):
        raise NotModelled("tag policies")
    if ask.take("TagsPerPage") is not None:
        raise NotModelled("TagsPerPage")
    if arns and (filters or types):
        raise Refusal(
            "InvalidParameterException",
            "ResourceARNList can't be specified together with other filters in the same request.",
        )
    if not 1 <= size <= 100:
        raise Refusal("InvalidParameterException", "ResourcesPerPage must be between 1 and 100.")
    found: list[Any] = []
    for thing in _tagged(ask):
        tags = thing.tags(ask.as_of)
        if (arns and thing.arn not in arns) or (types and not _typed(kind_of(thing.arn), types)):
            continue
        if all(_holds(tags, one) for one in filters):
            pairs = [{"Key": key, "Value": value} for key, value in sorted(tags.items())]
            found.append({"ResourceARN": thing.arn, "Tags": pairs})
    page, following = ask.page(found, size, token)
    return {"ResourceTagMappingList": page, "PaginationToken": following or ""}


def _typed(kind: str, types: list[str]) -> bool:
    return any(wanted in (kind, kind.split(":", maxsplit=1)[0]) for wanted in types)


def _holds(tags: dict[str, str], wanted: Json) -> bool:
    values = wanted.get("Values") or []
    return wanted["Key"] in tags and (not values or tags[wanted["Key"]] in values)


@handles("resourcegroupstaggingapi", "GetTagKeys")
def get_tag_keys(ask: Ask) -> Json:
    found = sorted({key for thing in _tagged(ask) for key in thing.tags(ask.as_of)})
    page, following = ask.page(found, int(ask.take("MaxResults", 50)), ask.take("PaginationToken") or None)
    return {"TagKeys": page, "PaginationToken": following or ""}


@handles("resourcegroupstaggingapi", "GetTagValues")
def get_tag_values(ask: Ask) -> Json:
    key = str(ask.need("Key"))
    held = (thing.tags(ask.as_of) for thing in _tagged(ask))
    found = sorted({tags[key] for tags in held if key in tags})
    page, following = ask.page(found, int(ask.take("MaxResults", 50)), ask.take("PaginationToken") or None)
    return {"TagValues": page, "PaginationToken": following or ""}
