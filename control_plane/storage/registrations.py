"""Which node registered a pseudonym: the one that did so first."""

from collections.abc import Sequence

from shared.database.contract import Transaction

_REGISTER = "INSERT INTO registration (pseudonym, node, at) VALUES (:p, :node, :at) ON CONFLICT (pseudonym) DO NOTHING"
_HOLDER = "SELECT node FROM registration WHERE pseudonym = :p"


async def register(t: Transaction, node: str, pseudonyms: Sequence[str], at: int) -> list[str]:
    """Let ``node`` hold pseudonyms that nobody holds; give those that another node holds."""
    rows = [(pseudonym, node, at) for pseudonym in sorted(set(pseudonyms))]
    if not rows or await t.execute_many(_REGISTER, rows) == len(rows):
        return []
    return [pseudonym for pseudonym in pseudonyms if await holder(t, pseudonym) != node]


async def holder(t: Transaction, pseudonym: str) -> str | None:
    """Give the node that registered a pseudonym."""
    rows = await t.fetch(_HOLDER, {"p": pseudonym})
    return str(rows[0][0]) if rows else None
