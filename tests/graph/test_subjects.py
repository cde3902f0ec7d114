"""The index of things finds exactly the events that are compared equal one by one."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from graph.undoing.identity import same_subject
from graph.undoing.known import Known
from tools.models import Actor, ChangeEvent

NOW = datetime(2026, 3, 13, 18, tzinfo=UTC)
requests = st.dictionaries(
    st.sampled_from(["tableName", "tableArn", "roleName", "policyName", "size"]),
    st.sampled_from(["a", "b", "arn:aws:dynamodb:eu-west-1:111122223333:table/a", "x:a", "y/b"]),
    max_size=3,
)


def event(number: int, minute: int, source: str, region: str, request: dict[str, str]) -> ChangeEvent:
    return ChangeEvent(
        id=f"e{number}", time=NOW + timedelta(minutes=minute), source=source, action="Update", operation="Update",
        region=region, account="111122223333", actor=Actor(name="ann", kind="iam_user", how="cli"),
        request=request, response={},
    )  # fmt: skip


@settings(max_examples=150)
@given(
    st.lists(
        st.tuples(st.integers(0, 9), st.sampled_from(["sqs", "iam"]), st.sampled_from(["r1", "r2"]), requests),
        min_size=1, max_size=25,
    )
)  # fmt: skip
def test_the_same_things_are_found_as_by_comparing_all(
    given_events: list[tuple[int, str, str, dict[str, str]]],
) -> None:
    events = tuple(event(number, *told) for number, told in enumerate(given_events))
    known = Known(events=events)
    for one in events:
        wanted = [other.id for other in known.of(one.source) if same_subject(other, one)]
        assert [other.id for other in known.same(one)] == wanted
        place = (one.time, one.id)
        assert [other.id for other in known.earlier(one)] == [
            other.id
            for other in reversed(known.of(one.source))
            if same_subject(other, one) and (other.time, other.id) < place
        ]
        assert [other.id for other in known.later(one)] == [
            other.id
            for other in known.of(one.source)
            if same_subject(other, one) and (other.time, other.id) > place
        ]
        assert {other.id for other in (*known.before(one), one, *known.after(one))} == {
            other.id for other in known.of(one.source)
        }
