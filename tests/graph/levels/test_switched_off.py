"""What is configured and switched off stays on the map, and says that nothing flows."""

from __future__ import annotations

import pytest

from graph.levels.views import _verb
from tools.directory import KnownResources
from tools.models import Json, Resource
from tools.services import events, lambda_

WRITER = "arn:aws:lambda:eu-west-1:111122223333:function:writer"


def one(service: str, type: str, name: str, config: Json) -> Resource:
    arn = f"arn:aws:{service}:eu-west-1:111122223333:{type}{':' if service == 'lambda' else '/'}{name}"
    return Resource(
        arn=arn,
        service=service,
        type=type,
        name=name,
        account="111122223333",
        region="eu-west-1",
        config=config,
    )


@pytest.mark.parametrize(("state", "words"), [("DISABLED", {"triggers (off)"}), ("ENABLED", {"triggers"})])
def test_a_disabled_rule_triggers_nothing_now(state: str, words: set[str]) -> None:
    config = {"State": state, "ScheduleExpression": "rate(1 day)", "Targets": [{"Id": "1", "Arn": WRITER}]}
    rule = one("events", "rule", "nightly", config)
    assert {_verb(found) for found in events.relations(rule, KnownResources((rule,)))} == words


@pytest.mark.parametrize(
    ("state", "words"),
    [
        ("Disabled", {"triggers (off)", "read by (off)", "feeds (off)"}),
        ("Enabled", {"triggers", "read by", "feeds"}),
    ],
)
def test_a_disabled_mapping_reads_nothing_now(state: str, words: set[str]) -> None:
    source = "arn:aws:sqs:eu-west-1:111122223333:jobs"
    config = {"State": state, "EventSourceArn": source, "FunctionArn": WRITER}
    mapping = one("lambda", "event-source-mapping", "d0b32453-703f-45f7-bc94-7945e636126c", config)
    found = list(lambda_.relations(mapping, KnownResources((mapping,))))
    assert {_verb(each) for each in found} == words
    assert {each.kind for each in found} == {"triggers", "read by", "feeds"}
