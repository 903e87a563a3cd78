"""The only way a key is destroyed: this module, and only for entries of the node's log.

An epoch key goes when no key of the store is wrapped under it any more (:mod:`edge_node.storage.keys.epochs`): with it
every remnant of what was destroyed before, in free pages, write-ahead logs, old disks and key backups.

Destroying a row key: it goes; its bucket and its owner get fresh keys; the bucket's other row keys and the owner's
other bucket keys are wrapped again; the store's generation is raised: all in one transaction.  Whoever held the old
owner or bucket key can open nothing that is wrapped now.  Destroying a subject: its own key, its bucket keys and all
row keys under them go, in one transaction.  Within one operating-system account this is a boundary of code, not of the
machine.

Keys that never came to seal anything committed are not destroyed but discarded: nothing exists that they open.
"""

import asyncio
from collections.abc import Sequence

import msgspec

from edge_node.storage.keys.hierarchy import (
    Bucket,
    Owner,
    bucket_of,
    unwrap_bucket,
    unwrap_owner,
    unwrap_row,
    wrap_bucket,
    wrap_owner,
    wrap_row,
)
from edge_node.storage.keys.store import HEAD, KeyStore
from shared.crypto import KEY_BYTES, NONCE_BYTES, Cipher
from shared.database.contract import ScriptRefused, Step, Transaction
from shared.errors import IntegrityError, LogEntryRequired
from shared.limits import BUCKET_ROWS_MAX

_OWNER_OF_BUCKET = """
SELECT o.id, o.name, o.version, o.epoch, o.wrapped
FROM bucket_key b JOIN owner_key o ON o.id = b.owner WHERE b.id = :bucket
"""

_DISCARD_BUCKETS = """
DELETE FROM bucket_key WHERE owner = (
    SELECT o.id FROM owner_key o WHERE o.name = :name AND NOT EXISTS (
        SELECT 1 FROM bucket_key b JOIN row_key r ON r.id >= b.id * 256 AND r.id < b.id * 256 + 256 WHERE b.owner = o.id
    )
)
"""
_DISCARD_OWNER = """
DELETE FROM owner_key WHERE name = :name AND NOT EXISTS (SELECT 1 FROM bucket_key b WHERE b.owner = owner_key.id)
"""


_BUCKETS_OF_SUBJECT = """
SELECT b.id FROM bucket_key b JOIN owner_key o ON o.id = b.owner WHERE o.name = :name ORDER BY b.id
"""
_COUNT_OF_SUBJECT = """
SELECT count(*) FROM owner_key o JOIN bucket_key b ON b.owner = o.id
JOIN row_key r ON r.id >= b.id * 256 AND r.id < b.id * 256 + 256 WHERE o.name = :name
"""


_EPOCH_NEEDED = """
SELECT 1 FROM epoch WHERE version = :epoch AND state = 'current'
UNION ALL SELECT 1 FROM owner_key WHERE epoch = :epoch UNION ALL SELECT 1 FROM index_key WHERE epoch = :epoch LIMIT 1
"""
_EPOCH_DESTROYED = """
UPDATE epoch SET state = 'destroyed', destroyed_at = :now WHERE version = :epoch AND state = 'retired'
"""


class LogEntry(msgspec.Struct, frozen=True):
    """An entry of the node's log that orders a key destroyed, already written to the journal."""

    id: str
    key: int
    state: str


class SubjectEntry(msgspec.Struct, frozen=True):
    """An entry of the node's log that orders every key of a subject destroyed, already written to the journal."""

    id: str
    pseudonym: str
    state: str


class EpochEntry(msgspec.Struct, frozen=True):
    """An entry of the node's log that orders an epoch key destroyed, already written to the journal."""

    id: str
    epoch: int
    state: str


class Destroyed(msgspec.Struct, frozen=True):
    """What was done: row keys destroyed, and keys wrapped again because of it."""

    keys: int
    rewrapped: int


