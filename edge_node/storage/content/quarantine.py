"""A restored store's quarantine in the content store: how far it is, and the events that wait until it is over.

While it is ``replaying`` nothing is opened, shown or sent, and whatever comes in waits here, sealed whole under a key
of its own.  ``judging``: what was let go since the copy is gone, and what waits is taken in like everything else.
"""

from collections.abc import Sequence
from typing import Literal, NamedTuple

from edge_node.storage.content.head import turn, turn_of_intent
from shared.database.contract import Database, Step, StepResult
from shared.errors.custody import InQuarantine

State = Literal["replaying", "judging"]

_BEGIN = """
INSERT INTO quarantine (id, backup, taken_at, restored_at, state) VALUES (1, :backup, :taken_at, :now, 'replaying')
"""
_READ = "SELECT backup, taken_at, restored_at, state FROM quarantine"
_STILL = "SELECT 1 FROM quarantine WHERE state = 'replaying'"
_JUDGE = "UPDATE quarantine SET state = 'judging' WHERE state = 'replaying'"
_RAISE = "UPDATE content_store SET people = people + 1"
_LIFT = "DELETE FROM quarantine WHERE state = 'judging' AND NOT EXISTS (SELECT 1 FROM quarantined)"
# What was let go before the restore, by log entries that are older than it.
_OPEN = "SELECT count(*) FROM log_entry WHERE state <> 'done' AND held = 0 AND act <> 'epoch' AND ordered_at < :before"

# A hold may cover, a law keep, what nobody can be looked up for now: it waits for the judgement, though taken back.
_MAY_BE_HELD = """
(EXISTS (SELECT 1 FROM hold WHERE released_at IS NULL AND stops_recall = 1)
 OR EXISTS (SELECT 1 FROM law_duty WHERE stops_recall = 1))
"""
_KEEP = f"""
INSERT INTO quarantined (mark, about, account, received_at, keep, key, sealed)
SELECT CAST(:mark AS BLOB), CAST(:about AS BLOB), CAST(:account AS INTEGER), CAST(:received_at AS INTEGER), 'active',
       CAST(:key AS INTEGER), CAST(:sealed AS BLOB)
WHERE NOT EXISTS (SELECT 1 FROM tombstone WHERE mark = CAST(:tombstone AS BLOB)) OR {_MAY_BE_HELD}
ON CONFLICT (mark) DO NOTHING
"""  # noqa: S608 - constants of this page
_KEPT = """
SELECT 1 FROM quarantined WHERE key = :key AND mark = :mark
UNION ALL SELECT 1 FROM log_entry WHERE key = :key AND state <> 'done'
"""
_RECALL = f"""
INSERT INTO log_entry (id, act, reason, state, key, ordered_at)
SELECT CAST(:id AS TEXT) || '-q' || CAST(id AS TEXT), 'judged', CAST(:reason AS TEXT), 'ordered', key,
       CAST(:now AS INTEGER)
FROM quarantined WHERE about = :mark AND keep = 'active' AND NOT {_MAY_BE_HELD}
"""  # noqa: S608 - constants of this page
_HIDE = f"""
UPDATE quarantined SET keep = 'tombstoned' WHERE about = :mark AND keep = 'active' AND NOT {_MAY_BE_HELD}
"""  # noqa: S608 - constants of this page
_NEXT = """
SELECT id, account, received_at, key, sealed FROM quarantined
WHERE keep = 'active' AND id > :after ORDER BY id LIMIT :most
"""
_ORDER = """
INSERT INTO log_entry (id, act, reason, state, key, ordered_at)
SELECT 'judged-' || CAST(key AS TEXT), 'judged', 'quarantine_over', 'ordered', key, CAST(:now AS INTEGER)
FROM quarantined WHERE id = :id AND keep = 'active'
"""
_DONE = "UPDATE quarantined SET keep = 'tombstoned' WHERE id = :id AND keep = 'active'"
_WAITS = "SELECT 1 FROM quarantined WHERE id = :id AND keep = 'active'"
_COUNT = "SELECT count(*) FROM quarantined"


