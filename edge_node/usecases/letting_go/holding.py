"""Placing and releasing holds at this node.

Each is an entry in the node's own log; what a release resumes is ordered with it, in one transaction, and carried out
by the remover.  The law bounds what a hold stops, and is named with it; one that no law is known for holds all the same
(:mod:`edge_node.core.duties`).

A hold is in the journal before it stands, and its release after: of a restored store too much may be held, which is
seen, never too little.
"""

import asyncio
from collections.abc import Collection

from edge_node.core.duties import backing_of
from edge_node.core.keeping import Hold, Removal
from edge_node.storage.content.holds import Actor, Listed, Placing, laws_of, list_holds, may_hold, place_hold
from edge_node.storage.content.resuming import release_hold
from edge_node.storage.journal import HoldLine, Journal, JournalEntry
from edge_node.usecases.governing.policy_book import PolicyBook
from shared.clock import Clock
from shared.database.contract import Database
from shared.entropy import Entropy
from shared.errors import StoreUnavailable
from shared.errors.keeping import HoldTooLate, HoldUnfounded, HoldUnknown, JournalUnwritable
from shared.errors.uplink import SubjectUnknown
from shared.ids import draw_opaque_id


class Holder:
    """Places, releases and lists the holds of a node."""

    def __init__(self, content: Database, journal: Journal, policy: PolicyBook, clock: Clock, entropy: Entropy) -> None:
        """Take the open content store, the journal and the policy in force."""
        self._policy = policy
        self._content = content
        self._journal = journal
        self._clock = clock
        self._entropy = entropy

    async def place(
        self,
        pseudonym: str,
        *,
        reason: str,
        review_at: int,
        beats: Collection[Removal],
        from_at: int | None = None,
        until_at: int | None = None,
    ) -> str:
        """Place a hold on a person's messages and events, those that come later among them; give its id.

        ``from_at`` and ``until_at`` (ms, both within) bound it to what was said between them.  ``SubjectUnknown`` where
        nobody of that pseudonym is here, ``HoldTooLate`` where their erasure is being carried out, ``HoldUnfounded``
        where the law here knows no such restriction, or lets a hold stop nothing of ``beats``.
        """
        now, whole = self._clock.now(), Hold()
        laws = self._policy.laws_with(await laws_of(self._content, pseudonym))
        backing = backing_of(self._policy.tables, laws, reason, beats, now)
        if backing is None or not backing.stops:
            raise HoldUnfounded
        hold = Hold(
            backing.stops,
            whole.from_at if from_at is None else from_at,
            whole.until_at if until_at is None else until_at,
        )
        asked = tuple(sorted(beats))
        placing = Placing(draw_opaque_id(self._entropy), pseudonym, hold, reason, review_at, backing, asked)
        outcome = await may_hold(self._content, pseudonym)
        if outcome == "placed":
            await self._note("hold", _line_of(placing), draw_opaque_id(self._entropy), now)
            outcome = await place_hold(self._content, placing, now)
        if outcome == "unknown":
            raise SubjectUnknown
        if outcome == "too_late":
            raise HoldTooLate
        return placing.id

    async def release(self, hold: str, actor: Actor = "operator") -> None:
        """Release a hold; what it stopped goes on by itself.  ``HoldUnknown`` where none of that id stands."""
        now, resumed = self._clock.now(), draw_opaque_id(self._entropy)
        if not await release_hold(self._content, hold, resumed, now, actor):
            raise HoldUnknown
        await self._note(
            "unhold", HoldLine(hold), resumed, now, reason="released; a restored backup would hold it again"
        )

    async def _note(self, act: str, line: HoldLine, entry: str, now: int, reason: str = "nothing was done") -> None:
        """Write it down at the second place."""
        note = JournalEntry(log_entry=entry, act=act, reason="operator", ordered_at=now, hold=line)
        try:
            await asyncio.to_thread(self._journal.append, [note])
        except StoreUnavailable:
            raise JournalUnwritable(path=str(self._journal.path), reason=reason) from None

    async def list(self) -> list[Listed]:
        """Give every hold, the oldest first, with what waits under it."""
        return await list_holds(self._content)


def _line_of(placing: Placing) -> HoldLine:
    """Write a hold as the journal has it."""
    hold, backing = placing.hold, placing.backing
    return HoldLine(
        placing.id,
        placing.pseudonym,
        hold.from_at,
        hold.until_at,
        placing.reason,
        placing.review_at,
        tuple(sorted(hold.beats)),
        placing.asked if set(placing.asked) != hold.beats else (),
        backing.kind,
        backing.keeps,
        backing.duty,
        backing.article,
        backing.kinds,
        backing.ends_at,
    )
