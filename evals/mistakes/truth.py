"""What is wrong in a truth.yaml: its form, its references to the world, its calls against botocore's models."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from functools import cache
from pathlib import Path
from typing import Any

from evals.folders import CASE, is_recorded
from evals.mistakes import answers, shape
from evals.mistakes.sheet import Sheet, gather, spelt
from evals.truth import Truth, fill
from evals.yaml_places import Where
from tools.errors import BadInput
from tools.gap_codes import OWN, is_known
from tools.models import Call
from tools.parameters import operations, validate

_REFERENCE = re.compile(r"^\$([A-Za-z_][\w.-]*)$|\$\{([A-Za-z_][\w.-]*)\}")
_UNKNOWN = re.compile(r'Unknown parameter in (?P<place>[^:]+): "(?P<name>[^"]+)"')
_TYPE = re.compile(r"Invalid [\w ]+ for parameter (?P<place>[^,]+),")
_CLIENTS = (
    *("acm", "apigateway", "apigatewayv2", "application-autoscaling", "autoscaling", "cloudformation"),
    *("cloudfront", "cloudtrail", "wafv2"),
    *(
        "cloudwatch",
        "dynamodb",
        "ec2",
        "ecs",
        "elasticache",
        "elb",
        "elbv2",
        "events",
        "iam",
        "kinesis",
        "kms",
        "lambda",
    ),
    *("logs", "rds", "route53", "s3", "secretsmanager", "sns", "sqs", "ssm", "stepfunctions", "sts"),
)
"""boto3's names of the services whose operations a truth may call harmful."""

_WORLD = ("case", "seed", "account", "region", "moment", "investigate_at", "onset", "ended")


def read(path: Path) -> Sheet:
    """A truth.yaml with those that it is like, its form checked."""
    sheet = gather(path, _base, lambda base, over: {**base, **over})
    if sheet.value:
        sheet.value.pop("like", None)
        shape.told(sheet, Truth, "template")
        _verdict(sheet)
        _calls(sheet, sheet.value)
        _harmful(sheet)
        _strange(sheet)
        _gaps(sheet)
        answers.check(sheet, recorded=is_recorded(path.parent) and not (path.parent / CASE).is_file())
    return sheet


def _base(path: Path, name: str) -> Path | None:
    from evals.cases import incidents

    for root in (path.parent.parent, incidents()):
        if (root / name / path.name).is_file():
            return root / name / path.name
    return None


def references(sheet: Sheet) -> Iterator[tuple[Where, str]]:
    """(place, name) of all references, in order."""
    for where, value in _leaves(sheet.value, ()):
        if isinstance(value, str):
            for found in _REFERENCE.finditer(value):
                yield where, found.group(1) or found.group(2)


def _leaves(node: Any, where: Where) -> Iterator[tuple[Where, Any]]:
    inner = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else None
    if inner is None:
        yield where, node
        return
    for key, value in inner:
        yield from _leaves(value, (*where, key))


def guess(sheet: Sheet, case: Sheet) -> None:
    """Check references by their beginnings, where no world can be asked."""
    events = [event for _, event in case.maps("events")]
    known = {
        *case.map("resources"),
        *case.map("alarms"),
        *case.map("accounts"),
        *_WORLD,
        "drawn",
        "traffic",
        "reader",
        "hot_key",
    }
    known |= {str(event[one]) for event in events for one in ("id", "known_as") if event.get(one)}
    for where, name in references(sheet):
        first = name.split(".")[0]
        if first not in known and not any(first.startswith(f"{one}_") for one in known):
            text = f"{sheet.name(where)}: the case has nothing called {first}.{spelt(first, sorted(known))}"
            sheet.add(where, text)


def known(sheet: Sheet, facts: Mapping[str, Any], seed: int) -> bool:
    """Add the references that a world does not know; whether it knows all."""
    right = True
    for where, name in references(sheet):
        if name not in facts:
            right = False
            sheet.add(where, f"{sheet.name(where)}: {_unknown(name, facts, seed)}")
    return right


def _unknown(name: str, facts: Mapping[str, Any], seed: int) -> str:
    if name == "onset":
        return f"with seed {seed} nothing is refused or fails, so there is no $onset."
    if name == "ended":
        return f"with seed {seed} it goes on until the investigation begins, so there is no $ended."
    same = [one for one in facts if one.split(".")[0] == name.split(".", maxsplit=1)[0]]
    close = get_close_matches(name, list(facts), 4, 0.5)
    shown = list(dict.fromkeys([*close, *same]))[:16]
    return f"no fact of the world is called ${name}. Near: {', '.join('$' + one for one in shown) or 'none'}."


