"""How things reach each other in the network: by which interfaces, and what security groups admit."""

from __future__ import annotations

from collections import defaultdict

from evals.world.world import Thing, World


def relate(world: World) -> None:
    """Relate instances to their interfaces, and what is in a security group to what each group guards that ever
    admitted it.
    """
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
