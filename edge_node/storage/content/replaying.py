"""What the tombstone journal says was let go since a backup, ordered again in the restored content store.

A line becomes the log entry that it was, already journaled, over whatever the restored store still has of it; the
remover carries it out like every other.  What only waited under a hold is ordered again, and waits where a hold stands.
Every line may be replayed any number of times.
"""

from collections.abc import Collection, Sequence

from edge_node.core.keeping import GONE
from edge_node.storage.content.derivatives import order_of_subject, steps_of_entries
from edge_node.storage.content.erasures import impose, suppress
from edge_node.storage.content.keeping import kept
from edge_node.storage.content.owing_again import note_recalls_again, owe_cases_again
from edge_node.storage.journal import JournalEntry
from shared.database.contract import Database, Transaction

NOTHING = frozenset({"backup", "epoch", "hold", "restore", "unhold"})
"""Acts of the journal that let nothing go here."""

INDEXES = (
    "CREATE INDEX IF NOT EXISTS replayed_message ON message (key)",
    "CREATE INDEX IF NOT EXISTS replayed_event ON event (key)",
)
"""Rows are found by their key while a journal is replayed, and never else."""
NO_INDEXES = ("DROP INDEX IF EXISTS replayed_message", "DROP INDEX IF EXISTS replayed_event")

_TURN = "SELECT people FROM content_store"


def _entry(table: str, mark: str) -> str:
    """Give the statement that orders, as the journal has it, what a table holds under a key."""
    return f"""
INSERT INTO log_entry (id, act, reason, state, mark, key, ordered_at)
SELECT CAST(:id AS TEXT), CAST(:act AS TEXT), CAST(:reason AS TEXT), 'journaled', {mark}, key, CAST(:at AS INTEGER)
FROM {table} WHERE key = :key
ON CONFLICT (id) DO UPDATE SET held = 0,
    state = CASE WHEN log_entry.state = 'ordered' THEN 'journaled' ELSE log_entry.state END
"""  # noqa: S608 - constants of this page


_TABLES = (
    ("message", "mark"),
    ("event", "mark"),
    ("derivative", "CAST(NULL AS BLOB)"),
    ("shown", "CAST(NULL AS BLOB)"),
    ("quarantined", "CAST(NULL AS BLOB)"),
)
_ENTRIES = tuple(_entry(table, mark) for table, mark in _TABLES)
_HIDES = tuple(
    f"UPDATE {table} SET keep = 'tombstoned' WHERE key = :key"  # noqa: S608 - constants of this page
    for table, _ in _TABLES
)
# A key that the key backup has brought back, of something that this copy of the content never had.
_KEY_ALONE = """
INSERT INTO log_entry (id, act, reason, state, key, ordered_at)
VALUES (:id, :act, :reason, 'journaled', :key, :at) ON CONFLICT (id) DO NOTHING
"""
_BURY = """
INSERT INTO tombstone (mark, key_version, at, log_entry) VALUES (:mark, :key_version, :at, :id)
ON CONFLICT (mark) DO NOTHING
"""


# Of a store that never knew a policy, or not the one by which it waits, nobody can say what a law keeps: then what
# waited goes on waiting.
_NO_LAW = "NOT EXISTS (SELECT 1 FROM law_duties WHERE version > 0 AND version >= awaited)"


def _held(table: str) -> tuple[str, str]:
    """Give the statements that take back again what a hold kept, as far as one still does."""
    stands = f"({kept('message' if table == 'message' else 'event', 'recall')} OR {_NO_LAW})"
    return (
        f"""
INSERT INTO log_entry (id, act, reason, state, mark, key, ordered_at, held)
SELECT CAST(:id AS TEXT), 'recall', CAST(:reason AS TEXT), CASE WHEN {stands} THEN 'journaled' ELSE 'ordered' END,
       mark, key, CAST(:at AS INTEGER), CASE WHEN {stands} THEN 1 ELSE 0 END
FROM {table} WHERE key = :key ON CONFLICT (id) DO NOTHING
""",  # noqa: S608 - constants of this page
        f"""
UPDATE {table} SET keep = CASE WHEN {stands} THEN 'held' ELSE 'tombstoned' END WHERE key = :key AND keep <> 'tombstoned'
""",  # noqa: S608 - constants of this page
    )


