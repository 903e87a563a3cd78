"""What is owed to the control plane is told until it says that it has it: receipts, recalls, cases opened here.

Bodies were written and frozen where the thing itself happened, so telling one twice tells the same, and the control
plane knows it by its id.  A refusal keeps back that one body, never its neighbours.

Before one leaves the policy is asked by the law of whoever it is about.  What it denies stays here, counted and asked
for again; its case is worked at this node.  Where content had been shown elsewhere, those places are told that it was
taken back, by drawn ids alone, as far as the policy lets them be.
"""

from edge_node.core.crossing import WAITS, Crossing
from edge_node.metrics import Metrics
from edge_node.storage.content.commands import CommandStore, Untold
from edge_node.uplink.client import ControlClient
from edge_node.uplink.roster import RosterInForce
from edge_node.usecases.governing.border import Border
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
_CASE_KEPT = "case_kept"
"""Why a receipt stays here that the policy would let go: it is of a case that the control plane was not told of."""


class Teller:
    """Empties the outbox."""

    def __init__(
        self, commands: CommandStore, roster: RosterInForce, border: Border, metrics: Metrics, clock: Clock
    ) -> None:
        """Take the outbox, the roster, which says who is told, and what asks the policy."""
        self._commands, self._roster, self._clock = commands, roster, clock
        self._border, self._metrics = border, metrics
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
        await self._count()
        return told

    async def _tell(self, client: ControlClient, untold: Untold) -> bool:
        """Tell one body; ``False`` where it was refused, or may not leave, and waits."""
        path, shape = _PATHS[untold.kind]
        message = wire.decode(shape, untold.body)
        control = self._roster.current().control_plane
        reason = await self._denied(untold, message, control.region)
        if reason:
            if reason != untold.withheld:
                await self._keep(untold, message, reason)
            return self._put_off(untold)
        if untold.withheld:
            await self._commands.withhold(untold, "", None, self._clock.now())
        try:
            await client.tell(control, path, message, wire.Accepted)
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
        return self._put_off(untold)

    async def _denied(self, untold: Untold, message: wire.Message, region: str | None) -> str:
        """Give the reason why something may not leave, empty where it may."""
        crossing: Crossing = self._border.ask(type(message), region, self._border.law_of(untold.law))
        if not crossing.allowed:
            return crossing.decision.reason
        if untold.kind == "receipt" and await self._commands.kept_back(f"case-{untold.id.removeprefix('receipt-')}"):
            return _CASE_KEPT
        return ""

    async def _keep(self, untold: Untold, message: wire.Message, reason: str) -> None:
        """Note that it stays here; tell the places where content was shown, where the policy itself says no."""
        instead = None
        if isinstance(message, wire.CaseNotice) and message.places and reason not in WAITS:
            notice = wire.RecallNotice(
                protocol=wire.PROTOCOL, recall=message.case, at=message.at, disclosed_to=message.places
            )
            instead = wire.encode(notice)
        await self._commands.withhold(untold, reason, instead, self._clock.now())
        logger().warning("alert_policy_withholds", kind=untold.kind, reason=reason)

    async def _count(self) -> None:
        """Say what is kept back."""
        counts: dict[str, dict[str, int]] = {kind: {} for kind in _PATHS}
        for kind, reason, count in await self._commands.withheld():
            counts[kind][reason] = count
        for kind, by_reason in counts.items():
            self._metrics.policy.withhold(kind, by_reason)

    def _put_off(self, untold: Untold) -> bool:
        """Leave a body alone, each time for twice as long."""
        _, wait = self._later.get(untold.id, (0.0, LATER_SECONDS))
        self._later[untold.id] = (self._clock.elapsed() + wait, min(2 * wait, LATER_SECONDS_MAX))
        return False
