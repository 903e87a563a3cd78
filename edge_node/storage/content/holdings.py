"""Counting what lies in the content store, page by page along the primary keys: short reads that hold up nobody."""

from edge_node.core.holdings import Table, Tally
from edge_node.storage.content.jurisdictions import LAW
from shared.database.contract import Database, Value

PAGE_ROWS = 20_000
"""Rows read in one transaction: some tens of milliseconds."""

_KIND: dict[Table, str] = {"message": "kind", "event": "kind", "derivative": "kind", "identity": "kind"}
_NUMBERED: tuple[Table, ...] = ("message", "event", "derivative", "identity")


def _kept(table: Table) -> str:
    """Give the condition by which a row is a record: what is only waiting to go is none any more."""
    return "AND keep <> 'tombstoned'" if table in {"message", "event", "derivative"} else ""


def _page(table: Table) -> str:
    """Write the query that counts one page of a table."""
    return f"""
SELECT r.kind, COALESCE({LAW}, ''), count(*), max(r.id)
FROM (SELECT id, {_KIND.get(table, "''")} AS kind, subject FROM {table} WHERE id > :after {_kept(table)}
      ORDER BY id LIMIT :most) r
LEFT JOIN subject s ON s.id = r.subject
GROUP BY r.kind, COALESCE({LAW}, '')
"""  # noqa: S608 - our words


_PAGES = {table: _page(table) for table in (*_NUMBERED, "disclosure")}
_LAST = {table: f"SELECT COALESCE(max(id), 0) FROM {table}" for table in _NUMBERED}  # noqa: S608 - our words


async def last_rows(database: Database) -> dict[Table, int]:
    """Give the last row of every table whose rows are numbered: how far the counting goes."""
    async with database.read() as transaction:
        return {table: int((await transaction.fetch(sql))[0][0]) for table, sql in _LAST.items()}


async def tally_page(
    database: Database, table: Table, after: Value, most: int = PAGE_ROWS
) -> tuple[list[Tally], Value]:
    """Count one page of a table after a row; give what it holds, and its last row (``None``: there is nothing more)."""
    async with database.read() as transaction:
        rows = await transaction.fetch(_PAGES[table], {"after": after, "most": most})
    return [Tally(*row[:3]) for row in rows], max((row[3] for row in rows), default=None)


def first_row(table: Table) -> Value:
    """Give what comes before the first row of a table."""
    return 0 if table in _NUMBERED else ""
