"""opsleuth serve"""

from __future__ import annotations

import click


@click.command("serve", short_help="Start the REST API on this machine.")
@click.option("--port", type=click.IntRange(1, 65535), default=8080, show_default=True)
@click.option(
    "--host", default="127.0.0.1", show_default=True, help="Only addresses of this machine are taken."
)
def command(port: int, host: str) -> None:
    """Start the REST API on 127.0.0.1. It has no log-in, so it listens on loopback only.

    Everything is kept in the data folder (OPSLEUTH_HOME); what was unfinished goes on.
    """
    from api.drive import run_async
    from api.listen import listen

    run_async(listen(host, port))
