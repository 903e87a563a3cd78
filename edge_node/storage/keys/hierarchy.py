"""How one key wraps the next: owner under epoch, bucket under owner, row under bucket.  Layout version 1, final.

A wrapped key is bound to its owner's name, its own id and the version of the key that wraps it, so that none can be
put in another's place and none wrapped by an outdated key is taken for a current one.
"""

from collections.abc import Sequence
from typing import Literal

import msgspec

from shared.crypto import KEY_BYTES, NONCE_BYTES, Cipher, key_owner, key_place
from shared.crypto.labels import BUCKET_KEY, INDEX_KEY, OWNER_KEY, ROW_KEY
from shared.entropy import Entropy
from shared.limits import BUCKET_ROWS_MAX

OwnerKind = Literal["subject", "conversation", "account"]


class Bucket(msgspec.Struct):
    """A bucket that still takes rows: its id, its key, and the next slot never given before."""

    id: int
    version: int
    cipher: Cipher
    next_slot: int

    @property
    def full(self) -> bool:
        """Say whether no slot is left."""
        return self.next_slot >= BUCKET_ROWS_MAX


class Owner(msgspec.Struct):
    """Whose keys: a subject (by pseudonym), or a conversation or account for one day (by a random name)."""

    id: int
    name: str
    version: int
    cipher: Cipher
    bucket: Bucket | None = None

    def copy(self) -> "Owner":
        """Give the same owner with a bucket that can be filled without touching this one's."""
        bucket = self.bucket
        if bucket is not None:
            bucket = Bucket(bucket.id, bucket.version, bucket.cipher, bucket.next_slot)
        return Owner(self.id, self.name, self.version, self.cipher, bucket)


class RowKey(msgspec.Struct, frozen=True):
    """A row key, unwrapped: what it is called, whose it is, and the key itself (32 bytes)."""

    id: int
    owner: str
    key: bytes

    def __repr__(self) -> str:
        """Say which key it is, never what it is."""
        return f"RowKey({self.id})"


def bucket_of(row: int) -> int:
    """Give the bucket that a row key lies in: ids are ``bucket * 256 + slot``."""
    return row // BUCKET_ROWS_MAX


def wrap_owner(epoch: Cipher, epoch_version: int, name: str, version: int, key: bytes, entropy: Entropy) -> bytes:
    """Wrap an owner key under the epoch key."""
    return epoch.seal(key, key_place(OWNER_KEY, name, version, epoch_version), entropy.draw(NONCE_BYTES))


def unwrap_owner(epoch: Cipher, epoch_version: int, name: str, version: int, wrapped: bytes) -> Cipher:
    """Open an owner key, ready for use; ``SealBroken`` if it is not what it claims."""
    return Cipher(unwrap_owner_key(epoch, epoch_version, name, version, wrapped))


def unwrap_owner_key(epoch: Cipher, epoch_version: int, name: str, version: int, wrapped: bytes) -> bytes:
    """Open an owner key to wrap it anew; ``SealBroken`` if it is not what it claims."""
    return epoch.open(wrapped, key_place(OWNER_KEY, name, version, epoch_version))


def wrap_bucket(owner: Owner, bucket: int, key: bytes, entropy: Entropy) -> bytes:
    """Wrap a bucket key under its owner's current key."""
    return owner.cipher.seal(key, key_place(BUCKET_KEY, owner.name, bucket, owner.version), entropy.draw(NONCE_BYTES))


def unwrap_bucket(owner: Owner, bucket: int, owner_version: int, wrapped: bytes) -> bytes:
    """Open a bucket key; ``SealBroken`` if it is not what it claims."""
    return owner.cipher.open(wrapped, key_place(BUCKET_KEY, owner.name, bucket, owner_version))


def wrap_row(owner: str, bucket: Bucket, row: int, key: bytes, nonce: bytes) -> bytes:
    """Wrap a row key under its bucket key."""
    return bucket.cipher.seal(key, key_place(ROW_KEY, owner, row, bucket.version), nonce)


def unwrap_row(owner: str, bucket: Cipher, row: int, bucket_version: int, wrapped: bytes) -> bytes:
    """Open a row key; ``SealBroken`` if it is not what it claims."""
    return bucket.open(wrapped, key_place(ROW_KEY, owner, row, bucket_version))


def rewrap_rows(
    owner: str, old: Cipher, new: Bucket, rows: Sequence[tuple[int, int, bytes]], nonces: bytes
) -> list[tuple[int, bytes, int]]:
    """Wrap a bucket's rows (id, version, wrapped) under its new key; give new version, wrapped and id of each.

    ``nonces``: 12 fresh bytes for each.  ``SealBroken`` if one is not what it claims.
    """
    common, version = key_owner(ROW_KEY, owner), new.version
    anew, at = [], 0
    for row, bucket_version, wrapped in rows:
        key = old.open(wrapped, b"%b%d\0%d" % (common, row, bucket_version))
        nonce = nonces[at : at + NONCE_BYTES]
        anew.append((version, new.cipher.seal(key, b"%b%d\0%d" % (common, row, version), nonce), row))
        at += NONCE_BYTES
    return anew


def wrap_index(epoch: Cipher, epoch_version: int, purpose: str, version: int, key: bytes, entropy: Entropy) -> bytes:
    """Wrap a blind-index key under the epoch key."""
    return epoch.seal(key, key_place(INDEX_KEY, purpose, version, epoch_version), entropy.draw(NONCE_BYTES))


def unwrap_index(epoch: Cipher, epoch_version: int, purpose: str, version: int, wrapped: bytes) -> bytes:
    """Open a blind-index key; ``SealBroken`` if it is not what it claims."""
    return epoch.open(wrapped, key_place(INDEX_KEY, purpose, version, epoch_version))


def draw_bucket(owner: Owner, bucket: int, entropy: Entropy) -> tuple[Bucket, bytes]:
    """Draw a fresh, empty bucket for ``owner``; give it with its wrapped key."""
    key = entropy.draw(KEY_BYTES)
    return Bucket(bucket, 1, Cipher(key), 0), wrap_bucket(owner, bucket, key, entropy)