def filled(sheet: Sheet, facts: Mapping[str, Any], seed: int) -> None:
    """Check form and calls again, once the references are what they stand for."""
    value = sheet.value
    sheet.value = fill(value, facts, "truth.yaml")
    shape.told(sheet, Truth)
    _calls(sheet, sheet.value)
    answers.resolved(sheet, seed)
    sheet.value = value


def _verdict(sheet: Sheet) -> None:
    if sheet.value.get("verdict") == "root_cause" and sheet.value.get("cause") is None:
        sheet.add(("verdict",), "verdict: root_cause needs a `cause`: at least its kind and resource.")


def _gaps(sheet: Sheet) -> None:
    """Codes that no gap can have: a report could never be right."""
    for number, gap in sheet.maps("gaps"):
        code = gap.get("code")
        if isinstance(code, str) and not _REFERENCE.search(code) and not is_known(code):
            where = ("gaps", number, "code")
            told = f'{sheet.name(where)}: no gap has the code "{code}", and AWS has no such error.'
            sheet.add(where, f"{told}{spelt(code, sorted(OWN))}")


def _strange(sheet: Sheet) -> None:
    """Texts that begin as a reference and are none."""
    for where, value in _leaves(sheet.value, ()):
        if isinstance(value, str) and value.startswith("$") and not _REFERENCE.search(value):
            sheet.add(
                where,
                f'{sheet.name(where)}: "{value}" is no reference; write $name.part, in a text ${{name.part}}.',
            )


def _calls(sheet: Sheet, value: Any) -> None:
    plan = value.get("plan")
    for part in ("apply", "rollback"):
        listed = plan.get(part) if isinstance(plan, dict) else None
        for index, call in enumerate(listed if isinstance(listed, list) else ()):
            if isinstance(call, dict):
                _call(sheet, ("plan", part, index), call)


def _call(sheet: Sheet, where: Where, call: dict[str, Any]) -> None:
    service, operation = str(call.get("service", "")), str(call.get("operation", ""))
    if not service or not operation:
        return  # its form is told already
    try:
        known_operations = operations(service)
    except BadInput as error:
        sheet.add((*where, "service"), f"{sheet.name(where)}.service: {error}.{spelt(service, _CLIENTS)}")
        return
    if operation not in known_operations:
        near = get_close_matches(operation, known_operations, 3, 0.5)
        hint = f" Did you mean {' or '.join(near)}?" if near else ""
        sheet.add(
            (*where, "operation"), f"{sheet.name(where)}.operation: {service} has no {operation}.{hint}"
        )
        return
    if not all(isinstance(call.get(one, {}), dict) for one in ("parameters", "optional")):
        return
    parameters = {**call.get("optional", {}), **call.get("parameters", {})}
    for text in validate(Call(service=service, operation=operation, parameters=parameters)):
        place = _place(text)
        node = sheet.at(*where, "parameters", *place)
        if isinstance(node, str) and "$" in node and not _UNKNOWN.search(text):
            continue  # checked when the world says what it stands for
        sheet.add((*where, "parameters", *place), f"{sheet.name(where)}: {operation}: {text}")


def _place(text: str) -> Where:
    """Where in the parameters botocore's sentence points: "OnDemandThroughput.X", "IpPermissions[0]"."""
    match = _UNKNOWN.search(text) or _TYPE.search(text)
    if match is None:
        return ()
    place = "" if match["place"] == "input" else match["place"]
    parts: list[str | int] = [
        int(one) if one.isdigit() else one for one in re.split(r"[.\[\]]+", place) if one
    ]
    return (*parts, match["name"]) if "name" in match.groupdict() else tuple(parts)


def _harmful(sheet: Sheet) -> None:
    everything = _operations()
    for index, harm in sheet.maps("harmful"):
        operation = harm.get("operation")
        if isinstance(operation, str) and operation not in everything:
            near = get_close_matches(operation, sorted(everything), 3, 0.6)
            hint = f" Did you mean {' or '.join(near)}?" if near else ""
            where: Where = ("harmful", index, "operation")
            sheet.add(where, f"harmful.{index}: there is no operation {operation}.{hint}")


@cache
def _operations() -> frozenset[str]:
    """The operations of the services that incidents are about."""
    return frozenset(name for client in _CLIENTS for name in operations(client))
