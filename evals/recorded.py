"""Makes the committed recording anew, after the requests of a run have changed. Run: python -m evals.recorded"""

from __future__ import annotations

import evals
from evals.cases import find
from evals.suite import make_recording

MOST_BYTES = 500_000


def main() -> None:
    """Record the demo's incident, seed 1. Fails when the file grew too large for git."""
    evals.register()
    (case,) = find(only=[evals.DEMO])
    made = make_recording(case, 1)
    size = made.stat().st_size
    if size > MOST_BYTES:
        raise SystemExit(f"{made} has {size} bytes, more than {MOST_BYTES}.")
    print(f"{made}: {size} bytes")


if __name__ == "__main__":
    main()
