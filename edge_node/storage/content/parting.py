"""What an erasure that waits may let go already: what no hold covers and no law keeps.

Messages and events first, with what was made from them; then, where nothing keeps these either, the names a person is
known by and the record of what was shown.
"""

from typing import Literal

from edge_node.storage.content.commands import write_places
from edge_node.storage.content.derivatives import order_of_gone
from edge_node.storage.content.keeping import kept, of_person
from edge_node.storage.content.places import OF_SUBJECT, places_of
from edge_node.storage.content.resuming import KEPT_DISCLOSURE, KEPT_IDENTITY
from shared.database.contract import Database, Row, Transaction

PART_MAX = 256
"""Rows that one transaction orders removed: a webhook waits no longer than that takes."""

_TURN = "SELECT people FROM content_store"
_NEXT_PART = "SELECT log_entry, subject FROM erasure WHERE parting = 1 ORDER BY ordered_at, log_entry LIMIT 1"
_OF_PERSON = of_person(
    "m.id, m.mark, m.key",
    lambda table: f"m.keep <> 'tombstoned' AND NOT {kept(table, 'erase', 'm')}",
    "LIMIT :most",
)
_PARTS: tuple[tuple[str, str, Literal["message", "event"]], ...] = (
    ("messages", _OF_PERSON[0], "message"),
    ("messages", _OF_PERSON[1], "message"),
    ("events", _OF_PERSON[2], "event"),
)
# A hold on what was said keeps who said it.
_NO_HOLD = (
    "NOT EXISTS (SELECT 1 FROM hold h WHERE h.subject = :subject AND h.released_at IS NULL AND h.stops_erase = 1)"
)
NAMES = f"""
SELECT i.id, CAST(NULL AS BLOB), i.key FROM identity i JOIN subject p ON p.id = i.subject
WHERE i.subject = :subject AND {_NO_HOLD} AND NOT {KEPT_IDENTITY}
  AND NOT EXISTS (SELECT 1 FROM log_entry l WHERE l.key = i.key AND l.state <> 'done') LIMIT :most
"""  # noqa: S608 - constants of this page
SHOWINGS = f"""
SELECT x.id FROM disclosure x WHERE x.subject = :subject AND {_NO_HOLD} AND NOT {KEPT_DISCLOSURE}
  AND NOT EXISTS (SELECT 1 FROM outbox o WHERE o.mark = x.mark AND o.body IS NULL) LIMIT :most
"""  # noqa: S608 - constants of this page
_FORGET_SHOWING = "DELETE FROM disclosure WHERE id = :id"
_KEEP_PLACES = "UPDATE erasure SET places = COALESCE(places, CAST(:places AS BLOB)) WHERE log_entry = :entry"
_ORDER_PART = """
INSERT INTO log_entry (id, act, reason, state, mark, key, ordered_at)
VALUES (:id, 'part', 'outside_hold', 'ordered', :mark, :key, :now) ON CONFLICT (id) DO NOTHING
"""
_COUNT = """
UPDATE erasure SET {0} = {0} + :rows, parted = parted + :keys, derivatives = derivatives + :made WHERE log_entry = :id
"""
_NO_MORE = "UPDATE erasure SET parting = 0 WHERE log_entry = :entry"


async def order_part(database: Database, now: int) -> int:
    """Order a batch of what an erasure that waits may let go already; give how many rows, 0 where there are none."""
    async with database.write() as transaction:
        await transaction.fetch(_TURN + database.dialect.row_lock)
        found = await transaction.fetch(_NEXT_PART)
        if not found:
            return 0
        entry, subject = found[0]
        for column, select, table in _PARTS:
            rows = await transaction.fetch(select, {"subject": subject, "most": PART_MAX})
            if rows:
                await _order(transaction, entry, table, rows, now)
                ids = [(row,) for row, _, _ in rows]
                hide = f"UPDATE {table} SET keep = 'tombstoned' WHERE id = :id"  # noqa: S608 - one of two names
                await transaction.execute_many(hide, ids)
                made = (
                    await order_of_gone(transaction, subject, entry, "outside_hold", now) if table == "message" else 0
                )
                await _count(transaction, entry, column, len(rows), len(rows) + made, made)
                return len(rows)
        if rows := await transaction.fetch(NAMES, {"subject": subject, "most": PART_MAX}):
            await _order(transaction, entry, "identity", rows, now)
            await _count(transaction, entry, "identities", len(rows), len(rows), 0)
            return len(rows)
        if rows := await transaction.fetch(SHOWINGS, {"subject": subject, "most": PART_MAX}):
            places = places_of(await transaction.fetch(OF_SUBJECT, {"about": subject}))
            await transaction.execute(_KEEP_PLACES, {"places": write_places(places), "entry": entry})
            await transaction.execute_many(_FORGET_SHOWING, [(row,) for (row,) in rows])
            await _count(transaction, entry, "views", len(rows), 0, 0)
            return len(rows)
        await transaction.execute(_NO_MORE, {"entry": entry})
    return 0


async def _order(transaction: Transaction, entry: str, table: str, rows: list[Row], now: int) -> None:
    """Order rows destroyed: row id, mark and key of each."""
    orders = [(f"{entry}-{table[0]}{row}", mark, key, now) for row, mark, key in rows]
    await transaction.execute_many(_ORDER_PART, orders)


async def _count(transaction: Transaction, entry: str, column: str, rows: int, keys: int, made: int) -> None:
    """Add to what went of an erasure; ``column`` is one of this page's."""
    await transaction.execute(_COUNT.format(column), {"rows": rows, "keys": keys, "made": made, "id": entry})
