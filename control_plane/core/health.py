"""What the control plane knows to be wrong with a node, as codes.  Pure."""

from typing import Literal

from shared.wire import PROTOCOL, Beat
from shared.wire.types import ProblemCode

CLOCK_APART_MS = 10_000
"""Clocks so far apart are worth a word: at 60 s requests are refused."""
RECEIPTS_MAX = 1_000
"""Receipts that wait at a node while it speaks to us: they should have come."""


def problems_of(beat: Beat, roster_version: int, *, skew_ms: int) -> tuple[ProblemCode, ...]:
    """Give the problems that a beat shows; ``skew_ms`` is our time less the node's."""
    found: list[ProblemCode] = []
    if abs(skew_ms) > CLOCK_APART_MS:
        found.append("clock_apart")
    if beat.protocol < PROTOCOL:
        found.append("protocol_old")
    if beat.health.receipts_unsent > RECEIPTS_MAX:
        found.append("receipts_missing")
    if beat.roster_version < roster_version:
        found.append("roster_old")
    return tuple(found)


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
