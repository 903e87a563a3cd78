"""How a removal is carried out: the node's log first, the journal, the key, the row, the write-ahead log.

A message taken back and a person erased go the same way; :mod:`edge_node.usecases.erasing` takes a person's many keys
and rows, in steps between which recalls and webhooks go on.

Every step can be repeated: a process that dies in between leaves an entry that the next holder of the lease takes up
where it stands.  A removal is done when the key is destroyed, the row is gone, and neither lies in a write-ahead log.
"""

import asyncio
import contextlib
from collections.abc import Sequence

from edge_node.metrics import Metrics
from edge_node.storage.content.head import read_people_counter
from edge_node.storage.content.leases import Lease
from edge_node.storage.content.removals import OpenEntry, advance, finish, open_entries, waiting
from edge_node.storage.journal import Journal, JournalEntry
from edge_node.storage.keys.destruction import LogEntry, destroy_rows
from edge_node.storage.keys.store import KeyStore
from edge_node.usecases.erasing import Eraser
from shared.clock import Clock
from shared.database.contract import Database, ScriptRefused
from shared.errors import HomeportError
from shared.telemetry import logger

ROUND_MAX = 64
"""Entries carried on in one round: bounds how long the key store is locked."""

IDLE_SECONDS = 1.0
"""How soon an order of another process is seen; an idle look reads once and writes nothing."""

LEASE_MILLISECONDS = 3_000
"""So long nobody removes after a process was killed in the middle.  A round that takes longer may meet another
process at the same entries: every step does no harm twice."""


class Remover:
    """Carries log entries on until they are done."""

    def __init__(
        self,
        content: Database,
        keys: KeyStore,
        journal: Journal,
        lease: Lease,
        metrics: Metrics,
        clock: Clock,
        eraser: Eraser,
    ) -> None:
        """Take the open stores, the journal, the lease under which one process of a region removes, and the eraser."""
        self._content = content
        self._keys = keys
        self._journal = journal
        self._lease = lease
        self._metrics = metrics
        self._clock = clock
        self._eraser = eraser
        self._wanted = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._stopping = asyncio.Event()

    def start(self) -> None:
        """Begin to carry on what is open."""
        self._stopping.clear()
        self._task = asyncio.create_task(self._work(), name="remover")

    def wake(self) -> None:
        """Look at once: something was ordered."""
        self._wanted.set()

    async def stop(self) -> None:
        """Finish the round at hand and give the lease back."""
        self._stopping.set()
        if self._task is not None:
            while not self._task.done():
                self._wanted.set()
                await asyncio.wait([self._task], timeout=0.05)
            self._task = None
            await self._lease.give_back()

    async def _work(self) -> None:
        """Carry on in rounds, woken by orders and by time."""
        while not self._stopping.is_set():
            self._wanted.clear()
            try:
                while not self._stopping.is_set() and await self.round():
                    pass
            except (HomeportError, ScriptRefused, OSError) as error:
                logger().error("alert_removal_failed", error=type(error).__name__)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._wanted.wait(), IDLE_SECONDS)

    async def round(self) -> int:
        """Carry the oldest open entries on; give how many, 0 where another process has the lease.

        Recalls are carried to their end; after them an erasure goes one step, and the next round looks for recalls
        again.
        """
        if not await self._measure():
            return 0
        if not await self._lease.hold(self._clock.now()):
            return 0
        return await self._recall_round() + await self._eraser.step(self._metrics)

    async def _recall_round(self) -> int:
        """Carry the oldest entries of messages to their end; give how many."""
        entries = await open_entries(self._content, ROUND_MAX)
        if not entries:
            return 0
        people = await read_people_counter(self._content, self._keys.region)
        await self._write_journal([entry for entry in entries if entry.state == "ordered"], people)
        await self._destroy([entry for entry in entries if entry.state != "destroyed"], people)
        removed = await finish(self._content, people, entries, self._clock.now())
        for database in (self._keys.database, self._content):
            await database.checkpoint()
        for entry in entries:
            self._metrics.removed.labels(entry.act).inc()
        await self._measure()
        logger().info("removed", count=len(entries), events=removed, state="done")
        return len(entries)

    async def _write_journal(self, entries: Sequence[OpenEntry], people: int) -> None:
        """Make removals safe at the second place before they count."""
        if not entries:
            return
        lines = [
            JournalEntry(
                log_entry=entry.id,
                act=entry.act,
                reason=entry.reason,
                ordered_at=entry.ordered_at,
                key=entry.key,
                tombstone=entry.tombstone.hex() if entry.tombstone is not None else None,
                tombstone_version=entry.tombstone_version,
            )
            for entry in entries
        ]
        await asyncio.to_thread(self._journal.append, lines)
        await advance(self._content, people, entries, "journaled")

    async def _destroy(self, entries: Sequence[OpenEntry], people: int) -> None:
        """Destroy the keys that journaled entries name."""
        orders = [LogEntry(entry.id, entry.key, "journaled") for entry in entries if entry.key is not None]
        if orders:
            await destroy_rows(self._keys, orders)
        await advance(self._content, people, entries, "destroyed")

    async def _measure(self) -> int:
        """Say how much is open and how old the oldest is; give how much."""
        count, oldest = await waiting(self._content)
        self._metrics.open_removals.set(count)
        age = 0 if oldest is None else (self._clock.now() - oldest) / 1000
        self._metrics.oldest_removal.set(max(age, 0))
        return count
