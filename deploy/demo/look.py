"""Reading the stores while the node runs: the rows as they lie, and what opens under the keys that are there.

Rows are found as the node finds them, by the blind index of account and platform id; nothing here writes.
"""

import asyncio
import time
from typing import Any

import msgspec

from edge_node.core.marks import mark_parts, message_mark
from edge_node.storage.journal import JournalEntry
from edge_node.storage.keys.hierarchy import Owner, bucket_of, unwrap_bucket, unwrap_owner, unwrap_row
from edge_node.stores import Stores
from shared.crypto import BlindIndex, Cipher, content_place, pack
from shared.database.contract import Value
from shared.errors import SealBroken
from shared.message import Edit, Event, Message, Recall

_DONE_SECONDS_MAX = 15.0
_MESSAGE = """
SELECT id, mark, key, sealed, conversation, subject, kind, direction, at, edited_at, keep, account FROM message
WHERE mark = :mark
"""
_EVENT = """
SELECT id, mark, key, sealed, conversation, subject, kind, '', at, 0, keep, account FROM event WHERE mark = :mark
"""
_CHAIN = """
SELECT b.version, b.owner_version, b.wrapped, o.id, o.name, o.kind, o.version, o.epoch, o.wrapped,
       (SELECT wrapped FROM row_key WHERE id = :key), (SELECT generation FROM key_store),
       (SELECT count(*) FROM row_key WHERE id >= :first AND id < :first + 256)
FROM bucket_key b JOIN owner_key o ON o.id = b.owner WHERE b.id = :bucket
"""
_COUNTED = ("message", "event", "subject", "identity", "tombstone", "log_entry", "refusal")


class StoredRow(msgspec.Struct, frozen=True):
    """A row of ``message`` or ``event``: its clear columns, and the sealed one as it lies there."""

    table: str
    id: int
    mark: bytes
    key: int
    sealed: bytes
    conversation: int | None
    subject: int | None
    kind: str
    direction: str
    at: int
    edited_at: int
    keep: str
    account: int


class Chain(msgspec.Struct, frozen=True):
    """The keys above a row, as they lie there; fields from ``bucket_version`` on are in the order of the query."""

    key: int
    bucket: int
    bucket_version: int
    bucket_by: int
    """Version of the owner key that wraps the bucket key."""
    bucket_wrapped: bytes
    owner_id: int
    owner: str
    owner_kind: str
    owner_version: int
    owner_epoch: int
    owner_wrapped: bytes
    wrapped: bytes | None
    """The wrapped row key; ``None`` where it is gone."""
    generation: int
    bucket_rows: int


