"""What has expired, by the index on its time, in pages; its removal ordered; bookkeeping whose time is over deleted."""

from collections.abc import Iterable, Sequence
from typing import Literal, NamedTuple

from edge_node.core.retention import Class
from edge_node.storage.content.derivatives import steps_of_entries
from edge_node.storage.content.head import turn
from edge_node.storage.content.keeping import covered
from shared.database.contract import Database, Step

Table = Literal["message", "event"]

OVERDUE_MAX = 10_000
"""Overdue rows are counted up to here: a count must not cost more than the sweep."""

_COLUMNS = """
m.id, m.mark, m.key, m.received_at, m.sealed, a.name, m.subject, m.conversation, CASE WHEN {held} THEN 1 ELSE 0 END
FROM {table} m JOIN account a ON a.id = m.account
"""
_DUE = "m.keep = 'active' AND m.received_at < :before"
_OF_KIND = "m.kind = :kind AND "


def _select(table: Table, where: str, order: str = "") -> str:
    """Give a query for rows of a table as the sweeper sees them."""
    columns = _COLUMNS.format(table=table, held=covered(table, "expire", "m"))
    return f"SELECT {columns} WHERE {where} {order} LIMIT :most"


_AFTER = "AND (m.received_at, m.id) > (:received_at, :row)"
_IN_ORDER = "ORDER BY m.received_at, m.id"
_PAGE: dict[Table, str] = {
    "message": _select("message", f"{_DUE} {_AFTER}", _IN_ORDER),
    "event": _select("event", f"{_OF_KIND}{_DUE} {_AFTER}", _IN_ORDER),
}
# The others of the same owner that are due, too: so each bucket is wrapped again once.
_NEIGHBOURS: dict[Table, str] = {
    "message": _select("message", f"m.conversation = :owner AND m.at < :before AND {_DUE}"),
    "event": _select("event", f"m.subject = :owner AND {_OF_KIND}{_DUE}"),
}


def _order(table: Table) -> str:
    """Give the statement that puts an expired row into the log, where nothing has changed and no hold covers it."""
    return f"""
INSERT INTO log_entry (id, act, reason, state, mark, key, ordered_at)
SELECT CAST(:id AS TEXT), 'expire', 'retention', 'ordered', m.mark, m.key, CAST(:now AS INTEGER)
FROM {table} m WHERE m.id = CAST(:row AS INTEGER) AND m.key = CAST(:key AS INTEGER) AND m.keep = 'active'
  AND NOT {covered(table, "expire", "m")}
"""  # noqa: S608 - constants of this page


_ORDER: dict[Table, str] = {"message": _order("message"), "event": _order("event")}
_BURY = """
INSERT INTO tombstone (mark, key_version, at, log_entry)
SELECT CAST(:tombstone AS BLOB), CAST(:version AS INTEGER), ordered_at, id FROM log_entry WHERE id = CAST(:id AS TEXT)
ON CONFLICT (mark) DO NOTHING
"""
_HIDE: dict[Table, str] = {
    "message": "UPDATE message SET keep = 'tombstoned' WHERE id = :row AND keep = 'active' "
    "AND EXISTS (SELECT 1 FROM log_entry WHERE id = :id)",
    "event": "UPDATE event SET keep = 'tombstoned' WHERE id = :row AND keep = 'active' "
    "AND EXISTS (SELECT 1 FROM log_entry WHERE id = :id)",
}
_RETRACT = """
INSERT INTO view_event (view, kind, disclosure) SELECT s.view, 'retracted', s.disclosure
FROM log_entry l JOIN shown s ON s.mark = l.mark WHERE l.id = :id
"""
_UNSHOW = "DELETE FROM shown WHERE mark = (SELECT mark FROM log_entry WHERE id = :id)"
_OPEN = "SELECT count(*) FROM log_entry WHERE state <> 'done' AND act = 'expire'"

_READ_PROGRESS = "SELECT received_at, last_row FROM retention_progress WHERE class = :class"
_PROGRESS = """
INSERT INTO retention_progress (class, received_at, last_row, swept_at) VALUES (:class, :received_at, :row, :swept_at)
ON CONFLICT (class) DO UPDATE SET received_at = excluded.received_at, last_row = excluded.last_row,
    swept_at = CASE WHEN excluded.swept_at > 0 THEN excluded.swept_at ELSE retention_progress.swept_at END
"""

