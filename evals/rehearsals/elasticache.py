"""Replication groups, clusters and parameter groups, as the event's answer still shows them."""

from __future__ import annotations

from evals.rehearsals._ground import Ground, Lay


def _lay(lay: Lay) -> None:
    group, cluster = lay.told("replicationGroupId"), lay.told("cacheClusterId")
    node = lay.answered("cacheNodeType", default="cache.t4g.small")
    if group and "CacheCluster" not in lay.event.operation:
        lay.do(
            "elasticache", "CreateReplicationGroup", ReplicationGroupId=group, Engine="redis",
            ReplicationGroupDescription="rehearsal", CacheNodeType=node, NumCacheClusters=2,
        )  # fmt: skip
    elif cluster:
        lay.do(
            "elasticache", "CreateCacheCluster", CacheClusterId=cluster, Engine="memcached", CacheNodeType=node,
            NumCacheNodes=lay.answered("numCacheNodes", default=1),
        )  # fmt: skip


GROUNDS = (Ground(service="elasticache", lay=_lay),)
