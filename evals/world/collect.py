"""Tells all mistakes of one step at once, not only the first."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from tools.errors import BadInput


@dataclass
class Collected:
    """What was wrong so far, each a sentence that begins with its place in the case."""

    texts: list[str] = field(default_factory=list)

    @contextmanager
    def each(self, where: str = "") -> Iterator[None]:
        """Keep a BadInput and go on; what physics refuse (ValueError) is told with `where`."""
        try:
            yield
        except BadInput as error:
            self.texts.append(str(error))
        except ValueError as error:
            if not where:
                raise
            self.texts.append(f"{where}: {error}.")

    def stop(self) -> None:
        """Raise BadInput when anything was wrong, one mistake per line."""
        found, self.texts = self.texts, []
        if found:
            raise BadInput("\n".join(dict.fromkeys(found)))
