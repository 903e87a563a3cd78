"""Disclosures: which message was shown to which node, on record and synced before anything of it is sent.

The record is written only where the message still rests here under the key it was opened with and its subject is
active, in one transaction with the head row's lock: a recall comes either before, and nothing is shown, or after, and
finds the disclosure.
"""

from collections.abc import Sequence
from typing import NamedTuple

from shared.database.contract import Database, Step

_SUBJECT = """
SELECT s.id, c.id FROM subject s JOIN conversation c ON c.subject = s.id
WHERE s.pseudonym = :pseudonym AND s.keep = 'active'
"""
_OLDER = "keep = 'active' AND (at < :at OR (at = :at AND id < :id))"
_PAGE = f"""
SELECT id, mark, at, edited_at, key, sealed FROM (
    SELECT id, mark, at, edited_at, key, sealed FROM message WHERE conversation = :conversation AND {_OLDER}
    UNION ALL
    SELECT id, mark, at, edited_at, key, sealed FROM message WHERE subject = :subject AND grouped = 1 AND {_OLDER}
) AS found ORDER BY at DESC, id DESC LIMIT :most
"""  # noqa: S608 - constants of this page
_POSITION = "SELECT message_at, message FROM disclosure WHERE id = :id AND node = :node AND view = :view"
_LOCK = "SELECT id FROM content_store"
_RECORD = """
INSERT INTO disclosure (id, node, subject, mark, purpose, view, at, message_at, message)
SELECT CAST(:id AS TEXT), CAST(:node AS TEXT), CAST(:subject AS INTEGER), mark, CAST(:purpose AS TEXT),
       CAST(:view AS TEXT), CAST(:now AS INTEGER), at, id
FROM message WHERE id = :message AND key = :key AND keep = 'active'
  AND EXISTS (SELECT 1 FROM subject WHERE id = :subject AND keep = 'active')
RETURNING id
"""
_CLOSE = "UPDATE disclosure SET closed_at = :now WHERE node = :node AND view = :view AND closed_at IS NULL"

NEWEST = (2**62, 2**62)
"""The position before the newest message."""

Position = tuple[int, int]
"""A message's time (ms) and row: what is older than it comes on the next page."""


class Timeline(NamedTuple):
    """A subject whose messages may be shown: its row and its one-to-one conversation's."""

    subject: int
    conversation: int


class Found(NamedTuple):
    """One message of a page, sealed; field order is that of the query."""

    id: int
    mark: bytes
    at: int
    edited_at: int
    key: int
    sealed: bytes


class Showing(NamedTuple):
    """To whom, for what, and under which view something is shown."""

    node: str
    purpose: str
    view: str


async def find_timeline(database: Database, pseudonym: str) -> Timeline | None:
    """Give the active subject of a pseudonym, or ``None``."""
    async with database.read() as transaction:
        rows = await transaction.fetch(_SUBJECT, {"pseudonym": pseudonym})
    return Timeline(*rows[0]) if rows else None


async def read_page(database: Database, timeline: Timeline, before: Position, most: int) -> list[Found]:
    """Give at most ``most`` messages older than ``before``, newest first: its conversation's, and its own in groups."""
    parameters = {
        "conversation": timeline.conversation,
        "subject": timeline.subject,
        "at": before[0],
        "id": before[1],
        "most": most,
    }
    async with database.read() as transaction:
        return [Found(*row) for row in await transaction.fetch(_PAGE, parameters)]


async def position_of(database: Database, disclosure: str, showing: Showing) -> Position | None:
    """Give where a message stands that was shown to this node in this view; ``None`` where none was."""
    parameters = {"id": disclosure, "node": showing.node, "view": showing.view}
    async with database.read() as transaction:
        rows = await transaction.fetch(_POSITION, parameters)
    return (rows[0][0], rows[0][1]) if rows else None


async def record(
    database: Database, timeline: Timeline, showing: Showing, items: Sequence[tuple[str, Found]], now: int
) -> set[str]:
    """Put (disclosure id, message) on record, synced; give the ids of those that still may be shown."""
    rows = [
        (each, showing.node, timeline.subject, showing.purpose, showing.view, now, found.id, found.key)
        for each, found in items
    ]
    lock = Step(_LOCK + database.dialect.row_lock, expect=1)
    results = await database.run([lock, Step(_RECORD, rows)])
    return {row[0] for row in results[1].rows}


async def close(database: Database, node: str, view: str, now: int) -> int:
    """Note that a node destroyed what it was shown in a view; give how many disclosures that closed."""
    return (await database.run([Step(_CLOSE, [(now, node, view)])]))[0].changed
