"""The escrow's half at the node: every living epoch key sealed to a key that m of n people hold in shares.

``recovery_dir`` holds ``escrow.json`` (the public key, how many shares there are and how many are needed) and one file
for each living epoch.  A region that loses its key provider draws new region keys, and gets its epochs back from here.
An epoch that is destroyed is destroyed here, too: until then its end does not count.  The private key never touches a
disk; it exists while shares are made, drilled or used.

A second escrow replaces the first at once or not at all: every epoch is sealed to it beside what counts
(``epoch-1.sealed.next``), then ``escrow.json`` changes, then what was sealed to the first is overwritten.  Whenever
that is cut short, the shares of whichever escrow stands in ``escrow.json`` open every epoch.
"""

import os
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from shared import private_files
from shared.crypto.escrow import MEMBERS_MAX, open_escrow
from shared.crypto.hpke import SealingPublic, seal_to, sealing_fingerprint
from shared.crypto.labels import HPKE_EPOCH
from shared.errors import SealBroken
from shared.errors.custody import EscrowInvalid

_FILE = "escrow.json"
_NAME = re.compile(r"epoch-([0-9]+)\.sealed(?:\.next)?")
_BYTES_MAX = 64 * 1024


class Escrow(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What everybody may know of an escrow."""

    format: Literal["homeport-escrow-1"] = "homeport-escrow-1"
    region: str
    public: SealingPublic
    needed: Annotated[int, Meta(ge=1, le=MEMBERS_MAX)]
    shares: Annotated[int, Meta(ge=1, le=MEMBERS_MAX)]
    created_at: int

    @property
    def fingerprint(self) -> str:
        """Give the fingerprint of the public key, by which shares are known to belong to it."""
        return sealing_fingerprint(self.public)


class Recovery:
    """The folder of an escrow."""

    def __init__(self, folder: Path, region: str) -> None:
        """Take the folder and the region whose epochs lie there."""
        self._folder = folder
        self._region = region

    def load(self) -> Escrow | None:
        """Give the escrow, ``None`` where none was made; ``EscrowInvalid`` where the folder is away or damaged."""
        try:
            private_files.look_into(self._folder)
            data = private_files.read(self._folder / _FILE, bytes_max=_BYTES_MAX)
        except FileNotFoundError:
            if self._folder.is_dir():
                return None
            raise EscrowInvalid(path=str(self._folder), reason="the folder is missing") from None
        except OSError as error:
            raise EscrowInvalid(path=str(self._folder), reason=os.strerror(error.errno or 0)) from None
        try:
            found = msgspec.json.decode(data, type=Escrow)
        except msgspec.DecodeError:
            raise EscrowInvalid(path=str(self._folder / _FILE), reason="damaged") from None
        if found.region != self._region:
            raise EscrowInvalid(path=str(self._folder / _FILE), reason="made for another region")
        return found

    def replace(self, escrow: Escrow, keys: Mapping[int, bytes]) -> None:
        """Make an escrow the one that counts, with every living epoch (version, key) sealed to it and to no other."""
        with self._told():
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            for version, key in keys.items():
                private_files.replace(self._next(version), self._seal(escrow, version, key))
            private_files.replace(self._folder / _FILE, msgspec.json.encode(escrow))
            for version in self.versions():
                if version in keys:
                    private_files.move(self._next(version), self._path(version))
                    private_files.erase_remains(self._path(version))
                else:
                    self.destroy(version)
            private_files.erase_remains(self._folder / _FILE)

    def keep(self, escrow: Escrow, version: int, key: bytes) -> None:
        """Seal an epoch key to the escrow that counts."""
        with self._told():
            private_files.replace(self._path(version), self._seal(escrow, version, key))

    def open(self, shares: list[str], version: int) -> bytes:
        """Open an epoch key with enough shares; ``EscrowInvalid`` where they are too few, wrong, or another's."""
        escrow = self.load()
        if escrow is None:
            raise EscrowInvalid(path=str(self._folder), reason="no escrow was made")
        key = open_escrow(shares)
        if key.public != escrow.public:
            raise EscrowInvalid(reason="the shares are of another escrow, made before or elsewhere")
        for path in (self._path(version), self._next(version)):
            with suppress(OSError, SealBroken):
                sealed = private_files.read(path, bytes_max=_BYTES_MAX)
                return key.open(sealed, HPKE_EPOCH, self._region, str(version))
        raise EscrowInvalid(path=str(self._path(version)), reason="missing or damaged")

    def versions(self) -> list[int]:
        """Give the epochs that lie here."""
        with self._told():
            found = [_NAME.fullmatch(path.name) for path in self._folder.iterdir()]
        return sorted({int(each[1]) for each in found if each})

    def destroy(self, version: int) -> None:
        """Overwrite and delete an epoch's files, and see them gone; ``EscrowInvalid`` if the folder is away."""
        for path in (self._path(version), self._next(version)):
            with self._told():
                private_files.look_into(self._folder)
                private_files.erase(path)
                left = path.exists()
            if left:
                raise EscrowInvalid(path=str(path), reason="still there after it was deleted")

    def _seal(self, escrow: Escrow, version: int, key: bytes) -> bytes:
        """Seal an epoch key to an escrow."""
        return seal_to(escrow.public, key, HPKE_EPOCH, self._region, str(version))

    def _path(self, version: int) -> Path:
        """Name an epoch's file."""
        return self._folder / f"epoch-{version}.sealed"

    def _next(self, version: int) -> Path:
        """Name the file of an epoch sealed to an escrow that is about to count."""
        return self._folder / f"epoch-{version}.sealed.next"

    @contextmanager
    def _told(self) -> Iterator[None]:
        """Name the folder where the system refuses."""
        try:
            yield
        except OSError as error:
            raise EscrowInvalid(path=str(self._folder), reason=os.strerror(error.errno or 0)) from None
