"""When a message comes whose place an edit by somebody else has taken: what stands there, and what waits beside it.

Whoever edits first is taken for the author until the message itself says who that is.  Then the edit in its place
becomes an event of its own, and edits by the real author, kept as events till then, become edits of the message.
"""

from typing import NamedTuple

from shared.database.contract import Database, Step

_IN_PLACE = "SELECT mark, key, sealed, received_at FROM message WHERE mark = :mark AND original = 0 AND keep = 'active'"
_HELD = """
SELECT mark, key, sealed, received_at FROM event
WHERE about = :mark AND kind = 'edit' AND keep = 'active'
  AND COALESCE(subject, 0) = COALESCE(CAST(:subject AS INTEGER), 0)
"""
_ORDER = """
INSERT INTO log_entry (id, act, reason, state, mark, key, ordered_at)
SELECT CAST(:id AS TEXT), 'supersede', 'displaced', 'ordered', mark, key, CAST(:now AS INTEGER) FROM event
WHERE mark = :mark AND keep = 'active'
"""
_HIDE = "UPDATE event SET keep = 'tombstoned' WHERE mark = :mark AND keep = 'active'"


class SealedEdit(NamedTuple):
    """An edit as it rests, in the message's place or as an event; field order is that of the queries."""

    mark: bytes
    key: int
    sealed: bytes
    received_at: int


async def read_displaced(
    database: Database, mark: bytes, subject: int | None
) -> tuple[SealedEdit | None, list[SealedEdit]]:
    """Give the edit in a message's place, and the edits by the message's own author that are kept as events."""
    async with database.read() as transaction:
        found = await transaction.fetch(_IN_PLACE, {"mark": mark})
        held = await transaction.fetch(_HELD, {"mark": mark, "subject": subject})
    return (SealedEdit(*found[0]) if found else None), [SealedEdit(*row) for row in held]


def release_steps(log_entry: str, mark: bytes, now: int) -> list[Step]:
    """Give the statements that let an event go whose edit is in its message now."""
    return [Step(_ORDER, [(log_entry, now, mark)]), Step(_HIDE, [(mark,)])]
