"""A content backup put back where the content store was lost, into quarantine.

Nothing is put in place before everything was looked at: the backup is whole, young enough and of this region, the
journal knows it, the keys at hand are from after it, and the key provider opens them.  Then a copy is prepared beside
the place of the content store: holds that were placed or released since are in it, secrets of accounts that changed
since are not, and it is in quarantine; at last it is put in place.  What is cut short is begun again by repeating it.

What was let go since the backup is let go again by the running node, in its quarantine
(:mod:`edge_node.usecases.custody.quarantine_keeping`).
"""

import asyncio
import os
from contextlib import AsyncExitStack
from functools import partial
from pathlib import Path
from typing import NamedTuple

from edge_node.core.duties import Backing
from edge_node.core.keeping import Hold
from edge_node.settings import EdgeSettings
from edge_node.storage import backups
from edge_node.storage.blobs import FOLDER
from edge_node.storage.content.duties import await_step
from edge_node.storage.content.head import read_people_counter
from edge_node.storage.content.holds import Placing, place_hold
from edge_node.storage.content.quarantine import begin_step
from edge_node.storage.content.resuming import release_hold
from edge_node.storage.identity import ensure_identity
from edge_node.storage.journal import Journal, JournalEntry
from edge_node.storage.keys.backups import BACKUP_FILE, give_no_id_twice, opens_backup
from edge_node.storage.keys.store import KeyStore, open_key_store
from edge_node.stores import (
    CONTENT_FILE,
    KEYS_FILE,
    MIGRATIONS,
    content_begun,
    key_places,
    open_content,
    open_provider,
)
from edge_node.usecases.custody.backing_up import Watch
from edge_node.usecases.custody.since_backup import Since, read_since
from shared import private_files
from shared.clock import DAY, Clock
from shared.database.contract import Database, Step
from shared.database.copying import copy_sqlite, remove_beside
from shared.database.migrations import migrate
from shared.database.sqlite import open_sqlite
from shared.database.transfer import copy_rows, tables_of
from shared.entropy import Entropy
from shared.errors import StoreUnavailable
from shared.errors.custody import BackupTooOld, KeyBackupTooOld, KeyStoreDamaged, RestoreFailed, StorePresent
from shared.errors.keeping import JournalUnwritable
from shared.ids import draw_opaque_id

_STAGE = "content.db.restoring"
_HOLD = "SELECT 1 FROM hold WHERE id = :id"
_ACCOUNTS = "SELECT name, key FROM account WHERE key IS NOT NULL ORDER BY name"
_FORGET_SECRETS = "UPDATE account SET key = NULL, sealed = NULL WHERE name = :name"
# A beat that was not acknowledged may name whom nobody must hear of any more; views end; leases are of the dead.
_FRESH = (
    "UPDATE content_store SET accounts = accounts + 1, people = people + 1",
    "UPDATE uplink SET beat_body = NULL",
    "DELETE FROM lease",
    "DELETE FROM quarantine",
)
_END_VIEWS = "UPDATE view SET ends_at = :now WHERE state = 'open' AND ends_at > :now"


class Restored(NamedTuple):
    """What was put back."""

    backup: backups.Backup
    keys_from: Path
    """``keys.db`` itself where it was there, else the key backup."""
    to_replay: int
    """Lines of the journal since the backup."""
    accounts: list[str]
    """Accounts whose secrets changed since and have to be given again."""
    files_missing: int
    """Files that the backup had when it was taken, and has no more."""


