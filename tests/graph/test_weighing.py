"""The ranking as a whole: over kinds of incidents of every service, and properties that hold for all of them."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from graph.models import Hypothesis
from graph.weighing import decide, weigh
from graph.weights import LIKELY, MOST_SHOWN, PROVEN
from tests.graph import made
from tests.graph.kinds import APART, DECOYS, INERT, KINDS, LATER, Kind, configured
from tests.graph.made import AS_OF, GROUP, ONSET, STRANGER, TABLE, WRITER, event
from tools.models import ChangeEvent

every_kind = pytest.mark.parametrize("kind", KINDS.values(), ids=list(KINDS))


def of(ranked: tuple[Hypothesis, ...], event_id: str) -> list[Hypothesis]:
    return [item for item in ranked if item.event == event_id]


@every_kind
def test_the_cause_leads_before_three_decoys(kind: Kind) -> None:
    facts = kind.facts()
    ranked = weigh(facts)
    decision = decide(facts, ranked, may_wait=True)
    assert (ranked[0].event, decision.verdict, decision.settled) == ("true", "root_cause", True)
    assert ranked[0].probability >= LIKELY
    for decoy in (LATER, INERT, APART):
        assert all(item.status == "ruled_out" for item in of(ranked, decoy.id)), decoy.id
    assert of(ranked, LATER.id)
    assert of(ranked, APART.id)


@every_kind
def test_without_the_cause_nobody_is_named(kind: Kind) -> None:
    facts = kind.facts(cause=False)
    decision = decide(facts, weigh(facts), may_wait=True)
    assert (decision.leader, decision.verdict) == (None, "not_found")


@every_kind
def test_before_cloudtrail_is_complete_nobody_is_named_either(kind: Kind) -> None:
    facts = kind.facts(cause=False, complete_until=ONSET - timedelta(minutes=10))
    decision = decide(facts, weigh(facts), may_wait=True)
    assert (decision.leader, decision.verdict, decision.settled) == (None, "not_yet", False)


@pytest.mark.parametrize(
    ("probability", "minutes", "may_wait", "verdict"),
    [
        (PROVEN - 0.1, -10, True, "not_yet"),
        (PROVEN - 0.1, -10, False, "root_cause"),
        (PROVEN - 0.1, 10, True, "root_cause"),
        (PROVEN, -10, True, "root_cause"),
    ],
)
def test_who_is_only_likely_is_named_once_cloudtrail_is_complete(
    probability: float, minutes: int, may_wait: bool, verdict: str
) -> None:
    """`minutes` after the onset until which CloudTrail is complete."""
    kind = next(iter(KINDS.values()))
    facts = kind.facts(complete_until=ONSET + timedelta(minutes=minutes))
    first, *others = weigh(facts)
    ranked = (first.model_copy(update={"probability": probability}), *others)
    assert decide(facts, ranked, may_wait=may_wait).verdict == verdict


@pytest.mark.parametrize(
    ("after_onset", "may_wait", "widest", "trail", "verdict"),
    [
        (30, True, True, True, "not_yet"),
        (30, True, False, True, "not_found"),  # first look further back
        (30, False, True, True, "not_found"),
        (30, True, True, False, "not_found"),  # nothing will ever come
        (90, True, True, True, "not_found"),
    ],
)
def test_what_nothing_explains_is_awaited_as_long_as_cloudtrail_was_ever_late(
    after_onset: int, may_wait: bool, widest: bool, trail: bool, verdict: str
) -> None:
    facts = next(iter(KINDS.values())).facts(cause=False)
    assert facts.onset is not None
    facts = replace(facts, as_of=facts.onset.latest + timedelta(minutes=after_onset), trail_visible=trail)
    decision = decide(facts, weigh(facts), may_wait=may_wait, widest=widest)
    assert (decision.leader, decision.verdict) == (None, verdict)
    assert decision.settled == (verdict == "not_found")


@pytest.mark.parametrize(
    ("age", "after_onset", "may_wait", "verdict"),
    [
        (9, 30, True, "not_yet"),
        (9, 30, False, "not_yet"),
        (9, 90, False, "root_cause"),
        (30, 30, True, "root_cause"),  # it was due: nobody had to ask for it
    ],
)
def test_who_carries_out_what_somebody_asked_for_is_not_named_while_that_may_still_show(
    age: int, after_onset: int, may_wait: bool, verdict: str
) -> None:
    """A secret that rotates every 30 days; its version before is `age` days old."""
    arn, new = made.arn("secretsmanager", "secret:parcels/db-AbC12d"), "6d3dcb5f-ccf1-459d-812e-8247791e4a8e"
    rotator = made.arn("lambda", "function:rotate-parcels")
    held = {"VersionId": "old", "CreatedDate": (ONSET - timedelta(days=age)).isoformat()}
    config = {
        "RotationLambdaARN": rotator,
        "RotationRules": {"AutomaticallyAfterDays": 30},
        "Versions": [held],
    }
    secret = replace(made.resource(arn, "parcels/db"), config=config)
    role = replace(made.PERSON, kind="role", name="rotation", session="rotate-parcels", how="sdk")
    request = {"secretId": arn, "versionStage": "AWSCURRENT", "moveToVersionId": new}
    step = event("secretsmanager", "UpdateSecretVersionStage", request, id="step", actor=role)
    facts = made.facts(
        (WRITER, "Errors"), {(WRITER, "Errors"): (0, 8)}, changes=[step], resources=(*made.shop(), secret)
    )
    assert facts.onset is not None
    facts = replace(facts, as_of=facts.onset.latest + timedelta(minutes=after_onset))
    first = Hypothesis(id="step", kind="change", title="", resource=arn, event="step", probability=0.95)
    assert decide(facts, (first,), may_wait=may_wait).verdict == verdict


@every_kind
def test_the_same_change_after_the_onset_is_not_blamed(kind: Kind) -> None:
    late = replace(kind.change, time=ONSET + timedelta(minutes=2))
    facts = kind.facts(cause=False, decoys=(*DECOYS, late))
    assert decide(facts, weigh(facts), may_wait=False).leader is None


def test_a_change_that_no_service_file_knows_is_likely_where_changes_are_rare_and_never_proven() -> None:
    strange = event(
        "dynamodb", "UpdateKinesisStreamingDestination", {"tableName": "parcels"}, id="strange", minutes=-1
    )
    facts = made.facts(
        (TABLE, "WriteThrottleEvents"), {(TABLE, "WriteThrottleEvents"): (0, 18)}, changes=[strange, *DECOYS]
    )
    ranked = weigh(facts)
    assert (ranked[0].event, ranked[1].kind) == ("strange", "outside")
    assert LIKELY <= ranked[0].probability < PROVEN
    early = replace(strange, time=strange.time - timedelta(hours=3))
    long_before = made.facts(
        (TABLE, "WriteThrottleEvents"), {(TABLE, "WriteThrottleEvents"): (0, 18)}, changes=[early, *DECOYS]
    )
    assert decide(long_before, weigh(long_before), may_wait=False).leader is None


def test_a_change_that_moves_no_metric_is_not_blamed_for_one() -> None:
    kept = event(
        "logs",
        "PutRetentionPolicy",
        {"logGroupName": "/aws/lambda/parcel-writer", "retentionInDays": 1},
        id="kept",
    )
    facts = made.facts((WRITER, "Errors"), {(WRITER, "Errors"): (0, 8)}, changes=[kept])
    ranked = weigh(facts)
    assert decide(facts, ranked, may_wait=False).leader is None
    assert of(ranked, "kept")[0].resource == GROUP


def test_two_settings_of_one_call_do_not_share_its_probability() -> None:
    ranked = weigh(KINDS["HTTP stage throttled, both limits"].facts())
    assert len(of(ranked, "true")) == 1
    assert ranked[0].probability == MOST_SHOWN


def test_a_setting_moved_along_that_explains_nothing_stays_a_hypothesis_of_its_own() -> None:
    both = configured(timeout=3, memorySize=1024)
    kind = replace(
        KINDS["timeout lowered"], change=both, earlier=(configured("old", -9000, timeout=30, memorySize=512),)
    )
    ranked = weigh(kind.facts())
    assert [item.setting for item in of(ranked, "true")] == ["Timeout", "MemorySize"]
    assert of(ranked, "true")[1].status == "ruled_out"


def test_a_condition_does_not_lead_by_the_symptom_alone() -> None:
    """Throttles of a function come from its own limit as well as from the account's."""
    facts = KINDS["reserved concurrency 0"].facts(cause=False)
    assert "condition" not in {item.kind for item in weigh(facts)}  # it has a limit of its own
    free = [
        replace(one, config={**one.config, "ReservedConcurrentExecutions": None}) for one in facts.resources
    ]
    facts = replace(facts, resources=tuple(free))
    assert "condition" in {item.kind for item in weigh(facts)}
    assert decide(facts, weigh(facts), may_wait=False).leader is None


