"""The bus's signature: over the raw bytes, one spelling, either of two secrets, and no secret opens nothing."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deploy.sandbox.bus import sign_bus
from edge_node.channels.line.xml import LINE_XML
from edge_node.channels.line.xml.signature import sign

SECRET, OTHER = b"plainly-invented-bus-secret", b"plainly-invented-old-bus-secret"
BODY = b"<webhook/>"


def test_a_known_value():
    """RFC 4231, test case 2."""
    expected = "sha256=5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
    assert sign_bus(b"Jefe", b"what do ya want for nothing?") == expected
    assert sign(b"Jefe", b"what do ya want for nothing?") == expected.encode()


@pytest.mark.parametrize("secrets", [[SECRET], [OTHER, SECRET], [SECRET, OTHER]])
def test_either_secret_is_valid_during_rotation(secrets):
    assert LINE_XML.verify(secrets, BODY, sign(SECRET, BODY))


RIGHT = sign(SECRET, BODY)


@pytest.mark.parametrize(
    "given_value",
    [None, b"", RIGHT.upper(), RIGHT[7:], b"SHA256=" + RIGHT[7:], RIGHT + b" ", b" " + RIGHT, RIGHT[:-1], RIGHT + b"0"],
)
def test_there_is_one_spelling(given_value):
    assert not LINE_XML.verify([SECRET], BODY, given_value)


def test_other_bytes_other_secrets_and_none():
    assert not LINE_XML.verify([SECRET], BODY + b"\n", RIGHT)
    assert not LINE_XML.verify([OTHER], BODY, RIGHT)
    assert not LINE_XML.verify([], BODY, RIGHT)
    assert not LINE_XML.verify([], BODY, sign(b"", BODY))
    assert not LINE_XML.verify([b""], BODY, sign(b"", BODY))


@given(st.binary(max_size=40), st.binary(max_size=90), st.lists(st.binary(max_size=8), max_size=2))
def test_nothing_raises_and_nothing_matches(body, header, secrets):
    assert not LINE_XML.verify(secrets, body, header)
