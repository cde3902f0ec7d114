"""A map in every form: what is in it, that it can be read back, and that names from outside harm none."""

from __future__ import annotations

import io
import json
import random
import re
import xml.etree.ElementTree as ET
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import networkx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from api.mapping import Mapped, sheet
from api.render.map import FORMS, form_of, rendered
from graph.levels import LEVELS
from tests.graph.levels.estates import (
    API,
    MAPPING,
    QUEUE,
    RED,
    SHOP,
    SHOP_RELATIONS,
    TABLE,
    WRITER,
    estate,
    leads,
    thing,
)
from tools.errors import BadInput
from tools.models import Gap, Relation, Resource

_SVG = "{http://www.w3.org/2000/svg}"
GAP = Gap(what="SQS in eu-west-1", why="no policy allows sqs:ListQueues", would_show="queues", lift="Add it.")


def mapped(
    resources: tuple[Resource, ...] = SHOP, relations: tuple[Relation, ...] = SHOP_RELATIONS
) -> Mapped:
    return Mapped(
        resources=resources,
        relations=relations,
        gaps=(GAP,),
        focus=(TABLE.arn, RED.arn) if resources == SHOP else (),
        accounts=("111122223333",),
        regions=("eu-west-1",),
        as_of=datetime(2026, 3, 13, 17, 40, tzinfo=UTC),
        calls=9,
    )


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("form", FORMS)
def test_equal_facts_in_any_order_give_the_same_bytes(form: str, level: str) -> None:
    told = rendered(sheet(mapped(), level), form)  # type: ignore[arg-type]
    draw = random.Random(7)
    other = mapped(
        tuple(draw.sample(SHOP, len(SHOP))), tuple(draw.sample(SHOP_RELATIONS, len(SHOP_RELATIONS)))
    )
    other = replace(other, focus=(TABLE.arn, RED.arn))
    assert rendered(sheet(other, level), form) == told  # type: ignore[arg-type]
    assert told.endswith("\n")


def test_json_holds_all_that_was_found() -> None:
    data = json.loads(rendered(sheet(mapped(), "container", cause=QUEUE.arn), "json"))
    assert {one["id"] for one in data["nodes"]} >= {API.arn, WRITER.arn, TABLE.arn}
    (uses,) = [one for one in data["links"] if one["target"] == TABLE.arn]
    assert (uses["count"], uses["kinds"]) == (2, {"may read": 1, "uses": 1})
    assert "Environment.TABLE_NAME" in " ".join(uses["provenance"])
    assert [one["state"] for one in data["nodes"] if one["id"] == TABLE.arn] == ["ALARM"]
    assert data["gaps"][0]["what"] == GAP.what
    assert data["blast_radius"]["of"] == QUEUE.arn
    assert [one["to"] for one in data["path"]] == [MAPPING.arn, WRITER.arn, TABLE.arn]
    assert data["systems"][0]["reason"]


def test_graphml_is_read_back_by_networkx() -> None:
    told = rendered(sheet(mapped(), "component"), "graphml")
    graph = networkx.read_graphml(io.BytesIO(told.encode()))
    assert set(graph.nodes) == {one.id for one in sheet(mapped(), "component").view.nodes}
    assert graph.edges[WRITER.arn, TABLE.arn]["confidence"] == 0.97
    assert graph.nodes[TABLE.arn]["state"] == "ALARM"


def test_dot_is_balanced_and_names_every_box_and_link() -> None:
    made = sheet(mapped(), "container")
    told = rendered(made, "dot")
    assert told.count("{") == told.count("}")
    assert len(re.findall(r"^\s+n\d+ \[", told, re.MULTILINE)) == len(made.view.nodes)
    assert len(re.findall(r"^\s+n\d+ -> n\d+ \[", told, re.MULTILINE)) == len(made.view.links)


def test_mermaid_names_every_box_and_link_and_marks_the_red_one() -> None:
    made = sheet(mapped(), "container")
    told = rendered(made, "mermaid")
    assert "flowchart LR" in told.splitlines()[1]
    assert len(re.findall(r"^ +n\d+\[", told, re.MULTILINE)) == len(made.view.nodes)
    assert told.count("-->") == len(made.view.links)
    red = re.search(r'(n\d+)\["orders<br/>', told)
    assert red is not None
    assert f"class {red.group(1)} alarm" in told


def test_text_says_why_what_is_red_what_breaks_with_it_and_what_was_not_seen() -> None:
    told = rendered(sheet(mapped(), "container"), "text")
    assert "because: no tag and no stack; 4 parts related by 3 relations" in told
    assert "dynamodb table orders  [ALARM orders-throttled]" in told
    assert "→ dynamodb table orders: may read, uses (97%)" in told
    assert "fails too: function order-writer (1), api a1b2c3 (2)" in told
    assert "SQS in eu-west-1: no policy allows sqs:ListQueues. It would show queues. Add it." in " ".join(
        told.split()
    )


def test_text_shows_the_way_from_a_cause_or_that_there_is_none() -> None:
    told = rendered(sheet(mapped(), "container", cause=QUEUE.name), "text")
    assert "queue orders-queue no longer feeds event-source-mapping 7f1c0a52: triggers, read:X f" in told
    none = rendered(sheet(mapped(), "container", cause="image-resizer"), "text")
    assert "No way from the cause to the symptom is known." in none