class Quarantine(NamedTuple):
    """A quarantine: from which backup, taken and restored when (ms), and how far it is; field order is the query's."""

    backup: str
    taken_at: int
    restored_at: int
    state: State


class WaitingRow(NamedTuple):
    """An event to keep until the quarantine is over; field order is that of the statement's parameters."""

    mark: bytes
    about: bytes | None
    account: int
    received_at: int
    key: int
    sealed: bytes
    tombstone: bytes | None


class WaitingEvent(NamedTuple):
    """An event that waits; field order is that of the query."""

    id: int
    account: int
    received_at: int
    key: int
    sealed: bytes


def begin_step(backup: str, taken_at: int, now: int) -> Step:
    """Give the statement that puts a store into quarantine."""
    return Step(_BEGIN, [(backup, taken_at, now)])


async def read_quarantine(database: Database) -> Quarantine | None:
    """Give the quarantine, ``None`` where there is none."""
    async with database.read() as transaction:
        rows = await transaction.fetch(_READ)
    return Quarantine(*rows[0]) if rows else None


async def refuse_in_quarantine(database: Database) -> None:
    """Raise ``InQuarantine`` while nothing may be opened, shown or sent."""
    async with database.read() as transaction:
        if await transaction.fetch(_STILL):
            raise InQuarantine


async def keep_waiting(
    database: Database, intent: int, rows: Sequence[WaitingRow], recalls: Sequence[Step]
) -> list[StepResult]:
    """Keep events and order recalls; ``ScriptRefused`` where the keys were swept or the quarantine is over."""
    opening = [*turn_of_intent(database, intent), Step(_STILL, expect=1)]
    steps = [Step(_KEEP, [tuple(row) for row in rows])] if rows else []
    return (await database.run([*opening, *steps, *recalls]))[len(opening) :]


async def kept(database: Database, rows: Sequence[WaitingRow]) -> set[int]:
    """Give the keys of the rows that were kept, now or before they were taken back."""
    async with database.read() as transaction:
        return {row.key for row in rows if await transaction.fetch(_KEPT, {"key": row.key, "mark": row.mark})}


def recall_waiting_steps(entry: str, reason: str, mark: bytes, now: int) -> list[Step]:
    """Give the statements that let go, with a recall, of what waits about its message."""
    return [Step(_RECALL, [(entry, reason, now, mark)]), Step(_HIDE, [(mark,)])]


async def left_to_remove(database: Database, before: int) -> int:
    """Count the removals that were ordered before the restore and are not done."""
    async with database.read() as transaction:
        return int((await transaction.fetch(_OPEN, {"before": before}))[0][0])


async def begin_judging(database: Database) -> None:
    """End the replay: what was let go is gone, and every process looks people up anew."""
    await database.run([turn(database), Step(_JUDGE), Step(_RAISE)])


async def waiting_events(database: Database, after: int, most: int) -> list[WaitingEvent]:
    """Give events that wait, in the order in which they came, behind row ``after``."""
    async with database.read() as transaction:
        return [WaitingEvent(*row) for row in await transaction.fetch(_NEXT, {"after": after, "most": most})]


async def is_waiting(database: Database, row: int) -> bool:
    """Say whether an event still waits."""
    async with database.read() as transaction:
        return bool(await transaction.fetch(_WAITS, {"id": row}))


async def count_waiting(database: Database) -> int:
    """Count what waits, and what was judged and is not gone yet."""
    async with database.read() as transaction:
        return int((await transaction.fetch(_COUNT))[0][0])


async def note_judged(database: Database, rows: Sequence[int], now: int) -> None:
    """Order the waiting copies of events that were judged destroyed; a repetition changes nothing."""
    ids = [(row,) for row in rows]
    orders = [(now, row) for row in rows]
    await database.run([turn(database), Step(_ORDER, orders), Step(_DONE, ids)])


async def lift(database: Database) -> bool:
    """End the quarantine where nothing of it is left; say whether it is over."""
    return (await database.run([turn(database), Step(_LIFT)]))[1].changed == 1
