"""One batch, from events to two synced stores: resolve, draw keys, seal, keys first, then content, then judge.

This page is the order of DESIGN's commit: the keys are committed with an intent that names what they are for; the
content is inserted only where its subject lives and no tombstone names it; whatever was not inserted is judged again
before anyone is told that it is safe.
"""

from collections.abc import Sequence

import msgspec

from edge_node.storage.content.messages import (
    MessageRow,
    Verdict,
    first_seen_step,
    judge,
    take_in_steps,
    write_batch,
)
from edge_node.storage.content.removals import RecallOrder, recall_steps
from edge_node.storage.keys.destruction import discard_unused
from edge_node.storage.keys.draft import Draft
from edge_node.storage.keys.store import KeyStore
from edge_node.usecases.filing import Clerk, Filed, Filing, Taken
from edge_node.usecases.resolving import Resolver
from edge_node.usecases.sealing import Sealed, Sealer
from shared.clock import Clock
from shared.database.contract import Database, ScriptRefused
from shared.errors import KeyCurrentChanged, StoreUnavailable
from shared.ids import draw_opaque_id

_ATTEMPTS = 8


class Outcome(msgspec.Struct):
    """What became of a batch, in numbers."""

    stored: int = 0
    duplicates: int = 0
    tombstoned: int = 0
    suppressed: int = 0
    """Of somebody who was erased, sent before that: they stay out."""
    foreign_edits: int = 0
    recalls: int = 0
    removals: int = 0
    """Entries that the batch may have put into the node's log: recalls, and edits that replaced a key."""


class TakingIn:
    """Takes batches in, one at a time."""

    def __init__(self, content: Database, keys: KeyStore, clerk: Clerk, resolver: Resolver, clock: Clock) -> None:
        """Take the open stores, the clerk who marks and the resolver who knows people."""
        self._content = content
        self._keys = keys
        self._clerk = clerk
        self._resolver = resolver
        self._sealer = Sealer(keys)
        self._clock = clock

    async def take_in(self, batch: Sequence[Taken]) -> Outcome:
        """Commit a batch to both stores; on return all of it is safe, was there before, or was taken back.

        Raises ``StoreUnavailable`` where a store did not take it: nothing may be acknowledged then.
        """
        filing = self._clerk.file(batch)
        outcome = Outcome(duplicates=filing.duplicates, recalls=len(filing.recalls), removals=len(filing.recalls))
        rows: Sequence[Filed] = filing.rows
        recalls: Sequence[Filed] = filing.recalls
        for _ in range(_ATTEMPTS):
            if not rows and not recalls:
                break
            rows, suppressed = await self._resolver.sift(rows)
            outcome.suppressed += suppressed
            try:
                rows = await self._attempt(rows, recalls, outcome)
            except (KeyCurrentChanged, ScriptRefused):
                await self._resolver.forget()
                continue
            recalls = []
        else:
            raise StoreUnavailable(store="content")
        self._clerk.remember(Filing(filing.rows, filing.recalls))
        return outcome

    async def _attempt(self, rows: Sequence[Filed], recalls: Sequence[Filed], outcome: Outcome) -> list[Filed]:
        """Try to commit what is left of a batch; give the rows that must be judged anew."""
        now = self._clock.now()
        draft, sealed = None, Sealed()
        if rows:
            homes = await self._resolver.settle(rows, now)
            draft, sealed = await self._sealer.seal(rows, homes, now)
            await self._keys.commit(draft, now)
        steps = take_in_steps(sealed.messages, sealed.events, sealed.edits, now)
        for filed in recalls:
            steps += recall_steps(self._order(filed), now)
        try:
            results, whole = await write_batch(
                self._content, self._resolver.people_counter, steps, len(sealed.messages), len(sealed.events)
            )
        except ScriptRefused:
            if draft is not None:
                await discard_unused(self._keys, [row[0] for row in draft.row_rows], _drawn(draft), [draft.id])
            raise
        if draft is None:
            return []
        first_edit = bool(sealed.messages) + bool(sealed.events)
        missed = [edit.row for i, edit in enumerate(sealed.edits) if not results[first_edit + 2 * i + 1].changed]
        outcome.removals += len(sealed.edits) - len(missed)
        if whole and not missed:
            self._keys.settle(draft)
            outcome.stored += len(rows)
            return []
        return await self._judge(draft, sealed, missed, outcome, len(rows))

    def _order(self, filed: Filed) -> RecallOrder:
        """Order a recalled message removed."""
        return RecallOrder(
            log_entry=draw_opaque_id(self._keys.entropy),
            reason=filed.event.channel,
            mark=filed.message or b"",
            tombstone=filed.tombstone or b"",
            tombstone_version=self._clerk.tombstone_version,
            at=filed.event.at or filed.taken.received_at,
            notice=draw_opaque_id(self._keys.entropy),
        )

    async def _judge(
        self, draft: Draft, sealed: Sealed, missed: Sequence[MessageRow], outcome: Outcome, rows: int
    ) -> list[Filed]:
        """Find out what became of each row; discard keys that sealed nothing; give what must be tried again."""
        verdicts = await judge(
            self._content,
            [*sealed.messages, *missed],
            sealed.events,
            frozenset(edit.row.key for edit in sealed.edits),
        )
        unused = [key for key, verdict in verdicts.items() if verdict != "stored"]
        repeated = [row for row in sealed.messages if verdicts[row.key] == "duplicate"]
        if repeated:
            await self._content.run([first_seen_step(repeated)])
        await discard_unused(self._keys, unused, [], [draft.id])
        again: list[Filed] = []
        counts: dict[Verdict, int] = {"stored": rows - len(verdicts)}
        for key, verdict in verdicts.items():
            counts[verdict] = counts.get(verdict, 0) + 1
            if verdict == "again":
                again.append(sealed.filed[key])
            elif verdict == "foreign":
                again.append(msgspec.structs.replace(sealed.filed[key], as_event=True))
        outcome.stored += counts["stored"]
        outcome.duplicates += counts.get("duplicate", 0)
        outcome.tombstoned += counts.get("tombstoned", 0)
        outcome.foreign_edits += counts.get("foreign", 0)
        if counts.get("again"):
            await self._resolver.forget()
        return again


def _drawn(draft: Draft) -> list[str]:
    """Name the owners drawn for a draft."""
    return [row[1] for row in draft.owner_rows]
