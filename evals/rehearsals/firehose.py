"""Delivery streams: one that writes to a bucket."""

from __future__ import annotations

from evals.rehearsals._ground import Ground, Lay


def _lay(lay: Lay) -> None:
    lay.do(
        "firehose", "CreateDeliveryStream", DeliveryStreamName=lay.told("deliveryStreamName"),
        ExtendedS3DestinationConfiguration={"RoleARN": lay.role(), "BucketARN": "arn:aws:s3:::rehearsal"},
    )  # fmt: skip


GROUNDS = (Ground(service="firehose", lay=_lay),)
