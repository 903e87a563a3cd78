"""What the control plane asked, carried out once each, and signed for.

A command is known by its id.  What it asks is idempotent by itself (an erasure joins the one under way, a copy is taken
back once), and it is closed in the transaction that puts its receipt into the outbox, so a process that dies anywhere
leaves it to be done again with the same end.
"""

from edge_node.core.erasing import erasure_results, retraction_results
from edge_node.metrics import Metrics
from edge_node.storage.content.commands import CommandStore, Draft, Finished
from edge_node.storage.content.erasures import subject_of
from edge_node.storage.content.places import Places
from edge_node.storage.identity import NodeIdentity
from edge_node.uplink.roster import RosterInForce
from edge_node.uplink.work import RemnantsOf, Retractor
from edge_node.usecases.governing.border import Border
from edge_node.usecases.letting_go.erasing import Eraser
from shared import wire
from shared.clock import Clock
from shared.database.contract import Database
from shared.errors import HomeportError
from shared.telemetry import logger
from shared.wire.types import CommandKind, ProviderCode

ROUND_MAX = 50
"""Commands looked at in one round: a long queue never keeps a finished erasure's receipt waiting."""


class Executor:
    """Carries commands out and writes receipts."""

    def __init__(
        self,
        content: Database,
        node: str,
        identity: NodeIdentity,
        roster: RosterInForce,
        eraser: Eraser,
        retractor: Retractor,
        places: Places,
        border: Border,
        metrics: Metrics,
        clock: Clock,
        *,
        erasures_per_hour_max: int,
        provider: ProviderCode,
        remnants: RemnantsOf,
    ) -> None:
        """Take who this node is, what does the work, what asks the policy, the cap on erasures, what receipts say."""
        self._content, self._commands = content, CommandStore(content)
        self._node, self._identity, self._roster = node, identity, roster
        self._eraser, self._retractor, self._places = eraser, retractor, places
        self._border, self._metrics, self._clock = border, metrics, clock
        self._per_hour_max, self._provider, self._remnants = erasures_per_hour_max, provider, remnants
        self._held, self._full = 0, False

    async def round(self) -> int:
        """Do everything that can be done now; give how much was done or told to others, 0 where all waits."""
        done = 0
        for draft in await self._commands.drafts():
            done += await self._note_recall(draft)
        for finished in await self._commands.finished(ROUND_MAX):
            done += await self._sign_erasure(finished)
        self._full = False
        for body, received_at in await self._commands.waiting(ROUND_MAX):
            done += await self._try(wire.decode(wire.Command, body), received_at)
        self._tell_held(await self._commands.waiting_erasures() if self._full else 0)
        return done

    async def _try(self, command: wire.Command, received_at: int) -> int:
        """Do one command; what goes wrong with it keeps none of the others back."""
        try:
            return await self._carry_out(command, received_at)
        except HomeportError as error:
            if error.retry:
                logger().info("command_waits", kind=command.kind, code=error.code)
            else:
                logger().error("alert_command_failed", kind=command.kind, code=error.code)
            return 0

    async def _carry_out(self, command: wire.Command, received_at: int) -> int:
        """Do one command; 1 where something came of it, 0 where it waits for the cap."""
        match command.kind, command.target:
            case "erase", wire.SubjectTarget() as target:
                if await subject_of(self._content, target.pseudonym) is None:
                    return await self._sign(command, received_at, ())
                if self._full:
                    return 0
                outcome = await self._eraser.obey(command, target, self._per_hour_max)
                self._full = outcome == "held"
                return await self._sign(command, received_at, ()) if outcome == "gone" else int(not self._full)
            case "close_view" | "erase" | "recall", wire.DisclosureTarget(node, disclosure):
                gone = await self._retractor.retract(node, disclosure, command.reason)
                remnants = await self._remnants.of(self._clock.now())
                results = retraction_results(gone.keys, gone.rows, remnants)
                return await self._sign(command, received_at, results, self._law_at(node))
            case _:
                await self._commands.refuse(command.id, self._clock.now())
                logger().error("alert_command_refused", kind=command.kind, reason="target does not fit")
                return 1

    async def _sign_erasure(self, finished: Finished) -> int:
        """Sign for an erasure that was carried out, but for what a law keeps until its date."""
        remnants = await self._remnants.of(finished.finished_at)
        receipt = wire.Receipt(
            command=finished.id,
            case=finished.case,
            node=self._node,
            kind=_kind(finished.kind),
            started_at=finished.started_at,
            finished_at=finished.finished_at,
            results=erasure_results(finished.counts, remnants, finished.retained, finished.keys_kept),
            roster_version=self._roster.version,
            bundle=finished.bundle or self._border.bundle,
            provider=self._provider,
        )
        return await self._close(receipt, finished.places)

    async def _sign(
        self, command: wire.Command, started_at: int, results: tuple[wire.Result, ...], law: str = ""
    ) -> int:
        """Sign for a command that was carried out at once; ``law`` protects whoever it is about, if that is known."""
        receipt = wire.Receipt(
            command=command.id,
            case=command.case,
            node=self._node,
            kind=command.kind,
            started_at=started_at,
            finished_at=max(started_at, self._clock.now()),
            results=results,
            roster_version=self._roster.version,
            bundle=self._border.bundle,
            provider=self._provider,
        )
        return await self._close(receipt, (), law)

    def _law_at(self, node: str) -> str:
        """Give the law of the region where a node stands: what it showed rests there."""
        found = self._roster.current().node(node) if self._roster.version else None
        law = self._border.law_there(found.region) if found is not None else None
        return law if isinstance(law, str) else ""

    async def _close(self, receipt: wire.Receipt, places: tuple[wire.Place, ...], law: str = "") -> int:
        """Sign a receipt, keep it to be told, and close its command, together."""
        envelope = wire.sign_receipt(self._identity.signing, receipt)
        push = wire.ReceiptPush(protocol=wire.PROTOCOL, envelope=envelope, places=places)
        await self._commands.close(receipt.command, wire.encode(push), self._clock.now(), law)
        logger().info("command_done", kind=receipt.kind)
        return 1

    async def _note_recall(self, draft: Draft) -> int:
        """Give a noted recall its words: an opaque id and where the message was shown."""
        places = await self._places.of_message(draft.mark)
        body = None
        if places:
            notice = wire.RecallNotice(
                protocol=wire.PROTOCOL, recall=draft.name, at=draft.at, disclosed_to=places, reason=draft.reason
            )
            body = wire.encode(notice)
        await self._commands.freeze(draft, body)
        return 1

    def _tell_held(self, held: int) -> None:
        """Say how many erasures wait for the cap; an alert when it begins."""
        self._metrics.held_commands.set(held)
        if held and not self._held:
            logger().error("alert_erasure_cap_reached", waiting=held)
        self._held = held


def _kind(word: str) -> CommandKind:
    """Give a stored kind as the code it is; of erasures there is one."""
    return "erase" if word == "erase" else "close_view"
