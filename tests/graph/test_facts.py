"""What weighing sees: parts and wholes, ways along relations, error texts, present values."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any, cast

import pytest

from graph.changed_parts import MOST_PARTS, parts
from graph.earlier_values import config_items, versions
from graph.facts import Facts
from graph.state import State, dump, dump_all
from tests.graph import made
from tests.graph.kinds import KINDS, configured
from tests.graph.made import (
    ALIAS,
    API,
    NOTIFIER,
    ONSET,
    QUEUE,
    REGION,
    ROLE,
    STAGE,
    STRANGER,
    TABLE,
    WRITER,
    event,
    pattern,
)
from tests.tools.fake_account import FakeAws
from tools.models import Gap, Json

SHOP = made.facts((WRITER, "Errors"), {(WRITER, "Errors"): (0, 8)})
ALIASED = made.facts(
    (WRITER, "Errors"), {}, resources=(*made.shop(), made.resource(ALIAS, "parcel-writer:live", {"x": 1}))
)


def test_from_the_state_and_back() -> None:
    facts = KINDS["timeout lowered"].facts()
    stage = made.resource(STAGE, "prod", {"a": 1})
    state: dict[str, Any] = {
        "incident": facts.incident.model_dump(mode="json"),
        "as_of": facts.as_of.isoformat(),
        "lookback": 24,
        "resources": dump_all(facts.resources),
        "parts": [dump(stage), dump(facts.resources[0])],
        "relations": dump_all(facts.relations),
        "changes": dump_all(facts.changes),
        "metrics": [item.model_dump(mode="json") for item in facts.metrics],
        "patterns": dump_all(facts.patterns),
        "log_window": dump(facts.log_window),
        "complete_until": ONSET.isoformat(),
        "gaps": {"logs": [dump(Gap(what="a", why="b"))], "metrics": []},
    }
    found = Facts.of(cast("State", state))
    assert found == replace(
        facts,
        lookback=24,
        complete_until=ONSET,
        gaps=(Gap(what="a", why="b"),),
        resources=(*facts.resources, stage),
    )


def test_a_state_that_has_hardly_begun() -> None:
    bare = {"incident": SHOP.incident.model_dump(mode="json"), "as_of": SHOP.as_of.isoformat()}
    found = Facts.of(cast("State", bare))
    assert (found.resources, found.changes, found.trail_visible, found.complete_until) == ((), (), True, None)


@pytest.mark.parametrize(
    ("arn", "whole"),
    [
        (ALIAS, WRITER),
        (STAGE, API),
        (WRITER, WRITER),
        (QUEUE, QUEUE),
        (f"{TABLE}-x/index/a", f"{TABLE}-x/index/a"),
    ],
)
def test_the_holder_of_a_part(arn: str, whole: str) -> None:
    assert ALIASED.holder(arn) == whole


def test_ways_lead_over_the_whole_to_its_part() -> None:
    assert ALIASED.path(API, ALIAS) == (API, WRITER, ALIAS)
    assert ALIASED.path(WRITER, ALIAS) == (WRITER, ALIAS)
    assert ALIASED.path(ALIAS, TABLE) == (ALIAS, WRITER, TABLE)
    assert ALIASED.path(STRANGER, ALIAS) == ()
    assert ALIASED.upstream(ALIAS) == (WRITER, *ALIASED.upstream(WRITER))
    assert ALIASED.downstream(ALIAS) == ALIASED.downstream(WRITER)


def test_who_relies_on_what() -> None:
    assert API in SHOP.upstream(TABLE)
    assert SHOP.upstream(ROLE)[0] == WRITER
    assert NOTIFIER in SHOP.downstream(QUEUE)
    assert SHOP.upstream(STRANGER) == ()
    assert SHOP.downstream(STRANGER) == (made.arn("logs", "log-group:/aws/lambda/tax-report"),)
    assert SHOP.path(API, TABLE) == (API, WRITER, TABLE)
    assert SHOP.path(TABLE, API) == ()


@pytest.mark.parametrize(
    ("line", "points_to"),
    [
        (
            "2026-04-09T10:02:11.034Z 5f2b8c1e-33aa-4b1c-9d2e-0a1b2c3d4e5f Task timed out after 3.00 seconds",
            "Timeout",
        ),
        ("RequestId: 5f Error: Runtime exited with error: signal: killed", "MemorySize"),
        ("[ERROR] Runtime.ImportModuleError: Unable to import module 'app'", "Handler"),
        ("[ERROR] KeyError: 'TABLE_NAME'", "Environment.Variables"),
        (KINDS["policy detached"].patterns[0].sample, "Policies"),
        (
            "An error occurred (AWS.SimpleQueueService.NonExistentQueue) when calling SendMessage",
            "DeleteQueue",
        ),
        ("all is well", ""),
    ],
)
def test_error_texts_are_recognised_as_they_stand_in_logs(line: str, points_to: str) -> None:
    found = SHOP.signature(pattern(line))
    assert (found.points_to if found else "") in (
        points_to,
        "DeleteQueue" if "Queue" in points_to else points_to,
    )


def test_what_a_program_says_of_itself_counts_in_the_logs_of_its_own_machine() -> None:
    machine = made.resource(
        made.arn("ec2", "instance/i-0a1b2c3d4e5f60718"),
        "i-0a1b2c3d4e5f60718",
        {"LogGroups": ["/shop/tomcat", "/shop/mysql"]},
    )
    facts = replace(SHOP, resources=(*SHOP.resources, machine))
    heap, full = "java.lang.OutOfMemoryError: Java heap space", "ERROR 1040 (HY000): Too many connections"

    def named(line: str, group: str) -> tuple[str, bool]:
        found = facts.signature(pattern(line, group=group))
        return (found.points_to, found.own) if found else ("", False)

    assert named(heap, "/shop/tomcat") == ("heap-exhausted", True)
    assert named(heap, "/aws/lambda/parcel-writer") == ("", False)
    assert named(heap, "/shop/nginx") == ("", False)
    assert named(full, "/shop/mysql") == ("Parameters.max_connections", True)
    assert named(full, "/shop/tomcat") == ("Parameters.max_connections", False), "a client speaks of a server"
    assert named(f"[Warning] [Server] {full}", "/shop/tomcat") == ("Parameters.max_connections", True)
    assert named(full, "/aws/lambda/parcel-writer") == ("Parameters.max_connections", False)


def test_present_values() -> None:
    assert SHOP.current(WRITER, "Timeout") == 30
    assert SHOP.current(WRITER, "Environment.Variables") is not None
    assert isinstance(SHOP.current(WRITER, "Environment.Variables"), str), "maps are told as text"
    assert SHOP.current(WRITER, "NoSuchThing") is None
    assert SHOP.current("arn:aws:lambda:eu-central-1:111122223333:function:other", "Timeout") is None


def test_names() -> None:
    assert SHOP.name(QUEUE) == "parcel-events"
    assert SHOP.name("arn:aws:lambda:eu-central-1:111122223333:function:other") == "other"
    assert (SHOP.kind_word(made.MAPPING), SHOP.kind_word("arn:aws:x:::y")) == (
        "event source mapping",
        "resource",
    )
    assert SHOP.setting(WRITER, "NoSuchThing") is None
    assert SHOP.conditions_of(made.resource(QUEUE, "q")) == ()


# -- parts that changes touch ------------------------------------------------------------------------


def fake() -> FakeAws:
    return FakeAws({("lambda", "GetAlias"): {"FunctionVersion": "42"}}, region=REGION)


def moved(alias: str, minutes: float = -1.0) -> Any:
    request = {"functionName": "parcel-writer", "name": alias, "functionVersion": "42"}
    return event("lambda", "UpdateAlias", request, minutes=minutes, id=f"{alias}{minutes}")


def test_an_alias_that_was_moved_is_read() -> None:
    aws = fake()
    (found,) = parts(aws.reader(), SHOP, [moved("live")])
    assert (found.arn, found.type, found.config["FunctionVersion"]) == (ALIAS, "alias", "42")
    assert aws.asked == [("lambda", "GetAlias")]


def test_a_part_that_may_not_be_read_stays_as_its_arn_tells_it() -> None:
    aws = FakeAws({}, denied=frozenset({"lambda:GetAlias"}), region=REGION)
    reader = aws.reader()
    (found,) = parts(reader, SHOP, [moved("live")])
    assert (found.arn, found.config) == (ALIAS, {})
    assert len(reader.gaps) == 1


def test_each_part_is_read_once_newest_first_and_not_too_many() -> None:
    aws = fake()
    events = [moved(f"a{n}", -20 + n) for n in range(MOST_PARTS + 3)]
    found = parts(aws.reader(), SHOP, [*events, events[-1]])
    assert [item.name for item in found] == [f"parcel-writer:a{n}" for n in range(MOST_PARTS + 2, 2, -1)]


def test_only_parts_of_known_resources_within_the_look_are_read() -> None:
    aws = fake()
    other = event("lambda", "UpdateAlias", {"functionName": "else", "name": "live", "functionVersion": "1"})
    old = moved("live", -60 * (SHOP.lookback + 1))
    assert parts(aws.reader(), SHOP, [other, old, configured(timeout=3)]) == []
    assert parts(aws.reader(), ALIASED, [moved("live")]) == []
    assert aws.asked == []


# -- published versions of what was changed ----------------------------------------------------------


def published(**more: Any) -> FakeAws:
    def versions(parameters: Json) -> Json:
        assert parameters == {"FunctionName": "parcel-writer"}
        moment = ONSET - timedelta(days=3)
        item = {"Version": "7", "LastModified": f"{moment:%Y-%m-%dT%H:%M:%S}.000+0000"}
        return {"Versions": [{**item, "Timeout": 30, "MemorySize": 512}]}

    return FakeAws({("lambda", "ListVersionsByFunction"): versions}, region=REGION, **more)


def test_versions_of_a_changed_function_are_read_once() -> None:
    aws = published()
    (found,) = versions(aws.reader(), SHOP, [configured(minutes=-3, timeout=3), configured(timeout=5)])
    assert (found.resource, found.name, found.values["Timeout"]) == (WRITER, "7", 30)
    assert aws.asked == [("lambda", "ListVersionsByFunction")]


def test_versions_are_not_read_where_nothing_was_changed_that_they_show() -> None:
    aws = published()
    others = [
        event(
            "dynamodb",
            "UpdateTable",
            {"tableName": "parcels", "onDemandThroughput": {"maxWriteRequestUnits": 2}},
        ),
        event(
            "lambda",
            "PutFunctionConcurrency",
            {"functionName": "parcel-writer", "reservedConcurrentExecutions": 1},
        ),
        event("lambda", "CreateFunction", {"functionName": "parcel-writer", "timeout": 3}),
        event("lambda", "UpdateFunctionConfiguration", {"functionName": "elsewhere", "timeout": 3}),
        configured(minutes=-3000, timeout=3),
    ]
    assert versions(aws.reader(), SHOP, others) == []
    assert aws.asked == []


def test_config_is_asked_only_where_nothing_else_tells() -> None:
    cut = event(
        "lambda",
        "PutFunctionConcurrency",
        {"functionName": "parcel-writer", "reservedConcurrentExecutions": 1},
    )
    before = replace(cut, id="before", time=cut.time - timedelta(days=3))
    for events, asked in (([cut], 1), ([before, cut], 0)):
        aws = published()
        assert list(config_items(aws.reader(), SHOP, events)) == []
        assert len(aws.asked) == asked


def test_config_of_an_account_that_no_space_leads_to_is_a_gap() -> None:
    cut = event(
        "lambda",
        "PutFunctionConcurrency",
        {"functionName": "parcel-writer", "reservedConcurrentExecutions": 1},
    )
    reader = published(account="444455556666").reader()
    assert list(config_items(reader, SHOP, [cut])) == []
    (gap,) = reader.gaps
    assert (gap.what, gap.code) == ("AWS Config in account 111122223333", "NoSpace")


def test_refused_versions_are_a_gap() -> None:
    reader = published(denied=frozenset({"lambda:ListVersionsByFunction"})).reader()
    assert versions(reader, SHOP, [configured(timeout=3)]) == []
    assert [gap.what for gap in reader.gaps] == ["earlier versions of parcel-writer"]


def test_versions_come_back_from_the_state() -> None:
    (found,) = versions(published().reader(), SHOP, [configured(timeout=3)])
    state = {
        "incident": SHOP.incident.model_dump(mode="json"),
        "as_of": SHOP.as_of.isoformat(),
        "versions": dump_all([found]),
    }
    assert Facts.of(cast("State", state)).versions == (found,)
