"""How a removal is carried out: the node's log first, the journal, the key, the row, the write-ahead log.

A message taken back and a person erased go the same way; :mod:`edge_node.usecases.letting_go.erasing` takes a
person's many keys and rows, in steps between which recalls and webhooks go on.

Every step can be repeated: a process that dies in between leaves an entry that the next holder of the lease takes up
where it stands.  A removal is done when the key is destroyed, the row is gone, and neither lies in a write-ahead log.
"""

import asyncio
import contextlib
from collections.abc import Sequence

from edge_node.metrics import Metrics
from edge_node.storage.blobs import BlobStore
from edge_node.storage.content.derivatives import files_of
from edge_node.storage.content.duties import version_of_duties
from edge_node.storage.content.leases import Lease
from edge_node.storage.content.parting import order_part
from edge_node.storage.content.removals import (
    OpenEntry,
    advance,
    clear,
    finish,
    held_count,
    held_entries,
    open_batch,
    open_entries,
    waiting,
)
from edge_node.storage.journal import Journal, JournalEntry
from edge_node.storage.keys.destruction import LogEntry, destroy_rows
from edge_node.storage.keys.store import KeyStore
from edge_node.usecases.letting_go.erasing import Eraser
from shared.clock import Clock
from shared.database.contract import Database
from shared.errors import IntegrityError
from shared.telemetry import logger

ROUND_MAX = 64
"""Entries carried on in one round: bounds how long the key store is locked."""

BATCH_MAX = 512
"""Entries that were ordered together and are carried on in one round: keys of few owners, see retention.py."""

HELD_FEW = 1_000
HELD_SECONDS = 60.0
"""What waits under duties is counted each time while it is little, else so often: a law may keep much for years."""

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
        blobs: BlobStore,
    ) -> None:
        """Take the open stores, the journal, the lease under which one process of a region removes, and the eraser."""
        self._blobs = blobs
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
        self._stuck: set[str] = set()
        """Entries that failed by themselves; tried again when nothing else is left."""
        self._held, self._held_at = 0, 0.0

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
            except Exception as error:  # noqa: BLE001 - whatever it was, what is acknowledged must still be carried out
                logger().error("alert_removal_failed", error=type(error).__name__)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._wanted.wait(), IDLE_SECONDS)

    async def round(self) -> int:
        """Carry the oldest open entries on; give how many went on, 0 where there is nothing to do now.

        Recalls are carried to their end; after them an erasure goes one step and a batch of expired rows goes, and the
        next round looks for recalls again.
        """
        if not await self._measure():
            return 0
        if not await self._lease.hold(self._clock.now()):
            return 0
        noted = await self._note_held()
        recalled = await self._recall_round()
        erased = await self._eraser.step(self._metrics)
        parted = await order_part(self._content, self._clock.now())
        carried = noted + recalled + erased + parted + await self._batch_round()
        if not carried:
            self._stuck.clear()
        return carried

    async def _note_held(self) -> int:
        """Make removals that wait under a hold safe at the second place, too: what they hide stays hidden."""
        entries = await held_entries(self._content, ROUND_MAX)
        if entries:
            await self._write_journal(entries, held=True)
        return len(entries)

    async def _recall_round(self) -> int:
        """Carry the oldest entries of messages to their end; give how many came there."""
        entries = await open_entries(self._content, ROUND_MAX + len(self._stuck))
        return await self._round_of([entry for entry in entries if entry.id not in self._stuck])

    async def _batch_round(self) -> int:
        """Carry the oldest batch of what expired, or of what no hold covers, to its end."""
        entries = await open_batch(self._content, BATCH_MAX + len(self._stuck))
        entries = [entry for entry in entries if entry.id not in self._stuck]
        # What was ordered together goes together, so that each bucket is wrapped again once.
        return await self._round_of([entry for entry in entries if entry.ordered_at == entries[0].ordered_at])

    async def _round_of(self, entries: Sequence[OpenEntry]) -> int:
        """Carry entries to their end; give how many came there."""
        if not entries:
            return 0
        try:
            carried = list(entries)
            removed = await self._carry(entries)
        except IntegrityError:
            carried, removed = await self._carry_apart(entries)
        await self._keys.flush()  # an intent names the marks of what was taken in with what is removed now
        emptied = [await database.checkpoint() for database in (self._keys.database, self._content)]
        if not all(emptied):
            return 0  # a reader is in the way: the entries stay, and the next round tries again
        await finish(self._content, carried, self._clock.now())
        for entry in carried:
            self._metrics.removed.labels(entry.act).inc()
        await self._measure()
        logger().info("removed", count=len(carried), events=removed, state="done")
        return len(carried)

    async def _carry(self, entries: Sequence[OpenEntry]) -> int:
        """Journal, destroy, delete; give rows deleted."""
        await self._write_journal([entry for entry in entries if entry.state == "ordered"])
        await self._destroy([entry for entry in entries if entry.state != "destroyed"])
        await self._remove_files([entry.key for entry in entries if entry.act == "underive" and entry.key is not None])
        return await clear(self._content, entries)

    async def _carry_apart(self, entries: Sequence[OpenEntry]) -> tuple[list[OpenEntry], int]:
        """Do the same for each by itself: one that cannot be carried out must not hold up the others."""
        carried: list[OpenEntry] = []
        removed = 0
        for entry in entries:
            try:
                removed += await self._carry([entry])
            except IntegrityError as error:
                self._stuck.add(entry.id)
                logger().error("alert_removal_stuck", error=type(error).__name__, code=error.code)
            else:
                carried.append(entry)
        return carried, removed

    async def _write_journal(self, entries: Sequence[OpenEntry], *, held: bool = False) -> None:
        """Make removals safe at the second place before they count."""
        if not entries:
            return
        policy = await version_of_duties(self._content) if held else None
        lines = [
            JournalEntry(
                log_entry=entry.id,
                act=entry.act,
                reason=entry.reason,
                ordered_at=entry.ordered_at,
                key=entry.key,
                tombstone=entry.tombstone.hex() if entry.tombstone is not None else None,
                tombstone_version=entry.tombstone_version,
                held=held,
                policy=policy,
            )
            for entry in entries
        ]
        await asyncio.to_thread(self._journal.append, lines)
        await advance(self._content, entries, "held" if held else "journaled")

    async def _destroy(self, entries: Sequence[OpenEntry]) -> None:
        """Destroy the keys that journaled entries name."""
        orders = [LogEntry(entry.id, entry.key, "journaled") for entry in entries if entry.key is not None]
        if orders:
            await destroy_rows(self._keys, orders)
        await advance(self._content, entries, "destroyed")

    async def _remove_files(self, keys: Sequence[int]) -> None:
        """Remove the files of derivatives whose keys are destroyed, while their rows still name them."""
        if names := await files_of(self._content, keys):
            await asyncio.to_thread(self._blobs.remove, names)

    async def _measure(self) -> int:
        """Say how much is open and how old the oldest is; give how much."""
        count, oldest = await waiting(self._content)
        self._metrics.open_removals.set(count)
        if self._held < HELD_FEW or self._clock.elapsed() >= self._held_at + HELD_SECONDS:
            self._held, self._held_at = await held_count(self._content), self._clock.elapsed()
            self._metrics.held_removals.set(self._held)
        age = 0 if oldest is None else (self._clock.now() - oldest) / 1000
        self._metrics.oldest_removal.set(max(age, 0))
        return count
