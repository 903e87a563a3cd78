"""Small work that comes around: sweep keys, files and lines of the journal that nothing uses any more."""

import asyncio

from edge_node.metrics import Metrics
from edge_node.storage.content.leases import Lease
from edge_node.storage.content.quarantine import read_quarantine
from edge_node.storage.journal import Journal
from edge_node.storage.keys.store import KeyStore
from edge_node.storage.sweep import sweep_unused_keys
from edge_node.usecases.leased import LeasedWork
from edge_node.usecases.media.upkeep import MediaUpkeep
from shared.clock import Clock
from shared.database.contract import Database
from shared.telemetry import logger

EVERY_SECONDS = 600.0
LEASE_MILLISECONDS = 900_000


class Upkeep(LeasedWork):
    """Runs under a lease, so that one process of a region does it."""

    name = "upkeep"

    def __init__(
        self,
        content: Database,
        keys: KeyStore,
        lease: Lease,
        metrics: Metrics,
        clock: Clock,
        media: MediaUpkeep | None = None,
        journal: Journal | None = None,
        journal_ms: int = 0,
    ) -> None:
        """Take the open stores and the lease, who looks after files, and the journal with how long (ms) lines live."""
        self._media = media
        self._journal = journal
        self._journal_ms = journal_ms
        self._content = content
        self._keys = keys
        super().__init__(lease)
        self._metrics = metrics
        self._clock = clock

    async def once(self) -> int:
        """Sweep until nothing is left to sweep; give how many keys went."""
        swept = 0
        while await self._lease.hold(self._clock.now()):
            found = await sweep_unused_keys(self._keys, self._content, self._clock.now())
            if not found:
                break
            swept += found
        if swept:
            self._metrics.orphans.inc(swept)
            logger().info("swept_unused_keys", count=swept)
        if self._media is not None and await self._lease.hold(self._clock.now()):
            await self._media.once()
        await self._prune()
        return swept

    async def _prune(self) -> None:
        """Drop lines of the journal that are older than any backup that may be restored."""
        # A restored store in quarantine may be replaying them.
        if self._journal is None or await read_quarantine(self._content) is not None:
            return
        dropped = await asyncio.to_thread(self._journal.prune, self._clock.now() - self._journal_ms)
        if dropped:
            logger().info("journal_pruned", count=dropped)

    async def _work(self) -> None:
        """Sweep, wait, and again."""
        while True:
            try:
                await self.once()
            except Exception as error:  # noqa: BLE001 - whatever it was, the next sweep is due all the same
                logger().error("alert_sweep_failed", error=type(error).__name__)
            await self._clock.sleep(EVERY_SECONDS)
