"""Fields that Logs Insights discovers in messages (user guide, "Supported logs and discovered fields")."""

from __future__ import annotations

import json
import re
from typing import Any

_REPORT = {
    "@duration": re.compile(r"\bDuration: ([\d.]+) ms"),
    "@billedDuration": re.compile(r"\bBilled Duration: ([\d.]+) ms"),
    "@memorySize": re.compile(r"\bMemory Size: (\d+) MB"),
    "@maxMemoryUsed": re.compile(r"\bMax Memory Used: (\d+) MB"),
}
_MOST = 200


def discovered(text: str, report: bool) -> dict[str, str]:
    """The numbers of a REPORT line (memory in bytes), or the members of a message that is JSON, by dotted path."""
    if report:
        return {
            name: _bytes(match.group(1)) if name.endswith(("Size", "Used")) else match.group(1)
            for name, pattern in _REPORT.items()
            if (match := pattern.search(text))
        }
    if not text.lstrip().startswith("{"):
        return {}
    try:
        held = json.loads(text)
    except ValueError:
        return {}
    found: dict[str, str] = {}
    _flatten(held, "", found)
    return dict(list(found.items())[:_MOST])


def _bytes(megabytes: str) -> str:
    """As Insights writes them: 128 MB is 1.28E8."""
    digits = f"{int(megabytes) * 1_000_000:e}"
    mantissa, _, exponent = digits.partition("e")
    mantissa = mantissa.rstrip("0")
    return f"{mantissa}{'0' if mantissa.endswith('.') else ''}E{int(exponent)}"


def _flatten(held: Any, path: str, found: dict[str, str]) -> None:
    if isinstance(held, dict):
        for name, value in held.items():
            _flatten(value, f"{path}.{name}" if path else str(name), found)
    elif isinstance(held, list):
        for place, value in enumerate(held):
            _flatten(value, f"{path}.{place}", found)
    elif held is not None:
        found[path] = held if isinstance(held, str) else json.dumps(held)
