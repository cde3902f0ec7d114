"""Updates that send a configuration whole: which version they name, and that setting a member keeps the others."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from tools.models import Json, Resource
from tools.sealed import SEAL, masked, opened, placed, seal, version

LEAVES = st.none() | st.booleans() | st.integers() | st.text(max_size=5)
TREES = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("abc"), inner, max_size=3),
    max_leaves=8,
)
BODIES = st.dictionaries(st.sampled_from("abc"), TREES, max_size=3)


def resource(config: Json) -> Resource:
    return Resource(arn="arn", service="x", type="x", name="x", account="", region="", config=config)


@given(BODIES, BODIES)
def test_the_version_read_is_named_unless_the_body_is_the_one_read(read: Json, sent: Json) -> None:
    held = resource({"ETag": "E1", SEAL: seal(read)})
    assert version(held, "ETag", read, "FETCH") == "FETCH"
    assert version(held, "ETag", sent, "FETCH") == ("FETCH" if seal(sent) == seal(read) else "E1")
    assert version(resource({SEAL: seal(read)}), "ETag", read, "FETCH") == ""


@given(BODIES, st.lists(st.sampled_from("abc"), min_size=1, max_size=3), LEAVES)
def test_a_member_is_set_and_all_beside_it_is_kept(body: Json, path: list[str], value: Any) -> None:
    before = json.dumps(body)
    made = placed(body, tuple(path), value)
    assert json.dumps(body) == before
    assert {key: one for key, one in made.items() if key != path[0]} == {
        key: one for key, one in body.items() if key != path[0]
    }
    place: Any = made
    for key in path[:-1]:
        place = place[key]
    assert (path[-1] in place) == (value is not None)
    assert place.get(path[-1]) == value


@given(st.lists(LEAVES, max_size=4) | st.dictionaries(st.text(max_size=3), LEAVES, max_size=4))
def test_lists_and_objects_come_back_from_their_text(value: Any) -> None:
    assert opened(json.dumps(value)) == value
    assert opened(value) == value


def test_what_is_no_document_stays_and_what_is_broken_is_nothing() -> None:
    assert (opened("text"), opened(7), opened(None)) == ("text", 7, None)
    assert opened("[broken") is None


@given(TREES, st.booleans())
def test_a_hidden_value_is_seen_wherever_it_is(tree: Any, hidden: bool) -> None:
    word = "HIDDEN_DUE_TO_SECURITY_REASONS" if hidden else "shown"
    assert masked({"a": [tree, {"b": word}]}) is hidden
