"""What the control plane knows to be wrong with a node, as codes.  Pure."""

from typing import Literal, NamedTuple

from shared.wire import PROTOCOL, Beat
from shared.wire.types import ProblemCode

CLOCK_APART_MS = 10_000
"""Clocks so far apart are worth a word: at 60 s requests are refused."""
RECEIPTS_MAX = 1_000
"""Receipts that wait at a node while it speaks to us: they should have come."""


BEHIND_MS = 60_000
"""A node that goes on beating without a bundle that was published longer ago than this is told of."""
BEHIND_BEATS = 3
"""And than so many of its beats."""


POLICY_PROBLEMS: tuple[ProblemCode, ...] = ("policy_missing", "policy_old", "policy_other")
"""What can be wrong with the bundle that a node decides by."""


class Newest(NamedTuple):
    """The policy bundle in force."""

    version: int
    hash: str


class Standing(NamedTuple):
    """What a beat says of a node."""

    protocol: int
    receipts_unsent: int
    roster_version: int
    policy_version: int | None
    """0: it has none.  ``None``: its release has no policies."""
    policy_hash: str | None


def problems_of(
    beat: Beat, roster_version: int, newest: Newest | None = None, *, skew_ms: int
) -> tuple[ProblemCode, ...]:
    """Give the problems that a beat shows, in codes that the node knows; ``skew_ms`` is our time less the node's."""
    found = standing_problems(standing_of(beat), roster_version, newest)
    if beat.policy is None:
        found = tuple(each for each in found if each not in POLICY_PROBLEMS)
    return ("clock_apart", *found) if abs(skew_ms) > CLOCK_APART_MS else found


def standing_of(beat: Beat) -> Standing:
    """Give what a beat says of a node."""
    version, digest = (beat.policy.version, beat.policy.hash) if beat.policy is not None else (None, None)
    return Standing(beat.protocol, beat.health.receipts_unsent, beat.roster_version, version, digest)


def standing_problems(node: Standing, roster_version: int, newest: Newest | None) -> tuple[ProblemCode, ...]:
    """Give the problems of a node as it last stood, measured by roster and policy in force now."""
    found: list[ProblemCode] = []
    policy = policy_problem(node.policy_version, node.policy_hash, newest)
    if policy is not None:
        found.append(policy)
    if node.protocol < PROTOCOL:
        found.append("protocol_old")
    if node.receipts_unsent > RECEIPTS_MAX:
        found.append("receipts_missing")
    if node.roster_version < roster_version:
        found.append("roster_old")
    return tuple(found)


def policy_problem(version: int | None, digest: str | None, newest: Newest | None) -> ProblemCode | None:
    """Say what is wrong with the bundle that a node decides by.

    Where none was published, one that an operator installed at the node is as it should be.
    """
    if not version:
        return "policy_missing"
    if newest is None or (version, digest) == newest:
        return None
    return "policy_old" if version < newest.version else "policy_other"


def is_behind(beat_number: int, beat_at: int, beat_seconds: int, published_at: int) -> bool:
    """Say whether a node has had time to take a bundle over: it went on beating for a minute and three beats.

    Instants in ms.  A node numbers its beats from 1: one that was just taken in hears of the bundle by its first.
    """
    return beat_number > BEHIND_BEATS and beat_at > published_at + max(BEHIND_MS, 1_000 * BEHIND_BEATS * beat_seconds)


NodeState = Literal["active", "barred", "never_heard", "retired", "silent"]


def state_of(in_roster: Literal["active", "retired"], *, barred: bool, heard: bool, silent: bool) -> NodeState:
    """Say how a node of the roster stands; what officers decided comes before what was seen."""
    if in_roster == "retired":
        return "retired"
    if barred:
        return "barred"
    if not heard:
        return "never_heard"
    return "silent" if silent else "active"
