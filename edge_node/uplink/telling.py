"""What is owed to the control plane is told until it says that it has it: receipts, recalls, cases opened here.

Bodies were written and frozen where the thing itself happened, so telling one twice tells the same, and the control
plane knows it by its id.  A refusal keeps back that one body, never its neighbours.
"""

from edge_node.storage.content.commands import CommandStore, Untold
from edge_node.uplink.client import ControlClient
from edge_node.uplink.roster import RosterInForce
from shared import wire
from shared.clock import Clock
from shared.errors.uplink import ControlRefused, ControlUnreachable
from shared.telemetry import logger

ROUND_MAX = 50
LATER_SECONDS = 5.0
LATER_SECONDS_MAX = 600.0
"""A body that was refused waits: at first five seconds, then twice as long each time, ten minutes at most."""

SIGNED_FOR = "receipt_contradicts"
"""The command was signed for before, by a store that was lost since: the first receipt stands, and is enough."""

_PATHS: dict[str, tuple[str, type[wire.Message]]] = {
    "receipt": ("/node/v1/receipts", wire.ReceiptPush),
    "recall": ("/node/v1/recalls", wire.RecallNotice),
    "case": ("/node/v1/cases", wire.CaseNotice),
}


class Teller:
    """Empties the outbox."""

    def __init__(self, commands: CommandStore, roster: RosterInForce, clock: Clock) -> None:
        """Take the outbox and the roster, which says who is told."""
        self._commands, self._roster, self._clock = commands, roster, clock
        self._later: dict[str, tuple[float, float]] = {}
        """By body: not before when, and how long it waits the next time (seconds of the monotonic clock)."""

    async def round(self, client: ControlClient) -> int:
        """Tell what may be told now; give how much was accepted.  ``ControlUnreachable``: nobody is there."""
        told = 0
        for untold in await self._commands.untold(ROUND_MAX + len(self._later)):
            not_before, _ = self._later.get(untold.id, (0.0, 0.0))
            if not_before > self._clock.elapsed():
                continue
            if await self._tell(client, untold):
                self._later.pop(untold.id, None)
                told += 1
        return told

    async def _tell(self, client: ControlClient, untold: Untold) -> bool:
        """Tell one body; ``False`` where it was refused and waits."""
        path, shape = _PATHS[untold.kind]
        message = wire.decode(shape, untold.body)
        try:
            await client.tell(self._roster.current().control_plane, path, message, wire.Accepted)
        except ControlRefused as error:
            code = error.details.get("answer_code", error.code)
            logger().error("alert_notice_refused", kind=untold.kind, code=code)
            if code == SIGNED_FOR:
                await self._commands.told(untold.id, self._clock.now())
                return True
        except ControlUnreachable as error:
            if "answer_code" not in error.details:
                raise
        else:
            await self._commands.told(untold.id, self._clock.now())
            return True
        _, wait = self._later.get(untold.id, (0.0, LATER_SECONDS))
        self._later[untold.id] = (self._clock.elapsed() + wait, min(2 * wait, LATER_SECONDS_MAX))
        return False
