"""Identities, subjects and conversations in the content store, found by keyed blind indexes alone."""

from collections import OrderedDict
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import msgspec

from edge_node.storage.content.head import read_people_counter, turn_of
from edge_node.storage.content.jurisdictions import FOLLOWS, KNOWN, RAISE, Law, Raised, read_law
from shared.crypto import BlindIndex
from shared.database.contract import Database, Step

REMEMBERED_MAX = 50_000
"""Identities and groups that a process keeps in memory; the least recently used is forgotten first."""


class Known(NamedTuple):
    """A subject as an identity leads to it."""

    subject: int
    pseudonym: str
    conversation: int
    since: int
    """When the identity became this subject's."""


class Group(NamedTuple):
    """A group conversation: its row and the random name its keys are drawn under."""

    conversation: int
    name: str


class NewIdentity(NamedTuple):
    """An identity row to be; field order is that of the statement's parameters."""

    kind: str
    blind: bytes
    blind_version: int
    valid_from: int
    key: int
    sealed: bytes
    pseudonym: str


class NewSubject(NamedTuple):
    """A subject to be."""

    pseudonym: str
    at: int
    """Time of first contact."""
    law: Law


class NewGroup(NamedTuple):
    """A group conversation to be; field order is that of the statement's parameters."""

    name: str
    blind: bytes
    blind_version: int
    key: int
    sealed: bytes
    created_at: int


class PeopleChange(msgspec.Struct):
    """What one batch changes about people, applied together or not at all."""

    subjects: list[NewSubject] = msgspec.field(default_factory=list)
    raised: list[Raised] = msgspec.field(default_factory=list)
    """What became known of the law of standing subjects."""
    conversations: list[tuple[str, int, str]] = msgspec.field(default_factory=list)
    """Name, time and pseudonym of the subject it is with."""
    identities: list[NewIdentity] = msgspec.field(default_factory=list)
    closings: list[tuple[int, bytes]] = msgspec.field(default_factory=list)
    """Time and blind index of open identities that end."""
    groups: list[NewGroup] = msgspec.field(default_factory=list)
    intent: int = 0
    """Of the keys that seal what is new."""
    on_weak_word: bool = False
    """A lasting identity goes to a subject whom only a weak one led to: of two processes that do so, one is refused."""


_FIND = """
SELECT i.blind, s.id, s.pseudonym, c.id, i.valid_from FROM identity i
JOIN subject s ON s.id = i.subject JOIN conversation c ON c.subject = s.id
WHERE i.blind = :blind AND i.valid_to IS NULL AND s.keep = 'active'
"""
_FIND_GROUP = "SELECT blind, id, name FROM conversation WHERE blind = :blind"
_ANY_SUPPRESSED = "SELECT 1 FROM suppression LIMIT 1"
_SUPPRESSED = "SELECT mark, at FROM suppression WHERE mark = :mark"
_OTHERS = "SELECT kind, blind FROM identity WHERE subject = :subject AND valid_to IS NULL"
_CLOSE = "UPDATE identity SET valid_to = :at WHERE blind = :blind AND valid_to IS NULL"
_NEW_SUBJECT = f"""
INSERT INTO subject (pseudonym, keep, first_contact_at, {KNOWN}, {FOLLOWS})
VALUES (:pseudonym, 'active', :at, :declared, :stated, :numbers, :account_country, :jurisdiction, :country, :basis,
        :certainty, :others, :conflicts, :restricted)
"""  # noqa: S608 - names of columns
_NEW_CONVERSATION = """
INSERT INTO conversation (kind, name, subject, created_at)
SELECT 'direct', CAST(:name AS TEXT), id, CAST(:at AS INTEGER) FROM subject WHERE pseudonym = :pseudonym
"""
_NEW_IDENTITY = """
INSERT INTO identity (subject, kind, blind, blind_version, valid_from, key, sealed)
SELECT id, CAST(:kind AS TEXT), CAST(:blind AS BLOB), CAST(:blind_version AS INTEGER), CAST(:valid_from AS INTEGER),
       CAST(:key AS INTEGER), CAST(:sealed AS BLOB)
FROM subject WHERE pseudonym = :pseudonym AND keep = 'active'
ON CONFLICT (blind) WHERE valid_to IS NULL DO NOTHING
"""
_NEW_GROUP = """
INSERT INTO conversation (kind, name, blind, blind_version, key, sealed, created_at)
VALUES ('group', :name, :blind, :blind_version, :key, :sealed, :at) ON CONFLICT (blind) DO NOTHING
"""


