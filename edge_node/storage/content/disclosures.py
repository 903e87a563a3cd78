"""Disclosures: which message was shown to which node, on record and synced before anything of it is sent.

The record is written only where the message still rests here under the key it was opened with and its subject is
active, in one transaction with the head row's lock: a recall comes either before, and nothing is shown, or after, and
finds the disclosure.

A view that stays open is told news: messages that came since, and messages whose key is another than when they were
shown, which an edit has replaced.  What news brought counts as arrived when the asking node says so, not before.
"""

from collections.abc import Sequence
from typing import NamedTuple

from edge_node.core.viewing import Seen
from edge_node.storage.content.keeping import NOT_RESTRICTED, RESTRICTED
from shared.database.contract import Database, Step, Value

_SUBJECT = f"""
SELECT s.id, c.id, {RESTRICTED} FROM subject s JOIN conversation c ON c.subject = s.id
WHERE s.pseudonym = :pseudonym AND s.keep = 'active'
"""  # noqa: S608 - constants of this page
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
_RECORD = f"""
INSERT INTO disclosure (id, node, subject, mark, purpose, role, view, page, form, rule, bundle, kept_until, at,
                        message_at, message, key)
SELECT CAST(:id AS TEXT), CAST(:node AS TEXT), CAST(:subject AS INTEGER), mark, CAST(:purpose AS TEXT),
       CAST(:role AS TEXT), CAST(:view AS TEXT), CAST(:page AS TEXT), CAST(:form AS TEXT), CAST(:rule AS TEXT),
       CAST(:bundle AS TEXT), CAST(:kept_until AS INTEGER), CAST(:now AS INTEGER), at, id, key
FROM message WHERE id = :message AND key = :key AND keep = 'active'
  AND EXISTS (SELECT 1 FROM subject s WHERE s.id = :subject AND s.keep = 'active' AND {NOT_RESTRICTED})
RETURNING id
"""  # noqa: S608 - constants of this page
_PURPOSE = "SELECT purpose FROM disclosure WHERE node = :node AND view = :view LIMIT 1"
_CLOSE = "UPDATE disclosure SET closed_at = :now WHERE node = :node AND view = :view AND closed_at IS NULL"
_SHOWN_BEFORE = "d.node = :node AND d.view = :view AND d.page IS NULL AND d.key <> 0 AND d.closed_at IS NULL"
_OLD = f"""
SELECT d.id FROM disclosure d JOIN message m ON m.mark = d.mark
WHERE {_SHOWN_BEFORE} AND d.key <> m.key AND m.keep = 'active' LIMIT :most
"""  # noqa: S608 - constants of this page
NEWEST_OF_TIMELINE = """
SELECT id FROM (
    SELECT id, received_at FROM (
        SELECT id, received_at FROM message WHERE conversation = :conversation AND keep = 'active'
        ORDER BY at DESC, id DESC LIMIT :newest
    ) AS direct
    UNION ALL
    SELECT id, received_at FROM (
        SELECT id, received_at FROM message WHERE subject = :subject AND grouped = 1 AND keep = 'active'
        ORDER BY at DESC, id DESC LIMIT :newest
    ) AS in_groups
) AS newest
"""
"""Rows of the newest messages of a timeline; a ``WHERE received_at`` may follow."""
_NEWS = f"""
SELECT id, mark, at, edited_at, key, sealed FROM message f
WHERE keep = 'active' AND (
    (id IN ({NEWEST_OF_TIMELINE} WHERE received_at >= (
        SELECT COALESCE(min(d.at), 0) - :slack FROM disclosure d WHERE d.node = :node AND d.view = :view))
     AND (at > (SELECT min(d.message_at) FROM disclosure d WHERE d.node = :node AND d.view = :view AND d.page IS NULL)
          OR (SELECT count(*) FROM disclosure d WHERE d.node = :node AND d.view = :view AND d.page IS NULL) < :most))
    OR (id IN (SELECT m.id FROM disclosure d JOIN message m ON m.mark = d.mark WHERE {_SHOWN_BEFORE} AND d.key <> m.key)
        AND (conversation = :conversation OR (subject = :subject AND grouped = 1))))
  AND NOT EXISTS (SELECT 1 FROM disclosure d WHERE {_SHOWN_BEFORE} AND d.mark = f.mark AND d.key = f.key)
ORDER BY at, id LIMIT :most
"""  # noqa: S608 - constants of this page
_SETTLE = """
UPDATE disclosure SET key = 0 WHERE node = :node AND view = :view AND page IS NULL
  AND mark IN (SELECT mark FROM disclosure WHERE node = :node AND view = :view AND page = :page)
"""
_ARRIVED = "UPDATE disclosure SET page = NULL WHERE node = :node AND view = :view AND page = :page"
_WAITS = "SELECT 1 FROM disclosure WHERE node = :node AND view = :view AND page = :page LIMIT 1"

