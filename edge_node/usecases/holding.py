"""Placing and releasing holds at this node.

Each is an entry in the node's own log; what a release resumes is ordered with it, in one transaction, and carried out
by the remover.
"""

from collections.abc import Collection

from edge_node.core.keeping import Hold, Removal
from edge_node.storage.content.holds import Listed, Placing, list_holds, place_hold, release_hold
from shared.clock import Clock
from shared.database.contract import Database
from shared.entropy import Entropy
from shared.errors.keeping import HoldTooLate, HoldUnknown
from shared.errors.uplink import SubjectUnknown
from shared.ids import draw_opaque_id


class Holder:
    """Places, releases and lists the holds of a node."""

    def __init__(self, content: Database, clock: Clock, entropy: Entropy) -> None:
        """Take the open content store."""
        self._content = content
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
        nobody of that pseudonym is here, ``HoldTooLate`` where their erasure is being carried out.
        """
        whole = Hold()
        hold = Hold(
            frozenset(beats),
            whole.from_at if from_at is None else from_at,
            whole.until_at if until_at is None else until_at,
        )
        placing = Placing(draw_opaque_id(self._entropy), pseudonym, hold, reason, review_at)
        outcome = await place_hold(self._content, placing, self._clock.now())
        if outcome == "unknown":
            raise SubjectUnknown
        if outcome == "too_late":
            raise HoldTooLate
        return placing.id

    async def release(self, hold: str) -> None:
        """Release a hold; what it stopped goes on by itself.  ``HoldUnknown`` where none of that id stands."""
        if not await release_hold(self._content, hold, draw_opaque_id(self._entropy), self._clock.now()):
            raise HoldUnknown

    async def list(self) -> list[Listed]:
        """Give every hold, the oldest first, with what waits under it."""
        return await list_holds(self._content)
