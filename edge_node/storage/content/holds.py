"""Holds in the content store: placed and released with their entry in the node's log, and what each release resumes.

Whether a hold stops a removal is asked by the statement that orders the removal, in its own transaction
(:mod:`edge_node.storage.content.keeping`); nothing of holds is remembered by a process.
"""

from collections.abc import Sequence
from typing import Literal, NamedTuple

from edge_node.core.keeping import GONE, REMOVALS, Hold, Keep, Removal, Standing, decide
from edge_node.storage.content.derivatives import order_of_gone, order_of_subject
from edge_node.storage.content.keeping import AGAIN, covered
from shared.database.contract import Database, Row, Transaction

RELEASED = "hold_released"
"""Why something goes that was held."""

ACTOR = "operator"
"""Who places and releases: a code; the account of the operating system is nobody's business."""

_TURN = "SELECT people FROM content_store"
_SUBJECT = "SELECT id, keep FROM subject WHERE pseudonym = :pseudonym"
_PLACE = """
INSERT INTO hold (id, subject, from_at, until_at, reason, review_at, stops_recall, stops_erase, stops_expire, placed_at)
VALUES (:id, :subject, :from_at, :until_at, :reason, :review_at, :recall, :erase, :expire, :now)
"""
_NOTE = "INSERT INTO hold_entry (hold, act, actor, at) VALUES (:hold, :act, :actor, :now)"
_RELEASE = "UPDATE hold SET released_at = :now WHERE id = :id AND released_at IS NULL RETURNING subject"
_LIST = """
SELECT h.id, s.pseudonym, h.from_at, h.until_at, h.reason, h.review_at, h.stops_recall, h.stops_erase, h.stops_expire,
       h.placed_at, h.released_at,
       (SELECT count(*) FROM message m WHERE m.subject = h.subject AND m.keep = 'held')
       + (SELECT count(*) FROM event v WHERE v.subject = h.subject AND v.keep = 'held'),
       (SELECT count(*) FROM subject u WHERE u.id = h.subject AND u.keep = 'held')
FROM hold h JOIN subject s ON s.id = h.subject ORDER BY h.placed_at, h.id
"""
_REVIEW = """
SELECT count(*), COALESCE(sum(CASE WHEN review_at < :now THEN 1 ELSE 0 END), 0) FROM hold WHERE released_at IS NULL
"""

_STOPPING = """
SELECT from_at, until_at FROM hold WHERE subject = :subject AND released_at IS NULL AND stops_erase = 1
"""
_HOLD_SUBJECT = "UPDATE subject SET keep = 'held' WHERE id = :subject"
_HOLD_ENTRY = "UPDATE log_entry SET held = 1 WHERE id = :entry"
PARTING = "UPDATE erasure SET parting = :parting WHERE log_entry = :entry"

# What a hold that is no more kept; rows that were taken back before they came have no entry of their own yet.
_MESSAGE_FREE = f"m.keep = 'held' AND NOT {covered('message', 'recall', 'm')}"
_EVENT_FREE = f"m.keep = 'held' AND NOT {covered('event', 'recall', 'm')}"


def _order_free(table: Literal["message", "event"], free: str) -> str:
    """Give the statement that orders what was taken back before it came."""
    return f"""
INSERT INTO log_entry (id, act, reason, state, mark, key, ordered_at)
SELECT CAST(:id AS TEXT) || '-{table[0]}' || CAST(m.id AS TEXT), 'recall', 'hold_released', 'ordered', m.mark, m.key,
       CAST(:now AS INTEGER)
FROM {table} m WHERE m.subject = CAST(:subject AS INTEGER) AND {free}
  AND NOT EXISTS (SELECT 1 FROM log_entry l WHERE l.key = m.key AND l.state <> 'done')
"""  # noqa: S608 - constants of this page


