"""Calls that CloudFormation made are one line with their stack operation; nothing is counted twice or lost."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from graph.changes import listing
from graph.undoing.known import Known
from tests.graph.test_changes import made
from tests.graph.test_undo_outcomes import TABLE, event, limit, table
from tools.models import Actor, ChangeEvent

ROLE = "arn:aws:iam::111122223333:role/stack-hand"
BY_STACK = Actor(
    kind="cloudformation", name="stack-hand", how="cloudformation", role_arn=ROLE, role="stack-hand",
    invoked_by="cloudformation.amazonaws.com",
)  # fmt: skip


def child(one: ChangeEvent) -> ChangeEvent:
    return replace(one, actor=BY_STACK)


def update(hours: float, stack: str = "shop") -> ChangeEvent:
    return event("cloudformation", "UpdateStack", hours, {"stackName": stack, "roleARN": ROLE})


def retention(hours: float, name: str) -> ChangeEvent:
    return child(
        event("logs", "PutRetentionPolicy", hours, {"logGroupName": f"shop-{name}", "retentionInDays": 3})
    )


def test_all_calls_of_one_operation_are_one_line_by_whoever_ran_it() -> None:
    run, cut = update(2.0), child(limit(1.9, 2))
    found = made(run, cut, retention(1.8, "a"), retention(1.7, "b"), earlier=(limit(900, 250),))
    (line,) = found.lines
    assert (line.who, line.children, line.count) == (run.actor.name, 3, 4)
    assert line.name == "stack shop, UpdateStack with 3 calls"
    assert line.events[0] == cut.id
    assert line.fields[0].name.endswith("maximum write throughput")
    assert (line.fields[0].before, line.fields[0].after) == ("250 writes per second", "2 writes per second")
    assert found.shown + sum(found.folded.values()) == found.total == 4


def test_the_operation_may_have_begun_before_the_time_that_is_looked_at() -> None:
    run, cut = update(30), child(limit(29.5, 2))
    found = made(cut, earlier=(run,))
    (line,) = found.lines
    assert (line.who, line.children, line.events) == (run.actor.name, 1, (cut.id,))


def test_two_stacks_are_two_lines_and_what_people_did_stays_apart() -> None:
    found = made(
        update(2.0),
        update(1.99, "billing"),
        retention(1.8, "a"),
        child(event("logs", "PutRetentionPolicy", 1.7, {"logGroupName": "billing-b", "retentionInDays": 3})),
        limit(1.0, 2),
    )
    assert sorted(line.children for line in found.lines) == [0, 1, 1]
    assert found.shown + sum(found.folded.values()) == found.total == 5


def test_a_refused_call_of_a_stack_stays_a_line_of_its_own() -> None:
    refused = replace(retention(1.8, "a"), error_code="AccessDeniedException")
    found = made(update(2.0), refused)
    assert sorted(line.status for line in found.lines) == ["denied", "in force"]
    assert found.shown == found.total == 2


def test_calls_of_a_stack_elsewhere_stay_folded() -> None:
    events = [update(2.0), child(limit(1.9, 2)), retention(1.8, "a")]
    found = listing(events, Known(events=tuple(events), resources=table(2)), frozenset({TABLE}))
    assert [line.children for line in found.lines] == [1]
    assert found.folded["elsewhere"] == 2
    assert found.shown + sum(found.folded.values()) == found.total == 3


@given(st.lists(st.sampled_from(["update", "cut", "retention", "hand", "refused"]), max_size=12))
def test_folded_and_shown_are_all(kinds: list[str]) -> None:
    events = []
    for place, kind in enumerate(kinds):
        hours = 10 - place / 2
        one = {
            "update": update(hours),
            "cut": child(limit(hours, 2 + place)),
            "retention": retention(hours, str(place)),
            "hand": limit(hours, 100 + place),
            "refused": replace(retention(hours, "x"), error_code="AccessDenied"),
        }[kind]
        events.append(replace(one, id=f"{one.id}-{place}"))
    found = made(*events)
    assert found.shown + sum(found.folded.values()) == found.total == len(events)
    assert len({id for line in found.lines for id in line.events}) == found.shown
