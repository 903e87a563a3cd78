"""Seal content and wrap keys with AES-256-GCM (NIST SP 800-38D), bound to the place where they lie.

A sealed value is ``nonce (12) || ciphertext || tag (16)``.  Nonces are random 96-bit values: a row key seals
a handful of columns once, a bucket key wraps at most 256 row keys before it is replaced, so the collision
bound of SP 800-38D section 8.3 (2**32 uses of a key) is out of reach.
"""

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from shared.crypto import labels
from shared.errors import SealBroken

KEY_BYTES = 32
NONCE_BYTES = 12
OVERHEAD_BYTES = NONCE_BYTES + 16
"""How much longer a sealed value is than what it holds."""


class Cipher:
    """A key, ready for use.  Holds the key in memory for as long as it lives; never printed."""

    __slots__ = ("_aead",)

    def __init__(self, key: bytes) -> None:
        """Take a 32-byte key; another length is a fault of the program."""
        if len(key) != KEY_BYTES:
            raise ValueError("a key has 32 bytes")
        self._aead = AESGCM(key)

    def seal(self, plain: bytes, place: bytes, nonce: bytes) -> bytes:
        """Seal ``plain`` for ``place`` under a fresh ``nonce`` of 12 bytes."""
        return nonce + self._aead.encrypt(nonce, plain, place)

    def open(self, sealed: bytes, place: bytes) -> bytes:
        """Give back what was sealed for ``place``; anything else raises ``SealBroken``."""
        if len(sealed) < OVERHEAD_BYTES:
            raise SealBroken
        try:
            return self._aead.decrypt(sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], place)
        except InvalidTag:
            raise SealBroken from None


def seal_once(key: bytes, nonce: bytes, plain: bytes, place: bytes) -> bytes:
    """Seal under a key that is used for this one value: the hot path, without keeping a cipher."""
    return nonce + AESGCM(key).encrypt(nonce, plain, place)


def content_place(region: str, pseudonym: str, table: str, column: str, row: int) -> bytes:
    """Name the place of a sealed column.

    The parts are slugs, hex, names of tables and an integer: none can hold the separator, so two places
    never share a name.
    """
    return b"%b%d" % (content_table(region, pseudonym, table, column), row)


def content_table(region: str, pseudonym: str, table: str, column: str) -> bytes:
    """Give what the places of one pseudonym's rows in a column have in common; the row's number follows."""
    return b"%b\0%b\0%b\0%b\0%b\0" % (
        labels.CONTENT,
        region.encode(),
        pseudonym.encode(),
        table.encode(),
        column.encode(),
    )


def chunk_place(place: bytes, header: bytes, number: int, *, last: bool) -> bytes:
    """Name the place of one chunk of a file: its column's place, the file's header (8 bytes), number, and if last.

    A column holds either a value or chunks, so the longer name is never that of another value.
    """
    return b"%b\0%b\0%d\0%d" % (place, header, number, last)


def key_place(label: bytes, owner: str, item: int, version: int) -> bytes:
    """Name the place of a wrapped key: whose it is, which one, and the version of the key that wraps it."""
    return b"%b\0%b\0%d\0%d" % (label, owner.encode(), item, version)


def key_owner(label: bytes, owner: str) -> bytes:
    """Give what the places of one owner's wrapped keys have in common; number, NUL and version follow."""
    return b"%b\0%b\0" % (label, owner.encode())
