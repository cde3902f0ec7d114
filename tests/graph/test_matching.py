"""Words that start an investigation: what they mean in three accounts, and what holds for all words and names."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from graph.matching import Found, candidates, match, several, unmatched
from graph.naming import nearest, unknown
from tests.graph.text_accounts import ACCOUNT, DESK, QUIET, REGION, SCOPES, SHOP, Scope, alarm, thing
from tests.graph.text_phrases import ANOTHER_ACCOUNT, HELD_OUT, LIMITS, WRITTEN_FIRST, Phrase
from tools.aws import Account, Aws, Reader
from tools.budget import Budget, Limits
from tools.clock import VirtualClock
from tools.evidence import MemoryStore
from tools.transport import WireAnswer, WireRequest


def means(scope: Scope, text: str) -> tuple[str, ...]:
    return names(match(text, scope.alarms, scope.resources))


def names(found: Found) -> tuple[str, ...]:
    return tuple(sorted(f"alarm {one.name}" if one.kind == "alarm" else one.name for one in found.fits))


@pytest.mark.parametrize(
    ("account", "text", "wanted"), [*WRITTEN_FIRST, *HELD_OUT, *ANOTHER_ACCOUNT, *LIMITS]
)
def test_what_people_type(account: str, text: str, wanted: tuple[str, ...]) -> None:
    assert means(SCOPES[account], text) == tuple(sorted(wanted))


@pytest.mark.parametrize("phrases", [WRITTEN_FIRST, HELD_OUT])
def test_half_of_the_phrases_are_japanese_and_each_answer_is_tried(phrases: Sequence[Phrase]) -> None:
    assert len(phrases) >= 30
    assert sum(not text.isascii() for _, text, _ in phrases) >= len(phrases) * 0.45
    counts = [sum(min(len(wanted), 2) == size for *_, wanted in phrases) for size in (0, 1, 2)]
    assert counts[0] >= 6
    assert counts[1] >= 18
    assert counts[2] >= 1


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("ordersのアラーム", ("alarm orders-writes-throttled",)),
        ("orders-writes-throttled on table orders", ("alarm orders-writes-throttled",)),
        ("order-reader.", ("function order-reader",)),
        ("...orders...", ("alarm orders-writes-throttled",)),
        ("/aws/lambda/order-reader logs errors", ("function order-reader",)),
        ("order-reader-v2 is slow", ()),
        ("my-order-reader is slow", ()),
        ("order-reader.example.com is down", ()),
        ("reorders are slow", ()),
        ("https://shop.example.com/checkout is down", ()),
        ("arn:aws:dynamodb:eu-west-1:111122223333:table/order-items is slow", ("table order-items",)),
        ("arn:aws:dynamodb:eu-west-1:111122223333:table/order-itemsが遅い", ("table order-items",)),
        ("abc123.execute-api.eu-west-1.amazonaws.com/prod/orders", ("api orders-api",)),
        ("payments.c1example2ab.eu-west-1.rds.amazonaws.com is slow", ("db-instance payments",)),
        (
            "payments.c1example2ab.eu-west-1.rds.amazonaws.com or abc123.execute-api.eu-west-1.amazonaws.com",
            ("api orders-api", "db-instance payments"),
        ),
        ("payments.example.eu-west-1.rds.example.com is slow", ()),
        ("api abc123 is slow", ("api orders-api",)),
        ("the checkout queue is stuck", ()),
        ("the `data` thing is broken", ("table data",)),
        ("the data table and order-items", ("table data", "table order-items")),
    ],
)
def test_names_are_said_whole(text: str, wanted: tuple[str, ...]) -> None:
    assert means(SHOP, text) == wanted


def test_an_arn_that_no_listing_holds_is_taken_as_it_is() -> None:
    arn = "arn:aws:dynamodb:us-east-1:444455556666:table/far"
    assert [one.target for one in match(f"{arn}, slow", (), ()).fits] == [arn]


def test_a_red_alarm_is_the_start_only_when_it_is_the_only_one_that_fits() -> None:
    on = replace(
        SHOP, alarms=(*SHOP.alarms, alarm("orders-reads-slow", "table", "orders", "Latency", "ALARM"))
    )
    assert means(on, "orders is broken") == ("table orders",)
    assert means(on, "orders is throttled") == ("alarm orders-writes-throttled",)
    assert means(on, "ordersのレイテンシ") == ("alarm orders-reads-slow",)
    green = replace(SHOP, alarms=tuple(replace(one, state="OK") for one in SHOP.alarms))
    assert means(green, "orders is throttled") == ("table orders",)
    assert means(green, "throttled") == ()


def test_words_for_a_kind_of_symptom_list_all_red_alarms_of_it() -> None:
    two = alarm("seats-writer-errors", "function", "seats-writer", "Errors", "ALARM")
    on = replace(DESK, alarms=(*DESK.alarms, two))
    assert means(on, "エラーが多い") == ("alarm booking-writer errors", "alarm seats-writer-errors")
    assert means(on, "lambda errors") == ("alarm booking-writer errors", "alarm seats-writer-errors")
    assert means(on, "table errors") == ()
    assert means(on, "billing errors") == ()


def test_things_of_one_name_are_told_apart() -> None:
    twins = (thing("api", "shop", "aaa111"), thing("api", "shop", "bbb222"))
    found = match("shop is down", (), twins)
    assert [one.name for one in found.fits] == ["api shop (aaa111)", "api shop (bbb222)"]
    assert means(Scope(alarms=(), resources=twins), "api bbb222 is down") == ("api shop (bbb222)",)


def test_ambiguous_words_say_what_to_type() -> None:
    said = several(match("payments_v2 is slow", SHOP.alarms, SHOP.resources))
    for arn in (
        "arn:aws:dynamodb:eu-west-1:111122223333:table/payments_v2",
        "arn:aws:sqs:eu-west-1:111122223333:payments_v2",
    ):
        assert f"--resource {arn}" in said
    many = match("x{1} things", (), ())
    assert not many.fits
    crowd = [thing("queue", "jobs-of-all", "") for _ in range(1)] + [
        thing("api", "jobs-of-all", f"id{n:04}") for n in range(14)
    ]
    assert "5 more" in several(match("jobs-of-all", (), crowd))


@pytest.mark.parametrize(
    ("scope", "text", "near"),
    [
        (SHOP, "order is failing", "orders"),
        (SHOP, "payment_v2 table throttling", "payments_v2"),
        (SHOP, "checkouts is down", "checkout"),
        (SHOP, "the checkout queue is stuck", "checkout"),
        (DESK, "bokings table", "bookings"),
        (DESK, "users cannot log in", "users"),
        (QUIET, "order archive", "orders-archive"),
        (DESK, "決済エラー率", "決済エラー率が高い"),
    ],
)
def test_words_that_fit_nothing_name_the_nearest(scope: Scope, text: str, near: str) -> None:
    found = match(text, scope.alarms, scope.resources)
    assert not found.fits
    assert near in [one.name.split(" ", 1)[-1] for one in found.near]
    said = unmatched(found, text, REGION)
    assert found.near[0].option in said
    assert text in said
    assert "--alarm NAME" in said


def test_braces_in_the_words_do_no_harm() -> None:
    assert '"{orders} {0} {"' in unmatched(Found(), "{orders} {0} {", REGION)


def test_only_words_that_may_be_names_are_unknown() -> None:
    assert unknown("throttled since 2am yesterday, 30分前からエラーが急増しています") == ()
    assert unknown("billing errors") == ("billing",)
    assert unknown("在庫のエラー") == ("在庫",)


def test_nearest_is_the_best_first() -> None:
    assert nearest("ordrs are slow", ["border", "orders", "zebra", "ordersets"])[0] == "orders"


everything = [(scope, one) for scope in (SHOP, DESK, QUIET) for one in scope.resources if len(one.name) > 3]


@given(st.sampled_from(everything), st.sampled_from(["「{}」が遅い", "`{}` fails", '"{}"の障害', "{} "]))
def test_a_name_said_whole_is_never_taken_for_something_else(pair: tuple[Scope, Any], form: str) -> None:
    scope, one = pair
    found = match(form.format(one.name), scope.alarms, scope.resources)
    allowed = {arn.arn for arn in scope.resources if arn.name.casefold() == one.name.casefold()}
    watched = {item.name for item in scope.alarms if set(dict(item.metric.dimensions).values()) & {one.name}}
    assert {item.target for item in found.fits} <= allowed | watched


@given(st.sampled_from(everything), st.sampled_from("sx1z"))
def test_a_longer_word_is_not_the_name(pair: tuple[Scope, Any], letter: str) -> None:
    scope, one = pair
    longer = f"{one.name}{letter}"
    if one.name[-1].isascii() and longer.casefold() not in {item.name.casefold() for item in scope.resources}:
        bare = [replace(item, tags={}) for item in scope.resources]
        found = match(f"{longer} hiccups", scope.alarms, bare)
        assert one.arn not in [item.target for item in found.fits]


words = st.text(max_size=40) | st.lists(
    st.sampled_from(
        [
            "orders",
            "order-writer",
            "注文",
            "table",
            "キュー",
            "throttled",
            "エラー",
            "arn:aws:",
            "https://",
            "[",
            "{",
        ]
    ),
    max_size=8,
).map(" ".join)


@given(words, st.randoms(use_true_random=False))
def test_any_words_in_any_order_of_things_give_the_same(text: str, order: Any) -> None:
    alarms, resources = list(SHOP.alarms), list(SHOP.resources)
    first = match(text, alarms, resources)
    order.shuffle(alarms)
    order.shuffle(resources)
    again = match(text, alarms, resources)
    assert again.fits == first.fits
    assert not (first.fits and first.near)
    unmatched(first, text, REGION)
    several(first)


# ---- what is read


class Listed:
    """A Transport that lists some tables and tags, and refuses everything else."""

    virtual = True

    def __init__(self, tables: Sequence[str], tags: dict[str, str] | None) -> None:
        self.tables, self.tags = tables, tags
        self.asked: list[str] = []

    def start(self) -> datetime | None:
        return None

    def close(self) -> None:
        pass

    def send(self, request: WireRequest) -> WireAnswer:
        self.asked.append(request.operation)
        refused = {"__type": "AccessDeniedException", "message": "no"}
        body = self._body(request.operation)
        return WireAnswer(
            status=200 if body else 403,
            headers={"Content-Type": "application/x-amz-json-1.1"},
            body=json.dumps(body or refused).encode(),
            protocol=request.protocol,
        )

    def _body(self, operation: str) -> dict[str, Any] | None:
        if operation == "ListTables":
            return {"TableNames": list(self.tables)}
        if operation == "DescribeAlarms":
            return {"MetricAlarms": []}
        if operation != "GetResources" or self.tags is None:
            return None
        arn = f"arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/"
        tagged = [
            {"ResourceARN": arn + name, "Tags": [{"Key": "app", "Value": value}]}
            for name, value in self.tags.items()
        ]
        return {"ResourceTagMappingList": tagged}


def reading(transport: Listed) -> Reader:
    clock = VirtualClock(datetime(2026, 3, 13, tzinfo=UTC))
    aws = Aws(Account(region=REGION), transport, clock, Budget(Limits()), MemoryStore(), own_account=ACCOUNT)
    return Reader(aws=aws, letter="I")


def test_tags_are_read_only_when_names_do_not_tell() -> None:
    transport = Listed(["stock", "prices"], {"stock": "在庫", "prices": "価格"})
    assert names(candidates(reading(transport), "stock is slow")) == ("table stock",)
    assert "GetResources" not in transport.asked
    assert names(candidates(reading(transport), "在庫が更新されない")) == ("table stock",)
    assert "GetResources" in transport.asked


def test_what_cannot_be_listed_is_a_gap_and_the_rest_is_matched() -> None:
    reader = reading(Listed(["stock"], None))
    assert names(candidates(reader, "stock is slow")) == ("table stock",)
    assert {gap.what.split(" in ")[0] for gap in reader.gaps} == {
        "API Gateway (REST)", "API Gateway (HTTP and WebSocket)", "Lambda", "SQS",
    }  # fmt: skip
    reader = reading(Listed(["stock"], None))
    assert not candidates(reader, "在庫が更新されない").fits
    assert f"tags in {REGION}" in {gap.what for gap in reader.gaps}
