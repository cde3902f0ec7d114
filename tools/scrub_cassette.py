"""A whole recording with invented names, and all of its texts for the last look."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from tools.cassette import Cassette, Interaction, Unanswered
from tools.evidence import canonical
from tools.models import Gap
from tools.scrub import Scrubber
from tools.transport import WireAnswer


def texts(cassette: Cassette) -> Iterator[tuple[str, str | bytes]]:
    """(where, text) of everything in a recording; a body that is no UTF-8 as bytes."""
    yield "the header", canonical(cassette.header)
    for number, item in enumerate(cassette.interactions, 1):
        at = f"answer {number} ({item.service}:{item.operation})"
        yield f"the account of {at}", item.account
        yield f"the parameters of {at}", canonical(item.parameters)
        yield f"the address of {at}", item.url
        yield f"the headers of {at}", canonical([dict(item.request_headers), dict(item.answer.headers)])
        yield f"the request of {at}", _text(item.request_body)
        yield at, _text(item.answer.body)
    for gone in cassette.unanswered:
        at = f"the unanswered {gone.service}:{gone.operation}"
        yield f"the account of {at}", gone.account
        yield (
            at,
            canonical([gone.parameters, gone.gap.what, gone.gap.why, gone.gap.would_show, gone.gap.lift]),
        )


def scrubbed(cassette: Cassette, scrubber: Scrubber) -> Cassette:
    """The recording with everything replaced that the scrubber has learned; questions before anything is compared."""
    return Cassette(
        header=replaced(cassette.header, scrubber),
        interactions=tuple(_interaction(item, scrubber) for item in cassette.interactions),
        unanswered=tuple(_unanswered(item, scrubber) for item in cassette.unanswered),
    )


def replaced(value: Any, scrubber: Scrubber) -> Any:
    """JSON with everything replaced."""
    return json.loads(scrubber(canonical(value)))


def _interaction(item: Interaction, scrubber: Scrubber) -> Interaction:
    return replace(
        item,
        account=scrubber(item.account),
        parameters=replaced(item.parameters, scrubber),
        url=scrubber(item.url),
        request_headers=replaced(dict(item.request_headers), scrubber),
        request_body=_bytes(item.request_body, scrubber),
        answer=WireAnswer(
            status=item.answer.status,
            headers=replaced(dict(item.answer.headers), scrubber),
            body=_bytes(item.answer.body, scrubber),
            protocol=item.answer.protocol,
        ),
    )


def _unanswered(item: Unanswered, scrubber: Scrubber) -> Unanswered:
    gap = item.gap
    told = Gap(
        what=scrubber(gap.what),
        why=scrubber(gap.why),
        would_show=scrubber(gap.would_show),
        lift=scrubber(gap.lift),
        code=gap.code,
    )
    return replace(
        item, account=scrubber(item.account), parameters=replaced(item.parameters, scrubber), gap=told
    )


def _text(body: bytes) -> str | bytes:
    try:
        return body.decode()
    except UnicodeDecodeError:
        return body


def _bytes(body: bytes, scrubber: Scrubber) -> bytes:
    text = _text(body)
    return text if isinstance(text, bytes) else scrubber(text).encode()
