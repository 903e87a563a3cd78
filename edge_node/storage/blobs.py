"""Files that belong to derivatives: one each, sealed in chunks while it is written, taken up again after a crash.

``blobs/xx/<name>``; the name is drawn and says nothing.  A file is a header and chunks of 64 KiB (the last may be
shorter, or empty), each ``nonce || ciphertext || tag`` under the derivative's own row key.  A chunk is bound to its
derivative's place, its number and whether it is the last, so that nothing opens that was cut, reordered, exchanged,
lengthened or moved.  Nonces are random: a file that is taken up again seals a number anew, with other bytes perhaps,
where a counter would repeat a nonce; 2**20 chunks of 64 GiB are far from where random ones meet (NIST SP 800-38D 8.3).

What is not whole is ``<name>.part``, of the same sealed form: nothing of a file ever lies on the disk in plain.
Everything here blocks; callers on an event loop use threads.
"""

import fcntl
import hashlib
import os
import threading
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from shared import private_files
from shared.crypto import OVERHEAD_BYTES, Cipher, chunk_place
from shared.crypto.sealing import NONCE_BYTES
from shared.entropy import Entropy
from shared.errors import SealBroken
from shared.errors.media import BlobBroken, BlobBusy, BlobUnwritable
from shared.ids import draw_opaque_id

FOLDER = "blobs"
HEADER = b"HPBLOB01"
"""What it is, and the version of this form; every chunk is bound to it."""
CHUNK_BYTES = 64 * 1024
HEAD_BYTES = 64
"""So much of a file's beginning is kept at hand, to tell what it is."""
_SEALED = CHUNK_BYTES + OVERHEAD_BYTES
REMOVED = "removed"
"""Reason of an error: the file was let go while it was written."""
_PART = ".part"


class BlobKey(NamedTuple):
    """What seals the chunks of one file: its derivative's row key and place."""

    cipher: Cipher
    place: bytes

    def seal(self, number: int, plain: bytes, nonce: bytes, *, last: bool) -> bytes:
        """Seal one chunk."""
        return self.cipher.seal(plain, chunk_place(self.place, HEADER, number, last=last), nonce)

    def open(self, number: int, sealed: bytes, *, last: bool) -> bytes:
        """Open one chunk; ``SealBroken`` where it is another's, another number's, or not the last as it must be."""
        return self.cipher.open(sealed, chunk_place(self.place, HEADER, number, last=last))


class BlobStore:
    """The folder of files."""

    def __init__(self, folder: Path, entropy: Entropy) -> None:
        """Take the folder below ``data_dir``; it is made when the first file is."""
        self.folder = folder
        self._entropy = entropy

    def draw_name(self) -> str:
        """Draw a name for a new file."""
        return draw_opaque_id(self._entropy)

    def path(self, name: str) -> Path:
        """Say where a whole file lies."""
        return self.folder / name[:2] / name

    def part(self, name: str) -> Path:
        """Say where a file lies that is not whole."""
        return self.folder / name[:2] / f"{name}{_PART}"

    def write(self, name: str, key: BlobKey) -> "BlobWriter":
        """Begin a file, or take it up behind the last chunk that opens.

        ``BlobBusy`` where another process writes it, ``BlobUnwritable`` where the folder does not take it.
        """
        try:
            for folder in (self.folder, self.path(name).parent):
                if not folder.exists():
                    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
                    private_files.sync(folder.parent)
            return BlobWriter(self.path(name), self.part(name), key, self._entropy)
        except BlockingIOError:
            raise BlobBusy from None
        except OSError as error:
            raise BlobUnwritable(cause=type(error).__name__) from None

    def read(self, name: str, key: BlobKey, size: int, first: int = 0, count: int | None = None) -> Iterator[bytes]:
        """Give ``count`` chunks (all) of a file of ``size`` plain bytes from chunk ``first`` on, opened one by one.

        ``BlobBroken`` where the file is not there, or is not what was sealed; every chunk given before was.
        """
        chunks = chunks_of(size)
        end = chunks if count is None else min(chunks, first + count)
        try:
            with self.path(name).open("rb") as file:
                whole = len(HEADER) + size + chunks * OVERHEAD_BYTES
                if os.fstat(file.fileno()).st_size != whole or file.read(len(HEADER)) != HEADER:
                    raise BlobBroken(reason="size_or_header")
                file.seek(len(HEADER) + first * _SEALED)
                for number in range(first, end):
                    yield key.open(number, file.read(_SEALED), last=number == chunks - 1)
        except FileNotFoundError:
            raise BlobBroken(reason="missing") from None
        except SealBroken:
            raise BlobBroken(reason="chunk") from None

    def remove(self, names: Iterable[str]) -> None:
        """Remove files and parts, and make that durable; what is not there is removed already.

        The part goes first: a writer that finishes at this moment then either finds nothing to rename, or has renamed
        before the whole file is looked for.  ``BlobUnwritable`` where the folder lets nothing go.
        """
        folders = set()
        try:
            for name in names:
                for path in (self.part(name), self.path(name)):
                    with suppress(FileNotFoundError):
                        path.unlink()
                        folders.add(path.parent)
            for folder in folders:
                private_files.sync(folder)
        except OSError as error:
            raise BlobUnwritable(cause=type(error).__name__) from None

    def listed(self, prefix: str) -> dict[str, int]:
        """Give the files of one folder: name (without ``.part``), and when it was last written (ms)."""
        found: dict[str, int] = {}
        with suppress(FileNotFoundError), os.scandir(self.folder / prefix) as entries:
            for entry in entries:
                with suppress(FileNotFoundError):
                    at = entry.stat(follow_symlinks=False).st_mtime_ns // 1_000_000
                    name = entry.name.removesuffix(_PART)
                    found[name] = max(at, found.get(name, 0))
        return found


