"""What tags say of the system that a resource belongs to."""

from __future__ import annotations

import re
from collections.abc import Mapping

from tools import arn as arns

_STRONG = ("application", "app", "system", "project", "service")
_OWNERS = ("team", "squad", "owner")
_ENVIRONMENT = ("environment", "env", "stage")
_MADE_BY = ("copilot-application", "elasticbeanstalk:environment-name", "eks:cluster-name")
_STACK = "aws:cloudformation:stack-name"
_FILLERS = re.compile(r"[-_. ]?(name|id)$")


def system_tag(tags: Mapping[str, str]) -> tuple[str, str]:
    """System name and the reason, by the first that is there: myApplications, an application tag, the stack.

    Application tags are read in any spelling: App, application-name, acme:project. ("", "") when none is there.
    """
    if value := tags.get("awsApplication", "").strip():
        return _of_group(value), "myApplications tag awsApplication"
    plain = _plain(tags)
    for key in _STRONG:
        if key in plain:
            shown, value = plain[key]
            return value, f"tag {shown}={value}"
    for key in _MADE_BY:
        if value := tags.get(key, "").strip():
            return value, f"tag {key}={value}"
    if value := tags.get(_STACK, "").strip():
        return value, f"CloudFormation stack {value}"
    return "", ""


def owner_tag(tags: Mapping[str, str]) -> tuple[str, str]:
    """The team and its tag in words; a team often has several systems, so it only keeps teams apart."""
    plain = _plain(tags)
    for key in _OWNERS:
        if key in plain:
            shown, value = plain[key]
            return value, f"tag {shown}={value}"
    return "", ""


def environment(tags: Mapping[str, str]) -> str:
    """What the resource's tags call its environment, in small letters, or ""."""
    plain = _plain(tags)
    return next((plain[key][1].lower() for key in _ENVIRONMENT if key in plain), "")


def _of_group(value: str) -> str:
    """The application's name from the ARN of its resource group: .../group/NAME/ID (myApplications)."""
    if not arns.is_arn(value):
        return value
    parts = arns.parse(value).resource.split("/")
    return parts[1] if len(parts) > 1 else value


def _plain(tags: Mapping[str, str]) -> dict[str, tuple[str, str]]:
    """Normalised key -> key as written, value. AWS's own tags are not people's words."""
    found: dict[str, tuple[str, str]] = {}
    for key in sorted(tags):
        value = tags[key].strip()
        if value and not key.lower().startswith("aws:"):
            word = _FILLERS.sub("", re.split(r"[:/]", key.strip().lower())[-1])
            found.setdefault(word, (key, value))
    return found
