"""Files that only their owner may read: written whole or not at all, synced, and refused when open to others."""

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

_MODE = 0o600
_OTHERS = 0o077
_BLOCK_BYTES = 1 << 20


def write_new(path: Path, data: bytes) -> None:
    """Write a file that must not exist yet (``FileExistsError``), mode 0600, synced with its folder.

    It is there whole or not at all: half a key would be in the way of the whole one for ever.
    """
    if os.path.lexists(path):
        raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(path))
    with _written_beside(path, data) as beside:
        try:
            os.link(beside, path)
        except FileExistsError:
            raise
        except OSError:  # a file system without hard links: claim the name, then take it
            os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, _MODE))
            beside.replace(path)
    sync(path.parent)


def replace(path: Path, data: bytes) -> None:
    """Write a file in the place of what is there: a reader sees the old bytes or the new ones, never a part."""
    with _written_beside(path, data) as beside:
        beside.replace(path)
    sync(path.parent)


def make_folder(path: Path) -> None:
    """Make a folder, and those above it that are not there, mode 0700: ``mkdir`` leaves those to the umask."""
    for folder in (*reversed(path.parents), path):
        if not folder.exists():
            folder.mkdir(mode=0o700, exist_ok=True)


def look_into(folder: Path) -> None:
    """Raise ``OSError`` where a folder is not there: a disk that is not mounted must not count as an empty one."""
    list(folder.iterdir())


def overwrite(path: Path) -> None:
    """Write zeros over a file where it lies; file systems and disks may keep copies all the same."""
    with suppress(FileNotFoundError), path.open("r+b") as file:
        blank(file)


def blank(file: BinaryIO) -> None:
    """Write zeros over everything an open file holds."""
    left = file.seek(0, os.SEEK_END)
    file.seek(0)
    while left:
        left -= file.write(bytes(min(left, _BLOCK_BYTES)))
    file.flush()
    os.fsync(file.fileno())


def erase(path: Path) -> None:
    """Overwrite a file and delete it durably, and what a death in :func:`replace` left of it; gone is gone."""
    for each in (path, *remains(path)):
        overwrite(each)
        each.unlink(missing_ok=True)
    sync(path.parent)


def erase_remains(path: Path) -> None:
    """Erase what a death in :func:`replace` left beside a file; for files of which one process writes at a time."""
    for each in remains(path):
        erase(each)


def remains(path: Path) -> list[Path]:
    """Give what was written for :func:`replace` and never came to stand in the file's place."""
    return sorted(each for each in path.parent.iterdir() if each.name.startswith(f".{path.name}."))


def move(source: Path, target: Path) -> None:
    """Let a file stand in the place of another, which is overwritten first; durable on return."""
    overwrite(target)
    source.replace(target)
    sync(target.parent)


def read(path: Path, *, bytes_max: int, private: bool = False) -> bytes:
    """Read a file; ``OSError`` where it is larger than ``bytes_max``, or open to others though it is ``private``."""
    with path.open("rb") as file:
        if private and os.fstat(file.fileno()).st_mode & _OTHERS:
            raise PermissionError("open to others")
        data = file.read(bytes_max + 1)
    if len(data) > bytes_max:
        raise OSError("larger than such a file can be")
    return data


@contextmanager
def _written_beside(path: Path, data: bytes) -> Iterator[Path]:
    """Write everything beside its place, synced; what is left of it when the block ends goes."""
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, _MODE)
    try:
        _fill(descriptor, data)
        yield beside
    finally:
        beside.unlink(missing_ok=True)


def _fill(descriptor: int, data: bytes) -> None:
    """Write everything, sync, close."""
    with os.fdopen(descriptor, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def sync(path: Path) -> None:
    """Make a file, or the names in a folder, durable."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
