"""Holds in the content store: placed with their entry in the node's log; the law's own among them.

Whether a hold stops a removal is asked by the statement that orders the removal, in its own transaction
(:mod:`edge_node.storage.content.keeping`); nothing of holds is remembered by a process.  What each release resumes:
:mod:`edge_node.storage.content.resuming`.
"""

from collections.abc import Sequence
from typing import Literal, NamedTuple

from edge_node.core.duties import Backing
from edge_node.core.keeping import GONE, REMOVALS, Hold, Keep, Removal, Standing, decide
from edge_node.storage.content.keeping import LAWS
from edge_node.storage.content.views import retract_subject
from shared.database.contract import Database, Row, Transaction

Actor = Literal["operator", "law"]
"""Who places and releases: a code; the account of the operating system is nobody's business."""

_TURN = "SELECT people FROM content_store"
_SUBJECT = "SELECT id, keep FROM subject WHERE pseudonym = :pseudonym"
_LAWS_OF = f"SELECT {LAWS} FROM subject s WHERE s.pseudonym = :pseudonym"  # noqa: S608 - constants of this page
_PLACE = """
INSERT INTO hold (id, subject, from_at, until_at, reason, review_at, stops_recall, stops_erase, stops_expire, placed_at,
    kind, keeps, duty, article, kinds, asked, ends_at)
VALUES (:id, :subject, :from_at, :until_at, :reason, :review_at, :recall, :erase, :expire, :now,
    :kind, :keeps, :duty, :article, :kinds, :asked, :ends_at)
"""
NOTE = "INSERT INTO hold_entry (hold, act, actor, at) VALUES (:hold, :act, :actor, :now)"
ASK_AGAIN = "UPDATE erasure SET again_at = 0 WHERE subject = :subject AND again_at IS NOT NULL"
"""The erasure that waits is looked at again."""
JUDGE_AGAIN = """
UPDATE log_entry SET judged = 0
WHERE held = 1 AND id IN (SELECT log_entry FROM kept WHERE subject = CAST(:subject AS INTEGER))
"""
"""What is kept of a person is judged anew: what keeps it may be another duty now."""
_LIST = """
SELECT h.id, s.pseudonym, h.from_at, h.until_at, h.reason, h.review_at, h.stops_recall, h.stops_erase, h.stops_expire,
       h.placed_at, h.released_at, h.kind, h.keeps, h.duty, h.article, h.kinds, h.ends_at,
       (SELECT count(*) FROM message m WHERE m.subject = h.subject AND m.keep = 'held')
       + (SELECT count(*) FROM event v WHERE v.subject = h.subject AND v.keep = 'held'),
       (SELECT count(*) FROM subject u WHERE u.id = h.subject AND u.keep = 'held')
FROM hold h JOIN subject s ON s.id = h.subject {which} ORDER BY h.placed_at, h.id
"""
_ALL = _LIST.format(which="")
_OF_PERSON = _LIST.format(which="WHERE s.pseudonym = :pseudonym AND h.released_at IS NULL")
_REVIEW = """
SELECT count(*), COALESCE(sum(CASE WHEN review_at < :now THEN 1 ELSE 0 END), 0) FROM hold WHERE released_at IS NULL
"""

Outcome = Literal["placed", "unknown", "too_late"]
"""What placing came to: nobody of that pseudonym is here, or their erasure goes on."""


class Placing(NamedTuple):
    """A hold to place."""

    id: str
    pseudonym: str
    hold: Hold
    reason: str
    review_at: int
    backing: Backing = Backing()
    """What the law says of it; ``hold.beats`` is what it stops."""
    asked: tuple[Removal, ...] = ()
    """What whoever placed it wanted it to stop."""


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
    backing: Backing = Backing()


async def laws_of(database: Database, pseudonym: str) -> tuple[str, ...]:
    """Give the laws that may be a person's; none where none is known, or nobody of that pseudonym is here."""
    async with database.read() as transaction:
        rows = await transaction.fetch(_LAWS_OF, {"pseudonym": pseudonym})
    return tuple(rows[0][0].split()) if rows else ()


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
        await insert_hold(transaction, placing, found[0][0], "operator", now)
        await transaction.execute(JUDGE_AGAIN, {"subject": found[0][0]})
        await transaction.execute(ASK_AGAIN, {"subject": found[0][0]})
        if placing.backing.kind == "restriction":
            await retract_subject(transaction, found[0][0])
    return "placed"


async def insert_hold(transaction: Transaction, placing: Placing, subject: int, actor: Actor, now: int) -> None:
    """Write a hold on a subject (its row), with its entry in the log of holds."""
    hold, backing = placing.hold, placing.backing
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
            "kind": backing.kind,
            "keeps": backing.keeps,
            "duty": backing.duty,
            "article": backing.article,
            "kinds": backing.kinds,
            "asked": " ".join(placing.asked),
            "ends_at": backing.ends_at,
        },
    )
    await transaction.execute(NOTE, {"hold": placing.id, "act": "placed", "actor": actor, "now": now})


async def list_holds(database: Database) -> list[Listed]:
    """Give every hold, the oldest first, released ones among them."""
    async with database.read() as transaction:
        rows = await transaction.fetch(_ALL)
    return [_listed(row) for row in rows]


async def standing_of(database: Database, pseudonym: str) -> list[Listed]:
    """Give the holds of a person that stand, the oldest first."""
    async with database.read() as transaction:
        rows = await transaction.fetch(_OF_PERSON, {"pseudonym": pseudonym})
    return [_listed(row) for row in rows]


def _listed(row: Row) -> Listed:
    """Read a row of the list."""
    stops = frozenset(_stopped(row[6:9]))
    rows_held, erasures_held = row[17:19] if row[10] is None else (0, 0)
    return Listed(
        id=row[0],
        pseudonym=row[1],
        hold=Hold(stops, row[2], row[3]),
        reason=row[4],
        review_at=row[5],
        placed_at=row[9],
        released_at=row[10],
        rows_held=rows_held,
        erasures_held=erasures_held,
        backing=Backing(row[11], row[12], row[13], row[14], stops, row[15], row[16]),
    )


async def count_holds(database: Database, now: int) -> tuple[int, int]:
    """Count the holds that stand, and those of them whose review is due."""
    async with database.read() as transaction:
        count, due = (await transaction.fetch(_REVIEW, {"now": now}))[0]
    return int(count), int(due)


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
