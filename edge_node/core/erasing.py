"""What may be erased now, on whose word, and what a receipt says of it.

A command of the control plane destroys people, and a control plane can be compromised: on its word alone a node
destroys at most so many in an hour.  Recalls and erasures opened at the node are the subjects' own and do not count.
"""

from collections.abc import Iterator, Sequence

import msgspec

from shared.clock import DAY
from shared.wire import Result
from shared.wire.types import MethodCode, StoreCode

HOUR = 3_600_000
"""Milliseconds of the window in which the cap counts."""


REWRAP = DAY
"""Milliseconds that a beat may take, at most, from when it is due until the old epoch key is destroyed; 2,000 keys are
wrapped anew in a second (:mod:`edge_node.usecases.custody.epoch_keeping`), and doctor warns of a beat that is later."""


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


class Retained(msgspec.Struct, frozen=True):
    """What of an erasure is kept for a time: how many of a store, by which article, until when (ms)."""

    store: StoreCode
    count: int
    article: str | None
    until: int | None


class Remnants(msgspec.Struct, frozen=True):
    """What still lies somewhere of what was destroyed, and until when."""

    horizon: int | None
    """By when (ms), at latest, no older backup or free page opens any of it with any older key backup; ``None``: no
    date can be given, as the operator alone begins epoch beats."""
    rows_pending: bool = False
    """Rows are deleted, but their bytes are still in the database's files and log: PostgreSQL."""
    rows_until: int | None = None
    """By when (ms) they are not any more; ``None``: nobody has said."""


def epoch_horizon(current_since: int, epoch_days: int, now: int) -> int | None:
    """Say by when (ms) at latest the epoch key that is current now is destroyed; ``None`` where beats are by hand.

    One beat after the epoch began, or now where that is overdue, and the time that a beat may take.
    """
    if epoch_days == 0:
        return None
    return max(now, current_since + epoch_days * DAY) + REWRAP


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


def erasure_results(
    counts: Counts, remnants: Remnants, retained: Sequence[Retained] = (), keys_kept: int = 0
) -> tuple[Result, ...]:
    """Say what an erasure did, store by store; what is not reached yet, or never, and what is kept, is said to be so.

    Keys are kept as long as the last of what they open.
    """
    rows: tuple[tuple[StoreCode, int], ...] = (
        ("messages", counts.messages),
        ("events", counts.events),
        ("identities", counts.identities),
        ("views", counts.views),
        ("media", counts.media),
    )
    found = (
        _result("keys", "destroyed", counts.keys),
        *_kept_results(retained, keys_kept),
        *(_row_result(store, count, remnants) for store, count in rows),
        _result("backups", "pending", counts.keys, remnants.horizon),
        _result("platform", "not_reachable", counts.messages + sum(_messages(retained))),
    )
    return tuple(each for each in found if each.count)


def retraction_results(keys: int, rows: int, remnants: Remnants) -> tuple[Result, ...]:
    """Say what closing shown copies did; empty where there was none left."""
    found = (
        _result("keys", "destroyed", keys),
        _row_result("views", rows, remnants),
        _result("backups", "pending", keys, remnants.horizon),
    )
    return tuple(each for each in found if each.count)


def _kept_results(retained: Sequence[Retained], keys: int) -> Iterator[Result]:
    """Say what is kept: a line for each store, article and date."""
    together: dict[tuple[StoreCode, str | None, int | None], int] = {}
    for each in retained:
        key = (each.store, each.article, each.until)
        together[key] = together.get(key, 0) + each.count
    lines = [(*key, count) for key, count in together.items()]
    if keys and lines:
        _, article, until, _ = max(lines, key=lambda line: line[2] or 0)
        lines.append(("keys", article, until, keys))
    for store, article, until, count in lines:
        yield Result(store=store, method="retained_until", count=count, article=article, until=until)


def _messages(retained: Sequence[Retained]) -> Iterator[int]:
    """Give how many messages are kept: the platform has these, too."""
    return (each.count for each in retained if each.store == "messages")


def _row_result(store: StoreCode, count: int, remnants: Remnants) -> Result:
    """Say what became of rows: removed, or deleted with their bytes still to go."""
    if remnants.rows_pending:
        return _result(store, "pending", count, remnants.rows_until)
    return _result(store, "removed", count)


def _result(store: StoreCode, method: MethodCode, count: int, until: int | None = None) -> Result:
    """Write one line of a receipt."""
    return Result(store=store, method=method, count=count, article=None, until=until)
