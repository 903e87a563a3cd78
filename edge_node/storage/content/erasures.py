"""Erasures in the content store: ordered with everything that makes them hold, carried out in small steps.

The order is one transaction: the subject is no longer found, its identities end, its suppression marks stand, the log
has its entry, whoever asked is owed a receipt, and the control plane a notice.  From its commit on nothing more is
taken in for the subject; keys and rows follow, or wait where a hold keeps them.
"""

from collections.abc import Callable, Sequence
from typing import Literal, NamedTuple

from edge_node.core.erasing import HOUR, Counts
from edge_node.core.suppression import suppressed_until
from edge_node.storage.content.commands import write_places
from edge_node.storage.content.derivatives import order_of_subject
from edge_node.storage.content.jurisdictions import FORGET, LAW
from edge_node.storage.content.resuming import hold_erasure
from edge_node.storage.content.views import retract_subject
from shared.crypto import BlindIndex
from shared.database.contract import Database, Transaction, Value
from shared.wire import Place

ROWS_MAX = 500
"""Rows that one transaction removes: a webhook waits no longer than that takes."""

Origin = Literal["node", "control"]
Outcome = Literal["ordered", "under_way", "gone", "held"]
May = Callable[[Sequence[int]], bool]
"""Says, from the times (ms) of erasures on the control plane's word, whether one more may be ordered now."""

_TURN = "SELECT people FROM content_store"
_SUBJECT = "SELECT id, keep FROM subject WHERE pseudonym = :pseudonym"
_IDENTITIES = "SELECT blind, valid_to FROM identity WHERE subject = :subject"
_UNDER_WAY = "SELECT log_entry FROM erasure WHERE subject = :subject AND finished_at IS NULL"
_BY_CONTROL = "SELECT ordered_at FROM erasure WHERE origin = 'control' AND ordered_at > :since"
_HIDE = "UPDATE subject SET keep = 'tombstoned', registered = 1 WHERE id = :subject"
_RAISE = "UPDATE content_store SET people = people + 1"
_END = "UPDATE identity SET valid_to = :now WHERE subject = :subject AND valid_to IS NULL"
_LOG = """
INSERT INTO log_entry (id, act, reason, state, ordered_at) VALUES (:id, 'erase', :reason, 'ordered', :now)
"""
_ERASURE = f"""
INSERT INTO erasure (log_entry, subject, origin, ordered_at, messages, events, identities, views, law)
SELECT CAST(:id AS TEXT), s.id, CAST(:origin AS TEXT), CAST(:now AS INTEGER), 0, 0, 0, 0, {LAW}
FROM subject s WHERE s.id = :subject
"""  # noqa: S608 - constants of this folder
_SUPPRESS = """
INSERT INTO suppression (mark, key_version, at, log_entry) VALUES (:mark, :key_version, :at, :log_entry)
ON CONFLICT (mark) DO UPDATE SET at = excluded.at, log_entry = excluded.log_entry WHERE excluded.at > suppression.at
"""
_OWE_CASE = """
INSERT INTO command (id, command_cursor, case_id, origin, kind, state, log_entry, received_at)
VALUES (:id, 0, :id, 'node', 'erase', 'working', :log_entry, :now)
"""
_OWE_COMMAND = "UPDATE command SET state = 'working', log_entry = :log_entry WHERE id = :id AND state = 'waiting'"
_NOTICE = """
INSERT INTO outbox (id, kind, body, created_at, law)
SELECT CAST(:id AS TEXT), 'case', CAST(:body AS BLOB), CAST(:now AS INTEGER), law FROM erasure WHERE log_entry = :entry
"""

