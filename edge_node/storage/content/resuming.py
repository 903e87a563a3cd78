"""What waits under a duty goes on: when a hold is released, or a law's time is over; and what of an erasure waits.

A row that was taken back, or an erasure, goes on where neither a hold stops it any more nor a law keeps it; both are
asked by the statements of this page, in one transaction with what they order.
"""

from typing import Literal

from edge_node.core.duties import Backing, blocked_until
from edge_node.core.keeping import Hold
from edge_node.core.stored import Table
from edge_node.storage.content.derivatives import order_of_gone, order_of_subject, steps_of_entries
from edge_node.storage.content.holds import ASK_AGAIN, JUDGE_AGAIN, NOTE, Actor, Placing, insert_hold
from edge_node.storage.content.keeping import AGAIN, LAWS, by_law, kept, of_person
from shared.database.contract import Database, Transaction
from shared.policy.spans import FOR_EVER

RELEASED = "hold_released"
"""Why something goes that was held."""

OVER = "duty_over"
"""Why something goes that a law kept for a time."""

LATER = 60_000
"""Milliseconds after which what is due, and still kept by what statements look up, is asked again."""

_TURN = "SELECT people FROM content_store"
_LAW_AWAITED = "SELECT 1 FROM law_duties WHERE version < awaited"
_RELEASE = "UPDATE hold SET released_at = :now WHERE id = :id AND released_at IS NULL RETURNING subject"
_STOPPING = """
SELECT from_at, until_at, kinds FROM hold WHERE subject = :subject AND released_at IS NULL AND stops_erase = 1
"""
_HOLD_SUBJECT = "UPDATE subject SET keep = 'held' WHERE id = :subject"
_HOLD_ENTRY = "UPDATE log_entry SET held = 1 WHERE id = :entry"
_PART = "UPDATE erasure SET parting = :parting, again_at = 0 WHERE log_entry = :entry"

# What is kept no more; rows that were taken back before they came have no entry of their own yet.
_FREE = "m.keep = 'held' AND NOT {kept}"
_MESSAGE_FREE = _FREE.format(kept=kept("message", "recall", "m"))
_EVENT_FREE = _FREE.format(kept=kept("event", "recall", "m"))


def _order_free(table: Literal["message", "event"], free: str) -> str:
    """Give the statement that orders what was taken back before it came."""
    return f"""
INSERT INTO log_entry (id, act, reason, state, mark, key, ordered_at)
SELECT CAST(:id AS TEXT) || '-{table[0]}' || CAST(m.id AS TEXT), 'recall', 'hold_released', 'ordered', m.mark, m.key,
       CAST(:now AS INTEGER)
FROM {table} m WHERE m.subject = CAST(:subject AS INTEGER) AND {free}
  AND NOT EXISTS (SELECT 1 FROM log_entry l WHERE l.key = m.key AND l.state <> 'done')
"""  # noqa: S608 - constants of this page


_ORDER_FREE = (_order_free("message", _MESSAGE_FREE), _order_free("event", _EVENT_FREE))
_FREE_ROWS = (
    f"UPDATE message AS m SET keep = 'tombstoned' WHERE m.subject = :subject AND {_MESSAGE_FREE} RETURNING key",  # noqa: S608
    f"UPDATE event AS m SET keep = 'tombstoned' WHERE m.subject = :subject AND {_EVENT_FREE} RETURNING key",  # noqa: S608
)
_NOT_KEPT = """
NOT EXISTS (SELECT 1 FROM message m WHERE m.mark = log_entry.mark AND m.keep = 'held')
AND NOT EXISTS (SELECT 1 FROM event v WHERE v.mark = log_entry.mark AND v.keep = 'held')
"""
_WAITS = f"state <> 'done' AND held = 1 AND act = 'recall' AND {_NOT_KEPT}"
# Those whose rows were freed, and those judged of whose rows nothing is left: much of other people may wait.
_WAITING = (
    f"SELECT id FROM log_entry WHERE key = :key AND {_WAITS}",  # noqa: S608 - constants of this page
    f"SELECT id FROM log_entry WHERE id IN (SELECT log_entry FROM kept WHERE subject = :subject) AND {_WAITS}",  # noqa: S608
)
# Late deliveries and older backups count from now on: the tombstone begins its life again.
_RENEW = "UPDATE tombstone SET at = :now WHERE log_entry = :id"
# The journal says that it waits; so it is ordered anew, and written there again.
_FREE_ENTRY = f"UPDATE log_entry SET held = 0, state = 'ordered' WHERE id = :id AND {_WAITS}"  # noqa: S608

