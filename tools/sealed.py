"""Updates that send a configuration whole and name the version that they replace: CloudFront's ETag, WAF's lock token.

AWS refuses such a call when anything was changed since that version was read, so that nothing newer is lost.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from tools.evidence import canonical, digest
from tools.kit import text
from tools.models import Json, Resource

SEAL = "Seal"
"""Key of a resource's config that holds the digest of the body that was read together with its version."""


def seal(body: Mapping[str, Any]) -> str:
    """A digest of what an update would have to send to change nothing."""
    return digest(canonical(body))


def version(resource: Resource, key: str, body: Mapping[str, Any], fetch: str) -> str:
    """The version that an update with `body` has to name: the one read, under `key`; "" when none was read.

    A body that was read under that very version is sent only to take a later update back, and that update has made
    a version of its own: `fetch` says what to read then. AWS refuses it as it stands.
    """
    read = text(resource.config, key)
    return fetch if read and resource.config.get(SEAL) == seal(body) else read


def opened(value: Any) -> Any:
    """Lists and objects that are written as JSON text, which is how they are told as values; else the value."""
    if isinstance(value, str) and value[:1] in ("[", "{"):
        try:
            return json.loads(value)
        except ValueError:
            return None
    return value


def placed(body: Json, path: tuple[str, ...], value: Any) -> Json:
    """`body` with the member at `path` set; taken out when the value is None."""
    head, *rest = path
    inner = body.get(head)
    if rest:
        return {**body, head: placed(inner if isinstance(inner, dict) else {}, tuple(rest), value)}
    if value is None:
        return {key: kept for key, kept in body.items() if key != head}
    return {**body, head: value}


def masked(body: Any, words: str = "HIDDEN_DUE_TO_SECURITY_REASONS") -> bool:
    """Whether a value in it is hidden: then it cannot be sent as it was."""
    if isinstance(body, Mapping):
        return any(masked(one) for one in body.values())
    if isinstance(body, list):
        return any(masked(one) for one in body)
    return bool(body == words)
