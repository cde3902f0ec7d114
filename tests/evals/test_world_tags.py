"""Tags of a simulated account, also where it holds things outside of AWS."""

from __future__ import annotations

from evals.world import load_case
from tools.aws import Account, Aws, Reader
from tools.budget import Budget, Limits
from tools.clock import VirtualClock
from tools.evidence import MemoryStore


def test_what_lies_outside_of_aws_is_no_tagged_resource() -> None:
    world = load_case("private-route-deleted", 2)
    assert any(not thing.arn.startswith("arn:") for thing in world.things.values())
    aws = Aws(
        Account(region=world.region),
        world.transport(),
        VirtualClock(world.start),
        Budget(Limits()),
        MemoryStore(),
    )
    answer = Reader(aws, "T").ask("resourcegroupstaggingapi", "GetResources", ResourcesPerPage=100)
    found = [one["ResourceARN"] for one in answer.data["ResourceTagMappingList"]]
    assert len(found) > 10
    assert all(arn.startswith("arn:aws:") for arn in found)
