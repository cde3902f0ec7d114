"""A map as text, JSON, GraphML, Mermaid, DOT or SVG. Equal maps give equal text, byte for byte."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, cast

from tools.errors import BadInput

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
    ".txt": "text",
    ".text": "text",
    ".md": "text",
    "": "text",
}
_PICTURES = frozenset({".png", ".jpg", ".jpeg", ".gif", ".webp", ".bmp", ".pdf"})


def form_of(wanted: str | None, out: str) -> str:
    """The form of the map: the wanted one, else by the ending of the file, text without one.

    Raises BadInput for an ending that promises what no form is: a picture in dots, or an unknown one without a form.
    """
    ending = Path(out).suffix.lower()
    if ending in _PICTURES or (not wanted and ending not in _ENDINGS):
        raise BadInput(
            f'No map can be written as "{ending}". Endings: {", ".join(one for one in _ENDINGS if one)}; '
            "or say --format with an ending of your own. An SVG opens in every browser, which can print it."
        )
    return wanted or _ENDINGS[ending]


def rendered(sheet: Sheet, form: str) -> str:
    """The whole map in one of `FORMS`, ending with a newline."""
    module = import_module(f"api.render.map.{_MODULES.get(form, form)}")
    return cast("Callable[[Sheet], str]", getattr(module, form))(sheet)