_RESUME = (
    (_order_free("message", _MESSAGE_FREE), ("id", "now", "subject")),
    (_order_free("event", _EVENT_FREE), ("id", "now", "subject")),
    (
        f"UPDATE message AS m SET keep = 'tombstoned' WHERE m.subject = :subject AND {_MESSAGE_FREE}",  # noqa: S608
        ("subject",),
    ),
    (
        f"UPDATE event AS m SET keep = 'tombstoned' WHERE m.subject = :subject AND {_EVENT_FREE}",  # noqa: S608
        ("subject",),
    ),
)
_WAITS = """
state <> 'done' AND held = 1 AND act = 'recall'
AND NOT EXISTS (SELECT 1 FROM message m WHERE m.mark = log_entry.mark AND m.keep = 'held')
AND NOT EXISTS (SELECT 1 FROM event v WHERE v.mark = log_entry.mark AND v.keep = 'held')
"""
# Late deliveries and older backups count from now on: the tombstone begins its life again.
_RENEW = f"UPDATE tombstone SET at = :now WHERE log_entry IN (SELECT id FROM log_entry WHERE {_WAITS})"  # noqa: S608
# The journal says that they wait; so each is ordered anew, and written there again.
_FREE_ENTRIES = f"UPDATE log_entry SET held = 0, state = 'ordered' WHERE {_WAITS}"  # noqa: S608 - constants of this page

_HELD_ERASURE = """
SELECT e.log_entry FROM erasure e JOIN log_entry l ON l.id = e.log_entry
WHERE e.subject = :subject AND e.finished_at IS NULL AND l.held = 1
"""
_FREE_SUBJECT = "UPDATE subject SET keep = 'tombstoned' WHERE id = :subject"
_FREE_ERASURE = "UPDATE log_entry SET held = 0, state = 'ordered' WHERE id = :entry"

Outcome = Literal["placed", "unknown", "too_late"]
"""What placing came to: nobody of that pseudonym is here, or their erasure goes on."""


class Placing(NamedTuple):
    """A hold to place."""

    id: str
    pseudonym: str
    hold: Hold
    reason: str
    review_at: int


class Listed(NamedTuple):
    """A hold as it stands, and what waits under it or another hold of the same person."""

    id: str
    pseudonym: str
    hold: Hold
    reason: str
    review_at: int
    placed_at: int
    released_at: int | None
    rows_held: int
    """Messages and events that were taken back and are kept."""
    erasures_held: int


async def may_hold(database: Database, pseudonym: str) -> Outcome:
    """Say what placing a hold on somebody would come to now."""
    async with database.read() as transaction:
        return _may_hold(await transaction.fetch(_SUBJECT, {"pseudonym": pseudonym}))


def _may_hold(found: Sequence[Row]) -> Outcome:
    """Decide from the subject's row."""
    if not found or found[0][1] == GONE:
        return "unknown"
    return "too_late" if decide(_standing(found[0][1]), "hold").does == "refuse" else "placed"


async def place_hold(database: Database, placing: Placing, now: int) -> Outcome:
    """Place a hold, with its entry in the log; nothing is written where nobody is there or their erasure goes on."""
    async with database.write() as transaction:
        await transaction.fetch(_TURN + database.dialect.row_lock)
        found = await transaction.fetch(_SUBJECT, {"pseudonym": placing.pseudonym})
        outcome = _may_hold(found)
        if outcome != "placed":
            return outcome
        subject, hold = found[0][0], placing.hold
        await transaction.execute(
            _PLACE,
            {
                "id": placing.id,
                "subject": subject,
                "from_at": hold.from_at,
                "until_at": hold.until_at,
                "reason": placing.reason,
                "review_at": placing.review_at,
                **{removal: int(removal in hold.beats) for removal in REMOVALS},
                "now": now,
            },
        )
        await transaction.execute(_NOTE, {"hold": placing.id, "act": "placed", "actor": ACTOR, "now": now})
    return "placed"


