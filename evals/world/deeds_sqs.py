"""How CloudTrail records what is done to queues: attributes are texts, the answer is empty."""

from __future__ import annotations

from typing import TYPE_CHECKING

from evals.world.domains import domain
from evals.world.trail import Deed
from evals.world.world import Thing, World

if TYPE_CHECKING:
    from evals.world.kinds._kind import Act


def url(world: World, queue: Thing) -> str:
    return f"https://sqs.{queue.region}.{domain(queue.region)}/{world.account}/{queue.name}"


def change(world: World, act: Act) -> Deed:
    """The call that set an attribute."""
    if act.path not in ("VisibilityTimeout", "MessageRetentionPeriod", "Policy"):
        raise ValueError(f"{act.path} of a queue is not modelled")
    request = {
        "queueUrl": url(world, act.thing),
        "attributes": {act.path: "" if act.after is None else str(act.after)},
    }
    return Deed(source="sqs", name="SetQueueAttributes", request=request)


def tag(world: World, thing: Thing, tags: dict[str, str]) -> Deed:
    """The call that adds tags."""
    return Deed(source="sqs", name="TagQueue", request={"queueUrl": url(world, thing), "tags": tags})
