"""The work that waits at a node, counted for its beat and its metrics."""

from collections.abc import Callable

from edge_node.metrics import Metrics
from edge_node.storage.content.commands import CommandStore
from edge_node.storage.content.removals import waiting as waiting_removals
from edge_node.storage.content.uplink import UplinkStore
from edge_node.uplink.work import Waiting
from shared import wire


class Counts:
    """Counts what waits."""

    def __init__(
        self, store: UplinkStore, commands: CommandStore, waiting: Callable[[], Waiting], metrics: Metrics
    ) -> None:
        """Take the stores; ``waiting`` counts events that wait in this process."""
        self._store, self._commands, self._waiting, self._metrics = store, commands, waiting, metrics

    async def health(self, since: int) -> wire.Health:
        """Count the work that waits, and the events refused at intake since an instant (ms)."""
        removals, _ = await waiting_removals(self._store.content)
        commands = await self._commands.open_count()
        receipts, notices = await self._commands.untold_counts()
        for what, count in (("commands", commands), ("receipts", receipts), ("notices", notices)):
            self._metrics.uplink_waiting.labels(what).set(count)
        waiting = self._waiting()
        return wire.Health(
            events_waiting=waiting.events,
            removals_open=removals,
            commands_open=commands,
            receipts_unsent=receipts,
            relays_waiting=waiting.relays,
            refusals=await self._store.refusals_since(since),
        )
