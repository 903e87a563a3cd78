"""Duties of the law in the content store: as statements look them up, and what is kept under them, with the article.

``law_duty`` is written whole from the bundle in force.  ``kept`` says of what waits why it is kept: of a removal, its
row; of an erasure, its classes of data.  A removal that waits is ``judged`` by a version of the policy, 0: by none yet.
"""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from edge_node.core.duties import Covering, LawDuty
from edge_node.core.keeping import REMOVALS
from edge_node.core.stored import CLASSES, Table
from edge_node.storage.content.head import turn
from edge_node.storage.content.keeping import AGAIN, LAWS, SAID_AT
from edge_node.storage.content.resuming import resume_entry
from shared.database.contract import Database, Row, Step, Transaction

PAGE_ROWS = 64
"""Removals looked at in one step: a webhook waits no longer than that takes."""

_TURN = "SELECT people FROM content_store"
_DROP = "DELETE FROM law_duty"
_WRITE = """
INSERT INTO law_duty
(duty, law, kind, keeps, article, period, kinds, stops_recall, stops_erase, stops_expire, kept_after)
VALUES (:duty, :law, :kind, :keeps, :article, :period, :kinds, :stops_recall, :stops_erase, :stops_expire, :kept_after)
"""
_NOTE = """
INSERT INTO law_duties (id, bundle, version, written_at, bound) VALUES (1, :bundle, :version, :now, 0)
ON CONFLICT (id) DO UPDATE SET written_at = excluded.written_at, version = excluded.version, bundle = excluded.bundle,
    bound = CASE WHEN law_duties.bundle = excluded.bundle THEN law_duties.bound ELSE 0 END
"""
_WRITTEN = "SELECT bundle, version, written_at, bound, awaited FROM law_duties"
_BOUND = "UPDATE law_duties SET bound = 1 WHERE version = :version"
_AWAIT = """
INSERT INTO law_duties (id, bundle, version, written_at, bound, awaited) VALUES (1, '', 0, 0, 1, :version)
ON CONFLICT (id) DO UPDATE SET awaited = excluded.awaited WHERE excluded.awaited > law_duties.awaited
"""
_LOOK_ALL = "UPDATE erasure SET again_at = 0 WHERE again_at IS NOT NULL"

_UNJUDGED = """
SELECT l.id, l.mark FROM log_entry l WHERE l.state <> 'done' AND l.held = 1 AND l.act = 'recall' AND l.judged < :version
ORDER BY l.judged, l.ordered_at LIMIT :most
"""
_ROW = {
    "message": f"SELECT m.kind, m.subject, m.received_at, {SAID_AT.format('m')}, {LAWS} FROM message m "  # noqa: S608
    "LEFT JOIN subject s ON s.id = m.subject WHERE m.mark = :mark AND m.keep = 'held'",
    "event": f"SELECT m.kind, m.subject, m.received_at, {SAID_AT.format('m')}, {LAWS} FROM event m "  # noqa: S608
    "LEFT JOIN subject s ON s.id = m.subject WHERE m.mark = :mark AND m.keep = 'held'",
}
_HOLDS = """
SELECT kind, placed_at, released_at, stops_recall, stops_erase, stops_expire, from_at, until_at, kinds FROM hold
WHERE subject = :subject AND released_at IS NULL
UNION ALL
SELECT kind, placed_at, released_at, stops_recall, stops_erase, stops_expire, from_at, until_at, kinds FROM hold
WHERE subject = :subject AND kind = 'blocking' AND released_at IS NOT NULL
"""
_FORGET = "DELETE FROM kept WHERE log_entry = :id"
_KEEP = """
INSERT INTO kept (log_entry, class, store, subject, keep, reason, duty, article, until, again_at, count)
VALUES (:log_entry, :class, :store, :subject, :keep, :reason, :duty, :article, :until, :again_at, :amount)
"""
_JUDGED = "UPDATE log_entry SET judged = :version WHERE id = :id AND held = 1"
_DUE = "SELECT log_entry FROM kept WHERE again_at <= :now ORDER BY again_at, log_entry LIMIT :most"
_STRAYS = """
SELECT m.id FROM {table} m WHERE m.keep = 'held'
  AND NOT EXISTS (SELECT 1 FROM log_entry l WHERE l.key = m.key AND l.state <> 'done') LIMIT :most
"""
_ENTER = """
INSERT INTO log_entry (id, act, reason, state, mark, key, ordered_at, held)
SELECT CAST(:id AS TEXT) || '-{letter}' || CAST(m.id AS TEXT), 'recall', 'came_late', 'ordered', m.mark, m.key,
       CAST(:now AS INTEGER), 1
FROM {table} m WHERE m.id = :row AND m.keep = 'held'
  AND NOT EXISTS (SELECT 1 FROM log_entry l WHERE l.key = m.key AND l.state <> 'done')
"""
_OF_PERSON = """
SELECT CASE l.act WHEN 'erase' THEN 'erase' ELSE 'recall' END, k.class, k.keep, k.reason, k.duty, k.article,
       min(k.until), CASE WHEN min(CASE WHEN k.until IS NULL THEN 0 ELSE 1 END) = 0 THEN NULL ELSE max(k.until) END,
       sum(k.count)
FROM kept k JOIN log_entry l ON l.id = k.log_entry JOIN subject s ON s.id = k.subject
WHERE s.pseudonym = :pseudonym AND l.held = 1 AND l.state <> 'done'
GROUP BY 1, k.class, k.keep, k.reason, k.duty, k.article ORDER BY 1, k.class, k.keep, k.article
"""
_NOT_JUDGED = """
SELECT count(*) FROM subject s JOIN {table} m ON m.subject = s.id AND m.keep = 'held'
JOIN log_entry l ON l.key = m.key AND l.state <> 'done' AND l.held = 1 AND l.act = 'recall'
WHERE s.pseudonym = :name AND (l.judged = 0 OR l.judged < (SELECT max(version) FROM law_duties))
"""


