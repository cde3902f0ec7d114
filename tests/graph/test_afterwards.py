"""What stays in a dead-letter queue after the fix is told, with the way back as a step of its own."""

from __future__ import annotations

from dataclasses import replace

from graph.afterwards import afterwards
from graph.cause import root_cause
from graph.facts import Facts
from graph.models import RootCause
from graph.weighing import weigh
from tests.graph.kinds import KINDS
from tests.graph.made import DEAD, QUEUE, WRITER
from tools.models import Relation


def shop(waiting: int, *senders: str) -> tuple[Facts, RootCause]:
    """A change whose cause is known, with a dead-letter queue that these send their failures to."""
    facts = (
        KINDS["timeout lowered"].facts() if "timeout lowered" in KINDS else next(iter(KINDS.values())).facts()
    )
    cause = root_cause(facts, weigh(facts)[0])
    resources = tuple(
        replace(one, config={**one.config, "ApproximateNumberOfMessages": waiting})
        if one.arn == DEAD
        else one
        for one in facts.resources
    )
    relations = tuple(one for one in facts.relations if one.kind != "sends failures to")
    relations += tuple(
        Relation(source=one, target=DEAD, kind="sends failures to", provenance="test") for one in senders
    )
    changed = replace(facts, resources=resources, relations=relations)
    return changed, cause.model_copy(update={"resource": senders[0] if senders else WRITER})


def test_messages_of_a_queue_can_be_moved_back() -> None:
    facts, cause = shop(12, QUEUE)
    (step,) = afterwards(facts, cause)
    assert step.calls == ()  # whether they were handled already only their owner knows
    assert step.command == f"aws sqs start-message-move-task --source-arn {DEAD} --region eu-central-1"
    assert step.title.startswith("Optional")
    assert "twice" in step.note
    assert "owner" in step.note


def test_what_a_function_left_there_has_no_call() -> None:
    facts, cause = shop(12, WRITER)
    (step,) = afterwards(facts, cause)
    assert (step.calls, step.command) == ((), "")
    assert "DestinationArn" in step.note


def test_an_empty_queue_and_one_that_nobody_here_fills_are_not_told() -> None:
    assert afterwards(*shop(0, QUEUE)) == ()
    assert afterwards(*shop(12)) == ()


def test_a_queue_that_is_the_symptom_is_told_though_its_count_was_not_read() -> None:
    facts, cause = shop(0, QUEUE)
    symptom = facts.incident.model_copy(update={"resource": DEAD})
    (step,) = afterwards(replace(facts, incident=symptom), cause)
    assert step.command
