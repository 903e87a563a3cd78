"""The policy follows what officers publish.

The control plane says which bundle is the newest and hands over what is missing; the officers' signatures decide.

What the control plane states (a head) keeps the node fresh if it names the bundle in force, and is fetched if it names
a later one: every version after the one in force, in order, each taken over or refused by itself.  A refusal leaves
the bundle in force, is raised again and again without asking, and tried anew after a while, with a later roster, or
with another bundle: what is refused costs a comparison each time.

That is a loop of its own: taking a bundle over may take many seconds, and beats go on meanwhile.
"""

import asyncio
from typing import NamedTuple

from edge_node.core.governing import check_head
from edge_node.storage.content.policies import Kept, PolicyStore
from edge_node.uplink.client import ControlClient
from edge_node.uplink.roster import RosterInForce
from edge_node.usecases.governing.policy_taking import take_over
from shared import wire
from shared.clock import Clock
from shared.crypto.dsse import Envelope
from shared.errors import HomeportError, OperatorError
from shared.errors.policy import BundleOlder
from shared.policy.bundling import SignedBundle, read_bundle
from shared.telemetry import logger

AGAIN_MILLISECONDS = 600_000
"""So long after it was refused a bundle is tried again unasked: a clock may have been mended."""


class _Refused(NamedTuple):
    """What was refused: which bundle, after which one, by which roster; when, and why."""

    what: tuple[str, int, int]
    at: int
    error: OperatorError


class PolicyFollower:
    """Hears heads, fetches bundles and takes them over."""

    def __init__(self, store: PolicyStore, roster: RosterInForce, clock: Clock) -> None:
        """Take the store of bundles and whom to believe."""
        self._store, self._roster, self._clock = store, roster, clock
        self._told: Envelope | None = None
        self._head: wire.Head | None = None
        self._unheard: HomeportError | None = None
        self._refused: _Refused | None = None

    def told(self, head: Envelope) -> None:
        """Take what a beat was answered; :meth:`round` looks at it."""
        self._told = head

    async def round(self, client: ControlClient) -> None:
        """Hear what was told, and take over what is missing; a named refusal while something is refused."""
        if self._told is not None:
            envelope, self._told = self._told, None
            await self._hear(envelope)
        if self._unheard is not None:
            raise _again(self._unheard)
        if self._head is not None:
            await self._follow(client, self._head, await self._store.newest())

    async def _hear(self, envelope: Envelope) -> None:
        """Note what the control plane states, or why it is not believed: until it states something better."""
        last, kept = await self._store.stated(), await self._store.newest()
        self._head = self._unheard = None
        try:
            head = wire.open_head(envelope, self._roster.current().control_plane.keys)
            in_force = (kept.version, kept.hash) if kept is not None else None
            check_head(head, last.stated_at if last is not None else None, in_force, self._clock.now())
        except HomeportError as error:
            self._unheard = error
            return
        await self._store.heard(head.version, head.hash, head.stated_at)
        self._head = head

    async def _follow(self, client: ControlClient, head: wire.Head, kept: Kept | None) -> None:
        """Take over what is missing, unless that was refused a moment ago."""
        version = kept.version if kept is not None else 0
        if version >= head.version:
            return
        what, now = (head.hash, version, self._roster.version), self._clock.now()
        if self._refused is not None and self._refused.what == what and now < self._refused.at + AGAIN_MILLISECONDS:
            raise _again(self._refused.error)
        try:
            await self._catch_up(client, version, head.version)
        except OperatorError as error:
            self._refused = _Refused(what, now, error)
            raise

    async def _catch_up(self, client: ControlClient, version: int, newest: int) -> None:
        """Take every version after the one in force over, in order; the last one's refusal counts.

        Without any bundle the newest one is tried first: nothing is decided yet that the ones before it would explain.
        One on the way may be refused, as officers who signed it have left since; the next is compared with the one in
        force then.
        """
        if version == 0 and newest > 1 and await self._take(await self._fetch(client, newest - 1)) is None:
            return
        refusal, after = None, version
        while after < newest:
            candidate = await self._fetch(client, after)
            refusal, after = await self._take(candidate), candidate.bundle.version
        if refusal is not None:
            raise refusal

    async def _fetch(self, client: ControlClient, after: int) -> SignedBundle:
        """Fetch the first version after one."""
        file = await client.policy(self._roster.current().control_plane, after)
        candidate = await asyncio.to_thread(read_bundle, file)
        if candidate.bundle.version <= after:
            raise BundleOlder(version=candidate.bundle.version, in_force=after)
        return candidate

    async def _take(self, candidate: SignedBundle) -> OperatorError | None:
        """Take a bundle over; give why it is refused."""
        try:
            taken = await take_over(self._store, candidate, self._roster.current(), self._clock.now())
        except OperatorError as error:
            logger().warning("policy_refused", code=error.code, version=candidate.bundle.version)
            return error
        logger().info("policy_taken_over", version=taken.version)
        return None


def _again(error: HomeportError) -> HomeportError:
    """Give the same error anew: one that is raised twice would carry both ways."""
    return type(error)(**error.details)
