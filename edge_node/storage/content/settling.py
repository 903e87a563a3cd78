"""An erasure of which something is kept: what is left of it, until when, and when it is looked at again."""

from collections.abc import Sequence
from typing import Literal, NamedTuple

from edge_node.core.duties import Covering
from edge_node.storage.content.commands import write_places
from edge_node.storage.content.duties import KeptRow, covering_of, keep_steps
from edge_node.storage.content.head import turn
from edge_node.storage.content.keeping import LAWS, kept, of_person
from edge_node.storage.content.parting import NAMES, SHOWINGS
from edge_node.storage.content.places import OF_SUBJECT, places_of
from edge_node.storage.content.resuming import IDENTITY_STORED, OVER, resume_erasure
from shared.database.contract import Database, Step

Store = Literal["messages", "events", "identities", "views", "media"]

_TURN = "SELECT people FROM content_store"
# Not before everything has gone that may go already: then it is known what is kept.
_NEXT = f"""
SELECT e.log_entry, e.subject, s.pseudonym, {LAWS} FROM erasure e JOIN subject s ON s.id = e.subject
JOIN log_entry l ON l.id = e.log_entry
WHERE e.again_at IS NOT NULL AND e.again_at <= :now AND e.parting = 0 AND l.held = 1 AND l.state = 'journaled'
  AND NOT EXISTS (SELECT 1 FROM log_entry p WHERE p.state <> 'done' AND p.held = 0 AND p.act IN ('part', 'underive'))
ORDER BY e.again_at, e.log_entry LIMIT 1
"""  # noqa: S608 - constants of this page
_GOES_ALREADY = (
    *of_person("1", lambda table: f"m.keep <> 'tombstoned' AND NOT {kept(table, 'erase', 'm')}", "LIMIT 1"),
    NAMES.replace(":most", "1"),
    SHOWINGS.replace(":most", "1"),
)
_OF_KIND = of_person(
    "m.kind, count(*), min(m.received_at), max(m.received_at)", lambda _: "m.keep <> 'tombstoned'", "GROUP BY m.kind"
)
_NAMES_LEFT = f"""
SELECT 'identity', count(*), min({IDENTITY_STORED}), max({IDENTITY_STORED}) FROM identity i
JOIN subject p ON p.id = i.subject WHERE i.subject = :subject HAVING count(*) > 0
"""  # noqa: S608 - constants of this page
_SHOWINGS_LEFT = """
SELECT 'disclosure', count(*), min(at), max(at) FROM disclosure WHERE subject = :subject HAVING count(*) > 0
"""
_MADE_LEFT = """
SELECT kind, count(*), min(at), max(at) FROM derivative WHERE subject = :subject AND keep = 'active' GROUP BY kind
"""
_LEFT: tuple[tuple[Store, str, str], ...] = (
    ("messages", "message", _OF_KIND[0]),
    ("messages", "message", _OF_KIND[1]),
    ("events", "event", _OF_KIND[2]),
    ("identities", "identity", _NAMES_LEFT),
    ("views", "disclosure", _SHOWINGS_LEFT),
    ("media", "media", _MADE_LEFT),
)
_SETTLED = """
UPDATE erasure SET again_at = :again_at, settled_at = COALESCE(settled_at, CAST(:settled_at AS INTEGER)),
    keys_kept = :keys, places = COALESCE(places, CAST(:places AS BLOB))
WHERE log_entry = :entry AND again_at IS NOT NULL AND parting = 0
"""


class WaitingErasure(NamedTuple):
    """An erasure that is to be looked at now; field order is that of the query."""

    log_entry: str
    subject: int
    pseudonym: str
    laws: str


class Left(NamedTuple):
    """What is left of one kind of row: how many, and when the oldest and the newest were stored (ms)."""

    store: Store
    table: str
    kind: str
    amount: int
    oldest_at: int
    newest_at: int
    covering: tuple[Covering, ...]


async def waiting_erasure(database: Database, now: int) -> WaitingErasure | None:
    """Give an erasure that waits and is to be looked at."""
    async with database.read() as transaction:
        rows = await transaction.fetch(_NEXT, {"now": now})
    return WaitingErasure(*rows[0]) if rows else None


async def try_again(database: Database, erasure: WaitingErasure, resumed: str, now: int) -> bool:
    """Take an erasure up wholly, or in what nothing keeps any more; ``False`` where all that is left is kept."""
    async with database.write() as transaction:
        await transaction.fetch(_TURN + database.dialect.row_lock)
        for sql in _GOES_ALREADY:
            if await transaction.fetch(sql, {"subject": erasure.subject}):
                break
        else:
            return await resume_erasure(transaction, erasure.log_entry, erasure.subject, resumed, OVER, now, part=False)
        await resume_erasure(transaction, erasure.log_entry, erasure.subject, resumed, OVER, now)
        return True


async def left_of(database: Database, erasure: WaitingErasure) -> list[Left]:
    """Give what is left of an erasure."""
    async with database.read() as transaction:
        return [
            Left(store, table, kind, amount, oldest, newest, await covering_of(transaction, erasure.subject, *covered))
            for store, table, sql in _LEFT
            for kind, amount, oldest, newest in await transaction.fetch(sql, {"subject": erasure.subject})
            for covered in [_covered_as(table, kind)]
        ]


def _covered_as(table: str, kind: str) -> tuple[str, str]:
    """Say which rows a hold covers a kind of row with: what was made from messages goes with them."""
    return ("message", "image") if table == "media" else (table, kind)


async def note_settled(
    database: Database,
    erasure: WaitingErasure,
    rows: Sequence[KeptRow],
    keys: int,
    again_at: int,
    settled_at: int | None,
) -> None:
    """Note what of an erasure is kept, and when it is looked at again; ``settled_at``: everything kept has its date."""
    async with database.read() as transaction:
        places = places_of(await transaction.fetch(OF_SUBJECT, {"about": erasure.subject}))
    note = (again_at, settled_at, keys, write_places(places), erasure.log_entry)
    await database.run([turn(database), *keep_steps(erasure.log_entry, rows), Step(_SETTLED, [note])])