def boxes(told: str) -> dict[str, tuple[float, float, float, float]]:
    """Tooltip -> x, y, width, height of each box of a picture."""
    found = {}
    for group in ET.fromstring(told).iter(f"{_SVG}g"):
        rect, title = group.find(f"{_SVG}rect"), group.find(f"{_SVG}title")
        assert rect is not None
        assert title is not None
        if rect.get("class", "").startswith("b"):
            x, y, w, h = (float(rect.get(name, "nan")) for name in ("x", "y", "width", "height"))
            found[(title.text or "").partition(";")[0]] = (x, y, w, h)
    return found


@pytest.mark.parametrize("level", LEVELS)
def test_boxes_of_a_picture_lie_inside_it_and_never_on_each_other(level: str) -> None:
    resources, relations = estate(6)
    whole = mapped((*SHOP, *resources), (*SHOP_RELATIONS, *relations))
    made = sheet(whole, level)  # type: ignore[arg-type]
    told = rendered(made, "svg")
    found = boxes(told)
    assert set(found) == {one.id for one in made.view.nodes}
    root = ET.fromstring(told)
    width, height = float(root.get("width", "0")), float(root.get("height", "0"))
    placed = sorted(found.values())
    for number, (x, y, w, h) in enumerate(placed):
        assert 0 <= x <= x + w <= width
        assert 0 <= y <= y + h <= height
        for ox, oy, ow, oh in placed[number + 1 :]:
            assert x + w <= ox or ox + ow <= x or y + h <= oy or oy + oh <= y
    assert len(list(root.iter(f"{_SVG}path"))) == len(made.view.links) + 1


def test_callers_stand_left_of_what_they_call() -> None:
    found = boxes(rendered(sheet(mapped(), "container"), "svg"))
    assert found[API.arn][0] < found[WRITER.arn][0] < found[TABLE.arn][0]
    assert found[QUEUE.arn][0] < found[WRITER.arn][0]


def test_a_picture_asks_nobody_for_anything() -> None:
    told = rendered(sheet(mapped(), "all"), "svg")
    assert "script" not in told
    assert set(re.findall(r"https?://[^\"' ]+", told)) == {"http://www.w3.org/2000/svg"}


_EVIL = [
    '"];n0[x',
    "</title><script>alert(1)</script>",
    'a"b\\',
    "]]>&<",
    "a\nb\x1b[31m",
    "--> |x| ; end",
    "表#1",
    "`raw`",
    "%%{init: {'theme': 'dark'}}%%",
    "bell\x07",
]


@pytest.mark.parametrize("name", _EVIL)
def test_names_from_outside_harm_no_form(name: str) -> None:
    bad = thing("function", "evil", called=name, app=name)
    bad = replace(bad, arn=f"{bad.arn}{name}")
    whole = mapped((bad, TABLE), (leads(bad, "uses", TABLE, said=name),))
    for level in ("container", "system"):
        made = sheet(whole, level)
        root = ET.fromstring(rendered(made, "svg"))
        assert not list(root.iter(f"{_SVG}script"))
        networkx.read_graphml(io.BytesIO(rendered(made, "graphml").encode()))
        json.loads(rendered(made, "json"))
        assert "\x1b" not in rendered(made, "text")
        mermaid = rendered(made, "mermaid")
        assert "<script" not in mermaid
        for line in mermaid.splitlines():
            assert line.count('"') in (0, 2)
            assert "`" not in line
            assert "%" not in line.removeprefix("%% ")
        for line in rendered(made, "dot").splitlines():
            assert len(re.findall(r'(?<!\\)(?:\\\\)*"', line)) % 2 == 0


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 11), st.integers(0, 11)), max_size=40))
def test_any_links_are_arranged_without_overlap(pairs: list[tuple[int, int]]) -> None:
    from api.render.map.arrange import arrange

    sizes = {f"b{number}": (100.0 + number * 7, 40.0 + number % 3 * 10) for number in range(12)}
    made = arrange(sizes, [(f"b{a}", f"b{b}") for a, b in pairs])
    assert set(made.places) == set(sizes)
    placed = list(made.places.values())
    for number, one in enumerate(placed):
        assert one.x >= -0.01
        assert one.y >= -0.01
        assert one.x + one.width <= made.width + 0.01
        assert one.y + one.height <= made.height + 0.01
        for other in placed[number + 1 :]:
            apart = one.x + one.width <= other.x + 0.01 or other.x + other.width <= one.x + 0.01
            assert apart or one.y + one.height <= other.y + 0.01 or other.y + other.height <= one.y + 0.01


@pytest.mark.parametrize(
    ("wanted", "out", "form"),
    [
        (None, "", "text"),
        (None, "a.svg", "svg"),
        (None, "a.MMD", "mermaid"),
        (None, "a.gv", "dot"),
        (None, "a.txt", "text"),
        ("json", "a.svg", "json"),
        (None, "a.graphml", "graphml"),
        ("dot", "a.xyz", "dot"),
    ],
)
def test_the_form_follows_the_ending_unless_named(wanted: str | None, out: str, form: str) -> None:
    assert form_of(wanted, out) == form


@pytest.mark.parametrize(
    ("wanted", "out"), [(None, "m.png"), ("svg", "m.PNG"), (None, "m.pdf"), (None, "m.xyz")]
)
def test_an_ending_that_no_form_keeps_is_refused(wanted: str | None, out: str) -> None:
    with pytest.raises(BadInput, match=Path(out).suffix.lower()):
        form_of(wanted, out)
