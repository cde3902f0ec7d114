"""A map on a terminal: systems with their reasons, what each part leads to, alarms, blast radius, gaps."""

from __future__ import annotations

from collections import defaultdict

from api.render.layout import wrap
from api.render.map.sheet import Sheet, kind_of, name_of, plain, title, verbs
from graph.levels import Link, Node, Reached
from graph.words import say

_WIDTH = 110
_MOST_REACHED = 20


def text(sheet: Sheet) -> str:
    """The map in plain lines."""
    lines = [title(sheet), say("As of {time}", time=f"{sheet.as_of:%Y-%m-%d %H:%M} UTC"), ""]
    lines += _systems(sheet) if sheet.view.level == "system" else _parts(sheet)
    lines += _blast(sheet)
    lines += _path(sheet)
    lines += _gaps(sheet)
    return "\n".join(lines).rstrip("\n") + "\n"


def _systems(sheet: Sheet) -> list[str]:
    lines, onward = [], _Onward(sheet)
    for node in sheet.view.nodes:
        lines += [f"{plain(node.name)}  ({kind_of(node)}){_marks(node)}"]
        lines += _hung("because: ", plain(node.reason), 2)
        lines += onward.lines(node, 2)
    return [*lines, ""]


def _parts(sheet: Sheet) -> list[str]:
    systems = {one.id: one for one in sheet.view.systems}
    found: defaultdict[str, list[Node]] = defaultdict(list)
    for node in sheet.view.nodes:
        found[node.system].append(node)
    lines, onward = [], _Onward(sheet)
    for id in sorted(found, key=lambda id: (not id, id)):
        if system := systems.get(id):
            lines += [plain(system.name), *_hung("because: ", plain(system.reason), 2)]
        else:
            lines.append(say("shared, or part of no system"))
        for node in sorted(found[id], key=lambda node: (kind_of(node), node.name, node.id)):
            lines.append(f"  {kind_of(node)} {plain(node.name)}{_marks(node)}")
            lines += onward.lines(node, 4)
        lines.append("")
    return lines


def _marks(node: Node) -> str:
    """The alarms that are not OK; how many are, when all of them are."""
    loud = [f"{one.state} {plain(one.name)}" for one in node.alarms if one.state not in ("OK", "")]
    if loud:
        return f"  [{', '.join(loud)}]"
    return f"  [{say('none of its alarms is red: {count}', count=len(node.alarms))}]" if node.alarms else ""


class _Onward:
    """Where each box leads to."""

    def __init__(self, sheet: Sheet) -> None:
        self.nodes = {one.id: one for one in sheet.view.nodes}
        self.links: defaultdict[str, list[Link]] = defaultdict(list)
        for one in sheet.view.links:
            self.links[one.source].append(one)

    def lines(self, node: Node, indent: int) -> list[str]:
        return [
            f"{' ' * indent}→ {kind_of(self.nodes[one.target])} {plain(self.nodes[one.target].name)}: {verbs(one)}"
            + (f" ({one.confidence:.0%})" if one.confidence < 1 else "")
            for one in self.links[node.id]
        ]


def _blast(sheet: Sheet) -> list[str]:
    if sheet.blast is None:
        return []
    lines = [say("If {name} fails", name=name_of(sheet, sheet.blast.arn))]
    lines += _reached(sheet, say("fails too: "), sheet.blast.fails)
    lines += _reached(sheet, say("gets nothing: "), sheet.blast.starves)
    if len(lines) == 1:
        lines.append("  " + say("nothing that is known depends on it"))
    return [*lines, ""]


def _reached(sheet: Sheet, head: str, found: tuple[Reached, ...]) -> list[str]:
    if not found:
        return []
    told = [f"{name_of(sheet, one.arn)} ({one.steps})" for one in found[:_MOST_REACHED]]
    if len(found) > _MOST_REACHED:
        told.append(say("and {count} more", count=len(found) - _MOST_REACHED))
    return _hung(head, ", ".join(told), 2)


def _path(sheet: Sheet) -> list[str]:
    if sheet.path is None:
        return []
    if not sheet.path:
        return [say("No way from the cause to the symptom is known."), ""]
    words = {"fails": say("fails for"), "starves": say("no longer feeds")}
    lines = [say("From cause to symptom")]
    for one in sheet.path:
        lines += _hung(
            "",
            f"{name_of(sheet, one.before)} {words[one.how]} {name_of(sheet, one.after)}: "
            f"{plain(one.relation.kind)}, {plain(one.relation.provenance)}",
            2,
        )
    return [*lines, ""]


def _gaps(sheet: Sheet) -> list[str]:
    if not sheet.gaps:
        return []
    lines = [say("Not seen")]
    for gap in sheet.gaps:
        shows = say("It would show {what}.", what=gap.would_show) if gap.would_show else ""
        said = " ".join(part for part in (f"{gap.what}: {gap.why.rstrip('.')}.", shows, gap.lift) if part)
        lines += _hung("", plain(said), 2)
    return lines


def _hung(head: str, said: str, indent: int) -> list[str]:
    """Wrapped lines, all but the first further in."""
    wrapped = wrap(head + said, _WIDTH - indent)
    return [" " * (indent if number == 0 else indent + 2) + line for number, line in enumerate(wrapped)]
