"""A content backup of a running node, and after it the key backup that opens it.

1. A line in the tombstone journal: what follows it there has to be let go again when this backup is restored.
2. The content store as of one moment; inert without keys.  The key store notes it, then the files are copied.
3. A key backup is taken: only one from after the content can open all of it.  With it the backup is whole.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from functools import partial
from pathlib import Path
from typing import Literal, NamedTuple

from edge_node.storage import backups
from edge_node.storage.content.quarantine import read_quarantine
from edge_node.storage.journal import JournalEntry
from edge_node.storage.keys.backups import back_up_keys, note_content_backup
from edge_node.stores import CONTENT_FILE, KEYS_FILE, MIGRATIONS, Stores
from shared.clock import DAY
from shared.database.contract import Database
from shared.database.copying import copy_sqlite, remove_beside
from shared.database.migrations import migrate
from shared.database.sqlite import open_sqlite
from shared.database.transfer import copy_rows, tables_of
from shared.errors import StoreUnavailable
from shared.errors.custody import BackupFailed, InQuarantine
from shared.ids import draw_opaque_id

Step = Literal["rows", "files", "digest", "content"]
Watch = Callable[[Step, int], None]
"""Is told of how much more of a step is done: rows, or bytes."""

_PAGE = 1_000
_FILES = """
SELECT file FROM derivative WHERE whole = 1 AND keep = 'active' AND file > :after ORDER BY file LIMIT :most
"""


class Done(NamedTuple):
    """A backup that was taken, the key backup after it, and the names of older ones that were removed."""

    backup: backups.Backup
    key_backup: Path
    pruned: list[str]


async def back_up(stores: Stores, place: Path, watch: Watch) -> Done:
    """Take a backup into a new folder below ``place``; those older than may be restored are removed there.

    ``BackupFailed`` or ``KeyBackupFailed`` where one could not be written; ``InQuarantine`` while a restored store may
    still hold what was let go, or events that are not judged yet: their waiting copies are destroyed then, and with the
    store lost after that a backup would have nothing else of them.
    """
    if await read_quarantine(stores.content) is not None:
        raise InQuarantine
    settings, now = stores.settings, stores.clock.now()
    backup = draw_opaque_id(stores.entropy)
    await _note(stores, backup, now)
    oldest = now - settings.custody.backup_days_max * DAY
    draft = await asyncio.to_thread(backups.Draft, place, backup, settings.region, now)
    try:
        await _copy_content(stores, draft.content, watch)
        await note_content_backup(stores.keys.database, backup, now, oldest)
        names = [name async for name in _names(stores.content)]
        await asyncio.to_thread(draft.add_files, names, stores.blobs.folder, partial(watch, "files"))
        key_backup = await asyncio.to_thread(back_up_keys, settings.data_dir / KEYS_FILE, settings.key_backup_dir)
        whole = await asyncio.to_thread(draft.finish, partial(watch, "digest"))
    except BaseException:  # whatever it was, nothing half may stay
        await asyncio.to_thread(draft.discard)
        raise
    pruned = await asyncio.to_thread(backups.prune, place, settings.region, oldest)
    return Done(whole, key_backup, pruned)


async def _note(stores: Stores, backup: str, now: int) -> None:
    """Write the backup into the journal."""
    line = JournalEntry(log_entry=backup, act="backup", reason="operator", ordered_at=now)
    try:
        await asyncio.to_thread(stores.journal.append, [line])
    except StoreUnavailable:
        raise BackupFailed(path=str(stores.journal.path)) from None


async def _copy_content(stores: Stores, target: Path, watch: Watch) -> None:
    """Copy the content store as of one moment, from either engine."""
    settings = stores.settings
    try:
        if settings.database_url is None:
            await asyncio.to_thread(copy_sqlite, settings.data_dir / CONTENT_FILE, target)
            return
        copy = await open_sqlite(target)
        try:
            await migrate(copy, MIGRATIONS / "content", stores.clock.now())
            await copy_rows(stores.content, copy, await tables_of(copy), partial(watch, "rows"))
            await copy.checkpoint()
        finally:
            await copy.close()
        await asyncio.to_thread(remove_beside, target)
    except StoreUnavailable:
        raise BackupFailed(path=str(target)) from None


async def _names(content: Database) -> AsyncIterator[str]:
    """Give the names of all whole files."""
    after = ""
    while True:
        async with content.read() as transaction:
            rows = await transaction.fetch(_FILES, {"after": after, "most": _PAGE})
        for (name,) in rows:
            yield name
        if len(rows) < _PAGE:
            return
        after = rows[-1][0]
