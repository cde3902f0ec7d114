"""A change that moves the symptom's metric up does not explain that it fell, and the other way round."""

from __future__ import annotations

import pytest

from graph.weighing import hypotheses
from graph.weighing.mechanism import explains, mechanism
from graph.weights import WEIGHTS
from tests.graph import made
from tests.graph.made import NOTIFIER, QUEUE, event

URL = "https://sqs.eu-central-1.amazonaws.com/111122223333/parcel-events"


@pytest.mark.parametrize(("after", "weight"), [(90.0, "mechanism.direct"), (0.0, "mechanism.other_metric")])
def test_messages_that_come_back_too_early_run_the_function_more_often_and_not_less(
    after: float, weight: str
) -> None:
    changes = [
        event(
            "sqs",
            "SetQueueAttributes",
            {"queueUrl": URL, "attributes": {"VisibilityTimeout": value}},
            minutes=at,
        )
        for value, at in (("300", -9000), ("20", -5))
    ]
    facts = made.facts((NOTIFIER, "Invocations"), {(NOTIFIER, "Invocations"): (20.0, after)}, changes=changes)
    (found,) = [one for one in hypotheses(facts) if one.event == changes[1].id]
    assert (found.resource, found.setting) == (QUEUE, "VisibilityTimeout")
    assert explains(facts, found) is (weight == "mechanism.direct")
    told = mechanism(facts, found)
    assert told is not None
    assert told.weight == WEIGHTS[weight]
