"""What of a person is kept although it should be gone, for an officer who asks: why, by which article, until when.

What was taken back, or is to be erased, was put before the table of duties when it came to wait.  An expiry leaves no
mark on what it passes over, so that is put before the table now.
"""

from typing import NamedTuple

from edge_node.core.duties import judged
from edge_node.storage.content.duties import KeptOf, kept_of
from edge_node.storage.content.holds import Listed, standing_of
from edge_node.storage.content.overdue import Overdue, kept_past_time
from edge_node.usecases.governing.policy_book import PolicyBook
from edge_node.usecases.letting_go.retaining import Retaining
from shared.clock import Milliseconds
from shared.database.contract import Database


class Listing(NamedTuple):
    """What is kept of a person."""

    rows: list[KeptOf]
    waiting: int
    """Removals that wait and were not put before the table yet."""
    holds: list[Listed]
    """Those that stand."""


async def list_kept(
    content: Database, policy: PolicyBook, retaining: Retaining, pseudonym: str, now: Milliseconds
) -> Listing:
    """List what is kept of a person."""
    rows, waiting = await kept_of(content, pseudonym)
    due = [each for _, each in await retaining.content_due(now)]
    rows += [_passed_over(each, policy, now) for each in await kept_past_time(content, pseudonym, due)]
    return Listing(rows, waiting, await standing_of(content, pseudonym))


def _passed_over(rows: Overdue, policy: PolicyBook, now: Milliseconds) -> KeptOf:
    """Put rows before the table of duties; until then they are as they were (core/keeping)."""
    laws = policy.laws_with(rows.laws)
    first, last = (
        judged(policy.tables, laws, rows.data_class, "expire", at, rows.covering, now)
        for at in (rows.oldest_at, rows.newest_at)
    )
    duty, article = last.duty or "", last.article or ""
    return KeptOf(
        "expire", rows.data_class, "active", "passed_over", duty, article, first.until, last.until, rows.amount
    )
