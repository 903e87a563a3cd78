"""Policy bundles are published: checked as a node checks them, against the bundle and the roster in force, then kept.

Comparing every cell with the bundle before may take many seconds.  It is done in a thread and outside of any
transaction; what is kept is kept only if bundle and roster are still those that it was compared with.  Which nodes
follow, and which do not, is seen in their beats.
"""

import asyncio
from typing import NamedTuple

from control_plane.core.errors import NotFound, PolicyOvertaken, RosterMissing
from control_plane.core.events import EventData
from control_plane.core.health import is_behind, policy_problem
from control_plane.storage import nodes, policies, rosters
from control_plane.storage.nodes import Seen
from control_plane.storage.policies import Published
from control_plane.storage.work import Store, Work
from control_plane.usecases.node_health import newest_of
from shared.database.contract import Transaction
from shared.errors.policy import BundleMalformed
from shared.policy.accepting import accept
from shared.policy.bundling import BUNDLE_BYTES_MAX, SignedBundle, read_bundle
from shared.roster.model import Roster
from shared.telemetry import logger
from shared.wire import Beat


class Checked(NamedTuple):
    """A bundle that may come into force, and what that rests on."""

    signed: SignedBundle
    file: bytes
    after: int
    """Version of the bundle with which it was compared; 0 where there was none."""
    roster: int
    """Version of the roster whose officers signed it."""


async def check(store: Store, file: bytes) -> Checked:
    """Check a bundle's file; ``RosterMissing``, or why it may not come into force (shared/errors/policy.py)."""
    if len(file) > BUNDLE_BYTES_MAX:
        raise BundleMalformed(reason="too long")
    async with store.database.read() as t:
        roster, newest = await rosters.newest(t), await policies.newest(t)
        in_force = await policies.signed(t, newest.version) if newest is not None else None
    if roster is None:
        raise RosterMissing
    signed = await asyncio.to_thread(_accepted, in_force, file, roster.roster, store.clock.now())
    return Checked(signed, file, newest.version if newest is not None else 0, roster.roster.version)


async def put(work: Work, checked: Checked, by: str) -> Published:
    """Put a checked bundle in force, in the name of a principal; the one in force again is no change.

    ``PolicyOvertaken`` where it was compared with what is no longer in force.
    """
    newest = await policies.newest(work.t)
    if newest is not None and newest.hash == checked.signed.hash:
        return newest
    now_in_force = newest.version if newest is not None else 0, await rosters.version(work.t)
    if now_in_force != (checked.after, checked.roster):
        raise PolicyOvertaken
    made = await policies.add(work.t, checked.signed, checked.file, by, work.now)
    await work.tell("policy.published", EventData(version=made.version))
    return made


async def newest_told(work: Work, beat: Beat) -> Published | None:
    """Give the bundle in force, for a node that beats; tell once if it follows it again."""
    newest = await policies.newest(work.t)
    stands = beat.policy is not None and newest is not None and beat.policy.hash == newest.hash
    if stands and await nodes.mark_behind(work.t, beat.node, behind=False):
        await work.tell("node.policy_current", EventData(node=beat.node, version=newest.version if newest else None))
    return newest


async def tell_behind(store: Store) -> None:
    """Tell once of each node that goes on beating without the bundle in force."""
    async with store.database.read() as t:
        late = await _late(t)
    if not late:
        return
    async with store.work() as work:
        for node, problem in await _late(work.t):
            if await nodes.mark_behind(work.t, node.name, behind=True):
                said = EventData(node=node.name, version=node.policy_version, reason=problem)
                await work.tell("node.policy_behind", said)
                logger().warning("node_policy_behind", node=node.name, reason=problem)


async def _late(t: Transaction) -> list[tuple[Seen, str]]:
    """Give the nodes that are late and were not told of, each with its problem."""
    published = await policies.newest(t)
    if published is None:
        return []
    newest = newest_of(published)
    return [
        (node, problem)
        for node in await nodes.following_policy(t)
        if not node.policy_behind
        and is_behind(node.beat_number or 0, node.beat_at or 0, node.beat_seconds or 0, published.accepted_at)
        and (problem := policy_problem(node.policy_version, node.policy_hash, newest)) is not None
    ]


async def file_of(store: Store, version: int) -> bytes:
    """Give the file of a version; ``NotFound``."""
    async with store.database.read() as t:
        return _found(await policies.signed(t, version))


async def file_after(store: Store, version: int) -> bytes:
    """Give the file of the first version after another, for a node that was away; ``NotFound`` where there is none."""
    async with store.database.read() as t:
        return _found(await policies.following(t, version))


def _accepted(in_force: bytes | None, file: bytes, roster: Roster, now: int) -> SignedBundle:
    """Read both bundles and accept the new one, or refuse it by name; slow."""
    candidate = read_bundle(file)
    accept(read_bundle(in_force).bundle if in_force is not None else None, candidate, roster, now)
    return candidate


def _found(file: bytes | None) -> bytes:
    """Give what was found."""
    if file is None:
        raise NotFound
    return file