_ROW_OF = "(SELECT l.mark FROM log_entry l WHERE l.id = :id)"
_FREE_MESSAGE = f"UPDATE message AS m SET keep = 'tombstoned' WHERE m.mark = {_ROW_OF} AND {_MESSAGE_FREE}"  # noqa: S608
_FREE_EVENT = f"UPDATE event AS m SET keep = 'tombstoned' WHERE m.mark = {_ROW_OF} AND {_EVENT_FREE}"  # noqa: S608
_FORGET = "DELETE FROM kept WHERE log_entry = :id"
_FORGET_FREED = """
DELETE FROM kept WHERE subject = :subject AND EXISTS
(SELECT 1 FROM log_entry l WHERE l.id = kept.log_entry AND l.held = 0)
"""
_NOT_YET = "UPDATE kept SET again_at = :later WHERE log_entry = :id"
# What the table lets go already waits for statements to know it, and is not put before the table again.
_ASK_TABLE = """
UPDATE log_entry SET judged = 0 WHERE id = :id AND held = 1
AND NOT EXISTS (SELECT 1 FROM kept k WHERE k.log_entry = log_entry.id AND k.keep = 'tombstoned')
"""

_HELD_ERASURE = """
SELECT e.log_entry FROM erasure e JOIN log_entry l ON l.id = e.log_entry
WHERE e.subject = :subject AND e.finished_at IS NULL AND l.held = 1
"""
_FREE_SUBJECT = "UPDATE subject SET keep = 'tombstoned' WHERE id = :subject"
_FREE_ERASURE = "UPDATE log_entry SET held = 0, state = 'ordered' WHERE id = :id"
_PARTS_NO_MORE = "UPDATE erasure SET parting = 0, again_at = NULL WHERE log_entry = :entry"

_OF_THEIR_LAW = f"(ld.law = '' OR ' ' || {LAWS} || ' ' LIKE '% ' || ld.law || ' %')"
_LAW_SPEAKS = f"""
SELECT 1 FROM law_duty ld JOIN subject s ON s.id = :subject
WHERE ld.stops_erase = 1 AND ld.kept_after < {FOR_EVER} AND {_OF_THEIR_LAW}
  AND (ld.kinds = '' OR ld.kinds LIKE '%|' || CAST(:table AS TEXT) || '/%') LIMIT 1
"""  # noqa: S608 - constants of this page
IDENTITY_STORED = "CASE WHEN i.valid_from > p.first_contact_at THEN i.valid_from ELSE p.first_contact_at END"
KEPT_IDENTITY = by_law("identity", "erase", "i.subject", "'identity'", IDENTITY_STORED)
KEPT_DISCLOSURE = by_law("disclosure", "erase", "x.subject", "'disclosure'", "x.at")


def _kept_by_law(table: Table) -> str:
    """Give the condition that a law keeps a row against its erasure."""
    return by_law(table, "erase", "m.subject", "m.kind", "m.received_at")


_DIRECT, _GROUPED, _EVENTS = of_person("1", _kept_by_law, "ORDER BY m.at DESC LIMIT 1")
# Rows are looked through only where a law speaks of their table: most of a person's are messages.
_LAW_KEEPS: dict[str, tuple[str, ...]] = {
    "message": (_DIRECT, _GROUPED),
    "event": (_EVENTS,),
    "identity": (
        f"""
SELECT 1 FROM identity i JOIN subject p ON p.id = i.subject WHERE i.subject = :subject AND {KEPT_IDENTITY} LIMIT 1
""",  # noqa: S608 - constants of this page
    ),
    "disclosure": (f"SELECT 1 FROM disclosure x WHERE x.subject = :subject AND {KEPT_DISCLOSURE} LIMIT 1",),  # noqa: S608
}
_BLOCKING = f"""
SELECT ld.duty, ld.keeps, ld.article, ld.period, ld.kinds, p.pseudonym FROM law_duty ld
JOIN subject s ON s.id = :subject JOIN subject p ON p.id = s.id
WHERE ld.kind = 'blocking' AND ld.stops_erase = 1 AND ld.kept_after = {FOR_EVER}
  AND {_OF_THEIR_LAW}
ORDER BY ld.duty, ld.law
"""  # noqa: S608 - constants of this page


async def release_hold(database: Database, hold: str, resumed: str, now: int, actor: Actor = "operator") -> bool:
    """Release a hold and order, under entries named after ``resumed``, what it stopped and nothing else keeps.

    ``False`` where none of that id stands.
    """
    async with database.write() as transaction:
        await transaction.fetch(_TURN + database.dialect.row_lock)
        released = await transaction.fetch(_RELEASE, {"now": now, "id": hold})
        if not released:
            return False
        await transaction.execute(NOTE, {"hold": hold, "act": "released", "actor": actor, "now": now})
        await resume_subject(transaction, released[0][0], resumed, now)
    return True


