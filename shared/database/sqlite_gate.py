"""The gate before a SQLite file's writer: one process at a time writes or checkpoints.

``BEGIN IMMEDIATE`` alone already keeps writers apart, but not a writer from another process's checkpoint, and
SQLite 3.7.0 to 3.51.2 can then lose a committed transaction (https://www.sqlite.org/wal.html, "The WAL-Reset
Bug", fixed 2026-03-13 in 3.51.3, 3.50.7 and 3.44.6).  Two processes of ours do write the same file while a
restart overlaps, and distributions ship older versions, so commits and checkpoints stand behind one lock.
"""

import contextlib
import fcntl
import os
import time
from pathlib import Path

from shared.errors import StoreUnavailable

_SHORT_S, _LONG_S = 0.001, 0.01
_SHORT_WAITS = 100


class Gate:
    """A lock between processes (and between connections of one), on an empty file of its own, mode 0600."""

    def __init__(self, path: Path) -> None:
        """Open the file at ``path``, making it if need be."""
        try:
            self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise StoreUnavailable(cause=os.strerror(error.errno or 0), path=str(path)) from None
        self._shut = False

    def shut(self, wait_ms: int) -> None:
        """Take the lock, waiting about ``wait_ms`` milliseconds at most, then :class:`StoreUnavailable`.

        Polls as SQLite's own busy handler does; it counts what it slept instead of reading a clock.
        """
        waited, tries = 0.0, 0
        while not self._shut:
            with contextlib.suppress(BlockingIOError):
                fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                self._shut = True
                return
            if waited * 1000 >= wait_ms:
                raise StoreUnavailable(cause="busy")
            pause = _SHORT_S if tries < _SHORT_WAITS else _LONG_S
            time.sleep(pause)
            waited, tries = waited + pause, tries + 1

    def open(self) -> None:
        """Let the lock go; nothing to do where it is not held."""
        if self._shut:
            fcntl.flock(self._file, fcntl.LOCK_UN)
            self._shut = False

    def close(self) -> None:
        """Close the file, which lets the lock go."""
        if self._file >= 0:
            os.close(self._file)
            self._file, self._shut = -1, False
