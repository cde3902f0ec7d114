"""Every artefact of a prevention is tried on what was recorded before it is offered as ready. Pure.

Ready: no other change is blocked, the incident is stopped or told of earlier (or at all, where nothing told of it), and
the plan's own step stays possible for a role that is named. All else is a draft, with the reason.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from graph.backtest_alarm import Trial, trial
from graph.backtest_pattern import as_event, matches
from graph.backtest_policy import Ask, denies
from graph.backtest_requests import ask_of, is_bound
from graph.backtest_rules import EMERGENCY, CannotTry
from graph.facts import Facts
from graph.models import Mitigation, Prevention, RootCause
from graph.touching import by_event
from graph.words import say, stamp
from tools.catalogue import condition_keys
from tools.iam_names import action_of
from tools.models import Call, ChangeEvent, Json, Series, Window
from tools.needs import reads

DAYS = 14
"""How many days before the incident an alarm is tried on."""
BEFORE = timedelta(hours=1)
_LONGEST = timedelta(days=3)


@dataclass(frozen=True, slots=True, kw_only=True)
class History:
    """A metric as it was: around the incident in the alarm's own period, and by the hour in the days before."""

    fine: Series
    coarse: Series | None = None


def tried(
    facts: Facts,
    cause: RootCause | None,
    measures: Sequence[Prevention],
    plan: Mitigation | None = None,
    histories: Mapping[int, History] | None = None,
) -> tuple[Prevention, ...]:
    """The measures, each with what its back-test said. `histories`: of alarms, by their place in `measures`."""
    bench = _Bench(facts, cause, plan)
    known = histories or {}
    return tuple(bench.judged(one, known.get(place)) for place, one in enumerate(measures))


def window_of(facts: Facts, cause: RootCause | None, measure: Prevention) -> Window | None:
    """The time around the incident over which an alarm is tried; None when it would be too long to read."""
    alarm = facts.incident.alarm
    start, end = _began(facts, cause) - BEFORE, facts.as_of
    if _clears(facts, measure) and alarm is not None and facts.incident.quiet_since is not None:
        red = [one.time for one in alarm.transitions if one.new == "ALARM"]
        start = max(red or [alarm.state_since]) - BEFORE
        end = min(facts.as_of, facts.incident.quiet_since + BEFORE)
    return Window(start=start, end=end) if timedelta(0) < end - start <= _LONGEST else None


def alarm_of(measure: Prevention) -> Trial | None:
    """The alarm of a measure, or None when it offers none or one that cannot be tried."""
    if measure.artefact_name != "alarm.json" or not isinstance(measure.artefact, dict):
        return None
    try:
        return trial(measure.artefact)
    except CannotTry:
        return None


def needs_days(facts: Facts, measure: Prevention) -> bool:
    """Whether the days before are to be read: an alarm that is there already rings as it always did."""
    return not _clears(facts, measure)


def _began(facts: Facts, cause: RootCause | None) -> datetime:
    moments = [cause.event.time] if cause and cause.event else [cause.earliest] if cause else []
    moments += [facts.onset.earliest] if facts.onset else []
    return min((one for one in moments if one is not None), default=facts.as_of)


def _clears(facts: Facts, measure: Prevention) -> bool:
    alarm, artefact = facts.incident.alarm, measure.artefact
    return alarm is not None and isinstance(artefact, dict) and artefact.get("AlarmName") == alarm.name


