"""Where no event is visible: parts with limits are read, and a limit is blamed only for what it refuses itself."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from graph.cause import root_cause
from graph.changed_parts import MOST_PARTS, kept, limited
from graph.facts import Facts
from graph.parts import limited_parts, takes_it_all
from graph.plan import plan
from graph.state import State, dump
from graph.weighing import decide, weigh
from tests.graph import made
from tests.graph.made import API, HTTP_API, HTTP_STAGE, STAGE, WRITER
from tests.tools.fake_account import FakeAws
from tools.models import Resource

RATE = "DefaultRouteSettings.ThrottlingRateLimit"
OTHER = f"{HTTP_API}/stages/trial"


def stage(arn: str, rate: float, burst: int = 5) -> Resource:
    limits = {"ThrottlingRateLimit": rate, "ThrottlingBurstLimit": burst}
    return made.resource(arn, arn.rsplit("/", 1)[1], {"DefaultRouteSettings": limits})


def seen(
    *stages: Resource,
    named: tuple[str, ...] = ("prod",),
    refused: tuple[float, float] = (0.0, 17.0),
    **more: Any,
) -> Facts:
    """The HTTP API is asked 20 times a second, and refuses `refused` of them before and since the onset."""
    stages_told = [{"StageName": one} for one in named]
    config = {"Id": "h7t6t5p4a3", "ApiId": "h7t6t5p4a3", "Name": "parcels-http", "Stages": stages_told}
    api = made.resource(HTTP_API, "parcels-http", config)
    rest = tuple(one for one in made.shop() if one.arn != HTTP_API)
    return made.facts(
        (HTTP_API, "4xx"),
        {(HTTP_API, "4xx"): refused, (HTTP_API, "Count"): (20, 20)},
        resources=(*rest, api, *stages),
        **{"trail_visible": False, "complete_until": None, **more},
    )


def blamed(facts: Facts) -> tuple[str, str]:
    """Resource and setting of the verdict's cause; nothing where none is proven."""
    ranked = weigh(facts)
    found = decide(facts, ranked, may_wait=False, widest=True)
    return (found.leader.resource, found.leader.setting) if found.leader is not None else ("", "")


def test_a_stages_rate_below_what_was_served_is_the_cause_and_nothing_is_made_up() -> None:
    facts = seen(stage(HTTP_STAGE, 3))
    assert blamed(facts) == (HTTP_STAGE, RATE)
    cause = root_cause(facts, weigh(facts)[0])
    assert (cause.bad_value, cause.prior_known, cause.actor, cause.event) == (3, False, None, None)
    assert set(facts.read_in(HTTP_STAGE)) <= set(cause.statement.evidence)
    assert [one.value for one in cause.statement.claims if one.field == RATE] == [3]
    found = plan(facts, cause)
    assert found is not None
    assert (found.apply, found.rollback) == ((), ())
    assert "before you apply" not in found.ask


@pytest.mark.parametrize(
    ("refused", "why"),
    [((17.0, 17.2), "always refused so many"), ((0.0, 2.0), "refuses far less than the limit would")],
)
def test_a_limit_that_refuses_otherwise_than_it_would_is_not_blamed(
    refused: tuple[float, float], why: str
) -> None:
    assert blamed(seen(stage(HTTP_STAGE, 3), refused=refused)) == ("", ""), why


def test_a_burst_is_no_limit_of_what_comes_in_a_second() -> None:
    assert blamed(seen(stage(HTTP_STAGE, 500, burst=5))) == ("", "")


def test_one_stage_of_several_is_not_measured_by_what_all_are_asked() -> None:
    facts = seen(stage(OTHER, 3), stage(HTTP_STAGE, 500), named=("prod", "trial"))
    assert not takes_it_all(facts, OTHER)
    assert blamed(facts) == ("", "")
    metric = facts.incident.metric
    assert metric is not None
    about = replace(metric, dimensions=(("ApiId", "h7t6t5p4a3"), ("Stage", "trial")))
    told = replace(facts, incident=facts.incident.model_copy(update={"metric": about}))
    assert takes_it_all(told, OTHER)
    assert not takes_it_all(told, HTTP_STAGE)


def test_where_events_are_visible_no_limit_is_guessed() -> None:
    assert blamed(seen(stage(HTTP_STAGE, 3), trail_visible=True, complete_until=made.AS_OF)) == ("", "")


@given(st.lists(st.sampled_from(["a", "b", "c", "d", "e", "f", "g", "h", "i"]), unique=True, max_size=9))
def test_unknown_parts_of_the_path_are_read_a_few_at_most(names: list[str]) -> None:
    facts = seen(named=tuple(names))
    assert limited_parts(facts, HTTP_API) == tuple(f"{HTTP_API}/stages/{one}" for one in names)
    account = FakeAws({("apigatewayv2", "GetStage"): {"StageName": "a"}}, region=made.REGION)
    read = limited(account.reader(), facts)
    assert len(read) == min(len(names), MOST_PARTS)
    assert [one for one in account.asked if one[1] == "GetStage"] == [("apigatewayv2", "GetStage")] * len(
        read
    )
    known = seen(*(stage(f"{HTTP_API}/stages/{one}", 9) for one in names), named=tuple(names))
    assert limited(account.reader(), known) == []


def test_what_lies_apart_from_the_symptom_is_not_read() -> None:
    facts = seen(named=("prod",))
    apart = replace(facts, relations=())
    moved = apart.incident.model_copy(update={"resource": WRITER})
    assert limited(FakeAws({}).reader(), replace(apart, incident=moved)) == []


def test_a_part_that_was_read_stays_known_at_the_next_look() -> None:
    known = stage(HTTP_STAGE, 3)
    facts = seen(known)
    assert kept(facts, cast("State", {"parts": [dump(known)]})) == [known]
    assert kept(facts, cast("State", {})) == []


def test_a_stage_of_a_rest_api_is_measured_likewise() -> None:
    (api,) = [one for one in made.shop() if one.arn == API]
    rest = tuple(one for one in made.shop() if one.arn != API)
    known = made.resource(STAGE, "prod", {"methodSettings": {"*/*": {"throttlingRateLimit": 3.0}}})
    facts = made.facts(
        (API, "4XXError"),
        {(API, "4XXError"): (0.1, 16.5), (API, "Count"): (20, 20)},
        resources=(*rest, api, known),
        trail_visible=False,
        complete_until=None,
    )
    assert limited_parts(facts, API) == (STAGE,)
    assert blamed(facts) == (STAGE, 'methodSettings."*/*".throttlingRateLimit')
