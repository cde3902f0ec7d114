"""Everything a case leaves open is drawn from its seed, so that nothing can be learned by heart.

A draw depends on the seed and its key only: adding one draw never moves another.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import blake2b
from typing import TypeVar

T = TypeVar("T")

_MASK = (1 << 64) - 1


def mix(*numbers: int) -> int:
    """A 64-bit hash of integers (splitmix64), for values made by the thousand."""
    state = 0x9E3779B97F4A7C15
    for number in numbers:  # the masks are written out: this is called by the million
        state = (state ^ number) * 0xBF58476D1CE4E5B9 & 0xFFFFFFFFFFFFFFFF
        state = (state ^ (state >> 27)) * 0x94D049BB133111EB & 0xFFFFFFFFFFFFFFFF
        state ^= state >> 31
    return state


@dataclass(frozen=True, slots=True)
class Seed:
    """The seed of one world."""

    number: int

    def random(self, key: str) -> random.Random:
        """A generator of its own, for shuffles."""
        return random.Random(f"{self.number}:{key}")

    def bits(self, key: str) -> int:
        """512 bits."""
        return int.from_bytes(blake2b(f"{self.number}:{key}".encode()).digest(), "big")

    def pick(self, key: str, choices: Sequence[T]) -> T:
        return choices[self.bits(key) % len(choices)]

    def integer(self, key: str, low: int, high: int) -> int:
        """A whole number from `low` to `high`, both included."""
        return low + self.bits(key) % (high - low + 1)

    def between(self, key: str, low: float, high: float) -> float:
        return low + (high - low) * (self.bits(key) & _MASK) / _MASK

    def salt(self, key: str) -> int:
        """A number for `mix`."""
        return self.bits(key) & ((1 << 48) - 1)

    def hex(self, key: str, length: int) -> str:
        return f"{self.bits(key):0128x}"[:length]

    def letters(self, key: str, length: int, alphabet: str = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567") -> str:
        rest = self.bits(key) % len(alphabet) ** length  # small numbers divide quickly
        found = []
        for _ in range(length):
            rest, place = divmod(rest, len(alphabet))
            found.append(alphabet[place])
        return "".join(found)

    def uuid(self, key: str) -> str:
        return uuid(self.bits(key))


def uuid(number: int) -> str:
    """A version 4 UUID made of the low 128 bits of `number`."""
    text = f"{number & (1 << 128) - 1:032x}"
    return f"{text[:8]}-{text[8:12]}-4{text[13:16]}-{'89ab'[int(text[16], 16) % 4]}{text[17:20]}-{text[20:]}"
