"""Time, as an argument.  The one place where a program of ours reads a clock.

Core code never asks for the time: it is handed the instant.  Shells are handed a :class:`Clock`, so that a
simulation can hand in its own.
"""

import asyncio
import time
from typing import Protocol

Milliseconds = int
"""Milliseconds since 1970-01-01T00:00:00Z, without leap seconds (POSIX)."""

DAY: Milliseconds = 86_400_000
"""24 hours; for what is kept so and so long, not for calendar days."""


class Clock(Protocol):
    """What a shell may ask of time."""

    def now(self) -> Milliseconds:
        """Give the wall-clock instant in milliseconds since the epoch."""
        ...

    def elapsed(self) -> float:
        """Give seconds on a clock that never runs backwards; only differences mean anything."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Wait for ``seconds``."""
        ...


class SystemClock:
    """The machine's own clocks."""

    def now(self) -> Milliseconds:
        """Give the wall-clock instant in milliseconds since the epoch."""
        return time.time_ns() // 1_000_000

    def elapsed(self) -> float:
        """Give seconds of the monotonic clock."""
        return time.monotonic()

    async def sleep(self, seconds: float) -> None:
        """Wait on the running event loop."""
        await asyncio.sleep(seconds)
