"""The log of events that programs are told, and the outbox of their deliveries to hooks."""

from typing import NamedTuple

import msgspec

from control_plane.core.events import EventData, EventKind
from shared.database.contract import Transaction

_ADD = "INSERT INTO event (id, kind, at, data) VALUES (:id, :kind, :at, :data)"
_FAN_OUT = """
INSERT INTO delivery (hook, event, attempts, due_at, state, outcome)
SELECT id, CAST(:event AS INTEGER), 0, CAST(:at AS INTEGER), 'waiting', '' FROM hook WHERE state = 'active'
"""
_AFTER = "SELECT id, kind, at, data FROM event WHERE id > :after ORDER BY id LIMIT :limit"
_LAST = "SELECT event FROM control_store"
_FORGET = """
DELETE FROM event WHERE at < :before
AND NOT EXISTS (SELECT 1 FROM delivery WHERE delivery.event = event.id AND delivery.state = 'waiting')
"""
_FORGET_DELIVERIES = """
DELETE FROM delivery WHERE state <> 'waiting' AND event < (SELECT coalesce(min(id), 0) FROM event)
"""


class StoredEvent(NamedTuple):
    """An event as it is kept."""

    id: int
    kind: EventKind
    at: int
    data: EventData


async def add(t: Transaction, number: int, kind: EventKind, at: int, data: EventData) -> None:
    """Keep an event, and owe it to every hook that is active now."""
    await t.execute(_ADD, {"id": number, "kind": kind, "at": at, "data": msgspec.json.encode(data)})
    await t.execute(_FAN_OUT, {"event": number, "at": at})


async def after(t: Transaction, number: int, limit: int) -> list[StoredEvent]:
    """Give the events after a number, in order."""
    rows = await t.fetch(_AFTER, {"after": number, "limit": limit})
    return [StoredEvent(id_, kind, at, msgspec.json.decode(data, type=EventData)) for id_, kind, at, data in rows]


async def last(t: Transaction) -> int:
    """Give the number of the last event that there was."""
    return int((await t.fetch(_LAST))[0][0])


async def forget(t: Transaction, before: int) -> int:
    """Remove events older than ``before`` (ms) that no hook still waits for; give how many."""
    count = await t.execute(_FORGET, {"before": before})
    await t.execute(_FORGET_DELIVERIES)
    return count
