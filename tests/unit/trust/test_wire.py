"""Messages on their way: only what is of the form leaves or enters, and the protocol version is looked at first."""

import json

import msgspec
import pytest

from shared import wire
from shared.errors.trust import ProtocolTooNew, ProtocolTooOld, WireMalformed
from shared.wire import base
from shared.wire.receipt import open_receipt
from tests.support.trust import MESSAGES, NODE, RECEIPT, drawn

BEAT = MESSAGES["uplink.beat"]


@pytest.mark.parametrize("tag", MESSAGES)
def test_a_message_comes_out_as_it_went_in(tag):
    """Each of them."""
    message = MESSAGES[tag]
    assert json.loads(wire.encode(message))["type"] == tag
    assert wire.decode(type(message), wire.encode(message)) == message


@pytest.mark.parametrize(
    "change",
    [
        {"node": "Mirabel Fonteyn"},
        {"node": "eu\n"},
        {"node": "eu\udc80"},
        {"node": 7},
        {"number": -1},
        {"number": 2**53},
        {"beat_seconds": 0.5},
        {"registrations": (*BEAT.registrations[:7], "447700900123")},
        {"registrations": (*BEAT.registrations[:7], drawn("x").upper())},
        {"protocol": 0},
    ],
)
def test_what_is_not_of_the_form_never_leaves(change):
    """Building a struct checks nothing; encoding does, before a byte is sent."""
    with pytest.raises(WireMalformed):
        wire.encode(msgspec.structs.replace(BEAT, **change))


@pytest.mark.parametrize("count", [1, 7])
def test_a_batch_whose_timing_could_name_somebody_is_neither_built_nor_read(count):
    """None, or at least eight."""
    with pytest.raises(ValueError, match="at least eight"):
        msgspec.structs.replace(BEAT, registrations=BEAT.registrations[:count])
    few = b",".join(b'"%b"' % each.encode() for each in BEAT.registrations[:count])
    all_ = b",".join(b'"%b"' % each.encode() for each in BEAT.registrations)
    with pytest.raises(WireMalformed):
        wire.decode(wire.Beat, wire.encode(BEAT).replace(all_, few))
    assert wire.decode(wire.Beat, wire.encode(BEAT).replace(all_, b"")).registrations == ()


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"null",
        b"[]",
        b"{}",
        b'{"protocol":1}',
        b'{"protocol":"1"}',
        b"\xff",
        b"[" * 100_000,
        wire.encode(MESSAGES["uplink.command_ask"]),
        wire.encode(BEAT)[:-1],
        wire.encode(BEAT).replace(b'"node":"eu"', b'"node":"Mirabel Fonteyn"'),
    ],
)
def test_what_is_not_of_the_form_never_enters(data):
    """Other messages than the expected one, too; the error says nothing of what was sent."""
    with pytest.raises(WireMalformed) as caught:
        wire.decode(wire.Beat, data)
    assert "Mirabel" not in str(caught.value)
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__ or caught.value.__context__ is None


def test_what_a_later_release_adds_is_ignored():
    """Within a version, members that are not known are read over and not kept."""
    later = wire.encode(BEAT).replace(b'"beat_seconds":30', b'"beat_seconds":30,"later":{"a":[1.5]}')
    assert wire.decode(wire.Beat, later) == BEAT
    assert b"later" not in wire.encode(wire.decode(wire.Beat, later))


@pytest.mark.parametrize(("protocol", "error"), [(0, ProtocolTooOld), (2, ProtocolTooNew), (99, ProtocolTooNew)])
def test_another_version_is_named_before_anything_else(protocol, error):
    """Whatever else such a message holds."""
    with pytest.raises(error) as caught:
        wire.decode(wire.Beat, b'{"protocol":%d,"shape":"unknown"}' % protocol)
    assert caught.value.details["protocol"] == protocol


def test_two_releases_agree_on_the_newest_version_both_speak(monkeypatch):
    """Or name which of them is too old."""
    monkeypatch.setattr(base, "PROTOCOL", 5)
    monkeypatch.setattr(base, "PROTOCOL_OLDEST", 3)
    assert wire.agree(5, 1) == wire.agree(9, 5) == wire.agree(5, 5) == 5
    assert wire.agree(3, 1) == 3
    with pytest.raises(ProtocolTooOld):
        wire.agree(2, 1)
    with pytest.raises(ProtocolTooNew):
        wire.agree(9, 6)


def test_a_receipt_travels_in_its_envelope():
    """And opens under the key of the node that signed it."""
    push = wire.decode(wire.ReceiptPush, wire.encode(MESSAGES["uplink.receipt_push"]))
    assert open_receipt(push.envelope, NODE.public) == RECEIPT
