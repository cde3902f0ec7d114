"""Does a report name the further causes that were true at the same time, and no other? Pure."""

from __future__ import annotations

from collections.abc import Iterator

from evals.comparing import Item, differs, item, same
from evals.truth import AlsoTrue, Truth
from graph.models import Report, RootCause


def also_item(report: Report, truth: Truth) -> Item:
    """Each further cause with resource, field, event, values and actor, in the order of the truth; none beyond it."""
    told, true = report.also, truth.also
    problems = [
        f"names {one.kind} of {one.resource} as a cause too"
        for one in told
        if not any(_same(one, t) for t in true)
    ]
    for expected in true:
        found = next((one for one in told if _same(one, expected)), None)
        if found is None:
            problems.append(f"{expected.kind} of {expected.resource} is not named as a cause too")
        else:
            problems += _differences(found, expected)
    if not any(problems) and [t.resource for t in true] != [one.resource for one in told]:
        problems.append("the further causes are not told in the order in which they happened")
    return item("also", problems, f"{len(true)} further causes", asked=bool(true))


def _same(told: RootCause, true: AlsoTrue) -> bool:
    return told.resource == true.resource and (not true.field or told.field == true.field)


def _differences(told: RootCause, true: AlsoTrue) -> Iterator[str]:
    yield differs("kind", true.kind, told.kind)
    yield differs("event", true.event, told.event.id if told.event else "")
    if "bad" in true.model_fields_set:
        yield differs("bad value", true.bad, told.bad_value)
    if "prior" in true.model_fields_set:
        yield differs("prior value", true.prior, told.prior_value if told.prior_known else None)
        agreeing = {source.kind for source in told.prior_sources if same(source.value, true.prior)}
        yield from (
            f"no source of kind {kind} tells {true.prior!r}" for kind in true.sources if kind not in agreeing
        )
    elif told.prior_known:
        yield "claims a prior value where there is none"
    actor, named = true.actor, told.actor
    if actor is None:
        return
    if named is None:
        yield f"nobody is named; expected {actor.name}"
        return
    for field in ("kind", "name", "how"):
        yield differs(f"actor {field}", getattr(actor, field), getattr(named, field))
    if actor.source_ip:
        yield differs("source IP", actor.source_ip, named.source_ip)
    if "mfa" in actor.model_fields_set:
        yield differs("MFA", actor.mfa, named.mfa)
