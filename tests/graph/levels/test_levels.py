"""Four levels of one account: places, lifted relations, alarms; equal in whatever order the facts come."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from graph.levels import LEVELS, Atlas, Level, chart, rank_of, view
from tests.graph.levels.estates import (
    API,
    CALM,
    GROUP,
    INDEX,
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
from tools import catalogue
from tools.models import Relation, Resource


def shop() -> Atlas:
    return chart(SHOP, SHOP_RELATIONS)


def test_every_level_holds_what_belongs_to_it() -> None:
    nodes = {level: {one.id for one in view(shop(), level).nodes} for level in LEVELS}
    containers = {one.arn for one in (API, WRITER, TABLE, QUEUE, STRANGER)}
    assert nodes["container"] == containers
    assert nodes["component"] == containers | {INDEX.arn, MAPPING.arn}
    assert nodes["all"] == {one.arn for one in SHOP}
    assert all(id.startswith("system:") for id in nodes["system"])
    assert view(shop(), "container").hidden == 4


def test_a_part_stands_behind_its_container() -> None:
    by_id = {one.id: one.members for one in view(shop(), "container").nodes}
    assert by_id[TABLE.arn] == (TABLE.arn, INDEX.arn)
    assert set(by_id[WRITER.arn]) == {WRITER.arn, MAPPING.arn}


def test_links_count_the_relations_behind_them_and_say_where_they_are_from() -> None:
    links = {(one.source, one.target): one for one in view(shop(), "container").links}
    assert set(links) == {(API.arn, WRITER.arn), (WRITER.arn, TABLE.arn), (QUEUE.arn, WRITER.arn)}
    both = links[WRITER.arn, TABLE.arn]
    assert (both.count, both.kinds, both.confidence) == (2, (("may read", 1), ("uses", 1)), 0.97)
    assert both.provenance == (
        "lambda:GetFunctionConfiguration Environment.TABLE_NAME",
        "iam:GetRolePolicy p",
    )
    assert sum(one.count for one in view(shop(), "all").links) == len(SHOP_RELATIONS)


def test_at_most_ten_provenances_are_kept_and_all_are_counted() -> None:
    many = [leads(WRITER, "uses", TABLE, said=f"read {number}") for number in range(14)]
    (link,) = view(chart([WRITER, TABLE], many), "container").links
    assert (link.count, len(link.provenance)) == (14, 10)


def test_alarms_mark_what_they_watch_and_the_worst_state_counts() -> None:
    atlas = chart([*SHOP, thing("alarm", "calm-too", "OK")], [*SHOP_RELATIONS, leads(CALM, "watches", TABLE)])
    nodes = {one.id: one for one in view(atlas, "container").nodes}
    assert [one.name for one in nodes[TABLE.arn].alarms] == ["orders-throttled", "writer-errors"]
    assert (nodes[TABLE.arn].state, nodes[WRITER.arn].state, nodes[API.arn].state) == ("ALARM", "OK", "")
    assert RED.arn in {one.id for one in view(atlas, "all").nodes}
    assert {one.state for one in view(atlas, "system").nodes} == {"ALARM", ""}


def test_a_composite_alarm_marks_what_its_children_watch() -> None:
    whole = thing("alarm", "shop-down", "ALARM")
    atlas = chart(
        [*SHOP, whole], [*SHOP_RELATIONS, leads(whole, "watches", CALM), leads(CALM, "watches", whole)]
    )
    nodes = {one.id: one for one in view(atlas, "container").nodes}
    assert nodes[WRITER.arn].state == "ALARM"


def test_parts_of_a_load_balancer_and_a_release_find_their_containers() -> None:
    balancer, group = thing("load-balancer", "shop/50dc"), thing("target-group", "shop/73e2")
    listener = thing("listener", "shop/50dc/0467")
    service, release = thing("service", "web"), thing("task-definition", "web:7")
    relations = [
        leads(balancer, "listens on", listener),
        leads(listener, "forwards to", group),
        leads(group, "targets", service),
        leads(service, "uses definition", release),
    ]
    atlas = chart([balancer, group, listener, service, release], relations)
    assert {arn: atlas.home[arn] for arn in (group.arn, listener.arn, release.arn)} == {
        group.arn: balancer.arn,
        listener.arn: balancer.arn,
        release.arn: service.arn,
    }
    (link,) = view(atlas, "container").links
    assert (link.source, link.target) == (balancer.arn, service.arn)


def test_a_part_of_nothing_known_stands_for_itself() -> None:
    atlas = chart([MAPPING, QUEUE], [leads(QUEUE, "triggers", MAPPING)])
    assert {one.id for one in view(atlas, "container").nodes} == {MAPPING.arn, QUEUE.arn}


def test_relations_to_what_nobody_knows_are_left_out_and_counted() -> None:
    atlas = chart([WRITER], SHOP_RELATIONS)
    assert (atlas.relations, atlas.unknown_ends) == ((), len(SHOP_RELATIONS))


@pytest.mark.parametrize(
    ("arn", "type", "rank"),
    [
        ("arn:aws:kafka:eu-west-1:111122223333:cluster/events/abc", "cluster", "container"),
        ("arn:aws:acm:eu-west-1:111122223333:certificate/abc", "certificate", "other"),
        ("arn:aws:ec2:eu-west-1:111122223333:transit-gateway/tgw-1", "transit-gateway", "other"),
        ("arn:aws:braket:eu-west-1:111122223333:task/x", "task", "component"),
    ],
)
def test_what_no_service_file_knows_goes_by_the_table(arn: str, type: str, rank: str) -> None:
    known = Resource(arn=arn, service="nobody", type=type, name="x", account="", region="")
    assert rank_of(known) == rank


def test_what_a_service_file_says_counts() -> None:
    for service in catalogue.services().values():
        for type, rank in service.types.items():
            one = Resource(arn="", service=service.name, type=type, name="x", account="", region="")
            assert rank_of(one) == rank


@given(st.permutations(SHOP), st.permutations(SHOP_RELATIONS))
def test_equal_facts_in_any_order_give_equal_levels(
    resources: list[Resource], relations: list[Relation]
) -> None:
    other = chart(resources, relations)
    for level in LEVELS:
        assert view(other, level) == view(shop(), level)


@pytest.mark.parametrize("level", LEVELS)
def test_nothing_makes_an_empty_view(level: Level) -> None:
    empty = view(chart([], []), level)
    assert (empty.nodes, empty.links, empty.systems, empty.hidden) == ((), (), (), 0)


def test_an_instance_goes_by_the_name_in_its_tag() -> None:
    box = replace(thing("instance", "i-062dd1d46311f0623"), tags={"Name": "wiki-web"})
    (node,) = view(chart([box], []), "container").nodes
    assert node.name == "wiki-web"


def test_what_hangs_on_one_system_alone_is_its_own_and_the_shared_is_nobodys() -> None:
    atlas = shop()
    assert atlas.system_of[GROUP.arn] == atlas.system_of[WRITER.arn]
    assert atlas.system_of[STRANGER.arn] != atlas.system_of[WRITER.arn]
    assert ROLE.arn not in atlas.system_of
