"""Wakes whoever waits in this process: a node for its commands, a stream for events, the sender of hooks.

What another process writes is found by looking at the store every second; a signal only saves that second.
"""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable
from typing import TypeVar

from shared.clock import Clock

T = TypeVar("T")

POLLS_MAX = 4
"""Requests of one node that may wait at once: two processes while one follows the other, and some that were cut off."""

LOOK_SECONDS = 1.0
"""How often a waiting request looks at the store unasked."""


class Signals:
    """Who waits, by node; and everybody who waits for events."""

    def __init__(self, clock: Clock) -> None:
        """Begin with nobody waiting."""
        self._clock = clock
        self._nodes: dict[str, asyncio.Event] = {}
        self._events = asyncio.Event()
        self._waiting: dict[str, int] = {}
        self.streams = Counter[str]()
        """By principal: event streams that are open."""
        self.closing = False
        """Once the process steps back, every wait ends at once."""

    def told(self, nodes: set[str], event: int) -> None:
        """Wake those whom a commit concerns."""
        for node in nodes:
            if node in self._nodes:
                self._nodes[node].set()
        if event:
            self._events.set()
            self._events = asyncio.Event()

    def close(self) -> None:
        """End every wait, now and from now on."""
        self.closing = True
        self.told(set(self._nodes), 1)

    @property
    def mark(self) -> asyncio.Event:
        """What the next event sets: taken before one looks at the store, so that none is missed in between."""
        return self._events

    async def wait_events(self, mark: asyncio.Event, seconds: float) -> None:
        """Wait for an event after ``mark`` was taken, for at most ``seconds``."""
        if not self.closing:
            await _wait(mark, seconds)

    async def poll(self, node: str, seconds: float, look: Callable[[], Awaitable[T]]) -> T:
        """Look until something is found or ``seconds`` are over; give what was found last.

        A node of which many requests wait already is not kept waiting: one node must not hold every connection.
        """
        if self._waiting.get(node, 0) >= POLLS_MAX:
            return await look()
        end = self._clock.elapsed() + seconds
        event = self._nodes.setdefault(node, asyncio.Event())
        self._waiting[node] = self._waiting.get(node, 0) + 1
        try:
            while True:
                event.clear()
                found = await look()
                left = end - self._clock.elapsed()
                if found or left <= 0 or self.closing:
                    return found
                await _wait(event, min(left, LOOK_SECONDS))
        finally:
            self._waiting[node] -= 1
            if not self._waiting[node]:
                del self._waiting[node], self._nodes[node]

    @property
    def waiting(self) -> int:
        """Count the requests that wait for commands."""
        return sum(self._waiting.values())


async def _wait(event: asyncio.Event, seconds: float) -> None:
    """Wait for an event, but not for ever."""
    try:
        async with asyncio.timeout(seconds):
            await event.wait()
    except TimeoutError:
        return
