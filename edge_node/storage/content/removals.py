"""Letting go in the content store: the log entry and the tombstone first, the row last.

A recall is ordered in one transaction (entry, tombstone, row set to ``tombstoned``) and is acknowledged then.  The
remover carries entries on: ``ordered``, ``journaled`` (safe at the second place), ``destroyed`` (key gone; then row
gone, mark cleared), ``done`` (neither lies in a write-ahead log).  Under a hold the row is set to ``held`` instead and
the entry waits (``held`` = 1) until the hold is released.
"""

from collections.abc import Sequence
from typing import Literal, NamedTuple

from edge_node.storage.content.derivatives import forget_steps, steps_of_messages
from edge_node.storage.content.head import turn
from edge_node.storage.content.keeping import REMOVABLE, kept
from edge_node.storage.content.quarantine import recall_waiting_steps
from shared.database.contract import Database, Step

_HELD = kept("message", "recall")
_HELD_ABOUT = kept("event", "recall")
_ORDER = f"""
INSERT INTO log_entry (id, act, reason, state, mark, key, ordered_at, held)
SELECT CAST(:id AS TEXT), 'recall', CAST(:reason AS TEXT), 'ordered', CAST(:mark AS BLOB),
       (SELECT key FROM message WHERE mark = :mark), CAST(:now AS INTEGER),
       COALESCE((SELECT CASE WHEN {_HELD} THEN 1 ELSE 0 END FROM message WHERE mark = :mark), 0)
WHERE NOT EXISTS (SELECT 1 FROM tombstone WHERE mark = :tombstone)
"""  # noqa: S608 - constants of this page
_ORDER_ABOUT = f"""
INSERT INTO log_entry (id, act, reason, state, mark, key, ordered_at, held)
SELECT CAST(:id AS TEXT) || '-' || CAST(id AS TEXT), 'recall', CAST(:reason AS TEXT), 'ordered', mark, key,
       CAST(:now AS INTEGER), CASE WHEN {_HELD_ABOUT} THEN 1 ELSE 0 END
FROM event WHERE about = :mark AND keep IN {REMOVABLE}
  AND NOT EXISTS (SELECT 1 FROM tombstone WHERE mark = :tombstone)
"""  # noqa: S608 - constants of this page
# A recall of what another node was shown is noted for the control plane; where nobody was, nobody needs to be told.
_NOTE = """
INSERT INTO outbox (id, kind, mark, created_at)
SELECT CAST(:id AS TEXT), 'recall', CAST(:mark AS BLOB), CAST(:now AS INTEGER)
WHERE EXISTS (SELECT 1 FROM disclosure WHERE mark = :mark AND closed_at IS NULL) AND EXISTS (SELECT 1 FROM uplink)
  AND NOT EXISTS (SELECT 1 FROM tombstone WHERE mark = :tombstone)
"""
_BURY = """
INSERT INTO tombstone (mark, key_version, at, log_entry) VALUES (:mark, :key_version, :at, :log_entry)
ON CONFLICT (mark) DO NOTHING
"""
_HIDE = f"""
UPDATE message SET keep = CASE WHEN {_HELD} THEN 'held' ELSE 'tombstoned' END WHERE mark = :mark AND keep IN {REMOVABLE}
"""  # noqa: S608 - constants of this page
_HIDE_ABOUT = f"""
UPDATE event SET keep = CASE WHEN {_HELD_ABOUT} THEN 'held' ELSE 'tombstoned' END
WHERE about = :mark AND keep IN {REMOVABLE}
"""  # noqa: S608 - constants of this page
_OPEN = """
SELECT e.id, e.act, e.reason, e.state, e.mark, e.key, e.ordered_at, t.mark, t.key_version
FROM log_entry e LEFT JOIN tombstone t ON t.log_entry = e.id
WHERE e.state <> 'done' AND e.held = 0 AND e.act NOT IN ('erase', 'epoch', 'expire', 'part', 'judged')
ORDER BY CASE WHEN e.state = 'destroyed' THEN 1 ELSE 0 END, e.ordered_at, e.id LIMIT :most
"""
_OPEN_BATCH = """
SELECT e.id, e.act, e.reason, e.state, e.mark, e.key, e.ordered_at, t.mark, t.key_version
FROM log_entry e LEFT JOIN tombstone t ON t.log_entry = e.id
WHERE e.state <> 'done' AND e.held = 0 AND e.act IN ('expire', 'part', 'judged')
ORDER BY e.ordered_at, e.id LIMIT :most
"""
_HELD_NEW = """
SELECT e.id, e.act, e.reason, e.state, e.mark, e.key, e.ordered_at, t.mark, t.key_version
FROM log_entry e LEFT JOIN tombstone t ON t.log_entry = e.id
WHERE e.state <> 'done' AND e.state = 'ordered' AND e.held = 1 AND e.act <> 'erase'
ORDER BY e.ordered_at, e.id LIMIT :most
"""
_ADVANCE = {
    "journaled": "UPDATE log_entry SET state = 'journaled' WHERE id = :id AND state = 'ordered' AND held = 0",
    "held": "UPDATE log_entry SET state = 'journaled' WHERE id = :id AND state = 'ordered' AND held = 1",
    "destroyed": "UPDATE log_entry SET state = 'destroyed' WHERE id = :id AND state IN ('ordered', 'journaled')",
}
_REMOVE = (
    "DELETE FROM message WHERE mark = :mark AND keep = 'tombstoned'",
    "DELETE FROM event WHERE mark = :mark AND keep = 'tombstoned'",
)
_CLEAR = "UPDATE log_entry SET mark = NULL WHERE id = :id AND state = 'destroyed'"
_DONE = "UPDATE log_entry SET state = 'done', mark = NULL, done_at = :now WHERE id = :id AND state = 'destroyed'"
# A copy's row stays, empty, until its entry is done: till then nobody is told that it is gone.
_EMPTY_SHOWN = "UPDATE shown SET sealed = NULL WHERE key = :key AND keep = 'tombstoned'"
_REMOVE_SHOWN = "DELETE FROM shown WHERE key = :key AND keep = 'tombstoned'"
_FORGET_NAME = "DELETE FROM identity WHERE key = :key"
# A view of this node's own messages holds no copy; it is told, and forgets which message it was.
_RETRACT = """
INSERT INTO view_event (view, kind, disclosure) SELECT view, 'retracted', disclosure FROM shown WHERE mark = :mark
"""
_UNSHOW = "DELETE FROM shown WHERE mark = :mark"
_REMOVE_WAITING = "DELETE FROM quarantined WHERE key = :key AND keep = 'tombstoned'"
# What waits is nothing to do now, but for writing down that it waits, and for an erasure that still lets go what
# nothing keeps.  Three looks at three indexes: much may wait.
_WAITING = """
SELECT COALESCE(sum(waiting), 0), min(oldest) FROM (
    SELECT count(*) AS waiting, min(ordered_at) AS oldest FROM log_entry
    WHERE state <> 'done' AND held = 0 AND act <> 'epoch'
    UNION ALL SELECT count(*), min(ordered_at) FROM log_entry WHERE state <> 'done' AND held = 1 AND state = 'ordered'
    UNION ALL SELECT count(*), min(e.ordered_at) FROM erasure e JOIN log_entry l ON l.id = e.log_entry
    WHERE e.parting = 1 AND l.state = 'journaled' AND l.held = 1
) AS looks
"""
_HELD_COUNT = "SELECT count(*) FROM log_entry WHERE state <> 'done' AND held = 1"