class Waiting(NamedTuple):
    """A row that was taken back and is kept."""

    log_entry: str
    table: Table
    kind: str
    subject: int | None
    stored_at: int
    laws: tuple[str, ...]
    """Of its subject; none where none is known."""
    covering: tuple[Covering, ...]


class KeptRow(NamedTuple):
    """Why something is kept; field order is that of the statement's parameters."""

    log_entry: str
    data_class: str
    store: str
    subject: int | None
    keep: str
    reason: str
    duty: str
    article: str
    until: int | None
    again_at: int
    amount: int


class KeptOf(NamedTuple):
    """What is kept of a person; field order is that of the query."""

    wanted: str
    """The removal that waits: ``recall`` or ``erase``."""
    data_class: str
    keep: str
    reason: str
    duty: str
    article: str
    first_until: int | None
    last_until: int | None
    """``None``: until somebody ends the duty."""
    amount: int


class Written(NamedTuple):
    """What the duties in the store were written from; field order is that of the query."""

    bundle: str = ""
    """Its hash; '' : none was in force."""
    version: int = 0
    at: int = 0
    bound: int = 1
    """1 where the holds that stand go by it, too."""
    awaited: int = 0
    """Of a restored store: the version by which what waits was kept."""

    @property
    def known(self) -> bool:
        """Say whether what waits may be asked: the law that kept it, or a later one, is known."""
        return self.version >= self.awaited


async def duties_written(database: Database) -> Written | None:
    """Give what the duties were written from; ``None`` where they never were."""
    async with database.read() as transaction:
        rows = await transaction.fetch(_WRITTEN)
    return Written(*rows[0]) if rows else None


async def version_of_duties(database: Database) -> int | None:
    """Give the version of the policy that the duties were written from; ``None`` where there was none yet."""
    return (await duties_written(database) or Written()).version or None


async def note_bound(database: Database, version: int) -> None:
    """Note that the holds that stand go by a version of the policy."""
    await database.run([Step(_BOUND, [(version,)])])


async def write_duties(database: Database, duties: Sequence[LawDuty], bundle: str, version: int, now: int) -> Written:
    """Write the duties of a bundle, if none of a later one are there; give what they are written from now.

    Of another bundle than before everything that waits is asked again, as it may be decided else.
    """
    async with database.write() as transaction:
        await transaction.fetch(_TURN + database.dialect.row_lock)
        found = await transaction.fetch(_WRITTEN)
        before = Written(*found[0]) if found else Written()
        if before.version > version:
            return before
        await transaction.execute(_DROP)
        if duties:
            await transaction.execute_many(_WRITE, [tuple(each) for each in duties])
        if before.bundle != bundle:
            await transaction.execute(_LOOK_ALL)
            await transaction.execute(AGAIN)
        await transaction.execute(_NOTE, {"bundle": bundle, "version": version, "now": now})
        return Written(*(await transaction.fetch(_WRITTEN))[0])


