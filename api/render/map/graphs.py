"""A map for programs that draw: GraphML, Mermaid, DOT. Names come from outside: each form escapes them its way."""

from __future__ import annotations

import re
from collections import defaultdict
from io import BytesIO

from api.render.map.sheet import Sheet, kind_of, label, plain, title, verbs
from graph.levels import Node


def graphml(sheet: Sheet) -> str:
    """GraphML as networkx writes and reads it: yEd, Gephi and others open it."""
    import networkx

    graph: networkx.DiGraph[str] = networkx.DiGraph()
    for node in sheet.view.nodes:
        graph.add_node(
            _written(node.id),
            name=plain(node.name),
            kind=plain(node.kind),
            service=plain(node.service),
            account=node.account,
            region=node.region,
            system=_written(node.system),
            state=node.state,
            members=len(node.members),
            reason=plain(node.reason),
        )
    for link in sheet.view.links:
        graph.add_edge(
            _written(link.source),
            _written(link.target),
            count=link.count,
            kinds=plain(", ".join(f"{kind} {many}" for kind, many in link.kinds)),
            provenance=plain("; ".join(link.provenance)),
            confidence=link.confidence,
        )
    out = BytesIO()
    # Not `write_graphml`: that takes lxml where it is installed, which writes the same otherwise.
    networkx.readwrite.graphml.write_graphml_xml(graph, out, encoding="utf-8", prettyprint=True)
    return out.getvalue().decode().rstrip("\n") + "\n"


_NOT_IN_XML = re.compile(r"[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def _written(id: str) -> str:
    """An id as XML can hold it."""
    return _NOT_IN_XML.sub("\ufffd", id)


def mermaid(sheet: Sheet) -> str:
    """A Mermaid flowchart, one subgraph per system: Markdown pages of GitHub and GitLab draw it."""
    ids = _ids(sheet)
    lines = [f"%% {title(sheet)}", "flowchart LR"]
    for name, nodes in _by_system(sheet):
        inner = "    " if name else "  "
        if name:
            lines.append(f'  subgraph s{ids[nodes[0].id]}["{_plain(name)}"]')
        for node in nodes:
            said = [_plain(label(node)), f"<small>{_plain(kind_of(node))}</small>"]
            said += [f"<small>{node.state}</small>"] if node.state not in ("", "OK") else []
            lines.append(f'{inner}{ids[node.id]}["{"<br/>".join(said)}"]')
        if name:
            lines.append("  end")
    for link in sheet.view.links:
        lines.append(f'  {ids[link.source]} -->|"{_plain(verbs(link))}"| {ids[link.target]}')
    lines.append("  classDef alarm stroke:#c62828,stroke-width:3px")
    if red := [ids[node.id] for node in sheet.view.nodes if node.state == "ALARM"]:
        lines.append(f"  class {','.join(red)} alarm")
    return "\n".join(lines) + "\n"


def dot(sheet: Sheet) -> str:
    """DOT for Graphviz, one cluster per system."""
    ids = _ids(sheet)
    lines = ["digraph map {", f"  label={_quoted(title(sheet))};", "  rankdir=LR;"]
    lines.append('  node [shape=box, style=rounded, fontname="sans-serif"];')
    for name, nodes in _by_system(sheet):
        inner = "    " if name else "  "
        if name:
            lines += [f"  subgraph cluster_{ids[nodes[0].id]} {{", f"    label={_quoted(name)};"]
        for node in nodes:
            red = ', color="#c62828", penwidth=2' if node.state == "ALARM" else ""
            said = _quoted(f"{label(node)}\n{kind_of(node)}")
            lines.append(f"{inner}{ids[node.id]} [label={said}, tooltip={_quoted(node.id)}{red}];")
        if name:
            lines.append("  }")
    for link in sheet.view.links:
        lines.append(f"  {ids[link.source]} -> {ids[link.target]} [label={_quoted(verbs(link))}];")
    return "\n".join([*lines, "}"]) + "\n"


def _ids(sheet: Sheet) -> dict[str, str]:
    return {node.id: f"n{number}" for number, node in enumerate(sheet.view.nodes, start=1)}


def _by_system(sheet: Sheet) -> list[tuple[str, list[Node]]]:
    """System name and its boxes; "" for boxes of no system, and on the level of systems for all."""
    names = {one.id: one.name for one in sheet.view.systems}
    found: defaultdict[str, list[Node]] = defaultdict(list)
    for node in sheet.view.nodes:
        found["" if sheet.view.level == "system" else node.system].append(node)
    return [(plain(names.get(id, "")), found[id]) for id in sorted(found)]


def _plain(text: str) -> str:
    """Text inside Mermaid's quotes: its own and HTML's special letters as entity codes, "#" and ";" first. A percent
    sign may begin a directive or a comment wherever it stands, a backtick a text in Markdown.
    """
    text = text.replace("#", "\0").replace(";", "#59;").replace("\0", "#35;")
    for letter, code in _CODES:
        text = text.replace(letter, code)
    return text


_CODES = (
    ("&", "#amp;"), ('"', "#quot;"), ("<", "#lt;"), (">", "#gt;"), ("|", "#124;"), ("`", "#96;"), ("%", "#37;"),
)  # fmt: skip


def _quoted(text: str) -> str:
    r"""A DOT string: quotes and backslashes escaped, line ends as \n."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'
