"""What an erasure that waits under a hold may let go already: what was said outside the time that the hold covers."""

from typing import Literal

from edge_node.storage.content.derivatives import order_of_gone
from edge_node.storage.content.holds import PARTING
from edge_node.storage.content.keeping import covered
from shared.database.contract import Database

PART_MAX = 256
"""Rows that one transaction orders removed: a webhook waits no longer than that takes."""

_TURN = "SELECT people FROM content_store"
_NEXT_PART = "SELECT log_entry, subject FROM erasure WHERE parting = 1 ORDER BY ordered_at, log_entry LIMIT 1"
_OF_DIRECT = f"""
SELECT m.id, m.mark, m.key FROM conversation c JOIN message m ON m.conversation = c.id
WHERE c.subject = :subject AND m.keep <> 'tombstoned' AND NOT {covered("message", "erase", "m")} LIMIT :most
"""  # noqa: S608 - constants of this page
_OF_GROUPS = f"""
SELECT m.id, m.mark, m.key FROM message m
WHERE m.subject = :subject AND m.grouped = 1 AND m.keep <> 'tombstoned' AND NOT {covered("message", "erase", "m")}
LIMIT :most
"""  # noqa: S608 - constants of this page
_OF_EVENTS = f"""
SELECT m.id, m.mark, m.key FROM event m
WHERE m.subject = :subject AND m.keep <> 'tombstoned' AND NOT {covered("event", "erase", "m")} LIMIT :most
"""  # noqa: S608 - constants of this page
_PARTS: tuple[tuple[str, str, Literal["message", "event"]], ...] = (
    ("messages", _OF_DIRECT, "message"),
    ("messages", _OF_GROUPS, "message"),
    ("events", _OF_EVENTS, "event"),
)
_ORDER_PART = """
INSERT INTO log_entry (id, act, reason, state, mark, key, ordered_at)
VALUES (:id, 'part', 'outside_hold', 'ordered', :mark, :key, :now) ON CONFLICT (id) DO NOTHING
"""


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
                orders = [(f"{entry}-{table[0]}{row}", mark, key, now) for row, mark, key in rows]
                await transaction.execute_many(_ORDER_PART, orders)
                ids = [(row,) for row, _, _ in rows]
                hide = f"UPDATE {table} SET keep = 'tombstoned' WHERE id = :id"  # noqa: S608 - one of two names
                await transaction.execute_many(hide, ids)
                if table == "message":
                    await order_of_gone(transaction, subject, entry, "outside_hold", now)
                count = f"UPDATE erasure SET {column} = {column} + :rows, parted = parted + :rows WHERE log_entry = :id"  # noqa: S608
                await transaction.execute(count, {"rows": len(rows), "id": entry})
                return len(rows)
        await transaction.execute(PARTING, {"parting": 0, "entry": entry})
    return 0
