"""What may be erased now, on whose word, and what a receipt says of it.

A command of the control plane destroys people, and a control plane can be compromised: on its word alone a node
destroys at most so many in an hour.  Recalls and erasures opened at the node are the subjects' own and do not count.
"""

from collections.abc import Sequence

import msgspec

from shared.wire import Result

HOUR = 3_600_000
"""Milliseconds of the window in which the cap counts."""


class Allowance(msgspec.Struct, frozen=True):
    """How many may be destroyed now, and, where that is none, from when (ms) the next may."""

    now: int
    next_at: int | None


class Counts(msgspec.Struct, frozen=True):
    """What an erasure destroyed and removed, by store."""

    keys: int = 0
    messages: int = 0
    events: int = 0
    identities: int = 0
    views: int = 0
    media: int = 0
    """Files and whatever else was made from messages."""


def allowance(ordered: Sequence[int], now: int, per_hour_max: int) -> Allowance:
    """Say how many subjects may be destroyed at ``now`` on the control plane's word alone.

    ``ordered`` are the times (ms) at which erasures on its word were ordered.  The window slides: a full hour after
    the oldest of them the next may follow.  With a cap of 0 nobody is ever destroyed that way.
    """
    recent = sorted(moment for moment in ordered if moment > now - HOUR)
    free = per_hour_max - len(recent)
    if free > 0:
        return Allowance(free, None)
    if per_hour_max == 0:
        return Allowance(0, None)
    return Allowance(0, recent[len(recent) - per_hour_max] + HOUR)


def erasure_results(counts: Counts) -> tuple[Result, ...]:
    """Say what an erasure did, store by store; the platforms' own copies are out of reach, and said to be."""
    found = (
        ("keys", "destroyed", counts.keys),
        ("messages", "removed", counts.messages),
        ("events", "removed", counts.events),
        ("identities", "removed", counts.identities),
        ("views", "removed", counts.views),
        ("media", "removed", counts.media),
        ("platform", "not_reachable", counts.messages),
    )
    return tuple(_result(store, method, count) for store, method, count in found if count)


def retraction_results(keys: int, rows: int) -> tuple[Result, ...]:
    """Say what closing shown copies did; empty where there was none left."""
    found = (("keys", "destroyed", keys), ("views", "removed", rows))
    return tuple(_result(store, method, count) for store, method, count in found if count)


def _result(store: str, method: str, count: int) -> Result:
    """Write one line of a receipt."""
    return msgspec.convert(
        {"store": store, "method": method, "count": count, "article": None, "until": None}, type=Result
    )
