"""Open views kept up to date: what came since is shown, what was edited is shown in its new words and not in the old.

The asking node asks, again and again while a view is open: nothing has to reach it, and a node that it cannot reach
holds up no other's views.
"""

import asyncio
from collections.abc import Sequence

from edge_node.storage.content.leases import Lease
from edge_node.storage.content.view_news import open_views
from edge_node.storage.content.views import View
from edge_node.usecases.leased import LeasedWork
from edge_node.usecases.views.viewing import Viewer
from shared.clock import Clock
from shared.database.contract import Database
from shared.errors import HomeportError
from shared.telemetry import logger

FOLLOW_SECONDS = 2.0
LEASE_MILLISECONDS = 30_000
BACKOFF_SECONDS_MAX = 60.0
VIEWS_MAX = 200
"""Open views that are kept up to date; those opened after them show what they showed when they were opened."""


class ViewFollower(LeasedWork):
    """Runs under a lease, so that one process of a region does it."""

    name = "view-follower"

    def __init__(self, content: Database, viewer: Viewer, lease: Lease, clock: Clock) -> None:
        """Take the content store, what brings a view up to date, and the lease."""
        self._content = content
        self._viewer = viewer
        super().__init__(lease)
        self._clock = clock
        self._waits: dict[str, tuple[float, float]] = {}
        """By node that failed and by view that was refused: how long it waits, and until when (seconds)."""

    async def once(self) -> None:
        """Bring every open view up to date that can be; nothing where another process has the lease."""
        now = self._clock.now()
        views = await open_views(self._content, now, VIEWS_MAX)
        known = {view.id for view in views} | {view.node for view in views}
        self._waits = {name: wait for name, wait in self._waits.items() if name in known}
        if not views or not await self._lease.hold(now):
            return
        by_node: dict[str, list[View]] = {}
        for view in views:
            by_node.setdefault(view.node, []).append(view)
        await asyncio.gather(*(self._follow(node, of_node) for node, of_node in by_node.items()))

    async def _follow(self, node: str, views: Sequence[View]) -> None:
        """Bring the views of one node up to date, one after the other; after a failure it is left alone for a while."""
        for view in views:
            if self._waiting(node) or self._waiting(view.id):
                continue
            try:
                shown = await self._viewer.follow(view)
            except HomeportError as error:
                logger().info("views_not_followed", code=error.code)
                self._put_off(node)
                return
            except Exception as error:  # noqa: BLE001 - whatever a node's answer does, the others' views go on
                logger().error("alert_views_not_followed", error=type(error).__name__, code="unforeseen")
                self._put_off(node)
                return
            self._waits.pop(node, None)
            if shown:
                self._waits.pop(view.id, None)
            else:
                self._put_off(view.id)

    def _waiting(self, name: str) -> bool:
        """Say whether a node or view is left alone now."""
        return self._clock.elapsed() < self._waits.get(name, (0.0, 0.0))[1]

    def _put_off(self, name: str) -> None:
        """Leave a node or view alone, each time for twice as long."""
        wait = min(max(2 * self._waits.get(name, (0.0, 0.0))[0], FOLLOW_SECONDS), BACKOFF_SECONDS_MAX)
        self._waits[name] = (wait, self._clock.elapsed() + wait)

    async def _work(self) -> None:
        """Look, wait, and again."""
        while True:
            try:
                await self.once()
            except HomeportError as error:
                logger().error("alert_views_not_followed", error=type(error).__name__, code=error.code)
            await self._clock.sleep(FOLLOW_SECONDS)