async def restore(settings: EdgeSettings, folder: Path, clock: Clock, entropy: Entropy, watch: Watch) -> Restored:
    """Put the backup in ``folder`` back; the node must not run.

    Raises ``BackupInvalid``, ``BackupTooOld``, ``BackupPassedOver``, ``JournalGap``, ``KeyBackupTooOld``,
    ``KeyStoreDamaged``, ``StorePresent``, ``KeyProviderFailed``; then nothing was changed.  ``RestoreFailed`` and
    ``JournalUnwritable``: it was begun, and can be repeated.
    """
    now = clock.now()
    backup = await asyncio.to_thread(backups.read, folder, settings.region)
    if backup.manifest.taken_at < now - settings.custody.backup_days_max * DAY:
        raise BackupTooOld(path=str(folder), wants=f"at most {settings.custody.backup_days_max} days")
    if await content_begun(settings, clock):
        raise StorePresent(path=str(settings.data_dir))
    since = await asyncio.to_thread(read_since, Journal(settings.journal_dir), backup.manifest.id)
    await asyncio.to_thread(backups.verify, backup, partial(watch, "digest"))
    private_files.make_folder(settings.data_dir)
    keys_from = await _place_keys(settings)
    async with AsyncExitStack() as stack:
        try:
            keys = await _open_keys(settings, backup, clock, entropy, stack)
        except BaseException:  # whatever it was, keys that open nothing must not stay in the node's place
            await stack.aclose()
            if keys_from != settings.data_dir / KEYS_FILE:
                await asyncio.to_thread(_remove, settings.data_dir / KEYS_FILE)
            raise
        await give_no_id_twice(keys.database, since.highest)
        await keys.read_head()
        # Not before: a key place that is away must not be taken for an empty one.
        for place in key_places(settings):
            private_files.make_folder(place)
        ensure_identity(key_places(settings), entropy)
        line = JournalEntry(draw_opaque_id(entropy), "restore", "operator", now, restored=backup.manifest.id)
        try:
            accounts = await _stage(settings, backup, since, keys, now, watch)
            files = settings.data_dir / FOLDER
            missing = await asyncio.to_thread(backups.put_back, backup, files, partial(watch, "files"))
            await asyncio.to_thread(_note, Journal(settings.journal_dir), line)
            await _put_in_place(settings, clock, watch)
        except (OSError, StoreUnavailable) as error:
            await asyncio.to_thread(_remove, settings.data_dir / _STAGE)
            reason = os.strerror(error.errno or 0) if isinstance(error, OSError) else error.details.get("cause", "")
            raise RestoreFailed(path=str(settings.data_dir), reason=reason) from None
    return Restored(backup, keys_from, since.lines, accounts, missing)


def _note(journal: Journal, line: JournalEntry) -> None:
    """Write down that a backup is put back: from then on one that was taken after it has missed what follows."""
    try:
        journal.append([line])
    except OSError:
        raise JournalUnwritable(path=str(journal.path), reason="nothing was put in place") from None


async def _place_keys(settings: EdgeSettings) -> Path:
    """Put the key backup in the place of a key store that is lost; give where the keys are from."""
    target = settings.data_dir / KEYS_FILE
    if target.exists():
        return target
    source = settings.key_backup_dir / BACKUP_FILE
    if not source.exists():
        raise KeyBackupTooOld(path=str(source), reason="it is missing")
    # A write-ahead log is not bound to its file: that of the lost key store would be applied to the backup.
    await asyncio.to_thread(remove_beside, target)
    try:
        await asyncio.to_thread(copy_sqlite, source, target)
    except StoreUnavailable:
        raise KeyStoreDamaged(path=str(source)) from None
    return source


async def _open_keys(
    settings: EdgeSettings, backup: backups.Backup, clock: Clock, entropy: Entropy, stack: AsyncExitStack
) -> KeyStore:
    """Open the key store, and see that it is whole, that it opens the backup and the provider opens it."""
    path = settings.data_dir / KEYS_FILE
    try:
        database = await open_sqlite(path)
        stack.push_async_callback(database.close)
        async with database.read() as transaction:
            whole = await transaction.fetch("PRAGMA quick_check(1)") == [("ok",)]
        await migrate(database, MIGRATIONS / "keys", clock.now())
    except StoreUnavailable as error:
        raise KeyStoreDamaged(path=str(path), cause=error.details.get("cause", error.code)) from None
    if not whole:
        raise KeyStoreDamaged(path=str(path))
    if not await opens_backup(database, backup.manifest.id):
        raise KeyBackupTooOld(path=str(path), reason="it does not know the backup")
    keys = await open_key_store(database, open_provider(settings, entropy), settings.region, entropy)
    await keys.indexes("mark")  # asks the provider for the epoch key
    return keys


