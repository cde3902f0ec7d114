"""How opsleuth's kinds of relations say an estate's facts: by kind of fact, the words, and whether they point back.

Filled in after the truth was written, from opsleuth's words alone. A word that points back names the fact's target
first: "the stream is read by the function" says that the function takes from the stream.
"""

from __future__ import annotations

from collections.abc import Mapping


def _words(forth: str = "", back: str = "") -> frozenset[tuple[str, bool]]:
    return frozenset(
        {(word.strip(), False) for word in forth.split(",") if word}
        | {(word.strip(), True) for word in back.split(",") if word}
    )


SAYS: Mapping[str, frozenset[tuple[str, bool]]] = {
    "acts as": _words("runs as, started by, uses"),
    "may use": _words("may use, may read, may write, may send to, uses, reads, writes"),
    "lets in": _words(
        "allowed by, uses", "may use, may read, may write, may send to, invokes, reads, triggers, targets"
    ),
    "takes from": _words("reads, uses, may use, may read", "read by, triggers, feeds, delivers to"),
    "delivers to": _words(
        "delivers to, sends to, triggers, invokes, notifies, may send to, targets, feeds, starts, uses"
    ),
    "calls": _words(
        "invokes, forwards to, rotated by, targets, uses, enriches with, reads, starts, uses definition, routes to, "
        "may use, writes, triggers"
    ),
    "gives up to": _words("sends failures to"),
    "is told of": _words("uses, reads, writes, may use, may read, may write, may send to"),
    "is given": _words("uses, reads"),
    "locks with": _words("uses, encrypted with"),
    "sits in": _words("in"),
    "lies in": _words("in, runs in", "served by"),
    "is guarded by": _words("guarded by, filtered by, signs in by, asks, checked by", "watches, guards"),
    "names": _words("uses", "may connect to"),
    "routes by": _words("routed by, routes to, uses"),
    "writes to": _words("logs to, writes"),
    "watches": _words("watches, checks"),
    "alerts": _words("alerts, notifies, scales, uses, triggers"),
    "resolves to": _words("resolves to"),
    "shows": _words("uses certificate"),
    "is proven by": _words("validated by"),
    "runs on": _words("runs on, uses"),
    "is part of": _words(
        "member of, runs in, feeds, part of, deployed in, stands for, in",
        "consists of, delivers through, holds, listens on, feeds, runs on, uses, routes to",
    ),
    "is shaped by": _words("set up by, uses definition, uses template, uses, allowed by"),
    "copies": _words("", "replicates to"),
}
