"""Small work that views need: end those whose time is over, tell other nodes of those that are gone, forget."""

import contextlib

from edge_node.storage.content.leases import Lease
from edge_node.storage.content.views import Views
from edge_node.usecases.company.members import Company, Peers, member
from edge_node.usecases.governing.border import Border
from edge_node.usecases.leased import LeasedWork
from edge_node.usecases.views.viewing import Viewer
from shared import wire
from shared.clock import DAY, Clock
from shared.errors import HomeportError
from shared.errors.relay import ViewUnknown
from shared.telemetry import logger
from shared.wire.types import PurposeCode

LOOK_SECONDS = 1.0
LEASE_MILLISECONDS = 15_000
TELL_SECONDS_MAX = 5.0
BACKOFF_SECONDS_MAX = 60.0
GIVE_UP_MS = 30 * DAY
"""A node that was away for so long is not told any more that its copies are gone."""
REMEMBER_MS = 7 * DAY
"""What was retracted is kept out for so long; whatever was shown for it is answered within seconds or never."""


class ViewKeeper(LeasedWork):
    """Runs under a lease, so that one process of a region does it."""

    name = "view-keeper"

    def __init__(
        self,
        views: Views,
        viewer: Viewer,
        company: Company,
        peers: Peers,
        border: Border,
        lease: Lease,
        clock: Clock,
    ) -> None:
        """Take the stored views, what closes them, what asks other nodes and the policy, and the lease."""
        self._views = views
        self._viewer = viewer
        self._company, self._peers, self._border = company, peers, border
        super().__init__(lease)
        self._clock = clock
        self._waits: dict[str, tuple[float, float]] = {}
        self._forgot_at = 0

    async def once(self) -> int:
        """Do what is to be done; give how many views were closed or told, 0 where another process has the lease."""
        now = self._clock.now()
        ended, emptied = await self._views.ended(now), await self._views.emptied()
        if not ended and not emptied and now - self._forgot_at < REMEMBER_MS // 7:
            return 0
        if not await self._lease.hold(now):
            return 0
        done = 0
        for view in ended:
            with contextlib.suppress(ViewUnknown):
                await self._viewer.close(view)
                done += 1
        for view, node, closed_at, purpose in emptied:
            if not node or now - closed_at > GIVE_UP_MS or await self._tell(view, node, purpose):
                await self._views.forget(view)
                done += 1
        if now - self._forgot_at >= REMEMBER_MS // 7:
            await self._views.forget_retractions(now - REMEMBER_MS)
            self._forgot_at = now
        return done

    async def _tell(self, view: str, node: str, purpose: PurposeCode) -> bool:
        """Tell a node that what it showed is gone; after a failure that node is left alone for a while."""
        wait, until = self._waits.get(node, (0.0, 0.0))
        if self._clock.elapsed() < until:
            return False
        told = self._may_tell(node, purpose)
        if told:
            message = wire.ViewClosed(protocol=wire.PROTOCOL, view=view)
            try:
                answer = await self._peers.ask(node, message, TELL_SECONDS_MAX)
            except HomeportError:
                told = False
            else:
                told = isinstance(answer, wire.ViewNoted) and answer.view == view
        if told:
            self._waits.pop(node, None)
        else:
            wait = min(max(2 * wait, LOOK_SECONDS), BACKOFF_SECONDS_MAX)
            self._waits[node] = (wait, self._clock.elapsed() + wait)
        return told

    def _may_tell(self, node: str, purpose: PurposeCode) -> bool:
        """Say whether the policy lets the node be told; one that is in no roster is asked, and does not answer."""
        here = member(self._company)
        peer = here.other(node) if here is not None else None
        if peer is None:
            return True
        law = self._border.law_there(peer.region)
        return self._border.ask(wire.ViewClosed, peer.region, law, purpose=purpose).allowed

    async def _work(self) -> None:
        """Look, wait, and again."""
        while True:
            try:
                await self.once()
            except HomeportError as error:
                logger().error("alert_views_not_kept", error=type(error).__name__, code=error.code)
            await self._clock.sleep(LOOK_SECONDS)
