"""Where content was shown: the nodes that hold a copy, and this node's names of what it showed them.

Read from the record of disclosures.  A showing whose view was closed is left out: the other node has destroyed its
copy and said so.
"""

from collections.abc import Iterable, Mapping
from typing import Protocol

from shared.database.contract import Database
from shared.wire import Place
from shared.wire.parts import DISCLOSURES_MAX

OF_SUBJECT = "SELECT node, id FROM disclosure WHERE subject = :about AND closed_at IS NULL ORDER BY node, id"
_OF_MESSAGE = "SELECT node, id FROM disclosure WHERE mark = :about AND closed_at IS NULL ORDER BY node, id"


class Places(Protocol):
    """What is known of where content went."""

    async def of_subject(self, subject: int) -> tuple[Place, ...]:
        """Give the places that hold a copy of anything of a subject (its row)."""
        ...

    async def of_message(self, mark: bytes) -> tuple[Place, ...]:
        """Give the places that hold a copy of a message (its mark)."""
        ...


class DisclosurePlaces:
    """The places that the table ``disclosure`` names."""

    def __init__(self, content: Database) -> None:
        """Take the open content store."""
        self._content = content

    async def of_subject(self, subject: int) -> tuple[Place, ...]:
        """Give the places that hold a copy of anything of a subject (its row)."""
        return await self._read(OF_SUBJECT, {"about": subject})

    async def of_message(self, mark: bytes) -> tuple[Place, ...]:
        """Give the places that hold a copy of a message (its mark)."""
        return await self._read(_OF_MESSAGE, {"about": mark})

    async def _read(self, sql: str, about: Mapping[str, int | bytes]) -> tuple[Place, ...]:
        """Run one of the queries and sort what it finds by node."""
        async with self._content.read() as transaction:
            return places_of(await transaction.fetch(sql, about))


def places_of(rows: Iterable[tuple[str, str]]) -> tuple[Place, ...]:
    """Sort (node, disclosure) into places; a node with more than one place may name has several."""
    by_node: dict[str, list[str]] = {}
    for node, disclosure in rows:
        by_node.setdefault(node, []).append(disclosure)
    return tuple(
        Place(node, tuple(names[first : first + DISCLOSURES_MAX]))
        for node, names in sorted(by_node.items())
        for first in range(0, len(names), DISCLOSURES_MAX)
    )
