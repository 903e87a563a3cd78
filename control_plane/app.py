"""A control plane, put together: which part is handed to which, in the order in which they start and stop."""

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from litestar.types import ASGIApp

from control_plane.http.nodes import NodeDoor
from control_plane.http.plane import Plane
from control_plane.http.private import private_app
from control_plane.http.public import public_app
from control_plane.metrics import Metrics
from control_plane.outgoing.sender import Sender
from control_plane.settings import load_settings
from control_plane.storage.rosters import StoredNonces
from control_plane.stores import Opened, initialise, open_stores
from control_plane.usecases.node_office import NodeOffice
from control_plane.usecases.roster_keeper import RosterKeeper
from control_plane.usecases.signals import Signals
from control_plane.usecases.telling import Teller
from control_plane.usecases.upkeep import Upkeep
from shared.addresses import read_host_port
from shared.crypto.signing import fingerprint
from shared.errors import HomeportError

__all__ = ["ControlPlane", "initialise", "open_control_plane", "open_stores"]


class ControlPlane:
    """One process of a control plane, at work."""

    def __init__(self, opened: Opened) -> None:
        """Take what lies open."""
        store, settings = opened.store, opened.settings
        metrics = Metrics()
        nonces = StoredNonces(store.database)
        self._store = store
        self._signals = Signals(store.clock)
        store.told = self._signals.told
        self._keeper = RosterKeeper(store, settings.address, opened.keys.public)
        self._upkeep = Upkeep(store, nonces, self._signals, metrics)
        allowed = frozenset(map(read_host_port, settings.hooks.allow))
        sender = Sender(allowed, settings.hooks.answer_seconds_max)
        self._teller = Teller(store, sender, opened.mint_key, settings.hooks, self._signals, metrics)
        plane = Plane(
            settings=settings,
            store=store,
            keeper=self._keeper,
            signals=self._signals,
            metrics=metrics,
            mint_key=opened.mint_key,
            fingerprint=fingerprint(opened.keys.public),
            allowed=allowed,
        )
        office = NodeOffice(store, self._keeper, self._signals, metrics, opened.keys)
        door = NodeDoor(office, self._keeper, nonces, opened.keys, settings.address, metrics, store.clock)
        self.apps: dict[str, ASGIApp] = {
            "public": public_app(door, plane),
            "private": private_app(metrics, self.unready),
        }

    async def start(self) -> None:
        """Begin to work."""
        await self._keeper.open()
        self._upkeep.start()
        self._teller.start()

    async def step_back(self) -> None:
        """Leave background work to another process; long polls and streams end, so that nodes and programs ask anew."""
        self._signals.close()
        await self._teller.stop()
        await self._upkeep.stop()

    async def stop(self) -> None:
        """End in the reverse order of the start."""
        await self.step_back()
        await self._keeper.close()

    async def unready(self) -> dict[str, str]:
        """Give the parts that would keep a case from being taken, with the error's code."""
        try:
            async with self._store.database.read() as t:
                await t.fetch("SELECT 1")
        except HomeportError as error:
            return {"store": error.code}
        return {}


@asynccontextmanager
async def open_control_plane(settings_path: Path) -> AsyncIterator[ControlPlane]:
    """Open a control plane from its settings, serve inside the block, drain and close after it."""
    async with open_stores(load_settings(settings_path, os.environ)) as opened:
        plane = ControlPlane(opened)
        await plane.start()
        try:
            yield plane
        finally:
            await plane.stop()
