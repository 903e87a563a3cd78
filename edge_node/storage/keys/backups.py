"""The key backup, and which content backups a key store can open.

One key backup is kept, always the newest: whoever writes one holds a lock from the first page on, so that an older copy
never takes the place of a newer one.  It names the content backups that were taken before it.
"""

import fcntl
import os
from pathlib import Path

from edge_node.storage.keys.store import KeyStore
from shared.database.contract import Database, Step
from shared.database.copying import copy_sqlite, read_row
from shared.errors import StoreUnavailable
from shared.errors.custody import KeyBackupFailed, KeyBackupForeign
from shared.limits import BUCKET_ROWS_MAX
from shared.private_files import make_folder

BACKUP_FILE = "keys-backup.db"
_LOCK = ".keys-backup.lock"

_NOTE = "INSERT INTO content_backup (id, taken_at) VALUES (:id, :taken_at) ON CONFLICT (id) DO NOTHING"
_FORGET = "DELETE FROM content_backup WHERE taken_at < :before"
_OPENS = "SELECT 1 FROM content_backup WHERE id = :id"
_CLOSE = "UPDATE bucket_key SET floor = :full"
_SKIP = (
    "UPDATE key_store SET next_id = CASE WHEN next_id > :next THEN next_id ELSE :next END, generation = generation + 1"
)
_ROW = "SELECT id FROM row_key WHERE id = :id"
# When its first epoch began tells one key store from another; its generation only rises.
_STATE = """
SELECT (SELECT created_at FROM epoch ORDER BY version LIMIT 1), generation FROM key_store
"""
_OWNER = "SELECT name FROM owner_key WHERE name = :name"


def back_up_keys(keys_file: Path, folder: Path) -> Path:
    """Put a key backup of now in the place of the one before, and give it; blocks.

    ``KeyBackupFailed`` where it cannot be written; ``KeyBackupForeign`` rather than lose the only copy of another key
    store, such as one that is lost itself, or of a later state of this one.
    """
    target = folder / BACKUP_FILE
    try:
        make_folder(folder)
        descriptor = os.open(folder / _LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            there, ours = read_row(target, _STATE) if target.exists() else None, read_row(keys_file, _STATE)
            if there and ours and (there[0] != ours[0] or there[1] > ours[1]):
                raise KeyBackupForeign(path=str(target))
            copy_sqlite(keys_file, target)
        finally:
            os.close(descriptor)
    except (OSError, StoreUnavailable):
        raise KeyBackupFailed(path=str(folder)) from None
    return target


async def note_content_backup(keys: Database, backup: str, taken_at: int, before: int) -> None:
    """Note that a content backup was taken, and forget those from before an instant (ms)."""
    await keys.run([Step(_NOTE, [(backup, taken_at)]), Step(_FORGET, [(before,)])])


async def opens_backup(keys: Database, backup: str) -> bool:
    """Say whether a key store is from after a content backup."""
    async with keys.read() as transaction:
        return bool(await transaction.fetch(_OPENS, {"id": backup}))


async def last_content_backup(keys: Database) -> int | None:
    """Give when the newest content backup was taken (ms)."""
    async with keys.read() as transaction:
        newest = (await transaction.fetch("SELECT max(taken_at) FROM content_backup"))[0][0]
    return None if newest is None else int(newest)


async def give_no_id_twice(keys: Database, row: int) -> None:
    """Make sure that no row key drawn from now on has an id up to ``row``, or one of a bucket that is there.

    After a restore: the ids that were given since the key backup are lost, and the journal names some of them.
    """
    full = BUCKET_ROWS_MAX
    await keys.run([Step(_CLOSE, [(full,)]), Step(_SKIP, [(row // full + 1,)])])


async def revived(store: KeyStore, rows: list[int]) -> set[int]:
    """Give those of some row keys that the key store has."""
    async with store.database.read() as transaction:
        return {row for (row,) in await transaction.fetch_many(_ROW, [(row,) for row in rows])}


async def revived_owners(store: KeyStore, names: list[str]) -> set[str]:
    """Give those of some pseudonyms that the key store has keys of."""
    async with store.database.read() as transaction:
        return {name for (name,) in await transaction.fetch_many(_OWNER, [(name,) for name in names])}