_SOME = """
SELECT l.id, l.reason, l.state, l.ordered_at, e.subject, s.pseudonym, e.keys
FROM log_entry l JOIN erasure e ON e.log_entry = l.id JOIN subject s ON s.id = e.subject
WHERE {which} AND l.act = 'erase' ORDER BY l.ordered_at, l.id LIMIT 1
"""
_OPEN = _SOME.format(which="l.state <> 'done' AND l.held = 0")
_HELD_NEW = _SOME.format(which="l.state <> 'done' AND l.state = 'ordered' AND l.held = 1")
_MARKS = "SELECT mark, key_version, at FROM suppression WHERE log_entry = :id"
_CASES = "SELECT id FROM command WHERE log_entry = :id AND origin = 'node' ORDER BY id"
_JOURNALED = "UPDATE log_entry SET state = 'journaled' WHERE id = :id AND state = 'ordered' AND held = :held"
_DESTROYED = "UPDATE log_entry SET state = 'destroyed' WHERE id = :id AND state = 'journaled'"
_FREEZE = """
UPDATE erasure SET places = COALESCE(places, CAST(:places AS BLOB)), keys = :keys WHERE log_entry = :id
"""
_COUNT_KEYS = "UPDATE erasure SET keys = :keys WHERE log_entry = :id"
_DIRECT = """
DELETE FROM message WHERE id IN
(SELECT m.id FROM message m JOIN conversation c ON c.id = m.conversation WHERE c.subject = :subject LIMIT :most)
"""
_GROUPED = """
DELETE FROM message WHERE id IN (SELECT id FROM message WHERE subject = :subject AND grouped = 1 LIMIT :most)
"""
_EVENTS = "DELETE FROM event WHERE id IN (SELECT id FROM event WHERE subject = :subject LIMIT :most)"
_VIEWS = """
DELETE FROM disclosure WHERE id IN (SELECT d.id FROM disclosure d WHERE d.subject = :subject AND NOT EXISTS
(SELECT 1 FROM outbox o WHERE o.mark = d.mark AND o.body IS NULL) LIMIT :most)
"""
_WHO = "DELETE FROM identity WHERE id IN (SELECT id FROM identity WHERE subject = :subject LIMIT :most)"
_BATCHES = (
    (_DIRECT, "UPDATE erasure SET messages = messages + :count WHERE log_entry = :id"),
    (_GROUPED, "UPDATE erasure SET messages = messages + :count WHERE log_entry = :id"),
    (_EVENTS, "UPDATE erasure SET events = events + :count WHERE log_entry = :id"),
    (_VIEWS, "UPDATE erasure SET views = views + :count WHERE log_entry = :id"),
    (_WHO, "UPDATE erasure SET identities = identities + :count WHERE log_entry = :id"),
)
_FINISH = (
    "DELETE FROM conversation WHERE subject = :subject",
    "UPDATE subject SET keep = 'gone' WHERE id = :subject",
    *FORGET,
)
_DONE = (
    "UPDATE log_entry SET state = 'done', done_at = :now WHERE id = :id",
    "UPDATE erasure SET finished_at = :now, again_at = NULL WHERE log_entry = :id",
    "DELETE FROM kept WHERE log_entry = :id",
)
_STATE = """
SELECT e.finished_at, COALESCE(e.keys, 0) + e.parted, e.messages, e.events, e.identities, e.views, e.derivatives
FROM erasure e WHERE e.log_entry = :id
"""


class ErasureOrder(NamedTuple):
    """Who is to be erased, on whose word, and what is owed for it."""

    log_entry: str
    pseudonym: str
    reason: str
    origin: Origin
    command: str
    """The control plane's command; for a case opened here, the case's own id."""
    notice: bytes | None
    """What tells the control plane of a case opened here."""


class Ordered(NamedTuple):
    """What came of an order, and the log entry under which it is carried out; empty where there is none."""

    outcome: Outcome
    log_entry: str


class OpenErasure(NamedTuple):
    """An erasure that is not done; field order is that of the query."""

    id: str
    reason: str
    state: str
    ordered_at: int
    subject: int
    pseudonym: str
    keys: int | None


async def order_erasure(
    database: Database, order: ErasureOrder, suppression: BlindIndex, now: int, may: May | None = None
) -> Ordered:
    """Order an erasure, or join one that is under way; with ``gone`` and ``held`` nothing was written.

    ``suppression`` is the newest blind index of suppression marks; ``may`` is asked in the same transaction.
    """
    async with database.write() as transaction:
        await transaction.fetch(_TURN + database.dialect.row_lock)
        found = await transaction.fetch(_SUBJECT, {"pseudonym": order.pseudonym})
        if not found or found[0][1] == "gone":
            return Ordered("gone", "")
        subject, keep = found[0]
        if keep != "active":
            entry = (await transaction.fetch(_UNDER_WAY, {"subject": subject}))[0][0]
            await _owe(transaction, order, entry, now)
            return Ordered("under_way", entry)
        if may is not None:
            recent = await transaction.fetch(_BY_CONTROL, {"since": now - HOUR})
            if not may([at for (at,) in recent]):
                return Ordered("held", "")
        marks = [
            (suppression.of_packed(blind), suppression.version, suppressed_until(now, valid_to), order.log_entry)
            for blind, valid_to in await transaction.fetch(_IDENTITIES, {"subject": subject})
        ]
        await impose(transaction, order.log_entry, order.reason, order.origin, subject, marks, now)
        await _owe(transaction, order, order.log_entry, now)
    return Ordered("ordered", order.log_entry)


async def impose(
    transaction: Transaction,
    entry: str,
    reason: str,
    origin: Origin,
    subject: int,
    marks: Sequence[tuple[bytes, int, int, str]],
    now: int,
    *,
    waits: bool = False,
) -> None:
    """Write what makes an erasure hold: nobody finds the subject, ``marks`` keep it out, the log has its entry.

    ``waits``: it waits whatever is known here of duties.
    """
    await transaction.execute(_HIDE, {"subject": subject})
    await transaction.execute(_RAISE)
    await transaction.execute(_END, {"now": now, "subject": subject})
    await transaction.execute(_LOG, {"id": entry, "reason": reason, "now": now})
    facts: dict[str, str | int] = {"id": entry, "subject": subject, "origin": origin, "now": now}
    await transaction.execute(_ERASURE, facts)
    await retract_subject(transaction, subject)
    if not await hold_erasure(transaction, entry, subject, now, waits=waits):
        await order_of_subject(transaction, subject, entry, reason, now)
    await suppress(transaction, marks)


