"""Key provider ``file``: region key and epoch keys as files of mode 0600 at two places, each enough by itself.

Destruction is then no better than overwriting and deleting a file, and a node with this provider says so.  Epoch keys
lie sealed under the region key.  While the region key is exchanged, ``region-next.key`` stands beside it: an epoch key
opens under either, and whoever finds it there later finishes the exchange.
"""

import os
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from edge_node.storage.keys.provider import EpochVersion, Promise
from shared import private_files
from shared.crypto import KEY_BYTES, NONCE_BYTES, Cipher, key_place
from shared.crypto.labels import EPOCH_KEY
from shared.entropy import Entropy
from shared.errors import KeyProviderFailed, SealBroken

_REGION, _NEXT = "region.key", "region-next.key"
_BYTES_MAX = 1024
_NO_FOLDER = "the folder is missing"


class FileProvider:
    """Keys as files at two places."""

    promise: Promise = "file_deleted"

    def __init__(self, places: Sequence[Path], entropy: Entropy) -> None:
        """Take the folders; they are made (mode 0700) when keys are created."""
        self._places = tuple(places)
        self._entropy = entropy

    def create(self, region: str) -> None:
        """Draw the region key and write it at every place; what a set-up cut short has left is completed."""
        del region
        try:
            for place in self._places:
                place.mkdir(mode=0o700, parents=True, exist_ok=True)
            key = self._found(_REGION) or self._entropy.draw(KEY_BYTES)
            for place in self._places:
                if not (place / _REGION).exists():
                    private_files.replace(place / _REGION, key)
        except OSError as error:
            raise KeyProviderFailed(reason=_reason(error)) from None

    def put_epoch(self, region: str, version: EpochVersion, key: bytes) -> None:
        """Write an epoch key, sealed, at every place that lacks it, and read it back from each."""
        for place in self._places:
            try:
                if not (place / _file(version)).exists():
                    self._write(place, region, version, key)
            except OSError as error:
                raise _failed(place, error) from None
        for place in self._places:
            if self._open(place, region, version) != key:
                raise KeyProviderFailed(path=str(place / _file(version)), reason="damaged, or another key's")

    def find_epoch(self, region: str, version: EpochVersion) -> bytes | None:
        """Give an epoch key from the first place that has it whole."""
        if not any((place / _file(version)).exists() for place in self._places):
            return None
        for place in self._places:
            found = self._open(place, region, version)
            if found is not None:
                return found
        raise KeyProviderFailed(path=str(self._places[0] / _file(version)), reason="missing or damaged at every place")

    def destroy_epoch(self, region: str, version: EpochVersion) -> None:
        """Overwrite and delete an epoch key's file at every place; a place that is away could still hold it."""
        del region
        for place in self._places:
            try:
                private_files.look_into(place)
                private_files.erase(place / _file(version))
            except OSError as error:
                raise _failed(place, error) from None
            if (place / _file(version)).exists():
                raise KeyProviderFailed(path=str(place / _file(version)), reason="still there after it was deleted")

    def rotate(self, region: str, versions: tuple[EpochVersion, ...]) -> None:
        """Exchange the region key; every step can be repeated."""
        self._look_into_each()
        try:
            following = self._found(_NEXT) or self._entropy.draw(KEY_BYTES)
            for place in self._places:
                if self._key_at(place / _NEXT) != following:
                    private_files.replace(place / _NEXT, following)
            for version in versions:
                key = self.find_epoch(region, version)
                if key is None:
                    raise KeyProviderFailed(reason="no place has this epoch key", version=version)
                for place in self._places:
                    self._write(place, region, version, key)
                    if self._open(place, region, version) != key:
                        raise KeyProviderFailed(path=str(place / _file(version)), reason="damaged when read back")
            for place in self._places:
                private_files.overwrite(place / _REGION)
                private_files.replace(place / _REGION, following)
                for name in (_REGION, *map(_file, versions)):
                    private_files.erase_remains(place / name)
            for place in self._places:
                private_files.erase(place / _NEXT)
        except OSError as error:
            raise KeyProviderFailed(reason=_reason(error)) from None

    def _look_into_each(self) -> None:
        """Refuse before anything is begun: a folder that is away is no empty one."""
        for place in self._places:
            if not place.is_dir():
                raise KeyProviderFailed(path=str(place), reason=_NO_FOLDER)

    def places(self, region: str, version: EpochVersion) -> list[tuple[str, str | None]]:
        """Give the folders, and why one is not enough by itself."""
        return [(str(place), self._ailment(place, region, version)) for place in self._places]

    def _ailment(self, place: Path, region: str, version: EpochVersion) -> str | None:
        """Say what is wrong with a place."""
        if not place.is_dir():
            return _NO_FOLDER
        if place.stat().st_mode & 0o077:
            return "others may look into the folder: chmod 700"
        if (place / _NEXT).exists():
            return "an exchange of the region key was cut short: homeport edge keys rotate"
        try:
            key = private_files.read(place / _REGION, bytes_max=_BYTES_MAX, private=True)
        except FileNotFoundError:
            return "the region key is missing"
        except OSError as error:
            return f"the region key cannot be read: {_reason(error)}"
        if not _is_whole(key):
            return "the region key is damaged"
        if self._open(place, region, version, beside=(place,)) is None:
            return f"the key of epoch {version} is missing or damaged"
        return None

    def _write(self, place: Path, region: str, version: EpochVersion, key: bytes) -> None:
        """Seal an epoch key under the region key that will stand at the end, and put it into its file's place."""
        region_key = self._found(_NEXT) or self._found(_REGION)
        if region_key is None:
            raise KeyProviderFailed(path=str(place / _REGION), reason="missing at every place")
        sealed = Cipher(region_key).seal(key, _place(region, version), self._entropy.draw(NONCE_BYTES))
        private_files.replace(place / _file(version), sealed)

    def _open(
        self, place: Path, region: str, version: EpochVersion, beside: Sequence[Path] | None = None
    ) -> bytes | None:
        """Open the epoch key at one place with whichever region key fits; ``None`` where it is missing or damaged.

        The region keys are those at every place, or at the places ``beside``.
        """
        with suppress(OSError):
            sealed = (place / _file(version)).read_bytes()
            for name in (_REGION, _NEXT):
                for each in beside or self._places:
                    with suppress(OSError, SealBroken, ValueError):
                        return Cipher((each / name).read_bytes()).open(sealed, _place(region, version))
        return None

    def _found(self, name: str) -> bytes | None:
        """Give the first place's key that is whole; ``None`` where no place has one at all.

        A next region key of zeros is one whose deletion was cut short, and is none; never is it a key.
        """
        damaged = False
        for place in self._places:
            try:
                found = (place / name).read_bytes()
            except FileNotFoundError:
                continue
            except OSError:
                damaged = True
                continue
            if _is_whole(found):
                return found
            damaged = damaged or name != _NEXT or found != bytes(KEY_BYTES)
        if damaged:
            raise KeyProviderFailed(path=str(self._places[0] / name), reason="missing or damaged at every place")
        return None

    def _key_at(self, path: Path) -> bytes | None:
        """Give a key at one place; ``None`` where it is missing."""
        try:
            return path.read_bytes()
        except FileNotFoundError:
            return None


def _is_whole(key: bytes) -> bool:
    """Say whether these can be a key: as long as one, and not overwritten."""
    return len(key) == KEY_BYTES and any(key)


def _file(version: EpochVersion) -> str:
    """Name an epoch key's file."""
    return f"epoch-{version}.key"


def _place(region: str, version: EpochVersion) -> bytes:
    """Name the place of a wrapped epoch key: region and epoch."""
    return key_place(EPOCH_KEY, region, version, 1)


def _failed(place: Path, error: OSError) -> KeyProviderFailed:
    """Name the place that failed."""
    return KeyProviderFailed(path=str(place), reason=_reason(error))


def _reason(error: OSError) -> str:
    """Give the system's words for an error; one without a number is ``private_files``'s own."""
    if error.errno is None and isinstance(error, PermissionError):
        return "others may read it: chmod 600"
    return os.strerror(error.errno) if error.errno else type(error).__name__
