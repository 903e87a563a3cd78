"""The roster in force at this node: believed by its officers' signatures alone, kept, replaced only by a later one.

The root is pinned at enrolment.  From then on a roster is accepted if the officers in force signed it; whoever brings
it, the control plane included, adds nothing to that.  Versions that were missed are taken one after the other.
"""

from collections.abc import Awaitable, Callable

from edge_node.storage.content.uplink import UplinkStore
from edge_node.uplink.client import Answered
from shared import canonical
from shared.clock import Clock
from shared.errors.uplink import NotEnrolled
from shared.roster import Roster, SignedRoster, accept, accept_first, read_signed
from shared.telemetry import logger


class RosterInForce:
    """What every part of a node that asks "who is that?" is given."""

    def __init__(self, store: UplinkStore, clock: Clock) -> None:
        """Take where rosters are kept; :meth:`load` reads the newest."""
        self._store, self._clock = store, clock
        self._roster: Roster | None = None

    def current(self) -> Roster:
        """Give the roster in force; ``NotEnrolled`` where there is none."""
        if self._roster is None:
            raise NotEnrolled
        return self._roster

    @property
    def version(self) -> int:
        """Give the version in force, 0 where there is none."""
        return self._roster.version if self._roster is not None else 0

    async def load(self) -> bool:
        """Read the newest roster that was kept, also one that another process has accepted; say if there is one."""
        body = await self._store.roster()
        if body is not None:
            roster = read_signed(body).roster
            if self._roster is None or roster.version > self._roster.version:
                self._roster = roster
        return self._roster is not None

    async def accept(self, candidate: SignedRoster, root: str) -> Roster:
        """Accept a roster by the one in force, or where there is none by the pinned root; a named refusal else."""
        await self.load()
        before = self._roster
        roster = accept_first(root, candidate) if before is None else accept(before, candidate)
        if before is None or roster.version > before.version:
            await self._store.keep_roster(roster.version, canonical.encode(candidate), self._clock.now())
            self._roster = roster
            logger().info("roster_accepted", version=roster.version)
        return roster

    async def catch_up(self, ask: Callable[[int], Awaitable[Answered]], root: str) -> Roster:
        """Accept every roster after the one in force, one by one in order, until there is no later one.

        Officers may have changed more than once meanwhile, so that only the next roster is signed by those whom this
        node knows.  ``ask`` gives the answer with the first roster after a version, or with the newest.  The officers'
        signatures decide; only the last answer's own is checked, by the keys that the last roster names:
        ``AnswerRefused`` where the control plane did not give it.
        """
        while True:
            before = self.version
            answered = await ask(before)
            roster = await self.accept(read_signed(answered.body), root)
            if roster.version <= before:
                answered.verify(roster.control_plane.keys.ed25519)
                return roster
