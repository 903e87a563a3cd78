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
from typing import NamedTuple

import msgspec

from edge_node.storage.keys.hierarchy import (
    Bucket,
    Owner,
    bucket_of,
    rewrap_rows,
    unwrap_bucket,
    unwrap_owner,
    wrap_bucket,
    wrap_owner,
)
from edge_node.storage.keys.store import HEAD, KeyStore
from shared.crypto import KEY_BYTES, NONCE_BYTES, Cipher
from shared.database.contract import Row, ScriptRefused, Step, Transaction
from shared.errors import IntegrityError, LogEntryRequired
from shared.limits import BUCKET_ROWS_MAX

_OWNER_OF_BUCKET = """
SELECT o.id, o.name, o.version, o.epoch, o.wrapped
FROM bucket_key b JOIN owner_key o ON o.id = b.owner WHERE b.id = :bucket
"""

_BUCKETS_OF_OWNER = """
SELECT id, owner, version, owner_version, floor, wrapped FROM bucket_key WHERE owner = :owner
"""
_ROWS_OF_BUCKET = "SELECT id, bucket_version, wrapped FROM row_key WHERE id >= :first AND id < :end"
_DELETE_ROW = "DELETE FROM row_key WHERE id = :id"
_REWRAP_ROW = "UPDATE row_key SET bucket_version = :version, wrapped = :wrapped WHERE id = :id"
_DELETE_BUCKET = "DELETE FROM bucket_key WHERE id = :id"
_REWRAP_BUCKET = """
UPDATE bucket_key SET version = :version, owner_version = :by, floor = :floor, wrapped = :wrapped WHERE id = :id
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


class _Renewed(NamedTuple):
    """An owner with the key it had, and with its new one."""

    old: Owner
    new: Owner


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
    named = [(row,) for row in rows]
    async with store.turn, store.database.write() as transaction:
        before, current = (await transaction.fetch(HEAD))[0]
        buckets = [(bucket,) for bucket in sorted({bucket_of(row) for row in rows})]
        found = await transaction.fetch_many(_OWNER_OF_BUCKET, buckets)
        owners = await _renew_owners(store, transaction, {owner[0]: owner for owner in found}, current)
        done = await _renew_buckets(store, transaction, owners, set(rows))
        # A key whose bucket or owner is lost opens for nobody, and goes all the same.
        gone = done.keys + await transaction.execute_many(_DELETE_ROW, named)
        await transaction.execute("UPDATE key_store SET generation = generation + 1")
        if await transaction.fetch_many("SELECT 1 FROM row_key WHERE id = :row", named):
            raise IntegrityError(reason="a destroyed key is still there")
    _forget(store, before, current, {owner.new.name for owner in owners.values()})
    return Destroyed(gone, done.rewrapped)


async def destroy_subject(store: KeyStore, entry: SubjectEntry) -> int:
    """Destroy every key of the subject that a journaled log entry names; give how many row keys, 0 if all were gone.

    Raises ``LogEntryRequired`` for an entry that is not journaled: the order must be safe at the second place first.
    """
    if not entry.id or not entry.pseudonym or entry.state != "journaled":
        raise LogEntryRequired
    owner = {"name": entry.pseudonym}
    async with store.turn, store.database.write() as transaction:
        before, current = (await transaction.fetch(HEAD))[0]
        buckets = await transaction.fetch(_BUCKETS_OF_SUBJECT, owner)
        gone = 0
        if buckets:
            spans = [(bucket * BUCKET_ROWS_MAX, (bucket + 1) * BUCKET_ROWS_MAX) for (bucket,) in buckets]
            gone = await transaction.execute_many("DELETE FROM row_key WHERE id >= :first AND id < :end", spans)
            await transaction.execute_many(_DELETE_BUCKET, buckets)
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


async def _renew_owners(
    store: KeyStore, transaction: Transaction, found: dict[int, Row], epoch_version: int
) -> dict[int, _Renewed]:
    """Give owners fresh keys under the epoch that is current in this transaction: memory may lag a beat behind."""
    epoch = store.epoch(epoch_version)
    renewed: dict[int, _Renewed] = {}
    changes = []
    for owner_id, name, version, under, wrapped in found.values():
        key = store.entropy.draw(KEY_BYTES)
        old = Owner(owner_id, name, version, unwrap_owner(store.epoch(under), under, name, version, wrapped))
        new = Owner(owner_id, name, version + 1, Cipher(key))
        renewed[owner_id] = _Renewed(old, new)
        anew = wrap_owner(epoch, epoch_version, name, new.version, key, store.entropy)
        changes.append((new.version, epoch_version, anew, owner_id))
    if changes:
        await transaction.execute_many(
            "UPDATE owner_key SET version = :version, epoch = :epoch, wrapped = :wrapped WHERE id = :id", changes
        )
    return renewed


async def _renew_buckets(
    store: KeyStore, transaction: Transaction, owners: dict[int, _Renewed], doomed: set[int]
) -> Destroyed:
    """Wrap every bucket of owners under their new keys; buckets that lose a row get a new key themselves.

    Each statement is run for all of them at once: while it goes on, nobody else writes keys.
    """
    hit: dict[int, list[int]] = {}
    for row in doomed:
        hit.setdefault(bucket_of(row), []).append(row)
    found = await transaction.fetch_many(_BUCKETS_OF_OWNER, [(owner,) for owner in owners])
    spans = [(each[0] * BUCKET_ROWS_MAX, (each[0] + 1) * BUCKET_ROWS_MAX) for each in found if each[0] in hit]
    members: dict[int, list[Row]] = {}
    for member in await transaction.fetch_many(_ROWS_OF_BUCKET, spans):
        members.setdefault(bucket_of(member[0]), []).append(member)
    kept: list[tuple[int, int, int, bytes, int]] = []
    left: list[tuple[int, bytes, int]] = []
    removed: list[tuple[int]] = []
    empty: list[tuple[int]] = []
    for bucket, owner, version, owner_version, floor, wrapped in found:
        old, new = owners[owner]
        key = unwrap_bucket(old, bucket, owner_version, wrapped)
        if bucket in hit:
            fresh, rows = store.entropy.draw(KEY_BYTES), members.get(bucket, [])
            renewed = Bucket(
                bucket, version + 1, Cipher(fresh), _floor(floor, [*hit[bucket], *(row[0] for row in rows)])
            )
            removed += [(row[0],) for row in rows if row[0] in doomed]
            staying = [(row[0], row[1], row[2]) for row in rows if row[0] not in doomed]
            if not staying:
                empty.append((bucket,))
                continue
            nonces = store.entropy.draw(NONCE_BYTES * len(staying))
            left += rewrap_rows(old.name, Cipher(key), renewed, staying, nonces)
            key, version, floor = fresh, renewed.version, renewed.next_slot
        kept.append((version, new.version, floor, wrap_bucket(new, bucket, key, store.entropy), bucket))
    changes = ((_DELETE_ROW, removed), (_REWRAP_ROW, left), (_DELETE_BUCKET, empty), (_REWRAP_BUCKET, kept))
    for sql, values in changes:
        if values:
            await transaction.execute_many(sql, values)
    return Destroyed(len(removed), len(left) + len(kept))


def _floor(floor: int, rows: Sequence[int]) -> int:
    """Give the slot below which none of a bucket with these rows is given again."""
    return max(floor, *(row % BUCKET_ROWS_MAX + 1 for row in rows))


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
        steps.append(Step(_DELETE_ROW, [(row,) for row in rows]))
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