async def destroy_rows(store: KeyStore, entries: Sequence[LogEntry]) -> Destroyed:
    """Destroy the row keys that journaled log entries name; one that is gone already counts as done.

    Raises ``LogEntryRequired`` for an entry that is not journaled: the order must be safe at the second place first.
    """
    if any(not entry.id or entry.state != "journaled" for entry in entries):
        raise LogEntryRequired
    rows = sorted({entry.key for entry in entries})
    buckets = sorted({bucket_of(row) for row in rows})
    rewrapped = gone = 0
    owners: set[str] = set()
    async with store.database.write() as transaction:
        before, current = (await transaction.fetch(HEAD))[0]
        owned: dict[int, tuple[int, str, int, int, bytes]] = {}
        for bucket in buckets:
            for owner in await transaction.fetch(_OWNER_OF_BUCKET, {"bucket": bucket}):
                owned[owner[0]] = owner
        for owner_id, name, version, epoch, wrapped in owned.values():
            old = Owner(owner_id, name, version, unwrap_owner(store.epoch(epoch), epoch, name, version, wrapped))
            new = await _renew_owner(store, transaction, old, current)
            done = await _renew_buckets(store, transaction, old, new, set(rows))
            gone, rewrapped = gone + done.keys, rewrapped + done.rewrapped
            owners.add(name)
        # A key whose bucket or owner is lost opens for nobody, and goes all the same.
        gone += await transaction.execute_many("DELETE FROM row_key WHERE id = :id", [(row,) for row in rows])
        await transaction.execute("UPDATE key_store SET generation = generation + 1")
        for row in rows:
            if await transaction.fetch("SELECT 1 FROM row_key WHERE id = :row", {"row": row}):
                raise IntegrityError(reason="a destroyed key is still there")
    _forget(store, before, current, owners)
    return Destroyed(gone, rewrapped)


async def destroy_subject(store: KeyStore, entry: SubjectEntry) -> int:
    """Destroy every key of the subject that a journaled log entry names; give how many row keys, 0 if all were gone.

    Raises ``LogEntryRequired`` for an entry that is not journaled: the order must be safe at the second place first.
    """
    if not entry.id or not entry.pseudonym or entry.state != "journaled":
        raise LogEntryRequired
    owner = {"name": entry.pseudonym}
    async with store.database.write() as transaction:
        before, current = (await transaction.fetch(HEAD))[0]
        buckets = await transaction.fetch(_BUCKETS_OF_SUBJECT, owner)
        gone = 0
        if buckets:
            spans = [(bucket * BUCKET_ROWS_MAX, (bucket + 1) * BUCKET_ROWS_MAX) for (bucket,) in buckets]
            gone = await transaction.execute_many("DELETE FROM row_key WHERE id >= :first AND id < :end", spans)
            await transaction.execute_many("DELETE FROM bucket_key WHERE id = :id", buckets)
        await transaction.execute("DELETE FROM owner_key WHERE name = :name AND kind = 'subject'", owner)
        await transaction.execute("UPDATE key_store SET generation = generation + 1")
        if await transaction.fetch("SELECT 1 FROM owner_key WHERE name = :name", owner):
            raise IntegrityError(reason="a destroyed key is still there")
    _forget(store, before, current, {entry.pseudonym})
    return gone


async def destroy_epoch(store: KeyStore, entry: EpochEntry, now: int) -> None:
    """Destroy the epoch key that a journaled log entry names, at every place of the provider; repeating is harmless.

    Raises ``LogEntryRequired`` for an entry that is not journaled, ``IntegrityError`` where a key of the store still
    needs that epoch or where it is the current one, ``KeyProviderFailed`` while a place is away.
    """
    if not entry.id or entry.state != "journaled":
        raise LogEntryRequired
    epoch = {"epoch": entry.epoch}
    async with store.database.read() as transaction:
        if await transaction.fetch(_EPOCH_NEEDED, epoch):
            raise IntegrityError(reason="an epoch key that is still needed was to be destroyed")
    await asyncio.to_thread(store.provider.destroy_epoch, store.region, entry.epoch)
    await store.database.run([Step(_EPOCH_DESTROYED, [(now, entry.epoch)])])
    store.forget_epoch(entry.epoch)


async def count_subject_keys(store: KeyStore, pseudonym: str) -> int:
    """Count the row keys of a subject."""
    async with store.database.read() as transaction:
        return int((await transaction.fetch(_COUNT_OF_SUBJECT, {"name": pseudonym}))[0][0])


async def _renew_owner(store: KeyStore, transaction: Transaction, old: Owner, epoch_version: int) -> Owner:
    """Give an owner a fresh key under the epoch that is current in this transaction: memory may lag a beat behind."""
    key = store.entropy.draw(KEY_BYTES)
    epoch = store.epoch(epoch_version)
    new = Owner(old.id, old.name, old.version + 1, Cipher(key))
    await transaction.execute(
        "UPDATE owner_key SET version = :version, epoch = :epoch, wrapped = :wrapped WHERE id = :id",
        {
            "version": new.version,
            "epoch": epoch_version,
            "wrapped": wrap_owner(epoch, epoch_version, new.name, new.version, key, store.entropy),
            "id": new.id,
        },
    )
    return new


