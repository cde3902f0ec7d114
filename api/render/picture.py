"""The README's picture: the demo's report as an SVG of a terminal. Run: python -m api.render.picture docs/demo.svg"""

from __future__ import annotations

import asyncio
import io
import re
import sys
from pathlib import Path

from rich.console import Console

import evals
from api.render.text import text
from api.render.view import View
from graph import investigate

WIDTH = 112
LINES = 52
"""As much as a reader takes in at once: what broke, why, what to do, how sure."""


def main(target: Path) -> None:
    """Solve the recorded incident and write the first lines of its report to `target`."""
    trigger, context = evals.demo()
    report = asyncio.run(investigate(trigger, context))
    console = Console(
        record=True, width=WIDTH + 8, file=io.StringIO(), force_terminal=True, color_system="truecolor"
    )
    console.print("$ opsleuth demo", style="bold")
    for line in text(report, View(tz="Asia/Tokyo", profile="prod-orders", short="7f3a"), WIDTH)[:LINES]:
        console.print(line)
    target.parent.mkdir(parents=True, exist_ok=True)
    # rich links fonts of another site; a picture must ask nobody for anything.
    drawn = re.sub(r"@font-face \{.*?\}", "", console.export_svg(title="opsleuth"), flags=re.DOTALL)
    target.write_text(drawn, encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
