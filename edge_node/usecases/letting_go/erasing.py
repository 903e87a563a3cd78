"""How a person is erased: the order, the journal, the keys, the rows, the write-ahead log, one step at a time.

Every step can be repeated: a process that dies in between leaves an entry that the next holder of the remover's lease
takes up where it stands.

1. ``ordered``: nothing more is taken in for the subject; its suppression marks stand (storage/content/erasures).
2. ``journaled``: pseudonym and suppression marks are safe at the second place.
3. Where content was shown, and how many keys there are, is noted; then every key of the subject goes: ``destroyed``.
4. Files and rows go in batches, so that a webhook never waits for more than one.
5. Neither write-ahead log holds any of it any more: ``done``, the subject is gone, its receipts are owed.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping

from edge_node.core.erasing import allowance
from edge_node.metrics import Metrics
from edge_node.storage.blobs import BlobStore
from edge_node.storage.content import derivatives
from edge_node.storage.content.duties import version_of_duties
from edge_node.storage.content.erasures import (
    ErasureOrder,
    May,
    OpenErasure,
    Ordered,
    Outcome,
    cases_of,
    finish_erasure,
    freeze_erasure,
    held_erasure,
    note_journaled,
    note_keys,
    oldest_erasure,
    order_erasure,
    remove_rows,
    subject_of,
    suppressions_of,
)
from edge_node.storage.content.places import Places
from edge_node.storage.content.uplink import UplinkStore
from edge_node.storage.journal import Journal, JournalEntry
from edge_node.storage.keys.backups import revived_owners
from edge_node.storage.keys.destruction import SubjectEntry, count_subject_keys, destroy_subject
from edge_node.storage.keys.store import KeyStore
from shared.clock import Clock
from shared.database.contract import Database
from shared.errors.uplink import SubjectUnknown
from shared.ids import draw_opaque_id
from shared.telemetry import logger
from shared.wire import PROTOCOL, CaseNotice, Command, SubjectTarget, encode
from shared.wire.types import ReasonCode

WAL_SECONDS = 0.2
"""Wait before a write-ahead log that a reader kept is emptied again."""


async def destroy_again(keys: KeyStore, journaled: Mapping[str, str]) -> None:
    """Destroy the keys of people whom the journal names as erased (log entry by pseudonym), as far as any came back.

    A key backup is younger than the content that it was restored with, and may have keys of somebody unknown there.
    """
    for owner in await revived_owners(keys, sorted(journaled)):
        await destroy_subject(keys, SubjectEntry(journaled[owner], owner, "journaled"))


class Eraser:
    """Orders erasures and carries the oldest one on."""

    def __init__(
        self, content: Database, keys: KeyStore, journal: Journal, places: Places, clock: Clock, blobs: BlobStore
    ) -> None:
        """Take the open stores, the journal, what knows where content was shown, and the folder of files."""
        self._blobs = blobs
        self._content = content
        self._keys = keys
        self._journal = journal
        self._places = places
        self._uplink = UplinkStore(content)
        self._clock = clock
        self.on_done: Callable[[], None] = lambda: None
        self.before_order: Callable[[], Awaitable[object]] | None = None
        """Sees to it that what the law keeps is known to the store when an erasure is ordered."""

    async def open_case(self, pseudonym: str, reason: ReasonCode) -> tuple[str, str]:
        """Open an erasure at this node; give its case and log entry.  It starts at once, the control plane follows.

        ``SubjectUnknown`` where nobody of that pseudonym is here, or no more.
        """
        subject = await subject_of(self._content, pseudonym)
        if subject is None:
            raise SubjectUnknown
        now, case = self._clock.now(), draw_opaque_id(self._keys.entropy)
        notice = None
        if await self._uplink.load() is not None:
            places = await self._places.of_subject(subject)
            notice = encode(
                CaseNotice(
                    protocol=PROTOCOL,
                    case=case,
                    kind="erasure",
                    pseudonym=pseudonym,
                    reason=reason,
                    at=now,
                    places=places,
                )
            )
        entry = draw_opaque_id(self._keys.entropy)
        order = ErasureOrder(entry, pseudonym, reason, "node", case, notice)
        ordered = await self._order(order, now)
        if ordered.outcome == "gone":
            raise SubjectUnknown
        return case, ordered.log_entry

    async def obey(self, command: Command, target: SubjectTarget, per_hour_max: int) -> Outcome:
        """Order what the control plane asked; ``gone``: there was nothing left to do; ``held``: the cap is reached."""
        entry = draw_opaque_id(self._keys.entropy)
        order = ErasureOrder(entry, target.pseudonym, command.reason, "control", command.id, None)
        now = self._clock.now()
        ordered = await self._order(order, now, lambda recent: allowance(recent, now, per_hour_max).now > 0)
        return ordered.outcome

    async def _order(self, order: ErasureOrder, now: int, may: May | None = None) -> Ordered:
        """Write the order."""
        if self.before_order is not None:
            await self.before_order()
        suppression = (await self._keys.indexes("suppression"))[0]
        return await order_erasure(self._content, order, suppression, now, may)

    async def step(self, metrics: Metrics) -> int:
        """Carry the oldest erasure one step on; 1 where there was one, else 0."""
        waits = await held_erasure(self._content)
        if waits is not None:
            await self._write_journal(waits, held=True)
            return 1
        erasure = await oldest_erasure(self._content)
        if erasure is None:
            return 0
        if erasure.state == "ordered":
            await self._write_journal(erasure)
        elif erasure.state == "journaled":
            await self._destroy(erasure)
        elif not await self._remove(erasure) and await self._emptied():
            await finish_erasure(self._content, erasure, self._clock.now())
            metrics.removed.labels("erase").inc()
            logger().info("erased", count=1, state="done")
            self.on_done()
        return 1

    async def _write_journal(self, erasure: OpenErasure, *, held: bool = False) -> None:
        """Make the erasure safe at the second place before it counts, or that it waits under a hold."""
        line = JournalEntry(
            log_entry=erasure.id,
            act="erase",
            reason=erasure.reason,
            ordered_at=erasure.ordered_at,
            owner=erasure.pseudonym,
            suppressed=tuple(await suppressions_of(self._content, erasure.id)),
            cases=tuple(await cases_of(self._content, erasure.id)),
            held=held,
            policy=await version_of_duties(self._content) if held else None,
        )
        await asyncio.to_thread(self._journal.append, [line])
        await note_journaled(self._content, erasure.id, held=held)

    async def _destroy(self, erasure: OpenErasure) -> None:
        """Destroy every key of the subject; what a receipt will say is noted before there is nothing to count."""
        if erasure.keys is None:
            places = await self._places.of_subject(erasure.subject)
            await freeze_erasure(
                self._content, erasure.id, places, await count_subject_keys(self._keys, erasure.pseudonym)
            )
        keys = await destroy_subject(self._keys, SubjectEntry(erasure.id, erasure.pseudonym, "journaled"))
        await note_keys(self._content, erasure.id, keys)

    async def _remove(self, erasure: OpenErasure) -> int:
        """Remove one batch: first what was made from the subject's messages, files before rows; 0 where all is gone."""
        made = await derivatives.of_subject(self._content, erasure.subject)
        if not made:
            return await remove_rows(self._content, erasure)
        await asyncio.to_thread(self._blobs.remove, [blob for _, blob in made if blob is not None])
        await derivatives.remove_of_subject(self._content, [row for row, _ in made], erasure.id)
        return len(made)

    async def _emptied(self) -> bool:
        """Empty both write-ahead logs; ``False`` where a reader kept one: the next step tries again."""
        await self._keys.flush()  # an intent names the marks of what was taken in last
        emptied = [await database.checkpoint() for database in (self._keys.database, self._content)]
        if not all(emptied):
            await self._clock.sleep(WAL_SECONDS)
        return all(emptied)
