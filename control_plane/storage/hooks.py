"""Hooks and the outbox of what is to be sent to them."""

from typing import NamedTuple

import msgspec

from control_plane.core.events import EventData
from control_plane.storage.events import StoredEvent
from shared.database.contract import Transaction, Value

_ADD = "INSERT INTO hook (id, url, made_by, made_at, state) VALUES (:id, :url, :made_by, :at, 'active')"
_LIST = """
SELECT id, url, made_by, made_at, state,
(SELECT count(*) FROM delivery WHERE delivery.hook = hook.id AND delivery.state = 'waiting'),
(SELECT count(*) FROM delivery WHERE delivery.hook = hook.id AND delivery.state = 'given_up')
FROM hook WHERE state <> 'removed' ORDER BY made_at, id
"""
_STATE = "UPDATE hook SET state = :state WHERE id = :id AND state <> 'removed'"
_DROP = "UPDATE delivery SET state = 'given_up', outcome = :outcome WHERE hook = :hook AND state = 'waiting'"
_DUE = """
SELECT delivery.hook, hook.url, delivery.attempts, event.id, event.kind, event.at, event.data
FROM delivery JOIN hook ON hook.id = delivery.hook JOIN event ON event.id = delivery.event
WHERE delivery.hook = :hook AND delivery.state = 'waiting' AND delivery.due_at <= :now
ORDER BY delivery.due_at, delivery.event LIMIT :limit
"""
_ANY_DUE = "SELECT DISTINCT hook FROM delivery WHERE state = 'waiting' AND due_at <= :now ORDER BY hook"
_CLAIM = """
UPDATE delivery SET due_at = :until WHERE hook = :hook AND event = :event AND state = 'waiting' AND due_at <= :now
"""
_OUTCOME = """
UPDATE delivery SET attempts = :attempts, due_at = :due_at, state = :state, outcome = :outcome
WHERE hook = :hook AND event = :event AND state = 'waiting'
"""
_WAITING = "SELECT count(*) FROM delivery WHERE state = 'waiting'"


class Hook(NamedTuple):
    """Where events are sent."""

    id: str
    url: str
    made_by: str
    made_at: int
    state: str
    waiting: int
    given_up: int


class Due(NamedTuple):
    """A delivery that is to be made now."""

    hook: str
    url: str
    attempts: int
    event: StoredEvent


async def add(t: Transaction, id_: str, url: str, made_by: str, at: int) -> None:
    """Keep a new hook."""
    await t.execute(_ADD, {"id": id_, "url": url, "made_by": made_by, "at": at})


async def everyone(t: Transaction) -> list[Hook]:
    """Give every hook that was not removed."""
    return [Hook(*row) for row in await t.fetch(_LIST)]


async def close(t: Transaction, id_: str, state: str) -> bool:
    """Send nothing more to a hook: ``removed`` by its owner, or ``gone`` by its own word; what waits is dropped."""
    if await t.execute(_STATE, {"id": id_, "state": state}) == 0:
        return False
    await t.execute(_DROP, {"hook": id_, "outcome": state})
    return True


async def due(t: Transaction, now: int) -> list[str]:
    """Name the hooks to which something is to be delivered now."""
    return [hook for (hook,) in await t.fetch(_ANY_DUE, {"now": now})]


async def claim(t: Transaction, hook_: str, now: int, until: int, limit: int) -> list[Due]:
    """Take deliveries to a hook that are due; until ``until`` (ms) nobody else takes them."""
    taken = []
    parameters: dict[str, Value] = {"hook": hook_, "now": now, "limit": limit}
    for hook, url, attempts, number, kind, at, data in await t.fetch(_DUE, parameters):
        if await t.execute(_CLAIM, {"until": until, "hook": hook, "event": number, "now": now}):
            event = StoredEvent(number, kind, at, msgspec.json.decode(data, type=EventData))
            taken.append(Due(hook, url, attempts, event))
    return taken


async def settle(t: Transaction, made: Due, state: str, outcome: str, due_at: int) -> None:
    """Write down what became of a delivery; ``outcome`` is a code, never an answer's words."""
    values: dict[str, Value] = {
        "hook": made.hook,
        "event": made.event.id,
        "attempts": made.attempts + 1,
        "state": state,
    }
    await t.execute(_OUTCOME, values | {"outcome": outcome, "due_at": due_at})


async def waiting(t: Transaction) -> int:
    """Count the deliveries that are still to be made."""
    return int((await t.fetch(_WAITING))[0][0])