@dataclass(frozen=True, slots=True)
class _Bench:
    facts: Facts
    cause: RootCause | None
    plan: Mitigation | None

    def judged(self, measure: Prevention, history: History | None) -> Prevention:
        try:
            return self._tried(measure, history)
        except CannotTry as error:
            return measure.model_copy(
                update={"ready": False, "draft": say("it could not be tried: {why}", why=str(error))}
            )

    def _tried(self, measure: Prevention, history: History | None) -> Prevention:
        artefact = measure.artefact
        if not isinstance(artefact, dict):
            return measure  # a note: there is nothing to try
        if measure.artefact_name == "rule.json":
            return self._rule(measure, artefact["EventPattern"])
        if measure.artefact_name == "alarm.json":
            return self._alarm(measure, trial(artefact), history)
        if measure.kind == "practice":
            return _reading(measure, artefact)
        return self._policy(measure, artefact)

    # -- changes -----------------------------------------------------------------------------------

    def _bad(self) -> ChangeEvent:
        cause = self.cause
        found = next(
            (one for one in self.facts.changes if cause and cause.event and one.id == cause.event.id), None
        )
        if found is None:
            raise CannotTry(say("no event of the change is visible"))
        return found

    def _others(self, bad: ChangeEvent) -> list[ChangeEvent]:
        seen = {one.id: one for one in (*self.facts.changes, *self.facts.others)}
        return [one for one in seen.values() if one.id != bad.id and not one.error_code]

    def _days(self, events: Iterable[ChangeEvent]) -> int:
        oldest = min(one.time for one in events)
        return max(1, round((self.facts.as_of - oldest).total_seconds() / 86400))

    def _policy(self, measure: Prevention, policy: Json) -> Prevention:
        bad = self._bad()
        others = self._others(bad)
        named = by_event(self.facts.resources)
        stopped = is_bound(bad) and denies(policy, ask_of(bad, named(bad)))
        blocked = [one for one in others if is_bound(one) and denies(policy, ask_of(one, named(one)))]
        told = say(
            "would have blocked {this}and {good} of the {goods} others seen in {days} days",
            this=say("this change ") if stopped else say("not this change "),
            good=len(blocked), goods=len(others), days=self._days([bad, *others]),
        )  # fmt: skip
        free = [arn for arn in _spared(policy) if not self._stops_plan(policy, arn)]
        names = [arn.rsplit("/", 1)[-1] for arn in free]
        if names:
            told += say("; {roles} may still change it", roles=", ".join(names))
        if names and self._applied():
            told += say(": once it is attached, run the plan's own step as {role}", role=names[0])
        reason = ""
        if not stopped:
            reason = say("it does not stop this change: such policies do not bind who made it")
        elif blocked:
            who = dict.fromkeys(one.actor.role or one.actor.name for one in blocked)
            reason = say("it would also stop {who}", who=", ".join(who))
        elif not free:
            reason = say("no role is known that makes such changes rightly: put yours in first")
        return measure.model_copy(update={"back_test": told, "ready": not reason, "draft": reason})

    def _applied(self) -> tuple[Call, ...]:
        return tuple(call for step in self.plan.apply for call in step.calls) if self.plan else ()

    def _stops_plan(self, policy: Json, principal: str) -> bool:
        incident, cause = self.facts.incident, self.cause
        return any(
            denies(
                policy,
                Ask(
                    action=action_of(call.service, call.operation),
                    resources=(cause.resource,) if cause else None,
                    principal=principal,
                    account=incident.account,
                    region=call.region or incident.region,
                    keys=condition_keys(call.service, call.operation, call.parameters),
                ),
            )
            for call in self._applied()
        )

    def _rule(self, measure: Prevention, pattern: Json) -> Prevention:
        bad = self._bad()
        seen = [*self._others(bad), *self.facts.denied]
        tells = matches(pattern, as_event(bad))
        more = sum(matches(pattern, as_event(one)) for one in seen)
        told = say(
            "would have told of {this}{more} others in {days} days",
            this=say("this change and of ") if tells else "",
            more=more, days=self._days([bad, *seen]),
        )  # fmt: skip
        reason = "" if tells else say("it does not see this change")
        return measure.model_copy(update={"back_test": told, "ready": tells, "draft": reason})

    # -- alarms ------------------------------------------------------------------------------------

    def _alarm(self, measure: Prevention, alarm: Trial, history: History | None) -> Prevention:
        if history is None:
            raise CannotTry(say("the metric's history was not read"))
        entered = alarm.states(history.fine)
        red = [at for at, state in entered if state == "ALARM"]
        if _clears(self.facts, measure):
            return _cleared(measure, entered)
        begin = _began(self.facts, self.cause)
        fired = next((at for at in red if at > begin), None)
        false = sum(at <= begin for at in red)
        if history.coarse is None:
            raise CannotTry(say("the days before were not read"))
        hours = alarm.crossed(history.coarse, history.fine.window.start)
        yours = self._yours(begin)
        told = self._when(fired, yours)
        if not hours:
            told += say("; {false} false in {days} days", false=false, days=DAYS)
        reason = ""
        if fired is None:
            reason = say("it does not see this incident")
        elif hours or false:
            reason = say(
                "its threshold was crossed in {hours} hours of the days before", hours=hours or false
            )
        elif yours is not None and fired >= yours:
            reason = say("only a second sign: it is no faster than the alarm that you have")
        elif yours is not None and yours - fired < timedelta(seconds=alarm.metric.period):
            # A service may publish a period as late as the next one is over: so small a lead is none.
            reason = say("only a second sign: it is hardly faster than the alarm that you have")
        return measure.model_copy(update={"back_test": told, "ready": not reason, "draft": reason})

    def _when(self, fired: datetime | None, yours: datetime | None) -> str:
        if fired is None:
            return say("would not have fired")
        if yours is None:
            return say("would have fired at {time}, where no alarm did", time=stamp(fired))
        minutes = round((fired - yours).total_seconds() / 60)
        if minutes == 0:
            return say("would have fired at {time}, as yours", time=stamp(fired))
        words = (
            "would have fired at {time}, {minutes} min earlier than yours"
            if minutes < 0
            else "would have fired at {time}, {minutes} min later than yours"
        )
        return say(words, time=stamp(fired), minutes=abs(minutes))

    def _yours(self, begin: datetime) -> datetime | None:
        """When the incident's alarm fired, by the same count of whole periods where its metric is at hand."""
        alarm, recent = self.facts.incident.alarm, self.facts.incident.recent
        if alarm is None:
            return None
        same = recent is not None and recent.metric == alarm.metric and not alarm.expression
        if recent is not None and same and recent.window.start <= begin:
            counted = Trial(alarm=replace(alarm, state="OK")).states(recent)
            found = next((at for at, state in counted if state == "ALARM" and at > begin), None)
            if found is not None:
                return found
        times = [one.time for one in alarm.transitions if one.new == "ALARM" and one.time >= begin]
        times += [alarm.state_since] if alarm.state == "ALARM" and alarm.state_since >= begin else []
        return min(times, default=None)


