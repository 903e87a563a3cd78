"""HPKE (RFC 9180): seal bytes so that one node alone can open them.  One suite only.

KEM ML-KEM-768 with X25519 (X-Wing; draft-ietf-hpke-pq), KDF HKDF-SHA256, AEAD AES-256-GCM; base mode, single shot.
Both parts of the KEM would have to fall before what was recorded today can be read.

Base mode says nothing of who sealed: whoever holds the public key can.  What is sealed therefore travels in a request
that its sender signs, and the opener trusts it only as far as that signature goes.

Everything a sealed value is bound to goes into ``info``: for the single-shot interface RFC 9180 section 8.1 asks for
that instead of associated data.  It is a label of :mod:`shared.crypto.labels` followed by the place as one MessagePack
array, so that two places never share an encoding.

The key pair is drawn from an :class:`~shared.entropy.Entropy`; the ephemeral key of each sealing is the library's own.
"""

import hashlib
from typing import Annotated

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.mlkem import MLKEM768PrivateKey, MLKEM768PublicKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.hpke import (
    AEAD,
    KDF,
    KEM,
    MLKEM768X25519PrivateKey,
    MLKEM768X25519PublicKey,
    Suite,
)
from msgspec import Meta

from shared.crypto import labels
from shared.crypto.blind import pack
from shared.crypto.signing import labelled
from shared.entropy import Entropy
from shared.errors import SealBroken

_MLKEM_PUBLIC_BYTES = 1184
_MLKEM_SEED_BYTES = 64

PUBLIC_BYTES = _MLKEM_PUBLIC_BYTES + 32
"""Length of a public key: ML-KEM-768 (FIPS 203, table 3), then X25519 (RFC 7748 section 5)."""
SEED_BYTES = _MLKEM_SEED_BYTES + 32
"""Length of a private key as a seed: ML-KEM-768 ``d || z`` (FIPS 203 section 7.1), then X25519."""
SEALED_OVERHEAD_BYTES = 1120 + 16
"""How much longer a sealed value is than what it holds: encapsulated key and tag."""

SealingPublic = Annotated[bytes, Meta(min_length=PUBLIC_BYTES, max_length=PUBLIC_BYTES, title="SealingPublic")]
"""A public key to seal to."""

_SUITE = Suite(KEM.MLKEM768_X25519, KDF.HKDF_SHA256, AEAD.AES_256_GCM)


class SealingKey:
    """A private key that opens what was sealed to it, held in memory; never printed."""

    __slots__ = ("_mlkem", "_private", "_x25519", "public")

    public: SealingPublic

    def __init__(self, seed: bytes) -> None:
        """Take the seed of 96 bytes; another length is a ``ValueError``."""
        if len(seed) != SEED_BYTES:
            raise ValueError("a seed to open with has 96 bytes")
        self._mlkem = MLKEM768PrivateKey.from_seed_bytes(seed[:_MLKEM_SEED_BYTES])
        self._x25519 = X25519PrivateKey.from_private_bytes(seed[_MLKEM_SEED_BYTES:])
        self._private = MLKEM768X25519PrivateKey(self._mlkem, self._x25519)
        self.public = self._mlkem.public_key().public_bytes_raw() + self._x25519.public_key().public_bytes_raw()

    def seed(self) -> bytes:
        """Give the seed, for :mod:`shared.key_files` alone."""
        return self._mlkem.private_bytes_raw() + self._x25519.private_bytes_raw()

    def open(self, sealed: bytes, label: bytes, *place: str) -> bytes:
        """Give back what was sealed to this key for ``place``; anything else raises ``SealBroken``."""
        try:
            return _SUITE.decrypt(sealed, self._private, info=_info(label, place))
        except (InvalidTag, ValueError):
            raise SealBroken from None


def draw_sealing_key(entropy: Entropy) -> SealingKey:
    """Draw a new key."""
    return SealingKey(entropy.draw(SEED_BYTES))


def seal_to(public: bytes, plain: bytes, label: bytes, *place: str) -> bytes:
    """Seal ``plain`` to a public key for ``place``: encapsulated key, ciphertext, tag.

    ``label`` is one of :mod:`shared.crypto.labels`; what it says belongs in ``place``, in that order.  A public key
    that is none (a length other than 1,216 bytes, or no element of its group) is a ``ValueError``.
    """
    if len(public) != PUBLIC_BYTES:
        raise ValueError("a public key to seal to has 1,216 bytes")
    key = MLKEM768X25519PublicKey(
        MLKEM768PublicKey.from_public_bytes(public[:_MLKEM_PUBLIC_BYTES]),
        X25519PublicKey.from_public_bytes(public[_MLKEM_PUBLIC_BYTES:]),
    )
    return _SUITE.encrypt(plain, key, info=_info(label, place))


def sealing_fingerprint(public: bytes) -> str:
    """Give the fingerprint of a public key to seal to: 64 hexadecimal digits."""
    return hashlib.sha256(labelled(labels.SEALING_FINGERPRINT, public)).hexdigest()


def _info(label: bytes, place: tuple[str, ...]) -> bytes:
    """Write what a sealed value is bound to."""
    return labelled(label, pack(place))