_HELD = (*_held("message"), *_held("event"))
_SUBJECT = "SELECT id, keep FROM subject WHERE pseudonym = :pseudonym"
# The same one, or one that was ordered anew while the store was in quarantine.
_UNDER_WAY = "SELECT log_entry FROM erasure WHERE subject = :subject AND finished_at IS NULL"
_GOES_ON = """
UPDATE log_entry SET held = 0, state = CASE WHEN state = 'ordered' THEN 'journaled' ELSE state END WHERE id = :id
"""
_GO = "UPDATE subject SET keep = 'tombstoned' WHERE id = :subject AND keep = 'held'"
# A command that was told again after the restore, and before its line was replayed, was carried out long ago: what was
# sent between is a new contact's and must not stay out.
_UNSUPPRESS = """
DELETE FROM suppression WHERE log_entry IN
(SELECT log_entry FROM erasure WHERE subject = :subject AND log_entry <> :id AND ordered_at > :at)
"""
_WHOLLY = "UPDATE erasure SET parting = 0 WHERE log_entry = :id"


async def replay(database: Database, lines: Sequence[JournalEntry], revived: Collection[int], now: int) -> None:
    """Order again what some lines of the journal, in their order, let go; nothing else of them is left to do here.

    ``revived``: those of the lines' keys that the key store has.  ``now`` (ms) is before the restore: with it goes what
    the lines do not name because it follows from them.
    """
    async with database.write() as transaction:
        await transaction.fetch(_TURN + database.dialect.row_lock)
        for line in lines:
            if line.act == "erase":
                await _erase(transaction, line, now)
        rows = [line for line in lines if line.act not in NOTHING and line.act != "erase"]
        await note_recalls_again(transaction, rows, now)
        await _take_back(transaction, [line for line in rows if line.held and line.key is not None])
        await _let_go(transaction, [line for line in rows if not line.held and line.key is not None], revived, now)
        tombs = [
            (bytes.fromhex(line.tombstone), line.tombstone_version, line.ordered_at, line.log_entry)
            for line in rows
            if line.tombstone is not None
        ]
        if tombs:
            await transaction.execute_many(_BURY, tombs)


async def _let_go(transaction: Transaction, lines: Sequence[JournalEntry], revived: Collection[int], now: int) -> None:
    """Order what was destroyed: its row, or its key alone."""
    if not lines:
        return
    orders = [(line.log_entry, line.act, line.reason, line.ordered_at, line.key) for line in lines]
    for entry, hide in zip(_ENTRIES, _HIDES, strict=True):
        await transaction.execute_many(entry, orders)
        await transaction.execute_many(hide, [(line.key,) for line in lines])
    alone = [
        (line.log_entry, line.act, line.reason, line.key, line.ordered_at) for line in lines if line.key in revived
    ]
    if alone:
        await transaction.execute_many(_KEY_ALONE, alone)
    for step in steps_of_entries([line.log_entry for line in lines], "restored", now):
        await transaction.execute_many(step.sql, step.rows)


async def _take_back(transaction: Transaction, lines: Sequence[JournalEntry]) -> None:
    """Take back again what waited under a hold, or for a law."""
    if not lines:
        return
    for place, sql in enumerate(_HELD):
        rows = (
            [(line.key,) for line in lines]
            if place % 2
            else [(line.log_entry, line.reason, line.ordered_at, line.key) for line in lines]
        )
        await transaction.execute_many(sql, rows)


async def _erase(transaction: Transaction, line: JournalEntry, now: int) -> None:
    """Order a person erased again, or let what is under way go on."""
    marks = [(bytes.fromhex(mark), version, at, line.log_entry) for mark, version, at in line.suppressed]
    found = await transaction.fetch(_SUBJECT, {"pseudonym": line.owner or ""})
    await owe_cases_again(transaction, line, found[0][0] if found else None, now)
    if found:
        anew = {"subject": found[0][0], "id": line.log_entry, "at": line.ordered_at}
        await transaction.execute(_UNSUPPRESS, anew)
    if not found or found[0][1] == GONE:
        await suppress(transaction, marks)
        return
    subject, under_way = found[0][0], await transaction.fetch(_UNDER_WAY, {"subject": found[0][0]})
    entry = {"id": under_way[0][0] if under_way else line.log_entry}
    if not under_way:
        waits = line.held and bool(await transaction.fetch(f"SELECT 1 WHERE {_NO_LAW}"))
        await impose(transaction, line.log_entry, line.reason, "node", subject, marks, line.ordered_at, waits=waits)
    if not line.held:
        await transaction.execute(_GOES_ON, entry)
        await transaction.execute(_WHOLLY, entry)
        await transaction.execute(_GO, {"subject": subject})
        await order_of_subject(transaction, subject, entry["id"], line.reason, now)
    await suppress(transaction, marks)