async def suppress(transaction: Transaction, marks: Sequence[tuple[bytes, int, int, str]]) -> None:
    """Keep suppression marks: mark, version of its key, until when (ms), log entry."""
    if marks:
        await transaction.execute_many(_SUPPRESS, sorted(marks))


async def _owe(transaction: Transaction, order: ErasureOrder, entry: str, now: int) -> None:
    """Note who is owed a receipt, and the notice of a case opened here."""
    if order.origin == "node":
        await transaction.execute(_OWE_CASE, {"id": order.command, "log_entry": entry, "now": now})
    else:
        await transaction.execute(_OWE_COMMAND, {"log_entry": entry, "id": order.command})
    if order.notice is not None:
        notice: dict[str, Value] = {"id": f"case-{order.command}", "body": order.notice, "now": now, "entry": entry}
        await transaction.execute(_NOTICE, notice)


async def subject_of(database: Database, pseudonym: str) -> int | None:
    """Give the row of a subject that is not gone."""
    async with database.read() as transaction:
        rows = await transaction.fetch(_SUBJECT, {"pseudonym": pseudonym})
    return rows[0][0] if rows and rows[0][1] != "gone" else None


async def oldest_erasure(database: Database) -> OpenErasure | None:
    """Give the oldest erasure that is not done."""
    async with database.read() as transaction:
        rows = await transaction.fetch(_OPEN)
    return OpenErasure(*rows[0]) if rows else None


async def held_erasure(database: Database) -> OpenErasure | None:
    """Give the oldest erasure that waits under a hold and is not in the journal yet."""
    async with database.read() as transaction:
        rows = await transaction.fetch(_HELD_NEW)
    return OpenErasure(*rows[0]) if rows else None


async def suppressions_of(database: Database, entry: str) -> list[tuple[str, int, int]]:
    """Give an erasure's suppression marks (hex, key version, until when in ms), for the journal."""
    async with database.read() as transaction:
        return [(mark.hex(), version, at) for mark, version, at in await transaction.fetch(_MARKS, {"id": entry})]


async def cases_of(database: Database, entry: str) -> list[str]:
    """Give the cases that were opened here for an erasure, for the journal."""
    async with database.read() as transaction:
        return [case for (case,) in await transaction.fetch(_CASES, {"id": entry})]


async def note_journaled(database: Database, entry: str, *, held: bool = False) -> None:
    """Note that an erasure is safe at the second place; one that has come further, or waits no more, stays as it is."""
    async with database.write() as transaction:
        await transaction.fetch(_TURN + database.dialect.row_lock)
        await transaction.execute(_JOURNALED, {"id": entry, "held": int(held)})


async def freeze_erasure(database: Database, entry: str, places: Sequence[Place], keys: int) -> None:
    """Note, before anything goes, where content was shown and how many keys there are."""
    async with database.write() as transaction:
        await transaction.execute(_FREEZE, {"places": write_places(tuple(places)), "keys": keys, "id": entry})


async def note_keys(database: Database, entry: str, keys: int) -> None:
    """Note how many keys an erasure destroyed, and that they are destroyed."""
    async with database.write() as transaction:
        await transaction.fetch(_TURN + database.dialect.row_lock)
        if keys:
            await transaction.execute(_COUNT_KEYS, {"keys": keys, "id": entry})
        await transaction.execute(_DESTROYED, {"id": entry})


async def remove_rows(database: Database, erasure: OpenErasure) -> int:
    """Remove one batch of a subject's rows, counted with it; 0 where none are left."""
    for remove, count in _BATCHES:
        async with database.write() as transaction:
            await transaction.fetch(_TURN + database.dialect.row_lock)
            removed = await transaction.execute(remove, {"subject": erasure.subject, "most": ROWS_MAX})
            if removed:
                await transaction.execute(count, {"count": removed, "id": erasure.id})
        if removed:
            return removed
    return 0


async def finish_erasure(database: Database, erasure: OpenErasure, now: int) -> None:
    """Close an erasure: the subject is gone."""
    async with database.write() as transaction:
        await transaction.fetch(_TURN + database.dialect.row_lock)
        for sql in _FINISH:
            await transaction.execute(sql, {"subject": erasure.subject})
        for sql in _DONE:
            facts: dict[str, str | int] = {"now": now, "id": erasure.id}
            await transaction.execute(sql, {name: value for name, value in facts.items() if f":{name}" in sql})


async def erasure_state(database: Database, entry: str) -> tuple[bool, Counts]:
    """Say whether an erasure is done, and what went so far."""
    async with database.read() as transaction:
        rows = await transaction.fetch(_STATE, {"id": entry})
    return (rows[0][0] is not None, Counts(*rows[0][1:])) if rows else (False, Counts())
