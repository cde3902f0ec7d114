"""A map as JSON, for programs. Its keys are stable; `version` grows when one changes its meaning."""

from __future__ import annotations

import json as codec
from collections.abc import Iterable
from typing import Any

from api.render.map.sheet import Sheet
from graph.levels import Blast, Link, Node, Reached, Step, System, Watch
from tools.models import Gap

VERSION = 1


def json(sheet: Sheet) -> str:
    """The whole sheet: nodes, links with counts and provenance, systems with reasons, blast radius, gaps."""
    data = {
        "version": VERSION,
        "accounts": list(sheet.accounts),
        "regions": list(sheet.regions),
        "as_of": sheet.as_of.isoformat(),
        "level": sheet.view.level,
        "resources": sheet.resources,
        "relations": sheet.relations,
        "focus": list(sheet.focus),
        "truncated": sheet.truncated,
        "hidden": sheet.view.hidden,
        "systems": [_system(one) for one in sheet.view.systems],
        "nodes": [_node(one) for one in sheet.view.nodes],
        "links": [_link(one) for one in sheet.view.links],
        "blast_radius": _blast(sheet.blast) if sheet.blast else None,
        "path": [_step(one) for one in sheet.path] if sheet.path is not None else None,
        "gaps": [_gap(one) for one in sheet.gaps],
    }
    return codec.dumps(data, indent=1, ensure_ascii=False) + "\n"


def _system(one: System) -> dict[str, Any]:
    return {
        "id": one.id,
        "name": one.name,
        "reason": one.reason,
        "members": list(one.members),
        "why": dict(one.why),
    }


def _node(one: Node) -> dict[str, Any]:
    return {
        "id": one.id,
        "name": one.name,
        "kind": one.kind,
        "service": one.service,
        "account": one.account,
        "region": one.region,
        "system": one.system,
        "state": one.state,
        "alarms": [_alarm(alarm) for alarm in one.alarms],
        "members": list(one.members),
    }


def _alarm(one: Watch) -> dict[str, Any]:
    return {"arn": one.arn, "name": one.name, "state": one.state}


def _link(one: Link) -> dict[str, Any]:
    return {
        "source": one.source,
        "target": one.target,
        "count": one.count,
        "kinds": dict(one.kinds),
        "confidence": one.confidence,
        "provenance": list(one.provenance),
    }


def _blast(one: Blast) -> dict[str, Any]:
    return {
        "of": one.arn,
        "fails": _reached(one.fails),
        "starves": _reached(one.starves),
        "systems": list(one.systems),
    }


def _reached(found: Iterable[Reached]) -> list[dict[str, Any]]:
    return [{"arn": one.arn, "steps": one.steps, "via": one.via} for one in found]


def _step(one: Step) -> dict[str, Any]:
    return {
        "from": one.before,
        "to": one.after,
        "how": one.how,
        "kind": one.relation.kind,
        "provenance": one.relation.provenance,
        "confidence": one.relation.confidence,
    }


def _gap(one: Gap) -> dict[str, Any]:
    return {
        "what": one.what,
        "why": one.why,
        "would_show": one.would_show,
        "lift": one.lift,
        "code": one.code,
        "statement": one.statement,
    }
