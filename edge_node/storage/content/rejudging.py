"""Judging again what is stored: pages of subjects by row, changed by law and not by person; who is restricted.

A restriction stands on the subject's row, one bit for each class of data, and readers respect it: a subject with a
million messages costs no more than one with none, and what arrives later falls under it at once.
"""

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from edge_node.core.keeping import GONE
from edge_node.storage.content.jurisdictions import FOLLOWS, KNOWN, Law
from edge_node.storage.content.views import retract_subject
from shared.database.contract import Database, Transaction

_COLUMNS = tuple(f"{KNOWN}, {FOLLOWS}".split(", "))
_LIVING = f"keep NOT IN ('{GONE}', 'tombstoned')"
_TURN = "SELECT people FROM content_store"
_PROGRESS = "SELECT bundle, since, last_subject, finished_at FROM judging"
_NOTE = """
INSERT INTO judging (id, bundle, since, last_subject, finished_at)
VALUES (1, :bundle, :since, :last_subject, :finished_at)
ON CONFLICT (id) DO UPDATE SET bundle = excluded.bundle, since = excluded.since, last_subject = excluded.last_subject,
    finished_at = excluded.finished_at
"""
_UPTO = "SELECT COALESCE(max(id), 0) FROM (SELECT id FROM subject WHERE id > :after ORDER BY id LIMIT :most) AS page"
_PAGE = "id > :after AND id <= :upto"
_LAWS = f"SELECT DISTINCT {KNOWN}, {FOLLOWS} FROM subject WHERE {_PAGE} AND {_LIVING}"  # noqa: S608 - our words
_CHANGE = f"""
UPDATE subject SET {", ".join(f"{name} = :new_{name}" for name in _COLUMNS)}
WHERE {_PAGE} AND {_LIVING} AND {" AND ".join(f"{name} = :{name}" for name in _COLUMNS)}
"""  # noqa: S608 - our words
_SEEN = f"""
SELECT DISTINCT v.subject FROM shown v JOIN subject s ON s.id = v.subject
WHERE s.restricted <> 0 AND s.{_PAGE.replace("AND id", "AND s.id")}
"""  # noqa: S608 - our words
_UNKNOWN = f"""
SELECT id, pseudonym FROM subject
WHERE {_PAGE} AND {_LIVING} AND basis IN ('', 'nothing_known') ORDER BY id
"""  # noqa: S608 - our words
_IDENTITIES = "SELECT key, sealed FROM identity WHERE subject = :subject AND valid_to IS NULL ORDER BY id"
_ACCOUNT = """
SELECT m.account FROM message m JOIN conversation c ON c.id = m.conversation
WHERE c.subject = :subject ORDER BY m.at, m.id LIMIT 1
"""
_RESTRICTED = """
SELECT pseudonym, jurisdiction, others, basis, restricted FROM subject WHERE restricted <> 0 AND id > :after
ORDER BY id LIMIT :most
"""
_COUNT = "SELECT count(*) FROM subject WHERE restricted <> 0"


class Progress(NamedTuple):
    """How far the judging has come; field order is that of the query."""

    bundle: str
    since: int
    """The instant (ms) since which no value of the bundle has changed."""
    last_subject: int
    finished_at: int
    """When it came to the end (ms); 0: it has not."""


class Unknown(NamedTuple):
    """A subject of whom nothing was known when it was judged last."""

    id: int
    pseudonym: str
    identities: list[tuple[int, bytes]]
    """Keys and sealed identifiers."""
    account: int | None
    """The account that it wrote to first."""


class Restricted(NamedTuple):
    """A subject of whom something may not rest here; field order is that of the query."""

    pseudonym: str
    jurisdiction: str
    others: str
    basis: str
    restricted: int

    @property
    def law(self) -> str:
        """Name the jurisdiction, or those that may be the right one."""
        return self.jurisdiction or self.others or "none"


async def read_progress(database: Database) -> Progress | None:
    """Give how far the judging has come; ``None`` before the first."""
    async with database.read() as transaction:
        rows = await transaction.fetch(_PROGRESS)
    return Progress(*rows[0]) if rows else None


async def end_of_page(database: Database, after: int, most: int) -> int:
    """Give the last row of the page of subjects after a row; 0 where there is none."""
    async with database.read() as transaction:
        return int((await transaction.fetch(_UPTO, {"after": after, "most": most}))[0][0])


async def laws_of_page(database: Database, after: int, upto: int) -> list[Law]:
    """Give every law that subjects of a page stand under."""
    async with database.read() as transaction:
        return [Law(*row) for row in await transaction.fetch(_LAWS, {"after": after, "upto": upto})]


async def change_laws(
    database: Database, after: int, upto: int, changes: Iterable[tuple[Law, Law]], progress: Progress
) -> int:
    """Change laws of a page, old to new, note the progress, and give how many subjects that changed.

    Who is restricted is taken out of this node's own views in the same transaction.
    """
    changed = 0
    page = {"after": after, "upto": upto}
    async with database.write() as transaction:
        await transaction.fetch(_TURN + database.dialect.row_lock)
        for old, new in changes:
            changed += await transaction.execute(_CHANGE, {**page, **old.columns(), **new.columns("new_")})
        if changed:
            await hide(transaction, page)
        await transaction.execute(_NOTE, progress._asdict())
    return changed


async def hide(transaction: Transaction, page: Mapping[str, int]) -> None:
    """Take the restricted subjects of a page (rows ``after`` to ``upto``) out of this node's own views."""
    for (subject,) in await transaction.fetch(_SEEN, page):
        await retract_subject(transaction, subject)


async def unknown_of_page(database: Database, after: int, upto: int) -> list[Unknown]:
    """Give the subjects of a page of whom nothing is known: what an older release took in, or without a country."""
    found = []
    async with database.read() as transaction:
        for subject, pseudonym in await transaction.fetch(_UNKNOWN, {"after": after, "upto": upto}):
            identities = await transaction.fetch(_IDENTITIES, {"subject": subject})
            account = await transaction.fetch(_ACCOUNT, {"subject": subject})
            found.append(
                Unknown(
                    subject, pseudonym, [(key, sealed) for key, sealed in identities], next(iter(account), [None])[0]
                )
            )
    return found


async def read_restricted(database: Database, most: int) -> list[Restricted]:
    """Give the first ``most`` subjects of whom something may not rest here."""
    async with database.read() as transaction:
        return [Restricted(*row) for row in await transaction.fetch(_RESTRICTED, {"after": 0, "most": most})]


async def count_restricted(database: Database) -> int:
    """Count the subjects of whom something may not rest here."""
    async with database.read() as transaction:
        return int((await transaction.fetch(_COUNT))[0][0])
