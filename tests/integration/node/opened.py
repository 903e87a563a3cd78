"""A node's stores read from outside, through connections that cannot write: what rests there, opened, and in order."""

import asyncio
import contextlib
import re
import sqlite3
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from edge_node.core.marks import message_mark
from edge_node.settings import EdgeSettings
from edge_node.storage.keys.draft import Intent
from edge_node.storage.keys.file_provider import FileProvider
from edge_node.storage.keys.store import KeyStore
from edge_node.stores import CONTENT_FILE, KEYS_FILE, key_places
from shared.crypto import Cipher, content_place
from shared.entropy import SystemEntropy
from shared.limits import BUCKET_ROWS_MAX
from shared.message import Edit, Event, Message

_SEALED = ("message", "event", "identity", "conversation", "account")
_EVENT = msgspec.json.Decoder(Event)


def read_rows(file: Path, sql: str, parameters: Any = ()) -> list[tuple[Any, ...]]:
    """Run one query on a SQLite file, through a connection that cannot write."""
    with contextlib.closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True)) as link:
        return link.execute(sql, parameters).fetchall()


class _ReadOnly:
    """As much of a database as opening keys takes."""

    def __init__(self, file: Path) -> None:
        self._link = sqlite3.connect(f"file:{file}?mode=ro", uri=True)

    @contextlib.asynccontextmanager
    async def read(self) -> AsyncIterator["_ReadOnly"]:
        yield self

    async def fetch(self, sql: str, parameters: Any = ()) -> list[tuple[Any, ...]]:
        return self._link.execute(sql, parameters).fetchall()

    async def fetch_many(self, sql: str, rows: Sequence[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
        names = re.findall(r":(\w+)", sql)
        return [row for values in rows for row in await self.fetch(sql, dict(zip(names, values, strict=True)))]

    def close(self) -> None:
        self._link.close()


class Held(NamedTuple):
    """One message as it rests: where, under what mark, and opened."""

    mark: bytes
    keep: str
    key: int
    event: Message | Edit

    @property
    def text(self) -> str:
        """Give the words of a text, or how else it reads."""
        return str(getattr(self.event.content, "text", self.event.content))


class Opened:
    """Both stores of a node at one moment; ask only when the node is at rest, or stopped."""

    def __init__(self, settings: EdgeSettings) -> None:
        """Open everything that is sealed; ``SealBroken`` where something does not open in its place."""
        self.settings = settings
        self.content_file = settings.data_dir / CONTENT_FILE
        self.keys_file = settings.data_dir / KEYS_FILE
        self.messages: list[Held] = []
        self.events: list[Event] = []
        self.opened: dict[str, int] = {}
        asyncio.run(self._open())

    def content(self, sql: str, parameters: Any = ()) -> list[tuple[Any, ...]]:
        """Query the content store."""
        return read_rows(self.content_file, sql, parameters)

    def keys(self, sql: str, parameters: Any = ()) -> list[tuple[Any, ...]]:
        """Query the key store."""
        return read_rows(self.keys_file, sql, parameters)

    def texts(self, channel: str) -> dict[str, str]:
        """Give the words of each message of a channel by the platform's id; fails where one rests twice."""
        ours = [held for held in self.messages if held.event.channel == channel]
        found = {held.event.message_id: held.text for held in ours}
        assert len(found) == len(ours), "a message rests twice"
        return found

    def mark_of(self, account: str, message_id: str) -> bytes:
        """Compute the mark under which a message would rest."""
        return self._marks.of(*message_mark(account, message_id))

    def tombstone_of(self, account: str, message_id: str) -> bytes:
        """Compute the mark of a message's tombstone."""
        return self._tombstones.of(*message_mark(account, message_id))

    @property
    def tombstones(self) -> set[bytes]:
        """Give the marks of all tombstones."""
        return {mark for (mark,) in self.content("SELECT mark FROM tombstone")}

    async def _open(self) -> None:
        database = _ReadOnly(self.keys_file)
        settings = self.settings
        store = KeyStore(
            database, FileProvider(key_places(settings), SystemEntropy()), settings.region, SystemEntropy()
        )
        await store.read_head()
        self._marks = (await store.indexes("mark"))[0]
        self._tombstones = (await store.indexes("tombstone"))[0]
        for table in _SEALED:
            # All that is asked of a row in one query: a removal may be under way.
            clear = ", mark, keep" if table == "message" else ""
            rows = self.content(f"SELECT key, sealed{clear} FROM {table} WHERE sealed IS NOT NULL")
            found = await store.open_rows([row[0] for row in rows])
            self.opened[table] = len(found)
            # A row without its key is not opened here; :func:`faults` speaks of it.
            plain = {row[0]: self._plain(table, found[row[0]], row[1]) for row in rows if row[0] in found}
            if table == "message":
                held = {row[0]: row[2:] for row in rows}
                self.messages = [Held(*held[key], key, _EVENT.decode(each)) for key, each in plain.items()]
            elif table == "event":
                self.events = [_EVENT.decode(each) for each in plain.values()]
        database.close()

    def _plain(self, table: str, key: Any, sealed: bytes) -> bytes:
        place = content_place(self.settings.region, key.owner, table, "sealed", key.id)
        return Cipher(key.key).open(sealed, place)


def at_rest(settings: EdgeSettings) -> bool:
    """Say whether no removal is under way."""
    return not read_rows(settings.data_dir / CONTENT_FILE, "SELECT 1 FROM log_entry WHERE state <> 'done' LIMIT 1")


def faults(opened: Opened) -> list[str]:
    """Give every way in which the two stores contradict each other or themselves; empty where all is well."""
    found: list[str] = []
    owners = dict(opened.keys("SELECT id, version FROM owner_key"))
    buckets = {}
    for bucket, owner, version, by in opened.keys("SELECT id, owner, version, owner_version FROM bucket_key"):
        buckets[bucket] = version
        if owners.get(owner) != by:
            found.append(f"bucket {bucket} is wrapped by version {by} of owner {owner}, which is {owners.get(owner)}")
    row_keys: set[int] = set()
    filled: Counter[int] = Counter()
    for row, by in opened.keys("SELECT id, bucket_version FROM row_key"):
        bucket = row // BUCKET_ROWS_MAX
        row_keys.add(row)
        filled[bucket] += 1
        if buckets.get(bucket) != by:
            found.append(f"row key {row} is wrapped by version {by} of its bucket, which is {buckets.get(bucket)}")
    found += [f"bucket {bucket} holds {count} keys" for bucket, count in filled.items() if count > BUCKET_ROWS_MAX]
    return found + _content_faults(opened, row_keys)


def _content_faults(opened: Opened, row_keys: set[int]) -> list[str]:
    """Give content without its key, keys twice used, keys that nothing uses or will sweep, removals not whole."""
    found: list[str] = []
    used: Counter[int] = Counter()
    for table in _SEALED:
        keys = [key for (key,) in opened.content(f"SELECT key FROM {table} WHERE sealed IS NOT NULL")]
        used.update(keys)
        found += [f"{table} row without its key {key}" for key in keys if key not in row_keys]
        if opened.opened[table] != len(keys):
            found.append(f"{len(keys)} rows of {table}, of which {opened.opened[table]} open")
    found += [f"key {key} seals {count} rows" for key, count in used.items() if count > 1]
    intended = {use[2] for (body,) in opened.keys("SELECT body FROM intent") for use in _uses(body)}
    logged = {key for (key,) in opened.content("SELECT key FROM log_entry WHERE state <> 'done'")}
    found += [f"key {key}: nothing uses it, no sweep finds it" for key in row_keys - used.keys() - intended - logged]
    destroyed = {key for (key,) in opened.content("SELECT key FROM log_entry WHERE state = 'done'")}
    found += [f"key {key} is logged destroyed, but is there" for key in row_keys & destroyed]
    buried = opened.tombstones
    for held in opened.messages:
        known = {"line": "line-desk", "whatsapp": "wa-shop"}[held.event.channel]
        if held.mark != opened.mark_of(known, held.event.message_id):
            found.append(f"row under key {held.key} holds another message than its mark says")
        if opened.tombstone_of(known, held.event.message_id) in buried:
            found.append(f"row under key {held.key} was taken back and still rests")
    return found


def _uses(body: bytes) -> Sequence[tuple[str, bytes, int]]:
    return msgspec.msgpack.decode(body, type=Intent).uses
