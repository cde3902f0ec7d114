"""One token bucket per account, region and API, shared by all parallel calls of a run.

Rates are AWS's published ones, or below where other tools of the account share them (LookupEvents: 2 per
second per account and region in the API reference; opsleuth takes 1 and leaves 1 to people).
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from datetime import datetime, timedelta

from tools.clock import Clock

RATES: Mapping[tuple[str, str], float] = {
    ("cloudtrail", "LookupEvents"): 1.0,
    ("logs", "FilterLogEvents"): 4.0,
    ("logs", "StartQuery"): 4.0,
    ("logs", "GetQueryResults"): 4.0,
    ("logs", "DescribeLogGroups"): 4.0,
    ("cloudwatch", "DescribeAlarms"): 5.0,
    ("cloudwatch", "DescribeAlarmHistory"): 2.0,
    ("cloudwatch", "DescribeAlarmsForMetric"): 2.0,
    ("cloudwatch", "GetMetricData"): 20.0,
    ("cloudwatch", "ListMetrics"): 10.0,
    ("apigateway", "*"): 4.0,
    ("iam", "*"): 8.0,
    ("lambda", "*"): 10.0,
}
DEFAULT_RATE = 10.0


class Buckets:
    """Hands out the moment at which a call may leave, then waits for it on the run's clock."""

    def __init__(self, clock: Clock, rates: Mapping[tuple[str, str], float] = RATES) -> None:
        self._clock = clock
        self._rates = rates
        self._lock = threading.Lock()
        self._next: dict[tuple[str, str, str, str], datetime] = {}

    def rate(self, service: str, operation: str) -> float:
        return self._rates.get((service, operation), self._rates.get((service, "*"), DEFAULT_RATE))

    def wait(self, account: str, region: str, service: str, operation: str) -> None:
        """Return when one call of this API may be sent."""
        shared = operation if (service, operation) in self._rates else "*"
        key = (account, region, service, shared)
        step = timedelta(seconds=1.0 / self.rate(service, operation))
        with self._lock:
            turn = max(self._clock.now(), self._next.get(key, self._clock.now()))
            self._next[key] = turn + step
        self._clock.sleep_until(turn)
