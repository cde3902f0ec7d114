"""Schedule groups, and schedules in them."""

from __future__ import annotations

from evals.rehearsals._ground import Ground, Lay


def _lay(lay: Lay) -> None:
    group = lay.told("groupName", default="default")
    if "ScheduleGroup" not in lay.event.operation and group != "default":
        lay.do("scheduler", "CreateScheduleGroup", Name=group)


GROUNDS = (Ground(service="scheduler", lay=_lay),)