def test_a_limit_that_error_texts_name_is_not_taken_for_changed() -> None:
    """A function that waits for something slow runs into a timeout that nobody touched."""
    facts = KINDS["timeout lowered"].facts(cause=False)
    ranked = weigh(facts)
    assert [item.kind for item in ranked[:2]] == ["outside", "setting"]
    assert ranked[1].probability < LIKELY
    assert decide(facts, ranked, may_wait=False).leader is None


# -- properties --------------------------------------------------------------------------------------

kinds = st.sampled_from(sorted(KINDS))
minutes = st.integers(-119, 14)
unrelated = st.builds(
    lambda operation, at: event(
        "lambda", operation, {"functionName": "tax-report", "timeout": 1}, id=f"u{operation}{at}", minutes=at
    ),
    st.sampled_from(["UpdateFunctionCode", "UpdateFunctionConfiguration", "DeleteFunction", "SomethingNew"]),
    minutes,
)
some_decoys = st.lists(st.sampled_from(DECOYS), unique_by=lambda item: item.id)
quickly = settings(max_examples=40, suppress_health_check=[HealthCheck.too_slow])


@quickly
@given(kinds, some_decoys, st.lists(unrelated, max_size=4, unique_by=lambda item: item.id), st.booleans())
def test_probabilities_are_ordered_and_never_certain(
    name: str, decoys: list[ChangeEvent], more: list[ChangeEvent], cause: bool
) -> None:
    ranked = weigh(KINDS[name].facts(cause=cause, decoys=(*decoys, *more)))
    shares = [item.probability for item in ranked]
    assert shares == sorted(shares, reverse=True)
    assert sum(shares) <= 1 + 0.00005 * len(shares)
    assert max(shares) <= MOST_SHOWN
    assert len({item.id for item in ranked}) == len(ranked)
    assert [item.status for item in ranked if item.kind == "outside"] in (["possible"], ["leading"])
    assert [place for place, item in enumerate(ranked) if item.status == "leading"] == [0]


@quickly
@given(kinds, st.lists(unrelated, min_size=1, max_size=4, unique_by=lambda item: item.id))
def test_unrelated_changes_never_overtake_the_cause(name: str, more: list[ChangeEvent]) -> None:
    ranked = weigh(KINDS[name].facts(decoys=tuple(more)))
    assert ranked[0].event == "true"
    for item in ranked:
        assert item.resource != STRANGER or item.status == "ruled_out"


@quickly
@given(kinds, minutes)
def test_a_denied_attempt_is_never_a_hypothesis(name: str, at: int) -> None:
    kind = KINDS[name]
    refused = replace(
        kind.change, id="refused", error_code="AccessDenied", time=ONSET + timedelta(minutes=at)
    )
    facts = kind.facts(cause=False)
    facts = replace(facts, changes=(*facts.changes, refused), denied=(refused,))
    assert not of(weigh(facts), "refused")


@quickly
@given(kinds, st.integers(61, 900))
def test_a_change_after_the_onset_never_leads(name: str, seconds: int) -> None:
    kind = KINDS[name]
    late = replace(kind.change, id="late", time=ONSET + timedelta(seconds=seconds))
    assert weigh(kind.facts(cause=False, decoys=(late,)))[0].event != "late"


@quickly
@given(kinds, st.booleans())
def test_the_order_of_events_and_resources_does_not_matter(name: str, cause: bool) -> None:
    facts = KINDS[name].facts(cause=cause)
    turned = replace(
        facts,
        changes=facts.changes[::-1],
        resources=facts.resources[::-1],
        relations=facts.relations[::-1],
        metrics=facts.metrics[::-1],
    )
    assert [(item.id, item.probability) for item in weigh(turned)] == [
        (item.id, item.probability) for item in weigh(facts)
    ]


def test_the_window_of_the_look_bounds_what_is_a_hypothesis() -> None:
    kind = KINDS["bad code"]
    old = replace(kind.change, time=ONSET - timedelta(hours=5))
    assert not of(weigh(kind.facts(cause=False, decoys=(old,))), "true")
    assert of(weigh(kind.facts(cause=False, decoys=(old,), lookback=24)), "true")
    assert old.time < AS_OF


def test_a_limit_that_was_only_reached_is_never_the_proven_cause() -> None:
    kind = next(iter(KINDS.values()))
    facts = kind.facts(cause=False)
    reached = Hypothesis(
        id="setting:x",
        kind="setting",
        title="reached",
        resource=TABLE,
        setting="Any",
        probability=MOST_SHOWN,
    )
    assert decide(facts, (reached,), may_wait=False).verdict != "root_cause"
