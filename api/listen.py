"""Listening on this machine: the server around the app."""

from __future__ import annotations

import signal
import socket
from types import FrameType

import click
import uvicorn

from api.app import create
from api.loopback import is_loopback
from api.service import Settings, serving
from tools.errors import BadInput, CannotInvestigate

_FAREWELL = 2
"""Seconds that followers of a timeline get at the end; they come back with Last-Event-ID."""


def loopback_socket(host: str, port: int) -> socket.socket:
    """A bound socket. Raises BadInput for any other host than this machine, CannotInvestigate for a taken port."""
    if not is_loopback(host):
        raise BadInput(
            f"opsleuth serve has no log-in, so it listens on this machine only, not on {host}. "
            f"From another machine: ssh -L {port}:127.0.0.1:{port} THIS-MACHINE"
        )
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    bound = socket.socket(family, socket.SOCK_STREAM)
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        bound.bind((host.strip("[]"), port))
    except OSError as error:
        bound.close()
        raise CannotInvestigate(
            f"Port {port} of {host} cannot be had: {error.strerror}. Choose another: opsleuth serve --port {port + 1}"
        ) from error
    return bound


async def listen(host: str, port: int, settings: Settings | None = None) -> None:
    """Serve until a signal comes, which then is a KeyboardInterrupt. What is unfinished goes on at the next start."""
    with loopback_socket(host, port) as bound:
        async with serving(settings or Settings()) as service:
            for number in (signal.SIGINT, signal.SIGTERM):
                signal.signal(number, _stop)  # uvicorn raises the signal again when it has stopped
            config = uvicorn.Config(
                create(service),
                lifespan="off",
                ws="none",
                timeout_graceful_shutdown=_FAREWELL,
                server_header=False,
            )
            click.echo(
                f"opsleuth listens on http://{host}:{port} (Ctrl-C ends). Data: {service.folder}", err=True
            )
            await uvicorn.Server(config).serve(sockets=[bound])


def _stop(number: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt
