"""Searches for a person by an identifier: the search itself, by blind index, and its record."""

from collections.abc import Sequence
from typing import NamedTuple

from shared.database.contract import Database, Step

_FIND = """
SELECT DISTINCT s.pseudonym, s.id FROM identity i JOIN subject s ON s.id = i.subject
WHERE i.blind = :blind AND i.valid_to IS NULL AND s.keep = 'active'
"""
_RECORD = """
INSERT INTO lookup (at, purpose, found, pseudonym, rule, bundle)
VALUES (:at, :purpose, :found, :pseudonym, :rule, :bundle)
"""


class Sought(NamedTuple):
    """Whom a search led to (``None``: to nobody), and by which rule of which bundle."""

    pseudonym: str | None
    rule: str
    bundle: str


async def find_subjects(database: Database, blinds: Sequence[bytes]) -> dict[str, int]:
    """Give the pseudonyms, with their subjects' rows, that open identities of these blind indexes lead to."""
    found: dict[str, int] = {}
    async with database.read() as transaction:
        for blind in blinds:
            found |= dict(await transaction.fetch(_FIND, {"blind": blind}))
    return found


async def record_lookup(database: Database, purpose: str, found: Sequence[Sought], nobody: Sought, now: int) -> None:
    """Record a search: one row for each person it led to, or ``nobody``."""
    rows = [
        (now, purpose, int(each.pseudonym is not None), each.pseudonym, each.rule, each.bundle)
        for each in (found or (nobody,))
    ]
    await database.run([Step(_RECORD, rows)])