def await_step(version: int) -> Step:
    """Give the statement by which a restored store waits for a version of the policy: what waits was kept by that."""
    return Step(_AWAIT, [(version,)])


async def enter_strays(database: Database, entry: str, now: int) -> int:
    """Give rows that were taken back before they came, and are kept, an entry of their own; give how many."""
    entered = 0
    for table in ("message", "event"):
        async with database.read() as looking:
            rows = await looking.fetch(_STRAYS.format(table=table), {"most": PAGE_ROWS})
        if rows:
            sql = _ENTER.format(table=table, letter=table[0])
            results = await database.run([turn(database), Step(sql, [(entry, now, row) for (row,) in rows])])
            entered += results[1].changed
    return entered


async def unjudged(database: Database, version: int) -> list[Waiting]:
    """Give a page of removals that wait and were not put before the table of this version of the policy yet."""
    async with database.read() as transaction:
        entries = await transaction.fetch(_UNJUDGED, {"version": version, "most": PAGE_ROWS})
        return [await _waiting(transaction, entry, mark) for entry, mark in entries]


async def _waiting(transaction: Transaction, entry: str, mark: bytes) -> Waiting:
    """Read what the table is asked about; a row that is gone meanwhile is one that nothing keeps."""
    tables: tuple[Table, ...] = ("message", "event")
    for table in tables:
        for kind, subject, stored_at, said_at, laws in await transaction.fetch(_ROW[table], {"mark": mark}):
            covering = await covering_of(transaction, subject, table, kind, said_at)
            return Waiting(entry, table, kind, subject, stored_at, tuple(laws.split()), covering)
    return Waiting(entry, "message", "", None, 0, (), ())


async def covering_of(
    transaction: Transaction, subject: int | None, table: str, kind: str, said_at: int | None = None
) -> tuple[Covering, ...]:
    """Give the holds that cover rows of a kind of a subject: all of them, or those that cover what was said then."""
    if subject is None:
        return ()
    rows = await transaction.fetch(_HOLDS, {"subject": subject})
    return tuple(_covering(row) for row in rows if _covers(row, f"|{table}/{kind}|", said_at))


def _covers(row: Row, kind: str, said_at: int | None) -> bool:
    """Say whether a hold covers rows of a kind, of what was said at a time."""
    from_at, until_at, kinds = row[6:9]
    return (not kinds or kind in kinds) and (said_at is None or from_at <= said_at <= until_at)


def _covering(row: Row) -> Covering:
    """Read a hold as the table is told of it."""
    stops = frozenset(removal for removal, stopped in zip(REMOVALS, row[3:6], strict=True) if stopped)
    return Covering(row[0], row[1], row[2], stops)


async def note_kept(database: Database, rows: Sequence[KeptRow], version: int) -> None:
    """Note why removals are kept, one row each, by a version of the policy."""
    if rows:
        ids = [(row.log_entry,) for row in rows]
        kept = [tuple(row) for row in rows]
        judged = [(version, row.log_entry) for row in rows]
        await database.run([turn(database), Step(_FORGET, ids), Step(_KEEP, kept), Step(_JUDGED, judged)])


async def resume_due(database: Database, now: int) -> tuple[int, int]:
    """Take up a page of removals whose time has come; give how many were looked at, and how many go on."""
    async with database.read() as looking:
        if not await looking.fetch(_DUE, {"now": now, "most": 1}):
            return 0, 0
    async with database.write() as transaction:
        await transaction.fetch(_TURN + database.dialect.row_lock)
        entries = await transaction.fetch(_DUE, {"now": now, "most": PAGE_ROWS})
        freed = [await resume_entry(transaction, entry, now) for (entry,) in entries]
    return len(freed), sum(freed)


async def kept_of(database: Database, pseudonym: str) -> tuple[list[KeptOf], int]:
    """Give what is kept of a person although somebody wants it gone, and how much was not put before the table yet."""
    async with database.read() as transaction:
        rows = await transaction.fetch(_OF_PERSON, {"pseudonym": pseudonym})
        waiting = 0
        for table in CLASSES:
            ((count,),) = await transaction.fetch(_NOT_JUDGED.format(table=table), {"name": pseudonym})
            waiting += int(count)
    return [KeptOf(*row)._replace(amount=int(row[-1])) for row in rows], waiting


def keep_steps(entry: str, rows: Iterable[KeptRow]) -> list[Step]:
    """Give the statements that note anew what is kept of an erasure."""
    return [Step(_FORGET, [(entry,)]), Step(_KEEP, [tuple(row) for row in rows])]
