"""One-time tokens for new nodes."""

from control_plane.core.errors import RosterMissing
from control_plane.core.minting import digest
from control_plane.storage import nodes, rosters
from control_plane.storage.work import Work
from shared.enrolment_token import EnrolmentToken
from shared.roster.rules import root_fingerprint

HOURS_MAX = 7 * 24
"""A token that nobody used in a week is made anew."""


async def make_enrolment_token(
    work: Work, node: str, hours: int, *, address: str, fingerprint: str, by: str, id_: str, secret: bytes
) -> EnrolmentToken:
    """Make a token for a node of that name; ``RosterMissing`` before there is a root to name.

    A name that is in the roster may enrol again: that is how a node's new keys reach the officers.
    """
    signed = await rosters.newest(work.t)
    if signed is None:
        raise RosterMissing
    until = work.now + hours * 3_600_000
    await nodes.add_token(work.t, id_, node, digest(secret), by, work.now, until)
    return EnrolmentToken(
        address=address,
        control_plane=fingerprint,
        root=root_fingerprint(signed.roster),
        node=node,
        secret=secret,
        until=until,
    )
