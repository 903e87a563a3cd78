"""Content backups: one folder each, with a copy of the content store and of its files, inert without the key store.

``<when>-<id>/`` holds ``manifest.json``, ``content.db`` (SQLite, whatever engine the node runs on) and ``blobs/``.  A
folder is made under another name and renamed when it is whole; a file that the last backup has too is the same file
there (a hard link).  Everything here blocks; callers on an event loop use threads.
"""

import hashlib
import os
import shutil
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from shared import private_files
from shared.clock import Milliseconds
from shared.errors.custody import BackupFailed, BackupInvalid
from shared.wire.types import Digest, OpaqueId, RegionName

MANIFEST, CONTENT, BLOBS = "manifest.json", "content.db", "blobs"
_PART = ".part-"
_BYTES_MAX = 10_000
_BLOCK_BYTES = 1 << 20

Told = Callable[[int], None]
"""Is told how many bytes more are done."""


class Manifest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a backup is."""

    form: Literal[1]
    id: OpaqueId
    region: RegionName
    taken_at: Annotated[int, Meta(ge=0)]
    """When it was begun (ms): nothing that was acknowledged before is missing."""
    content_bytes: Annotated[int, Meta(ge=1)]
    content_sha256: Digest
    files: Annotated[int, Meta(ge=0)]
    files_bytes: Annotated[int, Meta(ge=0)]


class Backup(msgspec.Struct, frozen=True):
    """A backup and where it lies."""

    folder: Path
    manifest: Manifest


class Draft:
    """A backup in the making: fill its folder, then :meth:`finish`; what is not finished is thrown away."""

    def __init__(self, place: Path, backup: str, region: str, taken_at: Milliseconds) -> None:
        """Make the folder; ``BackupFailed`` where that cannot be done."""
        when = datetime.fromtimestamp(taken_at / 1000, UTC)
        name = f"{when:%Y%m%dT%H%M%SZ}-{backup[:8]}"
        self._place, self._whole = place, place / name
        self._id, self._region, self._taken_at = backup, region, taken_at
        self.folder = place / f"{_PART}{name}"
        self.files = self.files_bytes = 0
        try:
            private_files.make_folder(place)
            self.folder.mkdir(mode=0o700)
        except OSError as error:
            raise _failed(place, error) from None

    @property
    def content(self) -> Path:
        """Say where the copy of the content store belongs."""
        return self.folder / CONTENT

    def add_files(self, names: Iterable[str], source: Path, told: Told) -> None:
        """Copy files from the folder of blobs; one that is gone by now was let go meanwhile, and is left out."""
        last = newest(self._place, self._region)
        try:
            for name in names:
                part = Path(name[:2]) / name
                private_files.make_folder(self.folder / BLOBS / name[:2])
                size = _take(source / part, self.folder / BLOBS / part, last.folder / BLOBS / part if last else None)
                if size is not None:
                    self.files, self.files_bytes = self.files + 1, self.files_bytes + size
                    told(size)
        except OSError as error:
            raise _failed(self.folder, error) from None

    def finish(self, told: Told) -> Backup:
        """Write the manifest and give the folder its name."""
        try:
            digest = digest_of(self.content, told)
            manifest = Manifest(
                1,
                self._id,
                self._region,
                self._taken_at,
                self.content.stat().st_size,
                digest,
                self.files,
                self.files_bytes,
            )
            private_files.replace(self.folder / MANIFEST, msgspec.json.format(msgspec.json.encode(manifest)))
            for folder in _folders(self.folder):
                private_files.sync(folder)
            self.folder.rename(self._whole)
            private_files.sync(self._place)
        except OSError as error:
            raise _failed(self.folder, error) from None
        return Backup(self._whole, manifest)

    def discard(self) -> None:
        """Throw away what was not finished."""
        shutil.rmtree(self.folder, ignore_errors=True)


def read(folder: Path, region: str) -> Backup:
    """Read a backup's manifest; ``BackupInvalid`` where it is none, or another region's."""
    try:
        data = private_files.read(folder / MANIFEST, bytes_max=_BYTES_MAX)
        manifest = msgspec.json.decode(data, type=Manifest)
    except OSError as error:
        raise BackupInvalid(path=str(folder), reason=os.strerror(error.errno or 0)) from None
    except msgspec.DecodeError:
        raise BackupInvalid(path=str(folder / MANIFEST), reason="damaged, or written by a later release") from None
    if manifest.region != region:
        raise BackupInvalid(path=str(folder), reason="made for another region")
    return Backup(folder, manifest)


def verify(backup: Backup, told: Told) -> None:
    """Read the copy of the content store; ``BackupInvalid`` where it is not what was written."""
    path, wanted = backup.folder / CONTENT, backup.manifest.content_sha256
    try:
        if path.stat().st_size == backup.manifest.content_bytes and digest_of(path, told) == wanted:
            return
    except OSError as error:
        raise BackupInvalid(path=str(path), reason=os.strerror(error.errno or 0)) from None
    raise BackupInvalid(path=str(path), reason="damaged")


def all_of(place: Path, region: str) -> list[Backup]:
    """Give the whole backups of a region in a folder, the oldest first."""
    found = []
    if place.is_dir():
        for folder in place.iterdir():
            if (
                folder.is_dir()
                and not folder.is_symlink()
                and not folder.name.startswith(".")
                and (folder / MANIFEST).exists()
            ):
                try:
                    found.append(read(folder, region))
                except BackupInvalid:
                    continue
    return sorted(found, key=lambda each: (each.manifest.taken_at, each.folder.name))


def newest(place: Path, region: str) -> Backup | None:
    """Give the newest whole backup of a region in a folder."""
    return next(reversed(all_of(place, region)), None)


def prune(place: Path, region: str, before: Milliseconds) -> list[str]:
    """Remove backups that were taken before an instant, and what was never finished then; give their names.

    ``BackupFailed`` where one cannot be removed.
    """
    old = [each.folder for each in all_of(place, region) if each.manifest.taken_at < before]
    if place.is_dir():
        parts = [each for each in place.iterdir() if each.name.startswith(_PART) and not each.is_symlink()]
        old += [each for each in parts if each.is_dir() and each.stat().st_mtime * 1000 < before]
    for folder in old:
        try:
            shutil.rmtree(folder)
        except OSError as error:
            raise BackupFailed(path=str(folder), reason=f"not removed: {os.strerror(error.errno or 0)}") from None
    return [folder.name for folder in old]


def put_back(backup: Backup, target: Path, told: Told) -> int:
    """Copy a backup's files into a node's folder of blobs; give how many of those that it once had are not there.

    ``OSError`` where one cannot be read or written.
    """
    source, files = backup.folder / BLOBS, 0
    for path in _files(source):
        part = path.relative_to(source)
        private_files.make_folder(target / part.parent)
        told(_take(path, target / part, None) or 0)
        files += 1
    for folder in _folders(target):
        private_files.sync(folder)
    return max(0, backup.manifest.files - files)


def copy_file(source: Path, target: Path, told: Told) -> None:
    """Copy a file, mode 0600, synced."""
    with source.open("rb") as old:
        target.unlink(missing_ok=True)
        with os.fdopen(os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as new:
            while block := old.read(_BLOCK_BYTES):
                new.write(block)
                told(len(block))
            new.flush()
            os.fsync(new.fileno())


def digest_of(path: Path, told: Told) -> str:
    """Give the SHA-256 of a file in hexadecimal digits."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(_BLOCK_BYTES):
            digest.update(block)
            told(len(block))
    return digest.hexdigest()


def _take(source: Path, target: Path, before: Path | None) -> int | None:
    """Link a file to the same one of the backup before, else copy it; give its size, ``None`` where it is gone."""
    try:
        size = source.stat().st_size
        if before is not None and before.exists() and before.stat().st_size == size:
            os.link(before, target)
        else:
            copy_file(source, target, lambda _: None)
    except FileNotFoundError:
        return None
    return size


def _files(folder: Path) -> Iterator[Path]:
    """Give every file below a folder."""
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            yield path


def _folders(folder: Path) -> Iterator[Path]:
    """Give a folder and every one below it."""
    if folder.is_dir():
        yield folder
        yield from (path for path in folder.rglob("*") if path.is_dir())


def _failed(path: Path, error: OSError) -> BackupFailed:
    """Say why a backup was not written."""
    return BackupFailed(path=str(path), reason=os.strerror(error.errno or 0))
