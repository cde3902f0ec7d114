"""Metric math of CloudWatch: the operators and functions that alarms commonly have.

User guide, "Metric math syntax and functions". Values are scalars, time series and arrays of time series:

    + - * / ^  == != < <= > >=  && || AND OR   where both sides have a datapoint; dividing by zero gives none
    SUM AVG MIN MAX STDDEV    of an array: per timestamp, over those that have a datapoint; of a series: a scalar
    IF FILL RATE DIFF RUNNING_SUM ABS CEIL FLOOR PERIOD TIME_SERIES METRIC_COUNT DATAPOINT_COUNT METRICS

Whatever else CloudWatch knows (SEARCH, SELECT, ANOMALY_DETECTION_BAND ...) raises `Unsupported`; what it does not know
either raises `MathError`.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from statistics import fmean, pstdev
from typing import TypeAlias

from evals.world.metric_functions import EACH, ONE, Points, filled
from evals.world.metric_syntax import Call, Id, Items, MathError, Number, Operation, Syntax, Text, Word, parse


@dataclass(frozen=True, slots=True)
class Series:
    """A time series with the label of the metric that it comes from."""

    points: Points
    label: str = ""


Value: TypeAlias = "float | Series | list[Series]"


class Unsupported(MathError):
    """CloudWatch knows this; worlds do not."""


UNSUPPORTED = frozenset(
    {"ANOMALY_DETECTION_BAND", "DATE", "DAY", "DB_PERF_INSIGHTS", "DIFF_TIME", "EPOCH", "FIRST", "HOUR"}
    | {"INSIGHT_RULE_METRIC", "LAMBDA", "LAST", "LOG", "LOG10", "MINUTE", "MONTH", "REMOVE_EMPTY", "SEARCH"}
    | {"SELECT", "SERVICE_QUOTA", "SLICE", "SORT", "YEAR"}
)

_PLAIN: Mapping[str, Callable[[float, float], float]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "==": lambda a, b: float(a == b),
    "!=": lambda a, b: float(a != b),
    "<": lambda a, b: float(a < b),
    "<=": lambda a, b: float(a <= b),
    ">": lambda a, b: float(a > b),
    ">=": lambda a, b: float(a >= b),
    "&&": lambda a, b: float(bool(a) and bool(b)),
    "||": lambda a, b: float(bool(a) or bool(b)),
}


def _two(sign: str, left: float, right: float) -> float | None:
    """One operation on two numbers; None where CloudWatch gives no datapoint."""
    if sign == "/":
        return left / right if right else None
    if sign == "^":
        if (left < 0 and right != int(right)) or (left == 0 and right < 0):
            return None
        return float(left**right)
    return _PLAIN[sign](left, right)


@dataclass
class Sums:
    """Evaluates expressions over the metrics of one request.

    `metrics` by id, in the order of the request; `expressions` by id; `times` are all period starts of the window.
    """

    metrics: Mapping[str, Series]
    expressions: Mapping[str, str]
    period: int
    times: Sequence[int]
    _done: dict[str, Value] = field(default_factory=dict)
    _open: set[str] = field(default_factory=set)

    def result(self, name: str) -> list[Series]:
        """The series of an expression by its id. Raises MathError."""
        found = self._named(name)
        if isinstance(found, float):
            raise MathError(
                "The expression must return a time series or an array of time series, not a scalar"
            )
        return found if isinstance(found, list) else [Series(found.points, found.label)]

    def _named(self, name: str) -> Value:
        if name in self.metrics:
            return self.metrics[name]
        if name not in self.expressions:
            raise MathError(f"Unresolved identifier '{name}'")
        if name in self._open:
            raise MathError(f"Circular reference to '{name}'")
        if name not in self._done:
            self._open.add(name)
            self._done[name] = self._value(parse(self.expressions[name]))
            self._open.discard(name)
        return self._done[name]

    def _value(self, node: Syntax) -> Value:
        if isinstance(node, Number):
            return node.value
        if isinstance(node, Id):
            return self._named(node.name)
        if isinstance(node, Items):
            return [one for item in node.items for one in self._series(self._value(item))]
        if isinstance(node, Operation):
            return self._operation(node.sign, self._value(node.left), self._value(node.right))
        if isinstance(node, Call):
            return self._call(node)
        raise MathError(f"Unexpected {node}")

    @staticmethod
    def _series(value: Value) -> list[Series]:
        if isinstance(value, float):
            raise MathError("An array holds time series, not scalars")
        return value if isinstance(value, list) else [value]

    def _operation(self, sign: str, left: Value, right: Value) -> Value:
        if isinstance(left, list) and isinstance(right, list):
            raise MathError(f"Operator {sign} is not valid between two arrays")
        if isinstance(left, list):
            return [self._joined(sign, one, right, one.label) for one in left]  # type: ignore[arg-type]
        if isinstance(right, list):
            return [self._joined(sign, left, one, one.label) for one in right]
        if isinstance(left, float) and isinstance(right, float):
            value = _two(sign, left, right)
            if value is None:
                raise MathError("Division by zero")
            return value
        return self._joined(sign, left, right, "")

    @staticmethod
    def _joined(sign: str, left: float | Series, right: float | Series, label: str) -> Series:
        times = left.points if isinstance(left, Series) else right.points if isinstance(right, Series) else {}
        found: Points = {}
        for time in times:
            first = left.points.get(time) if isinstance(left, Series) else left
            second = right.points.get(time) if isinstance(right, Series) else right
            value = None if first is None or second is None else _two(sign, first, second)
            if value is not None:
                found[time] = value
        return Series(found, label)

    # -- functions --------------------------------------------------------------------------------

    def _call(self, node: Call) -> Value:
        name = node.name
        if name in UNSUPPORTED:
            raise Unsupported(f"Function {name} is not supported")
        if name == "METRICS":
            return self._metrics(node)
        if name == "FILL":
            return self._fill(node)
        arguments = [self._value(item) for item in node.arguments]
        if name == "IF":
            return self._if(arguments)
        if name in _REDUCED:
            return _reduced(name, *self._exactly(name, arguments, 1))
        if name == "TIME_SERIES":
            (value,) = self._exactly(name, arguments, 1)
            if not isinstance(value, float):
                raise MathError("TIME_SERIES takes a scalar")
            return Series(dict.fromkeys(self.times, value))
        if name == "PERIOD":
            self._exactly(name, arguments, 1)
            return float(self.period)
        if name == "METRIC_COUNT":
            return float(len(self._series(self._exactly(name, arguments, 1)[0])))
        if name == "DATAPOINT_COUNT":
            (value,) = self._exactly(name, arguments, 1)
            return self._each(value, lambda points: dict.fromkeys(points, float(len(points))))
        if name in EACH:
            (value,) = self._exactly(name, arguments, 1)
            if isinstance(value, float) and name in ONE:
                return ONE[name](value)
            return self._each(value, EACH[name])
        raise MathError(f"Unrecognized function '{name}'")

    @staticmethod
    def _exactly(name: str, arguments: list[Value], count: int) -> list[Value]:
        if len(arguments) != count:
            raise MathError(f"Function {name} takes {count} argument{'s' if count != 1 else ''}")
        return arguments

    def _each(self, value: Value, change: Callable[[Points], Points]) -> Value:
        found = [Series(change(one.points), one.label) for one in self._series(value)]
        return found if isinstance(value, list) else found[0]

    def _metrics(self, node: Call) -> list[Series]:
        part = ""
        if node.arguments:
            given = node.arguments[0]
            if not isinstance(given, Text) or len(node.arguments) > 1:
                raise MathError("METRICS takes a text")
            part = given.value
        return [series for name, series in self.metrics.items() if part in name]

    def _fill(self, node: Call) -> Value:
        if len(node.arguments) != 2:
            raise MathError("Function FILL takes 2 arguments")
        value, how = self._value(node.arguments[0]), node.arguments[1]
        if isinstance(how, Word):
            return self._each(value, lambda points: filled(points, self.times, how.name))
        other = self._value(how)
        if isinstance(other, list):
            raise MathError("FILL takes a scalar or a time series")

        def fill(points: Points) -> Points:
            given = other.points if isinstance(other, Series) else dict.fromkeys(self.times, other)
            return {time: points.get(time, given.get(time, 0.0)) for time in sorted({*points, *given})}

        return self._each(value, fill)

    def _if(self, arguments: list[Value]) -> Value:
        if not 2 <= len(arguments) <= 3:
            raise MathError("Function IF takes 2 or 3 arguments")
        test, yes = arguments[0], arguments[1]
        no: Value = arguments[2] if len(arguments) == 3 else Series({})
        if isinstance(test, list) or isinstance(yes, list) or isinstance(no, list):
            raise Unsupported("IF over arrays is not supported")
        if isinstance(test, float):
            return yes if test else no
        found: Points = {}
        for time, state in test.points.items():
            side = yes if state else no
            value = side if isinstance(side, float) else side.points.get(time)
            if value is not None:
                found[time] = value
        return Series(found)


_REDUCED: Mapping[str, Callable[[list[float]], float]] = {
    "SUM": sum,
    "AVG": fmean,
    "MIN": min,
    "MAX": max,
    "STDDEV": pstdev,
}


def _reduced(name: str, value: Value) -> Value:
    if isinstance(value, float):
        raise MathError(f"Function {name} takes a time series or an array of them")
    how = _REDUCED[name]
    if isinstance(value, Series):
        return float(how(list(value.points.values()))) if value.points else 0.0
    held: dict[int, list[float]] = {}
    for one in value:
        for time, number in one.points.items():
            held.setdefault(time, []).append(number)
    return Series({time: float(how(held[time])) for time in sorted(held)})
