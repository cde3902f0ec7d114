"""No test reaches a network or finds a credential: loopback only, no AWS settings, an empty home."""

from __future__ import annotations

import atexit
import ipaddress
import os
import shutil
import socket
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import hypothesis
import pytest


def pytest_configure() -> None:
    _forget_this_machine()
    _block_sockets()


def _forget_this_machine() -> None:
    for name in list(os.environ):
        if name.startswith(("AWS_", "LANGCHAIN_", "LANGSMITH_", "LANGGRAPH_", "OPSLEUTH_")):
            del os.environ[name]
    home = tempfile.mkdtemp(prefix="opsleuth-home-")
    atexit.register(shutil.rmtree, home, ignore_errors=True)
    os.environ |= {
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "AWS_EC2_METADATA_DISABLED": "true",
        "HOME": home,
        "LANGSMITH_TRACING": "false",
    }


def _loopback(address: object) -> bool:
    """Whether an address of connect or sendto stays on this machine. A path is a Unix socket."""
    if not isinstance(address, tuple):
        return True
    host = str(address[0])
    if host in ("", "localhost"):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _block_sockets() -> None:
    def guarded(original: Callable[..., Any], position: int) -> Callable[..., Any]:
        def call(*arguments: Any, **named: Any) -> Any:
            address = arguments[position]
            if not _loopback(address):
                raise BlockedSocketError(f"a test tried to reach {address}")
            return original(*arguments, **named)

        return call

    def lookup(host: Any, *arguments: Any, **named: Any) -> Any:
        name = host.decode() if isinstance(host, bytes) else host
        if name is not None and not _loopback((name,)):
            raise BlockedSocketError(f"a test tried to look up {name}")
        return getaddrinfo(host, *arguments, **named)

    getaddrinfo = socket.getaddrinfo
    for name, position in (("connect", 1), ("connect_ex", 1), ("sendto", -1)):
        setattr(socket.socket, name, guarded(getattr(socket.socket, name), position))
    socket.getaddrinfo = lookup


class BlockedSocketError(BaseException):
    """Not an OSError, nor any Exception: code under test must not take it for a network that is down."""


hypothesis.settings.register_profile("opsleuth", deadline=None, print_blob=True)
hypothesis.settings.register_profile(
    "ci", hypothesis.settings.get_profile("opsleuth"), derandomize=True, database=None
)
hypothesis.settings.load_profile("ci" if os.environ.get("CI") else "opsleuth")


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty home folder for one test."""
    monkeypatch.setenv("HOME", str(tmp_path))
    return tmp_path
