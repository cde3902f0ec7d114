"""Buckets."""

from __future__ import annotations

from evals.rehearsals._ground import Ground, Lay


def _lay(lay: Lay) -> None:
    place = None if lay.region == "us-east-1" else {"LocationConstraint": lay.region}
    lay.do("s3", "CreateBucket", Bucket=lay.told("bucketName"), CreateBucketConfiguration=place)


GROUNDS = (Ground(service="s3", lay=_lay, untold=("GetObject", "GetObjectTorrent")),)