async def _renew_buckets(
    store: KeyStore, transaction: Transaction, old: Owner, new: Owner, doomed: set[int]
) -> Destroyed:
    """Wrap every bucket of an owner under its new key; buckets that lose a row get a new key themselves."""
    hit = {bucket_of(row) for row in doomed}
    found = await transaction.fetch(
        "SELECT id, version, owner_version, floor, wrapped FROM bucket_key WHERE owner = :owner", {"owner": old.id}
    )
    gone = rows = 0
    kept: list[tuple[int, int, int, bytes, int]] = []
    for bucket, version, owner_version, floor, wrapped in found:
        key = unwrap_bucket(old, bucket, owner_version, wrapped)
        if bucket in hit:
            fresh = store.entropy.draw(KEY_BYTES)
            renewed = Bucket(bucket, version + 1, Cipher(fresh), floor)
            floor_now, removed, left = await _renew_rows(store, transaction, old.name, Cipher(key), renewed, doomed)
            gone, rows = gone + removed, rows + left
            if not left:
                await transaction.execute("DELETE FROM bucket_key WHERE id = :id", {"id": bucket})
                continue
            key, version, floor = fresh, renewed.version, floor_now
        kept.append((version, new.version, floor, wrap_bucket(new, bucket, key, store.entropy), bucket))
    if kept:
        await transaction.execute_many(
            "UPDATE bucket_key SET version = :version, owner_version = :by, floor = :floor, wrapped = :wrapped "
            "WHERE id = :id",
            kept,
        )
    return Destroyed(gone, rows + len(kept))


async def _renew_rows(
    store: KeyStore, transaction: Transaction, owner: str, old: Cipher, new: Bucket, doomed: set[int]
) -> tuple[int, int, int]:
    """Delete a bucket's doomed rows and wrap the others anew; give its floor, rows deleted and rows left."""
    first = new.id * BUCKET_ROWS_MAX
    found = await transaction.fetch(
        "SELECT id, bucket_version, wrapped FROM row_key WHERE id >= :first AND id < :end",
        {"first": first, "end": first + BUCKET_ROWS_MAX},
    )
    named = [row - first + 1 for row in doomed if bucket_of(row) == new.id]
    floor = max([new.next_slot, *named, *(row[0] - first + 1 for row in found)])
    left: list[tuple[int, bytes, int]] = []
    removed: list[tuple[int]] = []
    for row, bucket_version, wrapped in found:
        if row in doomed:
            removed.append((row,))
            continue
        key = unwrap_row(owner, old, row, bucket_version, wrapped)
        left.append((new.version, wrap_row(owner, new, row, key, store.entropy.draw(NONCE_BYTES)), row))
    if removed:
        await transaction.execute_many("DELETE FROM row_key WHERE id = :id", removed)
    if left:
        await transaction.execute_many(
            "UPDATE row_key SET bucket_version = :version, wrapped = :wrapped WHERE id = :id", left
        )
    return floor, len(removed), len(left)


def _forget(store: KeyStore, before: int, epoch: int, owners: set[str]) -> None:
    """Keep what this process remembers of everybody else, if it was true right before."""
    if store.generation == before:
        for name in owners:
            store.remembered.pop(name, None)
        store.generation = before + 1
    else:
        store.forget(before + 1, epoch)


async def discard_unused(store: KeyStore, rows: Sequence[int], owners: Sequence[str], intents: Sequence[int]) -> None:
    """Remove keys that nothing committed was ever sealed under, and the intents that named them.

    An owner under whom another process has drawn a row key meanwhile stays.  Where one of the intents is gone, somebody
    else has decided already, and its slots may have been given again: nothing is done.
    """
    steps = [Step("DELETE FROM intent WHERE id = :id", [(each,) for each in intents], len(intents))] if intents else []
    if rows:
        steps.append(Step("DELETE FROM row_key WHERE id = :id", [(row,) for row in rows]))
    if owners:
        names = [(name,) for name in owners]
        steps += [Step(_DISCARD_BUCKETS, names), Step(_DISCARD_OWNER, names)]
        steps.append(Step("UPDATE key_store SET generation = generation + 1"))
    if steps:
        try:
            await store.database.run(steps)
        except ScriptRefused:
            return
    if owners:
        await store.read_head()
        store.remembered.clear()