class Look:
    """A reader of the stores of a running node."""

    def __init__(self, stores: Stores, marks: BlindIndex, tombstones: BlindIndex) -> None:
        """Take the open stores and the current blind indexes."""
        self.stores = stores
        self._marks = marks
        self._tombstones = tombstones

    @classmethod
    async def at(cls, stores: Stores) -> "Look":
        """Make a reader of ``stores``."""
        marks = (await stores.keys.indexes("mark"))[0]
        return cls(stores, marks, (await stores.keys.indexes("tombstone"))[0])

    async def row(self, account: str, event: Event) -> StoredRow | None:
        """Give the row that holds an event now, or the message that an edit or recall is about."""
        about_message = isinstance(event, Message | Edit | Recall)
        found = await self._content(_MESSAGE if about_message else _EVENT, mark=self.mark(account, event))
        return StoredRow("message" if about_message else "event", *found[0]) if found else None

    def mark(self, account: str, event: Event) -> bytes:
        """Compute the blind index under which a row is found."""
        return self._marks.of_packed(self._packed(account, event))

    async def buried(self, account: str, event: Event) -> list[str]:
        """Give the log entry of the tombstone that keeps a message out; empty where there is none."""
        mark = self._tombstones.of_packed(self._packed(account, event))
        return [row[0] for row in await self._content("SELECT log_entry FROM tombstone WHERE mark = :mark", mark=mark)]

    def tombstone(self, account: str, event: Event) -> bytes:
        """Compute the blind index of a tombstone."""
        return self._tombstones.of_packed(self._packed(account, event))

    def _packed(self, account: str, event: Event) -> bytes:
        """Pack what a row is found by: of edits and recalls the message that they are about."""
        if isinstance(event, Edit | Recall):
            return pack(message_mark(account, event.message_id))
        return pack(mark_parts(account, event))

    async def open(self, row: StoredRow) -> Event | None:
        """Open a row with its key as the node would; ``None`` where the key is not there."""
        keys = await self.stores.keys.open_rows([row.key])
        if row.key not in keys:
            return None
        place = content_place(self.stores.settings.region, keys[row.key].owner, row.table, "sealed", row.key)
        plain = Cipher(keys[row.key].key).open(row.sealed, place)
        event: Event = msgspec.json.decode(plain, type=Event)
        return event

    async def chain(self, key: int) -> Chain | None:
        """Give the keys above a row key, also where the row key is gone; ``None`` where its bucket is gone too."""
        bucket = bucket_of(key)
        async with self.stores.keys.database.read() as transaction:
            found = await transaction.fetch(_CHAIN, {"key": key, "bucket": bucket, "first": bucket * 256})
        if not found:
            return None
        return Chain(key, bucket, *found[0])

    def opens(self, wrapped: bytes, chain: Chain, bucket_version: int) -> bool:
        """Say whether a copy of a wrapped row key opens under the bucket key that ``chain`` describes."""
        epoch = self.stores.keys.epoch(chain.owner_epoch)
        cipher = unwrap_owner(epoch, chain.owner_epoch, chain.owner, chain.owner_version, chain.owner_wrapped)
        owner = Owner(chain.owner_id, chain.owner, chain.owner_version, cipher)
        bucket = Cipher(unwrap_bucket(owner, chain.bucket, chain.bucket_by, chain.bucket_wrapped))
        try:
            unwrap_row(chain.owner, bucket, chain.key, bucket_version, wrapped)
        except SealBroken:
            return False
        return True

    async def counts(self) -> dict[str, int]:
        """Count the rows of every table that intake writes, and the row keys."""
        found = [(await self._content(f"SELECT count(*) FROM {table}"))[0][0] for table in _COUNTED]  # noqa: S608
        async with self.stores.keys.database.read() as transaction:
            keys = (await transaction.fetch("SELECT count(*) FROM row_key"))[0][0]
        return {**dict(zip(_COUNTED, found, strict=True)), "row_key": keys}

    async def until_removed(self) -> bool:
        """Wait until the node's log holds nothing that is not done; say whether it came to that."""
        end = time.monotonic() + _DONE_SECONDS_MAX
        while time.monotonic() < end:
            if not await self._content("SELECT 1 FROM log_entry WHERE state <> 'done'"):
                return True
            await asyncio.sleep(0.02)
        return False

    async def log_entry(self, entry: str) -> dict[str, Any]:
        """Give an entry of the node's log; empty where there is none."""
        columns = ("id", "act", "reason", "state", "mark", "key")
        sql = "SELECT id, act, reason, state, mark, key FROM log_entry WHERE id = :id"
        found = await self._content(sql, id=entry)
        return dict(zip(columns, found[0], strict=True)) if found else {}

    def journal(self, entry: str) -> JournalEntry | None:
        """Give the journal's line for a log entry."""
        return next((line for line in self.stores.journal.read() if line.log_entry == entry), None)

    async def key_exists(self, key: int) -> bool:
        """Say whether a row key lies in the key store."""
        async with self.stores.keys.database.read() as transaction:
            return bool(await transaction.fetch("SELECT 1 FROM row_key WHERE id = :key", {"key": key}))

    async def removed(self) -> int:
        """Count the stored messages whose keys were destroyed because their senders took them back."""
        sql = "SELECT count(*) FROM log_entry WHERE act = 'recall' AND state = 'done' AND key IS NOT NULL"
        return int((await self._content(sql))[0][0])

    async def outbound(self) -> list[StoredRow]:
        """Give what the business sent, oldest first."""
        sql = _MESSAGE.replace("WHERE mark = :mark", "WHERE direction = 'out' ORDER BY id")
        return [StoredRow("message", *each) for each in await self._content(sql)]

    async def pseudonym(self, subject: int) -> str:
        """Give a subject's pseudonym; empty where there is no such subject."""
        found = await self._content("SELECT pseudonym FROM subject WHERE id = :id", id=subject)
        return str(found[0][0]) if found else ""

    async def subject(self, pseudonym: str) -> int:
        """Give a subject's row by pseudonym; 0 where there is none."""
        found = await self._content("SELECT id FROM subject WHERE pseudonym = :name", name=pseudonym)
        return int(found[0][0]) if found else 0

    async def pseudonyms(self) -> set[str]:
        """Give every pseudonym that the node ever drew and still keeps a row for."""
        return {str(row[0]) for row in await self._content("SELECT pseudonym FROM subject")}

    async def of_subject(self, subject: int) -> dict[str, int]:
        """Count what is left of a subject: messages, events, open identities, and its key."""
        found = {}
        for table in ("message", "event", "identity"):
            sql = f"SELECT count(*) FROM {table} WHERE subject = :id"  # noqa: S608
            found[table] = int((await self._content(sql, id=subject))[0][0])
        name = await self.pseudonym(subject)
        async with self.stores.keys.database.read() as transaction:
            sql = "SELECT count(*) FROM owner_key WHERE name = :name"
            return found | {"key": int((await transaction.fetch(sql, {"name": name}))[0][0])}

    async def shown(self) -> list[tuple[str, bytes]]:
        """Give the copies of what other nodes showed: disclosure and sealed bytes."""
        sql = "SELECT disclosure, sealed FROM shown WHERE sealed IS NOT NULL ORDER BY id"
        return [(str(name), bytes(sealed)) for name, sealed in await self._content(sql)]

    async def disclosed(self) -> list[tuple[str, str, str]]:
        """Give what was shown to other nodes, as it is on record: disclosure, node, purpose."""
        return [tuple(row) for row in await self._content("SELECT id, node, purpose FROM disclosure ORDER BY at, id")]

    async def refused(self, reason: str) -> int:
        """Count the events that were turned away for a reason."""
        sql = "SELECT COALESCE(sum(events), 0) FROM refusal WHERE reason = :reason"
        return int((await self._content(sql, reason=reason))[0][0])

    async def deciding(self, operation: str, subject: str) -> str:
        """Wait for a decision under a law to be on record, and give its rule; empty where none comes."""
        sql = "SELECT rule FROM decision WHERE operation = :operation AND subject = :subject ORDER BY second DESC"
        end = time.monotonic() + _DONE_SECONDS_MAX
        while time.monotonic() < end:
            if found := await self._content(sql, operation=operation, subject=subject):
                return str(found[0][0])
            await asyncio.sleep(0.1)
        return ""

    async def highest(self) -> dict[str, int]:
        """Give the highest row id of messages and of events."""
        sql = "SELECT (SELECT coalesce(max(id), 0) FROM message), (SELECT coalesce(max(id), 0) FROM event)"
        message, event = (await self._content(sql))[0]
        return {"message": message, "event": event}

    async def newest(self, after: dict[str, int]) -> list[tuple[str, int, str, int]]:
        """Give messages and events beyond the row ids in ``after``: table, id, kind, sealed bytes."""
        found = []
        for table in ("message", "event"):
            sql = f"SELECT id, kind, length(sealed) FROM {table} WHERE id > :id ORDER BY id"  # noqa: S608
            found += [(table, *row) for row in await self._content(sql, id=after[table])]
        return found

    async def _content(self, sql: str, **parameters: Value) -> list[tuple[Any, ...]]:
        """Run one query on the content store."""
        async with self.stores.content.read() as transaction:
            return await transaction.fetch(sql, parameters)
