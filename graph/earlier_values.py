"""Where values before a change are kept beside CloudTrail: published versions, and the items of AWS Config."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

from graph.facts import Facts
from graph.touching import by_event
from tools.aws import Reader
from tools.cloudtrail import is_noise
from tools.config_history import recorded
from tools.models import ChangeEvent, Version
from tools.services._spec import Setting
from tools.setting_values import requested
from tools.versions import before

MOST_VERSIONED = 4


def versions(reader: Reader, facts: Facts, events: Sequence[ChangeEvent]) -> list[Version]:
    """Published versions that tell what settings were before changes near the onset, newest change first.

    Read only of known resources of which such a setting was changed.
    """
    begin = facts.began
    moments: dict[str, list[datetime]] = {}
    named = by_event(facts.resources)
    for event in reversed(events):
        early = event.time < begin - timedelta(hours=facts.lookback)
        if early or event.operation.startswith("Create") or is_noise(event):
            continue
        for arn in named(event):
            found = facts.resource(arn)
            shown = [one for one in facts.settings_of(found) if one.versioned] if found is not None else []
            if any(requested(event, one)[0] for one in shown):
                moments.setdefault(arn, []).append(event.time)
    made: list[Version] = []
    for arn in list(moments)[:MOST_VERSIONED]:
        if (resource := facts.resource(arn)) is not None:
            made.extend(before(reader, resource, moments[arn]))
    return made


MOST_RECORDED = 3


def config_items(reader: Reader, facts: Facts, events: Sequence[ChangeEvent]) -> Iterator[Version]:
    """AWS Config's items from before changes near the onset of which no earlier event and no metric tells."""
    begin = facts.began
    wanted: dict[str, list[tuple[Setting, datetime]]] = {}
    named = by_event(facts.resources)
    for event in reversed(events):
        early = event.time < begin - timedelta(hours=facts.lookback)
        if early or event.operation.startswith("Create") or is_noise(event) or event.error_code:
            continue
        for arn in named(event):
            resource = facts.resource(arn)
            for setting in facts.settings_of(resource) if resource is not None else ():
                same = [one for one in events if arn in named(one)]
                if requested(event, setting)[0] and not _is_told(setting, event, same):
                    wanted.setdefault(arn, []).append((setting, event.time))
    for arn in list(wanted)[:MOST_RECORDED]:
        resource = facts.resource(arn)
        if resource is not None:
            settings = list({one.path: one for one, _ in wanted[arn]}.values())
            with reader.seeing(
                f"AWS Config in account {resource.account}", f"earlier values of {resource.name}"
            ):
                place = reader.at(resource.account, resource.region)
                yield from recorded(place, resource, settings, [moment for _, moment in wanted[arn]])


def _is_told(setting: Setting, event: ChangeEvent, events: Sequence[ChangeEvent]) -> bool:
    """Whether a metric, the answer, a version or an earlier event tells the value before."""
    if setting.metric is not None or setting.versioned or setting.hidden or setting.echo == "old":
        return True
    return any(one.time < event.time and not one.error_code and requested(one, setting)[0] for one in events)