class BlobWriter:
    """Writes one file; holds at most one chunk that is not sealed yet.  Close it, whatever happens."""

    def __init__(self, path: Path, part: Path, key: BlobKey, entropy: Entropy) -> None:
        """Open the part, or the whole file where a crash came right after it was renamed, and verify what is there."""
        self._path, self._part, self._key, self._entropy = path, part, key, entropy
        # Held while the file is used: whoever gives up waiting for a thread must not close the file under it.
        self._lock = threading.Lock()
        self._renamed = path.exists()
        flags = os.O_RDWR | os.O_NOFOLLOW | os.O_CLOEXEC | (0 if self._renamed else os.O_CREAT)
        self._file = os.fdopen(os.open(path if self._renamed else part, flags, 0o600), "r+b", buffering=0)
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            self._begin()
            self._verify()
        except BaseException:  # whatever it was, nobody else will close the file
            self._file.close()
            raise

    def _begin(self) -> None:
        """Know of nothing written."""
        self._number = 0
        self._rest = bytearray()
        self.head = b""
        self.size = 0
        """Plain bytes taken; after a take-up those that are safe."""
        self.digest = hashlib.sha256()
        self.whole = False
        """Whether the last chunk is there: nothing more can be written."""

    def _verify(self) -> None:
        """Open what is there, chunk by chunk, and cut off what does not open: a write that a crash broke off."""
        good = len(HEADER)
        if self._file.read(len(HEADER)) == HEADER:
            while not self.whole and (sealed := self._file.read(_SEALED)):
                try:
                    plain = self._open(sealed)
                except SealBroken:
                    break
                self._take(plain)
                self._number += 1
                good += len(sealed)
        else:
            self._file.seek(0)
            self._file.write(HEADER)
        self._file.truncate(good)
        self._file.seek(good)

    def _open(self, sealed: bytes) -> bytes:
        """Open the next chunk as one in between, else as the last."""
        if len(sealed) == _SEALED:
            with suppress(SealBroken):
                return self._key.open(self._number, sealed, last=False)
        plain = self._key.open(self._number, sealed, last=True)
        self.whole = True
        return plain

    def _take(self, plain: bytes | bytearray) -> None:
        """Count bytes in."""
        if len(self.head) < HEAD_BYTES:
            self.head = (self.head + plain[:HEAD_BYTES])[:HEAD_BYTES]
        self.size += len(plain)
        self.digest.update(plain)

    def write(self, data: bytes | bytearray) -> None:
        """Take more bytes; whole chunks are sealed and written."""
        with self._lock:
            if self.whole:
                raise ValueError("the file is whole")
            self._take(data)
            self._rest += data
            done = 0
            while len(self._rest) - done > CHUNK_BYTES:  # one chunk stays back: it may be the last
                self._put(bytes(self._rest[done : done + CHUNK_BYTES]), last=False)
                done += CHUNK_BYTES
            del self._rest[:done]

    def restart(self) -> None:
        """Throw away what is written: the file is sent from its beginning."""
        with self._lock:
            self._file.truncate(len(HEADER))
            self._file.seek(len(HEADER))
            self._begin()

    def finish(self) -> None:
        """Write the last chunk, sync, and give the file its name; ``BlobBroken`` where it was removed meanwhile."""
        try:
            with self._lock:
                self._finish()
        except FileNotFoundError:
            raise BlobBroken(reason=REMOVED) from None
        except OSError as error:
            raise BlobUnwritable(cause=type(error).__name__) from None

    def _finish(self) -> None:
        """Do so, alone."""
        if not self.whole:
            self._put(bytes(self._rest), last=True)
            self._rest.clear()
            self.whole = True
        os.fsync(self._file.fileno())
        if not self._renamed:
            self._part.rename(self._path)
            self._renamed = True
        private_files.sync(self._path.parent)

    def close(self) -> None:
        """Let go of the file; what was written in whole chunks stays for the next attempt."""
        with self._lock:
            self._file.close()

    def _put(self, plain: bytes, *, last: bool) -> None:
        """Seal one chunk and write it."""
        sealed = self._key.seal(self._number, plain, self._entropy.draw(NONCE_BYTES), last=last)
        view = memoryview(sealed)
        try:
            while view:
                view = view[self._file.write(view) or 0 :]
        except OSError as error:
            raise BlobUnwritable(cause=type(error).__name__) from None
        self._number += 1


def chunks_of(size: int) -> int:
    """Say how many chunks a file of ``size`` plain bytes has; an empty one has one."""
    return max(1, -(-size // CHUNK_BYTES))
