"""Scalable targets: a service of ECS or a table, and its registration where the event is not about that."""

from __future__ import annotations

from evals.rehearsals._ground import Ground, Lay


def _lay(lay: Lay) -> None:
    place = str(lay.told("resourceId"))
    if place.startswith("service/"):
        _, cluster, name = place.split("/")
        lay.do("ecs", "CreateCluster", clusterName=cluster)
        lay.do(
            "ecs", "RegisterTaskDefinition", family=name,
            containerDefinitions=[{"name": name, "image": "rehearsal", "memory": 128}],
        )  # fmt: skip
        lay.do("ecs", "CreateService", cluster=cluster, serviceName=name, taskDefinition=name, desiredCount=1)
    if "ScalableTarget" not in lay.event.operation:
        lay.do(
            "application-autoscaling", "RegisterScalableTarget", ServiceNamespace=lay.told("serviceNamespace"),
            ResourceId=place, ScalableDimension=lay.told("scalableDimension"), MinCapacity=1, MaxCapacity=4,
        )  # fmt: skip


GROUNDS = (Ground(service="applicationautoscaling", lay=_lay),)
