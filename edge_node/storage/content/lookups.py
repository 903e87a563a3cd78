"""Searches for a person by an identifier: the search itself, by blind index, and its record."""

from collections.abc import Sequence

from shared.database.contract import Database, Step

_FIND = """
SELECT DISTINCT s.pseudonym FROM identity i JOIN subject s ON s.id = i.subject
WHERE i.blind = :blind AND i.valid_to IS NULL AND s.keep = 'active'
"""
_RECORD = "INSERT INTO lookup (at, purpose, found, pseudonym) VALUES (:at, :purpose, :found, :pseudonym)"


async def find_pseudonyms(database: Database, blinds: Sequence[bytes]) -> list[str]:
    """Give the pseudonyms that open identities of these blind indexes lead to, sorted."""
    found: set[str] = set()
    async with database.read() as transaction:
        for blind in blinds:
            found |= {name for (name,) in await transaction.fetch(_FIND, {"blind": blind})}
    return sorted(found)


async def record_lookup(database: Database, purpose: str, found: Sequence[str], now: int) -> None:
    """Record a search: one row for each person it led to, or one that it led to nobody."""
    rows = [(now, purpose, int(name is not None), name) for name in (found or (None,))]
    await database.run([Step(_RECORD, rows)])
