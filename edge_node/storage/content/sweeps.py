"""What sweeps look at, by class, law and period, and how far they are; whose laws there are people of."""

from collections.abc import Collection
from typing import NamedTuple

from edge_node.core.stored import Table
from shared.database.contract import Database, Step

_READ_PROGRESS = (
    "SELECT received_at, last_row, swept_at, began_at, left_over FROM retention_progress WHERE class = :class"
)
_NAMES = "SELECT class FROM retention_progress"
_DROP = "DELETE FROM retention_progress WHERE class = :class"
# One step of the index for each law: a subject more costs nothing.
_LAWS = """
WITH RECURSIVE known (law) AS (
    SELECT min(jurisdiction) FROM subject
    UNION ALL SELECT (SELECT min(jurisdiction) FROM subject WHERE jurisdiction > known.law) FROM known
    WHERE known.law IS NOT NULL
)
SELECT law FROM known WHERE law <> ''
"""
_OTHER_LAWS = """
WITH RECURSIVE known (law) AS (
    SELECT min(others) FROM subject WHERE jurisdiction = ''
    UNION ALL SELECT (SELECT min(others) FROM subject WHERE jurisdiction = '' AND others > known.law) FROM known
    WHERE known.law IS NOT NULL
)
SELECT law FROM known WHERE law <> ''
"""


class Due(NamedTuple):
    """What a sweep looks at: rows of a table (for events, of a kind) that arrived before an instant (ms)."""

    table: Table
    kind: str
    before: int
    only: str = ""
    """Laws and classes that have its period, ``|EU/message_text|/media|``; '' for all of them."""
    period: str = ""
    """What tells it from other sweeps of these rows: the bundle that gives it its period, and which."""

    @property
    def name(self) -> str:
        """Name the sweep in the table of progress."""
        rows = f"{self.table}:{self.kind}" if self.kind else self.table
        return f"{rows}@{self.period}" if self.period else rows

    def parameters(self, **more: int) -> dict[str, int | str]:
        """Give the parameters of a query about it."""
        return {"before": self.before, **({"kind": self.kind} if self.table == "event" else {}), **more}


class Progress(NamedTuple):
    """How far a sweep is; field order is that of the query."""

    received_at: int = -1
    row: int = 0
    swept_at: int = 0
    """When it last came to the end (ms); 0: never."""
    began_at: int = 0
    """When its pass began (ms); 0: a new one is to begin."""
    left_over: int = 0
    """Rows of this pass that are due and could not be ordered."""


async def laws_here(database: Database) -> list[str]:
    """Give whose law the subjects here are under, as :data:`keeping.LAWS` writes it; '', of whom none is known."""
    async with database.read() as transaction:
        rows = [*await transaction.fetch(_LAWS), *await transaction.fetch(_OTHER_LAWS)]
    return ["", *sorted(row[0] for row in rows)]


async def read_progress(database: Database, due: Due) -> Progress:
    """Give how far a sweep came before."""
    async with database.read() as transaction:
        rows = await transaction.fetch(_READ_PROGRESS, {"class": due.name})
    return Progress(*rows[0]) if rows else Progress()


async def keep_progress(database: Database, names: Collection[str]) -> None:
    """Forget how far sweeps came that there are no more: another bundle, other periods."""
    async with database.read() as transaction:
        known = [row[0] for row in await transaction.fetch(_NAMES)]
    if old := [(name,) for name in known if name not in names]:
        await database.run([Step(_DROP, old)])
