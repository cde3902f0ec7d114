"""A map as text, JSON, GraphML, Mermaid, DOT or SVG. Equal maps give equal text, byte for byte."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:
    from api.render.map.sheet import Sheet

FORMS = ("text", "json", "graphml", "mermaid", "dot", "svg")
_MODULES = {"graphml": "graphs", "mermaid": "graphs", "dot": "graphs", "json": "data"}
_ENDINGS = {
    ".json": "json",
    ".graphml": "graphml",
    ".mmd": "mermaid",
    ".mermaid": "mermaid",
    ".dot": "dot",
    ".gv": "dot",
    ".svg": "svg",
}


def form_of(wanted: str | None, out: str) -> str:
    """The form of the map: the wanted one, else by the ending of the file, else text."""
    return wanted or _ENDINGS.get(Path(out).suffix.lower(), "text")


def rendered(sheet: Sheet, form: str) -> str:
    """The whole map in one of `FORMS`, ending with a newline."""
    module = import_module(f"api.render.map.{_MODULES.get(form, form)}")
    return cast("Callable[[Sheet], str]", getattr(module, form))(sheet)
