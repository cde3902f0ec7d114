"""Requests from this machine only. There is no log-in, so who may connect may read.

Three checks: the client's address; the Host header, because a foreign page can make its own name resolve to 127.0.0.1
(DNS rebinding); the Origin header, because a foreign page can post to 127.0.0.1 by itself.
"""

from __future__ import annotations

import ipaddress
import re
from urllib.parse import urlsplit

from starlette.types import ASGIApp, Receive, Scope, Send

from api.problems import Problem, answer

_HOST = re.compile(r"(\[[0-9A-Fa-f:.]+\]|[^\[\]:]+)(?::\d{1,5})?")
_TUNNEL = "From another machine use a tunnel: ssh -L 8080:127.0.0.1:8080 THIS-MACHINE"


class LoopbackOnly:
    """ASGI middleware that answers 403 unless client, Host and Origin are this machine."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        fault = _fault(scope) if scope["type"] in ("http", "websocket") else ""
        if not fault:
            await self._app(scope, receive, send)
        elif scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1008})
        else:
            told = Problem(status=403, kind="not-loopback", title="Only from this machine", detail=fault)
            await answer(told, scope["path"])(scope, receive, send)


def is_loopback(host: str) -> bool:
    """Whether a host name or address is this machine: localhost, 127.0.0.0/8 or ::1."""
    if host.lower().rstrip(".") == "localhost":
        return True
    try:
        address = ipaddress.ip_address(host.strip("[]"))
    except ValueError:
        return False
    mapped = getattr(address, "ipv4_mapped", None)
    return bool((mapped or address).is_loopback)


def _fault(scope: Scope) -> str:
    client = scope.get("client")
    if client is None or not is_loopback(client[0]):
        return f"opsleuth answers requests from this machine only. {_TUNNEL}"
    headers = [(name.lower(), value.decode("latin-1")) for name, value in scope["headers"]]
    hosts = [value for name, value in headers if name == b"host"]
    named = _HOST.fullmatch(hosts[0]) if len(hosts) == 1 else None
    if named is None or not is_loopback(named.group(1)):
        return "The Host header does not name this machine. Use http://127.0.0.1 or http://localhost."
    for name, value in headers:
        if name == b"origin" and not is_loopback(_host_of(value)):
            return "The request comes from a page of another site. Use curl, or a page of this machine."
    return ""


def _host_of(origin: str) -> str:
    try:
        return urlsplit(origin).hostname or ""
    except ValueError:
        return ""
