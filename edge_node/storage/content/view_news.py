"""What open views have not been told: which are open, what was taken back, and the news of this node's own messages.

A view of this node's own messages is told what came since, and an edited message under a new name: the old one is taken
out first, so that old words are never shown beside the new ones.
"""

from collections.abc import Sequence

from edge_node.storage.content.disclosures import NEWEST_OF_TIMELINE, NEWS_OF, SLACK_MS, Timeline
from edge_node.storage.content.head import turn
from edge_node.storage.content.views import VIEW_COLUMNS, View
from shared.database.contract import Database, Step, Value

_OPEN = f"""
SELECT {VIEW_COLUMNS} FROM view
WHERE state = 'open' AND news IS NOT NULL AND ends_at > :now ORDER BY opened_at, id LIMIT :most
"""  # noqa: S608 - constants of the views
_RETRACTED = "SELECT 1 FROM retraction WHERE node = :node AND disclosure = :disclosure"
_OLD = """
SELECT s.disclosure FROM shown s JOIN message m ON m.mark = s.mark
WHERE s.view = :view AND s.version <> m.key AND m.keep = 'active'
"""
_NEW = f"""
SELECT at, mark FROM message f
WHERE keep = 'active' AND (
    (id IN ({NEWEST_OF_TIMELINE} WHERE received_at >= (SELECT opened_at FROM view WHERE id = :view) - :slack)
     AND (at > (SELECT min(s.at) FROM shown s WHERE s.view = :view)
          OR (SELECT count(*) FROM shown s WHERE s.view = :view) < :most))
    OR (mark IN (SELECT mark FROM shown WHERE view = :view AND mark IS NOT NULL)
        AND (conversation = :conversation OR (subject = :subject AND grouped = 1))))
  AND NOT EXISTS (SELECT 1 FROM shown s WHERE s.view = :view AND s.mark = f.mark
                  AND COALESCE(s.version, f.key) = f.key)
ORDER BY at, id LIMIT :most
"""  # noqa: S608 - constants of this page and of the disclosures'
_TELL_RETRACTED = """
INSERT INTO view_event (view, kind, disclosure)
SELECT view, 'retracted', disclosure FROM shown WHERE view = :view AND disclosure = :disclosure AND node = ''
"""
_UNSHOW = "DELETE FROM shown WHERE view = :view AND disclosure = :disclosure AND node = ''"


async def open_views(database: Database, now: int, most: int) -> list[View]:
    """Give views that are open and have their first page, the oldest first."""
    async with database.read() as transaction:
        return [View(*row) for row in await transaction.fetch(_OPEN, {"now": now, "most": most})]


async def is_retracted(database: Database, node: str, disclosure: str) -> bool:
    """Say whether it is remembered that ``node`` took this back."""
    async with database.read() as transaction:
        return bool(await transaction.fetch(_RETRACTED, {"node": node, "disclosure": disclosure}))


async def read_own_news(
    database: Database, view: str, timeline: Timeline, most: int
) -> tuple[list[str], list[tuple[int, bytes]]]:
    """Give what a view of this node's own messages shows in old words, and messages to show: time (ms) and mark."""
    where: dict[str, Value] = {
        "view": view,
        "conversation": timeline.conversation,
        "subject": timeline.subject,
        "newest": NEWS_OF,
        "slack": SLACK_MS,
        "most": most,
    }
    async with database.read() as transaction:
        old = [row[0] for row in await transaction.fetch(_OLD, {"view": view})]
        return old, [(at, mark) for at, mark in await transaction.fetch(_NEW, where)]


async def take_out(database: Database, view: str, disclosures: Sequence[str]) -> None:
    """Take this node's own messages out of a view, and tell who watches."""
    rows = [(view, each) for each in disclosures]
    await database.run([turn(database), Step(_TELL_RETRACTED, rows), Step(_UNSHOW, rows)])
