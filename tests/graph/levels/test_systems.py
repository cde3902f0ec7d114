"""What belongs together, and the reason that is given for it."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from graph.levels import Atlas, chart, view
from graph.levels.names import common, words
from graph.levels.tags import environment, owner_tag, system_tag
from tests.graph.levels.estates import SHOP, SHOP_RELATIONS, estate, leads, thing
from tools.models import Resource


def parts(atlas: Atlas) -> dict[str, set[str]]:
    """System name -> names of its containers."""
    return {one.name: {atlas.resources[arn].name for arn in one.why} for one in atlas.systems.values()}


@pytest.mark.parametrize(
    ("tags", "name", "reason"),
    [
        ({"app": "shop"}, "shop", "tag app=shop"),
        ({"Application-Name": "shop"}, "shop", "tag Application-Name=shop"),
        ({"acme:project": "shop", "team": "core"}, "shop", "tag acme:project=shop"),
        ({"service": "cart", "application": "shop"}, "shop", "tag application=shop"),
        (
            {
                "awsApplication": "arn:aws:resource-groups:eu-west-1:111122223333:group/Shop/0abc",
                "app": "other",
            },
            "Shop",
            "myApplications tag awsApplication",
        ),
        ({"aws:cloudformation:stack-name": "shop-prod"}, "shop-prod", "CloudFormation stack shop-prod"),
        ({"app": "shop", "aws:cloudformation:stack-name": "x"}, "shop", "tag app=shop"),
        ({"copilot-application": "shop"}, "shop", "tag copilot-application=shop"),
        ({"app": " ", "team": "core"}, "", ""),
        ({"aws:app": "shop", "Name": "shop"}, "", ""),
        ({}, "", ""),
    ],
)
def test_tags_name_a_system(tags: dict[str, str], name: str, reason: str) -> None:
    assert system_tag(tags) == (name, reason)


def test_teams_and_environments_are_read_in_any_spelling() -> None:
    assert owner_tag({"Team": "core"}) == ("core", "tag Team=core")
    assert environment({"acme:Environment": "Prod"}) == "prod"
    assert (owner_tag({}), environment({})) == (("", ""), "")


def test_a_tag_beats_relations_and_says_so() -> None:
    a, b = thing("function", "a", app="cart"), thing("table", "b", app="pay")
    atlas = chart([a, b], [leads(a, "uses", b)])
    assert parts(atlas) == {"cart": {"a"}, "pay": {"b"}}
    assert {one.reason for one in atlas.systems.values()} == {"tag app=cart", "tag app=pay"}
    (link,) = view(atlas, "system").links
    assert (link.source, link.target) == ("system:cart", "system:pay")


def test_environments_of_one_application_are_apart() -> None:
    made = [thing("function", f"f-{env}", app="shop", env=env) for env in ("prod", "staging")]
    atlas = chart([*made, thing("table", "t", App="Shop")], [])
    assert parts(atlas) == {"Shop": {"t"}, "Shop (prod)": {"f-prod"}, "Shop (staging)": {"f-staging"}}


def test_untagged_parts_join_the_one_tagged_system_that_they_have_to_do_with() -> None:
    tagged = thing("function", "checkout", app="shop")
    table, queue = thing("table", "baskets"), thing("queue", "mails")
    atlas = chart([tagged, table, queue], [leads(tagged, "uses", table), leads(table, "feeds", queue)])
    assert parts(atlas) == {"shop": {"checkout", "baskets", "mails"}}
    assert "no other system than shop (2)" in atlas.systems["system:shop"].reason
    other = thing("function", "billing", app="pay")
    both = chart([tagged, table, other], [leads(tagged, "uses", table), leads(other, "uses", table)])
    assert parts(both)["baskets"] == {"baskets"}


def test_untagged_systems_are_found_by_relations_and_named_by_their_names() -> None:
    atlas = chart(SHOP, SHOP_RELATIONS)
    found = parts(atlas)
    assert found["orders"] >= {"order-writer", "orders", "orders-queue"}
    reason = atlas.systems["system:orders"].reason
    assert "no tag and no stack; 4 parts related by 3 relations" in reason
    assert '3 of 4 names begin with "orders"' in reason
    assert found["on their own"] == {"image-resizer"}


def test_what_is_related_to_nothing_goes_by_its_name() -> None:
    lone, twin = thing("table", "orders-archive"), thing("queue", "reports-a")
    atlas = chart([*SHOP, lone, twin, thing("queue", "reports-b")], SHOP_RELATIONS)
    assert "orders-archive" in parts(atlas)["orders"]
    assert parts(atlas)["report"] == {"reports-a", "reports-b"}
    assert 'name begins with "order"' in atlas.systems["system:orders"].why[lone.arn]


def test_a_relation_between_teams_joins_no_system() -> None:
    a, b = thing("function", "alpha", team="x"), thing("table", "beta", team="y")
    assert len(chart([a, b], [leads(a, "uses", b)]).systems) == 2
    same = replace(b, tags={"team": "x"})
    (one,) = chart([a, same], [leads(a, "uses", same)]).systems.values()
    assert "all with tag team=x" in one.reason


def test_a_large_untagged_account_falls_into_its_systems() -> None:
    resources, relations = estate(30)
    atlas = chart(resources, relations)
    assert len(atlas.systems) == 30
    assert {len(one.members) for one in atlas.systems.values()} == {10}


def test_every_container_is_in_one_system_with_a_reason() -> None:
    resources, relations = estate(20)
    atlas = chart([*SHOP, *resources], [*SHOP_RELATIONS, *relations])
    placed = [arn for one in atlas.systems.values() for arn in one.why]
    assert sorted(placed) == sorted(set(atlas.home.values()))
    assert all(why for one in atlas.systems.values() for why in one.why.values())


@settings(max_examples=10)
@given(st.randoms(use_true_random=False))
def test_communities_do_not_depend_on_the_order_of_facts(random: object) -> None:
    resources, relations = estate(8)
    first = chart(resources, relations)
    random.shuffle(resources)  # type: ignore[attr-defined]
    random.shuffle(relations)  # type: ignore[attr-defined]
    assert chart(resources, relations).systems == first.systems


def test_systems_of_equal_plain_names_have_ids_of_their_own() -> None:
    made: list[Resource] = [thing("table", "a", app="my app"), thing("table", "b", app="my/app")]
    assert sorted(chart(made, []).systems) == ["system:my-app", "system:my-app-2"]


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("prod-orders-table-v2", ("order",)),
        ("OrderWriterFunction", ("order", "writer")),
        ("/aws/lambda/order-writer", ("order", "writer")),
        ("i-0abc", ("abc",)),
        ("eu-west-1", ()),
        ("", ()),
    ],
)
def test_words_of_names(name: str, found: tuple[str, ...]) -> None:
    assert words(name) == found


def test_the_longest_beginning_that_most_names_share() -> None:
    assert common(["shop-cart-a", "shop-cart-b", "shop-pay"]) == ("shop-cart", 2)
    assert common(["invoices", "invoices-dlq", "invoice-writer"]) == ("invoices", 3)
    assert common(["a-thing", "other-thing"]) == ("", 0)
    assert common(["one"]) == ("", 0)
