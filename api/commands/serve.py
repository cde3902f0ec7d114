"""opsleuth serve"""

from __future__ import annotations

import click


@click.command("serve", short_help="Start the REST API on this machine.")
@click.option("--port", type=click.IntRange(1, 65535), default=8080, show_default=True)
def command(port: int) -> None:
    """Start the REST API on 127.0.0.1. It has no log-in, so it listens on loopback only."""
    import uvicorn

    uvicorn.run("api.app:app", host="127.0.0.1", port=port)
