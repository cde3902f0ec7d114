"""What makes an artefact ready, and what keeps it a draft."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from graph.backtest import DAYS, History, alarm_of, needs_days, tried, window_of
from graph.backtest_requests import ask_of, is_bound, principal_of
from graph.cause import root_cause
from graph.facts import Facts
from graph.models import Mitigation, Prevention, RootCause, Step
from graph.plan import plan
from graph.prevent import proposals
from graph.weighing import weigh
from tests.graph import made
from tests.graph.kinds import KINDS, configured
from tests.graph.made import AS_OF, ONSET, PERSON, PIPELINE, TABLE, WRITER
from tools.models import Actor, AlarmTransition, Call, ChangeEvent, Gap, Json, Metric, Series, Window

LOWERED = KINDS["timeout lowered"]
WITH_PATH = replace(PIPELINE, role_arn=f"arn:aws:iam::{made.ACCOUNT}:role/ci/deployer")


def cause_of(facts: Facts) -> RootCause:
    return root_cause(facts, weigh(facts)[0])


def judged(facts: Facts, name: str, change: Callable[[Json], Json] | None = None) -> Prevention:
    """The measure of this file name, its artefact changed first if asked for."""
    cause = cause_of(facts)
    offered = [one for one in proposals(facts, cause) if one.artefact_name == name]
    if change is not None:
        artefact = offered[0].artefact
        assert isinstance(artefact, dict)
        offered = [offered[0].model_copy(update={"artefact": change(artefact)})]
    return tried(facts, cause, offered[:1], plan(facts, cause))[0]


def by(actor: Actor, *ids: str) -> tuple[ChangeEvent, ...]:
    return tuple(replace(configured(one, -60.0 * 24, timeout=30), actor=actor) for one in ids)


def timeouts(*earlier: ChangeEvent) -> Facts:
    return replace(LOWERED, earlier=earlier).facts(decoys=())


def test_a_policy_is_ready_when_it_stops_the_change_and_spares_who_made_the_others() -> None:
    found = judged(timeouts(*by(WITH_PATH, "a", "b")), "policy.json")
    assert (found.ready, found.draft) == (True, "")
    assert found.back_test == (
        "would have blocked this change and 0 of the 2 others seen in 1 days; "
        "deployer may still change it: once it is attached, run the plan's own step as deployer"
    )
    artefact = found.artefact
    assert isinstance(artefact, dict)
    spared = artefact["Statement"][0]["Condition"]["ArnNotLike"]["aws:PrincipalArn"]
    assert spared[0] == WITH_PATH.role_arn


def test_a_policy_that_stops_somebody_else_is_a_draft_that_names_them() -> None:
    found = judged(timeouts(*by(PERSON, "a"), *by(PIPELINE, "b")), "policy.json")
    assert (found.ready, found.draft) == (False, f"it would also stop {PERSON.name}")


def test_a_policy_without_anybody_who_may_make_the_change_is_a_draft() -> None:
    found = judged(timeouts(), "policy.json")
    assert not found.ready
    assert found.draft.startswith("no role is known that makes such changes rightly")


def test_a_policy_that_stops_the_plans_own_step_is_a_draft() -> None:
    facts = timeouts(*by(PIPELINE, "a"))
    cause = cause_of(facts)
    (offer,) = [one for one in proposals(facts, cause) if one.artefact_name == "policy.json"]
    assert isinstance(offer.artefact, dict)
    closed = {"Effect": "Deny", "Action": "lambda:PutFunctionConcurrency", "Resource": WRITER}
    artefact = {**offer.artefact, "Statement": [*offer.artefact["Statement"], closed]}
    sent: Json = {"FunctionName": "parcel-writer", "ReservedConcurrentExecutions": 5}
    call = Call(service="lambda", operation="PutFunctionConcurrency", parameters=sent, region=made.REGION)
    steps = Mitigation(summary="x", apply=(Step(title="x", calls=(call,)),))
    stricter = offer.model_copy(update={"artefact": artefact})
    assert tried(facts, cause, [offer], steps)[0].ready
    assert tried(facts, cause, [stricter])[0].ready
    assert not tried(facts, cause, [stricter], steps)[0].ready


def test_changes_of_aws_services_and_of_other_accounts_are_not_bound() -> None:
    scaling = Actor(kind="service_linked_role", name="x", how="service", role="AWSServiceRoleForX")
    stranger = Actor(kind="other_account", name="444455556666", how="sdk", account="444455556666")
    found = judged(timeouts(*by(PIPELINE, "p"), *by(scaling, "a"), *by(stranger, "b")), "policy.json")
    assert found.ready
    assert "0 of the 3 others" in found.back_test
    changed = replace(LOWERED.change, actor=stranger)
    assert not is_bound(changed)
    facts = replace(LOWERED, change=changed, earlier=by(PIPELINE, "p")).facts(decoys=())
    offered = [one for one in proposals(facts, cause_of(facts)) if one.artefact_name == "policy.json"]
    for one in tried(facts, cause_of(facts), offered):
        assert one.draft.startswith("it does not stop this change")


def test_other_changes_that_the_run_saw_count_as_well() -> None:
    apart = made.event("s3", "PutBucketPolicy", {"bucketName": "x"}, minutes=-30, actor=PERSON)
    facts = replace(timeouts(*by(PIPELINE, "a")), others=(apart,))
    assert "0 of the 2 others" in judged(facts, "policy.json").back_test
    everything = judged(
        facts, "policy.json",
        lambda policy: {**policy, "Statement": [{**policy["Statement"][0], "Action": "*", "Resource": "*"}]},
    )  # fmt: skip
    assert (everything.ready, everything.draft) == (False, f"it would also stop {PERSON.name}")


def test_what_is_not_understood_is_a_draft_that_says_so() -> None:
    strange = judged(
        timeouts(*by(PIPELINE, "a")), "policy.json",
        lambda policy: {**policy, "Statement": [{**policy["Statement"][0], "Principal": "*"}]},
    )  # fmt: skip
    assert (strange.ready, strange.draft) == (False, "it could not be tried: a statement holds Principal")
    rule = judged(
        timeouts(*by(PIPELINE, "a")), "rule.json",
        lambda rule: {**rule, "EventPattern": {"detail": {"eventName": [{"cidr": "10.0.0.0/8"}]}}},
    )  # fmt: skip
    assert not rule.ready
    assert "cidr" in rule.draft


def test_a_rule_is_ready_when_it_sees_the_change() -> None:
    facts = timeouts(*by(PIPELINE, "a", "b"))
    found = judged(facts, "rule.json")
    assert (found.ready, found.back_test) == (
        True,
        "would have told of this change and of 2 others in 1 days",
    )
    blind = judged(facts, "rule.json", lambda rule: {**rule, "EventPattern": {"source": ["aws.s3"]}})
    assert (blind.ready, blind.draft) == (False, "it does not see this change")


def test_without_a_visible_event_nothing_can_be_tried() -> None:
    facts = timeouts(*by(PIPELINE, "a"))
    cause = cause_of(facts).model_copy(update={"event": None})
    found = list(tried(facts, cause, proposals(facts, cause)))
    assert any(isinstance(one.artefact, dict) for one in found)
    for one in found:
        assert not one.ready
        if isinstance(one.artefact, dict):
            assert one.draft.startswith("it could not be tried")


def test_principals_are_told_without_their_session() -> None:
    event = by(WITH_PATH, "a")[0]
    assert principal_of(event) == WITH_PATH.role_arn
    assert principal_of(by(PIPELINE, "b")[0]) == f"arn:aws:iam::{made.ACCOUNT}:role/deployer"
    ask = ask_of(event)
    assert (ask.action, ask.resources) == ("lambda:UpdateFunctionConfiguration", (WRITER,))
    put = made.event("monitoring", "PutMetricAlarm", {"alarmName": "late"})
    assert ask_of(put).action == "cloudwatch:PutMetricAlarm"


def test_a_policy_that_only_lets_opsleuth_read_is_ready() -> None:
    def gap(action: str) -> Gap:
        statement = {"Effect": "Allow", "Action": action, "Resource": "*"}
        return Gap(what="x", why="y", statement=statement)

    def offered(*gaps: Gap) -> Prevention:
        facts = made.facts((WRITER, "Errors"), {(WRITER, "Errors"): (0, 8)}, gaps=gaps)
        (found,) = tried(facts, None, proposals(facts, None))
        return found

    good = offered(gap("cloudtrail:LookupEvents"), gap("lambda:GetPolicy"))
    assert (good.ready, good.back_test) == (True, "allows 2 reads that were refused, and nothing else")
    assert not offered(gap("lambda:DeleteFunction")).ready


# -- alarms ----------------------------------------------------------------------------------------

METRIC = Metric(
    namespace="AWS/DynamoDB", name="Level", dimensions=(("TableName", "parcels"),), stat="Maximum", period=60
)
ALARM: Json = {
    "AlarmName": "new", "Namespace": METRIC.namespace, "MetricName": METRIC.name, "Statistic": "Maximum",
    "Dimensions": [{"Name": "TableName", "Value": "parcels"}], "Period": 60, "EvaluationPeriods": 1,
    "Threshold": 100.0, "ComparisonOperator": "LessThanThreshold", "TreatMissingData": "missing",
}  # fmt: skip
OFFER = Prevention(kind="notice", title="t", why="w", artefact_name="alarm.json", artefact=ALARM)


def throttled(red: datetime | None = None) -> Facts:
    """The table throttles since the onset; its own alarm went red at `red`."""
    facts = made.facts((TABLE, "WriteThrottleEvents"), {(TABLE, "WriteThrottleEvents"): (0, 9)})
    alarm = facts.incident.alarm
    assert alarm is not None
    red = red or AS_OF
    turned = replace(
        alarm, state="ALARM", state_since=red,
        transitions=(AlarmTransition(time=red, old="OK", new="ALARM", reason=""),),
    )  # fmt: skip
    incident = facts.incident.model_copy(update={"alarm": turned, "recent": None})
    return replace(facts, incident=incident)


def history(fall: datetime, *, hours: tuple[float, ...] = (250.0,) * (24 * DAYS)) -> History:
    """250 up to `fall`, 2 since; by the hour before."""
    start = ONSET - timedelta(hours=1)
    fine = [start + timedelta(minutes=n) for n in range(100)]
    coarse_start = start - timedelta(hours=len(hours))
    return History(
        fine=Series(
            metric=METRIC,
            window=Window(start=start, end=AS_OF),
            points=tuple((at, 2.0 if at >= fall else 250.0) for at in fine),
        ),
        coarse=Series(
            metric=replace(METRIC, stat="Minimum", period=3600),
            window=Window(start=coarse_start, end=start),
            points=tuple((coarse_start + timedelta(hours=n), value) for n, value in enumerate(hours)),
        ),
    )


def rung(known: History | None, red: datetime | None = None, facts: Facts | None = None) -> Prevention:
    return tried(facts or throttled(red), None, [OFFER], None, {0: known} if known else {})[0]


def test_an_alarm_is_ready_when_it_is_earlier_than_the_present_one() -> None:
    found = rung(history(ONSET + timedelta(minutes=2)), ONSET + timedelta(minutes=9))
    assert (found.ready, found.draft) == (True, "")
    assert found.back_test == (
        "would have fired at 2026-04-09T10:03:00Z, 6 min earlier than yours; 0 false in 14 days"
    )


@pytest.mark.parametrize(("minutes", "words"), [(3, "as yours"), (2, "1 min later than yours")])
def test_an_alarm_that_is_no_earlier_is_a_draft(minutes: int, words: str) -> None:
    found = rung(history(ONSET + timedelta(minutes=2)), ONSET + timedelta(minutes=minutes))
    assert (found.ready, found.draft) == (
        False,
        "only a second sign: it is no faster than the alarm that you have",
    )
    assert "before" not in found.why
    assert words in found.back_test


def test_a_lead_that_is_shorter_than_the_metrics_period_is_none() -> None:
    found = rung(history(ONSET + timedelta(minutes=2)), ONSET + timedelta(minutes=3, seconds=40))
    assert (found.ready, found.draft) == (
        False,
        "only a second sign: it is hardly faster than the alarm that you have",
    )


def test_an_alarm_is_ready_where_none_was() -> None:
    facts = throttled()
    facts = replace(facts, incident=facts.incident.model_copy(update={"alarm": None}))
    found = rung(history(ONSET + timedelta(minutes=2)), facts=facts)
    assert found.ready
    assert "where no alarm did" in found.back_test


@pytest.mark.parametrize(
    ("known", "reason"),
    [
        (history(ONSET + timedelta(minutes=2), hours=(250.0, 99.0, 250.0, 1.0)), "was crossed in 2 hours"),
        (history(AS_OF + timedelta(hours=1)), "it does not see this incident"),
        (history(ONSET - timedelta(minutes=30)), "it does not see this incident"),
        (replace(history(ONSET), coarse=None), "it could not be tried"),
        (None, "it could not be tried"),
    ],
)
def test_alarms_that_are_drafts(known: History | None, reason: str) -> None:
    found = rung(known)
    assert not found.ready
    assert reason in found.draft


def test_the_present_alarm_with_filled_data_is_ready_when_it_clears() -> None:
    facts = throttled(ONSET + timedelta(minutes=3))
    alarm = facts.incident.alarm
    assert alarm is not None
    quiet = facts.incident.model_copy(update={"quiet_since": ONSET + timedelta(minutes=10)})
    facts = replace(facts, incident=quiet)
    (offer,) = [one for one in proposals(facts, None) if one.artefact_name == "alarm.json"]
    assert not needs_days(facts, offer)
    window = window_of(facts, None, offer)
    assert window == Window(start=ONSET - timedelta(minutes=57), end=AS_OF)
    found = alarm_of(offer)
    assert found is not None

    def series(*bad: int) -> History:
        points = tuple((ONSET + timedelta(minutes=n), 9.0) for n in bad)
        return History(fine=Series(metric=found.metric, window=window, points=points))

    cleared = tried(facts, None, [offer], None, {0: series(*range(1, 10))})[0]
    assert cleared.ready
    assert "been OK again at" in cleared.back_test
    still = tried(facts, None, [offer], None, {0: series(*range(1, 40))})[0]
    assert not still.ready


def test_a_window_that_is_too_long_is_not_read() -> None:
    facts = timeouts()
    old = cause_of(facts).model_copy(update={"event": None, "earliest": ONSET - timedelta(days=9)})
    assert window_of(facts, old, OFFER) is None
    assert window_of(facts, cause_of(facts), OFFER) is not None


def test_notes_stay_as_they_are() -> None:
    note = Prevention(kind="design", title="t", why="w", artefact_name="note.md", artefact="x")
    assert tried(timeouts(), None, [note], Mitigation(summary="x")) == (note,)


def test_who_may_make_a_change_that_nobody_made_before_is_who_changes_the_resource_otherwise() -> None:
    tag = made.event("lambda", "TagResource", {"resource": WRITER, "tags": {"a": "b"}}, minutes=-900)
    facts = timeouts(replace(tag, actor=WITH_PATH))
    found = judged(facts, "policy.json")
    assert found.ready
    assert "deployer may still change it" in found.back_test
    by_hand = judged(timeouts(replace(tag, actor=PERSON)), "policy.json")
    assert by_hand.draft.startswith("no role is known")
