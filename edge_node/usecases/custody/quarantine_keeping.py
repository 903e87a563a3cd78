"""How a restored store comes out of quarantine: the journal replayed, what it names gone, what waits judged.

1. ``replaying``: each line of the journal since the backup is ordered again; the remover carries it out (keys, files,
   rows, write-ahead logs).  Until nothing is left of that, nothing is opened, shown or sent.
2. ``judging``: each event that waited is opened, taken in like every other one (marks, tombstones, suppression marks,
   holds), and its waiting copy's key destroyed.
3. The quarantine is lifted.

Every step can be repeated; whoever holds the lease next begins the replay anew.
"""

import asyncio
from collections.abc import Callable, Iterator, Sequence
from itertools import islice

import msgspec

from edge_node.metrics import Metrics
from edge_node.storage.content.leases import Lease
from edge_node.storage.content.quarantine import (
    Quarantine,
    WaitingEvent,
    begin_judging,
    count_waiting,
    is_waiting,
    left_to_remove,
    lift,
    note_judged,
    read_quarantine,
    waiting_events,
)
from edge_node.storage.content.replaying import INDEXES, NO_INDEXES, replay
from edge_node.storage.journal import Journal, JournalEntry
from edge_node.storage.keys.backups import revived
from edge_node.storage.keys.store import KeyStore
from edge_node.usecases.custody.quarantine import TABLE, Gate, Waiting
from edge_node.usecases.leased import LeasedWork
from edge_node.usecases.letting_go.erasing import destroy_again
from edge_node.usecases.receiving.filing import Taken
from shared.clock import Clock
from shared.crypto import Cipher, content_place
from shared.database.contract import Database
from shared.errors import HomeportError, StoreUnavailable
from shared.errors.custody import JournalGap
from shared.telemetry import logger

LEASE_MILLISECONDS = 15_000
PAUSE_SECONDS = 0.1
"""Before looking again whether the remover is done."""
RETRY_SECONDS = 5.0
LINES = 500
"""Lines of the journal replayed in one transaction."""
EVENTS = 200
"""Events judged in one batch."""

_STATES = {"replaying": 2, "judging": 1}


