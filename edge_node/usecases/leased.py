"""Work in the background that one process of a region does at a time: begun, broken off, and its lease given back.

What is broken off must be such that whoever holds the lease next can take it up.
"""

import asyncio
import contextlib
from abc import ABC, abstractmethod

from edge_node.storage.content.leases import Lease


class LeasedWork(ABC):
    """A task of its own under a lease; :meth:`_work` is what it does, for ever."""

    name = "leased-work"
    """What the task is called."""

    def __init__(self, lease: Lease) -> None:
        """Take the lease."""
        self._lease = lease
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin; the first look is at once, after a crash there may be something."""
        self._task = asyncio.create_task(self._work(), name=self.name)

    async def stop(self) -> None:
        """Break off what is under way, and give the lease back."""
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task
            self._task = None
            await self._lease.give_back()

    @abstractmethod
    async def _work(self) -> None:
        """Look, do, wait, and again."""