class People:
    """What the content store knows of people, with a bounded memory that holds for one value of its counter."""

    def __init__(self, database: Database, region: str, suppression: Sequence[BlindIndex]) -> None:
        """Take the open content database and the blind indexes of suppression marks, old keys' among them."""
        self._database = database
        self._region = region
        self._known: OrderedDict[bytes, Known] = OrderedDict()
        self._groups: OrderedDict[bytes, Group] = OrderedDict()
        self._suppression = suppression
        # By identity that was erased: until when its events stay out.  Bounded by the table it is read from.
        self._erased: dict[bytes, int] = {}
        self.any_erased = False
        self.counter = 0

    async def forget(self) -> None:
        """Drop what is remembered and start over from the store's counter."""
        self._known.clear()
        self._groups.clear()
        self._erased.clear()
        # In this order: an erasure in between raises the counter, and what is remembered counts for nothing.
        self.counter = await read_people_counter(self._database, self._region)
        async with self._database.read() as transaction:
            self.any_erased = bool(await transaction.fetch(_ANY_SUPPRESSED))

    def known(self, blind: bytes) -> Known | None:
        """Give the subject an identity leads to, as last read."""
        return self._known.get(blind)

    def group(self, blind: bytes) -> Group | None:
        """Give a group conversation, as last read."""
        return self._groups.get(blind)

    def erased(self, blind: bytes) -> int | None:
        """Give until when (ms) the events of an identity stay out, as last read; ``None`` where nothing says so."""
        return self._erased.get(blind)

    async def read(self, blinds: Iterable[bytes], groups: Iterable[bytes]) -> None:
        """Read the identities and groups that are not remembered."""
        people, rooms = _used(self._known, blinds), _used(self._groups, groups)
        if not people.missing and not rooms.missing:
            return
        async with self._database.read() as transaction:
            for blind, *found in await transaction.fetch_many(_FIND, [(each,) for each in people.missing]):
                self._known[blind] = Known(*found)
            if self.any_erased:
                marks = {index.of_packed(blind): blind for blind in people.missing for index in self._suppression}
                for mark, at in await transaction.fetch_many(_SUPPRESSED, [(mark,) for mark in marks]):
                    self._erased[marks[mark]] = max(at, self._erased.get(marks[mark], at))
            for blind, *found in await transaction.fetch_many(_FIND_GROUP, [(each,) for each in rooms.missing]):
                self._groups[blind] = Group(*found)
        for memory, wanted in ((self._known, people.total), (self._groups, rooms.total)):
            while len(memory) > max(REMEMBERED_MAX, wanted):
                memory.popitem(last=False)

    async def law(self, subject: int) -> Law | None:
        """Give a subject's law, as it stands in the store."""
        return await read_law(self._database, subject)

    async def others(self, subject: int) -> list[tuple[str, bytes]]:
        """Give kind and blind index of every open identity of a subject."""
        async with self._database.read() as transaction:
            return [(kind, blind) for kind, blind in await transaction.fetch(_OTHERS, {"subject": subject})]

    async def apply(self, change: PeopleChange) -> None:
        """Write a change, all or nothing; ``ScriptRefused`` where another process was first."""
        steps = turn_of(self._database, self.counter, change.intent)
        raises = bool(change.closings) or change.on_weak_word
        if raises:
            steps.append(Step("UPDATE content_store SET people = people + 1"))
        if change.closings:
            steps.append(Step(_CLOSE, change.closings))
        steps += [Step(sql, rows, expect=len(rows)) for sql, rows in _statements(change) if rows]
        await self._database.run(steps)
        if raises:
            await self.forget()


class _Wanted(NamedTuple):
    """What a memory lacks, and how much of it is wanted."""

    missing: list[bytes]
    total: int


def _used(memory: OrderedDict[bytes, Any], blinds: Iterable[bytes]) -> _Wanted:
    """Note the use of what is remembered, so that the least recently used is forgotten first; give what is missing."""
    missing, count = [], 0
    for blind in blinds:
        count += 1
        if blind in memory:
            memory.move_to_end(blind)
        else:
            missing.append(blind)
    return _Wanted(missing, count)


def _statements(change: PeopleChange) -> Sequence[tuple[str, Sequence[Sequence[int | str | bytes]]]]:
    """Pair each insert with its rows, in the order the references need."""
    return (
        (_NEW_SUBJECT, [(each.pseudonym, each.at, *each.law) for each in change.subjects]),
        (RAISE, change.raised),
        (_NEW_CONVERSATION, change.conversations),
        (_NEW_IDENTITY, change.identities),
        (_NEW_GROUP, change.groups),
    )
