"""Keys drawn for one commit, in memory: nothing of it counts before the key store has taken it."""

from collections.abc import Iterator

import msgspec

from edge_node.storage.keys.hierarchy import Bucket, Owner, OwnerKind, draw_bucket, wrap_owner, wrap_row
from shared.crypto import KEY_BYTES, NONCE_BYTES, Cipher
from shared.entropy import Entropy
from shared.limits import BUCKET_ROWS_MAX

_ROW = KEY_BYTES + 2 * NONCE_BYTES
_ROWS_DRAWN = 64
"""Rows that randomness is drawn for at once: one system call instead of one each."""

Use = tuple[str, bytes, int]
"""What a row key is for: the content table, the blind index its row is found by, and the key's id."""

Fresh = tuple[int, bytes, bytes]
"""A row key to seal one row with: its id, the key (32 bytes), and a nonce for the row's one sealed column."""


class Intent(msgspec.Struct, frozen=True):
    """What a commit is about to use, kept until its content is committed."""

    uses: list[Use]
    owners: list[str]


class Draft:
    """New owners, buckets and rows, wrapped and ready to be inserted together."""

    def __init__(
        self,
        *,
        generation: int,
        epoch: tuple[int, Cipher],
        owners: dict[str, Owner],
        ids: Iterator[int],
        entropy: Entropy,
        now: int,
    ) -> None:
        """Begin from what the key store knows at ``generation``; ``ids`` are reserved, ``now`` in ms."""
        self.generation = generation
        self.id = next(ids)
        self.owner_rows: list[tuple[int, str, str, str | None, int | None, int, int, bytes, int]] = []
        self.bucket_rows: list[tuple[int, int, int, int, int, bytes]] = []
        self.row_rows: list[tuple[int, int, bytes]] = []
        self.uses: list[Use] = []
        self._epoch = epoch
        self.owners = owners
        """By name, as they are once this is committed."""
        self._ids = ids
        self._entropy = entropy
        self._now = now
        self._pool = b""
        self._next = 0

    @property
    def empty(self) -> bool:
        """Say whether nothing was drawn."""
        return not self.row_rows and not self.owner_rows

    def intent(self) -> bytes:
        """Give the intent that goes in with the keys."""
        return msgspec.msgpack.encode(Intent(self.uses, [row[1] for row in self.owner_rows]))

    def owner(self, name: str, kind: OwnerKind, scope: str | None = None, day: int | None = None) -> None:
        """Draw a new owner key for ``name``; ``scope`` and ``day`` find a conversation's or account's again."""
        version, (epoch_version, epoch) = 1, self._epoch
        key = self._entropy.draw(KEY_BYTES)
        owner = Owner(next(self._ids), name, version, Cipher(key))
        wrapped = wrap_owner(epoch, epoch_version, name, version, key, self._entropy)
        self.owner_rows.append((owner.id, name, kind, scope, day, version, epoch_version, wrapped, self._now))
        self.owners[name] = owner

    def row(self, owner_name: str, table: str, lookup: bytes) -> Fresh:
        """Draw a row key for a row of ``table`` that will be found by ``lookup``; the owner must be loaded."""
        owner = self.owners[owner_name]
        bucket = owner.bucket
        if bucket is None or bucket.full:
            bucket = self._new_bucket(owner)
        row = bucket.id * BUCKET_ROWS_MAX + bucket.next_slot
        bucket.next_slot += 1
        if self._next == len(self._pool):
            self._pool, self._next = self._entropy.draw(_ROW * _ROWS_DRAWN), 0
        at = self._next
        self._next = end = at + _ROW
        key = self._pool[at : at + KEY_BYTES]
        wrapped = wrap_row(owner_name, bucket, row, key, self._pool[at + KEY_BYTES : end - NONCE_BYTES])
        self.row_rows.append((row, bucket.version, wrapped))
        self.uses.append((table, lookup, row))
        return row, key, self._pool[end - NONCE_BYTES : end]

    def _new_bucket(self, owner: Owner) -> Bucket:
        """Begin a bucket for ``owner``."""
        bucket, wrapped = draw_bucket(owner, next(self._ids), self._entropy)
        self.bucket_rows.append((bucket.id, owner.id, bucket.version, owner.version, 0, wrapped))
        owner.bucket = bucket
        return bucket
