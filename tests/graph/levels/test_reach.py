"""Where a fault travels, and where it does not."""

from __future__ import annotations

from graph.levels import blast_radius, chart, failure_path
from tests.graph.levels.estates import (
    API,
    CALM,
    GROUP,
    MAPPING,
    QUEUE,
    RED,
    ROLE,
    SHOP,
    SHOP_RELATIONS,
    STRANGER,
    TABLE,
    WRITER,
    leads,
    thing,
)


def test_failures_go_back_to_those_who_call_and_silence_goes_on() -> None:
    atlas = chart(SHOP, SHOP_RELATIONS)
    table = blast_radius(atlas, TABLE.arn)
    assert [(one.arn, one.steps) for one in table.fails] == [
        (WRITER.arn, 1),
        (API.arn, 2),
        (MAPPING.arn, 2),
        (QUEUE.arn, 3),
    ]
    assert table.starves == ()
    queue = blast_radius(atlas, QUEUE.arn)
    assert queue.fails == ()
    assert [one.arn for one in queue.starves][:2] == [MAPPING.arn, WRITER.arn]
    assert table.systems == ("system:orders",)


def test_a_role_passes_on_its_own_fault_but_not_that_of_what_it_may_use() -> None:
    atlas = chart(SHOP, SHOP_RELATIONS)
    assert STRANGER.arn in {one.arn for one in blast_radius(atlas, ROLE.arn).fails}
    assert {STRANGER.arn, ROLE.arn}.isdisjoint(one.arn for one in blast_radius(atlas, TABLE.arn).fails)


def test_alarms_and_logs_pass_nothing_on() -> None:
    atlas = chart(SHOP, SHOP_RELATIONS)
    for one in (RED, CALM, GROUP):
        assert blast_radius(atlas, one.arn).fails == ()
    assert RED.arn not in {one.arn for one in blast_radius(atlas, TABLE.arn).fails}


def test_a_network_fails_for_all_who_lie_in_it() -> None:
    subnet, table, nat = (
        thing("subnet", "subnet-1"),
        thing("route-table", "rtb-1"),
        thing("nat-gateway", "nat-1"),
    )
    web = thing("instance", "i-1")
    relations = [leads(web, "in", subnet), leads(subnet, "routed by", table), leads(table, "routes to", nat)]
    atlas = chart([subnet, table, nat, web], relations)
    assert [one.arn for one in blast_radius(atlas, nat.arn).fails] == [table.arn, subnet.arn, web.arn]


def test_the_path_from_cause_to_symptom_names_each_relation() -> None:
    atlas = chart(SHOP, SHOP_RELATIONS)
    path = failure_path(atlas, TABLE.arn, API.arn)
    assert [(one.before, one.after, one.how) for one in path] == [
        (TABLE.arn, WRITER.arn, "fails"),
        (WRITER.arn, API.arn, "fails"),
    ]
    assert path[0].relation.provenance == "lambda:GetFunctionConfiguration Environment.TABLE_NAME"
    silence = failure_path(atlas, QUEUE.arn, WRITER.arn)
    assert [one.how for one in silence] == ["starves", "starves"]


def test_where_no_way_leads_there_is_none() -> None:
    atlas = chart(SHOP, SHOP_RELATIONS)
    assert failure_path(atlas, STRANGER.arn, TABLE.arn) == ()
    assert failure_path(atlas, TABLE.arn, TABLE.arn) == ()
    assert failure_path(atlas, "arn:aws:sqs:eu-west-1:111122223333:nowhere", TABLE.arn) == ()
    nothing = blast_radius(atlas, "arn:aws:sqs:eu-west-1:111122223333:nowhere")
    assert (nothing.fails, nothing.starves) == ((), ())


def test_a_circle_ends() -> None:
    a, b = thing("function", "a"), thing("function", "b")
    atlas = chart([a, b], [leads(a, "invokes", b), leads(b, "invokes", a)])
    assert [one.arn for one in blast_radius(atlas, a.arn).fails] == [b.arn]