NEWS_OF = 100
"""News are looked for among so many messages of a conversation, newest first, and where a view shows a whole page only
after the oldest that it shows: what is older belongs to the next page, also where it came late."""
SLACK_MS = 120_000
"""How long before a view's first showing a message may have been received and yet have been stored after it."""
NEWEST = (2**62, 2**62)
"""The position before the newest message."""

Position = tuple[int, int]
"""A message's time (ms) and row: what is older than it comes on the next page."""


class Timeline(NamedTuple):
    """A subject whose messages may be shown: its row and its one-to-one conversation's."""

    subject: int
    conversation: int
    restricted: int = 0
    """The classes of data that may not be seen of it, as bits: ``core/classes``."""


class Found(NamedTuple):
    """One message of a page, sealed; field order is that of the query."""

    id: int
    mark: bytes
    at: int
    edited_at: int
    key: int
    sealed: bytes


class News(NamedTuple):
    """What a view is to be told: messages to show, oldest first, and disclosures whose words are old."""

    found: list[Found]
    gone: list[str]


class Showing(NamedTuple):
    """To whom, for what, and under which view something is shown."""

    node: str
    purpose: str
    view: str
    role: str = "agent"


class Shown(NamedTuple):
    """A message that is about to be shown: its name, and in which form on what ground."""

    disclosure: str
    found: Found
    grounds: Seen


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
    database: Database,
    timeline: Timeline,
    showing: Showing,
    items: Sequence[Shown],
    now: int,
    page: str | None = None,
) -> set[str]:
    """Put what is shown on record, synced; give the ids of those that still may be shown.

    ``page`` names the answer of news that shows them.
    """
    rows = [
        (
            *(each.disclosure, showing.node, timeline.subject, showing.purpose, showing.role, showing.view, page),
            *(each.grounds.form, each.grounds.rule, each.grounds.bundle, each.grounds.kept_until, now),
            *(each.found.id, each.found.key),
        )
        for each in items
    ]
    lock = Step(_LOCK + database.dialect.row_lock, expect=1)
    results = await database.run([lock, Step(_RECORD, rows)])
    return {row[0] for row in results[1].rows}


async def read_news(database: Database, timeline: Timeline, showing: Showing, most: int) -> News:
    """Give what a view has not been told, at most ``most`` of each."""
    view: dict[str, Value] = {"node": showing.node, "view": showing.view, "most": most}
    where = {"conversation": timeline.conversation, "subject": timeline.subject, "newest": NEWS_OF, "slack": SLACK_MS}
    async with database.read() as transaction:
        found = [Found(*row) for row in await transaction.fetch(_NEWS, view | where)]
        return News(found, [row[0] for row in await transaction.fetch(_OLD, view)])


async def confirm(database: Database, showing: Showing, page: str) -> None:
    """Note that the asking node kept an answer of news, and compare no more what that replaced."""
    about = {"node": showing.node, "view": showing.view, "page": page}
    async with database.read() as transaction:
        if not await transaction.fetch(_WAITS, about):
            return
    row = [(showing.node, showing.view, page)]
    await database.run([Step(_SETTLE, row), Step(_ARRIVED, row)])


async def purpose_of(database: Database, node: str, view: str) -> str | None:
    """Give the purpose for which a view of another node was shown something; ``None`` where it was shown nothing."""
    async with database.read() as transaction:
        rows = await transaction.fetch(_PURPOSE, {"node": node, "view": view})
    return rows[0][0] if rows else None


async def close(database: Database, node: str, view: str, now: int) -> int:
    """Note that a node destroyed what it was shown in a view; give how many disclosures that closed."""
    return (await database.run([Step(_CLOSE, [(now, node, view)])]))[0].changed
