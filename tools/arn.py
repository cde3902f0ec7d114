"""ARNs and partitions. The only place that knows them."""

from __future__ import annotations

import re
from dataclasses import dataclass

from tools.errors import BadInput

_ARN = re.compile(r"^arn:(aws[a-z-]*):([a-z0-9-]+):([a-z0-9-]*):(\d{12}|aws|):(.+)$", re.DOTALL)
_GLOBAL_REGION = {"aws": "us-east-1", "aws-cn": "cn-northwest-1", "aws-us-gov": "us-gov-west-1"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Arn:
    """`resource` is all after the fifth colon: "table/orders", "function:order-writer", "orders-queue"."""

    partition: str
    service: str
    region: str
    account: str
    resource: str

    @property
    def type(self) -> str:
        """The word before the first "/" or ":", or "" when the resource is a bare name."""
        head = re.split(r"[/:]", self.resource, maxsplit=1)
        return head[0] if len(head) == 2 else ""

    @property
    def name(self) -> str:
        """What follows the type."""
        parts = re.split(r"[/:]", self.resource, maxsplit=1)
        return parts[-1]

    def __str__(self) -> str:
        return f"arn:{self.partition}:{self.service}:{self.region}:{self.account}:{self.resource}"


def parse(text: str) -> Arn:
    """The parts of an ARN. Raises BadInput with what an ARN looks like."""
    match = _ARN.match(text.strip())
    if match is None:
        raise BadInput(
            f'"{text}" is not an ARN. An ARN looks like arn:aws:dynamodb:eu-west-1:111122223333:table/orders'
        )
    partition, service, region, account, resource = match.groups()
    return Arn(partition=partition, service=service, region=region, account=account, resource=resource)


def is_arn(text: str) -> bool:
    return _ARN.match(text) is not None


def partition_of(region: str) -> str:
    """The partition a region lies in, by its name."""
    if region.startswith("cn-"):
        return "aws-cn"
    if region.startswith("us-gov-"):
        return "aws-us-gov"
    return "aws"


def global_region(region: str) -> str:
    """The region that holds the events of global services (IAM, CloudFront, Route 53) in this region's partition.

    GovCloud and China differ from the commercial partition (CloudTrail user guide, "global service events").
    """
    return _GLOBAL_REGION[partition_of(region)]


def build(service: str, region: str, account: str, resource: str) -> str:
    return f"arn:{partition_of(region)}:{service}:{region}:{account}:{resource}"
