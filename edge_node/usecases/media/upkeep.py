"""Small work around files: remove what no row names, tell of what is lost, and let go what was left behind."""

from edge_node.metrics import Metrics
from edge_node.storage.blob_sweep import PREFIXES, sweep_blobs
from edge_node.storage.blobs import BlobStore
from edge_node.storage.content.derivatives import left_behind, order_left
from shared.clock import Clock
from shared.database.contract import Database
from shared.entropy import Entropy
from shared.ids import draw_opaque_id
from shared.telemetry import logger

FOLDERS_A_ROUND = 32
"""Of 256: all are seen in eight rounds."""
ROWS_A_ROUND = 20_000


class MediaUpkeep:
    """Runs under the upkeep's lease."""

    def __init__(self, content: Database, blobs: BlobStore, metrics: Metrics, clock: Clock, entropy: Entropy) -> None:
        """Take the content store and the folder of files."""
        self._content, self._blobs, self._metrics, self._clock, self._entropy = content, blobs, metrics, clock, entropy
        self._folder = self._row = 0

    async def once(self) -> int:
        """Look at some folders and some rows; give how many files were removed and rows let go."""
        orphans = missing = 0
        for prefix in PREFIXES[self._folder : self._folder + FOLDERS_A_ROUND]:
            swept = await sweep_blobs(self._content, self._blobs, prefix, self._clock.now())
            orphans, missing = orphans + swept.orphans, missing + swept.missing
        self._folder = (self._folder + FOLDERS_A_ROUND) % len(PREFIXES)
        if orphans:
            self._metrics.media.orphans.inc(orphans)
            logger().warning("media_orphans_removed", count=orphans)
        if missing:
            self._metrics.media.missing.inc(missing)
            logger().error("alert_media_missing", count=missing)
        return orphans + await self._let_go()

    async def _let_go(self) -> int:
        """Order destroyed what an older release, that knows no derivatives, left of removed messages and people."""
        keys, self._row = await left_behind(self._content, self._row, ROWS_A_ROUND)
        for key in keys:
            await order_left(self._content, draw_opaque_id(self._entropy), key, self._clock.now())
        if keys:
            logger().warning("derivatives_left_behind", count=len(keys))
        return len(keys)
