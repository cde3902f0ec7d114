"""A map as a picture: systems as frames, boxes in layers from callers to what they call, alarms in red.

One file that asks nobody for anything: no script, no font or style of another site.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from xml.sax.saxutils import escape, quoteattr

from api.render.map.arrange import Arranged, Place, arrange
from api.render.map.sheet import Sheet, kind_of, label, plain, title, verbs
from graph.levels import Link, Node

_HIGH, _PAD, _HEAD, _APART = 46.0, 16.0, 40.0, 28.0
_LETTER, _LEAST = 7.7, 120.0
_MOST_LABELS = 80
"""Beyond, words on the links would cover each other; they stay as tooltips."""
_COLOURS = {
    # Kinds of boxes by what they do; all are readable in black and white, for the words say the same.
    "compute": "#e8710a",
    "data": "#3367d6",
    "flow": "#b3246e",
    "edge": "#7b3fbf",
    "system": "#455a64",
}
_WORK = {
    **dict.fromkeys(("lambda", "ecs", "ec2", "eks", "stepfunctions", "autoscaling", "batch"), "compute"),
    **dict.fromkeys(("dynamodb", "rds", "s3", "elasticache", "redshift", "opensearch", "efs"), "data"),
    **dict.fromkeys(("sqs", "sns", "events", "eventbridge", "kinesis", "firehose", "pipes"), "flow"),
    **dict.fromkeys(("apigateway", "apigatewayv2", "elbv2", "cloudfront", "route53"), "edge"),
    "": "system",
}
_STYLE = """
text{font-family:system-ui,-apple-system,'Segoe UI',sans-serif;fill:#1f2933}
.t{font-size:15px;font-weight:600}.h{font-size:13px;font-weight:600}.n{font-size:12px;font-weight:600}
.k,.r{font-size:10.5px;fill:#5f6b76}.e{font-size:10px;fill:#52606d;paint-order:stroke;stroke:#fff;stroke-width:3px}
.s{fill:#f7f9fb;stroke:#cbd2d9}.b{fill:#fff;stroke:#9aa5b1}.x{stroke:#c62828;stroke-width:2.5}.f{stroke-width:2.5}
.l{fill:none;stroke:#7b8794;stroke-width:1.2}.w{stroke-dasharray:4 3}.a{fill:#c62828;font-size:10.5px;font-weight:600}
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Frame:
    """A system's frame: its boxes arranged, and its name and reason over them."""

    name: str
    reason: str
    nodes: tuple[Node, ...]
    inside: Arranged
    width: float
    height: float
    first: bool  # holds what the map is about, or an alarm


def svg(sheet: Sheet) -> str:
    """The picture, with the size that it needs."""
    frames = _frames(sheet)
    at, wide, high = _packed(frames)
    top = 56.0
    boxes: dict[str, Place] = {}
    body: list[str] = []
    bends: dict[tuple[str, str], tuple[tuple[float, float], ...]] = {}
    for one, (x, y) in zip(frames, at, strict=True):
        left, up = x + _PAD, y + top
        if one.name:
            body.append(_frame(one, left, up))
        inner = up + (_HEAD if one.name else 0.0)
        for node in one.nodes:
            place = one.inside.places[node.id]
            boxes[node.id] = Place(
                x=left + _PAD + place.x, y=inner + place.y, width=place.width, height=place.height
            )
        for pair, points in one.inside.bends.items():
            bends[pair] = tuple((left + _PAD + px, inner + py) for px, py in points)
    body += _links(sheet.view.links, boxes, bends)
    body += [_box(node, boxes[node.id], node.id in sheet.focus) for one in frames for node in one.nodes]
    width, height = max(wide + 2 * _PAD, 9.0 * len(title(sheet))), high + top + _PAD + 20
    foot = _foot(sheet)
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:.0f} {height:.0f}" '
        f'width="{width:.0f}" height="{height:.0f}" role="img" aria-label={quoteattr(title(sheet))}>',
        f"<style>{_STYLE}</style>",
        '<defs><marker id="m" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" orient="auto">'
        '<path d="M0 0L8 4L0 8z" fill="#7b8794"/></marker></defs>',
        '<rect width="100%" height="100%" fill="#fff"/>',
        f'<text class="t" x="{_PAD:.0f}" y="26">{escape(title(sheet))}</text>',
        f'<text class="k" x="{_PAD:.0f}" y="44">As of {sheet.as_of:%Y-%m-%d %H:%M} UTC{escape(foot)}</text>',
        *body,
        "</svg>",
    ]
    return "\n".join(lines) + "\n"


def _foot(sheet: Sheet) -> str:
    told = f". Not seen: {len(sheet.gaps)}" if sheet.gaps else ""
    return told + (f". Without a box on this level: {sheet.view.hidden}" if sheet.view.hidden else "")


def _frames(sheet: Sheet) -> list[_Frame]:
    """One frame per system: those with the symptom or an alarm first, then the highest."""
    systems = {one.id: one for one in sheet.view.systems}
    found: defaultdict[str, list[Node]] = defaultdict(list)
    for node in sheet.view.nodes:
        found["" if sheet.view.level == "system" else node.system].append(node)
    focus, leading, made = set(sheet.focus), _leading(sheet.view.links), []
    for id, nodes in found.items():
        inside = arrange({node.id: _size(node) for node in nodes}, leading)
        system = systems.get(id)
        name = (
            plain(system.name)
            if system
            else "shared, or part of no system"
            if id != "" or len(found) > 1
            else ""
        )
        least = min(max(len(name) * 8.0, 180.0), 400.0)
        width = max(inside.width, least if name else 0.0) + 2 * _PAD
        made.append(
            _Frame(
                name=name,
                reason=plain(system.reason) if system else "",
                nodes=tuple(nodes),
                inside=inside,
                width=width,
                height=inside.height + (_HEAD if name else 0.0) + _PAD,
                first=any(node.state == "ALARM" or focus & {node.id, *node.members} for node in nodes),
            )
        )
    return sorted(made, key=lambda one: (not one.first, -one.height, one.name))


def _leading(links: Iterable[Link]) -> list[tuple[str, str]]:
    """The links that say which box comes first: of two against each other the surer."""
    by_pair = {(one.source, one.target): one.confidence for one in links}
    return [
        (a, b)
        for (a, b), sure in by_pair.items()
        if (sure, a) >= (by_pair.get((b, a), 0.0), b) or (b, a) not in by_pair
    ]


def _size(node: Node) -> tuple[float, float]:
    # Digits and capitals are wider than most letters, and ids are made of them.
    wide = sum(letter.isdigit() or letter.isupper() or letter in "_mw" for letter in label(node))
    letters = max(len(label(node)) + 0.2 * wide, len(kind_of(node)) * 0.9, len(_alarm(node)) * 0.9)
    return max(_LEAST, letters * _LETTER + 24), _HIGH + (14.0 if _alarm(node) else 0.0)


def _alarm(node: Node) -> str:
    loud = [one.name for one in node.alarms if one.state == "ALARM"]
    if not loud:
        return ""
    first = plain(loud[0])
    first = first if len(first) <= 30 else first[:29] + "…"
    return f"ALARM {first}" + (f" +{len(loud) - 1}" if len(loud) > 1 else "")


def _packed(frames: Sequence[_Frame]) -> tuple[list[tuple[float, float]], float, float]:
    """Frames on shelves, as they come, in a picture somewhat wider than high: corners, width, height."""
    area = sum((one.width + _APART) * (one.height + _APART) for one in frames)
    most = max([(area * 1.8) ** 0.5, 900.0, *(one.width for one in frames)])
    at, x, y, shelf, wide, first = [], 0.0, 0.0, 0.0, 0.0, True
    for one in frames:
        if x and (x + one.width > most or one.first != first):
            x, y, shelf = 0.0, y + shelf + _APART, 0.0
        first = one.first
        at.append((x, y))
        wide, shelf = max(wide, x + one.width), max(shelf, one.height)
        x += one.width + _APART
    return at, wide, y + shelf


def _frame(one: _Frame, x: float, y: float) -> str:
    room = int(one.width / 5.6)
    reason = one.reason if len(one.reason) <= room else one.reason[: room - 1] + "…"
    return (
        f"<g><title>{escape(one.name)}: {escape(one.reason)}</title>"
        f'<rect class="s" x="{x:.1f}" y="{y:.1f}" width="{one.width:.1f}" height="{one.height:.1f}" rx="8"/>'
        f'<text class="h" x="{x + 12:.1f}" y="{y + 18:.1f}">{escape(one.name)}</text>'
        f'<text class="r" x="{x + 12:.1f}" y="{y + 32:.1f}">{escape(reason)}</text></g>'
    )


def _box(node: Node, place: Place, focus: bool) -> str:
    alarm = _alarm(node)
    classes = "b" + (" x" if node.state == "ALARM" else " f" if focus else "")
    colour = _COLOURS[_WORK.get(node.service, "system")]
    x, y = place.x, place.y
    lines = [
        f"<g><title>{escape(_tooltip(node))}</title>",
        f'<rect class="{classes}" x="{x:.1f}" y="{y:.1f}" width="{place.width:.1f}" '
        f'height="{place.height:.1f}" rx="5"/>',
        f'<rect x="{x:.1f}" y="{y + 5:.1f}" width="4" height="{place.height - 10:.1f}" fill="{colour}"/>',
        f'<text class="n" x="{x + 14:.1f}" y="{y + 20:.1f}">{escape(label(node))}</text>',
        f'<text class="k" x="{x + 14:.1f}" y="{y + 35:.1f}">{escape(kind_of(node))}</text>',
    ]
    if alarm:
        lines.append(f'<text class="a" x="{x + 14:.1f}" y="{y + 50:.1f}">{escape(alarm)}</text>')
    return "".join([*lines, "</g>"])


def _tooltip(node: Node) -> str:
    told = [node.id, f"{len(node.members)} resources" if len(node.members) > 1 else ""]
    told += [f"{one.state} {one.name}".strip() for one in node.alarms]
    return plain("; ".join(part for part in (*told, node.reason) if part))


def _links(
    links: Iterable[Link],
    boxes: dict[str, Place],
    bends: dict[tuple[str, str], tuple[tuple[float, float], ...]],
) -> list[str]:
    links = tuple(links)
    pairs = {(one.source, one.target) for one in links}
    lines, words = [], []
    for one in links:
        a, b = boxes[one.source], boxes[one.target]
        points = _points(a, b, bends.get((one.source, one.target), ()))
        if (one.target, one.source) in pairs:  # the way back lies beside it
            aside = 9.0 if one.source < one.target else -9.0
            points = [(x, y + aside) for x, y in points]
        told = escape(f"{verbs(one)}: {plain('; '.join(one.provenance))}")
        weak = " w" if one.confidence < 0.8 else ""
        lines.append(
            f'<path class="l{weak}" marker-end="url(#m)" d="{_curve(points)}"><title>{told}</title></path>'
        )
        if len(links) <= _MOST_LABELS:
            half = (len(points) - 1) // 2
            x, y = (points[half][0] + points[half + 1][0]) / 2, (points[half][1] + points[half + 1][1]) / 2
            words.append(
                f'<text class="e" text-anchor="middle" x="{x:.1f}" y="{y - 4:.1f}">{escape(_short(verbs(one)))}</text>'
            )
    return lines + words


def _short(words: str) -> str:
    return words if len(words) <= 16 else words[:15] + "…"


def _points(a: Place, b: Place, between: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
    """From the side of one box over the bends to the side of the other; straight up or down within a column."""
    first, last = (between[0][0], between[-1][0]) if between else (b.x + b.width / 2, a.x + a.width / 2)
    if a.x + a.width <= first or between:
        start = (
            (a.x + a.width, a.y + a.height / 2) if first > a.x + a.width / 2 else (a.x, a.y + a.height / 2)
        )
    elif first < a.x:
        start = (a.x, a.y + a.height / 2)
    else:
        start = (a.x + a.width / 2, a.y + a.height if b.y > a.y else a.y)
    if last <= b.x:
        end = (b.x, b.y + b.height / 2)
    elif last > b.x + b.width:
        end = (b.x + b.width, b.y + b.height / 2)
    else:
        end = (b.x + b.width / 2, b.y if b.y > a.y else b.y + b.height)
    return [start, *between, end]


def _curve(points: Sequence[tuple[float, float]]) -> str:
    x, y = points[0]
    drawn = [f"M{x:.1f} {y:.1f}"]
    for nx, ny in points[1:]:
        middle = (x + nx) / 2
        drawn.append(f"C{middle:.1f} {y:.1f} {middle:.1f} {ny:.1f} {nx:.1f} {ny:.1f}")
        x, y = nx, ny
    return "".join(drawn)
