"""What is made from messages, in the content store: recorded with what it came from, and gone with any of it.

A derivative goes as a message does: a log entry (``underive``) in the transaction that takes its message back, then the
journal, the key, the file, the row.  A subject's own go with all of its keys; one that is somebody else's but was made
from the subject's messages has an entry of its own.
"""

from collections.abc import Sequence
from typing import NamedTuple

from edge_node.storage.content.head import turn
from shared.database.contract import Database, Step, Transaction

ROWS_MAX = 200
"""Derivatives removed in one transaction; each may have a file."""

_ORDER = """
INSERT INTO log_entry (id, act, reason, state, key, ordered_at)
SELECT CAST(:id AS TEXT) || '-d' || CAST(d.id AS TEXT), 'underive', CAST(:reason AS TEXT), 'ordered', d.key,
       CAST(:now AS INTEGER)
FROM derivative d WHERE d.keep = 'active'
"""
_OF_MARK = "id IN (SELECT derivative FROM derived_from WHERE mark = :mark)"
# A hold that keeps the message keeps what was made from it.
_NOT_HELD = "NOT EXISTS (SELECT 1 FROM message WHERE mark = :mark AND keep = 'held')"
_ORDER_OF_MARK = f"{_ORDER} AND {_OF_MARK} AND {_NOT_HELD}"
_HIDE_OF_MARK = f"UPDATE derivative SET keep = 'tombstoned' WHERE keep = 'active' AND {_OF_MARK} AND {_NOT_HELD}"  # noqa: S608 - ours
_OF_ENTRY = "id IN (SELECT f.derivative FROM derived_from f JOIN log_entry l ON l.mark = f.mark WHERE l.id = :id)"
_ORDER_OF_ENTRY = f"{_ORDER} AND {_OF_ENTRY}"
_HIDE_OF_ENTRY = f"UPDATE derivative SET keep = 'tombstoned' WHERE keep = 'active' AND {_OF_ENTRY}"  # noqa: S608 - ours
_OF_GONE = """
id IN (SELECT f.derivative FROM derived_from f JOIN message m ON m.mark = f.mark
       WHERE f.subject = :subject AND m.keep = 'tombstoned')
"""
_ORDER_OF_GONE = f"{_ORDER} AND {_OF_GONE}"
_HIDE_OF_GONE = f"UPDATE derivative SET keep = 'tombstoned' WHERE keep = 'active' AND {_OF_GONE}"  # noqa: S608 - ours
_OTHERS = """
id IN (SELECT derivative FROM derived_from WHERE subject = :subject)
AND COALESCE(subject, 0) <> CAST(:subject AS INTEGER)
"""
_ORDER_OTHERS = f"{_ORDER} AND {_OTHERS}"
_HIDE_OTHERS = f"UPDATE derivative SET keep = 'tombstoned' WHERE keep = 'active' AND {_OTHERS}"  # noqa: S608 - ours
_ORDER_ONE = f"{_ORDER} AND d.key = :key"
_HIDE_ONE = "UPDATE derivative SET keep = 'tombstoned' WHERE keep = 'active' AND key = :key"
_FILE = "SELECT file FROM derivative WHERE key = :key AND file IS NOT NULL"
_FORGET = "DELETE FROM derivative WHERE key = :key AND keep = 'tombstoned'"

_INSERT = """
INSERT INTO derivative (kind, subject, conversation, at, keep, key, sealed, file, whole)
SELECT CAST(:kind AS TEXT), subject, conversation, at, 'active', CAST(:key AS INTEGER), CAST(:sealed AS BLOB),
       CAST(:file AS TEXT), 0
FROM message m WHERE m.mark = :mark AND m.key = :message_key AND m.keep = 'active' AND m.media <> m.key
  AND (m.subject IS NULL OR EXISTS (SELECT 1 FROM subject s WHERE s.id = m.subject AND s.keep = 'active'))
"""
_RECORD = """
INSERT INTO derived_from (derivative, mark, subject)
SELECT d.id, m.mark, m.subject FROM derivative d, message m WHERE d.key = :key AND m.mark = :mark
"""
_UNRECORDED = """
SELECT count(*) FROM derivative d WHERE NOT EXISTS (SELECT 1 FROM derived_from f WHERE f.derivative = d.id)
"""
_LEFT = """
SELECT DISTINCT d.key FROM derivative d JOIN derived_from f ON f.derivative = d.id
WHERE d.keep = 'active' AND d.id > :after AND d.id <= :upto
  AND (d.subject IS NULL OR EXISTS (SELECT 1 FROM subject s WHERE s.id = d.subject AND s.keep = 'active'))
  AND NOT EXISTS (SELECT 1 FROM message m WHERE m.mark = f.mark AND m.keep <> 'tombstoned')
"""
_LEFT_OF_GONE = """
SELECT DISTINCT d.key FROM derivative d JOIN subject s ON s.id = d.subject
WHERE d.keep = 'active' AND d.id > :after AND d.id <= :upto AND s.keep = 'gone'
"""
_LAST = "SELECT COALESCE(max(id), 0) FROM derivative"
_OF_SUBJECT = "SELECT id, file FROM derivative WHERE subject = :subject ORDER BY id LIMIT :most"
_REMOVE_ROW = "DELETE FROM derivative WHERE id = :id"
_COUNT = "UPDATE erasure SET derivatives = derivatives + :count WHERE log_entry = :id"


