"""An open piece of writing: one transaction, what it numbers, the events it tells, and whom to wake when it is kept."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from control_plane.core.events import EventData, EventKind
from control_plane.storage import events
from shared.clock import Clock
from shared.database.contract import Database, Transaction
from shared.entropy import Entropy
from shared.ids import draw_opaque_id

_LOCK = "SELECT cursor FROM control_store"
_CURSOR = "UPDATE control_store SET cursor = cursor + :count RETURNING cursor"
_EVENT = "UPDATE control_store SET event = event + 1 RETURNING event"

Told = Callable[[set[str], int], None]
"""Hears, after a commit, which nodes have new commands, and the last event's number or 0."""


class Work:
    """A transaction that writes, alone among those that give numbers."""

    def __init__(self, transaction: Transaction, now: int, entropy: Entropy) -> None:
        """Take the open transaction and the instant of everything that it writes (ms)."""
        self.t = transaction
        self.now = now
        self.commanded: set[str] = set()
        self.last_event = 0
        self._entropy = entropy

    def draw_id(self) -> str:
        """Draw a name."""
        return draw_opaque_id(self._entropy)

    async def cursors(self, count: int) -> range:
        """Give ``count`` numbers for commands, in order."""
        last = int((await self.t.fetch(_CURSOR, {"count": count}))[0][0])
        return range(last - count + 1, last + 1)

    async def tell(self, kind: EventKind, data: EventData) -> None:
        """Add an event, and a delivery of it to every active hook."""
        self.last_event = int((await self.t.fetch(_EVENT))[0][0])
        await events.add(self.t, self.last_event, kind, self.now, data)


class Store:
    """The open store with clock and chance: makes every piece of writing."""

    def __init__(self, database: Database, clock: Clock, entropy: Entropy) -> None:
        """Take the open database."""
        self.database = database
        self.clock = clock
        self.entropy = entropy
        self.told: Told = _nobody

    @asynccontextmanager
    async def work(self) -> AsyncIterator[Work]:
        """Open a piece of writing; kept and synced when the block is left, then told."""
        async with self.database.write() as transaction:
            await transaction.fetch(_LOCK + self.database.dialect.row_lock)
            work = Work(transaction, self.clock.now(), self.entropy)
            yield work
        self.told(work.commanded, work.last_event)


def _nobody(_nodes: set[str], _event: int) -> None:
    """Tell nobody: a command line has no listeners."""
