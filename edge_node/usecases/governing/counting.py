"""Counts what a node holds, by class of data and law, while it works: read only, a page at a time."""

from collections.abc import Callable

from edge_node.core.holdings import TABLES, Table, Tally, holdings
from edge_node.storage.content.holdings import PAGE_ROWS, first_row, last_rows, tally_page
from shared.database.contract import Database
from shared.policy.touching import Holding


async def count_holdings(
    content: Database,
    region: str,
    told: Callable[[int, int], None] = lambda _done, _all: None,
    page_rows: int = PAGE_ROWS,
) -> tuple[Holding, ...]:
    """Count every record in the content store of a region; ``told`` hears how many of how many rows were looked at.

    What comes or goes meanwhile may be counted or not.
    """
    ends = await last_rows(content)
    total, before = sum(ends.values()), 0
    found: list[tuple[Table, Tally]] = []
    for table in TABLES:
        after = first_row(table)
        while True:
            tallies, upto = await tally_page(content, table, after, page_rows)
            if upto is None:
                break
            found += [(table, each) for each in tallies]
            after = upto
            if isinstance(upto, int):
                told(min(before + upto, total), total)
        before += ends.get(table, 0)
        told(before, total)
    return holdings(found, region)
