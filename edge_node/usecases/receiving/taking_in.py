"""One batch, from events to two synced stores: resolve, draw keys, seal, keys first, then content, then judge.

This page is the order of DESIGN's commit: the keys are committed with an intent that names what they are for; the
content is inserted only where its subject lives and no tombstone names it; whatever was not inserted is judged again
before anyone is told that it is safe.

Several batches may be under way (the committer's, and a reply that was sent): they look people up one after the other.
"""

import asyncio
from collections import Counter
from collections.abc import Sequence

import msgspec

from edge_node.storage.content.displacing import release_steps
from edge_node.storage.content.head import turn
from edge_node.storage.content.messages import Replacing, Verdict, first_seen_step, judge, take_in_steps, write_batch
from edge_node.storage.content.removals import RecallOrder, recall_steps
from edge_node.storage.keys.destruction import discard_unused
from edge_node.storage.keys.draft import Draft
from edge_node.storage.keys.store import KeyStore
from edge_node.usecases.receiving.displacing import Displacer
from edge_node.usecases.receiving.filing import Clerk, Filed, Taken
from edge_node.usecases.receiving.resolving import Resolver
from edge_node.usecases.receiving.sealing import Sealed, Sealer
from shared.clock import Clock
from shared.database.contract import Database, ScriptRefused, Step, StepResult
from shared.entropy import Entropy
from shared.errors import KeyCurrentChanged, KeyMissing, StoreUnavailable
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


class _Left(msgspec.Struct):
    """What is left of a batch to commit."""

    rows: list[Filed]
    recalls: list[Filed]
    released: list[bytes] = msgspec.field(default_factory=list)
    """Marks of events that go because their edits are in their messages now."""


class _Prepared(msgspec.Struct):
    """An attempt whose keys are committed: what to write, and what that was decided by."""

    draft: Draft | None
    sealed: Sealed
    people: int
    """The counter of closed identities at which the people of the rows were looked up."""
    now: int


