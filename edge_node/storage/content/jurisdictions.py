"""Whose law applies to a subject, as it is kept on the subject's row: codes only, nothing that names anybody."""

from collections.abc import Iterable
from typing import Any, cast

from shared.database.contract import Database, Row, Transaction
from shared.policy.deriving import Derived

_DERIVED = """
SELECT id, jurisdiction, country, basis, certainty, others, conflicts FROM subject WHERE id = :id
"""


async def derived_of(store: Transaction | Database, subjects: Iterable[int]) -> dict[int, Derived]:
    """Give by subject's row id what was derived for it; ``nothing_known`` where nothing was.  Unknown ids are left out.

    Reads in the transaction given, else in one of its own.
    """
    wanted = sorted(set(subjects))
    if hasattr(store, "fetch"):
        return await _read(cast("Transaction", store), wanted)
    async with store.read() as transaction:
        return await _read(transaction, wanted)


async def _read(transaction: Transaction, subjects: Iterable[int]) -> dict[int, Derived]:
    """Read one row after the other: by the primary key, and the questions are few."""
    rows = [row for subject in subjects for row in await transaction.fetch(_DERIVED, {"id": subject})]
    return {row[0]: _derived(row[1:]) for row in rows}


def _derived(row: Row) -> Derived:
    """Give what the columns say."""
    jurisdiction, country, basis, certainty, others, conflicts = row
    words: Any = {"basis": basis or "nothing_known", "certainty": certainty, "conflicts": tuple(conflicts.split())}
    return Derived(jurisdiction=jurisdiction or None, country=country or None, others=tuple(others.split()), **words)


__all__ = ["derived_of"]
