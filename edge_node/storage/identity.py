"""The node's own keys: a pair that signs what it says, and one that others seal to.

They are drawn once, when the node is set up, and lie as the key provider keeps its files: one file of mode 0600 at each
of the two key places, each enough by itself.  A node's name and address stand on paper; these keys are what the roster
knows it by.
"""

from collections.abc import Sequence
from pathlib import Path

import msgspec

from shared import private_files
from shared.crypto.hpke import SealingKey, sealing_fingerprint
from shared.crypto.signing import SigningKeys, fingerprint, in_groups
from shared.entropy import Entropy
from shared.errors.trust import KeyFileInvalid
from shared.key_files import create_program_keys, open_program_keys
from shared.wire import NodeKeys

FILE = "node-identity.json"
_BYTES_MAX = 64 * 1024


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

    Where a file is there and none is whole, ``KeyFileInvalid``: keys are never replaced in silence.
    """
    files = [place / FILE for place in places]
    for file in files:
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    if not any(file.exists() for file in files):
        part = files[0].with_suffix(".part")
        part.unlink(missing_ok=True)
        create_program_keys(part, entropy)
        part.rename(files[0])
    whole, identity = _first_whole(files)
    for file in files:
        if not file.exists():
            private_files.replace(file, private_files.read(whole, bytes_max=_BYTES_MAX, private=True))
    return identity


def load_identity(places: Sequence[Path]) -> NodeIdentity:
    """Give the node's keys from the first place that has them whole; ``KeyFileInvalid`` where none has."""
    return _first_whole([place / FILE for place in places])[1]


def _first_whole(files: Sequence[Path]) -> tuple[Path, NodeIdentity]:
    """Open the first file that is whole."""
    reasons: list[KeyFileInvalid] = []
    for file in files:
        try:
            keys = open_program_keys(file)
        except KeyFileInvalid as error:
            reasons.append(error)
            continue
        return file, NodeIdentity(keys.signing, keys.sealing)
    raise reasons[0]
