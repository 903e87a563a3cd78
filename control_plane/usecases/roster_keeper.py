"""The roster in force, in memory: whose signature counts; read again within a second of a change."""

import asyncio
import contextlib

from control_plane.core.errors import RosterMissing, RosterNamesOther, RosterRefused
from control_plane.core.events import EventData
from control_plane.storage import nodes, rosters
from control_plane.storage.work import Store
from control_plane.usecases.casework import follow_roster
from shared.crypto.dsse import Envelope
from shared.crypto.signing import PublicKeys, fingerprint
from shared.errors import HomeportError, OperatorError
from shared.errors.trust import SignatureInvalid
from shared.roster.model import Roster, SignedRoster
from shared.roster.rules import accept, accept_first
from shared.telemetry import logger
from shared.wire import Receipt, open_receipt

LOOK_SECONDS = 1.0
"""How often a process looks whether another one has put a roster in force or barred a node."""


class RosterKeeper:
    """Answers whose keys count now."""

    def __init__(self, store: Store, address: str, own: PublicKeys) -> None:
        """Take the store, and the address and keys by which a roster must name this control plane."""
        self._store = store
        self._address = address
        self._own = own
        self._signed: SignedRoster | None = None
        self._barred: frozenset[str] = frozenset()
        self._looking = asyncio.Lock()
        self._task: asyncio.Task[None] | None = None

    async def open(self) -> None:
        """Read the roster, and keep looking for changes."""
        await self.refresh()
        self._task = asyncio.create_task(self._watch(), name="roster-keeper")

    async def close(self) -> None:
        """Stop looking."""
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task

    @property
    def signed(self) -> SignedRoster | None:
        """The roster in force with its signatures."""
        return self._signed

    async def following(self, after: int) -> SignedRoster:
        """Give the first roster after a version, for a program that was away while officers changed.

        The one in force where there is none; ``RosterMissing`` before there is any.  Another process may have put it
        in force: whoever is told of it here is known by it here from then on.
        """
        async with self._store.database.read() as t:
            found = await rosters.following(t, after)
        if found is None:
            raise RosterMissing
        if self._signed is None or found.roster.version > self._signed.roster.version:
            await self.refresh()
        return found

    @property
    def roster(self) -> Roster:
        """The roster in force; ``RosterMissing`` where there is none."""
        if self._signed is None:
            raise RosterMissing
        return self._signed.roster

    def key_of(self, node: str) -> bytes | None:
        """Give the Ed25519 key of a node that may speak: active in the roster, and not barred here."""
        if self._signed is None or node in self._barred:
            return None
        found = self._signed.roster.active(node)
        return found.keys.ed25519 if found else None

    def barred(self, node: str) -> bool:
        """Say whether a node is refused here, whatever the roster says."""
        return node in self._barred

    def open_receipt(self, node: str, envelope: Envelope) -> Receipt:
        """Give a receipt that ``node`` signed, else ``SignatureInvalid``; keys it gave up sign for their own time."""
        found = self.roster.active(node)
        if found is None:
            raise SignatureInvalid
        ways = [(found.keys, None), *((each.keys, each.until) for each in found.former)]
        for keys, until in ways:
            public = PublicKeys(keys.ed25519, keys.mldsa65)
            with contextlib.suppress(SignatureInvalid):
                receipt = open_receipt(envelope, public)
                if until is None or receipt.finished_at <= until:
                    return receipt
        raise SignatureInvalid

    async def put(self, candidate: SignedRoster, *, root: str | None = None) -> Roster:
        """Put a roster in force; ``root`` is the officers' fingerprint, asked of the first one only.

        ``RosterRefused`` with the reason's code, ``RosterNamesOther``.
        """
        plane = candidate.roster.control_plane
        if plane.address != self._address or fingerprint(plane.keys) != fingerprint(self._own):
            raise RosterNamesOther
        async with self._store.work() as work:
            pinned = await rosters.newest(work.t)
            try:
                if pinned is not None:
                    roster = accept(pinned.roster, candidate)
                elif root is not None:
                    roster = accept_first(root, candidate)
                else:
                    raise RosterRefused(reason="the first needs the root's fingerprint")
            except OperatorError as error:
                raise RosterRefused(reason=error.code) from None
            if pinned is None or roster.version > pinned.roster.version:
                await rosters.add(work.t, candidate, work.now)
                await follow_roster(work)
                await work.tell("roster.accepted", EventData(version=roster.version))
        await self.refresh()
        return roster

    async def refresh(self) -> None:
        """Read what has changed; one look after the other, so that none brings back what an earlier one saw."""
        async with self._looking, self._store.database.read() as t:
            have = self._signed.roster.version if self._signed is not None else -1
            if await rosters.version(t) != have:
                self._signed = await rosters.newest(t)
            self._barred = await nodes.barred(t)

    async def _watch(self) -> None:
        """Look every second; what cannot be read keeps the roster that was."""
        while True:
            await self._store.clock.sleep(LOOK_SECONDS)
            try:
                await self.refresh()
            except HomeportError as error:
                logger().error("alert_roster_unreadable", error=type(error).__name__, code=error.code)
