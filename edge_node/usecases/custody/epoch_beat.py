"""The epoch beat: from one epoch key to the next, while traffic goes on, until the old one is destroyed.

1. A new epoch key is drawn at every place of the provider, sealed to the escrow where there is one, then put in force.
2. Owner and blind-index keys are wrapped under it, in small batches.
3. The old epoch is sealed off: nothing is wrapped under it, and nothing can be any more.
4. A new key backup replaces the one before, which only the old epoch could open.
5. Entry in the node's log, journal, destruction at every place and in the escrow, absence read back: that moment is the
   **epoch horizon** of everything that was destroyed before.

Every step can be repeated; a process that dies in between leaves a beat that the next holder of the lease takes up.
"""

import asyncio
from pathlib import Path
from typing import NamedTuple

from edge_node.metrics import Metrics
from edge_node.storage.content.epoch_entries import finish_epoch, note_epoch_journaled, order_epoch
from edge_node.storage.journal import Journal, JournalEntry
from edge_node.storage.keys.backups import back_up_keys
from edge_node.storage.keys.destruction import EpochEntry, destroy_epoch
from edge_node.storage.keys.epochs import (
    Epoch,
    begin_epoch,
    count_left,
    put_in_force,
    read_epochs,
    rewrap_some,
    seal_off,
)
from edge_node.storage.keys.recovery import Recovery
from edge_node.storage.keys.store import KeyStore
from shared.clock import DAY, Clock
from shared.database.contract import Database
from shared.telemetry import logger

BATCH = 100
"""Keys wrapped anew in one transaction: a commit of messages waits no longer than that takes."""


class Places(NamedTuple):
    """Where what belongs to a beat lies."""

    keys_file: Path
    backup_dir: Path
    recovery: Recovery | None


class Progress(NamedTuple):
    """How far a beat has come: ``begun``, ``wrapping`` (with how many keys are left), ``destroyed``."""

    state: str
    epoch: int
    left: int = 0


class EpochBeat:
    """Carries the beat on, one step at a time."""

    def __init__(
        self, content: Database, keys: KeyStore, journal: Journal, places: Places, metrics: Metrics, clock: Clock
    ) -> None:
        """Take the open stores and the journal."""
        self._content = content
        self._keys = keys
        self._journal = journal
        self._places = places
        self._metrics = metrics
        self._clock = clock

    async def due(self, days: int | None) -> bool:
        """Say whether :meth:`step` would do anything; reads, and notes how old the epoch is."""
        epochs = await read_epochs(self._keys)
        current = epochs[-1]
        self._metrics.custody.epoch_created.set(current.created_at / 1000)
        late = days is not None and self._clock.now() - current.created_at >= days * DAY
        return late or any(epoch.state == "retired" for epoch in epochs)

    async def step(self, days: int | None) -> Progress | None:
        """Go one step on; ``None`` where nothing is due.

        ``days``: a new beat is due after so many days; 0: at once, ``None``: none is begun.  Raises what keeps a step
        from being done; it is tried again.
        """
        if not await self.due(days):
            return None
        for old in await read_epochs(self._keys):
            if old.state == "retired":
                return await self._carry(old)
        return await self._begin()

    async def _begin(self) -> Progress:
        """Put a new epoch in force."""
        now = self._clock.now()
        escrow = self._places.recovery.load() if self._places.recovery else None
        version, key = await begin_epoch(self._keys)
        if self._places.recovery and escrow:
            await asyncio.to_thread(self._places.recovery.keep, escrow, version, key)
        await put_in_force(self._keys, version, now)
        logger().info("epoch_begun", count=version)
        return Progress("begun", version)

    async def _carry(self, old: Epoch) -> Progress:
        """Take a retired epoch one step towards its end."""
        done = await rewrap_some(self._keys, old.version, BATCH)
        left = await count_left(self._keys, old.version)
        self._metrics.custody.rewrapped.inc(done)
        self._metrics.custody.epoch_left.set(left)
        if done or not await seal_off(self._keys, old.version):
            return Progress("wrapping", old.version, left)
        await self._back_up()
        entry = await order_epoch(self._content, old.version, self._clock.now())
        line = JournalEntry(
            log_entry=entry,
            act="epoch",
            reason="beat",
            ordered_at=self._clock.now(),
            key=None,
            tombstone=None,
            tombstone_version=None,
        )
        await asyncio.to_thread(self._journal.append, [line])
        await note_epoch_journaled(self._content, entry)
        if self._places.recovery:
            await asyncio.to_thread(self._places.recovery.destroy, old.version)
        await destroy_epoch(self._keys, EpochEntry(entry, old.version, "journaled"), self._clock.now())
        await finish_epoch(self._content, entry, self._clock.now())
        logger().info("epoch_destroyed", count=old.version)
        return Progress("destroyed", old.version)

    async def _back_up(self) -> None:
        """Put a key backup of now in the place of the one before."""
        await asyncio.to_thread(back_up_keys, self._places.keys_file, self._places.backup_dir)