Mark = Literal["tombstone", "suppression"]
_WHERE: dict[Class | Mark, tuple[str, str, str]] = {
    "lookup": ("lookup", "id", "at < :before ORDER BY at"),
    "disclosure": ("disclosure", "id", "closed_at IS NOT NULL AND closed_at < :before ORDER BY closed_at"),
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


class Expired(NamedTuple):
    """A row whose time is over; field order is that of the query."""

    row: int
    mark: bytes
    key: int
    received_at: int
    sealed: bytes
    account: str
    subject: int | None
    conversation: int | None
    held: int
    """1 where a hold covers it."""


class Due(NamedTuple):
    """What a sweep looks at: rows of a table (for events, of a kind) that arrived before an instant (ms)."""

    table: Table
    kind: str
    before: int

    @property
    def name(self) -> str:
        """Name the sweep in the table of progress."""
        return f"{self.table}:{self.kind}" if self.kind else self.table

    def parameters(self, **more: int) -> dict[str, int | str]:
        """Give the parameters of a query about it."""
        return {"before": self.before, **({"kind": self.kind} if self.table == "event" else {}), **more}


class Cursor(NamedTuple):
    """How far a sweep has come: time of arrival (ms) and row of the last one looked at."""

    received_at: int = -1
    row: int = 0


class Order(NamedTuple):
    """An expired row to be removed: its log entry's id, row and key, and the tombstone of a message."""

    log_entry: str
    row: int
    key: int
    tombstone: bytes | None
    tombstone_version: int


async def read_progress(database: Database, due: Due) -> Cursor:
    """Give how far a sweep came before."""
    async with database.read() as transaction:
        rows = await transaction.fetch(_READ_PROGRESS, {"class": due.name})
    return Cursor(*rows[0]) if rows else Cursor()


async def read_expired(database: Database, due: Due, after: Cursor, most: int) -> list[Expired]:
    """Give a page of rows that are due, in the order of their arrival; what a hold covers among them."""
    parameters = due.parameters(received_at=after.received_at, row=after.row, most=most)
    async with database.read() as transaction:
        return [Expired(*row) for row in await transaction.fetch(_PAGE[due.table], parameters)]


async def read_neighbours(database: Database, due: Due, rows: Iterable[Expired], most: int) -> list[Expired]:
    """Give the rows that are due of the conversations (events: the subjects) of ``rows``, up to ``most`` of each."""
    owners = {row.conversation if due.table == "message" else row.subject for row in rows} - {None}
    kind = (due.kind,) if due.table == "event" else ()
    values = [(owner, *kind, due.before, most) for owner in owners]
    async with database.read() as transaction:
        found = await transaction.fetch_many(_NEIGHBOURS[due.table], values)
    return [Expired(*each) for each in found]


async def order_expired(database: Database, due: Due, orders: Sequence[Order], cursor: Cursor, now: int) -> int:
    """Order rows removed, all in one transaction with how far the sweep is; give how many were ordered.

    What was edited, taken back or put under a hold since it was read is left alone.
    """
    steps = [turn(database)]
    if orders:
        ids = [(each.log_entry,) for each in orders]
        tombs = [
            (each.tombstone, each.tombstone_version, each.log_entry) for each in orders if each.tombstone is not None
        ]
        steps.append(Step(_ORDER[due.table], [(each.log_entry, now, each.row, each.key) for each in orders]))
        if tombs:
            steps.append(Step(_BURY, tombs))
        steps.append(Step(_HIDE[due.table], [(each.row, each.log_entry) for each in orders]))
        if due.table == "message":
            steps += [*steps_of_entries([each.log_entry for each in orders], "expired", now)]
            steps += [Step(_RETRACT, ids), Step(_UNSHOW, ids)]
    steps.append(Step(_PROGRESS, [(due.name, cursor.received_at, cursor.row, 0)]))
    results = await database.run(steps)
    return results[1].changed if orders else 0


async def note_end(database: Database, due: Due, now: int) -> None:
    """Note that a sweep came to its end: the next one begins anew."""
    await database.run([Step(_PROGRESS, [(due.name, *Cursor(), now)])])


async def count_open_expiries(database: Database) -> int:
    """Count the expired rows whose removal is ordered and not done."""
    async with database.read() as transaction:
        return int((await transaction.fetch(_OPEN))[0][0])


async def delete_expired(database: Database, what: Class | Mark, before: int, most: int) -> int:
    """Delete a batch of bookkeeping, or of marks, older than ``before`` (ms); give how many."""
    table, key, where = _WHERE[what]
    names = f"({key})" if "," in key else key
    sql = f"DELETE FROM {table} WHERE {names} IN (SELECT {key} FROM {table} WHERE {where} LIMIT :most)"  # noqa: S608
    results = await database.run([turn(database), Step(sql, [(before, most)])])
    return results[1].changed


async def count_overdue(database: Database, what: Class | Mark, before: int) -> int:
    """Count bookkeeping, or marks, older than ``before`` (ms), up to ``OVERDUE_MAX``."""
    table, _, where = _WHERE[what]
    sql = f"SELECT count(*) FROM (SELECT 1 FROM {table} WHERE {where} LIMIT :most) AS due"  # noqa: S608
    async with database.read() as transaction:
        return int((await transaction.fetch(sql, {"before": before, "most": OVERDUE_MAX}))[0][0])


async def count_due(database: Database, due: Due) -> int:
    """Count content whose time is over and which no hold covers, up to ``OVERDUE_MAX``."""
    kind = _OF_KIND if due.table == "event" else ""
    where = f"{kind}{_DUE} AND NOT {covered(due.table, 'expire', 'm')}"
    sql = f"SELECT count(*) FROM (SELECT 1 FROM {due.table} m WHERE {where} LIMIT :most) AS due"  # noqa: S608
    async with database.read() as transaction:
        return int((await transaction.fetch(sql, due.parameters(most=OVERDUE_MAX)))[0][0])
