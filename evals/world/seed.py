"""Everything a case leaves open is drawn from its seed, so that nothing can be learned by heart.

A draw depends on the seed and its key only: adding one draw never moves another.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

T = TypeVar("T")

_MASK = (1 << 64) - 1


def mix(*numbers: int) -> int:
    """A 64-bit hash of integers (splitmix64), for values made by the thousand."""
    state = 0x9E3779B97F4A7C15
    for number in numbers:
        state = (state ^ (number & _MASK)) * 0xBF58476D1CE4E5B9 & _MASK
        state = (state ^ (state >> 27)) * 0x94D049BB133111EB & _MASK
        state ^= state >> 31
    return state


@dataclass(frozen=True, slots=True)
class Seed:
    """The seed of one world."""

    number: int

    def random(self, key: str) -> random.Random:
        return random.Random(f"{self.number}:{key}")

    def pick(self, key: str, choices: Sequence[T]) -> T:
        return self.random(key).choice(choices)

    def integer(self, key: str, low: int, high: int) -> int:
        """A whole number from `low` to `high`, both included."""
        return self.random(key).randint(low, high)

    def between(self, key: str, low: float, high: float) -> float:
        return self.random(key).uniform(low, high)

    def salt(self, key: str) -> int:
        """A number for `mix`."""
        return self.random(key).getrandbits(48)

    def hex(self, key: str, length: int) -> str:
        return f"{self.random(key).getrandbits(4 * length):0{length}x}"

    def letters(self, key: str, length: int, alphabet: str = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567") -> str:
        draw = self.random(key)
        return "".join(draw.choice(alphabet) for _ in range(length))

    def uuid(self, key: str) -> str:
        return uuid(self.random(key).getrandbits(128))


def uuid(number: int) -> str:
    """A version 4 UUID made of the low 128 bits of `number`."""
    text = f"{number & (1 << 128) - 1:032x}"
    return f"{text[:8]}-{text[8:12]}-4{text[13:16]}-{'89ab'[int(text[16], 16) % 4]}{text[17:20]}-{text[20:]}"
