"""The node's own keys: a pair that signs what it says, and one that others seal to.

They are drawn once, when the node is set up, and lie as the key provider keeps its files: one file of mode 0600 at each
of the two key places, each enough by itself.  A node's name and address may change hands on paper; these keys are what
the roster knows it by.
"""

import os
import stat
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import msgspec

from shared.crypto.hpke import SEED_BYTES as SEALING_SEED_BYTES
from shared.crypto.hpke import SealingKey, sealing_fingerprint
from shared.crypto.signing import SEED_BYTES, SigningKeys, fingerprint, in_groups
from shared.entropy import Entropy
from shared.errors import KeyProviderFailed
from shared.wire import NodeKeys

FILE = "node-identity.key"
_FORM = b"homeport node identity 1\n"
_BYTES = 2 * SEED_BYTES + SEALING_SEED_BYTES


class NodeIdentity(msgspec.Struct, frozen=True):
    """A node's private keys, in memory; never printed."""

    signing: SigningKeys
    sealing: SealingKey

    @property
    def public(self) -> NodeKeys:
        """Give the public halves, as enrolment and roster name them."""
        keys = self.signing.public
        return NodeKeys(keys.ed25519, keys.mldsa65, self.sealing.public)

    @property
    def fingerprint(self) -> str:
        """Give the fingerprint of the signing keys: 64 hexadecimal digits."""
        return fingerprint(self.signing.public)

    def in_words(self) -> tuple[str, str]:
        """Give both fingerprints, signing and sealing, in groups that people can compare."""
        return in_groups(self.fingerprint), in_groups(sealing_fingerprint(self.sealing.public))

    def __repr__(self) -> str:
        """Show nothing of the keys."""
        return "NodeIdentity()"


def ensure_identity(places: Sequence[Path], entropy: Entropy) -> NodeIdentity:
    """Give the node's keys, drawing them where no place has any; a place that lacks the file is given a copy.

    A file that is there but damaged at every place is ``KeyProviderFailed``: keys are never replaced in silence.
    """
    files = [place / FILE for place in places]
    if any(file.exists() for file in files):
        data = _read(files)
    else:
        data = _FORM + entropy.draw(_BYTES)
    for file in files:
        if not file.exists():
            file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            _write_new(file, data)
    return _identity(data)


def load_identity(places: Sequence[Path]) -> NodeIdentity:
    """Give the node's keys from the first place that has them whole; ``KeyProviderFailed`` where none has."""
    return _identity(_read([place / FILE for place in places]))


def _identity(data: bytes) -> NodeIdentity:
    """Make keys of their seeds."""
    seeds = data[len(_FORM) :]
    return NodeIdentity(
        SigningKeys(seeds[:SEED_BYTES], seeds[SEED_BYTES : 2 * SEED_BYTES]), SealingKey(seeds[2 * SEED_BYTES :])
    )


def _read(files: Sequence[Path]) -> bytes:
    """Read the first file that is whole and private."""
    for file in files:
        with suppress(OSError):
            if stat.S_IMODE(file.stat().st_mode) & 0o077:
                raise KeyProviderFailed(path=str(file), reason="others may read it: chmod 600")
            data = file.read_bytes()
            if data.startswith(_FORM) and len(data) == len(_FORM) + _BYTES:
                return data
    raise KeyProviderFailed(path=str(files[0]), reason="missing or damaged at every place: homeport edge init makes it")


def _write_new(path: Path, data: bytes) -> None:
    """Write a file that must not exist yet, whole or not at all, for this account only, synced with its folder."""
    part = path.with_suffix(".part")
    part.unlink(missing_ok=True)
    descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        os.write(descriptor, data)
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    os.link(part, path)
    part.unlink()
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
