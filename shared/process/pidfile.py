"""One supervisor per data folder: a pid file whose lock, not whose content, says that a node runs.

The lock (flock(2)) goes with the process that holds it, however that ends, so a pid file left behind by a
power cut hinders nobody.  The file is emptied, never removed: removing it would let two processes lock two
different files of one name.
"""

import fcntl
import os
from pathlib import Path

from shared.errors import SettingsInvalid
from shared.errors.process import NodeRunning


class PidLock:
    """The locked pid file of this process; a context manager."""

    def __init__(self, path: Path) -> None:
        """Name the file; nothing is opened yet."""
        self.path = path
        self.stale = False
        """True where the last supervisor here did not end in order."""
        self._fd = -1

    def __enter__(self) -> "PidLock":
        """Lock the file and write our process id; :class:`NodeRunning` where another node holds it."""
        try:
            self._fd = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as refused:
            raise SettingsInvalid(setting="data_dir", path=str(self.path), reason=type(refused).__name__) from None
        try:
            fcntl.flock(self._fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            other = self._content()
            os.close(self._fd)
            raise NodeRunning(path=str(self.path), pid=other) from None
        self.stale = self._content() != 0
        os.ftruncate(self._fd, 0)
        os.pwrite(self._fd, f"{os.getpid()}\n".encode(), 0)
        return self

    def __exit__(self, *_unused: object) -> None:
        """Empty the file and let go of the lock."""
        os.ftruncate(self._fd, 0)
        os.close(self._fd)

    def _content(self) -> int:
        """Give the process id in the file, 0 where there is none."""
        text = os.pread(self._fd, 32, 0).strip()
        return int(text) if text.isdigit() else 0
