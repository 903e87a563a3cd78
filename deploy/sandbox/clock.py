"""The stand-ins' own clock: runs with the machine's, and can be moved forward, so that nobody waits for an expiry."""

import asyncio
import contextlib

from shared.clock import Clock, SystemClock


class SandboxClock:
    """A clock that tests move: everything that sleeps on it wakes when its moment has come.

    Belongs to one event loop: :meth:`advance` is called on the loop on which others sleep.
    """

    def __init__(self, base: Clock | None = None) -> None:
        """Run along ``base``, by default the machine's clock."""
        self._base = base or SystemClock()
        self._ahead_ms = 0
        self._moved = asyncio.Event()

    def now(self) -> int:
        """Give the instant in milliseconds since the epoch, as far ahead as it was moved."""
        return self._base.now() + self._ahead_ms

    def elapsed(self) -> float:
        """Give seconds that never run backwards, the moves among them."""
        return self._base.elapsed() + self._ahead_ms / 1000

    def advance(self, seconds: float) -> None:
        """Move the clock forward."""
        if seconds < 0:
            raise ValueError("a clock only moves forward")
        self._ahead_ms += round(1000 * seconds)
        self._moved.set()
        self._moved = asyncio.Event()

    async def sleep(self, seconds: float) -> None:
        """Wait until ``seconds`` have passed on this clock."""
        end = self.elapsed() + seconds
        while (left := end - self.elapsed()) > 0:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._moved.wait(), left)
        await asyncio.sleep(0)