async def resume_subject(transaction: Transaction, subject: int, resumed: str, now: int) -> None:
    """Take up everything of a subject that waited and that nothing keeps any more.

    Where a restored store has yet to learn the law that kept it, it waits on, and is asked when that is known.
    """
    if await transaction.fetch(_LAW_AWAITED):
        return
    for sql in _ORDER_FREE:
        await transaction.execute(sql, {"id": resumed, "now": now, "subject": subject})
    freed = [row for sql in _FREE_ROWS for row in await transaction.fetch(sql, {"subject": subject})]
    waiting = await transaction.fetch_many(_WAITING[0], freed)
    waiting += await transaction.fetch(_WAITING[1], {"subject": subject})
    entries = sorted({entry for (entry,) in waiting})
    if entries:
        await transaction.execute_many(_RENEW, [(now, entry) for entry in entries])
        await transaction.execute_many(_FREE_ENTRY, [(entry,) for entry in entries])
    await transaction.execute(_FORGET_FREED, {"subject": subject})
    await transaction.execute(JUDGE_AGAIN, {"subject": subject})
    await transaction.execute(AGAIN)
    await order_of_gone(transaction, subject, resumed, RELEASED, now)
    for (entry,) in await transaction.fetch(_HELD_ERASURE, {"subject": subject}):
        await resume_erasure(transaction, entry, subject, resumed, RELEASED, now)


async def resume_entry(transaction: Transaction, entry: str, now: int) -> bool:
    """Take up one removal whose time has come; ``False`` where something keeps its row still: it is asked again."""
    for sql in (_FREE_MESSAGE, _FREE_EVENT):
        await transaction.execute(sql, {"id": entry})
    if not await transaction.execute(_FREE_ENTRY, {"id": entry}):
        await transaction.execute(_NOT_YET, {"later": now + LATER, "id": entry})
        await transaction.execute(_ASK_TABLE, {"id": entry})
        return False
    await transaction.execute(_RENEW, {"now": now, "id": entry})
    await transaction.execute(_FORGET, {"id": entry})
    for step in steps_of_entries([entry], OVER, now):
        await transaction.execute_many(step.sql, step.rows)
    return True


async def hold_erasure(transaction: Transaction, entry: str, subject: int, now: int, *, waits: bool) -> bool:
    """Let an erasure that was just ordered wait, where something keeps anything of it; the rest still goes.

    Where a law blocks first what is to be erased, that begins here.  With ``waits`` it does in any case, wholly.
    """
    await _block(transaction, entry, subject, now)
    holds = await _stopping(transaction, subject)
    kept_here = waits or bool(holds) or await _law_keeps(transaction, subject)
    if kept_here:
        parting = int(not waits and not any(_wholly(hold) for hold in holds))
        await transaction.execute(_HOLD_SUBJECT, {"subject": subject})
        await transaction.execute(_HOLD_ENTRY, {"entry": entry})
        await transaction.execute(_PART, {"parting": parting, "entry": entry})
    return kept_here


async def resume_erasure(
    transaction: Transaction, entry: str, subject: int, resumed: str, reason: str, now: int, *, part: bool = True
) -> bool:
    """Take an erasure that waits up again: wholly, and say so, or (``part``) in what nothing else keeps."""
    holds = await _stopping(transaction, subject)
    if not holds and not await _law_keeps(transaction, subject):
        await transaction.execute(_FREE_SUBJECT, {"subject": subject})
        await transaction.execute(_FREE_ERASURE, {"id": entry})
        await transaction.execute(_PARTS_NO_MORE, {"entry": entry})
        await transaction.execute(_FORGET, {"id": entry})
        await order_of_subject(transaction, subject, resumed, reason, now)
        return True
    if part:
        await transaction.execute(_PART, {"parting": int(not any(_wholly(hold) for hold in holds)), "entry": entry})
    return False


async def _stopping(transaction: Transaction, subject: int) -> list[tuple[Hold, str]]:
    """Give the standing holds that stop a subject's erasure, and of which rows."""
    rows = await transaction.fetch(_STOPPING, {"subject": subject})
    return [(Hold(from_at=from_at, until_at=until_at), kinds) for from_at, until_at, kinds in rows]


def _wholly(hold: tuple[Hold, str]) -> bool:
    """Say whether a hold keeps everything of its subject."""
    return hold[0].whole and not hold[1]


async def _law_keeps(transaction: Transaction, subject: int) -> bool:
    """Say whether a law keeps anything of a subject by the time it was stored."""
    for table, queries in _LAW_KEEPS.items():
        if await transaction.fetch(_LAW_SPEAKS, {"subject": subject, "table": table}):
            for sql in queries:
                if await transaction.fetch(sql, {"subject": subject}):
                    return True
    return False


async def _block(transaction: Transaction, entry: str, subject: int, now: int) -> None:
    """Block what is to be erased, where a law says that this comes first."""
    duties = await transaction.fetch(_BLOCKING, {"subject": subject})
    for duty, keeps, article, period, kinds, pseudonym in {row[0]: row for row in duties}.values():
        ends_at = blocked_until(period, now)
        backing = Backing("blocking", keeps, duty, article, frozenset({"erase"}), kinds, ends_at)
        review_at = now if ends_at is None else ends_at
        name = f"{entry}-{duty}"
        placing = Placing(name, pseudonym, Hold(backing.stops), "legal_obligation", review_at, backing, ("erase",))
        await insert_hold(transaction, placing, subject, "law", now)


__all__ = ["ASK_AGAIN", "hold_erasure", "release_hold", "resume_entry", "resume_erasure", "resume_subject"]
