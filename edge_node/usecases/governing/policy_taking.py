"""A policy bundle taken over: believed by the officers' signatures alone, whoever brings it.

An enrolled node believes the roster in force.  A node that stands alone believes the roster that its operator pinned.
What is refused changes nothing: the bundle in force stays.
"""

import asyncio

from edge_node.storage.content.policies import PolicyStore
from shared import canonical
from shared.clock import Milliseconds
from shared.errors.policy import RosterNotPinned
from shared.policy.accepting import accept
from shared.policy.bundling import Bundle, SignedBundle, digest, read_bundle, write
from shared.roster import Roster, SignedRoster, accept_first, read_signed, root_fingerprint
from shared.roster import accept as accept_roster


async def take_over(store: PolicyStore, candidate: SignedBundle, roster: Roster, now: Milliseconds) -> Bundle:
    """Accept a bundle and keep it; give the one in force then.  A named refusal else (shared/errors/policy.py).

    Comparing every cell with the bundle in force takes seconds, in a thread; where another process takes one over
    meanwhile, it is compared with that one.
    """
    while True:
        kept = await store.newest()
        after = kept.version if kept is not None else 0
        in_force = read_bundle(await store.body(after)).bundle if after else None
        bundle = await asyncio.to_thread(accept, in_force, candidate, roster, now)
        if bundle.version == after:
            return bundle
        body = write(candidate.bundle, candidate.signatures)
        if await store.keep(bundle.version, digest(bundle), body, now, after=after, issued_at=bundle.issued_at):
            return bundle


async def pinned_roster(store: PolicyStore) -> Roster | None:
    """Give the roster that a node believes which stands alone."""
    found = await store.trust()
    return read_signed(found[1]).roster if found is not None else None


async def pin(store: PolicyStore, candidate: SignedRoster) -> Roster:
    """Believe a roster from now on: the first one pins its root, a later one must be signed by those believed before.

    ``RosterNotPinned`` where another root is pinned; a named refusal where the signatures do not hold.
    """
    before = await pinned_roster(store)
    if before is None:
        roster = accept_first(root_fingerprint(candidate.roster), candidate)
        root = root_fingerprint(roster)
    else:
        roster = accept_roster(before, candidate)
        found = await store.trust()
        root = found[0] if found is not None else ""
    if not await store.believe(root, canonical.encode(candidate)):
        raise RosterNotPinned
    return roster
