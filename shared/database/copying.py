"""A copy of a SQLite file while it is in use: one moment's rows, and nothing of what was deleted.

``VACUUM INTO`` writes rows anew, so that free pages and the write-ahead log stay behind; the online backup would take
freed pages along (https://www.sqlite.org/lang_vacuum.html, "VACUUM with an INTO clause").
"""

import os
import sqlite3
from collections.abc import Iterator
from pathlib import Path

from shared import private_files
from shared.database.contract import Row
from shared.errors import StoreUnavailable

_WAIT_S = 30.0


def copy_sqlite(source: Path, target: Path) -> None:
    """Copy the file at ``source`` to ``target``, which is replaced whole; mode 0600, synced.  Blocks: use a thread.

    Raises ``StoreUnavailable`` where either cannot be reached; what stood at ``target`` then still stands.
    """
    part = target.with_name(f".{target.name}.part")
    try:
        part.unlink(missing_ok=True)
        link = sqlite3.connect(f"{source.absolute().as_uri()}?mode=ro", uri=True, timeout=_WAIT_S)
        try:
            # Made first, so that nobody else can read it from its first byte on; an empty file is taken as new.
            os.close(os.open(part, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))
            link.execute("VACUUM INTO ?", (str(part),))
        finally:
            link.close()
        private_files.sync(part)
        part.replace(target)
        private_files.sync(target.parent)
    except (OSError, sqlite3.Error) as error:
        part.unlink(missing_ok=True)
        raise StoreUnavailable(cause=type(error).__name__, path=str(target)) from None


def read_row(source: Path, sql: str) -> Row | None:
    """Read the first row that a query finds in a SQLite file, which is left as it is.  Blocks: use a thread.

    ``None`` where there is none, and where the file cannot be read.
    """
    try:
        link = sqlite3.connect(f"{source.absolute().as_uri()}?mode=ro", uri=True, timeout=_WAIT_S)
        try:
            found: Row | None = link.execute(sql).fetchone()
        finally:
            link.close()
    except sqlite3.Error:
        return None
    return found


def remove_beside(file: Path) -> None:
    """Remove what lies beside a closed SQLite file that was emptied into it."""
    for path in beside(file):
        path.unlink(missing_ok=True)


def beside(file: Path) -> Iterator[Path]:
    """Name what lies beside an open SQLite file: its write-ahead log, that log's index, and our lock."""
    for end in ("-wal", "-shm", "-lock"):
        yield Path(f"{file}{end}")
