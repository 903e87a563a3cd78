"""Numbered migrations: ``NNNN_name.sql``, applied in order, each once, each whole or not at all.

A file is plain portable SQL (see ``README.md``) and says in its first comment lines from which release's
migration number on a program may go on using the store: ``-- works-with: N``.  While a restart overlaps, the old
release thus goes on beside the new one; without that line it may not.  What was applied is kept in the table
``migration``, with a checksum: an applied file never changes.
"""

import hashlib
import re
from importlib.resources.abc import Traversable
from pathlib import Path

import msgspec

from shared.clock import Milliseconds
from shared.database.contract import Database, Transaction
from shared.database.statements import split
from shared.errors import MigrationChanged, StoreTooNew
from shared.errors.custody import StoreTooOld

_FILE = re.compile(r"(\d{4})_([a-z0-9_]+)\.sql")
_WORKS_WITH = re.compile(r"^--\s*works-with:\s*(\d+)\s*$", re.MULTILINE)

_TABLE = """
CREATE TABLE IF NOT EXISTS migration (
    number INTEGER NOT NULL PRIMARY KEY,
    name TEXT NOT NULL,
    sha256 TEXT NOT NULL,
    works_with INTEGER NOT NULL,
    applied_at INTEGER NOT NULL
) STRICT
"""
_APPLIED = "SELECT number, sha256, works_with FROM migration ORDER BY number"
_RECORD = """
INSERT INTO migration (number, name, sha256, works_with, applied_at)
VALUES (:number, :name, :sha256, :works_with, :applied_at)
"""


class Migration(msgspec.Struct, frozen=True):
    """One file: its number, name, checksum (of its text with Unix line ends) and statements."""

    number: int
    name: str
    sha256: str
    works_with: int
    statements: tuple[str, ...]


def load(folder: Path | Traversable) -> list[Migration]:
    """Read the migrations of a folder; numbers run from 1 without a gap, else :class:`MigrationChanged`."""
    found = sorted((match.group(1), each) for each in folder.iterdir() if (match := _FILE.fullmatch(each.name)))
    migrations = [_read(int(number), each) for number, each in found]
    for place, migration in enumerate(migrations, 1):
        if migration.number != place:
            raise MigrationChanged(number=place, reason="missing or doubled in this release")
    return migrations


async def migrate(database: Database, folder: Path | Traversable, at: Milliseconds) -> list[str]:
    """Bring a store up to this release and give the names of what was applied.

    ``at`` is the instant noted with each.  Two processes may do this at once: one waits for the other.  Raises
    :class:`MigrationChanged` or :class:`StoreTooNew` before anything is applied.
    """
    migrations = load(folder)
    done: list[str] = []
    while True:
        async with database.write() as transaction:
            applied = await _next(database, transaction, migrations, at)
        if applied is None:
            return done
        done.append(applied)


async def ensure_current(database: Database, folder: Path | Traversable) -> None:
    """Look, without writing, whether a store is of this release; :class:`StoreTooOld` where it is not yet.

    Raises :class:`MigrationChanged` or :class:`StoreTooNew` as :func:`migrate` does.
    """
    migrations = load(folder)
    async with database.read() as transaction:
        rows = await transaction.fetch(_APPLIED)
    applied = {number: (sha256, works_with) for number, sha256, works_with in rows}
    _judge(applied, migrations)
    missing = next((each for each in migrations if each.number not in applied), None)
    if missing is not None:
        raise StoreTooOld(number=missing.number, name=missing.name)


async def _next(
    database: Database, transaction: Transaction, migrations: list[Migration], at: Milliseconds
) -> str | None:
    """Apply the first migration that is still to do; give its name, or none where all is done."""
    if database.dialect.migration_lock:
        await transaction.fetch(database.dialect.migration_lock)
    await transaction.execute(_TABLE)
    applied = {number: (sha256, works_with) for number, sha256, works_with in await transaction.fetch(_APPLIED)}
    _judge(applied, migrations)
    migration = next((each for each in migrations if each.number not in applied), None)
    if migration is None:
        return None
    for statement in migration.statements:
        await transaction.execute(statement)
    facts: dict[str, int | str] = {
        "number": migration.number,
        "name": migration.name,
        "sha256": migration.sha256,
        "works_with": migration.works_with,
        "applied_at": at,
    }
    await transaction.execute(_RECORD, facts)
    return migration.name


def _judge(applied: dict[int, tuple[str, int]], migrations: list[Migration]) -> None:
    """Refuse a store whose history this release does not share, or that went on too far."""
    for migration in migrations:
        known = applied.get(migration.number)
        if known is not None and known[0] != migration.sha256:
            raise MigrationChanged(number=migration.number, name=migration.name)
    newest = len(migrations)
    for number, (_, works_with) in applied.items():
        if number > newest and works_with > newest:
            raise StoreTooNew(number=number, works_with=works_with, newest=newest)


def _read(number: int, file: Path | Traversable) -> Migration:
    text = file.read_bytes().decode().replace("\r\n", "\n")
    stated = _WORKS_WITH.search(text)
    return Migration(
        number=number,
        name=file.name.removesuffix(".sql"),
        sha256=hashlib.sha256(text.encode()).hexdigest(),
        works_with=int(stated.group(1)) if stated else number,
        statements=tuple(split(text)),
    )
