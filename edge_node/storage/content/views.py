"""Views that were opened here: what each shows, what a live one is told, and how its copies go.

A copy of what another node showed is removed like a message: a log entry names its key, the remover journals, destroys
and deletes.  What was taken back before it came is remembered and stays out.
"""

from collections.abc import Sequence
from typing import Literal, NamedTuple

from edge_node.storage.content.head import turn_of_intent
from shared.database.contract import Database, Row, Step, Transaction
from shared.wire.types import PurposeCode, RoleCode

_LOCK = "SELECT id FROM content_store"
_OPEN = """
INSERT INTO view (id, node, pseudonym, purpose, role, form, state, opened_at, ends_at)
VALUES (:id, :node, :pseudonym, :purpose, :role, 'full', 'open', :now, :ends_at)
"""
VIEW_COLUMNS = "id, node, pseudonym, purpose, form, state, next, news, role"
_READ = f"SELECT {VIEW_COLUMNS} FROM view WHERE id = :id"  # noqa: S608 - constants of this page
_PAGED = "UPDATE view SET next = :next, form = :form, news = COALESCE(news, '') WHERE id = :view"
_NEWS_KEPT = "UPDATE view SET news = :page WHERE id = :view AND news = :after"
_KEEP = """
INSERT INTO shown (node, disclosure, view, at, keep, subject, mark, key, sealed, version)
SELECT CAST(:node AS TEXT), CAST(:disclosure AS TEXT), CAST(:view AS TEXT), CAST(:at AS INTEGER), 'active',
       CAST(:subject AS INTEGER), CAST(:mark AS BLOB), CAST(:key AS INTEGER), CAST(:sealed AS BLOB),
       (SELECT key FROM message WHERE mark = CAST(:mark AS BLOB))
WHERE EXISTS (SELECT 1 FROM view WHERE id = :view AND state = 'open'
              AND (CAST(:after AS TEXT) IS NULL OR news = :after))
  AND NOT EXISTS (SELECT 1 FROM retraction WHERE node = :node AND disclosure = :disclosure)
  AND (CAST(:mark AS BLOB) IS NULL OR EXISTS (SELECT 1 FROM message WHERE mark = :mark AND keep = 'active'))
ON CONFLICT (node, disclosure) DO NOTHING
"""
_TELL_SHOWN = """
INSERT INTO view_event (view, kind, disclosure)
SELECT view, 'shown', disclosure FROM shown WHERE view = :view AND disclosure = :disclosure
"""
_KEPT = "SELECT disclosure FROM shown WHERE view = :view AND disclosure = :disclosure AND COALESCE(key, 0) = :key"
_ORDER_CLOSE = """
INSERT INTO log_entry (id, act, reason, state, key, ordered_at)
SELECT CAST(:id AS TEXT) || '-' || CAST(id AS TEXT), 'unshow', 'view_ended', 'ordered', key, CAST(:now AS INTEGER)
FROM shown WHERE view = :view AND keep = 'active' AND key IS NOT NULL
"""
_HIDE_VIEW = "UPDATE shown SET keep = 'tombstoned' WHERE view = :view AND keep = 'active' AND key IS NOT NULL"
_DROP_LOCAL = "DELETE FROM shown WHERE view = :view AND key IS NULL"
_CLOSE = "UPDATE view SET state = 'closing', closed_at = :now WHERE id = :view AND state = 'open'"
_NOTE_RETRACTION = """
INSERT INTO retraction (node, disclosure, at, copies)
SELECT CAST(:node AS TEXT), CAST(:disclosure AS TEXT), CAST(:now AS INTEGER),
       (SELECT count(*) FROM shown WHERE node = :node AND disclosure = :disclosure)
WHERE NOT EXISTS (SELECT 1 FROM retraction WHERE node = :node AND disclosure = :disclosure)
"""
_ORDER_RETRACTION = """
INSERT INTO log_entry (id, act, reason, state, key, ordered_at)
SELECT CAST(:id AS TEXT), 'unshow', CAST(:reason AS TEXT), 'ordered', key, CAST(:now AS INTEGER)
FROM shown WHERE node = :node AND disclosure = :disclosure AND keep = 'active' AND key IS NOT NULL
"""
_TELL_RETRACTED = """
INSERT INTO view_event (view, kind, disclosure)
SELECT view, 'retracted', disclosure FROM shown WHERE node = :node AND disclosure = :disclosure AND keep = 'active'
"""
_HIDE = "UPDATE shown SET keep = 'tombstoned' WHERE node = :node AND disclosure = :disclosure AND keep = 'active'"
_RETRACTION = "SELECT copies FROM retraction WHERE node = :node AND disclosure = :disclosure"
_RESTS = "SELECT 1 FROM shown WHERE node = :node AND disclosure = :disclosure"
_RETRACT_SUBJECT = """
INSERT INTO view_event (view, kind, disclosure) SELECT view, 'retracted', disclosure FROM shown WHERE subject = :subject
"""
_UNSHOW_SUBJECT = "DELETE FROM shown WHERE subject = :subject"
_EVENTS = "SELECT id, kind, disclosure FROM view_event WHERE view = :view AND id > :after ORDER BY id LIMIT :most"
_COPY = "SELECT at, mark, key, sealed FROM shown WHERE view = :view AND disclosure = :disclosure AND keep = 'active'"
_MESSAGE = """
SELECT m.id, m.mark, m.at, m.edited_at, m.key, m.sealed FROM shown s JOIN message m ON m.mark = s.mark
WHERE s.view = :view AND s.disclosure = :disclosure AND m.keep = 'active'
  AND EXISTS (SELECT 1 FROM subject WHERE id = s.subject AND keep = 'active')
"""
_ENDED = "SELECT id FROM view WHERE state = 'open' AND ends_at <= :now ORDER BY ends_at LIMIT :most"
_EMPTY = """
SELECT v.id, v.node, v.closed_at, v.purpose FROM view v
WHERE v.state = 'closing' AND NOT EXISTS (SELECT 1 FROM shown s WHERE s.view = v.id) ORDER BY v.closed_at LIMIT :most
"""
_FORGET_EVENTS = "DELETE FROM view_event WHERE view = :view"
_FORGET = "DELETE FROM view WHERE id = :view AND state = 'closing'"
_FORGET_RETRACTIONS = "DELETE FROM retraction WHERE at < :before"

