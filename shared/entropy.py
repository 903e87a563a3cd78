"""Chance, as an argument.  The one place where a program of ours draws random bytes.

Everything random (keys, nonces, pseudonyms, opaque ids) comes from an :class:`Entropy` that was handed in,
so that a simulation is repeatable from its seed while a node draws from the operating system.
"""

import os
from typing import Protocol


class Entropy(Protocol):
    """A source of uniformly random bytes."""

    def draw(self, size: int) -> bytes:
        """Give ``size`` fresh bytes."""
        ...


class SystemEntropy:
    """The operating system's generator (``getrandom``), which a fork cannot repeat."""

    def draw(self, size: int) -> bytes:
        """Give ``size`` fresh bytes."""
        return os.urandom(size)
