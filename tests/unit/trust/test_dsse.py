"""Envelopes: the encoding is DSSE's, both halves by one signer over one type, no byte is idle; and receipts in them."""

import msgspec
import pytest

from shared import canonical
from shared.crypto import dsse
from shared.crypto.signing import fingerprint, is_ed25519, is_mldsa65
from shared.errors.trust import NotCanonical, SignatureInvalid
from shared.wire.receipt import RECEIPT_TYPE, Receipt, open_receipt, sign_receipt
from tests.support.trust import NODE, OTHER, RECEIPT

ENVELOPE = sign_receipt(NODE, RECEIPT)
OTHER_TYPE = "application/vnd.homeport.certificate.v1+json"


def test_the_encoding_is_the_specifications():
    """The example of protocol.md, v1.0.2, and lengths in bytes, not characters."""
    assert dsse.encoded("http://example.com/HelloWorld", b"hello world") == (
        b"DSSEv1 29 http://example.com/HelloWorld 11 hello world"
    )
    assert dsse.encoded("é", b"") == b"DSSEv1 2 \xc3\xa9 0 "


def test_any_dsse_reader_can_check_either_half():
    """Each signature is a plain one over the encoding, and the JSON has the members of envelope.md."""
    data = dsse.encoded(RECEIPT_TYPE, ENVELOPE.payload)
    assert is_ed25519(NODE.public.ed25519, ENVELOPE.signatures[0].sig, data)
    assert is_mldsa65(NODE.public.mldsa65, ENVELOPE.signatures[1].sig, data)
    members = msgspec.json.decode(canonical.encode(ENVELOPE))
    assert sorted(members) == ["payload", "payloadType", "signatures"]
    assert [sorted(each) for each in members["signatures"]] == [["keyid", "sig"]] * 2


def test_a_receipt_comes_out_as_it_was_signed():
    """And through the envelope's JSON, too; the signer is named by fingerprint."""
    assert open_receipt(ENVELOPE, NODE.public) == RECEIPT
    again = canonical.decode(dsse.Envelope, canonical.encode(ENVELOPE))
    assert open_receipt(again, NODE.public) == RECEIPT
    assert dsse.signer(ENVELOPE) == fingerprint(NODE.public)


def with_signatures(*signatures: dsse.Signature) -> dsse.Envelope:
    """Give the envelope with other signatures."""
    return msgspec.structs.replace(ENVELOPE, signatures=signatures)


FIRST, SECOND = ENVELOPE.signatures
FOREIGN = sign_receipt(OTHER, RECEIPT).signatures


@pytest.mark.parametrize(
    "envelope",
    [
        with_signatures(),
        with_signatures(FIRST),
        with_signatures(SECOND),
        with_signatures(FIRST, FIRST),
        with_signatures(SECOND, FIRST),
        with_signatures(FIRST, SECOND, SECOND),
        with_signatures(FIRST, FOREIGN[1]),
        with_signatures(FOREIGN[0], SECOND),
        with_signatures(*FOREIGN),
        with_signatures(FIRST, dsse.Signature(SECOND.keyid, FOREIGN[1].sig)),
        with_signatures(dsse.Signature(FIRST.keyid, FOREIGN[0].sig), SECOND),
        with_signatures(dsse.Signature(FOREIGN[0].keyid, FIRST.sig), SECOND),
        msgspec.structs.replace(ENVELOPE, payload_type=OTHER_TYPE),
        msgspec.structs.replace(ENVELOPE, payload=ENVELOPE.payload.replace(b'"count":3', b'"count":4')),
        msgspec.structs.replace(sign_receipt(NODE, RECEIPT), payload=ENVELOPE.payload + b" "),
    ],
)
def test_what_was_not_signed_so_is_refused(envelope):
    """A half missing, doubled, exchanged or of another signer; another type; another payload."""
    with pytest.raises(SignatureInvalid):
        open_receipt(envelope, NODE.public)


def test_every_flipped_byte_of_the_payload_is_seen():
    """No byte of a receipt is idle."""
    for at in range(len(ENVELOPE.payload)):
        payload = ENVELOPE.payload[:at] + bytes((ENVELOPE.payload[at] ^ 1,)) + ENVELOPE.payload[at + 1 :]
        with pytest.raises(SignatureInvalid):
            open_receipt(msgspec.structs.replace(ENVELOPE, payload=payload), NODE.public)


def test_a_signed_payload_of_another_kind_is_no_receipt():
    """An envelope of another type stays one, even if its payload would read as a receipt."""
    other = dsse.sign_envelope(NODE, OTHER_TYPE, canonical.encode(RECEIPT))
    with pytest.raises(SignatureInvalid):
        open_receipt(other, NODE.public)
    assert dsse.open_envelope(other, OTHER_TYPE, NODE.public) == canonical.encode(RECEIPT)


@pytest.mark.parametrize(
    "payload",
    [
        canonical.encode(RECEIPT).replace(b'"kind":"erase"', b'"kind":"erase","note":"Mirabel Fonteyn"'),
        canonical.encode(RECEIPT).replace(b'"node":"eu"', b'"node": "eu"'),
        canonical.encode(RECEIPT).replace(b'"node":"eu"', b'"node":"Mirabel Fonteyn"'),
        b"{}",
        b"",
    ],
)
def test_a_signed_receipt_can_hold_nothing_else(payload):
    """Signed by the right node, a payload with one member more, or of another form, is still no receipt."""
    with pytest.raises(NotCanonical):
        open_receipt(dsse.sign_envelope(NODE, RECEIPT_TYPE, payload), NODE.public)


def test_a_receipt_names_no_subject():
    """There is no field for a pseudonym or a target."""
    assert not {
        name for name in Receipt.__struct_fields__ if "pseudonym" in name or "target" in name or "subject" in name
    }
