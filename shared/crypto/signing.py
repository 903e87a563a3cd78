"""Signatures: Ed25519 (RFC 8032), and the hybrid of Ed25519 and ML-DSA-65 (FIPS 204) for what must last.

A hybrid signature holds two signatures over the same bytes, and verifies only if both do: it stays unforgeable while
one of the two schemes does.  A program has one pair of keys.  Its Ed25519 half alone signs requests, where a forgery is
worthless after a minute; everything a signature must vouch for later carries both halves.

The same key signs in different settings without confusion, because what is signed says so at its first byte: requests
begin with ``"@method"`` and answers with ``"@status"`` (RFC 9421), envelopes with ``DSSEv1``, everything else with a
label and a zero byte.

Keys are drawn from an :class:`~shared.entropy.Entropy` as seeds.  ML-DSA signing is hedged (FIPS 204 section 3.4): the
library adds randomness of its own to each signature, so two signatures of one message differ.
"""

import hashlib
from typing import Annotated

import msgspec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA65PrivateKey, MLDSA65PublicKey
from msgspec import Meta

from shared.crypto import labels
from shared.entropy import Entropy
from shared.errors.trust import SignatureInvalid

SEED_BYTES = 32
"""Length of the seed of either scheme (RFC 8032 section 5.1.5; FIPS 204 section 3.6.1)."""

Ed25519Public = Annotated[bytes, Meta(min_length=32, max_length=32, title="Ed25519Public")]
"""An Ed25519 public key (RFC 8032 section 5.1.5)."""
MLDSA65Public = Annotated[bytes, Meta(min_length=1952, max_length=1952, title="MLDSA65Public")]
"""An ML-DSA-65 public key (FIPS 204, table 2)."""
Ed25519Signature = Annotated[bytes, Meta(min_length=64, max_length=64, title="Ed25519Signature")]
"""An Ed25519 signature (RFC 8032 section 5.1.6)."""
MLDSA65Signature = Annotated[bytes, Meta(min_length=3309, max_length=3309, title="MLDSA65Signature")]
"""An ML-DSA-65 signature (FIPS 204, table 2)."""
Fingerprint = Annotated[str, Meta(pattern=r"^[0-9a-f]{64}$", max_length=64, title="Fingerprint")]
"""SHA-256 in hexadecimal digits, to be compared by people; :func:`in_groups` makes it readable."""


class PublicKeys(msgspec.Struct, frozen=True):
    """The public halves of a pair of signing keys."""

    ed25519: Ed25519Public
    mldsa65: MLDSA65Public


class HybridSignature(msgspec.Struct, frozen=True):
    """Two signatures over the same bytes; one without the other is worth nothing."""

    ed25519: Ed25519Signature
    mldsa65: MLDSA65Signature


class SigningKeys:
    """A pair of private signing keys, held in memory; never printed."""

    __slots__ = ("_ed25519", "_mldsa65", "public")

    public: PublicKeys

    def __init__(self, ed25519_seed: bytes, mldsa65_seed: bytes) -> None:
        """Take the two seeds, each of 32 bytes; another length is a ``ValueError``."""
        self._ed25519 = Ed25519PrivateKey.from_private_bytes(ed25519_seed)
        self._mldsa65 = MLDSA65PrivateKey.from_seed_bytes(mldsa65_seed)
        self.public = PublicKeys(
            self._ed25519.public_key().public_bytes_raw(), self._mldsa65.public_key().public_bytes_raw()
        )

    def seeds(self) -> tuple[bytes, bytes]:
        """Give both seeds, for :mod:`shared.key_files` alone."""
        return self._ed25519.private_bytes_raw(), self._mldsa65.private_bytes_raw()

    def sign(self, data: bytes) -> HybridSignature:
        """Sign ``data``, which begins with what it is for: :func:`labelled`, or a DSSE encoding."""
        return HybridSignature(self._ed25519.sign(data), self._mldsa65.sign(data))

    def sign_ed25519(self, data: bytes) -> bytes:
        """Sign ``data`` with the Ed25519 half alone, for requests: 64 bytes."""
        return self._ed25519.sign(data)


def draw_signing_keys(entropy: Entropy) -> SigningKeys:
    """Draw a new pair."""
    return SigningKeys(entropy.draw(SEED_BYTES), entropy.draw(SEED_BYTES))


def labelled(label: bytes, data: bytes) -> bytes:
    """Put a label before ``data``, so that a signature or digest of it means nothing elsewhere."""
    return label + b"\0" + data


def verify(public: PublicKeys, signature: HybridSignature, data: bytes) -> None:
    """Check both halves over ``data``; ``SignatureInvalid``, without a word on which, unless both verify."""
    first = is_ed25519(public.ed25519, signature.ed25519, data)
    second = is_mldsa65(public.mldsa65, signature.mldsa65, data)
    if not (first and second):
        raise SignatureInvalid


def is_ed25519(public: bytes, signature: bytes, data: bytes) -> bool:
    """Say whether ``signature`` is an Ed25519 signature of ``data`` under ``public``; malformed ones are not."""
    try:
        Ed25519PublicKey.from_public_bytes(public).verify(signature, data)
    except (InvalidSignature, ValueError):
        return False
    return True


def is_mldsa65(public: bytes, signature: bytes, data: bytes) -> bool:
    """Say whether ``signature`` is an ML-DSA-65 signature of ``data``, with an empty context, under ``public``."""
    try:
        MLDSA65PublicKey.from_public_bytes(public).verify(signature, data)
    except (InvalidSignature, ValueError):
        return False
    return True


def fingerprint(public: PublicKeys) -> str:
    """Give the fingerprint of a pair of public keys: 64 hexadecimal digits.  Both keys have fixed lengths."""
    return hashlib.sha256(labelled(labels.SIGNING_FINGERPRINT, public.ed25519 + public.mldsa65)).hexdigest()


def in_groups(digest: str) -> str:
    """Write a fingerprint in groups of four digits, as people compare it by voice."""
    return " ".join(digest[at : at + 4] for at in range(0, len(digest), 4))
