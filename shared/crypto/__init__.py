"""Cryptography, kept small: sealing and wrapping with AES-256-GCM, blind indexes with keyed BLAKE2b.

Signatures, envelopes and sealing to a node are imported from their modules: ``signing``, ``dsse``, ``hpke``.

Must never: draw its own randomness, derive one key from another, or explain why an opening failed.
"""

from shared.crypto.blind import MARK_BYTES, BlindIndex, pack
from shared.crypto.sealing import (
    KEY_BYTES,
    NONCE_BYTES,
    OVERHEAD_BYTES,
    Cipher,
    chunk_place,
    content_place,
    content_table,
    key_owner,
    key_place,
    seal_once,
)

__all__ = [
    "KEY_BYTES",
    "MARK_BYTES",
    "NONCE_BYTES",
    "OVERHEAD_BYTES",
    "BlindIndex",
    "Cipher",
    "chunk_place",
    "content_place",
    "content_table",
    "key_owner",
    "key_place",
    "pack",
    "seal_once",
]
