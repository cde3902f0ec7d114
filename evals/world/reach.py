"""How things reach each other in the network: by which interfaces, and what security groups admit; and which quotas of
the region they share.
"""

from __future__ import annotations

from collections import defaultdict

from evals.world.world import Thing, World

_SHARED = {
    "function": ("lambda/L-B99A9384",),
    "table": (
        "dynamodb/L-34F8CCC8",
        "dynamodb/L-34F6A552",
        "dynamodb/L-AB614373",
        "dynamodb/L-CF0CBE56",
    ),
    "auto-scaling-group": ("ec2/L-1216C47A",),
    "ecs-service": ("fargate/L-3032A538",),
    "http-api": ("apigateway/L-8A5B8E43",),
    "rest-api": ("apigateway/L-8A5B8E43",),
}
"""Kind -> quotas of a region that all of the kind share (Service Quotas: "Applied per account and Region")."""


def relate(world: World) -> None:
    """Relate instances to their interfaces, what is in a security group to what each group guards that ever admitted
    it, and what shares a quota to it.
    """
    for kind, codes in _SHARED.items():
        for one in world.of(kind):
            parts = one.arn.split(":")
            for code in codes:
                place = f"{one.region}:{parts[4] or world.account}"
                world.relate(one.arn, "limited by", f"arn:{world.partition}:servicequotas:{place}:{code}")
    for one in world.of("instance"):
        world.relate(one.arn, "uses", world.arn("ec2", f"network-interface/{one.fixed['interface']}"))
    members = _members(world)
    for group in world.of("security-group"):
        for admitted in _admitted(group) - {group.arn}:
            for source in members[admitted]:
                for target in members[group.arn] - {source}:
                    world.relate(source, "may connect to", target)


def _members(world: World) -> dict[str, set[str]]:
    """Security group -> what was ever in it."""
    by_id = {str(one.fixed["id"]): one.arn for one in world.of("security-group")}
    found: dict[str, set[str]] = defaultdict(set)
    for thing in world.things.values():
        held = {str(arn) for arn in thing.fixed.get("security_groups", ())}
        steps = thing.settings.steps.get("SecurityGroups")
        held |= {by_id[one] for ids in (steps.values if steps else []) for one in ids or () if one in by_id}
        for arn in held:
            found[arn].add(thing.arn)
    return found


def _admitted(group: Thing) -> set[str]:
    """The groups that the rules of a group ever named."""
    return {
        str(rule["from"])
        for path, steps in group.settings.steps.items()
        if path.startswith("Ingress.")
        for rule in steps.values
        if isinstance(rule, dict) and str(rule.get("from", "")).startswith("arn:")
    }