async def release_hold(database: Database, hold: str, resumed: str, now: int) -> bool:
    """Release a hold and order, under entries named after ``resumed``, what it stopped and no other hold stops.

    ``False`` where none of that id stands.
    """
    async with database.write() as transaction:
        await transaction.fetch(_TURN + database.dialect.row_lock)
        released = await transaction.fetch(_RELEASE, {"now": now, "id": hold})
        if not released:
            return False
        await transaction.execute(_NOTE, {"hold": hold, "act": "released", "actor": ACTOR, "now": now})
        facts: dict[str, str | int] = {"id": resumed, "now": now, "subject": released[0][0]}
        for sql, names in _RESUME:
            await transaction.execute(sql, {name: facts[name] for name in names})
        await transaction.execute(_RENEW, {"now": now})
        await transaction.execute(_FREE_ENTRIES)
        await transaction.execute(AGAIN)
        await order_of_gone(transaction, released[0][0], resumed, RELEASED, now)
        await _resume_erasure(transaction, released[0][0], resumed, now)
    return True


async def list_holds(database: Database) -> list[Listed]:
    """Give every hold, the oldest first, released ones among them."""
    async with database.read() as transaction:
        rows = await transaction.fetch(_LIST)
    return [
        Listed(
            row[0],
            row[1],
            Hold(frozenset(_stopped(row[6:9])), row[2], row[3]),
            row[4],
            row[5],
            row[9],
            row[10],
            *(row[11:13] if row[10] is None else (0, 0)),
        )
        for row in rows
    ]


async def count_holds(database: Database, now: int) -> tuple[int, int]:
    """Count the holds that stand, and those of them whose review is due."""
    async with database.read() as transaction:
        count, due = (await transaction.fetch(_REVIEW, {"now": now}))[0]
    return int(count), int(due)


async def hold_erasure(transaction: Transaction, entry: str, subject: int) -> bool:
    """Let an erasure that was just ordered wait, where a hold stops it, and say so; what no hold covers still goes."""
    holds = await _stopping(transaction, subject)
    if holds:
        await transaction.execute(_HOLD_SUBJECT, {"subject": subject})
        await transaction.execute(_HOLD_ENTRY, {"entry": entry})
        await transaction.execute(PARTING, {"parting": int(not any(hold.whole for hold in holds)), "entry": entry})
    return bool(holds)


async def _resume_erasure(transaction: Transaction, subject: int, resumed: str, now: int) -> None:
    """Take an erasure that waits up again, wholly or in what no other hold covers."""
    for (entry,) in await transaction.fetch(_HELD_ERASURE, {"subject": subject}):
        holds = await _stopping(transaction, subject)
        if not holds:
            await transaction.execute(_FREE_SUBJECT, {"subject": subject})
            await transaction.execute(_FREE_ERASURE, {"entry": entry})
            await order_of_subject(transaction, subject, resumed, RELEASED, now)
        parting = int(bool(holds) and not any(hold.whole for hold in holds))
        await transaction.execute(PARTING, {"parting": parting, "entry": entry})


async def _stopping(transaction: Transaction, subject: int) -> list[Hold]:
    """Give the standing holds that stop a subject's erasure."""
    rows = await transaction.fetch(_STOPPING, {"subject": subject})
    return [Hold(from_at=from_at, until_at=until_at) for from_at, until_at in rows]


async def is_held(database: Database, entry: str) -> bool:
    """Say whether a log entry waits under a hold."""
    async with database.read() as transaction:
        return bool(await transaction.fetch("SELECT 1 FROM log_entry WHERE id = :id AND held = 1", {"id": entry}))


def _standing(keep: Keep) -> Standing:
    """Give how a subject is kept: held only while its erasure waits."""
    if keep == "held":
        return Standing("held", ("active",), frozenset({"erase"}))
    return Standing(keep)


def _stopped(flags: tuple[int, ...]) -> list[Removal]:
    """Name the removals that a hold's columns say it stops."""
    stops: dict[Removal, int] = dict(zip(REMOVALS, flags, strict=True))
    return [removal for removal, stopped in stops.items() if stopped]
