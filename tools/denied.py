"""AccessDenied texts, read."""

from __future__ import annotations

from tools.models import Gap, Json


def is_denial(code: str, message: str) -> bool:
    return "AccessDenied" in code or "UnauthorizedOperation" in code


def gap(service: str, operation: str, parameters: Json, message: str) -> Gap:
    return Gap(what=f"{service}:{operation}", why=message, code="AccessDenied")