def _cleared(measure: Prevention, entered: Sequence[tuple[datetime, str]]) -> Prevention:
    red = next((at for at, state in entered if state == "ALARM"), None)
    over = next((at for at, state in entered if red is not None and state == "OK" and at > red), None)
    if red is None or over is None:
        reason = say("over this incident it would not have gone red and clear again")
        return measure.model_copy(update={"ready": False, "draft": reason})
    told = say("would have fired at {red} and been OK again at {over}", red=stamp(red), over=stamp(over))
    return measure.model_copy(update={"back_test": told, "ready": True, "draft": ""})


def _reading(measure: Prevention, policy: Json) -> Prevention:
    """A policy that lets opsleuth read more: only reads that it makes, and nothing denied."""
    known = {need.action for need in reads()}
    asked: list[str] = []
    for one in policy["Statement"]:
        listed = one.get("Action", [])
        asked += [listed] if isinstance(listed, str) else listed
        if one.get("Effect") != "Allow":
            raise CannotTry(say("it does not only allow"))
    strange = sorted(set(asked) - known)
    if strange:
        raise CannotTry(say("{actions} is no read of opsleuth", actions=", ".join(strange)))
    told = say("allows {n} reads that were refused, and nothing else", n=len(set(asked)))
    return measure.model_copy(update={"back_test": told, "ready": True, "draft": ""})


def _spared(policy: Json) -> list[str]:
    """ARNs of the roles that a policy of ours leaves out, without the placeholder."""
    found: list[str] = []
    for one in policy["Statement"]:
        listed = one.get("Condition", {}).get("ArnNotLike", {}).get("aws:PrincipalArn", [])
        found += [listed] if isinstance(listed, str) else listed
    return [arn for arn in found if not arn.endswith(EMERGENCY)]
