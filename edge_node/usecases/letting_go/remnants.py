"""What a receipt must date: when older backups stop opening what was destroyed, and when its bytes are gone."""

from edge_node.core.erasing import Remnants, epoch_horizon
from edge_node.settings import EdgeSettings
from edge_node.storage.keys.epochs import read_epochs
from edge_node.storage.keys.store import KeyStore
from shared.clock import DAY, Clock
from shared.database.contract import Database


class RemnantsHere:
    """What is left for a while of what is destroyed at this node."""

    def __init__(self, content: Database, keys: KeyStore, settings: EdgeSettings, clock: Clock) -> None:
        """Take the open stores and what the operator has set."""
        self._content = content
        self._keys = keys
        self._epoch_days = settings.keys.epoch_days
        self._rewrite_days = settings.custody.rewrite_days
        self._clock = clock

    async def of(self, done_at: int) -> Remnants:
        """Say what is left of a removal that was done at ``done_at`` (ms)."""
        current = (await read_epochs(self._keys))[-1]
        horizon = epoch_horizon(current.created_at, self._epoch_days, self._clock.now())
        if self._content.engine != "postgresql":
            return Remnants(horizon)
        until = done_at + self._rewrite_days * DAY if self._rewrite_days else None
        return Remnants(horizon, rows_pending=True, rows_until=until)