class RecallOrder(NamedTuple):
    """A message taken back by its sender."""

    log_entry: str
    reason: str
    mark: bytes
    tombstone: bytes
    tombstone_version: int
    at: int
    notice: str
    """Opaque id under which the control plane is told of it, where the message was shown elsewhere."""


class OpenEntry(NamedTuple):
    """An entry of the log that is not done yet; field order is that of the query."""

    id: str
    act: str
    reason: str
    state: str
    mark: bytes | None
    key: int | None
    ordered_at: int
    tombstone: bytes | None
    tombstone_version: int | None


def recall_steps(order: RecallOrder, now: int) -> list[Step]:
    """Give the statements that order one recall; a repeated one changes nothing."""
    return [
        Step(_ORDER, [(order.log_entry, order.reason, order.mark, now, order.tombstone)]),
        Step(_ORDER_ABOUT, [(order.log_entry, order.reason, now, order.mark, order.tombstone)]),
        Step(_NOTE, [(f"recall-{order.notice}", order.mark, now, order.tombstone)]),
        *recall_waiting_steps(order.log_entry, order.reason, order.mark, now),
        Step(_BURY, [(order.tombstone, order.tombstone_version, now, order.log_entry)]),
        Step(_HIDE, [(order.mark,)]),
        Step(_HIDE_ABOUT, [(order.mark,)]),
        *steps_of_messages([(order.log_entry, order.mark)], order.reason, now),
        Step(_RETRACT, [(order.mark,)]),
        Step(_UNSHOW, [(order.mark,)]),
    ]


