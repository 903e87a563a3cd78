"""This node's place in its company, as its stores hold it: read at the start, and again within seconds of a change."""

import asyncio
import contextlib

from edge_node.storage.content.uplink import UplinkStore
from edge_node.storage.identity import NodeIdentity
from edge_node.usecases.company.members import Self
from shared.clock import Clock
from shared.errors import HomeportError
from shared.roster import Roster, read_signed
from shared.telemetry import logger

LOOK_SECONDS = 1.0
"""How often a process looks whether a roster was accepted, by itself or by another process."""


class Membership:
    """A :class:`~edge_node.usecases.company.members.Company` over enrolment and rosters that were accepted and kept."""

    def __init__(self, store: UplinkStore, identity: NodeIdentity, clock: Clock) -> None:
        """Take where enrolment and rosters are kept, and the node's keys."""
        self._store = store
        self._identity = identity
        self._clock = clock
        self._self: Self | None = None
        self._roster: Roster | None = None
        self._task: asyncio.Task[None] | None = None

    def self(self) -> Self | None:
        """Give this node's name and keys; ``None`` while it is not enrolled."""
        return self._self

    def roster(self) -> Roster | None:
        """Give the roster in force; ``None`` while there is none."""
        return self._roster

    async def open(self) -> None:
        """Read what is kept, and keep looking."""
        await self.refresh()
        self._task = asyncio.create_task(self._watch(), name="membership")

    async def close(self) -> None:
        """Stop looking."""
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task

    async def refresh(self) -> None:
        """Read enrolment and roster anew."""
        if self._self is None:
            enrolled = await self._store.load()
            if enrolled is None:
                return
            self._self = Self(enrolled.node, self._identity.signing, self._identity.sealing)
        in_force = self._roster.version if self._roster is not None else 0
        if await self._store.roster_version() > in_force:
            body = await self._store.roster()
            self._roster = read_signed(body).roster if body is not None else None

    async def _watch(self) -> None:
        """Look again and again; what cannot be read keeps what was."""
        while True:
            await self._clock.sleep(LOOK_SECONDS)
            try:
                await self.refresh()
            except HomeportError as error:
                logger().error("alert_roster_unreadable", error=type(error).__name__, code=error.code)