class NewDerivative(NamedTuple):
    """A derivative of one message; ``message_key`` is the key of the message it was made from."""

    kind: str
    key: int
    sealed: bytes
    file: str | None
    mark: bytes
    message_key: int


def insert_steps(new: NewDerivative) -> list[Step]:
    """Give the statements that keep a derivative together with what it came from.

    Nothing is kept where the message was taken back, edited or looked after meanwhile, or its subject is going.
    """
    return [
        Step(_INSERT, [(new.kind, new.key, new.sealed, new.file, new.mark, new.message_key)]),
        Step(_RECORD, [(new.key, new.mark)]),
    ]


def steps_of_messages(orders: Sequence[tuple[str, bytes]], reason: str, now: int) -> list[Step]:
    """Give the statements that order every derivative of some messages destroyed, by log entry and mark.

    They follow those that hide the messages, in the same transaction; what a hold keeps is left alone.
    """
    return [
        Step(_ORDER_OF_MARK, [(entry, reason, now, mark) for entry, mark in orders]),
        Step(_HIDE_OF_MARK, [(mark,) for _, mark in orders]),
    ]


def steps_of_entries(entries: Sequence[str], reason: str, now: int) -> list[Step]:
    """Do the same for messages whose removal log entries have ordered: by the entries alone."""
    return [
        Step(_ORDER_OF_ENTRY, [(entry, reason, now) for entry in entries]),
        Step(_HIDE_OF_ENTRY, [(entry,) for entry in entries]),
    ]


async def order_of_gone(transaction: Transaction, subject: int, log_entry: str, reason: str, now: int) -> int:
    """Order what was made from a subject's messages that go now, whoever it belongs to; give how much."""
    facts: dict[str, str | int] = {"id": log_entry, "reason": reason, "now": now, "subject": subject}
    ordered = await transaction.execute(_ORDER_OF_GONE, facts)
    await transaction.execute(_HIDE_OF_GONE, {"subject": subject})
    return ordered


def order_steps(log_entry: str, reason: str, key: int, now: int) -> list[Step]:
    """Give the statements that order one derivative destroyed; a repetition changes nothing."""
    return [Step(_ORDER_ONE, [(log_entry, reason, now, key)]), Step(_HIDE_ONE, [(key,)])]


async def order_of_subject(transaction: Transaction, subject: int, log_entry: str, reason: str, now: int) -> None:
    """Order what others own but was made from a subject's messages, with the order that erases the subject."""
    facts: dict[str, str | int] = {"id": log_entry, "reason": reason, "now": now, "subject": subject}
    await transaction.execute(_ORDER_OTHERS, facts)
    await transaction.execute(_HIDE_OTHERS, {"subject": subject})


async def files_of(database: Database, keys: Sequence[int]) -> list[str]:
    """Give the names of the files that derivatives have, by key."""
    async with database.read() as transaction:
        return [row[0] for key in keys for row in await transaction.fetch(_FILE, {"key": key})]


def forget_steps(keys: Sequence[int]) -> list[Step]:
    """Give the statement that removes the rows whose keys and files are gone."""
    return [Step(_FORGET, [(key,) for key in keys])] if keys else []


async def of_subject(database: Database, subject: int) -> list[tuple[int, str | None]]:
    """Give a batch of a subject's derivatives: row, and the name of the file."""
    async with database.read() as transaction:
        rows = await transaction.fetch(_OF_SUBJECT, {"subject": subject, "most": ROWS_MAX})
    return [(row[0], row[1]) for row in rows]


async def remove_of_subject(database: Database, rows: Sequence[int], erasure: str) -> None:
    """Remove a batch of an erased subject's derivatives whose files are gone, counted with the erasure."""
    steps = [turn(database), Step(_REMOVE_ROW, [(row,) for row in rows]), Step(_COUNT, [(len(rows), erasure)])]
    await database.run(steps)


async def left_behind(database: Database, after: int, most: int) -> tuple[list[int], int]:
    """Give the keys of derivatives whose message or subject is gone, among ``most`` rows; and where to go on, 0: done.

    There are none, unless a release that knows no derivatives took a message back.
    """
    window = {"after": after, "upto": after + most}
    async with database.read() as transaction:
        keys = [row[0] for sql in (_LEFT, _LEFT_OF_GONE) for row in await transaction.fetch(sql, window)]
        last = (await transaction.fetch(_LAST))[0][0]
    return sorted(set(keys)), after + most if after + most < last else 0


async def order_left(database: Database, log_entry: str, key: int, now: int) -> None:
    """Order one derivative destroyed that was left behind."""
    await database.run([turn(database), *order_steps(log_entry, "left_behind", key, now)])


async def unrecorded(database: Database) -> int:
    """Count derivatives that do not say what they came from: there must be none."""
    async with database.read() as transaction:
        return int((await transaction.fetch(_UNRECORDED))[0][0])
