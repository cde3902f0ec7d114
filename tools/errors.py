"""The one tree of errors.

OpsleuthError                 anything opsleuth raises on purpose; `str()` is a sentence that says what to do
├── BadInput                  the caller's request cannot be understood (exit code 2)
├── CannotInvestigate         nothing can be looked at: unknown alarm, no credentials (exit code 3)
│   ├── NoCredentials
│   └── BadRecording          (exit code 2, as it is the caller's file)
├── WriteRefused              an operation outside the closed lists was about to be sent (a defect, never a gap)
├── BudgetSpent               the run's budget of calls, bytes or seconds is used up; becomes a gap
└── Refused                   AWS (or a recording) did not answer; carries the `Gap` that tells it
    ├── Denied                no permission
    ├── Throttled             still throttled after the retries
    ├── NotThere              the thing asked for does not exist
    ├── Unavailable           server fault, time-out, network
    └── NotRecorded           the recording or world holds no answer for this request
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tools.models import Gap


MISSHAPEN = (ArithmeticError, AttributeError, LookupError, RecursionError, TypeError, ValueError)
"""What reading a record can raise whose shape nobody foresaw. For a loop over records, so that one does not end all."""


class OpsleuthError(Exception):
    """Base of all errors that opsleuth raises on purpose."""


class BadInput(OpsleuthError):
    """The caller's request cannot be understood; the message says what to type instead."""


class CannotInvestigate(OpsleuthError):
    """Nothing can be looked at; the message says what to do first."""


class NoCredentials(CannotInvestigate):
    """No usable AWS credentials were found."""


class BadRecording(CannotInvestigate):
    """A recording cannot be read or was made for another protocol."""


class WriteRefused(OpsleuthError):
    """An operation outside the closed lists was about to leave the process."""


class BudgetSpent(OpsleuthError):
    """The run's budget is used up."""


class Refused(OpsleuthError):
    """AWS did not answer. `gap` says what could not be seen and how to lift it."""

    def __init__(self, gap: Gap, code: str) -> None:
        super().__init__(f"{gap.what}: {gap.why}")
        self.gap = gap
        self.code = code


class Denied(Refused):
    """No permission."""


class Throttled(Refused):
    """Still throttled after the retries."""


class NotThere(Refused):
    """The thing asked for does not exist."""


class Unavailable(Refused):
    """Server fault, time-out or network."""


class NotRecorded(Refused):
    """The recording or world holds no answer for this request."""
