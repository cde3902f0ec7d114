"""The options of a run arrive as one thing."""

from __future__ import annotations

import click
import pytest
from click.testing import CliRunner

from api.asked import Asked, asked

SEEN: list[tuple[Asked, bool]] = []


@click.command()
@asked
@click.option("--once", is_flag=True)
def command(asked: Asked, once: bool) -> None:
    SEEN.append((asked, once))


def test_what_was_typed_becomes_a_trigger_and_a_context() -> None:
    arn = "arn:aws:sqs:eu-west-1:111122223333:jobs"
    SEEN.clear()
    typed = ["--resource", arn, "--max-calls", "7", "--tz", "Asia/Tokyo", "--once"]
    assert CliRunner().invoke(command, typed).exit_code == 0
    ((own, once),) = SEEN
    assert (own.trigger().resource, own.trigger().alarm, once) == (arn, "", True)
    context = own.context("world:x", None, own.tz, wait=False)
    assert (context.region, context.max_calls, context.tz, context.wait) == (
        "eu-west-1",
        7,
        "Asia/Tokyo",
        False,
    )


@pytest.mark.parametrize("typed", [[], ["--alarm", "a", "--text", "b"]])
def test_one_subject_and_one_only(typed: list[str]) -> None:
    SEEN.clear()
    assert CliRunner().invoke(command, typed).exit_code == 2
    assert SEEN == []
