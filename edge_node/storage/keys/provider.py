"""The key provider: the region key and the epoch keys, which never lie in a store.

``file`` keeps both as files at two places of the region, ``pkcs11`` keeps them in one or two tokens of a hardware
security module.  Either way an epoch key lies sealed under the region key, and a running node holds it in memory.
"""

from typing import Literal, Protocol

from shared.crypto import KEY_BYTES, Cipher
from shared.entropy import Entropy
from shared.errors import KeyProviderFailed

EpochVersion = int

Promise = Literal["file_deleted", "token_destroyed"]
"""How good a destroyed epoch key's destruction is: its files were overwritten and deleted (copies of a disk may still
hold them); or its objects were destroyed in the token, whose region key never left it."""


class KeyProvider(Protocol):
    """Where the keys above the key store live.  Calls may block; all raise ``KeyProviderFailed``."""

    promise: Promise

    def create(self, region: str) -> None:
        """Draw the region key where there is none yet; one that is there but damaged is not replaced."""
        ...

    def put_epoch(self, region: str, version: EpochVersion, key: bytes) -> None:
        """Keep an epoch key (32 bytes) at every place; it is read back.  Repeating it changes nothing."""
        ...

    def find_epoch(self, region: str, version: EpochVersion) -> bytes | None:
        """Give an epoch key from the first place that has it whole; ``None`` where no place has any of it."""
        ...

    def destroy_epoch(self, region: str, version: EpochVersion) -> None:
        """Destroy an epoch key at every place and read its absence back; refuses while a place is away."""
        ...

    def rotate(self, region: str, versions: tuple[EpochVersion, ...]) -> None:
        """Draw a new region key, seal the epoch keys of ``versions`` under it, destroy the old one.

        A rotation that was cut short goes on where it stood; meanwhile every epoch key can be read.  A place that is
        there and empty, as a new disk or token is, gets its keys from the other one.
        """
        ...

    def places(self, region: str, version: EpochVersion) -> list[tuple[str, str | None]]:
        """Give each place, in words, and what is wrong with it now, ``None`` where it is enough by itself.

        ``version`` is the current epoch: a place that lacks its key is none.
        """
        ...


def ensure_epoch(provider: KeyProvider, region: str, version: EpochVersion, entropy: Entropy) -> bytes:
    """Give the epoch key of ``version``, drawn now where no place has one; whole at every place on return."""
    found = provider.find_epoch(region, version)
    key = entropy.draw(KEY_BYTES) if found is None else found
    provider.put_epoch(region, version, key)
    return key


def epoch_cipher(provider: KeyProvider, region: str, version: EpochVersion) -> Cipher:
    """Give an epoch key ready for use; ``KeyProviderFailed`` where no place has it."""
    found = provider.find_epoch(region, version)
    if found is None:
        raise KeyProviderFailed(reason="no place has this epoch key", version=version)
    return Cipher(found)
