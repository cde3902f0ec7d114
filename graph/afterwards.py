"""What stays undone when the cause is put back: messages that lie in a dead-letter queue. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from graph.facts import Facts
from graph.models import RootCause, Step
from graph.words import say
from tools.models import Resource

_KIND = "sends failures to"


def afterwards(facts: Facts, cause: RootCause) -> tuple[Step, ...]:
    """Optional steps for when the plan has worked. Each is one queue that holds messages which failed."""
    queues = sorted(facts.resources, key=lambda one: one.arn)
    return tuple(
        step for queue in queues if queue.type == "queue" for step in _moved_back(facts, cause, queue)
    )


def _moved_back(facts: Facts, cause: RootCause, queue: Resource) -> Iterator[Step]:
    """StartMessageMoveTask gives messages back to the queues that they came from, and to queues only (SQS guide).

    No call of the plan: whether they were handled already only their owner knows.
    """
    senders = [one.source for one in facts.relations if one.kind == _KIND and one.target == queue.arn]
    if not senders or not _holds(facts, queue) or not any(_near(facts, cause, one) for one in senders):
        return
    kinds = [found.type if (found := facts.resource(arn)) is not None else "" for arn in senders]
    if all(kind == "queue" for kind in kinds):
        yield Step(
            title=say("Optional: move the messages of {name} back", name=queue.name),
            command=f"aws sqs start-message-move-task --source-arn {queue.arn} --region {queue.region}",
            note=say(
                "They stay there after the fix. Only once it has worked, and once the owner of {name} has looked "
                "whether they were handled all the same: moved, they are handled again, late and some perhaps twice, "
                "all at once unless --max-number-of-messages-per-second slows them. What still fails comes back.",
                name=queue.name,
            ),
        )
        return
    yield Step(
        title=say("Optional: handle the messages of {name} again", name=queue.name),
        note=say(
            "They stay there after the fix. SQS moves messages back to queues only, and these did not all come from "
            "one: look at them, then hand them to their handler again, or move them with a DestinationArn. Each may "
            "have been handled in part already.",
        ),
    )


def _holds(facts: Facts, queue: Resource) -> bool:
    """Whether messages lie there: as described, or because the trouble is that they do."""
    waiting = queue.config.get("ApproximateNumberOfMessages")
    told = isinstance(waiting, int | str) and str(waiting).isdigit() and int(waiting) > 0
    return told or queue.arn == facts.incident.resource


def _near(facts: Facts, cause: RootCause, sender: str) -> bool:
    """Whether what sends there has to do with the cause or the symptom."""
    own = facts.holder(sender)
    for other in (cause.resource, facts.incident.resource):
        if own == other or sender == other or facts.path(own, other) or facts.path(other, own):
            return True
    return False
