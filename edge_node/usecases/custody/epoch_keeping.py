"""The epoch beat in the background: under a lease, when it is due, never in the way of messages."""

from edge_node.storage.content.leases import Lease
from edge_node.usecases.custody.epoch_beat import EpochBeat
from edge_node.usecases.leased import LeasedWork
from shared.clock import Clock
from shared.errors import HomeportError
from shared.telemetry import logger

LOOK_SECONDS = 30.0
"""How often a process looks whether a beat is due, or was left half way."""

PAUSE_SECONDS = 0.05
"""Between batches: a hundred keys each, so some 2,000 a second at most."""

LEASE_MILLISECONDS = 60_000


class EpochKeeper(LeasedWork):
    """Carries the beat on in one process of a region."""

    name = "epoch-keeper"

    def __init__(self, beat: EpochBeat, lease: Lease, days: int, clock: Clock) -> None:
        """Take the beat, its lease, and after how many days one is due (0: only by hand)."""
        self._beat = beat
        super().__init__(lease)
        self._days = days or None
        self._clock = clock
        self._held = False

    async def once(self) -> bool:
        """Go one step on; say whether there was one.

        The lease is held while a beat is under way and not longer: somebody may begin one by hand.
        """
        worked = False
        try:
            if await self._beat.due(self._days):
                self._held = await self._lease.hold(self._clock.now())
                worked = self._held and await self._beat.step(self._days) is not None
        finally:
            if self._held and not worked:
                self._held = False
                await self._lease.give_back()
        return worked

    async def _work(self) -> None:
        """Step by step while there is something to do, else look again after a while."""
        while True:
            worked = False
            try:
                worked = await self.once()
            except HomeportError as error:
                logger().error("alert_epoch_beat_stuck", error=type(error).__name__, code=error.code)
            except Exception as error:  # noqa: BLE001 - whatever it was, a beat half way must still be carried on
                logger().error("alert_epoch_beat_stuck", error=type(error).__name__)
            await self._clock.sleep(PAUSE_SECONDS if worked else LOOK_SECONDS)
