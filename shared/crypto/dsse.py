"""Envelopes: bytes with what they are, and signatures over both (DSSE v1, github.com/secure-systems-lab/dsse, v1.0.2).

An envelope carries its payload as bytes, the payload's type, and two signatures of one pair of keys over the same
pre-authentication encoding (PAE): Ed25519 first, ML-DSA-65 second.  Any DSSE reader can check either half; ours asks
for exactly these two.  The signature covers the type, so an envelope of one kind is never read as another.

``keyid`` names the scheme and the fingerprint of the pair.  DSSE calls it a hint that is not signed, so it decides
nothing here: the caller says whose keys must have signed, and a ``keyid`` that differs is refused.
"""

from typing import Annotated

import msgspec
from msgspec import Meta

from shared.crypto.signing import HybridSignature, PublicKeys, SigningKeys, fingerprint, verify
from shared.errors.trust import SignatureInvalid

PAYLOAD_BYTES_MAX = 1024 * 1024
"""A payload: a receipt or certificate is far smaller; what is larger is none."""

PayloadType = Annotated[
    str, Meta(pattern=r"^application/vnd\.homeport\.[a-z]+(?:-[a-z]+)*\.v[0-9]+\+json$(?!\n)", title="PayloadType")
]
"""A media type of ours with its version: a new form of a payload is a new type."""
PayloadBytes = Annotated[bytes, Meta(max_length=PAYLOAD_BYTES_MAX, title="PayloadBytes")]
"""Canonical bytes of the struct that the payload type names."""
KeyId = Annotated[str, Meta(pattern=r"^(?:ed25519|mldsa65):[0-9a-f]{64}$(?!\n)", title="KeyId")]
"""A scheme and the fingerprint of a pair of keys."""
SignatureBytes = Annotated[bytes, Meta(min_length=64, max_length=3309, title="SignatureBytes")]
"""A signature of either scheme."""


class Signature(msgspec.Struct, frozen=True):
    """One signature of an envelope."""

    keyid: KeyId
    sig: SignatureBytes


class Envelope(msgspec.Struct, frozen=True, rename="camel"):
    """A payload with its type and both halves of one signature."""

    payload: PayloadBytes
    payload_type: PayloadType
    signatures: Annotated[tuple[Signature, ...], Meta(min_length=2, max_length=2)]


def encoded(payload_type: str, payload: bytes) -> bytes:
    """Give the pre-authentication encoding: what is signed (protocol.md, "Signature Definition")."""
    kind = payload_type.encode()
    return b"DSSEv1 %d %b %d %b" % (len(kind), kind, len(payload), payload)


def sign_envelope(keys: SigningKeys, payload_type: str, payload: bytes) -> Envelope:
    """Sign ``payload`` as a ``payload_type``."""
    both = keys.sign(encoded(payload_type, payload))
    first, second = _keyids(keys.public)
    return Envelope(payload, payload_type, (Signature(first, both.ed25519), Signature(second, both.mldsa65)))


def open_envelope(envelope: Envelope, payload_type: str, public: PublicKeys) -> bytes:
    """Give the payload if it is a ``payload_type`` and both halves of ``public``'s owner signed it.

    Everything else raises ``SignatureInvalid``: another type, a half missing or doubled, another key, a changed byte.
    """
    if envelope.payload_type != payload_type or tuple(each.keyid for each in envelope.signatures) != _keyids(public):
        raise SignatureInvalid
    first, second = envelope.signatures
    verify(public, HybridSignature(first.sig, second.sig), encoded(payload_type, envelope.payload))
    return envelope.payload


def signer(envelope: Envelope) -> str:
    """Give the fingerprint that the envelope claims as its signer's: a hint for finding the keys, proved by nothing."""
    return envelope.signatures[0].keyid.partition(":")[2]


def _keyids(public: PublicKeys) -> tuple[str, str]:
    """Give the names of both halves."""
    name = fingerprint(public)
    return f"ed25519:{name}", f"mldsa65:{name}"
