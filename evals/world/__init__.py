"""Simulated AWS accounts, answered in AWS's own wire format.

`load_case(name, seed)` builds a `World`; `world.transport()` is a door to it for one run; `world.ledger` is the truth.
The physics comes from AWS's documentation, not from the code that is measured on it.
"""

from evals.world.case import load_case
from evals.world.transport import WorldTransport
from evals.world.world import World

__all__ = ["World", "WorldTransport", "load_case"]
