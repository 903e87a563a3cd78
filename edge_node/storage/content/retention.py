"""What has expired, by the index on its time, in pages; and its removal ordered.

A sweep looks at rows of a table (of events, of a kind) in the order of their arrival, in windows of the index, and
takes those of the classes and laws that have its period.  Its cursor stays where it is when it comes to the end, as
time goes on; a new pass begins at the oldest row.
"""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from edge_node.core.stored import Table
from edge_node.storage.content.commands import EXPIRED
from edge_node.storage.content.derivatives import steps_of_entries
from edge_node.storage.content.head import turn
from edge_node.storage.content.keeping import LAWS, class_words, kept
from edge_node.storage.content.sweeps import Due, read_progress
from shared.database.contract import Database, Step
from shared.policy.spans import FOR_EVER

WINDOW_ROWS = 4_096
"""Rows of the index that one page looks through for those of its period."""

OVERDUE_MAX = 10_000
"""Overdue rows are counted up to here, among four times as many: a count must not cost more than the sweep."""

_COLUMNS = """
m.id, m.mark, m.key, m.received_at, m.sealed, a.name, m.subject, m.conversation, CASE WHEN {held} THEN 1 ELSE 0 END,
{laws}, {data_class}
FROM {table} m JOIN account a ON a.id = m.account LEFT JOIN subject s ON s.id = m.subject
"""
_DUE = "m.keep = 'active' AND m.received_at < :before"
_OF_KIND = "m.kind = :kind AND "


def _ours(table: Table) -> str:
    """Give the condition that a row is of the classes and laws that a sweep is for; '' is all of them."""
    return f"(:only = '' OR CAST(:only AS TEXT) LIKE '%|' || {LAWS} || '/' || {class_words(table)} || '|%')"


def _select(table: Table, where: str, order: str = "") -> str:
    """Give a query for rows of a table as the sweeper sees them."""
    words = {"held": kept(table, "expire", "m"), "laws": LAWS, "data_class": class_words(table)}
    columns = _COLUMNS.format(table=table, **words)
    return f"SELECT {columns} WHERE {where} {order} LIMIT :most"


_AFTER = "AND (m.received_at, m.id) > (:received_at, :row)"
_UP_TO = "AND (m.received_at, m.id) <= (:end_at, :end_row)"
_IN_ORDER = "ORDER BY m.received_at, m.id"
_PAGE: dict[Table, str] = {
    "message": _select("message", f"{_DUE} {_AFTER} {_UP_TO} AND {_ours('message')}", _IN_ORDER),
    "event": _select("event", f"{_OF_KIND}{_DUE} {_AFTER} {_UP_TO} AND {_ours('event')}", _IN_ORDER),
}


def _window(table: Table, kind: str) -> str:
    """Give the query for the last row of a window."""
    rows = f"{kind}{_DUE} {_AFTER} {_IN_ORDER}"
    return f"SELECT m.received_at, m.id FROM {table} m WHERE {rows} LIMIT 1 OFFSET :most"  # noqa: S608 - ours


_WINDOW: dict[Table, str] = {"message": _window("message", ""), "event": _window("event", _OF_KIND)}


def _count(table: Table, kind: str) -> str:
    """Give the query that counts what a sweep still has to order."""
    rows = f"{kind}{_DUE} {_AFTER} {_UP_TO} AND {_ours(table)} AND NOT {kept(table, 'expire', 'm')}"
    who = f"FROM {table} m LEFT JOIN subject s ON s.id = m.subject"
    return f"SELECT count(*) FROM (SELECT 1 {who} WHERE {rows} LIMIT :most) AS due"  # noqa: S608 - ours


_COUNT: dict[Table, str] = {"message": _count("message", ""), "event": _count("event", _OF_KIND)}
# The others of the same owner that are due, too: so each bucket is wrapped again once.
_NEIGHBOURS: dict[Table, str] = {
    "message": _select("message", f"m.conversation = :owner AND m.at < :before AND {_DUE} AND {_ours('message')}"),
    "event": _select("event", f"m.subject = :owner AND {_OF_KIND}{_DUE} AND {_ours('event')}"),
}


def _order(table: Table) -> str:
    """Give the statement that puts an expired row into the log, where nothing has changed and no hold covers it."""
    return f"""
INSERT INTO log_entry (id, act, reason, state, mark, key, ordered_at)
SELECT CAST(:id AS TEXT), 'expire', 'retention', 'ordered', m.mark, m.key, CAST(:now AS INTEGER)
FROM {table} m WHERE m.id = CAST(:row AS INTEGER) AND m.key = CAST(:key AS INTEGER) AND m.keep = 'active'
  AND NOT {kept(table, "expire", "m")}
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
# What another node still shows is taken back there the way a recall is.
_NOTE = """
INSERT INTO outbox (id, kind, mark, created_at)
SELECT CAST(:notice AS TEXT), 'recall', l.mark, CAST(:now AS INTEGER) FROM log_entry l
WHERE l.id = :id AND EXISTS (SELECT 1 FROM disclosure d WHERE d.mark = l.mark AND d.closed_at IS NULL)
  AND EXISTS (SELECT 1 FROM uplink)
