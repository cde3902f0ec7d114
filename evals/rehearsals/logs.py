"""Log groups, and what their subscription filters write to."""

from __future__ import annotations

from evals.rehearsals._ground import Ground, Lay


def _lay(lay: Lay) -> None:
    lay.do("logs", "CreateLogGroup", logGroupName=lay.told("logGroupName"))
    stream = "arn:aws:firehose:"
    for name in ("logs-archive", "orders-archive", "archive"):
        lay.perhaps(
            "firehose", "CreateDeliveryStream", DeliveryStreamName=name,
            ExtendedS3DestinationConfiguration={"RoleARN": lay.role(), "BucketARN": "arn:aws:s3:::rehearsal"},
        )  # fmt: skip
    lay.words["resourceidentifier"] = stream


GROUNDS = (
    Ground(service="logs", lay=_lay, untold=("GetLogEvents", "DescribeLogStreams", "DescribeQueries")),
)
