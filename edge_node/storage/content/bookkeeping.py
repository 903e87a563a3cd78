"""Bookkeeping and marks whose time is over: deleted in batches, each by the index on its time."""

from typing import Literal

from edge_node.core.retention import Class
from edge_node.storage.content.head import turn
from edge_node.storage.content.keeping import by_law
from edge_node.storage.content.retention import OVERDUE_MAX
from shared.database.contract import Database, Step

_KEPT = f"""
(EXISTS (SELECT 1 FROM hold h WHERE h.subject = disclosure.subject AND h.released_at IS NULL AND h.stops_expire = 1
    AND (h.kinds = '' OR h.kinds LIKE '%|disclosure/disclosure|%'))
 OR {by_law("disclosure", "expire", "disclosure.subject", "'disclosure'", "disclosure.at")})
"""  # noqa: S608 - constants of this folder
"""A hold of its subject, or a law, keeps the record of a showing."""

Mark = Literal["tombstone", "suppression"]
MARKS: tuple[Mark, ...] = ("tombstone", "suppression")
_WHERE: dict[Class | Mark, tuple[str, str, str]] = {
    "lookup": ("lookup", "id", "at < :before ORDER BY at"),
    # A rule of the policy may want it on record for longer than the period.
    "disclosure": (
        "disclosure",
        "id",
        f"closed_at IS NOT NULL AND closed_at < :before AND kept_until <= :now AND NOT {_KEPT} ORDER BY closed_at",
    ),
    "decision": (
        "decision",
        "second, operation, data_class, purpose, subject, asker, role, outcome, rule, reason, bundle",
        "second < CAST(:before AS INTEGER) / 1000 ORDER BY second",
    ),
    "refusal": ("refusal", "account, reason, second", "second < CAST(:before AS INTEGER) / 1000 ORDER BY second"),
    # What a mark still names, or a receipt is owed for, stays.
    "log_entry": (
        "log_entry",
        "id",
        "state = 'done' AND done_at < :before "
        "AND NOT EXISTS (SELECT 1 FROM tombstone t WHERE t.log_entry = log_entry.id) "
        "AND NOT EXISTS (SELECT 1 FROM suppression s WHERE s.log_entry = log_entry.id) "
        "AND NOT EXISTS (SELECT 1 FROM command c WHERE c.log_entry = log_entry.id "
        "AND c.state IN ('waiting', 'working')) ORDER BY done_at",
    ),
    # Marks live from when their removal was done: while it waits under a hold, for good.
    "tombstone": (
        "tombstone",
        "mark",
        "at < :before AND NOT EXISTS (SELECT 1 FROM log_entry l WHERE l.id = tombstone.log_entry AND "
        "(l.state <> 'done' OR l.done_at >= :before)) ORDER BY at",
    ),
    "suppression": (
        "suppression",
        "mark",
        "at < :before AND NOT EXISTS (SELECT 1 FROM log_entry l WHERE l.id = suppression.log_entry AND "
        "(l.state <> 'done' OR l.done_at >= :before)) ORDER BY at",
    ),
}


async def delete_expired(database: Database, what: Class | Mark, before: int, most: int, now: int) -> int:
    """Delete a batch of bookkeeping, or of marks, older than ``before`` (ms) at ``now``; give how many."""
    table, key, where = _WHERE[what]
    names = f"({key})" if "," in key else key
    sql = f"DELETE FROM {table} WHERE {names} IN (SELECT {key} FROM {table} WHERE {where} LIMIT :most)"  # noqa: S608
    results = await database.run([turn(database), Step(sql, [(before, *((now,) if ":now" in where else ()), most)])])
    return results[1].changed


async def count_overdue(database: Database, what: Class | Mark, before: int, now: int) -> int:
    """Count bookkeeping, or marks, older than ``before`` (ms) at ``now``, up to ``OVERDUE_MAX``."""
    table, _, where = _WHERE[what]
    sql = f"SELECT count(*) FROM (SELECT 1 FROM {table} WHERE {where} LIMIT :most) AS due"  # noqa: S608
    parameters = {"before": before, "most": OVERDUE_MAX} | ({"now": now} if ":now" in where else {})
    async with database.read() as transaction:
        return int((await transaction.fetch(sql, parameters))[0][0])