async def _stage(
    settings: EdgeSettings, backup: backups.Backup, since: Since, keys: KeyStore, now: int, watch: Watch
) -> list[str]:
    """Prepare the copy beside the place of the content store; give the accounts whose secrets are lost."""
    stage = settings.data_dir / _STAGE
    await asyncio.to_thread(_remove, stage)
    await asyncio.to_thread(backups.copy_file, backup.folder / backups.CONTENT, stage, partial(watch, "content"))
    content = await open_sqlite(stage)
    try:
        await migrate(content, MIGRATIONS / "content", now)
        await read_people_counter(content, settings.region)
        await content.run([Step(sql) for sql in _FRESH])
        # Another machine's clock may be behind: what the journal names was ordered before the restore all the same.
        began = begin_step(backup.manifest.id, backup.manifest.taken_at, max(now, since.latest + 1))
        await content.run([Step(_END_VIEWS, [(now,)]), began])
        if since.policy:  # the backup may know an older one, which would let go of what a later one keeps
            await content.run([await_step(since.policy)])
        await _hold_again(content, since.holds, backup.manifest.taken_at)
        accounts = await _forget_secrets(content, keys, since.keys)
        await content.checkpoint()
    finally:
        await content.close()
    await asyncio.to_thread(remove_beside, stage)
    return accounts


async def _hold_again(content: Database, lines: list[JournalEntry], taken_at: int) -> None:
    """Place and release what was placed and released since, in that order."""
    for line in lines:
        hold = line.hold
        if hold is None:
            continue
        if line.act == "unhold":
            await release_hold(content, hold.id, line.log_entry, taken_at)
            continue
        async with content.read() as transaction:
            if await transaction.fetch(_HOLD, {"id": hold.id}):
                continue
        scope = Hold(frozenset(hold.stops), hold.from_at, hold.until_at)
        backing = Backing(
            hold.kind, hold.keeps, hold.duty, hold.article, frozenset(hold.stops), hold.kinds, hold.ends_at
        )
        placing = Placing(hold.id, hold.pseudonym, scope, hold.reason, hold.review_at, backing, hold.asked)
        await place_hold(content, placing, line.ordered_at)


async def _forget_secrets(content: Database, keys: KeyStore, destroyed: frozenset[int]) -> list[str]:
    """Drop the sealed secrets of accounts whose key was destroyed since; give the accounts."""
    async with content.read() as transaction:
        accounts = [(str(name), int(key)) for name, key in await transaction.fetch(_ACCOUNTS)]
    there = await keys.open_rows([key for _, key in accounts])
    lost = [name for name, key in accounts if key not in there or key in destroyed]
    if lost:
        await content.run([Step(_FORGET_SECRETS, [(name,) for name in lost])])
    return lost


async def _put_in_place(settings: EdgeSettings, clock: Clock, watch: Watch) -> None:
    """Make the prepared copy the node's content store: from now on it is restored."""
    stage = settings.data_dir / _STAGE
    if settings.database_url is None:
        await asyncio.to_thread(_rename, stage, settings.data_dir / CONTENT_FILE)
        return
    target, source = await open_content(settings), await open_sqlite(stage)
    try:
        await migrate(target, MIGRATIONS / "content", clock.now())
        await copy_rows(source, target, await tables_of(source), partial(watch, "rows"))
    finally:
        await source.close()
        await target.close()
    await asyncio.to_thread(_remove, stage)


def _rename(stage: Path, target: Path) -> None:
    """Give a file its name, and make that durable."""
    remove_beside(target)
    stage.rename(target)
    private_files.sync(target.parent)


def _remove(file: Path) -> None:
    """Remove a SQLite file and what lies beside it."""
    file.unlink(missing_ok=True)
    remove_beside(file)
