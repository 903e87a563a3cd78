"""What the parts of the uplink ask of the rest of a node, as small interfaces."""

from collections.abc import Awaitable, Callable
from typing import NamedTuple, Protocol

from edge_node.core.erasing import Remnants
from shared.wire import Health
from shared.wire.types import ReasonCode

HealthOf = Callable[[int], Awaitable[Health]]
"""Counts the work that waits; the argument is the instant (ms) since which refusals are counted."""


class Waiting(NamedTuple):
    """What waits in this process's memory now."""

    events: int
    """Events that wait for commit."""
    relays: int
    """Events that wait for their home node, to be acknowledged when they rest there."""


class Retracted(NamedTuple):
    """What taking shown copies back did."""

    keys: int
    """Row keys destroyed."""
    rows: int
    """Copies removed."""


class Retractor(Protocol):
    """Takes back what another node showed this one.  Doing it twice is doing it once."""

    async def retract(self, node: str, disclosure: str, reason: ReasonCode) -> Retracted:
        """Destroy the copy of what ``node`` disclosed here under its name ``disclosure``, and take it off every view.

        On return key and row are gone; where there was none, or no more, both counts are 0.  An error that may be
        retried says that it goes on: the command waits and is done again.
        """
        ...


class RemnantsOf(Protocol):
    """Says what is left for a while of what this node destroys."""

    async def of(self, done_at: int) -> Remnants:
        """Say what is left of a removal that was done at ``done_at`` (ms)."""
        ...


class NothingShown:
    """The retractor of a node that asks no other node for views: it holds no copy of anything."""

    async def retract(self, node: str, disclosure: str, reason: ReasonCode) -> Retracted:
        """Find nothing."""
        del node, disclosure, reason
        return Retracted(0, 0)
