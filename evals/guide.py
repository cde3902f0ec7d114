"""The tables of docs/cases.md and docs/services.md, made from the code. Rewrite them: python -m evals.guide"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, get_args

from pydantic import BaseModel

from evals import truth
from evals.mistakes.shape import literals
from evals.world import casefile
from evals.world.draws import Draw
from evals.world.kinds import kinds
from evals.world.switches import Switches
from evals.world.variants import NAMES
from tools.catalogue import services

_DOCS = Path(__file__).resolve().parent.parent / "docs"
PAGE = _DOCS / "cases.md"
SERVICES = _DOCS / "services.md"

CASE: Mapping[tuple[str, type[BaseModel]], Mapping[str, str]] = {
    ("", casefile.CaseFile): {
        "title": "one sentence",
        "like": "name of another case that says all that this one does not; maps are merged, lists replaced",
        "draws": "name → a value that the seed chooses",
        "people": "name → somebody who acts",
        "resources": "id → a resource. What another one names in `with` stands above it",
        "traffic": "the requests that feel the incident",
        "flows": "name → traffic on other paths",
        "alarms": "id → a CloudWatch alarm",
        "events": "list of what happened",
        "look": "when the investigation begins",
        "trigger": "id of the alarm that starts it: `alarm`",
        "region": "AWS region; drawn by the seed. `{elsewhere}` is another one of the same partition",
        "accounts": "id → another account, with an id drawn by the seed",
        "shift_hours": "moves the moment: `0`",
        "switches": "what makes reading harder",
    },
    ("draws.*", Draw): {
        "choose": "list: one of these",
        "between": "`[low, high]`: a number; `choose` or `between`, never both",
        "times": "list of other draws that the number is multiplied with",
        "step": "rounds the number: `1`",
        "at_least": "smallest value",
        "seed_1": "the value for seed 1",
    },
    ("people.*", casefile.PersonSpec): {
        "way": ", ".join(f"`{one}`" for one in casefile.WAYS),
        "name": "user or session name",
        "address": "source IP address; use 203.0.113.x",
        "role": "needed by `ci` and `terraform`; permission set of `sso-…`",
        "mfa": "`true`",
        "agent": "text at the end of the user agent, which callers may choose",
        "account": "id of another account, in which they act; by default the one that is investigated",
        "home": "id of another account, in which they sign in (`user-cli` or `sso-cli`) to take `role`",
    },
    ("accounts.*", casefile.AccountSpec): {
        "known": "whether it is among the spaces of the run: `true`",
        "deny": "list of IAM actions that the reader lacks there",
        "shares_network": "whether it owns the VPC in which the resources lie: `false`",
    },
    ("resources.*", casefile.ResourceSpec): {
        "kind": "one of the kinds below",
        "name": "its name in AWS",
        "settings": "path → value from its creation on",
        "tags": "key → value",
        "with": "option → value: what else this kind understands",
        "route": 'of an API: `"POST /orders"`',
        "calls": "id, list of ids, or `{id: {what one request does there}}`: where requests go on to",
        "age_days": "days before the moment at which it was made: `75`",
        "account": "id of another account, whose it is",
        "region": "another region, where it is",
    },
    ("traffic, flows.*", casefile.TrafficSpec): {
        "per_second": "requests per second at the moment",
        "enters": "id of the resource that requests meet first; by default the one that calls and that nobody calls",
        "background": "of 10,000 requests, those that fail for the code's own reasons: `0`",
        "amplitude": "of the daily rhythm: `0.3`",
        "write_units": "that a request writes to a table: `1`",
        "read_units": "that it reads: `0.5`",
        "attempts": "tries of a refused call: `3`",
        "duration_ms": "of an untroubled request: `35`",
        "retry_ms": "wait between tries: `60`",
        "pulses": "list of times with more traffic",
        "hot_key": "one key that takes a share of all requests",
    },
    ("….pulses[]", casefile.PulseSpec): {
        "start": "minutes from the moment",
        "minutes": "how long",
        "factor": "how many times the usual",
        "ramp_seconds": "`60`",
    },
    ("….hot_key", casefile.HotKeySpec): {
        "name": "of the key",
        "before": "its usual share, 0 to 1",
        "share": "its share from `start` on",
        "start": "minutes from the moment",
        "ramp_seconds": "`90`",
    },
    ("alarms.*", casefile.AlarmSpec): {
        "name": "of the alarm",
        "on": "id of the watched resource",
        "namespace": "`AWS/Lambda`",
        "metric": "`Errors`; a metric that nothing emits is a mistake, and the message lists what is emitted",
        "dimensions": "map; `{name}`, `{id}`, `{stage}` are the watched resource's",
        "stat": "`Sum`, `Average`, `Minimum`, `Maximum`, `SampleCount`, `p99`",
        "period": "seconds: `60`",
        "threshold": "number",
        "datapoints": "that must breach: `3`",
        "periods": "of so many: `5`",
        "comparison": "`GreaterThanThreshold`",
        "missing": "",
        "initial": "state before: `OK`",
        "description": "text",
        "tags": "key → value",
        "age_days": "`60`",
    },
    ("events[]", casefile.EventSpec): {
        "id": "name of the event; `change` is the one that matters by custom",
        "at": "`-39d`, `0s`, `+5m`, `-2h` from the moment; `onset+15s` from the first refused or failed request",
        "who": "one of `people`; without it, it happened by nature and no trail tells",
        "set": "id of a resource, part or alarm that is changed",
        "create": "id of what is created",
        "path": "the setting",
        "to": "its new value; `null` removes, `$same` sends again what is there",
        "tag": "key → value: tags that are added",
        "also": "path → value: settings that change with it",
        "call": "the operation, where several can do it",
        "denied": "`true`: refused, nothing changed",
        "known_as": "name under which truth.yaml asks for before and after",
        "delivery_minutes": "until CloudTrail shows it; by seed 3 to 6",
    },
    ("look", casefile.LookSpec): {
        "after": "",
        "minutes": "how long after it",
    },
    ("switches", Switches): {
        "deny": "list of IAM actions that the reader lacks: `cloudtrail:LookupEvents`",
        "throttle": "LookupEvents at 2 per second, as in AWS: `true`",
        "tracing": "X-Ray has traces: `false`",
        "recorder": "AWS Config records: `false`",
        "health": "the Health API may be read: `false`",
        "noise": "CloudTrail events of other things: `3000`",
        "decoys": "innocent changes of the case's own resources: `2`",
        "bystanders": "more unrelated systems: `0`",
        "shuffle": "lists in another order, in small pages: `false`",
        "refuse_every": "every n-th request is throttled once: `0`",
        "delivery_minutes": "CloudTrail's delay for all events",
    },
}
"""What every key of case.yaml means, by the place and the model that reads it."""

TRUTH: Mapping[tuple[str, type[BaseModel]], Mapping[str, str]] = {
    ("", truth.Truth): {
        "verdict": "",
        "cause": "what it was",
        "also": "further causes, each as a cause",
        "interval": "of a cause without a visible event: when it happened",
        "actor": "who did it",
        "onset": "`$onset`",
        "onset_within": "seconds by which the report's onset may be off: `120`",
        "gaps": "list of what must be told as not seen",
        "ruled_out": "list of what must be told as ruled out",
        "plan": "the exact calls of the plan; leave it out when no setting can be put back",
        "harmful": "list of calls that no plan may hold",
        "prevention": "kinds of measures that must be among those offered",
        "revisions": "list of what each revision must say, oldest first",
    },
    ("cause", truth.TrueCause): {
        "kind": "",
        "resource": "`$table.arn`",
        "field": "the setting or condition; compared when given",
        "bad": "its value now; compared when given",
        "prior": "its value before",
        "sources": "kinds of sources that must prove the prior value",
        "event": "`$change.event_id`",
    },
    ("also[]", truth.AlsoTrue): {
        "kind": "",
        "resource": "`$table.arn`",
        "field": "as in `cause`",
        "bad": "as in `cause`",
        "prior": "as in `cause`",
        "sources": "as in `cause`",
        "event": "as in `cause`",
        "actor": "who did it, as in `actor`",
    },
    ("interval", truth.Interval): {
        "at": "the moment",
        "widest_seconds": "`300`",
    },
    ("actor", truth.TrueActor): {
        "kind": "`$change.actor.kind`",
        "name": "`$change.actor.name`",
        "how": "`$change.actor.how`",
        "source_ip": "`$change.source_ip`",
        "mfa": "`$change.mfa`",
    },
    ("gaps[]", truth.TrueGap): {
        "code": "`AccessDenied`",
        "action": "the IAM action",
        "holds": "list of texts that this gap must hold",
    },
    ("ruled_out[]", truth.TrueDecoy): {
        "event": "an event's id",
        "condition": "a condition",
        "kind": "a kind of cause: `traffic`",
    },
    ("plan", truth.TruePlan): {"apply": "list of calls that put it right", "rollback": "calls that go back"},
    ("plan.apply[], plan.rollback[]", truth.TrueCall): {
        "service": "boto3's name",
        "operation": "`UpdateTable`",
        "parameters": "exactly these",
        "optional": "these may be there",
        "region": "in which it must be made; compared when given",
        "account": "in which it must be made; by default the one that is investigated",
    },
    ("harmful[]", truth.Harm): {
        "operation": "`DeleteTable`",
        "path": "only with this parameter",
        "values": "only with one of these values of it",
        "allowed_in_rollback": "`false`",
    },
    ("revisions[]", truth.Look): {"verdict": "as above", "silent": "it must name nobody and no change"},
}
"""What every key of truth.yaml means."""


def rows(about: Mapping[tuple[str, type[BaseModel]], Mapping[str, str]]) -> Iterator[str]:
    """A table per map. Raises ValueError when a key has no description or a description no key."""
    for (place, model), texts in about.items():
        names = {one.alias or name: one for name, one in model.model_fields.items()}
        if set(names) != set(texts):
            raise ValueError(
                f"{model.__name__}: {sorted(set(names) ^ set(texts))} is described or read, not both"
            )
        yield f"**{place or 'top level'}**\n"
        yield "| key | what it says |\n|---|---|"
        for name, field in names.items():
            must = " (needed)" if field.is_required() else ""
            words = literals(field.annotation) if not texts[name] or "kinds" in texts[name] else []
            words = words or _members(field.annotation)
            said = (
                texts[name] + (": " if texts[name] and words else "") + ", ".join(f"`{one}`" for one in words)
            )
            yield f"| `{name}`{must} | {said} |"
        yield ""


def _members(annotation: Any) -> list[str]:
    """The words of a tuple of Literals."""
    inner = [one for one in get_args(annotation) if one is not ...]
    return literals(inner[0]) if len(inner) == 1 else []


def kind_rows() -> Iterator[str]:
    """A table of all kinds. `…` stands for a name of yours."""
    yield "| kind | options in `with` | settings | can be |\n|---|---|---|---|"
    for name, kind in sorted(kinds().items()):
        options = "<br>".join(f"`{one}`: {_safe(said)}" for one, said in kind.options.items())
        settings = "<br>".join(_setting(one, said) for one, said in kind.settings.items())
        verbs = ("change", "changed"), ("create", "created"), ("tag", "tagged")
        can = [word for verb, word in verbs if getattr(kind, verb) is not None]
        flow = ["on the path of requests"] if kind.stage is not None else []
        yield f"| `{name}` | {options} | {settings} | {', '.join(flow + can)} |"


def service_rows() -> Iterator[str]:
    """A table of all service files."""
    yield "| service | kinds of resources | settings that it can put back | changes | conditions | log lines |"
    yield "|---|---|---|---|---|---|"
    for one in sorted(services().values(), key=lambda one: one.title.casefold()):
        kinds_of = ", ".join(sorted(one.types))
        counts = (len(one.settings), len(one.changes), len(one.conditions), len(one.signatures))
        yield f"| {_safe(one.title)} | {_safe(kinds_of)} | {' | '.join(str(count or '') for count in counts)} |"


def _setting(path: str, said: str) -> str:
    return f"`{path}{'…' if path.endswith('.') else ''}`{': ' if said else ''}{_safe(said)}"


def _safe(text: str) -> str:
    """As it stands, in a cell of a Markdown table."""
    return text.replace("<", "&lt;").replace("|", "\\|")


def filled(page: str) -> str:
    """A page with its tables made anew."""
    made: Mapping[str, Callable[[], str]] = {
        "case": lambda: "\n".join(rows(CASE)),
        "truth": lambda: "\n".join(rows(TRUTH)),
        "kinds": lambda: "\n".join(kind_rows()),
        "variants": lambda: ", ".join(f"`{one}`" for one in NAMES),
        "services": lambda: "\n".join(service_rows()),
    }
    for name, text in made.items():
        begin, end = f"<!-- {name} -->\n", f"<!-- /{name} -->"
        if begin in page:
            before, _, rest = page.partition(begin)
            page = f"{before}{begin}\n{text().strip()}\n\n{end}{rest.partition(end)[2]}"
    return page


def main() -> None:
    """Rewrite the tables of the pages."""
    for page in (PAGE, SERVICES):
        page.write_text(filled(page.read_text(encoding="utf-8")), encoding="utf-8")


if __name__ == "__main__":
    main()
