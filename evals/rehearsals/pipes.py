"""Pipes from one queue to another."""

from __future__ import annotations

from evals.rehearsals._ground import Ground, Lay


def _lay(lay: Lay) -> None:
    if "Pipe" in lay.event.operation and lay.event.operation not in ("CreatePipe", "DeletePipe"):
        arn = f"arn:aws:sqs:{lay.region}:{lay.event.account}:"
        for name in ("from", "to"):
            lay.do("sqs", "CreateQueue", QueueName=name)
        lay.do(
            "pipes", "CreatePipe", Name=lay.told("name"), Source=f"{arn}from", Target=f"{arn}to",
            RoleArn=lay.role(),
        )  # fmt: skip


GROUNDS = (Ground(service="pipes", lay=_lay),)
