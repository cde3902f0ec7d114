"""Real names out of recordings: each is replaced by the same invented one everywhere.

A `Scrubber` first learns from all texts of a recording, so that a name is also replaced where it stood before anything
said that it is one. Originals are numbered in their own order, which keeps sorted answers sorted. What it learned can
be kept beside a recording, for this machine only, so that questions with the real names find their answers.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from tools import scrub_names
from tools.errors import BadRecording
from tools.redact import redact
from tools.scrub_kinds import KINDS, Kind, twelve_digits

SUFFIX = ".originals.json"
_NAMES, _SPOKEN, _HIDDEN = "name", "name of a user", "hidden"


class Scrubber:
    """Replaces what it has learned. Equal texts give equal texts; doing it twice changes nothing more.

    `hide`: words of one's own (a company, a product) to be replaced wherever they stand.
    """

    def __init__(
        self, originals: Mapping[str, Mapping[str, str]] | None = None, hide: Sequence[str] = ()
    ) -> None:
        self._known: dict[str, dict[str, str]] = {
            kind: dict(found) for kind, found in (originals or {}).items()
        }
        self._hide = tuple(word for word in hide if word.strip())
        self._prepare()

    @property
    def originals(self) -> dict[str, dict[str, str]]:
        """Kind -> original -> what stands for it."""
        return {kind: dict(found) for kind, found in self._known.items() if found}

    def learn(self, texts: Iterable[str]) -> None:
        """Take up every real value of `texts`. All of a recording in one call, or the numbering is not its own."""
        held = [redact(text) for text in texts]
        names, structure = scrub_names.people(held)
        for kind in KINDS:
            seen = {value for text in held for _, _, value in kind.places(text)}
            self._number(kind, seen)
        mails = self._known.get("mail", {})
        names |= {name for mail in mails if (name := scrub_names.from_mail(mail))}
        plain = {name for name in names if name.lower() not in structure}
        self._name(_NAMES, plain, names)
        self._name(_SPOKEN, names - plain, names)
        self._hide_words()
        self._prepare()

    def __call__(self, text: str) -> str:
        """`text` without secrets and without anything that was learned."""
        text = redact(text)
        for kind in KINDS:
            known = self._known.get(kind.name)
            if known:
                text = _replaced(text, _places(kind, text, known), known, kind.shown)
        for pattern, known in self._words:
            text = pattern.sub(_lookup(known), text)
        spoken = self._known.get(_SPOKEN)
        if spoken:  # such a name is also a word of the format, so only where AWS says that it is a name
            for place in scrub_names.PLACES:
                found = [
                    (one.start(1), one.end(1), one[1]) for one in place.finditer(text) if one[1] in spoken
                ]
                text = _replaced(text, found, spoken, lambda fake, _: fake)
        return redact(text)

    def issued(self, kind: str) -> frozenset[str]:
        """What stands for originals of this kind."""
        return self._issued.get(kind, frozenset())

    def names(self) -> frozenset[str]:
        """Names and words that may stand nowhere in what was scrubbed."""
        return frozenset(self._known.get(_NAMES, {})) | frozenset(self._known.get(_HIDDEN, {}))

    def _number(self, kind: Kind, seen: set[str]) -> None:
        known = self._known.setdefault(kind.name, {})
        taken = set(known.values()) | seen
        spare: dict[str, Iterator[str]] = {}
        for value in sorted(seen - set(known)):
            if not kind.real(value):
                continue
            group = kind.group(value)
            fakes = spare.setdefault(group, kind.fakes(group))
            found = next((fake for fake in fakes if fake not in taken), None)
            if found is None:
                raise BadRecording(
                    f"The recording holds more values that are {kind.told} than there are replacements for. "
                    "Record a shorter window."
                )
            known[value] = found
            taken.add(found)

    def _name(self, kind: str, wanted: set[str], names: set[str]) -> None:
        known = self._known.setdefault(kind, {})
        taken = set(self._known.get(_NAMES, {}).values()) | set(known.values())
        taken |= {name for name in names if scrub_names.is_invented(name)}
        taken |= {fake.partition("@")[0] for fake in self._known.get("mail", {}).values()}
        spare = {dotted: scrub_names.fakes(dotted, taken) for dotted in (True, False)}
        for name in sorted(wanted - set(known)):
            if scrub_names.is_invented(name):
                continue
            same = next((fake for other, fake in known.items() if other.lower() == name.lower()), None)
            known[name] = same or next(spare[scrub_names.is_dotted(name)])

    def _hide_words(self) -> None:
        known = self._known.setdefault(_HIDDEN, {})
        for word in self._hide:
            known.setdefault(word, f"hidden{len(known) + 1:02d}")

    def _prepare(self) -> None:
        self._issued = {kind: frozenset(found.values()) for kind, found in self._known.items()}
        self._words: list[tuple[re.Pattern[str], dict[str, str]]] = []
        hidden = {word.lower(): fake for word, fake in self._known.get(_HIDDEN, {}).items()}
        if hidden:
            longest = sorted(hidden, key=lambda word: (-len(word), word))
            self._words.append((re.compile("|".join(map(re.escape, longest)), re.IGNORECASE), hidden))
        names = {name.lower(): fake for name, fake in self._known.get(_NAMES, {}).items()}
        pattern = scrub_names.words(names)
        if pattern is not None:
            self._words.append((pattern, names))


def _places(kind: Kind, text: str, known: Mapping[str, str]) -> list[tuple[int, int, str]]:
    """Where known values stand; an account that is known is replaced in numbers and compounds too."""
    if kind.name == "account":
        found = [(start, end, value) for start, end, value, _ in twelve_digits(text)]
    else:
        found = sorted(kind.places(text))
    return [place for place in found if place[2] in known]


def _replaced(
    text: str,
    places: list[tuple[int, int, str]],
    known: Mapping[str, str],
    shown: Callable[[str, str], str],
) -> str:
    parts: list[str] = []
    done = 0
    for start, end, value in places:
        if start >= done:
            parts += (text[done:start], shown(known[value], text[start:end]))
            done = end
    return "".join((*parts, text[done:])) if parts else text


def _lookup(known: Mapping[str, str]) -> Callable[[re.Match[str]], str]:
    return lambda match: known[match[0].lower()]


def beside(path: Path) -> Path:
    """Where the originals of a recording are kept: next to the file, or next to the folder of a case.

    Never inside a case folder, for that is what is handed on.
    """
    own = path.with_name(path.name + SUFFIX)
    folder = path.absolute().parent
    return own if own.exists() else folder.with_name(folder.name + SUFFIX)


def keep(path: Path, scrubber: Scrubber) -> None:
    """Write the originals to `path`, readable by its owner only."""
    text = json.dumps({"originals": scrubber.originals}, ensure_ascii=False, indent=1, sort_keys=True)
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        os.fchmod(file.fileno(), 0o600)
        file.write(text + "\n")


def kept(path: Path) -> Scrubber | None:
    """The scrubber whose originals were kept for the recording at `path`; None when there are none."""
    file = beside(path)
    if not file.is_file():
        return None
    try:
        found = json.loads(file.read_text(encoding="utf-8"))["originals"]
        return Scrubber(
            {str(kind): {str(k): str(v) for k, v in held.items()} for kind, held in found.items()}
        )
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise BadRecording(
            f"{file} cannot be read ({error}). Delete it to replay with the replaced names."
        ) from error
