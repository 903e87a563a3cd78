"""A bundle: a policy with its name, version and past, as the bytes that are hashed, signed and sent to nodes.

Officers sign the DSSE encoding (PAE) of the canonical bytes, each with both halves of their keys.  A bundle's hash is
the SHA-256 of its canonical bytes; every decision bears it.  That it is the newest one is the control plane's word
(:mod:`shared.wire.head`).
"""

import hashlib
from typing import Annotated, Literal

from msgspec import Meta

from shared import canonical
from shared.crypto.dsse import encoded
from shared.crypto.signing import SigningKeys, fingerprint, verify
from shared.errors.policy import BundleMalformed
from shared.errors.trust import NotCanonical, SignatureInvalid
from shared.policy.assembling import Assembled
from shared.policy.model import Part, Policy
from shared.policy.spans import after, span_of
from shared.policy.terms import Name, Text
from shared.roster.model import PEOPLE_MAX, Officer, OfficerSignature
from shared.wire.types import BundleVersion, Digest, Milliseconds

PAYLOAD_TYPE = "application/vnd.homeport.policy-bundle.v1+json"
BUNDLE_BYTES_MAX = 16 * 1024 * 1024


class Bundle(Part, frozen=True, kw_only=True):
    """A policy as it is published."""

    format: Literal["homeport-policy-1"] = "homeport-policy-1"
    name: Name
    version: BundleVersion
    label: Literal["demonstration", "production"]
    says: Text
    grace: Annotated[str, Meta(max_length=16)]
    """How long a node goes by it without hearing that it is still the newest: ``7 days``."""
    previous: Digest | None
    """The hash of the bundle before it; ``None`` of the first."""
    issued_at: Milliseconds
    policy: Policy


class SignedBundle(Part, frozen=True, kw_only=True):
    """A bundle and the signatures that were collected for it."""

    hash: Digest
    bundle: Bundle
    signatures: Annotated[tuple[OfficerSignature, ...], Meta(max_length=2 * PEOPLE_MAX)] = ()


def make(made: Assembled, previous: Bundle | None, issued_at: int) -> Bundle:
    """Make a bundle of what was read; it follows ``previous``."""
    page = made.bundle
    return Bundle(
        name=page.name,
        version=page.version,
        label=page.label,
        says=page.says,
        grace=page.grace,
        previous=None if previous is None else digest(previous),
        issued_at=issued_at,
        policy=made.policy,
    )


def digest(bundle: Bundle) -> str:
    """Give a bundle's hash: 64 hexadecimal digits."""
    return hashlib.sha256(canonical.encode(bundle)).hexdigest()


def write(bundle: Bundle, signatures: tuple[OfficerSignature, ...] = ()) -> bytes:
    """Give the bytes of a bundle's file: canonical, so that one changed byte is seen."""
    return canonical.encode(SignedBundle(hash=digest(bundle), bundle=bundle, signatures=signatures))


def read_bundle(data: bytes) -> SignedBundle:
    """Read a bundle's file; ``BundleMalformed`` where it is none, or not the bytes that were written."""
    try:
        signed = canonical.decode(SignedBundle, data)
    except NotCanonical:
        raise BundleMalformed(reason="form") from None
    if digest(signed.bundle) != signed.hash:
        raise BundleMalformed(reason="its hash is another")
    return signed


def sign(bundle: Bundle, person: str, keys: SigningKeys) -> OfficerSignature:
    """Sign a bundle as an officer."""
    return OfficerSignature(person, fingerprint(keys.public), keys.sign(_signed_bytes(bundle)))


def signers(candidate: SignedBundle, officers: tuple[Officer, ...]) -> frozenset[str]:
    """Give the persons of ``officers`` who signed; strangers count for nothing.

    A signature that claims an officer's key and does not verify is no accident: ``BundleMalformed``.
    """
    data = _signed_bytes(candidate.bundle)
    found = set()
    for officer in officers:
        key = fingerprint(officer.keys)
        for each in candidate.signatures:
            if each.person == officer.person and each.key == key:
                try:
                    verify(officer.keys, each.signature, data)
                except SignatureInvalid:
                    raise BundleMalformed(reason="a signature does not verify") from None
                found.add(officer.person)
    return frozenset(found)


def fresh_until(bundle: Bundle, heard_at: int) -> int:
    """Give the moment (ms) until which a node may go by a bundle, when it last heard at ``heard_at`` that it stands."""
    return after(heard_at, span_of(bundle.grace))


def _signed_bytes(bundle: Bundle) -> bytes:
    """Give the bytes that officers sign."""
    return encoded(PAYLOAD_TYPE, canonical.encode(bundle))
