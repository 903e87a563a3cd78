"""Keyed blind indexes: find a row by an identifier without storing the identifier.

Keyed BLAKE2b (RFC 7693 section 2.9) with the purpose as personalisation, 128 bits.  Whoever holds the key can
test a guess, so the keys stay in the region, wrapped by the epoch key; to everyone else the index is noise.
"""

import hashlib

import msgspec

from shared.crypto import labels

_encode = msgspec.msgpack.Encoder().encode

MARK_BYTES = 16
"""Length of an index: 128 bits keep accidental collisions out of reach for any number of messages."""


def pack(parts: tuple[str, ...]) -> bytes:
    """Write ``parts`` as one MessagePack array, so that ``("ab", "c")`` is not ``("a", "bc")``."""
    return _encode(parts)


class BlindIndex:
    """One purpose's index under one version of its key."""

    __slots__ = ("_person", "_template", "version")

    def __init__(self, purpose: str, version: int, key: bytes) -> None:
        """Take the purpose (a name in ``labels.BLIND``), the key's version and its 32 bytes."""
        self.version = version
        self._person = labels.BLIND[purpose]
        self._template = hashlib.blake2b(key=key, digest_size=MARK_BYTES, person=self._person)

    def of(self, *parts: str) -> bytes:
        """Give the index of ``parts``."""
        return self.of_packed(pack(parts))

    def of_packed(self, packed: bytes) -> bytes:
        """Give the index of what :func:`pack` gave: for one name that several indexes are computed of."""
        digest = self._template.copy()
        digest.update(packed)
        return digest.digest()