async def open_entries(database: Database, most: int) -> list[OpenEntry]:
    """Give the oldest entries that are not done; those that only wait for a write-ahead log come last.

    Erasures, which take longer, and epochs are carried on apart.
    """
    async with database.read() as transaction:
        return [OpenEntry(*row) for row in await transaction.fetch(_OPEN, {"most": most})]


async def open_batch(database: Database, most: int) -> list[OpenEntry]:
    """Give the oldest entries that were ordered in batches: by the sweeper, or for a part of an erasure."""
    async with database.read() as transaction:
        return [OpenEntry(*row) for row in await transaction.fetch(_OPEN_BATCH, {"most": most})]


async def held_entries(database: Database, most: int) -> list[OpenEntry]:
    """Give entries that wait under a hold and are not in the journal yet."""
    async with database.read() as transaction:
        return [OpenEntry(*row) for row in await transaction.fetch(_HELD_NEW, {"most": most})]


async def held_count(database: Database) -> int:
    """Count the entries that wait under a hold."""
    async with database.read() as transaction:
        return int((await transaction.fetch(_HELD_COUNT))[0][0])


async def waiting(database: Database) -> tuple[int, int | None]:
    """Give how many entries there is something to do for, and when the oldest was ordered (ms)."""
    async with database.read() as transaction:
        count, oldest = (await transaction.fetch(_WAITING))[0]
    return int(count), oldest


async def advance(
    database: Database, entries: Sequence[OpenEntry], state: Literal["journaled", "held", "destroyed"]
) -> None:
    """Note how far entries have come (``held``: in the journal as waiting); one that is further stays there."""
    if entries:
        await database.run([turn(database), Step(_ADVANCE[state], [(entry.id,) for entry in entries])])


async def clear(database: Database, entries: Sequence[OpenEntry]) -> int:
    """Delete the rows whose keys are destroyed and forget their marks, together; give rows deleted.

    Of a copy that another node showed the sealed bytes go now, its empty row with :func:`finish`.
    """
    marks = [(entry.mark,) for entry in entries if entry.mark is not None]
    shown = [(entry.key,) for entry in entries if entry.act == "unshow"]
    steps = [turn(database)]
    if marks:
        steps += [Step(sql, marks) for sql in _REMOVE]
        steps.append(Step(_CLEAR, [(entry.id,) for entry in entries if entry.mark is not None]))
    if shown:
        steps.append(Step(_EMPTY_SHOWN, shown))
    names = [(entry.key,) for entry in entries if entry.act == "part" and entry.mark is None]
    if names:
        steps.append(Step(_FORGET_NAME, names))
    steps += forget_steps([entry.key for entry in entries if entry.act == "underive" and entry.key is not None])
    if waited := [(entry.key,) for entry in entries if entry.act == "judged"]:
        steps.append(Step(_REMOVE_WAITING, waited))
    if len(steps) == 1:
        return 0
    results = await database.run(steps)
    return results[1].changed + results[2].changed if marks else 0


async def finish(database: Database, entries: Sequence[OpenEntry], now: int) -> None:
    """Close entries of which nothing is left, in no store and no write-ahead log."""
    shown = [(entry.key,) for entry in entries if entry.act == "unshow"]
    steps = [turn(database), Step(_DONE, [(now, entry.id) for entry in entries])]
    await database.run([*steps, Step(_REMOVE_SHOWN, shown)] if shown else steps)
