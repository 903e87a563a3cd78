"""Hybrid signatures: both halves or nothing, every byte counts, keys come from their seeds, labels keep uses apart."""

import hashlib

import pytest

from shared.crypto import labels
from shared.crypto.signing import (
    HybridSignature,
    PublicKeys,
    SigningKeys,
    draw_signing_keys,
    fingerprint,
    in_groups,
    labelled,
    verify,
)
from shared.errors.trust import SignatureInvalid
from tests.support.trust import NODE, OTHER, Seeded

DATA = labelled(labels.ROSTER, b"what is signed")
SIGNED = NODE.sign(DATA)


def flipped(data: bytes, at: int) -> bytes:
    """Give ``data`` with one bit of one byte turned over."""
    return data[:at] + bytes((data[at] ^ 1,)) + data[at + 1 :]


def holds(public: PublicKeys, signature: HybridSignature, data: bytes = DATA) -> bool:
    """Say whether a signature verifies."""
    try:
        verify(public, signature, data)
    except SignatureInvalid:
        return False
    return True


def test_a_signature_holds_for_its_keys_and_its_bytes_alone():
    """Other keys and other bytes are refused."""
    assert holds(NODE.public, SIGNED)
    assert not holds(OTHER.public, SIGNED)
    assert not holds(NODE.public, SIGNED, DATA + b"\0")
    assert not holds(NODE.public, SIGNED, labelled(labels.ROOT, b"what is signed"))


def test_every_flipped_byte_of_a_signature_is_seen():
    """No byte of either half is idle."""
    for at in range(len(SIGNED.ed25519)):
        assert not holds(NODE.public, HybridSignature(flipped(SIGNED.ed25519, at), SIGNED.mldsa65))
    for at in range(len(SIGNED.mldsa65)):
        assert not holds(NODE.public, HybridSignature(SIGNED.ed25519, flipped(SIGNED.mldsa65, at)))


def test_every_flipped_byte_of_what_is_signed_is_seen():
    """Every byte counts, the label's too."""
    assert not any(holds(NODE.public, SIGNED, flipped(DATA, at)) for at in range(len(DATA)))


@pytest.mark.parametrize(
    "half",
    [
        HybridSignature(SIGNED.ed25519, b""),
        HybridSignature(b"", SIGNED.mldsa65),
        HybridSignature(SIGNED.ed25519, bytes(3309)),
        HybridSignature(bytes(64), SIGNED.mldsa65),
        HybridSignature(SIGNED.ed25519, OTHER.sign(DATA).mldsa65),
        HybridSignature(OTHER.sign(DATA).ed25519, SIGNED.mldsa65),
        HybridSignature(SIGNED.mldsa65, SIGNED.ed25519),
        HybridSignature(SIGNED.ed25519 + b"\0", SIGNED.mldsa65),
        HybridSignature(SIGNED.ed25519, SIGNED.mldsa65 + b"\0"),
    ],
)
def test_half_a_signature_is_none(half):
    """A half that is dropped, emptied, exchanged or lengthened fails the whole, whichever it is."""
    assert not holds(NODE.public, half)


@pytest.mark.parametrize(
    "public",
    [
        PublicKeys(NODE.public.ed25519, OTHER.public.mldsa65),
        PublicKeys(OTHER.public.ed25519, NODE.public.mldsa65),
        PublicKeys(b"", NODE.public.mldsa65),
        PublicKeys(NODE.public.ed25519, b""),
    ],
)
def test_half_a_key_is_none(public):
    """Both halves of the key must be the signer's; a malformed one is a refusal, not a fault."""
    assert not holds(public, SIGNED)


def test_keys_come_from_their_seeds():
    """The same chance gives the same keys; the seeds are all there is to keep."""
    again = draw_signing_keys(Seeded("node eu"))
    assert again.public == NODE.public
    assert SigningKeys(*NODE.seeds()).public == NODE.public
    assert OTHER.public != NODE.public
    with pytest.raises(ValueError, match="32"):
        SigningKeys(bytes(31), bytes(32))


def test_a_fingerprint_is_the_digest_of_both_keys():
    """Anybody can compute it: SHA-256 over label, zero byte and both keys; people read it in groups."""
    public = NODE.public
    digest = hashlib.sha256(b"homeport/signing-fingerprint/1\0" + public.ed25519 + public.mldsa65).hexdigest()
    assert fingerprint(public) == digest
    assert in_groups(digest).replace(" ", "") == digest
    assert in_groups("0123456789ab") == "0123 4567 89ab"
    assert fingerprint(PublicKeys(public.ed25519, OTHER.public.mldsa65)) != digest


def test_labels_occur_once():
    """Two uses never share a label."""
    values = [value for name, value in vars(labels).items() if name.isupper() and isinstance(value, bytes)]
    assert len(values) > 10
    assert len({*values}) == len(values)
    assert not [value for value in values if b"\0" in value]
