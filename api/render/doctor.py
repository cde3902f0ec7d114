"""A check-up on a terminal."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING

from rich.console import Console
from rich.text import Text

from api.render.layout import Page, clean
from graph.words import say

if TYPE_CHECKING:
    from api.doctor import Checkup, Permission

_MARKS = {"has": ("✓", "green"), "missing": ("✗", "red"), "unknown": ("?", "yellow")}


def lines(found: Checkup, width: int) -> list[Text]:
    """Who, where, then one row per permission: missing ones first, with what their lack costs."""
    page = Page(width=max(60, min(width, 124)))
    made = page.row(say("Account"), found.account)
    made += page.row(say("You are"), clean(found.caller))
    made += page.row(say("Region"), found.region)
    means = {
        "simulated": say("IAM's simulation of your policies"),
        "tried": say("each read was tried on a thing that does not exist"),
    }
    made += page.row(say("Found by"), means[found.means])
    made.append(Text())
    longest = max([len(one.action) for one in found.permissions], default=0)
    column = min(longest + 2, page.width // 2)
    for one in found.permissions:
        made += _row(page, one, column)
    made.append(Text())
    made += page.plain(_summary(found), style="bold")
    statement = found.statement()
    if statement is not None:
        made += page.plain(
            say("Add this statement to a policy of the role or user (opsleuth iam-policy prints all):")
        )
        made += page.verbatim(json.dumps(statement, indent=1), indent=1, style="cyan")
    return made


def _row(page: Page, one: Permission, column: int) -> list[Text]:
    mark, style = _MARKS[one.state]
    told = one.shows
    if one.state == "missing":
        told = say("without it not seen: {shows} ({why})", shows=one.shows, why=one.why)
    elif one.state == "unknown":
        told = say("cannot tell: {why}; it shows {shows}", why=one.why, shows=one.shows)
    if len(one.action) >= column:  # no room beside it: what it shows stands below
        head = page.plain(f" {mark} {one.action}", style=style)
        return [*head, *page.row("", clean(told), column=column + 2)]
    return page.row(f"{mark} {one.action}", clean(told), column=column + 2, label_style=style)


def _summary(found: Checkup) -> str:
    states = [one.state for one in found.permissions]
    return say(
        "{has} allowed, {missing} missing, {unknown} not known.",
        has=states.count("has"),
        missing=states.count("missing"),
        unknown=states.count("unknown"),
    )


def show(found: Checkup) -> None:
    """Print the check-up on stdout."""
    console = Console(highlight=False)
    made = lines(found, console.width if console.is_terminal else 100)
    if not console.is_terminal:
        sys.stdout.write("\n".join(line.plain.rstrip() for line in made) + "\n")
        return
    for line in made:
        console.print(line, soft_wrap=True)
