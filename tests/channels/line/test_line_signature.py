"""The LINE signature: true for exactly the body and secret it was made with, false for anything else, never raising."""

import base64
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge_node.channels.line import LINE
from edge_node.channels.line.signature import sign

SECRET = b"0123456789abcdef0123456789abcdef"
BODY = b'{"destination":"U1","events":[]}'


def test_header_name_is_lines():
    assert LINE.signature_header == b"x-line-signature"


def test_known_answer():
    """RFC 4231, test case 2, in base64."""
    body = b"what do ya want for nothing?"
    answer = base64.b64encode(bytes.fromhex("5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"))
    assert sign(b"Jefe", body) == answer
    assert LINE.verify([b"Jefe"], body, answer)


def test_every_secret_in_rotation_is_good():
    old, new = b"the-secret-before", b"the-secret-now"
    assert LINE.verify([new, old], BODY, sign(old, BODY))
    assert LINE.verify([new, old], BODY, sign(new, BODY))
    assert not LINE.verify([new], BODY, sign(old, BODY))


@pytest.mark.parametrize(
    "signature",
    [
        None,
        b"",
        b"=",
        sign(SECRET, BODY)[:-1],
        sign(SECRET, BODY)[:22],
        sign(SECRET, BODY) + b"=",
        b" " + sign(SECRET, BODY),
        sign(SECRET, BODY) + b"\n",
        sign(SECRET, BODY).swapcase(),
        sign(SECRET, BODY + b" "),
        sign(b"another secret", BODY),
        base64.urlsafe_b64encode(b"\xff" * 32),
        base64.b64decode(sign(SECRET, BODY)),
        base64.b64decode(sign(SECRET, BODY)).hex().encode(),
        b"sha256=" + sign(SECRET, BODY),
        "å∫ç".encode(),
        b"\x00\xff" * 22,
        b"a" * 100_000,
    ],
)
def test_anything_else_is_refused(signature):
    assert LINE.verify([SECRET], BODY, sign(SECRET, BODY))
    assert LINE.verify([SECRET], BODY, signature) is False


def test_no_secret_and_an_empty_secret_match_nothing():
    assert LINE.verify([], BODY, sign(b"", BODY)) is False
    assert LINE.verify([b""], BODY, sign(b"", BODY)) is False
    assert LINE.verify([b"", SECRET], BODY, sign(SECRET, BODY)) is True


@settings(deadline=None)
@given(st.binary(max_size=200), st.binary(min_size=1, max_size=80), st.binary(max_size=60))
def test_only_the_signature_made_over_this_body_is_good(body, secret, signature):
    good = sign(secret, body)
    assert LINE.verify([secret], body, good)
    assert LINE.verify([secret], body, signature) == (signature == good)
    assert not LINE.verify([secret], body + b"\0", good)


def test_wycheproof(shared_data):
    groups = json.loads((shared_data / "crypto/hmac_sha256_test.json").read_bytes())["testGroups"]
    answers = 0
    for group in groups:
        for case in group["tests"]:
            key, message, tag = (bytes.fromhex(case[name]) for name in ("key", "msg", "tag"))
            whole = case["result"] == "valid" and group["tagSize"] == 256
            assert LINE.verify([key], message, base64.b64encode(tag)) == whole, case["tcId"]
            answers += whole
    assert answers > 30
