"""The tombstone journal: removals written down at a second place of the region before they count.

One JSON object per line, appended and synced: what was removed, by blind index and key id alone.  A restored store
replays it, so that what was let go stays gone.  A line cut short by a crash was never acted on and is left out.
"""

import errno
import os
from collections.abc import Iterator, Sequence
from pathlib import Path

import msgspec

from shared.errors import StoreUnavailable

FILE = "tombstones.jsonl"


class JournalEntry(msgspec.Struct, frozen=True):
    """One removal: the log entry, why, the destroyed row key's id, and the tombstone (hex) with its key version.

    An erasure names no row key but the pseudonym whose keys all go, and the suppression marks that stand for it.
    """

    log_entry: str
    act: str
    reason: str
    ordered_at: int
    key: int | None
    tombstone: str | None
    tombstone_version: int | None
    owner: str | None = None
    suppressed: tuple[tuple[str, int, int], ...] = ()
    """By identity: mark (hex), version of its key, until when (ms) events stay out."""


class Journal:
    """The journal of a node, at ``journal_dir``."""

    def __init__(self, folder: Path) -> None:
        """Take the folder; it is made when the node is set up."""
        self.path = folder / FILE

    def append(self, entries: Sequence[JournalEntry]) -> None:
        """Write entries and sync them to the disk; blocks, so a caller on an event loop uses a thread.

        ``StoreUnavailable`` where the disk does not take them; a line cut short by it is as one cut short by a crash.
        """
        try:
            self._append(entries)
        except OSError as error:
            raise StoreUnavailable(store="journal", cause=errno.errorcode.get(error.errno or 0, "")) from None

    def _append(self, entries: Sequence[JournalEntry]) -> None:
        """Write and sync."""
        begins = not self.path.exists()
        descriptor = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW, 0o600)
        try:
            # A leading newline ends a line that a crash may have cut short; empty lines are skipped by the reader.
            data = b"\n" + b"".join(msgspec.json.encode(entry) + b"\n" for entry in entries)
            view = memoryview(data)
            while view:
                view = view[os.write(descriptor, view) :]
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        if begins:
            folder = os.open(self.path.parent, os.O_RDONLY)
            try:
                os.fsync(folder)
            finally:
                os.close(folder)

    def read(self) -> Iterator[JournalEntry]:
        """Give every whole entry, oldest first; an entry may occur more than once."""
        if not self.path.exists():
            return
        decoder = msgspec.json.Decoder(JournalEntry)
        with self.path.open("rb") as file:
            for line in file:
                if line.endswith(b"}\n"):
                    yield decoder.decode(line)