ROUND_MAX = 100
"""Views or events read at once."""


class View(NamedTuple):
    """A view as it stands; field order is that of the query."""

    id: str
    node: str
    """The node that shows; empty where it is this one."""
    pseudonym: str
    purpose: PurposeCode
    form: str
    state: Literal["open", "closing"]
    next: str | None
    """The disclosure after which older messages are asked for; ``None`` where there are none."""
    news: str | None = None
    """The last answer of news that was kept; empty before the first, ``None`` before the first page."""
    role: RoleCode = "agent"
    """Of whoever looks."""


class Copy(NamedTuple):
    """A shown message to keep: a copy with its key, or the mark and subject of a message that rests here."""

    disclosure: str
    at: int
    subject: int | None = None
    mark: bytes | None = None
    key: int | None = None
    sealed: bytes | None = None


class Told(NamedTuple):
    """What a live view is told; field order is that of the query."""

    number: int
    kind: Literal["shown", "retracted"]
    disclosure: str


class Views:
    """Views and what they show, in the content store."""

    def __init__(self, content: Database) -> None:
        """Take the open content store."""
        self.content = content

    def _lock(self) -> Step:
        """Take turns with everybody who writes, so that a recall is before or after, and events stand in order."""
        return Step(_LOCK + self.content.dialect.row_lock, expect=1)

    async def _fetch(self, sql: str, **parameters: int | str | bytes) -> list[Row]:
        """Read."""
        async with self.content.read() as transaction:
            return await transaction.fetch(sql, parameters)

    async def open(self, view: View, now: int, ends_at: int) -> None:
        """Note that a view is opened, before anybody is asked."""
        row = (view.id, view.node, view.pseudonym, view.purpose, view.role, now, ends_at)
        await self.content.run([Step(_OPEN, [row])])

    async def find(self, view: str) -> View | None:
        """Give a view that is open or closing."""
        rows = await self._fetch(_READ, id=view)
        return View(*rows[0]) if rows else None

    async def keep(
        self,
        view: View,
        copies: Sequence[Copy],
        *,
        form: str,
        next_page: str | None = None,
        news: str | None = None,
        intent: int = 0,
    ) -> set[str]:
        """Keep a page of a view and tell those who watch; give the disclosures kept.

        What was taken back meanwhile stays out, and so does everything where the view was closed.  ``news`` names the
        answer of news that the copies came with, if they did: it is kept only in its turn.  ``intent`` is that
        of the keys that seal the copies; ``ScriptRefused`` where these were swept meanwhile: seal again.
        """
        after = None if news is None else view.news
        rows = [
            (view.node, each.disclosure, view.id, each.at, each.subject, each.mark, each.key, each.sealed, after)
            for each in copies
        ]
        names = [(view.id, each.disclosure) for each in copies]
        kept = [(view.id, each.disclosure, each.key or 0) for each in copies]
        paged = Step(_PAGED, [(next_page, form, view.id)])
        if news is not None:
            paged = Step(_NEWS_KEPT, [(news, view.id, view.news)])
        if not copies:
            await self.content.run([paged])
            return set()
        opening = turn_of_intent(self.content, intent)
        steps = [*opening, Step(_KEEP, rows), Step(_TELL_SHOWN, names), Step(_KEPT, kept), paged]
        return {row[0] for row in (await self.content.run(steps))[len(opening) + 2].rows}

    async def close(self, view: str, log_entry: str, now: int) -> bool:
        """Order every copy of a view destroyed; ``False`` where it is not open any more."""
        steps = [
            self._lock(),
            Step(_ORDER_CLOSE, [(log_entry, now, view)]),
            Step(_HIDE_VIEW, [(view,)]),
            Step(_DROP_LOCAL, [(view,)]),
            Step(_CLOSE, [(now, view)]),
        ]
        return (await self.content.run(steps))[4].changed == 1

    async def retract(self, node: str, disclosure: str, *, reason: str, log_entry: str, now: int) -> int:
        """Order what ``node`` showed as ``disclosure`` destroyed, and keep it out if it comes later.

        Gives how many copies there were when this was first asked: the same however often it is asked again.
        """
        about = (node, disclosure)
        steps = [
            self._lock(),
            Step(_NOTE_RETRACTION, [(node, disclosure, now)]),
            Step(_ORDER_RETRACTION, [(log_entry, reason, now, node, disclosure)]),
            Step(_TELL_RETRACTED, [about]),
            Step(_HIDE, [about]),
            Step(_RETRACTION, [about]),
        ]
        return int((await self.content.run(steps))[5].rows[0][0])

    async def rests(self, node: str, disclosure: str) -> bool:
        """Say whether a copy of it is still in the store or in a write-ahead log."""
        return bool(await self._fetch(_RESTS, node=node, disclosure=disclosure))

    async def events(self, view: str, after: int) -> list[Told]:
        """Give what a live view is told after an event."""
        return [Told(*row) for row in await self._fetch(_EVENTS, view=view, after=after, most=ROUND_MAX)]

    async def copy(self, view: str, disclosure: str) -> Copy | None:
        """Give a shown message while it may be seen."""
        rows = await self._fetch(_COPY, view=view, disclosure=disclosure)
        if not rows:
            return None
        at, mark, key, sealed = rows[0]
        return Copy(disclosure, at, None, mark, key, sealed)

    async def message(self, view: str, disclosure: str) -> list[Row]:
        """Give the row of a shown message that rests here, as a page has it.

        None where it was taken back, or the subject's records are not to be seen any more.
        """
        return await self._fetch(_MESSAGE, view=view, disclosure=disclosure)

    async def ended(self, now: int) -> list[str]:
        """Give open views whose time is over."""
        return [row[0] for row in await self._fetch(_ENDED, now=now, most=ROUND_MAX)]

    async def emptied(self) -> list[tuple[str, str, int, PurposeCode]]:
        """Give closing views without a copy left: id, node, when they were closed (ms), and what they were for."""
        return [(row[0], row[1], row[2], row[3]) for row in await self._fetch(_EMPTY, most=ROUND_MAX)]

    async def forget(self, view: str) -> None:
        """Drop a view that is closed and told."""
        await self.content.run([Step(_FORGET_EVENTS, [(view,)]), Step(_FORGET, [(view,)])])

    async def forget_retractions(self, before: int) -> None:
        """Drop what was remembered of retractions before ``before`` (ms)."""
        await self.content.run([Step(_FORGET_RETRACTIONS, [(before,)])])


async def retract_subject(transaction: Transaction, subject: int) -> None:
    """Take a subject of this node out of every view of its own messages, with the order that erases it."""
    for sql in (_RETRACT_SUBJECT, _UNSHOW_SUBJECT):
        await transaction.execute(sql, {"subject": subject})