class TakingIn:
    """Takes batches in."""

    def __init__(self, content: Database, keys: KeyStore, clerk: Clerk, resolver: Resolver, clock: Clock) -> None:
        """Take the open stores, the clerk who marks and the resolver who knows people."""
        self._content = content
        self._keys = keys
        self._clerk = clerk
        self._resolver = resolver
        self._sealer = Sealer(keys)
        self._displacer = Displacer(content, keys, clerk)
        self._clock = clock
        self._turn = asyncio.Lock()
        # What is remembered of people is dropped in a turn only: a settling relies on it to its end.
        self._outdated = False

    def look_again(self) -> None:
        """Drop what is remembered of people before the next batch: it changed in a way that no counter tells."""
        self._outdated = True

    async def take_in(self, batch: Sequence[Taken]) -> Outcome:
        """Commit a batch to both stores; on return all of it is safe, was there before, or was taken back.

        Raises ``StoreUnavailable`` where a store did not take it: nothing may be acknowledged then.
        """
        filing = self._clerk.file(batch)
        outcome = Outcome(duplicates=filing.duplicates, recalls=len(filing.recalls), removals=len(filing.recalls))
        left, looked_again = _Left(filing.rows, filing.recalls), False
        for _ in range(_ATTEMPTS):
            if not left.rows and not left.recalls:
                break
            try:
                async with self._turn, self._keys.turn:
                    prepared = await self._prepare(left, outcome)
                left = await self._write(prepared, left, outcome)
            except KeyCurrentChanged:
                continue  # keys are drawn anew; nothing was said of people
            except ScriptRefused:
                self._outdated = True
            except KeyMissing:
                # Whoever is remembered here may have been erased since; only a key that is still missing is a fault.
                if looked_again:
                    raise
                looked_again = self._outdated = True
        else:
            raise StoreUnavailable(store="content")
        self._clerk.remember(filing)
        return outcome

    async def _prepare(self, left: _Left, outcome: Outcome) -> _Prepared:
        """Leave out whom nothing may be kept of, seal the rest, and commit its keys."""
        if self._outdated:
            self._outdated = False
            try:
                await self._resolver.forget()
            except BaseException:  # whatever it was, what is remembered is still old
                self._outdated = True
                raise
        rows, suppressed = await self._resolver.sift(left.rows)
        left.rows = list(rows)
        outcome.suppressed += suppressed
        now = self._clock.now()
        if not left.rows:
            return _Prepared(None, Sealed(), self._resolver.people_counter, now)
        homes = await self._resolver.settle(left.rows, now)
        people = self._resolver.people_counter
        draft, sealed = await self._sealer.seal(left.rows, homes, now)
        await self._keys.commit(draft, now)
        return _Prepared(draft, sealed, people, now)

    async def _write(self, prepared: _Prepared, left: _Left, outcome: Outcome) -> _Left:
        """Commit the content whose keys are committed; give what must be tried anew."""
        draft, sealed, now = prepared.draft, prepared.sealed, prepared.now
        steps = take_in_steps(sealed.messages, sealed.events, sealed.edits, sealed.displacing, now)
        taking = len(steps)
        steps += self._other_steps(left, now)
        inserted = (len(sealed.messages), len(sealed.events))
        try:
            results, whole = await write_batch(
                self._content, prepared.people, draft.id if draft else 0, steps, inserted
            )
        except ScriptRefused:
            await self._discard(draft)
            raise
        if draft is None:
            return _Left([], [])
        missed = self._missed(sealed, results[:taking])
        outcome.removals += len(sealed.edits) + len(sealed.displacing) - len(missed) + len(left.released)
        if whole and not missed:
            self._keys.settle(draft)
            outcome.stored += len(left.rows)
            return _Left([], [])
        return await self._judge(draft, sealed, missed, outcome, len(left.rows))

    def _other_steps(self, left: _Left, now: int) -> list[Step]:
        """Give the statements that insert no row: recalls, and events let go."""
        steps: list[Step] = []
        for mark in left.released:
            steps += release_steps(draw_opaque_id(self._keys.entropy), mark, now)
        for filed in left.recalls:
            steps += recall_steps(recall_order(filed, self._clerk.tombstone_version, self._keys.entropy), now)
        return steps

    def _missed(self, sealed: Sealed, results: Sequence[StepResult]) -> list[Replacing]:
        """Give the rows that were to replace another one or be inserted, and did neither."""
        replacing = [*sealed.displacing, *sealed.edits]
        took = results[len(results) - 2 * len(replacing) :][1::2]
        return [each for each, result in zip(replacing, took, strict=True) if not result.changed]

    async def _discard(self, draft: Draft | None) -> None:
        """Remove the keys of a commit that was refused.

        A day's key may be another process's by now, so it stays, and with it the intent by which a sweep finds it.
        """
        if draft is not None:
            intents = [] if draft.owner_rows else [draft.id]
            await discard_unused(self._keys, [row[0] for row in draft.row_rows], [], intents)

    async def _judge(
        self, draft: Draft, sealed: Sealed, missed: Sequence[Replacing], outcome: Outcome, rows: int
    ) -> _Left:
        """Find out what became of each row; discard keys that sealed nothing; give what must be tried again."""
        asked = {row.key: row for row in (*sealed.messages, *(each.row for each in missed))}
        verdicts = await judge(self._content, asked.values(), sealed.events)
        repeated = [asked[key] for key, verdict in verdicts.items() if verdict == "duplicate" and key in asked]
        originals = [row for row in repeated if not row.edited_at]
        if originals:
            await self._content.run([turn(self._content), first_seen_step(originals)])
        unused = [key for key, verdict in verdicts.items() if verdict != "stored"]
        await discard_unused(self._keys, unused, [], [draft.id])
        counts: Counter[Verdict] = Counter(verdicts.values())
        outcome.stored += rows - len(verdicts) + counts["stored"]
        outcome.duplicates += counts["duplicate"]
        outcome.tombstoned += counts["tombstoned"]
        outcome.foreign_edits += counts["foreign"]
        left = _Left([], [])
        for key, verdict in verdicts.items():
            filed = sealed.filed[key]
            if verdict == "again":
                left.rows.append(filed)
            elif verdict in {"foreign", "beside"}:
                left.rows.append(msgspec.structs.replace(filed, as_event=True))
            elif verdict == "displaces":
                displacement = await self._displacer.displace(filed, asked[key].subject)
                left.rows += displacement.filed
                left.released += displacement.released
        if counts["again"]:
            self._outdated = True
        return left


def recall_order(filed: Filed, tombstone_version: int, entropy: Entropy) -> RecallOrder:
    """Order a recalled message removed."""
    return RecallOrder(
        log_entry=draw_opaque_id(entropy),
        reason=filed.event.channel,
        mark=filed.message or b"",
        tombstone=filed.tombstone or b"",
        tombstone_version=tombstone_version,
        at=filed.event.at or filed.taken.received_at,
        notice=draw_opaque_id(entropy),
    )