"""
_RETRACT = """
INSERT INTO view_event (view, kind, disclosure) SELECT s.view, 'retracted', s.disclosure
FROM log_entry l JOIN shown s ON s.mark = l.mark WHERE l.id = :id
"""
_UNSHOW = "DELETE FROM shown WHERE mark = (SELECT mark FROM log_entry WHERE id = :id)"
_OPEN = "SELECT count(*) FROM log_entry WHERE state <> 'done' AND act = 'expire'"

_BEGIN = """
INSERT INTO retention_progress (class, received_at, last_row, swept_at, began_at, left_over)
VALUES (:class, -1, 0, 0, :now, 0)
ON CONFLICT (class) DO UPDATE SET received_at = -1, last_row = 0, began_at = excluded.began_at, left_over = 0
"""
_PROGRESS = """
UPDATE retention_progress SET received_at = :received_at, last_row = :row, left_over = left_over + :left
WHERE class = :class
"""
_ENDED = "UPDATE retention_progress SET swept_at = :now WHERE class = :class"


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
    """1 where a hold covers it, or a law keeps it."""
    law: str
    """Whose law may apply, as :data:`keeping.LAWS` writes it."""
    data_class: str


class Cursor(NamedTuple):
    """How far a sweep has come: time of arrival (ms) and row of the last one looked at."""

    received_at: int = -1
    row: int = 0


class Came(NamedTuple):
    """How far a batch brings a sweep."""

    to: Cursor
    left: int
    """Rows that are due and could not be ordered."""
    begun: bool
    """It was the first of a pass."""
    ended: bool
    """It came to the end."""


class Order(NamedTuple):
    """An expired row to be removed: its log entry's id, row and key, and the tombstone of a message."""

    log_entry: str
    row: int
    key: int
    tombstone: bytes | None
    tombstone_version: int
    notice: str = ""
    """Opaque id under which the control plane is told of a message, where it was shown elsewhere."""


async def read_expired(database: Database, due: Due, after: Cursor, most: int) -> tuple[list[Expired], Cursor | None]:
    """Give a page of rows that are due, in the order of their arrival; what a duty keeps among them.

    The page comes from a window of the index; the cursor is where the window ends, ``None`` where it reaches what is
    not due yet.
    """
    begins = {"received_at": after.received_at, "row": after.row}
    async with database.read() as transaction:
        ends = await transaction.fetch(_WINDOW[due.table], due.parameters(**begins, most=WINDOW_ROWS - 1))
        end = Cursor(*ends[0]) if ends else Cursor(due.before, FOR_EVER)
        parameters = due.parameters(**begins, end_at=end.received_at, end_row=end.row, most=most)
        rows = await transaction.fetch(_PAGE[due.table], {**parameters, "only": due.only})
    return [Expired(*row) for row in rows], end if ends else None


async def read_neighbours(database: Database, due: Due, rows: Iterable[Expired], most: int) -> list[Expired]:
    """Give the rows that are due of the conversations (events: the subjects) of ``rows``, up to ``most`` of each."""
    owners = {row.conversation if due.table == "message" else row.subject for row in rows} - {None}
    kind = (due.kind,) if due.table == "event" else ()
    values = [(owner, *kind, due.before, due.only, most) for owner in owners]
    async with database.read() as transaction:
        found = await transaction.fetch_many(_NEIGHBOURS[due.table], values)
    return [Expired(*each) for each in found]


async def order_expired(database: Database, due: Due, orders: Sequence[Order], came: Came, now: int) -> int:
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
            notices = [(f"{EXPIRED}{each.notice}", now, each.log_entry) for each in orders]
            steps += [Step(_NOTE, notices), Step(_RETRACT, ids), Step(_UNSHOW, ids)]
    if came.begun:
        steps.append(Step(_BEGIN, [(due.name, now)]))
    steps.append(Step(_PROGRESS, [(*came.to, came.left, due.name)]))
    if came.ended:
        steps.append(Step(_ENDED, [(now, due.name)]))
    results = await database.run(steps)
    return results[1].changed if orders else 0


async def count_open_expiries(database: Database) -> int:
    """Count the expired rows whose removal is ordered and not done."""
    async with database.read() as transaction:
        return int((await transaction.fetch(_OPEN))[0][0])


async def count_due(database: Database, due: Due) -> int:
    """Count content whose time is over and which nothing keeps, up to ``OVERDUE_MAX``, from where the sweep is.

    What its pass could not order is counted with it.
    """
    progress = await read_progress(database, due)
    begins = (
        {"received_at": progress.received_at, "row": progress.row}
        if progress.began_at
        else {"received_at": -1, "row": 0}
    )
    async with database.read() as transaction:
        ends = await transaction.fetch(_WINDOW[due.table], due.parameters(**begins, most=4 * OVERDUE_MAX))
        end = Cursor(*ends[0]) if ends else Cursor(due.before, FOR_EVER)
        parameters = due.parameters(**begins, end_at=end.received_at, end_row=end.row, most=OVERDUE_MAX)
        found = await transaction.fetch(_COUNT[due.table], {**parameters, "only": due.only})
    return min(int(found[0][0]) + (progress.left_over if progress.began_at else 0), OVERDUE_MAX)
