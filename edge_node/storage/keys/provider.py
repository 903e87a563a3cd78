"""The key provider: the region key and the epoch keys, which never lie in a store.

``FileProvider`` keeps the region key and every epoch key (wrapped by the region key) as files of mode 0600 at two
places of the region.  Destruction is then no better than deleting a file, and a node with this provider says so.
A provider that can do better (PKCS#11) implements the same protocol.
"""

import os
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Protocol

from shared.crypto import KEY_BYTES, NONCE_BYTES, Cipher, key_place
from shared.crypto.labels import EPOCH_KEY
from shared.entropy import Entropy
from shared.errors import KeyProviderFailed, SealBroken

EpochVersion = int


class KeyProvider(Protocol):
    """Where the keys above the key store live."""

    def create(self, region: str, entropy: Entropy) -> EpochVersion:
        """Draw the region key and the first epoch key; give that epoch's version.  Refuses where keys exist."""
        ...

    def epoch(self, region: str, version: EpochVersion) -> Cipher:
        """Give the epoch key of ``version``; ``KeyProviderFailed`` where it is not to be had."""
        ...


class FileProvider:
    """Keys as files at two places, each enough by itself."""

    def __init__(self, places: Sequence[Path]) -> None:
        """Take the folders; they are made (mode 0700) when keys are created."""
        self._places = tuple(places)

    def create(self, region: str, entropy: Entropy) -> EpochVersion:
        """Draw the region key and the first epoch key, write both at every place, and read them back.

        Keys that a set-up cut short has left are taken up again, and completed at every place; damaged ones are not
        replaced.
        """
        for place in self._places:
            place.mkdir(mode=0o700, parents=True, exist_ok=True)
        region_key = self._found("region.key", _whole_key) or entropy.draw(KEY_BYTES)
        version = 1
        wrapped = self._found(_epoch_file(version), lambda data: _opened(region_key, data, _place(region, version)))
        if wrapped is None:
            epoch_key = entropy.draw(KEY_BYTES)
            wrapped = Cipher(region_key).seal(epoch_key, _place(region, version), entropy.draw(NONCE_BYTES))
        for place in self._places:
            _write_once(place / "region.key", region_key)
            _write_once(place / _epoch_file(version), wrapped)
        self.epoch(region, version)
        return version

    def epoch(self, region: str, version: EpochVersion) -> Cipher:
        """Give the epoch key of ``version`` from the first place that has it whole."""
        region_key = self._read("region.key", _whole_key)
        place = _place(region, version)
        return Cipher(self._read(_epoch_file(version), lambda data: _opened(region_key, data, place)))

    def _read(self, name: str, accept: Callable[[bytes], bytes | None]) -> bytes:
        """Give what ``accept`` makes of the first place's file that it accepts."""
        for place in self._places:
            with suppress(OSError):
                found = accept((place / name).read_bytes())
                if found is not None:
                    return found
        raise KeyProviderFailed(path=str(self._places[0] / name), reason="missing or damaged at every place")

    def _found(self, name: str, accept: Callable[[bytes], bytes | None]) -> bytes | None:
        """Give the first place's file that ``accept`` accepts, as it is; ``None`` where no place has one at all."""
        if not any((place / name).exists() for place in self._places):
            return None
        return self._read(name, lambda data: data if accept(data) is not None else None)


def _whole_key(data: bytes) -> bytes | None:
    """Give a key if it is whole."""
    return data if len(data) == KEY_BYTES else None


def _opened(key: bytes, wrapped: bytes, place: bytes) -> bytes | None:
    """Give what opens under ``key``, else ``None``."""
    with suppress(SealBroken):
        return Cipher(key).open(wrapped, place)
    return None


def _epoch_file(version: EpochVersion) -> str:
    """Name an epoch key's file."""
    return f"epoch-{version}.key"


def _place(region: str, version: EpochVersion) -> bytes:
    """Name the place of a wrapped epoch key: region and epoch."""
    return key_place(EPOCH_KEY, region, version, 1)


def _write_once(path: Path, data: bytes) -> None:
    """Write a file that is not there yet, for this account only, whole or not at all, synced with its folder."""
    if path.exists():
        return
    draft = path.with_suffix(".new")
    draft.unlink(missing_ok=True)
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        os.write(descriptor, data)
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    draft.rename(path)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
