"""All rows of one store copied into another of the same schema, from engine to engine, as of one moment.

One of the two is SQLite, whose catalogue tells tables (in the order in which they were made, so that whatever is
referred to comes first), columns and primary keys.  The table ``migration`` is each store's own and is left out.
"""

from collections.abc import Callable, Sequence
from typing import NamedTuple

from shared.database.contract import Database, Row, Transaction

PAGE_ROWS = 2_000
"""Rows read and written at a time: bounds memory."""

_TABLES = """
SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%' AND name <> 'migration' ORDER BY rowid
"""
_COLUMNS = "SELECT name, pk, type FROM pragma_table_info(:name) ORDER BY cid"


class Table(NamedTuple):
    """A table as the catalogue has it."""

    name: str
    columns: tuple[str, ...]
    keys: tuple[str, ...]
    """Of its primary key, in order."""
    counted: bool
    """Whether its key is a number that the store gives."""


async def tables_of(sqlite: Database) -> list[Table]:
    """Give the tables of a SQLite store."""
    found = []
    async with sqlite.read() as transaction:
        for (name,) in await transaction.fetch(_TABLES):
            columns = await transaction.fetch(_COLUMNS, {"name": name})
            keys = sorted((place, column, kind) for column, place, kind in columns if place)
            counted = len(keys) == 1 and keys[0][2] == "INTEGER"
            found.append(Table(name, tuple(row[0] for row in columns), tuple(column for _, column, _ in keys), counted))
    return found


async def copy_rows(source: Database, target: Database, tables: Sequence[Table], told: Callable[[int], None]) -> None:
    """Copy every row of ``tables``, in one transaction of each store; ``told`` is told of rows written.

    The target's tables must be empty.  Its own numbering of rows goes on behind the highest copied.
    """
    async with source.read() as reading, target.write() as writing:
        for table in tables:
            insert = _insert(table)
            after: Row | None = None
            while rows := await _page(reading, table, after):
                await writing.execute_many(insert, rows)
                places = [table.columns.index(key) for key in table.keys]
                after = tuple(rows[-1][place] for place in places)
                told(len(rows))
            if table.counted and after is not None and target.engine == "postgresql":
                await _count_on(writing, table)


async def _page(reading: Transaction, table: Table, after: Row | None) -> list[Row]:
    """Read the next rows in the order of the primary key."""
    keys = ", ".join(table.keys)
    behind = "" if after is None else f"WHERE ({keys}) > ({', '.join(f':k{place}' for place in range(len(after)))})"
    sql = f"SELECT {', '.join(table.columns)} FROM {table.name} {behind} ORDER BY {keys} LIMIT :most"  # noqa: S608 - names of our schema
    return await reading.fetch(
        sql, {f"k{place}": value for place, value in enumerate(after or ())} | {"most": PAGE_ROWS}
    )


def _insert(table: Table) -> str:
    """Give the statement that writes a row."""
    values = ", ".join(f":c{place}" for place in range(len(table.columns)))
    return f"INSERT INTO {table.name} ({', '.join(table.columns)}) VALUES ({values})"  # noqa: S608 - names of our schema


async def _count_on(writing: Transaction, table: Table) -> None:
    """Let the server's numbering of a table go on behind what was copied."""
    key = table.keys[0]
    sql = f"SELECT setval(pg_get_serial_sequence('{table.name}', '{key}'), (SELECT max({key}) FROM {table.name}))"  # noqa: S608 - names of our schema
    await writing.fetch(sql)
