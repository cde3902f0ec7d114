"""Streams of two shards."""

from __future__ import annotations

from evals.rehearsals._ground import Ground, Lay


def _lay(lay: Lay) -> None:
    name = str(lay.told("streamName", "streamARN", "resourceARN")).rsplit("/", 1)[-1]
    lay.do("kinesis", "CreateStream", StreamName=name, ShardCount=2)
    lay.words["streamname"] = name


GROUNDS = (Ground(service="kinesis", lay=_lay, untold=("GetRecords", "GetShardIterator")),)
