"""For every input: canonical bytes come back, garbage is refused by name, a request opens for its own bytes only."""

import contextlib
from typing import Annotated, Literal

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import Meta

from shared import canonical, wire
from shared.crypto.dsse import encoded
from shared.errors.trust import (
    AnswerRefused,
    NotCanonical,
    ProtocolTooNew,
    ProtocolTooOld,
    RequestRefused,
    RosterMalformed,
    WireMalformed,
)
from shared.http_signatures import Request, sign_request, verify_answer, verify_request
from shared.roster import read_signed
from tests.support.trust import MESSAGES, NODE, drawn

NOW = 1_795_000_000_000
Small = Annotated[int, Meta(ge=-canonical.INTEGER_MAX, le=canonical.INTEGER_MAX)]


class Sample(msgspec.Struct, frozen=True, tag_field="type", tag="sample"):
    zeta: Small
    text: str
    data: bytes
    items: tuple[str, ...]
    kind: Literal["a", "b"] | None = None


samples = st.builds(
    Sample,
    zeta=st.integers(-canonical.INTEGER_MAX, canonical.INTEGER_MAX),
    text=st.text(),
    data=st.binary(),
    items=st.lists(st.text(), max_size=3).map(tuple),
    kind=st.sampled_from(["a", "b", None]),
)


@given(samples)
def test_canonical_bytes_come_back(value):
    """And are the only bytes of their value: one more space or one byte turned over is another value or none."""
    data = canonical.encode(value)
    assert canonical.decode(Sample, data) == value
    with pytest.raises(NotCanonical):
        canonical.decode(Sample, data + b" ")


@given(samples, st.data())
def test_no_two_byte_strings_are_one_value(value, data):
    """A changed byte is refused, or reads as another value."""
    good = canonical.encode(value)
    at, bit = data.draw(st.integers(0, len(good) - 1)), data.draw(st.integers(0, 7))
    other = good[:at] + bytes((good[at] ^ 1 << bit,)) + good[at + 1 :]
    with contextlib.suppress(NotCanonical):
        assert canonical.decode(Sample, other) != value


@given(st.sampled_from(sorted(MESSAGES)), st.data())
@settings(max_examples=150)
def test_a_message_with_a_changed_byte_is_read_or_refused_by_name(tag, data):
    """Never anything but a message of the form, or one of three refusals."""
    message = MESSAGES[tag]
    good = wire.encode(message)
    at = data.draw(st.integers(0, len(good) - 1))
    changed = good[:at] + data.draw(st.binary(max_size=3)) + good[at + data.draw(st.integers(0, 3)) :]
    try:
        again = wire.decode(type(message), changed)
    except (WireMalformed, ProtocolTooOld, ProtocolTooNew):
        return
    assert wire.encode(again)


@given(st.binary(max_size=200))
def test_garbage_is_refused_by_name(data):
    """Whatever the bytes, at every reader."""
    for type_ in wire.MESSAGES:
        with pytest.raises((WireMalformed, ProtocolTooOld, ProtocolTooNew)):
            wire.decode(type_, data)
    with pytest.raises(RosterMalformed):
        read_signed(data)
    with pytest.raises(NotCanonical):
        canonical.decode(wire.Receipt, data)


@given(st.tuples(st.text(), st.binary()), st.tuples(st.text(), st.binary()))
def test_two_envelopes_never_sign_the_same_bytes(one, other):
    """Type and payload cannot flow into each other."""
    assert (encoded(*one) == encoded(*other)) == (one == other)


SENT = sign_request(
    Request("POST", "https://hub.example/v1/uplink?x=1", (), b"{}"),
    NODE,
    keyid="eu",
    tag="homeport-uplink",
    nonce=drawn("nonce"),
    now_ms=NOW,
)
values = st.one_of(st.text(max_size=80), st.sampled_from([value for _, value in SENT.fields]))
fields = st.lists(
    st.tuples(st.sampled_from(["signature", "Signature", "signature-input", "content-digest", "x"]), values), max_size=6
).map(tuple)


@given(
    st.sampled_from(["POST", "post", "", "G T"]),
    st.one_of(st.just(SENT.url), st.text(max_size=40)),
    fields,
    st.binary(max_size=8),
)
def test_a_stranger_meets_only_refusals(method, url, lines, body):
    """Whatever the request or answer is made of, there is one error, and it holds a code of ours alone."""
    request = Request(method, url, lines, body)
    if request._replace(fields=()) == SENT._replace(fields=()) and {*lines} >= {*SENT.fields}:
        return
    with pytest.raises(RequestRefused) as caught:
        verify_request(request, {"eu": NODE.public.ed25519}.get, tag="homeport-uplink", now_ms=NOW)
    assert set(caught.value.details) == {"reason"}
    with pytest.raises(AnswerRefused):
        verify_answer(request, 200, lines, body, NODE.public.ed25519, keyid="eu", tag="homeport-uplink", now_ms=NOW)


@given(fields, st.data())
def test_a_signed_request_with_changed_lines_is_refused_or_the_same(lines, data):
    """Lines put among the signed ones change nothing that the signature speaks of."""
    kept = data.draw(st.lists(st.sampled_from(SENT.fields), unique=True))
    request = SENT._replace(fields=tuple(data.draw(st.permutations([*kept, *lines]))))
    try:
        signed = verify_request(request, {"eu": NODE.public.ed25519}.get, tag="homeport-uplink", now_ms=NOW)
    except RequestRefused:
        return
    assert signed == ("eu", drawn("nonce"), NOW)
