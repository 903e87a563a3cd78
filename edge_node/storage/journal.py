"""The tombstone journal: removals written down at a second place of the region before they count.

One JSON object per line, appended and synced: what was removed, by blind index and key id alone; holds, by pseudonym;
and each content backup, so that what came after it is known.  A restored store replays it: what was let go stays gone,
what was held stays held.  A line cut short by a crash was never acted on and is left out.

Lines that no backup that may still be restored needs are dropped (:meth:`Journal.prune`); a lock beside the journal
keeps that and appending apart.
"""

import contextlib
import errno
import fcntl
import os
from collections.abc import Iterator, Sequence
from pathlib import Path

import msgspec

from edge_node.core.duties import HoldKind
from edge_node.core.keeping import Keep, Removal
from shared import private_files
from shared.clock import Milliseconds
from shared.errors import StoreUnavailable
from shared.errors.custody import JournalGap

FILE = "tombstones.jsonl"
_LOCK = ".lock"


class HoldLine(msgspec.Struct, frozen=True, omit_defaults=True):
    """A hold in the journal; of one that is released, its id alone."""

    id: str
    pseudonym: str = ""
    from_at: int = 0
    until_at: int = 0
    reason: str = ""
    review_at: int = 0
    stops: tuple[Removal, ...] = ()
    asked: tuple[Removal, ...] = ()
    """What it was wanted to stop, where the law lets it stop less."""
    kind: HoldKind = "hold"
    keeps: Keep = "held"
    duty: str = ""
    article: str = ""
    kinds: str = ""
    ends_at: int | None = None


class JournalEntry(msgspec.Struct, frozen=True, omit_defaults=True):
    """One removal: the log entry, why, the destroyed row key's id, and the tombstone (hex) with its key version.

    An erasure names no row key but the pseudonym whose keys all go, and the suppression marks that stand for it.
    """

    log_entry: str
    act: str
    reason: str
    ordered_at: int
    key: int | None = None
    tombstone: str | None = None
    tombstone_version: int | None = None
    owner: str | None = None
    suppressed: tuple[tuple[str, int, int], ...] = ()
    """By identity: mark (hex), version of its key, until when (ms) events stay out."""
    cases: tuple[str, ...] = ()
    """Of an erasure: the cases that were opened for it at this node."""
    held: bool = False
    """It was ordered and waits under a hold; a second line of this entry follows when it no longer does."""
    policy: int | None = None
    """With ``held``: the version of the policy by which it waits; ``None``: there was none."""
    restored: str | None = None
    """With ``act`` ``restore``: the content backup that was put back."""
    hold: HoldLine | None = None
    """With ``act`` ``hold`` or ``unhold``."""


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
        with self._alone():
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
                private_files.sync(self.path.parent)

    def read(self) -> Iterator[JournalEntry]:
        """Give every whole entry, oldest first; an entry may occur more than once.

        ``JournalGap`` where a line is damaged: what it said was let go cannot be told.
        """
        if not self.path.exists():
            return
        decoder = msgspec.json.Decoder(JournalEntry)
        with self.path.open("rb") as file:
            for line in file:
                if line.endswith(b"}\n") and not _is_cut(line):
                    try:
                        entry = decoder.decode(line)
                    except msgspec.DecodeError:
                        raise JournalGap(path=str(self.path), reason="a line of it is damaged") from None
                    yield entry

    def after(self, log_entry: str) -> Iterator[JournalEntry] | None:
        """Give what follows the first entry of that name; ``None`` where there is none."""
        entries = self.read()
        if any(entry.log_entry == log_entry for entry in entries):
            return entries
        return None

    def prune(self, before: Milliseconds) -> int:
        """Drop the entries that were ordered before an instant; give how many.

        Costs one line's reading while the oldest is younger.  The order of what is left does not change.
        """
        oldest = next(self.read(), None)
        if oldest is None or oldest.ordered_at >= before:
            return 0
        with self._alone():
            beside = self.path.with_name(f".{FILE}.part")
            dropped = 0
            with os.fdopen(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
                for entry in self.read():
                    if entry.ordered_at < before:
                        dropped += 1
                    else:
                        file.write(msgspec.json.encode(entry) + b"\n")
                file.flush()
                os.fsync(file.fileno())
            with self.path.open("r+b") as old:
                beside.replace(self.path)
                private_files.sync(self.path.parent)
                private_files.blank(old)
        return dropped

    @contextlib.contextmanager
    def _alone(self) -> Iterator[None]:
        """Keep every other process of the node from writing meanwhile."""
        descriptor = os.open(self.path.with_name(_LOCK), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            yield
        finally:
            os.close(descriptor)


def _is_cut(line: bytes) -> bool:
    """Say whether a crash cut a line short behind the hold in it, its last field, whose brace looks like the end."""
    return b'"hold":{' in line and not line.endswith(b"}}\n")
