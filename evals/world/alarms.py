"""CloudWatch alarms: evaluated over the world's own metrics, and their history.

User guide, "Configuring how CloudWatch alarms treat missing data": alarms on metrics of the AWS/DynamoDB namespace
always ignore missing data, that is, keep their state.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

from evals.world import alarm_reason, alarm_sums
from evals.world.alarm_reason import Evaluation
from evals.world.alarm_rule import NAMES, Rule, next_change, rule_at
from evals.world.steps import Settings
from evals.world.telemetry import Dimensions, Source, Telemetry
from tools.models import Json

_KEPT = 1000


class State(NamedTuple):
    """A state that an alarm entered."""

    time: datetime
    value: str
    reason: str
    data: str  # StateReasonData, JSON


@dataclass
class AlarmClock:
    """One metric alarm. `settings` hold Threshold, EvaluationPeriods, ... by API name, with history.

    An alarm on an expression has `queries`, as PutMetricAlarm takes them (`Metrics`), and the `telemetry` that they
    are about; its namespace, metric, dimensions and stat are empty.
    """

    name: str
    arn: str
    region: str
    namespace: str
    metric: str
    dimensions: Dimensions
    stat: str
    period: int
    settings: Settings
    created: datetime
    initial: str
    initial_since: datetime
    begin: datetime  # evaluation is computed from here; before it the state is `initial`
    source: Source | None
    lag: int  # seconds from the end of a period to its evaluation, after the datapoint is visible
    actions: tuple[str, ...] = ()
    description: str = ""
    queries: tuple[Json, ...] = ()
    telemetry: Telemetry | None = None
    updates: list[tuple[datetime, str]] = field(
        default_factory=list
    )  # (time, Create or Update), oldest first
    _states: list[State] = field(default_factory=list)
    _done: int = 0
    _values: dict[int, float | None] = field(default_factory=dict)  # datapoints by the start of their period
    _rule: Rule | None = None
    _rule_until: float = 0.0
    _calm: int = 0  # periods without a breach up to the last one, since the rule is as it is

    def threshold(self, moment: datetime) -> float:
        return float(self.settings.at("Threshold", moment))

    @property
    def ignores_missing(self) -> bool:
        return self.namespace == "AWS/DynamoDB"

    def states(self, as_of: datetime) -> list[State]:
        """States entered up to `as_of`, oldest first; the first is the initial one."""
        if not self._states:
            reason = "Unchecked: Initial alarm creation"
            if self.initial == "OK":
                reason = (
                    "Threshold Crossed: no datapoints were breaching the threshold at the last evaluation."
                )
            self._states.append(State(self.initial_since, self.initial, reason, ""))
            self._done = int(self.begin.timestamp()) // self.period * self.period
        self._rule_until = 0.0  # settings may have been laid down since
        wait = self.lag + (self.source.delay if self.source else 75)
        now = as_of.timestamp()
        self._done = max(self._done, min(self._silent_until(), int(now - wait) // self.period * self.period))
        while self._done + self.period + wait <= now:
            self._done += self.period
            self._evaluate(self._done, self._done + wait)
        return [state for state in self._states if state.time <= as_of]

    def _silent_until(self) -> int:
        """The end of the periods without any datapoint during which an alarm that ignores missing data stays."""
        if self.source is None or self.source.sparse is None or not self.ignores_missing:
            return 0
        return self.source.sparse * 60 // self.period * self.period

    def state(self, as_of: datetime) -> State:
        return self.states(as_of)[-1]

    def _evaluate(self, end: int, at: int) -> None:
        if at >= self._rule_until:
            moment = datetime.fromtimestamp(at, UTC)
            self._rule = rule_at(self.settings, moment, self.ignores_missing)
            self._rule_until = next_change(self.settings, moment)
            self._calm = 0
        rule, now = self._rule, self._states[-1].value
        assert rule is not None
        newest = self._value(end - self.period)
        self._calm = 0 if newest is None or rule.breaches(newest) else self._calm + 1
        if now == "OK" and self._calm >= rule.periods:
            return
        starts = range(end - self.period * rule.range, end, self.period)
        values = [self._value(start) for start in starts]
        value = rule.follows(values, now)
        if value == now:
            return
        used = rule.used(values)
        seen = Evaluation(list(zip(starts, values, strict=True))[-used:], value)
        stamped = datetime.fromtimestamp(at, UTC) + timedelta(milliseconds=(at * 37) % 1000)
        reason = alarm_reason.words(seen, rule, now)
        data = alarm_reason.data(seen, rule, stamped, self.stat, self.period)
        self._states.append(State(stamped, value, reason, data))

    def _value(self, start: int) -> float | None:
        """The datapoint of one period. Each is looked at in several evaluations."""
        if start not in self._values:
            if len(self._values) > _KEPT:
                self._values.clear()
            self._values[start] = self._computed(start)
        return self._values[start]

    def _computed(self, start: int) -> float | None:
        if self.queries and self.telemetry is not None:
            return alarm_sums.value(self.queries, self.telemetry, start, self.period)
        return (
            None if self.source is None else alarm_sums.of_period(self.source, self.stat, start, self.period)
        )

    def describe(self, as_of: datetime) -> Json:
        """The alarm as DescribeAlarms shows it."""
        state = self.state(as_of)
        updated = max(time for time, _ in self.updates if time <= as_of)
        shown: Json = {
            "AlarmName": self.name,
            "AlarmArn": self.arn,
            "AlarmConfigurationUpdatedTimestamp": updated,
            "ActionsEnabled": True,
            "OKActions": [],
            "AlarmActions": list(self.actions),
            "InsufficientDataActions": [],
            "StateValue": state.value,
            "StateReason": state.reason,
            "StateUpdatedTimestamp": state.time,
            "StateTransitionedTimestamp": state.time,
            **self._watched(),
            **self.numbers(as_of),
        }
        if self.description:
            shown["AlarmDescription"] = self.description
        if state.data:
            shown["StateReasonData"] = state.data
        return shown

    def _watched(self) -> Json:
        """What the alarm looks at: a metric or an expression."""
        if self.queries:
            return {"Metrics": [{"ReturnData": True, **query} for query in self.queries]}
        return {
            "MetricName": self.metric,
            "Namespace": self.namespace,
            "Dimensions": [{"Name": name, "Value": value} for name, value in self.dimensions],
            "Period": self.period,
            ("Statistic" if self.stat[0] != "p" else "ExtendedStatistic"): self.stat,
        }

    def numbers(self, moment: datetime) -> Json:
        """The settings that decide the state, by API name."""
        return {name: self.settings.at(name, moment) for name in NAMES}

    def request(self, moment: datetime) -> Json:
        """The requestParameters of a PutMetricAlarm that leaves the alarm as it is at `moment`."""
        made: Json = {
            "alarmName": self.name,
            "alarmDescription": self.description,
            "actionsEnabled": True,
            "oKActions": [],
            "alarmActions": list(self.actions),
            "insufficientDataActions": [],
            **_lower(self._watched()),
        }
        made |= {name[0].lower() + name[1:]: value for name, value in self.numbers(moment).items()}
        return made

    def history(self, as_of: datetime) -> list[Json]:
        """Items of DescribeAlarmHistory of the last 30 days, newest first."""
        items = self._state_items(as_of) + self._update_items(as_of)
        kept = [item for item in items if item["Timestamp"] >= as_of - timedelta(days=30)]
        return sorted(kept, key=lambda item: item["Timestamp"], reverse=True)

    def _state_items(self, as_of: datetime) -> list[Json]:
        states = self.states(as_of)
        before = State(self.created, "INSUFFICIENT_DATA", "Unchecked: Initial alarm creation", "")
        items = []
        for old, new in zip([before, *states], states, strict=False):
            if old.value == new.value:
                continue
            data = {"version": "1.0", "oldState": _state(old), "newState": _state(new)}
            summary = f"Alarm updated from {old.value} to {new.value}"
            items.append(self._item(new.time, "StateUpdate", summary, data))
            if new.value == "ALARM" and self.actions:
                items.append(self._action(new))
        return items

    def _action(self, state: State) -> Json:
        target = self.actions[0]
        data = {
            "actionState": "Succeeded",
            "notificationResource": target,
            "stateUpdateTimestamp": int(state.time.timestamp() * 1000),
        }
        return self._item(state.time, "Action", f"Successfully executed action {target}", data)

    def _update_items(self, as_of: datetime) -> list[Json]:
        items = []
        for moment, kind in self.updates:
            if moment > as_of:
                continue
            shown = self.request(moment) | {
                "alarmArn": self.arn,
                "stateValue": self.states(moment)[-1].value
                if moment >= self.initial_since
                else "INSUFFICIENT_DATA",
            }
            shown["okactions"] = shown.pop("oKActions")
            key = "createdAlarm" if kind == "Create" else "updatedAlarm"
            word = "created" if kind == "Create" else "updated"
            data: Json = {"version": "1.0", "type": kind, key: shown}
            items.append(self._item(moment, "ConfigurationUpdate", f'Alarm "{self.name}" {word}', data))
        return items

    def _item(self, moment: datetime, kind: str, summary: str, data: Json) -> Json:
        return {
            "AlarmName": self.name,
            "AlarmType": "MetricAlarm",
            "Timestamp": moment,
            "HistoryItemType": kind,
            "HistorySummary": summary,
            "HistoryData": json.dumps(data),
        }


def _state(state: State) -> Json:
    made: dict[str, Any] = {"stateValue": state.value, "stateReason": state.reason}
    if state.data:
        made["stateReasonData"] = json.loads(state.data)
    return made


def _lower(value: Any) -> Any:
    """Keys as CloudTrail and the history write them."""
    if isinstance(value, dict):
        return {key[0].lower() + key[1:]: _lower(one) for key, one in value.items()}
    return [_lower(one) for one in value] if isinstance(value, list) else value
