"""A webhook's signature covers its bytes; the handshake, which has none, hangs on the verify token alone."""

import hashlib
import hmac

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_node.channels.whatsapp import WHATSAPP, handshake
from shared.errors import HandshakeRefused
from tests.channels.whatsapp.cases import HERE

OLD, NEW = b"invented-app-secret-old", b"invented-app-secret-new"
BODY = (HERE / "fixtures" / "text_escaped_as_meta_does.json").read_bytes()


def signed(secret: bytes, body: bytes = BODY) -> bytes:
    """Sign as Meta's page says, by another road than the channel's own."""
    return b"sha256=" + hmac.new(secret, body, hashlib.sha256).hexdigest().encode()


def test_a_known_answer():
    # Computed with: printf '{}' | openssl dgst -sha256 -hmac key
    known = b"sha256=a777724d943eb48dc69bca8a4a6d57a04db3f9ec7e1de4e581e860265bdf3032"
    assert WHATSAPP.verify([b"key"], b"{}", known)


def test_the_header_is_named_as_meta_names_it():
    assert WHATSAPP.signature_header == b"x-hub-signature-256"
    assert WHATSAPP.name == "whatsapp"


@pytest.mark.parametrize("secrets", [[OLD], [OLD, NEW], [NEW, OLD]])
def test_either_secret_is_valid_during_rotation(secrets: list[bytes]):
    assert WHATSAPP.verify(secrets, BODY, signed(OLD))


@pytest.mark.parametrize(
    "signature",
    [
        None,
        b"",
        b"sha256=",
        signed(OLD)[:-1],
        signed(OLD)[:20],
        signed(OLD) + b"0",
        signed(OLD) + b"\n",
        b" " + signed(OLD),
        signed(OLD).upper(),
        signed(OLD).removeprefix(b"sha256="),
        signed(OLD).replace(b"sha256=", b"sha1="),
        signed(OLD).replace(b"sha256=", b"SHA256="),
        b"sha1=" + hmac.new(OLD, BODY, hashlib.sha1).hexdigest().encode(),
        b"sha256=" + hashlib.sha256(BODY).hexdigest().encode(),
        signed(b"another secret"),
        signed(OLD, BODY + b" "),
        b"sha256=" + "é".encode() * 32,
        b"sha256=" + b"\xff" * 64,
        signed(OLD) + b"," + signed(NEW),
    ],
)
def test_anything_else_is_refused(signature: bytes | None):
    assert not WHATSAPP.verify([OLD, NEW], BODY, signature)


def test_a_body_written_again_no_longer_matches():
    again = BODY.decode().encode("latin-1", "backslashreplace").replace(rb"\/", b"/")
    assert again != BODY
    assert not WHATSAPP.verify([OLD], again, signed(OLD))


def test_without_a_secret_nothing_is_valid():
    assert not WHATSAPP.verify([], BODY, signed(b""))
    assert not WHATSAPP.verify([b""], BODY, signed(b""))
    assert not WHATSAPP.verify([b"", OLD], BODY, signed(b""))
    assert WHATSAPP.verify([b"", OLD], BODY, signed(OLD))


@given(st.binary(max_size=80), st.binary(max_size=80), st.lists(st.binary(max_size=8), max_size=3))
def test_no_header_and_no_body_raises(body: bytes, header: bytes, secrets: list[bytes]):
    assert not WHATSAPP.verify(secrets, body, header)


@given(st.binary(max_size=80), st.integers(min_value=0))
def test_one_bit_of_the_body_is_enough(body: bytes, place: int):
    changed = bytearray(body or b"x")
    changed[place % len(changed)] ^= 1
    assert not WHATSAPP.verify([OLD], bytes(changed), signed(OLD, body or b"x"))


def query(mode: str = "subscribe", token: str = "tok-1", challenge: str = "1158201444") -> dict[str, str]:
    return {"hub.mode": mode, "hub.verify_token": token, "hub.challenge": challenge}


def test_the_challenge_is_echoed():
    assert handshake.answer(query(), [b"tok-1"]) == "1158201444"
    assert handshake.answer(query(token="tok-é"), [b"tok-1", "tok-é".encode()]) == "1158201444"


@pytest.mark.parametrize(
    ("asked", "tokens"),
    [
        (query(token="tok-2"), [b"tok-1"]),
        (query(token="tok-"), [b"tok-1"]),
        (query(token="tok-1 "), [b"tok-1"]),
        (query(token=""), [b""]),
        (query(token=""), []),
        (query(token="\udcff"), [b"tok-1"]),
        (query(mode="unsubscribe"), [b"tok-1"]),
        (query(mode=""), [b"tok-1"]),
        (query(challenge=""), [b"tok-1"]),
        (query(challenge="<script>alert(1)</script>"), [b"tok-1"]),
        (query(challenge="1\n"), [b"tok-1"]),
        (query(challenge="\uff11\uff12\uff13"), [b"tok-1"]),
        (query(challenge="1" * (handshake.CHALLENGE_BYTES_MAX + 1)), [b"tok-1"]),
        ({"hub.mode": "subscribe", "hub.challenge": "1"}, [b"tok-1"]),
        ({"hub_mode": "subscribe", "hub_verify_token": "tok-1", "hub_challenge": "1"}, [b"tok-1"]),
        ({}, [b"tok-1"]),
    ],
)
def test_any_other_handshake_is_refused_alike(asked: dict[str, str], tokens: list[bytes]):
    with pytest.raises(HandshakeRefused) as refusal:
        handshake.answer(asked, tokens)
    assert refusal.value.details == {}


@given(st.text(max_size=300))
def test_nothing_that_a_browser_would_run_comes_back(challenge: str):
    try:
        echoed = handshake.answer(query(challenge=challenge), [b"tok-1"])
    except HandshakeRefused:
        return
    assert echoed == challenge
    assert echoed.isascii()
    assert not set(echoed) & set("<>&\"'%;:/\\ \r\n\t")