class QuarantineKeeper(LeasedWork):
    """Brings a restored store out of quarantine, in one process of a region."""

    name = "quarantine"

    def __init__(
        self,
        content: Database,
        keys: KeyStore,
        journal: Journal,
        gate: Gate,
        lease: Lease,
        metrics: Metrics,
        clock: Clock,
    ) -> None:
        """Take the open stores, the journal, and what takes in."""
        super().__init__(lease)
        self._content = content
        self._keys = keys
        self._journal = journal
        self._gate = gate
        self._metrics = metrics
        self._clock = clock
        self._replayed = False
        self._stuck: set[int] = set()
        """Rows that could not be judged, by themselves either; they stay, and are told of."""
        self.opened = asyncio.Event()
        """Set once nothing keeps this process from opening, showing and sending."""
        self.on_ordered: Callable[[], None] = lambda: None

    async def once(self) -> bool:
        """Go one step on; ``False`` where there is nothing to do now.  Raises what keeps a step from being done."""
        found = await read_quarantine(self._content)
        self._metrics.custody.quarantine.set(_STATES[found.state] if found else 0)
        if found is None or found.state != "replaying":
            await self._gate.look()
            self.opened.set()
        if found is None or not await self._lease.hold(self._clock.now()):
            return False
        return await (self._replay(found) if found.state == "replaying" else self._judge())

    async def _replay(self, found: Quarantine) -> bool:
        """Order again what the journal says was let go; then wait until it is gone."""
        if not self._replayed:
            await self._schema(INDEXES)
            entries = await asyncio.to_thread(self._journal.after, found.backup)
            if entries is None:
                raise JournalGap(path=str(self._journal.path))
            count, erased = 0, dict[str, str]()
            while lines := await asyncio.to_thread(_next, entries):
                await self._lease.hold(self._clock.now())
                await self._replay_lines([_as_first_told(line, erased) for line in lines], found.taken_at)
                self.on_ordered()
                count += len(lines)
            self._replayed = True
            logger().info("quarantine_replayed", count=count)
        if await left_to_remove(self._content, found.restored_at):
            self.on_ordered()
            return False
        await self._schema(NO_INDEXES)
        await begin_judging(self._content)
        logger().info("quarantine_opened", waiting=await count_waiting(self._content))
        return True

    async def _replay_lines(self, lines: Sequence[JournalEntry], taken_at: int) -> None:
        """Replay some lines in both stores."""
        keys = [line.key for line in lines if line.key is not None]
        await replay(self._content, lines, await revived(self._keys, keys), taken_at)
        erased = [line for line in lines if line.act == "erase" and not line.held]
        await destroy_again(self._keys, {line.owner: line.log_entry for line in erased if line.owner})

    async def _schema(self, statements: Sequence[str]) -> None:
        """Make or drop the indexes of a replay."""
        async with self._content.write() as transaction:
            for statement in statements:
                await transaction.execute(statement)

    async def _judge(self) -> bool:
        """Take in a batch of what waits; lift the quarantine where nothing does."""
        rows: list[WaitingEvent] = []
        after = 0
        while not rows:
            page = await waiting_events(self._content, after, EVENTS)
            if not page:
                break
            rows, after = [row for row in page if row.id not in self._stuck], page[-1].id
        if rows:
            judged = await self._take_in(rows)
            await note_judged(self._content, [row.id for row in judged], self._clock.now())
            self.on_ordered()
            return True
        left = await count_waiting(self._content)
        self._metrics.custody.quarantined.set(left)
        if not left and await lift(self._content):
            logger().info("quarantine_lifted")
            return True
        return False

    async def _take_in(self, rows: Sequence[WaitingEvent]) -> list[WaitingEvent]:
        """Take events in together, else each by itself; give those that are judged."""
        self._metrics.custody.quarantined.set(await count_waiting(self._content))
        try:
            events = await self._open(rows)
            await self._gate.take_in([events[row.id] for row in rows if row.id in events])
        except StoreUnavailable:
            raise
        except Exception as error:  # noqa: BLE001 - whatever it was, one event must not keep the others waiting
            if len(rows) == 1:
                self._stuck.add(rows[0].id)
                logger().error("alert_quarantine_stuck", error=type(error).__name__, count=len(self._stuck))
                return []
            return [judged for row in rows for judged in await self._take_in([row])]
        # One whose key is gone was taken back while it waited, and the remover has it: it is not seen again.
        lost = {row.id for row in rows if row.id not in events and await is_waiting(self._content, row.id)}
        if lost:
            self._stuck |= lost
            logger().error("alert_quarantine_stuck", error="KeyMissing", count=len(self._stuck))
        return [row for row in rows if row.id in events]

    async def _open(self, rows: Sequence[WaitingEvent]) -> dict[int, Taken]:
        """Open what waits, by row."""
        keys = await self._keys.open_rows([row.key for row in rows])
        opened = {}
        for row in rows:
            if row.key in keys:
                place = content_place(self._keys.region, keys[row.key].owner, TABLE, "sealed", row.key)
                waiting = msgspec.json.decode(Cipher(keys[row.key].key).open(row.sealed, place), type=Waiting)
                opened[row.id] = Taken(
                    waiting.event, row.account, waiting.account_name, waiting.scope, row.received_at, waiting.country
                )
        return opened

    async def _work(self) -> None:
        """Step by step until the quarantine is over."""
        while True:
            wait = PAUSE_SECONDS
            try:
                if await self.once():
                    continue
                if self.opened.is_set() and await read_quarantine(self._content) is None:
                    return
            except HomeportError as error:
                wait = RETRY_SECONDS
                logger().error("alert_quarantine_waits", error=type(error).__name__, code=error.code)
            except Exception as error:  # noqa: BLE001 - whatever it was, a store in quarantine must come out of it
                wait = RETRY_SECONDS
                logger().error("alert_quarantine_waits", error=type(error).__name__)
            await self._clock.sleep(wait)


def _as_first_told(line: JournalEntry, erased: dict[str, str]) -> JournalEntry:
    """Leave suppression marks out of an erasure that only repeats one: its command was told again after a restore.

    Somebody is erased once; whoever wrote between then and the repetition is a new contact.  ``erased``: the first
    entry of each pseudonym so far.
    """
    if line.owner is None or erased.setdefault(line.owner, line.log_entry) == line.log_entry:
        return line
    return msgspec.structs.replace(line, suppressed=())


def _next(entries: Iterator[JournalEntry]) -> list[JournalEntry]:
    """Read the next lines of the journal."""
    return list(islice(entries, LINES))
