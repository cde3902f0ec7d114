"""What the facts mean. One door: `stream`, and `investigate`, which runs it to the end.

LangGraph is imported when the door is opened, not before, so that command lines start quickly.
"""

from __future__ import annotations

from graph.context import Context, Space
from graph.door import Question, Resume, Steer, Update, investigate, stream
from graph.models import REPORT_ID, Report, TimelineEvent, Trigger

__all__ = [
    "REPORT_ID",
    "Context",
    "Question",
    "Report",
    "Resume",
    "Space",
    "Steer",
    "TimelineEvent",
    "Trigger",
    "Update",
    "investigate",
    "stream",
]
