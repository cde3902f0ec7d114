"""ECS services: how many tasks of which definition. Every revision up to the ones in use is registered."""

from __future__ import annotations

from collections.abc import Iterable

from evals.emulation import Emulation
from evals.rehearsals._ground import Ground, Lay, walked
from evals.rehearsals._spec import Ids, Item, Seeder, chosen, do
from tools.models import Json

_REVISIONS = 500
_DEPLOYMENT = "deploymentConfiguration"


def _cluster(item: Item) -> str:
    named = str(item.get("clusterArn", default=item.fixed.get("cluster", "")))
    parts = item.arn.split("/")
    return named.rsplit("/", 1)[-1] or (parts[1] if len(parts) > 2 else "default")


def _short(definition: object) -> str:
    return str(definition).rsplit("/", 1)[-1]


def _revisions(definitions: Iterable[object]) -> dict[str, int]:
    """By family the newest revision: one after those in use, so that a plan which names it is found wrong."""
    found: dict[str, int] = {}
    for one in definitions:
        family, _, revision = _short(one).partition(":")
        found[family] = min(_REVISIONS, max(found.get(family, 0), int(revision or 1) + 1))
    return found


def _nested(paths: Json) -> Json:
    made: Json = {}
    for path, value in paths.items():
        *parents, last = path.split(".")
        holder = made
        for one in parents:
            holder = holder.setdefault(one, {})
        holder[last] = value
    return made


def _make(emulation: Emulation, item: Item) -> Ids:
    cluster = _cluster(item)
    do(emulation, "ecs", "CreateCluster", item.region, clusterName=cluster)
    wanted = _short(item.get("taskDefinition", default=f"{item.name}:1"))
    for family, newest in _revisions([wanted, *item.every("taskDefinition")]).items():
        for revision in range(1, newest + 1):
            do(
                emulation, "ecs", "RegisterTaskDefinition", item.region,
                family=family,
                containerDefinitions=[{"name": "app", "image": f"app:{revision}", "memory": 256}],
            )  # fmt: skip
    do(
        emulation, "ecs", "CreateService", item.region,
        cluster=cluster, serviceName=item.name, taskDefinition=wanted,
        desiredCount=int(item.get("desiredCount", default=1)),
        deploymentConfiguration=_nested(item.below(_DEPLOYMENT)) or None,
    )  # fmt: skip
    return {}


def _read(emulation: Emulation, item: Item, ids: Ids) -> Json:
    shown = do(
        emulation, "ecs", "DescribeServices", item.region, cluster=_cluster(item), services=[item.name]
    )
    service = chosen(shown["services"][0], "desiredCount", "taskDefinition", _DEPLOYMENT)
    return {**service, "taskDefinition": _short(service.get("taskDefinition", ""))}


SEEDERS = (
    Seeder(
        kind="ecs-service",
        service="ecs",
        paths=("desiredCount", "taskDefinition", f"{_DEPLOYMENT}.*"),
        make=_make,
        read=_read,
    ),
)


def _lay(lay: Lay) -> None:
    """A cluster with a service of a task definition with some revisions."""
    cluster = str(lay.told("cluster", "clusterName", "clusterArn", default="rehearsal")).rsplit("/", 1)[-1]
    lay.do("ecs", "CreateCluster", clusterName=cluster)
    _subnets(lay)
    names = [
        value for key, value in _walked(lay) if key.lower() == "taskdefinition" and isinstance(value, str)
    ]
    for name in names or ["rehearsal:1"]:
        family, _, revision = name.rsplit("/", 1)[-1].partition(":")
        for _ in range(_missing(lay, family, int(revision or 1))):
            lay.do(
                "ecs", "RegisterTaskDefinition", family=family,
                containerDefinitions=[{"name": family, "image": "rehearsal", "memory": 128}],
            )  # fmt: skip
    if "Service" in lay.event.operation and lay.event.operation != "CreateService" and not _given(lay):
        first = sorted({one.rsplit("/", 1)[-1] for one in names} or {"rehearsal:1"})[0]
        lay.do(
            "ecs", "CreateService", cluster=cluster, serviceName=lay.told("service", "serviceName"),
            taskDefinition=first, desiredCount=int(lay.answered("desiredCount", default=2)),
        )  # fmt: skip
    lay.words |= {"services": [lay.told("service", "serviceName", default="")], "cluster": cluster}


def _walked(lay: Lay) -> list[tuple[str, object]]:
    events = (lay.event, *lay.before)
    return [pair for one in events for place in (one.request, one.response) for pair in walked(place)]


def _subnets(lay: Lay) -> None:
    told = sorted({one for one in lay.texts() if one.startswith(("subnet-", "sg-"))})
    if not told:
        return
    vpc = lay.do("ec2", "CreateVpc", CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    for number, own in enumerate(told):
        if own.startswith("sg-"):
            made = lay.do("ec2", "CreateSecurityGroup", GroupName=own[3:], Description="rehearsal", VpcId=vpc)
            lay.known(own, made["GroupId"])
        else:
            made = lay.do("ec2", "CreateSubnet", VpcId=vpc, CidrBlock=f"10.0.{number}.0/24")
            lay.known(own, made["Subnet"]["SubnetId"])


def _given(lay: Lay) -> bool:
    return lay.event.operation == "DeleteService"  # its history makes it


def _missing(lay: Lay, family: str, wanted: int) -> int:
    held = lay.do("ecs", "ListTaskDefinitions", familyPrefix=family)["taskDefinitionArns"]
    return max(0, wanted - len(held))


GROUNDS = (Ground(service="ecs", lay=_lay, same=("deployments",)),)
